// Rules of the token endpoint, and what tokens look like.

package cognito_test

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"edgeauth/local/cognito"
)

// The whole way with golang.org/x/oauth2, whose Basic credentials are form-urlencoded: the secret holds plus signs.
func TestCodeFlowWithOAuth2(t *testing.T) {
	p := newPool(t)
	ctx := context.Background()
	app := p.app()
	v := oauth2.GenerateVerifier()
	a := p.signIn(p.browser(), app.AuthCodeURL("the-state", oauth2.S256ChallengeOption(v), oauth2.SetAuthURLParam("nonce", "n")), "alice@example.com", password)
	q := a.location().Query()
	if q.Get("state") != "the-state" {
		t.Errorf("state %q", q.Get("state"))
	}
	tok, err := app.Exchange(ctx, q.Get("code"), oauth2.VerifierOption(v))
	if err != nil {
		t.Fatal(err)
	}
	id, _ := tok.Extra("id_token").(string)
	if claims := p.claims(id); claims["nonce"] != "n" || claims["email"] != "alice@example.com" {
		t.Errorf("claims %v", claims)
	}
	again, err := app.TokenSource(ctx, &oauth2.Token{RefreshToken: tok.RefreshToken}).Token()
	if err != nil {
		t.Fatal(err)
	}
	if again.RefreshToken != tok.RefreshToken || again.AccessToken == tok.AccessToken {
		t.Error("the refresh token changed without rotation, or the access token did not")
	}
}

func TestTokenAnswer(t *testing.T) {
	p := newPool(t)
	a := p.tokens()
	for name, want := range map[string]string{
		"Content-Type": "application/json;charset=UTF-8", "Access-Control-Allow-Origin": "*", "Pragma": "no-cache",
		"Cache-Control": "no-cache, no-store, max-age=0, must-revalidate",
	} {
		if a.header.Get(name) != want {
			t.Errorf("%s: %q", name, a.header.Get(name))
		}
	}
	if got := names(a.json()); got != "access_token expires_in id_token refresh_token token_type" {
		t.Errorf("members %s", got)
	}
	if a.json()["expires_in"] != 3600.0 || a.member("token_type") != "Bearer" {
		t.Errorf("answer %v", a.json()["expires_in"])
	}
}

func TestIDToken(t *testing.T) {
	p := newPool(t)
	a := p.tokens()
	raw := a.member("id_token")
	header, claims, err := p.verified(raw)
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`^\{"kid":"[A-Za-z0-9+\\/]{43,60}=","alg":"RS256"\}$`).MatchString(header) || !strings.Contains(header, `\/`) {
		t.Errorf("header %s", header)
	}
	if !strings.Contains(segment(raw, 1), `"iss":"http:\/\/127.0.0.1:`) {
		t.Error("the payload does not escape the slash")
	}
	const want = "at_hash aud auth_time cognito:groups cognito:username email email_verified event_id exp iat iss jti nonce origin_jti sub token_use"
	if names(claims) != want {
		t.Errorf("claims %s", names(claims))
	}
	for name, want := range map[string]any{
		"aud": appID, "iss": p.url + "/" + poolID, "token_use": "id", "email": "alice@example.com", "email_verified": true, "nonce": "the-nonce",
		"iat": float64(start.Unix()), "auth_time": float64(start.Unix()), "exp": float64(start.Add(time.Hour).Unix()), "cognito:username": claims["sub"],
		"at_hash": atHash(a.member("access_token")),
	} {
		if claims[name] != want {
			t.Errorf("%s: got %v, want %v", name, claims[name], want)
		}
	}
	if groups, _ := claims["cognito:groups"].([]any); len(groups) != 1 || groups[0] != "admins" {
		t.Errorf("groups %v", claims["cognito:groups"])
	}
}

func TestAccessToken(t *testing.T) {
	p := newPool(t)
	a := p.tokens()
	header, claims, err := p.verified(a.member("access_token"))
	if err != nil {
		t.Fatal(err)
	}
	if jsonMember(header, "kid") == jsonMember(segment(a.member("id_token"), 0), "kid") {
		t.Error("one key signs both kinds of token")
	}
	const want = "auth_time client_id cognito:groups event_id exp iat iss jti origin_jti scope sub token_use username version"
	if names(claims) != want {
		t.Errorf("claims %s", names(claims))
	}
	id := p.claims(a.member("id_token"))
	for name, want := range map[string]any{
		"client_id": appID, "token_use": "access", "scope": "openid email", "version": 2.0, "username": id["sub"], "sub": id["sub"],
		"origin_jti": id["origin_jti"], "event_id": id["event_id"],
	} {
		if claims[name] != want {
			t.Errorf("%s: got %v, want %v", name, claims[name], want)
		}
	}
	if claims["jti"] == id["jti"] {
		t.Error("one jti for two tokens")
	}
	bound := p.claims(p.tokens("resource", "https://api.example").member("access_token"))
	if bound["aud"] != "https://api.example" {
		t.Errorf("aud %v", bound["aud"])
	}
}

func TestTokensOfSomebodyInNoGroup(t *testing.T) {
	p := newPool(t)
	a := p.signIn(p.browser(), p.authorizeURL(), "bob@example.com", password)
	tokens := p.token(exchange(a.location().Query().Get("code")))
	for _, name := range []string{"id_token", "access_token"} {
		if _, ok := p.claims(tokens.member(name))["cognito:groups"]; ok {
			t.Errorf("%s has an empty claim of groups", name)
		}
	}
}

// An address is unverified unless somebody said otherwise, as AdminCreateUser leaves it.
func TestAddressesAreUnverified(t *testing.T) {
	p := newPool(t, func(c *cognito.Config) {
		c.Users = []cognito.User{{Username: "alice@example.com", Password: password}}
	})
	p.ask("user", `{"user":"eve@example.com","password":"`+password+`"}`)
	for _, user := range []string{"alice@example.com", "eve@example.com"} {
		token, _ := p.ask("mint", `{"user":"`+user+`"}`)["token"].(string)
		claims := p.claims(token)
		if claims["email"] != user || claims["email_verified"] != nil {
			t.Errorf("%s: %v", user, claims)
		}
	}
}

func TestScopesDecideAttributes(t *testing.T) {
	p := newPool(t, func(c *cognito.Config) {
		c.Clients[0].Scopes = []string{"openid", "email", "phone", "profile"}
		c.Users = []cognito.User{{Username: "alice@example.com", Password: password, Attributes: map[string]string{
			"phone_number": "+491", "phone_number_verified": "false", "name": "Alice", "custom:level": "7", "email_verified": "true",
		}}}
	})
	const fixed = "at_hash aud auth_time cognito:username event_id exp iat iss jti nonce origin_jti sub token_use"
	for scope, want := range map[string]string{
		"openid":               "custom:level email email_verified name phone_number phone_number_verified",
		"openid email":         "email email_verified",
		"openid phone":         "phone_number phone_number_verified",
		"openid email profile": "custom:level email email_verified name phone_number phone_number_verified",
		"-":                    "custom:level email email_verified name phone_number phone_number_verified",
	} {
		claims := p.claims(p.tokens("scope", scope).member("id_token"))
		for _, name := range strings.Fields(fixed) {
			delete(claims, name)
		}
		if names(claims) != want {
			t.Errorf("%s: %s", scope, names(claims))
		}
		if level, ok := claims["custom:level"]; ok && (level != "7" || claims["phone_number_verified"] != false) {
			t.Errorf("%s: %v", scope, claims)
		}
	}
}

func TestScopesOfOtherClientsAreIgnored(t *testing.T) {
	p := newPool(t)
	a := p.tokens("scope", "openid reports/read")
	if got := p.claims(a.member("access_token"))["scope"]; got != "openid" {
		t.Errorf("scope %v", got)
	}
}

func TestNoIDTokenWithoutOpenID(t *testing.T) {
	p := newPool(t, func(c *cognito.Config) { c.Clients[0].Scopes = []string{"openid", "reports/read"} })
	if got := names(p.tokens("scope", "reports/read").json()); got != "access_token expires_in refresh_token token_type" {
		t.Errorf("members %s", got)
	}
}

func TestRefreshTokenLooksLikeJWE(t *testing.T) {
	p := newPool(t)
	raw := p.tokens().member("refresh_token")
	if len(raw) != 1750 || len(strings.Split(raw, ".")) != 5 || segment(raw, 0) != `{"cty":"JWT","enc":"A256GCM","alg":"RSA-OAEP"}` {
		t.Errorf("%d characters, header %s", len(raw), segment(raw, 0))
	}
}

func TestTokenRefuses(t *testing.T) {
	p := newPool(t)
	post := func(changes ...string) func(t *testing.T) answer {
		return func(*testing.T) answer { return p.token(exchange(p.code()), changes...) }
	}
	raw := func(contentType, body string) func(t *testing.T) answer {
		return func(*testing.T) answer {
			req, err := http.NewRequest("POST", p.url+"/oauth2/token", strings.NewReader(body))
			req.Header.Set("Content-Type", contentType)
			return send(p.browser(), req, err)
		}
	}
	for _, tt := range []struct {
		name string
		send func(*testing.T) answer
		want string // the error
		desc string
	}{
		{"wrong secret", post("basic_secret", "wrong"), "invalid_client", "invalid_client_secret"},
		{"no secret", post("basic_id", "-", "client_id", appID), "invalid_client", "invalid_client_secret"},
		{"wrong secret in the body", post("basic_id", "-", "client_id", appID, "client_secret", "wrong"), "invalid_client", "invalid_client_secret"},
		{"unknown client", post("basic_id", "nobody"), "invalid_client", ""},
		{"no client", post("basic_id", "-"), "invalid_request", ""},
		{"Basic and body", post("client_secret", appSecret), "invalid_request", ""},
		{"two clients", post("client_id", otherID), "invalid_client", ""},
		{"another client's code", post("basic_id", otherID, "basic_secret", otherSecret), "invalid_grant", ""},
		{"machine client", post("basic_id", machineID, "basic_secret", machineSecret), "unauthorized_client", ""},
		{"no code", post("code", "-"), "invalid_request", ""},
		{"unknown code", post("code", "f697fa6b-5131-44e5-a970-c3656fc54c91"), "invalid_grant", ""},
		{"no redirect_uri", post("redirect_uri", "-"), "invalid_request", ""},
		{"other redirect_uri", post("redirect_uri", callback+"/"), "unauthorized_client", ""},
		{"no verifier", post("code_verifier", "-"), "invalid_request", ""},
		{"wrong verifier", post("code_verifier", strings.Repeat("x", 43)), "invalid_grant", ""},
		{"short verifier", post("code_verifier", "short"), "invalid_grant", ""},
		{"no grant", post("grant_type", "-"), "unsupported_grant_type", ""},
		{"password grant", post("grant_type", "password"), "unsupported_grant_type", ""},
		{"no refresh token", post("grant_type", "refresh_token"), "invalid_request", ""},
		{"unknown refresh token", post("grant_type", "refresh_token", "refresh_token", "a.b.c.d.e"), "invalid_grant", ""},
		{"machine grant of the app", post("grant_type", "client_credentials"), "unauthorized_client", ""},
		{"JSON", raw("application/json", `{"grant_type":"refresh_token"}`), "invalid_request", ""},
		{"a field twice", raw("application/x-www-form-urlencoded", "grant_type=refresh_token&grant_type=refresh_token"), "invalid_request", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := tt.send(t)
			if a.status != 400 || a.member("error") != tt.want || a.member("error_description") != tt.desc {
				t.Errorf("got %d %s, want 400 %s %s", a.status, a.body, tt.want, tt.desc)
			}
			if a.header.Get("Access-Control-Allow-Origin") != "*" {
				t.Error("no CORS header")
			}
		})
	}
}

func TestRedirectMismatchAtTheTokenEndpointCanBeInvalidGrant(t *testing.T) {
	p := newPool(t)
	p.ask("settings", `{"mismatch_error":"invalid_grant"}`)
	if a := p.token(exchange(p.code()), "redirect_uri", callback+"/"); a.member("error") != "invalid_grant" {
		t.Error(a.body)
	}
}

func TestClientSecretInTheBody(t *testing.T) {
	p := newPool(t)
	if a := p.token(exchange(p.code()), "basic_id", "-", "client_id", appID, "client_secret", appSecret); a.status != 200 {
		t.Error(a.body)
	}
}

func TestBasicIsFormEncoded(t *testing.T) {
	p := newPool(t)
	form := url.Values{}
	for k, v := range exchange(p.code()) {
		form.Set(k, v)
	}
	req, err := http.NewRequest("POST", p.url+"/oauth2/token", strings.NewReader(form.Encode()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(appID+":"+appSecret)))
	if a := send(p.browser(), req, err); a.member("error") != "invalid_client" {
		t.Error(a.body)
	}
}

func TestTokenIsForPOSTAlone(t *testing.T) {
	p := newPool(t)
	if a := get(p.browser(), p.url+"/oauth2/token"); a.status != 405 {
		t.Errorf("got %d", a.status)
	}
}

func TestQueryIsNotTheForm(t *testing.T) {
	p := newPool(t)
	form := url.Values{}
	for k, v := range exchange(p.code()) {
		form.Set(k, v)
	}
	form.Set("client_id", appID)
	form.Set("client_secret", appSecret)
	if a := post(p.browser(), p.url+"/oauth2/token?"+form.Encode(), url.Values{}); a.status != 400 {
		t.Errorf("got %d", a.status)
	}
}

func TestCodeWorksOnce(t *testing.T) {
	p := newPool(t)
	code := p.code()
	first := p.token(exchange(code))
	if a := p.token(exchange(code)); a.member("error") != "invalid_grant" {
		t.Error(a.body)
	}
	if a := p.token(renewal(first.member("refresh_token"))); a.member("error") != "invalid_grant" {
		t.Error("what the code was exchanged for outlived its reuse")
	}

	p.ask("settings", `{"code_reuse_revokes":false}`)
	code = p.code()
	first = p.token(exchange(code))
	p.token(exchange(code))
	if a := p.token(renewal(first.member("refresh_token"))); a.status != 200 {
		t.Error(a.body)
	}
}

func TestFailedExchangeUsesTheCodeUp(t *testing.T) {
	p := newPool(t)
	for _, tt := range []struct {
		name    string
		changes []string
		want    int // of the next, right try
	}{
		{"wrong verifier", []string{"code_verifier", strings.Repeat("x", 43)}, 400},
		{"wrong redirect_uri", []string{"redirect_uri", callback + "/"}, 400},
		{"wrong secret: it was not the client", []string{"basic_secret", "wrong"}, 200},
		{"other client: it was not its code", []string{"basic_id", otherID, "basic_secret", otherSecret}, 200},
	} {
		code := p.code()
		p.token(exchange(code), tt.changes...)
		if a := p.token(exchange(code)); a.status != tt.want {
			t.Errorf("%s: then %d", tt.name, a.status)
		}
	}
}

func TestCodeLivesFiveMinutes(t *testing.T) {
	p := newPool(t)
	early, late := p.code(), p.code()
	p.pass(5*time.Minute - time.Second)
	if a := p.token(exchange(early)); a.status != 200 {
		t.Error(a.body)
	}
	p.pass(time.Second)
	if a := p.token(exchange(late)); a.member("error") != "invalid_grant" {
		t.Error(a.body)
	}
}

func TestCodeOfADisabledUser(t *testing.T) {
	p := newPool(t)
	code := p.code()
	p.ask("user", `{"user":"alice@example.com","disabled":true}`)
	if a := p.token(exchange(code)); a.member("error") != "invalid_grant" {
		t.Error(a.body)
	}
}

func TestRefresh(t *testing.T) {
	p := newPool(t)
	first := p.tokens()
	p.pass(30 * time.Minute)
	second := p.token(renewal(first.member("refresh_token")))
	if names(second.json()) != "access_token expires_in id_token token_type" {
		t.Fatalf("members %s", names(second.json()))
	}
	before, after := p.claims(first.member("id_token")), p.claims(second.member("id_token"))
	for _, name := range []string{"sub", "iss", "aud", "auth_time", "origin_jti", "event_id"} {
		if before[name] != after[name] {
			t.Errorf("%s changed", name)
		}
	}
	for _, name := range []string{"jti", "iat", "exp", "at_hash"} {
		if before[name] == after[name] {
			t.Errorf("%s did not change", name)
		}
	}
	if _, ok := after["nonce"]; ok {
		t.Error("the nonce came again")
	}
	p.ask("settings", `{"refresh_nonce":true}`)
	if p.claims(p.token(renewal(first.member("refresh_token"))).member("id_token"))["nonce"] != "the-nonce" {
		t.Error("the nonce did not come again")
	}
	if a := p.token(renewal(first.member("refresh_token")), "basic_id", otherID, "basic_secret", otherSecret); a.member("error") != "invalid_grant" {
		t.Error("another client may renew")
	}
}

func TestRefreshTokenExpires(t *testing.T) {
	p := newPool(t, func(c *cognito.Config) { c.Clients[0].RefreshTokenValidity = 2 * time.Hour })
	token := p.tokens().member("refresh_token")
	p.pass(2*time.Hour - time.Second)
	if a := p.token(renewal(token)); a.status != 200 {
		t.Error(a.body)
	}
	p.pass(time.Second)
	if a := p.token(renewal(token)); a.member("error") != "invalid_grant" {
		t.Error(a.body)
	}
}

func TestRefreshEndsForADisabledUser(t *testing.T) {
	p := newPool(t)
	token := p.tokens().member("refresh_token")
	p.ask("user", `{"user":"alice@example.com","disabled":true}`)
	if a := p.token(renewal(token)); a.member("error") != "invalid_grant" {
		t.Error(a.body)
	}
	p.ask("user", `{"user":"alice@example.com","disabled":false}`)
	if a := p.token(renewal(token)); a.status != 200 {
		t.Error(a.body)
	}
}

func TestRotation(t *testing.T) {
	p := newPool(t, func(c *cognito.Config) {
		c.Clients[0].Rotation, c.Clients[0].RotationGrace, c.Clients[0].RefreshTokenValidity = true, 30*time.Second, time.Hour
	})
	first := p.tokens().member("refresh_token")
	renew := func(name, token string, want int) string {
		t.Helper()
		a := p.token(renewal(token))
		if a.status != want || want == 400 && a.member("error") != "invalid_grant" {
			t.Fatalf("%s: %d %s", name, a.status, a.body)
		}
		return a.member("refresh_token")
	}
	second := renew("first", first, 200)
	if second == "" || second == first {
		t.Fatal("no new token")
	}
	p.pass(20 * time.Second)
	third := renew("first within its grace", first, 200)
	if third == second {
		t.Error("the second answer repeats a token")
	}
	p.pass(10 * time.Second)
	renew("first after its grace, which the second use did not extend", first, 400)
	renew("second", second, 200)
	p.pass(59*time.Minute + 29*time.Second)
	last := renew("third", third, 200)
	p.pass(time.Second)
	renew("last, when the first would have expired", last, 400)
}

func TestRotationWithoutGrace(t *testing.T) {
	p := newPool(t, func(c *cognito.Config) { c.Clients[0].Rotation = true })
	first := p.tokens().member("refresh_token")
	second := p.token(renewal(first)).member("refresh_token")
	if a := p.token(renewal(first)); a.member("error") != "invalid_grant" {
		t.Error(a.body)
	}
	if a := p.token(renewal(second)); a.status != 200 {
		t.Error("reuse ended the family")
	}
}

func TestReuseCanEndTheFamily(t *testing.T) {
	p := newPool(t)
	p.ask("settings", `{"rotation":"on","refresh_reuse_revokes":true}`)
	first := p.tokens().member("refresh_token")
	second := p.token(renewal(first)).member("refresh_token")
	p.token(renewal(first))
	if a := p.token(renewal(second)); a.member("error") != "invalid_grant" {
		t.Error(a.body)
	}
}

func TestClientCredentials(t *testing.T) {
	p := newPool(t)
	machine := func(changes ...string) answer {
		return p.token(map[string]string{"grant_type": "client_credentials"}, append([]string{"basic_id", machineID, "basic_secret", machineSecret}, changes...)...)
	}
	a := machine("scope", "reports/read")
	if names(a.json()) != "access_token expires_in token_type" {
		t.Fatal(a.body)
	}
	claims := p.claims(a.member("access_token"))
	if names(claims) != "auth_time client_id exp iat iss jti scope sub token_use version" || claims["sub"] != machineID || claims["scope"] != "reports/read" {
		t.Errorf("claims %v", claims)
	}
	if got := p.claims(machine().member("access_token"))["scope"]; got != "reports/read reports/write" {
		t.Errorf("scope %v", got)
	}
	for _, scope := range []string{"openid", "reports/delete", "reports/read  reports/write"} {
		if a := machine("scope", scope); a.member("error") != "invalid_scope" {
			t.Errorf("%s: %s", scope, a.body)
		}
	}
	if a := machine("grant_type", "refresh_token", "refresh_token", "x"); a.member("error") != "unauthorized_client" {
		t.Error(a.body)
	}
}

func TestChangeOfSecret(t *testing.T) {
	p := newPool(t)
	const fresh = "a+fresh+secret+a+fresh+secret"
	p.ask("secret", `{"client_id":"`+appID+`","secret":"`+fresh+`"}`)
	for _, secret := range []string{appSecret, fresh} {
		if a := p.token(exchange(p.code()), "basic_secret", secret); a.status != 200 {
			t.Error(a.body)
		}
	}
	p.ask("secret", `{"client_id":"`+appID+`","secret":"`+fresh+fresh+`","drop_old":true}`)
	if a := p.token(exchange(p.code()), "basic_secret", fresh); a.member("error") != "invalid_client" {
		t.Error(a.body)
	}
}

func TestManyAtOnce(t *testing.T) {
	p := newPool(t)
	p.ask("settings", `{"rotation":"on","rotation_grace":"30s"}`)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			a := p.token(renewal(p.tokens().member("refresh_token")))
			if _, _, err := p.verified(a.member("id_token")); err != nil {
				t.Error(err)
			}
			if i%4 == 0 {
				p.ask("rotate", `{}`)
			}
			p.ask("mint", `{"alter":"foreign_key"}`)
			p.stats()
		})
	}
	wg.Wait()
	if got := p.stats()["token.refresh_token.ok"]; got != 8.0 {
		t.Errorf("%v refreshes", got)
	}
}
