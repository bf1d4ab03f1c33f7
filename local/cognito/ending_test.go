// Rules of logout, revocation and userInfo.

package cognito_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// atHash is OpenID Connect Core 1.0 section 3.1.3.6, written again.
func atHash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

func TestLogout(t *testing.T) {
	for _, tt := range []struct {
		name  string
		query url.Values
		want  string // where to; or what the page says
		ends  bool
	}{
		{"registered", url.Values{"client_id": {appID}, "logout_uri": {signedOut}, "state": {"x"}}, signedOut, true},
		{"both", url.Values{"client_id": {appID}, "logout_uri": {signedOut}, "redirect_uri": {callback}}, signedOut, true},
		{"not registered", url.Values{"client_id": {appID}, "logout_uri": {signedOut + "/"}}, "Required String parameter &#39;redirect_uri&#39; is not present", false},
		{"of a stranger", url.Values{"client_id": {appID}, "logout_uri": {"https://evil.example/"}}, "redirect_uri", false},
		{"another client's", url.Values{"client_id": {otherID}, "logout_uri": {signedOut}}, "redirect_uri", false},
		{"a callback URL", url.Values{"client_id": {appID}, "logout_uri": {callback}}, "redirect_uri", false},
		{"OpenID Connect's way", url.Values{"client_id": {appID}, "post_logout_redirect_uri": {signedOut}, "id_token_hint": {"x"}}, "redirect_uri", false},
		{"no client", url.Values{"logout_uri": {signedOut}}, "Missing required parameter client_id", false},
		{"unknown client", url.Values{"client_id": {"nobody"}, "logout_uri": {signedOut}}, "Client does not exist", false},
		{"twice", url.Values{"client_id": {appID}, "logout_uri": {signedOut, signedOut}}, "twice", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newPool(t)
			b := p.browser()
			p.signIn(b, p.authorizeURL(), "alice@example.com", password)
			a := get(b, p.url+"/logout?"+tt.query.Encode())
			if to := a.header.Get("Location"); tt.ends && (a.status != 302 || to != tt.want) {
				t.Errorf("got %d %q", a.status, to)
			} else if !tt.ends && (a.status != 400 || to != "" || !strings.Contains(a.body, tt.want)) {
				t.Errorf("got %d %q", a.status, to)
			}
			if asked := get(b, p.authorizeURL()).location().Path == "/login"; asked != tt.ends {
				t.Errorf("asked for a password afterwards: %v", asked)
			}
		})
	}
}

func TestLogoutToLogin(t *testing.T) {
	p := newPool(t)
	b := p.browser()
	p.signIn(b, p.authorizeURL(), "alice@example.com", password)
	to := strings.Replace(p.authorizeURL(), "/oauth2/authorize", "/logout", 1)
	if a := get(b, to); a.header.Get("Location") != strings.Replace(to, "/logout", "/login", 1) {
		t.Errorf("went to %s", a.location())
	}
	if a := get(b, p.authorizeURL()); a.location().Path != "/login" {
		t.Error("the session lives")
	}
	bad := strings.Replace(p.authorizeURL("redirect_uri", "https://evil.example/"), "/oauth2/authorize", "/logout", 1)
	if a := get(b, bad); !strings.HasPrefix(a.location().String(), p.url+"/error?") {
		t.Errorf("went to %s", a.location())
	}
}

// A copy of the cookie must not outlive the logout either.
func TestLogoutEndsTheSessionAndNoToken(t *testing.T) {
	p := newPool(t)
	b := p.browser()
	a := p.signIn(b, p.authorizeURL(), "alice@example.com", password)
	stolen := a.header.Get("Set-Cookie")
	tokens := p.token(exchange(a.location().Query().Get("code")))
	get(b, p.url+"/logout?client_id="+appID+"&logout_uri="+url.QueryEscape(signedOut))
	req, err := http.NewRequest("GET", p.authorizeURL(), nil)
	req.Header.Set("Cookie", strings.Split(stolen, ";")[0])
	if a := send(p.browser(), req, err); a.location().Path != "/login" {
		t.Error("the cookie's copy still works")
	}
	if a := p.token(renewal(tokens.member("refresh_token"))); a.status != 200 {
		t.Error("logout revoked the refresh token")
	}
}

func TestRevoke(t *testing.T) {
	p := newPool(t)
	tokens := p.tokens()
	revoke := func(id, secret string, form url.Values) answer {
		req, err := http.NewRequest("POST", p.url+"/oauth2/revoke", strings.NewReader(form.Encode()))
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if id != "" {
			req.SetBasicAuth(url.QueryEscape(id), url.QueryEscape(secret))
		}
		return send(p.browser(), req, err)
	}
	token := url.Values{"token": {tokens.member("refresh_token")}}
	alive := func() bool { return p.token(renewal(tokens.member("refresh_token"))).status == 200 }
	for _, tt := range []struct {
		name, id, secret string
		form             url.Values
		status           int
		want             string
	}{
		{"no token", appID, appSecret, url.Values{}, 400, "invalid_request"},
		{"wrong secret", appID, "wrong", token, 401, "invalid_client"},
		{"no credentials", "", "", token, 401, "invalid_client"},
		{"credentials in the body", "", "", url.Values{"token": token["token"], "client_id": {appID}, "client_secret": {appSecret}}, 401, "invalid_client"},
		{"unknown client", "nobody", "x", token, 401, "invalid_client"},
		{"access token", appID, appSecret, url.Values{"token": {tokens.member("access_token")}}, 400, "unsupported_token_type"},
		{"unknown token", appID, appSecret, url.Values{"token": {"a.b.c.d.e"}}, 200, ""},
		{"another client's token", otherID, otherSecret, token, 200, ""},
	} {
		a := revoke(tt.id, tt.secret, tt.form)
		if a.status != tt.status || a.member("error") != tt.want || !alive() {
			t.Errorf("%s: got %d %s", tt.name, a.status, a.body)
		}
	}
	for range 2 {
		if a := revoke(appID, appSecret, token); a.status != 200 || a.body != "" {
			t.Errorf("got %d %q", a.status, a.body)
		}
	}
	if alive() {
		t.Error("still renews")
	}
	p.claims(tokens.member("access_token")) // still verifies
	if a := p.userInfo(tokens.member("access_token")); a.status != 401 {
		t.Errorf("userInfo after revocation: %d", a.status)
	}
}

func (p *pool) userInfo(token string) answer {
	req, err := http.NewRequest("GET", p.url+"/oauth2/userInfo", nil)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	return send(p.browser(), req, err)
}

func TestUserInfo(t *testing.T) {
	p := newPool(t)
	tokens := p.tokens()
	a := p.userInfo(tokens.member("access_token"))
	if a.status != 200 || names(a.json()) != "email email_verified sub username" || a.json()["email_verified"] != "true" {
		t.Errorf("got %d %s", a.status, a.body)
	}
	if a := p.userInfo(""); a.status != 400 || !strings.HasPrefix(a.header.Get("WWW-Authenticate"), `error="invalid_request"`) {
		t.Errorf("no token: %d", a.status)
	}
	minted := func(body string) string { s, _ := p.ask("mint", body)["token"].(string); return s }
	for name, token := range map[string]string{
		"ID token":        tokens.member("id_token"),
		"nonsense":        "a.b.c",
		"alg none":        minted(`{"use":"access","alter":"alg_none"}`),
		"bad signature":   minted(`{"use":"access","alter":"bad_signature"}`),
		"unknown key":     minted(`{"use":"access","alter":"unknown_kid"}`),
		"other pool":      minted(`{"use":"access","alter":"other_pool"}`),
		"expired":         minted(`{"use":"access","alter":"expired"}`),
		"without openid":  minted(`{"use":"access","claims":{"scope":"email"}}`),
		"unknown sign-in": minted(`{"use":"access","claims":{"origin_jti":"x"}}`),
		"says it is id":   minted(`{"use":"access","alter":"wrong_use"}`),
	} {
		if a := p.userInfo(token); a.status != 401 || !strings.HasPrefix(a.header.Get("WWW-Authenticate"), `error="invalid_token"`) {
			t.Errorf("%s: got %d", name, a.status)
		}
	}
	p.pass(time.Hour)
	if a := p.userInfo(tokens.member("access_token")); a.status != 401 {
		t.Errorf("expired: %d", a.status)
	}
}
