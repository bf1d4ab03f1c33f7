package jar

// This file decides when a browser is going round in circles: signed in, sent back, and here again.
// A cookie holds when a session was last given and which pages were answered with "you are signed
// in already"; what is older than a minute does not count, so the counter forgets by itself.
//
// Ten tabs that are restored at once are no loop: they come with the session that the first of them
// got. What counts is a session that was given and does not come back, and one that comes back
// again and again to the same page.

import (
	"errors"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"

	"edgeauth/internal/cookie"
)

const (
	loopCookie  = "__Secure-loop"
	loopMinute  = 60 // seconds
	maxGiven    = 2  // sessions given within a minute, none of which came back: the third is not given
	maxBounces  = 5  // answers "signed in already" for one page within a minute; ten tabs of one page may need several
	maxIgnored  = 2  // sign-ins for one page within a minute that were to be made anew and were not
	maxLoopMark = 12
)

var errMark = errors.New("jar: a mark that was not written here")

// mark is one entry: a session given, a bounce back to a page, or a sign-in that was to be anew.
type mark struct {
	at    int64
	page  uint32 // of a bounce, or of a sign-in that was to be anew; 0 for a session given
	until int64  // when the session that was given ends by itself; 0 for the others
}

// Lost reports whether sessions were given to this browser again and again that should still be
// there. It is for a browser that comes without one.
func (j *Jar) Lost() bool { return j.count(0) >= maxGiven }

// Bounced reports whether this browser was sent back to a page again and again.
func (j *Jar) Bounced(page string) bool { return j.count(pageID(page)) >= maxBounces }

// Ignored reports whether this browser came back again and again from where it was to sign in anew
// for a page, with the sign-in that it had before.
func (j *Jar) Ignored(page string) bool { return j.count(ignoredID(page)) >= maxIgnored }

// Give returns what makes the browser remember that it was given a session, which ends by itself at
// until.
func (j *Jar) Give(until int64) []cookie.Line { return j.remember(mark{j.now.Unix(), 0, until}) }

// Bounce returns what makes the browser remember that it was sent back to a page.
func (j *Jar) Bounce(page string) []cookie.Line {
	return j.remember(mark{j.now.Unix(), pageID(page), 0})
}

// GiveOld returns what makes the browser remember that it was given a session whose sign-in was to
// be made anew for a page, and was not.
func (j *Jar) GiveOld(until int64, page string) []cookie.Line {
	now := j.now.Unix()
	return j.remember(mark{now, 0, until}, mark{now, ignoredID(page), 0})
}

// ForgetMarks returns what makes the browser forget all this.
func (j *Jar) ForgetMarks() cookie.Line { return j.forget(loopCookie) }

func (j *Jar) count(page uint32) (n int) {
	for _, m := range j.marks() {
		if m.page == page {
			n++
		}
	}
	return n
}

// marks returns the entries of the last minute. A session that is over by now is missed by nobody.
func (j *Jar) marks() []mark {
	text, err := cookie.Join(j.cookies, loopCookie)
	if err != nil {
		return nil
	}
	var marks []mark
	now := j.now.Unix()
	for entry := range strings.SplitSeq(text, "_") {
		m, err := parseMark(entry)
		if age := now - m.at; err == nil && age >= 0 && age < loopMinute && (m.page != 0 || now < m.until) {
			marks = append(marks, m)
		}
	}
	return marks
}

func parseMark(entry string) (m mark, err error) {
	var fields [3]int64
	for i, text := range strings.Split(entry, ".") {
		if i == len(fields) {
			return m, errMark
		}
		if fields[i], err = strconv.ParseInt(text, 10, 64); err != nil {
			return m, err
		}
	}
	return mark{fields[0], uint32(fields[1]), fields[2]}, nil
}

func (j *Jar) remember(more ...mark) []cookie.Line {
	marks := append(j.marks(), more...)
	var entries []string
	for _, m := range marks[max(0, len(marks)-maxLoopMark):] {
		entries = append(entries, fmt.Sprintf("%d.%d.%d", m.at, m.page, m.until))
	}
	l := cookie.Line{Name: loopCookie, Value: strings.Join(entries, "_"), Path: j.path(), MaxAge: loopMinute}
	lines, err := cookie.Split(l, nil)
	if err != nil {
		return nil
	}
	return lines
}

// pageID tells pages apart in a few bytes.
func pageID(target string) uint32 {
	h := fnv.New32a()
	h.Write([]byte(target))
	return max(h.Sum32(), 1)
}

// ignoredID tells the sign-ins for a page from the bounces back to it.
func ignoredID(target string) uint32 { return pageID("anew " + target) }
