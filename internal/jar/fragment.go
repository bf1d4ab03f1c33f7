package jar

// This file decides how the part of an address after "#" survives the login. Browsers never send
// it, and drop it at the identity provider's form. So a page on the way there puts it into a cookie
// that only our routes see. Renewal needs none of it: browsers carry a fragment along redirects.

import (
	"net/url"
	"strings"

	"edgeauth/internal/cookie"
)

const (
	fragmentPrefix = "__Secure-fragment-"
	maxFragment    = 1024 // bytes, as it stands in the cookie: the script that writes it keeps to that too
)

// Fragment returns the cookie, without its value, that a page's script may put the fragment of its
// address into, for the login of that state.
func (j *Jar) Fragment(state string) cookie.Line {
	return cookie.Line{Name: fragmentPrefix + pendingID(state), Path: j.path(), MaxAge: int(pendingLife.Seconds())}
}

// fragment returns "#" and the fragment that belongs to a login, or "". A page can write this
// cookie, so it is trusted no further than a link: it can only choose a place on the page that the
// sealed return target names.
func (j *Jar) fragment(id string) string {
	value, err := cookie.Join(j.cookies, fragmentPrefix+id)
	if err != nil || len(value) > maxFragment {
		return ""
	}
	text, err := url.PathUnescape(value)
	if err != nil || text == "" {
		return ""
	}
	if strings.ContainsFunc(text, func(c rune) bool { return c <= ' ' || c >= 0x7f || c == '\\' }) {
		return ""
	}
	return "#" + text
}
