// Command mutants deletes one rule at a time and wants a test to notice.
//
// Each file *.txt beside it lists mutants of one package:
//
//	# the rule, in words
//	file: internal/token/token.go
//	- text that occurs exactly once in the file
//	+ what stands there instead
//
// An optional line "test: ./pkg/..." names the packages whose tests must turn red; the file's own package when absent. A mutant that survives, that
// no longer applies or that does not compile fails the run. The work tree is never touched: the go command reads the changed file from an overlay.
//
// Arguments name the lists to try, without .txt; none means all. With -gate it tries what a push must pass: the packages that changed since -since,
// and the lists of what decides.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// mutant is one rule and the edit that deletes it.
type mutant struct {
	list, rule, file, test string
	old, new               []string
}

// decisive are the lists of the packages that decide who gets in.
var decisive = []string{"token", "jwks", "jsonread", "base64url", "intent", "cookie", "policy", "identity"}

func main() {
	only := flag.String("only", "", "try only mutants whose rule contains this")
	workers := flag.Int("workers", 2, "mutants tried at a time")
	gate := flag.Bool("gate", false, "try the packages that changed, and the lists of what decides")
	since := flag.String("since", "", "with -gate: the commit to compare with; empty: nothing is known to have changed")
	limit := flag.Duration("limit", 0, "begin no further mutant after this long, and say how many are left; 0: try all")
	flag.Parse()
	mutants, err := load("internal/mutants", flag.Args(), *only)
	if err == nil && *gate {
		mutants, err = gated(mutants, *since)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	var until time.Time
	if *limit > 0 {
		until = time.Now().Add(*limit)
	}
	killed, failed := tryAll(mutants, *workers, until)
	fmt.Printf("%d passed, %d failed", killed, failed)
	if left := len(mutants) - killed - failed; left > 0 {
		fmt.Printf(", %d not tried within %s", left, *limit)
	}
	fmt.Println()
	if failed > 0 || killed == 0 {
		os.Exit(1)
	}
}

// gated is what a push must pass: first the mutants of packages that it touches, then those of what decides.
func gated(all []mutant, since string) ([]mutant, error) {
	touched := map[string]bool{}
	if since != "" {
		out, err := exec.Command("git", "diff", "--name-only", since, "--").Output()
		if err != nil {
			return nil, fmt.Errorf("mutants: git finds no difference from %s: %w", since, err)
		}
		for file := range strings.Lines(string(out)) {
			file = strings.TrimSpace(file)
			touched[filepath.Dir(file)] = true
			if list, ok := strings.CutPrefix(file, "internal/mutants/"); ok {
				touched[strings.TrimSuffix(list, ".txt")] = true
			}
		}
	}
	var first, second []mutant
	for _, m := range all {
		switch {
		case touched[filepath.Dir(m.file)] || touched[m.list]:
			first = append(first, m)
		case slices.Contains(decisive, m.list):
			second = append(second, m)
		}
	}
	return append(first, second...), nil
}

// tryAll tries every mutant, in order, and prints a line for each that is not caught. It begins none after until, unless that is zero.
func tryAll(mutants []mutant, workers int, until time.Time) (killed, failed int) {
	var (
		queue = make(chan mutant)
		mu    sync.Mutex // guards killed, failed and the output
		wg    sync.WaitGroup
	)
	for range workers {
		wg.Go(func() {
			for m := range queue {
				verdict := m.try()
				mu.Lock()
				if verdict == "" {
					killed++
				} else {
					failed++
					fmt.Printf("%s: %s: %s\n", m.list, m.rule, verdict)
				}
				mu.Unlock()
			}
		})
	}
	for _, m := range mutants {
		if !until.IsZero() && time.Now().After(until) {
			break
		}
		queue <- m
	}
	close(queue)
	wg.Wait()
	return killed, failed
}

// load reads the named lists in dir, or all; a list without a mutant is an error, since it would pass for the wrong reason.
func load(dir string, names []string, only string) ([]mutant, error) {
	if len(names) == 0 {
		names = []string{"*"}
	}
	var lists []string
	for _, name := range names {
		found, _ := filepath.Glob(filepath.Join(dir, name+".txt"))
		if len(found) == 0 {
			return nil, fmt.Errorf("mutants: no list %s in %s", name, dir)
		}
		lists = append(lists, found...)
	}
	var all []mutant
	for _, list := range lists {
		text, err := os.ReadFile(list)
		if err != nil {
			return nil, err
		}
		name := strings.TrimSuffix(filepath.Base(list), ".txt")
		n := 0
		for _, block := range strings.Split(string(text), "\n\n") {
			if strings.TrimSpace(block) == "" {
				continue
			}
			m, err := parse(name, block)
			if err != nil {
				return nil, err
			}
			n++
			if strings.Contains(m.rule, only) {
				all = append(all, m)
			}
		}
		if n == 0 {
			return nil, fmt.Errorf("mutants: %s lists nothing", list)
		}
	}
	return all, nil
}

func parse(list, block string) (mutant, error) {
	m := mutant{list: list}
	for _, line := range strings.Split(strings.Trim(block, "\n"), "\n") {
		switch {
		case strings.HasPrefix(line, "# "):
			m.rule = strings.TrimSpace(m.rule + " " + line[2:])
		case strings.HasPrefix(line, "file: "):
			m.file = line[6:]
		case strings.HasPrefix(line, "test: "):
			m.test = line[6:]
		case line == "-" || strings.HasPrefix(line, "- "):
			m.old = append(m.old, strings.TrimPrefix(line[1:], " "))
		case line == "+" || strings.HasPrefix(line, "+ "):
			m.new = append(m.new, strings.TrimPrefix(line[1:], " "))
		default:
			return m, fmt.Errorf("mutants: %s: %q is none of #, file:, test:, -, +", list, line)
		}
	}
	if m.rule == "" || m.file == "" || len(m.old) == 0 {
		return m, fmt.Errorf("mutants: %s: a block lacks its rule, file or text: %q", list, block)
	}
	if m.test == "" {
		m.test = "./" + filepath.Dir(m.file)
	}
	return m, nil
}

// apply returns the source with the rule deleted.
func (m mutant) apply(source string) (string, error) {
	old, replacement := strings.Join(m.old, "\n"), strings.Join(m.new, "\n")
	if n := strings.Count(source, old); n != 1 {
		return "", fmt.Errorf("no longer applies: the text occurs %d times in %s", n, m.file)
	}
	if old == replacement {
		return "", fmt.Errorf("changes nothing in %s", m.file)
	}
	return strings.Replace(source, old, replacement, 1), nil
}

// try returns "" when a test noticed the mutant, and otherwise what is wrong.
func (m mutant) try() string {
	source, err := os.ReadFile(m.file)
	if err != nil {
		return err.Error()
	}
	mutated, err := m.apply(string(source))
	if err != nil {
		return err.Error()
	}
	dir, err := os.MkdirTemp("", "mutant")
	if err != nil {
		return err.Error()
	}
	defer os.RemoveAll(dir)
	changed := filepath.Join(dir, "mutant.go")
	overlay := filepath.Join(dir, "overlay.json")
	absolute, _ := filepath.Abs(m.file)
	config, _ := json.Marshal(map[string]map[string]string{"Replace": {absolute: changed}})
	if err := os.WriteFile(changed, []byte(mutated), 0o600); err != nil {
		return err.Error()
	}
	if err := os.WriteFile(overlay, config, 0o600); err != nil {
		return err.Error()
	}
	args := append([]string{"test", "-vet=off", "-failfast", "-timeout", "120s"}, strings.Fields(m.test)...)
	cmd := exec.Command("go", args...)
	cmd.Env = append(os.Environ(), "GOFLAGS="+strings.TrimSpace(os.Getenv("GOFLAGS")+" -overlay="+overlay)) // in the binaries, too, that a test builds
	cmd.WaitDelay = 10 * time.Second
	out, err := cmd.CombinedOutput()
	switch {
	case err == nil:
		return "survived: no test noticed"
	case bytes.Contains(out, []byte("[build failed]")) || bytes.Contains(out, []byte("[setup failed]")):
		return "does not compile:\n" + string(out)
	}
	return ""
}
