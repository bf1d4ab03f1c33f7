// This file says what of an authorizer event a decision may rest on, and finds it in one pass, whichever kind of API sent it.

package apigw

import (
	"strings"

	"edgeauth/internal/reason"
)

// Kind is the kind of API, and of payload, that an event comes from: it settles what an answer looks like and what a refusal can do.
type Kind string

const (
	REST      Kind = "rest"
	HTTP1     Kind = "http-1.0"
	HTTP2     Kind = "http-2.0"
	WebSocket Kind = "websocket"
)

// ErrUnknownEvent means that an event is not one of an authorizer of a known kind, or not readable. It says no more: the event holds credentials.
var ErrUnknownEvent = reason.New(reason.EventUnknown, "apigw: not a REQUEST authorizer event of a known kind")

// Request is what an authorizer event says about a request. Its strings share the event's memory.
type Request struct {
	Kind      Kind
	API       string // the ARN of the API's stage, with a slash at the end: what every method's ARN begins with
	ARN       string // methodArn or routeArn
	Method    string // "" for WebSocket
	Resource  string // what matched: REST's resource, HTTP API's route key, "$connect"
	Route     string // the path below Base, as the client sent it; "$connect" for WebSocket
	Path      string // the path as the client sees it; "" for WebSocket
	Base      string // where the API is mounted: the stage, a base path, or ""
	Domain    string // the host name that was called
	RequestID string

	sent   sent
	header [headers]field
	cookie cookies
}

// sent holds an event's members as they came. Which of them there are depends on the kind.
type sent struct {
	version, kind, methodARN, routeARN, routeKey, resource, path, method, rawPath, rawQuery string
	parameters, manyQuery, oneQuery                                                         []byte

	context struct{ path, stage, domain, requestID, extendedRequestID, method, routeKey, eventType, httpMethod string }

	seen uint32 // the members met so far, by number
}

// DecodeAuthorizer reads an authorizer's event. The event must not change while the request is in use.
func DecodeAuthorizer(event []byte) (Request, error) {
	var r Request
	s := scanner{data: event}
	if !s.open('{') {
		return Request{}, ErrUnknownEvent
	}
	for name, ok := s.member(); ok; name, ok = s.member() {
		r.member(&s, name)
	}
	if !s.end() || r.sent.kind != "REQUEST" || !r.recognise() {
		return Request{}, ErrUnknownEvent
	}
	return r, nil
}

// recognise finds the kind by the members that the kind's page documents, and lets its file do the rest.
func (r *Request) recognise() bool {
	switch {
	case r.sent.version == "2.0":
		return r.http2()
	case r.sent.version == "1.0":
		return r.http1()
	case r.sent.version != "":
		return false
	case r.sent.context.eventType != "" || r.sent.context.routeKey != "":
		return r.webSocket()
	}
	return r.rest()
}

// member reads one member of the event.
func (r *Request) member(s *scanner, name string) {
	e := &r.sent
	switch name {
	case "version":
		e.text(s, 0, &e.version)
	case "type":
		e.text(s, 1, &e.kind)
	case "methodArn":
		e.text(s, 2, &e.methodARN)
	case "routeArn":
		e.text(s, 3, &e.routeARN)
	case "routeKey":
		e.text(s, 4, &e.routeKey)
	case "resource":
		e.text(s, 5, &e.resource)
	case "path":
		e.text(s, 6, &e.path)
	case "httpMethod":
		e.text(s, 7, &e.method)
	case "rawPath":
		e.text(s, 8, &e.rawPath)
	case "rawQueryString":
		e.text(s, 9, &e.rawQuery)
	case "pathParameters":
		e.raw(s, 10, &e.parameters)
	case "multiValueQueryStringParameters":
		e.raw(s, 11, &e.manyQuery)
	case "queryStringParameters":
		e.raw(s, 12, &e.oneQuery)
	case "multiValueHeaders":
		e.once(s, 13)
		r.multiValueHeaders(s)
	case "headers":
		e.once(s, 14)
		r.headers(s)
	case "cookies":
		e.once(s, 15)
		r.cookieList(s)
	case "requestContext":
		e.once(s, 16)
		e.requestContext(s)
	default:
		s.skip()
	}
}

// requestContext reads the members of the request context. What an authorizer handed on at an earlier time is not among them.
func (e *sent) requestContext(s *scanner) {
	if !s.open('{') {
		return
	}
	c := &e.context
	for name, ok := s.member(); ok; name, ok = s.member() {
		switch name {
		case "path":
			e.text(s, 17, &c.path)
		case "stage":
			e.text(s, 18, &c.stage)
		case "domainName":
			e.text(s, 19, &c.domain)
		case "requestId":
			e.text(s, 20, &c.requestID)
		case "extendedRequestId":
			e.text(s, 21, &c.extendedRequestID)
		case "httpMethod":
			e.text(s, 22, &c.method)
		case "routeKey":
			e.text(s, 23, &c.routeKey)
		case "eventType":
			e.text(s, 24, &c.eventType)
		case "http":
			e.once(s, 25)
			e.contextHTTP(s)
		default:
			s.skip()
		}
	}
}

// text reads a string, the member with number n.
func (e *sent) text(s *scanner, n uint, to *string) {
	e.once(s, n)
	*to = s.str()
}

// raw keeps a member's text for later.
func (e *sent) raw(s *scanner, n uint, to *[]byte) {
	e.once(s, n)
	*to = s.skip()
}

// once refuses a second member of one name: two readers of such an event may take a different one.
func (e *sent) once(s *scanner, n uint) {
	if e.seen&(1<<n) != 0 {
		s.fail()
	}
	e.seen |= 1 << n
}

// arn sets what the ARN says: arn:{partition}:execute-api:{region}:{account}:{api}/{stage}/…, where nothing up to the stage could mean anything else
// in a policy. It returns what follows the stage.
func (r *Request) arn(arn string) (rest string, ok bool) {
	var parts [5]string
	rest = arn
	for i := range parts {
		parts[i], rest, _ = strings.Cut(rest, ":")
	}
	if parts[0] != "arn" || !strings.HasPrefix(parts[1], "aws") || parts[2] != "execute-api" {
		return "", false
	}
	api, rest, _ := strings.Cut(rest, "/")
	stage, rest, ok := strings.Cut(rest, "/")
	if !ok || !word(parts[1]) || !word(parts[3]) || !word(parts[4]) || !word(api) || !word(strings.TrimPrefix(stage, "$")) {
		return "", false
	}
	r.ARN, r.API = arn, arn[:len(arn)-len(rest)]
	return rest, true
}

// word reports whether s is made of letters, digits, hyphens and underscores, as partitions, regions, accounts, APIs and stages are.
func word(s string) bool {
	for i := range len(s) {
		c := s[i] | 0x20
		if !('a' <= c && c <= 'z' || '0' <= s[i] && s[i] <= '9' || s[i] == '-' || s[i] == '_') {
			return false
		}
	}
	return s != ""
}
