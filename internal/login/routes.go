package login

// This file decides which route each request takes.

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"
)

// New returns the handler of every route under <base>/auth/, or an error for what is missing.
func New(c Config) (http.Handler, error) {
	if c.Provider == nil {
		return nil, errors.New("login: Config.Provider is missing")
	}
	if c.Outdated == nil {
		c.Outdated = func() {}
	}
	if c.RequestID == nil {
		c.RequestID = func(*http.Request) string { return "" }
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	return &handler{Config: c, client: guarded(c.HTTP)}, nil
}

// route is one place under <base>/auth/.
type route struct {
	methods []string // nil: every method
	static  bool     // needs no site
	serve   func(*visit) answer
}

var routes = map[string]route{
	"login":         {[]string{"GET", "HEAD"}, false, (*visit).login},
	"callback":      {[]string{"GET"}, false, (*visit).callback},
	"refresh":       {[]string{"POST"}, false, (*visit).refresh},
	"device":        {[]string{"GET", "POST"}, false, (*visit).device},
	"session":       {[]string{"GET", "HEAD"}, false, (*visit).whoami},
	"logout":        {[]string{"GET", "POST"}, false, (*visit).logout},
	"signed-out":    {[]string{"GET", "HEAD"}, false, (*visit).signedOut},
	"denied":        {nil, false, (*visit).denied}, // a redirect keeps the method of a PUT (https://fetch.spec.whatwg.org/#http-redirect-fetch)
	"edgeauth.js":   {[]string{"GET", "HEAD"}, true, serveScript},
	"edgeauth.d.ts": {[]string{"GET", "HEAD"}, true, serveTypes},
	"edgeauth.css":  {[]string{"GET", "HEAD"}, true, serveStyle},
}

// timeToAnswer is kept of a Lambda's time, so that a provider that does not answer leads to a page
// of ours and not to one of the gateway's.
const timeToAnswer = 500 * time.Millisecond

// ServeHTTP answers a request, and logs one line about it.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := r.URL.EscapedPath()
	i := strings.LastIndex(path, "/auth/")
	if i < 0 {
		path, i = "/auth/", 0
	}
	name := path[i+len("/auth/"):]
	if deadline, limited := r.Context().Deadline(); limited {
		ctx, cancel := context.WithDeadline(r.Context(), deadline.Add(-timeToAnswer))
		defer cancel()
		r = r.WithContext(ctx)
	}
	v := &visit{handler: h, r: r, route: name, up: strings.Repeat("../", strings.Count(name, "/")), now: h.Now()}
	v.write(w, v.answer(path[:i]))
}

func (v *visit) answer(base string) answer {
	found, ok := routes[v.route]
	if !ok || !slices.Contains(found.methods, v.r.Method) {
		p, _ := v.known() // the page shows whose it is, where that can be told
		v.provider.Brand = p.Brand
	}
	if !ok {
		v.route = "unknown" // what the client sent belongs into no log
		return v.fail(http.StatusNotFound, errNotFound)
	}
	if found.methods != nil && !slices.Contains(found.methods, v.r.Method) {
		a := v.fail(http.StatusMethodNotAllowed, errMethod)
		a.allow = strings.Join(found.methods, ", ")
		return a
	}
	if found.static {
		return found.serve(v)
	}
	if err := v.enter(base); err != nil {
		if v.route == "logout" && errors.Is(err, errConfig) {
			return v.logoutBlind(base, err)
		}
		return v.failed(err)
	}
	return found.serve(v)
}
