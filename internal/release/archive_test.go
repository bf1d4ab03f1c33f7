package main

import (
	"archive/zip"
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// tree makes a folder as somebody's machine would have it.
func tree(t *testing.T, umask os.FileMode, when time.Time) string {
	t.Helper()
	root := t.TempDir()
	for name, mode := range map[string]os.FileMode{"bootstrap": 0o755, "b/two.txt": 0o644, "a/one.txt": 0o644} {
		path := filepath.Join(root, name)
		err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(name), 0o600), os.Chmod(path, mode&^umask), os.Chtimes(path, when, when))
		if err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// TestArchivesAreReproducible makes each archive on two machines, at two times, and compares bytes.
func TestArchivesAreReproducible(t *testing.T) {
	made := func(umask os.FileMode, when time.Time) (all [][]byte) {
		from, to := tree(t, umask, when), t.TempDir()
		err := errors.Join(
			writeZip(filepath.Join(to, "x.zip"), []entry{{"bootstrap", filepath.Join(from, "bootstrap")}, {"LICENSE", filepath.Join(from, "a/one.txt")}}),
			writeTar(filepath.Join(to, "x.tar.gz"), from, "edgeauth"),
			addChecksums("", from),
		)
		for _, file := range []string{filepath.Join(to, "x.zip"), filepath.Join(to, "x.tar.gz"), filepath.Join(from, "checksums.txt")} {
			text, failed := os.ReadFile(file)
			err = errors.Join(err, failed)
			all = append(all, text)
		}
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	one, two := made(0o022, time.Unix(1e9, 0)), made(0o077, time.Unix(2e9, 0))
	for i := range one {
		if len(one[i]) == 0 || !bytes.Equal(one[i], two[i]) {
			t.Errorf("archive %d differs", i)
		}
	}
	if lines := strings.Split(string(one[2]), "\n"); len(lines) != 4 || !strings.HasSuffix(lines[0], "  a/one.txt") || !strings.HasSuffix(lines[2], "  bootstrap") {
		t.Errorf("checksums: %s", one[2])
	}

	archive, err := zip.NewReader(bytes.NewReader(one[0]), int64(len(one[0])))
	if err != nil {
		t.Fatal(err)
	}
	if f := archive.File[0]; f.Name != "bootstrap" || f.Mode() != 0o755 {
		t.Errorf("Lambda cannot start %s with mode %v", f.Name, f.Mode())
	}
	if f := archive.File[1]; f.Mode() != 0o644 {
		t.Errorf("%s has mode %v", f.Name, f.Mode())
	}
}

func TestBlock(t *testing.T) {
	const template = "Resources:\n  Api:\n    Properties:\n      GatewayResponses:\n        A:\n          StatusCode: 302\n\n        B: {}\n      Next: 1\n"
	got, err := blockOf(template, "GatewayResponses:")
	if want := "GatewayResponses:\n  A:\n    StatusCode: 302\n\n  B: {}\n"; err != nil || got != want {
		t.Errorf("%q %v, want %q", got, err, want)
	}
	if _, err := blockOf(template, "Auth:"); err == nil {
		t.Error("found what is not there")
	}
}

func TestVersions(t *testing.T) {
	for _, version := range []string{"", "v1 2", "../v1", "v1/2", "-x"} {
		if err := release(version, filepath.Join(t.TempDir(), "out")); err == nil || !strings.Contains(err.Error(), "is no version") {
			t.Errorf("%q: %v", version, err)
		}
	}
}

// TestEverythingCopiedIsThere notices a file that has moved.
func TestEverythingCopiedIsThere(t *testing.T) {
	t.Chdir("../..")
	folder := t.TempDir()
	if err := errors.Join(addFiles("v1", folder), addResponses("v1", folder)); err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(filepath.Join(folder, "identity/*/*test*")); len(left) > 0 {
		t.Errorf("tests are in the release: %q", left)
	}
	for _, name := range []string{"VERSION", "identity/python/edgeauth_identity/__init__.py", "identity/javascript/identity.mjs", "gateway-responses.yaml"} {
		if info, err := os.Stat(filepath.Join(folder, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestExamplesCopyTheReleasedResponses holds what the Dash example has copied to what there is to copy, whatever its layout and comments.
func TestExamplesCopyTheReleasedResponses(t *testing.T) {
	t.Chdir("../..")
	folder := t.TempDir()
	if err := addResponses("v1", folder); err != nil {
		t.Fatal(err)
	}
	released := responsesIn(t, filepath.Join(folder, "gateway-responses.yaml"), "")
	copied := responsesIn(t, "examples/dash/template.yaml", "Api")
	if len(released) < 10 {
		t.Fatalf("%d gateway responses are released", len(released))
	}
	for kind := range released {
		if !reflect.DeepEqual(copied[kind], released[kind]) {
			t.Errorf("examples/dash has for %s\n%v\nand the release\n%v", kind, copied[kind], released[kind])
		}
	}
	for kind := range copied {
		if released[kind] == nil {
			t.Errorf("examples/dash has %s, which is not released", kind)
		}
	}
}

// responsesIn reads the gateway responses of an API, or of the file itself.
func responsesIn(t *testing.T, file, api string) map[string]any {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var whole struct {
		GatewayResponses yaml.Node `yaml:"GatewayResponses"`
		Resources        map[string]struct {
			Properties struct {
				GatewayResponses yaml.Node `yaml:"GatewayResponses"`
			} `yaml:"Properties"`
		} `yaml:"Resources"`
	}
	if err := yaml.Unmarshal(text, &whole); err != nil {
		t.Fatal(err)
	}
	node := whole.GatewayResponses
	if api != "" {
		node = whole.Resources[api].Properties.GatewayResponses
	}
	var responses map[string]any
	if err := node.Decode(&responses); err != nil {
		t.Fatal(err)
	}
	return responses
}
