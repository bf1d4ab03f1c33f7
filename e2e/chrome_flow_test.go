// A person at a real browser, with the login host on another site: the only proof that cookies, redirects and pages do together what they should.
package e2e

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// requireSignedIn asserts that the tab shows the dashboard of a user.
func (b *tab) requireSignedIn(user string) {
	b.t.Helper()
	if got := b.text("#who"); got != user {
		b.t.Fatalf("at %s: signed in as %q, want %q", b.where(), got, user)
	}
}

// requireLogin asserts that the tab shows the login page.
func (b *tab) requireLogin(s *system) {
	b.t.Helper()
	b.waitAddress("the login page", func(at *url.URL) bool { return origin(at) == s.cognito && at.Path == "/login" })
	b.do(chromedp.WaitVisible(chromedp.CSS("input[name=password]")))
}

func TestChromeFirstLight(t *testing.T) {
	b := openBrowser(t)
	s := start(t)

	b.open(s.app + "/?a=1&b=%2F")
	b.requireLogin(s)
	b.shots("login")

	at := b.submitLogin(alice)
	if at.String() != s.app+"/?a=1&b=%2F" && at.String() != s.app+"/?a=1&b=/" {
		t.Fatalf("came back to %s", at)
	}
	b.requireSignedIn(alice)
	if query := b.text("#query"); !strings.Contains(query, "a\t1") || !strings.Contains(query, "b\t/") {
		t.Errorf("the page got the parameters as %q", query)
	}
	b.shots("dashboard")

	b.open(s.app + "/reports/2026?quarter=4&tag=a&tag=b%2Fc")
	b.requireSignedIn(alice)
	b.shot("deep-link")

	at = b.open(s.app + "/api/me")
	if at.String() != s.app+"/api/me" || !strings.Contains(b.body(), alice) {
		t.Errorf("the second function shows %q at %s", b.body(), at)
	}
	b.shot("api-me")

	b.open(s.app + "/auth/denied?reason=group_required")
	b.shots("denied")
	b.open(s.app + "/auth/nonsense")
	b.shots("not-found")

	b.open(s.app + "/")
	at = b.clickThrough("header form button")
	if at.Path != "/Prod/auth/signed-out" {
		t.Fatalf("signing out ends at %s", at.Path)
	}
	b.shots("signed-out")

	b.open(s.app + "/auth/callback?state=foreign&code=foreign")
	b.shots("foreign-callback")

	b.open(s.app + "/")
	b.requireLogin(s)

	b.requireNoProblems()
	b.requireCookieAttributes(s)
}

// requireNoProblems asserts that the browser refused no cookie and that no script failed or was stopped.
func (b *tab) requireNoProblems() {
	b.t.Helper()
	if blocked := b.seen(&b.blocked); len(blocked) > 0 {
		b.t.Errorf("the browser refused cookies: %v", blocked)
	}
	if problems := b.seen(&b.problems); len(problems) > 0 {
		b.t.Errorf("the browser complains: %v", problems)
	}
}

// requireCookieAttributes asserts, from the wire, what every cookie of the app carries.
func (b *tab) requireCookieAttributes(s *system) {
	b.t.Helper()
	seen := map[string]bool{}
	app := must(url.Parse(s.app))
	for _, line := range b.seen(&b.setCookie) {
		name, _, _ := strings.Cut(line, "=")
		path := ""
		switch {
		case strings.HasPrefix(name, "__Host-id"):
			name, path = "__Host-id", "/"
		case strings.HasPrefix(name, "__Secure-refresh"):
			name, path = "__Secure-refresh", app.Path+"/auth"
		case strings.HasPrefix(name, "__Secure-login-"):
			name, path = "__Secure-login-", app.Path+"/auth"
		case name == "__Secure-loop":
			path = app.Path + "/auth"
		case name == "__Host-browser":
			path = "/"
		case strings.HasPrefix(name, "__Host-login-"):
			name, path = "__Host-login-", "/"
		default:
			continue // the login host's own
		}
		c, _, err := parseCookie(app, line)
		if err != nil || !c.httpOnly || !c.secure || c.sameSite != "lax" || c.path != path || slices.Contains(c.attributeNames, "domain") {
			b.t.Errorf("%s: attributes %v, path %q, %v", name, c.attributeNames, c.path, err)
		}
		seen[name] = true
	}
	for _, name := range []string{"__Host-id", "__Host-browser", "__Host-login-", "__Secure-refresh", "__Secure-login-"} {
		if !seen[name] {
			b.t.Errorf("%s was never set", name)
		}
	}
	for _, name := range b.sentTo(must(url.Parse(s.cognito)).Host) {
		if strings.HasPrefix(name, "__Host-") || strings.HasPrefix(name, "__Secure-") {
			b.t.Errorf("the login host was sent %s", name)
		}
	}
}

// A link on another site cannot sign anybody out: it leads to a page that asks.
func TestChromeLogoutFromAnotherSite(t *testing.T) {
	b := openBrowser(t)
	s := start(t)
	b.open(s.app + "/")
	b.submitLogin(alice)
	b.open(s.cognito + "/error?error=elsewhere")
	b.do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf("location.assign(%q)", s.app+"/auth/logout")))
	b.waitAddress("the page that asks", func(u *url.URL) bool { return u.Path == "/Prod/auth/logout" })
	b.shots("confirm")
	other := b.newTab()
	other.open(s.app + "/")
	other.requireSignedIn(alice)
	if at := b.clickThrough("form button"); at.Path != "/Prod/auth/signed-out" {
		t.Errorf("signing out ends at %s", at.Path)
	}
}

// The page works without its script, and its policy lets nothing else run.
func TestChromeWithoutScript(t *testing.T) {
	b := openBrowser(t)
	s := start(t)
	b.withoutScript()
	b.open(s.app + "/")
	b.requireLogin(s)
	b.submitLogin(bob)
	b.requireSignedIn(bob)
	b.shot("dashboard-without-script")
	if at := b.clickThrough("header form button"); at.Path != "/Prod/auth/signed-out" {
		t.Errorf("signing out ends at %s", at.Path)
	}
}
