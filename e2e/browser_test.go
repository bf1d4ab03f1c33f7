// This file is a browser without a screen: it keeps cookies by the rules that real browsers enforce and the standard library's jar does not
// (RFC 6265bis: prefixes, Secure, size, SameSite), sends the Sec-Fetch headers (https://www.w3.org/TR/fetch-metadata/), and remembers every
// exchange, so that a test can assert what was on the wire. A cookie that a browser would drop in silence fails the test instead.
package e2e

import (
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// maxRedirects is where browsers give up.
const maxRedirects = 20

// browser is one profile. It may be used by several goroutines, as tabs share a profile.
type browser struct {
	t testing.TB

	mu     sync.Mutex // guards what follows
	jar    []cookie
	traces []exchange
}

func newBrowser(t testing.TB) *browser {
	return &browser{t: t}
}

// cookie is one that the browser holds.
type cookie struct {
	name, value    string
	host, path     string
	secure         bool
	httpOnly       bool
	sameSite       string
	expires        time.Time // zero: with the browser
	line           string    // as it was on the wire
	maxAge         int
	attributeNames []string
}

// exchange is a request and its answer.
type exchange struct {
	method    string
	url       *url.URL
	sent      []string // names of the cookies that went along
	status    int
	header    http.Header
	setCookie []string
	body      string
}

func (e exchange) String() string {
	return fmt.Sprintf("%s %s%s -> %d", e.method, e.url.Host, e.url.Path, e.status)
}

// location returns where a redirect leads to.
func (e exchange) location(t testing.TB) *url.URL {
	t.Helper()
	u, err := e.url.Parse(e.header.Get("Location"))
	if err != nil || e.header.Get("Location") == "" {
		t.Fatalf("%v: no location to follow", e)
	}
	return u
}

// visit is a navigation as from the address bar. It follows redirects and returns the page where they end.
func (b *browser) visit(address string) exchange {
	b.t.Helper()
	return b.follow(b.request(http.MethodGet, address, nil), nil)
}

// click is a navigation that a page began: a link without form, a form with it.
func (b *browser) click(from exchange, method, address string, form url.Values) exchange {
	b.t.Helper()
	target, err := from.url.Parse(address)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.follow(b.request(method, target.String(), form), from.url)
}

// request prepares a navigation.
func (b *browser) request(method, address string, form url.Values) *http.Request {
	b.t.Helper()
	var body io.Reader
	if method == http.MethodPost {
		body = strings.NewReader(form.Encode())
	}
	r, err := http.NewRequestWithContext(b.t.Context(), method, address, body)
	if err != nil {
		b.t.Fatal(err)
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.Header.Set("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")
	r.Header.Set("Sec-Fetch-Mode", "navigate")
	r.Header.Set("Sec-Fetch-Dest", "document")
	r.Header.Set("Upgrade-Insecure-Requests", "1")
	return r
}

// follow sends a navigation and the ones that its answers lead to. initiator is the page that began it, nil for the address bar.
func (b *browser) follow(r *http.Request, initiator *url.URL) exchange {
	b.t.Helper()
	chain := []*url.URL{}
	for range maxRedirects {
		chain = append(chain, r.URL)
		e := b.send(r, initiator, chain)
		if next, ok := e.refresh(); ok {
			initiator, chain = e.url, nil // a page that moves on by itself begins a navigation of its own
			r = b.request(http.MethodGet, next, nil)
			continue
		}
		if !redirects(e.status) {
			return e
		}
		method, form := http.MethodGet, url.Values(nil)
		if e.status == http.StatusTemporaryRedirect || e.status == http.StatusPermanentRedirect {
			method = r.Method
		}
		r = b.request(method, e.location(b.t).String(), form)
	}
	b.t.Fatalf("more than %d redirects, last to %s%s", maxRedirects, r.URL.Host, r.URL.Path)
	panic("unreachable")
}

// metaRefresh is how a page moves on without a script.
var metaRefresh = regexp.MustCompile(`(?i)<meta http-equiv="refresh" content="0;\s*url=([^"]*)"`)

// refresh returns where a page moves on to by itself.
func (e exchange) refresh() (string, bool) {
	m := metaRefresh.FindStringSubmatch(e.body)
	if e.status != http.StatusOK || m == nil {
		return "", false
	}
	next, err := e.url.Parse(html.UnescapeString(m[1]))
	return next.String(), err == nil
}

func redirects(status int) bool {
	return slices.Contains([]int{301, 302, 303, 307, 308}, status)
}

// step sends one navigation and follows nothing. from is the page that it begins at, nil for the address bar.
func (b *browser) step(from *url.URL, method, address string, form url.Values) exchange {
	b.t.Helper()
	r := b.request(method, address, form)
	return b.send(r, from, []*url.URL{r.URL})
}

// fetch is a script's request from a page of the same origin. It follows nothing.
func (b *browser) fetch(method, address string, header ...string) exchange {
	b.t.Helper()
	target, err := url.Parse(address)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.fetchFrom(target, method, address, header...)
}

// fetchFrom is a script's request from the given page, cookies included if SameSite lets them.
func (b *browser) fetchFrom(page *url.URL, method, address string, header ...string) exchange {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, address, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Accept", "*/*")
	r.Header.Set("Sec-Fetch-Mode", "cors")
	r.Header.Set("Sec-Fetch-Dest", "empty")
	if method != http.MethodGet && method != http.MethodHead {
		r.Header.Set("Origin", origin(page))
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return b.send(r, page, []*url.URL{r.URL})
}

// send sends one request with the cookies that belong to it and keeps the ones that come back.
func (b *browser) send(r *http.Request, initiator *url.URL, chain []*url.URL) exchange {
	b.t.Helper()
	relation := "none"
	if initiator != nil {
		relation = "same-origin"
		for _, u := range chain {
			relation = wider(relation, relationOf(initiator, u))
		}
		if r.Method == http.MethodPost && r.Header.Get("Origin") == "" {
			r.Header.Set("Origin", origin(initiator))
		}
	}
	r.Header.Set("Sec-Fetch-Site", relation)
	r.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) e2e")

	e := exchange{method: r.Method, url: r.URL}
	var pairs []string
	for _, c := range b.cookiesFor(r, relation == "cross-site") {
		e.sent = append(e.sent, c.name)
		pairs = append(pairs, c.name+"="+c.value)
	}
	if len(pairs) > 0 {
		r.Header.Set("Cookie", strings.Join(pairs, "; "))
	}
	answer := exchangeOf(b.t, r)
	e.status, e.header, e.setCookie, e.body = answer.status, answer.header, answer.setCookie, answer.body

	b.mu.Lock()
	defer b.mu.Unlock()
	for _, line := range e.setCookie {
		b.keep(r.URL, line)
	}
	b.traces = append(b.traces, e)
	return e
}

// wire sends single requests: it follows nothing, keeps nothing and adds nothing.
var wire = &http.Client{
	Transport:     &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 32},
	Timeout:       30 * time.Second,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// exchangeOf sends one request.
func exchangeOf(t testing.TB, r *http.Request) exchange {
	t.Helper()
	resp, err := wire.Do(r)
	if err != nil {
		t.Fatalf("%s %s%s: %v", r.Method, r.URL.Host, r.URL.Path, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 10<<20))
	if err != nil {
		t.Fatalf("%s %s%s: %v", r.Method, r.URL.Host, r.URL.Path, err)
	}
	return exchange{method: r.Method, url: r.URL, status: resp.StatusCode, header: resp.Header, setCookie: resp.Header["Set-Cookie"], body: string(body)}
}

func origin(u *url.URL) string { return u.Scheme + "://" + u.Host }

// relationOf is the value of Sec-Fetch-Site for one hop. A port makes another origin, not another site.
func relationOf(a, b *url.URL) string {
	switch {
	case origin(a) == origin(b):
		return "same-origin"
	case a.Scheme == b.Scheme && a.Hostname() == b.Hostname():
		return "same-site"
	default:
		return "cross-site"
	}
}

func wider(a, b string) string {
	order := []string{"same-origin", "same-site", "cross-site"}
	return order[max(slices.Index(order, a), slices.Index(order, b))]
}

// trustworthy reports whether browsers treat the URL as secure: https, or a loopback host (https://www.w3.org/TR/secure-contexts/).
func trustworthy(u *url.URL) bool {
	return u.Scheme == "https" || u.Hostname() == "localhost" || u.Hostname() == "127.0.0.1"
}

// cookiesFor returns what goes along with r, longest path first (RFC 6265bis section 5.8.3).
func (b *browser) cookiesFor(r *http.Request, crossSite bool) []cookie {
	b.mu.Lock()
	defer b.mu.Unlock()
	navigation := r.Header.Get("Sec-Fetch-Mode") == "navigate" && (r.Method == http.MethodGet || r.Method == http.MethodHead)
	var found []cookie
	for _, c := range b.jar {
		blocked := crossSite && (c.sameSite == "strict" || c.sameSite != "none" && !navigation)
		expired := !c.expires.IsZero() && !c.expires.After(time.Now())
		if c.host == r.URL.Hostname() && pathMatches(c.path, r.URL.EscapedPath()) && (!c.secure || trustworthy(r.URL)) && !blocked && !expired {
			found = append(found, c)
		}
	}
	slices.SortStableFunc(found, func(a, b cookie) int { return len(b.path) - len(a.path) })
	return found
}

// pathMatches is RFC 6265bis section 5.1.4.
func pathMatches(cookiePath, path string) bool {
	return path == cookiePath || strings.HasPrefix(path, cookiePath) && (strings.HasSuffix(cookiePath, "/") || path[len(cookiePath)] == '/')
}

// keep stores a cookie, or fails the test when a browser would not. b.mu is held.
func (b *browser) keep(u *url.URL, line string) {
	c, deleted, err := parseCookie(u, line)
	if err != nil {
		b.t.Errorf("%s%s set a cookie that browsers drop: %v", u.Host, u.Path, err)
		return
	}
	b.jar = slices.DeleteFunc(b.jar, func(old cookie) bool { return old.name == c.name && old.host == c.host && old.path == c.path })
	if !deleted {
		b.jar = append(b.jar, c)
	}
}

// parseCookie reads a Set-Cookie line as a browser would and says why it would drop it.
func parseCookie(u *url.URL, line string) (c cookie, deleted bool, err error) {
	parts := strings.Split(line, ";")
	c = cookie{host: u.Hostname(), line: line}
	c.name, c.value, _ = strings.Cut(strings.TrimSpace(parts[0]), "=")
	if c.name == "" {
		return c, false, fmt.Errorf("no name")
	}
	if strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return c, false, fmt.Errorf("%s: a control character", c.name)
	}
	if n := len(c.name) + len(c.value); n > 4096 {
		return c, false, fmt.Errorf("%s: %d bytes, more than 4096", c.name, n)
	}
	domain := false
	for _, part := range parts[1:] {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		name = strings.ToLower(name)
		c.attributeNames = append(c.attributeNames, name)
		switch name {
		case "path":
			c.path = value
		case "domain":
			domain = true
		case "secure":
			c.secure = true
		case "httponly":
			c.httpOnly = true
		case "samesite":
			c.sameSite = strings.ToLower(value)
		case "max-age":
			if c.maxAge, err = strconv.Atoi(value); err != nil {
				return c, false, fmt.Errorf("%s: Max-Age %q", c.name, value)
			}
			c.expires = time.Now().Add(time.Duration(c.maxAge) * time.Second)
			deleted = c.maxAge <= 0
		case "expires":
			at, err := time.Parse(http.TimeFormat, value)
			if err != nil {
				return c, false, fmt.Errorf("%s: Expires %q", c.name, value)
			}
			if !slices.Contains(c.attributeNames, "max-age") {
				c.expires, deleted = at, !at.After(time.Now())
			}
		}
	}
	if c.path == "" || c.path[0] != '/' {
		dir := u.EscapedPath()
		c.path = dir[:max(strings.LastIndexByte(dir, '/'), 1)]
	}
	lower := strings.ToLower(c.name)
	switch {
	case c.secure && !trustworthy(u):
		return c, false, fmt.Errorf("%s: Secure from an insecure origin", c.name)
	case strings.HasPrefix(lower, "__host-") && (!c.secure || domain || c.path != "/" || !slices.Contains(c.attributeNames, "path")):
		return c, false, fmt.Errorf("%s: breaks the rules of its prefix", c.name)
	case strings.HasPrefix(lower, "__secure-") && !c.secure:
		return c, false, fmt.Errorf("%s: breaks the rules of its prefix", c.name)
	case c.sameSite == "none" && !c.secure:
		return c, false, fmt.Errorf("%s: SameSite=None without Secure", c.name)
	case domain:
		return c, false, fmt.Errorf("%s: a Domain attribute, which nothing here should send", c.name)
	}
	return c, deleted, nil
}

// cookies returns the cookies of a host whose name begins with prefix.
func (b *browser) cookies(host, prefix string) []cookie {
	b.mu.Lock()
	defer b.mu.Unlock()
	var found []cookie
	for _, c := range b.jar {
		if c.host == host && strings.HasPrefix(c.name, prefix) {
			found = append(found, c)
		}
	}
	return found
}

// drop forgets the cookies that match.
func (b *browser) drop(match func(cookie) bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.jar = slices.DeleteFunc(b.jar, match)
}

// trace returns every exchange so far.
func (b *browser) trace() []exchange {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.traces)
}

// forgetTraces forgets every exchange so far.
func (b *browser) forgetTraces() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.traces = nil
}

// copy returns another browser with the same cookies, as a stolen profile would be.
func (b *browser) copy() *browser {
	c := newBrowser(b.t)
	b.mu.Lock()
	defer b.mu.Unlock()
	c.jar = slices.Clone(b.jar)
	return c
}

var (
	formTag  = regexp.MustCompile(`(?is)<form\b([^>]*)>(.*?)</form>`)
	inputTag = regexp.MustCompile(`(?is)<(?:input|button)\b([^>]*)>`)
	attrPair = regexp.MustCompile(`(?is)([a-z-]+)\s*=\s*"([^"]*)"`)
)

// form is the first form of a page that has a field of the given name ("": any form), with the values that it comes with.
func (e exchange) form(t testing.TB, field string) (method, action string, values url.Values) {
	t.Helper()
	for _, f := range formTag.FindAllStringSubmatch(e.body, -1) {
		values = url.Values{}
		for _, in := range inputTag.FindAllStringSubmatch(f[2], -1) {
			if a := attributes(in[1]); a["name"] != "" {
				values.Set(a["name"], a["value"])
			}
		}
		if field == "" || values.Has(field) {
			a := attributes(f[1])
			method = strings.ToUpper(a["method"])
			if method == "" {
				method = http.MethodGet
			}
			action = a["action"]
			if action == "" {
				action = e.url.String()
			}
			return method, action, values
		}
	}
	t.Fatalf("%v: no form with a field %q", e, field)
	return
}

func attributes(tag string) map[string]string {
	m := map[string]string{}
	for _, a := range attrPair.FindAllStringSubmatch(tag, -1) {
		m[strings.ToLower(a[1])] = html.UnescapeString(a[2])
	}
	return m
}
