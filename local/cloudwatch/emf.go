package cloudwatch

// This file decides which log lines are metrics, and which: the embedded metric format.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"
)

// The format's own limits, and how far from now CloudWatch takes a time.
const (
	valuesLimit     = 100
	dimensionsLimit = 30
	metricsLimit    = 100
	textLimit       = 1024
	past            = 14 * 24 * time.Hour
	future          = 2 * time.Hour
)

// document is what is known of a line's member _aws.
type document struct {
	Timestamp         *int64
	CloudWatchMetrics []struct {
		Namespace  string
		Dimensions [][]string
		Metrics    []struct{ Name, Unit string }
	}
}

// Line takes a line of a log. One that holds no metrics is none of its business; one that CloudWatch would count among its EMFValidationErrors is an error,
// and leaves nothing behind.
func (s *Server) Line(line []byte) error {
	if !bytes.Contains(line, []byte(`"_aws"`)) {
		return nil
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(line, &members) != nil || members["_aws"] == nil {
		return nil // some text that mentions it
	}
	var d document
	if err := json.Unmarshal(members["_aws"], &d); err != nil {
		return errors.New("cloudwatch: _aws is not as the embedded metric format has it")
	}
	if d.Timestamp == nil || len(d.CloudWatchMetrics) == 0 {
		return errors.New("cloudwatch: _aws has no Timestamp or no CloudWatchMetrics")
	}
	at := time.UnixMilli(*d.Timestamp)
	if now := s.now(); at.Before(now.Add(-past)) || at.After(now.Add(future)) {
		return errors.New("cloudwatch: Timestamp is too far from now")
	}
	type value struct {
		metric
		values []float64
	}
	var all []value
	for _, directive := range d.CloudWatchMetrics {
		if directive.Namespace == "" || len(directive.Dimensions) == 0 || len(directive.Metrics) > metricsLimit {
			return errors.New("cloudwatch: a directive without Namespace or Dimensions, or with more than 100 metrics")
		}
		for _, names := range directive.Dimensions {
			dimensions, err := texts(members, names)
			if err != nil {
				return err
			}
			for _, m := range directive.Metrics {
				values, err := numbers(members[m.Name])
				if err != nil {
					return fmt.Errorf("cloudwatch: %s: %w", m.Name, err)
				}
				all = append(all, value{metric{directive.Namespace, m.Name, dimensions}, values})
			}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range all {
		for _, v := range one.values {
			if err := s.add(one.metric, at, v); err != nil {
				return err
			}
		}
	}
	return nil
}

// texts returns the members that tell a directive's metrics apart.
func texts(members map[string]json.RawMessage, names []string) (map[string]string, error) {
	if len(names) > dimensionsLimit {
		return nil, errors.New("cloudwatch: more than 30 dimensions")
	}
	dimensions := map[string]string{}
	for _, name := range names {
		var text string
		if err := json.Unmarshal(members[name], &text); err != nil || text == "" || len(text) > textLimit {
			return nil, fmt.Errorf("cloudwatch: the dimension %s is no text of 1 to 1024 characters", name)
		}
		dimensions[name] = text
	}
	return dimensions, nil
}

// numbers reads a metric's value: one number, or a list of at most 100.
func numbers(raw json.RawMessage) ([]float64, error) {
	var one *float64
	if json.Unmarshal(raw, &one) == nil && one != nil {
		return within([]float64{*one})
	}
	var list []*float64
	if err := json.Unmarshal(raw, &list); err != nil || len(list) == 0 || len(list) > valuesLimit {
		return nil, errors.New("neither a number nor a list of 1 to 100 numbers")
	}
	var values []float64
	for _, v := range list {
		if v == nil {
			return nil, errors.New("neither a number nor a list of 1 to 100 numbers")
		}
		values = append(values, *v)
	}
	return within(values)
}

// within refuses what CloudWatch refuses: beyond 2^360 either way.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html
func within(values []float64) ([]float64, error) {
	for _, v := range values {
		if math.Abs(v) > math.Pow(2, 360) {
			return nil, errors.New("a number beyond 2^360")
		}
	}
	return values, nil
}
