package login

// This file decides what is remembered of a login that has begun: one sealed cookie each, named after its state, so that tabs never meet. It binds the
// state to the browser: a callback without that cookie is somebody else's (RFC 9700, section 4.7).
//
// The path is <base>/auth rather than that of the callback alone, because the login must see what is pending to keep it at four.

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"edgeauth/internal/cookie"
	"edgeauth/internal/reason"
)

const (
	pendingPrefix = "__Secure-login-"
	pendingLife   = 10 * time.Minute
	maxPending    = 4
	maxPendingLen = 5000 // bytes of all pending logins together: they travel with every request to our routes
	callbackLen   = 1200 // bytes of a callback's own address
	maxForgotten  = 20   // lines of one answer that clear cookies: an answer's headers have a limit too
	maxHint       = 512  // longer return targets stay out of the state: some identity providers refuse a long one
)

var (
	errStateMissing = reason.New(reason.LoginStateMissing, "login: the browser holds no pending login for this")
	errStateInvalid = reason.New(reason.LoginStateInvalid, "login: the state is not that of the pending login")
)

// pending is a login that has begun.
type pending struct {
	State    string `json:"s"`
	Nonce    string `json:"n"`
	Verifier string `json:"v"`
	Target   string `json:"r"`
	Started  int64  `json:"t"`
}

// begin returns a new pending login. Besides 256 random bits its state carries the return target, sealed, for a callback that comes too late.
func (v *visit) begin(target string) (pending, error) {
	p := pending{Target: target, Started: v.now.Unix()}
	for _, s := range []*string{&p.State, &p.Nonce, &p.Verifier} {
		b := make([]byte, 32)
		if _, err := io.ReadFull(v.Rand, b); err != nil {
			return p, err
		}
		*s = base64.RawURLEncoding.EncodeToString(b)
	}
	if len(target) <= maxHint {
		p.State += "." + v.sealer.seal("target", "state", target)
	}
	return p, nil
}

// hint returns the return target that state carries, or the front page.
func (v *visit) hint(state string) string {
	var target string
	_, sealed, _ := strings.Cut(state, ".")
	if v.sealer.open("target", "state", sealed, &target) != nil {
		return v.site.base + "/"
	}
	return returnTo(v.site.base, target)
}

// pendingID returns the part of a cookie's name that belongs to state. The state itself stays out of it: names are seen where values are not.
func pendingID(state string) string {
	sum := sha256.Sum256([]byte(state))
	return base64.RawURLEncoding.EncodeToString(sum[:9])
}

// keep returns what makes the browser hold p, and forget the oldest of what it holds when that would be too many.
func (v *visit) keep(p pending) ([]string, error) {
	name := pendingPrefix + pendingID(p.State)
	lines, err := cookie.Split(name, v.sealer.seal("pending", name, p), nil, cookie.Attributes{Path: v.site.cookiePath(), MaxAge: int(pendingLife.Seconds())})
	if err != nil {
		return nil, err
	}
	others := v.headers() + v.sent(func(name string) bool { return pendingOf(name) == "" })
	room := min(maxPendingLen, v.HeaderBudget-others-callbackLen) - cookie.Size(lines)
	var dropped []held
	for i, other := range v.pendings() {
		if room -= other.size; i >= maxPending-1 || room < 0 || other.dead(v.now) {
			dropped = append(dropped, other)
		}
	}
	return append(lines, v.forgetPending(dropped)...), nil
}

// forgetPending returns what makes the browser forget pending logins, and their fragments.
func (v *visit) forgetPending(all []held) (lines []string) {
	for _, h := range all {
		for _, name := range []string{pendingPrefix + h.id, fragmentPrefix + h.id} {
			if _, err := cookie.Join(v.cookies, name); !errors.Is(err, cookie.ErrAbsent) {
				lines = append(lines, cookie.Forget(name, v.site.cookiePath()))
			}
		}
	}
	return lines[:min(len(lines), maxForgotten)]
}

// held is a pending login as the browser sent it. What cannot be opened is as old as can be.
type held struct {
	pending
	id   string
	size int // with its fragment
}

// pendingOf returns the id of the login that a cookie belongs to, or "". What we never wrote is not ours to name again: a stray byte in a Set-Cookie
// header would take the whole answer down with it.
func pendingOf(name string) string {
	for _, prefix := range []string{pendingPrefix, fragmentPrefix} {
		if id, ok := strings.CutPrefix(name, prefix); ok && strings.Trim(id, base64url) == "" {
			return id
		}
	}
	return ""
}

const base64url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// pendings returns what the browser holds, newest first.
func (v *visit) pendings() []held {
	var all []held
	for name, value := range cookie.All(v.cookies) {
		id := pendingOf(name)
		if id == "" {
			continue
		}
		i := slices.IndexFunc(all, func(h held) bool { return h.id == id })
		if i < 0 {
			i, all = len(all), append(all, held{id: id})
		}
		all[i].size += len(name) + len(value) + len("=; ")
		var p pending
		if v.sealer.open("pending", name, value, &p) == nil {
			all[i].pending = p
		}
	}
	slices.SortStableFunc(all, func(a, b held) int { return int(b.Started - a.Started) })
	return all
}

// dead reports whether p is too old, or from a future that a clock set back has left behind.
func (p pending) dead(now time.Time) bool {
	age := now.Sub(time.Unix(p.Started, 0))
	return age >= pendingLife || age < -pendingLife
}

// take returns the pending login that state belongs to, and what makes the browser forget it: it is used up, whatever comes of it.
func (v *visit) take(state string) (pending, []string, error) {
	var p pending
	name := pendingPrefix + pendingID(state)
	sealed, err := cookie.Join(v.cookies, name)
	if reason.Of(err) == reason.NoSession {
		return p, nil, errStateMissing
	}
	forget := []string{cookie.Forget(name, v.site.cookiePath())}
	if err != nil || v.sealer.open("pending", name, sealed, &p) != nil {
		return p, forget, errStateInvalid
	}
	if p.dead(v.now) || subtle.ConstantTimeCompare([]byte(p.State), []byte(state)) != 1 || len(p.Verifier) < 43 || p.Nonce == "" {
		return p, forget, errStateInvalid
	}
	return p, forget, nil
}
