// Command orders is a backend in Go: a front page that asks all three backends who is signed in, and orders as JSON.
package main

import (
	"context"
	_ "embed"
	"encoding/json"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"edgeauth/identity"
)

//go:embed page.html
var page string

func main() { lambda.Start(handle) }

// handle answers whoever came through the authorizer, and nobody else.
func handle(_ context.Context, e events.APIGatewayProxyRequest) (events.APIGatewayProxyResponse, error) {
	who, err := identity.FromREST(e)
	if err != nil {
		return answer(401, "application/json", `{"message":"Unauthorized"}`), nil
	}
	if e.Resource == "/" {
		return answer(200, "text/html; charset=utf-8", page), nil
	}
	body, err := json.Marshal(map[string]any{"language": "go", "sub": who.Subject, "email": who.Email, "groups": who.Groups})
	if err != nil {
		return events.APIGatewayProxyResponse{}, err
	}
	return answer(200, "application/json", string(body)), nil
}

func answer(status int, kind, body string) events.APIGatewayProxyResponse {
	return events.APIGatewayProxyResponse{
		StatusCode: status, Body: body,
		Headers: map[string]string{"Content-Type": kind, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"},
	}
}
