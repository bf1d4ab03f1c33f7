package gateway

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"edgeauth/local/runtime"
	"edgeauth/local/sam"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/coder/websocket"
)

var credentials = Credentials{"LOCALLOCALLOCALLOCAL", "local"}

// socketAPI makes the API under test a WebSocket API.
func socketAPI(change func(*sam.API)) func(*Config) {
	return func(c *Config) {
		c.Credentials = credentials
		api := &c.APIs[0]
		api.Kind, api.Stage, api.URLLimit, api.Selection = sam.WebSocket, "live", 0, "$request.body.action"
		route := func(key, function string) sam.Route {
			return sam.Route{Path: key, Function: function, Timeout: time.Minute}
		}
		api.Routes = []sam.Route{
			route(connectRoute, "Connect"), route(disconnectRoute, "Disconnect"), route(DefaultRoute, "Default"), route("say", "Say"), route("ask", "Ask"),
		}
		api.Routes[0].Authorizer, api.Routes[4].Reply = "Session", true
		if change != nil {
			change(api)
		}
	}
}

// sockets is a rig whose functions tell of their events.
type socketRig struct {
	*rig
	told chan string // function and event, of all but the authorizer
}

func startSockets(t *testing.T, change func(*Config)) *socketRig {
	t.Helper()
	if change == nil {
		change = socketAPI(nil)
	}
	r := &socketRig{start(t, change), make(chan string, 20)}
	for _, name := range []string{"Connect", "Disconnect", "Default", "Say", "Ask"} {
		r.do[name] = func(_ context.Context, event string) (string, error) {
			r.told <- name + " " + event
			return `{"statusCode":200,"body":"answer of ` + name + `"}`, nil
		}
	}
	return r
}

// next is the event of the function that is called next, which must be this one.
func (r *socketRig) next(t *testing.T, function string) string {
	t.Helper()
	select {
	case told := <-r.told:
		name, event, _ := strings.Cut(told, " ")
		if name != function {
			t.Fatalf("%s was called, want %s: %s", name, function, event)
		}
		return event
	case <-time.After(10 * time.Second):
		t.Fatalf("%s is not called", function)
	}
	return ""
}

func (r *socketRig) dial(t *testing.T, target string, header http.Header, protocols ...string) (*websocket.Conn, int) {
	t.Helper()
	c, res, err := websocket.Dial(t.Context(), "ws://"+r.address+target, &websocket.DialOptions{Host: host, HTTPHeader: header, Subprotocols: protocols})
	if err != nil {
		if res == nil {
			t.Fatal(err)
		}
		return nil, res.StatusCode
	}
	t.Cleanup(func() { _ = c.CloseNow() })
	return c, res.StatusCode
}

func (r *socketRig) mustDial(t *testing.T) *websocket.Conn {
	t.Helper()
	c, status := r.dial(t, "/live", nil)
	if c == nil {
		t.Fatalf("status %d\n%s", status, r.log)
	}
	r.next(t, "Connect")
	return c
}

func say(t *testing.T, c *websocket.Conn, text string) {
	t.Helper()
	if err := c.Write(t.Context(), websocket.MessageText, []byte(text)); err != nil {
		t.Fatal(err)
	}
}

func hear(t *testing.T, c *websocket.Conn) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_, text, err := c.Read(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func ending(t *testing.T, c *websocket.Conn) websocket.StatusCode {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_, text, err := c.Read(ctx)
	if err == nil {
		t.Fatalf("a message: %s", text)
	}
	return websocket.CloseStatus(err)
}

// settleSocket replaces what differs from run to run.
func settleSocket(event string) string {
	event = settle(event)
	for name, with := range map[string]string{"connectionId": "CONNECTION-ID", "messageId": "MESSAGE-ID"} {
		event = regexp.MustCompile(`"`+name+`":"[A-Za-z0-9_-]{15}="`).ReplaceAllString(event, `"`+name+`":"`+with+`"`)
	}
	return regexp.MustCompile(`("Sec-Websocket-Key":\[?")[^"]+`).ReplaceAllString(event, "${1}KEY")
}

func TestSocketEvents(t *testing.T) {
	r := startSockets(t, socketAPI(func(a *sam.API) { a.Variables = map[string]string{"color": "blue"} }))
	r.do["Authorizer"] = answers(verdictOf(`{"text":"é","number":1.50}`, allow("arn:aws:execute-api:eu-west-1:123456789012:local00001/live/$connect")))
	c, status := r.dial(t, "/live?x=1&x=2", http.Header{"Cookie": {"a=1"}, "Origin": {"http://localhost:3000"}, "User-Agent": {"test/1.0"}})
	if c == nil {
		t.Fatalf("status %d\n%s", status, r.log)
	}
	wantEvent(t, settleSocket(r.last(t, "Authorizer")), "socket-authorizer-event.json")
	wantEvent(t, settleSocket(r.next(t, "Connect")), "socket-connect-event.json")
	say(t, c, `{"action":"say","text":"hi"}`)
	wantEvent(t, settleSocket(r.next(t, "Say")), "socket-message-event.json")
	_ = c.Close(websocket.StatusNormalClosure, "bye")
	wantEvent(t, settleSocket(r.next(t, "Disconnect")), "socket-disconnect-event.json")
}

// Everything that can become of a handshake.
func TestHandshakes(t *testing.T) {
	long := verdictOf(`{"a":"` + strings.Repeat("x", resultLimit) + `"}`)
	exact := verdictOf(`{"a":"` + strings.Repeat("x", resultLimit-len(verdictOf(`{"a":""}`))) + `"}`)
	for _, c := range []struct {
		name    string
		change  func(*sam.API)
		target  string
		verdict string
		err     error
		connect string // the answer of $connect
		status  int
	}{
		{"allowed", nil, "/live", verdictOf(`{}`), nil, `{"statusCode":200}`, 101},
		{"with a slash at the end", nil, "/live/", verdictOf(`{}`), nil, `{"statusCode":200}`, 101},
		{"denied", nil, "/live", verdictOf(`{}`, deny("*")), nil, "", 403},
		{"allows something else", nil, "/live", verdictOf(`{}`, allow("arn:aws:execute-api:eu-west-1:123456789012:local00001/other/$connect")), nil, "", 403},
		{"allows the methods of a REST API", nil, "/live", verdictOf(`{}`, allow("arn:aws:execute-api:eu-west-1:123456789012:local00001/live/GET/*")), nil, "", 403},
		{"fails with Unauthorized", nil, "/live", "", &runtime.Error{Message: "Unauthorized"}, "", 401},
		{"cannot tell", nil, "/live", "", &runtime.Error{Message: "cannot tell"}, "", 500},
		{"an answer at the limit", nil, "/live", exact, nil, `{"statusCode":200}`, 101},
		{"an answer over the limit", nil, "/live", long, nil, "", 500},
		{"an object in the context", nil, "/live", verdictOf(`{"a":{}}`), nil, "", 500},
		{"a simple answer", nil, "/live", `{"isAuthorized":true}`, nil, "", 500},
		{"$connect refuses", nil, "/live", verdictOf(`{}`), nil, `{"statusCode":418}`, 418},
		{"$connect answers what is no answer", nil, "/live", verdictOf(`{}`), nil, `{}`, 502},
		{"another path", nil, "/live/x", verdictOf(`{}`), nil, "", 403},
		{"another stage", nil, "/other", verdictOf(`{}`), nil, "", 403},
		{"no $connect", func(a *sam.API) { a.Routes = a.Routes[1:] }, "/live", "", nil, "", 101},
		{"an authorizer without a function", func(a *sam.API) { a.Routes[0].Function = "" }, "/live", verdictOf(`{}`), nil, "", 101},
		{"an identity source is missing", func(a *sam.API) {
			a.Authorizers["Session"] = sam.Authorizer{Function: "Authorizer", Sources: []string{"route.request.header.Cookie"}}
		}, "/live", verdictOf(`{}`), nil, "", 401},
		{"an identity source is there", func(a *sam.API) {
			a.Authorizers["Session"] = sam.Authorizer{Function: "Authorizer", Sources: []string{"route.request.querystring.t", "context.stage"}}
		}, "/live?t=1", verdictOf(`{}`), nil, `{"statusCode":200}`, 101},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := startSockets(t, socketAPI(c.change))
			r.do["Authorizer"] = func(context.Context, string) (string, error) { return c.verdict, c.err }
			r.do["Connect"] = answers(c.connect)
			conn, status := r.dial(t, c.target, nil)
			if status != c.status || (conn != nil) != (c.status == 101) {
				t.Errorf("status %d, want %d\n%s", status, c.status, r.log)
			}
			if called := r.calls("Connect") > 0; called != (c.connect != "") {
				t.Errorf("$connect was called: %v", called)
			}
		})
	}
}

func TestHandshakesThatAreNone(t *testing.T) {
	r := startSockets(t, nil)
	if got := r.send(t, "GET", "/live"); got.status != 426 {
		t.Errorf("no upgrade: %d", got.status)
	}
	if got := r.send(t, "POST", "/live", "Connection: upgrade", "Upgrade: websocket"); got.status != 426 {
		t.Errorf("another method: %d", got.status)
	}
	if r.calls("Authorizer") > 0 {
		t.Error("the authorizer was asked")
	}
}

func TestSubprotocols(t *testing.T) {
	r := startSockets(t, nil)
	r.do["Connect"] = answers(`{"statusCode":200,"headers":{"sec-websocket-protocol":"chat"}}`)
	for _, c := range []struct {
		asked []string
		want  string
	}{{[]string{"other", "chat"}, "chat"}, {[]string{"other"}, ""}, {nil, ""}} {
		if conn, _ := r.dial(t, "/live", nil, c.asked...); conn == nil || conn.Subprotocol() != c.want {
			t.Errorf("%v: %q, want %q", c.asked, conn.Subprotocol(), c.want)
		}
	}
}

func TestMessages(t *testing.T) {
	r := startSockets(t, nil)
	r.do["Authorizer"] = answers(verdictOf(`{"sub":"alice"}`))
	c := r.mustDial(t)
	for _, message := range []struct{ text, function string }{
		{`{"action":"say"}`, "Say"},
		{`{"action":"nothing"}`, "Default"},
		{`{"action":"$connect"}`, "Default"}, // no message calls it
		{`{"action":"$disconnect"}`, "Default"},
		{`{"action":{"a":1}}`, "Default"},
		{`{"other":"say"}`, "Default"},
		{`["say"]`, "Default"},
		{`say`, "Default"},
		{``, "Default"},
	} {
		say(t, c, message.text)
		event := decode[struct {
			Body           string
			RequestContext struct {
				EventType  string
				Authorizer map[string]string
			}
		}](t, r.next(t, message.function))
		if event.Body != message.text || event.RequestContext.EventType != "MESSAGE" || event.RequestContext.Authorizer["sub"] != "alice" || event.RequestContext.Authorizer["principalId"] != "user" {
			t.Errorf("%s: %+v", message.text, event)
		}
	}
	if n := r.calls("Authorizer"); n != 1 {
		t.Errorf("%d calls of the authorizer", n)
	}
	say(t, c, `{"action":"ask"}`)
	if got := hear(t, c); got != "answer of Ask" { // the other answers were not sent
		t.Errorf("%q", got)
	}
}

// The line about a handshake comes with the handshake, and each message has one of its own.
func TestLinesOfAConnection(t *testing.T) {
	r := startSockets(t, socketAPI(func(a *sam.API) {
		a.Routes = slices.DeleteFunc(a.Routes, func(r sam.Route) bool { return r.Path == DefaultRoute })
	}))
	c := r.mustDial(t)
	say(t, c, `{"action":"ask"}`)
	hear(t, c)
	say(t, c, `{"action":"nothing"}`)
	hear(t, c)
	want := []string{
		`{"level":"INFO","msg":"request","method":"GET","path":"/live","status":101,"ms":0}`,
		`{"level":"INFO","msg":"request","method":"MESSAGE","path":"/live ask","status":200,"ms":0}`,
		`{"level":"INFO","msg":"request","method":"MESSAGE","path":"/live","status":403,"ms":0}`,
	}
	if got := r.log.String(); got != strings.Join(want, "\n")+"\n" {
		t.Errorf("%s", got)
	}
}

func TestMessagesThatComeToNothing(t *testing.T) {
	r := startSockets(t, socketAPI(func(a *sam.API) {
		a.Routes = slices.DeleteFunc(a.Routes, func(r sam.Route) bool { return r.Path == DefaultRoute })
	}))
	c := r.mustDial(t)
	for _, m := range []struct {
		text, want string
		err        error
	}{
		{`{"action":"nothing"}`, "Forbidden", nil},
		{`{"action":"say"}`, "Internal server error", &runtime.Error{Message: "secret"}},
		{`{"action":"say"}`, "Internal server error", context.DeadlineExceeded},
		{`{"action":"say"}`, "Internal server error", runtime.ErrClosed},
	} {
		r.do["Say"] = fails(m.err)
		say(t, c, m.text)
		got := decode[map[string]string](t, hear(t, c))
		if got["message"] != m.want || len(got["connectionId"]) != 16 || len(got["requestId"]) != 16 || len(got) != 3 {
			t.Errorf("%s: %v", m.text, got)
		}
	}
}

func TestSelection(t *testing.T) {
	const message = `{"service":"chat","action":"join","n":1.50,"yes":true,"data":{"room":"r1"},"list":[1],"nothing":null}`
	for _, c := range []struct {
		expression, want string
		ok               bool
	}{
		{"$request.body.action", "join", true},
		{"${request.body.action}", "join", true},
		{"$request.body.data.room", "r1", true},
		{"${request.body.service}/${request.body.action}", "chat/join", true},
		{"${request.body.action}-${request.body.missing}", "join-", true},
		{"action", "action", true},
		{`\$default`, "$default", true},
		{"$request.body.n", "1.50", true},
		{"$request.body.yes", "true", true},
		{"$request.body.missing", "", false},
		{"$request.body.data", "", false},
		{"$request.body.list", "", false},
		{"$request.body.nothing", "", false},
		{"$request.body.action.deeper", "", false},
	} {
		s, err := compileSelection(c.expression)
		if err != nil {
			t.Errorf("%s: %v", c.expression, err)
			continue
		}
		if got, ok := s.evaluate([]byte(message)); got != c.want || ok != c.ok {
			t.Errorf("%s: %q %v", c.expression, got, ok)
		}
	}
	for _, expression := range []string{"", "$request.header.x", "$request.body", "$request.body[0]", "$request.body.a[0]", "${request.body.a[0]}", "$default", `\x`} {
		if _, err := compileSelection(expression); err == nil {
			t.Errorf("%s is taken", expression)
		}
	}
}

func TestTheEndsOfAConnection(t *testing.T) {
	end := func(t *testing.T, r *socketRig) (int, string) {
		t.Helper()
		e := decode[struct {
			RequestContext struct {
				DisconnectStatusCode int
				DisconnectReason     string
			}
		}](t, r.next(t, "Disconnect"))
		return e.RequestContext.DisconnectStatusCode, e.RequestContext.DisconnectReason
	}
	t.Run("the client closes it", func(t *testing.T) {
		r := startSockets(t, nil)
		c := r.mustDial(t)
		_ = c.Close(4000, "enough")
		if code, why := end(t, r); code != 4000 || why != "enough" {
			t.Errorf("%d %s", code, why)
		}
	})
	t.Run("the client is gone", func(t *testing.T) {
		r := startSockets(t, nil)
		c := r.mustDial(t)
		_ = c.CloseNow()
		if code, _ := end(t, r); code != 1006 {
			t.Errorf("%d", code)
		}
	})
	t.Run("a binary message", func(t *testing.T) {
		r := startSockets(t, nil)
		c := r.mustDial(t)
		_ = c.Write(t.Context(), websocket.MessageBinary, []byte("x"))
		if code := ending(t, c); code != 1003 {
			t.Errorf("%d", code)
		}
		if code, _ := end(t, r); code != 1003 {
			t.Errorf("%d", code)
		}
	})
	t.Run("a message at the limit", func(t *testing.T) {
		r := startSockets(t, nil)
		c := r.mustDial(t)
		say(t, c, strings.Repeat("x", messageLimit))
		r.next(t, "Default")
	})
	t.Run("a message over the limit", func(t *testing.T) {
		r := startSockets(t, nil)
		c := r.mustDial(t)
		say(t, c, strings.Repeat("x", messageLimit+1))
		if code := ending(t, c); code != 1009 {
			t.Errorf("%d", code)
		}
		end(t, r)
	})
	t.Run("the gateway stops", func(t *testing.T) {
		g, f, _, err := build(t, socketAPI(nil))
		if err != nil {
			t.Fatal(err)
		}
		_ = f
		if err := g.Close(); err != nil {
			t.Fatal(err)
		}
		if g.sockets.add(&socket{id: "x"}) {
			t.Error("a connection after the end")
		}
	})
}

// A connection that nobody uses is closed, and so is one that is old.
func TestConnectionsGrowOld(t *testing.T) {
	for _, limit := range []string{"idle", "life"} {
		g, f, _, err := build(t, socketAPI(func(a *sam.API) { a.Routes = a.Routes[2:] }))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range g.hosts[host].mounts {
			if limit == "idle" {
				m.gate.idleLimit = time.Millisecond
			} else {
				m.gate.lifeLimit = time.Millisecond
			}
		}
		r := &socketRig{rig: serve(t, g, f)}
		c, _ := r.dial(t, "/live", nil)
		if code := ending(t, c); code != 1001 {
			t.Errorf("%s: %d", limit, code)
		}
	}
}

// request sends a request of the management API, signed as the SDK does.
func (r *socketRig) manage(t *testing.T, method, path, body string, change func(*http.Request)) reply {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+r.address+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Host = host
	sum := sha256.Sum256([]byte(body))
	keys := aws.Credentials{AccessKeyID: credentials.ID, SecretAccessKey: credentials.Secret, SessionToken: "local"}
	if err := v4.NewSigner().SignHTTP(t.Context(), keys, req, hex.EncodeToString(sum[:]), "execute-api", "eu-west-1", clock); err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(req)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(res.Body)
	return reply{res.StatusCode, res.Header, string(text)}
}

func connectionID(t *testing.T, event string) string {
	t.Helper()
	return decode[struct{ RequestContext struct{ ConnectionID string } }](t, event).RequestContext.ConnectionID
}

func TestConnectionsAPI(t *testing.T) {
	r := startSockets(t, nil)
	c, _ := r.dial(t, "/live", http.Header{"User-Agent": {"test/1.0"}})
	id := connectionID(t, r.next(t, "Connect"))
	for _, path := range []string{"/live/@connections/" + id, "/live/%40connections/" + strings.ReplaceAll(id, "=", "%3D")} {
		if got := r.manage(t, "POST", path, "hello "+path, nil); got.status != 200 {
			t.Fatalf("%s: %d %s\n%s", path, got.status, got.body, r.log)
		}
		if got := hear(t, c); got != "hello "+path {
			t.Errorf("%q", got)
		}
	}
	path := "/live/@connections/" + id
	got := r.manage(t, "GET", path, "", nil)
	const want = `{"connectedAt":"2026-01-02T03:04:05.678Z","identity":{"sourceIp":"127.0.0.1","userAgent":"test/1.0"},"lastActiveAt":"2026-01-02T03:04:05.678Z"}`
	if got.status != 200 || got.body != want {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := r.manage(t, "POST", path, strings.Repeat("x", messageLimit+1), nil); got.status != 413 || got.header.Get("x-amzn-ErrorType") != "PayloadTooLargeException" {
		t.Errorf("too long: %d %v", got.status, got.header)
	}
	if got := r.manage(t, "PUT", path, "", nil); got.status != 403 {
		t.Errorf("another method: %d", got.status)
	}
	if got := r.manage(t, "POST", path+"x", "hello", nil); got.status != 410 || got.header.Get("x-amzn-ErrorType") != "GoneException" {
		t.Errorf("no such connection: %d %v", got.status, got.header)
	}
	if got := r.manage(t, "DELETE", path, "", nil); got.status != 204 {
		t.Errorf("%d %s", got.status, got.body)
	}
	if code := ending(t, c); code != 1000 {
		t.Errorf("%d", code)
	}
	r.next(t, "Disconnect")
	if got := r.manage(t, "POST", path, "hello", nil); got.status != 410 {
		t.Errorf("after the end: %d", got.status)
	}
}

// Only who has a function's credentials may send to a connection.
func TestConnectionsAPIRefuses(t *testing.T) {
	r := startSockets(t, nil)
	r.mustDial(t)
	for name, change := range map[string]func(*http.Request){
		"another body":         func(q *http.Request) { q.Body = io.NopCloser(strings.NewReader("HELLO")) },
		"another path":         func(q *http.Request) { q.URL.Path += "x" },
		"another method":       func(q *http.Request) { q.Method = "PUT" },
		"a query":              func(q *http.Request) { q.URL.RawQuery = "x=1" },
		"another host":         func(q *http.Request) { q.Host = "localhost:3001" },
		"another token":        func(q *http.Request) { q.Header.Set("X-Amz-Security-Token", "x") },
		"another key id":       replaceInSignature("LOCALLOCALLOCALLOCAL", "AKIDAKIDAKIDAKIDAKID"),
		"another service":      replaceInSignature("execute-api", "lambda"),
		"another day":          replaceInSignature("/20260102/", "/20260103/"),
		"a signature of none":  replaceInSignature("Signature=", "Signature=00"),
		"an unsigned host":     replaceInSignature("host;", ""),
		"an unsigned date":     replaceInSignature("x-amz-date;", ""),
		"nothing but the name": func(q *http.Request) { q.Header.Set("Authorization", "AWS4-HMAC-SHA256") },
		"signed another hour":  signedAgain(credentials, "20260102T040405Z", "execute-api", "host;x-amz-date"),
		"for another service":  signedAgain(credentials, "20260102T030405Z", "lambda", "host;x-amz-date"),
		"without the host":     signedAgain(credentials, "20260102T030405Z", "execute-api", "x-amz-date"),
		"without the date":     signedAgain(credentials, "20260102T030405Z", "execute-api", "host"),
		"a later hour":         func(q *http.Request) { q.Header.Set("X-Amz-Date", "20260102T040405Z") },
	} {
		if got := r.manage(t, "POST", "/live/@connections/x", "hello", change); got.status != 403 || got.header.Get("x-amzn-ErrorType") != "InvalidSignatureException" {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	unsigned := r.manage(t, "POST", "/live/@connections/x", "hello", func(q *http.Request) { q.Header.Del("Authorization") })
	r.wantFailure(t, unsigned, 403, `{"message":"Missing Authentication Token"}`, "MissingAuthenticationTokenException")
	for _, good := range []func(*http.Request){nil, signedAgain(credentials, "20260102T030405Z", "execute-api", "host;x-amz-date")} {
		if r.manage(t, "POST", "/live/@connections/x", "hello", good).status != 410 {
			t.Error("the signature that all of these were made from is none")
		}
	}
}

// signedAgain signs a request in full, in a way that may be none of API Gateway's.
func signedAgain(c Credentials, date, service, headers string) func(*http.Request) {
	return func(q *http.Request) {
		q.Header.Set("X-Amz-Date", date)
		scope := []string{date[:8], "eu-west-1", service, "aws4_request"}
		signature := hex.EncodeToString(c.signature(q, []byte("hello"), scope, headers))
		q.Header.Set("Authorization", algorithm+" Credential="+c.ID+"/"+strings.Join(scope, "/")+", SignedHeaders="+headers+", Signature="+signature)
	}
}

func replaceInSignature(old, new string) func(*http.Request) {
	return func(q *http.Request) {
		q.Header.Set("Authorization", strings.Replace(q.Header.Get("Authorization"), old, new, 1))
	}
}

func TestWithoutCredentialsNobodyManages(t *testing.T) {
	r := startSockets(t, func(c *Config) {
		socketAPI(nil)(c)
		c.Credentials = Credentials{}
	})
	for name, change := range map[string]func(*http.Request){"others'": nil, "none": signedAgain(Credentials{}, "20260102T030405Z", "execute-api", "host;x-amz-date")} {
		if got := r.manage(t, "POST", "/live/@connections/x", "hello", change); got.status != 403 {
			t.Errorf("%s: %d", name, got.status)
		}
	}
}

func TestSocketConfigurationsThatAreRefused(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*sam.API)
		want   string
	}{
		{"a cache", func(a *sam.API) {
			a.Authorizers["Session"] = sam.Authorizer{Function: "Authorizer", TTL: 1, Sources: []string{"route.request.header.Cookie"}}
		}, "a WebSocket API has no cache"},
		{"a source of HTTP APIs", func(a *sam.API) {
			a.Authorizers["Session"] = sam.Authorizer{Function: "Authorizer", Sources: []string{"$request.header.Cookie"}}
		}, "$request.header.Cookie is not modelled"},
		{"no selection", func(a *sam.API) { a.Selection = "" }, "a route selection expression is missing"},
		{"a selection by header", func(a *sam.API) { a.Selection = "$request.header.x" }, "is not modelled"},
	} {
		if _, _, _, err := build(t, socketAPI(c.change)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %s", c.name, err, c.want)
		}
	}
}
