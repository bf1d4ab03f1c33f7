package main

// This file tells what a table of rules means: for each route who gets in, and whether expectations that somebody has written down hold.

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"edgeauth/internal/policy"
	"edgeauth/internal/reason"
	"edgeauth/local/sam"
)

// ruling are the flags of rules.
type ruling struct {
	system systemFlags
	rules  string
	asJSON bool
}

func rulesCommand() command {
	f := flag.NewFlagSet("rules", flag.ContinueOnError)
	var x ruling
	x.system.flags(f)
	f.StringVar(&x.rules, "rules", "", "the table, a `file`; else the one that the template gives the authorizer, or that its binary holds")
	f.BoolVar(&x.asJSON, "json", false, "say it as JSON")
	return command{
		name: "rules", does: "show who gets in at each route, or test expectations", arguments: "show | test FILE", flags: f,
		page: `
show prints for each route of the template what its rules ask for. test reads a file of expectations, a line each, and tells which do not hold:

  # who                              request              what is expected
  nobody:                            GET /               -> anonymous
  alice in admins, editors:          GET /admin/x        -> allowed
  bob in editors:                    GET /admin/x        -> refused
  alice in admins signed in 20m ago: GET /admin/x        -> step_up_required
  machine with reports/read:         GET /api/export     -> allowed

What is expected is allowed, refused, anonymous, or a reason code.

Examples:
  edgeauth rules show
  edgeauth rules show -rules access.rules
  edgeauth rules test expectations.txt -rules access.rules
  edgeauth rules test expectations.txt -stack edgeauth`,
		do: func(ctx context.Context, c console, args []string) error {
			switch {
			case len(args) == 1 && args[0] == "show":
				return x.show(ctx, c)
			case len(args) == 2 && args[0] == "test":
				return x.test(ctx, c, args[1])
			}
			return usage{errors.New("say show, or test and a file")}
		},
	}
}

// table reads the rules.
func (x *ruling) table(ctx context.Context) (*policy.Table, error) {
	if x.rules != "" {
		text, err := os.ReadFile(x.rules)
		if err != nil {
			return nil, err
		}
		return policy.Parse(string(text))
	}
	scratch, err := os.MkdirTemp("", "edgeauth-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(scratch)
	a, err := x.system.find(ctx, "http://localhost:3000", scratch)
	if err != nil {
		return nil, err
	}
	return a.rules(ctx)
}

// shown is one route, and who gets in there.
type shown struct {
	Method string   `json:"method"`
	Path   string   `json:"path"`
	Who    string   `json:"who"`
	Below  []string `json:"below,omitempty"` // rules that are about a part of the route
}

var allMethods = []string{"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}

func (x *ruling) show(ctx context.Context, c console) error {
	table, err := x.table(ctx)
	if err != nil {
		return err
	}
	m, err := sam.Load(x.system.template, sam.Options{
		Parameters: x.system.parameters, AppURL: "http://localhost:3000", CognitoURL: x.system.cognito,
		ClientSecret: func(string) string { return strings.Repeat("x", 51) },
	})
	if err != nil {
		return err
	}
	var all []shown
	for _, api := range m.APIs {
		for _, r := range api.Routes {
			if r.Function != "" { // else the gateway answers by itself
				all = append(all, showRoute(table, r, api.Routes)...)
			}
		}
	}
	if x.asJSON {
		out := json.NewEncoder(c.stdout)
		out.SetEscapeHTML(false)
		return out.Encode(all)
	}
	for _, s := range all {
		fmt.Fprintf(c.stdout, "%-24s %s: %s\n", s.Path, s.Method, s.Who)
		for _, below := range s.Below {
			fmt.Fprintf(c.stdout, "%-24s   of that, %s\n", "", below)
		}
	}
	return nil
}

// showRoute returns one line for a route, or one for each group of methods that the rules tell apart.
func showRoute(table *policy.Table, r sam.Route, all []sam.Route) []shown {
	if r.Authorizer == "" {
		return []shown{{Method: r.Method, Path: r.Path, Who: "anybody: the route has no authorizer"}}
	}
	methods := []string{r.Method}
	if r.Method == "ANY" || r.Method == "" {
		methods = allMethods
	}
	var lines []shown
	for _, method := range methods {
		s := shown{Method: method, Path: r.Path}
		s.Who, s.Below = needs(table, method, r.Path, all)
		same := slices.IndexFunc(lines, func(o shown) bool { return o.Who == s.Who && slices.Equal(o.Below, s.Below) })
		if same < 0 {
			lines = append(lines, s)
			continue
		}
		lines[same].Method += "," + method
	}
	if len(lines) == 1 {
		lines[0].Method = r.Method
	}
	return lines
}

var parameter = regexp.MustCompile(`\{[^}]*\}`)

// needs says what all rules together ask for at a route, and which further rules are about a part of it.
func needs(table *policy.Table, method, path string, all []sam.Route) (who string, below []string) {
	sample := parameter.ReplaceAllString(path, "-")
	if path == "$default" {
		sample = "/-"
	}
	fixed, open := beginning(path)
	var asked []string
	matched, public := false, true
	for _, f := range table.Findings(method, sample, policy.User{}, time.Now()) {
		fields := strings.Fields(f.Rule)
		switch about := fields[0] == "*" || slices.Contains(strings.Split(fields[0], ","), method); {
		case f.Matches:
			matched = true
			public = public && fields[2] == "anyone"
			for _, need := range fields[2:] {
				if need != "signed-in" && need != "anyone" && !slices.Contains(asked, need) {
					asked = append(asked, need)
				}
			}
		case about && open && strings.HasPrefix(fields[1], fixed) && !slices.ContainsFunc(all, func(o sam.Route) bool {
			theirs, _ := beginning(o.Path) // a route of its own has it
			return len(theirs) > len(fixed) && strings.HasPrefix(fields[1], theirs)
		}):
			below = append(below, fields[1]+": "+strings.Join(fields[2:], ", "))
		}
	}
	switch {
	case !matched:
		return "nobody: no rule is about it", below
	case public:
		return "anyone, signed in or not", below
	case len(asked) == 0:
		return "whoever is signed in", below
	}
	return "whoever is signed in, with " + strings.Join(asked, " and "), below
}

// beginning is what every path of a route begins with, and whether there are several.
func beginning(path string) (fixed string, several bool) {
	if path == "$default" {
		return "/", true
	}
	fixed, _, several = strings.Cut(path, "{")
	return fixed, several
}

// expectation is one line of a file for rules test.
type expectation struct {
	Line     int         `json:"line"`
	Text     string      `json:"text"`
	Expected string      `json:"expected"`
	Got      reason.Code `json:"got"`
	Holds    bool        `json:"holds"`
	Because  []string    `json:"because,omitempty"`

	user         policy.User
	method, path string
}

var expecting = regexp.MustCompile(`^(\S+)(?: in ([^:]+?))?(?: with ([^:]+?))?(?: signed in (\S+) ago)?: +([A-Z]+) +(\S+) +(?:->|→) +(\S+)$`)

// readExpectation reads one line.
func readExpectation(line string, now time.Time) (e expectation, err error) {
	m := expecting.FindStringSubmatch(line)
	if m == nil {
		return e, errors.New("not WHO [in GROUPS] [with SCOPES] [signed in TIME ago]: METHOD PATH -> EXPECTED")
	}
	who, groups, scopes, ago := m[1], m[2], m[3], m[4]
	e = expectation{Text: line, method: m[5], path: m[6], Expected: m[7]}
	if code := reason.Code(e.Expected); !slices.Contains([]string{"allowed", "refused", "anonymous"}, e.Expected) && !code.Known() {
		return e, fmt.Errorf("%q is neither allowed, refused, anonymous nor a reason code", e.Expected)
	}
	if who == "nobody" {
		if groups+scopes+ago != "" {
			return e, errors.New("nobody has no groups, no scopes and no sign-in")
		}
		return e, nil
	}
	list := func(s string) []string {
		return strings.FieldsFunc(s, func(c rune) bool { return c == ',' || c == ' ' })
	}
	u := policy.User{Kind: policy.Machine, Groups: list(groups), Scope: strings.Join(list(scopes), " ")}
	if who != "machine" {
		u.Kind = policy.Person
		d := time.Duration(0)
		if ago != "" {
			if d, err = time.ParseDuration(ago); err != nil {
				return e, fmt.Errorf("%q is no time such as 20m", ago)
			}
		}
		u.AuthTime = now.Add(-d).Unix()
	} else if groups != "" || ago != "" {
		return e, errors.New("a machine has no groups and no sign-in")
	}
	e.user = u
	return e, nil
}

// decide holds an expectation against the table. Where nobody may in who is not signed in, that is what nobody learns.
func (e *expectation) decide(table *policy.Table, now time.Time) {
	e.Got = reason.PathNotPlain
	if policy.Plain(e.path) {
		e.Got = table.Decide(e.method, e.path, e.user, now)
		for _, f := range table.Findings(e.method, e.path, e.user, now) {
			for _, need := range f.Unmet {
				e.Because = append(e.Because, fmt.Sprintf("line %d (%s) wants %s", f.Line, f.Rule, need.Need))
			}
		}
	}
	if e.Got != reason.OK && e.user.Kind == policy.Nobody {
		e.Got = reason.NoSession
	}
	e.Holds = e.Expected == string(e.Got) || e.Expected == string(e.Got.Outcome())
}

func (x *ruling) test(ctx context.Context, c console, file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	table, err := x.table(ctx)
	if err != nil {
		return err
	}
	var all []expectation
	failed, now := 0, time.Now()
	for i, line := range strings.Split(string(text), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		e, err := readExpectation(line, now)
		if err != nil {
			return usage{fmt.Errorf("%s:%d: %w", file, i+1, err)}
		}
		e.Line = i + 1
		if e.decide(table, now); !e.Holds {
			failed++
		}
		all = append(all, e)
	}
	if len(all) == 0 {
		return usage{fmt.Errorf("%s holds no expectation", file)}
	}
	if x.asJSON {
		out := json.NewEncoder(c.stdout)
		out.SetEscapeHTML(false)
		if err := out.Encode(all); err != nil {
			return err
		}
	} else {
		for _, e := range all {
			if !e.Holds {
				fmt.Fprintf(c.stdout, "%s:%d: %s\n  but it is %s: %s\n", file, e.Line, e.Text, e.Got.Outcome(), e.Got)
				for _, why := range e.Because {
					fmt.Fprintf(c.stdout, "  %s\n", why)
				}
			}
		}
		fmt.Fprintf(c.stdout, "%d hold, %d do not\n", len(all)-failed, failed)
	}
	if failed > 0 {
		return verdict(exitNo)
	}
	return nil
}
