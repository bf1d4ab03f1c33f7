package login_test

// This file explores what two tabs of one browser can do to each other's session: requests that
// overlap, answers that come late or never, a clock that jumps, outages, rotation on and off, a
// second user who signs in meanwhile; a browser that binds sessions to its device, and one that does
// not. The handlers are the real ones; the model is only what must always be true.

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// play is one course of events in one browser.
type play struct {
	*system
	b      *browser
	tabs   [4]*flight // requests under way; the last is the browser's own, to register
	wrote  map[string]int
	serial int
	lost   bool
	script []string

	binds   bool            // the browser binds sessions to its device
	devices []*boundTo      // what it has bound and not ended
	bound   map[string]bool // whether a refresh cookie is bound to a device, by value
}

// own is the tab that the browser registers in.
const own = 3

// flight is a request on its way: sent with the cookies of its moment, handled at another, answered
// at a third.
type flight struct {
	method, target, cookies string
	answer                  *http.Response

	device *boundTo   // the browser registers or renews this by itself
	proof  string     // of the device
	first  []*boundTo // what the browser renews before it sends this
	failed []string   // what it could not renew
}

func newPlay(t *testing.T, s setting) *play {
	w := newSystem(t)
	w.idp.rotation, w.idp.grace = s.rotation, s.grace
	p := &play{system: w, b: w.browser(), wrote: map[string]int{}, binds: s.binds, bound: map[string]bool{}}
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
	if p.binds {
		p.register(p.b.send("GET", deviceURL, append(slices.Clone(asNavigation), "Sec-Fetch-Site", "same-origin")...))
	}
}

// register lets the browser register what an answer offers, if it is not about to register already.
func (p *play) register(res *http.Response) {
	challenge := offer(p.t, res)
	if !p.binds || challenge == "" || p.tabs[own] != nil {
		return
	}
	p.note("the browser registers")
	d := &boundTo{key: newKey(p.t)}
	p.tabs[own] = &flight{device: d, proof: proof(p.t, d.key, challenge, true), cookies: p.b.cookies(deviceURL)}
}

// send sends a request from a tab that has none under way.
func (p *play) send(tab int, method, target string) {
	if p.tabs[tab] == nil && tab != own {
		p.tabs[tab] = &flight{method: method, target: target, first: slices.Clone(p.devices)}
		p.depart(tab)
	}
}

// depart sends a tab's request, or what the browser sends before it because the session is missing.
// Another tab's renewal is waited for.
func (p *play) depart(tab int) {
	f := p.tabs[tab]
	for len(f.first) > 0 && len(p.b.has("__Host-id")) == 0 {
		d := f.first[0]
		if slices.ContainsFunc(p.tabs[:], func(other *flight) bool { return other != nil && other.device == d && other != f }) {
			p.note("tab %d waits", tab)
			return
		}
		if f.first = f.first[1:]; slices.Contains(p.devices, d) {
			p.note("tab %d renews %.6s", tab, d.id)
			f.device, f.cookies = d, p.b.cookies(deviceURL)
			return
		}
	}
	p.note("tab %d sends %s %s", tab, f.method, f.target)
	f.first, f.cookies = nil, p.b.cookies(base+"/auth/login")
}

// handle lets a tab's request reach the handlers.
func (p *play) handle(tab int) {
	f := p.tabs[tab]
	if f == nil || f.answer != nil {
		return
	}
	if f.device == nil && f.cookies == "" && len(f.first) > 0 { // it waited
		p.depart(tab)
		return
	}
	headers := append(slices.Clone(asNavigation), "Sec-Fetch-Site", "same-origin")
	if f.method == "POST" {
		headers = []string{"Sec-Fetch-Mode", "cors", "Sec-Fetch-Site", "same-origin", "Accept", "application/json"}
	}
	method, target := f.method, f.target
	if len(f.failed) > 0 {
		headers = append(headers, "Secure-Session-Skipped", strings.Join(f.failed, ", "))
	}
	if d := f.device; d != nil {
		method, target, headers = "POST", deviceURL, asDevice("Sec-Secure-Session-Id", d.id, "Secure-Session-Response", f.proof)
	}
	f.answer = p.b.send(method, target, append(headers, "Cookie", f.cookies)...)
	p.note("tab %d is answered %d %v", tab, f.answer.StatusCode, p.last()["reason"])
	p.sealed(f)
	if f.device != nil && f.device.id != "" && f.answer.StatusCode == 403 {
		challenge, _ := ask(p.t, f.answer)
		f.proof, f.cookies, f.answer = proof(p.t, f.device.key, challenge, false), p.b.cookies(deviceURL), nil
		return
	}
	if all := strings.Join(f.answer.Header.Values("Set-Cookie"), "\n"); strings.Contains(all, "__Secure-refresh=; ") ||
		strings.Contains(all, "__Host-id=; ") && !strings.Contains(all, "__Secure-refresh=") {
		p.fail("an answer takes the session away")
	}
}

// sealed notes whether what an answer renews with is bound, and holds it to that: what is bound is
// renewed by its device, and stays bound.
func (p *play) sealed(f *flight) {
	_, rest, _ := strings.Cut(f.cookies, "__Secure-refresh=")
	before, _, _ := strings.Cut(rest, ";")
	for _, line := range f.answer.Header.Values("Set-Cookie") {
		value, found := strings.CutPrefix(line, "__Secure-refresh=")
		if value, _, _ = strings.Cut(value, ";"); !found || value == "" {
			continue
		}
		if p.bound[before] && (f.device == nil || f.device.id == "") {
			p.fail("renewed without a proof")
		}
		p.bound[value] = p.bound[before] || f.device != nil && f.answer.StatusCode == 200
	}
}

// landed lets the browser draw its conclusions from the answer to what it sent by itself.
func (p *play) landed(tab int, f *flight, status int) {
	d := f.device
	f.device, f.answer, f.proof = nil, nil, ""
	if tab == own {
		p.tabs[own] = nil
		return
	}
	switch {
	case status == 0 || status >= 500:
		f.failed = append(f.failed, `unreachable;session_identifier="`+d.id+`"`)
	case status >= 400:
		p.note("%.6s is over", d.id)
		p.devices = slices.DeleteFunc(p.devices, func(other *boundTo) bool { return other == d })
	}
	p.depart(tab)
}

// arrive lets a tab's answer reach the browser, or not.
func (p *play) arrive(tab int, lost bool) {
	f := p.tabs[tab]
	if f == nil || f.answer == nil {
		return
	}
	if lost {
		p.note("tab %d's answer is lost", tab)
		p.lost = p.lost || len(f.answer.Header.Values("Set-Cookie")) > 0
	} else {
		p.note("tab %d's answer arrives", tab)
		p.deliver(f.answer)
	}
	if f.device != nil {
		status := f.answer.StatusCode
		if lost {
			status = 0
		} else if tab == own && status == 200 {
			f.device.id = told(p.t, f.answer).ID
			p.devices = append(p.devices, f.device)
		}
		p.landed(tab, f, status)
		return
	}
	p.tabs[tab] = nil
	if lost {
		return
	}
	p.register(f.answer)
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
	for range 12 {
		for tab := range p.tabs {
			p.handle(tab)
			p.arrive(tab, false)
		}
	}
	user := p.b.who()
	before := p.idp.count()
	p.note("the end")
	p.expire()
	p.steal()
	for _, d := range p.devices {
		if len(p.b.has("__Host-id")) == 0 {
			p.b.prove(d)
		}
	}
	res := p.b.open(base+"/auth/login?return_to=%2FProd%2Fend", "Sec-Fetch-Site", "same-origin")
	if again := res.Header.Get("Location"); strings.Contains(again, "again=") {
		res = p.b.open(again, "Sec-Fetch-Site", "same-origin")
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

// steal tries what the browser holds without its key.
func (p *play) steal() {
	if !p.bound[p.b.value("__Secure-refresh")] {
		return
	}
	thief := p.b.fork()
	tries := []*http.Response{
		thief.call("POST", base+"/auth/refresh"), thief.open(base+"/auth/login", "Sec-Fetch-Site", "none"), thief.open(base + "/auth/login"),
	}
	for _, d := range p.devices {
		tries = append(tries, thief.prove(&boundTo{key: newKey(p.t), id: d.id}))
	}
	for i, res := range tries {
		for _, line := range res.Header.Values("Set-Cookie") {
			if strings.HasPrefix(line, "__Host-id=") || strings.HasPrefix(line, "__Secure-refresh=") {
				p.fail("a thief gets a session, try %d: %d", i, res.StatusCode)
			}
		}
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

type setting struct {
	rotation bool
	grace    time.Duration
	binds    bool
}

func (s setting) String() string {
	return fmt.Sprintf("rotation %v, grace %v, binds %v", s.rotation, s.grace, s.binds)
}

var settings = []setting{
	{false, 0, false},
	{true, 0, false},
	{true, 10 * time.Second, false},
	{true, time.Minute, false},
	{false, 0, true},
	{true, 0, true},
	{true, 10 * time.Second, true},
	{true, time.Minute, true},
}

func TestInterleavings(t *testing.T) {
	rounds := 25
	if testing.Short() {
		rounds = 10
	}
	for _, s := range settings {
		t.Run(s.String(), func(t *testing.T) {
			for seed := range rounds {
				dice := rand.New(rand.NewPCG(uint64(seed), 1))
				events := make([]byte, 24)
				for i := range events {
					events[i] = byte(dice.Uint32())
				}
				newPlay(t, s).run(events)
			}
		})
	}
}

// TestInterleavingsThatBite are the courses that other systems are known to lose sessions in.
func TestInterleavingsThatBite(t *testing.T) {
	const nav, post, handle, arrive, lose, hour, alice, bob = 0x00, 0x02, 0x04, 0x07, 0x0a, 0x0c, 0x0f, 0x1f
	const second, keys, away, mend = 0x0b, 0x4f, 0x8f, 0xcf
	tab := func(n int, e byte) byte { return byte(n)<<4 | e }
	for name, events := range map[string][]byte{
		"two tabs, both renew, in order":                       {hour, tab(0, nav), tab(1, nav), tab(0, handle), tab(1, handle), tab(0, arrive), tab(1, arrive)},
		"two tabs, the loser's answer comes last":              {hour, tab(0, post), tab(1, post), tab(0, handle), second, tab(1, handle), tab(0, arrive), tab(1, arrive)},
		"two tabs, the loser's answer comes first":             {hour, tab(0, post), tab(1, post), tab(0, handle), second, tab(1, handle), tab(1, arrive), tab(0, arrive)},
		"the answer is lost, and asked for again":              {hour, tab(0, post), tab(0, handle), tab(0, lose), tab(0, post), tab(0, handle), tab(0, arrive)},
		"an answer an hour late":                               {hour, tab(0, post), tab(0, handle), hour, tab(1, post), tab(1, handle), tab(1, arrive), tab(0, arrive)},
		"bob signs in while alice is being renewed":            {hour, tab(0, post), tab(0, handle), bob, tab(0, arrive)},
		"two tabs, one waits for the other's renewal":          {hour, tab(0, nav), tab(1, post), tab(0, handle), tab(1, handle), tab(0, handle), tab(0, arrive), tab(1, handle), tab(0, handle), tab(1, handle)},
		"the renewal's answer is lost, and the tab goes on":    {hour, tab(0, nav), tab(0, handle), tab(0, handle), tab(0, lose), tab(0, handle), tab(0, arrive)},
		"an outage, and then none":                             {hour, away, tab(0, nav), tab(0, handle), tab(0, handle), tab(0, arrive), tab(0, handle), tab(0, arrive), mend, tab(1, nav), tab(1, handle), tab(1, handle), tab(1, arrive)},
		"an outage of the keys, after the token was replaced":  {hour, keys, tab(0, nav), tab(0, handle), tab(0, handle), tab(0, arrive), mend, tab(1, post), tab(1, handle), tab(1, handle), tab(1, arrive)},
		"a renewal while bob signs in, and his registration":   {hour, tab(0, post), tab(0, handle), tab(0, handle), bob, tab(0, arrive), tab(own, handle), tab(own, arrive), hour, tab(1, nav), tab(1, handle), tab(1, handle), tab(1, arrive)},
		"bob's registration overtakes nobody":                  {bob, tab(0, post), tab(0, handle), tab(own, handle), tab(own, arrive), tab(0, arrive), hour, tab(1, nav), tab(1, handle), tab(1, handle), tab(1, arrive)},
		"a registration is lost, and a renewal offers another": {bob, tab(own, handle), tab(own, lose), hour, tab(0, post), tab(0, handle), tab(0, arrive), tab(own, handle), tab(own, arrive)},
		"a registration while a tab renews without it":         {bob, hour, tab(0, post), tab(own, handle), tab(0, handle), tab(own, arrive), tab(0, arrive)},
		"and the other way round, with a registration":         {bob, hour, tab(0, post), tab(0, handle), tab(own, handle), tab(0, arrive), tab(own, arrive)},
		"and the other way round":                              {bob, hour, tab(0, nav), tab(0, handle), alice, tab(0, arrive), tab(1, nav), tab(1, handle), tab(1, arrive)},
	} {
		for _, s := range settings {
			t.Run(name+", "+s.String(), func(t *testing.T) {
				if s.binds {
					events = append([]byte{tab(own, handle), tab(own, arrive)}, events...)
				}
				newPlay(t, s).run(events)
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
		newPlay(t, s).run(events)
	})
}
