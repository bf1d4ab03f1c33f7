package main

// This file asks what is wrong with a deployed stack, and decides how that is told.

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"edgeauth/internal/doctor"
	"edgeauth/internal/stack"
)

// doctoring are the flags of doctor.
type doctoring struct {
	stack, region, url, user, dns string
	asJSON, list                  bool
}

func doctorCommand() command {
	f := flag.NewFlagSet("doctor", flag.ContinueOnError)
	var x doctoring
	f.StringVar(&x.stack, "stack", "", "`name` of the stack")
	f.StringVar(&x.region, "region", "", "AWS `region`; else the one that AWS's own tools would take")
	f.StringVar(&x.url, "url", "", "`address` of the application; else the stack's own")
	f.StringVar(&x.user, "user", "", "look at this user too, by `name`")
	f.StringVar(&x.dns, "dns", "", "ask the name server at this `address`, such as 1.1.1.1, for the application's name; else this machine's")
	f.BoolVar(&x.asJSON, "json", false, "say it as JSON")
	f.BoolVar(&x.list, "list", false, "list all rules, and examine nothing")
	return command{
		name: "doctor", does: "say what is wrong with a deployed stack, and what to do", flags: f,
		page: `
Compares a deployed stack with what its template and its parameters mean: the user pool and its client, functions, parameter, API, names, logs and
alarms, by your own AWS credentials; and what a stranger gets at its address. It reads and changes nothing. docs/doctor.md lists its rules, and the
permissions that it needs; of what it may not read it says "cannot tell", and guesses nothing.

Examples:
  edgeauth doctor -stack edgeauth
  edgeauth doctor -stack edgeauth -region eu-west-1 -user alice@example.com
  edgeauth doctor -stack edgeauth -json
  edgeauth doctor -list

Exit codes here: 0 no fault, perhaps advice; 1 a fault; 3 no fault, but something that nobody can tell.`,
		do: func(ctx context.Context, c console, args []string) error {
			if err := noArguments(args); err != nil {
				return err
			}
			return x.run(ctx, c)
		},
	}
}

func (x *doctoring) run(ctx context.Context, c console) error {
	if x.list {
		return x.write(c, doctor.Rules(), func(w io.Writer) {
			for _, r := range doctor.Rules() {
				fmt.Fprintf(w, "%-7s %-32s %s\n", r.Severity, r.Code, r.Ought)
			}
		})
	}
	if x.stack == "" {
		return usage{errors.New("say which stack: -stack")}
	}
	aws, err := stack.Config(ctx, x.region)
	if err != nil {
		return err
	}
	defer c.working("examining stack " + x.stack)()
	report, err := doctor.Examine(ctx, doctor.Question{
		Stack: x.stack, URL: x.url, User: x.user, AWS: aws, Resolver: x.resolver(), Now: time.Now,
		HTTP: &http.Client{Timeout: 10 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	})
	if err != nil {
		return err
	}
	if err := x.write(c, report, func(w io.Writer) { writeReport(w, report) }); err != nil {
		return err
	}
	for _, one := range report.Findings {
		if one.Severity == doctor.Fault {
			return verdict(exitNo)
		}
	}
	if len(report.Unknown) > 0 {
		return verdict(exitUnknown)
	}
	return nil
}

// write says something as JSON or in words.
func (x *doctoring) write(c console, value any, words func(io.Writer)) error {
	if !x.asJSON {
		words(c.stdout)
		return nil
	}
	out := json.NewEncoder(c.stdout)
	out.SetIndent("", "  ")
	out.SetEscapeHTML(false)
	return out.Encode(value)
}

// resolver looks names up at the server that -dns names, or as this machine does.
func (x *doctoring) resolver() *net.Resolver {
	if x.dns == "" {
		return net.DefaultResolver
	}
	server := x.dns
	if _, _, err := net.SplitHostPort(server); err != nil {
		server = net.JoinHostPort(server, "53")
	}
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, server)
	}}
}

func writeReport(w io.Writer, r doctor.Report) {
	fmt.Fprintf(w, "Stack %s in %s\n\n", r.Stack, r.Region)
	line := func(name, text string) { fmt.Fprintf(w, "        %-6s %s\n", name, text) }
	advice := 0
	for _, f := range r.Findings {
		fmt.Fprintf(w, "%-7s %s\n", strings.ToUpper(string(f.Severity)), f.Code)
		for _, seen := range f.Seen {
			line("seen", seen)
		}
		line("ought", f.Ought)
		line("do", f.Do)
		if f.Severity == doctor.Advice {
			advice++
		}
	}
	for _, u := range r.Unknown {
		fmt.Fprintf(w, "CANNOT TELL %s\n", u.Code)
		for _, need := range u.Needs {
			line("needs", need)
		}
	}
	if len(r.Findings)+len(r.Unknown) > 0 {
		fmt.Fprintln(w)
	}
	fmt.Fprintf(w, "fine: %d, faults: %d, advice: %d, cannot tell: %d\n", r.Fine, len(r.Findings)-advice, advice, len(r.Unknown))
}
