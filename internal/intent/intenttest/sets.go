// Package intenttest holds requests as browsers and programs send them, and what each means.
// Whoever decides by package intent runs through all of them, so that no two can differ.
package intenttest

import "net/http"

// Set is the headers of a request with method GET, and what they mean.
type Set struct {
	Name   string
	Header [][2]string // names and values, as they come

	Navigation bool // a person waits for a page in a tab
	Person     bool // somebody reads the answer
}

// HTTP returns the headers as net/http has them.
func (s Set) HTTP() http.Header {
	h := http.Header{}
	for _, line := range s.Header {
		h.Add(line[0], line[1])
	}
	return h
}

// headers returns pairs of names and values.
func headers(words ...string) (h [][2]string) {
	for i := 0; i+1 < len(words); i += 2 {
		h = append(h, [2]string{words[i], words[i+1]})
	}
	return h
}

// Sets returns all of them.
func Sets() []Set {
	const chrome = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
	fetch := func(mode, dest, site string, more ...string) [][2]string {
		return headers(append([]string{"Sec-Fetch-Mode", mode, "Sec-Fetch-Dest", dest, "Sec-Fetch-Site", site}, more...)...)
	}
	return []Set{
		{"a navigation", fetch("navigate", "document", "none", "Sec-Fetch-User", "?1", "Accept", chrome), true, true},
		{"from another site", fetch("navigate", "document", "cross-site", "Accept", chrome), true, true},
		{"without Accept", fetch("navigate", "document", "same-origin"), true, true},
		{"that accepts anything", fetch("navigate", "document", "same-origin", "Accept", "*/*"), true, true},
		{"a frame", fetch("navigate", "iframe", "same-origin", "Accept", chrome), false, true},
		{"an embedded object", fetch("navigate", "embed", "same-origin", "Accept", chrome), false, true},
		{"a fetch", fetch("cors", "empty", "same-origin", "Accept", "*/*"), false, false},
		{"a fetch of a page", fetch("cors", "empty", "same-origin", "Accept", chrome), false, false},
		{"a fetch that calls itself a document", fetch("cors", "document", "same-origin", "Accept", chrome), false, false},
		{"an image", fetch("no-cors", "image", "same-origin", "Accept", "image/*,*/*;q=0.8"), false, false},
		{"a WebSocket", fetch("websocket", "websocket", "same-origin"), false, false},

		{"a prefetch", fetch("navigate", "document", "none", "Sec-Purpose", "prefetch", "Accept", chrome), false, true},
		{"a prerender", fetch("navigate", "document", "none", "Sec-Purpose", "prefetch;prerender", "Accept", chrome), false, true},
		{"an older prefetch", fetch("navigate", "document", "none", "Purpose", "prefetch", "Accept", chrome), false, true},
		{"an older prefetch without Sec-Fetch", headers("Purpose", "prefetch", "Accept", chrome), false, true},
		{"a very old prefetch", headers("X-Moz", "prefetch", "Accept", chrome), false, true},
		{"a prefetch in two minds", headers("Purpose", "prefetch", "Purpose", "none", "Accept", chrome), false, true},

		{"only a site", headers("Sec-Fetch-Site", "none", "Accept", chrome), false, false},
		{"only a destination", headers("Sec-Fetch-Dest", "document", "Accept", chrome), false, false},
		{"only another destination", headers("Sec-Fetch-Dest", "image", "Accept", chrome), false, false},
		{"only a mode", headers("Sec-Fetch-Mode", "navigate", "Accept", chrome), false, true},
		{"an empty mode", headers("Sec-Fetch-Mode", "", "Accept", chrome), false, false},
		{"a mode in capitals", fetch("Navigate", "document", "none", "Accept", chrome), false, false},
		{"a mode in two minds", append(fetch("navigate", "document", "none", "Accept", chrome), [2]string{"Sec-Fetch-Mode", "cors"}), false, false},
		{"a mode twice", append(fetch("navigate", "document", "none"), [2]string{"Sec-Fetch-Mode", "navigate"}), true, true},
		{"a destination in two minds", append(fetch("navigate", "document", "none"), [2]string{"Sec-Fetch-Dest", "iframe"}), false, true},

		{"an older browser", headers("Accept", chrome), true, true},
		{"an older browser in capitals", headers("ACCEPT", "application/xml , TEXT/HTML;q=0.9"), true, true},
		{"anything", headers("Accept", "*/*"), false, false},
		{"any text", headers("Accept", "text/*"), false, false},
		{"JSON", headers("Accept", "application/json"), false, false},
		{"something longer", headers("Accept", "text/html5"), false, false},
		{"a word in a parameter", headers("Accept", `application/xml;profile="text/html"`), false, false},
		{"another type that names it", headers("Accept", "application/x-text/html"), false, false},
		{"Accept in two minds", headers("Accept", "text/html", "Accept", "application/json"), false, false},
		{"nothing", nil, false, false},
	}
}
