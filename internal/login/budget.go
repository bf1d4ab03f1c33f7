package login

// This file decides whether a session fits: into the cookies that a browser keeps and into the request that the API takes. Both drop what does not fit
// without saying so, and the user would go round in circles; so it is measured before anything is set.

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"edgeauth/internal/cookie"
	"edgeauth/internal/reason"
	"edgeauth/internal/token"
)

// maxToken is the longest ID token that package token reads.
const maxToken = 16 << 10

var errTooLarge = reason.New(reason.LoginTooLarge, "login: the session does not fit into a request")

// fit returns what makes the browser hold the session of t, whose refresh token lives until expires. A session that fits everywhere but beside its own
// refresh token is given without one.
func (v *visit) fit(t tokens, claims token.Claims, expires int64, target string) ([]string, error) {
	lines, err := v.establish(t, claims, expires)
	if errors.Is(err, cookie.ErrTooLarge) {
		return nil, fmt.Errorf("%w: an ID token of %d bytes", errTooLarge, len(t.id))
	}
	if err != nil {
		return nil, err
	}
	page, ours := v.weight(lines, target)
	if page <= v.HeaderBudget && ours > v.HeaderBudget && t.refresh != "" {
		t.refresh = ""
		return v.fit(t, claims, expires, target)
	}
	if size := max(page, ours); size > v.HeaderBudget {
		return nil, fmt.Errorf("%w: %d of %d bytes", errTooLarge, size, v.HeaderBudget)
	}
	return lines, nil
}

// reserve is what later requests may carry beyond what this one does: a Referer, an Origin, a content type.
const reserve = 256

// weight returns how many bytes the next request for a page, and the next for one of our routes, will take once the browser holds what lines set.
func (v *visit) weight(lines []string, target string) (page, ours int) {
	page = v.headers() + min(len(target), maxTarget) + v.sent(func(name string) bool { return !v.ours(name) })
	ours = page
	for _, l := range lines {
		if n := cookie.Size([]string{l}); strings.Contains(l, "; Path=/; ") {
			page, ours = page+n, ours+n
		} else {
			ours += n
		}
	}
	return page, ours
}

// headers returns how many bytes a request takes beside its path and cookies, with this request as the sample.
func (v *visit) headers() int {
	size := len("GET  HTTP/1.1\r\nHost: \r\nCookie: \r\n\r\n") + len(v.r.Host) + reserve
	for name, values := range v.r.Header {
		if name == "Cookie" || addedOnTheWay(name) {
			continue
		}
		for _, value := range values {
			size += len(name) + len(value) + len(": \r\n")
		}
	}
	return size
}

// sent returns how many bytes the cookies take that were sent and that which picks.
func (v *visit) sent(which func(name string) bool) (size int) {
	for name, value := range cookie.All(v.cookies) {
		if which(name) {
			size += len(name) + len(value) + len("=; ")
		}
	}
	return size
}

// ours reports whether name is a cookie that a new session replaces, or that no other request carries.
func (v *visit) ours(name string) bool {
	return slices.ContainsFunc([]string{cookie.Session, refreshCookie, loopCookie, pendingPrefix, fragmentPrefix}, func(prefix string) bool {
		return strings.HasPrefix(name, prefix)
	})
}

// addedOnTheWay reports whether proxies add a header, so that the browser does not send it.
func addedOnTheWay(name string) bool {
	return name == "Via" || slices.ContainsFunc([]string{"X-Forwarded-", "X-Amz", "Cloudfront-"}, func(prefix string) bool {
		return strings.HasPrefix(http.CanonicalHeaderKey(name), prefix)
	})
}
