// This file decides in which ways a token can be wrong on request: each alteration is a lie that a verifier has to notice, or a change it has to survive.

package cognito

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/pem"
	"strings"
)

type alteration struct {
	name     string
	sentence string
	apply    func(*Server, *draft)
}

// otherClient and otherPool exist nowhere.
const (
	otherClient = "0therclient0therclient0the"
	otherPool   = "Other0001"
)

func alterations() []alteration {
	const future = 3600
	return []alteration{
		// Whose token it is.
		{"other_client", "issued to another client of the pool", func(_ *Server, d *draft) {
			for _, name := range []string{"aud", "client_id"} {
				if d.claims.get(name) != nil {
					d.claims.set(name, otherClient)
				}
			}
		}},
		{"other_pool", "issued by another pool, signed with the same key", func(s *Server, d *draft) {
			d.claims.set("iss", strings.Replace(s.cfg.Issuer, s.cfg.Pool, s.cfg.Region+"_"+otherPool, 1))
		}},
		{"issuer_slash", "the issuer with a slash at its end", func(s *Server, d *draft) { d.claims.set("iss", s.cfg.Issuer+"/") }},
		{"updated_issuer", "the pool's issuer of the newer kind", func(s *Server, d *draft) {
			d.claims.set("iss", "https://issuer-cognito-idp."+s.cfg.Region+".amazonaws.com/"+s.cfg.Pool)
		}},
		{"other_user", "another user's sub, username and email", func(_ *Server, d *draft) {
			sum := digestOf("somebody else")
			id := formatUUID(sum[:16])
			for _, name := range []string{"sub", "cognito:username", "username"} {
				if d.claims.get(name) != nil {
					d.claims.set(name, id)
				}
			}
			if d.claims.get("email") != nil {
				d.claims.set("email", "mallory@example.com")
			}
		}},
		{"array_aud", "the audience as an array", func(_ *Server, d *draft) { d.claims.set("aud", []any{d.claims.get("aud")}) }},
		{"no_aud", "no audience and no client_id", func(_ *Server, d *draft) { d.claims.remove("aud"); d.claims.remove("client_id") }},
		{"no_sub", "no subject", func(_ *Server, d *draft) { d.claims.remove("sub") }},

		// What it is for.
		{"wrong_use", "token_use of the other kind", func(_ *Server, d *draft) {
			d.claims.set("token_use", map[any]string{"id": "access", "access": "id"}[d.claims.get("token_use")])
		}},
		{"no_use", "no token_use", func(_ *Server, d *draft) { d.claims.remove("token_use") }},
		{"wrong_nonce", "another nonce", func(_ *Server, d *draft) { d.claims.set("nonce", "this-is-not-the-nonce-that-was-sent") }},
		{"no_nonce", "no nonce", func(_ *Server, d *draft) { d.claims.remove("nonce") }},
		{"wrong_at_hash", "at_hash of another access token", func(_ *Server, d *draft) { d.claims.set("at_hash", accessHash("another")) }},

		// When it is good.
		{"expired", "expired a second ago", func(s *Server, d *draft) { d.claims.set("exp", s.now().Unix()-1) }},
		{"expires_now", "expires this very second", func(s *Server, d *draft) { d.claims.set("exp", s.now().Unix()) }},
		{"no_exp", "never expires", func(_ *Server, d *draft) { d.claims.remove("exp") }},
		{"string_exp", "exp as a string", func(_ *Server, d *draft) { d.claims.set("exp", "9999999999") }},
		{"future_iat", "issued an hour from now", func(s *Server, d *draft) { d.claims.set("iat", s.now().Unix()+future) }},
		{"future_nbf", "good in an hour only", func(s *Server, d *draft) { d.claims.set("nbf", s.now().Unix()+future) }},
		{"later_auth_time", "signed in an hour later than was said before", func(_ *Server, d *draft) {
			if t, ok := d.claims.get("auth_time").(int64); ok {
				d.claims.set("auth_time", t+future)
			}
		}},

		// Who signed it.
		{"unknown_kid", "signed with a key, under a kid, that the pool does not publish", func(s *Server, d *draft) {
			d.key = signingKey{s.keys.newKid(), s.foreignKey()}
			d.header.set("kid", d.key.kid)
		}},
		{"no_kid", "no kid", func(_ *Server, d *draft) { d.header.remove("kid") }},
		{"foreign_key", "signed with a stranger's key under the pool's kid", func(s *Server, d *draft) { d.key.private = s.foreignKey() }},
		{"access_key", "signed with the key of the other kind of token, kid and all", func(s *Server, d *draft) {
			other := s.keys.signing.access
			if d.key.kid == other.kid {
				other = s.keys.signing.id
			}
			d.key = other
			d.header.set("kid", other.kid)
		}},
		{"bad_signature", "one bit of the signature flipped", func(_ *Server, d *draft) {
			d.sign = func(in []byte) []byte { sig := rs256(d.key.private, in); sig[0] ^= 1; return sig }
		}},
		{"no_signature", "RS256 with an empty signature", func(_ *Server, d *draft) { d.sign = func([]byte) []byte { return nil } }},
		{"alg_none", "alg none, no signature", func(_ *Server, d *draft) {
			d.header.set("alg", "none")
			d.sign = func([]byte) []byte { return nil }
		}},
		{"hs256", "HS256 with the public key as the secret", func(_ *Server, d *draft) {
			d.header.set("alg", "HS256")
			d.sign = func(in []byte) []byte {
				der, _ := x509.MarshalPKIXPublicKey(&d.key.private.PublicKey)
				mac := hmac.New(sha256.New, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
				mac.Write(in)
				return mac.Sum(nil)
			}
		}},
		{"rs512", "RS512 with the right key", func(_ *Server, d *draft) {
			d.header.set("alg", "RS512")
			d.sign = func(in []byte) []byte {
				sum := sha512.Sum512(in)
				sig, _ := rsa.SignPKCS1v15(nil, d.key.private, crypto.SHA512, sum[:])
				return sig
			}
		}},

		// How it is written.
		{"crit", "a critical header that nobody knows", func(_ *Server, d *draft) {
			d.header.set("crit", []string{"edgeauth-unknown"})
			d.header.set("edgeauth-unknown", true)
		}},
		{"b64", "an unencoded payload announced (RFC 7797)", func(_ *Server, d *draft) { d.header.set("crit", []string{"b64"}); d.header.set("b64", false) }},
		{"embedded_jwk", "signed with a stranger's key that the header carries", func(s *Server, d *draft) {
			d.key.private = s.foreignKey()
			d.header.set("jwk", publicJWK(d.key))
		}},
		{"duplicate_member", "sub named twice", func(_ *Server, d *draft) { d.claims = append(d.claims, member{"sub", "somebody-else"}) }},
		{"typ", "a typ member, which Cognito leaves out", func(_ *Server, d *draft) { d.header.set("typ", "JWT") }},
	}
}

func alterationNamed(name string) (alteration, bool) {
	for _, a := range alterations() {
		if a.name == name {
			return a, true
		}
	}
	return alteration{}, false
}

// foreignKey is a key that the pool never publishes.
func (s *Server) foreignKey() *rsa.PrivateKey {
	if s.keys.foreign != nil {
		return s.keys.foreign
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err) // crypto/rand does not fail
	}
	s.keys.foreign = key
	return key
}
