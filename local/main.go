// Command local runs the whole system on this machine, from the template that a deployment would use: the functions' own binaries, a model of API Gateway
// and a stand-in for Cognito.
//
//	local run -template template.yaml -build build/here
//	local cookie -url http://localhost:3000/Prod -user alice@example.com
//	local token -machine
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

const usage = `usage: local run    [flags]   run the system
       local cookie [flags]   sign in on a running system and print a value for curl -b
       local token  [flags]   get an access token there and print it`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := command(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, err)
		stop()
		os.Exit(1)
	}
}

func command(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) > 0 {
		switch args[0] {
		case "run":
			return run(ctx, args[1:], stdout, stderr)
		case "cookie":
			return cookie(ctx, args[1:], stdout)
		case "token":
			return token(ctx, args[1:], stdout)
		}
	}
	return errors.New(usage)
}

// parse reads flags. A mistake is one sentence, and only -h explains them all.
func parse(f *flag.FlagSet, args []string, stdout io.Writer) error {
	f.SetOutput(io.Discard)
	err := f.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		f.SetOutput(stdout)
		f.Usage()
		return err
	}
	if err == nil && f.NArg() > 0 {
		err = fmt.Errorf("%q is no flag", f.Arg(0))
	}
	if err != nil {
		return fmt.Errorf("%s: %w (-h lists the flags)", f.Name(), err)
	}
	return nil
}
