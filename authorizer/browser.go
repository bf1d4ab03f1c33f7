// This file decides what a browser means by a request: whether a person is waiting for a page, and whether another site is behind it.

package main

import (
	"slices"
	"strings"

	"edgeauth/internal/apigw"
)

// navigation reports whether a person is waiting for a page, so that a redirect to the login makes sense. Browsers say so (Fetch Metadata,
// https://www.w3.org/TR/fetch-metadata/); of others, one that names text/html is taken for a browser.
func navigation(r *apigw.Request) bool {
	if r.Method != "GET" && r.Method != "HEAD" {
		return false
	}
	purpose, _ := r.Value(apigw.Purpose)
	secPurpose, _ := r.Value(apigw.SecPurpose)
	if strings.Contains(purpose, "prefetch") || strings.Contains(secPurpose, "prefetch") {
		return false // nobody is waiting yet, and a login that was started would only be in the way
	}
	if r.Has(apigw.SecFetchMode) || r.Has(apigw.SecFetchDest) || r.Has(apigw.SecFetchSite) {
		mode, _ := r.Value(apigw.SecFetchMode)
		dest, _ := r.Value(apigw.SecFetchDest)
		return mode == "navigate" && dest == "document"
	}
	accept, _ := r.Value(apigw.Accept)
	return accepts(accept, "text/html")
}

// accepts reports whether an Accept header names a media type. A wildcard names none: programs send it.
func accepts(header, media string) bool {
	for part := range strings.SplitSeq(header, ",") {
		name, _, _ := strings.Cut(part, ";")
		if strings.EqualFold(strings.TrimSpace(name), media) {
			return true
		}
	}
	return false
}

// crossSite reports whether a request that a cookie authenticates may come from another site's page: the algorithm of net/http's
// CrossOriginProtection for methods that change something, and an allowed origin for WebSocket handshakes, which no same-origin policy guards.
// What the request's own host is, API Gateway says, not a header.
func crossSite(r *apigw.Request, origins []string) bool {
	origin, oneOrigin := r.Value(apigw.Origin)
	site, oneSite := r.Value(apigw.SecFetchSite)
	_, host, _ := strings.Cut(origin, "://")
	same := host != "" && host == r.Domain
	switch {
	case r.Kind != apigw.WebSocket && (r.Method == "GET" || r.Method == "HEAD" || r.Method == "OPTIONS"):
		return false
	case !oneOrigin || !oneSite:
		return true
	case origin != "" && slices.Contains(origins, origin):
		return false
	case r.Kind == apigw.WebSocket:
		return !same
	case site == "same-origin" || site == "none":
		return false
	case site != "":
		return true
	}
	return origin != "" && !same // without either header it is no browser
}
