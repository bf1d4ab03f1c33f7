package login

// This file decides when a browser is going round in circles: signed in, sent back, and here again. A cookie holds when a session was last given and
// which pages were answered with "you are signed in already"; what is older than a minute does not count, so the counter forgets by itself.
//
// Ten tabs that are restored at once are no loop: they come with the session that the first of them got. What counts is a session that was given and
// does not come back, and one that comes back again and again to the same page.

import (
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
	at   int64
	page uint32 // 0: a session given
}

// marks returns the entries of the last minute.
func (v *visit) marks() []mark {
	text, err := cookie.Join(v.cookies, loopCookie)
	if err != nil {
		return nil
	}
	var marks []mark
	for entry := range strings.SplitSeq(text, "_") {
		at, page, _ := strings.Cut(entry, ".")
		seconds, err1 := strconv.ParseInt(at, 10, 64)
		hash, err2 := strconv.ParseUint(page, 16, 32)
		if age := v.now.Unix() - seconds; err1 == nil && err2 == nil && age >= 0 && age < loopMinute {
			marks = append(marks, mark{seconds, uint32(hash)})
		}
	}
	return marks
}

// counted returns how often this page, or with 0 a session given, is among the marks of the last minute.
func (v *visit) counted(page uint32) (n int) {
	for _, m := range v.marks() {
		if m.page == page {
			n++
		}
	}
	return n
}

// remember returns the line that adds an entry to the marks of the last minute.
func (v *visit) remember(page uint32) []string {
	marks := append(v.marks(), mark{v.now.Unix(), page})
	var entries []string
	for _, m := range marks[max(0, len(marks)-maxLoopMark):] {
		entries = append(entries, strconv.FormatInt(m.at, 10)+"."+strconv.FormatUint(uint64(m.page), 16))
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
