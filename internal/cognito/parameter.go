package cognito

// This file decides what the SSM parameter says. It is written by the template, so what does not fit is a mistake, and is refused whole.

import (
	"encoding/json"
	"errors"
	"net"
	"net/url"
	"strings"
)

// parse reads the parameter's value:
//
//	{"client_id": "…", "login_url": "https://…", "base_urls": ["https://…/Prod"]}
func parse(text string) (Client, error) {
	var p struct {
		ClientID string   `json:"client_id"`
		LoginURL string   `json:"login_url"`
		BaseURLs []string `json:"base_urls"`
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil || d.More() {
		return Client{}, errors.New("cognito: the parameter is not the JSON that it should be")
	}
	if p.ClientID == "" || len(p.BaseURLs) == 0 {
		return Client{}, errors.New("cognito: the parameter lacks client_id or base_urls")
	}
	for _, raw := range append([]string{p.LoginURL}, p.BaseURLs...) {
		if !secure(raw) {
			return Client{}, errors.New("cognito: the parameter holds a URL that is not https, or has a query or a slash at its end")
		}
	}
	return Client{ID: p.ClientID, LoginURL: p.LoginURL, BaseURLs: p.BaseURLs}, nil
}

// secure wants https, or http to a loopback host, where there is no network to listen on (RFC 8252, section 8.3).
func secure(raw string) bool {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.User != nil || strings.ContainsAny(raw, "?#") || strings.HasSuffix(raw, "/") {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	loopback := u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
	return u.Scheme == "https" || u.Scheme == "http" && loopback
}
