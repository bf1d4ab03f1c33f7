package gateway

import (
	"context"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"edgeauth/local/runtime"
	"edgeauth/local/sam"
)

const httpARN = "arn:aws:execute-api:eu-west-1:123456789012:local00001/"

// httpAPI makes the API under test an HTTP API with the stage $default.
func httpAPI(change func(*sam.API)) func(*Config) {
	return func(c *Config) {
		api := &c.APIs[0]
		api.Kind, api.Stage, api.URLLimit = sam.HTTP, sam.DefaultStage, 0
		api.Authorizers["Session"] = sam.Authorizer{Function: "Authorizer", Payload: payload2}
		route := func(method, path, authorizer string) sam.Route {
			return sam.Route{Method: method, Path: path, Function: "Backend", Authorizer: authorizer, Timeout: time.Minute, Payload: payload2}
		}
		api.Routes = []sam.Route{
			route("GET", "/", "Session"), route("GET", "/pets/dog/1", "Session"), route("GET", "/pets/dog/{id}", "Session"),
			route("GET", "/pets/{proxy+}", "Session"), route("ANY", "/{proxy+}", "Session"), route("GET", "/public", ""), route("POST", "/public", ""),
		}
		if change != nil {
			change(api)
		}
	}
}

func withDefault(authorizer string) func(*sam.API) {
	return func(a *sam.API) {
		a.Routes = append(a.Routes[:5:5], sam.Route{Path: DefaultRoute, Function: "Backend", Authorizer: authorizer, Timeout: time.Minute, Payload: payload2})
		a.Routes = slices.DeleteFunc(a.Routes, func(r sam.Route) bool { return r.Path == "/{proxy+}" })
	}
}

const exampleHTTP = "POST /a%2Bb//c/?x=1&x=%2F+2&y HTTP/1.1\r\n" +
	"host: localhost:3000\r\n" +
	"User-Agent: test/1.0\r\n" +
	"Cookie: a=1; b=2\r\n" +
	"cookie: c=3\r\n" +
	"tEsT-HEADeR: first\r\n" +
	"tEsT-HEADeR: second \r\n" +
	"X-Forwarded-For: 192.0.2.1\r\n" +
	"Content-Type: text/plain\r\n" +
	"Content-Length: 6\r\n\r\n<body>"

func TestHTTPEvents(t *testing.T) {
	for _, c := range []struct{ payload, context, authorizer, proxy string }{
		{payload2, `{"text":"é","number":1.50,"list":["a"],"map":{"k":true}}`, "http2-authorizer-event.json", "http2-proxy-event.json"},
		{payload1, `{"text":"é"}`, "http1-authorizer-event.json", "http1-proxy-event.json"},
	} {
		r := start(t, httpAPI(func(a *sam.API) {
			a.Variables = map[string]string{"color": "blue"}
			a.Authorizers["Session"] = sam.Authorizer{Function: "Authorizer", Payload: c.payload, Sources: []string{"$request.header.Test-Header", "$context.routeKey"}}
			a.Routes[4].Payload = c.payload
		}))
		r.do["Authorizer"] = answers(verdictOf(c.context))
		r.raw(t, exampleHTTP, "POST")
		wantEvent(t, r.last(t, "Authorizer"), c.authorizer)
		wantEvent(t, r.last(t, "Backend"), c.proxy)
	}
}

func TestHTTPEventsOfABareRequest(t *testing.T) {
	r := start(t, httpAPI(func(a *sam.API) { a.Stage = "dev" }))
	r.send(t, "GET", "/dev")
	wantEvent(t, r.last(t, "Authorizer"), "http2-authorizer-event-bare.json")
	wantEvent(t, r.last(t, "Backend"), "http2-proxy-event-bare.json")
}

func TestHTTPRouting(t *testing.T) {
	for _, c := range []struct {
		method, path, want, parameters string // empty: 404
	}{
		{"GET", "/pets/dog/1", "GET /pets/dog/1", ""},
		{"GET", "/pets/dog/2", "GET /pets/dog/{id}", "id=2"},
		{"GET", "/pets/cat/1", "GET /pets/{proxy+}", "proxy=cat/1"},
		{"POST", "/test/5", "ANY /{proxy+}", "proxy=test/5"},
		{"POST", "/pets/dog/1", "ANY /{proxy+}", "proxy=pets/dog/1"}, // a fitting path with another method stands in nobody's way
		{"GET", "/pets/dog/1/", "GET /pets/{proxy+}", "proxy=dog/1/"},
		{"GET", "/public/", "ANY /{proxy+}", "proxy=public/"},
		{"PUT", "/public", "ANY /{proxy+}", "proxy=public"},
		{"GET", "/Public", "ANY /{proxy+}", "proxy=Public"},
		{"GET", "/pets/", "ANY /{proxy+}", "proxy=pets/"},
		{"GET", "/pets/dog/a%20b", "GET /pets/dog/{id}", "id=a b"},
		{"GET", "/", "GET /", ""},
		{"POST", "/", "", ""}, // a greedy variable is never empty
		{"TRACE", "/x", "", ""},
	} {
		t.Run(c.method+" "+c.path, func(t *testing.T) {
			r := start(t, httpAPI(nil))
			got := r.send(t, c.method, c.path)
			if c.want == "" {
				if got.status != 404 || got.body != `{"message":"Not Found"}` || r.calls("Authorizer")+r.calls("Backend") > 0 {
					t.Errorf("%d %s", got.status, got.body)
				}
				return
			}
			e := decode[struct {
				RouteKey       string
				PathParameters map[string]string
			}](t, r.last(t, "Backend"))
			parameters := ""
			for name, value := range e.PathParameters {
				parameters += name + "=" + value
			}
			if e.RouteKey != c.want || parameters != c.parameters {
				t.Errorf("%s %s, want %s %s", e.RouteKey, parameters, c.want, c.parameters)
			}
		})
	}
}

// Paths of which nobody knows what AWS makes of them never reach a function.
func TestHTTPPathsThatAreRefused(t *testing.T) {
	r := start(t, httpAPI(nil))
	for _, path := range []string{"/a%3Fb", "/a%ff", "/pets/dog%2F1"} {
		if got := r.send(t, "GET", path); got.status != 400 || got.body != `{"message":"Bad Request"}` {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
	}
	if r.calls("Authorizer")+r.calls("Backend") > 0 {
		t.Error("a function was called")
	}
}

func TestHTTPStages(t *testing.T) {
	r := start(t, func(c *Config) {
		httpAPI(nil)(c)
		second := c.APIs[0]
		second.Stage = "dev"
		c.APIs = append(c.APIs, second)
		c.Domains = []sam.Domain{{Name: "app.example.com", Host: domain, Mappings: []sam.Mapping{
			{Path: "v1", API: "local00001", Stage: "dev"}, {Path: "v2/x", API: "local00001", Stage: sam.DefaultStage},
		}}}
	})
	for _, c := range []struct{ host, target, want string }{
		{host, "/a", "$default/GET/a $default /a"},
		{host, "/dev/a", "dev/GET/a dev /dev/a"},
		{host, "/develop", "$default/GET/develop $default /develop"},
		{domain, "/v1/a", "dev/GET/a dev /v1/a"},
		{domain, "/v2/x/a", "$default/GET/a $default /v2/x/a"},
	} {
		r.send(t, "GET", c.target, "Host: "+c.host)
		e := decode[struct {
			RouteARN, RawPath string
			RequestContext    struct {
				Stage string
				HTTP  struct{ Path string }
			}
		}](t, r.last(t, "Authorizer"))
		got := strings.TrimPrefix(e.RouteARN, httpARN) + " " + e.RequestContext.Stage + " " + e.RawPath
		if got != c.want || e.RequestContext.HTTP.Path != e.RawPath {
			t.Errorf("%s%s: %s, want %s", c.host, c.target, got, c.want)
		}
	}
	only := start(t, httpAPI(func(a *sam.API) { a.Stage = "dev" }))
	if got := only.send(t, "GET", "/a"); got.status != 404 || got.body != `{"message":"Not Found"}` {
		t.Errorf("no stage: %d %s", got.status, got.body)
	}
}

func TestHTTPAuthorizerOutcomes(t *testing.T) {
	const (
		unauthorized = `{"message":"Unauthorized"}`
		forbidden    = `{"message":"Forbidden"}`
		failed       = `{"message":"Internal Server Error"}`
	)
	simple := func(a *sam.API) {
		a.Authorizers["Session"] = sam.Authorizer{Function: "Authorizer", Payload: payload2, Simple: true}
	}
	for _, c := range []struct {
		name   string
		change func(*sam.API)
		answer string
		err    error
		status int
		body   string
	}{
		{"allows this very request", nil, verdictOf(`{}`, allow(httpARN+"$default/GET/x")), nil, 200, "hello"},
		{"allows, with a structured context", nil, verdictOf(`{"a":[1],"b":{}}`), nil, 200, "hello"},
		{"denies", nil, verdictOf(`{}`, deny("*")), nil, 403, forbidden},
		{"allows another stage", nil, verdictOf(`{}`, allow(httpARN+"Prod/GET/x")), nil, 403, forbidden},
		{"denies this and allows all", nil, verdictOf(`{}`, allow("*"), deny(httpARN+"$default/*/x")), nil, 403, forbidden},
		{"fails with Unauthorized", nil, "", &runtime.Error{Message: "Unauthorized"}, 500, failed},
		{"fails otherwise", nil, "", &runtime.Error{Message: "cannot tell"}, 500, failed},
		{"takes too long", nil, "", context.DeadlineExceeded, 500, failed},
		{"cannot be called", nil, "", runtime.ErrClosed, 500, failed},
		{"answers nothing", nil, ``, nil, 500, failed},
		{"names no principal", nil, `{"policyDocument":` + policyOf(allow("*")) + `}`, nil, 500, failed},
		{"puts null into the context", nil, verdictOf(`{"a":null}`), nil, 500, failed},
		{"puts claims into the context", nil, verdictOf(`{"claims":"x"}`), nil, 500, failed},
		{"answers simply, which was not agreed", nil, `{"isAuthorized":true}`, nil, 500, failed},
		{"simple: yes", simple, `{"isAuthorized":true,"context":{"a":1}}`, nil, 200, "hello"},
		{"simple: no", simple, `{"isAuthorized":false,"context":{"a":1}}`, nil, 403, forbidden},
		{"simple: a text", simple, `{"isAuthorized":"true"}`, nil, 500, failed},
		{"simple: nothing said", simple, `{"context":{}}`, nil, 500, failed},
		{"simple: null", simple, `{"isAuthorized":null}`, nil, 500, failed},
		{"simple: another member", simple, `{"isAuthorized":true,"principalId":"u"}`, nil, 500, failed},
		{"simple: a policy", simple, verdictOf(`{}`), nil, 500, failed},
		{"payload 1.0 with texts", func(a *sam.API) { a.Routes[4].Payload = payload1 }, verdictOf(`{"a":"1"}`), nil, 200, "hello"},
		{"payload 1.0 with a number", func(a *sam.API) { a.Routes[4].Payload = payload1 }, verdictOf(`{"a":1}`), nil, 500, failed},
		{"an identity source is missing", func(a *sam.API) {
			a.Authorizers["Session"] = sam.Authorizer{Function: "Authorizer", Payload: payload2, Sources: []string{"$request.header.Cookie"}}
		}, verdictOf(`{}`), nil, 401, unauthorized},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := start(t, httpAPI(c.change))
			r.do["Authorizer"] = func(context.Context, string) (string, error) { return c.answer, c.err }
			got := r.send(t, "GET", "/x")
			if got.status != c.status || got.body != c.body {
				t.Errorf("%d %s, want %d %s\nlog: %s", got.status, got.body, c.status, c.body, r.log)
			}
			if passed := r.calls("Backend") > 0; passed != (c.status == 200) {
				t.Errorf("the backend was called: %v", passed)
			}
			if called := r.calls("Authorizer") > 0; called != (c.status != 401) {
				t.Errorf("the authorizer was called: %v", called)
			}
			if got.header.Get("Apigw-Requestid") == "" || got.header.Get("x-amzn-RequestId") != "" {
				t.Errorf("ids in %v", got.header)
			}
		})
	}
}

// What an HTTP API's ARN looks like for $default, or for a path with escapes, is not documented: a policy has to allow every spelling, or the one it was told.
func TestHTTPPoliciesWhereTheARNIsNotDocumented(t *testing.T) {
	for _, c := range []struct {
		name, target string
		change       func(*sam.API)
		statements   []string
		status       int
	}{
		{"$default: everything", "/x", withDefault("Session"), []string{allow("*")}, 200},
		{"$default: what it was told", "/x", withDefault("Session"), []string{allow(httpARN + "$default/$default")}, 200},
		{"$default: the path alone", "/x", withDefault("Session"), []string{allow(httpARN + "$default/GET/x")}, 403},
		{"$default: the path is denied", "/x", withDefault("Session"), []string{allow("*"), deny(httpARN + "$default/GET/x")}, 403},
		{"$default: every method", "/x", withDefault("Session"), []string{allow(httpARN + "$default/GET/*")}, 403},
		{"an escape: everything", "/a%20b", nil, []string{allow("*")}, 200},
		{"an escape: what it was told", "/a%20b", nil, []string{allow(httpARN + "$default/GET/a b")}, 200},
		{"an escape: as it was sent", "/a%20b", nil, []string{allow(httpARN + "$default/GET/a%20b")}, 403},
		{"an escape: denied as it was sent", "/a%20b", nil, []string{allow("*"), deny(httpARN + "$default/GET/a%20b")}, 403},
	} {
		r := start(t, httpAPI(c.change))
		r.do["Authorizer"] = answers(verdictOf(`{}`, c.statements...))
		if got := r.send(t, "GET", c.target); got.status != c.status {
			t.Errorf("%s: %d, want %d", c.name, got.status, c.status)
		}
	}
}

func TestHTTPCache(t *testing.T) {
	r := start(t, httpAPI(func(a *sam.API) {
		a.Authorizers["Session"] = sam.Authorizer{
			Function: "Authorizer", Payload: payload2, Simple: true, TTL: time.Minute, Sources: []string{"$request.header.Cookie", "$request.querystring.q"},
		}
	}))
	r.do["Authorizer"] = answers(`{"isAuthorized":true}`)
	for i, c := range []struct {
		target, cookie string
		status, calls  int
	}{
		{"/a?q=1", "a=1", 200, 1},
		{"/b?q=1", "a=1", 200, 1}, // a simple answer is every route's
		{"/a?q=1", "a=2", 200, 2},
		{"/a?q=2", "a=1", 200, 3},
		{"/a", "a=1", 401, 3},
	} {
		if got := r.send(t, "GET", c.target, "Cookie: "+c.cookie); got.status != c.status || r.calls("Authorizer") != c.calls {
			t.Errorf("%d: status %d after %d calls", i, got.status, r.calls("Authorizer"))
		}
	}
}

func TestHTTPAnswers(t *testing.T) {
	const jsonType = "application/json"
	failed := reply{status: 500, body: `{"message":"Internal Server Error"}`}
	for _, c := range []struct {
		name, payload, answer string
		status                int
		body                  string
		header                http.Header
	}{
		{"inferred: an object", payload2, `{"message":"hi"}`, 200, `{"message":"hi"}`, http.Header{"Content-Type": {jsonType}}},
		{"inferred: a text", payload2, `"Hello \"you\""`, 200, `Hello "you"`, http.Header{"Content-Type": {jsonType}}},
		{"inferred: a list", payload2, `[1,2]`, 200, `[1,2]`, http.Header{"Content-Type": {jsonType}}},
		{"a status alone", payload2, `{"statusCode":201}`, 201, "", http.Header{"Content-Type": {"text/plain;charset=utf-8"}}},
		{
			"cookies", payload2, `{"statusCode":200,"cookies":["a=1; Path=/","b=2"],"headers":{"Content-Type":"text/html","x-a":"1"},"body":"<p>"}`, 200, "<p>",
			http.Header{"Set-Cookie": {"a=1; Path=/", "b=2"}, "Content-Type": {"text/html"}, "X-A": {"1"}},
		},
		{"base64, whatever the client accepts", payload2, `{"statusCode":200,"body":"aGk=","isBase64Encoded":true}`, 200, "hi", nil},
		{"a header of its own kind", payload2, `{"statusCode":401,"headers":{"WWW-Authenticate":"Bearer","Connection":"x"}}`, 401, "", http.Header{"Www-Authenticate": {"Bearer"}, "Connection": nil}},
		{"no content", payload2, `{"statusCode":204,"body":"x"}`, 204, "", nil},
		{"payload 1.0", payload1, `{"statusCode":200,"multiValueHeaders":{"Set-Cookie":["a=1","b=2"]},"body":"x"}`, 200, "x", http.Header{"Set-Cookie": {"a=1", "b=2"}}},

		{"not JSON", payload2, `hello`, failed.status, failed.body, nil},
		{"a status that is a text", payload2, `{"statusCode":"200"}`, failed.status, failed.body, nil},
		{"multi-value headers", payload2, `{"statusCode":200,"multiValueHeaders":{}}`, failed.status, failed.body, nil},
		{"cookies that are a text", payload2, `{"statusCode":200,"cookies":"a=1"}`, failed.status, failed.body, nil},
		{"a cookie of two lines", payload2, `{"statusCode":200,"cookies":["a=1\r\nX: y"]}`, failed.status, failed.body, nil},
		{"base64 that is none", payload2, `{"statusCode":200,"body":"?","isBase64Encoded":true}`, failed.status, failed.body, nil},
		{"payload 1.0 infers nothing", payload1, `{"message":"hi"}`, failed.status, failed.body, nil},
		{"payload 1.0 has no cookies", payload1, `{"statusCode":200,"cookies":[]}`, failed.status, failed.body, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := start(t, httpAPI(func(a *sam.API) { a.Routes[5].Payload = c.payload }))
			r.do["Backend"] = answers(c.answer)
			got := r.send(t, "GET", "/public")
			if got.status != c.status || got.body != c.body {
				t.Errorf("%d %q, want %d %q", got.status, got.body, c.status, c.body)
			}
			for name, want := range c.header {
				if values := got.header.Values(name); !slices.Equal(values, want) {
					t.Errorf("%s: %q, want %q", name, values, want)
				}
			}
		})
	}
}

func TestHTTPFailures(t *testing.T) {
	for _, c := range []struct {
		name   string
		err    error
		status int
		body   string
	}{
		{"the function fails", &runtime.Error{Message: "secret"}, 500, `{"message":"Internal Server Error"}`},
		{"it cannot be called", runtime.ErrClosed, 500, `{"message":"Internal Server Error"}`},
		{"it takes too long", context.DeadlineExceeded, 503, `{"message":"Service Unavailable"}`},
		{"the event is too large for it", runtime.ErrTooLarge, 413, `{"message":"Request Entity Too Large"}`},
	} {
		r := start(t, httpAPI(nil))
		r.do["Backend"] = fails(c.err)
		if got := r.send(t, "GET", "/public"); got.status != c.status || got.body != c.body {
			t.Errorf("%s: %d %s", c.name, got.status, got.body)
		}
	}
}

func TestHTTPBodies(t *testing.T) {
	r := start(t, httpAPI(nil))
	for contentType, want := range map[string]string{
		"text/plain": `"body":"é","isBase64Encoded":false`, "Application/JSON; charset=utf-8": `"body":"é","isBase64Encoded":false`,
		"application/x-www-form-urlencoded": `"body":"w6k=","isBase64Encoded":true`, "image/png": `"body":"w6k=","isBase64Encoded":true`,
	} {
		r.sendBody(t, "POST", "/public", "é", "Content-Type: "+contentType)
		if event := r.last(t, "Backend"); !strings.Contains(event, want) {
			t.Errorf("%s: %s", contentType, event)
		}
	}
}

// The request line counts, unlike in a REST API.
func TestHTTPHeaderLimit(t *testing.T) {
	r := start(t, httpAPI(nil))
	room := 10240 - len("GET /public HTTP/1.1") - len(host)
	for size, want := range map[int]int{room: 200, room + 1: 431} {
		if got := r.send(t, "GET", "/public", "A: "+strings.Repeat("x", size)); got.status != want {
			t.Errorf("%d bytes: %d, want %d", size, got.status, want)
		}
	}
}

func TestHTTPMethodIsNotOverridden(t *testing.T) {
	r := start(t, httpAPI(nil))
	r.send(t, "GET", "/x", "X-HTTP-Method-Override: DELETE")
	if event := r.last(t, "Backend"); !strings.Contains(event, `"method":"GET"`) {
		t.Errorf("event %s", event)
	}
}

func TestHTTPCORS(t *testing.T) {
	cors := func(more func(*sam.API)) func(*sam.API) {
		return func(a *sam.API) {
			a.CORS = &sam.CORS{
				Origins: []string{"https://app.example", "http://*"}, Methods: []string{"GET", "POST"}, Headers: []string{"x-a"}, Expose: []string{"x-b"}, MaxAge: 60,
				Credentials: true,
			}
			if more != nil {
				more(a)
			}
		}
	}
	asks := "Access-Control-Request-Method: GET"
	type headers map[string]string
	full := headers{"Origin": "https://app.example", "Methods": "GET,POST", "Headers": "x-a"}
	for _, c := range []struct {
		name, method, target string
		change               func(*sam.API)
		lines                []string
		status               int
		want                 headers // Access-Control-Allow-…
	}{
		{"a preflight of a public route", "OPTIONS", "/public", cors(nil), []string{"Origin: https://app.example", asks}, 401, nil}, // ANY /{proxy+} takes it
		{"a preflight that no route takes", "OPTIONS", "/public", cors(dropGreedy), []string{"Origin: https://app.example", asks}, 204, full},
		{"of any http origin", "OPTIONS", "/public", cors(dropGreedy), []string{"Origin: http://a.example", asks}, 204, headers{"Origin": "http://a.example", "Methods": "GET,POST", "Headers": "x-a"}},
		{"of another origin", "OPTIONS", "/public", cors(dropGreedy), []string{"Origin: https://evil.example", asks}, 204, headers{}},
		{"of an origin that only begins alike", "OPTIONS", "/public", cors(dropGreedy), []string{"Origin: https://app.example.evil", asks}, 204, headers{}},
		{"no preflight", "OPTIONS", "/public", cors(dropGreedy), []string{"Origin: https://app.example"}, 404, headers{}},
		{"a preflight that $default takes, public", "OPTIONS", "/x", cors(withDefault("")), []string{"Origin: https://app.example", asks}, 204, full},
		{"a preflight that $default takes", "OPTIONS", "/x", cors(withDefault("Session")), []string{"Origin: https://app.example", asks}, 401, headers{}},
		{"an answer", "GET", "/public", cors(nil), []string{"Origin: https://app.example"}, 200, headers{"Origin": "https://app.example"}},
		{"an answer to nobody else", "GET", "/public", cors(nil), []string{"Origin: https://evil.example"}, 200, headers{}},
		{"a refusal carries no CORS headers", "GET", "/x", cors(nil), []string{"Origin: https://app.example"}, 401, headers{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := start(t, httpAPI(func(a *sam.API) {
				c.change(a)
				a.Authorizers["Session"] = sam.Authorizer{Function: "Authorizer", Payload: payload2, Sources: []string{"$request.header.Cookie"}}
			}))
			r.do["Backend"] = answers(`{"statusCode":200,"headers":{"access-control-allow-origin":"*","access-control-allow-methods":"*"}}`)
			got := r.send(t, c.method, c.target, c.lines...)
			if got.status != c.status {
				t.Fatalf("%d %s", got.status, got.body)
			}
			allowed := headers{}
			for _, name := range []string{"Origin", "Methods", "Headers"} {
				if v := got.header.Get("Access-Control-Allow-" + name); v != "" {
					allowed[name] = v
				}
			}
			if c.want != nil && !reflect.DeepEqual(allowed, c.want) {
				t.Errorf("%v, want %v", allowed, c.want)
			}
			if yes := got.header.Get("Access-Control-Allow-Credentials") == "true"; yes != (c.want["Origin"] != "") {
				t.Errorf("credentials: %v", yes)
			}
			if exposed := got.header.Get("Access-Control-Expose-Headers") != ""; exposed != (c.method == "GET" && c.want["Origin"] != "") {
				t.Errorf("exposed: %v", exposed)
			}
		})
	}
}

func dropGreedy(a *sam.API) {
	a.Routes = slices.DeleteFunc(a.Routes, func(r sam.Route) bool { return r.Path == "/{proxy+}" })
}

func TestHTTPConfigurationsThatAreRefused(t *testing.T) {
	sources := func(ttl time.Duration, sources ...string) func(*sam.API) {
		return func(a *sam.API) {
			a.Authorizers["Session"] = sam.Authorizer{Function: "Authorizer", Payload: payload2, TTL: ttl, Sources: sources}
		}
	}
	for _, c := range []struct {
		name   string
		change func(*sam.API)
		want   string
	}{
		{"a source of REST APIs", sources(0, "method.request.header.Cookie"), "method.request.header.Cookie is not modelled"},
		{"a source of the path", sources(0, "$request.path.id"), "cannot be an identity source"},
		{"a source of the authorizer", sources(0, "$context.authorizer.x"), "cannot be an identity source"},
		{"a source that is not there", sources(0, "$stageVariables.x"), "$stageVariables.x is not modelled"},
		{"a cache without a key", sources(time.Minute), "a cache needs identity sources"},
		{"credentials for everybody", func(a *sam.API) { a.CORS = &sam.CORS{Origins: []string{"*"}, Credentials: true} }, "credentials are not allowed for every origin"},
		{"a pattern of origins", func(a *sam.API) { a.CORS = &sam.CORS{Origins: []string{"https://*.example.com"}} }, "https://*.example.com is not modelled"},
		{"no origins", func(a *sam.API) { a.CORS = &sam.CORS{} }, "no origins"},
	} {
		if _, _, _, err := build(t, httpAPI(c.change)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %s", c.name, err, c.want)
		}
	}
}
