package login

// This file decides what a browser is told that goes round in circles.

import (
	"errors"

	"edgeauth/internal/cookie"
	"edgeauth/internal/page"
	"edgeauth/internal/reason"
	"edgeauth/internal/token"
)

var (
	errLoop    = reason.New(reason.LoginLoop, "login: several round trips within a minute")
	errIgnored = reason.New(reason.StepUp, "login: the identity provider does not ask again")
)

// loop answers a browser that goes round in circles. err is why its session does not count here;
// nil when it does, so that it is the application that does not accept it.
func (v *visit) loop(err error) answer {
	a := v.failed(errLoop)
	a.cookies = []cookie.Line{v.jar.ForgetMarks()}
	cause := "The browser does not keep the session's cookie. Perhaps cookies are blocked for this site, " +
		"or an extension or proxy removes them."
	switch {
	case err == nil:
		cause = "Your session is good, but {app} does not accept it: " +
			"it is probably set up for another client of the sign-in service."
	case errors.Is(err, errIgnored):
		cause = "The sign-in service was asked to let you sign in anew, and did not: your sign-in stays as old as it was."
	case errors.Is(err, token.ErrExpired) || errors.Is(err, token.ErrNotYetValid):
		cause = "Your session seems to begin or end at the wrong time: a clock is probably wrong."
	case errors.Is(err, token.ErrAudience) || errors.Is(err, token.ErrIssuer):
		cause = "The browser holds a session of another application: it is probably set up under the same name."
	case errors.Is(err, cookie.ErrBroken):
		cause = "The browser keeps only a part of the session: it is probably too large for it."
	case errors.Is(err, cookie.ErrConflict):
		cause = "The browser sends two different sessions at once. Clearing this site's cookies helps."
	}
	a.page.Cause = cause
	a.page.Action = page.To("Try again", v.site.base+"/")
	a.notes = append(a.notes, note("session", string(reason.Of(err))))
	return a
}
