// Command smoke tries a running system from outside: the whole sign-in over HTTP/1.1 and HTTP/2, and the questions about API Gateway and Cognito that
// their documentation leaves open. It also signs in for curl where the login page cannot be driven. It shares no code with what it tries.
//
//	smoke check  -url https://….execute-api.eu-west-1.amazonaws.com/Prod -user alice@example.com
//	smoke cookie -url https://….execute-api.eu-west-1.amazonaws.com/Prod -user alice@example.com
//
// The password is read from the variable PASSWORD, never from the command line, where every process of the machine could read it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/signal"
	"strings"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Getenv("PASSWORD"), os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "smoke:", err)
		os.Exit(1)
	}
}

// target is the system to try and who tries it.
type target struct {
	base           *url.URL // no slash at the end
	user, password string
}

func run(ctx context.Context, args []string, password string, stdout, stderr io.Writer) error {
	if len(args) == 0 || args[0] != "check" && args[0] != "cookie" {
		return errors.New("say check or cookie")
	}
	flags := flag.NewFlagSet("smoke "+args[0], flag.ContinueOnError)
	flags.SetOutput(stderr)
	base := flags.String("url", "", "where the application is, with its stage")
	user := flags.String("user", "", "who signs in; the password is in the variable PASSWORD")
	all := flags.Bool("all", false, "cookie: print every cookie of the application, not the session alone")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	t, err := newTarget(*base, *user, password)
	if err != nil {
		return err
	}
	if args[0] == "cookie" {
		cookie, err := t.cookie(ctx, *all)
		if err == nil {
			fmt.Fprintln(stdout, cookie)
		}
		return err
	}
	r := &report{out: stdout}
	t.check(ctx, r)
	return r.verdict()
}

func newTarget(base, user, password string) (target, error) {
	u, err := url.Parse(strings.TrimRight(base, "/"))
	if err != nil || u.Host == "" || u.RawQuery != "" {
		return target{}, fmt.Errorf("%q is not the address of an application", base)
	}
	local := u.Hostname() == "localhost" || net.ParseIP(u.Hostname()).IsLoopback()
	if u.Scheme != "https" && !local {
		return target{}, errors.New("a password goes to https only, or to this machine")
	}
	if user == "" {
		return target{}, errors.New("say who signs in: -user")
	}
	if password == "" && local {
		password = "Open-sesame-1" // what the local system prints
	}
	if password == "" {
		return target{}, errors.New("the variable PASSWORD is empty")
	}
	return target{u, user, password}, nil
}

// cookie signs in through the login page or, where that cannot be driven, with the caller's own AWS credentials, which give a session alone.
func (t target) cookie(ctx context.Context, all bool) (string, error) {
	b := newBrowser(t, http1)
	_, err := b.signIn(ctx)
	switch {
	case err == nil && all:
		return b.everything(), nil
	case err == nil:
		return b.session(), nil
	}
	cookie, second := t.adminCookie(ctx, b.authorize)
	if second != nil {
		return "", fmt.Errorf("%w; and with AWS credentials: %w", err, second)
	}
	return cookie, nil
}
