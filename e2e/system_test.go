// This file builds the real binaries once, starts them as a user does, and ends them. What they print is kept, since it is part of what is tested.
package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// readyWithin is far more than a start takes with everything built, about two seconds: it tells a start that hangs, on a machine that has other work.
const readyWithin = 10 * time.Second

var repository = must(filepath.Abs(".."))

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// artifacts is where the binaries of this run are.
var artifacts string

func TestMain(m *testing.M) {
	artifacts = must(os.MkdirTemp("", "edgeauth-e2e-"))
	code := m.Run()
	os.RemoveAll(artifacts)
	os.Exit(code)
}

// template is the template that the binaries of this run belong to.
func template() string { return filepath.Join(artifacts, "template.yaml") }

// part puts the nested template where a copy of the template around it looks.
func part(folder string) error {
	text, err := os.ReadFile(filepath.Join(repository, "edgeauth.yaml"))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, "edgeauth.yaml"), text, 0o600)
}

// build makes the Lambda binaries with the project's own rule, and the tool, and keeps the template beside them.
var build = sync.OnceValue(func() error {
	text, err := os.ReadFile(filepath.Join(repository, "template.yaml"))
	if err != nil {
		return err
	}
	if err := os.WriteFile(template(), text, 0o600); err != nil {
		return err
	}
	if err := part(artifacts); err != nil {
		return err
	}
	for _, argv := range [][]string{
		{"make", "-s", "build", "ARCH=" + runtime.GOARCH, "OS=" + runtime.GOOS, "BUILD=" + artifacts},
		{"go", "build", "-o", filepath.Join(artifacts, "edgeauth"), "./cmd/edgeauth"},
	} {
		cmd := exec.Command(argv[0], argv[1:]...)
		cmd.Dir = repository
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w\n%s", strings.Join(argv, " "), err, out)
		}
	}
	return nil
})

// system is a running local system.
type system struct {
	app     string // base URL without the slash at its end, as http://localhost:1234/Prod
	cognito string // origin of the login page
	cmd     *exec.Cmd
	output  *transcript
	exited  chan struct{} // closed when the process is gone
	err     error         // how it went; valid once exited is closed
	began   time.Time
	ready   time.Duration // how long it took
}

// start runs the local system on free ports until the test ends.
func start(t testing.TB, flags ...string) *system {
	t.Helper()
	appPort, cognitoPort := freePort(t), freePort(t)
	if !slices.Contains(flags, "-template") {
		flags = append([]string{"-template", template()}, flags...)
	}
	s := launch(t, append([]string{"-app-port", appPort, "-cognito-port", cognitoPort}, flags...)...)
	s.await(t, appPort, cognitoPort, 2*readyWithin)
	return s
}

// await waits until the system says that it is ready.
func (s *system) await(t testing.TB, appPort, cognitoPort string, limit time.Duration) {
	t.Helper()
	s.awaitAt(t, "http://localhost:"+appPort+"/Prod", "http://127.0.0.1:"+cognitoPort, limit)
}

// awaitAt waits until the system says that it is ready at that address.
func (s *system) awaitAt(t testing.TB, app, cognito string, limit time.Duration) {
	t.Helper()
	s.app, s.cognito = app, cognito
	if !s.output.wait(regexp.MustCompile(`(?m)^ready `+regexp.QuoteMeta(s.app)+`/$`), s.exited, limit) {
		t.Fatalf("the system did not get ready:\n%s", s.output)
	}
	s.ready = time.Since(s.began)
}

// launch runs the local system and waits for nothing.
func launch(t testing.TB, flags ...string) *system {
	t.Helper()
	if err := build(); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(artifacts, "edgeauth"), append([]string{"run", "-json", "-build", artifacts}, flags...)...)
	cmd.Dir = t.TempDir()
	return begin(t, cmd)
}

// begin starts a command that runs until the test ends.
func begin(t testing.TB, cmd *exec.Cmd) *system {
	t.Helper()
	s := &system{cmd: cmd, output: &transcript{changed: make(chan struct{})}, exited: make(chan struct{}), began: time.Now()}
	s.cmd.Stdout, s.cmd.Stderr = s.output, s.output
	// A group of its own, as a terminal gives it: Ctrl-C goes to every process in it, and what is left of it can be counted.
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	s.cmd.WaitDelay = 5 * time.Second
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		s.err = s.cmd.Wait()
		close(s.exited)
	}()
	t.Cleanup(func() { s.stop(t) })
	return s
}

// stop ends the system as Ctrl-C does.
func (s *system) stop(t testing.TB) {
	t.Helper()
	select {
	case <-s.exited:
		return
	default:
	}
	_ = s.cmd.Process.Signal(os.Interrupt)
	select {
	case <-s.exited:
	case <-time.After(10 * time.Second):
		t.Errorf("still running 10 s after an interrupt")
		_ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL)
		<-s.exited
	}
}

// freePort names a port that nobody listened on a moment ago.
func freePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// host is the name that the app's cookies belong to.
func (s *system) host() string { return must(url.Parse(s.app)).Hostname() }

// transcript keeps what a process prints and wakes those who wait for it.
type transcript struct {
	mu      sync.Mutex // guards what follows
	text    strings.Builder
	changed chan struct{}     // closed and replaced on every write
	sieve   func(line []byte) // takes every line, in place of text
	rest    []byte            // of a line for the sieve
}

// sift keeps nothing more of what is printed, and gives every line to a function.
func (o *transcript) sift(line func([]byte)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sieve = line
}

func (o *transcript) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	close(o.changed)
	o.changed = make(chan struct{})
	if o.sieve == nil {
		return o.text.Write(p)
	}
	o.rest = append(o.rest, p...)
	for {
		line, rest, found := bytes.Cut(o.rest, []byte("\n"))
		if !found {
			return len(p), nil
		}
		o.sieve(line)
		o.rest = rest
	}
}

func (o *transcript) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

func (o *transcript) lines() []string {
	var lines []string
	for sc := bufio.NewScanner(strings.NewReader(o.String())); sc.Scan(); {
		lines = append(lines, sc.Text())
	}
	return lines
}

// wait returns true as soon as the pattern is there, false when the process ends or the time is up without it.
func (o *transcript) wait(pattern *regexp.Regexp, exited <-chan struct{}, limit time.Duration) bool {
	deadline := time.After(limit)
	for {
		o.mu.Lock()
		text, changed := o.text.String(), o.changed
		o.mu.Unlock()
		if pattern.MatchString(text) {
			return true
		}
		select {
		case <-changed:
		case <-exited:
			return pattern.MatchString(o.String())
		case <-deadline:
			return false
		}
	}
}

// eventually waits until the condition holds.
func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !condition() {
		if time.Now().After(deadline) {
			t.Fatalf("never happened: %s", what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// exitCode waits for the end of a process that ends by itself.
func (s *system) exitCode(t testing.TB) int {
	t.Helper()
	select {
	case <-s.exited:
	case <-time.After(10 * time.Second):
		t.Fatalf("still running:\n%s", s.output)
	}
	var exit *exec.ExitError
	if errors.As(s.err, &exit) {
		return exit.ExitCode()
	}
	if s.err != nil {
		t.Fatal(s.err)
	}
	return 0
}

// standIn sends a command to the Cognito stand-in, whose /_standin/ page lists them, and returns the answer.
func (s *system) standIn(t testing.TB, command, body string) map[string]any {
	t.Helper()
	method := http.MethodPost
	if body == "" {
		method = http.MethodGet
	}
	r, err := http.NewRequestWithContext(t.Context(), method, s.cognito+"/_standin/"+command, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	e := exchangeOf(t, r)
	var answer map[string]any
	if err := json.Unmarshal([]byte(e.body), &answer); err != nil || e.status != http.StatusOK {
		t.Fatalf("stand-in, %s: %d, %v, %.200s", command, e.status, err, e.body)
	}
	return answer
}

// mint returns a token of the pool without a sign-in.
func (s *system) mint(t testing.TB, request string) string {
	t.Helper()
	return s.standIn(t, "mint", request)["token"].(string)
}

// count returns one of the stand-in's counters.
func (s *system) count(t testing.TB, name string) int {
	t.Helper()
	n, _ := s.standIn(t, "stats", "")[name].(float64)
	return int(n)
}
