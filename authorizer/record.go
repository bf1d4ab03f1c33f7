// This file writes one line of JSON for each decision: a log record and, in CloudWatch's embedded metric format, metrics that cost no call
// (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html). It holds no token, no cookie,
// no query and no path that a client chose.

package main

import (
	"fmt"
	"io"
	"runtime/debug"
	"strconv"
	"sync"

	"edgeauth/internal/jsonwrite"
)

// record writes decisions to out.
type record struct {
	out      io.Writer
	function string     // the Lambda's name, which keeps the metrics of several stacks apart
	fetches  func() int // of key sets, begun so far

	mu      sync.Mutex // guards what follows, and the order of writes
	line    []byte
	counted int // fetches that a line has told of
}

// A line begins with what makes it metrics.
const (
	metricsStart   = `{"_aws":{"Timestamp":`
	metricsCount   = `,"CloudWatchMetrics":[{"Namespace":"edgeauth","Dimensions":[["function","outcome","reason"]],"Metrics":[{"Name":"decisions","Unit":"Count"}`
	metricsVerify  = `,{"Name":"verify","Unit":"Microseconds"}`
	metricsFetches = `,{"Name":"jwks_fetches","Unit":"Count"}`
	metricsEnd     = `]}]},"msg":"decision","decisions":1`
)

// write writes d. What did not happen, a verification or a fetch, is none of the line's metrics.
func (r *record) write(d *decision) {
	r.mu.Lock()
	defer r.mu.Unlock()
	fetches := r.fetches() - r.counted
	r.counted += fetches
	b := strconv.AppendInt(append(r.line[:0], metricsStart...), d.began.UnixMilli(), 10)
	b = append(b, metricsCount...)
	if d.verifying {
		b = append(b, metricsVerify...)
	}
	if fetches > 0 {
		b = append(b, metricsFetches...)
	}
	b = append(b, metricsEnd...)
	if d.verifying {
		b = strconv.AppendInt(append(b, `,"verify":`...), d.verified.Microseconds(), 10)
	}
	if fetches > 0 {
		b = strconv.AppendInt(append(b, `,"jwks_fetches":`...), int64(fetches), 10)
	}
	for _, m := range [...][2]string{
		{"function", r.function},
		{"outcome", string(d.code.Outcome())},
		{"reason", string(d.code)},
		{"credential", string(d.by.kind)},
		{"ignored", string(d.ignored)},
		{"kind", string(d.request.Kind)},
		{"method", d.request.Method},
		{"route", d.request.Resource},
		{"request_id", d.request.RequestID},
		{"panic", d.panicked},
	} {
		if m[1] == "" {
			continue
		}
		b = append(append(append(b, `,"`...), m[0]...), `":`...)
		b = jsonwrite.AppendString(b, m[1])
	}
	b = append(b, '}', '\n')
	_, _ = r.out.Write(b)
	r.line = b
}

// trace says what a panic was, without its value, which may hold what a client sent.
func trace(v any) string { return fmt.Sprintf("%T\n%s", v, debug.Stack()) }
