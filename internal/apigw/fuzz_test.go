package apigw

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"edgeauth/internal/jsonread"
)

// FuzzDecodeAuthorizer holds the whole decoder against encoding/json: whatever it accepts, the
// usual way of decoding sees the same request.
func FuzzDecodeAuthorizer(f *testing.F) {
	for _, name := range []string{"rest.json", "http1.json", "http2.json", "websocket.json"} {
		f.Add(fixture(f, name))
	}
	f.Fuzz(func(t *testing.T, event []byte) {
		r, err := DecodeAuthorizer(event)
		if err != nil || repeats(event) {
			return
		}
		var e struct {
			Type, MethodArn, RouteArn, HTTPMethod, RawPath, RawQueryString string
			Headers                                                        map[string]string
			MultiValueHeaders                                              map[string][]string
			Cookies                                                        []string
			RequestContext                                                 struct {
				Path, DomainName string
				HTTP             struct{ Method string }
			}
		}
		if err := json.Unmarshal(exactly(t, event), &e); err != nil {
			t.Fatal(err)
		}
		if e.Type != "REQUEST" || r.Kind != HTTP2 && r.ARN != e.MethodArn || r.Kind == HTTP2 && (r.ARN != e.RouteArn || r.Path != e.RawPath || r.Method != e.RequestContext.HTTP.Method) {
			t.Errorf("%+v\n%+v", r, e)
		}
		if (r.Kind == REST || r.Kind == HTTP1) && (r.Path != e.RequestContext.Path || r.Method != e.HTTPMethod) || r.Domain != e.RequestContext.DomainName {
			t.Errorf("%+v\n%+v", r, e)
		}
		if r.Kind != WebSocket && (!strings.HasPrefix(r.Path, r.Base) || !mountable(r.Base)) {
			t.Errorf("base %q of %q", r.Base, r.Path)
		}
		for _, name := range names {
			if got, want := sorted(r, name), wanted(e.Headers, e.MultiValueHeaders, e.Cookies, name); !slices.Equal(got, want) {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
	})
}

// repeats reports whether any name stands twice in one object: of a header's values encoding/json
// would see the last.
func repeats(event []byte) bool {
	r := jsonread.New(event)
	r.Skip()
	return errors.Is(r.End(), jsonread.ErrDuplicate)
}

// exactly drops members whose names encoding/json would take for others, since it does not mind
// their case.
func exactly(t *testing.T, event []byte) []byte {
	t.Helper()
	strip := func(text []byte, known ...string) map[string]json.RawMessage {
		all := map[string]json.RawMessage{}
		if err := json.Unmarshal(text, &all); err != nil {
			t.Fatal(err)
		}
		for name := range all {
			if !slices.Contains(known, name) {
				delete(all, name)
			}
		}
		return all
	}
	top := strip(event, "type", "methodArn", "routeArn", "httpMethod", "rawPath", "rawQueryString", "headers", "multiValueHeaders", "cookies", "requestContext")
	context := strip(top["requestContext"], "path", "domainName", "http")
	if http := context["http"]; http != nil {
		context["http"], _ = json.Marshal(strip(http, "method"))
	}
	top["requestContext"], _ = json.Marshal(context)
	b, err := json.Marshal(top)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// sorted returns the values that r has of a header; for all but cookies, "conflict" when they
// differ.
func sorted(r Request, name string) []string {
	if name == "cookie" {
		return slices.Sorted(slices.Values(r.Cookies()))
	}
	switch value, different := r.Header(name); different {
	case 0:
		return nil
	case 1:
		return []string{value}
	}
	return []string{"conflict"}
}

// wanted returns the same of an event that was decoded in the usual way.
func wanted(one map[string]string, many map[string][]string, cookies []string, name string) (all []string) {
	if name == "cookie" && len(cookies) > 0 {
		return slices.Sorted(slices.Values(cookies))
	}
	for spelt, values := range many {
		if strings.ToLower(spelt) == name && len(spelt) == len(name) {
			all = append(all, values...)
		}
	}
	if len(all) == 0 {
		for spelt, value := range one {
			if strings.ToLower(spelt) == name && len(spelt) == len(name) {
				all = append(all, value)
			}
		}
	}
	if slices.Sort(all); name == "cookie" || len(all) == 0 {
		return all
	}
	if all = slices.Compact(all); len(all) > 1 {
		return []string{"conflict"}
	}
	return all
}
