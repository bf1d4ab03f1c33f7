// Command rename gives the module another name, for whoever publishes a fork: the name that it has here cannot be fetched by anybody.
//
//	rename github.com/acme/edgeauth
//
// It rewrites the module lines of every go.mod and the imports of every Go file under the working directory, and nothing else.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"go/format"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: rename MODULE")
		os.Exit(2)
	}
	changed, err := rename(".", os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "rename:", err)
		os.Exit(1)
	}
	fmt.Printf("%d files changed; the module is %s now\n", changed, os.Args[1])
}

var (
	fetchable  = regexp.MustCompile(`^[a-z0-9-]+(\.[a-z0-9-]+)+(/[A-Za-z0-9][A-Za-z0-9._~-]*)+$`) // https://go.dev/ref/mod#go-mod-file-ident
	moduleLine = regexp.MustCompile(`(?m)^module (\S+)$`)
)

// notOurs are folders that hold what others wrote or what was built.
var notOurs = []string{".git", ".venv", ".aws-sam", "build", "dist", "node_modules"}

// rename changes every file under root and returns how many.
func rename(root, name string) (changed int, err error) {
	if !fetchable.MatchString(name) {
		return 0, fmt.Errorf("%q is no module path that can be fetched, such as github.com/acme/edgeauth", name)
	}
	text, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		return 0, err
	}
	line := moduleLine.FindSubmatch(text)
	if line == nil {
		return 0, errors.New("go.mod names no module")
	}
	old := string(line[1])
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if slices.Contains(notOurs, d.Name()) {
				return filepath.SkipDir
			}
			return nil
		}
		var edit func(text []byte, old, name string) ([]byte, error)
		switch {
		case d.Name() == "go.mod":
			edit = renameModule
		case strings.HasSuffix(path, ".go"):
			edit = renameImports
		default:
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		edited, err := edit(text, old, name)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if bytes.Equal(text, edited) {
			return nil
		}
		changed++
		return os.WriteFile(path, edited, 0o644)
	})
	return changed, err
}

// renameModule renames a module, itself or one that it needs, in a go.mod file.
func renameModule(text []byte, old, name string) ([]byte, error) {
	word := regexp.MustCompile(`(?m)(^|\s)` + regexp.QuoteMeta(old) + `(/\S+)?(\s|$)`)
	return word.ReplaceAll(text, []byte("${1}"+name+"${2}${3}")), nil
}

// renameImports renames what a file imports.
func renameImports(text []byte, old, name string) ([]byte, error) {
	files := token.NewFileSet()
	parsed, err := parser.ParseFile(files, "", text, parser.ParseComments|parser.ImportsOnly)
	if err != nil {
		return nil, err
	}
	edited := text
	for _, spec := range slices.Backward(parsed.Imports) {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, err
		}
		rest, ours := strings.CutPrefix(path, old+"/")
		if !ours {
			continue
		}
		from, to := files.Position(spec.Path.Pos()).Offset, files.Position(spec.Path.End()).Offset
		edited = slices.Concat(edited[:from], []byte(strconv.Quote(name+"/"+rest)), edited[to:])
	}
	if bytes.Equal(edited, text) {
		return text, nil
	}
	return format.Source(edited) // a new name may sort elsewhere
}
