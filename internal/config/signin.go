package config

// This file decides what the callback's parameter says. The template writes it, so what does not fit is a mistake, and is refused whole.

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// SignInVersion is the version of the parameter that is written now. Whoever reads this version reads every earlier one too: an update of the stack changes
// the function first and the parameter last. A later one is refused, since nobody can tell what it means.
//
// Nothing was released with version 1 so far, so members may still join it. After that a new member makes a new version: who reads the former one refuses it.
const SignInVersion = 1

// SignIn is what the callback must know to sign people in. All of it is known only once everything else is made, so it comes in an SSM parameter, as one
// JSON object of the members that are named here.
type SignIn struct {
	Pool                       // issuer, jwks_url, and jwks: the snapshot, an object or null
	UserPoolID   string        // user_pool_id
	ClientID     string        // client_id: the app client
	LoginURL     string        // login_url: the pool's domain
	BaseURLs     []string      // base_urls: origin and base path of the application, such as https://app.example.com/Prod
	Scopes       []string      // scopes: what the login asks for; "openid email" when ""
	Claims       []string      // claims: names of further claims that /auth/session shows
	Brand        Brand         // brand
	HeaderBudget int           // header_budget: bytes of request line and headers that the API takes; 10,240 (HTTP APIs, the strictest) when 0
	SessionMax   time.Duration // session_max: a sign-in ends this long after it, renewed or not; when "", as long as the refresh token lives
	SessionIdle  time.Duration // session_idle: a session not renewed for this long ends; when "", there is no limit
	Cuts         string        // cuts: name of the table of sessions that were ended early; when "", there is none
	Devices      string        // device_binding: whether sessions are bound to devices: off, offer or require; offer when ""
	CutsAdmit    bool          // cuts_admit: while it is out of reach, sessions that are not known to be ended go on; when "", they do not
}

// ParseSignIn reads the parameter's value. The error, if any, joins one error for each member that is wrong; it quotes nothing of the value.
func ParseSignIn(text string) (SignIn, error) {
	var p struct {
		Version      int             `json:"v"`
		Issuer       string          `json:"issuer"`
		JWKSURL      string          `json:"jwks_url"`
		JWKS         json.RawMessage `json:"jwks"`
		UserPoolID   string          `json:"user_pool_id"`
		ClientID     string          `json:"client_id"`
		LoginURL     string          `json:"login_url"`
		BaseURLs     []string        `json:"base_urls"`
		Scopes       string          `json:"scopes"`
		Claims       string          `json:"claims"`
		Brand        Brand           `json:"brand"`
		HeaderBudget int             `json:"header_budget"`
		SessionMax   string          `json:"session_max"`
		SessionIdle  string          `json:"session_idle"`
		Cuts         string          `json:"cuts"`
		CutsAdmit    string          `json:"cuts_admit"`
		Devices      string          `json:"device_binding"`
	}
	var version struct {
		Number int `json:"v"`
	}
	if err := json.Unmarshal([]byte(text), &version); err == nil && (version.Number < 1 || version.Number > SignInVersion) {
		return SignIn{}, fmt.Errorf("config: the parameter is of version %d, and this reads versions 1 to %d", version.Number, SignInVersion)
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil || d.More() {
		return SignIn{}, errors.New("config: the parameter is not the JSON that it should be")
	}
	members := map[string]string{
		"issuer": p.Issuer, "jwks_url": p.JWKSURL, "jwks": string(p.JWKS), "user_pool_id": p.UserPoolID, "client_id": p.ClientID, "login_url": p.LoginURL,
		"scopes": p.Scopes, "claims": p.Claims, "session_max": p.SessionMax, "session_idle": p.SessionIdle, "cuts_admit": p.CutsAdmit,
		"device_binding": p.Devices,
	}
	if members["jwks"] == "null" {
		members["jwks"] = ""
	}
	if p.HeaderBudget != 0 {
		members["header_budget"] = strconv.Itoa(p.HeaderBudget)
	}
	e := &environment{lookup: func(name string) (string, bool) { v, ok := members[name]; return v, ok }}
	s := SignIn{
		Pool:         e.pool("issuer", "jwks_url", "jwks"),
		UserPoolID:   e.required("user_pool_id"),
		ClientID:     e.required("client_id"),
		LoginURL:     e.required("login_url"),
		BaseURLs:     p.BaseURLs,
		Scopes:       e.scopes("scopes"),
		Brand:        e.brand("brand", p.Brand),
		HeaderBudget: e.bytes("header_budget", 10240),
		SessionMax:   e.duration("session_max"),
		SessionIdle:  e.duration("session_idle"),
		Cuts:         p.Cuts,
		CutsAdmit:    e.bool("cuts_admit"),
		Devices:      e.oneOf("device_binding", "offer", "off", "require"),
	}
	s.Claims = e.claims("claims", s.Scopes)
	if len(s.BaseURLs) == 0 {
		e.fail("base_urls", "is not set")
	}
	for _, raw := range s.BaseURLs {
		e.baseURL("base_urls", raw)
	}
	if s.LoginURL != "" {
		e.baseURL("login_url", s.LoginURL)
	}
	return s, e.err()
}

// baseURL wants what paths can be appended to.
func (e *environment) baseURL(name, raw string) {
	if strings.HasSuffix(raw, "/") {
		e.fail(name, "has a slash at its end")
		return
	}
	e.secureURL(name, raw)
}
