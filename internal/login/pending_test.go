package login

// This file tries what the seal makes impossible from outside: a pending login that is genuine and yet not right.

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestPendingLoginMustBeRight(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	good := pending{State: "state-1", Nonce: "nonce", Verifier: strings.Repeat("v", 43), Target: "/", Started: now.Unix()}
	for name, change := range map[string]func(p *pending){
		"":                   func(*pending) {},
		"another state":      func(p *pending) { p.State = "state-2" },
		"no state":           func(p *pending) { p.State = "" },
		"no nonce":           func(p *pending) { p.Nonce = "" },
		"no verifier":        func(p *pending) { p.Verifier = "" },
		"a short verifier":   func(p *pending) { p.Verifier = strings.Repeat("v", 42) },
		"ten minutes ago":    func(p *pending) { p.Started -= 600 },
		"in eleven minutes":  func(p *pending) { p.Started += 660 },
		"nine minutes ahead": func(p *pending) { p.Started += 540 },
	} {
		p := good
		change(&p)
		v := &visit{now: now, sealer: newTestSealer(t, "https://a.example", "secret")}
		cookieName := pendingPrefix + pendingID("state-1")
		v.cookies = []string{cookieName + "=" + v.sealer.seal("pending", cookieName, p)}
		got, forget, err := v.take("state-1")
		if len(forget) != 1 {
			t.Errorf("%q: not used up", name)
		}
		if name == "" || name == "nine minutes ahead" {
			if err != nil || got != p {
				t.Errorf("%q: %v", name, err)
			}
		} else if !errors.Is(err, errStateInvalid) {
			t.Errorf("%q passes: %v", name, err)
		}
	}
}
