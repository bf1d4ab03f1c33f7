package tokentest

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"math/big"
	"sync"
)

// Key is a signing key and its name.
type Key struct {
	ID      string
	Private *rsa.PrivateKey
}

// stock holds the keys that all pools of a test binary share. The first two are published examples, so that a token made of them is the same in
// every run: RFC 7515 appendix A.2 and RFC 7520 section 3.4. The others are made when they are first asked for.
var stock = [4]func() Key{
	sync.OnceValue(func() Key {
		return published(
			"4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdiYrqBdss1l58BQ3KhooKeQTa9AB0Hw_Py5PJdTJNPY8cQn7ouZ2KKDcmnPGBY5t7yLc1QlQ5xHdwW1VhvKn-nXqhJTBgIPgtldC-KDV5z-y2XDwGUc",
			"uQPEfgmVtjL0Uyyx88GZFF1fOunH3-7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYsp1ZSe7zFYHj7C6ul7TjeLQeZD_YwD66t62wDmpe_HlB-TnBA-njbglfIsRLtXlnDzQkv5dTltRJ11BKBBypeeF6689rjcJIDEz9RWdc")
	}),
	sync.OnceValue(func() Key {
		return published(
			"3Slxg_DwTXJcb6095RoXygQCAZ5RnAvZlno1yhHtnUex_fp7AZ_9nRaO7HX_-SFfGQeutao2TDjDAWU4Vupk8rw9JR0AzZ0N2fvuIAmr_WCsmGpeNqQnev1T7IyEsnh8UMt-n5CafhkikzhEsrmndH6LxOrvRJlsPp6Zv8bUq0k",
			"uKE2dh-cTf6ERF4k4e_jy78GfPYUIaUyoSSJuBzp3Cubk3OCqs6grT8bR_cu0Dm1MZwWmtdqDyI95HrUeq3MP15vMMON8lHTeZu2lmKvwqW7anV5UzhM1iZ7z4yMkuUwFWoBvyY898EXvRD-hdqRxHlSqAZ192zB3pVFJ0s7pFc")
	}),
	sync.OnceValue(func() Key { return NewKey(2048) }),
	sync.OnceValue(func() Key { return NewKey(2048) }),
}

// StockKey returns one of four keys that stay the same all through a test binary; pools start with 0 and 1, which are the same in every run.
func StockKey(i int) Key { return stock[i]() }

// NewKey makes a key.
func NewKey(bits int) Key {
	private, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		panic(err)
	}
	return named(private)
}

// published returns the key of two primes in base64url, with the usual exponent.
func published(p, q string) Key {
	primes := []*big.Int{integer(p), integer(q)}
	one := big.NewInt(1)
	private := &rsa.PrivateKey{Primes: primes}
	private.E = 65537
	private.N = new(big.Int).Mul(primes[0], primes[1])
	phi := new(big.Int).Mul(new(big.Int).Sub(primes[0], one), new(big.Int).Sub(primes[1], one))
	private.D = new(big.Int).ModInverse(big.NewInt(65537), phi)
	private.Precompute()
	if err := private.Validate(); err != nil {
		panic(err)
	}
	return named(private)
}

func integer(base64url string) *big.Int {
	b, err := base64.RawURLEncoding.DecodeString(base64url)
	if err != nil {
		panic(err)
	}
	return new(big.Int).SetBytes(b)
}

// named names a key as Cognito does: standard base64 of 32 bytes.
func named(private *rsa.PrivateKey) Key {
	id := sha256.Sum256(private.N.Bytes())
	return Key{base64.StdEncoding.EncodeToString(id[:]), private}
}
