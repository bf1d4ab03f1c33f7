// This file decides who gets tokens for what at the token endpoint.
//
// https://docs.aws.amazon.com/cognito/latest/developerguide/token-endpoint.html

package cognito

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

var verifier = regexp.MustCompile(`^[A-Za-z0-9._~-]{43,128}$`) // RFC 7636 section 4.1

// An oauthError is an answer of RFC 6749 section 5.2. Cognito answers 400 to all of them, failed client authentication included.
type oauthError struct{ code, description string }

var (
	errInvalidRequest     = &oauthError{"invalid_request", ""}
	errInvalidClient      = &oauthError{"invalid_client", ""}
	errInvalidSecret      = &oauthError{"invalid_client", "invalid_client_secret"}
	errInvalidGrant       = &oauthError{"invalid_grant", ""}
	errInvalidScope       = &oauthError{"invalid_scope", ""}
	errUnauthorizedClient = &oauthError{"unauthorized_client", ""}
	errUnsupportedGrant   = &oauthError{"unsupported_grant_type", ""}
)

func (s *Server) serveToken(c *call) reply {
	form, ok := c.form()
	if !ok {
		return s.tokenReply(http.StatusBadRequest, errInvalidRequest)
	}
	grant := form.Get("grant_type")
	grants := map[string]func(*call, *client, url.Values) (object, *oauthError){
		"authorization_code": s.grantCode, "refresh_token": s.grantRefresh, "client_credentials": s.grantClientCredentials,
	}
	run, known := grants[grant]
	if !known {
		s.count("token.other")
		return s.tokenReply(http.StatusBadRequest, errUnsupportedGrant)
	}
	s.count("token." + grant)
	client, failed := s.authenticate(c, form)
	if failed != nil {
		return s.tokenReply(http.StatusBadRequest, failed)
	}
	if client.ClientCredentials != (grant == "client_credentials") {
		return s.tokenReply(http.StatusBadRequest, errUnauthorizedClient)
	}
	answer, failed := run(c, client, form)
	if failed != nil {
		return s.tokenReply(http.StatusBadRequest, failed)
	}
	s.count("token." + grant + ".ok")
	rep := s.tokenReply(http.StatusOK, nil)
	rep.body = marshal(answer)
	return rep
}

// tokenReply is an empty answer of the token endpoint, or the error.
func (s *Server) tokenReply(status int, failed *oauthError) reply {
	rep := newReply(status, "application/json;charset=UTF-8", nil, "ok")
	rep.header.Set("Access-Control-Allow-Origin", "*")
	rep.header.Set("Pragma", "no-cache")
	rep.header.Set("X-Amz-Cognito-Request-Id", s.uuid())
	if failed != nil {
		o := object{{"error", failed.code}}
		if failed.description != "" {
			o.set("error_description", failed.description)
		}
		rep.body, rep.outcome = marshal(o), failed.code
	}
	return rep
}

// authenticate returns the client that proves to be one: by Basic or by body, not both. A public client merely names itself.
func (s *Server) authenticate(c *call, form url.Values) (*client, *oauthError) {
	id, secret := form.Get("client_id"), form.Get("client_secret")
	if c.Header.Get("Authorization") != "" {
		basicID, basicSecret, ok := basicCredentials(c)
		switch {
		case !ok:
			return nil, errInvalidClient
		case form.Has("client_secret"):
			return nil, errInvalidRequest
		case form.Has("client_id") && id != basicID:
			return nil, errInvalidClient
		}
		id, secret = basicID, basicSecret
	}
	if id == "" {
		return nil, errInvalidRequest
	}
	client := s.client(id)
	if client == nil {
		return nil, errInvalidClient
	}
	if !client.accepts(secret) {
		return nil, errInvalidSecret
	}
	return client, nil
}

// accepts compares in constant time.
func (c *client) accepts(secret string) bool {
	return same(secret, c.Secret) || c.oldSecret != "" && same(secret, c.oldSecret)
}

// basicCredentials undoes the form encoding that RFC 6749 section 2.3.1 puts inside Basic: a secret may hold a plus.
func basicCredentials(c *call) (id, secret string, ok bool) {
	user, password, ok := c.BasicAuth()
	if !ok {
		return "", "", false
	}
	id, err1 := url.QueryUnescape(user)
	secret, err2 := url.QueryUnescape(password)
	return id, secret, err1 == nil && err2 == nil
}

// grantCode exchanges a code. From the moment an authenticated client presents its code, the code is used up, whatever comes of it.
func (s *Server) grantCode(c *call, client *client, form url.Values) (object, *oauthError) {
	if form.Get("code") == "" || form.Get("redirect_uri") == "" || form.Get("code_verifier") == "" {
		return nil, errInvalidRequest
	}
	k := s.codes[digestOf(form.Get("code"))]
	if k == nil || k.client != client {
		return nil, errInvalidGrant
	}
	if k.used {
		if k.chain != nil && s.settings.CodeReuseRevokes {
			k.chain.revoked = true
		}
		return nil, errInvalidGrant
	}
	k.used = true
	if !s.now().Before(k.expires) || k.user.disabled {
		return nil, errInvalidGrant
	}
	if form.Get("redirect_uri") != k.redirect {
		return nil, &oauthError{code: s.settings.MismatchError}
	}
	if v := form.Get("code_verifier"); !verifier.MatchString(v) || !same(s256(v), k.challenge) {
		return nil, errInvalidGrant
	}
	n := s.newChain(client, k.user, k.scopes, k.authTime)
	n.nonce, n.resource = k.nonce, k.resource
	k.chain = n
	return s.tokens(c, n, k.nonce, s.newRefreshToken(n)), nil
}

func s256(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// grantRefresh renews. With rotation the answer holds a new refresh token, which dies when the first would have, and the old one stays good for the grace.
// https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-refresh-token.html
func (s *Server) grantRefresh(c *call, client *client, form url.Values) (object, *oauthError) {
	if form.Get("refresh_token") == "" {
		return nil, errInvalidRequest
	}
	r := s.refresh[digestOf(form.Get("refresh_token"))]
	if r == nil || r.chain.client != client {
		return nil, errInvalidGrant
	}
	n := r.chain
	if r.replaced && !s.now().Before(r.until) {
		n.revoked = n.revoked || s.settings.RefreshReuseRevokes
		return nil, errInvalidGrant
	}
	if n.revoked || n.user.disabled || !s.now().Before(n.expires) {
		return nil, errInvalidGrant
	}
	nonce := ""
	if s.settings.RefreshNonce {
		nonce = n.nonce
	}
	next := ""
	if on, grace := s.rotation(client); on {
		if !r.replaced {
			r.replaced, r.until = true, s.now().Add(grace)
		}
		next = s.newRefreshToken(n)
	}
	return s.tokens(c, n, nonce, next), nil
}

// tokens is the body of a good answer, in Cognito's order.
func (s *Server) tokens(c *call, n *chain, nonce, refresh string) object {
	access, id := s.issue(n, nonce, c.fault.alteration())
	o := object{}
	if id != "" {
		o.set("id_token", id)
	}
	o.set("access_token", access)
	if refresh != "" {
		o.set("refresh_token", refresh)
	}
	o.set("expires_in", int(s.accessValidity(n.client)/time.Second))
	o.set("token_type", "Bearer")
	return o
}

// grantClientCredentials gives a machine an access token for its custom scopes.
func (s *Server) grantClientCredentials(_ *call, client *client, form url.Values) (object, *oauthError) {
	scopes := client.Scopes
	if raw := form.Get("scope"); raw != "" {
		scopes = strings.Split(raw, " ")
	}
	for _, scope := range scopes {
		if !slices.Contains(client.Scopes, scope) || slices.Contains(systemScopes, scope) {
			return nil, errInvalidScope
		}
	}
	n := &chain{client: client, scopes: scopes, authTime: s.now()}
	access := s.encode(newDraft(s.keys.signing.access, s.accessClaims(n)))
	return object{
		{"access_token", access}, {"expires_in", int(s.accessValidity(client) / time.Second)}, {"token_type", "Bearer"},
	}, nil
}
