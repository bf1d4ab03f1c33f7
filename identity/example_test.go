package identity_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"edgeauth/identity"

	"github.com/aws/aws-lambda-go/events"
)

// authorizer is what the authorizer hands on, as API Gateway puts it into a backend's event.
var authorizer = map[string]any{
	"v": "1", "iss": "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Example", "sub": "7d9f1c0e", "username": "alice", "email": "alice@example.com",
	"groups": "admins editors", "scope": "", "token_use": "id", "client_id": "web", "exp": "1795348800", "auth_time": "1795345200",
	"identity": "e30", // {}: no further claims
}

// A Lambda function of a REST API learns who calls, or answers 401.
func ExampleFromREST() {
	handle := func(_ context.Context, e events.APIGatewayProxyRequest) (events.APIGatewayProxyResponse, error) {
		who, err := identity.FromREST(e)
		if err != nil {
			return events.APIGatewayProxyResponse{StatusCode: http.StatusUnauthorized}, nil
		}
		return events.APIGatewayProxyResponse{StatusCode: http.StatusOK, Body: "hello, " + who.Email}, nil
	}
	e := events.APIGatewayProxyRequest{RequestContext: events.APIGatewayProxyRequestContext{Authorizer: authorizer}}
	answer, _ := handle(context.Background(), e)
	fmt.Println(answer.StatusCode, answer.Body)
	answer, _ = handle(context.Background(), events.APIGatewayProxyRequest{})
	fmt.Println(answer.StatusCode)
	// Output:
	// 200 hello, alice@example.com
	// 401
}

// A caller is the issuer and the subject together. Groups are asked for one at a time.
func ExampleFromContext() {
	who, err := identity.FromContext(authorizer)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(who.Issuer, who.Subject)
	fmt.Println(who.Has("admins"), who.Has("owners"), who.Machine())
	_, err = identity.FromContext(nil)
	fmt.Println(err == identity.ErrNone)
	// Output:
	// https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Example 7d9f1c0e
	// true false false
	// true
}

// A handler of net/http asks the request's context. Require answers whoever comes without a caller.
func ExampleRequire() {
	hello := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, _ := identity.From(r.Context())
		fmt.Fprintf(w, "hello, %s", who.Username)
	})
	guarded := identity.Require(hello)

	r := httptest.NewRequest("GET", "/", nil)
	w := httptest.NewRecorder()
	guarded.ServeHTTP(w, r)
	fmt.Println(w.Code)

	w = httptest.NewRecorder()
	guarded.ServeHTTP(w, r.WithContext(identity.NewContext(r.Context(), authorizer)))
	fmt.Println(w.Code, w.Body)
	// Output:
	// 401
	// 200 hello, alice
}

// Guard is for APIs that cache the authorizer's answers: it refuses what another site's page sends
// with a user's cookie.
func ExampleGuard() {
	saved := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "saved") })
	guarded, err := identity.Guard(saved, "https://app.example.com")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, origin := range []string{"https://app.example.com", "https://evil.example"} {
		r := httptest.NewRequest("POST", "/notes", nil)
		r.Header.Set("Origin", origin)
		w := httptest.NewRecorder()
		guarded.ServeHTTP(w, r)
		fmt.Println(origin, w.Code)
	}
	// Output:
	// https://app.example.com 200
	// https://evil.example 403
}
