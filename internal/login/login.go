// Package login walks a browser through the authorization-code flow with state, nonce and PKCE, keeps its session alive, and ends it.
//
// It keeps nothing: what must be remembered between two requests is in the browser's cookies, sealed where the browser must not read or change it.
// No session begins before the ID token has been verified completely, by two implementations that share no code. Only a logout takes a session away;
// a renewal that fails leaves the cookies alone, because another tab may have just renewed them.
package login

// This file decides which parts there are, and which route each request takes.

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"edgeauth/internal/reason"
	"edgeauth/internal/token"
)

// Config is everything that a walk depends on.
type Config struct {
	// Issuer is the user pool's issuer URL, byte for byte, and Keys are its signing keys. Both are required.
	Issuer string
	Keys   token.Keys

	// Provider returns the app client to sign in with. It is asked for every request, so it must answer from memory when it can; an error means that
	// nobody can tell right now. Required.
	Provider func(context.Context) (Provider, error)

	// Outdated, if set, is called when the identity provider refuses the client's secret: Provider should look again before it answers next.
	Outdated func()

	// SecondOpinion verifies an ID token once more, with an implementation that shares no code with package token. Required.
	SecondOpinion func(ctx context.Context, raw, clientID string) error

	RequestID func(*http.Request) string // what a person quotes when something went wrong; nil: nothing
	Brand     Brand
	Scopes    []string // nil: openid and email, which keeps Cognito's ID token small

	// HeaderBudget is how many bytes of request line and headers the API takes; 0: 10,240, the limit of HTTP APIs.
	// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
	HeaderBudget int
	SessionMax   time.Duration // a session ends this long after the sign-in, renewed or not; 0: no limit of our own
	SessionIdle  time.Duration // a session that was not renewed for this long ends; 0: no limit

	HTTP *http.Client     // for the token endpoint; redirects are never followed, whatever it says. nil: a client with a timeout
	Now  func() time.Time // nil: time.Now
	Rand io.Reader        // nil: crypto/rand
	Log  *slog.Logger     // nil: slog.Default()
}

// Brand is what pages show of the organisation they belong to.
type Brand struct {
	Name    string // "": "this application"
	Logo    string // https URL, or a path on the same origin
	Support string // https or mailto URL
}

// nameless is what texts call an application without a name; on its own it says nothing, so no heading shows it.
const nameless = "this application"

// Provider is the app client at the user pool, and where the application lives.
type Provider struct {
	ClientID     string
	Secret       string        // the client's secret
	FormerSecret string        // the one before it, as long as cookies sealed with it may be about; "" when there is none
	LoginURL     string        // the pool's domain, such as https://example.auth.eu-west-1.amazoncognito.com
	BaseURLs     []string      // where the application lives: origin and base path, such as https://app.example.com/Prod
	RefreshLife  time.Duration // how long a refresh token lives; 0: Cognito's 30 days
}

// String keeps the secrets out of everything that prints a Provider.
func (p Provider) String() string { return "login.Provider(" + p.ClientID + ")" }

// GoString does so for %#v.
func (p Provider) GoString() string { return p.String() }

// LogValue does so for slog.
func (p Provider) LogValue() slog.Value { return slog.StringValue(p.String()) }

// MarshalJSON does so for encoding/json.
func (p Provider) MarshalJSON() ([]byte, error) { return []byte(`"login.Provider"`), nil }

// New returns the handler of every route under <base>/auth/, or an error for what is missing.
func New(c Config) (http.Handler, error) {
	var errs []error
	require := func(there bool, name string) {
		if !there {
			errs = append(errs, errors.New("login: Config."+name+" is missing"))
		}
	}
	require(c.Issuer != "", "Issuer")
	require(c.Keys != nil, "Keys")
	require(c.Provider != nil, "Provider")
	require(c.SecondOpinion != nil, "SecondOpinion")
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	if c.Outdated == nil {
		c.Outdated = func() {}
	}
	if c.RequestID == nil {
		c.RequestID = func(*http.Request) string { return "" }
	}
	if c.Scopes == nil {
		c.Scopes = []string{"openid", "email"}
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
	c.Brand.Name = cmp.Or(c.Brand.Name, nameless)
	c.HeaderBudget = cmp.Or(c.HeaderBudget, 10240)
	return &handler{Config: c, client: guarded(c.HTTP)}, nil
}

// handler answers every route.
type handler struct {
	Config
	client *http.Client
}

// route is one place under <base>/auth/.
type route struct {
	methods []string
	static  bool // needs no site
	serve   func(*visit) answer
}

var routes = map[string]route{
	"login":         {[]string{"GET", "HEAD"}, false, (*visit).login},
	"callback":      {[]string{"GET"}, false, (*visit).callback},
	"refresh":       {[]string{"POST"}, false, (*visit).refresh},
	"session":       {[]string{"GET", "HEAD"}, false, (*visit).whoami},
	"logout":        {[]string{"GET", "POST"}, false, (*visit).logout},
	"signed-out":    {[]string{"GET", "HEAD"}, false, (*visit).signedOut},
	"denied":        {[]string{"GET", "HEAD"}, false, (*visit).denied},
	"edgeauth.js":   {[]string{"GET", "HEAD"}, true, (*visit).script},
	"edgeauth.d.ts": {[]string{"GET", "HEAD"}, true, (*visit).types},
	"edgeauth.css":  {[]string{"GET", "HEAD"}, true, (*visit).style},
}

// visit is one request, and what its answer depends on.
type visit struct {
	*handler
	r        *http.Request
	route    string
	up       string // from this page to <base>/auth/
	now      time.Time
	cookies  []string // the raw Cookie headers
	provider Provider
	site     site
	sealer   sealer
}

// timeToAnswer is kept of a Lambda's time, so that a provider that does not answer leads to a page of ours and not to one of the gateway's.
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
	v := &visit{handler: h, r: r, route: name, up: strings.Repeat("../", strings.Count(name, "/")), now: h.Now(), cookies: r.Header.Values("Cookie")}
	v.write(w, v.answer(path[:i]))
}

func (v *visit) answer(base string) answer {
	found, ok := routes[v.route]
	if !ok {
		v.route = "unknown" // what the client sent belongs into no log
		return v.fail(http.StatusNotFound, errNotFound)
	}
	if !slices.Contains(found.methods, v.r.Method) {
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

// enter finds out which site the request belongs to, and what its cookies are sealed with.
func (v *visit) enter(base string) error {
	p, err := v.Provider(v.r.Context())
	if err != nil {
		return errors.Join(errConfig, err)
	}
	if v.site, err = siteOf(p.BaseURLs, v.r.Host, base); err != nil {
		return err
	}
	if v.sealer, err = newSealer(v.site.url, p.Secret, p.FormerSecret); err != nil {
		return errors.Join(errConfig, err)
	}
	v.provider = p
	return nil
}

var (
	errNotFound = reason.New(reason.NotFound, "login: no such page")
	errMethod   = reason.New(reason.MethodNotAllowed, "login: the route does not take this method")
	errConfig   = reason.New(reason.ConfigUnavailable, "login: the application's settings are out of reach")
)
