//go:build !race

package token_test

// Allocations are the part of a verification's cost that is the same on every machine, so they are
// what a test can hold.

import (
	"context"
	"testing"

	"edgeauth/internal/token"
	"edgeauth/internal/token/tokentest"
)

func TestAllocations(t *testing.T) {
	p := tokentest.New(t)
	v := p.Verifier(t, token.ID)
	for i, limit := range []float64{16, 22} { // of which 9 are crypto/rsa's
		raw := sized(p, sizes[i].groups)
		got := testing.AllocsPerRun(100, func() {
			if _, err := v.Verify(context.Background(), raw, token.Checks{}); err != nil {
				t.Fatal(err)
			}
		})
		if got > limit {
			t.Errorf("%s: %v allocations, limit %v", sizes[i].name, got, limit)
		}
	}
}
