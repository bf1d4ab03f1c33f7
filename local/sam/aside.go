package sam

// This file decides what of a template may be left out here, and what never: whatever could change who is let in where.

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// silent are the resource types that change nothing that can be seen locally. They are not worth a word.
var silent = []string{
	"AWS::ApplicationInsights::Application",
	"AWS::ApiGateway::Account",
	"AWS::CloudWatch::Alarm",
	"AWS::CloudWatch::CompositeAlarm",
	"AWS::CloudWatch::Dashboard",
	"AWS::Cognito::ManagedLoginBranding",
	"AWS::IAM::ManagedPolicy",
	"AWS::IAM::Policy",
	"AWS::IAM::Role",
	"AWS::Logs::LogGroup",
	"AWS::Logs::MetricFilter",
	"AWS::ResourceGroups::Group",
	"AWS::SNS::Subscription",
	"AWS::SNS::Topic",
	"AWS::SNS::TopicPolicy",
}

// harmless are types of API Gateway that say nothing about who may do what: an API key that no method asks for lets nobody in.
var harmless = []string{
	"AWS::ApiGateway::ApiKey", "AWS::ApiGateway::ClientCertificate", "AWS::ApiGateway::DocumentationPart", "AWS::ApiGateway::DocumentationVersion",
	"AWS::ApiGateway::UsagePlan", "AWS::ApiGateway::UsagePlanKey", "AWS::ApiGateway::VpcLink", "AWS::ApiGatewayV2::VpcLink",
}

// decides reports whether a resource could change what a request is answered: then it is modelled, or the template is refused.
func (r resource) decides() bool {
	if slices.Contains(harmless, r.kind) {
		return false
	}
	if events, ok := r.properties["Events"].(map[string]any); ok { // of a state machine: routes that some other route would take over
		for _, e := range events {
			if fields, ok := e.(map[string]any); !ok || fields["Type"] == "Api" || fields["Type"] == "HttpApi" {
				return true
			}
		}
	}
	return strings.HasPrefix(r.kind, "AWS::ApiGateway::") || strings.HasPrefix(r.kind, "AWS::ApiGatewayV2::")
}

// setAside notes what is left out, once.
func (d *deployment) setAside(what string) {
	if !slices.Contains(d.aside, what) {
		d.aside = append(d.aside, what)
	}
}

// leave sets every property aside that nobody has asked for.
func (p *properties) leave() {
	for _, name := range slices.Sorted(maps.Keys(p.fields)) {
		if !p.asked[name] {
			p.asked[name] = true
			p.t.setAside(strings.TrimPrefix(p.place, "resource ") + ": " + p.path + name)
		}
	}
}

// isAside reports whether a resource is left out, so that nobody knows its values.
func (t *template) isAside(r resource) bool {
	return reader(r.kind) == nil && r.kind != applicationType && r.kind != stackType && !r.decides()
}

// asideRef is what a reference to a resource that is left out becomes: what AWS would call it, as far as that can be told.
func (t *template) asideRef(id string, r resource) (any, error) {
	name, err := t.asideName(id, r)
	if err != nil {
		return nil, err
	}
	switch r.kind {
	case "AWS::SQS::Queue":
		return fmt.Sprintf("https://sqs.%s.%s/%s/%s", Region, urlSuffix, Account, name), nil
	case "AWS::SNS::Topic":
		return fmt.Sprintf("arn:%s:sns:%s:%s:%s", Partition, Region, Account, name), nil
	}
	return name, nil
}

// asideName is the resource's own name: a table's TableName, a bucket's BucketName.
func (t *template) asideName(id string, r resource) (string, error) {
	kind := r.kind[strings.LastIndex(r.kind, ":")+1:]
	for _, property := range []string{strings.TrimPrefix(kind, "Simple") + "Name", "Name"} {
		if r.properties[property] == nil {
			continue
		}
		value, err := t.own(id, property, "")
		if err != nil {
			return "", err
		}
		return value.(string), nil
	}
	return t.stack + "-" + id, nil
}

// asideAttribute is an attribute of a resource that is left out. Nothing here answers to it.
func (t *template) asideAttribute(id, attribute string, r resource) (any, error) {
	name, err := t.asideName(id, r)
	if err != nil {
		return nil, err
	}
	if strings.HasSuffix(attribute, "Arn") {
		service := "local"
		if parts := strings.Split(r.kind, "::"); len(parts) == 3 {
			service = strings.ToLower(parts[1])
		}
		return fmt.Sprintf("arn:%s:%s:%s:%s:%s", Partition, service, Region, Account, name), nil
	}
	if r.kind == "AWS::SQS::Queue" && attribute == "QueueName" {
		return name, nil
	}
	return name + "-" + strings.ReplaceAll(attribute, ".", "-"), nil
}

var (
	// unreachable finds a host of AWS that local DNS did not answer for: a program that followed it would leave this machine.
	unreachable = regexp.MustCompile(`https?://[A-Za-z0-9.-]+\.(amazonaws\.com|amazoncognito\.com)`)
	// signIn finds those of them that have to do with who is let in.
	signIn = regexp.MustCompile(`\.execute-api\.|cognito`)
)
