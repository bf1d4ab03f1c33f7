// This file walks over a JSON text once: strict as RFC 8259, and without copying. Decoding a whole event the usual way costs more than verifying the
// signature that the decision rests on.

package apigw

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"
)

// maxDepth bounds nesting; API Gateway's events nest five deep.
const maxDepth = 32

// scanner walks over data. The first error takes it to the end: every method returns at once, and loops over members and elements end. The strings
// it returns share data's memory, so data must not change while they are in use.
type scanner struct {
	data   []byte
	pos    int
	depth  int
	first  bool // the object or array that was opened last has had no member or element yet
	failed bool
}

func (s *scanner) fail() { s.failed, s.pos = true, len(s.data) }

// peek returns the next byte after white space, 0 at the end.
func (s *scanner) peek() byte {
	for s.pos < len(s.data) {
		c := s.data[s.pos]
		if c > ' ' || c != ' ' && c != '\t' && c != '\r' && c != '\n' {
			return c
		}
		s.pos++
	}
	return 0
}

// take consumes c, which must come next after white space.
func (s *scanner) take(c byte) {
	if s.peek() != c {
		s.fail()
		return
	}
	s.pos++
}

// open consumes the bracket that begins an object or array. It returns false for null, which stands for an absent one.
func (s *scanner) open(bracket byte) bool {
	if s.peek() == 'n' {
		s.literal("null")
		return false
	}
	s.take(bracket)
	if s.depth++; s.depth > maxDepth {
		s.fail()
	}
	s.first = true
	return !s.failed
}

// next steps to the next member or element, consuming the comma, or the bracket that ends them; it returns false at the end.
func (s *scanner) next(bracket byte) bool {
	c := s.peek()
	switch {
	case s.failed:
		return false
	case c == bracket:
		s.pos++
		s.depth--
		s.first = false
		return false
	case s.first:
		s.first = false
	default:
		s.take(',')
	}
	return !s.failed
}

// member steps to the next member of an object and returns its name; the value comes next.
func (s *scanner) member() (string, bool) {
	if !s.next('}') {
		return "", false
	}
	name := s.quoted()
	s.take(':')
	return name, !s.failed
}

// element steps to the next element of an array.
func (s *scanner) element() bool { return s.next(']') }

// str returns a string value; null is "".
func (s *scanner) str() string {
	if s.peek() == 'n' {
		s.literal("null")
		return ""
	}
	return s.quoted()
}

// quoted returns a string.
func (s *scanner) quoted() string {
	s.take('"')
	if s.failed {
		return ""
	}
	start := s.pos
	s.plain()
	if s.pos < len(s.data) && s.data[s.pos] == '"' {
		raw := s.data[start:s.pos]
		s.pos++
		return unsafe.String(unsafe.SliceData(raw), len(raw))
	}
	return s.unescaped(start)
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// plain moves on to the next quote, backslash or fault: over eight bytes at once where all of them are ordinary ASCII.
func (s *scanner) plain() {
	data, i := s.data, s.pos
	for {
		for ; i+8 <= len(data); i += 8 {
			w := binary.LittleEndian.Uint64(data[i:])
			quote, escape := w^ones*'"', w^ones*'\\'
			// A byte's high bit is set where it is below 0x20, a quote, a backslash or not ASCII; bytes after the first such one may be marked wrongly.
			if m := ((w-ones*0x20)&^w | (quote-ones)&^quote | (escape-ones)&^escape | w) & highs; m != 0 {
				i += bits.TrailingZeros64(m) / 8
				break
			}
		}
		s.pos = i
		if i >= len(data) {
			return
		}
		switch c := data[i]; {
		case c == '"' || c == '\\' || c < 0x20:
			return
		case c < utf8.RuneSelf:
			i++
		default:
			r, n := utf8.DecodeRune(data[i:])
			if r == utf8.RuneError && n == 1 {
				return
			}
			i += n
		}
	}
}

// unescaped returns a string that began at start and has an escape, or a fault, at the present position.
func (s *scanner) unescaped(start int) string {
	text := append(make([]byte, 0, 2*(s.pos-start)+32), s.data[start:s.pos]...)
	for s.pos < len(s.data) && !s.failed {
		switch s.data[s.pos] {
		case '"':
			s.pos++
			return unsafe.String(unsafe.SliceData(text), len(text))
		case '\\':
			s.pos++
			text = s.escape(text)
		default:
			start := s.pos
			if s.plain(); s.pos == start {
				s.fail() // a control character, or a byte that is not UTF-8
			}
			text = append(text, s.data[start:s.pos]...)
		}
	}
	s.fail()
	return ""
}

// escape appends what the escape sequence after a backslash stands for.
func (s *scanner) escape(text []byte) []byte {
	if s.pos >= len(s.data) {
		s.fail()
		return text
	}
	c := s.data[s.pos]
	s.pos++
	switch c {
	case '"', '\\', '/':
		return append(text, c)
	case 'b':
		return append(text, '\b')
	case 'f':
		return append(text, '\f')
	case 'n':
		return append(text, '\n')
	case 'r':
		return append(text, '\r')
	case 't':
		return append(text, '\t')
	case 'u':
		return utf8.AppendRune(text, s.codePoint())
	}
	s.fail()
	return text
}

// codePoint reads the hexadecimal digits of \u, and those of a second \u where two make one character. Half a pair stands for nothing: refused.
func (s *scanner) codePoint() rune {
	r := s.hex4()
	if !utf16.IsSurrogate(r) {
		return r
	}
	if s.pos+2 > len(s.data) || s.data[s.pos] != '\\' || s.data[s.pos+1] != 'u' {
		s.fail()
		return utf8.RuneError
	}
	s.pos += 2
	r = utf16.DecodeRune(r, s.hex4())
	if r == utf8.RuneError {
		s.fail()
	}
	return r
}

func (s *scanner) hex4() rune {
	if s.pos+4 > len(s.data) {
		s.fail()
		return 0
	}
	var r rune
	for _, c := range s.data[s.pos : s.pos+4] {
		d, ok := hexDigit(c)
		if !ok {
			s.fail()
			return 0
		}
		r = r<<4 | rune(d)
	}
	s.pos += 4
	return r
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

// skip passes over any value and returns its text.
func (s *scanner) skip() []byte {
	c := s.peek()
	start := s.pos
	switch c {
	case '"':
		s.skipString()
	case '{':
		for s.open('{'); s.next('}'); {
			s.peek()
			s.skipString()
			s.take(':')
			s.skip()
		}
	case '[':
		for s.open('['); s.next(']'); {
			s.skip()
		}
	case 't':
		s.literal("true")
	case 'f':
		s.literal("false")
	case 'n':
		s.literal("null")
	default:
		s.number()
	}
	return s.data[start:s.pos]
}

// skipString passes over a string.
func (s *scanner) skipString() {
	s.take('"')
	for !s.failed {
		s.plain()
		switch {
		case s.pos >= len(s.data):
			s.fail()
		case s.data[s.pos] == '"':
			s.pos++
			return
		case s.data[s.pos] == '\\':
			var ignored [utf8.UTFMax]byte
			s.pos++
			s.escape(ignored[:0])
		default:
			s.fail()
		}
	}
}

func (s *scanner) literal(word string) {
	if s.pos+len(word) > len(s.data) || string(s.data[s.pos:s.pos+len(word)]) != word {
		s.fail()
		return
	}
	s.pos += len(word)
}

// number passes over a number (RFC 8259 section 6).
func (s *scanner) number() {
	s.accept('-')
	if !s.accept('0') {
		s.digits()
	}
	if s.accept('.') {
		s.digits()
	}
	if s.accept('e') || s.accept('E') {
		_ = s.accept('+') || s.accept('-')
		s.digits()
	}
}

func (s *scanner) accept(c byte) bool {
	if s.pos < len(s.data) && s.data[s.pos] == c {
		s.pos++
		return true
	}
	return false
}

func (s *scanner) digits() {
	start := s.pos
	for s.pos < len(s.data) && '0' <= s.data[s.pos] && s.data[s.pos] <= '9' {
		s.pos++
	}
	if s.pos == start {
		s.fail()
	}
}

// end reports whether all went well and nothing but white space is left.
func (s *scanner) end() bool { return s.peek() == 0 && s.pos == len(s.data) && !s.failed }
