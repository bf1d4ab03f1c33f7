// This file makes pools for the tests, and the browser and the application that talk to them.

package cognito_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwk"
	"github.com/lestrrat-go/jwx/v3/jws"
	"golang.org/x/oauth2"

	"edgeauth/local/cognito"
)

const (
	appID, appSecret         = "appclient1", "secret+with+plus+signs+in+it+1"
	otherID, otherSecret     = "otherclient1", "othersecretothersecretother1"
	machineID, machineSecret = "machineclient1", "machinesecretmachinesecret1"

	callback  = "http://localhost:3000/Prod/auth/callback"
	signedOut = "http://localhost:3000/Prod/auth/signed-out"
	poolID    = "eu-west-1_Local0001"
	password  = cognito.DefaultPassword

	verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" // RFC 7636 appendix B
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// signingKeys are made once: it takes longer than any test.
var signingKeys = sync.OnceValue(func() (keys []*rsa.PrivateKey) {
	for range 6 {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		keys = append(keys, key)
	}
	return keys
})

type pool struct {
	*testing.T
	url string
	log *lockedBuffer

	mu  sync.Mutex
	now time.Time
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func goodConfig(origin string) cognito.Config {
	return cognito.Config{
		Region: "eu-west-1", Pool: poolID, Issuer: origin + "/" + poolID, Domain: origin,
		Clients: []cognito.Client{
			{
				ID: appID, Name: "App", Secret: appSecret, CallbackURLs: []string{callback}, LogoutURLs: []string{signedOut},
				Scopes: []string{"openid", "email"}, ExplicitAuthFlows: []string{"ALLOW_ADMIN_USER_PASSWORD_AUTH"},
			},
			{ID: otherID, Secret: otherSecret, CallbackURLs: []string{callback}, Scopes: []string{"openid", "profile"}},
			{ID: machineID, Secret: machineSecret, Scopes: []string{"reports/read", "reports/write"}, ClientCredentials: true},
		},
		Parameters: map[string]string{"/app/auth": `{"client_id":"appclient1"}`},
	}
}

// newPool starts a pool whose clock stands still.
func newPool(t *testing.T, change ...func(*cognito.Config)) *pool {
	t.Helper()
	p := &pool{T: t, now: start, log: &lockedBuffer{}}
	srv := httptest.NewUnstartedServer(nil)
	p.url = "http://" + srv.Listener.Addr().String()
	cfg := goodConfig(p.url)
	cfg.Keys, cfg.Log = signingKeys(), p.log
	cfg.Now = func() time.Time { p.mu.Lock(); defer p.mu.Unlock(); return p.now }
	for _, c := range change {
		c(&cfg)
	}
	s, err := cognito.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	srv.Config.Handler = s.Handler()
	srv.Start()
	t.Cleanup(srv.Close)
	return p
}

func (p *pool) pass(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now = p.now.Add(d)
}

// browser follows nothing by itself: every redirect is looked at.
func (p *pool) browser() *http.Client {
	jar, _ := cookiejar.New(nil)
	return &http.Client{Jar: jar, Transport: &http.Transport{DisableKeepAlives: true}, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
}

type answer struct {
	status int
	header http.Header
	body   string
	err    error
}

func (a answer) location() *url.URL {
	u, err := url.Parse(a.header.Get("Location"))
	if err != nil {
		return &url.URL{}
	}
	return u
}

func (a answer) json() map[string]any {
	var v map[string]any
	_ = json.Unmarshal([]byte(a.body), &v)
	return v
}

func (a answer) member(name string) string { s, _ := a.json()[name].(string); return s }

func send(b *http.Client, req *http.Request, err error) answer {
	if err != nil {
		return answer{err: err}
	}
	resp, err := b.Do(req)
	if err != nil {
		return answer{err: err}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, string(body), err}
}

func get(b *http.Client, to string) answer {
	req, err := http.NewRequest("GET", to, nil)
	return send(b, req, err)
}

func post(b *http.Client, to string, form url.Values) answer {
	req, err := http.NewRequest("POST", to, strings.NewReader(form.Encode()))
	if err == nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return send(b, req, err)
}

// ask is a request to the stand-in itself; it must succeed.
func (p *pool) ask(what, body string) map[string]any {
	p.Helper()
	req, err := http.NewRequest("POST", p.url+"/_standin/"+what, strings.NewReader(body))
	if err == nil {
		req.Header.Set("Content-Type", "application/json")
	}
	a := send(http.DefaultClient, req, err)
	if a.err != nil || a.status != 200 {
		p.Fatalf("%s %s: %d %s %v", what, body, a.status, a.body, a.err)
	}
	return a.json()
}

func (p *pool) stats() map[string]any { return get(http.DefaultClient, p.url+"/_standin/stats").json() }

func (p *pool) app() *oauth2.Config {
	return &oauth2.Config{
		ClientID: appID, ClientSecret: appSecret, RedirectURL: callback, Scopes: []string{"openid", "email"},
		Endpoint: oauth2.Endpoint{AuthURL: p.url + "/oauth2/authorize", TokenURL: p.url + "/oauth2/token", AuthStyle: oauth2.AuthStyleInHeader},
	}
}

// authorizeURL is a good request of the app, with changes: a value, or "-" for none.
func (p *pool) authorizeURL(changes ...string) string {
	q := url.Values{
		"response_type": {"code"}, "client_id": {appID}, "redirect_uri": {callback}, "scope": {"openid email"}, "state": {"the state/+"}, "nonce": {"the-nonce"},
		"code_challenge": {oauth2.S256ChallengeFromVerifier(verifier)}, "code_challenge_method": {"S256"},
	}
	for i := 0; i < len(changes); i += 2 {
		q.Set(changes[i], changes[i+1])
		if changes[i+1] == "-" {
			q.Del(changes[i])
		}
	}
	return p.url + "/oauth2/authorize?" + q.Encode()
}

var csrfField = regexp.MustCompile(`name="_csrf" value="([^"]+)"`)

// signIn goes to an authorization URL, fills in the form and returns the answer to it.
func (p *pool) signIn(b *http.Client, authorize, user, password string) answer {
	p.Helper()
	a := get(b, authorize)
	if a.status != 302 || a.location().Path != "/login" {
		p.Fatalf("authorize: %d %s", a.status, a.header.Get("Location"))
	}
	login := a.location().String()
	m := csrfField.FindStringSubmatch(get(b, login).body)
	if m == nil {
		p.Fatal("no form")
	}
	return post(b, login, url.Values{"_csrf": {html.UnescapeString(m[1])}, "username": {user}, "password": {password}})
}

// code signs alice in and returns the code.
func (p *pool) code(changes ...string) string {
	p.Helper()
	a := p.signIn(p.browser(), p.authorizeURL(changes...), "alice@example.com", password)
	code := a.location().Query().Get("code")
	if code == "" {
		p.Fatalf("no code: %d %v", a.status, a.header)
	}
	return code
}

// token posts to the token endpoint as the app, with changes.
func (p *pool) token(fields map[string]string, changes ...string) answer {
	form := url.Values{}
	for k, v := range fields {
		form.Set(k, v)
	}
	id, secret := appID, appSecret
	for i := 0; i < len(changes); i += 2 {
		switch changes[i] {
		case "basic_id":
			id = changes[i+1]
		case "basic_secret":
			secret = changes[i+1]
		default:
			form.Set(changes[i], changes[i+1])
			if changes[i+1] == "-" {
				form.Del(changes[i])
			}
		}
	}
	req, err := http.NewRequest("POST", p.url+"/oauth2/token", strings.NewReader(form.Encode()))
	if err == nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if id != "-" {
			req.SetBasicAuth(url.QueryEscape(id), url.QueryEscape(secret))
		}
	}
	return send(p.browser(), req, err)
}

func exchange(code string) map[string]string {
	return map[string]string{"grant_type": "authorization_code", "code": code, "redirect_uri": callback, "code_verifier": verifier}
}

func renewal(token string) map[string]string {
	return map[string]string{"grant_type": "refresh_token", "refresh_token": token}
}

// tokens signs alice in and exchanges the code.
func (p *pool) tokens(changes ...string) answer {
	p.Helper()
	a := p.token(exchange(p.code(changes...)))
	if a.status != 200 {
		p.Fatalf("exchange: %d %s", a.status, a.body)
	}
	return a
}

// verified checks a token's signature with another library, and returns its header and claims as they are written.
func (p *pool) verified(raw string) (header string, claims map[string]any, err error) {
	set, err := jwk.Fetch(context.Background(), p.url+"/"+poolID+"/.well-known/jwks.json")
	if err != nil {
		return "", nil, err
	}
	kid := jsonMember(segment(raw, 0), "kid")
	key, ok := set.LookupKeyID(kid)
	if !ok {
		return "", nil, fmt.Errorf("no key %q", kid)
	}
	payload, err := jws.Verify([]byte(raw), jws.WithKey(jwa.RS256(), key))
	if err != nil {
		return "", nil, err
	}
	err = json.Unmarshal(payload, &claims)
	return segment(raw, 0), claims, err
}

func (p *pool) claims(raw string) map[string]any {
	p.Helper()
	_, claims, err := p.verified(raw)
	if err != nil {
		p.Fatal(err)
	}
	return claims
}

func segment(raw string, i int) string {
	b, _ := base64.RawURLEncoding.DecodeString(strings.Split(raw+"..", ".")[i])
	return string(b)
}

func jsonMember(doc, name string) string {
	var v map[string]any
	_ = json.Unmarshal([]byte(doc), &v)
	s, _ := v[name].(string)
	return s
}

func names(claims map[string]any) string { return strings.Join(slices.Sorted(maps.Keys(claims)), " ") }
