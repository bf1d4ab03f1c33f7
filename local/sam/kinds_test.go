package sam

import (
	"os"
	"strings"
	"testing"
	"time"
)

func kinds(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("testdata/kinds.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func find(t *testing.T, m *Model, id string) API {
	t.Helper()
	for _, a := range m.APIs {
		if a.LogicalID == id {
			return a
		}
	}
	t.Fatalf("no API %s", id)
	return API{}
}

func TestKinds(t *testing.T) {
	m := parse(t, kinds(t), nil)
	none, noHeaders := map[string]string{}, map[string]Response{}
	size := 1024
	for _, want := range []API{
		{
			LogicalID: "Chat", Kind: WebSocket, Stage: "live", Host: "chat.localhost:3000", Variables: none, Selection: "${request.body.do}",
			Authorizers: map[string]Authorizer{"ChatAuthorizer": {Function: "Authorizer", Sources: []string{"route.request.header.Cookie"}}},
			Routes: []Route{
				{Path: "$connect", Authorizer: "ChatAuthorizer", Timeout: 29 * time.Second},
				{Path: "say", Function: "Pages", Reply: true, Timeout: 29 * time.Second},
			},
		},
		{
			LogicalID: "Http", Kind: HTTP, Stage: "dev", Host: "http.localhost:3000", Variables: map[string]string{"color": "blue"},
			Authorizers: map[string]Authorizer{
				"Session": {Function: "Authorizer", Payload: "2.0", Simple: true}, // of Globals
				"Own": {
					Function: "Authorizer", Payload: "1.0", TTL: time.Minute,
					Sources: []string{"$request.header.Cookie", "$request.querystring.q", "$stageVariables.color", "$context.routeKey"},
				},
			},
			Routes: []Route{{Path: "/{proxy+}", Method: "ANY", Function: "Pages", Authorizer: "Own", Timeout: 30 * time.Second, Payload: "2.0"}},
			CORS:   &CORS{Origins: []string{"https://app.example"}, Methods: []string{"GET"}, Headers: []string{"x-a"}, Expose: []string{"x-b"}, MaxAge: 60, Credentials: true},
		},
		{
			LogicalID: "Made", Kind: HTTP, Stage: "$default", Host: "made.localhost:3000", Variables: none, CORS: &CORS{Origins: []string{"*"}},
			Authorizers: map[string]Authorizer{"MadeAuthorizer": {Function: "Authorizer", Payload: "2.0"}},
			Routes: []Route{
				{Path: "$default", Function: "Pages", Timeout: 5 * time.Second, Payload: "2.0"},
				{Path: "/things/{id}", Method: "GET", Function: "Pages", Authorizer: "MadeAuthorizer", Timeout: 5 * time.Second, Payload: "2.0"},
			},
		},
		{
			LogicalID: "Plain", Name: "plain", Kind: REST, Stage: "v1", Variables: map[string]string{"size": "big"}, URLLimit: 10240, Compression: &size, BinaryTypes: []string{"image/*"},
			Authorizers: map[string]Authorizer{"PlainAuthorizer": {Function: "Authorizer"}},
			Responses:   map[string]Response{"ACCESS_DENIED": {302, map[string]string{"Location": "context.authorizer.location"}, map[string]string{"application/json": "{}"}}},
			Routes: []Route{
				{Path: "/orders/{id}", Method: "ANY", Function: "Pages", Authorizer: "PlainAuthorizer", Timeout: 29 * time.Second},
				{Path: "/", Method: "GET", Function: "Pages", Timeout: 29 * time.Second},
				{Path: "/orders/{id}", Method: "OPTIONS", Preflight: map[string]string{"Access-Control-Allow-Origin": "https://app.example"}, Status: 204, AsText: true, Timeout: 29 * time.Second},
			},
		},
		{
			LogicalID: "Talk", Kind: WebSocket, Stage: "default", Host: "talk.localhost:3000", Variables: map[string]string{"size": "small"}, Selection: "$request.body.do",
			Authorizers: map[string]Authorizer{"TalkConnectAuthorizer": {Function: "Authorizer", Sources: []string{"route.request.header.Cookie"}}},
			Routes: []Route{
				{Path: "$connect", Function: "Pages", Authorizer: "TalkConnectAuthorizer", Timeout: 29 * time.Second},
				{Path: "shout", Function: "Pages", Timeout: 2 * time.Second},
			},
		},
		{
			LogicalID: "ServerlessHttpApi", Kind: HTTP, Stage: "$default", Host: "serverlesshttpapi.localhost:3000", Variables: none,
			Authorizers: map[string]Authorizer{"Session": {Function: "Authorizer", Payload: "2.0", Simple: true}},
			Routes: []Route{
				{Path: "$default", Function: "Pages", Authorizer: "Session", Timeout: 30 * time.Second, Payload: "2.0"},
				{Path: "/pets/{id}", Method: "GET", Function: "Pages", Timeout: time.Second, Payload: "1.0"},
			},
		},
		{
			LogicalID: "ServerlessRestApi", Name: "edgeauth", Kind: REST, Stage: "Prod", Host: "serverlessrestapi.localhost:3000", Variables: none, URLLimit: 8192, Responses: noHeaders,
			Authorizers: map[string]Authorizer{}, Routes: []Route{{Path: "/rest", Method: "GET", Function: "Pages", Timeout: 29 * time.Second}},
		},
	} {
		want.ID = gatewayID(want.LogicalID)
		equal(t, want.LogicalID, find(t, m, want.LogicalID), want)
	}
	equal(t, "domains", m.Domains, []Domain{{Name: "app.example.com", Host: "localhost:3000", Mappings: []Mapping{
		{"http", gatewayID("Http"), "dev"}, {"more/http", gatewayID("Http"), "dev"}, {"orders", gatewayID("Plain"), "v1"}, {"", gatewayID("ServerlessRestApi"), "Prod"},
	}}})
	equal(t, "addresses", m.Addresses, []Address{
		{"ServerlessRestApi", "http://localhost:3000"},
		{"Http", "http://localhost:3000/http"},
		{"Plain", "http://localhost:3000/orders"},
		{"Http", "http://localhost:3000/more/http"},
		{"Chat", "ws://chat.localhost:3000/live"},
		{"Http", "http://http.localhost:3000/dev"},
		{"Made", "http://made.localhost:3000"},
		{"ServerlessHttpApi", "http://serverlesshttpapi.localhost:3000"},
		{"ServerlessRestApi", "http://serverlessrestapi.localhost:3000/Prod"},
		{"Talk", "ws://talk.localhost:3000/default"},
	})
	equal(t, "stages", m.Parameters["/stages"], "dev $default default Prod")
	equal(t, "local DNS", m.Functions[1].Environment, map[string]string{
		"PLAIN": "http://plain.localhost:3000/v1", "DOMAIN": "http://localhost:3000/x", "HOST": "app.example.com", "SOCKET": "ws://chat.localhost:3000/live",
		"CALLBACK": "http://localhost:3000/live", "HTTP": "http://http.localhost:3000/dev",
	})
}

// Without a domain the first REST API has the plain host.
func TestKindsWithoutADomain(t *testing.T) {
	m := parse(t, kinds(t), map[string]string{"Domain": ""})
	equal(t, "domains", m.Domains, []Domain(nil))
	equal(t, "Plain", find(t, m, "Plain").Host, "localhost:3000")
	equal(t, "the first address", m.Addresses[0], Address{"Plain", "http://localhost:3000/v1"})
}

func TestKindRefusals(t *testing.T) {
	good := kinds(t)
	for _, c := range []struct{ name, old, new, want string }{
		// HTTP APIs
		{"a payload that there is not", "PayloadFormatVersion: '1.0', TimeoutInMillis", "PayloadFormatVersion: '3.0', TimeoutInMillis", `Events.Pets.Properties.PayloadFormatVersion: "3.0" is neither 1.0 nor 2.0`},
		{"an authorizer without a payload", "AuthorizerPayloadFormatVersion: '1.0', Identity", "Identity", `Auth.Authorizers.Own.AuthorizerPayloadFormatVersion: "" is neither`},
		{"simple answers with payload 1.0", "AuthorizerPayloadFormatVersion: '1.0', Identity", "AuthorizerPayloadFormatVersion: '1.0', EnableSimpleResponses: true, Identity", "EnableSimpleResponses: only with payload 2.0"},
		{"a JWT authorizer", "Own: { FunctionArn: !GetAtt Authorizer.Arn,", "Own: { JwtConfiguration: {}, FunctionArn: !GetAtt Authorizer.Arn,", "JWT authorizers are not modelled"},
		{"IAM", "        DefaultAuthorizer: Own\n", "        EnableIamAuthorizer: true\n        DefaultAuthorizer: Own\n", "Auth.EnableIamAuthorizer: true is not modelled"},
		{"scopes of a route", "Auth: { Authorizer: NONE }, Payload", "Auth: { Authorizer: NONE, AuthorizationScopes: [x] }, Payload", "AuthorizationScopes: only of JWT authorizers"},
		{"a cache without a key", "Identity: { Headers: [Cookie], QueryStrings: [q], Context: [routeKey], StageVariables: [color], ", "Identity: { ", "a cache needs Headers"},
		{"nobody may call the authorizer", "MayAuthorize: { Type: AWS::Lambda::Permission, Properties: { Action: lambda:InvokeFunction, Principal: apigateway", "MayAuthorize: { Type: AWS::Lambda::Permission, Properties: { Action: lambda:InvokeFunction, Principal: events", "no AWS::Lambda::Permission lets API Gateway call Authorizer"},
		{"a document beside what SAM writes into it", "      StageName: dev\n", "      StageName: dev\n      DefinitionBody: {}\n", "resource Http: Auth: not modelled beside DefinitionBody"},
		{"a document elsewhere", "      StageName: dev\n", "      StageName: dev\n      DefinitionUri: x\n", "resource Http: DefinitionUri: this property is not modelled"},
		{"CORS that is neither", "CorsConfiguration: { AllowOrigins: [https://app.example]", "CorsConfiguration: 'yes' #", `CorsConfiguration: "yes" is neither true nor a map`},
		{"a timeout", "TimeoutInMillis: 1000", "TimeoutInMillis: 30001", "not between 50 and 30000"},
		{"an authorizer that is not there", "DefaultAuthorizer: Own", "DefaultAuthorizer: Nope", "Auth.DefaultAuthorizer: there is no authorizer Nope"},
		{"an API elsewhere", "ApiId: !Ref Http, Path", "ApiId: abc, Path", "Events.Own: there is no API abc"},
		{"a method", "Path: '/{proxy+}', Method: ANY", "Path: '/{proxy+}', Method: TRACE", "TRACE is no method of an HTTP API"},

		// resources of REST APIs
		{"a document elsewhere", "Name: plain,", "Name: plain, BodyS3Location: {},", "resource Plain: BodyS3Location: not modelled"},
		{"a resource policy", "Name: plain,", "Name: plain, Policy: {},", "resource Plain: Policy: not modelled"},
		{"IAM", "HttpMethod: GET, AuthorizationType: NONE", "HttpMethod: GET, AuthorizationType: AWS_IAM", "AWS_IAM is not modelled"},
		{"an authorizer without CUSTOM", "HttpMethod: GET, AuthorizationType: NONE", "HttpMethod: GET, AuthorizerId: !Ref PlainAuthorizer, AuthorizationType: NONE", "neither is alone"},
		{"CUSTOM without an authorizer", "HttpMethod: GET, AuthorizationType: NONE", "HttpMethod: GET, AuthorizationType: CUSTOM", "neither is alone"},
		{"another API's authorizer", "AuthorizerId: !Ref PlainAuthorizer", "AuthorizerId: !Ref ChatAuthorizer", "resource AnyOrder: AuthorizerId: the API has no authorizer"},
		{"a validator", "HttpMethod: GET,", "HttpMethod: GET, RequestValidatorId: x,", "RequestValidatorId: not modelled"},
		{"an API key", "HttpMethod: GET,", "HttpMethod: GET, ApiKeyRequired: true,", "ApiKeyRequired: true is not modelled"},
		{"another integration", "Type: AWS_PROXY, IntegrationHttpMethod: POST", "Type: HTTP_PROXY", "Integration.Type: HTTP_PROXY is not modelled"},
		{"a function elsewhere", "functions/${Pages.Arn}/invocations' } } }", "functions/arn:aws:lambda:eu-west-1:123456789012:function:x/invocations' } } }", "no function has the ARN"},
		{"an integration that is none", "functions/${Pages.Arn}/invocations' } } }", "things/${Pages.Arn}' } } }", "names no Lambda function"},
		{"nobody may call the function", "MayCallPages: { Type: AWS::Lambda::Permission, Properties: { Action: lambda:InvokeFunction, Principal: apigateway", "MayCallPages: { Type: AWS::Lambda::Permission, Properties: { Action: lambda:InvokeFunction, Principal: events", "no AWS::Lambda::Permission lets API Gateway call Pages"},
		{"a token authorizer", "Name: session, Type: REQUEST, AuthorizerResult", "Name: session, Type: TOKEN, AuthorizerResult", `Type: "TOKEN" is not modelled`},
		{"a cache without a key", "AuthorizerResultTtlInSeconds: 0", "AuthorizerResultTtlInSeconds: 300", "a cache needs"},
		{"a MOCK that is no preflight", "HttpMethod: OPTIONS", "HttpMethod: GET", "MOCK is modelled for a preflight only"},
		{"a preflight with a mapping", `"'https://app.example'"`, "integration.response.header.x", "only a header with one text"},
		{"a gateway response without a status", "ResponseType: ACCESS_DENIED, StatusCode: '302'", "ResponseType: ACCESS_DENIED", "StatusCode: missing"},
		{"a gateway response that there is not", "ResponseType: ACCESS_DENIED", "ResponseType: ACCESS_REFUSED", "no gateway response"},
		{"a stage that is missing", "PlainStage: { Type: AWS::ApiGateway::Stage", "PlainStage: { Type: AWS::Logs::LogGroup } #", "resource Plain: it has no stage"},
		{"a resource elsewhere", "ParentId: !Ref Orders", "ParentId: abc", "there is no resource abc of this API"},
		{"resources in a circle", "ParentId: !GetAtt Plain.RootResourceId", "ParentId: !Ref Order", "the resources go in a circle"},
		{"a method twice", "ResourceId: !GetAtt Plain.RootResourceId, HttpMethod: GET", "ResourceId: !Ref Order, HttpMethod: ANY", "another method has ANY /orders/{id} already"},
		{"an unreachable API", "Properties: { DomainName: !Ref DomainName, RestApiId: !Ref Plain", "Properties: { DomainName: !Ref DomainName, RestApiId: !Ref ServerlessRestApi", "resource Plain: DisableExecuteApiEndpoint"},
		{"a stage that SAM does not make", "Stage: !Ref ServerlessRestApiProdStage", "Stage: !Ref ServerlessRestApiTestStage", "there is no parameter or resource ServerlessRestApiTestStage"},
		{"a mapping to an API elsewhere", "ApiId: !Ref ServerlessRestApi", "ApiId: abc", "resource RestMapping: there is no API abc"},
		{"mutual TLS", "RegionalCertificateArn: x", "RegionalCertificateArn: x, MutualTlsAuthentication: {}", "MutualTlsAuthentication: not modelled"},

		// SAM's WebSocket APIs
		{"an authorizer that guards nothing", "        $connect: { FunctionArn: !GetAtt Pages.Arn }\n", "", "resource Talk: Auth: without a route $connect it guards nothing"},
		{"IAM", "AuthType: CUSTOM, AuthArn", "AuthType: AWS_IAM, AuthArn", "Auth.AuthType: AWS_IAM is not modelled"},
		{"an authorizer of no type", "AuthType: CUSTOM, AuthArn", "AuthArn", "Auth.AuthType: missing"},
		{"a reserved key", "        shout:", "        $shout:", "one of API Gateway's own"},
		{"a timeout", "IntegrationTimeout: 2000", "IntegrationTimeout: 30000", "not between 50 and 29000"},
		{"no selection", "      RouteSelectionExpression: $request.body.do\n", "", "resource Talk: RouteSelectionExpression: missing"},
		{"an API key of a route", "IntegrationTimeout: 2000", "ApiKeyRequired: true", "ApiKeyRequired: true is not modelled"},

		// resources of WebSocket and HTTP APIs
		{"another protocol", "ProtocolType: WEBSOCKET", "ProtocolType: MQTT", "neither HTTP nor WEBSOCKET"},
		{"a quick create", "Name: made,", "Name: made, Target: x,", "resource Made: Target: not modelled"},
		{"an authorizer behind the handshake", "RouteKey: say,", "RouteKey: say, AuthorizationType: CUSTOM, AuthorizerId: !Ref ChatAuthorizer,", "only $connect can have an authorizer"},
		{"CUSTOM without an authorizer", "AuthorizationType: CUSTOM, AuthorizerId: !Ref MadeAuthorizer, ", "AuthorizationType: CUSTOM, ", "resource MadeRoute: AuthorizerId: it goes with"},
		{"an authorizer without CUSTOM", "AuthorizationType: CUSTOM, AuthorizerId: !Ref MadeAuthorizer, ", "AuthorizerId: !Ref MadeAuthorizer, ", "resource MadeRoute: AuthorizerId: it goes with"},
		{"a JWT authorizer of a route", "AuthorizationType: CUSTOM, AuthorizerId: !Ref MadeAuthorizer", "AuthorizationType: JWT, AuthorizerId: !Ref MadeAuthorizer", "JWT is not modelled"},
		{"a JWT authorizer", "AuthorizerType: REQUEST, AuthorizerPayloadFormatVersion", "AuthorizerType: JWT, AuthorizerPayloadFormatVersion", `AuthorizerType: "JWT" is not modelled`},
		{"an authorizer without a payload", "AuthorizerType: REQUEST, AuthorizerPayloadFormatVersion: '2.0'", "AuthorizerType: REQUEST", "AuthorizerPayloadFormatVersion: missing"},
		{"a route without an integration", "RouteKey: say, RouteResponseSelectionExpression: $default, Target: !Sub 'integrations/${ChatIntegration}'", "RouteKey: say", "there is no integration"},
		{"a reserved key", "RouteKey: say", "RouteKey: $say", "one of API Gateway's own"},
		{"a route of another kind", "'GET /things/{id}'", "things", `"things" is no route of an HTTP API`},
		{"an integration with a mapping", "IntegrationUri: !GetAtt Pages.Arn,", "IntegrationUri: !GetAtt Pages.Arn, RequestParameters: { a: b },", "RequestParameters: not modelled"},
		{"an integration of another type", "IntegrationType: AWS_PROXY, IntegrationUri: !GetAtt", "IntegrationType: HTTP_PROXY, IntegrationUri: !GetAtt", `"HTTP_PROXY" is not modelled`},
		{"a second stage", "  MadeStage:", "  Second: { Type: AWS::ApiGatewayV2::Stage, Properties: { ApiId: !Ref Made, StageName: x } }\n  MadeStage:", "only one stage of an API is modelled"},
		{"no stage", "StageName: live, AutoDeploy: true } }", "StageName: live, AutoDeploy: true } }\n  Other: { Type: AWS::ApiGatewayV2::Api, Properties: { ProtocolType: WEBSOCKET } }", "resource Other: it has no stage"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if !strings.Contains(good, c.old) {
				t.Fatalf("the template has no %q", c.old)
			}
			_, err := Parse([]byte(strings.Replace(good, c.old, c.new, 1)), options)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("error %v,\nwant one with %s", err, c.want)
			}
		})
	}
}

func TestDocuments(t *testing.T) {
	text, err := os.ReadFile("testdata/documents.yaml")
	if err != nil {
		t.Fatal(err)
	}
	good := string(text)
	m := parse(t, good, nil)
	plain, sam, http := find(t, m, "Plain"), find(t, m, "Sam"), find(t, m, "Http")
	equal(t, "a REST API", plain, API{
		LogicalID: "Plain", Kind: REST, ID: gatewayID("Plain"), Stage: "v1", Host: "localhost:3000", Variables: map[string]string{}, URLLimit: 8192, BinaryTypes: []string{"image/png"},
		Authorizers: map[string]Authorizer{"Session": {Function: "Authorizer"}},
		Responses:   map[string]Response{"ACCESS_DENIED": {302, map[string]string{"Location": "context.authorizer.location"}, map[string]string{"application/json": "{}"}}},
		Routes: []Route{
			{Path: "/guarded/{proxy+}", Method: "OPTIONS", Preflight: map[string]string{"Access-Control-Allow-Origin": "*"}, Status: 204, AsText: true, Timeout: 29 * time.Second},
			{Path: "/guarded/{proxy+}", Method: "ANY", Function: "Pages", Authorizer: "Session", Timeout: 5 * time.Second},
			{Path: "/open", Method: "GET", Function: "Pages", Timeout: 5 * time.Second},
		},
	})
	equal(t, "a REST API of SAM", []any{sam.Authorizers, sam.Routes}, []any{
		map[string]Authorizer{"Cached": {Function: "Authorizer", TTL: 300 * time.Second, Sources: []string{"method.request.header.Cookie", "context.path"}}},
		[]Route{
			{Path: "/open", Method: "GET", Function: "Pages", Timeout: 5 * time.Second},
			{Path: "/pages", Method: "GET", Function: "Pages", Authorizer: "Cached", Timeout: 5 * time.Second},
			{Path: "/more", Method: "GET", Function: "Pages", Authorizer: "Cached", Timeout: 29 * time.Second}, // an event's, which the document has not
		},
	})
	equal(t, "an HTTP API", []any{http.Authorizers, http.Routes, http.CORS}, []any{
		map[string]Authorizer{"Simple": {Function: "Authorizer", Payload: "2.0", Simple: true}},
		[]Route{{Path: "$default", Function: "Pages", Authorizer: "Simple", Timeout: 30 * time.Second, Payload: "2.0"}},
		&CORS{Origins: []string{"*"}, MaxAge: 5},
	})
	for _, c := range []struct{ name, old, new, want string }{
		{"an extension that is not modelled", "info: { title: plain }", "x-amazon-apigateway-policy: {}", "resource Plain: Body.x-amazon-apigateway-policy: this property is not modelled"},
		{"a validator of requests", "info: { title: plain }", "x-amazon-apigateway-request-validator: all", "x-amazon-apigateway-request-validator"},
		{"another scheme", "x-amazon-apigateway-authorizer: { type: request, authorizerResult", "Scheme: { type: request, authorizerResult", "Session: not modelled: only a Lambda authorizer"},
		{"a token authorizer", "{ type: request, authorizerResult", "{ type: token, authorizerResult", `type: "token" is not modelled`},
		{"an authorizer that is not there", "security: [{ Session: [] }]", "security: [{ Sessions: [] }]", "security: there is no authorizer Sessions"},
		{"two authorizers", "security: [{ Session: [] }]", "security: [{ Session: [] }, { Other: [] }]", "security: not one authorizer"},
		{"scopes", "security: [{ Session: [] }]", "security: [{ Session: [x] }]", "security: scopes are not modelled"},
		{"ANY as some write it", "x-amazon-apigateway-any-method:\n", "any:\n", "Body.paths./guarded/{proxy+}.any: not modelled"},
		{"no integration", "get: { x-amazon-apigateway-integration: *pages }\n  PlainDeployment", "get: {}\n  PlainDeployment", "x-amazon-apigateway-integration: missing"},
		{"another integration", "type: aws_proxy", "type: http_proxy", "type: http_proxy is not modelled"},
		{"a mock that is no preflight", "            options:\n", "            get:\n", "mock is modelled for a preflight only"},
		{"an extension of an operation", "{ security: [], x-amazon", "{ security: [], x-amazon-apigateway-auth: { type: AWS_IAM }, x-amazon", "x-amazon-apigateway-auth"},
		{"an authorizer without a payload", "authorizerPayloadFormatVersion: '2.0', enableSimple", "enableSimple", "authorizerPayloadFormatVersion"},
		{"a cache without a key", "authorizerResultTtlInSeconds: 0, ", "", "a cache needs"},
		{"a function that may not be called", "FunctionName: !GetAtt Pages.Arn", "FunctionName: other", "no AWS::Lambda::Permission lets API Gateway call Pages"},
		{"an authorizer that may not be called", "FunctionName: !GetAtt Authorizer.Arn", "FunctionName: other", "no AWS::Lambda::Permission lets API Gateway call Authorizer"},
		{"a gateway response without a status", "statusCode: 302, ", "", "ACCESS_DENIED.statusCode: missing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if !strings.Contains(good, c.old) {
				t.Fatalf("the template has no %q", c.old)
			}
			if _, err := Parse([]byte(strings.Replace(good, c.old, c.new, 1)), options); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("error %v,\nwant one with %s", err, c.want)
			}
		})
	}
}

// SAM lets API Gateway call a function for its events, also where a document has the route, and for nothing else.
func TestDocumentsAndEvents(t *testing.T) {
	const template = `
Transform: AWS::Serverless-2016-10-31
Resources:
  Pages: { Type: AWS::Serverless::Function, Properties: { Runtime: provided.al2023, Handler: bootstrap, Events: { Get: { Type: Api, Properties: { RestApiId: !Ref Api, Path: EVENT, Method: get } } } } }
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: Prod
      DefinitionBody: { swagger: '2.0', paths: { /pages: { get: { x-amazon-apigateway-integration: { type: aws_proxy, httpMethod: POST, uri: !Sub 'arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/${Pages.Arn}/invocations' } } } } }
`
	for path, want := range map[string]string{"/pages": "", "/other": "resource Api: GET /pages: no AWS::Lambda::Permission lets API Gateway call Pages"} {
		_, err := Parse([]byte(strings.Replace(template, "EVENT", path, 1)), options)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: error %v", path, err)
		}
	}
}

// SAM's default authorizer stands before every operation of a document that has no security of its own.
func TestDocumentsBehindADefaultAuthorizer(t *testing.T) {
	const integration = "{ type: aws_proxy, httpMethod: POST, uri: !Sub 'arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/${Pages.Arn}/invocations', credentials: role }"
	const template = `
Transform: AWS::Serverless-2016-10-31
Globals: { Function: { Runtime: provided.al2023, Handler: bootstrap } }
Resources:
  Authorizer: { Type: AWS::Serverless::Function }
  Pages: { Type: AWS::Serverless::Function }
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: Prod
      Cors: "'*'"
      Auth: { DefaultAuthorizer: Session, Authorizers: { Session: { FunctionArn: !GetAtt Authorizer.Arn, FunctionPayloadType: REQUEST, Identity: { ReauthorizeEvery: 0 } } }, PREFLIGHT }
      DefinitionBody: { swagger: '2.0', paths: { /a: { get: { x-amazon-apigateway-integration: INTEGRATION }, options: { SECURITY x-amazon-apigateway-integration: INTEGRATION } }, /b: { post: { x-amazon-apigateway-integration: INTEGRATION } } } }
`
	for _, c := range []struct{ preflight, security, want string }{
		{"", "", "GET /a Session, OPTIONS /a Session, POST /b Session, OPTIONS /b Session"},
		{"AddDefaultAuthorizerToCorsPreflight: false", "", "GET /a Session, OPTIONS /a , POST /b Session, OPTIONS /b "},
		{"", "security: [],", "resource Api: Auth.DefaultAuthorizer: not modelled beside security in the document"},
	} {
		text := strings.NewReplacer("PREFLIGHT", c.preflight, "SECURITY", c.security, "INTEGRATION", integration).Replace(template)
		m, err := Parse([]byte(text), options)
		var got []string
		if err != nil {
			got = append(got, err.Error())
		} else {
			for _, r := range m.APIs[0].Routes {
				got = append(got, r.Method+" "+r.Path+" "+r.Authorizer)
			}
		}
		equal(t, c.preflight+c.security, strings.Join(got, ", "), c.want)
	}
}

// What the CDK synthesises is plain CloudFormation; testdata/cdk.mjs says from what.
func TestTheCDKsTemplate(t *testing.T) {
	m, err := Load("testdata/cdk.json", options)
	if err != nil {
		t.Fatal(err)
	}
	var routes []string
	for _, a := range m.APIs {
		for _, r := range a.Routes {
			line := string(a.Kind) + " " + r.Method + " " + r.Path + ": " + strings.TrimRight(r.Function, "0123456789ABCDEF") + " behind " + a.Authorizers[r.Authorizer].Function
			routes = append(routes, strings.TrimSuffix(line, "BD825682"))
		}
	}
	equal(t, "routes", routes, []string{
		"REST ANY /: Pages behind Authorizer",
		"REST GET /: Pages behind Authorizer",
		"REST OPTIONS /:  behind ",
		"REST OPTIONS /auth:  behind ",
		"REST ANY /auth/{proxy+}: Pages behind ",
		"REST OPTIONS /auth/{proxy+}:  behind ",
		"REST ANY /{proxy+}: Pages behind Authorizer",
		"REST OPTIONS /{proxy+}:  behind ",
		"WEBSOCKET  $connect: Pages behind Authorizer",
		"WEBSOCKET  $default: Pages behind ",
		"HTTP GET /things/{id}: Pages behind Authorizer",
	})
	equal(t, "where people come back", m.Pool.Clients[0].CallbackURLs, []string{"http://localhost:3000/Prod/auth/callback"})
	equal(t, "the first address", m.Addresses[0].URL, "http://localhost:3000/Prod")
}

// Two stacks of one account: the second one's API is behind the first one's authorizer, and on its domain.
func TestStacks(t *testing.T) {
	o := options
	o.Parameters = map[string]string{"AuthStack": "edgeauth", "AppDomain": "app.example.com", "AppCertificateArn": "arn:aws:acm:eu-west-1:123456789012:certificate/x"}
	m, err := LoadAll([]Stack{{"edgeauth", "../../template.yaml"}, {"reports", "../../examples/one-domain/reports.yaml"}}, o)
	if err != nil {
		t.Fatal(err)
	}
	second := find(t, m, "reports/Api")
	equal(t, "authorizer", second.Authorizers["EdgeAuth"].Function, find(t, m, "Api").Authorizers["SessionAuthorizer"].Function)
	equal(t, "hosts", []string{second.Host, find(t, m, "Api").Host}, []string{"", ""})
	equal(t, "domains", m.Domains, []Domain{{Name: "app.example.com", Host: "localhost:3000", Mappings: []Mapping{
		{"", find(t, m, "Api").ID, "Prod"}, {"reports", second.ID, "Prod"},
	}}})
	equal(t, "addresses", m.Addresses, []Address{{"Api", "http://localhost:3000"}, {"reports/Api", "http://localhost:3000/reports"}})
	equal(t, "where people sign in", m.Pool.Clients[0].CallbackURLs, []string{"http://localhost:3000/auth/callback"})

	o.Parameters = map[string]string{"AuthStack": "edgeauth"} // each at an address of its own
	if m, err = LoadAll([]Stack{{"edgeauth", "../../template.yaml"}, {"reports", "../../examples/one-domain/reports.yaml"}}, o); err != nil {
		t.Fatal(err)
	}
	equal(t, "addresses", m.Addresses, []Address{{"Api", "http://localhost:3000/Prod"}, {"reports/Api", "http://reports-api.localhost:3000/Prod"}})
}

func TestStackRefusals(t *testing.T) {
	write := func(text string) string {
		path := t.TempDir() + "/template.yaml"
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	one := write("Resources: {}\nOutputs: { A: { Value: x, Export: { Name: shared } } }\n")
	for _, c := range []struct {
		name, first, second, want string
		parameters                map[string]string
	}{
		{"what the other exports", one, write("Resources: {}\nOutputs: { B: { Value: !ImportValue shared } }\n"), "", nil},
		{"what the other does not export", one, write("Resources: {}\nOutputs: { B: { Value: !ImportValue other } }\n"), `exported as "other" has to be given`, nil},
		{"what a later one exports", write("Resources: {}\nOutputs: { B: { Value: !ImportValue shared, Export: { Name: x } } }\n"), one, `exported as "shared" has to be given`, nil},
		{"a parameter of the second", one, write("Parameters: { P: { Type: String } }\nResources: {}\n"), "", map[string]string{"P": "x"}},
		{"a parameter of none", one, one, "there is no parameter Q", map[string]string{"Q": "x"}},
		{"a parameter that is missing", one, write("Parameters: { P: { Type: String } }\nResources: {}\n"), "parameter two/P has no default", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := options
			o.Parameters = c.parameters
			_, err := LoadAll([]Stack{{"one", c.first}, {"two", c.second}}, o)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}
