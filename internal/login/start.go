package login

// This file decides what happens to a browser that is sent to the login: back at once if its session is good, renewed without a word if it can be, and
// otherwise on to the identity provider.

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"edgeauth/internal/cookie"
	"edgeauth/internal/reason"
	"edgeauth/internal/token"

	"golang.org/x/oauth2"
)

// passed are the parameters that go on to Cognito as they are.
// https://docs.aws.amazon.com/cognito/latest/developerguide/authorization-endpoint.html
var passed = []string{"identity_provider", "idp_identifier", "login_hint", "lang", "prompt"}

// prompts are the values that Cognito's managed login knows.
var prompts = map[string]bool{"none": true, "login": true, "select_account": true, "consent": true}

// nearlyOver is how many seconds before its end a session is renewed rather than used.
const nearlyOver = 60

func (v *visit) login() answer {
	if !navigation(v.r) {
		return v.fail(http.StatusUnauthorized, fmt.Errorf("%w: not a navigation", cookie.ErrAbsent))
	}
	q, err := parameters(v.r, append([]string{"return_to", "again"}, passed...)...)
	if err != nil {
		return v.failed(err)
	}
	asks := false // somebody wants to be asked who he is, signed in or not
	for _, p := range strings.Fields(q["prompt"]) {
		if !prompts[p] {
			return v.failed(errBadRequest)
		}
		asks = asks || p != "none"
	}
	target := returnTo(v.site.base, q["return_to"])
	if asks {
		return v.start(target, q)
	}
	a, done := v.resume(target, q)
	if !done {
		forget := a.cookies
		a = v.start(target, q)
		a.cookies = append(forget, a.cookies...)
	}
	return a
}

// resume sends a browser back without asking anybody who he is, if that can be done. If it cannot, the answer holds only what is to be forgotten.
func (v *visit) resume(target string, q map[string]string) (answer, bool) {
	claims, _, err := v.session()
	if reason.Of(err).Outcome() == reason.CannotTell {
		return v.failed(err), true
	}
	held, rerr := v.renewal()
	if errors.Is(rerr, errChanged) {
		return answer{cookies: v.forgetSession()}, false
	}
	if err == nil && (rerr != nil || claims.Expiry-v.now.Unix() > nearlyOver) {
		return v.bounce(target, claims), true
	}
	if err != nil && v.given() >= maxGiven {
		return v.loop(err), true
	}
	over := errors.Is(rerr, errOver) || v.SessionMax > 0 && errors.Is(rerr, errNoRefresh) // the browser drops the cookie when its time has come
	if over && q["prompt"] == "" {
		q["prompt"] = "login" // Cognito's own session would let him in again unasked
	}
	tag := v.presented()
	if rerr != nil || q["again"] == tag {
		return answer{}, false
	}
	lines, renewed, rerr := v.renewed(held)
	switch {
	case rerr == nil:
		return v.redirect(target, append(lines, v.rememberGiven(renewed.Expiry)...), about(renewed)...), true
	case errors.Is(rerr, errEnded):
		// Another tab may have used this refresh token a moment ago, and its answer brought the next one: look again what the browser holds.
		return v.redirect(v.again(tag), nil, note("renewal", string(reason.Of(rerr)))), true
	case errors.Is(rerr, errChanged):
		return answer{cookies: v.forgetSession()}, false
	}
	a := v.failed(rerr)
	if err == nil {
		a = v.bounce(target, claims)
	}
	a.cookies = append(lines, a.cookies...)
	return a, true
}

// bounce sends a browser back whose session is good. If that does not help, the application and we disagree about it.
func (v *visit) bounce(target string, claims token.Claims) answer {
	if v.bounced(target) >= maxBounces {
		return v.loop(nil)
	}
	return v.redirect(target, v.rememberBounce(target), about(claims)...)
}

// again is the address of this very login with a mark that renewal with the refresh cookie of this tag has been tried.
func (v *visit) again(tag string) string {
	q := v.r.URL.Query()
	q.Set("again", tag)
	return v.site.auth("login") + "?" + q.Encode()
}

// presented tells refresh cookies apart without saying what is in them.
func (v *visit) presented() string {
	sealed, _ := cookie.Join(v.cookies, refreshCookie)
	sum := sha256.Sum256([]byte(sealed))
	return base64.RawURLEncoding.EncodeToString(sum[:6])
}

// start begins the code flow with a state, a nonce and a PKCE verifier of its own (RFC 7636).
func (v *visit) start(target string, q map[string]string) answer {
	p, err := v.begin(target)
	if err != nil {
		return v.failed(err)
	}
	lines, err := v.keep(p)
	if err != nil {
		return v.failed(err)
	}
	options := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(p.Verifier), oauth2.SetAuthURLParam("nonce", p.Nonce)}
	for _, name := range passed {
		if q[name] != "" {
			options = append(options, oauth2.SetAuthURLParam(name, q[name]))
		}
	}
	to := v.oauth().AuthCodeURL(p.State, options...)
	if !document(v.r) {
		return v.redirect(to, lines)
	}
	return v.hop(to, fragmentPrefix+pendingID(p.State), lines)
}
