// This file tests what happens when something is wrong: with the event, the keys, the code, the
// settings. It is never an Allow.

package main

import (
	"bytes"
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"edgeauth/internal/config"
	"edgeauth/internal/reason"
	"edgeauth/internal/token"
	"edgeauth/internal/token/tokentest"
	"edgeauth/jwks"
)

// keysFunc finds keys by a function.
type keysFunc func(jwks.Wanted) (*rsa.PublicKey, error)

func (f keysFunc) Key(_ context.Context, w jwks.Wanted) (*rsa.PublicKey, error) { return f(w) }

func TestCannotTell(t *testing.T) {
	pool, log := tokentest.New(t), new(bytes.Buffer)
	settings := config.Authorizer{Pool: config.Pool{Issuer: tokentest.Issuer}, ClientIDs: []string{tokentest.ClientID}, LogDecisions: config.EveryDecision}
	var answer error
	keys := keysFunc(func(w jwks.Wanted) (*rsa.PublicKey, error) {
		if answer == errPanic {
			panic("secret " + w.ID)
		}
		if answer != nil {
			return nil, answer
		}
		return pool.Key(context.Background(), w)
	})
	a, err := assemble(settings, trusted(settings), []token.Keys{keys}, pool.Now, newRecord(log))
	if err != nil {
		t.Fatal(err)
	}
	d, good := door{a, pool, log}, page.session(pool.IDToken(nil))
	for _, c := range []struct {
		name string
		err  error
		want string
	}{
		{"no keys", jwks.ErrUnavailable, "500 keys_unavailable"},
		{"no time", context.DeadlineExceeded, "500 internal"},
		{"something new", errors.New("secret"), "500 internal"},
		{"a panic", errPanic, "500 internal"},
		{"an unknown key", jwks.ErrUnknownKey, "login token_unknown_key"},
	} {
		t.Run(c.name, func(t *testing.T) {
			answer = c.err
			d.want(t, good, c.want)
			if strings.Contains(log.String(), "secret") {
				t.Errorf("%s", log)
			}
			answer = nil
			d.want(t, good, "allow ok") // nothing is left of it
		})
	}
	answer = errPanic
	d.want(t, page, "login no_session") // who has no token needs no keys
	d.ask(t, good)
	if !strings.Contains(log.String(), `"panic":"string\ngoroutine`) {
		t.Errorf("the log does not say where: %s", log)
	}
}

var errPanic = errors.New("panic")

func TestUnknownEvents(t *testing.T) {
	log := new(bytes.Buffer)
	a := newAuthorizer(t, tokentest.New(t), log)
	for _, event := range []string{"", "null", "{}", "[]", `{"type":"TOKEN","authorizationToken":"secret","methodArn":"x"}`, `{"type":"REQUEST"}`, strings.Repeat("[", 100000)} {
		log.Reset()
		b, err := a.Invoke(context.Background(), []byte(event))
		if b != nil || err == nil || err.Error() != "cannot tell: event_unknown" {
			t.Errorf("%.40s: %v %s", event, err, b)
		}
		if !strings.Contains(log.String(), `"outcome":"cannot_tell","reason":"event_unknown"`) || strings.Contains(log.String(), "secret") {
			t.Errorf("%.40s: %s", event, log)
		}
	}
}

// TestRecord pins the log line, which alarms and dashboards read.
func TestRecord(t *testing.T) {
	d := newDoor(t)
	d.authorizer.log.function = "edgeauth-authorizer"
	const metrics = `{"_aws":{"Timestamp":1795348800000,"CloudWatchMetrics":[{"Namespace":"edgeauth","Dimensions":[["function","outcome","reason"]],"Metrics":[{"Name":"decisions","Unit":"Count"}`
	for _, c := range []struct {
		r    request
		want string
	}{
		{page, metrics + `]}]},"msg":"decision","decisions":1,"function":"edgeauth-authorizer","outcome":"anonymous","reason":"no_session","credential":"none","kind":"rest","method":"GET","route":"/{proxy+}","request_id":"x-1"}`},
		{page.session(d.pool.IDToken(nil)), metrics + `,{"Name":"verify","Unit":"Microseconds"}]}]},"msg":"decision","decisions":1,"verify":0,` +
			`"function":"edgeauth-authorizer","outcome":"allowed","reason":"ok","credential":"cookie","kind":"rest","method":"GET","route":"/{proxy+}","request_id":"x-1"}`},
	} {
		d.ask(t, c.r)
		if got := strings.TrimSpace(d.log.String()); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

// TestRecordKeepsSecrets: nothing that a client or a token says gets into the log but the method
// and the id of the request, and those as JSON.
func TestRecordKeepsSecrets(t *testing.T) {
	d := newDoor(t, bearers(tokentest.ClientID))
	canary := tokentest.Claims{"sub": "canary-sub", "email": "canary@example.com", "cognito:groups": []string{"canary-group"}}
	id, access := d.pool.IDToken(canary), d.pool.AccessToken(tokentest.Claims{"sub": "canary-sub"})
	for _, r := range []request{
		page.session(id), script.bearer(access), page.session("canary-cookie"), script.bearer("canary-bearer"), page.with("X-Canary", "canary-header"),
		{query: "q=canary-query", path: "/canary-path"},
		page.at("GET", "/canary%0d%0apath").session(id), script.at("POST", "/x").with("Origin", "https://canary.example").session(id),
	} {
		d.ask(t, r)
		for _, secret := range []string{"canary", id[:20], access[:20]} {
			if strings.Contains(d.log.String(), secret) {
				t.Errorf("%s", d.log)
			}
		}
	}
	event := bytes.Replace(page.event(t), []byte(`"x-1"`), []byte(`"x\"\n\u2028{}"`), 1)
	d.log.Reset()
	d.Invoke(context.Background(), event)
	var line struct {
		RequestID string `json:"request_id"`
	}
	if err := json.Unmarshal(d.log.Bytes(), &line); err != nil || line.RequestID != "x\"\n\u2028{}" || strings.Count(d.log.String(), "\n") != 1 {
		t.Errorf("%v: %s", err, d.log)
	}
}

// TestInvocationsShareNothing interleaves two users on one authorizer.
func TestInvocationsShareNothing(t *testing.T) {
	pool := tokentest.New(t)
	a := newAuthorizer(t, pool, io.Discard)
	var wg sync.WaitGroup
	for _, sub := range []string{"alice", "bob"} {
		event := page.session(pool.IDToken(tokentest.Claims{"sub": sub, "cognito:groups": []string{"group-of-" + sub}})).event(t)
		wg.Go(func() {
			for range 50 {
				b, err := a.Invoke(context.Background(), event)
				if err != nil {
					t.Error(err)
					return
				}
				if got := decode(t, b); got.PrincipalID != sub || got.Context["sub"] != sub || got.Context["groups"] != "group-of-"+sub {
					t.Errorf("%s got %s", sub, b)
				}
			}
		})
	}
	wg.Wait()
}

// journal is a log that a fetch under way may write to while a test reads it.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(b)
}

func (j *journal) String() string { j.mu.Lock(); defer j.mu.Unlock(); return j.text.String() }
func (j *journal) Reset()         { j.mu.Lock(); defer j.mu.Unlock(); j.text.Reset() }

func TestBuild(t *testing.T) {
	pool, log := tokentest.New(t), new(journal)
	set := map[string]string{
		"AUTH_ISSUER": tokentest.Issuer, "AUTH_CLIENT_IDS": tokentest.ClientID, "AUTH_JWKS_URL": pool.Server(t), "AUTH_JWKS": string(pool.JWKS()), "AUTH_LOG_DECISIONS": "every",
	}
	with := func(pairs ...string) (*authorizer, error) {
		return build(func(name string) (string, bool) {
			for i := 0; i < len(pairs); i += 2 {
				if pairs[i] == name {
					return pairs[i+1], true
				}
			}
			v, ok := set[name]
			return v, ok
		}, log)
	}
	for _, c := range []struct{ name, value, want string }{
		{"AUTH_ISSUER", "", "config: AUTH_ISSUER is not set"},
		{"AUTH_CLIENT_IDS", "", "config: AUTH_CLIENT_IDS is not set"},
		{"AUTH_RULES", "* /* signed-in\n* /x", "authorizer: policy: line 2: want methods, path and at least one need"},
		{"AUTH_TRUST", `[{"issuer":"` + tokentest.Issuer + `","client_ids":["x"]}]`, "token: issuer \"" + tokentest.Issuer + "\" is there twice"},
	} {
		if _, err := with(c.name, c.value); err == nil || err.Error() != c.want {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
	if _, err := with("AUTH_JWKS", `{"keys":[]}`); err == nil {
		t.Error("a snapshot without keys is accepted")
	}

	if a, err := with("AWS_LAMBDA_FUNCTION_NAME", "edgeauth-authorizer"); err != nil || a.log.function != "edgeauth-authorizer" {
		t.Fatal(err, "or its records do not name it")
	}
	if n := pool.Fetches(); n != 0 {
		t.Errorf("%d fetches in spite of a snapshot", n)
	}
	asked := make(chan bool, 1)
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked <- true }))
	defer server.Close()
	if _, err := with("AUTH_JWKS", "", "AUTH_JWKS_URL", server.URL); err != nil {
		t.Fatal(err)
	}
	<-asked // although nobody has asked for a key yet

	log.Reset()
	a, err := with("AUTH_JWKS", "")
	if err != nil {
		t.Fatal(err)
	}
	pool.Advance(time.Since(pool.Now())) // this one goes by the real clock
	for _, fetched := range []bool{true, false} {
		log.Reset()
		if _, err := a.Invoke(context.Background(), page.session(pool.IDToken(nil)).event(t)); err != nil {
			t.Fatal(err)
		}
		named, counted := strings.Contains(log.String(), `,{"Name":"jwks_fetches","Unit":"Count"}]`), strings.Contains(log.String(), `,"jwks_fetches":1,`)
		if named != fetched || counted != fetched || !strings.Contains(log.String(), `"reason":"ok"`) {
			t.Errorf("%s", log)
		}
	}
}

// TestTrustedPools starts from the settings: each pool has keys, clients and bearer clients of its
// own, and a subject is one only together with its issuer.
func TestTrustedPools(t *testing.T) {
	const other, client, machine = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Test00002", "2example23456789abcdefghij", "3example23456789abcdefghij"
	first, second, log := tokentest.New(t), tokentest.New(t), new(bytes.Buffer)
	second.SetKeys(tokentest.StockKey(2), tokentest.StockKey(3))
	for _, p := range []*tokentest.Pool{first, second} {
		p.Advance(time.Since(p.Now())) // what is built from settings has the machine's clock
	}
	trust, err := json.Marshal([]map[string]any{{"issuer": other, "jwks_url": second.Server(t), "client_ids": []string{client}, "bearer_client_ids": []string{machine}}})
	if err != nil {
		t.Fatal(err)
	}
	settings := map[string]string{
		"AUTH_ISSUER": tokentest.Issuer, "AUTH_JWKS_URL": first.Server(t), "AUTH_CLIENT_IDS": tokentest.ClientID, "AUTH_TRUST": string(trust), "AUTH_LOG_DECISIONS": "every",
	}
	a, err := build(func(name string) (string, bool) { v, ok := settings[name]; return v, ok }, log)
	if err != nil {
		t.Fatal(err)
	}
	d := door{a, first, log}
	before := time.Now().Add(-time.Minute).Unix() // the key sets were fetched, so that they settle whose keys these are
	theirs, ours := tokentest.Claims{"iss": other, "aud": client, "iat": before}, tokentest.Claims{"iss": tokentest.Issuer, "iat": before}
	for _, c := range []struct {
		name   string
		r      request
		want   string
		issuer string // that backends learn
	}{
		{"the stack's own pool", page.session(first.IDToken(ours)), "allow ok", tokentest.Issuer},
		{"the other pool", page.session(second.IDToken(theirs)), "allow ok", other},
		{"the other in the name of our own", page.session(second.IDToken(ours)), "login token_unknown_key", ""},
		{"our own in the name of the other", page.session(first.IDToken(theirs)), "login token_unknown_key", ""},
		{"the other's client at ours", page.session(first.IDToken(tokentest.Claims{"aud": client})), "login token_audience", ""},
		{"our client at the other", page.session(second.IDToken(tokentest.Claims{"iss": other})), "login token_audience", ""},
		{"the other's machine", request{}.bearer(second.AccessToken(tokentest.Claims{"iss": other, "client_id": machine})), "allow ok", other},
		{"the other's machine at ours, which has none", request{}.bearer(first.AccessToken(tokentest.Claims{"client_id": machine})), "401 token_issuer", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := d.want(t, c.r, c.want); got.Context["iss"] != c.issuer || c.issuer != "" && got.Context["sub"] != tokentest.Subject {
				t.Errorf("backends learn %q of %q", got.Context["sub"], got.Context["iss"])
			}
		})
	}
}

// TestCauses: the log says what whoever has to mend it needs: where keys were sought and what came
// instead, and which pool a token is from.
func TestCauses(t *testing.T) {
	down := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "secret", http.StatusTeapot) }))
	defer down.Close()
	pool, log := tokentest.New(t), new(safeBuffer)
	pool.Advance(time.Since(pool.Now()))
	settings := map[string]string{
		"AUTH_ISSUER": tokentest.Issuer, "AUTH_JWKS_URL": down.URL + "/keys", "AUTH_CLIENT_IDS": tokentest.ClientID,
		"AUTH_TRUST": `[{"issuer":"https://idp.example/pool","client_ids":["c"]}]`, "AUTH_JWKS": "",
	}
	a, err := build(func(name string) (string, bool) { v, ok := settings[name]; return v, ok && v != "" }, log)
	if err != nil {
		t.Fatal(err)
	}
	cause := down.URL + "/keys: status is not 200 but 418"
	for range 2 { // the fetch itself, and one who comes in the cooldown
		if _, err := a.Invoke(context.Background(), page.session(pool.IDToken(nil)).event(t)); err == nil || err.Error() != "cannot tell: keys_unavailable" {
			t.Error(err)
		}
	}
	text := log.String()
	if strings.Count(text, `{"level":"ERROR","msg":"keys","error":"`+cause+`"}`+"\n") < 1 || strings.Count(text, `"error":"token: cannot tell: jwks: key set out of reach: `+cause+`"`) != 2 || strings.Contains(text, "secret") {
		t.Errorf("%s", text)
	}
	long := "https://evil.example/\x1b[31m\u2028é \"" + strings.Repeat("x", 300)
	for received, want := range map[string]string{
		"https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Other0001": "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Other0001",
		long: `https://evil.example/?[31m???\"` + strings.Repeat("x", 167),
	} {
		log.Reset()
		_, _ = a.Invoke(context.Background(), page.session(pool.IDToken(tokentest.Claims{"iss": received})).event(t))
		if want := `"issuer_expected":"` + tokentest.Issuer + ` https://idp.example/pool","issuer_received":"` + want + `"`; !strings.Contains(log.String(), want) {
			t.Errorf("%s lacks %s", log, want)
		}
	}
}

// safeBuffer takes writes of a fetch that is under way, too.
type safeBuffer struct {
	mu sync.Mutex // guards what follows
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}
func (s *safeBuffer) String() string { s.mu.Lock(); defer s.mu.Unlock(); return s.b.String() }
func (s *safeBuffer) Reset()         { s.mu.Lock(); defer s.mu.Unlock(); s.b.Reset() }

// TestAKeyThatMayBeNew: during the cooldown nobody can tell whose a young token is; a fetch that
// lacks its key settles that, and known keys never wait.
func TestAKeyThatMayBeNew(t *testing.T) {
	pool, log := tokentest.New(t), new(bytes.Buffer)
	settings := config.Authorizer{Pool: config.Pool{Issuer: tokentest.Issuer}, ClientIDs: []string{tokentest.ClientID}, LogDecisions: config.EveryDecision}
	set, err := jwks.New(jwks.Config{URL: pool.Server(t), Now: pool.Now})
	if err != nil {
		t.Fatal(err)
	}
	a, err := assemble(settings, trusted(settings), []token.Keys{set}, pool.Now, newRecord(log))
	if err != nil {
		t.Fatal(err)
	}
	d := door{a, pool, log}
	invented := tokentest.StockKey(3)
	d.want(t, page.session(invented.Token(pool.IDClaims(nil))), "login token_unknown_key") // the fetch that this buys lacks the key
	known := page.session(pool.IDToken(nil))
	pool.Advance(time.Second)
	pool.SetKeys(tokentest.StockKey(2), tokentest.StockKey(0))
	rotated := page.session(pool.IDToken(nil))
	for range 20 {
		d.want(t, rotated, "500 keys_unavailable")
		d.want(t, page.session(invented.Token(pool.IDClaims(nil))), "500 keys_unavailable")
		d.want(t, known, "allow ok")
	}
	old := tokentest.Claims{"iat": pool.Now().Add(-time.Hour).Unix()}
	d.want(t, page.session(invented.Token(pool.IDClaims(old))), "login token_unknown_key")
	if set.Fetches() != 1 {
		t.Errorf("%d fetches", set.Fetches())
	}
	pool.Advance(jwks.Cooldown)
	d.want(t, rotated, "allow ok")
	d.want(t, known, "allow ok")
	if set.Fetches() != 2 {
		t.Errorf("%d fetches", set.Fetches())
	}
}

func TestShippedRules(t *testing.T) {
	shipped, err := os.ReadFile("access.rules")
	if err != nil || string(shipped) != shippedRules {
		t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(shippedRules) {
		if line = strings.Join(strings.Fields(line), " "); line != "" && line[0] != '#' {
			lines = append(lines, line)
		}
	}
	if strings.Join(lines, "\n") != "* /* user" {
		t.Errorf("%q", lines)
	}
	d := newDoor(t)
	d.want(t, page.session(d.pool.IDToken(nil)), "allow ok")
	d.want(t, page, "login no_session")
}

func TestEveryRefusalHasItsCode(t *testing.T) {
	for _, code := range []reason.Code{reason.GroupRequired, reason.ScopeRequired, reason.StepUp, reason.NoRule, reason.CrossSite, reason.Override, reason.PathNotPlain, reason.TooLarge} {
		if code.Outcome() != reason.Refused {
			t.Errorf("%s is %s", code, code.Outcome())
		}
	}
}

// TestRotationAndRecentSignIns exclude each other: what a renewed token says of the sign-in cannot
// be relied on.
func TestRotationAndRecentSignIns(t *testing.T) {
	for _, row := range []struct {
		rules, rotation string
		starts          bool
	}{
		{"* /* signed-in", "true", true},
		{"* /* signed-in\n* /pay max-age:10m", "false", true},
		{"* /* signed-in\n* /pay max-age:10m", "true", false},
		{"* /* signed-in max-age:10m", "true", false},
	} {
		settings := map[string]string{
			"AUTH_ISSUER": tokentest.Issuer, "AUTH_JWKS_URL": "https://keys.example/", "AUTH_CLIENT_IDS": tokentest.ClientID,
			"AUTH_RULES": row.rules, "AUTH_ROTATION": row.rotation, "AUTH_JWKS": string(tokentest.New(t).JWKS()),
		}
		_, err := build(func(name string) (string, bool) { v, ok := settings[name]; return v, ok }, io.Discard)
		if (err == nil) != row.starts || err != nil && !errors.Is(err, errRotation) {
			t.Errorf("%q with rotation %s: %v", row.rules, row.rotation, err)
		}
	}
}
