// Package word decides what a user pool can give a name: words that stay words wherever they are
// written, so that a list of them can be written with spaces between and read back by anyone.
package word

import (
	"encoding/binary"
	"unicode"
)

// Is reports whether s is made of [\p{L}\p{M}\p{S}\p{N}\p{P}]+: no space of any kind, no control
// character
// (https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateGroup.html).
func Is(s string) bool {
	if visible([]byte(s)) {
		return true
	}
	for _, r := range s {
		if ('!' > r || r > '~') && !unicode.In(r, unicode.L, unicode.M, unicode.S, unicode.N, unicode.P) {
			return false
		}
	}
	return s != ""
}

// visible reports whether s is long enough to be looked at eight bytes at a time, and nothing in it
// but visible ASCII, '!' to '~'.
func visible(s []byte) bool {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	if len(s) < 8 {
		return false
	}
	w := binary.LittleEndian.Uint64(s[len(s)-8:])
	others := (w - ones*'!') | (w + ones) | w
	for ; len(s) >= 8; s = s[8:] {
		w := binary.LittleEndian.Uint64(s)
		others |= (w - ones*'!') | (w + ones) | w
	}
	return others&highs == 0
}
