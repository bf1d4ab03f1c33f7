package login

// This file decides when a session goes on. A renewal that fails takes nothing away: the refresh
// token that was refused here may be the one that another tab has just exchanged for the next, and
// clearing cookies now would clear what that tab got. So the answer is a "no", and what the browser
// holds stays; a new sign-in writes over it. The exception is a token that belongs to somebody
// else.

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
	if err != nil {
		return v.notRenewed(err, nil)
	}
	lines, claims, err := v.renewed(held)
	if err != nil {
		return v.notRenewed(err, lines)
	}
	return answer{status: http.StatusNoContent, code: reason.OK, cookies: lines, notes: about(claims)}
}

// notRenewed answers a program whose session could not be renewed. What there is to rescue goes
// along.
func (v *visit) notRenewed(err error, rescued []cookie.Line) answer {
	a := v.failed(err)
	a.cookies = rescued
	if errors.Is(err, jar.ErrChanged) {
		a.cookies = v.jar.ForgetSession()
	}
	return a
}

// renewed renews the session that held belongs to, and returns what makes the browser hold it; with
// an error, what makes it hold the refresh token that came with it, if it is a new one. The new ID
// token must speak of the same sign-in of the same user (OpenID Connect Core, section 12.2).
func (v *visit) renewed(held jar.Renewal) ([]cookie.Line, token.Claims, error) {
	t, err := v.idp.renew(v.r.Context(), held.Token)
	if err != nil {
		return nil, token.Claims{}, err
	}
	claims, err := v.verifyNew(t, "")
	if err != nil {
		if code := reason.Of(err); code.Outcome() != reason.CannotTell && code != reason.LoginTooLarge {
			err = fmt.Errorf("%w: renewed ID token: %s", errUnavailable, code)
		}
		return v.jar.Rescue(held, t.refresh), token.Claims{}, err
	}
	if claims.Issuer != held.Issuer || claims.Subject != held.Subject || claims.AuthTime > held.AuthTime {
		return nil, token.Claims{}, jar.ErrChanged
	}
	next := held
	next.Token, next.Renewed = t.refresh, v.now.Unix()
	lines, err := v.jar.Hold(jar.Session{ID: t.id, Expiry: claims.Expiry, Renewal: next}, v.site.base)
	if err != nil {
		lines = v.jar.Rescue(held, t.refresh)
	}
	return lines, claims, err
}
