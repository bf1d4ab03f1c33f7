// This file builds the function binaries: authorizer and callback by the Makefile's own rule, no-op and floor by the same flags. One more authorizer, and the
// callback, differ from the shipped ones in a single trusted root, so that what they ask over HTTPS can be measured without the internet.

package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

// programs are the paths of what was built, and the certificate chain under which keys can be served.
type programs struct {
	authorizer, pinned, callback, noop, floor string
	size, noopSize                            int64
	chain                                     tls.Certificate
	roots                                     string // file: the system's roots and that of chain
}

func build(dir string) (programs, error) {
	p := programs{
		authorizer: filepath.Join(dir, "shipped", "bootstrap"), pinned: filepath.Join(dir, "pinned", "bootstrap"), callback: filepath.Join(dir, "callback", "bootstrap"), noop: filepath.Join(dir, "noop"),
		floor: filepath.Join(dir, "floor"), roots: filepath.Join(dir, "roots.pem"),
	}
	root, chain, err := newChain()
	if err != nil {
		return p, err
	}
	p.chain = chain
	if err := os.WriteFile(p.roots, append(systemRoots(), root...), 0o644); err != nil {
		return p, err
	}
	overlay, err := swapRoot(dir, root)
	if err != nil {
		return p, err
	}
	for _, b := range []struct{ rule, bootstrap, overlay string }{
		{"build-AuthorizerFunction", p.authorizer, ""}, {"build-AuthorizerFunction", p.pinned, overlay}, {"build-CallbackFunction", p.callback, overlay},
	} {
		if err := makeFunction(b.rule, b.bootstrap, b.overlay); err != nil {
			return p, err
		}
	}
	flags := []string{"CGO_ENABLED=0", "go", "build", "-tags", "lambda.norpc", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", dir, "./noop", "./floor"}
	if _, err := do(".", "env", flags...); err != nil {
		return p, err
	}
	p.size, p.noopSize = fileSize(p.authorizer), fileSize(p.noop)
	return p, nil
}

// makeFunction lets the Makefile build a function for this machine, with files replaced as overlay says, if any.
func makeFunction(rule, bootstrap, overlay string) error {
	folder := filepath.Dir(bootstrap)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	flags := os.Getenv("GOFLAGS")
	if overlay != "" {
		flags += " -overlay=" + overlay
	}
	_, err := do("..", "make", "-s", rule, "ARTIFACTS_DIR="+folder, "ARCH="+runtime.GOARCH, "OS="+runtime.GOOS, "GOFLAGS="+flags)
	return err
}

// swapRoot writes a build overlay in which the last of Amazon's roots is root instead: as many to load, one of them ours.
func swapRoot(dir string, root []byte) (string, error) {
	shipped, err := filepath.Abs("../internal/endpoint/amazon.pem")
	if err != nil {
		return "", err
	}
	text, err := os.ReadFile(shipped)
	if err != nil {
		return "", err
	}
	var kept []byte
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if next, _ := pem.Decode(rest); next == nil {
			break
		}
		kept = append(kept, pem.EncodeToMemory(block)...)
	}
	if kept == nil {
		return "", errors.New("internal/endpoint/amazon.pem holds no roots")
	}
	changed, overlay := filepath.Join(dir, "amazon.pem"), filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(changed, append(kept, root...), 0o644); err != nil {
		return "", err
	}
	replace, err := json.Marshal(map[string]any{"Replace": map[string]string{shipped: changed}})
	if err != nil {
		return "", err
	}
	return overlay, os.WriteFile(overlay, replace, 0o644)
}

// newChain makes a root, in PEM, and a server's certificate for 127.0.0.1 with one between them: RSA-2048 throughout, as the chains of Cognito's
// regional hosts are.
func newChain() (root []byte, chain tls.Certificate, err error) {
	var parent *x509.Certificate
	var parentKey *rsa.PrivateKey
	for i, name := range []string{"bench root", "bench intermediate", "127.0.0.1"} {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			return nil, chain, err
		}
		c := &x509.Certificate{
			SerialNumber: big.NewInt(int64(i + 1)), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
			IsCA: i < 2, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		}
		if i == 2 {
			c.IPAddresses, c.ExtKeyUsage = []net.IP{net.IPv4(127, 0, 0, 1)}, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
		}
		if parent == nil {
			parent, parentKey = c, key
		}
		der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, parentKey)
		if err != nil {
			return nil, chain, err
		}
		if i == 0 {
			root = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
		} else {
			chain.Certificate = append([][]byte{der}, chain.Certificate...)
		}
		if parent, err = x509.ParseCertificate(der); err != nil {
			return nil, chain, err
		}
		parentKey, chain.PrivateKey = key, key
	}
	return root, chain, nil
}

// systemRoots returns the bundle that Go would read on Debian or on Amazon Linux; nothing where there is neither.
func systemRoots() []byte {
	for _, file := range []string{"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"} {
		if bundle, err := os.ReadFile(file); err == nil {
			return bundle
		}
	}
	return nil
}

func fileSize(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}
