package login

// This file decides what a browser has to prove of its device before a session of its goes on.
//
// A browser that can registers a key at the end of its sign-in. From then on the session is renewed
// at one address only, where the browser signs a challenge: what was copied from its disk renews
// nothing. It does so by itself, before it sends a request that needs the session. So a navigation
// that comes to the login with a bound session that is over was not sent by that browser, or that
// browser has lost its key: it signs in anew.
//
// A 4xx other than 403 ends the binding in the browser for good. So whatever is only out of reach is
// a 5xx. Another site can send nothing here: no page can set the headers that count without asking
// first, and nobody is told that he may.
// https://w3c.github.io/webappsec-dbsc/#algo-session-request

import (
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"edgeauth/cuts"
	"edgeauth/internal/cookie"
	"edgeauth/internal/device"
	"edgeauth/internal/jar"
	"edgeauth/internal/reason"
)

var (
	errUnproven   = reason.New(reason.DeviceProofMissing, "login: the session is bound to a device, and nothing proves that this is it")
	errUnbound    = reason.New(reason.DeviceRequired, "login: the session is bound to no device")
	errSkipped    = reason.New(reason.DeviceSkipped, "login: the browser could not renew its bound session just now")
	errChallenged = reason.New(reason.DeviceChallenged, "login: a challenge is to be signed first")
	errBound      = reason.New(reason.DeviceProofInvalid, "login: the session is bound to a device already")
	errStranger   = reason.New(reason.SessionChanged, "login: the browser renews another session than it holds")
	errOff        = reason.New(reason.NotFound, "login: no session is bound here")
)

// device binds a session to a device, and renews one that is. A person who comes here is on the way
// to a page, by way of an answer that the browser registers by.
func (v *visit) device() answer {
	switch {
	case v.r.Method == http.MethodGet && !navigation(v.r):
		return v.failed(errBadRequest)
	case v.r.Method == http.MethodGet:
		return v.pass()
	case !sameOrigin(v.r):
		return v.failed(errCrossSite)
	}
	id, proof := device.Text(v.r.Header.Values(device.HeaderID)), device.Text(v.r.Header.Values(device.HeaderResponse))
	if id == "" && proof == "" {
		return v.failed(errBadRequest)
	}
	held, err := v.jar.Renewal()
	switch {
	case errors.Is(err, jar.ErrChanged):
		return v.notRenewed(err, v.jar.ForgetSession())
	case err != nil:
		return v.notRenewed(err, nil)
	case id == "":
		return v.register(held, proof)
	}
	return v.prove(held, id, proof)
}

// register binds a session by renewing it: where refresh tokens rotate, the one that was copied
// before is worth nothing from then on. A session is bound once, and only by whoever was told the
// challenge, which no cookie holds.
func (v *visit) register(held jar.Renewal, proof string) answer {
	if v.provider.Devices == device.Off {
		return v.failed(errOff)
	}
	if held.Device != "" {
		return v.notRenewed(errBound, nil)
	}
	key, challenge, err := device.Registered(proof)
	if err == nil {
		err = v.challenges.Check(challenge, device.Registration, held.Nonce, v.now)
	}
	if err != nil {
		return v.notRenewed(err, nil)
	}
	return v.bound(held, key)
}

// prove renews a session that is bound.
func (v *visit) prove(held jar.Renewal, id, proof string) answer {
	if held.Device == "" || id != deviceID(held) {
		return v.notRenewed(errStranger, nil) // of an earlier sign-in: its binding is over
	}
	if proof == "" {
		return v.challenge(errChallenged, id)
	}
	challenge, err := device.Proven(proof, held.Device)
	if err != nil {
		return v.notRenewed(err, nil)
	}
	if err := v.challenges.Check(challenge, device.Renewal, id, v.now); err != nil {
		return v.challenge(err, id)
	}
	return v.bound(held, held.Device)
}

// challenge asks a browser to sign.
func (v *visit) challenge(err error, id string) answer {
	a := v.failed(err)
	a.ask = device.Asked(v.challenges.New(device.Renewal, id, v.now), id)
	return a
}

// bound renews a session and tells the browser how it is bound.
func (v *visit) bound(held jar.Renewal, key string) answer {
	lines, claims, err := v.renewed(held, key)
	if err != nil {
		return v.notRenewed(err, lines)
	}
	held.Device = key
	return answer{status: http.StatusOK, code: reason.OK, cookies: lines, notes: append(about(claims), note("device", deviceID(held)[:8])), body: v.instructions(held)}
}

func deviceID(r jar.Renewal) string { return device.ID(r.Nonce, r.Device) }

// offered returns a, which gives a browser the session of held, with what makes the browser bind it.
//
// Browsers register in the name of the page that sent the request. If that is another site's, as it
// is at the end of a sign-in at another site, SameSite keeps the cookies back, and nothing can be
// registered. So a browser that may be able to register goes on by a page of ours first.
func (v *visit) offered(a answer, held jar.Renewal) answer {
	if v.provider.Devices == device.Off || held.Token == "" || held.Device != "" || !strings.HasPrefix(v.site.url, "https:") {
		return a
	}
	switch site := v.r.Header.Get("Sec-Fetch-Site"); {
	case site == "": // no browser that can register
	case site != "cross-site":
		a.offer = device.Offered(v.site.auth("device"), v.challenges.New(device.Registration, held.Nonce, v.now))
	case a.location != "" && chromium(v.r) && document(v.r):
		target, fragment, _ := strings.Cut(a.location, "#")
		to := v.site.auth("device") + "?return_to=" + url.QueryEscape(target)
		if fragment != "" {
			to += "#" + fragment // browsers carry it along redirects
		}
		a = v.forward(a, to)
	}
	return a
}

// forward makes a lead to an address of ours by way of a page of this origin.
func (v *visit) forward(a answer, to string) answer {
	hop := v.frame(reason.OK).Forward(to)
	a.status, a.code, a.hop, a.location = http.StatusOK, reason.OK, &hop, ""
	return a
}

// chromium reports whether a browser is of the family that can register, on a machine where it does.
// https://wicg.github.io/ua-client-hints/
func chromium(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Sec-CH-UA"), `"Chromium"`) && r.Header.Get("Sec-CH-UA-Mobile") == "?0"
}

// pass sends a browser on to where it wanted to go, and offers to register.
func (v *visit) pass() answer {
	q, err := parameters(v.r, "return_to")
	if err != nil {
		return v.failed(err)
	}
	a := v.redirect(returnTo(v.site.base, q["return_to"]), nil)
	if held, err := v.jar.Renewal(); err == nil && v.r.Header.Get("Sec-Fetch-Site") != "cross-site" {
		a = v.offered(a, held)
	}
	return a
}

// unaided returns nil if what a browser holds renews the session by itself, and else what is missing.
func (v *visit) unaided(held jar.Renewal) error {
	switch {
	case held.Device == "" && v.provider.Devices == device.Require:
		return errUnbound
	case held.Device == "":
		return nil
	case device.Skipped(v.r.Header.Values(device.HeaderSkipped), deviceID(held)):
		return errSkipped
	}
	return errUnproven
}

// unproven answers a navigation whose session is over and cannot be renewed here.
func (v *visit) unproven(target string, q map[string]string, s standing) answer {
	if errors.Is(s.alone, errSkipped) {
		return v.failed(s.alone)
	}
	if site := v.r.Header.Get("Sec-Fetch-Site"); site == "cross-site" || site == "same-site" {
		// For a link on another site's page the browser renews nothing, since the cookies would stay behind: once more, from here.
		if again := v.again(s.held); q["again"] != s.held.Tag() && document(v.r) {
			return v.forward(answer{notes: []slog.Attr{note("renewal", string(reason.Of(s.alone)))}}, again)
		}
	}
	var a answer
	if errors.Is(v.uncut(renewalOf(s.held)), cuts.ErrCut) {
		a = v.ask(target, q)
	} else {
		a = v.start(target, q)
	}
	a.notes = append(a.notes, note("renewal", string(reason.Of(s.alone))))
	a.notes = append(a.notes, v.suspicion(s.alone)...)
	return a
}

// suspicion is what is counted when a bound session was to go on and nothing proved its device: a
// cookie that was copied, or a browser that has lost its key.
func (v *visit) suspicion(err error) []slog.Attr {
	switch reason.Of(err) {
	case reason.DeviceProofMissing, reason.DeviceProofInvalid:
		return v.metric("DeviceRefused")
	}
	return nil
}

// instructions tells a browser how its session is bound: by the session's cookie, for the whole
// origin, since applications under other paths share it. Of our own routes only those need the
// session renewed first whose answer depends on it. Requests that begin on other sites renew nothing:
// the browser would leave the cookies at home, be told that there is no session, and forget its key.
// https://w3c.github.io/webappsec-dbsc/#format-session-instructions
func (v *visit) instructions(held jar.Renewal) instructions {
	rule := func(kind, path string) scopeRule { return scopeRule{kind, "*", path} }
	return instructions{
		ID:         deviceID(held),
		RefreshURL: v.site.auth("device"),
		Scope: scope{Rules: []scopeRule{
			rule("exclude", v.site.base+"/auth"),
			rule("include", v.site.auth("login")), rule("include", v.site.auth("session")), rule("include", v.site.auth("refresh")),
		}},
		Credentials: []credential{{"cookie", cookie.Session, cookie.SessionAttributes}},
	}
}

type instructions struct {
	ID          string       `json:"session_identifier"`
	RefreshURL  string       `json:"refresh_url"`
	Scope       scope        `json:"scope"`
	Credentials []credential `json:"credentials"`
}

type scope struct {
	Site  bool        `json:"include_site"`
	Rules []scopeRule `json:"scope_specification"` // the last that matches counts
}

type scopeRule struct {
	Type   string `json:"type"`
	Domain string `json:"domain"`
	Path   string `json:"path"`
}

type credential struct {
	Type       string `json:"type"`
	Name       string `json:"name"`
	Attributes string `json:"attributes"`
}
