// This file decides which credential of a request counts. One that has an Authorization header is
// judged by it alone: were the cookie a second chance, a bad bearer token would borrow a browser's
// session.

package main

import (
	"strings"

	"edgeauth/internal/apigw"
	"edgeauth/internal/cookie"
	"edgeauth/internal/reason"
)

// kind is where a credential was sent.
type kind string

const (
	noCredential     kind = "none"
	cookieCredential kind = "cookie"
	bearerCredential kind = "bearer"
)

// credential is a token and how it was sent.
type credential struct {
	kind  kind
	token string
	code  reason.Code // reason.OK when there is a token to be verified
}

// read finds the credential of a request.
func (c *credential) read(r *apigw.Request) {
	c.code = reason.OK
	if authorization, different := r.Header("authorization"); different > 0 {
		c.kind = bearerCredential
		if c.token = bearerToken(authorization); c.token == "" {
			c.code = reason.BearerMalformed
		}
		return
	}
	value, err := cookie.Join(r.Cookies(), cookie.Session)
	c.kind, c.token, c.code = cookieCredential, value, reason.Of(err)
	if c.code == reason.NoSession {
		c.kind = noCredential
	}
}

// bearerToken returns the token in the value of an Authorization header (RFC 6750 section 2.1), ""
// when it has none.
func bearerToken(authorization string) string {
	scheme, token, ok := strings.Cut(authorization, " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return token
}
