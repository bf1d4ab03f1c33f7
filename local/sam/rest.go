package sam

// This file reads REST APIs as CloudFormation has them, and so as the CDK writes them: resources, methods, authorizers, gateway responses and stages, each a
// resource of its own.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_ApiGateway.html

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

const (
	restAPIType        = "AWS::ApiGateway::RestApi"
	restAuthorizerType = "AWS::ApiGateway::Authorizer"
	restDeploymentType = "AWS::ApiGateway::Deployment"
	restMethodType     = "AWS::ApiGateway::Method"
	restResourceType   = "AWS::ApiGateway::Resource"
	restResponseType   = "AWS::ApiGateway::GatewayResponse"
	restStageType      = "AWS::ApiGateway::Stage"
)

// restResource is one part of a path, under another.
type restResource struct{ parent, part string }

// restMethod is a method whose resource and function may not be read yet.
type restMethod struct {
	place, api, resource string
	route                Route
	authorizer           string
	authorized           bool
	calls                *integration // nil for a preflight
}

func (t *template) readRestAPI(_ *Model, id string, p *properties) {
	for _, name := range []string{"BodyS3Location", "CloneFrom", "Policy"} {
		if p.get(name) != nil {
			p.fail(name, errors.New("not modelled"))
		}
	}
	p.aside("Description", "ApiKeySourceType", "EndpointAccessMode", "FailOnWarnings", "Mode", "Parameters", "SecurityPolicy", "Tags")
	b := t.newAPI(id, REST)
	b.Name = p.text("Name")
	b.off = p.boolean("DisableExecuteApiEndpoint", false)
	b.Responses = map[string]Response{}
	b.URLLimit = urlLimit(p)
	b.readMedia(p)
	b.readDocument(p, "Body")
}

// rootRef is the resource that a REST API begins with.
func (t *template) rootRef(id string) string { return gatewayID("root " + t.path + id) }

func (t *template) readRestResource(_ *Model, id string, p *properties) {
	p.aside("RestApiId")
	t.deployment.parts.resources[t.partRef(id)] = restResource{p.need("ParentId"), p.need("PathPart")}
}

func (t *template) readRestStage(_ *Model, id string, p *properties) {
	p.aside("AccessLogSetting", "DeploymentId", "Description", "DocumentationVersion", "MethodSettings", "Tags", "TracingEnabled", "ClientCertificateId")
	if p.boolean("CacheClusterEnabled", false) || p.get("CanarySetting") != nil {
		p.fail("", errors.New("a stage with a cache or a canary is not modelled"))
	}
	p.aside("CacheClusterSize")
	t.stages = append(t.stages, stage{"resource " + t.path + id, p.need("RestApiId"), p.need("StageName"), p.textMap("Variables")})
}

// readRestDeployment reads a deployment: one that names a stage makes it.
func (t *template) readRestDeployment(_ *Model, id string, p *properties) {
	p.aside("Description", "DeploymentCanarySettings")
	description := p.sub("StageDescription")
	variables := description.textMap("Variables")
	description.aside("AccessLogSetting", "DataTraceEnabled", "Description", "LoggingLevel", "MethodSettings", "MetricsEnabled", "Tags", "ThrottlingBurstLimit", "ThrottlingRateLimit", "TracingEnabled")
	_ = description.done()
	api := p.need("RestApiId")
	if name := p.text("StageName"); name != "" {
		t.stages = append(t.stages, stage{"resource " + t.path + id, api, name, variables})
	}
}

func (t *template) readRestAuthorizer(_ *Model, id string, p *properties) {
	p.is("Type", "REQUEST")
	p.aside("Name", "AuthType")
	if p.get("IdentityValidationExpression") != nil {
		p.fail("IdentityValidationExpression", errors.New("only of TOKEN authorizers, which are not modelled"))
	}
	a := Authorizer{TTL: p.seconds("AuthorizerResultTtlInSeconds", defaultTTL)}
	for source := range strings.SplitSeq(p.text("IdentitySource"), ",") {
		if source = strings.TrimSpace(source); source != "" {
			a.Sources = append(a.Sources, source)
		}
	}
	checkTTL(p, p, "AuthorizerResultTtlInSeconds", a)
	t.addAuthorizer(id, p, p.need("RestApiId"), a, asked{readURI(p, "AuthorizerUri"), p.get("AuthorizerCredentials") == nil})
}

// readRestResponse reads a gateway response that is a resource of its own.
func (t *template) readRestResponse(_ *Model, _ string, p *properties) {
	api, kind := p.need("RestApiId"), p.need("ResponseType")
	r := readRawResponse(p, kind, "ResponseType", "StatusCode", "ResponseParameters", "ResponseTemplates")
	place := p.place
	t.later = append(t.later, func() error {
		b := t.api(api)
		if b == nil {
			return fmt.Errorf("%s: there is no API %s in the template", place, api)
		}
		b.Responses[kind] = r
		return nil
	})
}

// readRawResponse reads a gateway response as API Gateway itself has it, from properties of these names.
func readRawResponse(p *properties, kind, kindName, statusName, parametersName, templatesName string) Response {
	if !slices.Contains(responseTypes, kind) {
		p.fail(kindName, errors.New("no gateway response that can be customised"))
	}
	r := Response{Headers: map[string]string{}, Templates: p.textMap(templatesName)}
	status, ok := p.integer(statusName)
	if r.Status = status; !ok && !strings.HasPrefix(kind, "DEFAULT_") {
		p.fail(statusName, errors.New("missing; a customised response without one may change its status"))
	}
	parameters := p.textMap(parametersName)
	for _, name := range slices.Sorted(maps.Keys(parameters)) {
		header, ok := strings.CutPrefix(name, "gatewayresponse.header.")
		if !ok {
			p.fail(parametersName+"."+name, errors.New("only gatewayresponse.header.… is modelled"))
		}
		r.Headers[header] = parameters[name]
	}
	return r
}

func (t *template) readRestMethod(_ *Model, id string, p *properties) {
	p.aside("OperationName", "MethodResponses", "RequestModels")
	for _, name := range []string{"RequestValidatorId", "AuthorizationScopes"} {
		if p.get(name) != nil {
			p.fail(name, errors.New("not modelled"))
		}
	}
	if p.boolean("ApiKeyRequired", false) {
		p.fail("ApiKeyRequired", errors.New("true is not modelled"))
	}
	p.aside("RequestParameters") // without a validator nobody looks at them
	r := restMethod{
		place: "resource " + t.path + id, api: p.need("RestApiId"), resource: p.need("ResourceId"), authorizer: p.text("AuthorizerId"),
		route: Route{Method: p.need("HttpMethod"), Timeout: integrationTimeout},
	}
	if !slices.Contains(methods, r.route.Method) {
		p.fail("HttpMethod", fmt.Errorf("%s is no method of a REST API", r.route.Method))
	}
	switch kind := p.text("AuthorizationType"); kind {
	case "", "NONE":
	case "CUSTOM":
		r.authorized = true
	default:
		p.fail("AuthorizationType", fmt.Errorf("%s is not modelled", kind))
	}
	if r.authorized != (r.authorizer != "") {
		p.fail("AuthorizerId", errors.New("it goes with AuthorizationType CUSTOM, and neither is alone"))
	}
	i := p.sub("Integration")
	switch kind := i.need("Type"); kind {
	case "AWS_PROXY":
		i.is("IntegrationHttpMethod", "POST")
		i.aside("PassthroughBehavior", "ContentHandling", "CacheNamespace", "CacheKeyParameters", "ConnectionType", "IntegrationResponses")
		if i.get("RequestParameters") != nil || i.get("RequestTemplates") != nil {
			i.fail("RequestParameters", errors.New("not modelled: only a Lambda proxy integration"))
		}
		readTimeout(i, &r.route, integrationTimeout)
		r.calls = &integration{arn: readURI(i, "Uri"), trusted: i.get("Credentials") != nil, timeout: r.route.Timeout}
	case "MOCK":
		r.route = readPreflight(i, r.route)
	default:
		i.fail("Type", fmt.Errorf("%s is not modelled, only AWS_PROXY, and MOCK for a preflight", kind))
	}
	_ = i.done()
	t.methods = append(t.methods, r)
}

// readPreflight reads a MOCK integration with static headers.
func readPreflight(i *properties, r Route) Route {
	i.aside("RequestTemplates", "PassthroughBehavior", "CacheNamespace", "IntegrationHttpMethod")
	if r.Method != "OPTIONS" {
		i.fail("Type", errors.New("MOCK is modelled for a preflight only"))
	}
	r.AsText = i.text("ContentHandling") == "CONVERT_TO_TEXT"
	r.Preflight, r.Status = map[string]string{}, 200
	list, _ := i.get("IntegrationResponses").([]any)
	if len(list) != 1 {
		i.fail("IntegrationResponses", errors.New("not one response"))
		return r
	}
	one := i.t.reader(i.place+": Integration.IntegrationResponses", list[0])
	one.aside("ResponseTemplates", "ContentHandling")
	if one.text("SelectionPattern") != "" {
		one.fail("SelectionPattern", errors.New("not modelled"))
	}
	if status, ok := one.integer("StatusCode"); ok {
		r.Status = status
	}
	r.Preflight = readStaticHeaders(one, "ResponseParameters")
	i.fail("IntegrationResponses", one.done())
	return r
}

// readStaticHeaders reads the headers of a MOCK integration's response.
func readStaticHeaders(p *properties, name string) map[string]string {
	headers, parameters := map[string]string{}, p.textMap(name)
	for _, key := range slices.Sorted(maps.Keys(parameters)) {
		header, ok := strings.CutPrefix(key, "method.response.header.")
		value, quoted := unquote(parameters[key])
		if !ok || !quoted {
			p.fail(name+"."+key, errors.New("only a header with one text within single quotes is modelled"))
		}
		headers[header] = value
	}
	return headers
}

func (t *template) wireMethod(m *Model, r restMethod) error {
	b := t.api(r.api)
	if b == nil {
		return fmt.Errorf("there is no API %s in the template", r.api)
	}
	path, err := t.pathOf(b, r.resource)
	if err != nil {
		return err
	}
	if err := checkPath(path); err != nil {
		return err
	}
	r.route.Path = path
	if r.authorized {
		r.route.Authorizer = t.authorizers[r.authorizer]
		if _, ok := b.Authorizers[r.route.Authorizer]; !ok {
			return fmt.Errorf("AuthorizerId: the API has no authorizer %s", r.authorizer)
		}
	}
	if r.calls != nil {
		timeout := r.route.Timeout
		if err := t.wireIntegration(m, &r.route, *r.calls); err != nil {
			return err
		}
		r.route.Timeout = timeout
	}
	if taken(b.Routes, r.route.Path, r.route.Method) {
		return fmt.Errorf("another method has %s %s already", r.route.Method, r.route.Path)
	}
	b.Routes = append(b.Routes, r.route)
	return nil
}

// pathOf is the path of a resource of an API.
func (t *template) pathOf(b *building, resource string) (string, error) {
	path := ""
	for range 32 { // parts; API Gateway has no more either
		if resource == gatewayID("root "+b.LogicalID) {
			if path == "" {
				return "/", nil
			}
			return path, nil
		}
		one, ok := t.deployment.parts.resources[resource]
		if !ok {
			return "", fmt.Errorf("ResourceId: there is no resource %s of this API", resource)
		}
		path = "/" + one.part + path
		resource = one.parent
	}
	return "", errors.New("ResourceId: the resources go in a circle")
}
