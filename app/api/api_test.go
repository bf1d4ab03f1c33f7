// Events in, responses out: what API Gateway sends for a call, and what it gets back.
package main

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"edgeauth/identity"
	"edgeauth/internal/apigw"
)

// event is what a REST API sends for a request without query and body:
// https://docs.aws.amazon.com/lambda/latest/dg/services-apigateway.html
const event = `{
  "resource": "/api/{proxy+}", "path": "PATH", "httpMethod": "METHOD",
  "headers": {"host": "abc123.execute-api.eu-west-1.amazonaws.com"}, "multiValueHeaders": {"host": ["abc123.execute-api.eu-west-1.amazonaws.com"]},
  "queryStringParameters": null, "multiValueQueryStringParameters": null, "pathParameters": {"proxy": "me"}, "stageVariables": null,
  "requestContext": {
    "resourceId": "res1", "resourcePath": "/api/{proxy+}", "httpMethod": "METHOD", "extendedRequestId": "AaBbCcDdEeFf012=",
    "requestTime": "22/Nov/2026:15:04:00 +0000", "path": "/ProdPATH", "accountId": "123456789012", "protocol": "HTTP/1.1",
    "stage": "Prod", "domainPrefix": "abc123", "domainName": "abc123.execute-api.eu-west-1.amazonaws.com", "requestTimeEpoch": 1795359840000,
    "requestId": "5f1e6f4a-0000-4000-8000-000000000000", "identity": {"sourceIp": "192.0.2.1"}, "apiId": "abc123",
    "authorizer": AUTHORIZER
  },
  "body": null, "isBase64Encoded": false
}`

var now = time.Date(2026, 11, 22, 15, 4, 0, 0, time.UTC)

// alice is the authorizer's context for a signed-in user, a map so that a test can change it.
func alice() map[string]any {
	return map[string]any{
		"v": "1", "iss": "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Pool", "sub": "1f6a4c1e", "username": "al", "email": "alice@example.com",
		"groups": "admins treasury", "scope": "", "token_use": "id", "client_id": "client1", "exp": "1795363260", "auth_time": "1795359660",
		"identity":    base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"1f6a4c1e","claims":{"level":3}}`)),
		"principalId": "1f6a4c1e", "integrationLatency": 5, "location": "", "reason": "ok",
	}
}

type response struct {
	StatusCode        int
	MultiValueHeaders http.Header
	Headers           map[string]string
	Body              string
}

func (r response) header(name string) string {
	if v := r.MultiValueHeaders.Get(name); v != "" {
		return v
	}
	return r.Headers[name]
}

// call sends one request, which is answered with JSON whatever the answer is.
func call(t *testing.T, authorizer map[string]any, method, path string) response {
	t.Helper()
	context, err := json.Marshal(authorizer)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer("METHOD", method, "PATH", path, "AUTHORIZER", string(context)).Replace(event)
	out, err := apigw.Proxy(handler(func() time.Time { return now }), identity.NewContext).Invoke(t.Context(), []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var r response
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatal(err)
	}
	for header, want := range map[string]string{"Content-Type": "application/json", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"} {
		if got := r.header(header); got != want {
			t.Errorf("%s %s: %s is %q, want %q", method, path, header, got, want)
		}
	}
	return r
}

func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		method, path string
		status       int
		allow        string
		body         string // "" when it does not matter
	}{
		{"GET", "/api/me", 200, "", `{"sub":"1f6a4c1e","iss":"https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Pool","username":"al",` +
			`"email":"alice@example.com","groups":["admins","treasury"],"scopes":[],"token_use":"id","client_id":"client1","exp":1795363260,` +
			`"expires_in":3420,"auth_time":1795359660,"claims":{"level":3}}`},
		{"HEAD", "/api/me", 200, "", ""},
		{"POST", "/api/me", 405, "GET, HEAD", `{"error":"method_not_allowed"}`},
		{"GET", "/api/hello", 200, "", `{"greeting":"Hello, alice@example.com."}`},
		{"POST", "/api/hello", 200, "", `{"greeting":"Hello to you too, alice@example.com."}`},
		{"DELETE", "/api/hello", 405, "GET, HEAD, POST", `{"error":"method_not_allowed"}`},
		{"GET", "/api/", 404, "", `{"error":"not_found"}`},
		{"GET", "/api/me/", 404, "", `{"error":"not_found"}`},
		{"GET", "/api/other", 404, "", `{"error":"not_found"}`},
		{"GET", "/me", 404, "", `{"error":"not_found"}`},
	} {
		r := call(t, alice(), c.method, c.path)
		if r.StatusCode != c.status || r.header("Allow") != c.allow {
			t.Errorf("%s %s: status %d, allow %q; want %d, %q", c.method, c.path, r.StatusCode, r.header("Allow"), c.status, c.allow)
		}
		if got := strings.TrimSpace(r.Body); c.body != "" && got != c.body {
			t.Errorf("%s %s: %s\n  want %s", c.method, c.path, got, c.body)
		}
	}
}

// Programs get lists as lists, also when there is nothing in them.
func TestMeOfAMachine(t *testing.T) {
	machine := map[string]any{
		"v": "1", "iss": "https://issuer.example", "sub": "client1", "token_use": "access", "client_id": "client1", "exp": "1795363260",
		"username": "", "email": "", "groups": "", "scope": "reports/read reports/write", "auth_time": "",
		"identity": base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"client1"}`)),
	}
	want := `{"sub":"client1","iss":"https://issuer.example","groups":[],"scopes":["reports/read","reports/write"],"token_use":"access",` +
		`"client_id":"client1","exp":1795363260,"expires_in":3420}`
	if got := strings.TrimSpace(call(t, machine, "GET", "/api/me").Body); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := strings.TrimSpace(call(t, machine, "GET", "/api/hello").Body); got != `{"greeting":"Hello, client1."}` {
		t.Errorf("got %s", got)
	}
}

func TestAnswersWantTLSFromThenOn(t *testing.T) {
	if r := call(t, alice(), "GET", "/api/me"); r.header("Strict-Transport-Security") != "max-age=31536000" {
		t.Errorf("Strict-Transport-Security is %q", r.header("Strict-Transport-Security"))
	}
}

func TestEveryRouteNeedsAnIdentity(t *testing.T) {
	incomplete := alice()
	delete(incomplete, "sub")
	for name, authorizer := range map[string]map[string]any{"none": nil, "empty": {}, "incomplete": incomplete} {
		for _, path := range []string{"/api/me", "/api/hello", "/api/other"} {
			if r := call(t, authorizer, "GET", path); r.StatusCode != http.StatusUnauthorized || strings.Contains(r.Body, "alice") {
				t.Errorf("%s at %s: status %d, body %s", name, path, r.StatusCode, r.Body)
			}
		}
	}
}
