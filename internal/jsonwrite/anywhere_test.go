package jsonwrite

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestAppendAnywhere puts every byte at every place of strings of all lengths that are looked at
// differently: encoding/json reads what was meant, and what could end a line or a string, or is
// not ASCII's, is nowhere in it as it was.
func TestAppendAnywhere(t *testing.T) {
	for length := range 20 {
		for at := range length {
			for c := range 256 {
				b := []byte(strings.Repeat("x", length))
				b[at] = byte(c)
				want := strings.ToValidUTF8(string(b), string(utf8.RuneError))
				text := AppendString(nil, string(b))
				var got string
				if err := json.Unmarshal(text, &got); err != nil || got != want {
					t.Fatalf("%q: %s, %v", b, text, err)
				}
				if raw := string(text[1 : len(text)-1]); strings.ContainsFunc(raw, func(r rune) bool { return r < ' ' || r == 0x7f }) {
					t.Fatalf("%q: %q", b, raw)
				}
			}
		}
	}
}
