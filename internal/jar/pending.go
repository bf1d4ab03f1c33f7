package jar

// This file decides what is remembered of a login that has begun: one sealed cookie each, named
// after its state, so that tabs never meet. It binds the state to the browser: a callback without
// that cookie is somebody else's (RFC 9700, section 4.7).
//
// The path is <base>/auth rather than that of the callback alone, because the login must see what
// is pending to keep it at four.

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
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
	// ErrStateMissing says that the browser lacks the cookies that belong to a state.
	ErrStateMissing = reason.New(reason.LoginStateMissing, "jar: no pending login for this state")
	// ErrStateInvalid says that the pending login of a state is used up, not genuine, or too old.
	ErrStateInvalid = reason.New(reason.LoginStateInvalid, "jar: the state is not that of a login that this browser began")
)

// Pending is a login that has begun.
type Pending struct {
	State    string `json:"s"`
	Nonce    string `json:"n"`
	Verifier string `json:"v"` // RFC 7636, section 4.1
	Binder   string `json:"b"` // hash of the browser's cookie for this login
	Anew     bool   `json:"a"` // the user is to sign in anew, whoever remembers him
	Target   string `json:"r"` // where the browser wanted to go
	Started  int64  `json:"t"` // seconds since 1970
}

// Begin returns a new pending login, what makes the browser hold it, and what makes it forget the
// oldest of those it holds when that would be too many. Besides 256 random bits the state carries
// the return target, sealed, for a callback that comes too late.
func (j *Jar) Begin(target string, anew bool) (Pending, []cookie.Line, error) {
	p := Pending{Target: target, Anew: anew, Started: j.now.Unix()}
	var binder string
	for _, s := range []*string{&p.State, &p.Nonce, &p.Verifier, &binder} {
		var err error
		if *s, err = j.random(); err != nil {
			return p, nil, err
		}
	}
	p.Binder = hash(binder)
	if len(target) <= maxHint {
		p.State += "." + j.seal.seal(kindTarget, "state", target)
	}
	id, life := pendingID(p.State), int(pendingLife.Seconds())
	sealed := j.seal.seal(kindPending, pendingPrefix+id, p)
	lines, err := cookie.Split(cookie.Line{Name: pendingPrefix + id, Value: sealed, Path: j.path(), MaxAge: life}, nil)
	if err != nil {
		return p, nil, err
	}
	lines = append(lines, cookie.Line{Name: binderPrefix + id, Value: binder, Path: "/", MaxAge: life})
	return p, append(lines, j.makeRoom(size(lines))...), nil
}

// makeRoom returns what makes the browser forget the pending logins that are too old, or too many
// beside a new one of that many bytes.
func (j *Jar) makeRoom(newest int) []cookie.Line {
	others := j.others + j.weigh(func(name string) bool { return pendingOf(name) == "" })
	room := min(maxPendingLen, j.Budget-others-callbackLen) - newest
	var dropped []held
	for i, other := range j.pendings() {
		if room -= other.size; i >= maxPending-1 || room < 0 || other.dead(j.now) {
			dropped = append(dropped, other)
		}
	}
	return j.forgetPending(dropped)
}

// Take returns the pending login that state belongs to, "#" and its fragment if it has one, and
// what makes the browser forget it: it is used up, whatever comes of it. The error is
// ErrStateMissing or ErrStateInvalid.
func (j *Jar) Take(state string) (p Pending, fragment string, forget []cookie.Line, err error) {
	id := pendingID(state)
	sealed, err := cookie.Join(j.cookies, pendingPrefix+id)
	switch {
	case reason.Of(err) == reason.NoSession && len(j.cookies) > 0 && state != "":
		return p, "", nil, ErrStateInvalid // the browser does keep cookies, but not this one
	case reason.Of(err) == reason.NoSession:
		return p, "", nil, ErrStateMissing
	}
	forget = j.forgetPending([]held{{id: id}})
	if err != nil || j.seal.open(kindPending, pendingPrefix+id, sealed, &p) != nil {
		return Pending{}, "", forget, ErrStateInvalid
	}
	binder, err := cookie.Join(j.cookies, binderPrefix+id)
	switch {
	case reason.Of(err) == reason.NoSession:
		return Pending{}, "", forget, ErrStateMissing
	case err != nil || hash(binder) != p.Binder || !p.answers(state, j.now):
		return Pending{}, "", forget, ErrStateInvalid
	}
	return p, j.fragment(id), forget, nil
}

// answers reports whether p is whole, young enough, and the one of that state.
func (p Pending) answers(state string, now time.Time) bool {
	same := subtle.ConstantTimeCompare([]byte(p.State), []byte(state)) == 1
	return same && !p.dead(now) && len(p.Verifier) == randomLen && p.Nonce != ""
}

// dead reports whether p is too old, or from a future that a clock set back has left behind.
func (p Pending) dead(now time.Time) bool {
	age := now.Sub(time.Unix(p.Started, 0))
	return age >= pendingLife || age < -pendingLife
}

// Target returns the return target that a state carries, or "".
func (j *Jar) Target(state string) string {
	var target string
	_, sealed, _ := strings.Cut(state, ".")
	if j.seal.open(kindTarget, "state", sealed, &target) != nil {
		return ""
	}
	return target
}

// pendingID returns the part of a cookie's name that belongs to state. The state itself stays out
// of it: names are seen where values are not.
func pendingID(state string) string {
	sum := sha256.Sum256([]byte(state))
	return base64.RawURLEncoding.EncodeToString(sum[:9])
}

// held is a pending login as the browser sent it. What cannot be opened, or is not this browser's,
// is as old as can be.
type held struct {
	Pending
	id   string
	size int // with what belongs to it
}

// pendings returns what the browser holds, newest first.
func (j *Jar) pendings() []held {
	var all []held
	for name, value := range cookie.All(j.cookies) {
		id := pendingOf(name)
		if id == "" {
			continue
		}
		i := slices.IndexFunc(all, func(h held) bool { return h.id == id })
		if i < 0 {
			i, all = len(all), append(all, held{id: id})
		}
		all[i].size += cookie.PairSize(name, value)
		var p Pending
		if j.seal.open(kindPending, name, value, &p) == nil && j.bound(binderPrefix+id, p.Binder) {
			all[i].Pending = p
		}
	}
	slices.SortStableFunc(all, func(a, b held) int { return int(b.Started - a.Started) })
	return all
}

// pendingOf returns the id of the login that a cookie belongs to, or "". What we never wrote is not
// ours to name again: a stray byte in a Set-Cookie header would take the whole answer down with it.
func pendingOf(name string) string {
	for _, prefix := range []string{pendingPrefix, binderPrefix, fragmentPrefix} {
		if id, ok := strings.CutPrefix(name, prefix); ok && strings.Trim(id, base64url) == "" {
			return id
		}
	}
	return ""
}

// forgetPending returns what makes the browser forget pending logins, and what belongs to them.
func (j *Jar) forgetPending(all []held) (lines []cookie.Line) {
	for _, h := range all {
		for _, l := range []cookie.Line{
			j.forget(pendingPrefix + h.id), cookie.Forget(binderPrefix+h.id, "/"), j.forget(fragmentPrefix + h.id),
		} {
			if _, err := cookie.Join(j.cookies, l.Name); !errors.Is(err, cookie.ErrAbsent) {
				lines = append(lines, l)
			}
		}
	}
	return lines[:min(len(lines), maxForgotten)]
}
