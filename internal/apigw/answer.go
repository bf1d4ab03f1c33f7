// This file writes an authorizer's answer.

package apigw

import "edgeauth/internal/jsonwrite"

// Answer is a decision in the parts that API Gateway wants.
type Answer struct {
	Principal string
	Allowed   bool   // what a simple response says; for the others the document decides
	Document  []byte // the policy document
	Context   []byte // the members of the context object, without its braces
}

// AppendPolicy appends the answer with a policy, which every kind of API takes.
func (a Answer) AppendPolicy(dst []byte) []byte {
	dst = append(dst, `{"principalId":`...)
	dst = jsonwrite.AppendString(dst, a.Principal)
	dst = append(dst, `,"policyDocument":`...)
	dst = append(dst, a.Document...)
	return a.appendContext(dst)
}

// AppendSimple appends the simple response of an HTTP API:
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html
func (a Answer) AppendSimple(dst []byte) []byte {
	dst = append(dst, `{"isAuthorized":`...)
	if a.Allowed {
		dst = append(dst, `true`...)
	} else {
		dst = append(dst, `false`...)
	}
	return a.appendContext(dst)
}

func (a Answer) appendContext(dst []byte) []byte {
	dst = append(dst, `,"context":{`...)
	dst = append(dst, a.Context...)
	return append(dst, `}}`...)
}
