// This file holds the repository to its own plan: who may import whom, one comment a package, the same settings in README, code and template, and a
// list of reason codes without dead entries.
package edgeauth_test

import (
	"encoding/json"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"edgeauth/internal/config"

	"go.yaml.in/yaml/v3"
)

// arrows says which packages of ours each package may import. A package that is not listed fails the test, and so does an arrow.
var arrows = map[string][]string{
	"authorizer":    {"cuts", "version", "config", "token", "cookie", "policy", "apigw", "identity", "jwks", "reason", "jsonwrite", "intent", "metric", "clock"},
	"callback":      {"cuts", "version", "config", "cognito", "device", "token", "cookie", "login", "page", "apigw", "jwks", "reason"},
	"app/dashboard": {"version", "identity", "apigw", "app/dashboard/figures", "app/dashboard/plot"},
	"app/api":       {"version", "identity", "apigw"},

	"app/dashboard/figures": {}, // asks CloudWatch
	"app/dashboard/plot":    {},

	"jwks":     {"clock", "jsonread", "base64url", "reason", "endpoint"},
	"cuts":     {"awsjson", "clock", "jsonread", "jsonwrite", "reason", "endpoint"},
	"identity": {"jsonwrite", "intent", "word"},

	"examples/your-app/orders": {"identity"},

	"internal/device":    {"jsonread", "base64url", "reason"},
	"internal/login":     {"cuts", "device", "page", "metric", "identity", "cookie", "jar", "policy", "token", "reason", "intent"},
	"internal/page":      {"cookie", "reason"},
	"internal/jar":       {"cookie", "reason"},
	"internal/intent":    {},
	"internal/token":     {"identity", "jwks", "jsonread", "base64url", "word", "reason"},
	"internal/jsonread":  {},
	"internal/base64url": {},
	"internal/word":      {},
	"internal/clock":     {},
	"internal/metric":    {},
	"internal/cognito":   {"awsjson", "clock", "config", "endpoint", "reason"},
	"internal/awsjson":   {"endpoint"},
	"internal/cookie":    {"reason"},
	"internal/policy":    {"reason", "word"},
	"internal/apigw":     {"jsonread", "jsonwrite", "reason"},
	"internal/jsonwrite": {},
	"internal/config":    {},
	"internal/endpoint":  {},
	"internal/reason":    {},
	"internal/explain":   {"apigw", "config", "cookie", "intent", "policy", "reason", "token", "jwks"},
	"internal/version":   {},
	"internal/cutoff":    {"cuts", "stack"},

	"internal/token/tokentest":   {"token", "jwks"},
	"internal/intent/intenttest": {},

	"cuts/cutstest":      {"cuts"},
	"internal/yardstick": {"cookie", "token/tokentest"},
	"internal/mutants":   {},
	"internal/stack":     {},
	"internal/doctor":    {"stack", "config", "policy", "cookie", "identity"},
	"internal/release":   {},
	"internal/rename":    {},

	// The tool calls what runs and what tries a system, and neither knows the other.
	"cmd/edgeauth": {"cutoff", "cuts", "doctor", "stack", "version", "local", "smoke", "local/runtime", "local/sam", "explain", "apigw", "config", "policy", "reason"},
	"smoke":        {}, // tries a running system from outside

	// The stand-ins share nothing with what they test: a gateway that used our policy matcher would share its bugs.
	"local":            {"local/sam", "local/gateway", "local/runtime", "local/cognito", "local/cloudwatch", "local/dynamodb"},
	"local/sam":        {},
	"local/gateway":    {"local/sam", "local/runtime"},
	"local/runtime":    {},
	"local/cognito":    {},
	"local/cloudwatch": {},
	"local/dynamodb":   {},
}

// sdkOnlyIn names the packages that may link the AWS SDK: the tool's, and the dashboard's. The cold start of what every sign-in waits for must not pay for it.
var sdkOnlyIn = []string{"internal/stack", "internal/cutoff", "internal/doctor", "app/dashboard/figures"}

// modulePath is the module's name, which `make module` changes, and a slash.
var modulePath = sync.OnceValue(func() string {
	out, err := exec.Command("go", "list", "-m").Output()
	if err != nil {
		panic(err)
	}
	return strings.TrimSpace(string(out)) + "/"
})

type goPackage struct {
	ImportPath, Dir string
	GoFiles         []string
	Imports         []string
}

func packages(t *testing.T) []goPackage {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Dir,GoFiles,Imports", "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []goPackage
	for d := json.NewDecoder(strings.NewReader(string(out))); d.More(); {
		var p goPackage
		if err := d.Decode(&p); err != nil {
			t.Fatal(err)
		}
		if len(p.GoFiles) > 0 {
			all = append(all, p)
		}
	}
	return all
}

func TestImportArrows(t *testing.T) {
	for _, p := range packages(t) {
		name := strings.TrimPrefix(p.ImportPath, modulePath())
		allowed, listed := arrows[name]
		if !listed {
			t.Errorf("package %s is not in the plan", name)
			continue
		}
		for _, imported := range p.Imports {
			if strings.HasPrefix(imported, "github.com/aws/aws-sdk-go-v2") && !slices.Contains(sdkOnlyIn, name) {
				t.Errorf("%s imports %s: only %v may", name, imported, sdkOnlyIn)
			}
			ours, found := strings.CutPrefix(imported, modulePath())
			if !found {
				continue
			}
			if !slices.Contains(allowed, ours) && !slices.Contains(allowed, strings.TrimPrefix(ours, "internal/")) {
				t.Errorf("%s imports %s, which is no arrow of the plan", name, ours)
			}
		}
	}
}

func TestOnePackageCommentEach(t *testing.T) {
	for _, p := range packages(t) {
		var commented []string
		for _, f := range p.GoFiles {
			parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, f), nil, parser.ParseComments|parser.PackageClauseOnly)
			if err != nil {
				t.Fatal(err)
			}
			if parsed.Doc != nil {
				commented = append(commented, f)
			}
		}
		if len(commented) != 1 {
			t.Errorf("%s has package comments in %v, want exactly one file", p.ImportPath, commented)
		}
	}
}

// TestSettingsAgree holds the three lists of settings against each other: what the code reads, what the README explains, what the template sets.
func TestSettingsAgree(t *testing.T) {
	explained := settingsIn(t, "README.md")
	if read := union(config.Settings); !slices.Equal(read, explained) {
		t.Errorf("config reads %v\nREADME explains %v", read, explained)
	}
	for lambda, of := range map[string]struct{ template, function string }{
		"authorizer": {"edgeauth.yaml", "AuthorizerFunction"}, "callback": {"template.yaml", "CallbackFunction"},
	} {
		want := slices.Sorted(slices.Values(config.Settings[lambda]))
		if set := variables(t, of.template, of.function); !slices.Equal(set, want) {
			t.Errorf("%s reads %v\n%s sets %v", lambda, want, of.template, set)
		}
	}
	for _, function := range []string{"DashboardFunction", "ApiFunction"} {
		if set := variables(t, "template.yaml", function); len(set) > 0 {
			t.Errorf("template.yaml sets %v for %s, which reads none", set, function)
		}
	}
}

func union(lists map[string][]string) []string {
	set := map[string]bool{}
	for _, list := range lists {
		for _, name := range list {
			set[name] = true
		}
	}
	return slices.Sorted(maps.Keys(set))
}

// settingsIn returns the variables that stand first in a row of a table in a Markdown file.
func settingsIn(t *testing.T, file string) []string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	set := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| `(AUTH_[A-Z_]+)`").FindAllStringSubmatch(string(text), -1) {
		set[m[1]] = true
	}
	return slices.Sorted(maps.Keys(set))
}

// variables returns the AUTH_ variables that a template gives a function.
func variables(t *testing.T, file, function string) []string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var template struct {
		Resources map[string]struct {
			Properties struct {
				Environment struct {
					Variables map[string]yaml.Node `yaml:"Variables"`
				} `yaml:"Environment"`
			} `yaml:"Properties"`
		} `yaml:"Resources"`
	}
	if err := yaml.Unmarshal(text, &template); err != nil {
		t.Fatal(err)
	}
	var names []string
	for name := range template.Resources[function].Properties.Environment.Variables {
		if strings.HasPrefix(name, "AUTH_") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// TestYourApplicationTakesInWhatTheReadmeSays holds the example to the README's section about adopting: the same lines in the same order, two more that
// name the pool, and no more than fifty.
func TestYourApplicationTakesInWhatTheReadmeSays(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(readme), "\n## Add it to your application\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var want []string
	for i, part := range strings.Split(section, "```") {
		if text, ok := strings.CutPrefix(part, "yaml\n"); ok && i%2 == 1 {
			want = append(want, strings.Split(strings.TrimRight(text, "\n"), "\n")...)
		}
	}
	template, err := os.ReadFile("examples/your-app/template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	between := false
	for line := range strings.Lines(string(template)) {
		line = strings.TrimRight(line, "\n")
		switch mark := strings.TrimSpace(line); {
		case strings.HasPrefix(mark, "# ---- begin"):
			between = true
		case mark == "# ---- end":
			between = false
		case between:
			got = append(got, line)
		}
	}
	if len(want) < 30 || len(got) > 50 {
		t.Errorf("README has %d lines, the example %d", len(want), len(got))
	}
	pool := []string{"        ExistingUserPoolId: !Ref UserPoolId", "        ExistingLoginUrl: !Ref LoginUrl"}
	got = slices.DeleteFunc(got, func(line string) bool { return slices.Contains(pool, line) })
	if !slices.Equal(got, want) {
		t.Errorf("README says\n%s\nexamples/your-app has\n%s", strings.Join(want, "\n"), strings.Join(got, "\n"))
	}
}

// TestEveryWayIsTested looks up each test that docs/ways.md names.
func TestEveryWayIsTested(t *testing.T) {
	page, err := os.ReadFile("docs/ways.md")
	if err != nil {
		t.Fatal(err)
	}
	where := map[string]struct{ files, begins string }{
		"e2e": {"e2e/*_test.go", "func %s("}, "local": {"local/*/*_test.go", "func %s("}, "template": {"template/*.py", "def %s("},
		"cdk": {"cdk/test/*.test.ts", "test('%s"}, "rehearsal": {"template/rehearse.py", `tell("$ %s`}, "release": {".ci/release", "behind '%s"},
	}
	texts := map[string]string{}
	for kind, w := range where {
		files, err := filepath.Glob(w.files)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: no files, %v", w.files, err)
		}
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			texts[kind] += string(text)
		}
	}
	ways := 0
	for line := range strings.Lines(string(page)) {
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| feature") {
			continue
		}
		cells := strings.Split(strings.Trim(line, "|\n "), " | ")
		if len(cells) != 5 {
			t.Fatalf("not five cells: %s", line)
		}
		for _, cell := range cells[1:] {
			named := regexp.MustCompile("`(\\w+):([^`]+)`").FindAllStringSubmatch(cell, -1)
			if len(named) == 0 && cell != "—" {
				t.Errorf("%s: %q names no test", cells[0], cell)
			}
			for _, n := range named {
				if w, ok := where[n[1]]; !ok || !strings.Contains(texts[n[1]], strings.Replace(w.begins, "%s", n[2], 1)) {
					t.Errorf("%s: there is no %s:%s", cells[0], n[1], n[2])
				}
				ways++
			}
		}
	}
	if ways < 40 {
		t.Errorf("%d tests named", ways)
	}
}

// TestEveryReasonIsUsed keeps the closed list closed: a code that no package gives is a promise nobody keeps.
func TestEveryReasonIsUsed(t *testing.T) {
	list, err := os.ReadFile("internal/reason/reason.go")
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	mention := regexp.MustCompile(`reason\.([A-Z]\w+)`)
	for _, p := range packages(t) {
		for _, f := range p.GoFiles {
			text, err := os.ReadFile(filepath.Join(p.Dir, f))
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range mention.FindAllStringSubmatch(string(text), -1) {
				used[m[1]] = true
			}
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^\t(\w+)\s+Code = "`).FindAllStringSubmatch(string(list), -1) {
		if !used[m[1]] {
			t.Errorf("reason.%s is given by nobody", m[1])
		}
	}
}

// TestClaimsHaveTheirTests holds docs/security.md to its word: every test that it names is there.
func TestClaimsHaveTheirTests(t *testing.T) {
	text, err := os.ReadFile("docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("`(?:([a-z0-9/]+)\\.)?((?:Test|Fuzz)\\w+|[a-z0-9]+(?:_[a-z0-9]+)+)`").FindAllStringSubmatch(string(text), -1)
	if len(named) < 60 {
		t.Fatalf("%d tests are named", len(named))
	}
	for _, m := range named {
		wantTest(t, m[1], m[2])
	}
}

// wantTest wants a test to be in a folder: a check, in template.
func wantTest(t *testing.T, folder, name string) {
	t.Helper()
	pattern, definition := "*_test.go", "func "+name+"("
	if folder == "template" {
		pattern, definition = "*.py", "def "+name+"("
	}
	files, err := filepath.Glob(filepath.Join(folder, pattern))
	if err != nil {
		t.Fatal(err)
	}
	found := slices.ContainsFunc(files, func(f string) bool {
		text, err := os.ReadFile(f)
		return err == nil && strings.Contains(string(text), definition)
	})
	if !found {
		t.Errorf("%s has no %s", filepath.Join(".", folder), name)
	}
}

// TestSessionsAreMeasured holds the table of docs/sessions.md to its word: every cell about a protection says which test has measured it, and every test that
// the page names is there.
func TestSessionsAreMeasured(t *testing.T) {
	text, err := os.ReadFile("docs/sessions.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "## Who has copied what")
	table, _, _ = strings.Cut(table, "\n## ")
	tests := map[string]bool{} // by letter
	for _, m := range regexp.MustCompile("(?m)^- (\\[[a-z]\\]) `").FindAllStringSubmatch(table, -1) {
		tests[m[1]] = true
	}
	named := regexp.MustCompile("`([a-z0-9/]+)\\.(Test\\w+)").FindAllStringSubmatch(table, -1)
	for _, m := range named {
		wantTest(t, m[1], m[2])
	}
	rows := regexp.MustCompile(`(?m)^\| [^|]+ \| (?:stays signed in|has signed out) \|(.*)\|$`).FindAllStringSubmatch(table, -1)
	if len(rows) != 8 || len(named) < 8 {
		t.Errorf("%d rows, %d tests", len(rows), len(named))
	}
	for _, row := range rows {
		cells := strings.Split(row[1], "|")
		if len(cells) != 4 {
			t.Errorf("%d protections: %s", len(cells), row[1])
		}
		for _, cell := range cells {
			letters := regexp.MustCompile(`\[[a-z]\]`).FindAllString(cell, -1)
			if len(letters) == 0 || slices.ContainsFunc(letters, func(l string) bool { return !tests[l] }) {
				t.Errorf("nobody has measured %q", cell)
			}
		}
	}
}

// TestTheMapIsTrue holds CONTRIBUTING.md and the configuration of updates to the tree: every file and folder that they name is there.
func TestTheMapIsTrue(t *testing.T) {
	text, err := os.ReadFile("CONTRIBUTING.md")
	if err != nil {
		t.Fatal(err)
	}
	top := map[string]bool{}
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		top[e.Name()] = true
	}
	named := 0
	for _, m := range regexp.MustCompile("`([^` ]+)`").FindAllStringSubmatch(string(text), -1) {
		first, _, nested := strings.Cut(m[1], "/")
		if first == "" || !nested && !strings.Contains(m[1], ".") {
			continue // a route or a word
		}
		named++
		if found, err := filepath.Glob(m[1]); !top[first] || err != nil || len(found) == 0 {
			t.Errorf("CONTRIBUTING.md names %s, which is not there", m[1])
		}
	}
	if named < 50 {
		t.Errorf("CONTRIBUTING.md names %d files", named)
	}

	updates, err := os.ReadFile(".github/dependabot.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?m)^    directories: \[(.*)\]$`).FindAllStringSubmatch(string(updates), -1) {
		for folder := range strings.SplitSeq(m[1], ", ") {
			if found, _ := filepath.Glob(filepath.Join(".", folder, "*")); !slices.ContainsFunc(found, declares) {
				t.Errorf("dependabot looks into %s, which declares no dependencies", folder)
			}
		}
	}
}

// declares reports whether a file pins dependencies.
func declares(file string) bool {
	name := filepath.Base(file)
	return name == "go.mod" || name == "package.json" || name == "pyproject.toml" || strings.HasPrefix(name, "requirements")
}

// TestLinksLeadIntoTheTree keeps an archive of the repository whole: what examples share with the kits by a link, packagers copy, so it has to be there.
func TestLinksLeadIntoTheTree(t *testing.T) {
	links := 0
	err := filepath.WalkDir("examples", func(path string, d os.DirEntry, err error) error {
		if err != nil || d.Type()&os.ModeSymlink == 0 {
			return err
		}
		links++
		to, err := os.Readlink(path)
		if err != nil {
			return err
		}
		target := filepath.Join(filepath.Dir(path), to)
		if _, err := os.Stat(target); err != nil || filepath.IsAbs(to) || !strings.HasPrefix(target, "identity/") {
			t.Errorf("%s leads to %s, %v", path, to, err)
		}
		return nil
	})
	if err != nil || links == 0 {
		t.Errorf("%d links, %v", links, err)
	}
}
