// This file says what a million requests cost, from what was measured here and the list prices of us-east-1, without free tiers.

package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strings"
)

// Prices in dollars, as docs/operations.md names and links them.
const (
	restAPI   = 3.50         // a million requests
	lambda    = 0.20         // a million requests
	gbSeconds = 0.0000133334 // a GB for a second, arm64
	gbOfLogs  = 0.50
)

const (
	functionGB  = 0.25 // what edgeauth.yaml gives the authorizer
	ofEachEntry = 26   // bytes that CloudWatch counts for every log event
	lambdaTime  = 38   // bytes that Lambda is assumed to add to a line of ours
	ownLines    = 300  // bytes that Lambda writes about each request, where it is not told to keep quiet
	aLine       = 3.3  // decisions that share a line when a million are spread over a month, as docs/operations.md reckons
)

// dollars is the price of a million requests.
func dollars(milliseconds, logBytes float64) float64 {
	return restAPI + lambda + math.Ceil(milliseconds)*functionGB*gbSeconds*1000 + logBytes*1e6/1e9*gbOfLogs
}

// logBytes reads what an authorizer has logged about decisions: the bytes of a line about one, and by how many each further one makes it longer.
func logBytes(file string) (first, further float64, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, 0, err
	}
	largest, most := 0, 0
	for line := range strings.Lines(string(text)) {
		var l struct {
			Msg       string
			Decisions int
		}
		if json.Unmarshal([]byte(line), &l) != nil || l.Decisions == 0 {
			continue
		}
		if l.Decisions == 1 {
			first = float64(len(line))
		}
		if l.Decisions > most {
			largest, most = len(line), l.Decisions
		}
	}
	if first == 0 || most < 2 {
		return first, 0, fmt.Errorf("%s: no line about one decision, or none about several", file)
	}
	return first, (float64(largest) - first) / float64(most-1), nil
}

func (t *table) dollars(answer, node *warmed) {
	t.section("A million requests, in dollars: API Gateway 3.50, Lambda 0.20, its time in whole milliseconds, its logs")
	shared := (answer.first + (aLine-1)*answer.further + ofEachEntry + lambdaTime) / aLine
	t.show("bytes logged for an allowed decision, of some that share a line", bytes, shared, "")
	t.hold("edgeauth, a million spread over a month", money, dollars(median(answer.small.wall), shared), 3.80, "")
	t.show("edgeauth, each request alone in ten seconds", money, dollars(median(answer.small.wall), answer.first+ofEachEntry+lambdaTime), "")
	if node != nil {
		t.show("the authorizer in Node, with Lambda's own lines and none of its own", money, dollars(median(node.small.wall), ownLines), "")
	}
}
