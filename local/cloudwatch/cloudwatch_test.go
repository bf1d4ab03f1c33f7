package cloudwatch

// Metric lines in, and what AWS's own client of CloudWatch makes of the answers.

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/fxamacker/cbor/v2"
)

var now = time.Date(2026, 11, 24, 12, 0, 30, 0, time.UTC)

// line is a decision as the authorizer writes it, so many seconds before now.
func line(before int, reason, more string) string {
	return fmt.Sprintf(`{"_aws":{"Timestamp":%d,"CloudWatchMetrics":[{"Namespace":"edgeauth","Dimensions":[["function","outcome","reason"]],"Metrics":[{"Name":"decisions","Unit":"Count"}]}]},"msg":"decision","function":"f","outcome":"o","reason":%q,%s}`,
		now.Add(-time.Duration(before)*time.Second).UnixMilli(), reason, more)
}

func serve(t *testing.T, lines ...string) (*Server, *cloudwatch.Client) {
	t.Helper()
	s := New("eu-west-1", func() time.Time { return now })
	for _, l := range lines {
		if err := s.Line([]byte(l + "\n")); err != nil {
			t.Fatal(err)
		}
	}
	server := httptest.NewServer(s.Handler())
	t.Cleanup(server.Close)
	return s, client(server.URL, "eu-west-1")
}

func client(url, region string) *cloudwatch.Client {
	return cloudwatch.NewFromConfig(aws.Config{
		Region: region, BaseEndpoint: &url, Credentials: credentials.NewStaticCredentialsProvider("LOCAL", "local", "local"),
		Retryer: func() aws.Retryer { return aws.NopRetryer{} },
	})
}

func statOf(stat string) types.MetricDataQuery {
	q := types.MetricDataQuery{Id: aws.String("q"), MetricStat: &types.MetricStat{
		Metric: &types.Metric{Namespace: aws.String("edgeauth"), MetricName: aws.String("decisions")}, Period: aws.Int32(60), Stat: &stat,
	}}
	for _, d := range [][2]string{{"function", "f"}, {"outcome", "o"}, {"reason", "ok"}} {
		q.MetricStat.Metric.Dimensions = append(q.MetricStat.Metric.Dimensions, types.Dimension{Name: &d[0], Value: &d[1]})
	}
	return q
}

func searchFor(expression, label string) types.MetricDataQuery {
	q := types.MetricDataQuery{Id: aws.String("q"), Expression: &expression}
	if label != "" {
		q.Label = &label
	}
	return q
}

// ask spells the answer to one query: each result in a line, as label, then time=value.
func ask(t *testing.T, c *cloudwatch.Client, q types.MetricDataQuery) (string, error) {
	t.Helper()
	out, err := c.GetMetricData(t.Context(), &cloudwatch.GetMetricDataInput{
		StartTime: aws.Time(now.Add(-10 * time.Minute)), EndTime: &now, MetricDataQueries: []types.MetricDataQuery{q}, ScanBy: types.ScanByTimestampAscending,
	})
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, r := range out.MetricDataResults {
		if *r.Id != "q" || r.StatusCode != types.StatusCodeComplete {
			t.Errorf("result %s is %s", *r.Id, r.StatusCode)
		}
		fmt.Fprint(&b, *r.Label)
		for i, at := range r.Timestamps {
			fmt.Fprintf(&b, " %s=%v", at.UTC().Format("15:04"), r.Values[i])
		}
		fmt.Fprintln(&b)
	}
	for _, m := range out.Messages {
		fmt.Fprintln(&b, *m.Code)
	}
	return b.String(), nil
}

func TestStatistics(t *testing.T) {
	_, c := serve(t,
		line(31, "ok", `"decisions":4`), line(40, "ok", `"decisions":[1,2,3]`), line(90, "ok", `"decisions":100`), line(91, "cut", `"decisions":7`), line(0, "ok", `"decisions":5`),
		`not JSON`, `{"msg":"login"}`, `{"text":"\"_aws\""}`,
	)
	for stat, want := range map[string]string{
		"Sum":         "decisions 11:59=110 12:00=5\n",
		"SampleCount": "decisions 11:59=5 12:00=1\n",
		"Average":     "decisions 11:59=22 12:00=5\n",
		"Minimum":     "decisions 11:59=1 12:00=5\n",
		"Maximum":     "decisions 11:59=100 12:00=5\n",
		"p50":         "decisions 11:59=3 12:00=5\n",
		"p99":         "decisions 11:59=100 12:00=5\n",
		"p99.9":       "decisions 11:59=100 12:00=5\n",
	} {
		if got, err := ask(t, c, statOf(stat)); err != nil || got != want {
			t.Errorf("%s: %q, %v, want %q", stat, got, err, want)
		}
	}
}

func TestAMetricThatNobodyWrote(t *testing.T) {
	_, c := serve(t)
	if got, err := ask(t, c, statOf("Sum")); err != nil || got != "decisions\n" {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := ask(t, c, searchFor(`SEARCH('{edgeauth,function,outcome,reason} MetricName="decisions"', 'Sum', 60)`, "")); err != nil || got != "" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestSearch(t *testing.T) {
	s, c := serve(t, line(60, "ok", `"decisions":1`), line(60, "no_session", `"decisions":2`), line(400, "ok", `"decisions":5`))
	s.Add("edgeauth", "decisions", map[string]string{"function": "f"}, 9)
	s.Add("other", "decisions", map[string]string{"function": "f", "outcome": "o", "reason": "ok"}, 9)
	s.Add("edgeauth", "verify", map[string]string{"function": "f", "outcome": "o", "reason": "ok"}, 9)
	s.Add("edgeauth", "decisions", map[string]string{"function": "g", "outcome": "o", "reason": "ok"}, 9)
	const label = "${PROP('Dim.outcome')} ${PROP('Dim.reason')}"
	for expression, want := range map[string]string{
		`SEARCH('{edgeauth,function,outcome,reason} MetricName="decisions" function="f"', 'Sum', 300)`:       "o no_session 11:55=2\no ok 11:50=5 11:55=1\n",
		`SEARCH('{edgeauth,reason,function,outcome} MetricName="decisions" reason="no_session"', 'Sum', 60)`: "o no_session 11:59=2\n",
		`SEARCH('{edgeauth,function,outcome,reason} MetricName="decisions" function="h"', 'Sum', 60)`:        "",
	} {
		if got, err := ask(t, c, searchFor(expression, label)); err != nil || got != want {
			t.Errorf("%s: %q, %v, want %q", expression, got, err, want)
		}
	}
}

func TestWhatIsNotModelledIsRefused(t *testing.T) {
	_, c := serve(t)
	period := statOf("Sum")
	period.MetricStat.Period = aws.Int32(30)
	both := statOf("Sum")
	both.Expression = aws.String("m1+m2")
	id := statOf("Sum")
	id.Id = aws.String("Q")
	for name, q := range map[string]types.MetricDataQuery{
		"statistic":       statOf("TM(10%:90%)"),
		"period":          period,
		"two kinds":       both,
		"id":              id,
		"arithmetic":      searchFor("SUM(METRICS())", ""),
		"partial match":   searchFor(`SEARCH('{edgeauth,function} decisions', 'Sum', 60)`, ""),
		"foreign term":    searchFor(`SEARCH('{edgeauth,function} outcome="o"', 'Sum', 60)`, ""),
		"no period":       searchFor(`SEARCH('{edgeauth,function} MetricName="decisions"', 'Sum')`, ""),
		"search's metric": searchFor(`SEARCH('{edgeauth,function} MetricName="decisions"', 'p101', 60)`, ""),
	} {
		var wrong *types.InvalidParameterValueException
		if got, err := ask(t, c, q); !errors.As(err, &wrong) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	account := statOf("Sum")
	account.AccountId = aws.String("123456789012")
	if _, err := ask(t, c, account); err == nil || !strings.Contains(err.Error(), "SerializationException: the body is not what is modelled") {
		t.Error(err)
	}
	s, c := serve(t, line(60, "ok", `"decisions":1`))
	const all = `SEARCH('{edgeauth,function,outcome,reason} MetricName="decisions"', 'Sum', 60)`
	var wrong *types.InvalidParameterValueException
	if _, err := ask(t, c, searchFor(all, "${MAX}")); !errors.As(err, &wrong) || !strings.Contains(err.Error(), "${MAX} is not modelled") {
		t.Error(err)
	}
	for i := range 500 {
		s.Add("edgeauth", "decisions", map[string]string{"function": "f", "outcome": "o", "reason": fmt.Sprint(i)}, 1)
	}
	if got, err := ask(t, c, searchFor(all, "")); err != nil || strings.Count(got, "\n") != 501 || !strings.HasSuffix(got, "MaxMetricsExceeded\n") {
		t.Errorf("%d lines, %v", strings.Count(got, "\n"), err)
	}
}

// The newest point comes first unless the caller says otherwise, and a query may only serve others.
func TestOrderAndReturnData(t *testing.T) {
	_, c := serve(t, line(60, "ok", `"decisions":1`), line(120, "ok", `"decisions":2`))
	hidden := statOf("Sum")
	hidden.Id, hidden.ReturnData = aws.String("hidden"), aws.Bool(false)
	out, err := c.GetMetricData(t.Context(), &cloudwatch.GetMetricDataInput{
		StartTime: aws.Time(now.Add(-time.Hour)), EndTime: &now, MetricDataQueries: []types.MetricDataQuery{hidden, statOf("Sum")},
	})
	if err != nil || len(out.MetricDataResults) != 1 || fmt.Sprint(out.MetricDataResults[0].Values) != "[1 2]" {
		t.Errorf("%v, %v", out, err)
	}
	for name, in := range map[string]*cloudwatch.GetMetricDataInput{
		"no time":    {StartTime: &now, EndTime: &now, MetricDataQueries: []types.MetricDataQuery{statOf("Sum")}},
		"no queries": {StartTime: aws.Time(now.Add(-time.Hour)), EndTime: &now, MetricDataQueries: []types.MetricDataQuery{}},
		"twice":      {StartTime: aws.Time(now.Add(-time.Hour)), EndTime: &now, MetricDataQueries: []types.MetricDataQuery{statOf("Sum"), statOf("Sum")}},
		"order":      {StartTime: aws.Time(now.Add(-time.Hour)), EndTime: &now, MetricDataQueries: []types.MetricDataQuery{statOf("Sum")}, ScanBy: "sideways"},
	} {
		var wrong *types.InvalidParameterValueException
		if _, err := c.GetMetricData(t.Context(), in); !errors.As(err, &wrong) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLinesThatAreNoMetrics(t *testing.T) {
	good := line(0, "ok", `"decisions":1`)
	many := "[" + strings.Repeat("1,", 100) + "1]"
	for name, bad := range map[string]string{
		"no value":        line(0, "ok", `"x":1`),
		"text":            line(0, "ok", `"decisions":"1"`),
		"null":            line(0, "ok", `"decisions":null`),
		"a null in it":    line(0, "ok", `"decisions":[1,null]`),
		"an empty list":   line(0, "ok", `"decisions":[]`),
		"101 numbers":     line(0, "ok", `"decisions":`+many),
		"an object":       line(0, "ok", `"decisions":{"Values":[1],"Counts":[2]}`),
		"too large":       line(0, "ok", `"decisions":1e200`),
		"no dimension":    strings.Replace(good, `"outcome":"o",`, "", 1),
		"empty dimension": strings.Replace(good, `"outcome":"o"`, `"outcome":""`, 1),
		"a number for it": strings.Replace(good, `"outcome":"o"`, `"outcome":1`, 1),
		"no time":         strings.Replace(good, `"Timestamp"`, `"Time"`, 1),
		"an old time":     line(15*24*3600, "ok", `"decisions":1`),
		"a time to come":  line(-3*3600, "ok", `"decisions":1`),
		"no namespace":    strings.Replace(good, `"Namespace":"edgeauth"`, `"Namespace":""`, 1),
		"no directives":   strings.Replace(good, `"CloudWatchMetrics":[`, `"CloudWatchMetrics":[],"x":[`, 1),
		"directives":      strings.Replace(good, `"CloudWatchMetrics":[`, `"CloudWatchMetrics":1,"x":[`, 1),
	} {
		s, c := serve(t)
		if err := s.Line([]byte(bad)); err == nil {
			t.Errorf("%s is taken", name)
		}
		if got, err := ask(t, c, statOf("Sum")); err != nil || got != "decisions\n" {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

// A directive may list several sets of dimensions, an empty one too, and several metrics.
func TestSeveralMetricsInALine(t *testing.T) {
	s, c := serve(t)
	if err := s.Line(fmt.Appendf(nil, `{"_aws":{"Timestamp":%d,"CloudWatchMetrics":[{"Namespace":"n","Dimensions":[[],["a"]],"Metrics":[{"Name":"x"},{"Name":"y"}]}]},"a":"1","x":2,"y":[3,4]}`, now.UnixMilli())); err != nil {
		t.Fatal(err)
	}
	for _, dimensions := range []map[string]string{{}, {"a": "1"}} {
		for name, want := range map[string]string{"x": "x 12:00=2\n", "y": "y 12:00=7\n"} {
			q := statOf("Sum")
			q.MetricStat.Metric = &types.Metric{Namespace: aws.String("n"), MetricName: &name}
			for k, v := range dimensions {
				q.MetricStat.Metric.Dimensions = []types.Dimension{{Name: &k, Value: &v}}
			}
			if got, err := ask(t, c, q); err != nil || got != want {
				t.Errorf("%s of %v: %q, %v", name, dimensions, got, err)
			}
		}
	}
}

func TestOldMinutesAreForgotten(t *testing.T) {
	clock := now
	s := New("eu-west-1", func() time.Time { return clock })
	s.Add("n", "x", nil, 1)
	clock = clock.Add(keep + 2*time.Minute)
	s.Add("n", "x", nil, 1)
	if one := s.series[metric{"n", "x", nil}.key()]; len(one.minutes) != 1 || one.minutes[0].at != clock.Unix()/60*60 {
		t.Errorf("%d minutes", len(one.minutes))
	}
}

func TestASeriesTooMany(t *testing.T) {
	s := New("eu-west-1", func() time.Time { return now })
	for i := range seriesLimit {
		s.Add("n", fmt.Sprint(i), nil, 1)
	}
	if err := s.Line([]byte(line(0, "ok", `"decisions":1`))); !errors.Is(err, errFull) {
		t.Error(err)
	}
}

// What a client that is not AWS's, or not meant for here, gets.
func TestRequestsThatAreNone(t *testing.T) {
	s, _ := serve(t)
	good, err := cbor.Marshal(map[string]any{})
	if err != nil {
		t.Fatal(err)
	}
	const signed = "AWS4-HMAC-SHA256 Credential=LOCAL/20261124/eu-west-1/monitoring/aws4_request, SignedHeaders=host, Signature=0000000000000000000000000000000000000000000000000000000000000000"
	for _, c := range []struct {
		name, method, path, media, protocol, authorization string
		body                                               []byte
		status                                             int
	}{
		{"no queries", "POST", "operation/GetMetricData", mediaType, protocol, signed, good, 400},
		{"a form", "POST", "operation/GetMetricData", "application/x-www-form-urlencoded", protocol, signed, []byte("Action=GetMetricData"), 415},
		{"another protocol", "POST", "operation/GetMetricData", mediaType, "rpc-v1", signed, good, 415},
		{"GET", "GET", "operation/GetMetricData", mediaType, protocol, signed, good, 415},
		{"another operation", "POST", "operation/PutMetricData", mediaType, protocol, signed, good, 404},
		{"unsigned", "POST", "operation/GetMetricData", mediaType, protocol, "", good, 403},
		{"another Region", "POST", "operation/GetMetricData", mediaType, protocol, strings.Replace(signed, "eu-west-1", "us-east-1", 1), good, 403},
		{"another service", "POST", "operation/GetMetricData", mediaType, protocol, strings.Replace(signed, "monitoring", "ssm", 1), good, 403},
		{"no CBOR", "POST", "operation/GetMetricData", mediaType, protocol, signed, []byte("{}"), 400},
		{"an unknown member", "POST", "operation/GetMetricData", mediaType, protocol, signed, []byte{0xa1, 0x61, 'x', 0x01}, 400},
		{"too large", "POST", "operation/GetMetricData", mediaType, protocol, signed, make([]byte, bodyLimit+1), 413},
	} {
		r := httptest.NewRequest(c.method, Path+c.path, bytes.NewReader(c.body))
		r.Header.Set("Content-Type", c.media)
		r.Header.Set("Smithy-Protocol", c.protocol)
		r.Header.Set("Authorization", c.authorization)
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		var f failure
		if err := cbor.Unmarshal(w.Body.Bytes(), &f); err != nil || w.Code != c.status || f.Type == "" || w.Header().Get("Smithy-Protocol") != "rpc-v2-cbor" {
			t.Errorf("%s: %d %q, %v", c.name, w.Code, f.Type, err)
		}
	}
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	if _, err := ask(t, client(server.URL, "eu-west-1"), statOf("Sum")); err == nil {
		t.Error("no CloudWatch at all, and no error")
	}
}
