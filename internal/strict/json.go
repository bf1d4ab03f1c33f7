package strict

// This file decides what JSON is: RFC 8259 with the choices it leaves open settled as RFC 7493 (I-JSON) settles them. UTF-8 and nothing else, no
// surrogate without its other half, no name twice in one object, and a limit on depth. Names compare by their characters after unescaping, exactly.

import (
	"errors"
	"iter"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Why a text is refused.
var (
	ErrSyntax    = errors.New("strict: not JSON")
	ErrText      = errors.New("strict: broken text in JSON")
	ErrDuplicate = errors.New("strict: a name twice in one JSON object")
	ErrDepth     = errors.New("strict: JSON nested too deeply")
	ErrTrailing  = errors.New("strict: something after the JSON value")
)

const maxDepth = 32

// Scanner reads a JSON text from front to back. The first mistake ends it: everything after returns zero values, and End tells.
//
// A reader of one type (String, Integer, Bool) that meets a good value of another passes over it and says no. Strings share the text's memory
// unless they hold escapes.
type Scanner struct {
	text  string
	at    int  // the next byte
	depth int  // how many objects and arrays are open
	lax   bool // passing over a value that will be read on its own: names may repeat
	err   error
}

// Scan returns a Scanner at the beginning of text.
func Scan(text string) Scanner { return Scanner{text: text} }

// Members reads an object: the loop's body must read or skip the value of each name it is given, and must not leave the loop.
func (s *Scanner) Members() iter.Seq[string] {
	return func(yield func(string) bool) {
		var seen names
		for more := s.open('{', '}'); more; more = s.next('}') {
			name := s.string()
			if s.Peek() != ':' {
				s.fail(ErrSyntax)
				return
			}
			s.at++
			if !s.lax && !seen.add(name) {
				s.fail(ErrDuplicate)
				return
			}
			if !yield(name) {
				s.fail(ErrSyntax)
				return
			}
		}
	}
}

// Elements reads an array: the loop's body must read or skip one value each time, and must not leave the loop.
func (s *Scanner) Elements() iter.Seq[int] {
	return func(yield func(int) bool) {
		i := 0
		for more := s.open('[', ']'); more; more = s.next(']') {
			if !yield(i) {
				s.fail(ErrSyntax)
				return
			}
			i++
		}
	}
}

// Peek returns the first byte of what comes next, 0 if nothing does: it tells the type of a value.
func (s *Scanner) Peek() byte {
	if s.err != nil {
		return 0
	}
	for ; s.at < len(s.text); s.at++ {
		switch c := s.text[s.at]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

// String reads a string.
func (s *Scanner) String() (string, bool) {
	if s.Peek() != '"' {
		s.Skip()
		return "", false
	}
	return s.string(), s.err == nil
}

// Integer reads a number of nothing but digits that fits an int64: no sign, no fraction, no exponent.
func (s *Scanner) Integer() (int64, bool) {
	if c := s.Peek(); c < '0' || c > '9' {
		s.Skip()
		return 0, false
	}
	n, err := strconv.ParseUint(s.number(), 10, 63)
	if err != nil {
		return 0, false
	}
	return int64(n), true
}

// Bool reads true or false.
func (s *Scanner) Bool() (value, ok bool) {
	c := s.Peek()
	s.Skip()
	return c == 't', (c == 't' || c == 'f') && s.err == nil
}

// Skip reads a value of any type and forgets it.
func (s *Scanner) Skip() {
	switch s.Peek() {
	case '{':
		for range s.Members() {
			s.Skip()
		}
	case '[':
		for range s.Elements() {
			s.Skip()
		}
	case '"':
		s.quoted()
	case 't':
		s.literal("true")
	case 'f':
		s.literal("false")
	case 'n':
		s.literal("null")
	default:
		s.number()
	}
}

// Raw returns the text of the next value, to be read on its own: it is JSON, but a name in it may repeat.
func (s *Scanner) Raw() string {
	s.Peek()
	start, lax := s.at, s.lax
	s.lax = true
	s.Skip()
	s.lax = lax
	if s.err != nil {
		return ""
	}
	return s.text[start:s.at]
}

// End returns nil when the whole text was one JSON value, and else what was wrong with it.
func (s *Scanner) End() error {
	if s.Peek(); s.at < len(s.text) {
		s.fail(ErrTrailing)
	}
	return s.err
}

func (s *Scanner) fail(err error) {
	if s.err == nil {
		s.err = err
	}
}

// open enters an object or array and reports whether it has a first element.
func (s *Scanner) open(opening, closing byte) bool {
	switch {
	case s.Peek() != opening:
		s.fail(ErrSyntax)
		return false
	case s.depth == maxDepth:
		s.fail(ErrDepth)
		return false
	}
	s.depth++
	s.at++
	if s.Peek() == closing {
		s.close()
		return false
	}
	return s.err == nil
}

// next reports whether another element follows in the object or array that closing ends.
func (s *Scanner) next(closing byte) bool {
	switch s.Peek() {
	case ',':
		s.at++
		return true
	case closing:
		s.close()
	default:
		s.fail(ErrSyntax)
	}
	return false
}

func (s *Scanner) close() {
	s.depth--
	s.at++
}

func (s *Scanner) literal(word string) {
	if !strings.HasPrefix(s.text[s.at:], word) {
		s.fail(ErrSyntax)
		return
	}
	s.at += len(word)
}

// number reads a number and returns its text.
func (s *Scanner) number() string {
	if s.err != nil {
		return ""
	}
	start := s.at
	s.accept("-")
	if !s.accept("0") && !s.digits() {
		s.fail(ErrSyntax)
	}
	if s.accept(".") && !s.digits() {
		s.fail(ErrSyntax)
	}
	if s.accept("eE") {
		s.accept("+-")
		if !s.digits() {
			s.fail(ErrSyntax)
		}
	}
	return s.text[start:s.at]
}

// accept passes one byte if it is among set.
func (s *Scanner) accept(set string) bool {
	if s.at < len(s.text) && strings.IndexByte(set, s.text[s.at]) >= 0 {
		s.at++
		return true
	}
	return false
}

func (s *Scanner) digits() bool {
	start := s.at
	for s.at < len(s.text) && '0' <= s.text[s.at] && s.text[s.at] <= '9' {
		s.at++
	}
	return s.at > start
}

// string reads a string and returns what it says.
func (s *Scanner) string() string {
	body, plain := s.quoted()
	if plain {
		return body
	}
	return unescape(body)
}

// quoted reads a string and returns what stands between its quotes, and whether that is free of escapes.
func (s *Scanner) quoted() (body string, plain bool) {
	if s.Peek() != '"' {
		s.fail(ErrSyntax)
		return "", true
	}
	start := s.at + 1
	plain = true
	for i := start; i < len(s.text); {
		switch c := s.text[i]; {
		case c == '"':
			s.at = i + 1
			return s.text[start:i], plain
		case c == '\\':
			_, n := escape(s.text[i:])
			if n == 0 {
				s.fail(ErrText)
				return "", true
			}
			plain = false
			i += n
		case c < ' ':
			s.fail(ErrText)
			return "", true
		case c < utf8.RuneSelf:
			i++
		default:
			r, n := utf8.DecodeRuneInString(s.text[i:])
			if r == utf8.RuneError && n == 1 {
				s.fail(ErrText)
				return "", true
			}
			i += n
		}
	}
	s.fail(ErrSyntax)
	return "", true
}

// unescape resolves the escapes of a string that quoted has passed.
func unescape(body string) string {
	var b strings.Builder
	b.Grow(len(body))
	for {
		i := strings.IndexByte(body, '\\')
		if i < 0 {
			b.WriteString(body)
			return b.String()
		}
		b.WriteString(body[:i])
		r, n := escape(body[i:])
		b.WriteRune(r)
		body = body[i+n:]
	}
}

// escape reads the escape that s begins with: the character, and how many bytes it took, 0 if it is none.
func escape(s string) (rune, int) {
	if len(s) < 2 {
		return 0, 0
	}
	switch s[1] {
	case '"', '\\', '/':
		return rune(s[1]), 2
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	}
	r := unit(s)
	if r < 0 {
		return 0, 0
	}
	if !utf16.IsSurrogate(r) {
		return r, 6
	}
	if r = utf16.DecodeRune(r, unit(s[6:])); r == utf8.RuneError {
		return 0, 0
	}
	return r, 12
}

// unit reads one \uXXXX, and returns -1 if s does not begin with one.
func unit(s string) rune {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return -1
	}
	r := rune(0)
	for _, c := range []byte(s[2:6]) {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return -1
		}
		r = r<<4 | rune(c)
	}
	return r
}

// names holds the names seen in one object: the few of an ordinary one without an allocation, many without quadratic work.
type names struct {
	few  [24]string
	n    int
	many map[string]struct{}
}

// add reports whether name is new.
func (s *names) add(name string) bool {
	for _, old := range s.few[:s.n] {
		if old == name {
			return false
		}
	}
	if s.n < len(s.few) {
		s.few[s.n] = name
		s.n++
		return true
	}
	if s.many == nil {
		s.many = make(map[string]struct{})
	}
	before := len(s.many)
	s.many[name] = struct{}{}
	return len(s.many) > before
}
