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
	"path/filepath"
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

	urlSuffix = "amazonaws.com"
)

// Options says what a deployment would decide.
type Options struct {
	Parameters   map[string]string             // values for template parameters; the others keep their defaults
	AppURL       string                        // stands for https://<api id>.execute-api.<region>.amazonaws.com, e.g. http://localhost:3000
	CognitoURL   string                        // stands for the login domain's host and for cognito-idp.<region>.amazonaws.com
	ClientSecret func(logicalID string) string // the secret of an app client that asks for one; nil: such a client is an error
	Imports      map[string]string             // what stacks elsewhere export, for Fn::ImportValue
	Environment  map[string]string             // LogicalId.NAME to a value that replaces the one that the template gives
}

// Model is what a template says.
type Model struct {
	APIs       []API      // by logical id
	Domains    []Domain   // by name
	Addresses  []Address  // where the APIs are reached, the application's own first
	Functions  []Function // by logical id
	Pool       Pool
	Parameters map[string]string // SSM parameters: name to value
	Tables     []Table           // of DynamoDB, as far as they are modelled
	Outputs    map[string]string
	Aside      []string // what of the template is left out here, a line each
}

// Kind is a kind of API. Events, answers, route selection and failures differ.
type Kind string

// The kinds of API.
const (
	REST      Kind = "REST"
	HTTP      Kind = "HTTP"
	WebSocket Kind = "WEBSOCKET"
)

// DefaultStage is the stage of an HTTP API that is no part of a path.
const DefaultStage = "$default"

// API is one API at one of its stages.
type API struct {
	LogicalID   string
	Name        string // of a REST API: what its metrics are told apart by
	Kind        Kind   // empty: REST
	ID, Stage   string
	Host        string            // as clients write it, e.g. localhost:3000; empty: only reached through a custom domain
	Variables   map[string]string // stage variables
	Authorizers map[string]Authorizer
	Routes      []Route

	// Of REST APIs.
	BinaryTypes []string
	Responses   map[string]Response // by gateway response type, e.g. ACCESS_DENIED
	URLLimit    int                 // bytes, by endpoint type
	Compression *int                // bytes from which answers are compressed; nil: never

	CORS      *CORS  // of an HTTP API
	Selection string // of a WebSocket API: the route selection expression
}

// Authorizer is a Lambda authorizer of type REQUEST.
type Authorizer struct {
	Function string   // logical id
	Sources  []string // identity sources, e.g. method.request.header.Cookie or $request.header.Cookie
	TTL      time.Duration
	Payload  string // of an HTTP API: 1.0 or 2.0
	Simple   bool   // of an HTTP API: answers isAuthorized instead of a policy
}

// Response is one gateway response.
type Response struct {
	Status    int               // 0 on DEFAULT_4XX and DEFAULT_5XX: each type keeps its own
	Headers   map[string]string // header name to source expression
	Templates map[string]string // media type to body template
}

// Route is one method of one resource, or one route of an HTTP or WebSocket API.
type Route struct {
	Path       string // resource template, e.g. /auth/{proxy+}; $default; the route key of a WebSocket API
	Method     string // upper case, or ANY; empty for $default and WebSocket APIs
	Function   string // logical id; empty where the gateway answers itself
	Authorizer string // name; empty for a public route
	Timeout    time.Duration
	Payload    string            // of an HTTP API: 1.0 or 2.0
	Reply      bool              // of a WebSocket API: the function's answer goes back to the client
	Preflight  map[string]string // header name to static value of a CORS preflight; nil for every other route
	Status     int               // of a preflight; 0: 200
	AsText     bool              // of a preflight: contentHandling is CONVERT_TO_TEXT
}

// CORS is an HTTP API's CORS configuration.
type CORS struct {
	Origins, Methods, Headers, Expose []string
	MaxAge                            int // seconds; 0: none
	Credentials                       bool
}

// Domain is a custom domain name, and what is mapped to it.
type Domain struct {
	Name     string // as the template has it, e.g. app.example.com
	Host     string // as clients write it here
	Mappings []Mapping
}

// Mapping puts an API's stage under a path of a domain.
type Mapping struct {
	Path       string // without slashes around it; empty: everything that no other mapping has
	API, Stage string // the API's ID
}

// Function is one Lambda function.
type Function struct {
	LogicalID, Name, ARN string // the logical id of one in a nested stack begins with that stack's: EdgeAuth/AuthorizerFunction
	Runtime, Handler     string
	Code                 string // the folder or zip file that the template names; empty: none on this machine
	Inline               string // the source code, where the template itself holds it
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
	Providers          []Provider
	Scopes             []string // custom scopes of resource servers, as identifier/name
}

// Provider is an external identity provider.
type Provider struct {
	Name, Type string
	Verified   bool // it says whether addresses are verified, and the pool takes that over
}

// Client is one app client.
type Client struct {
	Providers []string // that may be used; COGNITO is the pool's own users

	ID, Name, Secret                                           string
	CallbackURLs, LogoutURLs, Scopes, Flows, AuthFlows         []string
	IDTokenValidity, AccessTokenValidity, RefreshTokenValidity time.Duration
	Rotation, Revocation                                       bool
	RotationGrace                                              time.Duration
}

// Stack is a template, and the name that it is deployed under.
type Stack struct{ Name, Path string }

// Load reads the template at path.
func Load(path string, options Options) (*Model, error) {
	return LoadAll([]Stack{{StackName, path}}, options)
}

// LoadAll reads the templates of several stacks, which share an account: what one exports, those after it import; a custom domain may lead to APIs of any.
// The logical ids of all but the first begin with their stack's name, as those of nested stacks do.
func LoadAll(stacks []Stack, options Options) (*Model, error) {
	var sources []written
	for i, stack := range stacks {
		text, err := os.ReadFile(stack.Path)
		if err != nil {
			return nil, fmt.Errorf("sam: %w", err)
		}
		one := written{stack: stack.Name, text: text, folder: filepath.Dir(stack.Path)}
		if i > 0 {
			one.path = stack.Name + "/"
		}
		sources = append(sources, one)
	}
	model, at, err := read(sources, options)
	if err != nil {
		return nil, fmt.Errorf("sam: %s: %w", stacks[at].Path, err)
	}
	return model, nil
}

// Parse reads a template.
func Parse(text []byte, options Options) (*Model, error) {
	m, _, err := read([]written{{stack: StackName, text: text}}, options)
	return m, err
}

// written is a template as it was written.
type written struct {
	stack, path, folder string
	text                []byte
}

// read reads templates, one after the other. It also says which of them an error is of.
func read(sources []written, options Options) (*Model, int, error) {
	if options.AppURL == "" || options.CognitoURL == "" {
		return nil, 0, errors.New("the local addresses of the app and of Cognito are required")
	}
	d := newDeployment(options)
	var all []*template
	known := map[string]bool{} // parameters
	var roots []map[string]any
	for i, s := range sources {
		root, err := parseTree(s.text)
		if err != nil {
			return nil, i, err
		}
		roots = append(roots, root)
	}
	var err error
	if options.Parameters, err = spelledOut(options.Parameters, roots, sources); err != nil {
		return nil, 0, err
	}
	for i, s := range sources {
		root, own := roots[i], options
		if len(sources) > 1 {
			own.Parameters = declaredOf(root, options.Parameters, known)
		}
		t, err := newTemplate(root, own, &template{stack: s.stack, path: s.path, folder: s.folder, deployment: d})
		if err != nil {
			return nil, i, err
		}
		if err := t.nest(); err != nil {
			return nil, i, err
		}
		if err := t.export(); err != nil {
			return nil, i, err
		}
		all = append(all, t)
	}
	for name := range options.Parameters {
		if len(sources) > 1 && !known[name] {
			return nil, 0, fmt.Errorf("there is no parameter %s", name)
		}
	}
	if !d.ownPool {
		d.dns.login = options.CognitoURL
	}
	m := &Model{Parameters: map[string]string{}}
	for i, t := range all {
		if err := t.read(m); err != nil {
			return nil, i, err
		}
	}
	if err := all[0].wire(m); err != nil {
		return nil, 0, err
	}
	m.Pool.ID, m.Pool.Issuer = d.pool, all[0].providerURL()
	for i, t := range all {
		outputs, err := t.outputs()
		if err != nil {
			return nil, i, err
		}
		if i == 0 {
			m.Outputs = outputs
		}
	}
	m.Aside = d.aside
	return m, 0, nil
}

// declaredOf returns those of the given parameters that a template declares, and marks them as known.
func declaredOf(root map[string]any, given map[string]string, known map[string]bool) map[string]string {
	declared, _ := root["Parameters"].(map[string]any)
	own := map[string]string{}
	for name, value := range given {
		nested, _, dotted := strings.Cut(name, ".")
		if _, ok := declared[name]; ok || dotted && nests(root, nested) {
			own[name], known[name] = value, true
		}
	}
	return own
}

// reader is what turns a resource of a type into a part of the model; nil for a type that is not modelled.
func reader(kind string) func(*template, *Model, string, *properties) {
	return map[string]func(*template, *Model, string, *properties){
		apiType:                                (*template).readAPI,
		httpAPIType:                            (*template).readHTTPAPI,
		socketAPIType:                          (*template).readSocketAPI,
		restAPIType:                            (*template).readRestAPI,
		restResourceType:                       (*template).readRestResource,
		restMethodType:                         (*template).readRestMethod,
		restAuthorizerType:                     (*template).readRestAuthorizer,
		restResponseType:                       (*template).readRestResponse,
		restStageType:                          (*template).readRestStage,
		restDeploymentType:                     (*template).readRestDeployment,
		restDomainType:                         (*template).readDomainName,
		restMappingType:                        (*template).readMapping,
		apiV2Type:                              (*template).readAPIV2,
		integrationV2Type:                      (*template).readIntegrationV2,
		routeV2Type:                            (*template).readRouteV2,
		routeResponseV2Type:                    (*template).readRouteResponseV2,
		authorizerV2Type:                       (*template).readAuthorizerV2,
		stageV2Type:                            (*template).readStageV2,
		deploymentV2Type:                       (*template).readDeploymentV2,
		domainNameType:                         (*template).readDomainName,
		mappingType:                            (*template).readMapping,
		functionType:                           (*template).readFunction,
		permissionType:                         (*template).readPermission,
		poolType:                               (*template).readPool,
		domainType:                             (*template).readDomain,
		clientType:                             (*template).readClient,
		groupType:                              (*template).readGroup,
		providerType:                           (*template).readProvider,
		parameterType:                          (*template).readParameter,
		lambdaType:                             (*template).readLambda,
		aliasType:                              (*template).readAlias,
		versionType:                            (*template).readVersion,
		"AWS::Cognito::UserPoolResourceServer": (*template).readResourceServer,
	}[kind]
}

// read adds every resource to the model.
func (t *template) read(m *Model) error {
	for _, id := range slices.Sorted(maps.Keys(t.resources)) {
		kind := t.resources[id].kind
		if slices.Contains(silent, kind) {
			continue
		}
		if kind == applicationType || kind == stackType {
			if err := t.readNested(m, id); err != nil {
				return err
			}
			continue
		}
		if kind == tableType {
			if modelled, err := t.readTable(m, id); err != nil {
				return err
			} else if modelled {
				continue
			}
		}
		read := reader(kind)
		if read == nil && !t.resources[id].decides() {
			t.setAside(t.path + id + ", " + kind)
			continue
		}
		if read == nil {
			return fmt.Errorf("resource %s: type %s is not modelled", t.path+id, kind)
		}
		p := t.properties(id)
		read(t, m, id, p)
		if err := p.done(); err != nil {
			return err
		}
	}
	return nil
}

// outputs resolves every output, so that one that refers to nothing is found here and not by a deployment.
func (t *template) outputs() (map[string]string, error) {
	declared, err := section(t.root, "Outputs")
	if err != nil {
		return nil, err
	}
	values := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(declared)) {
		p := t.reader("output "+t.path+name, declared[name])
		p.aside("Description", "Export")
		if condition := p.text("Condition"); condition != "" {
			if holds, err := t.condition(condition); err != nil || !holds {
				p.fail("Condition", err)
				if err := *p.err; err != nil {
					return nil, err
				}
				continue
			}
		}
		values[name] = p.need("Value")
		if err := p.done(); err != nil {
			return nil, err
		}
	}
	return values, nil
}
