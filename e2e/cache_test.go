// Somebody turns the authorizer's result cache on. One browsing session is replayed without it and with it: the answers are the same, but for the checks
// that depend on more of a request than the cache's key, and those are named.
package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// What a cache loses; docs/decisions/no-cache.md says it in these words.
const (
	lostLogin     = "nobody is led to the login"
	lostReturn    = "the page to return to is another request's"
	lostReason    = "the reason of a refusal"
	lostForgery   = "requests from other sites get through"
	lostOverride  = "a method override gets through"
	lostPath      = "paths that can be read in two ways get through"
	lostBearer    = "bearer tokens do not count"
	lostStepUp    = "nobody is led to sign in again"
	lostProgram   = "programs are led to the login"
	lostInnocence = "one refused request locks the session out"
)

// visitors of the recorded session.
const (
	nobody   = "nobody"
	stale    = "alice, signed in an hour ago"
	broken   = "somebody with a cookie that is no token"
	attacked = "alice, on a page of another site first"
	robot    = "a program with an access token"
	mixed    = "alice, with a bad Authorization header"
)

// recording is a browsing session. on is what a cache makes of off, where that differs, and lost why.
var recording = []struct {
	who, method, path string
	header            []string
	off, on, lost     string
}{
	{who: alice, method: "GET", path: "/", header: asPage, off: "200"},
	{who: alice, method: "GET", path: "/api/me", off: "200"},
	{who: alice, method: "GET", path: "/admin/x", header: asPage, off: "200"},
	{who: alice, method: "POST", path: "/api/hello", off: "200"},
	{who: alice, method: "DELETE", path: "/api/hello", off: "302 /auth/denied?reason=no_rule", on: "302 /auth/denied", lost: lostReason},
	{who: bob, method: "GET", path: "/reports/1?q=1", header: asPage, off: "200"},
	{who: bob, method: "GET", path: "/api/me", off: "200"},
	{who: bob, method: "POST", path: "/api/hello", off: "200"},
	{who: bob, method: "GET", path: "/admin/x", header: asPage, off: "302 /auth/denied?reason=group_required&return_to=/Prod/admin/x", on: "302 /auth/denied", lost: lostReason},
	{who: bob, method: "GET", path: "/admin", off: "302 /auth/denied?reason=group_required", on: "302 /auth/denied", lost: lostReason},
	{who: bob, method: "GET", path: "/reports/2", header: asPage, off: "200"},
	{who: nobody, method: "GET", path: "/", header: asPage, off: "302 /auth/login?return_to=/Prod/", on: "401", lost: lostLogin},
	{who: nobody, method: "GET", path: "/api/me", off: "401"},
	{who: nobody, method: "GET", path: "/auth/session", off: "401"},
	{who: robot, method: "GET", path: "/api/me", off: "200", on: "401", lost: lostBearer},
	{who: mixed, method: "GET", path: "/api/me", off: "401", on: "200", lost: lostBearer},
	{who: alice, method: "POST", path: "/api/hello", header: fromElsewhere, off: "302 /auth/denied?reason=cross_site", on: "200", lost: lostForgery},
	{who: alice, method: "GET", path: "/api/hello", header: []string{"X-HTTP-Method-Override", "POST"}, off: "302 /auth/denied?reason=method_override", on: "200", lost: lostOverride},
	{who: alice, method: "GET", path: "/reports//x", header: asPage, off: "302 /auth/denied?reason=path_not_canonical", on: "200", lost: lostPath},
	{who: stale, method: "GET", path: "/", header: asPage, off: "200"},
	{who: stale, method: "GET", path: "/fresh", header: asPage, off: "302 /auth/login?prompt=login&return_to=/Prod/fresh", on: "302 /auth/denied", lost: lostStepUp},
	{who: broken, method: "GET", path: "/a?b=1", header: asPage, off: "302 /auth/login?return_to=/Prod/a?b=1"},
	{who: broken, method: "GET", path: "/c", header: asPage, off: "302 /auth/login?return_to=/Prod/c", on: "302 /auth/login?return_to=/Prod/a?b=1", lost: lostReturn},
	{who: broken, method: "GET", path: "/api/me", off: "401", on: "302 /auth/login?return_to=/Prod/a?b=1", lost: lostProgram},
	{who: attacked, method: "POST", path: "/api/hello", header: fromElsewhere, off: "302 /auth/denied?reason=cross_site"},
	{who: attacked, method: "GET", path: "/", header: asPage, off: "200", on: "302 /auth/denied?reason=cross_site", lost: lostInnocence},
}

var (
	asPage        = []string{"Accept", "text/html", "Sec-Fetch-Site", "none", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}
	fromElsewhere = []string{"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"}
)

func TestCacheLosesWhatItIsKnownToLose(t *testing.T) {
	told, err := os.ReadFile(filepath.Join(repository, "docs/decisions/no-cache.md"))
	if err != nil {
		t.Fatal(err)
	}
	rules := []string{"-param", "AccessRules=GET,POST /* signed-in\n* /admin/* group:admins\n* /fresh max-age:10m", "-param", "EdgeAuth.UserBearer=true"}
	off := replay(t, rules...)
	on := replay(t, append(rules, "-authorizer-ttl", "300")...)
	for i, r := range recording {
		want := r.on
		if want == "" {
			want = r.off
		}
		if off[i] != r.off || on[i] != want {
			t.Errorf("%s: %s %s: off %s, want %s; on %s, want %s", r.who, r.method, r.path, off[i], r.off, on[i], want)
		}
		if (r.on != "") != (r.lost != "") || !strings.Contains(strings.Join(strings.Fields(string(told)), " "), r.lost) {
			t.Errorf("%s: %s %s: docs/decisions/no-cache.md does not say that %q", r.who, r.method, r.path, r.lost)
		}
	}
}

// replay sends the recorded requests to a fresh system and returns what came of each.
func replay(t *testing.T, flags ...string) (outcomes []string) {
	t.Helper()
	s := start(t, flags...)
	session := func(user string) string {
		b := newBrowser(t)
		signIn(t, s, b, s.app+"/auth/login", user)
		return cookieHeader(s.sessionCookies(b))
	}
	// Signing in ends on a page, whose answer is remembered: the theme makes another key, nobody's so far.
	cookies := map[string]string{alice: session(alice), bob: session(bob), attacked: "theme=dark; " + session(alice), broken: "__Host-id=x"}
	cookies[mixed] = cookies[alice]
	cookies[stale] = "__Host-id=" + s.mint(t, fmt.Sprintf(`{"user":%q,"claims":{"auth_time":%d}}`, alice, time.Now().Add(-20*time.Minute).Unix()))
	authorization := map[string]string{robot: "Bearer " + s.accessToken(t), mixed: "Bearer x"}

	for _, r := range recording {
		header := r.header
		if a := authorization[r.who]; a != "" {
			header = append([]string{"Authorization", a}, header...)
		}
		e := plain(t, r.method, s.app+r.path, cookies[r.who], header...)
		outcome := strconv.Itoa(e.status)
		if e.status == http.StatusFound {
			to, err := url.QueryUnescape(strings.TrimPrefix(e.header.Get("Location"), "/Prod"))
			if err != nil {
				t.Fatal(err)
			}
			outcome += " " + to
		}
		outcomes = append(outcomes, outcome)
	}
	return outcomes
}

// accessToken gets a token by the tool.
func (s *system) accessToken(t testing.TB, flags ...string) string {
	t.Helper()
	cmd := exec.Command(filepath.Join(artifacts, "edgeauth"), append([]string{"token", "-url", s.app}, flags...)...)
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, complaint.String())
	}
	return strings.TrimSpace(string(out))
}
