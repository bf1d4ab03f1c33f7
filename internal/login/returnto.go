package login

// This file decides where a browser may be sent back to: a path on this site, never anywhere else,
// whatever a browser makes of it. Go and browsers read URLs differently
// (https://url.spec.whatwg.org/): browsers take "\" for "/", drop TAB and line breaks, and resolve
// %2e%2e as "..". So only what both read alike passes, and it passes byte for byte: the rule is the
// authorizer's own, which would refuse any other path.

import (
	"strings"

	"edgeauth/internal/intent"
	"edgeauth/internal/policy"
)

// returnTo returns the path, query and fragment that raw names under base, or the site's front page
// when it names none. Our own routes are none: to return to the logout would sign out.
func returnTo(base, raw string) string {
	if !onSite(base, raw) {
		return base + "/"
	}
	return asciiOnly(raw)
}

func onSite(base, raw string) bool {
	if len(raw) > intent.MaxTarget || strings.ContainsFunc(raw, unfit) {
		return false
	}
	path := asciiOnly(raw)
	if i := strings.IndexAny(path, "?#"); i >= 0 {
		path = path[:i]
	}
	under, ok := strings.CutPrefix(path, base)
	if !ok || under != "" && under[0] != '/' || !policy.Plain(path) {
		return false
	}
	first, _, _ := strings.Cut(strings.TrimPrefix(under, "/"), "/")
	return !strings.EqualFold(first, "auth")
}

// unfit reports what browsers drop or turn into something else.
func unfit(r rune) bool { return r <= ' ' || r == 0x7f || r == '\\' }

// asciiOnly escapes what is beyond ASCII, as browsers do when they send it.
func asciiOnly(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < 0x80 {
			b.WriteByte(c)
		} else {
			b.WriteByte('%')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		}
	}
	return b.String()
}
