package local

// This file decides what stands behind each function of the template: its own processes, a process of the developer's own, or nothing that can run here.

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"edgeauth/local/runtime"
	"edgeauth/local/sam"
)

// The credentials that every function gets. They open nothing but the connections of WebSocket APIs.
const (
	accessKeyID     = "LOCALLOCALLOCALLOCAL"
	secretAccessKey = "local"
)

// function runs invocations. A *runtime.Error is the function's own failure.
type function interface {
	Invoke(ctx context.Context, payload []byte) ([]byte, error)
}

func (s *system) startFunctions(m *sam.Model, o Options) error {
	if !slices.Contains([]string{"sources", "all", "none"}, o.reload) {
		return fmt.Errorf("-reload %s: sources, all or none", o.reload)
	}
	s.functions = map[string]function{}
	scratch, err := os.MkdirTemp("", "edgeauth-local-")
	if err != nil {
		return err
	}
	s.closers = append(s.closers, func() { _ = os.RemoveAll(scratch) })
	for _, f := range m.Functions {
		s.metrics.names[f.LogicalID] = f.Name
		s.functions[f.LogicalID], err = s.startFunction(f, o, scratch)
		var unable runtime.Unable
		if errors.As(err, &unable) && !decides(m, f.LogicalID) {
			s.functions[f.LogicalID], err = absent(unable), nil
			s.notes = append(s.notes, fmt.Sprintf("Set aside: %s Its routes answer 501.", unable))
		}
		if err != nil {
			return err
		}
	}
	for _, id := range slices.Sorted(maps.Keys(o.at)) {
		if s.functions[id] == nil {
			return fmt.Errorf("-at %s: there is no function %s", id, id)
		}
	}
	return nil
}

// decides reports whether a function is an authorizer: without it nothing could be said about any request, so it has to run.
func decides(m *sam.Model, id string) bool {
	for _, api := range m.APIs {
		for _, a := range api.Authorizers {
			if a.Function == id {
				return true
			}
		}
	}
	return false
}

func (s *system) startFunction(f sam.Function, o Options, scratch string) (function, error) {
	if at := o.at[f.LogicalID]; at != "" {
		s.notes = append(s.notes, fmt.Sprintf("%s is the process at %s", f.LogicalID, at))
		return newRemote(f.LogicalID, at)
	}
	code := runtime.Code{
		Name: f.LogicalID, Built: filepath.Join(o.build, filepath.FromSlash(f.LogicalID)), Given: f.Code, Inline: f.Inline, Runtime: f.Runtime, Handler: f.Handler,
		Python: o.python, Node: o.node, Scratch: scratch,
	}
	program, err := code.Prepare()
	if err != nil {
		return nil, err
	}
	if program.Note != "" {
		s.notes = append(s.notes, program.Note)
	}
	function, err := runtime.New(runtime.Config{
		Name: f.Name, ARN: f.ARN, Program: program, Environment: f.Environment,
		Platform: map[string]string{
			"AWS_REGION":            sam.Region,
			"AWS_DEFAULT_REGION":    sam.Region,
			"AWS_ACCESS_KEY_ID":     accessKeyID,
			"AWS_SECRET_ACCESS_KEY": secretAccessKey,
			"AWS_SESSION_TOKEN":     "local",
			"AWS_ENDPOINT_URL":      s.cognitoURL,
		},
		Timeout: f.Timeout, Memory: f.Memory, Max: f.Concurrency, Log: s.log.of(f.LogicalID),
	})
	if err != nil {
		return nil, err
	}
	s.closers = append(s.closers, function.Close)
	sources := program.Sources
	switch o.reload {
	case "none":
		sources = ""
	case "all":
		sources = cmp.Or(sources, program.Binary)
	}
	if sources == "" {
		return function, nil
	}
	watched, err := newReloading(function, sources, func() { s.say(f.LogicalID + " runs new code") })
	if err != nil {
		s.notes = append(s.notes, fmt.Sprintf("Set aside: %s: changes of its code: %v", f.LogicalID, err))
		return function, nil
	}
	return watched, nil
}

// say logs what the system does by itself.
func (s *system) say(message string) {
	line, _ := json.Marshal(map[string]string{"level": "INFO", "message": message})
	_, _ = s.log.Write(append(line, '\n'))
}

// Invoke makes the system the gateway's way to its functions.
func (s *system) Invoke(ctx context.Context, function string, payload []byte) ([]byte, error) {
	began := time.Now()
	answer, err := s.functions[function].Invoke(ctx, payload)
	s.metrics.invocation(function, time.Since(began), err)
	return answer, err
}

// warm starts one process of each function, all at once, and waits until each asks for work.
func (s *system) warm(ctx context.Context, m *sam.Model) error {
	var wait sync.WaitGroup
	failures := make([]error, len(s.functions))
	for i, id := range slices.Sorted(maps.Keys(s.functions)) {
		f, ok := s.functions[id].(interface{ Warm(context.Context) error })
		if !ok {
			continue
		}
		wait.Go(func() {
			if err := f.Warm(ctx); err != nil {
				failures[i] = fmt.Errorf("%s does not start: %w", id, err)
			}
		})
	}
	wait.Wait()
	for i, id := range slices.Sorted(maps.Keys(s.functions)) {
		_, mends := s.functions[id].(*reloading)
		switch err := failures[i]; {
		case err == nil:
		case mends && !decides(m, id) && ctx.Err() == nil:
			s.mends = true
			s.notes = append(s.notes, err.Error()+". Its routes answer 502 until its code has changed.")
		default:
			return err // one sentence: the others may well have the same cause
		}
	}
	return nil
}

// absent is a function that cannot run here. It answers, as a proxy integration would, with the reason.
type absent string

func (a absent) Invoke(context.Context, []byte) ([]byte, error) {
	return json.Marshal(map[string]any{
		"statusCode": http.StatusNotImplemented,
		"headers":    map[string]string{"Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store"},
		"body":       string(a) + "\n",
	})
}

// remote is a process of the developer's own, which takes invocations as the Runtime Interface Emulator does: in a container, under a debugger.
// https://github.com/aws/aws-lambda-runtime-interface-emulator
type remote struct {
	url string
}

const invocations = "/2015-03-31/functions/function/invocations"

func newRemote(id, at string) (remote, error) {
	u, err := url.Parse(at)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return remote{}, fmt.Errorf("-at %s: %q is no URL", id, at)
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = invocations
	}
	return remote{u.String()}, nil
}

func (r remote) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url, bytes.NewReader(payload))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, runtime.PayloadLimit+1))
	switch {
	case err != nil:
		return nil, err
	case len(answer) > runtime.PayloadLimit:
		return nil, &runtime.Error{Type: "Function.ResponseSizeTooLarge", Message: "the answer is too large"}
	case res.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("%s answers %s", r.url, res.Status)
	}
	if fault := faultOf(answer); fault != nil {
		return nil, fault
	}
	return answer, nil
}

// faultOf tells a function's error from its answer: the emulator gives both the status 200, and an error nothing but its shape.
func faultOf(answer []byte) *runtime.Error {
	var e struct {
		Type       *string         `json:"errorType"`
		Message    *string         `json:"errorMessage"`
		StatusCode json.RawMessage `json:"statusCode"`
	}
	if json.Unmarshal(answer, &e) != nil || e.Message == nil || e.StatusCode != nil {
		return nil
	}
	fault := &runtime.Error{Message: *e.Message, Body: answer}
	if e.Type != nil {
		fault.Type = *e.Type
	}
	return fault
}
