package main

// This file decides what a signed-in person sees: the identity that came with the request, the request itself, and when the session ends. It keeps nothing.

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"edgeauth/app/dashboard/figures"
	"edgeauth/identity"
	"edgeauth/internal/apigw"
)

var (
	//go:embed *.html
	files embed.FS
	//go:embed style.css
	style string
	//go:embed page.js
	script string

	pages = template.Must(template.ParseFS(files, "*.html"))

	// contentPolicy lets in this page's own style and script, named by their digests, and what comes from the same origin for the sign-in helper.
	// There is no form-action: Chromium holds it against redirects too, and signing out is a form whose answer leads to the login host.
	contentPolicy = strings.Join([]string{
		"default-src 'none'",
		"style-src " + digest(style),
		"script-src 'self' " + digest(script),
		"connect-src 'self'",
		"img-src data:",
		"base-uri 'none'",
		"frame-ancestors 'none'",
	}, "; ")
)

// digest names an inline style or script in a content security policy: https://www.w3.org/TR/CSP3/#grammardef-hash-source
func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// frame is what every page shows.
type frame struct {
	Base      string // prefix of every path of this application
	Title     string
	Name      string
	Now       moment
	RequestID string
	Style     template.CSS
}

// view is what the page of a session shows.
type view struct {
	frame
	Root     bool // the overview, rather than a page below it
	Nothing  bool // there is no page at this path
	Admin    bool
	Parts    []string // of the name: between them a narrow screen may break it
	Initial  string
	Groups   []string
	Method   string
	Path     string // as the client sent it, escapes included
	Query    []row
	Context  []row
	Ends     moment
	Over     bool
	Left     string
	Timeline timeline
	Script   template.JS
}

// row is one line of a table.
type row struct{ Name, Value string }

// moment is a time that a page shows: to people in UTC, since the server cannot know where they are, and to scripts as RFC 3339.
type moment time.Time

func (m moment) String() string  { return time.Time(m).UTC().Format("2 Jan 2006, 15:04 UTC") }
func (m moment) Machine() string { return time.Time(m).UTC().Format(time.RFC3339) }

// dashboard answers with the session at the overview and below /reports and /admin, and with figures at /admin/metrics. Elsewhere there is nothing, which the
// page says, with 404. It serves identified requests only: anything else is turned away by identity.Require.
type dashboard struct {
	now     func() time.Time
	figures *figures.Client
	ages    []time.Duration // of the rules that ask for a recent sign-in
}

func (d dashboard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	secure(w.Header())
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "this page can only be read", http.StatusMethodNotAllowed)
		return
	}
	id, err := identity.From(r.Context())
	if err != nil {
		http.Error(w, "no identity came with this request", http.StatusUnauthorized)
		return
	}
	path := strings.TrimPrefix(r.URL.Path, apigw.Base(r.Context()))
	if path == metricsPath {
		d.metrics(w, r, id)
		return
	}
	v, status := d.view(r, id, path), http.StatusOK
	if v.Nothing {
		status = http.StatusNotFound
	}
	show(w, status, "page.html", v)
}

// show writes a page.
func show(w http.ResponseWriter, status int, name string, view any) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	if err := pages.ExecuteTemplate(w, name, view); err != nil {
		panic(fmt.Errorf("dashboard: %w", err)) // only a writer that fails, or a template that does not fit its view
	}
}

// secure sets what every answer carries: kept nowhere, shown in nobody's frame, taken for nothing but what it says it is. The referrer stays
// within the origin, and is not withheld altogether, because forms of a page without one send "Origin: null".
func secure(h http.Header) {
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", contentPolicy)
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Strict-Transport-Security", "max-age=31536000") // browsers heed it over TLS only (RFC 6797, section 8.1)
	h.Set("X-Content-Type-Options", "nosniff")
}

func (d dashboard) frame(r *http.Request, id identity.Identity, title string) frame {
	return frame{
		Base:      apigw.Base(r.Context()),
		Title:     title,
		Name:      firstOf(id.Email, id.Username, id.Subject),
		Now:       moment(d.now()),
		RequestID: apigw.RequestID(r.Context()),
		Style:     template.CSS(style),
	}
}

func (d dashboard) view(r *http.Request, id identity.Identity, path string) view {
	now := d.now()
	v := view{
		frame:    d.frame(r, id, r.URL.EscapedPath()),
		Admin:    id.Has(admins),
		Groups:   id.Groups,
		Method:   r.Method,
		Path:     r.URL.EscapedPath(),
		Query:    query(r),
		Context:  context(id),
		Ends:     moment(id.Expires),
		Over:     !now.Before(id.Expires),
		Left:     left(id.Expires.Sub(now)),
		Timeline: newTimeline(id, now, d.ages),
		Script:   template.JS(script),
	}
	v.Parts, v.Initial = strings.SplitAfter(v.Name, "@"), initial(v.Name)
	switch section, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/"); section {
	case "":
		v.Root, v.Title = true, "Your session"
	case "reports", "admin":
	default:
		v.Nothing, v.Title = true, "Nothing here"
	}
	return v
}

func firstOf(names ...string) string {
	for _, n := range names {
		if n != "" {
			return n
		}
	}
	return ""
}

func initial(name string) string {
	r, _ := utf8.DecodeRuneInString(name)
	if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
		return "·"
	}
	return string(unicode.ToUpper(r))
}

// left says how long something lasts in words that are right for a glance; page.js counts on in the same words.
func left(d time.Duration) string {
	switch m := int(d.Minutes()); {
	case d <= 0:
		return "Over"
	case m < 1:
		return "under a minute"
	case m < 2:
		return "1 minute"
	case m < 120:
		return strconv.Itoa(m) + " minutes"
	default:
		return strconv.Itoa(m/60) + " hours"
	}
}

// query lists the parameters by name, repeated ones in the order in which they came.
func query(r *http.Request) []row {
	var rows []row
	values := r.URL.Query()
	for _, name := range sorted(values) {
		for _, v := range values[name] {
			rows = append(rows, row{name, v})
		}
	}
	return rows
}

// context lists what the authorizer handed over, under the names that it has there.
func context(id identity.Identity) []row {
	rows := []row{
		{"sub", id.Subject},
		{"username", id.Username},
		{"email", id.Email},
		{"groups", strings.Join(id.Groups, " ")},
		{"scope", strings.Join(id.Scopes, " ")},
		{"token_use", id.TokenUse},
		{"client_id", id.ClientID},
		{"iss", id.Issuer},
		{"exp", seconds(id.Expires)},
		{"auth_time", seconds(id.AuthTime)},
	}
	for _, name := range sorted(id.Claims) {
		value := claim(id.Claims[name])
		if at, ok := issuedAt(id); ok && name == "iat" {
			value = seconds(at)
		}
		rows = append(rows, row{name, value})
	}
	return rows
}

// seconds writes a time as the token does (RFC 7519 section 2, NumericDate), with its reading beside it.
func seconds(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return strconv.FormatInt(t.Unix(), 10) + " (" + moment(t).String() + ")"
}

// claim writes a string as itself and anything else as JSON.
func claim(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}

func sorted[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for n := range m {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}
