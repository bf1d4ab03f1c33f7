package sam

// This file reads AWS::Serverless::HttpApi and the events that go with it.
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-httpapi.html

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	httpAPIType = "AWS::Serverless::HttpApi"

	httpTimeout = 30 * time.Second
)

func (t *template) readHTTPAPI(_ *Model, id string, p *properties) {
	p.aside("Name", "Description", "AccessLogSettings", "DefaultRouteSettings", "RouteSettings", "FailOnWarnings", "Tags", "PropagateTags")
	b := t.newAPI(id, HTTP)
	b.off = p.boolean("DisableExecuteApiEndpoint", false)
	if b.Stage = p.text("StageName"); b.Stage == "" {
		b.Stage = DefaultStage
	}
	b.Variables = p.textMap("StageVariables")
	if b.readDocument(p, "DefinitionBody") {
		refuseBeside(p, "DefinitionBody", "Auth", "CorsConfiguration")
	} else {
		b.CORS = readHTTPCORS(p, "CorsConfiguration")
	}
	auth := p.sub("Auth")
	b.readHTTPAuth(auth)
	_ = auth.done()
	t.readSAMDomain(b, p)
}

func (b *building) readHTTPAuth(p *properties) {
	if name := p.text("DefaultAuthorizer"); name != "" {
		b.defaultAuth = name
	}
	if p.boolean("EnableIamAuthorizer", false) {
		p.fail("EnableIamAuthorizer", errors.New("true is not modelled"))
	}
	p.each("Authorizers", func(name string, p *properties) {
		if p.fields["JwtConfiguration"] != nil || p.fields["OpenIdConnectUrl"] != nil {
			p.fail("JwtConfiguration", errors.New("JWT authorizers are not modelled: only a Lambda authorizer"))
		}
		role := p.get("FunctionInvokeRole") != nil
		b.asked[name] = asked{p.need("FunctionArn"), !role && !p.boolean("EnableFunctionDefaultPermissions", false)}
		identity := p.sub("Identity")
		a := Authorizer{
			TTL: identity.seconds("ReauthorizeEvery", 0), Sources: readSources(identity, "$request.", "$"), Payload: readPayload(p, "AuthorizerPayloadFormatVersion", ""),
			Simple: p.boolean("EnableSimpleResponses", false),
		}
		checkTTL(identity, p, "ReauthorizeEvery", a)
		if a.Simple && a.Payload != "2.0" {
			p.fail("EnableSimpleResponses", errors.New("only with payload 2.0"))
		}
		_ = identity.done()
		b.Authorizers[name] = a
	})
	b.checkDefault(p)
}

// readPayload reads a payload format, which has to be one that there is.
func readPayload(p *properties, name, otherwise string) string {
	version := p.text(name)
	if version == "" {
		version = otherwise
	}
	if version != "1.0" && version != "2.0" {
		p.fail(name, fmt.Errorf("%q is neither 1.0 nor 2.0", version))
	}
	return version
}

// readHTTPCORS reads a CORS configuration, or true, which allows every origin.
func readHTTPCORS(p *properties, name string) *CORS {
	if s, ok := p.get(name).(string); ok {
		if s != "true" {
			p.fail(name, fmt.Errorf("%q is neither true nor a map", s))
		}
		return &CORS{Origins: []string{"*"}}
	}
	c := p.sub(name)
	if len(c.fields) == 0 {
		return nil
	}
	age, _ := c.integer("MaxAge")
	out := &CORS{
		Origins: c.texts("AllowOrigins"), Methods: c.texts("AllowMethods"), Headers: c.texts("AllowHeaders"), Expose: c.texts("ExposeHeaders"), MaxAge: age,
		Credentials: c.boolean("AllowCredentials", false),
	}
	_ = c.done()
	return out
}

// readHTTPEvent reads an HttpApi event. One that names no path takes whatever no other route does.
func (t *template) readHTTPEvent(function, name string, p *properties) {
	api := p.sub("Properties")
	api.aside("RouteSettings")
	e := event{
		place: fmt.Sprintf("resource %s: Events.%s", function, name), api: api.text("ApiId"),
		route: Route{Function: function, Path: api.text("Path"), Method: strings.ToUpper(api.text("Method")), Timeout: httpTimeout},
	}
	if e.api == "" {
		e.api = gatewayID(t.path + implicitHTTPAPI)
	}
	switch {
	case e.route.Path == "" && e.route.Method == "", e.route.Path == "$default", e.route.Path == "/$default":
		e.route.Path, e.route.Method = DefaultStage, ""
	case !slices.Contains(methods, e.route.Method):
		api.fail("Method", fmt.Errorf("%s is no method of an HTTP API", e.route.Method))
	default:
		if err := checkPath(e.route.Path); err != nil {
			api.fail("Path", err)
		}
	}
	e.route.Payload = readPayload(api, "PayloadFormatVersion", "2.0")
	readTimeout(api, &e.route, httpTimeout)
	auth := api.sub("Auth")
	if len(auth.texts("AuthorizationScopes")) > 0 {
		auth.fail("AuthorizationScopes", errors.New("only of JWT authorizers, which are not modelled"))
	}
	e.auth = auth.text("Authorizer")
	_ = auth.done()
	_ = api.done()
	t.events = append(t.events, e)
}

// readTimeout reads how long an integration may take.
func readTimeout(p *properties, r *Route, most time.Duration) {
	if ms, ok := p.integer("TimeoutInMillis"); ok {
		r.Timeout = time.Duration(ms) * time.Millisecond
	}
	if r.Timeout < 50*time.Millisecond || r.Timeout > most {
		p.fail("TimeoutInMillis", fmt.Errorf("not between 50 and %d", most.Milliseconds()))
	}
}
