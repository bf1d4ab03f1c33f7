package jwks_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/lestrrat-go/jwx/v3/jwk"

	"edgeauth/internal/token/tokentest"
	"edgeauth/jwks"
)

type M = tokentest.Claims

var absent = tokentest.Absent

// entry returns a usable JWK with changes.
func entry(kid string, changes M) string {
	e := M{"kid": kid, "kty": "RSA", "alg": "RS256", "use": "sig", "n": modulus(2048), "e": "AQAB"}
	maps.Copy(e, changes)
	maps.DeleteFunc(e, func(_ string, v any) bool { return v == any(absent) })
	return tokentest.Encode(e)
}

func set(entries ...string) []byte { return []byte(`{"keys":[` + strings.Join(entries, ",") + `]}`) }

// modulus returns an odd number of so many bits: to be usable, it need not be a product of primes.
func modulus(bits int) string {
	n := new(big.Int).Lsh(big.NewInt(1), uint(bits-1))
	return base64.RawURLEncoding.EncodeToString(n.SetBit(n, 0, 1).Bytes())
}

func exponent(e *big.Int) string { return base64.RawURLEncoding.EncodeToString(e.Bytes()) }

// unusable are entries that must be passed over, each for one reason.
func unusable() map[string]string {
	bad := map[string]string{
		"null": `null`, "a number": `1`, "a string": `"RSA"`, "an array": `[]`, "an empty object": `{}`,
		"kid twice":        `{"kid":"bad","kid":"bad",` + entry("bad", M{"kid": absent})[1:],
		"n twice":          strings.Replace(entry("bad", nil), "{", `{"n":"AQAB",`, 1),
		"twice at the end": strings.TrimSuffix(entry("bad", nil), "}") + `,"x":1,"x":2}`,
		"other twice":      strings.Replace(entry("bad", nil), "{", `{"x":1,"x":2,`, 1),
	}
	for name, values := range map[string][]any{
		"kid":     {absent, "", nil, 1, []string{"bad"}},
		"kty":     {absent, "", nil, "rsa", "RSA ", "EC", "oct", "OKP", "AKP", "unheard-of", 1, []string{"RSA"}},
		"use":     {"", nil, "enc", "SIG", "sig ", 1, []string{"sig"}},
		"alg":     {"", nil, "rs256", "RS384", "RS512", "PS256", "ES256", "HS256", "none", "RSA-OAEP", 1, []string{"RS256"}},
		"key_ops": {nil, "verify", []string{}, []string{"sign"}, []string{"encrypt", "decrypt"}, []string{"sign, verify"}, []any{1}, M{"verify": true}},
		"n": {
			absent, "", nil, 1, modulus(512), modulus(1024), modulus(2047), modulus(4097), modulus(8192), modulus(100000), modulus(2048) + "=", modulus(2048) + "\n", modulus(2048)[:100] + "\r\n" + modulus(2048)[100:],
			" " + modulus(2048), strings.Repeat("+/", 171), "x" + modulus(2048), base64.RawURLEncoding.EncodeToString(new(big.Int).Lsh(big.NewInt(1), 2047).Bytes()),
		},
		"e": {absent, "", nil, 65537, "AA", "AQ", "Ag", "AQAA", "BA", "AQAB=", "AQAB\n", "AQAB==", "AQAC", exponent(new(big.Int).Lsh(big.NewInt(1), 31)), exponent(big.NewInt(1<<31 + 1)), exponent(new(big.Int).Add(new(big.Int).Lsh(big.NewInt(1), 64), big.NewInt(65537)))},
	} {
		for _, value := range values {
			bad[fmt.Sprintf("%s %.40v", name, value)+fmt.Sprint(len(bad))] = entry("bad", M{name: value})
		}
	}
	return bad
}

func TestR09UnusableKeysAreRefused(t *testing.T) {
	for why, bad := range unusable() {
		if keys, err := jwks.Parse(set(bad)); !errors.Is(err, jwks.ErrNoKeys) {
			t.Errorf("%s: got %v, %v", why, keys, err)
		}
	}
}

func TestR10AnUnusableKeyDisablesNoOther(t *testing.T) {
	for why, bad := range unusable() {
		for _, document := range [][]byte{set(bad, entry("good", nil)), set(entry("good", nil), bad), set(bad, bad, entry("good", nil), bad)} {
			keys, err := jwks.Parse(document)
			if err != nil || len(keys) != 1 || keys[0].ID != "good" {
				t.Errorf("%s: got %v, %v", why, keys, err)
			}
		}
	}
}

func TestParseAcceptsEveryUsableKey(t *testing.T) {
	for why, good := range map[string]string{
		"as Cognito publishes it": entry("good", nil),
		"no use":                  entry("good", M{"use": absent}),
		"no alg":                  entry("good", M{"alg": absent}),
		"key_ops":                 entry("good", M{"key_ops": []any{"sign", "verify"}}),
		"3072 bits":               entry("good", M{"n": modulus(3072)}),
		"4096 bits":               entry("good", M{"n": modulus(4096)}),
		"e 3":                     entry("good", M{"e": "Aw"}),
		"the largest e":           entry("good", M{"e": "f____w"}),
		"n with a sign byte":      entry("good", M{"n": base64.RawURLEncoding.EncodeToString(append([]byte{0}, tokentest.StockKey(0).Private.N.Bytes()...))}),
		"unknown members":         entry("good", M{"x5c": []string{"a"}, "x5t": "b", "ext": M{"a": nil}}),
		"white space":             strings.ReplaceAll(entry("good", nil), ",", " ,\r\n\t"),
		"escapes":                 strings.Replace(entry("good", nil), "RSA", `\u0052SA`, 1),
	} {
		keys, err := jwks.Parse(set(good))
		if err != nil || len(keys) != 1 || keys[0].ID != "good" || keys[0].Public.N.BitLen() < 2048 {
			t.Errorf("%s: got %v, %v", why, keys, err)
		}
	}
}

// A kid that two usable keys claim names neither; one that an unusable key claims too is no matter.
func TestParseRefusesAnAmbiguousKid(t *testing.T) {
	other := entry("twice", M{"n": modulus(3072)})
	for why, c := range map[string]struct {
		document []byte
		want     []string
	}{
		"two keys":            {set(entry("twice", nil), other, entry("good", nil)), []string{"good"}},
		"three keys":          {set(entry("twice", nil), other, entry("good", nil), other), []string{"good"}},
		"the same key":        {set(entry("good", nil), entry("twice", nil), entry("twice", nil)), []string{"good"}},
		"one of another kind": {set(entry("good", nil), entry("good", M{"kty": "EC"})), []string{"good"}},
		"one for encryption":  {set(entry("good", M{"use": "enc"}), entry("good", nil)), []string{"good"}},
		"two that differ":     {set(entry("a", nil), entry("A", nil)), []string{"a", "A"}},
	} {
		keys, err := jwks.Parse(c.document)
		var got []string
		for _, k := range keys {
			got = append(got, k.ID)
		}
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, %v", why, got, err)
		}
	}
	if _, err := jwks.Parse(set(entry("twice", nil), other)); !errors.Is(err, jwks.ErrNoKeys) {
		t.Errorf("nothing but ambiguous: %v", err)
	}
}

func TestParseRefusesWhatIsNoKeySet(t *testing.T) {
	good := entry("good", nil)
	for _, document := range []string{
		"", " ", "null", "[]", "[" + good + "]", good, "{}", `{"keys":null}`, `{"keys":{}}`, `{"keys":"` + "x" + `"}`, `{"Keys":[` + good + `]}`, `{"keys":[` + good + `],"keys":[]}`, `{"keys":[` + good + `]`,
		`{"keys":[` + good + `]}x`, `{"keys":[` + good + `]}{}`, `{"keys":[` + good + `,]}`, "\ufeff" + `{"keys":[` + good + `]}`, `{"keys":["` + "\xff" + `",` + good + `]}`, "<!DOCTYPE html><html></html>",
		`{"keys":[` + strings.Repeat("[", 100000),
	} {
		if keys, err := jwks.Parse([]byte(document)); !errors.Is(err, jwks.ErrMalformed) {
			t.Errorf("%.50q: got %v, %v", document, keys, err)
		}
	}
	for _, text := range []string{`{"issuer":"x","more":{"keys":[]},"keys":[` + good + `],"end":[1]}`, `{"a":null,"keys":[` + good + `]}`} {
		if keys, err := jwks.Parse([]byte(text)); err != nil || len(keys) != 1 {
			t.Errorf("a member before keys: %v, %v", keys, err)
		}
	}
	if _, err := jwks.Parse([]byte(`{"keys":[]}`)); !errors.Is(err, jwks.ErrNoKeys) {
		t.Errorf("empty set: %v", err)
	}
}

// FuzzParse: whatever is published, a key that comes out can be used, has a name of its own, and is
// the one that jwx reads too.
func FuzzParse(f *testing.F) {
	f.Add(set(entry("good", nil)))
	f.Add(set(entry("a", nil), entry("b", M{"use": "enc"})))
	f.Add(tokentest.New(f).JWKS())
	f.Add([]byte(`{"keys":[]}`))
	f.Add([]byte(`{"keys":[{}],"keys":1}`))
	for _, bad := range unusable() {
		f.Add(set(bad, entry("good", nil)))
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		keys, err := jwks.Parse(document)
		if err != nil {
			return
		}
		names := map[string]bool{}
		for _, k := range keys {
			if k.ID == "" || names[k.ID] || k.Public.N.BitLen() < 2048 || k.Public.N.BitLen() > 4096 || k.Public.N.Bit(0) == 0 || k.Public.E < 3 || k.Public.E%2 == 0 {
				t.Fatalf("unusable: %q %v", k.ID, k.Public)
			}
			names[k.ID] = true
		}
		theirs, err := jwk.Parse(document)
		if err != nil {
			return // jwx gives up a whole set for one entry
		}
		for _, k := range keys {
			if _, ok := theirs.LookupKeyID(k.ID); !ok {
				t.Fatalf("jwx finds no key %q", k.ID)
			}
		}
	})
}

func BenchmarkParse(b *testing.B) {
	document := bytes.Clone(tokentest.New(b).JWKS())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := jwks.Parse(document); err != nil {
			b.Fatal(err)
		}
	}
}
