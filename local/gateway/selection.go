package gateway

// This file is the language of route selection expressions.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-selection-expressions.html

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// selection is an expression: texts and members of the message in turn.
type selection []selected

type selected struct {
	text string
	path []string // of a member; nil for a text
}

var selector = regexp.MustCompile(`^(?:\$request\.body((?:\.[A-Za-z0-9_]+)+)|\$\{request\.body((?:\.[A-Za-z0-9_]+)+)\}|\\(\$)|([^$\\\[\]]+))`)

// compileSelection reads an expression. Of JSONPath it knows the names of members.
func compileSelection(expression string) (selection, error) {
	var s selection
	for rest := expression; rest != ""; {
		found := selector.FindStringSubmatch(rest)
		if found == nil {
			return nil, fmt.Errorf("the route selection expression %s is not modelled", expression)
		}
		if path := found[1] + found[2]; path != "" {
			s = append(s, selected{path: strings.Split(path[1:], ".")})
		} else {
			s = append(s, selected{text: found[3] + found[4]})
		}
		rest = rest[len(found[0]):]
	}
	if len(s) == 0 {
		return nil, fmt.Errorf("a route selection expression is missing")
	}
	return s, nil
}

// evaluate reports false where the expression cannot be evaluated against a message. A member that is missing is an empty text among others.
func (s selection) evaluate(message []byte) (string, bool) {
	key := ""
	for _, one := range s {
		if one.path == nil {
			key += one.text
			continue
		}
		value, ok := member(message, one.path)
		if !ok && len(s) == 1 {
			return "", false
		}
		key += value
	}
	return key, true
}

// member is the text of a scalar within a JSON object.
func member(message []byte, path []string) (string, bool) {
	raw := json.RawMessage(message)
	for _, name := range path {
		var object map[string]json.RawMessage
		if json.Unmarshal(raw, &object) != nil || object[name] == nil {
			return "", false
		}
		raw = object[name]
	}
	if s, err := text(raw); err == nil {
		return s, true
	}
	if strings.ContainsRune("{[n", rune(raw[0])) {
		return "", false
	}
	return string(raw), true
}
