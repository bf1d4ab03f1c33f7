package login_test

// This file holds bound sessions to their device: the browser here keeps a key, registers it, and
// renews as browsers do that bind sessions; thieves have its cookies and not its key.

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"edgeauth/internal/device"
	"edgeauth/internal/token/tokentest"
)

const deviceURL = base + "/auth/device"

// device is what a browser keeps of a bound session.
type boundTo struct {
	key *ecdsa.PrivateKey
	id  string // "": not registered
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

var b64 = base64.RawURLEncoding.EncodeToString

// proof signs a challenge; at a registration, the key goes along.
func proof(t *testing.T, key *ecdsa.PrivateKey, challenge string, registration bool) string {
	t.Helper()
	header := `{"alg":"ES256","typ":"dbsc+jwt"}`
	if registration {
		point, err := key.PublicKey.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		header = `{"alg":"ES256","jwk":{"crv":"P-256","kty":"EC","x":"` + b64(point[1:33]) + `","y":"` + b64(point[33:]) + `"},"typ":"dbsc+jwt"}`
	}
	text := b64([]byte(header)) + "." + b64([]byte(`{"jti":"`+challenge+`"}`))
	sum := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + b64(append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...))
}

var (
	registration = regexp.MustCompile(`^\(ES256\);path="` + deviceURL + `";challenge="([A-Za-z0-9_-]{32})"$`)
	asked        = regexp.MustCompile(`^"([A-Za-z0-9_-]{32})";id="([A-Za-z0-9_-]{43})"$`)
)

// offer returns the challenge that an answer offers to register with, "" for none.
func offer(t *testing.T, res *http.Response) string {
	t.Helper()
	line := res.Header.Get("Secure-Session-Registration")
	m := registration.FindStringSubmatch(line)
	if line != "" && m == nil {
		t.Fatalf("registration %q", line)
	}
	if m == nil {
		return ""
	}
	return m[1]
}

// ask returns the challenge of a 403, and for which session it is.
func ask(t *testing.T, res *http.Response) (challenge, id string) {
	t.Helper()
	m := asked.FindStringSubmatch(res.Header.Get("Secure-Session-Challenge"))
	if m == nil {
		t.Fatalf("%d without a challenge: %q", res.StatusCode, res.Header.Get("Secure-Session-Challenge"))
	}
	return m[1], m[2]
}

// asDevice are the headers that Chromium sends of its own accord.
func asDevice(more ...string) []string {
	return append([]string{"Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "empty", "Sec-Fetch-Site", "same-origin", "Origin", "https://" + host}, more...)
}

// post sends what a browser sends to the device's address.
func (b *browser) post(headers ...string) *http.Response {
	return b.send("POST", deviceURL, asDevice(headers...)...)
}

// enrol goes from the sign-in by the page of ours that offers to register, and returns the challenge.
func (b *browser) enrol() string {
	b.w.t.Helper()
	res := b.open(deviceURL+"?return_to="+url.QueryEscape(base+"/"), "Sec-Fetch-Site", "same-origin")
	b.w.wants(res, 302, "ok")
	challenge := offer(b.w.t, res)
	if challenge == "" || res.Header.Get("Location") != base+"/" {
		b.w.t.Fatalf("nothing is offered on the way to %q", res.Header.Get("Location"))
	}
	return challenge
}

// bind signs a user in and registers.
func (b *browser) bind(user string) *boundTo {
	b.w.t.Helper()
	b.signIn(user, base+"/")
	d := &boundTo{key: newKey(b.w.t)}
	res := b.post("Secure-Session-Response", proof(b.w.t, d.key, b.enrol(), true))
	b.w.wants(res, 200, "ok")
	b.take(res)
	d.id = told(b.w.t, res).ID
	return d
}

// told is what a browser is told of a bound session.
type instructions struct {
	ID          string `json:"session_identifier"`
	RefreshURL  string `json:"refresh_url"`
	Scope       any    `json:"scope"`
	Credentials any    `json:"credentials"`
}

func told(t *testing.T, res *http.Response) (i instructions) {
	t.Helper()
	if err := json.Unmarshal([]byte(body(res)), &i); err != nil || i.ID == "" {
		t.Fatalf("%d: %v in %s", res.StatusCode, err, body(res))
	}
	return i
}

// prove renews as a browser does: asks for a challenge, and signs it.
func (b *browser) prove(d *boundTo) *http.Response {
	b.w.t.Helper()
	res := b.post("Sec-Secure-Session-Id", `"`+d.id+`"`)
	if res.StatusCode != 403 {
		return res
	}
	b.take(res)
	challenge, id := ask(b.w.t, res)
	if id != d.id {
		b.w.t.Fatalf("asked for session %q", id)
	}
	res = b.post("Sec-Secure-Session-Id", d.id, "Secure-Session-Response", proof(b.w.t, d.key, challenge, false))
	b.take(res)
	return res
}

// TestDeviceRegistersAndRenews walks the whole way, and holds each answer to the protocol's letter.
func TestDeviceRegistersAndRenews(t *testing.T) {
	w := newSystem(t)
	b := w.browser()
	d := b.bind("alice")
	w.expire()
	res := b.post("Sec-Secure-Session-Id", d.id)
	w.wants(res, 403, "device_challenged")
	if len(res.Header.Values("Set-Cookie")) != 0 {
		t.Error("a challenge sets cookies")
	}
	res = b.prove(d)
	w.wants(res, 200, "ok")
	want := `{"session_identifier":"` + d.id + `","refresh_url":"/Prod/auth/device","scope":{"include_site":false,"scope_specification":[` +
		`{"type":"exclude","domain":"*","path":"/Prod/auth"},{"type":"include","domain":"*","path":"/Prod/auth/login"},` +
		`{"type":"include","domain":"*","path":"/Prod/auth/session"},{"type":"include","domain":"*","path":"/Prod/auth/refresh"}]},` +
		`"credentials":[{"type":"cookie","name":"__Host-id","attributes":"Path=/; HttpOnly; Secure; SameSite=Lax"}]}`
	if got := strings.TrimSpace(body(res)); got != want || res.Header.Get("Content-Type") != "application/json" {
		t.Errorf("told %s\nwant %s", got, want)
	}
	for _, line := range res.Header.Values("Set-Cookie") {
		if rest, found := strings.CutPrefix(line, "__Host-id="); found {
			_, attributes, _ := strings.Cut(rest, "; ")
			if got := regexp.MustCompile(`Max-Age=\d+; `).ReplaceAllString(attributes, ""); got != "Path=/; HttpOnly; Secure; SameSite=Lax" {
				t.Errorf("the cookie's attributes are %q", got)
			}
		}
	}
	if b.who() != "alice" {
		t.Error("not signed in")
	}
	if text := b.value("__Secure-refresh"); strings.Contains(text, d.id) {
		t.Error("the session's name is no secret, but has no business there")
	}
	res = b.call("GET", base+"/auth/session")
	if got := body(res); !strings.Contains(got, `"refreshable":true,"bound":true,`) {
		t.Errorf("scripts are told %s", got)
	}
}

// TestDeviceIsOffered says on which answers: those whose request a page of ours has sent, so that the
// browser's registration comes with its cookies.
func TestDeviceIsOffered(t *testing.T) {
	chromium := []string{"Sec-CH-UA", `"Not:A-Brand";v="8", "Chromium";v="156"`, "Sec-CH-UA-Mobile", "?0"}
	callback := func(w *system, b *browser, headers ...string) *http.Response {
		return b.open(w.idp.authorize(t, b.begin(base+"/a?b=c"), "alice"), headers...)
	}
	const hop = "/Prod/auth/device?return_to=%2FProd%2Fa%3Fb%3Dc"
	for _, row := range []struct {
		name    string
		policy  device.Policy
		headers []string // of the callback
		offered bool
		to      string
	}{
		{"a sign-in on the same site", "", []string{"Sec-Fetch-Site", "same-site"}, true, "/Prod/a?b=c"},
		{"remembered there, without a question", "", []string{"Sec-Fetch-Site", "same-origin"}, true, "/Prod/a?b=c"},
		{"a sign-in on another site, Chromium", "", chromium, false, hop},
		{"the same, where it is required", device.Require, chromium, false, hop},
		{"the same, where nobody binds", device.Off, chromium, false, "/Prod/a?b=c"},
		{"on the same site, where nobody binds", device.Off, []string{"Sec-Fetch-Site", "same-site"}, false, "/Prod/a?b=c"},
		{"a telephone", "", []string{chromium[0], chromium[1], "Sec-CH-UA-Mobile", "?1"}, false, "/Prod/a?b=c"},
		{"Firefox", "", nil, false, "/Prod/a?b=c"},
		{"a browser that says nothing", "", []string{"Sec-Fetch-Site", "", "Sec-Fetch-Mode", "", "Sec-Fetch-Dest", ""}, false, "/Prod/a?b=c"},
		{"in a frame", "", append([]string{"Sec-Fetch-Dest", "iframe"}, chromium...), false, "/Prod/a?b=c"},
	} {
		w := newSystem(t)
		w.provider.Devices = row.policy
		b := w.browser()
		res := callback(w, b, row.headers...)
		to := res.Header.Get("Location")
		if m := regexp.MustCompile(`content="0; url=([^"]*)"`).FindStringSubmatch(body(res)); m != nil && res.StatusCode == 200 {
			to = m[1]
		}
		if (offer(t, res) != "") != row.offered || to != row.to {
			t.Errorf("%s: offered %q, led to %q", row.name, res.Header.Get("Secure-Session-Registration"), to)
		}
		if b.who() != "alice" {
			t.Errorf("%s: not signed in", row.name)
		}
	}

	w := newSystem(t)
	b := w.browser()
	b.signIn("alice", base+"/")
	if offer(t, b.open(deviceURL)) != "" { // asNavigation comes from another site
		t.Error("offered to another site's link")
	}
	for _, renew := range []func() *http.Response{
		func() *http.Response { return b.call("POST", base+"/auth/refresh") },
		func() *http.Response { return b.open(base+"/auth/login", "Sec-Fetch-Site", "same-origin") },
	} {
		w.expire()
		if offer(t, renew()) == "" {
			t.Errorf("a renewal offers nothing: %v", w.last())
		}
	}
	w.idp.site = "http://app.example.com/Prod"
	w.provider.BaseURLs = []string{w.idp.site}
	b = w.browser()
	if res := callback(w, b, "Sec-Fetch-Site", "same-site"); offer(t, res) != "" || b.who() != "alice" {
		t.Error("offered without TLS")
	}
	w = newSystem(t)
	b = w.browser()
	b.bind("alice")
	if offer(t, b.open(deviceURL, "Sec-Fetch-Site", "same-origin")) != "" {
		t.Error("offered to bind a session that is bound")
	}
	if offer(t, w.browser().open(deviceURL, "Sec-Fetch-Site", "same-origin")) != "" {
		t.Error("offered to bind no session")
	}
}

// TestDeviceHop: the page on the way leads where the sign-in would have led, fragment included, and
// nowhere else.
func TestDeviceHop(t *testing.T) {
	w := newSystem(t)
	b := w.browser()
	b.signIn("alice", base+"/")
	for target, want := range map[string]string{
		"/Prod/a?b=c%2Fd":      "/Prod/a?b=c%2Fd",
		"//evil.example":       "/Prod/",
		"https://evil.example": "/Prod/",
		"":                     "/Prod/",
	} {
		if got := b.open(deviceURL + "?return_to=" + url.QueryEscape(target)).Header.Get("Location"); got != want {
			t.Errorf("%q leads to %q", target, got)
		}
	}
	w.wants(b.open(deviceURL+"?return_to=a&return_to=b"), 400, "bad_request")
	w.wants(b.call("GET", deviceURL), 400, "bad_request")
	b = w.browser()
	to := b.begin(base + "/a#part")
	res := b.open(w.idp.authorize(t, to, "alice"), "Sec-CH-UA", `"Chromium";v="156"`, "Sec-CH-UA-Mobile", "?0")
	if !strings.Contains(body(res), `content="0; url=/Prod/auth/device?return_to=%2FProd%2Fa#part"`) {
		t.Errorf("%d %s", res.StatusCode, body(res))
	}
}

// TestDeviceStolenCookies: what was copied from a bound browser renews nothing, in whatever way, and
// the owner notices nothing of it.
func TestDeviceStolenCookies(t *testing.T) {
	for _, policy := range []device.Policy{device.Offer, device.Require, device.Off} {
		w := newSystem(t)
		b := w.browser()
		d := b.bind("alice")
		w.provider.Devices = policy // from now on
		thief := b.fork()
		if thief.who() != "alice" {
			t.Fatal("until it ends, a copied session works: this is no protection of minutes")
		}
		w.wants(thief.call("POST", base+"/auth/refresh"), 204, "ok") // and is not prolonged
		w.expire()
		calls := w.idp.count()
		suspicious := func(what string, res *http.Response, status int, reason string) {
			t.Helper()
			w.wants(res, status, reason)
			if w.last()["DeviceRefused"] != 1.0 || w.last()["_aws"] == nil {
				t.Errorf("%s, %s: no metric", policy, what)
			}
			if lines := res.Header.Values("Set-Cookie"); len(lines) != 0 {
				t.Errorf("%s, %s: %q", policy, what, lines)
			}
		}
		suspicious("by script", thief.call("POST", base+"/auth/refresh"), 401, "device_proof_missing")
		if got := body(thief.call("GET", base+"/auth/session")); strings.Contains(got, "refreshable") {
			t.Errorf("told %s", got)
		}
		to := next(t, thief.open(base+"/auth/login", "Sec-Fetch-Site", "none"))
		if !strings.HasPrefix(to, w.idp.url) || w.last()["renewal"] != "device_proof_missing" || w.last()["DeviceRefused"] != 1.0 {
			t.Errorf("%s: a navigation leads to %s, %v", policy, to, w.last())
		}
		own := newKey(t)
		challenge, _ := ask(t, thief.post("Sec-Secure-Session-Id", d.id))
		suspicious("by another key", thief.post("Sec-Secure-Session-Id", d.id, "Secure-Session-Response", proof(t, own, challenge, false)), 401, "device_proof_invalid")
		suspicious("by another key, sent along", thief.post("Sec-Secure-Session-Id", d.id, "Secure-Session-Response", proof(t, own, challenge, true)), 401, "device_proof_invalid")
		suspicious("by nonsense", thief.post("Sec-Secure-Session-Id", d.id, "Secure-Session-Response", "a.b.c"), 401, "device_proof_invalid")
		res := thief.post("Secure-Session-Response", proof(t, own, challenge, true))
		if policy == device.Off {
			w.wants(res, 404, "not_found")
		} else {
			suspicious("by a second registration", res, 401, "device_proof_invalid")
		}
		if thief.who() != "" || w.idp.count() != calls {
			t.Errorf("%s: the thief is %q after %d calls", policy, thief.who(), w.idp.count()-calls)
		}
		w.wants(b.prove(d), 200, "ok")
		if b.who() != "alice" {
			t.Errorf("%s: the owner is not signed in", policy)
		}
	}
}

// TestDeviceDowngrade: whoever leaves the refresh cookie away, or puts an older one in its place, has
// nothing, or what that one was worth.
func TestDeviceDowngrade(t *testing.T) {
	w := newSystem(t)
	w.idp.rotation = true
	b := w.browser()
	b.signIn("alice", base+"/")
	early := b.fork() // copied between the sign-in and the registration
	d := &boundTo{key: newKey(t)}
	res := b.post("Secure-Session-Response", proof(t, d.key, b.enrol(), true))
	w.wants(res, 200, "ok")
	b.take(res)
	d.id = told(t, res).ID

	thief := b.fork()
	delete(thief.jar, base+"/auth __Secure-refresh")
	w.expire()
	w.wants(thief.call("POST", base+"/auth/refresh"), 401, "no_session")
	w.wants(thief.post("Sec-Secure-Session-Id", d.id), 401, "no_session")
	w.wants(early.call("POST", base+"/auth/refresh"), 401, "session_ended") // rotation has closed that window
	w.wants(early.post("Sec-Secure-Session-Id", d.id), 401, "session_changed")
	w.wants(b.prove(d), 200, "ok")
}

// TestDeviceRegistrationIsOnce: a registration needs the challenge of this very sign-in, at once.
func TestDeviceRegistrationIsOnce(t *testing.T) {
	w := newSystem(t)
	b, other := w.browser(), w.browser()
	b.signIn("alice", base+"/")
	other.signIn("alice", base+"/")
	key := newKey(t)
	challenge, foreign := b.enrol(), other.enrol()
	w.wants(b.post("Secure-Session-Response", proof(t, key, foreign, true)), 403, "device_challenged")
	w.wants(b.post("Secure-Session-Response", proof(t, key, "made-up", true)), 403, "device_challenged")
	w.wants(b.post("Secure-Session-Response", proof(t, key, challenge, false)), 401, "device_proof_invalid")
	w.wants(b.post(), 400, "bad_request")
	w.wants(w.browser().post("Secure-Session-Response", proof(t, key, challenge, true)), 401, "no_session")
	w.Advance(2 * time.Minute)
	w.wants(b.post("Secure-Session-Response", proof(t, key, challenge, true)), 403, "device_challenged")
	w.provider.Devices = device.Off
	w.wants(b.post("Secure-Session-Response", proof(t, key, challenge, true)), 404, "not_found")
	w.provider.Devices = device.Offer
	challenge = b.enrol()
	res := b.post("Secure-Session-Response", proof(t, key, challenge, true))
	w.wants(res, 200, "ok")
	b.take(res)
	w.wants(b.post("Secure-Session-Response", proof(t, key, challenge, true)), 401, "device_proof_invalid")
}

// TestDeviceProofIsForOneSession: a challenge that is old, or made for something else, or a proof for
// another session of the same machine, leads to a new challenge and to nothing more.
func TestDeviceProofIsForOneSession(t *testing.T) {
	w := newSystem(t)
	b, other := w.browser(), w.browser()
	d, foreign := b.bind("alice"), other.bind("alice")
	if d.id == foreign.id {
		t.Fatal("two sessions of one name")
	}
	challenge, _ := ask(t, b.post("Sec-Secure-Session-Id", d.id))
	others, _ := ask(t, other.post("Sec-Secure-Session-Id", foreign.id))
	registering := w.browser()
	registering.signIn("alice", base+"/")
	calls := w.idp.count()
	for name, c := range map[string]string{"another session's": others, "a registration's": registering.enrol(), "made up": "AAAA"} {
		res := b.post("Sec-Secure-Session-Id", d.id, "Secure-Session-Response", proof(t, d.key, c, false))
		w.wants(res, 403, "device_challenged")
		if fresh, id := ask(t, res); fresh == c || id != d.id {
			t.Errorf("%s: asked again for %q", name, id)
		}
	}
	good := proof(t, d.key, challenge, false)
	w.wants(other.post("Sec-Secure-Session-Id", foreign.id, "Secure-Session-Response", good), 401, "device_proof_invalid")
	w.wants(b.post("Sec-Secure-Session-Id", foreign.id, "Secure-Session-Response", good), 401, "session_changed")
	w.Advance(2 * time.Minute)
	res := b.post("Sec-Secure-Session-Id", d.id, "Secure-Session-Response", good)
	w.wants(res, 403, "device_challenged")
	if w.idp.count() != calls {
		t.Error("the identity provider was asked")
	}
	fresh, _ := ask(t, res)
	w.wants(b.post("Sec-Secure-Session-Id", d.id, "Secure-Session-Response", proof(t, d.key, fresh, false)), 200, "ok")
}

// TestDeviceEnds: what is definite ends the binding, with a 4xx, and says why.
func TestDeviceEnds(t *testing.T) {
	for _, row := range []struct {
		name   string
		happen func(w *system, b *browser)
		reason string
	}{
		{"signed out", func(w *system, b *browser) { w.wants(b.call("POST", base+"/auth/logout"), 200, "ok") }, "no_session"},
		{"revoked", func(w *system, b *browser) {
			w.idp.set(func(p *provider) {
				for _, f := range p.live {
					*f.revoked = true
				}
			})
		}, "session_ended"},
		{"another user in the answer", func(w *system, b *browser) {
			w.idp.set(func(p *provider) { p.claims = tokentest.Claims{"sub": "mallory"} })
		}, "session_changed"},
		{"another issuer", func(w *system, b *browser) {
			w.idp.set(func(p *provider) { p.claims = tokentest.Claims{"iss": "https://evil.example"} })
		}, "token_issuer"},
		{"a limit", func(w *system, b *browser) { w.provider.SessionIdle = time.Hour }, "session_ended"},
		{"somebody else has signed in", func(w *system, b *browser) {
			b.open(w.idp.authorize(w.t, b.begin2(w.t, base+"/"), "bob"))
		}, "session_changed"},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newSystem(t)
			b := w.browser()
			d := b.bind("alice")
			w.expire()
			row.happen(w, b)
			w.wants(b.prove(d), 401, row.reason)
			if row.reason == "no_session" {
				return
			}
			if who := b.who(); row.name == "somebody else has signed in" && who != "bob" || row.name != "somebody else has signed in" && who != "" {
				t.Errorf("signed in as %q", who)
			}
		})
	}
	t.Run("cut", func(t *testing.T) {
		w, table := newCutSystem(t)
		b := w.browser()
		d := b.bind("alice")
		w.Advance(time.Second)
		table.Cut("user alice")
		w.wants(b.prove(d), 401, "session_cut")
		w.expire()
		if to := next(t, b.open(base+"/auth/login", "Sec-Fetch-Site", "none")); !strings.HasPrefix(to, w.idp.url) || !strings.Contains(to, "prompt=login") {
			t.Errorf("led to %s", to)
		}
		w.wants(b.call("GET", base+"/auth/session"), 401, "no_session")
	})
}

func refuseClient(rw http.ResponseWriter, _ *http.Request) bool {
	oauthError(rw, 400, "invalid_client")
	return true
}

// TestDeviceOutage: what is only out of reach is a 5xx and ends nothing; a navigation that the
// browser could not renew before is told so, and not sent to sign in.
func TestDeviceOutage(t *testing.T) {
	for _, row := range []struct {
		name   string
		happen func(w *system)
		mend   func(w *system)
		reason string
	}{
		{
			"the provider", func(w *system) { w.idp.set(func(p *provider) { p.fault = status(503, "away") }) },
			func(w *system) { w.idp.set(func(p *provider) { p.fault = nil }) }, "provider_unavailable",
		},
		{"the keys", func(w *system) { w.keys = errKeys }, func(w *system) { w.keys = nil }, "keys_unavailable"},
		{"the settings", func(w *system) { w.settings = errAny }, func(w *system) { w.settings = nil }, "config_unavailable"},
		{
			"the client's secret", func(w *system) { w.idp.set(func(p *provider) { p.fault = refuseClient }) },
			func(w *system) { w.idp.set(func(p *provider) { p.fault = nil }) }, "config_unavailable",
		},
	} {
		for _, rotation := range []bool{false, true} {
			t.Run(row.name, func(t *testing.T) {
				w := newSystem(t)
				w.idp.rotation = rotation
				b := w.browser()
				d := b.bind("alice")
				w.expire()
				row.happen(w)
				res := b.prove(d)
				if res.StatusCode < 500 || w.last()["reason"] != row.reason {
					t.Fatalf("%d %v", res.StatusCode, w.last())
				}
				skipped := []string{"Secure-Session-Skipped", `server_error;session_identifier="` + d.id + `"`}
				if row.reason != "config_unavailable" {
					w.wants(b.open(base+"/auth/login", skipped...), 503, "device_skipped")
					w.wants(b.call("GET", base+"/auth/session", skipped...), 503, "device_skipped")
					w.wants(b.call("POST", base+"/auth/refresh", skipped...), 503, "device_skipped")
					to := next(t, b.open(base+"/auth/login", "Sec-Fetch-Site", "none", skipped[0], `server_error;session_identifier="other"`))
					if !strings.HasPrefix(to, w.idp.url) {
						t.Errorf("another session's outage leads to %s", to)
					}
				}
				row.mend(w)
				w.wants(b.prove(d), 200, "ok")
				if b.who() != "alice" {
					t.Error("not signed in")
				}
			})
		}
	}
	t.Run("the list of endings", func(t *testing.T) {
		w, table := newCutSystem(t)
		b := w.browser()
		d := b.bind("alice")
		table.Fail(func(*http.Request) error { return errAny })
		w.expire()
		w.wants(b.prove(d), 503, "cuts_unavailable")
	})
	t.Run("at the registration", func(t *testing.T) {
		w := newSystem(t)
		w.idp.rotation = true
		b := w.browser()
		b.signIn("alice", base+"/")
		challenge, key := b.enrol(), newKey(t)
		w.keys = errKeys // after the refresh token was replaced
		res := b.post("Secure-Session-Response", proof(t, key, challenge, true))
		w.wants(res, 503, "keys_unavailable")
		b.take(res)
		w.keys = nil
		w.Advance(time.Minute)
		w.wants(b.call("POST", base+"/auth/refresh"), 204, "ok") // not bound, and not lost
	})
}

// TestDeviceLinkFromElsewhere: for a link on another site's page the browser renews nothing, so the
// login sends it round once, by a page of ours; whoever comes back without a session signs in.
func TestDeviceLinkFromElsewhere(t *testing.T) {
	for _, from := range []string{"cross-site", "same-site"} {
		w := newSystem(t)
		b := w.browser()
		d := b.bind("alice")
		w.expire()
		res := b.open(base+"/auth/login?return_to=%2FProd%2Fa", "Sec-Fetch-Site", from)
		m := regexp.MustCompile(`content="0; url=([^"]*)"`).FindStringSubmatch(body(res))
		if res.StatusCode != 200 || m == nil || len(res.Header.Values("Set-Cookie")) != 0 {
			t.Fatalf("%d %s", res.StatusCode, body(res))
		}
		again := strings.ReplaceAll(m[1], "&amp;", "&")
		thief := b.fork()
		for _, site := range []string{"same-origin", from} {
			if to := next(t, thief.open(again, "Sec-Fetch-Site", site)); !strings.HasPrefix(to, w.idp.url) {
				t.Errorf("without a session, %s leads to %s", again, to)
			}
		}
		w.wants(b.prove(d), 200, "ok") // what the browser does before it sends this
		if to := b.open(again, "Sec-Fetch-Site", "same-origin").Header.Get("Location"); to != base+"/a" {
			t.Errorf("led to %q", to)
		}
	}
}

// TestDeviceRequired: a session that was not bound lives as long as its first ID token.
func TestDeviceRequired(t *testing.T) {
	w := newSystem(t)
	w.provider.Devices = device.Require
	b, other := w.browser(), w.browser()
	b.signIn("alice", base+"/")
	d := other.bind("alice")
	if got := body(b.call("GET", base+"/auth/session")); !strings.Contains(got, `"refreshable":false,`) {
		t.Errorf("told %s", got)
	}
	w.wants(b.call("POST", base+"/auth/refresh"), 401, "device_required")
	w.Advance(59*time.Minute + 30*time.Second)
	w.wants(b.open(base+"/auth/login"), 302, "ok") // good to the end
	w.expire()
	w.wants(b.call("POST", base+"/auth/refresh"), 401, "device_required")
	if w.last()["DeviceRefused"] != nil {
		t.Error("counted as suspicious")
	}
	if to := next(t, b.open(base+"/auth/login", "Sec-Fetch-Site", "none")); !strings.HasPrefix(to, w.idp.url) || w.last()["renewal"] != "device_required" {
		t.Errorf("led to %s, %v", to, w.last())
	}
	w.wants(other.prove(d), 200, "ok")
}

// TestDeviceOfAnotherSite: nothing is bound or renewed for a page of another site, whatever it sends.
func TestDeviceOfAnotherSite(t *testing.T) {
	w := newSystem(t)
	b := w.browser()
	d := b.bind("alice")
	for _, headers := range [][]string{
		{"Sec-Fetch-Site", "cross-site"},
		{"Sec-Fetch-Site", "same-site"},
		{"Sec-Fetch-Site", "", "Origin", "https://evil.example"},
		{"Sec-Fetch-Site", "", "Origin", "null"},
	} {
		w.wants(b.post(append([]string{"Sec-Secure-Session-Id", d.id}, headers...)...), 403, "cross_site")
	}
	w.wants(b.post(), 400, "bad_request") // a form of our own site, without what no form can send
	if b.who() != "alice" {
		t.Error("not signed in")
	}
}

// TestDeviceHeaders: what is not one header of the kind that the protocol has is none.
func TestDeviceHeaders(t *testing.T) {
	w := newSystem(t)
	b := w.browser()
	d := b.bind("alice")
	for _, id := range []string{"", `""`, `"` + d.id, d.id + ", " + d.id, `"a b"`} {
		w.wants(b.post("Sec-Secure-Session-Id", id), 400, "bad_request")
	}
	w.wants(b.post("Sec-Secure-Session-Id", `"`+d.id+`";x=1`), 403, "device_challenged")
	w.wants(b.call("PUT", deviceURL), 405, "method_not_allowed")
}

// TestDeviceSecretRotation: bindings live on while the client's secret changes.
func TestDeviceSecretRotation(t *testing.T) {
	w := newSystem(t)
	b := w.browser()
	d := b.bind("alice")
	challenge, _ := ask(t, b.post("Sec-Secure-Session-Id", d.id))
	w.former, w.secret = w.secret, "the-next-client-secret-0123"
	res := b.post("Sec-Secure-Session-Id", d.id, "Secure-Session-Response", proof(t, d.key, challenge, false))
	w.wants(res, 200, "ok")
	b.take(res)
	w.former = ""
	w.wants(b.prove(d), 200, "ok")
	if told(t, b.prove(d)).ID != d.id {
		t.Error("the session has another name")
	}
}

// TestDeviceUnnoticed: a browser without all this is led and given the same as without the setting,
// but for one header, that it does not know, on the answers to its own scripts.
func TestDeviceUnnoticed(t *testing.T) {
	var seen [2][]string
	for i, policy := range []device.Policy{device.Off, device.Offer} {
		w := newSystem(t)
		w.provider.Devices = policy
		b := w.browser()
		note := func(res *http.Response) {
			if res.StatusCode != 204 && offer(t, res) != "" {
				t.Error("offered to register")
			}
			res.Header.Del("Secure-Session-Registration")
			var names []string
			for name := range res.Header {
				names = append(names, name)
			}
			slices.Sort(names)
			for _, line := range res.Header.Values("Set-Cookie") {
				names = append(names, regexp.MustCompile(`=[^;]*|-login-[^=]*`).ReplaceAllString(line, ""))
			}
			seen[i] = append(seen[i], res.Status, strings.Join(names, "|"), res.Header.Get("Location"))
		}
		note(b.open(w.idp.authorize(t, b.begin(base+"/"), "alice")))
		w.expire()
		note(b.open(base + "/auth/login"))
		w.expire()
		note(b.call("POST", base+"/auth/refresh"))
		res := b.call("GET", base+"/auth/session")
		note(res)
		if strings.Contains(body(res), "bound") {
			t.Error("scripts are told of a binding")
		}
	}
	if !slices.Equal(seen[0], seen[1]) {
		t.Errorf("off:   %q\noffer: %q", seen[0], seen[1])
	}
}
