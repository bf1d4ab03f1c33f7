// This file decides which keys sign, which are published, and what the issuer's two public documents say.
//
// A pool has two key pairs, one for ID tokens and one for access tokens; the published set does not say which is which.
// https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-verifying-a-jwt.html

package cognito

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"math/big"
	"net/http"
	"strings"
)

type signingKey struct {
	kid     string
	private *rsa.PrivateKey
}

// A keyPair holds what a pool signs with at one time.
type keyPair struct{ id, access signingKey }

type keyring struct {
	published []keyPair // oldest first
	before    []keyPair // what was published before the last change: the view of a stale cache
	signing   keyPair
	foreign   *rsa.PrivateKey // a stranger's, once one was needed

	supply []*rsa.PrivateKey
	random func(int) []byte
}

// publish adds a new pair to the key set without signing with it.
func (k *keyring) publish() error {
	var p keyPair
	for _, key := range []*signingKey{&p.id, &p.access} {
		private, err := k.next()
		if err != nil {
			return err
		}
		*key = signingKey{k.newKid(), private}
	}
	k.before = k.published
	k.published = append(k.published[:len(k.published):len(k.published)], p)
	return nil
}

// use signs with the newest pair from now on.
func (k *keyring) use() { k.signing = k.published[len(k.published)-1] }

// retire takes all but the newest pair out of the key set, and signs with that.
func (k *keyring) retire() {
	k.before = k.published
	k.published = k.published[len(k.published)-1:]
	k.use()
}

func (k *keyring) next() (*rsa.PrivateKey, error) {
	if len(k.supply) > 0 {
		key := k.supply[0]
		k.supply = k.supply[1:]
		return key, nil
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, fmt.Errorf("cognito: signing key: %w", err)
	}
	return key, nil
}

// newKid makes a kid as Cognito's are, 32 bytes in standard base64, and sees to it that the characters which are awkward in URLs and file names are there.
func (k *keyring) newKid() string {
	for {
		if kid := base64.StdEncoding.EncodeToString(k.random(32)); strings.Contains(kid, "+") && strings.Contains(kid, "/") {
			return kid
		}
	}
}

// find returns the published key with this kid.
func (k *keyring) find(kid string) *rsa.PublicKey {
	for _, p := range k.published {
		for _, key := range []signingKey{p.id, p.access} {
			if key.kid == kid {
				return &key.private.PublicKey
			}
		}
	}
	return nil
}

type jwk struct {
	Alg string `json:"alg"`
	E   string `json:"e"`
	Kid string `json:"kid"`
	Kty string `json:"kty"`
	N   string `json:"n"`
	Use string `json:"use"`
}

func keySet(pairs []keyPair) []byte {
	set := struct {
		Keys []jwk `json:"keys"`
	}{Keys: []jwk{}}
	for _, p := range pairs {
		for _, key := range []signingKey{p.id, p.access} {
			set.Keys = append(set.Keys, publicJWK(key))
		}
	}
	return marshal(set)
}

func publicJWK(key signingKey) jwk {
	pub := key.private.PublicKey
	e := base64.RawURLEncoding.EncodeToString(big.NewInt(int64(pub.E)).Bytes())
	n := base64.RawURLEncoding.EncodeToString(pub.N.Bytes())
	return jwk{Alg: "RS256", E: e, Kid: key.kid, Kty: "RSA", N: n, Use: "sig"}
}

func (s *Server) serveJWKS(c *call) reply {
	pairs := s.keys.published
	if c.fault != nil && c.fault.Kind == "stale" {
		pairs = s.keys.before
	}
	return document(keySet(pairs))
}

// serveDiscovery says what Cognito's says, member for member: PKCE, for one, is not announced.
func (s *Server) serveDiscovery(*call) reply {
	return document(marshal(object{
		{"authorization_endpoint", s.cfg.Domain + "/oauth2/authorize"},
		{"end_session_endpoint", s.cfg.Domain + "/logout"},
		{"id_token_signing_alg_values_supported", []string{"RS256"}},
		{"issuer", s.cfg.Issuer},
		{"jwks_uri", s.cfg.Issuer + "/.well-known/jwks.json"},
		{"response_types_supported", []string{"code", "token"}},
		{"revocation_endpoint", s.cfg.Domain + "/oauth2/revoke"},
		{"scopes_supported", []string{"openid", "email", "phone", "profile"}},
		{"subject_types_supported", []string{"public"}},
		{"token_endpoint", s.cfg.Domain + "/oauth2/token"},
		{"token_endpoint_auth_methods_supported", []string{"client_secret_basic", "client_secret_post"}},
		{"userinfo_endpoint", s.cfg.Domain + "/oauth2/userInfo"},
	}))
}

// document is a public JSON document. Cognito's Cache-Control for these is not known, so there is none to rely on.
func document(body []byte) reply {
	rep := newReply(http.StatusOK, "application/json", body, "ok")
	rep.header.Del("Cache-Control")
	return rep
}
