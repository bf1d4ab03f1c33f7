package cuts_test

// Which sessions are over, and when the table is asked again. The clock is the test's and the table is in memory.

import (
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

	"edgeauth/cuts"
	"edgeauth/internal/reason"
)

// want asks whether s was ended: nil wants no, else the error.
func want(t testing.TB, l *cuts.List, s cuts.Session, err error) {
	t.Helper()
	if got := l.Check(context.Background(), s); !errors.Is(got, err) || err == nil && got != nil {
		t.Errorf("%v: got %v, want %v", s, got, err)
	}
}

func wantReadings(t testing.TB, s *store, want int) {
	t.Helper()
	if got := len(s.readings()); got != want {
		t.Errorf("%d requests, want %d", got, want)
	}
}

var (
	alice = cuts.Session{SignIn: "11111111-2222-3333-4444-555555555555", Subject: "alice", AuthTime: start.Unix()}
	bob   = cuts.Session{SignIn: "66666666-7777-8888-9999-000000000000", Subject: "bob", AuthTime: start.Unix()}
)

var errOutage = errors.New("network is down")

func outage(*http.Request) (*http.Response, error) { return nil, errOutage }

func hang(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func TestErrorsCarryTheirReason(t *testing.T) {
	if reason.Of(cuts.ErrCut).Outcome() != reason.Anonymous || reason.Of(cuts.ErrUnavailable).Outcome() != reason.CannotTell {
		t.Error("an ended session is nobody's, a list out of reach leaves nobody able to tell")
	}
}

// The moment of an ending is compared with that of the sign-in, in seconds: who signed in within the same second is out.
func TestWhomAnEntryEnds(t *testing.T) {
	at := start.Unix()
	session := func(signIn, subject string, authTime int64) cuts.Session {
		return cuts.Session{SignIn: signIn, Subject: subject, AuthTime: authTime}
	}
	for _, c := range []struct {
		what string
		s    cuts.Session
		want error
	}{
		{"sign-in a", session("a", "x", at+9), cuts.ErrCut},
		{"sign-in a", session("b", "x", at-9), nil},
		{"sign-in a", session("A", "x", at-9), nil},
		{"sign-in a", session("", "x", at-9), nil},
		{"sign-in a", session("", "a", at-9), nil},
		{"user a", session("x", "a", at-1), cuts.ErrCut},
		{"user a", session("x", "a", at), cuts.ErrCut},
		{"user a", session("x", "a", at+1), nil},
		{"user a", session("x", "a", 0), cuts.ErrCut},
		{"user a", session("x", "b", at-1), nil},
		{"user a", session("a", "b", at-1), nil},
		{"everybody", session("x", "a", at-1), cuts.ErrCut},
		{"everybody", session("x", "a", at), cuts.ErrCut},
		{"everybody", session("x", "a", at+1), nil},
		{"everybody", session("", "", 0), cuts.ErrCut},
		{"user b", session("", "", 0), nil},
	} {
		for _, within := range []time.Duration{0, 999 * time.Millisecond} {
			s := newStore(t)
			s.write(s.entry(within, c.what), 0)
			want(t, s.list(), c.s, c.want)
		}
	}
}

func TestAnEmptyListEndsNothing(t *testing.T) {
	l := newStore(t).list()
	want(t, l, cuts.Session{}, nil)
	want(t, l, alice, nil)
}

func TestThePersonsLatestEndingCounts(t *testing.T) {
	s := newStore(t)
	for _, d := range []time.Duration{0, time.Minute, -time.Minute} {
		s.write(s.entry(d, "user alice"), 0)
		s.write(s.entry(d-time.Hour, "everybody"), 0)
	}
	l := s.list()
	for authTime, err := range map[int64]error{start.Unix() + 60: cuts.ErrCut, start.Unix() + 61: nil} {
		want(t, l, cuts.Session{Subject: "alice", AuthTime: authTime}, err)
	}
	want(t, l, cuts.Session{Subject: "bob", AuthTime: start.Add(time.Minute - time.Hour).Unix()}, cuts.ErrCut)
	want(t, l, cuts.Session{Subject: "bob", AuthTime: start.Add(time.Minute-time.Hour).Unix() + 1}, nil)
	s.write(s.entry(time.Second, "user alice"), 0) // arrives later than the one before
	s.Advance(5 * time.Second)
	want(t, l, cuts.Session{Subject: "alice", AuthTime: start.Unix() + 61}, nil)
	want(t, l, cuts.Session{Subject: "alice", AuthTime: start.Unix() + 60}, cuts.ErrCut)
}

// While everything is read again, page by page, what came of a later page counts on.
func TestALaterEndingCountsBetweenPages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore(t)
		s.size = 1
		s.write(s.entry(-time.Hour, "user alice"), 0)
		s.write(s.entry(0, "user alice"), 0)
		l := s.list()
		want(t, l, alice, cuts.ErrCut)
		release := make(chan struct{})
		s.set(func(r *http.Request) (*http.Response, error) {
			asked := s.readings()
			if len(asked) == 4 {
				<-release
			}
			return s.respond(s.page(asked[len(asked)-1].after)), nil
		})
		s.Advance(cuts.Reload)
		var other sync.WaitGroup
		other.Go(func() { want(t, l, bob, nil) })
		synctest.Wait()
		want(t, l, alice, cuts.ErrCut)
		close(release)
		other.Wait()
	})
}

func TestTheTableIsAskedOnceInN(t *testing.T) {
	s := newStore(t)
	l := s.list()
	for i := range 5 {
		for range 3 {
			want(t, l, alice, nil)
			want(t, l, bob, nil)
		}
		wantReadings(t, s, i+1)
		s.Advance(5*time.Second - 1)
		want(t, l, alice, nil)
		wantReadings(t, s, i+1)
		s.Advance(1)
	}
	if l.Readings() != 5 {
		t.Errorf("%d readings", l.Readings())
	}
}

func TestAnEndingCountsAfterN(t *testing.T) {
	s := newStore(t)
	l := s.list()
	want(t, l, alice, nil)
	s.write(s.entry(0, "sign-in "+alice.SignIn), 0)
	s.Advance(5*time.Second - 1)
	want(t, l, alice, nil)
	s.Advance(1)
	want(t, l, alice, cuts.ErrCut)
	want(t, l, bob, nil)
}

func TestCheckNowReadsAtOnce(t *testing.T) {
	s := newStore(t)
	l := s.list()
	want(t, l, alice, nil)
	s.write(s.entry(0, "sign-in "+alice.SignIn), 0)
	if err := l.CheckNow(t.Context(), bob); err != nil {
		t.Error(err)
	}
	want(t, l, alice, cuts.ErrCut)
	wantReadings(t, s, 2)
	if err := l.CheckNow(t.Context(), alice); !errors.Is(err, cuts.ErrCut) {
		t.Error(err)
	}
}

// A reading that began before somebody asks for one of now does not count as that.
func TestCheckNowJoinsNoReading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore(t)
		l := s.list()
		release := make(chan struct{})
		s.set(func(*http.Request) (*http.Response, error) { <-release; return s.respond(`{"Items":[]}`), nil })
		var waiting sync.WaitGroup
		waiting.Go(func() { want(t, l, bob, nil) })
		synctest.Wait()
		s.write(s.entry(0, "sign-in "+alice.SignIn), 0)
		s.set(nil)
		if err := l.CheckNow(t.Context(), alice); !errors.Is(err, cuts.ErrCut) {
			t.Error(err)
		}
		close(release)
		waiting.Wait()
		wantReadings(t, s, 2)
	})
}

// A reading of now that hangs holds up nobody whose answer is known.
func TestAHangingCheckNowHoldsUpNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore(t)
		l := s.list()
		want(t, l, bob, nil)
		s.set(hang)
		var other sync.WaitGroup
		defer other.Wait()
		other.Go(func() { l.CheckNow(t.Context(), bob) })
		synctest.Wait()
		begun := time.Now()
		want(t, l, bob, nil)
		if took := time.Since(begun); took != 0 {
			t.Errorf("took %v", took)
		}
	})
}

// In an outage what is known serves for a minute, at the price of one reading in N; then nobody can tell; and a known ending holds.
func TestAnOutageIsBridgedForAMinute(t *testing.T) {
	s := newStore(t)
	l := s.list()
	s.write(s.entry(0, "sign-in "+alice.SignIn), 0)
	want(t, l, bob, nil)
	s.set(outage)
	for i := range 11 {
		s.Advance(5 * time.Second)
		for range 5 {
			want(t, l, alice, cuts.ErrCut)
			want(t, l, bob, nil)
		}
		wantReadings(t, s, 1+2*(i+1)) // each is tried twice
	}
	s.Advance(5*time.Second - 1)
	want(t, l, bob, nil)
	s.Advance(1)
	want(t, l, bob, cuts.ErrUnavailable)
	want(t, l, bob, errOutage)
	want(t, l, alice, cuts.ErrCut)
	s.set(nil)
	want(t, l, bob, cuts.ErrUnavailable)
	s.Advance(5 * time.Second)
	want(t, l, bob, nil)
	want(t, l, alice, cuts.ErrCut)
}

func TestCheckNowInAnOutage(t *testing.T) {
	s := newStore(t)
	l := s.list()
	want(t, l, bob, nil)
	s.set(outage)
	s.Advance(cuts.Limit - 1)
	if err := l.CheckNow(t.Context(), bob); err != nil {
		t.Error(err)
	}
	s.Advance(1)
	if err := l.CheckNow(t.Context(), bob); !errors.Is(err, cuts.ErrUnavailable) || !errors.Is(err, errOutage) {
		t.Error(err)
	}
}

func TestAFailureIsTriedAgainOnce(t *testing.T) {
	s := newStore(t)
	l := s.list()
	tries := 0
	s.set(func(*http.Request) (*http.Response, error) {
		if tries++; tries == 1 {
			return nil, errOutage
		}
		return s.respond(`{"Items":[]}`), nil
	})
	want(t, l, bob, nil)
	wantReadings(t, s, 2)
}

// A cold start has read nothing, so it can say nothing.
func TestAColdStartWaitsForItsFirstReading(t *testing.T) {
	s := newStore(t)
	s.write(s.entry(-time.Hour, "sign-in "+alice.SignIn), 0)
	s.set(outage)
	l := s.list()
	want(t, l, bob, cuts.ErrUnavailable)
	want(t, l, alice, cuts.ErrUnavailable)
	s.set(nil)
	s.Advance(5 * time.Second)
	want(t, l, alice, cuts.ErrCut)
	want(t, l, bob, nil)
}

func TestFiftyColdCallersMakeOneReading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore(t)
		s.write(s.entry(0, "sign-in "+alice.SignIn), 0)
		l := s.list()
		release := make(chan struct{})
		s.set(func(*http.Request) (*http.Response, error) { <-release; return s.respond(s.page("")), nil })
		var callers sync.WaitGroup
		for i := range 50 {
			callers.Go(func() {
				if i%2 == 0 {
					want(t, l, alice, cuts.ErrCut)
				} else {
					want(t, l, bob, nil)
				}
			})
		}
		synctest.Wait() // until all of them wait
		close(release)
		callers.Wait()
		wantReadings(t, s, 1)
	})
}

// What a reading that took long brought is good for who waited, though it is old by then.
func TestASlowReadingIsGoodForWhoWaited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore(t)
		l := s.list(func(c *cuts.Config) { c.Every, c.Now = time.Second, time.Now })
		s.set(func(*http.Request) (*http.Response, error) {
			time.Sleep(900 * time.Millisecond)
			return s.respond(`{"Items":[],"LastEvaluatedKey":{"list":{"S":"cuts"},"entry":{"S":"` + s.entry(0, "everybody") + `"}}}`), nil
		})
		go func() {
			time.Sleep(time.Second)
			s.set(nil)
		}()
		want(t, l, bob, nil)
		wantReadings(t, s, 3)
	})
}

func TestAHangingTableCostsTwoSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore(t)
		l := s.list()
		s.set(hang)
		begun := time.Now()
		want(t, l, bob, cuts.ErrUnavailable)
		if took := time.Since(begun); took != cuts.Timeout {
			t.Errorf("took %v", took)
		}
		want(t, l, bob, context.DeadlineExceeded)
		wantReadings(t, s, 2)
	})
}

// A table that gives pages for ever ends with the time there is.
func TestAReadingHasAnEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore(t)
		l := s.list()
		s.set(func(r *http.Request) (*http.Response, error) {
			select {
			case <-time.After(300 * time.Millisecond):
			case <-r.Context().Done():
				return nil, r.Context().Err()
			}
			return s.respond(`{"Items":[],"LastEvaluatedKey":{"entry":{"S":"` + s.entry(0, "everybody") + `"}}}`), nil
		})
		begun := time.Now()
		want(t, l, bob, cuts.ErrUnavailable)
		if took := time.Since(begun); took != cuts.Timeout {
			t.Errorf("took %v", took)
		}
	})
}

// A caller who gives up neither waits on nor takes the reading from the others.
func TestACallerMayGiveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore(t)
		l := s.list()
		release := make(chan struct{})
		s.set(func(r *http.Request) (*http.Response, error) {
			select {
			case <-release:
				return s.respond(`{"Items":[]}`), nil
			case <-r.Context().Done():
				return nil, r.Context().Err()
			}
		})
		ctx, cancel := context.WithCancel(t.Context())
		gaveUp := make(chan error)
		go func() { gaveUp <- l.Check(ctx, bob) }()
		synctest.Wait()
		go want(t, l, bob, nil)
		synctest.Wait()
		cancel()
		if err := <-gaveUp; !errors.Is(err, cuts.ErrUnavailable) || !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		close(release)
		synctest.Wait()
		wantReadings(t, s, 1)
	})
}

func TestPrefetchIsJoined(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore(t)
		l := s.list()
		release := make(chan struct{})
		s.set(func(*http.Request) (*http.Response, error) { <-release; return s.respond(`{"Items":[]}`), nil })
		l.Prefetch()
		l.Prefetch()
		go want(t, l, bob, nil)
		synctest.Wait()
		close(release)
		synctest.Wait()
		want(t, l, alice, nil)
		l.Prefetch()
		synctest.Wait()
		wantReadings(t, s, 1)
	})
}

func TestAFailedPrefetchStartsNoCooldown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore(t)
		l := s.list()
		s.set(outage)
		l.Prefetch()
		synctest.Wait()
		s.set(nil)
		want(t, l, bob, nil)
		wantReadings(t, s, 3)
	})
}

// Who has joined a prefetch that fails reads for himself.
func TestAPrefetchThatFailsIsReadAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore(t)
		l := s.list()
		release := make(chan struct{})
		s.set(func(*http.Request) (*http.Response, error) { <-release; return nil, errOutage })
		l.Prefetch()
		go want(t, l, bob, nil)
		synctest.Wait()
		s.set(nil)
		close(release)
		synctest.Wait()
		wantReadings(t, s, 2) // the second try of the prefetch gets through
		s = newStore(t)
		l = s.list()
		s.set(hang)
		l.Prefetch()
		go func() {
			time.Sleep(cuts.Timeout - 1)
			s.set(nil)
		}()
		want(t, l, bob, nil)
		wantReadings(t, s, 3)
	})
}

// The environment may be frozen between init and the first event: a reading that was under way then is not waited for.
func TestAFrozenPrefetchIsLeftBehind(t *testing.T) {
	for _, frozen := range []time.Duration{cuts.Timeout + time.Second, 5 * time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			s := newStore(t)
			l := s.list()
			thaw := make(chan struct{})
			s.set(func(*http.Request) (*http.Response, error) { <-thaw; return s.respond(`{"Items":[]}`), nil })
			l.Prefetch()
			synctest.Wait()
			s.Advance(frozen)
			s.write(s.entry(0, "sign-in "+alice.SignIn), 0)
			s.set(nil)
			want(t, l, bob, nil)
			want(t, l, alice, cuts.ErrCut)
			close(thaw)
			synctest.Wait()
			s.Advance(5*time.Second - 1)
			want(t, l, bob, nil)
			wantReadings(t, s, 2) // what the frozen one brings makes the list neither younger nor older
		})
	}
}

func TestAReadingThatBeganBeforeNIsNotJoined(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore(t)
		l := s.list(func(c *cuts.Config) { c.Every = time.Second })
		frozen := make(chan struct{})
		s.set(func(*http.Request) (*http.Response, error) { <-frozen; return s.respond(`{"Items":[]}`), nil })
		l.Prefetch()
		synctest.Wait()
		s.Advance(time.Second)
		s.write(s.entry(0, "sign-in "+alice.SignIn), 0)
		s.set(nil)
		want(t, l, alice, cuts.ErrCut)
		close(frozen)
	})
}

func TestEntriesComeInPages(t *testing.T) {
	s := newStore(t)
	s.size = 3
	for i := range 10 {
		s.write(s.entry(time.Duration(i)*time.Second-time.Hour, fmt.Sprintf("sign-in %d", i)), 0)
	}
	l := s.list()
	for i := range 10 {
		want(t, l, cuts.Session{SignIn: fmt.Sprint(i)}, cuts.ErrCut)
	}
	want(t, l, cuts.Session{SignIn: "10"}, nil)
	wantReadings(t, s, 4)
}

// after returns the moment after which the last reading asked, as the time before now.
func (s *store) since(t *testing.T) time.Duration {
	t.Helper()
	asked := s.readings()
	var ms int64
	if _, err := fmt.Sscan(strings.TrimLeft(asked[len(asked)-1].after, "0")+" ", &ms); err != nil {
		return s.Now().Sub(time.UnixMilli(0))
	}
	return s.Now().Sub(time.UnixMilli(ms))
}

var everything = start.Sub(time.UnixMilli(0))

// A reading asks for what is new since the last one, and for what slow writers stamped a minute before that.
func TestReadersAskForWhatIsNew(t *testing.T) {
	s := newStore(t)
	s.write(s.entry(-time.Hour, "sign-in old"), 0)
	l := s.list()
	want(t, l, alice, nil)
	if since := s.since(t); since < everything {
		t.Errorf("the first reading asks for the last %v", since)
	}
	s.Advance(7 * time.Second)
	want(t, l, alice, nil)
	if since := s.since(t); since != cuts.Overlap+7*time.Second {
		t.Errorf("the second asks for the last %v", since)
	}
	s.Advance(10*time.Second - cuts.Overlap)
	s.write(s.entry(0, "sign-in "+alice.SignIn), 0) // by a writer that was slow
	s.Advance(cuts.Overlap - 5*time.Second)
	want(t, l, alice, cuts.ErrCut)
	want(t, l, cuts.Session{SignIn: "old"}, cuts.ErrCut)
}

// What is new is told by the table's clock, whatever this machine's says.
func TestTheTablesClockCounts(t *testing.T) {
	for _, zone := range []time.Duration{-3 * time.Minute, 3 * time.Minute} {
		s := newStore(t)
		s.zone = zone
		l := s.list()
		want(t, l, alice, nil)
		s.write(s.entry(zone, "sign-in "+alice.SignIn), 0)
		s.Advance(5 * time.Second)
		want(t, l, alice, cuts.ErrCut)
		if since := s.since(t); since != cuts.Overlap+5*time.Second-zone {
			t.Errorf("asks for the last %v", since)
		}
	}
}

func TestATableWithoutAClockIsReadFromWhereItHadOne(t *testing.T) {
	s := newStore(t)
	l := s.list()
	clockless := func(*http.Request) (*http.Response, error) {
		r := s.respond(`{"Items":[]}`)
		r.Header.Del("Date")
		return r, nil
	}
	s.set(clockless)
	for range 2 {
		want(t, l, alice, nil)
		if since := s.since(t); since < everything {
			t.Errorf("asks for the last %v", since)
		}
		s.Advance(5 * time.Second)
	}
	s.set(nil)
	want(t, l, alice, nil)
	s.set(clockless)
	for i := range 3 {
		s.Advance(5 * time.Second)
		want(t, l, alice, nil)
		if since, want := s.since(t), cuts.Overlap+time.Duration(i+1)*5*time.Second; since != want {
			t.Errorf("asks for the last %v, want %v", since, want)
		}
	}
}

// What arrives while pages are read may belong before a page that was read already.
func TestTheClockOfTheFirstPageCounts(t *testing.T) {
	s := newStore(t)
	s.size = 1
	s.write(s.entry(0, "sign-in 1"), 0)
	s.write(s.entry(0, "sign-in 2"), 0)
	l := s.list()
	pages := 0
	s.set(func(*http.Request) (*http.Response, error) {
		asked := s.readings()
		answer := s.respond(s.page(asked[len(asked)-1].after))
		if pages++; pages == 1 {
			s.write(s.entry(-50*time.Second, "sign-in "+alice.SignIn), 0)
			s.Advance(30 * time.Second)
		}
		return answer, nil
	})
	want(t, l, bob, nil)
	s.set(nil)
	s.Advance(5 * time.Second)
	want(t, l, alice, cuts.ErrCut)
}

// What came later than a minute after its stamp is found with the next reading of everything, and an entry that is gone stays known.
func TestEverythingIsReadOnceInTenMinutes(t *testing.T) {
	s := newStore(t)
	s.write(s.entry(-time.Hour, "sign-in removed"), 0)
	l := s.list()
	want(t, l, alice, nil)
	delete(s.ends, s.keys[0])
	s.keys = nil
	s.Advance(cuts.Overlap)
	want(t, l, alice, nil)
	s.write(s.entry(-cuts.Overlap-2*time.Second, "sign-in "+alice.SignIn), 0)
	for range 8 {
		s.Advance(cuts.Overlap)
		want(t, l, alice, nil)
	}
	s.Advance(cuts.Overlap - 1)
	want(t, l, alice, nil)
	s.Advance(5 * time.Second)
	want(t, l, alice, cuts.ErrCut)
	if since := s.since(t); since < everything {
		t.Errorf("asks for the last %v", since)
	}
	want(t, l, cuts.Session{SignIn: "removed"}, cuts.ErrCut)
}

// A long list that does not fit into the time for one reading is read in several, each from where the last one got.
func TestAReadingGoesOnWhereTheLastWasBrokenOff(t *testing.T) {
	s := newStore(t)
	s.size = 2
	for i := range 9 {
		s.write(s.entry(time.Duration(i)*time.Second-time.Hour, fmt.Sprintf("sign-in %d", i)), 0)
	}
	l := s.list()
	pages := 0
	s.set(func(*http.Request) (*http.Response, error) {
		if pages++; pages > 3 {
			return nil, errOutage
		}
		asked := s.readings()
		return s.respond(s.page(asked[len(asked)-1].after)), nil
	})
	want(t, l, alice, cuts.ErrUnavailable)
	want(t, l, cuts.Session{SignIn: "5"}, cuts.ErrCut)
	want(t, l, cuts.Session{SignIn: "6"}, cuts.ErrUnavailable)
	s.set(nil)
	s.Advance(5 * time.Second)
	before := len(s.readings())
	want(t, l, cuts.Session{SignIn: "6"}, cuts.ErrCut)
	want(t, l, alice, nil)
	if asked := s.readings()[before:]; len(asked) != 2 || !strings.HasPrefix(s.entry(5*time.Second-time.Hour-5*time.Second, ""), asked[0].after) {
		t.Errorf("goes on with %v", asked)
	}
}

// A reading of everything that is broken off is one that is still to be done, whatever older readings bring.
func TestAnOlderReadingDoesNotStandForEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore(t)
		l := s.list()
		want(t, l, bob, nil)
		s.Advance(cuts.Reload - 1)
		release := make(chan struct{})
		s.set(func(*http.Request) (*http.Response, error) { <-release; return s.respond(`{"Items":[]}`), nil })
		go want(t, l, bob, nil)
		synctest.Wait()
		s.Advance(5 * time.Second)
		s.write(s.entry(-5*time.Minute, "sign-in "+alice.SignIn), 0)
		s.set(outage)
		want(t, l, bob, cuts.ErrUnavailable)
		close(release)
		synctest.Wait()
		s.set(nil)
		s.Advance(5 * time.Second)
		want(t, l, alice, cuts.ErrCut)
	})
}

// A clock that is set back makes no reading younger.
func TestAClockSetBackProvesNothing(t *testing.T) {
	s := newStore(t)
	l := s.list()
	want(t, l, bob, nil)
	s.write(s.entry(0, "sign-in "+alice.SignIn), 0)
	s.Advance(-time.Second)
	want(t, l, alice, cuts.ErrCut)
	s.Advance(-time.Minute)
	s.set(outage)
	want(t, l, bob, cuts.ErrUnavailable)
}

// Entries past their end make room for others.
func TestEntriesPastTheirEndMakeRoom(t *testing.T) {
	s := newStore(t)
	l := s.list()
	l.SetMost(12)
	s.write(s.entry(0, "sign-in lasting"), 0)
	s.write(s.entry(0, "user lasting"), 0)
	for i := range 40 {
		s.write(s.entry(0, fmt.Sprintf("sign-in %d", i)), s.Now().Add(50*time.Second).Unix())
		s.write(s.entry(0, fmt.Sprintf("user %d", i)), s.Now().Add(50*time.Second).Unix())
		s.Advance(10 * time.Second)
		want(t, l, bob, nil)
		want(t, l, cuts.Session{SignIn: fmt.Sprint(i)}, cuts.ErrCut)
		want(t, l, cuts.Session{Subject: fmt.Sprint(i)}, cuts.ErrCut)
		want(t, l, cuts.Session{SignIn: "lasting"}, cuts.ErrCut)
		want(t, l, cuts.Session{Subject: "lasting"}, cuts.ErrCut)
	}
}

// DynamoDB may take days to delete what is past its end: it is left out, and takes no room.
func TestEntriesPastTheirEndAreLeftOut(t *testing.T) {
	s := newStore(t)
	for i := range 40 {
		s.write(s.entry(time.Duration(i)*time.Second-time.Hour, fmt.Sprintf("sign-in %d", i)), s.Now().Unix())
	}
	s.write(s.entry(-time.Hour, "sign-in "+alice.SignIn), s.Now().Unix()+1)
	l := s.list()
	l.SetMost(1)
	want(t, l, bob, nil)
	want(t, l, alice, cuts.ErrCut)
	want(t, l, cuts.Session{SignIn: "1"}, nil)
}

// An ending that was written several times counts until the last of them ends.
func TestTheLastEndCounts(t *testing.T) {
	for _, what := range []string{"sign-in " + alice.SignIn, "user alice"} {
		for _, ends := range [][2]int64{{start.Unix() + 600, start.Unix() + 100}, {start.Unix() + 100, start.Unix() + 600}, {0, start.Unix() + 100}} {
			s := newStore(t)
			l := s.list()
			l.SetMost(2)
			s.write(s.entry(0, "user y"), start.Unix()+20)
			s.write(s.entry(0, what), ends[0])
			s.write(s.entry(time.Second, what), ends[1])
			for range 2 { // after which they are too old to be read again, and the earlier end is past
				want(t, l, alice, cuts.ErrCut)
				want(t, l, bob, nil)
				s.Advance(90 * time.Second)
			}
			s.write(s.entry(0, "user x"), 0) // for which something has to make room
			want(t, l, bob, nil)
			want(t, l, alice, cuts.ErrCut)
		}
	}
}

// What made room, or was left out, is read again when the clock says that it has not ended after all.
func TestAClockSetBackBringsBackWhatMadeRoom(t *testing.T) {
	s := newStore(t)
	l := s.list()
	l.SetMost(1)
	s.write(s.entry(0, "sign-in "+alice.SignIn), start.Unix()+110)
	for range 2 {
		want(t, l, alice, cuts.ErrCut)
		want(t, l, bob, nil)
		s.Advance(90 * time.Second)
	}
	s.write(s.entry(0, "user x"), 0)
	want(t, l, bob, nil)
	l.SetMost(9)
	s.Advance(-80 * time.Second)
	want(t, l, alice, cuts.ErrCut)
}

func TestAClockSetBackBringsBackWhatWasLeftOut(t *testing.T) {
	s := newStore(t)
	l := s.list()
	want(t, l, bob, nil)
	s.Advance(57 * time.Second)
	s.write(s.entry(-57*time.Second, "sign-in "+alice.SignIn), start.Unix()+55)
	want(t, l, bob, nil)
	s.Advance(90 * time.Second)
	want(t, l, alice, nil)
	s.Advance(-97 * time.Second)
	want(t, l, alice, cuts.ErrCut)
}

// More entries than are held leave nobody able to tell, but for those who are known to be out.
func TestMoreThanCanBeHeldIsOutOfReach(t *testing.T) {
	s := newStore(t)
	from := 0
	s.set(func(*http.Request) (*http.Response, error) {
		var b strings.Builder
		b.WriteString(`{"Items":[`)
		key, to := "", min(from+20_000, cuts.Most)
		for ; from < to; from++ {
			if key != "" {
				b.WriteByte(',')
			}
			key = fmt.Sprintf(`{"entry":{"S":"%013d sign-in %d"}}`, start.UnixMilli()-int64(cuts.Most-from), from)
			b.WriteString(key)
		}
		b.WriteByte(']')
		if from < cuts.Most {
			b.WriteString(`,"LastEvaluatedKey":` + key)
		}
		b.WriteByte('}')
		return s.respond(b.String()), nil
	})
	l := s.list()
	anybody := cuts.Session{AuthTime: start.Unix() + 9}
	want(t, l, anybody, nil)
	s.set(nil)
	s.write(s.entry(0, "sign-in 7"), 0) // known already: takes no room
	s.write(s.entry(0, "everybody"), 0) // nor does this
	s.Advance(cuts.Limit)
	want(t, l, anybody, nil)
	s.write(s.entry(0, "user one-too-many"), 0)
	s.Advance(cuts.Limit)
	want(t, l, anybody, cuts.ErrUnavailable)
	want(t, l, anybody, cuts.ErrFull)
	want(t, l, cuts.Session{SignIn: fmt.Sprint(cuts.Most - 1)}, cuts.ErrCut)
}

// Whatever the table answers, the answer is that nobody can tell; and N after it has recovered, all is well.
func TestAnAnswerThatIsNoListFailsClosed(t *testing.T) {
	good := func(s *store) string { return s.page("") }
	for why, c := range map[string]struct {
		answer func(*store, *http.Response) string
		want   error
	}{
		"500": {func(s *store, r *http.Response) string { r.StatusCode = 500; return good(s) }, cuts.ErrStatus},
		"302": {func(s *store, r *http.Response) string {
			r.StatusCode = 302
			r.Header.Set("Location", "/")
			return good(s)
		}, cuts.ErrStatus},
		"400": {func(s *store, r *http.Response) string {
			r.StatusCode = 400
			return `{"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException","message":"Requested resource not found"}`
		}, cuts.ErrStatus},
		"nothing":              {func(*store, *http.Response) string { return "" }, cuts.ErrMalformed},
		"HTML":                 {func(*store, *http.Response) string { return "<!DOCTYPE html>" }, cuts.ErrMalformed},
		"no items":             {func(*store, *http.Response) string { return `{"Count":0}` }, cuts.ErrMalformed},
		"items that are none":  {func(*store, *http.Response) string { return `{"Items":{}}` }, cuts.ErrMalformed},
		"two lists":            {func(*store, *http.Response) string { return `{"Items":[],"Items":[]}` }, cuts.ErrMalformed},
		"a key that is none":   {func(*store, *http.Response) string { return `{"Items":[],"LastEvaluatedKey":{"list":{"S":"cuts"}}}` }, cuts.ErrMalformed},
		"too large":            {func(*store, *http.Response) string { return `{"Items":[]}` + strings.Repeat(" ", 4<<20) }, cuts.ErrMalformed},
		"an item that is none": {func(*store, *http.Response) string { return `{"Items":[{}]}` }, cuts.ErrEntry},
		"an entry of another type": {func(s *store, _ *http.Response) string {
			return `{"Items":[{"entry":{"B":"` + s.entryLocked("everybody") + `"}}]}`
		}, cuts.ErrEntry},
		"an entry of another kind": {func(s *store, _ *http.Response) string { s.put(s.entryLocked("device x"), 0); return good(s) }, cuts.ErrEntry},
		"a name for everybody":     {func(s *store, _ *http.Response) string { s.put(s.entryLocked("everybody x"), 0); return good(s) }, cuts.ErrEntry},
		"a nameless user":          {func(s *store, _ *http.Response) string { s.put(s.entryLocked("user"), 0); return good(s) }, cuts.ErrEntry},
		"an empty name":            {func(s *store, _ *http.Response) string { s.put(s.entryLocked("user "), 0); return good(s) }, cuts.ErrEntry},
		"two names":                {func(s *store, _ *http.Response) string { s.put(s.entryLocked("user a b"), 0); return good(s) }, cuts.ErrEntry},
		"no stamp":                 {func(s *store, _ *http.Response) string { s.put("everybody", 0); return good(s) }, cuts.ErrEntry},
		"a short stamp":            {func(s *store, _ *http.Response) string { s.put("176398560000 everybody", 0); return good(s) }, cuts.ErrEntry},
		"a signed stamp":           {func(s *store, _ *http.Response) string { s.put("+763985600000 everybody", 0); return good(s) }, cuts.ErrEntry},
		"a stamp of nothing":       {func(s *store, _ *http.Response) string { s.put("0000000000000 everybody", 0); return good(s) }, cuts.ErrEntry},
		"a space at the end":       {func(s *store, _ *http.Response) string { s.put(s.entryLocked("everybody "), 0); return good(s) }, cuts.ErrEntry},
		"no space":                 {func(s *store, _ *http.Response) string { s.put("1763985600000everybody", 0); return good(s) }, cuts.ErrEntry},
	} {
		t.Run(why, func(t *testing.T) {
			s := newStore(t)
			l := s.list()
			s.set(func(*http.Request) (*http.Response, error) {
				s.mu.Lock()
				defer s.mu.Unlock()
				r := s.respond("")
				r.Body = io.NopCloser(strings.NewReader(c.answer(s, r)))
				return r, nil
			})
			err := l.Check(t.Context(), bob)
			if !errors.Is(err, cuts.ErrUnavailable) || !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			if why == "400" && !strings.HasSuffix(err.Error(), "with 400 ResourceNotFoundException") {
				t.Errorf("got %v", err)
			}
			s.mu.Lock()
			s.keys, s.answer = nil, nil
			s.mu.Unlock()
			want(t, l, bob, cuts.ErrUnavailable)
			s.Advance(5 * time.Second)
			want(t, l, bob, nil)
		})
	}
}

func (s *store) entryLocked(what string) string {
	return fmt.Sprintf("%013d %s", s.now.UnixMilli(), what)
}

// What a stranger answers is not repeated in an error.
func TestErrorsRepeatNothingForeign(t *testing.T) {
	for _, body := range []string{`{"__type":"a#<b>"}`, `{"__type":"a#b c"}`, `{"__type":"a#` + strings.Repeat("b", 65) + `"}`, `{"__type":"Bearer eyJ"}`, `eyJ`, `{"__type":7}`, `{"message":"eyJ"}`} {
		s := newStore(t)
		s.set(func(*http.Request) (*http.Response, error) {
			r := s.respond(body)
			r.StatusCode = 400
			return r, nil
		})
		if err := s.list().Check(t.Context(), bob); !errors.Is(err, cuts.ErrStatus) || !strings.HasSuffix(err.Error(), "with 400 ") {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestNewRefusesABadConfig(t *testing.T) {
	good := cuts.Config{Table: tableName, Region: region, Credentials: credentials, Every: cuts.MinEvery}
	if _, err := cuts.New(good); err != nil {
		t.Error(err)
	}
	for why, change := range map[string]func(*cuts.Config){
		"no table":         func(c *cuts.Config) { c.Table = "" },
		"no region":        func(c *cuts.Config) { c.Region = "" },
		"no key":           func(c *cuts.Config) { c.Credentials.AccessKeyID = "" },
		"no secret":        func(c *cuts.Config) { c.Credentials.SecretAccessKey = "" },
		"too often":        func(c *cuts.Config) { c.Every = cuts.MinEvery - 1 },
		"not at all":       func(c *cuts.Config) { c.Every = 0 },
		"too rarely":       func(c *cuts.Config) { c.Every = cuts.Limit + 1 },
		"without TLS":      func(c *cuts.Config) { c.Endpoint = "http://dynamodb.eu-west-1.amazonaws.com" },
		"no URL":           func(c *cuts.Config) { c.Endpoint = "%" },
		"no Region's name": func(c *cuts.Config) { c.Region = "eu west#" },
	} {
		c := good
		change(&c)
		if _, err := cuts.New(c); err == nil {
			t.Errorf("%s: accepted", why)
		}
	}
}

func BenchmarkCheck(b *testing.B) {
	s := newStore(b)
	for i := range 1000 {
		s.write(s.entry(time.Duration(i)-time.Hour, fmt.Sprintf("sign-in %d", i)), 0)
	}
	l := s.list(func(c *cuts.Config) { c.Now, c.Every = time.Now, cuts.Limit })
	b.ReportAllocs()
	for b.Loop() {
		if err := l.Check(b.Context(), bob); err != nil {
			b.Fatal(err)
		}
	}
}
