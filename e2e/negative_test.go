// What must never get through: changed cookies, other people's tokens, callbacks that do not belong, and every way in which the identity provider can
// fail. Nothing of it may reach a backend, begin a session, or go round in circles.
package e2e

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// requireRefused asserts what a bad session gets: a program a 401, a person the login page. Nothing of it may come from a backend.
func (s *system) requireRefused(t testing.TB, name, cookies string) {
	t.Helper()
	program := plain(t, http.MethodGet, s.app+"/api/me", cookies)
	if program.status != http.StatusUnauthorized || strings.Contains(program.body, "@example.com") {
		t.Errorf("%s: a program got %d", name, program.status)
	}
	person := plain(t, http.MethodGet, s.app+"/api/me", cookies, "Accept", "text/html")
	if person.status != http.StatusFound || !strings.Contains(person.header.Get("Location"), "/auth/login?return_to=") {
		t.Errorf("%s: a person got %d", name, person.status)
	}
}

// One changed byte, anywhere in the cookie. Every position is tried with another character of the alphabet, so that it is not the alphabet that fails.
func TestOneChangedByte(t *testing.T) {
	s := start(t)
	b := newBrowser(t)
	signIn(t, s, b, s.app+"/", alice)
	session := s.sessionCookies(b)[0]
	wantJSON(t, plain(t, http.MethodGet, s.app+"/api/me", session.name+"="+session.value), http.StatusOK)

	header := strings.IndexByte(session.value, '.')
	positions := make(chan int)
	var workers sync.WaitGroup
	for range 8 {
		workers.Go(func() {
			for i := range positions {
				changed := []byte(session.value)
				changed[i] = map[bool]byte{true: 'B', false: 'A'}[changed[i] == 'A']
				r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.app+"/api/me", nil)
				if err != nil {
					t.Error(err)
					continue
				}
				r.Header.Set("Cookie", session.name+"="+string(changed))
				resp, err := wire.Do(r)
				if err != nil {
					t.Error(err)
					continue
				}
				resp.Body.Close()
				// Another kid may be that of a key made just now: until the keys may be asked for again, nobody can tell.
				cannotTell := i < header && resp.StatusCode == http.StatusInternalServerError && resp.Header.Get("Retry-After") != ""
				if resp.StatusCode != http.StatusUnauthorized && !cannotTell {
					t.Errorf("byte %d of %d changed: %d", i, len(changed), resp.StatusCode)
				}
			}
		})
	}
	for i := range len(session.value) {
		positions <- i
	}
	close(positions)
	workers.Wait()
}

func TestDisguisedCookies(t *testing.T) {
	s := start(t)
	good := s.mint(t, `{"user":"alice@example.com"}`)
	other := s.mint(t, `{"user":"bob@example.com"}`)
	wantJSON(t, plain(t, http.MethodGet, s.app+"/api/me", "a=b; __Host-id="+good+"; c"), http.StatusOK)
	for name, cookies := range map[string]string{
		"another case":           "__host-id=" + good,
		"a space before =":       "__Host-id =" + good,
		"quotes":                 `__Host-id="` + good + `"`,
		"a tab":                  "a=b;\t__Host-id=" + good,
		"an escape":              "__Host%2Did=" + good,
		"a Unicode space":        "\u2000__Host-id=" + good,
		"without prefix":         "id=" + good,
		"two different sessions": "__Host-id=" + good + "; __Host-id=" + other,
		"a piece missing":        "__Host-id=2~" + good[:100],
		"a count of nothing":     "__Host-id=0~" + good,
		"empty":                  "__Host-id=",
		"a dot flood":            "__Host-id=" + strings.Repeat(".", 4000),
	} {
		s.requireRefused(t, name, cookies)
	}
}

// Every way in which the stand-in knows how to get a token wrong. The list is the stand-in's own, so that a new one is tried at once.
func TestBadTokens(t *testing.T) {
	s := start(t)
	// What a verifier of sessions cannot hold against a token that the pool has signed: the key set does not say which key signs which kind of token,
	// and clocks differ by seconds.
	harmless := []string{"unknown_kid", "typ", "array_aud", "access_key", "wrong_nonce", "no_nonce", "wrong_at_hash", "other_user", "later_auth_time", "expired", "expires_now"}
	alterations := s.standIn(t, "", "")["alterations"].(map[string]any)
	if len(alterations) < 20 {
		t.Fatalf("only %d alterations", len(alterations))
	}
	for name, sentence := range alterations {
		if slices.Contains(harmless, name) {
			continue
		}
		token := s.mint(t, fmt.Sprintf(`{"alter":%q}`, name))
		s.requireRefused(t, fmt.Sprintf("%s: %v", name, sentence), "__Host-id="+token)
	}
	s.requireRefused(t, "expired 10 s ago", "__Host-id="+s.mint(t, fmt.Sprintf(`{"claims":{"exp":%d}}`, time.Now().Unix()-10)))
	s.requireRefused(t, "an access token", "__Host-id="+s.mint(t, `{"use":"access"}`))

	stranger := start(t) // same pool and client by name, other keys and another port
	s.requireRefused(t, "another pool's token", "__Host-id="+stranger.mint(t, `{}`))

	// A kid that nobody knows may be that of a key made just now. It buys one fetch in ten seconds; until then nobody can tell, and after it the token is bad.
	for name, token := range map[string]string{
		"another pool's token with our issuer": stranger.mint(t, fmt.Sprintf(`{"claims":{"iss":%q}}`, s.issuer(t))),
		"unknown_kid":                          s.mint(t, `{"alter":"unknown_kid"}`),
	} {
		eventually(t, name+" is refused", func() bool {
			e := plain(t, http.MethodGet, s.app+"/api/me", "__Host-id="+token)
			if e.status != http.StatusUnauthorized && (e.status != http.StatusInternalServerError || e.header.Get("Retry-After") == "") {
				t.Fatalf("%s: %d", name, e.status)
			}
			return e.status == http.StatusUnauthorized
		})
	}

	wantJSON(t, plain(t, http.MethodGet, s.app+"/api/me", "__Host-id="+s.mint(t, `{}`)), http.StatusOK)
}

// issuer is what the pool calls itself.
func (s *system) issuer(t testing.TB) string {
	t.Helper()
	claims := claimsOf(t, s.mint(t, `{}`))
	return claims["iss"].(string)
}

// atCallback walks up to the callback without going there, and returns its URL.
func atCallback(t testing.TB, s *system, b *browser, user string) *url.URL {
	t.Helper()
	login := b.visit(s.app + "/?a=1&b=%2F")
	method, action, values := login.form(t, "password")
	values.Set("username", user)
	values.Set("password", password)
	target := must(login.url.Parse(action))
	back := b.step(login.url, method, target.String(), values).location(t)
	if !strings.HasPrefix(back.String(), s.app+"/auth/callback?") {
		t.Fatalf("the login leads to %s%s", back.Host, back.Path)
	}
	return back
}

// callBack goes to the callback as the browser would, coming from the login page.
func (b *browser) callBack(s *system, u *url.URL) exchange {
	b.t.Helper()
	return b.step(must(url.Parse(s.cognito+"/login")), http.MethodGet, u.String(), nil)
}

// requireFailedLogin asserts how a sign-in that fails ends: on a page with the reason code and one way on, without a session.
func requireFailedLogin(t testing.TB, s *system, b *browser, e exchange, reason string) {
	t.Helper()
	if e.status < 400 || !strings.HasPrefix(e.header.Get("Content-Type"), "text/html") || e.header.Get("Location") != "" {
		t.Errorf("%v with type %q: not an error page", e, e.header.Get("Content-Type"))
	}
	if !strings.Contains(e.body, reason) {
		t.Errorf("the page does not name the reason %s", reason)
	}
	if !strings.Contains(e.body, "<a ") && !strings.Contains(e.body, "<form") {
		t.Error("the page leads nowhere")
	}
	if e.header.Get("Cache-Control") != "no-store" || !strings.Contains(e.header.Get("Content-Security-Policy"), "frame-ancestors 'none'") {
		t.Error("the page may be kept or framed")
	}
	for _, line := range e.setCookie {
		c, deleted, err := parseCookie(e.url, line)
		if err != nil || !deleted && !strings.HasPrefix(c.name, "__Secure-login-") {
			t.Errorf("the failure sets %s (%v)", c.name, err)
		}
	}
	if got := s.sessionCookies(b); len(got) > 0 {
		t.Errorf("there is a session")
	}
}

func TestCallbacksThatDoNotBelong(t *testing.T) {
	s := start(t)
	edit := func(change func(url.Values)) func(*url.URL) *url.URL {
		return func(u *url.URL) *url.URL {
			q := u.Query()
			change(q)
			c := *u
			c.RawQuery = q.Encode()
			return &c
		}
	}
	for _, c := range []struct {
		name   string
		change func(*url.URL) *url.URL
		reason string
	}{
		{"no state", edit(func(q url.Values) { q.Del("state") }), "login_state_missing"},
		{"an empty state", edit(func(q url.Values) { q.Set("state", "") }), "login_state_missing"},
		{"a wrong state", edit(func(q url.Values) { q.Set("state", strings.Repeat("A", 43)) }), "login_state_invalid"},
		{"one byte of the state changed", edit(func(q url.Values) { q.Set("state", flip(q.Get("state"), 5)) }), "login_state_invalid"},
		{"two states", edit(func(q url.Values) { q.Add("state", q.Get("state")) }), "login_state_invalid"},
		{"no code", edit(func(q url.Values) { q.Del("code") }), "login_state_invalid"},
		{"two codes", edit(func(q url.Values) { q.Add("code", q.Get("code")) }), "login_state_invalid"},
		{"a wrong code", edit(func(q url.Values) { q.Set("code", "00000000-0000-4000-8000-000000000000") }), "login_code_refused"},
		{"an error", edit(func(q url.Values) { q.Del("code"); q.Set("error", "access_denied") }), "login_refused"},
		{"an error without state, with markup", edit(func(q url.Values) {
			q.Del("code")
			q.Del("state")
			q.Set("error", "invalid_request")
			q.Set("error_description", "<script>alert(1)</script>")
		}), "login_refused"},
		{"an error and a code", edit(func(q url.Values) { q.Set("error", "server_error") }), "login_refused"},
		{"nothing at all", edit(func(q url.Values) { clear(q) }), "login_state_missing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBrowser(t)
			before := s.count(t, "token.authorization_code.ok")
			e := b.callBack(s, c.change(atCallback(t, s, b, alice)))
			requireFailedLogin(t, s, b, e, c.reason)
			if strings.Contains(e.body, "<script>alert") {
				t.Error("what the identity provider says is reflected unescaped")
			}
			if after := s.count(t, "token.authorization_code.ok"); after != before {
				t.Error("a code was exchanged")
			}
			// The way on: signing in works at once.
			if page := signInAgain(t, s, b); page.status != http.StatusOK {
				t.Errorf("the next try ends at %v", page)
			}
		})
	}
}

// signInAgain signs in where the login host may still know the user.
func signInAgain(t testing.TB, s *system, b *browser) exchange {
	t.Helper()
	e := b.visit(s.app + "/")
	if origin(e.url) == s.cognito {
		e = enter(t, s, b, e, alice)
	}
	return e
}

// flip changes one character of a base64url text.
func flip(text string, i int) string {
	b := []byte(text)
	b[i] = map[bool]byte{true: 'B', false: 'A'}[b[i] == 'A']
	return string(b)
}

// A login that begins in one browser cannot be finished in another: neither can an attacker slip a victim the attacker's session.
func TestForeignCallback(t *testing.T) {
	s := start(t)
	attacker, victim := newBrowser(t), newBrowser(t)
	link := atCallback(t, s, attacker, bob)
	requireFailedLogin(t, s, victim, victim.callBack(s, link), "login_state_missing")

	// Also when the victim has a login of its own pending.
	atCallback(t, s, victim, alice)
	requireFailedLogin(t, s, victim, victim.callBack(s, link), "login_state_invalid")
}

func TestReusedCallback(t *testing.T) {
	s := start(t)
	b := newBrowser(t)
	link := atCallback(t, s, b, alice)
	twin := b.copy() // a browser that still holds the pending login

	first := b.callBack(s, link)
	if first.status != http.StatusFound || first.location(t).String() != s.app+"/?a=1&b=%2F" {
		t.Fatalf("%v", first)
	}
	// The same click again, with the session that the first one brought: on to the page, without another exchange.
	before := s.count(t, "token.authorization_code")
	again := b.callBack(s, link)
	if again.status != http.StatusFound || origin(again.location(t)) != origin(link) {
		t.Errorf("doubled: %v", again)
	}
	if after := s.count(t, "token.authorization_code"); after != before {
		t.Error("a doubled callback exchanges the code again")
	}
	requireFailedLogin(t, s, twin, twin.callBack(s, link), "login_code_refused")
}

// Every way in which the token endpoint can fail ends on a page, and none in a session.
func TestTokenEndpointFailures(t *testing.T) {
	s := start(t)
	for _, c := range []struct {
		fault  string
		reason string
	}{
		{`"kind":"status","status":500`, "provider_unavailable"},
		{`"kind":"status","status":503`, "provider_unavailable"},
		{`"kind":"status","status":429`, "provider_unavailable"},
		{`"kind":"status","status":403`, "login_code_refused"},
		{`"kind":"html"`, "provider_unavailable"},
		{`"kind":"huge"`, "provider_unavailable"},
		{`"kind":"redirect"`, "provider_unavailable"},
		{`"kind":"throttle"`, "login_code_refused"},
		{`"kind":"reset"`, "provider_unavailable"},
		{`"kind":"truncated"`, "provider_unavailable"},
		{`"kind":"slow"`, "provider_unavailable"},
		{`"kind":"drop","member":"id_token"`, ""},
	} {
		t.Run(c.fault, func(t *testing.T) {
			b := newBrowser(t)
			link := atCallback(t, s, b, alice)
			before := s.count(t, "token.authorization_code")
			s.standIn(t, "fault", `{"at":"token","times":-1,`+c.fault+`}`)
			e := b.callBack(s, link)
			s.standIn(t, "clear", `{}`)
			requireFailedLogin(t, s, b, e, c.reason)
			if n := s.count(t, "token.authorization_code") - before; n > 2 {
				t.Errorf("the code was sent %d times", n)
			}
			if page := signInAgain(t, s, b); page.status != http.StatusOK {
				t.Errorf("the next try ends at %v", page)
			}
		})
	}
}

// A token endpoint that answers with a wrong token begins no session either.
func TestTokenEndpointLies(t *testing.T) {
	s := start(t)
	harmless := []string{"typ", "array_aud", "access_key", "other_user", "later_auth_time", "expired", "expires_now"} // see TestBadTokens
	reasons := map[string]string{
		"wrong_nonce": "token_nonce", "no_nonce": "token_nonce", "wrong_at_hash": "token_access_hash", "other_client": "token_audience",
		"other_pool": "token_issuer", "wrong_use": "token_use", "no_exp": "token_claims", "alg_none": "token_algorithm", "foreign_key": "token_signature",
	}
	for name := range s.standIn(t, "", "")["alterations"].(map[string]any) {
		if slices.Contains(harmless, name) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			b := newBrowser(t)
			link := atCallback(t, s, b, alice)
			s.standIn(t, "fault", fmt.Sprintf(`{"at":"token","kind":"alter","alter":%q}`, name))
			requireFailedLogin(t, s, b, b.callBack(s, link), reasons[name])
		})
	}
	for name := range maps.Keys(reasons) {
		if _, ok := s.standIn(t, "", "")["alterations"].(map[string]any)[name]; !ok {
			t.Errorf("the stand-in does not know %s", name)
		}
	}
}

// New signing keys come into use while people work: nobody notices.
func TestRotationOfSigningKeys(t *testing.T) {
	s := start(t)
	old := newBrowser(t)
	signIn(t, s, old, s.app+"/", alice)

	// As a pool does it: published first, used later. Whoever fetched the keys just before they were published asks again after ten seconds.
	s.standIn(t, "rotate", `{"step":"publish"}`)
	s.standIn(t, "rotate", `{"step":"use"}`)
	wantJSON(t, old.fetch(http.MethodGet, s.app+"/api/me"), http.StatusOK)
	var fresh *browser
	eventually(t, "signing in with the new keys", func() bool {
		fresh = newBrowser(t)
		return signIn(t, s, fresh, s.app+"/", bob).status == http.StatusOK && fresh.fetch(http.MethodGet, s.app+"/api/me").status == http.StatusOK
	})
	wantJSON(t, fresh.fetch(http.MethodGet, s.app+"/api/me"), http.StatusOK)
	wantJSON(t, old.fetch(http.MethodGet, s.app+"/api/me"), http.StatusOK)
	if a, b := kidOf(t, s.sessionCookies(old)[0].value), kidOf(t, s.sessionCookies(fresh)[0].value); a == b {
		t.Fatal("no rotation took place")
	}
}

// Keys out of reach: those that are known go on working, and without any the answer is neither yes nor no.
func TestKeysOutOfReach(t *testing.T) {
	s := start(t)
	b := newBrowser(t)
	signIn(t, s, b, s.app+"/", alice)
	wantJSON(t, b.fetch(http.MethodGet, s.app+"/api/me"), http.StatusOK)

	s.standIn(t, "fault", `{"at":"jwks","kind":"status","status":503,"times":-1}`)
	wantJSON(t, b.fetch(http.MethodGet, s.app+"/api/me"), http.StatusOK)

	s.kill(t, "AuthorizerFunction")
	for name, e := range map[string]exchange{
		"program": b.fetch(http.MethodGet, s.app+"/api/me"),
		"person":  b.visit(s.app + "/"),
	} {
		if e.status != http.StatusInternalServerError || e.header.Get("Retry-After") == "" || strings.Contains(e.body, alice) {
			t.Errorf("%s: %v, Retry-After %q", name, e, e.header.Get("Retry-After"))
		}
		if kind := e.header.Get("Content-Type"); !strings.HasPrefix(kind, map[string]string{"program": "application/json", "person": "text/html"}[name]) {
			t.Errorf("%s: %v with type %q", name, e, kind)
		}
	}
	wantJSON(t, plain(t, http.MethodGet, s.app+"/api/me", ""), http.StatusUnauthorized) // nobody: needs no keys

	s.standIn(t, "clear", `{}`)
	eventually(t, "the keys are back", func() bool { return b.fetch(http.MethodGet, s.app+"/api/me").status == http.StatusOK })
}

// kill ends the processes of functions, so that the next request meets new ones. An event that meets a dying process is lost, as it is in a Lambda, so this
// waits until requests that need nothing are answered again.
func (s *system) kill(t testing.TB, functions ...string) {
	t.Helper()
	for _, pid := range descendants(t, s.cmd.Process.Pid) {
		line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if err == nil && slices.ContainsFunc(functions, func(f string) bool { return strings.Contains(string(line), f) }) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	eventually(t, "the functions answer again", func() bool {
		return plain(t, http.MethodGet, s.app+"/api/me", "").status == http.StatusUnauthorized &&
			plain(t, http.MethodGet, s.app+"/auth/edgeauth.js", "").status == http.StatusOK
	})
}

// Without its configuration the callback says so, and signs nobody in.
func TestConfigurationOutOfReach(t *testing.T) {
	s := start(t)
	s.standIn(t, "fault", `{"at":"aws","kind":"status","status":500,"times":-1}`)
	s.kill(t, "CallbackFunction") // which has asked at its start
	b := newBrowser(t)
	e := b.visit(s.app + "/")
	requireFailedLogin(t, s, b, e, "config_unavailable")
	s.standIn(t, "clear", `{}`)
	eventually(t, "sign-in works again", func() bool { return origin(b.visit(s.app+"/").url) == s.cognito })
}
