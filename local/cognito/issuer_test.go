// Rules of the issuer: discovery, key set, rotation; of hosts and methods; of what New refuses; of the log.

package cognito_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"edgeauth/local/cognito"
)

func TestDiscovery(t *testing.T) {
	p := newPool(t)
	want := strings.NewReplacer("DOMAIN", p.url, "ISSUER", p.url+"/"+poolID).Replace(`{"authorization_endpoint":"DOMAIN/oauth2/authorize",` +
		`"end_session_endpoint":"DOMAIN/logout","id_token_signing_alg_values_supported":["RS256"],"issuer":"ISSUER",` +
		`"jwks_uri":"ISSUER/.well-known/jwks.json","response_types_supported":["code","token"],"revocation_endpoint":"DOMAIN/oauth2/revoke",` +
		`"scopes_supported":["openid","email","phone","profile"],"subject_types_supported":["public"],"token_endpoint":"DOMAIN/oauth2/token",` +
		`"token_endpoint_auth_methods_supported":["client_secret_basic","client_secret_post"],"userinfo_endpoint":"DOMAIN/oauth2/userInfo"}`)
	a := get(p.browser(), p.url+"/"+poolID+"/.well-known/openid-configuration")
	if a.body != want || a.header.Get("Content-Type") != "application/json" {
		t.Errorf("got %s", a.body)
	}
}

func (p *pool) kids() (kids []string) {
	p.Helper()
	var set struct{ Keys []map[string]string }
	a := get(p.browser(), p.url+"/"+poolID+"/.well-known/jwks.json")
	if err := json.Unmarshal([]byte(a.body), &set); err != nil {
		p.Fatal(err)
	}
	for _, k := range set.Keys {
		if strings.Join(slices.Sorted(maps.Keys(k)), " ") != "alg e kid kty n use" || k["alg"] != "RS256" || k["use"] != "sig" || k["e"] != "AQAB" {
			p.Errorf("key %v", k)
		}
		kids = append(kids, k["kid"])
	}
	return kids
}

func TestKeySet(t *testing.T) {
	p := newPool(t)
	kids := p.kids()
	if len(kids) != 2 || kids[0] == kids[1] {
		t.Fatalf("kids %q", kids)
	}
	for _, kid := range kids {
		if len(kid) != 44 || !strings.Contains(kid, "+") || !strings.Contains(kid, "/") || !strings.HasSuffix(kid, "=") {
			t.Errorf("kid %q", kid)
		}
	}
}

func TestKeyRotation(t *testing.T) {
	p := newPool(t)
	signing := func() string {
		token, _ := p.ask("mint", `{}`)["token"].(string)
		return jsonMember(segment(token, 0), "kid")
	}
	first := p.kids()
	p.ask("rotate", `{"step":"publish"}`)
	both := p.kids()
	if len(both) != 4 || signing() != first[0] {
		t.Errorf("published: %q, signing with %q", both, signing())
	}
	p.ask("rotate", `{"step":"use"}`)
	if signing() != both[2] || len(p.kids()) != 4 {
		t.Errorf("in use: signing with %q", signing())
	}
	p.ask("rotate", `{"step":"retire"}`)
	if got := p.kids(); !slices.Equal(got, both[2:]) {
		t.Errorf("retired: %q", got)
	}
	p.ask("fault", `{"at":"jwks","kind":"stale"}`)
	if got := p.kids(); !slices.Equal(got, both) {
		t.Errorf("stale: %q", got)
	}
	p.ask("rotate", `{}`)
	if got := p.kids(); len(got) != 4 || signing() != got[2] {
		t.Errorf("at once: %q, signing with %q", got, signing())
	}
}

func TestSeparateHosts(t *testing.T) {
	p := newPool(t, func(c *cognito.Config) {
		c.SeparateHosts, c.Issuer = true, "https://cognito-idp.eu-west-1.amazonaws.com/"+poolID
	})
	keys := "/" + poolID + "/.well-known/jwks.json"
	for _, tt := range []struct {
		method, host, path string
		want               int
	}{
		{"GET", "", "/error", 400},
		{"GET", "", keys, 404},
		{"POST", "", "/", 404},
		{"GET", "", "/_standin/", 200},
		{"GET", "cognito-idp.eu-west-1.amazonaws.com", keys, 200},
		{"GET", "cognito-idp.eu-west-1.amazonaws.com", "/error", 404},
		{"POST", "cognito-idp.eu-west-1.amazonaws.com", "/", 400},
	} {
		req, err := http.NewRequest(tt.method, p.url+tt.path, nil)
		req.Host = tt.host
		if a := send(p.browser(), req, err); a.status != tt.want {
			t.Errorf("%s %s%s: got %d, want %d", tt.method, tt.host, tt.path, a.status, tt.want)
		}
	}
}

func TestUnknownHostsAndPaths(t *testing.T) {
	p := newPool(t)
	for _, tt := range []struct {
		host, path string
		want       int
	}{
		{"evil.example", "/_standin/", 421},
		{"evil.example:9229", "/_standin/", 421},
		{"127.0.0.1.evil.example", "/_standin/", 421},
		{"localhost:9229", "/_standin/", 200},
		{"[::1]:9229", "/_standin/", 200},
		{"", "/oauth2/authorise", 404},
		{"", "//login", 404},
		{"", "/eu-west-1_Other0001/.well-known/jwks.json", 404},
	} {
		req, err := http.NewRequest("GET", p.url+tt.path, nil)
		req.Host = tt.host
		if a := send(p.browser(), req, err); a.status != tt.want {
			t.Errorf("%s%s: got %d, want %d", tt.host, tt.path, a.status, tt.want)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	if _, err := cognito.New(withKeys(goodConfig("http://127.0.0.1:9229"))); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		change func(*cognito.Config)
		want   string
	}{
		{"pool of another Region", func(c *cognito.Config) { c.Region = "eu-west-2" }, "not a pool id"},
		{"pool id", func(c *cognito.Config) { c.Pool = "pool" }, "not a pool id"},
		{"issuer of another pool", func(c *cognito.Config) { c.Issuer = "http://127.0.0.1/eu-west-1_Other" }, "issuer"},
		{"domain with a path", func(c *cognito.Config) { c.Domain += "/" }, "without a path"},
		{"one host, yet separate", func(c *cognito.Config) { c.SeparateHosts = true }, "share the host"},
		{"no client", func(c *cognito.Config) { c.Clients = nil }, "no client"},
		{"same client twice", func(c *cognito.Config) { c.Clients[1].ID = appID }, "two clients"},
		{"client id", func(c *cognito.Config) { c.Clients[0].ID = "a b" }, "the id must match"},
		{"short secret", func(c *cognito.Config) { c.Clients[0].Secret = "secret" }, "the secret must match"},
		{"no scope", func(c *cognito.Config) { c.Clients[0].Scopes = nil }, "no scope"},
		{"unknown scope", func(c *cognito.Config) { c.Clients[0].Scopes = []string{"everything"} }, "not a scope"},
		{"no callback", func(c *cognito.Config) { c.Clients[0].CallbackURLs = nil }, "no callback URL"},
		{"http callback", func(c *cognito.Config) { c.Clients[0].CallbackURLs = []string{"http://app.example/"} }, "must be https"},
		{"relative logout", func(c *cognito.Config) { c.Clients[0].LogoutURLs = []string{"/bye"} }, "must be https"},
		{"fragment", func(c *cognito.Config) { c.Clients[0].CallbackURLs = []string{"https://app.example/#x"} }, "without a fragment"},
		{"short ID token", func(c *cognito.Config) { c.Clients[0].IDTokenValidity = time.Minute }, "ID token validity"},
		{"long access token", func(c *cognito.Config) { c.Clients[0].AccessTokenValidity = 25 * time.Hour }, "access token validity"},
		{"short refresh token", func(c *cognito.Config) { c.Clients[0].RefreshTokenValidity = time.Minute }, "refresh token validity"},
		{"long grace", func(c *cognito.Config) { c.Clients[0].RotationGrace = 61 * time.Second }, "rotation grace"},
		{"rotation with default flows", func(c *cognito.Config) { c.Clients[1].Rotation = true }, "ALLOW_REFRESH_TOKEN_AUTH"},
		{"machine with a callback", func(c *cognito.Config) { c.Clients[2].CallbackURLs = []string{callback} }, "no other flow"},
		{"public machine", func(c *cognito.Config) { c.Clients[2].Secret = "" }, "needs a secret"},
		{"user twice", func(c *cognito.Config) {
			c.Users = []cognito.User{{Username: "a@example.com"}, {Username: "A@example.com"}}
		}, "taken"},
		{"group that there is not", func(c *cognito.Config) {
			c.Groups, c.Users = []string{"staff"}, []cognito.User{{Username: "a@example.com", Groups: []string{"admins"}}}
		}, "does not have"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := withKeys(goodConfig("http://127.0.0.1:9229"))
			tt.change(&cfg)
			if _, err := cognito.New(cfg); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func withKeys(c cognito.Config) cognito.Config { c.Keys = signingKeys(); return c }

func TestDefaultUsersKeepToThePoolsGroups(t *testing.T) {
	p := newPool(t, func(c *cognito.Config) { c.Groups = []string{"staff"} })
	if _, ok := p.claims(p.tokens().member("id_token"))["cognito:groups"]; ok {
		t.Error("alice is in a group that the pool does not have")
	}
}

func TestKeysAreGeneratedWhenNoneAreGiven(t *testing.T) {
	p := newPool(t, func(c *cognito.Config) { c.Keys = nil })
	p.claims(p.tokens().member("id_token"))
}

// One line a request, and nothing secret in any of them.
func TestLog(t *testing.T) {
	p := newPool(t)
	var secrets []string
	b := p.browser()
	p.signIn(b, p.authorizeURL(), "alice@example.com", "Wrong-word-42")
	a := p.signIn(b, p.authorizeURL(), "alice@example.com", password)
	code := a.location().Query().Get("code")
	tokens := p.token(exchange(code))
	p.token(renewal(tokens.member("refresh_token")))
	p.userInfo(tokens.member("access_token"))
	get(b, p.url+"/logout?client_id="+appID+"&logout_uri="+signedOut)
	get(b, p.url+"/somewhere/"+code)
	req, err := http.NewRequest("SESAME-"+strings.ToUpper(code), p.url+"/login", nil)
	send(b, req, err)
	minted, _ := p.ask("mint", `{}`)["token"].(string)
	secrets = append(secrets, "Wrong-word-42", password, code, strings.ToUpper(code), appSecret, verifier, "the-nonce", "the state", tokens.member("id_token"),
		tokens.member("access_token"), tokens.member("refresh_token"), minted, strings.Split(a.header.Get("Set-Cookie"), ";")[0][len("cognito="):])

	lines := strings.Split(strings.TrimSpace(p.log.String()), "\n")
	if len(lines) != 13 {
		t.Errorf("%d lines for 13 requests", len(lines))
	}
	for _, line := range lines {
		var got map[string]any
		if err := json.Unmarshal([]byte(line), &got); err != nil || names(got) != "level method msg outcome path status time" {
			t.Errorf("line %s", line)
		}
		for _, secret := range secrets {
			if secret == "" || strings.Contains(line, secret) {
				t.Errorf("%q is in the log: %s", secret, line)
			}
		}
	}
	if !strings.Contains(lines[2], `"outcome":"wrong_password"`) || !strings.Contains(lines[5], `"path":"/login","status":302,"outcome":"code_given"`) {
		t.Errorf("lines %s %s", lines[2], lines[5])
	}
}
