// Command authorizer is the Lambda that API Gateway asks before every request: who is this, and may
// they? It decodes the event for what the answer depends on, reads the credentials, verifies them,
// decides by the rules, and encodes the answer. Three ways of not letting somebody in are kept
// apart all the way: nobody is signed in, or not any more (a navigation is sent to the login, a
// program gets 401); somebody is, and may not (a page or a JSON body that says why); nobody can
// tell right now (500, never a Deny, which would look like an answer).
package main

import (
	"log"
	"os"
	"runtime"

	"edgeauth/internal/jsonwrite"
	"edgeauth/internal/version"

	"github.com/aws/aws-lambda-go/lambda"
)

func main() {
	if version.Asked(os.Args, os.Stdout) {
		return
	}
	if len(os.Args) == 2 && os.Args[1] == "-rules" { // for whoever explains a decision: the table that is used when no setting replaces it
		os.Stdout.WriteString(shippedRules)
		return
	}
	os.Stdout.Write(append(jsonwrite.AppendString([]byte(`{"level":"INFO","msg":"start","version":`), version.String()), "}\n"...))
	a, err := build(os.LookupEnv, os.Stdout)
	if err != nil {
		os.Stderr.Write(append(jsonwrite.AppendString([]byte(`{"level":"ERROR","msg":"start","error":`), err.Error()), "}\n"...))
		os.Exit(1)
	}
	log.SetFlags(0) // the runtime client logs each returned error, a 401 too, as JSON: a date in front would make it none
	if !a.log.every {
		defer runtime.KeepAlive(register(os.Getenv("AWS_LAMBDA_RUNTIME_API"))) // for as long as the process lives
		a.log.counting = hear
	}
	lambda.Start(a)
}
