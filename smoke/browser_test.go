package smoke

import (
	"cmp"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// site is an app with a login page of its own.
type site struct {
	app, idp string // origins; empty: the same
	login    string // the page's HTML
	cookies  []string
	seen     []*http.Request
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.seen = append(s.seen, r)
	switch {
	case r.URL.Path == "/Prod/auth/login":
		http.Redirect(w, r, "hop", http.StatusFound)
	case r.URL.Path == "/Prod/auth/hop":
		fmt.Fprintf(w, `<noscript><meta http-equiv="refresh" content="0; url=%s/login?a=1&amp;b=2"></noscript>`, s.idp)
	case r.Method == http.MethodGet && r.URL.Path == "/login" && r.URL.Query().Get("b") == "2":
		w.Header().Set("Set-Cookie", "csrf=1; HttpOnly")
		fmt.Fprint(w, s.login)
	case r.Method == http.MethodPost && r.URL.Path == "/submit":
		csrf, _ := r.Cookie("csrf")
		if r.PostFormValue("who") != "alice@example.com" || r.PostFormValue("pw") != "p&1" || r.PostFormValue("_csrf") != `"x"` || csrf == nil {
			fmt.Fprint(w, s.login)
			return
		}
		http.Redirect(w, r, s.app+"/Prod/done", http.StatusSeeOther)
	case r.URL.Path == "/Prod/done":
		for _, c := range s.cookies {
			w.Header().Add("Set-Cookie", c)
		}
		fmt.Fprint(w, "done")
	default:
		fmt.Fprint(w, "done")
	}
}

const loginPage = `<form action="/search"><input name=q></form>
<form method=post action='/submit'>
<input type="hidden" name="_csrf" value="&quot;x&quot;"><input name="who" type=email autofocus><input type="Password" name="pw">
</form>`

func TestCookie(t *testing.T) {
	good := []string{"__Host-id=2~abc; Path=/; Secure; HttpOnly", "__Host-id-2=def; Path=/; Secure", "other=1; Path=/"}
	for _, c := range []struct {
		name, login    string
		cookies        []string
		base, password string // empty: the site, and the right one
		want           string
		fails          string
	}{
		{"all pieces of the session", loginPage, good, "", "", "__Host-id=2~abc; __Host-id-2=def", ""},
		{"a wrong password", loginPage, good, "", "no", "", "did not accept the name and the password"},
		{"a page without a form", "<p>soon</p>", good, "", "", "", "ended on 127.0.0.1"},
		{"a form without a password", `<form><input name="who"></form>`, good, "", "", "", "with 200 and no session"},
		{"no session in the end", loginPage, []string{"other=1; Path=/"}, "", "", "", "with 200 and no session"},
		{"a session that no browser keeps: not Secure", loginPage, []string{"__Host-id=x; Path=/"}, "", "", "", "and no session"},
		{"a session that no browser keeps: a path", loginPage, []string{"__Host-id=x; Path=/Prod; Secure"}, "", "", "", "and no session"},
		{"a session that no browser keeps: a domain", loginPage, []string{"__Host-id=x; Path=/; Secure; Domain=127.0.0.1"}, "", "", "", "and no session"},
		{"nobody there", loginPage, good, "http://127.0.0.1:1/Prod", "", "", "connection refused"},
		{"round in circles", `<meta http-equiv="refresh" content="0; url=/login?b=2">`, good, "", "", "", "in circles"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &site{login: c.login, cookies: c.cookies}
			server := httptest.NewServer(s)
			defer server.Close()
			me, err := New(cmp.Or(c.base, server.URL+"/Prod"), "alice@example.com", cmp.Or(c.password, "p&1"))
			if err != nil {
				t.Fatal(err)
			}
			cookie, err := me.Cookie(t.Context(), false)
			if cookie != c.want {
				t.Errorf("got %q, want %q", cookie, c.want)
			}
			if c.fails == "" && err != nil || c.fails != "" && (err == nil || !strings.Contains(err.Error(), c.fails)) {
				t.Errorf("error %v, want one with %q", err, c.fails)
			}
		})
	}
}

func TestCookieSendsWhatABrowserSends(t *testing.T) {
	s := &site{login: loginPage, cookies: []string{"__Host-id=x; Path=/; Secure"}}
	app := httptest.NewServer(s)
	defer app.Close()
	s.app = app.URL
	login := httptest.NewServer(s) // another origin
	defer login.Close()
	s.idp = login.URL
	me, err := New(app.URL+"/Prod/", "alice@example.com", "p&1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := me.Cookie(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range s.seen {
		if r.Header.Get("Sec-Fetch-Mode") != "navigate" || r.Header.Get("Sec-Fetch-Dest") != "document" {
			t.Errorf("%s is no navigation: %v", r.URL.Path, r.Header)
		}
		got = append(got, r.URL.Path+" "+r.Header.Get("Sec-Fetch-Site"))
	}
	want := "/Prod/auth/login none, /Prod/auth/hop none, /login cross-site, /submit same-origin, /Prod/done cross-site"
	if strings.Join(got, ", ") != want {
		t.Errorf("got %s, want %s", strings.Join(got, ", "), want)
	}
}

// A password goes to https, or stays on this machine, wherever the form would send it.
func TestPasswordIsNotSentInTheClear(t *testing.T) {
	server := httptest.NewServer(&site{login: `<form method=post action="http://login.example/submit"><input name=who><input type=password name=pw></form>`})
	defer server.Close()
	me, err := New(server.URL+"/Prod", "", "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := me.Cookie(t.Context(), false); err == nil || err.Error() != "the login form sends a password to login.example without TLS" {
		t.Error(err)
	}
}
