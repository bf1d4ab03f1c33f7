package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"edgeauth/internal/apigw"
	"edgeauth/internal/explain"
	"edgeauth/internal/reason"
	"edgeauth/local/runtime"
)

// built is the authorizer's binary, made once as it is deployed, but for this machine.
var built = sync.OnceValues(func() (string, error) {
	folder, err := os.MkdirTemp("", "explain-")
	if err != nil {
		return "", err
	}
	cmd := exec.Command("go", "build", "-tags", "lambda.norpc", "-o", filepath.Join(folder, "bootstrap"), "../../authorizer")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return filepath.Join(folder, "bootstrap"), nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if binary, err := built(); err == nil {
		_ = os.RemoveAll(filepath.Dir(binary))
	}
	os.Exit(code)
}

const issuer = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Explain01"

// real is an authorizer with a table of rules.
func realAuthorizer(t *testing.T, rules string) authorizer {
	t.Helper()
	binary, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return authorizer{
		program: runtime.Program{Binary: binary, Folder: filepath.Dir(binary)}, stage: "Prod",
		environment: map[string]string{
			"AUTH_ISSUER": issuer, "AUTH_CLIENT_IDS": "web", "AUTH_BEARER_CLIENT_IDS": "robot", "AUTH_RULES": rules, "AUTH_JWKS_URL": "http://127.0.0.1:1/jwks.json",
		},
	}
}

// credentials are what a request may carry: claims for a token that is made of them, or a header.
var credentials = []struct {
	name, claims, cookie string
	spoil                bool
	want                 reason.Code // by a table that lets in whoever is signed in
}{
	{name: "nobody", want: reason.NoSession},
	{name: "a user", claims: `{"cognito:groups":["admins"]}`, want: reason.OK},
	{name: "no token", cookie: "__Host-id=x", want: reason.TokenMalformed},
	{name: "a piece is missing", cookie: "__Host-id=2~abc", want: reason.CookieBroken},
	{name: "two sessions", cookie: "__Host-id=a.b.c; __Host-id=d.e.f", want: reason.CookieConflict},
	{name: "another pool", claims: `{"iss":"https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Other"}`, want: reason.TokenIssuer},
	{name: "another client", claims: `{"aud":"other"}`, want: reason.TokenAudience},
	{name: "over", claims: `{"exp":1000000000,"iat":999999000,"auth_time":999999000}`, want: reason.TokenExpired},
	{name: "of the future", claims: `{"iat":4000000000,"exp":4000003600}`, want: reason.TokenNotYetValid},
	{name: "no subject", claims: `{"sub":null}`, want: reason.TokenClaims},
	{name: "a machine", claims: `{"token_use":"access","scope":"reports/read"}`, want: reason.OK},
	{name: "a forged token", claims: `{}`, spoil: true, want: reason.TokenSignature},
}

// TestExplanationIsTheAuthorizers holds what is explained against what the real binary decides, over every kind of API and credential.
func TestExplanationIsTheAuthorizers(t *testing.T) {
	t.Parallel()
	for _, kind := range []apigw.Kind{apigw.REST, apigw.HTTP1, apigw.HTTP2, apigw.WebSocket} {
		for _, c := range credentials {
			a, r := realAuthorizer(t, "* /* signed-in\n* $connect signed-in\n"), explain.Request{Kind: kind, Method: "GET", Host: "app.example.com", Path: "/x?q=1", Stage: "Prod", Base: "/Prod"}
			if kind == apigw.WebSocket { // a handshake without an Origin may be anybody's
				r.Headers = append(r.Headers, [2]string{"Origin", "https://app.example.com"})
			}
			if c.cookie != "" {
				r.Headers = append(r.Headers, [2]string{"Cookie", c.cookie})
			}
			if c.claims != "" {
				header, err := a.pretend([]byte(c.claims), time.Now())
				if err != nil {
					t.Fatal(err)
				}
				if c.spoil { // the key is the one that its name means, and this is no signature of it
					header[1] = header[1][:len(header[1])-10] + "AAAAAAAAAA"[:9] + "A"
				}
				r.Headers = append(r.Headers, header)
			}
			e, err := a.explain(t.Context(), r)
			if err != nil || e.Reason != c.want {
				t.Errorf("%s, %s: %s %v, want %s", kind, c.name, e.Reason, err, c.want)
			}
			if e.Gets == "" || e.Do == "" {
				t.Errorf("%s, %s: nothing is said about what follows: %+v", kind, c.name, e)
			}
		}
	}
}

// TestExplanationOfRefusals does so for what a request itself can do wrong, and where nobody can tell.
func TestExplanationOfRefusals(t *testing.T) {
	t.Parallel()
	const rules = "* /x signed-in\n* /a/* signed-in\n* /open/* anyone\n* /robots/* machine\n* /admin/* group:admins max-age:10m\nGET /export scope:reports/read\n"
	for _, c := range []struct {
		name, method, path, claims string
		headers                    [][2]string
		want                       reason.Code
		gets                       string
	}{
		{"a group", "GET", "/admin/x", `{}`, nil, reason.GroupRequired, "302 to /Prod/auth/denied?reason=group_required, which answers a program 403 and JSON (gateway response ACCESS_DENIED)"},
		{"a scope", "GET", "/export", `{}`, nil, reason.ScopeRequired, "302 to /Prod/auth/denied?reason=scope_required, which answers a program 403 and JSON (gateway response ACCESS_DENIED)"},
		{"an old sign-in", "GET", "/admin/x", `{"cognito:groups":["admins"],"auth_time":1700000000}`, nil, reason.StepUp, "302 to /Prod/auth/denied?reason=step_up_required, which answers a program 403 and JSON (gateway response ACCESS_DENIED)"},
		{"another site", "POST", "/x", `{}`, [][2]string{{"Origin", "https://evil.example"}}, reason.CrossSite, "302 to /Prod/auth/denied?reason=cross_site, which answers a program 403 and JSON (gateway response ACCESS_DENIED)"},
		{"another method", "GET", "/x", `{}`, [][2]string{{"X-HTTP-Method-Override", "DELETE"}}, reason.Override, "302 to /Prod/auth/denied?reason=method_override, which answers a program 403 and JSON (gateway response ACCESS_DENIED)"},
		{"a path", "GET", "/a//b", `{}`, nil, reason.PathNotPlain, "302 to /Prod/auth/denied?reason=path_not_canonical, which answers a program 403 and JSON (gateway response ACCESS_DENIED)"},
		{"a page, signed out", "GET", "/x", "", [][2]string{{"Sec-Fetch-Mode", "navigate"}, {"Sec-Fetch-Dest", "document"}}, reason.NoSession, "302 to /Prod/auth/login?return_to=%2FProd%2Fx (gateway response ACCESS_DENIED)"},
		{"a program, signed out", "GET", "/x", "", nil, reason.NoSession, "401 and JSON (gateway response UNAUTHORIZED)"},
		{"anyone", "GET", "/open/x", "", nil, reason.OK, "the backend's answer"},
		{"anyone, with a session that is over", "GET", "/open/x", `{"exp":1000000000,"iat":999999000,"auth_time":999999000}`, nil, reason.OK, "the backend's answer"},
		{"a person at a machine's door", "GET", "/robots/x", `{}`, nil, reason.MachineRequired, "302 to /Prod/auth/denied?reason=machine_required, which answers a program 403 and JSON (gateway response ACCESS_DENIED)"},
		{"letters of the other case", "GET", "/Admin/x", `{}`, nil, reason.PathNotPlain, "302 to /Prod/auth/denied?reason=path_not_canonical, which answers a program 403 and JSON (gateway response ACCESS_DENIED)"},
		{"let in", "GET", "/x", `{}`, nil, reason.OK, "the backend's answer"},
	} {
		a, r := realAuthorizer(t, rules), explain.Request{Kind: apigw.REST, Method: c.method, Host: "app.example.com", Path: c.path, Stage: "Prod", Base: "/Prod", Headers: c.headers}
		if c.claims != "" {
			header, err := a.pretend([]byte(c.claims), time.Now())
			if err != nil {
				t.Fatal(err)
			}
			r.Headers = append(r.Headers, header)
		}
		if e, err := a.explain(t.Context(), r); err != nil || e.Reason != c.want || e.Gets != c.gets {
			t.Errorf("%s: %s %v, want %s\ngot  %s\nwant %s", c.name, e.Reason, err, c.want, e.Gets, c.gets)
		}
	}
	a := realAuthorizer(t, rules)
	header, err := a.pretend([]byte(`{}`), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	delete(a.environment, "AUTH_JWKS") // now the keys would have to be fetched
	e, err := a.explain(t.Context(), explain.Request{Kind: apigw.REST, Method: "GET", Host: "app.example.com", Path: "/x", Stage: "Prod", Base: "/Prod", Headers: [][2]string{header}})
	if err != nil || e.Reason != reason.KeysUnavailable || e.Outcome != reason.CannotTell || e.Gets != "500 and JSON, with Retry-After" {
		t.Errorf("without keys: %+v %v", e, err)
	}
}

// TestExplanationOnRandomRules does so for tables that nobody thought of.
func TestExplanationOnRandomRules(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	pick := func(list ...string) string { return list[random.IntN(len(list))] }
	seen := map[reason.Code]int{}
	for range 60 {
		rules := ""
		for range 1 + random.IntN(5) {
			rules += pick("*", "GET", "POST,PUT") + " " + pick("/*", "/a/*", "/a/b", "/c") + " " + pick("signed-in", "group:g", "scope:s/r", "max-age:10m", "group:h max-age:1h") + "\n"
		}
		a, r := realAuthorizer(t, rules), explain.Request{Kind: apigw.REST, Method: pick("GET", "POST"), Host: "app.example.com", Path: pick("/a", "/a/b", "/a/b/c", "/c", "/d"), Stage: "Prod", Base: "/Prod"}
		claims := pick(`{}`, `{"cognito:groups":["g","h"]}`, `{"cognito:groups":["h"],"auth_time":1700000000}`, `{"token_use":"access","scope":"s/r"}`)
		header, err := a.pretend([]byte(claims), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		r.Headers = append(r.Headers, header)
		e, err := a.explain(t.Context(), r)
		if err != nil {
			t.Errorf("%s %s with %s by\n%s%v", r.Method, r.Path, claims, rules, err)
		}
		seen[e.Reason]++
	}
	if len(seen) < 4 {
		t.Errorf("only %v", seen)
	}
}

// TestExplainCommand reads what somebody sees.
func TestExplainCommand(t *testing.T) {
	t.Parallel()
	a := realAuthorizer(t, "")
	claims := filepath.Join(t.TempDir(), "claims.json")
	if err := os.WriteFile(claims, []byte(`{"email":"bob\u001b[31m@example.com","cognito:groups":["editors"]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	flags := []string{
		"-authorizer", filepath.Dir(a.program.Binary), "-set", "AUTH_ISSUER=" + issuer, "-set", "AUTH_CLIENT_IDS=web", "-set", "AUTH_RULES=* /* signed-in\n* /admin/* group:admins",
	}
	got := on(t, nil, append([]string{"explain", "GET", "https://app.example.com/Prod/admin/x", "-claims", claims}, flags...)...)
	for _, line := range []string{
		"Request      GET /Prod/admin/x, of a program\n",
		"Credential   the session cookie __Host-id\n",
		"Token says   id token of bob [31m@example.com, issued by " + issuer + "\n",
		"             groups: editors\n",
		"  no           do the rules let this caller in?\n",
		"  not reached  does the answer fit",
		"  satisfied    line 1: * /* signed-in\n",
		"  not          line 2: * /admin/* group:admins, lacks group:admins\n",
		"  Deny         arn:aws:execute-api:eu-west-1:123456789012:explained0/Prod/GET/admin/*   <- decides\n",
		"Decision     refused: group_required\n",
		"Do           put the user into the group, and let him sign in anew; or change the rule\n",
	} {
		if !strings.Contains(got.stdout, line) {
			t.Errorf("no line %q in\n%s", line, got.stdout)
		}
	}
	if got.code != exitNo || got.stderr != "" || strings.Contains(got.stdout, "eyJ") || strings.Contains(got.stdout, "\x1b") {
		t.Errorf("%+v", got)
	}

	got = on(t, nil, append([]string{"explain", "/x", "-json", "-claims", claims}, flags...)...)
	var e explain.Explanation
	if err := json.Unmarshal([]byte(got.stdout), &e); err != nil || got.code != exitDone || e.Outcome != reason.Allowed || len(e.Checks) != 13 || strings.Contains(got.stdout, "eyJ") {
		t.Errorf("%v %+v", err, got)
	}

	// The table in the binary, and keys that are nowhere to be had.
	got = on(t, nil, append([]string{"explain", "/x", "-claims", claims}, flags[:6]...)...)
	if got.code != exitDone || !strings.Contains(got.stdout, ": * /* user\n") {
		t.Errorf("the shipped rules: %+v", got)
	}
	// A genuine token whose key nobody can look up: neither a yes nor a no.
	token, _, err := sign(map[string]any{
		"iss": issuer, "aud": "web", "sub": "s", "token_use": "id", "cognito:username": "u", "iat": time.Now().Unix(), "auth_time": time.Now().Unix(), "exp": time.Now().Unix() + 60,
	})
	if err != nil {
		t.Fatal(err)
	}
	got = on(t, nil, append([]string{"explain", "/x", "-cookie", "__Host-id=" + token, "-set", "AUTH_JWKS_URL=http://127.0.0.1:1/jwks.json"}, flags...)...)
	if got.code != exitUnknown || !strings.Contains(got.stdout, "  cannot tell  does the pool publish the key that it names?\n") || strings.Contains(got.stdout, token) {
		t.Errorf("%+v", got)
	}
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"explain"}, exitUsage, "say a path, or a method and a path"},
		{[]string{"explain", "x"}, exitUsage, `"x" is neither a path nor an address`},
		{[]string{"explain", "/x", "-kind", "soap"}, exitUsage, `"soap" is no kind of API`},
		{[]string{"explain", "/x", "-authorizer", "nowhere"}, exitNo, "-authorizer: stat"},
		{append([]string{"explain", "/x", "-cookie", "a=1", "-token", "x"}, flags...), exitUsage, "say one of -user, -cookie, -token and -claims"},
		{append([]string{"explain", "/x", "-set", "AUTH_ISSUER=nonsense"}, flags[:2]...), exitNo, "config: AUTH_ISSUER"},
		{append([]string{"explain", "/x", "-H", "nonsense"}, flags...), exitUsage, "not Name: value"},
	} {
		if got := on(t, nil, c.args...); got.code != c.code || !strings.Contains(got.stderr, c.want) {
			t.Errorf("%q: %+v, want %d %s", c.args, got, c.code, c.want)
		}
	}
}
