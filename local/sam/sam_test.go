package sam

import (
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

var options = Options{
	AppURL:       "http://localhost:3000",
	CognitoURL:   "http://127.0.0.1:9229",
	ClientSecret: func(id string) string { return "secret of " + id },
}

func source(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("testdata/template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func parse(t *testing.T, text string, parameters map[string]string) *Model {
	t.Helper()
	o := options
	o.Parameters = parameters
	m, err := Parse([]byte(text), o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\n got %#v\nwant %#v", what, got, want)
	}
}

func TestAPI(t *testing.T) {
	api := parse(t, source(t), nil).APIs[0]
	equal(t, "stage", api.Stage, "Prod")
	equal(t, "variables", api.Variables, map[string]string{"color": "blue"})
	equal(t, "binary types", api.BinaryTypes, []string{"image/png"})
	equal(t, "URL limit of a regional endpoint", api.URLLimit, 10240)
	equal(t, "authorizers", api.Authorizers, map[string]Authorizer{
		"Session": {Function: "AuthorizerFunction"},
		"Cached": {
			Function: "AuthorizerFunction", TTL: 300 * time.Second,
			Sources: []string{"method.request.header.Cookie", "method.request.querystring.q", "stageVariables.color", "context.path"},
		},
	})
	plain := Response{Status: 500, Headers: map[string]string{}, Templates: map[string]string{}}
	equal(t, "responses", api.Responses, map[string]Response{
		"ACCESS_DENIED":                  {302, map[string]string{"Location": "context.authorizer.location"}, map[string]string{"application/json": "{}"}},
		"AUTHORIZER_FAILURE":             plain,
		"AUTHORIZER_CONFIGURATION_ERROR": plain,
	})
	preflight := func(methods string) map[string]string {
		return map[string]string{
			"Access-Control-Allow-Origin": "https://app.example", "Access-Control-Allow-Headers": "x-a", "Access-Control-Max-Age": "600",
			"Access-Control-Allow-Credentials": "true", "Access-Control-Allow-Methods": methods,
		}
	}
	const all = "DELETE,GET,HEAD,OPTIONS,PATCH,POST,PUT"
	equal(t, "routes", api.Routes, []Route{
		{Path: "/{proxy+}", Method: "ANY", Function: "PagesFunction", Authorizer: "Session", Timeout: 5 * time.Second},
		{Path: "/other", Method: "POST", Function: "PagesFunction", Authorizer: "Cached", Timeout: 29 * time.Second},
		{Path: "/other", Method: "OPTIONS", Function: "PagesFunction", Timeout: 29 * time.Second},
		{Path: "/public/{id}", Method: "GET", Function: "PagesFunction", Timeout: 29 * time.Second},
		{Path: "/", Method: "GET", Function: "PagesFunction", Authorizer: "Session", Timeout: 29 * time.Second},
		{Path: "/", Method: "OPTIONS", Preflight: preflight("GET,OPTIONS"), Timeout: 29 * time.Second},
		{Path: "/public/{id}", Method: "OPTIONS", Preflight: preflight("GET,OPTIONS"), Timeout: 29 * time.Second},
		{Path: "/{proxy+}", Method: "OPTIONS", Preflight: preflight(all), Timeout: 29 * time.Second},
	})
}

func TestFunctions(t *testing.T) {
	m := parse(t, source(t), nil)
	client := clientID("UserPoolClient")
	equal(t, "functions", m.Functions, []Function{
		{
			LogicalID: "AuthorizerFunction", Name: "edgeauth-authorizer", ARN: "arn:aws:lambda:eu-west-1:123456789012:function:edgeauth-authorizer",
			Runtime: "provided.al2023", Handler: "bootstrap", Code: ".",
			Timeout: 5 * time.Second, Memory: 256, Concurrency: 4,
			Environment: map[string]string{
				"SHARED": "yes", "STAGE": "Prod", "CLIENT": client,
				"ISSUER":  "http://127.0.0.1:9229/eu-west-1_Local0001",
				"LOGIN":   "http://127.0.0.1:9229/login",
				"JOINED":  "http://localhost:3000/x",
				"LITERAL": "a ${AWS::Region} 1",
				"SECOND":  "b", "EITHER": "yes", "BOTH": "no", "OFF": "yes",
			},
		},
		{
			LogicalID: "PagesFunction", Name: "edgeauth-PagesFunction", ARN: "arn:aws:lambda:eu-west-1:123456789012:function:edgeauth-PagesFunction",
			Runtime: "provided.al2023", Handler: "bootstrap",
			Timeout: 10 * time.Second, Memory: 128, Environment: map[string]string{"SHARED": "yes", "STAGE": "global"},
		},
	})
}

// An alias stands for its anchor, function and all, and is not that function of it.
func TestAlias(t *testing.T) {
	tree, err := parseTree([]byte("a: &x !If [C, !Ref P, b]\nb: *x\nc: [*x]"))
	if err != nil {
		t.Fatal(err)
	}
	value := map[string]any{"Fn::If": []any{"C", map[string]any{"Ref": "P"}, "b"}}
	equal(t, "tree", tree, map[string]any{"a": value, "b": value, "c": []any{value}})
}

func TestPool(t *testing.T) {
	m := parse(t, source(t), nil)
	client := Client{
		ID: clientID("UserPoolClient"), Name: "web", Secret: "secret of UserPoolClient",
		CallbackURLs: []string{"http://localhost:3000/Prod/auth/callback"}, LogoutURLs: []string{"http://localhost:3000/Prod/auth/signed-out"},
		Providers: []string{"COGNITO"}, Scopes: []string{"openid", "email"}, Flows: []string{"code"}, AuthFlows: []string{"ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"},
		IDTokenValidity: time.Hour, AccessTokenValidity: 15 * time.Minute, RefreshTokenValidity: 48 * time.Hour, Revocation: true,
	}
	equal(t, "pool", m.Pool, Pool{
		ID: "eu-west-1_Local0001", Issuer: "http://127.0.0.1:9229/eu-west-1_Local0001", Domain: "edgeauth-0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9",
		Clients: []Client{client}, Groups: []string{"admins"}, Scopes: []string{"reports/read"},
	})
	equal(t, "SSM", m.Parameters, map[string]string{
		"/edgeauth/auth": `{"client_id":"` + client.ID + `","base_urls":["http://localhost:3000/Prod"]}`,
	})
	equal(t, "outputs", m.Outputs, map[string]string{"Url": "http://localhost:3000/Prod/"})
}

func TestParametersChangeTheModel(t *testing.T) {
	m := parse(t, source(t), map[string]string{"Stage": "Test", "Rotation": "on", "Minutes": "5", "Scopes": "openid"})
	c := m.Pool.Clients[0]
	equal(t, "stage", m.APIs[0].Stage, "Test")
	equal(t, "memory by mapping", m.Functions[0].Memory, 128)
	equal(t, "rotation", []any{c.Rotation, c.RotationGrace, c.AuthFlows}, []any{true, time.Minute, []string{"ALLOW_USER_SRP_AUTH"}})
	equal(t, "validity", c.IDTokenValidity, 5*time.Minute)
	equal(t, "scopes", c.Scopes, []string{"openid"})
	equal(t, "optional variable", m.Functions[0].Environment["OPTIONAL"], "on")
}

// Every case changes one place of the good template, and names the sentence that it must not get past.
func TestRefusals(t *testing.T) {
	good := source(t)
	for _, c := range []struct{ name, old, new, want string }{
		// YAML
		{"broken YAML", "Resources:", "Resources: [", "not YAML"},
		{"a key twice", "      CodeUri: .", "      CodeUri: .\n      CodeUri: .", "CodeUri is set twice"},
		{"a merge key", "      CodeUri: .", "      <<: { CodeUri: . }", "no such key"},
		{"not a template", good, "- a list", "not a map"},
		{"empty", good, "", "empty"},

		// the template as a whole
		{"another section", "Metadata:", "Hooks:", "section Hooks is not modelled"},
		{"another transform", "Transform: AWS::Serverless-2016-10-31", "Transform: AWS::LanguageExtensions", "Transform"},
		{"a type that decides", "Type: AWS::Logs::LogGroup", "Type: AWS::ApiGateway::RequestValidator", "resource Logs: type AWS::ApiGateway::RequestValidator is not modelled"},
		{"a state machine with a route", "Type: AWS::Logs::LogGroup", "Type: AWS::Serverless::StateMachine, Properties: { Events: { Post: { Type: Api } } }", "resource Logs: type AWS::Serverless::StateMachine is not modelled"},
		{"an attribute that is not modelled", "DependsOn: Logs", "CreationPolicy: {}", "resource AuthorizerFunction: attribute CreationPolicy is not modelled"},
		{"other globals", "  Api: { OpenApiVersion: 3.0.1 }", "  GraphQLApi: {}", "section Globals: GraphQLApi is not modelled"},
		{"an output that refers to nothing", "Description: Open it", "Export: { Name: !Ref Nowhere }", "output Url: Export: there is no parameter or resource Nowhere"},
		{"a property of an output", "Description: Open it", "Extra: 1", "output Url: Extra"},

		{"another host alone", "EndpointConfiguration: { Type: REGIONAL }", "EndpointConfiguration: { Type: REGIONAL }\n      DisableExecuteApiEndpoint: true", "resource Api: DisableExecuteApiEndpoint: true, and nothing is mapped to a domain"},

		// parameters
		{"a type of parameter", "Stage: { Type: String", "Stage: { Type: Boolean", "parameter Stage: Type"},
		{"what Parameter Store holds", "Stage: { Type: String", "Stage: { Type: 'AWS::SSM::Parameter::Value<String>'", "what Parameter Store holds under Prod has to be given, by the parameter Stage"},
		{"a default that is too large", "Default: 60, MinValue", "Default: 91, MinValue", "parameter Minutes: 91 is outside"},
		{"a default that is not allowed", "Default: 'off'", "Default: 'of'", `"of" is none of on, off`},
		{"a default that does not match", "Default: Prod", "Default: Prod-1", "parameter Stage: \"Prod-1\" does not match"},
		{"a default that is too long", "Default: '', MaxLength", "Default: 'abcde', MaxLength", "longer than 4"},
		{"a property of a parameter", "MaxLength: 4", "Length: 4", "parameter Name: Length"},

		// intrinsic functions
		{"a function", "STAGE: !Ref Stage", "STAGE: !Base64 x", "resource AuthorizerFunction: Environment.Variables.STAGE: Fn::Base64 is not modelled"},
		{"a function in its long form", "STAGE: !Ref Stage", "STAGE: { 'Fn::Cidr': x }", "Fn::Cidr is not modelled"},
		{"a function among other keys", "STAGE: !Ref Stage", "STAGE: { Ref: Stage, Other: x }", "Ref stands among other keys"},
		{"a dynamic reference", "STAGE: !Ref Stage", "STAGE: '{{resolve:ssm:x}}'", "dynamic references"},
		{"a reference to nothing", "STAGE: !Ref Stage", "STAGE: !Ref Nowhere", "there is no parameter or resource Nowhere"},
		{"a reference to what a condition leaves out", "STAGE: !Ref Stage", "STAGE: !Ref Absent", "there is no parameter or resource Absent"},
		{"an attribute", "STAGE: !Ref Stage", "STAGE: !GetAtt UserPool.Color", "attribute Color of UserPool, a AWS::Cognito::UserPool, is not modelled"},
		{"an attribute of nothing", "STAGE: !Ref Stage", "STAGE: !Sub '${Nowhere.Arn}'", "there is no resource Nowhere"},
		{"a list in a Sub", "STAGE: !Ref Stage", "STAGE: !Sub '${Scopes}'", "${Scopes} is not a text"},
		{"no such condition", "STAGE: !Ref Stage", "STAGE: !If [Nope, a, b]", "there is no condition Nope"},
		{"a condition in a circle", "RotationIsOn: !Equals [!Ref Rotation, 'on']", "RotationIsOn: !Condition RotationIsOn", "condition RotationIsOn refers to itself"},
		{"a condition that nothing uses", "  Never:", "  Unused: !Not [x]\n  Never:", "condition Unused: not a condition"},
		{"a condition that is none", "Never: !Equals [a, b]", "Never: !Join ['', [a]]", "not modelled as a condition"},
		{"an index outside", "!Select [1, !Split [',', 'a,b']]", "!Select [2, !Split [',', 'a,b']]", "an index within a list"},
		{"no such mapping", "Sizes, !Ref Stage, Memory", "Sizes, !Ref Stage, Disk", "Fn::FindInMap finds no"},
		{"a name in a circle", "FunctionName: !Sub ${AWS::StackName}-authorizer", "FunctionName: !Ref AuthorizerFunction", "refers to itself"},
		{"a variable that is no text", "STAGE: !Ref Stage", "STAGE: !Ref Scopes", "Environment.Variables.STAGE: not a text"},
		{"a variable that is null", "STAGE: !Ref Stage", "STAGE:", "Environment.Variables.STAGE: not a text"},

		// functions
		{"a nested property of a function", "      Environment:\n        Variables:\n          STAGE", "      Environment:\n        Secrets: {}\n        Variables:\n          STAGE", "Environment.Secrets: this property"},
		{"no handler", "    Handler: bootstrap\n", "", "resource AuthorizerFunction: Runtime: a function in a zip file needs Runtime and Handler"},
		{"a timeout", "Timeout: 10", "Timeout: 901", "not between 1 and 900"},
		{"a number that is none", "Timeout: 10", "Timeout: ten", `"ten" is not a whole number`},
		{"never runs", "ReservedConcurrentExecutions: 4", "ReservedConcurrentExecutions: 0", "never runs"},
		{"a variable that Lambda sets", "STAGE: !Ref Stage", "AWS_REGION: x", "only Lambda itself sets this variable"},
		{"too many variables", "STAGE: !Ref Stage", "STAGE: " + strings.Repeat("x", 4096), "more than the 4096"},
		{"a host of sign-in that nothing answers for", "STAGE: !Ref Stage", "STAGE: https://cognito-idp.us-east-1.amazonaws.com/p", "nothing here answers for https://cognito-idp.us-east-1.amazonaws.com"},
		{"an event of another kind of API", "Root: { Type: Api", "Root: { Type: HttpApi", "Events.Root.Properties.RestApiId"},
		{"an API elsewhere", "RestApiId: !Ref Api, Path: /, ", "RestApiId: abcdef, Path: /, ", "Events.Root: there is no API abcdef in the template"},
		{"a property of an event", "Path: /, Method: get", "Path: /, Method: get, RequestParameters: []", "Events.Root.Properties.RequestParameters"},
		{"an event's Auth", "Authorizer: NONE } } }\n        Other", "Authorizer: NONE, InvokeRole: x } } }\n        Other", "Auth.InvokeRole"},
		{"a method", "Method: get", "Method: TRACE", "TRACE is no method"},
		{"a route twice", "Path: /, Method: get", "Path: '/{proxy+}', Method: any", "another event has ANY /{proxy+} already"},
		{"a greedy part in the middle", "Path: '/{proxy+}'", "Path: '/{proxy+}/x'", "only the last part may be greedy"},
		{"a part that is half a variable", "'/public/{id}'", "'/public/{id'", "no part of a path"},
		{"a relative path", "Path: /other, Method: POST", "Path: other, Method: POST", "begin with /"},
		{"an integration timeout", "TimeoutInMillis: 5000", "TimeoutInMillis: 29001", "not between 50 and 29000"},
		{"an authorizer that is not there", "Authorizer: Cached", "Authorizer: Cashed", "there is no authorizer Cashed"},

		// the API
		{"a property of the API", "      Name: !Ref AWS::StackName", "      DefinitionUri: x", "resource Api: DefinitionUri"},
		{"an endpoint type", "Type: REGIONAL", "Type: PRIVATE", "PRIVATE is not modelled"},
		{"a property of Auth", "DefaultAuthorizer: Session", "DefaultAuthorizer: Session\n        ApiKeyRequired: true", "Auth.ApiKeyRequired"},
		{"a default authorizer that is not there", "DefaultAuthorizer: Session", "DefaultAuthorizer: Sessions", "there is no authorizer Sessions"},
		{"a token authorizer", "FunctionPayloadType: REQUEST\n            DisableFunction", "FunctionPayloadType: TOKEN\n            DisableFunction", `Auth.Authorizers.Session.FunctionPayloadType: "TOKEN" is not modelled`},
		{"a property of an authorizer", "FunctionPayloadType: REQUEST\n            DisableFunction", "AuthorizationScopes: []\n            FunctionPayloadType: REQUEST\n            DisableFunction", "Auth.Authorizers.Session.AuthorizationScopes"},
		{"a property of Identity", "Identity: { ReauthorizeEvery: 0 }", "Identity: { ReauthorizeEvery: 0, Header: x }", "Identity.Header"},
		{"a cache without a key", "Identity: { ReauthorizeEvery: 0 }", "Identity: { ReauthorizeEvery: 60 }", "a cache needs Headers"},
		{"no Identity at all", "Identity: { ReauthorizeEvery: 0 }", "Identity: {}", "a cache needs Headers"},
		{"a cache for too long", "Identity: { ReauthorizeEvery: 0 }", "Identity: { ReauthorizeEvery: 3601, Headers: [Cookie] }", "not between 0 and 3600"},
		{"no function has that ARN", "function:${AWS::StackName}-authorizer\n", "function:${AWS::StackName}-other\n", "no function has the ARN"},
		{"no permission", "Principal: apigateway.amazonaws.com", "Principal: events.amazonaws.com", "no AWS::Lambda::Permission lets API Gateway call AuthorizerFunction"},
		{"a type of gateway response", "ACCESS_DENIED:", "ACCESS_REFUSED:", "GatewayResponses.ACCESS_REFUSED: no gateway response"},
		{"one that cannot be customised", "ACCESS_DENIED:", "REQUEST_TOO_LARGE:", "no gateway response that can be customised"},
		{"a gateway response without a status", "&twice { StatusCode: 500 }", "&twice { ResponseTemplates: {} }", "StatusCode: missing"},
		{"a property of a gateway response", "&twice { StatusCode: 500 }", "&twice { StatusCode: 500, Body: x }", "GatewayResponses.AUTHORIZER_CONFIGURATION_ERROR.Body"},
		{"parameters other than headers", "ResponseParameters: { Headers:", "ResponseParameters: { Paths: { a: b }, Headers:", "ResponseParameters.Paths"},
		{"an unquoted CORS value", `"'https://app.example'"`, "https://app.example", "not within single quotes"},
		{"a property of Cors", "AllowCredentials: true", "AllowCredentials: true, ExposeHeaders: x", "Cors.ExposeHeaders"},

		// Cognito and SSM
		{"flows that are off", "AllowedOAuthFlowsUserPoolClient: true", "AllowedOAuthFlowsUserPoolClient: false", "no OAuth flow"},
		{"another identity provider", "SupportedIdentityProviders: [COGNITO]", "SupportedIdentityProviders: [Google]", "app client web: the pool has no identity provider Google"},
		{"factors that are off", "AdminCreateUserConfig: { AllowAdminCreateUserOnly: true }", "MfaConfiguration: 'OFF'\n      EnabledMfas: [SOFTWARE_TOKEN_MFA]", "resource UserPool: EnabledMfas: refused by Cognito beside MfaConfiguration OFF"},
		{"a word in the login domain", "Domain: !Sub ['edgeauth-", "Domain: !Sub ['my-aws-app-", "resource UserPoolDomain: Domain: a prefix with the word aws is refused by Cognito"},
		{"the beginning of a parameter's name", "Name: !Sub /${AWS::StackName}/auth", "Name: /ssm-things/auth", "resource Parameter: Name: /ssm-things/auth: Parameter Store refuses"},
		{"a unit", "IdToken: minutes", "IdToken: weeks", `"weeks" is no unit`},
		{"a unit for nothing", "IdToken: minutes", "Id: minutes", "TokenValidityUnits.Id"},
		{"a boolean that is none", "GenerateSecret: true", "GenerateSecret: yes", "neither true nor false"},
		{"a scope that no resource server has", "AllowedOAuthScopes: !Ref Scopes", "AllowedOAuthScopes: [reports/write]", "app client web: no resource server has the scope reports/write"},
		{"a secret parameter", "Type: String\n      Value", "Type: SecureString\n      Value", "resource Parameter: Type"},
		{"another pool", "{ UserPoolId: !Ref UserPool, GroupName: admins }", "{ UserPoolId: eu-west-1_Other, GroupName: admins }", "resource Admins: UserPoolId"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if !strings.Contains(good, c.old) {
				t.Fatalf("the template has no %q", c.old)
			}
			_, err := Parse([]byte(strings.Replace(good, c.old, c.new, 1)), options)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("error %v,\nwant one with %s", err, c.want)
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("the error is not one sentence: %v", err)
			}
		})
	}
}

func TestOptions(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Options)
		want   string
	}{
		{"no address of the app", func(o *Options) { o.AppURL = "" }, "addresses"},
		{"no address of Cognito", func(o *Options) { o.CognitoURL = "" }, "addresses"},
		{"nobody makes secrets", func(o *Options) { o.ClientSecret = nil }, "nobody makes a secret"},
		{"an unknown parameter", func(o *Options) { o.Parameters = map[string]string{"Nope": "x"} }, "there is no parameter Nope"},
		{"a bad parameter", func(o *Options) { o.Parameters = map[string]string{"Minutes": "4"} }, "outside MinValue"},
		{"a parameter that is no number", func(o *Options) { o.Parameters = map[string]string{"Minutes": "x"} }, "not a number"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := options
			c.change(&o)
			if _, err := Parse([]byte(source(t)), o); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("error %v, want one with %s", err, c.want)
			}
		})
	}
}

func TestAParameterWithoutDefaultHasToBeGiven(t *testing.T) {
	text := strings.Replace(source(t), "Default: Prod, ", "", 1)
	if _, err := Parse([]byte(text), options); err == nil || !strings.Contains(err.Error(), "parameter Stage has no default") {
		t.Fatalf("error %v", err)
	}
	parse(t, text, map[string]string{"Stage": "Prod"})
}

func TestCORSAsOneText(t *testing.T) {
	text := source(t)
	from := strings.Index(text, "      Cors: {")
	to := from + strings.Index(text[from:], "\n")
	text = text[:from] + `      Cors: "'*'"` + strings.Replace(text[to:], "AddDefaultAuthorizerToCorsPreflight: false", "", 1)
	text = strings.Replace(text, "        AddDefaultAuthorizerToCorsPreflight: false\n", "", 1)
	for _, r := range parse(t, text, nil).APIs[0].Routes {
		if r.Path == "/" && r.Method == "OPTIONS" {
			equal(t, "headers", r.Preflight, map[string]string{"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Methods": "GET,OPTIONS"})
			equal(t, "a preflight inherits the default authorizer unless told otherwise", r.Authorizer, "Session")
		}
	}
}

// The project's own template has to be within the model, with the two settings that everything rests on.
func TestTheProjectsTemplate(t *testing.T) {
	m, err := Load("../../template.yaml", options)
	if err != nil {
		t.Fatal(err)
	}
	for name, a := range m.APIs[0].Authorizers {
		if a.TTL != 0 || len(a.Sources) > 0 {
			t.Errorf("authorizer %s is cached or has identity sources: %+v", name, a)
		}
	}
	for _, r := range m.APIs[0].Routes {
		if public := r.Authorizer == ""; public && r.Preflight == nil && !strings.HasPrefix(r.Path, "/auth/") {
			t.Errorf("%s %s is public", r.Method, r.Path)
		}
	}
}

// The callback is told the stand-in's address for the login host that the part makes up, as for one of somebody's own.
func TestTheProjectsLogin(t *testing.T) {
	for _, parameters := range []map[string]string{
		nil,
		{"EdgeAuth.LoginDomain": "acme"},
		{"EdgeAuth.LoginDomain": "login.example.com", "EdgeAuth.LoginCertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/a"},
	} {
		o := options
		o.Parameters = parameters
		m, err := Load("../../template.yaml", o)
		if err != nil {
			t.Fatal(err)
		}
		if told := m.Parameters["/edgeauth/auth"]; !strings.Contains(told, `"login_url":"http://127.0.0.1:9229"`) {
			t.Errorf("%v: the callback is told %s", parameters, told)
		}
	}
}

// A machine is a client with a secret and one scope, whose tokens the authorizer takes. Without the parameters nobody's tokens are taken.
func TestTheProjectsMachine(t *testing.T) {
	bearers := func(parameters map[string]string) (string, *Model) {
		o := options
		o.Parameters = parameters
		m, err := Load("../../template.yaml", o)
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(m.Functions, func(f Function) bool { return f.LogicalID == "EdgeAuth/AuthorizerFunction" })
		return m.Functions[i].Environment["AUTH_BEARER_CLIENT_IDS"], m
	}
	if got, m := bearers(nil); got != "" || len(m.Pool.Clients) != 1 {
		t.Errorf("bearers %q, %d clients", got, len(m.Pool.Clients))
	}
	got, m := bearers(map[string]string{"EdgeAuth.MachineScope": "reports/read", "EdgeAuth.UserBearer": "true", "EdgeAuth.BearerClientIds": "abc"})
	if want := "abc," + clientID("EdgeAuth/UserPoolClient") + "," + clientID("EdgeAuth/MachineClient"); got != want {
		t.Errorf("bearers %q, want %q", got, want)
	}
	c := m.Pool.Clients[0]
	equal(t, "machine", []any{c.ID, c.Secret, c.Flows, c.Scopes}, []any{clientID("EdgeAuth/MachineClient"), "secret of EdgeAuth/MachineClient", []string{"client_credentials"}, []string{"reports/read"}})
	equal(t, "output", m.Outputs["MachineClientId"], clientID("EdgeAuth/MachineClient"))
}

func TestLoadNamesTheFile(t *testing.T) {
	if _, err := Load("testdata/none.yaml", options); err == nil || !strings.Contains(err.Error(), "testdata/none.yaml") {
		t.Fatalf("error %v", err)
	}
}
