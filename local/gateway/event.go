package gateway

// This file writes the events that functions get.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-input.html
// https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html#api-gateway-simple-proxy-for-lambda-input-format

import (
	"encoding/base64"
	"encoding/json"
	"hash/fnv"
	"maps"
	"strings"

	"edgeauth/local/sam"
)

type authorizerEvent struct {
	Type              string              `json:"type"`
	MethodARN         string              `json:"methodArn"`
	Resource          string              `json:"resource"`
	Path              string              `json:"path"`
	HTTPMethod        string              `json:"httpMethod"`
	Headers           map[string]string   `json:"headers"`
	MultiValueHeaders map[string][]string `json:"multiValueHeaders"`
	Query             map[string]string   `json:"queryStringParameters"`
	MultiValueQuery   map[string][]string `json:"multiValueQueryStringParameters"`
	PathParameters    map[string]string   `json:"pathParameters"`
	StageVariables    map[string]string   `json:"stageVariables"`
	RequestContext    requestContext      `json:"requestContext"`
}

// proxyEvent has null where an authorizerEvent has an empty map.
type proxyEvent struct {
	Resource          string              `json:"resource"`
	Path              string              `json:"path"`
	HTTPMethod        string              `json:"httpMethod"`
	Headers           map[string]string   `json:"headers"`
	MultiValueHeaders map[string][]string `json:"multiValueHeaders"`
	Query             map[string]string   `json:"queryStringParameters"`
	MultiValueQuery   map[string][]string `json:"multiValueQueryStringParameters"`
	PathParameters    map[string]string   `json:"pathParameters"`
	StageVariables    map[string]string   `json:"stageVariables"`
	RequestContext    requestContext      `json:"requestContext"`
	Body              *string             `json:"body"`
	IsBase64Encoded   bool                `json:"isBase64Encoded"`
}

type requestContext struct {
	ResourceID        string         `json:"resourceId"`
	Authorizer        map[string]any `json:"authorizer,omitempty"`
	ResourcePath      string         `json:"resourcePath"`
	HTTPMethod        string         `json:"httpMethod"`
	ExtendedRequestID string         `json:"extendedRequestId"`
	RequestTime       string         `json:"requestTime"`
	Path              string         `json:"path"`
	AccountID         string         `json:"accountId"`
	Protocol          string         `json:"protocol"`
	Stage             string         `json:"stage"`
	DomainPrefix      string         `json:"domainPrefix"`
	RequestTimeEpoch  int64          `json:"requestTimeEpoch"`
	RequestID         string         `json:"requestId"`
	Identity          identity       `json:"identity"`
	DomainName        string         `json:"domainName"`
	DeploymentID      string         `json:"deploymentId"`
	APIID             string         `json:"apiId"`
}

// identity is about IAM and client certificates, and so nearly empty here.
type identity struct {
	CognitoIdentityPoolID         *string `json:"cognitoIdentityPoolId"`
	AccountID                     *string `json:"accountId"`
	CognitoIdentityID             *string `json:"cognitoIdentityId"`
	Caller                        *string `json:"caller"`
	SourceIP                      string  `json:"sourceIp"`
	PrincipalOrgID                *string `json:"principalOrgId"`
	AccessKey                     *string `json:"accessKey"`
	CognitoAuthenticationType     *string `json:"cognitoAuthenticationType"`
	CognitoAuthenticationProvider *string `json:"cognitoAuthenticationProvider"`
	UserARN                       *string `json:"userArn"`
	UserAgent                     *string `json:"userAgent"`
	User                          *string `json:"user"`
}

const (
	timeFormat = "02/Jan/2006:15:04:05 -0700"
	protocol   = "HTTP/1.1" // also for HTTP/2 clients
)

const account = sam.Account

// arns are the spellings of a request's ARN: as the event tells it, and as it may be meant where AWS does not say which. A policy has to allow all of them.
func (g *gate) arns(q *request) []string {
	stage := "arn:" + sam.Partition + ":execute-api:" + sam.Region + ":" + sam.Account + ":" + g.api.ID + "/" + g.api.Stage + "/"
	if g.api.Kind == sam.WebSocket {
		return []string{stage + connectRoute}
	}
	told := stage + q.method + q.path
	if g.api.Kind == sam.REST {
		return []string{told}
	}
	all := []string{told}
	if q.rawPath != q.path {
		all = append(all, stage+q.method+q.rawPath)
	}
	if q.route.Path == DefaultRoute {
		all = append([]string{stage + DefaultRoute}, all...)
	}
	return all
}

func (g *gate) requestContext(q *request) requestContext {
	c := requestContext{
		ResourceID:        resourceID(q.route.Path),
		ResourcePath:      q.route.Path,
		HTTPMethod:        q.method,
		ExtendedRequestID: q.extID,
		RequestTime:       q.time.UTC().Format(timeFormat),
		Path:              q.fullPath,
		AccountID:         sam.Account,
		Protocol:          protocol,
		Stage:             g.api.Stage,
		DomainPrefix:      domainPrefix(q.host),
		RequestTimeEpoch:  q.time.UnixMilli(),
		RequestID:         q.id,
		Identity:          identity{SourceIP: q.sourceIP},
		DomainName:        q.host,
		DeploymentID:      "local0",
		APIID:             g.api.ID,
	}
	if q.userAgent != "" {
		c.Identity.UserAgent = &q.userAgent
	}
	return c
}

// eventPath is the member path: without the stage of an API's own host, but with the base path of a custom domain.
func (q *request) eventPath() string {
	if q.mapped {
		return q.fullPath
	}
	return q.path
}

func domainPrefix(host string) string { return strings.Split(host, ".")[0] }

// resourceID is stable, as AWS's is, and says nothing.
func resourceID(path string) string {
	h := fnv.New64a()
	_, _ = h.Write([]byte(path))
	const alphabet = "abcdefghijklmnopqrstuvwxyz0123456789"
	id, n := make([]byte, 6), h.Sum64()
	for i := range id {
		id[i] = alphabet[n%36]
		n /= 36
	}
	return string(id)
}

func (g *gate) authorizerEvent(q *request) []byte {
	headers, all := q.headerMaps()
	return encode(authorizerEvent{
		Type:              "REQUEST",
		MethodARN:         g.arns(q)[0],
		Resource:          q.route.Path,
		Path:              q.eventPath(),
		HTTPMethod:        q.method,
		Headers:           headers,
		MultiValueHeaders: all,
		Query:             last(q.query),
		MultiValueQuery:   q.query,
		PathParameters:    q.parameters,
		StageVariables:    g.api.Variables,
		RequestContext:    g.requestContext(q),
	})
}

func (g *gate) proxyEvent(q *request) []byte {
	headers, all := q.headerMaps()
	e := proxyEvent{
		Resource:          q.route.Path,
		Path:              q.eventPath(),
		HTTPMethod:        q.method,
		Headers:           headers,
		MultiValueHeaders: all,
		Query:             orNull(last(q.query)),
		MultiValueQuery:   orNull(q.query),
		PathParameters:    orNull(q.parameters),
		StageVariables:    orNull(g.api.Variables),
		RequestContext:    g.requestContext(q),
	}
	if q.authorizer != nil {
		e.RequestContext.Authorizer = map[string]any{}
		maps.Copy(e.RequestContext.Authorizer, q.authorizer)
		e.RequestContext.Authorizer["integrationLatency"] = int(q.latency.Milliseconds())
	}
	if len(q.body) > 0 {
		body := string(q.body)
		contentType, _ := q.header("Content-Type")
		if e.IsBase64Encoded = g.binary(contentType); e.IsBase64Encoded {
			body = base64.StdEncoding.EncodeToString(q.body)
		}
		e.Body = &body
	}
	return encode(e)
}

// headerMaps gives the last value of each name, and all of them.
func (q *request) headerMaps() (map[string]string, map[string][]string) {
	all := map[string][]string{}
	for _, f := range q.fields {
		all[f.name] = append(all[f.name], f.value)
	}
	return last(all), all
}

func last(all map[string][]string) map[string]string {
	one := make(map[string]string, len(all))
	for name, values := range all {
		one[name] = values[len(values)-1]
	}
	return one
}

func orNull[M ~map[string]V, V any](m M) M {
	if len(m) == 0 {
		return nil
	}
	return m
}

// encode writes an event. <, > and & stay as they are: API Gateway does not know about HTML.
func encode(event any) []byte {
	var out strings.Builder
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(event) // maps and strings: cannot fail
	return []byte(strings.TrimSuffix(out.String(), "\n"))
}

// binary reports whether a media type is one of the API's binary types.
func (g *gate) binary(mediaType string) bool {
	mediaType, _, _ = strings.Cut(mediaType, ";")
	mediaType = strings.ToLower(strings.TrimSpace(mediaType))
	for _, known := range g.api.BinaryTypes {
		known = strings.ToLower(known)
		family, any := strings.CutSuffix(known, "/*")
		if known == "*/*" || known == mediaType || any && strings.HasPrefix(mediaType, family+"/") {
			return true
		}
	}
	return false
}
