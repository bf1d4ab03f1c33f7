// Package awsjson is what it takes to ask an AWS service that speaks JSON over POST
// (https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html): a signature, and a connection to somebody who is Amazon. AWS's SDK takes 5 MB and 7 ms
// of a cold start for the same.
package awsjson

// This file decides whom to trust, and how to connect.

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"edgeauth/internal/endpoint"
)

// Suffix is the domain of a Region's partition (https://docs.aws.amazon.com/general/latest/gr/ddb.html).
func Suffix(region string) string {
	if strings.HasPrefix(region, "cn-") {
		return "amazonaws.com.cn"
	}
	return "amazonaws.com"
}

// Client returns how to ask. It trusts Amazon's roots, and the system's once the server's chain has ended in another one. Its connections are kept
// between questions: a new one costs more than all else that a question does. A request that has a body must have GetBody.
func Client() func(*http.Request) (*http.Response, error) {
	amazons, systems := endpoint.Unredirected(client(endpoint.AmazonRoots())), endpoint.Unredirected(client(nil))
	var foreign atomic.Bool
	return func(r *http.Request) (*http.Response, error) {
		if foreign.Load() {
			return systems(r)
		}
		response, err := amazons(r)
		if unknown := (x509.UnknownAuthorityError{}); errors.As(err, &unknown) {
			foreign.Store(true)
			r.Body, _ = r.GetBody()
			return systems(r)
		}
		return response, err
	}
}

// client speaks HTTP/1.1, which for one request is one round of work less than HTTP/2. A connection that was idle for half a minute, by the wall's
// clock, may be dead and is not used.
func client(roots *x509.CertPool) *http.Client {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	return &http.Client{Transport: &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		TLSClientConfig:        &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		Protocols:              &protocols,
		IdleConnTimeout:        30 * time.Second,
		DisableCompression:     true,
		MaxResponseHeaderBytes: 64 << 10,
	}}
}
