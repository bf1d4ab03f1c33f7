package jwks_test

// When a key is taken from memory and when it is fetched. The clock is the pool's and the network
// is in memory, so that a day and a flood take no time.

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"edgeauth/internal/reason"
	"edgeauth/internal/token/tokentest"
	"edgeauth/jwks"
)

// network is an http.RoundTripper that leads to a pool's key set, unless it is told otherwise.
type network struct {
	*tokentest.Pool
	mu      sync.Mutex // guards what follows
	fetches int
	answer  func(*http.Request) (*http.Response, error) // nil: the pool's key set
}

var errOutage = errors.New("network is down")

func outage(*http.Request) (*http.Response, error) { return nil, errOutage }

func (n *network) RoundTrip(r *http.Request) (*http.Response, error) {
	n.mu.Lock()
	n.fetches++
	answer := n.answer
	n.mu.Unlock()
	if answer != nil {
		return answer(r)
	}
	return ok(n.JWKS()), nil
}

func (n *network) set(answer func(*http.Request) (*http.Response, error)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.answer = answer
}

func (n *network) count() int { n.mu.Lock(); defer n.mu.Unlock(); return n.fetches }

func ok(body []byte) *http.Response {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(body))}
}

// newSet returns a key set behind a network, with a snapshot if there is one.
func newSet(t testing.TB, snapshot []byte) (*jwks.Set, *network) {
	n := &network{Pool: tokentest.New(t)}
	s, err := jwks.New(jwks.Config{URL: "https://keys.example/jwks.json", Now: n.Now, Client: &http.Client{Transport: n}, Snapshot: snapshot})
	if err != nil {
		t.Fatal(err)
	}
	return s, n
}

// want asks for the key of a token that k signed long ago: nil wants the very key, else the error.
func want(t testing.TB, s *jwks.Set, k tokentest.Key, err error) {
	t.Helper()
	wantOf(t, s, k, jwks.Wanted{Issued: tokentest.Start.Add(-24 * time.Hour)}, err)
}

// wantOf asks for the key of a token that k signed, and that is otherwise as w says.
func wantOf(t testing.TB, s *jwks.Set, k tokentest.Key, w jwks.Wanted, err error) {
	t.Helper()
	w.ID = k.ID
	key, got := s.Key(context.Background(), w)
	if !errors.Is(got, err) || err == nil && (got != nil || !key.Equal(&k.Private.PublicKey)) || err != nil && key != nil {
		t.Errorf("got %v, %v, want %v", key, got, err)
	}
}

func wantFetches(t testing.TB, n *network, want int) {
	t.Helper()
	if got := n.count(); got != want {
		t.Errorf("%d fetches, want %d", got, want)
	}
}

var unknown = tokentest.Key{ID: "unknown"}

func TestKeyIsFetchedOnceAndKept(t *testing.T) {
	s, n := newSet(t, nil)
	wantFetches(t, n, 0)
	for range 3 {
		want(t, s, tokentest.StockKey(0), nil)
		want(t, s, tokentest.StockKey(1), nil)
		want(t, s, unknown, jwks.ErrUnknownKey)
	}
	wantFetches(t, n, 1)
}

func TestErrorsCarryTheirReason(t *testing.T) {
	if reason.Of(jwks.ErrUnknownKey).Outcome() != reason.Invalid || reason.Of(jwks.ErrUnavailable).Outcome() != reason.CannotTell {
		t.Error("an unknown key is invalid, keys out of reach leave nobody able to tell")
	}
}

// A refresh replaces the set: CVE-2025-22149 is what happens when it merges.
func TestR18AKeyThatHasLeftIsRefusedAfterAnHour(t *testing.T) {
	s, n := newSet(t, nil)
	want(t, s, tokentest.StockKey(0), nil)
	n.SetKeys(tokentest.StockKey(1))
	n.Advance(jwks.Refresh - 1)
	want(t, s, tokentest.StockKey(0), nil)
	wantFetches(t, n, 1)
	n.Advance(1)
	want(t, s, tokentest.StockKey(0), jwks.ErrUnknownKey)
	want(t, s, tokentest.StockKey(1), nil)
	wantFetches(t, n, 2)
}

func TestR18KeysAreConfirmedOnceAnHour(t *testing.T) {
	s, n := newSet(t, nil)
	for i := range 5 {
		want(t, s, tokentest.StockKey(0), nil)
		n.Advance(jwks.Refresh - 1)
		want(t, s, tokentest.StockKey(0), nil)
		wantFetches(t, n, i+1)
		n.Advance(1)
	}
}

// In an outage known keys serve on, at the price of one fetch in a cooldown, until a day after the
// set was last seen.
func TestR18KnownKeysOutliveAnOutageUpToTheLimit(t *testing.T) {
	for name, snapshot := range map[string][]byte{"fetched": nil, "snapshot": tokentest.New(t).JWKS()} {
		t.Run(name, func(t *testing.T) {
			s, n := newSet(t, snapshot)
			want(t, s, tokentest.StockKey(0), nil)
			n.set(outage)
			n.Advance(jwks.Refresh)
			before := n.count()
			for i := range 10 {
				for range 10 {
					want(t, s, tokentest.StockKey(0), nil)
					want(t, s, unknown, jwks.ErrUnavailable)
				}
				wantFetches(t, n, before+i+1)
				n.Advance(jwks.Cooldown)
			}
			n.Advance(jwks.Limit - jwks.Refresh - 10*jwks.Cooldown - 1)
			want(t, s, tokentest.StockKey(0), nil)
			n.Advance(1)
			want(t, s, tokentest.StockKey(0), jwks.ErrUnavailable)
			want(t, s, tokentest.StockKey(0), errOutage)
			n.Advance(jwks.Cooldown)
			n.set(nil)
			want(t, s, tokentest.StockKey(0), nil)
		})
	}
}

// A fetch that brings no usable set leaves what is known as it is.
func TestR18AnEmptySetReplacesNothing(t *testing.T) {
	s, n := newSet(t, nil)
	want(t, s, tokentest.StockKey(0), nil)
	n.set(func(*http.Request) (*http.Response, error) { return ok([]byte(`{"keys":[]}`)), nil })
	n.Advance(jwks.Refresh)
	want(t, s, tokentest.StockKey(0), nil)
	want(t, s, unknown, jwks.ErrUnavailable)
}

func TestR19AnUnknownKidBuysOneFetchInACooldown(t *testing.T) {
	s, n := newSet(t, nil)
	for i := range 5 {
		for j := range 20 {
			want(t, s, tokentest.Key{ID: fmt.Sprint(i, j)}, jwks.ErrUnknownKey)
		}
		wantFetches(t, n, i+1)
		n.Advance(jwks.Cooldown - 1)
		want(t, s, unknown, jwks.ErrUnknownKey)
		wantFetches(t, n, i+1)
		n.Advance(1)
	}
}

// After a fetch that failed, nobody can say that a key is unknown; and it buys no more fetches than
// one that succeeded.
func TestR19AFailedFetchStartsTheCooldownToo(t *testing.T) {
	s, n := newSet(t, nil)
	n.set(outage)
	for i := range 5 {
		for range 20 {
			want(t, s, tokentest.StockKey(0), jwks.ErrUnavailable)
			want(t, s, unknown, errOutage)
		}
		wantFetches(t, n, i+1)
		n.Advance(jwks.Cooldown)
	}
	n.set(nil)
	want(t, s, tokentest.StockKey(0), nil)
}

// What is wrong with a fetch is told while it ends, whoever waits for it, with the address that was
// asked.
func TestFailuresAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []string
		n := &network{Pool: tokentest.New(t)}
		s, err := jwks.New(jwks.Config{
			URL: "https://keys.example/jwks.json", Now: n.Now, Client: &http.Client{Transport: n}, Failed: func(err error) { told = append(told, err.Error()) },
		})
		if err != nil {
			t.Fatal(err)
		}
		n.set(outage)
		s.Prefetch()
		synctest.Wait()
		want(t, s, tokentest.StockKey(0), errOutage)
		want(t, s, tokentest.StockKey(0), errOutage)
		n.Advance(jwks.Cooldown)
		n.set(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 503, Body: http.NoBody}, nil
		})
		want(t, s, tokentest.StockKey(0), jwks.ErrStatus)
		n.Advance(jwks.Cooldown)
		n.set(nil)
		want(t, s, tokentest.StockKey(0), nil)
		const down, status = "https://keys.example/jwks.json: network is down", "https://keys.example/jwks.json: status is not 200 but 503"
		if strings.Join(told, "\n") != strings.Join([]string{down, down, status}, "\n") {
			t.Errorf("%q", told)
		}
	})
}

func TestR19FiftyColdCallersMakeOneFetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, n := newSet(t, nil)
		release := make(chan struct{})
		n.set(func(*http.Request) (*http.Response, error) { <-release; return ok(n.JWKS()), nil })
		var callers sync.WaitGroup
		for i := range 50 {
			callers.Go(func() {
				if i%2 == 0 {
					want(t, s, tokentest.StockKey(i/2%2), nil)
				} else {
					want(t, s, unknown, jwks.ErrUnknownKey)
				}
			})
		}
		synctest.Wait() // until all of them wait
		close(release)
		callers.Wait()
		wantFetches(t, n, 1)
	})
}

func TestR20RotationWorksDuringAFloodOfRandomKids(t *testing.T) {
	s, n := newSet(t, nil)
	want(t, s, tokentest.StockKey(0), nil)
	const kids, minute = 100_000, time.Minute
	published, accepted := time.Duration(0), time.Duration(0)
	start := n.Now()
	for i := range kids {
		n.Advance(minute / kids)
		if _, err := s.Key(t.Context(), jwks.Wanted{ID: fmt.Sprintf("random-%d", i), Issued: n.Now()}); !errors.Is(err, jwks.ErrUnknownKey) && !errors.Is(err, jwks.ErrUnavailable) {
			t.Fatal(err)
		}
		elapsed := n.Now().Sub(start)
		if published == 0 && elapsed > 23*time.Second {
			published = elapsed
			n.SetKeys(tokentest.StockKey(2), tokentest.StockKey(1))
		}
		if published > 0 && accepted == 0 && i%10 == 0 {
			if _, err := s.Key(t.Context(), jwks.Wanted{ID: tokentest.StockKey(2).ID}); err == nil {
				accepted = elapsed
			}
		}
	}
	if accepted == 0 || accepted-published > jwks.Cooldown {
		t.Errorf("published after %v, accepted after %v", published, accepted)
	}
	if got, limit := n.count(), 1+int(minute/jwks.Cooldown); got > limit {
		t.Errorf("%d fetches for %d kids, limit %d", got, kids, limit)
	}
	want(t, s, tokentest.StockKey(0), jwks.ErrUnknownKey)
}

// An issuer publishes a key before it signs with it. So a set that was seen after a token was
// issued settles whose key it is not; about a token that may be younger, nobody can tell before the
// cooldown is over.
func TestAnUnknownKidDuringTheCooldown(t *testing.T) {
	s, n := newSet(t, nil)
	want(t, s, tokentest.StockKey(0), nil)
	for _, c := range []struct {
		issued time.Time
		want   error
	}{
		{n.Now().Add(-jwks.Skew), jwks.ErrUnknownKey},
		{n.Now().Add(1 - jwks.Skew), jwks.ErrUnavailable},
		{n.Now(), jwks.ErrUnavailable},
		{n.Now().Add(time.Minute), jwks.ErrUnavailable},
		{time.Time{}, jwks.ErrUnavailable},
	} {
		wantOf(t, s, unknown, jwks.Wanted{Issued: c.issued}, c.want)
	}
	n.SetKeys(tokentest.StockKey(2))
	n.Advance(jwks.Cooldown - 1)
	young := jwks.Wanted{Issued: n.Now()}
	wantOf(t, s, tokentest.StockKey(2), young, jwks.ErrUnavailable)
	wantFetches(t, n, 1)
	n.Advance(1)
	wantOf(t, s, tokentest.StockKey(2), young, nil)
	wantFetches(t, n, 2)
}

// A fetch that lacks a key settles it for all who waited for that fetch.
func TestAFetchThatLacksAKeySettlesIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, n := newSet(t, nil)
		release := make(chan struct{})
		n.set(func(*http.Request) (*http.Response, error) { <-release; return ok(n.JWKS()), nil })
		for range 3 {
			go wantOf(t, s, unknown, jwks.Wanted{}, jwks.ErrUnknownKey)
			synctest.Wait()
		}
		close(release)
		synctest.Wait()
		wantFetches(t, n, 1)
		wantOf(t, s, unknown, jwks.Wanted{}, jwks.ErrUnavailable)
		wantFetches(t, n, 1)
	})
}

// Nobody chose the kid of a token that came straight from the issuer: a key that is a second old is
// found, at the price of one fetch.
func TestADirectTokenIsWorthAFetch(t *testing.T) {
	s, n := newSet(t, nil)
	direct := jwks.Wanted{Direct: true}
	wantOf(t, s, tokentest.StockKey(0), direct, nil)
	wantOf(t, s, tokentest.StockKey(1), direct, nil)
	wantFetches(t, n, 1)
	n.SetKeys(tokentest.StockKey(2))
	wantOf(t, s, tokentest.StockKey(2), direct, nil)
	wantFetches(t, n, 2)
	wantOf(t, s, unknown, direct, jwks.ErrUnknownKey)
	wantFetches(t, n, 3)
	n.set(outage)
	wantOf(t, s, unknown, direct, errOutage)
	wantOf(t, s, tokentest.StockKey(2), direct, nil)
	wantFetches(t, n, 4)
	n.Advance(jwks.Cooldown - 1)
	want(t, s, unknown, jwks.ErrUnavailable)
	wantFetches(t, n, 4)
	n.Advance(jwks.Refresh)
	want(t, s, tokentest.StockKey(2), nil)
	wantOf(t, s, tokentest.StockKey(2), direct, nil) // it is known, if not confirmed
	wantFetches(t, n, 5)
}

// A fetch that began before a token came may lack its key: one more is made, for all who wait
// together.
func TestADirectTokenTrustsNoEarlierFetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, n := newSet(t, nil)
		answer := make(chan []byte)
		n.set(func(*http.Request) (*http.Response, error) { return ok(<-answer), nil })
		go want(t, s, tokentest.StockKey(0), nil)
		synctest.Wait()
		early := n.JWKS()
		n.SetKeys(tokentest.StockKey(2))
		for range 3 {
			go wantOf(t, s, tokentest.StockKey(2), jwks.Wanted{Direct: true}, nil)
			synctest.Wait()
		}
		wantFetches(t, n, 1)
		answer <- early
		synctest.Wait()
		wantFetches(t, n, 2)
		answer <- n.JWKS()
		synctest.Wait()
		wantFetches(t, n, 2)
	})
}

// A flood of inventions costs those nothing whose key is known: while a fetch hangs, they do not
// wait.
func TestAFloodCostsKnownKeysNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, n := newSet(t, nil)
		want(t, s, tokentest.StockKey(0), nil)
		n.set(func(r *http.Request) (*http.Response, error) { <-r.Context().Done(); return nil, r.Context().Err() })
		n.Advance(jwks.Cooldown)
		start := time.Now()
		var flood sync.WaitGroup
		defer flood.Wait()
		for i := range 100 {
			flood.Go(func() { wantOf(t, s, tokentest.Key{ID: fmt.Sprint(i)}, jwks.Wanted{}, jwks.ErrUnavailable) })
			synctest.Wait()
			want(t, s, tokentest.StockKey(0), nil)
		}
		if waited := time.Since(start); waited != 0 {
			t.Errorf("waited %v", waited)
		}
		wantFetches(t, n, 2)
	})
}

func TestASnapshotServesAtOnce(t *testing.T) {
	s, n := newSet(t, tokentest.New(t).JWKS())
	want(t, s, tokentest.StockKey(0), nil)
	n.Advance(jwks.Refresh - 1)
	want(t, s, tokentest.StockKey(0), nil)
	wantFetches(t, n, 0)
	n.SetKeys(tokentest.StockKey(2))
	want(t, s, tokentest.StockKey(2), nil)
	want(t, s, tokentest.StockKey(0), jwks.ErrUnknownKey)
	wantFetches(t, n, 1)
}

func TestASnapshotIsConfirmedAfterAnHour(t *testing.T) {
	s, n := newSet(t, tokentest.New(t).JWKS())
	n.SetKeys(tokentest.StockKey(1))
	n.Advance(jwks.Refresh)
	want(t, s, tokentest.StockKey(0), jwks.ErrUnknownKey)
	wantFetches(t, n, 1)
}

// A refresh that hangs holds up the one caller who began it, not those whose key is known.
func TestAHangingRefreshHoldsUpNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, n := newSet(t, nil)
		want(t, s, tokentest.StockKey(0), nil)
		n.set(func(r *http.Request) (*http.Response, error) { <-r.Context().Done(); return nil, r.Context().Err() })
		n.Advance(jwks.Refresh)
		start := time.Now()
		go want(t, s, tokentest.StockKey(0), nil)
		synctest.Wait()
		want(t, s, tokentest.StockKey(0), nil)
		want(t, s, tokentest.StockKey(1), nil)
		if waited := time.Since(start); waited != 0 {
			t.Errorf("waited %v", waited)
		}
		want(t, s, unknown, jwks.ErrUnavailable)
		if waited := time.Since(start); waited != jwks.Timeout {
			t.Errorf("an unknown kid waited %v", waited)
		}
		wantFetches(t, n, 2)
	})
}

func TestPrefetchIsJoined(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, n := newSet(t, nil)
		release := make(chan struct{})
		n.set(func(*http.Request) (*http.Response, error) { <-release; return ok(n.JWKS()), nil })
		s.Prefetch()
		s.Prefetch()
		go want(t, s, tokentest.StockKey(0), nil)
		synctest.Wait()
		close(release)
		synctest.Wait()
		want(t, s, unknown, jwks.ErrUnknownKey)
		s.Prefetch()
		wantFetches(t, n, 1)
	})
}

func TestPrefetchIsNeedlessWithASnapshot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, n := newSet(t, tokentest.New(t).JWKS())
		s.Prefetch()
		synctest.Wait()
		wantFetches(t, n, 0)
	})
}

func TestAFailedPrefetchStartsNoCooldown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, n := newSet(t, nil)
		n.set(outage)
		s.Prefetch()
		synctest.Wait()
		n.set(nil)
		want(t, s, tokentest.StockKey(0), nil)
		wantFetches(t, n, 2)
	})
}

// The environment may be frozen between init and the first event: what was under way then is
// neither waited for nor believed.
func TestAFrozenPrefetchIsLeftBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, n := newSet(t, nil)
		frozen := make(chan struct{})
		n.set(func(*http.Request) (*http.Response, error) { <-frozen; return ok(n.JWKS()), nil })
		s.Prefetch()
		synctest.Wait()
		n.Advance(5 * time.Minute)
		n.set(nil)
		want(t, s, tokentest.StockKey(0), nil)
		n.SetKeys(tokentest.StockKey(2))
		close(frozen)
		synctest.Wait()
		want(t, s, tokentest.StockKey(0), nil)
		want(t, s, tokentest.StockKey(2), jwks.ErrUnknownKey)
		wantFetches(t, n, 2)
	})
}

// While the frozen fetch of a Key call is left behind, the cooldown it began holds, and nobody can
// tell.
func TestAFrozenFetchLeavesNobodyAbleToTell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, n := newSet(t, nil)
		n.set(func(r *http.Request) (*http.Response, error) { <-r.Context().Done(); return nil, r.Context().Err() })
		var caller sync.WaitGroup
		defer caller.Wait()
		caller.Go(func() { want(t, s, tokentest.StockKey(0), nil) })
		synctest.Wait()
		n.Advance(jwks.Timeout + 2*time.Second)
		n.set(nil)
		want(t, s, tokentest.StockKey(0), jwks.ErrUnavailable)
		wantFetches(t, n, 1)
		n.Advance(jwks.Cooldown)
		want(t, s, tokentest.StockKey(0), nil)
	})
}

func TestAFrozenFetchOfAnUnknownKidLeavesNobodyAbleToTell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, n := newSet(t, tokentest.New(t).JWKS())
		n.set(func(r *http.Request) (*http.Response, error) { <-r.Context().Done(); return nil, r.Context().Err() })
		var caller sync.WaitGroup
		defer caller.Wait()
		caller.Go(func() { want(t, s, unknown, jwks.ErrUnavailable) })
		synctest.Wait()
		n.Advance(jwks.Timeout + 2*time.Second)
		want(t, s, unknown, jwks.ErrUnavailable)
		want(t, s, tokentest.StockKey(0), nil)
		wantFetches(t, n, 1)
	})
}

// A key past its limit waits for the fetch like an unknown one.
func TestAKeyPastItsLimitWaitsForTheFetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, n := newSet(t, tokentest.New(t).JWKS())
		release := make(chan struct{})
		n.set(func(*http.Request) (*http.Response, error) { <-release; return ok(n.JWKS()), nil })
		n.Advance(jwks.Limit)
		n.SetKeys(tokentest.StockKey(1))
		var callers sync.WaitGroup
		for range 2 {
			callers.Go(func() { want(t, s, tokentest.StockKey(0), jwks.ErrUnknownKey) })
			synctest.Wait()
		}
		close(release)
		callers.Wait()
		wantFetches(t, n, 1)
	})
}

// A caller who gives up neither waits on nor takes the fetch from the others.
func TestACallerMayGiveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, n := newSet(t, nil)
		release := make(chan struct{})
		n.set(func(r *http.Request) (*http.Response, error) {
			select {
			case <-release:
				return ok(n.JWKS()), nil
			case <-r.Context().Done():
				return nil, r.Context().Err()
			}
		})
		ctx, cancel := context.WithCancel(t.Context())
		gaveUp := make(chan error)
		go func() { _, err := s.Key(ctx, jwks.Wanted{ID: tokentest.StockKey(0).ID}); gaveUp <- err }()
		synctest.Wait()
		go want(t, s, tokentest.StockKey(0), nil)
		synctest.Wait()
		cancel()
		if err := <-gaveUp; !errors.Is(err, jwks.ErrUnavailable) || !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		close(release)
		synctest.Wait()
		wantFetches(t, n, 1)
	})
}

// A clock that is set back makes no key younger, and no cooldown longer.
func TestAClockSetBackProvesNothing(t *testing.T) {
	s, n := newSet(t, nil)
	want(t, s, tokentest.StockKey(0), nil)
	n.SetKeys(tokentest.StockKey(1))
	n.Advance(-time.Minute)
	want(t, s, tokentest.StockKey(0), jwks.ErrUnknownKey)
	wantFetches(t, n, 2)
	n.Advance(-time.Minute)
	n.set(outage)
	want(t, s, tokentest.StockKey(1), jwks.ErrUnavailable)
}

func TestSetsAreApart(t *testing.T) {
	ours, _ := newSet(t, nil)
	theirs, n := newSet(t, nil)
	n.SetKeys(tokentest.StockKey(2))
	want(t, theirs, tokentest.StockKey(2), nil)
	want(t, ours, tokentest.StockKey(2), jwks.ErrUnknownKey)
	want(t, theirs, tokentest.StockKey(0), jwks.ErrUnknownKey)
}

func TestNewRefusesABadConfig(t *testing.T) {
	for _, url := range []string{
		"https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Test00001/.well-known/jwks.json", "https://keys.example:8443/?a=b",
		"http://localhost:9229/jwks.json", "http://127.0.0.1:9229/", "http://127.1.2.3/", "http://[::1]:9229/",
	} {
		if _, err := jwks.New(jwks.Config{URL: url}); err != nil {
			t.Errorf("%s: %v", url, err)
		}
	}
	for _, url := range []string{
		"", "keys.example", "//keys.example/", "/jwks.json", "https://", "https:///jwks.json", "https://:443/", "http://keys.example/", "http://10.0.0.1/", "http://0.0.0.0/", "http://localhost.example/", "http://127.0.0.1.example/",
		"http://localhost@keys.example/", "https://user@keys.example/", "https://user:pass@keys.example/", "https://keys.example/#fragment", "ftp://keys.example/", "file:///etc/passwd", "HTTP://keys.example/", "https://keys.example/\n", "https://[keys", "%",
	} {
		if _, err := jwks.New(jwks.Config{URL: url}); err == nil {
			t.Errorf("%q: accepted", url)
		}
	}
	for _, snapshot := range []string{"", "{}", `{"keys":[]}`, "<html>"} {
		if _, err := jwks.New(jwks.Config{URL: "https://keys.example/", Snapshot: []byte(snapshot)}); !errors.Is(err, jwks.ErrMalformed) && !errors.Is(err, jwks.ErrNoKeys) {
			t.Errorf("snapshot %q: %v", snapshot, err)
		}
	}
}

func BenchmarkKey(b *testing.B) {
	s, _ := newSet(b, nil)
	kid := jwks.Wanted{ID: tokentest.StockKey(0).ID}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Key(b.Context(), kid); err != nil {
			b.Fatal(err)
		}
	}
}
