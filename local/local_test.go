package local

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"edgeauth/local/sam"
)

// The test binary is every function: started with a Runtime API, it answers each event, by the function's name.
func TestMain(m *testing.M) {
	if api := os.Getenv("AWS_LAMBDA_RUNTIME_API"); api != "" {
		bootstrap("http://" + api + "/2018-06-01/runtime/invocation/")
	}
	os.Exit(m.Run())
}

func bootstrap(api string) {
	if os.Getenv("MODE") == "broken" {
		fmt.Fprintln(os.Stderr, "MODE is broken")
		os.Exit(1)
	}
	fmt.Printf(`{"msg":"started","endpoint":%q,"region":%q}`+"\n", os.Getenv("AWS_ENDPOINT_URL"), os.Getenv("AWS_REGION"))
	for {
		res, err := http.Get(api + "next")
		if err != nil {
			os.Exit(1)
		}
		_, _ = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
		answer := fmt.Sprintf(`{"statusCode":200,"body":"%d"}`, os.Getpid())
		if strings.HasPrefix(os.Getenv("MODE"), "counting") {
			value := strings.TrimPrefix(os.Getenv("MODE"), "counting ")
			fmt.Printf(`{"_aws":{"Timestamp":%d,"CloudWatchMetrics":[{"Namespace":"own","Dimensions":[["color"]],"Metrics":[{"Name":"pages"}]}]},"color":"blue","pages":%s}`+"\n", time.Now().UnixMilli(), value)
		}
		if os.Getenv("MODE") == "redirect" {
			answer = `{"statusCode":302,"headers":{"Location":"/elsewhere?code=secret"}}`
		}
		if strings.Contains(os.Getenv("AWS_LAMBDA_FUNCTION_NAME"), "Authorizer") {
			answer = `{"principalId":"u","policyDocument":{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}}`
			if os.Getenv("MODE") == "denying" {
				answer = strings.Replace(answer, "Allow", "Deny", 1)
			}
			if os.Getenv("MODE") == "failing" {
				answer = `{}`
			}
		}
		res, err = http.Post(api+res.Header.Get("Lambda-Runtime-Aws-Request-Id")+"/response", "application/json", strings.NewReader(answer))
		if err != nil {
			os.Exit(1)
		}
		_ = res.Body.Close()
	}
}

// buildFolder holds the test binary under the name of each function.
func buildFolder(t *testing.T, functions ...string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, id := range functions {
		if err := os.Mkdir(filepath.Join(dir, id), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(self, filepath.Join(dir, id, "bootstrap")); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// safe is a buffer that may be written to and read at a time.
type safe struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safe) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safe) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// command runs the system by its flags.
func command(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var o Options
	f := flag.NewFlagSet("run", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	o.Flags(f)
	if err := f.Parse(args); err != nil {
		return err
	}
	return Run(ctx, o, stdout, stderr)
}

func flags(t *testing.T, more ...string) []string {
	t.Helper()
	build := buildFolder(t, "AuthorizerFunction", "PagesFunction")
	if !slices.Contains(more, "-template") {
		more = append([]string{"-template", "testdata/template.yaml"}, more...)
	}
	return append([]string{"-build", build, "-app-port", "0", "-cognito-port", "0"}, more...)
}

func TestRun(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	out, in := io.Pipe()
	stderr := &safe{}
	ended := make(chan error, 1)
	go func() {
		ended <- command(ctx, flags(t, "-json", "-log", log), in, stderr)
		_ = in.Close()
	}()
	line, _ := bufio.NewReader(out).ReadString('\n')
	url, ok := strings.CutPrefix(strings.TrimSpace(line), "ready ")
	if !ok || !strings.HasPrefix(url, "http://localhost:") || !strings.HasSuffix(url, "/Prod/") {
		t.Fatalf("stdout %q, stderr %s", line, stderr)
	}
	for _, want := range []string{"not AWS", "alice@example.com", "Open-sesame-1", `{"msg":"started","endpoint":"http://127.0.0.1:`, `"region":"eu-west-1"}`} {
		if !strings.Contains(stderr.String(), want) {
			t.Errorf("stderr does not say %s:\n%s", want, stderr)
		}
	}
	res, err := http.Get(url + "page")
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(res.Body)
	var pid int
	if _, err := fmt.Sscan(string(body), &pid); err != nil || res.StatusCode != 200 {
		t.Fatalf("%d %s", res.StatusCode, body)
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("a stop on demand ends with %v", err)
	}
	if err := syscall.Kill(pid, 0); err == nil {
		t.Error("a function lives on")
	}
	if text, err := os.ReadFile(log); err != nil || !strings.Contains(string(text), "started") || !strings.Contains(string(text), "jwks") {
		t.Errorf("the log file lacks lines of the functions or of Cognito: %s %v", text, err)
	}
}

// A stack as the CDK synthesises it, with an API of each kind.
func TestACDKStackRuns(t *testing.T) {
	build := buildFolder(t, "AuthorizerBD825682", "Pages127DFD1A")
	s := launch(t, "-template", "sam/testdata/cdk.json", "-build", build, "-app-port", "0", "-cognito-port", "0")
	for _, want := range []string{"Chat26DEB33F is at ws://chat26deb33f.localhost:", "Http36EFD62B is at http://http36efd62b.localhost:"} {
		if !strings.Contains(s.stderr.String(), want) {
			t.Errorf("stderr does not say %s:\n%s", want, s.stderr)
		}
	}
	address, _, _ := strings.Cut(strings.TrimPrefix(s.url, "http://localhost:"), "/")
	for _, c := range []struct{ host, path string }{{"localhost", "/Prod/x"}, {"localhost", "/Prod/auth/x"}, {"http36efd62b.localhost", "/things/1"}} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost:"+address+c.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = c.host + ":" + address
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != http.StatusOK {
			t.Errorf("%s%s: %s", c.host, c.path, res.Status)
		}
	}
}

func TestRunRefuses(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := fmt.Sprint(taken.Addr().(*net.TCPAddr).Port)
	broken := filepath.Join(t.TempDir(), "template.yaml")
	if err := os.WriteFile(broken, []byte("Resources: ["), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{"a port that is taken", flags(t, "-app-port", port), "port " + port + " is taken"},
		{"Cognito's port that is taken", flags(t, "-cognito-port", port), "choose another with -cognito-port"},
		{"a broken template", flags(t, "-template", broken), "not YAML"},
		{"two stacks of one name", flags(t, "-template", "a=testdata/template.yaml", "-template", "a=testdata/template.yaml"), "two stacks are named a"},
		{"a stack without a name", flags(t, "-template", "a b=testdata/template.yaml"), `"a b" is no name of a stack`},
		{"no template", flags(t, "-template", "nowhere.yaml"), "nowhere.yaml"},
		{"no binary", flags(t, "-build", "nowhere"), "AuthorizerFunction has no binary"},
		{"an unknown parameter", flags(t, "-param", "X=1"), "there is no parameter X"},
		{"a parameter that is none", flags(t, "-param", "X"), "not NAME=VALUE"},
		{"a variable of no function", flags(t, "-env", "Nope.MODE=x"), "there is no function Nope"},
		{"a variable that the template does not set", flags(t, "-env", "PagesFunction.MOOD=x"), "no such variable"},
		{"a function that does not start", flags(t, "-env", "PagesFunction.MODE=broken"), "PagesFunction does not start: runtime: Runtime.ExitError"},
		{"an API that answers with an error", flags(t, "-env", "AuthorizerFunction.MODE=failing"), "/Prod/ answers 500"},
		{"an identity source that is none", flags(t, "-authorizer-ttl", "5", "-authorizer-identity", "Cookie"), "Cookie is not modelled"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var stdout safe
			err := command(t.Context(), c.args, &stdout, &safe{})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("error %v, want one with %s", err, c.want)
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("the error is not one sentence: %v", err)
			}
			if stdout.String() != "" {
				t.Errorf("stdout %q", &stdout)
			}
		})
	}
}

func TestAStopBeforeReadyIsNoError(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := command(ctx, flags(t), &safe{}, &safe{}); err != nil {
		t.Errorf("error %v", err)
	}
}

func TestAuthorizerFlagsReachTheModel(t *testing.T) {
	var o Options
	f := flag.NewFlagSet("run", flag.ContinueOnError)
	o.Flags(f)
	if err := f.Parse([]string{"-authorizer-ttl", "60", "-authorizer-identity", "method.request.header.Cookie, context.path"}); err != nil {
		t.Fatal(err)
	}
	m := &sam.Model{APIs: []sam.API{
		{Kind: sam.REST, Authorizers: map[string]sam.Authorizer{"A": {}}}, {Kind: sam.HTTP, Authorizers: map[string]sam.Authorizer{"A": {}}},
	}}
	if err := adjust(m, o); err != nil {
		t.Fatal(err)
	}
	a := m.APIs[0].Authorizers["A"]
	if a.TTL != time.Minute || !slices.Equal(a.Sources, []string{"method.request.header.Cookie", "context.path"}) {
		t.Errorf("%+v", a)
	}
	if a := m.APIs[1].Authorizers["A"]; a.TTL != 0 || a.Sources != nil {
		t.Errorf("an HTTP API: %+v", a)
	}
}

// A nested application's functions come from a build, where its id is a folder, or from the zip file that it names.
func TestRunNested(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"build/PagesFunction/bootstrap": "#!/bin/sh\nexec " + self,
		"template.yaml":                 "testdata/nested.yaml",
		"part.yaml":                     "testdata/part.yaml",
	} {
		if from, err := os.ReadFile(text); err == nil {
			text = string(from)
		}
		if err := errors.Join(os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700), os.WriteFile(filepath.Join(dir, name), []byte(text), 0o700)); err != nil {
			t.Fatal(err)
		}
	}
	archive, err := os.Create(filepath.Join(dir, "authorizer.zip"))
	if err != nil {
		t.Fatal(err)
	}
	z := zip.NewWriter(archive)
	head := &zip.FileHeader{Name: "bootstrap"}
	head.SetMode(0o755)
	w, err := z.CreateHeader(head)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.WriteString(w, "#!/bin/sh\nexec "+self)
	if err := errors.Join(err, z.Close(), archive.Close()); err != nil {
		t.Fatal(err)
	}
	s := launch(t, "-template", filepath.Join(dir, "template.yaml"), "-build", filepath.Join(dir, "build"), "-app-port", "0", "-cognito-port", "0")
	res, err := http.Get(s.url + "page")
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != 200 {
		t.Errorf("the page answers %d: %s", res.StatusCode, s.stderr)
	}
}

// running is a system that was started in this process.
type running struct {
	url    string
	stderr *safe
}

// launch runs a command until the test ends, and returns once it is ready.
func launch(t *testing.T, args ...string) running {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	out, in := io.Pipe()
	s := running{stderr: &safe{}}
	ended := make(chan error, 1)
	go func() {
		err := command(ctx, args, in, s.stderr)
		_ = in.Close()
		ended <- err
	}()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("it ended with %v", err)
		}
	})
	line, _ := bufio.NewReader(out).ReadString('\n')
	url, ok := strings.CutPrefix(strings.TrimSpace(line), "ready ")
	if !ok {
		t.Fatalf("stdout %q, stderr %s", line, s.stderr)
	}
	s.url = url
	return s
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
}

// A redirect's query holds what must not be said: states, codes, paths that people typed.
func TestRequestLineOfARedirect(t *testing.T) {
	s := launch(t, append(flags(t), "-env", "PagesFunction.MODE=redirect")...)
	if log := s.stderr.String(); !strings.Contains(log, "GET /Prod/ 302 → /elsewhere ") || strings.Contains(log, "secret") {
		t.Errorf("the log is\n%s", log)
	}
}
