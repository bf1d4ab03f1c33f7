package login

// This file decides how a session ends: the refresh token is revoked, every cookie is cleared in
// every variant, and the browser goes through Cognito's own logout, without which the next visit
// would sign in again without a question. Another site can make none of this happen unseen:
// whatever it sends here gets a page that asks.

import (
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"edgeauth/internal/jar"
	"edgeauth/internal/page"
	"edgeauth/internal/reason"
)

func (v *visit) logout() answer {
	switch {
	case prefetch(v.r):
		return v.failed(errPrefetch)
	case v.r.Method == http.MethodPost && !sameOrigin(v.r):
		return v.failed(errCrossSite)
	case v.r.Method == http.MethodGet && !meant(v.r):
		return v.confirm()
	}
	a := v.goodbye()
	held := v.jar.Revocable()
	farewells := v.farewells(held)
	a.notes = append(a.notes, v.cut(farewells, 0)...)
	for _, r := range held {
		if err := v.idp.revoke(v.r.Context(), r.Token); err != nil {
			a.notes = append(a.notes, slog.String("revocation", err.Error()))
			// What could not be revoked can renew the session until it ends.
			a.notes = append(a.notes, v.cut(farewells, time.Duration(r.Ends-v.now.Unix())*time.Second)...)
		}
	}
	a.cookies = v.jar.ForgetAll()
	return a
}

// meant reports whether a GET was sent by a link on a page of this origin, and not by an image that
// somebody has put into one. A typed address gets the page that asks: to a browser it is the same as
// a link in a mail program. Programs send a POST.
func meant(r *http.Request) bool {
	return r.Header.Get("Sec-Fetch-Site") == "same-origin" && navigation(r)
}

// goodbye sends a browser through Cognito's logout, which comes back to the signed-out page; a
// program is told where that is.
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

// plain are the bytes that a base path may be made of when nobody can say which ones are ours.
const plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_/.~"

// logoutBlind signs somebody out here while nobody can say where the identity provider is.
func (v *visit) logoutBlind(base string, err error) answer {
	if strings.Trim(base, plain) != "" {
		return v.failed(err) // nobody has checked this path, and it would become a cookie's attribute
	}
	v.site, v.jar = site{base: base}, jar.Blind(v.r, base)
	if v.r.Method == http.MethodPost && sameOrigin(v.r) || v.r.Method == http.MethodGet && meant(v.r) && !prefetch(v.r) {
		a := v.failed(err)
		a.cookies = v.jar.ForgetAll()
		return a
	}
	return v.failed(err)
}

// confirm asks whether a logout is meant.
func (v *visit) confirm() answer {
	a := v.failed(errCrossSite)
	a.page = &page.Page{
		Title:  "Sign out?",
		Text:   []string{"A link brought you here to sign you out of {app}. Nothing has happened yet."},
		Action: page.To("Sign out", v.site.auth("logout")),
		Post:   true,
		Other:  page.To("Stay signed in", v.site.base+"/"),
	}
	if person(v.r) {
		a.status = http.StatusOK
	}
	return a
}

func (v *visit) signedOut() answer {
	return answer{status: http.StatusOK, code: reason.OK, body: map[string]string{"status": "signed_out"}, page: &page.Page{
		Title: "You are signed out",
		Text: []string{
			"Your session with {app} is over in this browser.",
			"If you signed in with an account of another company or network, you may still be signed in there.",
		},
		Action:   page.To("Sign in again", v.site.auth("login")),
		Farewell: true,
	}}
}
