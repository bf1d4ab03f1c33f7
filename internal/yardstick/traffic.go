// This file is what the authorizer is measured on: tokens and events as Cognito, a browser and a REST API make them.

package yardstick

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"edgeauth/internal/cookie"
	"edgeauth/internal/token/tokentest"
)

// Size is the size of a session: a token of Bytes (to the next that base64 can have) that names Groups groups.
type Size struct {
	Name          string
	Bytes, Groups int
}

// The two sizes that everything is measured with: a user in a few groups, and one in as many as Cognito allows
// (https://docs.aws.amazon.com/cognito/latest/developerguide/quotas.html).
var (
	Small = Size{"1k", 1205, 2}
	Large = Size{"4k", 4487, 100}
)

// NewPool returns a pool whose clock shows the real time, so that its tokens are valid for an hour from now.
func NewPool() *tokentest.Pool {
	pool := tokentest.New(nil)
	pool.Advance(time.Since(tokentest.Start))
	return pool
}

// Tokens returns n different ID tokens of one size.
func Tokens(pool *tokentest.Pool, size Size, n int) []string {
	tokens := make([]string, n)
	for i := range tokens {
		claims := tokentest.Claims{
			"cognito:groups": tokentest.Groups(size.Groups, 22),
			"jti":            fmt.Sprintf("6c3f0a7e-5f0b-4d43-8c57-%012x", i),
			"name":           "",
		}
		missing := (size.Bytes - len(pool.IDToken(claims))) * 3 / 4
		claims["name"] = strings.Repeat("n", max(0, missing))
		tokens[i] = pool.IDToken(claims)
	}
	return tokens
}

// Session returns what a browser sends as Cookie when its session holds token, in as many pieces as the callback makes of it.
func Session(token string) string {
	lines, err := cookie.Split(cookie.Line{Name: cookie.Session, Value: token, Path: "/", MaxAge: 3600}, nil)
	if err != nil {
		panic(err)
	}
	header := "_ga=GA1.1.1804289383.1763800000; _ga_7XW3E9QK2L=GS2.1.s1763812800$o4$g1$t1763812874$j46$l0$h0"
	for _, line := range lines {
		header += "; " + line.Name + "=" + line.Value
	}
	return header + "; theme=dark"
}

// Event returns the authorizer's event for a page view in Chrome on a REST API that sends cookies, "" for none: about 3.5 kB and twice the cookies, as
// REST events carry every header twice.
func Event(cookies string) []byte {
	type object map[string]any
	headers := [][2]string{
		{"accept", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7"},
		{"accept-encoding", "gzip, deflate, br, zstd"},
		{"accept-language", "en-GB,en-US;q=0.9,en;q=0.8,de;q=0.7"},
		{"cookie", cookies},
		{"Host", "a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com"},
		{"priority", "u=0, i"},
		{"referer", "https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/Prod/"},
		{"sec-ch-ua", `"Chromium";v="142", "Google Chrome";v="142", "Not_A Brand";v="99"`},
		{"sec-ch-ua-mobile", "?0"},
		{"sec-ch-ua-platform", `"Windows"`},
		{"sec-fetch-dest", "document"},
		{"sec-fetch-mode", "navigate"},
		{"sec-fetch-site", "same-origin"},
		{"sec-fetch-user", "?1"},
		{"upgrade-insecure-requests", "1"},
		{"User-Agent", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"},
		{"X-Amzn-Trace-Id", "Root=1-69219a10-5e1f7a2b3c4d5e6f70819203"},
		{"X-Forwarded-For", "203.0.113.17"},
		{"X-Forwarded-Port", "443"},
		{"X-Forwarded-Proto", "https"},
	}
	one, many := object{}, object{}
	for _, h := range headers {
		if h[1] != "" {
			one[h[0]], many[h[0]] = h[1], []string{h[1]}
		}
	}
	event, err := json.Marshal(object{
		"type":                            "REQUEST",
		"methodArn":                       "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/Prod/GET/reports/2026/q3",
		"resource":                        "/{proxy+}",
		"path":                            "/reports/2026/q3",
		"httpMethod":                      "GET",
		"headers":                         one,
		"multiValueHeaders":               many,
		"queryStringParameters":           object{"page": "3", "sort": "-updated"},
		"multiValueQueryStringParameters": object{"page": []string{"3"}, "sort": []string{"-updated"}},
		"pathParameters":                  object{"proxy": "reports/2026/q3"},
		"stageVariables":                  object{},
		"requestContext": object{
			"resourceId":         "k3x9ab",
			"resourcePath":       "/{proxy+}",
			"operationName":      nil,
			"httpMethod":         "GET",
			"extendedRequestId":  "UXf0qEcCDoEFh7Q=",
			"requestTime":        "22/Nov/2026:12:00:00 +0000",
			"path":               "/Prod/reports/2026/q3",
			"accountId":          "123456789012",
			"protocol":           "HTTP/1.1",
			"stage":              "Prod",
			"domainPrefix":       "a1b2c3d4e5",
			"requestTimeEpoch":   1795348800000,
			"requestId":          "6f6b8c1e-5d0a-4f0f-9d5e-2a1b3c4d5e6f",
			"domainName":         "a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com",
			"deploymentId":       "z9y8x7",
			"apiId":              "a1b2c3d4e5",
			"isStageCanary":      false,
			"responseParameters": nil,
			"identity": object{
				"cognitoIdentityPoolId": nil, "accountId": nil, "cognitoIdentityId": nil, "caller": nil, "sourceIp": "203.0.113.17", "principalOrgId": nil,
				"accessKey": nil, "cognitoAuthenticationType": nil, "cognitoAuthenticationProvider": nil, "userArn": nil, "user": nil,
				"userAgent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
			},
		},
	})
	if err != nil {
		panic(err)
	}
	return event
}
