// This file makes functions whose clock can be set while they run, and whose access rules change as a deployment changes them: new processes get the new
// rules, requests under way keep the old ones. Neither is a thing that the shipped binaries know of: the rules are put into the environment by a script
// around the authorizer, and the clock is that of a standard library with one function changed, by a build overlay. The rest is what `make build` makes.
package e2e

import (
	"encoding/binary"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// workshop is a folder with a build of the functions, and what sets their clock and rules.
type workshop struct {
	build, template string
	authorizer      string // its folder
	clocks          []string
}

// workshops are the functions that know what time it is for those who sign in.
var workshops = map[string]string{"EdgeAuth/AuthorizerFunction": "build-AuthorizerFunction", "CallbackFunction": "build-CallbackFunction"}

// newWorkshop builds the functions.
func newWorkshop(t testing.TB) workshop {
	t.Helper()
	if err := build(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	w := workshop{build: dir, template: template(), authorizer: filepath.Join(dir, "EdgeAuth/AuthorizerFunction")}
	if err := os.CopyFS(dir, os.DirFS(artifacts)); err != nil {
		t.Fatal(err)
	}
	overlay := clockThatCanBeSet(t)
	for id, rule := range workshops {
		folder := filepath.Join(dir, id)
		binary := folder
		if folder == w.authorizer {
			binary = filepath.Join(folder, "function")
			script := "#!/bin/sh\nAUTH_RULES=$(cat \"$LAMBDA_TASK_ROOT/rules\") exec \"$LAMBDA_TASK_ROOT/function/bootstrap\"\n"
			put(t, filepath.Join(folder, "bootstrap"), []byte(script))
		}
		cmd := exec.Command("make", "-s", rule, "ARTIFACTS_DIR="+binary, "ARCH="+runtime.GOARCH, "OS="+runtime.GOOS, "GOFLAGS="+os.Getenv("GOFLAGS")+" -overlay="+overlay)
		cmd.Dir = repository
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", cmd.Args, err, out)
		}
		w.clocks = append(w.clocks, filepath.Join(folder, "clock"))
	}
	return w
}

// clockThatCanBeSet writes a build overlay in which time.Now adds the seconds that the file "clock" beside the function holds. What counts from one moment
// to another goes on as it does when a machine's clock is set. The deadline of an invocation is by the same clock: Lambda's own is that of the function.
func clockThatCanBeSet(t testing.TB) string {
	t.Helper()
	o := overlay{dir: t.TempDir(), replace: map[string]string{}}
	std := filepath.Join(output(t, "go", "env", "GOROOT"), "src")
	o.change(t, filepath.Join(std, "time", "time.go"), "\nfunc Now() Time {\n", "\nfunc Now() Time { return stepped(machine()) }\n\nfunc machine() Time {\n")
	o.put(t, filepath.Join(std, "time", "step.go"), steps)
	o.change(t, filepath.Join(std, "context", "context.go"), "\nfunc WithDeadlineCause(parent Context, d time.Time, cause error) (Context, CancelFunc) {\n", "$0\td = time.Deadline(d)\n")
	file := filepath.Join(o.dir, "overlay.json")
	put(t, file, must(json.Marshal(map[string]any{"Replace": o.replace})))
	return file
}

// overlay is a set of files that a build takes in place of others.
type overlay struct {
	dir     string
	replace map[string]string
}

// change replaces what stands once in a file. $0 in what comes after is what was there.
func (o overlay) change(t testing.TB, path, before, after string) {
	t.Helper()
	text := string(must(os.ReadFile(path)))
	if strings.Count(text, before) != 1 {
		t.Fatalf("%s does not say %q once", path, before)
	}
	o.put(t, path, strings.Replace(text, before, strings.Replace(after, "$0", before, 1), 1))
}

func (o overlay) put(t testing.TB, path, text string) {
	t.Helper()
	o.replace[path] = filepath.Join(o.dir, filepath.Base(path))
	put(t, o.replace[path], []byte(text))
}

func output(t testing.TB, argv ...string) string {
	t.Helper()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir = repository
	return strings.TrimSpace(string(must(cmd.Output())))
}

const steps = `package time

import (
	"sync/atomic"
	"syscall"
	"unsafe"
)

var ahead = func() *atomic.Int64 {
	root, _ := syscall.Getenv("LAMBDA_TASK_ROOT")
	fd, err := syscall.Open(root+"/clock", syscall.O_RDONLY, 0)
	if err != nil {
		panic(err)
	}
	page, err := syscall.Mmap(fd, 0, 8, syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		panic(err)
	}
	return (*atomic.Int64)(unsafe.Pointer(&page[0]))
}()

// Deadline turns one that came as a number of seconds into one by this clock.
func Deadline(d Time) Time {
	if d.wall&hasMonotonic == 0 {
		d = Now().Add(d.Sub(machine()))
	}
	return d
}

func stepped(t Time) Time {
	t.wall += uint64(ahead.Load()) << nsecShift
	return t
}
`

// set is how things are when the functions begin.
func (w workshop) set(t testing.TB, rules string, ahead int64) {
	t.Helper()
	put(t, filepath.Join(w.authorizer, "rules"), []byte(rules))
	w.step(t, ahead)
}

// deploy gives the authorizer other rules: its processes are replaced when the next request comes.
func (w workshop) deploy(t testing.TB, rules string) {
	t.Helper()
	put(t, filepath.Join(w.authorizer, "rules"), []byte(rules))
	if err := os.Chtimes(filepath.Join(w.authorizer, "bootstrap"), time.Time{}, time.Now()); err != nil {
		t.Fatal(err)
	}
}

// step sets how many seconds the functions' clock is ahead, in the processes that run and in those to come.
func (w workshop) step(t testing.TB, seconds int64) {
	t.Helper()
	for _, clock := range w.clocks {
		file, err := os.OpenFile(clock, os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		_, err = file.WriteAt(binary.NativeEndian.AppendUint64(nil, uint64(seconds)), 0)
		if err := file.Close(); err != nil {
			t.Fatal(err)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// put replaces a file as a whole.
func put(t testing.TB, path string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path+".new", text, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}
