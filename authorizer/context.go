// This file writes what an answer carries along: where to go, why, and for backends who the caller
// is. Every answer has location and reason, since what a gateway response makes of a missing one is
// not documented.

package main

import (
	"edgeauth/identity"
	"edgeauth/internal/apigw"
	"edgeauth/internal/intent"
	"edgeauth/internal/policy"
	"edgeauth/internal/reason"
	"edgeauth/internal/token"
)

// appendReason appends the members location and reason.
func appendReason(dst []byte, code reason.Code, location []byte) []byte {
	dst = append(append(dst, `"location":"`...), location...) // which is made of nothing that JSON escapes
	dst = append(append(dst, `","reason":"`...), code...)
	return append(dst, '"')
}

// appendPlace appends where the callback's routes are: under the request's own base, unless they
// are a sister API's.
func (a *authorizer) appendPlace(dst []byte, r *apigw.Request) []byte {
	if a.login != "" {
		return append(dst, a.login...)
	}
	return append(append(dst, r.Base...), "/auth"...)
}

// appendLogin appends to the callback's place the address of the login, which returns to where the
// request wanted to go.
func appendLogin(dst []byte, r *apigw.Request, again bool) []byte {
	dst = append(dst, "/login?"...)
	if again {
		dst = append(dst, "prompt=login&"...)
	}
	return appendReturn(dst, r)
}

// appendDenied appends to the callback's place the address of the page that says why not, if it is
// known. A person finds from there to where the request wanted to go.
func appendDenied(dst []byte, r *apigw.Request, code reason.Code) []byte {
	dst = append(dst, "/denied"...)
	if code == reason.OK {
		return dst
	}
	dst = append(append(dst, "?reason="...), code...)
	if !intent.Navigation(r.Method, r.Header) {
		return dst
	}
	return appendReturn(append(dst, '&'), r)
}

// appendReturn appends the parameter that says where the request wanted to go. In place of a target
// that the login would not take back the front page serves, so the parameter is left out, with the
// separator before it.
func appendReturn(dst []byte, r *apigw.Request) []byte {
	var scratch [intent.MaxTarget]byte
	target := r.AppendTarget(scratch[:0])
	if len(target) > intent.MaxTarget || !policy.Plain(r.Path) {
		return dst[:len(dst)-1]
	}
	return apigw.AppendEscaped(append(dst, "return_to="...), target)
}

// appendCaller appends what backends learn of a caller, or that there is none.
func (a *authorizer) appendCaller(dst []byte, c token.Claims) ([]byte, error) {
	if c.Subject == "" {
		return identity.AppendAnonymous(dst), nil
	}
	claims, err := c.Pick(a.claims)
	if err != nil {
		return dst, err
	}
	return identity.AppendContext(dst, c.Identity(), claims)
}
