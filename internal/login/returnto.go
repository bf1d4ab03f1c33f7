package login

// This file decides where a browser may be sent back to: a path on this site, never anywhere else,
// whatever a browser makes of it. Go and browsers read URLs differently
// (https://url.spec.whatwg.org/): browsers take "\" for "/", drop TAB and line breaks, and resolve
// %2e%2e as "..". So only what both read alike passes, and it passes byte for byte.

import (
	"net/url"
	"strings"
	"unicode/utf8"
)

// maxTarget is the longest return target; with it, no address of ours comes near the 8 kB at which
// proxies give up.
const maxTarget = 2048

// returnTo returns the path, query and fragment that raw names under base, or the site's front page
// when it names none. Our own routes are none: to return to the logout would sign out.
func returnTo(base, raw string) string {
	if !onSite(base, raw) {
		return base + "/"
	}
	return asciiOnly(raw)
}

func onSite(base, raw string) bool {
	if len(raw) > maxTarget || !utf8.ValidString(raw) || strings.ContainsFunc(raw, unfit) {
		return false
	}
	path := raw
	if i := strings.IndexAny(raw, "?#"); i >= 0 {
		path = raw[:i]
	}
	if path != base && !strings.HasPrefix(path, base+"/") || !strings.HasPrefix(path, "/") {
		return false
	}
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" {
		return false
	}
	segments := strings.Split(path[1:], "/")
	for i, segment := range segments {
		if segment == "" && i < len(segments)-1 {
			return false
		}
	}
	for segment := range strings.SplitSeq(u.Path, "/") { // unescaped: browsers resolve %2e%2e too
		if segment == "." || segment == ".." {
			return false
		}
	}
	return u.Path != base+"/auth" && !strings.HasPrefix(u.Path, base+"/auth/")
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
