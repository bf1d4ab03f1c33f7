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

// building is an API whose parts are still being read.
type building struct {
	API
	t           *template
	ref         string // what a reference to it is
	off         bool   // its own host answers nothing
	cors        *cors
	defaultAuth string
	asked       map[string]asked // by authorizer
	documented  []documented     // routes of an OpenAPI document
	secured     bool             // the document says itself who is asked
}

// asked is the function of an authorizer, as the template names it.
type asked struct {
	arn     string
	permits bool // whether a permission of the template's own has to let API Gateway call it
}

func (t *template) newAPI(id string, kind Kind) *building {
	b := &building{
		API: API{LogicalID: t.path + id, Kind: kind, ID: gatewayID(t.path + id), Authorizers: map[string]Authorizer{}, Variables: map[string]string{}},
		t:   t, ref: gatewayID(t.path + id), asked: map[string]asked{},
	}
	t.apis = append(t.apis, b)
	return b
}

// api is the API that a reference names, or nil.
func (t *template) api(ref string) *building {
	i := slices.IndexFunc(t.apis, func(b *building) bool { return b.ref == ref })
	if i < 0 {
		return nil
	}
	return t.apis[i]
}

func (t *template) readAPI(_ *Model, id string, p *properties) {
	p.aside("Description", "OpenApiVersion", "TracingEnabled", "AccessLogSetting", "MethodSettings", "Tags", "PropagateTags", "AlwaysDeploy")
	b := t.newAPI(id, REST)
	b.Name = cmp.Or(p.text("Name"), t.stack)
	b.off = p.boolean("DisableExecuteApiEndpoint", false)
	b.Stage = p.need("StageName")
	b.Variables = p.textMap("Variables")
	b.Responses = map[string]Response{}
	b.URLLimit = urlLimit(p)
	b.readMedia(p)
	p.each("GatewayResponses", func(kind string, p *properties) { b.Responses[kind] = readResponse(kind, p) })
	b.readDocument(p, "DefinitionBody")
	auth := p.sub("Auth")
	b.readAuth(auth)
	preflights := auth.boolean("AddDefaultAuthorizerToCorsPreflight", true)
	b.readCORS(p, preflights)
	if auth.fields["DefaultAuthorizer"] != nil {
		b.guardDocument(p, preflights)
	}
	_ = auth.done()
	t.readSAMDomain(b, p)
}

// refuseBeside refuses properties that SAM would write into a document.
func refuseBeside(p *properties, document string, names ...string) {
	for _, name := range names {
		if p.fields[name] != nil {
			p.fail(name, fmt.Errorf("not modelled beside %s", document))
		}
	}
}

// readMedia reads what makes bodies binary, and when answers are compressed.
func (b *building) readMedia(p *properties) {
	for _, media := range p.texts("BinaryMediaTypes") {
		b.BinaryTypes = append(b.BinaryTypes, strings.ReplaceAll(media, "~1", "/"))
	}
	if size, ok := p.integer("MinimumCompressionSize"); ok {
		if b.Compression = &size; size < 0 || size > 10485760 {
			p.fail("MinimumCompressionSize", errors.New("not between 0 and 10485760"))
		}
	}
}

func urlLimit(p *properties) int {
	kind := "EDGE" // what API Gateway makes of a template that says nothing
	if _, isMap := p.get("EndpointConfiguration").(map[string]any); isMap {
		endpoint := p.sub("EndpointConfiguration")
		if kinds := endpoint.texts("Types"); len(kinds) == 1 {
			kind = kinds[0]
		} else {
			kind = endpoint.need("Type")
		}
		endpoint.aside("IpAddressType")
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

func (b *building) readAuth(p *properties) {
	if name := p.text("DefaultAuthorizer"); name != "" {
		b.defaultAuth = name
	}
	p.each("Authorizers", func(name string, p *properties) {
		p.is("FunctionPayloadType", "REQUEST")
		b.asked[name] = asked{p.need("FunctionArn"), p.boolean("DisableFunctionDefaultPermissions", false)}
		identity := p.sub("Identity")
		a := Authorizer{TTL: identity.seconds("ReauthorizeEvery", defaultTTL), Sources: readSources(identity, "method.request.", "")}
		checkTTL(identity, p, "ReauthorizeEvery", a)
		_ = identity.done()
		b.Authorizers[name] = a
	})
	b.checkDefault(p)
}

func (b *building) checkDefault(p *properties) {
	if _, ok := b.Authorizers[b.defaultAuth]; !ok && b.defaultAuth != "" {
		p.fail("DefaultAuthorizer", fmt.Errorf("there is no authorizer %s", b.defaultAuth))
	}
}

// readSources reads identity sources as SAM has them: by kind, without what each kind of API puts before them.
func readSources(identity *properties, request, other string) []string {
	var sources []string
	for _, source := range []struct{ property, prefix string }{
		{"Headers", request + "header."},
		{"QueryStrings", request + "querystring."},
		{"StageVariables", other + "stageVariables."},
		{"Context", other + "context."},
	} {
		for _, value := range identity.texts(source.property) {
			sources = append(sources, source.prefix+value)
		}
	}
	return sources
}

func checkTTL(identity, p *properties, name string, a Authorizer) {
	if a.TTL < 0 || a.TTL > time.Hour {
		identity.fail(name, errors.New("not between 0 and 3600"))
	}
	if a.TTL > 0 && len(a.Sources) == 0 {
		p.fail("Identity", errors.New("a cache needs Headers, QueryStrings, StageVariables or Context; to switch it off, set ReauthorizeEvery to 0"))
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

func (b *building) readCORS(p *properties, withAuthorizer bool) {
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
	b.cors = &cors{headers: map[string]string{}, withAuthorizer: withAuthorizer}
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
		b.cors.headers[name] = value
	}
	if credentials {
		b.cors.headers["Access-Control-Allow-Credentials"] = "true"
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

// event is one route that a function, or a resource of its own, asks of an API.
type event struct {
	place string
	api   string // what a reference to the API is
	route Route
	auth  string // as the event says: a name, NONE, or nothing
}

// wire joins APIs, authorizers, routes and functions, once all are known.
func (t *template) wire(m *Model) error {
	for _, join := range t.later {
		if err := join(); err != nil {
			return err
		}
	}
	for _, b := range t.apis {
		if err := b.wireAuthorizers(m); err != nil {
			return err
		}
		if err := b.wireDocument(m); err != nil {
			return err
		}
	}
	for _, e := range t.events {
		b := t.api(e.api)
		if b == nil {
			return fmt.Errorf("%s: there is no API %s in the template", e.place, e.api)
		}
		e.route.Authorizer = b.defaultAuth
		if e.auth == "NONE" {
			e.route.Authorizer = ""
		} else if e.auth != "" {
			e.route.Authorizer = e.auth
		}
		if _, ok := b.Authorizers[e.route.Authorizer]; !ok && e.route.Authorizer != "" {
			return fmt.Errorf("%s: there is no authorizer %s", e.place, e.route.Authorizer)
		}
		if b.documents(e.route) {
			continue // the document has the last word
		}
		if taken(b.Routes, e.route.Path, e.route.Method) {
			return fmt.Errorf("%s: another event has %s %s already", e.place, e.route.Method, e.route.Path)
		}
		b.Routes = append(b.Routes, e.route)
	}
	if err := t.wireResources(m); err != nil {
		return err
	}
	if err := t.wireDomains(m); err != nil {
		return err
	}
	if err := t.checkProviders(&m.Pool); err != nil {
		return err
	}
	return checkScopes(m.Pool)
}

func (b *building) wireAuthorizers(m *Model) error {
	for _, name := range slices.Sorted(maps.Keys(b.asked)) {
		want := b.asked[name]
		f := b.t.functionOf(m, want.arn)
		if f == nil {
			return fmt.Errorf("authorizer %s: no function has the ARN %s", name, want.arn)
		}
		if want.permits && !b.t.permits(want.arn) {
			return fmt.Errorf("authorizer %s: no AWS::Lambda::Permission lets API Gateway call %s", name, f.LogicalID)
		}
		a := b.Authorizers[name]
		a.Function = f.LogicalID
		b.Authorizers[name] = a
	}
	return nil
}

// functionOf is the function with an ARN, or with an alias or version of it, or nil.
func (t *template) functionOf(m *Model, arn string) *Function {
	arn = cmp.Or(t.aliases[arn], arn)
	i := slices.IndexFunc(m.Functions, func(f Function) bool { return f.ARN == arn })
	if i < 0 {
		return nil
	}
	return &m.Functions[i]
}

// permits reports whether API Gateway may call a function by this ARN: a permission for an alias is none for the function, nor the other way round.
func (t *template) permits(arn string) bool {
	return slices.ContainsFunc(t.permitted, func(name string) bool { return functionARN(name) == arn })
}

func taken(routes []Route, path, method string) bool {
	return slices.ContainsFunc(routes, func(r Route) bool { return r.Path == path && r.Method == method })
}

// addPreflights gives each path without an OPTIONS method of its own the one that SAM generates for Cors.
func (b *building) addPreflights() {
	if b.cors == nil {
		return
	}
	methods := map[string][]string{}
	for _, r := range b.Routes {
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
		headers := maps.Clone(b.cors.headers)
		if headers["Access-Control-Allow-Methods"] == "" {
			headers["Access-Control-Allow-Methods"] = strings.Join(allowed, ",")
		}
		route := Route{Path: path, Method: "OPTIONS", Preflight: headers, Timeout: integrationTimeout}
		if b.cors.withAuthorizer {
			route.Authorizer = b.defaultAuth
		}
		b.Routes = append(b.Routes, route)
	}
}
