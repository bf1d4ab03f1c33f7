// Sessions that a real browser has bound to its device: registered after a sign-in at another site, renewed unseen, worth nothing to whoever has copied the
// cookies, and alive after an outage.
package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// startTLS runs the local system over TLS, with ten-second tokens, and returns what makes a browser accept its certificate.
func startTLS(t testing.TB, flags ...string) (*system, chromedp.ExecAllocatorOption) {
	t.Helper()
	appPort, cognitoPort := freePort(t), freePort(t)
	s := launch(t, append([]string{"-template", template(), "-tls", "-app-port", appPort, "-cognito-port", cognitoPort}, flags...)...)
	s.awaitAt(t, "https://localhost:"+appPort+"/Prod", "http://127.0.0.1:"+cognitoPort, 2*readyWithin)
	pin := regexp.MustCompile(`hash of its key is (\S+)`).FindStringSubmatch(s.output.String())
	if pin == nil {
		t.Fatalf("no hash of a key:\n%s", s.output)
	}
	s.standIn(t, "settings", `{"id_validity":"10s"}`)
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(s.output)
		}
	})
	return s, chromedp.Flag("ignore-certificate-errors-spki-list", pin[1])
}

// binds makes Chromium bind sessions on a machine without a TPM, and as often as ten-second tokens want it: six times in nine minutes is its own limit.
var binds = chromedp.Flag("enable-features", "DeviceBoundSessions:RefreshQuota/false,EnableBoundSessionCredentialsSoftwareKeysForManualTesting")

// How long the tokens of startTLS live, and how long they pass for good where nobody minds the cookie's own end: five seconds more, for clocks that differ.
const (
	cookieLife = 11 * time.Second
	passLife   = 16 * time.Second
)

// devices returns what the callback has logged of one route: a record each.
func (s *system) logged(route string) (all []map[string]any) {
	for _, line := range s.output.lines() {
		var record map[string]any
		if json.Unmarshal([]byte(line), &record) == nil && record["msg"] == "login" && record["route"] == route {
			all = append(all, record)
		}
	}
	return all
}

// device returns the beginning of the name of the session that was bound or renewed last, and how often any was.
func (s *system) device() (id string, times int) {
	for _, record := range s.logged("device") {
		if name, ok := record["device"].(string); ok {
			id, times = name, times+1
		}
	}
	return id, times
}

// refused counts what is reported as theft, or as a browser that has lost its key.
func (s *system) refused() (n int) {
	for _, line := range s.output.lines() {
		if strings.Contains(line, `"DeviceRefused":1`) {
			n++
		}
	}
	return n
}

// bind signs in and waits until the session is bound.
func (b *tab) bind(s *system, path, user string) {
	b.t.Helper()
	before, _ := s.device()
	if at := b.open(s.app + path); origin(at) != s.cognito {
		b.t.Fatalf("not asked to sign in: at %s", b.where())
	}
	b.submitLogin(user)
	b.waitAddress("the page that was asked for", func(at *url.URL) bool { return at.String() == s.app+path })
	eventually(b.t, "the browser registers", func() bool { id, _ := s.device(); return id != before })
}

// me asks the API with the browser's own fetch, which knows nothing of renewals.
func (b *tab) me() int {
	b.t.Helper()
	status, _ := b.fetch(http.MethodGet, "/Prod/api/me")
	return status
}

// TestDeviceChromeRegistersAndRenews: after a sign-in at another site; then without being seen, for pages, for scripts that know nothing of it, for links on
// other sites, and beyond the life of many tokens.
func TestDeviceChromeRegistersAndRenews(t *testing.T) {
	s, certificate := startTLS(t)
	b := openBrowser(t, certificate, binds)
	b.bind(s, "/reports/2026?quarter=4&tag=b%2Fc#part", alice)
	b.requireSignedIn(alice)
	id, _ := s.device()
	forms := s.count(t, "login_form")

	b.expire(s)
	if at := b.open(s.app + "/reports/1?a=b#part"); at.String() != s.app+"/reports/1?a=b#part" {
		t.Errorf("a navigation came back to %s", at)
	}
	b.requireSignedIn(alice)
	b.expire(s)
	if status := b.me(); status != http.StatusOK {
		t.Errorf("a script without the helper: %d", status)
	}
	status := run(b, chromedp.Evaluate[int](`import("/Prod/auth/edgeauth.js").then(m => m.renew().then(() => m.fetch("/Prod/api/me"))).then(r => r.status)`, chromedp.EvalAwaitPromise))
	if status != http.StatusOK {
		t.Errorf("a script with the helper: %d", status)
	}
	_, before := s.device()
	time.Sleep(cookieLife)
	if status := b.me(); status != http.StatusOK {
		t.Errorf("after the token's end: %d", status)
	}
	if _, after := s.device(); after == before {
		t.Error("a token lives longer than it should")
	}

	b.open(s.cognito + "/_standin/") // another site
	b.expire(s)
	run(b, chromedp.Evaluate[string](fmt.Sprintf(`location.href = %q`, s.app+"/reports/2?x=y#part")))
	b.waitAddress("the page that a link on another site leads to", func(at *url.URL) bool { return at.String() == s.app+"/reports/2?x=y#part" })
	b.requireSignedIn(alice)

	if now, _ := s.device(); now != id || s.count(t, "login_form") != forms || s.refused() != 0 {
		t.Errorf("session %s became %s, %d login pages, %d refusals", id, now, s.count(t, "login_form")-forms, s.refused())
	}
	b.requireNoProblems()
}

// copyCookies puts everything that one browser keeps for the app into another.
func copyCookies(t testing.TB, s *system, from, to *tab) {
	t.Helper()
	kept, err := chromedp.Call(from.ctx, network.GetCookies, network.GetCookiesParams{URLs: []string{s.app + "/auth/login"}})
	if err != nil {
		t.Fatal(err)
	}
	var all []*network.CookieParam
	for _, c := range kept.Cookies {
		copied := &network.CookieParam{Name: c.Name, Value: c.Value, URL: s.app + "/", Path: c.Path, Secure: c.Secure, HTTPOnly: c.HTTPOnly, SameSite: c.SameSite}
		all = append(all, copied)
	}
	if !slices.ContainsFunc(all, func(c *network.CookieParam) bool { return c.Name == "__Secure-refresh" }) {
		t.Fatal("nothing to copy")
	}
	if _, err := chromedp.Call(to.ctx, network.SetCookies, network.SetCookiesParams{Cookies: all}); err != nil {
		t.Fatal(err)
	}
}

// TestDeviceChromeCookiesCopied: cookies that were copied into a second profile work until the token in them ends, not shorter, and are not renewed once. The
// same, copied from a browser that has bound nothing, go on: it is the binding that ends them.
func TestDeviceChromeCookiesCopied(t *testing.T) {
	s, certificate := startTLS(t)
	owner, thief := openBrowser(t, certificate, binds), openBrowser(t, certificate, binds)
	loose, heir := openBrowser(t, certificate), openBrowser(t, certificate)
	owner.bind(s, "/", alice)
	loose.open(s.app + "/")
	loose.submitLogin(bob)
	loose.waitAddress("the page", func(at *url.URL) bool { return at.String() == s.app+"/" })

	owner.open(s.app + "/") // a token that has begun just now
	loose.open(s.app + "/auth/login?return_to=%2FProd%2F")
	copied := time.Now()
	copyCookies(t, s, owner, thief)
	copyCookies(t, s, loose, heir)
	thief.open(s.app + "/")
	thief.requireSignedIn(alice)
	if status := thief.me(); status != http.StatusOK {
		t.Errorf("before the token ends, a copy answers %d", status)
	}
	if status, _ := thief.fetch(http.MethodPost, "/Prod/auth/refresh"); status != http.StatusNoContent {
		t.Errorf("a script that asks too early: %d", status)
	}

	time.Sleep(passLife - time.Since(copied))
	if status := thief.me(); status != http.StatusUnauthorized {
		t.Errorf("one renewal too late: %d", status)
	}
	if status, body := thief.fetch(http.MethodPost, "/Prod/auth/refresh"); status != http.StatusUnauthorized || !strings.Contains(body, "device_proof_missing") {
		t.Errorf("a script renews: %d %s", status, body)
	}
	if s.refused() == 0 {
		t.Error("no metric tells of it")
	}
	thief.open(s.app + "/")
	thief.requireLogin(s)
	owner.open(s.app + "/")
	owner.requireSignedIn(alice)
	if status := owner.me(); status != http.StatusOK {
		t.Errorf("the owner: %d", status)
	}
	heir.open(s.app + "/")
	heir.requireSignedIn(bob)
	owner.requireNoProblems()
}

// TestDeviceChromeOutage: while the sign-in service is away, or its clock is wrong, pages say so, and nobody is asked to sign in; afterwards the same session
// goes on.
func TestDeviceChromeOutage(t *testing.T) {
	s, certificate := startTLS(t)
	b := openBrowser(t, certificate, binds)
	b.bind(s, "/reports/1", alice)
	id, _ := s.device()
	forms := s.count(t, "login_form")
	for _, outage := range []struct{ begin, settings, end string }{
		{"fault", `{"at":"token","kind":"status","status":503,"times":-1}`, "clear"},
		{"settings", `{"skew":"1h"}`, ""},
	} {
		s.standIn(t, outage.begin, outage.settings)
		b.expire(s)
		if at := b.open(s.app + "/reports/1"); at.Path != "/Prod/auth/login" || !strings.Contains(b.body(), "device_skipped") {
			t.Errorf("%s: at %s: %s", outage.begin, at, b.body())
		}
		if outage.end != "" {
			s.standIn(t, outage.end, `{}`)
		} else {
			s.standIn(t, "settings", `{"skew":"0s"}`)
		}
		eventually(t, "the session goes on", func() bool {
			b.open(s.app + "/reports/1")
			return b.address().Path == "/Prod/reports/1"
		})
		b.requireSignedIn(alice)
	}
	if now, _ := s.device(); now != id || s.count(t, "login_form") != forms || s.refused() != 0 {
		t.Errorf("session %s became %s, %d login pages, %d refusals", id, now, s.count(t, "login_form")-forms, s.refused())
	}
}

// TestDeviceChromeEnds: a sign-out, another user, a revoked token and a key that is lost each end a binding, and the next sign-in begins another.
func TestDeviceChromeEnds(t *testing.T) {
	s, certificate := startTLS(t)
	b := openBrowser(t, certificate, binds)
	b.bind(s, "/", alice)
	b.open(s.app + "/auth/logout")
	b.clickThrough("form button")
	b.waitAddress("the page that says goodbye", func(at *url.URL) bool { return at.Path == "/Prod/auth/signed-out" })
	b.bind(s, "/", bob)
	b.requireSignedIn(bob)
	b.expire(s)
	b.open(s.app + "/")
	b.requireSignedIn(bob)

	s.standIn(t, "revoke", fmt.Sprintf(`{"user":%q}`, bob))
	b.expire(s)
	b.open(s.app + "/auth/login?return_to=%2FProd%2F&prompt=login")
	b.requireLogin(s)
	b.submitLogin(alice)
	b.waitAddress("the page", func(at *url.URL) bool { return at.String() == s.app+"/" })
	eventually(t, "three sessions were bound", func() bool { return len(s.bound()) == 3 })
	b.requireSignedIn(alice)
	if s.refused() != 0 {
		t.Errorf("%d refusals", s.refused())
	}
}

// bound returns the names of all sessions that were bound.
func (s *system) bound() []string {
	var all []string
	for _, record := range s.logged("device") {
		if name, ok := record["device"].(string); ok && !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	return all
}

// TestDeviceChromeWithout: a browser that binds nothing notices nothing: it signs in, and is renewed as ever.
func TestDeviceChromeWithout(t *testing.T) {
	s, certificate := startTLS(t)
	b := openBrowser(t, certificate)
	b.open(s.app + "/reports/1?a=b#part")
	b.submitLogin(alice)
	b.waitAddress("the page that was asked for", func(at *url.URL) bool { return at.String() == s.app+"/reports/1?a=b#part" })
	b.requireSignedIn(alice)
	forms := s.count(t, "login_form")
	b.expire(s)
	b.open(s.app + "/reports/2")
	b.requireSignedIn(alice)
	b.expire(s)
	status := run(b, chromedp.Evaluate[int](`import("/Prod/auth/edgeauth.js").then(m => m.fetch("/Prod/api/me")).then(r => r.status)`, chromedp.EvalAwaitPromise))
	if _, times := s.device(); status != http.StatusOK || times != 0 || s.count(t, "login_form") != forms {
		t.Errorf("a script is answered %d, %d bound, %d login pages", status, times, s.count(t, "login_form")-forms)
	}
	b.requireNoProblems()
}

// TestDeviceSmoke: the tool that tries deployed systems binds a session by itself, and finds the headers passing.
func TestDeviceSmoke(t *testing.T) {
	s, _ := startTLS(t)
	file := regexp.MustCompile(`TLS by (\S+);`).FindStringSubmatch(s.output.String())
	if file == nil {
		t.Fatalf("no certificate:\n%s", s.output)
	}
	check := exec.CommandContext(t.Context(), filepath.Join(artifacts, "edgeauth"), "check", "-url", s.app, "-user", alice)
	check.Env = append(os.Environ(), "SSL_CERT_FILE="+file[1], "PASSWORD="+password)
	out, err := check.CombinedOutput()
	for _, want := range []string{
		"PASS    a browser's Secure-Session-Response reaches the callback", "PASS    the Secure-Session-Challenge reaches the browser",
		"PASS    a proof renews the session", "PASS    copied cookies do not", "PASS    for want of a proof",
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("%v: no line %q in\n%s", err, want, out)
		}
	}
}
