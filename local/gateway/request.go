package gateway

// This file turns an HTTP request into what API Gateway knows about it.

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"edgeauth/local/sam"
)

// request is one request on its way through the gateway.
type request struct {
	raw       *http.Request
	host      string // as the gateway knows it
	method    string // as API Gateway takes it, which a header may override
	fullPath  string // as the client sent it, with the stage or the base path
	path      string // without
	rawPath   string // of an HTTP API: path before its escapes were resolved
	mapped    bool   // it came by a custom domain
	rawQuery  string
	fields    []field
	query     map[string][]string
	sourceIP  string
	userAgent string
	body      []byte
	time      time.Time
	id, extID string

	route      *sam.Route
	socket     *socket           // that a handshake asks for
	parameters map[string]string // of the path
	authorizer map[string]any    // what the authorizer said, principalId among it; nil where none was asked
	latency    time.Duration     // of the authorizer

	api         *sam.API       // that answers; nil where none does
	integration *time.Duration // how long the backend of a REST API took; nil where none was asked
}

// dropped are headers that no function sees.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html
var dropped = []string{
	"connection", "content-length", "content-md5", "expect", "keep-alive", "max-forwards", "proxy-authenticate", "proxy-connection", "server", "te",
	"trailer", "transfer-encoding", "upgrade", "www-authenticate",
}

// replaced are headers that API Gateway writes itself, whatever the client sent.
var replaced = []string{"x-forwarded-for", "x-forwarded-port", "x-forwarded-proto"}

func (g *Gateway) read(r *http.Request, body []byte) *request {
	q := &request{
		raw:      r,
		host:     strings.ToLower(r.Host),
		method:   r.Method,
		fullPath: r.URL.EscapedPath(),
		rawQuery: r.URL.RawQuery,
		query:    parseQuery(r.URL.RawQuery),
		body:     body,
		time:     g.now(),
		id:       newID(),
		extID:    newExtendedID(),
	}
	q.sourceIP, _, _ = net.SplitHostPort(r.RemoteAddr)
	q.fields = g.forward(headerFields(r), q)
	q.userAgent, _ = q.header("User-Agent")
	return q
}

// identify tells the client the ids that functions and logs know its request by.
func (q *request) identify(w http.ResponseWriter, kind sam.Kind) {
	if kind == sam.HTTP {
		w.Header().Set("Apigw-Requestid", q.extID)
		return
	}
	w.Header().Set("x-amzn-RequestId", q.id)
	w.Header().Set("x-amz-apigw-id", q.extID)
}

// forward makes the client's header lines those that functions see.
func (g *Gateway) forward(fields []field, q *request) []field {
	var out []field
	via, traced := "", false
	for _, f := range fields {
		name := strings.ToLower(f.name)
		if name == "x-forwarded-for" {
			via += f.value + ", "
		}
		traced = traced || name == "x-amzn-trace-id"
		switch {
		case slices.Contains(dropped, name) || slices.Contains(replaced, name):
		case !g.splitCookies:
			out = append(out, f)
		case name == "cookie":
			for pair := range strings.SplitSeq(f.value, ";") {
				out = append(out, field{name, strings.TrimSpace(pair)})
			}
		default:
			out = append(out, field{name, f.value})
		}
	}
	_, port, _ := net.SplitHostPort(q.host)
	out = append(out, field{"X-Forwarded-For", via + q.sourceIP}, field{"X-Forwarded-Port", port}, field{"X-Forwarded-Proto", g.proto()})
	if !traced {
		out = append(out, field{"X-Amzn-Trace-Id", "Root=1-" + fmt.Sprintf("%x", q.time.Unix()) + "-" + strings.ReplaceAll(newID(), "-", "")[:24]})
	}
	return out
}

// header is the last value of a header, whatever the case of its name.
func (q *request) header(name string) (string, bool) {
	for _, f := range slices.Backward(q.fields) {
		if strings.EqualFold(f.name, name) {
			return f.value, true
		}
	}
	return "", false
}

// headerSize is what API Gateway counts against its limit: the header values.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
func headerSize(r *http.Request) int {
	size := len(r.Host)
	for _, values := range r.Header {
		for _, value := range values {
			size += len(value)
		}
	}
	return size
}

// parseQuery decodes a query string. A semicolon separates parameters as & does, and what cannot be decoded stays as it was sent.
func parseQuery(raw string) map[string][]string {
	query := map[string][]string{}
	for pair := range strings.FieldsFuncSeq(raw, func(r rune) bool { return r == '&' || r == ';' }) {
		name, value, _ := strings.Cut(pair, "=")
		name, value = unescape(name), unescape(value)
		query[name] = append(query[name], value)
	}
	return query
}

func unescape(s string) string {
	if decoded, err := url.QueryUnescape(s); err == nil {
		return decoded
	}
	return s
}

func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: https://pkg.go.dev/crypto/rand#Read
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func newExtendedID() string {
	var b [11]byte
	_, _ = rand.Read(b[:])
	return base64.URLEncoding.EncodeToString(b[:])
}

// proto is how clients reach the gateway.
func (s shared) proto() string {
	if s.tls != nil {
		return "https"
	}
	return "http"
}
