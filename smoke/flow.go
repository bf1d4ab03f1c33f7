package smoke

// This file tries what must hold: who gets in, who does not, and what each is told.

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// check tries everything, over each protocol that the server speaks.
func (t Target) check(ctx context.Context, r *report) {
	r.heading("%s as %s", t.base, t.user)
	for _, protocol := range []string{http1, http2} {
		b := newBrowser(t, protocol)
		if protocol == http2 {
			if a, err := b.program(ctx, http.MethodGet, "/auth/session"); err != nil || !strings.HasPrefix(a.proto, "HTTP/2") {
				r.section(protocol)
				r.unknown("HTTP/2", "the server does not offer it")
				continue
			}
		}
		t.checkOver(ctx, r, protocol)
	}
	r.section("Cognito")
	t.askCognito(ctx, r)
	r.section("A session")
	t.askSession(ctx, r)
	r.section("A device")
	t.askDevice(ctx, r)
}

func (t Target) checkOver(ctx context.Context, r *report, protocol string) {
	b := newBrowser(t, protocol)
	r.section(protocol + ", nobody signed in")
	t.anonymous(ctx, r, b)
	r.section(protocol + ", signing in")
	if !t.signsIn(ctx, r, b) {
		return
	}
	r.section(protocol + ", signed in")
	t.signedIn(ctx, r, b)
	t.askGateway(ctx, r, b)
	r.section(protocol + ", renewing and signing out")
	t.ends(ctx, r, b)
}

// wants sends a program's request and says whether its status is the one wanted.
func (r *report) wants(status int, what string) func(answer, error) (answer, bool) {
	return func(a answer, err error) (answer, bool) {
		if err != nil {
			return a, r.pass(false, what, "%v", err)
		}
		return a, r.pass(a.status == status, what, "%d, not %d: %s", a.status, status, a.body)
	}
}

func (t Target) anonymous(ctx context.Context, r *report, b *browser) {
	a, ok := r.wants(401, "a program gets 401")(b.program(ctx, "GET", "/api/me"))
	if ok {
		r.pass(json.Valid([]byte(a.body)) && strings.Contains(a.header.Get("Content-Type"), "json"), "with JSON", "%s", a.body)
		r.pass(a.header.Get("WWW-Authenticate") != "" && a.header.Get("Cache-Control") == "no-store", "WWW-Authenticate and no-store", "%v", a.header)
		r.info("x-amzn-ErrorType of a 401", "%q", a.header.Get("X-Amzn-Errortype"))
	}
	r.wants(401, "so does one that posts")(b.program(ctx, "POST", "/api/hello"))
	r.wants(401, "and one with a slash at the end")(b.program(ctx, "GET", "/api/me/"))
	r.wants(401, "and one with a cookie that is no token")(b.program(ctx, "GET", "/api/me", "Cookie", "__Host-id=e30.e30.e30"))
	r.wants(401, "and one with a bearer token that is none")(b.program(ctx, "GET", "/api/me", "Authorization", "Bearer e30.e30.e30"))

	for _, path := range []string{
		"/reports?q=1",
		"/a%20b/%E2%82%AC/c:d?q=a%2Fb&q=%26%3D&plus=1%2B1&empty=",
		"/long?" + strings.Repeat("q=0123456789abcdef&", 60) + "end=1",
	} {
		at := b.to(path)
		a, err := b.navigate(ctx, at)
		what := "a page sends to the login and back to " + plain(path)
		if err != nil {
			r.pass(false, what, "%v", err)
			continue
		}
		to := a.next()
		if to == nil || a.status != 302 {
			r.pass(false, what, "%d", a.status)
			continue
		}
		back, err := url.Parse(to.Query().Get("return_to"))
		same := err == nil && back.EscapedPath() == at.EscapedPath() && sameQuery(back.Query(), at.Query())
		r.pass(to.Path == b.base.Path+"/auth/login" && to.Host == at.Host && same, what, "%s", a.header.Get("Location"))
	}
	a, err := b.send(ctx, "OPTIONS", b.to("/api/me"), nil, "Origin", "https://evil.example", "Access-Control-Request-Method", "POST")
	if err != nil {
		r.pass(false, "a preflight is answered", "%v", err)
		return
	}
	origin := a.header.Get("Access-Control-Allow-Origin")
	r.pass(origin != "*" && origin != "null" && origin != "https://evil.example", "a preflight lets no foreign origin in", "allows %s", origin)
}

func sameQuery(a, b url.Values) bool {
	return a.Encode() == b.Encode()
}

func (t Target) signsIn(ctx context.Context, r *report, b *browser) bool {
	asked := b.to("/?smoke=a%2Fb&smoke=2")
	a, err := b.signInTo(ctx, asked)
	if err != nil && b.authorize != nil && b.session() == "" {
		r.unknown("the login page", "%v", err)
		cookie, second := t.adminCookie(ctx, b.authorize)
		if second != nil {
			r.unknown("everything behind it", "no session with AWS credentials either: %v", second)
			return false
		}
		b.take(cookie)
		r.info("session", "from AdminInitiateAuth with the caller's AWS credentials: no refresh token, no nonce")
		return true
	}
	if !r.pass(err == nil, "the login page takes name and password", "%v", err) {
		return false
	}
	r.pass(a.status == 200 && a.at.EscapedPath() == asked.EscapedPath() && sameQuery(a.at.Query(), asked.Query()), "and back to the page that was asked for", "%d on %s", a.status, a.at)
	q := b.authorize.Query()
	r.pass(q.Get("code_challenge_method") == "S256" && q.Get("state") != "" && q.Get("nonce") != "" && q.Get("response_type") == "code", "by code flow with state, nonce and PKCE", "%v", q)
	t.cookies(r, b)
	return true
}

// take puts a session cookie into the jar.
func (b *browser) take(cookie string) {
	name, value, _ := strings.Cut(cookie, "=")
	b.jar.SetCookies(b.base, []*http.Cookie{{Name: name, Value: value, Path: "/", Secure: true, HttpOnly: true}})
}

func (t Target) cookies(r *report, b *browser) {
	var names []string
	for name, line := range b.set {
		c, err := http.ParseSetCookie(line)
		if err != nil || c.MaxAge < 0 {
			continue
		}
		names = append(names, fmt.Sprintf("%s %d B", name, len(c.Name)+len(c.Value)))
		good := c.Secure && c.HttpOnly && c.SameSite == http.SameSiteLaxMode && c.Domain == "" && len(c.Name)+len(c.Value) <= 4096
		switch {
		case strings.HasPrefix(name, "__Host-"):
			good = good && c.Path == "/"
		case strings.HasPrefix(name, "__Secure-"):
			good = good && strings.HasPrefix(c.Path, b.base.Path+"/auth")
		default:
			good = false
		}
		r.pass(good, "cookie "+name+" is closed to scripts, other hosts and other sites", "path %s, %d bytes", c.Path, len(c.Name)+len(c.Value))
	}
	slices.Sort(names)
	r.info("cookies", "%s", strings.Join(names, ", "))
}

func (t Target) signedIn(ctx context.Context, r *report, b *browser) {
	var me struct{ Sub, Email, Username string }
	a, ok := r.wants(200, "/api/me knows the session")(b.program(ctx, "GET", "/api/me"))
	if ok {
		err := json.Unmarshal([]byte(a.body), &me)
		r.pass(err == nil && me.Sub != "" && (strings.EqualFold(me.Email, t.user) || me.Username == t.user), "and says who it is", "%s", a.body)
	}
	a, err := b.navigate(ctx, b.to("/"))
	r.pass(err == nil && a.status == 200 && strings.Contains(a.body, "<html"), "so does the dashboard, the second backend", "%d %v", a.status, err)
	r.wants(200, "/auth/session tells scripts")(b.program(ctx, "GET", "/auth/session"))

	pairs := b.session()
	r.wants(200, "a cookie header in small letters")(b.program(ctx, "GET", "/api/me", "cookie", pairs))
	r.wants(200, "cookies over several header lines")(b.program(ctx, "GET", "/api/me", append([]string{"Cookie", "a=1"}, append(lines(pairs), "Cookie", "theme=dark")...)...))
	r.wants(401, "a different session beside it is refused")(b.program(ctx, "GET", "/api/me", "Cookie", pairs+"; __Host-id=e30.e30.e30"))
	broken := []byte(pairs)
	broken[len(broken)-6] ^= 1
	r.wants(401, "a token with one letter changed is refused")(b.program(ctx, "GET", "/api/me", "Cookie", string(broken)))

	refused(r, "a form sent by another site is refused")(b.program(ctx, "POST", "/api/hello", "Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"))
	refused(r, "a header that changes the method is refused")(b.program(ctx, "GET", "/api/hello", "X-HTTP-Method-Override", "DELETE"))
}

// lines makes one Cookie header of each pair.
func lines(pairs string) []string {
	var headers []string
	for pair := range strings.SplitSeq(pairs, "; ") {
		headers = append(headers, "Cookie", pair)
	}
	return headers
}

// refused wants what somebody gets who is known and may not: a redirect to the page that says why.
func refused(r *report, what string) func(answer, error) {
	return func(a answer, err error) {
		to := a.header.Get("Location")
		r.pass(err == nil && a.status == 302 && strings.Contains(to, "/auth/denied"), what, "%d %s %v", a.status, to, err)
	}
}

func (t Target) ends(ctx context.Context, r *report, b *browser) {
	if _, ok := b.set["__Secure-refresh"]; !ok {
		r.unknown("renewal and sign-out", "this session has no refresh token")
		return
	}
	before := b.claims()
	origin := b.base.Scheme + "://" + b.base.Host
	if _, ok := r.wants(204, "POST /auth/refresh renews")(b.program(ctx, "POST", "/auth/refresh", "Origin", origin, "Sec-Fetch-Site", "same-origin")); ok {
		after := b.claims()
		r.pass(after["jti"] != before["jti"] && after["sub"] == before["sub"], "with another token of the same user", "%v", after["jti"] == before["jti"])
		r.info("after a renewal", "auth_time kept: %t, nonce: %t, at_hash: %t", fmt.Sprint(after["auth_time"]) == fmt.Sprint(before["auth_time"]), after["nonce"] != nil, after["at_hash"] != nil)
	}
	held := b.jar.Cookies(b.to("/auth/refresh"))
	b.leave(b.base)
	a, err := b.navigate(ctx, b.to("/auth/logout"))
	r.pass(err == nil && a.status == 302 && b.session() == "", "sign-out clears the session", "%d %v", a.status, err)
	for range hops {
		to := a.next()
		if err != nil || to == nil {
			break
		}
		a, err = b.follow(ctx, a, to)
	}
	r.pass(err == nil && a.status == 200 && a.at.Path == b.base.Path+"/auth/signed-out", "goes through Cognito and comes back", "%d %v", a.status, err)

	var old []string
	for _, c := range held {
		old = append(old, c.Name+"="+c.Value)
	}
	r.wants(401, "the old refresh token is revoked")(b.program(ctx, "POST", "/auth/refresh", "Cookie", strings.Join(old, "; "), "Origin", origin, "Sec-Fetch-Site", "same-origin"))

	again := newBrowser(t, http1)
	again.jar, again.password = b.jar, "" // whoever is still known there gets in without
	_, err = again.signIn(ctx)
	r.pass(err != nil && again.session() == "", "and the login page asks again", "signed in without a password")
}

// claims are what the session's token says, unverified.
func (b *browser) claims() map[string]any {
	token := ""
	for pair := range strings.SplitSeq(b.session(), "; ") {
		_, value, _ := strings.Cut(pair, "=")
		if _, piece, ok := strings.Cut(value, "~"); ok {
			value = piece
		}
		token += value
	}
	claims := map[string]any{}
	if parts := strings.Split(token, "."); len(parts) == 3 {
		payload, _ := base64.RawURLEncoding.DecodeString(parts[1])
		_ = json.Unmarshal(payload, &claims)
	}
	return claims
}
