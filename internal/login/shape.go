package login

// This file decides the shape of a page: which parts it has and in which order. Its looks are in
// edgeauth.css.

import (
	_ "embed"
	"encoding/base64"

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

// styled appends the link to the looks; up leads from the page to <base>/auth/.
func (m *markup) styled(up string) {
	m.raw(`<link rel="stylesheet"`)
	m.address("href", up+"edgeauth.css?v="+style.tag)
	m.raw(">\n")
}

// shape returns p as HTML. script is the one script that it may run, or "".
func (v *visit) shape(code reason.Code, p *page, script literal) string {
	var m markup
	failed, brand, title := code != reason.OK && !p.post, v.provider.Brand, v.title(p)
	if brand.Name == nameless {
		brand.Name = "" // on its own it says nothing
	}
	m.raw("<!doctype html>\n<html lang=\"en\">\n")
	if brand.Name != "" {
		m.head(title + " · " + brand.Name)
	} else {
		m.head(title)
	}
	m.styled(v.up)
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
	case p.post:
		m.mark("sign", question)
	default:
		m.mark("sign", check)
	}
	m.element("h1", title)
	m.raw("\n")
	for _, t := range p.text {
		m.element("p", v.sentence(t))
		m.raw("\n")
	}
	if p.cause != "" {
		m.raw("<aside><strong>Likely cause</strong> ")
		m.text(v.sentence(p.cause))
		m.raw("</aside>\n")
	}
	if p.quote != "" {
		m.raw("<figure>\n<figcaption>The sign-in service says</figcaption>\n")
		m.element("blockquote", p.quote)
		m.raw("\n</figure>\n")
	}
	m.steps(p)
	if failed {
		m.raw("<dl>\n<div><dt>Reason</dt><dd>")
		m.element("code", string(code))
		m.raw("</dd></div>\n")
		if id := v.RequestID(v.r); id != "" {
			m.raw("<div><dt>Request</dt><dd>")
			m.element("code", id)
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
	return m.String()
}

// mark appends the sign above a page. It says nothing that the heading does not.
func (m *markup) mark(class, path literal) {
	m.raw(`<svg class="` + class + `" viewBox="0 0 24 24" aria-hidden="true"><path d="` + path + "\"/></svg>\n")
}

// steps appends the one next step, and the way out beside it if there is one.
func (m *markup) steps(p *page) {
	if p.post {
		m.raw("<form method=\"post\"")
		m.address("action", p.action.URL)
		m.raw("><button class=\"next\">")
		m.text(p.action.Label)
		m.raw("</button>")
	} else {
		m.raw(`<p class="step"><a class="next"`)
		m.address("href", p.action.URL)
		m.raw(">")
		m.text(p.action.Label)
		m.raw("</a>")
	}
	if p.other.URL != "" {
		m.raw(" <a")
		m.address("href", p.other.URL)
		m.raw(">")
		m.text(p.other.Label)
		m.raw("</a>")
	}
	if p.post {
		m.raw("</form>\n")
	} else {
		m.raw("</p>\n")
	}
}

// hopPage returns the page that puts the fragment of its address into a cookie, then moves on.
func hopPage(to string, fragment cookie.Line) string {
	var m markup
	m.raw("<!doctype html>\n<html lang=\"en\"")
	m.attribute("data-to", to)
	m.attribute("data-cookie", fragment.Name)
	m.attribute("data-path", fragment.Path)
	m.raw(">\n")
	m.head("Signing in")
	m.raw("<script>" + hopScript + "</script>\n<noscript><meta http-equiv=\"refresh\"")
	m.attribute("content", "0; url="+to)
	m.raw("></noscript>\n")
	m.styled("")
	m.raw("</head>\n<body class=\"hop\">\n<main><p>Taking you to the sign-in page … <a")
	m.address("href", to)
	m.raw(">Go on</a></p></main>\n</body>\n</html>\n")
	return m.String()
}
