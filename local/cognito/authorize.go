// This file decides whether an authorization request is one that may be answered, and where with.
//
// https://docs.aws.amazon.com/cognito/latest/developerguide/authorization-endpoint.html

package cognito

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// An authorization is a request that passed every check.
type authorization struct {
	client    *client
	redirect  string
	state     string
	scopes    []string
	nonce     string
	challenge string
	resource  string
	prompts   []string
	hint      string
	provider  string // external; empty: the pool's own users
}

// A refusal says what is wrong with a request, and whether the client may be told by way of the browser: not when it is unclear who the client is.
type refusal struct {
	code, description string
	onPage            bool // on our own error page, never at the redirect URI
	withState         bool
}

var (
	challenge     = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)
	scopeToken    = regexp.MustCompile(`^[\x21\x23-\x5b\x5d-\x7e]+$`) // RFC 6749 section 3.3
	customScope   = regexp.MustCompile(`^[\x21\x23-\x2e\x30-\x5b\x5d-\x7e]+/[\x21\x23-\x2e\x30-\x5b\x5d-\x7e]+$`)
	systemScopes  = []string{"openid", "email", "phone", "profile", "aws.cognito.signin.user.admin"}
	knownPrompts  = []string{"none", "login", "select_account", "consent"}
	needingOpenID = []string{"email", "phone", "profile"}
)

func validScope(scope string) bool {
	return slices.Contains(systemScopes, scope) || customScope.MatchString(scope)
}

// serveAuthorize answers with a code at once when the browser has a session, and otherwise sends it to the login page with the same query.
func (s *Server) serveAuthorize(c *call) reply {
	a, refused := s.parseAuthorization(c.URL.RawQuery)
	if refused != nil {
		return s.refuse(a, *refused)
	}
	if rep, ok := s.errorOnDemand(c, a); ok {
		return rep
	}
	n, live := s.liveSession(c)
	if live && !slices.Contains(a.prompts, "login") && (a.provider == "" || n.user.provider == a.provider) {
		return s.giveCode(c, a, n)
	}
	if slices.Contains(a.prompts, "none") {
		return s.refuse(a, refusal{code: "login_required", description: "no session", withState: true})
	}
	rep := redirect(s.cfg.Domain+"/login?"+c.URL.RawQuery, "login_form")
	s.keepXSRF(c, &rep)
	keepLanguage(c, &rep)
	return rep
}

func (s *Server) giveCode(c *call, a authorization, n session) reply {
	if rep, ok := s.errorOnDemand(c, a); ok {
		return rep
	}
	s.count("codes")
	return redirect(addQuery(a.redirect, "code", s.newCode(a, n.user, n.authTime), "state", a.state), "code_given")
}

// refuse answers a bad request. Cognito's own errors come without the state, but for login_required: a client must live with that.
func (s *Server) refuse(a authorization, r refusal) reply {
	if r.onPage {
		return redirect(addQuery(s.cfg.Domain+"/error", "error", r.code, "client_id", r.description), r.code)
	}
	state := ""
	if r.withState || s.settings.ErrorState {
		state = a.state
	}
	return redirect(addQuery(a.redirect, "error", r.code, "error_description", r.description, "state", state), r.code)
}

// parseAuthorization checks in an order that matters: client and redirect URI first, since they decide who may be told about the rest.
func (s *Server) parseAuthorization(rawQuery string) (authorization, *refusal) {
	q, once := url.Values{}, true
	if parsed, err := url.ParseQuery(rawQuery); err == nil {
		q = parsed
	}
	for _, values := range q {
		once = once && len(values) == 1
	}
	a := authorization{
		client: s.client(q.Get("client_id")), redirect: q.Get("redirect_uri"), state: q.Get("state"), nonce: q.Get("nonce"),
		challenge: q.Get("code_challenge"), resource: q.Get("resource"), prompts: strings.Fields(q.Get("prompt")), hint: q.Get("login_hint"),
	}
	if a.client == nil || len(q["client_id"]) > 1 || len(q["redirect_uri"]) > 1 || !slices.Contains(a.client.CallbackURLs, a.redirect) {
		return a, &refusal{code: "redirect_mismatch", description: q.Get("client_id"), onPage: true}
	}
	refuse := func(code, description string) (authorization, *refusal) {
		return a, &refusal{code: code, description: description}
	}
	provider := q.Get("identity_provider") + q.Get("idp_identifier")
	switch {
	case !once:
		return refuse("invalid_request", "a parameter is given twice")
	case q.Get("response_type") == "token":
		return refuse("unauthorized_client", "the implicit grant is not enabled")
	case q.Get("response_type") != "code":
		return refuse("invalid_request", "response_type must be code")
	case q.Get("code_challenge_method") != "S256": // PKCE is not an option here
		return refuse("invalid_request", "code_challenge_method must be S256")
	case !challenge.MatchString(a.challenge):
		return refuse("invalid_request", "code_challenge must be a SHA-256 hash")
	case !validPrompts(a.prompts):
		return refuse("invalid_request", "prompt is unknown or contradicts itself")
	case provider != "" && !slices.Contains(a.client.providers(), provider):
		return refuse("invalid_request", "no such identity provider")
	case a.resource != "" && !validResource(a.resource):
		return refuse("invalid_request", "resource must be an absolute URL")
	}
	scopes, ok := s.grantedScopes(a.client, q.Get("scope"))
	if !ok {
		return refuse("invalid_scope", "a scope is unknown or malformed")
	}
	a.scopes, a.provider = scopes, s.chosen(a.client, provider)
	return a, nil
}

// grantedScopes are all the client's for none; those that this client does not have, but another one has, are ignored.
func (s *Server) grantedScopes(c *client, raw string) ([]string, bool) {
	if raw == "" {
		return c.Scopes, true
	}
	var granted []string
	for _, scope := range strings.Split(raw, " ") {
		if !scopeToken.MatchString(scope) || !s.knownScope(scope) {
			return nil, false
		}
		if slices.Contains(c.Scopes, scope) && !slices.Contains(granted, scope) {
			granted = append(granted, scope)
		}
	}
	needsOpenID := slices.ContainsFunc(granted, func(scope string) bool { return slices.Contains(needingOpenID, scope) })
	if len(granted) == 0 || needsOpenID && !slices.Contains(granted, "openid") {
		return nil, false
	}
	return granted, true
}

func (s *Server) knownScope(scope string) bool {
	return slices.Contains(systemScopes, scope) ||
		slices.ContainsFunc(s.clients, func(c *client) bool { return slices.Contains(c.Scopes, scope) })
}

func validPrompts(prompts []string) bool {
	for _, p := range prompts {
		if !slices.Contains(knownPrompts, p) || p == "none" && len(prompts) > 1 {
			return false
		}
	}
	return true
}

func validResource(raw string) bool {
	u, err := url.Parse(raw)
	return err == nil && u.IsAbs() && u.Fragment == ""
}

// addQuery appends the pairs that have a value to a URL, which may have a query already.
func addQuery(to string, pairs ...string) string {
	sep := "?"
	if strings.Contains(to, "?") {
		sep = "&"
	}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			to += sep + pairs[i] + "=" + url.QueryEscape(pairs[i+1])
			sep = "&"
		}
	}
	return to
}
