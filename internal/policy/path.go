// This file decides which request paths mean the same to whoever reads them.

package policy

import (
	"net/url"
	"strings"
	"unicode/utf8"
)

// unreserved are the characters that mean the same with and without percent-encoding (RFC 3986 section 2.3).
const unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"

// Plain reports whether everybody must read path alike: IAM, which compares text, and a backend, which may decode escapes, drop dot segments, merge
// slashes, take a backslash for a slash or cut off what follows a semicolon. Nothing is repaired here: a path that is not plain is refused, and a
// client that means no harm never sends one. Stars and question marks are refused with the rest, though they widen nothing: where a request's own
// ARN gets into a document, none can be in it.
func Plain(path string) bool {
	if !strings.HasPrefix(path, "/") {
		return false
	}
	if !decodable(path) {
		return false
	}
	for i := 0; i < len(path); i++ {
		switch c := path[i]; {
		case c < 0x20, c == 0x7f, c == '\\', c == ';', c == '*', c == '?', c == '#':
			return false
		case c == '%':
			if !plainEscape(path[i+1], path[i+2]) {
				return false
			}
			i += 2
		case c == '/':
			if !plainSegment(path[i+1:]) {
				return false
			}
		}
	}
	return true
}

// plainSegment reports whether the segment that rest begins with is neither a dot segment nor empty; the last one may be empty.
func plainSegment(rest string) bool {
	segment, _, more := strings.Cut(rest, "/")
	return segment != "." && segment != ".." && (segment != "" || !more)
}

// plainEscape reports whether %hl stands for a character that has to be escaped, and that is not one of those above.
func plainEscape(h, l byte) bool {
	c := hex(h)<<4 | hex(l)
	return c >= 0x20 && c != 0x7f && strings.IndexByte(unreserved+`/\;?#*`, c) < 0 && c != '%'
}

// decodable reports whether the escapes of path, if it has any, are whole and stand for UTF-8: an overlong slash is one to some readers and nothing to others.
func decodable(path string) bool {
	if strings.IndexByte(path, '%') < 0 {
		return true
	}
	decoded, err := url.PathUnescape(path)
	return err == nil && utf8.ValidString(decoded)
}

// hex returns the value of a hexadecimal digit.
func hex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return (c | 0x20) - 'a' + 10
}
