package login_test

// This file tests what a sign-in needs of the key set while the provider changes its keys.

import (
	"testing"

	"edgeauth/internal/token/tokentest"
	"edgeauth/jwks"
)

// TestKeysThatChangeDuringASignIn: a token that is signed with a key of this second is good, however lately the set was fetched.
func TestKeysThatChangeDuringASignIn(t *testing.T) {
	w := newSystem(t)
	set, err := jwks.New(jwks.Config{URL: w.Pool.Server(t), Now: w.Pool.Now})
	if err != nil {
		t.Fatal(err)
	}
	w.provider.Keys = set
	for i := range 3 {
		w.Pool.SetKeys(tokentest.StockKey(i), tokentest.StockKey(3))
		b := w.browser()
		if b.signIn("alice", base+"/"); b.who() != "alice" || set.Fetches() != i+1 {
			t.Errorf("key %d: signed in as %q, %d fetches", i, b.who(), set.Fetches())
		}
	}
}
