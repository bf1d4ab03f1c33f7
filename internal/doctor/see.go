package doctor

// This file decides what counts as wrong, rule by rule. Each function says what was seen, once for each occurrence, and nothing if all is well.

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"edgeauth/identity"
	"edgeauth/internal/config"
	"edgeauth/internal/cookie"
	"edgeauth/internal/policy"

	"github.com/aws/aws-sdk-go-v2/aws"
	apigateway "github.com/aws/aws-sdk-go-v2/service/apigateway/types"
	cloudwatch "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
)

// when says one thing if it is so.
func when(wrong bool, format string, args ...any) []string {
	if !wrong {
		return nil
	}
	return []string{fmt.Sprintf(format, args...)}
}

// ------------------------------------------------------------- the stack and the pool

func stackIncomplete(f *facts) []string {
	return when(!strings.HasSuffix(f.stack.Status, "_COMPLETE") || strings.Contains(f.stack.Status, "ROLLBACK_COMPLETE") && !strings.HasPrefix(f.stack.Status, "UPDATE"),
		"stack %s is %s", f.stack.Name, f.stack.Status)
}

func poolMissing(f *facts) []string {
	return when(f.pool == nil, "there is no user pool %s", f.part.Pool())
}

var ofRegion = regexp.MustCompile(`^(?:issuer-)?cognito-idp\.([a-z0-9-]+)\.amazonaws\.`)

func poolOfAnotherRegion(f *facts) (seen []string) {
	region, _, _ := strings.Cut(f.part.Pool(), "_")
	seen = when(region != f.stack.Region, "pool %s is of another region than the stack, which is in %s", f.part.Pool(), f.stack.Region)
	if u := f.issuer(); u != nil {
		if m := ofRegion.FindStringSubmatch(u.Hostname()); m != nil {
			seen = append(seen, when(m[1] != f.stack.Region, "AUTH_ISSUER is of %s, and the stack in %s", m[1], f.stack.Region)...)
		}
	}
	return seen
}

func (f *facts) issuer() *url.URL {
	if f.authorizer == nil {
		return nil
	}
	u, err := url.Parse(f.authorizer.environment["AUTH_ISSUER"])
	if err != nil {
		return nil
	}
	return u
}

func issuerOfAnotherPool(f *facts) []string {
	u := f.issuer()
	return when(u != nil && u.Path != "/"+f.part.Pool(), "AUTH_ISSUER is %s", u)
}

func selfRegistrationOpen(f *facts) []string {
	return when(f.pool != nil && f.ours() && f.part.Parameters["LocalUsers"] != "SELF_SIGN_UP" && (f.pool.AdminCreateUserConfig == nil || !f.pool.AdminCreateUserConfig.AllowAdminCreateUserOnly),
		"anybody may register")
}

// ours reports whether the stack made the pool: of another's it knows only the client.
func (f *facts) ours() bool { return f.part.Resources["UserPool"].ID != "" }

func mfaOff(f *facts) []string {
	meant := !f.ours() || f.part.Parameters["Mfa"] == "OFF"
	return when(f.pool != nil && meant && f.pool.MfaConfiguration == cognito.UserPoolMfaTypeOff, "a password alone opens an account")
}

func mfaWeaker(f *facts) []string {
	rank := map[string]int{"OFF": 1, "OPTIONAL": 2, "ON": 3}
	if f.pool == nil || !f.ours() {
		return nil
	}
	is, meant := string(f.pool.MfaConfiguration), f.part.Parameters["Mfa"]
	return when(rank[is] < rank[meant], "the pool has MFA %s, and the parameter Mfa is %s", is, meant)
}

func deletionProtectionOff(f *facts) []string {
	return when(f.pool != nil && f.pool.DeletionProtection != cognito.DeletionProtectionTypeActive, "the pool can be deleted")
}

func domainMissing(f *facts) []string {
	return when(f.pool != nil && f.domain == nil, "the pool has no domain")
}

func domainInactive(f *facts) []string {
	return when(f.domain != nil && f.domain.Status != "" && f.domain.Status != cognito.DomainStatusTypeActive, "domain %s is %s", domainOf(f), domainStatus(f))
}

func domainOf(f *facts) string {
	if f.domain == nil {
		return ""
	}
	return aws.ToString(f.domain.Domain)
}

func domainStatus(f *facts) string {
	if f.domain == nil {
		return ""
	}
	return string(f.domain.Status)
}

func domainWithoutBranding(f *facts) []string {
	managed := f.domain != nil && aws.ToInt32(f.domain.ManagedLoginVersion) == 2
	return when(managed && f.client != nil && !f.branded, "managed login has no style for client %s", f.clientID())
}

func loginURLOfAnotherDomain(f *facts) []string {
	p, ok := f.signIn()
	if !ok || f.domain == nil {
		return nil
	}
	u, err := url.Parse(p.LoginURL)
	if err != nil {
		return nil
	}
	host, domain := u.Hostname(), domainOf(f)
	return when(host != domain && !strings.HasPrefix(host, domain+".auth."), "login_url is %s, and the pool's domain %s", p.LoginURL, domain)
}

// ------------------------------------------------------------- the app client

func clientMissing(f *facts) []string {
	return when(f.pool != nil && f.client == nil, "there is no client %s in pool %s", f.clientID(), f.part.Pool())
}

func clientWithoutSecret(f *facts) []string {
	return when(f.client != nil && !f.hasSecret, "client %s has no secret", f.clientID())
}

// ofClient wraps a rule about the client, which says nothing if there is none.
func ofClient(f *facts, see func(c *cognito.UserPoolClientType) []string) []string {
	if f.client == nil {
		return nil
	}
	return see(f.client)
}

func clientCallbackURL(f *facts) []string {
	return ofClient(f, func(c *cognito.UserPoolClientType) []string {
		return when(!slices.Contains(c.CallbackURLs, f.base()+"/auth/callback"), "the callback URLs are %s", listed(c.CallbackURLs))
	})
}

func clientLogoutURL(f *facts) []string {
	return ofClient(f, func(c *cognito.UserPoolClientType) []string {
		return when(!slices.Contains(c.LogoutURLs, f.base()+"/auth/signed-out"), "the logout URLs are %s", listed(c.LogoutURLs))
	})
}

func listed(all []string) string {
	if len(all) == 0 {
		return "none"
	}
	return strings.Join(all, ", ")
}

func clientImplicitFlow(f *facts) []string {
	return ofClient(f, func(c *cognito.UserPoolClientType) []string {
		return when(slices.Contains(c.AllowedOAuthFlows, cognito.OAuthFlowTypeImplicit), "the implicit flow is on")
	})
}

func clientWithoutCodeFlow(f *facts) []string {
	return ofClient(f, func(c *cognito.UserPoolClientType) []string {
		return when(!slices.Contains(c.AllowedOAuthFlows, cognito.OAuthFlowTypeCode) || !aws.ToBool(c.AllowedOAuthFlowsUserPoolClient), "the code flow is off")
	})
}

func clientMissingScope(f *facts) []string {
	return ofClient(f, func(c *cognito.UserPoolClientType) (seen []string) {
		for _, scope := range strings.Fields(f.part.Parameters["Scopes"]) {
			seen = append(seen, when(!slices.Contains(c.AllowedOAuthScopes, scope), "the client lacks the scope %s", scope)...)
		}
		return seen
	})
}

// lives is how long a token lives. Cognito counts ID tokens in hours and refresh tokens in days if nothing is said.
func lives(n int32, unit, unsaid cognito.TimeUnitsType) time.Duration {
	if unit == "" {
		unit = unsaid
	}
	return time.Duration(n) * map[cognito.TimeUnitsType]time.Duration{
		cognito.TimeUnitsTypeSeconds: time.Second, cognito.TimeUnitsTypeMinutes: time.Minute, cognito.TimeUnitsTypeHours: time.Hour, cognito.TimeUnitsTypeDays: 24 * time.Hour,
	}[unit]
}

func clientTokenValidity(f *facts) []string {
	return ofClient(f, func(c *cognito.UserPoolClientType) []string {
		var units cognito.TokenValidityUnitsType
		if c.TokenValidityUnits != nil {
			units = *c.TokenValidityUnits
		}
		is := lives(aws.ToInt32(c.IdTokenValidity), units.IdToken, cognito.TimeUnitsTypeHours)
		return when(differs(f.part.Parameters["SessionMinutes"], time.Minute, is), "ID tokens live for %s, and SessionMinutes is %s", is, f.part.Parameters["SessionMinutes"])
	})
}

func clientRefreshValidity(f *facts) []string {
	return ofClient(f, func(c *cognito.UserPoolClientType) []string {
		var units cognito.TokenValidityUnitsType
		if c.TokenValidityUnits != nil {
			units = *c.TokenValidityUnits
		}
		is := lives(c.RefreshTokenValidity, units.RefreshToken, cognito.TimeUnitsTypeDays)
		return when(differs(f.part.Parameters["RefreshDays"], 24*time.Hour, is), "refresh tokens live for %s, and RefreshDays is %s", is, f.part.Parameters["RefreshDays"])
	})
}

// differs compares a parameter of a stack with what is. A parameter that is not there is no promise.
func differs(parameter string, unit, is time.Duration) bool {
	n, err := strconv.Atoi(parameter)
	return err == nil && time.Duration(n)*unit != is
}

func clientRotation(f *facts) []string {
	return ofClient(f, func(c *cognito.UserPoolClientType) []string {
		is := "DISABLED"
		if c.RefreshTokenRotation != nil && c.RefreshTokenRotation.Feature != "" {
			is = string(c.RefreshTokenRotation.Feature)
		}
		meant := f.part.Parameters["RefreshTokenRotation"]
		return when(meant != "" && is != meant, "rotation is %s, and the parameter says %s", is, meant)
	})
}

func clientNamesUsers(f *facts) []string {
	return ofClient(f, func(c *cognito.UserPoolClientType) []string {
		return when(c.PreventUserExistenceErrors != cognito.PreventUserExistenceErrorTypesEnabled, "the login page tells strangers who has an account")
	})
}

func clientWithoutRevocation(f *facts) []string {
	return ofClient(f, func(c *cognito.UserPoolClientType) []string {
		return when(!aws.ToBool(c.EnableTokenRevocation), "tokens cannot be revoked")
	})
}

func clientPasswordFlow(f *facts) []string {
	return ofClient(f, func(c *cognito.UserPoolClientType) (seen []string) {
		for _, flow := range c.ExplicitAuthFlows {
			byAdmin := flow == cognito.ExplicitAuthFlowsTypeAllowAdminUserPasswordAuth && f.part.Parameters["AdminPasswordAuth"] != "true"
			byUser := flow == cognito.ExplicitAuthFlowsTypeAllowUserPasswordAuth && f.part.Parameters["UserMigrationArn"] == ""
			seen = append(seen, when(byAdmin || byUser, "%s is on", flow)...)
		}
		return seen
	})
}

func formerSecretUnknown(f *facts) []string {
	return when(f.secrets > 1 && !f.formerSecret, "client %s has %d secrets, and the former one is nowhere", f.clientID(), f.secrets)
}

func formerSecretLeft(f *facts) []string {
	return when(f.secrets == 1 && f.formerSecret, "the client has one secret, and a former one is kept")
}

// ------------------------------------------------------------- groups and users

// table is the rules that the stack sets, or nil: then the authorizer has its own, which names no group and one path.
func (f *facts) table() *policy.Table {
	if f.settings == nil || f.settings.Rules == "" {
		return nil
	}
	t, err := policy.Parse(f.settings.Rules)
	if err != nil {
		return nil
	}
	return t
}

// lines are the rules of the table: methods, path and needs.
func (f *facts) lines() (all [][]string) {
	t := f.table()
	if t == nil {
		return nil
	}
	for _, one := range t.Findings("GET", "/", policy.User{}, f.now) {
		all = append(all, strings.Fields(one.Rule))
	}
	return all
}

func groupMissing(f *facts) (seen []string) {
	if f.pool == nil || f.settings == nil {
		return nil
	}
	for _, rule := range f.lines() {
		for _, need := range rule[2:] {
			names, ok := strings.CutPrefix(need, "group:")
			if !ok {
				continue
			}
			for name := range strings.SplitSeq(names, ",") {
				if !slices.Contains(f.groups, name) {
					seen = append(seen, fmt.Sprintf("the rule %q names the group %s, which pool %s lacks", strings.Join(rule, " "), name, f.part.Pool()))
				}
			}
		}
	}
	return seen
}

func userMissing(f *facts) []string {
	return when(f.question.User != "" && f.pool != nil && f.user == nil, "there is no user %s", f.question.User)
}

func userDisabled(f *facts) []string {
	return when(f.user != nil && !f.user.enabled, "user %s is disabled", f.question.User)
}

func userUnconfirmed(f *facts) []string {
	return when(f.user != nil && f.user.status != "CONFIRMED" && f.user.status != "EXTERNAL_PROVIDER", "user %s is %s", f.question.User, f.userStatus())
}

func (f *facts) userStatus() string {
	if f.user == nil {
		return ""
	}
	return f.user.status
}

func userEmailUnverified(f *facts) []string {
	return when(f.user != nil && !f.user.verified, "user %s has no verified address", f.question.User)
}

// What an ID token of Cognito's takes beside groups and roles, signature included, and what a request takes beside the session: more than most.
const (
	plainToken   = 1100
	plainRequest = 1500
)

func userTooLarge(f *facts) []string {
	if f.user == nil {
		return nil
	}
	context, err := identity.AppendContext(nil, identity.Identity{
		Issuer: "https://cognito-idp." + f.stack.Region + ".amazonaws.com/" + f.part.Pool(), Subject: strings.Repeat("-", 36), Username: f.question.User, Email: f.user.email,
		TokenUse: "id", ClientID: f.clientID(), Groups: f.user.groups, Expires: f.now, AuthTime: f.now,
	}, nil)
	if err != nil {
		return []string{err.Error()}
	}
	if len(context) > policy.MaxAnswer {
		return []string{fmt.Sprintf("backends would get %d bytes about user %s, and API Gateway takes %d", len(context), f.question.User, policy.MaxAnswer)}
	}
	budget := 10240
	if p, ok := f.signIn(); ok {
		budget = p.HeaderBudget
	}
	groups, _ := json.Marshal(map[string]any{"cognito:groups": f.user.groups, "cognito:roles": f.user.roles})
	size := plainToken + len(groups)*4/3 + cookie.PairSize(cookie.Session, "")
	return when(size+plainRequest > budget, "a session of user %s would take about %d of %d bytes, with %d groups", f.question.User, size, budget, len(f.user.groups))
}

// ------------------------------------------------------------- the callback

// signIn is what the callback reads in its parameter.
func (f *facts) signIn() (config.SignIn, bool) {
	p, err := config.ParseSignIn(f.parameter)
	return p, err == nil && f.hasParameter
}

func parameterMissing(f *facts) []string {
	return when(!f.hasParameter, "there is no parameter /%s/auth", f.part.Parameters["Name"])
}

func parameterMalformed(f *facts) []string {
	if !f.hasParameter {
		return nil
	}
	_, err := config.ParseSignIn(f.parameter)
	if err == nil {
		return nil
	}
	return strings.Split(err.Error(), "\n")
}

func parameterStale(f *facts) (seen []string) {
	p, ok := f.signIn()
	if !ok {
		return nil
	}
	other := func(name, is, meant string) {
		seen = append(seen, when(is != meant, "%s is %q, and the stack has %q", name, is, meant)...)
	}
	other("client_id", p.ClientID, f.clientID())
	other("user_pool_id", p.UserPoolID, f.part.Pool())
	if !slices.Contains(p.BaseURLs, f.base()) {
		other("base_urls", strings.Join(p.BaseURLs, " "), f.base())
	}
	if meant := f.part.Parameters["Scopes"]; meant != "" {
		other("scopes", strings.Join(p.Scopes, " "), meant)
	}
	for name, pair := range map[string]struct {
		is        time.Duration
		parameter string
	}{"session_max": {p.SessionMax, "SessionMax"}, "session_idle": {p.SessionIdle, "SessionIdle"}} {
		meant, _ := time.ParseDuration(f.part.Parameters[pair.parameter])
		other(name, pair.is.String(), meant.String())
	}
	return seen
}

func callbackMissing(f *facts) []string {
	return when(f.callback == nil, "no function of the stack has the role %s", f.part.Parameters["CallbackRole"])
}

func callbackOfAnotherParameter(f *facts) []string {
	if f.callback == nil {
		return nil
	}
	name := f.callback.environment["AUTH_PARAMETER"]
	return when(name != "/"+f.part.Parameters["Name"]+"/auth", "AUTH_PARAMETER is %q", name)
}

// ------------------------------------------------------------- the authorizer

func authorizerMissing(f *facts) []string {
	return when(f.authorizer == nil, "there is no function %s with an alias live", f.authorizerName())
}

func settingsMalformed(f *facts) []string {
	if f.settingsProblems == "" {
		return nil
	}
	return strings.Split(f.settingsProblems, "\n")
}

// settingOf names the parameter that a setting of the authorizer is taken from as it is.
var settingOf = map[string]string{
	"AUTH_RULES": "AccessRules", "AUTH_CLAIMS": "MoreClaims", "AUTH_SCOPES": "Scopes", "AUTH_LOGIN_PATH": "LoginPath", "AUTH_ALLOWED_ORIGINS": "AllowedOrigin",
	"AUTH_TRUST": "TrustedPools",
}

func settingsStale(f *facts) (seen []string) {
	if f.authorizer == nil {
		return nil
	}
	for setting, parameter := range settingOf {
		meant, known := f.part.Parameters[parameter]
		is := f.authorizer.environment[setting]
		seen = append(seen, when(known && strings.TrimSpace(is) != strings.TrimSpace(meant), "%s is %q, and the parameter %s is %q", setting, is, parameter, meant)...)
	}
	if clients := f.authorizer.environment["AUTH_CLIENT_IDS"]; !slices.Contains(strings.FieldsFunc(clients, func(c rune) bool { return c == ',' || c == ' ' }), f.clientID()) {
		seen = append(seen, fmt.Sprintf("AUTH_CLIENT_IDS is %q, and the stack's client is %s", clients, f.clientID()))
	}
	return seen
}

func versionOld(f *facts) []string {
	if f.authorizer == nil || f.latest == nil || f.authorizer.version == "$LATEST" {
		return nil
	}
	same := f.authorizer.code == f.latest.code && sameMap(f.authorizer.environment, f.latest.environment)
	return when(!same, "the alias live leads to version %s, which differs from what was deployed last", f.authorizer.version)
}

func sameMap(a, b map[string]string) bool {
	if len(a) != len(b) {
		return false
	}
	for k, v := range a {
		if b[k] != v {
			return false
		}
	}
	return true
}

func notInvocable(f *facts) []string {
	if f.authorizer == nil {
		return nil
	}
	var policy struct {
		Statement []struct {
			Effect    string
			Principal any
			Condition map[string]map[string]any
		}
	}
	_ = json.Unmarshal([]byte(f.invokers), &policy)
	for _, s := range policy.Statement {
		principal, _ := json.Marshal(s.Principal)
		condition, _ := json.Marshal(s.Condition)
		ours := len(s.Condition) == 0 || strings.Contains(string(condition), ":"+f.part.Parameters["ApiId"]+"/")
		if s.Effect == "Allow" && strings.Contains(string(principal), "apigateway.amazonaws.com") && ours {
			return nil
		}
	}
	return []string{"no statement lets API " + f.part.Parameters["ApiId"] + " call " + f.authorizerName() + ":live"}
}

func concurrencyZero(f *facts) []string {
	return when(f.reserved != nil && *f.reserved == 0, "function %s may not run at all: its reserved concurrency is 0", f.authorizerName())
}

func concurrencyExhausted(f *facts) (seen []string) {
	for name, times := range f.throttled {
		seen = append(seen, when(times > 0, "function %s was refused to run %.0f times within the last hour", name, times)...)
	}
	return seen
}

func concurrencySmall(f *facts) []string {
	return when(f.accountLimit > 0 && f.accountLeft < 100, "the account has %d invocations at a time, and %d of them are not set aside", f.accountLimit, f.accountLeft)
}

func keysUnreachable(f *facts) []string {
	if f.settings == nil {
		return nil
	}
	k := f.keySets[f.settings.JWKSURL]
	return when(k.problem != "", "%s %s", f.settings.JWKSURL, k.problem)
}

var poolID = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]_[A-Za-z0-9]+$`)

func keysOfAnotherPool(f *facts) []string {
	if f.settings == nil {
		return nil
	}
	u, err := url.Parse(f.settings.JWKSURL)
	if err != nil || f.settings.JWKSURL == f.settings.Issuer+"/.well-known/jwks.json" {
		return nil
	}
	for part := range strings.SplitSeq(u.Path, "/") {
		if poolID.MatchString(part) && part != f.part.Pool() {
			return []string{"AUTH_JWKS_URL is " + f.settings.JWKSURL}
		}
	}
	return nil
}

func snapshotStale(f *facts) (seen []string) {
	if f.settings == nil || f.settings.JWKS == nil || f.keySets[f.settings.JWKSURL].problem != "" {
		return nil
	}
	snapshot := kids(f.settings.JWKS)
	for _, kid := range f.keySets[f.settings.JWKSURL].kids {
		seen = append(seen, when(!slices.Contains(snapshot, kid), "the snapshot lacks the key %s", kid)...)
	}
	return seen
}

func trustedPoolUnreachable(f *facts) (seen []string) {
	if f.settings == nil {
		return nil
	}
	for _, t := range f.settings.Trust {
		k := f.keySets[t.JWKSURL]
		seen = append(seen, when(k.problem != "", "%s %s", t.JWKSURL, k.problem)...)
	}
	return seen
}

// ------------------------------------------------------------- the API

// door is the API's authorizer that calls ours.
func (f *facts) door() *apigateway.Authorizer {
	for i, a := range f.authorizers {
		if strings.Contains(aws.ToString(a.AuthorizerUri), ":function:"+f.authorizerName()+":live/") {
			return &f.authorizers[i]
		}
	}
	return nil
}

func unknownToAPI(f *facts) []string {
	return when(f.door() == nil, "none of the API's %d authorizers calls %s:live", len(f.authorizers), f.authorizerName())
}

func authorizerCached(f *facts) []string {
	d := f.door()
	if d == nil {
		return nil
	}
	ttl := aws.ToInt32(d.AuthorizerResultTtlInSeconds)
	return when(ttl != 0, "authorizer %s keeps its answers for %d s", aws.ToString(d.Name), ttl)
}

func identitySource(f *facts) []string {
	d := f.door()
	return when(d != nil && aws.ToString(d.IdentitySource) != "", "authorizer %s wants %s", f.doorName(), f.doorSource())
}

func (f *facts) doorName() string {
	if d := f.door(); d != nil {
		return aws.ToString(d.Name)
	}
	return ""
}

func (f *facts) doorSource() string {
	if d := f.door(); d != nil {
		return aws.ToString(d.IdentitySource)
	}
	return ""
}

// signsIn reports whether a path is one of the callback's.
func signsIn(path string) bool { return path == "/auth" || strings.HasPrefix(path, "/auth/") }

// guarded reports whether a route asks the authorizer.
func (f *facts) guarded(r route) bool {
	d := f.door()
	return r.authorization == "CUSTOM" && (d == nil || r.authorizer == aws.ToString(d.Id))
}

func routeWithoutAuthorizer(f *facts) (seen []string) {
	for _, r := range f.routes {
		wrong := r.method != "OPTIONS" && !signsIn(r.path) && !f.guarded(r) // preflights carry no session
		seen = append(seen, when(wrong, "%s %s asks no authorizer of ours (%s)", r.method, r.path, r.authorization)...)
	}
	return seen
}

func loginBehindAuthorizer(f *facts) (seen []string) {
	for _, r := range f.routes {
		seen = append(seen, when(signsIn(r.path) && r.authorization != "NONE", "%s %s asks an authorizer (%s)", r.method, r.path, r.authorization)...)
	}
	return seen
}

func loginWithoutRoute(f *facts) []string {
	return when(!slices.ContainsFunc(f.routes, func(r route) bool { return r.method != "OPTIONS" && signsIn(r.path) }), "the API has no route at /auth")
}

func ruleWithoutRoute(f *facts) (seen []string) {
	for _, rule := range f.lines() {
		path, tree := strings.CutSuffix(rule[1], "/*")
		sample := path
		if tree {
			sample += "/-"
		}
		reached := slices.ContainsFunc(f.routes, func(r route) bool {
			return r.method != "OPTIONS" && f.guarded(r) && tree && (path == "" || strings.HasPrefix(r.path+"/", path+"/"))
		})
		if best := f.routeOf(sample); best != nil && f.guarded(*best) {
			reached = true
		}
		seen = append(seen, when(!reached, "the rule %q is about no route behind the authorizer", strings.Join(rule, " "))...)
	}
	return seen
}

// routeOf is the route that API Gateway takes for a path: the one with the longest beginning in common, a fixed part before a parameter.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-method-settings-method-request.html
func (f *facts) routeOf(path string) (best *route) {
	for i, r := range f.routes {
		if r.method == "OPTIONS" || !leads(r.path, path) {
			continue
		}
		if best == nil || len(fixedPart(r.path)) > len(fixedPart(best.path)) {
			best = &f.routes[i]
		}
	}
	return best
}

func fixedPart(path string) string {
	fixed, _, _ := strings.Cut(path, "{")
	return fixed
}

// leads reports whether a route takes a path.
func leads(route, path string) bool {
	have, want := strings.Split(strings.Trim(path, "/"), "/"), strings.Split(strings.Trim(route, "/"), "/")
	for i, part := range want {
		if strings.HasSuffix(part, "+}") {
			return len(have) > i && have[i] != ""
		}
		if i >= len(have) || !strings.HasPrefix(part, "{") && part != have[i] {
			return false
		}
	}
	return len(have) == len(want)
}

// expected are the responses without which people and programs see what API Gateway says by itself, and the status that each has.
var expected = map[string]string{
	"ACCESS_DENIED": "302", "UNAUTHORIZED": "401", "AUTHORIZER_FAILURE": "500", "AUTHORIZER_CONFIGURATION_ERROR": "500",
}

const (
	location       = "gatewayresponse.header.Location"
	locationSource = "context.authorizer.location"
)

func responseMissing(f *facts) (seen []string) {
	for kind := range expected {
		one, there := f.responses[kind]
		seen = append(seen, when(f.api != nil && (!there || one.DefaultResponse), "the API has no response %s of its own", kind)...)
	}
	return seen
}

func responseAltered(f *facts) (seen []string) {
	for kind, status := range expected {
		one, there := f.responses[kind]
		if !there || one.DefaultResponse {
			continue
		}
		seen = append(seen, when(aws.ToString(one.StatusCode) != status, "%s answers %s, and not %s", kind, aws.ToString(one.StatusCode), status)...)
		leads := one.ResponseParameters[location]
		seen = append(seen, when(kind == "ACCESS_DENIED" && leads != locationSource, "ACCESS_DENIED leads to %q, and not to %s", leads, locationSource)...)
	}
	return seen
}

func throttleZero(f *facts) (seen []string) {
	for of, m := range f.methods {
		seen = append(seen, when(m.ThrottlingRateLimit == 0 || m.ThrottlingBurstLimit == 0, "%s takes %.0f requests a second, in bursts of %d", of, m.ThrottlingRateLimit, m.ThrottlingBurstLimit)...)
	}
	return seen
}

func stageLogsTokens(f *facts) (seen []string) {
	for of, m := range f.methods {
		seen = append(seen, when(m.DataTraceEnabled, "data trace is on at %s", of)...)
	}
	return seen
}

func executeAPIOpen(f *facts) []string {
	return when(f.ownHost() != "" && f.api != nil && !f.api.DisableExecuteApiEndpoint, "%s.execute-api.%s.amazonaws.com answers beside %s", f.part.Parameters["ApiId"], f.stack.Region, f.ownHost())
}

func nameUnknown(f *facts) []string {
	return when(f.ownHost() != "" && f.host == nil, "API Gateway does not know %s", f.ownHost())
}

func nameNotMapped(f *facts) []string {
	if f.host == nil {
		return nil
	}
	mapped := slices.ContainsFunc(f.host.mappings, func(m apigateway.BasePathMapping) bool {
		return aws.ToString(m.RestApiId) == f.part.Parameters["ApiId"]
	})
	return when(!mapped, "%s leads to no stage of API %s", f.ownHost(), f.part.Parameters["ApiId"])
}

func certificateInvalid(f *facts) []string {
	c := f.certificate
	if f.host == nil {
		return nil
	}
	if c == nil {
		return []string{"there is no certificate " + f.host.certificate}
	}
	if c.status != "ISSUED" {
		return []string{"the certificate is " + c.status}
	}
	if !slices.ContainsFunc(c.names, func(name string) bool {
		parent, ok := strings.CutPrefix(name, "*.")
		_, rest, _ := strings.Cut(f.ownHost(), ".")
		return name == f.ownHost() || ok && rest == parent
	}) {
		return []string{"the certificate is for " + listed(c.names) + ", and not for " + f.ownHost()}
	}
	return when(!c.ends.IsZero() && c.ends.Before(f.now.Add(14*24*time.Hour)), "the certificate ends at %s", c.ends.Format(time.DateOnly))
}

func nameNotResolved(f *facts) []string {
	return when(f.lookup != "", "%s leads nowhere: %s", f.ownHost(), f.lookup)
}

// ------------------------------------------------------------- what strangers get

func urlUnreachable(f *facts) []string { return when(f.site.problem != "", "%s", f.site.problem) }

func clockOff(f *facts) []string {
	// A date header counts whole seconds, and the answer took its time.
	ahead := f.site.ahead
	return when(ahead > Leeway+time.Second || ahead < -Leeway-f.site.around-time.Second, "this machine's clock is ahead of the application's by %s", ahead.Round(time.Second))
}

// public reports whether the rules let everybody into the application's first page.
func (f *facts) public() bool {
	if t := f.table(); t != nil {
		return t.Decide("GET", "/", policy.User{}, f.now).Outcome() == "allowed"
	}
	return false
}

func doorOpen(f *facts) []string {
	return when(f.site.program.status/100 == 2 && !f.public(), "a program without a session gets %d", f.site.program.status)
}

func doorFails(f *facts) []string {
	return when(f.site.program.status >= 500, "a program without a session gets %d", f.site.program.status)
}

func browserNotSent(f *facts) []string {
	b := f.site.browser
	wrong := f.site.program.status == 401 && !f.public() && (b.status != 302 || !strings.Contains(b.location, "/auth/login?"))
	return when(wrong, "a browser without a session gets %d, to %q", b.status, b.location)
}

func loginFails(f *facts) []string {
	l := f.site.login
	to, err := url.Parse(l.location)
	// The page that keeps a fragment comes first, with 200: it leads to the same place.
	ok := l.status == 200 && strings.Contains(l.text, "client_id="+f.clientID()) || l.status == 302 && err == nil && to.Query().Get("client_id") == f.clientID()
	return when(!ok, "/auth/login answers %d", l.status)
}

// ------------------------------------------------------------- operation

func logWithoutRetention(f *facts) (seen []string) {
	for name, days := range f.logs {
		seen = append(seen, when(days == 0, "log group %s keeps everything for ever", name)...)
	}
	return seen
}

func alarmWithoutTopic(f *facts) (seen []string) {
	for _, a := range f.alarms {
		seen = append(seen, when(len(a.AlarmActions) == 0 || !aws.ToBool(a.ActionsEnabled), "alarm %s tells nobody", aws.ToString(a.AlarmName))...)
	}
	return seen
}

func alarmRings(f *facts) (seen []string) {
	for _, a := range f.alarms {
		seen = append(seen, when(a.StateValue == cloudwatch.StateValueAlarm, "alarm %s rings: %s", aws.ToString(a.AlarmName), aws.ToString(a.AlarmDescription))...)
	}
	return seen
}
