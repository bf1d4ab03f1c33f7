package runtime

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// client is one program that stands between the Runtime API and a handler: ours, or the one that AWS publishes.
type client struct {
	name    string
	program func(t *testing.T, handler string) Program
}

// clients are ours, and AWS's own where `make clients` has installed it: the same table for both holds ours to what Lambda does.
func clients(t *testing.T, runtime, folder, interpreter string, official func(installed string) []string) []client {
	t.Helper()
	if _, err := exec.LookPath(interpreter); err != nil {
		skip(t, "there is no "+interpreter)
	}
	scratch := t.TempDir()
	ours := client{"ours", func(t *testing.T, handler string) Program {
		p, err := Code{Name: "F", Built: "nowhere", Given: folder, Runtime: runtime, Handler: handler, Scratch: scratch}.Prepare()
		if err != nil {
			t.Fatal(err)
		}
		return p
	}}
	return []client{ours, {"AWS's", func(t *testing.T, handler string) Program {
		p := ours.program(t, handler)
		installed, err := filepath.Abs("../../build/clients")
		if err != nil {
			t.Fatal(err)
		}
		line := official(installed)
		for _, file := range line {
			if _, err := os.Stat(file); filepath.IsAbs(file) && err != nil {
				skip(t, "AWS's own client is not installed; make clients does that")
			}
		}
		p.Binary, p.Arguments = line[0], append(line[1:], handler)
		return p
	}}}
}

// skip leaves a test out where somebody works, and fails it where everything has to be tried.
func skip(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(why)
	}
	t.Skip(why)
}

func pythonClients(t *testing.T) []client {
	return clients(t, "python3.11", "testdata/python", "python3", func(installed string) []string {
		return []string{filepath.Join(installed, "python/bin/python3"), "-m", "awslambdaric"}
	})
}

// AWS's client for Node.js asks for events by a native module that not every machine can build. Its stand-in in testdata does that one thing by curl.
func nodeClients(t *testing.T) []client {
	stand, err := filepath.Abs("testdata/rapid-client.cjs")
	if err != nil {
		t.Fatal(err)
	}
	return clients(t, "nodejs20.x", "testdata/node", "node", func(installed string) []string {
		node, _ := exec.LookPath("node")
		return []string{node, "--require", stand, filepath.Join(installed, "node/node_modules/aws-lambda-ric/bin/index.mjs")}
	})
}

// try is one invocation, and what has to come of it.
type try struct {
	name, handler, event string
	want                 string // the answer, as JSON; empty: an error
	kind, message        string
	trace                string // what the error's trace begins with, if that is the same everywhere
	ends                 bool   // the process with it
}

const (
	app = "app.handler"
	arn = "arn:aws:lambda:eu-west-1:123456789012:function:edgeauth-test"
)

var pythonTries = []try{
	{name: "the context", handler: app, event: `{"do":"context"}`, want: `{"name":"edgeauth-test","arn":"` + arn + `","memory":"256","version":"$LATEST","id":36,"time":true,"trace":"Root=1-","group":"/aws/lambda/edgeauth-test","cwd":true,"identity":null,"client":null}`},
	{name: "values that JSON has not", handler: app, event: `{"do":"values"}`, want: `[1.10,12345678901234567890.5,{"x":1,"y":"ü"},[1,2],"bytes",null,1.5,true,{"1":{"2":3}}]`},
	{name: "bytes are the answer as it is", handler: app, event: `{"do":"bytes"}`, want: `{"raw":true}`},
	{name: "a module in a folder", handler: "pkg/mod.run", event: `1`, want: `"pkg.mod"`},
	{name: "a module in a package", handler: "pkg.mod.run", event: `1`, want: `"pkg.mod"`},
	{name: "an error", handler: app, event: `{"do":"raise"}`, kind: "ValueError", message: "boom", trace: `  File "TASK/app.py", line `},
	{name: "an error of a class of its own", handler: app, event: `{"do":"quiet"}`, kind: "Unauthorized", message: "Unauthorized", trace: `  File "TASK/app.py", line `},
	{name: "an answer that is no JSON", handler: app, event: `{"do":"set"}`, kind: "Runtime.MarshalError", message: "Unable to marshal response: Object of type set is not JSON serializable"},
	{name: "the handler ends the process", handler: app, event: `{"do":"exit"}`, kind: "Runtime.ExitError", message: "exit status 7", ends: true},
	{name: "init: no such module", handler: "nope.handler", kind: "Runtime.ImportModuleError", message: "Unable to import module 'nope': No module named 'nope'", ends: true},
	{name: "init: a module lacks another", handler: "missing.handler", kind: "Runtime.ImportModuleError", message: "Unable to import module 'missing': No module named 'a_module_that_nobody_has'", ends: true},
	{name: "init: syntax", handler: "syntax.handler", kind: "Runtime.UserCodeSyntaxError", message: "Syntax error in module 'syntax': expected ':' (syntax.py, line 1)", trace: `  File "TASK/syntax.py" Line 1`, ends: true},
	{name: "init: the module fails", handler: "fails.handler", kind: "KeyError", message: "'settings'", ends: true},
	{name: "init: no such function", handler: "app.other", kind: "Runtime.HandlerNotFound", message: "Handler 'other' missing on module 'app'", ends: true},
	{name: "init: a handler without a module", handler: "handler", kind: "Runtime.MalformedHandlerName", message: "Bad handler 'handler': not enough values to unpack (expected 2, got 1)", ends: true},
	{name: "init: a module of the interpreter", handler: "sys.exit", kind: "Runtime.BuiltInModuleConflict", message: "Cannot use built-in module sys as a handler module", ends: true},
}

var nodeTries = []try{
	{name: "the context", handler: app, event: `{"do":"context"}`, want: `{"name":"edgeauth-test","arn":"` + arn + `","memory":"256","version":"$LATEST","id":36,"time":true,"trace":"Root=1-","group":"/aws/lambda/edgeauth-test","cwd":true}`},
	{name: "values that JSON has not", handler: app, event: `{"do":"values"}`, want: `[1.5,"ü",null,null,"1970-01-01T00:00:00.000Z",{"b":[1]}]`},
	{name: "nothing", handler: app, event: `{"do":"nothing"}`, want: `null`},
	{name: "an ES module in a folder", handler: "lib/module.handler", event: `1`, want: `"function"`},
	{name: "a callback waits for what is left to do", handler: "app.nested.callback", event: `{}`, want: `{"seen":"later"}`},
	{name: "unless it need not", handler: "app.nested.callback", event: `{"do":"now"}`, want: `{"seen":"at once"}`},
	{name: "a callback that is never called", handler: "app.nested.callback", event: `{"do":"none"}`, want: `null`},
	{name: "context.succeed", handler: "app.nested.callback", event: `{"do":"succeed"}`, want: `"succeeded"`},
	{name: "only the first answer counts", handler: "app.nested.callback", event: `{"do":"twice"}`, want: `"first"`},
	{name: "a callback with an error", handler: "app.nested.callback", event: `{"do":"fail"}`, kind: "Error", message: "Unauthorized"},
	{name: "an error", handler: app, event: `{"do":"throw"}`, kind: "RangeError", message: "boom", trace: "RangeError: boom"},
	{name: "a text is thrown", handler: app, event: `{"do":"text"}`, kind: "string", message: "Unauthorized"},
	{name: "an answer that is no JSON", handler: app, event: `{"do":"circle"}`, kind: "Error", message: "Unable to stringify response body"},
	{name: "the handler ends the process", handler: app, event: `{"do":"exit"}`, kind: "Runtime.ExitError", message: "exit status 7", ends: true},
	{name: "a promise that nobody watches", handler: app, event: `{"do":"stray"}`, kind: "Runtime.UnhandledPromiseRejection", message: "Error: stray", ends: true},
	{name: "an error that nobody catches", handler: app, event: `{"do":"late"}`, kind: "Error", message: "late", ends: true},
	{name: "init: no such module", handler: "nope.handler", kind: "Runtime.ImportModuleError", message: "Error: Cannot find module 'nope'", ends: true},
	{name: "init: a module lacks another", handler: "missing.handler", kind: "Runtime.ImportModuleError", message: "Error: Cannot find module 'a-module-that-nobody-has'", ends: true},
	{name: "init: syntax", handler: "syntax.handler", kind: "Runtime.UserCodeSyntaxError", message: "SyntaxError: Unexpected end of input", ends: true},
	{name: "init: the module fails", handler: "fails.handler", kind: "TypeError", message: "settings", ends: true},
	{name: "init: no such function", handler: "app.other", kind: "Runtime.HandlerNotFound", message: "app.other is undefined or not exported", ends: true},
	{name: "init: not a function", handler: "app.number", kind: "Runtime.HandlerNotFound", message: "app.number is not a function", ends: true},
	{name: "init: a handler without a module", handler: "handler", kind: "Runtime.MalformedHandlerName", message: "Bad handler", ends: true},
	{name: "init: a way out of the folder", handler: "../app.handler", kind: "Runtime.MalformedHandlerName", message: "'../app.handler' is not a valid handler name", ends: true},
}

func TestPython(t *testing.T) { testClients(t, pythonClients(t), pythonTries) }

func TestNode(t *testing.T) { testClients(t, nodeClients(t), nodeTries) }

func testClients(t *testing.T, all []client, tries []try) {
	for _, c := range all {
		t.Run(c.name, func(t *testing.T) {
			run := func(t *testing.T, handler string) *Function {
				return start(t, func(config *Config) {
					config.Program = c.program(t, handler)
					config.InitTimeout = time.Minute
				})
			}
			shared := map[string]*Function{} // by handler: one process for all that it survives
			for _, try := range tries {
				f := shared[try.handler]
				if f == nil && !try.ends {
					f = run(t, try.handler)
					shared[try.handler] = f
				}
				t.Run(try.name, func(t *testing.T) {
					if try.ends {
						t.Parallel()
						f = run(t, try.handler)
					}
					try.check(t, f)
				})
			}
		})
	}
}

func (c try) check(t *testing.T, f *Function) {
	t.Helper()
	if c.event == "" {
		c.checkError(t, f, f.Warm(t.Context()))
		return
	}
	if _, err := f.Invoke(t.Context(), []byte(`{"do":"nothing"}`)); err != nil {
		t.Fatal(err)
	}
	f.mu.Lock()
	before := f.idle[len(f.idle)-1]
	f.mu.Unlock()
	out, err := f.Invoke(t.Context(), []byte(c.event))
	if c.want != "" {
		if err != nil || !sameJSON(out, c.want) {
			t.Errorf("answer %s, %v,\nwant %s", out, err, c.want)
		}
	} else {
		c.checkError(t, f, err)
	}
	if _, err := f.Invoke(t.Context(), []byte(`{"do":"nothing"}`)); err != nil {
		t.Fatalf("the next invocation: %v", err)
	}
	if ended := closed(before.gone); ended != c.ends {
		t.Errorf("the process has ended: %v, want %v", ended, c.ends)
	}
}

func (c try) checkError(t *testing.T, f *Function, err error) {
	t.Helper()
	wantFunctionError(t, err, c.kind, c.message)
	var e *Error
	errors.As(err, &e)
	if c.trace == "" {
		return
	}
	var posted struct {
		Python []string `json:"stackTrace"`
		Node   []string `json:"trace"`
	}
	if err := json.Unmarshal(e.Body, &posted); err != nil {
		t.Fatalf("what was posted, %s: %v", e.Body, err)
	}
	want := strings.ReplaceAll(c.trace, "TASK", f.config.Program.Folder)
	if trace := append(posted.Python, posted.Node...); len(trace) == 0 || !strings.HasPrefix(trace[0], want) {
		t.Errorf("trace %q, want it to begin with %q", trace, want)
	}
}

func sameJSON(got []byte, want string) bool {
	decode := func(text string) (value any) {
		d := json.NewDecoder(strings.NewReader(text))
		d.UseNumber()
		if d.Decode(&value) != nil {
			return text
		}
		return value
	}
	a, _ := json.Marshal(decode(string(got)))
	b, _ := json.Marshal(decode(want))
	return string(a) == string(b)
}

// What a handler prints and logs reaches the log; the lines about its errors do as well.
func TestClientsLog(t *testing.T) {
	for name, list := range map[string]func(*testing.T) []client{"python": pythonClients, "node": nodeClients} {
		t.Run(name, func(t *testing.T) {
			var l journal
			f := start(t, func(config *Config) {
				config.Program, config.Log, config.InitTimeout = list(t)[0].program(t, app), &l, time.Minute
			})
			if _, err := f.Invoke(t.Context(), []byte(`{"do":"log"}`)); err != nil {
				t.Fatal(err)
			}
			_, _ = f.Invoke(t.Context(), []byte(`{"do":"`+map[string]string{"python": "raise", "node": "throw"}[name]+`"}`))
			f.Close()
			for _, want := range []string{"said", "boom"} {
				if !strings.Contains(l.String(), want) {
					t.Errorf("the log lacks %q:\n%s", want, &l)
				}
			}
		})
	}
}
