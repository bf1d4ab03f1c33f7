package main

import (
	"archive/zip"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// outside is a program of somebody else, which uses what may be imported.
const outside = `package main

import (
	"fmt"

	"github.com/acme/edgeauth/identity"
	"github.com/acme/edgeauth/jwks"
)

func main() {
	_, err := identity.FromContext(nil)
	fmt.Println(err == identity.ErrNone)
	_, err = jwks.New(jwks.Config{URL: "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Example/.well-known/jwks.json"})
	fmt.Println(err)
}
`

// TestFork publishes a fork under a name of its own, as a module proxy would serve it, and builds a program of somebody else against it.
func TestFork(t *testing.T) {
	const name, release = "github.com/acme/edgeauth", "v1.2.3"
	fork := t.TempDir()
	if err := copyTree("../..", fork); err != nil {
		t.Fatal(err)
	}
	if _, err := rename(fork, name); err != nil {
		t.Fatal(err)
	}

	proxy := t.TempDir()
	served := filepath.Join(proxy, name, "@v")
	mod, err := os.ReadFile(filepath.Join(fork, "go.mod"))
	if err := errors.Join(err, os.MkdirAll(served, 0o700)); err != nil {
		t.Fatal(err)
	}
	for file, text := range map[string]string{"list": release, release + ".info": `{"Version":"` + release + `"}`, release + ".mod": string(mod)} {
		if err := os.WriteFile(filepath.Join(served, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := zipModule(fork, filepath.Join(served, release+".zip"), name+"@"+release+"/"); err != nil {
		t.Fatal(err)
	}

	theirs := t.TempDir()
	for file, text := range map[string]string{"go.mod": "module example.com/app\n\ngo 1.26.0\n\nrequire " + name + " " + release + "\n", "main.go": outside} {
		if err := os.WriteFile(filepath.Join(theirs, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// What the module needs comes from the cache of whoever runs the tests, so no network is used. The fork must not get into that cache.
	cache, err := exec.Command("go", "env", "GOMODCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	run := exec.Command("go", "run", ".")
	run.Dir = theirs
	run.Env = append(os.Environ(), "GOPROXY=file://"+proxy+",file://"+strings.TrimSpace(string(cache))+"/cache/download", "GOMODCACHE="+t.TempDir(),
		"GOFLAGS=-mod=mod -modcacherw", "GOSUMDB=off", "GOTOOLCHAIN=local", "GOWORK=off")
	var complaint strings.Builder
	run.Stderr = &complaint
	out, err := run.Output()
	if err != nil || string(out) != "true\n<nil>\n" {
		t.Errorf("%v: %s%s", err, out, &complaint)
	}

	// No import of the fork has the old name, in no package and in no test.
	check := exec.Command("go", "list", "-test", "-deps", "./...")
	check.Dir = fork
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("the fork: %v: %s", err, out)
	}
	for _, module := range []string{"e2e", "bench", "tools"} {
		text, err := os.ReadFile(filepath.Join(fork, module, "go.mod"))
		if err != nil || !strings.HasPrefix(string(text), "module "+name+"/"+module+"\n") || strings.Contains(string(text), "\tedgeauth ") {
			t.Errorf("%s/go.mod: %v %s", module, err, text)
		}
	}
}

func TestNamesThatCannotBeFetched(t *testing.T) {
	for _, name := range []string{"", "edgeauth", "acme/edgeauth", "github.com", "github.com/", "https://github.com/acme/edgeauth", "github.com/acme/edge auth", "github.com/../x"} {
		if n, err := rename(t.TempDir(), name); err == nil || n > 0 || !strings.Contains(err.Error(), "no module path that can be fetched") {
			t.Errorf("%q: %d %v", name, n, err)
		}
	}
}

// copyTree copies what is ours.
func copyTree(from, to string) error {
	return eachFile(from, func(path string, text []byte) error {
		target := filepath.Join(to, path)
		return errors.Join(os.MkdirAll(filepath.Dir(target), 0o700), os.WriteFile(target, text, 0o600))
	})
}

// zipModule makes the zip of a module: everything but nested modules, below a prefix. https://go.dev/ref/mod#zip-files
func zipModule(from, to, prefix string) error {
	file, err := os.Create(to)
	if err != nil {
		return err
	}
	archive := zip.NewWriter(file)
	err = eachFile(from, func(path string, text []byte) error {
		if top, _, _ := strings.Cut(path, "/"); slices.Contains([]string{"e2e", "bench", "tools"}, top) {
			return nil
		}
		w, err := archive.Create(prefix + path)
		if err != nil {
			return err
		}
		_, err = w.Write(text)
		return err
	})
	return errors.Join(err, archive.Close(), file.Close())
}

func eachFile(root string, do func(path string, text []byte) error) error {
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != root && slices.Contains(notOurs, d.Name()):
			return filepath.SkipDir
		case !d.Type().IsRegular():
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		return do(filepath.ToSlash(relative), text)
	})
}
