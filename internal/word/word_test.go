package word

import "testing"

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
