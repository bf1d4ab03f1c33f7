package token

// This file decides what a compact JWS is (RFC 7515 section 7.1), and whether a key has signed it.

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"
	"strings"
	"unsafe"

	"edgeauth/internal/strict"
)

// maxLength bounds all work that a token can cause. Cookies and headers hold less (API Gateway takes 10,240 bytes of headers).
const maxLength = 16 << 10

// compact is a token taken apart.
type compact struct {
	input     string // what is signed: the first two parts, encoded
	header    []byte
	payload   []byte
	signature []byte
}

// split takes raw apart.
func split(raw string) (compact, error) {
	if len(raw) > maxLength {
		return compact{}, fmt.Errorf("%w: longer than %d bytes", ErrMalformed, maxLength)
	}
	header, rest, _ := strings.Cut(raw, ".")
	payload, signature, ok := strings.Cut(rest, ".")
	if !ok {
		return compact{}, fmt.Errorf("%w: less than three parts", ErrMalformed)
	}
	var decoded [3][]byte
	buffer := make([]byte, 0, len(raw)*3/4)
	for i, part := range []string{header, payload, signature} { // the last of which has no further dot, or it is not base64url
		b, err := strict.AppendBase64(buffer, part)
		if err != nil {
			return compact{}, fmt.Errorf("%w: %w", ErrMalformed, err)
		}
		decoded[i], buffer = b, b[len(b):]
	}
	return compact{raw[:len(raw)-len(signature)-1], decoded[0], decoded[1], decoded[2]}, nil
}

// signedBy returns nil if key has signed t.
func (t compact) signedBy(key *rsa.PublicKey) error {
	sum := sha256.Sum256(unsafe.Slice(unsafe.StringData(t.input), len(t.input))) // only read
	if rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], t.signature) != nil {
		return ErrSignature
	}
	return nil
}

// view returns b as a string without a copy: b must not change any more.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
