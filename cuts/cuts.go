// Package cuts decides which sign-ins were ended early, and when it is worth asking again.
//
// A session that is kept in a cookie ends when its token does. A [List] holds the endings that cannot wait for that: of one sign-in, when somebody
// signs out; of a person, whose every sign-in up to a moment is over; of everybody. The list is a table in DynamoDB that all who judge sessions read,
// and that grows by one entry an ending. There is still no list of sessions.
//
//   - Check answers from memory for as long as the last reading is no older than Config.Every; then the next caller reads what is new, once for all who
//     wait. So an ending that was written counts everywhere after Every at most. CheckNow reads before it answers, whenever the last reading was.
//   - A reading that fails is tried again after Every. Until the last good reading is a minute old, what it brought counts on; after that nobody can
//     tell. An ending that is known counts for ever.
//   - A reading asks for entries stamped since the last one, and a minute more for writers that were slow. Once in ten minutes, and when the clock was
//     set back, it asks for all of them: nothing that a reading could miss stays missed. Where a reading was broken off, the next goes on.
//   - At most 200,000 entries are held, of which those past their end make room. More than that cannot be told apart from an attack on memory, and is
//     out of reach.
//
// Two failures are kept apart. [ErrCut]: the session was ended. [ErrUnavailable]: nobody can tell. Nothing here runs in the background: an environment
// that is frozen between events would only wake up to stale timers.
package cuts

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"edgeauth/internal/clock"
	"edgeauth/internal/reason"
)

// The times that the package comment speaks of, and how many entries are held.
const (
	MinEvery = time.Second
	Limit    = time.Minute
	Overlap  = time.Minute
	Reload   = 10 * time.Minute
	Timeout  = 2 * time.Second // of one reading
	Most     = 200_000
)

// Why a session does not count.
var (
	ErrCut         = reason.New(reason.SessionCut, "cuts: ended early")
	ErrUnavailable = reason.New(reason.CutsUnavailable, "cuts: list of endings out of reach")
)

// errNoAnswer stands for what came of reading until something has.
var errNoAnswer = errors.New("no answer yet")

// Config says where the list is and how it is read.
type Config struct {
	Table       string           // the DynamoDB table's name
	Region      string           // the AWS Region that it is in
	Endpoint    string           // https, or http to a loopback host; "": the Region's
	Credentials Credentials      // of whoever may dynamodb:Query the table, and, to end sessions, dynamodb:PutItem
	Every       time.Duration    // how old a reading may be, MinEvery to Limit
	Now         func() time.Time // nil: time.Now
	Client      *http.Client     // nil: a client of our own, which trusts Amazon's roots before the system's. Redirects are not followed in either
}

// Session is what of a session decides whether it was ended.
type Session struct {
	SignIn   string // what all tokens of one sign-in share: origin_jti; "" where there is none
	Subject  string // sub
	AuthTime int64  // when the person signed in, in seconds since 1970: auth_time, which renewal leaves as it is
}

// List is the list of endings. It is safe for concurrent use.
type List struct {
	table table
	every time.Duration
	now   func() time.Time
	most  int // entries that are held

	mu     sync.Mutex // guards what follows
	known  endings
	cursor int64     // what is stamped before this, in milliseconds since 1970, was read
	read   time.Time // when the last complete reading began
	whole  time.Time // when the last reading of everything began
	asked  time.Time // when a reading that is over was last begun, but for Prefetch
	failed error     // what came of that
	flight *flight   // the reading under way, nil: none
	count  int       // of the readings begun so far
}

// New returns the list that c describes. It reads nothing.
func New(c Config) (*List, error) {
	if c.Every < MinEvery || c.Every > Limit {
		return nil, fmt.Errorf("cuts: Config.Every is not between %v and %v", MinEvery, Limit)
	}
	l := &List{every: c.Every, now: c.Now, most: Most, failed: errNoAnswer}
	if l.now == nil {
		l.now = time.Now
	}
	var err error
	l.table, err = newTable(c)
	return l, err
}

// Check returns nil if s was not ended, by a reading no older than Config.Every; otherwise ErrCut or ErrUnavailable.
func (l *List) Check(ctx context.Context, s Session) error { return l.check(ctx, s, l.every) }

// CheckNow is Check by a reading that begins with the call, for whoever is about to prolong a session.
func (l *List) CheckNow(ctx context.Context, s Session) error { return l.check(ctx, s, 0) }

// check is Check by a reading younger than age.
func (l *List) check(ctx context.Context, s Session, age time.Duration) error {
	for {
		f, err := l.look(s, age)
		if f == nil {
			return err
		}
		select {
		case <-f.done:
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", ErrUnavailable, context.Cause(ctx))
		}
		if f.failed == nil || !f.prefetch {
			return l.settle(s, f)
		}
	}
}

// look answers from what is known, or returns the reading to wait for.
func (l *List) look(s Session, age time.Duration) (*flight, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.wall()
	if l.known.hold(s) {
		return nil, ErrCut
	}
	if clock.Within(now, l.read, age) {
		return nil, nil
	}
	if under := l.underWay(now, age); under != nil {
		return under, nil
	}
	if !clock.Within(now, l.asked, age) {
		return l.depart(now), nil
	}
	return nil, l.fallback(now)
}

// settle answers by what came of f. A reading that was good is good for all who waited for it, however long it took.
func (l *List) settle(s Session, f *flight) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.known.hold(s):
		return ErrCut
	case f.failed == nil:
		return nil
	}
	return l.fallback(l.wall())
}

// fallback answers for a session that is not known to be ended, while the list is out of reach.
func (l *List) fallback(now time.Time) error {
	if clock.Within(now, l.read, Limit) {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, l.failed)
}

// wall is the time with no monotonic reading, which may stand still while an environment is frozen: a reading ages all the same.
func (l *List) wall() time.Time { return l.now().Round(0) }
