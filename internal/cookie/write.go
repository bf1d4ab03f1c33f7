package cookie

// This file decides what a browser is told to keep and to forget. Browsers drop a cookie whose name
// and value exceed 4096 bytes without a word (draft-ietf-httpbis-rfc6265bis, section 5.6), and keep
// every old piece that nobody clears, so each write clears what an earlier one left.

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"edgeauth/internal/reason"
)

// pieceSize is where a value is split: well below 4096 bytes with the longest name in use.
const pieceSize = 3800

// maxPair is the most that a browser keeps of one cookie, name and value together.
const maxPair = 4096

// ErrTooLarge says that a value would need more than MaxPieces cookies.
var ErrTooLarge = reason.New(reason.LoginTooLarge, "cookie: the value is too large")

// SessionAttributes are those of the session cookie that tell it from others of its name, as Device
// Bound Session Credentials wants them said (https://w3c.github.io/webappsec-dbsc/#format-session-credentials).
const SessionAttributes = "Path=/" + attributes

const attributes = "; HttpOnly; Secure; SameSite=Lax"

var errWrite = errors.New("cookie: name, path, lifetime or value cannot be written")

// Line is one cookie that a browser is told to keep, or to forget. HttpOnly, Secure and
// SameSite=Lax are not options, and there is never a Domain.
type Line struct {
	Name, Value string
	Path        string // "/" or a base path
	MaxAge      int    // seconds; 0: forget it
}

// String returns the line as the value of a Set-Cookie header.
func (l Line) String() string {
	return fmt.Sprintf("%s=%s; Path=%s; Max-Age=%d%s", l.Name, l.Value, l.Path, l.MaxAge, attributes)
}

// Size returns how many bytes of a request's Cookie header the cookie will take, "; " included.
func (l Line) Size() int {
	if l.MaxAge == 0 {
		return 0
	}
	return PairSize(l.Name, l.Value)
}

// PairSize returns how many bytes a cookie takes in a Cookie header, "; " included.
func PairSize(name, value string) int { return len(name) + len(value) + len("=; ") }

// Split returns what makes the browser hold l, in as many pieces as its value takes, and forget
// each further piece that it sent along in headers, the raw values of the request's Cookie headers.
func Split(l Line, headers []string) ([]Line, error) {
	if !writable(l.Name, l.Path) || l.MaxAge < 1 || l.Value == "" || !octets(l.Value) || strings.Contains(l.Value, "~") {
		return nil, errWrite
	}
	rest := l.Value
	count := (len(rest) + pieceSize - 1) / pieceSize
	if count > MaxPieces || len(l.Name)+len("-6=6~") > maxPair-pieceSize {
		return nil, ErrTooLarge
	}
	lines := make([]Line, 0, MaxPieces)
	for i := 1; i <= count; i++ {
		piece := rest[:min(pieceSize, len(rest))]
		rest = rest[len(piece):]
		if i == 1 && count > 1 {
			piece = strconv.Itoa(count) + "~" + piece
		}
		lines = append(lines, Line{pieceName(l.Name, i), piece, l.Path, l.MaxAge})
	}
	for i := count + 1; i <= MaxPieces; i++ {
		if presented(headers, pieceName(l.Name, i)) {
			lines = append(lines, Forget(pieceName(l.Name, i), l.Path))
		}
	}
	return lines, nil
}

// Clear returns what makes the browser forget name and all its pieces, sent along or not.
func Clear(name, path string) []Line {
	lines := make([]Line, 0, MaxPieces)
	for i := 1; i <= MaxPieces; i++ {
		lines = append(lines, Forget(pieceName(name, i), path))
	}
	return lines
}

// Forget returns what makes the browser forget one cookie.
func Forget(name, path string) Line { return Line{Name: name, Path: path} }

func pieceName(name string, i int) string {
	if i == 1 {
		return name
	}
	return name + "-" + strconv.Itoa(i)
}

func presented(headers []string, name string) bool {
	for n := range All(headers) {
		if n == name {
			return true
		}
	}
	return false
}

// writable holds a cookie to the promise of its name's prefix, as browsers do.
func writable(name, path string) bool {
	if name == "" || !octets(name) || strings.ContainsAny(name, "=~") || !strings.HasPrefix(path, "/") || !octets(path) {
		return false
	}
	return !strings.HasPrefix(name, "__Host-") || path == "/"
}

// octets reports whether s holds only what may stand in a cookie without quotes: cookie-octet of
// RFC 6265, section 4.1.1.
func octets(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c <= ' ' || c >= 0x7f || c == '"' || c == ',' || c == ';' || c == '\\' {
			return false
		}
	}
	return true
}
