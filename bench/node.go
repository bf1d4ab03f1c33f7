// This file prepares and drives the comparison under Node: AWS's own verifier, bundled as people deploy it.

package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"edgeauth/internal/token/tokentest"
	"edgeauth/internal/yardstick"
)

// What is measured under Node.
const (
	awsJWTVerify = "aws-jwt-verify 5.2.1 (Node)"
	rawNode      = "raw crypto.verify (Node)"
)

// node is the comparison under Node, as far as this machine has it.
type node struct {
	missing  string   // why there is none
	versions string   // of Node and what runs on it
	command  []string // starts the function
	client   string   // name of the Runtime API client in command
	env      []string

	slots  *exec.Cmd // the process that works on command, for measuring without a Runtime API
	stdin  io.Writer
	stdout *bufio.Reader
	used   time.Duration // CPU time that the work took so far
}

// prepareNode installs, from the committed lock file, and bundles. What goes wrong only means that there is no comparison.
func prepareNode(dir string, t *traffic) *node {
	n := &node{versions: "no Node"}
	if err := n.install(dir); err != nil {
		n.missing = "Node: " + err.Error()
		return n
	}
	n.env = settings("AUTH_JWKS=" + string(t.pool.JWKS()))
	if err := n.startSlots(dir, t); err != nil {
		n.missing = "Node: " + err.Error()
	}
	return n
}

// settings returns the environment of an authorizer of the test pool, and more.
func settings(more ...string) []string {
	return append([]string{"AUTH_ISSUER=" + tokentest.Issuer, "AUTH_CLIENT_IDS=" + tokentest.ClientID, "AUTH_LOG_DECISIONS=refused"}, more...)
}

func (n *node) install(dir string) error {
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			return errors.New("no " + tool + " on this machine; lines that compare with it are left out")
		}
	}
	if _, err := os.Stat("node/node_modules/openid-client"); err != nil { // the latest of them
		say("installing the comparison under Node (once)")
		if _, err := do("node", "npm", "ci", "--no-audit", "--no-fund"); err != nil {
			return err
		}
	}
	version, err := do(".", "node", "--version")
	if err != nil {
		return err
	}
	for _, b := range []struct{ entry, out, handler string }{
		{"authorizer", "authorizer", "authorizer"},
		{"callback", "callback", "callback"},
		{"slots", "slots", "authorizer"},
		{"loop", "loop", "authorizer"},
		{"loop", "callback-loop", "callback"},
	} {
		if _, err := do("node", "node_modules/.bin/esbuild", b.entry+".mjs", "--alias:handler=./"+b.handler+".mjs", "--bundle", "--minify", "--platform=node", "--format=esm",
			"--banner:js=import{createRequire}from'node:module';const require=createRequire(import.meta.url);", "--log-level=warning", "--outfile="+filepath.Join(dir, b.out+".mjs")); err != nil {
			return err
		}
	}
	n.client, n.command = "own loop", []string{"node", filepath.Join(dir, "loop.mjs")}
	if _, err := os.Stat("node/node_modules/aws-lambda-ric/dist/rapid-client.node"); err == nil {
		client, err := filepath.Abs("node/node_modules/aws-lambda-ric/bin/index.mjs")
		if err != nil {
			return err
		}
		n.client, n.command = "aws-lambda-ric 3.3.0", []string{"node", client, "authorizer.handler"}
	}
	n.versions = "Node " + strings.TrimSpace(version) + ", aws-jwt-verify 5.2.1, " + n.client
	return nil
}

func (n *node) startSlots(dir string, t *traffic) error {
	type texts struct {
		Tokens []string `json:"tokens"`
		Events []string `json:"events"`
	}
	all := map[string]texts{}
	for size := range t.tokens {
		var events []string
		for _, e := range t.events[size] {
			events = append(events, string(e))
		}
		all[size] = texts{t.tokens[size], events}
	}
	encoded, err := json.Marshal(all)
	if err != nil {
		return err
	}
	file := filepath.Join(dir, "traffic.json")
	if err := os.WriteFile(file, encoded, 0o644); err != nil {
		return err
	}
	n.slots = exec.Command("node", filepath.Join(dir, "slots.mjs"), file)
	n.slots.Env = append(os.Environ(), n.env...)
	n.slots.Stderr = os.Stderr
	if n.stdin, err = n.slots.StdinPipe(); err != nil {
		return err
	}
	out, err := n.slots.StdoutPipe()
	if err != nil {
		return err
	}
	n.stdout = bufio.NewReader(out)
	if err := n.slots.Start(); err != nil {
		return err
	}
	for size := range t.tokens { // until its compiler has seen enough
		if err := errors.Join(n.work("raw", size, 2000), n.work("verify", size, 2000), n.work("handler", size, 2000)); err != nil {
			return err
		}
	}
	return nil
}

// work has the process do something n times.
func (n *node) work(what, size string, times int) error {
	if _, err := fmt.Fprintln(n.stdin, what, size, times); err != nil {
		return err
	}
	var microseconds int64
	if _, err := fmt.Fscanln(n.stdout, &microseconds); err != nil {
		return fmt.Errorf("no answer: %w", err)
	}
	n.used += time.Duration(microseconds) * time.Microsecond
	return nil
}

// variants returns a thing that the process can do as something to compare; nothing if there is no such process.
func (n *node) variants(name, what, size string) []yardstick.Variant {
	if n.missing != "" {
		return nil
	}
	run := func(times int) {
		if err := n.work(what, size, times); err != nil {
			panic(err)
		}
	}
	return []yardstick.Variant{{Name: name, Run: run, CPU: func() time.Duration { return n.used }}}
}

func (n *node) close() {
	if n.slots != nil && n.slots.Process != nil {
		n.slots.Process.Kill()
		n.slots.Wait()
	}
}
