package apigw

import "testing"

// TestMount: the ARN, the template with its parameters filled in and, at the API's own host name,
// the stage say where an API is mounted; all that say something say the same, or nobody can tell.
func TestMount(t *testing.T) {
	const own, custom = "abcdef1234.execute-api.eu-west-1.amazonaws.com", "app.example.com"
	for _, c := range []struct {
		name, domain, path, arnPath, template, parameters, base, route string // no route: nobody can tell
	}{
		{"stage", own, "/Prod/api/me", "/api/me", "/api/me", "", "/Prod", "/api/me"},
		{"root", own, "/Prod/", "/", "/", "", "/Prod", "/"},
		{"root without a slash", own, "/Prod", "/", "/", "", "/Prod", "/"},
		{"custom domain", custom, "/api/me", "/api/me", "/api/me", "", "", "/api/me"},
		{"root of a custom domain", custom, "/", "/", "/", "", "", "/"},
		{"base path", custom, "/shop/v2/api/me", "/api/me", "/api/me", "", "/shop/v2", "/api/me"},
		{"root of a base path", custom, "/shop", "/", "/", "", "/shop", "/"},
		{"a stage that is also the route", own, "/Prod/Prod", "/Prod", "/Prod", "", "/Prod", "/Prod"},
		{"a base path that is also the route", custom, "/api/api", "/api", "/api", "", "/api", "/api"},
		{"a slash at the end", own, "/Prod/api/me/", "/api/me", "/api/me", "", "/Prod", "/api/me/"},
		{"a slash at the end of the ARN", own, "/Prod/api/me", "/api/me/", "/api/me", "", "/Prod", "/api/me"},
		{"greedy", own, "/Prod/a/b%20c", "/a/b%20c", "/{proxy+}", `{"proxy":"a/b%20c"}`, "/Prod", "/a/b%20c"},
		{"an ARN that was decoded", own, "/Prod/a/b%20c", "/a/b c", "/{proxy+}", `{"proxy":"a/b%20c"}`, "/Prod", "/a/b%20c"},
		{"parameters that were decoded", own, "/Prod/a/b%20c", "/a/b%20c", "/{x}/{y}", `{"y":"b c","x":"a"}`, "/Prod", "/a/b%20c"},
		{"a parameter with an escape in its name", own, "/Prod/a", "/a", "/{x}", `{"\u0078":"a"}`, "/Prod", "/a"},

		{"an ARN without a path", own, "/Prod/a", "", "/{proxy+}", `{"proxy":"a"}`, "/Prod", "/a"},
		{"another stage's path", own, "/Dev/a", "/a", "/{proxy+}", `{"proxy":"a"}`, "", ""},
		{"a path that only begins like the stage", own, "/Production/a", "/a", "/{proxy+}", `{"proxy":"a"}`, "", ""},
		{"an ARN of another path", own, "/Prod/a", "/b", "/{proxy+}", `{"proxy":"a"}`, "", ""},
		{"an ARN of the root", custom, "/shop/a", "/", "/{proxy+}", `{"proxy":"a"}`, "", ""},
		{"an ARN with the base path", custom, "/shop/a", "/shop/a", "/{proxy+}", `{"proxy":"a"}`, "", ""},
		{"another parameter", own, "/Prod/a", "/a", "/{proxy+}", `{"proxy":"b"}`, "", ""},
		{"a parameter with the base path", custom, "/shop/a", "/a", "/{proxy+}", `{"proxy":"shop/a"}`, "", ""},
		{"a missing parameter", own, "/Prod/a", "/a", "/{x}", `{}`, "", ""},
		{"a parameter twice", own, "/Prod/a", "/a", "/{x}", `{"x":"a","x":"a"}`, "", ""},
		{"a parameter that is no text", own, "/Prod/1", "/1", "/{x}", `{"x":1}`, "", ""},
		{"no parameters", own, "/Prod/a", "/a", "/{x}", ``, "", ""},
		{"null parameters", own, "/Prod/a", "/a", "/{x}", `null`, "", ""},
		{"slashes that would lead elsewhere", custom, "//evil.example/a", "/a", "/a", "", "", ""},
		{"a backslash that would lead elsewhere", custom, `/\evil.example/a`, "/a", "/a", "", "", ""},
		{"dots", custom, "/../a", "/a", "/a", "", "", ""},
		{"a dot", custom, "/./a", "/a", "/a", "", "", ""},
		{"a scheme", custom, "/x:y/a", "/a", "/a", "", "", ""},
		{"a quote", custom, `/"/a`, "/a", "/a", "", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := Request{Kind: REST, Domain: c.domain}
			r.event.context.stage, r.event.parameters = "Prod", []byte(c.parameters)
			r.mount(c.path, c.arnPath, c.template)
			if r.Mounted != (c.route != "") || r.Route != c.route || r.Path != c.path || r.Mounted && r.Base != c.base || !mountable(r.Base) {
				t.Errorf("mounted %v, base %q, route %q; want %q, %q", r.Mounted, r.Base, r.Route, c.base, c.route)
			}
		})
	}
}

// TestMountOfAnHTTPAPI: under a domain of its own, and on the stage $default, the path has no
// stage. What the ARN of a catch-all route looks like is not documented, so nothing rests on it
// alone where it would look the same with the base path in it.
func TestMountOfAnHTTPAPI(t *testing.T) {
	const own, custom = "x.execute-api.eu-west-1.amazonaws.com", "app.example.com"
	for _, c := range []struct{ name, domain, stage, path, arnRest, template, parameters, base, route string }{
		{"stage", own, "v1", "/v1/admin/x", "GET/admin/x", "/{proxy+}", `{"proxy":"admin/x"}`, "/v1", "/admin/x"},
		{"$default", own, "$default", "/v1/admin/x", "GET/v1/admin/x", "/{proxy+}", `{"proxy":"v1/admin/x"}`, "", "/v1/admin/x"},
		{"catch-all", own, "v1", "/v1/admin/x", "$default", "", "", "/v1", "/admin/x"},
		{"catch-all, root in the ARN", own, "v1", "/v1/admin/x", "GET/", "", "", "/v1", "/admin/x"},
		{"catch-all on $default", own, "$default", "/v1/admin/x", "$default", "", "", "", "/v1/admin/x"},
		{"catch-all, a stage in the ARN", own, "v1", "/v1/admin/x", "GET/v1/admin/x", "", "", "", ""},
		{"a path that only begins like the stage", own, "v1", "/v1x/admin", "$default", "", "", "", ""},
		{"a stage that is not in the path", own, "v1", "/admin/x", "GET/admin/x", "/{proxy+}", `{"proxy":"admin/x"}`, "", ""},

		{"mapping", custom, "v9", "/v1/admin/x", "GET/admin/x", "/{proxy+}", `{"proxy":"admin/x"}`, "/v1", "/admin/x"},
		{"no mapping", custom, "v9", "/admin/x", "GET/admin/x", "/{proxy+}", `{"proxy":"admin/x"}`, "", "/admin/x"},
		{"mapping, $default in the ARN", custom, "v9", "/v1/admin/x", "$default", "/{proxy+}", `{"proxy":"admin/x"}`, "/v1", "/admin/x"},
		{"mapping, root in the ARN", custom, "v9", "/v1/admin/x", "GET/", "/{proxy+}", `{"proxy":"admin/x"}`, "/v1", "/admin/x"},
		{"mapping in the ARN", custom, "v9", "/v1/admin/x", "GET/v1/admin/x", "/{proxy+}", `{"proxy":"admin/x"}`, "", ""},
		{"mapping in the ARN, called like the stage", custom, "v1", "/v1/admin/x", "GET/v1/admin/x", "/{proxy+}", `{"proxy":"admin/x"}`, "", ""},
		{"mapping, catch-all", custom, "$default", "/v1/admin/x", "GET/admin/x", "", "", "/v1", "/admin/x"},
		{"mapping or none, catch-all", custom, "$default", "/v1/admin/x", "GET/v1/admin/x", "", "", "", ""},
		{"catch-all, $default in the ARN", custom, "$default", "/v1/admin/x", "$default", "", "", "", ""},
		{"catch-all, root in the ARN", custom, "$default", "/v1/admin/x", "GET/", "", "", "", ""},
		{"another method in the ARN", custom, "$default", "/v1/admin/x", "POST/admin/x", "", "", "", ""},
		{"this machine, catch-all", "localhost:3000", "$default", "/admin/x", "GET/admin/x", "", "", "", "/admin/x"},
		{"a host that begins like this machine", "localhost.example.com", "$default", "/admin/x", "GET/admin/x", "", "", "", ""},
	} {
		for _, kind := range []Kind{HTTP1, HTTP2} {
			r := Request{Kind: kind, Domain: c.domain, Method: "GET"}
			r.event.context.stage, r.event.parameters = c.stage, []byte(c.parameters)
			r.mountHTTP(c.path, c.template, c.arnRest)
			if r.Mounted != (c.route != "") || r.Route != c.route || r.Mounted && r.Base != c.base {
				t.Errorf("%s, %s: mounted %v, base %q, route %q; want %q, %q", c.name, kind, r.Mounted, r.Base, r.Route, c.base, c.route)
			}
		}
	}
}

// TestBase: where a proxy event does not say it by its route, the stage is the last resort.
func TestBase(t *testing.T) {
	for _, c := range []struct{ path, template, want string }{
		{"/Prod/a", "/a", "/Prod"},
		{"/shop/a", "/a", "/shop"},
		{"/Prod/a", "$default", "/Prod"},
		{"/Prod", "$default", "/Prod"},
		{"/Production/a", "$default", ""},
		{"/a", "$default", ""},
	} {
		if got := base(c.path, "Prod", c.template, nil); got != c.want {
			t.Errorf("%s by %s: %q, want %q", c.path, c.template, got, c.want)
		}
	}
}
