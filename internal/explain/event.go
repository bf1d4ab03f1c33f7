package explain

// This file writes the event that API Gateway would send.

import (
	"encoding/json"
	"net/url"
	"strings"

	"edgeauth/internal/apigw"
)

// Request is a request to explain.
type Request struct {
	Kind    apigw.Kind
	Method  string
	Host    string
	Path    string // below the base, with its query
	Stage   string
	Base    string      // where the API is mounted: the stage with its slash, a base path, or ""
	Headers [][2]string // names and values
}

const arnPrefix = "arn:aws:execute-api:eu-west-1:123456789012:explained0/"

// Event is the request as an authorizer gets it.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-input.html
func (r Request) Event() ([]byte, error) {
	path, query, _ := strings.Cut(r.Path, "?")
	if r.Kind == apigw.WebSocket {
		return json.Marshal(map[string]any{
			"type": "REQUEST", "methodArn": arnPrefix + r.Stage + "/" + "$connect",
			"headers": r.single(false), "multiValueHeaders": r.multiple(),
			"requestContext": map[string]any{
				"routeKey": "$connect", "eventType": "CONNECT", "stage": r.Stage, "domainName": r.Host, "requestId": "explain",
			},
		})
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return nil, err
	}
	first := map[string]string{}
	for name := range values {
		first[name] = values.Get(name)
	}
	arn := arnPrefix + r.Stage + "/" + r.Method + path
	if r.Kind == apigw.HTTP2 {
		event := map[string]any{
			"version": "2.0", "type": "REQUEST", "routeArn": arn, "routeKey": "$default", "rawPath": r.Base + path, "rawQueryString": query,
			"headers": r.single(true),
			"requestContext": map[string]any{
				"stage": r.Stage, "domainName": r.Host, "requestId": "explain", "routeKey": "$default",
				"http": map[string]string{"method": r.Method, "path": r.Base + path},
			},
		}
		if cookies := r.cookies(); cookies != nil {
			event["cookies"] = cookies
		}
		return json.Marshal(event)
	}
	event := map[string]any{
		"type": "REQUEST", "methodArn": arn, "resource": "/{proxy+}", "path": path, "httpMethod": r.Method,
		"headers": r.single(false), "queryStringParameters": first, "pathParameters": map[string]string{"proxy": strings.TrimPrefix(path, "/")},
		"requestContext": map[string]any{
			"resourcePath": "/{proxy+}", "httpMethod": r.Method, "path": r.Base + path, "stage": r.Stage, "domainName": r.Host,
			"requestId": "explain", "extendedRequestId": "explain",
		},
	}
	if r.Kind == apigw.HTTP1 {
		event["version"] = "1.0"
	} else {
		event["multiValueHeaders"], event["multiValueQueryStringParameters"] = r.multiple(), values
	}
	return json.Marshal(event)
}

// single has one value a name; payload 2.0 keeps cookies elsewhere.
func (r Request) single(without bool) map[string]string {
	m := map[string]string{}
	for _, h := range r.Headers {
		if name := strings.ToLower(h[0]); !without || name != "cookie" {
			m[name] = h[1]
		}
	}
	return m
}

func (r Request) multiple() map[string][]string {
	m := map[string][]string{}
	for _, h := range r.Headers {
		name := strings.ToLower(h[0])
		m[name] = append(m[name], h[1])
	}
	return m
}

func (r Request) cookies() (list []string) {
	for _, h := range r.Headers {
		if strings.EqualFold(h[0], "Cookie") {
			list = append(list, strings.Split(h[1], "; ")...)
		}
	}
	return list
}
