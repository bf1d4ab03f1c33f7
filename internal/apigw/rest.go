// REST API, REQUEST authorizer. Event and answer:
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-input.html
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html
//
// Refusals: a denying policy becomes the gateway response ACCESS_DENIED, whose headers may be taken
// from the answer's context: that is how a redirect is made. An error with the text "Unauthorized",
// exactly, becomes UNAUTHORIZED, which sees no context. Any other error becomes a 500.

package apigw

import "strings"

// rest completes a REST API's request.
func (r *Request) rest() bool {
	e := &r.event
	rest, ok := r.arn(e.methodARN)
	verb, _, _ := strings.Cut(rest, "/")
	if !ok || e.method == "" || verb != e.method || !strings.HasPrefix(e.context.path, "/") || !strings.HasPrefix(e.resource, "/") {
		return false
	}
	r.Kind, r.Method, r.Resource = REST, e.method, e.resource
	r.request()
	r.mount(e.context.path, rest[len(verb):], e.resource)
	return true
}

// request sets what every kind says in the same place.
func (r *Request) request() {
	c := &r.event.context
	r.Domain = c.domain
	if r.RequestID = c.extendedRequestID; r.RequestID == "" {
		r.RequestID = c.requestID
	}
}
