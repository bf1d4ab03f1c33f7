// This file holds the targets, and prints what was measured beside them.

package main

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"edgeauth/internal/yardstick"
)

// table is a list of lines in Markdown.
type table struct {
	lines []line
	notes []string
}

type line struct{ what, measured, spread, target, verdict string }

// unit says how a value is written.
type unit string

const (
	timesRSA unit = "%.2f × RSA"
	smallRSA unit = "%.3f × RSA"
	times    unit = "%.2f ×"
	precise  unit = "%.3f ×"
	count    unit = "%.0f"
	bytes    unit = "%.0f B"
	megabyte unit = "%.2f MB"
	millis   unit = "%.2f ms"
	money    unit = "$ %.2f"
	percent  unit = "%.2f %%"
)

func (u unit) of(v float64) string { return fmt.Sprintf(string(u), v) }

// section begins a group of lines.
func (t *table) section(name string) { t.lines = append(t.lines, line{what: "**" + name + "**"}) }

// show adds a line without a target.
func (t *table) show(what string, u unit, measured float64, spread string) {
	t.lines = append(t.lines, line{what: what, measured: u.of(measured), spread: spread})
}

// hold adds a line that is to be at most target.
func (t *table) hold(what string, u unit, measured, target float64, spread string) {
	verdict := "ok"
	if measured > target {
		verdict = "**missed**"
	}
	t.lines = append(t.lines, line{what, u.of(measured), spread, "≤ " + u.of(target), verdict})
}

// note adds a remark below the table.
func (t *table) note(text string) {
	if text != "" {
		t.notes = append(t.notes, text)
	}
}

func (t *table) print(w io.Writer) {
	all := append([]line{{"", "measured", "quartiles", "target", ""}}, t.lines...)
	var width [5]int
	for _, l := range all {
		for i, cell := range l.cells() {
			width[i] = max(width[i], utf8.RuneCountInString(cell))
		}
	}
	for n, l := range all {
		for i, cell := range l.cells() {
			fmt.Fprint(w, "| ", cell, strings.Repeat(" ", width[i]-utf8.RuneCountInString(cell)+1))
		}
		fmt.Fprintln(w, "|")
		if n == 0 {
			for i := range width {
				fmt.Fprint(w, "|", strings.Repeat("-", width[i]+2))
			}
			fmt.Fprintln(w, "|")
		}
	}
	for _, n := range t.notes {
		fmt.Fprintf(w, "\nNot measured: %s\n", n)
	}
}

func (l line) cells() [5]string { return [5]string{l.what, l.measured, l.spread, l.target, l.verdict} }

// quartiles writes the middle half of values.
func quartiles(u unit, values []float64) string {
	number, _, _ := strings.Cut(string(u), " ")
	return fmt.Sprintf(number+" … "+number, yardstick.Quantile(values, 0.25), yardstick.Quantile(values, 0.75))
}

func resultQuartiles(r yardstick.Result) string {
	return fmt.Sprintf("%.2f … %.2f", r.Lower, r.Upper)
}

var targets = map[string]float64{
	"verify 1k": 1.20, "verify 4k": 1.70,
	"handler 1k": 1.22, "handler 4k": 1.7,
}

func (t *table) verifiers(results map[string][]yardstick.Result) {
	for _, size := range []yardstick.Size{yardstick.Small, yardstick.Large} {
		t.section(fmt.Sprintf("Check a token of %d bytes with %d groups (raw rsa.VerifyPKCS1v15 and SHA-256 = 1)", size.Bytes, size.Groups))
		for i, r := range results[size.Name] {
			if i == 0 {
				t.hold(r.Name, timesRSA, r.Ratio, targets["verify "+size.Name], resultQuartiles(r))
				t.show("allocations; bytes", unit(fmt.Sprintf("%%.0f; %.0f B", r.Bytes)), r.Allocs, "")
				continue
			}
			t.show(r.Name, timesRSA, r.Ratio, resultQuartiles(r))
		}
	}
}

// decisions shows whole handlers.
func (t *table) decisions(traffic *traffic, ours map[string]yardstick.Result, others map[string][]yardstick.Result) {
	t.section("Decide: the whole handler, from the event's bytes to the answer's")
	for _, size := range []yardstick.Size{yardstick.Small, yardstick.Large} {
		r := ours["allow_"+size.Name]
		t.hold(fmt.Sprintf("edgeauth, REST event of %d bytes", len(traffic.events[size.Name][0])), timesRSA, r.Ratio, targets["handler "+size.Name], resultQuartiles(r))
		if size == yardstick.Small {
			t.hold("its allocations", count, r.Allocs, 30, "")
			t.hold("its allocated bytes", bytes, r.Bytes, 4096, "")
		}
		for _, o := range others[size.Name] {
			t.show(o.Name, timesRSA, o.Ratio, resultQuartiles(o))
			if o.Name == awsJWTVerify {
				t.hold("edgeauth / Node", times, r.Ratio/o.Ratio, 0.65, "")
			}
		}
	}
	for _, name := range cheapRefusals {
		r := ours[key(name)]
		t.hold(name, smallRSA, r.Ratio, 0.20, resultQuartiles(r))
	}
	for _, name := range otherRefusals {
		r := ours[key(name)]
		t.show(name, smallRSA, r.Ratio, resultQuartiles(r))
	}
}

func (t *table) coldStarts(all map[string]*series) {
	t.section("Cold start of the real binary: from spawn to the first answer (no-op on aws-lambda-go = 1)")
	base := all[noop]
	t.show(noop, millis, median(base.wall), quartiles(millis, base.wall))
	for _, one := range []struct {
		name   string
		target float64
	}{{snapshot, 1.15}, {overHTTP, 0}, {pinned, 2.5}, {fallback, 0}} {
		ratios := over(all[one.name].wall, base.wall)
		what := fmt.Sprintf("%s (%.1f ms, %.1f ms CPU)", one.name, median(all[one.name].wall), median(all[one.name].cpu))
		if one.target > 0 {
			t.hold(what, times, median(ratios), one.target, quartiles(times, ratios))
		} else {
			t.show(what, times, median(ratios), quartiles(times, ratios))
		}
	}
	if n := all[underNode]; n != nil {
		t.show(fmt.Sprintf("%s (%.1f ms, %.1f ms CPU)", underNode, median(n.wall), median(n.cpu)), times, median(over(n.wall, base.wall)), quartiles(times, over(n.wall, base.wall)))
		ratios := over(all[snapshot].wall, n.wall)
		t.hold("edgeauth, snapshot / Node", precise, median(ratios), 0.10, quartiles(precise, ratios))
	}
	t.hold("memory after the first answer", megabyte, median(all[snapshot].memory), 8, "")
}

func (t *table) size(p programs) {
	t.hold(fmt.Sprintf("binary, stripped (no-op: %.2f MB)", float64(p.noopSize)/1e6), megabyte, float64(p.size)/1e6, 6.6, "")
}

func (t *table) warm(all map[string]*warmed) {
	t.section("Warm, over the Runtime API, one event at a time: CPU of the process for an invocation")
	for _, name := range []string{noop, noopFree, floor, snapshot, snapshotFree, underNode} {
		if w := all[name]; w != nil {
			t.show(fmt.Sprintf("%s (answer after %.2f ms; 4k: %.2f ms CPU)", name, median(w.small.wall), median(w.large.cpu)), millis, median(w.small.cpu), quartiles(millis, w.small.cpu))
		}
	}
	same := over(all[snapshot].small.cpu, all[noop].small.cpu)
	t.hold("edgeauth / no-op, both P=1", times, median(same), 1.35, quartiles(times, same))
	least := over(all[floor].small.cpu, all[noop].small.cpu)
	t.show("the least there can be: no-op and one raw RSA check / no-op", times, median(least), quartiles(times, least))
	single := over(all[snapshot].small.cpu, all[snapshotFree].small.cpu)
	t.show("edgeauth, P=1 / edgeauth without", times, median(single), quartiles(times, single))
	if n := all[underNode]; n != nil {
		for _, size := range []struct {
			name string
			a, b []float64
		}{{"1k", all[snapshot].small.cpu, n.small.cpu}, {"4k", all[snapshot].large.cpu, n.large.cpu}} {
			ratios := over(size.a, size.b)
			t.hold("edgeauth, P=1 / Node, "+size.name, times, median(ratios), 0.6, quartiles(times, ratios))
		}
		t.show("memory of Node after 10,000 invocations", megabyte, n.memory, "")
	}
	t.hold("memory after 10,000 invocations", megabyte, all[snapshot].memory, 13, "")
}

func (t *table) throttled(all map[string]*series) {
	t.section("On the processor share of 128 MB (1.447 ms of every 20), an event every 25 ms")
	for _, name := range []string{noop, underNode} {
		if s := all[name]; s != nil {
			t.show(fmt.Sprintf("%s: answer (CPU %.2f ms)", name, median(s.cpu)), millis, median(s.wall), quartiles(millis, s.wall))
		}
	}
	s := all[snapshot]
	t.hold("edgeauth: answer", millis, median(s.wall), 1.0, quartiles(millis, s.wall))
	t.hold("edgeauth: CPU", millis, median(s.cpu), 1.0, quartiles(millis, s.cpu))
}
