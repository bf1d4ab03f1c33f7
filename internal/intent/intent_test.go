package intent_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"edgeauth/internal/apigw"
	"edgeauth/internal/intent"
	"edgeauth/internal/intent/intenttest"
)

// readers are those who look up headers: the authorizer in its event, the callback in a request of
// net/http.
func readers(t *testing.T, lines [][2]string) map[string]intent.Header {
	t.Helper()
	many := map[string][]string{}
	h := http.Header{}
	for _, line := range lines {
		many[line[0]] = append(many[line[0]], line[1])
		h.Add(line[0], line[1])
	}
	event, err := json.Marshal(map[string]any{
		"type": "REQUEST", "methodArn": "arn:aws:execute-api:r:1:a/s/GET/", "resource": "/", "path": "/", "httpMethod": "GET",
		"multiValueHeaders": many, "requestContext": map[string]any{"path": "/s/"},
	})
	if err != nil {
		t.Fatal(err)
	}
	r, err := apigw.DecodeAuthorizer(event)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]intent.Header{"the authorizer": r.Header, "the callback": intent.Of(h)}
}

func TestMeaning(t *testing.T) {
	for _, set := range intenttest.Sets() {
		for reader, h := range readers(t, set.Header) {
			if got := intent.Navigation("GET", h); got != set.Navigation {
				t.Errorf("%s, to %s: navigation %v", set.Name, reader, got)
			}
			if got := intent.Navigation("HEAD", h); got != set.Navigation {
				t.Errorf("%s with HEAD, to %s: navigation %v", set.Name, reader, got)
			}
			if intent.Navigation("POST", h) {
				t.Errorf("%s with POST, to %s: a navigation", set.Name, reader)
			}
			if got := intent.Person(h); got != set.Person {
				t.Errorf("%s, to %s: person %v", set.Name, reader, got)
			}
		}
	}
}

func TestCrossSite(t *testing.T) {
	const own, evil = "https://app.example.com", "https://evil.example"
	trusted := []string{"https://other.example.com", "http://plain.example.com"}
	for _, c := range []struct {
		name, host string
		header     [][2]string
		post       bool // another site's, for a request that changes something
		handshake  bool // and for a WebSocket's handshake
	}{
		{"a page of ours", "", [][2]string{{"Sec-Fetch-Site", "same-origin"}, {"Origin", own}}, false, false},
		{"the address bar", "", [][2]string{{"Sec-Fetch-Site", "none"}}, false, true},
		{"another site", "", [][2]string{{"Sec-Fetch-Site", "cross-site"}, {"Origin", evil}}, true, true},
		{"another site that redirects here", "", [][2]string{{"Sec-Fetch-Site", "cross-site"}, {"Origin", own}}, true, false},
		{"a sibling", "", [][2]string{{"Sec-Fetch-Site", "same-site"}, {"Origin", "https://www.example.com"}}, true, true},
		{"an unknown site", "", [][2]string{{"Sec-Fetch-Site", "Same-Origin"}}, true, true},
		{"an empty site", "", [][2]string{{"Sec-Fetch-Site", ""}, {"Origin", own}}, true, false},
		{"a site in two minds", "", [][2]string{{"Sec-Fetch-Site", "same-origin"}, {"Sec-Fetch-Site", "none"}}, true, true},
		{"two origins", "", [][2]string{{"Origin", own}, {"Origin", trusted[0]}}, true, true},
		{"two origins of one site", "", [][2]string{{"Sec-Fetch-Site", "same-origin"}, {"Origin", own}, {"Origin", evil}}, true, true},
		{"a trusted origin", "", [][2]string{{"Sec-Fetch-Site", "cross-site"}, {"Origin", trusted[0]}}, false, false},
		{"a trusted origin without TLS", "", [][2]string{{"Origin", trusted[1]}}, false, false},
		{"a trusted host without TLS", "", [][2]string{{"Origin", "http://other.example.com"}}, true, true},
		{"an older browser", "", [][2]string{{"Origin", own}}, false, false},
		{"an older browser elsewhere", "", [][2]string{{"Origin", evil}}, true, true},
		{"our host without TLS", "", [][2]string{{"Origin", "http://app.example.com"}}, true, true},
		{"our host by another scheme", "", [][2]string{{"Origin", "x://app.example.com"}}, true, true},
		{"our host without a scheme", "", [][2]string{{"Origin", "app.example.com"}}, true, true},
		{"our host by no scheme", "", [][2]string{{"Origin", "://app.example.com"}}, true, true},
		{"our host at another port", "", [][2]string{{"Origin", own + ":8443"}}, true, true},
		{"a longer host", "", [][2]string{{"Origin", own + ".evil.example"}}, true, true},
		{"our host as a path", "", [][2]string{{"Origin", evil + "/app.example.com"}}, true, true},
		{"a sandboxed page", "", [][2]string{{"Origin", "null"}}, true, true},
		{"an empty origin", "", [][2]string{{"Origin", ""}}, true, true},
		{"no browser", "", nil, false, true},
		{"no host", "none", [][2]string{{"Origin", "https://"}}, true, true},
		{"this machine", "localhost:3000", [][2]string{{"Origin", "http://localhost:3000"}}, false, false},
		{"this machine with TLS", "localhost:3000", [][2]string{{"Origin", "https://localhost:3000"}}, false, false},
		{"this machine by number", "127.0.0.1:3000", [][2]string{{"Origin", "http://127.0.0.1:3000"}}, false, false},
		{"this machine by another number", "[::1]:3000", [][2]string{{"Origin", "http://[::1]:3000"}}, false, false},
		{"this machine at another port", "localhost:3000", [][2]string{{"Origin", "http://localhost:3001"}}, true, true},
		{"a machine called nearly so", "localhost.evil.example", [][2]string{{"Origin", "http://localhost.evil.example"}}, true, true},
	} {
		host := map[string]string{"": "app.example.com", "none": ""}[c.host]
		if c.host != "" && c.host != "none" {
			host = c.host
		}
		for reader, h := range readers(t, c.header) {
			for _, method := range []string{"POST", "PUT", "PATCH", "DELETE", "TRACE"} {
				if got := intent.CrossSite(method, h, host, trusted); got != c.post {
					t.Errorf("%s with %s, to %s: cross-site %v", c.name, method, reader, got)
				}
			}
			for _, method := range []string{"GET", "HEAD", "OPTIONS"} {
				if intent.CrossSite(method, h, host, trusted) {
					t.Errorf("%s with %s, to %s: reading is safe", c.name, method, reader)
				}
			}
			if got := intent.CrossSiteHandshake(h, host, trusted); got != c.handshake {
				t.Errorf("%s, a handshake to %s: cross-site %v", c.name, reader, got)
			}
		}
	}
}

func TestOverride(t *testing.T) {
	for _, c := range []struct {
		header [][2]string
		want   bool
	}{
		{[][2]string{{"X-HTTP-Method-Override", "DELETE"}}, true},
		{[][2]string{{"x-http-method", "DELETE"}}, true},
		{[][2]string{{"X-Method-Override", "DELETE"}}, true},
		{[][2]string{{"X-HTTP-Method", ""}}, true},
		{[][2]string{{"X-HTTP-Method", "PUT"}, {"X-HTTP-Method", "DELETE"}}, true},
		{[][2]string{{"Accept", "DELETE"}, {"Purpose", "DELETE"}}, false},
		{nil, false},
	} {
		for reader, h := range readers(t, c.header) {
			if got := intent.Override(h); got != c.want {
				t.Errorf("%v, to %s: %v", c.header, reader, got)
			}
		}
	}
}
