package gateway

// This file reads what a function of an HTTP API answers, and writes it.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html#http-api-develop-integrations-lambda.response

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// hopByHop are headers that are about one connection, which is the gateway's.
var hopByHop = []string{"connection", "content-length", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}

// parseAnswer2 reads an answer of payload 2.0. Whatever is JSON and names no status is the body itself.
func parseAnswer2(raw []byte) (answer, error) {
	if !json.Valid(raw) {
		return answer{}, errors.New("the answer is not JSON")
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(raw, &object); err != nil || object["statusCode"] == nil {
		return inferred(raw), nil
	}
	fields, err := members(raw, "the answer", "statusCode", "headers", "body", "isBase64Encoded", "cookies")
	if err != nil {
		return answer{}, err
	}
	cookies := fields["cookies"]
	delete(fields, "cookies")
	a, err := parseAnswer(encode(fields))
	if err != nil || len(cookies) == 0 || string(cookies) == "null" {
		return a, err
	}
	list, err := manyTexts(cookies)
	if err != nil && string(cookies) != "[]" || cookies[0] != '[' {
		return a, errors.New("cookies is no list of texts")
	}
	for _, cookie := range list {
		if strings.ContainsAny(cookie, "\r\n\x00") {
			return a, errors.New("a cookie is not one line")
		}
		a.headers = append(a.headers, field{"Set-Cookie", cookie})
	}
	return a, nil
}

// inferred is the answer that a function without a statusCode has given.
func inferred(raw []byte) answer {
	a := answer{status: http.StatusOK, headers: []field{{"Content-Type", defaultMediaType}}, body: raw}
	if s, err := text(raw); err == nil {
		a.body = []byte(s)
	}
	return a
}

// writeHTTP sends the answer. Base64 is always decoded.
func (g *gate) writeHTTP(w http.ResponseWriter, q *request, a answer) error {
	body := a.body
	if a.base64 {
		var err error
		if body, err = base64.StdEncoding.DecodeString(string(a.body)); err != nil {
			return errors.New("body is not base64")
		}
	}
	h := w.Header()
	for _, f := range a.headers {
		switch name := strings.ToLower(f.name); {
		case slices.Contains(hopByHop, name):
		case name == "content-type":
			h.Set(f.name, f.value)
		default:
			h.Add(f.name, f.value)
		}
	}
	if h.Get("Content-Type") == "" {
		h.Set("Content-Type", "text/plain;charset=utf-8")
	}
	g.share(h, q)
	if a.status == http.StatusNoContent || a.status == http.StatusNotModified {
		body = nil
	} else {
		h.Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(body) // a client that is gone is no concern of ours
	return nil
}
