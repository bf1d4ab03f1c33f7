package local

// This file decides by which certificate the API is served over TLS: one that this machine has made for itself, good for localhost and the names under it,
// and kept, so that whoever told a browser to trust it has to do so once a year.

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

const (
	certificateLife = 365 * 24 * time.Hour
	certificateRest = 30 * 24 * time.Hour // with less left, a new one is made
)

// certificate is a certificate with its key, and the file that holds both.
type certificate struct {
	tls.Certificate
	file string
}

// certificateIn returns the certificate that a folder holds, or a new one that it holds from now on.
func certificateIn(folder string, now time.Time) (certificate, error) {
	c := certificate{file: filepath.Join(folder, "localhost.pem")}
	if kept, err := tls.LoadX509KeyPair(c.file, c.file); err == nil && kept.Leaf.NotAfter.Sub(now) > certificateRest && !now.Before(kept.Leaf.NotBefore) {
		c.Certificate = kept
		return c, nil
	}
	text, err := newCertificate(now)
	if err != nil {
		return c, err
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return c, err
	}
	if err := replace(c.file, text); err != nil {
		return c, err
	}
	c.Certificate, err = tls.X509KeyPair(text, text)
	return c, err
}

// replace writes a file at once, so that nobody reads half of it.
func replace(file string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(file), "localhost-*.pem") // readable by its owner alone
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	if _, err := f.Write(text); err != nil {
		_ = f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), file)
}

// newCertificate returns a self-signed certificate and its key, PEM.
func newCertificate(now time.Time) ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	about := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "localhost"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(certificateLife),
		DNSNames: []string{"localhost", "*.localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, about, about, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return append(text, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})...), nil
}

// pin is the hash of the certificate's public key, as Chromium's --ignore-certificate-errors-spki-list takes it.
func (c certificate) pin() string {
	sum := sha256.Sum256(c.Leaf.RawSubjectPublicKeyInfo)
	return base64.StdEncoding.EncodeToString(sum[:])
}

// server is what the API is served with.
func (c certificate) server() *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{c.Certificate}, MinVersion: tls.VersionTLS12}
}

// trusting returns a client's configuration that knows the certificate.
func (c certificate) trusting() *tls.Config {
	pool := x509.NewCertPool()
	pool.AddCert(c.Leaf)
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
}
