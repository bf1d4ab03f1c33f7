package main

// This file writes archives and checksums in which nothing depends on when, where or by whom they are made.

import (
	"archive/tar"
	"archive/zip"
	"compress/flate"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// epoch is the first moment that a zip file can name.
var epoch = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

// entry is a file of an archive and where its bytes are.
type entry struct{ name, from string }

// writeZip writes the entries in their order. What is executable here is executable there: Lambda starts nothing else.
func writeZip(to string, entries []entry) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	file, err := os.Create(to)
	if err != nil {
		return err
	}
	archive := zip.NewWriter(file)
	archive.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestCompression) })
	for _, e := range entries {
		if err := addToZip(archive, e); err != nil {
			return errors.Join(err, file.Close())
		}
	}
	return errors.Join(archive.Close(), file.Close())
}

func addToZip(archive *zip.Writer, e entry) error {
	from, err := os.Open(e.from)
	if err != nil {
		return err
	}
	defer from.Close()
	info, err := from.Stat()
	if err != nil {
		return err
	}
	head := &zip.FileHeader{Name: e.name, Method: zip.Deflate, Modified: epoch}
	head.SetMode(mode(info))
	w, err := archive.CreateHeader(head)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, from)
	return err
}

// mode keeps of a file's mode whether it can be executed; the rest is a matter of somebody's umask.
func mode(info fs.FileInfo) fs.FileMode {
	if info.Mode()&0o100 != 0 {
		return 0o755
	}
	return 0o644
}

// writeTar writes a folder, under a name, in the order of its file names.
func writeTar(to, folder, name string) error {
	file, err := os.Create(to)
	if err != nil {
		return err
	}
	zipped, err := gzip.NewWriterLevel(file, gzip.BestCompression)
	if err != nil {
		return err
	}
	archive := tar.NewWriter(zipped)
	err = eachFile(folder, func(path string, info fs.FileInfo) error {
		head := &tar.Header{Name: name + "/" + path, Size: info.Size(), Mode: int64(mode(info)), ModTime: epoch, Format: tar.FormatUSTAR}
		if err := archive.WriteHeader(head); err != nil {
			return err
		}
		from, err := os.Open(filepath.Join(folder, path))
		if err != nil {
			return err
		}
		defer from.Close()
		_, err = io.Copy(archive, from)
		return err
	})
	return errors.Join(err, archive.Close(), zipped.Close(), file.Close())
}

// addChecksums writes what `sha256sum -c checksums.txt` reads: of every file of a folder, or, where archives lie, of those.
func addChecksums(_, folder string) error {
	var lines strings.Builder
	err := eachFile(folder, func(path string, _ fs.FileInfo) error {
		from, err := os.Open(filepath.Join(folder, path))
		if err != nil {
			return err
		}
		defer from.Close()
		sum := sha256.New()
		if _, err := io.Copy(sum, from); err != nil {
			return err
		}
		fmt.Fprintf(&lines, "%x  %s\n", sum.Sum(nil), path)
		return nil
	})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, "checksums.txt"), []byte(lines.String()), 0o644)
}

// unwanted are parts of a path that nobody needs who takes a release in: tests, their tools, and what a run leaves behind.
var unwanted = []string{"__pycache__", "node_modules", "test", ".npmrc", "package-lock"}

// copyAll copies a file, or a folder without what is unwanted.
func copyAll(from, to string) error {
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return copyFile(from, to, mode(info))
	}
	return eachFile(from, func(path string, info fs.FileInfo) error {
		for _, part := range unwanted {
			if strings.Contains(path, part) {
				return nil
			}
		}
		return copyFile(filepath.Join(from, path), filepath.Join(to, path), mode(info))
	})
}

func copyFile(from, to string, mode fs.FileMode) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, text, mode)
}

// eachFile visits the regular files of a folder in the order of their names, with slashes.
func eachFile(folder string, do func(path string, info fs.FileInfo) error) error {
	return filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(folder, path)
		if err != nil {
			return err
		}
		return do(filepath.ToSlash(relative), info)
	})
}
