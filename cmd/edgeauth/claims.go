package main

// This file makes a token of claims that somebody wants to try, and an authorizer that takes it: signed by a key that exists for one question, which is the
// only one that this authorizer then knows.

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"strings"
	"time"
)

// pretend returns the header that carries the claims: a cookie for an ID token, Authorization for an access token. What the claims leave out is filled in
// as the pool would have it.
func (a *authorizer) pretend(text []byte, now time.Time) (header [2]string, err error) {
	var claims map[string]any
	if err := json.Unmarshal(text, &claims); err != nil {
		return header, err
	}
	if claims == nil {
		return header, errors.New("not a JSON object")
	}
	fill := func(name string, value any) {
		if _, there := claims[name]; !there {
			claims[name] = value
		}
	}
	first := func(list string) string {
		word, _, _ := strings.Cut(strings.TrimSpace(list), ",")
		return strings.TrimSpace(word)
	}
	fill("token_use", "id")
	fill("iss", a.environment["AUTH_ISSUER"])
	fill("iat", now.Unix())
	fill("exp", now.Add(time.Hour).Unix())
	fill("jti", "explain")
	access := claims["token_use"] == "access"
	if access {
		fill("client_id", first(a.environment["AUTH_BEARER_CLIENT_IDS"]))
		fill("sub", claims["client_id"])
		fill("version", 2)
	} else {
		fill("aud", first(a.environment["AUTH_CLIENT_IDS"]))
		fill("sub", "00000000-0000-4000-8000-000000000000")
		fill("auth_time", now.Unix())
		fill("cognito:username", "somebody")
	}
	token, keys, err := sign(claims)
	if err != nil {
		return header, err
	}
	a.environment["AUTH_JWKS"] = keys
	if access {
		return [2]string{"Authorization", "Bearer " + token}, nil
	}
	return [2]string{"Cookie", "__Host-id=" + token}, nil
}

// sign makes a key, a token and the key's set. RFC 7515 section 3.1; RFC 7518 sections 3.3 and 6.3.1.
func sign(claims map[string]any) (token, keys string, err error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return "", "", err
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", "", err
	}
	encode := base64.RawURLEncoding.EncodeToString
	signed := encode([]byte(`{"alg":"RS256","kid":"explain"}`)) + "." + encode(payload)
	sum := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
	if err != nil {
		return "", "", err
	}
	set, err := json.Marshal(map[string]any{"keys": []map[string]string{{
		"kid": "explain", "kty": "RSA", "alg": "RS256", "use": "sig", "n": encode(key.N.Bytes()), "e": encode(big.NewInt(int64(key.E)).Bytes()),
	}}})
	return signed + "." + encode(signature), string(set), err
}
