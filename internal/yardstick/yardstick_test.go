package yardstick

import (
	"math"
	"testing"
	"time"
)

func TestTrafficIsAsSaid(t *testing.T) {
	pool := NewPool()
	for _, size := range []Size{Small, Large} {
		tokens := Tokens(pool, size, 2)
		if tokens[0] == tokens[1] {
			t.Errorf("%s: the tokens are the same", size.Name)
		}
		if n := len(tokens[0]); n < size.Bytes-3 || n > size.Bytes+3 {
			t.Errorf("%s: a token of %d bytes, want %d", size.Name, n, size.Bytes)
		}
		if n := len(Event(Session(tokens[0]))) - 2*len(tokens[0]); n < 3000 || n > 4000 {
			t.Errorf("%s: an event of %d bytes beside the tokens, want about 3.5 kB", size.Name, n)
		}
		Limit(&pool.Keys()[0].Private.PublicKey, tokens).Run(2)
	}
}

// TestRatio compares code whose cost is known, by a clock that the code itself moves.
func TestRatio(t *testing.T) {
	var now time.Duration
	costs := func(name string, each time.Duration) Variant {
		return Variant{name, func(n int) { now += time.Duration(n) * each }, func() time.Duration { return now }}
	}
	got := Compare(costs("limit", 40*time.Microsecond), 5, costs("double", 80*time.Microsecond), costs("tenth", 4*time.Microsecond))
	for i, want := range []Result{{Name: "double", Ratio: 2, Quiet: 80 * time.Microsecond}, {Name: "tenth", Ratio: 0.1, Quiet: 4 * time.Microsecond}} {
		g := got[i]
		if g.Name != want.Name || math.Abs(g.Ratio-want.Ratio) > 1e-9 || g.Quiet != want.Quiet || math.Abs(g.Upper-g.Lower) > 1e-9 {
			t.Errorf("got %+v, want %+v", g, want)
		}
	}
}

func TestQuantile(t *testing.T) {
	tests := []struct {
		all   []float64
		share float64
		want  float64
	}{
		{nil, 0.5, 0},
		{[]float64{7}, 0.5, 7},
		{[]float64{3, 1, 2}, 0.5, 2},
		{[]float64{4, 1, 3, 2}, 0.5, 2.5},
		{[]float64{1, 2, 3, 4, 5}, 0.25, 2},
		{[]float64{1, 2, 3, 4, 5}, 1, 5},
	}
	for _, test := range tests {
		if got := Quantile(test.all, test.share); got != test.want {
			t.Errorf("Quantile(%v, %v) = %v, want %v", test.all, test.share, got, test.want)
		}
	}
}
