// This file holds the lists to the code: a mutant that no longer applies guards nothing.
package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

// TestEveryMutantApplies wants every listed text to occur exactly once in its file, and something else to stand there after.
func TestEveryMutantApplies(t *testing.T) {
	t.Chdir("../..")
	all, err := load("internal/mutants", nil, "")
	if err != nil {
		t.Fatal(err)
	}
	sources := map[string]string{}
	for _, m := range all {
		if _, read := sources[m.file]; !read {
			text, err := os.ReadFile(m.file)
			if err != nil {
				t.Errorf("%s: %s: %v", m.list, m.rule, err)
			}
			sources[m.file] = string(text)
		}
		if _, err := m.apply(sources[m.file]); err != nil {
			t.Errorf("%s: %s: %v", m.list, m.rule, err)
		}
	}
	t.Logf("%d mutants", len(all))
}

// TestGate wants what a push touches first, and what decides in any case.
func TestGate(t *testing.T) {
	t.Chdir("../..")
	if _, err := load("internal/mutants", decisive, ""); err != nil {
		t.Error(err)
	}
	all := []mutant{{list: "token", file: "internal/token/a.go"}, {list: "local", file: "local/sam/b.go"}, {list: "app", file: "app/api/c.go"}}
	got, err := gated(all, "")
	if err != nil || !slices.EqualFunc(got, all[:1], same) {
		t.Errorf("with nothing to compare with: %v %v", got, err)
	}
	if _, err := gated(all, "no-such-commit"); err == nil {
		t.Error("a commit that does not exist was compared with")
	}

	repository := t.TempDir()
	t.Chdir(repository)
	git := func(args ...string) {
		t.Helper()
		args = append([]string{"-c", "user.name=x", "-c", "user.email=x@example.com"}, args...)
		if out, err := exec.Command("git", args...).CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v %s", args, err, out)
		}
	}
	git("init", "-q")
	git("commit", "-q", "--allow-empty", "-m", "first")
	for _, file := range []string{"local/sam/other.go", "internal/mutants/app.txt"} {
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	git("add", ".")
	git("commit", "-q", "-m", "second")
	got, err = gated(all, "HEAD~1")
	if want := []mutant{all[1], all[2], all[0]}; err != nil || !slices.EqualFunc(got, want, same) {
		t.Errorf("got %v %v, want %v", got, err, want)
	}
}

func same(a, b mutant) bool { return a.list == b.list && a.file == b.file }
