package apigw

import "testing"

func TestMount(t *testing.T) {
	for _, c := range []struct {
		name, path, arnPath, template, parameters, base, route string
	}{
		{"stage", "/Prod/api/me", "/api/me", "/api/me", "", "/Prod", "/api/me"},
		{"root", "/Prod/", "/", "/", "", "/Prod", "/"},
		{"root without a slash", "/Prod", "/", "/", "", "/Prod", "/"},
		{"custom domain", "/api/me", "/api/me", "/api/me", "", "", "/api/me"},
		{"root of a custom domain", "/", "/", "/", "", "", "/"},
		{"base path", "/shop/v2/api/me", "/api/me", "/api/me", "", "/shop/v2", "/api/me"},
		{"a stage that is also the route", "/api/api", "/api", "/api", "", "/api", "/api"},
		{"a slash at the end", "/Prod/api/me/", "/api/me", "/api/me", "", "/Prod", "/api/me/"},
		{"a slash at the end of the ARN", "/Prod/api/me", "/api/me/", "/api/me", "", "/Prod", "/api/me"},
		{"greedy", "/Prod/a/b%20c", "/a/b%20c", "/{proxy+}", `{"proxy":"a/b%20c"}`, "/Prod", "/a/b%20c"},
		{"an ARN that was decoded", "/Prod/a/b%20c", "/a/b c", "/{proxy+}", `{"proxy":"a/b%20c"}`, "/Prod", "/a/b%20c"},
		{"an ARN that is of no use", "/Prod/a/b%20c", "$default", "/{proxy+}", `{"proxy":"a/b%20c"}`, "/Prod", "/a/b%20c"},
		{"parameters that were decoded", "/Prod/a/b%20c", "", "/{x}/{y}", `{"y":"b c","x":"a"}`, "/Prod", "/a/b%20c"},
		{"a parameter with an escape in its name", "/Prod/a", "", "/{x}", `{"\u0078":"a"}`, "/Prod", "/a"},
		{"a missing parameter", "/Prod/a", "", "/{x}", `{}`, "/Prod", "/a"},
		{"no parameters", "/Prod/a", "", "/{x}", ``, "/Prod", "/a"},
		{"null parameters", "/Prod/a", "", "/{x}", `null`, "/Prod", "/a"},
		{"nothing but the stage", "/Prod", "", "", "", "/Prod", "/"},
		{"a path that only begins like the stage", "/Production/a", "", "", "", "", "/Production/a"},
		{"nothing at all", "/a/b", "", "", "", "", "/a/b"},
		{"slashes that would lead elsewhere", "//evil.example/a", "/a", "/a", "", "", "//evil.example/a"},
		{"a backslash that would lead elsewhere", `/\evil.example/a`, "/a", "/a", "", "", `/\evil.example/a`},
		{"dots", "/../a", "/a", "/a", "", "", "/../a"},
		{"a scheme", "/x:y/a", "/a", "/a", "", "", "/x:y/a"},
		{"a quote", `/"/a`, "/a", "/a", "", "", `/"/a`},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := Request{Kind: REST}
			r.event.context.stage, r.event.parameters = "Prod", []byte(c.parameters)
			r.mount(c.path, c.arnPath, c.template)
			if r.Base != c.base || r.Route != c.route || r.Path != c.path {
				t.Errorf("base %q, route %q; want %q, %q", r.Base, r.Route, c.base, c.route)
			}
		})
	}
}

// TestMountOfAnHTTPAPI: under a domain of its own, and on the stage $default, the path has no stage; what looks like one is the client's.
func TestMountOfAnHTTPAPI(t *testing.T) {
	for _, c := range []struct{ domain, stage, path, base, route string }{
		{"x.execute-api.eu-west-1.amazonaws.com", "v1", "/v1/admin/x", "/v1", "/admin/x"},
		{"app.example.com", "v1", "/v1/admin/x", "", "/v1/admin/x"},
		{"x.execute-api.eu-west-1.amazonaws.com", "$default", "/$default/v1/x", "", "/$default/v1/x"},
	} {
		r := Request{Kind: HTTP2, Domain: c.domain}
		r.event.context.stage = c.stage
		r.mount(c.path, "$default", "")
		if r.Base != c.base || r.Route != c.route {
			t.Errorf("%s %s %s: base %q, route %q; want %q, %q", c.domain, c.stage, c.path, r.Base, r.Route, c.base, c.route)
		}
	}
}
