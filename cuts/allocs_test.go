//go:build !race

package cuts_test

import (
	"context"
	"testing"
)

// While no reading is due, to ask costs no allocation.
func TestNoAllocation(t *testing.T) {
	s := newStore(t)
	s.write(s.entry(0, "sign-in "+alice.SignIn), 0)
	l := s.list()
	want(t, l, bob, nil)
	if n := testing.AllocsPerRun(100, func() { l.Check(context.Background(), bob); l.Check(context.Background(), alice) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	wantReadings(t, s, 1)
}
