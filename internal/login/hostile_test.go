package login_test

// This file tries what a hostile neighbour or a hostile page can do to a session that is not its
// own.

import (
	"strings"
	"testing"
	"time"

	"edgeauth/internal/token/tokentest"
)

// toss puts another browser's cookies into to, beside its own, as a neighbouring host under the
// same registrable domain can.
func toss(to, from *browser, prefix string) {
	for key, c := range from.jar {
		if strings.HasPrefix(c.name, prefix) {
			tossed := *c
			to.jar[key+" tossed"] = &tossed
		}
	}
}

// TestAnImageSignsNobodyOut: what people write into pages of the same origin is not what they mean.
func TestAnImageSignsNobodyOut(t *testing.T) {
	w := newSystem(t)
	b := w.browser()
	b.signIn("alice", base+"/")
	b.take(b.send("GET", base+"/auth/logout", "Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "image", "Sec-Fetch-Site", "same-origin", "Accept", "image/*"))
	if b.who() != "alice" || len(w.idp.revoked) != 0 {
		t.Errorf("now %q, %d tokens revoked", b.who(), len(w.idp.revoked))
	}
}

// TestLogoutRevokesWhateverCookieIsOurs: a second refresh cookie makes it unclear which is the
// session's, so all are ended.
func TestLogoutRevokesWhateverCookieIsOurs(t *testing.T) {
	w := newSystem(t)
	mallory, alice := w.browser(), w.browser()
	mallory.signIn("mallory", base+"/")
	alice.signIn("alice", base+"/")
	toss(alice, mallory, "__Secure-refresh")
	w.wants(alice.call("POST", base+"/auth/logout"), 200, "ok")
	if len(w.idp.revoked) != 2 {
		t.Errorf("%d tokens revoked, want both", len(w.idp.revoked))
	}
}

// TestStrangeCookieNamesAreLeftAlone: a name that we never wrote is never named in an answer.
func TestStrangeCookieNamesAreLeftAlone(t *testing.T) {
	for _, name := range []string{"__Secure-login-a\tb", "__Secure-login-a b", "__Secure-fragment-\u00e9"} {
		res := newSystem(t).browser().send("POST", base+"/auth/logout", "Cookie", name+"=1", "Sec-Fetch-Site", "same-origin", "Accept", "application/json")
		for _, line := range res.Header["Set-Cookie"] {
			if strings.HasPrefix(line, name+"=") {
				t.Errorf("%q: %q", name, line)
			}
		}
	}
}

// TestBlindLogoutNamesNoPathOfTheClients: while the settings are out of reach, nobody knows which
// paths are ours.
func TestBlindLogoutNamesNoPathOfTheClients(t *testing.T) {
	w := newSystem(t)
	w.settings = errAny
	res := w.browser().call("POST", base+"/auth/;Domain=example.com;X=/auth/logout")
	w.wants(res, 503, "config_unavailable")
	if lines := res.Header["Set-Cookie"]; len(lines) != 0 {
		t.Errorf("sets %q", lines)
	}
}

// TestTheAbsoluteLimitAsksAgain: when its time has come the browser holds nothing any more, and
// Cognito's own session must not bring it back unasked.
func TestTheAbsoluteLimitAsksAgain(t *testing.T) {
	w := newSystem(t)
	w.provider.SessionMax = 30 * time.Minute
	b := w.browser()
	b.signIn("alice", base+"/")
	w.Advance(31 * time.Minute)
	if to := next(t, b.open(base+"/auth/login?return_to=/Prod/")); !strings.Contains(to, "prompt=login") {
		t.Error("the identity provider is not told to ask again")
	}
}

// TestTheAbsoluteLimitCountsFromTheSignIn: one that the identity provider remembers from long ago
// begins no session.
func TestTheAbsoluteLimitCountsFromTheSignIn(t *testing.T) {
	for _, row := range []struct {
		age time.Duration
		in  bool
	}{{29 * time.Minute, true}, {30 * time.Minute, false}, {2 * time.Hour, false}} {
		w := newSystem(t)
		w.provider.SessionMax = 30 * time.Minute
		b := w.browser()
		w.idp.set(func(p *provider) { p.claims = tokentest.Claims{"auth_time": w.Now().Add(-row.age).Unix()} })
		res := b.open(w.idp.authorize(t, b.begin(base+"/"), "alice"))
		if row.in {
			w.wants(res, 302, "ok")
		} else {
			w.wants(res, 400, "session_ended")
		}
		if in := len(b.has("__Host-id")) > 0; in != row.in {
			t.Errorf("signed in %v ago: session %v", row.age, in)
		}
	}
}
