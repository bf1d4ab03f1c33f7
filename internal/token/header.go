package token

// This file decides which headers are understood: alg and kid, and a typ that says nothing new.
// Members that carry or point to a key (jwk, jku, x5c, x5u) are members like any unknown one and
// are never used: whose key it is, is for the issuer's key set to say.

import (
	"fmt"
	"strings"

	"edgeauth/internal/jsonread"
)

// readHeader returns the kid of a header that is good for a token of this use. A member of the
// wrong type says nothing that fits.
func readHeader(header []byte, use Use) (kid string, err error) {
	alg, typ := "", "JWT"
	special := false
	r := jsonread.New(header)
	for name := range r.Members() {
		switch name {
		case "alg":
			alg, _ = r.String()
		case "kid":
			kid, _ = r.String()
		case "typ":
			typ, _ = r.String()
		case "crit", "b64", "zip":
			special = true
			r.Skip()
		default:
			r.Skip()
		}
	}
	switch err := r.End(); {
	case err != nil:
		return "", fmt.Errorf("%w: header: %w", ErrMalformed, err)
	case alg != "RS256":
		return "", ErrAlgorithm
	case special:
		return "", fmt.Errorf("%w: crit, b64 or zip", ErrHeader)
	case !typeFits(typ, use):
		return "", fmt.Errorf("%w: typ of another kind of token", ErrHeader)
	case kid == "":
		return "", fmt.Errorf("%w: no kid", ErrUnknownKey)
	}
	return kid, nil
}

// typeFits reports whether typ can stand in a token of this use; Cognito writes none. Logout
// tokens, request objects and their like have a typ of their own just so that nobody takes them for
// something else (RFC 8725 section 3.11).
func typeFits(typ string, use Use) bool {
	return strings.EqualFold(typ, "JWT") || use == Access && strings.EqualFold(typ, "at+jwt") // RFC 9068
}
