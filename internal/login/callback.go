package login

// This file decides what a callback is worth. The order matters: which login is this, is it this
// browser's, has it been used; only then is the identity provider asked, and only when the ID token
// has been verified completely does a cookie hold a session.

import (
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"edgeauth/internal/cookie"
	"edgeauth/internal/jar"
	"edgeauth/internal/page"
	"edgeauth/internal/reason"
	"edgeauth/internal/token"
)

var errRefused = reason.New(reason.LoginRefused, "login: the identity provider answered with an error")

func (v *visit) callback() answer {
	if prefetch(v.r) {
		return v.failed(errPrefetch)
	}
	q, err := parameters(v.r, "state", "code", "error", "error_description", "iss")
	if err != nil {
		return v.fail(http.StatusBadRequest, jar.ErrStateInvalid)
	}
	state, code, refusal := q["state"], q["code"], q["error"]
	if state == "" && refusal != "" { // Cognito sends most errors without a state
		return signIn(v.refused(refusal, "", v.site.base+"/"))
	}
	p, fragment, forget, err := v.jar.Take(state)
	if err != nil {
		return v.tooLate(err, state, forget)
	}
	a := v.complete(p, fragment, code, refusal, q)
	a.cookies = append(forget, a.cookies...)
	return signIn(a)
}

// signIn marks the end of a sign-in, good or bad, so that it is counted.
func signIn(a answer) answer {
	a.counts = append(a.counts, "sign_ins")
	return a
}

// complete carries a callback through that belongs to p, which is used up whatever comes of it.
func (v *visit) complete(p jar.Pending, fragment, code, refusal string, q map[string]string) answer {
	back := returnTo(v.site.base, p.Target)
	target := back
	if !strings.Contains(back, "#") {
		target += fragment
	}
	if iss, sent := q["iss"]; sent && iss != v.provider.Issuer { // RFC 9207; Cognito sends none
		return v.retry(jar.ErrStateInvalid, target)
	}
	if refusal != "" {
		return v.refused(refusal, q["error_description"], target)
	}
	if code == "" {
		return v.retry(jar.ErrStateInvalid, target)
	}
	t, err := v.idp.exchange(v.r.Context(), code, p.Verifier)
	if err != nil {
		return v.retry(err, target)
	}
	claims, err := v.verifyNew(t, p.Nonce)
	if err != nil {
		return v.retry(err, target)
	}
	if v.provider.SessionMax > 0 && !v.now.Before(time.Unix(claims.AuthTime, 0).Add(v.provider.SessionMax)) {
		return v.retry(jar.ErrOver, target) // an old sign-in, remembered by the identity provider
	}
	if err := v.uncut(sessionOf(claims)); err != nil { // Cognito may let in unasked who was shut out here
		return v.retry(err, target)
	}
	held := v.renewal(t, claims)
	held.SetNonce(p.Nonce)
	lines, err := v.hold(t, claims, held, back)
	if err != nil {
		return v.retry(err, target)
	}
	notes := append(about(claims), slog.Int("token_bytes", len(t.id)))
	mark := v.jar.Give(claims.Expiry)
	if p.Anew && claims.AuthTime < p.Started {
		mark = v.jar.GiveOld(claims.Expiry, back)
	}
	a := v.redirect(target, append(lines, mark...), notes...)
	return v.offered(a, held)
}

// cognitoLife is how long a refresh token lives, unless the client says otherwise.
const cognitoLife = 30 * 24 * time.Hour

// renewal is what a session that begins now may be renewed with.
func (v *visit) renewal(t tokens, c token.Claims) jar.Renewal {
	now := v.now.Unix()
	life := v.provider.RefreshLife
	if life <= 0 {
		life = cognitoLife
	}
	return jar.Renewal{
		Token: t.refresh, Issuer: c.Issuer, Subject: c.Subject, AuthTime: c.AuthTime, Origin: c.OriginJTI,
		Issued: now, Renewed: now, Ends: now + int64(life.Seconds()),
	}
}

// tooLate answers a callback that no pending login belongs to: it came late, or twice, or from
// somewhere else. It asks nobody and sets no session. If there is a session already, the login did
// its work, and the browser goes where it wanted to.
func (v *visit) tooLate(err error, state string, forget []cookie.Line) answer {
	target := returnTo(v.site.base, v.jar.Target(state))
	if claims, serr := v.session(); serr == nil {
		a := v.redirect(target, forget, about(claims)...)
		a.notes = append(a.notes, slog.String("callback", string(reason.Of(err))))
		return a
	}
	a := v.retry(err, target)
	a.cookies = forget
	return signIn(a)
}

// refused answers a callback that carries the identity provider's error. Its description is shown
// only where the state proves that it is the answer to this browser's question; without, anybody
// could have this page say anything.
func (v *visit) refused(code, description, target string) answer {
	if !wellFormedError(code) {
		code = "unknown"
	}
	a := v.retry(errRefused, target)
	a.page.Quote = printable(description)
	a.notes = append(a.notes, slog.String("provider_error", code))
	return a
}

// retry is a failed callback, with the way back into a new login for the same page.
func (v *visit) retry(err error, target string) answer {
	a := v.failed(err)
	if a.status == http.StatusUnauthorized {
		a.status = http.StatusBadRequest
	}
	if again := v.loginLink(target); a.page.Action.URL == v.site.auth("login")+"?prompt=login" {
		a.page.Action.URL = again.URL + "&prompt=login"
	} else {
		a.page.Action = again
	}
	return a
}

// loginLink is the way back into a new login for a page.
func (v *visit) loginLink(target string) page.Link {
	return page.To("Sign in again", v.site.auth("login")+"?return_to="+url.QueryEscape(target))
}

// printable returns what of s a page may quote.
func printable(s string) string {
	s = strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f || c >= 0x80 && c < 0xa0 || c >= 0x2028 && c <= 0x202e || c >= 0x2066 && c <= 0x2069 || c == 0xfffd {
			return -1
		}
		return c
	}, s)
	if runes := []rune(s); len(runes) > 200 {
		s = string(runes[:200]) + "…"
	}
	return s
}
