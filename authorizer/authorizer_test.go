package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"

	"edgeauth/internal/apigw"
	"edgeauth/internal/config"
	"edgeauth/internal/intent"
	"edgeauth/internal/token"
	"edgeauth/internal/token/tokentest"
)

// newAuthorizer returns an authorizer for the pool's tokens, with the shipped rules and sessions
// only unless change says otherwise.
func newAuthorizer(t testing.TB, pool *tokentest.Pool, out io.Writer, change ...func(*config.Authorizer)) *authorizer {
	t.Helper()
	settings := config.Authorizer{Pool: config.Pool{Issuer: tokentest.Issuer}, ClientIDs: []string{tokentest.ClientID}, LogDecisions: config.EveryDecision}
	for _, f := range change {
		f(&settings)
	}
	pools := trusted(settings)
	keys := make([]token.Keys, len(pools))
	for i := range keys {
		keys[i] = pool
	}
	a, err := assemble(settings, pools, keys, pool.Now, newRecord(out))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// door is an authorizer with a pool that issues tokens, and the log beside it.
type door struct {
	*authorizer
	pool *tokentest.Pool
	log  *bytes.Buffer
}

func newDoor(t testing.TB, change ...func(*config.Authorizer)) door {
	t.Helper()
	pool, log := tokentest.New(t), new(bytes.Buffer)
	return door{newAuthorizer(t, pool, log, change...), pool, log}
}

func rules(text string) func(*config.Authorizer) {
	return func(s *config.Authorizer) { s.Rules = text }
}

func bearers(clients ...string) func(*config.Authorizer) {
	return func(s *config.Authorizer) { s.BearerClientIDs = clients }
}

// ask returns what API Gateway makes of the answer to r, in one word, and the reason that the log
// gives.
func (d door) ask(t testing.TB, r request) (outcome, why string, a answer) {
	t.Helper()
	d.log.Reset()
	b, err := d.Invoke(context.Background(), r.event(t))
	var line struct{ Reason string }
	if e := json.Unmarshal(d.log.Bytes(), &line); e != nil || bytes.Count(d.log.Bytes(), []byte("\n")) != 1 {
		t.Fatalf("%v: log is %s", e, d.log)
	}
	switch {
	case err != nil && b != nil:
		t.Fatalf("both an answer and %v", err)
	case err != nil && err.Error() == "Unauthorized":
		return "401", line.Reason, a
	case err != nil:
		if err.Error() != "cannot tell: "+line.Reason {
			t.Fatalf("%v, but the log says %s", err, line.Reason)
		}
		return "500", line.Reason, a
	}
	a = decode(t, b)
	if a.Context["reason"] != line.Reason {
		t.Fatalf("the context says %s, the log %s", a.Context["reason"], line.Reason)
	}
	location, known := a.Context["location"]
	nowhere := "" // where an answer that allows leads a request that it denies, should it be cached
	if r.kind == apigw.REST || r.kind == "" {
		nowhere = "/Prod/auth/denied"
	}
	switch allowed := a.allows(r.arn()); {
	case !known:
		t.Fatalf("no location in %s", b)
	case allowed && location == nowhere:
		return "allow", line.Reason, a
	case !allowed && strings.HasPrefix(location, "/Prod/auth/login?"):
		return "login", line.Reason, a
	case !allowed && strings.HasPrefix(location, "/Prod/auth/denied?reason="+line.Reason):
		return "denied", line.Reason, a
	case !allowed && location == "":
		return "403", line.Reason, a
	}
	t.Fatalf("an answer that means nothing: %s", b)
	return "", "", a
}

// want checks outcome and reason together, as in "login no_session".
func (d door) want(t testing.TB, r request, want string) answer {
	t.Helper()
	outcome, why, a := d.ask(t, r)
	if got := outcome + " " + why; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	return a
}

// page is a person's navigation, script a page's own fetch.
var (
	page   = request{header: [][2]string{{"Sec-Fetch-Site", "none"}, {"Sec-Fetch-Mode", "navigate"}, {"Sec-Fetch-Dest", "document"}, {"Accept", "text/html,*/*;q=0.8"}}}
	script = request{header: [][2]string{{"Sec-Fetch-Site", "same-origin"}, {"Sec-Fetch-Mode", "cors"}, {"Sec-Fetch-Dest", "empty"}, {"Accept", "*/*"}}}
)

func (r request) session(token string) request {
	return r.with("Cookie", "theme=dark; __Host-id="+token)
}
func (r request) bearer(token string) request { return r.with("Authorization", "Bearer "+token) }
func (r request) at(method, path string) request {
	r.method, r.path = method, path
	return r
}

func TestAllow(t *testing.T) {
	d := newDoor(t)
	token := d.pool.IDToken(tokentest.Claims{"cognito:groups": []string{"admins", "staff"}})
	a := d.want(t, page.session(token), "allow ok")
	if got := a.policy(t); got != "Allow *" || a.PrincipalID != tokentest.Subject {
		t.Errorf("%s for %s", got, a.PrincipalID)
	}
	delete(a.Context, "identity")
	want := map[string]string{
		"v": "1", "iss": tokentest.Issuer, "sub": tokentest.Subject, "username": tokentest.Username, "email": tokentest.Email, "groups": "admins staff",
		"scope": "", "token_use": "id", "client_id": tokentest.ClientID, "exp": "1795352400", "auth_time": "1795348800", "location": "/Prod/auth/denied", "reason": "ok",
	}
	for name := range a.Context {
		if a.Context[name] != want[name] {
			t.Errorf("%s is %q, want %q", name, a.Context[name], want[name])
		}
	}
	if len(a.Context) != len(want) {
		t.Errorf("%v, want %v", a.Context, want)
	}
}

func TestLogin(t *testing.T) {
	d := newDoor(t)
	for _, c := range []struct {
		name string
		r    request
		want string
	}{
		{"a page", page, "/Prod/auth/login?return_to=%2FProd%2Fpage"},
		{"the front page", page.at("GET", "/"), "/Prod/auth/login?return_to=%2FProd%2F"},
		{"a query", request{header: page.header, query: "a=1&a=2&b=%2F%3F%26+%C3%A9&c="}, "/Prod/auth/login?return_to=%2FProd%2Fpage%3Fa%3D1%26a%3D2%26b%3D%252F%253F%2526%2520%25C3%25A9%26c%3D"},
		{"an escape in the path", page.at("GET", "/a%20b"), "/Prod/auth/login?return_to=%2FProd%2Fa%2520b"},
		{"what would lead elsewhere", page.at("GET", "//evil.example"), "/Prod/auth/login"},
		{"what would be too long", request{header: page.header, query: "q=" + strings.Repeat("a", intent.MaxTarget)}, "/Prod/auth/login"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, err := d.Invoke(context.Background(), c.r.event(t))
			if err != nil {
				t.Fatal(err)
			}
			if a := decode(t, b); a.Context["location"] != c.want || a.policy(t) != "Deny *" || len(a.Context) != 2 {
				t.Errorf("%s\ngot  %s\nwant %s", a.policy(t), a.Context["location"], c.want)
			}
		})
	}
}

// TestLoginOfASister: an API that shares its host name with another leads to that one's login, and
// names its own page as the way back.
func TestLoginOfASister(t *testing.T) {
	d := newDoor(t, rules("* /* signed-in\n* /admin/* group:admins"), func(s *config.Authorizer) { s.LoginPath = "/auth" })
	for _, c := range []struct {
		r    request
		want string
	}{
		{page.at("GET", "/orders"), "/auth/login?return_to=%2FProd%2Forders"},
		{page.at("GET", "/admin/x").session(d.pool.IDToken(nil)), "/auth/denied?reason=group_required&return_to=%2FProd%2Fadmin%2Fx"},
		{page.session(d.pool.IDToken(nil)), "/auth/denied"},
	} {
		b, err := d.Invoke(context.Background(), c.r.event(t))
		if err != nil {
			t.Fatal(err)
		}
		if got := decode(t, b).Context["location"]; got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

func TestNavigation(t *testing.T) {
	d := newDoor(t)
	header := func(pairs ...string) (r request) {
		for i := 0; i < len(pairs); i += 2 {
			r = r.with(pairs[i], pairs[i+1])
		}
		return r
	}
	for _, c := range []struct {
		name string
		r    request
		want string
	}{
		{"navigation", page, "login no_session"},
		{"HEAD", page.at("HEAD", "/page"), "login no_session"},
		{"from another site", header("Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"), "login no_session"},
		{"a form", page.at("POST", "/page"), "401 no_session"},
		{"a frame", header("Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "iframe", "Accept", "text/html"), "401 no_session"},
		{"a fetch of a page", header("Sec-Fetch-Mode", "cors", "Sec-Fetch-Dest", "document", "Accept", "text/html"), "401 no_session"},
		{"an image", header("Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "image", "Accept", "image/*"), "401 no_session"},
		{"only a site", header("Sec-Fetch-Site", "none", "Accept", "text/html"), "401 no_session"},
		{"a prefetch", page.with("Sec-Purpose", "prefetch;prerender"), "401 no_session"},
		{"an older prefetch", page.with("Purpose", "prefetch"), "401 no_session"},
		{"an older browser", header("Accept", "text/html,application/xhtml+xml;q=0.9"), "login no_session"},
		{"an older browser in capitals", header("ACCEPT", "application/xml , TEXT/HTML;q=0.9"), "login no_session"},
		{"anything", header("Accept", "*/*"), "401 no_session"},
		{"any text", header("Accept", "text/*"), "401 no_session"},
		{"something like it", header("Accept", "text/html5"), "401 no_session"},
		{"nothing", request{}, "401 no_session"},
		{"a mode in two minds", page.with("Sec-Fetch-Mode", "cors"), "401 no_session"},
	} {
		t.Run(c.name, func(t *testing.T) { d.want(t, c.r, c.want) })
	}
}

func TestSessions(t *testing.T) {
	d := newDoor(t)
	good := d.pool.IDToken(nil)
	other := d.pool.IDToken(tokentest.Claims{"sub": "mallory"})
	for _, c := range []struct {
		name    string
		cookies []string
		want    string
	}{
		{"good", []string{"__Host-id=" + good}, "allow ok"},
		{"one header for each cookie", []string{"a=1", "__Host-id=" + good, "b=2"}, "allow ok"},
		{"in pieces", []string{"__Host-id=2~" + good[:500] + "; __Host-id-2=" + good[500:]}, "allow ok"},
		{"a piece is missing", []string{"__Host-id=2~" + good[:500]}, "login cookie_broken"},
		{"two sessions", []string{"__Host-id=" + good + "; __Host-id=" + other}, "login cookie_conflict"},
		{"two sessions in two headers", []string{"__Host-id=" + good, "__Host-id=" + other}, "login cookie_conflict"},
		{"another name", []string{"__host-id=" + good}, "login no_session"},
		{"garbage", []string{"__Host-id=x"}, "login token_malformed"},
		{"another key", []string{"__Host-id=" + tokentest.StockKey(2).Token(d.pool.IDClaims(nil))}, "login token_unknown_key"},
		{"one byte off", []string{"__Host-id=" + good[:len(good)-20] + flip(good[len(good)-20:])}, "login token_signature"},
		{"an access token", []string{"__Host-id=" + d.pool.AccessToken(nil)}, "login token_use"},
		{"another client", []string{"__Host-id=" + d.pool.IDToken(tokentest.Claims{"aud": "other"})}, "login token_audience"},
		{"another pool", []string{"__Host-id=" + d.pool.IDToken(tokentest.Claims{"iss": tokentest.Issuer + "x"})}, "login token_issuer"},
		{"expired", []string{"__Host-id=" + d.pool.IDToken(tokentest.Claims{"exp": d.pool.Now().Add(-time.Minute).Unix()})}, "login token_expired"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := page
			for _, v := range c.cookies {
				r = r.with("cookie", v)
			}
			d.want(t, r, c.want)
			if r.method = "POST"; c.want != "allow ok" { // no navigation: the same reason, as a 401
				d.want(t, r, strings.Replace(c.want, "login", "401", 1))
			}
		})
	}
}

func flip(s string) string {
	if s[0] == 'A' {
		return "B" + s[1:]
	}
	return "A" + s[1:]
}
