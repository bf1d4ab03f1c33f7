package token_test

// What all tests here share: a pool, a verifier of each use over it, and how a case is put. A
// refusal is always checked for its exact reason.

import (
	"context"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"edgeauth/internal/reason"
	"edgeauth/internal/token"
	"edgeauth/internal/token/tokentest"
	"edgeauth/jwks"
)

// Short names: the tables below are long.
type (
	M      = tokentest.Claims
	refuse struct {
		why  string
		raw  string
		want error
	}
	accept struct {
		why string
		raw string
	}
)

var absent = tokentest.Absent

const (
	issuer = tokentest.Issuer
	client = tokentest.ClientID
)

// stand is a pool and the verifiers under test.
type stand struct {
	*tokentest.Pool
	id, access tokentest.Key // what signs each use
	verifiers  map[token.Use]*token.Verifier
	lookups    int // how often a key was asked for
	wanted     jwks.Wanted
}

func newStand(t testing.TB) *stand {
	p := tokentest.New(t)
	s := &stand{Pool: p, id: p.Keys()[0], access: p.Keys()[1]}
	s.verifiers = map[token.Use]*token.Verifier{}
	for _, use := range []token.Use{token.ID, token.Access} {
		v, err := token.New(token.Config{
			Issuers: []token.Issuer{{URL: issuer, ClientIDs: []string{client, "second-client"}, Resources: []string{"https://api.example"}, Keys: s}},
			Use:     use,
			Now:     p.Now,
		})
		if err != nil {
			t.Fatal(err)
		}
		s.verifiers[use] = v
	}
	return s
}

// Key counts, so that a test can say that no key was asked for.
func (s *stand) Key(ctx context.Context, w jwks.Wanted) (*rsa.PublicKey, error) {
	s.lookups++
	s.wanted = w
	return s.Pool.Key(ctx, w)
}

// header returns the header of an ID token with more members.
func (s *stand) header(more string) string {
	return `{"kid":` + tokentest.Encode(s.id.ID) + `,"alg":"RS256"` + more + `}`
}

// payload returns the payload of an ID token with more members.
func (s *stand) payload(more string) string {
	return strings.TrimSuffix(tokentest.Encode(s.IDClaims(nil)), "}") + more + "}"
}

// headed and paid return a genuinely signed ID token with this header, or this payload.
func (s *stand) headed(header string) string { return s.id.Sign(header, s.payload("")) }
func (s *stand) paid(payload string) string  { return s.id.Sign(s.header(""), payload) }

// refuse verifies each case for use and wants exactly its error.
func (s *stand) refuse(t *testing.T, use token.Use, cases []refuse) {
	t.Helper()
	if len(cases) == 0 {
		t.Fatal("no cases")
	}
	for _, c := range cases {
		claims, err := s.verifiers[use].Verify(t.Context(), c.raw, token.Checks{})
		checkRefusal(t, c, claims, err)
	}
}

// checkRefusal wants c's error, a member of the class, with a code of its own, and nothing let out:
// no claims, and none of the input in the text.
func checkRefusal(t *testing.T, c refuse, claims token.Claims, err error) {
	t.Helper()
	switch {
	case !errors.Is(err, c.want):
		t.Errorf("%s: got %v, want %v", c.why, err, c.want)
	case !errors.Is(err, token.ErrInvalid):
		t.Errorf("%s: %v is not an ErrInvalid", c.why, err)
	case reason.Of(err) != reason.Of(c.want) || reason.Of(err).Outcome() != reason.Invalid:
		t.Errorf("%s: reason %q", c.why, reason.Of(err))
	case !reflect.ValueOf(claims).IsZero():
		t.Errorf("%s: refused, but with claims", c.why)
	}
	for _, part := range strings.FieldsFunc(c.raw, func(r rune) bool { return r == '.' }) {
		if len(part) > 8 && err != nil && strings.Contains(err.Error(), part) {
			t.Errorf("%s: the error quotes the token", c.why)
		}
	}
}

// accept verifies each case for use and wants it accepted as the user of the pool.
func (s *stand) accept(t *testing.T, use token.Use, cases []accept) {
	t.Helper()
	for _, c := range cases {
		claims, err := s.verifiers[use].Verify(t.Context(), c.raw, token.Checks{})
		if err != nil {
			t.Errorf("%s: %v", c.why, err)
			continue
		}
		if claims.Subject != tokentest.Subject || claims.Issuer != issuer || claims.Use != use {
			t.Errorf("%s: got %+v", c.why, claims)
		}
	}
}

// variants makes a case of each text, all refused with want.
func variants(why string, want error, build func(string) string, texts ...string) (cases []refuse) {
	for _, text := range texts {
		cases = append(cases, refuse{why + ": " + text, build(text), want})
	}
	return cases
}

func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

func TestClaimsOfAnIDToken(t *testing.T) {
	s := newStand(t)
	raw := s.IDToken(M{"cognito:groups": []string{"admins", "größen"}, "nonce": "n-1", "email": "alice+\\\"ü@example.com", "custom:x": M{"a": []int{1}}})
	got, err := s.verifiers[token.ID].Verify(t.Context(), raw, token.Checks{})
	if err != nil {
		t.Fatal(err)
	}
	payload, _ := base64.RawURLEncoding.DecodeString(strings.Split(raw, ".")[1])
	now := tokentest.Start.Unix()
	want := token.Claims{
		Issuer: issuer, Subject: tokentest.Subject, Username: tokentest.Username, Email: "alice+\\\"ü@example.com", EmailVerified: true,
		Groups: []string{"admins", "größen"}, ClientID: client, Use: token.ID, Expiry: now + 3600, IssuedAt: now, AuthTime: now, Nonce: "n-1",
		OriginJTI: "f1f1a5b0-9a51-47d2-b6c7-1b6f0a9c3d4e", ID: "6c3f0a7e-5f0b-4d43-8c57-6a2f3d9b1e02", Payload: payload,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if cap(got.Payload) != len(got.Payload) {
		t.Error("appending to Payload would write into memory that is in use")
	}
}

func TestClaimsOfAnAccessToken(t *testing.T) {
	s := newStand(t)
	raw := s.AccessToken(M{"cognito:groups": []string{"admins"}, "nonce": 1, "at_hash": 1, "cognito:username": 1})
	got, err := s.verifiers[token.Access].Verify(t.Context(), raw, token.Checks{})
	if err != nil {
		t.Fatal(err)
	}
	got.Payload = nil
	now := tokentest.Start.Unix()
	want := token.Claims{
		Issuer: issuer, Subject: tokentest.Subject, Username: tokentest.Username, Groups: []string{"admins"}, Scope: "openid email", ClientID: client,
		Use: token.Access, Expiry: now + 3600, IssuedAt: now, AuthTime: now,
		OriginJTI: "f1f1a5b0-9a51-47d2-b6c7-1b6f0a9c3d4e", ID: "0b7c6a51-31a5-4f4e-9d0c-7d0f6a1e2b03",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// An address counts as verified only where the claim is JSON's true; any other value is not worth
// an outage.
func TestEmailVerifiedIsTrueOrIsNot(t *testing.T) {
	s := newStand(t)
	for value, want := range map[any]bool{true: true, false: false, "true": false, 1: false, nil: false} {
		c, err := s.verifiers[token.ID].Verify(t.Context(), s.IDToken(M{"email_verified": value}), token.Checks{})
		if err != nil || c.EmailVerified != want {
			t.Errorf("%v: got %v, %v", value, c.EmailVerified, err)
		}
	}
}

// Whatever a valid token may look like besides Cognito's own.
func TestAcceptsEveryValidVariant(t *testing.T) {
	s := newStand(t)
	kid := tokentest.Encode(s.id.ID)
	spaced, _ := json.MarshalIndent(s.IDClaims(nil), "\r\n", " \t")
	unescaped, _ := json.Marshal(s.IDClaims(nil))
	escaped := strings.NewReplacer(`"iss"`, `"\u0069ss"`, `"token_use"`, `"token\u005Fuse"`, `"id"`, `"\u0069\u0064"`).Replace(s.payload(""))
	s.accept(t, token.ID, []accept{
		{"as Cognito writes it", s.IDToken(nil)},
		{"white space in the payload", s.paid("\n\t " + string(spaced) + " \r\n")},
		{"white space in the header", s.headed(" { \"alg\" : \"RS256\" ,\r\n\t\"kid\" : " + kid + " } ")},
		{"solidus not escaped", s.paid(string(unescaped))},
		{"names and values in escapes", s.paid(escaped)},
		{"alg in escapes", s.headed(`{"kid":` + kid + `,"\u0061lg":"RS\u00325\u0036"}`)},
		{"unknown claims of every type", s.paid(s.payload(`,"a":null,"b":[],"c":{},"d":-1.5e+10,"e":"\ud83d\ude00 \u00e9 é 😀","f":[{"g":[true,false]}],"":0`))},
		{"unknown header members", s.headed(s.header(`,"x":{"y":[1]},"cty":"x","x5t":"abc"`))},
		{"typ of a JWT", s.headed(s.header(`,"typ":"JWT"`))},
		{"typ of a JWT in small letters", s.headed(s.header(`,"typ":"jwt"`))},
		{"the other key", s.access.Token(s.IDClaims(nil))},
		{"one-element aud", s.IDToken(M{"aud": []string{client}})},
		{"the second client", s.IDToken(M{"aud": "second-client"})},
		{"azp of ours", s.IDToken(M{"azp": client})},
		{"azp of our other client", s.IDToken(M{"azp": "second-client"})},
		{"no auth_time", s.IDToken(M{"auth_time": absent})},
		{"no username", s.IDToken(M{"cognito:username": absent})},
		{"no email", s.IDToken(M{"email": absent, "email_verified": absent})},
		{"empty groups", s.IDToken(M{"cognito:groups": []string{}})},
		{"a group of every kind of sign", s.IDToken(M{"cognito:groups": []string{"a*?/$%\"'\\<>ß漢é€½—"}})},
		{"claims of the other use are nobody's business", s.IDToken(M{"scope": 1, "client_id": 1, "username": 1})},
		{"nbf now", s.IDToken(M{"nbf": s.Now().Unix()})},
		{"many claims", s.paid(s.payload(manyMembers(500)))},
		{"nested to the limit", s.paid(s.payload(`,"deep":` + strings.Repeat("[", 31) + strings.Repeat("]", 31)))},
		{"as long as may be", s.IDToken(M{"x": strings.Repeat("x", longest(s, 0))})},
	})
	s.accept(t, token.Access, []accept{
		{"as Cognito writes it", s.AccessToken(nil)},
		{"no iat", s.AccessToken(M{"iat": absent})},
		{"no scope", s.AccessToken(M{"scope": absent})},
		{"every sign a scope may have", s.AccessToken(M{"scope": "https://api.example/read !#$%&'()*+,-.:;<=>?@[]^_`{|}~"})},
		{"bound to this API", s.AccessToken(M{"aud": "https://api.example"})},
		{"bound to this API, in a list", s.AccessToken(M{"aud": []string{"https://api.example"}})},
		{"typ of a JWT", s.access.Sign(`{"kid":`+tokentest.Encode(s.access.ID)+`,"alg":"RS256","typ":"JWT"}`, tokentest.Encode(s.AccessClaims(nil)))},
		{"typ of an access token", s.access.Sign(`{"kid":`+tokentest.Encode(s.access.ID)+`,"alg":"RS256","typ":"at+jwt"}`, tokentest.Encode(s.AccessClaims(nil)))},
	})
}

// manyMembers returns n more members of an object.
func manyMembers(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(`,"m`)
		b.WriteString(strings.Repeat("x", i%7))
		b.WriteString(tokentest.Groups(n, 3)[i])
		b.WriteString(`":0`)
	}
	return b.String()
}

// longest returns how long a claim makes a token that is as long as may be and beyond, by at least over bytes.
func longest(s *stand, over int) int {
	n := 0
	for len(s.id.Sign(s.header(""), tokentest.Encode(s.IDClaims(M{"x": strings.Repeat("x", n)})))) < 16384+over {
		n += 1 + (16384-len(s.IDToken(M{"x": strings.Repeat("x", n)})))*3/4
	}
	if over == 0 {
		for len(s.IDToken(M{"x": strings.Repeat("x", n)})) > 16384 {
			n--
		}
	}
	return n
}

// What New is not told must not be what Verify does not check (CVE-2026-55689).
func TestNewRefusesAMissingExpectation(t *testing.T) {
	good := func() token.Config {
		return token.Config{Issuers: []token.Issuer{{URL: issuer, ClientIDs: []string{client}, Keys: tokentest.New(t)}}, Use: token.ID}
	}
	if _, err := token.New(good()); err != nil {
		t.Fatal(err)
	}
	for want, spoil := range map[string]func(*token.Config){
		"token: Config.Use is neither ID nor Access":                                               func(c *token.Config) { c.Use = "" },
		"token: Config.Issuers is empty":                                                           func(c *token.Config) { c.Issuers = nil },
		"token: an issuer has no URL":                                                              func(c *token.Config) { c.Issuers[0].URL = "" },
		"token: issuer \"" + issuer + "\" has no client":                                           func(c *token.Config) { c.Issuers[0].ClientIDs = nil },
		"token: issuer \"" + issuer + "\" has no keys":                                             func(c *token.Config) { c.Issuers[0].Keys = nil },
		"token: issuer \"" + issuer + "\" has a client or resource without a name":                 func(c *token.Config) { c.Issuers[0].ClientIDs = []string{client, ""} },
		"token: issuer \"" + issuer + "\" has a client or resource without a name" + " (resource)": func(c *token.Config) { c.Issuers[0].Resources = []string{""} },
		"token: issuer \"" + issuer + "\" is there twice":                                          func(c *token.Config) { c.Issuers = append(c.Issuers, c.Issuers[0]) },
		"token: Config.Leeway is not between 0 and 5m0s":                                           func(c *token.Config) { c.Leeway = 5*time.Minute + 1 },
		"token: Config.Leeway is not between 0 and 5m0s" + " (negative)":                           func(c *token.Config) { c.Leeway = -1 },
		"token: Config.ExpLeeway is not between 0 and 1m0s":                                        func(c *token.Config) { c.ExpLeeway = time.Minute + 1 },
		"token: Config.ExpLeeway is not between 0 and 1m0s" + " (negative)":                        func(c *token.Config) { c.ExpLeeway = -1 },
	} {
		c := good()
		spoil(&c)
		_, err := token.New(c)
		want, _, _ = strings.Cut(want, " (")
		if err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestNewDefaultsToTheClockOfTheSystem(t *testing.T) {
	p := tokentest.New(t)
	v, err := token.New(token.Config{Issuers: []token.Issuer{{URL: issuer, ClientIDs: []string{client}, Keys: p}}, Use: token.ID})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().Unix()
	if _, err := v.Verify(t.Context(), p.IDToken(M{"iat": now, "auth_time": now, "exp": now + 60}), token.Checks{}); err != nil {
		t.Error(err)
	}
}

// When the keys are out of reach, nobody can tell: that is no refusal.
func TestKeysOutOfReachIsNoRefusal(t *testing.T) {
	p := tokentest.New(t)
	for _, cause := range []error{jwks.ErrUnavailable, context.DeadlineExceeded, errors.New("other")} {
		v, err := token.New(token.Config{Issuers: []token.Issuer{{URL: issuer, ClientIDs: []string{client}, Keys: failing{cause}}}, Use: token.ID, Now: p.Now})
		if err != nil {
			t.Fatal(err)
		}
		_, err = v.Verify(t.Context(), p.IDToken(nil), token.Checks{})
		if !errors.Is(err, cause) || errors.Is(err, token.ErrInvalid) || reason.Of(err).Outcome() != reason.CannotTell {
			t.Errorf("%v: got %v", cause, err)
		}
	}
}

type failing struct{ err error }

func (f failing) Key(context.Context, jwks.Wanted) (*rsa.PublicKey, error) { return nil, f.err }

// TestKeysAreToldWhatDecidesAboutAFetch: when the token was issued, and whether it came from the issuer itself.
func TestKeysAreToldWhatDecidesAboutAFetch(t *testing.T) {
	s := newStand(t)
	issued := s.Now().Add(-time.Minute)
	for _, c := range []struct {
		use    token.Use
		raw    string
		direct bool
		want   jwks.Wanted
	}{
		{token.ID, s.IDToken(M{"iat": issued.Unix()}), false, jwks.Wanted{ID: s.id.ID, Issued: issued}},
		{token.ID, s.IDToken(M{"iat": issued.Unix()}), true, jwks.Wanted{ID: s.id.ID, Issued: issued, Direct: true}},
		{token.Access, s.AccessToken(M{"iat": absent}), false, jwks.Wanted{ID: s.access.ID}},
	} {
		if _, err := s.verifiers[c.use].Verify(t.Context(), c.raw, token.Checks{Direct: c.direct}); err != nil {
			t.Error(err)
		}
		if got := s.wanted; got.ID != c.want.ID || !got.Issued.Equal(c.want.Issued) || got.Direct != c.want.Direct {
			t.Errorf("%+v, want %+v", got, c.want)
		}
	}
}

// TestLengthIsBounded: what is exactly as long as may be is read, and one byte more is not.
func TestLengthIsBounded(t *testing.T) {
	s := newStand(t)
	for over, want := range map[int]bool{0: false, 1: true} {
		_, err := s.verifiers[token.ID].Verify(t.Context(), strings.Repeat("e", 16384-2+over)+"..", token.Checks{})
		if !errors.Is(err, token.ErrMalformed) || strings.Contains(err.Error(), "longer than 16384 bytes") != want {
			t.Errorf("%d bytes: %v", 16384+over, err)
		}
	}
}

// TestOtherIssuer: another issuer is told by name, to whoever asks, and in no text.
func TestOtherIssuer(t *testing.T) {
	s := newStand(t)
	_, err := s.verifiers[token.ID].Verify(t.Context(), s.IDToken(M{"iss": "https://other.example"}), token.Checks{})
	other := (*token.OtherIssuer)(nil)
	if !errors.As(err, &other) || other.Received != "https://other.example" || !errors.Is(err, token.ErrIssuer) || !errors.Is(err, token.ErrInvalid) || err.Error() != token.ErrIssuer.Error() {
		t.Errorf("%v, %+v", err, other)
	}
}
