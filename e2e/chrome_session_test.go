// The session over time, in a real browser: renewed without being seen, in many tabs, against a user who clicks twice, and ended everywhere at once.
package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// expire takes the session cookie away and leaves the rest, as the browser does when its time is up.
func (b *tab) expire(s *system) {
	b.t.Helper()
	for i := range 6 {
		name := "__Host-id"
		if i > 0 {
			name = fmt.Sprintf("__Host-id-%d", i+1)
		}
		b.forget(name, s.app+"/")
	}
}

// forget takes a cookie away.
func (b *tab) forget(name, address string) {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, network.DeleteCookies, network.DeleteCookiesParams{Name: name, URL: address}); err != nil {
		b.t.Fatal(err)
	}
}

func TestChromeRenewsUnseen(t *testing.T) {
	b := openBrowser(t)
	s := start(t)
	b.open(s.app + "/")
	b.submitLogin(alice)
	b.requireSignedIn(alice)

	before := s.count(t, "login_form")
	b.expire(s)
	if at := b.open(s.app + "/reports/2026?quarter=4&tag=b%2Fc#part"); at.String() != s.app+"/reports/2026?quarter=4&tag=b%2Fc#part" {
		t.Errorf("a navigation came back to %s", at)
	}
	b.requireSignedIn(alice)
	b.shot("renewed-navigation")

	b.expire(s)
	if status, body := b.fetch("GET", "/Prod/api/me"); status != 401 {
		t.Errorf("a script without session: %d %s", status, body)
	}
	status := run(b, chromedp.Evaluate[int](`import("/Prod/auth/edgeauth.js").then(m => m.fetch("/Prod/api/me")).then(r => r.status)`, chromedp.EvalAwaitPromise))
	if status != 200 {
		t.Errorf("a script with the helper: %d", status)
	}
	b.shot("renewed-fetch")
	if after := s.count(t, "login_form"); after != before {
		t.Error("somebody was asked to sign in")
	}
	b.requireNoProblems()
}

func TestChromeTenTabs(t *testing.T) {
	b := openBrowser(t)
	s := start(t)
	b.open(s.app + "/")
	b.submitLogin(alice)
	b.expire(s)

	tabs := make([]*tab, 10)
	for i := range tabs {
		tabs[i] = b.newTab()
	}
	var all sync.WaitGroup
	for i, tab := range tabs {
		all.Go(func() {
			ctx, cancel := context.WithTimeout(tab.ctx, 2*stepLimit)
			defer cancel()
			if err := chromedp.Do(ctx, chromedp.Navigate(fmt.Sprintf("%s/reports/%d?tab=%d", s.app, i, i))); err != nil {
				t.Errorf("tab %d: %v", i, err)
			}
		})
	}
	all.Wait()
	for i, tab := range tabs {
		tab.requireSignedIn(alice)
		if want := fmt.Sprintf("/Prod/reports/%d", i); tab.text("#path") != want {
			t.Errorf("tab %d shows %s", i, tab.text("#path"))
		}
		tab.requireNoProblems()
	}
	tabs[9].shot("tenth-tab")
}

// Ten tabs with nobody signed in: the user signs in once, in one of them, and the others follow when they are looked at.
func TestChromeTenTabsSignedOut(t *testing.T) {
	b := openBrowser(t)
	s := start(t)
	tabs := []*tab{b}
	for range 9 {
		tabs = append(tabs, b.newTab())
	}
	for i, tab := range tabs {
		tab.open(fmt.Sprintf("%s/reports/%d", s.app, i))
		tab.requireLogin(s)
	}
	for _, i := range []int{9, 0, 5} { // the newest, the oldest whose pending login is gone by now, and one between
		tabs[i].submitLogin(alice)
		tabs[i].waitAddress("back in the application", func(u *url.URL) bool { return u.Path == fmt.Sprintf("/Prod/reports/%d", i) })
		tabs[i].requireSignedIn(alice)
	}
	for i := range tabs {
		tabs[i].open(fmt.Sprintf("%s/reports/%d", s.app, i))
		tabs[i].requireSignedIn(alice)
	}
}

func TestChromeDoubleClickedLogin(t *testing.T) {
	b := openBrowser(t)
	s := start(t)
	b.open(s.app + "/reports/2026?a=1")
	b.do(
		chromedp.SetValue(chromedp.CSS("input[name=username]"), alice),
		chromedp.SetValue(chromedp.CSS("input[name=password]"), password),
		chromedp.DoubleClick(chromedp.CSS("form button")),
	)
	at := b.waitAddress("the page that was asked for", func(u *url.URL) bool { return origin(u) == origin(must(url.Parse(s.app))) })
	if at.RequestURI() != "/Prod/reports/2026?a=1" {
		t.Errorf("ended at %s", at)
	}
	b.requireSignedIn(alice)
	b.shot("double-clicked")
}

func TestChromeBackAfterLogin(t *testing.T) {
	b := openBrowser(t)
	s := start(t)
	b.open(s.app + "/reports/2026?a=1")
	b.submitLogin(alice)
	b.requireSignedIn(alice)

	b.do(chromedp.NavigateBack())
	at := b.address()
	b.shot("back-after-login")
	if origin(at) == s.cognito {
		// The login page again: signing in once more, or as somebody who does not notice, leads to the page.
		b.submitLogin(alice)
		b.waitAddress("the page that was asked for", func(u *url.URL) bool { return u.RequestURI() == "/Prod/reports/2026?a=1" })
	}
	b.requireSignedIn(alice)
	b.do(chromedp.Reload())
	b.requireSignedIn(alice)
}

// A fragment never reaches a server, and comes back all the same.
func TestChromeKeepsTheFragment(t *testing.T) {
	b := openBrowser(t)
	s := start(t)
	b.open(s.app + "/reports/2026?a=1#handed")
	b.requireLogin(s)
	if at := b.submitLogin(alice); at.String() != s.app+"/reports/2026?a=1#handed" {
		t.Errorf("came back to %s", at)
	}
	b.requireSignedIn(alice)
	b.requireNoProblems()
}

// A browser that keeps no cookies of this application is told so, and does not go round in circles.
func TestChromeRefusedCookies(t *testing.T) {
	s := start(t)
	profile := t.TempDir()
	blocked := map[string]any{"profile": map[string]any{"content_settings": map[string]any{"exceptions": map[string]any{
		"cookies": map[string]any{"http://" + s.host() + ",*": map[string]any{"setting": 2}},
	}}}}
	text, _ := json.Marshal(blocked)
	if err := os.MkdirAll(filepath.Join(profile, "Default"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(profile, "Default", "Preferences"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	b := openBrowser(t, chromedp.UserDataDir(profile))
	b.open(s.app + "/")
	b.requireLogin(s)
	at := b.submitLogin(alice)
	if !strings.HasPrefix(at.Path, "/Prod/auth/") || len(b.seen(&b.blocked)) == 0 {
		t.Fatalf("ended at %s with %d cookies blocked", at.Path, len(b.seen(&b.blocked)))
	}
	if text := strings.ToLower(b.body()); !strings.Contains(text, "cookie") {
		t.Errorf("the page does not say what is wrong: %s", text)
	}
	b.shots("cookies-refused")
}

func TestChromeTokenSizes(t *testing.T) {
	b := openBrowser(t)
	s := start(t)
	s.standIn(t, "settings", `{"id_token_bytes":9000}`)
	b.open(s.app + "/")
	b.submitLogin(alice)
	b.requireSignedIn(alice)
	b.shot("token-of-9-kB")
	if at := b.clickThrough("header form button"); at.Path != "/Prod/auth/signed-out" {
		t.Errorf("signing out ends at %s", at.Path)
	}

	s.standIn(t, "settings", `{"id_token_bytes":40000}`)
	b.open(s.app + "/")
	b.submitLogin(alice)
	if text := b.body(); !strings.Contains(text, "login_too_large") {
		t.Errorf("at %s: %s", b.where(), text)
	}
	b.shots("token-too-large")
	b.requireNoProblems()
}

func TestChromeSignOutIsSeenInOtherTabs(t *testing.T) {
	b := openBrowser(t)
	s := start(t)
	b.open(s.app + "/")
	b.submitLogin(alice)
	other := b.newTab()
	other.open(s.app + "/reports/2026")
	other.requireSignedIn(alice)

	b.clickThrough("header form button")
	other.waitFor("the other tab says that the session is over", `!document.querySelector("#over").hidden`)
	other.shot("over-in-another-tab")
	other.do(chromedp.Reload())
	other.requireLogin(s)
}

// The session cookie vanishes after every sign-in, as when an extension eats it: the third round stops at a page that says so.
func TestChromeRounds(t *testing.T) {
	b := openBrowser(t)
	s := start(t)
	b.open(s.app + "/")
	b.submitLogin(alice)
	for range 4 {
		b.expire(s)
		b.forget("__Secure-refresh", s.app+"/auth/login")
		b.open(s.app + "/")
		if b.address().Path == "/Prod/auth/login" {
			break
		}
	}
	if text := b.body(); !strings.Contains(text, "login_loop") {
		t.Fatalf("at %s: %s", b.where(), text)
	}
	b.shots("loop")
}

// The helper renews before the end, once for all tabs, with nobody clicking anything.
func TestChromeRenewsEarly(t *testing.T) {
	b := openBrowser(t)
	s := start(t)
	s.standIn(t, "settings", `{"id_validity":"16s"}`)
	b.open(s.app + "/")
	b.submitLogin(alice)
	s.standIn(t, "settings", `{"id_validity":"60m"}`)
	tabs := []*tab{b, b.newTab(), b.newTab()}
	ends := make([]string, len(tabs))
	for i, tab := range tabs {
		if i > 0 {
			tab.open(s.app + "/")
		}
		ends[i] = run(tab, chromedp.Evaluate[string](`document.querySelector("#ends").dateTime`))
	}
	for i, tab := range tabs {
		tab.waitFor("the tab learns of the renewed session", fmt.Sprintf(`Date.parse(document.querySelector("#ends").dateTime) > Date.parse(%q) + 60000`, ends[i]))
		if !run(tab, chromedp.Evaluate[bool](`document.querySelector("#over").hidden`)) {
			t.Error("a tab says that the session is over")
		}
	}
	if n := s.count(t, "token.refresh_token"); n != 1 {
		t.Errorf("%d renewals for three tabs, want one", n)
	}
	b.requireNoProblems()
}

// A session that cannot be renewed ends in every tab with a way back in, and not in an error.
func TestChromeSessionEnds(t *testing.T) {
	b := openBrowser(t)
	s := start(t)
	b.open(s.app + "/reports/2026?a=1")
	b.submitLogin(alice)
	s.standIn(t, "revoke", `{}`)
	b.expire(s)
	b.do(chromedp.Evaluate[chromedp.Void](`import("/Prod/auth/edgeauth.js").then(m => m.fetch("/Prod/api/me"))`, chromedp.EvalAwaitPromise))
	b.waitFor("the page says that the session is over", `!document.querySelector("#over").hidden`)
	b.shots("session-over")
	b.clickThrough("#over a")
	b.requireLogin(s)
	if at := b.submitLogin(alice); at.RequestURI() != "/Prod/reports/2026?a=1" {
		t.Errorf("came back to %s", at)
	}
	b.requireSignedIn(alice)
}
