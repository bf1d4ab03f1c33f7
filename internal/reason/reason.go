// Package reason is the one closed list of reason codes: what logs, pages, JSON bodies, the authorizer's context and metrics say about a decision.
//
// A code is stable: alarms and runbooks are keyed by it. Each belongs to exactly one outcome, so that "nobody is signed in", "this is not a good
// session", "you may not" and "we cannot tell" can never be confused.
package reason

import "errors"

// Code names why a decision fell as it did.
type Code string

// Outcome is the kind of answer a code leads to.
type Outcome string

const (
	Allowed    Outcome = "allowed"     // the request goes on
	Anonymous  Outcome = "anonymous"   // no credentials were sent, or those of a session that was ended
	Invalid    Outcome = "invalid"     // credentials or input were sent, and they are no good
	Refused    Outcome = "refused"     // a valid user, who may not do this
	CannotTell Outcome = "cannot_tell" // something that is needed to decide is out of reach
)

const (
	OK Code = "ok"

	// Anonymous.
	NoSession  Code = "no_session"
	SessionCut Code = "session_cut" // somebody has ended it: its owner, by signing out, or an administrator

	DeviceChallenged Code = "device_challenged" // the browser is asked to sign a challenge, as each renewal of a bound session begins

	// Invalid: the session cookie.
	CookieBroken   Code = "cookie_broken"   // a piece of the split cookie is missing
	CookieConflict Code = "cookie_conflict" // two different session cookies in one request

	// Invalid: the token.
	TokenMalformed   Code = "token_malformed"
	TokenAlgorithm   Code = "token_algorithm"
	TokenHeader      Code = "token_header" // crit, b64, zip or another member that changes the meaning
	TokenUnknownKey  Code = "token_unknown_key"
	TokenSignature   Code = "token_signature"
	TokenIssuer      Code = "token_issuer"
	TokenAudience    Code = "token_audience"
	TokenUse         Code = "token_use"
	TokenExpired     Code = "token_expired"
	TokenNotYetValid Code = "token_not_yet_valid"
	TokenClaims      Code = "token_claims" // a required claim is missing or of the wrong type
	TokenNonce       Code = "token_nonce"
	TokenAccessHash  Code = "token_access_hash"

	// Invalid: the Authorization header.
	BearerMalformed Code = "bearer_malformed"

	// Invalid: a step of the sign-in.
	LoginStateMissing Code = "login_state_missing" // the callback carries no state, or the browser holds no pending login
	LoginStateInvalid Code = "login_state_invalid" // the state is foreign, reused, expired or repeated
	LoginRefused      Code = "login_refused"       // the identity provider answered with an error
	LoginCodeRefused  Code = "login_code_refused"  // the token endpoint refused the code
	LoginTooLarge     Code = "login_too_large"     // the session would not fit into the cookies and headers there are
	LoginLoop         Code = "login_loop"          // several round trips within a minute
	LoginDisagree     Code = "login_disagree"      // a second verifier does not accept the token
	SessionEnded      Code = "session_ended"       // the refresh token is used up, revoked or over its limit
	SessionChanged    Code = "session_changed"     // renewal answered with another user
	BadRequest        Code = "bad_request"         // a parameter is missing, repeated or not allowed
	NotFound          Code = "not_found"
	MethodNotAllowed  Code = "method_not_allowed"

	// Invalid: a session that is bound to a device, or should be.
	DeviceProofMissing Code = "device_proof_missing" // the session is bound, and nothing proves that this is its device
	DeviceProofInvalid Code = "device_proof_invalid" // a proof that is malformed, by another key, or for a session that is bound already
	DeviceRequired     Code = "device_required"      // the session was not bound, and only those that were are renewed

	// Refused.
	GroupRequired   Code = "group_required"
	ScopeRequired   Code = "scope_required"
	StepUp          Code = "step_up_required"   // the sign-in is too old for this route
	UserRequired    Code = "user_required"      // a person's session, and a machine came
	MachineRequired Code = "machine_required"   // a machine's token, and a person came
	NoRule          Code = "no_rule"            // no rule lets anybody in here
	CrossSite       Code = "cross_site"         // an unsafe request from another site
	Override        Code = "method_override"    // a header that would change the method
	PathNotPlain    Code = "path_not_canonical" // a path that two parties could read differently
	TooLarge        Code = "too_large"          // the decision would not fit into what API Gateway takes

	// Cannot tell.
	KeysUnavailable     Code = "keys_unavailable"
	CutsUnavailable     Code = "cuts_unavailable"
	ProviderUnavailable Code = "provider_unavailable"
	ConfigUnavailable   Code = "config_unavailable"
	EventUnknown        Code = "event_unknown"
	MountUnknown        Code = "mount_unknown"  // the event does not say where the API is mounted, so nobody knows which rules are meant
	DeviceSkipped       Code = "device_skipped" // the browser says that it could not renew a bound session just now
	Internal            Code = "internal"
)

// outcomes holds the outcome of every code; a code that is not in it does not exist.
var outcomes = map[Code]Outcome{
	OK:        Allowed,
	NoSession: Anonymous, SessionCut: Anonymous, DeviceChallenged: Anonymous,

	CookieBroken: Invalid, CookieConflict: Invalid,
	TokenMalformed: Invalid, TokenAlgorithm: Invalid, TokenHeader: Invalid, TokenUnknownKey: Invalid, TokenSignature: Invalid,
	TokenIssuer: Invalid, TokenAudience: Invalid, TokenUse: Invalid, TokenExpired: Invalid, TokenNotYetValid: Invalid,
	TokenClaims: Invalid, TokenNonce: Invalid, TokenAccessHash: Invalid,
	BearerMalformed:   Invalid,
	LoginStateMissing: Invalid, LoginStateInvalid: Invalid, LoginRefused: Invalid, LoginCodeRefused: Invalid, LoginTooLarge: Invalid,
	LoginLoop: Invalid, LoginDisagree: Invalid, SessionEnded: Invalid, SessionChanged: Invalid,
	BadRequest: Invalid, NotFound: Invalid, MethodNotAllowed: Invalid,
	DeviceProofMissing: Invalid, DeviceProofInvalid: Invalid, DeviceRequired: Invalid,

	GroupRequired: Refused, ScopeRequired: Refused, StepUp: Refused, UserRequired: Refused, MachineRequired: Refused, NoRule: Refused, CrossSite: Refused, Override: Refused, PathNotPlain: Refused, TooLarge: Refused,

	KeysUnavailable: CannotTell, CutsUnavailable: CannotTell, ProviderUnavailable: CannotTell, ConfigUnavailable: CannotTell, EventUnknown: CannotTell, MountUnknown: CannotTell, DeviceSkipped: CannotTell, Internal: CannotTell,
}

// Outcome returns the kind of answer that c leads to; a code outside the list is CannotTell, so that a slip never lets anybody in.
func (c Code) Outcome() Outcome {
	if o, ok := outcomes[c]; ok {
		return o
	}
	return CannotTell
}

// Known reports whether c is on the list.
func (c Code) Known() bool { _, ok := outcomes[c]; return ok }

// sentinel is an error that carries its code.
type sentinel struct {
	code Code
	text string
}

func (s *sentinel) Error() string { return s.text }
func (s *sentinel) Reason() Code  { return s.code }

// New returns a sentinel error that carries c. The text must not hold anything a client sent.
func New(c Code, text string) error { return &sentinel{c, text} }

// Of returns the code of the first error in err's chain that carries one: OK for nil, Internal when none does.
func Of(err error) Code {
	if err == nil {
		return OK
	}
	type coded interface{ Reason() Code }
	for e := err; e != nil; e = errors.Unwrap(e) { // nearly every chain, at a fraction of what errors.As costs
		if c, ok := e.(coded); ok {
			return c.Reason()
		}
	}
	var c coded
	if errors.As(err, &c) {
		return c.Reason()
	}
	return Internal
}
