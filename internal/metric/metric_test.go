package metric

import (
	"testing"
	"time"
)

func TestAppend(t *testing.T) {
	at := time.UnixMilli(1795348800123)
	for _, c := range []struct{ got, want string }{
		{
			string(Append([]byte("x"), at, nil, Metric{"LoginTooLarge", Count})),
			`x{"Timestamp":1795348800123,"CloudWatchMetrics":[{"Namespace":"edgeauth","Dimensions":[[]],"Metrics":[{"Name":"LoginTooLarge","Unit":"Count"}]}]}`,
		},
		{
			string(Append(nil, at, []string{"function", "outcome"}, Metric{"decisions", Count}, Metric{"verify", Microseconds})),
			`{"Timestamp":1795348800123,"CloudWatchMetrics":[{"Namespace":"edgeauth","Dimensions":[["function","outcome"]],"Metrics":[{"Name":"decisions","Unit":"Count"},{"Name":"verify","Unit":"Microseconds"}]}]}`,
		},
	} {
		if c.got != c.want {
			t.Errorf("got  %s\nwant %s", c.got, c.want)
		}
	}
}
