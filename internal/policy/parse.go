// This file reads a table of rules. What cannot be read exactly is refused with its line: a rule
// that was misunderstood would be worse than none.

package policy

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"edgeauth/internal/word"
)

// Limits of a table; what goes beyond them could not become a document that API Gateway takes.
const (
	maxRules = 200
	maxPath  = 256
)

// Parse reads a table: a rule a line, in the columns methods, path and needs. A comment, from # on,
// has a line of its own: behind a rule it could swallow the next one when a line break is lost on
// the way.
//
//	# methods   path         needs
//	*           /*           signed-in
//	POST,PUT    /payments/*  group:treasury  max-age:10m
//	GET         /api/export  scope:reports/read
//	*           $connect     group:traders,admins
//
// A path is literal or ends in /*, is relative to the stage or base path, and is made of letters,
// digits and - . _ ~ /: any other character has a second spelling, which a rule would miss. The
// error joins one error for each line that is wrong.
func Parse(text string) (*Table, error) {
	t := &Table{}
	var errs []error
	rejected := 0
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSuffix(line, "\r")
		if strings.Contains(line, "\r") {
			errs = append(errs, fmt.Errorf("policy: line %d: a carriage return is no line break", i+1))
			continue
		}
		fields := strings.Fields(line)
		if len(fields) == 0 || fields[0][0] == '#' {
			continue
		}
		r, err := parseRule(fields)
		if slices.ContainsFunc(fields, func(f string) bool { return f[0] == '#' }) {
			err = errors.New("a comment has a line of its own")
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("policy: line %d: %w", i+1, err))
			rejected++
			continue
		}
		r.line, r.text = i+1, strings.Join(fields, " ")
		t.rules = append(t.rules, r)
	}
	switch {
	case len(t.rules)+rejected == 0:
		errs = append(errs, errors.New("policy: no rules, so nobody could do anything"))
	case len(t.rules) > maxRules:
		errs = append(errs, fmt.Errorf("policy: %d rules, more than %d", len(t.rules), maxRules))
	}
	if err := t.twins(); err != nil {
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	t.compile()
	return t, nil
}

func parseRule(fields []string) (r rule, err error) {
	if len(fields) < 3 {
		return r, errors.New("want methods, path and at least one need")
	}
	if r.methods, err = parseMethods(fields[0]); err != nil {
		return r, err
	}
	if r.path, r.tree, err = parsePath(fields[1]); err != nil {
		return r, err
	}
	r.folded = fold(r.path)
	if r.path == Connect && r.methods != nil {
		return r, errors.New("the handshake of a WebSocket has no method: want *")
	}
	for _, f := range fields[2:] {
		n, err := parseNeed(f)
		if err != nil {
			return r, err
		}
		r.needs = append(r.needs, n)
	}
	if r.asks(machine) && (r.asks(person) || r.asks(group) || r.asks(maxAge)) {
		return r, errors.New("a machine is no user, is in no group and never signed in: nobody could meet this rule")
	}
	return r, nil
}

// asks reports whether r has a need of this kind.
func (r *rule) asks(kind string) bool {
	return slices.ContainsFunc(r.needs, func(n need) bool { return n.kind == kind })
}

func parseMethods(field string) ([]string, error) {
	if field == "*" {
		return nil, nil
	}
	var list []string
	for name := range strings.SplitSeq(field, ",") {
		if !slices.Contains(methods[:], name) {
			return nil, fmt.Errorf("no such method: %q", name)
		}
		if slices.Contains(list, name) {
			return nil, fmt.Errorf("method twice: %q", name)
		}
		list = append(list, name)
	}
	slices.Sort(list)
	return list, nil
}

func parsePath(field string) (path string, tree bool, err error) {
	if field == Connect {
		return field, false, nil
	}
	path, tree = strings.CutSuffix(field, "/*")
	path = cmp.Or(path, "/")
	switch {
	case path[0] != '/':
		return "", false, fmt.Errorf("path does not begin with a slash: %q", field)
	case len(path) > maxPath:
		return "", false, fmt.Errorf("path is longer than %d", maxPath)
	case strings.Trim(path, unreserved+"/") != "" || strings.ContainsAny(path, "*?%"):
		return "", false, fmt.Errorf("path has a character other than letters, digits and - . _ ~ / (a star stands at the end only, after a slash): %q", field)
	case path != "/" && strings.HasSuffix(path, "/"):
		return "", false, fmt.Errorf("path ends in a slash, with and without which it is the same path: %q", field)
	case !Plain(path):
		return "", false, fmt.Errorf("path has an empty or dot segment: %q", field)
	}
	return path, tree, nil
}

// needs lists what a rule can ask for, for whoever wrote something else.
const needs = "anyone, signed-in, user, machine, group:…, scope:… and max-age:…"

func parseNeed(field string) (need, error) {
	kind, value, valued := strings.Cut(field, ":")
	switch n := (need{kind: kind}); {
	case !valued && (kind == anyone || kind == signedIn || kind == person || kind == machine):
		return n, nil
	case kind == group && value != "":
		n.any = strings.Split(value, ",")
		for _, name := range n.any {
			if err := groupName(name); err != nil {
				return n, fmt.Errorf("%w: %q", err, field)
			}
		}
		return n, nil
	case kind == scope && value != "":
		n.any = strings.Split(value, ",")
		if slices.ContainsFunc(n.any, func(name string) bool { return !scopeName(name) }) {
			return n, fmt.Errorf("not a scope, or not scopes with commas between them: %q", field)
		}
		return n, nil
	case kind == maxAge:
		age, err := time.ParseDuration(value)
		if err != nil || age < time.Minute {
			return n, fmt.Errorf("max-age is not a duration of a minute or more, such as 10m: %q", field)
		}
		n.age = age
		return n, nil
	}
	return need{}, fmt.Errorf("no such need (there are %s): %q", needs, field)
}

// maxGroupName is the length of a group's name in characters, by
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateGroup.html.
const maxGroupName = 128

// groupName returns what is wrong with name as the name of a group.
func groupName(name string) error {
	switch {
	case !word.Is(name) || utf8.RuneCountInString(name) > maxGroupName:
		return errors.New("not a group's name, or not names with commas between them")
	case strings.Contains(name, "|"):
		return errors.New("a group's name with | in it: any of several groups is group:a,b")
	}
	return nil
}

// scopeName reports whether name is a scope (RFC 6749 section 3.3).
func scopeName(name string) bool {
	for i := range len(name) {
		if c := name[i]; c <= ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return name != ""
}

// twins returns an error for two paths of which a forgiving reader takes one for the other, or for
// something below it: every request to the one would be refused as a disguise of the other.
func (t *Table) twins() error {
	for i := range t.rules {
		for j := range t.rules {
			a, b := &t.rules[i], &t.rules[j]
			if a.path != Connect && b.path != Connect && covered(a.folded, a.tree, b.folded) && !covered(a.path, a.tree, b.path) {
				return fmt.Errorf("policy: %q and %q differ in nothing but the case of letters, or dots", a.path, b.path)
			}
		}
	}
	return nil
}
