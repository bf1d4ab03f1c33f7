// Command edgeauth is the tool around a system that signs people in at the edge of API Gateway: it runs one on this machine, signs in for curl, and tries
// one from outside, here or deployed.
//
//	edgeauth run
//	edgeauth cookie
//	edgeauth check -url https://….execute-api.eu-west-1.amazonaws.com/Prod -user alice@example.com
//
// Exit codes: 0, it is done, or the answer is yes; 1, it failed, or the answer is no; 2, the command line is not understood; 3, nobody can tell.
package main

// This file decides which command is meant, and what its end means to whoever called.

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"edgeauth/internal/version"
)

// Exit codes. Every help page names them.
const (
	exitDone    = 0
	exitNo      = 1
	exitUsage   = 2
	exitUnknown = 3
)

// command is one thing that the tool does.
type command struct {
	name, does string // for the list of commands
	arguments  string // for the usage line
	page       string // what -h says beside the flags, with examples
	flags      *flag.FlagSet
	do         func(context.Context, console, []string) error
}

// console is what a command talks to.
type console struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	getenv         func(string) string
	patience       time.Duration // how long something may take without a word
}

// verdict is an exit code of a command that has said everything.
type verdict int

func (v verdict) Error() string { return "" }

// usage is a mistake on the command line.
type usage struct{ error }

// commands are made anew for each run: their flags hold values.
func commands() []command {
	return []command{runCommand(), cookieCommand(), tokenCommand(), checkCommand(), explainCommand(), doctorCommand(), rulesCommand(), cutCommand(), cutsCommand(), completionCommand()}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := tool(ctx, os.Args[1:], console{os.Stdin, os.Stdout, os.Stderr, os.Getenv, 2 * time.Second})
	stop()
	os.Exit(code)
}

// tool runs one command and returns the exit code.
func tool(ctx context.Context, args []string, c console) int {
	all := commands()
	if len(args) == 0 {
		list(c.stderr, all)
		return exitUsage
	}
	switch args[0] {
	case "-h", "-help", "--help", "help":
		list(c.stdout, all)
		return exitDone
	case "-version", "--version", "version":
		fmt.Fprintln(c.stdout, release())
		return exitDone
	}
	for _, one := range all {
		if one.name == args[0] {
			return one.run(ctx, args[1:], c)
		}
	}
	fmt.Fprintf(c.stderr, "edgeauth: there is no command %q (-h lists them)\n", args[0])
	return exitUsage
}

// release is the tag that this was built from; of a tool that `go install` has fetched, the module's version.
func release() string {
	info, ok := debug.ReadBuildInfo()
	if tag := version.String(); tag != "dev" || !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return tag
	}
	return info.Main.Version
}

func (one command) run(ctx context.Context, args []string, c console) int {
	rest, err := parse(one.flags, args)
	if errors.Is(err, flag.ErrHelp) {
		one.help(c.stdout)
		return exitDone
	}
	if err == nil {
		err = one.do(ctx, c, rest)
	}
	var mistaken usage
	var said verdict
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &said):
		return int(said)
	case errors.As(err, &mistaken):
		fmt.Fprintf(c.stderr, "edgeauth %s: %v (-h explains it)\n", one.name, err)
		return exitUsage
	}
	fmt.Fprintf(c.stderr, "edgeauth %s: %v\n", one.name, err)
	return exitNo
}

// parse reads flags and arguments, in any order.
func parse(f *flag.FlagSet, args []string) (rest []string, err error) {
	f.SetOutput(io.Discard)
	for {
		if err := f.Parse(args); errors.Is(err, flag.ErrHelp) {
			return nil, err
		} else if err != nil {
			return nil, usage{err}
		}
		if f.NArg() == 0 {
			return rest, nil
		}
		rest, args = append(rest, f.Arg(0)), f.Args()[1:]
	}
}

// noArguments is for commands that take flags alone.
func noArguments(args []string) error {
	if len(args) > 0 {
		return usage{fmt.Errorf("%q is no flag", args[0])}
	}
	return nil
}

func list(w io.Writer, all []command) {
	fmt.Fprint(w, "usage: edgeauth COMMAND [flags]\n\n")
	for _, one := range all {
		fmt.Fprintf(w, "  %-10s %s\n", one.name, one.does)
	}
	fmt.Fprint(w, "\nedgeauth COMMAND -h explains one, with examples; edgeauth -version says which release this is.\nExit codes: 0 done, or yes; 1 failed, or no; 2 the command line is not understood; 3 nobody can tell.\n")
}

func (one command) help(w io.Writer) {
	fmt.Fprintf(w, "usage: %s\n\n%s\n\nFlags:\n", strings.TrimSpace("edgeauth "+one.name+" [flags] "+one.arguments), strings.TrimSpace(one.page))
	one.flags.SetOutput(w)
	one.flags.PrintDefaults()
	fmt.Fprint(w, "\nExit codes: 0 done, or yes; 1 failed, or no; 2 the command line is not understood; 3 nobody can tell.\n")
}

// working says what takes so long, once, unless it is over before anybody could wonder. The caller ends it.
func (c console) working(on string) (end func()) {
	timer := time.AfterFunc(c.patience, func() { fmt.Fprintf(c.stderr, "edgeauth: %s …\n", on) })
	return func() { timer.Stop() }
}
