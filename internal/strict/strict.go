// Package strict reads base64url and JSON, and refuses what two readers could read differently.
//
// encoding/json matches struct fields without regard to case, lets the last of two equal names win and mends broken UTF-8; encoding/base64 skips CR and
// LF even when told to be strict. Where a decision about trust hangs on the bytes, each of these is a way to show one thing to whoever signed and
// another to whoever checks. Here a text has one meaning or none.
//
// This file decides what base64url is; json.go decides what JSON is.
package strict

import (
	"encoding/base64"
	"errors"
	"strings"
)

// ErrBase64 says that a text is not base64url as RFC 7515 section 2 has it: no padding, no line breaks, no bits left over at the end.
var ErrBase64 = errors.New("strict: not base64url")

var base64url = base64.RawURLEncoding.Strict()

// AppendBase64 appends to dst the bytes that s encodes. Exactly one text encodes given bytes.
func AppendBase64(dst []byte, s string) ([]byte, error) {
	if strings.IndexByte(s, '\r') >= 0 || strings.IndexByte(s, '\n') >= 0 {
		return nil, ErrBase64
	}
	out, err := base64url.AppendDecode(dst, []byte(s))
	if err != nil {
		return nil, ErrBase64
	}
	return out, nil
}
