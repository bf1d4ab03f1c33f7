// A thousand browsers use the system while keys rotate, endpoints fail and functions are killed. An oracle says of each answer whether it may be.
//
// The oracle shares no code with what it judges: it knows which tokens the pool has made, reads what they say, knows the weather, and has rules of its own.
package e2e

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

var (
	soakSeconds  = flag.Int("soak-seconds", 60, "how long to soak, if no number of requests is given")
	soakRequests = flag.Int64("soak-requests", 0, "how many requests to soak for")
	soakBrowsers = flag.Int("soak-browsers", 1000, "how many browsers there are")
	soakSeed     = flag.Uint64("soak-seed", 1, "what the dice begin with")
)

// soak is one run.
type soak struct {
	*system
	t       *testing.T
	people  []*person
	weather weather
	began   time.Time
	shop    workshop
	rules   atomic.Int32 // which of ruleTables is in force
	ahead   atomic.Int64 // seconds by which the functions' clock is ahead
	changed time.Time    // when the client's secret was last changed

	requests, wrong, lost, needless  atomic.Int64
	logins, renewals, faults, signed atomic.Int64
	stalls                           atomic.Int64 // answers given up after so long that this machine must have had no time

	mu        sync.Mutex // guards what follows
	findings  map[string]int
	verify    []int // microseconds, of a sample
	outcomes  map[string]int64
	forgeries []string
	said      []string // the latest lines of functions about what went wrong
}

// person is a browser with somebody before it.
type person struct {
	mu   sync.Mutex // one thing at a time, but for tabs
	b    *browser
	user string
	in   bool // has signed in, and not out
	lost time.Time
}

// lose drops the session cookie before its time, but not so often that it looks like a browser that keeps none.
func (s *soak) lose(p *person) {
	if time.Since(p.lost) > 65*time.Second {
		p.lost = time.Now()
		s.expire(p.b)
	}
}

// weather knows what was wrong when.
type weather struct {
	mu     sync.Mutex // guards what follows
	ending map[string]time.Time
}

// trouble begins, or goes on until a moment.
func (w *weather) trouble(kind string, until time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ending[kind].Before(until) {
		w.ending[kind] = until
	}
}

// fair reports whether none of the kinds of trouble was about after a moment.
func (w *weather) fair(since time.Time, kinds ...string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !slices.ContainsFunc(kinds, func(k string) bool { return w.ending[k].After(since) })
}

// giveUp ends a walk that cannot go on. It stands in for a test's own end, which only its own goroutine may bring about.
type giveUp struct{ sentence string }

type walker struct{ testing.TB }

func (w walker) Fatal(args ...any)            { panic(giveUp{fmt.Sprint(args...)}) }
func (w walker) Fatalf(f string, args ...any) { panic(giveUp{fmt.Sprintf(f, args...)}) }

func TestSoak(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: -short")
	}
	s := &soak{t: t, weather: weather{ending: map[string]time.Time{}}, findings: map[string]int{}, outcomes: map[string]int64{}}
	s.shop = newWorkshop(t)
	s.shop.set(t, ruleTables[0].text, 0)
	s.system = start(t, "-param", "EdgeAuth.UserBearer=true", "-build", s.shop.build, "-template", s.shop.template, "-reload", "all")
	s.output.sift(s.line)
	s.began = time.Now()
	s.standIn(t, "settings", `{"id_validity":"30s"}`)
	for i := range *soakBrowsers {
		s.people = append(s.people, &person{b: newBrowser(walker{t}), user: []string{alice, bob}[i%2]})
	}
	for _, name := range []string{"foreign_key", "alg_none", "other_client", "other_pool", "wrong_use", "no_exp"} {
		s.forgeries = append(s.forgeries, s.mint(t, fmt.Sprintf(`{"alter":%q}`, name)))
	}
	rss, routines := s.memory(), runtime.NumGoroutine()

	stop := make(chan struct{})
	var workers sync.WaitGroup
	for i := range 8 {
		dice := rand.New(rand.NewPCG(*soakSeed, uint64(i)))
		workers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					s.step(dice)
				}
			}
		})
	}
	dice := rand.New(rand.NewPCG(*soakSeed, 1000))
	for said := s.began; !s.done(); {
		s.storm(dice)
		if time.Since(said) > time.Minute {
			said = time.Now()
			t.Logf("%d requests after %.0f s, %d faults, %d findings", s.requests.Load(), time.Since(s.began).Seconds(), s.faults.Load(), s.wrong.Load()+s.lost.Load()+s.needless.Load())
		}
	}
	s.standIn(t, "clear", `{}`)
	close(stop)
	workers.Wait()
	s.report(rss, routines)
}

func (s *soak) done() bool {
	if *soakRequests > 0 {
		return s.requests.Load() >= *soakRequests
	}
	return time.Since(s.began) > time.Duration(*soakSeconds)*time.Second
}

// storm lets one thing go wrong for a while, and then nothing for a while.
func (s *soak) storm(dice *rand.Rand) {
	fault := func(kind, text string, last time.Duration) {
		s.weather.trouble(kind, time.Now().Add(time.Hour))
		s.standIn(s.t, "fault", text)
		time.Sleep(last)
		s.standIn(s.t, "clear", `{}`)
		s.calm(kind, traces[kind])
	}
	short := time.Duration(300+dice.IntN(700)) * time.Millisecond
	s.faults.Add(1)
	switch dice.IntN(15) {
	case 0:
		s.weather.trouble("rotation", time.Now().Add(time.Hour))
		s.standIn(s.t, "rotate", `{"step":"publish"}`)
		time.Sleep(short)
		s.standIn(s.t, "rotate", `{"step":"use"}`)
		s.calm("rotation", traces["rotation"])
	case 1:
		s.standIn(s.t, "rotate", `{"step":"publish"}`)
	case 2:
		fault("keys", `{"at":"jwks","kind":"status","status":503,"times":-1}`, short)
	case 3:
		fault("keys", `{"at":"jwks","kind":"html","times":-1}`, short)
	case 4:
		fault("keys", `{"at":"jwks","kind":"slow","times":-1}`, short)
	case 5:
		fault("tokens", `{"at":"token","kind":"status","status":503,"times":-1}`, short)
	case 6:
		fault("tokens", `{"at":"token","kind":"throttle","times":-1}`, short)
	case 7:
		fault("tokens", `{"at":"token","kind":"reset","times":-1}`, short)
	case 8:
		fault("tokens", `{"at":"token","kind":"slow","delay":"400ms","times":-1}`, short)
	case 9:
		s.weather.trouble("crash", time.Now().Add(time.Hour))
		s.crash()
		s.calm("crash", traces["crash"])
	case 10:
		s.standIn(s.t, "settings", fmt.Sprintf(`{"skew":"%ds"}`, dice.IntN(7)-3))
	case 11:
		s.changeSecret(dice)
	case 12:
		next := dice.Int32N(int32(len(ruleTables)))
		s.weather.trouble("rules", time.Now().Add(time.Hour))
		s.shop.deploy(s.t, ruleTables[next].text)
		s.rules.Store(next)
		s.calm("rules", traces["rules"])
	case 13: // what the leeway is for: iat may lie 30 s ahead
		s.stepClock(int64(dice.IntN(41) - 20))
		time.Sleep(3 * short)
		s.stepClock(0)
	case 14: // what no leeway covers
		s.weather.trouble("clock", time.Now().Add(time.Hour))
		s.stepClock([]int64{-90, 90}[dice.IntN(2)])
		time.Sleep(3 * short)
		s.stepClock(0)
		s.calm("clock", traces["clock"])
	}
	s.fairWeather(2*time.Second + 2*short)
}

// traces is how long a trouble is felt once it is over: who has asked for keys asks again after ten seconds, and for the secret after thirty, an answer may be
// on its way, and what a browser seems to have lost is remembered for a minute.
var traces = map[string]time.Duration{
	"keys": 12 * time.Second, "rotation": 12 * time.Second, "tokens": 4 * time.Second, "crash": 2 * time.Second,
	"rules": time.Second, "step": time.Second, "clock": 4 * time.Second, "loop": 65 * time.Second, "secret": 35 * time.Second,
}

// changeSecret changes the client's secret as docs/operations.md says: the old one left where the callback looks for it, and no second change before every
// instance has seen the first.
func (s *soak) changeSecret(dice *rand.Rand) {
	if time.Since(s.changed) < 6*time.Minute {
		return
	}
	s.changed = time.Now()
	s.standIn(s.t, "parameter", fmt.Sprintf(`{"name":"/edgeauth/auth/former-secret","value":%q}`, s.secret()))
	s.weather.trouble("secret", time.Now().Add(time.Hour))
	s.standIn(s.t, "secret", fmt.Sprintf(`{"client_id":%q,"secret":"anothersecretofthesameclient%d"}`, s.clientID(), dice.Uint64()))
	s.calm("secret", traces["secret"])
}

// ruleTables are the access rules that take turns: what they say, and, in the oracle's words, which people they let into /admin.
var ruleTables = []struct {
	text  string
	admin func(f facts) bool
}{
	{"* /* signed-in\n* /admin/* group:admins", func(f facts) bool { return f.admin }},
	{"* /* signed-in", func(facts) bool { return true }},
	{"* /* signed-in\n* /admin/* machine", func(facts) bool { return false }},
}

// stepClock sets how far the functions' clock is ahead.
func (s *soak) stepClock(seconds int64) {
	s.weather.trouble("step", time.Now().Add(time.Hour))
	s.weather.trouble("loop", time.Now().Add(time.Hour))
	s.shop.step(s.t, seconds)
	s.ahead.Store(seconds)
	s.calm("step", traces["step"])
	s.calm("loop", traces["loop"])
}

// fairWeather waits until nothing is wrong, and for a while longer, in which every answer has to be right.
func (s *soak) fairWeather(last time.Duration) {
	for !s.done() && !s.weather.fair(time.Now(), "keys", "rotation", "tokens", "crash", "rules", "step", "clock", "secret") {
		time.Sleep(100 * time.Millisecond)
	}
	if !s.done() {
		time.Sleep(last)
	}
}

// calm says that a trouble is over, whose traces last a moment longer.
func (s *soak) calm(kind string, traces time.Duration) {
	s.weather.mu.Lock()
	defer s.weather.mu.Unlock()
	s.weather.ending[kind] = time.Now().Add(traces)
}

// crash kills a function that people need.
func (s *soak) crash() {
	for _, pid := range descendants(s.t, s.cmd.Process.Pid) {
		if line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)); err == nil && strings.Contains(string(line), "bootstrap") {
			_ = syscall.Kill(pid, syscall.SIGKILL)
			return
		}
	}
}

// secret is what the operator sees who asks for the client's secret.
func (s *soak) secret() string {
	claims := claimsOf(s.t, s.mint(s.t, `{}`))
	issuer, _ := claims["iss"].(string)
	ask := fmt.Sprintf(`{"UserPoolId":%q,"ClientId":%q}`, issuer[strings.LastIndexByte(issuer, '/')+1:], claims["aud"])
	r := must(http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.cognito+"/", strings.NewReader(ask)))
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", "AWSCognitoIdentityProviderService.DescribeUserPoolClient")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=OPERATOR/20261124/eu-west-1/cognito-idp/aws4_request, SignedHeaders=host, Signature="+strings.Repeat("0", 64))
	var answer struct{ UserPoolClient struct{ ClientSecret string } }
	if e := exchangeOf(s.t, r); json.Unmarshal([]byte(e.body), &answer) != nil || answer.UserPoolClient.ClientSecret == "" {
		s.t.Fatalf("the client's secret: %d %.200s", e.status, e.body)
	}
	return answer.UserPoolClient.ClientSecret
}

func (s *soak) clientID() string {
	id, _ := claimsOf(s.t, s.mint(s.t, `{}`))["aud"].(string)
	return id
}

// step lets one of the people, or somebody without a browser, do something.
func (s *soak) step(dice *rand.Rand) {
	began := time.Now()
	p := s.people[dice.IntN(len(s.people))]
	defer func() {
		switch v := recover().(type) {
		case nil:
		case giveUp:
			s.trouble(began, &s.wrong, "a walk ended: "+v.sentence, "keys", "tokens", "crash", "rotation")
		default:
			panic(v)
		}
	}()
	switch n := dice.IntN(100); {
	case n < 84:
		p.mu.Lock()
		defer p.mu.Unlock()
		before := len(p.b.trace())
		s.act(dice, p)
		s.requests.Add(int64(len(p.b.trace()) - before))
		p.b.forgetTraces()
	case n < 90:
		s.forge(dice)
	case n < 95:
		s.program(dice)
	default:
		s.scan(dice)
	}
}

// act is what somebody does with a browser.
func (s *soak) act(dice *rand.Rand, p *person) {
	switch n := dice.IntN(100); {
	case n < 55:
		s.ask(p)
	case n < 75:
		s.open(p, fmt.Sprintf("/reports/%d?page=%d", dice.IntN(50), dice.IntN(9)))
	case n < 82: // tabs, restored at once
		var tabs sync.WaitGroup
		for i := range 3 {
			tabs.Go(func() {
				defer func() { _ = recover() }() // two tabs may each start a login: judged below by what comes after
				p.b.visit(fmt.Sprintf("%s/reports/%d?tab=%d", s.app, i, i))
			})
		}
		tabs.Wait()
		p.lost = time.Now() // each tab may have been given a session: to lose them now would look like a browser that keeps none
		s.open(p, "/")
	case n < 88: // the session cookie is over
		s.lose(p)
		s.open(p, "/reports/late")
	case n < 94:
		s.lose(p)
		s.renew(p)
	case n < 97:
		s.signOut(p)
	default:
		s.admin(p)
	}
}

// facts are what the oracle knows before a request.
type facts struct {
	at     time.Time
	good   bool // there is a session cookie with a token of the pool that is valid for a while, by the functions' clock
	none   bool // there is no session cookie, or one that is over, or one that has not begun
	email  string
	admin  bool
	rescue bool // there is something to renew with
}

func (s *soak) factsOf(p *person) facts {
	f := facts{at: time.Now(), none: true}
	for _, c := range s.sessionCookies(p.b) {
		claims := claimsOf(s.t, c.value)
		left, old := s.times(f.at, claims)
		f.email, _ = claims["email"].(string)
		groups, _ := claims["cognito:groups"].([]any)
		f.admin = slices.Contains(groups, any("admins"))
		kept := c.expires.IsZero() || time.Until(c.expires) > 8*time.Second // a browser goes by its own clock, and sends nothing that is over
		f.good, f.none = kept && left > 8 && old > -29, left < -6 || old < -31
	}
	f.rescue = len(p.b.cookies(s.host(), "__Secure-refresh")) > 0
	return f
}

// times returns for how many seconds a token is still good, by the functions' clock, and how many it is old.
func (s *soak) times(at time.Time, claims map[string]any) (left, old int64) {
	exp, _ := claims["exp"].(float64)
	iat, _ := claims["iat"].(float64)
	now := at.Unix() + s.ahead.Load()
	return int64(exp) - now, now - int64(iat)
}

// stalled is how long something takes that was given up for want of a processor: functions wait for three seconds before they do.
const stalled = 3 * time.Second

// gaveUp notes an answer that may be when the weather is bad, or when this machine had no time: then it comes late.
func (s *soak) gaveUp(since time.Time, finding string, unless ...string) {
	if time.Since(since) > stalled {
		s.stalls.Add(1)
		return
	}
	s.trouble(since, &s.wrong, finding, unless...)
}

// trouble notes an answer that may not be.
func (s *soak) trouble(since time.Time, count *atomic.Int64, finding string, unless ...string) {
	if !s.weather.fair(since, unless...) {
		return
	}
	count.Add(1)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.findings[finding] == 0 {
		s.t.Logf("after %.1f s, first of its kind: %s; what functions said lately:\n%s", time.Since(s.began).Seconds(), finding, strings.Join(s.said, "\n"))
	}
	if s.findings[finding]++; len(s.findings) > 50 {
		s.t.Fatalf("too much is wrong: %v", s.findings)
	}
}

// ask is a script's request.
func (s *soak) ask(p *person) {
	f := s.factsOf(p)
	e := p.b.fetch(http.MethodGet, s.app+"/api/me")
	s.judge(f, e, "a script")
}

// judge says whether the answer to a program may be.
func (s *soak) judge(f facts, e exchange, who string) {
	switch {
	case e.status == http.StatusOK:
		var me struct{ Email string }
		if f.none || json.Unmarshal([]byte(e.body), &me) != nil || me.Email != f.email {
			s.trouble(f.at, &s.wrong, who+" was let in as somebody else", "step")
		}
	case e.status == http.StatusUnauthorized:
		if f.good {
			s.trouble(f.at, &s.lost, who+" was turned away with a good session", "rotation", "step")
		}
	case e.status == http.StatusInternalServerError:
		s.gaveUp(f.at, who+" got a 500", "keys", "crash", "rotation")
	case e.status == http.StatusBadGateway: // the backend was killed at work
		s.gaveUp(f.at, who+" got a 502", "crash")
	default:
		s.trouble(f.at, &s.wrong, fmt.Sprintf("%s got a %d", who, e.status))
	}
}

// open is a navigation, with a sign-in if one is asked for.
func (s *soak) open(p *person, path string) {
	f := s.factsOf(p)
	e := p.b.visit(s.app + path)
	if origin(e.url) == s.cognito && e.status == http.StatusOK {
		if p.in && (f.good || f.rescue) {
			s.trouble(f.at, &s.needless, "somebody was asked to sign in who was signed in", "tokens", "keys", "crash", "rotation", "clock", "secret")
		}
		s.logins.Add(1)
		method, action, values := e.form(walker{s.t}, "password")
		values.Set("username", p.user)
		values.Set("password", password)
		e = p.b.click(e, method, action, values)
	}
	switch {
	case e.status == http.StatusOK && strings.HasPrefix(e.url.Path, "/Prod/") && !strings.HasPrefix(e.url.Path, "/Prod/auth/"):
		p.in = true
		if !strings.Contains(e.body, p.user) {
			s.trouble(f.at, &s.wrong, "the page is somebody else's")
		}
		if want := must(url.Parse(s.app + path)); e.url.RequestURI() != want.RequestURI() {
			s.trouble(f.at, &s.wrong, "the way back leads to another page")
		}
	case e.status == http.StatusInternalServerError:
		s.gaveUp(f.at, "a person got a 500", "keys", "crash", "rotation")
	case e.status == http.StatusServiceUnavailable:
		s.gaveUp(f.at, fmt.Sprintf("a person ends at %s with 503", e.url.Path), "secret", "tokens", "keys", "crash", "rotation", "clock")
	case e.status == http.StatusBadRequest && e.url.Path == "/Prod/auth/login": // the browser seems to lose its sessions, as it does when clocks differ
		s.trouble(f.at, &s.wrong, "a person is told of a loop", "loop", "secret", "tokens", "keys", "crash", "rotation")
	default:
		s.trouble(f.at, &s.wrong, fmt.Sprintf("a person ends at %s with %d", e.url.Path, e.status), "secret", "tokens", "keys", "crash", "rotation", "clock")
	}
}

// renew is what the helper of a page does when its session is over.
func (s *soak) renew(p *person) {
	f := s.factsOf(p)
	s.judge(f, p.b.fetch(http.MethodGet, s.app+"/api/me"), "a script without a session")
	e := p.b.fetch(http.MethodPost, s.app+"/auth/refresh")
	switch {
	case e.status == http.StatusNoContent:
		s.renewals.Add(1)
		if !f.rescue {
			s.trouble(f.at, &s.wrong, "renewed with nothing")
		}
		f = s.factsOf(p)
		s.judge(f, p.b.fetch(http.MethodGet, s.app+"/api/me"), "a script with a renewed session")
	case e.status == http.StatusUnauthorized:
		if f.rescue && p.in {
			s.trouble(f.at, &s.lost, "a session could not be renewed", "secret", "tokens", "keys", "crash", "rotation", "clock")
		}
	case e.status == http.StatusServiceUnavailable || e.status == http.StatusBadGateway || e.status == http.StatusInternalServerError:
		s.gaveUp(f.at, fmt.Sprintf("a renewal got a %d", e.status), "secret", "tokens", "keys", "crash", "rotation", "clock")
	default:
		s.trouble(f.at, &s.wrong, fmt.Sprintf("a renewal got a %d", e.status))
	}
}

// signOut signs out, and asks once more with what a thief has copied.
func (s *soak) signOut(p *person) {
	f := s.factsOf(p)
	thief := p.b.copy()
	e := p.b.fetch(http.MethodPost, s.app+"/auth/logout")
	if e.status != http.StatusOK {
		s.trouble(f.at, &s.wrong, fmt.Sprintf("a sign-out got a %d", e.status), "crash", "tokens", "secret")
		return
	}
	s.signed.Add(1)
	p.in = false
	p.b.drop(func(c cookie) bool { return origin(&url.URL{Scheme: "http", Host: c.host}) != "" && c.host != s.host() }) // the provider's own, as its logout does
	if left := s.sessionCookies(p.b); len(left) > 0 {
		s.trouble(f.at, &s.wrong, "a sign-out left a session behind")
	}
	if e := thief.fetch(http.MethodPost, s.app+"/auth/refresh"); e.status == http.StatusNoContent {
		s.trouble(f.at, &s.wrong, "a copied cookie renews after the sign-out", "tokens", "secret")
	}
}

// admin asks for what only some may see.
func (s *soak) admin(p *person) {
	f := s.factsOf(p)
	e := p.b.fetch(http.MethodGet, s.app+"/admin/users")
	may := ruleTables[s.rules.Load()].admin(f)
	if allowed := e.status == http.StatusOK; allowed && (!may || f.none) {
		s.trouble(f.at, &s.wrong, "somebody came in whom the rules keep out", "rules", "step")
	} else if e.status >= 500 {
		s.gaveUp(f.at, fmt.Sprintf("an admin got a %d", e.status), "keys", "crash", "rotation")
	} else if !allowed && may && f.good {
		s.trouble(f.at, &s.lost, fmt.Sprintf("somebody whom the rules let in got a %d", e.status), "keys", "crash", "rotation", "rules", "step")
	}
}

// forge sends what the pool has never made.
func (s *soak) forge(dice *rand.Rand) {
	began := time.Now()
	token := s.forgeries[dice.IntN(len(s.forgeries))]
	if dice.IntN(2) == 0 {
		token = flip(token, len(token)/2)
	}
	s.requests.Add(1)
	e := plain(walker{s.t}, http.MethodGet, s.app+"/api/me", "__Host-id="+token)
	switch e.status {
	case http.StatusUnauthorized:
	case http.StatusInternalServerError:
		s.gaveUp(began, "a forger got a 500", "keys", "crash", "rotation")
	default:
		s.trouble(began, &s.wrong, fmt.Sprintf("a forger got a %d", e.status))
	}
}

// program sends an access token, as programs do.
func (s *soak) program(*rand.Rand) {
	began := time.Now()
	token := s.mint(walker{s.t}, `{"use":"access","user":"alice@example.com"}`)
	left, old := s.times(began, claimsOf(s.t, token))
	s.requests.Add(1)
	e := plain(walker{s.t}, http.MethodGet, s.app+"/api/me", "", "Authorization", "Bearer "+token)
	switch e.status {
	case http.StatusOK:
		if left < -6 || old < -31 {
			s.trouble(began, &s.wrong, "a program was let in whose token is over, or has not begun", "step")
		}
	case http.StatusUnauthorized:
		if left > 8 && old > -29 {
			s.trouble(began, &s.lost, "a program was turned away", "rotation", "step")
		}
	default:
		s.gaveUp(began, fmt.Sprintf("a program got a %d", e.status), "keys", "crash", "rotation")
	}
}

// scan asks for what is not there.
func (s *soak) scan(dice *rand.Rand) {
	began := time.Now()
	paths := []string{"/.env", "/wp-login.php", "/admin/%2e%2e/x", "/a//b", "/auth/callback?code=x&state=y", "/auth/nothing", "/Admin/", "/auth/denied?reason=<x>", "/api/me;x", "/auth/session"}
	s.requests.Add(1)
	e := plain(walker{s.t}, http.MethodGet, s.app+paths[dice.IntN(len(paths))], "", "Accept", []string{"*/*", "text/html"}[dice.IntN(2)])
	if e.status == http.StatusOK {
		s.trouble(began, &s.wrong, "a scanner was let in")
	} else if e.status >= 500 {
		s.gaveUp(began, fmt.Sprintf("a scanner got a %d", e.status), "crash")
	}
}

// line reads what a function has logged.
func (s *soak) line(line []byte) {
	var l struct {
		Msg, Outcome, Reason string
		Decisions            int64
		Verify               json.RawMessage // a number, or those of all decisions that the line counts
	}
	if bytes.Contains(line, []byte(`"cannot_tell"`)) || bytes.Contains(line, []byte(`"WARN"`)) || bytes.Contains(line, []byte(`"ERROR"`)) {
		s.mu.Lock()
		s.said = append(s.said[max(0, len(s.said)-4):], string(line))
		s.mu.Unlock()
	}
	if json.Unmarshal(line, &l) != nil || l.Msg != "decision" && l.Msg != "decisions" {
		return
	}
	var times []int
	if l.Msg == "decisions" {
		_ = json.Unmarshal(l.Verify, &times)
	} else if l.Verify != nil {
		times = make([]int, 1)
		_ = json.Unmarshal(l.Verify, &times[0])
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.outcomes[l.Outcome+" "+l.Reason] += l.Decisions
	if len(s.verify) < 1_000_000 {
		s.verify = append(s.verify, times...)
	}
}

// memory is what the largest process of the authorizer holds, in kilobytes.
func (s *soak) memory() (kb int) {
	for _, pid := range descendants(s.t, s.cmd.Process.Pid) {
		line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil || !strings.Contains(string(line), "AuthorizerFunction") {
			continue
		}
		if _, rest, ok := strings.Cut(string(text), "VmRSS:"); ok {
			var n int
			_, _ = fmt.Sscan(rest, &n)
			kb = max(kb, n)
		}
	}
	return kb
}

// report says how it went.
func (s *soak) report(rss, routines int) {
	took := time.Since(s.began)
	stats := s.standIn(s.t, "stats", "")
	s.mu.Lock()
	defer s.mu.Unlock()
	slices.Sort(s.verify)
	at := func(q float64) int {
		if len(s.verify) == 0 {
			return 0
		}
		return s.verify[int(q*float64(len(s.verify)-1))]
	}
	runtime.GC()
	s.t.Logf("%d requests of %d browsers in %.0f s, seed %d, %d faults: %d wrong answers, %d sessions lost without cause, %d people asked to sign in without need",
		s.requests.Load(), len(s.people), took.Seconds(), *soakSeed, s.faults.Load(), s.wrong.Load(), s.lost.Load(), s.needless.Load())
	if n := s.stalls.Load(); n > 0 {
		s.t.Logf("%d answers were given up after %v and more: this machine had no time", n, stalled)
	}
	s.t.Logf("%d sign-ins, %d renewals by script, %d sign-outs; Cognito was asked for %v codes, %v renewals, %v key sets",
		s.logins.Load(), s.renewals.Load(), s.signed.Load(), stats["token.authorization_code"], stats["token.refresh_token"], stats["jwks"])
	s.t.Logf("verification p50 %d µs, p99 %d µs; an authorizer of at most %d kB, then %d kB; goroutines here %d, then %d",
		at(.5), at(.99), rss, s.memory(), routines, runtime.NumGoroutine())
	s.t.Logf("decisions: %v", s.outcomes)
	for finding, n := range s.findings {
		s.t.Errorf("%d times: %s", n, finding)
	}
}
