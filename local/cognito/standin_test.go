// Rules of faults, settings, minted tokens and counters.

package cognito_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"edgeauth/local/cognito"
)

func TestAdminIsNotForOtherOrigins(t *testing.T) {
	p := newPool(t)
	for _, tt := range []struct {
		name, contentType, origin, body string
		want                            int
	}{
		{"as it should be", "application/json", "", `{}`, 200},
		{"no body", "application/json", "", ``, 200},
		{"own origin", "application/json", p.url, `{}`, 200},
		{"other origin", "application/json", "http://localhost:3000", `{}`, 403},
		{"form", "text/plain", "", `{}`, 415},
		{"misspelt member", "application/json", "", `{"at":"token","knd":"slow"}`, 400},
		{"two values", "application/json", "", `{} {}`, 400},
	} {
		req, err := http.NewRequest("POST", p.url+"/_standin/clear", strings.NewReader(tt.body))
		req.Header.Set("Content-Type", tt.contentType)
		if tt.origin != "" {
			req.Header.Set("Origin", tt.origin)
		}
		if a := send(p.browser(), req, err); a.status != tt.want {
			t.Errorf("%s: got %d, want %d", tt.name, a.status, tt.want)
		}
	}
}

func TestIndexSaysWhatThereIs(t *testing.T) {
	p := newPool(t)
	p.ask("fault", `{"at":"jwks","kind":"slow","times":-1,"delay":"2s"}`)
	a := get(p.browser(), p.url+"/_standin/")
	var index struct {
		Endpoints, Settings map[string]string
		Kinds               map[string]string `json:"fault_kinds"`
		Alterations         map[string]string
		Faults              []map[string]any `json:"faults_now"`
		Now                 map[string]any   `json:"settings_now"`
	}
	if err := json.Unmarshal([]byte(a.body), &index); err != nil {
		t.Fatal(err)
	}
	if len(index.Endpoints) != 13 || len(index.Kinds) < 10 || len(index.Alterations) < 25 || len(index.Settings) != len(index.Now) ||
		len(index.Faults) != 1 || index.Faults[0]["delay"] != "2s" {
		t.Errorf("got %+v", index)
	}
	for name, sentence := range index.Settings {
		if name == "" || sentence == "" {
			t.Errorf("setting %q lacks a sentence", name)
		}
	}
}

func TestFaultsThatMakeNoSenseAreRefused(t *testing.T) {
	p := newPool(t)
	for _, body := range []string{
		`{"at":"nowhere","kind":"status"}`, `{"at":"token","kind":"dance"}`, `{"at":"jwks","kind":"alter","alter":"expired"}`,
		`{"at":"token","kind":"alter","alter":"nothing"}`, `{"at":"token","kind":"drop"}`,
	} {
		req, err := http.NewRequest("POST", p.url+"/_standin/fault", strings.NewReader(body))
		req.Header.Set("Content-Type", "application/json")
		if a := send(p.browser(), req, err); a.status != 400 || a.member("error") == "" {
			t.Errorf("%s: got %d", body, a.status)
		}
	}
}

func TestFaultsAtTheTokenEndpoint(t *testing.T) {
	for _, tt := range []struct {
		name, fault string
		check       func(a answer) bool
		used        bool // the code is used up
	}{
		{"429", `{"at":"token","kind":"status","status":429}`, func(a answer) bool { return a.status == 429 && strings.HasPrefix(a.body, "<!doctype html>") }, false},
		{"500", `{"at":"token","kind":"status"}`, func(a answer) bool { return a.status == 500 }, false},
		{"html", `{"at":"token","kind":"html"}`, func(a answer) bool { return a.status == 200 && strings.HasPrefix(a.body, "<") }, false},
		{"huge", `{"at":"token","kind":"huge","bytes":300000}`, func(a answer) bool { return a.status == 200 && len(a.body) > 300000 }, false},
		{"redirect", `{"at":"token","kind":"redirect"}`, func(a answer) bool { return a.status == 307 && a.header.Get("Location") != "" }, false},
		{"throttle", `{"at":"token","kind":"throttle"}`, func(a answer) bool { return a.status == 400 && a.member("__type") == "TooManyRequestsException" }, false},
		{"reset", `{"at":"token","kind":"reset"}`, func(a answer) bool { return a.err != nil }, true},
		{"truncated", `{"at":"token","kind":"truncated"}`, func(a answer) bool { return a.status == 200 && a.json() == nil && a.body != "" }, true},
		{"no id_token", `{"at":"token","kind":"drop","member":"id_token"}`, func(a answer) bool { return names(a.json()) == "access_token expires_in refresh_token token_type" }, true},
		{"no refresh_token", `{"at":"token","kind":"drop","member":"refresh_token"}`, func(a answer) bool { return names(a.json()) == "access_token expires_in id_token token_type" }, true},
		{"nonce", `{"at":"token","kind":"alter","alter":"wrong_nonce"}`, func(a answer) bool { return strings.Contains(segment(a.member("id_token"), 1), "not-the-nonce") }, true},
		{"other grant", `{"at":"token","kind":"status","grant":"refresh_token"}`, func(a answer) bool { return a.status == 200 }, true},
		{"other point", `{"at":"jwks","kind":"status"}`, func(a answer) bool { return a.status == 200 }, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newPool(t)
			code := p.code()
			p.ask("fault", tt.fault)
			if a := p.token(exchange(code)); !tt.check(a) {
				t.Errorf("got %d %v", a.status, a.err)
			}
			if a := p.token(exchange(code)); (a.status == 400) != tt.used {
				t.Errorf("then %d %s", a.status, a.body)
			}
		})
	}
}

func TestFaultsLastForTheirTimes(t *testing.T) {
	p := newPool(t)
	jwks := func() int { return get(p.browser(), p.url+"/"+poolID+"/.well-known/jwks.json").status }
	p.ask("fault", `{"at":"jwks","kind":"status","status":503,"times":2}`)
	if got := [3]int{jwks(), jwks(), jwks()}; got != [3]int{503, 503, 200} {
		t.Errorf("twice: %v", got)
	}
	p.ask("fault", `{"at":"jwks","kind":"status","times":-1}`)
	p.ask("clear", `{"at":"token"}`)
	if got := [3]int{jwks(), jwks(), jwks()}; got != [3]int{500, 500, 500} {
		t.Errorf("until cleared: %v", got)
	}
	p.ask("clear", `{"at":"jwks"}`)
	if jwks() != 200 {
		t.Error("not cleared")
	}
	p.ask("fault", `{"at":"jwks","kind":"empty"}`)
	if p.kids() != nil {
		t.Error("the set has keys")
	}
}

func TestHeldAnswersAreReleased(t *testing.T) {
	p := newPool(t)
	code := p.code()
	p.ask("fault", `{"at":"token","kind":"slow"}`)
	held := make(chan answer)
	go func() { held <- p.token(exchange(code)) }()
	for p.stats()["token.authorization_code.ok"] != 1.0 {
		time.Sleep(time.Millisecond) // until it is done, and its answer held
	}
	select {
	case <-held:
		t.Fatal("not held")
	default:
	}
	p.ask("clear", `{}`)
	if a := <-held; a.status != 200 {
		t.Errorf("got %d %v", a.status, a.err)
	}

	p.ask("fault", `{"at":"token","kind":"slow","delay":"20ms"}`)
	if a := p.token(exchange(p.code())); a.status != 200 {
		t.Errorf("got %d %v", a.status, a.err)
	}
}

func TestClientThatLeavesIsNotWaitedFor(t *testing.T) {
	p := newPool(t)
	code := p.code()
	p.ask("fault", `{"at":"token","kind":"slow"}`)
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	form := "grant_type=authorization_code&client_id=" + appID
	req, err := http.NewRequestWithContext(ctx, "POST", p.url+"/oauth2/token", strings.NewReader(form))
	if a := send(p.browser(), req, err); a.err == nil {
		t.Errorf("got %d", a.status)
	}
	if a := p.token(exchange(code)); a.status != 200 {
		t.Errorf("then %d", a.status)
	}
}

func TestErrorCallbacks(t *testing.T) {
	p := newPool(t)
	p.ask("fault", `{"at":"authorize","kind":"error","error":"server_error"}`)
	if q := get(p.browser(), p.authorizeURL()).location().Query(); q.Get("error") != "server_error" || q.Has("state") || q.Has("code") {
		t.Errorf("got %v", q)
	}
	p.ask("fault", `{"at":"login","kind":"error","state":true}`)
	a := p.signIn(p.browser(), p.authorizeURL(), "alice@example.com", password)
	if q := a.location().Query(); q.Get("error") != "access_denied" || q.Get("state") != "the state/+" || q.Has("code") {
		t.Errorf("got %v", q)
	}
}

func TestSettings(t *testing.T) {
	p := newPool(t)
	p.ask("settings", `{"skew":"-90s","id_validity":"30s","access_validity":"40s","escape_slash":false,"groups":3,"group_length":30}`)
	p.ask("settings", `{"refresh_token_bytes":4000}`)
	a := p.tokens()
	id, access := p.claims(a.member("id_token")), p.claims(a.member("access_token"))
	issued := float64(start.Add(-90 * time.Second).Unix())
	if id["iat"] != issued || id["auth_time"] != issued || id["exp"] != issued+30 || access["exp"] != issued+40 || a.json()["expires_in"] != 40.0 {
		t.Errorf("claims %v", id)
	}
	if strings.Contains(segment(a.member("id_token"), 1), `\/`) {
		t.Error("the slash is escaped")
	}
	groups, _ := id["cognito:groups"].([]any)
	if len(groups) != 4 || len(groups[1].(string)) != 30 || groups[1] == groups[2] {
		t.Errorf("groups %v", groups)
	}
	if n := len(a.member("refresh_token")); n < 3990 || n > 4010 {
		t.Errorf("refresh token of %d", n)
	}
	p.ask("settings", `{"refresh_validity":"10s"}`)
	a = p.tokens()
	p.pass(10 * time.Second)
	if a := p.token(renewal(a.member("refresh_token"))); a.member("error") != "invalid_grant" {
		t.Error(a.body)
	}
	p.ask("settings", `{"rotation":"on","refresh_validity":"0s","rotation_grace":"5s"}`)
	first := p.tokens().member("refresh_token")
	p.token(renewal(first))
	p.pass(5 * time.Second)
	if a := p.token(renewal(first)); a.status != 400 {
		t.Error("the grace did not end")
	}
	p.ask("reset", `{}`)
	if _, ok := p.token(renewal(p.tokens().member("refresh_token"))).json()["refresh_token"]; ok {
		t.Error("reset did not restore rotation")
	}
	for _, bad := range []string{`{"rotation":"maybe"}`, `{"mismatch_error":"oops"}`, `{"skew":90}`} {
		req, err := http.NewRequest("POST", p.url+"/_standin/settings", strings.NewReader(bad))
		req.Header.Set("Content-Type", "application/json")
		if a := send(p.browser(), req, err); a.status != 400 {
			t.Errorf("%s: %d", bad, a.status)
		}
	}
}

func TestRotationCanBeTurnedOff(t *testing.T) {
	p := newPool(t, func(c *cognito.Config) { c.Clients[0].Rotation = true })
	p.ask("settings", `{"rotation":"off"}`)
	token := p.tokens().member("refresh_token")
	if a := p.token(renewal(token)); a.member("refresh_token") != "" {
		t.Error("it rotated")
	}
}

func TestTokenSize(t *testing.T) {
	p := newPool(t)
	for _, size := range []string{"2000", "4097", "9000", "40001"} {
		p.ask("settings", `{"id_token_bytes":`+size+`}`)
		var want int
		_ = json.Unmarshal([]byte(size), &want)
		raw := p.tokens().member("id_token")
		if n := len(raw); n < want || n > want+3 {
			t.Errorf("%s: got %d", size, n)
		}
		p.claims(raw)
		minted, _ := p.ask("mint", `{}`)["token"].(string)
		if len(minted) < want {
			t.Errorf("%s: minted %d", size, len(minted))
		}
	}
	p.ask("settings", `{"id_token_bytes":10}`)
	if _, ok := p.claims(p.tokens().member("id_token"))["custom:padding"]; ok {
		t.Error("a token that is large enough was padded")
	}
}

func TestClockCanBeMoved(t *testing.T) {
	p := newPool(t)
	token := p.tokens().member("refresh_token")
	p.ask("clock", `{"advance":"719h"}`)
	a := p.token(renewal(token))
	if a.status != 200 || p.claims(a.member("id_token"))["iat"] != float64(start.Add(719*time.Hour).Unix()) {
		t.Error(a.body)
	}
	p.ask("clock", `{"advance":"1h"}`)
	if a := p.token(renewal(token)); a.status != 400 {
		t.Error("the moves do not add up")
	}
}

func TestRevokeEverything(t *testing.T) {
	p := newPool(t)
	b := p.browser()
	tokens := p.token(exchange(p.signIn(b, p.authorizeURL(), "alice@example.com", password).location().Query().Get("code")))
	p.ask("revoke", `{"user":"bob@example.com"}`)
	if a := p.token(renewal(tokens.member("refresh_token"))); a.status != 200 {
		t.Error("bob's end is alice's")
	}
	p.ask("revoke", `{}`)
	if a := p.token(renewal(tokens.member("refresh_token"))); a.member("error") != "invalid_grant" {
		t.Error(a.body)
	}
	if a := get(b, p.authorizeURL()); a.location().Path != "/login" {
		t.Error("the browser's session lives")
	}
}

func TestUserCanBeChanged(t *testing.T) {
	p := newPool(t)
	token := p.tokens().member("refresh_token")
	p.ask("user", `{"user":"alice@example.com","groups":["treasury","staff"],"attributes":{"email":"alice@example.org"},"password":"Another-word-1"}`)
	claims := p.claims(p.token(renewal(token)).member("id_token"))
	if groups, _ := claims["cognito:groups"].([]any); len(groups) != 2 || claims["email"] != "alice@example.org" {
		t.Errorf("claims %v", claims)
	}
	if a := p.signIn(p.browser(), p.authorizeURL(), "alice@example.com", password); a.status != 400 {
		t.Error("the old password still works")
	}
	p.ask("user", `{"user":"new@example.com","password":"New-word-1"}`)
	if a := p.signIn(p.browser(), p.authorizeURL(), "new@example.com", "New-word-1"); a.status != 302 {
		t.Error("the new user cannot sign in")
	}
}

// Each alteration is judged by another library: what is wrong with the signature does not verify, and what is wrong with the claims is seen in them.
func TestAlterations(t *testing.T) {
	p := newPool(t)
	var index struct{ Alterations map[string]string }
	_ = json.Unmarshal([]byte(get(p.browser(), p.url+"/_standin/").body), &index)
	unverifiable := map[string]bool{
		"unknown_kid": true, "no_kid": true, "foreign_key": true, "bad_signature": true, "no_signature": true, "alg_none": true, "hs256": true, "rs512": true,
		"b64": true, "embedded_jwk": true,
	}
	now := start.Unix()
	checks := map[string]func(header string, c map[string]any) bool{
		"other_client": func(_ string, c map[string]any) bool { return c["aud"] != appID && c["aud"] != nil },
		"other_pool":   func(_ string, c map[string]any) bool { return c["iss"] == p.url+"/eu-west-1_Other0001" },
		"issuer_slash": func(_ string, c map[string]any) bool { return c["iss"] == p.url+"/"+poolID+"/" },
		"updated_issuer": func(_ string, c map[string]any) bool {
			return c["iss"] == "https://issuer-cognito-idp.eu-west-1.amazonaws.com/"+poolID
		},
		"other_user": func(_ string, c map[string]any) bool {
			return c["email"] == "mallory@example.com" && c["sub"] == c["cognito:username"]
		},
		"array_aud":        func(_ string, c map[string]any) bool { l, _ := c["aud"].([]any); return len(l) == 1 && l[0] == appID },
		"no_aud":           func(_ string, c map[string]any) bool { _, ok := c["aud"]; return !ok },
		"no_sub":           func(_ string, c map[string]any) bool { _, ok := c["sub"]; return !ok },
		"wrong_use":        func(_ string, c map[string]any) bool { return c["token_use"] == "access" },
		"no_use":           func(_ string, c map[string]any) bool { _, ok := c["token_use"]; return !ok },
		"wrong_nonce":      func(_ string, c map[string]any) bool { return c["nonce"] != "n" && c["nonce"] != nil },
		"no_nonce":         func(_ string, c map[string]any) bool { _, ok := c["nonce"]; return !ok },
		"wrong_at_hash":    func(_ string, c map[string]any) bool { return c["at_hash"] != nil },
		"expired":          func(_ string, c map[string]any) bool { return c["exp"] == float64(now-1) },
		"expires_now":      func(_ string, c map[string]any) bool { return c["exp"] == float64(now) },
		"no_exp":           func(_ string, c map[string]any) bool { _, ok := c["exp"]; return !ok },
		"string_exp":       func(_ string, c map[string]any) bool { _, ok := c["exp"].(string); return ok },
		"future_iat":       func(_ string, c map[string]any) bool { return c["iat"] == float64(now+3600) },
		"future_nbf":       func(_ string, c map[string]any) bool { return c["nbf"] == float64(now+3600) },
		"later_auth_time":  func(_ string, c map[string]any) bool { return c["auth_time"] == float64(now+3600) },
		"access_key":       func(h string, _ map[string]any) bool { return jsonMember(h, "kid") == p.kids()[1] },
		"duplicate_member": func(_ string, c map[string]any) bool { return c["sub"] == "somebody-else" },
		"crit":             func(h string, _ map[string]any) bool { return strings.Contains(h, `"crit":["edgeauth-unknown"]`) }, // which jwx does not mind
		"typ":              func(h string, _ map[string]any) bool { return jsonMember(h, "typ") == "JWT" },
	}
	for name := range index.Alterations {
		raw, _ := p.ask("mint", `{"nonce":"n","alter":"`+name+`"}`)["token"].(string)
		header, claims, err := p.verified(raw)
		check, ok := checks[name]
		switch {
		case unverifiable[name] == ok:
			t.Errorf("%s: not judged, or twice", name)
		case ok && (err != nil || !check(header, claims)):
			t.Errorf("%s: %v, claims %v", name, err, claims)
		case !ok && err == nil:
			t.Errorf("%s: verifies", name)
		}
	}
}

func TestMint(t *testing.T) {
	p := newPool(t)
	mint := func(body string) map[string]any {
		raw, _ := p.ask("mint", body)["token"].(string)
		return p.claims(raw)
	}
	if c := mint(`{}`); c["email"] != "alice@example.com" || c["token_use"] != "id" || c["aud"] != appID {
		t.Errorf("claims %v", c)
	}
	c := mint(`{"user":"bob@example.com","client_id":"` + otherID + `","use":"access","claims":{"exp":12,"jti":null,"x":{"y":[1]}}}`)
	if _, ok := c["jti"]; ok || c["client_id"] != otherID || c["exp"] != 12.0 || c["x"] == nil || c["token_use"] != "access" {
		t.Errorf("claims %v", c)
	}
	for _, body := range []string{`{"user":"nobody"}`, `{"client_id":"nobody"}`, `{"use":"refresh"}`, `{"alter":"oops"}`} {
		req, err := http.NewRequest("POST", p.url+"/_standin/mint", strings.NewReader(body))
		req.Header.Set("Content-Type", "application/json")
		if a := send(p.browser(), req, err); a.status == 200 {
			t.Errorf("%s: %s", body, a.body)
		}
	}
}

func TestStats(t *testing.T) {
	p := newPool(t)
	tokens := p.tokens()
	p.signIn(p.browser(), p.authorizeURL(), "alice@example.com", "wrong")
	p.token(renewal(tokens.member("refresh_token")))
	p.token(renewal("nonsense"))
	p.kids()
	got := p.stats()
	for name, want := range map[string]float64{
		"authorize": 2, "login_form": 2, "login": 2, "login.ok": 1, "login.failed": 1, "codes": 1, "token": 3, "token.authorization_code": 1,
		"token.authorization_code.ok": 1, "token.refresh_token": 2, "token.refresh_token.ok": 1, "jwks": 1,
	} {
		if got[name] != want {
			t.Errorf("%s: got %v, want %v", name, got[name], want)
		}
	}
	p.ask("reset", `{}`)
	if got := p.stats(); len(got) != 0 {
		t.Errorf("after a reset %v", got)
	}
}
