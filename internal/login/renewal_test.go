package login_test

// This file holds renewal to its rules: unseen when it works, and never the end of a session that
// may still be good.

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"edgeauth/internal/token/tokentest"
)

// expire lets the ID token run out.
func (w *system) expire() { w.Advance(61 * time.Minute) }

func TestNavigationIsRenewedUnseen(t *testing.T) {
	for _, rotation := range []bool{false, true} {
		t.Run(fmt.Sprintf("rotation %v", rotation), func(t *testing.T) {
			w := newSystem(t)
			w.idp.rotation = rotation
			b := w.browser()
			b.signIn("alice", base+"/")
			sealed := b.value("__Secure-refresh")
			for i := range 5 {
				w.expire()
				page := fmt.Sprintf("%s/page?n=%d&x=%%2F", base, i)
				res := b.open(base + "/auth/login?return_to=" + url.QueryEscape(page))
				w.wants(res, 302, "ok")
				if got := res.Header.Get("Location"); got != page {
					t.Fatalf("sent to %q, want %q", got, page)
				}
				if b.who() != "alice" {
					t.Fatalf("round %d: signed in as %q", i, b.who())
				}
			}
			if b.value("__Secure-refresh") == sealed {
				t.Error("the refresh cookie is the one from the sign-in")
			}
			if want := 5; w.idp.count() != 1+want {
				t.Errorf("the token endpoint was asked %d times", w.idp.count())
			}
		})
	}
}

func TestProgramsRenew(t *testing.T) {
	w := newSystem(t)
	b := w.browser()
	b.signIn("alice", base+"/")
	w.expire()
	if b.who() != "" {
		t.Fatal("still signed in")
	}
	res := b.call("POST", base+"/auth/refresh")
	w.wants(res, 204, "ok")
	if body(res) != "" || res.Header.Get("Content-Type") != "" {
		t.Errorf("204 with %q", body(res))
	}
	if b.who() != "alice" {
		t.Error("not signed in")
	}
}

// TestRenewalKeepsTheOriginalExpiry: a rotated refresh token inherits what is left of the first
// one's life, so the cookie's Max-Age shrinks.
func TestRenewalKeepsTheOriginalExpiry(t *testing.T) {
	w := newSystem(t)
	w.idp.rotation = true
	b := w.browser()
	b.signIn("alice", base+"/")
	w.Advance(10 * 24 * time.Hour)
	res := b.call("POST", base+"/auth/refresh")
	line := slices.IndexFunc(res.Header.Values("Set-Cookie"), func(l string) bool { return strings.HasPrefix(l, "__Secure-refresh=") })
	if got := res.Header.Values("Set-Cookie")[line]; !strings.Contains(got, "; Max-Age=1728000;") {
		t.Errorf("20 of 30 days later: %s", got[strings.IndexByte(got, ';'):])
	}
	for _, c := range b.jar {
		c.dies = c.dies.Add(time.Hour * 24 * 365) // a browser whose clock stands still
	}
	w.Advance(20 * 24 * time.Hour)
	w.wants(b.call("POST", base+"/auth/refresh"), 401, "session_ended")
}

func TestRefreshLifeIsTheClients(t *testing.T) {
	w := newSystem(t)
	w.provider.RefreshLife = 2 * time.Hour
	b := w.browser()
	res := b.open(w.idp.authorize(t, b.begin(base+"/"), "alice"))
	if !strings.Contains(strings.Join(res.Header.Values("Set-Cookie"), "\n"), "; Path=/Prod/auth; Max-Age=7200;") {
		t.Errorf("%v", res.Header.Values("Set-Cookie"))
	}
}

func TestRefreshRefuses(t *testing.T) {
	for _, row := range []struct {
		name    string
		change  func(w *system, b *browser)
		headers []string
		status  int
		reason  string
		calls   int  // of the token endpoint, beside the one for the sign-in
		cleared bool // the browser is told to forget the session
	}{
		{"nobody signed in", func(_ *system, b *browser) { clear(b.jar) }, nil, 401, "no_session", 0, false},
		{"a sealed cookie with a letter changed", func(_ *system, b *browser) {
			c := b.jar[base+"/auth __Secure-refresh"]
			first := byte('A')
			if c.value[0] == first {
				first = 'B'
			}
			c.value = string(first) + c.value[1:]
		}, nil, 401, "no_session", 0, false},
		{"two sessions of this browser's", func(w *system, b *browser) {
			first := *b.jar[base+"/auth __Secure-refresh"]
			b.open(w.idp.authorize(w.t, b.begin2(w.t, base+"/"), "alice"))
			w.idp.calls = w.idp.calls[1:]
			first.path = base + "/auth/refresh"
			b.jar["x"] = &first
		}, nil, 401, "no_session", 0, false},
		{"another site", nil, []string{"Sec-Fetch-Site", "cross-site"}, 403, "cross_site", 0, false},
		{"a sibling site", nil, []string{"Sec-Fetch-Site", "same-site"}, 403, "cross_site", 0, false},
		{"another origin, old browser", nil, []string{"Sec-Fetch-Site", "", "Origin", "https://evil.example"}, 403, "cross_site", 0, false},
		{"a sandboxed page", nil, []string{"Sec-Fetch-Site", "", "Origin", "null"}, 403, "cross_site", 0, false},

		{"revoked", func(w *system, _ *browser) {
			for _, f := range w.idp.live {
				*f.revoked = true
			}
		}, nil, 401, "session_ended", 1, false},
		{"a wrong secret", func(w *system, _ *browser) { w.idp.fault = status(400, "invalid_client") }, nil, 503, "config_unavailable", 1, false},
		{"client not allowed", func(w *system, _ *browser) { w.idp.fault = status(400, "unauthorized_client") }, nil, 503, "config_unavailable", 1, false},
		{"another 4xx", func(w *system, _ *browser) { w.idp.fault = status(400, "invalid_request") }, nil, 503, "provider_unavailable", 1, false},
		{"throttling", func(w *system, _ *browser) { w.idp.fault = status(429, "slow_down") }, nil, 503, "provider_unavailable", 1, false},
		{"throttling as 400", func(w *system, _ *browser) { w.idp.fault = status(400, "TooManyRequestsException") }, nil, 503, "provider_unavailable", 1, false},
		{"a 500", func(w *system, _ *browser) { w.idp.fault = status(500, "invalid_grant") }, nil, 503, "provider_unavailable", 2, false},
		{"a lost connection", func(w *system, _ *browser) {
			w.idp.fault = func(http.ResponseWriter, *http.Request) bool { panic(http.ErrAbortHandler) }
		}, nil, 503, "provider_unavailable", 2, false},
		{"a refusal after a lost connection", func(w *system, _ *browser) {
			n := 0
			w.idp.fault = func(rw http.ResponseWriter, _ *http.Request) bool {
				if n++; n == 1 {
					panic(http.ErrAbortHandler)
				}
				oauthError(rw, 400, "invalid_grant")
				return true
			}
		}, nil, 503, "provider_unavailable", 2, false},
		{"nobody there", func(w *system, _ *browser) { w.idp.server.Close() }, nil, 503, "provider_unavailable", 0, false},
		{"an expired token", func(w *system, _ *browser) { w.idp.claims = tokentest.Claims{"exp": 1} }, nil, 503, "provider_unavailable", 1, false},
		{"another client's token", func(w *system, _ *browser) { w.idp.claims = tokentest.Claims{"aud": "other"} }, nil, 401, "token_audience", 1, false},
		{"keys out of reach", func(w *system, _ *browser) { w.keys = errKeys }, nil, 503, "keys_unavailable", 1, false},
		{"a second opinion", func(w *system, _ *browser) {
			w.opinion = func(string, string) error { return errors.New("no") }
		}, nil, 401, "login_disagree", 1, false},
		{"a session that fits nowhere", func(w *system, _ *browser) { w.idp.weight = 250 }, nil, 400, "login_too_large", 1, false},
		{"a token that is too long", func(w *system, _ *browser) { w.idp.weight = 1000 }, nil, 400, "login_too_large", 1, false},

		{"another algorithm", func(w *system, _ *browser) { w.idp.edit = unsigned }, nil, 401, "token_algorithm", 1, false},
		{"another issuer's token", func(w *system, _ *browser) {
			w.idp.claims = tokentest.Claims{"iss": "https://evil.example"}
		}, nil, 401, "token_issuer", 1, false},
		{"a claim of another type", func(w *system, _ *browser) { w.idp.claims = tokentest.Claims{"sub": 7} }, nil, 401, "token_claims", 1, false},
		{"another nonce", func(w *system, _ *browser) { w.idp.claims = tokentest.Claims{"nonce": "other"} }, nil, 401, "token_nonce", 1, false},
		{"an old token", func(w *system, _ *browser) {
			w.idp.claims = tokentest.Claims{"iat": tokentest.Start.Unix() - 541}
		}, nil, 401, "token_claims", 1, false},
		{"a token that lives too long", func(w *system, _ *browser) {
			w.idp.claims = tokentest.Claims{"exp": tokentest.Start.Unix() + 60 + 24*3600 + 1}
		}, nil, 401, "token_claims", 1, false},
		{"a token that begins later", func(w *system, _ *browser) {
			w.idp.claims = tokentest.Claims{"iat": tokentest.Start.Unix() + 3600}
		}, nil, 503, "provider_unavailable", 1, false},
		{"the own host without TLS", nil, []string{"Sec-Fetch-Site", "", "Origin", "http://" + host}, 403, "cross_site", 0, false},
		{"the own host by another scheme", nil, []string{"Sec-Fetch-Site", "", "Origin", "x://" + host}, 403, "cross_site", 0, false},

		{"another user", func(w *system, _ *browser) { w.idp.claims = tokentest.Claims{"sub": "mallory"} }, nil, 401, "session_changed", 1, true},
		{"the session of another user", func(w *system, b *browser) {
			other := w.browser()
			other.signIn("mallory", base+"/")
			b.jar["/ __Host-id"] = other.jar["/ __Host-id"]
		}, nil, 401, "session_changed", 1, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newSystem(t)
			b := w.browser()
			b.signIn("alice", base+"/")
			w.Advance(time.Minute)
			if row.change != nil {
				row.change(w, b)
			}
			before := b.fork()
			res := b.call("POST", base+"/auth/refresh", row.headers...)
			w.wants(res, row.status, row.reason)
			if got := w.idp.count() - 1; got != row.calls {
				t.Errorf("the token endpoint was asked %d times, want %d", got, row.calls)
			}
			if row.status == 503 && res.Header.Get("Retry-After") == "" {
				t.Error("no Retry-After")
			}
			switch gone := len(b.has("__Host-")) + len(b.has("__Secure-refresh")); {
			case row.status == 401 && row.calls == 1 && row.reason != "session_ended" && row.reason != "session_changed": // no good
				if len(b.has("__Secure-refresh"))+len(b.has("__Host-browser")) != 0 || len(b.has("__Host-id")) == 0 {
					t.Errorf("left of a renewal that is no good: %q", b.has(""))
				}
			case row.cleared && gone != 0:
				t.Errorf("still there: %q", b.has(""))
			case !row.cleared && len(res.Header.Values("Set-Cookie")) != 0:
				t.Errorf("cookies were touched: %q", res.Header.Values("Set-Cookie"))
			case !row.cleared && fmt.Sprint(b.has("")) != fmt.Sprint(before.has("")):
				t.Errorf("cookies were lost")
			}
		})
	}
}

func status(code int, text string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, _ *http.Request) bool { oauthError(w, code, text); return true }
}

// TestRenewedTokenMayLackWhatOnlySignInsHave: no nonce, an earlier or equal sign-in time.
func TestRenewedAuthTime(t *testing.T) {
	w := newSystem(t)
	b := w.browser()
	b.signIn("alice", base+"/")
	w.idp.claims = tokentest.Claims{"auth_time": tokentest.Start.Unix() - 100}
	w.wants(b.call("POST", base+"/auth/refresh"), 204, "ok")
	w.idp.claims = tokentest.Claims{"auth_time": tokentest.Start.Unix()}
	w.wants(b.call("POST", base+"/auth/refresh"), 204, "ok")
}

// unsigned is an answer with an ID token that says that it needs no signature.
func unsigned(answer map[string]any) {
	_, rest, _ := strings.Cut(answer["id_token"].(string), ".")
	payload, _, _ := strings.Cut(rest, ".")
	answer["id_token"] = base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","kid":"x"}`)) + "." + payload + "."
}

// TestRenewedNonce: the one of the sign-in may come again, and none may.
func TestRenewedNonce(t *testing.T) {
	w := newSystem(t)
	b := w.browser()
	u, _ := url.Parse(b.begin(base + "/"))
	b.open(w.idp.authorize(t, u.String(), "alice"))
	for range 2 { // it is carried over from renewal to renewal
		w.idp.set(func(p *provider) { p.claims = tokentest.Claims{"nonce": u.Query().Get("nonce")} })
		w.wants(b.call("POST", base+"/auth/refresh"), 204, "ok")
		w.idp.set(func(p *provider) { p.claims = nil })
		w.wants(b.call("POST", base+"/auth/refresh"), 204, "ok")
	}
	w.idp.set(func(p *provider) { p.claims = tokentest.Claims{"nonce": "other"} })
	w.wants(b.call("POST", base+"/auth/refresh"), 401, "token_nonce")
}

// TestRenewalThatIsNoGoodLeadsToTheSignIn, and not to a page that says "try again" for ever.
func TestRenewalThatIsNoGoodLeadsToTheSignIn(t *testing.T) {
	w := newSystem(t)
	b := w.browser()
	b.signIn("alice", base+"/")
	w.expire()
	w.idp.set(func(p *provider) { p.claims = tokentest.Claims{"iss": "https://evil.example"} })
	to := next(t, b.open(base+"/auth/login?return_to=%2FProd%2Fa"))
	if !strings.HasPrefix(to, w.idp.url) || w.last()["renewal"] != "token_issuer" || len(b.has("__Secure-refresh")) != 0 {
		t.Errorf("sent to %q with %q, logged %v", to, b.has(""), w.last())
	}
	w.idp.set(func(p *provider) { p.claims = nil })
	if res := b.open(w.idp.authorize(t, to, "alice")); res.Header.Get("Location") != base+"/a" || b.who() != "alice" {
		t.Errorf("%d %v", res.StatusCode, w.last())
	}
}

// TestJustIssued holds a sign-in and a renewal to the same bounds: a token is ten minutes old at the most, and ends a
// day and the configured session from now at the latest.
func TestJustIssued(t *testing.T) {
	for _, row := range []struct {
		claim   string
		seconds int64 // from now
		max     time.Duration
		good    bool
	}{
		{"iat", -600, 0, true},
		{"iat", -601, 0, false},
		{"exp", 24 * 3600, 0, true},
		{"exp", 24*3600 + 1, 0, false},
		{"exp", 32 * 3600, 8 * time.Hour, true},
		{"exp", 32*3600 + 1, 8 * time.Hour, false},
	} {
		w := newSystem(t)
		w.provider.SessionMax = row.max
		b, renewing := w.browser(), w.browser()
		renewing.signIn("alice", base+"/")
		w.idp.set(func(p *provider) { p.claims = tokentest.Claims{row.claim: w.Now().Unix() + row.seconds} })
		res := b.open(w.idp.authorize(t, b.begin(base+"/"), "alice"))
		if row.good {
			w.wants(res, 302, "ok")
			w.wants(renewing.call("POST", base+"/auth/refresh"), 204, "ok")
		} else {
			w.wants(res, 400, "token_claims")
			w.wants(renewing.call("POST", base+"/auth/refresh"), 401, "token_claims")
		}
	}
}

// TestLimitsCountFromTheFirstSignIn: with rotation, Cognito was seen to say a later auth_time in renewed tokens. Nobody
// is signed out by that, and no limit moves.
func TestLimitsCountFromTheFirstSignIn(t *testing.T) {
	w := newSystem(t)
	w.provider.SessionMax = 3 * time.Hour
	w.idp.rotation = true
	b := w.browser()
	b.signIn("alice", base+"/")
	for range 2 {
		w.expire()
		w.idp.set(func(p *provider) { p.claims = tokentest.Claims{"auth_time": w.Now().Unix()} })
		w.wants(b.call("POST", base+"/auth/refresh"), 204, "ok")
	}
	for _, c := range b.jar {
		c.dies = c.dies.Add(1000 * time.Hour) // a browser that forgets nothing
	}
	w.expire()
	w.wants(b.call("POST", base+"/auth/refresh"), 401, "session_ended")
}

// TestNavigationWithoutProvider: while the identity provider is away, a session that is still good
// goes on, and one that is over waits.
func TestNavigationWithoutProvider(t *testing.T) {
	w := newSystem(t)
	b := w.browser()
	b.signIn("alice", base+"/")
	w.idp.fault = status(503, "away")
	w.Advance(59*time.Minute + 30*time.Second) // half a minute left
	res := b.open(base + "/auth/login?return_to=%2FProd%2Fa")
	if w.wants(res, 302, "ok"); res.Header.Get("Location") != base+"/a" {
		t.Errorf("sent to %q", res.Header.Get("Location"))
	}
	w.expire()
	res = b.open(base + "/auth/login?return_to=%2FProd%2Fa")
	w.wants(res, 503, "provider_unavailable")
	if res.Header.Get("Retry-After") == "" || len(b.has("__Secure-refresh")) == 0 {
		t.Error("no Retry-After, or the refresh cookie is gone")
	}
	w.idp.set(func(p *provider) { p.fault = nil })
	w.wants(b.open(base+"/auth/login?return_to=%2FProd%2Fa"), 302, "ok")
	if b.who() != "alice" {
		t.Error("not signed in")
	}
}

func TestNavigationWithoutKeys(t *testing.T) {
	w := newSystem(t)
	b := w.browser()
	b.signIn("alice", base+"/")
	w.keys = errKeys
	w.wants(b.open(base+"/auth/login"), 503, "keys_unavailable")
	if w.idp.count() != 1 {
		t.Error("the refresh token was spent on a token that nobody can verify")
	}
	w.wants(b.call("GET", base+"/auth/session"), 503, "keys_unavailable")
}

// TestRotatedTokenIsRescued: the provider has exchanged the refresh token, and then the ID token
// that came with the new one cannot be verified. The new one is kept all the same, for the old one
// is worth nothing any more.
func TestRotatedTokenIsRescued(t *testing.T) {
	for _, row := range []struct {
		name  string
		after time.Duration // since the sign-in
		renew func(b *browser) *http.Response
		want  string // who is signed in meanwhile
	}{
		{"a script, early", 30 * time.Minute, func(b *browser) *http.Response { return b.call("POST", base+"/auth/refresh") }, "alice"},
		{"a script, late", 2 * time.Hour, func(b *browser) *http.Response { return b.call("POST", base+"/auth/refresh") }, ""},
		{"a page, late", 2 * time.Hour, func(b *browser) *http.Response { return b.open(base + "/auth/login") }, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newSystem(t)
			w.idp.rotation = true
			b := w.browser()
			b.signIn("alice", base+"/")
			w.Advance(row.after)
			w.keys = errKeys
			w.wants(row.renew(b), 503, "keys_unavailable")
			w.keys = nil
			if got := b.who(); got != row.want {
				t.Errorf("signed in as %q, want %q", got, row.want)
			}
			w.Advance(time.Minute)
			w.wants(b.call("POST", base+"/auth/refresh"), 204, "ok")
			if b.who() != "alice" {
				t.Error("not signed in")
			}
		})
	}
	t.Run("an answer that comes after somebody else has signed in", func(t *testing.T) {
		w := newSystem(t)
		w.idp.rotation = true
		b := w.browser()
		b.signIn("alice", base+"/")
		w.expire()
		w.keys = errKeys
		late := b.send("POST", base+"/auth/refresh", "Sec-Fetch-Site", "same-origin")
		w.keys = nil
		b.open(w.idp.authorize(t, b.begin2(t, base+"/"), "bob"))
		b.take(late)
		if who := b.who(); who != "" {
			t.Errorf("%s's session beside alice's refresh token", who)
		}
	})
}

// TestSessionThatIsGoodIsUsed: no renewal, no login; but whoever asks to be asked is asked.
func TestSessionThatIsGoodIsUsed(t *testing.T) {
	w := newSystem(t)
	b := w.browser()
	b.signIn("alice", base+"/")
	w.wants(b.open(base+"/auth/login?return_to=%2FProd%2Fa"), 302, "ok")
	w.wants(b.open(base+"/auth/login?return_to=%2FProd%2Fb&prompt=none"), 302, "ok")
	if w.idp.count() != 1 {
		t.Errorf("%d calls", w.idp.count())
	}
	for _, prompt := range []string{"login", "select_account", "consent", "none login"} {
		to := next(t, b.open(base+"/auth/login?prompt="+url.QueryEscape(prompt)))
		if u, _ := url.Parse(to); !strings.HasPrefix(to, w.idp.url) || u.Query().Get("prompt") != prompt {
			t.Errorf("prompt=%s leads to %s", prompt, to)
		}
	}
	w.Advance(59*time.Minute + 30*time.Second)
	w.wants(b.open(base+"/auth/login?return_to=%2FProd%2Fc"), 302, "ok")
	if w.idp.count() != 2 {
		t.Error("a session with half a minute left was not renewed")
	}
}

// TestLoserOfARace: the refresh token that a tab presents was exchanged by another tab a moment
// ago. It is not asked twice about, nothing is cleared, and by the time the loser has come round
// the winner's session is there.
func TestLoserOfARace(t *testing.T) {
	w := newSystem(t)
	w.idp.rotation = true
	b := w.browser()
	b.signIn("alice", base+"/")
	w.expire()
	loser := b.fork()
	w.wants(b.call("POST", base+"/auth/refresh"), 204, "ok")
	w.Advance(time.Second) // beyond the grace of 0

	res := loser.open(base + "/auth/login?return_to=%2FProd%2Fa")
	if len(res.Header.Values("Set-Cookie")) != 0 {
		t.Errorf("the loser writes %q", res.Header.Values("Set-Cookie"))
	}
	again := res.Header.Get("Location")
	if !strings.HasPrefix(again, base+"/auth/login?again=") {
		t.Fatalf("sent to %q", again)
	}
	calls := w.idp.count()
	res = b.open(again) // the browser, which has the winner's cookies by now
	if res.Header.Get("Location") != base+"/a" || w.idp.count() != calls {
		t.Errorf("sent to %q after %d more calls", res.Header.Get("Location"), w.idp.count()-calls)
	}
	to := next(t, loser.open(again)) // a browser that nobody gave anything
	if !strings.HasPrefix(to, w.idp.url) || w.idp.count() != calls {
		t.Errorf("sent to %q after %d more calls", to, w.idp.count()-calls)
	}
	if u, _ := url.Parse(to); u.Query().Has("again") {
		t.Error("the mark goes on to the identity provider")
	}
}

func TestAgainIsNoWayAroundRenewal(t *testing.T) {
	w := newSystem(t)
	b := w.browser()
	b.signIn("alice", base+"/")
	w.expire()
	w.wants(b.open(base+"/auth/login?again=AAAAAAAA&return_to=%2FProd%2Fa"), 302, "ok")
	if b.who() != "alice" {
		t.Error("not renewed")
	}
}

func TestLimits(t *testing.T) {
	for _, row := range []struct {
		name      string
		max, idle time.Duration
		steps     []time.Duration // renewals, so long after each other
		last      string          // reason of the last
	}{
		{"absolute, not reached", 8 * time.Hour, 0, []time.Duration{2 * time.Hour, 2 * time.Hour, 3*time.Hour + 59*time.Minute}, "ok"},
		{"absolute, reached", 8 * time.Hour, 0, []time.Duration{2 * time.Hour, 2 * time.Hour, 4 * time.Hour}, "session_ended"},
		{"idle, not reached", 0, time.Hour, []time.Duration{59 * time.Minute, 59 * time.Minute, 59 * time.Minute}, "ok"},
		{"idle, reached", 0, time.Hour, []time.Duration{59 * time.Minute, time.Hour}, "session_ended"},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newSystem(t)
			w.provider.SessionMax, w.provider.SessionIdle = row.max, row.idle
			b := w.browser()
			b.signIn("alice", base+"/")
			for i, step := range row.steps {
				for _, c := range b.jar {
					c.dies = c.dies.Add(1000 * time.Hour) // a browser that forgets nothing
				}
				w.Advance(step)
				want := "ok"
				if i == len(row.steps)-1 {
					want = row.last
				}
				w.wants(b.call("POST", base+"/auth/refresh"), map[string]int{"ok": 204, "session_ended": 401}[want], want)
			}
			if row.last == "ok" {
				return
			}
			w.expire()
			u, _ := url.Parse(next(t, b.open(base+"/auth/login")))
			if u.Query().Get("prompt") != "login" {
				t.Error("the identity provider is not told to ask again")
			}
		})
	}
	t.Run("cookies do not outlive the absolute limit", func(t *testing.T) {
		w := newSystem(t)
		w.provider.SessionMax = 30 * time.Minute
		b := w.browser()
		b.signIn("alice", base+"/")
		w.Advance(30 * time.Minute)
		if names := b.has(""); len(names) != 0 {
			t.Errorf("still there: %q", names)
		}
	})
}

// TestSecretRotation: what was sealed with the former secret opens for as long as it is known, and
// is sealed anew with the next renewal.
func TestSecretRotation(t *testing.T) {
	w := newSystem(t)
	b := w.browser()
	b.signIn("alice", base+"/")
	late := b.fork()
	callback := w.idp.authorize(t, b.begin2(t, base+"/x"), "alice")
	w.former, w.secret = w.secret, "the-next-client-secret-0123"
	w.wants(b.open(callback), 302, "ok")
	w.wants(late.call("POST", base+"/auth/refresh"), 204, "ok")
	w.former = ""
	w.wants(b.call("POST", base+"/auth/refresh"), 204, "ok")
	w.wants(late.call("POST", base+"/auth/refresh"), 204, "ok")
}

// TestSecretChangesUnderway: the secret that is in memory is no longer the client's. One look at
// the new one is enough; the same one is not tried twice.
func TestSecretChangesUnderway(t *testing.T) {
	w := newSystem(t)
	b := w.browser()
	b.signIn("alice", base+"/")
	stale := w.secret
	w.idp.fault = func(rw http.ResponseWriter, r *http.Request) bool {
		if _, secret, _ := r.BasicAuth(); secret == stale {
			oauthError(rw, 400, "invalid_client")
			return true
		}
		return false
	}
	w.wants(b.call("POST", base+"/auth/refresh"), 503, "config_unavailable")
	if w.idp.count() != 2 {
		t.Errorf("%d calls", w.idp.count())
	}
	w.outdated = func() { w.secret, w.former = "the-next-client-secret-0123", stale }
	w.wants(b.call("POST", base+"/auth/refresh"), 204, "ok")
	w.former = ""
	w.wants(b.call("POST", base+"/auth/refresh"), 204, "ok")
}

// TestAnotherInstanceKnowsTheNewSecret: for the minutes in which some instances know the new secret
// and others do not, what one has sealed opens at the other, which looks again; for nothing else.
func TestAnotherInstanceKnowsTheNewSecret(t *testing.T) {
	w := newSystem(t)
	former, looked := w.secret, 0
	w.secret = "the-next-client-secret-0123"
	b := w.browser()
	b.signIn("alice", base+"/")
	late := w.browser()
	callback := w.idp.authorize(t, late.begin2(t, base+"/x"), "alice")
	w.outdated = func() { w.secret, w.former, looked = "the-next-client-secret-0123", former, looked+1 }

	w.secret = former
	w.wants(b.call("POST", base+"/auth/refresh"), 204, "ok")
	w.secret, w.former = former, ""
	w.wants(late.open(callback), 302, "ok")
	if looked != 2 {
		t.Errorf("looked %d times", looked)
	}
	w.wants(b.call("POST", base+"/auth/refresh"), 204, "ok")
	w.wants(w.browser().open(base+"/auth/login"), 200, "ok")
	if looked != 2 {
		t.Errorf("looked again with nothing to look for: %d times", looked)
	}
}

// TestNewUserReplacesTheOldOneWhole: no part of one user's session survives another's sign-in, not
// even where the new one gets less.
func TestNewUserReplacesTheOldOneWhole(t *testing.T) {
	w := newSystem(t)
	w.provider.HeaderBudget = 20480
	b := w.browser()
	w.idp.weight, w.idp.filler = 100, 4000
	b.signIn("alice", base+"/")
	if len(b.has("__Host-id")) < 2 || len(b.has("__Secure-refresh")) < 2 {
		t.Fatalf("not split: %q", b.has(""))
	}
	w.idp.weight, w.idp.filler = 0, 0
	w.idp.edit = func(a map[string]any) { delete(a, "refresh_token") }
	b.open(w.idp.authorize(t, b.begin2(t, base+"/"), "bob"))
	if names := b.has("__Host-id"); len(names) != 1 || len(b.has("__Secure-refresh")) != 0 {
		t.Errorf("left over: %q", b.has(""))
	}
	if b.who() != "bob" {
		t.Errorf("signed in as %q", b.who())
	}
	w.wants(b.call("POST", base+"/auth/refresh"), 401, "no_session")
}

func TestNavigationWithTwoUsersCookies(t *testing.T) {
	w := newSystem(t)
	alice, bob := w.browser(), w.browser()
	alice.signIn("alice", base+"/")
	bob.signIn("bob", base+"/")
	for _, name := range []string{"/ __Host-browser", base + "/auth __Secure-refresh"} {
		bob.jar[name] = alice.jar[name]
	}
	to := next(t, bob.open(base+"/auth/login"))
	if !strings.HasPrefix(to, w.idp.url) || len(bob.has("__Host-id"))+len(bob.has("__Secure-refresh")) != 0 {
		t.Errorf("sent to %q with %q", to, bob.has(""))
	}
	w.idp.set(func(p *provider) { p.claims = tokentest.Claims{"sub": "mallory"} })
	w.expire()
	to = next(t, alice.open(base+"/auth/login"))
	if !strings.HasPrefix(to, w.idp.url) || len(alice.has("__Host-id"))+len(alice.has("__Secure-refresh")) != 0 {
		t.Errorf("sent to %q with %q", to, alice.has(""))
	}
}

func TestSessionTellsScripts(t *testing.T) {
	w := newSystem(t)
	b := w.browser()
	res := b.call("GET", base+"/auth/session")
	w.wants(res, 401, "no_session")
	w.idp.groups = 2
	b.signIn("alice", base+"/")
	w.Advance(10 * time.Minute)
	res = b.call("GET", base+"/auth/session")
	w.wants(res, 200, "ok")
	want := fmt.Sprintf(`{"sub":"alice","username":"alice","email":"alice@example.com","groups":["%s","%s"],"auth_time":%d,"exp":%d,"expires_in":3000,`+
		`"refreshable":true,"logout_url":"/Prod/auth/logout"}`, tokentest.Groups(2, 40)[0], tokentest.Groups(2, 40)[1], tokentest.Start.Unix(), tokentest.Start.Unix()+3600)
	if got := strings.TrimSpace(body(res)); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	w.idp.groups, w.idp.claims = 0, tokentest.Claims{"email_verified": false, "custom:tenant": "acme", "custom:limit": 7, "custom:other": "x"}
	w.provider.Claims = []string{"custom:tenant", "custom:limit", "custom:none"}
	further := w.browser()
	further.signIn("bob", base+"/")
	res = further.call("GET", base+"/auth/session")
	if text := body(res); strings.Contains(text, "bob@") || !strings.HasSuffix(strings.TrimSpace(text), `,"claims":{"custom:limit":7,"custom:tenant":"acme"}}`) {
		t.Errorf("got %s", text)
	}
	for _, c := range b.jar {
		c.dies = c.dies.Add(time.Hour)
	}
	w.expire()
	res = b.call("GET", base+"/auth/session")
	w.wants(res, 401, "token_expired")
	var failure map[string]any
	if json.Unmarshal([]byte(body(res)), &failure); failure["refreshable"] != true || failure["login_url"] != "/Prod/auth/login" {
		t.Errorf("%v", failure)
	}
	if res := w.browser().call("GET", base+"/auth/session", "Cookie", "__Host-id=a; __Host-id=b"); res.StatusCode != 401 || w.last()["reason"] != "cookie_conflict" {
		t.Errorf("%d %v", res.StatusCode, w.last())
	}
}
