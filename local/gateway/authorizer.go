package gateway

// This file asks the authorizer, and decides what its answer means for one request.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"edgeauth/local/runtime"
	"edgeauth/local/sam"
)

// verdict is an authorizer's answer: the policy and the context, the same for every request that it is remembered for.
type verdict struct {
	policy  policy
	context map[string]any // stringified, principalId among it
}

type remembered struct {
	verdict verdict
	until   time.Time
}

// reservedKeys are names of context variables that API Gateway sets itself.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html
var reservedKeys = []string{"claims", "error", "integrationLatency", "integrationStatus", "latency", "principalId", "requestId", "status"}

// authorize returns nil if the request may go on. It fills in what the authorizer said in any case in which it said something.
func (g *gate) authorize(ctx context.Context, q *request) *failure {
	name := q.route.Authorizer
	if name == "" {
		return nil
	}
	a := g.api.Authorizers[name]
	key, complete := g.identityKey(name, a.Sources, q)
	if !complete {
		return unauthorized()
	}
	v, known := g.recall(key)
	if !known {
		begin := time.Now()
		answer, err := g.invoke.Invoke(ctx, a.Function, g.authorizerEvent(q))
		q.latency = time.Since(begin)
		if err != nil {
			return g.authorizerFailed(name, err)
		}
		if v, err = parseVerdict(answer); err != nil {
			g.logf("authorizer %s: %v", name, err)
			return authorizerConfiguration()
		}
		g.remember(a, key, v)
	}
	q.authorizer = v.context
	arn := g.methodARN(q)
	if len(arn) > methodARNLimit {
		return uriTooLong()
	}
	switch v.policy.evaluate(arn) {
	case allowed:
		return nil
	case denied:
		return explicitlyDenied()
	}
	return implicitlyDenied()
}

const methodARNLimit = 1600 // bytes

// authorizerFailed tells the one error that is an answer, the text Unauthorized, from all others.
func (g *gate) authorizerFailed(name string, err error) *failure {
	var fault *runtime.Error
	switch {
	case errors.As(err, &fault) && fault.Message == "Unauthorized":
		return unauthorized()
	case errors.As(err, &fault) && fault.Type != "Sandbox.Timedout":
		return authorizerConfiguration()
	}
	g.logf("authorizer %s: %v", name, err)
	return authorizerFailure()
}

// identityKey joins the values of the identity sources. It reports false when one of them is missing or empty.
func (g *gate) identityKey(name string, sources []string, q *request) (string, bool) {
	key := name
	for _, source := range sources {
		value, ok := g.sources[source].read(q, nil)
		if !ok || value == "" {
			return "", false
		}
		key += "\x00" + value
	}
	return key, true
}

func (g *gate) recall(key string) (verdict, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	entry, ok := g.cache[key]
	return entry.verdict, ok && g.now().Before(entry.until)
}

func (g *gate) remember(a sam.Authorizer, key string, v verdict) {
	if a.TTL == 0 {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.cache[key] = remembered{v, g.now().Add(a.TTL)}
}

func parseVerdict(answer []byte) (verdict, error) {
	fields, err := members(answer, "the answer", "principalId", "policyDocument", "context", "usageIdentifierKey")
	if err != nil {
		return verdict{}, err
	}
	principal, err := text(fields["principalId"])
	if err != nil || principal == "" {
		return verdict{}, errors.New("the answer has no principalId")
	}
	v := verdict{context: map[string]any{"principalId": principal}}
	if v.policy, err = parsePolicy(fields["policyDocument"]); err != nil {
		return verdict{}, err
	}
	return v, v.addContext(fields["context"])
}

// addContext takes over the context: texts, numbers and booleans, all of which become text. Anything else is an error.
func (v verdict) addContext(raw json.RawMessage) error {
	if len(raw) == 0 || string(raw) == "null" {
		return nil
	}
	var values map[string]json.RawMessage
	if err := json.Unmarshal(raw, &values); err != nil {
		return errors.New("context is not an object")
	}
	for name, value := range values {
		switch {
		case slices.Contains(reservedKeys, name):
			return fmt.Errorf("context has a key that API Gateway sets itself: %s", name)
		case value[0] == '"':
			s, err := text(value)
			if err != nil {
				return err
			}
			v.context[name] = s
		case strings.ContainsRune("{[n", rune(value[0])):
			return fmt.Errorf("context holds an object, a list or null under %.40q", name)
		default:
			v.context[name] = string(value)
		}
	}
	return nil
}
