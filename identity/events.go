// This file finds the caller in the events of Lambda functions that are not http.Handlers, one
// function for each kind of API.

package identity

import "github.com/aws/aws-lambda-go/events"

// FromREST returns the caller of a REST API's request, or ErrNone.
func FromREST(e events.APIGatewayProxyRequest) (Identity, error) {
	return FromContext(e.RequestContext.Authorizer)
}

// FromHTTP1 returns the caller of an HTTP API's request with payload 1.0, which has a REST API's
// form, or ErrNone.
func FromHTTP1(e events.APIGatewayProxyRequest) (Identity, error) { return FromREST(e) }

// FromHTTP2 returns the caller of an HTTP API's request with payload 2.0, or ErrNone.
func FromHTTP2(e events.APIGatewayV2HTTPRequest) (Identity, error) {
	if e.RequestContext.Authorizer == nil {
		return Identity{}, ErrNone
	}
	return FromContext(e.RequestContext.Authorizer.Lambda)
}

// FromWebSocket returns the caller of a WebSocket API's request, or ErrNone. The connection was
// authorized once, when it was made: a handler of messages compares Expires with its own clock.
func FromWebSocket(e events.APIGatewayWebsocketProxyRequest) (Identity, error) {
	authorizer, _ := e.RequestContext.Authorizer.(map[string]any)
	return FromContext(authorizer)
}
