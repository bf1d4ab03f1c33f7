package sam

// This file reads AWS::Serverless::Function.
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-function.html

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

const (
	functionType = "AWS::Serverless::Function"

	environmentLimit = 4096 // bytes of all variables together
)

// reserved are variables that Lambda sets and refuses to have set.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
var reserved = []string{
	"_HANDLER", "_X_AMZN_TRACE_ID", "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_DEFAULT_REGION", "AWS_EXECUTION_ENV", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
	"AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME",
	"AWS_LAMBDA_RUNTIME_API", "AWS_REGION", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "LAMBDA_RUNTIME_DIR", "LAMBDA_TASK_ROOT",
}

var methods = []string{"ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}

func (t *template) readFunction(m *Model, id string, p *properties) {
	p.aside("Architectures", "Description", "EphemeralStorage", "ImageConfig", "ImageUri", "LoggingConfig", "Policies", "PermissionsBoundary", "Role", "RolePath", "Tags", "PropagateTags", "Tracing", "FunctionName")
	f := t.readCommon(id, p)
	if _, isMap := p.get("CodeUri").(map[string]any); !isMap { // one in a bucket is none on this machine
		f.Code = t.local(p.text("CodeUri"))
	}
	f.Inline = p.text("InlineCode")
	if alias := p.text("AutoPublishAlias"); alias != "" {
		t.addAlias(f.ARN + ":" + alias)
	}
	m.Functions = append(m.Functions, f)
	p.each("Events", func(name string, p *properties) { t.readEvent(f.LogicalID, name, p) })
	p.leave()
}

// readCommon reads what both kinds of function resource have.
func (t *template) readCommon(id string, p *properties) Function {
	f := Function{
		LogicalID: t.path + id, Runtime: p.text("Runtime"), Handler: p.text("Handler"), Timeout: p.seconds("Timeout", 3*time.Second), Memory: 128,
	}
	if image := p.text("PackageType") == "Image"; !image && (f.Runtime == "" || f.Handler == "") {
		p.fail("Runtime", errors.New("a function in a zip file needs Runtime and Handler"))
	} else if image {
		f.Runtime = ""
	}
	if f.Timeout < time.Second || f.Timeout > 15*time.Minute {
		p.fail("Timeout", errors.New("not between 1 and 900"))
	}
	if memory, ok := p.integer("MemorySize"); ok {
		f.Memory = memory
	}
	if reserved, ok := p.integer("ReservedConcurrentExecutions"); ok {
		if f.Concurrency = reserved; reserved < 1 {
			p.fail("ReservedConcurrentExecutions", errors.New("such a function never runs"))
		}
	}
	f.Environment = t.readEnvironment(f.LogicalID, p.sub("Environment"))
	name, err := t.ref(id)
	p.fail("FunctionName", err)
	f.Name, _ = name.(string)
	arn, _ := t.getAtt(id, "Arn")
	f.ARN, _ = arn.(string)
	return f
}

func (t *template) readEnvironment(id string, p *properties) map[string]string {
	variables := p.sub("Variables")
	environment := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(variables.fields)) {
		replaced, ok := t.options.Environment[id+"."+name]
		if ok {
			variables.aside(name)
			environment[name] = replaced
			continue
		}
		value, ok := variables.get(name).(string)
		if !ok {
			variables.fail(name, errors.New("not a text"))
		}
		environment[name] = value
	}
	_ = p.done()
	size := 0
	for _, name := range slices.Sorted(maps.Keys(environment)) {
		if slices.Contains(reserved, name) {
			p.fail("Variables."+name, errors.New("only Lambda itself sets this variable"))
		}
		if host := unreachable.FindString(environment[name]); host != "" {
			if signIn.MatchString(host) {
				p.fail("Variables."+name, fmt.Errorf("nothing here answers for %s", host))
			}
			t.setAside(fmt.Sprintf("%s: variable %s: nothing here answers for %s", id, name, host))
			environment[name] = unreachable.ReplaceAllLiteralString(environment[name], t.options.CognitoURL) // and nothing leaves this machine
		}
		size += len(name) + len(environment[name])
	}
	if size > environmentLimit {
		p.fail("Variables", fmt.Errorf("%d bytes, more than the %d that Lambda allows", size, environmentLimit))
	}
	return environment
}

func (t *template) readEvent(function, name string, p *properties) {
	if kind := p.need("Type"); kind == "HttpApi" {
		t.readHTTPEvent(function, name, p)
		return
	} else if kind != "Api" {
		p.aside("Properties")
		t.setAside(fmt.Sprintf("%s: event %s, %s", function, name, kind))
		return
	}
	api := p.sub("Properties")
	e := event{
		place: fmt.Sprintf("resource %s: Events.%s", function, name), api: api.text("RestApiId"),
		route: Route{Function: function, Path: api.need("Path"), Method: strings.ToUpper(api.need("Method")), Timeout: integrationTimeout},
	}
	if !slices.Contains(methods, e.route.Method) {
		api.fail("Method", fmt.Errorf("%s is no method of a REST API", e.route.Method))
	}
	if err := checkPath(e.route.Path); err != nil {
		api.fail("Path", err)
	}
	if e.api == "" {
		e.api = gatewayID(t.path + implicitAPI)
	}
	readTimeout(api, &e.route, integrationTimeout)
	auth := api.sub("Auth")
	e.auth = auth.text("Authorizer")
	_ = auth.done()
	_ = api.done()
	t.events = append(t.events, e)
}

// checkPath wants a resource path whose parts are literal, {name}, or a last {name+}.
func checkPath(path string) error {
	if path == "/" {
		return nil
	}
	parts := strings.Split(path, "/")
	if parts[0] != "" {
		return errors.New("it has to begin with /")
	}
	for i, part := range parts[1:] {
		inner, isVariable := strings.CutPrefix(part, "{")
		inner, closed := strings.CutSuffix(inner, "}")
		name, greedy := strings.CutSuffix(inner, "+")
		switch {
		case part == "" || isVariable != closed || strings.ContainsAny(name, "{}+"):
			return fmt.Errorf("%q is no part of a path", part)
		case greedy && (!isVariable || i != len(parts)-2):
			return errors.New("only the last part may be greedy")
		}
	}
	return nil
}
