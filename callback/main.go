// Command callback is the Lambda behind /auth/*: it signs people in, keeps their session alive, and signs them out.
package main

// This file puts the parts together.

import (
	"context"
	"log/slog"
	"net/http"
	"os"

	"edgeauth/internal/apigw"
	"edgeauth/internal/cognito"
	"edgeauth/internal/config"
	"edgeauth/internal/login"
	"edgeauth/jwks"

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

// handler returns the callback's routes as the environment has them.
func handler(lookup config.Lookup) (http.Handler, error) {
	c, err := config.ForCallback(lookup)
	if err != nil {
		return nil, err
	}
	keys, err := jwks.New(jwks.Config{URL: c.JWKSURL, Snapshot: c.JWKS})
	if err != nil {
		return nil, err
	}
	client, err := cognito.New(cognito.Config{UserPoolID: c.UserPoolID, Parameter: c.Parameter})
	if err != nil {
		return nil, err
	}
	keys.Prefetch()
	return login.New(login.Config{
		Issuer:        c.Issuer,
		Keys:          keys,
		Provider:      provider(client),
		Outdated:      client.Outdated,
		SecondOpinion: secondOpinion(c.Issuer, keys),
		RequestID:     func(r *http.Request) string { return apigw.RequestID(r.Context()) },
		Brand:         login.Brand(c.Brand),
		HeaderBudget:  c.HeaderBudget,
		SessionMax:    c.SessionMax,
		SessionIdle:   c.SessionIdle,
	})
}

// provider hands on what is known of the app client.
func provider(s *cognito.Source) func(context.Context) (login.Provider, error) {
	return func(ctx context.Context) (login.Provider, error) {
		c, err := s.Client(ctx)
		return login.Provider{
			ClientID: c.ID, Secret: c.Secret.Reveal(), FormerSecret: c.Former.Reveal(),
			LoginURL: c.LoginURL, BaseURLs: c.BaseURLs, RefreshLife: c.RefreshLife,
		}, err
	}
}
