// Package jwks decides which public key a kid names, and when it is worth asking the issuer again.
//
// A [Set] is the key set one issuer publishes. Key answers from memory for as long as that is
// right, and otherwise fetches, once for all who wait:
//
//   - A key serves for an hour after the set was last seen; then the next caller has the set
//     confirmed. What is fetched replaces what was known, so a key that the issuer has withdrawn is
//     refused after an hour at most, even if no new key is ever asked for.
//   - If confirming fails, known keys serve on for up to 24 hours since the set was last seen.
//     After that nobody can tell whose they are.
//   - A kid that is not in the set may be a new key or an invention. Either way the set is fetched
//     at most once in 10 seconds: inventing kids buys no more fetches, and a new key is accepted 10
//     seconds after its publication at the latest, whatever else is asked meanwhile. Until then
//     nobody can tell, unless the token is older than the set: an issuer publishes a key before it
//     signs with it.
//   - A token that came straight from the issuer has a kid that nobody else chose. It is worth a
//     fetch at any time.
//   - An unusable fetch changes nothing. Unusable means: not answered 200 within 3 seconds, not
//     JSON, compressed, larger than 1 MB, or without a single usable key. Redirects are not
//     followed.
//
// Two failures are kept apart. [ErrUnknownKey]: the set, as last published, does not hold the key.
// [ErrUnavailable]: nobody can tell. Nothing here runs in the background: an environment that is
// frozen between events would only wake up to stale timers.
//
// A set known beforehand, from the time of deployment, can be given as Config.Snapshot. It serves
// at once, and its hour and its 24 hours begin when the process does: how old it is by then, nobody
// can say, and the first refresh settles it.
package jwks

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"edgeauth/internal/clock"
	"edgeauth/internal/endpoint"
	"edgeauth/internal/reason"
)

// The times that the package comment speaks of.
const (
	Refresh  = time.Hour
	Limit    = 24 * time.Hour
	Cooldown = 10 * time.Second
	Timeout  = 3 * time.Second
	Skew     = 30 * time.Second // by which the issuer's clock may differ from ours
)

// Why there is no key.
var (
	ErrUnknownKey  = reason.New(reason.TokenUnknownKey, "jwks: no key by that id")
	ErrUnavailable = reason.New(reason.KeysUnavailable, "jwks: key set out of reach")
)

// Why nobody can tell, where no fetch says so itself.
var (
	errNoAnswer = errors.New("no answer yet")
	errTooSoon  = errors.New("the key may be newer than the set, which was asked for a moment ago")
)

// Config says where a key set is published and what is known of it.
type Config struct {
	URL      string           // https, or http to a loopback host
	Snapshot []byte           // the key set as it was known beforehand; nil: nothing is known
	Now      func() time.Time // nil: time.Now
	Client   *http.Client     // nil: a client of our own, which trusts Roots before the system's roots. Redirects are not followed in either
	Roots    *x509.CertPool   // nil: Amazon's roots
	Failed   func(error)      // told of each fetch that failed, Prefetch's too, while it ends; nil: nobody is
}

// Set is the key set of one issuer. It is safe for concurrent use.
type Set struct {
	url  string
	now  func() time.Time
	get  func(*http.Request) (*http.Response, error)
	tell func(error)

	mu     sync.Mutex // guards what follows
	keys   map[string]*rsa.PublicKey
	seen   time.Time // when keys were last known to be what the issuer publishes
	asked  time.Time // when the issuer was last asked, but for Prefetch
	failed error     // what came of asking
	flight *flight   // the fetch under way, nil: none
	begun  int       // fetches so far
	landed int       // of these, the last one that brought a set
}

// New returns the set that c describes. It fetches nothing.
func New(c Config) (*Set, error) {
	if err := endpoint.Check(c.URL); err != nil {
		return nil, fmt.Errorf("jwks: %w", err)
	}
	s := &Set{url: c.URL, now: c.Now, tell: c.Failed}
	if s.tell == nil {
		s.tell = func(error) {}
	}
	if s.now == nil {
		s.now = time.Now
	}
	if c.Client != nil {
		s.get = endpoint.Unredirected(c.Client)
	} else {
		s.get = strictClient(c.Roots)
	}
	if c.Snapshot != nil {
		keys, err := Parse(c.Snapshot)
		if err != nil {
			return nil, fmt.Errorf("jwks: snapshot: %w", err)
		}
		s.replace(keys, s.wall())
	}
	return s, nil
}

// Wanted is a key, as a token names it that nobody has verified yet.
type Wanted struct {
	ID     string    // the token's kid
	Issued time.Time // the token's iat; zero: now
	Direct bool      // the token came from the issuer itself, over TLS
}

// Key returns the key that w names, or ErrUnknownKey, or ErrUnavailable.
func (s *Set) Key(ctx context.Context, w Wanted) (*rsa.PublicKey, error) {
	q := question{Wanted: w}
	for {
		key, f, err := s.look(&q)
		if f == nil {
			return key, err
		}
		select {
		case <-f.done:
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: %w", ErrUnavailable, context.Cause(ctx))
		}
	}
}

// question is a call of Key.
type question struct {
	Wanted
	asked         bool // the two below are set
	begun, landed int  // flights when the question was asked
}

// look answers from what is known, or returns the fetch to wait for before looking again.
func (s *Set) look(q *question) (*rsa.PublicKey, *flight, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !q.asked {
		q.asked, q.begun, q.landed = true, s.begun, s.landed
	}
	now := s.wall()
	key := s.keys[q.ID]
	known, fresh, usable := key != nil, clock.Within(now, s.seen, Refresh), clock.Within(now, s.seen, Limit)
	cool := !clock.Within(now, s.asked, Cooldown)
	worthIt := q.Direct && !known && s.begun == q.begun
	switch under := s.underWay(now); {
	case known && fresh: // served from memory
		return key, nil, nil
	case known && usable && under != nil: // somebody else is having it confirmed
		return key, nil, nil
	case under != nil: // what comes of that decides
		return nil, under, nil
	case cool, worthIt: // nobody has asked lately, or for this token it is worth asking again
		s.asked, s.failed = now, errNoAnswer
		return nil, s.depart(now), nil
	case known && usable: // it could not be confirmed, and serves on
		return key, nil, nil
	case s.failed != nil: // there is no set that would say so
		return nil, nil, fmt.Errorf("%w: %w", ErrUnavailable, s.failed)
	case usable && s.settles(q, now): // the set lacks it
		return nil, nil, ErrUnknownKey
	}
	return nil, nil, fmt.Errorf("%w: %w", ErrUnavailable, errTooSoon)
}

// settles reports whether a key that is not in the set is none: the set was seen since q was asked,
// or well after the token was issued.
func (s *Set) settles(q *question, now time.Time) bool {
	issued := q.Issued
	if issued.IsZero() {
		issued = now
	}
	return s.landed != q.landed || !s.seen.Before(issued.Add(Skew))
}

// wall is the time with no monotonic reading, which may stand still while an environment is frozen:
// keys age all the same.
func (s *Set) wall() time.Time { return s.now().Round(0) }

// replace makes keys the whole of what is known.
func (s *Set) replace(keys []Key, at time.Time) {
	s.keys = make(map[string]*rsa.PublicKey, len(keys))
	for _, k := range keys {
		s.keys[k.ID] = k.Public
	}
	s.seen = at
}
