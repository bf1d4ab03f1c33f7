package login_test

// This file holds the way in to its rules: what a browser is sent with, what a callback must bring,
// and what becomes of everything that is not right.

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"edgeauth/internal/login"
	"edgeauth/internal/token/tokentest"
)

func TestNewWantsAProvider(t *testing.T) {
	if _, err := login.New(login.Config{}); err == nil || err.Error() != "login: Config.Provider is missing" {
		t.Errorf("%v", err)
	}
}

// TestHalfAProviderIsNone: without an issuer, its keys or the second opinion nobody can tell who
// comes back.
func TestHalfAProviderIsNone(t *testing.T) {
	for name, halve := range map[string]func(*login.Provider){
		"no issuer":         func(p *login.Provider) { p.Issuer = "" },
		"no keys":           func(p *login.Provider) { p.Keys = nil },
		"no second opinion": func(p *login.Provider) { p.SecondOpinion = nil },
	} {
		t.Run(name, func(t *testing.T) {
			w := newSystem(t)
			halve(&w.provider)
			w.wants(w.browser().open(base+"/auth/login"), 503, "config_unavailable")
		})
	}
}

func TestSignIn(t *testing.T) {
	w := newSystem(t)
	b := w.browser()
	page := base + "/reports/a%20b/c:d?a=1&b=%2F&b=x+y&c=%C3%A4"

	res := b.open(base + "/auth/login?return_to=" + url.QueryEscape(page))
	w.wants(res, 200, "ok")
	if names := b.has(""); len(names) != 2 || !strings.HasPrefix(names[0], "__Host-login-") || !strings.HasPrefix(names[1], "__Secure-login-") {
		t.Errorf("the login leaves %q", names)
	}
	callback := w.idp.authorize(t, next(t, res), "alice")
	res = b.open(callback)
	w.wants(res, 302, "ok")
	if got := res.Header.Get("Location"); got != page {
		t.Errorf("sent to %q, want %q", got, page)
	}
	if names := b.has(""); !slices.Equal(names, []string{"__Host-browser", "__Host-id", "__Secure-loop", "__Secure-refresh"}) {
		t.Errorf("the callback leaves %q", names)
	}
	if b.who() != "alice" {
		t.Errorf("signed in as %q", b.who())
	}
	if w.idp.count() != 1 {
		t.Errorf("the token endpoint was asked %d times", w.idp.count())
	}
}

// TestNobodyIsLedToWhatTheAuthorizerRefuses: a path that two parties could read differently is no way back.
func TestNobodyIsLedToWhatTheAuthorizerRefuses(t *testing.T) {
	for _, path := range []string{"/a%3Bb", "/a%2Fb", "/a%5cb", "/a%09b", "/a%00b", "/a*", "/a%2a", "/a;b", "/%61", "/Auth/logout"} {
		w := newSystem(t)
		b := w.browser()
		if got := b.signIn("alice", base+path); got != base+"/" {
			t.Errorf("%s: sent to %q", path, got)
		}
		if got := b.open(base + "/auth/login?return_to=" + url.QueryEscape(base+path)).Header.Get("Location"); got != base+"/" {
			t.Errorf("%s, signed in: sent to %q", path, got)
		}
	}
}

// TestWireForm holds Set-Cookie lines and headers to the letter.
func TestWireForm(t *testing.T) {
	w := newSystem(t)
	b := w.browser()
	res := b.open(w.idp.authorize(t, b.begin(base+"/"), "alice"))
	var lines []string
	for _, line := range res.Header.Values("Set-Cookie") {
		name, rest, _ := strings.Cut(line, "=")
		_, attributes, _ := strings.Cut(rest, ";")
		for _, prefix := range []string{"__Secure-login-", "__Host-login-"} {
			if strings.HasPrefix(name, prefix) {
				name = prefix + "…"
			}
		}
		lines = append(lines, name+";"+attributes)
	}
	want := []string{
		"__Secure-login-…; Path=/Prod/auth; Max-Age=0; HttpOnly; Secure; SameSite=Lax",
		"__Host-login-…; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax",
		"__Host-id; Path=/; Max-Age=3600; HttpOnly; Secure; SameSite=Lax",
		"__Host-browser; Path=/; Max-Age=2592000; HttpOnly; Secure; SameSite=Lax",
		"__Secure-refresh; Path=/Prod/auth; Max-Age=2592000; HttpOnly; Secure; SameSite=Lax",
		"__Secure-loop; Path=/Prod/auth; Max-Age=60; HttpOnly; Secure; SameSite=Lax",
	}
	if !slices.Equal(lines, want) {
		t.Errorf("got %q\nwant %q", lines, want)
	}
	if strings.Count(b.value("__Host-id"), ".") != 2 {
		t.Error("the session cookie does not hold the ID token as it is")
	}
	if strings.Contains(b.value("__Secure-refresh"), "canary") {
		t.Error("the refresh token is not sealed")
	}
	for name, want := range map[string]string{
		"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
		"Strict-Transport-Security": "max-age=31536000", "Vary": "Cookie",
	} {
		if got := res.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestLocalSiteHasItsOwnOriginAndNoHSTS(t *testing.T) {
	w := newSystem(t)
	b := w.browser()
	res := b.open(base+"/auth/login", "Host", "localhost:3000")
	u, _ := url.Parse(next(t, res))
	if got := u.Query().Get("redirect_uri"); got != "http://localhost:3000/Prod/auth/callback" {
		t.Errorf("redirect_uri %q", got)
	}
	if res.Header.Get("Strict-Transport-Security") != "" {
		t.Error("HSTS over http")
	}
}

func TestEveryLoginIsFresh(t *testing.T) {
	w := newSystem(t)
	seen := map[string]bool{}
	for range 50 {
		u, _ := url.Parse(w.browser().begin(base + "/"))
		q := u.Query()
		for _, name := range []string{"state", "nonce", "code_challenge"} {
			if seen[q.Get(name)] || len(q.Get(name)) < 43 {
				t.Fatalf("%s is short or was there before", name)
			}
			seen[q.Get(name)] = true
		}
	}
}

func TestLoginFailsWithoutRandomness(t *testing.T) {
	w := newSystem(t, func(c *login.Config) { c.Rand = strings.NewReader("too short") })
	res := w.browser().open(base + "/auth/login")
	w.wants(res, 500, "internal")
}

func TestLoginPassesOnWhatIsListed(t *testing.T) {
	w := newSystem(t)
	res := w.browser().open(base + "/auth/login?identity_provider=Corp&idp_identifier=corp.example&login_hint=a%40b&lang=de&prompt=login" +
		"&redirect_uri=https://evil.example&state=evil&client_id=evil&scope=admin&nonce=evil&code_challenge_method=plain&response_type=token")
	u, _ := url.Parse(next(t, res))
	q := u.Query()
	for name, want := range map[string]string{
		"identity_provider": "Corp", "idp_identifier": "corp.example", "login_hint": "a@b", "lang": "de", "prompt": "login", "max_age": "0",
		"redirect_uri": site + "/auth/callback", "client_id": tokentest.ClientID, "scope": "openid email", "code_challenge_method": "S256", "response_type": "code",
	} {
		if !slices.Equal(q[name], []string{want}) {
			t.Errorf("%s=%q, want %q", name, q[name], want)
		}
	}
	if len(q) != 14 { // besides: state, nonce, code_challenge, max_age
		t.Errorf("%d parameters: %v", len(q), q)
	}
	for _, name := range []string{"state", "nonce"} {
		if len(q[name]) != 1 || strings.Contains(q.Get(name), "evil") {
			t.Errorf("%s=%q", name, q[name])
		}
	}
}

func TestLoginRefuses(t *testing.T) {
	for _, row := range []struct {
		name, target string
		headers      []string
		status       int
		reason       string
	}{
		{"a repeated return target", "/auth/login?return_to=/Prod/a&return_to=/Prod/b", nil, 400, "bad_request"},
		{"a repeated hint", "/auth/login?login_hint=a&login_hint=b", nil, 400, "bad_request"},
		{"a control character", "/auth/login?login_hint=a%0d%0ab", nil, 400, "bad_request"},
		{"a huge hint", "/auth/login?login_hint=" + strings.Repeat("a", 5000), nil, 400, "bad_request"},
		{"an unknown prompt", "/auth/login?prompt=maybe", nil, 400, "bad_request"},
		{"a broken query", "/auth/login?a=%zz", nil, 400, "bad_request"},
		{"a fetch", "/auth/login", []string{"Sec-Fetch-Mode", "cors", "Sec-Fetch-Dest", "empty"}, 401, "no_session"},
		{"a frame", "/auth/login", []string{"Sec-Fetch-Dest", "iframe"}, 401, "no_session"},
		{"a prefetch", "/auth/login", []string{"Sec-Purpose", "prefetch;prerender"}, 401, "no_session"},
		{"an old prefetch", "/auth/login", []string{"Purpose", "prefetch"}, 401, "no_session"},
		{"a very old prefetch", "/auth/login", []string{"X-Moz", "prefetch"}, 401, "no_session"},
		{"a program", "/auth/login", []string{"Sec-Fetch-Mode", "", "Sec-Fetch-Dest", "", "Accept", "*/*"}, 401, "no_session"},
		{"another host", "/auth/login", []string{"Host", "evil.example"}, 404, "not_found"},
		{"another path of a known host", "/auth/login", []string{"Host", "other.example.com"}, 404, "not_found"},
		{"a host with a port", "/auth/login", []string{"Host", host + ":8443"}, 404, "not_found"},
		{"no route", "/auth/nothing", nil, 404, "not_found"},
		{"no route below one", "/auth/login/more", nil, 404, "not_found"},
		{"an escaped route", "/auth/log%69n", nil, 404, "not_found"},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newSystem(t)
			b := w.browser()
			res := b.open(base+row.target, row.headers...)
			w.wants(res, row.status, row.reason)
			if len(b.jar) != 0 {
				t.Errorf("cookies %q", b.has(""))
			}
		})
	}
	for _, path := range []string{"/auth/login", "/prod/auth/login", "/Prod/x/auth/login", "//evil.example/auth/login", "/login"} {
		w := newSystem(t)
		res := w.browser().send("GET", "https://"+host+path, asNavigation...)
		w.wants(res, 404, "not_found")
		if strings.Contains(body(res), "evil") {
			t.Errorf("%s: the page repeats the address", path)
		}
	}
}

func TestForwardedHeadersDecideNothing(t *testing.T) {
	w := newSystem(t)
	res := w.browser().open(base+"/auth/login", "X-Forwarded-Host", "evil.example", "X-Forwarded-Proto", "http", "X-Forwarded-Prefix", "/evil",
		"Forwarded", "host=evil.example;proto=http", "X-Original-URL", "/evil", "X-HTTP-Method-Override", "POST")
	u, _ := url.Parse(next(t, res))
	if got := u.Query().Get("redirect_uri"); got != site+"/auth/callback" {
		t.Errorf("redirect_uri %q", got)
	}
}

func TestMethods(t *testing.T) {
	for route, allowed := range map[string]string{
		"login": "GET, HEAD", "callback": "GET", "refresh": "POST", "session": "GET, HEAD", "logout": "GET, POST", "signed-out": "GET, HEAD",
		"denied": "GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH, get", "edgeauth.js": "GET, HEAD", "edgeauth.d.ts": "GET, HEAD", "edgeauth.css": "GET, HEAD",
	} {
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "get"} {
			w := newSystem(t)
			res := w.browser().send(method, base+"/auth/"+route, "Sec-Fetch-Site", "same-origin")
			if refused := res.StatusCode == 405; refused == slices.Contains(strings.Split(allowed, ", "), method) {
				t.Errorf("%s %s: %d", method, route, res.StatusCode)
			} else if refused && res.Header.Get("Allow") != allowed {
				t.Errorf("%s %s: Allow %q", method, route, res.Header.Get("Allow"))
			}
		}
	}
}

func TestProgramsReadJSON(t *testing.T) {
	w := newSystem(t)
	res := w.browser().call("GET", base+"/auth/login?return_to=/Prod/")
	var got map[string]any
	if err := json.Unmarshal([]byte(body(res)), &got); err != nil || res.Header.Get("Content-Type") != "application/json" {
		t.Fatalf("%v: %s", err, body(res))
	}
	want := map[string]any{
		"error": "unauthorized", "reason": "no_session", "request_id": "request-1", "login_url": "/Prod/auth/login",
		"message": "You are not signed in. Sign in to go on to Example App.",
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
}

// callbackRow is one thing that can be wrong with a callback.
type callbackRow struct {
	name   string
	change func(w *system, b *browser, q url.Values) // of a callback that would be good
	status int
	reason string
	calls  int // of the token endpoint
}

func (row callbackRow) run(t *testing.T) {
	w := newSystem(t)
	b := w.browser()
	u, _ := url.Parse(w.idp.authorize(t, b.begin(base+"/deep?link=1"), "alice"))
	q := u.Query()
	row.change(w, b, q)
	u.RawQuery = q.Encode()
	res := b.open(u.String())
	w.wants(res, row.status, row.reason)
	if names := b.has("__Host-id"); len(names) != 0 {
		t.Errorf("a session exists: %q", names)
	}
	if names := b.has("__Secure-refresh"); len(names) != 0 {
		t.Errorf("a refresh cookie exists: %q", names)
	}
	if got := w.idp.count(); got != row.calls {
		t.Errorf("the token endpoint was asked %d times, want %d", got, row.calls)
	}
	if row.status == 400 && !strings.Contains(body(res), `href="/Prod/`) {
		t.Errorf("no way on: %s", body(res))
	}
}

func claim(name string, value any) func(*system, *browser, url.Values) {
	return func(w *system, _ *browser, _ url.Values) { w.idp.claims = tokentest.Claims{name: value} }
}

func fault(status int, kind, text string) func(*system, *browser, url.Values) {
	return func(w *system, _ *browser, _ url.Values) {
		w.idp.fault = func(rw http.ResponseWriter, _ *http.Request) bool {
			rw.Header().Set("Content-Type", kind)
			rw.Header().Set("Location", "https://evil.example/")
			rw.WriteHeader(status)
			fmt.Fprint(rw, text)
			return true
		}
	}
}

func edit(name string, value any) func(*system, *browser, url.Values) {
	return func(w *system, _ *browser, _ url.Values) {
		w.idp.edit = func(answer map[string]any) {
			if answer[name] = value; value == nil {
				delete(answer, name)
			}
		}
	}
}

func TestCallbackRefuses(t *testing.T) {
	now := tokentest.Start.Unix()
	const j = "application/json"
	for _, row := range []callbackRow{
		{"no state", func(_ *system, _ *browser, q url.Values) { q.Del("state") }, 400, "login_state_missing", 0},
		{"an empty state", func(_ *system, _ *browser, q url.Values) { q.Set("state", "") }, 400, "login_state_missing", 0},
		{"a wrong state", func(_ *system, _ *browser, q url.Values) { q.Set("state", strings.Repeat("A", 43)) }, 400, "login_state_invalid", 0},
		{"a state with one byte changed", func(_ *system, _ *browser, q url.Values) {
			s := []byte(q.Get("state"))
			s[5] ^= 1
			q.Set("state", string(s))
		}, 400, "login_state_invalid", 0},
		{"a state cut short", func(_ *system, _ *browser, q url.Values) { q.Set("state", q.Get("state")[:43]) }, 400, "login_state_invalid", 0},
		{"a state twice", func(_ *system, _ *browser, q url.Values) { q.Add("state", q.Get("state")) }, 400, "login_state_invalid", 0},
		{"a code twice", func(_ *system, _ *browser, q url.Values) { q.Add("code", q.Get("code")) }, 400, "login_state_invalid", 0},
		{"an error twice", func(_ *system, _ *browser, q url.Values) { q["error"] = []string{"a", "b"} }, 400, "login_state_invalid", 0},
		{"no code", func(_ *system, _ *browser, q url.Values) { q.Del("code") }, 400, "login_state_invalid", 0},
		{"another browser", func(_ *system, b *browser, _ url.Values) { clear(b.jar) }, 400, "login_state_missing", 0},
		{"a browser in the middle of another login", func(w *system, b *browser, _ url.Values) {
			other := w.browser()
			other.begin(base + "/")
			b.jar = other.jar
		}, 400, "login_state_invalid", 0},
		{"a pending login under the name of another", func(_ *system, b *browser, _ url.Values) {
			mine := b.has("__Secure-login-")[0]
			b.begin(base + "/")
			for _, c := range b.jar {
				if c.name == mine {
					c.value = b.value(b.has("__Secure-login-")[(slices.Index(b.has("__Secure-login-"), mine)+1)%2])
				}
			}
		}, 400, "login_state_invalid", 0},
		{"a pending login that is not sealed", func(_ *system, b *browser, q url.Values) {
			for _, c := range b.jar {
				c.value = `eyJzIjoieCJ9`
			}
		}, 400, "login_state_invalid", 0},
		{"a pending login after ten minutes", func(w *system, b *browser, _ url.Values) {
			for _, c := range b.jar {
				c.dies = c.dies.Add(time.Hour) // a browser whose clock stands still
			}
			w.Advance(10 * time.Minute)
		}, 400, "login_state_invalid", 0},
		{"a pending login from the future", func(w *system, _ *browser, _ url.Values) { w.Advance(-time.Hour) }, 400, "login_state_invalid", 0},
		{"another issuer", func(_ *system, _ *browser, q url.Values) { q.Set("iss", "https://evil.example") }, 400, "login_state_invalid", 0},
		{"two issuers", func(_ *system, _ *browser, q url.Values) { q["iss"] = []string{tokentest.Issuer, tokentest.Issuer} }, 400, "login_state_invalid", 0},
		{"a prefetch", func(_ *system, b *browser, _ url.Values) { b.extra.Set("Sec-Purpose", "prefetch") }, 400, "bad_request", 0},
		{"consent denied", func(_ *system, _ *browser, q url.Values) {
			q.Del("code")
			q.Set("error", "access_denied")
		}, 400, "login_refused", 0},
		{"an error beside a code", func(_ *system, _ *browser, q url.Values) { q.Set("error", "server_error") }, 400, "login_refused", 0},
		{"an error without state", func(_ *system, _ *browser, q url.Values) {
			q.Del("code")
			q.Del("state")
			q.Set("error", "invalid_request")
		}, 400, "login_refused", 0},

		{"an unknown code", func(_ *system, _ *browser, q url.Values) { q.Set("code", "unknown") }, 400, "login_code_refused", 1},
		{"a code of another login", func(w *system, _ *browser, q url.Values) {
			u, _ := url.Parse(w.idp.authorize(w.t, w.browser().begin(base+"/"), "mallory"))
			q.Set("code", u.Query().Get("code"))
		}, 400, "login_code_refused", 1},
		{"a wrong secret", func(w *system, _ *browser, _ url.Values) {
			w.idp.fault = func(rw http.ResponseWriter, _ *http.Request) bool { oauthError(rw, 400, "invalid_client"); return true }
		}, 503, "config_unavailable", 1},
		{"a wrong secret, as 401", fault(401, j, `{"error":"invalid_client"}`), 503, "config_unavailable", 1},
		{"a redirect URI that is not registered", fault(400, j, `{"error":"unauthorized_client"}`), 503, "config_unavailable", 1},
		{"another 4xx", fault(400, j, `{"error":"invalid_request"}`), 400, "login_code_refused", 1},
		{"a 403 in HTML", fault(403, "text/html", `<b>no</b>`), 400, "login_code_refused", 1},
		{"a 4xx as a form", fault(400, "text/plain", `error=invalid_grant`), 400, "login_code_refused", 1},
		{"throttling", fault(429, j, `{"error":"slow_down"}`), 503, "provider_unavailable", 1},
		{"a 500", fault(500, "text/html", `<h1>oops</h1>`), 503, "provider_unavailable", 2},
		{"a 503", fault(503, j, `{}`), 503, "provider_unavailable", 2},
		{"a redirect", fault(302, j, ``), 503, "provider_unavailable", 1},
		{"a 307", fault(307, j, ``), 503, "provider_unavailable", 1},
		{"HTML with 200", fault(200, "text/html", `<h1>hello</h1>`), 503, "provider_unavailable", 1},
		{"a form with 200", fault(200, "application/x-www-form-urlencoded", `access_token=a&id_token=b&token_type=Bearer`), 503, "provider_unavailable", 1},
		{"an error with 200", fault(200, j, `{"error":"invalid_grant"}`), 503, "provider_unavailable", 1},
		{"cut JSON", fault(200, j, `{"access_token":"a","id_tok`), 503, "provider_unavailable", 1},
		{"no JSON object", fault(200, j, `[]`), 503, "provider_unavailable", 1},
		{"an endless answer", fault(200, j, `{"a":"`+strings.Repeat("x", 1<<19)+`"}`), 503, "provider_unavailable", 1},
		{"a good answer that is far too long", edit("more", strings.Repeat("x", 1<<18)), 503, "provider_unavailable", 1},
		{"a lost connection", func(w *system, _ *browser, _ url.Values) {
			w.idp.fault = func(http.ResponseWriter, *http.Request) bool { panic(http.ErrAbortHandler) }
		}, 503, "provider_unavailable", 1},
		{"nobody there", func(w *system, _ *browser, _ url.Values) { w.idp.server.Close() }, 503, "provider_unavailable", 0},
		{"no ID token", edit("id_token", nil), 503, "provider_unavailable", 1},
		{"an ID token that is a number", edit("id_token", 7), 503, "provider_unavailable", 1},
		{"no access token", edit("access_token", nil), 503, "provider_unavailable", 1},
		{"another type of token", edit("token_type", "DPoP"), 503, "provider_unavailable", 1},
		{"no type of token", edit("token_type", nil), 503, "provider_unavailable", 1},

		{"garbage for a token", edit("id_token", "a.b.c"), 400, "token_malformed", 1},
		{"another nonce", claim("nonce", "other"), 400, "token_nonce", 1},
		{"no nonce", claim("nonce", tokentest.Absent), 400, "token_nonce", 1},
		{"another issuer's token", claim("iss", "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Other0001"), 400, "token_issuer", 1},
		{"another client's token", claim("aud", "other"), 400, "token_audience", 1},
		{"an access token", claim("token_use", "access"), 400, "token_use", 1},
		{"an expired token", claim("exp", now-60), 400, "token_expired", 1},
		{"a token from the future", claim("iat", now+600), 400, "token_not_yet_valid", 1},
		{"a token without a subject", claim("sub", ""), 400, "token_claims", 1},
		{"another access token's hash", claim("at_hash", "AAAAAAAAAAAAAAAAAAAAAA"), 400, "token_access_hash", 1},
		{"a key nobody published", func(w *system, _ *browser, _ url.Values) {
			w.idp.edit = func(map[string]any) { w.SetKeys(tokentest.StockKey(2), tokentest.StockKey(3)) }
		}, 400, "token_unknown_key", 1},
		{"keys out of reach", func(w *system, _ *browser, _ url.Values) { w.keys = errKeys }, 503, "keys_unavailable", 1},
		{"a second opinion without keys", func(w *system, _ *browser, _ url.Values) {
			w.opinion = func(string, string) error { return errKeys }
		}, 503, "keys_unavailable", 1},
		{"a second opinion", func(w *system, _ *browser, _ url.Values) {
			w.opinion = func(string, string) error { return errors.New("no") }
		}, 400, "login_disagree", 1},
		{"a session that fits nowhere", func(w *system, _ *browser, _ url.Values) { w.idp.weight = 1000 }, 400, "login_too_large", 1},
	} {
		t.Run(row.name, row.run)
	}
}

func TestSecondOpinionIsAskedAboutThisToken(t *testing.T) {
	w := newSystem(t)
	var raw, client string
	w.opinion = func(r, c string) error { raw, client = r, c; return nil }
	b := w.browser()
	b.signIn("alice", base+"/")
	if raw != b.value("__Host-id") || client != tokentest.ClientID {
		t.Errorf("asked about another token, or for client %q", client)
	}
}

// TestRepeatsThatAreSafe: what failed for a moment is asked again once, a code only when it cannot
// have been used.
func TestRepeatsThatAreSafe(t *testing.T) {
	w := newSystem(t)
	b := w.browser()
	first := true
	w.idp.fault = func(rw http.ResponseWriter, _ *http.Request) bool {
		if first {
			first = false
			rw.WriteHeader(502)
			return true
		}
		return false
	}
	if to := b.signIn("alice", base+"/a"); to != base+"/a" || w.idp.count() != 2 {
		t.Errorf("sent to %q after %d calls", to, w.idp.count())
	}
}

func TestCodeUsedUpByALostAnswerIsNotCalledRefused(t *testing.T) {
	w := newSystem(t)
	b := w.browser()
	callback := w.idp.authorize(t, b.begin(base+"/"), "alice")
	calls := 0
	w.idp.fault = func(rw http.ResponseWriter, _ *http.Request) bool {
		if calls++; calls == 1 {
			rw.WriteHeader(500)
		} else {
			oauthError(rw, 400, "invalid_grant")
		}
		return true
	}
	w.wants(b.open(callback), 503, "provider_unavailable")
}

func TestNoTimeForASecondAttempt(t *testing.T) {
	w := newSystem(t)
	b := w.browser()
	callback := w.idp.authorize(t, b.begin(base+"/"), "alice")
	w.idp.fault = func(rw http.ResponseWriter, _ *http.Request) bool { rw.WriteHeader(500); return true }
	w.handler = inTime(w.handler, 3*time.Second)
	w.wants(b.open(callback), 503, "provider_unavailable")
	if w.idp.count() != 1 {
		t.Errorf("%d calls", w.idp.count())
	}
}

// TestAnswersBeforeTimeIsUp: a provider that keeps us waiting leads to our page, not to the end of
// the Lambda.
func TestAnswersBeforeTimeIsUp(t *testing.T) {
	w := newSystem(t)
	b := w.browser()
	callback := w.idp.authorize(t, b.begin(base+"/"), "alice")
	w.idp.fault = func(_ http.ResponseWriter, r *http.Request) bool { <-r.Context().Done(); return true }
	over := false
	inner := w.handler
	w.handler = inTime(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		inner.ServeHTTP(rw, r)
		over = r.Context().Err() != nil
	}), 700*time.Millisecond)
	w.wants(b.open(callback), 503, "provider_unavailable")
	if over {
		t.Error("too late")
	}
}

func inTime(h http.Handler, d time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), d)
		defer cancel()
		h.ServeHTTP(w, r.WithContext(ctx))
	})
}

func TestPendingLoginIsUsedOnce(t *testing.T) {
	for want, change := range map[string]func(w *system){
		"login_state_invalid": func(*system) {}, // after success: the browser holds other cookies
		"login_state_missing": func(w *system) { // after a failure: it holds none
			w.idp.fault = func(rw http.ResponseWriter, _ *http.Request) bool { oauthError(rw, 400, "invalid_grant"); return true }
		},
	} {
		t.Run(want, func(t *testing.T) {
			w := newSystem(t)
			change(w)
			b := w.browser()
			callback := w.idp.authorize(t, b.begin(base+"/deep"), "alice")
			b.open(callback)
			calls := w.idp.count()
			if names := b.has("__Secure-login-"); len(names) != 0 {
				t.Errorf("still pending: %q", names)
			}
			for key, c := range b.jar {
				if c.name == "__Host-id" {
					delete(b.jar, key)
				}
			}
			w.wants(b.open(callback), 400, want)
			if w.idp.count() != calls {
				t.Error("the token endpoint was asked again")
			}
		})
	}
}

// TestLateCallback: with a live session, a callback that nothing belongs to goes where its login
// wanted to.
func TestLateCallback(t *testing.T) {
	w := newSystem(t)
	b := w.browser()
	callback := w.idp.authorize(t, b.begin(base+"/deep?link=1"), "alice")
	b.open(callback)
	calls := w.idp.count()
	long := base + "/" + strings.Repeat("x", 600)
	longCallback := w.idp.authorize(t, b.fork().begin2(t, long), "alice")
	for _, row := range []struct{ name, target, want string }{
		{"doubled", callback, base + "/deep?link=1"},
		{"without a state", base + "/auth/callback?code=x", base + "/"},
		{"with a foreign state", base + "/auth/callback?code=x&state=" + strings.Repeat("A", 43), base + "/"},
		{"with a forged target", base + "/auth/callback?code=x&state=abc.https://evil.example/", base + "/"},
		{"with a target too long for its state", longCallback, base + "/"},
	} {
		res := b.open(row.target)
		w.wants(res, 302, "ok")
		if got := res.Header.Get("Location"); got != row.want {
			t.Errorf("%s: sent to %q, want %q", row.name, got, row.want)
		}
	}
	if w.idp.count() != calls {
		t.Error("the token endpoint was asked")
	}
	if b.who() != "alice" {
		t.Errorf("signed in as %q", b.who())
	}
	for _, c := range b.jar { // an expired session is no reason to go on
		c.dies = c.dies.Add(24 * time.Hour)
	}
	w.Advance(2 * time.Hour)
	w.wants(b.open(callback), 400, "login_state_invalid")
}

// begin2 begins a login although there is a session.
func (b *browser) begin2(t *testing.T, page string) string {
	t.Helper()
	return next(t, b.open(base+"/auth/login?prompt=login&return_to="+url.QueryEscape(page)))
}

// TestRetryLinkKeepsThePage: the way on from an error leads to the page that was asked for.
func TestRetryLinkKeepsThePage(t *testing.T) {
	w := newSystem(t)
	b := w.browser()
	callback := w.idp.authorize(t, b.begin(base+"/deep?link=1"), "alice")
	clear(b.jar)
	res := b.open(callback)
	if want := `href="/Prod/auth/login?return_to=%2FProd%2Fdeep%3Flink%3D1"`; !strings.Contains(body(res), want) {
		t.Errorf("no %s in %s", want, body(res))
	}
}

func TestPendingLogins(t *testing.T) {
	w := newSystem(t)
	b := w.browser()
	var callbacks []string
	for i := range 7 {
		w.Advance(time.Second)
		callbacks = append(callbacks, w.idp.authorize(t, b.begin(fmt.Sprintf("%s/%d", base, i)), "alice"))
		if n := len(b.has("__Secure-login-")); n != min(i+1, 4) {
			t.Fatalf("%d pending logins after %d", n, i+1)
		}
	}
	for i := 3; i < 7; i++ { // the newest four, each in its own tab
		res := b.open(callbacks[i])
		if got, want := res.Header.Get("Location"), fmt.Sprintf("%s/%d", base, i); got != want {
			t.Errorf("tab %d: sent to %q (%v)", i, got, w.last())
		}
	}
	for i := range 3 { // the dropped ones find a session
		res := b.open(callbacks[i])
		if got, want := res.Header.Get("Location"), fmt.Sprintf("%s/%d", base, i); got != want {
			t.Errorf("tab %d: sent to %q (%v)", i, got, w.last())
		}
	}
	if names := b.has("__Secure-login-"); len(names) != 0 {
		t.Errorf("left over: %q", names)
	}
}

// TestPendingLoginsAreBoundedInBytes: a few logins with long addresses must not make our own routes
// unreachable.
func TestPendingLoginsAreBoundedInBytes(t *testing.T) {
	w := newSystem(t)
	b := w.browser()
	for range 10 {
		w.Advance(time.Second)
		b.begin(base + "/" + strings.Repeat("x", 2000))
	}
	if n := len(b.cookies(base + "/auth/login")); n > 5100 {
		t.Errorf("%d bytes of cookies", n)
	}
	w.idp.weight = 90
	b.signIn("alice", base+"/")
	var callback string
	for range 5 {
		w.Advance(time.Second)
		callback = w.idp.authorize(t, b.begin2(t, base+"/"+strings.Repeat("x", 900)), "alice")
		if n := len(b.cookies(base+"/auth/callback")) + len(callback) + 300; n > 10240 {
			t.Errorf("the callback takes %d bytes", n)
		}
	}
	w.wants(b.open(callback), 302, "ok")

	b.jar[base+"/auth __Secure-login-garbage"] = &kept{"__Secure-login-garbage", "garbage", base + "/auth", w.Now().Add(time.Hour)}
	b.begin2(t, base+"/")
	if names := b.has("__Secure-login-garbage"); len(names) != 0 {
		t.Error("garbage outlives logins")
	}
}

// TestSealedCookiesAreBound: nothing sealed for one purpose, name or site serves for another.
func TestSealedCookiesAreBound(t *testing.T) {
	w := newSystem(t)
	b := w.browser()
	callback := w.idp.authorize(t, b.begin(base+"/"), "alice")
	res := b.open(callback, "Host", "localhost:3000") // same client, same cookies, another site
	w.wants(res, 400, "login_state_invalid")

	b.signIn("alice", base+"/")
	pending := b.fork()
	pending.begin2(t, base+"/")
	for _, c := range b.jar {
		if c.name == "__Secure-refresh" {
			c.value = pending.value(pending.has("__Secure-login-")[0])
		}
	}
	w.wants(b.call("POST", base+"/auth/refresh"), 401, "no_session")
}

func TestErrorDescriptions(t *testing.T) {
	const markup = `<script>alert(1)</script>"'` + "\u202e\x01\x7f"
	t.Run("with state it is quoted, escaped", func(t *testing.T) {
		w := newSystem(t)
		b := w.browser()
		u, _ := url.Parse(w.idp.authorize(t, b.begin(base+"/"), "alice"))
		q := u.Query()
		q.Del("code")
		q.Set("error", "invalid_request")
		q.Set("error_description", `<script>alert(1)</script>"'`+"\u202e"+strings.Repeat("é", 300))
		res := b.open(base + "/auth/callback?" + q.Encode())
		w.wants(res, 400, "login_refused")
		text := body(res)
		if strings.Contains(text, "<script>alert") || !strings.Contains(text, "&lt;script&gt;alert(1)") || strings.Contains(text, "\u202e") {
			t.Errorf("not escaped, or not there: %s", text)
		}
		if strings.Count(text, "é") > 200 {
			t.Error("not cut")
		}
		if w.last()["provider_error"] != "invalid_request" || strings.Contains(w.log.text.String(), "alert") {
			t.Errorf("log: %v", w.last())
		}
	})
	t.Run("without state nobody can make us say it", func(t *testing.T) {
		w := newSystem(t)
		res := w.browser().open(base + "/auth/callback?error=access_denied&error_description=call+0800+now")
		w.wants(res, 400, "login_refused")
		if strings.Contains(body(res), "0800") {
			t.Error("the page repeats what anybody can put into a link")
		}
	})
	t.Run("the code of an error goes into no log unless it is one", func(t *testing.T) {
		w := newSystem(t)
		w.wants(w.browser().open(base+"/auth/callback?error="+url.QueryEscape("Naughty\" code")), 400, "login_refused")
		if w.last()["provider_error"] != "unknown" {
			t.Errorf("log: %v", w.last())
		}
	})
	t.Run("control characters are a bad request", func(t *testing.T) {
		w := newSystem(t)
		w.wants(w.browser().open(base+"/auth/callback?error=x&error_description="+url.QueryEscape(markup)), 400, "login_state_invalid")
	})
}

func TestSettingsOutOfReach(t *testing.T) {
	for _, change := range []func(*system){
		func(w *system) { w.settings = errors.New("no answer") },
		func(w *system) { w.secret = "" },
	} {
		w := newSystem(t)
		change(w)
		for _, route := range []string{"login", "callback?code=a&state=b", "session", "signed-out", "denied"} {
			res := w.browser().open(base + "/auth/" + route)
			w.wants(res, 503, "config_unavailable")
			if res.Header.Get("Retry-After") == "" {
				t.Errorf("%s: no Retry-After", route)
			}
		}
		if res := w.browser().send("GET", base+"/auth/edgeauth.css"); res.StatusCode != 200 {
			t.Errorf("style sheet: %d", res.StatusCode)
		}
	}
}

// TestBrokenBaseURLs: a list that cannot be right is a configuration error, not a missing page.
func TestBrokenBaseURLs(t *testing.T) {
	for _, urls := range [][]string{nil, {"app.example.com/Prod"}, {"https://app.example.com/Prod?x"}, {"ftp://app.example.com/Prod"}, {"https://u@app.example.com/Prod"}} {
		w := newSystem(t)
		w.provider.BaseURLs = urls
		w.wants(w.browser().open(base+"/auth/login"), 503, "config_unavailable")
	}
}

func TestProviderHidesItsSecrets(t *testing.T) {
	p := login.Provider{ClientID: "client", Secret: "canary-1", FormerSecret: "canary-2"}
	text, _ := json.Marshal(p)
	all := fmt.Sprintf("%v %+v %#v %s %q ", p, p, p, p, p) + string(text) + p.LogValue().String() + fmt.Sprint(&p)
	if strings.Contains(all, "canary") {
		t.Error(all)
	}
}
