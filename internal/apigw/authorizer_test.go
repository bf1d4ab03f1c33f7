package apigw

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
)

func fixture(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// view is all that can be asked of a request.
type view struct {
	Kind                                                                     Kind
	API, ARN, Method, Resource, Route, Path, Base, Domain, RequestID, Target string
	Cookies                                                                  []string
	Headers                                                                  map[string]string
}

func see(r Request) view {
	v := view{
		r.Kind, r.API, r.ARN, r.Method, r.Resource, r.Route, r.Path, r.Base, r.Domain, r.RequestID, string(r.AppendTarget(nil)),
		r.Cookies(),
		map[string]string{},
	}
	for _, name := range names[:headers] {
		if value, different := r.Header(name); different > 0 {
			v.Headers[name] = fmt.Sprint(value, " ", different)
		}
	}
	return v
}

func TestDecodeAuthorizer(t *testing.T) {
	for _, c := range []struct {
		fixture string
		want    view
	}{
		{"rest.json", view{
			Kind: REST, API: "arn:aws:execute-api:eu-west-1:123456789012:abcdef1234/Prod/",
			ARN:    "arn:aws:execute-api:eu-west-1:123456789012:abcdef1234/Prod/GET/orders/a%20b/items/x/y",
			Method: "GET", Resource: "/orders/{id}/items/{proxy+}", Route: "/orders/a%20b/items/x/y", Path: "/Prod/orders/a%20b/items/x/y", Base: "/Prod",
			Domain: "abcdef1234.execute-api.eu-west-1.amazonaws.com", RequestID: "CqXf3EjXjoEF9Ug=",
			Target:  "/Prod/orders/a%20b/items/x/y?b=1&b=2&a=%2F%3F%26%3D%20%2B%C3%A9&empty=",
			Cookies: []string{"__Host-id=one", "theme=dark", "more=1"},
			Headers: map[string]string{
				"accept": "text/html,application/xhtml+xml 1", "sec-fetch-dest": "document 1", "sec-fetch-mode": "navigate 1", "sec-fetch-site": "none 1",
			},
		}},
		{"http1.json", view{
			Kind: HTTP1, API: "arn:aws:execute-api:us-east-1:123456789012:abcdef123/test/",
			ARN:    "arn:aws:execute-api:us-east-1:123456789012:abcdef123/test/GET/request",
			Method: "GET", Resource: "/request", Route: "/request", Path: "/test/request", Base: "/test",
			Domain: "abcdef123.execute-api.us-east-1.amazonaws.com", RequestID: "r-1", Target: "/test/request?QueryString1=queryValue1",
			Cookies: []string{"a=1; b=2"}, Headers: map[string]string{"accept": "*/* 1"},
		}},
		{"http2.json", view{
			Kind: HTTP2, API: "arn:aws:execute-api:us-east-1:123456789012:abcdef123/test/",
			ARN:    "arn:aws:execute-api:us-east-1:123456789012:abcdef123/test/POST/pets/7",
			Method: "POST", Resource: "POST /pets/{id}", Route: "/pets/7", Path: "/test/pets/7", Base: "/test",
			Domain: "abcdef123.execute-api.us-east-1.amazonaws.com", RequestID: "id=", Target: "/test/pets/7?parameter1=value1&parameter1=value2&c=%20+%2f",
			Cookies: []string{"a=1", "b=2"},
			Headers: map[string]string{"accept": "*/* 1", "authorization": "Bearer x 1", "origin": "https://app.example.com 1"},
		}},
		{"websocket.json", view{
			Kind: WebSocket, API: "arn:aws:execute-api:us-east-1:123456789012:abcdef123/default/",
			ARN: "arn:aws:execute-api:us-east-1:123456789012:abcdef123/default/$connect", Resource: "$connect", Route: "$connect",
			Domain: "abcdef123.execute-api.us-east-1.amazonaws.com", RequestID: "x-1", Target: "?QueryString1=queryValue1",
			Cookies: []string{"a=1", "b=2"}, Headers: map[string]string{"origin": "https://app.example.com 1"},
		}},
	} {
		t.Run(c.fixture, func(t *testing.T) {
			r, err := DecodeAuthorizer(fixture(t, c.fixture))
			if err != nil {
				t.Fatal(err)
			}
			if got := see(r); !reflect.DeepEqual(got, c.want) {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
}

func TestDecodeAuthorizerRefuses(t *testing.T) {
	rest, http2, ws, http1 := fixture(t, "rest.json"), fixture(t, "http2.json"), fixture(t, "websocket.json"), fixture(t, "http1.json")
	for _, c := range []struct {
		name     string
		event    []byte
		old, new string // replaced once
	}{
		{"nothing", nil, "", ""},
		{"null", []byte("null"), "", ""},
		{"an array", []byte("[]"), "", ""},
		{"an empty object", []byte("{}"), "", ""},
		{"something after it", rest, "\n}\n", "\n}\n{}"},
		{"cut off", rest, "\n}\n", "\n"},
		{"a token authorizer", rest, `"REQUEST"`, `"TOKEN"`},
		{"no type", rest, `"type"`, `"Type"`},
		{"a type of another type", rest, `"REQUEST"`, `["REQUEST"]`},
		{"an unknown version", http2, `"2.0"`, `"3.0"`},
		{"a REST event with a version", rest, `"type"`, `"version": "3.0", "type"`},
		{"a version of another type", http2, `"2.0"`, `2.0`},
		{"two types", rest, `"type": "REQUEST"`, `"type": "REQUEST", "type": "REQUEST"`},
		{"two contexts", rest, `"requestContext": {`, `"requestContext": {}, "requestContext": {`},
		{"two paths in the context", rest, `"stage": "Prod"`, `"stage": "Prod", "path": "/Prod/"`},
		{"two maps of headers", rest, `"headers": {`, `"headers": {}, "headers": {`},
		{"two maps of all headers", rest, `"multiValueHeaders": {`, `"multiValueHeaders": {}, "multiValueHeaders": {`},
		{"two lists of cookies", http2, `"cookies": [`, `"cookies": [], "cookies": [`},
		{"a cookie of another type", http2, `"a=1"`, `1`},
		{"a header of another type", rest, `"Cookie": "theme=dark; __Host-id=one"`, `"Cookie": 7`},
		{"a list of headers of another type", rest, `"Cookie": ["__Host-id=one", "theme=dark"]`, `"Cookie": "x"`},
		{"no ARN", rest, `"methodArn"`, `"methodARN"`},
		{"another service's ARN", rest, "execute-api", "lambda"},
		{"no ARN at all", rest, "arn:aws:", "urn:aws:"},
		{"another cloud", rest, "arn:aws:", "arn:azure:"},
		{"a star for a region", rest, ":eu-west-1:", ":*:"},
		{"a star for an account", rest, ":123456789012:", ":*:"},
		{"a star for an API", rest, ":abcdef1234/", ":*/"},
		{"a star for a stage", rest, "abcdef1234/Prod/GET", "abcdef1234/*/GET"},
		{"a quote in the stage", rest, "abcdef1234/Prod/GET", `abcdef1234/Pr\"od/GET`},
		{"no stage", rest, "abcdef1234/Prod/GET/orders/a%20b/items/x/y", "abcdef1234"},
		{"another method in the ARN", rest, "/Prod/GET/", "/Prod/POST/"},
		{"no method", rest, `"httpMethod": "GET",`, ``},
		{"no path", rest, `"path": "/Prod/orders/a%20b/items/x/y",`, ``},
		{"a path that is none", rest, `"path": "/Prod/orders/a%20b/items/x/y"`, `"path": "Prod"`},
		{"no resource", rest, `"resource": "/orders/{id}/items/{proxy+}"`, `"resource": ""`},
		{"payload 1.0 without a method", http1, `"httpMethod": "GET",`, ``},
		{"payload 1.0 without a path", http1, `"path": "/test/request",`, ``},
		{"payload 1.0 without an ARN", http1, `"methodArn"`, `"routeArn"`},
		{"payload 2.0 without a method", http2, `"method": "POST",`, ``},
		{"payload 2.0 without a path", http2, `"rawPath": "/test/pets/7",`, ``},
		{"payload 2.0 without an ARN", http2, `"routeArn"`, `"methodArn"`},
		{"a message", ws, `"CONNECT"`, `"MESSAGE"`},
		{"no event type", ws, `"eventType": "CONNECT",`, ``},
		{"another route", ws, `"routeKey": "$connect"`, `"routeKey": "$default"`},
		{"another route's ARN", ws, `/default/$connect`, `/default/$disconnect`},
		{"a control character", rest, "theme=dark;", "theme=dark\x01;"},
		{"broken UTF-8", rest, "theme=dark;", "theme=\xff;"},
		{"half a surrogate pair", rest, `\ud83d\ude00`, `\ud83d`},
		{"a comma too many", rest, `"apiId": "abcdef1234"`, `"apiId": "abcdef1234",`},
		{"a comma too few", rest, `"type": "REQUEST",`, `"type": "REQUEST"`},
		{"a number that is none", rest, `1795348800000`, `01795348800000`},
		{"a word that is none", rest, `null`, `nul`},
		{"too deep", rest, `"05c7jb"`, strings.Repeat("[", 40) + strings.Repeat("]", 40)},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.old != "" && !bytes.Contains(c.event, []byte(c.old)) {
				t.Fatalf("the fixture has no %s", c.old)
			}
			event := bytes.Replace(c.event, []byte(c.old), []byte(c.new), 1)
			if r, err := DecodeAuthorizer(event); !errors.Is(err, ErrUnknownEvent) {
				t.Errorf("%v, want %v; got %+v", err, ErrUnknownEvent, see(r))
			}
		})
	}
}

// TestColonsInTheARN: the path at an ARN's end may hold what separates its parts.
func TestColonsInTheARN(t *testing.T) {
	event := `{"type":"REQUEST","methodArn":"arn:aws:execute-api:r:1:a/s/GET/x:y/z:","resource":"/{proxy+}","path":"/x:y/z:","httpMethod":"GET",` +
		`"pathParameters":{"proxy":"x:y/z:"},"requestContext":{"path":"/s/x:y/z:"}}`
	r, err := DecodeAuthorizer([]byte(event))
	if err != nil || r.API != "arn:aws:execute-api:r:1:a/s/" || r.Base != "/s" || r.Route != "/x:y/z:" {
		t.Errorf("API %q, base %q, route %q, %v", r.API, r.Base, r.Route, err)
	}
}

func TestHeaders(t *testing.T) {
	const head = `{"type":"REQUEST","methodArn":"arn:aws:execute-api:r:1:a/s/GET/","resource":"/","path":"/","httpMethod":"GET","requestContext":{"path":"/s/"},`
	for _, c := range []struct {
		name, members string
		cookies       []string
		origin        string
	}{
		{"none", `"headers":null,"multiValueHeaders":null`, nil, ""},
		{"no members", `"x":1`, nil, ""},
		{"any case, all values", `"multiValueHeaders":{"COOKIE":["a","b"],"cookie":["c"],"oRIGIN":["o"]}`, []string{"a", "b", "c"}, "o 1"},
		{"all values even if headers come last", `"multiValueHeaders":{"cookie":["a","b"]},"headers":{"Cookie":"b","Origin":"o"}`, []string{"a", "b"}, "o 1"},
		{"all values even if headers come first", `"headers":{"cookie":"b","origin":"x"},"multiValueHeaders":{"Cookie":["a","b"],"Origin":["o"]}`, []string{"a", "b"}, "o 1"},
		{"an empty list is no header", `"headers":{"cookie":"b"},"multiValueHeaders":{"Cookie":[],"Origin":null}`, []string{"b"}, ""},
		{"empty is there", `"headers":{"cookie":"","origin":""}`, []string{""}, " 1"},
		{"twice the same", `"multiValueHeaders":{"Origin":["o","o"]}`, nil, "o 1"},
		{"twice another", `"multiValueHeaders":{"Origin":["o","p"]}`, nil, " 2"},
		{"two spellings", `"multiValueHeaders":{"Origin":["o"],"origin":["p"]}`, nil, " 2"},
		{"two spellings in headers", `"headers":{"Origin":"o","origin":"p"}`, nil, " 2"},
		{"a third does not settle it", `"multiValueHeaders":{"Origin":["o","p","p"]}`, nil, " 2"},
		{"look-alikes", `"headers":{"coo\u212aie":"k","cookie ":"s"," origin":"s","cookies":"s","x-origin":"o","or\u0131gin":"i"}`, nil, ""},
		{"an escaped name", `"headers":{"\u0063ookie":"a\u003db"}`, []string{"a=b"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := DecodeAuthorizer([]byte(head + c.members + "}"))
			if err != nil {
				t.Fatal(err)
			}
			v := see(r)
			if !reflect.DeepEqual(v.Cookies, c.cookies) || v.Headers["origin"] != c.origin {
				t.Errorf("cookies %q, origin %q; want %q, %q", v.Cookies, v.Headers["origin"], c.cookies, c.origin)
			}
		})
	}
}
