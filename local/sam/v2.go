package sam

// This file reads HTTP and WebSocket APIs as CloudFormation has them: the API, its integrations, routes, authorizers and stages, each a resource of its own.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_ApiGatewayV2.html

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

const (
	apiV2Type           = "AWS::ApiGatewayV2::Api"
	authorizerV2Type    = "AWS::ApiGatewayV2::Authorizer"
	deploymentV2Type    = "AWS::ApiGatewayV2::Deployment"
	integrationV2Type   = "AWS::ApiGatewayV2::Integration"
	routeV2Type         = "AWS::ApiGatewayV2::Route"
	routeResponseV2Type = "AWS::ApiGatewayV2::RouteResponse"
	stageV2Type         = "AWS::ApiGatewayV2::Stage"
)

// integration is what a route or a method calls.
type integration struct {
	arn     string // of the function
	trusted bool   // a role lets API Gateway call it
	payload string
	timeout time.Duration
}

// routeV2 is a route whose integration may not be read yet.
type routeV2 struct {
	place, id, api, key  string
	target, authorizer   string
	authorized, answered bool
}

// stage is a stage of an API that may not be read yet.
type stage struct {
	place, api, name string
	variables        map[string]string
}

// parts are resources of APIs, by what a reference to them is, until all are known.
type parts struct {
	integrations map[string]integration
	authorizers  map[string]string // to the name that its API has it under
	routes       []routeV2
	responses    []string // the routes whose answers go back to the client
	stages       []stage
	resources    map[string]restResource
	methods      []restMethod
}

// partRef is what a reference to a part of an API is: nothing but a name.
func (t *template) partRef(id string) string { return gatewayID("part " + t.path + id) }

func (t *template) readAPIV2(_ *Model, id string, p *properties) {
	kind := Kind(p.need("ProtocolType"))
	if kind != HTTP && kind != WebSocket {
		p.fail("ProtocolType", fmt.Errorf("%q is neither HTTP nor WEBSOCKET", kind))
	}
	for _, name := range []string{"BodyS3Location", "Target", "RouteKey", "CredentialsArn"} {
		if p.get(name) != nil {
			p.fail(name, errors.New("not modelled: routes and integrations have to be resources"))
		}
	}
	p.aside("Name", "Description", "Version", "Tags", "FailOnWarnings", "DisableSchemaValidation", "IpAddressType", "ApiKeySelectionExpression", "BasePath")
	b := t.newAPI(id, kind)
	b.off = p.boolean("DisableExecuteApiEndpoint", false)
	if kind == HTTP {
		b.CORS = readHTTPCORS(p, "CorsConfiguration")
		if b.readDocument(p, "Body") {
			refuseBeside(p, "Body", "CorsConfiguration")
		}
		p.aside("RouteSelectionExpression") // there is only one for HTTP APIs
		return
	}
	if b.Selection = p.text("RouteSelectionExpression"); b.Selection == "" {
		b.Selection = "$request.body.action"
	}
}

func (t *template) readStageV2(_ *Model, id string, p *properties) {
	p.aside("AccessLogSettings", "AccessPolicyId", "AutoDeploy", "DefaultRouteSettings", "ClientCertificateId", "DeploymentId", "Description", "RouteSettings", "Tags")
	t.stages = append(t.stages, stage{"resource " + t.path + id, p.need("ApiId"), p.need("StageName"), p.textMap("StageVariables")})
}

func (t *template) readIntegrationV2(_ *Model, id string, p *properties) {
	p.is("IntegrationType", "AWS_PROXY")
	for _, name := range []string{"IntegrationSubtype", "RequestParameters", "RequestTemplates", "ResponseParameters", "TemplateSelectionExpression", "TlsConfig", "ConnectionId"} {
		if p.get(name) != nil {
			p.fail(name, errors.New("not modelled: only a Lambda proxy integration"))
		}
	}
	p.aside("ApiId", "ConnectionType", "ContentHandlingStrategy", "Description", "IntegrationMethod", "PassthroughBehavior")
	i := integration{arn: readURI(p, "IntegrationUri"), trusted: p.get("CredentialsArn") != nil, payload: readPayload(p, "PayloadFormatVersion", "1.0")}
	var r Route
	r.Timeout = httpTimeout
	readTimeout(p, &r, httpTimeout)
	i.timeout = r.Timeout
	t.integrations[t.partRef(id)] = i
}

var lambdaURI = regexp.MustCompile(`^arn:[a-z-]+:apigateway:[a-z0-9-]+:lambda:path/2015-03-31/functions/(arn:.+)/invocations$`)

// readURI is the ARN of the function that an integration or an authorizer calls.
func readURI(p *properties, name string) string {
	uri := p.need(name)
	if found := lambdaURI.FindStringSubmatch(uri); found != nil {
		return found[1]
	}
	if !strings.HasPrefix(uri, "arn:"+Partition+":lambda:") && uri != "" {
		p.fail(name, fmt.Errorf("%s names no Lambda function", uri))
	}
	return uri
}

func (t *template) readAuthorizerV2(_ *Model, id string, p *properties) {
	p.is("AuthorizerType", "REQUEST")
	p.aside("Name")
	api := p.need("ApiId")
	a := Authorizer{Sources: p.texts("IdentitySource"), TTL: p.seconds("AuthorizerResultTtlInSeconds", 0), Simple: p.boolean("EnableSimpleResponses", false)}
	checkTTL(p, p, "AuthorizerResultTtlInSeconds", a)
	if version := p.text("AuthorizerPayloadFormatVersion"); version != "" {
		a.Payload = readPayload(p, "AuthorizerPayloadFormatVersion", "")
	}
	if a.Simple && a.Payload != "2.0" {
		p.fail("EnableSimpleResponses", errors.New("only with payload 2.0"))
	}
	t.addAuthorizer(id, p, api, a, asked{readURI(p, "AuthorizerUri"), p.get("AuthorizerCredentialsArn") == nil})
}

// addAuthorizer notes an authorizer that is a resource of its own, for the API that it names.
func (t *template) addAuthorizer(id string, p *properties, api string, a Authorizer, from asked) {
	name := t.path + id
	t.authorizers[t.partRef(id)] = name
	t.later = append(t.later, func() error {
		b := t.api(api)
		if b == nil {
			return fmt.Errorf("%s: there is no API %s in the template", p.place, api)
		}
		if b.Kind == HTTP && a.Payload == "" {
			return fmt.Errorf("%s: AuthorizerPayloadFormatVersion: missing", p.place)
		}
		b.Authorizers[name], b.asked[name] = a, from
		return nil
	})
}

func (t *template) readRouteV2(_ *Model, id string, p *properties) {
	p.aside("OperationName", "ModelSelectionExpression", "RequestParameters")
	for _, name := range []string{"AuthorizationScopes", "RequestModels"} {
		if p.get(name) != nil {
			p.fail(name, errors.New("not modelled"))
		}
	}
	if p.boolean("ApiKeyRequired", false) {
		p.fail("ApiKeyRequired", errors.New("true is not modelled"))
	}
	r := routeV2{place: "resource " + t.path + id, id: t.partRef(id), api: p.need("ApiId"), key: p.need("RouteKey"), target: p.text("Target"), authorizer: p.text("AuthorizerId")}
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
	if answers := p.text("RouteResponseSelectionExpression"); answers != "" {
		if r.answered = answers == "$default"; !r.answered {
			p.fail("RouteResponseSelectionExpression", fmt.Errorf("%s is not modelled, only $default", answers))
		}
	}
	t.routes = append(t.routes, r)
}

func (t *template) readRouteResponseV2(_ *Model, _ string, p *properties) {
	p.aside("ApiId", "ModelSelectionExpression", "ResponseModels", "ResponseParameters")
	p.is("RouteResponseKey", "$default")
	t.responses = append(t.responses, p.need("RouteId"))
}

func (t *template) readDeploymentV2(_ *Model, _ string, p *properties) {
	p.aside("ApiId", "Description", "StageName")
}

// wireResources joins the APIs that are made of resources.
func (t *template) wireResources(m *Model) error {
	for _, s := range t.stages {
		b := t.api(s.api)
		if b == nil {
			return fmt.Errorf("%s: there is no API %s in the template", s.place, s.api)
		}
		if b.Stage != "" && b.Stage != s.name {
			return fmt.Errorf("%s: only one stage of an API is modelled", s.place)
		}
		b.Stage, b.Variables = s.name, s.variables
	}
	for _, r := range t.routes {
		if err := t.wireRoute(m, r); err != nil {
			return fmt.Errorf("%s: %w", r.place, err)
		}
	}
	for _, r := range t.methods {
		if err := t.wireMethod(m, r); err != nil {
			return fmt.Errorf("%s: %w", r.place, err)
		}
	}
	return nil
}

func (t *template) wireRoute(m *Model, r routeV2) error {
	b := t.api(r.api)
	if b == nil {
		return fmt.Errorf("there is no API %s in the template", r.api)
	}
	route := Route{Path: r.key, Timeout: integrationTimeout}
	if b.Kind == HTTP && r.key != DefaultStage {
		method, path, ok := strings.Cut(r.key, " ")
		if err := checkPath(path); err != nil || !ok || !slices.Contains(methods, method) {
			return fmt.Errorf("RouteKey: %q is no route of an HTTP API", r.key)
		}
		route.Method, route.Path = method, path
	}
	if r.authorized {
		route.Authorizer = t.authorizers[r.authorizer]
		if _, ok := b.Authorizers[route.Authorizer]; !ok {
			return fmt.Errorf("AuthorizerId: the API has no authorizer %s", r.authorizer)
		}
		if b.Kind == WebSocket && r.key != "$connect" {
			return errors.New("AuthorizerId: only $connect can have an authorizer")
		}
	}
	if err := checkKey(r.key); err != nil && b.Kind == WebSocket {
		return fmt.Errorf("RouteKey: %w", err)
	}
	if err := t.wireTarget(m, &route, r); err != nil {
		return err
	}
	if b.Kind == WebSocket {
		route.Payload, route.Timeout = "", min(route.Timeout, integrationTimeout)
		route.Reply = r.answered && slices.Contains(t.responses, r.id)
	}
	if taken(b.Routes, route.Path, route.Method) {
		return fmt.Errorf("RouteKey: another route has %s already", r.key)
	}
	b.Routes = append(b.Routes, route)
	return nil
}

// wireTarget finds the function of a route. $connect may have none.
func (t *template) wireTarget(m *Model, route *Route, r routeV2) error {
	if r.target == "" && r.key == "$connect" {
		return nil
	}
	i, ok := t.integrations[strings.TrimPrefix(r.target, "integrations/")]
	if !ok {
		return fmt.Errorf("there is no integration %q", r.target)
	}
	return t.wireIntegration(m, route, i)
}

func (t *template) wireIntegration(m *Model, route *Route, i integration) error {
	f := t.functionOf(m, i.arn)
	if f == nil {
		return fmt.Errorf("no function has the ARN %s", i.arn)
	}
	if !i.trusted && !t.permits(i.arn) {
		return fmt.Errorf("no AWS::Lambda::Permission lets API Gateway call %s", f.LogicalID)
	}
	route.Function, route.Payload, route.Timeout = f.LogicalID, i.payload, i.timeout
	return nil
}
