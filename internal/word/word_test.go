package word

import (
	"strings"
	"testing"
)

func TestIs(t *testing.T) {
	for _, s := range []string{"a", "admins", "Größe+1", "${aws:username}", "*", `"q"`, "<>,;|", "日本", "😀", "e\u0301", "~", "!"} {
		if !Is(s) {
			t.Errorf("%q is none", s)
		}
	}
	for _, s := range []string{"", " ", "a b", " a", "a ", "a\tb", "a\n", "a\x00", "\x7f", "a\x7f", "a\u00a0b", "a\u3000b", "\u200b", "a\u202eb", "\x01a", "a\u2028b"} {
		if Is(s) {
			t.Errorf("%q is one", s)
		}
	}
}

// TestIsAnywhere puts every byte at every place of words of all lengths that are looked at
// differently.
func TestIsAnywhere(t *testing.T) {
	for length := range 20 {
		for at := range length {
			for c := range 256 {
				b := []byte(strings.Repeat("x", length))
				b[at] = byte(c)
				if want := '!' <= c && c <= '~' || c >= 0x80 && Is(string(rune(0xFFFD))); Is(string(b)) != want {
					t.Errorf("%q: %v", b, !want)
				}
			}
		}
	}
}
