package dynamodb

// This file decides what tests and the curious can ask of the stand-in itself, under /_standin/table/. None of it exists at DynamoDB.

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
)

const adminPath = "/_standin/table/"

// fault spoils the answers to an operation.
type fault struct {
	Operation string `json:"operation"` // Query or PutItem; "": both
	Kind      string `json:"kind"`      // see kinds
	Times     int    `json:"times"`     // for how many requests; 0 is one, -1 until cleared
}

// kinds are what a fault does, each in a sentence.
var kinds = map[string]string{
	"hang":     "no answer until /_standin/table/clear, or until nobody waits any more; then the connection ends. Nothing is done",
	"error":    "500 InternalServerError. Nothing is done",
	"throttle": "400 ThrottlingException. Nothing is done",
	"denied":   "400 AccessDeniedException, as without the right. Nothing is done",
	"empty":    "200 and no item, as from a table that was restored. Nothing is done",
}

// takeFault returns the fault in force for an operation, and uses up one of its times.
func (s *Server) takeFault(operation string) (*fault, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, f := range s.faults {
		if f.Operation != "" && f.Operation != operation {
			continue
		}
		if f.Times--; f.Times == 0 {
			s.faults = slices.Delete(s.faults, i, i+1)
		}
		return f, s.release
	}
	return nil, nil
}

// hold keeps a request until it is released or given up.
func (s *Server) hold(r *http.Request, release <-chan struct{}) {
	s.hang(1)
	select {
	case <-release:
	case <-r.Context().Done():
	}
	s.hang(-1)
}

func (s *Server) hang(n int) { s.mu.Lock(); defer s.mu.Unlock(); s.hanging += n }

// instead is the answer of a fault.
func (f *fault) instead() (status int, answer []byte) {
	switch f.Kind {
	case "throttle":
		return http.StatusBadRequest, (&failure{"ThrottlingException", "Rate exceeded"}).body()
	case "denied":
		return http.StatusBadRequest, (&failure{"AccessDeniedException", "not authorized to perform this operation"}).body()
	case "empty":
		return http.StatusOK, []byte(`{"Items":[],"Count":0,"ScannedCount":0}`)
	}
	return http.StatusInternalServerError, (&failure{"InternalServerError", "Internal server error"}).body()
}

// administer serves the stand-in's own paths.
func (s *Server) administer(w http.ResponseWriter, r *http.Request, body []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	answer := func(status int, v any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v)
	}
	refuse := func(status int, format string, args ...any) {
		answer(status, map[string]string{"error": fmt.Sprintf(format, args...)})
	}
	word := strings.TrimPrefix(r.URL.Path, adminPath)
	if r.Method == http.MethodPost && !isJSON(r) {
		refuse(http.StatusUnsupportedMediaType, "send a JSON object with Content-Type: application/json, and from no page")
		return
	}
	switch r.Method + " " + word {
	case "GET ":
		faults := s.faults
		if faults == nil {
			faults = []*fault{}
		}
		answer(http.StatusOK, map[string]any{
			"about": "a local stand-in for DynamoDB: a model, not AWS",
			"endpoints": map[string]string{
				"GET /_standin/table/":       "this",
				"GET /_standin/table/stats":  "requests by operation, those that hang, and items by table",
				"POST /_standin/table/fault": `spoils answers: {"operation":"Query","kind":"hang","times":-1}; once without times, -1 is until cleared`,
				"POST /_standin/table/clear": "ends all faults, and ends what hangs: {}",
			},
			"fault_kinds": kinds, "faults_now": faults,
		})
	case "GET stats":
		answer(http.StatusOK, s.stats())
	case "POST fault":
		var f fault
		if err := decode(body, &f); err != nil {
			refuse(http.StatusBadRequest, "%v", err)
			return
		}
		if kinds[f.Kind] == "" || f.Operation != "" && f.Operation != "Query" && f.Operation != "PutItem" {
			refuse(http.StatusBadRequest, "no such kind of fault, or no such operation; GET /_standin/table/ lists them")
			return
		}
		f.Times = max(f.Times, -1)
		if f.Times == 0 {
			f.Times = 1
		}
		s.faults = append(s.faults, &f)
		answer(http.StatusOK, struct{}{})
	case "POST clear":
		s.faults = nil
		close(s.release)
		s.release = make(chan struct{})
		answer(http.StatusOK, struct{}{})
	default:
		refuse(http.StatusNotFound, "no such path; GET /_standin/table/ lists what this stand-in can do")
	}
}

// decode reads strictly: a misspelt member would otherwise be a fault that never happens.
func decode(body []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if d.Decode(&struct{}{}) != io.EOF {
		return fmt.Errorf("more than one JSON value")
	}
	return nil
}

func (s *Server) stats() map[string]int {
	stats := map[string]int{"Query": 0, "PutItem": 0, "hanging": s.hanging}
	for operation, n := range s.counts {
		stats[operation] = n
	}
	for name, t := range s.tables {
		alive := 0
		for _, i := range t.items {
			if t.ends(i).After(s.now()) {
				alive++
			}
		}
		stats["items."+name] = alive
	}
	return stats
}
