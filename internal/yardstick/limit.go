// This file is the limit: the least that checking a token can mean in Go, and how much a piece of code allocates.

package yardstick

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"runtime"
	"strings"
)

// Limit is the raw signature check of tokens, one after the other: SHA-256 of the signing input, base64 of the signature, rsa.VerifyPKCS1v15. It reads
// no claim. It panics if a token is not signed with key.
func Limit(key *rsa.PublicKey, tokens []string) Variant {
	next := 0
	return Variant{Name: "limit", Run: func(n int) {
		for range n {
			check(key, tokens[next%len(tokens)])
			next++
		}
	}}
}

func check(key *rsa.PublicKey, token string) {
	dot := strings.LastIndexByte(token, '.')
	signature, err := base64.RawURLEncoding.DecodeString(token[dot+1:])
	if err != nil {
		panic(err)
	}
	sum := sha256.Sum256([]byte(token[:dot]))
	if err := rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature); err != nil {
		panic(err)
	}
}

// allocations returns how much one run allocates, in objects and bytes.
func allocations(run func(int)) (objects, bytes float64) {
	const runs = 200
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	run(runs) // what is set up once does not count
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	run(runs)
	runtime.ReadMemStats(&after)
	return float64((after.Mallocs - before.Mallocs) / runs), float64((after.TotalAlloc - before.TotalAlloc) / runs)
}
