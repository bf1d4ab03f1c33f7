package login

// This file decides how a session ends: the refresh token is revoked, every cookie is cleared in every variant, and the browser goes through Cognito's
// own logout, without which the next visit would sign in again without a question. Another site can make none of this happen unseen: whatever it sends
// here gets a page that asks.

import (
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"edgeauth/internal/cookie"
	"edgeauth/internal/reason"
)

func (v *visit) logout() answer {
	switch {
	case prefetch(v.r):
		return v.failed(errPrefetch)
	case v.r.Method == http.MethodPost && !sameOrigin(v.r):
		return v.failed(errCrossSite)
	case v.r.Method == http.MethodGet && !v.meant():
		return v.confirm()
	}
	a := v.goodbye()
	for _, token := range v.revocable() {
		if err := v.revoke(token); err != nil {
			a.notes = append(a.notes, slog.String("revocation", err.Error()))
		}
	}
	a.cookies = v.forgetAll()
	return a
}

// maxRevoked is how many refresh tokens one sign-out revokes at the most: one, unless a neighbouring host has put its own beside it.
const maxRevoked = 3

// revocable returns the refresh tokens to revoke. With two cookies of the name nobody can tell which is the session's, so all are ended.
func (v *visit) revocable() (tokens []string) {
	if held, err := v.sealedRenewal(); err == nil {
		return []string{held.Token}
	}
	for name, sealed := range cookie.All(v.cookies) {
		var r renewal
		if name == refreshCookie && len(tokens) < maxRevoked && v.sealer.open("refresh", refreshCookie, sealed, &r) == nil && r.Token != "" {
			tokens = append(tokens, r.Token)
		}
	}
	return tokens
}

// meant reports whether a GET was sent by a link on one of our pages or typed by somebody: not by an image that somebody has put into one. A browser that
// does not say gets the page that asks; what is no browser cannot be tricked into anything.
func (v *visit) meant() bool {
	switch v.r.Header.Get("Sec-Fetch-Site") {
	case "same-origin", "none":
		return navigation(v.r)
	case "":
		return !person(v.r)
	}
	return false
}

// goodbye sends a browser through Cognito's logout, which comes back to the signed-out page; a program is told where that is.
// https://docs.aws.amazon.com/cognito/latest/developerguide/logout-endpoint.html
func (v *visit) goodbye() answer {
	to := v.provider.LoginURL + "/logout?" + url.Values{
		"client_id":  {v.provider.ClientID},
		"logout_uri": {v.site.url + "/auth/signed-out"},
	}.Encode()
	if person(v.r) {
		return v.redirect(to, nil)
	}
	return answer{status: http.StatusOK, code: reason.OK, body: map[string]string{"location": to}}
}

// forgetAll returns what makes the browser forget everything that we ever gave it.
func (v *visit) forgetAll() []string {
	lines := append(v.forgetSession(), cookie.Forget(loopCookie, v.site.cookiePath()))
	return append(lines, v.forgetPending(v.pendings())...)
}

// logoutBlind signs somebody out here while nobody can say where the identity provider is.
func (v *visit) logoutBlind(base string, err error) answer {
	if strings.Trim(base, base64url+"/.~") != "" {
		return v.failed(err) // nobody has checked this path, and it would become a cookie's attribute
	}
	v.site = site{base: base}
	if v.r.Method == http.MethodPost && sameOrigin(v.r) || v.r.Method == http.MethodGet && v.meant() && !prefetch(v.r) {
		a := v.failed(err)
		a.cookies = v.forgetAll()
		return a
	}
	return v.failed(err)
}

// confirm asks whether a logout is meant.
func (v *visit) confirm() answer {
	a := v.failed(errCrossSite)
	a.page = &page{
		title:  "Sign out?",
		text:   []string{"Another site sent you here to sign you out of {app}. Nothing has happened yet."},
		action: link{"Sign out", v.site.auth("logout")},
		post:   true,
		other:  link{"Stay signed in", v.site.base + "/"},
	}
	if person(v.r) {
		a.status = http.StatusOK
	}
	return a
}

func (v *visit) signedOut() answer {
	return answer{status: http.StatusOK, code: reason.OK, body: map[string]string{"status": "signed_out"}, page: &page{
		title: "You are signed out",
		text: []string{
			"Your session with {app} is over in this browser.",
			"If you signed in with an account of another company or network, you may still be signed in there.",
		},
		action:   link{"Sign in again", v.site.auth("login")},
		farewell: true,
	}}
}
