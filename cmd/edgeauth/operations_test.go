package main

// This file holds the table of reason codes in docs/operations.md to the list of codes and to the tool: each row ends with a command that the tool takes.

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"edgeauth/internal/reason"
)

// rowCommands returns the command of each row, by its code.
func rowCommands(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## Reason codes\n")
	section, _, _ = strings.Cut(section, "\n## ")
	commands := map[string]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\|.*\\| ([^|]*) \\|$").FindAllStringSubmatch(section, -1) {
		if _, twice := commands[m[1]]; twice {
			t.Errorf("%s has two rows", m[1])
		}
		commands[m[1]] = m[2]
	}
	return commands
}

func TestOperationsRowsEndWithTheirCommand(t *testing.T) {
	list, err := os.ReadFile("../../internal/reason/reason.go")
	if err != nil {
		t.Fatal(err)
	}
	rows := rowCommands(t)
	for _, m := range regexp.MustCompile(`(?m)^\t\w+\s+Code = "([a-z_]+)"`).FindAllStringSubmatch(string(list), -1) {
		line, ok := strings.CutPrefix(rows[m[1]], "`edgeauth ")
		if !ok || !strings.HasSuffix(line, "`") {
			t.Errorf("docs/operations.md: the row of %s ends with %q, and not with a command of the tool", m[1], rows[m[1]])
			continue
		}
		delete(rows, m[1])
		name, rest, _ := strings.Cut(strings.TrimSuffix(line, "`"), " ")
		known := false
		for _, one := range commands() {
			if one.name != name {
				continue
			}
			known = true
			quoted := regexp.MustCompile(`"[^"]*"`).ReplaceAllStringFunc(rest, func(s string) string { return strings.ReplaceAll(strings.Trim(s, `"`), " ", "") })
			if _, err := parse(one.flags, strings.Fields(quoted)); err != nil {
				t.Errorf("%s: %s: %v", m[1], line, err)
			}
		}
		if !known {
			t.Errorf("%s: there is no command %s", m[1], name)
		}
	}
	for code := range rows {
		if !reason.Code(code).Known() {
			t.Errorf("docs/operations.md has a row for %s, which is no reason", code)
		}
	}
}
