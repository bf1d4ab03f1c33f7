// Package identity says who the caller is.
//
// The authorizer puts it into the request context as strings, under the keys listed below and
// described by schema.json; a backend reads it back with this package, or with a few lines of any
// other language. A context that is missing, incomplete or of another version is never a caller: it
// is ErrNone, and a backend answers 401. A caller is the issuer and the subject together; a name or
// an e-mail address is something to show, never something to look a user up by.
//
// Where a rule lets anyone through, a request may come without a caller: the key "anonymous" is
// "true" then and the others are empty, which is [ErrAnonymous]. A backend that wants a caller need
// not know about it: it is an error. One that serves both asks for it, or uses [Optional].
//
// Whoever may invoke a backend function directly can put anything into its event. The context is to
// be trusted as far as that permission is kept to API Gateway.
package identity

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"
)

// Version is the version of the contract, the value of the key "v". It changes when a key changes
// its meaning.
const Version = "1"

// Identity is a caller whose token was verified before the request got here.
type Identity struct {
	Issuer   string // the user pool that vouches for Subject
	Subject  string // who it is, for as long as the user exists; unique within Issuer only
	Username string
	Email    string // as the pool knows it; the authorizer hands on none that is unverified
	TokenUse string // "id": a browser session; "access": a bearer token
	ClientID string // the app client that the token was issued to
	Groups   []string
	Scopes   []string  // of access tokens
	Expires  time.Time // when the token ends; a WebSocket outlives it, so its message handlers compare
	AuthTime time.Time // when the user last proved who they are; zero when nobody did (machines)

	// Claims holds further claims that the deployment hands on; nil when there are none.
	Claims map[string]any
}

// Machine reports whether the caller is a program with credentials of its own: no user stands
// behind the request.
func (i Identity) Machine() bool { return i.TokenUse == "access" && i.Subject == i.ClientID }

// Has reports whether the caller is in the group.
func (i Identity) Has(group string) bool {
	for _, g := range i.Groups {
		if g == group {
			return true
		}
	}
	return false
}

// ErrNone means that the context names no caller, completely and in the version that this package
// knows.
var ErrNone = errors.New("identity: no caller in the request context")

// ErrAnonymous means that the authorizer let a request through which has no caller, since a rule
// lets anyone through (the need "anyone"). It is not ErrNone: that the authorizer was asked is
// certain. Backends that answer only to callers treat both alike.
var ErrAnonymous = errors.New("identity: the request is anonymous, as the rules allow")

// FromContext reads the caller from what API Gateway hands on as requestContext.authorizer (HTTP
// API with payload 2.0: requestContext.authorizer.lambda). It returns ErrAnonymous if the
// authorizer says that there is none, and ErrNone unless everything that makes a caller is there.
func FromContext(authorizer map[string]any) (Identity, error) {
	text := func(key string) string { s, _ := authorizer[key].(string); return s }
	if text("v") == Version && text("anonymous") == "true" {
		return Identity{}, ErrAnonymous
	}
	id := Identity{
		Issuer:   text("iss"),
		Subject:  text("sub"),
		Username: text("username"),
		Email:    text("email"),
		TokenUse: text("token_use"),
		ClientID: text("client_id"),
		Groups:   strings.Fields(text("groups")),
		Scopes:   strings.Fields(text("scope")),
	}
	var timed, signed, claimed bool
	id.Expires, timed = seconds(text("exp"))
	id.AuthTime, signed = seconds(text("auth_time"))
	id.Claims, claimed = claims(text("identity"))
	if text("v") != Version || !timed || !signed || !claimed || !id.complete() {
		return Identity{}, ErrNone
	}
	return id, nil
}

// complete reports whether id has all that makes a caller.
func (i Identity) complete() bool {
	return i.Issuer != "" && i.Subject != "" && i.ClientID != "" && (i.TokenUse == "id" || i.TokenUse == "access") && !i.Expires.IsZero()
}

// seconds reads a time in seconds since 1970; "" is the zero time.
func seconds(s string) (time.Time, bool) {
	if s == "" {
		return time.Time{}, true
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n <= 0 {
		return time.Time{}, false
	}
	return time.Unix(n, 0), true
}

// claims reads the further claims out of the value of the key "identity".
func claims(encoded string) (map[string]any, bool) {
	text, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil {
		return nil, false
	}
	var whole struct {
		Claims map[string]any `json:"claims"`
	}
	if err := json.Unmarshal(text, &whole); err != nil {
		return nil, false
	}
	return whole.Claims, true
}
