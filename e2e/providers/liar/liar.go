// Package liar is an OpenID provider that lies: it signs with any key, answers with anything, and misbehaves by name.
//
// An honest walk at it is short: whoever comes to the authorization endpoint is somebody at once, and
// goes back with a code. What a lie changes of that walk is said where the lie is listed. The provider
// also keeps books: which requests came, what was wrong with them, and which secrets it gave away.
package liar

// This file decides what an honest walk looks like, and at which points of it a lie may change something.

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// Config says whom the provider serves.
type Config struct {
	Issuer       string // its own origin
	ClientID     string
	ClientSecret string
	CallbackURL  string
}

// Provider is the provider. Its methods may be called while it serves.
type Provider struct {
	config Config
	mux    *http.ServeMux

	mu       sync.Mutex // guards what follows
	lie      *Lie
	told     int // how often the lie was told
	keys     []*key
	signing  *key
	codes    map[string]*grant
	renewals map[string]*grant
	requests map[string]int // by endpoint
	wrong    []string       // what a client may not do
	forgive  bool           // the next wrong verifier is the provider's own doing
	secrets  []string
}

// grant is what a code or a refresh token stands for.
type grant struct {
	nonce, challenge string
	authTime         int64
}

// New returns a provider with two signing keys, which tells the truth.
func New(c Config) *Provider {
	p := &Provider{config: c, mux: http.NewServeMux(), codes: map[string]*grant{}, renewals: map[string]*grant{}, requests: map[string]int{}}
	must(0, p.Tell(""))
	p.mux.HandleFunc("GET /oauth2/authorize", p.authorize)
	p.mux.HandleFunc("POST /oauth2/token", p.token)
	p.mux.HandleFunc("POST /oauth2/revoke", p.revoke)
	p.mux.HandleFunc("GET /.well-known/jwks.json", p.jwks)
	p.mux.HandleFunc("GET /logout", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, r.URL.Query().Get("logout_uri"), http.StatusFound)
	})
	return p
}

// ServeHTTP implements http.Handler.
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.requests[strings.TrimPrefix(r.URL.Path, "/oauth2/")]++
	p.mu.Unlock()
	p.mux.ServeHTTP(w, r)
}

// Tell makes the provider tell a lie from now on, with the keys that it had at the beginning; "" ends all lies. It returns an error for a lie that it does not know.
func (p *Provider) Tell(name string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lie, p.told = nil, 0
	p.keys = []*key{stock("first"), stock("second")}
	p.signing = p.keys[0]
	if name == "" {
		return nil
	}
	i := slices.IndexFunc(Lies, func(l Lie) bool { return l.Name == name })
	if i < 0 {
		return fmt.Errorf("liar: no lie %q", name)
	}
	p.lie = &Lies[i]
	return nil
}

// Told returns how often the present lie was told.
func (p *Provider) Told() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.told
}

// rotate signs with a new key from now on. Published says whether it stands in the key set already; the old ones stay there if keep says so.
func (p *Provider) rotate(published, keep bool) {
	fresh := newKey()
	p.signing = fresh
	if !keep {
		p.keys = nil
	}
	if published {
		p.keys = append(p.keys, fresh)
	}
}

// Unasked returns the endpoints beside the four that anybody has asked.
func (p *Provider) Unasked() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	ours := []string{"authorize", "token", "revoke", "/.well-known/jwks.json", "/logout"}
	return slices.DeleteFunc(slices.Sorted(maps.Keys(p.requests)), func(e string) bool { return slices.Contains(ours, e) })
}

// Wrong returns what clients have done that they must not do, whoever lies to them.
func (p *Provider) Wrong() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.wrong)
}

// Secrets returns every code and token that was given away, and every verifier that was shown.
func (p *Provider) Secrets() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.secrets)
}

// present returns the lie that is to be told at a place, and counts it.
func (p *Provider) present(has func(*Lie) bool) *Lie {
	if p.lie == nil || !has(p.lie) {
		return &Lie{}
	}
	p.told++
	return p.lie
}

func (p *Provider) accuse(format string, args ...any) {
	p.wrong = append(p.wrong, fmt.Sprintf(format, args...))
}

// secret makes a random value and remembers it.
func (p *Provider) secret() string {
	s := rand.Text() + rand.Text()
	p.secrets = append(p.secrets, s)
	return s
}

// authorize sends the browser back at once. RFC 6749 section 4.1.1, RFC 7636 section 4.3.
func (p *Provider) authorize(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	q := r.URL.Query()
	for name, want := range map[string]string{
		"client_id": p.config.ClientID, "redirect_uri": p.config.CallbackURL, "response_type": "code", "code_challenge_method": "S256",
	} {
		if got := q[name]; len(got) != 1 || got[0] != want {
			p.accuse("authorize: %s is %q", name, got)
		}
	}
	for name, least := range map[string]int{"state": 43, "nonce": 43, "code_challenge": 43} {
		if len(q.Get(name)) < least {
			p.accuse("authorize: %s has %d characters", name, len(q.Get(name)))
		}
	}
	code := p.secret()
	p.codes[code] = &grant{nonce: q.Get("nonce"), challenge: q.Get("code_challenge"), authTime: time.Now().Unix()}
	back := url.Values{"code": {code}, "state": {q.Get("state")}}
	l := p.present(func(l *Lie) bool { return l.Back != nil || l.Return != nil })
	if l.Back != nil {
		l.Back(p, back)
	}
	if l.Return != nil {
		l.Return(w, p.config.CallbackURL, back)
		return
	}
	http.Redirect(w, r, p.config.CallbackURL+"?"+back.Encode(), http.StatusFound)
}

// token redeems codes and refresh tokens. RFC 6749 sections 4.1.3, 5.1 and 6; OpenID Connect Core sections 3.1.3 and 12.
func (p *Provider) token(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	id, secret, ok := r.BasicAuth()
	id, _ = url.QueryUnescape(id)
	secret, _ = url.QueryUnescape(secret)
	if !ok || id != p.config.ClientID || secret != p.config.ClientSecret {
		p.accuse("token: the client does not authenticate as it was told")
	}
	if err := r.ParseForm(); err != nil || len(r.URL.RawQuery) > 0 {
		p.accuse("token: a request with a query, or without a form")
	}
	g := p.redeem(r.PostForm)
	if g == nil {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"error":"invalid_grant"}`)
		return
	}
	renewal := r.PostForm.Get("grant_type") == "refresh_token"
	l := p.present(func(l *Lie) bool { return l.speaksAt(renewal) })
	if l.Before != nil {
		l.Before(p)
	}
	answer := p.answer(g, l, renewal)
	if l.Instead != nil {
		l.Instead(w, r, answer)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer)
}

// redeem returns what the code or the refresh token of a request stands for, or nil.
func (p *Provider) redeem(form url.Values) *grant {
	switch form.Get("grant_type") {
	case "authorization_code":
		verifier := form.Get("code_verifier")
		p.secrets = append(p.secrets, verifier)
		g := p.codes[form.Get("code")]
		delete(p.codes, form.Get("code"))
		if form.Get("redirect_uri") != p.config.CallbackURL {
			p.accuse("token: redirect_uri is %q", form.Get("redirect_uri"))
		}
		if g == nil {
			return nil
		}
		sum := sha256.Sum256([]byte(verifier))
		blind := p.lie != nil && p.lie.Blind
		if !blind && base64.RawURLEncoding.EncodeToString(sum[:]) != g.challenge {
			if !p.forgive {
				p.accuse("token: the verifier is not that of the challenge")
			}
			p.forgive = false
			return nil
		}
		return g
	case "refresh_token":
		return p.renewals[form.Get("refresh_token")]
	}
	p.accuse("token: grant_type is %q", form.Get("grant_type"))
	return nil
}

// answer returns an honest answer but for what the lie changes of the ID token.
func (p *Provider) answer(g *grant, l *Lie, renewal bool) map[string]any {
	access := p.secret()
	now := time.Now().Unix()
	claims := map[string]any{
		"iss": p.config.Issuer, "aud": p.config.ClientID, "sub": "5f0c3b9e-liar-4c1d-9a35-7b1a1f0d2c44", "token_use": "id", "cognito:username": "vera",
		"email": "vera@example.com", "email_verified": true, "nonce": g.nonce, "at_hash": halfHash(access),
		"auth_time": g.authTime, "iat": now, "exp": now + 3600,
	}
	header := map[string]any{"alg": "RS256", "kid": p.signing.id}
	if l.Claims != nil {
		l.Claims(claims)
	}
	if l.Header != nil {
		l.Header(p, header)
	}
	raw := p.sign(l, header, claims)
	if l.Form != nil {
		raw = l.Form(raw)
	}
	if len(raw) > 40 {
		p.secrets = append(p.secrets, raw)
	}
	answer := map[string]any{"id_token": raw, "access_token": access, "token_type": "Bearer", "expires_in": 3600}
	if !renewal {
		refresh := p.secret()
		p.renewals[refresh] = g
		answer["refresh_token"] = refresh
	}
	return answer
}

// revoke forgets a refresh token. RFC 7009 section 2.
func (p *Provider) revoke(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.renewals, r.PostFormValue("token"))
	if l := p.present(func(l *Lie) bool { return l.Revocation }); l.Revocation {
		l.Instead(w, r, nil)
	}
}

// jwks publishes the keys. RFC 7517 section 5.
func (p *Provider) jwks(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var set []map[string]any
	for _, k := range p.keys {
		set = append(set, k.public())
	}
	l := p.present(func(l *Lie) bool { return l.Keys != nil || l.KeySet != nil })
	if l.Keys != nil {
		set = l.Keys(p, set)
	}
	body := map[string]any{"keys": set}
	if l.KeySet != nil {
		l.KeySet(w, r, body)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body)
}

// halfHash is at_hash for RS256. OpenID Connect Core section 3.1.3.6.
func halfHash(access string) string {
	sum := sha256.Sum256([]byte(access))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}
