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
	put(t, at("ready", "venv", "bin", "python3"), "python", 0o755)
	zipped(t, at("f.zip"), map[string]string{"bootstrap": "zipped", "lib/": "", "lib/data": "x"})
	for _, c := range []struct{ name, built, given, binary, text string }{
		{"what a build has made", at("build", "EdgeAuth", "F"), at("f.zip"), at("build", "EdgeAuth", "F", "bootstrap"), "built"},
		{"a zip file", at("build", "G"), at("f.zip"), at("scratch", "EdgeAuth", "F", "bootstrap"), "zipped"},
		{"a folder with a bootstrap", at("build", "G"), at("ready"), at("ready", "bootstrap"), "ready"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := Code{Name: "EdgeAuth/F", Built: c.built, Given: c.given, Runtime: "provided.al2023", Scratch: at("scratch")}.Prepare()
			if err != nil || p.Binary != c.binary || p.Folder != filepath.Dir(c.binary) {
				t.Fatalf("%+v, %v, want %s", p, err, c.binary)
			}
			if text, _ := os.ReadFile(p.Binary); string(text) != c.text {
				t.Errorf("it holds %q, want %q", text, c.text)
			}
		})
	}
}

// A release holds the code for both of Lambda's processors: whichever the template names, this machine runs its own.
func TestCodeForTheOtherProcessor(t *testing.T) {
	machines := map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}
	here := elfFor(machines[goruntime.GOARCH])
	delete(machines, goruntime.GOARCH)
	for _, there := range machines {
		dir := t.TempDir()
		put(t, filepath.Join(dir, "x86_64", "README"), "", 0o600)
		beside, above := filepath.Join(dir, "x86_64", "f.zip"), filepath.Join(dir, "f.zip")
		for _, c := range []struct{ given, other string }{{above, beside}, {beside, above}} {
			code := Code{Name: "F", Built: filepath.Join(dir, "none"), Given: c.given, Runtime: "provided.al2023", Scratch: filepath.Join(dir, "scratch")}
			zipped(t, c.given, map[string]string{"bootstrap": elfFor(there)})
			zipped(t, c.other, map[string]string{"bootstrap": here})
			p, err := code.Prepare()
			if text, _ := os.ReadFile(p.Binary); err != nil || string(text) != here || p.Note != "F is "+c.other+" here: "+c.given+" is for another processor." {
				t.Errorf("%s: %+v, %v", c.given, p, err)
			}
			zipped(t, c.other, map[string]string{"bootstrap": elfFor(there)})
			if _, err := code.Prepare(); err == nil || !strings.Contains(err.Error(), "F is built for ") {
				t.Errorf("no code for this machine: %v", err)
			}
		}
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
		{"no bootstrap", map[string]string{"main": "x"}, "F has no binary: a build has to make "},
		{"no zip file", nil, "f.zip"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			archive := filepath.Join(dir, "f.zip")
			if c.files != nil {
				zipped(t, archive, c.files)
			}
			_, err := Code{Name: "F", Built: filepath.Join(dir, "none"), Given: archive, Runtime: "provided.al2023", Scratch: filepath.Join(dir, "scratch")}.Prepare()
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("error %v, want one with %q", err, c.want)
			}
			if left, _ := filepath.Glob(filepath.Join(dir, "scratch", "bootstrap")); len(left) > 0 {
				t.Errorf("it wrote %v", left)
			}
		})
	}
	_, err := Code{Name: "F", Built: "nowhere/F", Given: "testdata", Runtime: "provided.al2023"}.Prepare()
	if _, ok := err.(Unable); !ok || !strings.Contains(err.Error(), "/nowhere/F/bootstrap") {
		t.Errorf("sources without a build: %v", err)
	}
	if err := checkProcessor("F", "/proc/self/exe"); err != nil {
		t.Errorf("this machine's own: %v", err)
	}
}

// The interpreter is the one that was named, then that of a virtual environment beside the code, then one on the path that works. What it is not, it says.
func TestInterpreter(t *testing.T) {
	dir := t.TempDir()
	at := func(parts ...string) string { return filepath.Join(append([]string{dir}, parts...)...) }
	says := func(version string) string { return "#!/bin/sh\necho " + version + "\n" }
	put(t, at("path", "python3"), says("Python 3.9.1"), 0o755)
	put(t, at("path", "python3.13"), says("Python 3.13.0"), 0o755)
	put(t, at("path", "python3.12"), "#!/bin/sh\nexit 127\n", 0o755)
	put(t, at("path", "node"), says("v22.5.0"), 0o755)
	put(t, at("inside", ".venv", "bin", "python3"), says("Python 3.13.2"), 0o755)
	put(t, at("around", "venv", "bin", "python3"), says("Python 3.12.7"), 0o755)
	put(t, at("around", "code", "app.py"), "", 0o600)
	put(t, at("plain", "code", "app.py"), "", 0o600)
	put(t, at("built", "F", "app.py"), "", 0o600)
	t.Setenv("PATH", at("path")+":/usr/bin:/bin")
	for _, c := range []struct {
		name string
		code Code
		want string
		note string
	}{
		{"in the folder", Code{Given: at("inside"), Runtime: "python3.13"}, at("inside", ".venv", "bin", "python3"), ""},
		{"around it", Code{Given: at("around", "code"), Runtime: "python3.12"}, at("around", "venv", "bin", "python3"), ""},
		{"around what a build was made from", Code{Built: at("built", "F"), Given: at("around", "code"), Runtime: "python3.12"}, at("around", "venv", "bin", "python3"), ""},
		{"the very version", Code{Given: at("plain", "code"), Runtime: "python3.13"}, at("path", "python3.13"), ""},
		{"one that works", Code{Given: at("plain", "code"), Runtime: "python3.12"}, at("path", "python3"), "F asks for python3.12 and runs with python3.9.1, " + at("path", "python3") + "."},
		{"the one that was named", Code{Given: at("inside"), Runtime: "python3.9", Python: at("path", "python3")}, at("path", "python3"), ""},
		{"node", Code{Given: at("plain", "code"), Runtime: "nodejs22.x"}, at("path", "node"), ""},
		{"another node", Code{Given: at("plain", "code"), Runtime: "nodejs20.x"}, at("path", "node"), "F asks for nodejs20.x and runs with nodejs22.5.0, " + at("path", "node") + "."},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.code.Name, c.code.Handler, c.code.Scratch = "F", "app.handler", t.TempDir()
			p, err := c.code.Prepare()
			if err != nil || p.Binary != c.want || p.Note != c.note {
				t.Errorf("%s, %q, %v\nwant %s, %q", p.Binary, p.Note, err, c.want, c.note)
			}
		})
	}
	t.Setenv("PATH", t.TempDir())
	for runtime, want := range map[string]string{
		"python3.13": "F needs python3.13, and there is no python3 here; -python names one.",
		"nodejs22.x": "F needs nodejs22.x, and there is no node here; -node names one.",
		"ruby3.4":    "F needs the runtime ruby3.4, which does not run here: provided.*, python3.* and nodejs* do.",
		"":           "F is a container image, and those do not run here.",
	} {
		_, err := Code{Name: "F", Given: at("plain", "code"), Runtime: runtime, Handler: "app.handler", Scratch: t.TempDir()}.Prepare()
		if unable, ok := err.(Unable); !ok || string(unable) != want {
			t.Errorf("%s: %v, want that it is unable: %s", runtime, err, want)
		}
	}
}

func TestCodeInTheTemplate(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "built", "app.py"), "", 0o600)
	for _, c := range []struct{ name, built, runtime, want string }{
		{"Python", "none", "python3.12", "scratch/EdgeAuth/F/index.py"},
		{"JavaScript", "none", "nodejs22.x", "scratch/EdgeAuth/F/index.js"},
		{"a build comes first", "built", "python3.12", "built/app.py"},
	} {
		t.Run(c.name, func(t *testing.T) {
			code := Code{Name: "EdgeAuth/F", Built: filepath.Join(dir, c.built), Inline: "code", Runtime: c.runtime, Handler: "index.handler", Scratch: filepath.Join(dir, "scratch")}
			put(t, filepath.Join(dir, "scratch", "here"), "", 0o600)
			p, err := code.Prepare()
			if err != nil || filepath.Join(p.Folder, filepath.Base(c.want)) != filepath.Join(dir, c.want) {
				t.Fatalf("%s, %v; want %s", p.Folder, err, c.want)
			}
			if got, err := os.ReadFile(filepath.Join(dir, c.want)); err != nil || c.built == "none" && (string(got) != "code" || p.Sources != "") {
				t.Errorf("%q, %v, watched: %q", got, err, p.Sources)
			}
		})
	}
}
