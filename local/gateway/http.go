package gateway

// This file serves HTTP APIs: which route a request takes, what is answered in its place, and what a client gets of the function's answer.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"edgeauth/local/runtime"
	"edgeauth/local/sam"
)

// DefaultRoute takes what no other route of an HTTP or WebSocket API does.
const DefaultRoute = "$default"

// serveHTTP answers a request that is for an HTTP API, or returns why it did not.
func (g *gate) serveHTTP(ctx context.Context, w http.ResponseWriter, q *request) *failure {
	raw, _ := matchHTTP(g.api.Routes, q.method, q.path)
	if f := g.decode(q); f != nil {
		return f
	}
	if q.route, q.parameters = matchHTTP(g.api.Routes, q.method, q.path); q.route != raw {
		g.logf("%s %s takes another route once it is decoded; which of the two AWS takes is not documented", q.method, q.path)
		return badRequest()
	}
	if g.answersPreflight(q) {
		g.preflightHTTP(w, q)
		return nil
	}
	if q.route == nil {
		return notFound()
	}
	if f := g.authorize(ctx, q); f != nil {
		return f
	}
	return g.integrateHTTP(ctx, w, q)
}

// decode resolves the escapes of the path: an HTTP API hands it on decoded, REST APIs do not. What follows a decoded question mark is lost on AWS, and what
// happens to an escape that is none, or stands for no text, is not documented: all of them are refused.
func (g *gate) decode(q *request) *failure {
	full, err := url.PathUnescape(q.fullPath)
	if err != nil || strings.Contains(full, "?") || !utf8.ValidString(full) {
		g.logf("%s: a path that does not arrive whole", q.fullPath)
		return badRequest()
	}
	q.rawPath = q.path
	q.path, _ = url.PathUnescape(q.path)
	q.fullPath = full
	return nil
}

// matchHTTP finds the route of an HTTP API. Here the method counts while a route is sought: a path that fits, with another method, does not stand in the way
// of a greedy one. Segments have to match one by one, so that a slash at the end makes another path.
func matchHTTP(routes []sam.Route, method, path string) (*sam.Route, map[string]string) {
	var best *sam.Route
	var parameters map[string]string
	for i, r := range routes {
		if r.Path == DefaultRoute || r.Method != method && (r.Method != "ANY" || !slices.Contains(anyMethods, method)) {
			continue
		}
		p, ok := matchSegments(r.Path, path)
		if !ok {
			continue
		}
		if best == nil || moreLiteral(r.Path, best.Path) || r.Path == best.Path && best.Method == "ANY" {
			best, parameters = &routes[i], p
		}
	}
	if best != nil {
		return best, parameters
	}
	for i, r := range routes {
		if r.Path == DefaultRoute && slices.Contains(anyMethods, method) {
			return &routes[i], nil
		}
	}
	return nil, nil
}

// matchSegments is matchPath for a path in which a slash at the end begins an empty segment.
func matchSegments(template, path string) (map[string]string, bool) {
	if path != "/" && strings.HasSuffix(path, "/") && !strings.HasSuffix(template, "+}") {
		return nil, false
	}
	parameters, ok := matchPath(template, path)
	if name, isGreedy := greedy(template); ok && isGreedy {
		above := strings.Count(template, "/")
		parameters[name] = strings.SplitN(path, "/", above+1)[above]
		ok = parameters[name] != ""
	}
	return parameters, ok
}

// greedy is the name of the greedy parameter that a path template ends with.
func greedy(template string) (string, bool) {
	name, isVariable := variableName(template[strings.LastIndexByte(template, '/')+1:])
	return strings.TrimSuffix(name, "+"), isVariable && strings.HasSuffix(name, "+")
}

// routeKey is a route's name in events.
func routeKey(r *sam.Route) string {
	if r.Method == "" || r.Path == DefaultRoute {
		return r.Path
	}
	return r.Method + " " + r.Path
}

// integrateHTTP calls the route's function, and writes its answer unless it has none.
func (g *gate) integrateHTTP(ctx context.Context, w http.ResponseWriter, q *request) *failure {
	ctx, cancel := context.WithTimeout(ctx, q.route.Timeout)
	defer cancel()
	event := g.proxyEvent2
	if q.route.Payload == payload1 {
		event = g.proxyEvent1
	}
	raw, err := g.invoke.Invoke(ctx, q.route.Function, event(q))
	var fault *runtime.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return integrationTimeout()
	case errors.Is(err, runtime.ErrTooLarge):
		return requestTooLarge()
	case errors.As(err, &fault):
		return malformedResponse()
	case err != nil:
		g.logf("function %s: %v", q.route.Function, err)
		return integrationFailure()
	}
	parse := parseAnswer2
	if q.route.Payload == payload1 {
		parse = parseAnswer
	}
	a, err := parse(raw)
	if err == nil {
		err = g.writeHTTP(w, q, a)
	}
	if err != nil {
		g.logf("function %s: malformed Lambda proxy response: %v", q.route.Function, err)
		return malformedResponse()
	}
	return nil
}

// statusOf is how an HTTP API answers in place of a function. It has no gateway responses: nothing of this can be customised.
func statusOf(f *failure) (int, string) {
	switch {
	case f.status == http.StatusUnauthorized:
		return f.status, "Unauthorized"
	case f.status == http.StatusForbidden:
		return f.status, "Forbidden"
	case f.kind == "INTEGRATION_TIMEOUT":
		return http.StatusServiceUnavailable, "Service Unavailable"
	case f.status >= 500:
		return http.StatusInternalServerError, "Internal Server Error"
	case f.status == http.StatusRequestEntityTooLarge:
		return f.status, "Request Entity Too Large"
	}
	return f.status, f.message
}

// failHTTP answers with a failure.
func failHTTP(w http.ResponseWriter, f *failure) {
	status, message := statusOf(f)
	w.Header().Set("Content-Type", defaultMediaType)
	write(w, status, `{"message":"`+message+`"}`)
}
