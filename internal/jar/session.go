package jar

// This file decides what a browser holds of a session: the ID token where every request to the
// application carries it, and what renews it, sealed, where only our routes see it. Both are always
// written together, so that an answer which comes late can never put one user's renewal beside
// another's session.

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"edgeauth/internal/cookie"
	"edgeauth/internal/reason"
)

const refreshCookie = "__Secure-refresh"

// maxAge is for how many seconds browsers keep a cookie: 400 days (draft-ietf-httpbis-rfc6265bis,
// section 5.5).
const maxAge = 400 * 24 * 60 * 60

var (
	// ErrChanged says that a session and what renews it belong to two sign-ins.
	ErrChanged = reason.New(reason.SessionChanged, "jar: the refresh token belongs to another sign-in")
	// ErrOver says that a session has reached one of its limits.
	ErrOver = reason.New(reason.SessionEnded, "jar: the session is over its limit")
	// ErrNoRenewal says that the browser holds nothing to renew a session with.
	ErrNoRenewal = reason.New(reason.NoSession, "jar: no refresh token that can be read")

	errTooLarge = reason.New(reason.LoginTooLarge, "jar: the session does not fit into a request")
)

// Renewal is what the refresh cookie holds: the token, whose it is, and since when. Times are in
// seconds since 1970.
type Renewal struct {
	Token    string `json:"t"`
	Issuer   string `json:"i"`
	Subject  string `json:"s"`
	AuthTime int64  `json:"a"` // of the sign-in: no renewal changes it
	Origin   string `json:"o"` // origin_jti, the sign-in's name at Cognito
	Nonce    string `json:"n"` // hash of the sign-in's nonce: see SetNonce
	Binder   string `json:"b"` // hash of the browser's cookie: Hold sets it
	Device   string `json:"d"` // public key of the device that the session is bound to; "": to none
	Issued   int64  `json:"f"` // when the first refresh token was issued
	Renewed  int64  `json:"r"` // when the present one was last redeemed
	Ends     int64  `json:"e"` // when it dies: a rotated one inherits it
}

// SetNonce notes the nonce of the sign-in that r goes back to.
func (r *Renewal) SetNonce(nonce string) { r.Nonce = hash(nonce) }

// HasNonce reports whether nonce is the one of the sign-in.
func (r Renewal) HasNonce(nonce string) bool { return hash(nonce) == r.Nonce }

// Tag tells refresh tokens apart without saying what they are.
func (r Renewal) Tag() string { return hash(r.Token)[:8] }

// Session is what a browser is given to hold.
type Session struct {
	ID      string  // the ID token
	Expiry  int64   // when it ends, in seconds since 1970
	Renewal Renewal // without a Token the session cannot be renewed
}

// Session returns the ID token that the browser presents. The errors are those of cookie.Join.
func (j *Jar) Session() (string, error) { return cookie.Join(j.cookies, cookie.Session) }

// Hold returns what makes the browser hold s: both cookies, or no refresh cookie at all. target is
// where it goes next. A session that fits everywhere but beside its own refresh token is given
// without one; one that fits nowhere is an error of reason login_too_large.
func (j *Jar) Hold(s Session, target string) ([]cookie.Line, error) {
	lines, err := j.write(s)
	if err != nil {
		return nil, err
	}
	size := j.weight(target, lines)
	if size > j.Budget && s.Renewal.Token != "" {
		s.Renewal.Token = ""
		return j.Hold(s, target)
	}
	if size > j.Budget {
		return nil, fmt.Errorf("%w: %d of %d bytes", errTooLarge, size, j.Budget)
	}
	return lines, nil
}

// Rescue returns what makes the browser hold a refresh token that replaced that of r, while the ID
// token that came with it could not be used: the one it replaced is worth nothing any more. The
// session goes with it as it was presented, or is gone if none was, so that here too both are
// written together.
func (j *Jar) Rescue(r Renewal, token string) []cookie.Line {
	if token == "" || token == r.Token {
		return nil
	}
	r.Token = token
	raw, _ := j.Session()
	lines, err := j.write(Session{ID: raw, Expiry: j.now.Unix() + 3600, Renewal: r})
	if err != nil {
		return nil
	}
	return lines
}

// write returns what makes the browser hold s, or nothing of it.
func (j *Jar) write(s Session) (lines []cookie.Line, err error) {
	r := s.Renewal
	lines = cookie.Clear(cookie.Session, "/")
	if s.ID != "" {
		l := cookie.Line{Name: cookie.Session, Value: s.ID, Path: "/", MaxAge: j.age(r, s.Expiry)}
		if lines, err = cookie.Split(l, j.cookies); err != nil {
			return nil, err
		}
	}
	if r.Token == "" {
		return append(lines, j.ForgetRenewal()...), nil
	}
	binder, err := j.binder()
	if err != nil {
		return nil, err
	}
	r.Binder = hash(binder)
	sealed := j.seal.seal(kindRenewal, refreshCookie, r)
	l := cookie.Line{Name: refreshCookie, Value: sealed, Path: j.path(), MaxAge: j.age(r, r.Ends)}
	more, err := cookie.Split(l, j.cookies)
	if err != nil {
		return nil, err
	}
	lines = append(lines, cookie.Line{Name: browserCookie, Value: binder, Path: "/", MaxAge: l.MaxAge})
	return append(lines, more...), nil
}

// age is the Max-Age of a cookie of r's session that is worth keeping until at.
func (j *Jar) age(r Renewal, at int64) int {
	return int(min(max(j.lastMoment(r, at)-j.now.Unix(), 1), maxAge))
}

// lastMoment returns until when something of r's session may be kept that itself lasts until at.
func (j *Jar) lastMoment(r Renewal, at int64) int64 {
	if j.SessionMax > 0 {
		at = min(at, r.AuthTime+int64(j.SessionMax.Seconds()))
	}
	return at
}

// Renewal returns what the session may be renewed with: ErrNoRenewal if there is nothing, ErrOver
// when a limit has passed, ErrChanged when it belongs to somebody else than the session presented
// beside it.
func (j *Jar) Renewal() (Renewal, error) {
	own, _ := j.renewals()
	if len(own) != 1 {
		return Renewal{}, ErrNoRenewal
	}
	r, now := own[0], j.now.Unix()
	if now >= j.lastMoment(r, r.Ends) || j.SessionIdle > 0 && now >= r.Renewed+int64(j.SessionIdle.Seconds()) {
		return Renewal{}, ErrOver
	}
	if raw, err := j.Session(); err == nil && otherSubject(raw, r.Subject) {
		return Renewal{}, ErrChanged
	}
	return r, nil
}

// renewals returns what the browser presents to renew sessions with, whatever it is worth by now:
// what is bound to this browser, and what is sealed here but not. Neighbouring hosts can put theirs
// beside ours and before it, so each value of the name is looked at.
func (j *Jar) renewals() (own, others []Renewal) {
	add := func(sealed string) {
		var r Renewal
		if j.seal.open(kindRenewal, refreshCookie, sealed, &r) != nil || r.Token == "" {
			return
		}
		list := &others
		if j.bound(browserCookie, r.Binder) {
			list = &own
		}
		if !slices.ContainsFunc(*list, func(have Renewal) bool { return have.Token == r.Token }) {
			*list = append(*list, r)
		}
	}
	if sealed, err := cookie.Join(j.cookies, refreshCookie); err == nil {
		add(sealed)
		return own, others
	}
	for name, sealed := range cookie.All(j.cookies) {
		if name == refreshCookie {
			add(sealed)
		}
	}
	return own, others
}

// maxRevoked is how many refresh tokens one sign-out revokes at the most: one, unless a
// neighbouring host has put its own beside it.
const maxRevoked = 3

// Revocable returns what a sign-out ends the renewal of: this browser's own first.
func (j *Jar) Revocable() []Renewal {
	own, others := j.renewals()
	all := append(own, others...)
	return all[:min(len(all), maxRevoked)]
}

// ForgetSession returns what makes the browser forget the session, in every variant.
func (j *Jar) ForgetSession() []cookie.Line {
	return append(cookie.Clear(cookie.Session, "/"), j.ForgetRenewal()...)
}

// ForgetRenewal returns what makes the browser forget what its session is renewed with.
func (j *Jar) ForgetRenewal() []cookie.Line {
	return append(cookie.Clear(refreshCookie, j.path()), cookie.Forget(browserCookie, "/"))
}

// otherSubject reports whether an ID token, expired or not, speaks of somebody else. It is not
// verified here, so it can only refuse.
func otherSubject(raw, subject string) bool {
	_, rest, _ := strings.Cut(raw, ".")
	payload, _, _ := strings.Cut(rest, ".")
	text, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil {
		return false
	}
	var c struct {
		Subject string `json:"sub"`
	}
	return json.Unmarshal(text, &c) == nil && c.Subject != "" && c.Subject != subject
}
