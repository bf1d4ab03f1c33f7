package gateway

// This file says what became of each request, in one line.

import (
	"bufio"
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"time"

	"edgeauth/local/sam"
)

// access is a line about one request, as an API's access log would have it. Queries are left out: they hold codes and states.
type access struct {
	Level    string `json:"level"`
	Message  string `json:"msg"`
	Method   string `json:"method"`
	Path     string `json:"path"`
	Status   int    `json:"status"`
	Reason   string `json:"reason,omitempty"`   // of the authorizer's answer
	Location string `json:"location,omitempty"` // where a redirect leads
	Millis   int64  `json:"ms"`
}

// answerWriter remembers the status of an answer.
type answerWriter struct {
	http.ResponseWriter
	status    int
	certified bool   // by a certificate of this machine's own
	told      func() // writes the line, once
}

func (r *answerWriter) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	if r.certified { // a browser that took the certificate for good would ask for TLS at every port of localhost, for as long as this says
		r.Header().Del("Strict-Transport-Security")
	}
	r.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach what is behind.
func (r *answerWriter) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// Hijack gives the connection away, as WebSockets want it. The line is about the handshake: a connection may last.
func (r *answerWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	r.status = http.StatusSwitchingProtocols
	r.told()
	return http.NewResponseController(r.ResponseWriter).Hijack()
}

// Measured is what CloudWatch is told of a request to a REST API.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html
type Measured struct {
	API         string // its name
	Status      int
	Latency     time.Duration
	Integration *time.Duration // nil where no backend was asked
}

// record writes the line, and tells what was measured. What the function behind an ok wrote into reason is none of it: only refusals have one.
func (s shared) record(r *answerWriter, q *request, began time.Time) {
	a := access{Level: "INFO", Message: "request", Method: q.method, Path: q.fullPath, Status: r.status, Millis: s.now().Sub(began).Milliseconds()}
	if reason, ok := q.authorizer["reason"].(string); ok && reason != "ok" {
		a.Reason = reason
	}
	a.Location, _, _ = strings.Cut(r.Header().Get("Location"), "?")
	s.tell(a)
	if s.measure != nil && q.api != nil && q.api.Kind == sam.REST {
		s.measure(Measured{q.api.Name, r.status, s.now().Sub(began), q.integration})
	}
}

// recordMessage writes the line of a message of a WebSocket API, with the route that it has taken.
func (g *gate) recordMessage(route string, status int, began time.Time) {
	g.tell(access{Level: "INFO", Message: "request", Method: "MESSAGE", Path: strings.TrimSpace("/" + g.api.Stage + " " + route), Status: status, Millis: g.now().Sub(began).Milliseconds()})
}

func (s shared) tell(a access) {
	if s.log == nil {
		return
	}
	line, _ := json.Marshal(a)
	_, _ = s.log.Write(append(line, '\n'))
}
