package runtime

// This file is what Lambda does for a process that has an extension inside it: it is told of its end, by SIGTERM, and has half a second. Without one it is
// killed (https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-shutdown). Extensions in name are all there are
// here: that want no events, as the runtime clients register them for the signal's sake.

import (
	"encoding/json"
	"net/http"
	"time"
)

// lastWords is how long a process has after the signal.
const lastWords = 500 * time.Millisecond

// register takes an extension in, before the process first asks for work.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html#extensions-registration-api-a
func (e *environment) register(w http.ResponseWriter, r *http.Request) {
	body, err := read(w, r)
	var wanted struct{ Events []string }
	if err != nil || r.Header.Get("Lambda-Extension-Name") == "" || json.Unmarshal(body, &wanted) != nil || closed(e.ready) {
		reply(w, http.StatusForbidden, Error{Type: "Extension.InvalidExtensionState", Message: "no extension can be registered like this, or any more"})
		return
	}
	if len(wanted.Events) > 0 {
		reply(w, http.StatusNotImplemented, Error{Type: "Extension.NotModelled", Message: "extensions get no events here"})
		return
	}
	e.mu.Lock()
	e.extended = true
	e.mu.Unlock()
	w.Header().Set("Lambda-Extension-Identifier", newID())
	reply(w, http.StatusOK, map[string]string{"functionName": e.f.config.Name, "functionVersion": "$LATEST", "handler": e.f.config.Program.Handler})
}

// nextEvent never has one.
func (e *environment) nextEvent(_ http.ResponseWriter, r *http.Request) {
	select {
	case <-r.Context().Done():
	case <-e.gone:
	}
}

// end ends a process that is done with its work. It returns when nothing of it is left to wait for.
func (e *environment) end() {
	if e.mayTerminate() {
		select {
		case <-e.left:
		case <-time.After(lastWords):
		}
	}
	e.kill()
}

// mayTerminate sends the signal to a process that wants to be told.
func (e *environment) mayTerminate() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.extended && !e.exited && terminate(e.cmd.Process.Pid)
}
