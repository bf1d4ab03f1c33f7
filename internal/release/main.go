// Command release makes what is handed to others: the folder that an application takes in, and the tool for each system.
//
//	release -version v1.2.3 -out dist
//
// Nothing in it says when, where or by whom it was made: the same source and the same Go make the same bytes.
package main

// This file decides what is in a release.

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// functions are what runs at Lambda, by the name of its zip file.
var functions = []struct{ name, target string }{
	{"authorizer", "AuthorizerFunction"},
	{"callback", "CallbackFunction"},
}

// architectures are Lambda's names and Go's. The first is that of edgeauth.yaml: its zip files lie beside it, the others in a folder of their own.
var architectures = []struct{ lambda, goarch string }{
	{"arm64", "arm64"},
	{"x86_64", "amd64"},
}

// copied are files and folders of the repository and their names in the release.
var copied = []struct{ from, to string }{
	{"LICENSE", "LICENSE"},
	{"CHANGELOG.md", "CHANGELOG.md"},
	{"parameters.yaml", "parameters.yaml"},
	{"template/hazards.py", "check/hazards.py"},
	{"template/stack.py", "check/stack.py"},
	{"identity/schema.json", "identity/schema.json"},
	{"identity/python", "identity/python"},
	{"identity/javascript", "identity/javascript"},
}

// systems are what the tool is built for.
var systems = []struct{ goos, goarch string }{
	{"linux", "amd64"},
	{"linux", "arm64"},
	{"darwin", "amd64"},
	{"darwin", "arm64"},
	{"windows", "amd64"},
}

var tag = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+-]*$`)

func main() {
	version := flag.String("version", "", "what the release is called, such as v1.2.3")
	out := flag.String("out", "dist", "folder to write; what is in it is deleted")
	flag.Parse()
	if err := release(*version, *out); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

func release(version, out string) error {
	if !tag.MatchString(version) {
		return fmt.Errorf("%q is no version", version)
	}
	if err := os.RemoveAll(out); err != nil {
		return err
	}
	folder := filepath.Join(out, "edgeauth")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	for _, step := range []func(version, folder string) error{addFunctions, addPart, addFiles, addResponses, addChecksums} {
		if err := step(version, folder); err != nil {
			return err
		}
	}
	if err := writeTar(filepath.Join(out, "edgeauth-"+version+".tar.gz"), folder, "edgeauth"); err != nil {
		return err
	}
	if err := addTools(version, out); err != nil {
		return err
	}
	return addChecksums(version, out)
}

// addFunctions builds each function for each architecture and zips it, with a bill of what is linked into it.
func addFunctions(version, folder string) error {
	for i, a := range architectures {
		into := folder
		if i > 0 {
			into = filepath.Join(folder, a.lambda)
		}
		for _, f := range functions {
			if err := addFunction(version, f.target, a.goarch, filepath.Join(into, f.name+".zip"), filepath.Join(folder, "sbom", f.name+"-"+a.lambda+".cdx.json")); err != nil {
				return fmt.Errorf("%s for %s: %w", f.name, a.lambda, err)
			}
		}
	}
	return nil
}

// addPart writes the nested template beside the zip files of each architecture.
func addPart(_, folder string) error {
	text, err := os.ReadFile("edgeauth.yaml")
	if err != nil {
		return err
	}
	for i, a := range architectures {
		part, err := partFor(string(text), a.lambda)
		if err != nil {
			return err
		}
		into := folder
		if i > 0 {
			into = filepath.Join(folder, a.lambda)
		}
		if err := os.WriteFile(filepath.Join(into, "edgeauth.yaml"), []byte(part), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// partFor is edgeauth.yaml for code that is there already: nothing is built, and the function is for one architecture.
func partFor(text, architecture string) (string, error) {
	metadata := regexp.MustCompile(`(?m)^    Metadata: \{ BuildMethod: makefile, .*\n`).FindString(text)
	for _, edit := range []struct{ from, to string }{
		{"\n      Code: .\n", "\n      Code: authorizer.zip\n"},
		{"\n      Architectures: [arm64]\n", "\n      Architectures: [" + architecture + "]\n"},
		{metadata, "    Metadata: { cfn-lint: { config: { ignore_checks: [W3002] } } } # Code is a file until it is packaged\n"},
	} {
		if edit.from == "" || strings.Count(text, edit.from) != 1 {
			return "", fmt.Errorf("edgeauth.yaml has %q not once", edit.from)
		}
		text = strings.Replace(text, edit.from, edit.to, 1)
	}
	return text, nil
}

func addFunction(version, target, goarch, archive, bill string) error {
	built, err := os.MkdirTemp("", "release-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(built)
	if err := run("make", "-s", "build-"+target, "ARTIFACTS_DIR="+built, "OS=linux", "ARCH="+goarch, "VERSION="+version); err != nil {
		return err
	}
	binary := filepath.Join(built, "bootstrap")
	if err := writeZip(archive, []entry{{"bootstrap", binary}}); err != nil {
		return err
	}
	return writeBill(version, binary, bill)
}

// writeBill writes a software bill of materials, CycloneDX, of what a binary says about itself.
// https://cyclonedx.org/docs/1.6/json/
func writeBill(version, binary, to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return run("go", "tool", "-modfile=tools/go.mod", "cyclonedx-gomod", "bin", "-json", "-noserial", "-notimestamp", "-std", "-version", version, "-output", to, binary)
}

func addFiles(version, folder string) error {
	for _, c := range copied {
		if err := copyAll(c.from, filepath.Join(folder, c.to)); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(folder, "VERSION"), []byte(version+"\n"), 0o644)
}

// addResponses writes the gateway responses that an application copies into its API, as template.yaml has them, without the headers for another origin, which
// depend on a parameter of the demo.
func addResponses(_, folder string) error {
	template, err := os.ReadFile("template.yaml")
	if err != nil {
		return err
	}
	block, err := blockOf(string(template), "GatewayResponses:")
	if err != nil {
		return err
	}
	var lines strings.Builder
	for line := range strings.Lines(block) {
		if !strings.Contains(line, "Access-Control-Allow-") {
			lines.WriteString(line)
		}
	}
	return os.WriteFile(filepath.Join(folder, "gateway-responses.yaml"), []byte(lines.String()), 0o644)
}

// blockOf returns a member of a YAML mapping, by its line, moved to the left margin.
func blockOf(text, key string) (string, error) {
	var block []string
	indent := -1
	for line := range strings.Lines(text) {
		bare := strings.TrimLeft(line, " ")
		depth := len(line) - len(bare)
		switch {
		case indent < 0 && strings.TrimSpace(bare) == key:
			indent = depth
		case indent < 0:
			continue
		case strings.TrimSpace(bare) != "" && depth <= indent:
			return strings.TrimRight(strings.Join(block, ""), "\n") + "\n", nil
		}
		block = append(block, line[min(indent, depth):])
	}
	return "", errors.New("template.yaml has no block " + key)
}

// addTools builds the tool for each system.
func addTools(version, out string) error {
	for _, s := range systems {
		built, err := os.MkdirTemp("", "release-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(built)
		name := "edgeauth"
		if s.goos == "windows" {
			name += ".exe"
		}
		binary := filepath.Join(built, name)
		if err := run("make", "-s", "tool", "TOOL="+binary, "OS="+s.goos, "ARCH="+s.goarch, "VERSION="+version); err != nil {
			return err
		}
		archive := filepath.Join(out, fmt.Sprintf("edgeauth-%s-%s-%s.zip", version, s.goos, s.goarch))
		if err := writeZip(archive, []entry{{"LICENSE", "LICENSE"}, {name, binary}}); err != nil {
			return err
		}
	}
	return nil
}

// run runs a command and keeps quiet about it unless it fails.
func run(name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "GOFLAGS="+strings.TrimSpace(os.Getenv("GOFLAGS")+" -trimpath")) // a tool that tells its own hash has the same one everywhere
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", name, err, out)
	}
	return nil
}
