// Package policy says who may do what, by a table of rules, and says it twice: about one request, with the reason, and as one IAM document that is
// right for every route of the API, so that a decision may be replayed on any of them and means the same.
//
// A request needs a rule that matches it, and satisfies every rule that matches it. So a further rule never opens what was closed, the order of
// rules means nothing, and IAM can say exactly the same: an Allow for the patterns of rules that a user satisfies, a Deny for those of the others.
//
// This file decides whether a rule matches a request, and whether a user satisfies it.
package policy

import (
	"slices"
	"strings"
	"time"

	"edgeauth/internal/reason"
)

// User is what rules can ask about a caller whose token has been verified.
type User struct {
	Groups   []string
	Scope    string // space separated (RFC 6749 section 3.3)
	AuthTime int64  // when the user last proved who they are, in seconds since 1970; 0 when nobody did
}

// Table is a set of rules, compiled.
type Table struct {
	rules    []rule
	patterns []pattern // all that the rules are made of, sorted by text
}

// rule is one line of a table.
type rule struct {
	methods []string // nil: all
	path    string   // without the star at the end
	tree    bool     // the path and everything below it
	needs   []need
}

// need is one thing that a rule asks for.
type need struct {
	kind  string // a constant below
	value string
	age   time.Duration
}

const (
	signedIn = "signed-in"
	group    = "group"
	scope    = "scope"
	maxAge   = "max-age"
)

// Connect is the route of a WebSocket API's handshake, which has no method and no path.
const Connect = "$connect"

// methods are those that API Gateway routes. A rule for all methods names them, since in an IAM document nothing may follow a star.
var methods = [...]string{"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}

// Decide returns reason.OK if u may send a request with this method to this route, and else why not. Where several things are missing it names one
// that a new sign-in would not mend.
func (t *Table) Decide(method, route string, u User, now time.Time) reason.Code {
	verdict := reason.NoRule
	if route != Connect && !slices.Contains(methods[:], method) {
		return verdict
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

// matches reports whether the rule is about a request. A path with one slash at the end is the same path: API Gateway and backends do not agree
// about whether it is another one. A tree includes the path that it hangs from: "/admin/*" is about "/admin" too.
func (r *rule) matches(method, route string) bool {
	if r.methods != nil && !slices.Contains(r.methods, method) {
		return false
	}
	if r.everything() {
		return true
	}
	below, ok := strings.CutPrefix(route, r.path)
	if !ok {
		return false
	}
	if r.path == "/" {
		return r.tree || below == ""
	}
	return below == "" || below == "/" || r.tree && below[0] == '/'
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
	for _, n := range r.needs {
		switch n.kind {
		case group:
			if !slices.Contains(u.Groups, n.value) {
				return reason.GroupRequired
			}
		case scope:
			if !contains(u.Scope, n.value) {
				return reason.ScopeRequired
			}
		case maxAge:
			if now.Sub(time.Unix(u.AuthTime, 0)) > n.age {
				verdict = reason.StepUp
			}
		}
	}
	return verdict
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
