package gateway

import (
	"strings"
	"testing"
	"time"

	"edgeauth/local/sam"
)

const domain = "app.localhost:3000"

// mapped adds a second API, and a custom domain for both.
func mapped(c *Config) {
	second := c.APIs[0]
	second.ID, second.Host, second.Stage = "local00002", "orders.localhost:3000", "Live"
	c.APIs = append(c.APIs, second)
	c.Domains = []sam.Domain{{Name: "app.example.com", Host: domain, Mappings: []sam.Mapping{
		{Path: "", API: "local00001", Stage: "Prod"},
		{Path: "orders", API: "local00002", Stage: "Live"},
		{Path: "/orders/v2/", API: "local00001", Stage: "Prod"},
	}}}
}

// What an authorizer sees of a request, by where it came in: the API's own host, or a mapping of a custom domain.
func TestMappings(t *testing.T) {
	r := start(t, mapped)
	for _, c := range []struct{ host, target, want string }{
		{host, "/Prod/a/b", "local00001/Prod/GET/a/b path=/a/b context=/Prod/a/b domain=localhost:3000 prefix=localhost:3000 stage=Prod resource=/{proxy+}"},
		{"orders.localhost:3000", "/Live/a", "local00002/Live/GET/a path=/a context=/Live/a domain=orders.localhost:3000 prefix=orders stage=Live resource=/{proxy+}"},
		{domain, "/", "local00001/Prod/GET/ path=/ context=/ domain=app.localhost:3000 prefix=app stage=Prod resource=/"},
		{domain, "/a/b", "local00001/Prod/GET/a/b path=/a/b context=/a/b domain=app.localhost:3000 prefix=app stage=Prod resource=/{proxy+}"},
		{domain, "/Prod/a", "local00001/Prod/GET/Prod/a path=/Prod/a context=/Prod/a domain=app.localhost:3000 prefix=app stage=Prod resource=/{proxy+}"},
		{domain, "/orders", "local00002/Live/GET/ path=/orders context=/orders domain=app.localhost:3000 prefix=app stage=Live resource=/"},
		{domain, "/orders/a", "local00002/Live/GET/a path=/orders/a context=/orders/a domain=app.localhost:3000 prefix=app stage=Live resource=/{proxy+}"},
		{domain, "/ordersx", "local00001/Prod/GET/ordersx path=/ordersx context=/ordersx domain=app.localhost:3000 prefix=app stage=Prod resource=/{proxy+}"},
		{domain, "/orders/v2/a", "local00001/Prod/GET/a path=/orders/v2/a context=/orders/v2/a domain=app.localhost:3000 prefix=app stage=Prod resource=/{proxy+}"},
		{strings.ToUpper(domain), "/a", "local00001/Prod/GET/a path=/a context=/a domain=app.localhost:3000 prefix=app stage=Prod resource=/{proxy+}"},
	} {
		if got := r.send(t, "GET", c.target, "Host: "+c.host); got.status != 200 {
			t.Errorf("%s%s: status %d", c.host, c.target, got.status)
			continue
		}
		for _, function := range []string{"Authorizer", "Backend"} {
			e := decode[struct {
				MethodARN, Path, Resource string
				RequestContext            struct{ Path, DomainName, DomainPrefix, Stage, ResourcePath string }
			}](t, r.last(t, function))
			got := strings.TrimPrefix(e.MethodARN, "arn:aws:execute-api:eu-west-1:123456789012:") + " path=" + e.Path + " context=" + e.RequestContext.Path +
				" domain=" + e.RequestContext.DomainName + " prefix=" + e.RequestContext.DomainPrefix + " stage=" + e.RequestContext.Stage + " resource=" + e.Resource
			want := c.want
			if function == "Backend" {
				want = want[strings.Index(want, " "):]
			}
			if got != want {
				t.Errorf("%s%s, %s:\n got %s\nwant %s", c.host, c.target, function, got, want)
			}
		}
	}
	for _, c := range []struct{ host, target string }{
		{"orders.localhost:3000", "/Prod/a"}, {host, "/Live/a"}, {"app.example.com", "/a"}, {"other.localhost:3000", "/Prod/a"},
	} {
		r.wantFailure(t, r.send(t, "GET", c.target, "Host: "+c.host), 403, `{"message":"Forbidden"}`, "ForbiddenException")
	}
}

func TestADomainWithoutAMappingForEverythingElse(t *testing.T) {
	r := start(t, func(c *Config) {
		mapped(c)
		c.Domains[0].Mappings = c.Domains[0].Mappings[1:2]
		c.APIs[0].Host = "" // DisableExecuteApiEndpoint
	})
	for target, want := range map[string]int{"/orders/a": 200, "/a": 403, "/": 403} {
		if got := r.send(t, "GET", target, "Host: "+domain); got.status != want {
			t.Errorf("%s: %d, want %d", target, got.status, want)
		}
	}
	if got := r.send(t, "GET", "/Prod/public", "Host: "+host); got.status != 403 {
		t.Errorf("an API whose own host is off: %d", got.status)
	}
}

// The policy of an authorizer is about the API's own paths, wherever they are mapped.
func TestAPolicyBehindAMapping(t *testing.T) {
	r := start(t, mapped)
	const api = "arn:aws:execute-api:eu-west-1:123456789012:local00002/Live/"
	r.do["Authorizer"] = answers(verdictOf(`{}`, allow(api+"GET/*"), deny(api+"*/admin/*")))
	for target, want := range map[string]int{"/orders/a": 200, "/orders/admin/x": 403, "/a": 403} {
		if got := r.send(t, "GET", target, "Host: "+domain); got.status != want {
			t.Errorf("%s: %d, want %d", target, got.status, want)
		}
	}
}

// What one API's authorizer said is not remembered for another API.
func TestTheCacheIsOfOneAPI(t *testing.T) {
	r := start(t, func(c *Config) {
		mapped(c)
		cached := map[string]sam.Authorizer{"Session": {Function: "Authorizer", TTL: time.Minute, Sources: []string{"method.request.header.Cookie"}}}
		c.APIs[0].Authorizers, c.APIs[1].Authorizers = cached, cached
	})
	for _, target := range []string{"/a", "/b", "/orders/a", "/orders/b", "/orders/v2/a"} {
		r.send(t, "GET", target, "Host: "+domain, "Cookie: a=1")
	}
	if n := r.calls("Authorizer"); n != 2 {
		t.Errorf("%d calls", n)
	}
}
