// This file measures real binaries as Lambda would run them: cold, warm, small, and after ten thousand invocations.

package main

import (
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"edgeauth/internal/yardstick"
)

// The processes that are compared.
const (
	noop         = "no-op, P=1"
	noopFree     = "no-op"
	floor        = "no-op and one raw RSA check, P=1"
	snapshot     = "edgeauth, snapshot, P=1"
	snapshotFree = "edgeauth, snapshot"
	overHTTP     = "edgeauth, one fetch over HTTP, P=1"
	pinned       = "edgeauth, one fetch over HTTPS, P=1"
	fallback     = "edgeauth, HTTPS and the system's roots, P=1"
	underNode    = "Node"
)

const single = "GOMAXPROCS=1" // as template.yaml sets it

// fleet is everything that can be started.
type fleet struct {
	dir      string
	programs []program
	events   map[string][][]byte
}

func measureProcesses(tab *table, dir string, p programs, node *node, t *traffic, coldStarts, rounds int) error {
	plain := httptest.NewServer(t.pool)
	defer plain.Close()
	secure := httptest.NewUnstartedServer(t.pool)
	secure.Config.ErrorLog = log.New(io.Discard, "", 0) // an authorizer that falls back to the system's roots breaks off its first handshake
	secure.TLS = &tls.Config{Certificates: []tls.Certificate{p.chain}}
	secure.StartTLS()
	defer secure.Close()

	keys := "AUTH_JWKS=" + string(t.pool.JWKS())
	const allow = `"Effect":"Allow"`
	f := fleet{dir: dir, events: t.events, programs: []program{
		{noop, []string{p.noop}, []string{single}, ""},
		{noopFree, []string{p.noop}, nil, ""},
		{floor, []string{p.floor}, []string{single, "MODULUS=" + publicKey(t.pool).N.Text(16), "TOKEN=" + t.tokens[yardstick.Small.Name][0]}, ""},
		{snapshot, []string{p.authorizer}, settings(single, keys), allow},
		{snapshotFree, []string{p.authorizer}, settings(keys), allow},
		{overHTTP, []string{p.authorizer}, settings(single, "AUTH_JWKS_URL="+plain.URL), allow},
		{pinned, []string{p.pinned}, settings(single, "AUTH_JWKS_URL="+secure.URL), allow},
		{fallback, []string{p.authorizer}, settings(single, "AUTH_JWKS_URL="+secure.URL, "SSL_CERT_FILE="+p.roots), allow},
	}}
	if node.command != nil {
		p := program{underNode, node.command, node.env, allow}
		if err := f.coldStart(p, t.events[yardstick.Small.Name][0], &series{}); err != nil {
			tab.note(err.Error())
		} else {
			f.programs = append(f.programs, p)
		}
	}

	say("cold starts")
	cold, err := f.cold(coldStarts)
	if err != nil {
		return err
	}
	tab.coldStarts(cold)
	tab.size(p)

	say("warm invocations")
	warm, err := f.warm(rounds)
	if err != nil {
		return err
	}
	tab.warm(warm)
	tab.dollars(warm[snapshot], warm[underNode])

	say("an eighth of a processor")
	slow, err := f.throttled()
	if err != nil {
		tab.note("128 MB: " + err.Error())
		return nil
	}
	tab.throttled(slow)
	return nil
}

// named returns the programs with these names, those that there are.
func (f fleet) named(names ...string) []program {
	var some []program
	for _, p := range f.programs {
		if slices.Contains(names, p.name) {
			some = append(some, p)
		}
	}
	return some
}

// series holds what was measured of one process, a value for each start or round.
type series struct {
	wall, cpu, memory []float64 // milliseconds, milliseconds, MB
}

// median of one of the series.
func median(values []float64) float64 { return yardstick.Quantile(values, 0.5) }

// over returns the ratios of two series, pair by pair.
func over(a, b []float64) []float64 {
	ratios := make([]float64, min(len(a), len(b)))
	for i := range ratios {
		ratios[i] = a[i] / b[i]
	}
	return ratios
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// cold starts every program, one after the other, n times over: from spawn to the first answer.
func (f fleet) cold(n int) (map[string]*series, error) {
	return f.turns(f.named(noop, snapshot, overHTTP, pinned, fallback, underNode), n, func(i int) []byte { return f.events[yardstick.Small.Name][i%different] })
}

// turns starts programs one after the other, n times over, each with one event.
func (f fleet) turns(programs []program, n int, event func(i int) []byte) (map[string]*series, error) {
	all := map[string]*series{}
	for i := range n + 1 {
		for _, p := range programs {
			s := &series{}
			if err := f.coldStart(p, event(i), s); err != nil {
				return nil, err
			}
			if i == 0 { // the first only brings the files into memory
				all[p.name] = &series{}
				continue
			}
			a := all[p.name]
			a.wall, a.cpu, a.memory = append(a.wall, s.wall...), append(a.cpu, s.cpu...), append(a.memory, s.memory...)
		}
	}
	return all, nil
}

func (f fleet) coldStart(p program, event []byte, into *series) error {
	fn, err := p.start(f.dir)
	if err != nil {
		return err
	}
	defer fn.stop()
	if _, err := fn.invoke(event); err != nil {
		return err
	}
	into.wall = append(into.wall, milliseconds(fn.answered.Sub(fn.started)))
	return fn.sample(into, 0, 1)
}

// sample adds what the function has used since before, for each of n invocations, and what it holds now.
func (fn *function) sample(into *series, before time.Duration, n int) error {
	if err := fn.settle(); err != nil {
		return err
	}
	used, err := cpu(fn.cmd.Process.Pid)
	if err != nil {
		return err
	}
	held, err := memory(fn.cmd.Process.Pid)
	if err != nil {
		return err
	}
	into.cpu, into.memory = append(into.cpu, milliseconds(used-before)/float64(n)), append(into.memory, held)
	return nil
}

// running is a function that stays up, and what was measured of it.
type running struct {
	*function
	series
	count int
}

// block sends n events, one at a time, pausing between them, and keeps latency, and CPU an invocation, of the block.
func (r *running) block(events [][]byte, n int, pause time.Duration) error {
	if err := r.settle(); err != nil {
		return err
	}
	before, err := cpu(r.cmd.Process.Pid)
	if err != nil {
		return err
	}
	for range n {
		latency, err := r.invoke(events[r.count%len(events)])
		if err != nil {
			return err
		}
		r.wall = append(r.wall, milliseconds(latency))
		r.count++
		time.Sleep(pause)
	}
	return r.sample(&r.series, before, n)
}

// startAll starts programs and warms them up.
func (f fleet) startAll(programs []program, warmUp int) (fns []*running, stop func(), err error) {
	stop = func() {
		for _, fn := range fns {
			fn.stop()
		}
	}
	for _, p := range programs {
		fn, err := p.start(f.dir)
		if err != nil {
			return fns, stop, err
		}
		r := &running{function: fn}
		fns = append(fns, r)
		if err := r.block(f.events[yardstick.Small.Name], warmUp, 0); err != nil {
			return fns, stop, err
		}
		r.series = series{}
	}
	return fns, stop, nil
}

// warmed is what was measured of a process that has been running for a while.
type warmed struct {
	small, large series
	memory       float64 // MB, after tenThousand invocations

	first, further float64 // bytes of a log line about one decision, and more for each further one; of edgeauth
}

const (
	warmUp      = 500
	perBlock    = 25
	tenThousand = 10_000
)

// warm lets the programs take turns, block by block, with small events and with large ones, and then lets two of them go on to ten thousand.
func (f fleet) warm(rounds int) (map[string]*warmed, error) {
	fns, stop, err := f.startAll(f.named(noop, noopFree, floor, snapshot, snapshotFree, underNode), warmUp)
	defer stop()
	if err != nil {
		return nil, err
	}
	all := map[string]*warmed{}
	for _, fn := range fns {
		all[fn.name] = &warmed{}
	}
	for _, size := range []yardstick.Size{yardstick.Small, yardstick.Large} {
		for range rounds {
			for _, fn := range fns {
				if err := fn.block(f.events[size.Name], perBlock, 0); err != nil {
					return nil, err
				}
			}
		}
		for _, fn := range fns {
			if size == yardstick.Small {
				all[fn.name].small = fn.series
			} else {
				all[fn.name].large = fn.series
			}
			fn.series = series{}
		}
	}
	for _, fn := range fns {
		if fn.name != snapshot && fn.name != underNode {
			continue
		}
		if err := fn.block(f.events[yardstick.Small.Name], max(1, tenThousand-fn.count), 0); err != nil {
			return nil, err
		}
		all[fn.name].memory = fn.memory[len(fn.memory)-1]
	}
	a := all[snapshot]
	if a.first, a.further, err = logBytes(filepath.Join(f.dir, strings.ReplaceAll(snapshot, " ", "-")+".log")); err != nil {
		return nil, err
	}
	return all, nil
}

// What Lambda gives a function of 128 MB: it says 1,769 MB are a whole processor (https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html);
// that a share is dealt out in periods of 20 ms is an assumption.
const (
	period = 20 * time.Millisecond
	share  = period * 128 / 1769
	pause  = 25 * time.Millisecond
)

// throttled runs programs on the processor share of a function of 128 MB, an event every 25 ms.
func (f fleet) throttled() (map[string]*series, error) {
	q, err := newQuota("edgeauth-bench", share, period)
	if err != nil {
		return nil, fmt.Errorf("no quota can be set here: %w", err)
	}
	defer q.remove()
	all := map[string]*series{}
	for _, p := range f.named(noop, snapshot, underNode) {
		s, err := f.throttledOne(p, q)
		if err != nil {
			return nil, err
		}
		all[p.name] = s
	}
	return all, nil
}

func (f fleet) throttledOne(p program, q quota) (*series, error) {
	fns, stop, err := f.startAll([]program{p}, warmUp)
	defer stop()
	if err != nil {
		return nil, err
	}
	fn := fns[0]
	if err := q.add(fn.cmd.Process.Pid); err != nil {
		return nil, err
	}
	for range 12 {
		if err := fn.block(f.events[yardstick.Small.Name], 25, pause); err != nil {
			return nil, err
		}
	}
	return &fn.series, nil
}
