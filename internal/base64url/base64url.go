// Package base64url reads base64url so that exactly one text stands for given bytes.
// encoding/base64 skips CR and LF even when told to be strict: where a decision about trust hangs
// on the bytes, that is a way to change a token without changing what it says.
package base64url

import (
	"encoding/base64"
	"errors"
	"strings"
)

// Err says that a text is not base64url as RFC 7515 section 2 has it: no padding, no line breaks,
// no bits left over at the end.
var Err = errors.New("base64url: not base64url")

var encoding = base64.RawURLEncoding.Strict()

// AppendDecode appends to dst the bytes that s encodes.
func AppendDecode(dst []byte, s string) ([]byte, error) {
	if strings.IndexByte(s, '\r') >= 0 || strings.IndexByte(s, '\n') >= 0 {
		return nil, Err
	}
	out, err := encoding.AppendDecode(dst, []byte(s))
	if err != nil {
		return nil, Err
	}
	return out, nil
}
