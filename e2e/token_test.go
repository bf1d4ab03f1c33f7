// This file reads tokens without verifying them: what is looked at here was made by the stand-in.
package e2e

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
)

func claimsOf(t testing.TB, token string) map[string]any { return segment(t, token, 1) }

func kidOf(t testing.TB, token string) string {
	kid, _ := segment(t, token, 0)["kid"].(string)
	return kid
}

func segment(t testing.TB, token string, i int) map[string]any {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("a token of %d parts", len(parts))
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[i])
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	return m
}
