package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const accessRules = "* /* signed-in\n* /admin/* group:admins max-age:10m\nGET /api/export scope:reports/read\n"

func TestRulesTest(t *testing.T) {
	folder := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	rules := write("access.rules", accessRules)
	for _, c := range []struct {
		line string
		code int
		want string // somewhere in what is printed
	}{
		{"nobody: GET / -> anonymous", exitDone, "1 hold, 0 do not"},
		{"nobody: GET / -> allowed", exitNo, "but it is anonymous: no_session"},
		{"alice in admins, editors: GET /admin/x → allowed", exitDone, "1 hold"},
		{"bob in editors: GET /admin/x -> allowed", exitNo, "but it is refused: group_required\n  line 2 (* /admin/* group:admins max-age:10m) wants group:admins\n0 hold, 1 do not"},
		{"bob in editors: GET /admin/x -> refused", exitDone, "1 hold"},
		{"bob: GET /admin/x -> group_required", exitDone, "1 hold"},
		{"alice in admins signed in 20m ago: GET /admin/x -> step_up_required", exitDone, "1 hold"},
		{"alice in admins signed in 5m ago: GET /admin/x -> step_up_required", exitNo, "but it is allowed: ok"},
		{"machine with reports/read: GET /api/export -> allowed", exitDone, "1 hold"},
		{"machine with reports/read: GET /admin/x -> refused", exitDone, "1 hold"},
		{"alice: GET /a//b -> path_not_canonical", exitDone, "1 hold"},
		{"nobody: GET /a//b -> no_session", exitDone, "1 hold"},
		{"alice GET /", exitUsage, "expectations:1: not WHO"},
		{"alice: GET / -> maybe", exitUsage, `"maybe" is neither allowed`},
		{"machine in admins: GET / -> allowed", exitUsage, "a machine has no groups"},
		{"nobody in admins: GET / -> allowed", exitUsage, "nobody has no groups"},
		{"# nothing", exitUsage, "holds no expectation"},
	} {
		file := write("expectations", c.line+"\n")
		got := on(t, nil, "rules", "test", file, "-rules", rules)
		if got.code != c.code || !strings.Contains(got.stdout+got.stderr, c.want) {
			t.Errorf("%s: %+v, want %d %q", c.line, got, c.code, c.want)
		}
	}
	got := on(t, nil, "rules", "test", write("expectations", "bob: GET /admin/x -> allowed\n"), "-rules", rules, "-json")
	var all []expectation
	if err := json.Unmarshal([]byte(got.stdout), &all); err != nil || len(all) != 1 || all[0].Holds || all[0].Got != "group_required" || got.code != exitNo {
		t.Errorf("%v %+v", err, got)
	}
	if got := on(t, nil, "rules", "dance"); got.code != exitUsage || !strings.Contains(got.stderr, "say show, or test and a file") {
		t.Errorf("%+v", got)
	}
	if got := on(t, nil, "rules", "test", "x", "-rules", write("bad", "* x signed-in")); got.code != exitNo {
		t.Errorf("%+v", got)
	}
}

func TestRulesShow(t *testing.T) {
	rules := filepath.Join(t.TempDir(), "access.rules")
	if err := os.WriteFile(rules, []byte(accessRules), 0o600); err != nil {
		t.Fatal(err)
	}
	got := on(t, nil, "rules", "show", "-template", "../../local/testdata/template.yaml", "-rules", rules)
	want := "/                        ANY: whoever is signed in\n"
	if got.code != exitDone || got.stderr != "" || !strings.Contains(got.stdout, want) {
		t.Errorf("%+v", got)
	}
	got = on(t, nil, "rules", "show", "-template", "../../template.yaml", "-rules", rules)
	for _, line := range []string{
		"/auth/{proxy+}           ANY: anybody: the route has no authorizer\n",
		"/api/{proxy+}            GET: whoever is signed in\n                           of that, /api/export: scope:reports/read\n",
		"/api/{proxy+}            DELETE,HEAD,OPTIONS,PATCH,POST,PUT: whoever is signed in\n",
		"/{proxy+}                ANY: whoever is signed in\n                           of that, /admin/*: group:admins, max-age:10m\n",
	} {
		if !strings.Contains(got.stdout, line) {
			t.Errorf("no %q in\n%s%s", line, got.stdout, got.stderr)
		}
	}
}
