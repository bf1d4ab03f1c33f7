// Package device is what a browser proves of the machine it runs on: Device Bound Session
// Credentials, a draft of the W3C (https://w3c.github.io/webappsec-dbsc/). The browser makes a key
// that never leaves its machine, registers it once for a sign-in, and signs a challenge of ours
// each time that the session is to go on.
//
// Nothing is kept here. The key comes back sealed in the browser's own cookie, and a challenge is a
// MAC over the time and over what it is for.
package device

// This file decides what a bound session is called, and whose sessions are bound at all.

import (
	"crypto/sha256"
	"encoding/base64"

	"edgeauth/internal/reason"
)

// Policy says what becomes of browsers that can bind a session, and of those that cannot.
type Policy string

const (
	Off     Policy = "off"     // no session is bound from now on; those that are stay so
	Offer   Policy = "offer"   // a browser that can binds its session, another goes on as ever
	Require Policy = "require" // a session that was not bound is not renewed
)

var (
	// ErrProof says that a proof is malformed, or not by the key that it should be by.
	ErrProof = reason.New(reason.DeviceProofInvalid, "device: not a proof by this session's key")
	// ErrChallenge says that a challenge is none of ours, is for something else, or is too old.
	ErrChallenge = reason.New(reason.DeviceChallenged, "device: the challenge does not count, or no more")
)

// ID returns what a bound session is called: the same for ever, different for each sign-in and each
// key, and nothing that anything could be learned from. signIn must be secret or random.
func ID(signIn, key string) string {
	sum := sha256.Sum256([]byte("edgeauth device 1\x00" + signIn + "\x00" + key))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
