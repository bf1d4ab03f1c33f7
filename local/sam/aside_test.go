package sam

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// What changes nothing about who is let in is left out with its name, and the rest of the template stays what it was.
func TestAside(t *testing.T) {
	good := source(t)
	whole := parse(t, good, nil)
	if len(whole.Aside) > 0 {
		t.Fatalf("of the good template %v is set aside", whole.Aside)
	}
	for _, c := range []struct{ name, old, new, want string }{
		{"a resource", "Type: AWS::Logs::LogGroup", "Type: AWS::SQS::Queue", "Logs, AWS::SQS::Queue"},
		{"a resource of one's own", "Type: AWS::Logs::LogGroup", "Type: Custom::Thing", "Logs, Custom::Thing"},
		{"an API key that nothing asks for", "Type: AWS::Logs::LogGroup", "Type: AWS::ApiGateway::UsagePlan", "Logs, AWS::ApiGateway::UsagePlan"},
		{"a state machine without routes", "Type: AWS::Logs::LogGroup", "Type: AWS::Serverless::StateMachine", "Logs, AWS::Serverless::StateMachine"},
		{"a property of a function", "      CodeUri: .", "      CodeUri: .\n      Layers: []", "AuthorizerFunction: Layers"},
		{"an event", "Events:\n        Root:", "Events:\n        Poll: { Type: SQS, Properties: { Queue: !GetAtt Nowhere.Arn } }\n        Root:", "PagesFunction: event Poll, SQS"},
		{"a variable that leads to AWS", "SHARED: 'yes', STAGE: global", "SHARED: 'yes', STAGE: global, Q: 'https://sqs.eu-west-1.amazonaws.com/1/q'", "PagesFunction: variable Q: nothing here answers for https://sqs.eu-west-1.amazonaws.com"},
		{"a property of the pool", "AdminCreateUserConfig: { AllowAdminCreateUserOnly: true }", "LambdaConfig: {}", "UserPool: LambdaConfig"},
		{"user names that are no e-mail addresses", "UsernameAttributes: [email]", "UsernameAttributes: [phone_number]", "UserPool: UsernameAttributes: people sign in with an e-mail address here"},
		{"case-sensitive names", "CaseSensitive: false", "CaseSensitive: true", "UserPool: UsernameConfiguration.CaseSensitive: upper and lower case are the same here"},
		{"a property of the client", "ClientName: web", "ReadAttributes: [email]", "UserPoolClient: ReadAttributes"},
		{"a client that nobody can sign in by", "      AllowedOAuthFlows: [code]\n", "", "UserPoolClient, an app client without OAuth flows: nobody can sign in by it here"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if strings.Count(good, c.old) == 0 {
				t.Fatalf("the template has no %q", c.old)
			}
			m := parse(t, strings.Replace(good, c.old, c.new, 1), nil)
			if !slices.Contains(m.Aside, c.want) {
				t.Errorf("set aside is %q, want %q", m.Aside, c.want)
			}
			equal(t, "API", m.APIs, whole.APIs)
		})
	}
}

// References to what is left out are what AWS would make of them, as far as that can be told, and lead nowhere.
func TestReferencesToWhatIsAside(t *testing.T) {
	text := source(t)
	for _, c := range []struct{ resource, value, want string }{
		{"Type: AWS::DynamoDB::Table", "!Ref Logs", "edgeauth-Logs"},
		{"Type: AWS::DynamoDB::Table, Properties: { TableName: !Sub '${Stage}-t' }", "!Ref Logs", "Prod-t"},
		{"Type: AWS::Serverless::SimpleTable, Properties: { TableName: t }", "!GetAtt Logs.Arn", "arn:aws:serverless:eu-west-1:123456789012:t"},
		{"Type: AWS::DynamoDB::Table", "!GetAtt Logs.StreamArn", "arn:aws:dynamodb:eu-west-1:123456789012:edgeauth-Logs"},
		{"Type: AWS::SQS::Queue", "!Ref Logs", "http://127.0.0.1:9229/123456789012/edgeauth-Logs"},
		{"Type: AWS::SNS::Topic", "!Ref Logs", "arn:aws:sns:eu-west-1:123456789012:edgeauth-Logs"},
		{"Type: AWS::S3::Bucket", "!GetAtt Logs.DomainName", "edgeauth-Logs-DomainName"},
	} {
		m := parse(t, strings.Replace(strings.Replace(text, "Type: AWS::Logs::LogGroup", c.resource, 1), "STAGE: !Ref Stage", "STAGE: "+c.value, 1), nil)
		if got := m.Functions[0].Environment["STAGE"]; got != c.want {
			t.Errorf("%s of %s is %q, want %q", c.value, c.resource, got, c.want)
		}
	}
}

// A table with two keys that are strings is modelled, whatever else it has; another one is set aside.
func TestTables(t *testing.T) {
	const keys = "KeySchema: [{ AttributeName: list, KeyType: HASH }, { AttributeName: entry, KeyType: RANGE }], " +
		"AttributeDefinitions: [{ AttributeName: list, AttributeType: S }, { AttributeName: entry, AttributeType: S }]"
	for _, c := range []struct {
		properties string
		want       []Table
		aside      string
	}{
		{keys, []Table{{Name: "edgeauth-Logs", Partition: "list", Sort: "entry"}}, ""},
		{keys + ", TableName: t, BillingMode: PAY_PER_REQUEST, TimeToLiveSpecification: { AttributeName: ends, Enabled: true }", []Table{{"t", "list", "entry", "ends"}}, ""},
		{keys + ", TimeToLiveSpecification: { AttributeName: ends, Enabled: false }", []Table{{Name: "edgeauth-Logs", Partition: "list", Sort: "entry"}}, ""},
		{keys + ", StreamSpecification: { StreamViewType: KEYS_ONLY }", []Table{{Name: "edgeauth-Logs", Partition: "list", Sort: "entry"}}, "Logs: StreamSpecification"},
		{strings.Replace(keys, "AttributeType: S", "AttributeType: N", 1), nil, "Logs, AWS::DynamoDB::Table"},
		{strings.Replace(keys, ", { AttributeName: entry, KeyType: RANGE }", "", 1), nil, "Logs, AWS::DynamoDB::Table"},
	} {
		m := parse(t, strings.Replace(source(t), "Logs: { Type: AWS::Logs::LogGroup }", "Logs: { Type: AWS::DynamoDB::Table, Properties: { "+c.properties+" } }", 1), nil)
		equal(t, c.properties, m.Tables, c.want)
		if aside := slices.ContainsFunc(m.Aside, func(a string) bool { return strings.HasPrefix(a, "Logs") }); c.aside == "" && aside || c.aside != "" && !slices.Contains(m.Aside, c.aside) {
			t.Errorf("%s: set aside is %q, want %q", c.properties, m.Aside, c.aside)
		}
	}
	_, err := Parse([]byte(strings.Replace(source(t), "Logs: { Type: AWS::Logs::LogGroup }", "Logs: { Type: AWS::DynamoDB::Table, Properties: { "+keys+", TimeToLiveSpecification: { Enabled: true } } }", 1)), options)
	if want := "resource Logs: TimeToLiveSpecification.AttributeName: missing"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

// A variable that is given is not computed: what would refuse it does not matter any more.
func TestGivenVariable(t *testing.T) {
	text := strings.Replace(source(t), "STAGE: !Ref Stage", "STAGE: '{{resolve:secretsmanager:x}}'", 1)
	o := options
	o.Environment = map[string]string{"AuthorizerFunction.STAGE": "given"}
	m, err := Parse([]byte(text), o)
	if err != nil || m.Functions[0].Environment["STAGE"] != "given" {
		t.Fatalf("%+v, %v", m, err)
	}
}

// A host of one's own for the login leads to the stand-in, whatever certificate it would have.
func TestLoginDomain(t *testing.T) {
	text := strings.Replace(source(t), "      Domain: !Sub ['edgeauth-${Id}', { Id: !Select [2, !Split ['/', !Ref AWS::StackId]] }]", "      Domain: login.example.com\n      CustomDomainConfig: { CertificateArn: !Ref Nowhere }", 1)
	text = strings.Replace(text, "STAGE: !Ref Stage", "STAGE: !Sub 'https://${UserPoolDomain}/x'", 1)
	if got := parse(t, text, nil).Functions[0].Environment["STAGE"]; got != "http://127.0.0.1:9229/x" {
		t.Errorf("the login is at %s", got)
	}
}

// Events that name no API get the one that SAM makes for them, with what Globals say of it.
func TestImplicitAPI(t *testing.T) {
	m := parse(t, `
Transform: [AWS::Serverless-2016-10-31]
Globals:
  Function: { Runtime: python3.13, Handler: app.handler, CodeUri: s3://bucket/key }
  Api:
    Auth:
      DefaultAuthorizer: Session
      Authorizers: { Session: { FunctionArn: !GetAtt Door.Arn, FunctionPayloadType: REQUEST, Identity: { ReauthorizeEvery: 0 } } }
  SimpleTable: {}
Resources:
  Door: { Type: AWS::Serverless::Function }
  Pages:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: { Bucket: b, Key: k }
      Environment: { Variables: { URL: !Sub 'https://${ServerlessRestApi}.execute-api.${AWS::Region}.amazonaws.com/Prod/x' } }
      Events:
        Get: { Type: Api, Properties: { Path: /x, Method: get } }
        Open: { Type: Api, Properties: { Path: /open, Method: get, Auth: { Authorizer: NONE } } }
`, nil)
	equal(t, "stage", m.APIs[0].Stage, "Prod")
	equal(t, "routes", m.APIs[0].Routes, []Route{
		{Path: "/x", Method: "GET", Function: "Pages", Authorizer: "Session", Timeout: 29 * time.Second},
		{Path: "/open", Method: "GET", Function: "Pages", Timeout: 29 * time.Second},
	})
	equal(t, "code in a bucket", []string{m.Functions[0].Code, m.Functions[1].Code}, []string{"", ""})
	equal(t, "url", m.Functions[1].Environment["URL"], "http://localhost:3000/Prod/x")
}

// Parameters of AWS's own types are texts and lists like others.
func TestAWSParameters(t *testing.T) {
	text := strings.Replace(source(t), "Stage: { Type: String, Default: Prod, AllowedPattern: '[A-Za-z]{1,8}'", "Stage: { Type: 'AWS::SSM::Parameter::Value<String>', Default: /stage", 1)
	text = strings.Replace(text, "Scopes: { Type: CommaDelimitedList", "Scopes: { Type: 'List<AWS::EC2::Subnet::Id>'", 1)
	m := parse(t, text, map[string]string{"Stage": "Test"})
	equal(t, "stage", m.APIs[0].Stage, "Test")
	equal(t, "scopes", m.Pool.Clients[0].Scopes, []string{"openid", "email"})
}
