// What is said about people's sessions: nothing that would let anybody else into one. The whole flow is walked, failures included, and every log line,
// error and page is searched for what was secret in it.
package e2e

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// secrets is what must not be said, by what it is.
type secrets map[string][]string

func (s secrets) add(kind, value string) {
	if len(value) >= 6 && !slices.Contains(s[kind], value) {
		s[kind] = append(s[kind], value)
	}
}

// secretsOf gathers from the wire what a browser was given or sent.
func secretsOf(traces []exchange) secrets {
	found := secrets{}
	for _, e := range traces {
		for _, u := range []string{e.url.String(), e.header.Get("Location")} {
			parsed, err := url.Parse(u)
			if err != nil {
				continue
			}
			q := parsed.Query()
			found.add("code", q.Get("code"))
			found.add("state", q.Get("state"))
			found.add("nonce", q.Get("nonce"))
			found.add("challenge", q.Get("code_challenge"))
		}
		for _, line := range e.setCookie {
			pair, _, _ := strings.Cut(line, ";")
			_, value, _ := strings.Cut(pair, "=")
			found.add("cookie value", value)
		}
	}
	found.add("password", password)
	return found
}

var (
	// aToken is what JWTs and Cognito's refresh tokens begin with: {" in base64url.
	aToken = regexp.MustCompile(`eyJ[A-Za-z0-9_-]{16,}`)
	// aVerifier is anything that could be a PKCE verifier (RFC 7636 section 4.1).
	aVerifier = regexp.MustCompile(`[A-Za-z0-9._~-]{43,128}`)
)

// leaks returns what of the secrets a text holds.
func (s secrets) leaks(text string) []string {
	var found []string
	for kind, values := range s {
		for _, v := range values {
			if strings.Contains(text, v) || strings.Contains(text, url.QueryEscape(v)) {
				found = append(found, "a "+kind)
			}
		}
	}
	if aToken.MatchString(text) {
		found = append(found, "a token")
	}
	for _, v := range aVerifier.FindAllString(text, -1) {
		sum := sha256.Sum256([]byte(v))
		if slices.Contains(s["challenge"], base64.RawURLEncoding.EncodeToString(sum[:])) {
			found = append(found, "a verifier")
		}
	}
	return found
}

// greeting is a line for the person who started the system.
var greeting = regexp.MustCompile(`^(A model of API Gateway |Sign in as |Cognito is at |Set aside: |ready )`)

func TestNothingSecretIsSaid(t *testing.T) {
	s := start(t)
	b := newBrowser(t)
	walkEverything(t, s, b)
	clientSecret := s.clientSecret(t)

	hidden := secretsOf(b.trace())
	hidden.add("client secret", clientSecret)
	for _, kind := range []string{"code", "state", "nonce", "challenge", "cookie value", "password", "client secret"} {
		if len(hidden[kind]) == 0 {
			t.Errorf("the walk came by no %s: nothing is proven", kind)
		}
	}

	s.stop(t)
	lines := s.output.lines()
	entries := 0
	for _, line := range lines {
		// What the system prints for the person who started it names the password of the demonstration users; everything else is log.
		if greeting.MatchString(line) {
			line = strings.ReplaceAll(line, password, "")
		} else {
			entries++
			if !json.Valid([]byte(line)) {
				t.Errorf("not one JSON object: %s", line)
			}
		}
		if found := hidden.leaks(line); len(found) > 0 {
			t.Errorf("the log tells %v: %s", found, line)
		}
	}
	if entries < 20 {
		t.Errorf("%d log entries for the whole walk: nothing is proven", entries)
	}

	for _, e := range b.trace() {
		if origin(e.url) == s.cognito {
			continue // the identity provider's own pages
		}
		body := e.body
		if next, ok := e.refresh(); ok { // a page that redirects: the address that it leads to is where it belongs, as in a Location
			body = strings.ReplaceAll(html.UnescapeString(body), next, "")
		}
		if found := hidden.leaks(body); len(found) > 0 {
			t.Errorf("%v: the body tells %v", e, found)
		}
		for name, values := range e.header {
			if name == "Set-Cookie" || name == "Location" {
				continue // where they belong
			}
			if found := hidden.leaks(strings.Join(values, "\n")); len(found) > 0 {
				t.Errorf("%v: the header %s tells %v", e, name, found)
			}
		}
	}
}

// walkEverything goes every way that there is, the wrong ones too.
func walkEverything(t *testing.T, s *system, b *browser) {
	t.Helper()
	signIn(t, s, b, s.app+"/?a=1&b=%2F", alice)
	b.visit(s.app + "/reports/2026?quarter=4")
	for _, path := range []string{"/api/me", "/api/hello", "/api/nothing", "/auth/session", "/auth/edgeauth.js"} {
		b.fetch(http.MethodGet, s.app+path)
	}
	b.fetch(http.MethodPost, s.app+"/api/hello")
	b.fetch(http.MethodPost, s.app+"/auth/refresh")
	b.fetchFrom(must(url.Parse("http://127.0.0.1:1/")), http.MethodPost, s.app+"/api/hello")

	session := s.sessionCookies(b)[0].value
	for _, bad := range []string{flip(session, 10), flip(session, len(session)/2), flip(session, len(session)-10), session + "x", "2~" + session} {
		plain(t, http.MethodGet, s.app+"/api/me", "__Host-id="+bad)
	}
	plain(t, http.MethodGet, s.app+"/api/me", "", "Authorization", "Bearer "+session)

	b.drop(func(c cookie) bool { return strings.HasPrefix(c.name, "__Host-id") })
	b.visit(s.app + "/") // renewed, or signed in again
	for _, user := range []string{alice, bob} {
		other := newBrowser(t)
		link := atCallback(t, s, other, user)
		q := link.Query()
		q.Set("state", flip(q.Get("state"), 3))
		wrong := *link
		wrong.RawQuery = q.Encode()
		other.callBack(s, &wrong)
		for _, fault := range []string{`"kind":"status","status":500`, `"kind":"html"`, `"kind":"truncated"`, `"kind":"alter","alter":"wrong_nonce"`} {
			s.standIn(t, "fault", `{"at":"token",`+fault+`}`)
			other.callBack(s, link)
		}
		b.mu.Lock()
		b.traces = append(b.traces, other.trace()...)
		b.mu.Unlock()
	}
	b.visit(s.app + "/auth/denied?reason=group_required")
	b.visit(s.app + "/auth/callback?code=00000000-0000-4000-8000-000000000000&state=" + strings.Repeat("S", 43))
	page := b.visit(s.app + "/")
	method, action, values := page.form(t, "")
	b.click(page, method, action, values)
	b.visit(s.app + "/")
}

// clientSecret asks as the callback does.
func (s *system) clientSecret(t testing.TB) string {
	t.Helper()
	pool := s.issuer(t)[strings.LastIndexByte(s.issuer(t), '/')+1:]
	clientID, _ := claimsOf(t, s.mint(t, `{}`))["aud"].(string)
	body, _ := json.Marshal(map[string]string{"UserPoolId": pool, "ClientId": clientID})
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.cognito+"/", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", "AWSCognitoIdentityProviderService.DescribeUserPoolClient")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=local/20261122/"+pool[:strings.IndexByte(pool, '_')]+"/cognito-idp/aws4_request, "+
		"SignedHeaders=host, Signature="+strings.Repeat("0", 64))
	resp, err := wire.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	var answer struct {
		UserPoolClient struct{ ClientSecret string }
	}
	if err := json.Unmarshal(text, &answer); err != nil || answer.UserPoolClient.ClientSecret == "" {
		t.Fatalf("no client secret: %d, %v, %.200s", resp.StatusCode, err, text)
	}
	return answer.UserPoolClient.ClientSecret
}
