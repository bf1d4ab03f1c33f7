// Package token decides one question: is this string a token that one of these issuers signed, for
// one of these clients, for this use, and is it valid now?
//
// Only RS256 in compact form is spoken, one dialect of it, strictly: there is exactly one string
// for what a token says, so a token with one byte changed is another token, and a bad one. What a
// library would forgive (line breaks in base64, names in the wrong case or twice, bytes after the
// JSON, members that ask for special treatment) is refused, as RFC 8725 and its successor have it.
//
// The order of the checks is part of the answer. Form, header and claims come first: they cost
// little, and junk must not make anybody fetch keys. Then the key is looked up and the signature
// verified. Expiry comes last: to callers, [ErrExpired] says that the token was good once, which
// only the signature can tell (CVE-2024-51744).
//
// Every refusal is an [ErrInvalid] and carries its code for package reason. An error that is no
// ErrInvalid says that nobody can tell.
package token

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"edgeauth/jwks"
)

// Use is what a token is for. A token for one use is never accepted for another.
type Use string

// The uses there are.
const (
	ID     Use = "id"
	Access Use = "access"
)

// Keys finds the public key of one issuer that a token names. What it is wanted by is data from an
// unverified token: it may be compared, nothing else. An error that is jwks.ErrUnknownKey says that
// the issuer has no such key; any other that nobody can tell.
type Keys interface {
	Key(ctx context.Context, w jwks.Wanted) (*rsa.PublicKey, error)
}

// Issuer is one user pool whose tokens are accepted. Everything but Resources is required.
type Issuer struct {
	URL       string   // as it stands in the tokens, byte for byte
	ClientIDs []string // app clients whose tokens are accepted
	Resources []string // names of this API in the aud of access tokens (RFC 8707); none: a token bound to any resource is refused
	Keys      Keys     // the keys of this issuer, and of no other
}

// Config is what a token must be.
type Config struct {
	Issuers   []Issuer         // at least one
	Use       Use              // required
	Now       func() time.Time // nil: time.Now
	Leeway    time.Duration    // how far ahead nbf, iat and auth_time may lie, for clocks that differ; 0: 30 s, at most 5 min
	ExpLeeway time.Duration    // how long after exp a token still passes; 0: 5 s, at most 1 min
}

const (
	defaultLeeway    = 30 * time.Second
	defaultExpLeeway = 5 * time.Second
	maxLeeway        = 5 * time.Minute
	maxExpLeeway     = time.Minute
)

// Checks are what the caller of Verify expects besides. The zero value expects nothing.
type Checks struct {
	Nonce       string // when set, the nonce claim must be this
	AccessToken string // when set, at_hash, if the token has one, must be the hash of this
	Direct      bool   // it came straight from the token endpoint, over TLS: nobody else chose its kid, so an unknown one is worth a fetch of keys
}

// Claims is what a good token says.
type Claims struct {
	Issuer        string // identity is issuer and subject together
	Subject       string
	Username      string
	Email         string
	EmailVerified bool // true only where the claim is JSON's true
	Groups        []string
	Scope         string // of an access token
	ClientID      string
	Use           Use
	Expiry        int64 // this and the next two: seconds since 1970, 0 if there is none
	IssuedAt      int64
	AuthTime      int64
	Nonce         string
	OriginJTI     string
	ID            string // jti
	Payload       []byte // the JSON all this was read from; read-only, since the strings above share its memory
}

// VerifiedEmail returns the caller's address, or "" if the pool has not verified it: anybody may
// claim any.
func (c Claims) VerifiedEmail() string {
	if !c.EmailVerified {
		return ""
	}
	return c.Email
}

// Pick returns those of the token's claims that are named, as a JSON object; nil for no names.
func (c Claims) Pick(names []string) (json.RawMessage, error) {
	if len(names) == 0 {
		return nil, nil
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(c.Payload, &all); err != nil {
		return nil, fmt.Errorf("token: payload of a verified token: %w", err)
	}
	maps.DeleteFunc(all, func(name string, _ json.RawMessage) bool { return !slices.Contains(names, name) })
	return json.Marshal(all)
}

// Verifier verifies tokens. It is safe for concurrent use.
type Verifier struct {
	issuers   []Issuer
	use       Use
	now       func() time.Time
	leeway    time.Duration
	expLeeway time.Duration
}

// New returns a Verifier, or an error if c leaves any expectation open: an expectation that is not
// stated must not be one that is not checked.
func New(c Config) (*Verifier, error) {
	v := &Verifier{issuers: c.Issuers, use: c.Use, now: c.Now, leeway: c.Leeway, expLeeway: c.ExpLeeway}
	if v.now == nil {
		v.now = time.Now
	}
	if v.leeway == 0 {
		v.leeway = defaultLeeway
	}
	if v.expLeeway == 0 {
		v.expLeeway = defaultExpLeeway
	}
	switch {
	case c.Use != ID && c.Use != Access:
		return nil, errors.New("token: Config.Use is neither ID nor Access")
	case v.leeway < 0 || v.leeway > maxLeeway:
		return nil, fmt.Errorf("token: Config.Leeway is not between 0 and %v", maxLeeway)
	case v.expLeeway < 0 || v.expLeeway > maxExpLeeway:
		return nil, fmt.Errorf("token: Config.ExpLeeway is not between 0 and %v", maxExpLeeway)
	case len(c.Issuers) == 0:
		return nil, errors.New("token: Config.Issuers is empty")
	}
	seen := map[string]bool{}
	for _, i := range c.Issuers {
		if err := i.complete(); err != nil {
			return nil, err
		}
		if seen[i.URL] {
			return nil, fmt.Errorf("token: issuer %q is there twice", i.URL)
		}
		seen[i.URL] = true
	}
	return v, nil
}

// complete returns an error if i leaves an expectation open.
func (i Issuer) complete() error {
	switch {
	case i.URL == "":
		return errors.New("token: an issuer has no URL")
	case i.Keys == nil:
		return fmt.Errorf("token: issuer %q has no keys", i.URL)
	case len(i.ClientIDs) == 0:
		return fmt.Errorf("token: issuer %q has no client", i.URL)
	}
	for _, name := range append(i.ClientIDs[:len(i.ClientIDs):len(i.ClientIDs)], i.Resources...) {
		if name == "" {
			return fmt.Errorf("token: issuer %q has a client or resource without a name", i.URL)
		}
	}
	return nil
}

// Verify returns what raw says, if it is a token as v was told to expect and as c expects besides.
func (v *Verifier) Verify(ctx context.Context, raw string, c Checks) (Claims, error) {
	now := v.now()
	t, err := split(raw)
	if err != nil {
		return Claims{}, err
	}
	kid, err := readHeader(t.header, v.use)
	if err != nil {
		return Claims{}, err
	}
	if err := t.decode(); err != nil {
		return Claims{}, err
	}
	p, err := readPayload(t.payload, v.use)
	if err != nil {
		return Claims{}, err
	}
	issuer, err := v.judgeClaims(&p, c, now)
	if err != nil {
		return Claims{}, err
	}
	wanted := jwks.Wanted{ID: kid, Direct: c.Direct}
	if p.iat.present {
		wanted.Issued = time.Unix(p.iat.value, 0)
	}
	key, err := issuer.Keys.Key(ctx, wanted)
	if errors.Is(err, jwks.ErrUnknownKey) {
		return Claims{}, ErrUnknownKey
	}
	if err != nil {
		return Claims{}, fmt.Errorf("token: cannot tell: %w", err)
	}
	if err := t.signedBy(key); err != nil {
		return Claims{}, err
	}
	if !now.Before(time.Unix(p.exp.value, 0).Add(v.expLeeway)) {
		return Claims{}, ErrExpired
	}
	return p.claims(issuer, v.use, t.payload), nil
}
