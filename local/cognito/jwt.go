// This file decides what tokens look like: their members in Cognito's order, Cognito's spelling of JSON, their signature.
//
// https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-id-token.html
// https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-access-token.html

package cognito

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// An object is a JSON object that keeps its members' order, and may name one twice.
type object []member

type member struct {
	name  string
	value any
}

func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	for i, m := range o {
		b.WriteByte("{,"[min(i, 1)])
		b.Write(marshal(m.name))
		b.WriteByte(':')
		b.Write(marshal(m.value))
	}
	if len(o) == 0 {
		b.WriteByte('{')
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// set replaces a member, or adds it.
func (o *object) set(name string, value any) {
	for i := range *o {
		if (*o)[i].name == name {
			(*o)[i].value = value
			return
		}
	}
	*o = append(*o, member{name, value})
}

func (o *object) remove(name string) {
	*o = slices.DeleteFunc(*o, func(m member) bool { return m.name == name })
}

func (o object) get(name string) any {
	for _, m := range o {
		if m.name == name {
			return m.value
		}
	}
	return nil
}

// A draft is a token before it is signed: what an alteration works on.
type draft struct {
	header, claims object
	key            signingKey
	sign           func(input []byte) []byte // nil: RS256 with key
}

func newDraft(key signingKey, claims object) *draft {
	return &draft{header: object{{"kid", key.kid}, {"alg", "RS256"}}, claims: claims, key: key}
}

// encode signs the draft. Cognito's JSON escapes the slash, which is allowed and which nobody else does.
func (s *Server) encode(d *draft) string {
	segment := func(o object) string {
		b := marshal(o)
		if s.settings.EscapeSlash {
			b = bytes.ReplaceAll(b, []byte("/"), []byte(`\/`))
		}
		return base64.RawURLEncoding.EncodeToString(b)
	}
	input := segment(d.header) + "." + segment(d.claims)
	sign := d.sign
	if sign == nil {
		sign = func(input []byte) []byte { return rs256(d.key.private, input) }
	}
	return input + "." + base64.RawURLEncoding.EncodeToString(sign([]byte(input)))
}

func rs256(key *rsa.PrivateKey, input []byte) []byte {
	sum := sha256.Sum256(input)
	sig, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
	if err != nil {
		panic(err) // a key of ours is too small: Config.Keys is to blame
	}
	return sig
}

// idClaims are the claims of an ID token for this chain, now.
func (s *Server) idClaims(c *chain, nonce, accessToken string) object {
	o := object{}
	if accessToken != "" {
		o.set("at_hash", accessHash(accessToken))
	}
	o.set("sub", c.user.sub)
	s.setGroups(&o, c.user)
	o.set("iss", s.cfg.Issuer)
	o.set("cognito:username", c.user.username())
	if c.user.provider != "" {
		o.set("identities", s.identities(c.user))
	}
	if nonce != "" {
		o.set("nonce", nonce)
	}
	o.set("origin_jti", c.originJTI)
	o.set("aud", c.client.ID)
	o.set("event_id", c.eventID)
	o.set("token_use", "id")
	s.setTimes(&o, c.authTime, s.idValidity(c.client))
	o.set("jti", s.uuid())
	for _, name := range slices.Sorted(maps.Keys(c.user.attributes)) {
		if readable(name, c.scopes) {
			o.set(name, attributeValue(name, c.user.attributes[name]))
		}
	}
	return o
}

// accessClaims are the claims of an access token for this chain, now.
func (s *Server) accessClaims(c *chain) object {
	o := object{}
	if c.user == nil { // a machine: https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-access-token.html
		o.set("sub", c.client.ID)
	} else {
		o.set("sub", c.user.sub)
		s.setGroups(&o, c.user)
	}
	if c.resource != "" {
		o.set("aud", c.resource)
	}
	o.set("iss", s.cfg.Issuer)
	o.set("version", 2)
	o.set("client_id", c.client.ID)
	if c.user != nil {
		o.set("origin_jti", c.originJTI)
		o.set("event_id", c.eventID)
	}
	o.set("token_use", "access")
	o.set("scope", strings.Join(c.scopes, " "))
	s.setTimes(&o, c.authTime, s.accessValidity(c.client))
	o.set("jti", s.uuid())
	if c.user != nil {
		o.set("username", c.user.username())
	}
	return o
}

// setGroups leaves the claim out for somebody who is in no group.
func (s *Server) setGroups(o *object, u *user) {
	groups := slices.Clone(u.groups)
	for i := range s.settings.Groups {
		name := fmt.Sprintf("group-%04d-", i)
		groups = append(groups, name+strings.Repeat("x", max(0, s.settings.GroupLength-len(name))))
	}
	if len(groups) > 0 {
		o.set("cognito:groups", groups)
	}
}

func (s *Server) setTimes(o *object, authTime time.Time, validity time.Duration) {
	skew := time.Duration(s.settings.Skew)
	issued := s.now().Add(skew)
	o.set("auth_time", authTime.Add(skew).Unix())
	o.set("exp", issued.Add(validity).Unix())
	o.set("iat", issued.Unix())
}

// readable reports whether a token with these scopes carries the attribute: openid alone gives all of them, and so does profile.
// https://docs.aws.amazon.com/cognito/latest/developerguide/authorization-endpoint.html
func readable(attribute string, scopes []string) bool {
	email, phone := slices.Contains(scopes, "email"), slices.Contains(scopes, "phone")
	if slices.Contains(scopes, "profile") || !email && !phone {
		return true
	}
	switch attribute {
	case "email", "email_verified":
		return email
	case "phone_number", "phone_number_verified":
		return phone
	}
	return false
}

// attributeValue is an attribute as an ID token shows it: the two verified flags are booleans, all else, custom attributes too, are strings.
func attributeValue(name, value string) any {
	if name == "email_verified" || name == "phone_number_verified" {
		return value == "true"
	}
	return value
}

// accessHash is OpenID Connect Core 1.0 section 3.1.3.6.
func accessHash(accessToken string) string {
	sum := sha256.Sum256([]byte(accessToken))
	return base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2])
}

// pad adds a claim that brings the encoded token to at least size bytes, and at most three more.
func (s *Server) pad(d *draft, size int) {
	d.claims.set("custom:padding", "")
	missing := size - len(s.encode(d))
	if missing <= 0 {
		d.claims.remove("custom:padding")
		return
	}
	d.claims.set("custom:padding", strings.Repeat("x", (missing*3+3)/4))
}

// opaqueToken makes a refresh token: random, and to look at a JWE in compact form of about this size.
func (s *Server) opaqueToken(size int) string {
	const header = `{"cty":"JWT","enc":"A256GCM","alg":"RSA-OAEP"}`
	const fixed = 446 // header, encrypted key, nonce, tag and dots
	parts := [][]byte{[]byte(header), s.random(256), s.random(12), s.random(max(16, (size-fixed)*3/4)), s.random(16)}
	var out []string
	for _, p := range parts {
		out = append(out, base64.RawURLEncoding.EncodeToString(p))
	}
	return strings.Join(out, ".")
}

var errToken = errors.New("cognito: not a token of this pool")

// verify returns the claims of an access token of this pool that has not expired.
func (s *Server) verify(raw string) (map[string]any, error) {
	parts := strings.Split(raw, ".")
	if len(parts) != 3 {
		return nil, errToken
	}
	var segments [3][]byte
	for i, p := range parts {
		b, err := base64.RawURLEncoding.Strict().DecodeString(p)
		if err != nil {
			return nil, errToken
		}
		segments[i] = b
	}
	var header struct{ Kid, Alg string }
	if json.Unmarshal(segments[0], &header) != nil || header.Alg != "RS256" {
		return nil, errToken
	}
	key := s.keys.find(header.Kid)
	if key == nil {
		return nil, errToken
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], segments[2]) != nil {
		return nil, errToken
	}
	var claims map[string]any
	if json.Unmarshal(segments[1], &claims) != nil {
		return nil, errToken
	}
	exp, _ := claims["exp"].(float64)
	if claims["iss"] != s.cfg.Issuer || claims["token_use"] != "access" || s.now().Unix() >= int64(exp) {
		return nil, errToken
	}
	return claims, nil
}
