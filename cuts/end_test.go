package cuts_test

// How endings are written, and over which connections.

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"edgeauth/cuts"
)

func TestAnEndingIsWritten(t *testing.T) {
	for _, c := range []struct {
		kind cuts.Kind
		name string
		life time.Duration
		text string
		ends int64
		over cuts.Session
	}{
		{cuts.SignIn, alice.SignIn, time.Hour, "sign-in " + alice.SignIn, start.Unix() + 3600, alice},
		{cuts.User, "alice", 0, "user alice", 0, alice},
		{cuts.Everybody, "", 720 * time.Hour, "everybody", start.Unix() + 720*3600, bob},
	} {
		s := newStore(t)
		l, other := s.list(), s.list()
		if err := l.End(t.Context(), c.kind, c.name, c.life); err != nil {
			t.Fatal(err)
		}
		text := s.entry(0, c.text)
		if ends, found := s.ends[text]; !found || ends != c.ends || s.puts != 1 {
			t.Errorf("%v, want %s until %d", s.ends, text, c.ends)
		}
		want(t, l, c.over, cuts.ErrCut) // before any reading
		wantReadings(t, s, 0)
		want(t, other, c.over, cuts.ErrCut)
	}
}

func TestWhatIsNoEndingIsNotWritten(t *testing.T) {
	s := newStore(t)
	for _, c := range []struct {
		kind cuts.Kind
		name string
	}{
		{cuts.SignIn, ""}, {cuts.SignIn, "a b"}, {cuts.User, "a\n"}, {cuts.User, ""}, {cuts.Everybody, "x"}, {"device", "x"}, {"", "x"}, {cuts.User, strings.Repeat("x", 901)},
	} {
		if err := s.list().End(t.Context(), c.kind, c.name, time.Hour); !errors.Is(err, cuts.ErrEntry) {
			t.Errorf("%v: %v", c, err)
		}
	}
	if s.puts != 0 {
		t.Errorf("%d were written", s.puts)
	}
	if err := s.list().End(t.Context(), cuts.User, strings.Repeat("x", 900), time.Hour); err != nil {
		t.Error(err)
	}
}

// Readers ask by stamps: one that the table's clock does not agree with would be passed over.
func TestAWritersClockDoesNotMatter(t *testing.T) {
	for _, off := range []time.Duration{-5 * time.Minute, -31 * time.Second, -29 * time.Second, 0, 29 * time.Second, 31 * time.Second, 5 * time.Minute} {
		s := newStore(t)
		reader := s.list()
		want(t, reader, alice, nil)
		writer := s.list(func(c *cuts.Config) { c.Now = func() time.Time { return s.Now().Add(off) } })
		s.Advance(cuts.Overlap)
		if err := writer.End(t.Context(), cuts.User, "alice", time.Hour); err != nil {
			t.Fatal(err)
		}
		puts, stamped := 1, off
		if off.Abs() > 30*time.Second {
			puts, stamped = 2, 0
		}
		text := s.entry(stamped, "user alice")
		if s.puts != puts || s.ends[text] != s.Now().Add(stamped+time.Hour).Unix() {
			t.Errorf("off by %v: %d written, %v", off, s.puts, s.ends)
		}
		want(t, reader, alice, cuts.ErrCut)
	}
}

func TestAFailureToWriteIsTold(t *testing.T) {
	s := newStore(t)
	s.set(outage)
	l := s.list()
	if err := l.End(t.Context(), cuts.User, "alice", time.Hour); !errors.Is(err, errOutage) || s.puts != 2 {
		t.Errorf("%v after %d tries", err, s.puts)
	}
	s.set(nil)
	want(t, l, alice, nil)
	synctest.Test(t, func(t *testing.T) {
		s := newStore(t)
		s.set(hang)
		ctx, cancel := context.WithTimeout(t.Context(), 700*time.Millisecond)
		defer cancel()
		begun := time.Now()
		if err := s.list().End(ctx, cuts.User, "alice", time.Hour); !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) != 700*time.Millisecond || s.puts != 1 {
			t.Errorf("%v after %v and %d tries", err, time.Since(begun), s.puts)
		}
	})
}

func TestEntriesListsAll(t *testing.T) {
	s := newStore(t)
	s.size = 2
	for i := range 5 {
		s.write(s.entry(time.Duration(-i)*time.Hour, fmt.Sprintf("sign-in %d", i)), start.Unix()+int64(i))
	}
	s.write(s.entry(time.Hour, "everybody"), 0)
	all, err := s.list().Entries(t.Context())
	if err != nil || len(all) != 6 {
		t.Fatalf("%v, %v", all, err)
	}
	for i, e := range all[:5] {
		n := 4 - i
		if want := (cuts.Entry{Kind: cuts.SignIn, Name: fmt.Sprint(n), At: start.Add(time.Duration(-n) * time.Hour), Ends: start.Add(time.Duration(n) * time.Second)}); e.Kind != want.Kind || e.Name != want.Name || !e.At.Equal(want.At) || n > 0 && !e.Ends.Equal(want.Ends) {
			t.Errorf("got %v, want %v", e, want)
		}
	}
	if e := all[5]; e.Kind != cuts.Everybody || e.Name != "" || !e.Ends.IsZero() {
		t.Errorf("got %v", e)
	}
	s.set(outage)
	if _, err := s.list().Entries(t.Context()); !errors.Is(err, errOutage) {
		t.Error(err)
	}
}

// serve starts a table over TLS that counts connections. The system trusts its certificate, unless it gets another one.
func serve(t *testing.T, s *store, certificates ...tls.Certificate) (url string, connections *atomic.Int64) {
	connections = new(atomic.Int64)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Proto != "HTTP/1.1" {
			t.Errorf("%s", r.Proto)
		}
		r.URL.Host = r.Host
		answer, err := s.RoundTrip(r)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		for name, values := range answer.Header {
			w.Header()[name] = values
		}
		w.WriteHeader(answer.StatusCode)
		_, _ = io.Copy(w, answer.Body)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.EnableHTTP2 = true
	if certificates != nil {
		server.TLS = &tls.Config{Certificates: certificates}
	}
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.URL, connections
}

func TestMain(m *testing.M) {
	folder, err := os.MkdirTemp("", "roots")
	if err != nil {
		panic(err)
	}
	server := httptest.NewTLSServer(nil)
	server.Close()
	file := filepath.Join(folder, "roots.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		panic(err)
	}
	os.Setenv("SSL_CERT_FILE", file)
	os.Setenv("SSL_CERT_DIR", folder)
	code := m.Run()
	os.RemoveAll(folder)
	os.Exit(code)
}

// A certificate counts that some authority of Amazon's or of the system has signed; connections are kept between readings.
func TestOwnClient(t *testing.T) {
	s := newStore(t)
	url, connections := serve(t, s)
	s.set(func(*http.Request) (*http.Response, error) { // the one retry is for this, and not for the other roots
		s.set(nil)
		answer := s.respond("{}")
		answer.StatusCode = http.StatusInternalServerError
		return answer, nil
	})
	l := s.list(func(c *cuts.Config) { c.Endpoint, c.Client = url, nil })
	for range 4 {
		want(t, l, bob, nil)
		s.Advance(5 * time.Second)
	}
	wantReadings(t, s, 5)
	if n := connections.Load(); n != 2 {
		t.Errorf("%d connections, want one for Amazon's roots and one for the system's", n)
	}
}

func TestAStrangersCertificateDoesNotCount(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	s := newStore(t)
	url, _ := serve(t, s, tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key})
	l := s.list(func(c *cuts.Config) { c.Endpoint, c.Client = url, nil })
	want(t, l, bob, cuts.ErrUnavailable)
	if err := l.Check(t.Context(), bob); !errors.As(err, &x509.UnknownAuthorityError{}) {
		t.Errorf("got %v", err)
	}
	wantReadings(t, s, 0)
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	s := newStore(t)
	s.set(func(r *http.Request) (*http.Response, error) {
		answer := s.respond(`{"Items":[]}`)
		answer.StatusCode = 307
		answer.Header.Set("Location", "https://elsewhere.example/")
		return answer, nil
	})
	l := s.list()
	want(t, l, bob, cuts.ErrStatus)
	wantReadings(t, s, 2)
}
