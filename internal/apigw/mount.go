// This file finds where an API is mounted: which part of the path that a client sees is stage or base path, and which the API's own.
//
// No member says so. At the API's own host name the path begins with the stage, at a custom domain name with the base path, if there is one; the
// member "path" lacks the former but has the latter. What is certain is the resource that matched: filled in, it is what the path ends with.

package apigw

import (
	"net/url"
	"strings"

	"edgeauth/internal/jsonread"
)

// mount divides path into Base and Route. The route is what the ARN says if path ends with that, else the template filled in.
func (r *Request) mount(path, arnPath, template string) {
	r.Path = path
	b, ok := before(path, arnPath)
	if !ok {
		b = base(path, r.stage(), template, r.event.parameters)
	}
	r.Base = b
	if r.Route = path[len(b):]; r.Route == "" {
		r.Route = "/"
	}
}

// stage returns the stage, if it may be the beginning of a path. An HTTP API has none there if it is called $default, nor under a domain of its own:
// what looks like it then is the client's.
func (r *Request) stage() string {
	stage := r.event.context.stage
	if r.Kind != REST && (stage == "$default" || !strings.Contains(r.Domain, ".execute-api.")) {
		return ""
	}
	return stage
}

// base returns what path has before a template filled in; where that fails, the stage if path begins with it.
func base(path, stage, template string, parameters []byte) string {
	if route, ok := expand(template, parameters); ok {
		if b, ok := before(path, route); ok {
			return b
		}
	}
	if b := "/" + stage; stage != "" && (path == b || strings.HasPrefix(path, b+"/")) && mountable(b) {
		return b
	}
	return ""
}

// before returns what path has before route. One slash at the end of either makes no difference, and neither does an escape that the other lacks.
func before(path, route string) (string, bool) {
	if !strings.HasPrefix(route, "/") {
		return "", false
	}
	path, route = strings.TrimSuffix(path, "/"), strings.TrimSuffix(route, "/")
	if b, ok := strings.CutSuffix(path, route); ok {
		return b, mountable(b)
	}
	n := strings.Count(path, "/") - strings.Count(route, "/")
	if n < 0 {
		return "", false
	}
	b := path
	for strings.Count(b, "/") > n {
		b = b[:strings.LastIndexByte(b, '/')]
	}
	return b, unescape(path[len(b):]) == unescape(route) && mountable(b)
}

// unescape returns s with its percent-escapes resolved, or s itself where they are none.
func unescape(s string) string {
	if u, err := url.PathUnescape(s); err == nil {
		return u
	}
	return s
}

// mountable reports whether b is a stage or base path that can stand at the beginning of a link: one that leads nowhere but to this origin.
func mountable(b string) bool {
	if b == "" {
		return true
	}
	for segment := range strings.SplitSeq(b[1:], "/") {
		if segment == "" || segment == "." || segment == ".." || !linkable(segment) {
			return false
		}
	}
	return b[0] == '/'
}

// linkable reports whether every character of a segment may stand in a link as it is.
func linkable(segment string) bool {
	for i := range len(segment) {
		if !word(segment[i:i+1]) && strings.IndexByte(".~$+!'()", segment[i]) < 0 {
			return false
		}
	}
	return true
}

// expand fills the parameters into a resource's template. It returns false if one is missing.
func expand(template string, parameters []byte) (string, bool) {
	if !strings.Contains(template, "{") {
		return template, true
	}
	var b strings.Builder
	for {
		text, rest, ok := strings.Cut(template, "{")
		b.WriteString(text)
		if !ok {
			return b.String(), true
		}
		name, rest, _ := strings.Cut(rest, "}")
		value, ok := parameter(parameters, strings.TrimSuffix(name, "+"))
		if !ok {
			return "", false
		}
		b.WriteString(value)
		template = rest
	}
}

// parameter finds one of the path parameters. A second one of its name leaves none.
func parameter(parameters []byte, want string) (value string, ok bool) {
	j := jsonread.New(parameters)
	if len(parameters) == 0 || j.Null() {
		return "", false
	}
	for name := range j.Members() {
		if name == want {
			value, ok = j.String()
		} else {
			j.Skip()
		}
	}
	return value, ok && j.End() == nil
}
