// Command callback is the Lambda behind /auth/*: it signs people in, keeps their session alive, and signs them out.
package main

// This file puts the parts together.

import (
	"log/slog"
	"net/http"
	"os"

	"edgeauth/internal/apigw"
	"edgeauth/internal/cognito"
	"edgeauth/internal/config"
	"edgeauth/internal/login"
	"edgeauth/internal/version"

	"github.com/aws/aws-lambda-go/lambda"
)

func main() {
	if version.Asked(os.Args, os.Stdout) {
		return
	}
	slog.SetDefault(slog.New(slog.NewJSONHandler(os.Stderr, nil)))
	slog.Info("start", "version", version.String())
	h, settings, err := handler(os.LookupEnv)
	if err != nil {
		slog.Error("start", "error", err.Error())
		os.Exit(1)
	}
	settings.warm()
	lambda.Start(apigw.Proxy(h, nil))
}

// handler returns the callback's routes as the environment and the parameter that it names have them, and where their settings come from.
func handler(lookup config.Lookup) (http.Handler, *source, error) {
	c, err := config.ForCallback(lookup)
	if err != nil {
		return nil, nil, err
	}
	client, err := cognito.New(cognito.Config{Parameter: c.Parameter})
	if err != nil {
		return nil, nil, err
	}
	settings := &source{client: client.Client, lookup: lookup}
	function, _ := lookup("AWS_LAMBDA_FUNCTION_NAME") // which Lambda sets
	h, err := login.New(login.Config{
		Provider:  settings.provider,
		Outdated:  client.Outdated,
		Function:  function,
		RequestID: func(r *http.Request) string { return apigw.RequestID(r.Context()) },
	})
	return h, settings, err
}
