package main

// This file reads what somebody is told whose settings are wrong: what is wrong, where, and what would do.

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"edgeauth/internal/page"
	"edgeauth/internal/reason"
)

func TestMisconfigurations(t *testing.T) {
	t.Parallel()
	a := realAuthorizer(t, "")
	folder := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	var crowd []string // more groups than API Gateway takes
	for i := range 250 {
		crowd = append(crowd, "department-of-quality-assurance-"+strconv.Itoa(i))
	}
	claims := func(name, text string) []string { return []string{"-claims", write(name, text)} }
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := strconv.Itoa(taken.Addr().(*net.TCPAddr).Port)
	run := func(args ...string) []string {
		return append([]string{"run", "-app-port", "0", "-cognito-port", "0"}, args...)
	}
	// Later settings replace earlier ones.
	ask := func(args ...string) []string {
		return append([]string{
			"explain", "/x", "-authorizer", filepath.Dir(a.program.Binary), "-set", "AUTH_ISSUER=" + issuer, "-set", "AUTH_CLIENT_IDS=web", "-set", "AUTH_RULES=* /* signed-in",
		}, args...)
	}
	for _, c := range []struct {
		name string
		args []string
		code int
		want []string // each is said somewhere
	}{
		{"another issuer", ask(claims("a", `{"iss":"https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Other"}`)...), exitNo, []string{"token_issuer", "compare AUTH_ISSUER with the token's issuer"}},
		{"an issuer that is none", ask("-set", "AUTH_ISSUER=eu-west-1_Example"), exitNo, []string{"config: AUTH_ISSUER"}},
		{"another client", ask(claims("b", `{"aud":"other"}`)...), exitNo, []string{"token_audience", "compare AUTH_CLIENT_IDS with the client that the token is for"}},
		{"keys that are nowhere", ask("-set", "AUTH_JWKS_URL=http://example.com/jwks.json"), exitNo, []string{"config: AUTH_JWKS_URL"}},
		{"malformed rules", ask("-set", "AUTH_RULES=* x signed-in"), exitNo, []string{"policy: line 1: path does not begin with a slash", `"x"`}},
		{"a file of rules that is missing", []string{"rules", "show", "-rules", filepath.Join(folder, "nowhere.rules")}, exitNo, []string{"nowhere.rules: no such file"}},
		{"no settings", []string{"explain", "/x", "-authorizer", filepath.Dir(a.program.Binary)}, exitNo, []string{"config: AUTH_ISSUER is not set", "config: AUTH_CLIENT_IDS is not set"}},
		{"a port that is taken", []string{"run", "-app-port", port}, exitNo, []string{"port " + port + " is taken", "choose another with -app-port"}},
		{"broken YAML", run("-template", write("template.yaml", "Resources: [")), exitNo, []string{"template.yaml", "not YAML"}},
		{"an unknown parameter", run("-template", "../../local/testdata/template.yaml", "-param", "Nope=1"), exitNo, []string{"there is no parameter Nope"}},
		{"a bad flag", run("-rules", "x"), exitUsage, []string{"flag provided but not defined: -rules", "-h explains it"}},
		{"a clock behind the pool's", ask(claims("c", `{"iat":4000000000,"exp":4000003600}`)...), exitNo, []string{"token_not_yet_valid", "compare the clocks"}},
		{"a clock ahead of the pool's", ask(claims("d", `{"iat":1000000000,"auth_time":1000000000,"exp":1000003600}`)...), exitNo, []string{"token_expired", "ended "}},
		{"cookies that would be too large", ask(claims("e", `{"cognito:groups":["`+strings.Join(crowd, `","`)+`"]}`)...), exitNo, []string{"too_large", "fewer groups"}},
		{"a malformed list of trusted pools", ask("-set", "AUTH_TRUST={"), exitNo, []string{"config: AUTH_TRUST"}},
		{"a password for another machine, in the clear", []string{"cookie", "-url", "http://app.example.com/Prod", "-user", "alice"}, exitUsage, []string{"a password goes to https only, or to this machine"}},
	} {
		got := on(t, nil, c.args...)
		if got.code != c.code {
			t.Errorf("%s: exit code %d, want %d", c.name, got.code, c.code)
		}
		for _, want := range c.want {
			if !strings.Contains(got.stdout+got.stderr, want) {
				t.Errorf("%s: %q is not said:\n%s%s", c.name, want, got.stdout, got.stderr)
			}
		}
	}
}

// TestWrongPassword signs in at the real stand-in with a password that is not the user's.
func TestWrongPassword(t *testing.T) {
	got := on(t, []string{"PASSWORD=wrong"}, "cookie", "-url", newPool(t, false), "-user", "alice@example.com")
	if got.code != exitNo || !strings.Contains(got.stderr, "did not accept the name and the password: check -user and the variable PASSWORD") || strings.Contains(got.stderr, "wrong") {
		t.Errorf("%+v", got)
	}
}

// TestSessionThatDoesNotFit ends a sign-in on the page that the callback shows to somebody whose session no browser would hold.
func TestSessionThatDoesNotFit(t *testing.T) {
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, page.Frame{Code: reason.LoginTooLarge}.Show(page.Explain(reason.LoginTooLarge, page.Places{})).HTML)
	}))
	defer app.Close()
	got := on(t, nil, "cookie", "-url", app.URL+"/Prod")
	want := "with 400, reason login_too_large (docs/operations.md says what to do), and no session"
	if got.code != exitNo || !strings.Contains(got.stderr, want) {
		t.Errorf("%+v", got)
	}
}

// TestWrongGo runs make where go.mod wants a Go that nobody has, and none may be fetched.
func TestWrongGo(t *testing.T) {
	folder := t.TempDir()
	makefile, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{"Makefile": makefile, "go.mod": []byte("module edgeauth\n\ngo 1.99.0\n")} {
		if err := os.WriteFile(filepath.Join(folder, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := exec.Command("make", "-s", "tool")
	run.Dir, run.Env = folder, append(os.Environ(), "GOTOOLCHAIN=local")
	out, err := run.CombinedOutput()
	for _, want := range []string{"go.mod requires go >= 1.99.0", "this needs Go 1.99.0, and go1.", "https://go.dev/dl has it, or GOTOOLCHAIN=auto lets go fetch it"} {
		if err == nil || !strings.Contains(string(out), want) {
			t.Errorf("%v: %q is not said:\n%s", err, want, out)
		}
	}
}
