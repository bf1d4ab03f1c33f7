package stack_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"edgeauth/internal/stack"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// cloudFormation answers DescribeStacks and ListStackResources: of an application, of the part that it takes in, and of one that takes it in twice.
func cloudFormation(t *testing.T) aws.Config {
	t.Helper()
	resource := func(id, kind, physical, status string) string {
		return "<member><LogicalResourceId>" + id + "</LogicalResourceId><PhysicalResourceId>" + physical + "</PhysicalResourceId><ResourceType>" + kind +
			"</ResourceType><ResourceStatus>" + status + "</ResourceStatus></member>"
	}
	part := resource("AuthorizerFunction", "AWS::Lambda::Function", "app-authorizer", "CREATE_COMPLETE") + resource("AuthParameter", "AWS::SSM::Parameter", "/app/auth", "CREATE_COMPLETE") +
		resource("UserPoolClient", "AWS::Cognito::UserPoolClient", "client1", "CREATE_COMPLETE") + resource("UserPool", "AWS::Cognito::UserPool", "eu-west-1_Gone", "DELETE_COMPLETE")
	nested := func(id string) string {
		return resource(id, "AWS::CloudFormation::Stack", "arn:aws:cloudformation:eu-west-1:123456789012:stack/app-"+id+"/1", "CREATE_COMPLETE")
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/2015-03-31/functions/") {
			fmt.Fprintf(w, `{"Version":"$LATEST","Environment":{"Variables":{"AUTH_ISSUER":"%s %s"}}}`, r.URL.Path, r.URL.RawQuery)
			return
		}
		r.ParseForm()
		name, action := r.Form.Get("StackName"), r.Form.Get("Action")
		w.Header().Set("Content-Type", "text/xml")
		answer := func(inside string) {
			fmt.Fprintf(w, `<%sResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><%sResult>%s</%sResult></%sResponse>`, action, action, inside, action, action)
		}
		fail := func(code string) {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprintf(w, `<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>no</Message></Error></ErrorResponse>`, code)
		}
		switch {
		case name == "secret":
			fail("AccessDenied")
		case action == "DescribeStacks" && name == "nowhere":
			fail("ValidationError")
		case action == "DescribeStacks":
			answer(`<Stacks><member><StackName>` + name + `</StackName><StackStatus>CREATE_COMPLETE</StackStatus><Parameters><member><ParameterKey>BaseUrl</ParameterKey><ParameterValue>https://app.example.com/base</ParameterValue></member><member><ParameterKey>ExistingUserPoolId</ParameterKey><ParameterValue>eu-west-1_Theirs</ParameterValue></member></Parameters><Outputs><member><OutputKey>Url</OutputKey><OutputValue>https://app.example.com/</OutputValue></member></Outputs></member></Stacks>`)
		case name == "app" && r.Form.Get("NextToken") == "":
			answer(`<StackResourceSummaries>` + resource("Api", "AWS::ApiGateway::RestApi", "api1", "CREATE_COMPLETE") + resource("ApiStage", "AWS::ApiGateway::Stage", "Live", "CREATE_COMPLETE") + `</StackResourceSummaries><NextToken>more</NextToken>`)
		case name == "app":
			answer(`<StackResourceSummaries>` + nested("EdgeAuth") + `</StackResourceSummaries>`)
		case name == "twice":
			answer(`<StackResourceSummaries>` + nested("One") + nested("Two") + `</StackResourceSummaries>`)
		case strings.HasPrefix(name, "arn:"):
			answer(`<StackResourceSummaries>` + part + `</StackResourceSummaries>`)
		default:
			answer(`<StackResourceSummaries/>`)
		}
	}))
	t.Cleanup(server.Close)
	return aws.Config{Region: "eu-west-1", BaseEndpoint: &server.URL, Credentials: credentials.NewStaticCredentialsProvider("a", "b", "")}
}

func TestFind(t *testing.T) {
	s, err := stack.Find(t.Context(), cloudFormation(t), "app")
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	s.Each(func(path string, r stack.Resource) { paths = append(paths, path+" "+r.ID) })
	slices.Sort(paths)
	want := []string{
		"Api api1", "ApiStage Live", "EdgeAuth arn:aws:cloudformation:eu-west-1:123456789012:stack/app-EdgeAuth/1", "EdgeAuth/AuthParameter /app/auth",
		"EdgeAuth/AuthorizerFunction app-authorizer", "EdgeAuth/UserPoolClient client1",
	}
	if !slices.Equal(paths, want) || s.Status != "CREATE_COMPLETE" || s.Outputs["Url"] != "https://app.example.com/" {
		t.Errorf("%q %+v", paths, s)
	}
	part, err := s.Part()
	if err != nil || part.Pool() != "eu-west-1_Theirs" {
		t.Errorf("%v %+v", err, part)
	}
}

func TestNotFound(t *testing.T) {
	aws := cloudFormation(t)
	for name, want := range map[string]string{
		"nowhere": "there is no stack nowhere in eu-west-1",
		"secret":  "cloudformation:DescribeStacks: AccessDenied",
	} {
		if _, err := stack.Find(t.Context(), aws, name); err == nil || err.Error() != want {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, want := range map[string]string{
		"twice": "stack twice takes in edgeauth.yaml 2 times, and not once",
		"other": "stack other takes in edgeauth.yaml 0 times, and not once",
	} {
		s, err := stack.Find(t.Context(), aws, name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Part(); err == nil || err.Error() != want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFunctionName(t *testing.T) {
	for id, want := range map[string]string{
		"app-authorizer": "app-authorizer",
		"arn:aws:lambda:eu-west-1:123456789012:function:app-authorizer":      "app-authorizer",
		"arn:aws:lambda:eu-west-1:123456789012:function:app-authorizer:live": "app-authorizer",
	} {
		if got := stack.FunctionName(id); got != want {
			t.Errorf("%s: %s", id, got)
		}
	}
}

func TestFindAuthorizer(t *testing.T) {
	a, err := stack.FindAuthorizer(t.Context(), cloudFormation(t), "app")
	if err != nil || a.Path != "EdgeAuth/AuthorizerFunction" || a.Stage != "Live" || a.URL != "https://app.example.com" ||
		a.Environment["AUTH_ISSUER"] != "/2015-03-31/functions/app-authorizer/configuration Qualifier=live" {
		t.Errorf("%v %+v", err, a)
	}
}
