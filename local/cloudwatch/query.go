package cloudwatch

// This file decides what a query finds: one metric by name, or those that a search of the simple kind finds, exact terms over one schema.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html

import (
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The members that are understood. Others, a member that is misspelt too, are refused when the request is read.
type input struct {
	MetricDataQueries  []query
	StartTime, EndTime time.Time
	ScanBy             string
}

type query struct {
	Id         string
	Label      string
	Expression string
	Period     int64
	MetricStat *metricStat
	ReturnData *bool
}

type metricStat struct {
	Metric struct {
		Namespace, MetricName string
		Dimensions            []struct{ Name, Value string }
	}
	Period int64
	Stat   string
}

type output struct {
	MetricDataResults []result
	Messages          []message
}

type result struct {
	Id, Label  string
	Timestamps []time.Time
	Values     []float64
	StatusCode string
}

type message struct{ Code, Value string }

const (
	queryLimit = 500 // of metrics, and of what all searches of a call find
	descending = "TimestampDescending"
	ascending  = "TimestampAscending"
)

var (
	queryID     = regexp.MustCompile(`^[a-z][a-zA-Z0-9_]*$`)
	search      = regexp.MustCompile(`^SEARCH\('\{([^{}']+)\}((?: +\w+="[^"']*")+) *', *'([^']+)'(?:, *(\d+))?\)$`)
	term        = regexp.MustCompile(`(\w+)="([^"]*)"`)
	property    = regexp.MustCompile(`\$\{([^}]*)\}`)
	ofDimension = regexp.MustCompile(`^PROP\('Dim\.([^']+)'\)$`)
	percentile  = regexp.MustCompile(`^p(\d{1,2}(?:\.\d{1,10})?|100)$`)
)

// invalid is what CloudWatch says of a query that it does not take.
type invalid string

func (e invalid) Error() string { return string(e) }

func (s *Server) getMetricData(in input) (output, error) {
	out := output{MetricDataResults: []result{}, Messages: []message{}}
	switch {
	case len(in.MetricDataQueries) == 0 || len(in.MetricDataQueries) > queryLimit:
		return out, invalid("MetricDataQueries holds 1 to 500 queries")
	case !in.StartTime.Before(in.EndTime):
		return out, invalid("StartTime must be less than EndTime")
	case !slices.Contains([]string{"", descending, ascending}, in.ScanBy):
		return out, invalid("ScanBy is TimestampAscending or TimestampDescending")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	ids := map[string]bool{}
	for _, q := range in.MetricDataQueries {
		if !queryID.MatchString(q.Id) || ids[q.Id] {
			return out, invalid(fmt.Sprintf("the id %q is given twice, or does not begin with a small letter and go on with letters, digits and _", q.Id))
		}
		ids[q.Id] = true
		found, stat, period, err := s.find(q)
		if err != nil {
			return out, err
		}
		if q.ReturnData != nil && !*q.ReturnData {
			continue
		}
		for _, one := range found {
			r := result{Id: q.Id, StatusCode: "Complete", Timestamps: []time.Time{}, Values: []float64{}}
			if r.Label, err = label(q.Label, one.metric); err != nil {
				return out, err
			}
			for _, p := range one.periods(in.StartTime.Unix()/60*60, in.EndTime.Unix(), period) { // it rounds a start of late down to its minute
				r.Timestamps, r.Values = append(r.Timestamps, time.Unix(p.at, 0).UTC()), append(r.Values, stat(p))
			}
			if in.ScanBy != ascending {
				slices.Reverse(r.Timestamps)
				slices.Reverse(r.Values)
			}
			out.MetricDataResults = append(out.MetricDataResults, r)
		}
	}
	if len(out.MetricDataResults) > queryLimit {
		out.MetricDataResults = out.MetricDataResults[:queryLimit]
		out.Messages = []message{{"MaxMetricsExceeded", "Maximum number of allowed metrics exceeded"}}
	}
	return out, nil
}

// find returns the series that a query is about: of a metric that nobody has written, one without points.
func (s *Server) find(q query) (found []*series, stat func(*minute) float64, period int64, err error) {
	var name string
	switch {
	case (q.MetricStat == nil) == (q.Expression == ""):
		return nil, nil, 0, invalid(q.Id + ": either MetricStat or Expression")
	case q.MetricStat != nil:
		m := metric{q.MetricStat.Metric.Namespace, q.MetricStat.Metric.MetricName, map[string]string{}}
		for _, d := range q.MetricStat.Metric.Dimensions {
			m.dimensions[d.Name] = d.Value
		}
		if m.namespace == "" || m.name == "" {
			return nil, nil, 0, invalid(q.Id + ": a metric has a namespace and a name")
		}
		one := s.series[m.key()]
		if one == nil {
			one = &series{metric: m}
		}
		found, name, period = []*series{one}, q.MetricStat.Stat, q.MetricStat.Period
	default:
		if found, name, period, err = s.search(q); err != nil {
			return nil, nil, 0, err
		}
	}
	if period < 60 || period%60 != 0 {
		return nil, nil, 0, invalid(q.Id + ": the period is no multiple of 60")
	}
	if stat = statistic(name); stat == nil {
		return nil, nil, 0, invalid(fmt.Sprintf("%s: the statistic %q is not modelled", q.Id, name))
	}
	return found, stat, period, nil
}

// search finds metrics with exactly the dimensions of the schema, that match all terms.
func (s *Server) search(q query) (found []*series, stat string, period int64, err error) {
	m := search.FindStringSubmatch(q.Expression)
	if m == nil {
		return nil, "", 0, invalid(fmt.Sprintf("%s: the expression %q is not modelled", q.Id, q.Expression))
	}
	period = q.Period
	if m[4] != "" {
		if period, err = strconv.ParseInt(m[4], 10, 64); err != nil {
			return nil, "", 0, invalid(q.Id + ": the period is no number")
		}
	}
	schema := strings.Split(m[1], ",")
	for i, part := range schema {
		schema[i] = strings.Trim(strings.TrimSpace(part), `"`)
	}
	namespace, dimensions := schema[0], slices.Sorted(slices.Values(schema[1:]))
	terms := term.FindAllStringSubmatch(m[2], -1)
	for _, t := range terms {
		if t[1] != "MetricName" && !slices.Contains(dimensions, t[1]) {
			return nil, "", 0, invalid(fmt.Sprintf("%s: %s is no dimension of the schema", q.Id, t[1]))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(s.series)) {
		one := s.series[key]
		fits := one.namespace == namespace && slices.Equal(slices.Sorted(maps.Keys(one.dimensions)), dimensions)
		for _, t := range terms {
			fits = fits && (t[1] == "MetricName" && one.name == t[2] || t[1] != "MetricName" && one.dimensions[t[1]] == t[2])
		}
		if fits {
			found = append(found, one)
		}
	}
	return found, m[3], period, nil
}

// label writes a result's label, with the dynamic parts that name a metric's own properties. Without one, the metric's name.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/graph-dynamic-labels.html
func label(text string, m metric) (string, error) {
	if text == "" {
		return m.name, nil
	}
	var failed error
	text = property.ReplaceAllStringFunc(text, func(part string) string {
		name := part[2 : len(part)-1]
		if d := ofDimension.FindStringSubmatch(name); d != nil {
			return m.dimensions[d[1]]
		}
		if name == "PROP('MetricName')" {
			return m.name
		}
		failed = invalid(fmt.Sprintf("the label's %s is not modelled", part))
		return ""
	})
	return text, failed
}

// statistic returns what makes one number of a period, or nil.
func statistic(name string) func(*minute) float64 {
	switch name {
	case "SampleCount":
		return func(m *minute) float64 { return m.count }
	case "Sum":
		return func(m *minute) float64 { return m.sum }
	case "Average":
		return func(m *minute) float64 { return m.sum / m.count }
	case "Minimum":
		return func(m *minute) float64 { return m.min }
	case "Maximum":
		return func(m *minute) float64 { return m.max }
	}
	p := percentile.FindStringSubmatch(name)
	if p == nil {
		return nil
	}
	percent, err := strconv.ParseFloat(p[1], 64)
	if err != nil {
		return nil
	}
	return func(m *minute) float64 { return m.percentile(percent) }
}

// percentile is the value that so many of a hundred do not exceed, by nearest rank, and never outside of what there was.
func (m *minute) percentile(percent float64) float64 {
	rank := math.Ceil(percent / 100 * m.count)
	seen := 0.0
	for _, v := range slices.Sorted(maps.Keys(m.values)) {
		if seen += m.values[v]; seen >= rank {
			return min(max(v, m.min), m.max)
		}
	}
	return m.max
}
