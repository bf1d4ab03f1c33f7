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
	const limit = 6_680_000
	folder := t.TempDir()
	make := exec.Command("make", "-s", "build-AuthorizerFunction", "ARTIFACTS_DIR="+folder, "ARCH=amd64", "OS=linux")
	make.Dir = ".."
	if out, err := make.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	info, err := os.Stat(filepath.Join(folder, "bootstrap"))
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() > limit {
		t.Errorf("the authorizer takes %d bytes, limit %d", info.Size(), limit)
	}
}
