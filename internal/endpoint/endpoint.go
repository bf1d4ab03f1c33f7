// Package endpoint decides which address may be asked for what a decision depends on, and whose certificates count there.
package endpoint

import (
	"crypto/x509"
	_ "embed"
	"errors"
	"net"
	"net/http"
	"net/url"
	"sync"
)

// Why an address is refused.
var (
	errUnreadable = errors.New("endpoint: URL cannot be read")
	errForm       = errors.New("endpoint: URL must have a host, and neither user nor fragment")
	errPlain      = errors.New("endpoint: URL must be https")
)

// Check refuses an address at which anyone on the way could answer: it takes https, and http to a loopback host, where there is no network to listen
// on (RFC 8252 section 8.3).
func Check(address string) error {
	u, err := url.Parse(address)
	if err != nil {
		return errUnreadable
	}
	switch {
	case u.Hostname() == "" || u.User != nil || u.Fragment != "":
		return errForm
	case u.Scheme == "https":
		return nil
	case u.Scheme == "http" && loopback(u.Hostname()):
		return nil
	}
	return errPlain
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Unredirected returns how to ask with client, which stays as it is, but for redirects: they are answers like any other, and not the one wanted.
func Unredirected(client *http.Client) func(*http.Request) (*http.Response, error) {
	c := *client
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return c.Do
}

// amazonPEM is Amazon Root CA 1 to 4 and Starfield Services Root Certificate Authority - G2, as https://www.amazontrust.com/repository/ publishes
// them: every AWS endpoint's certificate chains up to one of these.
//
//go:embed amazon.pem
var amazonPEM []byte

// AmazonRoots returns the authorities of AWS endpoints. To load the system's costs more than all else on a cold start, so these are tried first
// (https://github.com/golang/go/issues/79018).
var AmazonRoots = sync.OnceValue(func() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(amazonPEM)
	return pool
})
