package gateway

// This file is the CORS configuration of an HTTP API: the gateway answers preflights itself, and its headers replace those of the function.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"edgeauth/local/sam"
)

// checkCORS refuses what API Gateway would not take, and patterns of origins that are not documented.
func checkCORS(c *sam.CORS) error {
	if c == nil {
		return nil
	}
	if len(c.Origins) == 0 {
		return errors.New("CORS: no origins are allowed")
	}
	for _, origin := range c.Origins {
		switch {
		case origin == "*" && c.Credentials:
			return errors.New("CORS: credentials are not allowed for every origin")
		case strings.Contains(origin, "*") && !slices.Contains([]string{"*", "http://*", "https://*"}, origin):
			return fmt.Errorf("CORS: the origin %s is not modelled", origin)
		}
	}
	return nil
}

// answersPreflight reports whether the gateway answers in place of a route. A preflight that a route with an authorizer takes, by ANY or $default, is that
// route's: then it is authorized like any other request, and fails.
func (g *gate) answersPreflight(q *request) bool {
	_, asks := q.header("Access-Control-Request-Method")
	_, crosses := q.header("Origin")
	if g.api.CORS == nil || q.method != http.MethodOptions || !asks || !crosses {
		return false
	}
	return q.route == nil || q.route.Method != http.MethodOptions && q.route.Authorizer == ""
}

func (g *gate) preflightHTTP(w http.ResponseWriter, q *request) {
	h, c := w.Header(), g.api.CORS
	if g.allowOrigin(h, q) {
		for name, values := range map[string][]string{"Access-Control-Allow-Methods": c.Methods, "Access-Control-Allow-Headers": c.Headers} {
			if len(values) > 0 {
				h.Set(name, strings.Join(values, ","))
			}
		}
		if c.MaxAge > 0 {
			h.Set("Access-Control-Max-Age", strconv.Itoa(c.MaxAge))
		}
	}
	w.WriteHeader(http.StatusNoContent)
}

// share puts the configured headers on an answer, in place of the function's own.
func (g *gate) share(h http.Header, q *request) {
	if g.api.CORS == nil {
		return
	}
	for name := range h {
		if strings.HasPrefix(name, "Access-Control-") {
			h.Del(name)
		}
	}
	if g.allowOrigin(h, q) && len(g.api.CORS.Expose) > 0 {
		h.Set("Access-Control-Expose-Headers", strings.Join(g.api.CORS.Expose, ","))
	}
}

// allowOrigin names the origin of the request if it is one of those that are allowed.
func (g *gate) allowOrigin(h http.Header, q *request) bool {
	origin, ok := q.header("Origin")
	if !ok {
		return false
	}
	for _, allowed := range g.api.CORS.Origins {
		prefix, open := strings.CutSuffix(allowed, "*")
		switch {
		case allowed == "*":
			h.Set("Access-Control-Allow-Origin", "*")
		case allowed == origin || open && strings.HasPrefix(origin, prefix):
			h.Set("Access-Control-Allow-Origin", origin)
		default:
			continue
		}
		if g.api.CORS.Credentials {
			h.Set("Access-Control-Allow-Credentials", "true")
		}
		return true
	}
	return false
}
