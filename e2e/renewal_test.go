// What happens after the first login: sessions that go on unseen, tabs that do not disturb each other, tokens of every size, and ends that are ends.
package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// expire takes the session away and leaves the rest, as the browser does when its time is up.
func (s *system) expire(b *browser) {
	b.drop(func(c cookie) bool { return c.host == s.host() && strings.HasPrefix(c.name, "__Host-id") })
}

// requireNoLogin asserts that nobody was asked anything since the given number of exchanges.
func (s *system) requireNoLogin(t testing.TB, b *browser, since int) {
	t.Helper()
	for _, e := range b.trace()[since:] {
		if origin(e.url) == s.cognito {
			t.Errorf("went through the login host: %v", e)
		}
	}
}

func TestNavigationRenewsUnseen(t *testing.T) {
	for _, rotation := range []string{"off", "on"} {
		t.Run("rotation "+rotation, func(t *testing.T) {
			s := start(t)
			s.standIn(t, "settings", fmt.Sprintf(`{"rotation":%q,"rotation_grace":"60s"}`, rotation))
			b := newBrowser(t)
			signIn(t, s, b, s.app+"/", alice)
			old := claimsOf(t, s.sessionCookies(b)[0].value)
			s.expire(b)
			since := len(b.trace())
			page := b.visit(s.app + "/reports/2026?quarter=4&tag=b%2Fc")
			wantPage(t, page, http.StatusOK, alice, "/Prod/reports/2026")
			if page.url.RequestURI() != "/Prod/reports/2026?quarter=4&tag=b%2Fc" {
				t.Errorf("came back to %s", page.url.RequestURI())
			}
			s.requireNoLogin(t, b, since)
			fresh := claimsOf(t, s.sessionCookies(b)[0].value)
			if fresh["jti"] == old["jti"] || fresh["sub"] != old["sub"] || fresh["auth_time"] != old["auth_time"] {
				t.Error("not the same session, renewed")
			}
		})
	}
}

// An expired token in the cookie, as after a suspended laptop: the cookie's own time is measured by another clock.
func TestExpiredTokenIsRenewed(t *testing.T) {
	s := start(t)
	b := newBrowser(t)
	signIn(t, s, b, s.app+"/", alice)
	expired := s.mint(t, fmt.Sprintf(`{"claims":{"exp":%d}}`, time.Now().Unix()-10))
	s.expire(b)
	b.mu.Lock()
	b.keep(must(url.Parse(s.app)), "__Host-id="+expired+"; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=60")
	b.mu.Unlock()
	wantJSON(t, b.fetch(http.MethodGet, s.app+"/api/me"), http.StatusUnauthorized)
	since := len(b.trace())
	wantPage(t, b.visit(s.app+"/"), http.StatusOK, alice)
	s.requireNoLogin(t, b, since)
}

func TestScriptsRenew(t *testing.T) {
	s := start(t)
	b := newBrowser(t)
	signIn(t, s, b, s.app+"/", alice)
	s.expire(b)
	wantJSON(t, b.fetch(http.MethodGet, s.app+"/api/me"), http.StatusUnauthorized)
	if e := b.fetch(http.MethodPost, s.app+"/auth/refresh"); e.status != http.StatusNoContent {
		t.Fatalf("%v", e)
	}
	if me := wantJSON(t, b.fetch(http.MethodGet, s.app+"/api/me"), http.StatusOK); me["email"] != alice {
		t.Errorf("renewed as %v", me["email"])
	}
	// Nobody else may renew: not a link, not another site, not somebody without the cookie.
	if e := b.fetch(http.MethodGet, s.app+"/auth/refresh"); e.status != http.StatusMethodNotAllowed {
		t.Errorf("GET: %v", e)
	}
	refresh := cookieHeader(b.cookies(s.host(), "__Secure-refresh"))
	if e := plain(t, http.MethodPost, s.app+"/auth/refresh", refresh, "Sec-Fetch-Site", "cross-site", "Origin", "http://evil.example"); e.status != http.StatusForbidden {
		t.Errorf("from another site: %v", e)
	}
	wantJSON(t, newBrowser(t).fetch(http.MethodPost, s.app+"/auth/refresh"), http.StatusUnauthorized)
}

// Ten scripts at once, with every refresh token good for one use and its grace: nobody is signed out.
func TestRenewalsAtOnce(t *testing.T) {
	s := start(t)
	s.standIn(t, "settings", `{"rotation":"on","rotation_grace":"60s"}`)
	b := newBrowser(t)
	signIn(t, s, b, s.app+"/", alice)
	s.expire(b)
	var tabs sync.WaitGroup
	for range 10 {
		tabs.Go(func() {
			if e := b.fetch(http.MethodPost, s.app+"/auth/refresh"); e.status != http.StatusNoContent {
				t.Errorf("%v", e)
			}
		})
	}
	tabs.Wait()
	wantJSON(t, b.fetch(http.MethodGet, s.app+"/api/me"), http.StatusOK)
	s.expire(b)
	since := len(b.trace())
	wantPage(t, b.visit(s.app+"/"), http.StatusOK, alice)
	s.requireNoLogin(t, b, since)
}

// Ten tabs restored after the session has expired: ten right pages and one session.
func TestTenTabsAfterExpiry(t *testing.T) {
	s := start(t)
	b := newBrowser(t)
	signIn(t, s, b, s.app+"/", alice)
	s.expire(b)
	since := len(b.trace())
	var tabs sync.WaitGroup
	for i := range 10 {
		tabs.Go(func() {
			target := fmt.Sprintf("/Prod/reports/%d?tab=%d", i, i)
			if page := b.visit(strings.TrimSuffix(s.app, "/Prod") + target); page.status != http.StatusOK || page.url.RequestURI() != target {
				t.Errorf("tab %d: %v", i, page)
			}
		})
	}
	tabs.Wait()
	s.requireNoLogin(t, b, since)
	wantJSON(t, b.fetch(http.MethodGet, s.app+"/api/me"), http.StatusOK)
}

// The answer to a renewal is lost on the way, after the identity provider has replaced the refresh token: the next try still works.
func TestLostRenewal(t *testing.T) {
	s := start(t)
	s.standIn(t, "settings", `{"rotation":"on","rotation_grace":"60s"}`)
	b := newBrowser(t)
	signIn(t, s, b, s.app+"/", alice)
	s.expire(b)
	s.standIn(t, "fault", `{"at":"token","kind":"reset","grant":"refresh_token","times":3}`)
	b.fetch(http.MethodPost, s.app+"/auth/refresh")
	s.standIn(t, "clear", `{}`)
	if e := b.fetch(http.MethodPost, s.app+"/auth/refresh"); e.status != http.StatusNoContent {
		t.Fatalf("after a lost answer: %v %s", e, e.body)
	}
	wantJSON(t, b.fetch(http.MethodGet, s.app+"/api/me"), http.StatusOK)
}

// An identity provider that is down ends no session: what is good stays good, and the rest is a page that says so, until it is up again.
func TestProviderDownDuringRenewal(t *testing.T) {
	s := start(t)
	b := newBrowser(t)
	signIn(t, s, b, s.app+"/", alice)
	before := s.count(t, "token.refresh_token")
	s.standIn(t, "fault", `{"at":"token","kind":"status","status":503,"times":-1}`)
	if e := b.fetch(http.MethodPost, s.app+"/auth/refresh"); e.status != http.StatusServiceUnavailable && e.status != http.StatusBadGateway && e.status != http.StatusInternalServerError {
		t.Errorf("%v", e)
	}
	if n := s.count(t, "token.refresh_token") - before; n > 2 {
		t.Errorf("asked %d times", n)
	}
	wantJSON(t, b.fetch(http.MethodGet, s.app+"/api/me"), http.StatusOK)
	if len(b.cookies(s.host(), "__Secure-refresh")) == 0 {
		t.Error("an outage took the refresh cookie")
	}

	s.expire(b)
	page := b.visit(s.app + "/")
	if page.status < 500 || !strings.Contains(page.body, "provider_unavailable") {
		t.Errorf("%v", page)
	}
	s.standIn(t, "clear", `{}`)
	since := len(b.trace())
	wantPage(t, b.visit(s.app+"/"), http.StatusOK, alice)
	s.requireNoLogin(t, b, since)
}

// A revoked session ends: programs are told, people see the login page, and signing in again works.
func TestRevokedSession(t *testing.T) {
	s := start(t)
	b := newBrowser(t)
	signIn(t, s, b, s.app+"/", alice)
	s.standIn(t, "revoke", `{"user":"alice@example.com"}`)
	s.expire(b)
	if answer := wantJSON(t, b.fetch(http.MethodPost, s.app+"/auth/refresh"), http.StatusUnauthorized); !strings.Contains(fmt.Sprint(answer), "session_ended") {
		t.Errorf("told %v", answer)
	}
	wantPage(t, signIn(t, s, b, s.app+"/?a=1", alice), http.StatusOK, alice)
}

// Another user's token in answer to a renewal never mixes two people.
func TestRenewalAnswersWithAnotherUser(t *testing.T) {
	s := start(t)
	b := newBrowser(t)
	signIn(t, s, b, s.app+"/", alice)
	s.expire(b)
	s.standIn(t, "fault", `{"at":"token","kind":"alter","alter":"other_user","grant":"refresh_token"}`)
	answer := wantJSON(t, b.fetch(http.MethodPost, s.app+"/auth/refresh"), http.StatusUnauthorized)
	if !strings.Contains(fmt.Sprint(answer), "session_changed") || len(s.sessionCookies(b)) > 0 {
		t.Errorf("told %v", answer)
	}
}

// Logins that are begun and left: no more than four are remembered, and the last one works.
func TestPendingLoginsAreFew(t *testing.T) {
	s := start(t)
	b := newBrowser(t)
	for i := range 8 {
		b.visit(fmt.Sprintf("%s/reports/%d", s.app, i))
		if n := len(b.cookies(s.host(), "__Secure-login-")); n > 4 {
			t.Fatalf("%d pending logins", n)
		}
	}
	page := signIn(t, s, b, s.app+"/reports/9", alice)
	wantPage(t, page, http.StatusOK, alice, "/Prod/reports/9")
}

// Two tabs with a login page each: both end where they wanted to go.
func TestTwoLoginsAtOnce(t *testing.T) {
	s := start(t)
	b := newBrowser(t)
	first, second := b.visit(s.app+"/reports/1"), b.visit(s.app+"/reports/2")
	wantPage(t, enter(t, s, b, second, alice), http.StatusOK, alice, "/Prod/reports/2")
	wantPage(t, enter(t, s, b, first, alice), http.StatusOK, alice, "/Prod/reports/1")
}

// Tokens grow and shrink with people's groups; the cookies follow without leftovers, and what does not fit is explained.
func TestTokenSizes(t *testing.T) {
	s := start(t)
	b := newBrowser(t)
	signIn(t, s, b, s.app+"/", alice)
	for _, size := range []int{1500, 4000, 4200, 6500, 9000, 4200, 1500} {
		s.standIn(t, "settings", fmt.Sprintf(`{"id_token_bytes":%d,"refresh_token_bytes":1000}`, size))
		if e := b.fetch(http.MethodPost, s.app+"/auth/refresh"); e.status != http.StatusNoContent {
			// A token whose refresh token no longer fits beside it is given by a sign-in only.
			s.expire(b)
			b.drop(func(c cookie) bool { return strings.HasPrefix(c.name, "__Secure-") })
			if page := signInAgain(t, s, b); page.status != http.StatusOK {
				t.Fatalf("%d bytes: %v, then %v", size, e, page)
			}
		}
		if me := wantJSON(t, b.fetch(http.MethodGet, s.app+"/api/me"), http.StatusOK); me["email"] != alice {
			t.Errorf("%d bytes: %v", size, me["email"])
		}
		held := 0
		for _, c := range s.sessionCookies(b) {
			held += len(c.value)
		}
		if held < size-600 || held > size+100 {
			t.Errorf("%d bytes of token are held in %d bytes of cookies", size, held)
		}
	}

	s.standIn(t, "settings", `{"id_token_bytes":40000}`)
	fresh := newBrowser(t)
	requireFailedLogin(t, s, fresh, signIn(t, s, fresh, s.app+"/", alice), "login_too_large")
}

// A browser that loses its session again and again is stopped after a few rounds, with an explanation; and forgets.
func TestRoundsAreStopped(t *testing.T) {
	s := start(t)
	b := newBrowser(t)
	page := signIn(t, s, b, s.app+"/", alice)
	rounds := 0
	for ; rounds < 6 && page.status == http.StatusOK; rounds++ {
		b.drop(func(c cookie) bool {
			return strings.HasPrefix(c.name, "__Host-id") || strings.HasPrefix(c.name, "__Secure-refresh")
		})
		page = b.visit(s.app + "/") // the login host still knows the user
	}
	if !strings.Contains(page.body, "login_loop") || page.status < 400 {
		t.Fatalf("after %d rounds: %v", rounds, page)
	}
	if rounds > 3 {
		t.Errorf("stopped only after %d rounds", rounds)
	}
}
