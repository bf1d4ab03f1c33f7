// Package cookie splits a value over browser cookies and puts it back together, or says that it
// cannot.
//
// It reads raw Cookie header values with a parser of its own: net/http trims names, unquotes values
// and answers with the first of several cookies of one name, and each of these lets somebody else's
// cookie pass for the session. Here a name counts only if it is that name byte for byte, and two
// different values for one name are a conflict, never a choice. Nothing is encrypted here.
package cookie

// This file decides what a Cookie header says.

import (
	"iter"
	"strings"

	"edgeauth/internal/reason"
)

// Session is the name of the session cookie. The prefix makes browsers refuse it with a Domain,
// with another Path than "/", or without Secure, so no sibling host can plant one
// (https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis, section 4.1.3).
const Session = "__Host-id"

// MaxPieces is the largest number of cookies that one value is spread over: 22,800 bytes, more than
// the 20,480 that a REST API takes in a request.
const MaxPieces = 6

var (
	// ErrAbsent says that the request carries no cookie of that name.
	ErrAbsent = reason.New(reason.NoSession, "cookie: absent")
	// ErrBroken says that the first piece is there, but what it announces is not.
	ErrBroken = reason.New(reason.CookieBroken, "cookie: a piece is missing")
	// ErrConflict says that one name arrived with two different values.
	ErrConflict = reason.New(reason.CookieConflict, "cookie: two different values under one name")
)

// pieces holds what was found of one cookie: under the plain name, then under name-2 to name-6.
type pieces struct {
	value    [MaxPieces]string
	found    [MaxPieces]bool
	conflict [MaxPieces]bool
}

// Join returns the value that Split wrote under name, whatever the order of the cookies and
// whatever else is in the headers, which are the raw values of the request's Cookie headers. Pieces
// beyond the announced count are leftovers of an earlier, longer value, and mean nothing.
func Join(headers []string, name string) (string, error) {
	var p pieces
	for _, rest := range headers {
		for rest != "" {
			var pair string
			pair, rest = next(rest)
			if strings.HasPrefix(pair, name) {
				p.add(pair[len(name):])
			}
		}
	}
	if !p.found[0] {
		return "", ErrAbsent
	}
	if p.conflict[0] {
		return "", ErrConflict
	}
	count, data := announced(p.value[0])
	if count == 1 {
		if data == "" {
			return "", ErrBroken
		}
		return data, nil
	}
	return p.join(count, data)
}

// add notes what follows a cookie's name: "=value" for the first piece, "-N=value" for a further
// one, anything else for a stranger's longer name.
func (p *pieces) add(s string) {
	i := 0
	if len(s) > 2 && s[0] == '-' && s[1] >= '2' && s[1] <= '0'+MaxPieces {
		i, s = int(s[1]-'1'), s[2:]
	}
	if s == "" || s[0] != '=' {
		return
	}
	if p.found[i] && p.value[i] != s[1:] {
		p.conflict[i] = true
	}
	p.found[i], p.value[i] = true, s[1:]
}

// announced splits a first piece into the number of pieces and its own data. A value that fits one
// cookie stands there as it is.
func announced(first string) (count int, data string) {
	if len(first) < 2 || first[1] != '~' {
		return 1, first
	}
	if first[0] < '2' || first[0] > '0'+MaxPieces {
		return 0, ""
	}
	return int(first[0] - '0'), first[2:]
}

// join concatenates count pieces, of which the first holds data.
func (p *pieces) join(count int, data string) (string, error) {
	if count == 0 || data == "" {
		return "", ErrBroken
	}
	size := len(data)
	for i := 1; i < count; i++ {
		if p.conflict[i] {
			return "", ErrConflict
		}
		if p.value[i] == "" {
			return "", ErrBroken
		}
		size += len(p.value[i])
	}
	var b strings.Builder
	b.Grow(size)
	b.WriteString(data)
	for i := 1; i < count; i++ {
		b.WriteString(p.value[i])
	}
	return b.String(), nil
}

// next cuts the first pair off a Cookie header. Browsers put "; " between pairs; that one space is
// all that is taken away, so every other disguise of a name (TAB, two spaces, U+2000, quotes) stays
// part of it.
func next(s string) (pair, rest string) {
	if i := strings.IndexByte(s, ';'); i >= 0 {
		s, rest = s[:i], s[i+1:]
	}
	if s != "" && s[0] == ' ' {
		s = s[1:]
	}
	return s, rest
}

// All yields every cookie in the headers as it stands there: name and value, in order, duplicates
// included. A cookie without "=" has no name.
func All(headers []string) iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		for _, rest := range headers {
			for rest != "" {
				var pair string
				pair, rest = next(rest)
				name, value, named := strings.Cut(pair, "=")
				if !named {
					name, value = "", pair
				}
				if pair != "" && !yield(name, value) {
					return
				}
			}
		}
	}
}
