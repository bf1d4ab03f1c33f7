package login

// This file decides what a request is before any route sees it: which site it belongs to, and what
// its browser holds.

import (
	"errors"
	"net/http"
	"time"

	"edgeauth/internal/device"
	"edgeauth/internal/jar"
	"edgeauth/internal/reason"
)

// handler answers every route.
type handler struct {
	Config
	client *http.Client
}

// visit is one request, and what its answer depends on.
type visit struct {
	*handler
	r        *http.Request
	route    string
	up       string // from this page to <base>/auth/
	now      time.Time
	provider Provider
	site     site
	jar      *jar.Jar
	idp      backChannel

	challenges device.Challenges
}

// enter finds out which site the request belongs to, and opens its jar.
func (v *visit) enter(base string) error {
	p, err := v.known()
	if err != nil {
		return err
	}
	v.provider = p
	if v.site, err = siteOf(p.BaseURLs, v.r.Host, base); errors.Is(err, errHost) {
		v.Outdated() // the application may have moved since
		if p, err = v.known(); err == nil {
			v.site, err = siteOf(p.BaseURLs, v.r.Host, base)
		}
	}
	if err != nil {
		return err
	}
	if err := v.use(p); err != nil {
		return err
	}
	if v.jar.Foreign() {
		v.newSecret() // while the secret changes, another instance may have sealed with the next one
	}
	p = v.provider
	v.idp = backChannel{
		client: v.client, oauth: oauthConfig(p, v.site, p.Scopes), revocation: p.LoginURL + "/oauth2/revoke",
		newSecret: v.newSecret,
	}
	return nil
}

// known returns what is known of the provider now.
func (v *visit) known() (Provider, error) {
	p, err := v.Provider(v.r.Context())
	if err == nil {
		err = p.complete()
	}
	if err != nil {
		return Provider{}, errors.Join(errConfig, err)
	}
	return p, nil
}

// use makes p the client of this visit.
func (v *visit) use(p Provider) error {
	secrets := []string{p.Secret, p.FormerSecret}
	j, err := jar.Open(v.r, v.now, jar.Config{
		Site: v.site.url, Base: v.site.base, Secrets: secrets,
		Budget: p.HeaderBudget, Rand: v.Rand, SessionMax: p.SessionMax, SessionIdle: p.SessionIdle,
	})
	if err != nil {
		return errors.Join(errConfig, err)
	}
	if v.challenges, err = device.NewChallenges(v.site.url, secrets...); err != nil {
		return errors.Join(errConfig, err)
	}
	v.provider, v.jar = p, j
	return nil
}

// newSecret asks for the client's secret again and returns it if it is another one by now.
func (v *visit) newSecret() (string, bool) {
	v.Outdated()
	p, err := v.known()
	if err != nil || p.Secret == v.provider.Secret || v.use(p) != nil {
		return "", false
	}
	return p.Secret, true
}

var (
	errNotFound = reason.New(reason.NotFound, "login: no such page")
	errMethod   = reason.New(reason.MethodNotAllowed, "login: the route does not take this method")
	errConfig   = reason.New(reason.ConfigUnavailable, "login: the application's settings are out of reach")
)
