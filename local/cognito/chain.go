// This file decides what a sign-in leaves behind: the browser's session at the login domain, the code, and the chain of tokens that begins with it.

package cognito

import (
	"cmp"
	"slices"
	"time"
)

const (
	sessionLife = time.Hour       // fixed: https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-managed-login.html
	codeLife    = 5 * time.Minute // https://docs.aws.amazon.com/cognito/latest/developerguide/authorization-endpoint.html
	formLife    = 5 * time.Minute // a sign-in that takes longer is cancelled
)

// A session is what the cookie "cognito" stands for: within it, codes are given without a question.
type session struct {
	user     *user
	authTime time.Time
	expires  time.Time
}

// A code is bound to the client, the redirect URI and the challenge with which it was asked for.
type code struct {
	client    *client
	user      *user
	redirect  string
	challenge string
	nonce     string
	resource  string
	scopes    []string
	authTime  time.Time
	expires   time.Time
	used      bool
	chain     *chain // what it was exchanged for
}

// A chain is all tokens that go back to one sign-in; they share origin_jti, event_id and auth_time.
type chain struct {
	client    *client
	user      *user // nil: a machine
	scopes    []string
	resource  string
	nonce     string
	authTime  time.Time
	originJTI string
	eventID   string
	expires   time.Time // of every refresh token of the chain: a rotated one lives no longer than the first
	revoked   bool
}

type refreshToken struct {
	chain    *chain
	replaced bool
	until    time.Time // how long a replaced one stays good
}

// newCode makes a code for a user who has signed in at authTime.
func (s *Server) newCode(a authorization, u *user, authTime time.Time) string {
	raw := s.uuid()
	s.codes[digestOf(raw)] = &code{
		client: a.client, user: u, redirect: a.redirect, challenge: a.challenge, nonce: a.nonce, resource: a.resource, scopes: a.scopes,
		authTime: authTime, expires: s.now().Add(codeLife),
	}
	return raw
}

func (s *Server) newChain(c *client, u *user, scopes []string, authTime time.Time) *chain {
	n := &chain{
		client: c, user: u, scopes: scopes, authTime: authTime, originJTI: s.uuid(), eventID: s.uuid(),
		expires: s.now().Add(s.refreshValidity(c)),
	}
	s.chains[n.originJTI] = n
	return n
}

func (s *Server) newRefreshToken(c *chain) string {
	raw := s.opaqueToken(s.settings.RefreshTokenBytes)
	s.refresh[digestOf(raw)] = &refreshToken{chain: c}
	return raw
}

// newSession begins a session in the browser and returns the cookie's value.
func (s *Server) newSession(u *user) (string, session) {
	raw := formatToken(s.random(32))
	n := session{user: u, authTime: s.now(), expires: s.now().Add(sessionLife)}
	s.sessions[digestOf(raw)] = n
	return raw, n
}

// liveSession returns the session of the request's cookie.
func (s *Server) liveSession(c *call) (session, bool) {
	cookie, err := c.Cookie(sessionCookie)
	if err != nil {
		return session{}, false
	}
	n, ok := s.sessions[digestOf(cookie.Value)]
	if !ok || n.user.disabled || !s.now().Before(n.expires) {
		return session{}, false
	}
	return n, true
}

func (s *Server) endSession(c *call) {
	if cookie, err := c.Cookie(sessionCookie); err == nil {
		delete(s.sessions, digestOf(cookie.Value))
	}
}

// revokeUser ends everything a user has, or that everybody has for nil.
func (s *Server) revokeUser(u *user) {
	s.revokeTokens(u)
	for id, n := range s.sessions {
		if u == nil || n.user == u {
			delete(s.sessions, id)
		}
	}
}

func (s *Server) revokeTokens(u *user) {
	for _, c := range s.chains {
		if u == nil || c.user == u {
			c.revoked = true
		}
	}
}

// issue makes the tokens that a chain gives now. The ID token is empty without the scope openid.
func (s *Server) issue(c *chain, nonce string, alter *alteration) (access, id string) {
	access = s.encode(newDraft(s.keys.signing.access, s.accessClaims(c)))
	if !slices.Contains(c.scopes, "openid") {
		return access, ""
	}
	return access, s.issueID(c, nonce, access, alter)
}

func (s *Server) issueID(c *chain, nonce, access string, alter *alteration) string {
	d := newDraft(s.keys.signing.id, s.idClaims(c, nonce, access))
	if alter != nil {
		alter.apply(s, d)
	}
	if n := s.settings.IDTokenBytes; n > 0 {
		s.pad(d, n)
	}
	return s.encode(d)
}

func (s *Server) idValidity(c *client) time.Duration {
	return cmp.Or(time.Duration(s.settings.IDValidity), c.IDTokenValidity)
}

func (s *Server) accessValidity(c *client) time.Duration {
	return cmp.Or(time.Duration(s.settings.AccessValidity), c.AccessTokenValidity)
}

func (s *Server) refreshValidity(c *client) time.Duration {
	return cmp.Or(time.Duration(s.settings.RefreshValidity), c.RefreshTokenValidity)
}

// rotation tells whether a client's refresh tokens rotate, and the grace of the old one.
func (s *Server) rotation(c *client) (bool, time.Duration) {
	switch s.settings.Rotation {
	case "on":
		return true, time.Duration(s.settings.RotationGrace)
	case "off":
		return false, 0
	}
	return c.Rotation, c.RotationGrace
}
