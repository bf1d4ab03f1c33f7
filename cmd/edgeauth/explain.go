package main

// This file asks a real authorizer about one request, and explains what it says.

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"edgeauth/internal/apigw"
	"edgeauth/internal/config"
	"edgeauth/internal/explain"
	"edgeauth/internal/policy"
	"edgeauth/internal/reason"
	"edgeauth/internal/stack"
	"edgeauth/local/runtime"
	"edgeauth/local/sam"
)

// explaining are the flags of explain.
type explaining struct {
	system                    systemFlags
	cookie, bearer, claims    string
	user, jwks, kind, headers string
	browser, asJSON           bool
}

func explainCommand() command {
	f := flag.NewFlagSet("explain", flag.ContinueOnError)
	var x explaining
	x.system.flags(f)
	f.StringVar(&x.user, "user", "", "sign in as this `name` first, on the running system (the password as for edgeauth cookie)")
	f.StringVar(&x.cookie, "cookie", "", "send this Cookie header; -: read it from standard input")
	f.StringVar(&x.bearer, "token", "", "send this bearer `token`; -: read it from standard input")
	f.StringVar(&x.claims, "claims", "", "as if a good token said what is in this JSON `file`; what it leaves out is filled in")
	f.StringVar(&x.jwks, "jwks", "", "take the pool's keys from this `file` instead of asking for them")
	f.StringVar(&x.kind, "kind", "rest", "`kind` of API: rest, http1, http2 or websocket")
	f.BoolVar(&x.browser, "browser", false, "as a browser that loads the page; else as a program")
	f.Func("H", "further header, `Name: value`; repeatable", func(s string) error { x.headers += s + "\n"; return nil })
	f.BoolVar(&x.asJSON, "json", false, "say it as JSON")
	return command{
		name: "explain", does: "say why a request is let in or refused", arguments: "[METHOD] PATH", flags: f,
		page: `
Asks the authorizer's own binary, with the settings that the template gives it, about one request, and says in words: which credential counts, what the
token says, each check in order, every rule that matches, the IAM document and the statement that decides, what is answered, and what to do.
PATH is below the stage; a whole address will do too. Without -user, -cookie, -token or -claims nobody is signed in. No token is printed.

With -stack the settings are those of a deployed authorizer, as its function has them; the binary that decides is one for this machine, in -build or at
-authorizer, and the pool's keys are asked for where that authorizer asks.

Examples:
  edgeauth explain GET /admin/x
  edgeauth explain GET /admin/x -user bob@example.com
  edgeauth cookie | edgeauth explain POST /payments/7 -cookie - -H "Origin: https://evil.example"
  edgeauth explain /api/export -claims alice.json -json
  edgeauth explain GET /admin/x -stack edgeauth -region eu-west-1
  edgeauth explain /api/me -authorizer build/here/AuthorizerFunction -set AUTH_ISSUER=https://idp.example/p -set AUTH_CLIENT_IDS=web -jwks keys.json

Exit codes here: 0 let in; 1 turned away or refused; 3 nobody can tell.`,
		do: func(ctx context.Context, c console, args []string) error { return x.run(ctx, c, args) },
	}
}

// systemFlags say where an authorizer and its settings come from: from a template, or from the flags alone.
type systemFlags struct {
	template, build, function string
	authorizer                string
	parameters, settings      pairs
	cognito                   string
	stack, region             string
}

// pairs is a flag NAME=VALUE that can be repeated.
type pairs map[string]string

func (p pairs) String() string { return "" }

func (p pairs) Set(text string) error {
	name, value, ok := strings.Cut(text, "=")
	if !ok || name == "" {
		return errors.New("not NAME=VALUE")
	}
	p[name] = value
	return nil
}

func (s *systemFlags) flags(f *flag.FlagSet) {
	s.parameters, s.settings = pairs{}, pairs{}
	f.StringVar(&s.template, "template", "template.yaml", "the SAM template")
	f.StringVar(&s.build, "build", "build/here", "`folder` with <LogicalId>/bootstrap for each function")
	f.StringVar(&s.function, "function", "", "logical `id` of the authorizer's function, where the template has several")
	f.StringVar(&s.authorizer, "authorizer", "", "`folder` with the authorizer's bootstrap, or that file; then no template is read and -set says everything")
	f.Var(s.parameters, "param", "template parameter, `NAME=VALUE`; repeatable")
	f.Var(s.settings, "set", "setting of the authorizer, `NAME=VALUE`; repeatable")
	f.StringVar(&s.stack, "stack", "", "take the settings from the authorizer of this deployed stack, by `name`, with your own AWS credentials")
	f.StringVar(&s.region, "region", "", "AWS `region` of that stack; else the one that AWS's own tools would take")
	f.StringVar(&s.cognito, "cognito", "http://127.0.0.1:9229", "where the running system's Cognito stand-in is")
}

// authorizer is a binary and its environment.
type authorizer struct {
	program     runtime.Program
	environment map[string]string
	platform    map[string]string // what Lambda itself would add
	stage       string
	app         string // where a deployed application is; "" of one that is not
}

// find returns the authorizer that the flags mean. The caller removes the scratch folder.
func (s *systemFlags) find(ctx context.Context, app, scratch string) (authorizer, error) {
	a := authorizer{environment: map[string]string{}, stage: "Prod", platform: map[string]string{"AWS_REGION": sam.Region, "AWS_DEFAULT_REGION": sam.Region}}
	switch {
	case s.stack != "":
		built, err := s.deployed(ctx, &a)
		if err != nil {
			return a, err
		}
		if s.authorizer != "" {
			built = s.authorizer
		}
		if a.program, err = programAt(built); err != nil {
			return a, fmt.Errorf("an authorizer for this machine: %w; say -authorizer, or make one: make build", err)
		}
	case s.authorizer != "":
		var err error
		if a.program, err = programAt(s.authorizer); err != nil {
			return a, fmt.Errorf("-authorizer: %w", err)
		}
	default:
		m, err := sam.Load(s.template, sam.Options{
			Parameters: s.parameters, AppURL: app, CognitoURL: s.cognito, ClientSecret: func(string) string { return strings.Repeat("x", 51) },
		})
		if err != nil {
			return a, err
		}
		f, err := s.functionOf(m)
		if err != nil {
			return a, err
		}
		code := runtime.Code{Name: f.LogicalID, Built: filepath.Join(s.build, filepath.FromSlash(f.LogicalID)), Given: f.Code, Runtime: f.Runtime, Handler: f.Handler, Scratch: scratch}
		if a.program, err = code.Prepare(); err != nil {
			return a, err
		}
		a.environment, a.stage = f.Environment, stageOf(m, f.LogicalID)
	}
	for name, value := range s.settings {
		a.environment[name] = value
	}
	return a, nil
}

// programAt is the bootstrap in a folder, or that file.
func programAt(path string) (runtime.Program, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, "bootstrap")
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return runtime.Program{}, err
	}
	if _, err := os.Stat(absolute); err != nil {
		return runtime.Program{}, err
	}
	return runtime.Program{Binary: absolute, Folder: filepath.Dir(absolute)}, nil
}

// deployed reads the settings of a deployed stack's authorizer, and says where its like is built here.
func (s *systemFlags) deployed(ctx context.Context, a *authorizer) (built string, err error) {
	c, err := stack.Config(ctx, s.region)
	if err != nil {
		return "", err
	}
	d, err := stack.FindAuthorizer(ctx, c, s.stack)
	if err != nil {
		return "", err
	}
	a.environment, a.stage, a.app = d.Environment, d.Stage, d.URL
	a.platform = map[string]string{"AWS_REGION": c.Region, "AWS_DEFAULT_REGION": c.Region}
	if a.environment["AUTH_CUTS"] != "" { // the authorizer asks the table itself
		who, err := c.Credentials.Retrieve(ctx)
		if err != nil {
			return "", err
		}
		a.platform["AWS_ACCESS_KEY_ID"], a.platform["AWS_SECRET_ACCESS_KEY"], a.platform["AWS_SESSION_TOKEN"] = who.AccessKeyID, who.SecretAccessKey, who.SessionToken
	}
	return filepath.Join(s.build, filepath.FromSlash(d.Path)), nil
}

// functionOf finds the function of the template's one authorizer.
func (s *systemFlags) functionOf(m *sam.Model) (sam.Function, error) {
	var ids []string
	for _, api := range m.APIs {
		for _, one := range api.Authorizers {
			if !slices.Contains(ids, one.Function) {
				ids = append(ids, one.Function)
			}
		}
	}
	if s.function != "" {
		ids = []string{s.function}
	}
	slices.Sort(ids)
	if len(ids) != 1 {
		return sam.Function{}, fmt.Errorf("the template has %d authorizers (%s); say which by -function", len(ids), strings.Join(ids, ", "))
	}
	i := slices.IndexFunc(m.Functions, func(f sam.Function) bool { return f.LogicalID == ids[0] })
	if i < 0 {
		return sam.Function{}, fmt.Errorf("-function %s: there is no such function", ids[0])
	}
	return m.Functions[i], nil
}

// stageOf is the stage of the first API that asks a function.
func stageOf(m *sam.Model, function string) string {
	for _, api := range m.APIs {
		for _, one := range api.Authorizers {
			if one.Function == function {
				return api.Stage
			}
		}
	}
	return "Prod"
}

// rules returns the table that the authorizer decides by: its setting, or the one in its binary.
func (a authorizer) rules(ctx context.Context) (*policy.Table, error) {
	text := strings.TrimSpace(a.environment["AUTH_RULES"])
	if text == "" {
		out, err := exec.CommandContext(ctx, a.program.Binary, "-rules").Output()
		if err != nil {
			return nil, fmt.Errorf("%s -rules: %w", a.program.Binary, err)
		}
		text = string(out)
	}
	return policy.Parse(text)
}

// ask starts the authorizer as Lambda does and hands it one event.
func (a authorizer) ask(ctx context.Context, event []byte) (explain.Real, error) {
	said := &decisions{}
	f, err := runtime.New(runtime.Config{
		Name: "explain", ARN: "arn:aws:lambda:eu-west-1:123456789012:function:explain", Program: a.program, Environment: a.environment,
		Platform: a.platform, Timeout: 10 * time.Second, Memory: 128, Max: 1, Log: said,
	})
	if err != nil {
		return explain.Real{}, err
	}
	defer f.Close()
	if err := f.Warm(ctx); err != nil {
		return explain.Real{}, fmt.Errorf("the authorizer does not start: %w%s", err, said.complaint())
	}
	answer, err := f.Invoke(ctx, event)
	real := explain.Real{Answer: answer}
	var failure *runtime.Error
	if errors.As(err, &failure) {
		real.Failure, err = failure.Message, nil
	}
	if err != nil {
		return real, err
	}
	f.Close() // the line is written before the answer, and read from a pipe: after this all of it is here
	real.Reason = said.reason()
	return real, nil
}

// decisions keeps what an authorizer's log says.
type decisions struct {
	mu    sync.Mutex
	lines [][]byte
}

func (d *decisions) Write(line []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, bytes.Clone(line))
	return len(line), nil
}

func (d *decisions) reason() reason.Code {
	return reason.Code(d.find(func(msg, _, why string) string {
		if msg == "decision" || msg == "decisions" { // the latter tells of allowed ones
			return why
		}
		return ""
	}))
}

// complaint is why an authorizer did not start, in its own words.
func (d *decisions) complaint() string {
	return d.find(func(msg, failure, _ string) string {
		if msg == "start" && failure != "" {
			return ": " + failure
		}
		return ""
	})
}

func (d *decisions) find(of func(msg, failure, why string) string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, line := range d.lines {
		var l struct{ Msg, Error, Reason string }
		if json.Unmarshal(line, &l) != nil {
			continue
		}
		if found := of(l.Msg, l.Error, l.Reason); found != "" {
			return found
		}
	}
	return ""
}

func (x *explaining) run(ctx context.Context, c console, args []string) error {
	r, app, err := x.request(args)
	if err != nil {
		return usage{err}
	}
	scratch, err := os.MkdirTemp("", "edgeauth-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	defer c.working("asking the authorizer")()
	a, err := x.system.find(ctx, app, scratch)
	if err != nil {
		return err
	}
	if a.app != "" && !strings.Contains(args[len(args)-1], "://") {
		app = a.app
		r.Host = app[strings.Index(app, "://")+3:]
	}
	if x.jwks != "" {
		text, err := os.ReadFile(x.jwks)
		if err != nil {
			return fmt.Errorf("-jwks: %w", err)
		}
		a.environment["AUTH_JWKS"] = string(text)
	}
	if err := x.credential(ctx, c, &a, &r, app); err != nil {
		return err
	}
	x.mount(&r, a.stage)
	e, err := a.explain(ctx, r)
	if err != nil {
		return err
	}
	if x.asJSON {
		out := json.NewEncoder(c.stdout)
		out.SetIndent("", "  ")
		out.SetEscapeHTML(false)
		err = out.Encode(e)
	} else {
		writeExplanation(c.stdout, e)
	}
	switch {
	case err != nil:
		return err
	case e.Outcome == reason.Allowed:
		return nil
	case e.Outcome == reason.CannotTell:
		return verdict(exitUnknown)
	}
	return verdict(exitNo)
}

// explain asks the authorizer about a request and explains its answer.
func (a authorizer) explain(ctx context.Context, r explain.Request) (explain.Explanation, error) {
	settings, err := config.ForAuthorizer(func(name string) (string, bool) { v, ok := a.environment[name]; return v, ok })
	if err != nil {
		return explain.Explanation{}, err
	}
	table, err := a.rules(ctx)
	if err != nil {
		return explain.Explanation{}, err
	}
	event, err := r.Event()
	if err != nil {
		return explain.Explanation{}, err
	}
	real, err := a.ask(ctx, event)
	if err != nil {
		return explain.Explanation{}, err
	}
	e := explain.Judge(ctx, settings, table, event, time.Now())
	return e, e.Compare(real)
}

// request reads the arguments: a method, perhaps, and a path or an address.
func (x *explaining) request(args []string) (r explain.Request, app string, err error) {
	if r.Kind, err = explain.Kind(x.kind); err != nil {
		return r, "", err
	}
	r.Method, app = "GET", "http://localhost:3000"
	if len(args) == 2 {
		r.Method, args = strings.ToUpper(args[0]), args[1:]
	}
	if r.Kind == apigw.WebSocket && len(args) == 0 {
		args = []string{"/"}
	}
	if len(args) != 1 {
		return r, "", errors.New("say a path, or a method and a path")
	}
	r.Path = args[0]
	if u, err := url.Parse(args[0]); err == nil && u.Host != "" {
		app, r.Path = u.Scheme+"://"+u.Host, strings.TrimPrefix(args[0], u.Scheme+"://"+u.Host)
	}
	if !strings.HasPrefix(r.Path, "/") {
		return r, "", fmt.Errorf("%q is neither a path nor an address", args[0])
	}
	r.Host = app[strings.Index(app, "://")+3:]
	accept, mode, destination := "application/json", "cors", "empty"
	if x.browser {
		accept, mode, destination = "text/html", "navigate", "document"
		r.Headers = append(r.Headers, [2]string{"Sec-Fetch-Mode", mode}, [2]string{"Sec-Fetch-Dest", destination})
	}
	r.Headers = append(r.Headers, [2]string{"Accept", accept})
	for line := range strings.Lines(x.headers) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), ":")
		if !ok {
			return r, "", fmt.Errorf("-H %q: not Name: value", line)
		}
		r.Headers = append(r.Headers, [2]string{name, strings.TrimSpace(value)})
	}
	return r, app, nil
}

// mount takes the stage off the path, if the address had it.
func (x *explaining) mount(r *explain.Request, stage string) {
	r.Stage, r.Base = stage, "/"+stage
	if rest, ok := strings.CutPrefix(r.Path, r.Base+"/"); ok {
		r.Path = "/" + rest
	}
	if stage == sam.DefaultStage {
		r.Base = ""
	}
}

// credential puts into the request what the flags say.
func (x *explaining) credential(ctx context.Context, c console, a *authorizer, r *explain.Request, app string) error {
	given := 0
	for _, s := range []string{x.user, x.cookie, x.bearer, x.claims} {
		if s != "" {
			given++
		}
	}
	if given > 1 {
		return usage{errors.New("say one of -user, -cookie, -token and -claims")}
	}
	switch {
	case x.user != "":
		w := who{url: app + "/" + a.stage, user: x.user}
		t, err := w.target(c)
		if err != nil {
			return err
		}
		cookie, err := t.Cookie(ctx, false)
		if err != nil {
			return err
		}
		r.Headers = append(r.Headers, [2]string{"Cookie", cookie})
	case x.cookie != "":
		cookie, err := valueOf(c, x.cookie)
		if err != nil {
			return err
		}
		r.Headers = append(r.Headers, [2]string{"Cookie", cookie})
	case x.bearer != "":
		token, err := valueOf(c, x.bearer)
		if err != nil {
			return err
		}
		r.Headers = append(r.Headers, [2]string{"Authorization", "Bearer " + token})
	case x.claims != "":
		text, err := os.ReadFile(x.claims)
		if err != nil {
			return fmt.Errorf("-claims: %w", err)
		}
		header, err := a.pretend(text, time.Now())
		if err != nil {
			return fmt.Errorf("-claims %s: %w", x.claims, err)
		}
		r.Headers = append(r.Headers, header)
	}
	return nil
}

// valueOf is a flag's value, or what standard input holds.
func valueOf(c console, value string) (string, error) {
	if value != "-" {
		return value, nil
	}
	text, err := io.ReadAll(io.LimitReader(c.stdin, 1<<16))
	return strings.TrimSpace(string(text)), err
}

func writeExplanation(w io.Writer, e explain.Explanation) {
	line := func(name, text string) {
		if text != "" {
			fmt.Fprintf(w, "%-12s %s\n", name, text)
		}
	}
	line("Request", e.Request)
	line("Credential", e.Credential)
	name := "Token says"
	for _, said := range e.Token {
		line(name, said)
		name = ""
	}
	fmt.Fprintln(w, "\nChecks")
	for _, check := range e.Checks {
		fmt.Fprintf(w, "  %-12s %s\n", check.Answer, check.Question)
	}
	matching := 0
	for _, rule := range e.Rules {
		if !rule.Matches {
			continue
		}
		if matching++; matching == 1 {
			fmt.Fprintln(w, "\nRules that match")
		}
		verdict, missing := "satisfied", ""
		for _, need := range rule.Unmet {
			verdict, missing = "not", missing+", lacks "+need.Need
		}
		fmt.Fprintf(w, "  %-12s line %d: %s%s\n", verdict, rule.Line, rule.Rule, missing)
	}
	if e.Rules != nil && matching == 0 {
		fmt.Fprintln(w, "\nNo rule matches")
	}
	if len(e.Policy) > 0 {
		fmt.Fprintln(w, "\nIAM document, as far as it is about this request")
	}
	others := 0
	for _, s := range e.Policy {
		if !s.Matches {
			others++
			continue
		}
		mark := ""
		if s.Decides {
			mark = "   <- decides"
		}
		fmt.Fprintf(w, "  %-12s %s%s\n", s.Effect, s.Resource, mark)
	}
	if others > 0 {
		fmt.Fprintf(w, "  and %d of other routes; -json prints all\n", others)
	}
	fmt.Fprintln(w)
	line("Decision", fmt.Sprintf("%s: %s", e.Outcome, e.Reason))
	line("Because", e.Cause)
	line("Answer", e.Gets)
	line("Do", e.Do)
}
