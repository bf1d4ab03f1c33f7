// Package doctor compares a deployed stack with what its template and its parameters mean, and says what is wrong with it. It only reads: AWS with the
// caller's own credentials, and the application from outside. The tool alone links it.
//
// Three outcomes stay apart. A rule finds nothing, finds a fault or gives advice, or cannot tell, because a question that it needs was not answered: then it
// says which permission is missing, and guesses nothing.
package doctor

// This file decides what becomes of a rule's answer.

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"
)

// Severity says whether something keeps people out or lets too many in, or only ought to be better.
type Severity string

const (
	Fault  Severity = "fault"
	Advice Severity = "advice"
)

// Finding is one thing that is not as it ought to be.
type Finding struct {
	Code     string   `json:"code"` // stable
	Severity Severity `json:"severity"`
	Seen     []string `json:"seen"`
	Ought    string   `json:"ought"`
	Do       string   `json:"do"`
}

// Unknown is a rule that nobody can judge.
type Unknown struct {
	Code  string   `json:"code"`
	Needs []string `json:"needs"` // permissions or answers that were not given, each with the reason
}

// Report is all that was found.
type Report struct {
	Stack    string    `json:"stack"`
	Region   string    `json:"region"`
	Fine     int       `json:"fine"` // rules that have nothing to say
	Findings []Finding `json:"findings"`
	Unknown  []Unknown `json:"unknown"`
}

// Examine gathers the facts about a stack and judges them. The error says that there is no such stack, or none that can be examined.
func Examine(ctx context.Context, q Question) (Report, error) {
	f, err := gather(ctx, q)
	if err != nil {
		return Report{}, err
	}
	return judge(f), nil
}

// judge holds facts against every rule.
func judge(f *facts) Report {
	r := Report{Stack: f.stack.Name, Region: f.stack.Region, Findings: []Finding{}, Unknown: []Unknown{}}
	for _, one := range rules {
		var missing []string
		for _, call := range one.needs {
			if why := f.gaps[call]; why != "" {
				missing = append(missing, call+": "+why)
			}
		}
		if len(missing) > 0 {
			r.Unknown = append(r.Unknown, Unknown{one.code, missing})
			continue
		}
		seen := one.see(f)
		if len(seen) == 0 {
			r.Fine++
			continue
		}
		slices.Sort(seen)
		r.Findings = append(r.Findings, Finding{one.code, one.severity, seen, f.named(one.ought), f.named(one.do)})
	}
	slices.SortStableFunc(r.Findings, func(a, b Finding) int { return -cmp.Compare(a.Severity, b.Severity) }) // faults first
	return r
}

// named writes the stack's own names into a sentence.
func (f *facts) named(text string) string {
	return strings.NewReplacer(
		"$STACK", f.stack.Name, "$REGION", f.stack.Region, "$NAME", f.part.Parameters["Name"], "$POOL", f.part.Pool(), "$CLIENT", f.clientID(),
		"$API", f.part.Parameters["ApiId"], "$BASE", f.base(), "$FUNCTION", f.authorizerName(), "$USER", f.question.User,
	).Replace(text)
}

// Leeway is by how much clocks may differ: the authorizer's own.
const Leeway = 5 * time.Second

// Rule is what a rule looks at, for a list of them.
type Rule struct {
	Code     string   `json:"code"`
	Severity Severity `json:"severity"`
	Needs    []string `json:"needs"`
	Ought    string   `json:"ought"`
	Do       string   `json:"do"`
}

// Rules are all of them, in the order in which a stack is examined.
func Rules() []Rule {
	var all []Rule
	for _, r := range rules {
		all = append(all, Rule{r.code, r.severity, append([]string{}, r.needs...), r.ought, r.do})
	}
	return all
}
