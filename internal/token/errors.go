package token

import (
	"errors"

	"edgeauth/internal/reason"
)

// ErrInvalid is what every refusal is: untrusted input that is no good. No refusal quotes it.
var ErrInvalid = errors.New("token: invalid")

// One error for each reason. Of a claim that is missing or of the wrong type, the reason is
// ErrClaims; one with another value than expected has a reason of its own.
var (
	ErrMalformed   error = &refusal{reason.TokenMalformed, "token: malformed"}
	ErrAlgorithm   error = &refusal{reason.TokenAlgorithm, "token: algorithm is not RS256"}
	ErrHeader      error = &refusal{reason.TokenHeader, "token: header asks for what is not done"}
	ErrUnknownKey  error = &refusal{reason.TokenUnknownKey, "token: no such key"}
	ErrSignature   error = &refusal{reason.TokenSignature, "token: bad signature"}
	ErrIssuer      error = &refusal{reason.TokenIssuer, "token: other issuer"}
	ErrAudience    error = &refusal{reason.TokenAudience, "token: other audience"}
	ErrUse         error = &refusal{reason.TokenUse, "token: other use"}
	ErrExpired     error = &refusal{reason.TokenExpired, "token: expired"}
	ErrNotYetValid error = &refusal{reason.TokenNotYetValid, "token: not yet valid"}
	ErrClaims      error = &refusal{reason.TokenClaims, "token: claim missing or of the wrong type"}
	ErrNonce       error = &refusal{reason.TokenNonce, "token: other nonce"}
	ErrAccessHash  error = &refusal{reason.TokenAccessHash, "token: issued with another access token"}
)

// OtherIssuer is an [ErrIssuer]. It alone quotes what a token says, for whoever has to find out
// which pool a client signed in at. Nobody has verified it: it may be anything, of any length.
type OtherIssuer struct{ Received string }

func (o *OtherIssuer) Error() string        { return ErrIssuer.Error() }
func (o *OtherIssuer) Reason() reason.Code  { return reason.TokenIssuer }
func (o *OtherIssuer) Is(target error) bool { return target == ErrIssuer || target == ErrInvalid }

// refusal is an ErrInvalid with its reason.
type refusal struct {
	code reason.Code
	text string
}

func (r *refusal) Error() string        { return r.text }
func (r *refusal) Reason() reason.Code  { return r.code }
func (r *refusal) Is(target error) bool { return target == ErrInvalid }
