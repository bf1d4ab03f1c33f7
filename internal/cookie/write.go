package cookie

// This file decides what a browser is told to keep and to forget. Browsers drop a cookie whose name and value exceed 4096 bytes without a word
// (draft-ietf-httpbis-rfc6265bis, section 5.6), and keep every old piece that nobody clears, so each write clears what an earlier one left.

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

var errWrite = errors.New("cookie: name, path, lifetime or value cannot be written")

// Attributes are the only ones that differ between cookies. HttpOnly, Secure and SameSite=Lax are not options, and there is never a Domain.
type Attributes struct {
	Path   string // "/" or a base path
	MaxAge int    // seconds, at least 1
}

// Split returns the Set-Cookie header values that make the browser hold value under name, in as many pieces as it takes, and forget each further piece
// that it sent along in headers, the raw values of the request's Cookie headers.
func Split(name, value string, headers []string, a Attributes) ([]string, error) {
	if !writable(name, a.Path) || a.MaxAge < 1 || value == "" || !octets(value) || strings.Contains(value, "~") {
		return nil, errWrite
	}
	count := (len(value) + pieceSize - 1) / pieceSize
	if count > MaxPieces || len(name)+len("-6=6~") > maxPair-pieceSize {
		return nil, ErrTooLarge
	}
	lines := make([]string, 0, MaxPieces)
	for i := 1; i <= count; i++ {
		piece := value[:min(pieceSize, len(value))]
		value = value[len(piece):]
		if i == 1 && count > 1 {
			piece = strconv.Itoa(count) + "~" + piece
		}
		lines = append(lines, line(pieceName(name, i), piece, a))
	}
	for i := count + 1; i <= MaxPieces; i++ {
		if sent(headers, pieceName(name, i)) {
			lines = append(lines, Forget(pieceName(name, i), a.Path))
		}
	}
	return lines, nil
}

// Clear returns the Set-Cookie header values that make the browser forget name and all its pieces, sent along or not.
func Clear(name, path string) []string {
	lines := make([]string, 0, MaxPieces)
	for i := 1; i <= MaxPieces; i++ {
		lines = append(lines, Forget(pieceName(name, i), path))
	}
	return lines
}

// Size returns how many bytes of a request's Cookie header the cookies that lines set will take, "; " included.
func Size(lines []string) int {
	size := 0
	for _, l := range lines {
		pair, _, _ := strings.Cut(l, ";")
		if !strings.HasSuffix(pair, "=") {
			size += len(pair) + len("; ")
		}
	}
	return size
}

func pieceName(name string, i int) string {
	if i == 1 {
		return name
	}
	return name + "-" + strconv.Itoa(i)
}

func sent(headers []string, name string) bool {
	for n := range All(headers) {
		if n == name {
			return true
		}
	}
	return false
}

func line(name, value string, a Attributes) string {
	return fmt.Sprintf("%s=%s; Path=%s; Max-Age=%d; HttpOnly; Secure; SameSite=Lax", name, value, a.Path, a.MaxAge)
}

// Forget returns the Set-Cookie header value that makes the browser forget one cookie.
func Forget(name, path string) string {
	return line(name, "", Attributes{Path: path})
}

// writable holds a cookie to the promise of its name's prefix, as browsers do.
func writable(name, path string) bool {
	if name == "" || !octets(name) || strings.ContainsAny(name, "=~") || !strings.HasPrefix(path, "/") || !octets(path) {
		return false
	}
	return !strings.HasPrefix(name, "__Host-") || path == "/"
}

// octets reports whether s holds only what may stand in a cookie without quotes: cookie-octet of RFC 6265, section 4.1.1.
func octets(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c <= ' ' || c >= 0x7f || c == '"' || c == ',' || c == ';' || c == '\\' {
			return false
		}
	}
	return true
}
