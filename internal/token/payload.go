package token

// This file reads the claims, once, and decides which types they must have. A claim of the wrong type is not taken for an absent one.

import (
	"fmt"
	"slices"

	"edgeauth/internal/strict"
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
	s := strict.Scan(view(b))
	for name := range s.Members() {
		if !p.read(&s, name, use) {
			wrong = name
		}
	}
	if err := s.End(); err != nil {
		return payload{}, fmt.Errorf("%w: payload: %w", ErrMalformed, err)
	}
	if wrong != "" {
		return payload{}, fmt.Errorf("%w: type of %s", ErrClaims, wrong)
	}
	return p, nil
}

// read reads the claim called name and reports whether it is of its type. Nobody asks for the type of other claims.
func (p *payload) read(s *strict.Scanner, name string, use Use) bool {
	switch name {
	case "iss":
		return p.iss.read(s)
	case "sub":
		return p.sub.read(s)
	case "aud":
		return p.aud.readOneOrMore(s)
	case "azp":
		return p.azp.read(s)
	case "token_use":
		return p.tokenUse.read(s)
	case "exp":
		return p.exp.read(s)
	case "nbf":
		return p.nbf.read(s)
	case "iat":
		return p.iat.read(s)
	case "auth_time":
		return p.authTime.read(s)
	case "jti":
		return p.jti.read(s)
	case "origin_jti":
		return p.originJTI.read(s)
	case "email":
		return p.email.read(s)
	case "email_verified":
		p.emailVerified, _ = s.Bool()
		return true
	case "cognito:groups":
		return p.groups.read(s)
	}
	if use == ID {
		switch name {
		case "cognito:username":
			return p.username.read(s)
		case "nonce":
			return p.nonce.read(s)
		case "at_hash":
			return p.atHash.read(s)
		}
	}
	if use == Access {
		switch name {
		case "client_id":
			return p.clientID.read(s)
		case "username":
			return p.username.read(s)
		case "scope":
			return p.scope.read(s)
		}
	}
	s.Skip()
	return true
}

func (t *text) read(s *strict.Scanner) bool {
	t.value, t.present = s.String()
	return t.present
}

func (i *instant) read(s *strict.Scanner) bool {
	n, ok := s.Integer()
	i.value, i.present = n, ok && n <= maxInstant
	return i.present
}

func (l *list) read(s *strict.Scanner) bool {
	if s.Peek() != '[' {
		s.Skip()
		return false
	}
	l.present = true
	for range s.Elements() {
		value, ok := s.String()
		l.values = append(l.values, value)
		l.present = l.present && ok
	}
	return l.present
}

// readOneOrMore reads a list, of which a bare string is the short form (RFC 7519 section 4.1.3).
func (l *list) readOneOrMore(s *strict.Scanner) bool {
	if s.Peek() != '"' {
		return l.read(s)
	}
	value, ok := s.String()
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
