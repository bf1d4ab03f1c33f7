// Package jsonwrite writes strings into JSON without reflection, for the few places where an answer
// is appended piece by piece.
package jsonwrite

import (
	"encoding/binary"
	"unicode/utf8"
)

// AppendString appends s as a JSON string (RFC 8259 section 7). What is not UTF-8 becomes U+FFFD;
// U+2028 and U+2029, which end a line for some readers, are escaped, so that one record stays one
// line.
func AppendString(dst []byte, s string) []byte {
	return append(Append(append(dst, '"'), s), '"')
}

// Append appends what stands between the quotes of s as a JSON string.
func Append(dst []byte, s string) []byte {
	if ordinary([]byte(s)) {
		return append(dst, s...)
	}
	const hex = "0123456789abcdef"
	done := 0 // how much of s is in dst
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0x20 && c < 0x7f && c != '"' && c != '\\' {
			i++
			continue
		}
		dst = append(dst, s[done:i]...)
		n := 1
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c == '\n':
			dst = append(dst, `\n`...)
		case c < utf8.RuneSelf:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			var r rune
			if r, n = utf8.DecodeRuneInString(s[i:]); r == '\u2028' || r == '\u2029' {
				dst = append(append(dst, `\u202`...), hex[r&15])
			} else {
				dst = utf8.AppendRune(dst, r)
			}
		}
		i += n
		done = i
	}
	return append(dst, s[done:]...)
}

// ordinary reports whether s is long enough to be looked at eight bytes at a time, and nothing in
// it but visible ASCII and spaces, no quote and no backslash. (The quote is 0x22: with that bit
// turned over, it is below all that is ordinary, as control characters are; and with one more, DEL
// is the first that is not ASCII.)
func ordinary(s []byte) bool {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	if len(s) < 8 {
		return false
	}
	unusual := uint64(0)
	for rest := s; len(rest) >= 8; rest = rest[8:] {
		w := binary.LittleEndian.Uint64(rest)
		unusual |= ((w ^ ones*0x02) - ones*0x21) | ((w ^ ones*'\\') - ones) | (w + ones) | w
	}
	w := binary.LittleEndian.Uint64(s[len(s)-8:])
	unusual |= ((w ^ ones*0x02) - ones*0x21) | ((w ^ ones*'\\') - ones) | (w + ones) | w
	return unusual&highs == 0
}
