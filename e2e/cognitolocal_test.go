// The npm package cognito-local imitates Cognito's tokens and AWS API, and others wrote it: what it signs must be a session here, claim by claim. A sign-in
// through our callback it cannot end: its token endpoint wants the client's id in the body, where Cognito takes it from the Authorization header, and its
// ID tokens lack the nonce that was asked for. It checks no client secret either. So tokens come from its InitiateAuth.
package e2e

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// cognitoLocal is a running cognito-local, at an origin.
type cognitoLocal string

// call asks its AWS API, which wants no signature.
func (c cognitoLocal) call(t testing.TB, operation string, in map[string]any) map[string]any {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, string(c)+"/", bytes.NewReader(must(json.Marshal(in))))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", "AWSCognitoIdentityProviderService."+operation)
	e := exchangeOf(t, r)
	var out map[string]any
	if err := json.Unmarshal([]byte(e.body), &out); err != nil || e.status != http.StatusOK {
		t.Fatalf("%s: %d, %v, %.200s", operation, e.status, err, e.body)
	}
	return out
}

// tokens signs somebody in, without a browser.
func (c cognitoLocal) tokens(t testing.TB, clientID, user string) (id, access string) {
	t.Helper()
	out := c.call(t, "InitiateAuth", map[string]any{
		"AuthFlow": "USER_PASSWORD_AUTH", "ClientId": clientID, "AuthParameters": map[string]string{"USERNAME": user, "PASSWORD": password},
	})["AuthenticationResult"].(map[string]any)
	return out["IdToken"].(string), out["AccessToken"].(string)
}

func beginCognitoLocal(t testing.TB) cognitoLocal {
	t.Helper()
	folder := npm(t, "cognito-local")
	port := freePort(t)
	c := cognitoLocal("http://127.0.0.1:" + port)
	cmd := exec.Command("node", filepath.Join(folder, "node_modules", "cognito-local", "lib", "bin", "start.js"))
	cmd.Dir = t.TempDir() // where it keeps its pools
	cmd.Env = append(os.Environ(), "HOST=127.0.0.1", "PORT="+port)
	settings := must(json.Marshal(map[string]any{"TokenConfig": map[string]string{"IssuerDomain": string(c)}}))
	if err := os.Mkdir(filepath.Join(cmd.Dir, ".cognito"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(cmd.Dir, ".cognito", "config.json"), settings, 0o600); err != nil {
		t.Fatal(err)
	}
	await(t, begin(t, cmd), `Cognito Local running on`)
	return c
}

func TestCognitoLocal(t *testing.T) {
	c := beginCognitoLocal(t)
	appPort := freePort(t)
	app := "http://localhost:" + appPort + "/Prod"
	pool := c.call(t, "CreateUserPool", map[string]any{"PoolName": "pool"})["UserPool"].(map[string]any)["Id"].(string)
	newClient := func(name string) string {
		return c.call(t, "CreateUserPoolClient", map[string]any{
			"UserPoolId": pool, "ClientName": name, "GenerateSecret": true, "CallbackURLs": []string{app + "/auth/callback"},
			"ExplicitAuthFlows": []string{"ALLOW_USER_PASSWORD_AUTH"}, "AllowedOAuthFlows": []string{"code"},
		})["UserPoolClient"].(map[string]any)["ClientId"].(string)
	}
	clientID, otherID := newClient("app"), newClient("other")
	c.call(t, "CreateGroup", map[string]any{"UserPoolId": pool, "GroupName": "admins"})
	for _, user := range []string{alice, bob} {
		c.call(t, "AdminCreateUser", map[string]any{
			"UserPoolId": pool, "Username": user, "MessageAction": "SUPPRESS", "TemporaryPassword": password,
			"UserAttributes": []map[string]string{{"Name": "email", "Value": user}, {"Name": "email_verified", "Value": "true"}},
		})
		c.call(t, "AdminSetUserPassword", map[string]any{"UserPoolId": pool, "Username": user, "Password": password, "Permanent": true})
	}
	c.call(t, "AdminAddUserToGroup", map[string]any{"UserPoolId": pool, "Username": alice, "GroupName": "admins"})

	issuer := string(c) + "/" + pool
	s := beginSite(t, appPort,
		"-env", "EdgeAuth/AuthorizerFunction.AUTH_ISSUER="+issuer,
		"-env", "EdgeAuth/AuthorizerFunction.AUTH_CLIENT_IDS="+clientID,
		"-env", "EdgeAuth/AuthorizerFunction.AUTH_BEARER_CLIENT_IDS="+clientID)
	s.cognito = string(c)
	s.aws.set(s.app, s.cognito, issuer, pool, clientID, "")
	s.aws.pool = httputil.NewSingleHostReverseProxy(must(url.Parse(string(c))))

	id, access := c.tokens(t, clientID, alice)
	t.Run("an ID token is a session", func(t *testing.T) {
		me := wantJSON(t, plain(t, http.MethodGet, s.app+"/api/me", "__Host-id="+id), http.StatusOK)
		claims := claimsOf(t, id)
		if me["email"] != alice || me["sub"] != claims["sub"] || me["token_use"] != "id" || me["username"] != claims["cognito:username"] || !holds(me["groups"], "admins") {
			t.Errorf("%v from %v", me, claims)
		}
		wantPage(t, plain(t, http.MethodGet, s.app+"/", "__Host-id="+id, "Accept", "text/html"), http.StatusOK, alice)
		ofBob, _ := c.tokens(t, clientID, bob) // in no group: a token without the claim
		if me := wantJSON(t, plain(t, http.MethodGet, s.app+"/api/me", "__Host-id="+ofBob), http.StatusOK); me["email"] != bob || !holds(me["groups"]) {
			t.Errorf("bob is %v", me)
		}
	})
	t.Run("an access token is a program's", func(t *testing.T) {
		me := wantJSON(t, plain(t, http.MethodGet, s.app+"/api/me", "", "Authorization", "Bearer "+access), http.StatusOK)
		if me["token_use"] != "access" || me["username"] != claimsOf(t, access)["username"] || !holds(me["groups"], "admins") {
			t.Errorf("%v from %v", me, claimsOf(t, access))
		}
	})
	t.Run("anything else is refused", func(t *testing.T) {
		ofOther, accessOfOther := c.tokens(t, otherID, alice)
		s.requireRefused(t, "an access token as a session", "__Host-id="+access)
		s.requireRefused(t, "another client's token", "__Host-id="+ofOther)
		s.requireRefused(t, "a changed signature", "__Host-id="+flip(id, len(id)-10))
		for _, token := range []string{id, accessOfOther, flip(access, len(access)-10)} {
			wantJSON(t, plain(t, http.MethodGet, s.app+"/api/me", "", "Authorization", "Bearer "+token), http.StatusUnauthorized)
		}
	})
	t.Run("a login gets as far as the exchange", func(t *testing.T) {
		b := newBrowser(t)
		requireFailedLogin(t, s.system, b, b.callBack(s.system, s.toCallback(t, b, alice)), "login_code_refused")
	})
}

// holds reports whether a list of a JSON answer holds just these words.
func holds(list any, words ...string) bool {
	got, ok := list.([]any)
	if !ok || len(got) != len(words) {
		return false
	}
	for i, w := range words {
		if got[i] != w {
			return false
		}
	}
	return true
}
