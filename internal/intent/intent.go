// Package intent decides what a browser means by a request: whether a person is waiting for a page,
// and whether another site is behind it. The authorizer and the callback ask the same functions, so
// that what one sends to the login the other lets begin there.
//
// Browsers say what they mean in the Fetch Metadata headers, which no page can forge
// (https://www.w3.org/TR/fetch-metadata/). Of those that do not, the Accept and Origin headers have
// to do.
package intent

import (
	"net"
	"net/http"
	"slices"
	"strings"
)

// MaxTarget is the length in bytes of the longest address that a sign-in returns to; with it, no
// address of ours comes near the 8 kB at which proxies give up.
const MaxTarget = 2048

// Header looks up a header by its lower-case name: its value, and how many different values the
// request carries. With none, or with several, of which none can be relied on, value is "".
type Header func(name string) (value string, different int)

// Of returns the Header of a request that net/http has read.
func Of(h http.Header) Header {
	return func(name string) (string, int) {
		values := slices.Compact(slices.Sorted(slices.Values(h.Values(name))))
		if len(values) == 1 {
			return values[0], 1
		}
		return "", len(values)
	}
}

// prefetches say that a browser is only guessing that somebody might go there: today's header, and
// two that came before it.
var prefetches = [...]string{"sec-purpose", "purpose", "x-moz"}

// overrides are what frameworks and API Gateway itself take another method from
// (https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html).
var overrides = [...]string{"x-http-method-override", "x-http-method", "x-method-override"}

// Navigation reports whether a person is waiting for a page in a tab: the only request that is sent
// to the login, and the only one that begins a login.
func Navigation(method string, h Header) bool {
	if method != http.MethodGet && method != http.MethodHead || Prefetch(h) {
		return false
	}
	if said(h) {
		mode, _ := h("sec-fetch-mode")
		return mode == "navigate" && Document(h)
	}
	return acceptsHTML(h)
}

// Person reports whether somebody is going to read the answer, in a tab or a frame, whatever the
// method: a page is right then, and JSON otherwise.
func Person(h Header) bool {
	if said(h) {
		mode, _ := h("sec-fetch-mode")
		return mode == "navigate"
	}
	return acceptsHTML(h)
}

// Document reports whether a browser says that it loads a page into a tab. Such a page can run its
// script.
func Document(h Header) bool {
	dest, _ := h("sec-fetch-dest")
	return dest == "document"
}

// Prefetch reports whether nobody is waiting yet. A login that began now would only be in the way.
func Prefetch(h Header) bool {
	for _, name := range prefetches {
		if value, different := h(name); different > 1 || strings.Contains(value, "prefetch") {
			return true
		}
	}
	return false
}

// Override reports whether a request asks to be taken for one with another method than it has.
func Override(h Header) bool {
	for _, name := range overrides {
		if _, different := h(name); different > 0 {
			return true
		}
	}
	return false
}

// CrossSite reports whether another site's page may be behind a request that changes something. It
// is the algorithm of https://pkg.go.dev/net/http#CrossOriginProtection, which lets programs
// through that send neither header; but origins are compared whole. host is the request's own, as
// API Gateway says it; trusted are further origins.
func CrossSite(method string, h Header, host string, trusted []string) bool {
	origin, origins := h("origin")
	site, sites := h("sec-fetch-site")
	switch {
	case method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions:
		return false
	case origins > 1:
		return true
	case origins > 0 && slices.Contains(trusted, origin):
		return false
	case site == "same-origin" || site == "none":
		return false
	case sites > 0:
		return true
	}
	return origins > 0 && !ownOrigin(origin, host)
}

// CrossSiteHandshake reports whether another site's page may be behind the handshake of a
// WebSocket, which no same-origin policy guards (RFC 6455 section 10.2). Without an Origin nobody
// can say that none is.
func CrossSiteHandshake(h Header, host string, trusted []string) bool {
	origin, _ := h("origin")
	return origin == "" || !ownOrigin(origin, host) && !slices.Contains(trusted, origin)
}

// ownOrigin reports whether origin is that of host. API Gateway speaks https and nothing else; this
// machine needs no certificate to be talked to.
func ownOrigin(origin, host string) bool {
	scheme, rest, _ := strings.Cut(origin, "://")
	return host != "" && rest == host && (scheme == "https" || scheme == "http" && loopback(host))
}

func loopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// said reports whether the browser says what it means.
func said(h Header) bool {
	for _, name := range [...]string{"sec-fetch-mode", "sec-fetch-dest", "sec-fetch-site"} {
		if _, different := h(name); different > 0 {
			return true
		}
	}
	return false
}

// acceptsHTML reports whether the Accept header names text/html. A wildcard names nothing: programs
// send it.
func acceptsHTML(h Header) bool {
	accept, _ := h("accept")
	for part := range strings.SplitSeq(accept, ",") {
		name, _, _ := strings.Cut(part, ";")
		if strings.EqualFold(strings.TrimSpace(name), "text/html") {
			return true
		}
	}
	return false
}
