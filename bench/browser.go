// This file is as much of a browser as a sign-in needs: it keeps cookies, follows redirects and pages that move on by themselves, and fills in the login
// form. It counts what goes over the wire. That cookies are Secure is no obstacle on localhost, as in browsers.

package main

import (
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
)

// browser is one profile.
type browser struct {
	client  http.Client
	cookies []*http.Cookie // Domain is the host, whatever its port
	walk    walk
}

// walk is what a navigation took.
type walk struct {
	requests       int // one after the other
	sent, received atomic.Int64
	before         [2]int64 // bytes sent and received before the latest request
}

// counted is a connection whose bytes are counted.
type counted struct {
	net.Conn
	w *walk
}

func (c counted) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.w.received.Add(int64(n))
	return n, err
}

func (c counted) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.w.sent.Add(int64(n))
	return n, err
}

func newBrowser() *browser {
	b := &browser{}
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		return counted{conn, &b.walk}, err
	}
	b.client = http.Client{Transport: &http.Transport{DialContext: dial}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return b
}

var (
	refreshTag = regexp.MustCompile(`(?i)<meta http-equiv="refresh" content="0;\s*url=([^"]*)"`)
	formTag    = regexp.MustCompile(`(?is)<form\b([^>]*)>(.*?)</form>`)
	inputTag   = regexp.MustCompile(`(?is)<(?:input|button)\b([^>]*)>`)
	attribute  = regexp.MustCompile(`(?is)([a-z-]+)\s*=\s*"([^"]*)"`)
)

// visit goes to an address, signs in if it is asked to, and returns the page that it ends at.
func (b *browser) visit(address string) (body string, err error) {
	b.walk.requests = 0
	b.walk.sent.Store(0)
	b.walk.received.Store(0)
	method, form := http.MethodGet, url.Values(nil)
	for range 20 {
		u, err := url.Parse(address)
		if err != nil {
			return "", err
		}
		status, header, body, err := b.send(method, u, form)
		if err != nil {
			return "", err
		}
		method, form = http.MethodGet, nil
		next, more := header.Get("Location"), status/100 == 3
		if m := refreshTag.FindStringSubmatch(body); m != nil {
			next, more = html.UnescapeString(m[1]), true
		}
		if !more && status == http.StatusOK {
			if next, form = login(body); form == nil {
				return body, nil
			}
			method = http.MethodPost
		} else if !more {
			return "", fmt.Errorf("%s %s: %d", u.Host, u.Path, status)
		}
		to, err := u.Parse(next)
		if err != nil {
			return "", err
		}
		address = to.String()
	}
	return "", errors.New("a walk without end")
}

// login fills in a login form, if the page has one.
func login(body string) (action string, form url.Values) {
	for _, f := range formTag.FindAllStringSubmatch(body, -1) {
		values := url.Values{}
		for _, in := range inputTag.FindAllStringSubmatch(f[2], -1) {
			if a := attributes(in[1]); a["name"] != "" {
				values.Set(a["name"], a["value"])
			}
		}
		if values.Has("password") {
			values.Set("username", user)
			values.Set("password", password)
			return attributes(f[1])["action"], values
		}
	}
	return "", nil
}

func attributes(tag string) map[string]string {
	m := map[string]string{}
	for _, a := range attribute.FindAllStringSubmatch(tag, -1) {
		m[strings.ToLower(a[1])] = html.UnescapeString(a[2])
	}
	return m
}

// send sends one request, as a navigation.
func (b *browser) send(method string, u *url.URL, form url.Values) (status int, header http.Header, body string, err error) {
	var content io.Reader
	if form != nil {
		content = strings.NewReader(form.Encode())
	}
	r, err := http.NewRequest(method, u.String(), content)
	if err != nil {
		return 0, nil, "", err
	}
	for name, value := range map[string]string{
		"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Sec-Fetch-Site": "none",
	} {
		r.Header.Set(name, value)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", u.Scheme+"://"+u.Host)
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	if text := b.cookiesFor(u); text != "" {
		r.Header.Set("Cookie", text)
	}
	b.walk.requests++
	b.walk.before = [2]int64{b.walk.sent.Load(), b.walk.received.Load()}
	response, err := b.client.Do(r)
	if err != nil {
		return 0, nil, "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	for _, c := range response.Cookies() {
		b.keep(u, c)
	}
	return response.StatusCode, response.Header, string(text), err
}

// cookiesFor is the value of the Cookie field.
func (b *browser) cookiesFor(u *url.URL) string {
	var pairs []string
	for _, c := range b.cookies {
		if c.Domain == u.Hostname() && (strings.HasPrefix(u.Path+"/", strings.TrimSuffix(c.Path, "/")+"/") || u.Path == c.Path) {
			pairs = append(pairs, c.Name+"="+c.Value)
		}
	}
	return strings.Join(pairs, "; ")
}

func (b *browser) keep(u *url.URL, fresh *http.Cookie) {
	fresh.Domain = u.Hostname()
	if fresh.Path == "" {
		fresh.Path = "/"
	}
	b.forget(func(c *http.Cookie) bool {
		return c.Name == fresh.Name && c.Domain == fresh.Domain && c.Path == fresh.Path
	})
	if fresh.MaxAge >= 0 && fresh.Value != "" {
		b.cookies = append(b.cookies, fresh)
	}
}

// forget drops the cookies that match.
func (b *browser) forget(match func(*http.Cookie) bool) {
	var left []*http.Cookie
	for _, c := range b.cookies {
		if !match(c) {
			left = append(left, c)
		}
	}
	b.cookies = left
}
