package cuts_test

// A model of all that can happen to a list at once: writers whose clocks are off, entries that arrive late, pages, latency, outages, answers that are
// broken off, readers that are started anew and frozen, also between Prefetch and the first question, and clocks that are set. Whatever the order, a
// reader never lets in whom a reading that it relies on must have shown, relies on no reading that is too old, and refuses nobody else.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"edgeauth/cuts"
)

const (
	modelEvery = 5 * time.Second
	modelLife  = 20 * time.Minute // of a session
	modelSteps = 1500
)

// moment is a time by the world's clock and by the reader's.
type moment struct{ world, own time.Time }

// ending is an entry on its way into the table.
type ending struct {
	text    string
	what    string // text without the stamp
	ends    int64
	arrives time.Time
	late    bool // arrives later than readers wait for
	over    func(cuts.Session) bool
}

type model struct {
	*store
	t      *testing.T
	random *rand.Rand // of what the world and the reader do
	net    *rand.Rand // of what happens on the way; guarded by mu
	list   *cuts.List
	off    time.Duration // how far the reader's clock is ahead of the world's
	born   map[string]time.Time
	alive  []cuts.Session
	on     []ending // their way
	inside []ending
	n      int

	down       time.Time         // until when the table is out of reach
	failed     moment            // when a request last failed
	begun      map[string]moment // when each reading began
	completed  moment            // the beginning of the last complete reading
	all, fresh []moment          // the beginnings of all complete readings, and of those that were completed during a call
	reloading  moment            // the beginning of the last reading of everything, until it is complete
	whole      moment            // the beginning of the last complete one
}

func TestModel(t *testing.T) {
	seeds := uint64(20)
	if testing.Short() {
		seeds = 5
	}
	for seed := range seeds {
		synctest.Test(t, func(t *testing.T) {
			s := newStore(t)
			s.live, s.size = true, 40
			m := &model{store: s, t: t, random: rand.New(rand.NewPCG(seed, 0)), net: rand.New(rand.NewPCG(seed, 1)), born: map[string]time.Time{}, begun: map[string]moment{}}
			m.restart()
			for range modelSteps {
				m.step()
			}
			time.Sleep(cuts.Timeout)
			if t.Failed() {
				t.Fatalf("seed %d", seed)
			}
		})
	}
}

func (m *model) own() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.clock().Add(m.off)
}

// locked changes what requests on their way look at too.
func (m *model) locked(change func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change()
}

// upTo returns a duration up to d.
func (m *model) upTo(d time.Duration) time.Duration { return time.Duration(m.random.Int64N(int64(d))) }

// restart makes a new reader, which may be frozen before its first question.
func (m *model) restart() {
	synctest.Wait()
	time.Sleep(cuts.Timeout) // what the former one was about is over
	m.list = m.store.list(func(c *cuts.Config) {
		c.Every, c.Now, c.Client = modelEvery, m.own, &http.Client{Transport: tripper(m.roundTrip)}
	})
	m.locked(func() {
		m.completed, m.whole, m.reloading, m.failed, m.all, m.fresh = moment{}, moment{}, moment{}, moment{}, nil, nil
	})
	if m.random.IntN(2) == 0 {
		m.list.Prefetch()
		synctest.Wait()
		switch m.random.IntN(3) {
		case 0:
			m.Advance(m.upTo(10 * time.Minute))
		case 1:
			time.Sleep(m.upTo(time.Second))
			m.Advance(m.upTo(10 * time.Second))
		}
	}
}

func (m *model) step() {
	switch n := m.random.IntN(100); {
	case n < 10:
		m.signIn()
	case n < 25:
		m.end()
	case n < 27:
		until := m.Now().Add(m.upTo(100 * time.Second))
		m.locked(func() { m.down = until })
	case n < 28:
		off := m.upTo(8*time.Minute) - 4*time.Minute
		m.locked(func() { m.off = off })
	case n < 29:
		m.Advance(m.upTo(20 * time.Minute)) // frozen
	case n < 30:
		m.restart()
	case n < 34:
		m.question((*cuts.List).CheckNow, 0)
	case n < 70:
		m.question((*cuts.List).Check, modelEvery)
	default:
		time.Sleep(m.upTo(4 * time.Second))
	}
}

func (m *model) signIn() {
	m.n++
	s := cuts.Session{SignIn: fmt.Sprint("s", m.n), Subject: fmt.Sprint("u", m.random.IntN(8)), AuthTime: m.Now().Unix()}
	m.born[s.SignIn] = m.Now()
	m.alive = append(m.alive, s)
}

// end sends an ending on its way, by a writer whose clock is a little off.
func (m *model) end() {
	if len(m.alive) == 0 {
		return
	}
	victim := m.alive[m.random.IntN(len(m.alive))]
	at := m.Now().Add(m.upTo(40*time.Second) - 20*time.Second)
	e := ending{arrives: m.Now().Add(m.upTo(30 * time.Second)), ends: at.Add(modelLife + time.Minute).Unix()}
	if m.random.IntN(8) == 0 {
		e.late, e.arrives = true, m.Now().Add(2*time.Minute+m.upTo(3*time.Minute))
	}
	what := "sign-in " + victim.SignIn
	e.over = func(s cuts.Session) bool { return s.SignIn == victim.SignIn }
	switch m.random.IntN(40) {
	case 0:
		what = "everybody"
		e.over = func(s cuts.Session) bool { return s.AuthTime <= at.Unix() }
	case 1, 2, 3, 4:
		what = "user " + victim.Subject
		e.over = func(s cuts.Session) bool { return s.Subject == victim.Subject && s.AuthTime <= at.Unix() }
	}
	e.text, e.what = fmt.Sprintf("%013d %s", at.UnixMilli(), what), what
	m.locked(func() { m.on = append(m.on, e) })
}

// arrive puts into the table what has arrived by now.
func (m *model) arrive() {
	now := m.clock()
	rest := m.on[:0]
	for _, e := range m.on {
		if e.arrives.After(now) {
			rest = append(rest, e)
			continue
		}
		m.put(e.text, e.ends)
		m.inside = append(m.inside, e)
	}
	m.on = rest
}

// roundTrip is the way to the table, with all that may go wrong on it.
func (m *model) roundTrip(r *http.Request) (*http.Response, error) {
	body, _ := io.ReadAll(r.Body)
	now := moment{m.Now(), m.own()}
	m.mu.Lock()
	after := m.after(body)
	began, known := m.begun[reading()]
	if !known {
		began = now
		m.begun[reading()] = now
		if after == "0000000000000" {
			m.reloading = now
		}
	}
	const most = int64(150 * time.Millisecond)
	wait, wait2 := time.Duration(m.net.Int64N(most)), time.Duration(m.net.Int64N(most))
	lost, cut := m.net.IntN(30) == 0, m.net.IntN(30) == 0
	m.mu.Unlock()
	time.Sleep(wait)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.arrive()
	page := m.page(after)
	if m.clock().Before(m.down) || lost {
		m.failed = moment{m.clock(), m.clock().Add(m.off)}
		if m.net.IntN(2) == 0 {
			m.mu.Unlock()
			<-r.Context().Done()
			m.mu.Lock()
			m.failed = moment{m.clock(), m.clock().Add(m.off)}
			return nil, r.Context().Err()
		}
		return nil, errOutage
	}
	answer := m.respond(page)
	m.mu.Unlock()
	time.Sleep(wait2)
	m.mu.Lock()
	if err := r.Context().Err(); err != nil {
		m.failed = moment{m.clock(), m.clock().Add(m.off)}
		return nil, err
	}
	if cut {
		m.failed = moment{m.clock(), m.clock().Add(m.off)}
		answer.Body = io.NopCloser(io.LimitReader(answer.Body, 9))
		return answer, nil
	}
	if strings.Contains(page, "LastEvaluatedKey") {
		return answer, nil
	}
	m.fresh = append(m.fresh, began)
	if !m.reloading.world.IsZero() && !began.world.Before(m.reloading.world) {
		m.whole, m.reloading = m.reloading, moment{}
	}
	return answer, nil
}

// question asks one question of the reader and judges the answer.
func (m *model) question(check func(*cuts.List, context.Context, cuts.Session) error, age time.Duration) {
	m.alive = slices.DeleteFunc(m.alive, func(s cuts.Session) bool { return !m.own().Before(m.born[s.SignIn].Add(modelLife)) })
	if len(m.alive) == 0 {
		return
	}
	s := m.alive[m.random.IntN(len(m.alive))]
	synctest.Wait()
	m.keepLatest()
	m.list.SetMost(m.room())
	before := m.completed
	asked := moment{m.Now(), m.own()}
	err := check(m.list, m.t.Context(), s)
	reliedOn := append(m.all, m.fresh...)
	trouble := asked.world.Sub(m.failed.world) < modelEvery+cuts.Timeout || asked.own.Sub(m.failed.own).Abs() < modelEvery+cuts.Timeout
	whole := m.whole
	m.keepLatest()

	m.mu.Lock()
	m.arrive()
	inside := m.inside
	m.mu.Unlock()
	if errors.Is(err, cuts.ErrCut) {
		for _, e := range inside {
			if e.over(s) {
				return
			}
		}
		m.t.Errorf("%v is refused, and nobody has ended it", s)
		return
	}
	// What a reading that was complete before the question must have shown is never forgotten, whatever became of later ones.
	for _, e := range inside {
		if e.over(s) && (!e.late && e.arrives.Before(before.world) || e.arrives.Before(whole.world) && !whole.world.After(before.world)) {
			m.t.Errorf("%v: %v, and the reading of %v should have shown %q, there since %v", s, err, before.world, e.text, e.arrives)
		}
	}
	if errors.Is(err, cuts.ErrUnavailable) {
		if !trouble {
			m.t.Errorf("%v, and nothing is wrong", err)
		}
		return
	}
	if err != nil {
		m.t.Errorf("got %v", err)
	}
	// An answer relies on a reading that is young enough by the reader's clock.
	limit, at := age, asked.own
	if trouble {
		limit, at = cuts.Limit, m.own()
	}
	relied := moment{}
	for _, c := range reliedOn {
		old := at.Sub(c.own)
		if !c.world.IsZero() && (0 <= old && old < limit || !c.world.Before(asked.world)) && (relied.world.IsZero() || c.world.Before(relied.world)) {
			relied = c
		}
	}
	if relied.world.IsZero() {
		m.t.Errorf("let in at %v by no reading that is younger than %v: %v", asked, limit, reliedOn)
	}
	for _, e := range inside {
		if e.over(s) && !e.late && e.arrives.Before(relied.world) {
			m.t.Errorf("%v: let in, and the reading of %v should have shown %q, there since %v", s, relied.world, e.text, e.arrives)
		}
	}
	if old := asked.own.Sub(whole.own); !trouble && m.reloading.world.IsZero() && old >= cuts.Reload+modelEvery {
		m.t.Errorf("everything was last read %v ago", old)
	}
}

// room is how many entries a reader needs room for: those that have not ended, by a clock that may be set back.
func (m *model) room() int {
	until := m.own().Add(-10 * time.Minute).Unix()
	m.mu.Lock()
	defer m.mu.Unlock()
	alive := map[string]bool{}
	for _, e := range append(m.on[:len(m.on):len(m.on)], m.inside...) {
		if e.ends > until {
			alive[e.what] = true
		}
	}
	return len(alive) + 1
}

// keepLatest makes the latest of the completed readings the one that counts.
func (m *model) keepLatest() {
	for _, c := range m.fresh {
		if c.world.After(m.completed.world) {
			m.completed = c
		}
	}
	m.all, m.fresh = append(m.all, m.fresh...), nil
}

// reading names the reading that a request is part of: each has a goroutine of its own.
func reading() string {
	var b [64]byte
	name, _, _ := strings.Cut(string(b[:runtime.Stack(b[:], false)]), " [")
	return name
}

func (m moment) String() string { return m.own.Format("15:04:05.000") }
