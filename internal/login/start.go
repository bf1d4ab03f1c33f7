package login

// This file decides what happens to a browser that is sent to the login: back at once if its
// session is good, renewed without a word if it can be, and otherwise on to the identity provider.

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"edgeauth/cuts"
	"edgeauth/internal/cookie"
	"edgeauth/internal/jar"
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
	if asks && v.jar.Ignored(target) {
		return v.loop(errIgnored)
	}
	if asks {
		return v.start(target, q)
	}
	return v.resume(target, q)
}

// state is how a browser's session stands when it comes to the login.
type state int

const (
	nobodyCanTell state = iota // what is needed to decide is out of reach
	changed                    // parts of two sign-ins
	good
	circling   // sessions were given, and none came back
	ending     // good, with so little time left that it is renewed first
	renewable  // over or absent, and there is what renews it
	overLimit  // a limit of ours has passed
	unaided    // over or absent, and what renews it does not do so alone
	nobodyHere // no session, and nothing to renew one with
)

// standing is a state and what it was read from.
type standing struct {
	state
	claims token.Claims // of a session that is good
	err    error        // why there is no good one
	held   jar.Renewal  // what it can be renewed with
	alone  error        // why that is not enough, where it is not
}

// standing finds out how the browser's session stands. spent tells the refresh token that was tried
// already.
func (v *visit) standing(spent string) standing {
	s := standing{}
	s.claims, s.err = v.session()
	var none error // why nothing can be renewed
	s.held, none = v.jar.Renewal()
	var alone error // why what is held does not renew by itself
	if none == nil {
		alone = v.unaided(s.held)
	}
	switch {
	case reason.Of(s.err).Outcome() == reason.CannotTell:
		s.state = nobodyCanTell
	case errors.Is(none, jar.ErrChanged):
		s.state = changed
	case s.err == nil && (none != nil || alone != nil || s.claims.Expiry-v.now.Unix() > nearlyOver):
		s.state = good
	case s.err != nil && v.jar.Lost():
		s.state = circling
	case errors.Is(none, jar.ErrOver), none != nil && v.provider.SessionMax > 0: // browsers drop what is over
		s.state = overLimit
	case alone != nil:
		s.state, s.alone = unaided, alone
	case none != nil, spent == s.held.Tag():
		s.state = nobodyHere
	case s.err == nil:
		s.state = ending
	default:
		s.state = renewable
	}
	return s
}

// resume does what the state of the browser's session asks for. Nobody is asked who he is if that
// can be helped.
func (v *visit) resume(target string, q map[string]string) answer {
	s := v.standing(q["again"])
	switch s.state {
	case nobodyCanTell:
		return v.failed(s.err)
	case changed:
		return v.start(target, q, v.jar.ForgetSession()...)
	case good:
		return v.bounce(target, s.claims)
	case circling:
		return v.loop(s.err)
	case ending, renewable:
		return v.renew(target, q, s)
	case overLimit:
		return v.ask(target, q)
	case unaided:
		return v.unproven(target, q, s)
	}
	if errors.Is(s.err, cuts.ErrCut) {
		return v.ask(target, q)
	}
	return v.start(target, q)
}

// ask starts a login for somebody whose session was over before its time: Cognito's own would let
// him in again unasked.
func (v *visit) ask(target string, q map[string]string) answer {
	if q["prompt"] == "" {
		q["prompt"] = "login"
	}
	return v.start(target, q)
}

// renew sends a browser back with a session that was renewed just now.
func (v *visit) renew(target string, q map[string]string, s standing) answer {
	lines, claims, err := v.renewed(s.held, s.held.Device)
	switch {
	case err == nil:
		a := v.redirect(target, append(lines, v.jar.Give(claims.Expiry)...), about(claims)...)
		return v.offered(a, s.held)
	case errors.Is(err, errEnded):
		// Another tab may have used this refresh token a moment ago, and its answer brought the
		// next one: look again what the browser holds.
		return v.redirect(v.again(s.held), nil, note("renewal", string(reason.Of(err))))
	case errors.Is(err, cuts.ErrCut):
		return v.ask(target, q)
	case errors.Is(err, jar.ErrChanged), errors.Is(err, errNoGood):
		a := v.start(target, q, lines...)
		a.notes = append(a.notes, note("renewal", string(reason.Of(err))))
		return a
	}
	a := v.failed(err)
	if s.state == ending {
		a = v.bounce(target, s.claims)
	}
	a.cookies = append(lines, a.cookies...)
	return a
}

// bounce sends a browser back whose session is good. If that does not help, the application and we
// disagree about it.
func (v *visit) bounce(target string, claims token.Claims) answer {
	if v.jar.Bounced(target) {
		return v.loop(nil)
	}
	return v.redirect(target, v.jar.Bounce(target), about(claims)...)
}

// again is the address of this very login with a mark that renewal with held has been tried.
func (v *visit) again(held jar.Renewal) string {
	q := v.r.URL.Query()
	q.Set("again", held.Tag())
	return v.site.auth("login") + "?" + q.Encode()
}

// start begins the code flow with a state, a nonce and a PKCE verifier of its own (RFC 7636). What
// the browser holds and forgets besides is in more.
func (v *visit) start(target string, q map[string]string, more ...cookie.Line) answer {
	anew := slices.Contains(strings.Fields(q["prompt"]), "login")
	p, lines, err := v.jar.Begin(target, anew)
	if err != nil {
		return v.failed(err)
	}
	options := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(p.Verifier), oauth2.SetAuthURLParam("nonce", p.Nonce)}
	for _, name := range passed {
		if q[name] != "" {
			options = append(options, oauth2.SetAuthURLParam(name, q[name]))
		}
	}
	if anew {
		// The same again, for providers that do not know prompt: Cognito's classic pages are one.
		options = append(options, oauth2.SetAuthURLParam("max_age", "0"))
	}
	a := v.redirect(v.idp.oauth.AuthCodeURL(p.State, options...), append(more, lines...))
	if document(v.r) { // a page can run its script
		hop := v.frame(reason.OK).Hop(a.location, v.jar.Fragment(p.State))
		a.status, a.hop, a.location = http.StatusOK, &hop, ""
	}
	return a
}
