package smoke

// This file asks what the documentation of API Gateway and Cognito leaves open. Where our design depends on an answer the verdict is PASS or FAIL, else INFO.

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
)

func (t Target) askGateway(ctx context.Context, r *report, b *browser) {
	stranger := newBrowser(t, http1)

	a, err := stranger.navigate(ctx, b.to("/?accept"))
	if err == nil {
		r.info("does Accept choose a gateway response's template", "a page's 302 came as %q, with x-amzn-ErrorType %q", a.header.Get("Content-Type"), a.header.Get("X-Amzn-Errortype"))
		r.pass(!strings.Contains(a.body, "$context"), "no variable is left unsubstituted", "%s", a.body)
	}

	for _, path := range []string{"/api/me/", "/api//me", "/api/%6De", "/api/x/../me", "/api/me?x=%zz", "/api/*", "/%2e%2e/api/me"} {
		u := *b.base
		raw, query, _ := strings.Cut(b.base.EscapedPath()+path, "?")
		u.Opaque, u.RawQuery = "//"+u.Host+raw, query
		without, err := stranger.send(ctx, http.MethodGet, &u, nil, "Accept", "application/json")
		if err != nil {
			r.unknown("path "+path, "%v", err)
			continue
		}
		if !r.pass(without.status >= 300, "path "+path+" shows nothing to nobody", "%d %s", without.status, without.body) {
			continue
		}
		with, err := b.send(ctx, http.MethodGet, &u, nil, "Accept", "application/json", "Cookie", b.session())
		if err == nil {
			r.info("path "+path, "%d without a session, %d with one", without.status, with.status)
		}
	}

	a, err = stranger.navigate(ctx, b.to("/deep/"+strings.Repeat("segment/", 120)+"?q="+strings.Repeat("%E2%82%AC", 300)))
	if err == nil {
		r.info("a very long and non-ASCII return path", "%d, Location of %d bytes", a.status, len(a.header.Get("Location")))
		r.pass(a.status < 500, "a very long path is no failure", "%d", a.status)
	}
	a, err = b.program(ctx, "GET", "/api/me", "Cookie", b.session()+"; filler="+strings.Repeat("x", 11000))
	if err == nil {
		r.info("headers over 10,240 bytes", "%d %s", a.status, a.body)
	}
	r.unknown("which response type a failing authorizer raises", "nothing from outside makes it fail; both are answered alike")
}

func (t Target) askCognito(ctx context.Context, r *report) {
	b := newBrowser(t, http1)
	a, err := b.navigate(ctx, b.to("/auth/login"))
	if err != nil || a.next() == nil {
		r.unknown("everything", "the application sends nobody to a login page")
		return
	}
	authorize := a.next()
	with := func(change func(url.Values)) (answer, error) {
		u, q := *authorize, authorize.Query()
		change(q)
		u.RawQuery = q.Encode()
		return b.navigate(ctx, &u)
	}

	a, err = with(func(q url.Values) { q.Set("redirect_uri", "https://evil.example/callback") })
	if err == nil {
		to := a.next()
		r.pass(to == nil || to.Hostname() != "evil.example", "a foreign redirect_uri is not redirected to", "%s", a.header.Get("Location"))
		r.info("it is answered", "%d %s", a.status, pathOf(to))
	}
	for _, q := range []struct{ what, name, value string }{
		{"an unknown scope", "scope", "openid nonsense/scope"},
		{"an unknown response_type", "response_type", "nonsense"},
		{"PKCE by plain", "code_challenge_method", "plain"},
	} {
		a, err = with(func(v url.Values) { v.Set(q.name, q.value) })
		if err != nil {
			r.unknown(q.what, "%v", err)
			continue
		}
		if to := a.next(); to != nil && to.Host == b.base.Host {
			r.info(q.what, "comes back with error=%s, state echoed: %t", to.Query().Get("error"), to.Query().Get("state") == authorize.Query().Get("state"))
		} else {
			r.info(q.what, "%d %s", a.status, pathOf(to))
		}
	}
	largest := 0
	for _, size := range []int{1000, 2000, 4000, 6000, 7500} {
		if a, err = with(func(q url.Values) { q.Set("state", strings.Repeat("s", size)) }); err == nil && a.status < 400 {
			largest = size
		}
	}
	r.info("largest state that the login page takes", "%d bytes of 1000, 2000, 4000, 6000, 7500", largest)

	t.askTokenEndpoint(ctx, r, b, authorize)
	t.askKeys(ctx, r)
	r.unknown("PKCE mismatch, expired code, reuse of a rotated refresh token", "they need the client's secret, which stays where it is")
	r.unknown("throttling", "finding out would throttle others")
}

func pathOf(u *url.URL) string {
	if u == nil {
		return ""
	}
	return "to " + u.Host + u.Path
}

func (t Target) askTokenEndpoint(ctx context.Context, r *report, b *browser, authorize *url.URL) {
	u := *authorize
	u.Path, u.RawQuery = "/oauth2/token", ""
	for _, q := range []struct {
		what string
		form url.Values
	}{
		{"/oauth2/token without the secret", url.Values{"grant_type": {"authorization_code"}, "client_id": authorize.Query()["client_id"], "code": {"none"}, "redirect_uri": authorize.Query()["redirect_uri"]}},
		{"/oauth2/token with another grant", url.Values{"grant_type": {"password"}, "client_id": authorize.Query()["client_id"]}},
	} {
		a, err := b.send(ctx, http.MethodPost, &u, q.form, "Accept", "application/json")
		if err != nil {
			r.unknown(q.what, "%v", err)
			continue
		}
		r.pass(a.status >= 400, q.what+" gives no token", "%d", a.status)
		r.info(q.what, "%d %s", a.status, a.body)
	}
}

// askKeys looks at the key set as the authorizer sees it. Its address stands in a token, so there has to be a session.
func (t Target) askKeys(ctx context.Context, r *report) {
	b := newBrowser(t, http1)
	if _, err := b.signIn(ctx); err != nil {
		r.unknown("keys", "%v", err)
		return
	}
	issuer, _ := b.claims()["iss"].(string)
	for _, name := range []string{"jwks.json", "openid-configuration"} {
		u, err := url.Parse(issuer + "/.well-known/" + name)
		if err != nil || u.Host == "" {
			r.unknown(name, "the token names no issuer")
			return
		}
		a, err := b.send(ctx, http.MethodGet, u, nil)
		if err != nil {
			r.unknown(name, "%v", err)
			continue
		}
		var document struct {
			Keys []struct{ Kid, Alg, Use string }
		}
		r.pass(a.status == 200 && json.Unmarshal([]byte(a.body), &document) == nil, name+" is there", "%d", a.status)
		r.info(name, "Cache-Control %q, Age %q, %d keys, %d bytes", a.header.Get("Cache-Control"), a.header.Get("Age"), len(document.Keys), len(a.body))
	}
}
