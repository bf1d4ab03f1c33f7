package main

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"edgeauth/local/cognito"
	"edgeauth/local/sam"
)

// newPool starts the stand-in, with a machine client or without, and an application that sends browsers there; it returns the application's URL.
func newPool(t *testing.T, machine bool) string {
	t.Helper()
	login := httptest.NewUnstartedServer(nil)
	domain := "http://" + login.Listener.Addr().String()
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/Prod/auth/login" {
			t.Errorf("the application is asked for %s", r.URL.Path) // least of all with a code
		}
		http.Redirect(w, r, domain+"/oauth2/authorize?"+url.Values{
			"client_id": {"web"}, "redirect_uri": {"http://" + r.Host + "/Prod/auth/callback"}, "response_type": {"code"}, "scope": {"openid email"}, "state": {"s"},
			"code_challenge_method": {"S256"}, "code_challenge": {strings.Repeat("x", 43)},
		}.Encode(), http.StatusFound)
	}))
	t.Cleanup(app.Close)
	clients := []cognito.Client{{
		ID: "web", Secret: strings.Repeat("web+", 8), CallbackURLs: []string{app.URL + "/Prod/auth/callback"}, Scopes: []string{"openid", "email"},
	}}
	if machine {
		clients = append(clients, cognito.Client{ID: "machine", Secret: strings.Repeat("m", 32), Scopes: []string{"reports/read"}, ClientCredentials: true})
	}
	pool, err := cognito.New(cognito.Config{Region: sam.Region, Pool: sam.PoolID, Issuer: domain + "/" + sam.PoolID, Domain: domain, Clients: clients})
	if err != nil {
		t.Fatal(err)
	}
	login.Config.Handler = pool.Handler()
	login.Start()
	t.Cleanup(login.Close)
	return app.URL + "/Prod"
}

func TestToken(t *testing.T) {
	for _, c := range []struct {
		name    string
		machine bool // is there one?
		args    []string
		client  string // that the token is for
		scope   string
		fails   string
	}{
		{"a user", false, []string{"-user", "bob@example.com"}, "web", "openid email", ""},
		{"a machine", true, []string{"-machine"}, "machine", "reports/read", ""},
		{"a user beside a machine", true, nil, "web", "openid email", ""},
		{"no machine", false, []string{"-machine"}, "", "", "there is no machine client; the parameter MachineScope makes one"},
		{"nobody of that name", false, []string{"-user", "eve@example.com"}, "", "", "gives no token: 404 no such user or client"},
		{"nobody there", false, []string{"-url", "http://127.0.0.1:1/Prod"}, "", "", "connection refused"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := on(t, nil, append([]string{"token", "-url", newPool(t, c.machine)}, c.args...)...)
			if c.fails != "" {
				if got.code != exitNo || !strings.Contains(got.stderr, c.fails) || got.stdout != "" {
					t.Errorf("%+v, want an error with %q", got, c.fails)
				}
				return
			}
			parts := strings.Split(strings.TrimSuffix(got.stdout, "\n"), ".")
			if got.code != exitDone || len(parts) != 3 {
				t.Fatalf("%+v", got)
			}
			payload, err := base64.RawURLEncoding.DecodeString(parts[1])
			if err != nil {
				t.Fatal(err)
			}
			var claims map[string]any
			if err := json.Unmarshal(payload, &claims); err != nil {
				t.Fatal(err)
			}
			if claims["token_use"] != "access" || claims["client_id"] != c.client || claims["scope"] != c.scope {
				t.Errorf("%v", claims)
			}
		})
	}
}

// Elsewhere the pool is not this one, and no password and no secret is any business of ours.
func TestTokenIsForThisMachine(t *testing.T) {
	app := httptest.NewServer(http.RedirectHandler("https://example.auth.eu-west-1.amazoncognito.com/oauth2/authorize?client_id=x", http.StatusFound))
	defer app.Close()
	if got := on(t, nil, "token", "-url", app.URL+"/Prod"); got.code != exitNo || !strings.Contains(got.stderr, "docs/machines.md") {
		t.Errorf("%+v", got)
	}
	nowhere := httptest.NewServer(http.NotFoundHandler())
	defer nowhere.Close()
	if got := on(t, nil, "token", "-url", nowhere.URL+"/Prod"); got.code != exitNo || !strings.Contains(got.stderr, "/Prod/auth/login sends nobody to a login page") {
		t.Errorf("%+v", got)
	}
}
