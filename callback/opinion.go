package main

// This file is the second opinion on an ID token: jwx verifies it once more, all by itself. It shares no code with package token, so a mistake would
// have to be made twice, by different people, to let a forged token begin a session.

import (
	"context"
	"crypto/rsa"
	"errors"
	"time"

	"edgeauth/jwks"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jws"
	"github.com/lestrrat-go/jwx/v3/jwt"
)

type keySet interface {
	Key(ctx context.Context, w jwks.Wanted) (*rsa.PublicKey, error)
}

// secondOpinion returns a verifier of this issuer's ID tokens.
func secondOpinion(issuer string, keys keySet) func(ctx context.Context, raw, clientID string) error {
	return func(ctx context.Context, raw, clientID string) error {
		message, err := jws.Parse([]byte(raw), jws.WithCompact())
		if err != nil || len(message.Signatures()) != 1 {
			return errors.New("callback: second opinion: not a JWS")
		}
		kid, _ := message.Signatures()[0].ProtectedHeaders().KeyID()
		key, err := keys.Key(ctx, jwks.Wanted{ID: kid, Direct: true})
		if err != nil {
			return err
		}
		_, err = jwt.Parse([]byte(raw),
			jwt.WithKey(jwa.RS256(), key), jwt.WithValidate(true), jwt.WithAcceptableSkew(30*time.Second),
			jwt.WithIssuer(issuer), jwt.WithAudience(clientID), jwt.WithClaimValue("token_use", "id"),
			jwt.WithRequiredClaim(jwt.ExpirationKey), jwt.WithRequiredClaim(jwt.SubjectKey))
		if err != nil {
			return errors.New("callback: second opinion: no") // its text quotes claims
		}
		return nil
	}
}
