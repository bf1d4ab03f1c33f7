package runtime

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The test binary is its own bootstrap: started with a Runtime API, it speaks it and does what each payload asks for.
func TestMain(m *testing.M) {
	if api := os.Getenv("AWS_LAMBDA_RUNTIME_API"); api != "" {
		bootstrap("http://" + api + "/2018-06-01/runtime/")
	}
	if os.Getenv("RUN_A_FUNCTION_FOREVER") != "" {
		runForever()
	}
	os.Exit(m.Run())
}

// order is what a payload asks the bootstrap to do.
type order struct {
	Do    string // echo, env, head, sleep, crash, panic, twice, large, line, spawn
	Size  int
	Text  string
	Until string // path of a file: echo leaves a mark beside it, and waits until it exists
}

func bootstrap(api string) {
	switch os.Getenv("INIT") {
	case "exit":
		os.Exit(3)
	case "error":
		post(api+"init/error", `{"errorType":"Config","errorMessage":"AUTH_ISSUER is not set"}`)
		os.Exit(1)
	case "hang":
		select {}
	case "told", "deaf", "untold":
		signals := make(chan os.Signal, 1)
		signal.Notify(signals, syscall.SIGTERM)
		if os.Getenv("INIT") != "untold" {
			fmt.Println("extension", register(api, "[]"))
		}
		go func() {
			<-signals
			fmt.Println("last words")
			if os.Getenv("INIT") == "told" {
				os.Exit(0)
			}
		}()
	case "events":
		fmt.Println("extension", register(api, `["INVOKE"]`))
	}
	for {
		res, err := http.Get(api + "invocation/next")
		if err != nil {
			os.Exit(1)
		}
		body, _ := io.ReadAll(res.Body)
		id := res.Header.Get("Lambda-Runtime-Aws-Request-Id")
		answer := api + "invocation/" + id + "/response"
		var o order
		_ = json.Unmarshal(body, &o)
		switch o.Do {
		case "echo":
			if o.Until != "" {
				_ = os.WriteFile(fmt.Sprint(o.Until, ".", os.Getpid()), nil, 0o600)
			}
			for o.Until != "" {
				if _, err := os.Stat(o.Until); err == nil {
					break
				}
				time.Sleep(time.Millisecond)
			}
			post(answer, fmt.Sprintf(`{"pid":%d,"text":%q}`, os.Getpid(), o.Text))
		case "env":
			env, _ := json.Marshal(os.Environ())
			post(answer, string(env))
		case "head":
			head, _ := json.Marshal(res.Header)
			post(answer, string(head))
		case "sleep":
			fmt.Println(os.Getpid())
			select {}
		case "crash":
			os.Exit(4)
		case "panic": // as lambda.Start does: the error first, the exit after
			post(api+"invocation/"+id+"/error", `{"errorType":"errorString","errorMessage":"boom"}`)
			os.Exit(1)
		case "error":
			post(api+"invocation/"+id+"/error", `{"errorType":"errorString","errorMessage":"Unauthorized"}`)
		case "twice":
			post(answer, `"first"`)
			post(answer, fmt.Sprint(post(answer, `"second"`)))
			post(api+"invocation/not-mine/response", `"third"`)
		case "large":
			status := post(answer, strings.Repeat("x", o.Size))
			fmt.Println("status", status)
		case "line":
			fmt.Print(strings.Repeat("o", o.Size), "\n")
			fmt.Fprint(os.Stderr, strings.Repeat("e", o.Size), "\n", "unfinished")
			post(answer, `"logged"`)
		case "spawn":
			child := exec.Command("sleep", "1000")
			_ = child.Start()
			post(answer, strconv.Itoa(child.Process.Pid))
		}
	}
}

// register registers an extension, as the runtime clients do for the signal's sake, and asks for its events.
func register(api, events string) int {
	extension := strings.Replace(api, "/2018-06-01/runtime/", "/2020-01-01/extension/", 1)
	r, _ := http.NewRequest(http.MethodPost, extension+"register", strings.NewReader(`{"events":`+events+`}`))
	r.Header.Set("Lambda-Extension-Name", "in-name")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0
	}
	_ = res.Body.Close()
	if res.Header.Get("Lambda-Extension-Identifier") != "" {
		go func() {
			_, err := http.Get(extension + "event/next")
			fmt.Println("an event", err)
		}()
	}
	return res.StatusCode
}

func post(url, body string) int {
	res, err := http.Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		return 0
	}
	_ = res.Body.Close()
	return res.StatusCode
}

// journal is a buffer that several processes may write to.
type journal struct {
	mu     sync.Mutex
	writes []string
}

func (l *journal) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.writes = append(l.writes, string(p))
	return len(p), nil
}

func (l *journal) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.writes, "")
}

func start(t *testing.T, change func(*Config)) *Function {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := Config{Name: "edgeauth-test", ARN: "arn:aws:lambda:eu-west-1:123456789012:function:edgeauth-test", Program: Program{Binary: self, Handler: "bootstrap"}, Timeout: 30 * time.Second, Memory: 256}
	if change != nil {
		change(&c)
	}
	f, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	return f
}

func invoke(t *testing.T, f *Function, o order) ([]byte, error) {
	t.Helper()
	payload, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	return f.Invoke(t.Context(), payload)
}

// pid is the process that answers.
func pid(t *testing.T, f *Function) int {
	t.Helper()
	out, err := invoke(t, f, order{Do: "echo"})
	if err != nil {
		t.Fatal(err)
	}
	var answer struct{ PID int }
	if err := json.Unmarshal(out, &answer); err != nil {
		t.Fatal(err)
	}
	return answer.PID
}

func wantFunctionError(t *testing.T, err error, kind, message string) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("error %v, want a function error", err)
	}
	if e.Type != kind || !strings.Contains(e.Message, message) {
		t.Fatalf("error %q %q, want type %q and a message with %q", e.Type, e.Message, kind, message)
	}
}

func dead(pid int) bool {
	for range 500 { // a killed process is not gone at once
		if err := syscall.Kill(pid, 0); err != nil || zombie(pid) {
			return true
		}
		time.Sleep(2 * time.Millisecond)
	}
	return false
}

func zombie(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && bytes.Contains(stat, []byte(") Z "))
}

func TestOneProcessServesRequestAfterRequest(t *testing.T) {
	f := start(t, nil)
	if err := f.Warm(t.Context()); err != nil {
		t.Fatal(err)
	}
	first := pid(t, f)
	for range 50 {
		if got := pid(t, f); got != first {
			t.Fatalf("process %d answered, want the warm one, %d", got, first)
		}
	}
}

func TestConcurrentRequestsGetAProcessEachUpToTheCap(t *testing.T) {
	f := start(t, func(c *Config) { c.Max = 3 })
	gate := filepath.Join(t.TempDir(), "gate")
	pids := make(chan int, 6)
	for range 6 {
		go func() {
			payload, _ := json.Marshal(order{Do: "echo", Until: gate})
			out, err := f.Invoke(context.Background(), payload)
			var answer struct{ PID int }
			_ = json.Unmarshal(out, &answer)
			if err != nil {
				answer.PID = -1
			}
			pids <- answer.PID
		}()
	}
	awaitMarks(gate, 3)
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	used := map[int]int{}
	for range 6 {
		used[<-pids]++
	}
	if len(used) != 3 || used[-1] != 0 {
		t.Fatalf("requests by process: %v, want 3 processes and no error", used)
	}
}

// clocked makes the function's clocks go off when the test says so, and hands each to it.
func clocked(f *Function) chan func() {
	clocks := make(chan func(), 100)
	f.after = func(_ time.Duration, expire func()) *time.Timer {
		clocks <- expire
		return time.AfterFunc(time.Hour, func() {})
	}
	return clocks
}

func TestTimeout(t *testing.T) {
	var l journal
	f := start(t, func(c *Config) { c.Timeout, c.Log = 100*time.Millisecond, &l })
	clocks := clocked(f)
	before := pid(t, f)
	<-clocks // of the init
	<-clocks // of the first invocation
	go func() { (<-clocks)() }()
	_, err := invoke(t, f, order{Do: "sleep"})
	wantFunctionError(t, err, "Sandbox.Timedout", "Task timed out after 0.10 seconds")
	if !dead(before) {
		t.Fatal("the process lives on")
	}
	if after := pid(t, f); after == before {
		t.Fatal("the same process answered again")
	}
	if !strings.Contains(l.String(), `"type":"Sandbox.Timedout"`) {
		t.Fatalf("log %q does not tell", l.String())
	}
}

// A clock that goes off too late, for an invocation that is over, ends nothing.
func TestALateClockEndsNothing(t *testing.T) {
	f := start(t, nil)
	clocks := clocked(f)
	before := pid(t, f)
	(<-clocks)()
	(<-clocks)()
	if after := pid(t, f); after != before {
		t.Error("the process was ended")
	}
}

func TestFailures(t *testing.T) {
	for _, c := range []struct {
		name, do      string
		kind, message string
		sameProcess   bool // answers the next request as well
	}{
		{"a returned error", "error", "errorString", "Unauthorized", true},
		{"a crash", "crash", "Runtime.ExitError", "exit status 4", false},
		{"a panic: the error is posted, then the process exits", "panic", "errorString", "boom", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := start(t, nil)
			before := pid(t, f)
			_, err := invoke(t, f, order{Do: c.do})
			wantFunctionError(t, err, c.kind, c.message)
			if same := pid(t, f) == before; same != c.sameProcess {
				t.Fatalf("same process afterwards: %v", same)
			}
		})
	}
}

func TestAProcessKilledWhileIdleIsReplaced(t *testing.T) {
	f := start(t, nil)
	before := pid(t, f)
	if err := syscall.Kill(before, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	f.mu.Lock()
	for f.running > 0 {
		change := f.change
		f.mu.Unlock()
		<-change
		f.mu.Lock()
	}
	f.mu.Unlock()
	if after := pid(t, f); after == before {
		t.Fatal("a dead process answered")
	}
}

func TestInit(t *testing.T) {
	for _, c := range []struct {
		name, init    string
		kind, message string
	}{
		{"exits", "exit", "Runtime.ExitError", "exit status 3"},
		{"reports an error", "error", "Config", "AUTH_ISSUER is not set"},
		{"never asks for work", "hang", "Sandbox.Timedout", "timed out after 0.20 seconds"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := start(t, func(config *Config) {
				config.Environment = map[string]string{"INIT": c.init}
				config.InitTimeout = 200 * time.Millisecond
			})
			clocks := clocked(f)
			if c.init == "hang" {
				go func() {
					for expire := range clocks {
						expire()
					}
				}()
				defer close(clocks)
			}
			wantFunctionError(t, f.Warm(t.Context()), c.kind, c.message)
			_, err := invoke(t, f, order{Do: "echo"})
			wantFunctionError(t, err, c.kind, c.message)
		})
	}
}

func TestNew(t *testing.T) {
	plain := filepath.Join(t.TempDir(), "bootstrap")
	if err := os.WriteFile(plain, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	self, _ := os.Executable()
	for _, c := range []struct {
		name, binary string
		timeout      time.Duration
		want         string
	}{
		{"no binary", "nowhere/bootstrap", time.Second, "has no binary"},
		{"not executable", plain, time.Second, "not executable"},
		{"no timeout", self, 0, "has no timeout"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := New(Config{Name: "f", Program: Program{Binary: c.binary}, Timeout: c.timeout})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

func TestRuntimeAPIHeaders(t *testing.T) {
	f := start(t, nil)
	begin := time.Now()
	out, err := invoke(t, f, order{Do: "head"})
	if err != nil {
		t.Fatal(err)
	}
	var h http.Header
	if err := json.Unmarshal(out, &h); err != nil {
		t.Fatal(err)
	}
	deadline, _ := strconv.ParseInt(h.Get("Lambda-Runtime-Deadline-Ms"), 10, 64)
	if left := time.UnixMilli(deadline).Sub(begin); left < 29*time.Second || left > 40*time.Second {
		t.Errorf("deadline is %v away, want about 30s", left)
	}
	if got := h.Get("Lambda-Runtime-Invoked-Function-Arn"); got != f.config.ARN {
		t.Errorf("ARN %q", got)
	}
	if len(h.Get("Lambda-Runtime-Aws-Request-Id")) != 36 || !strings.HasPrefix(h.Get("Lambda-Runtime-Trace-Id"), "Root=1-") {
		t.Errorf("request id %q, trace id %q", h.Get("Lambda-Runtime-Aws-Request-Id"), h.Get("Lambda-Runtime-Trace-Id"))
	}
}

// A page in a browser may find the port, by any name that leads to this machine. It gets nothing, and takes no work away.
func TestRuntimeAPIIsForTheProcessAlone(t *testing.T) {
	f := start(t, nil)
	out, err := invoke(t, f, order{Do: "env"})
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(out), "AWS_LAMBDA_RUNTIME_API=")
	address, _, _ := strings.Cut(rest, `"`)
	_, port, _ := strings.Cut(address, ":")
	for _, c := range []struct{ name, host, origin string }{
		{"a name that leads here", "rebound.example:" + port, ""},
		{"localhost", "localhost:" + port, ""},
		{"another port", "127.0.0.1:1", ""},
		{"a page", address, "http://example.com"},
		{"a page without an origin to tell", address, "null"},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/2018-06-01/runtime/invocation/next", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = c.host
		if c.origin != "" {
			req.Header.Set("Origin", c.origin)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if res.StatusCode != http.StatusForbidden || len(body) > 0 {
			t.Errorf("%s: %d %q", c.name, res.StatusCode, body)
		}
	}
	pid(t, f)
}

func TestEnvironmentIsTheFunctionsOwn(t *testing.T) {
	t.Setenv("SECRET_OF_THE_RUNNER", "1")
	f := start(t, func(c *Config) {
		c.Environment = map[string]string{"AUTH_ISSUER": "https://issuer.example"}
		c.Platform = map[string]string{"AWS_REGION": "eu-west-1", "AWS_ENDPOINT_URL": "http://127.0.0.1:9229"}
	})
	out, err := invoke(t, f, order{Do: "env"})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"AUTH_ISSUER=https://issuer.example", "AWS_REGION=eu-west-1", "AWS_ENDPOINT_URL=http://127.0.0.1:9229", "AWS_LAMBDA_FUNCTION_NAME=edgeauth-test",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=256", "AWS_LAMBDA_FUNCTION_VERSION=$LATEST", "_HANDLER=bootstrap", "TZ=:UTC",
	} {
		if !strings.Contains(string(out), `"`+want+`"`) {
			t.Errorf("no %s in %s", want, out)
		}
	}
	if strings.Contains(string(out), "SECRET_OF_THE_RUNNER") {
		t.Error("the runner's own environment leaks into the function")
	}
}

func TestOnlyTheFirstAnswerToTheCurrentRequestCounts(t *testing.T) {
	f := start(t, nil)
	out, err := invoke(t, f, order{Do: "twice"})
	if err != nil || string(out) != `"first"` {
		t.Fatalf("answer %s, %v", out, err)
	}
	pid(t, f)
}

func TestPayloadLimits(t *testing.T) {
	var l journal
	f := start(t, func(c *Config) { c.Log = &l })
	if _, err := f.Invoke(t.Context(), make([]byte, PayloadLimit+1)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("request: %v, want %v", err, ErrTooLarge)
	}
	out, err := invoke(t, f, order{Do: "large", Size: PayloadLimit})
	if err != nil || len(out) != PayloadLimit {
		t.Errorf("answer at the limit: %d bytes, %v", len(out), err)
	}
	_, err = invoke(t, f, order{Do: "large", Size: PayloadLimit + 1})
	wantFunctionError(t, err, "Function.ResponseSizeTooLarge", "exceeded")
	pid(t, f)
	if !strings.Contains(l.String(), "status 413") {
		t.Errorf("log %q, want the process to have seen 413", l.String())
	}
}

func TestLogLinesStayWhole(t *testing.T) {
	var l journal
	f := start(t, func(c *Config) { c.Log = &l })
	const size = 300_000
	if _, err := invoke(t, f, order{Do: "line", Size: size}); err != nil {
		t.Fatal(err)
	}
	f.Close()
	want := map[string]bool{strings.Repeat("o", size) + "\n": true, strings.Repeat("e", size) + "\n": true, "unfinished\n": true}
	if len(l.writes) != len(want) {
		t.Fatalf("%d writes, want %d", len(l.writes), len(want))
	}
	for _, w := range l.writes {
		if !want[w] {
			t.Errorf("a write of %d bytes is no line", len(w))
		}
	}
}

func TestACallerThatGivesUpLosesOnlyTheAnswer(t *testing.T) {
	f := start(t, func(c *Config) { c.Max = 1 })
	before := pid(t, f)
	gate := filepath.Join(t.TempDir(), "gate")
	ctx, cancel := context.WithCancel(t.Context())
	payload, _ := json.Marshal(order{Do: "echo", Until: gate})
	failed := make(chan error)
	go func() {
		_, err := f.Invoke(ctx, payload)
		failed <- err
	}()
	awaitMarks(gate, 1)
	cancel()
	if err := <-failed; !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v", err)
	}
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if pid(t, f) != before {
		t.Fatal("the process was lost with the caller")
	}
}

// awaitMarks waits until n processes have reached a gate.
func awaitMarks(gate string, n int) {
	for marks := 0; marks < n; time.Sleep(time.Millisecond) {
		found, _ := filepath.Glob(gate + ".*")
		marks = len(found)
	}
}

func TestCloseLeavesNothingBehind(t *testing.T) {
	f := start(t, nil)
	parent := pid(t, f)
	out, err := invoke(t, f, order{Do: "spawn"})
	if err != nil {
		t.Fatal(err)
	}
	child, _ := strconv.Atoi(string(out))
	f.Close()
	if !dead(parent) || !dead(child) {
		t.Fatal("a process lives on")
	}
	if _, err := invoke(t, f, order{Do: "echo"}); !errors.Is(err, ErrClosed) {
		t.Fatalf("error %v, want %v", err, ErrClosed)
	}
	if err := f.Warm(t.Context()); !errors.Is(err, ErrClosed) {
		t.Fatalf("error %v, want %v", err, ErrClosed)
	}
}

// runForever is the body of a second program that starts a function and waits to be killed.
func runForever() {
	self, _ := os.Executable()
	_ = os.Unsetenv("RUN_A_FUNCTION_FOREVER")
	f, err := New(Config{Name: "orphan", Program: Program{Binary: self}, Timeout: time.Minute, Log: os.Stdout})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	_, _ = f.Invoke(context.Background(), []byte(`{"Do":"sleep"}`)) // says its process id
}

func TestAKilledRunnerLeavesNothingBehind(t *testing.T) {
	self, _ := os.Executable()
	runner := exec.Command(self)
	runner.Env = append(os.Environ(), "RUN_A_FUNCTION_FOREVER=1")
	out, err := runner.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := runner.Start(); err != nil {
		t.Fatal(err)
	}
	var function int // busy, so that it does not notice by itself that there is no more work
	if _, err := fmt.Fscan(out, &function); err != nil {
		t.Fatal(err)
	}
	_ = runner.Process.Kill()
	_ = runner.Wait()
	if !dead(function) {
		_ = syscall.Kill(function, syscall.SIGKILL)
		t.Fatal("the function outlives its runner")
	}
}

func BenchmarkWarmInvoke(b *testing.B) {
	self, _ := os.Executable()
	f, err := New(Config{Name: "bench", Program: Program{Binary: self}, Timeout: time.Minute})
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	for b.Loop() {
		if _, err := f.Invoke(b.Context(), []byte(`{"Do":"echo"}`)); err != nil {
			b.Fatal(err)
		}
	}
}

// A restart leaves no process that could answer once more, not even one that was at work meanwhile; what it works at is seen to its end.
func TestRestart(t *testing.T) {
	f := start(t, nil)
	before := pid(t, f)
	f.Restart()
	if after := pid(t, f); after == before {
		t.Error("the idle process answers on")
	}
	before = pid(t, f)
	gate := filepath.Join(t.TempDir(), "gate")
	answered := make(chan string)
	go func() {
		payload, _ := json.Marshal(order{Do: "echo", Until: gate})
		out, err := f.Invoke(context.Background(), payload)
		answered <- fmt.Sprint(strings.Contains(string(out), fmt.Sprintf(`"pid":%d,`, before)), err)
	}()
	awaitMarks(gate, 1)
	f.Restart()
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := <-answered; got != "true<nil>" && got != "true <nil>" {
		t.Errorf("the process at work: %s", got)
	}
	if after := pid(t, f); after == before {
		t.Error("the process that was at work answers on")
	}
}

// A process with an extension is told of its end and has half a second for it; one without is killed.
func TestLastWords(t *testing.T) {
	for name, want := range map[string]string{
		"told":   "extension 200\nlast words\n",
		"deaf":   "extension 200\nlast words\n",
		"untold": "",
		"events": "extension 501\n",
	} {
		t.Run(name, func(t *testing.T) {
			log := &journal{}
			f := start(t, func(c *Config) { c.Log, c.Environment = log, map[string]string{"INIT": name} })
			process := pid(t, f)
			f.Close()
			if log.String() != want || !dead(process) {
				t.Errorf("got %q, want %q", log, want)
			}
		})
	}
}

func TestLastWordsOfARestart(t *testing.T) {
	log := &journal{}
	f := start(t, func(c *Config) { c.Log, c.Environment = log, map[string]string{"INIT": "told"} })
	before := pid(t, f)
	f.Restart()
	if pid(t, f) == before {
		t.Error("it answers on")
	}
	f.Close()
	if got := strings.Count(log.String(), "last words"); got != 2 {
		t.Errorf("%d last words: %s", got, log)
	}
}
