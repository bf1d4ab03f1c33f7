// This file decides who the users are and whether somebody is one of them.

package cognito

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

const (
	confirmed     = "CONFIRMED"
	forcePassword = "FORCE_CHANGE_PASSWORD"
)

type user struct {
	email      string
	provider   string // the external one that this is a user of; empty: none
	sub        string // also the username in tokens, as in a pool where the e-mail address is what one signs in with
	password   digest
	status     string
	disabled   bool
	groups     []string
	attributes map[string]string
	created    time.Time
}

// A digest stands for a secret string in our tables.
type digest [sha256.Size]byte

func digestOf(s string) digest { return sha256.Sum256([]byte(s)) }

// same compares two secrets in constant time.
func same(a, b string) bool {
	x, y := digestOf(a), digestOf(b)
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

func (s *Server) addUsers() error {
	s.groups = slices.Clone(s.cfg.Groups)
	users := s.cfg.Users
	if users == nil {
		users = s.defaultUsers()
	}
	var errs []error
	for _, u := range users {
		if s.userNamed(u.Username) != nil || u.Username == "" {
			errs = append(errs, fmt.Errorf("cognito: user name %q is empty or taken", u.Username))
			continue
		}
		for _, g := range u.Groups {
			switch {
			case slices.Contains(s.groups, g):
			case s.cfg.Groups != nil:
				errs = append(errs, fmt.Errorf("cognito: user %q is in the group %q, which the pool does not have", u.Username, g))
			default:
				s.groups = append(s.groups, g)
			}
		}
		n := s.newUser(u.Username, u.Attributes)
		n.setPassword(u.Password)
		n.status = confirmed
		n.groups = slices.Clone(u.Groups)
		s.users = append(s.users, n)
	}
	return errors.Join(errs...)
}

func (s *Server) defaultUsers() []User {
	alice := User{Username: "alice@example.com", Password: DefaultPassword, Attributes: map[string]string{"name": "Alice Example", "email_verified": "true"}}
	if s.cfg.Groups == nil || slices.Contains(s.cfg.Groups, "admins") {
		alice.Groups = []string{"admins"}
	}
	return []User{alice, {Username: "bob@example.com", Password: DefaultPassword, Attributes: map[string]string{"name": "Bob Example", "email_verified": "true"}}}
}

// newUser makes a user who has to choose a password yet. The sub is the same on every start, so that what an application stores by it still fits.
func (s *Server) newUser(email string, attributes map[string]string) *user {
	id := digestOf(s.cfg.Pool + "/" + strings.ToLower(email))
	u := &user{email: email, sub: formatUUID(id[:16]), status: forcePassword, created: s.now(), attributes: map[string]string{"email": email}}
	maps.Copy(u.attributes, attributes)
	if sub, ok := u.attributes["sub"]; ok {
		u.sub = sub
		delete(u.attributes, "sub")
	}
	return u
}

func (u *user) setPassword(p string) { u.password = digestOf(p) }

// userNamed finds a user by e-mail address, in any case, or by sub.
func (s *Server) userNamed(name string) *user {
	for _, u := range s.users {
		if strings.EqualFold(u.email, name) || u.sub == name {
			return u
		}
	}
	return nil
}

// signIn returns the user whose name and password these are. Whoever it is not learns nothing about why: an unknown user, a wrong password and a
// disabled user are one answer, as with PreventUserExistenceErrors.
func (s *Server) signIn(name, password string) *user {
	u := s.userNamed(name)
	got := digestOf(password)
	want := digest{}
	if u != nil {
		want = u.password
	}
	if subtle.ConstantTimeCompare(got[:], want[:]) != 1 || u == nil || u.disabled {
		return nil
	}
	return u
}
