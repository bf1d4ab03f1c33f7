package jsonwrite

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

func FuzzAppendString(f *testing.F) {
	for _, s := range []string{"", "plain", `"\/`, "a\r\nb\x00\x1f\x7f", "é\u2028\u2029😀", "\xff\xc0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		text := AppendString([]byte("x"), s)
		if text[0] != 'x' {
			t.Fatal("what was there is gone")
		}
		var got string
		if err := json.Unmarshal(text[1:], &got); err != nil {
			t.Fatalf("%q became %q: %v", s, text, err)
		}
		if utf8.ValidString(s) && got != s {
			t.Errorf("%q came back as %q", s, got)
		}
		if strings.ContainsAny(string(text), "\x00\r\n\u2028\u2029\x7f") {
			t.Errorf("%q became %q, which is more than one line", s, text)
		}
	})
}
