package token

// This file reads the claims, once, and decides which types they must have. A claim of the wrong
// type is not taken for an absent one.

import (
	"fmt"
	"slices"

	"edgeauth/internal/jsonread"
)

// payload is what a token says before anyone has judged it.
type payload struct {
	iss, sub, azp, clientID, tokenUse text
	username, email, scope, jti       text
	originJTI, nonce, atHash          text
	exp, nbf, iat, authTime           instant
	aud, groups                       list
	emailVerified                     bool
}

// text, list and instant are claims that may be absent.
type (
	text struct {
		value   string
		present bool
	}
	list struct {
		values  []string
		present bool
	}
	instant struct {
		value   int64 // seconds since 1970
		present bool
	}
)

// maxInstant is the last second of the year 9999: a later one has no date that others could read.
const maxInstant = 253402300799

// readPayload reads the claims of a token for use.
func readPayload(b []byte, use Use) (payload, error) {
	var p payload
	wrong := ""
	r := jsonread.New(b)
	for name := range r.Members() {
		if !p.read(&r, name, use) {
			wrong = name
		}
	}
	if err := r.End(); err != nil {
		return payload{}, fmt.Errorf("%w: payload: %w", ErrMalformed, err)
	}
	if wrong != "" {
		return payload{}, fmt.Errorf("%w: type of %s", ErrClaims, wrong)
	}
	return p, nil
}

// read reads the claim called name and reports whether it is of its type. Nobody asks for the type
// of other claims.
func (p *payload) read(r *jsonread.Reader, name string, use Use) bool {
	switch name {
	case "iss":
		return p.iss.read(r)
	case "sub":
		return p.sub.read(r)
	case "aud":
		return p.aud.readOneOrMore(r)
	case "azp":
		return p.azp.read(r)
	case "token_use":
		return p.tokenUse.read(r)
	case "exp":
		return p.exp.read(r)
	case "nbf":
		return p.nbf.read(r)
	case "iat":
		return p.iat.read(r)
	case "auth_time":
		return p.authTime.read(r)
	case "jti":
		return p.jti.read(r)
	case "origin_jti":
		return p.originJTI.read(r)
	case "email":
		return p.email.read(r)
	case "email_verified":
		p.emailVerified, _ = r.Bool()
		return true
	case "cognito:groups":
		return p.groups.read(r)
	}
	if use == ID {
		switch name {
		case "cognito:username":
			return p.username.read(r)
		case "nonce":
			return p.nonce.read(r)
		case "at_hash":
			return p.atHash.read(r)
		}
	}
	if use == Access {
		switch name {
		case "client_id":
			return p.clientID.read(r)
		case "username":
			return p.username.read(r)
		case "scope":
			return p.scope.read(r)
		}
	}
	r.Skip()
	return true
}

func (t *text) read(r *jsonread.Reader) bool {
	t.value, t.present = r.String()
	return t.present
}

func (i *instant) read(r *jsonread.Reader) bool {
	n, ok := r.Integer()
	i.value, i.present = n, ok && n <= maxInstant
	return i.present
}

func (l *list) read(r *jsonread.Reader) bool {
	if r.Peek() != '[' {
		r.Skip()
		return false
	}
	l.present = true
	for range r.Elements() {
		value, ok := r.String()
		l.values = append(l.values, value)
		l.present = l.present && ok
	}
	return l.present
}

// readOneOrMore reads a list, of which a bare string is the short form (RFC 7519 section 4.1.3).
func (l *list) readOneOrMore(r *jsonread.Reader) bool {
	if r.Peek() != '"' {
		return l.read(r)
	}
	value, ok := r.String()
	l.values, l.present = []string{value}, ok
	return ok
}

// claims returns what p says once it is found good.
func (p *payload) claims(i *Issuer, use Use, b []byte) Claims {
	c := Claims{
		Issuer:        i.URL,
		Subject:       p.sub.value,
		Username:      p.username.value,
		Email:         p.email.value,
		EmailVerified: p.emailVerified,
		Groups:        p.groups.values,
		Scope:         p.scope.value,
		ClientID:      p.clientID.value,
		Use:           use,
		Expiry:        p.exp.value,
		IssuedAt:      p.iat.value,
		AuthTime:      p.authTime.value,
		Nonce:         p.nonce.value,
		OriginJTI:     p.originJTI.value,
		ID:            p.jti.value,
		Payload:       slices.Clip(b),
	}
	if use == ID {
		c.ClientID = p.aud.values[0]
	}
	return c
}
