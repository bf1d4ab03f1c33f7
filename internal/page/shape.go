package page

// This file decides the shape of a page: which parts it has and in which order. Its looks are in
// edgeauth.css.

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"net/url"
	"strings"

	"edgeauth/internal/cookie"
	"edgeauth/internal/reason"
)

// icon is what a tab shows: the mark that stands above each page, in the colour of our links.
//
//go:embed icon.svg
var icon string

// hopScript carries the fragment over the login; package jar has the limits.
const hopScript = `const d = document.documentElement.dataset, f = encodeURIComponent(location.hash.slice(1));
if (f && f.length <= 1024) document.cookie = d.cookie + "=" + f + "; Path=" + d.path + "; Max-Age=600; Secure; SameSite=Lax";
location.replace(d.to);`

// forwardScript carries the fragment on, unless there is one where it leads.
const forwardScript = `const to = document.documentElement.dataset.to;
location.replace(to.includes("#") ? to : to + location.hash);`

// farewellScript tells this site's other tabs that the session is over.
const farewellScript = `if (self.BroadcastChannel) new BroadcastChannel("edgeauth " + new URL(".", location).pathname).postMessage("ended");`

// The mark above a page says whether something failed, is asked, or is done.
const (
	exclamation literal = "M12 6.5v7M12 17v.2"
	question    literal = "M9.3 9.2a2.7 2.7 0 1 1 4 2.4c-.9.5-1.3 1-1.3 2M12 17v.2"
	check       literal = "M6.8 12.6l3.4 3.4 7-7.4"
)

// head appends what every page begins with, up to the title.
func (m *markup) head(title string) {
	m.raw(`<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
`)
	m.element("title", title)
	m.raw("\n<link rel=\"icon\"")
	m.attribute("href", "data:image/svg+xml;base64,"+base64.StdEncoding.EncodeToString([]byte(icon)))
	m.raw(">\n")
}

// styled appends the link to this version of the looks; up leads from the page to <base>/auth/.
func (m *markup) styled(up, looks string) {
	m.raw(`<link rel="stylesheet"`)
	m.address("href", up+"edgeauth.css?v="+looks)
	m.raw(">\n")
}

// Frame is what a page stands in.
type Frame struct {
	Brand     Brand
	Up        string // from the page to <base>/auth/
	Looks     string // the version of edgeauth.css
	LoginURL  string // the identity provider's, where forms may lead to
	Code      reason.Code
	RequestID string
}

// Document is HTML, and the content security policy that belongs to it.
type Document struct{ HTML, Policy string }

// Show returns p as a document.
func (f Frame) Show(p *Page) Document {
	var m markup
	var script literal
	if p.Farewell {
		script = farewellScript
	}
	failed, brand, title := f.Code != reason.OK && !p.Post, f.Brand, strings.TrimSuffix(f.Brand.Sentence(p.Title), ".")
	if brand.Name == nameless {
		brand.Name = "" // on its own it says nothing
	}
	m.raw("<!doctype html>\n<html lang=\"en\">\n")
	if brand.Name != "" {
		m.head(title + " · " + brand.Name)
	} else {
		m.head(title)
	}
	m.styled(f.Up, f.Looks)
	m.raw("</head>\n<body>\n<header>\n")
	if brand.Logo != "" || brand.Name != "" {
		m.raw(`<p class="brand">`)
		if brand.Logo != "" {
			m.raw("<img")
			m.address("src", brand.Logo)
			m.raw(` alt="" height="32">`)
		}
		m.element("span", brand.Name)
		m.raw("</p>\n")
	}
	m.raw("</header>\n<main>\n")
	switch {
	case failed:
		m.mark("sign stop", exclamation)
	case p.Post:
		m.mark("sign", question)
	default:
		m.mark("sign", check)
	}
	m.element("h1", title)
	m.raw("\n")
	for _, t := range p.Text {
		m.element("p", brand.Sentence(t))
		m.raw("\n")
	}
	if p.Cause != "" {
		m.raw("<aside><strong>Likely cause</strong> ")
		m.text(brand.Sentence(p.Cause))
		m.raw("</aside>\n")
	}
	if p.Quote != "" {
		m.raw("<figure>\n<figcaption>The sign-in service says</figcaption>\n")
		m.element("blockquote", p.Quote)
		m.raw("\n</figure>\n")
	}
	m.steps(p)
	if failed {
		m.raw("<dl>\n<div><dt>Reason</dt><dd>")
		m.element("code", string(f.Code))
		m.raw("</dd></div>\n")
		if f.RequestID != "" {
			m.raw("<div><dt>Request</dt><dd>")
			m.element("code", f.RequestID)
			m.raw("</dd></div>\n")
		}
		m.raw("</dl>\n")
	}
	m.raw("</main>\n<footer>\n")
	if brand.Support != "" {
		m.raw("<p>Need help? <a")
		m.address("href", brand.Support)
		m.raw(">Contact support</a>")
		if failed {
			m.raw(" and quote the reason and the request above")
		}
		m.raw(".</p>\n")
	}
	m.raw("</footer>\n")
	if script != "" {
		m.raw("<script>" + script + "</script>\n")
	}
	m.raw("</body>\n</html>\n")
	return f.document(m.String(), script)
}

// mark appends the sign above a page. It says nothing that the heading does not.
func (m *markup) mark(class, path literal) {
	m.raw(`<svg class="` + class + `" viewBox="0 0 24 24" aria-hidden="true"><path d="` + path + "\"/></svg>\n")
}

// steps appends the one next step, and the way out beside it if there is one.
func (m *markup) steps(p *Page) {
	if p.Post {
		m.raw("<form method=\"post\"")
		m.address("action", p.Action.URL)
		m.raw("><button class=\"next\">")
		m.text(p.Action.Label)
		m.raw("</button>")
	} else {
		m.raw(`<p class="step"><a class="next"`)
		m.address("href", p.Action.URL)
		m.raw(">")
		m.text(p.Action.Label)
		m.raw("</a>")
	}
	if p.Other.URL != "" {
		m.raw(" <a")
		m.address("href", p.Other.URL)
		m.raw(">")
		m.text(p.Other.Label)
		m.raw("</a>")
	}
	if p.Post {
		m.raw("</form>\n")
	} else {
		m.raw("</p>\n")
	}
}

// Hop returns the document that puts the fragment of its address into a cookie, then moves on.
func (f Frame) Hop(to string, fragment cookie.Line) Document {
	return f.onward(to, fragment, "Signing in", "Taking you to the sign-in page …", hopScript)
}

// Forward returns the document that only moves on, and keeps the fragment of its address. What follows
// is sent by a page of this origin then, and not by whatever page led here.
func (f Frame) Forward(to string) Document {
	return f.onward(to, cookie.Line{}, "One moment", "One moment …", forwardScript)
}

// onward is a document whose script moves on to a place, and which leads there without one too. The
// script is told of a fragment's cookie, if there is one.
func (f Frame) onward(to string, fragment cookie.Line, title string, says, script literal) Document {
	var m markup
	m.raw("<!doctype html>\n<html lang=\"en\"")
	m.attribute("data-to", to)
	if fragment.Name != "" {
		m.attribute("data-cookie", fragment.Name)
		m.attribute("data-path", fragment.Path)
	}
	m.raw(">\n")
	m.head(title)
	m.raw("<script>" + script + "</script>\n<noscript><meta http-equiv=\"refresh\"")
	m.attribute("content", "0; url="+to)
	m.raw("></noscript>\n")
	m.styled(f.Up, f.Looks)
	m.raw("</head>\n<body class=\"hop\">\n<main><p>" + says + " <a")
	m.address("href", to)
	m.raw(">Go on</a></p></main>\n</body>\n</html>\n")
	return f.document(m.String(), script)
}

// document adds the policy to a text: only that script runs, if there is one.
func (f Frame) document(text string, script literal) Document {
	policy := "default-src 'none'; style-src 'self'; img-src 'self' data:" + origin(f.Brand.Logo) +
		"; form-action 'self'" + origin(f.LoginURL) + // browsers hold a form's redirects to it too, and the logout's leads there
		"; base-uri 'none'; frame-ancestors 'none'"
	if script != "" {
		sum := sha256.Sum256([]byte(script))
		policy += "; script-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	return Document{text, policy}
}

// origin returns " " and the origin of an absolute URL, or "".
func origin(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || strings.ContainsAny(u.Host, "; '\",") {
		return ""
	}
	return " " + u.Scheme + "://" + u.Host
}
