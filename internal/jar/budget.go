package jar

// This file decides how much a request weighs: what browsers and gateways drop or refuse without
// saying so would send the user round in circles, so it is measured before anything is set.

import (
	"net/http"
	"slices"
	"strings"

	"edgeauth/internal/cookie"
)

// reserve is what later requests may carry beyond what this one does: a Referer, an Origin, a
// content type.
const reserve = 256

// weight returns how many bytes the next request for target takes, or the next for one of our
// routes if that is more, once the browser holds what lines set.
func (j *Jar) weight(target string, lines []cookie.Line) int {
	others := j.weigh(func(name string) bool { return !replaced(name) })
	return j.others + len(target) + others + size(lines)
}

// headers returns how many bytes a request takes beside its path and cookies, with r as the sample.
func headers(r *http.Request) int {
	size := len("GET  HTTP/1.1\r\nHost: \r\nCookie: \r\n\r\n") + len(r.Host) + reserve
	for name, values := range r.Header {
		if name == "Cookie" || addedOnTheWay(name) {
			continue
		}
		for _, value := range values {
			size += len(name) + len(value) + len(": \r\n")
		}
	}
	return size
}

// weigh returns how many bytes the cookies take that were sent and that which picks.
func (j *Jar) weigh(which func(name string) bool) (size int) {
	for name, value := range cookie.All(j.cookies) {
		if which(name) {
			size += cookie.PairSize(name, value)
		}
	}
	return size
}

// size returns how many bytes of a Cookie header lines will take.
func size(lines []cookie.Line) (size int) {
	for _, l := range lines {
		size += l.Size()
	}
	return size
}

// replaced reports whether name is a cookie that a new session replaces, or that is gone soon.
func replaced(name string) bool {
	prefixes := []string{
		cookie.Session, browserCookie, refreshCookie, loopCookie, pendingPrefix, binderPrefix, fragmentPrefix,
	}
	return slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}

// addedOnTheWay reports whether proxies add a header, so that the browser does not send it.
func addedOnTheWay(name string) bool {
	prefixes := []string{"X-Forwarded-", "X-Amz", "Cloudfront-"}
	return name == "Via" || slices.ContainsFunc(prefixes, func(prefix string) bool {
		return strings.HasPrefix(http.CanonicalHeaderKey(name), prefix)
	})
}
