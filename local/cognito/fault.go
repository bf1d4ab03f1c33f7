// This file decides what can go wrong on request, at which endpoint, and for how many requests.

package cognito

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A fault spoils the answers of one endpoint.
type fault struct {
	At     string   `json:"at"`               // the point: see points
	Kind   string   `json:"kind"`             // see faultKinds
	Times  int      `json:"times"`            // for how many requests; 0 is one, -1 until cleared
	Grant  string   `json:"grant,omitempty"`  // at token: this grant only
	Target string   `json:"target,omitempty"` // at aws: this operation only
	Status int      `json:"status,omitempty"` // kind status: 500 unless given
	Delay  duration `json:"delay,omitempty"`  // kind slow: none holds the answer until /_standin/clear
	Bytes  int      `json:"bytes,omitempty"`  // kind huge: 10 MB unless given
	Alter  string   `json:"alter,omitempty"`  // kind alter
	Member string   `json:"member,omitempty"` // kind drop
	Error  string   `json:"error,omitempty"`  // kind error: access_denied unless given
	State  bool     `json:"state,omitempty"`  // kind error: with the state
}

// points are where faults can be asked for; the counters of /_standin/stats go by the same names.
var points = []string{"authorize", "login_form", "login", "token", "revoke", "userinfo", "logout", "error", "jwks", "discovery", "aws"}

type faultKind struct {
	name, sentence string
	at             []string // nil: everywhere
}

var faultKinds = []faultKind{
	{"status", "nothing is done; the status given, with an HTML page as a proxy would send it", nil},
	{"html", "nothing is done; 200 with an HTML page", nil},
	{"huge", "nothing is done; 200 with a JSON object of the size given", nil},
	{"redirect", "nothing is done; 307 to another path", nil},
	{"throttle", "nothing is done; HTTP 400 with TooManyRequestsException (ThrottlingException for SSM), as AWS throttles", []string{"token", "aws"}},
	{"slow", "it is done at once, the answer held back for the delay given, or until /_standin/clear", nil},
	{"reset", "it is done, then the connection ends without an answer: a code is used up, a refresh token rotated", nil},
	{"truncated", "it is done, and half of the body sent as if it were all", nil},
	{"drop", "it is done, and the member given left out of the JSON answer", []string{"token", "aws", "discovery"}},
	{"alter", "it is done, with an ID token altered as /_standin/mint would", []string{"token"}},
	{"error", "the browser goes back to the application with an error, without the state unless asked for", []string{"authorize", "login"}},
	{"stale", "the key set as it was before the last rotation", []string{"jwks"}},
	{"empty", "a key set without keys", []string{"jwks"}},
}

// problem says why the fault makes no sense, or nothing.
func (f *fault) problem() string {
	kind := slices.IndexFunc(faultKinds, func(k faultKind) bool { return k.name == f.Kind })
	switch {
	case !slices.Contains(points, f.At):
		return "at must be one of " + strings.Join(points, ", ")
	case kind < 0:
		return "no such kind of fault; GET /_standin/ lists them"
	case faultKinds[kind].at != nil && !slices.Contains(faultKinds[kind].at, f.At):
		return "that kind of fault goes with " + strings.Join(faultKinds[kind].at, ", ") + " only"
	case f.Kind == "alter" && f.alteration() == nil:
		return "alter must name an alteration; GET /_standin/ lists them"
	case f.Kind == "drop" && f.Member == "":
		return "member must name what to leave out"
	}
	return ""
}

// takeFault returns the fault in force for the call, and uses up one of its times.
func (s *Server) takeFault(point string, c *call) *fault {
	for i, f := range s.faults {
		if !f.matches(point, c) {
			continue
		}
		if f.Times--; f.Times == 0 {
			s.faults = slices.Delete(s.faults, i, i+1)
		}
		return f
	}
	return nil
}

func (f *fault) matches(point string, c *call) bool {
	if f.At != point {
		return false
	}
	if form, _ := url.ParseQuery(string(c.body)); f.Grant != "" && form.Get("grant_type") != f.Grant {
		return false
	}
	return f.Target == "" || strings.HasSuffix(c.Header.Get("X-Amz-Target"), "."+f.Target)
}

// instead is the answer of a fault that keeps the handler from running.
func (f *fault) instead(point string, c *call) (reply, bool) {
	const page = "<!doctype html><title>Unavailable</title><h1>The service is unavailable</h1>\n"
	switch f.Kind {
	case "status":
		rep := newReply(f.Status, "text/html", []byte(page), strconv.Itoa(f.Status))
		return rep, true
	case "html":
		return newReply(http.StatusOK, "text/html", []byte(page), "html"), true
	case "huge":
		return newReply(http.StatusOK, "application/json", []byte(`{"padding":"`+strings.Repeat("x", f.Bytes)+`"}`), "huge"), true
	case "redirect":
		rep := text(http.StatusTemporaryRedirect, "elsewhere", "redirect")
		rep.header.Set("Location", "/_standin/elsewhere")
		return rep, true
	case "throttle":
		failed := throttled(c.Header.Get("X-Amz-Target"))
		return newReply(http.StatusBadRequest, "application/x-amz-json-1.1",
			marshal(object{{"__type", failed.code}, {"message", failed.message}}), failed.code), true
	case "empty":
		return document(keySet(nil)), true
	}
	return reply{}, false
}

// mangle spoils an answer that was come by honestly.
func (f *fault) mangle(rep reply) reply {
	switch f.Kind {
	case "truncated":
		rep.body = rep.body[:len(rep.body)/2]
	case "drop":
		var members map[string]json.RawMessage
		if json.Unmarshal(rep.body, &members) == nil {
			delete(members, f.Member)
			rep.body = marshal(members)
		}
	}
	return rep
}

// wait holds a slow answer back: for the delay, or until it is released, or until nobody waits for it any more.
func (f *fault) wait(ctx context.Context, release <-chan struct{}) {
	if f.Kind != "slow" {
		return
	}
	var over <-chan time.Time
	if f.Delay > 0 {
		over = time.After(time.Duration(f.Delay))
	}
	select {
	case <-over:
	case <-release:
	case <-ctx.Done():
	}
}

// alteration is what the fault does to an ID token; nil for no fault or another kind.
func (f *fault) alteration() *alteration {
	if f == nil || f.Kind != "alter" {
		return nil
	}
	a, ok := alterationNamed(f.Alter)
	if !ok {
		return nil
	}
	return &a
}

// errorOnDemand sends the browser back with an error when that fault is in force.
func (s *Server) errorOnDemand(c *call, a authorization) (reply, bool) {
	if c.fault == nil || c.fault.Kind != "error" {
		return reply{}, false
	}
	return s.refuse(a, refusal{code: c.fault.Error, description: "asked for", withState: c.fault.State}), true
}
