// What the authorizer costs a page of many files: the first load of the Dash example, side by side with the same application without it.
package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// load is one page load, from the address bar to the last plot.
type load struct {
	requests, decisions int   // that reached the API, that the authorizer answered
	bytes               int64 // as they were on the wire, headers included
	took                time.Duration
}

// openHandler is the example's handler for an API without authorizer: it hands on an identity as the authorizer would, so that nothing else differs.
const openHandler = `
import handler

CONTEXT = %s

def lambda_handler(event, context):
    event["requestContext"]["authorizer"] = CONTEXT
    return handler.lambda_handler(event, context)
`

// openDash writes the example's template with its routes open, beside a handler that knows a fixed caller, and returns the template's path.
func openDash(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "app"), os.DirFS(filepath.Join(dash, "app"))); err != nil {
		t.Fatal(err)
	}
	kit := filepath.Join(dir, "app", "edgeauth_identity")
	_ = os.Remove(kit)
	if err := os.CopyFS(kit, os.DirFS(filepath.Join(repository, "identity", "python", "edgeauth_identity"))); err != nil {
		t.Fatal(err)
	}
	event := must(os.ReadFile(filepath.Join(repository, "identity", "testdata", "rest.json")))
	text := string(must(os.ReadFile(filepath.Join(dash, "template.yaml"))))
	for old, fresh := range map[string]string{
		"        DefaultAuthorizer: SessionAuthorizer\n": "",
		"Location: ../../edgeauth.yaml":                  "Location: " + filepath.Join(repository, "edgeauth.yaml"),
		"CodeUri: ../..\n":                               "CodeUri: " + repository + "\n",
		"Handler: handler.lambda_handler":                "Handler: open_handler.lambda_handler",
	} {
		if strings.Count(text, old) != 1 {
			t.Fatalf("the template holds %q %d times", old, strings.Count(text, old))
		}
		text = strings.Replace(text, old, fresh, 1)
	}
	program := fmt.Sprintf(openHandler, `__import__("json").loads(r'''`+string(event)+`''')["requestContext"]["authorizer"]`)
	if err := os.WriteFile(filepath.Join(dir, "app", "open_handler.py"), []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "template.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// measure loads a page and counts what goes over the wire and how often the authorizer was asked.
func (s *system) measure(b *tab, address string) load {
	b.t.Helper()
	var (
		mu   sync.Mutex // guards what follows
		l    load
		ours = map[network.RequestID]bool{}
	)
	ctx, stop := context.WithCancel(b.ctx)
	defer stop()
	if err := chromedp.Listen(ctx, func(ev any) {
		mu.Lock()
		defer mu.Unlock()
		switch ev := ev.(type) {
		case *network.EventRequestWillBeSent:
			if strings.HasPrefix(ev.Request.URL, s.app) {
				ours[ev.RequestID] = true
			}
		case *network.EventLoadingFinished:
			if ours[ev.RequestID] {
				l.bytes += int64(ev.EncodedDataLength)
			}
		}
	}); err != nil {
		b.t.Fatal(err)
	}
	requests, decisions, began := s.lines("request"), s.lines("decision"), time.Now()
	b.open(address)
	for _, plot := range []string{"production", "calendar", "specific"} {
		b.drawn(plot)
	}
	l.took = time.Since(began)
	b.waitFor("the helper has looked", `performance.getEntriesByType("resource").some(e => e.name.endsWith("/auth/session") && e.responseEnd)`)
	l.requests, l.decisions = s.lines("request")-requests, s.lines("decision")-decisions
	mu.Lock()
	defer mu.Unlock()
	return l
}

// lines counts the lines of the log that tell of one thing.
func (s *system) lines(of string) int { return strings.Count(s.output.String(), `"msg":"`+of+`"`) }

// forgetFiles empties the browser's cache.
func (b *tab) forgetFiles() {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, network.ClearBrowserCache, cdp.Empty{}); err != nil {
		b.t.Fatal(err)
	}
}

// TestDashFirstLoad prints the table of docs/performance.md, and holds what it says about numbers that are no times. The two take turns, so that a busy
// machine is busy for both.
func TestDashFirstLoad(t *testing.T) {
	const rounds = 7
	var (
		templates = [2]string{"", openDash(t)} // with the authorizer, and without
		tabs      [2]*tab
		systems   [2]*system
		loads     [2][]load
	)
	for i := range templates {
		tabs[i], systems[i] = openBrowser(t), startDashAs(t, templates[i], "-env", "EdgeAuth/AuthorizerFunction.AUTH_LOG_DECISIONS=every")
		tabs[i].open(systems[i].app + "/")
	}
	tabs[0].submitLogin(alice)
	var extra []time.Duration
	for round := range rounds + 1 {
		for i := range templates {
			tabs[i].drawn("production")
			tabs[i].forgetFiles()
			loads[i] = append(loads[i], systems[i].measure(tabs[i], systems[i].app+"/"))
		}
		if round == 0 { // the processes are warm from now on
			loads = [2][]load{}
			continue
		}
		extra = append(extra, loads[0][round-1].took-loads[1][round-1].took)
	}
	for i := range loads {
		slices.SortFunc(loads[i], func(x, y load) int { return int(x.took - y.took) })
	}
	slices.Sort(extra)
	with, without := loads[0][rounds/2], loads[1][rounds/2]
	again := systems[0].measure(tabs[0], systems[0].app+"/")
	t.Log("| first load of the Dash example | with the authorizer | without |\n|---|---|---|")
	t.Logf("| requests | %d | %d |", with.requests, without.requests)
	t.Logf("| bytes on the wire | %d kB | %d kB |", with.bytes/1000, without.bytes/1000)
	t.Logf("| decisions of the authorizer | %d | %d |", with.decisions, without.decisions)
	t.Logf("| time until the last plot, median of %d | %d ms | %d ms |", rounds, with.took.Milliseconds(), without.took.Milliseconds())
	t.Logf("| once more, with the browser's cache | %d requests, %d kB, %d decisions | |", again.requests, again.bytes/1000, again.decisions)
	t.Logf("| difference, median of %d pairs | %d ms | |", rounds, extra[rounds/2].Milliseconds())
	if with.requests != without.requests || without.decisions != 0 {
		t.Errorf("the two differ in more than the authorizer: %+v, %+v", with, without)
	}
	if public := with.requests - with.decisions; public < 1 || public > 3 {
		t.Errorf("%d of %d requests were not decided", public, with.requests)
	}
	if again.bytes > with.bytes/5 {
		t.Errorf("%d bytes for a second load", again.bytes)
	}
	if with.bytes > 3e6 {
		t.Errorf("%d bytes for a first load", with.bytes)
	}
}
