// This file measures what the list of endings costs: nothing to speak of while no reading is due, and one more request over HTTPS on a cold start.

package main

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"edgeauth/internal/yardstick"
)

const withCuts = "edgeauth, snapshot and the list over HTTPS, P=1"

func measureCuts(tab *table, dir string, p programs, t *traffic, pairs, coldStarts int) error {
	poll, err := pollBenchmark(pairs)
	if err != nil {
		return err
	}
	table := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		_, _ = io.WriteString(w, `{"Count":0,"Items":[],"ScannedCount":0}`)
	}))
	table.TLS = &tls.Config{Certificates: []tls.Certificate{p.chain}}
	table.StartTLS()
	defer table.Close()
	f := fleet{dir: dir, events: t.events}
	all, err := f.turns([]program{
		{noop, []string{p.noop}, []string{single}, ""},
		{withCuts, []string{p.pinned}, settings(single, "AUTH_JWKS="+string(t.pool.JWKS()), "AUTH_CUTS=cuts", "AWS_ACCESS_KEY_ID=AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY=secret", "AWS_ENDPOINT_URL_DYNAMODB="+table.URL), `"Effect":"Allow"`},
	}, coldStarts, func(i int) []byte { return t.events[yardstick.Small.Name][i%different] })
	if err != nil {
		return err
	}
	tab.cuts(poll, all)
	return nil
}

// pollBenchmark is what a question to the list costs while no reading is due, as a share of a decision.
func pollBenchmark(pairs int) (yardstick.Result, error) {
	out, err := do("..", "go", "test", "-run=^$", "-bench=^BenchmarkPoll$", fmt.Sprintf("-benchtime=%dx", pairs), "./authorizer")
	if err != nil {
		return yardstick.Result{}, err
	}
	for line := range strings.Lines(out) {
		if r, ok := benchmarkLine(line); ok && r.Ratio > 0 {
			return r, nil
		}
	}
	return yardstick.Result{}, fmt.Errorf("no benchmark of the list in\n%s", out)
}

// cuts shows both, beside the no-op of the same turns.
func (t *table) cuts(poll yardstick.Result, all map[string]*series) {
	t.section("The list of endings (`CutOffSeconds`)")
	t.hold("a question while no reading is due / a decision", percent, 100*poll.Ratio, 0.5, fmt.Sprintf("%.2f … %.2f", 100*poll.Lower, 100*poll.Upper))
	t.hold("its allocations", count, poll.Allocs, 0, "")
	ratios := over(all[withCuts].wall, all[noop].wall)
	t.hold(fmt.Sprintf("cold start: %s (%.1f ms, %.1f ms CPU) / no-op", withCuts, median(all[withCuts].wall), median(all[withCuts].cpu)), times, median(ratios), 2.0, quartiles(times, ratios))
}
