package login_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestHelper runs the tests of edgeauth.js, where the machine has Node, on the text that is served.
func TestHelper(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("SKIPPED: no node on this machine, so the sign-in helper goes untested")
	}
	served := filepath.Join(t.TempDir(), "edgeauth.js")
	if err := os.WriteFile(served, []byte(body(newSystem(t).browser().send("GET", base+"/auth/edgeauth.js"))), 0o600); err != nil {
		t.Fatal(err)
	}
	run := exec.CommandContext(t.Context(), node, "--experimental-vm-modules", "--no-warnings", "--test", "edgeauth.test.mjs")
	run.Env = append(os.Environ(), "EDGEAUTH_JS="+served)
	if out, err := run.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

func TestTypesAreServed(t *testing.T) {
	res := newSystem(t).browser().send("GET", base+"/auth/edgeauth.d.ts")
	if res.StatusCode != 200 || res.Header.Get("Content-Type") != "text/plain; charset=utf-8" || !strings.Contains(body(res), `"edgeauth:ended": CustomEvent<Ended>`) {
		t.Errorf("%d %v", res.StatusCode, res.Header)
	}
}
