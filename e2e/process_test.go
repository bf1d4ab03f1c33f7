// The local system as a process: ready soon, gone without a trace, and clear about why it does not start.
package e2e

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The command that a newcomer types, with everything built already; and the one that gives curl a session.
func TestMakeRunAndCookie(t *testing.T) {
	run := func() *system {
		appPort, cognitoPort := freePort(t), freePort(t)
		cmd := exec.Command("make", "run", "RUN_FLAGS=-app-port "+appPort+" -cognito-port "+cognitoPort)
		cmd.Dir = repository
		s := begin(t, cmd)
		s.await(t, appPort, cognitoPort, time.Minute)
		return s
	}
	end := func(s *system) {
		below := descendants(t, s.cmd.Process.Pid)
		_ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGINT)
		s.exitCode(t)
		eventually(t, "every process ends", func() bool { return !slices.ContainsFunc(below, alive) })
	}
	end(run())

	s := run()
	if s.ready > readyWithin {
		t.Errorf("ready after %v, want %v at most", s.ready, readyWithin)
	}
	for _, argument := range []string{"URL=" + s.app, "URL=" + s.app + "/"} {
		cmd := exec.Command("make", "-s", "cookie", argument)
		cmd.Dir = repository
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("make cookie: %v: %s", err, out)
		}
		if me := wantJSON(t, plain(t, http.MethodGet, s.app+"/api/me", strings.TrimSpace(string(out))), http.StatusOK); me["email"] != alice {
			t.Errorf("the cookie is of %v", me["email"])
		}
	}
	end(s)
}

// However the system ends, the functions end with it.
func TestNoProcessIsLeftBehind(t *testing.T) {
	for name, end := range map[string]func(pid int) error{
		"Ctrl-C at a terminal":     func(pid int) error { return syscall.Kill(-pid, syscall.SIGINT) },
		"an interrupt to it alone": func(pid int) error { return syscall.Kill(pid, syscall.SIGINT) },
		"a termination":            func(pid int) error { return syscall.Kill(pid, syscall.SIGTERM) },
		"a kill":                   func(pid int) error { return syscall.Kill(pid, syscall.SIGKILL) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t)
			b := newBrowser(t)
			signIn(t, s, b, s.app+"/", alice)
			b.fetch(http.MethodGet, s.app+"/api/me")
			children := descendants(t, s.cmd.Process.Pid)
			if len(children) < 4 {
				t.Fatalf("%d processes below, want one for each of four functions at least", len(children))
			}
			if err := end(s.cmd.Process.Pid); err != nil {
				t.Fatal(err)
			}
			select {
			case <-s.exited:
			case <-time.After(10 * time.Second):
				t.Fatal("still running after 10 s")
			}
			eventually(t, "every function process ends", func() bool { return !slices.ContainsFunc(children, alive) })
		})
	}
}

// descendants returns the processes below a process.
func descendants(t testing.TB, pid int) []int {
	t.Helper()
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("SKIPPED: needs /proc")
	}
	parents := map[int]int{}
	for _, path := range must(filepath.Glob("/proc/[0-9]*/stat")) {
		if child, parent, ok := parentOf(path); ok {
			parents[child] = parent
		}
	}
	var below []int
	for child := range parents {
		for p := parents[child]; p > 1; p = parents[p] {
			if p == pid {
				below = append(below, child)
				break
			}
		}
	}
	return below
}

// parentOf reads /proc/<pid>/stat, where the name in parentheses may hold anything.
func parentOf(path string) (pid, parent int, ok bool) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, 0, false
	}
	pid, err = strconv.Atoi(filepath.Base(filepath.Dir(path)))
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	if err != nil || len(fields) < 2 || fields[0] == "Z" {
		return 0, 0, false
	}
	parent, err = strconv.Atoi(fields[1])
	return pid, parent, err == nil
}

func alive(pid int) bool {
	_, _, ok := parentOf(fmt.Sprintf("/proc/%d/stat", pid))
	return ok
}

// A function that dies is started again.
func TestFunctionsAreRestarted(t *testing.T) {
	s := start(t)
	b := newBrowser(t)
	signIn(t, s, b, s.app+"/", alice)
	for _, pid := range descendants(t, s.cmd.Process.Pid) {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	eventually(t, "both functions answer again", func() bool {
		return b.visit(s.app+"/").status == http.StatusOK && b.fetch(http.MethodGet, s.app+"/api/me").status == http.StatusOK
	})
}

// What keeps the system from starting is said in one sentence, and the exit code says so too.
func TestFailuresAreOneSentence(t *testing.T) {
	if err := build(); err != nil {
		t.Fatal(err)
	}
	good := string(must(os.ReadFile(template())))
	edited := func(old, replacement string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("the template does not hold %q any more", old)
		}
		return strings.Replace(good, old, replacement, 1)
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, takenPort, _ := net.SplitHostPort(taken.Addr().String())

	for _, c := range []struct {
		name      string
		template  string
		app, idp  string // ports; "" is a free one
		mustName  string // what the sentence must name
		functions string // folder with the binaries; "" is the right one
	}{
		{name: "taken app port", template: good, app: takenPort, mustName: takenPort},
		{name: "taken login port", template: good, idp: takenPort, mustName: takenPort},
		{name: "no YAML", template: "Resources: [", mustName: "template"},
		{name: "empty", template: "", mustName: "template"},
		{name: "no functions", template: "Resources: {}\n", mustName: "template"},
		{
			name:     "a reference to nothing",
			template: edited("!Ref CallbackFunctionRole", "!Ref Nowhere"),
			mustName: "Nowhere",
		},
		{
			name:     "a property that is not modelled",
			template: edited("      StageName: Prod\n", "      StageName: Prod\n      MergeDefinitions: true\n"),
			mustName: "MergeDefinitions",
		},
		{
			name:     "what would change who gets in",
			template: edited("        DefaultAuthorizer: ", "        ApiKeyRequired: true\n        DefaultAuthorizer: "),
			mustName: "ApiKeyRequired",
		},
		{name: "no binaries", template: good, functions: "nowhere", mustName: "nowhere"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "template.yaml")
			if err := os.WriteFile(path, []byte(c.template), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(filepath.Join(artifacts, "edgeauth.yaml"), filepath.Join(filepath.Dir(path), "edgeauth.yaml")); err != nil {
				t.Fatal(err)
			}
			for _, port := range []*string{&c.app, &c.idp} {
				if *port == "" {
					*port = freePort(t)
				}
			}
			flags := []string{"-template", path, "-app-port", c.app, "-cognito-port", c.idp}
			if c.functions != "" {
				flags = append(flags, "-build", filepath.Join(t.TempDir(), c.functions))
			}
			s := launch(t, flags...)
			if code := s.exitCode(t); code == 0 {
				t.Error("exit code 0")
			}
			lines := s.output.lines()
			if len(lines) != 1 || !strings.Contains(lines[0], c.mustName) || len(lines[0]) > 300 || regexp.MustCompile(`goroutine \d|panic:`).MatchString(lines[0]) {
				t.Errorf("said, in %d lines, want one that names %s:\n%s", len(lines), c.mustName, s.output)
			}
		})
	}
}
