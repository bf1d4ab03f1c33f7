// HTTP API, payload formats 1.0 and 2.0, policies and simple responses. Event and answer:
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html
//
// Refusals: a denying policy, or isAuthorized false, becomes 403 {"message":"Forbidden"}; an error
// becomes a 500. There are no gateway responses, so an authorizer cannot redirect, and there is no
// way to a 401 once it runs.

package apigw

import (
	"strings"

	"edgeauth/internal/jsonread"
)

// http1 completes the request of an HTTP API with payload 1.0, which mirrors a REST API's.
func (r *Request) http1() bool {
	e := &r.event
	rest, ok := r.arn(e.methodARN)
	if !ok || e.method == "" || !strings.HasPrefix(e.context.path, "/") {
		return false
	}
	r.Kind, r.Method, r.Resource = HTTP1, e.method, e.resource
	r.request()
	r.mountHTTP(e.context.path, e.resource, rest)
	return true
}

// http2 completes the request of an HTTP API with payload 2.0.
func (r *Request) http2() bool {
	e := &r.event
	rest, ok := r.arn(e.routeARN)
	if !ok || e.context.httpMethod == "" || !strings.HasPrefix(e.rawPath, "/") {
		return false
	}
	r.Kind, r.Method, r.Resource = HTTP2, e.context.httpMethod, e.routeKey
	r.request()
	_, template, _ := strings.Cut(e.routeKey, " ")
	r.mountHTTP(e.rawPath, template, rest)
	return true
}

// mountHTTP divides the path. The stage $default is not part of it.
func (r *Request) mountHTTP(path, template, arnRest string) {
	verb, _, _ := strings.Cut(arnRest, "/")
	if verb != r.Method {
		verb = arnRest // what the ARN of a catch-all route looks like is not documented
	}
	r.mount(path, arnRest[len(verb):], template)
}

// readHTTP reads requestContext.http of a payload 2.0.
func (e *event) readHTTP(j *jsonread.Reader) {
	if j.Null() {
		return
	}
	for name := range j.Members() {
		if name == "method" {
			e.text(j, contextHTTPMethod, &e.context.httpMethod)
		} else {
			j.Skip()
		}
	}
}
