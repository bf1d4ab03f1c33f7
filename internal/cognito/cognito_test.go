package cognito_test

// This file holds the questions to AWS to their rules, against a server that answers as AWS does.

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"edgeauth/internal/cognito"
	"edgeauth/internal/config"
	"edgeauth/internal/reason"
)

const good = `{"v":1,"issuer":"https://cognito-idp.eu-west-1.amazonaws.com/pool1","user_pool_id":"pool1","client_id":"client1","login_url":"https://example.auth.eu-west-1.amazoncognito.com","base_urls":["https://app.example.com/Prod","http://localhost:3000/Prod"]}`

// aws answers GetParameter and DescribeUserPoolClient.
type aws struct {
	mu         sync.Mutex
	parameters map[string]string
	client     string // JSON of UserPoolClient
	fail       int    // status of every answer; 0: none
	calls      []string
	now        time.Time
}

func (a *aws) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	var in struct {
		Name, UserPoolID, ClientID string
		WithDecryption             bool
	}
	json.Unmarshal(body, &in)
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	a.calls = append(a.calls, operation+" "+in.Name+in.UserPoolID)
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	if a.fail != 0 {
		w.WriteHeader(a.fail)
		fmt.Fprint(w, `{"__type":"InternalServerError","message":"canary-message"}`)
		return
	}
	value, known := a.parameters[in.Name]
	switch {
	case operation == "GetParameter" && known && in.WithDecryption:
		json.NewEncoder(w).Encode(map[string]any{"Parameter": map[string]any{"Name": in.Name, "Value": value}})
	case operation == "DescribeUserPoolClient" && in.UserPoolID == "pool1" && in.ClientID == "client1":
		fmt.Fprintf(w, `{"UserPoolClient":%s}`, a.client)
	default:
		w.WriteHeader(400)
		fmt.Fprint(w, `{"__type":"ParameterNotFound","message":"canary-message"}`)
	}
}

func (a *aws) count(operation string) (n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, c := range a.calls {
		if strings.HasPrefix(c, operation) {
			n++
		}
	}
	return n
}

func (a *aws) set(change func()) { a.mu.Lock(); defer a.mu.Unlock(); change() }

func secretIs(s string) string {
	return `{"ClientId":"client1","ClientSecret":"` + s + `","RefreshTokenValidity":5,"TokenValidityUnits":{"RefreshToken":"hours"}}`
}

// newSource returns a source, and the AWS it asks.
func newSource(t *testing.T) (*cognito.Source, *aws) {
	t.Helper()
	a := &aws{parameters: map[string]string{"/stack/auth": good}, client: secretIs("secret-1"), now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": server.URL, "AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y", "AWS_SESSION_TOKEN": "",
	} {
		t.Setenv(name, value)
	}
	s, err := cognito.New(cognito.Config{Parameter: "/stack/auth", Now: func() time.Time { a.mu.Lock(); defer a.mu.Unlock(); return a.now }})
	if err != nil {
		t.Fatal(err)
	}
	return s, a
}

func ask(t *testing.T, s *cognito.Source) cognito.Client {
	t.Helper()
	c, err := s.Client(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestClient(t *testing.T) {
	s, a := newSource(t)
	if len(a.calls) != 0 {
		t.Error("asked before anybody wanted to know")
	}
	c := ask(t, s)
	if c.ClientID != "client1" || c.Issuer != "https://cognito-idp.eu-west-1.amazonaws.com/pool1" || c.Secret.Reveal() != "secret-1" || c.Former.Reveal() != "" || c.LoginURL != "https://example.auth.eu-west-1.amazoncognito.com" ||
		!slices.Equal(c.BaseURLs, []string{"https://app.example.com/Prod", "http://localhost:3000/Prod"}) || c.RefreshLife != 5*time.Hour {
		t.Errorf("%q %v", c.Secret.Reveal(), c)
	}
}

func TestWithoutRegion(t *testing.T) {
	s, _ := newSource(t)
	t.Setenv("AWS_REGION", "")
	if _, err := s.Client(t.Context()); err == nil || !strings.Contains(err.Error(), "cognito: AWS_REGION is not set") {
		t.Errorf("%v", err)
	}
}

func TestRefreshLife(t *testing.T) {
	for text, want := range map[string]time.Duration{
		`{"ClientSecret":"s","RefreshTokenValidity":30}`:                                                   30 * 24 * time.Hour,
		`{"ClientSecret":"s","RefreshTokenValidity":2,"TokenValidityUnits":{"RefreshToken":"days"}}`:       48 * time.Hour,
		`{"ClientSecret":"s","RefreshTokenValidity":90,"TokenValidityUnits":{"RefreshToken":"minutes"}}`:   90 * time.Minute,
		`{"ClientSecret":"s","RefreshTokenValidity":3600,"TokenValidityUnits":{"RefreshToken":"seconds"}}`: time.Hour,
		`{"ClientSecret":"s"}`: 0,
	} {
		s, a := newSource(t)
		a.client = text
		if got := ask(t, s).RefreshLife; got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}

func TestAnswersServeForFiveMinutes(t *testing.T) {
	s, a := newSource(t)
	for range 10 {
		ask(t, s)
	}
	a.set(func() { a.now = a.now.Add(fiveMinutes - time.Second) })
	ask(t, s)
	if n := a.count("GetParameter /stack/auth"); n != 2 { // the parameter, and the former secret
		t.Errorf("asked %d times", n)
	}
	a.set(func() { a.now = a.now.Add(time.Second) })
	ask(t, s)
	if n := a.count("DescribeUserPoolClient"); n != 2 {
		t.Errorf("asked %d times", n)
	}
	a.set(func() { a.now = a.now.Add(-time.Hour) }) // a clock that was set back
	ask(t, s)
	if n := a.count("DescribeUserPoolClient"); n != 3 {
		t.Errorf("asked %d times", n)
	}
}

const fiveMinutes = 5 * time.Minute

func TestLastAnswerServesOn(t *testing.T) {
	s, a := newSource(t)
	ask(t, s)
	a.set(func() { a.now, a.fail = a.now.Add(time.Hour), 500 })
	if c := ask(t, s); c.Secret.Reveal() != "secret-1" {
		t.Errorf("%q", c.Secret.Reveal())
	}
	n := len(a.calls)
	a.set(func() { a.now = a.now.Add(29 * time.Second) })
	ask(t, s)
	if len(a.calls) != n {
		t.Error("asked again at once")
	}
	a.set(func() { a.now, a.fail, a.client = a.now.Add(time.Second), 0, secretIs("secret-2") })
	if c := ask(t, s); c.Secret.Reveal() != "secret-2" {
		t.Errorf("%q", c.Secret.Reveal())
	}
}

func TestFailuresAreNotKept(t *testing.T) {
	s, a := newSource(t)
	a.set(func() { a.fail = 500 })
	for range 2 {
		_, err := s.Client(t.Context())
		if !errors.Is(err, cognito.ErrUnavailable) || reason.Of(err) != reason.ConfigUnavailable || strings.Contains(err.Error(), "canary") {
			t.Errorf("%v", err)
		}
	}
	if n := a.count("GetParameter"); n != 4 { // twice each
		t.Errorf("%d attempts", n)
	}
	a.set(func() { a.fail = 0 })
	ask(t, s)
}

func TestRotationKeepsTheFormerSecret(t *testing.T) {
	s, a := newSource(t)
	ask(t, s)
	a.set(func() { a.client = secretIs("secret-2") })
	if c := ask(t, s); c.Secret.Reveal() != "secret-1" {
		t.Error("asked too early")
	}
	s.Outdated()
	if c := ask(t, s); c.Secret.Reveal() != "secret-2" || c.Former.Reveal() != "secret-1" {
		t.Errorf("%q, before %q", c.Secret.Reveal(), c.Former.Reveal())
	}
	a.set(func() { a.now = a.now.Add(fiveMinutes - time.Second) })
	if c := ask(t, s); c.Former.Reveal() != "secret-1" {
		t.Errorf("forgotten: %q", c.Former.Reveal())
	}
	a.set(func() { a.now = a.now.Add(time.Second) })
	if c := ask(t, s); c.Former.Reveal() != "" {
		t.Errorf("remembered though nobody left it for us: %q", c.Former.Reveal())
	}
}

// TestAWrongAnswerBuysOneLook: while the identity provider refuses a secret that AWS says is the client's, every visitor
// finds the answer to be wrong, and AWS is asked twice a minute.
func TestAWrongAnswerBuysOneLook(t *testing.T) {
	s, a := newSource(t)
	ask(t, s)
	for range 20 {
		s.Outdated()
		ask(t, s)
	}
	if n := a.count("DescribeUserPoolClient"); n != 2 {
		t.Errorf("asked %d times, want 2", n)
	}
	a.set(func() { a.now = a.now.Add(29 * time.Second) })
	ask(t, s)
	if n := a.count("DescribeUserPoolClient"); n != 2 {
		t.Errorf("asked %d times, want 2", n)
	}
	a.set(func() { a.now, a.client = a.now.Add(time.Second), secretIs("secret-2") })
	if c := ask(t, s); c.Secret.Reveal() != "secret-2" {
		t.Error("the look that was owed was not taken")
	}
	a.set(func() { a.now, a.fail = a.now.Add(time.Minute), 500 })
	n := len(a.calls)
	s.Outdated()
	ask(t, s)
	failed := len(a.calls)
	s.Outdated()
	ask(t, s)
	if failed == n || len(a.calls) != failed {
		t.Errorf("%d questions, then %d, to an AWS that does not answer", failed-n, len(a.calls)-failed)
	}
}

// TestFormerSecretOfAColdStart: an instance that never saw the former secret finds it where the operator left it.
func TestFormerSecretOfAColdStart(t *testing.T) {
	s, a := newSource(t)
	a.parameters["/stack/auth"+cognito.FormerSecret] = "secret-0"
	if c := ask(t, s); c.Former.Reveal() != "secret-0" {
		t.Errorf("%q", c.Former.Reveal())
	}
	s, a = newSource(t)
	a.parameters["/stack/auth"+cognito.FormerSecret] = "secret-1" // left there before the rotation
	if c := ask(t, s); c.Former.Reveal() != "" {
		t.Errorf("%q", c.Former.Reveal())
	}
}

func TestUnusableAnswers(t *testing.T) {
	for name, change := range map[string]func(a *aws){
		"no parameter":        func(a *aws) { delete(a.parameters, "/stack/auth") },
		"not JSON":            func(a *aws) { a.parameters["/stack/auth"] = "{canary" },
		"no client":           func(a *aws) { a.parameters["/stack/auth"] = strings.Replace(good, "client1", "", 1) },
		"no secret":           func(a *aws) { a.client = `{"ClientId":"client1"}` },
		"no client described": func(a *aws) { a.client = `null` },
	} {
		s, a := newSource(t)
		change(a)
		if _, err := s.Client(t.Context()); !errors.Is(err, cognito.ErrUnavailable) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v", name, err)
		}
		if n := a.count("DescribeUserPoolClient"); n > 0 && !strings.HasPrefix(name, "no secret") && !strings.HasPrefix(name, "no client described") {
			t.Errorf("%s: asked about a client all the same", name)
		}
	}
}

func TestAskingEndsWithItsContext(t *testing.T) {
	s, _ := newSource(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Client(ctx); !errors.Is(err, cognito.ErrUnavailable) {
		t.Errorf("%v", err)
	}
	ask(t, s)
}

func TestManyAskOnce(t *testing.T) {
	s, a := newSource(t)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() { ask(t, s) })
	}
	all.Wait()
	if n := a.count("DescribeUserPoolClient"); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

func TestNewWantsItsSettings(t *testing.T) {
	if _, err := cognito.New(cognito.Config{}); err == nil {
		t.Error("passes")
	}
}

func TestSecretHidesItself(t *testing.T) {
	s := cognito.NewSecret("canary")
	c := cognito.Client{SignIn: config.SignIn{ClientID: "client1"}, Secret: s, Former: s}
	around := struct{ inside cognito.Client }{c}
	var b strings.Builder
	slog.New(slog.NewJSONHandler(&b, nil)).Info("x", "secret", s, "client", c)
	slog.New(slog.NewTextHandler(&b, nil)).Info("x", "secret", s, "client", c)
	text, _ := json.Marshal(map[string]any{"secret": s, "client": c})
	key, _ := json.Marshal(map[cognito.Secret]int{s: 1})
	b.Write(text)
	b.Write(key)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t"} {
		fmt.Fprintf(&b, verb+verb+verb+verb+verb, s, c, &c, around, &around)
	}
	b.WriteString(s.String() + s.GoString() + fmt.Sprint(s))
	hex := fmt.Sprintf("%x", "canary")
	if strings.Contains(b.String(), "canary") || strings.Contains(strings.ToLower(b.String()), hex) {
		t.Error(b.String())
	}
}
