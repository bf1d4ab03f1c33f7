// This file writes the caller into the authorizer's context, as strings: API Gateway hands on
// nothing else from a REST API's authorizer
// (https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html).

package identity

import (
	"encoding/base64"
	"errors"
	"strconv"
	"time"

	"edgeauth/internal/jsonwrite"
	"edgeauth/internal/word"
)

// ErrClaims means that an identity cannot be written down so that every reader takes it for the
// same: what a caller must have is missing, or a group's name holds white space, which would make
// it two groups, or something else that does not show.
var ErrClaims = errors.New("identity: a claim cannot be handed on unambiguously")

// AppendContext appends id as members of a JSON object, without its braces; claims is the text of a
// JSON object of further claims, or nil. Nothing is shortened or left out, so the caller of this
// function has to see to it that the whole is not larger than API Gateway takes.
func AppendContext(dst []byte, id Identity, claims []byte) ([]byte, error) {
	if !id.complete() {
		return dst, ErrClaims
	}
	for _, list := range [2][]string{id.Groups, id.Scopes} {
		for _, name := range list {
			if !word.Is(name) {
				return dst, ErrClaims
			}
		}
	}
	dst = append(dst, `"v":"`+Version+`"`...)
	dst = appendText(dst, "iss", id.Issuer)
	dst = appendText(dst, "sub", id.Subject)
	dst = appendText(dst, "username", id.Username)
	dst = appendText(dst, "email", id.Email)
	dst = appendList(dst, "groups", id.Groups)
	dst = appendList(dst, "scope", id.Scopes)
	dst = appendText(dst, "token_use", id.TokenUse)
	dst = appendText(dst, "client_id", id.ClientID)
	dst = append(appendSeconds(append(dst, `,"exp":"`...), id.Expires), '"')
	dst = append(appendSeconds(append(dst, `,"auth_time":"`...), id.AuthTime), '"')
	dst = append(dst, `,"identity":"`...)
	var scratch [4096]byte
	dst = base64.RawURLEncoding.AppendEncode(dst, appendWhole(scratch[:0], id, claims))
	return append(dst, '"'), nil
}

// AppendAnonymous appends that there is no caller, because a rule lets anyone through: every key of
// the contract, empty but for the version and the one that says so. A reader that does not know
// that key finds no caller.
func AppendAnonymous(dst []byte) []byte {
	return append(dst, `"v":"`+Version+`","anonymous":"true","iss":"","sub":"","username":"","email":"","groups":"","scope":"",`+
		`"token_use":"","client_id":"","exp":"","auth_time":"","identity":""`...)
}

// appendWhole appends the same as one JSON object, for readers who want structure: lists as lists,
// times as numbers, and the further claims.
func appendWhole(dst []byte, id Identity, claims []byte) []byte {
	dst = append(dst, `{"v":"`+Version+`"`...)
	dst = appendText(dst, "iss", id.Issuer)
	dst = appendText(dst, "sub", id.Subject)
	dst = appendText(dst, "username", id.Username)
	dst = appendText(dst, "email", id.Email)
	dst = appendArray(dst, "groups", id.Groups)
	dst = appendArray(dst, "scopes", id.Scopes)
	dst = appendText(dst, "token_use", id.TokenUse)
	dst = appendText(dst, "client_id", id.ClientID)
	dst = appendSeconds(append(dst, `,"exp":`...), id.Expires)
	if !id.AuthTime.IsZero() {
		dst = appendSeconds(append(dst, `,"auth_time":`...), id.AuthTime)
	}
	if len(claims) > 0 {
		dst = append(append(dst, `,"claims":`...), claims...)
	}
	return append(dst, '}')
}

func appendText(dst []byte, name, value string) []byte {
	return jsonwrite.AppendString(appendName(dst, name), value)
}

// appendList appends a list of words as one string.
func appendList(dst []byte, name string, words []string) []byte {
	dst = append(appendName(dst, name), '"')
	for i, word := range words {
		if i > 0 {
			dst = append(dst, ' ')
		}
		dst = jsonwrite.Append(dst, word)
	}
	return append(dst, '"')
}

func appendArray(dst []byte, name string, words []string) []byte {
	dst = append(appendName(dst, name), '[')
	for i, word := range words {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = jsonwrite.AppendString(dst, word)
	}
	return append(dst, ']')
}

func appendName(dst []byte, name string) []byte {
	dst = append(dst, `,"`...)
	dst = append(dst, name...)
	return append(dst, `":`...)
}

func appendSeconds(dst []byte, t time.Time) []byte {
	if t.IsZero() {
		return dst
	}
	return strconv.AppendInt(dst, t.Unix(), 10)
}
