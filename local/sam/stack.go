package sam

// This file puts stacks inside stacks: what a nested application gets as parameters, what it gives as outputs, and the names that all of them share.
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-application.html
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudformation-stack.html

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

const (
	applicationType = "AWS::Serverless::Application"
	stackType       = "AWS::CloudFormation::Stack"

	// rootID is the last part of the root stack's id.
	rootID = "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"
)

func newDeployment(o Options) *deployment {
	d := &deployment{aliases: map[string]string{}, exports: map[string]string{}, hosts: newHosts(o.AppURL), parts: parts{
		integrations: map[string]integration{}, authorizers: map[string]string{}, resources: map[string]restResource{},
	}}
	d.dns.add("https://cognito-idp."+Region+"."+urlSuffix, o.CognitoURL)
	d.dns.add("https://issuer-cognito-idp."+Region+"."+urlSuffix, o.CognitoURL)
	return d
}

// names stands for DNS: it makes the hosts that AWS would answer for lead to the local stand-ins, in every text that a template resolves to.
type names struct {
	pairs    []string
	replacer *strings.Replacer
	login    string // where every login domain of the region leads, once it is clear that the pool is none of the stacks'
}

func (n *names) add(host, here string) {
	n.pairs = append(n.pairs, host, here)
	n.replacer = strings.NewReplacer(n.pairs...)
}

// knows reports whether a host has been added.
func (n *names) knows(host string) bool { return slices.Contains(n.pairs, host) }

func (n *names) Replace(text string) string {
	text = n.replacer.Replace(text)
	if n.login != "" {
		text = loginDomain.ReplaceAllLiteralString(text, n.login)
	}
	return text
}

var loginDomain = regexp.MustCompile(`https://[a-z0-9-]+\.auth\.` + Region + `\.amazoncognito\.com`)

// useLocalDNS makes the login domains of this stack known, and the hosts of its APIs.
func (t *template) useLocalDNS() error {
	if err := t.nameHosts(); err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(t.resources)) {
		if t.resources[id].kind != domainType {
			continue
		}
		domain, err := t.ref(id)
		if err != nil {
			return err
		}
		host := fmt.Sprintf("https://%s.auth.%s.amazoncognito.com", domain, Region)
		if t.present(t.resources[id].properties)["CustomDomainConfig"] != nil {
			host = fmt.Sprintf("https://%s", domain)
		}
		t.dns.add(host, t.options.CognitoURL)
	}
	return nil
}

// nest reads every stack inside this one. All of them have to be known before a resource is read: whose pool it is depends on them.
func (t *template) nest() error {
	for _, id := range slices.Sorted(maps.Keys(t.resources)) {
		if kind := t.resources[id].kind; kind != applicationType && kind != stackType {
			continue
		}
		child, err := t.child(id)
		if err != nil {
			return err
		}
		if err := child.nest(); err != nil {
			return err
		}
	}
	return nil
}

// child is the stack that a resource makes, read when somebody first asks for it.
func (t *template) child(id string) (child *template, err error) {
	if child = t.nested[id]; child != nil {
		return child, nil
	}
	err = t.once("nested application "+t.path+id, func() error {
		child, err = t.newChild(id)
		return err
	})
	if err != nil {
		return nil, err
	}
	t.nested[id] = child
	return child, nil
}

func (t *template) newChild(id string) (*template, error) {
	p := t.properties(id)
	p.aside("NotificationARNs", "Tags", "TimeoutInMinutes")
	from := "Location"
	if t.resources[id].kind == stackType {
		from = "TemplateURL"
	}
	location := p.need(from)
	if asset := t.asset(location); asset != "" && t.resources[id].kind == stackType {
		location = asset
	}
	if strings.Contains(location, "://") || location == "" {
		p.fail(from, errors.New("only a template on this machine is modelled"))
	}
	parameters, lists := map[string]string{}, p.sub("Parameters")
	for name := range lists.fields {
		switch v := lists.get(name).(type) {
		case string:
			parameters[name] = v
		case []any:
			list, ok := texts(v)
			if !ok {
				lists.fail(name, errors.New("not a list of texts"))
			}
			parameters[name] = strings.Join(list, ",")
		case nil:
		default:
			lists.fail(name, errors.New("not a text"))
		}
	}
	for name, value := range t.options.Parameters { // as EdgeAuth.UserBearer, laid over what the template says
		if name, ok := strings.CutPrefix(name, id+"."); ok {
			parameters[name] = value
		}
	}
	if err := p.done(); err != nil {
		return nil, err
	}
	path := location
	if !filepath.IsAbs(path) {
		path = filepath.Join(t.folder, filepath.FromSlash(location))
	}
	source, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("resource %s: %w", t.path+id, err)
	}
	root, err := parseTree(source)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	options := t.options
	options.Parameters = parameters
	child := &template{stack: t.stack + "-" + id + "-" + suffix(t.path+id), path: t.path + id + "/", folder: filepath.Dir(path), deployment: t.deployment}
	if child, err = newTemplate(root, options, child); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return child, nil
}

// suffix is what CloudFormation puts behind a nested stack's name, here the same in every run.
func suffix(path string) string {
	sum := sha256.Sum256([]byte("stack " + path))
	return strings.ToUpper(hex.EncodeToString(sum[:6]))
}

func (t *template) stackID() string {
	last := rootID
	if t.path != "" {
		last = strings.ToLower(suffix(t.path))[:8] + rootID[8:]
	}
	return "arn:" + Partition + ":cloudformation:" + Region + ":" + Account + ":stack/" + t.stack + "/" + last
}

// output is one output of this stack, for the one around it.
func (t *template) output(name string) (value any, err error) {
	declared, err := section(t.root, "Outputs")
	if err != nil {
		return nil, err
	}
	one, ok := declared[name].(map[string]any)
	if !ok {
		return nil, fmt.Errorf("nested application %s has no output %s", strings.TrimSuffix(t.path, "/"), name)
	}
	if condition, ok := one["Condition"].(string); ok {
		holds, err := t.condition(condition)
		if err != nil {
			return nil, err
		}
		if !holds {
			return nil, fmt.Errorf("nested application %s has no output %s: its condition does not hold", strings.TrimSuffix(t.path, "/"), name)
		}
	}
	err = t.once("output "+t.path+name, func() error {
		value, err = t.resolve(one["Value"])
		return err
	})
	return value, err
}

// export notes what this stack's outputs export, and those of the stacks inside it, for the stacks that are read after it.
func (t *template) export() error {
	for _, id := range slices.Sorted(maps.Keys(t.nested)) {
		if err := t.nested[id].export(); err != nil {
			return err
		}
	}
	declared, err := section(t.root, "Outputs")
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(declared)) {
		one, _ := declared[name].(map[string]any)
		export, ok := one["Export"].(map[string]any)
		if !ok {
			continue
		}
		if condition, ok := one["Condition"].(string); ok {
			if holds, err := t.condition(condition); err != nil || !holds {
				continue // the outputs are read again, and then an error is one
			}
		}
		as, err := t.resolve(export["Name"])
		if err != nil {
			return fmt.Errorf("output %s: Export: %w", t.path+name, err)
		}
		value, err := t.output(name)
		if err != nil {
			return fmt.Errorf("output %s: %w", t.path+name, err)
		}
		if text, ok := value.(string); ok {
			t.exports[fmt.Sprint(as)] = text
		}
	}
	return nil
}

// readNested adds a nested stack's resources, and resolves its outputs, asked for or not.
func (t *template) readNested(m *Model, id string) error {
	child, err := t.child(id)
	if err != nil {
		return err
	}
	if err := child.read(m); err != nil {
		return err
	}
	_, err = child.outputs()
	return err
}

// callImport is the value that another stack exports, as the command line gives it.
func (t *template) callImport(argument any) (any, error) {
	resolved, err := t.resolve(argument)
	if err != nil {
		return nil, err
	}
	name, _ := resolved.(string)
	value, ok := t.options.Imports[name]
	if !ok {
		value, ok = t.exports[name]
	}
	if !ok {
		return nil, fmt.Errorf("Fn::ImportValue: what is exported as %q has to be given", name)
	}
	return t.dns.Replace(value), nil
}

// spelledOut writes each given parameter that no template declares, but exactly one application inside them, as that one's: UserBearer as EdgeAuth.UserBearer.
func spelledOut(given map[string]string, roots []map[string]any, sources []written) (map[string]string, error) {
	full := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		var inside []string
		for i, root := range roots {
			if declares(root, name) {
				inside = nil
				break
			}
			inside = append(inside, declaredInside(root, sources[i].folder, name)...)
		}
		switch {
		case strings.Contains(name, ".") || len(inside) == 0:
			full[name] = given[name]
		case len(inside) == 1:
			full[inside[0]] = given[name]
		default:
			return nil, fmt.Errorf("parameter %s could be %s", name, strings.Join(inside, " or "))
		}
	}
	return full, nil
}

func declares(root map[string]any, parameter string) bool {
	declared, _ := section(root, "Parameters")
	_, ok := declared[parameter]
	return ok
}

// declaredInside names the parameter in each application of a template that declares it. A template that cannot be read is an error later.
func declaredInside(root map[string]any, folder, parameter string) (names []string) {
	resources, _ := section(root, "Resources")
	for _, id := range slices.Sorted(maps.Keys(resources)) {
		fields, _ := resources[id].(map[string]any)
		properties, _ := fields["Properties"].(map[string]any)
		location, ok := properties["Location"].(string)
		if !ok || !nests(root, id) {
			continue
		}
		if !filepath.IsAbs(location) {
			location = filepath.Join(folder, filepath.FromSlash(location))
		}
		source, err := os.ReadFile(location)
		if err != nil {
			continue
		}
		if inner, err := parseTree(source); err == nil && declares(inner, parameter) {
			names = append(names, id+"."+parameter)
		}
	}
	return names
}
