package cuts

// This file decides what an entry says, and which sessions the known entries end.

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Why entries are not taken in.
var (
	ErrEntry = errors.New("cuts: not an entry")
	ErrFull  = errors.New("cuts: more entries than can be held")
)

// Kind is whose sessions an entry ends.
type Kind string

const (
	SignIn    Kind = "sign-in"   // those of one sign-in: Name is its origin_jti
	User      Kind = "user"      // those of one person who signed in up to At: Name is the sub
	Everybody Kind = "everybody" // those of everybody who signed in up to At: there is no Name
)

// Entry is one ending.
type Entry struct {
	Kind Kind
	Name string
	At   time.Time // when it was written, to the millisecond
	Ends time.Time // from when on it ends nothing that has not ended by itself; zero: never
}

// maxName is the longest name: with what stands before it, a sort key has at most 1,024 bytes
// (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html).
const maxName = 900

// stampDigits is enough for the year 2286, and makes the order of stamps the order of time.
const stampDigits = 13

// stamp is the moment ms, in milliseconds since 1970, as entries begin with it.
func stamp(ms int64) string { return fmt.Sprintf("%0*d", stampDigits, ms) }

// moment is the stamp that text begins with, 0 if it does with none.
func moment(text string) int64 {
	if len(text) < stampDigits {
		return 0
	}
	ms, err := strconv.ParseUint(text[:stampDigits], 10, 63)
	if err != nil {
		return 0
	}
	return int64(ms)
}

// text is the entry as it is kept: what it says is its own sort key, so that two writers never write the same item with different content.
func (e Entry) text() string {
	text := stamp(e.At.UnixMilli()) + " " + string(e.Kind)
	if e.Kind != Everybody {
		text += " " + e.Name
	}
	return text
}

// valid returns an error if no reader would take e for what it is.
func (e Entry) valid() error {
	named := e.Name != "" && len(e.Name) <= maxName && strings.IndexFunc(e.Name, func(r rune) bool { return r <= ' ' || r == 0x7f }) < 0
	switch {
	case e.At.UnixMilli() <= 0 || len(stamp(e.At.UnixMilli())) != stampDigits:
	case (e.Kind == SignIn || e.Kind == User) && named, e.Kind == Everybody && e.Name == "":
		return nil
	}
	return ErrEntry
}

// parse reads the entry that text writes. One of an unknown kind ends something that this reader cannot tell, so it is an error. Its name is a
// copy, which keeps no page in memory.
func parse(text string, ends int64) (Entry, error) {
	kind, name, _ := strings.Cut(strings.TrimPrefix(text, stamp(moment(text))+" "), " ")
	e := Entry{Kind: Kind(kind), Name: strings.Clone(name), At: time.UnixMilli(moment(text))}
	if ends != 0 {
		e.Ends = time.Unix(ends, 0)
	}
	if e.valid() != nil || e.text() != text {
		return Entry{}, ErrEntry
	}
	return e, nil
}

// endings are the entries that are known, as they are asked for.
type endings struct {
	signIns   map[string]bound // by origin_jti
	users     map[string]bound // by sub
	everybody bound
	forgot    time.Time // the latest moment at which an entry was past its end, and therefore left out
}

// bound ends the sessions of whoever signed in up to a moment; its zero value ends none.
type bound struct{ upTo, ends int64 } // in seconds since 1970

// never is the end of what has none, and later than every sign-in.
const never = 1<<63 - 1

// over reports whether b ends a session. A sign-in in the very second of an ending may have been before it.
func (b bound) over(authTime int64) bool { return b.ends != 0 && authTime <= b.upTo }

func (b bound) and(more bound) bound { return bound{max(b.upTo, more.upTo), max(b.ends, more.ends)} }

// hold reports whether they end s.
func (n *endings) hold(s Session) bool {
	return n.signIns[s.SignIn].over(s.AuthTime) || n.users[s.Subject].over(s.AuthTime) || n.everybody.over(s.AuthTime)
}

// add takes e in, unless it was past its end at now, if need be in the place of others that were.
func (n *endings) add(e Entry, now time.Time, most int) error {
	b := bound{e.At.Unix(), never}
	if !e.Ends.IsZero() {
		b.ends = e.Ends.Unix()
	}
	if b.ends <= now.Unix() {
		n.forgot = now
		return nil
	}
	if n.signIns == nil {
		n.signIns, n.users = map[string]bound{}, map[string]bound{}
	}
	list := n.users
	switch e.Kind {
	case Everybody:
		n.everybody = n.everybody.and(b)
		return nil
	case SignIn:
		b.upTo, list = never, n.signIns
	}
	known, found := list[e.Name]
	if !found && n.len() >= most {
		n.prune(now)
		if n.len() >= most {
			return ErrFull
		}
	}
	list[e.Name] = known.and(b)
	return nil
}

func (n *endings) len() int { return len(n.signIns) + len(n.users) }

// prune leaves out what was past its end at now.
func (n *endings) prune(now time.Time) {
	n.forgot = now
	for _, list := range []map[string]bound{n.signIns, n.users} {
		for name, b := range list {
			if b.ends <= now.Unix() {
				delete(list, name)
			}
		}
	}
}
