package device_test

// This file holds the proofs, the challenges and the headers to their rules. Proofs are made here by
// hand, from the standard library's signatures, so that each can be wrong in one way.

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"edgeauth/internal/device"
	"edgeauth/internal/reason"
)

var b64 = base64.RawURLEncoding.EncodeToString

// machine is a device with its key.
type machine struct{ private *ecdsa.PrivateKey }

func newMachine(t testing.TB) machine {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return machine{k}
}

// point returns both coordinates.
func (m machine) point(t testing.TB) (x, y []byte) {
	t.Helper()
	b, err := m.private.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return b[1:33], b[33:]
}

func (m machine) jwk(t testing.TB) string {
	x, y := m.point(t)
	return `{"kty":"EC","crv":"P-256","x":"` + b64(x) + `","y":"` + b64(y) + `"}`
}

// key is the text that Registered returns for it.
func (m machine) key(t testing.TB) string {
	x, y := m.point(t)
	return b64(append(append([]byte{}, x...), y...))
}

// sign returns a JWT of that header and payload.
func (m machine) sign(t testing.TB, header, payload string) string {
	t.Helper()
	text := b64([]byte(header)) + "." + b64([]byte(payload))
	sum := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, m.private, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + b64(append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...))
}

// again encodes the JWT's last part anew, or loosely.
func again(jwt string, change func(signature []byte) []byte) string {
	i := strings.LastIndexByte(jwt, '.')
	b, _ := base64.RawURLEncoding.DecodeString(jwt[i+1:])
	if change == nil {
		return jwt[:i+1] + loose(b)
	}
	return jwt[:i+1] + b64(change(b))
}

const (
	renewing = `{"typ":"dbsc+jwt","alg":"ES256"}`
	payload  = `{"jti":"challenge"}`
)

func TestProven(t *testing.T) {
	m, other := newMachine(t), newMachine(t)
	good := m.sign(t, renewing, payload)
	n := elliptic.P256().Params().N
	for name, row := range map[string]struct {
		jwt  string
		good bool
	}{
		"as Chromium sends it":             {good, true},
		"further members":                  {m.sign(t, `{"alg":"ES256","typ":"dbsc+jwt","kid":"x"}`, `{"aud":"https://x","jti":"challenge","iat":1,"sub":"s"}`), true},
		"nothing":                          {"", false},
		"two parts":                        {good[:strings.LastIndexByte(good, '.')], false},
		"four parts":                       {good + ".", false},
		"another type":                     {m.sign(t, `{"typ":"JWT","alg":"ES256"}`, payload), false},
		"another case of the type":         {m.sign(t, `{"typ":"DBSC+JWT","alg":"ES256"}`, payload), false},
		"no type":                          {m.sign(t, `{"alg":"ES256"}`, payload), false},
		"another algorithm":                {m.sign(t, `{"typ":"dbsc+jwt","alg":"RS256"}`, payload), false},
		"no algorithm":                     {m.sign(t, `{"typ":"dbsc+jwt","alg":"none"}`, payload), false},
		"alg twice":                        {m.sign(t, `{"typ":"dbsc+jwt","alg":"ES256","alg":"ES256"}`, payload), false},
		"crit":                             {m.sign(t, `{"typ":"dbsc+jwt","alg":"ES256","crit":["x"]}`, payload), false},
		"b64":                              {m.sign(t, `{"typ":"dbsc+jwt","alg":"ES256","b64":false}`, payload), false},
		"a key of its own":                 {m.sign(t, `{"typ":"dbsc+jwt","alg":"ES256","jwk":`+m.jwk(t)+`}`, payload), false},
		"a header that is no object":       {m.sign(t, `["dbsc+jwt"]`, payload), false},
		"a header with something after it": {m.sign(t, renewing+" {}", payload), false},
		"another key":                      {other.sign(t, renewing, payload), false},
		"a signature without signature":    {again(good, func([]byte) []byte { return nil }), false},
		"a signature that is too short":    {again(good, func(b []byte) []byte { return b[:63] }), false},
		"a signature that is too long":     {again(good, func(b []byte) []byte { return append(b, 0) }), false},
		"a signature with a zero before s": {again(good, func(b []byte) []byte { return slices.Insert(b, 32, 0) }), false},
		"all zero":                         {again(good, func([]byte) []byte { return make([]byte, 64) }), false},
		"in ASN.1":                         {again(good, func(b []byte) []byte { return asn1(t, m, good) }), false},
		"r beyond the order": {again(good, func(b []byte) []byte {
			return append(new(big.Int).Add(n, big.NewInt(1)).FillBytes(make([]byte, 32)), b[32:]...)
		}), false},
		"another payload":                 {b64([]byte(renewing)) + "." + b64([]byte(`{"jti":"other"}`)) + good[strings.LastIndexByte(good, '.'):], false},
		"padding":                         {good + "=", false},
		"a line break in the signature":   {good[:len(good)-9] + "\n" + good[len(good)-9:], false},
		"bits left over in the signature": {again(good, nil), false},
		"a line break":                    {good[:10] + "\n" + good[10:], false},
		"no jti":                          {m.sign(t, renewing, `{}`), false},
		"an empty jti":                    {m.sign(t, renewing, `{"jti":""}`), false},
		"a number as jti":                 {m.sign(t, renewing, `{"jti":1}`), false},
		"two of jti":                      {m.sign(t, renewing, `{"jti":"challenge","jti":"challenge"}`), false},
		"no JSON":                         {m.sign(t, renewing, `challenge`), false},
		"more than 2 kB":                  {m.sign(t, renewing, `{"jti":"challenge","x":"`+strings.Repeat("x", 1500)+`"}`), false},
		"just below 2 kB":                 {m.sign(t, renewing, `{"jti":"challenge","x":"`+strings.Repeat("x", 1300)+`"}`), true},
	} {
		challenge, err := device.Proven(row.jwt, m.key(t))
		if row.good && (err != nil || challenge != "challenge") || !row.good && (!errors.Is(err, device.ErrProof) || challenge != "") {
			t.Errorf("%s: %q, %v", name, challenge, err)
		}
	}
	for name, key := range map[string]string{"no key": "", "no point": b64(make([]byte, 64)), "half a key": m.key(t)[:43]} {
		if _, err := device.Proven(good, key); !errors.Is(err, device.ErrProof) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// asn1 is a signature as most of the world writes it.
func asn1(t *testing.T, m machine, jwt string) []byte {
	sum := sha256.Sum256([]byte(jwt[:strings.LastIndexByte(jwt, '.')]))
	b, err := ecdsa.SignASN1(rand.Reader, m.private, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestRegistered(t *testing.T) {
	m, other := newMachine(t), newMachine(t)
	x, y := m.point(t)
	with := func(jwk string) string {
		return m.sign(t, `{"typ":"dbsc+jwt","alg":"ES256","jwk":`+jwk+`}`, payload)
	}
	jwk := func(kty, crv string, x, y []byte) string {
		return with(`{"kty":"` + kty + `","crv":"` + crv + `","x":"` + b64(x) + `","y":"` + b64(y) + `"}`)
	}
	p := elliptic.P256().Params().P
	off := append([]byte{}, y...)
	off[31] ^= 1
	for name, row := range map[string]struct {
		jwt  string
		good bool
	}{
		"as Chromium sends it":             {with(m.jwk(t)), true},
		"further members of the key":       {with(`{"use":"sig",` + m.jwk(t)[1:]), true},
		"no key":                           {m.sign(t, renewing, payload), false},
		"the key of another":               {with(other.jwk(t)), false},
		"no object":                        {with(`"x"`), false},
		"null":                             {with(`null`), false},
		"an empty object":                  {with(`{}`), false},
		"RSA":                              {jwk("RSA", "P-256", x, y), false},
		"another curve":                    {jwk("EC", "P-384", x, y), false},
		"a private key":                    {with(`{"d":"AQ",` + m.jwk(t)[1:]), false},
		"a short coordinate":               {jwk("EC", "P-256", x[:31], append([]byte{x[31]}, y...)), false},
		"a coordinate too many bytes":      {jwk("EC", "P-256", append([]byte{0}, x...), y), false},
		"no y":                             {jwk("EC", "P-256", x, nil), false},
		"not on the curve":                 {jwk("EC", "P-256", x, off), false},
		"the origin":                       {jwk("EC", "P-256", make([]byte, 32), make([]byte, 32)), false},
		"a coordinate beyond the field":    {jwk("EC", "P-256", p.FillBytes(make([]byte, 32)), y), false},
		"the key twice":                    {m.sign(t, `{"typ":"dbsc+jwt","alg":"ES256","jwk":`+m.jwk(t)+`,"jwk":`+m.jwk(t)+`}`, payload), false},
		"another type":                     {m.sign(t, `{"typ":"JWT","alg":"ES256","jwk":`+m.jwk(t)+`}`, payload), false},
		"no challenge":                     {m.sign(t, `{"typ":"dbsc+jwt","alg":"ES256","jwk":`+m.jwk(t)+`}`, `{}`), false},
		"a coordinate that is padded":      {with(strings.Replace(m.jwk(t), `","y"`, `=","y"`, 1)), false},
		"a coordinate with bits left over": {with(`{"kty":"EC","crv":"P-256","x":"` + loose(x) + `","y":"` + b64(y) + `"}`), false},
	} {
		key, challenge, err := device.Registered(row.jwt)
		if row.good && (err != nil || challenge != "challenge" || key != m.key(t)) || !row.good && !errors.Is(err, device.ErrProof) {
			t.Errorf("%s: %q, %q, %v", name, key, challenge, err)
		}
	}
}

// loose encodes b so that a lenient decoder reads it, with bits set that belong to no byte.
func loose(b []byte) string {
	text := []byte(b64(b))
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	i := strings.IndexByte(alphabet, text[len(text)-1])
	text[len(text)-1] = alphabet[i|1]
	return string(text)
}

func TestReasons(t *testing.T) {
	if reason.Of(device.ErrProof) != reason.DeviceProofInvalid || reason.Of(device.ErrChallenge) != reason.DeviceChallenged {
		t.Error("another reason")
	}
}

func TestChallenges(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	of := func(site string, secrets ...string) device.Challenges {
		t.Helper()
		c, err := device.NewChallenges(site, secrets...)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	const site = "https://app.example.com/Prod"
	c := of(site, "secret", "former", "")
	made := c.New(device.Renewal, "session", now)
	if len(made) != 32 {
		t.Errorf("%d characters", len(made))
	}
	for name, row := range map[string]struct {
		c         device.Challenges
		challenge string
		purpose   device.Purpose
		session   string
		after     time.Duration
		good      bool
	}{
		"at once":                        {c, made, device.Renewal, "session", 0, true},
		"just before it is over":         {c, made, device.Renewal, "session", 119 * time.Second, true},
		"over":                           {c, made, device.Renewal, "session", 120 * time.Second, false},
		"a clock that is behind":         {c, made, device.Renewal, "session", -30 * time.Second, true},
		"a clock that is far behind":     {c, made, device.Renewal, "session", -31 * time.Second, false},
		"another purpose":                {c, made, device.Registration, "session", 0, false},
		"another session":                {c, made, device.Renewal, "session2", 0, false},
		"another site":                   {of(site+"2", "secret"), made, device.Renewal, "session", 0, false},
		"another secret":                 {of(site, "other"), made, device.Renewal, "session", 0, false},
		"made with what is former now":   {of(site, "new", "secret"), made, device.Renewal, "session", 0, true},
		"made with what is former":       {of(site, "secret"), of(site, "former", "secret").New(device.Renewal, "session", now), device.Renewal, "session", 0, false},
		"checked with what was former":   {c, of(site, "former").New(device.Renewal, "session", now), device.Renewal, "session", 0, true},
		"nothing":                        {c, "", device.Renewal, "session", 0, false},
		"a part of it":                   {c, made[:31], device.Renewal, "session", 0, false},
		"more than it":                   {c, made + "AAAA", device.Renewal, "session", 0, false},
		"no base64url":                   {c, made[:31] + "=", device.Renewal, "session", 0, false},
		"another time":                   {c, c.New(device.Renewal, "session", now.Add(time.Second))[:11] + made[11:], device.Renewal, "session", 0, false},
		"what is of two halves together": {c, c.New(device.Renewal, "sess\x00ion", now), device.Renewal, "session", 0, false},
	} {
		err := row.c.Check(row.challenge, row.purpose, row.session, now.Add(row.after))
		if row.good && err != nil || !row.good && !errors.Is(err, device.ErrChallenge) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, secrets := range [][]string{nil, {""}, {"", "former"}} {
		if _, err := device.NewChallenges(site, secrets...); err == nil {
			t.Errorf("secrets %q are enough", secrets)
		}
	}
}

func TestID(t *testing.T) {
	id := device.ID("sign-in", "key")
	if len(id) != 43 || id != device.ID("sign-in", "key") || id == device.ID("sign-in2", "key") || id == device.ID("sign-in", "key2") {
		t.Errorf("%q", id)
	}
}

func TestFields(t *testing.T) {
	for name, row := range map[string]struct{ got, want string }{
		"registration":                 {device.Offered("/Prod/auth/device", "abc"), `(ES256);path="/Prod/auth/device";challenge="abc"`},
		"a path to be escaped":         {device.Offered(`/a"b\c/auth/device`, "abc"), `(ES256);path="/a\"b\\c/auth/device";challenge="abc"`},
		"a path that no string holds":  {device.Offered("/ü/auth/device", "abc"), ""},
		"a line break":                 {device.Offered("/a\r\nSet-Cookie: x", "abc"), ""},
		"no challenge":                 {device.Offered("/a", ""), ""},
		"no path":                      {device.Offered("", "abc"), ""},
		"challenge":                    {device.Asked("abc", "id"), `"abc";id="id"`},
		"a challenge that cannot be":   {device.Asked("a\x7f", "id"), ""},
		"a challenge for nobody":       {device.Asked("abc", ""), ""},
		"a string":                     {device.Text([]string{`"a-_.Z9"`}), "a-_.Z9"},
		"a string with parameters":     {device.Text([]string{`"abc";x="y"`}), "abc"},
		"without quotation marks":      {device.Text([]string{`abc`}), "abc"},
		"that, with parameters":        {device.Text([]string{`abc;x=1`}), "abc"},
		"no header":                    {device.Text(nil), ""},
		"an empty one":                 {device.Text([]string{""}), ""},
		"two":                          {device.Text([]string{"abc", "abc"}), ""},
		"two in one":                   {device.Text([]string{`"abc", "abc"`}), ""},
		"not closed":                   {device.Text([]string{`"abc`}), ""},
		"something after it":           {device.Text([]string{`"abc"d`}), ""},
		"an escape":                    {device.Text([]string{`"a\"b"`}), ""},
		"a backslash":                  {device.Text([]string{`"a\\b"`}), ""},
		"what no JWT and no ID is of":  {device.Text([]string{`"a b"`}), ""},
		"that, without quotation mark": {device.Text([]string{`a,b`}), ""},
	} {
		if row.got != row.want {
			t.Errorf("%s: %q, want %q", name, row.got, row.want)
		}
	}
}

func TestSkipped(t *testing.T) {
	for value, want := range map[string]bool{
		`server_error;session_identifier="id"`:                                       true,
		`unreachable;session_identifier="x", quota_exceeded;session_identifier="id"`: true,
		`server_error;session_identifier="id2"`:                                      false,
		`server_error;session_identifier="id`:                                        false,
		`server_error`:                                                               false,
		``:                                                                           false,
	} {
		if got := device.Skipped([]string{value}, "id"); got != want {
			t.Errorf("%s: %v", value, got)
		}
	}
	if device.Skipped(nil, "id") || device.Skipped([]string{`server_error;session_identifier=""`}, "") {
		t.Error("skipped without an ID")
	}
}

// FuzzProven: whatever is sent, only what the key has signed counts, and says what was signed.
func FuzzProven(f *testing.F) {
	m := newMachine(f)
	good := m.sign(f, renewing, payload)
	f.Add(good)
	f.Add(m.sign(f, `{"typ":"dbsc+jwt","alg":"ES256","jwk":`+m.jwk(f)+`}`, payload))
	f.Fuzz(func(t *testing.T, jwt string) {
		if challenge, err := device.Proven(jwt, m.key(t)); err == nil && (challenge != "challenge" || strings.Split(jwt, ".")[1] != strings.Split(good, ".")[1]) {
			t.Errorf("%q proves %q", jwt, challenge)
		}
		if key, challenge, err := device.Registered(jwt); err == nil && (key == "" || challenge == "") {
			t.Errorf("%q registers %q, %q", jwt, key, challenge)
		}
	})
}

// FuzzFields: what is written is one header of printable ASCII whose strings, read as RFC 9651 has
// them, are what was put in; or nothing.
func FuzzFields(f *testing.F) {
	f.Add("/Prod/auth/device", "abc")
	f.Add(`a\"`, "\x00")
	f.Fuzz(func(t *testing.T, path, challenge string) {
		rest := device.Offered(path, challenge)
		if rest == "" {
			return
		}
		for _, c := range []struct{ before, want string }{{"(ES256);path=", path}, {";challenge=", challenge}} {
			var ok bool
			if rest, ok = strings.CutPrefix(rest, c.before+`"`); !ok {
				t.Fatalf("%q", rest)
			}
			var got strings.Builder
			for i := 0; ; i++ {
				if i >= len(rest) || rest[i] < ' ' || rest[i] > '~' {
					t.Fatalf("%q is no string", rest)
				}
				if rest[i] == '"' {
					rest = rest[i+1:]
					break
				}
				if rest[i] == '\\' {
					i++
				}
				got.WriteByte(rest[i])
			}
			if got.String() != c.want {
				t.Errorf("%q, want %q", got.String(), c.want)
			}
		}
		if rest != "" {
			t.Errorf("left over: %q", rest)
		}
	})
}
