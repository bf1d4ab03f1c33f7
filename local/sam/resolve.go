package sam

// This file resolves intrinsic functions. One that is not here is an error: a value that nobody computed must not reach a program.

import (
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// noValue is what AWS::NoValue leaves behind; the member that holds it disappears.
type noValue struct{}

// resolve returns v with every intrinsic function called. The error names the place inside v.
func (t *template) resolve(v any) (any, error) {
	if name, ok := intrinsic(v); ok {
		return t.call(name, v.(map[string]any)[name])
	}
	switch v := v.(type) {
	case string:
		if strings.Contains(v, "{{resolve:") {
			return nil, errors.New("dynamic references are not modelled")
		}
		return t.dns.Replace(v), nil
	case []any:
		list := make([]any, 0, len(v))
		for i, item := range v {
			value, err := t.resolve(item)
			if err != nil {
				return nil, at(strconv.Itoa(i), err)
			}
			if value != (noValue{}) {
				list = append(list, value)
			}
		}
		return list, nil
	case map[string]any:
		fields := make(map[string]any, len(v))
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if key == "Ref" || strings.HasPrefix(key, "Fn::") {
				return nil, fmt.Errorf("%s stands among other keys", key)
			}
			value, err := t.resolve(v[key])
			if err != nil {
				return nil, at(key, err)
			}
			if value != (noValue{}) {
				fields[key] = value
			}
		}
		return fields, nil
	}
	return v, nil
}

// placed is an error with the path of the place it was found at.
type placed struct {
	path string
	err  error
}

func (p placed) Error() string { return p.path + ": " + p.err.Error() }
func (p placed) Unwrap() error { return p.err }

func at(key string, err error) error {
	var inner placed
	if errors.As(err, &inner) {
		return placed{key + "." + inner.path, inner.err}
	}
	return placed{key, err}
}

func (t *template) call(name string, argument any) (any, error) {
	switch name {
	case "Ref":
		id, ok := argument.(string)
		if !ok {
			return nil, errors.New("a Ref wants a name")
		}
		return t.ref(id)
	case "Fn::GetAtt":
		return t.callGetAtt(argument)
	case "Fn::Sub":
		return t.callSub(argument)
	case "Fn::Join":
		return t.callJoin(argument)
	case "Fn::Select":
		return t.callSelect(argument)
	case "Fn::Split":
		return t.callSplit(argument)
	case "Fn::FindInMap":
		return t.callFindInMap(argument)
	case "Fn::If":
		return t.callIf(argument)
	case "Fn::ImportValue":
		return t.callImport(argument)
	}
	return nil, fmt.Errorf("%s is not modelled", name)
}

// arguments resolves a function's list of exactly n arguments.
func (t *template) arguments(name string, argument any, n int) ([]any, error) {
	list, ok := argument.([]any)
	if !ok || len(list) != n {
		return nil, fmt.Errorf("%s wants a list of %d", name, n)
	}
	resolved, err := t.resolve(list)
	if err != nil {
		return nil, err
	}
	if list = resolved.([]any); len(list) != n {
		return nil, fmt.Errorf("%s has no use for AWS::NoValue", name)
	}
	return list, nil
}

func (t *template) callGetAtt(argument any) (any, error) {
	var id, attribute string
	switch a := argument.(type) {
	case string:
		id, attribute, _ = strings.Cut(a, ".")
	case []any:
		if len(a) == 2 {
			id, _ = a[0].(string)
			attribute, _ = a[1].(string)
		}
	}
	if id == "" || attribute == "" {
		return nil, errors.New("Fn::GetAtt wants a resource and an attribute")
	}
	return t.getAtt(id, attribute)
}

var subVariable = regexp.MustCompile(`\$\{[^}]*\}`)

func (t *template) callSub(argument any) (any, error) {
	text, ok := argument.(string)
	var variables map[string]any
	if !ok {
		list, _ := argument.([]any)
		if len(list) == 2 {
			text, ok = list[0].(string)
			resolved, err := t.resolve(list[1])
			if err != nil {
				return nil, err
			}
			variables, _ = resolved.(map[string]any)
		}
		if !ok || variables == nil {
			return nil, errors.New("Fn::Sub wants a text, or a text and a map")
		}
	}
	var failed error
	text = subVariable.ReplaceAllStringFunc(text, func(whole string) string {
		name := strings.TrimSpace(whole[2 : len(whole)-1])
		if literal, ok := strings.CutPrefix(name, "!"); ok {
			return "${" + literal + "}"
		}
		value, known := variables[name]
		var err error
		if !known {
			if id, attribute, dotted := strings.Cut(name, "."); dotted {
				value, err = t.getAtt(id, attribute)
			} else {
				value, err = t.ref(name)
			}
		}
		s, isText := value.(string)
		if err == nil && !isText {
			err = fmt.Errorf("${%s} is not a text", name)
		}
		failed = errors.Join(failed, err)
		return s
	})
	if failed != nil {
		return nil, failed
	}
	return t.dns.Replace(text), nil
}

func (t *template) callJoin(argument any) (any, error) {
	list, err := t.arguments("Fn::Join", argument, 2)
	if err != nil {
		return nil, err
	}
	separator, ok := list[0].(string)
	parts, isList := texts(list[1])
	if !ok || !isList {
		return nil, errors.New("Fn::Join wants a separator and a list of texts")
	}
	return t.dns.Replace(strings.Join(parts, separator)), nil
}

func (t *template) callSelect(argument any) (any, error) {
	list, err := t.arguments("Fn::Select", argument, 2)
	if err != nil {
		return nil, err
	}
	index, err := strconv.Atoi(fmt.Sprint(list[0]))
	items, ok := list[1].([]any)
	if err != nil || !ok || index < 0 || index >= len(items) {
		return nil, errors.New("Fn::Select wants an index within a list")
	}
	return items[index], nil
}

func (t *template) callSplit(argument any) (any, error) {
	list, err := t.arguments("Fn::Split", argument, 2)
	if err != nil {
		return nil, err
	}
	separator, ok := list[0].(string)
	text, too := list[1].(string)
	if !ok || !too || separator == "" {
		return nil, errors.New("Fn::Split wants a separator and a text")
	}
	var parts []any
	for _, part := range strings.Split(text, separator) {
		parts = append(parts, part)
	}
	return parts, nil
}

func (t *template) callFindInMap(argument any) (any, error) {
	list, err := t.arguments("Fn::FindInMap", argument, 3)
	if err != nil {
		return nil, err
	}
	var value any = t.mappings
	for _, key := range list {
		name, _ := key.(string)
		level, _ := value.(map[string]any)
		var found bool
		if value, found = level[name]; !found {
			return nil, fmt.Errorf("Fn::FindInMap finds no %v", list)
		}
	}
	return value, nil
}

func (t *template) callIf(argument any) (any, error) {
	list, ok := argument.([]any)
	if !ok || len(list) != 3 {
		return nil, errors.New("Fn::If wants a condition and two values")
	}
	name, ok := list[0].(string)
	if !ok {
		return nil, errors.New("Fn::If wants the name of a condition")
	}
	holds, err := t.condition(name)
	if err != nil {
		return nil, err
	}
	if holds {
		return t.resolve(list[1])
	}
	return t.resolve(list[2])
}

// condition tells whether a named condition holds.
func (t *template) condition(name string) (holds bool, err error) {
	body, ok := t.conditions[name]
	if !ok {
		return false, fmt.Errorf("there is no condition %s", name)
	}
	err = t.once("condition "+name, func() error {
		holds, err = t.evaluate(body)
		return err
	})
	return holds, err
}

func (t *template) evaluate(v any) (bool, error) {
	name, ok := intrinsic(v)
	if !ok {
		return false, errors.New("not a condition")
	}
	argument := v.(map[string]any)[name]
	list, _ := argument.([]any)
	switch {
	case name == "Condition":
		other, _ := argument.(string)
		return t.condition(other)
	case name == "Fn::Equals":
		both, err := t.arguments(name, argument, 2)
		if err != nil {
			return false, err
		}
		a, isText := both[0].(string)
		b, too := both[1].(string)
		if !isText || !too {
			return false, errors.New("Fn::Equals wants two texts")
		}
		return a == b, nil
	case name == "Fn::Not" && len(list) == 1:
		holds, err := t.evaluate(list[0])
		return !holds && err == nil, err
	case (name == "Fn::And" || name == "Fn::Or") && len(list) >= 2 && len(list) <= 10:
		for _, item := range list {
			holds, err := t.evaluate(item)
			if err != nil || holds == (name == "Fn::Or") {
				return holds, err
			}
		}
		return name == "Fn::And", nil
	}
	return false, fmt.Errorf("%s is not modelled as a condition", name)
}

// once runs f unless what it computes is already being computed: then the template goes in a circle.
func (t *template) once(what string, f func() error) error {
	if t.open[what] {
		return fmt.Errorf("%s refers to itself", what)
	}
	t.open[what] = true
	defer delete(t.open, what)
	return f()
}

// ref is the value of a parameter, a pseudo parameter, or a resource's name.
func (t *template) ref(id string) (any, error) {
	switch id {
	case "AWS::Region":
		return Region, nil
	case "AWS::AccountId":
		return Account, nil
	case "AWS::Partition":
		return Partition, nil
	case "AWS::StackName":
		return t.stack, nil
	case "AWS::StackId":
		return t.stackID(), nil
	case "AWS::URLSuffix":
		return urlSuffix, nil
	case "AWS::NoValue":
		return noValue{}, nil
	}
	if value, ok := t.parameters[id]; ok {
		if name, ok := value.(unknown); ok {
			return nil, fmt.Errorf("what Parameter Store holds under %s has to be given, by the parameter %s", string(name), id)
		}
		if text, ok := value.(string); ok {
			return t.dns.Replace(text), nil
		}
		return value, nil
	}
	if stage, ok := strings.CutSuffix(id, ".Stage"); ok && t.resources[stage].kind == apiType {
		return t.own(stage, "StageName", "")
	}
	if stage, ok := strings.CutSuffix(id, ".Stage"); ok && t.resources[stage].kind == socketAPIType {
		return t.own(stage, "StageName", "default")
	}
	if stage, ok := strings.CutSuffix(id, ".Stage"); ok && t.resources[stage].kind == httpAPIType {
		return t.own(stage, "StageName", DefaultStage)
	}
	r, ok := t.resources[id]
	if !ok {
		return t.generated(id)
	}
	switch r.kind {
	case apiType, httpAPIType, socketAPIType, restAPIType, apiV2Type:
		return gatewayID(t.path + id), nil
	case restStageType, stageV2Type:
		return t.own(id, "StageName", "")
	case restDomainType, domainNameType:
		return t.own(id, "DomainName", "")
	case restResourceType, restAuthorizerType, integrationV2Type, authorizerV2Type, routeV2Type:
		return t.partRef(id), nil
	case functionType, lambdaType:
		return t.own(id, "FunctionName", t.stack+"-"+id)
	case aliasType:
		return t.aliasARN(id)
	case versionType:
		return t.qualified(id, firstVersion)
	case applicationType, stackType:
		child, err := t.child(id)
		if err != nil {
			return nil, err
		}
		return child.stackID(), nil
	case poolType:
		return PoolID, nil
	case clientType:
		return clientID(t.path + id), nil
	case domainType:
		return t.own(id, "Domain", "")
	case groupType:
		return t.own(id, "GroupName", "")
	case providerType:
		return t.own(id, "ProviderName", "")
	case parameterType:
		return t.own(id, "Name", t.stack+"-"+id)
	}
	return t.asideRef(id, r)
}

// own is a property of a resource that also names it.
func (t *template) own(id, property, otherwise string) (value any, err error) {
	raw, ok := t.resources[id].properties[property]
	if !ok && otherwise != "" {
		return otherwise, nil
	}
	err = t.once("resource "+id, func() error {
		value, err = t.resolve(raw)
		return err
	})
	if _, isText := value.(string); err == nil && !isText {
		err = fmt.Errorf("resource %s: %s is not a text", id, property)
	}
	return value, err
}

func (t *template) getAtt(id, attribute string) (any, error) {
	r, ok := t.resources[id]
	if !ok {
		return t.generatedAttribute(id, attribute)
	}
	if name, ok := strings.CutPrefix(attribute, "Outputs."); ok && (r.kind == applicationType || r.kind == stackType) {
		child, err := t.child(id)
		if err != nil {
			return nil, err
		}
		return child.output(name)
	}
	switch r.kind + "." + attribute {
	case functionType + ".Arn", lambdaType + ".Arn":
		name, err := t.ref(id)
		return functionARN(fmt.Sprint(name)), err
	case versionType + ".FunctionArn":
		return t.ref(id)
	case versionType + ".Version":
		return firstVersion, nil
	case apiType + ".RootResourceId", restAPIType + ".RootResourceId":
		return t.rootRef(id), nil
	case apiType + ".Stage", httpAPIType + ".Stage", socketAPIType + ".Stage": // within Fn::Sub
		return t.ref(id + ".Stage")
	case restResourceType + ".ResourceId", restAuthorizerType + ".AuthorizerId", authorizerV2Type + ".AuthorizerId":
		return t.partRef(id), nil
	case restAPIType + ".RestApiId", apiV2Type + ".ApiId", socketAPIType + ".ApiId":
		return gatewayID(t.path + id), nil
	case apiV2Type + ".ApiEndpoint", socketAPIType + ".ApiEndpoint", httpAPIType + ".ApiEndpoint":
		scheme := "https"
		if t.kindOf(id) == WebSocket {
			scheme = "wss"
		}
		return t.dns.Replace(scheme + "://" + gatewayID(t.path+id) + ".execute-api." + Region + "." + urlSuffix), nil
	case restDomainType + ".RegionalDomainName", domainNameType + ".RegionalDomainName", restDomainType + ".DistributionDomainName":
		return "d-local.execute-api." + Region + "." + urlSuffix, nil
	case restDomainType + ".RegionalHostedZoneId", domainNameType + ".RegionalHostedZoneId", restDomainType + ".DistributionHostedZoneId":
		return "ZLOCAL", nil
	case poolType + ".Arn":
		return fmt.Sprintf("arn:%s:cognito-idp:%s:%s:userpool/%s", Partition, Region, Account, PoolID), nil
	case poolType + ".UserPoolId":
		return PoolID, nil
	case poolType + ".ProviderName":
		return "cognito-idp." + Region + "." + urlSuffix + "/" + PoolID, nil
	case poolType + ".ProviderURL":
		return t.dns.Replace("https://cognito-idp." + Region + "." + urlSuffix + "/" + PoolID), nil
	case clientType + ".ClientId":
		return t.ref(id)
	case parameterType + ".Value":
		return t.own(id, "Value", "")
	}
	if t.isAside(r) {
		return t.asideAttribute(id, attribute, r)
	}
	return nil, fmt.Errorf("attribute %s of %s, a %s, is not modelled", attribute, id, r.kind)
}

// clientID makes an id that looks like Cognito's, the same in every run.
func clientID(logicalID string) string {
	sum := sha256.Sum256([]byte("app client " + logicalID))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:]))[:26]
}

func texts(v any) ([]string, bool) {
	list, ok := v.([]any)
	if !ok {
		return nil, false
	}
	out := make([]string, 0, len(list))
	for _, item := range list {
		s, ok := item.(string)
		if !ok {
			return nil, false
		}
		out = append(out, s)
	}
	return out, true
}
