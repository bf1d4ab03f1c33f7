package main

import (
	"os"
	"strings"
	"testing"

	"edgeauth/internal/yardstick"
)

func TestBenchmarkLine(t *testing.T) {
	got, ok := benchmarkLine("BenchmarkHandler/allow_1k-2  80  33256 ns/op  1.466 xRSA  1.346 xRSA-lower  1.494 xRSA-upper  3512 B/op  22 allocs/op\n")
	if got.Name != "allow_1k" || got.Ratio != 1.466 || got.Lower != 1.346 || got.Upper != 1.494 || got.Bytes != 3512 || got.Allocs != 22 || !ok {
		t.Errorf("got %+v, %v", got, ok)
	}
	for _, other := range []string{"", "PASS\n", "ok  \tedgeauth/authorizer\t1.6s\n", "BenchmarkOther-2 80 1 ns/op\n", "BenchmarkHandler/allow_1k-2 80 x xRSA\n"} {
		if got, ok := benchmarkLine(other); ok {
			t.Errorf("%q is read as %+v", other, got)
		}
	}
}

func TestVerdict(t *testing.T) {
	var tab table
	tab.hold("at the target", times, 1.2, 1.2, "")
	tab.hold("above it", times, 1.2001, 1.2, "")
	if tab.lines[0].verdict != "ok" || !strings.Contains(tab.lines[1].verdict, "missed") {
		t.Errorf("got %+v", tab.lines)
	}
}

// TestVerifiersRefuse keeps the comparison fair: whatever takes part refuses a token of another client and a bad signature.
func TestVerifiersRefuse(t *testing.T) {
	traffic := newTraffic()
	verifiers, err := goVerifiers(traffic.pool, traffic.pool.Server(t))
	if err != nil {
		t.Fatal(err)
	}
	good := traffic.tokens[yardstick.Small.Name][0]
	other := traffic.tokens[yardstick.Small.Name][1]
	dot := strings.LastIndexByte(good, '.')
	for _, v := range verifiers {
		if err := v.check(good); err != nil {
			t.Errorf("%s refuses a good token: %v", v.name, err)
		}
		for name, bad := range map[string]string{
			"bad signature": good[:dot] + other[strings.LastIndexByte(other, '.'):],
			"other client":  traffic.pool.IDToken(map[string]any{"aud": "2example23456789abcdefghij"}),
			"other use":     traffic.pool.IDToken(map[string]any{"token_use": "access"}),
			"expired":       traffic.pool.IDToken(map[string]any{"exp": traffic.pool.Now().Unix() - 3600}),
		} {
			if v.check(bad) == nil {
				t.Errorf("%s accepts: %s", v.name, name)
			}
		}
	}
}

// TestQuota is skipped where control groups cannot be made.
func TestQuota(t *testing.T) {
	q, err := newQuota("edgeauth-bench-test", share, period)
	if err != nil {
		t.Skip(err)
	}
	q.remove()
	if _, err := os.Stat(string(q)); !os.IsNotExist(err) {
		t.Errorf("%s is left behind: %v", q, err)
	}
}
