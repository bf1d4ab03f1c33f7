package login_test

import (
	"strings"
	"testing"

	"edgeauth/internal/intent/intenttest"
)

// TestMeaning: a login begins for exactly those requests that the authorizer sends here, so none of
// its redirects ends in a 401; and whoever reads an answer gets a page.
func TestMeaning(t *testing.T) {
	for _, set := range intenttest.Sets() {
		t.Run(set.Name, func(t *testing.T) {
			w := newSystem(t)
			b := w.browser()
			b.extra = set.HTTP()
			res := b.send("GET", base+"/auth/login")
			if begun := len(res.Cookies()) > 0; begun != set.Navigation || (res.StatusCode == 401) == set.Navigation {
				t.Errorf("status %d, %d cookies", res.StatusCode, len(res.Cookies()))
			}
			denied := b.send("GET", base+"/auth/denied")
			if page := strings.HasPrefix(denied.Header.Get("Content-Type"), "text/html"); page != set.Person {
				t.Errorf("the page about a refusal is %s", denied.Header.Get("Content-Type"))
			}
		})
	}
}
