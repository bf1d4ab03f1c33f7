// A person at a real browser, with the login host on another site: the only proof that cookies, redirects and pages do together what they should.
package e2e

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
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

// The pages work without script. Bob sees his session and no figures; Alice, who administers, sees what happens at the door, and sees it rise.
func TestChromeWithoutScript(t *testing.T) {
	b := openBrowser(t)
	s := start(t, "-param", "AccessRules=* /* signed-in\n* /payments/* max-age:10m")
	b.withoutScript()
	b.open(s.app + "/")
	b.requireLogin(s)
	b.submitLogin(bob)
	b.requireSignedIn(bob)
	b.shot("dashboard-without-script")
	for _, want := range []string{"Signed in", "Token issued", "max-age:10m will ask for the password again", "Token ends"} {
		if course := b.text(".events"); !strings.Contains(course, want) {
			t.Errorf("the course of the session is\n%s\nwithout %q", course, want)
		}
	}
	b.open(s.app + "/admin/metrics")
	if body := b.body(); !strings.Contains(body, "These figures are for the group admins.") || strings.Contains(body, "Decisions") {
		t.Errorf("Bob sees\n%s", body)
	}
	if at := b.clickThrough("header form button"); at.Path != "/Prod/auth/signed-out" {
		t.Errorf("signing out ends at %s", at.Path)
	}

	b.open(s.app + "/admin/metrics")
	b.requireLogin(s)
	b.submitLogin(alice)
	if got := b.text("#who"); got != "What happens at the door" {
		t.Fatalf("Alice sees %q", got)
	}
	decisions := b.figure("Decisions")
	for range 5 {
		if e := newBrowser(t).fetch("GET", s.app+"/api/me"); e.status != 401 {
			t.Fatal(e)
		}
	}
	eventually(t, "five more decisions with their reason, and what was allowed, which the authorizer writes every ten seconds", func() bool {
		b.open(s.app + "/admin/metrics")
		body := b.body()
		return b.figure("Decisions") >= decisions+5 && strings.Contains(body, "no_session") && strings.Contains(body, "allowed")
	})
	if got := b.figure("Sign-ins"); got != 2 {
		t.Errorf("%d sign-ins, want Bob's and Alice's", got)
	}
	for _, id := range []string{"decisions", "sign-ins", "reasons", "authorizer", "backend"} {
		if marks := run(b, chromedp.Evaluate[int]("document.querySelectorAll('#"+id+" svg .mark').length")); marks == 0 {
			t.Errorf("%s shows nothing", id)
		}
	}
	b.shots("figures")
	if at := b.clickThrough(".spans a:nth-child(2)"); at.Query().Get("span") != "6h" || b.figure("Sign-ins") != 2 {
		t.Errorf("six hours are at %s, with %d sign-ins", at, b.figure("Sign-ins"))
	}
	b.open(s.app + "/admin/metrics?span=forever")
	if body := b.body(); !strings.Contains(body, "There is no such span.") {
		t.Errorf("a span that does not exist:\n%s", body)
	}
	b.shots("figures-no-such-span")
}

// figure reads a sum of the page of figures.
func (b *tab) figure(name string) int {
	b.t.Helper()
	text := run(b, chromedp.Evaluate[string](fmt.Sprintf("[...document.querySelectorAll('.tiles dt')].find(t => t.textContent === %q)?.nextElementSibling.textContent ?? ''", name)))
	n, err := strconv.Atoi(strings.ReplaceAll(text, "\u202f", ""))
	if err != nil {
		b.t.Fatalf("%s is %q at %s", name, text, b.where())
	}
	return n
}
