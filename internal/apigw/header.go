// This file says which request headers a decision may rest on, and finds all their values however a client spells the names.

package apigw

import "strings"

// Header names a request header that a decision may rest on. No others are kept.
type Header int

const (
	Accept Header = iota
	Authorization
	MethodOverride // API Gateway takes the method from it (https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html)
	Origin
	Purpose
	SecFetchDest
	SecFetchMode
	SecFetchSite
	SecPurpose
	headers // how many there are; cookie, which has all its values kept, comes after them
)

// names holds the lower case of each header's name.
var names = [headers + 1]string{
	"accept", "authorization", "x-http-method-override", "origin", "purpose", "sec-fetch-dest", "sec-fetch-mode", "sec-fetch-site", "sec-purpose", "cookie",
}

// source is the member of an event that a header's value was found in. The later in the list counts: headers has one of several values of a name,
// multiValueHeaders has them all, and cookies of a payload 2.0 come in a member of their own.
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

// Has reports whether the request carries the header, be it empty.
func (r *Request) Has(h Header) bool { return r.header[h].from != nowhere }

// Value returns a header's value, "" when the request does not carry it. A header that came with different values has none to rely on: ok is false.
func (r *Request) Value(h Header) (value string, ok bool) {
	return r.header[h].value, !r.header[h].conflict
}

// Cookies returns every value of the Cookie header, in order: a client that speaks HTTP/2 may send one for each cookie (RFC 9113 section 8.2.3).
func (r *Request) Cookies() []string { return r.cookie.values }

// found notes a header's value.
func (r *Request) found(h Header, v string, from source) {
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

// multiValueHeaders reads the member of that name.
func (r *Request) multiValueHeaders(s *scanner) {
	if !s.open('{') {
		return
	}
	for name, ok := s.member(); ok; name, ok = s.member() {
		h, kept := header(name)
		if !kept {
			s.skip()
			continue
		}
		if !s.open('[') {
			continue
		}
		for s.element() {
			r.found(h, s.str(), inMultiValueHeaders)
		}
	}
}

// headers reads the member of that name.
func (r *Request) headers(s *scanner) {
	if !s.open('{') {
		return
	}
	for name, ok := s.member(); ok; name, ok = s.member() {
		if h, kept := header(name); kept {
			r.found(h, s.str(), inHeaders)
		} else {
			s.skip()
		}
	}
}

// cookieList reads the member cookies of a payload 2.0.
func (r *Request) cookieList(s *scanner) {
	if !s.open('[') {
		return
	}
	for s.element() {
		r.foundCookie(s.str(), inCookies)
	}
}

// header finds the header that name is a spelling of. (Letters that only Unicode folds into ASCII take more bytes than what they fold into.)
func header(name string) (Header, bool) {
	for h, known := range names {
		if len(name) == len(known) && strings.EqualFold(name, known) {
			return Header(h), true
		}
	}
	return 0, false
}
