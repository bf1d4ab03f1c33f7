//go:build !race

package main

// Allocations are the part of a decision's cost that is the same on every machine, so they are what
// a test can hold.

import (
	"context"
	"io"
	"runtime"
	"testing"

	"edgeauth/internal/token/tokentest"
)

func TestAllocations(t *testing.T) {
	pool := tokentest.New(t)
	a := newAuthorizer(t, pool, io.Discard)
	for _, c := range []struct {
		name          string
		r             request
		allocs, bytes uint64 // at most, for one invocation
	}{
		{"allow", page.session(pool.IDToken(tokentest.Claims{"cognito:groups": tokentest.Groups(2, 12)})), 20, 4096},
		{"login", page, 3, 512},
		{"401", script, 3, 256},
	} {
		const n = 200
		event := c.r.event(t)
		var before, after runtime.MemStats
		a.Invoke(context.Background(), event)
		runtime.ReadMemStats(&before)
		for range n {
			a.Invoke(context.Background(), event)
		}
		runtime.ReadMemStats(&after)
		allocs, bytes := (after.Mallocs-before.Mallocs)/n, (after.TotalAlloc-before.TotalAlloc)/n
		if allocs > c.allocs || bytes > c.bytes {
			t.Errorf("%s: %d allocations of %d bytes, limits %d and %d", c.name, allocs, bytes, c.allocs, c.bytes)
		}
	}
}
