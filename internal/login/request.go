package login

// This file decides what kind of request this is: a person's browser going somewhere, or a program. Browsers say so in the Sec-Fetch headers, which no
// page can forge (https://www.w3.org/TR/fetch-metadata/); for those that do not, the Accept header has to do.

import (
	"net/http"
	"net/url"
	"strings"

	"edgeauth/internal/reason"
)

var (
	errBadRequest = reason.New(reason.BadRequest, "login: a parameter is repeated, too long or not allowed")
	errCrossSite  = reason.New(reason.CrossSite, "login: an unsafe request from another site")
	errPrefetch   = reason.New(reason.BadRequest, "login: nothing begins or ends for a prefetch")
)

// person reports whether somebody is going to read the answer.
func person(r *http.Request) bool {
	if mode := r.Header.Get("Sec-Fetch-Mode"); mode != "" {
		return mode == "navigate"
	}
	return strings.Contains(r.Header.Get("Accept"), "text/html")
}

// navigation reports whether the browser's tab is going to this address: the only request that may begin a login.
func navigation(r *http.Request) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead || prefetch(r) || !person(r) {
		return false
	}
	return r.Header.Get("Sec-Fetch-Mode") == "" || document(r)
}

// document reports whether a browser said that it is loading a page into a tab: then a page can run its script.
func document(r *http.Request) bool { return r.Header.Get("Sec-Fetch-Dest") == "document" }

// prefetch reports whether the browser is only guessing that somebody might go there.
func prefetch(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Sec-Purpose"), "prefetch") || strings.Contains(r.Header.Get("Purpose"), "prefetch") ||
		strings.Contains(r.Header.Get("X-Moz"), "prefetch")
}

// sameOrigin reports whether a request that changes something came from a page of this origin, or from no page at all. It is the algorithm of
// https://pkg.go.dev/net/http#CrossOriginProtection, which also lets programs through that send neither header.
func sameOrigin(r *http.Request) bool {
	return http.NewCrossOriginProtection().Check(r) == nil
}

// parameters returns the query's parameters with these names. Each may be there once, with at most 2 kB and no control characters.
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
