package gateway

// This file asks the authorizer, and decides what its answer means for one request.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"edgeauth/local/runtime"
	"edgeauth/local/sam"
)

// verdict is an authorizer's answer: the policy and the context, the same for every request that it is remembered for.
type verdict struct {
	policy  policy
	simple  *bool          // the answer of an authorizer with simple responses, in place of a policy
	context map[string]any // REST and WebSocket APIs: stringified, principalId among it
}

func (v verdict) evaluate(arns []string) outcome {
	switch {
	case v.simple == nil:
		return v.policy.evaluate(arns...)
	case *v.simple:
		return allowed
	}
	return denied
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
		answer, err := g.ask(ctx, a, q)
		q.latency = time.Since(begin)
		if err != nil {
			return g.authorizerFailed(name, err)
		}
		if v, err = g.parseVerdict(answer, a); err != nil {
			g.logf("authorizer %s: %v", name, err)
			return authorizerConfiguration()
		}
		g.remember(a, key, v)
	}
	if q.authorizer = v.context; q.route.Payload == payload1 {
		if key, ok := structured(v.context); ok {
			g.logf("authorizer %s: what payload 1.0 makes of %.40q, which is no text, is not documented", name, key)
			return authorizerConfiguration()
		}
	}
	arns := g.arns(q)
	if len(arns[0]) > methodARNLimit {
		return uriTooLong()
	}
	switch v.evaluate(arns) {
	case allowed:
		return nil
	case denied:
		return explicitlyDenied()
	}
	return implicitlyDenied()
}

// authorizerTimeout is how long an HTTP API waits for its authorizer.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
const authorizerTimeout = 10 * time.Second

// ask calls the authorizer's function with the event that the kind of API sends.
func (g *gate) ask(ctx context.Context, a sam.Authorizer, q *request) ([]byte, error) {
	event := g.authorizerEvent
	switch g.api.Kind {
	case sam.WebSocket:
		event = g.socketAuthorizerEvent
	case sam.HTTP:
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, authorizerTimeout)
		defer cancel()
		if event = g.authorizerEvent2; a.Payload == payload1 {
			event = g.authorizerEvent1
		}
	}
	return g.invoke.Invoke(ctx, a.Function, event(q))
}

// structured finds a value that is no text.
func structured(context map[string]any) (string, bool) {
	for _, key := range slices.Sorted(maps.Keys(context)) {
		if _, ok := context[key].(string); !ok {
			return key, true
		}
	}
	return "", false
}

const methodARNLimit = 1600 // bytes

// authorizerFailed tells the one error that is an answer, the text Unauthorized, from all others. What HTTP APIs make of it is not documented.
func (g *gate) authorizerFailed(name string, err error) *failure {
	var fault *runtime.Error
	switch {
	case errors.As(err, &fault) && fault.Message == "Unauthorized" && g.api.Kind != sam.HTTP:
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

// resultLimit is how long the answer of a WebSocket API's authorizer may be, in bytes.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
const resultLimit = 8192

func (g *gate) parseVerdict(answer []byte, a sam.Authorizer) (verdict, error) {
	if g.api.Kind == sam.WebSocket && len(answer) > resultLimit {
		return verdict{}, fmt.Errorf("the answer is longer than %d bytes", resultLimit)
	}
	if a.Simple {
		return parseSimple(answer)
	}
	fields, err := members(answer, "the answer", "principalId", "policyDocument", "context", "usageIdentifierKey")
	if err != nil {
		return verdict{}, err
	}
	principal, err := text(fields["principalId"])
	if err != nil || principal == "" {
		return verdict{}, errors.New("the answer has no principalId")
	}
	v := verdict{context: map[string]any{}}
	if v.policy, err = parsePolicy(fields["policyDocument"]); err != nil {
		return verdict{}, err
	}
	if g.api.Kind == sam.HTTP {
		return v, v.keepContext(fields["context"])
	}
	v.context["principalId"] = principal
	return v, v.addContext(fields["context"])
}

// parseSimple reads the answer of an HTTP API's authorizer with simple responses.
func parseSimple(answer []byte) (verdict, error) {
	fields, err := members(answer, "the answer", "isAuthorized", "context")
	if err != nil {
		return verdict{}, err
	}
	v := verdict{context: map[string]any{}}
	if err := json.Unmarshal(fields["isAuthorized"], &v.simple); err != nil || v.simple == nil {
		return verdict{}, errors.New("isAuthorized is neither true nor false")
	}
	return v, v.keepContext(fields["context"])
}

// keepContext takes over the context of an HTTP API, whose values keep their types.
func (v verdict) keepContext(raw json.RawMessage) error {
	if len(raw) == 0 || string(raw) == "null" {
		return nil
	}
	var values map[string]json.RawMessage
	if err := json.Unmarshal(raw, &values); err != nil {
		return errors.New("context is not an object")
	}
	for name, value := range values {
		switch s, err := text(value); {
		case name == "claims":
			return errors.New("context has a key that API Gateway sets itself: claims")
		case string(value) == "null":
			return fmt.Errorf("context holds null under %.40q", name)
		case err == nil:
			v.context[name] = s
		default:
			v.context[name] = value
		}
	}
	return nil
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
