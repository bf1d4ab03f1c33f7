package login_test

// This file says for how long what was copied of a bound browser is worth anything: the columns with
// device binding of the table in docs/sessions.md. Those without it are measured on the whole system.

import (
	"strings"
	"testing"
	"time"

	"edgeauth/cuts/cutstest"
)

func TestDeviceWhoHasCopiedWhat(t *testing.T) {
	const nothing, untilItEnds = "nothing", "until the token ends"
	for _, row := range []struct {
		what                       string
		holds                      []string // beginnings of cookie names
		stays, out, cutOffAfterOut string
	}{
		{"ID cookie", []string{"__Host-id"}, untilItEnds, untilItEnds, nothing},
		{"refresh cookie", []string{"__Secure-refresh"}, nothing, nothing, nothing},
		{"both", []string{"__Host-id", "__Secure-refresh"}, untilItEnds, untilItEnds, nothing},
		{"whole profile", []string{""}, untilItEnds, untilItEnds, nothing},
	} {
		for _, signsOut := range []bool{false, true} {
			for _, cutOff := range []bool{false, true} {
				w := newSystem(t)
				if cutOff {
					w.provider.Cuts = cutstest.New(t, w.Now).List()
				}
				owner := w.browser()
				d := owner.bind("alice")
				thief := owner.fork()
				for key := range thief.jar {
					_, name, _ := strings.Cut(key, " ")
					held := false
					for _, beginning := range row.holds {
						held = held || strings.HasPrefix(name, beginning)
					}
					if !held {
						delete(thief.jar, key)
					}
				}
				w.Advance(time.Second)
				want := row.stays
				if signsOut {
					w.wants(owner.call("POST", base+"/auth/logout"), 200, "ok")
					if want = row.out; cutOff {
						want = row.cutOffAfterOut
					}
				}
				got := nothing
				if thief.who() == "alice" {
					got = untilItEnds
				}
				w.expire()
				if status := thief.call("POST", base+"/auth/refresh").StatusCode; status != 401 {
					got = "for ever"
				}
				thief.post("Sec-Secure-Session-Id", d.id, "Secure-Session-Response", proof(t, newKey(t), strings.Repeat("A", 32), false))
				if thief.who() != "" {
					got = "for ever"
				}
				if got != want {
					t.Errorf("%s, signed out %t, cut-off %t: worth %s, want %s", row.what, signsOut, cutOff, got, want)
				}
				if !signsOut {
					w.wants(owner.prove(d), 200, "ok")
				}
			}
		}
	}
}
