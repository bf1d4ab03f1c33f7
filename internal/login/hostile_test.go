package login_test

// This file tries what a hostile neighbour or a hostile page can do to a session that is not its
// own.

import (
	"fmt"
	"slices"
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

// before puts another browser's cookies where a browser sends them first: under a longer path.
func before(to, from *browser, path, prefix string) {
	for _, c := range from.jar {
		if strings.HasPrefix(c.name, prefix) {
			tossed := *c
			tossed.path = path
			to.jar[fmt.Sprint("tossed ", len(to.jar))] = &tossed
		}
	}
}

// TestANeighbourSignsNobodyIn: a host under the same registrable domain puts its own pending login, its own code and
// its own refresh cookie into a browser. None of it counts there, whether somebody is signed in or not.
func TestANeighbourSignsNobodyIn(t *testing.T) {
	t.Run("with a pending login", func(t *testing.T) {
		w := newSystem(t)
		mallory, nobody := w.browser(), w.browser()
		callback := w.idp.authorize(t, mallory.begin(base+"/"), "mallory")
		toss(nobody, mallory, "__Secure-")
		w.wants(nobody.open(callback), 400, "login_state_missing")
		if who := nobody.who(); who != "" || w.idp.count() != 0 {
			t.Errorf("signed in as %q after %d calls", who, w.idp.count())
		}
	})
	t.Run("with a pending login, beside one of the browser's own", func(t *testing.T) {
		w := newSystem(t)
		mallory, nobody := w.browser(), w.browser()
		nobody.begin(base + "/")
		callback := w.idp.authorize(t, mallory.begin(base+"/"), "mallory")
		toss(nobody, mallory, "__Secure-")
		w.wants(nobody.open(callback), 400, "login_state_missing")
		if who := nobody.who(); who != "" {
			t.Errorf("signed in as %q", who)
		}
	})
	t.Run("with a pending login, over a session", func(t *testing.T) {
		w := newSystem(t)
		mallory, alice := w.browser(), w.browser()
		alice.signIn("alice", base+"/")
		callback := w.idp.authorize(t, mallory.begin(base+"/"), "mallory")
		toss(alice, mallory, "__Secure-")
		alice.open(callback)
		if who := alice.who(); who != "alice" || w.idp.count() != 1 {
			t.Errorf("signed in as %q after %d calls", who, w.idp.count())
		}
	})
	t.Run("with a refresh cookie", func(t *testing.T) {
		w := newSystem(t)
		mallory, nobody := w.browser(), w.browser()
		mallory.signIn("mallory", base+"/")
		toss(nobody, mallory, "__Secure-refresh")
		w.wants(nobody.call("POST", base+"/auth/refresh"), 401, "no_session")
		if to := next(t, nobody.open(base+"/auth/login")); !strings.HasPrefix(to, w.idp.url) || nobody.who() != "" {
			t.Errorf("sent to %q, signed in as %q", to, nobody.who())
		}
	})
	t.Run("with a refresh cookie, beside a session's own", func(t *testing.T) {
		for _, path := range []string{base + "/auth/refresh", "/"} {
			w := newSystem(t)
			mallory, alice := w.browser(), w.browser()
			mallory.signIn("mallory", base+"/")
			alice.signIn("alice", base+"/")
			before(alice, mallory, path, "__Secure-refresh")
			w.expire()
			w.wants(alice.call("POST", base+"/auth/refresh"), 204, "ok")
			if who := alice.who(); who != "alice" {
				t.Errorf("renewed as %q", who)
			}
		}
	})
}

// TestABindingIsOnesOwn: what a browser presents as its own is taken only if it could have been made here.
func TestABindingIsOnesOwn(t *testing.T) {
	w := newSystem(t)
	b := w.browser()
	odd := &kept{"__Host-browser", "odd", "/", tokentest.Start.Add(1000 * time.Hour)}
	b.jar["/ __Host-browser"] = odd
	b.signIn("alice", base+"/")
	own := b.value("__Host-browser")
	if own == "odd" || len(own) != 43 {
		t.Errorf("%d characters", len(own))
	}
	w.expire()
	w.wants(b.call("POST", base+"/auth/refresh"), 204, "ok")
	if b.value("__Host-browser") != own {
		t.Error("a renewal changes it")
	}
	b.call("POST", base+"/auth/logout")
	b.signIn("alice", base+"/")
	if b.value("__Host-browser") == own {
		t.Error("it outlives a sign-out")
	}
}

// TestASignOutBeginsWithItsOwn: however many refresh cookies a neighbour puts before it, the one of this browser is
// revoked.
func TestASignOutBeginsWithItsOwn(t *testing.T) {
	w := newSystem(t)
	alice := w.browser()
	alice.signIn("alice", base+"/")
	for range 5 {
		mallory := w.browser()
		mallory.signIn("mallory", base+"/")
		before(alice, mallory, base+"/auth/logout", "__Secure-refresh")
	}
	w.wants(alice.call("POST", base+"/auth/logout"), 200, "ok")
	for raw, f := range w.idp.live {
		if f.user == "alice" && !slices.Contains(w.idp.revoked, raw) {
			t.Errorf("of %d tokens revoked none is alice's", len(w.idp.revoked))
		}
	}
}

// TestANeighboursLoginsCrowdOutNobodysOwn: of more pending logins than are kept, those of other browsers go first.
func TestANeighboursLoginsCrowdOutNobodysOwn(t *testing.T) {
	w := newSystem(t)
	alice, mallory := w.browser(), w.browser()
	callback := w.idp.authorize(t, alice.begin(base+"/"), "alice")
	for range 4 {
		w.Advance(time.Second)
		mallory.begin(base + "/")
	}
	toss(alice, mallory, "__Secure-login-")
	alice.begin(base + "/other")
	w.wants(alice.open(callback), 302, "ok")
}
