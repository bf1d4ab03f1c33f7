// Package local runs the whole system on this machine, from the template that a deployment would use: the functions' own binaries, a model of API Gateway
// and a stand-in for Cognito. It shares no code with what it runs.
package local

// This file starts the system, waits until everything answers, and stops it.

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"edgeauth/local/cloudwatch"
	"edgeauth/local/cognito"
	"edgeauth/local/dynamodb"
	"edgeauth/local/gateway"
	"edgeauth/local/sam"
)

// Options say what runs, and how. Flags sets the defaults.
type Options struct {
	templates            stacks
	build, logFile       string
	appPort, cognitoPort int
	headerLimit          int
	ttl                  int // seconds
	identity             string
	splitCookies         bool
	parameters, imports  settings
	environment, at      settings
	python, node, reload string
	json, tls            bool
}

// settings is a flag NAME=VALUE that can be repeated.
type settings map[string]string

func (s settings) String() string { return "" }

func (s settings) Set(text string) error {
	name, value, ok := strings.Cut(text, "=")
	if !ok || name == "" {
		return errors.New("not NAME=VALUE")
	}
	s[name] = value
	return nil
}

// stacks is a flag FILE or NAME=FILE that can be repeated.
type stacks []sam.Stack

func (s *stacks) String() string { return "" }

func (s *stacks) Set(text string) error {
	name, file, named := strings.Cut(text, "=")
	if !named {
		file = text
		absolute, err := filepath.Abs(file)
		if err != nil {
			return err
		}
		name = filepath.Base(filepath.Dir(absolute))
	}
	if len(*s) == 0 && !named {
		name = sam.StackName
	}
	if !stackName.MatchString(name) {
		return fmt.Errorf("%q is no name of a stack: give one, as NAME=FILE", name)
	}
	if slices.ContainsFunc(*s, func(other sam.Stack) bool { return other.Name == name }) {
		return fmt.Errorf("two stacks are named %s", name)
	}
	*s = append(*s, sam.Stack{Name: name, Path: file})
	return nil
}

var stackName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]*$`)

// Flags lets the options be set by flags.
func (o *Options) Flags(f *flag.FlagSet) {
	o.parameters, o.imports, o.environment, o.at = settings{}, settings{}, settings{}, settings{}
	f.Var(&o.templates, "template", "the SAM `template`; repeatable, for more stacks, as NAME=FILE or with the name of the file's folder (default template.yaml)")
	f.StringVar(&o.build, "build", "build/here", "`folder` with <LogicalId>/bootstrap for each function, <NestedId>/<LogicalId>/bootstrap for those of nested applications")
	f.IntVar(&o.appPort, "app-port", 3000, "`port` of the API on localhost; 0: any")
	f.IntVar(&o.cognitoPort, "cognito-port", 9229, "`port` of the Cognito stand-in on 127.0.0.1; 0: any")
	f.Var(o.parameters, "param", "template parameter, `NAME=VALUE`; repeatable")
	f.Var(o.imports, "import", "what another stack exports, `NAME=VALUE`, for Fn::ImportValue; repeatable")
	f.Var(o.environment, "env", "replace a function's variable, `LogicalId.NAME=VALUE`; repeatable")
	f.Var(o.at, "at", "send a function's events to a process of your own, `LogicalId=URL`, as the Runtime Interface Emulator takes them; repeatable")
	f.StringVar(&o.python, "python", "", "`interpreter` for Python functions; without it, a virtual environment beside the code, else python3")
	f.StringVar(&o.node, "node", "", "`interpreter` for Node.js functions; without it, node")
	f.IntVar(&o.ttl, "authorizer-ttl", 0, "cache authorizer results of REST APIs for this many `seconds`, whatever the template says")
	f.StringVar(&o.identity, "authorizer-identity", "method.request.header.Cookie", "identity `sources` for -authorizer-ttl, comma separated")
	f.BoolVar(&o.tls, "tls", false, "serve the API over TLS, at https://localhost, by a certificate of this machine's own")
	f.BoolVar(&o.splitCookies, "split-cookies", false, "deliver requests as HTTP/2 clients send them: lower-case names, one field per cookie")
	f.IntVar(&o.headerLimit, "header-limit", 10240, "`bytes` of all header values; newer pages of AWS say 20480")
	f.StringVar(&o.reload, "reload", "sources", "`which` functions run new code from the next request on: those that are run from sources, all, or none")
	f.BoolVar(&o.json, "json", false, "write log lines as they are, JSON for machines")
	f.StringVar(&o.logFile, "log", "", "also append all log lines, and those of the Cognito stand-in, to this `file`")
}

// Run starts everything, says on stdout where it is, and waits for ctx to end. A stop before everything was ready is no error.
func Run(ctx context.Context, o Options, stdout, stderr io.Writer) error {
	watch := cloudwatch.New(sam.Region, nil)
	s := &system{log: &journal{out: stderr, raw: o.json, read: watch.Line, now: time.Now}, metrics: metrics{watch, map[string]string{}}, failed: make(chan error, 1)}
	defer s.close()
	if err := s.start(ctx, o); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	fmt.Fprintln(stderr, "A model of API Gateway and a stand-in for Cognito, not AWS. Good for this machine only.")
	if s.cognito {
		fmt.Fprintf(stderr, "Sign in as alice@example.com (group admins) or bob@example.com with the password %s\n", cognito.DefaultPassword)
		fmt.Fprintf(stderr, "Cognito is at %s; %s/_standin/ lists the faults it can be asked for\n", s.cognitoURL, s.cognitoURL)
	}
	for _, note := range s.notes {
		fmt.Fprintln(stderr, note)
	}
	fmt.Fprintf(stdout, "ready %s/\n", s.baseURL)
	select {
	case <-ctx.Done():
		return nil
	case err := <-s.failed:
		return err
	}
}

// system is everything that runs.
type system struct {
	log                *journal
	metrics            metrics
	functions          map[string]function // by logical id
	notes              []string            // what runs otherwise than the template says, a line each
	appURL, cognitoURL string
	cognito            bool        // there is a pool to sign in at
	mends              bool        // some function has to be mended before it can start
	baseURL            string      // with the stage
	serverTLS          *tls.Config // of the API; nil: it is served without
	clientTLS          *tls.Config // for whoever calls it
	failed             chan error
	closers            []func()
}

func (s *system) close() {
	for _, c := range slices.Backward(s.closers) {
		c()
	}
}

func (s *system) start(ctx context.Context, o Options) error {
	if o.logFile != "" {
		file, err := os.OpenFile(o.logFile, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		s.closers = append(s.closers, func() { _ = file.Close() })
		s.log.file = file
	}
	// Ports first: what the template resolves to depends on them, and a taken one should be the first thing to be said.
	app, err := listenLocalhost(o.appPort)
	if err != nil {
		return err
	}
	s.closers = append(s.closers, func() { closeAll(app) })
	login, err := listen("127.0.0.1", o.cognitoPort, "-cognito-port")
	if err != nil {
		return err
	}
	s.closers = append(s.closers, func() { _ = login.Close() })
	scheme := "http"
	if o.tls {
		scheme = "https"
		if err := s.certify(); err != nil {
			return err
		}
	}
	s.appURL = fmt.Sprintf("%s://localhost:%d", scheme, port(app[0]))
	s.cognitoURL = fmt.Sprintf("http://127.0.0.1:%d", port(login))

	templates := o.templates
	if len(templates) == 0 {
		templates = stacks{{Name: sam.StackName, Path: "template.yaml"}}
	}
	model, err := sam.LoadAll(templates, sam.Options{
		Parameters: o.parameters, Imports: o.imports, Environment: o.environment, AppURL: s.appURL, CognitoURL: s.cognitoURL, ClientSecret: newSecret,
	})
	if err != nil {
		return err
	}
	if len(model.Addresses) == 0 {
		return errors.New("the template has no API: there is nothing to serve")
	}
	s.baseURL = model.Addresses[0].URL
	for _, other := range model.Addresses[1:] {
		s.notes = append(s.notes, fmt.Sprintf("%s is at %s/", other.API, other.URL))
	}
	for _, aside := range model.Aside {
		s.notes = append(s.notes, "Set aside: "+aside)
	}
	if err := adjust(model, o); err != nil {
		return err
	}
	if err := s.startCognito(login, model); err != nil {
		return err
	}
	if err := s.startFunctions(model, o); err != nil {
		return err
	}
	if err := s.startGateway(app, model, o); err != nil {
		return err
	}
	if err := s.warm(ctx, model); err != nil {
		return err
	}
	if err := s.probe(ctx, model); err != nil {
		return err
	}
	s.seekKeys(ctx, model)
	return nil
}

// certify makes the API be served over TLS.
func (s *system) certify() error {
	folder, err := os.UserCacheDir()
	if err != nil {
		return err
	}
	c, err := certificateIn(filepath.Join(folder, "edgeauth"), time.Now())
	if err != nil {
		return fmt.Errorf("-tls: %w", err)
	}
	s.serverTLS, s.clientTLS = c.server(), c.trusting()
	s.notes = append(s.notes, fmt.Sprintf("TLS by %s; nobody trusts it unless told to. The hash of its key is %s", c.file, c.pin()))
	return nil
}

// seekKeys says where a function will look for the keys of tokens in vain. That is no error: an outage may be what somebody wants to see.
func (s *system) seekKeys(ctx context.Context, m *sam.Model) {
	client := &http.Client{Timeout: 3 * time.Second}
	for _, f := range m.Functions {
		url := f.Environment["AUTH_JWKS_URL"]
		if issuer := f.Environment["AUTH_ISSUER"]; url == "" && issuer != "" {
			url = issuer + "/.well-known/jwks.json"
		}
		if url == "" || f.Environment["AUTH_JWKS"] != "" {
			continue
		}
		if err := keysAt(ctx, client, url); err != nil {
			s.notes = append(s.notes, fmt.Sprintf("%s finds no keys at %s: %v. Whoever shows a token will get 500.", f.LogicalID, url, err))
		}
	}
}

func keysAt(ctx context.Context, client *http.Client, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("it answers %s", res.Status)
	}
	if json.NewDecoder(io.LimitReader(res.Body, 1<<20)).Decode(&set) != nil || len(set.Keys) == 0 {
		return errors.New("what is there is no key set")
	}
	return nil
}

// adjust lays the flags over what the template says.
func adjust(m *sam.Model, o Options) error {
	for _, target := range slices.Sorted(maps.Keys(o.environment)) {
		id, name, _ := strings.Cut(target, ".")
		i := slices.IndexFunc(m.Functions, func(f sam.Function) bool { return f.LogicalID == id })
		if i < 0 {
			return fmt.Errorf("-env %s: there is no function %s", target, id)
		}
		if _, ok := m.Functions[i].Environment[name]; !ok && !strings.HasPrefix(name, "AWS_ENDPOINT_URL") {
			return fmt.Errorf("-env %s: the template gives %s no such variable", target, id)
		}
		m.Functions[i].Environment[name] = o.environment[target]
	}
	if o.ttl > 0 {
		for _, api := range m.APIs {
			if api.Kind != sam.REST {
				continue // the sources are spelled as REST APIs have them
			}
			for name, a := range api.Authorizers {
				a.TTL, a.Sources = time.Duration(o.ttl)*time.Second, strings.Split(strings.ReplaceAll(o.identity, " ", ""), ",")
				api.Authorizers[name] = a
			}
		}
	}
	return nil
}

func (s *system) startCognito(l net.Listener, m *sam.Model) error {
	if len(m.Pool.Clients) == 0 {
		s.notes = append(s.notes, "Set aside: Cognito: the template has no user pool with an app client that anybody could sign in by")
		s.serveHTTP(l, s.metrics.beside(s.tables(m, http.HandlerFunc(nothing))))
		return nil
	}
	c := cognito.Config{
		Region: sam.Region, Pool: m.Pool.ID, Issuer: m.Pool.Issuer, Domain: s.cognitoURL, Groups: m.Pool.Groups, Parameters: m.Parameters,
		Log: s.log.fileOnly(),
	}
	for _, p := range m.Pool.Providers {
		c.Providers = append(c.Providers, cognito.Provider(p))
	}
	for _, client := range m.Pool.Clients {
		c.Clients = append(c.Clients, cognito.Client{
			ID: client.ID, Name: client.Name, Secret: client.Secret, Providers: client.Providers,
			CallbackURLs: client.CallbackURLs, LogoutURLs: client.LogoutURLs, Scopes: client.Scopes,
			IDTokenValidity: client.IDTokenValidity, AccessTokenValidity: client.AccessTokenValidity, RefreshTokenValidity: client.RefreshTokenValidity,
			Rotation: client.Rotation, RotationGrace: client.RotationGrace,
			ExplicitAuthFlows: client.AuthFlows, ClientCredentials: slices.Contains(client.Flows, "client_credentials"),
		})
	}
	pool, err := cognito.New(c)
	if err != nil {
		return err
	}
	s.cognito = true
	s.serveHTTP(l, s.metrics.beside(s.tables(m, pool.Handler())))
	return nil
}

// tables leads the calls of DynamoDB to what stands in for it, and all else to another handler.
func (s *system) tables(m *sam.Model, other http.Handler) http.Handler {
	if len(m.Tables) == 0 {
		return other
	}
	c := dynamodb.Config{Region: sam.Region, Log: s.log.fileOnly()}
	for _, t := range m.Tables {
		c.Tables = append(c.Tables, dynamodb.Table(t))
	}
	tables := dynamodb.New(c)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if tables.Takes(r) {
			tables.ServeHTTP(w, r)
			return
		}
		other.ServeHTTP(w, r)
	})
}

// nothing answers in place of AWS where nothing stands in for it: a program that calls AWS stays on this machine.
func nothing(w http.ResponseWriter, _ *http.Request) {
	http.Error(w, "nothing stands in for AWS here: the template has no user pool to sign in at", http.StatusNotImplemented)
}

func (s *system) serveHTTP(l net.Listener, h http.Handler) {
	server := &http.Server{Handler: h, ReadHeaderTimeout: 30 * time.Second}
	s.serve(func() error { return server.Serve(l) }, server.Close)
}

func (s *system) startGateway(listeners []net.Listener, m *sam.Model, o Options) error {
	g, err := gateway.New(gateway.Config{
		APIs: m.APIs, Domains: m.Domains, Invoker: s, Credentials: gateway.Credentials{ID: accessKeyID, Secret: secretAccessKey}, HeaderLimit: o.headerLimit, SplitCookies: o.splitCookies, Log: s.log,
		Measure: s.metrics.request, TLS: s.serverTLS,
	})
	if err != nil {
		return err
	}
	for _, l := range listeners {
		s.serve(func() error { return g.Serve(l) }, g.Close)
	}
	return nil
}

// serve runs a server until it is closed. One that ends by itself ends the system.
func (s *system) serve(server func() error, stop func() error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := server(); !errors.Is(err, http.ErrServerClosed) {
			select {
			case s.failed <- err:
			default:
			}
		}
	}()
	s.closers = append(s.closers, func() { _ = stop(); <-done })
}

// probe asks both servers for what a browser would ask first.
func (s *system) probe(ctx context.Context, m *sam.Model) error {
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{TLSClientConfig: s.clientTLS}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	urls := []string{s.baseURL + "/"}
	if s.cognito {
		urls = append(urls, m.Pool.Issuer+"/.well-known/jwks.json")
	}
	for _, url := range urls {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		req.Header.Set("Accept", "text/html")
		res, err := client.Do(req)
		if err != nil {
			return err
		}
		_ = res.Body.Close()
		excused := res.StatusCode == http.StatusNotImplemented || res.StatusCode == http.StatusBadGateway && s.mends // it was said already
		if res.StatusCode >= 500 && !excused {
			return fmt.Errorf("%s answers %s", url, res.Status)
		}
	}
	return nil
}

// listenLocalhost takes the port on every address that a browser may mean by localhost.
func listenLocalhost(wanted int) ([]net.Listener, error) {
	first, err := listen("127.0.0.1", wanted, "-app-port")
	if err != nil {
		return nil, err
	}
	second, err := listen("::1", port(first), "-app-port")
	switch {
	case err == nil:
		return []net.Listener{first, second}, nil
	case errors.Is(err, syscall.EADDRINUSE):
		_ = first.Close()
		return nil, err
	}
	return []net.Listener{first}, nil // this machine has no IPv6
}

func listen(host string, port int, name string) (net.Listener, error) {
	l, err := net.Listen("tcp", net.JoinHostPort(host, fmt.Sprint(port)))
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("port %d is taken; stop the program that has it, or choose another with %s: %w", port, name, syscall.EADDRINUSE)
	}
	return l, err
}

func port(l net.Listener) int { return l.Addr().(*net.TCPAddr).Port }

func closeAll(listeners []net.Listener) {
	for _, l := range listeners {
		_ = l.Close()
	}
}

// newSecret makes an app client's secret as Cognito does: 51 letters and digits.
func newSecret(string) string { return strings.ToLower(rand.Text() + rand.Text())[:51] }
