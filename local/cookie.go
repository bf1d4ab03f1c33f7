package main

// This file signs in as a browser would, through whatever pages are in the way, and prints the session cookie.

import (
	"context"
	"errors"
	"flag"
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
	sessionPrefix = "__Host-id"
	hops          = 20 // redirects and forms on the way to the session
	pageLimit     = 1 << 20
)

// cookie signs in and prints the session cookies as curl -b takes them.
func cookie(ctx context.Context, args []string, stdout io.Writer) error {
	var base, user, password string
	f := flag.NewFlagSet("local cookie", flag.ContinueOnError)
	f.StringVar(&base, "url", "http://localhost:3000/Prod", "where the app is, with its stage")
	f.StringVar(&user, "user", "alice@example.com", "who signs in")
	f.StringVar(&password, "password", "Open-sesame-1", "with which password")
	if err := parse(f, args, stdout); errors.Is(err, flag.ErrHelp) {
		return nil
	} else if err != nil {
		return err
	}
	v, err := newVisitor(base, user, password)
	if err == nil {
		_, err = v.walk(ctx, v.app.JoinPath("auth/login"), func(page) bool { return v.session() != "" })
	}
	if err != nil {
		return fmt.Errorf("local cookie: %w", err)
	}
	fmt.Fprintln(stdout, v.session())
	return nil
}

// visitor is a browser without a screen.
type visitor struct {
	client         *http.Client
	app            *url.URL // ends in a slash
	user, password string
	site           string // what Sec-Fetch-Site says: https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header
	origin         string // of the form that was submitted
}

// page is where the visitor is.
type page struct {
	at     *url.URL
	status int
	to     string // where it redirects to, if it does
	body   string
}

func newVisitor(app, user, password string) (*visitor, error) {
	at, err := url.Parse(strings.TrimSuffix(app, "/") + "/")
	if err != nil || at.Host == "" {
		return nil, fmt.Errorf("%q is no URL", app)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	return &visitor{app: at, user: user, password: password, site: "none", client: &http.Client{
		Jar:           prefixJar{jar},
		Timeout:       30 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// walk opens an address and goes on, through redirects and a login form, until it is done.
func (v *visitor) walk(ctx context.Context, start *url.URL, done func(page) bool) (page, error) {
	p, err := v.open(ctx, http.MethodGet, start, nil)
	submitted := false
	for range hops {
		switch {
		case err != nil:
			return page{}, err
		case done(p):
			return p, nil
		case p.to != "":
			p, err = v.follow(ctx, p)
			continue
		}
		form, found := findForm(p.body)
		switch {
		case !found && submitted:
			return page{}, fmt.Errorf("signing in ended with %d on %s%s and no session", p.status, p.at.Host, p.at.Path)
		case !found:
			return page{}, fmt.Errorf("%s%s answered %d without a form for a name and a password; only such login pages can be driven", p.at.Host, p.at.Path, p.status)
		case submitted:
			return page{}, fmt.Errorf("%s did not accept the name and the password", p.at.Host)
		}
		submitted = true
		form.values.Set(form.user, v.user)
		form.values.Set(form.password, v.password)
		var target *url.URL
		if target, err = p.at.Parse(form.action); err == nil {
			v.site, v.origin = "same-origin", originOf(p.at)
			p, err = v.open(ctx, http.MethodPost, target, form.values)
		}
	}
	return page{}, errors.New("the sign-in goes round in circles")
}

func (v *visitor) follow(ctx context.Context, p page) (page, error) {
	target, err := p.at.Parse(p.to)
	if err != nil {
		return page{}, fmt.Errorf("%s redirects to what is no URL", p.at.Host)
	}
	return v.open(ctx, http.MethodGet, target, nil)
}

func (v *visitor) open(ctx context.Context, method string, at *url.URL, form url.Values) (page, error) {
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	req, err := http.NewRequestWithContext(ctx, method, at.String(), body)
	if err != nil {
		return page{}, err
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", v.origin)
	}
	if v.origin != "" && v.origin != originOf(at) {
		v.site = "cross-site" // and it stays so for the rest of the redirects
	}
	req.Header.Set("Accept", "text/html")
	req.Header.Set("Sec-Fetch-Site", v.site)
	req.Header.Set("Sec-Fetch-Mode", "navigate")
	req.Header.Set("Sec-Fetch-Dest", "document")
	res, err := v.client.Do(req)
	if err != nil {
		var wrapped *url.Error
		if errors.As(err, &wrapped) { // its text holds the whole URL, with code and state
			err = wrapped.Err
		}
		return page{}, fmt.Errorf("%s: %w", at.Host, err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, pageLimit))
	if err != nil {
		return page{}, fmt.Errorf("%s: %w", at.Host, err)
	}
	p := page{at: at, status: res.StatusCode, body: string(text)}
	if res.StatusCode >= 300 && res.StatusCode < 400 {
		p.to = res.Header.Get("Location")
	} else if m := refresh.FindStringSubmatch(p.body); m != nil {
		p.to = html.UnescapeString(m[1]) // what a browser does that runs no scripts
	}
	if res.StatusCode >= 500 {
		return p, fmt.Errorf("%s%s answers %s", at.Host, at.Path, res.Status)
	}
	return p, nil
}

func originOf(u *url.URL) string { return u.Scheme + "://" + u.Host }

// session is what the jar holds of the session cookie, all pieces.
func (v *visitor) session() string {
	var pairs []string
	for _, c := range v.client.Jar.Cookies(v.app) {
		if strings.HasPrefix(c.Name, sessionPrefix) {
			pairs = append(pairs, c.Name+"="+c.Value)
		}
	}
	return strings.Join(pairs, "; ")
}

// prefixJar is a cookie jar that honours the prefixes, as browsers do and Go's does not.
// https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis#section-4.1.3
type prefixJar struct{ http.CookieJar }

func (j prefixJar) SetCookies(u *url.URL, cookies []*http.Cookie) {
	var kept []*http.Cookie
	for _, c := range cookies {
		name := strings.ToLower(c.Name)
		switch {
		case strings.HasPrefix(name, "__host-") && (!c.Secure || c.Domain != "" || c.Path != "/"):
		case strings.HasPrefix(name, "__secure-") && !c.Secure:
		default:
			kept = append(kept, c)
		}
	}
	j.CookieJar.SetCookies(u, kept)
}

// loginForm is a form that asks for a name and a password.
type loginForm struct {
	action         string
	user, password string // names of the two inputs
	values         url.Values
}

var (
	formTag   = regexp.MustCompile(`(?is)<form\b([^>]*)>(.*?)</form>`)
	inputTag  = regexp.MustCompile(`(?is)<input\b([^>]*)>`)
	refresh   = regexp.MustCompile(`(?is)<meta\s+http-equiv="?refresh"?\s+content="\s*0\s*;\s*url=([^"]*)"`)
	attribute = regexp.MustCompile(`(?is)([a-z-]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?`)
)

// findForm finds the first form with a password, fills in what the page fills in, and leaves the two inputs open.
func findForm(body string) (loginForm, bool) {
	for _, match := range formTag.FindAllStringSubmatch(body, -1) {
		form := loginForm{action: attributes(match[1])["action"], values: url.Values{}}
		for _, input := range inputTag.FindAllStringSubmatch(match[2], -1) {
			a := attributes(input[1])
			switch kind := strings.ToLower(a["type"]); {
			case kind == "password":
				form.password = a["name"]
			case kind == "hidden":
				form.values.Add(a["name"], a["value"])
			case (kind == "text" || kind == "email" || kind == "") && form.user == "":
				form.user = a["name"]
			}
		}
		if form.user != "" && form.password != "" {
			return form, true
		}
	}
	return loginForm{}, false
}

func attributes(tag string) map[string]string {
	found := map[string]string{}
	for _, m := range attribute.FindAllStringSubmatch(tag, -1) {
		found[strings.ToLower(m[1])] = html.UnescapeString(m[2] + m[3] + m[4])
	}
	return found
}
