// Rules of the authorization endpoint, the login page and the browser's session.

package cognito_test

import (
	"crypto/sha256"
	"encoding/base64"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"edgeauth/local/cognito"
)

func TestAuthorizeRefuses(t *testing.T) {
	p := newPool(t)
	for _, tt := range []struct {
		name    string
		changes []string
		page    bool   // on the pool's own page
		want    string // the error code
	}{
		{"unknown client", []string{"client_id", "nobody"}, true, "redirect_mismatch"},
		{"no client", []string{"client_id", "-"}, true, "redirect_mismatch"},
		{"no redirect", []string{"redirect_uri", "-"}, true, "redirect_mismatch"},
		{"redirect with a slash more", []string{"redirect_uri", callback + "/"}, true, "redirect_mismatch"},
		{"redirect in upper case", []string{"redirect_uri", strings.ToUpper(callback)}, true, "redirect_mismatch"},
		{"redirect with a query", []string{"redirect_uri", callback + "?a=b"}, true, "redirect_mismatch"},
		{"redirect of nobody", []string{"redirect_uri", "https://evil.example/"}, true, "redirect_mismatch"},
		{"machine client", []string{"client_id", machineID}, true, "redirect_mismatch"},
		{"no response_type", []string{"response_type", "-"}, false, "invalid_request"},
		{"hybrid", []string{"response_type", "code id_token"}, false, "invalid_request"},
		{"implicit", []string{"response_type", "token"}, false, "unauthorized_client"},
		{"no challenge", []string{"code_challenge", "-"}, false, "invalid_request"},
		{"no method", []string{"code_challenge_method", "-"}, false, "invalid_request"},
		{"neither", []string{"code_challenge", "-", "code_challenge_method", "-"}, false, "invalid_request"},
		{"plain", []string{"code_challenge_method", "plain", "code_challenge", verifier}, false, "invalid_request"},
		{"short challenge", []string{"code_challenge", "abc"}, false, "invalid_request"},
		{"unknown scope", []string{"scope", "openid everything"}, false, "invalid_scope"},
		{"malformed scope", []string{"scope", "openid  email"}, false, "invalid_scope"},
		{"email without openid", []string{"scope", "email"}, false, "invalid_scope"},
		{"only scopes of others", []string{"scope", "reports/read"}, false, "invalid_scope"},
		{"unknown prompt", []string{"prompt", "dance"}, false, "invalid_request"},
		{"none with login", []string{"prompt", "none login"}, false, "invalid_request"},
		{"unknown provider", []string{"identity_provider", "Example"}, false, "invalid_request"},
		{"relative resource", []string{"resource", "/api"}, false, "invalid_request"},
	} {
		for _, path := range []string{"/oauth2/authorize", "/login"} {
			t.Run(tt.name+" at "+path, func(t *testing.T) {
				to := strings.Replace(p.authorizeURL(tt.changes...), "/oauth2/authorize", path, 1)
				a := get(p.browser(), to)
				u := a.location()
				if a.status != 302 || u.Query().Get("error") != tt.want {
					t.Fatalf("got %d %s, want error %s", a.status, u, tt.want)
				}
				if onPage := strings.HasPrefix(u.String(), p.url+"/error?"); onPage != tt.page {
					t.Errorf("went to %s", u)
				}
				if !tt.page && !strings.HasPrefix(u.String(), callback+"?") {
					t.Errorf("went to %s", u)
				}
				if u.Query().Has("state") {
					t.Error("the error carries the state")
				}
			})
		}
	}
}

func TestAuthorizeRefusesRepeatedParameters(t *testing.T) {
	p := newPool(t)
	for _, tt := range []struct{ more, want string }{
		{"&redirect_uri=" + url.QueryEscape(callback), p.url + "/error?"},
		{"&client_id=" + appID, p.url + "/error?"},
		{"&nonce=another", callback + "?error=invalid_request"},
	} {
		if got := get(p.browser(), p.authorizeURL()+tt.more).location().String(); !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s: went to %s", tt.more, got)
		}
	}
}

func TestErrorsCarryTheStateWhenTheSettingSaysSo(t *testing.T) {
	p := newPool(t)
	p.ask("settings", `{"error_state":true}`)
	if got := get(p.browser(), p.authorizeURL("scope", "nonsense")).location().Query().Get("state"); got != "the state/+" {
		t.Errorf("state %q", got)
	}
}

func TestSignIn(t *testing.T) {
	p := newPool(t)
	b := p.browser()
	a := p.signIn(b, p.authorizeURL(), "ALICE@example.com", password)
	q := a.location().Query()
	if a.status != 302 || !strings.HasPrefix(a.location().String(), callback+"?code=") || q.Get("state") != "the state/+" {
		t.Fatalf("got %d %v", a.status, a.header)
	}
	if !regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`).MatchString(q.Get("code")) {
		t.Error("the code is no UUID")
	}
	cookie := a.header.Get("Set-Cookie")
	for _, want := range []string{"cognito=", "Max-Age=3600", "HttpOnly", "SameSite=Lax", "Path=/"} {
		if !strings.Contains(cookie, want) {
			t.Errorf("session cookie lacks %s", want)
		}
	}
	if strings.Contains(cookie, "Secure") {
		t.Error("a Secure cookie does not come back to http://127.0.0.1 from every client")
	}
}

func TestCookiesAreSecureOverHTTPS(t *testing.T) {
	p := newPool(t, func(c *cognito.Config) { c.Domain = "https://login.example" })
	a := get(p.browser(), p.authorizeURL())
	if !strings.Contains(a.header.Get("Set-Cookie"), "; Secure") || a.location().Host != "login.example" {
		t.Errorf("got %v", a.header)
	}
}

func TestSignInWithoutState(t *testing.T) {
	p := newPool(t)
	a := p.signIn(p.browser(), p.authorizeURL("state", "-"), "alice@example.com", password)
	if a.location().Query().Has("state") || !a.location().Query().Has("code") {
		t.Errorf("went to %s", a.location())
	}
}

func TestLoginQueryIsTheSame(t *testing.T) {
	p := newPool(t)
	to := p.authorizeURL()
	if got := get(p.browser(), to).header.Get("Location"); got != strings.Replace(to, "/oauth2/authorize", "/login", 1) {
		t.Errorf("went to %s", got)
	}
}

func TestSignInRefuses(t *testing.T) {
	p := newPool(t)
	p.ask("user", `{"user":"carol@example.com","password":"Carols-word-1","disabled":true}`)
	for _, tt := range []struct{ name, user, password string }{
		{"wrong password", "alice@example.com", "wrong"},
		{"empty password", "alice@example.com", ""},
		{"unknown user", "nobody@example.com", password},
		{"unknown user, empty password", "nobody@example.com", ""},
		{"disabled user", "carol@example.com", "Carols-word-1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := p.signIn(p.browser(), p.authorizeURL(), tt.user, tt.password)
			if a.status != 400 || !strings.Contains(a.body, "Incorrect username or password.") || !strings.Contains(a.body, `role="alert"`) {
				t.Errorf("got %d", a.status)
			}
			if strings.Contains(a.header.Get("Set-Cookie"), "cognito=") {
				t.Error("a session began")
			}
		})
	}
}

func TestLoginFormIsBoundToBrowserAndTime(t *testing.T) {
	p := newPool(t)
	good := func(b *http.Client) (string, url.Values) {
		login := get(b, p.authorizeURL()).location().String()
		m := csrfField.FindStringSubmatch(get(b, login).body)
		return login, url.Values{"_csrf": {m[1]}, "username": {"alice@example.com"}, "password": {password}}
	}
	refused := func(name string, a answer) {
		t.Helper()
		if a.status != 403 || !strings.Contains(a.body, "form_expired") || strings.Contains(a.header.Get("Set-Cookie"), "cognito=") {
			t.Errorf("%s: got %d", name, a.status)
		}
	}
	b := p.browser()
	login, form := good(b)
	refused("other browser", post(p.browser(), login, form))
	_, foreign := good(p.browser())
	refused("other browser's form", post(b, login, foreign))
	refused("no _csrf", post(b, login, url.Values{"username": form["username"], "password": form["password"]}))
	later := url.Values{"_csrf": {"9999999999" + strings.TrimLeft(form.Get("_csrf"), "0123456789")}, "username": form["username"], "password": form["password"]}
	refused("a later time", post(b, login, later))

	good(b) // another tab
	p.pass(5*time.Minute - time.Second)
	if a := post(b, login, form); a.status != 302 {
		t.Errorf("in time: got %d", a.status)
	}
	p.pass(time.Second)
	refused("after five minutes", post(b, login, form))
}

func TestSessionGivesCodesForOneHour(t *testing.T) {
	p := newPool(t)
	b := p.browser()
	p.signIn(b, p.authorizeURL(), "alice@example.com", password)
	p.pass(59 * time.Minute)
	a := get(b, p.authorizeURL())
	code := a.location().Query().Get("code")
	if code == "" {
		t.Fatalf("asked again after 59 minutes: %s", a.location())
	}
	claims := p.claims(p.token(exchange(code)).member("id_token"))
	if claims["auth_time"] != float64(start.Unix()) || claims["iat"] != float64(start.Add(59*time.Minute).Unix()) {
		t.Errorf("auth_time %v, iat %v", claims["auth_time"], claims["iat"])
	}
	p.pass(time.Minute)
	if a := get(b, p.authorizeURL()); a.location().Path != "/login" {
		t.Errorf("not asked after the hour: %s", a.location())
	}
}

func TestPrompt(t *testing.T) {
	p := newPool(t)
	b := p.browser()
	a := get(b, p.authorizeURL("prompt", "none"))
	if q := a.location().Query(); q.Get("error") != "login_required" || q.Get("state") != "the state/+" {
		t.Errorf("none without a session: %s", a.location())
	}
	p.signIn(b, p.authorizeURL(), "alice@example.com", password)
	if a := get(b, p.authorizeURL("prompt", "none")); !a.location().Query().Has("code") {
		t.Errorf("none with a session: %s", a.location())
	}
	p.pass(10 * time.Minute)
	again := p.signIn(b, p.authorizeURL("prompt", "login"), "alice@example.com", password)
	claims := p.claims(p.token(exchange(again.location().Query().Get("code"))).member("id_token"))
	if claims["auth_time"] != float64(start.Add(10*time.Minute).Unix()) {
		t.Error("prompt=login did not make a new sign-in")
	}
}

func TestDisabledUserHasNoSession(t *testing.T) {
	p := newPool(t)
	b := p.browser()
	p.signIn(b, p.authorizeURL(), "alice@example.com", password)
	p.ask("user", `{"user":"alice@example.com","disabled":true}`)
	if a := get(b, p.authorizeURL()); a.location().Path != "/login" {
		t.Errorf("went to %s", a.location())
	}
}

func TestLoginPage(t *testing.T) {
	p := newPool(t)
	login := strings.Replace(p.authorizeURL("login_hint", `"><script>x</script>@example.com`), "/oauth2/authorize", "/login", 1)
	a := get(p.browser(), login)
	for _, want := range []string{
		`<html lang="en">`, "<main", "<footer", `<label for="username">`, `<label for="password">`, `autocomplete="current-password"`, "Local stand-in for Amazon Cognito",
		"alice@example.com", "bob@example.com", "admins", cognito.DefaultPassword, `value="&#34;&gt;&lt;script&gt;x&lt;/script&gt;@example.com"`, "prefers-color-scheme: dark",
	} {
		if !strings.Contains(a.body, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if strings.Contains(a.body, "<script") {
		t.Error("the page has a script")
	}
	style := regexp.MustCompile(`(?s)<style>(.*)</style>`).FindStringSubmatch(a.body)
	sum := sha256.Sum256([]byte(style[1]))
	csp := a.header.Get("Content-Security-Policy")
	if !strings.Contains(csp, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'") || !strings.Contains(csp, "frame-ancestors 'none'") {
		t.Errorf("policy %s", csp)
	}
	if strings.Contains(csp, "form-action") {
		t.Error("form-action would forbid the way back to the application")
	}
}

func TestLoginPageKeepsTheQueryWhenAUserIsChosen(t *testing.T) {
	p := newPool(t)
	login := strings.Replace(p.authorizeURL(), "/oauth2/authorize", "/login", 1)
	m := regexp.MustCompile(`href="(/login\?[^"]*bob[^"]*)"`).FindStringSubmatch(get(p.browser(), login).body)
	if m == nil {
		t.Fatal("no link")
	}
	chosen, _ := url.Parse(html.UnescapeString(m[1]))
	want, _ := url.Parse(login)
	q := chosen.Query()
	if q.Get("login_hint") != "bob@example.com" {
		t.Error("no hint")
	}
	q.Del("login_hint")
	if q.Encode() != want.Query().Encode() {
		t.Errorf("query %s", q.Encode())
	}
}

func TestLoginPageHidesPasswordsThatWereChosen(t *testing.T) {
	p := newPool(t, func(c *cognito.Config) {
		c.Users = []cognito.User{{Username: "eve@example.com", Password: "Eves-own-word-1"}}
	})
	a := get(p.browser(), strings.Replace(p.authorizeURL(), "/oauth2/authorize", "/login", 1))
	if strings.Contains(a.body, "Eves-own-word-1") || strings.Contains(a.body, cognito.DefaultPassword) || !strings.Contains(a.body, "eve@example.com") {
		t.Error("the page shows a password, or not the user")
	}
}

func TestLanguage(t *testing.T) {
	p := newPool(t)
	b := p.browser()
	login := strings.Replace(p.authorizeURL(), "/oauth2/authorize", "/login", 1)
	for _, step := range []struct{ more, want string }{
		{"", "en"}, {"&lang=tlh", "en"}, {"&lang=de", "de"}, {"", "de"}, {"&lang=en", "en"}, {"", "en"},
	} {
		if a := get(b, login+step.more); !strings.Contains(a.body, `<html lang="`+step.want+`">`) {
			t.Errorf("%q: not %s", step.more, step.want)
		}
	}
}

func TestErrorPageRepeatsNothingForeign(t *testing.T) {
	p := newPool(t)
	a := get(p.browser(), p.url+"/error?error=visit-evil.example&client_id=<script>")
	if a.status != 400 || strings.Contains(a.body, "evil") || strings.Contains(a.body, "<script") {
		t.Errorf("got %d %s", a.status, a.body)
	}
}

func TestAuthorizeIsForGETAlone(t *testing.T) {
	p := newPool(t)
	b := p.browser()
	p.signIn(b, p.authorizeURL(), "alice@example.com", password)
	for _, method := range []string{"HEAD", "POST", "PUT"} {
		req, err := http.NewRequest(method, p.authorizeURL(), nil)
		if a := send(b, req, err); a.status != 405 || a.header.Get("Allow") != "GET" {
			t.Errorf("%s: got %d", method, a.status)
		}
	}
}
