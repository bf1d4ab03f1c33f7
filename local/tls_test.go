package local

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// clientOf trusts the certificate in a file, as whoever has been told of it does.
func clientOf(t *testing.T, file string) *http.Client {
	t.Helper()
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM([]byte(readFile(t, file))) {
		t.Fatalf("no certificate in %s", file)
	}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
}

func TestRunOverTLS(t *testing.T) {
	cache := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", cache)
	t.Setenv("HOME", cache) // where macOS keeps it
	s := launch(t, flags(t, "-tls")...)
	if !strings.HasPrefix(s.url, "https://localhost:") {
		t.Fatalf("ready at %q", s.url)
	}
	_, rest, _ := strings.Cut(s.stderr.String(), "TLS by ")
	file, rest, _ := strings.Cut(rest, ";")
	if !strings.HasPrefix(file, cache) || !strings.Contains(rest, "The hash of its key is ") {
		t.Fatalf("stderr does not say by what:\n%s", s.stderr)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	client := clientOf(t, file)
	res, err := client.Get(s.url + "page")
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Errorf("answered %d", res.StatusCode)
	}
	if _, err := http.Get(s.url); err == nil {
		t.Error("trusted by everybody")
	}
	if _, err := client.Get(strings.Replace(s.url, "localhost", "127.0.0.1", 1)); err != nil {
		t.Error(err)
	}
}

func TestCertificateIsKept(t *testing.T) {
	folder, now := filepath.Join(t.TempDir(), "new"), time.Now()
	first, err := certificateIn(folder, now)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name string
		now  time.Time
		same bool
	}{
		{"at once", now, true},
		{"for eleven months", now.Add(certificateLife - certificateRest - time.Hour), true},
		{"not for longer", now.Add(certificateLife - certificateRest), false},
	} {
		again, err := certificateIn(folder, row.now)
		if err != nil {
			t.Fatal(err)
		}
		if same := again.pin() == first.pin(); same != row.same {
			t.Errorf("%s: the same %v", row.name, same)
		}
	}
	before, err := certificateIn(folder, now) // what was made eleven months later is not valid yet
	if err != nil {
		t.Fatal(err)
	}
	if before.Leaf.NotBefore.After(now) {
		t.Error("a certificate from the future")
	}
	writeFile(t, before.file, "nonsense")
	mended, err := certificateIn(folder, now)
	if err != nil || len(mended.pin()) != 44 {
		t.Errorf("nonsense is not replaced: %v", err)
	}
	if err := mended.Leaf.VerifyHostname("chat.localhost"); err != nil {
		t.Error(err)
	}
	if mended.server().MinVersion < tls.VersionTLS12 {
		t.Error("old versions of TLS")
	}
}
