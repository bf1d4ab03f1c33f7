package login

// This file decides when a session goes on. A renewal that fails takes nothing away: the refresh
// token that was refused here may be the one that another tab has just exchanged for the next, and
// clearing cookies now would clear what that tab got. So the answer is a "no", and what the browser
// holds stays; a new sign-in writes over it. There are two exceptions. A token that belongs to
// somebody else takes the session with it, and one that is no good takes what it was got with: the
// next would be no better.

import (
	"errors"
	"fmt"
	"net/http"

	"edgeauth/internal/cookie"
	"edgeauth/internal/jar"
	"edgeauth/internal/reason"
	"edgeauth/internal/token"
)

func (v *visit) refresh() answer {
	if !sameOrigin(v.r) {
		return v.failed(errCrossSite)
	}
	held, err := v.jar.Renewal()
	if errors.Is(err, jar.ErrChanged) {
		return v.notRenewed(err, v.jar.ForgetSession())
	}
	if err == nil {
		err = v.unaided(held)
	}
	if held.Device != "" { // the browser renews it by itself, before it sends a request that needs it
		if claims, serr := v.session(); serr == nil {
			return answer{status: http.StatusNoContent, code: reason.OK, notes: about(claims)}
		}
	}
	if err != nil {
		return v.notRenewed(err, nil)
	}
	lines, claims, err := v.renewed(held, held.Device)
	if err != nil {
		return v.notRenewed(err, lines)
	}
	return v.offered(answer{status: http.StatusNoContent, code: reason.OK, cookies: lines, notes: about(claims)}, held)
}

// notRenewed answers a program whose session could not be renewed. What its browser is to hold and
// to forget goes along.
func (v *visit) notRenewed(err error, lines []cookie.Line) answer {
	a := v.failed(err)
	if errors.Is(err, errNoGood) {
		a = v.fail(http.StatusUnauthorized, err)
	}
	a.notes = append(a.notes, v.suspicion(err)...)
	a.cookies = lines
	return a
}

var errNoGood = errors.New("login: the renewed ID token is no good")

// renewed renews the session that held belongs to, and returns what makes the browser hold it,
// bound to a device ("": to none); with an error, what makes it hold or forget as much as is left.
func (v *visit) renewed(held jar.Renewal, device string) ([]cookie.Line, token.Claims, error) {
	if err := v.uncut(renewalOf(held)); err != nil {
		return nil, token.Claims{}, err
	}
	t, err := v.idp.renew(v.r.Context(), held.Token)
	if err != nil {
		return nil, token.Claims{}, err
	}
	claims, err := v.verifyRenewed(t, held)
	switch {
	case errors.Is(err, jar.ErrChanged):
		return v.jar.ForgetSession(), token.Claims{}, err
	case errors.Is(err, errNoGood):
		return v.jar.ForgetRenewal(), token.Claims{}, err
	case err != nil:
		return v.jar.Rescue(held, t.refresh), token.Claims{}, err
	}
	next := held
	next.Token, next.Renewed, next.Device = t.refresh, v.now.Unix(), device
	lines, err := v.hold(t, claims, next, v.site.base)
	if err != nil {
		lines = v.jar.Rescue(held, t.refresh)
	}
	return lines, claims, err
}

// verifyRenewed verifies an ID token that came with a renewal. It must speak of the same user at
// the same issuer, and its nonce, if it has one, must be that of the sign-in (OpenID Connect Core,
// section 12.2). Its auth_time may differ: with rotation Cognito was seen to say a later one. The
// first one is sealed, and limits count from there.
func (v *visit) verifyRenewed(t tokens, held jar.Renewal) (token.Claims, error) {
	claims, err := v.verifyNew(t, "")
	if err == nil && claims.Nonce != "" && !held.HasNonce(claims.Nonce) {
		err = token.ErrNonce
	}
	switch code := reason.Of(err); {
	case code == reason.TokenExpired || code == reason.TokenNotYetValid || code == reason.TokenUnknownKey:
		// Clocks that differ and keys that are on their way are no fault of the token's.
		return claims, fmt.Errorf("%w: renewed ID token: %s", errUnavailable, code)
	case code.Outcome() == reason.Invalid && code != reason.LoginTooLarge:
		return claims, fmt.Errorf("%w: %w", errNoGood, err)
	case err == nil && (claims.Issuer != held.Issuer || claims.Subject != held.Subject):
		return claims, jar.ErrChanged
	}
	return claims, err
}
