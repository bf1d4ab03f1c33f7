package gateway

// This file serves WebSocket APIs: who may connect, and which function a message is for. A connection is authorized once, when it is made.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-route-keys-connect-disconnect.html

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"edgeauth/local/runtime"
	"edgeauth/local/sam"

	"github.com/coder/websocket"
)

// The routes of a WebSocket API that no message selects.
const (
	connectRoute    = "$connect"
	disconnectRoute = "$disconnect"
)

// Limits of a connection.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
const (
	messageLimit = 128 << 10 // bytes
	idleLimit    = 10 * time.Minute
	lifeLimit    = 2 * time.Hour
)

// socket is one connection.
type socket struct {
	id          string
	gate        *gate
	conn        *websocket.Conn
	ready       chan struct{} // closed when conn is there, or will never be
	host        string
	sourceIP    string
	userAgent   string
	connectedAt time.Time
	authorizer  map[string]any // what the authorizer said when the connection was made

	idle *time.Timer

	mu         sync.Mutex // guards lastActive
	lastActive time.Time
}

// sockets are the connections of all APIs.
type sockets struct {
	mu   sync.Mutex // guards byID and closed
	byID map[string]*socket
	gone bool // the gateway is closed
	open sync.WaitGroup
}

func (all *sockets) add(s *socket) bool {
	all.mu.Lock()
	defer all.mu.Unlock()
	if all.gone {
		return false
	}
	all.byID[s.id] = s
	all.open.Add(1)
	return true
}

func (all *sockets) remove(s *socket) {
	all.mu.Lock()
	delete(all.byID, s.id)
	all.mu.Unlock()
}

// find returns the connection with an id, or nil. A client may tell others of its connection before the server's side is through with the handshake.
func (all *sockets) find(id string) *socket {
	all.mu.Lock()
	s := all.byID[id]
	all.mu.Unlock()
	if s == nil {
		return nil
	}
	if <-s.ready; s.conn == nil {
		return nil
	}
	return s
}

// close ends every connection, and waits until each is over.
func (all *sockets) close() {
	all.mu.Lock()
	all.gone = true
	open := slices.Collect(maps.Values(all.byID))
	all.mu.Unlock()
	for _, s := range open {
		if <-s.ready; s.conn != nil {
			_ = s.conn.CloseNow()
		}
	}
	all.open.Wait()
}

func (s *socket) active() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastActive = s.gate.now()
	s.idle.Reset(s.gate.idleLimit)
}

// serveSocket answers a handshake, or returns why the connection is not made. It returns when the connection is over.
func (g *gate) serveSocket(ctx context.Context, w http.ResponseWriter, q *request) *failure {
	upgrade, _ := q.raw.Header["Upgrade"]
	switch {
	case isManagement(q.fullPath):
		return missingToken() // one that is signed does not come here
	case q.path != "/":
		return forbidden()
	case q.method != http.MethodGet || !slices.ContainsFunc(upgrade, func(v string) bool { return strings.EqualFold(v, "websocket") }):
		return upgradeRequired()
	}
	s := &socket{
		id: newExtendedID(), gate: g, ready: make(chan struct{}), host: q.host, sourceIP: q.sourceIP, userAgent: q.userAgent, connectedAt: q.time, lastActive: q.time,
	}
	q.socket = s
	var options websocket.AcceptOptions
	if q.route = g.byKey(connectRoute); q.route != nil {
		if f := g.authorize(ctx, q); f != nil {
			return f
		}
		s.authorizer = q.authorizer
		if q.route.Function != "" {
			protocol, f := g.connect(ctx, q)
			if f != nil {
				return f
			}
			options.Subprotocols = protocol
		}
	}
	// API Gateway does not look at the Origin: that is the authorizer's to do.
	options.InsecureSkipVerify = true
	if !g.sockets.add(s) {
		return forbidden() // the gateway is being closed
	}
	defer g.sockets.open.Done()
	s.idle = time.NewTimer(g.idleLimit)
	defer s.idle.Stop()
	conn, err := websocket.Accept(w, q.raw, &options)
	if err == nil {
		s.conn = conn
	}
	close(s.ready)
	if err != nil {
		g.sockets.remove(s)
		return nil // it has been answered
	}
	g.live(ctx, s)
	return nil
}

// connect asks the function of $connect. A connection is made when it answers 2xx; the subprotocol is what it says.
func (g *gate) connect(ctx context.Context, q *request) ([]string, *failure) {
	a, f := g.invokeRoute(ctx, q.route, g.connectEvent(q))
	if f != nil {
		return nil, f
	}
	if a.status < 200 || a.status > 299 {
		return nil, &failure{"", a.status, http.StatusText(a.status), "message", "ForbiddenException"}
	}
	var protocols []string
	for _, h := range a.headers {
		if strings.EqualFold(h.name, "Sec-WebSocket-Protocol") {
			protocols = append(protocols, h.value)
		}
	}
	return protocols, nil
}

// invokeRoute calls a route's function, and reads its answer.
func (g *gate) invokeRoute(ctx context.Context, r *sam.Route, event []byte) (answer, *failure) {
	ctx, cancel := context.WithTimeout(ctx, r.Timeout)
	defer cancel()
	raw, err := g.invoke.Invoke(ctx, r.Function, event)
	var fault *runtime.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return answer{}, integrationTimeout()
	case errors.As(err, &fault):
		return answer{}, malformedResponse()
	case err != nil:
		g.logf("function %s: %v", r.Function, err)
		return answer{}, integrationFailure()
	}
	a, err := parseAnswer(raw)
	if err != nil {
		g.logf("function %s: malformed Lambda proxy response: %v", r.Function, err)
		return answer{}, malformedResponse()
	}
	return a, nil
}

// live takes messages until the connection is closed, by whomever.
func (g *gate) live(ctx context.Context, s *socket) {
	life := time.NewTimer(g.lifeLimit)
	defer life.Stop()
	over := make(chan struct{})
	defer close(over)
	go func() {
		select {
		case <-s.idle.C:
		case <-life.C:
		case <-over:
			return
		}
		_ = s.conn.Close(websocket.StatusGoingAway, "Going away")
	}()
	s.conn.SetReadLimit(messageLimit)
	var working sync.WaitGroup
	var closed websocket.CloseError
	for {
		kind, message, err := s.conn.Read(ctx)
		if err != nil {
			if !errors.As(err, &closed) {
				closed = websocket.CloseError{Code: websocket.StatusAbnormalClosure}
			}
			break
		}
		s.active()
		if kind == websocket.MessageBinary {
			closed = websocket.CloseError{Code: websocket.StatusUnsupportedData, Reason: "Binary frames are not supported"}
			_ = s.conn.Close(closed.Code, closed.Reason)
			break
		}
		working.Go(func() { g.message(ctx, s, message) })
	}
	g.sockets.remove(s)
	working.Wait()
	if r := g.byKey(disconnectRoute); r != nil {
		_, _ = g.invokeRoute(ctx, r, g.disconnectEvent(s, closed)) // nobody is left to be told
	}
}

// message calls the function that a message is for. What it answers goes back only if the route says so.
func (g *gate) message(ctx context.Context, s *socket, message []byte) {
	id, began := newExtendedID(), g.now()
	r := g.selectRoute(message)
	if r == nil {
		g.recordMessage("", http.StatusForbidden, began)
		s.complain(ctx, "Forbidden", id)
		return
	}
	a, f := g.invokeRoute(ctx, r, g.messageEvent(s, r, id, message))
	if f != nil {
		g.recordMessage(r.Path, f.status, began)
		s.complain(ctx, "Internal server error", id)
		return
	}
	g.recordMessage(r.Path, a.status, began)
	if r.Reply && len(a.body) > 0 {
		s.send(ctx, a.body)
	}
}

// complain tells the client that its message has come to nothing.
func (s *socket) complain(ctx context.Context, why, request string) {
	text, _ := json.Marshal(struct {
		Message      string `json:"message"`
		ConnectionID string `json:"connectionId"`
		RequestID    string `json:"requestId"`
	}{why, s.id, request})
	s.send(ctx, text)
}

func (s *socket) send(ctx context.Context, text []byte) {
	if s.conn.Write(ctx, websocket.MessageText, text) == nil {
		s.active()
	}
}

func (g *gate) byKey(key string) *sam.Route {
	for i, r := range g.api.Routes {
		if r.Path == key {
			return &g.api.Routes[i]
		}
	}
	return nil
}

// selectRoute finds the route of a message by the API's selection expression. No message can call $connect or $disconnect.
func (g *gate) selectRoute(message []byte) *sam.Route {
	if key, ok := g.selection.evaluate(message); ok && key != connectRoute && key != disconnectRoute {
		if r := g.byKey(key); r != nil {
			return r
		}
	}
	return g.byKey(DefaultRoute)
}
