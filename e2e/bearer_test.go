// Programs: tokens of users and of a machine in the Authorization header, and a backend that somebody adds by the README's five lines.
package e2e

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestTokenCommand(t *testing.T) {
	s := start(t, "-param", "EdgeAuth.UserBearer=true", "-param", "EdgeAuth.MachineScope=reports/read", "-param", "AccessRules=* /* signed-in\nGET /api/hello scope:reports/read")
	user, machine := s.accessToken(t, "-user", bob), s.accessToken(t, "-machine")
	bearer := func(path, token string) exchange {
		return plain(t, http.MethodGet, s.app+path, "", "Authorization", "Bearer "+token)
	}
	if me := wantJSON(t, bearer("/api/me", user), http.StatusOK); me["token_use"] != "access" || me["sub"] != claimsOf(t, user)["sub"] || me["auth_time"] == nil {
		t.Errorf("a user is %v", me)
	}
	me := wantJSON(t, bearer("/api/me", machine), http.StatusOK)
	if me["sub"] != me["client_id"] || me["username"] != nil || me["auth_time"] != nil || me["scopes"].([]any)[0] != "reports/read" {
		t.Errorf("a machine is %v", me)
	}
	wantJSON(t, bearer("/api/hello", machine), http.StatusOK)
	if e := bearer("/api/hello", user); e.status != http.StatusFound || e.location(t).RawQuery != "reason=scope_required" {
		t.Errorf("%v", e)
	}

	closed := start(t) // by default nobody's
	for _, token := range []string{user, closed.accessToken(t)} {
		wantJSON(t, plain(t, http.MethodGet, closed.app+"/api/me", "", "Authorization", "Bearer "+token), http.StatusUnauthorized)
	}
}

// TestBackendInFiveLines adds the README's function to the template, with the binary of another one, and asks it.
func TestBackendInFiveLines(t *testing.T) {
	if err := build(); err != nil {
		t.Fatal(err)
	}
	readme := string(must(os.ReadFile(filepath.Join(repository, "README.md"))))
	lines := regexp.MustCompile("(?s)```yaml\n(  ReportsFunction:.*?)```").FindStringSubmatch(readme)
	if lines == nil || strings.Count(lines[1], "\n") != 5 {
		t.Fatalf("not five lines: %q", lines)
	}
	path := filepath.Join(t.TempDir(), "template.yaml")
	text := strings.Replace(string(must(os.ReadFile(template()))), "\nResources:\n", "\nResources:\n"+lines[1], 1)
	if err := errors.Join(os.WriteFile(path, []byte(text), 0o600), part(filepath.Dir(path))); err != nil {
		t.Fatal(err)
	}
	functions := t.TempDir()
	for name, of := range map[string]string{
		"EdgeAuth": "EdgeAuth", "CallbackFunction": "CallbackFunction", "DashboardFunction": "DashboardFunction", "ApiFunction": "ApiFunction",
		"ReportsFunction": "ApiFunction",
	} {
		if err := os.Symlink(filepath.Join(artifacts, of), filepath.Join(functions, name)); err != nil {
			t.Fatal(err)
		}
	}
	s := start(t, "-template", path, "-build", functions)
	wantJSON(t, plain(t, http.MethodGet, s.app+"/reports/1", ""), http.StatusUnauthorized)
	b := newBrowser(t)
	signIn(t, s, b, s.app+"/", alice)
	// That binary knows no such page: JSON with 404 is its answer to somebody it knows; the dashboard, whose route is wider, would have shown a page.
	if e := wantJSON(t, b.fetch(http.MethodGet, s.app+"/reports/1"), http.StatusNotFound); e["error"] != "not_found" {
		t.Errorf("the new function says %v", e)
	}
}
