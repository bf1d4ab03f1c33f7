package jar

// This file decides what belongs to this browser. A neighbouring host under the same registrable
// domain can put __Secure- cookies of its own beside ours, for our paths and with our names. So
// each of them is sealed together with the hash of a random __Host- cookie, which no other host can
// set or read (draft-ietf-httpbis-rfc6265bis, section 4.1.3.2), and is worth nothing without it.
//
// A login that has begun has a __Host- cookie of its own rather than one for all: tabs that begin
// at the same time would each replace that of the others.

import (
	"crypto/sha256"
	"encoding/base64"
	"io"
	"strings"

	"edgeauth/internal/cookie"
)

const (
	browserCookie = "__Host-browser"
	binderPrefix  = "__Host-login-" // for the login that has begun with the same ending
)

// randomLen is the length of what random returns.
const randomLen = 43

const base64url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// random returns 256 random bits as text.
func (j *Jar) random() (string, error) {
	b := make([]byte, 32)
	if _, err := io.ReadFull(j.Rand, b); err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}

// hash returns what is sealed of a value that is compared later and never needed again.
func hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// bound reports whether the browser presents, under that name, the value with that hash.
func (j *Jar) bound(name, sum string) bool {
	value, err := cookie.Join(j.cookies, name)
	return err == nil && hash(value) == sum
}

// binder returns the value that tells this browser from others: the one it presents, or a new one.
func (j *Jar) binder() (string, error) {
	value, err := cookie.Join(j.cookies, browserCookie)
	if err == nil && len(value) == randomLen && strings.Trim(value, base64url) == "" {
		return value, nil
	}
	return j.random()
}
