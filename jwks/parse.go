package jwks

// This file decides which entries of a key set can be used: RSA keys for RS256 signatures, as RFC 7517 and RFC 7518 section 6.3 write them. An entry
// of any other kind, or a broken one, is passed over and takes nothing from the others: an issuer that adds a new kind of key must not cause an outage.

import (
	"crypto/rsa"
	"errors"
	"fmt"
	"math/big"

	"edgeauth/internal/strict"
)

// Limits of a usable key. RFC 7518 section 3.3 sets the lower ones; above the upper ones a verification costs more than a caller should be able to ask for.
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

// Parse reads a JSON Web Key Set and returns the keys that can be used. A kid that two usable entries claim names neither: nothing says which is meant.
// A set without any usable key is an error.
func Parse(b []byte) ([]Key, error) {
	entries, err := entries(string(b))
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
func entries(text string) (texts []string, err error) {
	s := strict.Scan(text)
	found := false
	for name := range s.Members() {
		if name != "keys" {
			s.Skip()
			continue
		}
		found = true
		for range s.Elements() {
			texts = append(texts, s.Raw())
		}
	}
	if err := s.End(); err != nil {
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
func parseKey(text string) (Key, bool) {
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

// members reads an entry. Of members that may be absent, absence means the one value that is accepted; a value of another type is accepted of none.
func members(text string) (jwk, error) {
	j := jwk{use: "sig", alg: "RS256", verifies: true}
	s := strict.Scan(text)
	for name := range s.Members() {
		switch name {
		case "kty":
			j.kty, _ = s.String()
		case "kid":
			j.kid, _ = s.String()
		case "n":
			j.n, _ = s.String()
		case "e":
			j.e, _ = s.String()
		case "use":
			j.use, _ = s.String()
		case "alg":
			j.alg, _ = s.String()
		case "key_ops":
			j.verifies = contains(&s, "verify")
		default:
			s.Skip()
		}
	}
	return j, s.End()
}

// contains reads an array and reports whether it holds the string want.
func contains(s *strict.Scanner, want string) bool {
	found := false
	for range s.Elements() {
		if value, ok := s.String(); ok && value == want {
			found = true
		}
	}
	return found
}

// number reads a Base64urlUInt; what is none is 0, which no key has.
func number(s string) *big.Int {
	b, err := strict.AppendBase64(nil, s)
	if err != nil {
		return new(big.Int)
	}
	return new(big.Int).SetBytes(b)
}
