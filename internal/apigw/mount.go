// This file finds where an API is mounted: which part of the path that a client sees is stage or
// base path, and which the API's own. Rules are about the latter alone, so a wrong guess would
// leave a rule behind.
//
// No member says so. At the API's own host name the path begins with the stage, at a custom domain
// name with the base path, if there is one. What the ARN says, and the route's template with its
// parameters filled in, is what the path ends with; the stage, at the API's own host name, what it
// begins with. All that say something have to say the same.

package apigw

import (
	"strings"
	"unsafe"

	"edgeauth/internal/jsonread"
)

// mount divides path into Base and Route, if that can be told. Otherwise Base is a guess that is
// good for a link, and there is no Route.
func (r *Request) mount(path, arnPath, template string) {
	r.Path = path
	if r.Base, r.Mounted = r.agreed(path, arnPath, template); !r.Mounted {
		r.Base = base(path, r.event.context.stage, template, r.event.parameters)
		return
	}
	if r.Route = path[len(r.Base):]; r.Route == "" {
		r.Route = "/"
	}
}

// agreed returns the base that every part of the event which says something says.
func (r *Request) agreed(path, arnPath, template string) (agreed string, ok bool) {
	ours := strings.Contains(r.Domain, ".execute-api.")
	var scratch [256]byte
	filled, whole := expand(scratch[:0], template, r.event.parameters)
	byARN, byTemplate, byStage := said(path, arnPath), said(path, unsafe.String(unsafe.SliceData(filled), len(filled))), claim{}
	if r.Kind != REST && arnPath == "/" && template != "/" {
		byARN = claim{} // what the ARN of a catch-all route looks like is not documented
	}
	if !whole {
		byTemplate = claim{speaks: true}
	}
	if stage := r.event.context.stage; ours && stage != "" {
		if r.Kind != REST && stage == "$default" {
			stage = ""
		}
		byStage = claim{base: "", speaks: true, fits: stage == ""}
		if below, ok := strings.CutPrefix(path[1:], stage); ok && stage != "" && (below == "" || below[0] == '/') {
			byStage.base, byStage.fits = path[:len(path)-len(below)], true
		}
	}
	if !byTemplate.speaks && !byStage.speaks && byARN.base == "" && r.Kind != REST && !local(r.Domain) {
		return "", false // an ARN with the base path in it would look the same
	}
	for _, c := range [...]claim{byARN, byTemplate, byStage} {
		switch {
		case !c.speaks:
		case !c.fits || ok && c.base != agreed:
			return "", false
		default:
			agreed, ok = c.base, true
		}
	}
	return agreed, ok
}

// claim is what one part of an event says about the base.
type claim struct {
	base   string
	speaks bool // it says something
	fits   bool // which can be true of the path
}

// said returns what a route, if it is one, says about the base of path.
func said(path, route string) claim {
	if !strings.HasPrefix(route, "/") {
		return claim{}
	}
	b, ok := before(path, route)
	return claim{b, true, ok}
}

// local reports whether a host is this machine, where no base path is unknown.
func local(host string) bool {
	name, _, _ := strings.Cut(host, ":")
	return name == "localhost" || name == "127.0.0.1"
}

// base returns what path has before a template filled in; where that fails, the stage if path
// begins with it.
func base(path, stage, template string, parameters []byte) string {
	if route, ok := expand(nil, template, parameters); ok {
		if b, ok := before(path, string(route)); ok {
			return b
		}
	}
	if b := "/" + stage; stage != "" && (path == b || strings.HasPrefix(path, b+"/")) && mountable(b) {
		return b
	}
	return ""
}

// before returns what path has before route. One slash at the end of either makes no difference,
// and neither does an escape that the other lacks.
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
	return b, sameText(path[len(b):], route) && mountable(b)
}

// sameText reports whether a and b are the same text once their percent-escapes are resolved.
func sameText(a, b string) bool {
	for a != "" && b != "" {
		c, n := octet(a)
		d, m := octet(b)
		if c != d {
			return false
		}
		a, b = a[n:], b[m:]
	}
	return a == b
}

// octet returns the first byte of s, or what the escape that s begins with stands for, and how long
// that is.
func octet(s string) (byte, int) {
	if s[0] == '%' && len(s) >= 3 {
		if high, low := strings.IndexByte(hexDigits, s[1]|0x20), strings.IndexByte(hexDigits, s[2]|0x20); high >= 0 && low >= 0 {
			return byte(high<<4 | low), 3
		}
	}
	return s[0], 1
}

// hexDigits are the digits of an escape. (No other byte becomes one by setting the bit that makes
// letters small but control characters, which no path holds.)
const hexDigits = "0123456789abcdef"

// mountable reports whether b is a stage or base path that can stand at the beginning of a link:
// one that leads nowhere but to this origin.
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

// expand appends a resource's template with the parameters filled in. It returns false if one is
// missing.
func expand(dst []byte, template string, parameters []byte) ([]byte, bool) {
	for {
		text, rest, ok := strings.Cut(template, "{")
		if dst = append(dst, text...); !ok {
			return dst, true
		}
		name, rest, _ := strings.Cut(rest, "}")
		value, ok := parameter(parameters, strings.TrimSuffix(name, "+"))
		if !ok {
			return dst[:0], false
		}
		dst = append(dst, value...)
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
