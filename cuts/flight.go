package cuts

// This file decides who reads, one for all who wait, and what a reading asks for. Nobody waits for a reading that was frozen on its way.

import (
	"context"
	"time"

	"edgeauth/internal/clock"
)

// flight is one reading under way.
type flight struct {
	done     chan struct{} // closed when what came of it is known
	started  time.Time
	from     int64 // the cursor that it began at
	prefetch bool
	failed   error // what came of it, once done
}

// Prefetch begins the first reading, so that it is under way while the process gets ready. A Check joins it; should the environment be frozen
// meanwhile, or the reading fail, Check reads anew.
func (l *List) Prefetch() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now := l.wall(); l.read.IsZero() && l.underWay(now, l.every) == nil {
		l.depart(now).prefetch = true
	}
}

// underWay returns the reading under way if its beginning is young enough. One that should have ended long since was frozen with the environment,
// and its connection is dead.
func (l *List) underWay(now time.Time, age time.Duration) *flight {
	if l.flight != nil && !clock.Within(now, l.flight.started, Timeout+time.Second) {
		l.flight = nil
	}
	if l.flight != nil && clock.Within(now, l.flight.started, age) {
		return l.flight
	}
	return nil
}

// depart starts a reading. It belongs to nobody's context, so that no caller who gives up takes it from those who wait; its own timeout ends it.
func (l *List) depart(now time.Time) *flight {
	if !clock.Within(now, l.whole, Reload) || now.Before(l.known.forgot) {
		l.cursor, l.whole, l.known.forgot = 0, now, time.Time{}
	}
	f := &flight{done: make(chan struct{}), started: now, from: l.cursor}
	l.flight = f
	l.count++
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), Timeout)
		defer cancel()
		l.land(f, l.fly(ctx, f))
	}()
	return f
}

// fly reads all pages there are for f. Times are the table's own, so that it does not matter what this machine's clock says: all that is stamped an
// Overlap before the first answer has arrived in the table by then.
func (l *List) fly(ctx context.Context, f *flight) error {
	after := stamp(f.from)
	var settled int64 // what is stamped before this arrives no more
	for {
		p, err := l.table.query(ctx, after)
		if err != nil {
			return err
		}
		if settled == 0 {
			settled = p.date - Overlap.Milliseconds()
		}
		upTo := settled
		if p.next != "" {
			upTo = min(settled, moment(p.next))
		}
		if err := l.merge(f, p.entries, upTo); err != nil {
			return err
		}
		if p.next == "" {
			return nil
		}
		after = p.next
	}
}

// merge takes in what f has read up to a moment. Whatever became of f meanwhile, what it read is true.
func (l *List) merge(f *flight, entries []Entry, upTo int64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range entries {
		if err := l.known.add(e, f.started, l.most); err != nil {
			return err
		}
	}
	if f.from <= l.cursor { // else the list is to be read from before where f began
		l.cursor = max(l.cursor, upTo)
	}
	return nil
}

// land settles what came of f.
func (l *List) land(f *flight, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer close(f.done)
	f.failed = err
	if l.flight != f {
		return
	}
	l.flight = nil
	if err != nil && f.prefetch {
		return
	}
	l.asked, l.failed = f.started, err
	if err == nil {
		l.read = f.started
	}
}

// Readings returns how many readings were begun so far, for whoever counts them.
func (l *List) Readings() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.count
}
