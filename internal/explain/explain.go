// Package explain says in words why the authorizer decides as it does: which credential counts, what its token says, each check in order, every rule that
// matches, and what to do.
//
// It walks the same packages as the authorizer does, beside it. The decision itself is the authorizer's own: Compare takes it in, and says so where the
// two differ.
package explain

// This file walks a request past the checks.

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"edgeauth/internal/apigw"
	"edgeauth/internal/config"
	"edgeauth/internal/cookie"
	"edgeauth/internal/intent"
	"edgeauth/internal/policy"
	"edgeauth/internal/reason"
	"edgeauth/internal/token"
	"edgeauth/jwks"
)

// Explanation is what there is to say about one request.
type Explanation struct {
	Request    string           `json:"request"`
	Credential string           `json:"credential"`
	Token      []string         `json:"token,omitempty"` // what it says, a line each; whether that is true is a matter of the checks
	Checks     []Check          `json:"checks"`
	Rules      []policy.Finding `json:"rules,omitempty"` // once it is known who asks
	Reason     reason.Code      `json:"reason"`
	Outcome    reason.Outcome   `json:"outcome"`
	Cause      string           `json:"cause,omitempty"` // in the words of whatever refused
	Policy     []Statement      `json:"policy,omitempty"`
	Gets       string           `json:"gets"` // what the browser or the program in front is answered
	Do         string           `json:"do,omitempty"`

	request apigw.Request
	ignored reason.Code // what was wrong with a credential that was not needed
}

// Check is one question and its answer: yes, no, cannot tell, or not reached.
type Check struct {
	Question string `json:"question"`
	Answer   string `json:"answer"`
}

// steps are the checks in their order, and the reasons that each of them can give.
var steps = []struct {
	question string
	codes    []reason.Code
}{
	{"is the event one that we know?", []reason.Code{reason.EventUnknown, reason.MountUnknown}},
	{"is there a credential, and one only?", []reason.Code{reason.NoSession, reason.CookieBroken, reason.CookieConflict, reason.BearerMalformed}},
	{"is it a token, in the one form that we read?", []reason.Code{reason.TokenMalformed, reason.TokenAlgorithm, reason.TokenHeader}},
	{"does it name our pool, our client and this use?", []reason.Code{
		reason.TokenClaims, reason.TokenIssuer, reason.TokenAudience, reason.TokenUse, reason.TokenNotYetValid,
	}},
	{"does the pool publish the key that it names?", []reason.Code{reason.TokenUnknownKey, reason.KeysUnavailable}},
	{"did that key sign it?", []reason.Code{reason.TokenSignature}},
	{"is it still valid?", []reason.Code{reason.TokenExpired}},
	{"has nobody ended the session early?", []reason.Code{reason.SessionCut, reason.CutsUnavailable}},
	{"does everybody read the path alike?", []reason.Code{reason.PathNotPlain}},
	{"is the method what it says?", []reason.Code{reason.Override}},
	{"is no other site behind it?", []reason.Code{reason.CrossSite}},
	{"do the rules let this caller in?", []reason.Code{
		reason.UserRequired, reason.MachineRequired, reason.GroupRequired, reason.ScopeRequired, reason.StepUp, reason.NoRule,
	}},
	{"does the answer fit into what API Gateway takes?", []reason.Code{reason.TooLarge}},
}

// afterToken is the first step that is about the request, and not about its credential.
const afterToken = 8

// checks returns every step as it went when the walk ended with code. ignored is what was wrong with a credential that was not needed, or "".
func checks(code, ignored reason.Code) []Check {
	var list []Check
	answer := "yes"
	for i, s := range steps {
		switch {
		case slices.Contains(s.codes, code) && code.Outcome() == reason.CannotTell:
			answer = "cannot tell"
		case slices.Contains(s.codes, code):
			answer = "no"
		case slices.Contains(s.codes, ignored):
			answer = "no"
		case answer == "not needed" && i >= afterToken:
			answer = "yes"
		}
		list = append(list, Check{s.question, answer})
		switch {
		case ignored != "" && answer != "yes" && i < afterToken:
			answer = "not needed"
		case answer != "yes":
			answer = "not reached"
		}
	}
	return list
}

// Judge explains what an authorizer with these settings makes of an event. rules is its table.
func Judge(ctx context.Context, settings config.Authorizer, rules *policy.Table, event []byte, now time.Time) Explanation {
	e := Explanation{Reason: reason.OK}
	err := e.judge(ctx, settings, rules, event, now)
	if err != nil {
		e.Reason, e.Cause = reason.Of(err), err.Error()
	}
	e.settle()
	return e
}

// settle says what follows from the reason.
func (e *Explanation) settle() {
	e.Outcome, e.Checks, e.Do = e.Reason.Outcome(), checks(e.Reason, e.ignored), remedies[e.Reason]
}

func (e *Explanation) judge(ctx context.Context, settings config.Authorizer, rules *policy.Table, event []byte, now time.Time) (err error) {
	if e.request, err = apigw.DecodeAuthorizer(event); err != nil {
		return reason.New(reason.EventUnknown, err.Error())
	}
	r := &e.request
	if !r.Mounted && policy.Plain(r.Path) {
		return reason.New(reason.MountUnknown, "the event does not say where the API is mounted")
	}
	e.Request = describe(r)
	raw, bearer, err := e.credential()
	var claims token.Claims
	if err == nil {
		e.Token = describeToken(raw, now)
		claims, err = verify(ctx, settings, raw, bearer, now)
	}
	outcome := reason.Of(err).Outcome()
	if outcome == reason.CannotTell {
		return err
	}
	user := policy.User{}
	switch {
	case err != nil: // nobody, as far as anybody knows
	case claims.Machine():
		user = policy.User{Kind: policy.Machine, Scope: claims.Scope}
	default:
		user = policy.User{Kind: policy.Person, Groups: claims.Groups, Scope: claims.Scope, AuthTime: claims.AuthTime}
	}
	e.Rules = rules.Findings(r.Method, r.Route, user, now)
	permitted := permit(settings, rules, r, user, bearer, now)
	if err == nil {
		e.Reason = permitted
		return nil
	}
	if !bearer && permitted == reason.OK { // the rules let anyone through
		e.ignored = reason.Of(err)
		return nil
	}
	return err
}

// permit asks what the request is, and then the rules.
func permit(settings config.Authorizer, rules *policy.Table, r *apigw.Request, user policy.User, bearer bool, now time.Time) reason.Code {
	switch {
	case r.Kind != apigw.WebSocket && !(policy.Plain(r.Path) && policy.Plain(r.Route)):
		return reason.PathNotPlain
	case intent.Override(r.Header):
		return reason.Override
	case bearer || user.Kind == policy.Nobody: // there is no cookie to abuse
	case r.Kind == apigw.WebSocket && intent.CrossSiteHandshake(r.Header, r.Domain, settings.AllowedOrigins),
		r.Kind != apigw.WebSocket && intent.CrossSite(r.Method, r.Header, r.Domain, settings.AllowedOrigins):
		return reason.CrossSite
	}
	return rules.Decide(r.Method, r.Route, user, now)
}

// describe names a request and whether a person or a program sends it.
func describe(r *apigw.Request) string {
	if r.Kind == apigw.WebSocket {
		return "the handshake of a WebSocket"
	}
	sender := "a program"
	if intent.Navigation(r.Method, r.Header) {
		sender = "a browser that loads a page"
	}
	return fmt.Sprintf("%s %s, of %s", r.Method, r.Path, sender)
}

// credential finds the token that counts.
func (e *Explanation) credential() (raw string, bearer bool, err error) {
	if value, different := e.request.Header("authorization"); different > 0 {
		scheme, rest, ok := strings.Cut(value, " ")
		if !ok || rest == "" || !strings.EqualFold(scheme, "Bearer") {
			e.Credential = "an Authorization header that holds no bearer token; a cookie beside it does not count"
			return "", true, reason.New(reason.BearerMalformed, "no bearer token")
		}
		e.Credential = "the bearer token of the Authorization header; a cookie beside it does not count"
		return rest, true, nil
	}
	raw, err = cookie.Join(e.request.Cookies(), cookie.Session)
	e.Credential = "the session cookie " + cookie.Session
	if reason.Of(err) == reason.NoSession {
		e.Credential = "none"
	}
	return raw, false, err
}

// verify asks what the authorizer would ask of a token.
func verify(ctx context.Context, settings config.Authorizer, raw string, bearer bool, now time.Time) (token.Claims, error) {
	session, err := verifier(token.ID, settings, now)
	if err != nil {
		return token.Claims{}, err
	}
	if !bearer {
		return session.Verify(ctx, raw, token.Checks{})
	}
	access, err := verifier(token.Access, settings, now)
	if err != nil {
		return token.Claims{}, err
	}
	if access != nil {
		c, err := access.Verify(ctx, raw, token.Checks{})
		if !settings.BearerIDTokens || !errors.Is(err, token.ErrUse) && !errors.Is(err, token.ErrIssuer) {
			return c, err
		}
	}
	if settings.BearerIDTokens {
		return session.Verify(ctx, raw, token.Checks{})
	}
	return token.Claims{}, token.ErrUse
}

// verifier returns nil where no client's tokens are taken for this use.
func verifier(use token.Use, settings config.Authorizer, now time.Time) (*token.Verifier, error) {
	c := token.Config{Use: use, Now: func() time.Time { return now }}
	pools := append([]config.Trust{{Pool: settings.Pool, ClientIDs: settings.ClientIDs, BearerClientIDs: settings.BearerClientIDs}}, settings.Trust...)
	for _, p := range pools {
		clients := p.ClientIDs
		if use == token.Access {
			clients = p.BearerClientIDs
		}
		if len(clients) == 0 {
			continue
		}
		keys, err := jwks.New(jwks.Config{URL: p.JWKSURL, Snapshot: p.JWKS})
		if err != nil {
			return nil, err
		}
		c.Issuers = append(c.Issuers, token.Issuer{URL: p.Issuer, ClientIDs: clients, Keys: keys})
	}
	if c.Issuers == nil {
		return nil, nil
	}
	return token.New(c)
}

// describeToken tells what a token says of itself. None of it is verified.
func describeToken(raw string, now time.Time) []string {
	parts := strings.Split(raw, ".")
	if len(parts) != 3 {
		return []string{fmt.Sprintf("%d bytes that are no token", len(raw))}
	}
	var c struct {
		Use      string   `json:"token_use"`
		Issuer   string   `json:"iss"`
		Subject  string   `json:"sub"`
		Email    string   `json:"email"`
		Client   string   `json:"client_id"`
		Scope    string   `json:"scope"`
		Groups   []string `json:"cognito:groups"`
		Expiry   int64    `json:"exp"`
		AuthTime int64    `json:"auth_time"`
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(text, &c) != nil {
		return []string{fmt.Sprintf("%d bytes that are no token", len(raw))}
	}
	lines := []string{fmt.Sprintf("%s token of %s, issued by %s", c.Use, or(c.Email, c.Subject, "nobody"), or(c.Issuer, "nobody"))}
	add := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	if c.AuthTime > 0 {
		add("signed in %s", when(c.AuthTime, now))
	}
	if c.Expiry > now.Unix() {
		add("ends %s", when(c.Expiry, now))
	} else if c.Expiry > 0 {
		add("ended %s", when(c.Expiry, now))
	}
	if len(c.Groups) > 0 {
		add("groups: %s", strings.Join(c.Groups, ", "))
	} else if c.Use == string(token.ID) {
		add("in no group")
	}
	if c.Scope != "" {
		add("scopes: %s", c.Scope)
	}
	for i := range lines {
		lines[i] = plain(lines[i])
	}
	return lines
}

// plain keeps what a token says to one line that a terminal takes.
func plain(s string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f {
			return ' '
		}
		return c
	}, s)
}

func or(words ...string) string {
	for _, w := range words {
		if w != "" {
			return w
		}
	}
	return ""
}

// when tells a time as people do: 3 minutes ago, in 2 hours.
func when(seconds int64, now time.Time) string {
	d := time.Unix(seconds, 0).Sub(now).Round(time.Second)
	past := d < 0
	d = d.Abs()
	n, unit := int64(d/time.Second), "second"
	switch {
	case d >= 48*time.Hour:
		n, unit = int64(d/(24*time.Hour)), "day"
	case d >= 2*time.Hour:
		n, unit = int64(d/time.Hour), "hour"
	case d >= 2*time.Minute:
		n, unit = int64(d/time.Minute), "minute"
	}
	if n != 1 {
		unit += "s"
	}
	if past {
		return fmt.Sprintf("%d %s ago", n, unit)
	}
	return fmt.Sprintf("in %d %s", n, unit)
}
