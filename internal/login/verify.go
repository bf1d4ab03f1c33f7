package login

// This file decides when an ID token is a session: when two implementations that share no code say
// so of a new one, and when one of them says so of what a browser presents.

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"edgeauth/identity"
	"edgeauth/internal/cookie"
	"edgeauth/internal/jar"
	"edgeauth/internal/policy"
	"edgeauth/internal/reason"
	"edgeauth/internal/token"
)

// maxToken is the longest ID token that package token reads, in bytes.
const maxToken = 16 << 10

// issuedWithin is how long ago a token may have been issued that an endpoint has just answered
// with. OpenID Connect Core, section 3.1.3.7, leaves the number to the client.
const issuedWithin = 10 * time.Minute

// longest is the longest life of an ID token that Cognito can be asked for.
// https://docs.aws.amazon.com/cognito/latest/developerguide/quotas.html
const longest = 24 * time.Hour

var (
	errOld      = reason.New(reason.TokenClaims, "login: the ID token was not issued just now")
	errEndless  = reason.New(reason.TokenClaims, "login: the ID token lives too long")
	errDisagree = reason.New(reason.LoginDisagree, "login: a second verifier refuses the ID token")
	errAnswer   = reason.New(reason.LoginTooLarge, "login: API Gateway takes no answer of this size")
	errTooLarge = reason.New(reason.LoginTooLarge, "login: no verifier reads an ID token of this size")
)

// verify returns what a raw ID token says, if it is one for this client.
func (v *visit) verify(raw string, checks token.Checks) (token.Claims, error) {
	verifier, err := token.New(token.Config{
		Issuers: []token.Issuer{{URL: v.provider.Issuer, ClientIDs: []string{v.provider.ClientID}, Keys: v.provider.Keys}},
		Use:     token.ID,
		Now:     func() time.Time { return v.now },
	})
	if err != nil {
		return token.Claims{}, errors.Join(errConfig, err)
	}
	return verifier.Verify(v.r.Context(), raw, checks)
}

// verifyNew verifies an ID token that is about to become a session.
func (v *visit) verifyNew(t tokens, nonce string) (token.Claims, error) {
	if len(t.id) > maxToken {
		return token.Claims{}, fmt.Errorf("%w: %d bytes", errTooLarge, len(t.id))
	}
	claims, err := v.verify(t.id, token.Checks{Nonce: nonce, AccessToken: t.access, Direct: true})
	if err != nil {
		return token.Claims{}, err
	}
	if v.now.Sub(time.Unix(claims.IssuedAt, 0)) > issuedWithin {
		return token.Claims{}, errOld
	}
	if time.Unix(claims.Expiry, 0).Sub(v.now) > longest+v.provider.SessionMax {
		return token.Claims{}, errEndless
	}
	ctx, cancel := context.WithTimeout(v.r.Context(), attemptTime)
	defer cancel()
	err = v.provider.SecondOpinion(ctx, t.id, v.provider.ClientID)
	if reason.Of(err) == reason.KeysUnavailable {
		return token.Claims{}, err
	}
	if err != nil {
		return token.Claims{}, errDisagree
	}
	return claims, nil
}

// hold returns what makes the browser hold the session of t. One with which the authorizer could say
// yes to nothing is refused here, where the user can read why.
func (v *visit) hold(t tokens, claims token.Claims, r jar.Renewal, target string) ([]cookie.Line, error) {
	further, err := claims.Pick(v.provider.Claims)
	if err != nil {
		return nil, err
	}
	context, err := identity.AppendContext(nil, claims.Identity(), further)
	if err != nil {
		return nil, err
	}
	if len(context) > policy.MaxAnswer {
		return nil, fmt.Errorf("%w: backends would get %d bytes", errAnswer, len(context))
	}
	return v.jar.Hold(jar.Session{ID: t.id, Expiry: claims.Expiry, Renewal: r}, target)
}

// session returns the session that the browser presents.
func (v *visit) session() (token.Claims, error) {
	raw, err := v.jar.Session()
	if err != nil {
		return token.Claims{}, err
	}
	claims, err := v.verify(raw, token.Checks{})
	if err == nil {
		err = v.uncut(sessionOf(claims))
	}
	return claims, err
}

// about is what is logged of a session: whose it is.
func about(c token.Claims) []slog.Attr { return []slog.Attr{slog.String("sub", c.Subject)} }
