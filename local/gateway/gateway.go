// Package gateway is a model of Amazon API Gateway: routes, Lambda authorizers, gateway responses, custom domains, and Lambda proxy integrations of REST,
// HTTP and WebSocket APIs.
//
// It decides what a function gets to see and what a client gets back. It models what AWS documents or what was recorded on AWS, and it fails closed: an
// expression that it does not know stops it from starting, a policy or an answer with a member that it does not know is an error, and where nobody knows
// what AWS does (a header taken from a context variable that is not there) it answers 500 and says so. It is a model, not AWS, and its own policy
// evaluation, so that nothing it judges can share its mistakes.
package gateway

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
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
	APIs         []sam.API
	Domains      []sam.Domain
	Invoker      Invoker
	HeaderLimit  int              // bytes of all header values; zero: 10240
	Credentials  Credentials      // that functions sign calls of @connections with
	TLS          *tls.Config      // nil: plain HTTP
	SplitCookies bool             // deliver requests as HTTP/2 clients do: names in lower case, one cookie field per cookie
	Log          io.Writer        // one JSON line for each request, and one for each thing that went wrong inside; nil: nowhere
	Measure      func(Measured)   // is told of each request to a REST API; nil: nobody
	Now          func() time.Time // nil: time.Now
}

// Gateway serves APIs, each on its own host, and those that custom domains are mapped to there.
type Gateway struct {
	hosts  map[string]*vhost // by name, in lower case
	server *http.Server
	shared
}

// shared is what all APIs of a gateway have in common.
type shared struct {
	invoke       Invoker
	headerLimit  int
	splitCookies bool
	tls          *tls.Config
	log          io.Writer
	measure      func(Measured)
	now          func() time.Time
	credentials  Credentials
	sockets      *sockets
	idleLimit    time.Duration
	lifeLimit    time.Duration
}

// gate is one API at one stage.
type gate struct {
	shared
	api       sam.API
	responses map[string]response
	sources   map[string]source // identity sources, by expression
	selection selection         // of a WebSocket API

	mu    sync.Mutex // guards cache
	cache map[string]remembered
}

// New checks the whole configuration.
func New(c Config) (*Gateway, error) {
	g := &Gateway{hosts: map[string]*vhost{}, shared: shared{
		invoke: c.Invoker, headerLimit: c.HeaderLimit, splitCookies: c.SplitCookies, tls: c.TLS, log: c.Log, measure: c.Measure, now: c.Now, credentials: c.Credentials,
		sockets: &sockets{byID: map[string]*socket{}}, idleLimit: idleLimit, lifeLimit: lifeLimit,
	}}
	if g.invoke == nil || len(c.APIs) == 0 {
		return nil, errors.New("gateway: invoker and APIs are required")
	}
	if g.headerLimit == 0 {
		g.headerLimit = defaultHeaderLimit
	}
	if g.now == nil {
		g.now = time.Now
	}
	gates := map[[2]string]*gate{}
	for _, api := range c.APIs {
		one, err := newGate(api, g.shared)
		if err != nil {
			return nil, err
		}
		gates[[2]string{api.ID, api.Stage}] = one
		if err := g.open(one); err != nil {
			return nil, err
		}
	}
	for _, d := range c.Domains {
		if err := g.openDomain(d, gates); err != nil {
			return nil, fmt.Errorf("gateway: domain %s: %w", d.Name, err)
		}
	}
	g.server = &http.Server{Handler: g, ConnContext: rememberConn, MaxHeaderBytes: headLimit, ReadHeaderTimeout: 30 * time.Second}
	return g, nil
}

func newGate(api sam.API, s shared) (*gate, error) {
	g := &gate{shared: s, api: api, responses: map[string]response{}, sources: map[string]source{}, cache: map[string]remembered{}}
	if api.ID == "" || api.Stage == "" {
		return nil, errors.New("gateway: an API needs an id and a stage")
	}
	if g.api.Kind == "" {
		g.api.Kind = sam.REST
	}
	if g.api.Variables == nil {
		g.api.Variables = map[string]string{}
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
	if g.api.Kind == sam.WebSocket {
		var err error
		if g.selection, err = compileSelection(g.api.Selection); err != nil {
			return nil, fmt.Errorf("gateway: %w", err)
		}
	}
	if err := checkCORS(g.api.CORS); err != nil {
		return nil, fmt.Errorf("gateway: %w", err)
	}
	for _, r := range g.api.Routes {
		if _, ok := g.api.Authorizers[r.Authorizer]; !ok && r.Authorizer != "" {
			return nil, fmt.Errorf("gateway: route %s %s: there is no authorizer %s", r.Method, r.Path, r.Authorizer)
		}
	}
	return g, nil
}

func (g *gate) checkAuthorizer(a sam.Authorizer) error {
	if a.TTL > 0 && g.api.Kind == sam.WebSocket {
		return errors.New("a WebSocket API has no cache")
	}
	if a.TTL > 0 && len(a.Sources) == 0 {
		return errors.New("a cache needs identity sources")
	}
	for _, expression := range a.Sources {
		s, err := g.compileIdentity(expression)
		if err != nil {
			return err
		}
		g.sources[expression] = s
	}
	return nil
}

// Serve answers on a listener until Close. It may be called for several.
func (g *Gateway) Serve(l net.Listener) error {
	if g.tls != nil {
		l = tls.NewListener(l, g.tls)
	}
	return g.server.Serve(listener{l})
}

// Close stops answering at once.
func (g *Gateway) Close() error {
	err := g.server.Close()
	g.sockets.close()
	return err
}

// ServeHTTP answers one request.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began, rec := g.now(), &answerWriter{ResponseWriter: w, certified: g.tls != nil}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyLimit))
	if manages(r) && err == nil {
		g.manage(w, r, body)
		return
	}
	q := g.read(r, body)
	rec.told = sync.OnceFunc(func() { g.record(rec, q, began) })
	defer rec.told()
	w = rec
	if headerSize(r) > g.headerLimit {
		q.identify(w, "")
		refuse(w, headersTooLarge(g.headerLimit))
		return
	}
	at, f := g.find(q)
	if f != nil {
		q.identify(w, "")
		refuse(w, f)
		return
	}
	q.identify(w, at.api.Kind)
	q.api = &at.api
	if f = at.limit(r, err); f == nil {
		// A client that goes away does not end what runs on its behalf.
		f = at.serve(context.WithoutCancel(r.Context()), w, q)
	}
	if f != nil {
		at.fail(w, q, f)
	}
}

// limit refuses what is too large for this API.
func (g *gate) limit(r *http.Request, body error) *failure {
	switch {
	case g.api.Kind == sam.HTTP && headerSize(r)+len(r.Method+" "+r.RequestURI+" "+r.Proto) > g.headerLimit:
		return headersTooLarge(g.headerLimit)
	case g.api.URLLimit > 0 && len(r.RequestURI) > g.api.URLLimit:
		return uriTooLong()
	case body != nil:
		return requestTooLarge()
	}
	return nil
}

// serve answers a request that is for this API, or returns why it did not.
func (g *gate) serve(ctx context.Context, w http.ResponseWriter, q *request) *failure {
	switch g.api.Kind {
	case sam.HTTP:
		return g.serveHTTP(ctx, w, q)
	case sam.WebSocket:
		return g.serveSocket(ctx, w, q)
	}
	if q.route, q.parameters = match(g.api.Routes, q.method, q.path); q.route == nil {
		return missingToken()
	}
	if f := g.authorize(ctx, q); f != nil {
		return f
	}
	if q.route.Preflight != nil {
		return g.preflight(w, q)
	}
	if f := g.unpack(q); f != nil {
		return f
	}
	return g.integrate(ctx, w, q)
}

// preflight answers as the MOCK integration that SAM generates for Cors. Where the request counts as binary, as all do with the binary media type */*, such
// an integration cannot read it: on AWS, too, every preflight is then a 500, unless the integration converts it to text.
func (g *gate) preflight(w http.ResponseWriter, q *request) *failure {
	contentType, ok := q.header("Content-Type")
	if !ok {
		contentType = defaultMediaType
	}
	if g.binary(contentType) && !q.route.AsText {
		g.logf("OPTIONS %s: with the binary media type that %s is, a MOCK integration cannot read its request", q.path, contentType)
		return apiConfiguration()
	}
	for name, value := range q.route.Preflight {
		w.Header().Set(name, value)
	}
	if q.route.Status == http.StatusNoContent {
		w.WriteHeader(q.route.Status)
		return nil
	}
	w.Header().Set("Content-Type", defaultMediaType)
	write(w, cmp.Or(q.route.Status, http.StatusOK), "{}\n")
	return nil
}

// integrate calls the route's function, and writes its answer unless it has none.
func (g *gate) integrate(ctx context.Context, w http.ResponseWriter, q *request) *failure {
	ctx, cancel := context.WithTimeout(ctx, q.route.Timeout)
	defer cancel()
	began := g.now()
	raw, err := g.invoke.Invoke(ctx, q.route.Function, g.proxyEvent(q))
	took := g.now().Sub(began)
	q.integration = &took
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
func (s shared) logf(format string, values ...any) {
	if s.log == nil {
		return
	}
	line, _ := json.Marshal(map[string]string{"level": "WARN", "gateway": fmt.Sprintf(format, values...)})
	_, _ = s.log.Write(append(line, '\n'))
}
