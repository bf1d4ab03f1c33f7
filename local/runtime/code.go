package runtime

// This file decides where a function's code is on this machine, and what starts it.

import (
	"archive/zip"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	goruntime "runtime"
	"strings"
)

// Code says where the code of a function may be.
type Code struct {
	Name  string // of the function, for errors
	Built string // the folder that a build makes for it, looked at first
	Given string // the folder or zip file that the template names; may be empty

	Scratch string // a folder for what has to be unpacked
}

// Program is a function's code, ready to be started.
type Program struct {
	Binary string
	Folder string // LAMBDA_TASK_ROOT
}

// Prepare finds the code, unpacking a zip file if need be. A binary for another processor is an error that says so.
func (c Code) Prepare() (Program, error) {
	folder, err := c.folder()
	if err != nil {
		return Program{}, err
	}
	p := Program{Binary: filepath.Join(folder, "bootstrap"), Folder: folder}
	return p, checkProcessor(c.Name, p.Binary)
}

// folder is where the code is: what a build has made, or else what the template names.
func (c Code) folder() (string, error) {
	if isFolder(c.Built) || c.Given == "" {
		return c.Built, nil
	}
	if strings.HasSuffix(c.Given, ".zip") {
		to := filepath.Join(c.Scratch, filepath.FromSlash(c.Name))
		if err := unpack(c.Given, to); err != nil {
			return "", fmt.Errorf("runtime: %s: %w", c.Name, err)
		}
		return to, nil
	}
	if _, err := os.Stat(filepath.Join(c.Given, "bootstrap")); err != nil {
		return c.Built, nil // the template names sources: whatever is wrong, it is the build that lacks something
	}
	return c.Given, nil
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
