// This file tells what each rule says about a request, for people who want to know why.

package policy

import (
	"strings"
	"time"

	"edgeauth/internal/reason"
)

// Finding is what one rule says about one request.
type Finding struct {
	Line    int    `json:"line"` // of the table
	Rule    string `json:"rule"`
	Matches bool   `json:"matches"`
	Unmet   []Need `json:"unmet,omitempty"` // of a rule that matches
}

// Need is one thing that a rule asks for and that a user lacks.
type Need struct {
	Need string      `json:"need"`
	Code reason.Code `json:"code"`
}

// Findings returns what each rule says about a request, in the order of the table. Decide says what follows from them.
func (t *Table) Findings(method, route string, u User, now time.Time) []Finding {
	list := make([]Finding, len(t.rules))
	for i := range t.rules {
		r := &t.rules[i]
		list[i] = Finding{Line: r.line, Rule: r.text, Matches: r.matches(method, route)}
		if !list[i].Matches {
			continue
		}
		needs := strings.Fields(r.text)[2:] // as the table has them
		for j := range r.needs {
			if code := r.needs[j].missing(u, now); code != reason.OK {
				list[i].Unmet = append(list[i].Unmet, Need{needs[j], code})
			}
		}
	}
	return list
}
