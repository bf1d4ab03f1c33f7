// This file runs an http.Handler as the Lambda behind a proxy integration, for REST APIs and for
// HTTP APIs with either payload. Events and answers:
// https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
//
// The handler sees an ordinary request to the API's own origin: what decides its host and path is
// what API Gateway says about itself, never a header.

package apigw

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/textproto"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/lambda"
)

// Proxy returns h as a Lambda. with, if any, puts what the authorizer handed on into the context of
// each request; it gets nil where there was none.
func Proxy(h http.Handler, with func(ctx context.Context, authorizer map[string]any) context.Context) lambda.Handler {
	return &proxy{h, with}
}

type proxy struct {
	handler http.Handler
	with    func(context.Context, map[string]any) context.Context
}

// Base returns the path under which the API is mounted, as a client sees it: "/Prod" at the API's
// own host name, the base path at a custom domain name, "" when there is none.
func Base(ctx context.Context) string {
	b, _ := ctx.Value(baseKey{}).(string)
	return b
}

// RequestID returns the id under which API Gateway logs the request. It is for people to quote, not
// a secret and not a key.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

type (
	baseKey      struct{}
	requestIDKey struct{}
)

// Invoke answers one event.
func (p *proxy) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	var e proxyEvent
	if err := json.Unmarshal(event, &e); err != nil {
		return nil, errors.New("apigw: proxy event is not the JSON that it should be") // err may quote the event
	}
	r, err := e.request(ctx)
	if err != nil {
		return nil, err
	}
	if p.with != nil {
		r = r.WithContext(p.with(r.Context(), e.authorizer()))
	}
	w := p.serve(r)
	if e.Version == "2.0" {
		return w.payload2()
	}
	return w.payload1()
}

// serve runs the handler. A panic ends the request and nothing else; of its value only the type is
// logged, since it may hold what a client sent.
func (p *proxy) serve(r *http.Request) (w *recorder) {
	defer func() {
		if v := recover(); v != nil {
			slog.ErrorContext(r.Context(), "panic", "type", fmt.Sprintf("%T", v), "request_id", RequestID(r.Context()), "stack", string(debug.Stack()))
			w = failure(r)
		}
	}()
	w = &recorder{header: http.Header{}, head: r.Method == http.MethodHead}
	p.handler.ServeHTTP(w, r)
	w.WriteHeader(http.StatusOK)
	if name := unsendable(w.sent); name != "" {
		slog.ErrorContext(r.Context(), "response header refused", "header", name, "request_id", RequestID(r.Context()))
		return failure(r)
	}
	return w
}

// proxyEvent is the event of a proxy integration: payload 1.0 is that of REST APIs too.
type proxyEvent struct {
	Version                         string              `json:"version"`
	Resource                        string              `json:"resource"`
	HTTPMethod                      string              `json:"httpMethod"`
	RouteKey                        string              `json:"routeKey"`
	RawPath                         string              `json:"rawPath"`
	RawQueryString                  string              `json:"rawQueryString"`
	Cookies                         []string            `json:"cookies"`
	Headers                         map[string]string   `json:"headers"`
	MultiValueHeaders               map[string][]string `json:"multiValueHeaders"`
	QueryStringParameters           map[string]string   `json:"queryStringParameters"`
	MultiValueQueryStringParameters url.Values          `json:"multiValueQueryStringParameters"`
	PathParameters                  json.RawMessage     `json:"pathParameters"`
	Body                            string              `json:"body"`
	IsBase64Encoded                 bool                `json:"isBase64Encoded"`
	RequestContext                  struct {
		Path              string         `json:"path"`
		Stage             string         `json:"stage"`
		DomainName        string         `json:"domainName"`
		RequestID         string         `json:"requestId"`
		ExtendedRequestID string         `json:"extendedRequestId"`
		Authorizer        map[string]any `json:"authorizer"`
		Identity          struct {
			SourceIP string `json:"sourceIp"`
		} `json:"identity"`
		HTTP struct {
			Method   string `json:"method"`
			SourceIP string `json:"sourceIp"`
		} `json:"http"`
	} `json:"requestContext"`
}

// authorizer returns what the authorizer handed on. HTTP APIs with payload 2.0 have it one step
// further down.
func (e *proxyEvent) authorizer() map[string]any {
	if e.Version != "2.0" {
		return e.RequestContext.Authorizer
	}
	a, _ := e.RequestContext.Authorizer["lambda"].(map[string]any)
	return a
}

// request returns the request that the event tells of.
func (e *proxyEvent) request(ctx context.Context) (*http.Request, error) {
	c := &e.RequestContext
	method, path, template, query := e.HTTPMethod, c.Path, e.Resource, e.query()
	if e.Version == "2.0" {
		method, path, query = c.HTTP.Method, e.RawPath, e.RawQueryString
		_, template, _ = strings.Cut(e.RouteKey, " ")
	}
	if method == "" || !strings.HasPrefix(path, "/") {
		return nil, errors.New("apigw: not a proxy event of a known kind")
	}
	body, err := e.body()
	if err != nil {
		return nil, err
	}
	ctx = context.WithValue(ctx, baseKey{}, base(path, c.Stage, template, e.PathParameters))
	ctx = context.WithValue(ctx, requestIDKey{}, cmp.Or(c.ExtendedRequestID, c.RequestID))
	u := &url.URL{Path: path, RawQuery: query}
	if plain, err := url.PathUnescape(path); err == nil {
		u.Path, u.RawPath = plain, path
	}
	r := &http.Request{
		Method: method, URL: u, RequestURI: path, Host: c.DomainName, Header: e.header(),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
		RemoteAddr: net.JoinHostPort(cmp.Or(c.Identity.SourceIP, c.HTTP.SourceIP), "0"),
	}
	if query != "" {
		r.RequestURI += "?" + query
	}
	return r.WithContext(ctx), nil
}

// query returns the query of a payload 1.0, which carries it decoded.
func (e *proxyEvent) query() string {
	if len(e.MultiValueQueryStringParameters) > 0 {
		return e.MultiValueQueryStringParameters.Encode()
	}
	q := url.Values{}
	for name, value := range e.QueryStringParameters {
		q.Set(name, value)
	}
	return q.Encode()
}

// header returns the request's headers: all values of every spelling. The host is not among them,
// as in any request that a server hands out.
func (e *proxyEvent) header() http.Header {
	h := http.Header{}
	for _, name := range slices.Sorted(maps.Keys(e.MultiValueHeaders)) {
		key := textproto.CanonicalMIMEHeaderKey(name)
		h[key] = append(h[key], e.MultiValueHeaders[name]...)
	}
	single := http.Header{}
	for _, name := range slices.Sorted(maps.Keys(e.Headers)) {
		single.Add(name, e.Headers[name])
	}
	for key, all := range single {
		if len(h[key]) == 0 {
			h[key] = all
		}
	}
	if len(e.Cookies) > 0 {
		h["Cookie"] = []string{strings.Join(e.Cookies, "; ")}
	}
	h.Del("Host")
	return h
}

func (e *proxyEvent) body() ([]byte, error) {
	if !e.IsBase64Encoded {
		return []byte(e.Body), nil
	}
	body, err := base64.StdEncoding.DecodeString(e.Body)
	if err != nil {
		return nil, errors.New("apigw: body of the proxy event is not base64")
	}
	return body, nil
}

// recorder keeps a response until it is whole.
type recorder struct {
	header http.Header
	sent   http.Header // header as it was when the status was set; nil until then
	status int
	body   bytes.Buffer
	head   bool
}

// Header returns the headers to be sent.
func (w *recorder) Header() http.Header { return w.header }

// WriteHeader sets the status, the first time.
func (w *recorder) WriteHeader(status int) {
	if w.sent != nil || status < 200 { // there is no way to send an informational response
		return
	}
	w.status, w.sent = status, w.header.Clone()
}

// Write appends to the body.
func (w *recorder) Write(b []byte) (int, error) {
	if w.sent == nil {
		if w.header.Get("Content-Type") == "" {
			w.header.Set("Content-Type", http.DetectContentType(b))
		}
		w.WriteHeader(http.StatusOK)
	}
	if w.status == http.StatusNoContent || w.status == http.StatusNotModified {
		return 0, http.ErrBodyNotAllowed
	}
	if w.head {
		return len(b), nil
	}
	return w.body.Write(b)
}

// text returns the body, and whether it is base64: only what is not text needs it, and a REST API
// would send base64 on as it is.
func (w *recorder) text() (string, bool) {
	if b := w.body.Bytes(); !utf8.Valid(b) {
		return base64.StdEncoding.EncodeToString(b), true
	}
	return w.body.String(), false
}

// payload1 returns the answer for a REST API, or for an HTTP API with payload 1.0. All headers go
// into the one member that can hold several values.
func (w *recorder) payload1() ([]byte, error) {
	body, encoded := w.text()
	return json.Marshal(struct {
		StatusCode        int         `json:"statusCode"`
		MultiValueHeaders http.Header `json:"multiValueHeaders"`
		Body              string      `json:"body"`
		IsBase64Encoded   bool        `json:"isBase64Encoded"`
	}{w.status, w.sent, body, encoded})
}

// payload2 returns the answer for an HTTP API with payload 2.0, which has cookies apart and one
// value for any other header.
func (w *recorder) payload2() ([]byte, error) {
	single := map[string]string{}
	for name, all := range w.sent {
		if name != "Set-Cookie" {
			single[name] = strings.Join(all, ", ")
		}
	}
	body, encoded := w.text()
	return json.Marshal(struct {
		StatusCode      int               `json:"statusCode"`
		Headers         map[string]string `json:"headers"`
		Cookies         []string          `json:"cookies,omitempty"`
		Body            string            `json:"body"`
		IsBase64Encoded bool              `json:"isBase64Encoded"`
	}{w.status, single, w.sent["Set-Cookie"], body, encoded})
}

// unsendable returns the name of a header that could end another, or the headers: a server would
// clean such values, API Gateway is not known to.
func unsendable(h http.Header) string {
	control := func(r rune) bool { return r < 0x20 || r == 0x7f }
	for name, all := range h {
		if name == "" || strings.ContainsFunc(name, func(r rune) bool { return control(r) || r == ' ' || r == ':' || r >= utf8.RuneSelf }) {
			return "(name)"
		}
		for _, v := range all {
			if strings.ContainsFunc(v, control) {
				return name
			}
		}
	}
	return ""
}

// failure is the response of a handler that did not make one. It gives nothing away but the id to
// ask about.
func failure(r *http.Request) *recorder {
	w := &recorder{header: http.Header{
		"Content-Type":           {"text/plain; charset=utf-8"},
		"Cache-Control":          {"no-store"},
		"X-Content-Type-Options": {"nosniff"},
	}, head: r.Method == http.MethodHead}
	w.WriteHeader(http.StatusInternalServerError)
	fmt.Fprintf(w, "Something went wrong here. Request id: %s\n", RequestID(r.Context()))
	return w
}
