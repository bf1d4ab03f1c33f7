// Command bench measures the authorizer, and what one could use in its place, side by side in one run, and prints a table: every line that has a
// target beside that target. docs/performance.md says how it measures and what came of it.
//
// It is a module of its own, so that what is compared with never reaches the product's go.mod. Run it with `make bench`; what a machine lacks (npm,
// Linux, leave to set a CPU quota) costs the lines that need it, not the others.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"edgeauth/internal/yardstick"
)

func main() {
	pairs := flag.Int("pairs", 80, "pairs of slots for each ratio")
	cold := flag.Int("cold", 30, "cold starts of each process")
	rounds := flag.Int("rounds", 80, "rounds of 25 warm invocations of each process")
	only := flag.String("only", "", "parts to measure, of: tokens handlers cuts processes callback journeys; empty: all")
	flag.Parse()
	if err := run(*pairs, *cold, *rounds, strings.Fields(*only)); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(pairs, coldStarts, rounds int, only []string) error {
	started := time.Now()
	dir, err := filepath.Abs("../build/bench")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	t := newTraffic()
	tab := &table{}

	say("building")
	node := prepareNode(dir, t)
	programs, err := build(dir)
	if err != nil {
		return err
	}
	defer node.close()

	for _, part := range []struct {
		name    string
		measure func() error
	}{
		{"tokens", func() error { return measureTokens(tab, t, pairs, node) }},
		{"handlers", func() error { return measureHandlers(tab, t, pairs, node) }},
		{"cuts", func() error { return measureCuts(tab, dir, programs, t, pairs, coldStarts) }},
		{"processes", func() error { return measureProcesses(tab, dir, programs, node, t, coldStarts, rounds) }},
		{"callback", func() error { return measureCallback(tab, dir, programs, node, t, coldStarts) }},
		{"journeys", func() error { return measureJourneys(tab, dir) }},
	} {
		if len(only) > 0 && !slices.Contains(only, part.name) {
			continue
		}
		say(part.name)
		if err := part.measure(); err != nil {
			tab.note(part.name + ": " + err.Error())
		}
	}
	tab.note(node.missing)

	fmt.Printf("\n%s, %d cores, %s; %s\n\n", runtime.Version(), runtime.NumCPU(), processor(), node.versions)
	tab.print(os.Stdout)
	fmt.Printf("\nTook %d s.\n", int(time.Since(started).Seconds()))
	return nil
}

func measureTokens(tab *table, t *traffic, pairs int, node *node) error {
	verified, err := compareVerifiers(t, pairs, node)
	if err != nil {
		return err
	}
	tab.verifiers(verified)
	return nil
}

func measureHandlers(tab *table, t *traffic, pairs int, node *node) error {
	decided, err := handlerBenchmarks(pairs)
	if err != nil {
		return err
	}
	others, err := compareHandlers(t, pairs, node)
	if err != nil {
		return err
	}
	tab.decisions(t, decided, others)
	return nil
}

// traffic is what everything is measured with.
type traffic struct {
	pool   *pool
	tokens map[string][]string // by size, all different
	events map[string][][]byte // one for each token
}

const different = 16 // tokens of each size

func newTraffic() *traffic {
	t := &traffic{pool: yardstick.NewPool(), tokens: map[string][]string{}, events: map[string][][]byte{}}
	for _, size := range []yardstick.Size{yardstick.Small, yardstick.Large} {
		t.tokens[size.Name] = yardstick.Tokens(t.pool, size, different)
		for _, token := range t.tokens[size.Name] {
			t.events[size.Name] = append(t.events[size.Name], yardstick.Event(yardstick.Session(token)))
		}
	}
	return t
}

// say tells whoever waits what is under way.
func say(what string) { fmt.Fprintln(os.Stderr, "bench:", what) }

// do runs a command in a folder and returns its error together with what it wrote.
func do(dir, name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s %v: %w\n%s", name, args, err, out)
	}
	return string(out), nil
}
