// This file writes what an answer carries along: where to go, why, and for backends who the caller is. Every answer has location and reason, since
// what a gateway response makes of a missing one is not documented.

package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"edgeauth/identity"
	"edgeauth/internal/apigw"
	"edgeauth/internal/policy"
	"edgeauth/internal/reason"
	"edgeauth/internal/token"
)

// maxTarget is the longest return target that the login takes back.
const maxTarget = 2048

// appendReason appends the members location and reason.
func appendReason(dst []byte, code reason.Code, location []byte) []byte {
	dst = append(append(dst, `"location":"`...), location...) // which is made of nothing that JSON escapes
	dst = append(append(dst, `","reason":"`...), code...)
	return append(dst, '"')
}

// appendPlace appends where the callback's routes are: under the request's own base, unless they are a sister API's.
func (a *authorizer) appendPlace(dst []byte, r *apigw.Request) []byte {
	if a.login != "" {
		return append(dst, a.login...)
	}
	return append(append(dst, r.Base...), "/auth"...)
}

// appendLogin appends to the callback's place the address of the login, which returns to where the request wanted to go. A target that the login would not take back is left
// out, and the front page takes its place.
func appendLogin(dst []byte, r *apigw.Request, again bool) []byte {
	dst = append(dst, "/login"...)
	separator := byte('?')
	if again {
		dst = append(dst, "?prompt=login"...)
		separator = '&'
	}
	var scratch [maxTarget]byte
	if target := r.AppendTarget(scratch[:0]); len(target) <= maxTarget && policy.Plain(r.Path) {
		dst = append(append(dst, separator), "return_to="...)
		dst = apigw.AppendEscaped(dst, target)
	}
	return dst
}

// appendDenied appends to the callback's place the address of the page that says why not, if it is known.
func appendDenied(dst []byte, code reason.Code) []byte {
	dst = append(dst, "/denied"...)
	if code != reason.OK {
		dst = append(append(dst, "?reason="...), code...)
	}
	return dst
}

// identityOf returns what backends learn of a caller. An address that the pool has not verified is not among it: anybody may claim any.
func identityOf(c token.Claims) identity.Identity {
	id := identity.Identity{
		Issuer:   c.Issuer,
		Subject:  c.Subject,
		Username: c.Username,
		TokenUse: string(c.Use),
		ClientID: c.ClientID,
		Groups:   c.Groups,
		Scopes:   strings.Fields(c.Scope),
		Expires:  time.Unix(c.Expiry, 0),
	}
	if c.EmailVerified {
		id.Email = c.Email
	}
	if machine(c) {
		id.Username, id.Email, id.Groups = "", "", nil
	} else if c.AuthTime > 0 {
		id.AuthTime = time.Unix(c.AuthTime, 0)
	}
	return id
}

// pick returns those of the payload's claims that are listed, as a JSON object; nil when none are.
func pick(payload []byte, names []string) ([]byte, error) {
	if len(names) == 0 {
		return nil, nil
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(payload, &all); err != nil {
		return nil, fmt.Errorf("authorizer: payload of a verified token: %w", err)
	}
	picked := map[string]json.RawMessage{}
	for _, name := range names {
		if v, ok := all[name]; ok {
			picked[name] = v
		}
	}
	return json.Marshal(picked)
}
