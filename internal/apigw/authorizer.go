// This file says what of an authorizer event a decision may rest on, and finds it in one pass,
// whichever kind of API sent it.

package apigw

import (
	"errors"
	"strings"
	"unsafe"

	"edgeauth/internal/jsonread"
	"edgeauth/internal/reason"
)

// Kind is the kind of API, and of payload, that an event comes from: it settles what an answer
// looks like and what a refusal can do.
type Kind string

const (
	REST      Kind = "rest"
	HTTP1     Kind = "http-1.0"
	HTTP2     Kind = "http-2.0"
	WebSocket Kind = "websocket"
)

// ErrUnknownEvent means that an event is not one of an authorizer of a known kind, or not readable.
// It says no more: the event holds credentials.
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
	Mounted   bool   // the event says so; otherwise Base is a guess, and Route is ""
	Domain    string // the host name that was called
	RequestID string

	event  event
	header [headers]field
	cookie cookies
}

// event holds an event's members as they came. Which of them there are depends on the kind.
type event struct {
	version, kind, methodARN, routeARN, routeKey, resource, path, method, rawPath, rawQuery string
	parameters, manyQuery, oneQuery                                                         []byte

	context struct{ path, stage, domain, requestID, extendedRequestID, method, routeKey, eventType, httpMethod string }

	seen memberSet
}

// member is a member of an event that is read.
type member uint

const (
	memberVersion member = iota
	memberType
	memberMethodARN
	memberRouteARN
	memberRouteKey
	memberResource
	memberPath
	memberMethod
	memberRawPath
	memberRawQuery
	memberParameters
	memberManyQuery
	memberOneQuery
	memberMultiValueHeaders
	memberHeaders
	memberCookies
	memberRequestContext
	contextPath
	contextStage
	contextDomain
	contextRequestID
	contextExtendedRequestID
	contextMethod
	contextRouteKey
	contextEventType
	contextHTTP
	contextHTTPMethod
	members // how many there are
)

// memberSet has a bit for each member.
type memberSet uint32

// One member more than a memberSet has bits does not compile.
var _ [8*unsafe.Sizeof(memberSet(0)) - uintptr(members)]struct{}

// errMember is a member that is not of its type.
var errMember = errors.New("apigw: member of another type")

// DecodeAuthorizer reads an authorizer's event. The event must not change while the request is in
// use.
func DecodeAuthorizer(text []byte) (Request, error) {
	var r Request
	j := jsonread.NewRepeating(text)
	for name := range j.Members() {
		r.read(&j, name)
	}
	if j.End() != nil || r.event.kind != "REQUEST" || !r.recognise() {
		return Request{}, ErrUnknownEvent
	}
	return r, nil
}

// recognise finds the kind by the members that the kind's page documents, and lets its file do the
// rest.
func (r *Request) recognise() bool {
	switch {
	case r.event.version == "2.0":
		return r.http2()
	case r.event.version == "1.0":
		return r.http1()
	case r.event.version != "":
		return false
	case r.event.context.eventType != "" || r.event.context.routeKey != "":
		return r.webSocket()
	}
	return r.rest()
}

// read reads one member of the event.
func (r *Request) read(j *jsonread.Reader, name string) {
	e := &r.event
	switch name {
	case "version":
		e.text(j, memberVersion, &e.version)
	case "type":
		e.text(j, memberType, &e.kind)
	case "methodArn":
		e.text(j, memberMethodARN, &e.methodARN)
	case "routeArn":
		e.text(j, memberRouteARN, &e.routeARN)
	case "routeKey":
		e.text(j, memberRouteKey, &e.routeKey)
	case "resource":
		e.text(j, memberResource, &e.resource)
	case "path":
		e.text(j, memberPath, &e.path)
	case "httpMethod":
		e.text(j, memberMethod, &e.method)
	case "rawPath":
		e.text(j, memberRawPath, &e.rawPath)
	case "rawQueryString":
		e.text(j, memberRawQuery, &e.rawQuery)
	case "pathParameters":
		e.raw(j, memberParameters, &e.parameters)
	case "multiValueQueryStringParameters":
		e.raw(j, memberManyQuery, &e.manyQuery)
	case "queryStringParameters":
		e.raw(j, memberOneQuery, &e.oneQuery)
	case "multiValueHeaders":
		e.once(j, memberMultiValueHeaders)
		r.readMultiValueHeaders(j)
	case "headers":
		e.once(j, memberHeaders)
		r.readHeaders(j)
	case "cookies":
		e.once(j, memberCookies)
		r.readCookies(j)
	case "requestContext":
		e.once(j, memberRequestContext)
		e.readContext(j)
	default:
		j.Skip()
	}
}

// readContext reads the request context. What an authorizer handed on at an earlier time is not
// among it.
func (e *event) readContext(j *jsonread.Reader) {
	if j.Null() {
		return
	}
	c := &e.context
	for name := range j.Members() {
		switch name {
		case "path":
			e.text(j, contextPath, &c.path)
		case "stage":
			e.text(j, contextStage, &c.stage)
		case "domainName":
			e.text(j, contextDomain, &c.domain)
		case "requestId":
			e.text(j, contextRequestID, &c.requestID)
		case "extendedRequestId":
			e.text(j, contextExtendedRequestID, &c.extendedRequestID)
		case "httpMethod":
			e.text(j, contextMethod, &c.method)
		case "routeKey":
			e.text(j, contextRouteKey, &c.routeKey)
		case "eventType":
			e.text(j, contextEventType, &c.eventType)
		case "http":
			e.once(j, contextHTTP)
			e.readHTTP(j)
		default:
			j.Skip()
		}
	}
}

// text reads a string, the member m.
func (e *event) text(j *jsonread.Reader, m member, to *string) {
	e.once(j, m)
	*to = text(j)
}

// raw keeps the text of the member m for later.
func (e *event) raw(j *jsonread.Reader, m member, to *[]byte) {
	e.once(j, m)
	*to = j.Raw()
}

// once refuses a second member of one name: two readers of such an event may take a different one.
func (e *event) once(j *jsonread.Reader, m member) {
	if e.seen&(1<<m) != 0 {
		j.Fail(jsonread.ErrDuplicate)
	}
	e.seen |= 1 << m
}

// text reads a string. API Gateway writes null for what there is not.
func text(j *jsonread.Reader) string {
	if j.Null() {
		return ""
	}
	s, ok := j.String()
	if !ok {
		j.Fail(errMember)
	}
	return s
}

// arn sets what the ARN says: arn:{partition}:execute-api:{region}:{account}:{api}/{stage}/…, where
// nothing up to the stage could mean anything else in a policy. It returns what follows the stage.
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

// word reports whether s is made of letters, digits, hyphens and underscores, as partitions,
// regions, accounts, APIs and stages are.
func word(s string) bool {
	for i := range len(s) {
		c := s[i] | 0x20
		if !('a' <= c && c <= 'z' || '0' <= s[i] && s[i] <= '9' || s[i] == '-' || s[i] == '_') {
			return false
		}
	}
	return s != ""
}
