package runtime

// This file decides where a function's code is on this machine, and what starts it.

import (
	"archive/zip"
	"debug/elf"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	goruntime "runtime"
	"strings"
)

// Code says where the code of a function may be, and what Lambda would run it with.
type Code struct {
	Name    string // of the function, for errors
	Built   string // the folder that a build makes for it, looked at first
	Given   string // the folder or zip file that the template names; may be empty
	Inline  string // the source code, where the template itself holds it: Lambda calls the file index
	Runtime string // such as provided.al2023, python3.13, nodejs22.x
	Handler string

	Python, Node string // the interpreters; empty: a virtual environment beside the code, else python3 and node
	Scratch      string // a folder for what has to be unpacked
}

// Program is a function's code, ready to be started.
type Program struct {
	Binary    string
	Arguments []string
	Folder    string // LAMBDA_TASK_ROOT, and where the process begins
	Handler   string
	Runtime   string // one that AWS provides; empty: the function brings its own
	Note      string // how it differs from what the template asks for, if it does
	Sources   string // the folder whose changes change what runs; empty: nothing but a build does
}

// Unable is why a function cannot run here, in a sentence for the person who asked.
type Unable string

func (u Unable) Error() string { return string(u) }

// Prepare finds the code, unpacking a zip file if need be. A function for which this machine has nothing is an Unable.
func (c Code) Prepare() (Program, error) {
	switch {
	case strings.HasPrefix(c.Runtime, "provided."):
		return c.own()
	case strings.HasPrefix(c.Runtime, "python3."):
		return c.interpreted("client.py", pythonClient, c.python)
	case strings.HasPrefix(c.Runtime, "nodejs"):
		return c.interpreted("client.mjs", nodeClient, c.node)
	case c.Runtime == "":
		return Program{}, Unable(c.Name + " is a container image, and those do not run here.")
	}
	return Program{}, Unable(c.Name + " needs the runtime " + c.Runtime + ", which does not run here: provided.*, python3.* and nodejs* do.")
}

// own is a function that brings its runtime: a bootstrap.
func (c Code) own() (Program, error) {
	folder, err := c.folder(func(folder string) bool {
		_, err := os.Stat(filepath.Join(folder, "bootstrap"))
		return err == nil
	})
	if err != nil {
		return Program{}, err
	}
	p := Program{Binary: filepath.Join(folder, "bootstrap"), Folder: folder, Handler: c.Handler}
	if _, err := os.Stat(p.Binary); err != nil {
		return Program{}, Unable(fmt.Sprintf("%s has no binary: a build has to make %s.", c.Name, p.Binary))
	}
	err = checkProcessor(c.Name, p.Binary)
	if other := c.sibling(); err != nil && other != "" {
		p.Note = fmt.Sprintf("%s is %s here: %s is for another processor.", c.Name, other, c.Given)
		if err = unpack(other, folder); err == nil {
			err = checkProcessor(c.Name, p.Binary)
		}
	}
	return p, err
}

// sibling is the zip file in which a release keeps the same function for the other processor, if it is there: in the folder x86_64, or beside that folder.
func (c Code) sibling() string {
	if !strings.HasSuffix(c.Given, ".zip") || isFolder(c.Built) {
		return ""
	}
	folder, name := filepath.Dir(c.Given), filepath.Base(c.Given)
	other := filepath.Join(folder, "x86_64", name)
	if filepath.Base(folder) == "x86_64" {
		other = filepath.Join(filepath.Dir(folder), name)
	}
	if _, err := os.Stat(other); err != nil {
		return ""
	}
	return other
}

//go:embed clients/client.py
var pythonClient string

//go:embed clients/client.mjs
var nodeClient string

// interpreted is a function for a runtime that AWS provides: the interpreter runs a client of ours, and that one the handler.
func (c Code) interpreted(client, text string, find func(folder string) (string, error)) (Program, error) {
	folder, err := c.folder(isFolder)
	if c.Inline != "" && err == nil && !isFolder(c.Built) {
		folder, err = c.inline()
	}
	if err != nil {
		return Program{}, err
	}
	if !isFolder(folder) {
		return Program{}, Unable(fmt.Sprintf("%s has no code: neither %s nor what the template names is a folder.", c.Name, c.Built))
	}
	if c.Handler == "" {
		return Program{}, fmt.Errorf("runtime: %s has no Handler", c.Name)
	}
	interpreter, err := find(folder)
	if err != nil {
		return Program{}, err
	}
	if client, err = c.write(client, text); err != nil {
		return Program{}, fmt.Errorf("runtime: %w", err)
	}
	p := Program{Binary: interpreter, Arguments: []string{client}, Folder: folder, Handler: c.Handler, Runtime: c.Runtime}
	version, err := versionOf(interpreter)
	if err != nil {
		return Program{}, fmt.Errorf("runtime: %s: %w", c.Name, err)
	}
	if !strings.HasPrefix(version, strings.TrimSuffix(c.Runtime, "x")) {
		p.Note = fmt.Sprintf("%s asks for %s and runs with %s, %s.", c.Name, c.Runtime, version, interpreter)
	}
	if !strings.HasSuffix(c.Given, ".zip") && c.Inline == "" || folder == c.Built {
		p.Sources = folder
	}
	return p, nil
}

// inline writes the source code that the template holds into a folder of its own.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-lambda-function-code.html
func (c Code) inline() (string, error) {
	folder, err := filepath.Abs(filepath.Join(c.Scratch, filepath.FromSlash(c.Name)))
	if err != nil {
		return "", err
	}
	name := "index.js"
	if strings.HasPrefix(c.Runtime, "python") {
		name = "index.py"
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", fmt.Errorf("runtime: %s: %w", c.Name, err)
	}
	return folder, os.WriteFile(filepath.Join(folder, name), []byte(c.Inline), 0o600)
}

// write puts a client of ours where an interpreter finds it. Other processes may read it meanwhile, so that it is there whole or not at all.
func (c Code) write(name, text string) (string, error) {
	path := filepath.Join(c.Scratch, name)
	if there, err := os.ReadFile(path); err == nil && string(there) == text {
		return path, nil
	}
	f, err := os.CreateTemp(c.Scratch, "*-"+name)
	if err != nil {
		return "", err
	}
	_, err = f.WriteString(text)
	return path, errors.Join(err, f.Close(), os.Rename(f.Name(), path))
}

// python is the interpreter of a virtual environment beside the code, or else one on the path: of the very version, if it is there.
func (c Code) python(folder string) (string, error) {
	if c.Python != "" {
		return found(c.Python, "-python")
	}
	for _, beside := range []string{folder, filepath.Dir(folder), c.Given, filepath.Dir(c.Given)} {
		for _, name := range []string{".venv", "venv"} {
			if python := filepath.Join(beside, name, "bin", "python3"); executable(python) {
				return filepath.Abs(python)
			}
		}
	}
	for _, name := range []string{c.Runtime, "python3"} {
		if python, err := exec.LookPath(name); err == nil {
			if _, err := versionOf(python); err == nil { // a version manager's command of that name may stand for nothing
				return python, nil
			}
		}
	}
	return "", Unable(c.Name + " needs " + c.Runtime + ", and there is no python3 here; -python names one.")
}

func (c Code) node(string) (string, error) {
	if c.Node != "" {
		return found(c.Node, "-node")
	}
	node, err := exec.LookPath("node")
	if err != nil {
		return "", Unable(c.Name + " needs " + c.Runtime + ", and there is no node here; -node names one.")
	}
	return node, nil
}

// versionOf asks an interpreter for its version, and writes it as Lambda names runtimes: python3.13.1, nodejs22.5.0.
func versionOf(interpreter string) (string, error) {
	out, err := exec.Command(interpreter, "--version").Output()
	if err != nil {
		return "", fmt.Errorf("%s --version: %w", interpreter, err)
	}
	text := strings.TrimSpace(string(out))
	if number, ok := strings.CutPrefix(text, "Python "); ok {
		return "python" + number, nil
	}
	return "nodejs" + strings.TrimPrefix(text, "v"), nil
}

func found(name, flag string) (string, error) {
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("runtime: %s %s: %w", flag, name, err)
	}
	return path, nil
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir() && info.Mode()&0o111 != 0
}

// folder is where the code is: what a build has made, or else what the template names, if it will do.
func (c Code) folder(good func(folder string) bool) (string, error) {
	switch {
	case isFolder(c.Built) || c.Given == "":
		return filepath.Abs(c.Built)
	case strings.HasSuffix(c.Given, ".zip"):
		to, err := filepath.Abs(filepath.Join(c.Scratch, filepath.FromSlash(c.Name)))
		if err == nil {
			err = unpack(c.Given, to)
		}
		if err != nil {
			return "", fmt.Errorf("runtime: %s: %w", c.Name, err)
		}
		return to, nil
	case good(c.Given):
		return filepath.Abs(c.Given)
	}
	return filepath.Abs(c.Built) // the template names sources: whatever is wrong, it is the build that lacks something
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// unpackLimit is what Lambda allows for a function's code, unpacked.
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const unpackLimit = 250 << 20

// unpack writes a zip file's contents into a folder, and nothing outside of it.
func unpack(archive, folder string) error {
	z, err := zip.OpenReader(archive)
	if err != nil {
		return fmt.Errorf("%s: %w", archive, err)
	}
	defer z.Close()
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return err
	}
	defer root.Close()
	left := int64(unpackLimit)
	for _, f := range z.File {
		n, err := extract(root, f, left)
		if err != nil {
			return fmt.Errorf("%s: %s: %w", archive, f.Name, err)
		}
		left -= n
	}
	return nil
}

func extract(root *os.Root, f *zip.File, limit int64) (int64, error) {
	name := filepath.FromSlash(strings.TrimSuffix(f.Name, "/"))
	if f.FileInfo().IsDir() {
		return 0, root.MkdirAll(name, 0o700)
	}
	if !f.Mode().IsRegular() {
		return 0, errors.New("neither a file nor a folder")
	}
	if err := root.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return 0, err
	}
	in, err := f.Open()
	if err != nil {
		return 0, err
	}
	defer in.Close()
	out, err := root.OpenFile(name, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, f.Mode().Perm()|0o600)
	if err != nil {
		return 0, err
	}
	n, err := io.Copy(out, io.LimitReader(in, limit+1))
	if err == nil && n > limit {
		err = fmt.Errorf("more than the %d bytes that Lambda unpacks", unpackLimit)
	}
	return n, errors.Join(err, out.Close())
}

// processors are the machines that Lambda has, as Go calls them.
var processors = map[elf.Machine]string{elf.EM_X86_64: "amd64", elf.EM_AARCH64: "arm64"}

// checkProcessor refuses a Linux binary that was built for another processor than this one's.
func checkProcessor(name, binary string) error {
	f, err := elf.Open(binary)
	if err != nil {
		return nil // a script, or nothing: whoever starts it will say
	}
	defer f.Close()
	if built := processors[f.Machine]; built != "" && built != goruntime.GOARCH {
		return fmt.Errorf("runtime: %s is built for %s, and this machine is %s", name, built, goruntime.GOARCH)
	}
	return nil
}
