package login_test

// This file holds the ways out to their rules: logout, pages, loops, sizes, fragments, files, and
// what is logged.

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"edgeauth/internal/page"
	"edgeauth/internal/token/tokentest"
)

func TestLogout(t *testing.T) {
	for _, row := range []struct {
		name    string
		method  string
		headers []string
		status  int
		reason  string
		out     bool
	}{
		{"a form on our page", "POST", append(asNavigation[:4:4], "Sec-Fetch-Site", "same-origin", "Accept", "text/html"), 303, "ok", true},
		{"a link on our page", "GET", append(asNavigation[:4:4], "Sec-Fetch-Site", "same-origin", "Accept", "text/html"), 302, "ok", true},
		{"a script on our page", "POST", []string{"Sec-Fetch-Mode", "cors", "Sec-Fetch-Site", "same-origin", "Accept", "application/json"}, 200, "ok", true},
		{"an old browser's form", "POST", []string{"Origin", "https://" + host, "Accept", "text/html"}, 303, "ok", true},
		{"curl -X POST", "POST", []string{"Accept", "*/*"}, 200, "ok", true},

		{"a link elsewhere", "GET", asNavigation, 200, "cross_site", false},
		{"a link on a sibling site", "GET", append(asNavigation[:4:4], "Sec-Fetch-Site", "same-site", "Accept", "text/html"), 200, "cross_site", false},
		{"typed, or a link in a mail", "GET", append(asNavigation[:4:4], "Sec-Fetch-Site", "none", "Accept", "text/html"), 200, "cross_site", false},
		{"an old browser's image", "GET", []string{"Accept", "image/webp,image/*;q=0.8,*/*;q=0.5"}, 403, "cross_site", false},
		{"an old browser's image that accepts anything", "GET", []string{"Accept", "*/*"}, 403, "cross_site", false},
		{"a browser that says where from and nothing else", "GET", []string{"Sec-Fetch-Site", "same-origin", "Accept", "*/*"}, 403, "cross_site", false},
		{"an old browser's link", "GET", []string{"Accept", "text/html"}, 200, "cross_site", false},
		{"an image elsewhere", "GET", []string{"Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "image", "Sec-Fetch-Site", "cross-site", "Accept", "image/*"}, 403, "cross_site", false},
		{"a form elsewhere", "POST", asNavigation, 403, "cross_site", false},
		{"a form on a sibling site", "POST", append(asNavigation[:4:4], "Sec-Fetch-Site", "same-site"), 403, "cross_site", false},
		{"an old browser's form elsewhere", "POST", []string{"Origin", "https://evil.example", "Accept", "text/html"}, 403, "cross_site", false},
		{"a prefetch", "GET", append(asNavigation[:4:4], "Sec-Fetch-Site", "same-origin", "Sec-Purpose", "prefetch"), 400, "bad_request", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newSystem(t)
			b := w.browser()
			b.signIn("alice", base+"/")
			b.begin2(t, base+"/")
			res := b.send(row.method, base+"/auth/logout", row.headers...)
			b.take(res)
			if row.reason == "cross_site" && row.status == 200 { // the page that asks names no reason
				if res.StatusCode != 200 || w.last()["reason"] != row.reason || !strings.Contains(body(res), `<form method="post" action="/Prod/auth/logout">`) {
					t.Errorf("%d %v %s", res.StatusCode, w.last(), body(res))
				}
			} else {
				w.wants(res, row.status, row.reason)
			}
			if out := len(b.has("")) == 0; out != row.out {
				t.Errorf("cookies: %q", b.has(""))
			}
			if revoked := len(w.idp.revoked) == 1; revoked != row.out {
				t.Errorf("revoked: %d", len(w.idp.revoked))
			}
			if !row.out {
				return
			}
			to := res.Header.Get("Location")
			if res.StatusCode == 200 {
				var got map[string]string
				json.Unmarshal([]byte(body(res)), &got)
				to = got["location"]
			}
			want := w.idp.url + "/logout?client_id=" + tokentest.ClientID + "&logout_uri=https%3A%2F%2Fapp.example.com%2FProd%2Fauth%2Fsigned-out"
			if to != want {
				t.Errorf("sent to %q, want %q", to, want)
			}
		})
	}
}

// TestLogoutClearsEveryVariant: also what the browser did not show, or what is broken.
func TestLogoutClearsEveryVariant(t *testing.T) {
	w := newSystem(t)
	res := w.browser().send("POST", base+"/auth/logout", "Cookie", "__Host-id=2~x; __Secure-refresh=garbage; __Secure-login-x=garbage", "Sec-Fetch-Site", "same-origin")
	var cleared []string
	for _, line := range res.Header.Values("Set-Cookie") {
		if strings.Contains(line, "=; ") && strings.Contains(line, "; Max-Age=0;") {
			cleared = append(cleared, line[:strings.IndexByte(line, '=')])
		}
	}
	want := []string{
		"__Host-browser", "__Host-id", "__Host-id-2", "__Host-id-3", "__Host-id-4", "__Host-id-5", "__Host-id-6", "__Secure-login-x", "__Secure-loop",
		"__Secure-refresh", "__Secure-refresh-2", "__Secure-refresh-3", "__Secure-refresh-4", "__Secure-refresh-5", "__Secure-refresh-6",
	}
	if slices.Sort(cleared); !slices.Equal(cleared, want) {
		t.Errorf("cleared %q", cleared)
	}
}

// TestLogoutGoesOnWithoutTheProvider: what cannot be revoked is at least forgotten.
func TestLogoutGoesOnWithoutTheProvider(t *testing.T) {
	w := newSystem(t)
	b := w.browser()
	b.signIn("alice", base+"/")
	over := b.fork()
	blind := b.fork()
	w.idp.fault = status(500, "away")
	w.wants(b.call("POST", base+"/auth/logout"), 200, "ok")
	if len(b.has("")) != 0 || w.last()["revocation"] == nil {
		t.Errorf("cookies %q, log %v", b.has(""), w.last())
	}

	w.settings = errAny
	for _, c := range []struct {
		method, from string
		out          bool
	}{{"POST", "cross-site", false}, {"GET", "cross-site", false}, {"GET", "same-origin", false}, {"POST", "same-origin", true}} {
		w.wants(blind.call(c.method, base+"/auth/logout", "Sec-Fetch-Site", c.from), 503, "config_unavailable")
		if (len(blind.has("")) == 0) != c.out {
			t.Errorf("%s from %s: cookies %q", c.method, c.from, blind.has(""))
		}
	}
	w.settings = nil

	w.idp.set(func(p *provider) { p.fault = nil })
	for _, c := range over.jar {
		c.dies = c.dies.Add(1000 * time.Hour)
	}
	w.Advance(31 * 24 * time.Hour) // over its limit, but perhaps not at the provider
	over.call("POST", base+"/auth/logout")
	if len(w.idp.revoked) != 1 {
		t.Error("a refresh token over its limit was not revoked")
	}
}

func TestSignedOutPageStays(t *testing.T) {
	w := newSystem(t)
	res := w.browser().open(base + "/auth/signed-out")
	w.wants(res, 200, "ok")
	if strings.Contains(body(res), "http-equiv") || res.Header.Get("Refresh") != "" || res.Header.Get("Location") != "" {
		t.Error("the page moves on by itself")
	}
	if !strings.Contains(body(res), "you may still be signed in there") {
		t.Error("nothing is said about accounts elsewhere")
	}
	script := regexp.MustCompile(`<script>([^<]*)</script>`).FindStringSubmatch(body(res))
	if script == nil || !strings.Contains(script[1], "BroadcastChannel") {
		t.Fatalf("no farewell: %s", body(res))
	}
	sum := sha256.Sum256([]byte(script[1]))
	if csp := res.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "script-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'") {
		t.Errorf("the policy does not let the script run: %s", csp)
	}
}

func TestDenied(t *testing.T) {
	for code, want := range map[string]string{
		"group_required": "group_required", "scope_required": "scope_required", "step_up_required": "step_up_required", "cross_site": "cross_site",
		"": "no_rule", "ok": "no_rule", "no_session": "no_rule", "<script>": "no_rule", "internal": "no_rule",
	} {
		w := newSystem(t)
		res := w.browser().open(base + "/auth/denied?reason=" + url.QueryEscape(code))
		w.wants(res, 403, want)
		if strings.Contains(body(res), "<script>") {
			t.Error("reflected")
		}
		res = w.browser().call("GET", base+"/auth/denied?reason="+url.QueryEscape(code))
		w.wants(res, 403, want)
		var failure map[string]string
		if err := json.Unmarshal([]byte(body(res)), &failure); err != nil || failure["error"] != "forbidden" || failure["request_id"] != "request-1" {
			t.Errorf("%v: %v", err, failure)
		}
	}
	w := newSystem(t)
	w.wants(w.browser().open(base+"/auth/denied?reason=group_required&reason=x"), 403, "no_rule")
}

// TestDeniedOffersWhatHelps: the page knows whether there is a session, keeps the way back, and
// offers what can help.
func TestDeniedOffersWhatHelps(t *testing.T) {
	const back = "return_to=%2FProd%2Freports%3Fa%3D1"
	again := base + "/auth/login?" + back + "&amp;prompt=login"
	for _, row := range []struct {
		name, who, query string
		keys             error
		contains, lacks  []string
	}{
		{"a member", "alice", "reason=group_required&" + back, nil, []string{"as alice@example.com", again, ">Sign in again<", ">Go to the start page<"}, []string{"not signed in"}},
		{"a member, step-up", "alice", "reason=step_up_required&" + back, nil, []string{again, ">Sign in once more<"}, []string{"not signed in"}},
		{"a member without a rule", "alice", "reason=no_rule&" + back, nil, []string{"as alice@example.com", `href="/Prod/"`}, []string{"/auth/login", "not signed in"}},
		{"a member at a place for programs", "alice", "reason=scope_required&" + back, nil, []string{"for programs", `href="/Prod/"`}, []string{"/auth/login", "not signed in"}},
		{"a member from another site", "alice", "reason=cross_site&" + back, nil, []string{`href="/Prod/"`}, []string{"alice", "/auth/login", "not signed in"}},
		{"nobody", "", "reason=group_required&" + back, nil, []string{"You are not signed in.", base + "/auth/login?" + back + `"`, ">Sign in<"}, []string{"signed in as"}},
		{"nobody at a place for programs", "", "reason=scope_required&" + back, nil, []string{"for programs", `href="/Prod/"`}, []string{"/auth/login"}},
		{"nobody from another site", "", "reason=cross_site&" + back, nil, []string{`href="/Prod/"`}, []string{"not signed in"}},
		{"nobody can tell", "alice", "reason=group_required&" + back, errKeys, nil, []string{"signed in as", "not signed in"}},
		{"a way back elsewhere", "alice", "reason=group_required&return_to=https%3A%2F%2Fevil.example", nil, []string{"return_to=%2FProd%2F&amp;prompt=login"}, []string{"evil"}},
		{"no way back", "alice", "reason=group_required", nil, []string{"return_to=%2FProd%2F&amp;prompt=login"}, nil},
	} {
		w := newSystem(t)
		b := w.browser()
		if row.who != "" {
			b.signIn(row.who, base+"/")
		}
		w.keys = row.keys
		text := body(b.open(base + "/auth/denied?" + row.query))
		for _, part := range row.contains {
			if !strings.Contains(text, part) {
				t.Errorf("%s: the page lacks %s", row.name, part)
			}
		}
		for _, part := range row.lacks {
			if strings.Contains(text, part) {
				t.Errorf("%s: the page has %s", row.name, part)
			}
		}
	}
	w := newSystem(t)
	w.idp.claims = tokentest.Claims{"email_verified": false}
	b := w.browser()
	b.signIn("alice", base+"/")
	if text := body(b.open(base + "/auth/denied?reason=group_required")); strings.Contains(text, "alice@") {
		t.Error("the page shows an address that nobody has verified")
	}
}

func TestWithoutName(t *testing.T) {
	w := newSystem(t)
	for _, name := range []string{"", "this application"} { // the second is the template's default
		w.provider.Brand = page.Brand{Name: name}
		text := body(w.browser().open(base + "/auth/signed-out"))
		if !strings.Contains(text, "Your session with this application is over") || strings.Contains(text, `class="brand"`) || !strings.Contains(text, "<title>You are signed out</title>") {
			t.Errorf("%q: %s", name, text)
		}
	}
}

// TestPages: every page has what a page must have, and every one that tells of a failure has its
// reason, its request and one next step.
func TestPages(t *testing.T) {
	w := newSystem(t)
	w.provider.Brand = page.Brand{Name: `A<b>"c`, Logo: "https://logo.example/a.svg", Support: "mailto:help@example.com"}
	for _, target := range []string{"signed-out", "denied?reason=group_required", "callback?state=x&code=y", "callback?error=access_denied", "nothing", "logout", "session"} {
		res := w.browser().open(base + "/auth/" + target)
		text := body(res)
		for _, part := range []string{
			"<!doctype html>", `<html lang="en">`, "<main", "<h1>", "<header>", "<footer>", `name="viewport"`, "<title>",
			"A&lt;b&gt;&#34;c", `src="https://logo.example/a.svg"`, `href="mailto:help@example.com"`,
		} {
			if !strings.Contains(text, part) {
				t.Errorf("%s lacks %s", target, part)
			}
		}
		if n := strings.Count(text, `class="next"`); n != 1 {
			t.Errorf("%s has %d next steps", target, n)
		}
		if strings.Contains(text, "<b>") || strings.Contains(text, "{app}") || strings.Contains(text, "ZgotmplZ") || strings.Contains(text, "style=") {
			t.Errorf("%s: %s", target, text)
		}
		csp := res.Header.Get("Content-Security-Policy")
		logout := ""
		if target != "nothing" {
			logout = " " + w.idp.url
		}
		if want := "default-src 'none'; style-src 'self'; img-src 'self' data: https://logo.example; form-action 'self'" + logout +
			"; base-uri 'none'; frame-ancestors 'none'"; csp != want && !strings.HasPrefix(csp, want+"; script-src 'sha256-") {
			t.Errorf("%s: policy %s", target, csp)
		}
		if res.Header.Get("Content-Type") != "text/html; charset=utf-8" || res.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %v", target, res.Header)
		}
		if res.StatusCode >= 400 && (!strings.Contains(text, "<code>request-1</code>") || !strings.Contains(text, "<dt>Reason</dt>")) {
			t.Errorf("%s lacks reason or request id", target)
		}
	}
	nested := body(w.browser().open(base + "/auth/a/b/c"))
	if !strings.Contains(nested, `href="../../edgeauth.css?v=`) {
		t.Error("a nested page cannot find its style sheet")
	}
	if !strings.Contains(nested, `href="../../../"`) {
		t.Error("a nested page cannot find the start page")
	}
}

func TestFiles(t *testing.T) {
	w := newSystem(t)
	page := body(w.browser().open(base + "/auth/signed-out"))
	style := regexp.MustCompile(`href="(edgeauth\.css\?v=[^"]+)"`).FindStringSubmatch(page)
	if style == nil {
		t.Fatal("no style sheet")
	}
	res := w.browser().send("GET", base+"/auth/"+style[1])
	if res.StatusCode != 200 || res.Header.Get("Content-Type") != "text/css; charset=utf-8" || !strings.Contains(res.Header.Get("Cache-Control"), "immutable") {
		t.Errorf("%d %v", res.StatusCode, res.Header)
	}
	res = w.browser().send("GET", base+"/auth/edgeauth.js")
	tag := res.Header.Get("ETag")
	if res.StatusCode != 200 || res.Header.Get("Content-Type") != "text/javascript; charset=utf-8" || res.Header.Get("Cache-Control") != "no-cache" || tag == "" {
		t.Errorf("%d %v", res.StatusCode, res.Header)
	}
	if !strings.Contains(body(res), "export const version = ") {
		t.Error("no version")
	}
	res = w.browser().send("GET", base+"/auth/edgeauth.js", "If-None-Match", tag)
	if res.StatusCode != 304 || body(res) != "" {
		t.Errorf("%d %q", res.StatusCode, body(res))
	}
	if res = w.browser().send("GET", base+"/auth/edgeauth.css?v=old"); strings.Contains(res.Header.Get("Cache-Control"), "immutable") {
		t.Error("an old address is kept for ever")
	}
}

func TestHeadHasNoBody(t *testing.T) {
	w := newSystem(t)
	for _, route := range []string{"signed-out", "login", "session", "edgeauth.js"} {
		if res := w.browser().send("HEAD", base+"/auth/"+route, asNavigation...); body(res) != "" {
			t.Errorf("%s: %s", route, body(res))
		}
	}
}

// TestLoopStops: a session that was given and does not come back stops the third time, and the page
// says why.
func TestLoopStops(t *testing.T) {
	for _, row := range []struct {
		name  string
		spoil func(b *browser)
		cause string
	}{
		{"the browser refuses the session cookie", func(b *browser) { b.refuses = func(name string) bool { return strings.HasPrefix(name, "__Host-id") } }, "does not keep"},
		{"something changes it", func(b *browser) { b.extra.Set("X-Test", "1") }, "does not keep"},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newSystem(t)
			b := w.browser()
			row.spoil(b)
			drop := func() {
				for key, c := range b.jar {
					if strings.HasPrefix(c.name, "__Host-id") {
						delete(b.jar, key)
					}
				}
			}
			b.signIn("alice", base+"/a") // the first trip
			drop()
			w.Advance(time.Second)
			w.wants(b.open(base+"/auth/login?return_to=%2FProd%2Fa"), 302, "ok") // the second: renewed
			drop()
			w.Advance(time.Second)
			res := b.open(base + "/auth/login?return_to=%2FProd%2Fa")
			w.wants(res, 400, "login_loop")
			if !strings.Contains(body(res), row.cause) || !strings.Contains(body(res), "request-1") {
				t.Errorf("no cause, or no request id: %s", body(res))
			}
			drop()
			if res := b.open(base + "/auth/login"); res.StatusCode == 400 {
				t.Error("still stopped after the page was shown")
			}
		})
	}
}

func TestLoopForgets(t *testing.T) {
	w := newSystem(t)
	b := w.browser()
	b.refuses = func(name string) bool { return strings.HasPrefix(name, "__Host-id") }
	for range 6 {
		b.signInAnyhow("alice")
		w.Advance(31 * time.Second) // at most two in any minute
	}
	// A logout is no loop.
	c := w.browser()
	for range 6 {
		c.signIn("alice", base+"/")
		c.call("POST", base+"/auth/logout")
	}
}

// signInAnyhow is for a browser that may be renewed instead.
func (b *browser) signInAnyhow(user string) {
	b.w.t.Helper()
	res := b.open(base + "/auth/login")
	if to := next(b.w.t, res); strings.HasPrefix(to, b.w.idp.url) {
		res = b.open(b.w.idp.authorize(b.w.t, to, user))
	}
	if res.StatusCode != 302 {
		b.w.t.Fatalf("%d %v", res.StatusCode, b.w.last())
	}
}

// TestLoopCauses: the page tells by what is wrong with the session that came.
func TestLoopCauses(t *testing.T) {
	for want, cookie := range map[string]func(w *system) string{
		"set up under the same name": func(w *system) string { return "__Host-id=" + w.IDToken(tokentest.Claims{"aud": "other"}) },
		"a clock is probably wrong": func(w *system) string {
			return "__Host-id=" + w.IDToken(tokentest.Claims{"iat": w.Now().Unix() + 3000, "auth_time": w.Now().Unix() + 3000, "exp": w.Now().Unix() + 6000})
		},
		"keeps only a part":      func(*system) string { return "__Host-id=2~abc" },
		"two different sessions": func(*system) string { return "__Host-id=abc; __Host-id=abd" },
		"does not keep":          func(*system) string { return "a=b" },
	} {
		w := newSystem(t)
		b := w.browser()
		marks := fmt.Sprintf("; __Secure-loop=%[1]d.0.%[2]d_%[1]d.0.%[2]d", w.Now().Unix()-5, w.Now().Unix()+100)
		res := b.open(base+"/auth/login", "Cookie", cookie(w)+marks)
		w.wants(res, 400, "login_loop")
		if !strings.Contains(body(res), want) {
			t.Errorf("no %q in %s", want, body(res))
		}
	}
	w := newSystem(t)
	for _, garbage := range []string{
		"x", "1.0_2.0", ".", "_", "99999999999999999999.0.1_1.0.1", "a.0.b_b.0.a",
		fmt.Sprintf("%[1]d.0.%[2]d_%[1]d.0.%[2]d", w.Now().Unix()+50, w.Now().Unix()+100),    // from the future
		fmt.Sprintf("%[1]d.0.%[2]d_%[1]d.0.%[2]d", w.Now().Unix()-60, w.Now().Unix()+100),    // too old
		fmt.Sprintf("%[1]d.0.%[2]d_%[1]d.0.%[2]d", w.Now().Unix()-5, w.Now().Unix()),         // over by now
		fmt.Sprintf("%[1]d.0.%[2]d.1_%[1]d.0.%[2]d.1", w.Now().Unix()-5, w.Now().Unix()+100), // a field too many
	} {
		if res := w.browser().open(base+"/auth/login", "Cookie", "__Secure-loop="+garbage); res.StatusCode != 200 {
			t.Errorf("%s: %d", garbage, res.StatusCode)
		}
	}
}

// TestShortSessionsAreNoLoop: renewing several times a minute is right when sessions last seconds,
// whether the browser still sends what is over or not.
func TestShortSessionsAreNoLoop(t *testing.T) {
	for _, clock := range []time.Duration{0, time.Hour} { // how much longer the browser keeps cookies
		w := newSystem(t)
		b := w.browser()
		for range 7 {
			w.idp.set(func(p *provider) { p.claims = tokentest.Claims{"exp": w.Now().Unix() + 5} })
			b.signInAnyhow("alice")
			for _, c := range b.jar {
				c.dies = c.dies.Add(clock)
			}
			w.Advance(8 * time.Second)
		}
	}
}

// TestBouncesStop: a session that is good here, and that the application sends back again and
// again.
func TestBouncesStop(t *testing.T) {
	w := newSystem(t)
	b := w.browser()
	b.signIn("alice", base+"/a")
	for i := range 5 {
		w.wants(b.open(base+"/auth/login?return_to=%2FProd%2Fa"), 302, "ok")
		w.wants(b.open(fmt.Sprintf("%s/auth/login?return_to=%%2FProd%%2F%d", base, i)), 302, "ok") // other tabs
	}
	res := b.open(base + "/auth/login?return_to=%2FProd%2Fa")
	w.wants(res, 400, "login_loop")
	if !strings.Contains(body(res), "set up for another client") {
		t.Errorf("no cause: %s", body(res))
	}
	w.wants(b.open(base+"/auth/login?return_to=%2FProd%2Fa"), 302, "ok")
	w.Advance(time.Minute)
	for range 5 {
		w.wants(b.open(base+"/auth/login?return_to=%2FProd%2Fa"), 302, "ok")
	}
}

// TestAProviderThatDoesNotAskAgainIsStopped: a page that wants a recent sign-in sends back for one again and again, and
// the identity provider hands out the one that it remembers.
func TestAProviderThatDoesNotAskAgainIsStopped(t *testing.T) {
	w := newSystem(t)
	b := w.browser()
	b.signIn("alice", base+"/a")
	again := base + "/auth/login?prompt=login&return_to=%2FProd%2Fa"
	w.idp.set(func(p *provider) { p.claims = tokentest.Claims{"auth_time": w.Now().Unix()} })
	for range 2 {
		w.Advance(time.Second)
		w.wants(b.open(w.idp.authorize(t, next(t, b.open(again)), "alice")), 302, "ok")
	}
	next(t, b.fork().open(base+"/auth/login?prompt=login&return_to=%2FProd%2Fother"))
	res := b.open(again)
	w.wants(res, 400, "login_loop")
	if !strings.Contains(body(res), "did not: your sign-in stays as old as it was") {
		t.Errorf("no cause: %s", body(res))
	}
	next(t, b.open(again)) // whoever tries again is let through

	w.idp.set(func(p *provider) { p.claims = nil }) // one that asks
	c := w.browser()
	c.signIn("alice", base+"/a")
	for range 3 { // bounces are something else
		w.wants(c.open(base+"/auth/login?return_to=%2FProd%2Fa"), 302, "ok")
	}
	for range 4 {
		w.Advance(time.Second)
		w.wants(c.open(w.idp.authorize(t, next(t, c.open(again)), "alice")), 302, "ok")
	}
}

// TestOldSessionsThatAreLostAreALoopToo: with SessionMax every sign-in is to be made anew. A provider that does not know
// how, and a browser that keeps no session, would go round for ever.
func TestOldSessionsThatAreLostAreALoopToo(t *testing.T) {
	w := newSystem(t)
	w.provider.SessionMax = time.Hour
	w.idp.set(func(p *provider) { p.claims = tokentest.Claims{"auth_time": w.Now().Unix() - 60} })
	b := w.browser()
	b.refuses = func(name string) bool {
		return strings.HasPrefix(name, "__Host-id") || strings.HasPrefix(name, "__Secure-refresh")
	}
	for range 2 {
		w.Advance(time.Second)
		w.wants(b.open(w.idp.authorize(t, b.begin(base+"/a"), "alice")), 302, "ok")
	}
	w.wants(b.open(base+"/auth/login?return_to=%2FProd%2Fa"), 400, "login_loop")
}

// TestTenTabs: restored at once after the session ran out, each gets its page, whether their
// requests overlap or follow each other.
func TestTenTabs(t *testing.T) {
	for _, overlap := range []bool{true, false} {
		w := newSystem(t)
		w.idp.rotation, w.idp.grace = true, 10*time.Second
		b := w.browser()
		b.signIn("alice", base+"/")
		w.expire()
		var answers []*http.Response
		for i := range 10 {
			res := b.send("GET", fmt.Sprintf("%s/auth/login?return_to=%%2FProd%%2F%d", base, i), asNavigation...)
			if !overlap {
				b.take(res)
			}
			answers = append(answers, res)
		}
		for i, res := range answers {
			b.take(res)
			if got, want := res.Header.Get("Location"), fmt.Sprintf("%s/%d", base, i); got != want {
				t.Errorf("overlap %v, tab %d: sent to %q, want %q", overlap, i, got, want)
			}
		}
		if b.who() != "alice" {
			t.Error("not signed in")
		}
	}
}

func TestSizes(t *testing.T) {
	w := newSystem(t)
	w.provider.HeaderBudget = 20480
	b := w.browser()
	for _, groups := range []int{0, 20, 60, 100, 120, 60, 0, 130, 20, 0} {
		w.idp.set(func(p *provider) { p.weight = groups })
		w.Advance(time.Second)
		w.wants(b.open(w.idp.authorize(t, b.begin2(t, base+"/"), "alice")), 302, "ok")
		if b.who() != "alice" {
			t.Fatalf("%d groups: not signed in", groups)
		}
		if n, size := len(b.has("__Host-id")), w.last(); n == 0 {
			t.Errorf("%v", size)
		}
	}
	if names := b.has("__Host-id"); len(names) != 1 {
		t.Errorf("leftovers: %q", names)
	}
}

func TestHeaderBudget(t *testing.T) {
	sign := func(w *system, b *browser) *http.Response {
		return b.open(w.idp.authorize(t, b.begin(base+"/"), "alice"))
	}
	t.Run("too large", func(t *testing.T) {
		w := newSystem(t)
		w.idp.weight = 160
		b := w.browser()
		res := sign(w, b)
		w.wants(res, 400, "login_too_large")
		if len(b.has("__Host-")) != 0 {
			t.Error("a session exists")
		}
		metric, _ := w.last()["_aws"].(map[string]any)
		if w.last()["LoginTooLarge"] != 1.0 || metric == nil || metric["CloudWatchMetrics"] == nil || metric["Timestamp"] == nil {
			t.Errorf("no metric: %v", w.last())
		}
	})
	t.Run("too large beside other cookies", func(t *testing.T) {
		w := newSystem(t)
		b := w.browser()
		for i := range 4 {
			name := fmt.Sprintf("__Secure-other%d", i)
			b.jar["/ "+name] = &kept{name, strings.Repeat("x", 2400), "/", w.Now().Add(time.Hour)}
		}
		w.wants(sign(w, b), 400, "login_too_large")
	})
	t.Run("too large beside long headers", func(t *testing.T) {
		w := newSystem(t)
		b := w.browser()
		b.extra.Set("User-Agent", strings.Repeat("x", 9000))
		w.wants(sign(w, b), 400, "login_too_large")
	})
	t.Run("what proxies add does not count", func(t *testing.T) {
		w := newSystem(t)
		b := w.browser()
		b.extra.Set("X-Forwarded-For", strings.Repeat("x", 9000))
		b.extra.Set("Via", strings.Repeat("x", 9000))
		w.wants(sign(w, b), 302, "ok")
	})
	t.Run("too large beside its refresh token only", func(t *testing.T) {
		w := newSystem(t)
		w.idp.filler = 7500
		b := w.browser()
		w.wants(sign(w, b), 302, "ok")
		if len(b.has("__Secure-refresh")) != 0 || b.who() != "alice" {
			t.Errorf("cookies %q", b.has(""))
		}
	})
	t.Run("what the session replaces does not count", func(t *testing.T) {
		w := newSystem(t)
		w.idp.weight = 110
		b := w.browser()
		w.wants(sign(w, b), 302, "ok")
		w.wants(b.open(w.idp.authorize(t, b.begin2(t, base+"/"), "alice")), 302, "ok")
	})
}

// TestTheAuthorizersAnswerFits: whoever the authorizer could never say yes to, since its answer would be too large for
// API Gateway, learns so when he signs in and not at every page.
func TestTheAuthorizersAnswerFits(t *testing.T) {
	for _, row := range []struct {
		groups, length int
		good           bool
	}{{100, 30, true}, {100, 72, false}} { // Cognito's limit is 100 groups a user
		w := newSystem(t)
		w.provider.HeaderBudget = 20480
		w.idp.claims = tokentest.Claims{"cognito:groups": tokentest.Groups(row.groups, row.length)}
		b := w.browser()
		res := b.open(w.idp.authorize(t, b.begin(base+"/"), "alice"))
		if row.good {
			w.wants(res, 302, "ok")
			continue
		}
		w.wants(res, 400, "login_too_large")
		if len(b.has("__Host-id")) != 0 || w.last()["LoginTooLarge"] != 1.0 {
			t.Errorf("session %v, metric %v", b.has("__Host-id"), w.last()["LoginTooLarge"])
		}
		w.idp.set(func(p *provider) { p.claims = nil })
		b.signIn("alice", base+"/")
		w.idp.set(func(p *provider) {
			p.claims = tokentest.Claims{"cognito:groups": tokentest.Groups(row.groups, row.length)}
		})
		w.wants(b.call("POST", base+"/auth/refresh"), 400, "login_too_large")
		if b.who() != "alice" {
			t.Error("the session that there was is gone")
		}
	}
	w := newSystem(t)
	w.provider.HeaderBudget, w.provider.Claims = 20480, []string{"custom:notes"}
	w.idp.claims = tokentest.Claims{"custom:notes": strings.Repeat("x", 6000), "cognito:groups": tokentest.Groups(100, 40)}
	b := w.browser()
	w.wants(b.open(w.idp.authorize(t, b.begin(base+"/"), "alice")), 400, "login_too_large")
}

// TestFragment: what stands behind "#" comes back, through the page that moves on and its cookie.
func TestFragment(t *testing.T) {
	for _, row := range []struct{ page, fragment, want string }{
		{"/a?b=c", "section", "#section"},
		{"/a", "x=1&y=%20;/?", "#x=1&y=%20;/?"},
		{"/a", strings.Repeat("/", 341), "#" + strings.Repeat("/", 341)},
		{"/a", strings.Repeat("/", 342), ""}, // longer than it may be once it is escaped
		{"/a#given", "other", "#given"},
		{"/a", "", ""},
		{"/a", "a b", ""},
		{"/a", "a\r\nSet-Cookie: b=c", ""},
		{"/a", "a\\b", ""},
		{"/a", "ä", ""},
		{"/a", strings.Repeat("x", 1024), "#" + strings.Repeat("x", 1024)},
		{"/a", strings.Repeat("x", 1025), ""},
	} {
		w := newSystem(t)
		b := w.browser()
		res := b.open(base + "/auth/login?return_to=" + url.QueryEscape(base+row.page))
		text := body(res)
		attribute := func(name string) string {
			m := regexp.MustCompile(`data-` + name + `="([^"]*)"`).FindStringSubmatch(text)
			if m == nil {
				t.Fatalf("no data-%s: %s", name, text)
			}
			return html.UnescapeString(m[1])
		}
		callback := w.idp.authorize(t, attribute("to"), "alice")
		if row.fragment != "" { // what the script does
			b.obey(attribute("cookie")+"="+encodeURIComponent(row.fragment)+"; Path="+attribute("path")+"; Max-Age=600; Secure; SameSite=Lax", false)
		}
		if names := b.cookies(base + "/"); strings.Contains(names, "fragment") {
			t.Error("the fragment travels to the application")
		}
		res = b.open(callback)
		path, _, _ := strings.Cut(row.page, "#")
		if got, want := res.Header.Get("Location"), base+path+row.want; got != want {
			t.Errorf("%q: sent to %q, want %q", row.fragment, got, want)
		}
		if names := b.has("__Secure-fragment"); len(names) != 0 {
			t.Errorf("left over: %q", names)
		}
	}
}

// TestFragmentsGoWithTheirLogins: what is forgotten of a login is forgotten whole, and fragments
// count where bytes are counted.
func TestFragmentsGoWithTheirLogins(t *testing.T) {
	w := newSystem(t)
	b := w.browser()
	for range 9 {
		w.Advance(time.Second)
		begun := b.has("__Secure-login-")
		b.begin(base + "/" + strings.Repeat("x", 700))
		for _, name := range b.has("__Secure-login-") {
			if id := strings.TrimPrefix(name, "__Secure-login-"); !slices.Contains(begun, name) {
				b.obey("__Secure-fragment-"+id+"="+strings.Repeat("x", 1024)+"; Path=/Prod/auth; Max-Age=600; Secure; SameSite=Lax", false)
			}
		}
	}
	if logins, fragments := len(b.has("__Secure-login-")), len(b.has("__Secure-fragment-")); logins != fragments || logins > 4 || logins < 2 {
		t.Errorf("%d logins, %d fragments", logins, fragments)
	}
	if n := len(b.cookies(base + "/auth/callback")); n > 6200 {
		t.Errorf("%d bytes", n)
	}
	b.obey("__Secure-fragment-orphan=x; Path=/Prod/auth; Max-Age=600; Secure; SameSite=Lax", false)
	b.begin(base + "/")
	if len(b.has("__Secure-fragment-orphan")) != 0 {
		t.Error("a fragment outlives its login")
	}
	b.call("POST", base+"/auth/logout")
	if names := b.has(""); len(names) != 0 {
		t.Errorf("left over: %q", names)
	}
}

// TestAnswersAreBounded: however many cookies somebody plants, an answer's headers stay below what
// a gateway takes.
func TestAnswersAreBounded(t *testing.T) {
	w := newSystem(t)
	var junk []string
	for i := range 400 {
		junk = append(junk, fmt.Sprintf("__Secure-login-%d=x", i))
	}
	for _, method := range []string{"GET", "POST"} {
		route := map[string]string{"GET": "login", "POST": "logout"}[method]
		res := w.browser().send(method, base+"/auth/"+route, append(asNavigation[:4:4], "Sec-Fetch-Site", "same-origin", "Cookie", strings.Join(junk, "; "))...)
		size := 0
		for name, values := range res.Header {
			for _, v := range values {
				size += len(name) + len(v) + 4
			}
		}
		if res.StatusCode >= 400 || size > 8000 {
			t.Errorf("%s: %d with %d bytes of headers", route, res.StatusCode, size)
		}
	}
}

func encodeURIComponent(s string) string {
	return strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
}

// TestHopPage: its script runs, no other does, and without scripts it moves on all the same. Who
// says nothing of documents gets a plain redirect.
func TestHopPage(t *testing.T) {
	w := newSystem(t)
	res := w.browser().open(base + "/auth/login?login_hint=" + url.QueryEscape(`"><script>alert(1)</script>`))
	text := body(res)
	script := regexp.MustCompile(`(?s)<script>(.*?)</script>`).FindStringSubmatch(text)
	sum := sha256.Sum256([]byte(script[1]))
	if csp := res.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "script-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'") ||
		strings.Contains(csp, "unsafe") || !strings.HasPrefix(csp, "default-src 'none'; ") {
		t.Errorf("policy %s", csp)
	}
	if strings.Contains(text, "<script>alert") {
		t.Errorf("not escaped: %s", text)
	}
	refresh := regexp.MustCompile(`<noscript><meta http-equiv="refresh" content="0; url=([^"]*)"></noscript>`).FindStringSubmatch(text)
	if refresh == nil || html.UnescapeString(refresh[1]) != next(t, res) {
		t.Errorf("no way on without scripts: %s", text)
	}
	bare := w.browser()
	bare.bare = true
	if res := bare.open(base + "/auth/login"); res.StatusCode != 302 {
		t.Errorf("%d", res.StatusCode)
	}
	if got := bare.signIn("alice", base+"/a?b"); got != base+"/a?b" {
		t.Errorf("sent to %q", got)
	}
}

// TestOneLineEach: every visit leaves one line, with its route, outcome, reason and request id, and
// nothing that a client chose.
func TestOneLineEach(t *testing.T) {
	w := newSystem(t)
	b := w.browser()
	b.extra.Set("User-Agent", "canary-agent\r\n")
	b.open(base + "/auth/canary-route?canary-query=1")
	b.open(base + "/auth/login?return_to=/Prod/canary-target")
	b.open(base + "/auth/callback?state=canary-state&code=canary-code&iss=canary-iss")
	b.open(base + "/auth/callback?error=canary%20error&error_description=canary")
	b.open(base + "/auth/denied?reason=canary")
	b.signIn("alice", base+"/canary-target")
	b.call("POST", base+"/auth/refresh")
	b.call("GET", base+"/auth/session")
	b.call("POST", base+"/auth/logout")
	lines := w.lines()
	if len(lines) != 10 {
		t.Errorf("%d lines", len(lines))
	}
	var routes []string
	for _, l := range lines {
		routes = append(routes, fmt.Sprint(l["route"]))
		for _, name := range []string{"route", "outcome", "reason", "request_id", "status", "level", "time", "msg"} {
			if l[name] == nil || l[name] == "" {
				t.Errorf("%v lacks %s", l, name)
			}
		}
	}
	if want := "unknown login callback callback denied login callback refresh session logout"; strings.Join(routes, " ") != want {
		t.Errorf("routes %q", routes)
	}
	if strings.Contains(w.log.text.String(), "canary") {
		t.Errorf("the log repeats what a client sent: %s", w.log.text.String())
	}
	if lines[6]["sub"] != "alice" {
		t.Errorf("who signed in? %v", lines[6])
	}
}
