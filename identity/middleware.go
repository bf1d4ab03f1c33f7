// This file carries the caller through net/http: into the context of a request, out of it, and a
// 401 where there is none.

package identity

import (
	"context"
	"errors"
	"net/http"

	"edgeauth/internal/intent"
)

type key struct{}

// NewContext returns a context that carries what API Gateway handed on; From reads it.
func NewContext(ctx context.Context, authorizer map[string]any) context.Context {
	return context.WithValue(ctx, key{}, authorizer)
}

// From returns the caller of the request that ctx belongs to, ErrAnonymous or ErrNone.
func From(ctx context.Context) (Identity, error) {
	authorizer, _ := ctx.Value(key{}).(map[string]any)
	return FromContext(authorizer)
}

// Require lets requests through that have a caller, and answers 401 to others. A route that was
// left without authorizer, or reached in a way that went past it, is thus closed: no context never
// means an anonymous caller.
func Require(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := From(r.Context()); err != nil {
			refuse(w, http.StatusUnauthorized, "Unauthorized", "no_session")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// Optional lets requests through that have a caller, and those that the authorizer let through
// without one, because a rule lets anyone through: From tells them apart. It answers 401 to others,
// as Require does.
func Optional(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := From(r.Context()); err != nil && !errors.Is(err, ErrAnonymous) {
			refuse(w, http.StatusUnauthorized, "Unauthorized", "no_session")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// refuse answers in the form that the API's own refusals have.
func refuse(w http.ResponseWriter, status int, message, reason string) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(`{"message":"` + message + `","reason":"` + reason + `"}` + "\n"))
}

// Guard refuses unsafe requests that a browser sends on behalf of another site: the check that the
// authorizer makes for each request, for deployments whose API caches the authorizer's answers, and
// those never see a second one. Requests with an Authorization header are not concerned, since no
// other site can send one unasked, and the authorizer judges them by it alone. trusted are further
// origins, such as "https://app.example.com".
func Guard(next http.Handler, trusted ...string) (http.Handler, error) {
	p := http.NewCrossOriginProtection()
	for _, origin := range trusted {
		if err := p.AddTrustedOrigin(origin); err != nil {
			return nil, err
		}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "" && (p.Check(r) != nil || intent.Override(intent.Of(r.Header))) {
			refuse(w, http.StatusForbidden, "Forbidden", "cross_site")
			return
		}
		next.ServeHTTP(w, r)
	}), nil
}
