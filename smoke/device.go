package smoke

// This file asks whether API Gateway passes the headers of Device Bound Session Credentials, both ways, by binding a session as a browser does.
// https://w3c.github.io/webappsec-dbsc/

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
)

var (
	offered    = regexp.MustCompile(`challenge="([^"]*)"`)
	challenged = regexp.MustCompile(`^"([^"]*)"`)
)

func (t Target) askDevice(ctx context.Context, r *report) {
	const question = "Secure-Session-* headers"
	b := newBrowser(t, http1)
	if _, err := b.signIn(ctx); err != nil {
		r.unknown(question, "%v", err)
		return
	}
	b.leave(b.base)
	a, err := b.navigate(ctx, b.to("/auth/device"))
	offer := offered.FindStringSubmatch(a.header.Get("Secure-Session-Registration"))
	if err != nil || offer == nil {
		r.unknown(question, "no session is bound here: DeviceBinding is off, there is no TLS, or the header of the offer does not pass")
		return
	}
	r.pass(true, "a browser is offered to bind its session", "")
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		r.unknown(question, "%v", err)
		return
	}
	device := func(headers ...string) (answer, error) {
		return b.send(ctx, http.MethodPost, b.to("/auth/device"), nil, append([]string{"Origin", b.origin, "Sec-Fetch-Site", "same-origin"}, headers...)...)
	}
	a, ok := r.wants(200, "a browser's Secure-Session-Response reaches the callback")(device("Secure-Session-Response", proof(key, offer[1], true)))
	var session struct {
		ID string `json:"session_identifier"`
	}
	if !ok || !r.pass(json.Unmarshal([]byte(a.body), &session) == nil && session.ID != "", "which binds the session", "%s", a.body) {
		return
	}
	a, ok = r.wants(403, "so does its Sec-Secure-Session-Id")(device("Sec-Secure-Session-Id", `"`+session.ID+`"`))
	challenge := challenged.FindStringSubmatch(a.header.Get("Secure-Session-Challenge"))
	if !ok || !r.pass(challenge != nil, "the Secure-Session-Challenge reaches the browser", "%v", a.header) {
		return
	}
	r.wants(200, "a proof renews the session")(device("Sec-Secure-Session-Id", `"`+session.ID+`"`, "Secure-Session-Response", proof(key, challenge[1], false)))
	var copied []string
	for pair := range strings.SplitSeq(b.everything(), "; ") {
		if !strings.HasPrefix(pair, "__Host-id") {
			copied = append(copied, pair)
		}
	}
	a, _ = r.wants(401, "copied cookies do not")(b.program(ctx, http.MethodPost, "/auth/refresh", "Cookie", strings.Join(copied, "; ")))
	r.pass(strings.Contains(a.body, "device_proof_missing"), "for want of a proof", "%s", a.body)
}

// proof is a JWT that signs a challenge; at a registration the key goes along.
func proof(key *ecdsa.PrivateKey, challenge string, registration bool) string {
	encode := base64.RawURLEncoding.EncodeToString
	header := map[string]any{"typ": "dbsc+jwt", "alg": "ES256"}
	if point, err := key.PublicKey.Bytes(); err == nil && registration {
		header["jwk"] = map[string]string{"kty": "EC", "crv": "P-256", "x": encode(point[1:33]), "y": encode(point[33:])}
	}
	head, _ := json.Marshal(header)
	payload, _ := json.Marshal(map[string]string{"jti": challenge})
	text := encode(head) + "." + encode(payload)
	sum := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
	if err != nil {
		return ""
	}
	return text + "." + encode(append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...))
}
