// Sessions that were ended early, with the real binaries and a table that can fail: a copied cookie dies within the seconds that the parameter names, at every
// process of the authorizer, and while nobody can tell, nobody gets in.
package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// cutSeconds is the parameter CutOffSeconds.
const cutSeconds = 5

// startWithCuts runs a system with a list of endings.
func startWithCuts(t testing.TB) *system {
	t.Helper()
	return start(t, "-param", fmt.Sprintf("CutOffSeconds=%d", cutSeconds))
}

// authorizers are the processes of the authorizer.
func (s *system) authorizers(t testing.TB) (pids []int) {
	t.Helper()
	for _, pid := range descendants(t, s.cmd.Process.Pid) {
		if program, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid)); err == nil && strings.HasSuffix(program, "/AuthorizerFunction/bootstrap") {
			pids = append(pids, pid)
		}
	}
	return pids
}

// copied is a cookie of somebody who then signs out.
type copied struct {
	owner  *browser
	cookie string
	out    time.Time     // when the sign-out was answered
	lived  time.Duration // after that: when the last request that was let in was sent
}

// copyOf signs somebody in and copies the session cookie.
func (s *system) copyOf(t testing.TB, user string) *copied {
	b := newBrowser(t)
	signIn(t, s, b, s.app+"/", user)
	return &copied{owner: b, cookie: cookieHeader(s.sessionCookies(b))}
}

// opens reports the status that a copied cookie gets.
func (s *system) opens(t testing.TB, cookie string) int {
	return plain(t, http.MethodGet, s.app+"/api/me", cookie).status
}

// signOut ends the owner's session.
func (c *copied) signOut(t testing.TB, s *system) {
	e := c.owner.fetch(http.MethodPost, s.app+"/auth/logout")
	c.out = time.Now()
	if e.status != http.StatusOK || len(c.owner.cookies(s.host(), "")) > 0 {
		t.Errorf("%v, and %d cookies are left", e, len(c.owner.cookies(s.host(), "")))
	}
}

// watch uses the cookie again and again, until it must have been dead for a while. Not one request that was sent after the bound may be let in.
func (c *copied) watch(t testing.TB, s *system, every time.Duration) {
	for {
		sent := time.Now()
		status := s.opens(t, c.cookie)
		age := sent.Sub(c.out)
		switch {
		case status == http.StatusOK && age > cutSeconds*time.Second:
			t.Errorf("a copied cookie was let in %v after its owner had signed out", age)
		case status == http.StatusOK:
			c.lived = max(c.lived, age)
		case status != http.StatusUnauthorized:
			t.Errorf("a copied cookie: status %d", status)
		}
		if age > (cutSeconds+1)*time.Second {
			return
		}
		time.Sleep(every)
	}
}

// figures says how long copied cookies lived.
func figures(all []*copied) string {
	var lived []time.Duration
	for _, c := range all {
		lived = append(lived, c.lived)
	}
	slices.Sort(lived)
	return fmt.Sprintf("%d copied cookies, all dead; they lived %v in the median, %v at most", len(lived), lived[len(lived)/2].Round(10*time.Millisecond), lived[len(lived)-1].Round(10*time.Millisecond))
}

// threeAuthorizers sends requests at once until there are three processes of the authorizer, each of which has read the list.
func (s *system) threeAuthorizers(t testing.TB, cookie string) {
	t.Helper()
	eventually(t, "there are three authorizers", func() bool {
		var wait sync.WaitGroup
		for range 12 {
			wait.Go(func() { s.opens(t, cookie) })
		}
		wait.Wait()
		return len(s.authorizers(t)) >= 3
	})
}

// Whoever has signed out is out everywhere within the seconds that were asked for, however many authorizers there are, and however many sign out at a time.
func TestCopiedCookiesDie(t *testing.T) {
	t.Parallel()
	s := startWithCuts(t)
	for _, c := range []struct {
		name          string
		cookies       int
		apart, asking time.Duration
	}{
		{"twenty, with three authorizers", 20, 370 * time.Millisecond, 60 * time.Millisecond},
		{"ten sign-outs a second", 50, 100 * time.Millisecond, 200 * time.Millisecond},
	} {
		var all []*copied
		for i := range c.cookies {
			all = append(all, s.copyOf(t, []string{alice, bob}[i%2]))
		}
		stays := s.copyOf(t, alice)
		s.threeAuthorizers(t, stays.cookie)
		var wait sync.WaitGroup
		ticks := time.NewTicker(c.apart)
		for _, one := range all {
			<-ticks.C
			wait.Go(func() {
				one.signOut(t, s)
				one.watch(t, s, c.asking)
			})
		}
		wait.Wait()
		ticks.Stop()
		if n := len(s.authorizers(t)); n < 3 {
			t.Errorf("%s: there are %d authorizers", c.name, n)
		}
		if status := s.opens(t, stays.cookie); status != http.StatusOK { // the same person, another sign-in
			t.Errorf("%s: who did not sign out gets %d", c.name, status)
		}
		t.Logf("%s: %s", c.name, figures(all))
	}
}

// An administrator ends all sessions of a person within the same seconds, on every device, also those of which every cookie was copied; everybody else stays, and
// the person may come back with the password. Then everybody's.
func TestCutByHand(t *testing.T) {
	t.Parallel()
	s := startWithCuts(t)
	edgeauth := func(args ...string) string {
		t.Helper()
		out, err := exec.Command(filepath.Join(artifacts, "edgeauth"), append(args, "-local", s.cognito)...).CombinedOutput()
		if err != nil {
			t.Fatalf("edgeauth %v: %v: %s", args, err, out)
		}
		return string(out)
	}
	phone, laptop, bobs := s.copyOf(t, alice), s.copyOf(t, alice), s.copyOf(t, bob)
	thief := phone.owner.copy()
	end := func(all ...*copied) {
		var wait sync.WaitGroup
		for _, c := range all {
			c.out = time.Now()
			wait.Go(func() { c.watch(t, s, 200*time.Millisecond) })
		}
		wait.Wait()
		t.Log(figures(all))
	}
	edgeauth("cut", alice)
	end(phone, laptop)
	if e := thief.fetch(http.MethodPost, s.app+"/auth/refresh"); e.status != http.StatusUnauthorized || !strings.Contains(e.body, "session_cut") {
		t.Errorf("a copied browser renews: %v %s", e, e.body)
	}
	if status := s.opens(t, bobs.cookie); status != http.StatusOK {
		t.Errorf("bob gets %d", status)
	}
	wantPage(t, signIn(t, s, laptop.owner, s.app+"/", alice), http.StatusOK, alice) // asked for the password, though Cognito's own session goes on
	back := &copied{owner: laptop.owner, cookie: cookieHeader(s.sessionCookies(laptop.owner))}
	if status := s.opens(t, back.cookie); status != http.StatusOK {
		t.Errorf("alice, signed in again, gets %d", status)
	}
	edgeauth("cut", "-everybody")
	end(back, bobs)
	list := edgeauth("cuts")
	if lines := strings.Split(strings.TrimSpace(list), "\n"); len(lines) != 2 || !strings.Contains(lines[0], "  user       ") || !strings.Contains(lines[1], "  everybody  ") {
		t.Errorf("the list is\n%s", list)
	}
}

// tableOfEndings sends a word to the stand-in for the table.
func (s *system) tableOfEndings(t testing.TB, word, body string) map[string]any {
	t.Helper()
	return s.standIn(t, "table/"+word, body)
}

// While the table fails, what an authorizer has read counts on; a new one lets nobody in; signing out goes on, and says that nobody was told; and once the
// table is well again, so is everything.
func TestTheTableFails(t *testing.T) {
	t.Parallel()
	s := startWithCuts(t)
	good, out := s.copyOf(t, alice), s.copyOf(t, bob)
	out.signOut(t, s)
	out.watch(t, s, 500*time.Millisecond)
	want := func(when string, goodGets, outGets int) {
		t.Helper()
		if g, o := s.opens(t, good.cookie), s.opens(t, out.cookie); g != goodGets || o != outGets {
			t.Errorf("%s: who is in gets %d, and who is out %d; want %d and %d", when, g, o, goodGets, outGets)
		}
	}
	anew := func() {
		for _, pid := range s.authorizers(t) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		eventually(t, "the authorizers are gone", func() bool { return len(s.authorizers(t)) == 0 })
	}
	for _, kind := range []string{"hang", "error", "throttle", "denied"} {
		during := s.copyOf(t, bob)
		want(kind+", before", http.StatusOK, http.StatusUnauthorized)
		s.tableOfEndings(t, "fault", `{"kind":"`+kind+`","times":-1}`)
		want(kind, http.StatusOK, http.StatusUnauthorized)
		failures := strings.Count(s.output.String(), `"CutFailed":1`)
		began := time.Now()
		during.signOut(t, s)
		if took := time.Since(began); took > 1500*time.Millisecond {
			t.Errorf("%s: signing out took %v", kind, took)
		}
		eventually(t, kind+": it is told that a sign-out was not written", func() bool { // the line may come after the answer
			return strings.Count(s.output.String(), `"CutFailed":1`) > failures
		})
		anew()
		if e := plain(t, http.MethodGet, s.app+"/api/me", good.cookie); e.status != http.StatusInternalServerError || e.header.Get("Retry-After") == "" {
			t.Errorf("%s: at a new authorizer, who is in gets %v, %v", kind, e, e.header)
		}
		want(kind+", at a new authorizer", http.StatusInternalServerError, http.StatusInternalServerError)
		s.tableOfEndings(t, "clear", `{}`)
		anew()
		want(kind+", and after", http.StatusOK, http.StatusUnauthorized)
	}
	// A table that has lost everything: an authorizer that has read the ending knows it for ever.
	s.tableOfEndings(t, "fault", `{"operation":"Query","kind":"empty","times":-1}`)
	asked := s.tableOfEndings(t, "stats", "")["Query"].(float64)
	eventually(t, "the list is read anew", func() bool {
		want("empty", http.StatusOK, http.StatusUnauthorized)
		return s.tableOfEndings(t, "stats", "")["Query"].(float64) > asked
	})
	want("empty", http.StatusOK, http.StatusUnauthorized)
	reasons := map[string]bool{}
	for _, line := range s.output.lines() {
		var decision struct{ Msg, Reason string }
		if json.Unmarshal([]byte(line), &decision) == nil && decision.Msg == "decision" {
			reasons[decision.Reason] = true
		}
	}
	if !reasons["session_cut"] || !reasons["cuts_unavailable"] {
		t.Errorf("the reasons were %v", reasons)
	}
}

// Without the parameter there is no table, and nobody asks for one.
func TestWithoutCutOff(t *testing.T) {
	s := start(t)
	c := s.copyOf(t, alice)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.cognito+"/_standin/table/stats", nil)
	if err != nil {
		t.Fatal(err)
	}
	if e := exchangeOf(t, r); e.status != http.StatusNotFound {
		t.Errorf("there is a table: %v", e)
	}
	before := s.standIn(t, "stats", "")
	if status := s.opens(t, c.cookie); status != http.StatusOK {
		t.Errorf("status %d", status)
	}
	c.signOut(t, s)
	if status := s.opens(t, c.cookie); status != http.StatusOK {
		t.Errorf("a copied cookie gets %d, though nothing ends a token early", status)
	}
	after := s.standIn(t, "stats", "")
	if before["aws"] != after["aws"] {
		t.Errorf("AWS was asked for something: %v, then %v", before, after)
	}
}
