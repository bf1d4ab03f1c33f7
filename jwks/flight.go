package jwks

// This file decides who fetches: one for all who wait, and nobody waits for a fetch that was frozen
// on its way.

import (
	"context"
	"fmt"
	"time"

	"edgeauth/internal/clock"
)

// flight is one fetch of the key set under way.
type flight struct {
	done     chan struct{} // closed when what came of it is known
	number   int           // of all fetches
	started  time.Time
	prefetch bool
}

// Prefetch begins to fetch the set unless keys are known already, so that it is under way while the
// process gets ready. A Key call joins it; should the environment be frozen meanwhile, or the fetch
// fail, Key fetches anew: a failed Prefetch starts no cooldown.
func (s *Set) Prefetch() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := s.wall(); s.keys == nil && s.underWay(now) == nil {
		s.depart(now).prefetch = true
	}
}

// underWay returns the fetch under way. One that should have ended long since was frozen with the
// environment, and its connection is dead: it does not count, and what may still come of it is
// ignored.
func (s *Set) underWay(now time.Time) *flight {
	if s.flight != nil && !clock.Within(now, s.flight.started, Timeout+time.Second) {
		s.flight = nil
	}
	return s.flight
}

// depart starts a fetch. It belongs to nobody's context, so that no caller who gives up takes it
// from those who wait; its own timeout ends it.
func (s *Set) depart(now time.Time) *flight {
	s.begun++
	f := &flight{done: make(chan struct{}), number: s.begun, started: now}
	s.flight = f
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), Timeout)
		defer cancel()
		keys, err := s.fetch(ctx)
		if err != nil {
			err = fmt.Errorf("%s: %w", s.url, err)
			s.tell(err)
		}
		s.land(f, keys, err)
	}()
	return f
}

// land settles what came of f.
func (s *Set) land(f *flight, keys []Key, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer close(f.done)
	if s.flight != f {
		return
	}
	s.flight = nil
	if err != nil && f.prefetch {
		return
	}
	s.asked, s.failed = f.started, err
	if err == nil {
		s.replace(keys, f.started)
		s.landed = f.number
	}
}

// Fetches returns how many fetches were begun so far, for whoever counts them.
func (s *Set) Fetches() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.begun
}
