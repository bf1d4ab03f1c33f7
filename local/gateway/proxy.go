package gateway

// This file writes what a function answers, if it is an answer.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html#api-gateway-simple-proxy-for-lambda-output-format

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// answer is a function's answer.
type answer struct {
	status  int
	headers []field
	body    []byte
	base64  bool
}

// remapped are headers that a function cannot set: they arrive under another name.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html
var remapped = []string{
	"authorization", "connection", "content-length", "content-md5", "date", "expect", "host", "max-forwards", "proxy-authenticate", "server", "trailer",
	"upgrade", "user-agent", "www-authenticate",
}

// parseAnswer reads a function's answer. It is strict: what API Gateway may or may not accept is refused.
func parseAnswer(raw []byte) (answer, error) {
	var a answer
	fields, err := members(raw, "the answer", "statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded")
	if err != nil {
		return a, err
	}
	if err := json.Unmarshal(fields["statusCode"], &a.status); err != nil || a.status < 200 || a.status > 599 {
		return a, errors.New("statusCode is no number between 200 and 599")
	}
	if a.headers, err = answerHeaders(fields["headers"], fields["multiValueHeaders"]); err != nil {
		return a, err
	}
	if raw := fields["isBase64Encoded"]; len(raw) > 0 {
		if err := json.Unmarshal(raw, &a.base64); err != nil {
			return a, errors.New("isBase64Encoded is no boolean")
		}
	}
	var body *string
	if raw := fields["body"]; len(raw) > 0 {
		if err := json.Unmarshal(raw, &body); err != nil {
			return a, errors.New("body is no text")
		}
	}
	if body != nil {
		a.body = []byte(*body)
	}
	return a, nil
}

// answerHeaders joins both maps: all of multiValueHeaders, and from headers what is not there already.
func answerHeaders(single, multi json.RawMessage) ([]field, error) {
	var all map[string][]json.RawMessage
	if err := unmarshalOptional(multi, &all); err != nil {
		return nil, errors.New("multiValueHeaders is no map of lists")
	}
	var one map[string]json.RawMessage
	if err := unmarshalOptional(single, &one); err != nil {
		return nil, errors.New("headers is no map")
	}
	var fields []field
	add := func(name string, raw json.RawMessage) error {
		value, err := scalar(raw)
		if err != nil || !headerName.MatchString(name) {
			return fmt.Errorf("header %.40q: a name or a value that is none", name)
		}
		f := field{name, value}
		if !slices.ContainsFunc(fields, func(g field) bool { return strings.EqualFold(g.name, name) && g.value == value }) {
			fields = append(fields, f)
		}
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		for _, raw := range all[name] {
			if err := add(name, raw); err != nil {
				return nil, err
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(one)) {
		if err := add(name, one[name]); err != nil {
			return nil, err
		}
	}
	return fields, nil
}

func unmarshalOptional(raw json.RawMessage, to any) error {
	if len(raw) == 0 {
		return nil
	}
	return json.Unmarshal(raw, to)
}

// scalar is a text, a number or a boolean as a header value.
func scalar(raw json.RawMessage) (string, error) {
	value := string(raw)
	switch {
	case raw[0] == '"':
		s, err := text(raw)
		if err != nil {
			return "", err
		}
		value = s
	case strings.ContainsRune("{[n", rune(raw[0])):
		return "", errors.New("not a scalar")
	}
	if strings.ContainsAny(value, "\r\n\x00") {
		return "", errors.New("not one line")
	}
	return value, nil
}

// write sends the answer. A body in base64 is decoded only if the API takes what the client accepts first for binary; otherwise it goes out as it is.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/lambda-proxy-binary-media.html
func (g *gate) write(w http.ResponseWriter, q *request, a answer) error {
	body := a.body
	accept, _ := q.header("Accept")
	accept, _, _ = strings.Cut(accept, ",")
	if a.base64 && g.binary(accept) {
		var err error
		if body, err = base64.StdEncoding.DecodeString(string(a.body)); err != nil {
			return errors.New("body is not base64")
		}
	}
	h := w.Header()
	h.Set("Content-Type", defaultMediaType)
	typed := false
	for _, f := range a.headers {
		name := strings.ToLower(f.name)
		switch {
		case name == "transfer-encoding":
		case slices.Contains(remapped, name):
			h.Add("x-amzn-Remapped-"+f.name, f.value)
		case name == "content-type" && !typed:
			typed = true
			h.Set(f.name, f.value)
		default:
			h.Add(f.name, f.value)
		}
	}
	if a.status != http.StatusNoContent && a.status != http.StatusNotModified {
		body = g.pack(h, q, body)
		h.Set("Content-Length", strconv.Itoa(len(body)))
	} else {
		body = nil
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(body) // a client that is gone is no concern of ours
	return nil
}
