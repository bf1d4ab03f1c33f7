// This file decides which handler a request reaches, whether a fault stands in its way, and what is logged of it.

package cognito

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"mime"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// A host tells which of the two hosts a path belongs to when they are kept apart.
type host int

const (
	anyHost host = iota
	loginHost
	issuerHost
	notLoginHost // the AWS calls: SSM lives on a host of its own
)

// A route leads to a handler. Its point is the name under which it is counted and under which faults are asked for.
type route struct {
	point string
	host  host
	serve func(*call) reply
}

// A call is one request, its body read.
type call struct {
	*http.Request
	body  []byte
	fault *fault // the fault in force, or nil
}

// A reply is an answer, as a value: handlers run under the lock, and writing must not.
type reply struct {
	status  int
	header  http.Header
	body    []byte
	outcome string // one word for the log
}

func (s *Server) allRoutes() map[string]map[string]route {
	wellKnown := "/" + s.cfg.Pool + "/.well-known/"
	jwks := route{"jwks", issuerHost, s.serveJWKS}
	discovery := route{"discovery", issuerHost, s.serveDiscovery}
	return map[string]map[string]route{
		"/oauth2/authorize": {"GET": {"authorize", loginHost, s.serveAuthorize}},
		"/login": {
			"GET":  {"login_form", loginHost, s.serveLoginForm},
			"POST": {"login", loginHost, s.serveLogin},
		},
		"/error":           {"GET": {"error", loginHost, s.serveError}},
		"/oauth2/token":    {"POST": {"token", loginHost, s.serveToken}},
		"/oauth2/revoke":   {"POST": {"revoke", loginHost, s.serveRevoke}},
		"/oauth2/userInfo": {"GET": {"userinfo", loginHost, s.serveUserInfo}},
		"/logout":          {"GET": {"logout", loginHost, s.serveLogout}},

		wellKnown + "jwks.json":            {"GET": jwks, "HEAD": jwks},
		wellKnown + "openid-configuration": {"GET": discovery, "HEAD": discovery},

		"/": {"POST": {"aws", notLoginHost, s.serveAWS}},

		"/_standin/":          {"GET": {"", anyHost, s.serveIndex}},
		"/_standin/stats":     {"GET": {"", anyHost, s.serveStats}},
		"/_standin/reset":     {"POST": {"", anyHost, s.serveReset}},
		"/_standin/rotate":    {"POST": {"", anyHost, s.serveRotate}},
		"/_standin/fault":     {"POST": {"", anyHost, s.serveFault}},
		"/_standin/clear":     {"POST": {"", anyHost, s.serveClear}},
		"/_standin/settings":  {"POST": {"", anyHost, s.serveSettings}},
		"/_standin/clock":     {"POST": {"", anyHost, s.serveClock}},
		"/_standin/user":      {"POST": {"", anyHost, s.serveUser}},
		"/_standin/revoke":    {"POST": {"", anyHost, s.serveRevokeAll}},
		"/_standin/secret":    {"POST": {"", anyHost, s.serveSecret}},
		"/_standin/parameter": {"POST": {"", anyHost, s.serveParameter}},
		"/_standin/mint":      {"POST": {"", anyHost, s.serveMint}},
	}
}

// Handler serves the pool.
func (s *Server) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, rt, refusal := s.route(r)
		if refusal != nil {
			s.finish(w, r, path, *refusal)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<18))
		if err != nil {
			s.finish(w, r, path, text(http.StatusRequestEntityTooLarge, "the body is too large or broken", "body_unreadable"))
			return
		}
		rep, f, release := s.answer(&call{Request: r, body: body}, rt)
		if f != nil {
			rep.outcome = "fault:" + f.Kind + ":" + rep.outcome
			f.wait(r.Context(), release)
			if f.Kind == "reset" {
				s.logLine(r, path, 0, rep.outcome)
				panic(http.ErrAbortHandler) // the connection ends without an answer
			}
		}
		s.finish(w, r, path, rep)
	})
}

// route finds the handler, and the path as the log may name it: one that is not ours may hold anything.
func (s *Server) route(r *http.Request) (path string, rt route, refusal *reply) {
	refuse := func(rep reply) (string, route, *reply) { return "(other)", route{}, &rep }
	if !s.knownHost(r.Host) {
		return refuse(text(http.StatusMisdirectedRequest, "this stand-in answers to loopback and configured host names only", "unknown_host"))
	}
	methods, ok := s.routes[r.URL.Path]
	if !ok {
		return refuse(text(http.StatusNotFound, "no such path; GET /_standin/ lists what this stand-in can do", "not_found"))
	}
	rt, ok = methods[r.Method]
	if !ok {
		rep := text(http.StatusMethodNotAllowed, "method not allowed", "method_not_allowed")
		rep.header.Set("Allow", strings.Join(slices.Sorted(maps.Keys(methods)), ", "))
		return r.URL.Path, rt, &rep
	}
	if s.cfg.SeparateHosts && !s.onHost(rt.host, r.Host) {
		return refuse(text(http.StatusNotFound, "this path belongs to another host", "wrong_host"))
	}
	return r.URL.Path, rt, nil
}

// knownHost keeps a web page from reaching the stand-in through a name of its own that resolves to loopback (DNS rebinding).
func (s *Server) knownHost(hostport string) bool {
	name, _, err := net.SplitHostPort(hostport)
	if err != nil {
		name = strings.Trim(hostport, "[]")
	}
	return isLoopback(name) || hostport == s.loginHost || hostport == s.issuerHost
}

func (s *Server) onHost(h host, got string) bool {
	switch h {
	case loginHost:
		return got == s.loginHost
	case issuerHost:
		return got == s.issuerHost
	case notLoginHost:
		return got != s.loginHost
	}
	return true
}

// answer runs the handler and the fault that was asked for, if any, under the lock.
func (s *Server) answer(c *call, rt route) (reply, *fault, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if rt.point == "" {
		return s.guardAdmin(c, rt.serve), nil, nil
	}
	s.count(rt.point)
	c.fault = s.takeFault(rt.point, c)
	if c.fault == nil {
		return rt.serve(c), nil, nil
	}
	if rep, ok := c.fault.instead(rt.point, c); ok {
		return rep, c.fault, s.release
	}
	return c.fault.mangle(rt.serve(c)), c.fault, s.release
}

func (s *Server) finish(w http.ResponseWriter, r *http.Request, path string, rep reply) {
	maps.Copy(w.Header(), rep.header)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Length", strconv.Itoa(len(rep.body)))
	s.logLine(r, path, rep.status, rep.outcome) // before the answer: whoever has it may look for the line
	w.WriteHeader(rep.status)
	_, _ = w.Write(rep.body)
}

// logLine writes the path and never the query, header or body: those hold codes, states, passwords and tokens.
func (s *Server) logLine(r *http.Request, path string, status int, outcome string) {
	s.mu.Lock()
	now := s.now()
	s.mu.Unlock()
	rec := slog.NewRecord(now, slog.LevelInfo, "request", 0)
	rec.AddAttrs(slog.String("method", knownMethod(r.Method)), slog.String("path", path), slog.Int("status", status), slog.String("outcome", outcome))
	_ = s.log.Handler().Handle(r.Context(), rec)
}

func knownMethod(m string) string {
	switch m {
	case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS":
		return m
	}
	return "(other)"
}

func (s *Server) count(name string) { s.counts[name]++ }

// form returns the body's fields, and false when it is not a form or repeats one.
func (c *call) form() (url.Values, bool) {
	media, _, err := mime.ParseMediaType(c.Header.Get("Content-Type"))
	if err != nil || media != "application/x-www-form-urlencoded" {
		return nil, false
	}
	return parseOnce(string(c.body))
}

// parseOnce parses a query and refuses one that names a parameter twice (RFC 6749 section 3.1).
func parseOnce(raw string) (url.Values, bool) {
	q, err := url.ParseQuery(raw)
	if err != nil {
		return nil, false
	}
	for _, values := range q {
		if len(values) != 1 {
			return nil, false
		}
	}
	return q, true
}

func newReply(status int, contentType string, body []byte, outcome string) reply {
	h := http.Header{}
	h.Set("Content-Type", contentType)
	h.Set("Cache-Control", "no-cache, no-store, max-age=0, must-revalidate")
	return reply{status, h, body, outcome}
}

func text(status int, message, outcome string) reply {
	return newReply(status, "text/plain; charset=utf-8", []byte(message+"\n"), outcome)
}

func jsonReply(status int, v any, outcome string) reply {
	return newReply(status, "application/json;charset=UTF-8", marshal(v), outcome)
}

func redirect(to, outcome string) reply {
	rep := newReply(http.StatusFound, "text/html; charset=utf-8", nil, outcome)
	rep.header.Set("Location", to)
	return rep
}

// marshal writes JSON as everybody but encoding/json's default does: < > & as they are.
func marshal(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(err) // our own values: cannot happen
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
