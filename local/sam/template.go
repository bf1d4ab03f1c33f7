package sam

// This file holds the sections of a template that values are resolved from: parameters, mappings, conditions and resources.

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// template is a parsed template whose values can be resolved: the root, or one of a stack inside it.
type template struct {
	options    Options
	stack      string // its name
	path       string // what its resources' ids begin with: nothing, or EdgeAuth/
	folder     string // where relative locations begin
	root       map[string]any
	parameters map[string]any // text, or a list of texts
	mappings   map[string]any
	conditions map[string]any
	resources  map[string]resource
	open       map[string]bool // what is being resolved now: a second visit is a circle
	nested     map[string]*template

	*deployment
}

// deployment is what a template and the stacks inside it have in common.
type deployment struct {
	dns        names
	ownPool    bool              // some stack makes a user pool
	pool       string            // the pool's id; empty until somebody names one
	permitted  []string          // functions that a Lambda permission opens to API Gateway, as the template names them
	aside      []string          // what is left out, a line each
	exports    map[string]string // what the stacks before this one export
	aliases    map[string]string // ARN with an alias or a version, to the function's own
	events     []event           // what the functions' events ask of the API
	apis       []*building       // in the order in which they are read
	hosts      hosts
	mappingsTo []mapsTo       // what custom domains lead to
	later      []func() error // what waits until all APIs are read
	parts
}

type resource struct {
	kind       string
	properties map[string]any
}

var sections = []string{
	"AWSTemplateFormatVersion", "Transform", "Description", "Metadata", "Parameters", "Rules", "Mappings", "Conditions", "Globals", "Resources", "Outputs",
}

var attributes = []string{"Type", "Properties", "Metadata", "Condition", "DependsOn", "DeletionPolicy", "UpdatePolicy", "UpdateReplacePolicy"}

func newTemplate(root map[string]any, options Options, t *template) (*template, error) {
	for _, name := range slices.Sorted(maps.Keys(root)) {
		if !slices.Contains(sections, name) {
			return nil, fmt.Errorf("section %s is not modelled", name)
		}
	}
	if !isTransform(root["Transform"]) {
		return nil, errors.New("the Transform is not AWS::Serverless-2016-10-31")
	}
	t.options, t.root = options, root
	t.parameters, t.resources = map[string]any{}, map[string]resource{}
	t.open, t.nested = map[string]bool{}, map[string]*template{}
	var err error
	if t.mappings, err = section(root, "Mappings"); err != nil {
		return nil, err
	}
	if t.conditions, err = section(root, "Conditions"); err != nil {
		return nil, err
	}
	if err := t.readParameters(root); err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(t.conditions)) {
		if _, err := t.condition(name); err != nil { // also of those that nothing uses
			return nil, fmt.Errorf("condition %s: %w", name, err)
		}
	}
	if err := t.readResources(root); err != nil {
		return nil, err
	}
	return t, t.useLocalDNS()
}

// isTransform reports whether a template is plain CloudFormation or asks for SAM's transform, and for none besides.
func isTransform(v any) bool {
	if list, ok := v.([]any); ok && len(list) == 1 {
		v = list[0]
	}
	return v == nil || v == "AWS::Serverless-2016-10-31"
}

func (t *template) readParameters(root map[string]any) error {
	declared, err := section(root, "Parameters")
	if err != nil {
		return err
	}
	for name := range t.options.Parameters {
		if nested, _, dotted := strings.Cut(name, "."); dotted && nests(root, nested) {
			continue // its own parameters are held against it
		}
		if _, ok := declared[name]; !ok {
			return fmt.Errorf("there is no parameter %s", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(declared)) {
		p := t.reader("parameter "+t.path+name, declared[name])
		p.aside("Description", "ConstraintDescription", "NoEcho")
		value, given := t.options.Parameters[name]
		if !given {
			if _, ok := p.fields["Default"]; !ok {
				return fmt.Errorf("parameter %s has no default and was not given", t.path+name)
			}
			value = p.text("Default")
		}
		p.aside("Default")
		switch kind := p.need("Type"); kind {
		case "String", "Number":
			t.parameters[name] = value
		case "CommaDelimitedList", "List<Number>", "List<String>":
			var list []any
			for _, item := range strings.Split(value, ",") {
				list = append(list, strings.TrimSpace(item))
			}
			t.parameters[name] = list
		default:
			p.fail("Type", t.awsParameter(name, kind, value, given))
		}
		if err := constrain(p, value); err != nil {
			p.fail("", err)
		}
		if err := p.done(); err != nil {
			return err
		}
	}
	return nil
}

// unknown is the name of a value that Parameter Store holds.
type unknown string

// awsParameter reads a parameter of a type of AWS's own, such as AWS::EC2::VPC::Id. What one of Parameter Store holds has to be given: nobody here has it.
func (t *template) awsParameter(name, kind, value string, given bool) error {
	switch {
	case strings.HasPrefix(kind, "AWS::SSM::Parameter::Value<") && !given:
		t.parameters[name] = unknown(value) // an error only if somebody asks: the CDK's own is for deployments
	case strings.HasPrefix(kind, "List<AWS::") || strings.HasPrefix(kind, "AWS::SSM::Parameter::Value<List<"):
		var list []any
		for item := range strings.SplitSeq(value, ",") {
			list = append(list, strings.TrimSpace(item))
		}
		t.parameters[name] = list
	case strings.HasPrefix(kind, "AWS::"):
		t.parameters[name] = value
	default:
		return fmt.Errorf("%s is not modelled", kind)
	}
	return nil
}

// lookahead is a pattern that begins by saying what the value must not begin with, which CloudFormation's expressions can and Go's cannot.
var lookahead = regexp.MustCompile(`^\^\(\?!((?:[^()]|\([^()]*\))*)\)(.*)$`)

// match reports whether the whole value matches a pattern.
func match(pattern, value string) (bool, error) {
	if parts := lookahead.FindStringSubmatch(pattern); parts != nil {
		refused, err := regexp.Compile(`^(?:` + parts[1] + `)`)
		if err != nil || refused.MatchString(value) {
			return false, err
		}
		pattern = parts[2]
	}
	whole, err := regexp.Compile(`^(?:` + pattern + `)$`)
	return err == nil && whole.MatchString(value), err
}

// constrain holds a parameter's value against what the template allows.
func constrain(p *properties, value string) error {
	if pattern := p.text("AllowedPattern"); pattern != "" {
		matches, err := match(pattern, value)
		if err != nil {
			return fmt.Errorf("AllowedPattern cannot be read: %w", err)
		}
		if !matches {
			return fmt.Errorf("%q does not match AllowedPattern", value)
		}
	}
	if allowed := p.texts("AllowedValues"); len(allowed) > 0 && !slices.Contains(allowed, value) {
		return fmt.Errorf("%q is none of %s", value, strings.Join(allowed, ", "))
	}
	if low, ok := p.integer("MinLength"); ok && len(value) < low {
		return fmt.Errorf("%q is shorter than %d", value, low)
	}
	if high, ok := p.integer("MaxLength"); ok && len(value) > high {
		return fmt.Errorf("%q is longer than %d", value, high)
	}
	low, hasLow := p.integer("MinValue")
	high, hasHigh := p.integer("MaxValue")
	if p.fields["Type"] != "Number" {
		return nil
	}
	number, err := strconv.ParseFloat(value, 64)
	if err != nil {
		return fmt.Errorf("%q is not a number", value)
	}
	if hasLow && number < float64(low) || hasHigh && number > float64(high) {
		return fmt.Errorf("%s is outside MinValue and MaxValue", value)
	}
	return nil
}

// nests reports whether a resource is a stack inside this one.
func nests(root map[string]any, id string) bool {
	resources, _ := section(root, "Resources")
	fields, _ := resources[id].(map[string]any)
	return fields["Type"] == applicationType || fields["Type"] == stackType
}

func (t *template) readResources(root map[string]any) error {
	resources, err := section(root, "Resources")
	if err != nil {
		return err
	}
	globals, err := globalProperties(root)
	if err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(resources)) {
		fields, ok := resources[id].(map[string]any)
		if !ok {
			return fmt.Errorf("resource "+t.path+"%s is not a map", id)
		}
		for _, name := range slices.Sorted(maps.Keys(fields)) {
			if !slices.Contains(attributes, name) {
				return fmt.Errorf("resource "+t.path+"%s: attribute %s is not modelled", id, name)
			}
		}
		if name, ok := fields["Condition"].(string); ok {
			holds, err := t.condition(name)
			if err != nil {
				return fmt.Errorf("resource "+t.path+"%s: %w", id, err)
			}
			if !holds {
				continue
			}
		}
		kind, _ := fields["Type"].(string)
		if strings.HasPrefix(kind, "AWS::Serverless::") && root["Transform"] == nil {
			return fmt.Errorf("resource "+t.path+"%s: %s needs the Transform AWS::Serverless-2016-10-31", id, kind)
		}
		properties, ok := fields["Properties"].(map[string]any)
		if !ok && fields["Properties"] != nil {
			return fmt.Errorf("resource "+t.path+"%s: Properties is not a map", id)
		}
		if global := globals[kind]; global != nil {
			properties = merge(global, properties).(map[string]any)
		}
		t.resources[id] = resource{kind: kind, properties: properties}
		t.ownPool = t.ownPool || kind == poolType
	}
	t.addImplicitAPI(implicitAPI, "Api", "RestApiId", resource{apiType, merge(globals[apiType], map[string]any{"StageName": "Prod"}).(map[string]any)})
	t.addImplicitAPI(implicitHTTPAPI, "HttpApi", "ApiId", resource{httpAPIType, merge(globals[httpAPIType], map[string]any{}).(map[string]any)})
	return nil
}

// The APIs that SAM makes for events that name none.
const (
	implicitAPI     = "ServerlessRestApi"
	implicitHTTPAPI = "ServerlessHttpApi"
)

func (t *template) addImplicitAPI(id, kind, named string, made resource) {
	for _, r := range t.resources {
		events, _ := r.properties["Events"].(map[string]any)
		for _, e := range events {
			fields, _ := e.(map[string]any)
			properties, _ := fields["Properties"].(map[string]any)
			if _, names := properties[named]; r.kind == functionType && fields["Type"] == kind && !names {
				t.resources[id] = made
				return
			}
		}
	}
}

func globalProperties(root map[string]any) (map[string]map[string]any, error) {
	globals, err := section(root, "Globals")
	if err != nil {
		return nil, err
	}
	byType := map[string]map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(globals)) {
		if name == "SimpleTable" || name == "StateMachine" || name == "LayerVersion" || name == "CapacityProvider" {
			continue // of resources that are set aside
		}
		kind := map[string]string{"Function": functionType, "Api": apiType, "HttpApi": httpAPIType, "WebSocketApi": socketAPIType}[name]
		if kind == "" {
			return nil, fmt.Errorf("section Globals: %s is not modelled", name)
		}
		if byType[kind], err = section(globals, name); err != nil {
			return nil, fmt.Errorf("section Globals: %w", err)
		}
	}
	return byType, nil
}
