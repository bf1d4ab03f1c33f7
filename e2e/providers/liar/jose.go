package liar

// This file decides how a token is signed: honestly, or as a lie wants it.

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"sync"
)

// key is a signing key with its name in the key set.
type key struct {
	id      string
	private *rsa.PrivateKey
}

// stock returns a key that is made once a process: making one costs more than a walk.
var stock = func() func(id string) *key {
	var (
		mu    sync.Mutex
		known = map[string]*key{}
	)
	return func(id string) *key {
		mu.Lock()
		defer mu.Unlock()
		if known[id] == nil {
			known[id] = &key{id, must(rsa.GenerateKey(rand.Reader, 2048))}
		}
		return known[id]
	}
}()

func newKey() *key { return &key{rand.Text(), must(rsa.GenerateKey(rand.Reader, 2048))} }

// public is the key as RFC 7517 writes it.
func (k *key) public() map[string]any {
	return map[string]any{"kty": "RSA", "kid": k.id, "use": "sig", "alg": "RS256", "n": number(k.private.N), "e": number(big.NewInt(int64(k.private.E)))}
}

func number(n *big.Int) string { return b64(n.Bytes()) }

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func text(v any) string { return string(must(json.Marshal(v))) }

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// sign returns a token in the compact form of RFC 7515, section 3.1.
func (p *Provider) sign(l *Lie, header, claims map[string]any) string {
	head, body := text(header), text(claims)
	if l.HeaderText != nil {
		head = l.HeaderText(head)
	}
	if l.ClaimsText != nil {
		body = l.ClaimsText(body)
	}
	input := b64([]byte(head)) + "." + b64([]byte(body))
	sign := l.Sign
	if sign == nil {
		sign = func(p *Provider, input string) []byte { return rs256(p.signing, input) }
	}
	return input + "." + b64(sign(p, input))
}

func rs256(k *key, input string) []byte {
	sum := sha256.Sum256([]byte(input))
	return must(rsa.SignPKCS1v15(nil, k.private, crypto.SHA256, sum[:]))
}

func rs384(k *key, input string) []byte {
	sum := sha512.Sum384([]byte(input))
	return must(rsa.SignPKCS1v15(nil, k.private, crypto.SHA384, sum[:]))
}

func rs512(k *key, input string) []byte {
	sum := sha512.Sum512([]byte(input))
	return must(rsa.SignPKCS1v15(nil, k.private, crypto.SHA512, sum[:]))
}

func ps256(k *key, input string) []byte {
	sum := sha256.Sum256([]byte(input))
	return must(rsa.SignPSS(rand.Reader, k.private, crypto.SHA256, sum[:], nil))
}

func hs256(secret []byte, input string) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(input))
	return mac.Sum(nil)
}

// publicPEM is the signing key in the form that has been taken for an HMAC secret.
func (k *key) publicPEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: must(x509.MarshalPKIXPublicKey(&k.private.PublicKey))})
}

// curve is an elliptic key, for what is not RSA.
var curve = sync.OnceValue(func() *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) })

func es256(input string) []byte {
	sum := sha256.Sum256([]byte(input))
	r, s, err := ecdsa.Sign(rand.Reader, curve(), sum[:])
	if err != nil {
		panic(err)
	}
	return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
}

func curvePublic(id string) map[string]any {
	point := must(curve().PublicKey.Bytes()) // 4, x, y
	return map[string]any{"kty": "EC", "kid": id, "use": "sig", "alg": "ES256", "crv": "P-256", "x": b64(point[1:33]), "y": b64(point[33:])}
}

// weak is a key that is too short to be one (RFC 7518 section 3.3).
var weak = sync.OnceValue(func() *key {
	// The standard library makes no such key: two primes of 512 bits do.
	for {
		p, q := must(rand.Prime(rand.Reader, 512)), must(rand.Prime(rand.Reader, 512))
		one := big.NewInt(1)
		phi := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
		d := new(big.Int).ModInverse(big.NewInt(65537), phi)
		if d == nil || p.Cmp(q) == 0 {
			continue
		}
		return &key{"weak", &rsa.PrivateKey{
			PublicKey: rsa.PublicKey{N: new(big.Int).Mul(p, q), E: 65537}, D: d, Primes: []*big.Int{p, q},
		}}
	}
})

// weakSignature signs with the weak key by hand: RFC 8017, section 8.2.
func weakSignature(input string) []byte {
	sum := sha256.Sum256([]byte(input))
	prefix := []byte{0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20}
	size := (weak().private.N.BitLen() + 7) / 8
	padded := []byte{0, 1}
	for len(padded) < size-len(prefix)-len(sum)-1 {
		padded = append(padded, 0xff)
	}
	padded = append(append(append(padded, 0), prefix...), sum[:]...)
	m := new(big.Int).SetBytes(padded)
	return new(big.Int).Exp(m, weak().private.D, weak().private.N).FillBytes(make([]byte, size))
}
