// This file compares ways to check a token: ours, three Go libraries used as their documentation shows, and AWS's own for Node.

package main

import (
	"context"
	"crypto/rsa"
	"errors"
	"net/http/httptest"

	"edgeauth/internal/token"
	"edgeauth/internal/token/tokentest"
	"edgeauth/internal/yardstick"
	"edgeauth/jwks"

	"github.com/MicahParks/keyfunc/v3"
	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/golang-jwt/jwt/v5"
	"github.com/lestrrat-go/jwx/v3/jwk"
	jwxjwt "github.com/lestrrat-go/jwx/v3/jwt"
)

type pool = tokentest.Pool

// verifier accepts a good token; every one of them checks signature, issuer, client, use and expiry.
type verifier struct {
	name  string
	check func(token string) error
}

// compareVerifiers returns the results by size.
func compareVerifiers(t *traffic, pairs int, node *node) (map[string][]yardstick.Result, error) {
	server := httptest.NewServer(t.pool)
	defer server.Close()
	verifiers, err := goVerifiers(t.pool, server.URL)
	if err != nil {
		return nil, err
	}
	results := map[string][]yardstick.Result{}
	for size, tokens := range t.tokens {
		var variants []yardstick.Variant
		for _, v := range verifiers {
			variants = append(variants, yardstick.Variant{Name: v.name, Run: each(tokens, v.check)})
		}
		variants = append(variants, node.variants(awsJWTVerify, "verify", size)...)
		variants = append(variants, node.variants(rawNode, "raw", size)...)
		results[size] = yardstick.Compare(yardstick.Limit(publicKey(t.pool), tokens), pairs, variants...)
	}
	return results, nil
}

func publicKey(p *pool) *rsa.PublicKey { return &p.Keys()[0].Private.PublicKey }

// each returns work that takes one input after the other.
func each[T any](inputs []T, do func(T) error) func(int) {
	next := 0
	return func(n int) {
		for range n {
			if err := do(inputs[next%len(inputs)]); err != nil {
				panic(err)
			}
			next++
		}
	}
}

func goVerifiers(p *pool, url string) ([]verifier, error) {
	ours, err := edgeauth(p)
	if err != nil {
		return nil, err
	}
	jwx, err := jwxVerifier(p.JWKS())
	if err != nil {
		return nil, err
	}
	golangJWT, err := golangJWTVerifier(p.JWKS())
	if err != nil {
		return nil, err
	}
	return []verifier{{"edgeauth", ours}, {"golang-jwt 5.3.1 + keyfunc 3.8.0", golangJWT}, {"go-oidc 3.21.0", goOIDC(url)}, {"jwx 3.3.0, jwt.Parse", jwx}}, nil
}

func edgeauth(p *pool) (func(string) error, error) {
	keys, err := jwks.New(jwks.Config{URL: tokentest.Issuer + "/.well-known/jwks.json", Snapshot: p.JWKS()})
	if err != nil {
		return nil, err
	}
	v, err := token.New(token.Config{Issuers: []token.Issuer{{URL: tokentest.Issuer, ClientIDs: []string{tokentest.ClientID}, Keys: keys}}, Use: token.ID})
	if err != nil {
		return nil, err
	}
	return func(raw string) error {
		_, err := v.Verify(context.Background(), raw, token.Checks{})
		return err
	}, nil
}

var errUse = errors.New("not an ID token")

func jwxVerifier(set []byte) (func(string) error, error) {
	keys, err := jwk.Parse(set)
	if err != nil {
		return nil, err
	}
	return func(raw string) error {
		t, err := jwxjwt.Parse([]byte(raw), jwxjwt.WithKeySet(keys), jwxjwt.WithIssuer(tokentest.Issuer), jwxjwt.WithAudience(tokentest.ClientID))
		if err != nil {
			return err
		}
		var use string
		if err := t.Get("token_use", &use); err != nil || use != "id" {
			return errUse
		}
		return nil
	}, nil
}

func golangJWTVerifier(set []byte) (func(string) error, error) {
	keys, err := keyfunc.NewJWKSetJSON(set)
	if err != nil {
		return nil, err
	}
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"RS256"}), jwt.WithIssuer(tokentest.Issuer), jwt.WithAudience(tokentest.ClientID), jwt.WithExpirationRequired())
	return func(raw string) error {
		var claims struct {
			jwt.RegisteredClaims
			cognitoClaims
		}
		if _, err := parser.ParseWithClaims(raw, &claims, keys.Keyfunc); err != nil {
			return err
		}
		return claims.forSession()
	}, nil
}

func goOIDC(url string) func(string) error {
	v := oidc.NewVerifier(tokentest.Issuer, oidc.NewRemoteKeySet(context.Background(), url), &oidc.Config{ClientID: tokentest.ClientID})
	return func(raw string) error {
		t, err := v.Verify(context.Background(), raw)
		if err != nil {
			return err
		}
		var claims cognitoClaims
		if err := t.Claims(&claims); err != nil {
			return err
		}
		return claims.forSession()
	}
}

// cognitoClaims holds the claims beyond the registered ones that an authorizer needs.
type cognitoClaims struct {
	Use      string   `json:"token_use"`
	Username string   `json:"cognitoClaims:username"`
	Email    string   `json:"email"`
	Groups   []string `json:"cognitoClaims:groups"`
}

func (c cognitoClaims) forSession() error {
	if c.Use != "id" {
		return errUse
	}
	return nil
}
