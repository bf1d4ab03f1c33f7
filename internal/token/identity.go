package token

// This file decides what backends learn of whom a token speaks of.

import (
	"strings"
	"time"

	"edgeauth/identity"
)

// Machine reports whether the token is a client's own, and no person's: such a one has the client's
// id for a subject (RFC 9068, section 2.2).
func (c Claims) Machine() bool { return c.Use == Access && c.Subject == c.ClientID }

// Identity returns what backends learn. A machine has no name, no address and no groups, whatever
// its token says.
func (c Claims) Identity() identity.Identity {
	id := identity.Identity{
		Issuer:   c.Issuer,
		Subject:  c.Subject,
		Username: c.Username,
		Email:    c.VerifiedEmail(),
		TokenUse: string(c.Use),
		ClientID: c.ClientID,
		Groups:   c.Groups,
		Scopes:   strings.Fields(c.Scope),
		Expires:  time.Unix(c.Expiry, 0),
	}
	if c.Machine() {
		id.Username, id.Email, id.Groups = "", "", nil
	} else if c.AuthTime > 0 {
		id.AuthTime = time.Unix(c.AuthTime, 0)
	}
	return id
}
