package local

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// What functions print and what the system measures can be asked for, by AWS's own client, at the endpoint that functions are given.
func TestMetrics(t *testing.T) {
	whole := readFile(t, "testdata/template.yaml")
	poolless := filepath.Join(t.TempDir(), "template.yaml") // nothing stands in for Cognito then
	writeFile(t, poolless, whole[:strings.Index(whole, "  UserPool:")])
	for _, template := range []string{"testdata/template.yaml", poolless} {
		args := flags(t, "-template", template, "-json", "-env", "PagesFunction.MODE=counting [2,3]")
		s := launch(t, args...)
		fetch(t, s.url+"page")
		fetch(t, s.url+"page")
		endpoint := regexp.MustCompile(`"endpoint":"([^"]+)"`).FindStringSubmatch(s.stderr.String())
		if endpoint == nil {
			t.Fatal(s.stderr)
		}
		c := cloudwatch.NewFromConfig(aws.Config{Region: "eu-west-1", BaseEndpoint: &endpoint[1], Credentials: credentials.NewStaticCredentialsProvider("LOCAL", "local", "")})
		var in cloudwatch.GetMetricDataInput
		for i, m := range []struct{ namespace, name, dimension, value, stat string }{
			{"own", "pages", "color", "blue", "Sum"},
			{"AWS/Lambda", "Invocations", "FunctionName", "edgeauth-PagesFunction", "Sum"},
			{"AWS/Lambda", "Errors", "FunctionName", "edgeauth-PagesFunction", "Sum"},
			{"AWS/Lambda", "Duration", "FunctionName", "edgeauth-PagesFunction", "SampleCount"},
			{"AWS/ApiGateway", "Count", "ApiName", "edgeauth", "SampleCount"},
			{"AWS/ApiGateway", "4XXError", "ApiName", "edgeauth", "Sum"},
			{"AWS/ApiGateway", "5XXError", "ApiName", "edgeauth", "Sum"},
			{"AWS/ApiGateway", "Latency", "ApiName", "edgeauth", "SampleCount"},
			{"AWS/ApiGateway", "IntegrationLatency", "ApiName", "edgeauth", "SampleCount"},
		} {
			in.MetricDataQueries = append(in.MetricDataQueries, types.MetricDataQuery{Id: aws.String(fmt.Sprint("m", i)), MetricStat: &types.MetricStat{
				Stat: &m.stat, Period: aws.Int32(3600),
				Metric: &types.Metric{Namespace: &m.namespace, MetricName: &m.name, Dimensions: []types.Dimension{{Name: &m.dimension, Value: &m.value}}},
			}})
		}
		in.StartTime, in.EndTime = aws.Time(time.Now().Add(-3*time.Hour)), aws.Time(time.Now().Add(time.Hour))
		out, err := c.GetMetricData(t.Context(), &in)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range out.MetricDataResults {
			sum := 0.0
			for _, v := range r.Values {
				sum += v
			}
			got = append(got, fmt.Sprint(*r.Label, " ", sum))
		}
		// The first request is the system's own, which asks whether everything answers.
		const want = "pages 15, Invocations 3, Errors 0, Duration 3, Count 3, 4XXError 0, 5XXError 0, Latency 3, IntegrationLatency 3"
		if all := strings.Join(got, ", "); all != want {
			t.Errorf("%s\nwant %s", all, want)
		}
	}
}

// Whoever writes a metric line that CloudWatch would drop without a word hears of it.
func TestMetricLineThatIsNone(t *testing.T) {
	s := launch(t, flags(t, "-env", `PagesFunction.MODE=counting "two"`)...)
	fetch(t, s.url+"page")
	const want = "PagesFunction WARN a metric line that CloudWatch would not take: cloudwatch: pages: neither a number nor a list of 1 to 100 numbers"
	if log := s.stderr.String(); !strings.Contains(log, want) {
		t.Errorf("the log is\n%s", log)
	}
}
