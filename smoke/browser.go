package main

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
	target
	client    *http.Client
	jar       *cookiejar.Jar
	set       map[string]string // Set-Cookie lines of the application, by cookie name
	site      string            // what Sec-Fetch-Site says of the next navigation
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

func newBrowser(t target, protocol string) *browser {
	jar, _ := cookiejar.New(nil) // which fails never
	protocols := new(http.Protocols)
	protocols.SetHTTP1(protocol == http1)
	protocols.SetHTTP2(protocol == http2)
	return &browser{
		target: t, jar: jar, set: map[string]string{}, site: "none",
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
		var wrapped *url.Error
		if errors.As(err, &wrapped) { // its text holds the whole address, with code and state
			err = wrapped.Err
		}
		return answer{}, fmt.Errorf("%s%s: %w", at.Host, at.Path, err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, pageLimit))
	if err != nil {
		return answer{}, fmt.Errorf("%s%s: %w", at.Host, at.Path, err)
	}
	b.jar.SetCookies(at, res.Cookies())
	if at.Host == b.base.Host {
		for _, line := range res.Header["Set-Cookie"] {
			name, _, _ := strings.Cut(line, "=")
			b.set[name] = line
		}
	}
	return answer{at, res.StatusCode, res.Header, string(text), res.Proto}, nil
}

var refresh = regexp.MustCompile(`(?is)<meta\s+http-equiv="?refresh"?\s+content="\s*0\s*;\s*url=([^"]*)"`)

// next is where the answer leads, nil when it leads nowhere: a redirect, or a page that goes on by itself.
func (a answer) next() *url.URL {
	to := ""
	if a.status >= 300 && a.status < 400 {
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

// signIn opens a page, signs in on whatever pages are in the way, and returns the page that it ends on.
func (b *browser) signIn(ctx context.Context) (answer, error) {
	return b.signInTo(ctx, b.to("/"))
}

func (b *browser) signInTo(ctx context.Context, at *url.URL) (answer, error) {
	b.site = "none"
	a, err := b.navigate(ctx, at)
	filled := map[string]bool{}
	for range hops {
		if err != nil {
			return a, err
		}
		if to := a.next(); to != nil {
			b.crossing(a.at, to)
			if to.Host != b.base.Host && b.authorize == nil {
				b.authorize = to
			}
			a, err = b.navigate(ctx, to)
			continue
		}
		if a.at.Host == b.base.Host {
			if b.session() == "" {
				return a, fmt.Errorf("signing in ended on %s with %d and no session", a.at.Path, a.status)
			}
			return a, nil
		}
		form, ok := findForm(a.body)
		if !ok {
			return a, fmt.Errorf("the page %s%s holds no login form that can be driven", a.at.Host, a.at.Path)
		}
		if filled[form.password] {
			return a, fmt.Errorf("%s did not accept the name and the password", a.at.Host)
		}
		filled[form.password] = true
		form.fill(b.user, b.password)
		to, perr := a.at.Parse(form.action)
		if perr != nil {
			return a, errors.New("the login form leads to what is no address")
		}
		b.site = "same-origin"
		a, err = b.send(ctx, http.MethodPost, to, form.values, "Accept", "text/html", "Origin", a.at.Scheme+"://"+a.at.Host,
			"Sec-Fetch-Site", "same-origin", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document")
	}
	return a, errors.New("the sign-in goes round in circles")
}

// crossing notes that a chain of redirects has been on another site: it stays so until its end.
func (b *browser) crossing(from, to *url.URL) {
	if from.Host != to.Host {
		b.site = "cross-site"
	} else if b.site == "none" {
		b.site = "same-origin"
	}
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

func findForm(page string) (form, bool) {
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
		if f.user != "" || f.password != "" {
			return f, true
		}
	}
	return form{}, false
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
