package cuts

// This file writes endings, and lists them for whoever administers them.

import (
	"context"
	"time"
)

// End writes an ending, which counts here at once and everywhere else by the next reading. life is how long it must be remembered: as long as a token
// of the sessions that it ends may still be shown, or renewed; 0: for ever. The context is its only limit of time.
//
// Readers ask for what is new by the stamps of entries. One by a clock that the table's own does not agree with is written once more, by the table's.
func (l *List) End(ctx context.Context, kind Kind, name string, life time.Duration) error {
	e := Entry{Kind: kind, Name: name, At: l.wall()}
	if err := e.valid(); err != nil {
		return err
	}
	for again := false; ; again = true {
		if life > 0 {
			e.Ends = e.At.Add(life)
		}
		date, err := l.table.put(ctx, e)
		if err != nil {
			return err
		}
		table := time.UnixMilli(date)
		if off := e.At.Sub(table).Abs(); again || date == 0 || off < Overlap/2 {
			return l.enter(e)
		}
		e.At = table
	}
}

func (l *List) enter(e Entry) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.known.add(e, l.wall(), l.most)
}

// Entries returns all that the table holds, oldest first. The context is its only limit of time.
func (l *List) Entries(ctx context.Context) ([]Entry, error) {
	var all []Entry
	for after := stamp(0); ; {
		p, err := l.table.query(ctx, after)
		if err != nil {
			return nil, err
		}
		all = append(all, p.entries...)
		if p.next == "" {
			return all, nil
		}
		after = p.next
	}
}
