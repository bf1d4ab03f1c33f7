package sam

// This file reads an API from an OpenAPI document with API Gateway's extensions, as it stands in a template: its paths, and who is asked before each.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions.html

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

const extension = "x-amazon-apigateway-"

// readDocument reads the OpenAPI document under a property, if there is one, and reports whether there is.
func (b *building) readDocument(p *properties, name string) bool {
	if p.fields[name] == nil {
		return false
	}
	d := p.sub(name)
	d.aside("openapi", "swagger", "info", "tags", "servers", "host", "schemes", "basePath", "consumes", "produces", "definitions", "externalDocs",
		extension+"documentation", extension+"importexport-version", extension+"importer-version")
	b.readDocumentMedia(d)
	components := d.sub("components")
	components.aside("schemas", "responses", "parameters", "examples", "requestBodies", "headers", "links", "callbacks")
	for _, schemes := range []struct {
		p    *properties
		name string
	}{{components, "securitySchemes"}, {d, "securityDefinitions"}} {
		schemes.p.each(schemes.name, b.readScheme)
	}
	_ = components.done()
	everywhere := b.readSecurity(d, nil)
	if everywhere != nil {
		b.defaultAuth = *everywhere // of routes that events add to the document
	}
	d.each("paths", func(path string, p *properties) {
		p.aside("parameters", "summary", "description", "servers")
		for _, method := range slices.Sorted(maps.Keys(p.fields)) {
			if !p.asked[method] {
				one := p.sub(method)
				b.readOperation(path, method, one, everywhere)
				_ = one.done()
			}
		}
	})
	_ = d.done()
	return true
}

func (b *building) readDocumentMedia(d *properties) {
	if b.Kind == HTTP {
		c := d.sub(extension + "cors")
		if len(c.fields) > 0 {
			age, _ := c.integer("maxAge")
			b.CORS = &CORS{
				Origins: c.texts("allowOrigins"), Methods: c.texts("allowMethods"), Headers: c.texts("allowHeaders"), Expose: c.texts("exposeHeaders"), MaxAge: age,
				Credentials: c.boolean("allowCredentials", false),
			}
			_ = c.done()
		}
		return
	}
	for _, media := range d.texts(extension + "binary-media-types") {
		b.BinaryTypes = append(b.BinaryTypes, strings.ReplaceAll(media, "~1", "/"))
	}
	if size, ok := d.integer(extension + "minimum-compression-size"); ok {
		b.Compression = &size
	}
	d.each(extension+"gateway-responses", func(kind string, p *properties) {
		b.Responses[kind] = readRawResponse(p, kind, "", "statusCode", "responseParameters", "responseTemplates")
	})
}

// readScheme reads a security scheme, which has to be a Lambda authorizer of type REQUEST.
func (b *building) readScheme(name string, p *properties) {
	p.aside("type", "name", "in", "description", extension+"authtype")
	if p.fields[extension+"authorizer"] == nil {
		p.fail("", errors.New("not modelled: only a Lambda authorizer"))
		return
	}
	a := p.sub(extension + "authorizer")
	a.is("type", "request")
	out := Authorizer{TTL: a.seconds("authorizerResultTtlInSeconds", map[Kind]time.Duration{REST: defaultTTL}[b.Kind])}
	for source := range strings.SplitSeq(a.text("identitySource"), ",") {
		if source = strings.TrimSpace(source); source != "" {
			out.Sources = append(out.Sources, source)
		}
	}
	if b.Kind == HTTP {
		out.Payload = readPayload(a, "authorizerPayloadFormatVersion", "")
		if out.Simple = a.boolean("enableSimpleResponses", false); out.Simple && out.Payload != "2.0" {
			a.fail("enableSimpleResponses", errors.New("only with payload 2.0"))
		}
	}
	checkTTL(a, a, "authorizerResultTtlInSeconds", out)
	b.asked[name] = asked{readURI(a, "authorizerUri"), a.get("authorizerCredentials") == nil}
	b.Authorizers[name] = out
	_ = a.done()
}

// readSecurity is the authorizer that a document or an operation names. One that is modelled asks one authorizer, or none.
func (b *building) readSecurity(p *properties, otherwise *string) *string {
	list, ok := p.get("security").([]any)
	if !ok {
		return otherwise
	}
	b.secured = true
	none := ""
	if len(list) == 0 {
		return &none
	}
	one, _ := list[0].(map[string]any)
	if len(list) > 1 || len(one) > 1 {
		p.fail("security", errors.New("not one authorizer"))
	}
	for name, scopes := range one {
		if listed, _ := scopes.([]any); len(listed) > 0 {
			p.fail("security", errors.New("scopes are not modelled"))
		}
		if _, ok := b.Authorizers[name]; !ok {
			p.fail("security", fmt.Errorf("there is no authorizer %s", name))
		}
		return &name
	}
	return &none
}

func (b *building) readOperation(path, method string, p *properties, everywhere *string) {
	p.aside("operationId", "summary", "description", "tags", "parameters", "requestBody", "responses", "consumes", "produces", "deprecated", "externalDocs")
	r := Route{Path: path, Method: strings.ToUpper(method), Timeout: integrationTimeout}
	if method == extension+"any-method" {
		r.Method = "ANY"
	}
	if b.Kind == HTTP {
		r.Timeout = httpTimeout
	}
	switch {
	case b.Kind == HTTP && path == "/$default":
		r.Path, r.Method = DefaultStage, ""
	case !slices.Contains(methods, r.Method) || method == "any": // which API Gateway takes for a method of that name
		p.fail("", errors.New("not modelled"))
	default:
		p.fail("", checkPath(path))
	}
	if name := b.readSecurity(p, everywhere); name != nil {
		r.Authorizer = *name
	}
	if p.fields[extension+"integration"] == nil {
		p.fail(extension+"integration", errors.New("missing"))
		return
	}
	i := p.sub(extension + "integration")
	defer func() { _ = i.done() }()
	kind := strings.ToLower(i.need("type"))
	if kind == "mock" && b.Kind == REST {
		b.Routes = append(b.Routes, readDocumentPreflight(i, r))
		return
	}
	if kind != "aws_proxy" {
		i.fail("type", fmt.Errorf("%s is not modelled, only aws_proxy, and mock for a preflight", kind))
	}
	i.is("httpMethod", "POST")
	i.aside("passthroughBehavior", "contentHandling", "connectionType", "responses", "cacheNamespace", "cacheKeyParameters")
	if b.Kind == HTTP {
		r.Payload = readPayload(i, "payloadFormatVersion", "1.0")
	}
	if ms, ok := i.integer("timeoutInMillis"); ok {
		if most := r.Timeout; ms < 50 || time.Duration(ms)*time.Millisecond > most {
			i.fail("timeoutInMillis", fmt.Errorf("not between 50 and %d", most.Milliseconds()))
		}
		r.Timeout = time.Duration(ms) * time.Millisecond
	}
	calls := integration{arn: readURI(i, "uri"), trusted: i.get("credentials") != nil, payload: r.Payload, timeout: r.Timeout}
	b.documented = append(b.documented, documented{r, calls})
}

// documented is a route of a document, whose function may not be read yet.
type documented struct {
	route Route
	calls integration
}

// readDocumentPreflight reads a MOCK integration with static headers.
func readDocumentPreflight(i *properties, r Route) Route {
	i.aside("requestTemplates", "passthroughBehavior", "httpMethod")
	if r.Method != "OPTIONS" {
		i.fail("type", errors.New("mock is modelled for a preflight only"))
	}
	r.AsText = i.text("contentHandling") == "CONVERT_TO_TEXT"
	r.Preflight, r.Status = map[string]string{}, 200
	responses := i.sub("responses")
	if len(responses.fields) != 1 {
		i.fail("responses", errors.New("not one response"))
	}
	for _, pattern := range slices.Sorted(maps.Keys(responses.fields)) {
		one := responses.sub(pattern)
		one.aside("responseTemplates", "contentHandling")
		if status, ok := one.integer("statusCode"); ok {
			r.Status = status
		}
		maps.Copy(r.Preflight, readStaticHeaders(one, "responseParameters"))
		_ = one.done()
	}
	return r
}

// guardDocument puts SAM's default authorizer before every operation of a document. What becomes of a document that has security of its own is not modelled.
func (b *building) guardDocument(p *properties, preflights bool) {
	if b.secured {
		p.fail("Auth.DefaultAuthorizer", errors.New("not modelled beside security in the document"))
	}
	guard := func(r *Route) {
		if preflights || r.Method != "OPTIONS" {
			r.Authorizer = b.defaultAuth
		}
	}
	for i := range b.documented {
		guard(&b.documented[i].route)
	}
	for i := range b.Routes { // preflights of the document
		guard(&b.Routes[i])
	}
}

// opens reports whether a function has an event for a route: SAM then lets API Gateway call it there, whoever wrote the route.
func (t *template) opens(api, function string, r Route) bool {
	return slices.ContainsFunc(t.events, func(e event) bool {
		return e.api == api && e.route.Function == function && e.route.Path == r.Path && e.route.Method == r.Method
	})
}

// documents reports whether a route is one of the document.
func (b *building) documents(r Route) bool {
	return slices.ContainsFunc(b.documented, func(d documented) bool { return d.route.Path == r.Path && d.route.Method == r.Method })
}

// wireDocument joins the routes of documents with their functions.
func (b *building) wireDocument(m *Model) error {
	for _, d := range b.documented {
		if f := b.t.functionOf(m, d.calls.arn); f != nil && b.t.opens(b.ref, f.LogicalID, d.route) {
			d.calls.trusted = true
		}
		if err := b.t.wireIntegration(m, &d.route, d.calls); err != nil {
			return fmt.Errorf("resource %s: %s %s: %w", b.LogicalID, d.route.Method, d.route.Path, err)
		}
		b.Routes = append(b.Routes, d.route)
	}
	return nil
}
