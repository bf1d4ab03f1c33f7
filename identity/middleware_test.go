package identity

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"edgeauth/internal/reason"
)

// hello greets the caller.
var hello = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	id, err := From(r.Context())
	fmt.Fprint(w, id.Subject, err)
})

func TestRequire(t *testing.T) {
	for _, c := range []struct {
		name       string
		authorizer map[string]any
		status     int
		body       string
	}{
		{"a caller", handedOn(t, user, ""), 200, "s-1<nil>"},
		{"no context", nil, 401, `{"message":"Unauthorized","reason":"no_session"}` + "\n"},
		{"half a context", map[string]any{"v": "1", "sub": "s-1"}, 401, `{"message":"Unauthorized","reason":"no_session"}` + "\n"},
	} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest("GET", "/", nil)
		if c.authorizer != nil {
			r = r.WithContext(NewContext(r.Context(), c.authorizer))
		}
		Require(hello).ServeHTTP(w, r)
		if w.Code != c.status || w.Body.String() != c.body {
			t.Errorf("%s: %d %s", c.name, w.Code, w.Body)
		}
		if h := w.Header(); c.status == 401 && (h.Get("Cache-Control") != "no-store" || h.Get("Content-Type") != "application/json" || h.Get("X-Content-Type-Options") != "nosniff") {
			t.Errorf("%s: %v", c.name, h)
		}
	}
	if _, err := From(context.Background()); err != ErrNone {
		t.Error(err)
	}
}

// TestOptional: who may be anyone is told apart from who is none.
func TestOptional(t *testing.T) {
	var nobody map[string]any
	if err := json.Unmarshal(append(AppendAnonymous([]byte("{")), '}'), &nobody); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name       string
		middleware func(http.Handler) http.Handler
		authorizer map[string]any
		status     int
		body       string
	}{
		{"a caller", Optional, handedOn(t, user, ""), 200, "s-1<nil>"},
		{"anonymous", Optional, nobody, 200, ErrAnonymous.Error()},
		{"no context", Optional, map[string]any{}, 401, `{"message":"Unauthorized","reason":"no_session"}` + "\n"},
		{"anonymous where a caller is wanted", Require, nobody, 401, `{"message":"Unauthorized","reason":"no_session"}` + "\n"},
	} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest("GET", "/", nil)
		c.middleware(hello).ServeHTTP(w, r.WithContext(NewContext(r.Context(), c.authorizer)))
		if w.Code != c.status || w.Body.String() != c.body {
			t.Errorf("%s: %d %s", c.name, w.Code, w.Body)
		}
	}
}

func TestGuard(t *testing.T) {
	guarded, err := Guard(hello, "https://app.example.com")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, method string
		header       string // name: value, more after a semicolon
		status       int
	}{
		{"a page", "GET", "Sec-Fetch-Site: cross-site", 200},
		{"same origin", "POST", "Sec-Fetch-Site: same-origin", 200},
		{"the address bar", "POST", "Sec-Fetch-Site: none", 200},
		{"no browser", "POST", "", 200},
		{"cross-site", "POST", "Sec-Fetch-Site: cross-site", 403},
		{"same site", "DELETE", "Sec-Fetch-Site: same-site", 403},
		{"another origin", "POST", "Origin: https://evil.example", 403},
		{"own origin", "POST", "Origin: https://example.com", 200},
		{"null", "POST", "Origin: null", 403},
		{"trusted origin", "POST", "Origin: https://app.example.com;Sec-Fetch-Site: cross-site", 200},
		{"bearer", "POST", "Sec-Fetch-Site: cross-site;Authorization: Bearer x", 200},
		{"method override", "GET", "X-HTTP-Method-Override: DELETE", 403},
		{"its sibling", "GET", "X-HTTP-Method: DELETE", 403},
		{"its other sibling", "GET", "X-Method-Override: DELETE", 403},
	} {
		r := httptest.NewRequest(c.method, "https://example.com/", nil)
		for h := range strings.SplitSeq(c.header, ";") {
			if name, value, ok := strings.Cut(h, ": "); ok {
				r.Header.Set(name, value)
			}
		}
		w := httptest.NewRecorder()
		guarded.ServeHTTP(w, r)
		if w.Code != c.status {
			t.Errorf("%s: %d, want %d", c.name, w.Code, c.status)
		}
		if want := `{"message":"Forbidden","reason":"cross_site"}` + "\n"; c.status == 403 && w.Body.String() != want {
			t.Errorf("%s: %s", c.name, w.Body)
		}
	}
	if _, err := Guard(hello, "app.example.com"); err == nil {
		t.Error("an origin that is none is accepted")
	}
}

func TestReasonsAreOnTheList(t *testing.T) {
	for _, code := range []reason.Code{"no_session", "cross_site"} {
		if !code.Known() {
			t.Errorf("%s", code)
		}
	}
}
