package sam

// This file turns YAML into plain trees: strings, lists, maps and nil. Every scalar stays the text that was written, as CloudFormation's parameters and
// properties are text; short tags become their long form.

import (
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

func parseTree(source []byte) (map[string]any, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(source, &document); err != nil {
		return nil, fmt.Errorf("not YAML: %w", err)
	}
	if len(document.Content) == 0 {
		return nil, errors.New("the template is empty")
	}
	tree, err := plain(document.Content[0])
	if err != nil {
		return nil, err
	}
	root, ok := tree.(map[string]any)
	if !ok {
		return nil, errors.New("the template is not a map")
	}
	return root, nil
}

func plain(n *yaml.Node) (any, error) {
	if n.Kind == yaml.AliasNode {
		return plain(n.Alias) // here and not below: an alias shows the tag of what it stands for, which would then be applied twice
	}
	tag := n.ShortTag()
	if strings.HasPrefix(tag, "!!") {
		return untagged(n)
	}
	value, err := untagged(n)
	if err != nil {
		return nil, err
	}
	switch name := strings.TrimPrefix(tag, "!"); name {
	case "Ref", "Condition":
		return map[string]any{name: value}, nil
	default:
		return map[string]any{"Fn::" + name: value}, nil
	}
}

func untagged(n *yaml.Node) (any, error) {
	switch n.Kind {
	case yaml.ScalarNode:
		if n.ShortTag() == "!!null" {
			return nil, nil
		}
		return n.Value, nil
	case yaml.SequenceNode:
		list := make([]any, 0, len(n.Content))
		for _, item := range n.Content {
			value, err := plain(item)
			if err != nil {
				return nil, err
			}
			list = append(list, value)
		}
		return list, nil
	case yaml.MappingNode:
		return mapping(n)
	default:
		return nil, fmt.Errorf("line %d: not a value", n.Line)
	}
}

func mapping(n *yaml.Node) (any, error) {
	fields := make(map[string]any, len(n.Content)/2)
	for i := 0; i < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind != yaml.ScalarNode || key.ShortTag() == "!!merge" {
			return nil, fmt.Errorf("line %d: CloudFormation has no such key", key.Line)
		}
		if _, twice := fields[key.Value]; twice {
			return nil, fmt.Errorf("line %d: %s is set twice", key.Line, key.Value)
		}
		v, err := plain(value)
		if err != nil {
			return nil, err
		}
		fields[key.Value] = v
	}
	return fields, nil
}

// section is one of the template's top-level maps.
func section(root map[string]any, name string) (map[string]any, error) {
	switch s := root[name].(type) {
	case nil:
		return nil, nil
	case map[string]any:
		return s, nil
	default:
		return nil, fmt.Errorf("%s is not a map", name)
	}
}

// intrinsic returns the name of the function that a map calls: Ref, Condition or Fn::….
func intrinsic(v any) (string, bool) {
	m, _ := v.(map[string]any)
	if len(m) != 1 {
		return "", false
	}
	for name := range m {
		if name == "Ref" || name == "Condition" || strings.HasPrefix(name, "Fn::") {
			return name, true
		}
	}
	return "", false
}

// merge lays a resource's properties over the Globals: maps are merged, lists joined, everything else is replaced.
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-template-anatomy-globals.html
func merge(global, local any) any {
	_, calls := intrinsic(global)
	if _, too := intrinsic(local); calls || too {
		return local
	}
	switch g := global.(type) {
	case map[string]any:
		l, ok := local.(map[string]any)
		if !ok {
			return local
		}
		merged := make(map[string]any, len(g)+len(l))
		for k, v := range g {
			merged[k] = v
		}
		for k, v := range l {
			if base, both := g[k]; both {
				v = merge(base, v)
			}
			merged[k] = v
		}
		return merged
	case []any:
		if l, ok := local.([]any); ok {
			return append(append([]any(nil), g...), l...)
		}
	}
	return local
}
