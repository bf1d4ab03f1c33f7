package login

// This file decides which site a request belongs to. API Gateway says under which host name and
// path it was reached; that pair must be one that the configuration lists. The Host and X-Forwarded
// headers decide nothing: they are the client's to write.

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// site is one place where the application lives.
type site struct {
	url    string // origin and base path, no slash at the end: https://app.example.com/Prod
	origin string // https://app.example.com
	base   string // /Prod, or "" at the root
}

// siteOf returns the listed site that host and base belong to. The scheme is the list's: a Lambda
// cannot see it.
func siteOf(baseURLs []string, host, base string) (site, error) {
	if len(baseURLs) == 0 {
		return site{}, errors.Join(errConfig, errors.New("login: no base URL is listed"))
	}
	known := false
	for _, raw := range baseURLs {
		u, err := url.Parse(raw)
		if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
			return site{}, errors.Join(errConfig, errors.New("login: a listed base URL is none"))
		}
		known = known || strings.EqualFold(u.Host, host)
		path := strings.TrimSuffix(u.EscapedPath(), "/")
		if strings.EqualFold(u.Host, host) && path == base {
			origin := u.Scheme + "://" + u.Host
			return site{url: origin + path, origin: origin, base: path}, nil
		}
	}
	if !known {
		return site{}, errHost
	}
	return site{}, errNotFound
}

// errHost is errNotFound for a host that the configuration does not list, or not yet.
var errHost = fmt.Errorf("%w: unknown host", errNotFound)

// auth returns the path of one of our routes.
func (s site) auth(route string) string { return s.base + "/auth/" + route }
