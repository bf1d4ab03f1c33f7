package liar

// This file decides how the endpoints lie: the token endpoint about its answers, the authorization endpoint about the way back, the key endpoint about its keys.

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf16"
)

type instead = func(w http.ResponseWriter, r *http.Request, answer map[string]any)

// said answers with a status and a JSON text.
func said(status int, body string) instead {
	return typed("application/json", status, body)
}

func typed(contentType string, status int, body string) instead {
	return func(w http.ResponseWriter, _ *http.Request, _ map[string]any) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// but answers honestly but for one member.
func but(name string, value any) instead {
	return func(w http.ResponseWriter, _ *http.Request, answer map[string]any) {
		answer[name] = value
		whole(w, answer)
	}
}

func without(name string) instead {
	return func(w http.ResponseWriter, _ *http.Request, answer map[string]any) {
		delete(answer, name)
		whole(w, answer)
	}
}

func whole(w http.ResponseWriter, body map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body)
}

// rewritten answers with what becomes of the honest text.
func rewritten(contentType string, change func(string) string) instead {
	return func(w http.ResponseWriter, _ *http.Request, answer map[string]any) {
		w.Header().Set("Content-Type", contentType)
		_, _ = io.WriteString(w, change(text(answer)))
	}
}

func same(s string) string { return s }

// led answers with a redirect to a place that would answer well.
func led(status int) instead {
	return func(w http.ResponseWriter, _ *http.Request, _ map[string]any) {
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(status)
	}
}

// hinted sends a provisional answer before the real one (RFC 8297).
func hinted(w http.ResponseWriter, _ *http.Request, answer map[string]any) {
	w.Header().Set("Link", "</x>; rel=preload")
	w.WriteHeader(http.StatusEarlyHints)
	w.Header().Del("Link")
	whole(w, answer)
}

// drip sends one byte in a while, for longer than anybody waits.
func drip(w http.ResponseWriter, r *http.Request, _ map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	for range 400 {
		if _, err := io.WriteString(w, " "); err != nil {
			return
		}
		w.(http.Flusher).Flush()
		select {
		case <-r.Context().Done():
			return
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// endless sends far more than any answer holds.
func endless(w http.ResponseWriter, r *http.Request, _ map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"x":"`)
	block := strings.Repeat("x", 1<<16)
	for range 1 << 10 {
		if _, err := io.WriteString(w, block); err != nil || r.Context().Err() != nil {
			return
		}
	}
}

// bomb sends a few kilobytes that unpack into many megabytes.
func bomb(w http.ResponseWriter, _ *http.Request, _ map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Encoding", "gzip")
	z := gzip.NewWriter(w)
	_, _ = io.WriteString(z, `{"x":"`)
	block := strings.Repeat("x", 1<<16)
	for range 1 << 9 {
		_, _ = io.WriteString(z, block)
	}
	_ = z.Close()
}

// cut ends the connection in the middle of an answer.
func cut(w http.ResponseWriter, _ *http.Request, answer map[string]any) {
	body := text(answer)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", fmt.Sprint(len(body)))
	_, _ = io.WriteString(w, body[:len(body)/2])
	w.(http.Flusher).Flush()
	panic(http.ErrAbortHandler)
}

// hangUp ends the connection without a word.
func hangUp(http.ResponseWriter, *http.Request, map[string]any) { panic(http.ErrAbortHandler) }

func utf16Text(s string) string {
	var b strings.Builder
	b.WriteString("\xff\xfe")
	for _, u := range utf16.Encode([]rune(s)) {
		b.WriteByte(byte(u))
		b.WriteByte(byte(u >> 8))
	}
	return b.String()
}

var answers = []Lie{
	{Name: "answer-without-id_token", Must: "provider_unavailable", Why: core3133 + ": required", Instead: without("id_token")},
	{Name: "answer-id_token-null", Must: "provider_unavailable", Why: core3133, Instead: but("id_token", nil)},
	{Name: "answer-id_token-number", Must: "provider_unavailable", Why: core3133, Instead: but("id_token", 7)},
	{Name: "answer-id_token-object", Must: "provider_unavailable", Why: core3133, Instead: but("id_token", map[string]any{"sub": "mallory"})},
	{Name: "answer-without-access_token", Must: "provider_unavailable", Why: rfc6749 + ": required", Instead: without("access_token")},
	{Name: "answer-without-token_type", Must: "provider_unavailable", Why: rfc6749 + ": required", Instead: without("token_type")},
	{Name: "answer-token_type-mac", Must: "provider_unavailable", Why: core3133 + ": Bearer", Instead: but("token_type", "mac")},
	{Name: "answer-token_type-lower-case", Why: rfc6749 + ": in any case", Instead: but("token_type", "bearer")},
	{Name: "answer-expires_in-string", Why: own + ": the ID token says when it ends", Instead: but("expires_in", "3600")},
	{Name: "answer-expires_in-negative", Why: own + ": the ID token says when it ends", Instead: but("expires_in", -1)},
	{Name: "answer-without-refresh_token", Why: rfc6749 + ": optional", Instead: without("refresh_token")},
	{Name: "answer-refresh_token-of-9-kilobytes", Why: own + ": a session without renewal rather than none", Instead: but("refresh_token", strings.Repeat("r", 9000))},
	{Name: "answer-unknown-members", Why: rfc6749 + ": ignored", Instead: but("x", []any{1, nil, map[string]any{}})},
	{Name: "answer-as-HTML", Must: "provider_unavailable", Why: rfc6749 + ": application/json", Instead: rewritten("text/html", same)},
	{Name: "answer-as-text", Must: "provider_unavailable", Why: rfc6749 + ": application/json", Instead: rewritten("text/plain", same)},
	{Name: "answer-as-form", Must: "provider_unavailable", Why: rfc6749 + ": application/json", Instead: rewritten("application/x-www-form-urlencoded", func(s string) string {
		var m map[string]any
		_ = json.Unmarshal([]byte(s), &m)
		q := url.Values{}
		for name, value := range m {
			q.Set(name, fmt.Sprint(value))
		}
		return q.Encode()
	})},
	{Name: "answer-with-charset", Why: "RFC 9110 8.3", Instead: rewritten("application/json; charset=UTF-8", same)},
	{Name: "answer-in-UTF-16", Must: "provider_unavailable", Why: "RFC 8259 8.1", Instead: rewritten("application/json; charset=utf-16", utf16Text)},
	{Name: "answer-byte-order-mark", Must: "provider_unavailable", Why: "RFC 8259 8.1", Instead: rewritten("application/json", func(s string) string { return "\ufeff" + s })},
	{Name: "answer-array", Must: "provider_unavailable", Why: rfc6749, Instead: rewritten("application/json", func(s string) string { return "[" + s + "]" })},
	{Name: "answer-empty", Must: "provider_unavailable", Why: rfc6749, Instead: said(200, "")},
	{Name: "answer-twice-id_token", Why: "RFC 8259 4: the last one counts; whichever it is, it has to be genuine", Instead: rewritten("application/json", func(s string) string { return strings.Replace(s, "{", `{"id_token":"a.b.c",`, 1) })},
	{Name: "answer-and-more", Must: "provider_unavailable", Why: rfc6749, Instead: rewritten("application/json", func(s string) string { return s + s })},
	{Name: "answer-204", Must: "provider_unavailable", Why: rfc6749 + ": 200", Instead: func(w http.ResponseWriter, _ *http.Request, _ map[string]any) { w.WriteHeader(http.StatusNoContent) }},
	{Name: "answer-error-with-200", Must: "provider_unavailable", Why: rfc6749e + ": 400; this is neither a yes nor a no", Instead: said(200, `{"error":"invalid_grant"}`)},
	{Name: "answer-invalid_grant", Must: "login_code_refused", Why: rfc6749e, Instead: said(400, `{"error":"invalid_grant"}`)},
	{Name: "answer-invalid_client", Must: "config_unavailable", Why: rfc6749e, Instead: said(401, `{"error":"invalid_client"}`)},
	{Name: "answer-unauthorized_client", Must: "config_unavailable", Why: rfc6749e, Instead: said(400, `{"error":"unauthorized_client"}`)},
	{Name: "answer-invalid_request", Must: "login_code_refused", Why: rfc6749e, Instead: said(400, `{"error":"invalid_request"}`)},
	{Name: "answer-invalid_scope", Must: "login_code_refused", Why: rfc6749e, Instead: said(400, `{"error":"invalid_scope","error_description":"<script>alert(1)</script>"}`)},
	{Name: "answer-error-with-line-break", Must: "login_code_refused", Why: rfc9700 + "; no line of a log is anybody else's", Instead: said(400, `{"error":"a\n{\"level\":\"INFO\",\"forged\":true}"}`)},
	{Name: "answer-400-as-HTML", Must: "login_code_refused", Why: rfc6749e, Instead: typed("text/html", 400, "<h1>Bad Request</h1>")},
	{Name: "answer-403", Must: "login_code_refused", Why: rfc6749e, Instead: said(403, `{}`)},
	{Name: "answer-408", Must: "provider_unavailable", Why: "RFC 9110 15.5.9", Instead: said(408, `{}`)},
	{Name: "answer-429", Must: "provider_unavailable", Why: "RFC 6585 4", Instead: said(429, `{}`)},
	{Name: "answer-500", Must: "provider_unavailable", Why: "RFC 9110 15.6", Instead: said(500, `{"error":"invalid_grant"}`)},
	{Name: "answer-503", Must: "provider_unavailable", Why: "RFC 9110 15.6.4", Instead: said(503, ``)},
	{Name: "answer-301", Must: "provider_unavailable", Why: rfc9700 + " 4.12: no token goes elsewhere", Instead: led(301)},
	{Name: "answer-302", Must: "provider_unavailable", Why: rfc9700 + " 4.12", Instead: led(302)},
	{Name: "answer-307", Must: "provider_unavailable", Why: rfc9700 + " 4.12: a form would go along", Instead: led(307)},
	{Name: "answer-308", Must: "provider_unavailable", Why: rfc9700 + " 4.12: a form would go along", Instead: led(308)},
	{Name: "answer-after-103", Why: "RFC 8297", Instead: hinted},
	{Name: "answer-drips", Must: "provider_unavailable", Why: own + ": nobody waits longer than the gateway", Instead: drip},
	{Name: "answer-endless", Must: "provider_unavailable", Why: own + ": no answer is that long", Instead: endless},
	{Name: "answer-gzip-bomb", Must: "provider_unavailable", Why: own + ": no answer is that long", Instead: bomb},
	{Name: "answer-cut-off", Must: "provider_unavailable", Why: "RFC 9112 8", Instead: cut},
	{Name: "answer-hangs-up", Must: "provider_unavailable", Why: "RFC 9112 8", Instead: hangUp},
}

// failed sends the browser back with an error, and with or without its state.
func failed(code string, state bool) func(*Provider, url.Values) {
	return func(_ *Provider, q url.Values) {
		q.Del("code")
		q.Set("error", code)
		q.Set("error_description", "<script>alert(1)</script>")
		if !state {
			q.Del("state")
		}
	}
}

// back changes one parameter of the way back.
func back(name string, change func(string) string) func(*Provider, url.Values) {
	return func(_ *Provider, q url.Values) { q.Set(name, change(q.Get(name))) }
}

var returns = concat(
	errorsOf("access_denied", "invalid_request", "unauthorized_client", "unsupported_response_type", "invalid_scope", "server_error",
		"temporarily_unavailable", "login_required", "interaction_required", "consent_required", "account_selection_required", "request_not_supported"),
	[]Lie{
		{Name: "back-error-no-word", Must: "login_refused", Why: "RFC 6749 4.1.2.1", Back: failed("</script>", true)},
		{Name: "back-error-and-code", Must: "login_refused", Why: "RFC 6749 4.1.2.1", Back: func(_ *Provider, q url.Values) { q.Set("error", "server_error") }},
		{Name: "back-without-state", Must: "login_state_missing", Why: "RFC 6749 4.1.2: required", Back: func(_ *Provider, q url.Values) { q.Del("state") }},
		{Name: "back-state-changed", Must: "login_state_invalid", Why: rfc9700 + " 4.7", Back: back("state", func(s string) string { return "A" + s[1:] + "A" })},
		{Name: "back-state-short", Must: "login_state_invalid", Why: rfc9700 + " 4.7", Back: back("state", func(s string) string { return s[:43] })},
		{Name: "back-state-twice", Must: "login_state_invalid", Why: "RFC 6749 3.1: once", Back: func(_ *Provider, q url.Values) { q.Add("state", q.Get("state")) }},
		{Name: "back-code-twice", Must: "login_state_invalid", Why: "RFC 6749 3.1: once", Back: func(_ *Provider, q url.Values) { q.Add("code", q.Get("code")) }},
		{Name: "back-code-empty", Must: "login_state_invalid", Why: "RFC 6749 4.1.2: required", Back: back("code", func(string) string { return "" })},
		{Name: "back-code-unknown", Must: "login_code_refused", Why: "RFC 6749 5.2", Back: back("code", func(string) string { return "unknown" })},
		{Name: "back-code-of-8-kilobytes", Must: "login_state_invalid", Why: own + ": no code is that long", Back: back("code", func(string) string { return strings.Repeat("c", 5000) })},
		{Name: "back-code-with-line-break", Must: "login_state_invalid", Why: "RFC 6749 A.11: visible characters", Back: back("code", func(s string) string { return s + "\r\nX: y" })},
		{Name: "back-iss-ours", Why: rfc9207, Back: func(p *Provider, q url.Values) { q.Set("iss", p.config.Issuer) }},
		{Name: "back-iss-other", Must: "login_state_invalid", Why: rfc9207 + ": mix-up", Back: func(_ *Provider, q url.Values) { q.Set("iss", "https://other.example") }},
		{Name: "back-iss-empty", Must: "login_state_invalid", Why: rfc9207, Back: func(_ *Provider, q url.Values) { q.Set("iss", "") }},
		{Name: "back-iss-other-with-error", Must: "login_state_invalid", Why: rfc9207 + ": errors too", Back: func(p *Provider, q url.Values) {
			failed("access_denied", true)(p, q)
			q.Set("iss", "https://other.example")
		}},
		{Name: "back-session_state", Why: "RFC 6749 4.1.2: unknown parameters are ignored", Back: func(_ *Provider, q url.Values) { q.Set("session_state", "x") }},
		{Name: "back-in-the-fragment", Must: "login_state_missing", Why: "OAuth 2.0 Multiple Response Types 2.1: a code comes in the query", Return: func(w http.ResponseWriter, to string, q url.Values) {
			w.Header().Set("Location", to+"#"+q.Encode())
			w.WriteHeader(http.StatusFound)
		}},
		{Name: "back-with-tokens", Must: "login_state_invalid", Why: rfc9700 + " 2.1.2: no token comes by the browser", Back: func(p *Provider, q url.Values) {
			q.Del("code")
			q.Set("id_token", "a.b.c")
			q.Set("access_token", "x")
		}},
		{Name: "injected-code", Must: "token_nonce", Blind: true, Why: rfc9700 + " 4.5: where PKCE is not looked at, the nonce still tells", Back: func(p *Provider, q url.Values) {
			g := p.codes[q.Get("code")]
			g.nonce = "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB" // of the login in which the code was stolen
		}},
		{Name: "swapped-code", Must: "login_code_refused", Why: rfc9700 + " 4.5: the verifier is another's", Back: func(p *Provider, q url.Values) {
			p.codes[q.Get("code")].challenge = b64(make([]byte, 32))
			p.forgive = true
		}},
	})

// errorsOf is every error of RFC 6749 section 4.1.2.1 and OpenID Connect Core section 3.1.2.6, with a state and without.
func errorsOf(codes ...string) (all []Lie) {
	for _, code := range codes {
		all = append(all,
			Lie{Name: "back-" + code, Must: "login_refused", Why: "RFC 6749 4.1.2.1, Core 3.1.2.6", Back: failed(code, true)},
			Lie{Name: "back-" + code + "-without-state", Must: "login_refused", Why: "RFC 6749 4.1.2.1; nothing of it is shown", Back: failed(code, false)})
	}
	return all
}

// among adds keys before the good ones.
func among(keys ...map[string]any) func(*Provider, []map[string]any) []map[string]any {
	return func(_ *Provider, set []map[string]any) []map[string]any { return append(keys, set...) }
}

// each changes every key.
func each(change func(k map[string]any)) func(*Provider, []map[string]any) []map[string]any {
	return func(_ *Provider, set []map[string]any) []map[string]any {
		for _, k := range set {
			change(k)
		}
		return set
	}
}

var keySets = fresh([]Lie{
	{Name: "keys-none", Must: "keys_unavailable", Why: rfc7517, Keys: func(*Provider, []map[string]any) []map[string]any { return []map[string]any{} }},
	{Name: "keys-with-a-stranger", Why: rfc7517 + ": unknown kinds are passed over", Keys: among(map[string]any{"kty": "ML-DSA", "kid": "future", "x": "AAAA"})},
	{Name: "keys-with-a-broken-one", Why: rfc7517, Keys: among(map[string]any{"kty": "RSA", "kid": "broken", "n": "!", "e": "AQAB", "alg": "RS256", "use": "sig"})},
	{Name: "keys-with-an-elliptic-one", Why: rfc7517, Keys: func(_ *Provider, set []map[string]any) []map[string]any { return append(set, curvePublic("curve")) }},
	{Name: "keys-without-kid", Must: "keys_unavailable", Why: own + ": Cognito names its keys always", Suite: "oidcc-client-test-kid-absent-multiple-jwks", Keys: each(func(k map[string]any) { delete(k, "kid") })},
	{Name: "keys-for-encryption", Must: "keys_unavailable", Why: "RFC 7517 4.2", Keys: each(func(k map[string]any) { k["use"] = "enc" })},
	{Name: "keys-for-another-algorithm", Must: "keys_unavailable", Why: rfc8725 + " 3.1", Keys: each(func(k map[string]any) { k["alg"] = "RS512" })},
	{Name: "keys-with-exponent-1", Must: "keys_unavailable", Why: rfc7518 + ": anybody could sign", Keys: each(func(k map[string]any) { k["e"] = "AQ" })},
	{Name: "keys-with-even-exponent", Must: "keys_unavailable", Why: "RFC 8017 3.1", Keys: each(func(k map[string]any) { k["e"] = "BA" })},
	{Name: "keys-of-1024-bits", Must: "token_unknown_key", Why: rfc7518 + ": 2048 bits", Keys: func(_ *Provider, set []map[string]any) []map[string]any { return append(set, weak().public()) }, Header: func(_ *Provider, h map[string]any) { h["kid"] = "weak" }, Sign: func(_ *Provider, in string) []byte { return weakSignature(in) }},
	{Name: "keys-of-one-name", Must: "keys_unavailable", Why: "RFC 7517 4.5: names should be distinct", Keys: each(func(k map[string]any) { k["kid"] = "first" })},
	{Name: "keys-as-HTML", Must: "keys_unavailable", Why: rfc7517, KeySet: typed("text/html", 200, "<html>")},
	{Name: "keys-array", Must: "keys_unavailable", Why: rfc7517, KeySet: func(w http.ResponseWriter, _ *http.Request, set map[string]any) {
		_, _ = io.WriteString(w, text(set["keys"]))
	}},
	{Name: "keys-twice", Must: "keys_unavailable", Why: "RFC 7517 5: names are unique", KeySet: func(w http.ResponseWriter, _ *http.Request, set map[string]any) {
		_, _ = io.WriteString(w, strings.Replace(text(set), "{", `{"keys":[],`, 1))
	}},
	{Name: "keys-redirect", Must: "keys_unavailable", Why: own + ": keys come from where the settings say", KeySet: led(302)},
	{Name: "keys-404", Must: "keys_unavailable", Why: own, KeySet: said(404, `{}`)},
	{Name: "keys-503", Must: "keys_unavailable", Why: own, KeySet: said(503, `{}`)},
	{Name: "keys-after-103", Why: "RFC 8297", KeySet: hinted},
	{Name: "keys-drip", Must: "keys_unavailable", Why: own, KeySet: drip},
	{Name: "keys-endless", Must: "keys_unavailable", Why: own, KeySet: endless},
	{Name: "keys-gzip-bomb", Must: "keys_unavailable", Why: own, KeySet: bomb},
	{Name: "keys-cut-off", Must: "keys_unavailable", Why: own, KeySet: cut},
	{Name: "keys-hang-up", Must: "keys_unavailable", Why: own, KeySet: hangUp},
	{Name: "keys-in-UTF-16", Must: "keys_unavailable", Why: "RFC 8259 8.1", KeySet: func(w http.ResponseWriter, _ *http.Request, set map[string]any) {
		_, _ = io.WriteString(w, utf16Text(text(set)))
	}},
	{Name: "keys-as-text", Must: "keys_unavailable", Why: "RFC 7517 8.5: application/jwk-set+json, or application/json", KeySet: func(w http.ResponseWriter, _ *http.Request, set map[string]any) {
		w.Header().Set("Content-Type", "text/plain")
		_, _ = io.WriteString(w, text(set))
	}},
})

func fresh(all []Lie) []Lie {
	for i := range all {
		all[i].Fresh = true
	}
	return all
}

var rotations = fresh([]Lie{
	{Name: "rotation-before-signing", Why: "OpenID Connect Core 10.1.1", Suite: "oidcc-client-test-signing-key-rotation-just-before-signing", Before: func(p *Provider) { p.rotate(true, true) }},
	{Name: "rotation-before-signing-old-gone", Why: "OpenID Connect Core 10.1.1", Suite: "oidcc-client-test-signing-key-rotation", Before: func(p *Provider) { p.rotate(true, false) }},
	{Name: "rotation-unpublished", Must: "token_unknown_key", Why: core3137 + " (6)", Before: func(p *Provider) { p.rotate(false, true) }},
	{Name: "rotation-by-the-authorization", Why: "OpenID Connect Core 10.1.1", Suite: "oidcc-client-test-signing-key-rotation", Back: func(p *Provider, _ url.Values) { p.rotate(true, true) }},
	{Name: "rotation-at-the-renewal", Renewal: true, Why: "OpenID Connect Core 10.1.1", Before: func(p *Provider) { p.rotate(true, true) }},
	{Name: "rotation-at-the-renewal-old-gone", Renewal: true, Why: "OpenID Connect Core 10.1.1", Before: func(p *Provider) { p.rotate(true, false) }},
})

var renewals = renewing([]Lie{
	{Name: "renewed-by-another-sub", Must: "session_changed", Ends: true, Why: core122 + ": the same sub", Suite: "oidcc-client-test-refresh-token-invalid-sub", Claims: set("sub", "mallory")},
	{Name: "renewed-by-another-iss", Must: "token_issuer", Ends: true, Why: core122 + ": the same iss", Suite: "oidcc-client-test-refresh-token-invalid-issuer", Claims: set("iss", "https://other.example")},
	{Name: "renewed-for-another-aud", Must: "token_audience", Ends: true, Why: core122 + ": the same aud", Claims: set("aud", "someone-else")},
	{Name: "renewed-with-another-nonce", Must: "token_nonce", Ends: true, Why: core122 + ": the same nonce, or none", Claims: set("nonce", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")},
	{Name: "renewed-with-the-nonce", Why: core122, Claims: func(map[string]any) {}},
	{Name: "renewed-without-nonce", Why: core122 + ": should hold none", Claims: drop("nonce")},
	{Name: "renewed-with-later-auth_time", Why: "amazon-cognito: rotation may move it; nobody is signed out by that", Claims: later("auth_time", 0)},
	{Name: "renewed-unsigned", Must: "token_algorithm", Ends: true, Why: core3137 + " (7)", Header: alg("none"), Sign: unsigned},
	{Name: "renewed-by-the-forger", Must: "token_signature", Ends: true, Why: core3137 + " (6)", Sign: forged},
	{Name: "renewed-and-expired", Must: "provider_unavailable", Why: core3137 + " (9); clocks may differ for a while, so nothing ends", Claims: later("exp", -60)},
	{Name: "renewed-with-old-iat", Must: "token_claims", Ends: true, Why: core122 + ": iat is the time of this token", Claims: later("iat", -3600)},
	{Name: "renewed-with-wrong-at_hash", Must: "token_access_hash", Ends: true, Why: "OpenID Connect Core 3.1.3.8", Claims: set("at_hash", "AAAAAAAAAAAAAAAAAAAAAA")},
	{Name: "renewed-as-access-token", Must: "token_use", Ends: true, Why: cognito, Claims: set("token_use", "access")},
	{Name: "renewed-without-id_token", Must: "provider_unavailable", Why: core122 + ": may be left out; then there is no session to give", Instead: without("id_token")},
	{Name: "renewed-with-empty-refresh_token", Why: "RFC 6749 6: the old one stays good", Instead: but("refresh_token", "")},
	{Name: "renewed-as-HTML", Must: "provider_unavailable", Why: rfc6749, Instead: rewritten("text/html", same)},
	{Name: "renewed-with-mac", Must: "provider_unavailable", Why: rfc6749, Instead: but("token_type", "mac")},
	{Name: "renewal-invalid_grant", Must: "session_ended", Why: rfc6749e + "; another tab may have renewed", Instead: said(400, `{"error":"invalid_grant"}`)},
	{Name: "renewal-invalid_client", Must: "config_unavailable", Why: rfc6749e, Instead: said(401, `{"error":"invalid_client"}`)},
	{Name: "renewal-400", Must: "provider_unavailable", Why: rfc6749e + ": not a definite no", Instead: said(400, `{"error":"temporarily_unavailable"}`)},
	{Name: "renewal-429", Must: "provider_unavailable", Why: "RFC 6585 4", Instead: said(429, `{}`)},
	{Name: "renewal-500", Must: "provider_unavailable", Why: "RFC 9110 15.6", Instead: said(500, `{}`)},
	{Name: "renewal-307", Must: "provider_unavailable", Why: rfc9700 + " 4.12", Instead: led(307)},
	{Name: "renewal-drips", Must: "provider_unavailable", Why: own, Instead: drip},
	{Name: "renewal-endless", Must: "provider_unavailable", Why: own, Instead: endless},
	{Name: "renewal-hangs-up", Must: "provider_unavailable", Why: own, Instead: hangUp},
})

func renewing(all []Lie) []Lie {
	for i := range all {
		all[i].Renewal = true
	}
	return all
}

// Whatever the revocation endpoint says, whoever signs out is signed out here.
var revocations = revoking([]Lie{
	{Name: "revocation-unsupported", Instead: said(400, `{"error":"unsupported_token_type"}`)},
	{Name: "revocation-invalid_client", Instead: said(401, `{"error":"invalid_client"}`)},
	{Name: "revocation-503", Instead: said(503, ``)},
	{Name: "revocation-redirect", Instead: led(307)},
	{Name: "revocation-drips", Instead: drip},
	{Name: "revocation-endless", Instead: endless},
	{Name: "revocation-hangs-up", Instead: hangUp},
})

func revoking(all []Lie) []Lie {
	for i := range all {
		all[i].Revocation, all[i].Why = true, rfc7009+"; the browser is signed out whatever happens"
	}
	return all
}
