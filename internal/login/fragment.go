package login

// This file decides how the part of an address after "#" survives the login. Browsers never send it, and drop it at the identity provider's form. So a
// browser on its way there gets a page of a kilobyte, whose script puts the fragment into a cookie that only our routes see, and moves on at once.
// Renewal needs none of it: browsers carry a fragment along redirects.

import (
	"net/url"
	"strings"

	"edgeauth/internal/cookie"
)

const (
	fragmentPrefix = "__Secure-fragment-"
	maxFragment    = 1024 // bytes, as it stands in the cookie: the script in pages.go keeps to it too
)

// fragment returns "#" and the fragment that belongs to a login, or "", and what makes the browser forget it. A page can write this cookie, so it is
// trusted no further than a link: it can only choose a place on the page that the sealed return target names.
func (v *visit) fragment(state string) (string, []string) {
	name := fragmentPrefix + pendingID(state)
	value, err := cookie.Join(v.cookies, name)
	if err != nil {
		return "", nil
	}
	forget := []string{cookie.Forget(name, v.site.cookiePath())}
	text, err := url.PathUnescape(value)
	if err != nil || text == "" || len(value) > maxFragment {
		return "", forget
	}
	if strings.ContainsFunc(text, func(c rune) bool { return unfit(c) || c >= 0x7f }) {
		return "", forget
	}
	return "#" + text, forget
}
