package main

// This file signs in on a running system, for other programs and to see whether it is as it must be.

import (
	"context"
	"flag"
	"fmt"

	"edgeauth/smoke"
)

// who is where an application is and who signs in there.
type who struct{ url, user string }

func (w *who) flags(f *flag.FlagSet) {
	f.StringVar(&w.url, "url", "http://localhost:3000/Prod", "`address` of the application, with its stage")
	f.StringVar(&w.user, "user", "", "`name` of who signs in; on this machine alice@example.com if you say nothing")
}

const aboutPassword = `The password is read from the variable PASSWORD, never from the command line, where every process of the machine could read it. On this
machine it may be left out.`

func (w *who) target(c console) (smoke.Target, error) {
	t, err := smoke.New(w.url, w.user, c.getenv("PASSWORD"))
	if err != nil {
		return t, usage{err}
	}
	return t, nil
}

func cookieCommand() command {
	f := flag.NewFlagSet("cookie", flag.ContinueOnError)
	var w who
	w.flags(f)
	all := f.Bool("all", false, "print every cookie of the application, the one that renews the session among them")
	return command{
		name: "cookie", does: "sign in as a browser would, and print the session for curl -b", flags: f,
		page: `
Signs in through the login page, here or at a deployed stack, keeping cookies as browsers do, and prints what curl -b takes. It fills in HTML forms
that ask for a name and a password. A login page that is a JavaScript program is beyond it: there it signs in with your own AWS credentials, if the
pool allows that (parameter AdminPasswordAuth), by way of the AWS CLI.
` + aboutPassword + `

What it prints opens the session to whoever holds it.

Examples:
  curl -b "$(edgeauth cookie)" http://localhost:3000/Prod/api/me
  curl -b "$(edgeauth cookie -user bob@example.com)" http://localhost:3000/Prod/api/me
  PASSWORD=… edgeauth cookie -url https://….execute-api.eu-west-1.amazonaws.com/Prod -user you@example.com`,
		do: func(ctx context.Context, c console, args []string) error {
			if err := noArguments(args); err != nil {
				return err
			}
			t, err := w.target(c)
			if err != nil {
				return err
			}
			defer c.working("signing in at " + w.url)()
			cookie, err := t.Cookie(ctx, *all)
			if err == nil {
				fmt.Fprintln(c.stdout, cookie)
			}
			return err
		},
	}
}

func tokenCommand() command {
	f := flag.NewFlagSet("token", flag.ContinueOnError)
	var w who
	w.flags(f)
	machine := f.Bool("machine", false, "a token of the machine client, which the parameter MachineScope makes, and of no user")
	return command{
		name: "token", does: "print an access token of the local system, for curl -H 'Authorization: Bearer …'", flags: f,
		page: `
Prints an access token that the local Cognito stand-in makes, of a user or of the machine client. The authorizer takes a user's with the parameter
UserBearer=true only. For AWS, docs/machines.md says how to get one.

Examples:
  curl -H "Authorization: Bearer $(edgeauth token)" http://localhost:3000/Prod/api/me
  curl -H "Authorization: Bearer $(edgeauth token -machine)" http://localhost:3000/Prod/api/hello`,
		do: func(ctx context.Context, c console, args []string) error {
			if err := noArguments(args); err != nil {
				return err
			}
			t, err := w.target(c)
			if err != nil {
				return err
			}
			token, err := t.Token(ctx, *machine)
			if err == nil {
				fmt.Fprintln(c.stdout, token)
			}
			return err
		},
	}
}

func checkCommand() command {
	f := flag.NewFlagSet("check", flag.ContinueOnError)
	var w who
	w.flags(f)
	asJSON := f.Bool("json", false, "say it as JSON, all at once: section, verdict, what, seen")
	return command{
		name: "check", does: "try a running system from outside: a verdict per line", flags: f,
		page: `
Walks the whole sign-in over HTTP/1.1 and HTTP/2, tries what must be refused, and answers what the documentation of API Gateway and Cognito leaves
open. A line says PASS or FAIL where there is a right answer, INFO where there is none, UNKNOWN where this run could not find out.
` + aboutPassword + `

Examples:
  edgeauth check
  edgeauth check -json | jq '.[] | select(.verdict == "FAIL")'
  PASSWORD=… edgeauth check -url https://….execute-api.eu-west-1.amazonaws.com/Prod -user you@example.com`,
		do: func(ctx context.Context, c console, args []string) error {
			if err := noArguments(args); err != nil {
				return err
			}
			t, err := w.target(c)
			if err != nil {
				return err
			}
			if *asJSON {
				defer c.working("trying " + w.url)()
			}
			return t.Check(ctx, c.stdout, *asJSON)
		},
	}
}
