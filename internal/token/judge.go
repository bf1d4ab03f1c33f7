package token

// This file decides what the claims must say (OpenID Connect Core 3.1.3.7; RFC 8725 section 3; for
// Cognito's own claims
// https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-verifying-a-jwt.html).

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"time"

	"edgeauth/internal/word"
)

// judgeClaims compares p with all that is expected but its signature and its end, and returns the
// issuer it names.
func (v *Verifier) judgeClaims(p *payload, c Checks, now time.Time) (*Issuer, error) {
	issuer, err := v.issuer(p)
	if err != nil {
		return nil, err
	}
	for _, err := range []error{v.use.of(p), issuer.admits(p, v.use), p.judgeUser(), v.judgeTime(p, now), c.match(p)} {
		if err != nil {
			return nil, err
		}
	}
	return issuer, nil
}

func missing(claim string) error { return fmt.Errorf("%w: no %s", ErrClaims, claim) }

// issuer returns the issuer that p names.
func (v *Verifier) issuer(p *payload) (*Issuer, error) {
	if !p.iss.present {
		return nil, missing("iss")
	}
	for i := range v.issuers {
		if v.issuers[i].URL == p.iss.value {
			return &v.issuers[i], nil
		}
	}
	return nil, &OtherIssuer{p.iss.value}
}

// of returns nil if p is for this use.
func (u Use) of(p *payload) error {
	switch {
	case !p.tokenUse.present:
		return missing("token_use")
	case p.tokenUse.value != string(u):
		return ErrUse
	}
	return nil
}

// admits returns nil if p was issued to a client that may call, for nobody else. An ID token is for
// its client: aud names it, and it alone. An access token names its client in client_id; an aud it
// has only when it is bound to resources, of which all must be ours.
func (i *Issuer) admits(p *payload, use Use) error {
	if p.azp.present && !slices.Contains(i.ClientIDs, p.azp.value) {
		return fmt.Errorf("%w: azp", ErrAudience)
	}
	if use == ID {
		switch {
		case !p.aud.present:
			return missing("aud")
		case len(p.aud.values) != 1 || !slices.Contains(i.ClientIDs, p.aud.values[0]):
			return ErrAudience
		}
		return nil
	}
	if !p.clientID.present {
		return missing("client_id")
	}
	if !slices.Contains(i.ClientIDs, p.clientID.value) {
		return ErrAudience
	}
	for _, resource := range p.aud.values {
		if !slices.Contains(i.Resources, resource) {
			return fmt.Errorf("%w: bound to another resource", ErrAudience)
		}
	}
	return nil
}

// maxSubject is the length of a sub in bytes (OpenID Connect Core, section 2).
const maxSubject = 255

// judgeUser returns nil if p names a user by words that stay words wherever they are written.
func (p *payload) judgeUser() error {
	switch {
	case !word.Is(p.sub.value) || len(p.sub.value) > maxSubject:
		return fmt.Errorf("%w: sub", ErrClaims)
	case p.username.present && !word.Is(p.username.value):
		return fmt.Errorf("%w: username", ErrClaims)
	case !words(p.groups.values):
		return fmt.Errorf("%w: group", ErrClaims)
	case !scopes(p.scope.value):
		return fmt.Errorf("%w: scope", ErrClaims)
	}
	return nil
}

func words(list []string) bool {
	for _, s := range list {
		if !word.Is(s) {
			return false
		}
	}
	return true
}

// scopes reports whether s can be a list of scopes (RFC 6749 section 3.3).
func scopes(s string) bool {
	for _, r := range s {
		if ' ' > r || r > '~' || r == '"' || r == '\\' {
			return false
		}
	}
	return true
}

// judgeTime returns nil if p has an end and, up to the leeway, has begun. An ID token must say when
// it was issued.
func (v *Verifier) judgeTime(p *payload, now time.Time) error {
	latest := now.Add(v.leeway).Unix()
	switch {
	case !p.exp.present:
		return missing("exp")
	case !p.iat.present && v.use == ID:
		return missing("iat")
	case p.nbf.value > latest, p.iat.value > latest, p.authTime.value > latest:
		return ErrNotYetValid
	}
	return nil
}

// match returns nil if p belongs to the exchange that c describes.
func (c Checks) match(p *payload) error {
	switch {
	case c.Nonce != "" && p.nonce.value != c.Nonce:
		return ErrNonce
	case c.AccessToken != "" && p.atHash.present && p.atHash.value != accessHash(c.AccessToken):
		return ErrAccessHash
	}
	return nil
}

// accessHash is at_hash as OpenID Connect Core 3.1.3.6 has it for RS256.
func accessHash(accessToken string) string {
	sum := sha256.Sum256([]byte(accessToken))
	return base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2])
}
