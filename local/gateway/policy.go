package gateway

// This file evaluates the policy that an authorizer returns. It knows less than IAM and refuses the rest: a document with an element that is not evaluated
// here is an error, never a document with one element fewer.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

const (
	invokeAction  = "execute-api:invoke" // actions are compared without regard to case
	resourceLimit = 512                  // bytes; https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html
)

// policy is a parsed document.
type policy []statement

type statement struct {
	allow     bool
	actions   []string
	resources []string
}

// outcome is what a policy says about one request.
type outcome int

const (
	notMentioned outcome = iota // the implicit Deny
	allowed
	denied // an explicit Deny, which wins over every Allow
)

// evaluate returns the strictest of what the policy says about several spellings of one request's ARN. The first is the one that the authorizer was told:
// a policy that repeats it means the request, however it is spelled.
func (p policy) evaluate(arns ...string) outcome {
	strictest := allowed
	for _, arn := range arns {
		switch p.about(arn, arns[0]) {
		case denied:
			return denied
		case notMentioned:
			strictest = notMentioned
		}
	}
	return strictest
}

func (p policy) about(arn, told string) outcome {
	verdict := notMentioned
	for _, s := range p {
		if !s.applies(arn, told) {
			continue
		}
		if !s.allow {
			return denied
		}
		verdict = allowed
	}
	return verdict
}

func (s statement) applies(arn, told string) bool {
	action := false
	for _, pattern := range s.actions {
		action = action || matches(strings.ToLower(pattern), invokeAction)
	}
	if !action {
		return false
	}
	for _, pattern := range s.resources {
		if pattern == told || matchesARN(pattern, arn) {
			return true
		}
	}
	return false
}

// matchesARN compares part by part: a star stays within the parts that colons separate, and crosses slashes. What follows the fifth colon is one part,
// because a path may hold colons of its own.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
func matchesARN(pattern, arn string) bool {
	if pattern == "*" {
		return true
	}
	patterns, parts := strings.SplitN(pattern, ":", 6), strings.SplitN(arn, ":", 6)
	if len(patterns) != 6 || len(parts) != 6 {
		return false
	}
	for i := range parts {
		if !matches(patterns[i], parts[i]) {
			return false
		}
	}
	return true
}

// matches reports whether s is what the pattern says: * stands for any run of characters, ? for one, everything else for itself.
func matches(pattern, s string) bool {
	p, rest := []rune(pattern), []rune(s)
	i, j := 0, 0
	star, mark := -1, 0 // the last star, and where in s what it stands for ends
	for j < len(rest) {
		switch {
		case i < len(p) && p[i] == '*':
			star, mark = i, j
			i++
		case i < len(p) && (p[i] == '?' || p[i] == rest[j]):
			i++
			j++
		case star >= 0:
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	for i < len(p) && p[i] == '*' {
		i++
	}
	return i == len(p)
}

func parsePolicy(document json.RawMessage) (policy, error) {
	fields, err := members(document, "policyDocument", "Version", "Statement", "Id")
	if err != nil {
		return nil, err
	}
	if version, err := text(fields["Version"]); err != nil || version != "2012-10-17" {
		return nil, errors.New("policyDocument.Version is not 2012-10-17")
	}
	statements, err := oneOrMore(fields["Statement"])
	if err != nil {
		return nil, fmt.Errorf("policyDocument.Statement: %w", err)
	}
	var p policy
	for i, raw := range statements {
		s, err := parseStatement(raw)
		if err != nil {
			return nil, fmt.Errorf("statement %d: %w", i, err)
		}
		p = append(p, s)
	}
	return p, nil
}

func parseStatement(raw json.RawMessage) (s statement, err error) {
	fields, err := members(raw, "statement", "Sid", "Effect", "Action", "Resource")
	if err != nil {
		return s, err
	}
	switch effect, err := text(fields["Effect"]); {
	case err == nil && effect == "Allow":
		s.allow = true
	case err != nil || effect != "Deny":
		return s, errors.New("an Effect is neither Allow nor Deny")
	}
	if s.actions, err = manyTexts(fields["Action"]); err != nil {
		return s, fmt.Errorf("an Action: %w", err)
	}
	if s.resources, err = manyTexts(fields["Resource"]); err != nil {
		return s, fmt.Errorf("a Resource: %w", err)
	}
	for _, r := range s.resources {
		switch {
		case len(r) > resourceLimit:
			return s, fmt.Errorf("a Resource is longer than %d bytes", resourceLimit)
		case strings.Contains(r, "${"):
			return s, errors.New("policy variables are not modelled")
		case r != "*" && (!strings.HasPrefix(r, "arn:") || strings.Count(r, ":") < 5):
			return s, errors.New("a Resource is no ARN")
		}
	}
	return s, nil
}

// members reads an object that has no members but the known ones, each once and in exactly this spelling.
func members(raw json.RawMessage, what string, known ...string) (map[string]json.RawMessage, error) {
	decoder := json.NewDecoder(strings.NewReader(string(raw)))
	if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
		return nil, fmt.Errorf("%s is not an object", what)
	}
	fields := map[string]json.RawMessage{}
	for decoder.More() {
		token, err := decoder.Token()
		name, _ := token.(string)
		if err != nil {
			return nil, fmt.Errorf("%s cannot be read", what)
		}
		if _, twice := fields[name]; twice {
			return nil, fmt.Errorf("%s has a member twice", what)
		}
		if !contains(known, name) {
			return nil, fmt.Errorf("%s has a member that is not modelled: %.40q", what, name)
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return nil, fmt.Errorf("%s cannot be read", what)
		}
		fields[name] = value
	}
	return fields, nil
}

func contains(list []string, s string) bool {
	for _, item := range list {
		if item == s {
			return true
		}
	}
	return false
}

func text(raw json.RawMessage) (string, error) {
	var s *string
	if err := json.Unmarshal(raw, &s); err != nil || s == nil {
		return "", errors.New("not a text")
	}
	return *s, nil
}

// oneOrMore reads a value or a list of values, but not an empty list.
func oneOrMore(raw json.RawMessage) ([]json.RawMessage, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, errors.New("missing")
	}
	if raw[0] != '[' {
		return []json.RawMessage{raw}, nil
	}
	var list []json.RawMessage
	if err := json.Unmarshal(raw, &list); err != nil || len(list) == 0 {
		return nil, errors.New("empty")
	}
	return list, nil
}

func manyTexts(raw json.RawMessage) ([]string, error) {
	list, err := oneOrMore(raw)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, item := range list {
		s, err := text(item)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}
