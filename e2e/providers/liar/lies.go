package liar

// This file decides which lies there are, and what a relying party must make of each.

import (
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Lie is one way to misbehave.
type Lie struct {
	Name  string // what it is told by
	Must  string // the reason code that the sign-in or the renewal has to end with; "" if it has to succeed
	Why   string // who says so
	Suite string // module of the OpenID Foundation's relying-party tests that corresponds, if one does

	Renewal    bool // told when a session is renewed, not when it begins
	Ends       bool // of a renewal: the way to renew is over, and the next visit signs in
	Revocation bool // told when a refresh token is revoked
	Fresh      bool // told to functions that know no keys yet
	Blind      bool // the provider does not look at the verifier

	Back       func(p *Provider, q url.Values)                                     // changes what goes back to the client
	Return     func(w http.ResponseWriter, callback string, q url.Values)          // goes back in another way
	Before     func(p *Provider)                                                   // happens before the token is made
	Claims     func(c map[string]any)                                              // changes the claims
	Header     func(p *Provider, h map[string]any)                                 // changes the JOSE header
	HeaderText func(json string) string                                            // changes its text
	ClaimsText func(json string) string                                            // changes the text of the claims
	Sign       func(p *Provider, input string) []byte                              // signs in another way
	Form       func(token string) string                                           // changes the finished token
	Instead    func(w http.ResponseWriter, r *http.Request, answer map[string]any) // answers for the token or revocation endpoint
	Keys       func(p *Provider, set []map[string]any) []map[string]any            // changes the key set
	KeySet     func(w http.ResponseWriter, r *http.Request, set map[string]any)    // answers for the key endpoint
}

// speaksAt reports whether the lie is told by the token endpoint.
func (l *Lie) speaksAt(renewal bool) bool {
	there := l.Before != nil || l.Claims != nil || l.Header != nil || l.HeaderText != nil || l.ClaimsText != nil || l.Sign != nil || l.Form != nil || l.Instead != nil
	return there && l.Renewal == renewal && !l.Revocation
}

// Lies are all of them.
var Lies = concat(issuers, audiences, times, claims, algorithms, headers, signatures, forms, answers, returns, keySets, rotations, renewals, revocations)

func concat(lists ...[]Lie) (all []Lie) {
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

// set and drop change one claim.
func set(name string, value any) func(map[string]any) {
	return func(c map[string]any) { c[name] = value }
}

func drop(name string) func(map[string]any) {
	return func(c map[string]any) { delete(c, name) }
}

// later sets a time claim relative to now, in seconds.
func later(name string, seconds int64) func(map[string]any) {
	return func(c map[string]any) { c[name] = time.Now().Unix() + seconds }
}

func edit(name string, change func(string) any) func(map[string]any) {
	return func(c map[string]any) {
		s, _ := c[name].(string)
		c[name] = change(s)
	}
}

const (
	core2    = "OpenID Connect Core 2"
	core3137 = "OpenID Connect Core 3.1.3.7"
	core3133 = "OpenID Connect Core 3.1.3.3"
	core122  = "OpenID Connect Core 12.2"
	rfc6749  = "RFC 6749 5.1"
	rfc6749e = "RFC 6749 5.2"
	rfc7009  = "RFC 7009 2.2"
	rfc7515  = "RFC 7515 4.1"
	rfc7519  = "RFC 7519 7.2"
	rfc8725  = "RFC 8725"
	rfc9207  = "RFC 9207 2.4"
	rfc9700  = "RFC 9700"
	rfc7517  = "RFC 7517 5"
	rfc7518  = "RFC 7518 3.3"
	cognito  = "Cognito's own claims"
	own      = "our own rule"
)

var issuers = []Lie{
	{Name: "iss-other", Must: "token_issuer", Why: core3137 + " (2)", Suite: "oidcc-client-test-invalid-iss", Claims: set("iss", "https://other.example")},
	{Name: "iss-slash", Must: "token_issuer", Why: core3137 + " (2): exactly", Claims: edit("iss", func(s string) any { return s + "/" })},
	{Name: "iss-upper-case", Must: "token_issuer", Why: core3137 + " (2): exactly", Claims: edit("iss", func(s string) any { return strings.ToUpper(s) })},
	{Name: "iss-another-scheme", Must: "token_issuer", Why: core3137 + " (2): exactly", Claims: edit("iss", func(s string) any { return "https" + strings.TrimPrefix(s, "http") })},
	{Name: "iss-prefix", Must: "token_issuer", Why: core3137 + " (2): exactly", Claims: edit("iss", func(s string) any { return s[:len(s)-1] })},
	{Name: "iss-empty", Must: "token_issuer", Why: core3137 + " (2)", Claims: set("iss", "")},
	{Name: "iss-missing", Must: "token_claims", Why: core2 + ": required", Claims: drop("iss")},
	{Name: "iss-array", Must: "token_claims", Why: core2 + ": a string", Claims: edit("iss", func(s string) any { return []string{s} })},
	{Name: "iss-null", Must: "token_claims", Why: core2 + ": a string", Claims: set("iss", nil)},
}

var audiences = []Lie{
	{Name: "aud-other", Must: "token_audience", Why: core3137 + " (3)", Suite: "oidcc-client-test-invalid-aud", Claims: set("aud", "someone-else")},
	{Name: "aud-prefix", Must: "token_audience", Why: core3137 + " (3)", Claims: edit("aud", func(s string) any { return s[:len(s)-1] })},
	{Name: "aud-empty", Must: "token_audience", Why: core3137 + " (3)", Claims: set("aud", "")},
	{Name: "aud-missing", Must: "token_claims", Why: core2 + ": required", Suite: "oidcc-client-test-missing-aud", Claims: drop("aud")},
	{Name: "aud-empty-array", Must: "token_audience", Why: core3137 + " (3)", Claims: set("aud", []string{})},
	{Name: "aud-array", Why: core2 + ": an array of one", Claims: edit("aud", func(s string) any { return []string{s} })},
	{Name: "aud-ours-and-another", Must: "token_audience", Why: core3137 + " (3): audiences that the client does not trust", Claims: edit("aud", func(s string) any { return []string{s, "someone-else"} })},
	{Name: "aud-number", Must: "token_claims", Why: core2 + ": a string", Claims: set("aud", 7)},
	{Name: "aud-nested", Must: "token_claims", Why: core2 + ": strings", Claims: edit("aud", func(s string) any { return []any{[]any{s}} })},
	{Name: "azp-ours", Why: core3137 + " (5)", Claims: func(c map[string]any) { c["azp"] = c["aud"] }},
	{Name: "azp-other", Must: "token_audience", Why: core3137 + " (5)", Claims: set("azp", "someone-else")},
	{Name: "azp-number", Must: "token_claims", Why: core2 + ": a string", Claims: set("azp", 7)},
}

var times = []Lie{
	{Name: "exp-past", Must: "token_expired", Why: core3137 + " (9)", Claims: later("exp", -60)},
	{Name: "exp-missing", Must: "token_claims", Why: core2 + ": required", Claims: drop("exp")},
	{Name: "exp-string", Must: "token_claims", Why: core2 + ": a number", Claims: set("exp", "4000000000")},
	{Name: "exp-null", Must: "token_claims", Why: core2 + ": a number", Claims: set("exp", nil)},
	{Name: "exp-zero", Must: "token_expired", Why: core3137 + " (9)", Claims: set("exp", 0)},
	{Name: "exp-beyond-numbers", Must: "token_claims", Why: core2 + ": a date", ClaimsText: member("exp", "1e400")},
	{Name: "exp-in-a-thousand-years", Must: "token_claims", Why: own + ": no session of ours is that long", Claims: set("exp", 32_000_000_000)},
	{Name: "iat-missing", Must: "token_claims", Why: core2 + ": required", Suite: "oidcc-client-test-missing-iat", Claims: drop("iat")},
	{Name: "iat-string", Must: "token_claims", Why: core2 + ": a number", Claims: set("iat", "1")},
	{Name: "iat-in-an-hour", Must: "token_not_yet_valid", Why: core3137 + " (10)", Claims: later("iat", 3600)},
	{Name: "iat-an-hour-ago", Must: "token_claims", Why: core3137 + " (10): too far away from now for a token just issued", Claims: later("iat", -3600)},
	{Name: "nbf-in-an-hour", Must: "token_not_yet_valid", Why: "RFC 7519 4.1.5", Claims: later("nbf", 3600)},
	{Name: "nbf-string", Must: "token_claims", Why: "RFC 7519 4.1.5: a number", Claims: set("nbf", "1")},
	{Name: "auth_time-string", Must: "token_claims", Why: core2 + ": a number", Claims: set("auth_time", "now")},
	{Name: "auth_time-missing", Why: core2 + ": optional; then no rule with max-age is satisfied", Claims: drop("auth_time")},
}

var claims = []Lie{
	{Name: "nonce-missing", Must: "token_nonce", Why: core3137 + " (11)", Suite: "oidcc-client-test-nonce-invalid", Claims: drop("nonce")},
	{Name: "nonce-other", Must: "token_nonce", Why: core3137 + " (11)", Suite: "oidcc-client-test-nonce-invalid", Claims: set("nonce", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")},
	{Name: "nonce-empty", Must: "token_nonce", Why: core3137 + " (11)", Claims: set("nonce", "")},
	{Name: "nonce-in-another-case", Must: "token_nonce", Why: core3137 + " (11): exactly", Claims: edit("nonce", func(s string) any { return flipCase(s) })},
	{Name: "nonce-array", Must: "token_claims", Why: core2 + ": a string", Claims: edit("nonce", func(s string) any { return []string{s} })},
	{Name: "at_hash-wrong", Must: "token_access_hash", Why: "OpenID Connect Core 3.1.3.8", Suite: "oidcc-client-test-invalid-athash", Claims: set("at_hash", "AAAAAAAAAAAAAAAAAAAAAA")},
	{Name: "at_hash-missing", Why: "OpenID Connect Core 3.1.3.6: optional with a code", Claims: drop("at_hash")},
	{Name: "at_hash-number", Must: "token_claims", Why: core2 + ": a string", Claims: set("at_hash", 7)},
	{Name: "sub-missing", Must: "token_claims", Why: core2 + ": required", Suite: "oidcc-client-test-missing-sub", Claims: drop("sub")},
	{Name: "sub-empty", Must: "token_claims", Why: core2 + ": identifies the end-user", Claims: set("sub", "")},
	{Name: "sub-number", Must: "token_claims", Why: core2 + ": a string", Claims: set("sub", 7)},
	{Name: "sub-of-256-characters", Must: "token_claims", Why: core2 + ": 255 at the most", Claims: set("sub", strings.Repeat("s", 256))},
	{Name: "token_use-access", Must: "token_use", Why: cognito + "; RFC 8725 3.12", Claims: set("token_use", "access")},
	{Name: "token_use-missing", Must: "token_claims", Why: cognito, Claims: drop("token_use")},
	{Name: "groups-object", Must: "token_claims", Why: cognito + ": an array of strings", Claims: set("cognito:groups", map[string]any{"admins": true})},
	{Name: "groups-with-a-space", Must: "token_claims", Why: cognito + ": a group's name holds no space", Claims: set("cognito:groups", []string{"a admins"})},
	{Name: "names-in-another-case", Must: "token_claims", Why: rfc7519 + ": names are compared exactly", ClaimsText: rename("sub", "SUB")},
	{Name: "names-that-fold", Must: "token_claims", Why: "RFC 8725 3.7: no other letter is an s", ClaimsText: rename("token_use", "token_u\u017fe")},
	{Name: "acr-and-amr", Why: core2 + ": claims that were not asked for are ignored", Claims: func(c map[string]any) { c["acr"], c["amr"] = "urn:x", []string{"pwd", "mfa"} }},
}

var algorithms = []Lie{
	{Name: "alg-none", Must: "token_algorithm", Why: core3137 + " (7)", Suite: "oidcc-client-test-idtoken-sig-none", Header: alg("none"), Sign: unsigned},
	{Name: "alg-none-signed", Must: "token_algorithm", Why: core3137 + " (7)", Header: alg("none")},
	{Name: "alg-None", Must: "token_algorithm", Why: rfc8725 + " 3.1", Header: alg("None"), Sign: unsigned},
	{Name: "alg-missing", Must: "token_algorithm", Why: rfc7515 + ".1: required", Header: func(_ *Provider, h map[string]any) { delete(h, "alg") }},
	{Name: "alg-lower-case", Must: "token_algorithm", Why: rfc7515 + ".1: compared exactly", Header: alg("rs256")},
	{Name: "alg-array", Must: "token_algorithm", Why: rfc7515 + ".1: a string", Header: func(_ *Provider, h map[string]any) { h["alg"] = []string{"RS256"} }},
	{Name: "alg-HS256-by-the-public-key", Must: "token_algorithm", Why: rfc8725 + " 2.1", Header: alg("HS256"), Sign: func(p *Provider, in string) []byte { return hs256(p.signing.publicPEM(), in) }},
	{Name: "alg-HS256-by-the-client-secret", Must: "token_algorithm", Why: core3137 + " (8): only if it was agreed", Header: alg("HS256"), Sign: func(p *Provider, in string) []byte { return hs256([]byte(p.config.ClientSecret), in) }},
	{Name: "alg-RS256-by-the-client-secret", Must: "token_signature", Why: rfc8725 + " 3.1", Sign: func(p *Provider, in string) []byte { return hs256([]byte(p.config.ClientSecret), in) }},
	{Name: "alg-RS384", Must: "token_algorithm", Why: core3137 + " (7)", Header: alg("RS384"), Sign: func(p *Provider, in string) []byte { return rs384(p.signing, in) }},
	{Name: "alg-RS512", Must: "token_algorithm", Why: core3137 + " (7)", Header: alg("RS512"), Sign: func(p *Provider, in string) []byte { return rs512(p.signing, in) }},
	{Name: "alg-PS256", Must: "token_algorithm", Why: core3137 + " (7)", Header: alg("PS256"), Sign: func(p *Provider, in string) []byte { return ps256(p.signing, in) }},
	{Name: "alg-ES256", Must: "token_algorithm", Why: core3137 + " (7)", Header: func(_ *Provider, h map[string]any) { h["alg"], h["kid"] = "ES256", "curve" }, Sign: func(_ *Provider, in string) []byte { return es256(in) }},
}

var headers = []Lie{
	{Name: "jwk-of-the-forger", Must: "token_signature", Why: rfc8725 + " 3.10: a key in the token proves nothing", Header: func(_ *Provider, h map[string]any) { h["jwk"] = stock("forger").public() }, Sign: forged},
	{Name: "jwk-without-kid", Must: "token_unknown_key", Why: rfc8725 + " 3.10", Header: func(_ *Provider, h map[string]any) { delete(h, "kid"); h["jwk"] = stock("forger").public() }, Sign: forged},
	{Name: "jku-of-the-forger", Must: "token_signature", Why: rfc8725 + " 3.10: no address in a token is asked", Header: func(p *Provider, h map[string]any) { h["jku"] = p.config.Issuer + "/forged/jwks.json" }, Sign: forged},
	{Name: "x5u-of-the-forger", Must: "token_signature", Why: rfc8725 + " 3.10", Header: func(p *Provider, h map[string]any) { h["x5u"] = p.config.Issuer + "/forged/chain.pem" }, Sign: forged},
	{Name: "x5c-of-the-forger", Must: "token_signature", Why: rfc8725 + " 3.10", Header: func(_ *Provider, h map[string]any) { h["x5c"] = []string{"MIIB"} }, Sign: forged},
	{Name: "crit-exp", Must: "token_header", Why: rfc7515 + ".11", Header: func(_ *Provider, h map[string]any) { h["crit"], h["exp"] = []string{"exp"}, 1 }},
	{Name: "crit-empty", Must: "token_header", Why: rfc7515 + ".11: not empty", Header: func(_ *Provider, h map[string]any) { h["crit"] = []string{} }},
	{Name: "crit-null", Must: "token_header", Why: rfc7515 + ".11", Header: func(_ *Provider, h map[string]any) { h["crit"] = nil }},
	{Name: "b64-false", Must: "token_header", Why: "RFC 7797 7: not in a JWT", Header: func(_ *Provider, h map[string]any) { h["b64"], h["crit"] = false, []string{"b64"} }},
	{Name: "b64-false-uncritical", Must: "token_header", Why: "RFC 7797 6", Header: func(_ *Provider, h map[string]any) { h["b64"] = false }},
	{Name: "zip", Must: "token_header", Why: rfc8725 + " 3.6", Header: func(_ *Provider, h map[string]any) { h["zip"] = "DEF" }},
	{Name: "typ-access-token", Must: "token_header", Why: rfc8725 + " 3.11", Header: func(_ *Provider, h map[string]any) { h["typ"] = "at+jwt" }},
	{Name: "typ-logout-token", Must: "token_header", Why: rfc8725 + " 3.11", Header: func(_ *Provider, h map[string]any) { h["typ"] = "logout+jwt" }},
	{Name: "typ-JWT", Why: "RFC 7519 5.1", Header: func(_ *Provider, h map[string]any) { h["typ"] = "JWT" }},
	{Name: "kid-missing", Must: "token_unknown_key", Why: own + ": Cognito names its keys always", Suite: "oidcc-client-test-kid-absent-multiple-jwks", Header: func(_ *Provider, h map[string]any) { delete(h, "kid") }},
	{Name: "kid-number", Must: "token_unknown_key", Why: rfc7515 + ".4: a string", Header: func(_ *Provider, h map[string]any) { h["kid"] = 7 }},
	{Name: "kid-of-the-other-key", Must: "token_signature", Why: rfc7515 + ".4", Header: func(_ *Provider, h map[string]any) { h["kid"] = "second" }},
	{Name: "kid-in-another-case", Must: "token_unknown_key", Why: rfc7515 + ".4: case-sensitive", Fresh: true, Header: func(_ *Provider, h map[string]any) { h["kid"] = "FIRST" }},
	{Name: "kid-path", Must: "token_unknown_key", Why: rfc8725 + " 3.10: data, not an address", Fresh: true, Header: func(_ *Provider, h map[string]any) { h["kid"] = "../../dev/null" }},
	{Name: "header-twice-alg", Must: "token_malformed", Why: rfc7515 + ": names are unique", HeaderText: func(s string) string { return strings.Replace(s, "{", `{"alg":"none",`, 1) }},
	{Name: "header-array", Must: "token_malformed", Why: rfc7519, HeaderText: func(s string) string { return "[" + s + "]" }},
}

var signatures = []Lie{
	{Name: "signature-flipped", Must: "token_signature", Why: core3137 + " (6)", Suite: "oidcc-client-test-invalid-sig-rs256", Sign: func(p *Provider, in string) []byte { s := rs256(p.signing, in); s[100] ^= 1; return s }},
	{Name: "signature-missing", Must: "token_signature", Why: core3137 + " (6)", Sign: unsigned},
	{Name: "signature-short", Must: "token_signature", Why: rfc7518, Sign: func(p *Provider, in string) []byte { return rs256(p.signing, in)[:255] }},
	{Name: "signature-long", Must: "token_signature", Why: rfc7518, Sign: func(p *Provider, in string) []byte { return append(rs256(p.signing, in), 0) }},
	{Name: "signature-of-zeros", Must: "token_signature", Why: rfc7518, Sign: func(*Provider, string) []byte { return make([]byte, 256) }},
	{Name: "signature-of-the-forger", Must: "token_signature", Why: core3137 + " (6)", Sign: forged},
	{Name: "signature-of-another-text", Must: "token_signature", Why: core3137 + " (6)", Sign: func(p *Provider, in string) []byte { return rs256(p.signing, in+".") }},
}

var forms = []Lie{
	{Name: "form-two-parts", Must: "token_malformed", Why: rfc7515 + "; section 7.1", Form: func(s string) string { return s[:strings.LastIndex(s, ".")] }},
	{Name: "form-five-parts", Must: "token_malformed", Why: rfc8725 + " 3.3: nothing encrypted was agreed", Form: func(s string) string { return s + ".AAAA.AAAA" }},
	{Name: "form-padded", Must: "token_malformed", Why: rfc7515 + "; section 2: no padding", Form: func(s string) string { return s + "==" }},
	{Name: "form-line-break", Must: "token_malformed", Why: "RFC 8725bis 3.14", Form: func(s string) string { return s[:50] + "\n" + s[50:] }},
	{Name: "form-space-behind", Must: "token_malformed", Why: "RFC 8725bis 3.14", Form: func(s string) string { return s + " " }},
	{Name: "form-JSON", Must: "token_malformed", Why: rfc7515 + "; section 3: the compact form only", Form: jsonForm},
	{Name: "form-trailing-bits", Must: "token_malformed", Why: "RFC 4648 3.5", Form: trailingBits},
	{Name: "payload-array", Must: "token_malformed", Why: rfc7519, ClaimsText: func(s string) string { return "[" + s + "]" }},
	{Name: "payload-and-more", Must: "token_malformed", Why: rfc7519, ClaimsText: func(s string) string { return s + s }},
	{Name: "payload-byte-order-mark", Must: "token_malformed", Why: "RFC 8259 8.1", ClaimsText: func(s string) string { return "\ufeff" + s }},
	{Name: "payload-no-UTF-8", Must: "token_malformed", Why: rfc8725 + " 3.7", ClaimsText: func(s string) string { return strings.Replace(s, "vera", "ver\xff", 1) }},
	{Name: "payload-twice-sub", Must: "token_malformed", Why: "RFC 7519 4: names are unique", ClaimsText: func(s string) string { return strings.Replace(s, "{", `{"sub":"mallory",`, 1) }},
	{Name: "payload-twice-sub-escaped", Must: "token_malformed", Why: "RFC 7519 4: names are unique, however written", ClaimsText: func(s string) string { return strings.Replace(s, "{", `{"\u0073ub":"mallory",`, 1) }},
	{Name: "payload-lone-surrogate", Must: "token_malformed", Why: "RFC 8259 8.2", ClaimsText: func(s string) string { return strings.Replace(s, "{", `{"name":"\ud800",`, 1) }},
	{Name: "payload-deep", Must: "token_malformed", Why: own + ": nothing needs so many levels", ClaimsText: func(s string) string {
		return strings.Replace(s, "{", `{"x":`+strings.Repeat("[", 500)+strings.Repeat("]", 500)+",", 1)
	}},
	{Name: "payload-of-20-kilobytes", Must: "login_too_large", Why: own + ": no request could carry it", ClaimsText: func(s string) string { return strings.Replace(s, "{", `{"x":"`+strings.Repeat("x", 20000)+`",`, 1) }},
}

// alg names another algorithm.
func alg(name string) func(*Provider, map[string]any) {
	return func(_ *Provider, h map[string]any) { h["alg"] = name }
}

func unsigned(*Provider, string) []byte { return nil }

func forged(_ *Provider, input string) []byte { return rs256(stock("forger"), input) }

// member replaces a member's value by a text.
func member(name, value string) func(string) string {
	return func(s string) string {
		i := strings.Index(s, `"`+name+`":`) + len(name) + 3
		j := i + strings.IndexAny(s[i:], ",}")
		return s[:i] + value + s[j:]
	}
}

func rename(from, to string) func(string) string {
	return func(s string) string { return strings.Replace(s, `"`+from+`":`, `"`+to+`":`, 1) }
}

func flipCase(s string) string {
	if upper := strings.ToUpper(s); upper != s {
		return upper
	}
	return strings.ToLower(s)
}

// jsonForm is the flattened serialization of RFC 7515, section 7.2.2.
func jsonForm(s string) string {
	parts := strings.Split(s, ".")
	return `{"protected":"` + parts[0] + `","payload":"` + parts[1] + `","signature":"` + parts[2] + `"}`
}

// trailingBits writes the same signature with other bits in its last character, which decoders may ignore: 256 bytes leave four of them.
func trailingBits(s string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, s[len(s)-1])
	return s[:len(s)-1] + string(alphabet[last^1])
}
