// The strict browser of these tests is tested itself: a rule that it did not keep would hide a cookie that real browsers drop.
package e2e

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
)

func TestBrowserDropsWhatBrowsersDrop(t *testing.T) {
	local, secure, plainHTTP := must(url.Parse("http://localhost:3000/Prod/auth/login")), must(url.Parse("https://app.example/a/b")), must(url.Parse("http://app.example/a/b"))
	for line, c := range map[string]struct {
		from *url.URL
		kept bool
	}{
		"__Host-a=1; Path=/; Secure":                          {local, true},
		"__Host-b=1; Path=/; Secure; HttpOnly; SameSite=Lax":  {secure, true},
		"__Host-c=1; Path=/x; Secure":                         {local, false},
		"__Host-d=1; Secure":                                  {local, false},
		"__Host-e=1; Path=/":                                  {local, false},
		"__Host-f=1; Path=/; Secure; Domain=app.example":      {secure, false},
		"__HOST-g=1; Path=/x; Secure":                         {secure, false},
		"__Host-h=1; Path=/; Secure ":                         {plainHTTP, false},
		"__Secure-i=1; Path=/x; Secure":                       {local, true},
		"__Secure-j=1; Path=/x":                               {local, false},
		"k=" + strings.Repeat("x", 4095) + "; Secure":         {local, true},
		"l=" + strings.Repeat("x", 4096) + "; Secure":         {local, false},
		"m=1; SameSite=None":                                  {local, false},
		"n=1\x01; Secure":                                     {local, false},
		"o=1; Secure; Max-Age=ten":                            {local, false},
		"p=1; Secure; Expires=Thu, 01 Jan 1970 00:00:00 GMT":  {local, true},
		"=q; Path=/; Secure; HttpOnly":                        {local, false},
		"r=1; Domain=app.example; Path=/; Secure; Max-Age=10": {secure, false},
	} {
		if _, _, err := parseCookie(c.from, line); (err == nil) != c.kept {
			t.Errorf("%.40q from %s: %v, want kept: %v", line, c.from.Host, err, c.kept)
		}
	}
}

func TestBrowserSendsWhatBrowsersSend(t *testing.T) {
	u := must(url.Parse("http://localhost:3000/"))
	b := newBrowser(t)
	for _, line := range []string{
		"root=1; Path=/; Secure; SameSite=Lax", "auth=1; Path=/Prod/auth; Secure; SameSite=Lax", "strict=1; Path=/; SameSite=Strict",
		"none=1; Path=/; Secure; SameSite=None", "unset=1; Path=/", "gone=1; Path=/; Max-Age=0",
	} {
		b.keep(u, line)
	}
	elsewhere := must(url.Parse("http://127.0.0.1:9229/"))
	for _, c := range []struct {
		name, method, path string
		mode               string
		crossSite          bool
		want               string
	}{
		{"typed", "GET", "/Prod/", "navigate", false, "root strict none unset"},
		{"below the path", "GET", "/Prod/auth/login", "navigate", false, "auth root strict none unset"},
		{"beside the path", "GET", "/Prod/authors", "navigate", false, "root strict none unset"},
		{"from another site", "GET", "/Prod/", "navigate", true, "root none unset"},
		{"form from another site", "POST", "/Prod/", "navigate", true, "none"},
		{"script from another site", "GET", "/Prod/", "cors", true, "none"},
	} {
		r := httptest.NewRequest(c.method, "http://localhost:3000"+c.path, nil)
		r.Header.Set("Sec-Fetch-Mode", c.mode)
		var names []string
		for _, k := range b.cookiesFor(r, c.crossSite) {
			names = append(names, k.name)
		}
		if got := strings.Join(names, " "); got != c.want {
			t.Errorf("%s: sent %q, want %q", c.name, got, c.want)
		}
	}
	r := httptest.NewRequest(http.MethodGet, elsewhere.String(), nil)
	if got := b.cookiesFor(r, false); len(got) > 0 {
		t.Errorf("another host is sent %d cookies", len(got))
	}
}

func TestBrowserTellsSitesFromOrigins(t *testing.T) {
	a := must(url.Parse("http://localhost:3000/x"))
	for target, want := range map[string]string{
		"http://localhost:3000/y": "same-origin", "http://localhost:9229/": "same-site", "https://localhost:3000/": "cross-site", "http://127.0.0.1:3000/": "cross-site",
	} {
		if got := relationOf(a, must(url.Parse(target))); got != want {
			t.Errorf("%s: %s, want %s", target, got, want)
		}
	}
	if !slices.IsSorted([]string{wider("same-origin", "same-site"), wider("same-site", "same-origin")}) || wider("same-site", "cross-site") != "cross-site" {
		t.Error("a chain of redirects is as far away as its farthest hop")
	}
}
