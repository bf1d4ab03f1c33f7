// This file decides who may ask about a user, and what is said.
//
// https://docs.aws.amazon.com/cognito/latest/developerguide/userinfo-endpoint.html

package cognito

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// serveUserInfo answers to an access token with the scope openid whose chain is not revoked. The verified flags are strings here, unlike in the ID token.
func (s *Server) serveUserInfo(c *call) reply {
	raw, ok := strings.CutPrefix(c.Header.Get("Authorization"), "Bearer ")
	if !ok || raw == "" {
		return userInfoError(http.StatusBadRequest, "invalid_request", "The access token is missing")
	}
	claims, err := s.verify(raw)
	if err != nil {
		return userInfoError(http.StatusUnauthorized, "invalid_token", "Access token is invalid or has expired")
	}
	origin, _ := claims["origin_jti"].(string)
	scope, _ := claims["scope"].(string)
	n := s.chains[origin]
	if n == nil || n.revoked || n.user.disabled || !slices.Contains(strings.Fields(scope), "openid") {
		return userInfoError(http.StatusUnauthorized, "invalid_token", "Access token is revoked or does not contain openid scope")
	}
	o := object{{"sub", n.user.sub}}
	for _, name := range slices.Sorted(maps.Keys(n.user.attributes)) {
		if readable(name, n.scopes) {
			o.set(name, n.user.attributes[name])
		}
	}
	o.set("username", n.user.username())
	rep := jsonReply(http.StatusOK, o, "ok")
	rep.header.Set("Access-Control-Allow-Origin", "*")
	rep.header.Set("X-Frame-Options", "DENY")
	return rep
}

func userInfoError(status int, code, description string) reply {
	rep := jsonReply(status, object{{"error", code}, {"error_description", description}}, code)
	rep.header.Set("Access-Control-Allow-Origin", "*")
	rep.header.Set("WWW-Authenticate", fmt.Sprintf("error=%q, error_description=%q", code, description))
	return rep
}
