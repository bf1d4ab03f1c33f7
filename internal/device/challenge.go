package device

// This file decides which challenges are ours. One is the time and a MAC over it, over the site,
// over what it is for and over the session that it was made for, so that nothing has to be
// remembered. It can be answered more than once while it lives, which is why it lives short.
//
// The key is derived from the client's secret (HKDF, RFC 5869), apart from the one that seals.

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"time"

	"edgeauth/internal/base64url"
)

const (
	challengeLife = 2 * time.Minute
	clocksDiffer  = 30 * time.Second // at most, between the machines that make and check challenges
	macSize       = 16               // bytes: RFC 2104, section 5
)

// Purpose is what a challenge is for.
type Purpose string

const (
	Registration Purpose = "registration" // the session is named by its sign-in
	Renewal      Purpose = "renewal"      // the session is named by its ID
)

// Challenges makes and checks the challenges of one site.
type Challenges struct {
	site string
	keys [][]byte
}

// NewChallenges returns the challenges of a site. The first secret makes them, and each that is not
// "" checks them. It fails without a first one.
func NewChallenges(site string, secrets ...string) (Challenges, error) {
	c := Challenges{site: site}
	if len(secrets) == 0 || secrets[0] == "" {
		return c, errors.New("device: the client has no secret")
	}
	for _, secret := range secrets {
		if secret == "" {
			continue
		}
		key, err := hkdf.Key(sha256.New, []byte(secret), nil, "edgeauth device challenge 1", 32)
		if err != nil {
			return c, err
		}
		c.keys = append(c.keys, key)
	}
	return c, nil
}

// New returns a challenge for a session, made now: 32 characters of base64url.
func (c Challenges) New(p Purpose, session string, now time.Time) string {
	at := binary.BigEndian.AppendUint64(nil, uint64(now.Unix()))
	return base64.RawURLEncoding.EncodeToString(append(at, c.mac(c.keys[0], p, session, at)...))
}

// Check returns nil if New has made the challenge for that and it still lives, else ErrChallenge.
func (c Challenges) Check(challenge string, p Purpose, session string, now time.Time) error {
	b, err := base64url.AppendDecode(nil, challenge)
	if err != nil || len(b) != 8+macSize {
		return ErrChallenge
	}
	at := b[:8]
	age := now.Sub(time.Unix(int64(binary.BigEndian.Uint64(at)), 0))
	if age < -clocksDiffer || age >= challengeLife {
		return ErrChallenge
	}
	for _, key := range c.keys {
		if hmac.Equal(b[8:], c.mac(key, p, session, at)) {
			return nil
		}
	}
	return ErrChallenge
}

// mac is over parts none of which can hold a NUL but the time, which is of one length.
func (c Challenges) mac(key []byte, p Purpose, session string, at []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(string(p) + "\x00" + c.site + "\x00" + session + "\x00"))
	h.Write(at)
	return h.Sum(nil)[:macSize]
}
