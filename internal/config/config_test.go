package config

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func environmentOf(m map[string]string) Lookup {
	return func(name string) (string, bool) { v, ok := m[name]; return v, ok }
}

var authorizerEnvironment = map[string]string{
	"AUTH_ISSUER":     "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_A",
	"AUTH_CLIENT_IDS": "one, two",
}

// with returns a copy of base with the pairs set; an empty value removes the name.
func with(base map[string]string, pairs ...string) map[string]string {
	m := maps.Clone(base)
	for i := 0; i < len(pairs); i += 2 {
		if m[pairs[i]] = pairs[i+1]; pairs[i+1] == "" {
			delete(m, pairs[i])
		}
	}
	return m
}

func TestForAuthorizer(t *testing.T) {
	got, err := ForAuthorizer(environmentOf(authorizerEnvironment))
	if err != nil {
		t.Fatal(err)
	}
	pool := Pool{
		Issuer:  "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_A",
		JWKSURL: "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_A/.well-known/jwks.json",
	}
	if !reflect.DeepEqual(got.Pool, pool) || !slices.Equal(got.ClientIDs, []string{"one", "two"}) || got.Cuts != (Cuts{Every: 5 * time.Second}) || got.LogDecisions != RefusedDecisions {
		t.Errorf("got %+v", got)
	}
}

func TestForAuthorizerReadsWhatIsOptional(t *testing.T) {
	got, err := ForAuthorizer(environmentOf(with(authorizerEnvironment,
		"AUTH_RULES", "* /* signed-in", "AUTH_BEARER_CLIENT_IDS", "m1,m2", "AUTH_BEARER_ID_TOKENS", "true", "AUTH_CLAIMS", "custom:plan", "AUTH_SCOPES", "openid email profile", "AUTH_LOGIN_PATH", "/auth",
		"AUTH_ALLOWED_ORIGINS", "https://a.example http://localhost:8080", "AUTH_SIMPLE_RESPONSES", "true", "AUTH_ROTATION", "true",
		"AUTH_CUTS", "stack-cuts", "AUTH_CUTS_SECONDS", "60", "AUTH_CUTS_ADMIT", "true", "AUTH_LOG_DECISIONS", "every",
		"AUTH_TRUST", `[{"issuer":"https://idp.example/p","client_ids":["c"]},{"issuer":"https://other.example","bearer_client_ids":["m"],"jwks_url":"https://keys.example/"}]`)))
	if err != nil {
		t.Fatal(err)
	}
	want := Authorizer{
		Pool: got.Pool, ClientIDs: got.ClientIDs,
		Rules: "* /* signed-in", BearerClientIDs: []string{"m1", "m2"}, BearerIDTokens: true, Claims: []string{"custom:plan"}, LoginPath: "/auth",
		AllowedOrigins: []string{"https://a.example", "http://localhost:8080"}, SimpleResponses: true, Rotation: true,
		Trust: []Trust{
			{Pool{Issuer: "https://idp.example/p", JWKSURL: "https://idp.example/p/.well-known/jwks.json"}, []string{"c"}, nil},
			{Pool{Issuer: "https://other.example", JWKSURL: "https://keys.example/"}, nil, []string{"m"}},
		},
		Cuts: Cuts{Table: "stack-cuts", Every: time.Minute, Admit: true}, LogDecisions: EveryDecision,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestForCallback(t *testing.T) {
	if got, err := ForCallback(environmentOf(map[string]string{"AUTH_PARAMETER": "/edgeauth/auth"})); err != nil || got.Parameter != "/edgeauth/auth" {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestRefusals(t *testing.T) {
	authorizer := func(m map[string]string) error { _, err := ForAuthorizer(environmentOf(m)); return err }
	callback := func(m map[string]string) error { _, err := ForCallback(environmentOf(m)); return err }
	for _, tt := range []struct {
		name string
		err  error
		want []string // every line of the error
	}{
		{"everything missing is reported at once", authorizer(nil), []string{"config: AUTH_ISSUER is not set", "config: AUTH_CLIENT_IDS is not set"}},
		{"no client", authorizer(with(authorizerEnvironment, "AUTH_CLIENT_IDS", " ")), []string{"config: AUTH_CLIENT_IDS is not set"}},
		{"only commas", authorizer(with(authorizerEnvironment, "AUTH_CLIENT_IDS", " , ")), []string{"config: AUTH_CLIENT_IDS names nothing"}},
		{"a claim of the contract", authorizer(with(authorizerEnvironment, "AUTH_CLAIMS", "tenant email")), []string{"config: AUTH_CLAIMS names email, which backends get as it is checked or not at all"}},
		{"plain http", authorizer(with(authorizerEnvironment, "AUTH_ISSUER", "http://example.com/p")), []string{"config: AUTH_ISSUER is not https"}},
		{"neither true nor false", authorizer(with(authorizerEnvironment, "AUTH_BEARER_ID_TOKENS", "yes")), []string{"config: AUTH_BEARER_ID_TOKENS is neither true nor false"}},
		{"no such line", authorizer(with(authorizerEnvironment, "AUTH_LOG_DECISIONS", "allowed")), []string{"config: AUTH_LOG_DECISIONS is none of refused, every"}},
		{"an origin with a path", authorizer(with(authorizerEnvironment, "AUTH_ALLOWED_ORIGINS", "https://a.example/")), []string{"config: AUTH_ALLOWED_ORIGINS has an entry that is not an origin, such as https://app.example.com"}},
		{"an origin no browser writes", authorizer(with(authorizerEnvironment, "AUTH_ALLOWED_ORIGINS", "https://A.example")), []string{"config: AUTH_ALLOWED_ORIGINS has an entry that is not an origin, such as https://app.example.com"}},
		{"trust is not JSON", authorizer(with(authorizerEnvironment, "AUTH_TRUST", "https://idp.example")), []string{`config: AUTH_TRUST is not JSON of the form [{"issuer":"…","client_ids":["…"],"bearer_client_ids":["…"],"jwks_url":"…"}]: invalid character 'h' looking for beginning of value`}},
		{"trust with a misspelt member", authorizer(with(authorizerEnvironment, "AUTH_TRUST", `[{"issuer":"https://idp.example","clients":["c"]}]`)), []string{`config: AUTH_TRUST is not JSON of the form [{"issuer":"…","client_ids":["…"],"bearer_client_ids":["…"],"jwks_url":"…"}]: json: unknown field "clients"`}},
		{"trust with a text for a list", authorizer(with(authorizerEnvironment, "AUTH_TRUST", `[{"issuer":"https://idp.example","client_ids":"c"}]`)), []string{`config: AUTH_TRUST is not JSON of the form [{"issuer":"…","client_ids":["…"],"bearer_client_ids":["…"],"jwks_url":"…"}]: json: cannot unmarshal string into Go struct field .client_ids of type []string`}},
		{"trust with something behind it", authorizer(with(authorizerEnvironment, "AUTH_TRUST", `[] []`)), []string{`config: AUTH_TRUST is not JSON of the form [{"issuer":"…","client_ids":["…"],"bearer_client_ids":["…"],"jwks_url":"…"}]: something comes after it`}},
		{"trust without an issuer", authorizer(with(authorizerEnvironment, "AUTH_TRUST", `[{"issuer":"https://idp.example","client_ids":["c"]},{"client_ids":["c"]}]`)), []string{"config: AUTH_TRUST[1].issuer is not an absolute URL without query"}},
		{"trust in keys without https", authorizer(with(authorizerEnvironment, "AUTH_TRUST", `[{"issuer":"https://idp.example","jwks_url":"http://idp.example","client_ids":["c"]}]`)), []string{"config: AUTH_TRUST[0].jwks_url is not https"}},
		{"trust without https", authorizer(with(authorizerEnvironment, "AUTH_TRUST", `[{"issuer":"http://idp.example","jwks_url":"https://idp.example","client_ids":["c"]}]`)), []string{"config: AUTH_TRUST[0].issuer is not https"}},
		{"trust in nobody", authorizer(with(authorizerEnvironment, "AUTH_TRUST", `[{"issuer":"https://idp.example"}]`)), []string{"config: AUTH_TRUST[0] has neither client_ids nor bearer_client_ids"}},
		{"plain http keys", authorizer(with(authorizerEnvironment, "AUTH_JWKS_URL", "http://example.com/p")), []string{"config: AUTH_JWKS_URL is not https"}},
		{"no host", authorizer(with(authorizerEnvironment, "AUTH_ISSUER", "https:///p")), []string{"config: AUTH_ISSUER is not an absolute URL without query"}},
		{"query", authorizer(with(authorizerEnvironment, "AUTH_ISSUER", "https://example.com/p?x")), []string{"config: AUTH_ISSUER is not an absolute URL without query"}},
		{"snapshot", authorizer(with(authorizerEnvironment, "AUTH_JWKS", "{")), []string{"config: AUTH_JWKS is not JSON"}},
		{"callback", callback(nil), []string{"config: AUTH_PARAMETER is not set"}},
		{"a claim that no scope brings", authorizer(with(authorizerEnvironment, "AUTH_CLAIMS", "custom:tenant")), []string{"config: AUTH_CLAIMS names custom:tenant, which the scopes openid email do not deliver: add profile"}},
		{"a claim of another scope", authorizer(with(authorizerEnvironment, "AUTH_CLAIMS", "name phone_number", "AUTH_SCOPES", "openid email phone")), []string{"config: AUTH_CLAIMS names name, which the scopes openid email phone do not deliver: add profile"}},
		{"a telephone number", authorizer(with(authorizerEnvironment, "AUTH_CLAIMS", "phone_number")), []string{"config: AUTH_CLAIMS names phone_number, which the scopes openid email do not deliver: add phone"}},
		{"no ID token", authorizer(with(authorizerEnvironment, "AUTH_SCOPES", "email")), []string{"config: AUTH_SCOPES lacks openid, without which there is no ID token"}},
		{"a login elsewhere", authorizer(with(authorizerEnvironment, "AUTH_LOGIN_PATH", "https://login.example/auth")), []string{"config: AUTH_LOGIN_PATH is not a path such as /auth"}},
		{"a login at another host", authorizer(with(authorizerEnvironment, "AUTH_LOGIN_PATH", "//login.example")), []string{"config: AUTH_LOGIN_PATH is not a path such as /auth"}},
		{"a login path with a slash", authorizer(with(authorizerEnvironment, "AUTH_LOGIN_PATH", "/auth/")), []string{"config: AUTH_LOGIN_PATH is not a path such as /auth"}},
		{"a login path that climbs", authorizer(with(authorizerEnvironment, "AUTH_LOGIN_PATH", "/a/../auth")), []string{"config: AUTH_LOGIN_PATH is not a path such as /auth"}},
		{"a login path that escapes", authorizer(with(authorizerEnvironment, "AUTH_LOGIN_PATH", `/a"b`)), []string{"config: AUTH_LOGIN_PATH is not a path such as /auth"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.err == nil {
				t.Fatal("accepted")
			}
			if got := strings.Split(tt.err.Error(), "\n"); !slices.Equal(got, tt.want) {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

func TestLoopbackNeedsNoTLS(t *testing.T) {
	for _, issuer := range []string{"http://127.0.0.1:9229/p", "http://localhost:9229/p", "http://[::1]:9229/p"} {
		if _, err := ForAuthorizer(environmentOf(with(authorizerEnvironment, "AUTH_ISSUER", issuer))); err != nil {
			t.Errorf("%s: %v", issuer, err)
		}
	}
}
