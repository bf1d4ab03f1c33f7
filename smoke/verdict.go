package smoke

// This file decides how what was found is told: a line each, and one word first.

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// report collects verdicts.
type report struct {
	out                   io.Writer
	asJSON                bool // all at once, when it is over
	passed, failed, asked int

	title    string
	verdicts []Verdict
}

// Verdict is one thing that was tried.
type Verdict struct {
	Section string `json:"section"`
	Verdict string `json:"verdict"` // PASS, FAIL, INFO or UNKNOWN
	What    string `json:"what"`
	Seen    string `json:"seen,omitempty"`
}

// pass says that something is as it must be, or that it is not: then with what was seen.
func (r *report) pass(ok bool, what, seen string, args ...any) bool {
	if ok {
		r.passed++
		r.line("PASS", what, "")
	} else {
		r.failed++
		r.line("FAIL", what, fmt.Sprintf(seen, args...))
	}
	return ok
}

// info answers a question that has no wrong answer.
func (r *report) info(what, seen string, args ...any) {
	r.asked++
	r.line("INFO", what, fmt.Sprintf(seen, args...))
}

// unknown says what this run could not find out.
func (r *report) unknown(what, why string, args ...any) {
	r.line("UNKNOWN", what, fmt.Sprintf(why, args...))
}

func (r *report) heading(format string, args ...any) {
	if !r.asJSON {
		fmt.Fprintf(r.out, format+"\n", args...)
	}
}

func (r *report) section(title string) {
	r.title = title
	if !r.asJSON {
		fmt.Fprintf(r.out, "\n%s\n", title)
	}
}

func (r *report) line(verdict, what, seen string) {
	seen = plain(seen)
	r.verdicts = append(r.verdicts, Verdict{r.title, verdict, what, seen})
	if r.asJSON {
		return
	}
	if seen != "" {
		what += ": " + seen
	}
	fmt.Fprintf(r.out, "  %-7s %s\n", verdict, what)
}

// plain keeps an answer of a stranger to one line that a terminal takes.
func plain(s string) string {
	s = strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f {
			return ' '
		}
		return c
	}, strings.TrimSpace(s))
	if len(s) > 200 {
		s = s[:200] + "…"
	}
	return s
}

func (r *report) verdict() error {
	if r.asJSON {
		out := json.NewEncoder(r.out)
		out.SetEscapeHTML(false)
		if err := out.Encode(r.verdicts); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(r.out, "\n%d passed, %d failed, %d questions answered\n", r.passed, r.failed, r.asked)
	}
	if r.failed > 0 {
		return errors.New("not as it must be")
	}
	if r.passed == 0 {
		return errors.New("nothing was tried")
	}
	return nil
}
