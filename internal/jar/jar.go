// Package jar is what a browser holds for us between two requests: logins that have begun, the
// session and what renews it, the fragment of the page first asked for, and marks against going
// round in circles.
//
// It reads what a browser sent and returns verdicts, and lines that make the browser hold or forget
// something. What becomes of them is for the routes to decide. What a browser must neither read nor
// change is sealed, and everything is measured before it is set: browsers and gateways drop without
// a word what is too large for them.
package jar

// This file decides what a jar is made of.

import (
	"io"
	"net/http"
	"slices"
	"time"

	"edgeauth/internal/cookie"
	"edgeauth/internal/reason"
)

// Config says whose cookies these are and what holds for them. Site, Secrets, Budget and Rand are
// required.
type Config struct {
	Site    string    // origin and base path, no slash at the end: seals are bound to it
	Base    string    // its path: /Prod, or "" at the root
	Secrets []string  // the client's secret, which seals, then those that only open; all but the first may be ""
	Budget  int       // how many bytes of request line and headers the API takes
	Rand    io.Reader // makes states, nonces and verifiers

	SessionMax  time.Duration // a session ends this long after the sign-in, renewed or not; 0: no limit
	SessionIdle time.Duration // a session that was not renewed for this long ends; 0: no limit
}

// Jar is what one browser sent.
type Jar struct {
	Config
	cookies []string // the raw Cookie headers
	others  int      // bytes of the other headers
	now     time.Time
	seal    sealer
}

// Open returns what the browser that sent r holds. It fails without a secret.
func Open(r *http.Request, now time.Time, c Config) (*Jar, error) {
	s, err := newSealer(c.Site, c.Secrets...)
	if err != nil {
		return nil, err
	}
	return &Jar{Config: c, cookies: r.Header.Values("Cookie"), others: headers(r), now: now, seal: s}, nil
}

// Blind returns a jar that nothing sealed can be read from or put into: it is good for forgetting.
func Blind(r *http.Request, base string) *Jar {
	return &Jar{Config: Config{Base: base}, cookies: r.Header.Values("Cookie")}
}

// Foreign reports whether the browser presents something sealed that none of the secrets opens.
func (j *Jar) Foreign() bool {
	own, others := j.renewals()
	if _, err := cookie.Join(j.cookies, refreshCookie); reason.Of(err) != reason.NoSession && len(own)+len(others) == 0 {
		return true
	}
	return slices.ContainsFunc(j.pendings(), func(h held) bool { return h.Started == 0 })
}

// path is that of the cookies that only our routes need.
func (j *Jar) path() string { return j.Base + "/auth" }

func (j *Jar) forget(name string) cookie.Line { return cookie.Forget(name, j.path()) }

// ForgetAll returns what makes the browser forget everything that we ever gave it.
func (j *Jar) ForgetAll() []cookie.Line {
	lines := append(j.ForgetSession(), j.ForgetMarks())
	return append(lines, j.forgetPending(j.pendings())...)
}
