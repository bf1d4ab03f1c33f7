package runtime

import (
	"archive/zip"
	"debug/elf"
	"encoding/binary"
	"os"
	"path/filepath"
	goruntime "runtime"
	"strings"
	"testing"
)

// put writes a file, and the folders that it needs.
func put(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

// zipped writes a zip file of executable files.
func zipped(t *testing.T, path string, files map[string]string) {
	t.Helper()
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	z := zip.NewWriter(out)
	for name, text := range files {
		h := &zip.FileHeader{Name: name, Method: zip.Deflate}
		h.SetMode(0o755)
		if strings.HasPrefix(text, "-> ") {
			h.SetMode(os.ModeSymlink | 0o777)
		}
		w, err := z.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}

// elfFor is the beginning of a Linux binary for a processor.
func elfFor(machine elf.Machine) string {
	head := make([]byte, 64)
	copy(head, elf.ELFMAG)
	head[elf.EI_CLASS], head[elf.EI_DATA], head[elf.EI_VERSION] = byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)
	binary.LittleEndian.PutUint16(head[16:], uint16(elf.ET_EXEC))
	binary.LittleEndian.PutUint16(head[18:], uint16(machine))
	binary.LittleEndian.PutUint32(head[20:], uint32(elf.EV_CURRENT))
	binary.LittleEndian.PutUint16(head[52:], 64)
	return string(head)
}

// The code is what a build has made; without one, a zip file or a folder that the template names.
func TestCode(t *testing.T) {
	dir := t.TempDir()
	at := func(parts ...string) string { return filepath.Join(append([]string{dir}, parts...)...) }
	put(t, at("build", "EdgeAuth", "F", "bootstrap"), "built", 0o755)
	put(t, at("ready", "bootstrap"), "ready", 0o755)
	put(t, at("source", "main.go"), "package main", 0o600)
	zipped(t, at("f.zip"), map[string]string{"bootstrap": "zipped", "lib/": "", "lib/data": "x"})
	for _, c := range []struct{ name, built, given, binary, text string }{
		{"what a build has made", at("build", "EdgeAuth", "F"), at("f.zip"), at("build", "EdgeAuth", "F", "bootstrap"), "built"},
		{"a zip file", at("build", "G"), at("f.zip"), at("scratch", "EdgeAuth", "F", "bootstrap"), "zipped"},
		{"a folder with a bootstrap", at("build", "G"), at("ready"), at("ready", "bootstrap"), "ready"},
		{"a folder with sources waits for a build", at("build", "G"), at("source"), at("build", "G", "bootstrap"), ""},
		{"nothing named", at("build", "G"), "", at("build", "G", "bootstrap"), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := Code{Name: "EdgeAuth/F", Built: c.built, Given: c.given, Scratch: at("scratch")}.Prepare()
			if err != nil || p.Binary != c.binary || p.Folder != filepath.Dir(c.binary) {
				t.Fatalf("%+v, %v, want %s", p, err, c.binary)
			}
			if text, _ := os.ReadFile(p.Binary); string(text) != c.text {
				t.Errorf("it holds %q, want %q", text, c.text)
			}
		})
	}
}

func TestCodeThatCannotBeUsed(t *testing.T) {
	other := map[string]elf.Machine{"amd64": elf.EM_AARCH64, "arm64": elf.EM_X86_64}[goruntime.GOARCH]
	for _, c := range []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"a way out of the folder", map[string]string{"../bootstrap": "x"}, "../bootstrap"},
		{"an absolute path", map[string]string{"/tmp/bootstrap": "x"}, "path escapes"},
		{"a link", map[string]string{"bootstrap": "-> /bin/sh"}, "neither a file nor a folder"},
		{"another processor", map[string]string{"bootstrap": elfFor(other)}, "F is built for " + processors[other] + ", and this machine is " + goruntime.GOARCH},
		{"more than Lambda unpacks", map[string]string{"bootstrap": strings.Repeat("\x00", unpackLimit+1)}, "more than the"},
		{"no zip file", nil, "f.zip"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			archive := filepath.Join(dir, "f.zip")
			if c.files != nil {
				zipped(t, archive, c.files)
			}
			_, err := Code{Name: "F", Built: filepath.Join(dir, "none"), Given: archive, Scratch: filepath.Join(dir, "scratch")}.Prepare()
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("error %v, want one with %q", err, c.want)
			}
			if left, _ := filepath.Glob(filepath.Join(dir, "scratch", "bootstrap")); len(left) > 0 {
				t.Errorf("it wrote %v", left)
			}
		})
	}
	if err := checkProcessor("F", "/proc/self/exe"); err != nil {
		t.Errorf("this machine's own: %v", err)
	}
}
