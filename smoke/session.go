package smoke

// This file asks what Cognito and API Gateway make of a session once it has begun: what a renewal and a second sign-in change of a token, whom a preflight lets
// in, and what nobody can see from outside.

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

func (t Target) askSession(ctx context.Context, r *report) {
	b := newBrowser(t, http1)
	if _, err := b.signIn(ctx); err != nil {
		r.unknown("what a renewal changes", "%v", err)
		return
	}
	first := b.claims()
	if a, err := b.program(ctx, http.MethodPost, "/auth/refresh", "Cookie", b.everything()); err != nil || a.status != http.StatusNoContent {
		r.unknown("what a renewal changes", "it was answered %d, %v", a.status, err)
	} else {
		renewed := b.claims()
		r.pass(renewed["sub"] == first["sub"] && renewed["iss"] == first["iss"], "a renewal keeps issuer and subject", "%v %v", renewed["iss"], renewed["sub"])
		r.info("auth_time after a renewal", "%s", change(first, renewed, "auth_time"))
		r.info("nonce after a renewal", "%s", change(first, renewed, "nonce"))
		r.info("origin_jti after a renewal", "%s", change(first, renewed, "origin_jti"))
	}
	select { // auth_time counts seconds
	case <-ctx.Done():
		return
	case <-time.After(1100 * time.Millisecond):
	}
	if _, err := b.signInTo(ctx, b.to("/auth/login?prompt=login")); err != nil {
		r.unknown("auth_time after a sign-in with prompt=login and max_age=0", "%v", err)
	} else {
		r.info("auth_time after a sign-in with prompt=login and max_age=0", "%s", change(first, b.claims(), "auth_time"))
	}

	const stranger = "https://stranger.example"
	a, err := newBrowser(t, http1).send(ctx, http.MethodOptions, b.to("/api/me"), nil, "Origin", stranger, "Access-Control-Request-Method", "GET")
	if err == nil {
		allowed := a.header.Get("Access-Control-Allow-Origin")
		r.pass(allowed != stranger && allowed != "*", "a preflight lets no stranger in", "%q", allowed)
		r.info("a preflight of a stranger", "%d, Access-Control-Allow-Origin %q", a.status, allowed)
	}
	r.info("the path in the ARN behind a base-path mapping", "%s; if sessions work below it, both agree", basePath(b))
	r.unknown("execute-api beside a domain of one's own", "nothing from outside names its host: curl it, 403 is right")
}

// change says what has become of a claim, without the values of those that are secret to somebody.
func change(before, after map[string]any, claim string) string {
	was, there := before[claim]
	is, still := after[claim]
	earlier, ok := was.(float64)
	later, too := is.(float64)
	switch {
	case !there && !still:
		return "absent before and after"
	case !still:
		return "gone"
	case !there:
		return "new"
	case was == is:
		return "the same"
	case ok && too:
		return fmt.Sprintf("%+.0f s", later-earlier)
	}
	return "another"
}

func basePath(b *browser) string {
	if path := b.base.EscapedPath(); path != "" {
		return "this address has the base " + path
	}
	return "this address has none"
}
