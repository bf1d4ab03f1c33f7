package login_test

// This file explores what two tabs of one browser can do to each other's session: requests that
// overlap, answers that come late or never, a clock that jumps, outages, rotation on and off, a
// second user who signs in meanwhile. The handlers are the real ones; the model is only what must
// always be true.

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"
)

// play is one course of events in one browser.
type play struct {
	*system
	b      *browser
	tabs   [3]*flight // requests under way
	wrote  map[string]int
	serial int
	lost   bool
	script []string
}

// flight is a request on its way: sent with the cookies of its moment, handled at another, answered
// at a third.
type flight struct {
	method, target, cookies string
	answer                  *http.Response
}

func newPlay(t *testing.T, rotation bool, grace time.Duration) *play {
	w := newSystem(t)
	w.idp.rotation, w.idp.grace = rotation, grace
	p := &play{system: w, b: w.browser(), wrote: map[string]int{}}
	p.signIn("alice")
	return p
}

func (p *play) note(format string, args ...any) {
	p.script = append(p.script, fmt.Sprintf(format, args...))
}

// signIn is a user who signs in, in a tab of his own. The sizes of the users' tokens differ, so
// that their cookies come in different numbers.
func (p *play) signIn(user string) {
	p.note("%s signs in", user)
	p.idp.set(func(i *provider) { i.bySize = map[string]int{"bob": 60} })
	callback := p.idp.authorize(p.t, p.b.begin2(p.t, base+"/"), user)
	res := p.b.send("GET", callback, asNavigation...)
	p.deliver(res)
}

// send sends a request from a tab that has none under way.
func (p *play) send(tab int, method, target string) {
	if p.tabs[tab] == nil {
		p.note("tab %d sends %s %s", tab, method, target)
		p.tabs[tab] = &flight{method: method, target: target, cookies: p.b.cookies(base + "/auth/login")}
	}
}

// handle lets a tab's request reach the handlers.
func (p *play) handle(tab int) {
	f := p.tabs[tab]
	if f == nil || f.answer != nil {
		return
	}
	headers := asNavigation
	if f.method == "POST" {
		headers = []string{"Sec-Fetch-Mode", "cors", "Sec-Fetch-Site", "same-origin", "Accept", "application/json"}
	}
	f.answer = p.b.send(f.method, f.target, append(headers[:len(headers):len(headers)], "Cookie", f.cookies)...)
	p.note("tab %d is answered %d", tab, f.answer.StatusCode)
	if all := strings.Join(f.answer.Header.Values("Set-Cookie"), "\n"); strings.Contains(all, "__Secure-refresh=; ") ||
		strings.Contains(all, "__Host-id=; ") && !strings.Contains(all, "__Secure-refresh=") {
		p.fail("an answer takes the session away")
	}
}

// arrive lets a tab's answer reach the browser, or not.
func (p *play) arrive(tab int, lost bool) {
	f := p.tabs[tab]
	if f == nil || f.answer == nil {
		return
	}
	p.tabs[tab] = nil
	if lost {
		p.note("tab %d's answer is lost", tab)
		p.lost = p.lost || len(f.answer.Header.Values("Set-Cookie")) > 0
		return
	}
	p.note("tab %d's answer arrives", tab)
	p.deliver(f.answer)
	if to := f.answer.Header.Get("Location"); strings.Contains(to, "again=") {
		p.send(tab, "GET", to)
	}
}

// deliver gives the browser an answer, and checks that its cookies belong together.
func (p *play) deliver(res *http.Response) {
	p.serial++
	for _, line := range res.Header.Values("Set-Cookie") {
		name, _, _ := strings.Cut(line, "=")
		p.wrote[name] = p.serial
	}
	p.b.take(res)
	if len(p.b.has("__Secure-refresh")) == 0 {
		p.fail("the refresh cookie is gone")
	}
	if len(p.b.has("__Host-id")) > 0 && p.b.value("__Host-id") != "" && p.wrote["__Host-id"] != p.wrote["__Secure-refresh"] {
		p.fail("session and refresh token come from different answers")
	}
}

func (p *play) fail(format string, args ...any) {
	p.t.Helper()
	p.t.Fatalf("%s\nafter:\n  %s", fmt.Sprintf(format, args...), strings.Join(p.script, "\n  "))
}

// mend ends every outage.
func (p *play) mend() {
	p.note("all is well")
	p.keys = nil
	p.idp.set(func(i *provider) { i.fault = nil })
}

// end lets everything arrive, and then wants the browser signed in, as one user, if its refresh
// token lives.
func (p *play) end() {
	p.mend()
	for range 3 {
		for tab := range p.tabs {
			p.handle(tab)
			p.arrive(tab, false)
		}
	}
	user := p.b.who()
	before := p.idp.count()
	p.note("the end")
	p.expire()
	res := p.b.open(base + "/auth/login?return_to=%2FProd%2Fend")
	if again := res.Header.Get("Location"); strings.Contains(again, "again=") {
		res = p.b.open(again)
	}
	renewed := res.Header.Get("Location") == base+"/end"
	if !renewed && !p.lost {
		p.fail("signed out although no answer was lost: %d after %d calls", res.StatusCode, p.idp.count()-before)
	}
	after := p.b.who()
	if renewed && after == "" {
		p.fail("renewed, but not signed in")
	}
	if renewed && user != "" && after != user {
		p.fail("%s's session became %s's", user, after)
	}
}

// run reads a course of events from bytes.
func (p *play) run(events []byte) {
	for _, e := range events {
		tab := int(e>>4) % len(p.tabs)
		switch e & 15 {
		case 0, 1:
			p.send(tab, "GET", fmt.Sprintf("%s/auth/login?return_to=%%2FProd%%2F%d", base, tab))
		case 2, 3:
			p.send(tab, "POST", base+"/auth/refresh")
		case 4, 5, 6:
			p.handle(tab)
		case 7, 8, 9:
			p.arrive(tab, false)
		case 10:
			p.arrive(tab, true)
		case 11:
			p.note("a second passes")
			p.Advance(time.Second)
		case 12, 13:
			p.note("an hour passes")
			p.expire()
		case 14:
			p.note("the clock is set back a minute")
			p.Advance(-time.Minute)
		case 15:
			switch e >> 6 {
			case 0:
				p.mend()
				p.signIn([]string{"alice", "bob"}[e>>4&1])
			case 1:
				p.note("the keys are out of reach")
				p.keys = errKeys
			case 2:
				p.note("the provider is away")
				p.idp.set(func(i *provider) { i.fault = status(503, "away") })
			case 3:
				p.mend()
			}
		}
	}
	p.end()
}

var settings = []struct {
	rotation bool
	grace    time.Duration
}{{false, 0}, {true, 0}, {true, 10 * time.Second}, {true, time.Minute}}

func TestInterleavings(t *testing.T) {
	rounds := 25
	if testing.Short() {
		rounds = 10
	}
	for _, s := range settings {
		t.Run(fmt.Sprintf("rotation %v, grace %v", s.rotation, s.grace), func(t *testing.T) {
			for seed := range rounds {
				dice := rand.New(rand.NewPCG(uint64(seed), 1))
				events := make([]byte, 24)
				for i := range events {
					events[i] = byte(dice.Uint32())
				}
				newPlay(t, s.rotation, s.grace).run(events)
			}
		})
	}
}

// TestInterleavingsThatBite are the courses that other systems are known to lose sessions in.
func TestInterleavingsThatBite(t *testing.T) {
	const nav, post, handle, arrive, lose, hour, alice, bob = 0x00, 0x02, 0x04, 0x07, 0x0a, 0x0c, 0x0f, 0x1f
	const second = 0x0b
	tab := func(n int, e byte) byte { return byte(n)<<4 | e }
	for name, events := range map[string][]byte{
		"two tabs, both renew, in order":            {hour, tab(0, nav), tab(1, nav), tab(0, handle), tab(1, handle), tab(0, arrive), tab(1, arrive)},
		"two tabs, the loser's answer comes last":   {hour, tab(0, post), tab(1, post), tab(0, handle), second, tab(1, handle), tab(0, arrive), tab(1, arrive)},
		"two tabs, the loser's answer comes first":  {hour, tab(0, post), tab(1, post), tab(0, handle), second, tab(1, handle), tab(1, arrive), tab(0, arrive)},
		"the answer is lost, and asked for again":   {hour, tab(0, post), tab(0, handle), tab(0, lose), tab(0, post), tab(0, handle), tab(0, arrive)},
		"an answer an hour late":                    {hour, tab(0, post), tab(0, handle), hour, tab(1, post), tab(1, handle), tab(1, arrive), tab(0, arrive)},
		"bob signs in while alice is being renewed": {hour, tab(0, post), tab(0, handle), bob, tab(0, arrive)},
		"and the other way round":                   {bob, hour, tab(0, nav), tab(0, handle), alice, tab(0, arrive), tab(1, nav), tab(1, handle), tab(1, arrive)},
	} {
		for _, s := range settings {
			t.Run(fmt.Sprintf("%s, rotation %v, grace %v", name, s.rotation, s.grace), func(t *testing.T) {
				newPlay(t, s.rotation, s.grace).run(events)
			})
		}
	}
}

func FuzzInterleavings(f *testing.F) {
	f.Add([]byte{0x0c, 0x02, 0x12, 0x04, 0x14, 0x07, 0x17}, uint8(1))
	f.Fuzz(func(t *testing.T, events []byte, setting uint8) {
		if len(events) > 40 {
			t.Skip()
		}
		s := settings[int(setting)%len(settings)]
		newPlay(t, s.rotation, s.grace).run(events)
	})
}
