package gateway

// This file is the little language of gateway responses and identity sources: variables and static texts, without a template engine. An expression that is
// not in it is refused when the gateway starts.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/request-response-data-mappings.html
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-gatewayResponse-definition.html

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"edgeauth/local/sam"
)

// source reads one value of a request.
type source struct {
	read     func(*request, *failure) (string, bool)
	optional bool // whether it may be missing: what a client sends may, what an authorizer returns may not
}

func static(value string) source {
	return source{read: func(*request, *failure) (string, bool) { return value, true }}
}

// reader is a value that every request has.
func reader(read func(*request) string) source {
	return source{read: func(q *request, _ *failure) (string, bool) { return read(q), true }}
}

var headerName = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")

// compileHeader reads the source of a gateway response's header: one expression or one text within single quotes, nothing joined.
func (g *gate) compileHeader(kind, expression string) (source, error) {
	if strings.HasPrefix(expression, "'") {
		value := strings.TrimPrefix(expression, "'")
		if !strings.HasSuffix(value, "'") || !printable(value) {
			return source{}, fmt.Errorf("%s is not one text within single quotes", expression)
		}
		return static(strings.TrimSuffix(value, "'")), nil
	}
	if strings.HasPrefix(expression, "context.error.") {
		return source{}, fmt.Errorf("%s can only be used in a body", expression)
	}
	return g.compileExpression(kind, expression)
}

// compileExpression reads context.X, stageVariables.X or method.request.<place>.X, for a gateway response of some kind.
func (g *gate) compileExpression(kind, expression string) (source, error) {
	if strings.HasPrefix(expression, "context.authorizer.") && kind != "ACCESS_DENIED" {
		return source{}, fmt.Errorf("%s is not there: the authorizer has returned nothing", expression)
	}
	return g.compileSource(expression)
}

func (g *gate) compileSource(expression string) (source, error) {
	var s source
	if name, ok := strings.CutPrefix(expression, "context."); ok {
		s = g.contextSource(name)
	} else if name, ok := strings.CutPrefix(expression, "stageVariables."); ok {
		if value, set := g.api.Variables[name]; set {
			s = static(value)
		}
	} else if rest, ok := strings.CutPrefix(expression, "method.request."); ok {
		place, name, _ := strings.Cut(rest, ".")
		s = requestSource(place, name)
	}
	if s.read == nil {
		return s, fmt.Errorf("%s is not modelled", expression)
	}
	return s, nil
}

// spellings say where the sources of each kind of API begin.
var spellings = map[sam.Kind]struct{ request, context, variables string }{
	sam.REST:      {"method.request.", "context.", "stageVariables."},
	sam.HTTP:      {"$request.", "$context.", "$stageVariables."},
	sam.WebSocket: {"route.request.", "context.", "stageVariables."},
}

// compileIdentity reads an identity source, in the spelling of the API's kind.
func (g *gate) compileIdentity(expression string) (source, error) {
	spelling := spellings[g.api.Kind]
	usual := expression
	if rest, ok := strings.CutPrefix(expression, spelling.request); ok {
		if strings.HasPrefix(rest, "path.") {
			return source{}, fmt.Errorf("%s cannot be an identity source", expression)
		}
		usual = "method.request." + rest
	} else if rest, ok := strings.CutPrefix(expression, spelling.context); ok {
		if strings.HasPrefix(rest, "authorizer.") || strings.HasPrefix(rest, "error.") {
			return source{}, fmt.Errorf("%s cannot be an identity source", expression)
		}
		usual = "context." + rest
	} else if rest, ok := strings.CutPrefix(expression, spelling.variables); ok {
		usual = "stageVariables." + rest
	} else {
		return source{}, fmt.Errorf("%s is not modelled", expression)
	}
	s, err := g.compileSource(usual)
	if err != nil {
		return s, fmt.Errorf("%s is not modelled", expression)
	}
	return s, nil
}

func requestSource(place, name string) source {
	if name == "" {
		return source{}
	}
	switch place {
	case "header":
		return source{func(q *request, _ *failure) (string, bool) { return q.header(name) }, true}
	case "querystring":
		return source{func(q *request, _ *failure) (string, bool) { v, ok := last(q.query)[name]; return v, ok }, true}
	case "path":
		return source{func(q *request, _ *failure) (string, bool) { v, ok := q.parameters[name]; return v, ok }, true}
	}
	return source{}
}

func (g *gate) contextSource(name string) source {
	if property, ok := strings.CutPrefix(name, "authorizer."); ok && property != "" {
		return source{read: func(q *request, _ *failure) (string, bool) { v, ok := q.authorizer[property].(string); return v, ok }}
	}
	switch name {
	case "accountId":
		return static(sam.Account)
	case "apiId":
		return static(g.api.ID)
	case "domainName":
		return reader(func(q *request) string { return q.host })
	case "protocol":
		return static(protocol)
	case "stage":
		return static(g.api.Stage)
	case "extendedRequestId":
		return reader(func(q *request) string { return q.extID })
	case "requestId":
		return reader(func(q *request) string { return q.id })
	case "httpMethod":
		return reader(func(q *request) string { return q.method })
	case "path":
		return reader(func(q *request) string { return q.fullPath })
	case "requestTime":
		return reader(func(q *request) string { return q.time.UTC().Format(timeFormat) })
	case "requestTimeEpoch":
		return reader(func(q *request) string { return strconv.FormatInt(q.time.UnixMilli(), 10) })
	case "identity.sourceIp":
		return reader(func(q *request) string { return q.sourceIP })
	case "identity.userAgent":
		return reader(func(q *request) string { return q.userAgent })
	case "routeKey":
		if g.api.Kind == sam.REST {
			return source{}
		}
		return source{func(q *request, _ *failure) (string, bool) {
			if q.route == nil {
				return "", false
			}
			return routeKey(q.route), true
		}, true}
	case "resourcePath":
		return source{func(q *request, _ *failure) (string, bool) {
			if q.route == nil {
				return "", false
			}
			return q.route.Path, true
		}, true}
	case "error.message":
		return source{func(_ *request, f *failure) (string, bool) { return f.message, f.message != "" }, true}
	case "error.messageString":
		return source{read: func(_ *request, f *failure) (string, bool) { return f.messageString(), true }}
	case "error.responseType":
		return source{read: func(_ *request, f *failure) (string, bool) { return f.kind, true }}
	}
	return source{}
}

// template is a body: texts and variables in turn.
type template []source

// reference is the name of a variable; a dot at its end belongs to the sentence.
const reference = `((?:context|stageVariables|method\.request)\.[A-Za-z0-9_.-]*[A-Za-z0-9_-])`

var (
	variable  = regexp.MustCompile(`\$` + reference + `|\$\{` + reference + `\}`)
	directive = regexp.MustCompile(`\$(input|util)\b|#(set|if|else|elseif|end|foreach)\b`)
)

// compileTemplate reads a body template of a gateway response.
func (g *gate) compileTemplate(kind, text string) (template, error) {
	if found := directive.FindString(text); found != "" {
		return nil, fmt.Errorf("%s: gateway responses have no template engine", found)
	}
	t := template{}
	rest := 0
	for _, span := range variable.FindAllStringSubmatchIndex(text, -1) {
		name := span[2:4] // of $name
		if name[0] < 0 {
			name = span[4:6] // of ${name}
		}
		s, err := g.compileExpression(kind, text[name[0]:name[1]])
		if err != nil {
			return nil, err
		}
		t = append(t, static(text[rest:span[0]]), s)
		rest = span[1]
	}
	return append(t, static(text[rest:])), nil
}

var errUndefined = errors.New("it refers to what the authorizer did not return")

// render fills the variables in, escaping nothing.
func (t template) render(q *request, f *failure) (string, error) {
	var out strings.Builder
	for _, s := range t {
		value, ok := s.read(q, f)
		if !ok && !s.optional {
			return "", errUndefined
		}
		out.WriteString(value)
	}
	return out.String(), nil
}
