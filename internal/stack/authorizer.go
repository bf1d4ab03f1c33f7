package stack

// This file decides what a deployed authorizer is asked with: the settings of the version that API Gateway calls.

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
)

// Authorizer is the authorizer of a deployed stack.
type Authorizer struct {
	Path        string            // its logical ids, such as EdgeAuth/AuthorizerFunction: where its like is built
	Environment map[string]string // of the version that the alias live leads to
	Stage       string            // of the API whose requests it decides
	URL         string            // where the application is: its origin, without a path
}

// FindAuthorizer reads the settings of a stack's authorizer. https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionConfiguration.html
func FindAuthorizer(ctx context.Context, c aws.Config, name string) (Authorizer, error) {
	whole, err := Find(ctx, c, name)
	if err != nil {
		return Authorizer{}, err
	}
	part, err := whole.Part()
	if err != nil {
		return Authorizer{}, err
	}
	a := Authorizer{Stage: part.Parameters["StageName"]}
	whole.Each(func(path string, r Resource) {
		switch {
		case r == part.Resources["AuthorizerFunction"]:
			a.Path = path
		case r.Type == "AWS::ApiGateway::Stage" && a.Stage == "":
			a.Stage = r.ID
		}
	})
	base := strings.SplitAfterN(part.Parameters["BaseUrl"], "/", 4)
	a.URL = strings.TrimSuffix(strings.Join(base[:min(3, len(base))], ""), "/")
	function, live := FunctionName(part.Resources["AuthorizerFunction"].ID), "live"
	out, err := lambda.NewFromConfig(c).GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &function, Qualifier: &live})
	if err != nil {
		return a, failed("lambda:GetFunctionConfiguration", err)
	}
	if out.Environment == nil {
		return a, fmt.Errorf("function %s has no settings", function)
	}
	a.Environment = out.Environment.Variables
	return a, nil
}

// failed says which permission or answer is missing, and nothing of the request.
func failed(call string, err error) error {
	var coded interface{ ErrorCode() string }
	if errors.As(err, &coded) {
		return fmt.Errorf("%s: %s", call, coded.ErrorCode())
	}
	return fmt.Errorf("%s: %w", call, err)
}
