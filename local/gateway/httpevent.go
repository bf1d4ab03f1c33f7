package gateway

// This file writes the events that functions of an HTTP API get, in both payload formats.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html

import (
	"encoding/base64"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// The payload formats of an HTTP API.
const (
	payload1 = "1.0"
	payload2 = "2.0"
)

// common are the members that both events of payload 2.0 have.
type common struct {
	RouteKey       string            `json:"routeKey"`
	RawPath        string            `json:"rawPath"`
	RawQueryString string            `json:"rawQueryString"`
	Cookies        []string          `json:"cookies,omitempty"`
	Headers        map[string]string `json:"headers"`
	Query          map[string]string `json:"queryStringParameters,omitempty"`
	RequestContext context2          `json:"requestContext"`
	PathParameters map[string]string `json:"pathParameters,omitempty"`
	StageVariables map[string]string `json:"stageVariables,omitempty"`
}

type authorizerEvent2 struct {
	Version        string   `json:"version"`
	Type           string   `json:"type"`
	RouteARN       string   `json:"routeArn"`
	IdentitySource []string `json:"identitySource"`
	common
}

type proxyEvent2 struct {
	Version string `json:"version"`
	common
	Body            string `json:"body,omitempty"`
	IsBase64Encoded bool   `json:"isBase64Encoded"`
}

// context2 is the request context of payload 2.0.
type context2 struct {
	AccountID    string         `json:"accountId"`
	APIID        string         `json:"apiId"`
	Authorizer   map[string]any `json:"authorizer,omitempty"`
	DomainName   string         `json:"domainName"`
	DomainPrefix string         `json:"domainPrefix"`
	HTTP         contextHTTP    `json:"http"`
	RequestID    string         `json:"requestId"`
	RouteKey     string         `json:"routeKey"`
	Stage        string         `json:"stage"`
	Time         string         `json:"time"`
	TimeEpoch    int64          `json:"timeEpoch"`
}

type contextHTTP struct {
	Method    string `json:"method"`
	Path      string `json:"path"`
	Protocol  string `json:"protocol"`
	SourceIP  string `json:"sourceIp"`
	UserAgent string `json:"userAgent"`
}

type authorizerEvent1 struct {
	Version            string            `json:"version"`
	Type               string            `json:"type"`
	MethodARN          string            `json:"methodArn"`
	IdentitySource     *string           `json:"identitySource"`
	AuthorizationToken *string           `json:"authorizationToken"`
	Resource           string            `json:"resource"`
	Path               string            `json:"path"`
	HTTPMethod         string            `json:"httpMethod"`
	Headers            map[string]string `json:"headers"`
	Query              map[string]string `json:"queryStringParameters"`
	PathParameters     map[string]string `json:"pathParameters"`
	StageVariables     map[string]string `json:"stageVariables"`
	RequestContext     requestContext    `json:"requestContext"`
}

type proxyEvent1 struct {
	Version string `json:"version"`
	proxyEvent
}

func (g *gate) common(q *request) common {
	c := common{
		RouteKey: routeKey(q.route), RawPath: q.fullPath, RawQueryString: q.rawQuery, Headers: map[string]string{}, Query: joined(q.query),
		PathParameters: q.parameters, StageVariables: g.api.Variables,
		RequestContext: context2{
			AccountID: account, APIID: g.api.ID, DomainName: q.host, DomainPrefix: domainPrefix(q.host),
			HTTP:      contextHTTP{q.method, q.fullPath, protocol, q.sourceIP, q.userAgent},
			RequestID: q.extID, RouteKey: routeKey(q.route), Stage: g.api.Stage, Time: q.time.UTC().Format(timeFormat), TimeEpoch: q.time.UnixMilli(),
		},
	}
	for _, f := range q.headersHTTP() {
		name := strings.ToLower(f.name)
		if name == "cookie" {
			for pair := range strings.SplitSeq(f.value, ";") {
				c.Cookies = append(c.Cookies, strings.TrimSpace(pair))
			}
			continue
		}
		if before, ok := c.Headers[name]; ok {
			f.value = before + "," + f.value
		}
		c.Headers[name] = f.value
	}
	return c
}

// headersHTTP adds the header that an HTTP API shows with every request.
func (q *request) headersHTTP() []field {
	return append(slices.Clip(q.fields), field{"Content-Length", strconv.Itoa(len(q.body))})
}

// spelled are the headers that payload 1.0 does not show in lower case.
var spelled = []string{"Content-Length", "Host", "User-Agent", "X-Amzn-Trace-Id", "X-Forwarded-For", "X-Forwarded-Port", "X-Forwarded-Proto"}

// headers1 are the header fields as payload 1.0 names them.
func (q *request) headers1() map[string][]string {
	all := map[string][]string{}
	for _, f := range q.headersHTTP() {
		name := strings.ToLower(f.name)
		if i := slices.IndexFunc(spelled, func(s string) bool { return strings.EqualFold(s, name) }); i >= 0 {
			name = spelled[i]
		}
		all[name] = append(all[name], f.value)
	}
	return all
}

func joined(all map[string][]string) map[string]string {
	one := make(map[string]string, len(all))
	for name, values := range all {
		one[name] = strings.Join(values, ",")
	}
	return one
}

func (g *gate) authorizerEvent2(q *request) []byte {
	return encode(authorizerEvent2{payload2, "REQUEST", g.arns(q)[0], g.identities(q), g.common(q)})
}

// identities are the values of the identity sources, in their order.
func (g *gate) identities(q *request) []string {
	var values []string
	for _, source := range g.api.Authorizers[q.route.Authorizer].Sources {
		value, _ := g.sources[source].read(q, nil)
		values = append(values, value)
	}
	return values
}

func (g *gate) proxyEvent2(q *request) []byte {
	e := proxyEvent2{Version: payload2, common: g.common(q)}
	if q.authorizer != nil {
		e.RequestContext.Authorizer = map[string]any{"lambda": q.authorizer}
	}
	e.Body, e.IsBase64Encoded = q.bodyHTTP()
	return encode(e)
}

func (g *gate) authorizerEvent1(q *request) []byte {
	e := authorizerEvent1{
		Version: payload1, Type: "REQUEST", MethodARN: g.arns(q)[0], Resource: q.route.Path, Path: q.eventPath(), HTTPMethod: q.method,
		Headers: last(q.headers1()), Query: last(q.query), PathParameters: orEmpty(q.parameters), StageVariables: g.api.Variables,
		RequestContext: g.context1(q),
	}
	if values := g.identities(q); values != nil {
		all := strings.Join(values, ",")
		e.IdentitySource, e.AuthorizationToken = &all, &all
	}
	return encode(e)
}

func (g *gate) proxyEvent1(q *request) []byte {
	all := q.headers1()
	e := proxyEvent1{payload1, proxyEvent{
		Resource: q.route.Path, Path: q.eventPath(), HTTPMethod: q.method, Headers: last(all), MultiValueHeaders: all,
		Query: orNull(last(q.query)), MultiValueQuery: orNull(q.query), PathParameters: orNull(q.parameters), StageVariables: orNull(g.api.Variables),
		RequestContext: g.context1(q),
	}}
	if q.authorizer != nil {
		e.RequestContext.Authorizer = maps.Clone(q.authorizer)
	}
	if body, encoded := q.bodyHTTP(); body != "" {
		e.Body, e.IsBase64Encoded = &body, encoded
	}
	return encode(e)
}

// context1 is the request context of payload 1.0, where a request has one id only.
func (g *gate) context1(q *request) requestContext {
	c := g.requestContext(q)
	c.RequestID = q.extID
	return c
}

func orEmpty(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}

// bodyHTTP is the body as functions get it: in base64 unless its media type is one of text.
func (q *request) bodyHTTP() (body string, encoded bool) {
	contentType, _ := q.header("Content-Type")
	contentType, _, _ = strings.Cut(contentType, ";")
	contentType = strings.ToLower(strings.TrimSpace(contentType))
	if strings.HasPrefix(contentType, "text/") || slices.Contains([]string{"application/json", "application/javascript", "application/xml"}, contentType) {
		return string(q.body), false
	}
	return base64.StdEncoding.EncodeToString(q.body), len(q.body) > 0
}
