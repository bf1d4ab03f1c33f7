package main

import (
	"context"
	"flag"

	"edgeauth/local"
)

func runCommand() command {
	f := flag.NewFlagSet("run", flag.ContinueOnError)
	var o local.Options
	o.Flags(f)
	return command{
		name: "run", does: "run the system of a SAM template on this machine", flags: f,
		page: `
Starts the functions' own binaries behind a model of API Gateway and of Cognito, as the template has them: no AWS account, no Docker.
When everything answers it prints one line on standard output, "ready" and the address. Log lines go to standard error. Ctrl-C ends it.

Examples:
  edgeauth run
  edgeauth run -template app.yaml -build .aws-sam/build       after sam build
  edgeauth run -param EdgeAuth.SessionMinutes=5 -param EdgeAuth.UserBearer=true
  edgeauth run -app-port 0 -cognito-port 0                    on any free ports`,
		do: func(ctx context.Context, c console, args []string) error {
			if err := noArguments(args); err != nil {
				return err
			}
			return local.Run(ctx, o, c.stdout, c.stderr)
		},
	}
}
