// Package figures asks CloudWatch what happened at the door of this stack: how sign-ins and decisions ended, and how long the authorizer and the backends took.
//
// That there is no data, that it may not be asked, and that it cannot be told right now are three answers: figures without a value, ErrForbidden and
// ErrUnavailable.
package figures

// This file decides what is asked for a span, and what the answer is laid out on: one value for each period, or none.

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// Span is how far back figures reach, and for how long each stands.
type Span struct {
	Name           string
	Words          string
	Length, Period time.Duration
}

// Spans are those that can be asked for, the usual one first. CloudWatch keeps minutes for 15 days.
var Spans = []Span{
	{"1h", "1 hour", time.Hour, time.Minute},
	{"6h", "6 hours", 6 * time.Hour, 5 * time.Minute},
	{"1d", "1 day", 24 * time.Hour, 15 * time.Minute},
	{"7d", "7 days", 7 * 24 * time.Hour, 2 * time.Hour},
}

var (
	// ErrForbidden says that this function may not ask.
	ErrForbidden = errors.New("figures: cloudwatch:GetMetricData is not allowed")
	// ErrUnavailable says that CloudWatch gave no usable answer.
	ErrUnavailable = errors.New("figures: CloudWatch is out of reach")
	// ErrSettings says that nobody told whose figures are meant.
	ErrSettings = errors.New("figures: the names of authorizer, callback and API are not set")
)

// Names tell the metrics of this stack from those of others.
type Names struct{ Authorizer, Callback, API string }

// Figures are what is known of a span.
type Figures struct {
	Times               []time.Time // where each period begins
	SignIns, Decisions  []Ended
	Authorizer, Backend Latency
	Partial             bool // there is more, which CloudWatch did not give
}

// Ended counts what ended with an outcome, for a reason. NaN stands where nothing was counted.
type Ended struct {
	Outcome, Reason string
	Counts          []float64
}

// Latency is in milliseconds: what half and what all but one in a hundred stay below. NaN stands where nothing was measured.
type Latency struct{ P50, P99 []float64 }

// Client asks CloudWatch.
type Client struct {
	names Names
	api   func() (*cloudwatch.Client, error) // made at the first question: other pages need none
}

// New returns a client that finds credentials, Region and endpoint by lookup, as Lambda sets them.
func New(n Names, lookup func(string) (string, bool)) *Client {
	return &Client{n, sync.OnceValues(func() (*cloudwatch.Client, error) { return newAPI(lookup) })}
}

const (
	signIns    = "signins"
	decisions  = "decisions"
	pagesLimit = 10
)

// Ask returns the figures of the span that ends now. It is one question for all of them.
func (c *Client) Ask(ctx context.Context, span Span, now time.Time) (Figures, error) {
	if c.names.Authorizer == "" || c.names.Callback == "" || c.names.API == "" {
		return Figures{}, ErrSettings
	}
	api, err := c.api()
	if err != nil {
		return Figures{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	end := now.UTC().Truncate(span.Period).Add(span.Period) // the period that has begun is one of them
	f := newFigures(end.Add(-span.Length), end, span.Period)
	in := &cloudwatch.GetMetricDataInput{
		StartTime: aws.Time(end.Add(-span.Length)), EndTime: &end, ScanBy: types.ScanByTimestampAscending, MetricDataQueries: c.queries(span.Period),
	}
	state := map[string]types.StatusCode{}
	for range pagesLimit {
		out, err := ask(ctx, api, in)
		if err != nil {
			return Figures{}, err
		}
		for _, r := range out.MetricDataResults {
			if r.StatusCode == types.StatusCode("Forbidden") {
				return Figures{}, ErrForbidden
			}
			state[aws.ToString(r.Id)+" "+aws.ToString(r.Label)] = r.StatusCode
			f.take(r, span.Period)
		}
		f.Partial = f.Partial || len(out.Messages) > 0
		if in.NextToken = out.NextToken; in.NextToken == nil {
			break
		}
	}
	f.Partial = f.Partial || in.NextToken != nil
	for _, s := range state {
		f.Partial = f.Partial || s != types.StatusCodeComplete
	}
	sortEnded(f.SignIns)
	sortEnded(f.Decisions)
	return f, nil
}

// queries spells what is asked. Which reasons occur, nobody knows before: those are searched for.
func (c *Client) queries(period time.Duration) []types.MetricDataQuery {
	seconds := int32(period.Seconds())
	search := func(id, metric, function string) types.MetricDataQuery {
		return types.MetricDataQuery{
			Id: &id, Label: aws.String("${PROP('Dim.outcome')} ${PROP('Dim.reason')}"),
			Expression: aws.String(fmt.Sprintf(`SEARCH('{edgeauth,function,outcome,reason} MetricName="%s" function="%s"', 'Sum', %d)`, metric, function, seconds)),
		}
	}
	latency := func(id, namespace, metric, dimension, name, stat string) types.MetricDataQuery {
		return types.MetricDataQuery{Id: &id, MetricStat: &types.MetricStat{Period: &seconds, Stat: &stat, Metric: &types.Metric{
			Namespace: &namespace, MetricName: &metric, Dimensions: []types.Dimension{{Name: &dimension, Value: &name}},
		}}}
	}
	return []types.MetricDataQuery{
		search(signIns, "sign_ins", c.names.Callback),
		search(decisions, "decisions", c.names.Authorizer),
		latency("a50", "AWS/Lambda", "Duration", "FunctionName", c.names.Authorizer, "p50"),
		latency("a99", "AWS/Lambda", "Duration", "FunctionName", c.names.Authorizer, "p99"),
		latency("b50", "AWS/ApiGateway", "IntegrationLatency", "ApiName", c.names.API, "p50"),
		latency("b99", "AWS/ApiGateway", "IntegrationLatency", "ApiName", c.names.API, "p99"),
	}
}

func newFigures(start, end time.Time, period time.Duration) Figures {
	var f Figures
	for at := start; at.Before(end); at = at.Add(period) {
		f.Times = append(f.Times, at)
	}
	f.Authorizer, f.Backend = Latency{f.nothing(), f.nothing()}, Latency{f.nothing(), f.nothing()}
	return f
}

// nothing is a series in which every value is missing.
func (f *Figures) nothing() []float64 {
	values := make([]float64, len(f.Times))
	for i := range values {
		values[i] = math.NaN()
	}
	return values
}

// take lays a result out. The same one may come in pieces.
func (f *Figures) take(r types.MetricDataResult, period time.Duration) {
	var into []float64
	switch aws.ToString(r.Id) {
	case signIns:
		into = f.ended(&f.SignIns, aws.ToString(r.Label))
	case decisions:
		into = f.ended(&f.Decisions, aws.ToString(r.Label))
	case "a50":
		into = f.Authorizer.P50
	case "a99":
		into = f.Authorizer.P99
	case "b50":
		into = f.Backend.P50
	case "b99":
		into = f.Backend.P99
	}
	for i, at := range r.Timestamps {
		n := int(at.Sub(f.Times[0]) / period)
		if i >= len(r.Values) || at.Before(f.Times[0]) || n >= len(into) || math.IsNaN(r.Values[i]) || math.IsInf(r.Values[i], 0) {
			continue
		}
		into[n] = r.Values[i]
	}
}

// ended finds the counts of what a label names, or makes them. A label of another form than asked for is a reason of no known outcome.
func (f *Figures) ended(list *[]Ended, label string) []float64 {
	outcome, reason, ok := strings.Cut(label, " ")
	if !ok {
		outcome, reason = "unknown", label
	}
	i := slices.IndexFunc(*list, func(e Ended) bool { return e.Outcome == outcome && e.Reason == reason })
	if i < 0 {
		i = len(*list)
		*list = append(*list, Ended{outcome, reason, f.nothing()})
	}
	return (*list)[i].Counts
}

func sortEnded(list []Ended) {
	slices.SortFunc(list, func(a, b Ended) int {
		if c := strings.Compare(a.Outcome, b.Outcome); c != 0 {
			return c
		}
		return strings.Compare(a.Reason, b.Reason)
	})
}
