// This file is the one orchestration: decode, credentials, verify, decide, encode.

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"edgeauth/cuts"
	"edgeauth/internal/apigw"
	"edgeauth/internal/intent"
	"edgeauth/internal/policy"
	"edgeauth/internal/reason"
	"edgeauth/internal/token"
)

// errUnauthorized becomes a 401. The text is API Gateway's: any other, or this one wrapped, becomes
// a 500
// (https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html).
var errUnauthorized = errors.New("Unauthorized")

// nobody is the principal of an answer about a request without a caller.
const nobody = "anonymous"

// authorizer answers API Gateway. It keeps nothing about any request.
type authorizer struct {
	rules    *policy.Table
	session  *token.Verifier // of cookies
	bearer   *token.Verifier // of access tokens in the Authorization header; nil: none are accepted
	bearerID *token.Verifier // of ID tokens there, which is not what they are for; nil: none are accepted
	origins  []string        // further origins that may use a session cookie
	claims   []string        // further claims that backends get
	login    string          // where a sister API's login is; "": under the request's own base
	simple   bool            // HTTP APIs with payload 2.0 want simple responses
	cuts     *cuts.List      // of sessions that were ended early; nil: none is asked
	lenient  bool            // while it is out of reach, sessions that are not known to be ended count
	now      func() time.Time
	log      *record
}

// decision is what came of a request, and what the log says about it.
type decision struct {
	request   apigw.Request
	by        credential
	caller    token.Claims
	code      reason.Code
	ignored   reason.Code // what was wrong with a session that was not needed
	err       error       // what came of verifying
	began     time.Time
	verifying bool          // there was something to verify
	verified  time.Duration // how long that took
	panicked  string        // the type of a panic's value, and where it came from
}

// Invoke answers one event.
func (a *authorizer) Invoke(ctx context.Context, event []byte) (answer []byte, err error) {
	d := decision{began: a.now()}
	defer func() {
		if v := recover(); v != nil {
			d.panicked, d.code = trace(v), reason.Internal
			answer, err = nil, cannotTell(d.code)
		}
		a.log.write(&d)
	}()
	a.decide(ctx, event, &d)
	return a.answer(&d)
}

// decide sets everything in d that the answer depends on.
func (a *authorizer) decide(ctx context.Context, event []byte, d *decision) {
	var err error
	if d.request, err = apigw.DecodeAuthorizer(event); err != nil {
		d.code = reason.EventUnknown
		return
	}
	if !d.request.Mounted && policy.Plain(d.request.Path) {
		d.code = reason.MountUnknown
		return
	}
	d.by.read(&d.request)
	if d.code = d.by.code; d.code == reason.OK {
		before := a.now()
		d.verifying = true
		d.caller, d.err = a.verify(ctx, d.by)
		d.verified = a.now().Sub(before)
		if d.err == nil {
			d.err = a.ended(ctx, d.caller)
		}
		d.code = reason.Of(d.err)
	}
	switch d.code.Outcome() {
	case reason.Allowed:
		d.code = a.permit(d)
	case reason.Anonymous, reason.Invalid:
		a.admit(d)
	}
}

// admit lets a request without a good session through where the rules let anyone through. A bad
// cookie is as good as none there: browsers send what they still have. A bad token in the
// Authorization header was meant, and is refused.
func (a *authorizer) admit(d *decision) {
	if d.by.kind != bearerCredential && a.rules.Open() && a.permit(d) == reason.OK {
		if d.code.Outcome() == reason.Invalid {
			d.ignored = d.code
		}
		d.code = reason.OK
	}
}

// ended returns nil if the caller's session was not ended early. A token that does not say when its user signed in, as a machine's may not, is as old
// as itself.
func (a *authorizer) ended(ctx context.Context, c token.Claims) error {
	if a.cuts == nil {
		return nil
	}
	err := a.cuts.Check(ctx, cuts.Session{SignIn: c.OriginJTI, Subject: c.Subject, AuthTime: cmp.Or(c.AuthTime, c.IssuedAt)})
	if a.lenient && errors.Is(err, cuts.ErrUnavailable) {
		return nil
	}
	return err
}

// verify verifies the credential for the use that it was sent for.
func (a *authorizer) verify(ctx context.Context, by credential) (token.Claims, error) {
	if by.kind == cookieCredential {
		return a.session.Verify(ctx, by.token, token.Checks{})
	}
	if a.bearer != nil {
		c, err := a.bearer.Verify(ctx, by.token, token.Checks{})
		if a.bearerID == nil || !errors.Is(err, token.ErrUse) && !errors.Is(err, token.ErrIssuer) {
			return c, err
		}
	}
	if a.bearerID != nil {
		return a.bearerID.Verify(ctx, by.token, token.Checks{})
	}
	return token.Claims{}, token.ErrUse // no use of bearer tokens is configured
}

// permit decides whether the caller may send this request: first by what the request is, then by
// the rules.
func (a *authorizer) permit(d *decision) reason.Code {
	r := &d.request
	switch {
	case r.Kind != apigw.WebSocket && !(policy.Plain(r.Path) && policy.Plain(r.Route)):
		return reason.PathNotPlain
	case intent.Override(r.Header): // the rules must judge the method that the backend will see
		return reason.Override
	case d.by.kind == cookieCredential && d.caller.Subject != "" && a.crossSite(r): // where there is no caller, there is nothing to abuse
		return reason.CrossSite
	}
	return a.rules.Decide(r.Method, r.Route, user(d.caller), d.began)
}

// crossSite reports whether a request that a cookie authenticates may come from another site's
// page. What the request's own host is, API Gateway says, not a header.
func (a *authorizer) crossSite(r *apigw.Request) bool {
	if r.Kind == apigw.WebSocket {
		return intent.CrossSiteHandshake(r.Header, r.Domain, a.origins)
	}
	return intent.CrossSite(r.Method, r.Header, r.Domain, a.origins)
}

// user returns what the rules may know of a caller. A machine is in no group and never signed in,
// whatever a token says.
func user(c token.Claims) policy.User {
	switch {
	case c.Subject == "": // nothing was verified
		return policy.User{}
	case c.Machine():
		return policy.User{Kind: policy.Machine, Scope: c.Scope}
	}
	return policy.User{Kind: policy.Person, Groups: c.Groups, Scope: c.Scope, AuthTime: c.AuthTime}
}

// answer writes the answer that the decision calls for, in the form of the event's kind.
func (a *authorizer) answer(d *decision) ([]byte, error) {
	switch d.code.Outcome() {
	case reason.Allowed:
		return a.allow(d)
	case reason.Anonymous, reason.Invalid:
		return a.turnAway(d)
	case reason.Refused:
		return a.refuse(d)
	}
	return nil, cannotTell(d.code)
}

// cannotTell becomes a 500. The text is stable; what went wrong is the code's to say.
func cannotTell(code reason.Code) error { return fmt.Errorf("cannot tell: %s", code) }

// allow lets the request through, with the identity for the backend. An answer that would not be
// taken whole is none.
func (a *authorizer) allow(d *decision) ([]byte, error) {
	var scratch struct {
		document [2 << 10]byte // which is enough for nearly every answer
		context  [8 << 10]byte
		location [512]byte
	}
	document, err := a.rules.AppendDocument(scratch.document[:0], d.request.API, user(d.caller), d.began, "")
	if err != nil {
		return a.tooLarge(d)
	}
	var location []byte
	if d.request.Kind == apigw.REST { // for a request that this answer denies, should it be cached and replayed
		location = appendDenied(a.appendPlace(scratch.location[:0], &d.request), &d.request, reason.OK)
	}
	context := append(appendReason(scratch.context[:0], reason.OK, location), ',')
	if context, err = a.appendCaller(context, d.caller); err != nil {
		d.code = reason.Internal
		return nil, cannotTell(d.code)
	}
	whole := a.encode(d, apigw.Answer{Principal: cmp.Or(d.caller.Subject, nobody), Allowed: true, Document: document, Context: context})
	if len(whole) > maxAnswer(d.request.Kind) {
		return a.tooLarge(d)
	}
	return whole, nil
}

// maxAnswer is what an API of this kind takes.
func maxAnswer(k apigw.Kind) int {
	if k == apigw.WebSocket {
		return policy.MaxHandshakeAnswer
	}
	return policy.MaxAnswer
}

// tooLarge refuses a request whose answer API Gateway would not take: backends would get a caller
// with groups missing, or IAM half a document.
func (a *authorizer) tooLarge(d *decision) ([]byte, error) {
	d.code = reason.TooLarge
	return a.refuse(d)
}

// turnAway answers a request without a good session: a navigation is sent to the login, a program
// told that it is unauthorized. HTTP APIs can do neither: their authorizers' refusals become 403.
func (a *authorizer) turnAway(d *decision) ([]byte, error) {
	r := &d.request
	toLogin := r.Kind == apigw.REST && d.by.kind != bearerCredential && intent.Navigation(r.Method, r.Header)
	if !toLogin && (r.Kind == apigw.REST || r.Kind == apigw.WebSocket) {
		return nil, errUnauthorized
	}
	var scratch denial
	var location []byte
	if toLogin {
		location = appendLogin(a.appendPlace(scratch.location[:0], r), r, false)
	}
	document := policy.AppendDenyAll(scratch.document[:0], r.API)
	return a.deny(d, nobody, document, location), nil
}

// refuse answers a caller who may not do this. What the rules refuse, the caller's document refuses
// for every route alike, and this request by name; what is wrong with this one request denies
// everything, and should not be cached.
func (a *authorizer) refuse(d *decision) ([]byte, error) {
	r := &d.request
	var scratch denial
	var document []byte
	err := policy.ErrTooLarge
	switch d.code {
	case reason.UserRequired, reason.MachineRequired, reason.GroupRequired, reason.ScopeRequired, reason.StepUp, reason.NoRule:
		document, err = a.rules.AppendDocument(scratch.document[:0], r.API, user(d.caller), d.began, r.ARN)
	}
	if err != nil {
		document = policy.AppendDenyAll(scratch.document[:0], r.API)
	}
	var location []byte
	switch {
	case r.Kind != apigw.REST: // nobody could follow it
	case d.code == reason.StepUp && d.by.kind == cookieCredential && intent.Navigation(r.Method, r.Header):
		location = appendLogin(a.appendPlace(scratch.location[:0], r), r, true)
	default:
		location = appendDenied(a.appendPlace(scratch.location[:0], r), r, d.code)
	}
	answer := a.deny(d, d.caller.Subject, document, location)
	if len(answer) > maxAnswer(r.Kind) {
		answer = a.deny(d, d.caller.Subject, policy.AppendDenyAll(scratch.document[:0], r.API), location)
	}
	return answer, nil
}

// denial is room on the stack for what a refusal is made of; what needs more gets it from the heap.
type denial struct{ document, location [2048]byte }

func (a *authorizer) deny(d *decision, principal string, document, location []byte) []byte {
	var scratch [2048]byte
	return a.encode(d, apigw.Answer{Principal: principal, Document: document, Context: appendReason(scratch[:0], d.code, location)})
}

// encode writes an answer in the form of the event's kind.
func (a *authorizer) encode(d *decision, answer apigw.Answer) []byte {
	dst := make([]byte, 0, len(answer.Document)+len(answer.Context)+len(answer.Principal)+64)
	if d.request.Kind == apigw.HTTP2 && a.simple {
		return answer.AppendSimple(dst)
	}
	return answer.AppendPolicy(dst)
}
