// This file holds the tables that we hand out against template.yaml: a rule that is about no route
// is a misspelt one, and a route that no rule is about is closed to everybody.

package main

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"edgeauth/internal/policy"
	"edgeauth/internal/reason"

	"go.yaml.in/yaml/v3"
)

// route is a protected route of the template.
type route struct{ method, path string }

// routes returns the routes of the template that the authorizer stands before.
func routes(t *testing.T) (list []route) {
	t.Helper()
	text, err := os.ReadFile("../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var template struct {
		Resources map[string]struct {
			Properties struct {
				Events map[string]struct {
					Type       string `yaml:"Type"`
					Properties struct {
						Path   string `yaml:"Path"`
						Method string `yaml:"Method"`
						Auth   struct {
							Authorizer string `yaml:"Authorizer"`
						} `yaml:"Auth"`
					} `yaml:"Properties"`
				} `yaml:"Events"`
			} `yaml:"Properties"`
		} `yaml:"Resources"`
	}
	if err := yaml.Unmarshal(text, &template); err != nil {
		t.Fatal(err)
	}
	for _, r := range template.Resources {
		for _, e := range r.Properties.Events {
			if p := e.Properties; e.Type == "Api" && p.Auth.Authorizer != "NONE" {
				list = append(list, route{strings.ToUpper(p.Method), p.Path})
			}
		}
	}
	if len(list) == 0 {
		t.Fatal("the template has no protected routes")
	}
	return list
}

// sample returns a path that r is about.
func (r route) sample() string {
	segments := strings.Split(r.path, "/")
	for i, s := range segments {
		if strings.HasPrefix(s, "{") {
			segments[i] = "x"
		}
	}
	return strings.Join(segments, "/")
}

// matches reports whether r is about path.
func (r route) matches(path string) bool {
	want, got := strings.Split(r.path, "/"), strings.Split(path, "/")
	for i, s := range want {
		switch {
		case strings.HasSuffix(s, "+}"):
			return len(got) > i && got[i] != ""
		case i >= len(got) || s != got[i] && !strings.HasPrefix(s, "{"):
			return false
		}
	}
	return len(want) == len(got)
}

func (r route) methods() []string {
	if r.method == "ANY" {
		return []string{"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}
	}
	return []string{r.method}
}

// unfit returns the lines of the table that are about no route, and the routes that no line is
// about.
func unfit(t *testing.T, table string, all []route) (lines []string, left []route) {
	t.Helper()
	about := func(line string, r route) bool {
		rules, err := policy.Parse(line)
		if err != nil {
			t.Fatal(err)
		}
		path, tree := strings.CutSuffix(strings.Fields(line)[1], "/*")
		paths := []string{r.sample()}
		for _, p := range []string{path, path + "/x"} {
			if r.matches(p) && (p == path || tree) {
				paths = append(paths, p)
			}
		}
		for _, m := range r.methods() {
			for _, p := range paths {
				if rules.Decide(m, p, policy.User{}, time.Time{}) != reason.NoRule {
					return true
				}
			}
		}
		return false
	}
	covered := make([]bool, len(all))
	for line := range strings.Lines(table) {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		used := false
		for i, r := range all {
			if about(line, r) {
				used, covered[i] = true, true
			}
		}
		if !used {
			lines = append(lines, line)
		}
	}
	for i, r := range all {
		if !covered[i] {
			left = append(left, r)
		}
	}
	return lines, left
}

func TestRulesFitTheTemplate(t *testing.T) {
	for _, file := range []string{"access.rules", "../examples/access.rules"} {
		table, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		lines, left := unfit(t, string(table), routes(t))
		for _, line := range lines {
			t.Errorf("%s: no route of template.yaml is meant by %q", file, line)
		}
		for _, r := range left {
			t.Errorf("%s: no rule is about %s %s of template.yaml", file, r.method, r.path)
		}
	}
}

func TestUnfitFindsWhatDoesNotFit(t *testing.T) {
	all := []route{{"ANY", "/api/{proxy+}"}, {"GET", "/"}, {"POST", "/orders/{id}/items"}}
	lines, left := unfit(t, "GET / signed-in\n* /api/admin/* group:a\n* /ap/* signed-in\nGET /orders/* signed-in\nPOST /orders/7/items signed-in\n* /api signed-in", all)
	if want := []string{"* /ap/* signed-in", "GET /orders/* signed-in", "* /api signed-in"}; !slices.Equal(lines, want) {
		t.Errorf("%q, want %q", lines, want)
	}
	if len(left) != 0 {
		t.Errorf("%v", left)
	}
	if _, left = unfit(t, "GET /api/* signed-in", all); !slices.Equal(left, all[1:]) {
		t.Errorf("%v", left)
	}
}
