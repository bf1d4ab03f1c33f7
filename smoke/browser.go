package smoke

// This file is a browser without a screen: it keeps cookies, says what browsers say of a request's origin, follows redirects one at a time, and fills in
// login forms.

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

const (
	http1 = "HTTP/1.1"
	http2 = "HTTP/2"

	pageLimit = 1 << 20
	hops      = 20
)

type browser struct {
	Target
	client    *http.Client
	jar       *cookiejar.Jar
	set       map[string]string // Set-Cookie lines of the application, by cookie name
	site      string            // what Sec-Fetch-Site says of the next navigation
	origin    string            // of the page that began it; empty: somebody typed the address
	authorize *url.URL          // where the application sent us to sign in
}

// answer is a response, read.
type answer struct {
	at     *url.URL
	status int
	header http.Header
	body   string
	proto  string
}

func newBrowser(t Target, protocol string) *browser {
	jar, _ := cookiejar.New(nil) // which fails never
	protocols := new(http.Protocols)
	protocols.SetHTTP1(protocol == http1)
	protocols.SetHTTP2(protocol == http2)
	return &browser{
		Target: t, jar: jar, set: map[string]string{}, site: "none",
		client: &http.Client{
			Timeout:       30 * time.Second,
			Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, Protocols: protocols, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// to is an address of the application; path may have a query.
func (b *browser) to(path string) *url.URL {
	u, err := url.Parse(b.base.String() + path)
	if err != nil {
		panic(err) // a path of this program
	}
	return u
}

// program sends what fetch or curl would.
func (b *browser) program(ctx context.Context, method, path string, headers ...string) (answer, error) {
	return b.send(ctx, method, b.to(path), nil, append([]string{"Accept", "application/json"}, headers...)...)
}

// navigate asks for a page as the address bar would.
func (b *browser) navigate(ctx context.Context, at *url.URL, headers ...string) (answer, error) {
	return b.send(ctx, http.MethodGet, at, nil, append([]string{
		"Accept", "text/html", "Sec-Fetch-Site", b.site, "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document",
	}, headers...)...)
}

// send sends one request with the headers, given as names and values in the very letters that are to be sent, and the cookies for it unless a Cookie is
// among them.
func (b *browser) send(ctx context.Context, method string, at *url.URL, form url.Values, headers ...string) (answer, error) {
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	req, err := http.NewRequestWithContext(ctx, method, at.String(), body)
	if err != nil {
		return answer{}, errors.New("no request can be made of this address")
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	own := false
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header[headers[i]] = append(req.Header[headers[i]], headers[i+1])
		own = own || strings.EqualFold(headers[i], "Cookie")
	}
	if !own {
		for _, c := range b.jar.Cookies(at) {
			req.AddCookie(c)
		}
	}
	res, err := b.client.Do(req)
	if err != nil {
		return answer{}, fmt.Errorf("%s%s: %w", at.Host, at.Path, reached(err))
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, pageLimit))
	if err != nil {
		return answer{}, fmt.Errorf("%s%s: %w", at.Host, at.Path, err)
	}
	b.jar.SetCookies(at, keep(res.Cookies()))
	if at.Host == b.base.Host {
		for _, line := range res.Header["Set-Cookie"] {
			name, _, _ := strings.Cut(line, "=")
			b.set[name] = line
		}
	}
	return answer{at, res.StatusCode, res.Header, string(text), res.Proto}, nil
}

// reached is why a server was not reached, without the address, which may hold a code and a state.
func reached(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}

var refresh = regexp.MustCompile(`(?is)<meta\s+http-equiv="?refresh"?\s+content="\s*0\s*;\s*url=([^"]*)"`)

// next is where the answer leads, nil when it leads nowhere: a redirect, or a page that goes on by itself.
func (a answer) next() *url.URL {
	to := ""
	if a.redirects() {
		to = a.header.Get("Location")
	} else if m := refresh.FindStringSubmatch(a.body); m != nil {
		to = html.UnescapeString(m[1])
	}
	if to == "" {
		return nil
	}
	u, err := a.at.Parse(to)
	if err != nil {
		return nil
	}
	return u
}

var code = regexp.MustCompile(`<code>([a-z]+(?:_[a-z]+)*)</code>`)

// reason is what a page of the application says about itself, for the end of a sentence.
func (a answer) reason() string {
	m := code.FindStringSubmatch(a.body)
	if m == nil {
		return ""
	}
	return ", reason " + m[1] + " (docs/operations.md says what to do),"
}

func (a answer) redirects() bool { return a.status >= 300 && a.status < 400 }

// follow goes where the answer leads.
func (b *browser) follow(ctx context.Context, a answer, to *url.URL) (answer, error) {
	if !a.redirects() {
		b.leave(a.at) // the page begins a navigation of its own
	}
	b.aim(to)
	return b.navigate(ctx, to)
}

// leave notes which page begins the next navigation.
func (b *browser) leave(page *url.URL) { b.site, b.origin = "same-origin", originOf(page) }

// aim notes where a navigation leads. Once it has been on another site it stays cross-site, through all its redirects.
// https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header
func (b *browser) aim(to *url.URL) {
	if b.origin != "" && b.origin != originOf(to) {
		b.site = "cross-site"
	}
}

func originOf(u *url.URL) string { return u.Scheme + "://" + u.Host }

// signIn begins a login, signs in on whatever pages are in the way, and returns the page that it ends on.
func (b *browser) signIn(ctx context.Context) (answer, error) {
	return b.signInTo(ctx, b.to("/auth/login"))
}

func (b *browser) signInTo(ctx context.Context, at *url.URL) (answer, error) {
	b.site, b.origin = "none", ""
	a, err := b.navigate(ctx, at)
	filled := map[string]bool{} // by the name of the password's input: a login may ask on two pages, and each of them once
	for range hops {
		if err != nil {
			return a, err
		}
		if to := a.next(); to != nil {
			if to.Host != b.base.Host && b.authorize == nil {
				b.authorize = to
			}
			a, err = b.follow(ctx, a, to)
			continue
		}
		home := a.at.Host == b.base.Host
		if home && b.session() != "" {
			return a, nil
		}
		form, ok := findForm(a.body)
		switch {
		case !ok && home:
			return a, fmt.Errorf("signing in ended on %s%s with %d%s and no session", a.at.Host, a.at.Path, a.status, a.reason())
		case !ok:
			return a, fmt.Errorf("%s%s answered %d without a form for a name and a password; only such login pages can be driven", a.at.Host, a.at.Path, a.status)
		case filled[form.password]:
			return a, fmt.Errorf("%s did not accept the name and the password: check -user and the variable PASSWORD", a.at.Host)
		}
		filled[form.password] = true
		a, err = b.submit(ctx, a, form)
	}
	return a, errors.New("the sign-in goes round in circles")
}

// submit fills in a login form and sends it, to https or to this machine.
func (b *browser) submit(ctx context.Context, a answer, f form) (answer, error) {
	to, err := a.at.Parse(f.action)
	if err != nil {
		return a, errors.New("the login form leads to what is no address")
	}
	if to.Scheme != "https" && !here(to) {
		return a, fmt.Errorf("the login form sends a password to %s without TLS", to.Host)
	}
	f.fill(b.user, b.password)
	b.leave(a.at)
	b.aim(to)
	return b.send(ctx, http.MethodPost, to, f.values, "Accept", "text/html", "Origin", b.origin,
		"Sec-Fetch-Site", b.site, "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document")
}

// keep leaves out what a browser would not keep: Go's jar does not know the prefixes.
// https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis#section-4.1.3
func keep(cookies []*http.Cookie) []*http.Cookie {
	return slices.DeleteFunc(cookies, func(c *http.Cookie) bool {
		name := strings.ToLower(c.Name)
		return strings.HasPrefix(name, "__host-") && (!c.Secure || c.Domain != "" || c.Path != "/") ||
			strings.HasPrefix(name, "__secure-") && !c.Secure
	})
}

// session is the session cookie with all its pieces, as curl -b takes it.
func (b *browser) session() string { return b.pairs("__Host-id") }

// everything is every cookie that the browser would send to /auth, the refresh token's among them, as curl -b takes it.
func (b *browser) everything() string { return b.pairs("") }

func (b *browser) pairs(prefix string) string {
	var pairs []string
	for _, c := range b.jar.Cookies(b.to("/auth/refresh")) {
		if strings.HasPrefix(c.Name, prefix) {
			pairs = append(pairs, c.Name+"="+c.Value)
		}
	}
	return strings.Join(pairs, "; ")
}

// form is a login form; a login in two steps has two, of which the first asks for no password.
type form struct {
	action         string
	user, password string
	values         url.Values
}

var (
	formTag   = regexp.MustCompile(`(?is)<form\b([^>]*)>(.*?)</form>`)
	inputTag  = regexp.MustCompile(`(?is)<input\b([^>]*)>`)
	attribute = regexp.MustCompile(`(?is)([a-z-]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?`)
)

// findForm finds the form of a login: one that asks for a password, or else the first that asks for a name.
func findForm(page string) (found form, ok bool) {
	for _, m := range formTag.FindAllStringSubmatch(page, -1) {
		f := form{action: attributes(m[1])["action"], values: url.Values{}}
		for _, input := range inputTag.FindAllStringSubmatch(m[2], -1) {
			a := attributes(input[1])
			name, kind := a["name"], strings.ToLower(a["type"])
			switch {
			case name == "" || kind == "submit" || kind == "button":
			case kind == "password":
				f.password = name
			case kind == "hidden":
				f.values.Add(name, a["value"])
			case f.user == "" && (kind == "text" || kind == "email" || kind == ""):
				f.user = name
			}
		}
		if f.password != "" {
			return f, true
		}
		if f.user != "" && !ok {
			found, ok = f, true
		}
	}
	return found, ok
}

func (f form) fill(user, password string) {
	if f.user != "" {
		f.values.Set(f.user, user)
	}
	if f.password != "" {
		f.values.Set(f.password, password)
	}
}

func attributes(tag string) map[string]string {
	found := map[string]string{}
	for _, m := range attribute.FindAllStringSubmatch(tag, -1) {
		found[strings.ToLower(m[1])] = html.UnescapeString(m[2] + m[3] + m[4])
	}
	return found
}
