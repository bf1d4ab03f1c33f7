package endpoint_test

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"os"
	"slices"
	"testing"
	"time"

	"edgeauth/internal/endpoint"
)

// The fingerprints are those that https://www.amazontrust.com/repository/ lists.
func TestAmazonsRoots(t *testing.T) {
	rest, err := os.ReadFile("amazon.pem")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	pool := x509.NewCertPool()
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil || !certificate.IsCA || certificate.NotAfter.Before(time.Now().AddDate(5, 0, 0)) {
			t.Errorf("%v, %v", certificate.Subject, err)
		}
		pool.AddCert(certificate)
		sum := sha256.Sum256(block.Bytes)
		got = append(got, hex.EncodeToString(sum[:]))
	}
	if want := []string{
		"8ecde6884f3d87b1125ba31ac3fcb13d7016de7f57cc904fe1cb97c6ae98196e", // Amazon Root CA 1
		"1ba5b2aa8c65401a82960118f80bec4f62304d83cec4713a19c39c011ea46db4", // Amazon Root CA 2
		"18ce6cfe7bf14e60b2e347b8dfe868cb31d02ebb3ada271569f50343b46db3a4", // Amazon Root CA 3
		"e35d28419ed02025cfa69038cd623962458da5c695fbdea3c22b0bfb25897092", // Amazon Root CA 4
		"568d6905a2c88708a4b3025190edcfedb1974a606a13c6e5290fcb2ae63edab5", // Starfield Services Root Certificate Authority - G2
	}; !slices.Equal(got, want) || len(bytes.TrimSpace(rest)) != 0 {
		t.Errorf("got %q, rest %q", got, rest)
	}
	if !pool.Equal(endpoint.AmazonRoots()) {
		t.Error("not all of them count")
	}
}
