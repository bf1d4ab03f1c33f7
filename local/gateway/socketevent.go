package gateway

// This file writes the events that functions of a WebSocket API get.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-lambda-auth.html
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-mapping-template-reference.html

import (
	"maps"
	"strings"

	"edgeauth/local/sam"

	"github.com/coder/websocket"
)

// socketEvent is the event of a handshake, of a message, and of an end.
type socketEvent struct {
	Type              string              `json:"type,omitempty"`      // an authorizer's
	MethodARN         string              `json:"methodArn,omitempty"` // an authorizer's
	Headers           map[string]string   `json:"headers,omitempty"`
	MultiValueHeaders map[string][]string `json:"multiValueHeaders,omitempty"`
	Query             map[string]string   `json:"queryStringParameters,omitempty"`
	MultiValueQuery   map[string][]string `json:"multiValueQueryStringParameters,omitempty"`
	StageVariables    *map[string]string  `json:"stageVariables,omitempty"`
	RequestContext    socketContext       `json:"requestContext"`
	Body              *string             `json:"body,omitempty"`
	IsBase64Encoded   *bool               `json:"isBase64Encoded,omitempty"`
}

type socketContext struct {
	RouteKey             string         `json:"routeKey"`
	Authorizer           map[string]any `json:"authorizer,omitempty"`
	MessageID            string         `json:"messageId,omitempty"`
	DisconnectStatusCode int            `json:"disconnectStatusCode,omitempty"`
	DisconnectReason     string         `json:"disconnectReason,omitempty"`
	EventType            string         `json:"eventType"`
	ExtendedRequestID    string         `json:"extendedRequestId"`
	RequestTime          string         `json:"requestTime"`
	MessageDirection     string         `json:"messageDirection"`
	Stage                string         `json:"stage"`
	ConnectedAt          int64          `json:"connectedAt"`
	RequestTimeEpoch     int64          `json:"requestTimeEpoch"`
	Identity             socketIdentity `json:"identity"`
	RequestID            string         `json:"requestId"`
	DomainName           string         `json:"domainName"`
	ConnectionID         string         `json:"connectionId"`
	APIID                string         `json:"apiId"`
}

type socketIdentity struct {
	SourceIP  string `json:"sourceIp"`
	UserAgent string `json:"userAgent,omitempty"`
}

func (g *gate) socketContext(s *socket, route, event, id string) socketContext {
	now := g.now()
	c := socketContext{
		RouteKey: route, EventType: event, ExtendedRequestID: id, RequestTime: now.UTC().Format(timeFormat), MessageDirection: "IN", Stage: g.api.Stage,
		ConnectedAt: s.connectedAt.UnixMilli(), RequestTimeEpoch: now.UnixMilli(), Identity: socketIdentity{s.sourceIP, s.userAgent}, RequestID: id,
		DomainName: s.host, ConnectionID: s.id, APIID: g.api.ID,
	}
	if s.authorizer != nil {
		c.Authorizer = maps.Clone(s.authorizer)
	}
	return c
}

// handshake are the headers that the upgrade itself has. An authorizer sees them all, a function those that are about no connection.
var handshake = []string{"Connection", "Upgrade", "Content-Length"}

func (g *gate) socketAuthorizerEvent(q *request) []byte {
	for _, name := range handshake {
		if values := q.raw.Header[name]; len(values) > 0 {
			q.fields = append(q.fields, field{name, strings.Join(values, ",")})
		}
	}
	headers, all := q.headerMaps()
	return encode(socketEvent{
		Type: "REQUEST", MethodARN: g.arns(q)[0], Headers: headers, MultiValueHeaders: all, Query: last(q.query), MultiValueQuery: q.query,
		StageVariables: &g.api.Variables, RequestContext: g.socketContext(q.socket, connectRoute, "CONNECT", q.extID),
	})
}

func (g *gate) connectEvent(q *request) []byte {
	headers, all := q.headerMaps()
	for _, name := range handshake {
		delete(headers, name)
		delete(all, name)
	}
	e := socketEvent{
		Headers: headers, MultiValueHeaders: all, Query: last(q.query), MultiValueQuery: q.query,
		RequestContext: g.socketContext(q.socket, connectRoute, "CONNECT", q.extID), IsBase64Encoded: new(bool),
	}
	return encode(g.withVariables(e))
}

func (g *gate) messageEvent(s *socket, r *sam.Route, id string, message []byte) []byte {
	body := string(message)
	e := socketEvent{RequestContext: g.socketContext(s, r.Path, "MESSAGE", id), Body: &body, IsBase64Encoded: new(bool)}
	e.RequestContext.MessageID = newExtendedID()
	return encode(g.withVariables(e))
}

func (g *gate) disconnectEvent(s *socket, closed websocket.CloseError) []byte {
	e := socketEvent{
		Headers: map[string]string{"Host": s.host}, MultiValueHeaders: map[string][]string{"Host": {s.host}},
		RequestContext: g.socketContext(s, disconnectRoute, "DISCONNECT", newExtendedID()), IsBase64Encoded: new(bool),
	}
	e.RequestContext.DisconnectStatusCode, e.RequestContext.DisconnectReason = int(closed.Code), closed.Reason
	return encode(g.withVariables(e))
}

func (g *gate) withVariables(e socketEvent) socketEvent {
	if len(g.api.Variables) > 0 {
		e.StageVariables = &g.api.Variables
	}
	return e
}
