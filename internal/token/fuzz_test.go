package token_test

// Properties that hold for every input, beginning with those that the tables found interesting.

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"edgeauth/internal/reason"
	"edgeauth/internal/token"
	"edgeauth/internal/token/tokentest"
	"edgeauth/jwks"
)

// FuzzVerify: an accepted token is the only text of its parts; the decision depends on token, keys
// and clock alone; a refusal is of the class; one key set is fetched at most, whatever is asked at
// one moment.
func FuzzVerify(f *testing.F) {
	s := newStand(f)
	good := s.IDToken(nil)
	parts := strings.Split(good, ".")
	for _, seed := range []string{
		good, "", ".", "..", "...", good + "\n", "\n" + good, good + "=", good[:len(good)-1], parts[0] + "." + parts[1] + ".", strings.Repeat(".", 100),
		s.AccessToken(nil), s.headed(s.header(`,"crit":[]`)), s.headed(`{"alg":"none"}`), s.paid("{}"), s.paid(s.payload(`,"iss":"x"`)), s.IDToken(M{"exp": 1}),
		tokentest.StockKey(2).Token(s.IDClaims(nil)), tokentest.StockKey(2).Sign(s.header(""), s.payload("")),
	} {
		f.Add(seed)
	}
	fetches := 0
	set, err := jwks.New(jwks.Config{URL: "https://keys.example/jwks.json", Now: s.Now, Client: &http.Client{Transport: answer(func(*http.Request) *http.Response {
		fetches++
		return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(s.JWKS()))}
	})}})
	if err != nil {
		f.Fatal(err)
	}
	v, err := token.New(token.Config{Issuers: []token.Issuer{{URL: issuer, ClientIDs: []string{client}, Keys: set}}, Use: token.ID, Now: s.Now})
	if err != nil {
		f.Fatal(err)
	}
	if _, err := v.Verify(f.Context(), good, token.Checks{}); err != nil {
		f.Fatal(err)
	}
	s.Advance(time.Second)
	f.Fuzz(func(t *testing.T, raw string) {
		claims, err := v.Verify(t.Context(), raw, token.Checks{})
		again, errAgain := v.Verify(t.Context(), raw, token.Checks{})
		if !reflect.DeepEqual(claims, again) || reason.Of(err) != reason.Of(errAgain) {
			t.Fatalf("first %v, then %v", err, errAgain)
		}
		if fetches > 1 {
			t.Fatalf("%d fetches", fetches)
		}
		if err != nil {
			if !errors.Is(err, token.ErrInvalid) && !errors.Is(err, jwks.ErrUnavailable) { // the latter of unknown keys, should the set be older than the token
				t.Fatalf("%v is neither an ErrInvalid nor about keys", err)
			}
			return
		}
		var rebuilt []string
		for _, part := range strings.Split(raw, ".") {
			b, err := base64.RawURLEncoding.DecodeString(part)
			if err != nil {
				t.Fatal(err)
			}
			rebuilt = append(rebuilt, base64.RawURLEncoding.EncodeToString(b))
		}
		if strings.Join(rebuilt, ".") != raw {
			t.Fatal("accepted, but another text says the same")
		}
	})
}

type answer func(*http.Request) *http.Response

func (a answer) RoundTrip(r *http.Request) (*http.Response, error) { return a(r), nil }

// FuzzOneByte: no byte of an accepted token can be changed, taken out or put in.
func FuzzOneByte(f *testing.F) {
	s := newStand(f)
	good := s.IDToken(M{"cognito:groups": []string{"admins"}})
	for i := 0; i < len(good); i += 37 {
		f.Add(i, good[i]^1)
		f.Add(i, good[i]^0x20)
		f.Add(i, byte('\n'))
		f.Add(i, byte('.'))
	}
	f.Add(len(good)-1, byte('A'))
	f.Fuzz(func(t *testing.T, i int, c byte) {
		if i < 0 {
			i = -(i + 1)
		}
		i %= len(good)
		for why, raw := range map[string]string{
			"changed":   good[:i] + string([]byte{c}) + good[i+1:],
			"taken out": good[:i] + good[i+1:],
			"put in":    good[:i] + string([]byte{c}) + good[i:],
		} {
			if raw == good {
				continue
			}
			if _, err := s.verifiers[token.ID].Verify(t.Context(), raw, token.Checks{}); !errors.Is(err, token.ErrInvalid) {
				t.Fatalf("byte %d %s, %#02x: %v", i, why, c, err)
			}
		}
	})
}

// FuzzPayload: a genuinely signed payload is accepted only if any JSON reader reads from it what
// the claims say, and jwx accepts it too.
func FuzzPayload(f *testing.F) {
	s := newStand(f)
	good := s.payload("")
	for _, seed := range []string{
		good, good + " ", "\n" + good, good + good, good + "x", "{}", "[]", "null", "", strings.Replace(good, "iss", "ISS", 1), good[:len(good)-1] + `,"iss":"x"}`,
		good[:len(good)-1] + `,"cognito:groups":["a","b"]}`, good[:len(good)-1] + `,"nbf":1e3}`, strings.Replace(good, "token_use", "token_uſe", 1), good[:len(good)-1] + `,"x":"\ud800"}`,
		good[:len(good)-1] + `,"x":[[[{"a":1.5e-3}]]]}`, strings.ReplaceAll(good, `\/`, "/"), strings.Replace(good, "sub", `\u0073ub`, 1),
		tokentest.Encode(s.IDClaims(M{"aud": []string{client}})), tokentest.Encode(s.IDClaims(M{"aud": []string{client, "b"}})),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, payload string) {
		raw := s.paid(payload)
		start := time.Now()
		claims, err := s.verifiers[token.ID].Verify(t.Context(), raw, token.Checks{})
		if took := time.Since(start); took > time.Second {
			t.Fatalf("took %v", took)
		}
		if err != nil {
			return
		}
		var read map[string]any
		if err := json.Unmarshal([]byte(payload), &read); err != nil {
			t.Fatalf("accepted, but encoding/json says %v", err)
		}
		if read["iss"] != claims.Issuer || read["sub"] != claims.Subject || read["token_use"] != "id" || read["exp"] != float64(claims.Expiry) || read["iat"] != float64(claims.IssuedAt) {
			t.Fatalf("read %v, claims %+v", read, claims)
		}
		if groups, _ := read["cognito:groups"].([]any); len(groups) != len(claims.Groups) || len(claims.Groups) != len(strings.Fields(strings.Join(claims.Groups, " "))) {
			t.Fatalf("groups %v read as %v", groups, claims.Groups)
		}
		jwxAgrees(t, &s.id.Private.PublicKey, raw, claims)
	})
}

// FuzzHeader: a genuinely signed header is accepted only if any JSON reader reads RS256, the key's
// name and nothing critical from it.
func FuzzHeader(f *testing.F) {
	s := newStand(f)
	for _, seed := range []string{s.header(""), s.header(`,"typ":"JWT"`), s.header(`,"crit":[]`), s.header(`,"alg":"none"`), s.header(`,"x":{}`), `{}`, ``, ` ` + s.header(""), s.header("") + "x", strings.Replace(s.header(""), "alg", `\u0061lg`, 1)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		if _, err := s.verifiers[token.ID].Verify(t.Context(), s.headed(header), token.Checks{}); err != nil {
			return
		}
		var read map[string]any
		if err := json.Unmarshal([]byte(header), &read); err != nil {
			t.Fatalf("accepted, but encoding/json says %v", err)
		}
		_, crit := read["crit"]
		if read["alg"] != "RS256" || read["kid"] != s.id.ID || crit {
			t.Fatalf("accepted with header %v", read)
		}
	})
}
