// Package policy says who may do what, by a table of rules, and says it twice: about one request,
// with the reason, and as one IAM document that is right for every route of the API, so that a
// decision may be replayed on any of them and means the same.
//
// A request needs a rule that matches it, and satisfies every rule that matches it. So a further
// rule never opens what was closed, the order of rules means nothing, and IAM can say exactly the
// same: an Allow for the patterns of rules that a user satisfies, a Deny for those of the others.
//
// This file decides whether a rule matches a request, and whether a user satisfies it.
package policy

import (
	"slices"
	"strings"
	"time"

	"edgeauth/internal/reason"
)

// User is what rules can ask about a caller whose token has been verified. The zero User is nobody:
// a request without a session.
type User struct {
	Kind     Kind
	Groups   []string
	Scope    string // space separated (RFC 6749 section 3.3)
	AuthTime int64  // when the user last proved who they are, in seconds since 1970; 0 when nobody did
}

// Kind is what is behind a request.
type Kind uint8

const (
	Nobody  Kind = iota // no session and no token
	Person              // somebody who signed in
	Machine             // a program with credentials of its own (RFC 6749 section 4.4)
)

// Table is a set of rules, compiled.
type Table struct {
	rules    []rule
	patterns []pattern // all that the rules are made of, sorted by text
}

// rule is one line of a table.
type rule struct {
	line    int      // where it stands
	text    string   // its columns, a space between them
	methods []string // nil: all
	path    string   // without the star at the end
	folded  string   // path, as the most forgiving reader has it
	tree    bool     // the path and everything below it
	needs   []need
}

// need is one thing that a rule asks for.
type need struct {
	kind string   // a constant below
	any  []string // of group and scope: one of them is enough
	age  time.Duration
}

const (
	anyone   = "anyone"
	signedIn = "signed-in"
	person   = "user"
	machine  = "machine"
	group    = "group"
	scope    = "scope"
	maxAge   = "max-age"
)

// Connect is the route of a WebSocket API's handshake, which has no method and no path.
const Connect = "$connect"

// methods are those that API Gateway routes. A rule for all methods names them, since in an IAM
// document nothing may follow a star.
var methods = [...]string{"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}

// Decide returns reason.OK if u may send a request with this method to this route, and else why
// not. Where several things are missing it names one that a new sign-in would not mend.
func (t *Table) Decide(method, route string, u User, now time.Time) reason.Code {
	verdict := reason.NoRule
	if route != Connect && !slices.Contains(methods[:], method) {
		return verdict
	}
	if route != Connect && t.disguised(route) {
		return reason.PathNotPlain
	}
	for i := range t.rules {
		r := &t.rules[i]
		if !r.matches(method, route) {
			continue
		}
		switch missing := r.missing(u, now); {
		case missing == reason.OK:
			if verdict == reason.NoRule {
				verdict = reason.OK
			}
		case missing != reason.StepUp:
			return missing
		default:
			verdict = missing
		}
	}
	return verdict
}

// Open reports whether some rule lets anyone through.
func (t *Table) Open() bool {
	return slices.ContainsFunc(t.rules, func(r rule) bool { return r.missing(User{}, time.Time{}) == reason.OK })
}

// matches reports whether the rule is about a request.
func (r *rule) matches(method, route string) bool {
	if r.methods != nil && !slices.Contains(r.methods, method) {
		return false
	}
	return r.everything() || covered(r.path, r.tree, route)
}

// covered reports whether a rule's path is about a route. A path with one slash at the end is the
// same path: API Gateway and backends do not agree about whether it is another one. A tree includes
// the path that it hangs from: "/admin/*" is about "/admin" too.
func covered(path string, tree bool, route string) bool {
	below, ok := strings.CutPrefix(route, path)
	if !ok {
		return false
	}
	if path == "/" {
		return tree || below == ""
	}
	return below == "" || below == "/" || tree && below[0] == '/'
}

// disguised reports whether a route is under the path of a rule that is not about it for a
// forgiving reader: one that takes letters of either case, drops white space and dots, or both.
// Where such a backend opens that path, the rule would have been walked around.
func (t *Table) disguised(route string) bool {
	folded := fold(route)
	for i := range t.rules {
		r := &t.rules[i]
		if r.path != Connect && covered(r.folded, r.tree, folded) && !covered(r.path, r.tree, route) {
			return true
		}
	}
	return false
}

// WantsRecent reports whether a rule asks for a recent sign-in.
func (t *Table) WantsRecent() bool {
	for i := range t.rules {
		for _, n := range t.rules[i].needs {
			if n.kind == maxAge {
				return true
			}
		}
	}
	return false
}

// everything reports whether the rule is about all requests.
func (r *rule) everything() bool { return r.methods == nil && r.path == "/" && r.tree }

// missing returns what u lacks, or reason.OK.
func (r *rule) missing(u User, now time.Time) reason.Code {
	verdict := reason.OK
	for i := range r.needs {
		switch missing := r.needs[i].missing(u, now); missing {
		case reason.OK:
		case reason.StepUp:
			verdict = missing
		default:
			return missing
		}
	}
	return verdict
}

// missing returns reason.OK if u has what is needed.
func (n *need) missing(u User, now time.Time) reason.Code {
	switch {
	case n.kind == anyone:
		return reason.OK
	case u.Kind == Nobody:
		return reason.NoSession
	case n.kind == person && u.Kind != Person:
		return reason.UserRequired
	case n.kind == machine && u.Kind != Machine:
		return reason.MachineRequired
	case n.kind == group && !slices.ContainsFunc(n.any, func(name string) bool { return slices.Contains(u.Groups, name) }):
		return reason.GroupRequired
	case n.kind == scope && !slices.ContainsFunc(n.any, func(name string) bool { return contains(u.Scope, name) }):
		return reason.ScopeRequired
	case n.kind == maxAge && now.Sub(time.Unix(u.AuthTime, 0)) > n.age:
		return reason.StepUp
	}
	return reason.OK
}

// contains reports whether a space separated list has the word.
func contains(list, word string) bool {
	for list != "" {
		var first string
		first, list, _ = strings.Cut(list, " ")
		if first == word {
			return true
		}
	}
	return false
}
