package gateway

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"edgeauth/local/runtime"
	"edgeauth/local/sam"
)

const host = "localhost:3000"

var clock = time.Date(2026, 1, 2, 3, 4, 5, 678_000_000, time.UTC)

// functions are what stands behind a gateway under test. Each gets the event and answers with JSON.
type functions struct {
	mu     sync.Mutex
	events map[string][]string // raw, by function
	do     map[string]func(ctx context.Context, event string) (string, error)
}

func (f *functions) Invoke(ctx context.Context, function string, payload []byte) ([]byte, error) {
	f.mu.Lock()
	f.events[function] = append(f.events[function], string(payload))
	do := f.do[function]
	f.mu.Unlock()
	answer, err := do(ctx, string(payload))
	return []byte(answer), err
}

func (f *functions) calls(function string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.events[function])
}

func (f *functions) last(t *testing.T, function string) string {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	all := f.events[function]
	if len(all) == 0 {
		t.Fatalf("%s was not called", function)
	}
	return all[len(all)-1]
}

func answers(text string) func(context.Context, string) (string, error) {
	return func(context.Context, string) (string, error) { return text, nil }
}

func fails(err error) func(context.Context, string) (string, error) {
	return func(context.Context, string) (string, error) { return "", err }
}

// verdictOf is an authorizer's answer that allows everything, with a context.
func verdictOf(context string, statements ...string) string {
	if len(statements) == 0 {
		statements = []string{allow("*")}
	}
	return `{"principalId":"user","policyDocument":` + policyOf(statements...) + `,"context":` + context + `}`
}

// transcript is a log that may be written and read at a time.
type transcript struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *transcript) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *transcript) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// rig is a gateway that answers on a real connection.
type rig struct {
	*functions
	address string
	log     *transcript
}

func build(t *testing.T, change func(*Config)) (*Gateway, *functions, *transcript, error) {
	t.Helper()
	f := &functions{events: map[string][]string{}, do: map[string]func(context.Context, string) (string, error){
		"Authorizer": answers(verdictOf(`{"location":"/Prod/auth/login","reason":"ok"}`)),
		"Backend":    answers(`{"statusCode":200,"body":"hello"}`),
	}}
	log := &transcript{}
	c := Config{
		APIs: []sam.API{{
			ID: "local00001", Host: host, Stage: "Prod", URLLimit: 10240,
			Authorizers: map[string]sam.Authorizer{"Session": {Function: "Authorizer"}},
			Responses:   map[string]sam.Response{},
			Routes: []sam.Route{
				{Path: "/", Method: "GET", Function: "Backend", Authorizer: "Session", Timeout: time.Minute},
				{Path: "/{proxy+}", Method: "ANY", Function: "Backend", Authorizer: "Session", Timeout: time.Minute},
				{Path: "/public", Method: "POST", Function: "Backend", Timeout: time.Minute},
				{Path: "/public", Method: "GET", Function: "Backend", Timeout: time.Minute},
			},
		}},
		Invoker: f, Log: log, Now: func() time.Time { return clock },
	}
	if change != nil {
		change(&c)
	}
	g, err := New(c)
	return g, f, log, err
}

func start(t *testing.T, change func(*Config)) *rig {
	t.Helper()
	g, f, log, err := build(t, change)
	if err != nil {
		t.Fatal(err)
	}
	r := serve(t, g, f)
	r.log = log
	return r
}

// serve lets a gateway answer on a real connection.
func serve(t *testing.T, g *Gateway, f *functions) *rig {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		_ = g.Serve(l)
		close(done)
	}()
	t.Cleanup(func() {
		_ = g.Close()
		<-done
	})
	return &rig{f, l.Addr().String(), nil}
}

// raw sends bytes as they are, and reads as many answers as there are methods.
func (r *rig) raw(t *testing.T, bytes string, methods ...string) []reply {
	t.Helper()
	c, err := net.Dial("tcp", r.address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, bytes); err != nil {
		t.Fatal(err)
	}
	var all []reply
	in := bufio.NewReader(c)
	for _, method := range methods {
		all = append(all, read(t, in, method))
	}
	return all
}

type reply struct {
	status int
	header http.Header
	body   string
}

func read(t *testing.T, in *bufio.Reader, method string) reply {
	t.Helper()
	res, err := http.ReadResponse(in, &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{res.StatusCode, res.Header, string(body)}
}

// send is one request with some header lines.
func (r *rig) send(t *testing.T, method, target string, lines ...string) reply {
	t.Helper()
	return r.sendBody(t, method, target, "", lines...)
}

func (r *rig) sendBody(t *testing.T, method, target, body string, lines ...string) reply {
	t.Helper()
	head := method + " " + target + " HTTP/1.1\r\n"
	if !slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, "Host:") }) {
		head += "Host: " + host + "\r\n"
	}
	for _, line := range lines {
		head += line + "\r\n"
	}
	if body != "" {
		head += fmt.Sprintf("Content-Length: %d\r\n", len(body))
	}
	return r.raw(t, head+"\r\n"+body, method)[0]
}

func (r *rig) wantFailure(t *testing.T, got reply, status int, body, exception string) {
	t.Helper()
	if got.status != status || got.body != body || got.header.Get("x-amzn-ErrorType") != exception {
		t.Errorf("got %d %s %s,\nwant %d %s %s\nlog: %s", got.status, got.body, got.header.Get("x-amzn-ErrorType"), status, body, exception, r.log)
	}
}

func decode[T any](t *testing.T, event string) (e T) {
	t.Helper()
	if err := json.Unmarshal([]byte(event), &e); err != nil {
		t.Fatal(err)
	}
	return e
}

// settle replaces what differs from run to run, after a look at its form.
func settle(event string) string {
	for _, p := range [][2]string{
		{`"(requestId)":"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"`, `"$1":"REQUEST-ID"`},
		{`"(extendedRequestId|requestId)":"[A-Za-z0-9_-]{15}="`, `"$1":"EXTENDED-ID"`},
		{`Root=1-6957[0-9a-f]{4}-[0-9a-f]{24}`, `TRACE`},
		{`"integrationLatency":\d+`, `"integrationLatency":0`},
	} {
		event = regexp.MustCompile(p[0]).ReplaceAllString(event, p[1])
	}
	return event
}

// wantEvent compares an event with a literal one.
func wantEvent(t *testing.T, got, file string) {
	t.Helper()
	want, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	var a, b any
	if err := json.Unmarshal([]byte(settle(got)), &a); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(want, &b); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(a, b) {
		pretty, _ := json.MarshalIndent(a, "", "  ")
		t.Errorf("%s: got\n%s", file, pretty)
	}
}

const exampleRequest = "POST /Prod/a%2Fb//c/?x=1&x=%2F+2&y HTTP/1.1\r\n" +
	"host: localhost:3000\r\n" +
	"User-Agent: test/1.0\r\n" +
	"Cookie: a=1\r\n" +
	"cookie: b=2; c=3\r\n" +
	"tEsT-HEADeR: first\r\n" +
	"tEsT-HEADeR: second \r\n" +
	"X-Forwarded-For: 192.0.2.1\r\n" +
	"X-Forwarded-Proto: gopher\r\n" +
	"Connection: keep-alive\r\n" +
	"TE: trailers\r\n" +
	"Content-Type: text/plain\r\n" +
	"Content-Length: 6\r\n\r\n<body>"

func TestEvents(t *testing.T) {
	r := start(t, func(c *Config) { c.APIs[0].Variables = map[string]string{"color": "blue"} })
	r.do["Authorizer"] = answers(verdictOf(`{"text":"a \"quoted\" é","number":1.50,"yes":true,"empty":""}`))
	r.raw(t, exampleRequest, "POST")
	wantEvent(t, r.last(t, "Authorizer"), "authorizer-event.json")
	wantEvent(t, r.last(t, "Backend"), "proxy-event.json")
}

func TestEventsOfABareRequest(t *testing.T) {
	r := start(t, nil)
	r.send(t, "GET", "/Prod")
	wantEvent(t, r.last(t, "Authorizer"), "authorizer-event-bare.json")
	wantEvent(t, r.last(t, "Backend"), "proxy-event-bare.json")
}

// headersOf are the two header maps of an event.
func headersOf(t *testing.T, event string) (map[string]string, map[string][]string) {
	t.Helper()
	var e struct {
		Headers           map[string]string
		MultiValueHeaders map[string][]string
	}
	if err := json.Unmarshal([]byte(event), &e); err != nil {
		t.Fatal(err)
	}
	return e.Headers, e.MultiValueHeaders
}

func TestSplitCookies(t *testing.T) {
	r := start(t, func(c *Config) { c.SplitCookies = true })
	r.send(t, "GET", "/Prod/x", "Cookie: a=1; b=2;c=3", "X-Test: y")
	one, all := headersOf(t, r.last(t, "Authorizer"))
	if one["cookie"] != "c=3" || !slices.Equal(all["cookie"], []string{"a=1", "b=2", "c=3"}) {
		t.Errorf("cookies arrive as %q and %q", one["cookie"], all["cookie"])
	}
	if one["x-test"] != "y" || one["host"] != host || one["Cookie"] != "" {
		t.Errorf("names are not in lower case: %v", one)
	}
}

func TestHeaderNamesOfSeveralRequestsOnOneConnection(t *testing.T) {
	r := start(t, nil)
	c, err := net.Dial("tcp", r.address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	in := bufio.NewReader(c)
	for i, name := range []string{"x-one", "X-TWO", "x-ThReE", "X-four"} {
		body := strings.Repeat("b", i*3000)
		fmt.Fprintf(c, "POST /Prod/x HTTP/1.1\r\nHost: %s\r\n%s: v\r\nContent-Length: %d\r\n\r\n%s", host, name, len(body), body)
		if got := read(t, in, "POST"); got.status != 200 {
			t.Fatalf("status %d", got.status)
		}
		if one, _ := headersOf(t, r.last(t, "Backend")); one[name] != "v" {
			t.Errorf("%s arrives as %v", name, slices.Sorted(maps.Keys(one)))
		}
	}
}

// A client that does not wait for answers cannot be followed; its headers arrive all the same.
func TestPipelinedRequestsKeepTheirHeaders(t *testing.T) {
	r := start(t, nil)
	one := "GET /Prod/x HTTP/1.1\r\nHost: " + host + "\r\nx-first: 1\r\n\r\n"
	two := "GET /Prod/x HTTP/1.1\r\nHost: " + host + "\r\nx-second: 2\r\n\r\n"
	r.raw(t, one+two, "GET", "GET")
	headers, _ := headersOf(t, r.last(t, "Backend"))
	if headers["x-second"]+headers["X-Second"] != "2" || headers["x-first"]+headers["X-First"] != "" {
		t.Errorf("headers of the second request: %v", headers)
	}
}

func TestHeadsThatAreNotBelieved(t *testing.T) {
	r := httptest.NewRequest("GET", "/Prod/x", nil)
	r.RequestURI, r.Header = "/Prod/x", http.Header{"A": {"1", "2"}}
	for _, c := range []struct {
		name, head string
		want       bool
	}{
		{"the request's own", "GET /Prod/x HTTP/1.1\r\nHost: h\r\na: 1\r\nA: 2", true},
		{"after an empty line, which servers skip", "\r\nGET /Prod/x HTTP/1.1\r\nHost: h\r\na: 1\r\nA: 2", true},
		{"none", "", false},
		{"another request's", "GET /Prod/y HTTP/1.1\r\nHost: h\r\na: 1\r\nA: 2", false},
		{"a value less", "GET /Prod/x HTTP/1.1\r\nHost: h\r\na: 1", false},
		{"another order", "GET /Prod/x HTTP/1.1\r\nHost: h\r\na: 2\r\nA: 1", false},
		{"a folded line", "GET /Prod/x HTTP/1.1\r\nHost: h\r\na: 1\r\n 2", false},
	} {
		if _, ok := parseHead(c.head, r); ok != c.want {
			t.Errorf("%s: believed: %v", c.name, ok)
		}
	}
}

func TestRouting(t *testing.T) {
	route := func(method, path string) sam.Route { return sam.Route{Method: method, Path: path} }
	routes := []sam.Route{
		route("ANY", "/{proxy+}"), route("GET", "/"), route("ANY", "/api/{proxy+}"), route("GET", "/api/{id}"), route("GET", "/api/me"),
		route("ANY", "/api/me"), route("POST", "/api/{id}/x"), route("GET", "/{any}/me"),
	}
	for _, c := range []struct {
		method, path string
		want         string // method and path template; empty: none
		parameters   string
	}{
		{"GET", "/", "GET /", "{}"},
		{"POST", "/", "", "{}"},
		{"GET", "/api/me", "GET /api/me", "{}"},
		{"PUT", "/api/me", "ANY /api/me", "{}"},
		{"GET", "/api/me/", "GET /api/me", "{}"},
		{"GET", "/api/you", "GET /api/{id}", `{"id":"you"}`},
		{"POST", "/api/you", "", ""}, // the resource is chosen before the method
		{"GET", "/api/a/b", "ANY /api/{proxy+}", `{"proxy":"a/b"}`},
		{"POST", "/api/a/x", "POST /api/{id}/x", `{"id":"a"}`},
		{"GET", "/api/", "ANY /{proxy+}", `{"proxy":"api"}`}, // a greedy part is never empty
		{"GET", "/api", "ANY /{proxy+}", `{"proxy":"api"}`},
		{"GET", "/other/me", "GET /{any}/me", `{"any":"other"}`},
		{"GET", "/a%2Fb/me", "GET /{any}/me", `{"any":"a%2Fb"}`},
		{"GET", "//me", "ANY /{proxy+}", `{"proxy":"/me"}`},
		{"GET", "/API/me", "GET /{any}/me", `{"any":"API"}`},
		{"TRACE", "/x", "", ""},
		{"PROPFIND", "/x", "", ""},
	} {
		t.Run(c.method+" "+c.path, func(t *testing.T) {
			r, parameters := match(routes, c.method, c.path)
			got := ""
			if r != nil {
				got = r.Method + " " + r.Path
			}
			if got != c.want {
				t.Fatalf("route %q, want %q", got, c.want)
			}
			if text, _ := json.Marshal(parameters); c.parameters != "" && r != nil && string(text) != c.parameters {
				t.Errorf("parameters %s, want %s", text, c.parameters)
			}
		})
	}
}

func TestUnknownRoutesNeverReachTheAuthorizer(t *testing.T) {
	r := start(t, nil)
	for _, request := range []string{"POST /Prod/", "DELETE /Prod/public", "TRACE /Prod/x"} {
		method, target, _ := strings.Cut(request, " ")
		got := r.send(t, method, target)
		r.wantFailure(t, got, 403, `{"message":"Missing Authentication Token"}`, "MissingAuthenticationTokenException")
	}
	if r.calls("Authorizer")+r.calls("Backend") > 0 {
		t.Error("a function was called")
	}
}

func TestAPublicRouteHasNoAuthorizer(t *testing.T) {
	r := start(t, nil)
	if got := r.send(t, "GET", "/Prod/public"); got.status != 200 || r.calls("Authorizer") > 0 {
		t.Errorf("status %d, %d calls of the authorizer", got.status, r.calls("Authorizer"))
	}
	if strings.Contains(r.last(t, "Backend"), `"authorizer"`) {
		t.Error("the event has an authorizer")
	}
}

func TestMethodOverride(t *testing.T) {
	r := start(t, nil)
	r.send(t, "GET", "/Prod/x", "x-http-method-override: delete")
	if event := r.last(t, "Authorizer"); !strings.Contains(event, `"httpMethod":"DELETE"`) || !strings.Contains(event, `/Prod/DELETE/x"`) {
		t.Errorf("event %s", event)
	}
	if got := r.send(t, "GET", "/Prod/public", "X-HTTP-Method-Override: PUT"); got.status != 403 {
		t.Errorf("status %d: the route is found by the method that was sent", got.status)
	}
}

const (
	explicit    = `{"Message":"User is not authorized to access this resource with an explicit deny"}`
	implicit    = `{"Message":"User is not authorized to access this resource"}`
	nobodyKnows = `{"message":null}`
)

// The matrix of what an authorizer may do.
func TestAuthorizerOutcomes(t *testing.T) {
	const (
		configuration = "AuthorizerConfigurationException"
		arn           = "arn:aws:execute-api:eu-west-1:123456789012:local00001/Prod/GET/x"
	)
	for _, c := range []struct {
		name      string
		answer    string
		err       error
		status    int
		body      string
		exception string
	}{
		{"allows this very request", verdictOf(`{}`, allow(arn)), nil, 200, "hello", ""},
		{"allows, without a context", `{"principalId":"u","policyDocument":` + policyOf(allow("*")) + `}`, nil, 200, "hello", ""},
		{"allows, with a null context", verdictOf(`null`), nil, 200, "hello", ""},
		{"allows, with a usage key", `{"principalId":"u","usageIdentifierKey":"k","policyDocument":` + policyOf(allow("*")) + `}`, nil, 200, "hello", ""},
		{"denies", verdictOf(`{}`, deny("*")), nil, 403, explicit, "AccessDeniedException"},
		{"denies this and allows all", verdictOf(`{}`, allow("*"), deny(arn)), nil, 403, explicit, "AccessDeniedException"},
		{"allows something else", verdictOf(`{}`, allow(arn+"y")), nil, 403, implicit, "AccessDeniedException"},
		{"fails with Unauthorized", "", &runtime.Error{Type: "errorString", Message: "Unauthorized"}, 401, `{"message":"Unauthorized"}`, "UnauthorizedException"},
		{"fails with unauthorized", "", &runtime.Error{Type: "errorString", Message: "unauthorized"}, 500, nobodyKnows, configuration},
		{"fails with a longer text", "", &runtime.Error{Type: "errorString", Message: "Unauthorized: expired"}, 500, nobodyKnows, configuration},
		{"fails otherwise", "", &runtime.Error{Type: "errorString", Message: "cannot tell"}, 500, nobodyKnows, configuration},
		{"crashes", "", &runtime.Error{Type: "Runtime.ExitError", Message: "exit status 2"}, 500, nobodyKnows, configuration},
		{"takes too long", "", &runtime.Error{Type: "Sandbox.Timedout", Message: "Task timed out"}, 500, nobodyKnows, "AuthorizerFailureException"},
		{"cannot be called", "", runtime.ErrClosed, 500, nobodyKnows, "AuthorizerFailureException"},
		{"answers null", `null`, nil, 500, nobodyKnows, configuration},
		{"answers nothing", ``, nil, 500, nobodyKnows, configuration},
		{"answers in the style of HTTP APIs", `{"isAuthorized":true}`, nil, 500, nobodyKnows, configuration},
		{"names no principal", `{"policyDocument":` + policyOf(allow("*")) + `}`, nil, 500, nobodyKnows, configuration},
		{"names an empty principal", `{"principalId":"","policyDocument":` + policyOf(allow("*")) + `}`, nil, 500, nobodyKnows, configuration},
		{"has no policy", `{"principalId":"u"}`, nil, 500, nobodyKnows, configuration},
		{"has a bad policy", verdictOf(`{}`, `{"Effect":"Allow","Action":"*","Resource":"*","Condition":{}}`), nil, 500, nobodyKnows, configuration},
		{"has a member of its own", `{"principalId":"u","ttl":1,"policyDocument":` + policyOf(allow("*")) + `}`, nil, 500, nobodyKnows, configuration},
		{"puts an object into the context", verdictOf(`{"a":{}}`), nil, 500, nobodyKnows, configuration},
		{"puts a list into the context", verdictOf(`{"a":[]}`), nil, 500, nobodyKnows, configuration},
		{"puts null into the context", verdictOf(`{"a":null}`), nil, 500, nobodyKnows, configuration},
		{"puts a reserved name into the context", verdictOf(`{"claims":"x"}`), nil, 500, nobodyKnows, configuration},
		{"has a context that is a list", verdictOf(`[]`), nil, 500, nobodyKnows, configuration},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := start(t, nil)
			r.do["Authorizer"] = func(context.Context, string) (string, error) { return c.answer, c.err }
			r.wantFailure(t, r.send(t, "GET", "/Prod/x"), c.status, c.body, c.exception)
			if passed := r.calls("Backend") > 0; passed != (c.status == 200) {
				t.Errorf("the backend was called: %v", passed)
			}
		})
	}
}

func TestTheMethodARN(t *testing.T) {
	r := start(t, nil)
	for target, want := range map[string]string{
		"/Prod": "GET/", "/Prod/": "GET/", "/Prod/a/b?c": "GET/a/b", "/Prod/a%2fb//c/": "GET/a%2fb//c/", "/Prod/a:b*": "GET/a:b*",
	} {
		r.send(t, "GET", target)
		want := `"methodArn":"arn:aws:execute-api:eu-west-1:123456789012:local00001/Prod/` + want + `"`
		if event := r.last(t, "Authorizer"); !strings.Contains(event, want) {
			t.Errorf("%s: no %s in %s", target, want, event)
		}
	}
	got := r.send(t, "GET", "/Prod/"+strings.Repeat("x", methodARNLimit))
	r.wantFailure(t, got, 414, `{"message":"Request URI too long"}`, "RequestUriTooLongException")
}

func TestIdentitySources(t *testing.T) {
	r := start(t, func(c *Config) {
		c.APIs[0].Variables = map[string]string{"color": "blue"}
		c.APIs[0].Authorizers["Session"] = sam.Authorizer{Function: "Authorizer", Sources: []string{
			"method.request.header.Cookie", "method.request.querystring.q", "stageVariables.color", "context.httpMethod",
		}}
	})
	for _, c := range []struct {
		name, target, header string
		status               int
	}{
		{"all there", "/Prod/x?q=1", "cookie: a=1", 200},
		{"no header", "/Prod/x?q=1", "X: y", 401},
		{"an empty header", "/Prod/x?q=1", "Cookie:", 401},
		{"no parameter", "/Prod/x", "Cookie: a=1", 401},
		{"an empty parameter", "/Prod/x?q=", "Cookie: a=1", 401},
	} {
		before := r.calls("Authorizer")
		got := r.send(t, "GET", c.target, c.header)
		if called := r.calls("Authorizer") > before; got.status != c.status || called != (c.status == 200) {
			t.Errorf("%s: status %d, authorizer called: %v", c.name, got.status, called)
		}
	}
}

func TestCache(t *testing.T) {
	now := clock
	r := start(t, func(c *Config) {
		c.Now = func() time.Time { return now }
		c.APIs[0].Authorizers["Session"] = sam.Authorizer{Function: "Authorizer", TTL: time.Minute, Sources: []string{"method.request.header.Cookie"}}
	})
	const api = "arn:aws:execute-api:eu-west-1:123456789012:local00001/Prod/"
	r.do["Authorizer"] = func(context.Context, string) (string, error) {
		return verdictOf(fmt.Sprintf(`{"call":%d}`, r.calls("Authorizer")), allow(api+"GET/a", api+"GET/b")), nil
	}
	want := func(what, target, cookie string, status, calls int, context string) {
		t.Helper()
		got := r.send(t, "GET", target, "Cookie: "+cookie)
		if got.status != status || r.calls("Authorizer") != calls {
			t.Errorf("%s: status %d after %d calls, want %d after %d", what, got.status, r.calls("Authorizer"), status, calls)
		}
		if status == 200 && !strings.Contains(r.last(t, "Backend"), context) {
			t.Errorf("%s: no %s in the event", what, context)
		}
	}
	want("the first request asks", "/Prod/a", "1", 200, 1, `"call":"1"`)
	want("the second does not, and gets the same context", "/Prod/b", "1", 200, 1, `"call":"1"`)
	want("the policy is evaluated for each request", "/Prod/c", "1", 403, 1, "")
	want("another identity asks", "/Prod/a", "2", 200, 2, `"call":"2"`)
	now = now.Add(time.Minute)
	want("a result that is too old asks again", "/Prod/a", "1", 200, 3, `"call":"3"`)
	r.do["Authorizer"] = fails(&runtime.Error{Message: "Unauthorized"})
	want("an error", "/Prod/a", "3", 401, 4, "")
	want("is not remembered", "/Prod/a", "3", 401, 5, "")
}

func TestWithoutATTLNothingIsRemembered(t *testing.T) {
	r := start(t, nil)
	r.send(t, "GET", "/Prod/x", "Cookie: a")
	r.send(t, "GET", "/Prod/x", "Cookie: a")
	if r.calls("Authorizer") != 2 {
		t.Errorf("%d calls", r.calls("Authorizer"))
	}
}

func TestGatewayResponses(t *testing.T) {
	r := start(t, func(c *Config) {
		c.APIs[0].Variables = map[string]string{"color": "blue"}
		c.APIs[0].Responses = map[string]sam.Response{
			"ACCESS_DENIED": {
				Status: 302,
				Headers: map[string]string{
					"Location": "context.authorizer.location", "Cache-Control": "'no-store'", "X-Sent": "method.request.header.x-sent",
					"X-Query": "method.request.querystring.q", "X-Path": "method.request.path.proxy", "X-Color": "stageVariables.color", "X-Where": "context.path",
				},
				Templates: map[string]string{
					"application/json": `{"to":"$context.authorizer.location","id":"${context.extendedRequestId}","color":"$stageVariables.color","q":"$method.request.querystring.q","why":$context.error.messageString,"type":"$context.error.responseType"}`,
					"text/html":        `<p>$context.error.message.</p>`,
				},
			},
			"DEFAULT_4XX":         {Headers: map[string]string{"X-Default": "'4'"}, Templates: map[string]string{"application/json": `{"oops":$context.error.messageString}`}},
			"AUTHORIZER_FAILURE":  {Status: 503, Headers: map[string]string{"Retry-After": "'5'"}},
			"INTEGRATION_TIMEOUT": {Status: 504, Templates: map[string]string{"text/plain": "late", "text/html": "<p>late"}},
		}
	})
	r.do["Authorizer"] = answers(verdictOf(`{"location":"/Prod/auth/login?return_to=%2F"}`, deny("*")))

	got := r.send(t, "GET", "/Prod/a/b?q=1", "X-Sent: hello")
	for name, want := range map[string]string{
		"Location": "/Prod/auth/login?return_to=%2F", "Cache-Control": "no-store", "X-Sent": "hello", "X-Query": "1", "X-Path": "a/b", "X-Color": "blue",
		"X-Where": "/Prod/a/b", "Content-Type": "application/json", "X-Default": "",
	} {
		if got.header.Get(name) != want {
			t.Errorf("%s: %q, want %q", name, got.header.Get(name), want)
		}
	}
	body := settle(strings.ReplaceAll(got.body, `"id"`, `"extendedRequestId"`))
	const want = `{"to":"/Prod/auth/login?return_to=%2F","extendedRequestId":"EXTENDED-ID","color":"blue","q":"1",` +
		`"why":"User is not authorized to access this resource with an explicit deny","type":"ACCESS_DENIED"}`
	if got.status != 302 || body != want {
		t.Errorf("%d %s", got.status, body)
	}
	if id := got.header.Get("x-amz-apigw-id"); !strings.Contains(got.body, `"`+id+`"`) {
		t.Errorf("the id %q in the header is not the one in %s", id, got.body)
	}

	got = r.send(t, "GET", "/Prod/a", "Accept: text/html;q=1, application/json")
	if got.header.Get("Content-Type") != "text/html" || got.body != "<p>User is not authorized to access this resource with an explicit deny.</p>" {
		t.Errorf("the first media type of Accept does not choose the template: %s %s", got.header.Get("Content-Type"), got.body)
	}
	if got.header.Values("X-Sent") != nil {
		t.Errorf("a header from what was not sent: %v", got.header)
	}

	got = r.send(t, "POST", "/Prod/", "Accept: */*")
	if got.status != 403 || got.header.Get("X-Default") != "4" || got.body != `{"oops":"Missing Authentication Token"}` {
		t.Errorf("a type that is not customised does not fall back to DEFAULT_4XX: %d %v %s", got.status, got.header, got.body)
	}

	r.do["Authorizer"] = fails(runtime.ErrClosed)
	got = r.send(t, "GET", "/Prod/a")
	if got.status != 503 || got.header.Get("Retry-After") != "5" || got.body != `{"message":null}` {
		t.Errorf("without a template the body is the usual one: %d %v %s", got.status, got.header, got.body)
	}

	r.do["Backend"] = fails(context.DeadlineExceeded)
	got = r.send(t, "GET", "/Prod/public", "Accept: */*")
	if got.header.Get("Content-Type") != "text/html" || got.body != "<p>late" {
		t.Errorf("with no JSON template the first by name is taken: %v %s", got.header, got.body)
	}
}

// An outage shows a person a page and a program JSON: the first media type of Accept chooses. Headers such as HSTS are the template's to set, for each type.
func TestGatewayResponsesForAnOutage(t *testing.T) {
	outage := sam.Response{
		Status: 500, Headers: map[string]string{"Strict-Transport-Security": "'max-age=31536000'", "Retry-After": "'5'"},
		Templates: map[string]string{"application/json": `{"error":"cannot_tell"}`, "text/html": "<p>Try again"},
	}
	r := start(t, func(c *Config) {
		c.APIs[0].Responses = map[string]sam.Response{"AUTHORIZER_CONFIGURATION_ERROR": outage, "AUTHORIZER_FAILURE": outage}
	})
	for _, err := range []error{&runtime.Error{Message: "cannot tell"}, runtime.ErrClosed} {
		r.do["Authorizer"] = fails(err)
		for accept, want := range map[string]string{
			"text/html,application/xhtml+xml,*/*;q=0.8": "text/html", "text/html;q=0.9": "text/html", "*/*": "application/json", "application/json": "application/json",
			"application/json, text/html": "application/json", "image/avif,text/html": "application/json", "": "application/json",
		} {
			got := r.send(t, "GET", "/Prod/x", "Accept: "+accept)
			if got.status != 500 || got.header.Get("Content-Type") != want || got.body != outage.Templates[want] {
				t.Errorf("%s: %d %s %s", accept, got.status, got.header.Get("Content-Type"), got.body)
			}
			if got.header.Get("Strict-Transport-Security") != "max-age=31536000" || got.header.Get("Retry-After") != "5" {
				t.Errorf("%s: %v", accept, got.header)
			}
		}
	}
}

func TestGatewayResponsesWhereNobodyKnowsWhatAWSDoes(t *testing.T) {
	for _, c := range []struct{ name, context, want string }{
		{"the authorizer returns no such key", `{}`, "Location: it refers to what the authorizer did not return"},
		{"a line break in a header", `{"location":"/a\r\nSet-Cookie: x=y"}`, "Location would hold characters that no header should"},
		{"no ASCII in a header", `{"location":"/é"}`, "Location would hold characters that no header should"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := start(t, func(config *Config) {
				config.APIs[0].Responses["ACCESS_DENIED"] = sam.Response{Status: 302, Headers: map[string]string{"A": "'1'", "Location": "context.authorizer.location"}}
			})
			r.do["Authorizer"] = answers(verdictOf(c.context, deny("*")))
			got := r.send(t, "GET", "/Prod/x")
			if got.status != 500 || got.body != `{"message":"local gateway: ACCESS_DENIED: `+c.want+`"}` || got.header.Get("Location") != "" || got.header.Get("A") != "" {
				t.Errorf("%d %v %s", got.status, got.header, got.body)
			}
			if !strings.Contains(r.log.String(), "ACCESS_DENIED") {
				t.Errorf("log %q", r.log)
			}
		})
	}
	r := start(t, func(c *Config) {
		c.APIs[0].Responses["ACCESS_DENIED"] = sam.Response{Status: 403, Templates: map[string]string{"application/json": "$context.authorizer.reason"}}
	})
	r.do["Authorizer"] = answers(verdictOf(`{}`, deny("*")))
	if got := r.send(t, "GET", "/Prod/x"); got.status != 500 {
		t.Errorf("a body with an undefined variable: %d %s", got.status, got.body)
	}
}

func TestConfigurationsThatAreRefused(t *testing.T) {
	header := func(kind, expression string) func(*Config) {
		return func(c *Config) {
			c.APIs[0].Responses[kind] = sam.Response{Status: 400, Headers: map[string]string{"X-A": expression}}
		}
	}
	body := func(text string) func(*Config) {
		return func(c *Config) {
			c.APIs[0].Responses["ACCESS_DENIED"] = sam.Response{Status: 400, Templates: map[string]string{"text/html": text}}
		}
	}
	sources := func(ttl time.Duration, sources ...string) func(*Config) {
		return func(c *Config) {
			c.APIs[0].Authorizers["Session"] = sam.Authorizer{Function: "Authorizer", TTL: ttl, Sources: sources}
		}
	}
	for _, c := range []struct {
		name   string
		change func(*Config)
		want   string
	}{
		{"no API", func(c *Config) { c.APIs = nil }, "required"},
		{"no stage", func(c *Config) { c.APIs[0].Stage = "" }, "an API needs an id and a stage"},
		{"two APIs on one host and stage", func(c *Config) { c.APIs = append(c.APIs, c.APIs[0]) }, "two APIs want localhost:3000/Prod"},
		{"a mapping to an API that is not there", func(c *Config) {
			c.Domains = []sam.Domain{{Name: "app.example.com", Host: "app.localhost:3000", Mappings: []sam.Mapping{{Path: "a", API: "nope", Stage: "Prod"}}}}
		}, "domain app.example.com: there is no API nope with the stage Prod"},
		{"a WebSocket API and another on one domain", func(c *Config) {
			mapped(c)
			c.APIs[1].Kind, c.APIs[1].Selection = sam.WebSocket, "$request.body.action"
		}, "domain app.example.com: a WebSocket API cannot share"},
		{"a route with an authorizer that is not there", func(c *Config) { c.APIs[0].Routes[0].Authorizer = "Nope" }, "route GET /: there is no authorizer Nope"},
		{"a text without quotes", header("ACCESS_DENIED", "no-store"), "no-store is not modelled"},
		{"a text with one quote", header("ACCESS_DENIED", "'no-store"), "not one text within single quotes"},
		{"two expressions", header("ACCESS_DENIED", "'a' + context.path"), "not one text"},
		{"an unknown variable", header("ACCESS_DENIED", "context.identity.caller"), "context.identity.caller is not modelled"},
		{"an error variable in a header", header("ACCESS_DENIED", "context.error.message"), "only be used in a body"},
		{"no such stage variable", header("ACCESS_DENIED", "stageVariables.nope"), "stageVariables.nope is not modelled"},
		{"an unknown place", header("ACCESS_DENIED", "method.request.body.x"), "method.request.body.x is not modelled"},
		{"no name", header("ACCESS_DENIED", "method.request.header."), "is not modelled"},
		{"the authorizer's context where it returned nothing", header("UNAUTHORIZED", "context.authorizer.location"), "the authorizer has returned nothing"},
		{"the authorizer's context in a default", header("DEFAULT_4XX", "context.authorizer.location"), "the authorizer has returned nothing"},
		{"a header name", func(c *Config) {
			c.APIs[0].Responses["ACCESS_DENIED"] = sam.Response{Headers: map[string]string{"X A": "'x'"}}
		}, "no header name"},
		{"a function in a body", body("$util.urlEncode($context.path)"), "no template engine"},
		{"input in a body", body("$input.params('x')"), "no template engine"},
		{"a directive in a body", body("#if($context.path)x#end"), "no template engine"},
		{"an unknown variable in a body", body("$context.nope"), "context.nope is not modelled"},
		{"a cache without a key", sources(time.Minute), "a cache needs identity sources"},
		{"an identity source that cannot be one", sources(0, "method.request.path.id"), "cannot be an identity source"},
		{"an identity source that is circular", sources(0, "context.authorizer.x"), "cannot be an identity source"},
		{"an unknown identity source", sources(0, "$request.header.Cookie"), "is not modelled"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, _, err := build(t, c.change)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("error %v, want one with %s", err, c.want)
			}
		})
	}
}

func TestProxyAnswers(t *testing.T) {
	for _, c := range []struct {
		name, answer string
		status       int
		body         string
		headers      http.Header // those that are looked at
	}{
		{"only a status", `{"statusCode":200}`, 200, "", http.Header{"Content-Type": {"application/json"}}},
		{"nulls", `{"statusCode":200,"headers":null,"multiValueHeaders":null,"body":null,"isBase64Encoded":null}`, 200, "", nil},
		{"its own content type", `{"statusCode":200,"headers":{"content-type":"text/html"},"body":"<p>"}`, 200, "<p>", http.Header{"Content-Type": {"text/html"}}},
		{"no content", `{"statusCode":204,"body":"x"}`, 204, "", nil},
		{
			"several cookies", `{"statusCode":302,"multiValueHeaders":{"Set-Cookie":["a=1","b=2"]},"headers":{"Location":"/x"}}`, 302, "",
			http.Header{"Set-Cookie": {"a=1", "b=2"}, "Location": {"/x"}},
		},
		{"both maps, the same name", `{"statusCode":200,"multiValueHeaders":{"X-A":["1","2"]},"headers":{"x-a":"3"}}`, 200, "", http.Header{"X-A": {"1", "2", "3"}}},
		{"both maps, the same pair", `{"statusCode":200,"multiValueHeaders":{"X-A":["1","2"]},"headers":{"X-A":"2"}}`, 200, "", http.Header{"X-A": {"1", "2"}}},
		{"scalars as header values", `{"statusCode":200,"headers":{"X-A":1,"X-B":true}}`, 200, "", http.Header{"X-A": {"1"}, "X-B": {"true"}}},
		{
			"headers that are not its to set", `{"statusCode":401,"headers":{"WWW-Authenticate":"Bearer","Connection":"close","Content-Length":"99","Date":"now","Server":"x","Transfer-Encoding":"chunked"}}`,
			401, "",
			http.Header{
				"X-Amzn-Remapped-Www-Authenticate": {"Bearer"}, "X-Amzn-Remapped-Connection": {"close"}, "X-Amzn-Remapped-Content-Length": {"99"},
				"X-Amzn-Remapped-Date": {"now"}, "X-Amzn-Remapped-Server": {"x"}, "Www-Authenticate": nil, "Server": nil, "Transfer-Encoding": nil,
			},
		},
		{"base64 that nobody decodes", `{"statusCode":200,"body":"aGk=","isBase64Encoded":true}`, 200, "aGk=", nil},

		{"nothing", ``, 502, "", nil},
		{"null", `null`, 502, "", nil},
		{"a text", `"hello"`, 502, "", nil},
		{"no status", `{"body":"x"}`, 502, "", nil},
		{"a status that is a text", `{"statusCode":"200"}`, 502, "", nil},
		{"a status that is no status", `{"statusCode":99}`, 502, "", nil},
		{"a body that is an object", `{"statusCode":200,"body":{}}`, 502, "", nil},
		{"another member", `{"statusCode":200,"cookies":[]}`, 502, "", nil},
		{"a header that is a list", `{"statusCode":200,"headers":{"X-A":["1"]}}`, 502, "", nil},
		{"a header that is null", `{"statusCode":200,"headers":{"X-A":null}}`, 502, "", nil},
		{"a header of two lines", `{"statusCode":200,"headers":{"X-A":"1\r\nX-B: 2"}}`, 502, "", nil},
		{"a header name that is none", `{"statusCode":200,"headers":{"X A":"1"}}`, 502, "", nil},
		{"multi-value headers that are texts", `{"statusCode":200,"multiValueHeaders":{"X-A":"1"}}`, 502, "", nil},
		{"a boolean that is none", `{"statusCode":200,"isBase64Encoded":"true"}`, 502, "", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := start(t, nil)
			r.do["Backend"] = answers(c.answer)
			got := r.send(t, "GET", "/Prod/public")
			if c.status == 502 {
				r.wantFailure(t, got, 502, `{"message":"Internal server error"}`, "InternalServerErrorException")
				if !strings.Contains(r.log.String(), "malformed Lambda proxy response") {
					t.Errorf("log %q", r.log)
				}
				return
			}
			if got.status != c.status || got.body != c.body {
				t.Errorf("%d %q, want %d %q", got.status, got.body, c.status, c.body)
			}
			for name, want := range c.headers {
				if values := got.header.Values(name); !slices.Equal(values, want) {
					t.Errorf("%s: %q, want %q", name, values, want)
				}
			}
			if got.header.Get("x-amzn-RequestId") == "" || got.header.Get("x-amz-apigw-id") == "" {
				t.Errorf("no ids in %v", got.header)
			}
		})
	}
}

func TestBinary(t *testing.T) {
	r := start(t, func(c *Config) { c.APIs[0].BinaryTypes = []string{"image/*", "application/octet-stream"} })
	r.do["Backend"] = answers(`{"statusCode":200,"body":"aGk=","isBase64Encoded":true}`)
	for accept, want := range map[string]string{"image/png": "hi", "image/png;q=1, text/html": "hi", "text/html, image/png": "aGk=", "imagery/png": "aGk="} {
		if got := r.send(t, "GET", "/Prod/public", "Accept: "+accept); got.body != want {
			t.Errorf("Accept %s: %q, want %q", accept, got.body, want)
		}
	}
	r.sendBody(t, "POST", "/Prod/public", "\xff\x00", "Content-Type: application/octet-stream")
	if event := r.last(t, "Backend"); !strings.Contains(event, `"body":"/wA=","isBase64Encoded":true`) {
		t.Errorf("event %s", event)
	}
	r.sendBody(t, "POST", "/Prod/public", "text", "Content-Type: text/plain")
	if event := r.last(t, "Backend"); !strings.Contains(event, `"body":"text","isBase64Encoded":false`) {
		t.Errorf("event %s", event)
	}
	r.do["Backend"] = answers(`{"statusCode":200,"body":"not base64","isBase64Encoded":true}`)
	if got := r.send(t, "GET", "/Prod/public", "Accept: image/png"); got.status != 502 {
		t.Errorf("what is not base64: %d", got.status)
	}
}

func TestIntegrationFailures(t *testing.T) {
	for _, c := range []struct {
		name   string
		err    error
		status int
		body   string
	}{
		{"the function fails", &runtime.Error{Type: "errorString", Message: "secret"}, 502, `{"message":"Internal server error"}`},
		{"it cannot be called", runtime.ErrClosed, 502, `{"message":"Internal server error"}`},
		{"the event is too large for it", runtime.ErrTooLarge, 413, `{"message":"Request Too Long"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := start(t, nil)
			r.do["Backend"] = fails(c.err)
			got := r.send(t, "GET", "/Prod/public")
			if got.status != c.status || got.body != c.body {
				t.Errorf("%d %s", got.status, got.body)
			}
		})
	}
}

func TestIntegrationTimeout(t *testing.T) {
	r := start(t, func(c *Config) { c.APIs[0].Routes[3].Timeout = 20 * time.Millisecond })
	r.do["Backend"] = func(ctx context.Context, _ string) (string, error) {
		<-ctx.Done()
		return "", ctx.Err()
	}
	got := r.send(t, "GET", "/Prod/public")
	r.wantFailure(t, got, 504, `{"message":"Endpoint request timed out"}`, "InternalServerErrorException")
}

func TestAClientThatGoesAwayEndsNothing(t *testing.T) {
	r := start(t, nil)
	called, gone, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	r.do["Backend"] = func(ctx context.Context, _ string) (string, error) {
		close(called)
		<-gone
		time.Sleep(50 * time.Millisecond) // for the server to notice; too short only makes the test lenient
		ended <- ctx.Err()
		return `{"statusCode":200}`, nil
	}
	c, err := net.Dial("tcp", r.address)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(c, "GET /Prod/public HTTP/1.1\r\nHost: %s\r\n\r\n", host)
	<-called
	_ = c.Close()
	close(gone)
	if err := <-ended; err != nil {
		t.Errorf("the function's context ended: %v", err)
	}
}

func TestLimits(t *testing.T) {
	const refused = `{"message":"Forbidden"}`
	for _, c := range []struct {
		name           string
		method, target string
		body           string
		lines          []string
		status         int
		want           string
	}{
		{"another host", "GET", "/Prod/public", "", []string{"Host: evil.example"}, 403, refused},
		{"another port", "GET", "/Prod/public", "", []string{"Host: localhost:3001"}, 403, refused},
		{"the host in another case", "GET", "/Prod/public", "", []string{"Host: LOCALHOST:3000"}, 200, "hello"},
		{"no stage", "GET", "/", "", nil, 403, refused},
		{"another stage", "GET", "/Test/public", "", nil, 403, refused},
		{"a stage that only begins alike", "GET", "/Production/public", "", nil, 403, refused},
		{"a URL at the limit", "GET", "/Prod/public?" + strings.Repeat("x", 10240-len("/Prod/public?")), "", nil, 200, "hello"},
		{"a URL over the limit", "GET", "/Prod/public?" + strings.Repeat("x", 10241-len("/Prod/public?")), "", nil, 414, `{"message":"Request URI too long"}`},
		{"headers at the limit", "GET", "/Prod/public", "", []string{"A: " + strings.Repeat("x", 10240-len(host)-1), "B: y"}, 200, "hello"},
		{"headers over the limit", "GET", "/Prod/public", "", []string{"A: " + strings.Repeat("x", 10240-len(host)), "B: y"}, 431, `{"message":"HTTP header is larger than 10240 bytes"}`},
		{"a body at the limit", "POST", "/Prod/public", strings.Repeat("x", bodyLimit), nil, 200, "hello"},
		{"a body over the limit", "POST", "/Prod/public", strings.Repeat("x", bodyLimit+1), nil, 413, `{"message":"Request Too Long"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := start(t, nil)
			got := r.sendBody(t, c.method, c.target, c.body, c.lines...)
			if got.status != c.status || got.body != c.want {
				t.Errorf("%d %s, want %d %s", got.status, got.body, c.status, c.want)
			}
			if called := r.calls("Backend") > 0; called != (c.status == 200) {
				t.Errorf("the function was called: %v", called)
			}
		})
	}
	r := start(t, func(c *Config) { c.HeaderLimit = 20480 })
	if got := r.send(t, "GET", "/Prod/public", "A: "+strings.Repeat("x", 15000)); got.status != 200 {
		t.Errorf("a higher limit for headers: %d", got.status)
	}
}

func TestPreflight(t *testing.T) {
	r := start(t, func(c *Config) {
		c.APIs[0].Routes = append(c.APIs[0].Routes,
			sam.Route{Path: "/public", Method: "OPTIONS", Preflight: map[string]string{"Access-Control-Allow-Origin": "https://app.example"}},
			sam.Route{Path: "/{proxy+}", Method: "OPTIONS", Authorizer: "Session", Preflight: map[string]string{}},
		)
	})
	got := r.send(t, "OPTIONS", "/Prod/public", "Origin: https://evil.example")
	if got.status != 200 || got.header.Get("Access-Control-Allow-Origin") != "https://app.example" || got.body != "{}\n" {
		t.Errorf("%d %v %q", got.status, got.header, got.body)
	}
	r.do["Authorizer"] = answers(verdictOf(`{}`, deny("*")))
	if got := r.send(t, "OPTIONS", "/Prod/x"); got.status != 403 {
		t.Errorf("a preflight with an authorizer: %d", got.status)
	}
	if r.calls("Backend") > 0 {
		t.Error("a preflight reached a function")
	}
}

func TestQuery(t *testing.T) {
	for raw, want := range map[string]string{
		"":                  `{}`,
		"a=1&b=2":           `{"a":["1"],"b":["2"]}`,
		"a=1&a=2&A=3":       `{"A":["3"],"a":["1","2"]}`,
		"a":                 `{"a":[""]}`,
		"a=":                `{"a":[""]}`,
		"a=b=c":             `{"a":["b=c"]}`,
		"a=1;b=2":           `{"a":["1"],"b":["2"]}`,
		"a=%2F+%20x":        `{"a":["/  x"]}`,
		"a%3D=1":            `{"a=":["1"]}`,
		"a=%zz":             `{"a":["%zz"]}`,
		"&&a=1&":            `{"a":["1"]}`,
		"a=%C3%A9":          `{"a":["é"]}`,
		"return_to=%2Fx%3F": `{"return_to":["/x?"]}`,
	} {
		if got, _ := json.Marshal(parseQuery(raw)); string(got) != want {
			t.Errorf("%q: %s, want %s", raw, got, want)
		}
	}
}

// What CloudWatch would be told of requests to a REST API. A clock that every look moves on by a second stands for time that passes.
func TestMeasured(t *testing.T) {
	var mu sync.Mutex
	var told []string
	var ticks atomic.Int64
	r := start(t, func(c *Config) {
		c.APIs[0].Name = "shop"
		c.Now = func() time.Time { return clock.Add(time.Duration(ticks.Add(1)) * time.Second) }
		c.Measure = func(m Measured) {
			mu.Lock()
			defer mu.Unlock()
			integration := "none"
			if m.Integration != nil {
				integration = m.Integration.String()
			}
			told = append(told, fmt.Sprint(m.API, " ", m.Status, " ", integration, " ", m.Latency > time.Second))
		}
	})
	r.do["Backend"] = answers(`{"statusCode":404}`)
	r.send(t, "GET", "/Prod/x")
	r.do["Authorizer"] = answers(`{}`)
	r.send(t, "GET", "/Prod/x")
	r.send(t, "GET", "/elsewhere/x")
	r.send(t, "GET", "/Prod/x", "Host: other.example")
	mu.Lock()
	defer mu.Unlock()
	if got, want := strings.Join(told, "\n"), "shop 404 1s true\nshop 500 none true"; got != want {
		t.Errorf("told\n%s\nwant\n%s", got, want)
	}
}
