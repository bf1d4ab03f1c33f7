package main

// This file decides what administrators see of the figures, and what the page says when there are none: 403 to others, 400 for a span that does not exist,
// 500 when this function may not ask, 503 when CloudWatch cannot tell. Nothing in between is shown as zero.

import (
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"math"
	"net/http"
	"slices"

	"edgeauth/app/dashboard/figures"
	"edgeauth/app/dashboard/plot"
	"edgeauth/identity"
)

const (
	metricsPath = "/admin/metrics"
	admins      = "admins" // the group that sees them
)

// metricsView is what the page of figures shows.
type metricsView struct {
	frame
	Spans   []choice
	Figures bool
	Partial bool
	Tiles   []tile
	Plots   []template.HTML
	Problem string // why there are no figures
	Advice  string
}

type choice struct {
	Name, Words string
	Current     bool
}

type tile struct{ Name, Value, About string }

func (d dashboard) metrics(w http.ResponseWriter, r *http.Request, id identity.Identity) {
	v := metricsView{frame: d.frame(r, id, "What happens at the door")}
	span, known := spanOf(r)
	for _, s := range figures.Spans {
		v.Spans = append(v.Spans, choice{s.Name, s.Words, known && s == span})
	}
	switch {
	case !id.Has(admins):
		v.Spans, v.Problem, v.Advice = nil, "These figures are for the group "+admins+".", "Somebody who administers the users can put you into it; then sign in anew."
		show(w, http.StatusForbidden, "metrics.html", v)
		return
	case !known:
		v.Problem, v.Advice = "There is no such span.", "Choose one of these; nothing was lost."
		show(w, http.StatusBadRequest, "metrics.html", v)
		return
	}
	f, err := d.figures.Ask(r.Context(), span, d.now())
	if err != nil {
		status := v.explain(err)
		slog.Error("figures", "error", err.Error())
		if status == http.StatusServiceUnavailable {
			w.Header().Set("Retry-After", "30")
		}
		show(w, status, "metrics.html", v)
		return
	}
	v.Figures, v.Partial = true, f.Partial
	v.Tiles = tiles(f)
	for _, p := range plots(f) {
		html, err := p.HTML()
		if err != nil {
			panic(fmt.Errorf("dashboard: %w", err)) // a template that does not fit its view
		}
		v.Plots = append(v.Plots, html)
	}
	show(w, http.StatusOK, "metrics.html", v)
}

// spanOf reads the parameter span: without it the first, and none if it is given twice or names none.
func spanOf(r *http.Request) (figures.Span, bool) {
	asked, given := r.URL.Query()["span"]
	if !given {
		return figures.Spans[0], true
	}
	i := slices.IndexFunc(figures.Spans, func(s figures.Span) bool { return s.Name == asked[0] })
	if i < 0 || len(asked) != 1 {
		return figures.Span{}, false
	}
	return figures.Spans[i], true
}

// explain says why there are no figures.
func (v *metricsView) explain(err error) (status int) {
	switch {
	case errors.Is(err, figures.ErrForbidden):
		v.Problem, v.Advice = "This function may not read the figures.", "Its role lacks cloudwatch:GetMetricData; the template gives it."
		return http.StatusInternalServerError
	case errors.Is(err, figures.ErrSettings):
		v.Problem, v.Advice = "This function was not told whose figures are meant.", "It needs DASHBOARD_AUTHORIZER, DASHBOARD_CALLBACK and DASHBOARD_API; the template sets them."
		return http.StatusInternalServerError
	}
	v.Problem, v.Advice = "CloudWatch does not answer right now.", "What happened is counted all the same. Try again in half a minute."
	return http.StatusServiceUnavailable
}

// outcomes are in the order in which they are shown, with what they mean of a decision, and of a sign-in.
var outcomes = []outcome{
	{"allowed", "allowed", "completed"},
	{"anonymous", "nobody signed in", "shut out"},
	{"invalid", "no good session", "failed"},
	{"refused", "refused", "refused"},
	{"cannot_tell", "cannot tell", "cannot tell"},
}

type outcome struct{ name, decision, signIn string }

func tiles(f figures.Figures) []tile {
	sum := func(list []figures.Ended, wanted ...string) string {
		total := 0.0
		for _, e := range list {
			if len(wanted) == 0 || slices.Contains(wanted, e.Outcome) {
				for _, v := range e.Counts {
					if !math.IsNaN(v) {
						total += v
					}
				}
			}
		}
		return plot.Words(total)
	}
	return []tile{
		{"Sign-ins", sum(f.SignIns, "allowed"), "completed"},
		{"Decisions", sum(f.Decisions), "by the authorizer"},
		{"Refused", sum(f.Decisions, "refused"), "signed in, and not allowed"},
		{"Cannot tell", sum(f.Decisions, "cannot_tell"), "something was out of reach"},
	}
}

func plots(f figures.Figures) []plot.Plot {
	latency := func(l figures.Latency) []plot.Series {
		return []plot.Series{{Name: "half of them within", Class: "p50", Values: l.P50}, {Name: "99 of 100 within", Class: "p99", Values: l.P99}}
	}
	return []plot.Plot{
		{ID: "decisions", Title: "Decisions by outcome", About: "What the authorizer said of each request.", Times: f.Times, Series: byOutcome(f.Decisions, func(o outcome) string { return o.decision })},
		{ID: "sign-ins", Title: "Sign-ins", About: "How sign-ins ended.", Times: f.Times, Series: byOutcome(f.SignIns, func(o outcome) string { return o.signIn })},
		{ID: "reasons", Title: "Turned away, by reason", About: "Why requests were turned away, by reason code.", Times: f.Times, Series: byReason(f.Decisions)},
		{ID: "authorizer", Title: "Authorizer", About: "Time in the authorizer.", Unit: "ms", Kind: plot.Lines, Times: f.Times, Series: latency(f.Authorizer)},
		{ID: "backend", Title: "Backends", About: "Time until a backend answered, the callback among them.", Unit: "ms", Kind: plot.Lines, Times: f.Times, Series: latency(f.Backend)},
	}
}

// byOutcome adds the reasons of each outcome up.
func byOutcome(list []figures.Ended, words func(outcome) string) (series []plot.Series) {
	all := map[string][]float64{}
	for _, e := range list {
		name := e.Outcome
		if !slices.ContainsFunc(outcomes, func(o outcome) bool { return o.name == name }) {
			name = "unknown"
		}
		all[name] = added(all[name], e.Counts)
	}
	for _, o := range outcomes {
		if values := all[o.name]; values != nil {
			series = append(series, plot.Series{Name: words(o), Class: o.name, Values: values})
		}
	}
	if values := all["unknown"]; values != nil {
		series = append(series, plot.Series{Name: "unknown", Class: "rest", Values: values})
	}
	return series
}

func byReason(list []figures.Ended) (series []plot.Series) {
	for _, e := range list {
		if e.Outcome != "allowed" {
			series = append(series, plot.Series{Name: e.Reason, Values: e.Counts})
		}
	}
	return series
}

// added sums values where there are any, in a row of its own.
func added(sum, values []float64) []float64 {
	if sum == nil {
		return slices.Clone(values)
	}
	for i, v := range values {
		switch {
		case math.IsNaN(sum[i]):
			sum[i] = v
		case !math.IsNaN(v):
			sum[i] += v
		}
	}
	return sum
}
