package token

// This file decides what a compact JWS is (RFC 7515 section 7.1), and whether a key has signed it.

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"
	"strings"
	"unsafe"

	"edgeauth/internal/base64url"
)

// maxLength bounds all work that a token can cause. Cookies and headers hold less (API Gateway
// takes 10,240 bytes of headers).
const maxLength = 16 << 10

// What most junk is refused with, made once.
var (
	errLong  = fmt.Errorf("%w: longer than %d bytes", ErrMalformed, maxLength)
	errParts = fmt.Errorf("%w: not three parts", ErrMalformed)
)

// compact is a token taken apart.
type compact struct {
	parts     [3]string
	input     string // what is signed: the first two parts, encoded
	header    []byte
	payload   []byte // nil until decode was called
	signature []byte // likewise
}

// split takes raw apart and decodes the header.
func split(raw string) (t compact, err error) {
	if len(raw) > maxLength {
		return compact{}, errLong
	}
	header, rest, _ := strings.Cut(raw, ".")
	payload, signature, ok := strings.Cut(rest, ".")
	if !ok || strings.Contains(signature, ".") {
		return compact{}, errParts
	}
	t.parts, t.input = [3]string{header, payload, signature}, raw[:len(raw)-len(signature)-1]
	t.header, err = decode(make([]byte, 0, len(header)*3/4), header)
	return t, err
}

// decode decodes the payload and the signature, which there is no point in before the header is
// known to be good.
func (t *compact) decode() (err error) {
	buffer := make([]byte, 0, (len(t.parts[1])+len(t.parts[2]))*3/4)
	if t.payload, err = decode(buffer, t.parts[1]); err != nil {
		return err
	}
	t.signature, err = decode(t.payload[len(t.payload):], t.parts[2])
	return err
}

// decode decodes a part into what is left of buffer.
func decode(buffer []byte, part string) ([]byte, error) {
	b, err := base64url.AppendDecode(buffer, part)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return b, nil
}

// signedBy returns nil if key has signed t.
func (t compact) signedBy(key *rsa.PublicKey) error {
	sum := sha256.Sum256(unsafe.Slice(unsafe.StringData(t.input), len(t.input))) // only read
	if rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], t.signature) != nil {
		return ErrSignature
	}
	return nil
}
