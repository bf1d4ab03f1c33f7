package local

// This file decides what the system measures itself, as AWS does of functions and REST APIs whatever they print, and where CloudWatch is asked.
// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html

import (
	"net/http"
	"strings"
	"time"

	"edgeauth/local/cloudwatch"
	"edgeauth/local/gateway"
)

type metrics struct {
	watch *cloudwatch.Server
	names map[string]string // of functions, by logical id
}

func (m metrics) invocation(id string, took time.Duration, err error) {
	function := map[string]string{"FunctionName": m.names[id]}
	m.watch.Add("AWS/Lambda", "Invocations", function, 1)
	m.watch.Add("AWS/Lambda", "Errors", function, one(err != nil))
	m.watch.Add("AWS/Lambda", "Duration", function, millis(took))
}

func (m metrics) request(r gateway.Measured) {
	api := map[string]string{"ApiName": r.API}
	m.watch.Add("AWS/ApiGateway", "Count", api, 1)
	m.watch.Add("AWS/ApiGateway", "4XXError", api, one(r.Status >= 400 && r.Status < 500))
	m.watch.Add("AWS/ApiGateway", "5XXError", api, one(r.Status >= 500))
	m.watch.Add("AWS/ApiGateway", "Latency", api, millis(r.Latency))
	if r.Integration != nil {
		m.watch.Add("AWS/ApiGateway", "IntegrationLatency", api, millis(*r.Integration))
	}
}

func one(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// beside serves CloudWatch where the other services of AWS are.
func (m metrics) beside(others http.Handler) http.Handler {
	watch := m.watch.Handler()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, cloudwatch.Path) {
			watch.ServeHTTP(w, r)
			return
		}
		others.ServeHTTP(w, r)
	})
}
