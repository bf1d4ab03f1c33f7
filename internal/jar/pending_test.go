package jar

// This file tries what the seal makes impossible from outside: a pending login that is genuine and
// yet not right.

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestPendingLoginMustBeRight(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	good := Pending{State: "state-1", Nonce: "nonce", Binder: hash("binder"), Verifier: strings.Repeat("v", 43), Target: "/", Started: now.Unix()}
	for name, change := range map[string]func(p *Pending){
		"":                   func(*Pending) {},
		"another state":      func(p *Pending) { p.State = "state-2" },
		"no state":           func(p *Pending) { p.State = "" },
		"another browser's":  func(p *Pending) { p.Binder = hash("another") },
		"no browser's":       func(p *Pending) { p.Binder = "" },
		"no nonce":           func(p *Pending) { p.Nonce = "" },
		"no verifier":        func(p *Pending) { p.Verifier = "" },
		"a short verifier":   func(p *Pending) { p.Verifier = strings.Repeat("v", 42) },
		"ten minutes ago":    func(p *Pending) { p.Started -= 600 },
		"in eleven minutes":  func(p *Pending) { p.Started += 660 },
		"nine minutes ahead": func(p *Pending) { p.Started += 540 },
	} {
		p := good
		change(&p)
		j := &Jar{now: now, seal: newTestSealer(t, "https://a.example", "secret")}
		cookieName := pendingPrefix + pendingID("state-1")
		j.cookies = []string{
			cookieName + "=" + j.seal.seal(kindPending, cookieName, p) + "; " + binderPrefix + pendingID("state-1") + "=binder",
		}
		got, _, forget, err := j.Take("state-1")
		if len(forget) != 2 {
			t.Errorf("%q: not used up", name)
		}
		if name == "" || name == "nine minutes ahead" {
			if err != nil || got != p {
				t.Errorf("%q: %v", name, err)
			}
		} else if !errors.Is(err, ErrStateInvalid) {
			t.Errorf("%q passes: %v", name, err)
		}
	}
}
