// Who has copied what of a browser, and how long it opens the door: the rows of the table in docs/sessions.md, measured with tokens of twelve seconds.
package e2e

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	tokenLife  = 12 * time.Second
	tokenGrace = 5 * time.Second // what an authorizer allows for clocks that differ
	watchedFor = 24 * time.Second
)

// loot is what somebody has copied, and uses for as long as he can.
type loot struct {
	what     string
	signsOut bool // the owner signs out after it was copied
	cookies  []cookie
	lived    time.Duration // since the sign-out, or the copy, when it last opened the door
	renewed  int
}

// use opens the door with the session cookie, and renews it where there is something to renew it by.
func (l *loot) use(t testing.TB, s *system) bool {
	if s.opens(t, cookieHeader(l.cookies)) == http.StatusOK {
		return true
	}
	e := plain(t, http.MethodPost, s.app+"/auth/refresh", cookieHeader(l.cookies), "Origin", origin(must(url.Parse(s.app))), "Sec-Fetch-Site", "same-origin")
	if e.status != http.StatusNoContent {
		return false
	}
	l.renewed++
	for _, line := range e.setCookie {
		c, deleted, err := parseCookie(e.url, line)
		if err != nil {
			t.Error(err)
		}
		var kept []cookie
		for _, old := range l.cookies {
			if old.name != c.name {
				kept = append(kept, old)
			}
		}
		if l.cookies = kept; !deleted {
			l.cookies = append(l.cookies, c)
		}
	}
	return s.opens(t, cookieHeader(l.cookies)) == http.StatusOK
}

func TestWhoHasCopiedWhat(t *testing.T) {
	t.Parallel()
	const unborn, forEver = 0, watchedFor
	token := tokenLife + tokenGrace
	for _, c := range []struct {
		protection string
		flags      []string
		stays, out map[string]time.Duration // how long it lives at most, by what was copied: the owner stays, or signs out
	}{
		{
			"none", nil,
			map[string]time.Duration{"ID cookie": token, "refresh cookie": unborn, "both": token, "whole profile": forEver},
			map[string]time.Duration{"ID cookie": token, "refresh cookie": unborn, "both": token, "whole profile": token},
		},
		{
			"cut-off",
			[]string{"-param", "CutOffSeconds=5"},
			map[string]time.Duration{"ID cookie": token, "refresh cookie": unborn, "both": token, "whole profile": forEver},
			map[string]time.Duration{"ID cookie": cutSeconds * time.Second, "refresh cookie": unborn, "both": cutSeconds * time.Second, "whole profile": cutSeconds * time.Second},
		},
	} {
		t.Run(c.protection, func(t *testing.T) {
			t.Parallel()
			s := start(t, c.flags...)
			s.standIn(t, "settings", `{"id_validity":"`+tokenLife.String()+`"}`)
			var wait sync.WaitGroup
			for _, signsOut := range []bool{false, true} {
				bounds := c.stays
				if signsOut {
					bounds = c.out
				}
				for what, bound := range bounds {
					wait.Go(func() {
						l := &loot{what: what, signsOut: signsOut}
						owner := newBrowser(t)
						signIn(t, s, owner, s.app+"/", alice)
						copied := time.Now()
						for _, k := range owner.cookies(s.host(), "") {
							isID := strings.HasPrefix(k.name, "__Host-id")
							isRefresh := k.name == "__Secure-refresh"
							if what == "whole profile" || isID && what != "refresh cookie" || isRefresh && what != "ID cookie" {
								l.cookies = append(l.cookies, k)
							}
						}
						if signsOut {
							owner.fetch(http.MethodPost, s.app+"/auth/logout")
							copied = time.Now()
						}
						for {
							sent := time.Now()
							if sent.Sub(copied) > watchedFor {
								break
							}
							if l.use(t, s) {
								l.lived = sent.Sub(copied)
							}
							time.Sleep(300 * time.Millisecond)
						}
						l.judge(t, bound)
					})
				}
			}
			wait.Wait()
		})
	}
}

// judge wants a copy to have lived up to a bound, and not much shorter: a bound that is too wide says nothing.
func (l *loot) judge(t testing.TB, bound time.Duration) {
	t.Helper()
	t.Logf("%s, signed out %t: %v, renewed %d times", l.what, l.signsOut, l.lived.Round(100*time.Millisecond), l.renewed)
	least := bound - 8*time.Second
	if bound == cutSeconds*time.Second {
		least = 0 // as the last reading had it
	}
	if l.lived > bound || l.lived < least || (l.renewed > 0) != (bound == watchedFor) {
		t.Errorf("%s, signed out %t: lived %v and was renewed %d times, want %v", l.what, l.signsOut, l.lived, l.renewed, bound)
	}
}
