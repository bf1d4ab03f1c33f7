// Package page is what people read at the routes under /auth: the words for each reason code, and
// the HTML around them.
//
// A page is written by code of our own rather than by html/template, which calls methods by name
// and so keeps every method of the AWS SDK in the binary. It loads nothing from elsewhere, and only
// scripts that are named by their hash run.
package page

// This file decides what a page is made of.

import (
	"cmp"
	"strings"

	"edgeauth/internal/reason"
)

// Page is what a person reads. In its texts {app} stands for the application's name.
type Page struct {
	Title    string
	Text     []string
	Cause    string // what probably led here
	Quote    string // what the identity provider said, in its words
	Action   Link   // the one next step
	Post     bool   // the next step changes something, so it is a form
	Other    Link   // the way out of a question
	Farewell bool   // tell the other tabs
}

// Link is a way on.
type Link struct{ Label, URL string }

// To returns the way with that label to an address.
func To(label, address string) Link { return Link{label, address} }

// Brand is what pages show of the organisation they belong to.
type Brand struct {
	Name    string // "": none, and texts say "this application"
	Logo    string // https URL, or a path on the same origin
	Support string // https or mailto URL
}

// nameless is what texts call an application without a name.
const nameless = "this application"

// Sentence puts the application's name where it belongs.
func (b Brand) Sentence(s string) string {
	return strings.ReplaceAll(s, "{app}", cmp.Or(b.Name, nameless))
}

// Summary is the page in two sentences, for programs.
func (p *Page) Summary(b Brand) string { return b.Sentence(p.Title) + " " + b.Sentence(p.Text[0]) }

// Places are where a page may lead.
type Places struct {
	Login string // the address of the login; "" while nobody knows where the application lives
	Home  string // the start page
}

// Explain returns the page about a failure.
func Explain(code reason.Code, to Places) *Page {
	w, ok := words[code]
	if !ok {
		w = words[fallback(code)]
	}
	p := &Page{Title: w.title, Text: w.text, Action: Link{"Try again", ""}}
	switch {
	case w.next == home:
		p.Action = Link{"Go to the start page", to.Home}
	case w.next == reload || to.Login == "": // an empty address is the present one
	case w.next == another:
		p.Action = Link{"Sign in with another account", to.Login + "?prompt=login"}
	case w.next == afresh:
		p.Action = Link{"Sign in once more", to.Login + "?prompt=login"}
	default:
		p.Action = Link{"Sign in", to.Login}
	}
	return p
}
