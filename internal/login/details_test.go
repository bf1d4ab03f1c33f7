package login_test

// This file holds the handlers to what is easily lost: bounds, the other half of an "and", a level,
// an address that stands in one answer and not in another.

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"edgeauth/internal/login"
)

func TestSiteAtTheRoot(t *testing.T) {
	res := newSystem(t).browser().open("/auth/login", "Host", "other.example.com")
	u, _ := url.Parse(next(t, res))
	if got := u.Query().Get("redirect_uri"); res.StatusCode != 200 || got != "https://other.example.com/auth/callback" {
		t.Errorf("%d, redirect_uri %q", res.StatusCode, got)
	}
}

// TestOnlyALogoutForgetsInTheDark: while the settings are out of reach, no other route touches what
// a browser holds, and a logout does whether it is a GET or a POST.
func TestOnlyALogoutForgetsInTheDark(t *testing.T) {
	for _, row := range []struct {
		method, route string
		forgets       bool
	}{
		{"GET", "login", false},
		{"GET", "callback", false},
		{"POST", "refresh", false},
		{"GET", "session", false},
		{"GET", "denied", false},
		{"GET", "signed-out", false},
		{"GET", "logout", true},
		{"POST", "logout", true},
	} {
		w := newSystem(t)
		b := w.browser()
		b.signIn("alice", base+"/")
		w.settings = errAny
		headers := append(asNavigation[:4:4], "Sec-Fetch-Site", "same-origin", "Accept", "text/html")
		res := b.send(row.method, base+"/auth/"+row.route, headers...)
		w.wants(res, 503, "config_unavailable")
		if got := len(res.Header["Set-Cookie"]) > 0; got != row.forgets {
			t.Errorf("%s %s: sets %q", row.method, row.route, res.Header["Set-Cookie"])
		}
	}
}

// transport answers requests to the token endpoint with an error of its own making.
type transport struct{ err error }

func (f transport) RoundTrip(*http.Request) (*http.Response, error) { return nil, f.err }

// TestACodeGoesOutAgainOnlyIfItNeverLeft: a connection that broke while the answer was read may
// have used it up.
func TestACodeGoesOutAgainOnlyIfItNeverLeft(t *testing.T) {
	for op, calls := range map[string]int{"dial": 2, "read": 1, "write": 1} {
		n := 0
		count := func(*http.Request) (*url.URL, error) { n++; return nil, &net.OpError{Op: op, Err: errAny} }
		w := newSystem(t, func(c *login.Config) { c.HTTP = &http.Client{Transport: &http.Transport{Proxy: count}} })
		b := w.browser()
		w.wants(b.open(w.idp.authorize(t, b.begin(base+"/"), "alice")), 503, "provider_unavailable")
		if n != calls {
			t.Errorf("%s: sent %d times, want %d", op, n, calls)
		}
	}
}

// TestARevocationThatNeverArrivedIsLogged, and says how it failed.
func TestARevocationThatNeverArrivedIsLogged(t *testing.T) {
	for want, err := range map[string]error{
		"no connection": &net.OpError{Op: "dial", Err: errAny}, "connection lost": &net.OpError{Op: "read", Err: errAny},
	} {
		t.Run(want, func(t *testing.T) {
			client := &http.Client{}
			w := newSystem(t, func(c *login.Config) { client.Transport, c.HTTP = c.HTTP.Transport, client })
			b := w.browser()
			b.signIn("alice", base+"/")
			w.idp.set(func(p *provider) { p.fault = func(http.ResponseWriter, *http.Request) bool { return false } })
			broken := newSystem(t, func(c *login.Config) { c.HTTP = &http.Client{Transport: transport{err}} })
			res := broken.browser().send("POST", base+"/auth/logout", "Cookie", b.cookies(base+"/auth/logout"), "Sec-Fetch-Site", "same-origin")
			broken.wants(res, 200, "ok")
			if got := fmt.Sprint(broken.last()["revocation"]); !strings.Contains(got, want) {
				t.Errorf("logged %q", got)
			}
		})
	}
}

// TestASignOutRevokesABoundedNumber: whoever plants refresh cookies does not make one sign-out take
// for ever.
func TestASignOutRevokesABoundedNumber(t *testing.T) {
	w := newSystem(t)
	alice := w.browser()
	alice.signIn("alice", base+"/")
	for i := range 5 {
		mallory := w.browser()
		mallory.signIn("mallory", base+"/")
		alice.jar[fmt.Sprint(i)] = mallory.jar[base+"/auth __Secure-refresh"]
	}
	w.wants(alice.call("POST", base+"/auth/logout"), 200, "ok")
	if len(w.idp.revoked) != 3 {
		t.Errorf("%d tokens revoked, want 3", len(w.idp.revoked))
	}
}

// TestEveryPartOfALoginIsRandom: the state has 256 bits of its own, whatever stands behind its dot.
func TestEveryPartOfALoginIsRandom(t *testing.T) {
	w := newSystem(t)
	seen := map[string]bool{}
	for range 20 {
		u, _ := url.Parse(w.browser().begin(base + "/" + strings.Repeat("x", 600)))
		state, _, _ := strings.Cut(u.Query().Get("state"), ".")
		if len(state) != 43 || seen[state] {
			t.Fatalf("%d characters, or seen before", len(state))
		}
		seen[state] = true
	}
}

// TestTheOldestLoginIsDropped, in whatever order the browser sends them.
func TestTheOldestLoginIsDropped(t *testing.T) {
	for _, backwards := range []bool{false, true} {
		w := newSystem(t)
		b := w.browser()
		var names []string
		for range 4 {
			w.Advance(time.Second)
			before := strings.Join(b.has("__Secure-login-"), " ")
			b.begin(base + "/")
			for _, name := range b.has("__Secure-login-") {
				if !strings.Contains(before, name) {
					names = append(names, name)
				}
			}
		}
		w.Advance(time.Second)
		var pairs []string
		for _, name := range names {
			binder := strings.Replace(name, "__Secure-", "__Host-", 1)
			if pair := name + "=" + b.value(name) + "; " + binder + "=" + b.value(binder); backwards {
				pairs = append([]string{pair}, pairs...)
			} else {
				pairs = append(pairs, pair)
			}
		}
		b.take(b.send("GET", base+"/auth/login", append(asNavigation, "Cookie", strings.Join(pairs, "; "))...))
		left := strings.Join(b.has("__Secure-login-"), " ")
		for i, name := range names {
			if strings.Contains(left, name) != (i > 0) {
				t.Errorf("backwards %v: login %d of 4 is there: %v", backwards, i+1, i == 0)
			}
		}
	}
}

// TestNobodyIsAskedForAPasswordWithoutNeed: only a limit that has passed makes the identity
// provider ask again, and who asks for something else gets that.
func TestNobodyIsAskedForAPasswordWithoutNeed(t *testing.T) {
	prompt := func(w *system, b *browser, query string) string {
		u, _ := url.Parse(next(t, b.open(base+"/auth/login"+query)))
		return u.Query().Get("prompt")
	}
	w := newSystem(t)
	if got := prompt(w, w.browser(), ""); got != "" {
		t.Errorf("a first sign-in has prompt=%s", got)
	}
	limited := newSystem(t)
	limited.provider.SessionMax = time.Hour
	if got := prompt(limited, limited.browser(), "?prompt=none"); got != "none" {
		t.Errorf("prompt=none became %q", got)
	}
}

// TestAnotherAccountKeepsThePage: where a page proposes another account, its link asks for one and
// leads back.
func TestAnotherAccountKeepsThePage(t *testing.T) {
	w := newSystem(t)
	w.idp.weight = 160
	b := w.browser()
	res := b.open(w.idp.authorize(t, b.begin(base+"/deep?link=1"), "alice"))
	w.wants(res, 400, "login_too_large")
	if want := `href="/Prod/auth/login?return_to=%2FProd%2Fdeep%3Flink%3D1&amp;prompt=login"`; !strings.Contains(body(res), want) {
		t.Errorf("no %s in %s", want, body(res))
	}
	c := w.browser()
	w.idp.set(func(p *provider) { p.weight, p.fault = 0, status(400, "invalid_grant") })
	res = c.open(w.idp.authorize(t, c.begin(base+"/deep?link=1"), "alice"))
	w.wants(res, 400, "login_code_refused")
	if want := `href="/Prod/auth/login?return_to=%2FProd%2Fdeep%3Flink%3D1"`; !strings.Contains(body(res), want) {
		t.Errorf("no %s in %s", want, body(res))
	}
}

// TestOnlyWhoIsNotSignedInIsToldWhereToSignIn.
func TestOnlyWhoIsNotSignedInIsToldWhereToSignIn(t *testing.T) {
	w := newSystem(t)
	for route, want := range map[string]any{"session": "/Prod/auth/login", "denied": nil} {
		var failure map[string]any
		json.Unmarshal([]byte(body(w.browser().call("GET", base+"/auth/"+route))), &failure)
		if failure["login_url"] != want {
			t.Errorf("%s: login_url %v, want %v", route, failure["login_url"], want)
		}
	}
}

// TestOnlyAnOutageIsAnError in the log's eyes: alarms are keyed by the level.
func TestOnlyAnOutageIsAnError(t *testing.T) {
	w := newSystem(t)
	b := w.browser()
	for _, row := range []struct {
		settings error
		level    string
	}{{nil, "INFO"}, {errors.New("away"), "ERROR"}} {
		w.settings = row.settings
		b.call("GET", base+"/auth/session")
		if got := w.last()["level"]; got != row.level {
			t.Errorf("%v: level %v, want %s", row.settings, got, row.level)
		}
	}
}

// TestARescuedSessionLastsAnHour: its token is as old as it was, but nobody can read from here when
// it ends.
func TestARescuedSessionLastsAnHour(t *testing.T) {
	w := newSystem(t)
	w.idp.rotation = true
	b := w.browser()
	b.signIn("alice", base+"/")
	w.Advance(30 * time.Minute)
	w.keys = errKeys
	res := b.call("POST", base+"/auth/refresh")
	w.wants(res, 503, "keys_unavailable")
	found := false
	for _, line := range res.Header["Set-Cookie"] {
		found = found || strings.HasPrefix(line, "__Host-id=") && strings.Contains(line, "; Path=/; Max-Age=3600; ")
	}
	if !found {
		t.Errorf("%d lines, none of which keeps the session for an hour", len(res.Header["Set-Cookie"]))
	}
}

// TestAnUnknownHostIsLookedUp: the application may have got another host since AWS was asked. Nobody looks for a path.
func TestAnUnknownHostIsLookedUp(t *testing.T) {
	w := newSystem(t)
	looks := 0
	w.outdated = func() { looks++ }
	w.wants(w.browser().open(base+"/auth/login", "Host", "new.example.com"), 404, "not_found")
	w.wants(w.browser().open(base+"/auth/login", "Host", "other.example.com"), 404, "not_found")
	if looks != 1 {
		t.Errorf("%d looks, want one", looks)
	}
	w.outdated = func() { w.provider.BaseURLs = []string{"https://new.example.com/Prod"} }
	w.wants(w.browser().open(base+"/auth/login", "Host", "new.example.com"), 200, "ok")
	w.outdated = func() { w.settings = errAny }
	w.wants(w.browser().open(base+"/auth/login", "Host", "newer.example.com"), 503, "config_unavailable")
}
