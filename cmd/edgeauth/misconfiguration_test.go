package main

// This file reads what somebody is told whose settings are wrong: what is wrong, where, and what would do.

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
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
