package main

// This file ends sessions of a running system, and says whose were ended.

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"edgeauth/cuts"
	"edgeauth/internal/cutoff"
	"edgeauth/internal/stack"
)

// whose is where the application is whose sessions are meant.
type whose struct{ stack, region, here string }

func (w *whose) flags(f *flag.FlagSet) {
	f.StringVar(&w.stack, "stack", "edgeauth", "`name` of the stack that was deployed; with -local, of the application")
	f.StringVar(&w.region, "region", "", "AWS `Region` of the stack; yours if you say nothing")
	f.StringVar(&w.here, "local", "", "`address` of the stand-ins of edgeauth run, such as http://127.0.0.1:9229, in place of AWS")
}

const aboutCredentials = `It works with your own AWS credentials, as the AWS CLI finds them, and for stacks that were deployed with the parameter CutOffSeconds. It looks up the
stack (cloudformation:DescribeStacks, ListStackResources)`

// patient is how long AWS may take.
const patient = 30 * time.Second

func (w *whose) application(ctx context.Context) (*cutoff.Application, error) {
	if w.here != "" {
		return cutoff.Here(ctx, w.here, w.stack)
	}
	c, err := stack.Config(ctx, w.region)
	if err != nil {
		return nil, err
	}
	return cutoff.OfStack(ctx, c, w.stack, os.LookupEnv)
}

// cutAnswer is what -json says of a cut.
type cutAnswer struct {
	User      string `json:"user,omitempty"`
	Subject   string `json:"sub,omitempty"`
	SignedOut bool   `json:"signed_out_at_cognito"`
	Everybody bool   `json:"everybody"`
	Seconds   int    `json:"seconds,omitempty"` // after which it counts everywhere
}

func cutCommand() command {
	f := flag.NewFlagSet("cut", flag.ContinueOnError)
	var w whose
	w.flags(f)
	everybody := f.Bool("everybody", false, "end the sessions of everybody")
	asJSON := f.Bool("json", false, "say what was done as JSON")
	return command{
		name: "cut", does: "end all sessions of a person, or of everybody, within seconds", arguments: "USER", flags: f,
		page: `
Ends every session that USER has begun up to now, on every device: signs the person out at Cognito, so that no refresh token renews anything
(cognito-idp:AdminGetUser, AdminUserGlobalSignOut), and writes that into the list that the authorizer reads (dynamodb:PutItem). Copied cookies die with
them, after CutOffSeconds at most. Whoever is not disabled as well may sign in again, with the password. USER is the name that one signs in with, or the
sub of a user who was deleted.

With -everybody nobody is signed out at Cognito, where the pool may serve other applications: sessions end here, and are renewed no more.
` + aboutCredentials + `.

Examples:
  edgeauth cut alice@example.com
  edgeauth cut -stack my-app -region eu-west-1 alice@example.com
  edgeauth cut -everybody -json
  edgeauth cut -local http://127.0.0.1:9229 alice@example.com`,
		do: func(ctx context.Context, c console, args []string) error {
			if *everybody == (len(args) == 1) || len(args) > 1 {
				return usage{errors.New("say one USER, or -everybody")}
			}
			ctx, cancel := context.WithTimeout(ctx, patient)
			defer cancel()
			defer c.working("asking AWS")()
			a, err := w.application(ctx)
			if err != nil {
				return err
			}
			answer := cutAnswer{Everybody: *everybody, Seconds: int(a.Every / time.Second)}
			within := "the seconds of CutOffSeconds"
			if a.Every > 0 {
				within = a.Every.String()
			}
			if *everybody {
				if err := a.Everybody(ctx); err != nil {
					return err
				}
				return say(c, *asJSON, answer, fmt.Sprintf("Everybody's sessions that began up to now end within %s.", within))
			}
			p, err := a.Person(ctx, args[0])
			if err != nil {
				return err
			}
			answer.User, answer.Subject, answer.SignedOut = args[0], p.Subject, p.SignedOut
			at := "signed out at Cognito"
			if !p.SignedOut {
				at = "not at Cognito any more"
			}
			return say(c, *asJSON, answer, fmt.Sprintf("%s (%s) is %s; sessions that began up to now end within %s.", args[0], p.Subject, at, within))
		},
	}
}

func say(c console, asJSON bool, answer any, text string) error {
	if !asJSON {
		fmt.Fprintln(c.stdout, text)
		return nil
	}
	return json.NewEncoder(c.stdout).Encode(answer)
}

// ended is what -json says of an entry.
type ended struct {
	At    time.Time  `json:"at"`
	Kind  cuts.Kind  `json:"kind"`
	Name  string     `json:"name,omitempty"` // sub, or origin_jti of a sign-in
	Until *time.Time `json:"until,omitempty"`
}

func cutsCommand() command {
	f := flag.NewFlagSet("cuts", flag.ContinueOnError)
	var w whose
	w.flags(f)
	asJSON := f.Bool("json", false, "one JSON object a line")
	return command{
		name: "cuts", does: "say whose sessions were ended, and when", flags: f,
		page: `
Lists what was ended and may still matter, oldest first (dynamodb:Query): when, whose, and until when that is remembered. A person is named by the sub, a
sign-in that somebody has signed out of by its origin_jti.
` + aboutCredentials + `.

Examples:
  edgeauth cuts
  edgeauth cuts -stack my-app -json
  edgeauth cuts -local http://127.0.0.1:9229`,
		do: func(ctx context.Context, c console, args []string) error {
			if err := noArguments(args); err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(ctx, patient)
			defer cancel()
			defer c.working("asking AWS")()
			a, err := w.application(ctx)
			if err != nil {
				return err
			}
			all, err := a.Entries(ctx)
			if err != nil {
				return err
			}
			if len(all) == 0 && !*asJSON {
				fmt.Fprintln(c.stderr, "Nobody was cut off.")
			}
			for _, e := range all {
				one, until := ended{At: e.At.UTC(), Kind: e.Kind, Name: e.Name}, "for ever"
				if !e.Ends.IsZero() {
					ends := e.Ends.UTC()
					one.Until, until = &ends, "until "+ends.Format(time.RFC3339)
				}
				if err := say(c, *asJSON, one, fmt.Sprintf("%s  %-9s  %-36s  %s", one.At.Format(time.RFC3339), one.Kind, one.Name, until)); err != nil {
					return err
				}
			}
			return nil
		},
	}
}
