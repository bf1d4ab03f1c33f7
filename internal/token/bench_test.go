package token_test

// The cost of a verification next to what nobody can do without: SHA-256 and RSA.

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"testing"

	"edgeauth/internal/token"
	"edgeauth/internal/token/tokentest"
)

// sizes are the tokens of two users: one in two groups, one in a hundred.
var sizes = []struct {
	name   string
	groups []string
}{
	{"1k", tokentest.Groups(2, 20)},
	{"4k", tokentest.Groups(100, 20)},
}

func sized(p *tokentest.Pool, groups []string) string {
	return p.IDToken(tokentest.Claims{"cognito:groups": groups, "nonce": strings.Repeat("n", 43), "at_hash": strings.Repeat("h", 22)})
}

// BenchmarkRSA is the floor: the signature decoded, the input hashed, the signature verified.
func BenchmarkRSA(b *testing.B) {
	for _, size := range sizes {
		b.Run(size.name, func(b *testing.B) {
			p := tokentest.New(b)
			raw := sized(p, size.groups)
			key := &p.Keys()[0].Private.PublicKey
			dot := strings.LastIndexByte(raw, '.')
			input := []byte(raw[:dot])
			b.ReportAllocs()
			for b.Loop() {
				signature, _ := base64.RawURLEncoding.DecodeString(raw[dot+1:])
				sum := sha256.Sum256(input)
				if err := rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkVerify is a whole verification.
func BenchmarkVerify(b *testing.B) {
	for _, size := range sizes {
		b.Run(size.name, func(b *testing.B) {
			p := tokentest.New(b)
			raw := sized(p, size.groups)
			v := p.Verifier(b, token.ID)
			ctx := context.Background()
			b.ReportAllocs()
			b.SetBytes(int64(len(raw)))
			for b.Loop() {
				if _, err := v.Verify(ctx, raw, token.Checks{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkRefuse is what junk costs: everything but a signature is wrong with it.
func BenchmarkRefuse(b *testing.B) {
	p := tokentest.New(b)
	v := p.Verifier(b, token.ID)
	for _, c := range []struct{ name, raw string }{
		{"alg none", p.Keys()[0].Sign(`{"alg":"none"}`, "{}")},
		{"unknown key", tokentest.StockKey(2).Token(p.IDClaims(nil))},
		{"dots", strings.Repeat(".", 10<<10)},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := v.Verify(b.Context(), c.raw, token.Checks{}); err == nil {
					b.Fatal("accepted")
				}
			}
		})
	}
}
