// This file decides what people see: the login page and the pages that say what went wrong, in English or German, without a script.

package cognito

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

//go:embed pages
var pageFiles embed.FS

var (
	pages = template.Must(template.ParseFS(pageFiles, "pages/*.html"))
	style = readPage("pages/style.css")
)

func readPage(name string) string {
	b, err := pageFiles.ReadFile(name)
	if err != nil {
		panic(err) // embedded: cannot happen
	}
	return string(b)
}

// texts are what the pages say.
var texts = map[string]map[string]string{
	"en": {
		"signIn": "Sign in", "continue": "to continue to", "email": "Email address", "password": "Password", "submit": "Sign in", "with": "Continue with",
		"wrong":       "Incorrect username or password.",
		"newPassword": "This user has to choose a new password first, which this page cannot do. Set a permanent one with AdminSetUserPassword.",
		"users":       "Demo users", "demoPassword": "Their password",
		"standin": "Local stand-in for Amazon Cognito", "again": "Start again", "wentWrong": "Something went wrong", "code": "Error code",
		"close": "You can close this page, or go back to the application and try again.",
	},
	"de": {
		"signIn": "Anmelden", "continue": "weiter zu", "email": "E-Mail-Adresse", "password": "Passwort", "submit": "Anmelden", "with": "Weiter mit",
		"wrong":       "Benutzername oder Passwort ist falsch.",
		"newPassword": "Dieser Benutzer muss erst ein neues Passwort wählen; das kann diese Seite nicht. AdminSetUserPassword setzt ein dauerhaftes.",
		"users":       "Benutzer zum Ausprobieren", "demoPassword": "Ihr Passwort",
		"standin": "Lokaler Stellvertreter für Amazon Cognito", "again": "Neu beginnen", "wentWrong": "Da ist etwas schiefgegangen", "code": "Fehlercode",
		"close": "Sie können diese Seite schließen oder in der Anwendung neu beginnen.",
	},
}

// problems are what the pages say went wrong, by error code.
var problems = map[string]map[string]string{
	"en": {
		"redirect_mismatch":    "An error was encountered with the requested page: the application, or the address it wants you to return to, is not registered here.",
		"form_expired":         "The sign-in took more than five minutes, or began in another browser.",
		"broken_form":          "The form arrived broken.",
		"missing_client_id":    "Missing required parameter client_id in request URL",
		"unknown_client":       "Client does not exist.",
		"missing_redirect_uri": "Required String parameter 'redirect_uri' is not present",
		"invalid_request":      "A parameter is given twice, or cannot be read.",
		"unknown":              "An error was encountered with the requested page.",
	},
	"de": {
		"redirect_mismatch":    "Die Anwendung oder die Adresse, zu der sie zurückkehren will, ist hier nicht eingetragen.",
		"form_expired":         "Die Anmeldung hat länger als fünf Minuten gedauert oder in einem anderen Browser begonnen.",
		"broken_form":          "Das Formular kam unvollständig an.",
		"missing_client_id":    "Der Parameter client_id fehlt.",
		"unknown_client":       "Diesen Client gibt es nicht.",
		"missing_redirect_uri": "Der Parameter 'redirect_uri' fehlt.",
		"invalid_request":      "Ein Parameter ist doppelt oder nicht lesbar.",
		"unknown":              "Mit dieser Seite stimmt etwas nicht.",
	},
}

type shownUser struct {
	Name, Initial, FillIn string
	Groups                []string
	Chosen                bool
}

type shownProvider struct{ Name, Link string }

type loginView struct {
	Providers []shownProvider

	Lang         string
	T            map[string]string
	Style        template.CSS
	App          string
	Username     string
	Problem      string
	CSRF         string
	Users        []shownUser
	DemoPassword string
}

// loginPage shows the form, and the first few users to choose from. The password is shown only when it is no secret: that of the default users.
func (s *Server) loginPage(lang string, a authorization, app, username, problem, csrf string, q url.Values) []byte {
	v := loginView{
		Lang: lang, T: texts[lang], Style: template.CSS(style), App: app, Username: username, Problem: texts[lang][problem], CSRF: csrf,
	}
	if s.cfg.Users == nil {
		v.DemoPassword = DefaultPassword
	}
	for _, u := range s.users[:min(len(s.users), 6)] {
		if u.disabled || u.provider != "" {
			continue
		}
		first, _ := utf8.DecodeRuneInString(u.email)
		v.Users = append(v.Users, shownUser{
			Name: u.email, Initial: strings.ToUpper(string(first)), FillIn: withHint(q, u.email),
			Groups: slices.Clone(u.groups), Chosen: strings.EqualFold(u.email, username),
		})
	}
	for _, name := range a.client.providers() {
		if name != "COGNITO" && a.provider == "" {
			v.Providers = append(v.Providers, shownProvider{name, withProvider(q, name)})
		}
	}
	return render("login.html", v)
}

type messageView struct {
	Lang  string
	T     map[string]string
	Style template.CSS
	Text  string
	Code  string
	Again string // where to start again; empty: nowhere
}

// message is a page that says what went wrong; a code that has no text of its own is not repeated.
func (s *Server) message(c *call, status int, code, again string) reply {
	if _, ok := problems["en"][code]; !ok {
		code = "unknown"
	}
	rep := newReply(status, "text/html; charset=utf-8", nil, code)
	lang := keepLanguage(c, &rep)
	rep.body = render("message.html", messageView{
		Lang: lang, T: texts[lang], Style: template.CSS(style), Text: problems[lang][code], Code: code, Again: again,
	})
	pageHeaders(rep.header)
	return rep
}

func render(name string, view any) []byte {
	var b bytes.Buffer
	if err := pages.ExecuteTemplate(&b, name, view); err != nil {
		panic(err) // our own templates and views: cannot happen
	}
	return b.Bytes()
}

// pageHeaders let a page use its own style sheet and nothing else. There is no form-action: it would also forbid the way back to the application.
func pageHeaders(h http.Header) {
	sum := sha256.Sum256([]byte(style))
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+
		"'; img-src data:; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin")
}
