package login

// This file decides how the token endpoint is asked, and what its answers mean. Only a definite
// "no" is taken for one: everything else is "cannot tell", which never costs anybody a session.
//
// A 4xx is never asked again. A 5xx and a lost connection are, once, if time is left, except that a
// code goes out again only when the first request was answered with a 5xx or never left: a code
// works once, and a second use may revoke what the first one brought (RFC 6749, section 4.1.2).

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"edgeauth/internal/reason"

	"golang.org/x/oauth2"
)

const (
	attemptTime = 3 * time.Second // for one request; two fit into the callback's time
	maxAnswer   = 1 << 18         // bytes of an answer: the largest ID token that Cognito can make is well below
)

var (
	errCodeRefused  = reason.New(reason.LoginCodeRefused, "login: the token endpoint refused the code")
	errEnded        = reason.New(reason.SessionEnded, "login: the token endpoint refused the refresh token")
	errUnavailable  = reason.New(reason.ProviderUnavailable, "login: the token endpoint gave no usable answer")
	errClient       = reason.New(reason.ConfigUnavailable, "login: the token endpoint refused the client or its settings")
	errNotJSON      = errors.New("login: the answer is not JSON")
	errNotCompleted = errors.New("login: an earlier attempt may have been carried out")
)

// tokens is what the token endpoint gave.
type tokens struct {
	id, access, refresh string
}

// backChannel is the way to the identity provider that no browser sees, under the name of the
// client.
type backChannel struct {
	client     *http.Client
	oauth      oauth2.Config
	revocation string                // the address of the revocation endpoint
	newSecret  func() (string, bool) // looks whether the client has another secret by now
}

func oauthConfig(p Provider, s site, scopes []string) oauth2.Config {
	return oauth2.Config{
		ClientID:     p.ClientID,
		ClientSecret: p.Secret,
		Endpoint: oauth2.Endpoint{
			AuthURL:   p.LoginURL + "/oauth2/authorize",
			TokenURL:  p.LoginURL + "/oauth2/token",
			AuthStyle: oauth2.AuthStyleInHeader, // detection would send a code twice
		},
		RedirectURL: s.url + "/auth/callback",
		Scopes:      scopes,
	}
}

// exchange redeems a code.
func (e *backChannel) exchange(ctx context.Context, code, verifier string) (tokens, error) {
	return e.ask(ctx, errCodeRefused, unsent, func(ctx context.Context) (*oauth2.Token, error) {
		return e.oauth.Exchange(ctx, code, oauth2.VerifierOption(verifier))
	})
}

// renew redeems a refresh token. Without rotation the answer holds no new one, and tokens.refresh
// is the old.
func (e *backChannel) renew(ctx context.Context, refresh string) (tokens, error) {
	return e.ask(ctx, errEnded, lost, func(ctx context.Context) (*oauth2.Token, error) {
		return e.oauth.TokenSource(ctx, &oauth2.Token{RefreshToken: refresh}).Token()
	})
}

// ask sends a grant, at most twice, and once more if the client's secret turns out to have changed.
// refused is what invalid_grant means for this grant; again says of a failed attempt whether the
// request may go out once more.
func (e *backChannel) ask(
	ctx context.Context, refused error, again func(error) bool, send func(context.Context) (*oauth2.Token, error),
) (tokens, error) {
	attempt := func() (*oauth2.Token, error) {
		ctx, cancel := context.WithTimeout(context.WithValue(ctx, oauth2.HTTPClient, e.client), attemptTime)
		defer cancel()
		return send(ctx)
	}
	t, err := attempt()
	retried := false
	if err != nil && again(err) && timeLeft(ctx) {
		retried = true
		t, err = attempt()
	}
	if oauthCode(err) == "invalid_client" {
		if secret, found := e.newSecret(); found {
			e.oauth.ClientSecret = secret
			t, err = attempt()
		}
	}
	if err != nil {
		return tokens{}, meaning(err, refused, retried)
	}
	return read(t)
}

// meaning turns a failed attempt into one of our errors. Nothing of the answer's body goes into it
// but a well-formed error code.
func meaning(err, refused error, retried bool) error {
	var answered *oauth2.RetrieveError
	if !errors.As(err, &answered) {
		return fmt.Errorf("%w: %s", errUnavailable, networkError(err))
	}
	status, code := answered.Response.StatusCode, oauthCode(err)
	about := fmt.Sprintf("status %d, error %q", status, code)
	switch {
	case status >= 500 || status < 400 || status == http.StatusRequestTimeout || status == http.StatusTooManyRequests:
		return fmt.Errorf("%w: %s", errUnavailable, about)
	case code == "invalid_client" || code == "unauthorized_client": // the latter also for a redirect URI that is not registered
		return fmt.Errorf("%w: %s", errClient, about)
	case code == "invalid_grant" && retried: // perhaps it was the first attempt that used it up
		return fmt.Errorf("%w: %s: %w", errUnavailable, about, errNotCompleted)
	case code == "invalid_grant" || refused == errCodeRefused:
		return fmt.Errorf("%w: %s", refused, about)
	}
	return fmt.Errorf("%w: %s", errUnavailable, about)
}

// oauthCode returns the error code of a token endpoint's answer, if it is one: what may be logged.
func oauthCode(err error) string {
	var answered *oauth2.RetrieveError
	if !errors.As(err, &answered) || !wellFormedError(answered.ErrorCode) {
		return ""
	}
	return answered.ErrorCode
}

// wellFormedError reports whether s looks like an error code of RFC 6749, all of which are
// lower-case words.
func wellFormedError(s string) bool {
	return s != "" && len(s) <= 40 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz_") == ""
}

// networkError says what went wrong without the request's address or the answer's text.
func networkError(err error) string {
	var u *url.Error
	switch {
	case errors.Is(err, errNotJSON):
		return "not JSON"
	case errors.Is(err, context.DeadlineExceeded):
		return "timed out"
	case unsent(err):
		return "no connection"
	case errors.As(err, &u):
		return "connection lost"
	}
	return "malformed answer"
}

// unsent reports that a request was answered with a 5xx, or never left.
func unsent(err error) bool {
	var (
		answered *oauth2.RetrieveError
		op       *net.OpError
	)
	if errors.As(err, &answered) {
		return answered.Response.StatusCode >= 500
	}
	return errors.As(err, &op) && op.Op == "dial"
}

// lost reports any failure but a 4xx or a redirect.
func lost(err error) bool {
	var answered *oauth2.RetrieveError
	return !errors.As(err, &answered) || answered.Response.StatusCode >= 500
}

// timeLeft reports whether a second attempt can end before the Lambda's time is up.
func timeLeft(ctx context.Context) bool {
	deadline, limited := ctx.Deadline()
	return ctx.Err() == nil && (!limited || time.Until(deadline) > attemptTime+time.Second)
}

// read takes the tokens out of an answer, which must be what RFC 6749 section 5.1 and OpenID
// Connect Core section 3.1.3.3 say.
func read(t *oauth2.Token) (tokens, error) {
	id, _ := t.Extra("id_token").(string)
	if id == "" || !strings.EqualFold(t.TokenType, "Bearer") {
		return tokens{}, fmt.Errorf("%w: no ID token, or not of type Bearer", errUnavailable)
	}
	return tokens{id, t.AccessToken, t.RefreshToken}, nil
}

// revoke makes the identity provider forget a refresh token (RFC 7009).
func (e *backChannel) revoke(ctx context.Context, refresh string) error {
	ctx, cancel := context.WithTimeout(ctx, attemptTime)
	defer cancel()
	body := strings.NewReader(url.Values{"token": {refresh}}.Encode())
	req, err := http.NewRequestWithContext(ctx, "POST", e.revocation, body)
	if err != nil {
		return errUnavailable
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(url.QueryEscape(e.oauth.ClientID), url.QueryEscape(e.oauth.ClientSecret))
	res, err := e.client.Do(req)
	if err != nil {
		return fmt.Errorf("%w: revocation: %s", errUnavailable, networkError(err))
	}
	res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%w: revocation: status %d", errUnavailable, res.StatusCode)
	}
	return nil
}

// guarded returns c with the limits that the exchange relies on: no redirects, a bounded answer,
// and JSON where tokens are.
func guarded(c *http.Client) *http.Client {
	if c == nil {
		c = &http.Client{Timeout: 2 * attemptTime}
	}
	g := *c
	g.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	g.Jar = nil
	g.Transport = limits{g.Transport}
	return &g
}

type limits struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (l limits) RoundTrip(r *http.Request) (*http.Response, error) {
	next := l.next
	if next == nil {
		next = http.DefaultTransport
	}
	res, err := next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if res.StatusCode == http.StatusOK && kind != "application/json" && strings.HasSuffix(r.URL.Path, "/token") {
		res.Body.Close()
		return nil, errNotJSON
	}
	res.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(res.Body, maxAnswer), res.Body}
	return res, nil
}
