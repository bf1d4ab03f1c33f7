// Two stacks on one domain: the sign-in is an API of its own, mapped at auth, and an API of each stack is behind it.
package e2e

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// startOneDomain runs the example as a release is taken in, with the binaries of this run.
func startOneDomain(t *testing.T, flags ...string) *system {
	t.Helper()
	if err := build(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(repository, "examples/one-domain"))); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "edgeauth"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := part(filepath.Join(dir, "edgeauth")); err != nil {
		t.Fatal(err)
	}
	appPort, cognitoPort := freePort(t), freePort(t)
	s := launch(t, append([]string{
		"-template", "orders=" + filepath.Join(dir, "orders.yaml"), "-template", "reports=" + filepath.Join(dir, "reports.yaml"),
		"-app-port", appPort, "-cognito-port", cognitoPort,
		"-param", "AppDomain=app.example.com", "-param", "AppCertificateArn=arn:aws:acm:eu-west-1:123456789012:certificate/here",
	}, flags...)...)
	s.app, s.cognito = "http://localhost:"+appPort, "http://127.0.0.1:"+cognitoPort
	if !s.output.wait(regexp.MustCompile(`(?m)^ready `+regexp.QuoteMeta(s.app)+`/`), s.exited, 4*readyWithin) {
		t.Fatalf("the system did not get ready:\n%s", s.output)
	}
	return s
}

// A person signs in at one stack's API, opens the other's without being asked again, and is signed out of both by one click.
func TestTwoStacksOnOneDomainInChromium(t *testing.T) {
	b := openBrowser(t)
	s := startOneDomain(t)
	shows := func(title string) {
		t.Helper()
		if got := b.text("h1"); got != title {
			t.Fatalf("at %s: %q, want %q", b.where(), got, title)
		}
		b.requireSignedIn(alice)
	}

	b.open(s.app + "/orders/deep/link?a=1")
	b.requireLogin(s)
	if at := b.submitLogin(alice); at.String() != s.app+"/orders/deep/link?a=1" {
		t.Fatalf("after the sign-in at %s", at)
	}
	shows("Orders")

	logins := strings.Count(s.output.String(), "/oauth2/authorize")
	if at := b.open(s.app + "/reports/deep/link"); at.String() != s.app+"/reports/deep/link" {
		t.Fatalf("the other stack leads to %s", at)
	}
	shows("Reports")
	if again := strings.Count(s.output.String(), "/oauth2/authorize"); again != logins {
		t.Error("the other stack asked for a login")
	}

	if at := b.clickThrough("form button"); at.String() != s.app+"/auth/signed-out" {
		t.Fatalf("signing out ends at %s", at)
	}
	for _, path := range []string{"/orders/", "/reports/"} {
		b.open(s.app + path)
		b.requireLogin(s)
	}
	if at := b.submitLogin(alice); at.String() != s.app+"/reports/" {
		t.Fatalf("a sign-in that began at the second stack ends at %s", at)
	}
	shows("Reports")
	b.requireNoProblems()
}

// Programs get the same answers from both, and one table of rules is for each API's paths below its own address.
func TestTwoStacksOnOneDomain(t *testing.T) {
	s := startOneDomain(t, "-param", "EdgeAuth.AccessRules=* /* signed-in\n* /admin/* group:admins")
	for _, path := range []string{"/orders/x", "/reports/x"} {
		wantJSON(t, plain(t, http.MethodGet, s.app+path, ""), http.StatusUnauthorized)
		e := plain(t, http.MethodGet, s.app+path, "", "Accept", "text/html")
		if want := "/auth/login?return_to=" + url.QueryEscape(path); e.status != http.StatusFound || !strings.HasSuffix(e.header.Get("Location"), want) {
			t.Errorf("a browser at %s: %d to %s, want %s", path, e.status, e.header.Get("Location"), want)
		}
	}
	b := newBrowser(t)
	signIn(t, s, b, s.app+"/orders/", bob)
	first := wantJSON(t, b.fetch(http.MethodGet, s.app+"/orders/x"), http.StatusOK)
	if second := wantJSON(t, b.fetch(http.MethodGet, s.app+"/reports/x"), http.StatusOK); second["sub"] == nil || second["sub"] != first["sub"] {
		t.Errorf("the first stack sees %v, the second %v", first, second)
	}
	for _, path := range []string{"/orders/admin/x", "/reports/admin/x"} {
		if e := b.fetch(http.MethodGet, s.app+path); e.status != http.StatusFound || !strings.Contains(e.header.Get("Location"), "/auth/denied?reason=group_required") {
			t.Errorf("%s for somebody who may not: %d to %s", path, e.status, e.header.Get("Location"))
		}
	}
	b.drop(func(c cookie) bool { return strings.HasPrefix(c.name, "__Host-id") })
	for _, path := range []string{"/orders/x", "/reports/x"} {
		wantJSON(t, b.fetch(http.MethodGet, s.app+path), http.StatusUnauthorized)
	}
}
