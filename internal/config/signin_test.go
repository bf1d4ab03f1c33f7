package config

// This file holds the callback's parameter to its rules.

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

const leastSignIn = `{"v":1,"issuer":"https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_A","user_pool_id":"eu-west-1_A","client_id":"c1",` +
	`"login_url":"https://example.auth.eu-west-1.amazoncognito.com","base_urls":["https://app.example.com/Prod","http://localhost:3000/Prod"]}`

// plus returns the least parameter with further members.
func plus(members string) string { return strings.TrimSuffix(leastSignIn, "}") + "," + members + "}" }

func TestParseSignIn(t *testing.T) {
	least := SignIn{
		Pool: Pool{
			Issuer:  "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_A",
			JWKSURL: "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_A/.well-known/jwks.json",
		},
		UserPoolID: "eu-west-1_A", ClientID: "c1", LoginURL: "https://example.auth.eu-west-1.amazoncognito.com",
		BaseURLs: []string{"https://app.example.com/Prod", "http://localhost:3000/Prod"}, Scopes: []string{"openid", "email"}, Claims: []string{}, HeaderBudget: 10240,
		Devices: "offer",
	}
	full := least
	full.JWKSURL, full.JWKS = "https://keys.example/", []byte(`{"keys":[]}`)
	full.Scopes, full.Claims = []string{"openid", "email", "profile"}, []string{"custom:tenant", "name"}
	full.Brand = Brand{"Acme", "/logo.svg", "mailto:help@example.com"}
	full.Devices = "require"
	full.HeaderBudget, full.SessionMax, full.SessionIdle = 20480, 12*time.Hour, 90*time.Minute
	alone := least
	alone.Scopes, alone.Claims = []string{"openid"}, []string{"custom:tenant", "phone_number"}
	kept := least
	kept.Cuts, kept.CutsAdmit = "app-cuts", true
	for name, row := range map[string]struct {
		text string
		want SignIn
	}{
		"the least":     {leastSignIn, least},
		"nothing, said": {plus(`"jwks_url":"","jwks":null,"scopes":"","claims":"","brand":{"name":"","logo":"","support":""},"header_budget":0,"session_max":"","session_idle":"","device_binding":""`), least},
		"everything": {plus(`"jwks_url":"https://keys.example/","jwks":{"keys":[]},"scopes":"openid email profile","claims":"custom:tenant,name",` +
			`"brand":{"name":"Acme","logo":"/logo.svg","support":"mailto:help@example.com"},"header_budget":20480,"session_max":"12h","session_idle":"90m","device_binding":"require"`), full},
		"a list of endings":                   {plus(`"cuts":"app-cuts","cuts_admit":"true"`), kept},
		"no list of them":                     {plus(`"cuts":"","cuts_admit":""`), least},
		"openid alone brings every attribute": {plus(`"scopes":"openid","claims":"custom:tenant phone_number"`), alone},
	} {
		if got, err := ParseSignIn(row.text); err != nil || !reflect.DeepEqual(got, row.want) {
			t.Errorf("%s:\ngot  %+v, %v\nwant %+v", name, got, err, row.want)
		}
	}
}

func TestParseSignInRefuses(t *testing.T) {
	const not = "config: the parameter is not the JSON that it should be"
	for name, row := range map[string]struct {
		text string
		want []string // every line of the error
	}{
		"nothing":           {"", []string{not}},
		"not JSON":          {"{canary", []string{not}},
		"two values":        {leastSignIn + leastSignIn, []string{not}},
		"an unknown member": {plus(`"secret":"canary"`), []string{not}},
		"another type":      {plus(`"session_max":12`), []string{not}},
		"no version":        {strings.Replace(leastSignIn, `"v":1,`, "", 1), []string{"config: the parameter is of version 0, and this reads versions 1 to 1"}},
		"a later version":   {strings.Replace(plus(`"canary":1`), `"v":1`, `"v":2`, 1), []string{"config: the parameter is of version 2, and this reads versions 1 to 1"}},
		"an empty object": {`{"v":1}`, []string{
			"config: issuer is not set", "config: user_pool_id is not set", "config: client_id is not set", "config: login_url is not set", "config: base_urls is not set",
		}},
		"an issuer over http":    {strings.Replace(leastSignIn, "https://cognito", "http://cognito", 1), []string{"config: issuer is not https"}},
		"keys over http":         {plus(`"jwks_url":"http://keys.example"`), []string{"config: jwks_url is not https"}},
		"a login URL over http":  {strings.Replace(leastSignIn, "https://ex", "http://ex", 1), []string{"config: login_url is not https"}},
		"a base URL over http":   {strings.Replace(leastSignIn, "localhost", "canary", 1), []string{"config: base_urls is not https"}},
		"a base URL with slash":  {strings.Replace(leastSignIn, `/Prod",`, `/Prod/",`, 1), []string{"config: base_urls has a slash at its end"}},
		"a base URL with query":  {strings.Replace(leastSignIn, `/Prod",`, `/Prod?",`, 1), []string{"config: base_urls is not an absolute URL without query"}},
		"a base URL with a user": {strings.Replace(leastSignIn, "app.", "u@app.", 1), []string{"config: base_urls is not an absolute URL without query"}},
		"a claim without scope":  {plus(`"claims":"custom:tenant"`), []string{"config: claims names custom:tenant, which the scopes openid email do not deliver: add profile"}},
		"no ID token":            {plus(`"scopes":"email"`), []string{"config: scopes lacks openid, without which there is no ID token"}},
		"budget":                 {plus(`"header_budget":12`), []string{"config: header_budget is not a number of bytes from 4096 to 65536"}},
		"duration":               {plus(`"session_max":"30s"`), []string{"config: session_max is not a duration of at least a minute, such as 12h"}},
		"device binding":         {plus(`"device_binding":"canary"`), []string{"config: device_binding is none of offer, off, require"}},
		"idle":                   {plus(`"session_idle":"canary"`), []string{"config: session_idle is not a duration of at least a minute, such as 12h"}},
		"brand":                  {plus(`"brand":{"title":"canary"}`), []string{not}},
		"logo elsewhere":         {plus(`"brand":{"logo":"//canary.example/x"}`), []string{"config: brand has a logo that is neither https nor a path"}},
		"neither yes nor no":     {plus(`"cuts_admit":"canary"`), []string{"config: cuts_admit is neither true nor false"}},
		"support script":         {plus(`"brand":{"support":"javascript:canary"}`), []string{"config: brand has a support link that is neither https nor mailto"}},
	} {
		_, err := ParseSignIn(row.text)
		if err == nil {
			t.Errorf("%s: accepted", name)
		} else if got := strings.Split(err.Error(), "\n"); !slices.Equal(got, row.want) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s:\ngot  %q\nwant %q", name, got, row.want)
		}
	}
}

func TestLoopbackLoginNeedsNoTLS(t *testing.T) {
	for _, host := range []string{"localhost:3000", "127.0.0.1:9229", "[::1]"} {
		if _, err := ParseSignIn(strings.Replace(leastSignIn, "https://example.auth.eu-west-1.amazoncognito.com", "http://"+host, 1)); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
}
