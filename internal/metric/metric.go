// Package metric writes what makes a log line metrics: CloudWatch's embedded metric format, which
// costs no call
// (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html).
package metric

import (
	"strconv"
	"time"
)

// Unit is what a metric counts.
type Unit string

// The units there are.
const (
	Count        Unit = "Count"
	Microseconds Unit = "Microseconds"
)

// Metric names a member of the line that is a metric.
type Metric struct {
	Name string
	Unit Unit
}

// Append appends the value of the member _aws, of a line about this time. dimensions names the
// members of the line that tell its metrics apart. Names are the program's own, with nothing in
// them that JSON escapes.
func Append(dst []byte, at time.Time, dimensions []string, list ...Metric) []byte {
	dst = append(dst, `{"Timestamp":`...)
	dst = strconv.AppendInt(dst, at.UnixMilli(), 10)
	dst = append(dst, `,"CloudWatchMetrics":[{"Namespace":"edgeauth","Dimensions":[[`...)
	for i, d := range dimensions {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(append(append(dst, '"'), d...), '"')
	}
	dst = append(dst, `]],"Metrics":[`...)
	for i, m := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(append(dst, `{"Name":"`...), m.Name...)
		dst = append(append(dst, `","Unit":"`...), m.Unit...)
		dst = append(dst, `"}`...)
	}
	return append(dst, `]}]}`...)
}
