// This file starts a real browser and drives its tabs. What the browser itself reports about cookies, sent, set and blocked, is kept from the wire.
package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	chromelog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// stepLimit is how long anything that a page does may take.
const stepLimit = 20 * time.Second

// tab is one tab of a browser with a profile of its own.
type tab struct {
	t   testing.TB
	ctx context.Context

	mu        sync.Mutex          // guards what follows
	setCookie []string            // every Set-Cookie line, as it was on the wire
	blocked   []string            // cookies that the browser would not store, and why
	sent      map[string][]string // names of the cookies that went along, by host
	problems  []string            // what went wrong in scripts, and what the content security policy stopped
}

// chromium returns the browser's path. Without one the test is skipped, where CI is not set.
func chromium(t testing.TB) string {
	t.Helper()
	for _, name := range []string{os.Getenv("CHROMIUM"), "chromium", "chromium-browser", "google-chrome", "chrome"} {
		if path, err := exec.LookPath(name); name != "" && err == nil {
			return path
		}
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("no chromium, and CI=true")
	}
	t.Skip("SKIPPED: no chromium on this machine; install it, or name one in CHROMIUM")
	return ""
}

// openBrowser starts a browser with a fresh profile and returns its first tab.
func openBrowser(t testing.TB, flags ...chromedp.ExecAllocatorOption) *tab {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium(t)),
		chromedp.NoSandbox,
		chromedp.DisableGPU,
		chromedp.UserDataDir(t.TempDir()),
		chromedp.WindowSize(1280, 900),
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("hide-scrollbars", true),
		chromedp.Flag("lang", "en-GB"),
		chromedp.Env("TZ=UTC"),
	)
	allocator, cancel := chromedp.NewExecAllocator(context.Background(), append(options, flags...)...)
	t.Cleanup(cancel)
	return newTab(t, allocator)
}

// newTab opens another tab of the same browser.
func (b *tab) newTab() *tab { return newTab(b.t, b.ctx) }

func newTab(t testing.TB, parent context.Context) *tab {
	t.Helper()
	b := &tab{t: t, sent: map[string][]string{}}
	ctx, cancel := chromedp.NewContext(parent)
	t.Cleanup(cancel)
	b.ctx = ctx
	b.do(chromedp.Func(func(context.Context, *chromedp.Target) error { return nil }))
	if err := chromedp.Listen(ctx, b.note); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	// Every tab believes that it is the one in front: focus is shown, and nothing is slowed down.
	if _, err := chromedp.Call(ctx, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}); err != nil {
		t.Fatal(err)
	}
	return b
}

// note keeps what the browser tells about one event. It is called in order.
func (b *tab) note(ev any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch ev := ev.(type) {
	case *network.EventRequestWillBeSentExtraInfo:
		host, _ := ev.Headers["Host"].(string)
		for _, c := range ev.AssociatedCookies {
			if len(c.BlockedReasons) == 0 && c.Cookie != nil {
				b.sent[host] = append(b.sent[host], c.Cookie.Name)
			}
		}
	case *network.EventResponseReceivedExtraInfo:
		for _, c := range ev.BlockedCookies {
			name, _, _ := strings.Cut(c.CookieLine, "=")
			b.blocked = append(b.blocked, fmt.Sprintf("%s: %v", name, c.BlockedReasons))
		}
		for name, value := range ev.Headers {
			if lines, ok := value.(string); ok && strings.EqualFold(name, "Set-Cookie") {
				b.setCookie = append(b.setCookie, strings.Split(lines, "\n")...)
			}
		}
	case *runtime.EventExceptionThrown:
		b.problems = append(b.problems, "exception: "+ev.ExceptionDetails.Text)
	case *chromelog.EventEntryAdded:
		if ev.Entry.Source == chromelog.EntrySourceSecurity {
			b.problems = append(b.problems, ev.Entry.Text)
		}
	}
}

// do runs steps that return nothing.
func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	// The first steps on a context start what they run in, which then lives as long as their context: so no deadline on those.
	ctx, cancel := b.ctx, context.CancelFunc(func() {})
	if c := chromedp.FromContext(b.ctx); c != nil && c.Target != nil {
		ctx, cancel = context.WithTimeout(b.ctx, stepLimit)
	}
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatalf("at %s: %v", b.where(), err)
	}
}

// where names the page that the tab shows, without its query.
func (b *tab) where() string {
	ctx, cancel := context.WithTimeout(b.ctx, stepLimit)
	defer cancel()
	at, err := chromedp.Run(ctx, chromedp.Location())
	if err != nil {
		return "no page"
	}
	before, _, _ := strings.Cut(at, "?")
	return before
}

// open goes to an address, as from the address bar.
func (b *tab) open(address string) *url.URL {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, stepLimit)
	defer cancel()
	// An answer that is no page, such as JSON, is one that the browser shows as well.
	if err := chromedp.Do(ctx, chromedp.Navigate(address)); err != nil {
		b.t.Fatalf("opening %s: %v", address, err)
	}
	return b.address()
}

// address returns where the tab is.
func (b *tab) address() *url.URL {
	b.t.Helper()
	at := run(b, chromedp.Location())
	u, err := url.Parse(at)
	if err != nil {
		b.t.Fatal(err)
	}
	return u
}

// run runs one step and returns its value.
func run[T any](b *tab, step chromedp.Action[T]) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, stepLimit)
	defer cancel()
	v, err := chromedp.Run(ctx, step)
	if err != nil {
		b.t.Fatalf("at %s: %v", b.where(), err)
	}
	return v
}

// clickThrough clicks and waits until the page that follows is there.
func (b *tab) clickThrough(selector string) *url.URL {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, stepLimit)
	defer cancel()
	if _, err := chromedp.RunResponse(ctx, chromedp.Click(chromedp.CSS(selector))); err != nil {
		b.t.Fatalf("clicking %s at %s: %v", selector, b.where(), err)
	}
	return b.address()
}

// text returns the visible text of an element.
func (b *tab) text(selector string) string {
	b.t.Helper()
	return strings.TrimSpace(run(b, chromedp.Text(chromedp.CSS(selector), chromedp.NodeReady)))
}

// body returns the visible text of the page.
func (b *tab) body() string { return b.text("body") }

// waitFor waits until an expression in the page is true.
func (b *tab) waitFor(what, expression string) {
	b.t.Helper()
	deadline := time.Now().Add(stepLimit)
	for {
		ctx, cancel := context.WithDeadline(b.ctx, deadline)
		ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("Boolean("+expression+")"))
		cancel()
		if err == nil && ok {
			return
		}
		if time.Now().After(deadline) {
			b.t.Fatalf("never happened: %s (at %s, %v)", what, b.where(), err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// waitAddress waits until the tab is somewhere and the page there is complete.
func (b *tab) waitAddress(what string, match func(*url.URL) bool) *url.URL {
	b.t.Helper()
	deadline := time.Now().Add(stepLimit)
	for {
		ctx, cancel := context.WithDeadline(b.ctx, deadline)
		at, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.readyState === "complete" ? location.href : ""`))
		cancel()
		if u, perr := url.Parse(at); err == nil && perr == nil && at != "" && match(u) {
			return u
		}
		if time.Now().After(deadline) {
			b.t.Fatalf("never happened: %s (at %s, %v)", what, b.where(), err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// submitLogin fills in the login page and waits for the page that follows.
func (b *tab) submitLogin(user string) *url.URL {
	b.t.Helper()
	b.do(
		chromedp.WaitVisible(chromedp.CSS("input[name=password]")),
		chromedp.SetValue(chromedp.CSS("input[name=username]"), user),
		chromedp.SetValue(chromedp.CSS("input[name=password]"), password),
	)
	return b.clickThrough("form button")
}

// fetch runs a script's request in the page and returns the status and the body.
func (b *tab) fetch(method, path string) (int, string) {
	b.t.Helper()
	type answer struct {
		Status int
		Body   string
	}
	a := run(b, chromedp.Evaluate[answer](
		fmt.Sprintf(`fetch(%q, {method: %q}).then(async r => ({Status: r.status, Body: await r.text()}))`, path, method), chromedp.EvalAwaitPromise))
	return a.Status, a.Body
}

// shot stores a picture of the whole page.
func (b *tab) shot(name string) {
	b.t.Helper()
	picture := run(b, chromedp.FullScreenshot(100))
	path := filepath.Join("screenshots", name+".png")
	if err := errors.Join(os.MkdirAll("screenshots", 0o755), os.WriteFile(path, picture, 0o644)); err != nil {
		b.t.Fatal(err)
	}
}

// shots stores the page as a desktop shows it, as a phone does, and as both do in the dark, and asserts what pages owe to everybody.
func (b *tab) shots(name string) {
	b.t.Helper()
	for _, scheme := range []string{"light", "dark"} {
		b.scheme(scheme)
		suffix := map[string]string{"light": "", "dark": "-dark"}[scheme]
		b.do(chromedp.EmulateViewport(1280, 800))
		b.shot(name + suffix)
		b.requireAccessible(name + suffix)
		b.do(chromedp.EmulateViewport(390, 844, chromedp.EmulateScale(2)))
		b.shot(name + suffix + "-phone")
		if wide := run(b, chromedp.Evaluate[int]("document.documentElement.scrollWidth")); wide > 390 {
			b.t.Errorf("%s is %d pixels wide on a phone of 390", name, wide)
		}
	}
	b.do(chromedp.EmulateViewport(1280, 800))
	b.scheme("light")
}

// flaws finds what keeps people from reading or reaching a page: https://www.w3.org/TR/WCAG22/, 1.4.3 (contrast), 1.3.1, 2.4.2, 2.4.7, 3.1.1, 4.1.2.
const flaws = `(() => {
  const found = [];
  if (!document.documentElement.lang) found.push("no lang");
  if (!document.title) found.push("no title");
  for (const name of ["main", "h1"]) if (document.querySelectorAll(name).length !== 1) found.push("not one " + name);
  for (const e of document.querySelectorAll("a, button, input:not([type=hidden])"))
    if (!(e.textContent.trim() || e.labels?.length || e.ariaLabel)) found.push("no name: " + e.outerHTML.slice(0, 60));
  const channels = css => (css.match(/[\d.]+/g) || []).map(Number);
  const luminance = ([r, g, b]) => [r, g, b].map(c => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = e => {
    for (; e; e = e.parentElement) {
      const c = channels(getComputedStyle(e).backgroundColor);
      if (c.length === 3 || c[3] === 1) return c;
    }
    return matchMedia("(prefers-color-scheme: dark)").matches ? [18, 18, 18] : [255, 255, 255];
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const e = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || !e.checkVisibility() || e.closest("script, style, noscript")) continue;
    const [a, b] = [channels(getComputedStyle(e).color), ground(e)].map(luminance).sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) found.push("contrast " + ratio.toFixed(1) + ": " + texts.currentNode.data.trim().slice(0, 40));
  }
  for (const e of document.querySelectorAll("a, button, input:not([type=hidden])")) {
    e.focus({focusVisible: true});
    const style = getComputedStyle(e);
    if (document.activeElement === e && style.outlineStyle === "none" && style.boxShadow === "none") found.push("no visible focus: " + e.outerHTML.slice(0, 60));
    e.blur();
  }
  return found;
})()`

// requireAccessible asserts that the page has none of the flaws.
func (b *tab) requireAccessible(name string) {
	b.t.Helper()
	for _, flaw := range run(b, chromedp.Evaluate[[]string](flaws)) {
		b.t.Errorf("%s: %s", name, flaw)
	}
}

func (b *tab) scheme(name string) {
	b.t.Helper()
	features := []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}}
	run(b, func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: features})
		return chromedp.Void{}, err
	})
}

// seen returns one of the lists that note keeps.
func (b *tab) seen(list *[]string) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(*list)
}

// sentTo returns the names of the cookies that went to a host.
func (b *tab) sentTo(host string) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.sent[host])
}

// withoutScript turns scripts off in the pages to come.
func (b *tab) withoutScript() {
	b.t.Helper()
	run(b, func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, t, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return chromedp.Void{}, err
	})
}
