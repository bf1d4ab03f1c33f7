package token_test

// One test for each requirement on a token, R01 to R17; those on key sets are in package jwks.
// Every token here is genuinely signed unless the signature is the point, so that nothing is
// refused for another reason than its own.

import (
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"edgeauth/internal/token"
	"edgeauth/internal/token/tokentest"
	"edgeauth/jwks"
)

func TestR01AlgorithmIsRS256AndTheKeysOwn(t *testing.T) {
	s := newStand(t)
	kid := tokentest.Encode(s.id.ID)
	withAlg := func(alg string) string { return s.headed(`{"kid":` + kid + `,"alg":` + alg + `}`) }
	cases := variants("alg", token.ErrAlgorithm, withAlg,
		`"none"`, `"None"`, `"NONE"`, `"nOnE"`, `""`, `null`, `1`, `true`, `["RS256"]`, `{"alg":"RS256"}`,
		`"rs256"`, `"Rs256"`, `"RS256 "`, `" RS256"`, `"RS256\u0000"`, `"ＲＳ２５６"`, `"RS25\u0036\u200b"`, `"RSA256"`, `"SHA256withRSA"`,
		`"RS1"`, `"RS384"`, `"RS512"`, `"PS256"`, `"PS384"`, `"PS512"`, `"ES256"`, `"ES256K"`, `"ES384"`, `"EdDSA"`, `"Ed25519"`, `"ML-DSA-44"`,
		`"HS256"`, `"HS384"`, `"HS512"`, `"dir"`, `"RSA-OAEP"`, `"PBES2-HS256+A128KW"`)
	cases = append(cases,
		refuse{"no alg", s.headed(`{"kid":` + kid + `}`), token.ErrAlgorithm},
		refuse{"alg in capitals", s.headed(`{"kid":` + kid + `,"ALG":"RS256"}`), token.ErrAlgorithm},
		refuse{"alg in the payload only", s.id.Sign(`{"kid":`+kid+`}`, s.payload(`,"alg":"RS256"`)), token.ErrAlgorithm})
	for _, alg := range []string{"none", "RS256", "ES256"} {
		want := map[bool]error{true: token.ErrSignature, false: token.ErrAlgorithm}[alg == "RS256"]
		input := b64(`{"kid":`+kid+`,"alg":"`+alg+`"}`) + "." + b64(s.payload(""))
		cases = append(cases,
			refuse{alg + " and no signature", input + ".", want},
			refuse{alg + " and 64 zero bytes", input + "." + b64(strings.Repeat("\x00", 64)), want},
			refuse{alg + " and 256 zero bytes", input + "." + b64(strings.Repeat("\x00", 256)), want})
	}
	for form, secret := range publicForms(t, &s.id.Private.PublicKey) {
		for _, alg := range []string{"HS256", "RS256"} {
			want := map[bool]error{true: token.ErrSignature, false: token.ErrAlgorithm}[alg == "RS256"]
			input := b64(`{"kid":`+kid+`,"alg":"`+alg+`"}`) + "." + b64(s.payload(""))
			mac := hmac.New(sha256.New, []byte(secret))
			mac.Write([]byte(input))
			cases = append(cases, refuse{alg + " with an HMAC by the public key as " + form, input + "." + b64(string(mac.Sum(nil))), want})
		}
	}
	rs256 := slices.DeleteFunc(slices.Clone(cases), func(c refuse) bool { return c.want == token.ErrAlgorithm })
	s.refuse(t, token.ID, cases)
	if s.lookups != len(rs256) {
		t.Errorf("%d keys looked up for %d tokens of the algorithm", s.lookups, len(rs256))
	}
}

// publicForms is a public key in the forms that were once taken for an HMAC secret.
func publicForms(t *testing.T, key *rsa.PublicKey) map[string]string {
	pkix, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	pkcs1 := x509.MarshalPKCS1PublicKey(key)
	pkixPEM := string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: pkix}))
	return map[string]string{
		"PKIX PEM": pkixPEM, "PKIX PEM without its last line break": strings.TrimSpace(pkixPEM), "PKIX PEM after a space": " " + pkixPEM,
		"PKCS1 PEM": string(pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: pkcs1})),
		"PKIX DER":  string(pkix), "PKCS1 DER": string(pkcs1), "modulus": string(key.N.Bytes()), "nothing": "",
		"n of the JWK": b64(string(key.N.Bytes())),
	}
}

func TestR02OnlyTheAlphabetOfBase64URL(t *testing.T) {
	s := newStand(t)
	raw := s.IDToken(nil)
	parts := strings.Split(raw, ".")
	spots := map[string]int{
		"at the start": 0, "in the header": 5, "at the end of the header": len(parts[0]), "at the start of the payload": len(parts[0]) + 1,
		"in the payload": len(parts[0]) + 101, "at the end of the payload": len(parts[0]) + 1 + len(parts[1]),
		"at the start of the signature": len(raw) - len(parts[2]), "in the signature": len(raw) - 101, "at the end": len(raw),
	}
	var cases []refuse
	for where, i := range spots {
		for c := range 256 {
			if strings.IndexByte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.", byte(c)) >= 0 {
				continue
			}
			cases = append(cases, refuse{fmt.Sprintf("byte %#02x %s", c, where), raw[:i] + string([]byte{byte(c)}) + raw[i:], token.ErrMalformed})
		}
		for _, c := range []string{"\r\n", "\n\n\n\n", "\u00a0", "\u200b", "\ufeff", "%0a", "====", " \t"} {
			cases = append(cases, refuse{fmt.Sprintf("%q %s", c, where), raw[:i] + c + raw[i:], token.ErrMalformed})
		}
	}
	// A signature over the text with its line breaks is genuine, for whoever verifies what he does
	// not read.
	for _, c := range []string{"\n", "\r", "\r\n"} {
		for why, input := range map[string]string{
			"header":  parts[0][:4] + c + parts[0][4:] + "." + parts[1],
			"payload": parts[0] + "." + parts[1][:4] + c + parts[1][4:],
		} {
			cases = append(cases, refuse{fmt.Sprintf("%q signed in the %s", c, why), input + "." + b64(string(s.id.Signature(input))), token.ErrMalformed})
		}
	}
	s.refuse(t, token.ID, cases)
	if s.lookups != 0 {
		t.Errorf("%d keys looked up", s.lookups)
	}
}

func TestR03ExactlyTwoDots(t *testing.T) {
	s := newStand(t)
	raw := s.IDToken(nil)
	parts := strings.Split(raw, ".")
	flood := strings.Repeat(".", 10<<10)
	s.refuse(t, token.ID, []refuse{
		{"nothing", "", token.ErrMalformed},
		{"one part", parts[0], token.ErrMalformed},
		{"two parts", parts[0] + "." + parts[1], token.ErrMalformed},
		{"a fourth part", raw + "." + parts[2], token.ErrMalformed},
		{"an empty fourth part", raw + ".", token.ErrMalformed},
		{"an empty part first", "." + raw, token.ErrMalformed},
		{"an empty part between", parts[0] + ".." + parts[1] + "." + parts[2], token.ErrMalformed},
		{"five parts, as JWE", raw + "." + parts[1] + "." + parts[2], token.ErrMalformed},
		{"two dots alone", "..", token.ErrMalformed},
		{"empty header", "." + parts[1] + "." + parts[2], token.ErrMalformed},
		{"empty payload", s.paid(""), token.ErrMalformed},
		{"dots alone", flood, token.ErrMalformed},
		{"dots after a token", raw + flood, token.ErrMalformed},
		{"as Bearer", "Bearer " + raw, token.ErrMalformed},
		{"Bearer and dots", "Bearer " + flood, token.ErrMalformed},
		{"quoted", `"` + raw + `"`, token.ErrMalformed},
		{"flattened JSON", `{"protected":"` + parts[0] + `","payload":"` + parts[1] + `","signature":"` + parts[2] + `"}`, token.ErrMalformed},
		{"general JSON, two signatures", `{"payload":"` + parts[1] + `","signatures":[{"protected":"` + parts[0] + `","signature":"` + parts[2] + `"},{"signature":"AA"}]}`, token.ErrMalformed},
		{"JSON without a protected header", `{"payload":"` + parts[1] + `","signature":"` + parts[2] + `"}`, token.ErrMalformed},
		{"longer than 16 kB", s.IDToken(M{"x": strings.Repeat("x", longest(s, 1))}), token.ErrMalformed},
		{"much longer", raw + strings.Repeat("A", 1<<20), token.ErrMalformed},
	})
	if allocs := testing.AllocsPerRun(10, func() { s.verifiers[token.ID].Verify(t.Context(), flood, token.Checks{}) }); allocs > 10 {
		t.Errorf("a flood of dots allocates %v times", allocs)
	}
}

// The worst that can be put into a token must not cost more than a few verifications.
func TestR03NoInputIsDear(t *testing.T) {
	s := newStand(t)
	fill := func(unit string) string { return s.paid(`{"x":` + strings.Repeat(unit, 11000/len(unit)) + `}`) }
	object := func(member func(i int) string) string {
		var b strings.Builder
		for i := 0; b.Len() < 11000; i++ {
			b.WriteString("," + member(i))
		}
		return s.paid(s.payload(b.String()))
	}
	for why, raw := range map[string]string{
		"dots":             strings.Repeat(".", 16384),
		"padding":          strings.Repeat("=", 16384),
		"brackets":         fill("["),
		"braces":           fill(`{"":`),
		"empty objects":    s.paid(`{"x":[` + strings.Repeat("{},", 3600) + `{}]}`),
		"names":            object(func(i int) string { return fmt.Sprintf(`"%d":0`, i) }),
		"names alike":      object(func(i int) string { return fmt.Sprintf(`"%s%03d":0`, strings.Repeat("x", 40), i) }),
		"escaped names":    object(func(i int) string { return fmt.Sprintf(`"\u0061%d":0`, i) }),
		"digits":           s.paid(`{"exp":` + strings.Repeat("9", 11000) + `}`),
		"escapes":          s.paid(`{"iss":"` + strings.Repeat(`\u0061`, 1800) + `"}`),
		"groups":           s.paid(s.payload(`,"cognito:groups":[` + strings.Repeat(`"g",`, 2600) + `"g"]`)),
		"groups in script": s.paid(s.payload(`,"cognito:groups":["` + strings.Repeat("漢", 3600) + `"]`)),
		"audiences":        s.paid(`{"aud":[` + strings.Repeat(`"a",`, 2600) + `"a"]}`),
	} {
		best := time.Hour
		for range 5 {
			start := time.Now()
			s.verifiers[token.ID].Verify(t.Context(), raw, token.Checks{})
			best = min(best, time.Since(start))
		}
		if best > 5*time.Millisecond {
			t.Errorf("%s: %v", why, best)
		}
	}
}

func TestR04NoPaddingAndNoBitsLeftOver(t *testing.T) {
	s := newStand(t)
	var cases []refuse
	// White space sets the length of a part, so that each of the three endings occurs in each part.
	for pad := range 3 {
		space := strings.Repeat(" ", pad)
		raw := s.id.Sign(s.header("")+space, s.payload("")+space)
		parts := strings.Split(raw, ".")
		for i, part := range parts {
			put := func(text string) string {
				changed := append([]string(nil), parts...)
				changed[i] = text
				return strings.Join(changed, ".")
			}
			for _, padding := range []string{"=", "==", "===", strings.Repeat("=", (4-len(part)%4)%4)} {
				if padding != "" {
					cases = append(cases, refuse{fmt.Sprintf("part %d with %q", i, padding), put(part + padding), token.ErrMalformed})
				}
			}
			if len(part)%4 == 0 {
				cases = append(cases, refuse{fmt.Sprintf("part %d with one character more", i), put(part + "A"), token.ErrMalformed})
				continue
			}
			for _, last := range twins(part) {
				cases = append(cases, refuse{fmt.Sprintf("part %d ending in %c", i, last), put(part[:len(part)-1] + string(last)), token.ErrMalformed})
			}
		}
		std := base64.RawStdEncoding.EncodeToString(s.id.Signature(parts[0] + "." + parts[1]))
		if strings.ContainsAny(std, "+/") {
			cases = append(cases, refuse{"the standard alphabet", parts[0] + "." + parts[1] + "." + std, token.ErrMalformed})
		}
	}
	if len(cases) < 40 {
		t.Fatalf("only %d cases", len(cases))
	}
	s.refuse(t, token.ID, cases)
}

// twins returns the characters that, in place of part's last one, a lax decoder decodes to the same
// bytes.
func twins(part string) (found []rune) {
	want, _ := base64.RawURLEncoding.DecodeString(part)
	for _, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_" {
		text := part[:len(part)-1] + string(c)
		if got, err := base64.RawURLEncoding.DecodeString(text); err == nil && string(got) == string(want) && text != part {
			found = append(found, c)
		}
	}
	return found
}

func TestR05AnyCritIsRefused(t *testing.T) {
	s := newStand(t)
	with := func(more string) string { return s.headed(s.header("," + more)) }
	s.refuse(t, token.ID, variants("header", token.ErrHeader, with,
		`"crit":[]`, `"crit":null`, `"crit":""`, `"crit":["exp"]`, `"crit":["b64"]`, `"crit":["alg"]`, `"crit":{}`, `"crit":0`, `"crit":false`, `"cr\u0069t":[]`,
		`"crit":["http://example.com/unknown"],"http://example.com/unknown":true`,
		`"b64":false`, `"b64":true`, `"b64":null`, `"crit":["b64"],"b64":false`, `"zip":"DEF"`, `"zip":null`))
	s.refuse(t, token.ID, variants("typ of another kind of token", token.ErrHeader, with,
		`"typ":"at+jwt"`, `"typ":"application/at+jwt"`, `"typ":"logout+jwt"`, `"typ":"dpop+jwt"`, `"typ":"secevent+jwt"`, `"typ":"oauth-authz-req+jwt"`,
		`"typ":"token-introspection+jwt"`, `"typ":"kb+jwt"`, `"typ":"JWE"`, `"typ":"JOSE"`, `"typ":""`, `"typ":" JWT"`))
	s.refuse(t, token.ID, variants("typ of another type", token.ErrHeader, with, `"typ":null`, `"typ":1`, `"typ":["JWT"]`))
	access := func(typ string) string {
		return s.access.Sign(`{"kid":`+tokentest.Encode(s.access.ID)+`,"alg":"RS256","typ":"`+typ+`"}`, tokentest.Encode(s.AccessClaims(nil)))
	}
	s.refuse(t, token.Access, variants("typ", token.ErrHeader, access, "logout+jwt", "id+jwt", ""))
	if s.lookups != 0 {
		t.Errorf("%d keys looked up", s.lookups)
	}
}

func TestR06KeysInTheHeaderAreNeverUsed(t *testing.T) {
	s := newStand(t)
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
	defer server.Close()
	attacker := tokentest.StockKey(2)
	jwk := tokentest.Encode(attacker.JWK())
	members := map[string]string{
		"jwk": `"jwk":` + jwk, "jku": `"jku":"` + server.URL + `"`, "x5u": `"x5u":"` + server.URL + `"`, "x5c": `"x5c":["` + server.URL + `"]`,
		"all": `"jwk":` + jwk + `,"jku":"` + server.URL + `","x5u":"` + server.URL + `","x5c":[]`,
	}
	for name, member := range members {
		header := s.header("," + member)
		s.refuse(t, token.ID, []refuse{
			{name + ", signed by the key it brings", attacker.Sign(header, s.payload("")), token.ErrSignature},
			{name + ", and the kid of the key it brings", attacker.Sign(strings.Replace(header, tokentest.Encode(s.id.ID), tokentest.Encode(attacker.ID), 1), s.payload("")), token.ErrUnknownKey},
			{name + ", and no kid", attacker.Sign(`{"alg":"RS256",`+member+`}`, s.payload("")), token.ErrUnknownKey},
		})
		s.accept(t, token.ID, []accept{{name + ", signed by the pool", s.headed(header)}})
	}
	if asked != 0 {
		t.Errorf("a header caused %d requests", asked)
	}
}

func TestR07KidIsANonEmptyStringThatThePoolKnows(t *testing.T) {
	s := newStand(t)
	withKid := func(kid string) string { return s.headed(`{"kid":` + kid + `,"alg":"RS256"}`) }
	cases := variants("kid", token.ErrUnknownKey, withKid,
		`""`, `null`, `0`, `1.5`, `true`, `[]`, `["`+s.id.ID+`"]`, `{"kid":"`+s.id.ID+`"}`)
	cases = append(cases, refuse{"no kid", s.headed(`{"alg":"RS256"}`), token.ErrUnknownKey}, refuse{"KID", s.headed(`{"KID":"` + s.id.ID + `","alg":"RS256"}`), token.ErrUnknownKey})
	s.refuse(t, token.ID, cases)
	if s.lookups != 0 {
		t.Errorf("%d keys looked up by no kid", s.lookups)
	}
	s.refuse(t, token.ID, variants("kid", token.ErrUnknownKey, withKid,
		`"`+tokentest.StockKey(2).ID+`"`, tokentest.Encode(s.id.ID+" "), tokentest.Encode(" "+s.id.ID), tokentest.Encode(strings.ToLower(s.id.ID)), tokentest.Encode(strings.TrimRight(s.id.ID, "=")),
		`"../../../dev/null"`, `"' OR 1=1 --"`, `"http:\/\/example.com\/key"`, `"\u0000"`, `"`+strings.Repeat("k", 5000)+`"`))
}

func TestR08TheKeyNamedByKidHasSigned(t *testing.T) {
	s := newStand(t)
	named := func(k tokentest.Key) string { return `{"kid":` + tokentest.Encode(k.ID) + `,"alg":"RS256"}` }
	good := s.IDToken(nil)
	cut := strings.LastIndexByte(good, '.') + 1
	signature, _ := base64.RawURLEncoding.DecodeString(good[cut:])
	other := s.IDToken(M{"jti": "other"})
	cases := []refuse{
		{"signed by the pool's other key", s.access.Sign(named(s.id), s.payload("")), token.ErrSignature},
		{"signed by the pool's other key, the other way", s.id.Sign(named(s.access), s.payload("")), token.ErrSignature},
		{"signed by a stranger", tokentest.StockKey(2).Sign(named(s.id), s.payload("")), token.ErrSignature},
		{"signature of another token", good[:cut] + other[strings.LastIndexByte(other, '.')+1:], token.ErrSignature},
		{"payload of another token", strings.Split(good, ".")[0] + "." + strings.Split(other, ".")[1] + "." + good[cut:], token.ErrSignature},
		{"no signature", good[:cut], token.ErrSignature},
		{"signature of nothing", good[:cut] + b64(string(s.id.Signature(""))), token.ErrSignature},
		{"signature of the payload alone", good[:cut] + b64(string(s.id.Signature(strings.Split(good, ".")[1]))), token.ErrSignature},
		{"signature of the JSON", good[:cut] + b64(string(s.id.Signature(s.header("")+"."+s.payload("")))), token.ErrSignature},
		{"signature of a prefix", good[:cut] + b64(string(s.id.Signature(good[:cut-2]))), token.ErrSignature},
		{"null signature", good[:cut] + b64("null"), token.ErrSignature},
	}
	for i := range signature {
		for _, bit := range []byte{0x01, 0x80} {
			changed := append([]byte(nil), signature...)
			changed[i] ^= bit
			cases = append(cases, refuse{fmt.Sprintf("byte %d of the signature", i), good[:cut] + b64(string(changed)), token.ErrSignature})
		}
	}
	for _, n := range []int{1, 2, 128, 255} {
		cases = append(cases,
			refuse{fmt.Sprintf("first %d bytes of the signature", n), good[:cut] + b64(string(signature[:n])), token.ErrSignature},
			refuse{fmt.Sprintf("%d zeros before the signature", n), good[:cut] + b64(strings.Repeat("\x00", n)+string(signature)), token.ErrSignature},
			refuse{fmt.Sprintf("%d zeros after the signature", n), good[:cut] + b64(string(signature)+strings.Repeat("\x00", n)), token.ErrSignature})
	}
	s.refuse(t, token.ID, cases)
	s.SetKeys(tokentest.StockKey(2), tokentest.StockKey(3))
	s.refuse(t, token.ID, []refuse{{"signed by a key that has left", good, token.ErrUnknownKey}})
}

func TestR11NoMemberTwiceAndNamesMatchExactly(t *testing.T) {
	s := newStand(t)
	kid := tokentest.Encode(s.id.ID)
	s.refuse(t, token.ID, variants("header", token.ErrMalformed, func(more string) string { return s.headed(s.header("," + more)) },
		`"alg":"RS256"`, `"alg":"none"`, `"kid":`+kid, `"kid":"x"`, `"a\u006cg":"RS256"`, `"x":1,"x":1`, `"x":{"y":1,"y":1}`, `"typ":"JWT","typ":"JWT"`))
	s.refuse(t, token.ID, []refuse{
		{"alg twice, the good one last", s.headed(`{"alg":"none","kid":` + kid + `,"alg":"RS256"}`), token.ErrMalformed},
		{"kid twice, the good one last", s.headed(`{"kid":"x","alg":"RS256","kid":` + kid + `}`), token.ErrMalformed},
	})
	var cases []refuse
	for name, value := range s.IDClaims(M{"cognito:groups": []string{"a"}, "nbf": 1, "azp": client, "nonce": "n", "at_hash": "h"}) {
		member := tokentest.Encode(M{name: value})
		cases = append(cases,
			refuse{"twice the same: " + name, s.paid(strings.TrimSuffix(tokentest.Encode(s.IDClaims(M{name: value})), "}") + "," + member[1:]), token.ErrMalformed},
			refuse{"first another: " + name, s.paid(`{"` + name + `":"other",` + tokentest.Encode(s.IDClaims(M{name: value}))[1:]), token.ErrMalformed})
	}
	s.refuse(t, token.ID, cases)
	s.refuse(t, token.ID, variants("payload", token.ErrMalformed, func(more string) string { return s.paid(s.payload("," + more)) },
		`"x":1,"x":1`, `"x":1,"\u0078":1`, `"x":[{"y":{"z":1,"z":1}}]`, `"":1,"":2`, `"\u0073ub":"other"`,
		manyMembers(100)[1:]+`,"m000":1`, manyMembers(100)[1:]+`,"mx099":1`))

	// Names that encoding/json would take for the real ones.
	like := func(name string, spellings ...string) {
		for _, spelling := range spellings {
			claims := s.IDClaims(nil)
			claims[spelling] = claims[name]
			delete(claims, name)
			s.refuse(t, token.ID, []refuse{{spelling + " for " + name, s.id.Token(claims), token.ErrClaims}})
		}
	}
	like("iss", "ISS", "Iss", "iſs", "is\u017f", "iss ", " iss", "iss\u0000")
	like("aud", "AUD", "Aud")
	like("exp", "EXP", "Exp")
	like("iat", "IAT")
	like("sub", "SUB", "ſub")
	like("token_use", "token_uſe", "to\u212aen_use", "Token_Use", "tokenUse", "token-use")
}

func TestR12ThePayloadIsOneUTF8JSONObject(t *testing.T) {
	s := newStand(t)
	good := s.payload("")
	texts := []string{
		"", " ", "null", "true", "0", `"x"`, "[]", "[" + good + "]", `"` + strings.ReplaceAll(good, `"`, `\"`) + `"`,
		good + good, good + "{}", good + " x", good + "\x00", good + "]", good + "}", good + ",", good + "null", good + "\n.", "x" + good,
		"\ufeff" + good, "\x00" + good, "\u00a0" + good, good + "\u2028", "\f" + good, "\v" + good,
		good[:len(good)-1], good[1:], good[:len(good)/2], good[:len(good)-1] + ",}", "{," + good[1:], strings.Replace(good, ",", ",,", 1),
		strings.Replace(good, `,"`, `;"`, 1), strings.Replace(good, `":`, `"=`, 1), strings.Replace(good, `":`, `"::`, 1), strings.Replace(good, `":`, `" `, 1),
		strings.ReplaceAll(good, `"`, `'`), strings.Replace(good, `"iss"`, `iss`, 1), "/**/" + good, strings.Replace(good, ",", ",/**/", 1), good + "//",
		utf16BE(good), s.IDToken(nil), // nested
	}
	for _, value := range []string{
		"NaN", "Infinity", "-", "+1", "01", "-01", "1.", ".5", "1e", "1e+", "0x10", "1_000", "1 2", "tru", "True", "nul", "nulll", "undefined", "",
		`"`, `"a`, `'a'`, `"\"`, `"\x41"`, `"\u12"`, `"\u12g4"`, `"\uD800"`, `"\uDC00"`, `"\uD800\uD800"`, `"\uD800x"`, `"\uD800\n"`, `"\uDC00\uD800"`, `"\ud83d\u"`, `"\U0041"`, `"\'"`, `"\a"`,
		"\"\x00\"", "\"\x1f\"", "\"\n\"", "\"\t\"", "\"\xff\"", "\"\xc0\x80\"", "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"", "\"\xe2\x82\"", "\"\xc3\x28\"", "\"\x80\"",
		"[1,]", "[,1]", "[1 2]", "[", "[1", "]", "{", `{"a"}`, `{"a":}`, `{"a":1,}`, `{1:1}`, `{"a":1 "b":2}`, `{"a":1`, `{null:1}`, "{\"\xff\":1}", `{"\ud800":1}`,
		strings.Repeat("[", 32) + strings.Repeat("]", 32), strings.Repeat(`{"a":`, 32) + "1" + strings.Repeat("}", 32), strings.Repeat("[", 5000),
	} {
		texts = append(texts, good[:len(good)-1]+`,"x":`+value+"}")
	}
	s.refuse(t, token.ID, variants("payload", token.ErrMalformed, s.paid, texts...))
	s.refuse(t, token.ID, variants("name", token.ErrMalformed, s.paid, strings.Replace(good, `"iss"`, "\"is\xff\"", 1), strings.Replace(good, `"iss"`, `"is\ud800"`, 1)))

	header := s.header("")
	s.refuse(t, token.ID, variants("header", token.ErrMalformed, s.headed,
		"", "null", "[]", `"RS256"`, "1", "["+header+"]", header+header, header+"x", header+"\x00", "\ufeff"+header, header[:len(header)-1], header[:len(header)-1]+",}",
		header[:len(header)-1]+",\"x\":\"\xff\"}", header[:len(header)-1]+`,"x":"\ud800"}`, header[:len(header)-1]+`,"x":NaN}`,
		header[:len(header)-1]+`,"x":`+strings.Repeat("[", 40)+strings.Repeat("]", 40)+"}"))
	if s.lookups != 0 {
		t.Errorf("%d keys looked up", s.lookups)
	}
}

func utf16BE(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		b.WriteByte(0)
		b.WriteByte(c)
	}
	return b.String()
}

func TestR13IssuerIsByteEqual(t *testing.T) {
	s := newStand(t)
	withIss := func(iss string) string { return s.IDToken(M{"iss": iss}) }
	s.refuse(t, token.ID, variants("iss", token.ErrIssuer, withIss,
		"", issuer+"/", issuer+" ", " "+issuer, strings.ToUpper(issuer), strings.Replace(issuer, "https", "http", 1), strings.Replace(issuer, "https", "HTTPS", 1),
		strings.Replace(issuer, ".com/", ".com:443/", 1), strings.Replace(issuer, ".com/", ".com./", 1), strings.Replace(issuer, ".com/", ".com//", 1), strings.Replace(issuer, ".com/", ".com/./", 1),
		issuer[:len(issuer)-1], issuer+"1", strings.ToLower(issuer), issuer+"?", issuer+"#", issuer+"\x00", strings.Replace(issuer, "_", "%5F", 1),
		strings.Replace(issuer, "a", "а", 1) /* Cyrillic */, "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Other0001", "https://issuer-"+issuer[len("https://"):], "https://evil.example/?"+issuer))
	s.refuse(t, token.ID, []refuse{
		{"no iss", s.IDToken(M{"iss": absent}), token.ErrClaims},
		{"iss null", s.IDToken(M{"iss": nil}), token.ErrClaims},
		{"iss in a list", s.IDToken(M{"iss": []string{issuer}}), token.ErrClaims},
		{"iss an object", s.IDToken(M{"iss": M{issuer: issuer}}), token.ErrClaims},
		{"iss a number", s.IDToken(M{"iss": 1}), token.ErrClaims},
	})
	if s.lookups != 0 {
		t.Errorf("%d keys looked up", s.lookups)
	}
}

// A key signs for its own issuer only, even where two issuers name their keys alike.
func TestR13EachIssuerHasItsOwnKeysAndClients(t *testing.T) {
	ours, theirs := tokentest.New(t), tokentest.New(t)
	const their, theirClient = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Theirs001", "theirs"
	theirs.SetKeys(tokentest.StockKey(2), tokentest.Key{ID: ours.Keys()[0].ID, Private: tokentest.StockKey(3).Private})
	v, err := token.New(token.Config{
		Issuers: []token.Issuer{{URL: issuer, ClientIDs: []string{client}, Keys: ours}, {URL: their, ClientIDs: []string{theirClient}, Keys: theirs}},
		Use:     token.ID,
		Now:     ours.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	good := M{"iss": their, "aud": theirClient}
	for _, c := range []struct {
		why  string
		raw  string
		want error // nil: accepted
	}{
		{"the first issuer's own", ours.IDToken(nil), nil},
		{"the second issuer's own", theirs.IDToken(good), nil},
		{"the first issuer's, signed by the second", theirs.IDToken(nil), token.ErrUnknownKey},
		{"the second issuer's, signed by the first", ours.Keys()[1].Token(ours.IDClaims(good)), token.ErrUnknownKey},
		{"the first issuer's, by the second's key of the same name", theirs.Keys()[1].Token(ours.IDClaims(nil)), token.ErrSignature},
		{"the second issuer's, by the first's key of the same name", ours.IDToken(good), token.ErrSignature},
		{"the first issuer's, for the second's client", ours.IDToken(M{"aud": theirClient}), token.ErrAudience},
		{"the second issuer's, for the first's client", theirs.IDToken(M{"iss": their}), token.ErrAudience},
	} {
		claims, err := v.Verify(t.Context(), c.raw, token.Checks{})
		if c.want != nil {
			checkRefusal(t, refuse{c.why, c.raw, c.want}, claims, err)
		} else if err != nil || claims.Issuer == "" {
			t.Errorf("%s: %v", c.why, err)
		}
	}
}

func TestR14AudienceIsExactlyOurs(t *testing.T) {
	s := newStand(t)
	id := func(why string, aud any, want error) refuse { return refuse{why, s.IDToken(M{"aud": aud}), want} }
	s.refuse(t, token.ID, []refuse{
		id("another client", "another", token.ErrAudience),
		id("empty", "", token.ErrAudience),
		id("in capitals", strings.ToUpper(client), token.ErrAudience),
		id("with a space", client+" ", token.ErrAudience),
		id("a prefix", client[:10], token.ErrAudience),
		id("ours and more in one string", client+" second-client", token.ErrAudience),
		id("two of ours", []string{client, "second-client"}, token.ErrAudience),
		id("ours twice", []string{client, client}, token.ErrAudience),
		id("ours and another", []string{client, "another"}, token.ErrAudience),
		id("another and ours", []string{"another", client}, token.ErrAudience),
		id("another, in a list", []string{"another"}, token.ErrAudience),
		id("nobody, in a list", []string{}, token.ErrAudience),
		id("the issuer", issuer, token.ErrAudience),
		id("the resource", "https://api.example", token.ErrAudience),
		id("absent", absent, token.ErrClaims),
		id("null", nil, token.ErrClaims),
		id("a number", 1, token.ErrClaims),
		id("an object", M{client: client}, token.ErrClaims),
		id("a list with null", []any{nil}, token.ErrClaims),
		id("a list with a number", []any{client, 1}, token.ErrClaims),
		id("a list in a list", [][]string{{client}}, token.ErrClaims),
		{"client_id for aud", s.IDToken(M{"aud": absent, "client_id": client}), token.ErrClaims},
		{"azp of another", s.IDToken(M{"azp": "another"}), token.ErrAudience},
		{"azp empty", s.IDToken(M{"azp": ""}), token.ErrAudience},
		{"azp null", s.IDToken(M{"azp": nil}), token.ErrClaims},
		{"azp in a list", s.IDToken(M{"azp": []string{client}}), token.ErrClaims},
	})
	access := func(why string, clientID any, want error) refuse {
		return refuse{why, s.AccessToken(M{"client_id": clientID}), want}
	}
	s.refuse(t, token.Access, []refuse{
		access("another client", "another", token.ErrAudience),
		access("empty", "", token.ErrAudience),
		access("in capitals", strings.ToUpper(client), token.ErrAudience),
		access("absent", absent, token.ErrClaims),
		access("null", nil, token.ErrClaims),
		access("a list", []string{client}, token.ErrClaims),
		{"aud for client_id", s.AccessToken(M{"client_id": absent, "aud": client}), token.ErrClaims},
		{"bound to another resource", s.AccessToken(M{"aud": "https://other.example"}), token.ErrAudience},
		{"bound to another resource besides", s.AccessToken(M{"aud": []string{"https://api.example", "https://other.example"}}), token.ErrAudience},
		{"bound to our client as a resource", s.AccessToken(M{"aud": client}), token.ErrAudience},
		{"bound to a number", s.AccessToken(M{"aud": 1}), token.ErrClaims},
		{"azp of another", s.AccessToken(M{"azp": "another"}), token.ErrAudience},
	})
	if s.lookups != 0 {
		t.Errorf("%d keys looked up", s.lookups)
	}
	plain := s.Verifier(t, token.Access)
	claims, err := plain.Verify(t.Context(), s.AccessToken(M{"aud": "https://api.example"}), token.Checks{})
	checkRefusal(t, refuse{"bound to a resource where none is named", "", token.ErrAudience}, claims, err)
}

func TestR15TokenUseIsExact(t *testing.T) {
	s := newStand(t)
	for _, use := range []token.Use{token.ID, token.Access} {
		issue := map[token.Use]func(M) string{token.ID: s.IDToken, token.Access: s.AccessToken}[use]
		other := map[token.Use]string{token.ID: "access", token.Access: "id"}[use]
		var cases []refuse
		for _, value := range []string{other, "", "ID", "Id", "Access", "ACCESS", "id ", " access", "refresh", "id access", "both"} {
			cases = append(cases, refuse{"token_use " + value, issue(M{"token_use": value}), token.ErrUse})
		}
		for _, value := range []any{absent, nil, 1, true, []string{string(use)}, M{string(use): 1}} {
			cases = append(cases, refuse{fmt.Sprintf("token_use %v", value), issue(M{"token_use": value}), token.ErrClaims})
		}
		s.refuse(t, use, cases)
	}
	s.refuse(t, token.ID, []refuse{
		{"an access token", s.AccessToken(nil), token.ErrUse},
		{"an access token with aud", s.AccessToken(M{"aud": client}), token.ErrUse},
	})
	s.refuse(t, token.Access, []refuse{
		{"an ID token", s.IDToken(nil), token.ErrUse},
		{"an ID token with client_id", s.IDToken(M{"client_id": client}), token.ErrUse},
	})
	if s.lookups != 0 {
		t.Errorf("%d keys looked up", s.lookups)
	}
}

func TestR16TimesAreIntegersAndHold(t *testing.T) {
	s := newStand(t)
	now := s.Now().Unix()
	var cases []refuse
	for _, name := range []string{"exp", "nbf", "iat", "auth_time"} {
		for _, value := range []string{
			`null`, `true`, `""`, `"1795349400"`, `[1795349400]`, `{}`, `-1`, `-0`, `1795349400.0`, `1795349400.5`, `1.7953494e9`, `17953494E2`, `1795349400e0`, `1e400`,
			`253402300800`, `9223372036854775807`, `9223372036854775808`, `18446744073709551616`, `18446744075504901016`, strings.Repeat("9", 4000),
		} {
			cases = append(cases, refuse{name + " " + value[:min(len(value), 30)], s.paid(strings.TrimSuffix(tokentest.Encode(s.IDClaims(M{name: absent})), "}") + `,"` + name + `":` + value + "}"), token.ErrClaims})
		}
	}
	cases = append(cases,
		refuse{"no exp", s.IDToken(M{"exp": absent}), token.ErrClaims},
		refuse{"no iat", s.IDToken(M{"iat": absent}), token.ErrClaims})
	for _, name := range []string{"nbf", "iat", "auth_time"} {
		cases = append(cases,
			refuse{name + " beyond the leeway", s.IDToken(M{name: now + 31}), token.ErrNotYetValid},
			refuse{name + " far ahead", s.IDToken(M{name: 253402300799}), token.ErrNotYetValid})
	}
	s.refuse(t, token.ID, cases)
	s.refuse(t, token.Access, []refuse{
		{"no exp", s.AccessToken(M{"exp": absent}), token.ErrClaims},
		{"iat of an access token ahead", s.AccessToken(M{"iat": now + 31}), token.ErrNotYetValid},
	})
	if s.lookups != 0 {
		t.Errorf("%d keys looked up", s.lookups)
	}
	s.refuse(t, token.ID, []refuse{
		{"expired", s.IDToken(M{"exp": now - 5}), token.ErrExpired},
		{"expired long ago", s.IDToken(M{"exp": now - 1e6}), token.ErrExpired},
		{"expired in 1970", s.IDToken(M{"exp": 0}), token.ErrExpired},
		{"expired before it began", s.IDToken(M{"exp": now - 3600, "iat": now}), token.ErrExpired},
	})
	s.accept(t, token.ID, []accept{
		{"exp within the leeway", s.IDToken(M{"exp": now - 4})},
		{"exp in the last year there is", s.IDToken(M{"exp": 253402300799})},
		{"nbf within the leeway", s.IDToken(M{"nbf": now + 30})},
		{"iat within the leeway", s.IDToken(M{"iat": now + 30})},
		{"auth_time within the leeway", s.IDToken(M{"auth_time": now + 30})},
		{"nbf in 1970", s.IDToken(M{"nbf": 0})},
		{"iat long ago", s.IDToken(M{"iat": now - 1e6})},
	})
	raw := s.IDToken(nil)
	s.Advance(time.Hour + 5*time.Second - 1)
	s.accept(t, token.ID, []accept{{"in the last nanosecond", raw}})
	s.Advance(1)
	s.refuse(t, token.ID, []refuse{{"a nanosecond later", raw, token.ErrExpired}})
}

func TestR16LeewayIsAsConfigured(t *testing.T) {
	p := tokentest.New(t)
	v, err := token.New(token.Config{
		Issuers: []token.Issuer{{URL: issuer, ClientIDs: []string{client}, Keys: p}}, Use: token.ID, Now: p.Now, Leeway: 2 * time.Minute, ExpLeeway: time.Nanosecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	now := p.Now().Unix()
	for raw, want := range map[string]error{
		p.IDToken(M{"nbf": now + 120}): nil,
		p.IDToken(M{"nbf": now + 121}): token.ErrNotYetValid,
		p.IDToken(M{"exp": now}):       nil,
		p.IDToken(M{"exp": now - 1}):   token.ErrExpired,
	} {
		if _, err := v.Verify(t.Context(), raw, token.Checks{}); err != want {
			t.Errorf("got %v, want %v", err, want)
		}
	}
}

// ErrExpired says that the token was good once, so it must never be said of one that was not
// (CVE-2024-51744).
func TestR16ExpiredIsSaidOfGenuineTokensOnly(t *testing.T) {
	s := newStand(t)
	old := s.IDToken(M{"exp": s.Now().Unix() - 100})
	forged := tokentest.StockKey(2).Sign(s.header(""), tokentest.Encode(s.IDClaims(M{"exp": s.Now().Unix() - 100})))
	s.refuse(t, token.ID, []refuse{
		{"expired and genuine", old, token.ErrExpired},
		{"expired and forged", forged, token.ErrSignature},
		{"expired, signature cut off", old[:strings.LastIndexByte(old, '.')+1], token.ErrSignature},
		{"expired, of an unknown key", tokentest.StockKey(2).Token(s.IDClaims(M{"exp": 1})), token.ErrUnknownKey},
		{"expired, of another client", s.IDToken(M{"exp": 1, "aud": "another"}), token.ErrAudience},
	})
}

func TestR17SubjectIsANonEmptyString(t *testing.T) {
	s := newStand(t)
	for _, use := range []token.Use{token.ID, token.Access} {
		issue := map[token.Use]func(M) string{token.ID: s.IDToken, token.Access: s.AccessToken}[use]
		var cases []refuse
		for _, sub := range []any{absent, nil, "", 0, 1, true, false, []string{}, []string{tokentest.Subject}, M{}, " ", "a b", "a\x00", "a\n", "a\u00a0b", "a\u2028b", "a\u200bb", strings.Repeat("s", 256)} {
			cases = append(cases, refuse{fmt.Sprintf("sub %q", sub), issue(M{"sub": sub}), token.ErrClaims})
		}
		s.refuse(t, use, cases)
		if c, err := s.verifiers[use].Verify(t.Context(), issue(M{"sub": strings.Repeat("s", 255)}), token.Checks{}); err != nil || len(c.Subject) != 255 {
			t.Errorf("sub of the greatest length: %v", err)
		}
	}
}

// Names must stay single words in a list that is separated by spaces, whoever splits it.
func TestNamesAreWords(t *testing.T) {
	s := newStand(t)
	username := map[token.Use]string{token.ID: "cognito:username", token.Access: "username"}
	for _, use := range []token.Use{token.ID, token.Access} {
		issue := map[token.Use]func(M) string{token.ID: s.IDToken, token.Access: s.AccessToken}[use]
		var cases []refuse
		for _, name := range []string{"", " ", "a b", "a ", " a", "a\tb", "a\nb", "a\rb", "a\x00b", "a\x1fb", "a\x7fb", "a\u0080b", "a\u0085b", "a\u00a0b", "a\u00adb", "a\u1680b", "a\u2003b", "a\u200bb", "a\u2028b", "a\u202eb", "a\u3000b", "a\ufeffb", "a\ue000b", "a\U000e0041b"} {
			cases = append(cases,
				refuse{fmt.Sprintf("group %q", name), issue(M{"cognito:groups": []string{"good", name}}), token.ErrClaims},
				refuse{fmt.Sprintf("username %q", name), issue(M{username[use]: name}), token.ErrClaims})
		}
		for _, groups := range []any{nil, "admins", 1, true, M{"admins": true}, []any{"admins", 1}, []any{nil}, []any{[]string{"admins"}}} {
			cases = append(cases, refuse{fmt.Sprintf("groups %v", groups), issue(M{"cognito:groups": groups}), token.ErrClaims})
		}
		for _, name := range []string{username[use], "email", "jti", "origin_jti"} {
			for _, value := range []any{nil, 1, true, []string{"x"}, M{}} {
				cases = append(cases, refuse{fmt.Sprintf("%s %v", name, value), issue(M{name: value}), token.ErrClaims})
			}
		}
		s.refuse(t, use, cases)
	}
	var cases []refuse
	for _, scope := range []any{nil, 1, []string{"openid"}, "a\tb", "a\nb", `a"b`, `a\b`, "a\x7fb", "ä", "a\u00a0b"} {
		cases = append(cases, refuse{fmt.Sprintf("scope %q", scope), s.AccessToken(M{"scope": scope}), token.ErrClaims})
	}
	s.refuse(t, token.Access, cases)
	if s.lookups != 0 {
		t.Errorf("%d keys looked up", s.lookups)
	}
}

// What the callback knows besides: the nonce it sent, and the access token that came along.
func TestNonceAndAccessHash(t *testing.T) {
	s := newStand(t)
	// RFC 7515 and OpenID Connect Core 3.1.3.6: the left half of the hash. The value is that of
	// OpenID Connect Core appendix A.3's access token.
	const accessToken, hash = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y", "77QmUPtjPfzWtF2AnpK9RQ"
	for _, c := range []struct {
		why    string
		claims M
		checks token.Checks
		want   error // nil: accepted
	}{
		{"nothing expected", M{"nonce": "n", "at_hash": "h"}, token.Checks{}, nil},
		{"the nonce", M{"nonce": "n-1"}, token.Checks{Nonce: "n-1"}, nil},
		{"another nonce", M{"nonce": "n-2"}, token.Checks{Nonce: "n-1"}, token.ErrNonce},
		{"longer nonce", M{"nonce": "n-11"}, token.Checks{Nonce: "n-1"}, token.ErrNonce},
		{"empty nonce", M{"nonce": ""}, token.Checks{Nonce: "n-1"}, token.ErrNonce},
		{"no nonce", nil, token.Checks{Nonce: "n-1"}, token.ErrNonce},
		{"nonce null", M{"nonce": nil}, token.Checks{Nonce: "n-1"}, token.ErrClaims},
		{"nonce in a list", M{"nonce": []string{"n-1"}}, token.Checks{Nonce: "n-1"}, token.ErrClaims},
		{"the access token", M{"at_hash": hash}, token.Checks{AccessToken: accessToken}, nil},
		{"no hash to compare", nil, token.Checks{AccessToken: accessToken}, nil},
		{"another access token", M{"at_hash": hash}, token.Checks{AccessToken: accessToken + "1"}, token.ErrAccessHash},
		{"another hash", M{"at_hash": "77QmUPtjPfzWtF2AnpK9RA"}, token.Checks{AccessToken: accessToken}, token.ErrAccessHash},
		{"empty hash", M{"at_hash": ""}, token.Checks{AccessToken: accessToken}, token.ErrAccessHash},
		{"the whole hash", M{"at_hash": hash + "AAAAAAAAAAAAAAAAAAAAAA"}, token.Checks{AccessToken: accessToken}, token.ErrAccessHash},
		{"hash null", M{"at_hash": nil}, token.Checks{AccessToken: accessToken}, token.ErrClaims},
		{"hash a number", M{"at_hash": 1}, token.Checks{}, token.ErrClaims},
	} {
		raw := s.IDToken(c.claims)
		claims, err := s.verifiers[token.ID].Verify(t.Context(), raw, c.checks)
		if c.want != nil {
			checkRefusal(t, refuse{c.why, raw, c.want}, claims, err)
		} else if err != nil {
			t.Errorf("%s: %v", c.why, err)
		}
	}
}

// Inputs of published advisories, under their names, where a requirement's own test does not say it
// all.
func TestAdvisories(t *testing.T) {
	s := newStand(t)
	kid := tokentest.Encode(s.id.ID)
	jwe := func(header string) string { return b64(header) + "." + strings.Repeat("AAAA.", 3) + "AAAA" }
	attacker := tokentest.StockKey(2)
	s.refuse(t, token.ID, []refuse{
		{"CVE-2025-30204 golang-jwt", "Bearer " + strings.Repeat(".", 8000), token.ErrMalformed},
		{"CVE-2025-27144 go-jose", strings.Repeat(".", 8000), token.ErrMalformed},
		{"CVE-2025-22868 x/oauth2/jws", b64(s.header("")) + strings.Repeat(".", 8000), token.ErrMalformed},
		{"CVE-2024-51744 golang-jwt", attacker.Sign(s.header(""), tokentest.Encode(s.IDClaims(M{"exp": 1}))), token.ErrSignature},
		{"CVE-2020-26160 jwt-go", s.IDToken(M{"aud": []string{"another", "third"}}), token.ErrAudience},
		{"CVE-2024-5798 Vault", s.IDToken(M{"aud": []string{}}), token.ErrAudience},
		{"CVE-2024-28180 go-jose", jwe(`{"alg":"dir","enc":"A128GCM","zip":"DEF"}`), token.ErrMalformed},
		{"CVE-2024-28122 jwx", s.headed(`{"alg":"RS256","kid":` + kid + `,"zip":"DEF","enc":"A128GCM"}`), token.ErrHeader},
		{"CVE-2023-49290 jwx", jwe(`{"alg":"PBES2-HS256+A128KW","enc":"A128GCM","p2c":2000000000,"p2s":"AAAA"}`), token.ErrMalformed},
		{"CVE-2023-50658 jose2go", s.headed(`{"alg":"PBES2-HS256+A128KW","kid":` + kid + `,"p2c":2000000000,"p2s":"AAAA"}`), token.ErrAlgorithm},
		{"CVE-2024-21664 jwx", `{"payload":"e30","signature":"AAAA"}`, token.ErrMalformed},
		{"CVE-2026-34986 go-jose", jwe(`{"alg":"A128KW","enc":"A128GCM"}`), token.ErrMalformed},
		{"CVE-2016-9122 go-jose", `{"payload":"e30","signatures":[{"signature":"AAAA"},{"signature":"AAAB"}]}`, token.ErrMalformed},
		{"jwx issue 2234", s.headed(`{"alg":"RS256","kid":` + kid + `,"alg":"none"}`), token.ErrMalformed},
		{"CVE-2026-22817 Hono", s.headed(`{"alg":"RS512","kid":` + kid + `}`), token.ErrAlgorithm},
		{"CVE-2026-22818 Hono", s.headed(`{"alg":"HS256","kid":` + kid + `}`), token.ErrAlgorithm},
		{"CVE-2026-34950 fast-jwt", " " + s.IDToken(nil), token.ErrMalformed},
		{"CVE-2026-35042 fast-jwt", s.headed(s.header(`,"crit":["x-unknown"],"x-unknown":1`)), token.ErrHeader},
		{"CVE-2025-59420 Authlib", s.headed(s.header(`,"crit":["cnf"],"cnf":{}`)), token.ErrHeader},
		{"CVE-2026-29000 pac4j", jwe(`{"alg":"RSA-OAEP-256","enc":"A128GCM","cty":"JWT"}`), token.ErrMalformed},
		{"CVE-2022-21449 Java", b64(`{"alg":"ES256","kid":`+kid+`}`) + "." + b64(s.payload("")) + "." + b64(strings.Repeat("\x00", 64)), token.ErrAlgorithm},
		{"CVE-2018-0114 node-jose", attacker.Sign(s.header(`,"jwk":`+tokentest.Encode(attacker.JWK())), s.payload("")), token.ErrSignature},
		{"CVE-2015-9235 jsonwebtoken", b64(`{"alg":"none","kid":`+kid+`}`) + "." + b64(s.payload("")) + ".", token.ErrAlgorithm},
		{"CVE-2016-5431 jose-php", b64(`{"alg":"HS256","kid":`+kid+`}`) + "." + b64(s.payload("")) + "." + b64(strings.Repeat("\x01", 32)), token.ErrAlgorithm},
		{"CVE-2020-28042 ServiceStack", b64(s.header("")) + "." + b64(s.payload("")) + ".", token.ErrSignature},
		{"CVE-2026-41413 Istio", attacker.Sign(s.header(`,"jku":"http:\/\/169.254.169.254\/"`), s.payload(`,"jwksUri":"http:\/\/169.254.169.254\/"`)), token.ErrSignature},
	})
	// CVE-2026-42576 apko, CVE-2025-22149 jwkset: in package jwks. CVE-2026-55689 openfga:
	// TestNewRefusesAMissingExpectation.
	if _, err := jwks.Parse([]byte(`{"keys":[{"kty":"EC"},` + tokentest.Encode(s.id.JWK()) + `]}`)); err != nil {
		t.Error(err)
	}
}
