package login

// This file decides what a page's script may know about the session whose cookie it cannot read:
// who, until when, and how to end it. No token is in it.

import (
	"encoding/json"
	"errors"
	"net/http"

	"edgeauth/cuts"
	"edgeauth/internal/reason"
)

// whoIsIt is what scripts are told of a session.
type whoIsIt struct {
	Subject     string   `json:"sub"`
	Username    string   `json:"username"`
	Email       string   `json:"email,omitempty"`
	Groups      []string `json:"groups"`
	AuthTime    int64    `json:"auth_time"`
	Expiry      int64    `json:"exp"`
	ExpiresIn   int64    `json:"expires_in"`
	Refreshable bool     `json:"refreshable"`
	Bound       bool     `json:"bound,omitempty"` // to a device: the browser renews it by itself
	LogoutURL   string   `json:"logout_url"`

	Claims json.RawMessage `json:"claims,omitempty"` // the further ones that backends get
}

func (v *visit) whoami() answer {
	claims, err := v.session()
	held, rerr := v.jar.Renewal()
	if rerr == nil {
		rerr = v.unaided(held)
	}
	if err != nil && errors.Is(rerr, errSkipped) {
		return v.failed(rerr)
	}
	if err != nil {
		a := v.failed(err)
		a.refreshable = rerr == nil && !errors.Is(err, cuts.ErrCut)
		return a
	}
	further, err := claims.Pick(v.provider.Claims)
	if err != nil {
		return v.failed(err)
	}
	return answer{status: http.StatusOK, code: reason.OK, notes: about(claims), body: whoIsIt{
		Subject: claims.Subject, Username: claims.Username, Email: claims.VerifiedEmail(), Groups: append([]string{}, claims.Groups...),
		AuthTime: claims.AuthTime, Expiry: claims.Expiry, ExpiresIn: max(claims.Expiry-v.now.Unix(), 0),
		Refreshable: rerr == nil || held.Device != "", Bound: held.Device != "", LogoutURL: v.site.auth("logout"), Claims: further,
	}}
}
