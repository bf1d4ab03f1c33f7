// This file makes authorizer events of every kind, in the form of the literal ones in
// internal/apigw/testdata.

package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"edgeauth/internal/apigw"
)

const (
	host = "abcdef1234.execute-api.eu-west-1.amazonaws.com"
	arn  = "arn:aws:execute-api:eu-west-1:123456789012:abcdef1234/Prod/"
)

// request is a request as a client sends it to the stage Prod.
type request struct {
	kind   apigw.Kind // "": REST
	method string     // "": GET
	path   string     // below the stage; "": /page
	query  string
	header [][2]string
}

// with returns r with one more header.
func (r request) with(name, value string) request {
	r.header = append(r.header[:len(r.header):len(r.header)], [2]string{name, value})
	return r
}

// event returns the authorizer's event for r. Headers that have nothing to do with a decision make
// it as large as a browser's.
func (r request) event(t testing.TB) []byte {
	t.Helper()
	r.kind = cmp.Or(r.kind, apigw.REST)
	r.method, r.path = cmp.Or(r.method, "GET"), cmp.Or(r.path, "/page")
	var e any
	switch r.kind {
	case apigw.REST, apigw.HTTP1:
		e = r.payload1(t)
	case apigw.HTTP2:
		e = r.payload2()
	case apigw.WebSocket:
		e = r.handshake()
	}
	b, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// arn is the ARN of what r asks for.
func (r request) arn() string {
	if r.kind == apigw.WebSocket {
		return arn + "$connect"
	}
	return arn + cmp.Or(r.method, "GET") + cmp.Or(r.path, "/page")
}

type object = map[string]any

func (r request) payload1(t testing.TB) object {
	query, err := url.ParseQuery(r.query)
	if err != nil {
		t.Fatal(err)
	}
	single, many := r.headers()
	e := object{
		"type": "REQUEST", "methodArn": arn + r.method + r.path, "resource": "/{proxy+}", "path": r.path, "httpMethod": r.method,
		"headers": single, "multiValueHeaders": many, "multiValueQueryStringParameters": query,
		"pathParameters": object{"proxy": strings.TrimPrefix(r.path, "/")}, "stageVariables": nil,
		"requestContext": object{
			"resourceId": "05c7jb", "authorizer": object{"sub": "mallory"}, "apiId": "abcdef1234", "accountId": "123456789012", "stage": "Prod",
			"path": "/Prod" + r.path, "httpMethod": r.method, "domainName": host, "requestId": "r-1", "extendedRequestId": "x-1",
			"identity": object{"sourceIp": "192.0.2.1", "userAgent": browserAgent},
		},
	}
	if r.path == "/" {
		e["resource"], e["pathParameters"] = "/", nil
	}
	if r.kind == apigw.HTTP1 {
		e["version"], e["identitySource"] = "1.0", ""
	}
	return e
}

func (r request) payload2() object {
	single, many := r.headers()
	cookies := []string{}
	for _, c := range many["cookie"] {
		cookies = append(cookies, strings.Split(c, "; ")...)
	}
	delete(single, "cookie")
	return object{
		"version": "2.0", "type": "REQUEST", "routeArn": arn + r.method + r.path, "routeKey": "ANY /{proxy+}", "identitySource": []string{},
		"rawPath": "/Prod" + r.path, "rawQueryString": r.query, "cookies": cookies, "headers": single,
		"pathParameters": object{"proxy": strings.TrimPrefix(r.path, "/")},
		"requestContext": object{
			"accountId": "123456789012", "apiId": "abcdef1234", "domainName": host, "domainPrefix": "abcdef1234", "requestId": "x-1",
			"routeKey": "ANY /{proxy+}", "stage": "Prod", "timeEpoch": 1583348638390,
			"http": object{"method": r.method, "path": "/Prod" + r.path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": browserAgent},
		},
	}
}

func (r request) handshake() object {
	single, many := r.headers()
	return object{
		"type": "REQUEST", "methodArn": arn + "$connect", "headers": single, "multiValueHeaders": many,
		"requestContext": object{
			"routeKey": "$connect", "eventType": "CONNECT", "extendedRequestId": "x-1", "requestId": "r-1", "messageDirection": "IN", "stage": "Prod",
			"connectedAt": 1583348638390, "domainName": host, "connectionId": "c-1", "apiId": "abcdef1234", "identity": object{"sourceIp": "192.0.2.1"},
		},
	}
}

// headers returns r's headers in both forms.
func (r request) headers() (single map[string]string, many map[string][]string) {
	single, many = map[string]string{}, map[string][]string{}
	for _, h := range append(r.header, ordinary...) {
		name := h[0]
		if r.kind == apigw.HTTP2 {
			name = strings.ToLower(name)
		}
		single[name] = h[1]
		many[name] = append(many[name], h[1])
	}
	return single, many
}

const browserAgent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"

// ordinary are headers that a browser, and the gateway in front, send with every request.
var ordinary = [][2]string{
	{"Accept-Encoding", "gzip, deflate, br, zstd"},
	{"Accept-Language", "en-GB,en;q=0.9,de;q=0.8"},
	{"CloudFront-Forwarded-Proto", "https"},
	{"CloudFront-Is-Desktop-Viewer", "true"},
	{"CloudFront-Is-Mobile-Viewer", "false"},
	{"CloudFront-Viewer-ASN", "3320"},
	{"CloudFront-Viewer-Country", "DE"},
	{"Host", "evil.example"},
	{"Referer", "https://" + host + "/Prod/"},
	{"sec-ch-ua", `"Chromium";v="142", "Google Chrome";v="142", "Not_A Brand";v="99"`},
	{"sec-ch-ua-mobile", "?0"},
	{"sec-ch-ua-platform", `"Linux"`},
	{"upgrade-insecure-requests", "1"},
	{"User-Agent", browserAgent},
	{"Via", "2.0 2f1a9c0d4e5b6a7c8d9e0f1a2b3c4d5e.cloudfront.net (CloudFront)"},
	{"X-Amz-Cf-Id", "k3y0Yd5n8vQbJ1mX7cZ2pL4rT6wA9sD0fG1hK2jL3zX4cV5bN6mQ=="},
	{"X-Amzn-Trace-Id", "Root=1-67405f1e-0a1b2c3d4e5f60718293a4b5"},
	{"X-Forwarded-For", "192.0.2.1, 198.51.100.7"},
	{"X-Forwarded-Host", "evil.example"},
	{"X-Forwarded-Port", "443"},
	{"X-Forwarded-Proto", "https"},
}

// answer is what API Gateway makes of an authorizer's result.
type answer struct {
	PrincipalID    string
	PolicyDocument struct {
		Version   string
		Statement []struct {
			Action, Effect string
			Resource       []string
		}
	}
	IsAuthorized *bool
	Context      map[string]string
}

func decode(t testing.TB, b []byte) (a answer) {
	t.Helper()
	if err := json.Unmarshal(b, &a); err != nil {
		t.Fatalf("%s: %v", b, err)
	}
	return a
}

// allows evaluates the answer for one ARN as API Gateway does; documents hold a star at the end
// only.
func (a answer) allows(arn string) bool {
	if a.IsAuthorized != nil {
		return *a.IsAuthorized
	}
	allow := false
	for _, s := range a.PolicyDocument.Statement {
		for _, r := range s.Resource {
			start, star := strings.CutSuffix(r, "*")
			if r == arn || star && strings.HasPrefix(arn, start) {
				if s.Effect != "Allow" {
					return false
				}
				allow = true
			}
		}
	}
	return allow
}

// policy writes the policy document in short: Allow and Deny with what follows the API's ARN.
func (a answer) policy(t testing.TB) string {
	t.Helper()
	var parts []string
	for _, s := range a.PolicyDocument.Statement {
		part := s.Effect
		for _, r := range s.Resource {
			suffix, ok := strings.CutPrefix(r, arn)
			if !ok || s.Action != "execute-api:Invoke" {
				t.Errorf("%s on %s is not on this API", s.Action, r)
			}
			part += " " + suffix
		}
		parts = append(parts, part)
	}
	if a.IsAuthorized != nil {
		parts = append(parts, fmt.Sprint(*a.IsAuthorized))
	}
	return strings.Join(parts, "; ")
}
