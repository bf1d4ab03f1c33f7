// Package sam reads a SAM template into what a local system needs of it: routes, authorizers, gateway responses, functions and their environment, the
// user pool's client and groups, parameters.
//
// It decides what the template means, the way CloudFormation and the SAM transform would, and it fails closed: an intrinsic function, a resource type, a
// property or a value that it does not model is one error that names the place. What it knows and leaves aside (log groups, IAM policies, alarms) is
// listed by name, never skipped by default: an emulator that ignores a protection it does not understand serves protected routes in public.
package sam

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Everything local lives in one account, region and stack.
const (
	Region    = "eu-west-1"
	Account   = "123456789012"
	Partition = "aws"
	StackName = "edgeauth"
	PoolID    = Region + "_Local0001"

	apiID     = "local00001"
	urlSuffix = "amazonaws.com"
	stackID   = "arn:" + Partition + ":cloudformation:" + Region + ":" + Account + ":stack/" + StackName + "/0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"
)

// Options says what a deployment would decide.
type Options struct {
	Parameters   map[string]string             // values for template parameters; the others keep their defaults
	AppURL       string                        // stands for https://<api id>.execute-api.<region>.amazonaws.com, e.g. http://localhost:3000
	CognitoURL   string                        // stands for the login domain's host and for cognito-idp.<region>.amazonaws.com
	ClientSecret func(logicalID string) string // the secret of an app client that asks for one; nil: such a client is an error
}

// Model is what a template says.
type Model struct {
	API        API
	Functions  []Function // by logical id
	Pool       Pool
	Parameters map[string]string // SSM parameters: name to value
	Outputs    map[string]string
}

// API is one REST API with its one stage.
type API struct {
	ID, Stage   string
	Variables   map[string]string // stage variables
	BinaryTypes []string
	Authorizers map[string]Authorizer
	Responses   map[string]Response // by gateway response type, e.g. ACCESS_DENIED
	Routes      []Route
	URLLimit    int // bytes, by endpoint type
}

// Authorizer is a Lambda authorizer of type REQUEST.
type Authorizer struct {
	Function string   // logical id
	Sources  []string // identity sources, e.g. method.request.header.Cookie
	TTL      time.Duration
}

// Response is one gateway response.
type Response struct {
	Status    int               // 0 on DEFAULT_4XX and DEFAULT_5XX: each type keeps its own
	Headers   map[string]string // header name to source expression
	Templates map[string]string // media type to body template
}

// Route is one method of one resource.
type Route struct {
	Path       string // resource template, e.g. /auth/{proxy+}
	Method     string // upper case, or ANY
	Function   string // logical id; empty for a preflight, which the gateway answers itself
	Authorizer string // name; empty for a public route
	Timeout    time.Duration
	Preflight  map[string]string // header name to static value of a CORS preflight; nil for every other route
}

// Function is one Lambda function.
type Function struct {
	LogicalID, Name, ARN string
	Timeout              time.Duration
	Memory               int // MB
	Concurrency          int // reserved; 0: unreserved
	Environment          map[string]string
}

// Pool is the user pool with its domain.
type Pool struct {
	ID, Issuer, Domain string
	Clients            []Client
	Groups             []string
	Scopes             []string // custom scopes of resource servers, as identifier/name
}

// Client is one app client.
type Client struct {
	ID, Name, Secret                                           string
	CallbackURLs, LogoutURLs, Scopes, Flows, AuthFlows         []string
	IDTokenValidity, AccessTokenValidity, RefreshTokenValidity time.Duration
	Rotation, Revocation                                       bool
	RotationGrace                                              time.Duration
}

// Load reads the template at path.
func Load(path string, options Options) (*Model, error) {
	source, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("sam: %w", err)
	}
	model, err := Parse(source, options)
	if err != nil {
		return nil, fmt.Errorf("sam: %s: %w", path, err)
	}
	return model, nil
}

// Parse reads a template.
func Parse(source []byte, options Options) (*Model, error) {
	if options.AppURL == "" || options.CognitoURL == "" {
		return nil, errors.New("the local addresses of the app and of Cognito are required")
	}
	root, err := parseTree(source)
	if err != nil {
		return nil, err
	}
	t, err := newTemplate(root, options)
	if err != nil {
		return nil, err
	}
	if err := t.useLocalDNS(); err != nil {
		return nil, err
	}
	return t.model(root)
}

// readers turn the resources that matter locally into the model.
var readers = map[string]func(*template, *Model, string, *properties){
	apiType:                                (*template).readAPI,
	functionType:                           (*template).readFunction,
	permissionType:                         (*template).readPermission,
	poolType:                               (*template).readPool,
	domainType:                             (*template).readDomain,
	clientType:                             (*template).readClient,
	groupType:                              (*template).readGroup,
	parameterType:                          (*template).readParameter,
	"AWS::Cognito::UserPoolResourceServer": (*template).readResourceServer,
}

// aside are the resource types that change nothing that can be seen locally.
var aside = []string{
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

// model reads every resource, then what only makes sense once all are known.
func (t *template) model(root map[string]any) (*Model, error) {
	m := &Model{Parameters: map[string]string{}, Outputs: map[string]string{}}
	for _, id := range slices.Sorted(maps.Keys(t.resources)) {
		kind := t.resources[id].kind
		if slices.Contains(aside, kind) {
			continue
		}
		read := readers[kind]
		if read == nil {
			return nil, fmt.Errorf("resource %s: type %s is not modelled", id, kind)
		}
		p := t.properties(id)
		read(t, m, id, p)
		if err := p.done(); err != nil {
			return nil, err
		}
	}
	if err := t.wire(m); err != nil {
		return nil, err
	}
	return m, t.readOutputs(m, root)
}

// readOutputs resolves every output, so that one that refers to nothing is found here and not by a deployment.
func (t *template) readOutputs(m *Model, root map[string]any) error {
	outputs, err := section(root, "Outputs")
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(outputs)) {
		p := t.reader("output "+name, outputs[name])
		p.aside("Description", "Export")
		if condition := p.text("Condition"); condition != "" {
			if holds, err := t.condition(condition); err != nil || !holds {
				p.fail("Condition", err)
				if err := *p.err; err != nil {
					return err
				}
				continue
			}
		}
		m.Outputs[name] = p.need("Value")
		if err := p.done(); err != nil {
			return err
		}
	}
	return nil
}

// useLocalDNS makes the host names that AWS would answer for lead to the local stand-ins, in every string that the template resolves to.
func (t *template) useLocalDNS() error {
	hosts := []string{
		"https://" + apiID + ".execute-api." + Region + "." + urlSuffix, t.options.AppURL,
		"https://cognito-idp." + Region + "." + urlSuffix, t.options.CognitoURL,
	}
	for _, id := range slices.Sorted(maps.Keys(t.resources)) {
		if t.resources[id].kind != domainType {
			continue
		}
		domain, err := t.ref(id)
		if err != nil {
			return err
		}
		hosts = append(hosts, fmt.Sprintf("https://%s.auth.%s.amazoncognito.com", domain, Region), t.options.CognitoURL)
	}
	t.dns = strings.NewReplacer(hosts...)
	return nil
}

// unreachable finds a host of AWS that local DNS did not answer for: a program that followed it would leave this machine.
var unreachable = regexp.MustCompile(`https?://[A-Za-z0-9.-]+\.(amazonaws\.com|amazoncognito\.com)`)
