package jar

// This file decides what a browser can neither read nor change: AES-256-GCM over what we give it to
// keep, bound to the cookie's name, to the kind and version of the record, and to the site, so that
// no sealed value can stand in for another. A record of a version that is not known here opens
// nothing.
//
// The key is derived from the client's secret (HKDF, RFC 5869): no second secret to deploy, and
// none to keep in step. While the secret changes, two keys open and the newer one seals.

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
)

// kind is what a sealed record is, and in which version. Whoever changes the meaning of a record's
// fields changes its version.
type kind string

const (
	kindPending kind = "pending 1"
	kindRenewal kind = "renewal 2"
	kindTarget  kind = "target 1"
)

var errSeal = errors.New("jar: not sealed here, or not for this")

// sealer seals with its first key and opens with any.
type sealer struct {
	site string
	keys []cipher.AEAD
}

// newSealer returns a sealer for one site. The first secret is required, the others may be "".
func newSealer(site string, secrets ...string) (sealer, error) {
	s := sealer{site: site}
	if len(secrets) == 0 || secrets[0] == "" {
		return s, errors.New("jar: the client has no secret")
	}
	for _, secret := range secrets {
		if secret == "" {
			continue
		}
		key, err := hkdf.Key(sha256.New, []byte(secret), nil, "edgeauth cookie 1", 32)
		if err != nil {
			return s, err
		}
		block, err := aes.NewCipher(key)
		if err != nil {
			return s, err
		}
		aead, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return s, err
		}
		s.keys = append(s.keys, aead)
	}
	return s, nil
}

// seal returns v as text fit for a cookie, which only open with the same kind and name reads.
func (s sealer) seal(k kind, name string, v any) string {
	plain, err := json.Marshal(v)
	if err != nil {
		panic(err) // only for types that have no JSON; ours are strings and numbers
	}
	return base64.RawURLEncoding.EncodeToString(s.keys[0].Seal(nil, nil, plain, s.about(k, name)))
}

// open reads into v what seal wrote.
func (s sealer) open(k kind, name, sealed string, v any) error {
	box, err := base64.RawURLEncoding.Strict().DecodeString(sealed)
	if err != nil || base64.RawURLEncoding.EncodeToString(box) != sealed { // the decoder skips line breaks
		return errSeal
	}
	for _, key := range s.keys {
		if plain, err := key.Open(nil, nil, box, s.about(k, name)); err == nil {
			return json.Unmarshal(plain, v)
		}
	}
	return errSeal
}

// about is what a seal is bound to. None of the parts can hold a NUL.
func (s sealer) about(k kind, name string) []byte {
	return []byte("edgeauth\x00" + string(k) + "\x00" + name + "\x00" + s.site)
}
