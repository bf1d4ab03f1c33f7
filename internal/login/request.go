package login

// This file decides which parameters of a request count.

import (
	"net/http"
	"net/url"
	"strings"

	"edgeauth/internal/intent"
	"edgeauth/internal/reason"
)

var (
	errBadRequest = reason.New(reason.BadRequest, "login: a parameter is repeated, too long or not allowed")
	errCrossSite  = reason.New(reason.CrossSite, "login: an unsafe request from another site")
	errPrefetch   = reason.New(reason.BadRequest, "login: nothing begins or ends for a prefetch")
)

// The questions about what a browser means, of a request here: package intent answers them, for the
// authorizer too.

func person(r *http.Request) bool     { return intent.Person(intent.Of(r.Header)) }
func navigation(r *http.Request) bool { return intent.Navigation(r.Method, intent.Of(r.Header)) }
func document(r *http.Request) bool   { return intent.Document(intent.Of(r.Header)) }
func prefetch(r *http.Request) bool   { return intent.Prefetch(intent.Of(r.Header)) }

// sameOrigin reports whether a request that changes something came from a page of this origin, or
// from no page at all.
func sameOrigin(r *http.Request) bool {
	return !intent.CrossSite(r.Method, intent.Of(r.Header), r.Host, nil)
}

// parameters returns the query's parameters with these names. Each may be there once, with at most
// 2 kB and no control characters.
func parameters(r *http.Request, names ...string) (map[string]string, error) {
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, errBadRequest
	}
	found := map[string]string{}
	for _, name := range names {
		values := q[name]
		if len(values) > 1 {
			return nil, errBadRequest
		}
		if len(values) == 1 {
			if len(values[0]) > maxParameter || strings.ContainsFunc(values[0], func(c rune) bool { return c < ' ' || c == 0x7f }) {
				return nil, errBadRequest
			}
			found[name] = values[0]
		}
	}
	return found, nil
}

const maxParameter = 4096
