package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"edgeauth/smoke"
)

// outcome is what somebody sees of one command.
type outcome struct {
	code           int
	stdout, stderr string
}

// on runs the tool with variables of the environment, NAME=VALUE.
func on(t *testing.T, environment []string, args ...string) outcome {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := tool(t.Context(), args, console{strings.NewReader(""), &stdout, &stderr, func(name string) string {
		for _, e := range environment {
			if value, ok := strings.CutPrefix(e, name+"="); ok {
				return value
			}
		}
		return ""
	}, time.Hour})
	return outcome{code, stdout.String(), stderr.String()}
}

func TestMistakes(t *testing.T) {
	for _, c := range []struct {
		args []string
		code int
		want string // on standard error, all of it
	}{
		{[]string{"walk"}, exitUsage, `edgeauth: there is no command "walk" (-h lists them)`},
		{[]string{"run", "-nope"}, exitUsage, "edgeauth run: flag provided but not defined: -nope (-h explains it)"},
		{[]string{"run", "nope"}, exitUsage, `edgeauth run: "nope" is no flag (-h explains it)`},
		{[]string{"run", "-param", "X"}, exitUsage, `edgeauth run: invalid value "X" for flag -param: not NAME=VALUE (-h explains it)`},
		{[]string{"run", "-template", "nowhere.yaml", "-app-port", "0", "-cognito-port", "0"}, exitNo, "edgeauth run: sam: open nowhere.yaml: no such file or directory"},
		{[]string{"cookie", "-url", "localhost"}, exitUsage, `edgeauth cookie: "localhost" is not the address of an application (-h explains it)`},
		{[]string{"cookie", "-url", "http://127.0.0.1:1/Prod"}, exitNo, "edgeauth cookie: 127.0.0.1:1/Prod/auth/login: dial tcp 127.0.0.1:1: connect: connection refused"},
		{[]string{"cookie", "-url", "https://app.example.com", "-user", "a"}, exitUsage, "edgeauth cookie: the variable PASSWORD is empty (-h explains it)"},
		{[]string{"check", "x"}, exitUsage, `edgeauth check: "x" is no flag (-h explains it)`},
	} {
		got := on(t, nil, c.args...)
		if got.code != c.code || strings.TrimSpace(got.stderr) != c.want || got.stdout != "" {
			t.Errorf("%v: %+v, want %d %s", c.args, got, c.code, c.want)
		}
	}
	if got := on(t, nil); got.code != exitUsage || !strings.HasPrefix(got.stderr, "usage: edgeauth COMMAND") {
		t.Errorf("without a command: %+v", got)
	}
}

// TestHelp wants a page of each command, with examples that the tool itself would take.
func TestHelp(t *testing.T) {
	index := on(t, nil, "-h")
	for _, c := range commands() {
		if index.code != exitDone || !strings.Contains(index.stdout, c.name) || !strings.Contains(index.stdout, c.does) {
			t.Errorf("-h lacks %s: %+v", c.name, index)
		}
		page := on(t, nil, c.name, "-h")
		if page.code != exitDone || page.stderr != "" || !strings.Contains(page.stdout, "\nExamples:\n") || !strings.Contains(page.stdout, "Exit codes: 0") {
			t.Errorf("%s -h: %+v", c.name, page)
		}
		c.flags.VisitAll(func(f *flag.Flag) {
			if !strings.Contains(page.stdout, "  -"+f.Name) || f.Usage == "" {
				t.Errorf("%s -h does not explain -%s", c.name, f.Name)
			}
		})
		_, examples, _ := strings.Cut(c.page, "\nExamples:\n")
		found := regexp.MustCompile(`edgeauth `+c.name+`\b([^)\n]*?)(?:  .*|\)|$|\n)`).FindAllStringSubmatch(examples, -1)
		if len(found) == 0 {
			t.Errorf("%s -h has no example", c.name)
		}
		for _, example := range found {
			for _, fresh := range commands() {
				if fresh.name != c.name {
					continue
				}
				if _, err := parse(fresh.flags, strings.Fields(strings.Trim(example[1], `"`))); err != nil {
					t.Errorf("%s: the example %q: %v", c.name, example[0], err)
				}
			}
		}
	}
}

func TestFlagsAndArgumentsInAnyOrder(t *testing.T) {
	f := flag.NewFlagSet("x", flag.ContinueOnError)
	user := f.String("user", "", "")
	rest, err := parse(f, []string{"GET", "-user", "bob", "/x"})
	if err != nil || *user != "bob" || fmt.Sprint(rest) != "[GET /x]" {
		t.Errorf("%v %q %v", rest, *user, err)
	}
}

// TestPatience wants a word about what takes long, and none about what does not.
func TestPatience(t *testing.T) {
	said := make(chan string, 2)
	c := console{stderr: writer(func(p []byte) { said <- string(p) }), patience: time.Hour}
	c.working("waiting")()
	c.patience = time.Millisecond
	defer c.working("signing in")()
	if got := <-said; got != "edgeauth: signing in …\n" {
		t.Errorf("%q", got)
	}
}

type writer func([]byte)

func (w writer) Write(p []byte) (int, error) { w(p); return len(p), nil }

// TestCheckSaysNo runs the verdict's way out: something that lets everybody in is a no.
func TestCheckSaysNo(t *testing.T) {
	open := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "welcome") }))
	defer open.Close()
	got := on(t, nil, "check", "-url", open.URL+"/Prod")
	if got.code != exitNo || !strings.Contains(got.stdout, "FAIL    a program gets 401") || got.stderr != "edgeauth check: not as it must be\n" {
		t.Errorf("%+v", got)
	}
	got = on(t, nil, "check", "-url", open.URL+"/Prod", "-json")
	var said []smoke.Verdict
	if err := json.Unmarshal([]byte(got.stdout), &said); err != nil || got.code != exitNo || !slices.ContainsFunc(said, func(v smoke.Verdict) bool {
		return v.Verdict == "FAIL" && v.What == "a program gets 401" && v.Section != "" && v.Seen != ""
	}) {
		t.Errorf("%v %+v", err, got)
	}
}
