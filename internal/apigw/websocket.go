// WebSocket API, the $connect route, the only one that can have an authorizer. Event and answer:
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-lambda-auth.html
//
// Refusals: the handshake is answered 401 for the error "Unauthorized", 403 for a denying policy;
// scripts in a browser see neither. The connection is never authorized again.

package apigw

// webSocket completes a handshake's request.
func (r *Request) webSocket() bool {
	e := &r.event
	rest, ok := r.arn(e.methodARN)
	if !ok || rest != "$connect" || e.context.eventType != "CONNECT" || e.context.routeKey != "$connect" {
		return false
	}
	r.Kind, r.Resource, r.Route = WebSocket, "$connect", "$connect"
	r.Mounted = true // there is nothing below a base
	r.request()
	return true
}
