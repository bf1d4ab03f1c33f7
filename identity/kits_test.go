package identity

import (
	"bytes"
	"embed"
	"encoding/base64"
	"encoding/json"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"testing"
)

// kits are the decoders as they are shipped.
//
//go:embed python/edgeauth_identity/__init__.py javascript/identity.mjs
var kits embed.FS

const (
	pythonProgram = `
import dataclasses, json, sys
sys.path.insert(0, "python")
from edgeauth_identity import VERSION, caller, NoCaller
for line in sys.stdin:
    try:
        who = dataclasses.asdict(caller(json.loads(line)))
        print(json.dumps({"v": VERSION} | {k: v for k, v in who.items() if v is not None and (k, v) != ("claims", {})}))
    except NoCaller:
        print("null")
`
	javascriptProgram = `
import { caller, NoCaller } from "./javascript/identity.mjs";
import { createInterface } from "node:readline";
for await (const line of createInterface({ input: process.stdin })) {
  try {
    console.log(JSON.stringify(caller(JSON.parse(line))));
  } catch (e) {
    if (!(e instanceof NoCaller)) throw e;
    console.log("null");
  }
}
`
)

// TestKits runs the decoders for other languages, where the machine has them, over events of every
// kind: they see what Go sees, and no caller where Go sees none.
func TestKits(t *testing.T) {
	events, want := kitEvents(t)
	dir := t.TempDir()
	if err := os.CopyFS(dir, kits); err != nil {
		t.Fatal(err)
	}
	for _, kit := range []struct{ name, program, arg string }{
		{"python3", pythonProgram, "-c"},
		{"node", javascriptProgram, "--input-type=module"},
	} {
		t.Run(kit.name, func(t *testing.T) {
			path, err := exec.LookPath(kit.name)
			if err != nil {
				t.Skipf("SKIPPED: no %s on this machine, so its decoder goes untested", kit.name)
			}
			args := []string{kit.arg, kit.program}
			if kit.name == "node" {
				args = []string{kit.arg, "-e", kit.program}
			}
			run := exec.Command(path, args...)
			run.Dir = dir
			run.Stdin = strings.NewReader(strings.Join(events, "\n") + "\n")
			var problems bytes.Buffer
			run.Stderr = &problems
			out, err := run.Output()
			if err != nil {
				t.Fatalf("%v\n%s", err, &problems)
			}
			lines := strings.Split(strings.TrimSpace(string(out)), "\n")
			if len(lines) != len(events) {
				t.Fatalf("%d answers to %d events", len(lines), len(events))
			}
			for i, line := range lines {
				var got any
				if err := json.Unmarshal([]byte(line), &got); err != nil {
					t.Fatal(err)
				}
				if !reflect.DeepEqual(got, want[i]) {
					t.Errorf("%s\ngot  %v\nwant %v", events[i], got, want[i])
				}
			}
		})
	}
}

// kitEvents returns events, and what the decoders must make of them: the structured identity, or
// nil.
func kitEvents(t *testing.T) (events []string, want []any) {
	add := func(event any, who any) {
		b, err := json.Marshal(event)
		if err != nil {
			t.Fatal(err)
		}
		events, want = append(events, string(b)), append(want, who)
	}
	type object = map[string]any
	at := func(authorizer any) object { return object{"requestContext": object{"authorizer": authorizer}} }
	for _, id := range []Identity{user, machine} {
		handed := handedOn(t, id, `{"custom:plan":"göld","level":3}`)
		text, err := base64.RawURLEncoding.DecodeString(handed["identity"].(string))
		if err != nil {
			t.Fatal(err)
		}
		var who any
		if err := json.Unmarshal(text, &who); err != nil {
			t.Fatal(err)
		}
		add(at(handed), who)
		add(at(object{"lambda": handed}), who)
		for _, missing := range []string{"v", "identity"} {
			less := handedOn(t, id, "{}")
			delete(less, missing)
			add(at(less), nil)
		}
		for _, missing := range []string{"v", "iss", "sub", "client_id", "token_use", "exp"} {
			less := handedOn(t, id, "{}")
			inner := who.(object)
			kept := inner[missing]
			delete(inner, missing)
			b, _ := json.Marshal(inner)
			inner[missing] = kept
			less["identity"] = base64.RawURLEncoding.EncodeToString(b)
			add(at(less), nil)
		}
	}
	for _, authorizer := range []any{nil, object{}, object{"principalId": "s-1"}, "x", object{"v": "1", "identity": "e30"}, object{"v": "1", "identity": "***"}, object{"v": "1", "identity": 7}, object{"v": "2", "identity": handedOn(t, user, "{}")["identity"]}} {
		add(at(authorizer), nil)
	}
	add(object{}, nil)
	add(object{"requestContext": nil}, nil)
	return events, want
}
