// This file writes one line of JSON for a decision, or for many: a log record and, in CloudWatch's
// embedded metric format, metrics that cost no call
// (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html).
// It holds no token, no cookie, no query and no path that a client chose; of a token whose issuer
// is unknown, the beginning of that name.

package main

import (
	"fmt"
	"io"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"

	"edgeauth/internal/jsonwrite"
	"edgeauth/internal/metric"
	"edgeauth/internal/reason"
	"edgeauth/internal/token"
)

// record writes decisions to out.
type record struct {
	out      io.Writer
	function string     // the Lambda's name, which keeps the metrics of several stacks apart
	fetches  func() int // of key sets, begun so far
	issuers  string     // of the pools that tokens may come from
	every    bool       // each decision has a line of its own; otherwise those that are ordinary are counted

	mu       sync.Mutex // guards what follows, and the order of writes
	line     []byte
	counted  int // fetches that a line has told of
	tally    tally
	counting func(flush func()) // is called once, when something is first counted and not written
}

func newRecord(out io.Writer) *record {
	return &record{out: out, fetches: func() int { return 0 }}
}

// dimensions are the members that tell metrics apart.
var dimensions = []string{"function", "outcome", "reason"}

// write writes d, or counts it.
func (r *record) write(d *decision) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.tally.otherMinute(d.began) {
		r.writeTally()
	}
	if r.every || !d.ordinary() {
		r.writeOne(d)
	} else {
		r.tally.add(d)
	}
	if r.tally.due(d.began) {
		r.writeTally()
		r.tally.wrote = d.began.Round(0)
	}
	if r.tally.decisions > 0 && r.counting != nil {
		r.counting(r.flush)
		r.counting = nil
	}
}

// writeOne writes the line of one decision.
func (r *record) writeOne(d *decision) {
	b := append(r.begin(d.began, d.verifying), `,"msg":"decision","decisions":1`...)
	if d.verifying {
		b = strconv.AppendInt(append(b, `,"verify":`...), d.verified.Microseconds(), 10)
	}
	cause, expected, received := r.cause(d)
	r.end(b, [][2]string{
		{"function", r.function},
		{"outcome", string(d.code.Outcome())},
		{"reason", string(d.code)},
		{"credential", string(d.by.kind)},
		{"ignored", string(d.ignored)},
		{"kind", string(d.request.Kind)},
		{"method", d.request.Method},
		{"route", d.request.Resource},
		{"request_id", d.request.RequestID},
		{"error", cause},
		{"issuer_expected", expected},
		{"issuer_received", received},
		{"panic", d.panicked},
	})
}

// begin begins a line about a moment. What did not happen, a verification or a fetch, is none of
// the line's metrics.
func (r *record) begin(at time.Time, verified bool) []byte {
	fetches := r.fetches() - r.counted
	r.counted += fetches
	var scratch [3]metric.Metric
	metrics := append(scratch[:0], metric.Metric{Name: "decisions", Unit: metric.Count})
	if verified {
		metrics = append(metrics, metric.Metric{Name: "verify", Unit: metric.Microseconds})
	}
	if fetches > 0 {
		metrics = append(metrics, metric.Metric{Name: "jwks_fetches", Unit: metric.Count})
	}
	b := metric.Append(append(r.line[:0], `{"_aws":`...), at, dimensions, metrics...)
	if fetches > 0 {
		b = strconv.AppendInt(append(b, `,"jwks_fetches":`...), int64(fetches), 10)
	}
	return b
}

// end writes a line, with those of its members that say something.
func (r *record) end(b []byte, members [][2]string) {
	for _, m := range members {
		if m[1] != "" {
			b = jsonwrite.AppendString(append(append(append(b, `,"`...), m[0]...), `":`...), m[1])
		}
	}
	b = append(b, '}', '\n')
	_, _ = r.out.Write(b)
	r.line = b
}

// cause returns what whoever has to mend it needs to know: why keys are out of reach, and which
// pool a token is from that is none of ours.
func (r *record) cause(d *decision) (text, expected, received string) {
	switch d.code {
	case reason.KeysUnavailable:
		text = d.err.Error()
	case reason.TokenIssuer:
		if other, ok := d.err.(*token.OtherIssuer); ok {
			return "", r.issuers, printable(other.Received)
		}
	}
	return text, "", ""
}

// keys tells of a fetch of keys that failed: at the start already, when no request has asked for
// any.
func (r *record) keys(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	line := jsonwrite.AppendString([]byte(`{"level":"ERROR","msg":"keys","error":`), err.Error())
	_, _ = r.out.Write(append(line, "}\n"...))
}

// printable returns the beginning of a text that anybody may have written, with question marks for
// all but visible ASCII.
func printable(text string) string {
	return strings.Map(func(c rune) rune {
		if c <= ' ' || c > '~' {
			return '?'
		}
		return c
	}, text[:min(len(text), 200)])
}

// trace says what a panic was, without its value, which may hold what a client sent.
func trace(v any) string { return fmt.Sprintf("%T\n%s", v, debug.Stack()) }
