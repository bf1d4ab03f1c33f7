// Package smoke tries a running system from outside: the whole sign-in over HTTP/1.1 and HTTP/2, and the questions about API Gateway and Cognito that
// their documentation leaves open. It also signs in for curl, where the login page cannot be driven too. It shares no code with what it tries.
package smoke

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
)

// Target is the system to try and who tries it.
type Target struct {
	base           *url.URL // no slash at the end
	user, password string
}

// New returns the application at base, its address with the stage, and who signs in there. On this machine, an empty name or password is one
// that the local system prints.
func New(base, user, password string) (Target, error) {
	u, err := url.Parse(strings.TrimRight(base, "/"))
	if err != nil || u.Host == "" || u.RawQuery != "" {
		return Target{}, fmt.Errorf("%q is not the address of an application", base)
	}
	local := here(u)
	if u.Scheme != "https" && !local {
		return Target{}, errors.New("a password goes to https only, or to this machine")
	}
	if user == "" && local {
		user = "alice@example.com"
	}
	if user == "" {
		return Target{}, errors.New("say who signs in: -user")
	}
	if password == "" && local {
		password = "Open-sesame-1"
	}
	if password == "" {
		return Target{}, errors.New("the variable PASSWORD is empty")
	}
	return Target{u, user, password}, nil
}

// here reports whether a URL leads to this machine.
func here(u *url.URL) bool {
	return u.Hostname() == "localhost" || net.ParseIP(u.Hostname()).IsLoopback()
}

// Check tries everything and writes a line for each verdict, or in the end all of them as JSON. The error says that something is not as it must be, or that
// nothing was tried.
func (t Target) Check(ctx context.Context, out io.Writer, asJSON bool) error {
	r := &report{out: out, asJSON: asJSON}
	t.check(ctx, r)
	return r.verdict()
}

// Cookie signs in and returns the session as curl -b takes it; all: every cookie that the application set. Where the login page cannot be driven it signs
// in with the caller's own AWS credentials, which give a session alone.
func (t Target) Cookie(ctx context.Context, all bool) (string, error) {
	b := newBrowser(t, http1)
	_, err := b.signIn(ctx)
	switch {
	case err == nil && all:
		return b.everything(), nil
	case err == nil:
		return b.session(), nil
	case b.authorize == nil || here(b.authorize):
		return "", err
	}
	cookie, second := t.adminCookie(ctx, b.authorize)
	if second != nil {
		return "", fmt.Errorf("%w; and with AWS credentials: %w", err, second)
	}
	return cookie, nil
}
