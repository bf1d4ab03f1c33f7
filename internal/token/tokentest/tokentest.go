// Package tokentest is a user pool made small: it issues tokens of Cognito's shape, publishes its keys and holds the clock still, so that a test can
// say in one line which token a request carries. Everything about it is real but the network and the time.
package tokentest

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"edgeauth/internal/token"
	"edgeauth/jwks"
)

// What a Pool is called, and the user its tokens speak of.
const (
	Issuer   = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Test00001"
	ClientID = "1example23456789abcdefghij"
	Subject  = "c2a5b4e4-9071-70f1-9a5e-0d5d4a1f7c11"
	Username = "c2a5b4e4-9071-70f1-9a5e-0d5d4a1f7c11"
	Email    = "alice@example.com"
)

// Start is the moment at which every Pool's clock begins.
var Start = time.Date(2026, time.November, 22, 12, 0, 0, 0, time.UTC)

// Claims are members of a token's payload: those to change, or with Absent to leave out.
type Claims map[string]any

// Absent, as a value in Claims or a header, leaves the member out.
var Absent = new(int)

// Pool issues tokens as a user pool with one app client does. Its methods may be used concurrently.
type Pool struct {
	mu      sync.Mutex // guards what is below
	keys    []Key
	now     time.Time
	fetches int
}

// New returns a pool with two keys, as Cognito has them: the first signs ID tokens, the second access tokens.
func New(testing.TB) *Pool {
	return &Pool{keys: []Key{StockKey(0), StockKey(1)}, now: Start}
}

// Now is the pool's clock; it stands still until Advance.
func (p *Pool) Now() time.Time { p.mu.Lock(); defer p.mu.Unlock(); return p.now }

// Advance moves the pool's clock.
func (p *Pool) Advance(d time.Duration) { p.mu.Lock(); defer p.mu.Unlock(); p.now = p.now.Add(d) }

// Keys returns the pool's present keys.
func (p *Pool) Keys() []Key { p.mu.Lock(); defer p.mu.Unlock(); return append([]Key(nil), p.keys...) }

// SetKeys replaces the pool's keys: the first signs ID tokens, the last access tokens, and all are published.
func (p *Pool) SetKeys(keys ...Key) { p.mu.Lock(); defer p.mu.Unlock(); p.keys = keys }

// IDClaims returns the claims of an ID token issued now and good for an hour, with changes.
func (p *Pool) IDClaims(changes Claims) Claims {
	now := p.Now().Unix()
	return with(Claims{
		"iss": Issuer, "sub": Subject, "aud": ClientID, "token_use": "id",
		"auth_time": now, "iat": now, "exp": now + 3600,
		"jti": "6c3f0a7e-5f0b-4d43-8c57-6a2f3d9b1e02", "origin_jti": "f1f1a5b0-9a51-47d2-b6c7-1b6f0a9c3d4e", "event_id": "a31ccd2e-6f5b-4c87-9d53-0b3ab1b0f001",
		"cognito:username": Username, "email": Email, "email_verified": true,
	}, changes)
}

// AccessClaims returns the claims of an access token issued now and good for an hour, with changes.
func (p *Pool) AccessClaims(changes Claims) Claims {
	now := p.Now().Unix()
	return with(Claims{
		"iss": Issuer, "sub": Subject, "client_id": ClientID, "token_use": "access", "scope": "openid email", "username": Username, "version": 2,
		"auth_time": now, "iat": now, "exp": now + 3600,
		"jti": "0b7c6a51-31a5-4f4e-9d0c-7d0f6a1e2b03", "origin_jti": "f1f1a5b0-9a51-47d2-b6c7-1b6f0a9c3d4e", "event_id": "a31ccd2e-6f5b-4c87-9d53-0b3ab1b0f001",
	}, changes)
}

// IDToken issues the ID token of IDClaims(changes).
func (p *Pool) IDToken(changes Claims) string {
	return p.Keys()[0].Token(p.IDClaims(changes))
}

// AccessToken issues the access token of AccessClaims(changes).
func (p *Pool) AccessToken(changes Claims) string {
	keys := p.Keys()
	return keys[len(keys)-1].Token(p.AccessClaims(changes))
}

// Token issues a token with k: the header Cognito writes, and claims.
func (k Key) Token(claims Claims) string {
	return k.Sign(`{"kid":`+Encode(k.ID)+`,"alg":"RS256"}`, Encode(claims))
}

// Sign signs a header and a payload, whatever they are.
func (k Key) Sign(header, payload string) string {
	input := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(payload))
	return input + "." + base64.RawURLEncoding.EncodeToString(k.Signature(input))
}

// Signature returns the RS256 signature over input.
func (k Key) Signature(input string) []byte {
	sum := sha256.Sum256([]byte(input))
	signature, err := rsa.SignPKCS1v15(nil, k.Private, crypto.SHA256, sum[:])
	if err != nil {
		panic(err)
	}
	return signature
}

// JWK returns k as Cognito publishes it.
func (k Key) JWK() Claims {
	return Claims{
		"kid": k.ID, "alg": "RS256", "kty": "RSA", "use": "sig",
		"e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(k.Private.E)).Bytes()),
		"n": base64.RawURLEncoding.EncodeToString(k.Private.N.Bytes()),
	}
}

// JWKS returns the pool's published key set.
func (p *Pool) JWKS() []byte {
	var set []Claims
	for _, k := range p.Keys() {
		set = append(set, k.JWK())
	}
	return []byte(Encode(Claims{"keys": set}))
}

// ServeHTTP answers every request with the key set, and counts.
func (p *Pool) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	p.mu.Lock()
	p.fetches++
	p.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	w.Write(p.JWKS())
}

// Fetches says how often the key set was asked for.
func (p *Pool) Fetches() int { p.mu.Lock(); defer p.mu.Unlock(); return p.fetches }

// Server publishes the pool's keys on a loopback port until the test ends, and returns the key set's URL.
func (p *Pool) Server(t testing.TB) string {
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	return server.URL + "/.well-known/jwks.json"
}

// Key makes a Pool a token.Keys with no network in between.
func (p *Pool) Key(_ context.Context, w jwks.Wanted) (*rsa.PublicKey, error) {
	for _, k := range p.Keys() {
		if k.ID == w.ID {
			return &k.Private.PublicKey, nil
		}
	}
	return nil, jwks.ErrUnknownKey
}

// Verifier returns a verifier of this pool's tokens, on the pool's clock.
func (p *Pool) Verifier(t testing.TB, use token.Use) *token.Verifier {
	t.Helper()
	v, err := token.New(token.Config{
		Issuers: []token.Issuer{{URL: Issuer, ClientIDs: []string{ClientID}, Keys: p}},
		Use:     use,
		Now:     p.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// Groups returns n group names of the given length, for tokens of a wanted size.
func Groups(n, length int) []string {
	groups := make([]string, n)
	for i := range groups {
		digits := []byte{byte('0' + i/100%10), byte('0' + i/10%10), byte('0' + i%10)}
		groups[i] = strings.Repeat("g", max(0, length-3)) + string(digits)
	}
	return groups
}

// Encode writes v as JSON the way Cognito does: every solidus escaped.
func Encode(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err)
	}
	return strings.ReplaceAll(strings.TrimSuffix(b.String(), "\n"), "/", `\/`)
}

func with(claims, changes Claims) Claims {
	maps.Copy(claims, changes)
	maps.DeleteFunc(claims, func(_ string, v any) bool { return v == any(Absent) })
	return claims
}
