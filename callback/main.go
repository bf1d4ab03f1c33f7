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

	"github.com/aws/aws-lambda-go/lambda"
)

func main() {
	slog.SetDefault(slog.New(slog.NewJSONHandler(os.Stderr, nil)))
	h, err := handler(os.LookupEnv)
	if err != nil {
		slog.Error("start", "error", err.Error())
		os.Exit(1)
	}
	lambda.Start(apigw.Proxy(h, nil))
}

// handler returns the callback's routes as the environment and the parameter that it names have them.
func handler(lookup config.Lookup) (http.Handler, error) {
	c, err := config.ForCallback(lookup)
	if err != nil {
		return nil, err
	}
	client, err := cognito.New(cognito.Config{Parameter: c.Parameter})
	if err != nil {
		return nil, err
	}
	return login.New(login.Config{
		Provider:  (&source{client: client.Client}).provider,
		Outdated:  client.Outdated,
		RequestID: func(r *http.Request) string { return apigw.RequestID(r.Context()) },
	})
}
