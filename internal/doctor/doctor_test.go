package doctor

// This file spoils one fact after the other of a stack that is as it ought to be. template/faults does the same to a deployed one.

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"edgeauth/internal/config"
	"edgeauth/internal/stack"

	"github.com/aws/aws-sdk-go-v2/aws"
	apigateway "github.com/aws/aws-sdk-go-v2/service/apigateway/types"
	cloudwatch "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
)

const (
	pool    = "eu-west-1_Example"
	issuer  = "https://cognito-idp.eu-west-1.amazonaws.com/" + pool
	keysURL = issuer + "/.well-known/jwks.json"
	signIn  = `{"v":1,"issuer":"` + issuer + `","user_pool_id":"` + pool + `","client_id":"client1","login_url":"https://app1.auth.eu-west-1.amazoncognito.com","base_urls":["https://app.example.com"],"scopes":"openid email"}`
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// healthy is a stack with nothing to complain about.
func healthy(t *testing.T) *facts {
	t.Helper()
	part := &stack.Stack{
		Name: "app-EdgeAuth", Region: "eu-west-1",
		Parameters: map[string]string{
			"Name": "app", "ApiId": "api1", "BaseUrl": "https://app.example.com", "CallbackRole": "app-callback", "LocalUsers": "INVITED", "Mfa": "OPTIONAL", "Scopes": "openid email",
			"SessionMinutes": "60", "RefreshDays": "30", "RefreshTokenRotation": "DISABLED", "AccessRules": "* /* user\n* /admin/* group:admins", "SessionMax": "", "SessionIdle": "",
			"AdminPasswordAuth": "false",
		},
		Resources: map[string]stack.Resource{
			"UserPool": {ID: pool}, "UserPoolClient": {ID: "client1"}, "AuthorizerFunction": {Type: "AWS::Lambda::Function", ID: "app-authorizer"}, "AuthParameter": {ID: "/app/auth"},
		},
	}
	environment := map[string]string{"AUTH_ISSUER": issuer, "AUTH_CLIENT_IDS": "client1", "AUTH_RULES": part.Parameters["AccessRules"], "AUTH_SCOPES": "openid email"}
	f := &facts{
		question: Question{Stack: "app", User: "alice"}, now: noon, gaps: map[string]string{},
		stack: &stack.Stack{Name: "app", Region: "eu-west-1", Status: "UPDATE_COMPLETE", Nested: map[string]*stack.Stack{"EdgeAuth": part}}, part: part,
		pool: &cognito.UserPoolType{
			Domain: aws.String("app1"), MfaConfiguration: cognito.UserPoolMfaTypeOptional, DeletionProtection: cognito.DeletionProtectionTypeActive,
			AdminCreateUserConfig: &cognito.AdminCreateUserConfigType{AllowAdminCreateUserOnly: true},
		},
		client: &cognito.UserPoolClientType{
			CallbackURLs: []string{"https://app.example.com/auth/callback"}, LogoutURLs: []string{"https://app.example.com/auth/signed-out"},
			AllowedOAuthFlows: []cognito.OAuthFlowType{cognito.OAuthFlowTypeCode}, AllowedOAuthFlowsUserPoolClient: aws.Bool(true), AllowedOAuthScopes: []string{"openid", "email"},
			IdTokenValidity: aws.Int32(60), RefreshTokenValidity: 30, TokenValidityUnits: &cognito.TokenValidityUnitsType{IdToken: cognito.TimeUnitsTypeMinutes},
			PreventUserExistenceErrors: cognito.PreventUserExistenceErrorTypesEnabled, EnableTokenRevocation: aws.Bool(true),
			ExplicitAuthFlows: []cognito.ExplicitAuthFlowsType{cognito.ExplicitAuthFlowsTypeAllowUserSrpAuth},
		},
		hasSecret: true, secrets: 1, branded: true, groups: []string{"admins"},
		domain:    &cognito.DomainDescriptionType{Domain: aws.String("app1"), Status: cognito.DomainStatusTypeActive, ManagedLoginVersion: aws.Int32(2)},
		user:      &user{status: "CONFIRMED", enabled: true, verified: true, email: "alice@example.com", groups: []string{"admins"}},
		parameter: signIn, hasParameter: true,
		authorizer: &function{version: "$LATEST", code: "1", environment: environment}, latest: &function{version: "$LATEST", code: "1", environment: environment},
		callback:     &function{role: "arn:aws:iam::123456789012:role/app-callback", environment: map[string]string{"AUTH_PARAMETER": "/app/auth"}},
		accountLimit: 1000, accountLeft: 1000, throttled: map[string]float64{"app-authorizer": 0},
		invokers: `{"Statement":[{"Effect":"Allow","Principal":{"Service":"apigateway.amazonaws.com"},"Condition":{"ArnLike":{"AWS:SourceArn":"arn:aws:execute-api:eu-west-1:123456789012:api1/authorizers/*"}}}]}`,
		logs:     map[string]int32{"app-logs": 30},
		alarms:   []cloudwatch.MetricAlarm{{AlarmName: aws.String("cannot-tell"), AlarmActions: []string{"topic"}, ActionsEnabled: aws.Bool(true), StateValue: cloudwatch.StateValueOk}},
		keySets:  map[string]keySet{keysURL: {kids: []string{"k1"}}},
		api:      &apigateway.RestApi{DisableExecuteApiEndpoint: true},
		authorizers: []apigateway.Authorizer{{
			Id: aws.String("a1"), Name: aws.String("SessionAuthorizer"), AuthorizerResultTtlInSeconds: aws.Int32(0),
			AuthorizerUri: aws.String("arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-west-1:123456789012:function:app-authorizer:live/invocations"),
		}},
		routes: []route{
			{"ANY", "/", "CUSTOM", "a1"}, {"OPTIONS", "/", "NONE", ""}, {"ANY", "/{proxy+}", "CUSTOM", "a1"}, {"ANY", "/api/{id}/x", "CUSTOM", "a1"}, {"ANY", "/auth/{proxy+}", "NONE", ""},
		},
		responses: map[string]apigateway.GatewayResponse{},
		methods:   map[string]apigateway.MethodSetting{"*/*": {ThrottlingRateLimit: 500, ThrottlingBurstLimit: 1000}},
		host:      &hostName{certificate: "arn", mappings: []apigateway.BasePathMapping{{RestApiId: aws.String("api1")}}}, certificate: &certificate{status: "ISSUED", names: []string{"*.example.com"}},
		site: site{
			program: answer{status: 401}, browser: answer{status: 302, location: "/auth/login?return_to=%2F"},
			login: answer{status: 302, location: "https://app1.auth.eu-west-1.amazoncognito.com/oauth2/authorize?client_id=client1"},
		},
	}
	for kind, status := range expected {
		f.responses[kind] = apigateway.GatewayResponse{StatusCode: aws.String(status), ResponseParameters: map[string]string{}}
	}
	f.responses["ACCESS_DENIED"].ResponseParameters[location] = locationSource
	f.configure()
	return f
}

// with spoils a setting of the authorizer.
func with(name, value string) func(*facts) {
	return func(f *facts) {
		for _, one := range []*function{f.authorizer, f.latest} {
			one.environment = maps.Clone(one.environment)
			one.environment[name] = value
		}
		f.configure()
	}
}

// agreed spoils a setting and the parameter that it is taken from.
func agreed(name, value string) func(*facts) {
	return func(f *facts) {
		f.part.Parameters[settingOf[name]] = value
		with(name, value)(f)
	}
}

var groups = func() (all []string) {
	for range 300 {
		all = append(all, strings.Repeat("g", 30))
	}
	return all
}()

var spoiled = []struct {
	code, seen string // what is found, and in which words
	spoil      func(*facts)
}{
	{"stack_incomplete", "stack app is UPDATE_ROLLBACK_FAILED", func(f *facts) { f.stack.Status = "UPDATE_ROLLBACK_FAILED" }},
	{"stack_incomplete", "stack app is ROLLBACK_COMPLETE", func(f *facts) { f.stack.Status = "ROLLBACK_COMPLETE" }},
	{"pool_missing", "there is no user pool " + pool, func(f *facts) { f.pool = nil }},
	{"pool_of_another_region", "AUTH_ISSUER is of us-east-1, and the stack in eu-west-1", with("AUTH_ISSUER", "https://cognito-idp.us-east-1.amazonaws.com/"+pool)},
	{"issuer_of_another_pool", "AUTH_ISSUER is https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Other", with("AUTH_ISSUER", "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Other")},
	{"self_registration_open", "anybody may register", func(f *facts) { f.pool.AdminCreateUserConfig = nil }},
	{"mfa_off", "a password alone opens an account", func(f *facts) { f.pool.MfaConfiguration, f.part.Parameters["Mfa"] = "OFF", "OFF" }},
	{"mfa_weaker", "the pool has MFA OPTIONAL, and the parameter Mfa is ON", func(f *facts) { f.part.Parameters["Mfa"] = "ON" }},
	{"deletion_protection_off", "the pool can be deleted", func(f *facts) { f.pool.DeletionProtection = "INACTIVE" }},
	{"domain_missing", "the pool has no domain", func(f *facts) { f.domain = nil }},
	{"domain_inactive", "domain app1 is FAILED", func(f *facts) { f.domain.Status = cognito.DomainStatusTypeFailed }},
	{"domain_without_branding", "managed login has no style for client client1", func(f *facts) { f.branded = false }},
	{"login_url_of_another_domain", "login_url is https://app1.auth.eu-west-1.amazoncognito.com, and the pool's domain other", func(f *facts) { f.domain.Domain = aws.String("other") }},
	{"client_missing", "there is no client client1 in pool " + pool, func(f *facts) { f.client = nil }},
	{"client_without_secret", "client client1 has no secret", func(f *facts) { f.hasSecret = false }},
	{"client_callback_url", "the callback URLs are none", func(f *facts) { f.client.CallbackURLs = nil }},
	{"client_logout_url", "the logout URLs are https://app.example.com/", func(f *facts) { f.client.LogoutURLs = []string{"https://app.example.com/"} }},
	{"client_implicit_flow", "the implicit flow is on", func(f *facts) {
		f.client.AllowedOAuthFlows = append(f.client.AllowedOAuthFlows, cognito.OAuthFlowTypeImplicit)
	}},
	{"client_without_code_flow", "the code flow is off", func(f *facts) { f.client.AllowedOAuthFlows = nil }},
	{"client_without_code_flow", "the code flow is off", func(f *facts) { f.client.AllowedOAuthFlowsUserPoolClient = aws.Bool(false) }},
	{"client_missing_scope", "the client lacks the scope email", func(f *facts) { f.client.AllowedOAuthScopes = []string{"openid"} }},
	{"client_token_validity", "ID tokens live for 60h0m0s, and SessionMinutes is 60", func(f *facts) { f.client.TokenValidityUnits = nil }},
	{"client_refresh_validity", "refresh tokens live for 744h0m0s, and RefreshDays is 30", func(f *facts) { f.client.RefreshTokenValidity = 31 }},
	{"client_rotation", "rotation is DISABLED, and the parameter says ENABLED", func(f *facts) { f.part.Parameters["RefreshTokenRotation"] = "ENABLED" }},
	{"client_names_users", "the login page tells strangers who has an account", func(f *facts) { f.client.PreventUserExistenceErrors = "LEGACY" }},
	{"client_without_revocation", "tokens cannot be revoked", func(f *facts) { f.client.EnableTokenRevocation = nil }},
	{"client_password_flow", "ALLOW_ADMIN_USER_PASSWORD_AUTH is on", func(f *facts) {
		f.client.ExplicitAuthFlows = []cognito.ExplicitAuthFlowsType{"ALLOW_ADMIN_USER_PASSWORD_AUTH"}
	}},
	{"client_password_flow", "ALLOW_USER_PASSWORD_AUTH is on", func(f *facts) {
		f.part.Parameters["AdminPasswordAuth"] = "true"
		f.client.ExplicitAuthFlows = []cognito.ExplicitAuthFlowsType{"ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_USER_PASSWORD_AUTH"}
	}},
	{"former_secret_unknown", "client client1 has 2 secrets, and the former one is nowhere", func(f *facts) { f.secrets = 2 }},
	{"former_secret_left", "the client has one secret, and a former one is kept", func(f *facts) { f.formerSecret = true }},
	{"group_missing", `the rule "* /admin/* group:admins" names the group admins, which pool ` + pool + " lacks", func(f *facts) { f.groups = nil }},
	{"user_missing", "there is no user alice", func(f *facts) { f.user = nil }},
	{"user_disabled", "user alice is disabled", func(f *facts) { f.user.enabled = false }},
	{"user_unconfirmed", "user alice is FORCE_CHANGE_PASSWORD", func(f *facts) { f.user.status = "FORCE_CHANGE_PASSWORD" }},
	{"user_email_unverified", "user alice has no verified address", func(f *facts) { f.user.verified = false }},
	{"user_too_large", "backends would get 23152 bytes about user alice, and API Gateway takes 16384", func(f *facts) { f.user.groups = groups }},
	{"user_too_large", "a session of user alice would take about 9526 of 10240 bytes, with 190 groups", func(f *facts) { f.user.groups = groups[:190] }},
	{"parameter_missing", "there is no parameter /app/auth", func(f *facts) { f.hasParameter, f.parameter = false, "" }},
	{"parameter_malformed", "config: the parameter is of version 0, and this reads versions 1 to 1", func(f *facts) { f.parameter = "{}" }},
	{"parameter_stale", `client_id is "other", and the stack has "client1"`, func(f *facts) { f.parameter = strings.Replace(signIn, "client1", "other", 1) }},
	{"parameter_stale", `user_pool_id is "other", and the stack has "` + pool + `"`, func(f *facts) {
		f.parameter = strings.Replace(signIn, `"user_pool_id":"`+pool, `"user_pool_id":"other`, 1)
	}},
	{"parameter_stale", `base_urls is "https://other.example.com", and the stack has "https://app.example.com"`, func(f *facts) { f.parameter = strings.Replace(signIn, "app.example", "other.example", 1) }},
	{"parameter_stale", `scopes is "openid", and the stack has "openid email"`, func(f *facts) { f.parameter = strings.Replace(signIn, "openid email", "openid", 1) }},
	{"parameter_stale", `session_max is "0s", and the stack has "12h0m0s"`, func(f *facts) { f.part.Parameters["SessionMax"] = "12h" }},
	{"callback_missing", "no function of the stack has the role app-callback", func(f *facts) { f.callback = nil }},
	{"callback_of_another_parameter", `AUTH_PARAMETER is "/other/auth"`, func(f *facts) { f.callback.environment["AUTH_PARAMETER"] = "/other/auth" }},
	{"authorizer_missing", "there is no function app-authorizer with an alias live", func(f *facts) { f.authorizer, f.settings = nil, nil }},
	{"authorizer_settings_malformed", "config: AUTH_SIMPLE_RESPONSES is neither true nor false", with("AUTH_SIMPLE_RESPONSES", "perhaps")},
	{"authorizer_settings_malformed", "policy: line 1: want methods, path and at least one need", agreed("AUTH_RULES", "*")},
	{"authorizer_settings_stale", `AUTH_RULES is "* /* user", and the parameter AccessRules is "* /* user\n* /admin/* group:admins"`, with("AUTH_RULES", "* /* user")},
	{"authorizer_settings_stale", `AUTH_CLIENT_IDS is "other", and the stack's client is client1`, with("AUTH_CLIENT_IDS", "other")},
	{"authorizer_version_old", "the alias live leads to version 3, which differs from what was deployed last", func(f *facts) { f.authorizer.version, f.latest.code = "3", "2" }},
	{"authorizer_version_old", "the alias live leads to version 3, which differs from what was deployed last", func(f *facts) {
		f.authorizer.version, f.latest.environment = "3", map[string]string{}
	}},
	{"authorizer_not_invocable", "no statement lets API api1 call app-authorizer:live", func(f *facts) { f.invokers = "" }},
	{"authorizer_not_invocable", "no statement lets API api1 call app-authorizer:live", func(f *facts) { f.invokers = strings.Replace(f.invokers, ":api1/", ":api2/", 1) }},
	{"authorizer_not_invocable", "no statement lets API api1 call app-authorizer:live", func(f *facts) { f.invokers = strings.Replace(f.invokers, "Allow", "Deny", 1) }},
	{"concurrency_zero", "function app-authorizer may not run at all: its reserved concurrency is 0", func(f *facts) { f.reserved = aws.Int32(0) }},
	{"concurrency_exhausted", "function app-authorizer was refused to run 7 times within the last hour", func(f *facts) { f.throttled["app-authorizer"] = 7 }},
	{"concurrency_small", "the account has 10 invocations at a time, and 10 of them are not set aside", func(f *facts) { f.accountLimit, f.accountLeft = 10, 10 }},
	{"jwks_unreachable", keysURL + " answers 404 Not Found", func(f *facts) { f.keySets[keysURL] = keySet{problem: "answers 404 Not Found"} }},
	{"jwks_of_another_pool", "AUTH_JWKS_URL is https://x.example/eu-west-1_Other/jwks.json", with("AUTH_JWKS_URL", "https://x.example/eu-west-1_Other/jwks.json")},
	{"jwks_snapshot_stale", "the snapshot lacks the key k1", with("AUTH_JWKS", `{"keys":[{"kid":"k0"}]}`)},
	{"trusted_pool_unreachable", "https://x.example/p/.well-known/jwks.json does not answer in time from here", func(f *facts) {
		agreed("AUTH_TRUST", `[{"issuer":"https://x.example/p","client_ids":["c"]}]`)(f)
		f.keySets["https://x.example/p/.well-known/jwks.json"] = keySet{problem: "does not answer in time from here"}
	}},
	{"authorizer_unknown_to_api", "none of the API's 1 authorizers calls app-authorizer:live", func(f *facts) {
		f.authorizers[0].AuthorizerUri = aws.String(strings.Replace(*f.authorizers[0].AuthorizerUri, ":live", "", 1))
	}},
	{"authorizer_cached", "authorizer SessionAuthorizer keeps its answers for 300 s", func(f *facts) { f.authorizers[0].AuthorizerResultTtlInSeconds = aws.Int32(300) }},
	{"authorizer_with_identity_source", "authorizer SessionAuthorizer wants method.request.header.Cookie", func(f *facts) {
		f.authorizers[0].IdentitySource = aws.String("method.request.header.Cookie")
	}},
	{"route_without_authorizer", "ANY / asks no authorizer of ours (NONE)", func(f *facts) { f.routes[0].authorization = "NONE" }},
	{"route_without_authorizer", "ANY / asks no authorizer of ours (CUSTOM)", func(f *facts) { f.routes[0].authorizer = "a2" }},
	{"login_behind_authorizer", "ANY /auth/{proxy+} asks an authorizer (CUSTOM)", func(f *facts) { f.routes[4].authorization = "CUSTOM" }},
	{"login_without_route", "the API has no route at /auth", func(f *facts) { f.routes = f.routes[:4] }},
	{"rule_without_route", `the rule "* /auth/x user" is about no route behind the authorizer`, agreed("AUTH_RULES", "* /* user\n* /auth/x user")},
	{"rule_without_route", `the rule "* /admin/* group:admins" is about no route behind the authorizer`, func(f *facts) { f.routes[2].path = "/shop/{proxy+}" }},
	{"gateway_response_missing", "the API has no response AUTHORIZER_FAILURE of its own", func(f *facts) { delete(f.responses, "AUTHORIZER_FAILURE") }},
	{"gateway_response_missing", "the API has no response UNAUTHORIZED of its own", func(f *facts) { f.responses["UNAUTHORIZED"] = apigateway.GatewayResponse{DefaultResponse: true} }},
	{"gateway_response_altered", `UNAUTHORIZED answers 403, and not 401`, func(f *facts) {
		f.responses["UNAUTHORIZED"] = apigateway.GatewayResponse{StatusCode: aws.String("403")}
	}},
	{"gateway_response_altered", `ACCESS_DENIED leads to "", and not to context.authorizer.location`, func(f *facts) { delete(f.responses["ACCESS_DENIED"].ResponseParameters, location) }},
	{"throttle_zero", "*/* takes 500 requests a second, in bursts of 0", func(f *facts) { f.methods["*/*"] = apigateway.MethodSetting{ThrottlingRateLimit: 500} }},
	{"stage_logs_tokens", "data trace is on at x", func(f *facts) {
		f.methods["x"] = apigateway.MethodSetting{ThrottlingRateLimit: 1, ThrottlingBurstLimit: 1, DataTraceEnabled: true}
	}},
	{"execute_api_open", "api1.execute-api.eu-west-1.amazonaws.com answers beside app.example.com", func(f *facts) { f.api.DisableExecuteApiEndpoint = false }},
	{"name_unknown_to_gateway", "API Gateway does not know app.example.com", func(f *facts) { f.host = nil }},
	{"name_not_mapped", "app.example.com leads to no stage of API api1", func(f *facts) { f.host.mappings = nil }},
	{"certificate_invalid", "there is no certificate arn", func(f *facts) { f.certificate = nil }},
	{"certificate_invalid", "the certificate is EXPIRED", func(f *facts) { f.certificate.status = "EXPIRED" }},
	{"certificate_invalid", "the certificate is for *.com, and not for app.example.com", func(f *facts) { f.certificate.names = []string{"*.com"} }},
	{"certificate_invalid", "the certificate ends at 2026-12-07", func(f *facts) { f.certificate.ends = noon.Add(13 * 24 * time.Hour) }},
	{"name_not_resolved", "app.example.com leads nowhere: no such name", func(f *facts) { f.lookup = "no such name" }},
	{"url_unreachable", "https://app.example.com does not answer", func(f *facts) {
		f.site = site{problem: "https://app.example.com does not answer"}
		f.gaps[visit] = "it does not answer"
	}},
	{"clock_off", "this machine's clock is ahead of the application's by 7s", func(f *facts) { f.site.ahead = 7 * time.Second }},
	{"clock_off", "this machine's clock is ahead of the application's by -7s", func(f *facts) { f.site.ahead = -7 * time.Second }},
	{"door_open", "a program without a session gets 200", func(f *facts) { f.site.program.status = 200 }},
	{"door_fails", "a program without a session gets 500", func(f *facts) { f.site.program.status = 500 }},
	{"browser_not_sent_to_login", `a browser without a session gets 302, to "/elsewhere"`, func(f *facts) { f.site.browser.location = "/elsewhere" }},
	{"login_fails", "/auth/login answers 302", func(f *facts) { f.site.login.location = "https://app1.auth.eu-west-1.amazoncognito.com/error" }},
	{"login_fails", "/auth/login answers 200", func(f *facts) { f.site.login = answer{status: 200} }},
	{"log_without_retention", "log group app-logs keeps everything for ever", func(f *facts) { f.logs["app-logs"] = 0 }},
	{"alarm_without_topic", "alarm cannot-tell tells nobody", func(f *facts) { f.alarms[0].AlarmActions = nil }},
	{"alarm_without_topic", "alarm cannot-tell tells nobody", func(f *facts) { f.alarms[0].ActionsEnabled = aws.Bool(false) }},
	{"alarm_rings", "alarm cannot-tell rings: ", func(f *facts) { f.alarms[0].StateValue = cloudwatch.StateValueAlarm }},
}

// home moves a stack to API Gateway's own name.
func home(f *facts) {
	const base = "https://api1.execute-api.eu-west-1.amazonaws.com/Prod"
	f.part.Parameters["BaseUrl"], f.parameter = base, strings.Replace(signIn, "https://app.example.com", base, 1)
	f.client.CallbackURLs, f.client.LogoutURLs = []string{base + "/auth/callback"}, []string{base + "/auth/signed-out"}
}

func TestHealthy(t *testing.T) {
	for name, change := range map[string]func(*facts){
		"as it is": func(*facts) {},
		"with an existing pool, of which the stack knows the client alone": func(f *facts) {
			delete(f.part.Resources, "UserPool")
			f.part.Parameters["ExistingUserPoolId"], f.pool.AdminCreateUserConfig = pool, nil
		},
		"without a name of its own":               func(f *facts) { home(f); f.host, f.api.DisableExecuteApiEndpoint = nil, false },
		"with classic pages, which need no style": func(f *facts) { f.domain.ManagedLoginVersion, f.branded = aws.Int32(1), false },
		"with a custom domain for the login page": func(f *facts) {
			f.domain.Domain = aws.String("login.example.com")
			f.parameter = strings.Replace(signIn, "app1.auth.eu-west-1.amazoncognito.com", "login.example.com", 1)
		},
		"with a first page for everybody": func(f *facts) {
			agreed("AUTH_RULES", "* / anyone\n* /admin/* user")(f)
			f.site.program.status, f.site.browser.status = 200, 200
		},
		"with the built-in rules":             agreed("AUTH_RULES", ""),
		"with a page that keeps the fragment": func(f *facts) { f.site.login = answer{status: 200, text: "/oauth2/authorize?client_id=client1"} },
		"with registration that is meant to be open": func(f *facts) {
			f.part.Parameters["LocalUsers"], f.pool.AdminCreateUserConfig.AllowAdminCreateUserOnly = "SELF_SIGN_UP", false
		},
		"with users who migrate": func(f *facts) {
			f.part.Parameters["UserMigrationArn"], f.client.ExplicitAuthFlows = "arn", []cognito.ExplicitAuthFlowsType{"ALLOW_USER_PASSWORD_AUTH"}
		},
		"while a secret rotates":                   func(f *facts) { f.secrets, f.formerSecret = 2, true },
		"with a version that is what was deployed": func(f *facts) { f.authorizer.version = "4" },
		"with a clock within the leeway":           func(f *facts) { f.site.ahead = 5 * time.Second },
		"with the keys elsewhere":                  with("AUTH_JWKS_URL", "https://cdn.example/keys/jwks.json"),
		"with a permission for every API": func(f *facts) {
			f.invokers = `{"Statement":[{"Effect":"Allow","Principal":{"Service":"apigateway.amazonaws.com"}}]}`
		},
		"with an external user":                       func(f *facts) { f.user.status = "EXTERNAL_PROVIDER" },
		"with a hundred groups":                       func(f *facts) { f.user.groups = groups[:100] },
		"with a certificate that lasts a fortnight":   func(f *facts) { f.certificate.ends = noon.Add(14 * 24 * time.Hour) },
		"without a user to look at":                   func(f *facts) { f.question.User, f.user = "", nil },
		"with a list of logins for several audiences": with("AUTH_CLIENT_IDS", "client0, client1"),
	} {
		f := healthy(t)
		change(f)
		if r := judge(f); len(r.Findings)+len(r.Unknown) > 0 || r.Fine != len(rules) {
			t.Errorf("%s: %+v %+v", name, r.Findings, r.Unknown)
		}
	}
}

func TestEachFaultAlone(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range spoiled {
		seen[c.code] = true
		f := healthy(t)
		c.spoil(f)
		r := judge(f)
		if len(r.Findings) != 1 || r.Findings[0].Code != c.code || !slices.Equal(r.Findings[0].Seen, []string{c.seen}) {
			t.Errorf("%s, %s: found %+v", c.code, c.seen, r.Findings)
		}
	}
	for _, r := range rules {
		if !seen[r.code] {
			t.Errorf("no test for %s", r.code)
		}
	}
}

// TestNobodyGuesses takes away, from each spoiled stack, each answer that its rule needs: then nobody can tell, and nothing is found.
func TestNobodyGuesses(t *testing.T) {
	for _, c := range spoiled {
		i := slices.IndexFunc(rules, func(r rule) bool { return r.code == c.code })
		for _, call := range rules[i].needs {
			f := healthy(t)
			c.spoil(f)
			f.gaps[call] = "not permitted (AccessDeniedException)"
			r := judge(f)
			ours := slices.IndexFunc(r.Unknown, func(u Unknown) bool { return u.Code == c.code })
			if len(r.Findings) > 0 || ours < 0 || !slices.Contains(r.Unknown[ours].Needs, call+": not permitted (AccessDeniedException)") {
				t.Errorf("%s without %s: %+v %+v", c.code, call, r.Findings, r.Unknown)
			}
		}
	}
}

// TestRules wants every rule to be a name, what ought to be, and a sentence with a command or a setting.
func TestRules(t *testing.T) {
	names := map[string]bool{}
	for _, r := range Rules() {
		if names[r.Code] || !regexp.MustCompile(`^[a-z]+(_[a-z]+)+$`).MatchString(r.Code) {
			t.Errorf("%s is no name, or twice", r.Code)
		}
		names[r.Code] = true
		if r.Ought == "" || !strings.HasSuffix(r.Do, ".") || !regexp.MustCompile("`|[A-Z][a-z]+[A-Z=]").MatchString(r.Do) {
			t.Errorf("%s: %q, %q", r.Code, r.Ought, r.Do)
		}
	}
	f := healthy(t)
	for _, r := range rules {
		if said := f.named(r.ought + r.do); regexp.MustCompile(`\$[A-Z]+\b`).MatchString(strings.ReplaceAll(said, "$LATEST", "")) {
			t.Errorf("%s: a name is left in %q", r.code, said)
		}
	}
}

// TestDocumented holds docs/doctor.md and the stack that is really spoiled to the rules: a row and a fault for each, and every permission.
func TestDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/doctor.md")
	if err != nil {
		t.Fatal(err)
	}
	faults, err := os.ReadFile("../../template/faults.py")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range Rules() {
		if !strings.Contains(string(page), "\n| `"+r.Code+"` | "+string(r.Severity)+" |") {
			t.Errorf("docs/doctor.md has no row for %s", r.Code)
		}
		if !strings.Contains(string(faults), `yield "`+r.Code+`"`) {
			t.Errorf("template/faults.py does not seed %s", r.Code)
		}
		for _, call := range r.Needs {
			action, _, _ := strings.Cut(call, " ")
			if strings.Contains(action, ":") && !strings.Contains(string(page), `"`+action+`"`) {
				t.Errorf("docs/doctor.md does not list the permission %s, which %s needs", action, r.Code)
			}
		}
	}
	if _, err := config.ParseSignIn(signIn); err != nil {
		t.Fatal(err)
	}
}
