package login_test

// This file holds sessions that were ended early to their end: nothing here prolongs one, and a
// sign-out ends them wherever the list is read.

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"edgeauth/cuts"
	"edgeauth/cuts/cutstest"
)

func newCutSystem(t *testing.T) (*system, *cutstest.Table) {
	w := newSystem(t)
	table := cutstest.New(t, w.Now)
	w.provider.Cuts = table.List()
	return w, table
}

func TestACutSessionIsProlongedNowhere(t *testing.T) {
	for _, expired := range []bool{false, true} {
		w, table := newCutSystem(t)
		b := w.browser()
		b.signIn("alice", base+"/")
		w.Advance(time.Second)
		table.Cut("user alice")
		if expired {
			w.expire()
		} else {
			w.wants(b.call("GET", base+"/auth/session"), 401, "session_cut")
		}
		w.wants(b.call("POST", base+"/auth/refresh"), 401, "session_cut")
		if to := next(t, b.open(base+"/auth/login")); !strings.HasPrefix(to, w.idp.url) || !strings.Contains(to, "prompt=login") {
			t.Errorf("expired %v: led to %s", expired, to)
		}
	}
}

// Cognito's own session may let somebody in unasked whose sign-in was before the ending.
func TestACallbackDoesNotUndoACut(t *testing.T) {
	w, table := newCutSystem(t)
	b := w.browser()
	to := b.begin(base + "/")
	w.Advance(time.Second)
	back := w.idp.authorize(t, to, "alice")
	table.Cut("everybody")
	w.wants(b.open(back), 400, "session_cut")
	if slices.Contains(b.has("__Host-id"), "__Host-id") {
		t.Error("a session was given all the same")
	}
	w.Advance(time.Second)
	b.signIn("alice", base+"/")
	if b.who() != "alice" {
		t.Error("a sign-in after the ending does not count")
	}
}

func TestSignOutIsWritten(t *testing.T) {
	w, table := newCutSystem(t)
	b := w.browser()
	b.signIn("alice", base+"/")
	copied := b.fork()
	w.Advance(time.Second)
	w.wants(b.call("POST", base+"/auth/logout"), 200, "ok")
	if n := len(table.Entries()); n != 1 {
		t.Fatalf("wrote %q", table.Entries())
	}
	w.wants(copied.call("GET", base+"/auth/session"), 401, "session_cut")
	w.wants(copied.call("POST", base+"/auth/refresh"), 401, "session_cut")
}

// Once the session cookie is gone, what renews it says which sign-in is over.
func TestSignOutIsWrittenWithoutTheSession(t *testing.T) {
	w, table := newCutSystem(t)
	b := w.browser()
	b.signIn("alice", base+"/")
	copied := b.fork()
	delete(b.jar, "/ __Host-id")
	w.Advance(time.Second)
	w.wants(b.call("POST", base+"/auth/logout"), 200, "ok")
	w.wants(copied.call("GET", base+"/auth/session"), 401, "session_cut")
	if n := len(table.Entries()); n != 1 {
		t.Errorf("wrote %q", table.Entries())
	}
}

// An ending is remembered for as long as a token of the sign-in lives, which is an hour here, and
// ten minutes for clocks; where the refresh token could not be revoked, for as long as that renews.
func TestSignOutIsRemembered(t *testing.T) {
	for name, row := range map[string]struct {
		fault func(http.ResponseWriter, *http.Request) bool
		want  time.Duration
	}{
		"revoked":     {nil, 70 * time.Minute},
		"not revoked": {status(500, "away"), 720 * time.Hour},
	} {
		w, table := newCutSystem(t)
		b := w.browser()
		b.signIn("alice", base+"/")
		w.idp.set(func(p *provider) { p.fault = row.fault })
		w.wants(b.call("POST", base+"/auth/logout"), 200, "ok")
		if got := table.Lives(table.Entries()[0]); got.Round(time.Minute) != row.want {
			t.Errorf("%s: remembered for %v, want %v", name, got, row.want)
		}
	}
}

// A sign-out goes on when the list does not.
func TestSignOutGoesOnWithoutTheList(t *testing.T) {
	w, table := newCutSystem(t)
	b := w.browser()
	b.signIn("alice", base+"/")
	table.Fail(func(*http.Request) error { return errors.New("down") })
	w.wants(b.call("POST", base+"/auth/logout"), 200, "ok")
	if len(b.has("")) != 0 || len(w.idp.revoked) != 1 || w.last()["cut"] == nil || w.last()["CutFailed"] != 1.0 {
		t.Errorf("cookies %q, log %v", b.has(""), w.last())
	}
}

func TestTheListOutOfReach(t *testing.T) {
	for admit, want := range map[bool]string{false: "503 cuts_unavailable", true: "200 ok"} {
		w, table := newCutSystem(t)
		w.provider.CutsAdmit = admit
		b := w.browser()
		b.signIn("alice", base+"/")
		table.Fail(func(*http.Request) error { return errors.New("down") })
		w.Advance(cuts.Limit)
		res := b.call("GET", base+"/auth/session")
		if got := fmt.Sprint(res.StatusCode, " ", w.last()["reason"]); got != want {
			t.Errorf("admit %v: %s, want %s", admit, got, want)
		}
	}
}
