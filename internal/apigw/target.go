// This file writes down where a request wanted to go, so that a browser can be sent there again
// after it has signed in.

package apigw

import "edgeauth/internal/jsonread"

// AppendTarget appends the path as the client sent it and, after a question mark, the query:
// parameter for parameter, since REST APIs and payload 1.0 carry it decoded; byte for byte with
// payload 2.0.
func (r *Request) AppendTarget(dst []byte) []byte {
	dst = append(dst, r.Path...)
	start := len(dst)
	if r.event.rawQuery != "" {
		return append(append(dst, '?'), r.event.rawQuery...)
	}
	if dst = r.appendMany(dst); len(dst) == start {
		dst = r.appendOne(dst)
	}
	if len(dst) > start {
		dst[start] = '?'
	}
	return dst
}

// appendMany appends what multiValueQueryStringParameters holds.
func (r *Request) appendMany(dst []byte) []byte {
	j := jsonread.NewRepeating(r.event.manyQuery)
	if len(r.event.manyQuery) == 0 || j.Null() {
		return dst
	}
	for name := range j.Members() {
		if j.Null() {
			continue
		}
		for range j.Elements() {
			dst = appendParameter(dst, name, text(&j))
		}
	}
	return dst
}

// appendOne appends what queryStringParameters holds, which has one value of several.
func (r *Request) appendOne(dst []byte) []byte {
	j := jsonread.NewRepeating(r.event.oneQuery)
	if len(r.event.oneQuery) == 0 || j.Null() {
		return dst
	}
	for name := range j.Members() {
		dst = appendParameter(dst, name, text(&j))
	}
	return dst
}

func appendParameter(dst []byte, name, value string) []byte {
	dst = AppendEscaped(append(dst, '&'), name)
	return AppendEscaped(append(dst, '='), value)
}

// AppendEscaped appends s as a part of a query: percent-encoded but for the unreserved characters
// (RFC 3986 section 2.3).
func AppendEscaped[T string | []byte](dst []byte, s T) []byte {
	const hex = "0123456789ABCDEF"
	for i := range len(s) {
		c := s[i]
		if 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '.' || c == '_' || c == '~' {
			dst = append(dst, c)
		} else {
			dst = append(dst, '%', hex[c>>4], hex[c&15])
		}
	}
	return dst
}
