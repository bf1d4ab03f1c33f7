// This file decides who passes the login page, and what it remembers in the browser.

package cognito

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	sessionCookie  = "cognito"
	xsrfCookie     = "XSRF-TOKEN"
	languageCookie = "lang"
)

func (s *Server) serveLoginForm(c *call) reply {
	a, refused := s.parseAuthorization(c.URL.RawQuery)
	if refused != nil {
		return s.refuse(a, *refused)
	}
	return s.loginForm(c, a, http.StatusOK, a.hint, "", "login_form")
}

// serveLogin checks a sign-in. The form's _csrf is bound to the browser's cookie and five minutes old at most; tabs share the cookie.
func (s *Server) serveLogin(c *call) reply {
	a, refused := s.parseAuthorization(c.URL.RawQuery)
	if refused != nil {
		return s.refuse(a, *refused)
	}
	form, ok := c.form()
	if !ok {
		return s.message(c, http.StatusBadRequest, "broken_form", "/login?"+c.URL.RawQuery)
	}
	if !s.validForm(c, form.Get("_csrf")) {
		return s.message(c, http.StatusForbidden, "form_expired", "/login?"+c.URL.RawQuery)
	}
	u := s.signIn(strings.TrimSpace(form.Get("username")), form.Get("password"))
	switch {
	case u == nil:
		s.count("login.failed")
		return s.loginForm(c, a, http.StatusBadRequest, form.Get("username"), "wrong", "wrong_password")
	case u.status == forcePassword:
		return s.loginForm(c, a, http.StatusBadRequest, form.Get("username"), "newPassword", "new_password_required")
	}
	u = s.federated(a.provider, u)
	s.count("login.ok")
	s.endSession(c)
	value, n := s.newSession(u)
	rep := s.giveCode(c, a, n)
	s.setCookie(&rep, sessionCookie, value, sessionLife)
	return rep
}

// loginForm shows the form. Its problem is the name of a text, or empty.
func (s *Server) loginForm(c *call, a authorization, status int, username, problem, outcome string) reply {
	rep := newReply(status, "text/html; charset=utf-8", nil, outcome)
	xsrf := s.keepXSRF(c, &rep)
	lang := keepLanguage(c, &rep)
	app := a.client.Name
	if a.provider != "" {
		app = a.provider + " → " + app
	}
	rep.body = s.loginPage(lang, a, app, username, problem, s.formToken(xsrf, s.now()), c.URL.Query())
	pageHeaders(rep.header)
	return rep
}

// formToken binds a form to the browser and to the time it was shown.
func (s *Server) formToken(xsrf string, shown time.Time) string {
	at := strconv.FormatInt(shown.Unix(), 10)
	mac := hmac.New(sha256.New, s.csrfKey)
	mac.Write([]byte(at + "." + xsrf))
	return at + "." + formatToken(mac.Sum(nil))
}

func (s *Server) validForm(c *call, token string) bool {
	cookie, err := c.Cookie(xsrfCookie)
	if err != nil {
		return false
	}
	at, _, _ := strings.Cut(token, ".")
	unix, err := strconv.ParseInt(at, 10, 64)
	if err != nil {
		return false
	}
	shown := time.Unix(unix, 0)
	return same(token, s.formToken(cookie.Value, shown)) && s.now().Before(shown.Add(formLife))
}

// keepXSRF returns the browser's XSRF cookie, given now if it has none.
func (s *Server) keepXSRF(c *call, rep *reply) string {
	if cookie, err := c.Cookie(xsrfCookie); err == nil && len(cookie.Value) == 43 {
		return cookie.Value
	}
	value := formatToken(s.random(32))
	s.setCookie(rep, xsrfCookie, value, 0)
	return value
}

// keepLanguage returns the language of the pages: the parameter's, which a cookie remembers, or the cookie's.
func keepLanguage(c *call, rep *reply) string {
	lang := c.URL.Query().Get("lang")
	if _, ok := texts[lang]; ok {
		rep.header.Add("Set-Cookie", (&http.Cookie{Name: languageCookie, Value: lang, Path: "/", SameSite: http.SameSiteLaxMode}).String())
		return lang
	}
	if cookie, err := c.Cookie(languageCookie); err == nil {
		if _, ok := texts[cookie.Value]; ok {
			return cookie.Value
		}
	}
	return "en"
}

// setCookie sets one of our own cookies. Over plain http it cannot be Secure: Go's cookie jar, for one, would not send it to 127.0.0.1.
func (s *Server) setCookie(rep *reply, name, value string, life time.Duration) {
	cookie := http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: int(life / time.Second),
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: strings.HasPrefix(s.cfg.Domain, "https:"),
	}
	if life < 0 {
		cookie.MaxAge = -1
	}
	rep.header.Add("Set-Cookie", cookie.String())
}

func formatToken(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// withHint is the login page's own address with the user name filled in.
func withHint(q url.Values, username string) string {
	filled := url.Values{}
	for name, values := range q {
		filled[name] = values
	}
	filled.Set("login_hint", username)
	return "/login?" + filled.Encode()
}

// serveError is where requests end that may not be answered at the redirect URI.
func (s *Server) serveError(c *call) reply {
	return s.message(c, http.StatusBadRequest, cmp.Or(c.URL.Query().Get("error"), "unknown"), "")
}
