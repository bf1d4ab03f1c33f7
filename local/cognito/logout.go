// This file decides how things end: the browser's session at /logout, a chain of tokens at /oauth2/revoke.
//
// https://docs.aws.amazon.com/cognito/latest/developerguide/logout-endpoint.html
// https://docs.aws.amazon.com/cognito/latest/developerguide/revocation-endpoint.html

package cognito

import (
	"net/http"
	"slices"
	"strings"
)

// serveLogout ends the browser's session, and no token's life. A logout_uri wins over a redirect_uri; neither the state nor anything else comes back with it.
// A request that is refused ends nothing.
func (s *Server) serveLogout(c *call) reply {
	q, ok := parseOnce(c.URL.RawQuery)
	if !ok {
		return s.message(c, http.StatusBadRequest, "invalid_request", "")
	}
	client := s.client(q.Get("client_id"))
	switch {
	case q.Get("client_id") == "":
		return s.message(c, http.StatusBadRequest, "missing_client_id", "")
	case client == nil:
		return s.message(c, http.StatusBadRequest, "unknown_client", "")
	}
	to, outcome := q.Get("logout_uri"), "signed_out"
	switch {
	case slices.Contains(client.LogoutURLs, to):
	case to == "" && q.Get("redirect_uri") != "":
		if a, refused := s.parseAuthorization(c.URL.RawQuery); refused != nil {
			return s.refuse(a, *refused)
		}
		to, outcome = s.cfg.Domain+"/login?"+c.URL.RawQuery, "signed_out_to_login"
	default:
		return s.message(c, http.StatusBadRequest, "missing_redirect_uri", "")
	}
	s.endSession(c)
	rep := redirect(to, outcome)
	s.setCookie(&rep, sessionCookie, "", -1)
	return rep
}

// serveRevoke ends the chain of a refresh token: no renewal and no userInfo any more, while tokens that are out stay verifiable until they expire. An unknown
// token is as good as revoked. A client with a secret has to use Basic.
func (s *Server) serveRevoke(c *call) reply {
	form, ok := c.form()
	if !ok || form.Get("token") == "" {
		return s.tokenReply(http.StatusBadRequest, errInvalidRequest)
	}
	client, failed := s.authenticate(c, form)
	if failed != nil || client.Secret != "" && c.Header.Get("Authorization") == "" {
		return s.tokenReply(http.StatusUnauthorized, errInvalidClient)
	}
	token := form.Get("token")
	if strings.Count(token, ".") == 2 { // a JWT, so an ID or access token
		return s.tokenReply(http.StatusBadRequest, &oauthError{"unsupported_token_type", ""})
	}
	rep := s.tokenReply(http.StatusOK, nil)
	rep.header.Del("Content-Type")
	r := s.refresh[digestOf(token)]
	if r == nil || r.chain.client != client {
		rep.outcome = "unknown_token"
		return rep
	}
	r.chain.revoked = true
	rep.outcome = "revoked"
	return rep
}
