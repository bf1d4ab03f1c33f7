package login

// This file decides when a browser is going round in circles: signed in, sent back, and here again. A cookie holds when a session was last given and
// which pages were answered with "you are signed in already"; what is older than a minute does not count, so the counter forgets by itself.
//
// Ten tabs that are restored at once are no loop: they come with the session that the first of them got. What counts is a session that was given and
// does not come back, and one that comes back again and again to the same page.

import (
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"

	"edgeauth/internal/cookie"
	"edgeauth/internal/reason"
)

const (
	loopCookie  = "__Secure-loop"
	loopMinute  = 60 // seconds
	maxGiven    = 2  // sessions given within a minute, none of which came back: the third is not given
	maxBounces  = 5  // answers "signed in already" for one page within a minute; ten tabs of one page may need several
	maxLoopMark = 12
)

var errLoop = reason.New(reason.LoginLoop, "login: several round trips within a minute")

// mark is one entry: a session given, or a bounce back to a page.
type mark struct {
	at    int64
	page  uint32 // of a bounce; 0 for a session given
	until int64  // when the session that was given ends by itself; 0 for a bounce
}

// marks returns the entries of the last minute. A session that is over by now is missed by nobody.
func (v *visit) marks() []mark {
	text, err := cookie.Join(v.cookies, loopCookie)
	if err != nil {
		return nil
	}
	var marks []mark
	now := v.now.Unix()
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
			return m, errLoop
		}
		if fields[i], err = strconv.ParseInt(text, 10, 64); err != nil {
			return m, err
		}
	}
	return mark{fields[0], uint32(fields[1]), fields[2]}, nil
}

// given and bounced count marks: sessions given that should still be there, and bounces back to one page.
func (v *visit) given() int              { return v.count(0) }
func (v *visit) bounced(page string) int { return v.count(pageID(page)) }

func (v *visit) count(page uint32) (n int) {
	for _, m := range v.marks() {
		if m.page == page {
			n++
		}
	}
	return n
}

// rememberGiven returns the line that adds a session given, which ends by itself at until.
func (v *visit) rememberGiven(until int64) []string {
	return v.remember(mark{v.now.Unix(), 0, until})
}

// rememberBounce returns the line that adds a bounce back to a page.
func (v *visit) rememberBounce(page string) []string {
	return v.remember(mark{v.now.Unix(), pageID(page), 0})
}

func (v *visit) remember(m mark) []string {
	marks := append(v.marks(), m)
	var entries []string
	for _, m := range marks[max(0, len(marks)-maxLoopMark):] {
		entries = append(entries, fmt.Sprintf("%d.%d.%d", m.at, m.page, m.until))
	}
	lines, err := cookie.Split(loopCookie, strings.Join(entries, "_"), nil, cookie.Attributes{Path: v.site.cookiePath(), MaxAge: loopMinute})
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
