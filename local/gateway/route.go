package gateway

// This file finds the method of the API that a request is for.

import (
	"slices"
	"strings"

	"edgeauth/local/sam"
)

// match finds the route for a method and a path without its stage, and the path's parameters. Of the resources that match, the one that is literal for
// longest is taken; only then does the method count, an exact one before ANY. A trailing slash is ignored. Parameters keep their percent-encoding.
func match(routes []sam.Route, method, path string) (*sam.Route, map[string]string) {
	var best string
	var parameters map[string]string
	for _, r := range routes {
		if p, ok := matchPath(r.Path, path); ok && (best == "" || moreLiteral(r.Path, best)) {
			best, parameters = r.Path, p
		}
	}
	var found *sam.Route
	for i, r := range routes {
		if r.Path != best || best == "" {
			continue
		}
		if r.Method == method {
			return &routes[i], parameters
		}
		if r.Method == "ANY" && slices.Contains(anyMethods, method) {
			found = &routes[i]
		}
	}
	return found, parameters
}

// anyMethods are the methods that ANY stands for.
var anyMethods = []string{"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}

func parts(path string) []string {
	trimmed := strings.TrimRight(strings.TrimPrefix(path, "/"), "/")
	if trimmed == "" {
		return nil
	}
	return strings.Split(trimmed, "/")
}

func matchPath(template, path string) (map[string]string, bool) {
	wanted, given := parts(template), parts(path)
	parameters := map[string]string{}
	for i, want := range wanted {
		if i >= len(given) {
			return nil, false
		}
		name, variable := variableName(want)
		switch {
		case variable && strings.HasSuffix(name, "+"):
			parameters[strings.TrimSuffix(name, "+")] = strings.Join(given[i:], "/")
			return parameters, true
		case variable && given[i] != "":
			parameters[name] = given[i]
		case want != given[i]:
			return nil, false
		}
	}
	return parameters, len(wanted) == len(given)
}

func variableName(part string) (string, bool) {
	if !strings.HasPrefix(part, "{") {
		return "", false
	}
	return part[1 : len(part)-1], true
}

// moreLiteral reports whether template a is to be preferred to b, where both match one path.
func moreLiteral(a, b string) bool {
	x, y := parts(a), parts(b)
	for i := range min(len(x), len(y)) {
		if rx, ry := rank(x[i]), rank(y[i]); rx != ry {
			return rx < ry
		}
	}
	return len(x) < len(y)
}

// rank orders the parts of a path template: literal, {name}, {name+}.
func rank(part string) int {
	name, variable := variableName(part)
	switch {
	case !variable:
		return 0
	case !strings.HasSuffix(name, "+"):
		return 1
	}
	return 2
}
