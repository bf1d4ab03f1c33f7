package jwks_test

// What a fetch takes for an answer, and from whom, over real connections.

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"edgeauth/internal/token/tokentest"
	"edgeauth/jwks"
)

// authority is a certificate authority of one server.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newAuthority(name string) authority {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return authority{certificate, key}
}

func (a authority) pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.certificate)
	return p
}

// serve starts a server at host whose certificate a signed for it until notAfter.
func (a authority) serve(t *testing.T, host string, notAfter time.Time, h http.Handler) string {
	template := &x509.Certificate{SerialNumber: big.NewInt(2), DNSNames: []string{host}, NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: notAfter}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, &a.key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(h)
	server.Config.ErrorLog = nil
	server.EnableHTTP2 = true
	server.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: a.key}}}
	server.StartTLS()
	t.Cleanup(server.Close)
	return strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
}

// Three authorities: one to be pinned, one that the system trusts, one that nobody does.
var pinned, system, stranger = newAuthority("pinned"), newAuthority("system"), newAuthority("stranger")

func TestMain(m *testing.M) {
	folder, err := os.MkdirTemp("", "roots")
	if err != nil {
		panic(err)
	}
	file := filepath.Join(folder, "roots.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: system.certificate.Raw}), 0o600); err != nil {
		panic(err)
	}
	os.Setenv("SSL_CERT_FILE", file)
	os.Setenv("SSL_CERT_DIR", folder)
	code := m.Run()
	os.RemoveAll(folder)
	os.Exit(code)
}

// ask makes a set of what is at url and asks it for the pool's first key.
func ask(t *testing.T, url string, roots *x509.CertPool) error {
	t.Helper()
	s, err := jwks.New(jwks.Config{URL: url, Roots: roots})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Key(context.Background(), jwks.Wanted{ID: tokentest.StockKey(0).ID})
	return err
}

func TestPinnedRootsFirstThenTheSystems(t *testing.T) {
	later := time.Now().Add(time.Hour)
	for _, c := range []struct {
		why   string
		by    authority
		roots *x509.CertPool
		good  bool
	}{
		{"pinned", pinned, pinned.pool(), true},
		{"the system's, another one pinned", system, pinned.pool(), true},
		{"the system's, Amazon's pinned", system, nil, true},
		{"a stranger's", stranger, pinned.pool(), false},
		{"a stranger's, Amazon's pinned", stranger, nil, false},
		{"pinned by others", pinned, nil, false},
	} {
		err := ask(t, c.by.serve(t, "localhost", later, tokentest.New(t)), c.roots)
		unknown := x509.UnknownAuthorityError{}
		if c.good && err != nil || !c.good && (!errors.Is(err, jwks.ErrUnavailable) || !errors.As(err, &unknown)) {
			t.Errorf("%s: %v", c.why, err)
		}
	}
}

// A certificate by a good authority must still be this host's, and valid.
func TestCertificateIsTheHostsAndValid(t *testing.T) {
	for _, by := range []authority{pinned, system} {
		hostname := x509.HostnameError{}
		if err := ask(t, by.serve(t, "other.example", time.Now().Add(time.Hour), tokentest.New(t)), pinned.pool()); !errors.Is(err, jwks.ErrUnavailable) || !errors.As(err, &hostname) {
			t.Errorf("another host's: %v", err)
		}
		invalid := x509.CertificateInvalidError{}
		if err := ask(t, by.serve(t, "localhost", time.Now().Add(-time.Hour), tokentest.New(t)), pinned.pool()); !errors.Is(err, jwks.ErrUnavailable) || !errors.As(err, &invalid) || invalid.Reason != x509.Expired {
			t.Errorf("expired: %v", err)
		}
	}
}

func TestRequestIsPlain(t *testing.T) {
	p := tokentest.New(t)
	url := pinned.serve(t, "localhost", time.Now().Add(time.Hour), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Proto != "HTTP/1.1" || r.Method != "GET" || r.Header.Get("Accept-Encoding") != "identity" || r.Header.Get("Accept") != "application/json" || !r.Close || r.URL.RequestURI() != "/jwks.json?a=b" {
			t.Errorf("%s %s %s %v", r.Method, r.URL, r.Proto, r.Header)
		}
		p.ServeHTTP(w, r)
	}))
	if err := ask(t, url+"/jwks.json?a=b", pinned.pool()); err != nil {
		t.Error(err)
	}
}

// Whatever the endpoint answers, the answer is that nobody can tell; and ten seconds after it has
// recovered, all is well.
func TestR21AnAnswerThatIsNoKeySetFailsClosed(t *testing.T) {
	good := tokentest.New(t)
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	z.Write(good.JWKS())
	z.Close()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a redirect was followed") }))
	defer elsewhere.Close()
	body := func(status int, contentType, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Type"] = []string{contentType}
			w.WriteHeader(status)
			io.WriteString(w, body)
		}
	}
	redirect := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", elsewhere.URL)
			body(status, "application/json", string(good.JWKS()))(w, nil)
		}
	}
	encoded := func(encoding string, content []byte) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", encoding)
			body(200, "application/json", string(content))(w, nil)
		}
	}
	keys := string(good.JWKS())
	for why, c := range map[string]struct {
		answer http.HandlerFunc
		want   error
	}{
		"500":                         {body(500, "application/json", keys), jwks.ErrStatus},
		"404":                         {body(404, "application/json", keys), jwks.ErrStatus},
		"429":                         {body(429, "application/json", keys), jwks.ErrStatus},
		"201":                         {body(201, "application/json", keys), jwks.ErrStatus},
		"204":                         {body(204, "application/json", ""), jwks.ErrStatus},
		"301":                         {redirect(301), jwks.ErrStatus},
		"302":                         {redirect(302), jwks.ErrStatus},
		"303":                         {redirect(303), jwks.ErrStatus},
		"307":                         {redirect(307), jwks.ErrStatus},
		"308":                         {redirect(308), jwks.ErrStatus},
		"HTML":                        {body(200, "text/html; charset=utf-8", "<!DOCTYPE html><title>Sign in to the network</title>"), jwks.ErrType},
		"HTML that says it is JSON":   {body(200, "application/json", "<!DOCTYPE html><title>Sign in to the network</title>"), jwks.ErrMalformed},
		"keys that say they are HTML": {body(200, "text/html", keys), jwks.ErrType},
		"no type":                     {body(200, "", keys), jwks.ErrType},
		"another type of JSON":        {body(200, "application/jsonp", keys), jwks.ErrType},
		"gzip":                        {encoded("gzip", zipped.Bytes()), jwks.ErrEncoding},
		"unknown encoding":            {encoded("x", []byte(keys)), jwks.ErrEncoding},
		"gzip that does not say so":   {body(200, "application/json", zipped.String()), jwks.ErrMalformed},
		"nothing":                     {body(200, "application/json", ""), jwks.ErrMalformed},
		"no keys":                     {body(200, "application/json", `{"keys":[]}`), jwks.ErrNoKeys},
		"no key set":                  {body(200, "application/json", `{"message":"Forbidden"}`), jwks.ErrMalformed},
		"cut off": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "9999")
			body(200, "application/json", keys)(w, nil)
		}, io.ErrUnexpectedEOF},
		"1 MB and a byte": {body(200, "application/json", keys+strings.Repeat(" ", 1<<20+1-len(keys))), jwks.ErrSize},
		"no answer":       {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, io.EOF},
	} {
		t.Run(why, func(t *testing.T) {
			p := tokentest.New(t)
			var bad atomic.Bool
			bad.Store(true)
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if bad.Load() {
					c.answer(w, r)
				} else {
					p.ServeHTTP(w, r)
				}
			}))
			defer server.Close()
			s, err := jwks.New(jwks.Config{URL: server.URL, Now: p.Now})
			if err != nil {
				t.Fatal(err)
			}
			_, err = s.Key(t.Context(), jwks.Wanted{ID: tokentest.StockKey(0).ID})
			if !errors.Is(err, jwks.ErrUnavailable) || !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			bad.Store(false)
			want(t, s, tokentest.StockKey(0), jwks.ErrUnavailable)
			p.Advance(jwks.Cooldown)
			want(t, s, tokentest.StockKey(0), nil)
		})
	}
}

func TestAnAnswerOfAnyGoodFormIsTaken(t *testing.T) {
	p := tokentest.New(t)
	for _, header := range []http.Header{
		{"Content-Type": {"application/json"}},
		{"Content-Type": {"application/json;charset=UTF-8"}},
		{"Content-Type": {"Application/JSON"}},
		{"Content-Type": {"application/jwk-set+json"}},
		{"Content-Type": {"application/json"}, "Content-Encoding": {"identity"}},
	} {
		s, n := newSet(t, nil)
		n.set(func(*http.Request) (*http.Response, error) {
			body := p.JWKS()
			return &http.Response{StatusCode: 200, Header: header, Body: io.NopCloser(bytes.NewReader(append(body, bytes.Repeat([]byte(" "), 1<<20-len(body))...)))}, nil
		})
		want(t, s, tokentest.StockKey(0), nil)
	}
}

func TestARefusedConnectionFailsClosed(t *testing.T) {
	server := httptest.NewServer(nil)
	server.Close()
	if err := ask(t, server.URL, nil); !errors.Is(err, jwks.ErrUnavailable) || !errors.Is(err, syscall.ECONNREFUSED) {
		t.Error(err)
	}
}

// Also a client that was handed in follows no redirect, and is left as it was.
func TestAClientHandedInFollowsNoRedirect(t *testing.T) {
	n := &network{Pool: tokentest.New(t)}
	n.set(func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 302, Header: http.Header{"Location": {"https://elsewhere.example/"}}, Body: http.NoBody, Request: r}, nil
	})
	client := &http.Client{Transport: n}
	s, err := jwks.New(jwks.Config{URL: "https://keys.example/", Client: client})
	if err != nil {
		t.Fatal(err)
	}
	want(t, s, tokentest.StockKey(0), jwks.ErrStatus)
	wantFetches(t, n, 1)
	if client.CheckRedirect != nil {
		t.Error("the client was changed")
	}
}

// endless is a body that never ends, and counts what is read of it.
type endless struct{ read atomic.Int64 }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	e.read.Add(int64(len(p)))
	if e.read.Load() > 50<<20 {
		return 0, io.EOF
	}
	return len(p), nil
}
func (e *endless) Close() error { return nil }

func TestR21OfAFiftyMegabyteBodyOneIsRead(t *testing.T) {
	s, n := newSet(t, nil)
	body := &endless{}
	n.set(func(*http.Request) (*http.Response, error) { r := ok(nil); r.Body = body; return r, nil })
	want(t, s, tokentest.StockKey(0), jwks.ErrSize)
	if read := body.read.Load(); read > 2<<20 {
		t.Errorf("%d bytes read", read)
	}
}

// A bomb of a megabyte that would unfold to a gigabyte is not unfolded: compression is neither
// asked for nor taken.
func TestR21AGzipBombDoesNotGoOff(t *testing.T) {
	var bomb bytes.Buffer
	z, _ := gzip.NewWriterLevel(&bomb, gzip.BestCompression)
	for range 64 {
		z.Write(make([]byte, 1<<20))
	}
	z.Close()
	for _, header := range []string{"gzip", ""} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			if header != "" {
				w.Header().Set("Content-Encoding", header)
			}
			w.Write(bomb.Bytes())
		}))
		if err := ask(t, server.URL, nil); !errors.Is(err, jwks.ErrUnavailable) || !errors.Is(err, jwks.ErrEncoding) && !errors.Is(err, jwks.ErrMalformed) {
			t.Errorf("%q: %v", header, err)
		}
		server.Close()
	}
}

func TestR21ASlowEndpointIsGivenUpAfterThreeSeconds(t *testing.T) {
	for why, answer := range map[string]func(*http.Request) (*http.Response, error){
		"no head": func(r *http.Request) (*http.Response, error) { <-r.Context().Done(); return nil, r.Context().Err() },
		"a body that drips": func(r *http.Request) (*http.Response, error) {
			response := ok(nil)
			response.Body = &drip{r.Context()}
			return response, nil
		},
	} {
		t.Run(why, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, n := newSet(t, nil)
				n.set(answer)
				start := time.Now()
				want(t, s, tokentest.StockKey(0), jwks.ErrUnavailable)
				if waited := time.Since(start); waited < jwks.Timeout || waited > jwks.Timeout+time.Second {
					t.Errorf("waited %v", waited)
				}
				want(t, s, tokentest.StockKey(0), context.DeadlineExceeded)
				wantFetches(t, n, 1)
			})
		})
	}
}

// drip is a body of one byte in half a second, for ever.
type drip struct{ ctx context.Context }

func (d *drip) Read(p []byte) (int, error) {
	select {
	case <-d.ctx.Done():
		return 0, d.ctx.Err()
	case <-time.After(time.Second / 2):
		p[0] = ' '
		return 1, nil
	}
}
func (d *drip) Close() error { return nil }

// A head without end is no answer either.
func TestR21AnEndlessHeadIsGivenUp(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for i := range 2000 {
			w.Header().Set(fmt.Sprintf("X-%d", i), strings.Repeat("x", 100))
		}
		w.Header().Set("Content-Type", "application/json")
		w.Write(tokentest.New(t).JWKS())
	}))
	defer server.Close()
	if err := ask(t, server.URL, nil); !errors.Is(err, jwks.ErrUnavailable) {
		t.Error(err)
	}
}
