// Events in, responses out: what API Gateway sends for a page, and what it gets back.
package main

import (
	"encoding/base64"
	"encoding/json"
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"edgeauth/identity"
	"edgeauth/internal/apigw"
)

// event is what a REST API sends for GET /Prod/reports/2026?quarter=4&tag=a&tag=b%2Fc, with the authorizer's context to fill in:
// https://docs.aws.amazon.com/lambda/latest/dg/services-apigateway.html
const event = `{
  "resource": "/{proxy+}", "path": "/reports/a%20b", "httpMethod": "GET",
  "headers": {"Host": "abc123.execute-api.eu-west-1.amazonaws.com", "Accept": "text/html"},
  "multiValueHeaders": {"Host": ["abc123.execute-api.eu-west-1.amazonaws.com"], "Accept": ["text/html"]},
  "queryStringParameters": {"quarter": "4", "tag": "b/c"},
  "multiValueQueryStringParameters": {"quarter": ["4"], "tag": ["a", "b/c"]},
  "pathParameters": {"proxy": "reports/a%20b"}, "stageVariables": null,
  "requestContext": {
    "resourceId": "res1", "resourcePath": "/{proxy+}", "httpMethod": "GET", "extendedRequestId": "AaBbCcDdEeFf012=",
    "requestTime": "22/Nov/2026:15:04:00 +0000", "path": "/Prod/reports/a%20b", "accountId": "123456789012", "protocol": "HTTP/1.1",
    "stage": "Prod", "domainPrefix": "abc123", "domainName": "abc123.execute-api.eu-west-1.amazonaws.com", "requestTimeEpoch": 1795359840000,
    "requestId": "5f1e6f4a-0000-4000-8000-000000000000", "identity": {"sourceIp": "192.0.2.1", "userAgent": "test"}, "apiId": "abc123",
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
		"identity":    base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"1f6a4c1e","claims":{"custom:plan":"gold","level":3}}`)),
		"principalId": "1f6a4c1e", "integrationLatency": 5, "location": "", "reason": "ok",
	}
}

type response struct {
	StatusCode        int
	MultiValueHeaders http.Header
	Headers           map[string]string
	Body              string
	IsBase64Encoded   bool
}

func (r response) header(name string) string {
	if v := r.MultiValueHeaders.Get(name); v != "" {
		return v
	}
	return r.Headers[name]
}

// invoke answers the event, changed by pairs of old and new text, with the given context.
func invoke(t *testing.T, authorizer map[string]any, changes ...string) response {
	t.Helper()
	return invokeWith(t, nil, authorizer, changes...)
}

// invokeWith does so in an environment.
func invokeWith(t *testing.T, environment map[string]string, authorizer map[string]any, changes ...string) response {
	t.Helper()
	lookup := func(name string) (string, bool) { v, ok := environment[name]; return v, ok }
	context, err := json.Marshal(authorizer)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer(append(changes, "AUTHORIZER", string(context))...).Replace(event)
	out, err := apigw.Proxy(handler(func() time.Time { return now }, lookup), identity.NewContext).Invoke(t.Context(), []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var r response
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatal(err)
	}
	if r.IsBase64Encoded {
		t.Error("text went out as base64")
	}
	return r
}

func TestPageShowsTheIdentity(t *testing.T) {
	r := invoke(t, alice())
	if r.StatusCode != http.StatusOK || r.header("Content-Type") != "text/html; charset=utf-8" {
		t.Fatalf("status %d, type %q", r.StatusCode, r.header("Content-Type"))
	}
	for _, want := range []string{
		`<html lang="en"`,
		`<h1 id="who">alice@<wbr>example.com</h1>`,
		`<li>admins</li><li>treasury</li>`,
		`<p class="figure" id="left">57 minutes</p>`,
		`<dt id="verb">Ends</dt><dd><time id="ends" datetime="2026-11-22T16:01:00Z">22 Nov 2026, 16:01 UTC</time>`,
		`<li class="begun"><b>Signed in</b> <time datetime="2026-11-22T15:01:00Z">22 Nov 2026, 15:01 UTC</time>`,
		`<code id="path">/Prod/reports/a%20b</code>`,
		`<th scope="row">quarter</th><td>4</td>`,
		`<th scope="row">tag</th><td>a</td></tr><tr><th scope="row">tag</th><td>b/c</td>`,
		`<form method="post" action="/Prod/auth/logout">`,
		`<a href="/Prod/api/me">`,
		`AaBbCcDdEeFf012=`,
	} {
		if !strings.Contains(r.Body, want) {
			t.Errorf("the page does not hold %s", want)
		}
	}
	for key, value := range map[string]string{
		"sub": "1f6a4c1e", "username": "al", "email": "alice@example.com", "groups": "admins treasury", "token_use": "id", "client_id": "client1",
		"iss": "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Pool", "exp": "1795363260 (22 Nov 2026, 16:01 UTC)",
		"auth_time": "1795359660 (22 Nov 2026, 15:01 UTC)", "custom:plan": "gold", "level": "3", "scope": "<i>empty</i>",
	} {
		if want := `<th role="rowheader" scope="row">` + key + `</th><td role="cell">` + value + `</td>`; !strings.Contains(r.Body, want) {
			t.Errorf("the table does not hold %s", want)
		}
	}
}

func TestPageAtACustomDomainName(t *testing.T) {
	r := invoke(t, alice(), `"path": "/Prod/reports/a%20b"`, `"path": "/reports/a%20b"`)
	if !strings.Contains(r.Body, `action="/auth/logout"`) || !strings.Contains(r.Body, `href="/api/me"`) {
		t.Error("links do not follow the base path")
	}
}

func TestElsewhereIsNothing(t *testing.T) {
	for path, status := range map[string]int{"/reports": 200, "/reports/2026/4": 200, "/admin/users": 200, "/report": 404, "/favicon.ico": 404, "/x/reports": 404, "/Reports": 404} {
		r := invoke(t, alice(), `"path": "/reports/a%20b"`, `"path": "`+path+`"`, `"path": "/Prod/reports/a%20b"`, `"path": "/Prod`+path+`"`,
			`{"proxy": "reports/a%20b"}`, `{"proxy": "`+path[1:]+`"}`)
		if r.StatusCode != status || strings.Contains(r.Body, "There is nothing at this address.") != (status == 404) {
			t.Errorf("%s: %d", path, r.StatusCode)
		}
		if got := r.MultiValueHeaders["Strict-Transport-Security"]; len(got) != 1 || got[0] != "max-age=31536000" {
			t.Errorf("%s: HSTS is %q", path, got)
		}
	}
}

func TestPageTellsOverviewFromOtherPages(t *testing.T) {
	overview := invoke(t, alice(), `"resource": "/{proxy+}", "path": "/reports/a%20b"`, `"resource": "/", "path": "/"`,
		`"path": "/Prod/reports/a%20b"`, `"path": "/Prod/"`, `"resourcePath": "/{proxy+}"`, `"resourcePath": "/"`, `{"proxy": "reports/a%20b"}`, `null`)
	if !strings.Contains(overview.Body, "<title>Your session · edgeauth</title>") {
		t.Error("the overview has another title")
	}
	if strings.Contains(overview.Body, ">Overview</a>") {
		t.Error("the overview leads to itself")
	}
	if !strings.Contains(invoke(t, alice()).Body, `<a href="/Prod/">Overview</a>`) {
		t.Error("a page below does not lead to the overview")
	}
}

// A hostile name must stay text, wherever the page repeats it.
func TestPageEscapesIdentities(t *testing.T) {
	const hostile = `"'><script>alert(1)</script></style><img src=x onerror=alert(1)>`
	tags := func(body string) int { return strings.Count(body, "<") - strings.Count(body, "<wbr>") }
	clean := tags(invoke(t, alice()).Body)
	for _, key := range []string{"sub", "iss", "username", "email", "client_id"} {
		authorizer := alice()
		authorizer[key] = hostile
		body := invoke(t, authorizer).Body
		if got := tags(body); got != clean {
			t.Errorf("%s: %d tags open, want %d as for a plain name", key, got, clean)
		}
		if !strings.Contains(html.UnescapeString(body), hostile) {
			t.Errorf("%s is not shown", key)
		}
	}
	authorizer := alice()
	authorizer["groups"] = "admins </style><script>"
	if got := tags(invoke(t, authorizer).Body); got != clean {
		t.Errorf("groups: %d tags open, want %d", got, clean)
	}
	authorizer = alice()
	authorizer["identity"] = base64.RawURLEncoding.EncodeToString([]byte(`{"claims":{"<script>":"</script><script>","level":{"<b>":"</b>"}}}`))
	if got := tags(invoke(t, authorizer).Body); got != clean {
		t.Errorf("claims: %d tags open, want %d", got, clean)
	}
	if got := tags(invoke(t, alice(), `["a", "b/c"]`, `["<script>", "\"><b>"]`).Body); got != clean {
		t.Errorf("query: %d tags open, want %d", got, clean)
	}
}

func TestPageNeedsAnIdentity(t *testing.T) {
	incomplete := alice()
	delete(incomplete, "sub")
	for name, authorizer := range map[string]map[string]any{"none": nil, "empty": {}, "incomplete": incomplete} {
		r := invoke(t, authorizer)
		if r.StatusCode != http.StatusUnauthorized || r.header("Content-Type") != "application/json" {
			t.Errorf("%s: status %d, type %q, want 401 as JSON", name, r.StatusCode, r.header("Content-Type"))
		}
	}
}

func TestPageIsReadOnly(t *testing.T) {
	r := invoke(t, alice(), `"httpMethod": "GET"`, `"httpMethod": "POST"`)
	if r.StatusCode != http.StatusMethodNotAllowed || r.header("Allow") != "GET, HEAD" {
		t.Errorf("POST: status %d, allow %q", r.StatusCode, r.header("Allow"))
	}
	if r := invoke(t, alice(), `"httpMethod": "GET"`, `"httpMethod": "HEAD"`); r.StatusCode != http.StatusOK {
		t.Errorf("HEAD: status %d", r.StatusCode)
	}
}

func TestPageIsLockedDown(t *testing.T) {
	for name, r := range map[string]response{"page": invoke(t, alice()), "refusal": invoke(t, alice(), `"httpMethod": "GET"`, `"httpMethod": "POST"`)} {
		for header, want := range map[string]string{
			"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin",
		} {
			if got := r.header(header); got != want {
				t.Errorf("%s: %s is %q, want %q", name, header, got, want)
			}
		}
	}
	r := invoke(t, alice())
	style := regexp.MustCompile(`(?s)<style>(.*)</style>`).FindStringSubmatch(r.Body)
	script := regexp.MustCompile(`(?s)<script type="module">(.*)</script>`).FindStringSubmatch(r.Body)
	if style == nil || script == nil {
		t.Fatal("the page has no style or no script")
	}
	want := "default-src 'none'; style-src " + digest(style[1]) + "; script-src 'self' " + digest(script[1]) +
		"; connect-src 'self'; img-src data:; base-uri 'none'; frame-ancestors 'none'"
	if got := r.header("Content-Security-Policy"); got != want {
		t.Errorf("policy %q\n  want %q", got, want)
	}
	if regexp.MustCompile(`(?i)\son\w+=|\sstyle=|javascript:`).MatchString(r.Body) {
		t.Error("the page holds what its own policy forbids")
	}
}

func TestPageAfterTheEnd(t *testing.T) {
	authorizer := alice()
	authorizer["exp"] = "1795359840" // now
	if body := invoke(t, authorizer).Body; !strings.Contains(body, `id="left">Over<`) || !strings.Contains(body, `<dt id="verb">Ended</dt>`) {
		t.Error("an ended session does not look ended")
	}
}

func TestPageWithoutNameGroupsOrSignIn(t *testing.T) {
	authorizer := alice()
	authorizer["email"], authorizer["username"], authorizer["groups"], authorizer["auth_time"] = "", "", "", ""
	body := invoke(t, authorizer).Body
	if !strings.Contains(body, `<h1 id="who">1f6a4c1e</h1>`) || !strings.Contains(body, "In no group") || strings.Contains(body, "<b>Signed in</b>") {
		t.Error("a caller with a subject only is shown wrongly")
	}
}

func TestLeft(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "Over", 0: "Over", time.Second: "under a minute", 59 * time.Second: "under a minute", time.Minute: "1 minute",
		119 * time.Second: "1 minute", 2 * time.Minute: "2 minutes", 119 * time.Minute: "119 minutes", 2 * time.Hour: "2 hours", 49 * time.Hour: "49 hours",
	} {
		if got := left(d); got != want {
			t.Errorf("left(%v) = %q, want %q", d, got, want)
		}
	}
}
