// The same walks at identity providers that know nothing of each other: the stand-in, and two that others wrote, with Cognito's paths and claims by their
// own configuration. What a stand-in of ours and our code could misunderstand in the same way, these do not.
//
// The binaries, the gateway and the template are the ones of every other test; only what AWS would tell the functions differs: where the user pool is, and
// what its app client's secret is. In the template that the system runs from, one line sends the callback's AWS calls to this test.
package e2e

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"edgeauth/e2e/providers/zitadel"
)

// site is the system with the identity provider where people sign in.
type site struct {
	*system // whose cognito is the provider's origin
	aws     *aws
	rotates bool   // whether each renewal replaces the refresh token
	aud     string // how the provider writes the audience of an ID token
}

// providers are the identity providers to try, with the way to begin one.
var providers = []struct {
	name  string
	aud   string
	begin func(t *testing.T, rotates bool) *site
}{
	{"stand-in", "string", atStandIn},
	{"zitadel", "array", atZitadel},
	{"oidc-provider", "string", atOIDCProvider},
}

// walks are what is done at each of them.
var walks = []struct {
	name string
	walk func(*testing.T, *site)
}{
	{"wrong secret", walkWrongSecret}, // first: later the callback knows the right one
	{"login", walkLogin},
	{"replayed code", walkReplayedCode},
	{"wrong verifier", walkWrongVerifier},
	{"renewal", walkRenewal},
	{"logout", walkLogout},
}

func TestProviders(t *testing.T) {
	for _, p := range providers {
		t.Run(p.name, func(t *testing.T) {
			for _, rotates := range []bool{false, true} {
				t.Run(map[bool]string{false: "without rotation", true: "with rotation"}[rotates], func(t *testing.T) {
					s := p.begin(t, rotates)
					s.rotates, s.aud = rotates, p.aud
					for _, w := range walks {
						t.Run(w.name, func(t *testing.T) { w.walk(t, s) })
					}
				})
			}
		})
	}
}

// walkWrongSecret signs in while the callback holds a secret that the provider does not take, and AWS tells the right one by now. This is the one look that
// a refused secret buys in half a minute.
func walkWrongSecret(t *testing.T, s *site) {
	right := s.aws.setSecret(newSecret())
	b := newBrowser(t)
	link := s.toCallback(t, b, alice)
	s.aws.setSecret(right)
	if e := b.callBack(s.system, link); e.status != http.StatusFound || len(s.sessionCookies(b)) == 0 {
		t.Errorf("%v, without a session", e)
	}
}

// walkLogin is led to the login and back to the page that was asked for, with one session for every function.
func walkLogin(t *testing.T, s *site) {
	wantJSON(t, plain(t, http.MethodGet, s.app+"/api/me", ""), http.StatusUnauthorized)
	b := newBrowser(t)
	page := s.signIn(t, b, s.app+"/reports/2026?quarter=4&tag=b%2Fc", alice)
	wantPage(t, page, http.StatusOK, alice, "admins")
	if page.url.RequestURI() != "/Prod/reports/2026?quarter=4&tag=b%2Fc" {
		t.Errorf("came back to %s", page.url.RequestURI())
	}
	me := wantJSON(t, b.fetch(http.MethodGet, s.app+"/api/me"), http.StatusOK)
	if groups, _ := me["groups"].([]any); me["email"] != alice || me["token_use"] != "id" || len(groups) != 1 || groups[0] != "admins" {
		t.Errorf("the second function sees %v", me)
	}
	wantJSON(t, b.fetch(http.MethodGet, s.app+"/auth/session"), http.StatusOK)

	aud := "string"
	if _, ok := claimsOf(t, s.sessionCookies(b)[0].value)["aud"].([]any); ok {
		aud = "array"
	}
	if aud != s.aud {
		t.Errorf("the audience is written as a JSON %s, want %s", aud, s.aud)
	}

	other := newBrowser(t)
	s.signIn(t, other, s.app+"/", bob)
	if me := wantJSON(t, other.fetch(http.MethodGet, s.app+"/api/me"), http.StatusOK); me["email"] != bob || len(me["groups"].([]any)) != 0 {
		t.Errorf("bob is %v", me)
	}
	for _, e := range append(b.trace(), other.trace()...) {
		for _, name := range e.sent {
			if origin(e.url) == s.cognito && strings.HasPrefix(name, "__") {
				t.Errorf("the login host was sent %s", name)
			}
		}
	}
}

// walkReplayedCode takes a callback twice. Whether the provider then ends the session that the first one began is its own affair (RFC 6749 section 4.1.2).
func walkReplayedCode(t *testing.T, s *site) {
	b := newBrowser(t)
	link := s.toCallback(t, b, alice)
	twin := b.copy() // a browser that still holds the pending login
	if first := b.callBack(s.system, link); first.status != http.StatusFound || first.location(t).String() != s.app+"/?a=1&b=%2F" {
		t.Fatalf("%v", first)
	}
	requireFailedLogin(t, s.system, twin, twin.callBack(s.system, link), "login_code_refused")
	if again := b.callBack(s.system, link); again.status != http.StatusFound { // with a session already: on to the page
		t.Errorf("doubled: %v", again)
	}
}

// walkWrongVerifier takes a code that was stolen from another login of the same client into a login of its own. Only the verifier tells them apart when the
// code is redeemed (RFC 7636 section 1).
func walkWrongVerifier(t *testing.T, s *site) {
	victim, thief := newBrowser(t), newBrowser(t)
	stolen := s.toCallback(t, victim, alice).Query().Get("code")
	link := s.toCallback(t, thief, bob)
	q := link.Query()
	q.Set("code", stolen)
	link.RawQuery = q.Encode()
	requireFailedLogin(t, s.system, thief, thief.callBack(s.system, link), "login_code_refused")
	wantPage(t, s.signIn(t, newBrowser(t), s.app+"/", alice), http.StatusOK, alice)
}

// walkRenewal lets a session run out for a script and for a person. A copy of the browser, made before, shows whether the refresh token was replaced.
func walkRenewal(t *testing.T, s *site) {
	b := newBrowser(t)
	s.signIn(t, b, s.app+"/", alice)
	copied := b.copy()
	before := claimsOf(t, s.sessionCookies(b)[0].value)

	since := len(b.trace())
	s.expire(b)
	wantJSON(t, b.fetch(http.MethodGet, s.app+"/api/me"), http.StatusUnauthorized)
	if e := b.fetch(http.MethodPost, s.app+"/auth/refresh"); e.status != http.StatusNoContent {
		t.Fatalf("a script: %v %s", e, e.body)
	}
	wantJSON(t, b.fetch(http.MethodGet, s.app+"/api/me"), http.StatusOK)
	s.expire(b)
	page := b.visit(s.app + "/reports/2026?quarter=4")
	wantPage(t, page, http.StatusOK, alice)
	if page.url.RequestURI() != "/Prod/reports/2026?quarter=4" {
		t.Errorf("came back to %s", page.url.RequestURI())
	}
	s.requireNoLogin(t, b, since)
	after := claimsOf(t, s.sessionCookies(b)[0].value)
	for _, claim := range []string{"iss", "sub", "auth_time"} {
		if after[claim] == nil || after[claim] != before[claim] {
			t.Errorf("%s was %v and is %v", claim, before[claim], after[claim])
		}
	}

	// Last, because a provider may end the whole session when a replaced token comes back (RFC 9700 section 4.14.2).
	want := map[bool]int{false: http.StatusNoContent, true: http.StatusUnauthorized}[s.rotates]
	if e := copied.fetch(http.MethodPost, s.app+"/auth/refresh"); e.status != want {
		t.Errorf("the refresh token from before the renewal: %v, want %d", e, want)
	}
}

// walkLogout signs out: here, at the provider, and of what somebody copied. That oidc-provider forgets the refresh token proves little, since its logout
// alone does that; at the others the revocation does it. zitadel's example remembers no login, so there the next visit would be asked in any case.
func walkLogout(t *testing.T, s *site) {
	b := newBrowser(t)
	page := s.signIn(t, b, s.app+"/", alice)
	thief := b.copy()

	method, action, values := page.form(t, "")
	leave := b.step(page.url, method, must(page.url.Parse(action)).String(), values)
	end := s.pass(t, b, leave, alice)
	wantPage(t, end, http.StatusOK, "signed out")
	if end.url.Path != "/Prod/auth/signed-out" {
		t.Errorf("signing out ends at %v", end)
	}
	if left := b.cookies(s.host(), ""); len(left) > 0 {
		t.Errorf("left behind: %s and %d more", left[0].name, len(left)-1)
	}
	if strings.Contains(s.output.String(), `"revocation":`) {
		t.Error("the provider did not take the revocation")
	}
	s.requireLogin(t, b.visit(s.app+"/"))
	if e := thief.fetch(http.MethodPost, s.app+"/auth/refresh"); e.status != http.StatusUnauthorized {
		t.Errorf("a copied refresh cookie still works: %v", e)
	}
}

// signIn opens an address that must lead to the login page, signs in there, and returns the page where that ends.
func (s *site) signIn(t testing.TB, b *browser, address, user string) exchange {
	t.Helper()
	login := b.visit(address)
	s.requireLogin(t, login)
	return s.pass(t, b, login, user)
}

// requireLogin asserts that a page of the provider asks for the password.
func (s *site) requireLogin(t testing.TB, e exchange) {
	t.Helper()
	if origin(e.url) != s.cognito || e.status != http.StatusOK {
		t.Fatalf("%v: not the login page", e)
	}
	e.form(t, "password")
}

// toCallback signs in up to the callback without going there, and returns its URL.
func (s *site) toCallback(t testing.TB, b *browser, user string) *url.URL {
	t.Helper()
	login := b.visit(s.app + "/?a=1&b=%2F")
	s.requireLogin(t, login)
	_, back := s.through(t, b, login, user)
	if !strings.HasPrefix(back.String(), s.app+"/auth/callback?") {
		t.Fatalf("the login leads to %s%s", back.Host, back.Path)
	}
	return back
}

// pass goes on from an answer through the provider's pages and back into the application, and returns the page where that ends.
func (s *site) pass(t testing.TB, b *browser, e exchange, user string) exchange {
	t.Helper()
	last, back := s.through(t, b, e, user)
	return b.click(last, http.MethodGet, back.String(), nil)
}

// through submits whatever form the provider shows, with the user's name and password where it has such fields, until an answer leads back to the
// application; it returns that answer and where it leads.
func (s *site) through(t testing.TB, b *browser, e exchange, user string) (exchange, *url.URL) {
	t.Helper()
	for range maxRedirects {
		if redirects(e.status) {
			to := e.location(t)
			if origin(to) != s.cognito {
				return e, to
			}
			e = b.step(e.url, http.MethodGet, to.String(), nil)
			continue
		}
		method, action, values := e.form(t, "")
		for name, value := range map[string]string{"username": user, "login": user, "password": password} {
			if values.Has(name) {
				values.Set(name, value)
			}
		}
		e = b.step(e.url, method, must(e.url.Parse(action)).String(), values)
	}
	t.Fatalf("%v: the provider goes on asking", e)
	panic("unreachable")
}

// aws answers what the callback asks AWS.
type aws struct {
	mu        sync.Mutex // guards what follows
	parameter string     // what the SSM parameter says
	clientID  string
	secret    string
	pool      http.Handler // what answers for the user pool instead, if it can
}

// set lets AWS tell the callback about an app client whose login page is at the given origin.
func (a *aws) set(app, login, issuer, pool, clientID, secret string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	text, _ := json.Marshal(map[string]any{"v": 1, "issuer": issuer, "user_pool_id": pool, "client_id": clientID, "login_url": login, "base_urls": []string{app}})
	a.parameter, a.clientID, a.secret = string(text), clientID, secret
}

// setSecret lets AWS tell another secret, and returns the one before.
func (a *aws) setSecret(secret string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	before := a.secret
	a.secret = secret
	return before
}

func (a *aws) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.pool != nil && strings.HasPrefix(r.Header.Get("X-Amz-Target"), "AWSCognitoIdentityProviderService.") {
		a.pool.ServeHTTP(w, r)
		return
	}
	var in struct{ Name, ClientId string }
	_ = json.NewDecoder(r.Body).Decode(&in)
	var out any
	switch target := r.Header.Get("X-Amz-Target"); {
	case target == "AmazonSSM.GetParameter" && strings.HasSuffix(in.Name, "/auth"):
		out = map[string]any{"Parameter": map[string]any{"Name": in.Name, "Type": "String", "Value": a.parameter}}
	case target == "AWSCognitoIdentityProviderService.DescribeUserPoolClient" && in.ClientId == a.clientID:
		out = map[string]any{"UserPoolClient": map[string]any{"ClientId": a.clientID, "ClientSecret": a.secret}}
	default:
		w.WriteHeader(http.StatusBadRequest)
		out = map[string]any{"__type": "ParameterNotFound"}
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	_ = json.NewEncoder(w).Encode(out)
}

// begin starts the system on the given ports, with a template whose callback puts its AWS calls to the test.
func beginSite(t testing.TB, appPort string, flags ...string) *site {
	t.Helper()
	if err := build(); err != nil {
		t.Fatal(err)
	}
	s := &site{aws: &aws{}}
	server := httptest.NewServer(s.aws)
	t.Cleanup(server.Close)

	const anchor = "\n          AUTH_PARAMETER: "
	text := string(must(os.ReadFile(template())))
	if strings.Count(text, anchor) != 1 {
		t.Fatal("the template has another place for the callback's parameter")
	}
	file := filepath.Join(t.TempDir(), "template.yaml")
	text = strings.Replace(text, anchor, "\n          AWS_ENDPOINT_URL: "+server.URL+anchor, 1)
	if err := errors.Join(os.WriteFile(file, []byte(text), 0o600), part(filepath.Dir(file))); err != nil {
		t.Fatal(err)
	}
	cognitoPort := freePort(t)
	s.system = launch(t, append([]string{"-template", file, "-app-port", appPort, "-cognito-port", cognitoPort}, flags...)...)
	s.await(t, appPort, cognitoPort, 2*readyWithin)
	return s
}

// atStandIn signs in at the stand-in.
func atStandIn(t *testing.T, rotates bool) *site {
	s := beginSite(t, freePort(t))
	s.standIn(t, "settings", map[bool]string{true: `{"rotation":"on","rotation_grace":"0s"}`, false: `{"rotation":"off"}`}[rotates])
	claims := claimsOf(t, s.mint(t, `{}`))
	clientID, _ := claims["aud"].(string)
	issuer, _ := claims["iss"].(string)
	s.aws.set(s.app, s.cognito, issuer, path.Base(issuer), clientID, s.clientSecret(t))
	return s
}

// registration is what another provider is told about the application. Its JSON is what provider.js reads.
type registration struct {
	Port        string              `json:"port"`
	ClientID    string              `json:"client_id"`
	Secret      string              `json:"client_secret"`
	CallbackURL string              `json:"callback_url"`
	LogoutURL   string              `json:"logout_url"`
	Rotation    bool                `json:"rotation"`
	Groups      map[string][]string `json:"groups"`
}

func (r registration) issuer() string { return "http://127.0.0.1:" + r.Port }

// at signs in at a provider that is not ours, which has to listen at the issuer that it is given.
func at(t *testing.T, rotates bool, begin func(registration)) *site {
	t.Helper()
	appPort := freePort(t)
	app := "http://localhost:" + appPort + "/Prod"
	r := registration{
		Port: freePort(t), ClientID: "appclient", Secret: newSecret(), CallbackURL: app + "/auth/callback", LogoutURL: app + "/auth/signed-out",
		Rotation: rotates, Groups: map[string][]string{alice: {"admins"}},
	}
	begin(r)
	s := beginSite(t, appPort,
		"-env", "EdgeAuth/AuthorizerFunction.AUTH_ISSUER="+r.issuer(),
		"-env", "EdgeAuth/AuthorizerFunction.AUTH_CLIENT_IDS="+r.ClientID)
	s.cognito = r.issuer()
	s.aws.set(s.app, s.cognito, s.cognito, "pool", r.ClientID, r.Secret)
	return s
}

// newSecret makes a secret that has to be escaped in an Authorization header (RFC 6749 section 2.3.1).
func newSecret() string { return rand.Text() + "+/=%" }

func atZitadel(t *testing.T, rotates bool) *site {
	return at(t, rotates, func(r registration) {
		l, err := net.Listen("tcp", "127.0.0.1:"+r.Port)
		if err != nil {
			t.Fatal(err)
		}
		server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: zitadel.Handler(zitadel.Config{
			Issuer: r.issuer(), ClientID: r.ClientID, ClientSecret: r.Secret, CallbackURL: r.CallbackURL, LogoutURL: r.LogoutURL,
			Rotation: r.Rotation, Users: map[string]string{alice: password, bob: password}, Groups: r.Groups,
		})}
		go func() { _ = server.Serve(l) }()
		t.Cleanup(func() { _ = server.Close() })
	})
}

func atOIDCProvider(t *testing.T, rotates bool) *site {
	folder := npm(t, "oidc-provider")
	return at(t, rotates, func(r registration) {
		cmd := exec.Command("node", filepath.Join(folder, "provider.js"))
		cmd.Env = append(os.Environ(), "SETTINGS="+string(must(json.Marshal(r))))
		await(t, begin(t, cmd), `(?m)^ready$`)
	})
}

// await waits until a program that is no local system says that it is ready.
func await(t testing.TB, s *system, ready string) {
	t.Helper()
	if !s.output.wait(regexp.MustCompile(ready), s.exited, 30*time.Second) {
		t.Fatalf("did not get ready:\n%s", s.output)
	}
}

// npm returns the folder of a provider that is an npm package, and installs it first if need be, as its lock file says. Where that cannot be done the
// test is skipped, but not in CI.
func npm(t testing.TB, name string) string {
	t.Helper()
	refuse := func(format string, args ...any) {
		t.Helper()
		if os.Getenv("CI") == "true" {
			t.Fatalf(format+", and CI=true", args...)
		}
		t.Skipf("SKIPPED: "+format, args...)
	}
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			refuse("no %s on this machine", program)
		}
	}
	if err := exec.Command("node", "--eval", "URL.parse('http://localhost')").Run(); err != nil {
		refuse("node is older than any that oidc-provider runs on, 20 or 22")
	}
	folder := must(filepath.Abs(filepath.Join("providers", name)))
	lock := must(os.Stat(filepath.Join(folder, "package-lock.json")))
	if installed, err := os.Stat(filepath.Join(folder, "node_modules", ".package-lock.json")); err == nil && !installed.ModTime().Before(lock.ModTime()) {
		return folder
	}
	cmd := exec.Command("npm", "ci")
	cmd.Dir = folder
	if out, err := cmd.CombinedOutput(); err != nil {
		refuse("npm ci in e2e/providers/%s: %v\n%s", name, err, out)
	}
	return folder
}
