// This file decides which request paths mean the same to whoever reads them.

package policy

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// unreserved are the characters that mean the same with and without percent-encoding (RFC 3986
// section 2.3).
const unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"

// Plain reports whether everybody must read path alike: IAM, which compares text, and a backend,
// which may decode escapes, drop dot segments, merge slashes, take a backslash for a slash or cut
// off what follows a semicolon. Nothing is repaired here: a path that is not plain is refused, and
// a client that means no harm never sends one. Stars and question marks are refused with the rest,
// though they widen nothing: where a request's own ARN gets into a document, none can be in it.
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

// plainSegment reports whether the segment that rest begins with is neither a dot segment nor
// empty; the last one may be empty.
func plainSegment(rest string) bool {
	segment, _, more := strings.Cut(rest, "/")
	return segment != "." && segment != ".." && (segment != "" || !more)
}

// plainEscape reports whether %hl stands for a character that has to be escaped, and that is not
// one of those above.
func plainEscape(h, l byte) bool {
	c := hex(h)<<4 | hex(l)
	return c >= 0x20 && c != 0x7f && strings.IndexByte(unreserved+`/\;?#*`, c) < 0 && c != '%'
}

// decodable reports whether the escapes of path, if it has any, are whole and stand for UTF-8: an
// overlong slash is one to some readers and nothing to others.
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

// fold returns path as the most forgiving reader has it: escapes resolved, letters small, and
// neither white space nor dots around a segment, nor segments of nothing else. Some frameworks
// match routes so, and so do some file systems. A path that is not Plain is folded somehow.
func fold(path string) string {
	if folded(path) {
		return path
	}
	if decoded, err := url.PathUnescape(path); err == nil {
		path = decoded
	}
	var b strings.Builder
	for segment := range strings.SplitSeq(path, "/") {
		if segment = strings.TrimFunc(segment, padding); segment != "" {
			b.WriteByte('/')
			b.WriteString(strings.Map(small, segment))
		}
	}
	if b.Len() == 0 {
		return "/"
	}
	return b.String()
}

// folded reports whether path, as nearly every one, needs no folding.
func folded(path string) bool {
	for i := range len(path) {
		switch c := path[i]; {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', c == '_', c == '~':
		case c == '/' && (i == 0 || path[i-1] != '/') && (i == 0 || i+1 < len(path)):
		case c == '.' && i > 0 && path[i-1] != '/' && i+1 < len(path) && path[i+1] != '/' && path[i+1] != '.':
		default:
			return false
		}
	}
	return true
}

// padding reports whether a reader may drop r at either end of a segment: white space, the plus
// that stands for a space in queries, and the dot.
func padding(r rune) bool { return unicode.IsSpace(r) || r == '.' || r == '+' }

// small returns the ASCII letter that r is a spelling of. Rules' paths have no others; beyond ASCII
// there are four that become one of ASCII's when their case is changed
// (https://www.unicode.org/Public/UCD/latest/ucd/CaseFolding.txt).
func small(r rune) rune {
	switch {
	case 'A' <= r && r <= 'Z':
		return r + 'a' - 'A'
	case r == 'İ', r == 'ı':
		return 'i'
	case r == 'ſ': // long s
		return 's'
	case r == '\u212a': // Kelvin sign
		return 'k'
	}
	return r
}
