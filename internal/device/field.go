package device

// This file decides how the headers of the protocol are written and read. They are structured fields
// (RFC 9651), of which it takes a string with parameters, and an inner list.

import (
	"strings"
)

// The headers.
const (
	HeaderRegistration = "Secure-Session-Registration" // ours: a browser that can may register
	HeaderChallenge    = "Secure-Session-Challenge"    // ours: what is to be signed
	HeaderResponse     = "Secure-Session-Response"     // a browser's: the proof
	HeaderID           = "Sec-Secure-Session-Id"       // a browser's: which session it renews; no script can set it
	HeaderSkipped      = "Secure-Session-Skipped"      // a browser's: which sessions it could not renew before this request, and why
)

// Offered returns the value of the registration header: where to register, and what to sign. It is
// "" if that cannot be said.
func Offered(path, challenge string) string {
	path, challenge = quote(path), quote(challenge)
	if path == "" || challenge == "" {
		return ""
	}
	return "(ES256);path=" + path + ";challenge=" + challenge
}

// Asked returns the value of the challenge header: what to sign, for which session. It is "" if that
// cannot be said.
func Asked(challenge, id string) string {
	challenge, id = quote(challenge), quote(id)
	if challenge == "" || id == "" {
		return ""
	}
	return challenge + ";id=" + id
}

// quote returns s as a string (RFC 9651, section 3.3.3), or "" if it cannot be one.
func quote(s string) string {
	if s == "" || strings.ContainsFunc(s, func(c rune) bool { return c < ' ' || c > '~' }) {
		return ""
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// Text reads a header whose value is a string without a quote or backslash in it, and drops its
// parameters. Browsers have sent the same without quotation marks too. It is "" for none and for
// anything else, several headers included.
func Text(values []string) string {
	if len(values) != 1 {
		return ""
	}
	s := values[0]
	if rest, quoted := strings.CutPrefix(s, `"`); quoted {
		text, after, closed := strings.Cut(rest, `"`)
		if !closed || after != "" && after[0] != ';' || strings.Contains(text, `\`) {
			return ""
		}
		return plain(text)
	}
	text, _, _ := strings.Cut(s, ";")
	return plain(text)
}

// plain returns s if it is made of what base64url and JWTs are made of, else "".
func plain(s string) string {
	const chars = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."
	if strings.Trim(s, chars) != "" {
		return ""
	}
	return s
}

// Skipped reports whether a browser says that it could not renew the session with that ID before
// this request. Why does not matter: it will try again.
func Skipped(values []string, id string) bool {
	if id == "" {
		return false
	}
	for _, value := range values {
		if strings.Contains(value, `session_identifier="`+id+`"`) {
			return true
		}
	}
	return false
}
