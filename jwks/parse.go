package jwks

// This file decides which entries of a key set can be used: RSA keys for RS256 signatures, as RFC
// 7517 and RFC 7518 section 6.3 write them. An entry of any other kind, or a broken one, is passed
// over and takes nothing from the others: an issuer that adds a new kind of key must not cause an
// outage.

import (
	"crypto/rsa"
	"errors"
	"fmt"
	"math/big"

	"edgeauth/internal/base64url"
	"edgeauth/internal/jsonread"
)

// Limits of a usable key. RFC 7518 section 3.3 sets the lower ones; above the upper ones a
// verification costs more than a caller should be able to ask for.
const (
	minBits     = 2048
	maxBits     = 4096
	minExponent = 3
	maxExponent = 1<<31 - 1
)

// Why a key set cannot be used.
var (
	ErrMalformed = errors.New("jwks: not a JSON Web Key Set")
	ErrNoKeys    = errors.New("jwks: no usable key in the set")
)

// Key is one key that signs tokens.
type Key struct {
	ID     string
	Public *rsa.PublicKey
}

// Parse reads a JSON Web Key Set and returns the keys that can be used. A kid that two usable
// entries claim names neither: nothing says which is meant. A set without any usable key is an
// error.
func Parse(b []byte) ([]Key, error) {
	entries, err := entries(b)
	if err != nil {
		return nil, err
	}
	var keys []Key
	claimed := map[string]int{}
	for _, entry := range entries {
		if k, ok := parseKey(entry); ok {
			keys = append(keys, k)
			claimed[k.ID]++
		}
	}
	unique := keys[:0]
	for _, k := range keys {
		if claimed[k.ID] == 1 {
			unique = append(unique, k)
		}
	}
	if len(unique) == 0 {
		return nil, ErrNoKeys
	}
	return unique, nil
}

// entries returns the text of each entry of a key set.
func entries(text []byte) (texts [][]byte, err error) {
	r := jsonread.New(text)
	found := false
	for name := range r.Members() {
		if name != "keys" {
			r.Skip()
			continue
		}
		found = true
		for range r.Elements() {
			texts = append(texts, r.Raw())
		}
	}
	if err := r.End(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if !found {
		return nil, fmt.Errorf("%w: no keys", ErrMalformed)
	}
	return texts, nil
}

// jwk is what of an entry matters.
type jwk struct {
	kty, kid, n, e string
	use, alg       string
	verifies       bool // key_ops, where there is one, says so
}

// parseKey reads one entry and reports whether it is a usable key.
func parseKey(text []byte) (Key, bool) {
	j, err := members(text)
	if err != nil || j.kty != "RSA" || j.kid == "" || j.use != "sig" || j.alg != "RS256" || !j.verifies {
		return Key{}, false
	}
	n, e := number(j.n), number(j.e)
	switch {
	case n.BitLen() < minBits || n.BitLen() > maxBits || n.Bit(0) == 0:
		return Key{}, false
	case !e.IsInt64() || e.Int64() < minExponent || e.Int64() > maxExponent || e.Bit(0) == 0:
		return Key{}, false
	}
	return Key{j.kid, &rsa.PublicKey{N: n, E: int(e.Int64())}}, true
}

// members reads an entry. Of members that may be absent, absence means the one value that is
// accepted; a value of another type is accepted of none.
func members(text []byte) (jwk, error) {
	j := jwk{use: "sig", alg: "RS256", verifies: true}
	r := jsonread.New(text)
	for name := range r.Members() {
		switch name {
		case "kty":
			j.kty, _ = r.String()
		case "kid":
			j.kid, _ = r.String()
		case "n":
			j.n, _ = r.String()
		case "e":
			j.e, _ = r.String()
		case "use":
			j.use, _ = r.String()
		case "alg":
			j.alg, _ = r.String()
		case "key_ops":
			j.verifies = contains(&r, "verify")
		default:
			r.Skip()
		}
	}
	return j, r.End()
}

// contains reads an array and reports whether it holds the string want.
func contains(r *jsonread.Reader, want string) bool {
	found := false
	for range r.Elements() {
		if value, ok := r.String(); ok && value == want {
			found = true
		}
	}
	return found
}

// number reads a Base64urlUInt; what is none is 0, which no key has.
func number(s string) *big.Int {
	b, err := base64url.AppendDecode(nil, s)
	if err != nil {
		return new(big.Int)
	}
	return new(big.Int).SetBytes(b)
}
