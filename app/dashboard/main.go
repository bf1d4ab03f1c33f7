// Package main is a sample backend of pages: it shows a signed-in person who they are and when their session ends, and administrators what happens at the
// door. It trusts the gateway for the identity and refuses a request that comes without one.
package main

import (
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"edgeauth/app/dashboard/figures"
	"edgeauth/identity"
	"edgeauth/internal/apigw"
	"edgeauth/internal/version"
)

func main() {
	if version.Asked(os.Args, os.Stdout) {
		return
	}
	slog.SetDefault(slog.New(slog.NewJSONHandler(os.Stderr, nil)))
	lambda.Start(apigw.Proxy(handler(time.Now, os.LookupEnv), identity.NewContext))
}

func handler(now func() time.Time, lookup func(string) (string, bool)) http.Handler {
	text := func(name string) string { v, _ := lookup(name); return v }
	names := figures.Names{Authorizer: text("DASHBOARD_AUTHORIZER"), Callback: text("DASHBOARD_CALLBACK"), API: text("DASHBOARD_API")}
	return identity.Require(dashboard{now: now, figures: figures.New(names, lookup), ages: agesIn(text("DASHBOARD_RULES"))})
}
