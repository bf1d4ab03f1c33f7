package login

// This file decides what somebody is told who may not do what he tried, and what he can do about
// it. That depends on whether there is a session, which the address does not say.

import (
	"net/url"

	"edgeauth/internal/page"
	"edgeauth/internal/reason"
	"edgeauth/internal/token"
)

// denied explains why a page did not open. Reason and return target come with the address, so only
// codes of our own list count, and only targets of this site.
func (v *visit) denied() answer {
	q, _ := parameters(v.r, "reason", "return_to")
	code := reason.Code(q["reason"])
	if !code.Known() || code.Outcome() != reason.Refused {
		code = reason.NoRule
	}
	a := v.failed(reason.New(code, "login: the authorizer denied"))
	target := returnTo(v.site.base, q["return_to"])
	claims, err := v.session()
	switch outcome := reason.Of(err).Outcome(); {
	case err == nil:
		v.offerMember(a.page, code, target, claims)
	case outcome != reason.CannotTell && aboutTheCaller[code]:
		a.page.Text = []string{"You are not signed in. Sign in to find out whether your account has access."}
		a.page.Action = page.To("Sign in", v.loginLink(target).URL)
	}
	return a
}

// aboutTheCaller are the refusals that another caller may not get.
var aboutTheCaller = map[reason.Code]bool{
	reason.NoRule: true, reason.GroupRequired: true, reason.StepUp: true, reason.TooLarge: true,
}

// offerMember completes the page for somebody who is signed in.
func (v *visit) offerMember(p *page.Page, code reason.Code, target string, c token.Claims) {
	if who := c.VerifiedEmail(); who != "" && aboutTheCaller[code] {
		p.Text = append(p.Text, "You are signed in as "+printable(who)+".")
	}
	again := v.site.auth("login") + "?return_to=" + url.QueryEscape(target) + "&prompt=login"
	switch code {
	case reason.GroupRequired, reason.TooLarge:
		p.Text = append(p.Text, "If your groups were changed just now, or you have another account, sign in again.")
		p.Action, p.Other = page.To("Sign in again", again), page.To("Go to the start page", v.site.base+"/")
	case reason.StepUp:
		p.Action = page.To("Sign in once more", again)
	}
}
