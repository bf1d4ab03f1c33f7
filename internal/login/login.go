// Package login walks a browser through the authorization-code flow with state, nonce and PKCE,
// keeps its session alive, and ends it.
//
// It keeps nothing: what must be remembered between two requests is in the browser's cookies,
// sealed where the browser must not read or change it. No session begins before the ID token has
// been verified completely, by two implementations that share no code. Only a logout takes a
// session away; a renewal that fails leaves the cookies alone, because another tab may have just
// renewed them.
package login

// This file decides what a walk depends on.

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"time"

	"edgeauth/cuts"
	"edgeauth/internal/device"
	"edgeauth/internal/page"
	"edgeauth/internal/token"
)

// Config is what a handler is made with, before anything is known of the user pool.
type Config struct {
	// Provider returns the app client to sign in with, and what holds for its sessions. It is asked
	// for every request, so it must answer from memory when it can; an error means that nobody can
	// tell right now. Required.
	Provider func(context.Context) (Provider, error)

	// Outdated, if set, is called when the identity provider refuses the client's secret, a request
	// comes by a host that is not listed, or with something sealed that does not open: Provider should
	// look again before it answers next, but not every time, since anybody can make such requests.
	Outdated func()

	Function  string                     // the Lambda's name, which keeps the metrics of several stacks apart; empty: one name for all
	RequestID func(*http.Request) string // what a person quotes when something went wrong; nil: nothing

	HTTP *http.Client     // for the token endpoint; redirects are never followed, whatever it says. nil: a client with a timeout
	Now  func() time.Time // nil: time.Now
	Rand io.Reader        // nil: crypto/rand
	Log  *slog.Logger     // nil: slog.Default()
}

// Provider is the app client at the user pool, where the application lives, and what holds for its
// sessions.
type Provider struct {
	Issuer string     // the user pool's issuer URL, byte for byte; required
	Keys   token.Keys // its signing keys; required

	// SecondOpinion verifies an ID token once more, with an implementation that shares no code with
	// package token. Required.
	SecondOpinion func(ctx context.Context, raw, clientID string) error

	ClientID     string
	Secret       string        // the client's secret
	FormerSecret string        // the one before it, as long as cookies sealed with it may be about; "" when there is none
	LoginURL     string        // the pool's domain, such as https://example.auth.eu-west-1.amazoncognito.com
	BaseURLs     []string      // where the application lives: origin and base path, such as https://app.example.com/Prod
	RefreshLife  time.Duration // how long a refresh token lives; 0: Cognito's 30 days

	Brand  page.Brand
	Scopes []string // nil: openid and email, which keeps Cognito's ID token small
	Claims []string // names of further claims that scripts are told, as backends are

	// HeaderBudget is how many bytes of request line and headers the API takes; 0: 10,240, the
	// limit of HTTP APIs.
	// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
	HeaderBudget int
	SessionMax   time.Duration // a session ends this long after the sign-in, renewed or not; 0: no limit of our own
	SessionIdle  time.Duration // a session that was not renewed for this long ends; 0: no limit

	Devices device.Policy // whether sessions are bound to devices; "": device.Offer

	Cuts      *cuts.List // of sessions that were ended early; nil: there is none
	CutsAdmit bool       // while it is out of reach, sessions that are not known to be ended go on
}

// complete fills in what may be left out, and fails for what may not.
func (p *Provider) complete() error {
	if p.Issuer == "" || p.Keys == nil || p.SecondOpinion == nil {
		return errors.New("login: Provider lacks Issuer, Keys or SecondOpinion")
	}
	if p.Scopes == nil {
		p.Scopes = []string{"openid", "email"}
	}
	p.HeaderBudget = cmp.Or(p.HeaderBudget, 10240)
	p.Devices = cmp.Or(p.Devices, device.Offer)
	return nil
}

// String keeps the secrets out of everything that prints a Provider.
func (p Provider) String() string { return "login.Provider(" + p.ClientID + ")" }

// GoString does so for %#v.
func (p Provider) GoString() string { return p.String() }

// LogValue does so for slog.
func (p Provider) LogValue() slog.Value { return slog.StringValue(p.String()) }

// MarshalJSON does so for encoding/json.
func (p Provider) MarshalJSON() ([]byte, error) { return []byte(`"login.Provider"`), nil }
