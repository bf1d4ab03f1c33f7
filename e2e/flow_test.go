// The whole way through, as a person and as a program walk it: signed out, signed in, signed out again, with everything asserted from the wire.
package e2e

import (
	"encoding/json"
	"html"
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The users that the local system comes with, and their password, which it prints.
const (
	alice    = "alice@example.com"
	bob      = "bob@example.com"
	password = "Open-sesame-1"
)

// signIn opens an address, fills in the login form that it must lead to, and returns the page where that ends.
func signIn(t testing.TB, s *system, b *browser, address, user string) exchange {
	t.Helper()
	return enter(t, s, b, b.visit(address), user)
}

// enter fills in the login form.
func enter(t testing.TB, s *system, b *browser, login exchange, user string) exchange {
	t.Helper()
	if got := origin(login.url); got != s.cognito || login.url.Path != "/login" || login.status != http.StatusOK {
		t.Fatalf("%v: not the login page", login)
	}
	method, action, values := login.form(t, "password")
	values.Set("username", user)
	values.Set("password", password)
	return b.click(login, method, action, values)
}

// wantPage asserts that a page came up, not a refusal.
func wantPage(t testing.TB, e exchange, status int, contains ...string) {
	t.Helper()
	if e.status != status || !strings.HasPrefix(e.header.Get("Content-Type"), "text/html") {
		t.Fatalf("%v with type %q, want a page with status %d", e, e.header.Get("Content-Type"), status)
	}
	text := html.UnescapeString(e.body)
	for _, want := range contains {
		if !strings.Contains(text, want) {
			t.Errorf("%v: the page does not hold %q", e, want)
		}
	}
}

// wantJSON asserts a program's answer and returns it.
func wantJSON(t testing.TB, e exchange, status int) map[string]any {
	t.Helper()
	if e.status != status || !strings.HasPrefix(e.header.Get("Content-Type"), "application/json") {
		t.Fatalf("%v with type %q, want JSON with status %d", e, e.header.Get("Content-Type"), status)
	}
	var answer map[string]any
	if err := json.Unmarshal([]byte(e.body), &answer); err != nil {
		t.Fatalf("%v: %v", e, err)
	}
	return answer
}

// sessionCookies returns the cookies of the session in the browser.
func (s *system) sessionCookies(b *browser) []cookie { return b.cookies(s.host(), "__Host-id") }

func TestSignInLeadsBack(t *testing.T) {
	s := start(t)
	for _, target := range []string{
		"/?a=1&b=%2F",
		"/",
		"/reports/2026?quarter=4&tag=a&tag=b%2Fc",
		"/reports/a%20b/e:f@g?empty=&plus=a%2Bb&space=a+b&and=%26&is=%3D",
		"/reports/caf%C3%A9?q=%C3%BC&q2=%F0%9F%8D%AA",
	} {
		t.Run(target, func(t *testing.T) {
			b := newBrowser(t)
			page := signIn(t, s, b, s.app+target, alice)
			want := must(url.Parse(s.app + target))
			if page.url.EscapedPath() != want.EscapedPath() {
				t.Errorf("came back to %s, asked for %s", page.url.EscapedPath(), want.EscapedPath())
			}
			if got := page.url.Query().Encode(); got != want.Query().Encode() {
				t.Errorf("came back with %s, asked with %s", got, want.Query().Encode())
			}
			wantPage(t, page, http.StatusOK, alice, "admins", want.EscapedPath())
			for name, values := range want.Query() {
				for _, value := range values {
					if row := `<th scope="row">` + name + `</th><td>` + value + `</td>`; !strings.Contains(html.UnescapeString(page.body), row) {
						t.Errorf("the backend did not get %s=%s", name, value)
					}
				}
			}
		})
	}
}

// An address that two parties could read differently is opened for nobody.
func TestAmbiguousPathsAreRefused(t *testing.T) {
	s := start(t)
	b := newBrowser(t)
	signIn(t, s, b, s.app+"/", alice)
	for _, path := range []string{"/reports/c%2Fd", "/reports/%2e%2e/admin", "/reports//x", "/reports/a;b", "/reports/%5Cx", "/reports/%00"} {
		e := b.visit(s.app + path)
		if e.url.Path != "/Prod/auth/denied" || e.status != http.StatusForbidden || !strings.Contains(e.body, "path_not_canonical") {
			t.Errorf("%s: %v", path, e)
		}
	}
}

func TestOneSignInForEveryFunction(t *testing.T) {
	s := start(t)
	b := newBrowser(t)
	signIn(t, s, b, s.app+"/", alice)

	me := wantJSON(t, b.visit(s.app+"/api/me"), http.StatusOK)
	if me["email"] != alice || me["token_use"] != "id" || len(me["groups"].([]any)) != 1 || me["groups"].([]any)[0] != "admins" {
		t.Errorf("the second function sees %v", me)
	}
	if got := b.trace()[len(b.trace())-1]; origin(got.url) != origin(must(url.Parse(s.app))) {
		t.Errorf("the second function asked for another login: %v", got)
	}
	session := wantJSON(t, b.fetch(http.MethodGet, s.app+"/auth/session"), http.StatusOK)
	if session["expires_in"] == nil || session["logout_url"] == nil {
		t.Errorf("/auth/session says %v", session)
	}

	other := newBrowser(t)
	signIn(t, s, other, s.app+"/", bob)
	if me := wantJSON(t, other.visit(s.app+"/api/me"), http.StatusOK); me["email"] != bob || len(me["groups"].([]any)) != 0 {
		t.Errorf("bob is %v", me)
	}
}

func TestPrograms(t *testing.T) {
	s := start(t)
	const html, any = "text/html,application/xhtml+xml;q=0.9", "*/*"
	for _, c := range []struct {
		name, method string
		header       []string
		navigation   bool
	}{
		{"curl", "GET", []string{"Accept", any}, false},
		{"curl -H 'Accept: text/html'", "GET", []string{"Accept", html}, true},
		{"curl -I -H 'Accept: text/html'", "HEAD", []string{"Accept", html}, true},
		{"a form without Sec-Fetch", "POST", []string{"Accept", html}, false},
		{"a page", "GET", []string{"Accept", html, "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}, true},
		{"a frame", "GET", []string{"Accept", html, "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "iframe"}, false},
		{"a script", "GET", []string{"Accept", any, "Sec-Fetch-Mode", "cors", "Sec-Fetch-Dest", "empty"}, false},
		{"a script that wants HTML", "GET", []string{"Accept", html, "Sec-Fetch-Mode", "cors", "Sec-Fetch-Dest", "empty"}, false},
		{"a prefetch", "GET", []string{"Accept", html, "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document", "Sec-Purpose", "prefetch"}, false},
		{"an image", "GET", []string{"Accept", "image/*", "Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "image"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := plain(t, c.method, s.app+"/api/me?x=1", "", c.header...)
			if !c.navigation {
				if e.method != "HEAD" {
					wantJSON(t, e, http.StatusUnauthorized)
				}
				if e.header.Get("Location") != "" || len(e.setCookie) > 0 {
					t.Errorf("a program is led to %q with cookies %d", e.header.Get("Location"), len(e.setCookie))
				}
				return
			}
			if e.status != http.StatusFound {
				t.Fatalf("%v, want 302", e)
			}
			to := e.location(t)
			if to.Path != "/Prod/auth/login" || to.Query().Get("return_to") != "/Prod/api/me?x=1" {
				t.Errorf("led to %s", to)
			}
		})
	}
}

// plain sends one request with the given headers and nothing of a browser; cookies may be "".
func plain(t testing.TB, method, address, cookies string, header ...string) exchange {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	if cookies != "" {
		r.Header.Set("Cookie", cookies)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return exchangeOf(t, r)
}

func TestCookieCommand(t *testing.T) {
	s := start(t)
	cmd := exec.Command(filepath.Join(artifacts, "edgeauth"), "cookie", "-url", s.app, "-user", bob)
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, complaint.String())
	}
	value := strings.TrimSuffix(string(out), "\n")
	if strings.ContainsAny(value, "\n ") || !strings.HasPrefix(value, "__Host-id=") {
		t.Fatalf("printed %d bytes that are not one cookie", len(out))
	}
	if me := wantJSON(t, plain(t, "GET", s.app+"/api/me", value), http.StatusOK); me["email"] != bob {
		t.Errorf("the cookie is of %v", me["email"])
	}
	wantJSON(t, plain(t, "GET", s.app+"/api/me", ""), http.StatusUnauthorized)
}

func TestCookiesOnTheWire(t *testing.T) {
	s := start(t)
	b := newBrowser(t)
	signIn(t, s, b, s.app+"/", alice)
	seen := map[string]bool{}
	for _, e := range b.trace() {
		if origin(e.url) == s.cognito {
			for _, name := range e.sent {
				if strings.HasPrefix(name, "__Host-") || strings.HasPrefix(name, "__Secure-") {
					t.Errorf("the login host was sent %s", name)
				}
			}
			continue
		}
		for _, line := range e.setCookie {
			c, deleted, err := parseCookie(e.url, line)
			if err != nil {
				t.Error(err)
				continue
			}
			path, kind := "/", "__Host-id"
			switch {
			case strings.HasPrefix(c.name, "__Secure-refresh"):
				path, kind = "/Prod/auth", "__Secure-refresh"
			case strings.HasPrefix(c.name, "__Secure-login-"):
				path, kind = "/Prod/auth", "__Secure-login-"
			case c.name == "__Secure-loop":
				path, kind = "/Prod/auth", "__Secure-loop"
			case c.name == "__Host-browser":
				kind = "__Host-browser"
			case strings.HasPrefix(c.name, "__Host-login-"):
				kind = "__Host-login-"
			case !strings.HasPrefix(c.name, "__Host-id"):
				t.Errorf("%v set a cookie with the unknown name %s", e, c.name)
				continue
			}
			if !c.httpOnly || !c.secure || c.sameSite != "lax" || c.path != path || slices.Contains(c.attributeNames, "domain") {
				t.Errorf("%s: %s", kind, strings.Replace(line, c.value, "…", 1))
			}
			if !deleted && c.expires.IsZero() {
				t.Errorf("%s stays until the browser closes, which may be never", kind)
			}
			seen[kind] = true
		}
	}
	for _, kind := range []string{"__Host-id", "__Host-browser", "__Host-login-", "__Secure-refresh", "__Secure-login-"} {
		if !seen[kind] {
			t.Errorf("%s never came", kind)
		}
	}
	if left := append(b.cookies(s.host(), "__Secure-login-"), b.cookies(s.host(), "__Host-login-")...); len(left) > 0 {
		t.Errorf("%d pending logins are left after the login", len(left))
	}
}

func TestSignOutIsForGood(t *testing.T) {
	s := start(t)
	b := newBrowser(t)
	page := signIn(t, s, b, s.app+"/", alice)
	thief := b.copy()

	method, action, values := page.form(t, "")
	end := b.click(page, method, action, values)
	wantPage(t, end, http.StatusOK, "signed out")
	if end.url.Path != "/Prod/auth/signed-out" {
		t.Errorf("signing out ends at %s", end.url.Path)
	}
	if left := b.cookies(s.host(), ""); len(left) > 0 {
		t.Errorf("left behind: %s and %d more", left[0].name, len(left)-1)
	}

	again := b.visit(s.app + "/")
	if origin(again.url) != s.cognito || again.url.Path != "/login" {
		t.Fatalf("the next visit ends at %v, want the login page", again)
	}
	again.form(t, "password")

	// Whoever copied the browser's cookies can no longer renew.
	if e := thief.fetch(http.MethodPost, s.app+"/auth/refresh"); e.status != http.StatusUnauthorized {
		t.Errorf("a copied refresh cookie still works: %v", e)
	}
}

func TestLogoutFromAnotherSiteAsksFirst(t *testing.T) {
	s := start(t)
	b := newBrowser(t)
	signIn(t, s, b, s.app+"/", alice)
	elsewhere := exchange{url: must(url.Parse("http://127.0.0.1:1/"))}

	confirm := b.click(elsewhere, http.MethodGet, s.app+"/auth/logout", nil)
	wantPage(t, confirm, http.StatusOK)
	wantJSON(t, b.fetch(http.MethodGet, s.app+"/api/me"), http.StatusOK)

	b.click(elsewhere, http.MethodPost, s.app+"/auth/logout", url.Values{})
	wantJSON(t, b.fetch(http.MethodGet, s.app+"/api/me"), http.StatusOK)

	method, action, values := confirm.form(t, "")
	wantPage(t, b.click(confirm, method, action, values), http.StatusOK, "signed out")
	wantJSON(t, b.fetch(http.MethodGet, s.app+"/api/me"), http.StatusUnauthorized)
}

func TestForgedRequestsAreRefused(t *testing.T) {
	s := start(t)
	b := newBrowser(t)
	signIn(t, s, b, s.app+"/", alice)
	session := cookieHeader(s.sessionCookies(b))

	if e := b.fetch(http.MethodPost, s.app+"/api/hello"); e.status != http.StatusOK {
		t.Fatalf("a script of the same origin: %v", e)
	}
	for name, header := range map[string][]string{
		"Sec-Fetch-Site: cross-site": {"Sec-Fetch-Site", "cross-site", "Origin", "http://evil.example"},
		"Sec-Fetch-Site: same-site":  {"Sec-Fetch-Site", "same-site", "Origin", "http://localhost:1"},
		"Origin alone":               {"Origin", "http://evil.example"},
		"Origin: null":               {"Origin", "null"},
	} {
		e := plain(t, http.MethodPost, s.app+"/api/hello", session, header...)
		if e.status == http.StatusOK || strings.Contains(e.body, alice) {
			t.Errorf("%s: let in: %v", name, e)
		}
	}
	if e := plain(t, http.MethodGet, s.app+"/api/hello", session, "Sec-Fetch-Site", "cross-site"); e.status != http.StatusOK {
		t.Errorf("reading from another site: %v", e)
	}
}

// Wherever a return target points, the way back ends at this application.
func TestReturnTargetsStayHere(t *testing.T) {
	s := start(t)
	b := newBrowser(t)
	signIn(t, s, b, s.app+"/", alice)
	for _, target := range []string{
		"//evil.example", "///evil.example/", `/\evil.example`, `\\evil.example`, "https://evil.example/Prod/", "http:evil.example", "javascript:alert(1)",
		"/\t/evil.example", "/%09/evil.example", "/%2Fevil.example", "/Prod/../../evil", "/Prod/\r\nLocation: https://evil.example", "", "Prod/x", "?x", "#x",
		s.app + "@evil.example/", "/Prod//evil.example", "/Prod/auth/logout", "/Prod/auth/login",
	} {
		e := b.visit(s.app + "/auth/login?return_to=" + url.QueryEscape(target))
		if origin(e.url) != origin(must(url.Parse(s.app))) {
			t.Errorf("%q leads to %s", target, e.url.Host)
		}
	}
	if len(s.sessionCookies(b)) == 0 {
		t.Error("a return target signed the user out")
	}
}

func TestUnknownAuthPagesAreErrorPages(t *testing.T) {
	s := start(t)
	b := newBrowser(t)
	e := b.visit(s.app + "/auth/nonsense")
	wantPage(t, e, http.StatusNotFound, "not_found")
	wantJSON(t, b.fetch(http.MethodGet, s.app+"/auth/nonsense"), http.StatusNotFound)
	wantJSON(t, b.fetch(http.MethodGet, s.app+"/auth/session"), http.StatusUnauthorized)
	denied := b.visit(s.app + "/auth/denied?reason=" + url.QueryEscape(`<script>alert(1)</script>`))
	if strings.Contains(denied.body, "<script>alert") {
		t.Error("a reason is reflected unescaped")
	}
}

// cookieHeader writes cookies as a browser sends them.
func cookieHeader(cookies []cookie) string {
	var pairs []string
	for _, c := range cookies {
		pairs = append(pairs, c.name+"="+c.value)
	}
	return strings.Join(pairs, "; ")
}

// Access rules of the deployment: a group's pages are open to the group, and closed, with an explanation, to others.
func TestAccessRules(t *testing.T) {
	s := start(t, "-param", "AccessRules=* /* signed-in\n* /admin/* group:admins")
	for _, c := range []struct {
		user string
		in   bool
	}{{alice, true}, {bob, false}} {
		b := newBrowser(t)
		signIn(t, s, b, s.app+"/", c.user)
		page := b.visit(s.app + "/admin/users")
		program := b.fetch(http.MethodGet, s.app+"/admin/users")
		if c.in {
			wantPage(t, page, http.StatusOK, "/Prod/admin/users")
			continue
		}
		wantPage(t, page, http.StatusForbidden, "group_required")
		if page.url.Path != "/Prod/auth/denied" || program.status != http.StatusFound {
			t.Errorf("%s: %v, %v", c.user, page, program)
		}
		wantJSON(t, b.fetch(http.MethodGet, program.location(t).String()), http.StatusForbidden)
		wantPage(t, b.visit(s.app+"/"), http.StatusOK, c.user)
	}
}

// Requests as HTTP/2 clients send them: names in lower case, one Cookie field for each cookie.
func TestSplitCookieFields(t *testing.T) {
	s := start(t, "-split-cookies")
	s.standIn(t, "settings", `{"id_token_bytes":6000,"refresh_token_bytes":1000}`)
	b := newBrowser(t)
	wantPage(t, signIn(t, s, b, s.app+"/?a=1", alice), http.StatusOK, alice)
	if n := len(s.sessionCookies(b)); n < 2 {
		t.Fatalf("the session is in %d cookies: nothing is proven", n)
	}
	wantJSON(t, b.fetch(http.MethodGet, s.app+"/api/me"), http.StatusOK)
	if e := b.fetch(http.MethodPost, s.app+"/auth/refresh"); e.status != http.StatusNoContent {
		t.Errorf("%v", e)
	}
}
