// The other two kinds of API with the real authorizer: an HTTP API at /notes on the application's domain, and a WebSocket API on a host of its own.
package e2e

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/coder/websocket"
)

// kinds is the local system with two stacks on one domain.
type kinds struct {
	*system
	port string
}

func startKinds(t *testing.T, flags ...string) kinds {
	t.Helper()
	return startStack(t, filepath.Join(repository, "examples/kinds/template.yaml"), flags...)
}

// altered is the example with one text replaced, beside its functions.
func altered(t *testing.T, old, replacement string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "kinds")
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(repository, "examples/kinds"))); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "template.yaml")
	text := string(must(os.ReadFile(path)))
	if !strings.Contains(text, old) {
		t.Fatalf("the example has no %q", old)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(text, old, replacement, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func startStack(t *testing.T, second string, flags ...string) kinds {
	t.Helper()
	appPort, cognitoPort := freePort(t), freePort(t)
	if err := build(); err != nil {
		t.Fatal(err)
	}
	s := launch(t, append([]string{
		"-template", template(), "-template", second, "-app-port", appPort, "-cognito-port", cognitoPort,
		"-param", "AppDomain=app.example.com", "-param", "AppCertificateArn=arn:aws:acm:eu-west-1:123456789012:certificate/here",
		"-param", "AccessRules=* /* signed-in\n* /admin/* group:admins",
	}, flags...)...)
	s.app, s.cognito = "http://localhost:"+appPort, "http://127.0.0.1:"+cognitoPort
	if !s.output.wait(regexp.MustCompile(`(?m)^ready `+regexp.QuoteMeta(s.app)+`/$`), s.exited, 4*readyWithin) {
		t.Fatalf("the system did not get ready:\n%s", s.output)
	}
	return kinds{s, appPort}
}

// connect makes a connection to the WebSocket API, or says which status the handshake was answered with.
func (k kinds) connect(t *testing.T, header http.Header) (*websocket.Conn, int) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, "localhost:"+k.port) // not everything resolves names under localhost
	}}}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	c, res, err := websocket.Dial(ctx, "ws://kinds-socketapi.localhost:"+k.port+"/live", &websocket.DialOptions{HTTPClient: client, HTTPHeader: header})
	if res == nil {
		t.Fatal(err)
	}
	if err == nil {
		t.Cleanup(func() { _ = c.CloseNow() })
	}
	return c, res.StatusCode
}

func (k kinds) cookieOf(b *browser) string {
	var pairs []string
	for _, c := range k.sessionCookies(b) {
		pairs = append(pairs, c.name+"="+c.value)
	}
	return strings.Join(pairs, "; ")
}

func TestHTTPAPI(t *testing.T) {
	const payload = "AuthorizerPayloadFormatVersion: '2.0'"
	for name, c := range map[string]struct{ authorizer, simple string }{
		"payload 2.0, policies":       {payload, "false"},
		"payload 2.0, simple answers": {payload + "\n            EnableSimpleResponses: true", "true"},
		"payload 1.0":                 {"AuthorizerPayloadFormatVersion: '1.0'", "false"},
	} {
		t.Run(name, func(t *testing.T) {
			walkHTTPAPI(t, startStack(t, altered(t, payload, c.authorizer), "-param", "EdgeAuth.UserBearer=true", "-env", "EdgeAuth/AuthorizerFunction.AUTH_SIMPLE_RESPONSES="+c.simple))
		})
	}
}

func walkHTTPAPI(t *testing.T, k kinds) {
	navigation := []string{"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document", "Accept", "text/html"}
	forbidden := func(what string, e exchange) {
		t.Helper()
		if e.status != http.StatusForbidden || e.body != `{"message":"Forbidden"}` || e.header.Get("Location") != "" {
			t.Errorf("%s: %v %s", what, e, e.body)
		}
	}
	// Nobody can be led to the login from here.
	forbidden("a navigation without a session", plain(t, http.MethodGet, k.app+"/notes/x", "", navigation...))
	forbidden("a program without a session", plain(t, http.MethodGet, k.app+"/notes/x", ""))
	forbidden("a cookie that is none", plain(t, http.MethodGet, k.app+"/notes/x", "__Host-id=x"))
	forbidden("a token that is none", plain(t, http.MethodGet, k.app+"/notes/x", "", "Authorization", "Bearer x"))

	people := map[string]*browser{alice: newBrowser(t), bob: newBrowser(t)}
	for user, b := range people {
		signIn(t, k.system, b, k.app+"/", user) // at the REST API of the other stack, on the same domain
		for _, path := range []string{"/notes/", "/notes/x/y?q=1"} {
			me := wantJSON(t, b.visit(k.app+path), http.StatusOK)
			if me["email"] != user || me["token_use"] != "id" || me["path"] != strings.Split(path, "?")[0] {
				t.Errorf("%s is %v", path, me)
			}
		}
	}
	wantJSON(t, people[alice].visit(k.app+"/notes/admin/x"), http.StatusOK)
	forbidden("somebody who may not", people[bob].visit(k.app+"/notes/admin/x"))
	forbidden("somebody who may not, with an escape", people[bob].visit(k.app+"/notes/%61dmin/x"))
	forbidden("a form of another site", plain(t, http.MethodPost, k.app+"/notes/x", k.cookieOf(people[alice]), "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"))

	token := k.accessToken(t, "-user", bob)
	if me := wantJSON(t, plain(t, http.MethodGet, k.app+"/notes/x", "", "Authorization", "Bearer "+token), http.StatusOK); me["token_use"] != "access" {
		t.Errorf("a bearer is %v", me)
	}
}

func TestWebSocketAPI(t *testing.T) {
	k := startKinds(t, "-param", "EdgeAuth.UserBearer=true")
	own := "https://kinds-socketapi.localhost:" + k.port // what the authorizer takes for the API's own origin
	b := newBrowser(t)
	signIn(t, k.system, b, k.app+"/", alice)
	cookie := k.cookieOf(b)
	for _, c := range []struct {
		name   string
		header http.Header
		status int
		author string
	}{
		{"nobody", nil, 401, ""},
		{"a cookie that is none", http.Header{"Cookie": {"__Host-id=x"}, "Origin": {own}}, 401, ""},
		{"a session", http.Header{"Cookie": {cookie}, "Origin": {own}}, 101, alice},
		{"a session, from another site", http.Header{"Cookie": {cookie}, "Origin": {"https://evil.example"}}, 403, ""},
		{"a session, from nowhere", http.Header{"Cookie": {cookie}}, 403, ""},
		{"a bearer", http.Header{"Authorization": {"Bearer " + k.accessToken(t, "-user", bob)}}, 101, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			socket, status := k.connect(t, c.header)
			if status != c.status {
				t.Fatalf("status %d, want %d\n%s", status, c.status, k.output)
			}
			if status != 101 {
				return
			}
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			for _, text := range []string{"hello", `{"action":"$connect"}`} {
				if err := socket.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
					t.Fatal(err)
				}
				_, said, err := socket.Read(ctx)
				if err != nil {
					t.Fatal(err)
				}
				var answer struct{ From, Text string }
				if err := json.Unmarshal(said, &answer); err != nil || answer.Text != text || answer.From == "" || c.author != "" && answer.From != c.author {
					t.Errorf("%s: %s", text, said)
				}
			}
		})
	}
}

// Keys out of reach are neither a yes nor a no, whichever kind of API asks.
func TestOtherKindsCannotTell(t *testing.T) {
	k := startKinds(t, "-env", "EdgeAuth/AuthorizerFunction.AUTH_JWKS_URL=http://127.0.0.1:1/")
	b := newBrowser(t)
	signIn(t, k.system, b, k.app+"/", alice) // the callback has keys of its own
	cookie := k.cookieOf(b)
	if e := plain(t, http.MethodGet, k.app+"/notes/x", cookie); e.status != http.StatusInternalServerError || e.body != `{"message":"Internal Server Error"}` {
		t.Errorf("HTTP API: %v %s", e, e.body)
	}
	if _, status := k.connect(t, http.Header{"Cookie": {cookie}, "Origin": {"https://kinds-socketapi.localhost:" + k.port}}); status != http.StatusInternalServerError {
		t.Errorf("WebSocket API: %d", status)
	}
}

// In a browser the HTTP API on the application's domain has the session, and the WebSocket API has not: its host is another, and so are its cookies.
func TestChromeOtherKinds(t *testing.T) {
	b := openBrowser(t)
	k := startKinds(t)
	b.open(k.app + "/")
	b.submitLogin(alice)
	b.requireSignedIn(alice)
	b.open(k.app + "/notes/") // JSON, which has no policy of its own about where scripts may connect to
	if status, body := b.fetch(http.MethodGet, "/notes/x?q=1"); status != http.StatusOK || !strings.Contains(body, alice) {
		t.Errorf("HTTP API: %d %s", status, body)
	}
	outcome := run(b, chromedp.Evaluate[string](`new Promise(done => {
		const socket = new WebSocket("ws://kinds-socketapi.localhost:`+k.port+`/live")
		socket.onopen = () => done("open")
		socket.onclose = e => done("closed with " + e.code)
	})`, chromedp.EvalAwaitPromise))
	if outcome != "closed with 1006" { // all that a script learns of a 401
		t.Errorf("WebSocket API: %s", outcome)
	}
	if !k.output.wait(regexp.MustCompile(`"method":"GET","path":"/live","status":401`), k.exited, 5*time.Second) {
		t.Errorf("no handshake was refused:\n%s", k.output)
	}
}
