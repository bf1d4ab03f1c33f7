package login

// This file decides how an answer is written: as a page for a person, as JSON for a program, with
// headers that let nobody store, frame or reinterpret it, and with one line in the log. What a
// client sent appears in neither, but for what is escaped in a page.

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"

	"edgeauth/internal/cookie"
	"edgeauth/internal/device"
	"edgeauth/internal/metric"
	"edgeauth/internal/page"
	"edgeauth/internal/reason"
)

// answer is what a route makes of a visit.
type answer struct {
	status   int
	code     reason.Code
	err      error
	location string
	cookies  []cookie.Line
	page     *page.Page     // for a person
	body     any            // for a program
	file     *file          // for either
	hop      *page.Document // the page that only moves on
	allow    string
	offer    string      // how a browser registers its device
	ask      string      // what its device is to sign
	notes    []slog.Attr // for the log
	counts   []string    // metrics that this visit adds one to

	refreshable bool // a program may try to renew
}

func serveStyle(*visit) answer { return answer{status: http.StatusOK, code: reason.OK, file: style} }

func serveTypes(*visit) answer { return answer{status: http.StatusOK, code: reason.OK, file: types} }

func serveScript(*visit) answer { return answer{status: http.StatusOK, code: reason.OK, file: script} }

var errHeader = reason.New(reason.Internal, "login: an address with control characters")

// redirect sends the browser to an address on this site or at the identity provider. After a POST
// it is 303, so that no form goes along.
func (v *visit) redirect(to string, cookies []cookie.Line, notes ...slog.Attr) answer {
	if strings.ContainsFunc(to, unfit) {
		return v.failed(errHeader)
	}
	status := http.StatusFound
	if v.r.Method == http.MethodPost {
		status = http.StatusSeeOther
	}
	return answer{status: status, code: reason.OK, location: to, cookies: cookies, notes: notes}
}

// failed answers with what went wrong.
func (v *visit) failed(err error) answer {
	return v.fail(statusOf(reason.Of(err)), err)
}

func (v *visit) fail(status int, err error) answer {
	code := reason.Of(err)
	a := answer{status: status, code: code, err: err, page: page.Explain(code, v.places())}
	if code == reason.LoginTooLarge {
		a.counts = append(a.counts, "LoginTooLarge")
	}
	return a
}

// statusOf is the status of a failure that no route knows better.
func statusOf(code reason.Code) int {
	switch code {
	case reason.NotFound:
		return http.StatusNotFound
	case reason.MethodNotAllowed:
		return http.StatusMethodNotAllowed
	case reason.BadRequest, reason.LoginStateMissing, reason.LoginStateInvalid, reason.LoginRefused, reason.LoginCodeRefused, reason.LoginTooLarge,
		reason.LoginLoop, reason.LoginDisagree:
		return http.StatusBadRequest
	case reason.DeviceChallenged:
		return http.StatusForbidden
	case reason.Internal:
		return http.StatusInternalServerError
	}
	switch code.Outcome() {
	case reason.Refused:
		return http.StatusForbidden
	case reason.CannotTell:
		return http.StatusServiceUnavailable
	}
	return http.StatusUnauthorized
}

// places are where pages about this visit may lead.
func (v *visit) places() page.Places {
	if v.site.url == "" {
		return page.Places{Home: v.up + "../"}
	}
	return page.Places{Login: v.site.auth("login"), Home: v.site.base + "/"}
}

// frame is what pages of this visit stand in.
func (v *visit) frame(code reason.Code) page.Frame {
	return page.Frame{
		Brand: v.provider.Brand, Up: v.up, Looks: style.tag, LoginURL: v.provider.LoginURL, Code: code,
		RequestID: v.RequestID(v.r),
	}
}

// bodyOf returns the body of a document, and sets the headers that belong to it.
func bodyOf(h http.Header, d page.Document) []byte {
	h.Set("Content-Security-Policy", d.Policy)
	h.Set("Content-Type", "text/html; charset=utf-8")
	return []byte(d.HTML)
}

// failure is what a program reads.
type failure struct {
	Error       string `json:"error"`
	Reason      string `json:"reason"`
	Message     string `json:"message"`
	RequestID   string `json:"request_id"`
	LoginURL    string `json:"login_url,omitempty"`
	Refreshable bool   `json:"refreshable,omitempty"`
}

// write sends the answer and logs it.
func (v *visit) write(w http.ResponseWriter, a answer) {
	h := w.Header()
	v.secure(h)
	for _, line := range a.cookies {
		h.Add("Set-Cookie", line.String())
	}
	if a.allow != "" {
		h.Set("Allow", a.allow)
	}
	if a.offer != "" {
		h.Set(device.HeaderRegistration, a.offer)
	}
	if a.ask != "" {
		h.Set(device.HeaderChallenge, a.ask)
	}
	if a.status == http.StatusServiceUnavailable {
		h.Set("Retry-After", "5")
	}
	content := v.content(h, &a)
	w.WriteHeader(a.status)
	if v.r.Method != http.MethodHead {
		w.Write(content)
	}
	v.log(a)
}

// content returns the body, and sets the headers that belong to it.
func (v *visit) content(h http.Header, a *answer) []byte {
	switch {
	case a.location != "":
		h.Set("Location", a.location)
		return nil
	case a.status == http.StatusNoContent:
		return nil
	case a.hop != nil:
		return bodyOf(h, *a.hop)
	case a.file != nil:
		return a.file.serve(h, v.r, &a.status)
	case a.page != nil && person(v.r):
		return bodyOf(h, v.frame(a.code).Show(a.page))
	case a.body == nil:
		a.body = v.failure(a)
	}
	h.Set("Content-Type", "application/json")
	text, err := json.Marshal(a.body)
	if err != nil {
		panic(err) // only for types that have no JSON
	}
	return append(text, '\n')
}

func (v *visit) failure(a *answer) failure {
	f := failure{
		Error:     strings.ReplaceAll(strings.ToLower(http.StatusText(a.status)), " ", "_"),
		Reason:    string(a.code),
		RequestID: v.RequestID(v.r),
	}
	if a.page != nil {
		f.Message = a.page.Summary(v.provider.Brand)
	}
	if a.status == http.StatusUnauthorized && v.site.url != "" {
		f.LoginURL, f.Refreshable = v.site.auth("login"), a.refreshable
	}
	return f
}

// secure sets what every answer carries.
func (v *visit) secure(h http.Header) {
	h.Set("Cache-Control", "no-store")
	h.Set("Vary", "Cookie")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	if strings.HasPrefix(v.site.url, "https:") {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

// log writes the one line about this visit. To hand out a file is no decision.
func (v *visit) log(a answer) {
	if a.file != nil {
		return
	}
	level := slog.LevelInfo
	if a.code.Outcome() == reason.CannotTell {
		level = slog.LevelError
	}
	attrs := []slog.Attr{
		slog.String("route", v.route), slog.Int("status", a.status),
		slog.String("outcome", string(a.code.Outcome())), slog.String("reason", string(a.code)),
		slog.String("request_id", v.RequestID(v.r)),
	}
	if a.err != nil {
		attrs = append(attrs, slog.String("error", a.err.Error()))
	}
	if len(a.counts) > 0 {
		attrs = append(attrs, v.counted(a.counts)...)
	}
	v.Log.LogAttrs(v.r.Context(), level, "login", append(attrs, a.notes...)...)
}

// counted makes the line add one to each of these metrics, by function, outcome and reason, as the
// authorizer's decisions are counted.
func (v *visit) counted(names []string) []slog.Attr {
	attrs, dimensions := []slog.Attr(nil), []string{"outcome", "reason"}
	if v.Function != "" {
		attrs, dimensions = append(attrs, slog.String("function", v.Function)), append([]string{"function"}, dimensions...)
	}
	var list []metric.Metric
	for _, name := range names {
		attrs, list = append(attrs, slog.Int(name, 1)), append(list, metric.Metric{Name: name, Unit: metric.Count})
	}
	return append(attrs, slog.Any("_aws", json.RawMessage(metric.Append(nil, v.now, dimensions, list...))))
}

// metric counts one of name in CloudWatch.
func (v *visit) metric(name string) []slog.Attr {
	aws := metric.Append(nil, v.now, nil, metric.Metric{Name: name, Unit: metric.Count})
	return []slog.Attr{slog.Int(name, 1), slog.Any("_aws", json.RawMessage(aws))}
}

func note(key, value string) slog.Attr { return slog.String(key, value) }
