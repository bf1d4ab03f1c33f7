// Package gateway is a model of an Amazon API Gateway REST API: its routes, its Lambda authorizers, its gateway responses, and Lambda proxy integrations.
//
// It decides what a function gets to see and what a client gets back. It models what AWS documents or what was recorded on AWS, and it fails closed: an
// expression that it does not know stops it from starting, a policy or an answer with a member that it does not know is an error, and where nobody knows
// what AWS does (a header taken from a context variable that is not there) it answers 500 and says so. It is a model, not AWS, and its own policy
// evaluation, so that nothing it judges can share its mistakes.
package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"edgeauth/local/runtime"
	"edgeauth/local/sam"
)

const (
	bodyLimit          = 10 << 20
	defaultHeaderLimit = 10240
)

// Invoker runs a function, named by its logical id. A *runtime.Error is the function's own failure.
type Invoker interface {
	Invoke(ctx context.Context, function string, payload []byte) ([]byte, error)
}

// Config describes a gateway.
type Config struct {
	API          sam.API
	Invoker      Invoker
	Host         string           // the one host it answers to, as clients write it, e.g. localhost:3000
	HeaderLimit  int              // bytes of all header values; zero: 10240
	SplitCookies bool             // deliver requests as HTTP/2 clients do: names in lower case, one cookie field per cookie
	Log          io.Writer        // one JSON line for each thing that went wrong inside; nil: nowhere
	Now          func() time.Time // nil: time.Now
}

// Gateway serves one API.
type Gateway struct {
	api          sam.API
	invoke       Invoker
	host         string
	headerLimit  int
	splitCookies bool
	log          io.Writer
	now          func() time.Time
	responses    map[string]response
	sources      map[string]source // identity sources, by expression
	server       *http.Server

	mu    sync.Mutex // guards cache
	cache map[string]remembered
}

// New checks the whole configuration.
func New(c Config) (*Gateway, error) {
	g := &Gateway{
		api: c.API, invoke: c.Invoker, host: c.Host, headerLimit: c.HeaderLimit, splitCookies: c.SplitCookies, log: c.Log, now: c.Now,
		responses: map[string]response{}, sources: map[string]source{}, cache: map[string]remembered{},
	}
	if g.host == "" || g.invoke == nil || g.api.Stage == "" {
		return nil, errors.New("gateway: host, invoker and stage are required")
	}
	if g.api.Variables == nil {
		g.api.Variables = map[string]string{}
	}
	if g.headerLimit == 0 {
		g.headerLimit = defaultHeaderLimit
	}
	if g.now == nil {
		g.now = time.Now
	}
	for _, kind := range slices.Sorted(maps.Keys(g.api.Responses)) {
		r, err := g.compileResponse(kind, g.api.Responses[kind])
		if err != nil {
			return nil, fmt.Errorf("gateway: gateway response %s: %w", kind, err)
		}
		g.responses[kind] = r
	}
	for _, name := range slices.Sorted(maps.Keys(g.api.Authorizers)) {
		if err := g.checkAuthorizer(g.api.Authorizers[name]); err != nil {
			return nil, fmt.Errorf("gateway: authorizer %s: %w", name, err)
		}
	}
	for _, r := range g.api.Routes {
		if _, ok := g.api.Authorizers[r.Authorizer]; !ok && r.Authorizer != "" {
			return nil, fmt.Errorf("gateway: route %s %s: there is no authorizer %s", r.Method, r.Path, r.Authorizer)
		}
	}
	g.server = &http.Server{Handler: g, ConnContext: rememberConn, MaxHeaderBytes: headLimit, ReadHeaderTimeout: 30 * time.Second}
	return g, nil
}

func (g *Gateway) checkAuthorizer(a sam.Authorizer) error {
	if a.TTL > 0 && len(a.Sources) == 0 {
		return errors.New("a cache needs identity sources")
	}
	for _, expression := range a.Sources {
		s, err := g.compileSource(expression)
		if err != nil {
			return err
		}
		if strings.HasPrefix(expression, "method.request.path.") || strings.HasPrefix(expression, "context.authorizer.") || strings.HasPrefix(expression, "context.error.") {
			return fmt.Errorf("%s cannot be an identity source", expression)
		}
		g.sources[expression] = s
	}
	return nil
}

// Serve answers on a listener until Close. It may be called for several.
func (g *Gateway) Serve(l net.Listener) error { return g.server.Serve(listener{l}) }

// Close stops answering at once.
func (g *Gateway) Close() error { return g.server.Close() }

// ServeHTTP answers one request.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyLimit))
	q := g.read(r, body)
	w.Header().Set("x-amzn-RequestId", q.id)
	w.Header().Set("x-amz-apigw-id", q.extID)
	f := g.refuse(r, q)
	if f == nil && err != nil {
		f = requestTooLarge()
	}
	if f == nil {
		// A client that goes away does not end what runs on its behalf.
		f = g.serve(context.WithoutCancel(r.Context()), w, q)
	}
	if f != nil {
		g.fail(w, q, f)
	}
}

// serve answers a request that is for this API, or returns why it did not.
func (g *Gateway) serve(ctx context.Context, w http.ResponseWriter, q *request) *failure {
	if q.route, q.parameters = match(g.api.Routes, q.method, q.path); q.route == nil {
		return missingToken()
	}
	if f := g.authorize(ctx, q); f != nil {
		return f
	}
	if q.route.Preflight != nil {
		g.preflight(w, q)
		return nil
	}
	return g.integrate(ctx, w, q)
}

// refuse is what API Gateway decides before it looks at the API.
func (g *Gateway) refuse(r *http.Request, q *request) *failure {
	stage := "/" + g.api.Stage
	switch {
	case headerSize(r) > g.headerLimit:
		return headersTooLarge(g.headerLimit)
	case g.api.URLLimit > 0 && len(r.RequestURI) > g.api.URLLimit:
		return uriTooLong()
	case !strings.EqualFold(r.Host, g.host):
		return forbidden()
	case q.fullPath != stage && !strings.HasPrefix(q.fullPath, stage+"/"):
		return forbidden()
	}
	return nil
}

// preflight answers as the MOCK integration that SAM generates for Cors.
func (g *Gateway) preflight(w http.ResponseWriter, q *request) {
	for name, value := range q.route.Preflight {
		w.Header().Set(name, value)
	}
	w.Header().Set("Content-Type", defaultMediaType)
	write(w, http.StatusOK, "{}\n")
}

// integrate calls the route's function, and writes its answer unless it has none.
func (g *Gateway) integrate(ctx context.Context, w http.ResponseWriter, q *request) *failure {
	ctx, cancel := context.WithTimeout(ctx, q.route.Timeout)
	defer cancel()
	raw, err := g.invoke.Invoke(ctx, q.route.Function, g.proxyEvent(q))
	var fault *runtime.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return integrationTimeout()
	case errors.Is(err, runtime.ErrTooLarge):
		return requestTooLarge()
	case errors.As(err, &fault):
		return malformedResponse() // an error is no proxy response
	case err != nil:
		g.logf("function %s: %v", q.route.Function, err)
		return integrationFailure()
	}
	a, err := parseAnswer(raw)
	if err == nil {
		err = g.write(w, q, a)
	}
	if err != nil {
		g.logf("function %s: malformed Lambda proxy response: %v", q.route.Function, err)
		return malformedResponse()
	}
	return nil
}

// logf writes one line, as API Gateway's execution log would.
func (g *Gateway) logf(format string, values ...any) {
	if g.log == nil {
		return
	}
	line, _ := json.Marshal(map[string]string{"level": "WARN", "gateway": fmt.Sprintf(format, values...)})
	_, _ = g.log.Write(append(line, '\n'))
}
