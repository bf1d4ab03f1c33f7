// Package config gathers one Lambda's settings, and reports everything that is missing or malformed at once: the authorizer's from its environment, the
// callback's from the parameter that its environment names.
//
// Settings decide trust, so nothing here has a silent fallback: a setting that is present but unusable fails the start, and so does a missing one
// that has no stated default. Secrets are never settings.
package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Lookup is the only view of the environment; os.LookupEnv in production, a map in tests.
type Lookup func(name string) (string, bool)

// Pool is what every Lambda that verifies tokens must know about the user pool.
type Pool struct {
	Issuer  string // the pool's issuer URL, byte for byte as it stands in its tokens
	JWKSURL string // where its signing keys are; the issuer's /.well-known/jwks.json when not set
	JWKS    []byte // a snapshot of the key set taken at deploy time; nil when not set
}

// Authorizer holds the settings of the authorizer.
type Authorizer struct {
	Pool
	ClientIDs       []string // AUTH_CLIENT_IDS: app clients whose ID tokens open a session
	Rules           string   // AUTH_RULES: a table of access rules that replaces the embedded one; "" when not set
	BearerClientIDs []string // AUTH_BEARER_CLIENT_IDS: app clients whose access tokens are taken from the Authorization header; none when not set
	BearerIDTokens  bool     // AUTH_BEARER_ID_TOKENS: whether ID tokens of ClientIDs are taken from it too, which is not what they are for; false when not set
	AllowedOrigins  []string // AUTH_ALLOWED_ORIGINS: further origins that may send unsafe requests and open WebSockets with a session cookie
	Claims          []string // AUTH_CLAIMS: names of further claims that backends get
	LoginPath       string   // AUTH_LOGIN_PATH: where the login is on every host of this API, such as /auth; "" when it is under the request's own base
	SimpleResponses bool     // AUTH_SIMPLE_RESPONSES: whether HTTP APIs with payload 2.0 want simple responses; false when not set
	Rotation        bool     // AUTH_ROTATION: whether renewals replace refresh tokens, so that no rule may ask for a recent sign-in; false when not set
	Trust           []Trust  // AUTH_TRUST: further user pools
	LogDecisions    string   // AUTH_LOG_DECISIONS: which decisions have a line of the log each; RefusedDecisions when not set
	Cuts            Cuts
}

// What LogDecisions may be.
const (
	RefusedDecisions = "refused" // all but those that are allowed, which are counted
	EveryDecision    = "every"
)

// Cuts says which list of sessions that were ended early is asked, and how.
type Cuts struct {
	Table string        // AUTH_CUTS: name of the DynamoDB table; "" when not set: none is asked
	Every time.Duration // AUTH_CUTS_SECONDS: how old a reading of it may be, 1 to 60 seconds; 5 when not set
	Admit bool          // AUTH_CUTS_ADMIT: whether sessions that are not known to be ended count while it is out of reach for a minute; false when not set
}

// Trust is a further user pool, and what is accepted of it.
type Trust struct {
	Pool
	ClientIDs       []string
	BearerClientIDs []string
}

// Brand is what the pages show of the organisation they belong to.
type Brand struct {
	Name    string `json:"name"`
	Logo    string `json:"logo"`    // https URL or a path on the same origin
	Support string `json:"support"` // https or mailto URL
}

// Callback holds the settings of the callback that it has at its start. What else it must know is in the parameter: see SignIn.
type Callback struct {
	Parameter string // AUTH_PARAMETER: name of the SSM parameter
}

// Settings lists every variable that some Lambda reads, by Lambda; the README and the template are held against it.
var Settings = map[string][]string{
	"authorizer": {
		"AUTH_ISSUER", "AUTH_JWKS_URL", "AUTH_JWKS", "AUTH_CLIENT_IDS", "AUTH_RULES", "AUTH_BEARER_CLIENT_IDS", "AUTH_BEARER_ID_TOKENS",
		"AUTH_ALLOWED_ORIGINS", "AUTH_CLAIMS", "AUTH_SCOPES", "AUTH_LOGIN_PATH", "AUTH_SIMPLE_RESPONSES", "AUTH_ROTATION", "AUTH_TRUST",
		"AUTH_CUTS", "AUTH_CUTS_SECONDS", "AUTH_CUTS_ADMIT", "AUTH_LOG_DECISIONS",
	},
	"callback": {"AUTH_PARAMETER"},
}

// ForAuthorizer reads the authorizer's settings. The error, if any, joins one error for each setting that is wrong.
func ForAuthorizer(lookup Lookup) (Authorizer, error) {
	e := &environment{lookup: lookup}
	a := Authorizer{
		Pool:            e.pool("AUTH_ISSUER", "AUTH_JWKS_URL", "AUTH_JWKS"),
		ClientIDs:       e.list("AUTH_CLIENT_IDS"),
		Rules:           e.optional("AUTH_RULES"),
		BearerClientIDs: words(e.optional("AUTH_BEARER_CLIENT_IDS")),
		BearerIDTokens:  e.bool("AUTH_BEARER_ID_TOKENS"),
		AllowedOrigins:  e.origins("AUTH_ALLOWED_ORIGINS"),
		Claims:          e.claims("AUTH_CLAIMS", e.scopes("AUTH_SCOPES")),
		LoginPath:       e.path("AUTH_LOGIN_PATH"),
		SimpleResponses: e.bool("AUTH_SIMPLE_RESPONSES"),
		Rotation:        e.bool("AUTH_ROTATION"),
		Trust:           e.trust("AUTH_TRUST"),
		LogDecisions:    e.oneOf("AUTH_LOG_DECISIONS", RefusedDecisions, EveryDecision),
		Cuts:            Cuts{Table: e.optional("AUTH_CUTS"), Every: e.seconds("AUTH_CUTS_SECONDS", 5), Admit: e.bool("AUTH_CUTS_ADMIT")},
	}
	return a, e.err()
}

// ForCallback reads the callback's settings. The error, if any, joins one error for each setting that is wrong.
func ForCallback(lookup Lookup) (Callback, error) {
	e := &environment{lookup: lookup}
	c := Callback{Parameter: e.required("AUTH_PARAMETER")}
	return c, e.err()
}

// environment reads settings, of a Lambda's environment or of the parameter, and remembers what was wrong with them.
type environment struct {
	lookup Lookup
	errs   []error
}

func (e *environment) err() error { return errors.Join(e.errs...) }

func (e *environment) fail(name, format string, args ...any) {
	e.errs = append(e.errs, fmt.Errorf("config: %s %s", name, fmt.Sprintf(format, args...)))
}

func (e *environment) optional(name string) string {
	v, _ := e.lookup(name)
	return strings.TrimSpace(v)
}

func (e *environment) required(name string) string {
	v := e.optional(name)
	if v == "" {
		e.fail(name, "is not set")
	}
	return v
}

func (e *environment) list(name string) []string {
	list := words(e.required(name))
	if len(list) == 0 && e.optional(name) != "" {
		e.fail(name, "names nothing")
	}
	return list
}

// handedOver are the claims that backends get in a checked form of their own: as a further claim, the unchecked one would stand beside it.
var handedOver = []string{"iss", "sub", "email", "email_verified", "username", "cognito:username", "cognito:groups", "scope", "token_use", "exp", "auth_time"}

func (e *environment) claims(name string, scopes []string) []string {
	list := words(e.optional(name))
	for _, claim := range list {
		if slices.Contains(handedOver, claim) {
			e.fail(name, "names %s, which backends get as it is checked or not at all", claim)
		} else if scope := missing(scopes, claim); scope != "" {
			e.fail(name, "names %s, which the scopes %s do not deliver: add %s", claim, strings.Join(scopes, " "), scope)
		}
	}
	return list
}

// scopes reads what the login asks for; openid and email, which keeps the ID token small, when not set.
func (e *environment) scopes(name string) []string {
	list := words(e.optional(name))
	if len(list) == 0 {
		return []string{"openid", "email"}
	}
	if !slices.Contains(list, "openid") {
		e.fail(name, "lacks openid, without which there is no ID token")
	}
	return list
}

// The attributes of a user that Cognito keeps to a scope, beside custom: ones, once any but openid is asked for: OpenID Connect Core 1.0, section 5.4, and
// https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-define-resource-servers.html
var (
	ofProfile = []string{
		"name", "family_name", "given_name", "middle_name", "nickname", "preferred_username", "profile", "picture", "website", "gender", "birthdate",
		"zoneinfo", "locale", "updated_at", "address",
	}
	ofPhone = []string{"phone_number", "phone_number_verified"}
)

// missing names the scope that a claim needs and the list lacks, or "". openid alone brings every attribute that the client may read, and so does profile.
func missing(scopes []string, claim string) string {
	if len(scopes) == 1 || slices.Contains(scopes, "profile") {
		return ""
	}
	switch {
	case strings.HasPrefix(claim, "custom:") || slices.Contains(ofProfile, claim):
		return "profile"
	case slices.Contains(ofPhone, claim) && !slices.Contains(scopes, "phone"):
		return "phone"
	}
	return ""
}

// path reads an absolute path without a slash at its end, made of what no URL has to escape.
func (e *environment) path(name string) string {
	v := e.optional(name)
	plain := func(r rune) bool {
		return r != '/' && !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("-_.~", r))
	}
	if v != "" && (v[0] != '/' || strings.HasSuffix(v, "/") || strings.Contains(v, "//") || strings.ContainsFunc(v, plain) || strings.Contains(v, "/.")) {
		e.fail(name, "is not a path such as /auth")
	}
	return v
}

// words divides a list at spaces and commas.
func words(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ' ' || r == ',' })
}

func (e *environment) bool(name string) bool {
	switch e.optional(name) {
	case "true":
		return true
	case "", "false":
	default:
		e.fail(name, "is neither true nor false")
	}
	return false
}

// oneOf reads a word that must be among those there are. The first stands for none.
func (e *environment) oneOf(name string, there ...string) string {
	v := e.optional(name)
	switch {
	case v == "":
		return there[0]
	case !slices.Contains(there, v):
		e.fail(name, "is none of %s", strings.Join(there, ", "))
	}
	return v
}

// origins wants each origin as browsers write it into the header, or it would never match.
func (e *environment) origins(name string) []string {
	list := words(e.optional(name))
	for _, o := range list {
		if u, err := url.Parse(o); err != nil || u.Host == "" || o != strings.ToLower(u.Scheme+"://"+u.Host) || !hasPrefix(o, "https://", "http://") {
			e.fail(name, "has an entry that is not an origin, such as https://app.example.com")
		}
	}
	return list
}

// pool reads what is known of the user pool from the settings of these names.
func (e *environment) pool(issuer, url, snapshot string) Pool {
	p := Pool{Issuer: e.required(issuer), JWKSURL: e.optional(url)}
	if p.Issuer != "" {
		e.secureURL(issuer, p.Issuer)
	}
	if p.JWKSURL == "" {
		p.JWKSURL = p.Issuer + keysPath
	} else {
		e.secureURL(url, p.JWKSURL)
	}
	if v := e.optional(snapshot); v != "" {
		p.JWKS = []byte(v)
		if !json.Valid(p.JWKS) {
			e.fail(snapshot, "is not JSON")
		}
	}
	return p
}

// keysPath is where Cognito publishes a pool's keys, below the issuer.
const keysPath = "/.well-known/jwks.json"

// trust reads further pools, with the same rules for each as for the first.
func (e *environment) trust(name string) []Trust {
	v := e.optional(name)
	if v == "" {
		return nil
	}
	var entries []struct {
		Issuer          string   `json:"issuer"`
		JWKSURL         string   `json:"jwks_url"`
		ClientIDs       []string `json:"client_ids"`
		BearerClientIDs []string `json:"bearer_client_ids"`
	}
	d := json.NewDecoder(strings.NewReader(v))
	d.DisallowUnknownFields()
	if err := d.Decode(&entries); err != nil || d.More() {
		if err == nil {
			err = errors.New("something comes after it")
		}
		e.fail(name, `is not JSON of the form [{"issuer":"…","client_ids":["…"],"bearer_client_ids":["…"],"jwks_url":"…"}]: %v`, err)
		return nil
	}
	var list []Trust
	for i, t := range entries {
		name := fmt.Sprintf("%s[%d]", name, i)
		if t.JWKSURL == "" {
			t.JWKSURL = t.Issuer + keysPath
		}
		e.secureURL(name+".issuer", t.Issuer)
		if t.JWKSURL != t.Issuer+keysPath {
			e.secureURL(name+".jwks_url", t.JWKSURL)
		}
		if len(t.ClientIDs)+len(t.BearerClientIDs) == 0 {
			e.fail(name, "has neither client_ids nor bearer_client_ids")
		}
		list = append(list, Trust{Pool{Issuer: t.Issuer, JWKSURL: t.JWKSURL}, t.ClientIDs, t.BearerClientIDs})
	}
	return list
}

// secureURL wants https, or http to a loopback host, where there is no network to listen on (RFC 8252 section 8.3).
func (e *environment) secureURL(name, raw string) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.User != nil || strings.ContainsAny(raw, "?#") {
		e.fail(name, "is not an absolute URL without query")
		return
	}
	ip := net.ParseIP(u.Hostname())
	loopback := u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
	if u.Scheme != "https" && !(u.Scheme == "http" && loopback) {
		e.fail(name, "is not https")
	}
}

func (e *environment) bytes(name string, absent int) int {
	v := e.optional(name)
	if v == "" {
		return absent
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 4096 || n > 65536 {
		e.fail(name, "is not a number of bytes from 4096 to 65536")
	}
	return n
}

func (e *environment) duration(name string) time.Duration {
	v := e.optional(name)
	if v == "" {
		return 0
	}
	d, err := time.ParseDuration(v)
	if err != nil || d < time.Minute {
		e.fail(name, "is not a duration of at least a minute, such as 12h")
	}
	return d
}

// seconds reads a number of them, of which there may be a minute's at the most.
func (e *environment) seconds(name string, absent int) time.Duration {
	n := absent
	if v := e.optional(name); v != "" {
		var err error
		if n, err = strconv.Atoi(v); err != nil || n < 1 || n > 60 {
			e.fail(name, "is not a number of seconds from 1 to 60")
		}
	}
	return time.Duration(n) * time.Second
}

// brand refuses what a page must not link to.
func (e *environment) brand(name string, b Brand) Brand {
	if b.Logo != "" && !hasPrefix(b.Logo, "https://", "/") || strings.HasPrefix(b.Logo, "//") {
		e.fail(name, "has a logo that is neither https nor a path")
	}
	if b.Support != "" && !hasPrefix(b.Support, "https://", "mailto:") {
		e.fail(name, "has a support link that is neither https nor mailto")
	}
	return b
}

func hasPrefix(s string, prefixes ...string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}
