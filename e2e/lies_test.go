// A provider that lies in every way that the specifications forbid, and in some that they allow: the real binaries sign in at it, renew and sign out. What
// has to come of each lie, and who says so, is in the provider's own list.
package e2e

import (
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"edgeauth/e2e/providers/liar"
)

// lied is the system in front of a provider that lies.
type lied struct {
	*site
	liar *liar.Provider
}

func atLiar(t *testing.T) *lied {
	l := &lied{}
	l.site = at(t, false, func(r registration) {
		l.liar = liar.New(liar.Config{Issuer: r.issuer(), ClientID: r.ClientID, ClientSecret: r.Secret, CallbackURL: r.CallbackURL})
		listener, err := net.Listen("tcp", "127.0.0.1:"+r.Port)
		if err != nil {
			t.Fatal(err)
		}
		server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: l.liar}
		go func() { _ = server.Serve(listener) }()
		t.Cleanup(func() { _ = server.Close() })
	})
	t.Cleanup(func() { l.requireDiscretion(t) })
	return l
}

// tell makes the provider lie.
func (l *lied) tell(t *testing.T, name string) {
	t.Helper()
	if err := l.liar.Tell(name); err != nil {
		t.Fatal(err)
	}
}

// freshen ends the functions, so that the next request meets processes that know no keys.
func (l *lied) freshen(t *testing.T) {
	t.Helper()
	l.kill(t, "AuthorizerFunction", "CallbackFunction")
}

// requireDiscretion asserts what holds for a whole run, whatever was lied about: the client did nothing that it must not do, asked no other address, and let
// no secret out of its hands.
func (l *lied) requireDiscretion(t *testing.T) {
	for _, sentence := range l.liar.Wrong() {
		t.Error(sentence)
	}
	for _, endpoint := range l.liar.Unasked() {
		t.Errorf("%s was asked", endpoint)
	}
	log := l.output.String()
	for _, secret := range l.liar.Secrets() {
		if secret != "" && strings.Contains(log, secret) {
			t.Fatal("a secret is in the log")
		}
	}
	if strings.Contains(log, `"forged":true`) {
		t.Error("a line of the log is somebody else's")
	}
}

// lies returns those of a kind, so that the kinds can be told at the same time to systems of their own.
func lies(which func(liar.Lie) bool) (some []liar.Lie) {
	for _, lie := range liar.Lies {
		if which(lie) {
			some = append(some, lie)
		}
	}
	return some
}

func TestLiesAreMany(t *testing.T) {
	seen := map[string]bool{}
	for _, lie := range liar.Lies {
		if seen[lie.Name] || lie.Why == "" {
			t.Errorf("%s: told twice, or nobody says what must come of it", lie.Name)
		}
		seen[lie.Name] = true
	}
	if len(seen) < 100 {
		t.Errorf("%d lies", len(seen))
	}
}

func TestLiesAtSignIn(t *testing.T) {
	t.Parallel()
	l := atLiar(t)
	for _, lie := range lies(func(l liar.Lie) bool { return !l.Fresh && !l.Renewal && !l.Revocation }) {
		t.Run(lie.Name, func(t *testing.T) { l.signInAtALie(t, lie) })
	}
}

func TestLiesAboutKeys(t *testing.T) {
	t.Parallel()
	l := atLiar(t)
	for _, lie := range lies(func(l liar.Lie) bool { return l.Fresh && !l.Renewal }) {
		t.Run(lie.Name, func(t *testing.T) { l.signInAtALie(t, lie) })
	}
}

// signInAtALie signs in while the provider lies, and again once it does not.
func (l *lied) signInAtALie(t *testing.T, lie liar.Lie) {
	const page = "/reports/2026?quarter=4"
	l.tell(t, lie.Name)
	if lie.Fresh {
		l.freshen(t)
	}
	b := newBrowser(t)
	e := b.visit(l.app + page)
	if l.liar.Told() == 0 {
		t.Error("it was not told")
	}
	if lie.Must == "" {
		l.wantSession(t, b, e, page)
		return
	}
	l.tell(t, "")
	requireFailedLogin(t, l.system, b, e, lie.Must)
	if strings.Contains(e.body, "<script>alert") || strings.Contains(e.body, "mallory") {
		t.Error("the page says what the provider made up")
	}
	if lie.Fresh {
		l.freshen(t)
	}
	wantPage(t, b.visit(l.app+page), http.StatusOK, "vera@example.com")
}

// wantSession asserts that a session has begun. An authorizer that has fetched the keys within ten seconds cannot tell yet what a newer key has signed:
// that is a 500, and no refusal. One that knows no keys gets them.
func (l *lied) wantSession(t *testing.T, b *browser, e exchange, page string) {
	t.Helper()
	if len(l.sessionCookies(b)) == 0 {
		t.Error("there is no session")
	}
	if e.status == http.StatusInternalServerError && e.header.Get("Retry-After") != "" {
		l.freshen(t)
		e = b.visit(l.app + page)
	}
	wantPage(t, e, http.StatusOK, "vera@example.com")
}

func TestLiesAtRenewal(t *testing.T) {
	t.Parallel()
	l := atLiar(t)
	for _, lie := range lies(func(l liar.Lie) bool { return l.Renewal }) {
		t.Run(lie.Name, func(t *testing.T) {
			if lie.Fresh {
				l.freshen(t)
				defer func() { l.tell(t, ""); l.freshen(t) }()
			}
			b := newBrowser(t)
			wantPage(t, b.visit(l.app+"/"), http.StatusOK, "vera@example.com")
			l.expire(b)
			l.tell(t, lie.Name)
			e := b.fetch(http.MethodPost, l.app+"/auth/refresh")
			if l.liar.Told() == 0 {
				t.Error("it was not told")
			}
			if lie.Must == "" {
				if e.status != http.StatusNoContent {
					t.Fatalf("%v: %s", e, e.body)
				}
				l.wantSession(t, b, b.visit(l.app+"/"), "/")
				return
			}
			l.tell(t, "")
			if answer := wantJSON(t, e, e.status); e.status < 400 || answer["reason"] != lie.Must {
				t.Errorf("%v with %v", e, answer["reason"])
			}
			if len(l.sessionCookies(b)) > 0 {
				t.Error("there is a session")
			}
			again, want := b.fetch(http.MethodPost, l.app+"/auth/refresh").status, http.StatusNoContent
			if lie.Ends {
				want = http.StatusUnauthorized
			}
			if again != want {
				t.Errorf("asked again, honestly: %d, want %d", again, want)
			}
			wantPage(t, b.visit(l.app+"/"), http.StatusOK, "vera@example.com")
		})
	}
}

func TestLiesAtSignOut(t *testing.T) {
	t.Parallel()
	l := atLiar(t)
	for _, lie := range lies(func(l liar.Lie) bool { return l.Revocation }) {
		t.Run(lie.Name, func(t *testing.T) {
			b := newBrowser(t)
			page := b.visit(l.app + "/")
			wantPage(t, page, http.StatusOK, "vera@example.com")
			l.tell(t, lie.Name)
			method, action, values := page.form(t, "")
			end := b.click(page, method, action, values)
			l.tell(t, "")
			wantPage(t, end, http.StatusOK, "signed out")
			if left := b.cookies(l.host(), ""); len(left) > 0 {
				t.Errorf("left behind: %s and %d more", left[0].name, len(left)-1)
			}
		})
	}
}

var write = flag.Bool("write", false, "write the page of lies instead of comparing it")

// TestLiesPage holds the page that people read to the list that is told.
func TestLiesPage(t *testing.T) {
	const file = "../docs/lies.md"
	page := must(os.ReadFile(file))
	head, _, found := strings.Cut(string(page), "\n| lie |")
	if !found {
		t.Fatal("the page has no table")
	}
	var b strings.Builder
	b.WriteString(head + "\n| lie | told | has to end with | who says so | module of the official suite |\n|---|---|---|---|---|\n")
	for _, lie := range liar.Lies {
		told, must := "at sign-in", "`"+lie.Must+"`"
		switch {
		case lie.Renewal:
			told = "at renewal"
		case lie.Revocation:
			told = "at sign-out"
		}
		if lie.Must == "" {
			must = "success"
		}
		if lie.Ends {
			must += ", and a new sign-in"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", lie.Name, told, must, lie.Why, lie.Suite)
	}
	if *write {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if b.String() != string(page) {
		t.Error("docs/lies.md is not what is told; go test ./e2e -run TestLiesPage -write makes it so")
	}
}
