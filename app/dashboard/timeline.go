package main

// This file decides what a session's timeline shows: only what came with the request, and what the access rules make of its age.

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"time"

	"edgeauth/identity"
)

// landmark is a moment of a session.
type landmark struct {
	Class, Name, About string
	At                 moment
	X                  string // where it is on a line of timelineWidth
	Ahead              bool
}

// timeline is a session from its first moment to its last.
type timeline struct {
	Events   []landmark
	Now, End string // how far the line is drawn, and how far it goes
	Summary  string
}

const timelineWidth = 1000

// renewedAfter is how much younger than the sign-in a token is that did not come with it: what lies between is one redirect.
const renewedAfter = time.Minute

var (
	comment = regexp.MustCompile(`#[^\n]*`)
	maxAge  = regexp.MustCompile(`\bmax-age:(\S+)`)
)

// agesIn lists, in order, the max-age needs of access rules. The authorizer judges them; here they only date a session's future.
func agesIn(rules string) (ages []time.Duration) {
	for _, m := range maxAge.FindAllStringSubmatch(comment.ReplaceAllString(rules, ""), -1) {
		if age, err := time.ParseDuration(m[1]); err == nil && age > 0 {
			ages = append(ages, age)
		}
	}
	slices.Sort(ages)
	return slices.Compact(ages)
}

func newTimeline(id identity.Identity, now time.Time, ages []time.Duration) timeline {
	var events []landmark
	add := func(class, name, about string, at time.Time) {
		events = append(events, landmark{Class: class, Name: name, About: about, At: moment(at), Ahead: at.After(now)})
	}
	issued, known := issuedAt(id)
	if signedIn := id.AuthTime; !signedIn.IsZero() {
		add("begun", "Signed in", "a password, or another proof", signedIn)
		for _, age := range ages {
			name := "max-age:" + words(age)
			if at := signedIn.Add(age); at.Before(now) {
				add("stepup", "Step-up since", name+" asks for the password again", at)
			} else if at.Before(id.Expires) {
				add("stepup", "Step-up from here", name+" will ask for the password again", at)
			}
		}
		if known && issued.Sub(signedIn) > renewedAfter {
			add("renewed", "Renewed", "this token was issued, in place of an older one", issued)
		} else if known {
			add("issued", "Token issued", "with the sign-in", issued)
		}
	} else if known {
		add("issued", "Token issued", "", issued)
	}
	add("now", "Now", "this page was drawn", now)
	if now.Before(id.Expires) {
		add("ends", "Token ends", "renewed before, unseen, while the session lasts", id.Expires)
	} else {
		add("ends", "Token ended", "", id.Expires)
	}
	slices.SortStableFunc(events, func(a, b landmark) int { return time.Time(a.At).Compare(time.Time(b.At)) })
	return laid(events, now)
}

// laid gives each event its place between the first and the last.
func laid(events []landmark, now time.Time) timeline {
	first, last := time.Time(events[0].At), time.Time(events[len(events)-1].At)
	place := func(at time.Time) string {
		return strconv.Itoa(int(timelineWidth * at.Sub(first) / max(last.Sub(first), time.Second)))
	}
	for i := range events {
		events[i].X = place(time.Time(events[i].At))
	}
	summary := fmt.Sprintf("From %s to %s.", events[0].At, events[len(events)-1].At)
	return timeline{events, place(now), place(last), summary}
}

// issuedAt is when the token was issued, if the deployment hands that claim on.
func issuedAt(id identity.Identity) (time.Time, bool) {
	seconds, ok := id.Claims["iat"].(float64)
	if !ok || seconds <= 0 || seconds > 1<<40 {
		return time.Time{}, false
	}
	return time.Unix(int64(seconds), 0), true
}

// words writes a duration as rules do: 10m, 1h, 1h30m.
func words(d time.Duration) string {
	h, m, s := d/time.Hour, d%time.Hour/time.Minute, d%time.Minute/time.Second
	text := ""
	for _, part := range []struct {
		n    time.Duration
		unit string
	}{{h, "h"}, {m, "m"}, {s, "s"}} {
		if part.n > 0 {
			text += strconv.Itoa(int(part.n)) + part.unit
		}
	}
	return cmp.Or(text, "0s")
}
