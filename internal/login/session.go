package login

// This file decides when a session exists, and what a browser holds of it: the ID token where every request to the application carries it, and the
// refresh token, sealed, where only our routes see it. Both are always written together, so that an answer which comes late can never put one user's
// renewal beside another's session.

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"edgeauth/internal/cookie"
	"edgeauth/internal/reason"
	"edgeauth/internal/token"
)

const (
	refreshCookie = "__Secure-refresh"
	cognitoLife   = 30 * 24 * time.Hour // of a refresh token, unless the client says otherwise
)

var (
	errDisagree  = reason.New(reason.LoginDisagree, "login: a second verifier refuses the ID token")
	errChanged   = reason.New(reason.SessionChanged, "login: the refresh token belongs to another sign-in")
	errOver      = reason.New(reason.SessionEnded, "login: the session is over its limit")
	errNoRefresh = reason.New(reason.NoSession, "login: no refresh token that can be read")
)

// renewal is what the refresh cookie holds: the token, whose it is, and since when.
type renewal struct {
	Token    string `json:"t"`
	Issuer   string `json:"i"`
	Subject  string `json:"s"`
	AuthTime int64  `json:"a"`
	Renewed  int64  `json:"r"`
	Expires  int64  `json:"e"` // when the refresh token dies: a rotated one inherits it
}

// verify returns what a raw ID token says, if it is one for this client.
func (v *visit) verify(raw string, checks token.Checks) (token.Claims, error) {
	verifier, err := token.New(token.Config{
		Issuers: []token.Issuer{{URL: v.Issuer, ClientIDs: []string{v.provider.ClientID}, Keys: v.Keys}},
		Use:     token.ID,
		Now:     func() time.Time { return v.now },
	})
	if err != nil {
		return token.Claims{}, errors.Join(errConfig, err)
	}
	return verifier.Verify(v.r.Context(), raw, checks)
}

// verifyNew verifies an ID token that is about to become a session. Two implementations that share no code must agree.
func (v *visit) verifyNew(t tokens, nonce string) (token.Claims, error) {
	if len(t.id) > maxToken {
		return token.Claims{}, fmt.Errorf("%w: an ID token of %d bytes", errTooLarge, len(t.id))
	}
	claims, err := v.verify(t.id, token.Checks{Nonce: nonce, AccessToken: t.access})
	if err != nil {
		return token.Claims{}, err
	}
	ctx, cancel := context.WithTimeout(v.r.Context(), attemptTime)
	defer cancel()
	err = v.SecondOpinion(ctx, t.id, v.provider.ClientID)
	if reason.Of(err) == reason.KeysUnavailable {
		return token.Claims{}, err
	}
	if err != nil {
		return token.Claims{}, errDisagree
	}
	return claims, nil
}

// session returns the session that the browser presents, and its ID token.
func (v *visit) session() (token.Claims, string, error) {
	raw, err := cookie.Join(v.cookies, cookie.Session)
	if err != nil {
		return token.Claims{}, "", err
	}
	claims, err := v.verify(raw, token.Checks{})
	return claims, raw, err
}

// establish returns what makes the browser hold the session of t: both cookies, or no refresh cookie at all.
func (v *visit) establish(t tokens, claims token.Claims, expires int64) ([]string, error) {
	r := renewal{t.refresh, claims.Issuer, claims.Subject, claims.AuthTime, v.now.Unix(), expires}
	lines, err := cookie.Split(cookie.Session, t.id, v.cookies, cookie.Attributes{Path: "/", MaxAge: v.age(v.lastMoment(r, claims.Expiry))})
	if err != nil {
		return nil, err
	}
	if t.refresh == "" {
		return append(lines, cookie.Clear(refreshCookie, v.site.cookiePath())...), nil
	}
	more, err := v.store(r)
	return append(lines, more...), err
}

// store returns what makes the browser hold r.
func (v *visit) store(r renewal) ([]string, error) {
	return cookie.Split(refreshCookie, v.sealer.seal("refresh", refreshCookie, r), v.cookies,
		cookie.Attributes{Path: v.site.cookiePath(), MaxAge: v.age(v.lastMoment(r, r.Expires))})
}

// rescue returns what makes the browser hold a rotated refresh token whose ID token could not be used: the one it replaced is worth nothing any more.
// The session goes with it as it was presented, or is gone if none was, so that here too both are written together.
func (v *visit) rescue(held renewal, refresh string) []string {
	if refresh == held.Token {
		return nil
	}
	held.Token = refresh
	more, err := v.store(held)
	if err != nil {
		return nil
	}
	raw, err := cookie.Join(v.cookies, cookie.Session)
	if err != nil {
		return append(cookie.Clear(cookie.Session, "/"), more...)
	}
	lines, err := cookie.Split(cookie.Session, raw, v.cookies, cookie.Attributes{Path: "/", MaxAge: v.age(v.lastMoment(held, v.now.Unix()+3600))})
	if err != nil {
		return nil
	}
	return append(lines, more...)
}

// refreshExpiry is when a refresh token dies that was issued just now.
func (v *visit) refreshExpiry() int64 {
	life := v.provider.RefreshLife
	if life <= 0 {
		life = cognitoLife
	}
	return v.now.Add(life).Unix()
}

// lastMoment returns until when something of r's session may be kept that itself lasts until at.
func (v *visit) lastMoment(r renewal, at int64) int64 {
	if v.SessionMax > 0 {
		at = min(at, r.AuthTime+int64(v.SessionMax.Seconds()))
	}
	return at
}

// age is the Max-Age of a cookie that is kept until at. Browsers keep none for longer than 400 days.
func (v *visit) age(at int64) int {
	return int(min(max(at-v.now.Unix(), 1), 400*24*60*60))
}

// sealedRenewal returns what the browser holds to renew its session with, whatever it is worth by now.
func (v *visit) sealedRenewal() (renewal, error) {
	var r renewal
	sealed, err := cookie.Join(v.cookies, refreshCookie)
	if err != nil || v.sealer.open("refresh", refreshCookie, sealed, &r) != nil || r.Token == "" {
		return renewal{}, errNoRefresh
	}
	return r, nil
}

// renewal returns what the session may be renewed with. It returns errOver when a limit has passed, and errChanged when it belongs to somebody else than
// the session presented beside it.
func (v *visit) renewal() (renewal, error) {
	r, err := v.sealedRenewal()
	if err != nil {
		return renewal{}, err
	}
	now := v.now.Unix()
	if now >= v.lastMoment(r, r.Expires) || v.SessionIdle > 0 && now >= r.Renewed+int64(v.SessionIdle.Seconds()) {
		return renewal{}, errOver
	}
	if raw, err := cookie.Join(v.cookies, cookie.Session); err == nil && otherSubject(raw, r.Subject) {
		return renewal{}, errChanged
	}
	return r, nil
}

// otherSubject reports whether an ID token, expired or not, speaks of somebody else. It is not verified here, so it can only refuse.
func otherSubject(raw, subject string) bool {
	_, rest, _ := strings.Cut(raw, ".")
	payload, _, _ := strings.Cut(rest, ".")
	text, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil {
		return false
	}
	var c struct {
		Subject string `json:"sub"`
	}
	return json.Unmarshal(text, &c) == nil && c.Subject != "" && c.Subject != subject
}

// forgetSession returns what makes the browser forget the session, in every variant.
func (v *visit) forgetSession() []string {
	return append(cookie.Clear(cookie.Session, "/"), cookie.Clear(refreshCookie, v.site.cookiePath())...)
}
