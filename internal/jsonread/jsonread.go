// Package jsonread reads JSON, once from front to back and without copying, and refuses what two
// readers could read differently.
//
// encoding/json matches struct fields without regard to case, lets the last of two equal names win
// and mends broken UTF-8. Where a decision about trust hangs on the bytes, each of these is a way
// to show one thing to whoever signed and another to whoever checks. Here a text has one meaning or
// none. (And decoding an event the usual way costs more than verifying the signature that the
// decision rests on.)
//
// What JSON is: RFC 8259 with the choices it leaves open settled as RFC 7493 (I-JSON) settles them.
// UTF-8 and nothing else, no surrogate without its other half, no name twice in one object, and a
// limit on depth. Names compare by their characters after unescaping, exactly.
package jsonread

import (
	"encoding/binary"
	"errors"
	"iter"
	"math/bits"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"
)

// Why a text is refused.
var (
	ErrSyntax    = errors.New("jsonread: not JSON")
	ErrText      = errors.New("jsonread: broken text in JSON")
	ErrDuplicate = errors.New("jsonread: a name twice in one JSON object")
	ErrDepth     = errors.New("jsonread: JSON nested too deeply")
	ErrTrailing  = errors.New("jsonread: something after the JSON value")
)

const maxDepth = 32

// Reader reads a JSON text. The first mistake takes it to the end: everything after returns zero
// values, and End tells.
//
// A reader of one type (String, Integer, Bool) that meets a good value of another, null too, passes
// over it and says no. Members and Elements refuse anything but an object and an array, null too.
// Whoever takes null for an absent value asks for it first, by Null.
//
// Strings share the text's memory unless they hold escapes, so the text must not change while they
// are in use.
type Reader struct {
	text    []byte
	at      int  // the next byte
	depth   int  // how many objects and arrays are open
	repeats bool // names may repeat
	err     error
}

// New returns a Reader at the beginning of text.
func New(text []byte) Reader { return Reader{text: text} }

// NewRepeating returns a Reader that lets names repeat, for texts of which few members matter: its
// user has to refuse those that come twice.
func NewRepeating(text []byte) Reader { return Reader{text: text, repeats: true} }

// Members reads an object: the loop's body must read or skip the value of each name it is given,
// and must not leave the loop.
func (r *Reader) Members() iter.Seq[string] {
	return func(yield func(string) bool) {
		var seen names
		for name, ok := r.name(r.open('{', '}'), &seen); ok; name, ok = r.name(r.next('}'), &seen) {
			if !yield(name) {
				r.Fail(ErrSyntax)
				return
			}
		}
	}
}

// name reads the name of a member and the colon after it, if there is one more.
func (r *Reader) name(more bool, seen *names) (string, bool) {
	if !more {
		return "", false
	}
	name := r.string()
	if r.Peek() != ':' {
		r.Fail(ErrSyntax)
		return "", false
	}
	r.at++
	if !r.repeats && !seen.add(name) {
		r.Fail(ErrDuplicate)
		return "", false
	}
	return name, true
}

// Elements reads an array: the loop's body must read or skip one value each time, and must not
// leave the loop.
func (r *Reader) Elements() iter.Seq[int] {
	return func(yield func(int) bool) {
		i := 0
		for more := r.open('[', ']'); more; more = r.next(']') {
			if !yield(i) {
				r.Fail(ErrSyntax)
				return
			}
			i++
		}
	}
}

// Peek returns the first byte of what comes next, 0 if nothing does: it tells the type of a value.
func (r *Reader) Peek() byte {
	for r.at < len(r.text) {
		c := r.text[r.at]
		if c > ' ' || c != ' ' && c != '\t' && c != '\n' && c != '\r' {
			return c
		}
		r.at++
	}
	return 0
}

// Null reads null, if that comes next, and reports whether it did.
func (r *Reader) Null() bool {
	if r.Peek() != 'n' {
		return false
	}
	r.literal("null")
	return r.err == nil
}

// String reads a string.
func (r *Reader) String() (string, bool) {
	if r.Peek() != '"' {
		r.Skip()
		return "", false
	}
	return r.string(), r.err == nil
}

// Integer reads a number of nothing but digits that fits an int64: no sign, no fraction, no
// exponent.
func (r *Reader) Integer() (int64, bool) {
	if c := r.Peek(); c < '0' || c > '9' {
		r.Skip()
		return 0, false
	}
	n, err := strconv.ParseUint(view(r.number()), 10, 63)
	if err != nil {
		return 0, false
	}
	return int64(n), true
}

// Bool reads true or false.
func (r *Reader) Bool() (value, ok bool) {
	c := r.Peek()
	r.Skip()
	return c == 't', (c == 't' || c == 'f') && r.err == nil
}

// Skip reads a value of any type and forgets it.
func (r *Reader) Skip() {
	switch r.Peek() {
	case '{':
		r.skipMembers()
	case '[':
		for range r.Elements() {
			r.Skip()
		}
	case '"':
		r.quoted()
	case 't':
		r.literal("true")
	case 'f':
		r.literal("false")
	case 'n':
		r.literal("null")
	default:
		r.number()
	}
}

// skipMembers passes over an object. Where names may repeat there is no need to know them.
func (r *Reader) skipMembers() {
	if !r.repeats {
		for range r.Members() {
			r.Skip()
		}
		return
	}
	for more := r.open('{', '}'); more; more = r.next('}') {
		if r.quoted(); r.Peek() != ':' {
			r.Fail(ErrSyntax)
			return
		}
		r.at++
		r.Skip()
	}
}

// Raw returns the text of the next value, to be read on its own: it is JSON, but a name in it may
// repeat.
func (r *Reader) Raw() []byte {
	r.Peek()
	start, repeats := r.at, r.repeats
	r.repeats = true
	r.Skip()
	r.repeats = repeats
	if r.err != nil {
		return nil
	}
	return r.text[start:r.at]
}

// End returns nil when the whole text was one JSON value, and else what was wrong with it.
func (r *Reader) End() error {
	if r.Peek(); r.at < len(r.text) {
		r.Fail(ErrTrailing)
	}
	return r.err
}

// Fail ends the text with err, unless a mistake has ended it already.
func (r *Reader) Fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.at = len(r.text)
}

// open enters an object or array and reports whether it has a first element.
func (r *Reader) open(opening, closing byte) bool {
	switch {
	case r.Peek() != opening:
		r.Fail(ErrSyntax)
		return false
	case r.depth == maxDepth:
		r.Fail(ErrDepth)
		return false
	}
	r.depth++
	r.at++
	if r.Peek() == closing {
		r.close()
		return false
	}
	return true
}

// next reports whether another element follows in the object or array that closing ends.
func (r *Reader) next(closing byte) bool {
	switch r.Peek() {
	case ',':
		r.at++
		return true
	case closing:
		r.close()
	default:
		r.Fail(ErrSyntax)
	}
	return false
}

func (r *Reader) close() {
	r.depth--
	r.at++
}

func (r *Reader) literal(word string) {
	if len(r.text)-r.at < len(word) || string(r.text[r.at:r.at+len(word)]) != word {
		r.Fail(ErrSyntax)
		return
	}
	r.at += len(word)
}

// number reads a number and returns its text (RFC 8259 section 6).
func (r *Reader) number() []byte {
	start := r.at
	r.accept("-")
	if !r.accept("0") && !r.digits() {
		r.Fail(ErrSyntax)
	}
	if r.accept(".") && !r.digits() {
		r.Fail(ErrSyntax)
	}
	if r.accept("eE") {
		r.accept("+-")
		if !r.digits() {
			r.Fail(ErrSyntax)
		}
	}
	return r.text[start:r.at]
}

// accept passes one byte if it is among set.
func (r *Reader) accept(set string) bool {
	if r.at < len(r.text) && strings.IndexByte(set, r.text[r.at]) >= 0 {
		r.at++
		return true
	}
	return false
}

func (r *Reader) digits() bool {
	start := r.at
	for r.at < len(r.text) && '0' <= r.text[r.at] && r.text[r.at] <= '9' {
		r.at++
	}
	return r.at > start
}

// string reads a string and returns what it says.
func (r *Reader) string() string {
	body, plain := r.quoted()
	if plain {
		return view(body)
	}
	return unescape(body)
}

// quoted reads a string and returns what stands between its quotes, and whether that is free of
// escapes.
func (r *Reader) quoted() (body []byte, plain bool) {
	if r.Peek() != '"' {
		r.Fail(ErrSyntax)
		return nil, true
	}
	start := r.at + 1
	end, plain, err := closing(r.text, start)
	if err != nil {
		r.Fail(err)
		return nil, true
	}
	r.at = end + 1
	return r.text[start:end], plain
}

// closing returns where the quote is that ends the string that begins at i, and whether there are
// no escapes before it.
func closing(text []byte, i int) (end int, plain bool, err error) {
	plain = true
	for i = ordinary(text, i); i < len(text); i = ordinary(text, i) {
		switch c := text[i]; {
		case c == '"':
			return i, plain, nil
		case c == '\\':
			_, n := escape(text[i:])
			if n == 0 {
				return 0, true, ErrText
			}
			plain = false
			i += n
		case c < ' ':
			return 0, true, ErrText
		default:
			char, n := utf8.DecodeRune(text[i:])
			if char == utf8.RuneError && n == 1 {
				return 0, true, ErrText
			}
			i += n
		}
	}
	return 0, true, ErrSyntax
}

// ordinary returns where, from i on, the first byte is that is a quote, a backslash, a control
// character or not ASCII: eight bytes at once, as long as there are as many.
func ordinary(text []byte, i int) int {
	for ; i+8 <= len(text); i += 8 {
		if m := unusual(text[i:]) & highs; m != 0 {
			return i + bits.TrailingZeros64(m)/8
		}
	}
	for i < len(text) && text[i] != '"' && text[i] != '\\' && ' ' <= text[i] && text[i] < utf8.RuneSelf {
		i++
	}
	return i
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// unusual returns a word with the high bit of each byte set that is, in the first eight of text,
// below 0x20, a quote, a backslash or not ASCII. Bytes after the first such one may be marked
// wrongly. (The quote is 0x22: with that bit turned over, it is below all that is ordinary, as
// control characters are.)
func unusual(text []byte) uint64 {
	w := binary.LittleEndian.Uint64(text)
	return ((w ^ ones*0x02) - ones*0x21) | ((w ^ ones*'\\') - ones) | w
}

// unescape resolves the escapes of a string that quoted has passed.
func unescape(body []byte) string {
	text := make([]byte, 0, len(body))
	for i := 0; i < len(body); {
		if body[i] != '\\' {
			text = append(text, body[i])
			i++
			continue
		}
		char, n := escape(body[i:])
		text = utf8.AppendRune(text, char)
		i += n
	}
	return view(text)
}

// escape reads the escape that s begins with: the character, and how many bytes it took, 0 if it is
// none.
func escape(s []byte) (rune, int) {
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
	char := unit(s)
	if char < 0 {
		return 0, 0
	}
	if !utf16.IsSurrogate(char) {
		return char, 6
	}
	if char = utf16.DecodeRune(char, unit(s[6:])); char == utf8.RuneError {
		return 0, 0
	}
	return char, 12
}

// unit reads one \uXXXX, and returns -1 if s does not begin with one.
func unit(s []byte) rune {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return -1
	}
	char := rune(0)
	for _, c := range s[2:6] {
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
		char = char<<4 | rune(c)
	}
	return char
}

// view returns b as a string without a copy.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// names holds the names seen in one object: the few of an ordinary one without an allocation, many
// without quadratic work.
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
