package jwks

// This file decides what may be fetched and from whom. The answer is small, of one type, from the
// very address configured, by whoever holds a certificate for it. A connection is used once: an
// idle one would have to be kept alive between events, by goroutines that are frozen with them.

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"

	"edgeauth/internal/endpoint"
)

const maxBody = 1 << 20

// What makes an answer unusable.
var (
	ErrStatus   = errors.New("status is not 200")
	ErrType     = errors.New("content type is not JSON")
	ErrEncoding = errors.New("content is encoded")
	ErrSize     = errors.New("larger than 1 MB")
)

// fetch asks the issuer for the key set.
func (s *Set) fetch(ctx context.Context) ([]Key, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/json")
	request.Header.Set("Accept-Encoding", "identity")
	response, err := s.get(request)
	if wrapped := (*url.Error)(nil); errors.As(err, &wrapped) {
		err = wrapped.Err // the address is told with every failure
	}
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if err := acceptable(response); err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody+1))
	if err != nil {
		return nil, err
	}
	if len(body) > maxBody {
		return nil, ErrSize
	}
	return Parse(body)
}

// acceptable judges an answer by its head.
func acceptable(r *http.Response) error {
	if r.StatusCode != http.StatusOK {
		return fmt.Errorf("%w but %d", ErrStatus, r.StatusCode)
	}
	switch mediaType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); mediaType {
	case "application/json", "application/jwk-set+json":
	default:
		return ErrType
	}
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		return ErrEncoding
	}
	return nil
}

// strictClient returns how to ask when nobody says. It trusts roots first, and the system's roots
// when the server's chain ends in another one: most never load those.
func strictClient(roots *x509.CertPool) func(*http.Request) (*http.Response, error) {
	return func(request *http.Request) (*http.Response, error) {
		pool := roots
		if pool == nil {
			pool = endpoint.AmazonRoots()
		}
		response, err := endpoint.Unredirected(&http.Client{Transport: transport(pool)})(request)
		if unknown := (x509.UnknownAuthorityError{}); errors.As(err, &unknown) {
			return endpoint.Unredirected(&http.Client{Transport: transport(nil)})(request)
		}
		return response, err
	}
}

// transport speaks HTTP/1.1, which for one request is one round of work less than HTTP/2, and asks
// for no compression.
func transport(roots *x509.CertPool) *http.Transport {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		TLSClientConfig:        &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		Protocols:              &protocols,
		DisableKeepAlives:      true,
		DisableCompression:     true,
		MaxResponseHeaderBytes: 64 << 10,
	}
}
