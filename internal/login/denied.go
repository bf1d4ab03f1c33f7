package login

// This file decides what somebody is told who may not do what he tried.

import "edgeauth/internal/reason"

// denied explains why a page did not open. The reason comes with the address, so only codes of our
// own list count.
func (v *visit) denied() answer {
	q, _ := parameters(v.r, "reason")
	code := reason.Code(q["reason"])
	if !code.Known() || code.Outcome() != reason.Refused {
		code = reason.NoRule
	}
	return v.failed(reason.New(code, "login: the authorizer denied"))
}
