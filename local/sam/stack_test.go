package sam

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// nested loads testdata/nested with one text changed, in either file.
func nested(t *testing.T, old, replacement string, parameters map[string]string) (*Model, error) {
	t.Helper()
	dir, changed := t.TempDir(), old == ""
	if err := os.Mkdir(filepath.Join(dir, "part"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"template.yaml", "part/part.yaml"} {
		text, err := os.ReadFile(filepath.Join("testdata/nested", name))
		if err != nil {
			t.Fatal(err)
		}
		if !changed && strings.Contains(string(text), old) {
			text, changed = []byte(strings.Replace(string(text), old, replacement, 1)), true
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if !changed {
		t.Fatalf("no file has %q", old)
	}
	o := options
	o.Parameters, o.Imports = parameters, map[string]string{"shared": "https://" + gatewayID("Api") + ".execute-api.eu-west-1.amazonaws.com/x"}
	m, err := Load(filepath.Join(dir, "template.yaml"), o)
	if m != nil {
		for i := range m.Functions {
			m.Functions[i].Code = strings.TrimPrefix(m.Functions[i].Code, dir+"/")
		}
	}
	return m, err
}

func TestNestedApplication(t *testing.T) {
	m, err := nested(t, "", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	client := clientID("EdgeAuth/Client")
	const arn = "arn:aws:lambda:eu-west-1:123456789012:function:"
	equal(t, "functions", m.Functions, []Function{
		{
			LogicalID: "CallbackFunction", Name: "edgeauth-CallbackFunction", ARN: arn + "edgeauth-CallbackFunction", Runtime: "provided.al2023", Handler: "bootstrap",
			Code: "callback.zip", Timeout: 7 * time.Second, Memory: 128, Environment: map[string]string{"PARAMETER": "/app/auth"},
		},
		{
			LogicalID: "EdgeAuth/Authorizer", Name: "app-authorizer", ARN: arn + "app-authorizer", Runtime: "provided.al2023", Handler: "bootstrap",
			Code: "part/authorizer.zip", Timeout: 3 * time.Second, Memory: 128,
			Environment: map[string]string{"CLIENT": client, "ORIGINS": "a|b", "ROLE": "arn:aws:iam::123456789012:role/edgeauth-CallbackFunctionRole"},
		},
		{
			LogicalID: "PagesFunction", Name: "edgeauth-PagesFunction", ARN: arn + "edgeauth-PagesFunction", Runtime: "provided.al2023", Handler: "bootstrap",
			Code: "pages", Timeout: 7 * time.Second, Memory: 128,
			Environment: map[string]string{
				"LOGIN": "http://127.0.0.1:9229", "CLIENT": "client " + client, "ALIAS": arn + "edgeauth-CallbackFunction:now", "SHARED": "http://localhost:3000/x",
				"STACK": "arn:aws:cloudformation:eu-west-1:123456789012:stack/edgeauth-EdgeAuth-82B09677C59E/2bc1c7fc-4e5f-6071-8293-a4b5c6d7e8f9",
			},
		},
	})
	equal(t, "authorizers", m.APIs[0].Authorizers, map[string]Authorizer{"Session": {Function: "EdgeAuth/Authorizer"}})
	equal(t, "SSM", m.Parameters, map[string]string{"/app/auth": `{"client_id":"` + client + `","base_urls":["http://localhost:3000/Prod"]}`})
	equal(t, "outputs", m.Outputs, map[string]string{"Client": client})
	c := m.Pool.Clients[0]
	equal(t, "client", []any{c.ID, c.Name, c.Secret, c.CallbackURLs}, []any{
		client, "edgeauth-EdgeAuth-82B09677C59E", "secret of EdgeAuth/Client", []string{"http://localhost:3000/Prod/auth/callback"},
	})
	equal(t, "pool", []string{m.Pool.ID, m.Pool.Issuer, m.Pool.Domain}, []string{PoolID, "http://127.0.0.1:9229/" + PoolID, "app"})
}

// A pool that is there already has whatever id the parameters say, and the login domain that they name.
func TestExistingPool(t *testing.T) {
	m, err := nested(t, "", "", map[string]string{"Pool": "eu-west-1_AbCdEf123"})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "pool", []string{m.Pool.ID, m.Pool.Issuer}, []string{"eu-west-1_AbCdEf123", "http://127.0.0.1:9229/eu-west-1_AbCdEf123"})
	equal(t, "providers", m.Pool.Providers, []Provider(nil))
	equal(t, "login", m.Functions[2].Environment["LOGIN"], "http://127.0.0.1:9229")
	_, err = nested(t, "", "", map[string]string{"Pool": "us-east-1_AbCdEf123"})
	if want := "resource EdgeAuth/Client: UserPoolId: \"us-east-1_AbCdEf123\" is no pool of eu-west-1"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want one with %s", err, want)
	}
}

// What the command line says of a nested application is laid over what the template around it says.
func TestParametersOfANestedApplication(t *testing.T) {
	m, err := nested(t, "", "", map[string]string{"EdgeAuth.Pool": "eu-west-1_AbCdEf123"})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "pool", m.Pool.ID, "eu-west-1_AbCdEf123")
	for name, want := range map[string]string{
		"EdgeAuth.Nome": "there is no parameter Nome", "EdgeAut.Name": "there is no parameter EdgeAut.Name", "Api.Name": "there is no parameter Api.Name",
	} {
		if _, err := nested(t, "", "", map[string]string{name: "x"}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %s", name, err, want)
		}
	}
}

// A parameter of one nested application alone may be said without the application's name.
func TestParametersWithoutTheApplication(t *testing.T) {
	m, err := nested(t, "", "", map[string]string{"Minutes": "7"})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "validity", m.Pool.Clients[0].IDTokenValidity, 7*time.Minute)
	const one = "  EdgeAuth:\n    Type: AWS::Serverless::Application\n"
	two := "  Other:\n    Type: AWS::Serverless::Application\n    Properties: { Location: part/part.yaml, Parameters: { Name: other } }\n" + one
	if _, err := nested(t, one, two, map[string]string{"Minutes": "7"}); err == nil || !strings.HasSuffix(err.Error(), "parameter Minutes could be EdgeAuth.Minutes or Other.Minutes") {
		t.Errorf("error %v", err)
	}
	m, err = nested(t, "  Stage: {", "  Minutes: { Type: Number, Default: 1 }\n  Stage: {", map[string]string{"Minutes": "7"})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "validity beside a parameter of the template around it", m.Pool.Clients[0].IDTokenValidity, time.Hour)
}

// CloudFormation's expressions can look ahead, and Go's cannot.
func TestPatternsThatLookAhead(t *testing.T) {
	for _, name := range []string{"aws", "awsome", "az-app", "bz", "App"} {
		_, err := nested(t, "", "", map[string]string{"EdgeAuth.Name": name})
		if want := `"` + name + `" does not match AllowedPattern`; err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %s", err, want)
		}
	}
}

func TestNestedRefusals(t *testing.T) {
	for _, c := range []struct{ name, old, new, want string }{
		{"no such file", "part/part.yaml", "part/other.yaml", "resource EdgeAuth: open "},
		{"a template elsewhere", "part/part.yaml", "https://bucket.s3.amazonaws.com/part.yaml", "resource EdgeAuth: Location: only a template on this machine is modelled"},
		{"the property of the other kind of stack", "Location: part", "TemplateURL: part", "resource EdgeAuth: Location: missing"},
		{"a property of an application", "Tags: { a: b }", "Extra: b", "resource EdgeAuth: Extra: this property is not modelled"},
		{"a parameter that it does not have", "Name: app", "Nome: app", "there is no parameter Nome"},
		{"a parameter that is missing", "        Name: app\n", "", "parameter EdgeAuth/Name has no default and was not given"},
		{"a parameter that is a map", "Name: app", "Name: { a: b }", "resource EdgeAuth: Parameters.Name: not a text"},
		{"an output that it does not have", "!GetAtt EdgeAuth.Outputs.LoginUrl", "!GetAtt EdgeAuth.Outputs.Login", "nested application EdgeAuth has no output Login"},
		{"an output whose condition does not hold", "!GetAtt EdgeAuth.Outputs.LoginUrl", "!GetAtt EdgeAuth.Outputs.Hidden", ""},
		{"an attribute that is no output", "!GetAtt EdgeAuth.Outputs.LoginUrl", "!GetAtt EdgeAuth.LoginUrl", "attribute LoginUrl of EdgeAuth, a AWS::Serverless::Application, is not modelled"},
		{"a parameter that needs its own output", "Name: app", "Name: !GetAtt EdgeAuth.Outputs.ClientId", "nested application EdgeAuth refers to itself"},
		{"an output that refers to nothing", "Value: x }", "Value: !Ref Nowhere }", "output EdgeAuth/Hidden: Value: there is no parameter or resource Nowhere"},
		{"a mistake inside", "Role: !GetAtt Role.Arn", "Rule: x", "resource EdgeAuth/Authorizer: Rule: this property is not modelled"},
		{"SAM without its transform", "Type: AWS::Lambda::Function", "Type: AWS::Serverless::Function", "resource EdgeAuth/Authorizer: AWS::Serverless::Function needs the Transform"},
		{"a permission for the function and not for the alias", "FunctionName: !Ref Live,", "FunctionName: !Ref Authorizer,", "no AWS::Lambda::Permission lets API Gateway call EdgeAuth/Authorizer"},
		{"an alias that is not there", "function:app-authorizer:live", "function:app-authorizer:dead", "no function has the ARN"},
		{"what nobody exports", "!ImportValue shared", "!ImportValue shred", `Fn::ImportValue: what is exported as "shred" has to be given`},
		{"a role that the function brings", "CodeUri: callback.zip", "CodeUri: callback.zip\n      Role: x", "CallbackFunctionRole"},
	} {
		t.Run(c.name, func(t *testing.T) {
			parameters := map[string]string(nil)
			if c.want == "" {
				parameters, c.want = map[string]string{"Pool": "eu-west-1_AbCdEf123"}, "nested application EdgeAuth has no output Hidden: its condition does not hold"
			}
			_, err := nested(t, c.old, c.new, parameters)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("error %v,\nwant one with %s", err, c.want)
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("the error is not one sentence: %v", err)
			}
		})
	}
}

// The CDK names what it has written beside a template as objects in a bucket.
func TestAssets(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"asset.part.yaml": "Resources: {}\n", "asset.zipped.zip": "", "asset.folder/app.py": "",
		"template.yaml": `
Transform: AWS::Serverless-2016-10-31
Resources:
  Part: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: !Sub "https://s3.${AWS::Region}.${AWS::URLSuffix}/bucket/part.yaml"}}
  Zipped: {Type: AWS::Lambda::Function, Properties: {Runtime: python3.13, Handler: app.handler, Code: {S3Bucket: bucket, S3Key: some/zipped.zip}}}
  Folder: {Type: AWS::Lambda::Function, Properties: {Runtime: python3.13, Handler: app.handler, Code: {S3Bucket: bucket, S3Key: folder.zip}}}
  Elsewhere: {Type: AWS::Lambda::Function, Properties: {Runtime: python3.13, Handler: app.handler, Code: {S3Bucket: bucket, S3Key: elsewhere.zip}}}
  Within: {Type: AWS::Lambda::Function, Properties: {Runtime: python3.13, Handler: index.handler, Code: {ZipFile: code}}}
  Serverless: {Type: AWS::Serverless::Function, Properties: {Runtime: python3.13, Handler: index.handler, InlineCode: code}}
  Pool: {Type: AWS::Cognito::UserPool}
  Domain: {Type: AWS::Cognito::UserPoolDomain, Properties: {UserPoolId: !Ref Pool, Domain: d}}
  Api: {Type: AWS::Serverless::Api, Properties: {StageName: s}}
`,
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	m, err := Load(filepath.Join(dir, "template.yaml"), options)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, f := range m.Functions {
		got[f.LogicalID] = strings.TrimPrefix(f.Code, dir+"/") + "|" + f.Inline
	}
	equal(t, "code", got, map[string]string{"Zipped": "asset.zipped.zip|", "Folder": "asset.folder|", "Elsewhere": "|", "Within": "|code", "Serverless": "|code"})
	if err := os.Remove(filepath.Join(dir, "asset.part.yaml")); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(filepath.Join(dir, "template.yaml"), options); err == nil || !strings.Contains(err.Error(), "only a template on this machine is modelled") {
		t.Errorf("a stack elsewhere: %v", err)
	}
}
