package page

import (
	"html"
	"testing"
)

func TestMarkupEscapes(t *testing.T) {
	for _, row := range []struct {
		name  string
		build func(*markup)
		want  string
	}{
		{"text", func(m *markup) { m.text(`<b>&"'` + "\x00") }, "&lt;b&gt;&amp;&#34;&#39;\x00"},
		{"an element", func(m *markup) { m.element("p", "</p><script>") }, "<p>&lt;/p&gt;&lt;script&gt;</p>"},
		{"an attribute", func(m *markup) { m.attribute("data-to", `" onclick="x`) }, ` data-to="&#34; onclick=&#34;x"`},
		{"an address", func(m *markup) { m.address("href", "/Prod/auth/login?a=1&b=2") }, ` href="/Prod/auth/login?a=1&amp;b=2"`},
		{"an address elsewhere", func(m *markup) { m.address("href", "https://example.com/") }, ` href="https://example.com/"`},
		{"a mail address", func(m *markup) { m.address("href", "mailto:help@example.com") }, ` href="mailto:help@example.com"`},
		{"the present address", func(m *markup) { m.address("href", "") }, ` href=""`},
		{"a script", func(m *markup) { m.address("href", "javascript:alert(1)") }, ` href="#"`},
		{"a script in another case", func(m *markup) { m.address("href", "JavaScript:alert(1)") }, ` href="#"`},
		{"data", func(m *markup) { m.address("src", "data:text/html,x") }, ` src="#"`},
		{"a script behind a line break", func(m *markup) { m.address("href", "java\nscript:alert(1)") }, ` href="#"`},
		{"a script behind a space", func(m *markup) { m.address("href", " javascript:alert(1)") }, ` href="#"`},
	} {
		var m markup
		row.build(&m)
		if got := m.String(); got != row.want {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
	}
}

// FuzzMarkup: whatever the text is, it ends neither an attribute nor an element, and comes out as
// it went in.
func FuzzMarkup(f *testing.F) {
	for _, s := range []string{`"><script>`, "javascript:x", "&amp;", "\r\n", "a b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var text, attribute markup
		text.text(s)
		attribute.attribute("x", s)
		for _, c := range []string{text.String(), attribute.String()[len(` x="`) : len(attribute.String())-1]} {
			for _, r := range c {
				if r == '<' || r == '>' || r == '"' || r == '\'' {
					t.Fatalf("%q holds %q", c, r)
				}
			}
			if html.UnescapeString(c) != s {
				t.Fatalf("%q became %q", s, c)
			}
		}
	})
}
