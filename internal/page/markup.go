package page

// This file decides how text becomes HTML.

import (
	"html"
	"net/url"
	"strings"
)

// literal is HTML that stands in the code: constants become it by themselves, variables do not.
type literal string

// markup builds HTML. Whatever is not a literal is escaped for the place where it stands.
// https://html.spec.whatwg.org/multipage/syntax.html
type markup struct{ b strings.Builder }

// raw appends HTML as it is.
func (m *markup) raw(l literal) { m.b.WriteString(string(l)) }

// text appends text that stands between tags.
func (m *markup) text(s string) { m.b.WriteString(html.EscapeString(s)) }

// attribute appends an attribute whose value is text.
func (m *markup) attribute(name literal, value string) {
	m.raw(" " + name + `="`)
	m.text(value)
	m.raw(`"`)
}

// address appends an attribute whose value is a URL. One that could run a script leads nowhere.
func (m *markup) address(name literal, value string) {
	if u, err := url.Parse(value); err != nil || u.Scheme != "" && u.Scheme != "https" && u.Scheme != "http" && u.Scheme != "mailto" {
		value = "#"
	}
	m.attribute(name, value)
}

// element appends text in an element without attributes.
func (m *markup) element(tag literal, text string) {
	m.raw("<" + tag + ">")
	m.text(text)
	m.raw("</" + tag + ">")
}

// String returns what was built.
func (m *markup) String() string { return m.b.String() }
