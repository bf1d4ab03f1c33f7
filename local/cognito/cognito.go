// Package cognito is a local stand-in for one Amazon Cognito user pool, for development and tests: the login domain (/oauth2/*, /login, /logout), the
// issuer (/<pool>/.well-known/*), and the few AWS calls that a sign-in needs (SSM GetParameter, DescribeUserPoolClient, a handful of Admin calls).
//
// It imitates what AWS documents, and where AWS is silent it takes the stricter reading: a client that signs in here must not fail there. It is not
// Cognito, it keeps everything in memory, and it must never be reachable from outside: it hands out client secrets, and tokens for the asking, to whoever
// can reach it, which is why it answers to loopback and configured host names only.
//
// # Where it is stricter than Cognito
//
//   - PKCE with S256 is required, not merely supported.
//   - A repeated parameter is refused; so are two ways of client authentication in one request.
//   - Basic credentials must be form-urlencoded (RFC 6749 section 2.3.1).
//   - A failed exchange by the authenticated client uses the code up; a code that comes back revokes what it was exchanged for (RFC 6749 section 4.1.2).
//   - A scope that no client of the pool has is invalid_scope; one that merely this client lacks is ignored.
//   - Client settings that AWS would refuse, or that only work by accident, are refused by New.
//
// # Where it differs
//
//   - One listener serves both hosts and the AWS calls, told apart by path and X-Amz-Target. Config.SeparateHosts makes each host know its own paths only.
//   - AWS requests must be signed for the right Region and service, but the signature itself is not checked.
//   - There is one kind of sign-in: e-mail address and password, also where the stand-in plays an external identity provider. No sign-up, MFA, passkeys,
//     implicit grant or throttling.
//   - The login page lists the users, and the password when the users are the default ones. A user who has to choose a new password cannot do it there.
//   - A revoked or reused refresh token is invalid_grant; whether Cognito then ends the whole family is unknown, and a setting here.
//   - The refresh grant answers without the nonce (OpenID Connect Core 1.0 section 12.2); whether Cognito repeats it is unknown, and a setting here.
//
// # Faults on demand
//
// GET /_standin/ lists, with a sentence each, what can be asked for: key rotation, faults per endpoint, a clock that can be moved, negative tokens,
// counters. Bodies are JSON objects sent with Content-Type: application/json.
package cognito

import (
	"cmp"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// DefaultPassword is the password of the users that exist when Config.Users is nil.
const DefaultPassword = "Open-sesame-1"

// Config says which pool to stand in for. Region, Pool, Domain and one client are required.
type Config struct {
	Region string
	Pool   string // such as eu-west-1_Local0001
	Issuer string // the "iss" of tokens, ending in /<Pool>; empty: https://cognito-idp.<Region>.amazonaws.com/<Pool>
	Domain string // where browsers find the login domain, such as http://127.0.0.1:9229; no path

	Clients    []Client
	Providers  []Provider        // external identity providers, which the stand-in plays itself
	Groups     []string          // the pool's groups; nil: whatever groups the users name
	Users      []User            // nil: alice@example.com in the group admins, and bob@example.com, both with DefaultPassword
	Parameters map[string]string // SSM parameters, by name

	SeparateHosts bool // login paths on Domain's host alone and issuer paths on Issuer's, as in AWS; zero: all paths on any

	Keys []*rsa.PrivateKey // signing keys, used in order: ID, access, then two for each rotation; those that are missing are generated
	Now  func() time.Time  // nil: time.Now
	Rand io.Reader         // nil: crypto/rand
	Log  io.Writer         // one JSON line a request; nil: none
}

// Client is an app client.
type Client struct {
	ID, Name string
	Secret   string // empty: a public client

	CallbackURLs, LogoutURLs []string
	Scopes                   []string

	IDTokenValidity      time.Duration // zero: an hour
	AccessTokenValidity  time.Duration // zero: an hour
	RefreshTokenValidity time.Duration // zero: thirty days

	Rotation      bool          // each refresh gives a new refresh token
	RotationGrace time.Duration // how long the old one stays good, at most a minute

	Providers         []string // that may be used; COGNITO is the pool's own users; nil: those alone
	ExplicitAuthFlows []string // nil: what Cognito takes then, ALLOW_REFRESH_TOKEN_AUTH, ALLOW_USER_SRP_AUTH, ALLOW_CUSTOM_AUTH
	ClientCredentials bool     // a machine client: this grant and no other
}

// Provider is an external identity provider. Whoever signs in by it is somebody else than the pool's own user of that address, as at Cognito.
type Provider struct {
	Name, Type string // such as Okta, OIDC
	Verified   bool   // it says that addresses are verified, and the pool takes that over; else nobody has verified them
}

// User is somebody who can sign in.
type User struct {
	Username   string // an e-mail address; upper and lower case are the same
	Password   string
	Groups     []string
	Attributes map[string]string // more attributes; "sub" and "email" have defaults, email_verified has none
}

// Server is the stand-in. Make it with New.
type Server struct {
	cfg                   Config
	issuerHost, loginHost string
	routes                map[string]map[string]route // by path, then method
	log                   *slog.Logger
	csrfKey               []byte

	// mu guards everything below. Handlers run under it and return their answer as a value; nothing is read from or written to the network meanwhile.
	mu       sync.Mutex
	clients  []*client
	groups   []string
	users    []*user
	keys     keyring
	codes    map[digest]*code
	sessions map[digest]session
	refresh  map[digest]*refreshToken
	chains   map[string]*chain // by origin_jti
	settings settings
	ahead    time.Duration // how far the clock was moved
	faults   []*fault
	release  chan struct{} // closed when held answers may go out
	counts   map[string]int

	parameters map[string]string
}

type client struct {
	Client
	oldSecret string // still good, after a change of secret
}

var (
	poolID       = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-\d_[0-9a-zA-Z]{1,55}$`)
	clientID     = regexp.MustCompile(`^[\w+]{1,128}$`)
	clientSecret = regexp.MustCompile(`^[\w+]{24,64}$`)
)

// New checks the configuration as AWS would and makes the pool. Errors name every fault that was found.
func New(cfg Config) (*Server, error) {
	cfg.Issuer = cmp.Or(cfg.Issuer, "https://cognito-idp."+cfg.Region+".amazonaws.com/"+cfg.Pool)
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	cfg.Rand = &lockedReader{r: cfg.Rand}
	if cfg.Log == nil {
		cfg.Log = io.Discard
	}
	s := &Server{
		cfg:      cfg,
		log:      slog.New(slog.NewJSONHandler(cfg.Log, nil)),
		codes:    map[digest]*code{},
		sessions: map[digest]session{},
		refresh:  map[digest]*refreshToken{},
		chains:   map[string]*chain{},
		counts:   map[string]int{},
		settings: defaultSettings(),
		release:  make(chan struct{}),

		parameters: map[string]string{},
	}
	if err := errors.Join(s.checkPool(), s.addClients(), s.addUsers()); err != nil {
		return nil, err
	}
	maps.Copy(s.parameters, cfg.Parameters)
	s.csrfKey = s.random(32)
	s.keys = keyring{supply: cfg.Keys, random: s.random}
	if err := s.keys.publish(); err != nil {
		return nil, err
	}
	s.keys.use()
	s.routes = s.allRoutes()
	return s, nil
}

func (s *Server) checkPool() error {
	var errs []error
	refuse := func(format string, args ...any) { errs = append(errs, fmt.Errorf("cognito: "+format, args...)) }

	if !poolID.MatchString(s.cfg.Pool) || !strings.HasPrefix(s.cfg.Pool, s.cfg.Region+"_") {
		refuse("pool %q is not a pool id of Region %q", s.cfg.Pool, s.cfg.Region)
	}
	if u, err := url.Parse(s.cfg.Issuer); err != nil || u.Host == "" || u.Path != "/"+s.cfg.Pool {
		refuse("issuer %q must be an absolute URL with the path /%s", s.cfg.Issuer, s.cfg.Pool)
	} else {
		s.issuerHost = u.Host
	}
	if u, err := url.Parse(s.cfg.Domain); err != nil || u.Host == "" || u.Path != "" || u.RawQuery != "" {
		refuse("domain %q must be an absolute URL without a path", s.cfg.Domain)
	} else {
		s.loginHost = u.Host
	}
	if s.cfg.SeparateHosts && s.issuerHost == s.loginHost {
		refuse("separate hosts are asked for, but issuer and domain share the host %q", s.loginHost)
	}
	return errors.Join(errs...)
}

func (s *Server) addClients() error {
	if len(s.cfg.Clients) == 0 {
		return errors.New("cognito: no client")
	}
	var errs []error
	for _, c := range s.cfg.Clients {
		c.IDTokenValidity = cmp.Or(c.IDTokenValidity, time.Hour)
		c.AccessTokenValidity = cmp.Or(c.AccessTokenValidity, time.Hour)
		c.RefreshTokenValidity = cmp.Or(c.RefreshTokenValidity, 30*24*time.Hour)
		c.Name = cmp.Or(c.Name, c.ID)
		if c.ExplicitAuthFlows == nil {
			c.ExplicitAuthFlows = []string{"ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_CUSTOM_AUTH"}
		}
		if s.client(c.ID) != nil {
			errs = append(errs, fmt.Errorf("cognito: two clients %q", c.ID))
		}
		errs = append(errs, c.check())
		s.clients = append(s.clients, &client{Client: c})
	}
	return errors.Join(errs...)
}

// check refuses what CloudFormation refuses for AWS::Cognito::UserPoolClient, and what it takes but what then does not work.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cognito-userpoolclient.html
func (c Client) check() error {
	var errs []error
	refuse := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("cognito: client %q: "+format, append([]any{c.ID}, args...)...))
	}
	if !clientID.MatchString(c.ID) {
		refuse("the id must match %s", clientID)
	}
	if c.Secret != "" && !clientSecret.MatchString(c.Secret) {
		refuse("the secret must match %s", clientSecret)
	}
	if len(c.Scopes) == 0 {
		refuse("no scope is allowed")
	}
	for _, scope := range c.Scopes {
		if !validScope(scope) {
			refuse("%q is not a scope", scope)
		}
	}
	switch {
	case c.ClientCredentials && (c.Secret == "" || len(c.CallbackURLs) > 0):
		refuse("client_credentials needs a secret and goes with no other flow")
	case !c.ClientCredentials && len(c.CallbackURLs) == 0:
		refuse("no callback URL")
	}
	for _, u := range slices.Concat(c.CallbackURLs, c.LogoutURLs) {
		if !validRedirect(u) {
			refuse("%q must be https, or http on a loopback host, without a fragment", u)
		}
	}
	const day = 24 * time.Hour
	if d := c.IDTokenValidity; d < 5*time.Minute || d > day {
		refuse("ID token validity %v is not between 5 minutes and a day", d)
	}
	if d := c.AccessTokenValidity; d < 5*time.Minute || d > day {
		refuse("access token validity %v is not between 5 minutes and a day", d)
	}
	if d := c.RefreshTokenValidity; d < time.Hour || d > 3650*day {
		refuse("refresh token validity %v is not between an hour and 3650 days", d)
	}
	if c.RotationGrace < 0 || c.RotationGrace > time.Minute {
		refuse("rotation grace %v is not between 0 and 60 seconds", c.RotationGrace)
	}
	if c.Rotation && slices.Contains(c.ExplicitAuthFlows, "ALLOW_REFRESH_TOKEN_AUTH") {
		refuse("rotation does not go with ALLOW_REFRESH_TOKEN_AUTH, which is on unless the flows are listed")
	}
	return errors.Join(errs...)
}

func validRedirect(raw string) bool {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme == "" || u.Host == "" || u.Fragment != "" || len(raw) > 1024 {
		return false
	}
	return u.Scheme != "http" || isLoopback(u.Hostname())
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// client returns the client with this id, or nil.
func (s *Server) client(id string) *client {
	for _, c := range s.clients {
		if c.ID == id {
			return c
		}
	}
	return nil
}

// clientFor is the first client for machines, or for people; nil when there is none.
func (s *Server) clientFor(machine bool) *client {
	for _, c := range s.clients {
		if c.ClientCredentials == machine {
			return c
		}
	}
	return nil
}

// now is the pool's clock.
func (s *Server) now() time.Time { return s.cfg.Now().Add(s.ahead) }

// random returns n random bytes.
func (s *Server) random(n int) []byte {
	b := make([]byte, n)
	if _, err := io.ReadFull(s.cfg.Rand, b); err != nil {
		panic(fmt.Errorf("cognito: no randomness: %w", err)) // as crypto/rand.Read
	}
	return b
}

// uuid returns a random UUID.
func (s *Server) uuid() string { return formatUUID(s.random(16)) }

func formatUUID(b []byte) string {
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

// lockedReader makes a reader safe for use by several requests. Without a reader it reads crypto/rand.
type lockedReader struct {
	mu sync.Mutex
	r  io.Reader
}

func (l *lockedReader) Read(p []byte) (int, error) {
	if l.r == nil {
		return rand.Read(p)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.r.Read(p)
}
