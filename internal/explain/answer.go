package explain

// This file takes in what the authorizer itself has said, and tells what comes of it.

import (
	"encoding/json"
	"fmt"
	"strings"

	"edgeauth/internal/apigw"
	"edgeauth/internal/intent"
	"edgeauth/internal/reason"
)

// Statement is one of the IAM document, for one resource.
type Statement struct {
	Effect   string `json:"effect"`
	Resource string `json:"resource"`
	Matches  bool   `json:"matches,omitempty"` // it is about this request
	Decides  bool   `json:"decides,omitempty"`
}

// Real is what an authorizer answered, and why, by its log line.
type Real struct {
	Answer  []byte
	Failure string // the error's text; "" when there is an answer
	Reason  reason.Code
}

// Compare takes the authorizer's own decision in. The error says that the explanation is of another decision: a fault of ours.
func (e *Explanation) Compare(real Real) error {
	var answer struct {
		PolicyDocument struct {
			Statement []struct {
				Effect   string
				Resource any
			}
		} `json:"policyDocument"`
		IsAuthorized *bool `json:"isAuthorized"`
		Context      struct {
			Location string `json:"location"`
		} `json:"context"`
	}
	if real.Failure == "" {
		if err := json.Unmarshal(real.Answer, &answer); err != nil {
			return fmt.Errorf("the authorizer's answer cannot be read: %w", err)
		}
	}
	explained := e.Reason
	// What shows when the answer is written, and what a list of endings says that the authorizer alone reads.
	if real.Reason == reason.TooLarge && explained == reason.OK || real.Reason == reason.SessionCut || real.Reason == reason.CutsUnavailable {
		e.Reason, explained = real.Reason, real.Reason
		e.settle()
	}
	for _, s := range answer.PolicyDocument.Statement {
		for _, resource := range list(s.Resource) {
			e.Policy = append(e.Policy, Statement{Effect: s.Effect, Resource: resource})
		}
	}
	allowed := e.mark() || answer.IsAuthorized != nil && *answer.IsAuthorized
	e.Gets = e.gets(real, allowed, answer.Context.Location)
	if real.Reason != explained {
		return fmt.Errorf("the authorizer says %s, and this explanation %s; please report it", real.Reason, explained)
	}
	if allowed != (real.Reason == reason.OK) {
		return fmt.Errorf("the authorizer says %s, and its document does not; please report it", real.Reason)
	}
	return nil
}

// list is IAM's one or several.
func list(resource any) []string {
	switch r := resource.(type) {
	case string:
		return []string{r}
	case []any:
		var all []string
		for _, one := range r {
			if s, ok := one.(string); ok {
				all = append(all, s)
			}
		}
		return all
	}
	return nil
}

// mark finds the statement that decides, and reports whether it allows: a Deny if one matches, else an Allow.
func (e *Explanation) mark() bool {
	for i, s := range e.Policy {
		e.Policy[i].Matches = matches(s.Resource, e.request.ARN)
	}
	for _, effect := range []string{"Deny", "Allow"} {
		for i, s := range e.Policy {
			if s.Effect == effect && e.Policy[i].Matches {
				e.Policy[i].Decides = true
				return effect == "Allow"
			}
		}
	}
	return false
}

// matches reports whether a resource is about an ARN. The documents that are explained here have a star at the end or nowhere.
func matches(resource, arn string) bool {
	start, star := strings.CutSuffix(resource, "*")
	return resource == arn || star && strings.HasPrefix(arn, start)
}

// gets says what whoever sent the request is answered. https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
func (e *Explanation) gets(real Real, allowed bool, location string) string {
	switch {
	case real.Failure == "Unauthorized":
		return "401 and JSON (gateway response UNAUTHORIZED)"
	case real.Failure != "":
		return "500 and JSON, with Retry-After"
	case allowed:
		return "the backend's answer"
	case location == "":
		return "403"
	case strings.Contains(location, "/auth/denied") && !intent.Navigation(e.request.Method, e.request.Header):
		return "302 to " + location + ", which answers a program 403 and JSON (gateway response ACCESS_DENIED)"
	}
	return "302 to " + location + " (gateway response ACCESS_DENIED)"
}

// remedies say what to do, for each reason that a decision can have.
var remedies = map[reason.Code]string{
	reason.OK:               "nothing: the request goes on to the backend",
	reason.NoSession:        "sign in, and send the cookie: curl -b \"$(edgeauth cookie)\"",
	reason.CookieBroken:     "send every piece of the session cookie; a proxy or a script on the way drops one",
	reason.CookieConflict:   "send one session: something else sets __Host-id on this host",
	reason.BearerMalformed:  "send \"Authorization: Bearer <token>\", or none of the header at all",
	reason.TokenMalformed:   "send the token whole, as Cognito made it",
	reason.TokenAlgorithm:   "send a token of the user pool: those are signed by RS256",
	reason.TokenHeader:      "send a token of the user pool: this header asks for what we do not do",
	reason.TokenUnknownKey:  "sign in anew; if that does not help, compare AUTH_ISSUER and AUTH_JWKS_URL with the pool that issued the token",
	reason.TokenSignature:   "send the token unchanged; it was not signed by the key that it names",
	reason.TokenIssuer:      "compare AUTH_ISSUER with the token's issuer, letter by letter: it is another pool, or the pool's other issuer",
	reason.TokenAudience:    "compare AUTH_CLIENT_IDS with the client that the token is for; a bearer token's client belongs into AUTH_BEARER_CLIENT_IDS",
	reason.TokenUse:         "send an ID token as cookie, an access token as bearer; bearer tokens are taken once AUTH_BEARER_CLIENT_IDS names their client",
	reason.TokenExpired:     "renew: a browser does it by itself, a program by POST to /auth/refresh",
	reason.TokenNotYetValid: "compare the clocks: the token is of the future by more than 30 seconds",
	reason.TokenClaims:      "look for a pre token generation trigger that takes claims away",
	reason.SessionCut:       "sign in again: somebody has ended the session, by signing out or as an administrator",
	reason.CutsUnavailable:  "see whether the table that AUTH_CUTS names answers, and whether the authorizer may dynamodb:Query it",
	reason.PathNotPlain:     "build the link without //, dot segments, escaped slashes, backslashes or semicolons",
	reason.Override:         "send the method that is meant, without a header that changes it",
	reason.CrossSite:        "send it from a page of the same origin, or name the other origin in AUTH_ALLOWED_ORIGINS",
	reason.MountUnknown:     "see docs/api-kinds.md: the API is mounted where nobody can tell the stage from the path",
	reason.UserRequired:     "send a person's session: the rule is not for machines",
	reason.MachineRequired:  "send a machine's access token: the rule is not for people",
	reason.GroupRequired:    "put the user into the group, and let him sign in anew; or change the rule",
	reason.ScopeRequired:    "give the scope to the client; sessions have none, so a rule that asks for one is for machines",
	reason.StepUp:           "sign in again: the rule wants a fresh sign-in",
	reason.NoRule:           "add a rule that matches this method and path",
	reason.TooLarge:         "fewer rules with groups, fewer groups, or fewer claims: the answer has to fit into what API Gateway takes",
	reason.KeysUnavailable:  "see whether the key set's address answers from here, and whether AUTH_JWKS_URL is right; with -jwks it is read from a file",
	reason.EventUnknown:     "see who invokes the function: the event is none of API Gateway's",
	reason.Internal:         "report it, with the log line",
}

// Kind names the kind of API for people.
func Kind(name string) (apigw.Kind, error) {
	kinds := map[string]apigw.Kind{"rest": apigw.REST, "http1": apigw.HTTP1, "http2": apigw.HTTP2, "websocket": apigw.WebSocket}
	if k, ok := kinds[name]; ok {
		return k, nil
	}
	return "", fmt.Errorf("%q is no kind of API: rest, http1, http2 or websocket", name)
}
