package gateway

// This file is the answers that API Gateway gives itself, and how a template changes them.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"edgeauth/local/sam"
)

// failure is an answer that no function wrote.
type failure struct {
	kind      string // gateway response type; empty: one that no template can change
	status    int
	message   string // empty: null
	member    string // of the default body: message, or Message
	exception string // x-amzn-ErrorType
}

func unauthorized() *failure {
	return &failure{"UNAUTHORIZED", http.StatusUnauthorized, "Unauthorized", "message", "UnauthorizedException"}
}

func explicitlyDenied() *failure {
	return &failure{"ACCESS_DENIED", http.StatusForbidden, "User is not authorized to access this resource with an explicit deny", "Message", "AccessDeniedException"}
}

func implicitlyDenied() *failure {
	return &failure{"ACCESS_DENIED", http.StatusForbidden, "User is not authorized to access this resource", "Message", "AccessDeniedException"}
}

func authorizerConfiguration() *failure {
	return &failure{"AUTHORIZER_CONFIGURATION_ERROR", http.StatusInternalServerError, "", "message", "AuthorizerConfigurationException"}
}

func authorizerFailure() *failure {
	return &failure{"AUTHORIZER_FAILURE", http.StatusInternalServerError, "", "message", "AuthorizerFailureException"}
}

func missingToken() *failure {
	return &failure{"MISSING_AUTHENTICATION_TOKEN", http.StatusForbidden, "Missing Authentication Token", "message", "MissingAuthenticationTokenException"}
}

func integrationTimeout() *failure {
	return &failure{"INTEGRATION_TIMEOUT", http.StatusGatewayTimeout, "Endpoint request timed out", "message", "InternalServerErrorException"}
}

func integrationFailure() *failure {
	return &failure{"INTEGRATION_FAILURE", http.StatusBadGateway, "Internal server error", "message", "InternalServerErrorException"}
}

func malformedResponse() *failure {
	return &failure{"DEFAULT_5XX", http.StatusBadGateway, "Internal server error", "message", "InternalServerErrorException"}
}

func requestTooLarge() *failure {
	return &failure{"", http.StatusRequestEntityTooLarge, "Request Too Long", "message", "RequestTooLargeException"}
}

func uriTooLong() *failure {
	return &failure{"", http.StatusRequestURITooLong, "Request URI too long", "message", "RequestUriTooLongException"}
}

func headersTooLarge(limit int) *failure {
	return &failure{"", http.StatusRequestHeaderFieldsTooLarge, fmt.Sprintf("HTTP header is larger than %d bytes", limit), "message", "BadRequestException"}
}

func forbidden() *failure {
	return &failure{"", http.StatusForbidden, "Forbidden", "message", "ForbiddenException"}
}

func notFound() *failure {
	return &failure{"", http.StatusNotFound, "Not Found", "message", "NotFoundException"}
}

func unsupportedMediaType() *failure {
	return &failure{"UNSUPPORTED_MEDIA_TYPE", http.StatusUnsupportedMediaType, "Unsupported Media Type", "message", "BadRequestException"}
}

func apiConfiguration() *failure {
	return &failure{"API_CONFIGURATION_ERROR", http.StatusInternalServerError, "Internal server error", "message", "InternalServerErrorException"}
}

func upgradeRequired() *failure {
	return &failure{"", http.StatusUpgradeRequired, "Upgrade Required", "message", "BadRequestException"}
}

func badRequest() *failure {
	return &failure{"", http.StatusBadRequest, "Bad Request", "message", "BadRequestException"}
}

func (f *failure) messageString() string {
	if f.message == "" {
		return "null"
	}
	quoted, _ := json.Marshal(f.message)
	return string(quoted)
}

// response is one gateway response, ready to be rendered.
type response struct {
	status    int // 0: the failure's own
	headers   map[string]source
	templates map[string]template
}

const defaultMediaType = "application/json"

// compileResponse checks every expression of a gateway response now, so that none fails in front of a user.
func (g *gate) compileResponse(kind string, r sam.Response) (response, error) {
	out := response{status: r.Status, headers: map[string]source{}, templates: map[string]template{}}
	for _, name := range slices.Sorted(maps.Keys(r.Headers)) {
		if !headerName.MatchString(name) {
			return out, fmt.Errorf("%q is no header name", name)
		}
		s, err := g.compileHeader(kind, r.Headers[name])
		if err != nil {
			return out, fmt.Errorf("header %s: %w", name, err)
		}
		out.headers[name] = s
	}
	for _, mediaType := range slices.Sorted(maps.Keys(r.Templates)) {
		t, err := g.compileTemplate(kind, r.Templates[mediaType])
		if err != nil {
			return out, fmt.Errorf("template %s: %w", mediaType, err)
		}
		out.templates[mediaType] = t
	}
	return out, nil
}

// find returns the response that the template has for a failure. A type of its own inherits nothing from the default ones.
func (g *gate) find(f *failure) (response, bool) {
	if r, ok := g.responses[f.kind]; ok || f.kind == "" {
		return r, ok
	}
	r, ok := g.responses["DEFAULT_"+strconv.Itoa(f.status/100)+"XX"]
	return r, ok
}

// fail answers with a failure.
func (g *gate) fail(w http.ResponseWriter, q *request, f *failure) {
	if g.api.Kind == sam.HTTP {
		failHTTP(w, f)
		return
	}
	h := w.Header()
	h.Set("x-amzn-ErrorType", f.exception)
	r, ok := g.find(f)
	if !ok {
		refuse(w, f)
		return
	}
	mediaType, body, err := r.body(q, f)
	h.Set("Content-Type", mediaType)
	for _, name := range slices.Sorted(maps.Keys(r.headers)) {
		value, ok := r.headers[name].read(q, f)
		switch {
		case ok && !printable(value):
			err = fmt.Errorf("%s would hold characters that no header should", name)
		case ok:
			h.Set(name, value)
		case !r.headers[name].optional:
			err = fmt.Errorf("%s: %w", name, errUndefined)
		}
	}
	if err != nil {
		g.unknown(w, f, err)
		return
	}
	status := f.status
	if r.status != 0 {
		status = r.status
	}
	write(w, status, body)
}

// refuse answers with a failure that no template has changed.
func refuse(w http.ResponseWriter, f *failure) {
	w.Header().Set("x-amzn-ErrorType", f.exception)
	w.Header().Set("Content-Type", defaultMediaType)
	write(w, f.status, `{"`+f.member+`":`+f.messageString()+`}`)
}

// unknown answers where nobody knows what AWS would: an undefined variable, a header value that may be dropped or passed on.
func (g *gate) unknown(w http.ResponseWriter, f *failure, err error) {
	g.logf("gateway response %s: %v; what AWS does then is not documented", f.kind, err)
	clear(w.Header())
	w.Header().Set("Content-Type", defaultMediaType)
	message, _ := json.Marshal(fmt.Sprintf("local gateway: %s: %v", f.kind, err))
	write(w, http.StatusInternalServerError, `{"message":`+string(message)+`}`)
}

// body renders the template for the first media type in Accept, else the JSON one, else the first by name.
func (r response) body(q *request, f *failure) (mediaType, body string, err error) {
	accept, _ := q.header("Accept")
	accept, _, _ = strings.Cut(accept, ",")
	accept, _, _ = strings.Cut(accept, ";")
	for _, mediaType := range append([]string{strings.TrimSpace(accept), defaultMediaType}, slices.Sorted(maps.Keys(r.templates))...) {
		if t, ok := r.templates[mediaType]; ok {
			body, err := t.render(q, f)
			return mediaType, body, err
		}
	}
	return defaultMediaType, `{"message":` + f.messageString() + `}`, nil
}

func write(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body)) // a client that is gone is no concern of ours
}

func printable(s string) bool {
	for _, c := range []byte(s) {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}
