package main

// A binary's size is the part of a cold start that is the same on every machine, so it is what a
// test can hold.

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestSize builds the authorizer as it is deployed. A library that slips into it shows here first:
// the AWS SDK adds 4.5 MB, a JWT library nearly one.
func TestSize(t *testing.T) {
	const limit = 6_681_000
	info, err := os.Stat(binary(t, "ARCH=amd64", "OS=linux"))
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() > limit {
		t.Errorf("the authorizer takes %d bytes, limit %d", info.Size(), limit)
	}
}

// binary builds the authorizer as it is deployed, and returns where it is.
func binary(t *testing.T, platform ...string) string {
	t.Helper()
	folder := t.TempDir()
	make := exec.Command("make", append([]string{"-s", "build-AuthorizerFunction", "ARTIFACTS_DIR=" + folder}, platform...)...)
	make.Dir = ".."
	if out, err := make.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return filepath.Join(folder, "bootstrap")
}
