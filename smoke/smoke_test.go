package smoke

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestOpenDoorFails tries a system that lets everybody in: nothing may be called good about it.
func TestOpenDoorFails(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		fmt.Fprint(w, "<html>welcome")
	}))
	defer s.Close()
	me, err := New(s.URL+"/Prod", "alice@example.com", "x")
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := me.Check(t.Context(), &out, false); err == nil {
		t.Fatal("it passed")
	}
	for _, line := range []string{
		"FAIL    a program gets 401: 200, not 401",
		"FAIL    and one with a cookie that is no token",
		"FAIL    a page sends to the login and back to /reports?q=1: 200",
		"FAIL    a preflight lets no foreign origin in: allows *",
		"FAIL    the login page takes name and password",
	} {
		if !strings.Contains(out.String(), line) {
			t.Errorf("no line %q in\n%s", line, out.String())
		}
	}
	if strings.Contains(out.String(), "PASS    a program") {
		t.Error(out.String())
	}
}

// TestHTTP2 signs in over HTTP/2 on a login in two steps, and counts what the server saw.
func TestHTTP2(t *testing.T) {
	var seen []string
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, fmt.Sprintf("%s %s %s", r.Proto, r.Method, r.URL.Path))
		cookie, _ := r.Cookie("__Host-id")
		switch {
		case r.URL.Path == "/Prod/auth/login":
			fmt.Fprint(w, `<noscript><meta http-equiv="refresh" content="0; url=/Prod/name?a=1&amp;b=2"></noscript>`)
		case r.URL.Path == "/Prod/name" && r.URL.RawQuery != "a=1&b=2":
			http.Error(w, "the address was not unescaped", 400)
		case r.URL.Path == "/Prod/name":
			fmt.Fprint(w, `<form action="password" method=post><input type=hidden name=_csrf value="x&amp;y"><input type="text" name="username"></form>`)
		case r.URL.Path == "/Prod/password" && r.FormValue("_csrf") == "x&y" && r.FormValue("username") == "alice@example.com":
			fmt.Fprint(w, `<form action="end" method=post><input name='password' type='password'></form>`)
		case r.URL.Path == "/Prod/end" && r.FormValue("password") == "right":
			w.Header().Set("Set-Cookie", "__Host-id=a.b.c; Path=/; Secure; HttpOnly")
			http.Redirect(w, r, "/Prod/", http.StatusFound)
		case cookie != nil:
			fmt.Fprint(w, "welcome")
		default:
			http.Redirect(w, r, "/Prod/auth/login", http.StatusFound)
		}
	}))
	s.EnableHTTP2 = true
	s.StartTLS()
	defer s.Close()
	target, err := New(s.URL+"/Prod/", "alice@example.com", "right")
	if err != nil {
		t.Fatal(err)
	}
	b := newBrowser(target, http2)
	b.client.Transport.(*http.Transport).TLSClientConfig.RootCAs = s.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	// Every page of this server has the application's host, so nothing but the form says that it is a login page.
	a, err := b.signIn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if a.body != "welcome" || b.session() != "__Host-id=a.b.c" || a.proto != "HTTP/2.0" {
		t.Errorf("%q %q over %s after %q", a.body, b.session(), a.proto, seen)
	}
}

func TestTargets(t *testing.T) {
	for _, tt := range []struct{ url, user, password, want string }{
		{"https://example.com/Prod/", "a", "p", ""},
		{"http://localhost:3000/Prod", "a", "", ""},
		{"http://127.0.0.1:3000/Prod", "a", "", ""},
		{"http://example.com/Prod", "a", "p", "a password goes to https only, or to this machine"},
		{"https://example.com/Prod", "a", "", "the variable PASSWORD is empty"},
		{"https://example.com/Prod", "", "p", "say who signs in: -user"},
		{"example.com", "a", "p", `"example.com" is not the address of an application`},
	} {
		if _, err := New(tt.url, tt.user, tt.password); fmt.Sprint(err) != tt.want && (err != nil || tt.want != "") {
			t.Errorf("%s: %v, want %s", tt.url, err, tt.want)
		}
	}
}

// TestAdminCookie puts a stand-in for the AWS CLI first on the path. What it was told must hold neither password nor secret in an argument.
func TestAdminCookie(t *testing.T) {
	const script = `#!/bin/sh
echo "$*" >>"$LOG"; cat "${4#file://}" >>"$LOG.sent"
case "$2" in
describe-user-pool-domain) echo '{"DomainDescription":{"UserPoolId":"eu-west-1_A"}}' ;;
describe-user-pool-client) echo '{"UserPoolClient":{"ClientSecret":"s3cret"}}' ;;
*) if [ -n "$SAID" ]; then echo "$SAID" >&2; exit 254; fi; echo "$ANSWER" ;;
esac
`
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "aws"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(folder, "log")
	t.Setenv("PATH", folder+":"+os.Getenv("PATH"))
	t.Setenv("LOG", log)
	t.Setenv("TMPDIR", folder)
	me := Target{user: "alice@example.com", password: "pa55word"}
	b := newBrowser(me, http1)
	b.Target, _ = New("https://app.example.com", me.user, me.password)
	authorize := b.to("/")
	authorize.Host, authorize.RawQuery = "edge.auth.eu-west-1.amazoncognito.com", "client_id=abc"

	for _, tt := range []struct{ answer, said, cookie, want string }{
		{`{"AuthenticationResult":{"IdToken":"a.b.c"}}`, "", "__Host-id=a.b.c", ""},
		{`{"ChallengeName":"NEW_PASSWORD_REQUIRED"}`, "", "", "the pool wants NEW_PASSWORD_REQUIRED of this user first: sign in with a browser once"},
		{"", "An error occurred (InvalidParameterException) when calling the AdminInitiateAuth operation: Auth flow not enabled for this client", "", errNotAllowed.Error()},
		{"", "An error occurred (NotAuthorizedException) when calling the AdminInitiateAuth operation: pa55word", "", "admin-initiate-auth: NotAuthorizedException"},
		{"", "Unable to locate credentials", "", "admin-initiate-auth: the AWS CLI failed; is it signed in?"},
	} {
		t.Setenv("ANSWER", tt.answer)
		t.Setenv("SAID", tt.said)
		cookie, err := me.adminCookie(context.Background(), authorize)
		if cookie != tt.cookie || tt.want != "" && (err == nil || err.Error() != tt.want) {
			t.Errorf("%q %v, want %q %q", cookie, err, tt.cookie, tt.want)
		}
	}
	told, _ := os.ReadFile(log)
	if left, _ := filepath.Glob(filepath.Join(folder, "smoke-*")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
	if strings.Contains(string(told), "pa55word") || strings.Contains(string(told), "s3cret") || !strings.Contains(string(told), "--region eu-west-1") {
		t.Errorf("arguments: %s", told)
	}
	sent, _ := os.ReadFile(log + ".sent")
	if !bytes.Contains(sent, []byte(`"SECRET_HASH":"`+secretHash("s3cret", "alice@example.comabc")+`"`)) {
		t.Errorf("sent: %s", sent)
	}
}

func TestNoPool(t *testing.T) {
	if _, err := (Target{}).adminCookie(t.Context(), nil); err == nil || errors.Is(err, errNotAllowed) {
		t.Error(err)
	}
}

func TestPlain(t *testing.T) {
	if got := plain("a\x1b[31m\nb" + strings.Repeat("c", 300)); strings.ContainsAny(got, "\x1b\n") || len(got) > 210 {
		t.Errorf("%q", got)
	}
}

func TestLines(t *testing.T) {
	if got := lines("a=1; b=2"); !slices.Equal(got, []string{"Cookie", "a=1", "Cookie", "b=2"}) {
		t.Errorf("%q", got)
	}
}

func TestNothingTriedIsNothingProven(t *testing.T) {
	if err := (&report{out: io.Discard}).verdict(); err == nil {
		t.Error("it passed")
	}
}
