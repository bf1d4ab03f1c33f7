// This file tests what a good credential still may not do: rules, step-up, machines, other sites,
// paths.

package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"edgeauth/internal/apigw"
	"edgeauth/internal/config"
	"edgeauth/internal/token/tokentest"
)

const table = `
*           /*           signed-in
*           /admin/*     group:admins
POST,PUT    /payments/*  group:treasury  max-age:10m
GET         /fresh       max-age:10m
GET         /api/export  scope:reports/read
`

func TestRules(t *testing.T) {
	d := newDoor(t, rules(table))
	token := func(groups ...string) string { return d.pool.IDToken(tokentest.Claims{"cognito:groups": groups}) }
	const unpaid = " POST/payments POST/payments/* PUT/payments PUT/payments/*"
	admin := ""
	for _, m := range []string{"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"} {
		admin += " " + m + "/admin " + m + "/admin/*"
	}
	for _, c := range []struct {
		r      request
		token  string
		want   string
		policy string // with the shipped statement in front
	}{
		{page.at("GET", "/"), token("admins", "treasury"), "allow ok", "; Deny GET/api/export GET/api/export/"},
		{page.at("GET", "/admin"), token("admins", "treasury"), "allow ok", "; Deny GET/api/export GET/api/export/"},
		{script.at("GET", "/admin/x"), token("treasury"), "denied group_required", "; Deny" + sorted(admin+" GET/api/export GET/api/export/") + " GET/admin/x"},
		{page.at("GET", "/admin/"), token("treasury"), "denied group_required", "; Deny" + sorted(admin+" GET/api/export GET/api/export/") + " GET/admin/"},
		{script.at("POST", "/payments/7"), token("admins"), "denied group_required", "; Deny GET/api/export GET/api/export/" + unpaid + " POST/payments/7"},
		{script.at("GET", "/api/export"), token("admins", "treasury"), "denied scope_required", "; Deny GET/api/export GET/api/export/ GET/api/export"},
	} {
		t.Run(c.r.method+c.r.path, func(t *testing.T) {
			a := d.want(t, c.r.session(c.token), c.want)
			if got := a.policy(t); got != "Allow *"+c.policy {
				t.Errorf("got  %s\nwant %s", got, "Allow *"+c.policy)
			}
			if strings.HasPrefix(c.want, "denied") && (a.PrincipalID != tokentest.Subject || len(a.Context) != 2) {
				t.Errorf("%s %v", a.PrincipalID, a.Context)
			}
		})
	}
}

// sorted puts a list of words into order.
func sorted(words string) string {
	list := strings.Fields(words)
	for i := range list {
		for j := i; j > 0 && list[j] < list[j-1]; j-- {
			list[j], list[j-1] = list[j-1], list[j]
		}
	}
	return " " + strings.Join(list, " ")
}

func TestNoRule(t *testing.T) {
	d := newDoor(t, rules("GET /open/* signed-in"))
	a := d.want(t, page.at("GET", "/closed").session(d.pool.IDToken(nil)), "denied no_rule")
	if got := a.policy(t); got != "Allow GET/open GET/open/*; Deny GET/closed" {
		t.Error(got)
	}
}

func TestStepUp(t *testing.T) {
	d := newDoor(t, rules(table))
	old := d.pool.IDToken(tokentest.Claims{"auth_time": d.pool.Now().Add(-time.Hour).Unix(), "cognito:groups": []string{"treasury"}})
	a := d.want(t, request{header: page.header, path: "/fresh", query: "a=1"}.session(old), "login step_up_required")
	if want := "/Prod/auth/login?prompt=login&return_to=%2FProd%2Ffresh%3Fa%3D1"; a.Context["location"] != want {
		t.Errorf("%s, want %s", a.Context["location"], want)
	}
	a = d.want(t, script.at("POST", "/payments/1").session(old), "denied step_up_required")
	if want := "/Prod/auth/denied?reason=step_up_required"; a.Context["location"] != want {
		t.Errorf("%s, want %s", a.Context["location"], want)
	}
	d.want(t, script.at("GET", "/fresh").session(old), "denied step_up_required")
	d.want(t, page.at("GET", "/payments/1").session(old), "allow ok")
	d.want(t, page.at("GET", "/fresh").session(d.pool.IDToken(nil)), "allow ok")
}

func TestBearer(t *testing.T) {
	off := newDoor(t)
	d := newDoor(t, rules(table), bearers(tokentest.ClientID, "machine"))
	ids := newDoor(t, bearers(tokentest.ClientID), func(s *config.Authorizer) { s.BearerIDTokens = true })
	onlyIDs := newDoor(t, func(s *config.Authorizer) { s.BearerIDTokens = true })
	good, idToken := d.pool.AccessToken(nil), d.pool.IDToken(nil)
	scoped := d.pool.AccessToken(tokentest.Claims{"scope": "openid reports/read"})
	program := request{}.with("Accept", "*/*")
	for _, c := range []struct {
		name string
		d    door
		r    request
		want string
	}{
		{"a user", d, program.bearer(good), "allow ok"},
		{"any case", d, program.with("authorization", "bEARER "+good), "allow ok"},
		{"twice the same", d, program.bearer(good).bearer(good), "allow ok"},
		{"two", d, program.bearer(good).bearer(scoped), "401 bearer_malformed"},
		{"two spellings", d, program.bearer(good).with("authorization", "Bearer "+scoped), "401 bearer_malformed"},
		{"no scheme", d, program.with("Authorization", good), "401 bearer_malformed"},
		{"basic", d, program.with("Authorization", "Basic YTpi"), "401 bearer_malformed"},
		{"empty", d, program.with("Authorization", ""), "401 bearer_malformed"},
		{"no token", d, program.with("Authorization", "Bearer "), "401 bearer_malformed"},
		{"two spaces", d, program.with("Authorization", "Bearer  "+good), "401 token_malformed"},
		{"an ID token", d, program.bearer(idToken), "401 token_use"},
		{"another client", d, program.bearer(d.pool.AccessToken(tokentest.Claims{"client_id": "other"})), "401 token_audience"},
		{"expired", d, program.bearer(d.pool.AccessToken(tokentest.Claims{"exp": d.pool.Now().Add(-time.Minute).Unix()})), "401 token_expired"},
		{"none configured", off, program.bearer(good), "401 token_use"},
		{"an ID token, none configured", off, program.bearer(idToken), "401 token_use"},
		{"an ID token, configured", ids, program.bearer(idToken), "allow ok"},
		{"an access token, with ID tokens configured", ids, program.bearer(good), "allow ok"},
		{"only ID tokens configured", onlyIDs, program.bearer(idToken), "allow ok"},
		{"an access token, only ID tokens configured", onlyIDs, program.bearer(good), "401 token_use"},
		{"a bad ID token, configured", ids, program.bearer(idToken[:len(idToken)-4]), "401 token_signature"},
		{"never falling back", d, program.bearer("x").session(idToken), "401 token_malformed"},
		{"never falling back from another scheme", d, page.with("Authorization", "Basic YTpi").session(idToken), "401 bearer_malformed"},
		{"never falling back from an empty header", d, page.with("Authorization", "").session(idToken), "401 bearer_malformed"},
		{"an access token in the cookie", d, program.session(good), "401 token_use"},
		{"a navigation is not sent to the login", d, page.bearer("x"), "401 token_malformed"},
		{"the scope", d, program.at("GET", "/api/export").bearer(scoped), "allow ok"},
		{"another scope", d, program.at("GET", "/api/export").bearer(good), "denied scope_required"},
		{"another site may send it", d, program.at("POST", "/page").with("Sec-Fetch-Site", "cross-site").with("Origin", "https://evil.example").bearer(good), "allow ok"},
		{"with a method override", d, program.at("POST", "/page").with("X-HTTP-Method-Override", "POST").bearer(good), "denied method_override"},
		{"step-up is no redirect", d, page.at("GET", "/fresh").bearer(d.pool.AccessToken(tokentest.Claims{"auth_time": d.pool.Now().Add(-time.Hour).Unix()})), "denied step_up_required"},
	} {
		t.Run(c.name, func(t *testing.T) { c.d.want(t, c.r, c.want) })
	}
}

func TestMachineIsNeverAUser(t *testing.T) {
	d := newDoor(t, rules(table), bearers("machine"))
	now := d.pool.Now().Unix()
	machine := d.pool.AccessToken(tokentest.Claims{
		"sub": "machine", "client_id": "machine", "scope": "reports/read", "username": "alice", "cognito:groups": []string{"admins", "treasury"}, "auth_time": now,
	})
	a := d.want(t, request{}.at("GET", "/api/export").bearer(machine), "allow ok")
	if c := a.Context; c["sub"] != "machine" || c["client_id"] != "machine" || c["username"]+c["email"]+c["groups"]+c["auth_time"] != "" || c["scope"] != "reports/read" || c["token_use"] != "access" {
		t.Errorf("%v", c)
	}
	d.want(t, request{}.at("GET", "/admin").bearer(machine), "denied group_required")
	d.want(t, request{}.at("POST", "/payments").bearer(machine), "denied group_required")
	d.want(t, request{}.at("GET", "/fresh").bearer(machine), "denied step_up_required")
}

// TestNeeds: who is let through by what a rule asks for.
func TestNeeds(t *testing.T) {
	d := newDoor(t, bearers("machine", tokentest.ClientID), rules(`
* /in/*      signed-in
* /people/*  user
* /robots/*  machine
* /some/*    group:a,b
GET /any     scope:x,y
* /open/*    anyone
* /open/in   signed-in
`))
	person := page.session(d.pool.IDToken(tokentest.Claims{"cognito:groups": []string{"b"}}))
	robot := request{}.bearer(d.pool.AccessToken(tokentest.Claims{"sub": "machine", "client_id": "machine", "scope": "y"}))
	delegate := request{}.bearer(d.pool.AccessToken(tokentest.Claims{"scope": "x"})) // a person's, in a program's hands
	for _, c := range []struct {
		path                            string
		nobody, person, robot, delegate string
	}{
		{"/in/x", "login no_session", "allow ok", "allow ok", "allow ok"},
		{"/people/x", "login no_session", "allow ok", "denied user_required", "allow ok"},
		{"/robots/x", "login no_session", "denied machine_required", "allow ok", "denied machine_required"},
		{"/some/x", "login no_session", "allow ok", "denied group_required", "denied group_required"},
		{"/any", "login no_session", "denied scope_required", "allow ok", "allow ok"},
		{"/open/x", "allow ok", "allow ok", "allow ok", "allow ok"},
		{"/open/in", "login no_session", "allow ok", "allow ok", "allow ok"},
		{"/else", "login no_session", "denied no_rule", "denied no_rule", "denied no_rule"},
	} {
		t.Run(c.path, func(t *testing.T) {
			d.want(t, page.at("GET", c.path), c.nobody)
			d.want(t, person.at("GET", c.path), c.person)
			d.want(t, robot.at("GET", c.path), c.robot)
			d.want(t, delegate.at("GET", c.path), c.delegate)
		})
	}
}

// TestAnyone: where the rules let anyone through, a request without a good session goes on, and
// says that nobody is behind it. A bad bearer token does not, and neither does a request that
// nobody can tell about.
func TestAnyone(t *testing.T) {
	d := newDoor(t, bearers(tokentest.ClientID), rules("* /open/* anyone\n* /closed user"))
	expired := d.pool.IDToken(tokentest.Claims{"exp": d.pool.Now().Add(-time.Minute).Unix()})
	for _, c := range []struct {
		name    string
		r       request
		want    string
		ignored string
	}{
		{"no session", page.at("GET", "/open/x"), "allow ok", ""},
		{"a script", script.at("POST", "/open/x"), "allow ok", ""},
		{"another site", script.at("POST", "/open/x").with("Origin", "https://evil.example"), "allow ok", ""},
		{"an expired session", page.at("GET", "/open/x").session(expired), "allow ok", "token_expired"},
		{"an expired session from another site", request{header: [][2]string{{"Origin", "https://evil.example"}}}.at("POST", "/open/x").session(expired), "allow ok", "token_expired"},
		{"junk", page.at("GET", "/open/x").session("junk"), "allow ok", "token_malformed"},
		{"half a cookie", page.at("GET", "/open/x").with("Cookie", "__Host-id=2~x"), "allow ok", "cookie_broken"},
		{"a bad token", request{}.at("GET", "/open/x").bearer("junk"), "401 token_malformed", ""},
		{"no token", request{}.at("GET", "/open/x").with("Authorization", "Basic eA=="), "401 bearer_malformed", ""},
		{"another route", page.at("GET", "/closed"), "login no_session", ""},
		{"no rule", page.at("GET", "/else"), "login no_session", ""},
		{"a path that is not plain", script.at("GET", "/open/x%2f"), "401 no_session", ""},
		{"a path in disguise", page.at("GET", "/Open/x"), "login no_session", ""},
		{"a method override", script.at("GET", "/open/x").with("X-HTTP-Method", "PUT"), "401 no_session", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := d.want(t, c.r, c.want)
			var line struct{ Ignored string }
			if err := json.Unmarshal(d.log.Bytes(), &line); err != nil || line.Ignored != c.ignored {
				t.Errorf("the log says that %q was ignored, want %q", line.Ignored, c.ignored)
			}
			if c.want != "allow ok" {
				return
			}
			if got, want := a.policy(t), "Allow"+everyMethod("/open")+"; Deny"+everyMethodAlone("/closed"); got != want || a.PrincipalID != "anonymous" {
				t.Errorf("%s for %s, want %s", got, a.PrincipalID, want)
			}
			for key, value := range a.Context {
				if want := map[string]string{"v": "1", "anonymous": "true", "reason": "ok", "location": "/Prod/auth/denied"}[key]; value != want {
					t.Errorf("%s is %q, want %q", key, value, want)
				}
			}
			if len(a.Context) != 15 {
				t.Errorf("%d keys", len(a.Context))
			}
		})
	}
	a := d.want(t, page.at("GET", "/open/x").session(d.pool.IDToken(nil)), "allow ok")
	if a.Context["sub"] != tokentest.Subject || a.Context["anonymous"] != "" || a.PrincipalID != tokentest.Subject {
		t.Errorf("a caller is lost: %v", a.Context)
	}
	for _, kind := range []apigw.Kind{apigw.HTTP1, apigw.HTTP2} {
		r := page.at("GET", "/open/x")
		r.kind = kind
		d.want(t, r, "allow ok")
	}
}

// everyMethod is what a rule for all methods of a tree is in a document.
func everyMethod(path string) (list string) {
	for _, m := range []string{"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"} {
		list += " " + m + path + " " + m + path + "/*"
	}
	return list
}

// everyMethodAlone is the same of a single path.
func everyMethodAlone(path string) string { return strings.ReplaceAll(everyMethod(path), "*", "") }

func TestForgery(t *testing.T) {
	d := newDoor(t, func(s *config.Authorizer) { s.AllowedOrigins = []string{"https://app.example.com"} })
	token := d.pool.IDToken(nil)
	const own, evil = "https://" + host, "https://evil.example"
	for _, c := range []struct {
		name, method string
		header       [][2]string
		want         string
	}{
		{"same origin", "POST", [][2]string{{"Sec-Fetch-Site", "same-origin"}, {"Origin", own}}, "allow ok"},
		{"the address bar", "POST", [][2]string{{"Sec-Fetch-Site", "none"}}, "allow ok"},
		{"cross-site", "POST", [][2]string{{"Sec-Fetch-Site", "cross-site"}}, "denied cross_site"},
		{"cross-site with our origin", "PUT", [][2]string{{"Sec-Fetch-Site", "cross-site"}, {"Origin", own}}, "denied cross_site"},
		{"same site is another site", "DELETE", [][2]string{{"Sec-Fetch-Site", "same-site"}}, "denied cross_site"},
		{"an unknown value", "PATCH", [][2]string{{"Sec-Fetch-Site", "Same-Origin"}}, "denied cross_site"},
		{"in two minds", "POST", [][2]string{{"Sec-Fetch-Site", "same-origin"}, {"sec-fetch-site", "cross-site"}}, "denied cross_site"},
		{"own origin", "POST", [][2]string{{"Origin", own}}, "allow ok"},
		{"another origin", "POST", [][2]string{{"Origin", evil}}, "denied cross_site"},
		{"another port", "POST", [][2]string{{"Origin", own + ":8443"}}, "denied cross_site"},
		{"a longer host", "POST", [][2]string{{"Origin", own + ".evil.example"}}, "denied cross_site"},
		{"null", "POST", [][2]string{{"Origin", "null"}}, "denied cross_site"},
		{"the host as a path", "POST", [][2]string{{"Origin", evil + "/" + host}}, "denied cross_site"},
		{"two origins", "POST", [][2]string{{"Origin", own}, {"origin", evil}}, "denied cross_site"},
		{"what Host says does not count", "POST", [][2]string{{"Origin", evil}, {"Host", "evil.example"}}, "denied cross_site"},
		{"no browser", "POST", nil, "allow ok"},
		{"an allowed origin", "POST", [][2]string{{"Sec-Fetch-Site", "cross-site"}, {"Origin", "https://app.example.com"}}, "allow ok"},
		{"an allowed origin's neighbour", "POST", [][2]string{{"Sec-Fetch-Site", "cross-site"}, {"Origin", "https://app.example.com.evil.example"}}, "denied cross_site"},
		{"reading", "GET", [][2]string{{"Sec-Fetch-Site", "cross-site"}, {"Origin", evil}}, "allow ok"},
		{"looking", "HEAD", [][2]string{{"Sec-Fetch-Site", "cross-site"}}, "allow ok"},
		{"asking", "OPTIONS", [][2]string{{"Sec-Fetch-Site", "cross-site"}}, "allow ok"},
		{"a method override", "GET", [][2]string{{"X-HTTP-Method-Override", "DELETE"}}, "denied method_override"},
		{"a method override in another case", "POST", [][2]string{{"x-http-method-OVERRIDE", "POST"}, {"Sec-Fetch-Site", "same-origin"}}, "denied method_override"},
		{"an empty method override", "GET", [][2]string{{"X-HTTP-Method-Override", ""}}, "denied method_override"},
		{"its sibling", "GET", [][2]string{{"X-HTTP-Method", "DELETE"}}, "denied method_override"},
		{"its other sibling", "GET", [][2]string{{"x-method-override", "DELETE"}}, "denied method_override"},
		{"own host without TLS", "POST", [][2]string{{"Origin", "http://" + host}}, "denied cross_site"},
		{"own host by another scheme", "POST", [][2]string{{"Origin", "x://" + host}}, "denied cross_site"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := d.want(t, request{method: c.method, header: c.header}.session(token), c.want)
			if c.want != "allow ok" && a.policy(t) != "Deny *" {
				t.Error(a.policy(t))
			}
		})
	}
	for _, c := range []struct {
		name   string
		header [][2]string
		want   string
	}{
		{"own origin", [][2]string{{"Origin", own}}, "allow ok"},
		{"an allowed origin", [][2]string{{"Origin", "https://app.example.com"}}, "allow ok"},
		{"another origin", [][2]string{{"Origin", evil}}, "denied cross_site"},
		{"no origin", nil, "denied cross_site"},
		{"own host without TLS", [][2]string{{"Origin", "http://" + host}}, "denied cross_site"},
		{"own host by another scheme", [][2]string{{"Origin", "x://" + host}}, "denied cross_site"},
		{"another origin that claims to be ours", [][2]string{{"Origin", evil}, {"Sec-Fetch-Site", "same-origin"}}, "denied cross_site"},
		{"two origins", [][2]string{{"Origin", own}, {"origin", "https://app.example.com"}}, "denied cross_site"},
	} {
		t.Run("handshake, "+c.name, func(t *testing.T) {
			r := request{kind: apigw.WebSocket, header: c.header}.session(token)
			outcome, why, _ := d.ask(t, r)
			if got := strings.Replace(outcome, "403", "denied", 1) + " " + why; got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

func TestPaths(t *testing.T) {
	d := newDoor(t, rules(table))
	token := d.pool.IDToken(nil)
	for _, path := range []string{"//admin", "/./admin", "/x/../admin", "/x/..", "/%61dmin", "/x%2f..%2fadmin", "/x%5cadmin", `/x\admin`, "/x;/admin", "/%2e%2e/admin", "/%252e", "/x%00", "/x%0d%0a", "/*", "/x/?", "/admin%2f*", "/Admin/x", "/ADMIN/users", "/admin%20", "/admin./x"} {
		a := d.want(t, script.at("GET", path).session(token), "denied path_not_canonical")
		if a.PolicyDocument.Statement != nil && a.policy(t) != "Deny *" {
			t.Errorf("%s: %s", path, a.policy(t))
		}
	}
	for _, path := range []string{"/x%20y", "/%C3%A9", "/a@b:c", "/adminx"} {
		d.want(t, script.at("GET", path).session(token), "allow ok")
	}
}

// TestMounts: where nobody can tell which part of the path is a base path, nobody can tell which
// rules are meant. Bob is no admin.
func TestMounts(t *testing.T) {
	d := newDoor(t, rules(table))
	bob := page.session(d.pool.IDToken(nil))
	for _, c := range []struct {
		kind                              apigw.Kind
		domain, path, arn, template, rest string // rest is what the template's {proxy+} stands for
		want                              string
	}{
		{apigw.HTTP2, "app.example.com", "/v1/admin/x", "GET/admin/x", "ANY /{proxy+}", "admin/x", "403 group_required"},
		{apigw.HTTP2, "app.example.com", "/v1/admin/x", "$default", "ANY /{proxy+}", "admin/x", "403 group_required"},
		{apigw.HTTP2, "app.example.com", "/v1/admin/x", "GET/", "ANY /{proxy+}", "admin/x", "403 group_required"},
		{apigw.HTTP2, "app.example.com", "/v1/admin/x", "GET/v1/admin/x", "ANY /{proxy+}", "admin/x", "500 mount_unknown"},
		{apigw.HTTP2, "app.example.com", "/v1/admin/x", "GET/admin/x", "$default", "", "403 group_required"},
		{apigw.HTTP2, "app.example.com", "/v1/admin/x", "$default", "$default", "", "500 mount_unknown"},
		{apigw.HTTP2, "app.example.com", "/v1/admin/x", "GET/", "$default", "", "500 mount_unknown"},
		{apigw.HTTP2, "app.example.com", "/v1/admin/x", "GET/v1/admin/x", "$default", "", "500 mount_unknown"},
		{apigw.HTTP2, host, "/Prod/admin/x", "$default", "$default", "", "403 group_required"},
		{apigw.HTTP2, host, "/admin/x", "GET/admin/x", "ANY /{proxy+}", "admin/x", "500 mount_unknown"},
		{apigw.HTTP1, "app.example.com", "/v1/admin/x", "GET/admin/x", "/{proxy+}", "admin/x", "403 group_required"},
		{apigw.HTTP1, "app.example.com", "/v1/admin/x", "$default", "$default", "", "500 mount_unknown"},
		{apigw.HTTP1, "app.example.com", "/v1/admin/x", "GET/v1/admin/x", "$default", "", "500 mount_unknown"},
		{apigw.REST, "app.example.com", "/v1/admin/x", "GET/admin/x", "/{proxy+}", "admin/x", "denied group_required"},
		{apigw.REST, "app.example.com", "/v1/admin/x", "GET/v1/admin/x", "/{proxy+}", "admin/x", "500 mount_unknown"},
		{apigw.REST, "app.example.com", "/v1/admin/x", "GET/admin/x", "/{proxy+}", "v1/admin/x", "500 mount_unknown"},
		{apigw.REST, "app.example.com", "/v1/admin/x", "GET/", "/{proxy+}", "admin/x", "500 mount_unknown"},
		{apigw.REST, host, "/v1/admin/x", "GET/admin/x", "/{proxy+}", "admin/x", "500 mount_unknown"},
		{apigw.REST, "app.example.com", "/v1//admin/x", "GET/v1/admin/x", "/{proxy+}", "admin/x", "denied path_not_canonical"},
	} {
		var e object
		switch c.kind {
		case apigw.HTTP2:
			r := bob
			r.kind, r.method, r.path = c.kind, "GET", c.path
			e = r.payload2()
			e["rawPath"], e["routeArn"], e["routeKey"] = c.path, arn+c.arn, c.template
		default:
			r := bob
			r.kind, r.method, r.path = c.kind, "GET", c.path
			e = r.payload1(t)
			e["methodArn"], e["resource"] = arn+c.arn, c.template
		}
		e["pathParameters"] = object{"proxy": c.rest}
		about := e["requestContext"].(object)
		about["domainName"], about["path"] = c.domain, c.path
		event, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		d.log.Reset()
		b, err := d.Invoke(context.Background(), event)
		var line struct{ Outcome, Reason string }
		if e := json.Unmarshal(d.log.Bytes(), &line); e != nil {
			t.Fatal(e)
		}
		got := "500 " + line.Reason
		if err == nil {
			got = map[bool]string{true: "denied ", false: "403 "}[c.kind == apigw.REST] + line.Reason
			if a := decode(t, b); a.allows(arn + c.arn) {
				got = "allow " + line.Reason
			}
		}
		if got != c.want {
			t.Errorf("%s %s%s, ARN %s, route %s: %s, want %s", c.kind, c.domain, c.path, c.arn, c.template, got, c.want)
		}
	}
}

// TestHostileClaims: claims stay what they are wherever they are handed on, and get nowhere near a
// resource.
func TestHostileClaims(t *testing.T) {
	d := newDoor(t, rules(table))
	hostile := []string{`"`, `\`, `","sub":"mallory`, "*", "?", "${aws:username}", "arn:aws:execute-api:*:*:*", "</script>", "{}", "é😀", "admins*"}
	token := d.pool.IDToken(tokentest.Claims{"sub": `s"*`, "cognito:username": `u\",*`, "email": "a\r\n\"b@example.com", "cognito:groups": hostile})
	a := d.want(t, page.session(token), "allow ok")
	plain := d.want(t, page.session(d.pool.IDToken(nil)), "allow ok")
	if got, want := a.policy(t), plain.policy(t); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if c := a.Context; c["sub"] != `s"*` || c["username"] != `u\",*` || c["email"] != "a\r\n\"b@example.com" || c["groups"] != strings.Join(hostile, " ") || len(c) != 14 {
		t.Errorf("%v", c)
	}
	whole, err := base64.RawURLEncoding.DecodeString(a.Context["identity"])
	if err != nil || !strings.Contains(string(whole), `"groups":["\"","\\","\",\"sub\":\"mallory","*"`) {
		t.Errorf("%v %s", err, whole)
	}
	d.want(t, page.at("GET", "/admin").session(token), "denied group_required")
	for name, claims := range map[string]tokentest.Claims{
		"a space in a group": {"cognito:groups": []string{"x admins"}},
		"a line break":       {"cognito:groups": []string{"x\nadmins"}},
	} {
		if outcome, _, _ := d.ask(t, page.session(d.pool.IDToken(claims))); outcome != "login" {
			t.Errorf("%s: %s", name, outcome)
		}
	}
}

// TestTooLarge: what API Gateway would not take whole is refused, never shortened.
func TestTooLarge(t *testing.T) {
	d := newDoor(t)
	for _, c := range []struct {
		name   string
		claims tokentest.Claims
		want   string
	}{
		{"100 groups of 30 characters", tokentest.Claims{"cognito:groups": tokentest.Groups(100, 30)}, "allow ok"},
		{"100 groups", tokentest.Claims{"cognito:groups": tokentest.Groups(100, 22)}, "allow ok"},
		{"300 groups", tokentest.Claims{"cognito:groups": tokentest.Groups(300, 22)}, "denied too_large"},
		{"a long name", tokentest.Claims{"cognito:username": strings.Repeat("n", 2500)}, "allow ok"},
		{"a name that fits into no answer", tokentest.Claims{"cognito:username": strings.Repeat("n", 8000)}, "denied too_large"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := d.want(t, page.pieces(d.pool.IDToken(c.claims)), c.want)
			if c.want != "allow ok" && a.policy(t) != "Deny *" {
				t.Error(a.policy(t))
			}
		})
	}
	handshake := request{kind: apigw.WebSocket, header: [][2]string{{"Origin", "https://" + host}}}
	for groups, want := range map[int]string{60: "allow ok", 100: "403 too_large"} { // what a WebSocket API takes is half of that
		d.want(t, handshake.pieces(d.pool.IDToken(tokentest.Claims{"cognito:groups": tokentest.Groups(groups, 30)})), want)
	}
	var many strings.Builder
	for i := range 24 {
		fmt.Fprintf(&many, "* /area%d/* group:g\n", i)
	}
	full := newDoor(t, rules("* /* signed-in\n"+many.String()))
	full.want(t, page.session(full.pool.IDToken(nil)), "denied too_large")
	full.want(t, page.at("GET", "/area1").session(full.pool.IDToken(nil)), "denied group_required")
	full.want(t, page.session(full.pool.IDToken(tokentest.Claims{"cognito:groups": []string{"g"}})), "allow ok")
}

// TestTooLongAnARN: where a resource would be longer than API Gateway takes, nothing is allowed.
func TestTooLongAnARN(t *testing.T) {
	d := newDoor(t)
	event := page.session(d.pool.IDToken(nil)).event(t)
	for length, want := range map[int]string{462: "Allow", 463: "Deny"} {
		d.log.Reset()
		api := []byte(":" + strings.Repeat("a", length) + "/Prod")
		b, err := d.Invoke(context.Background(), bytes.Replace(event, []byte(":abcdef1234/Prod"), api, 1))
		if err != nil || !strings.Contains(string(b), `"Effect":"`+want+`"`) || strings.Contains(d.log.String(), "too_large") != (want == "Deny") {
			t.Errorf("%d: %v %s", length, err, d.log)
		}
	}
}

// pieces returns r with a session in as many cookies as it takes.
func (r request) pieces(token string) request {
	for i := 1; token != ""; i++ {
		piece := token[:min(4000, len(token))]
		token = token[len(piece):]
		name := "__Host-id"
		if i > 1 {
			name = fmt.Sprintf("__Host-id-%d", i)
		} else if token != "" {
			piece = fmt.Sprintf("%d~%s", 1+(len(token)+3999)/4000, piece)
		}
		r = r.with("cookie", name+"="+piece)
	}
	return r
}

func TestEmailIsVerifiedOrNone(t *testing.T) {
	d := newDoor(t)
	for _, claims := range []tokentest.Claims{{"email_verified": false}, {"email_verified": tokentest.Absent}} {
		if a := d.want(t, page.session(d.pool.IDToken(claims)), "allow ok"); a.Context["email"] != "" {
			t.Errorf("%v: %s", claims, a.Context["email"])
		}
	}
}

func TestFurtherClaims(t *testing.T) {
	d := newDoor(t, func(s *config.Authorizer) { s.Claims = []string{"custom:plan", "name", "absent"} })
	a := d.want(t, page.session(d.pool.IDToken(tokentest.Claims{"custom:plan": "gold", "name": map[string]any{"a": 1}, "custom:secret": "x"})), "allow ok")
	whole, err := base64.RawURLEncoding.DecodeString(a.Context["identity"])
	if err != nil || !strings.HasSuffix(string(whole), `,"claims":{"custom:plan":"gold","name":{"a":1}}}`) {
		t.Errorf("%v %s", err, whole)
	}
}

func TestSeveralPools(t *testing.T) {
	const other = "https://idp.example/pool"
	d := newDoor(t, bearers("m1"), func(s *config.Authorizer) {
		s.Trust = []config.Trust{{Pool: config.Pool{Issuer: other}, ClientIDs: []string{"c2"}, BearerClientIDs: []string{"m2"}}}
	})
	for _, c := range []struct {
		name string
		r    request
		want string
	}{
		{"the first", page.session(d.pool.IDToken(nil)), "allow ok"},
		{"the second", page.session(d.pool.IDToken(tokentest.Claims{"iss": other, "aud": "c2"})), "allow ok"},
		{"a third", page.session(d.pool.IDToken(tokentest.Claims{"iss": other + "/", "aud": "c2"})), "login token_issuer"},
		{"the first's client at the second", page.session(d.pool.IDToken(tokentest.Claims{"iss": other})), "login token_audience"},
		{"the second's client at the first", page.session(d.pool.IDToken(tokentest.Claims{"aud": "c2"})), "login token_audience"},
		{"bearer of the second", request{}.bearer(d.pool.AccessToken(tokentest.Claims{"iss": other, "client_id": "m2"})), "allow ok"},
		{"bearer of the second's session client", request{}.bearer(d.pool.AccessToken(tokentest.Claims{"iss": other, "client_id": "c2"})), "401 token_audience"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := d.want(t, c.r, c.want)
			if c.name == "the second" && a.Context["iss"] != other {
				t.Error(a.Context["iss"])
			}
		})
	}
}

// TestNothingElseDecides: no header but the named ones, and nothing an earlier authorizer said,
// changes an answer (security requirement: the event configures nothing).
func TestNothingElseDecides(t *testing.T) {
	d := newDoor(t, rules(table))
	token := d.pool.IDToken(nil)
	for _, r := range []request{page, script, page.session(token), script.at("POST", "/page").session(token), page.at("GET", "/admin").session(token)} {
		outcome, why, before := d.ask(t, r)
		for _, name := range []string{
			"Host", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Uri", "X-Forwarded-Prefix", "X-Forwarded-User", "X-Forwarded_User", "Forwarded", "X-Original-URL",
			"X-Rewrite-URL", "X-Auth-Request-Email", "X-Amzn-Remapped-Authorization", "X-Amzn-Oidc-Data", "Proxy-Authorization", "Cookie2", "X-Cookie", "_Host-id", "User-Agent",
			"Referer", "X-Requested-With", "X-HTTP-Methods", "X-Method", "Content-Type", "sub", "location", "principalId", "X-Amz-Date", "Upgrade",
		} {
			for _, value := range []string{"", "evil.example", "https", "GET /admin", "__Host-id=" + token} {
				o, w, a := d.ask(t, r.with(name, value))
				if o != outcome || w != why || a.policy(t) != before.policy(t) || fmt.Sprint(a.Context) != fmt.Sprint(before.Context) {
					t.Errorf("%s: %s: %s %s, want %s %s", name, value, o, w, outcome, why)
				}
			}
		}
	}
}
