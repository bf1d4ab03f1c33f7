package main

// This file holds the callback together from outside: the settings it wants, the events it takes, and the second opinion.

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"edgeauth/internal/apigw"
	"edgeauth/internal/config"
	"edgeauth/internal/token/tokentest"

	"github.com/aws/aws-lambda-go/lambda"
)

func TestHandlerNamesEveryMissingSetting(t *testing.T) {
	_, _, err := handler(func(string) (string, bool) { return "", false })
	if err == nil || err.Error() != "config: AUTH_PARAMETER is not set" {
		t.Errorf("%v", err)
	}
}

// event is a REST event for the callback's one route.
func event(method, route, query string, headers map[string]string) []byte {
	multi := map[string][]string{}
	for name, value := range headers {
		multi[name] = []string{value}
	}
	parameters := map[string][]string{}
	for pair := range strings.SplitSeq(query, "&") {
		if name, value, ok := strings.Cut(pair, "="); ok {
			parameters[name] = []string{value}
		}
	}
	e, err := json.Marshal(map[string]any{
		"resource": "/auth/{proxy+}", "path": "/auth/" + route, "httpMethod": method, "multiValueHeaders": multi,
		"multiValueQueryStringParameters": parameters, "pathParameters": map[string]string{"proxy": route},
		"requestContext": map[string]any{
			"path": "/Prod/auth/" + route, "stage": "Prod", "domainName": "api1.execute-api.eu-west-1.amazonaws.com", "requestId": "id-1", "extendedRequestId": "id-2",
		},
	})
	if err != nil {
		panic(err)
	}
	return e
}

// parameterServer answers as SSM and Cognito do: value is what the parameter holds.
func parameterServer(t *testing.T, value *string) {
	aws := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		switch body, _ := io.ReadAll(r.Body); {
		case strings.Contains(string(body), `"/stack/auth"`):
			json.NewEncoder(w).Encode(map[string]any{"Parameter": map[string]any{"Value": *value}})
		case strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".DescribeUserPoolClient"):
			fmt.Fprint(w, `{"UserPoolClient":{"ClientSecret":"canary"}}`)
		default:
			w.WriteHeader(400)
			fmt.Fprint(w, `{"__type":"ParameterNotFound"}`)
		}
	}))
	t.Cleanup(aws.Close)
	for name, value := range map[string]string{"AWS_ENDPOINT_URL": aws.URL, "AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y"} {
		t.Setenv(name, value)
	}
}

// start returns the callback as Lambda runs it.
func start(t *testing.T) lambda.Handler {
	t.Helper()
	h, settings, err := handler(func(name string) (string, bool) { return "/stack/auth", name == "AUTH_PARAMETER" })
	if err != nil {
		t.Fatal(err)
	}
	settings.warm()
	return apigw.Proxy(h, nil)
}

func parameter(members string) string {
	return `{"v":1,"issuer":"` + tokentest.Issuer + `","user_pool_id":"p1","client_id":"c1","login_url":"https://login.example",` +
		`"base_urls":["https://api1.execute-api.eu-west-1.amazonaws.com/Prod"]` + members + `}`
}

func TestEvents(t *testing.T) {
	value := parameter(`,"jwks_url":"` + tokentest.New(t).Server(t) + `","brand":{"name":"Example"},"scopes":"openid email phone"`)
	parameterServer(t, &value)
	proxy := start(t)
	for _, row := range []struct {
		route, query string
		headers      map[string]string
		status       int
		in           string
	}{
		{"login", "return_to=/Prod/a", map[string]string{"Accept": "text/html"}, 302, `"Location":["https://login.example/oauth2/authorize?client_id=c1`},
		{"login", "", map[string]string{"Accept": "text/html"}, 302, "scope=openid+email+phone"},
		{"login", "return_to=/Prod/a", map[string]string{"Accept": "text/html"}, 302, `"Set-Cookie":["__Secure-login-`},
		{"login", "", map[string]string{"host": "evil.example", "x-forwarded-host": "evil.example", "Accept": "text/html"}, 302, "redirect_uri=https%3A%2F%2Fapi1.execute-api"},
		{"session", "", map[string]string{"accept": "*/*"}, 401, `\"request_id\":\"id-2\"`},
		{"signed-out", "", map[string]string{"ACCEPT": "text/html"}, 200, "Example"},
		{"edgeauth.js", "", nil, 200, "export const version"},
	} {
		out, err := proxy.Invoke(t.Context(), event("GET", row.route, row.query, row.headers))
		text := strings.ReplaceAll(string(out), `\u0026`, "&")
		if err != nil || !strings.Contains(text, fmt.Sprintf(`"statusCode":%d,`, row.status)) || !strings.Contains(text, row.in) {
			t.Errorf("%s: %v %s", row.route, err, out)
		}
		if strings.Contains(text, "evil") || strings.Contains(text, "canary") {
			t.Errorf("%s: %s", row.route, out)
		}
	}
}

// TestSettingsAreThereAtTheStart: nobody who signs in waits for AWS.
func TestSettingsAreThereAtTheStart(t *testing.T) {
	value := parameter(`,"jwks_url":"` + tokentest.New(t).Server(t) + `"`)
	parameterServer(t, &value)
	proxy := start(t)
	value = "" // from now on AWS has nothing to say
	out, err := proxy.Invoke(t.Context(), event("GET", "login", "", map[string]string{"Accept": "text/html"}))
	if err != nil || !strings.Contains(string(out), `"statusCode":302,`) {
		t.Errorf("%v %s", err, out)
	}
}

// TestParameterIsReadLate: the function is there before its parameter, and a mistake in it is mended without a new start.
func TestParameterIsReadLate(t *testing.T) {
	value := ""
	parameterServer(t, &value)
	proxy := start(t)
	ask := func() string {
		out, err := proxy.Invoke(t.Context(), event("GET", "login", "", map[string]string{"Accept": "text/html"}))
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	for _, unusable := range []string{"", "{}", parameter(`,"jwks_url":"http://keys.example"`)} {
		value = unusable
		if out := ask(); !strings.Contains(out, `"statusCode":503`) || !strings.Contains(out, "config_unavailable") {
			t.Errorf("%s: %s", unusable, out)
		}
	}
	value = parameter(`,"jwks_url":"` + tokentest.New(t).Server(t) + `"`)
	if out := ask(); !strings.Contains(out, `"statusCode":302`) {
		t.Error(out)
	}
}

func TestSnapshotWithoutKeys(t *testing.T) {
	value := parameter(`,"jwks":{"keys":[]}`)
	parameterServer(t, &value)
	out, err := start(t).Invoke(t.Context(), event("GET", "login", "", map[string]string{"Accept": "text/html"}))
	if err != nil || !strings.Contains(string(out), "config_unavailable") {
		t.Errorf("%v %s", err, out)
	}
}

// TestKeysStayKnown: what was learned of a pool's keys outlives a parameter that is read again, and no other pool's.
func TestKeysStayKnown(t *testing.T) {
	server := tokentest.New(t).Server(t)
	s := &source{}
	first, err := s.keysOf(config.Pool{JWKSURL: server})
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := s.keysOf(config.Pool{Issuer: "another name", JWKSURL: server}); again != first {
		t.Error("forgotten")
	}
	if other, _ := s.keysOf(config.Pool{JWKSURL: server + "/other"}); other == first {
		t.Error("another pool has the same keys")
	}
}

func TestSecondOpinion(t *testing.T) {
	pool := tokentest.New(t)
	pool.Advance(time.Since(pool.Now())) // jwx looks at the clock itself
	opinion := secondOpinion(tokentest.Issuer, pool)
	if err := opinion(t.Context(), pool.IDToken(nil), tokentest.ClientID); err != nil {
		t.Errorf("a good token: %v", err)
	}
	now := pool.Now().Unix()
	good := pool.IDToken(nil)
	for name, raw := range map[string]string{
		"another issuer":   pool.IDToken(tokentest.Claims{"iss": "https://evil.example"}),
		"another audience": pool.IDToken(tokentest.Claims{"aud": "other"}),
		"an access token":  pool.AccessToken(nil),
		"another use":      pool.IDToken(tokentest.Claims{"token_use": "access"}),
		"no use":           pool.IDToken(tokentest.Claims{"token_use": tokentest.Absent}),
		"expired":          pool.IDToken(tokentest.Claims{"exp": now - 60}),
		"no expiry":        pool.IDToken(tokentest.Claims{"exp": tokentest.Absent}),
		"no subject":       pool.IDToken(tokentest.Claims{"sub": tokentest.Absent}),
		"another key":      tokentest.Key{ID: pool.Keys()[0].ID, Private: tokentest.StockKey(2).Private}.Token(pool.IDClaims(nil)),
		"an unknown key":   tokentest.StockKey(2).Token(pool.IDClaims(nil)),
		"no algorithm":     pool.Keys()[0].Sign(`{"kid":"`+pool.Keys()[0].ID+`","alg":"none"}`, tokentest.Encode(pool.IDClaims(nil))),
		"a changed byte":   good[:len(good)-10] + "AAAAAAAAAA",
		"no token":         "a.b.c",
		"nothing":          "",
	} {
		if err := opinion(t.Context(), raw, tokentest.ClientID); err == nil {
			t.Errorf("%s passes", name)
		}
	}
}
