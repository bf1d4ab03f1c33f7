// Package main is a sample backend of pages: it shows a signed-in person who they are and when their session ends. It trusts the gateway for the
// identity and refuses a request that comes without one.
package main

import (
	"net/http"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"edgeauth/identity"
	"edgeauth/internal/apigw"
	"edgeauth/internal/version"
)

func main() {
	if version.Asked(os.Args, os.Stdout) {
		return
	}
	lambda.Start(apigw.Proxy(handler(time.Now), identity.NewContext))
}

func handler(now func() time.Time) http.Handler { return identity.Require(dashboard{now}) }
