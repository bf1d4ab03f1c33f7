package device

// This file decides what is a proof: a JWT of one type, with one algorithm, by one key. What it says
// is the challenge, and nothing else of it counts.
//
// https://w3c.github.io/webappsec-dbsc/#format-jwt; RFC 7515 (JWS), RFC 7517 (JWK), RFC 7518,
// section 3.4 (ES256) and section 6.2 (keys).

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"math/big"
	"strings"

	"edgeauth/internal/base64url"
	"edgeauth/internal/jsonread"
)

const (
	maxProof  = 2048 // bytes; those of Chromium are about 500
	coordSize = 32   // bytes of a coordinate, and of half a signature: P-256
)

// header is what counts of a proof's protected header.
type header struct {
	typ, alg string
	key      string // as Registered returns it; "" when there is no jwk
	jwk      bool   // there is one, good or not
	critical bool   // it says that there is more to understand
}

// Registered returns the key that a registration carries, and the challenge that it signs. The key
// is text: the two coordinates one after the other, base64url. The error is ErrProof.
func Registered(jwt string) (key, challenge string, err error) {
	signed, h, ok := parse(jwt)
	if !ok || !signed.by(h.key) {
		return "", "", ErrProof
	}
	challenge, err = signed.challenge()
	return h.key, challenge, err
}

// Proven returns the challenge that a proof by key signs. One that brings a key of its own is none.
// The error is ErrProof.
func Proven(jwt, key string) (challenge string, err error) {
	signed, h, ok := parse(jwt)
	if !ok || h.jwk || !signed.by(key) {
		return "", ErrProof
	}
	return signed.challenge()
}

// signed is a JWT in parts.
type signed struct {
	text      string // what the signature is over
	payload   []byte
	signature []byte
}

func parse(jwt string) (s signed, h header, ok bool) {
	if len(jwt) > maxProof {
		return s, h, false
	}
	parts := strings.Split(jwt, ".")
	if len(parts) != 3 {
		return s, h, false
	}
	var decoded [3][]byte
	for i, part := range parts {
		var err error
		if decoded[i], err = base64url.AppendDecode(nil, part); err != nil {
			return s, h, false
		}
	}
	if h, ok = readHeader(decoded[0]); !ok || h.typ != "dbsc+jwt" || h.alg != "ES256" || h.critical {
		return s, h, false
	}
	return signed{parts[0] + "." + parts[1], decoded[1], decoded[2]}, h, true
}

func readHeader(text []byte) (h header, ok bool) {
	r := jsonread.New(text)
	for name := range r.Members() {
		switch name {
		case "typ":
			h.typ, _ = r.String()
		case "alg":
			h.alg, _ = r.String()
		case "jwk":
			h.jwk, h.key = true, readKey(&r)
		case "crit", "b64":
			h.critical = true
			r.Skip()
		default:
			r.Skip()
		}
	}
	return h, r.End() == nil
}

// readKey reads a JWK and returns its key, or "" if it is none: a public one, for P-256. Whether it is
// on the curve shows when something is verified by it.
func readKey(r *jsonread.Reader) string {
	var kty, crv, x, y string
	private := false
	for name := range r.Members() {
		switch name {
		case "kty":
			kty, _ = r.String()
		case "crv":
			crv, _ = r.String()
		case "x":
			x, _ = r.String()
		case "y":
			y, _ = r.String()
		case "d":
			private = true
			r.Skip()
		default:
			r.Skip()
		}
	}
	if kty != "EC" || crv != "P-256" || private {
		return ""
	}
	point := make([]byte, 0, 2*coordSize)
	for _, text := range []string{x, y} {
		coordinate, err := base64url.AppendDecode(nil, text)
		if err != nil || len(coordinate) != coordSize {
			return ""
		}
		point = append(point, coordinate...)
	}
	return base64.RawURLEncoding.EncodeToString(point)
}

// public returns the key that text stands for: a point on the curve, with coordinates that are
// below the field's order.
func public(key string) (*ecdsa.PublicKey, bool) {
	point, err := base64url.AppendDecode([]byte{4}, key) // 4: not compressed (SEC 1, section 2.3.3)
	if err != nil {
		return nil, false
	}
	p, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	return p, err == nil
}

// by reports whether the signature is by key.
func (s signed) by(key string) bool {
	p, ok := public(key)
	if !ok || len(s.signature) != 2*coordSize {
		return false
	}
	sum := sha256.Sum256([]byte(s.text))
	half := func(b []byte) *big.Int { return new(big.Int).SetBytes(b) }
	return ecdsa.Verify(p, sum[:], half(s.signature[:coordSize]), half(s.signature[coordSize:]))
}

// challenge returns the payload's jti. Neither an audience nor a subject is wanted: browsers have
// ceased to send them.
func (s signed) challenge() (jti string, err error) {
	r := jsonread.New(s.payload)
	for name := range r.Members() {
		if name == "jti" {
			jti, _ = r.String()
		} else {
			r.Skip()
		}
	}
	if r.End() != nil || jti == "" {
		return "", ErrProof
	}
	return jti, nil
}
