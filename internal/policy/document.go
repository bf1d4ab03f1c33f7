// This file writes what a table means for one user as an IAM document.
//
// In an execute-api ARN everything after the account is one segment, and a star in it crosses
// slashes: ".../*/GET/admin" would match ".../POST/x/GET/admin". So a star stands at the very end
// of a resource or nowhere, and methods are spelled out. Nothing that a client or a token says gets
// into a pattern:
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-control-access-using-iam-policies-to-invoke-api.html

package policy

import (
	"maps"
	"slices"
	"strings"
	"time"

	"edgeauth/internal/reason"
)

// Limits of an authorizer's answer. That of a WebSocket API is documented
// (https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html). What other APIs take
// is not; REST APIs were seen to take more, and twice as much is enough for every session that fits
// into a request's headers (10,240 bytes).
const (
	MaxAnswer          = 16 << 10
	MaxHandshakeAnswer = 8 << 10
)

// maxResource is the length of a resource, by
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html.
const maxResource = 512

// ErrTooLarge means that a document would not be taken whole. Half a document would be another one.
var ErrTooLarge = reason.New(reason.TooLarge, "policy: document is larger than API Gateway takes")

// pattern is the end of a resource, after the API's stage: a method and a path, perhaps with a star
// at the end.
type pattern struct {
	text    string
	rules   []int // that it belongs to
	covered []int // patterns that match all that this one matches, and more
}

// compile collects the patterns of all rules.
func (t *Table) compile() {
	owners := map[string][]int{}
	for i := range t.rules {
		for _, text := range t.rules[i].patterns() {
			owners[text] = append(owners[text], i)
		}
	}
	for _, text := range slices.Sorted(maps.Keys(owners)) {
		t.patterns = append(t.patterns, pattern{text: text, rules: owners[text]})
	}
	for i := range t.patterns {
		for j := range t.patterns {
			if i != j && covers(t.patterns[j].text, t.patterns[i].text) {
				t.patterns[i].covered = append(t.patterns[i].covered, j)
			}
		}
	}
}

// patterns returns what a rule says in the language of IAM.
func (r *rule) patterns() []string {
	if r.everything() {
		return []string{"*"}
	}
	if r.path == Connect {
		return []string{Connect}
	}
	names := r.methods
	if names == nil {
		names = methods[:]
	}
	var list []string
	for _, m := range names {
		switch {
		case r.path == "/" && r.tree:
			list = append(list, m+"/*")
		case r.path == "/":
			list = append(list, m+"/")
		case r.tree:
			list = append(list, m+r.path, m+r.path+"/*")
		default:
			list = append(list, m+r.path, m+r.path+"/")
		}
	}
	return list
}

// covers reports whether a matches everything that b matches.
func covers(a, b string) bool {
	start, star := strings.CutSuffix(a, "*")
	return star && strings.HasPrefix(b, start)
}

// What a document says about a pattern.
const (
	allowed = 1 << iota
	denied
)

// AppendDocument appends what the table means for u. api is the ARN of the API's stage with a slash
// at the end. The document depends on nothing else, but for refused: the ARN of a request that was
// refused gets a Deny of its own, unless it is "". That changes no other route, and it closes this
// one even where no rule is about it and a resource policy allows what an authorizer does not deny.
func (t *Table) AppendDocument(dst []byte, api string, u User, now time.Time, refused string) ([]byte, error) {
	if refused != "" && !literal(refused) {
		return AppendDenyAll(dst, api), nil
	}
	says := make([]uint8, len(t.rules)+len(t.patterns))
	rules, patterns := says[:len(t.rules)], says[len(t.rules):]
	for i := range t.rules {
		if rules[i] = denied; t.rules[i].missing(u, now) == reason.OK {
			rules[i] = allowed
		}
	}
	for i, p := range t.patterns {
		for _, r := range p.rules {
			patterns[i] |= rules[r]
		}
	}
	w := begin(dst, api)
	for i, p := range t.patterns {
		if patterns[i] == allowed && said(patterns, p.covered) == 0 {
			w = w.resource("Allow", p.text)
		}
	}
	for i, p := range t.patterns {
		if patterns[i]&denied != 0 && said(patterns, p.covered)&denied == 0 {
			w = w.resource("Deny", p.text)
		}
	}
	if refused != "" {
		w = w.resource("Deny", refused[len(api):])
	}
	return w.end()
}

// said joins what a document says about some patterns.
func said(patterns []uint8, which []int) (all uint8) {
	for _, i := range which {
		all |= patterns[i]
	}
	return all
}

// AppendDenyAll appends the document that denies everything on the API's stage.
func AppendDenyAll(dst []byte, api string) []byte {
	dst, _ = begin(dst, api).resource("Deny", "*").end()
	return dst
}

// writer is a document that is being written. Its methods return what has become of it, so that the
// memory may be the caller's stack.
type writer struct {
	dst    []byte
	api    string
	effect string // of the statement that is being written
	err    error
}

func begin(dst []byte, api string) writer {
	return writer{dst: append(dst, `{"Version":"2012-10-17","Statement":[`...), api: api}
}

// resource adds a resource to the statement that is being written if it has this effect, and else
// to a new one.
//
//go:noinline
func (w writer) resource(effect, text string) writer {
	if len(w.api)+len(text) > maxResource {
		w.err = ErrTooLarge
	}
	if w.effect == effect {
		w.dst = append(w.dst, ',')
	} else {
		if w.effect != "" {
			w.dst = append(w.dst, `]},`...)
		}
		w.effect = effect
		w.dst = append(w.dst, `{"Action":"execute-api:Invoke","Effect":"`...)
		w.dst = append(append(w.dst, effect...), `","Resource":[`...)
	}
	w.dst = append(append(w.dst, '"'), w.api...)
	w.dst = append(append(w.dst, text...), '"')
	return w
}

func (w writer) end() ([]byte, error) {
	w.dst = append(w.dst, `]}]}`...)
	return w.dst, w.err
}

// literal reports whether an ARN stands in a document for itself alone: no stars, no question
// marks, no policy variables, nothing to be escaped.
func literal(arn string) bool {
	return len(arn) <= maxResource && strings.Trim(arn, unreserved+"/:@$&+,=%!'()") == "" && !strings.ContainsAny(arn, "*?{")
}
