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
	payload, signature, two := strings.Cut(rest, ".")
	if !two || strings.IndexByte(signature, '.') >= 0 {
		return compact{}, fmt.Errorf("%w: not three parts", ErrMalformed)
	}
	buffer := make([]byte, 0, len(raw)*3/4)
	h, err1 := strict.AppendBase64(buffer, header)
	p, err2 := strict.AppendBase64(h[len(h):], payload)
	s, err3 := strict.AppendBase64(p[len(p):], signature)
	if err1 != nil || err2 != nil || err3 != nil {
		return compact{}, fmt.Errorf("%w: %w", ErrMalformed, strict.ErrBase64)
	}
	return compact{raw[:len(raw)-len(signature)-1], h, p, s}, nil
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
