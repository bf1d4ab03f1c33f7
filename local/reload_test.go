package local

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A change of the code is what the next request runs, a mistake in it included; then the next change mends it.
func TestReload(t *testing.T) {
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("there is no python3")
	}
	dir := t.TempDir()
	text := readFile(t, "testdata/languages.yaml")
	writeFile(t, filepath.Join(dir, "template.yaml"), text)
	writeFile(t, filepath.Join(dir, "functions", "app.js"), readFile(t, "testdata/functions/app.js"))
	code := filepath.Join(dir, "functions", "app.py")
	at := time.Date(2020, 11, 24, 12, 0, 0, 0, time.UTC) // older than every other file: a save may be one that brings an old file back
	save := func(text string) {
		writeFile(t, code, text)
		at = at.Add(time.Second)
		if err := os.Chtimes(code, at, at); err != nil {
			t.Fatal(err)
		}
	}
	says := func(word string) string {
		return "def handler(event, context):\n    return {'statusCode': 200, 'body': '" + word + "'}\n"
	}
	for _, c := range []struct {
		which string
		saves []string
		want  []int
	}{
		{"sources", []string{says("one"), says("two"), "import nothing_of_that_name\n", says("three")}, []int{200, 200, 502, 200}},
		{"none", []string{says("one"), says("two")}, []int{200, 200}},
		{"sources", []string{"syntax error\n", says("one")}, []int{502, 200}}, // from the start on
	} {
		t.Run(c.which, func(t *testing.T) {
			save(c.saves[0])
			s := launch(t, "-template", filepath.Join(dir, "template.yaml"), "-build", buildFolder(t, "AuthorizerFunction"), "-app-port", "0", "-cognito-port", "0", "-reload", c.which)
			for i, text := range c.saves {
				if i > 0 {
					save(text)
				}
				if c.which == "none" {
					text = c.saves[0]
				}
				status, body := fetch(t, s.url)
				if status != c.want[i] || status == 200 && !strings.Contains(text, "'"+body+"'") {
					t.Errorf("after save %d: %d %q\n%s", i, status, body, s.stderr)
				}
			}
			if said := strings.Count(s.stderr.String(), "PagesFunction runs new code"); said != len(c.saves)-1 && c.which == "sources" {
				t.Errorf("new code was said %d times:\n%s", said, s.stderr)
			}
			if started := strings.Contains(s.stderr.String(), "Its routes answer 502 until its code has changed."); started != (c.want[0] == 502) {
				t.Errorf("a function that does not start: %s", s.stderr)
			}
		})
	}
}

// A binary is run anew if it is asked for: then also the authorizer's.
func TestReloadBinaries(t *testing.T) {
	build := buildFolder(t, "AuthorizerFunction")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	pages := filepath.Join(build, "PagesFunction", "bootstrap")
	write := func(n string) {
		writeFile(t, pages+".new", "#!/bin/sh\n# "+n+"\nexec "+self+"\n")
		if err := os.Chmod(pages+".new", 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(pages+".new", pages); err != nil {
			t.Fatal(err)
		}
	}
	for which, same := range map[string]bool{"all": false, "sources": true} {
		write("1")
		s := launch(t, "-template", "testdata/template.yaml", "-build", build, "-app-port", "0", "-cognito-port", "0", "-reload", which)
		_, first := fetch(t, s.url)
		write("second")
		if _, second := fetch(t, s.url); (first == second) != same {
			t.Errorf("-reload %s: process %s, then %s", which, first, second)
		}
	}
}

// What interpreters and tools keep beside the code is none of it.
func TestLook(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "app.py"), "1")
	before, err := look(dir)
	if err != nil || before.files != 1 {
		t.Fatal(before, err)
	}
	for _, ignored := range []string{"node_modules", "__pycache__", "venv", ".venv", ".git"} {
		writeFile(t, filepath.Join(dir, "sub", ignored, "x"), "1")
	}
	if after, err := look(dir); after != before || err != nil {
		t.Errorf("%+v, then %+v, %v", before, after, err)
	}
	writeFile(t, filepath.Join(dir, "sub", "more.py"), "1")
	if after, _ := look(dir); after == before {
		t.Error("a new file is no change")
	}
	if _, err := look(filepath.Join(dir, "none")); err == nil {
		t.Error("a folder that is not there")
	}
}
