// This file compares whole handlers, from the event's bytes to the answer's. Ours is a main package, so its measurements are taken beside it, by the
// same yardstick; the others are measured here: the plain way to write one in Go, and AWS's verifier under Node.

package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"edgeauth/internal/cookie"
	"edgeauth/internal/token/tokentest"
	"edgeauth/internal/yardstick"

	"github.com/aws/aws-lambda-go/events"
	"github.com/lestrrat-go/jwx/v3/jwk"
	jwxjwt "github.com/lestrrat-go/jwx/v3/jwt"
)

// Refusals, by what is wrong: before a signature is looked at, and after that it can be. The benchmarks have the same names.
var (
	cheapRefusals = []string{"refuse: no session", "refuse: garbage", "refuse: alg none", "refuse: HS256", "refuse: unknown kid"}
	otherRefusals = []string{"refuse: expired", "refuse: bad signature"}
)

// key returns the name that the benchmark of a line of the table has.
func key(name string) string { return strings.NewReplacer(": ", "_", " ", "_").Replace(name) }

// handlerBenchmarks runs the authorizer's own benchmark, which uses the same yardstick, and returns its results by name.
func handlerBenchmarks(pairs int) (map[string]yardstick.Result, error) {
	out, err := do("..", "go", "test", "-run=^$", "-bench=^BenchmarkHandler$", fmt.Sprintf("-benchtime=%dx", pairs), "./authorizer")
	if err != nil {
		return nil, err
	}
	results := map[string]yardstick.Result{}
	for line := range strings.Lines(out) {
		if r, ok := benchmarkLine(line); ok {
			results[r.Name] = r
		}
	}
	for _, name := range slices.Concat([]string{"allow_1k", "allow_4k"}, cheapRefusals, otherRefusals) {
		if results[key(name)].Ratio == 0 {
			return nil, fmt.Errorf("no benchmark %q in\n%s", key(name), out)
		}
	}
	return results, nil
}

// benchmarkLine reads a line of the form that `go test -bench` writes: BenchmarkHandler/name-2 80 value unit value unit.
func benchmarkLine(line string) (yardstick.Result, bool) {
	fields := strings.Fields(line)
	if len(fields) < 4 || !strings.HasPrefix(fields[0], "BenchmarkHandler/") && !strings.HasPrefix(fields[0], "BenchmarkPoll/") {
		return yardstick.Result{}, false
	}
	_, name, _ := strings.Cut(fields[0], "/")
	if i := strings.LastIndexByte(name, '-'); i >= 0 {
		name = name[:i]
	}
	r := yardstick.Result{Name: name}
	for i := 2; i+1 < len(fields); i += 2 {
		value, err := strconv.ParseFloat(fields[i], 64)
		if err != nil {
			return yardstick.Result{}, false
		}
		switch fields[i+1] {
		case "xRSA", "xDecision":
			r.Ratio = value
		case "xRSA-lower", "xDecision-lower":
			r.Lower = value
		case "xRSA-upper", "xDecision-upper":
			r.Upper = value
		case "allocs/op":
			r.Allocs = value
		case "B/op":
			r.Bytes = value
		}
	}
	return r, true
}

// compareHandlers measures the handlers that are not ours, by size.
func compareHandlers(t *traffic, pairs int, node *node) (map[string][]yardstick.Result, error) {
	keys, err := jwk.Parse(t.pool.JWKS())
	if err != nil {
		return nil, err
	}
	results := map[string][]yardstick.Result{}
	for size, tokens := range t.tokens {
		work := each(t.events[size], func(event []byte) error { return plainHandler(keys, event) })
		variants := append(node.variants(awsJWTVerify, "handler", size), yardstick.Variant{Name: "the plain way: event types, encoding/json, jwx", Run: work})
		results[size] = yardstick.Compare(yardstick.Limit(publicKey(t.pool), tokens), pairs, variants...)
	}
	return results, nil
}

// plainHandler is an authorizer as one would write it with the libraries alone.
func plainHandler(keys jwk.Set, payload []byte) error {
	var event events.APIGatewayCustomAuthorizerRequestTypeRequest
	if err := json.Unmarshal(payload, &event); err != nil {
		return err
	}
	raw, err := cookie.Join([]string{event.Headers["cookie"]}, cookie.Session)
	if err != nil {
		return err
	}
	t, err := jwxjwt.Parse([]byte(raw), jwxjwt.WithKeySet(keys), jwxjwt.WithIssuer(tokentest.Issuer), jwxjwt.WithAudience(tokentest.ClientID))
	if err != nil {
		return err
	}
	subject, _ := t.Subject()
	expiry, _ := t.Expiration()
	context := map[string]any{"sub": subject, "exp": strconv.FormatInt(expiry.Unix(), 10)}
	for _, name := range []string{"email", "cognito:username", "token_use"} {
		var value string
		if err := t.Get(name, &value); err != nil {
			return err
		}
		context[name] = value
	}
	var groups []any
	if err := t.Get("cognito:groups", &groups); err != nil {
		return err
	}
	context["groups"] = fmt.Sprint(groups...)
	_, err = json.Marshal(events.APIGatewayCustomAuthorizerResponse{
		PrincipalID: subject,
		PolicyDocument: events.APIGatewayCustomAuthorizerPolicy{
			Version:   "2012-10-17",
			Statement: []events.IAMPolicyStatement{{Action: []string{"execute-api:Invoke"}, Effect: "Allow", Resource: []string{event.MethodArn}}},
		},
		Context: context,
	})
	return err
}
