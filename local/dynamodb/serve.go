package dynamodb

// This file decides which operation a request is, whether it may be asked, whether a fault stands in its way, and what is logged of it.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.LowLevelAPI.html

import (
	"encoding/json"
	"io"
	"mime"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// target is how a request names its operation.
const target = "DynamoDB_20120810."

// maxBody is more than a request can have: an item of 400 kB.
const maxBody = 1 << 20

// Takes reports whether a request is for the tables: an operation, or a word to the stand-in itself.
func (s *Server) Takes(r *http.Request) bool {
	return strings.HasPrefix(r.Header.Get("X-Amz-Target"), target) || strings.HasPrefix(r.URL.Path, adminPath)
}

// ServeHTTP answers both.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil || !loopback(r.Host) {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if strings.HasPrefix(r.URL.Path, adminPath) {
		s.administer(w, r, body)
		return
	}
	operation := strings.TrimPrefix(r.Header.Get("X-Amz-Target"), target)
	f, release := s.takeFault(operation)
	if f != nil && f.Kind == "hang" {
		s.hold(r, release)
		s.say(operation, 0, "fault:"+f.Kind)
		panic(http.ErrAbortHandler) // the connection ends without an answer
	}
	status, answer, outcome := s.do(r, operation, body, f)
	s.say(operation, status, outcome) // before the answer: whoever has it may look for the line
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
	w.Header().Set("Date", s.now().UTC().Format(http.TimeFormat))
	w.WriteHeader(status)
	_, _ = w.Write(answer)
}

// loopback keeps a web page from reaching the stand-in through a name of its own that resolves to this machine (DNS rebinding).
func loopback(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = strings.Trim(host, "[]")
	}
	ip := net.ParseIP(name)
	return name == "localhost" || ip != nil && ip.IsLoopback()
}

// do runs one operation, unless a fault answers in its place.
func (s *Server) do(r *http.Request, operation string, body []byte, f *fault) (status int, answer []byte, outcome string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := map[string]func([]byte) (any, *failure){"Query": s.query, "PutItem": s.put}[operation]
	var out any
	var failed *failure
	switch {
	case known == nil:
		failed = &failure{"UnknownOperationException", operation + " is not modelled by this stand-in"}
	case r.Method != http.MethodPost || r.URL.Path != "/" || r.Header.Get("Content-Type") != "application/x-amz-json-1.0":
		failed = &failure{"SerializationException", "not a POST of application/x-amz-json-1.0 to /"}
	default:
		s.counts[operation]++
		if failed = s.signed(r); failed == nil && f != nil {
			status, answer = f.instead()
			return status, answer, "fault:" + f.Kind
		}
		if failed == nil {
			out, failed = known(body)
		}
	}
	if failed != nil {
		return http.StatusBadRequest, failed.body(), failed.code
	}
	answer, _ = json.Marshal(out) // our own types: cannot fail
	return http.StatusOK, answer, "ok"
}

// services are those of whose front the error comes, and not DynamoDB's own; clients look behind the #.
var services = map[string]string{
	"AccessDeniedException": "com.amazon.coral.service", "MissingAuthenticationTokenException": "com.amazon.coral.service",
	"InvalidSignatureException": "com.amazon.coral.service", "UnknownOperationException": "com.amazon.coral.service",
	"SerializationException": "com.amazon.coral.service", "ValidationException": "com.amazon.coral.validate",
}

func (f *failure) body() []byte {
	service := services[f.code]
	if service == "" {
		service = "com.amazonaws.dynamodb.v20120810"
	}
	b, _ := json.Marshal(map[string]string{"__type": service + "#" + f.code, "message": f.message})
	return b
}

var authorization = regexp.MustCompile(`^AWS4-HMAC-SHA256 Credential=[^/ ]+/(\d{8})/([a-z0-9-]+)/([a-z0-9-]+)/aws4_request, ?SignedHeaders=([^ ]+), ?Signature=[0-9a-f]{64}$`)

// signed wants the form of a signature over what matters, for this Region and service and by a clock that agrees with this one.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-authentication-methods.html
func (s *Server) signed(r *http.Request) *failure {
	m := authorization.FindStringSubmatch(r.Header.Get("Authorization"))
	if m == nil {
		return &failure{"MissingAuthenticationTokenException", "Request is missing Authentication Token"}
	}
	date := r.Header.Get("X-Amz-Date")
	at, err := time.Parse("20060102T150405Z", date)
	headers := ";" + m[4] + ";"
	switch {
	case err != nil || m[1] != date[:8]:
		return &failure{"InvalidSignatureException", "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP"}
	case m[2] != s.region || m[3] != "dynamodb":
		return &failure{"InvalidSignatureException", "Credential should be scoped to " + s.region + " and dynamodb"}
	case !strings.Contains(headers, ";host;") || !strings.Contains(headers, ";x-amz-date;") || !strings.Contains(headers, ";x-amz-target;"):
		return &failure{"InvalidSignatureException", "host, x-amz-date and x-amz-target have to be signed"}
	case s.now().Sub(at).Abs() > 5*time.Minute:
		return &failure{"InvalidSignatureException", "Signature expired"}
	}
	return nil
}

// say logs one line, of which nothing comes from a request's body.
func (s *Server) say(operation string, status int, outcome string) {
	s.log.Info("request", "service", "dynamodb", "operation", operation, "status", status, "outcome", outcome)
}

// isJSON keeps web pages out: a form cannot send JSON, and a script of another origin would have to ask first, which nobody answers.
func isJSON(r *http.Request) bool {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && media == "application/json" && r.Header.Get("Origin") == ""
}
