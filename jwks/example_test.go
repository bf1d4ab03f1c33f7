package jwks_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"time"

	"edgeauth/jwks"
)

// A Set fetches when it must and answers from memory otherwise. Two failures stay apart: no such
// key, and nobody can tell.
func ExampleSet_Key() {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		fmt.Println(err)
		return
	}
	fetches := 0
	issuer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fetches++
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"keys":[{"kid":"k1","kty":"RSA","alg":"RS256","use":"sig","n":%q,"e":%q}]}`,
			base64.RawURLEncoding.EncodeToString(private.N.Bytes()), base64.RawURLEncoding.EncodeToString(big.NewInt(int64(private.E)).Bytes()))
	}))
	defer issuer.Close()

	keys, err := jwks.New(jwks.Config{URL: issuer.URL + "/.well-known/jwks.json"})
	if err != nil {
		fmt.Println(err)
		return
	}
	for range 3 {
		key, err := keys.Key(context.Background(), jwks.Wanted{ID: "k1", Issued: time.Now()})
		fmt.Println(key.Equal(&private.PublicKey), err)
	}
	_, err = keys.Key(context.Background(), jwks.Wanted{ID: "k2", Issued: time.Now().Add(-time.Hour)})
	fmt.Println(errors.Is(err, jwks.ErrUnknownKey), errors.Is(err, jwks.ErrUnavailable))
	fmt.Println("fetches:", fetches)
	// Output:
	// true <nil>
	// true <nil>
	// true <nil>
	// true false
	// fetches: 1
}

// An issuer that does not answer is no reason to refuse anybody: the caller says so, with a 5xx.
func ExampleNew_outOfReach() {
	issuer := httptest.NewServer(http.NotFoundHandler())
	defer issuer.Close()
	keys, err := jwks.New(jwks.Config{URL: issuer.URL})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = keys.Key(context.Background(), jwks.Wanted{ID: "k1"})
	fmt.Println(errors.Is(err, jwks.ErrUnavailable), errors.Is(err, jwks.ErrStatus))
	// Output: true true
}

// Parse reads a key set that somebody has fetched already.
func ExampleParse() {
	_, err := jwks.Parse([]byte(`{"keys":[{"kid":"k1","kty":"EC","crv":"P-256"}]}`))
	fmt.Println(err)
	// Output: jwks: no usable key in the set
}
