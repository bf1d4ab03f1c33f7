package login_test

// This file is the system that the tests run in: an identity provider that is stricter than
// Cognito, a browser that is as strict as browsers are, a clock that stands still, and a log that
// is searched for secrets after every test.

import (
	"bytes"
	"context"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"edgeauth/internal/login"
	"edgeauth/internal/page"
	"edgeauth/internal/token/tokentest"
	"edgeauth/jwks"
)

const (
	host         = "app.example.com"
	base         = "/Prod"
	site         = "https://" + host + base
	clientSecret = "canary-client-secret-0123456789"
)

// system is everything that a test runs in but the browsers: the handlers, the identity provider,
// the log.
type system struct {
	*tokentest.Pool
	t       *testing.T
	idp     *provider
	handler http.Handler
	log     *journal

	provider       login.Provider                   // what is known of the client, but for its secrets
	secret, former string                           // of the client
	settings       error                            // what asking for the settings comes to
	keys           error                            // what asking for a key comes to
	opinion        func(raw, clientID string) error // the second opinion
	outdated       func()                           // called when the secret was refused
	bodies         bytes.Buffer                     // every body that was not one of our redirect pages
}

// newSystem returns a system in which everything works. change may change the configuration.
func newSystem(t *testing.T, change ...func(*login.Config)) *system {
	t.Helper()
	w := &system{Pool: tokentest.New(t), t: t, log: &journal{}, secret: clientSecret, opinion: func(_, _ string) error { return nil }, outdated: func() {}}
	w.idp = newProvider(w)
	w.provider = login.Provider{
		Issuer: tokentest.Issuer, Keys: keyring{w}, ClientID: tokentest.ClientID, LoginURL: w.idp.url,
		SecondOpinion: func(_ context.Context, raw, clientID string) error { return w.opinion(raw, clientID) },
		BaseURLs:      []string{"https://other.example.com", site, "http://localhost:3000/Prod"},
		Brand:         page.Brand{Name: "Example App", Support: "mailto:help@example.com"},
	}
	c := login.Config{
		Provider: func(context.Context) (login.Provider, error) {
			p := w.provider
			p.Secret, p.FormerSecret = w.secret, w.former
			return p, w.settings
		},
		Outdated:  func() { w.outdated() },
		Function:  "app-callback",
		RequestID: func(*http.Request) string { return "request-1" },
		HTTP:      w.idp.server.Client(),
		Now:       w.Now,
		Log:       slog.New(slog.NewJSONHandler(w.log, nil)),
	}
	for _, f := range change {
		f(&c)
	}
	var err error
	if w.handler, err = login.New(c); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.search)
	return w
}

// keyring makes key lookups fail on demand.
type keyring struct{ w *system }

func (k keyring) Key(ctx context.Context, w jwks.Wanted) (*rsa.PublicKey, error) {
	if k.w.keys != nil {
		return nil, k.w.keys
	}
	return k.w.Pool.Key(ctx, w)
}

var errKeys = fmt.Errorf("no keys: %w", jwks.ErrUnavailable)

// journal is the log.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(b)
}

// lines returns the log's records.
func (w *system) lines() []map[string]any {
	w.log.mu.Lock()
	defer w.log.mu.Unlock()
	var all []map[string]any
	for line := range strings.Lines(w.log.text.String()) {
		var record map[string]any
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			w.t.Errorf("log line is not JSON: %q", line)
		}
		all = append(all, record)
	}
	return all
}

// last returns the latest record.
func (w *system) last() map[string]any {
	w.t.Helper()
	all := w.lines()
	if len(all) == 0 {
		w.t.Fatal("nothing was logged")
	}
	return all[len(all)-1]
}

// search looks for secrets where none may be: in the log, and in what pages and programs were told.
func (w *system) search() {
	w.lines()
	w.idp.mu.Lock()
	defer w.idp.mu.Unlock()
	for what, all := range w.idp.secrets {
		for _, s := range all {
			if len(s) < 12 {
				continue
			}
			if strings.Contains(w.log.text.String(), s) {
				w.t.Errorf("the log holds a %s", what)
			}
			if what != "state" && strings.Contains(w.bodies.String(), s) {
				w.t.Errorf("a body holds a %s", what)
			}
		}
	}
}

// provider is the identity provider: the token endpoint checks what Cognito checks, and more.
type provider struct {
	w      *system
	server *httptest.Server
	url    string
	site   string // where people come back to

	mu       sync.Mutex // guards what follows
	codes    map[string]issued
	live     map[string]*family // by refresh token
	rotation bool
	grace    time.Duration
	calls    []string // grants asked for, in order
	revoked  []string
	serial   int
	secrets  map[string][]string
	claims   tokentest.Claims                                  // changes to the next ID tokens
	fault    func(w http.ResponseWriter, r *http.Request) bool // answers instead, if it returns true
	edit     func(answer map[string]any)                       // changes a good answer
	groups   int                                               // of 40 bytes each in ID tokens
	weight   int                                               // what ID tokens weigh besides, in groups: in a claim that nobody hands on
	bySize   map[string]int                                    // likewise, by user
	filler   int                                               // bytes that refresh tokens are longer
}

// issued is a code and what it is bound to.
type issued struct{ user, challenge, redirect, nonce string }

// family is a refresh token with its successors.
type family struct {
	user     string
	authTime int64
	replaced time.Time // zero: not replaced
	revoked  *bool
}

func newProvider(w *system) *provider {
	p := &provider{w: w, site: site, codes: map[string]issued{}, live: map[string]*family{}, secrets: map[string][]string{"client secret": {clientSecret}}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /oauth2/token", p.token)
	mux.HandleFunc("POST /oauth2/revoke", p.revoke)
	p.server = httptest.NewServer(mux)
	p.url = p.server.URL
	w.t.Cleanup(p.server.Close)
	return p
}

func (p *provider) secretly(what, s string) string {
	p.secrets[what] = append(p.secrets[what], s)
	return s
}

// authorize is a user who signs in: it takes the address the browser was sent to and returns the
// path of the callback.
func (p *provider) authorize(t *testing.T, address, user string) string {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	u, err := url.Parse(address)
	if err != nil || !strings.HasPrefix(address, p.url+"/oauth2/authorize?") {
		t.Fatalf("sent to %q", address)
	}
	q := u.Query()
	for name, want := range map[string]string{
		"response_type": "code", "client_id": tokentest.ClientID, "redirect_uri": p.site + "/auth/callback", "scope": "openid email",
		"code_challenge_method": "S256",
	} {
		if !slices.Equal(q[name], []string{want}) {
			t.Errorf("%s=%q, want %q", name, q[name], want)
		}
	}
	if len(q.Get("code_challenge")) != 43 || len(q.Get("nonce")) != 43 || len(q.Get("state")) < 43 {
		t.Errorf("challenge, nonce or state too short: %q", q)
	}
	p.secretly("state", q.Get("state"))
	p.secretly("nonce", q.Get("nonce"))
	p.serial++
	code := p.secretly("code", fmt.Sprintf("code-canary-%04d", p.serial))
	p.codes[code] = issued{user, q.Get("code_challenge"), q.Get("redirect_uri"), q.Get("nonce")}
	return base + "/auth/callback?" + url.Values{"code": {code}, "state": {q.Get("state")}}.Encode()
}

func (p *provider) token(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := r.ParseForm(); err != nil {
		panic(err)
	}
	p.calls = append(p.calls, r.PostForm.Get("grant_type"))
	p.secretly("verifier", r.PostForm.Get("code_verifier"))
	if p.fault != nil && p.fault(w, r) {
		return
	}
	if id, secret, ok := r.BasicAuth(); !ok || id != tokentest.ClientID || secret != url.QueryEscape(p.w.secret) {
		oauthError(w, 400, "invalid_client")
		return
	}
	for name, values := range r.PostForm {
		if len(values) > 1 || name == "client_secret" {
			oauthError(w, 400, "invalid_request")
			return
		}
	}
	switch r.PostForm.Get("grant_type") {
	case "authorization_code":
		p.redeem(w, r.PostForm)
	case "refresh_token":
		p.renew(w, r.PostForm.Get("refresh_token"))
	default:
		oauthError(w, 400, "unsupported_grant_type")
	}
}

func oauthError(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"error":%q}`, code)
}

func (p *provider) redeem(w http.ResponseWriter, form url.Values) {
	c, ok := p.codes[form.Get("code")]
	delete(p.codes, form.Get("code"))
	sum := sha256.Sum256([]byte(form.Get("code_verifier")))
	if !ok || c.challenge != base64.RawURLEncoding.EncodeToString(sum[:]) || c.redirect != form.Get("redirect_uri") {
		oauthError(w, 400, "invalid_grant")
		return
	}
	f := &family{user: c.user, authTime: p.w.Now().Unix(), revoked: new(bool)}
	p.answer(w, f, c.nonce, p.refreshToken(f))
}

func (p *provider) refreshToken(f *family) string {
	p.serial++
	raw := p.secretly("refresh token", fmt.Sprintf("refresh-canary-%04d%s", p.serial, strings.Repeat("r", p.filler)))
	p.live[raw] = f
	return raw
}

func (p *provider) renew(w http.ResponseWriter, raw string) {
	f := p.live[raw]
	if f == nil || *f.revoked || !f.replaced.IsZero() && p.w.Now().Sub(f.replaced) > p.grace {
		oauthError(w, 400, "invalid_grant")
		return
	}
	if !p.rotation {
		p.answer(w, f, "", "")
		return
	}
	if f.replaced.IsZero() {
		f.replaced = p.w.Now()
	}
	next := *f
	next.replaced = time.Time{}
	p.answer(w, &next, "", p.refreshToken(&next))
}

func (p *provider) answer(w http.ResponseWriter, f *family, nonce, refresh string) {
	p.serial++
	access := p.secretly("access token", p.w.AccessToken(tokentest.Claims{"sub": f.user, "username": f.user, "jti": strconv.Itoa(p.serial)}))
	sum := sha256.Sum256([]byte(access))
	changes := tokentest.Claims{
		"sub": f.user, "cognito:username": f.user, "email": f.user + "@example.com", "auth_time": f.authTime, "jti": strconv.Itoa(p.serial),
		"at_hash": base64.RawURLEncoding.EncodeToString(sum[:16]), "nonce": nonce,
	}
	if nonce == "" {
		changes["nonce"] = tokentest.Absent
	}
	if p.groups > 0 {
		changes["cognito:groups"] = tokentest.Groups(p.groups, 40)
	}
	if n := p.weight + p.bySize[f.user]; n > 0 {
		changes["weight"] = strings.Repeat("w", n*len(`"0123456789012345678901234567890123456789",`))
	}
	for name, value := range p.claims {
		changes[name] = value
	}
	id := p.secretly("ID token", p.w.IDToken(changes))
	body := map[string]any{"id_token": id, "access_token": access, "token_type": "Bearer", "expires_in": 3600}
	if refresh != "" {
		body["refresh_token"] = refresh
	}
	if p.edit != nil {
		p.edit(body)
	}
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	json.NewEncoder(w).Encode(body)
}

func (p *provider) revoke(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fault != nil && p.fault(w, r) {
		return
	}
	if _, secret, _ := r.BasicAuth(); secret != p.w.secret {
		w.WriteHeader(401)
		return
	}
	raw := r.PostFormValue("token")
	p.revoked = append(p.revoked, raw)
	if f := p.live[raw]; f != nil {
		*f.revoked = true
	}
}

// count returns how often the token endpoint was asked.
func (p *provider) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.calls)
}

// set changes the provider.
func (p *provider) set(change func(p *provider)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(p)
}

// browser keeps cookies as browsers do, and sends what browsers send.
type browser struct {
	w   *system
	jar map[string]*kept // by path and name
	// bare is a browser without Sec-Fetch headers.
	bare bool
	// refuses makes it drop a cookie.
	refuses func(name string) bool
	extra   http.Header
}

type kept struct {
	name, value, path string
	dies              time.Time
}

func (w *system) browser() *browser {
	return &browser{w: w, jar: map[string]*kept{}, extra: http.Header{}}
}

// fork returns a browser with the same cookies that keeps its own from now on.
func (b *browser) fork() *browser {
	f := b.w.browser()
	for key, c := range b.jar {
		copied := *c
		f.jar[key] = &copied
	}
	return f
}

// cookies returns the Cookie header for a path: longest path first.
func (b *browser) cookies(path string) string {
	var all []*kept
	for key, c := range b.jar {
		if !b.w.Now().Before(c.dies) {
			delete(b.jar, key)
			continue
		}
		if path == c.path || strings.HasPrefix(path, strings.TrimSuffix(c.path, "/")+"/") {
			all = append(all, c)
		}
	}
	slices.SortFunc(all, func(a, b *kept) int {
		if d := len(b.path) - len(a.path); d != 0 {
			return d
		}
		return strings.Compare(a.name, b.name)
	})
	var pairs []string
	for _, c := range all {
		pairs = append(pairs, c.name+"="+c.value)
	}
	return strings.Join(pairs, "; ")
}

// take obeys the Set-Cookie headers of an answer. What a browser would drop in silence is a mistake
// of ours.
func (b *browser) take(r *http.Response) {
	b.w.t.Helper()
	for _, line := range r.Header.Values("Set-Cookie") {
		b.obey(line, true)
	}
}

func (b *browser) obey(line string, ours bool) {
	b.w.t.Helper()
	parts := strings.Split(line, "; ")
	name, value, _ := strings.Cut(parts[0], "=")
	c := &kept{name: name, value: value}
	has := map[string]bool{}
	for _, attribute := range parts[1:] {
		key, v, _ := strings.Cut(attribute, "=")
		has[key] = true
		switch key {
		case "Path":
			c.path = v
		case "Max-Age":
			age, err := strconv.Atoi(v)
			if err != nil {
				b.w.t.Errorf("%s: Max-Age %q", name, v)
			}
			c.dies = b.w.Now().Add(time.Duration(age) * time.Second)
		}
	}
	good := len(name)+len(value) <= 4096 && has["Secure"] && has["SameSite"] && has["Max-Age"] && !has["Domain"] &&
		(has["HttpOnly"] || !ours) && (strings.HasPrefix(name, "__Secure-") || strings.HasPrefix(name, "__Host-") && c.path == "/")
	if !good {
		b.w.t.Errorf("a browser would drop, or should not keep, %s; %s", name, strings.Join(parts[1:], "; "))
		return
	}
	if b.refuses != nil && b.refuses(name) {
		return
	}
	b.w.idp.mu.Lock()
	b.w.idp.secretly("cookie "+name, value)
	b.w.idp.mu.Unlock()
	if key := c.path + " " + name; c.dies.After(b.w.Now()) {
		b.jar[key] = c
	} else {
		delete(b.jar, key)
	}
}

// has returns the names of the cookies it holds that begin with prefix.
func (b *browser) has(prefix string) (names []string) {
	for _, c := range b.jar {
		if strings.HasPrefix(c.name, prefix) && b.w.Now().Before(c.dies) {
			names = append(names, c.name)
		}
	}
	slices.Sort(names)
	return names
}

// value returns a cookie's value.
func (b *browser) value(name string) string {
	for _, c := range b.jar {
		if c.name == name {
			return c.value
		}
	}
	return ""
}

// send sends a request with the browser's cookies, but does not take what comes with the answer.
func (b *browser) send(method, target string, headers ...string) *http.Response {
	r := httptest.NewRequest(method, target, nil)
	r.Host = host
	r.RequestURI = ""
	if cookies := b.cookies(r.URL.Path); cookies != "" {
		r.Header.Set("Cookie", cookies)
	}
	for name, values := range b.extra {
		r.Header[name] = values
	}
	for i := 0; i+1 < len(headers); i += 2 {
		if r.Header.Del(headers[i]); headers[i+1] != "" {
			r.Header.Set(headers[i], headers[i+1])
		}
	}
	if h := r.Header.Get("Host"); h != "" {
		r.Host = h
		r.Header.Del("Host")
	}
	rec := httptest.NewRecorder()
	b.w.handler.ServeHTTP(rec, r)
	res := rec.Result()
	for name, values := range res.Header {
		for _, v := range values {
			if strings.ContainsFunc(v, func(c rune) bool { return c < ' ' || c == 0x7f }) {
				b.w.t.Errorf("control character in %s", name)
			}
		}
	}
	if text := rec.Body.String(); !strings.Contains(text, "data-to=") {
		b.w.bodies.WriteString(text + "\n")
	}
	return res
}

var asNavigation = []string{
	"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document", "Sec-Fetch-Site", "cross-site", "Sec-Fetch-User", "?1",
	"Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
}

// open goes to an address as a tab does, and takes the cookies.
func (b *browser) open(target string, headers ...string) *http.Response {
	b.w.t.Helper()
	first := asNavigation
	if b.bare {
		first = []string{"Accept", "text/html"}
	}
	res := b.send("GET", target, append(slices.Clone(first), headers...)...)
	b.take(res)
	return res
}

// call sends what a page's script sends, and takes the cookies.
func (b *browser) call(method, target string, headers ...string) *http.Response {
	b.w.t.Helper()
	res := b.send(method, target, append([]string{
		"Sec-Fetch-Mode", "cors", "Sec-Fetch-Dest", "empty", "Sec-Fetch-Site", "same-origin", "Accept", "application/json",
	}, headers...)...)
	b.take(res)
	return res
}

var hopTarget = regexp.MustCompile(`data-to="([^"]*)"`)

// next returns where an answer sends a browser: by its status, or by the page that moves on.
func next(t *testing.T, res *http.Response) string {
	t.Helper()
	if to := res.Header.Get("Location"); to != "" {
		return to
	}
	text := body(res)
	if m := hopTarget.FindStringSubmatch(text); m != nil && res.StatusCode == 200 {
		return html.UnescapeString(m[1])
	}
	t.Fatalf("status %d leads nowhere: %s", res.StatusCode, text)
	return ""
}

// body returns the answer's text, as often as it is asked for.
func body(res *http.Response) string {
	b, _ := io.ReadAll(res.Body)
	res.Body = io.NopCloser(bytes.NewReader(b))
	return string(b)
}

// begin goes to the login for a page, as far as the identity provider, and returns that address.
func (b *browser) begin(page string) string {
	b.w.t.Helper()
	res := b.open(base + "/auth/login?return_to=" + url.QueryEscape(page))
	to := next(b.w.t, res)
	if !strings.HasPrefix(to, b.w.idp.url) {
		b.w.t.Fatalf("login leads to %q", to)
	}
	return to
}

// signIn walks the whole way and returns where it ends.
func (b *browser) signIn(user, page string) string {
	b.w.t.Helper()
	res := b.open(b.w.idp.authorize(b.w.t, b.begin(page), user))
	if res.StatusCode != 302 {
		b.w.t.Fatalf("callback: %d %s", res.StatusCode, body(res))
	}
	return res.Header.Get("Location")
}

// who returns the user that the session belongs to, "" for none.
func (b *browser) who() string {
	res := b.call("GET", base+"/auth/session")
	var s struct {
		Subject string `json:"sub"`
	}
	if json.Unmarshal([]byte(body(res)), &s) != nil || res.StatusCode != 200 {
		return ""
	}
	return s.Subject
}

// wants holds an answer to its status and reason, on the page and in the log.
func (w *system) wants(res *http.Response, status int, reason string) {
	w.t.Helper()
	if res.StatusCode != status || w.last()["reason"] != reason {
		w.t.Errorf("got %d %v (%v), want %d %s", res.StatusCode, w.last()["reason"], w.last()["error"], status, reason)
	}
	if reason != "ok" && !strings.Contains(body(res), reason) {
		w.t.Errorf("the body does not name the reason %s: %s", reason, body(res))
	}
}

var errAny = errors.New("any")
