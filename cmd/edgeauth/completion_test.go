package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestCompletion asks bash itself what it would complete, and reads what the others are given.
func TestCompletion(t *testing.T) {
	script := filepath.Join(t.TempDir(), "edgeauth")
	if err := os.WriteFile(script, []byte(on(t, nil, "completion", "bash").stdout), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ typed, want string }{
		{"edgeauth ex", "explain"},
		{"edgeauth explain -cl", "-claims"},
		{"edgeauth rules -j", "-json"},
		{"edgeauth dance -j", ""},
	} {
		words := strings.Fields(c.typed)
		ask := `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _edgeauth; echo "${COMPREPLY[*]}"`
		out, err := exec.Command("bash", append([]string{"-c", ask, "bash", script}, words...)...).CombinedOutput()
		if got := strings.TrimSpace(string(out)); err != nil || got != c.want {
			t.Errorf("%s: %q %v, want %q", c.typed, got, err, c.want)
		}
	}
	for shell, line := range map[string]string{
		"zsh":  "  cookie) compadd -- -all -url -user -h; _files ;;\n",
		"fish": "complete -c edgeauth -n '__fish_seen_subcommand_from cookie' -o all\n",
	} {
		if got := on(t, nil, "completion", shell); got.code != exitDone || !strings.Contains(got.stdout, line) {
			t.Errorf("%s: %+v", shell, got)
		}
	}
	if got := on(t, nil, "completion", "csh"); got.code != exitUsage || !strings.Contains(got.stderr, "say bash, zsh or fish") {
		t.Errorf("%+v", got)
	}
}
