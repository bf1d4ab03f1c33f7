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
// Arguments name the lists to try, without .txt; none means all.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// mutant is one rule and the edit that deletes it.
type mutant struct {
	list, rule, file, test string
	old, new               []string
}

func main() {
	only := flag.String("only", "", "try only mutants whose rule contains this")
	workers := flag.Int("workers", 2, "mutants tried at a time")
	flag.Parse()
	mutants, err := load("internal/mutants", flag.Args(), *only)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	killed, failed := tryAll(mutants, *workers)
	fmt.Printf("%d passed, %d failed\n", killed, failed)
	if failed > 0 || killed == 0 {
		os.Exit(1)
	}
}

// tryAll tries every mutant and prints a line for each that is not caught.
func tryAll(mutants []mutant, workers int) (killed, failed int) {
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

// try returns "" when a test noticed the mutant, and otherwise what is wrong.
func (m mutant) try() string {
	source, err := os.ReadFile(m.file)
	if err != nil {
		return err.Error()
	}
	old := strings.Join(m.old, "\n")
	if n := strings.Count(string(source), old); n != 1 {
		return fmt.Sprintf("no longer applies: the text occurs %d times in %s", n, m.file)
	}
	dir, err := os.MkdirTemp("", "mutant")
	if err != nil {
		return err.Error()
	}
	defer os.RemoveAll(dir)
	changed := filepath.Join(dir, "mutant.go")
	overlay := filepath.Join(dir, "overlay.json")
	mutated := strings.Replace(string(source), old, strings.Join(m.new, "\n"), 1)
	absolute, _ := filepath.Abs(m.file)
	config, _ := json.Marshal(map[string]map[string]string{"Replace": {absolute: changed}})
	if err := os.WriteFile(changed, []byte(mutated), 0o600); err != nil {
		return err.Error()
	}
	if err := os.WriteFile(overlay, config, 0o600); err != nil {
		return err.Error()
	}
	args := append([]string{"test", "-overlay", overlay, "-vet=off", "-failfast", "-timeout", "120s"}, strings.Fields(m.test)...)
	cmd := exec.Command("go", args...)
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
