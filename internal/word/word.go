// Package word decides what a user pool can give a name: words that stay words wherever they are
// written, so that a list of them can be written with spaces between and read back by anyone.
package word

import "unicode"

// Is reports whether s is made of [\p{L}\p{M}\p{S}\p{N}\p{P}]+: no space of any kind, no control
// character
// (https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateGroup.html).
func Is(s string) bool {
	for _, r := range s {
		if ('!' > r || r > '~') && !unicode.In(r, unicode.L, unicode.M, unicode.S, unicode.N, unicode.P) {
			return false
		}
	}
	return s != ""
}
