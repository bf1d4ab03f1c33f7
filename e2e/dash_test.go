// The Dash example, as somebody meets it in a browser: plots and callbacks behind the authorizer, sessions that are renewed under an open page or end
// there, and pages that only some may see, fetched by a router that no path rule sees.
package e2e

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// dash is the folder of the example.
var dash = filepath.Join(repository, "examples", "dash")

// startDash runs the example by its own script, on free ports, until the test ends.
func startDash(t testing.TB, flags ...string) *system {
	t.Helper()
	return startDashAs(t, "", flags...)
}

// startDashAs does so with another template.
func startDashAs(t testing.TB, template string, flags ...string) *system {
	t.Helper()
	if err := exec.Command("python3", "-c", "import venv, ensurepip").Run(); err != nil && os.Getenv("CI") != "true" {
		t.Skip("SKIPPED: no python3 with venv and pip on this machine, so the Dash example goes untested")
	}
	appPort, cognitoPort := freePort(t), freePort(t)
	cmd := exec.Command(filepath.Join(dash, "run"), append([]string{"-json", "-app-port", appPort, "-cognito-port", cognitoPort}, flags...)...)
	cmd.Env = append(os.Environ(), "TEMPLATE="+template)
	s := begin(t, cmd)
	s.await(t, appPort, cognitoPort, 5*time.Minute) // on a fresh machine it installs Dash first
	return s
}

// dashPage waits until the page that the router shows is the one with the heading.
func (b *tab) dashPage(heading string) {
	b.t.Helper()
	b.waitFor("the page "+heading, fmt.Sprintf(`document.querySelector("main h1")?.textContent === %q`, heading))
}

// drawn waits until a plot has something in it.
func (b *tab) drawn(id string) {
	b.t.Helper()
	b.waitFor("the plot "+id, fmt.Sprintf(
		`[...document.querySelectorAll("#%s .main-svg .trace path, #%[1]s .main-svg .hm image, #%[1]s .main-svg .point path")].some(e => e.getBoundingClientRect().width > 5)`, id))
}

// choose sets a field as a person does, so that React hears of it.
func (b *tab) choose(id, value string) {
	b.t.Helper()
	b.do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`(() => {
		const field = document.getElementById(%q);
		Object.getOwnPropertyDescriptor(Object.getPrototypeOf(field), "value").set.call(field, %q);
		field.dispatchEvent(new Event("input", {bubbles: true}));
		field.dispatchEvent(new Event("change", {bubbles: true}));
	})()`, id, value)))
}

// hasText waits until an element holds a text.
func (b *tab) hasText(selector, text string) {
	b.t.Helper()
	b.waitFor(selector+" holds "+text, fmt.Sprintf(`document.querySelector(%q)?.textContent.includes(%q)`, selector, text))
}

// dashShots stores a page as shots does, each picture once the plots have the size of their place.
func (b *tab) dashShots(name string) {
	b.t.Helper()
	for _, scheme := range []string{"light", "dark"} {
		b.scheme(scheme)
		for _, at := range []struct {
			suffix        string
			width, height int
			scale         float64
		}{{"", 1280, 800, 1}, {"-phone", 390, 844, 2}} {
			b.do(chromedp.EmulateViewport(int64(at.width), int64(at.height), chromedp.EmulateScale(at.scale)))
			b.waitFor("the plots fit", `[...document.querySelectorAll(".plot")].every(p =>
				[...p.querySelectorAll(".main-svg")].every(e => Math.abs(e.getBoundingClientRect().width - p.getBoundingClientRect().width) < 2))`)
			full := name + map[string]string{"light": "", "dark": "-dark"}[scheme] + at.suffix
			b.shot(full)
			b.requireAccessible(full)
			if wide := run(b, chromedp.Evaluate[int]("document.documentElement.scrollWidth")); wide > at.width {
				b.t.Errorf("%s is %d pixels wide on a screen of %d", full, wide, at.width)
			}
		}
	}
	b.do(chromedp.EmulateViewport(1280, 800))
	b.scheme("light")
}

const (
	marshFarm = "/site?name=farm&from=2026-05-01&to=2026-08-31&show=ratio"
	farmSays  = "Marsh farm: 1,250 kWp. 123 days"
)

func TestDashDeepLinkCallbackPlotSignOut(t *testing.T) {
	b := openBrowser(t)
	s := startDash(t)
	b.open(s.app + marshFarm)
	b.requireLogin(s)
	at := b.submitLogin(alice)
	b.hasText("#summary", farmSays)
	if got := b.address(); got.Path != at.Path || got.Query().Encode() != must(url.ParseQuery("name=farm&from=2026-05-01&to=2026-08-31&show=ratio")).Encode() {
		t.Errorf("came back to %s", got)
	}
	b.drawn("course")
	b.drawn("against-sun")
	b.dashShots("dash-site")

	b.choose("name", "dairy")
	b.hasText("#summary", "Dairy: 480 kWp. 123 days")
	b.waitFor("the address follows", `new URLSearchParams(location.search).get("name") === "dairy"`)
	b.do(chromedp.Reload())
	b.hasText("#summary", "Dairy: 480 kWp. 123 days")

	b.open(s.app + "/")
	for _, plot := range []string{"production", "calendar", "specific"} {
		b.drawn(plot)
	}
	b.dashShots("dash-overview")
	b.do(chromedp.Click(chromedp.CSS(`header a[href="/Prod/account"]`)))
	b.dashPage("Account")
	if text := b.text("main"); !strings.Contains(text, alice) || !strings.Contains(text, "admins") {
		t.Errorf("the account page says %s", text)
	}
	b.dashShots("dash-account")
	b.do(chromedp.Click(chromedp.CSS(`header a[href="/Prod/admins"]`)))
	b.dashPage("Admins")
	b.hasText("#earnings", "Bus depot")
	b.dashShots("dash-admins")

	b.open(s.app + "/nowhere")
	b.dashPage("There is nothing here")

	if at := b.clickThrough("#sign-out button"); at.Path != "/Prod/auth/signed-out" {
		t.Errorf("signing out ends at %s", at)
	}
	b.open(s.app + "/account")
	b.requireLogin(s)
	b.requireNoProblems()
}

// What is not text arrives as it was sent, and what is compressed is what was compressed.
func TestDashBytesAreWhole(t *testing.T) {
	b := openBrowser(t)
	s := startDash(t)
	b.open(s.app + "/")
	b.submitLogin(alice)
	b.drawn("production")
	if width := run(b, chromedp.Evaluate[int](`document.querySelector("header img").naturalWidth`)); width != 192 {
		t.Errorf("the image is %d pixels wide", width)
	}
	type file struct{ Name, Encoding, Sum string }
	files := run(b, chromedp.Evaluate[[]file](`(async () => {
		const seen = performance.getEntriesByType("resource").map(e => e.name).filter(n => /icon\.png|plotly[^/]*\.js|bootstrap/.test(n));
		return Promise.all(seen.map(async name => {
			const answer = await fetch(name, {cache: "reload"});
			const sum = new Uint8Array(await crypto.subtle.digest("SHA-256", await answer.arrayBuffer()));
			return {Name: new URL(name).pathname, Encoding: answer.headers.get("Content-Encoding") ?? "", Sum: [...sum].map(b => b.toString(16).padStart(2, "0")).join("")};
		}));
	})()`, chromedp.EvalAwaitPromise))
	packages := must(filepath.Glob(filepath.Join(repository, ".venv", "dash", "lib", "python3*", "site-packages")))[0]
	want := map[string]string{
		"icon.png":          filepath.Join(dash, "app", "assets", "icon.png"),
		"bootstrap.min.css": filepath.Join(dash, "app", "assets", "bootstrap.min.css"),
		"plotly.min.js":     filepath.Join(packages, "plotly", "package_data", "plotly.min.js"),
	}
	for part, original := range want {
		text, err := os.ReadFile(original)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(text)
		found := false
		for _, f := range files {
			// Dash writes a version into the names of its own files.
			if path.Base(regexp.MustCompile(`\.v[0-9_]+m[0-9]+`).ReplaceAllString(f.Name, "")) != part {
				continue
			}
			found = true
			if f.Sum != hex.EncodeToString(sum[:]) {
				t.Errorf("%s is not what %s holds", f.Name, original)
			}
			if compressed := f.Encoding == "gzip"; compressed == strings.HasSuffix(part, ".png") {
				t.Errorf("%s: Content-Encoding %q", f.Name, f.Encoding)
			}
		}
		if !found {
			t.Errorf("no %s among %v", part, files)
		}
	}
	b.requireNoProblems()
}

func TestDashRenewsUnderAnOpenPage(t *testing.T) {
	b := openBrowser(t)
	s := startDash(t)
	b.open(s.app + marshFarm)
	b.submitLogin(alice)
	b.hasText("#summary", farmSays)
	forms := s.count(t, "login_form")
	b.expire(s)
	b.choose("name", "ferry")
	b.hasText("#summary", "Ferry terminal")
	b.expire(s)
	b.do(chromedp.Click(chromedp.CSS(`header a[href="/Prod/account"]`)))
	b.dashPage("Account")
	if s.count(t, "login_form") != forms {
		t.Error("somebody was asked to sign in")
	}
	b.requireNoProblems()
}

// Ten-second tokens, and somebody who clicks for a minute.
func TestDashShortTokens(t *testing.T) {
	b := openBrowser(t)
	s := startDash(t)
	s.standIn(t, "settings", `{"id_validity":"10s"}`)
	b.open(s.app + marshFarm)
	b.submitLogin(alice)
	b.hasText("#summary", farmSays)
	b.do(chromedp.Evaluate[chromedp.Void](`(() => {
		window.told = [];
		for (const name of ["ended", "denied"]) addEventListener("edgeauth:" + name, e => told.push(name + " " + e.detail.reason));
	})()`))
	sites := []struct{ key, name string }{{"dairy", "Dairy"}, {"depot", "Bus depot"}, {"farm", "Marsh farm"}, {"school", "Dune school"}}
	began, clicks := time.Now(), 0
	for tick := time.NewTicker(500 * time.Millisecond); time.Since(began) < time.Minute; <-tick.C {
		site := sites[clicks%len(sites)]
		b.choose("name", site.key)
		b.hasText("#summary", site.name+":")
		clicks++
	}
	if told := run(b, chromedp.Evaluate[[]string](`told`)); len(told) > 0 {
		t.Errorf("the page was told %v", told)
	}
	if n := s.count(t, "token.refresh_token"); n < 3 || n > 8 {
		t.Errorf("%d renewals in a minute of ten-second tokens", n)
	}
	if clicks < 30 {
		t.Errorf("only %d clicks in a minute", clicks)
	}
	b.requireNoProblems()
}

// Both cookies gone: the page says so and leads back to itself.
func TestDashSessionEnds(t *testing.T) {
	b := openBrowser(t)
	s := startDash(t)
	b.open(s.app + marshFarm)
	b.submitLogin(alice)
	b.hasText("#summary", farmSays)
	b.waitFor("the helper knows the session", `performance.getEntriesByType("resource").some(e => e.name.endsWith("/auth/session") && e.responseEnd)`)
	b.expire(s)
	b.forget("__Secure-refresh", s.app+"/auth/login")
	b.choose("name", "school")
	b.hasText("#session", "Your session is over.")
	b.drawn("course")
	b.dashShots("dash-over")
	// A page that asks every second costs nothing from now on.
	const requests = `performance.getEntriesByType("resource").map(e => e.name)`
	before := len(run(b, chromedp.Evaluate[[]string](requests)))
	b.choose("name", "ferry")
	b.choose("name", "depot")
	b.waitFor("the address follows", `new URLSearchParams(location.search).get("name") === "depot"`)
	b.do(chromedp.Evaluate[chromedp.Void](`new Promise(done => setTimeout(done, 500))`, chromedp.EvalAwaitPromise))
	if after := run(b, chromedp.Evaluate[[]string](requests)); len(after) != before {
		t.Errorf("requests after the end: %v", after[before:])
	}
	b.do(chromedp.Click(chromedp.CSS("#session button"))) // the sign-in service still knows her
	b.hasText("#summary", "Bus depot: 620 kWp. 123 days")
	if visible := run(b, chromedp.Evaluate[bool](`!document.querySelector("#session").hidden`)); visible {
		t.Error("the page still says that the session is over")
	}
}

// Bob is no admin. The rules stop his browser at the page's address; the page's layout and callbacks stop Dash's router and whoever writes to them by hand.
func TestDashGroups(t *testing.T) {
	b := openBrowser(t)
	s := startDash(t)
	b.open(s.app + "/")
	b.submitLogin(bob)
	b.drawn("production")
	if links := b.text("header"); strings.Contains(links, "Admins") {
		t.Errorf("the header offers %s", links)
	}

	b.do(chromedp.Evaluate[chromedp.Void](`(() => {
		history.pushState({}, "", "/Prod/admins");
		dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
	})()`))
	b.dashPage("You may not open this page")
	if text := b.text("main"); !strings.Contains(text, "group_required") || strings.Contains(text, "Bus depot") {
		t.Errorf("Bob sees %s", text)
	}
	b.dashShots("dash-not-an-admin")

	// What his browser would send for the page's callbacks if it had the page.
	for _, body := range []string{
		`{"output":"earnings.children","outputs":{"id":"earnings","property":"children"},"inputs":[{"id":"earning-span","property":"value","value":"365"}],"changedPropIds":["earning-span.value"]}`,
		`{"output":"file.data","outputs":{"id":"file","property":"data"},"inputs":[{"id":"export","property":"n_clicks","value":1}],"changedPropIds":["export.n_clicks"]}`,
	} {
		answer := run(b, chromedp.Evaluate[string](fmt.Sprintf(
			`fetch("/Prod/_dash-update-component", {method: "POST", headers: {"Content-Type": "application/json"}, body: %q}).then(r => r.text())`, body), chromedp.EvalAwaitPromise))
		if !strings.Contains(answer, "members of admins") || strings.Contains(answer, "Bus depot") || strings.Contains(answer, "kwh") {
			t.Errorf("Bob is answered %.300s", answer)
		}
	}

	if at := b.open(s.app + "/admins"); at.Path != "/Prod/auth/denied" || at.Query().Get("reason") != "group_required" {
		t.Errorf("the address bar leads Bob to %s", at)
	}
	b.requireNoProblems()
}

// An admin whose sign-in is too old for the file is told so by the callback; a rule for the whole of Dash's updates tells by the helper's event.
func TestDashDeniedCallbackSaysWhy(t *testing.T) {
	b := openBrowser(t)
	s := startDash(t)
	s.standIn(t, "settings", `{"skew":"-9m"}`)
	b.open(s.app + "/admins")
	b.submitLogin(alice)
	b.hasText("#earnings", "Bus depot")
	b.do(chromedp.Click(chromedp.CSS("#export")))
	b.hasText("#notice", "sign-in of the last five minutes")
	b.dashShots("dash-callback-denied")
	s.standIn(t, "settings", `{"skew":"0s"}`)
	b.do(chromedp.Click(chromedp.CSS("#notice .confirm")))
	b.requireLogin(s)
	if at := b.submitLogin(alice); at.Path != "/Prod/admins" {
		t.Errorf("came back to %s", at)
	}
	b.hasText("#earnings", "Bus depot")
	b.do(chromedp.Evaluate[chromedp.Void](`(() => {
		window.files = [];
		const create = URL.createObjectURL;
		URL.createObjectURL = blob => { blob.text().then(text => files.push(text)); return create.call(URL, blob); };
	})()`))
	b.do(chromedp.Click(chromedp.CSS("#export")))
	b.waitFor("the file", `files.length > 0`)
	if text := run(b, chromedp.Evaluate[string](`files[0]`)); !strings.HasPrefix(text, "site,kwh,tariff_eur,eur") || !strings.Contains(text, "Bus depot") {
		t.Errorf("after the sign-in, the file is %.200s", text)
	}

	b = openBrowser(t) // the ports differ, the cookies would not
	strict := startDash(t, "-param", "EdgeAuth.AccessRules=* /* user\n* /_dash-update-component user max-age:5m")
	strict.standIn(t, "settings", `{"skew":"-9m"}`)
	b.open(strict.app + "/")
	b.submitLogin(alice)
	b.hasText("#session", "step_up_required")
	b.shot("dash-rule-denied")
	strict.standIn(t, "settings", `{"skew":"0s"}`)
	b.do(chromedp.Click(chromedp.CSS("#session button")))
	b.requireLogin(strict)
	b.submitLogin(alice)
	b.drawn("production")
}

// A page of another site cannot make a callback run: its POST has no cookie in a browser, and with one it is refused by where it comes from.
func TestDashCrossSite(t *testing.T) {
	b := openBrowser(t)
	s := startDash(t)
	b.open(s.app + marshFarm)
	b.submitLogin(alice)
	b.hasText("#summary", farmSays)

	other := b.newTab()
	other.open(s.cognito + "/_standin/")
	other.do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`(() => {
		const form = document.createElement("form");
		form.method = "POST";
		form.action = %q;
		document.body.append(form);
		form.submit();
	})()`, s.app+"/_dash-update-component")))
	other.waitAddress("the refusal", func(u *url.URL) bool { return origin(u) == origin(must(url.Parse(s.app))) })
	if text := other.body(); !strings.Contains(text, "unauthorized") && !strings.Contains(text, "cross_site") {
		t.Errorf("another site's form was answered %s", text)
	}

	mine := newBrowser(t)
	signIn(t, s, mine, s.app+"/account", alice)
	session := cookieHeader(s.sessionCookies(mine))
	for _, site := range []string{"cross-site", "same-site"} {
		e := plain(t, http.MethodPost, s.app+"/_dash-update-component", session, "Sec-Fetch-Site", site, "Origin", "http://evil.example", "Content-Type", "application/json")
		if location := e.header.Get("Location"); e.status != http.StatusFound || !strings.Contains(location, "reason=cross_site") {
			t.Errorf("%s: %v to %s", site, e, location)
		}
	}
}
