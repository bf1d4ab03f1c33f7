// This file says which request headers a decision may rest on, and finds all their values however a
// client spells the names.

package apigw

import (
	"slices"
	"strings"

	"edgeauth/internal/jsonread"
)

// names holds the lower case of every header's name that a decision may rest on. No others are
// kept.
var names = [headers + 1]string{
	"accept", "authorization", "origin", "purpose", "sec-fetch-dest", "sec-fetch-mode", "sec-fetch-site", "sec-purpose",
	"x-http-method", "x-http-method-override", "x-method-override", "x-moz", "cookie",
}

const headers = 12 // how many there are; cookie, which has all its values kept, comes after them

// lengths has a bit for each length that a name has, which most headers' names have not.
const lengths = 1<<5 | 1<<6 | 1<<7 | 1<<11 | 1<<13 | 1<<14 | 1<<17 | 1<<22

// source is the member of an event that a header's value was found in. The later in the list
// counts: headers has one of several values of a name, multiValueHeaders has them all, and cookies
// of a payload 2.0 come in a member of their own.
type source int8

const (
	nowhere source = iota
	inHeaders
	inMultiValueHeaders
	inCookies
)

// field is a header of which only one value can count.
type field struct {
	value    string
	from     source
	conflict bool // it came with different values
}

// cookies are the values of the Cookie headers.
type cookies struct {
	values []string
	from   source
}

// Header returns the value of the header with this lower-case name, and how many different ones the
// request carries: with none, or with more than one, of which none can be relied on, value is "".
// It is for the headers that are kept; to ask for another is a mistake in the program, and panics.
func (r *Request) Header(name string) (value string, different int) {
	h := slices.Index(names[:headers], name)
	switch f := &r.header[h]; {
	case f.from == nowhere:
		return "", 0
	case f.conflict:
		return "", 2
	default:
		return f.value, 1
	}
}

// Cookies returns every value of the Cookie header, in order: a client that speaks HTTP/2 may send
// one for each cookie (RFC 9113 section 8.2.3).
func (r *Request) Cookies() []string { return r.cookie.values }

// found notes a header's value.
func (r *Request) found(h int, v string, from source) {
	if h == headers {
		r.foundCookie(v, from)
		return
	}
	f := &r.header[h]
	switch {
	case f.from < from:
		*f = field{v, from, false}
	case f.from == from && f.value != v:
		*f = field{"", from, true}
	}
}

func (r *Request) foundCookie(v string, from source) {
	c := &r.cookie
	switch {
	case c.from < from:
		c.values, c.from = append(c.values[:0], v), from
	case c.from == from:
		c.values = append(c.values, v)
	}
}

// readMultiValueHeaders reads the member multiValueHeaders.
func (r *Request) readMultiValueHeaders(j *jsonread.Reader) {
	if j.Null() {
		return
	}
	for name := range j.Members() {
		h, kept := header(name)
		switch {
		case !kept:
			j.Skip()
		case !j.Null():
			for range j.Elements() {
				r.found(h, text(j), inMultiValueHeaders)
			}
		}
	}
}

// readHeaders reads the member headers.
func (r *Request) readHeaders(j *jsonread.Reader) {
	if j.Null() {
		return
	}
	for name := range j.Members() {
		if h, kept := header(name); kept {
			r.found(h, text(j), inHeaders)
		} else {
			j.Skip()
		}
	}
}

// readCookies reads the member cookies of a payload 2.0.
func (r *Request) readCookies(j *jsonread.Reader) {
	if j.Null() {
		return
	}
	for range j.Elements() {
		r.foundCookie(text(j), inCookies)
	}
}

// header finds the header that name is a spelling of. (Letters that only Unicode folds into ASCII
// take more bytes than what they fold into.)
func header(name string) (int, bool) {
	if lengths>>len(name)&1 == 0 {
		return 0, false
	}
	for h, known := range names {
		if len(name) == len(known) && strings.EqualFold(name, known) {
			return h, true
		}
	}
	return 0, false
}
