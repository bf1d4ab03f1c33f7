package sam

// This file reads AWS::Serverless::Api, and joins it with what the functions' events ask of it.
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-api.html

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

const (
	apiType        = "AWS::Serverless::Api"
	permissionType = "AWS::Lambda::Permission"

	defaultTTL         = 300 * time.Second // of an authorizer's result, when the template says nothing
	integrationTimeout = 29 * time.Second
)

// responseTypes are the gateway responses that can be customised, with what each answers when it is not.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
var responseTypes = []string{
	"ACCESS_DENIED", "API_CONFIGURATION_ERROR", "AUTHORIZER_CONFIGURATION_ERROR", "AUTHORIZER_FAILURE", "BAD_REQUEST_BODY", "BAD_REQUEST_PARAMETERS",
	"DEFAULT_4XX", "DEFAULT_5XX", "EXPIRED_TOKEN", "INTEGRATION_FAILURE", "INTEGRATION_TIMEOUT", "INVALID_API_KEY", "INVALID_SIGNATURE",
	"MISSING_AUTHENTICATION_TOKEN", "QUOTA_EXCEEDED", "RESOURCE_NOT_FOUND", "THROTTLED", "UNAUTHORIZED", "UNSUPPORTED_MEDIA_TYPE", "WAF_FILTERED",
}

type cors struct {
	headers        map[string]string
	withAuthorizer bool
}

func (t *template) readAPI(m *Model, id string, p *properties) {
	if m.API.ID != "" {
		p.fail("", errors.New("only one API is modelled"))
		return
	}
	p.aside("Name", "Description", "OpenApiVersion", "TracingEnabled", "AccessLogSetting", "MethodSettings", "Tags", "PropagateTags", "AlwaysDeploy")
	if p.boolean("DisableExecuteApiEndpoint", false) {
		p.fail("DisableExecuteApiEndpoint", errors.New("true is not modelled: there is no other host here"))
	}
	m.API = API{
		ID:          apiID,
		Stage:       p.need("StageName"),
		Variables:   p.textMap("Variables"),
		Authorizers: map[string]Authorizer{},
		Responses:   map[string]Response{},
		URLLimit:    urlLimit(p),
	}
	for _, media := range p.texts("BinaryMediaTypes") {
		m.API.BinaryTypes = append(m.API.BinaryTypes, strings.ReplaceAll(media, "~1", "/"))
	}
	p.each("GatewayResponses", func(kind string, p *properties) { m.API.Responses[kind] = readResponse(kind, p) })
	auth := p.sub("Auth")
	t.readAuth(&m.API, auth)
	t.readCORS(p, auth.boolean("AddDefaultAuthorizerToCorsPreflight", true))
	_ = auth.done()
}

func urlLimit(p *properties) int {
	kind := "EDGE" // what API Gateway makes of a template that says nothing
	if _, isMap := p.get("EndpointConfiguration").(map[string]any); isMap {
		endpoint := p.sub("EndpointConfiguration")
		kind = endpoint.need("Type")
		_ = endpoint.done()
	} else if s := p.text("EndpointConfiguration"); s != "" {
		kind = s
	}
	switch kind {
	case "EDGE":
		return 8192
	case "REGIONAL":
		return 10240
	}
	p.fail("EndpointConfiguration", fmt.Errorf("%s is not modelled", kind))
	return 0
}

func (t *template) readAuth(api *API, p *properties) {
	t.defaultAuth = p.text("DefaultAuthorizer")
	p.each("Authorizers", func(name string, p *properties) {
		p.is("FunctionPayloadType", "REQUEST")
		t.arns[name] = p.need("FunctionArn")
		if p.boolean("DisableFunctionDefaultPermissions", false) {
			t.needsPermit[name] = t.arns[name]
		}
		identity := p.sub("Identity")
		a := Authorizer{TTL: identity.seconds("ReauthorizeEvery", defaultTTL)}
		for _, source := range []struct{ property, prefix string }{
			{"Headers", "method.request.header."},
			{"QueryStrings", "method.request.querystring."},
			{"StageVariables", "stageVariables."},
			{"Context", "context."},
		} {
			for _, value := range identity.texts(source.property) {
				a.Sources = append(a.Sources, source.prefix+value)
			}
		}
		if a.TTL < 0 || a.TTL > time.Hour {
			identity.fail("ReauthorizeEvery", errors.New("not between 0 and 3600"))
		}
		if a.TTL > 0 && len(a.Sources) == 0 {
			p.fail("Identity", errors.New("a cache needs Headers, QueryStrings, StageVariables or Context; to switch it off, set ReauthorizeEvery to 0"))
		}
		_ = identity.done()
		api.Authorizers[name] = a
	})
	if t.defaultAuth != "" {
		if _, ok := api.Authorizers[t.defaultAuth]; !ok {
			p.fail("DefaultAuthorizer", fmt.Errorf("there is no authorizer %s", t.defaultAuth))
		}
	}
}

func readResponse(kind string, p *properties) Response {
	if !slices.Contains(responseTypes, kind) {
		p.fail("", errors.New("no gateway response that can be customised"))
	}
	status, ok := p.integer("StatusCode")
	isDefault := strings.HasPrefix(kind, "DEFAULT_")
	if !ok && !isDefault {
		p.fail("StatusCode", errors.New("missing; a customised response without one may change its status"))
	}
	if ok && (status < 100 || status > 599) {
		p.fail("StatusCode", errors.New("not a status"))
	}
	parameters := p.sub("ResponseParameters")
	r := Response{Status: status, Headers: parameters.textMap("Headers"), Templates: p.textMap("ResponseTemplates")}
	_ = parameters.done()
	return r
}

func (t *template) readCORS(p *properties, withAuthorizer bool) {
	var origin, methods, headers, age string
	var credentials bool
	switch v := p.get("Cors").(type) {
	case nil:
		return
	case string:
		origin = v
	default:
		c := p.sub("Cors")
		origin, methods, headers, age = c.need("AllowOrigin"), c.text("AllowMethods"), c.text("AllowHeaders"), c.text("MaxAge")
		credentials = c.boolean("AllowCredentials", false)
		_ = c.done()
	}
	t.cors = &cors{headers: map[string]string{}, withAuthorizer: withAuthorizer}
	for name, quoted := range map[string]string{
		"Access-Control-Allow-Origin": origin, "Access-Control-Allow-Methods": methods, "Access-Control-Allow-Headers": headers, "Access-Control-Max-Age": age,
	} {
		if quoted == "" {
			continue
		}
		value, ok := unquote(quoted)
		if !ok {
			p.fail("Cors", fmt.Errorf("%s is not within single quotes", quoted))
		}
		t.cors.headers[name] = value
	}
	if credentials {
		t.cors.headers["Access-Control-Allow-Credentials"] = "true"
	}
}

func unquote(s string) (string, bool) {
	ok := len(s) >= 2 && s[0] == '\'' && s[len(s)-1] == '\''
	if !ok {
		return "", false
	}
	return s[1 : len(s)-1], true
}

// readPermission notes which function API Gateway may call.
func (t *template) readPermission(_ *Model, _ string, p *properties) {
	p.aside("SourceArn", "SourceAccount")
	function := p.need("FunctionName")
	if p.need("Action") == "lambda:InvokeFunction" && p.need("Principal") == "apigateway.amazonaws.com" {
		t.permitted = append(t.permitted, function)
	}
}

// event is one Api event of one function.
type event struct {
	place string
	route Route
	auth  string // as the event says: a name, NONE, or nothing
}

// wire joins authorizers, routes and functions, once all are known.
func (t *template) wire(m *Model) error {
	for _, name := range slices.Sorted(maps.Keys(t.arns)) {
		arn := cmp.Or(t.aliases[t.arns[name]], t.arns[name])
		i := slices.IndexFunc(m.Functions, func(f Function) bool { return f.ARN == arn })
		if i < 0 {
			return fmt.Errorf("authorizer %s: no function has the ARN %s", name, t.arns[name])
		}
		f := m.Functions[i]
		if t.needsPermit[name] != "" && !t.permits(t.arns[name]) {
			return fmt.Errorf("authorizer %s: no AWS::Lambda::Permission lets API Gateway call %s", name, f.LogicalID)
		}
		a := m.API.Authorizers[name]
		a.Function = f.LogicalID
		m.API.Authorizers[name] = a
	}
	for _, e := range t.events {
		if m.API.ID == "" {
			return fmt.Errorf("%s: the template has no %s", e.place, apiType)
		}
		e.route.Authorizer = t.defaultAuth
		if e.auth == "NONE" {
			e.route.Authorizer = ""
		} else if e.auth != "" {
			e.route.Authorizer = e.auth
		}
		if _, ok := m.API.Authorizers[e.route.Authorizer]; !ok && e.route.Authorizer != "" {
			return fmt.Errorf("%s: there is no authorizer %s", e.place, e.route.Authorizer)
		}
		if taken(m.API.Routes, e.route.Path, e.route.Method) {
			return fmt.Errorf("%s: another event has %s %s already", e.place, e.route.Method, e.route.Path)
		}
		m.API.Routes = append(m.API.Routes, e.route)
	}
	if t.cors != nil {
		t.addPreflights(&m.API)
	}
	return checkScopes(m.Pool)
}

// permits reports whether API Gateway may call a function by this ARN: a permission for an alias is none for the function, nor the other way round.
func (t *template) permits(arn string) bool {
	return slices.ContainsFunc(t.permitted, func(name string) bool { return functionARN(name) == arn })
}

func taken(routes []Route, path, method string) bool {
	return slices.ContainsFunc(routes, func(r Route) bool { return r.Path == path && r.Method == method })
}

// addPreflights gives each path without an OPTIONS method of its own the one that SAM generates for Cors.
func (t *template) addPreflights(api *API) {
	methods := map[string][]string{}
	for _, r := range api.Routes {
		methods[r.Path] = append(methods[r.Path], r.Method)
	}
	for _, path := range slices.Sorted(maps.Keys(methods)) {
		if slices.Contains(methods[path], "OPTIONS") {
			continue
		}
		allowed := append(methods[path], "OPTIONS")
		if slices.Contains(allowed, "ANY") {
			allowed = []string{"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}
		}
		slices.Sort(allowed)
		headers := maps.Clone(t.cors.headers)
		if headers["Access-Control-Allow-Methods"] == "" {
			headers["Access-Control-Allow-Methods"] = strings.Join(allowed, ",")
		}
		route := Route{Path: path, Method: "OPTIONS", Preflight: headers, Timeout: integrationTimeout}
		if t.cors.withAuthorizer {
			route.Authorizer = t.defaultAuth
		}
		api.Routes = append(api.Routes, route)
	}
}
