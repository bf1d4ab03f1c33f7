package runtime

// This file is one environment: a process, and the server that it asks for work.

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"os/exec"
	goruntime "runtime"
	"slices"
	"strconv"
	"sync"
	"time"
)

type environment struct {
	f      *Function
	server *http.Server
	cmd    *exec.Cmd
	work   chan *invocation // holds one
	ready  chan struct{}    // closed when the process first asks for work
	left   chan struct{}    // closed when it has exited
	gone   chan struct{}    // closed when, after that, all is settled
	era    int              // the function's, when it was started

	mu       sync.Mutex // guards what follows
	current  *invocation
	outcome  *result     // of current, once the process has posted it
	clock    *time.Timer // kills the process when init or the invocation takes too long
	verdict  *Error      // why the process failed, if anything but its exit says so
	extended bool        // it has an extension, and is told of its end
	exited   bool
	exit     error
}

// start runs a new process.
func (f *Function) start() (*environment, error) {
	era, err := f.enter()
	if err != nil {
		return nil, err
	}
	e := &environment{f: f, era: era, work: make(chan *invocation, 1), ready: make(chan struct{}), left: make(chan struct{}), gone: make(chan struct{})}
	started := make(chan error)
	go e.run(started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("runtime: %s does not start: %w", f.config.Name, err)
	}
	return e, nil
}

// run starts the process and sees it through.
func (e *environment) run(started chan<- error) {
	defer e.f.leave(e)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		started <- err
		return
	}
	e.server = &http.Server{Handler: onlyFor(listener.Addr().String(), e.api()), ErrorLog: log.New(io.Discard, "", 0)}
	defer e.server.Close()
	go func() { _ = e.server.Serve(listener) }()

	stdout, stderr := &lines{to: e.f.config.Log}, &lines{to: e.f.config.Log}
	e.cmd = e.f.command(listener.Addr().String())
	e.cmd.Stdout, e.cmd.Stderr = stdout, stderr
	// The kernel sends the parent-death signal when the thread that started the process ends, so that thread has to live as long as the process.
	goruntime.LockOSThread()
	defer goruntime.UnlockOSThread()
	err = e.launch()
	started <- err
	if err == nil {
		e.wait()
		stdout.flush()
		stderr.flush()
	}
}

// launch starts the process, and the clock of its init before it can ask for anything.
func (e *environment) launch() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.cmd.Start(); err != nil {
		return err
	}
	limit := e.f.config.InitTimeout
	e.clock = e.f.after(limit, func() { e.expire(nil, limit) })
	return nil
}

// command is the process, with the variables that Lambda gives it and none of ours.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
func (f *Function) command(api string) *exec.Cmd {
	c := f.config
	cmd := exec.Command(c.Program.Binary, c.Program.Arguments...)
	cmd.Dir = c.Program.Folder
	cmd.SysProcAttr = processAttributes()
	cmd.WaitDelay = time.Second // for output held open by a grandchild
	variables := map[string]string{
		"PATH":                            "/usr/local/bin:/usr/bin:/bin:/opt/bin",
		"LANG":                            "en_US.UTF-8",
		"TZ":                              ":UTC",
		"LAMBDA_TASK_ROOT":                cmd.Dir,
		"LAMBDA_RUNTIME_DIR":              "/var/runtime",
		"_HANDLER":                        c.Program.Handler,
		"AWS_LAMBDA_RUNTIME_API":          api,
		"AWS_LAMBDA_FUNCTION_NAME":        c.Name,
		"AWS_LAMBDA_FUNCTION_VERSION":     "$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": strconv.Itoa(c.Memory),
		"AWS_LAMBDA_INITIALIZATION_TYPE":  "on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME":       "/aws/lambda/" + c.Name,
		"AWS_LAMBDA_LOG_STREAM_NAME":      time.Now().UTC().Format("2006/01/02") + "/[$LATEST]" + newID(),
	}
	if managed := c.Program.Runtime; managed != "" {
		variables["AWS_EXECUTION_ENV"] = "AWS_Lambda_" + managed
	}
	maps.Copy(variables, c.Platform)
	maps.Copy(variables, c.Environment)
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		cmd.Env = append(cmd.Env, name+"="+variables[name])
	}
	return cmd
}

// wait sees the process through, and settles what it left unanswered.
func (e *environment) wait() {
	go func() {
		select {
		case <-e.f.closed:
			e.end()
		case <-e.left:
		}
	}()
	err := e.cmd.Wait()
	close(e.left)
	e.kill() // what it may have started itself

	e.mu.Lock()
	defer e.mu.Unlock()
	e.clock.Stop()
	e.exit, e.exited = err, true
	if v := e.current; v != nil {
		r := e.outcome
		if r == nil {
			r = &result{err: e.failure(v.id)}
		}
		e.log(v.id, e.failure(v.id))
		e.current = nil
		v.answered <- *r
	}
}

// kill ends the process and everything in its group.
func (e *environment) kill() { killGroup(e.cmd.Process.Pid) }

// expire kills the process because v, or its init when v is nil, has taken too long.
func (e *environment) expire(v *invocation, limit time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.current != v || v == nil && closed(e.ready) || e.exited {
		return // it was in time after all
	}
	e.verdict = &Error{Type: "Sandbox.Timedout", Message: fmt.Sprintf("Task timed out after %.2f seconds", limit.Seconds())}
	if v != nil {
		e.verdict.Message = "RequestId: " + v.id + " Error: " + e.verdict.Message
	}
	e.kill()
}

// failure is why the process failed the invocation, or its init when id is empty. The caller holds mu.
func (e *environment) failure(id string) *Error {
	if e.verdict != nil {
		return e.verdict
	}
	exit := "exit status 0"
	if e.exit != nil {
		exit = e.exit.Error()
	}
	message := "Runtime exited with error: " + exit
	if id != "" {
		message = "RequestId: " + id + " Error: " + message
	}
	return &Error{Type: "Runtime.ExitError", Message: message}
}

// initFailure is why a process that is gone never asked for work.
func (e *environment) initFailure() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if closed(e.f.closed) {
		return ErrClosed
	}
	failure := e.failure("")
	e.log("", failure)
	return failure
}

// log writes one line about a process that failed, as Lambda's platform log does, unless we stopped it ourselves.
func (e *environment) log(id string, failure *Error) {
	if closed(e.f.closed) {
		return
	}
	line, _ := json.Marshal(map[string]string{
		"level": "ERROR", "function": e.f.config.Name, "request_id": id, "type": failure.Type, "message": failure.Message,
	})
	_, _ = e.f.config.Log.Write(append(line, '\n'))
}

// api is the Runtime API as one process sees it.
func (e *environment) api() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", e.next)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", e.response)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/error", e.invocationError)
	mux.HandleFunc("POST /2018-06-01/runtime/init/error", e.initError)
	mux.HandleFunc("POST /2020-01-01/extension/register", e.register)
	mux.HandleFunc("GET /2020-01-01/extension/event/next", e.nextEvent)
	return mux
}

// onlyFor lets the process in and no web page: one could reach this port under a host name of its own, and read events with everything that is in them.
func onlyFor(host string, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, page := r.Header["Origin"]; page || r.Host != host {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// next hands out work. Asking for it ends the invocation before.
func (e *environment) next(w http.ResponseWriter, r *http.Request) {
	e.settle()
	select {
	case v := <-e.work:
		if r.Context().Err() != nil || !e.begin(v) {
			v.answered <- result{err: errGone}
			return
		}
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("Lambda-Runtime-Aws-Request-Id", v.id)
		h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(time.Now().Add(e.f.config.Timeout).UnixMilli(), 10))
		h.Set("Lambda-Runtime-Invoked-Function-Arn", e.f.config.ARN)
		h.Set("Lambda-Runtime-Trace-Id", fmt.Sprintf("Root=1-%x-%s;Parent=%s;Sampled=0", time.Now().Unix(), hex(24), hex(16)))
		_, _ = w.Write(v.payload)
	case <-r.Context().Done():
	case <-e.gone:
	}
}

// hex is n random hexadecimal digits, for n up to 24.
func hex(n int) string {
	id := newID()
	return (id[:8] + id[9:13] + id[14:18] + id[24:])[:n]
}

// settle delivers the outcome of the current invocation, if there is one, and marks the process as ready.
func (e *environment) settle() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.clock.Stop()
	if !closed(e.ready) {
		close(e.ready)
	}
	e.f.offer(e) // before the answer is out, so that whoever asks next finds this process
	v := e.current
	if v == nil {
		return
	}
	r := e.outcome
	if r == nil {
		r = &result{err: &Error{Type: "Runtime.NoResponse", Message: "RequestId: " + v.id + " Error: the runtime asked for work without answering"}}
	}
	e.current, e.outcome = nil, nil
	v.answered <- *r
}

// begin makes v the current invocation and starts its clock. It reports false when the process is gone already.
func (e *environment) begin(v *invocation) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.exited {
		return false
	}
	e.current, e.outcome = v, nil
	limit := e.f.config.Timeout
	e.clock = e.f.after(limit, func() { e.expire(v, limit) })
	return true
}

func (e *environment) response(w http.ResponseWriter, r *http.Request) {
	body, err := read(w, r)
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		message := fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).", PayloadLimit)
		e.post(w, r, &result{err: &Error{Type: "Function.ResponseSizeTooLarge", Message: message}}, http.StatusRequestEntityTooLarge)
		return
	}
	if err == nil {
		e.post(w, r, &result{payload: body}, http.StatusAccepted)
	}
}

func (e *environment) invocationError(w http.ResponseWriter, r *http.Request) {
	if body, err := read(w, r); err == nil {
		e.post(w, r, &result{err: functionError(body)}, http.StatusAccepted)
	}
}

func (e *environment) initError(w http.ResponseWriter, r *http.Request) {
	body, err := read(w, r)
	if err != nil {
		return
	}
	e.mu.Lock()
	e.verdict = functionError(body)
	e.mu.Unlock()
	reply(w, http.StatusAccepted, map[string]string{"status": "OK"})
}

// post keeps the outcome of the current invocation until the process asks for work again, or exits.
func (e *environment) post(w http.ResponseWriter, r *http.Request, outcome *result, status int) {
	e.mu.Lock()
	known := e.current != nil && e.current.id == r.PathValue("id") && e.outcome == nil
	if known {
		e.outcome = outcome
	}
	e.mu.Unlock()
	switch {
	case !known:
		reply(w, http.StatusBadRequest, Error{Type: "InvalidRequestID", Message: "Invalid request ID"})
	case status == http.StatusRequestEntityTooLarge:
		reply(w, status, Error{Type: "RequestEntityTooLarge", Message: "Exceeded maximum allowed payload size."})
	default:
		reply(w, status, map[string]string{"status": "OK"})
	}
}

func read(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	return io.ReadAll(http.MaxBytesReader(w, r.Body, PayloadLimit))
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// functionError reads what a runtime posts about a failure. Anything else is a failure too.
func functionError(body []byte) *Error {
	var e Error
	if err := json.Unmarshal(body, &e); err != nil {
		return &Error{Type: "Runtime.Unknown", Message: "the runtime reported an error that cannot be read"}
	}
	e.Body = body
	return &e
}
