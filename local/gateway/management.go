package gateway

// This file is the management API of connections, by which functions send messages: requests that are signed with the functions' own credentials. It is
// answered on every host, so that a program which cannot resolve names under localhost reaches it too.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-how-to-call-websocket-api-connections.html

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/coder/websocket"
)

// Credentials are those that functions get. They have no rights but the one to manage connections.
type Credentials struct{ ID, Secret string }

const connections = "/@connections/"

// isManagement reports whether a path names a connection.
func isManagement(escaped string) bool {
	path, err := url.PathUnescape(escaped)
	return err == nil && strings.Contains(path, connections)
}

// manages reports whether a request is one of the management API: it says that it is signed.
func manages(r *http.Request) bool {
	return isManagement(r.URL.EscapedPath()) && strings.HasPrefix(r.Header.Get("Authorization"), algorithm)
}

// manage sends to a connection, tells about it, or closes it.
func (g *Gateway) manage(w http.ResponseWriter, r *http.Request, body []byte) {
	if err := g.credentials.verify(r, body, g.now()); err != nil {
		g.logf("@connections: %v", err)
		refuse(w, &failure{"", http.StatusForbidden, "The request signature we calculated does not match the signature you provided.", "message", "InvalidSignatureException"})
		return
	}
	path, _ := url.PathUnescape(r.URL.EscapedPath())
	s := g.sockets.find(path[strings.LastIndex(path, connections)+len(connections):])
	if s == nil {
		refuse(w, &failure{"", http.StatusGone, "", "message", "GoneException"})
		return
	}
	switch r.Method {
	case http.MethodPost:
		if len(body) > messageLimit {
			refuse(w, &failure{"", http.StatusRequestEntityTooLarge, "Message too long", "message", "PayloadTooLargeException"})
			return
		}
		if err := s.conn.Write(r.Context(), websocket.MessageText, body); err != nil {
			refuse(w, &failure{"", http.StatusGone, "", "message", "GoneException"})
			return
		}
		s.active()
		w.WriteHeader(http.StatusOK)
	case http.MethodGet:
		w.Header().Set("Content-Type", defaultMediaType)
		write(w, http.StatusOK, string(s.describe()))
	case http.MethodDelete:
		// The connection ends while its client may still be silent: nobody waits for it.
		go func() { _ = s.conn.Close(websocket.StatusNormalClosure, "Connection Closed Normally") }()
		w.WriteHeader(http.StatusNoContent)
	default:
		refuse(w, missingToken())
	}
}

// describe is what GetConnection answers.
func (s *socket) describe() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	const form = "2006-01-02T15:04:05.000Z"
	text, _ := json.Marshal(map[string]any{
		"connectedAt": s.connectedAt.UTC().Format(form), "lastActiveAt": s.lastActive.UTC().Format(form),
		"identity": map[string]string{"sourceIp": s.sourceIP, "userAgent": s.userAgent},
	})
	return text
}

const (
	algorithm = "AWS4-HMAC-SHA256"
	clockSkew = 5 * time.Minute
)

// verify checks a signature of version 4, over the whole body.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
func (c Credentials) verify(r *http.Request, body []byte, now time.Time) error {
	fields := map[string]string{}
	for part := range strings.SplitSeq(strings.TrimPrefix(r.Header.Get("Authorization"), algorithm), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		fields[name] = value
	}
	scope := strings.Split(fields["Credential"], "/")
	date := r.Header.Get("X-Amz-Date")
	at, err := time.Parse("20060102T150405Z", date)
	signed := strings.Split(fields["SignedHeaders"], ";")
	switch {
	case c.ID == "" || c.Secret == "":
		return errors.New("nobody has credentials")
	case len(scope) != 5 || scope[0] != c.ID || scope[3] != "execute-api" || scope[4] != "aws4_request":
		return errors.New("signed with credentials that are none of a function here, or for another service")
	case err != nil || !strings.HasPrefix(date, scope[1]) || at.Sub(now).Abs() > clockSkew:
		return errors.New("signed at another time")
	case !slices.Contains(signed, "host") || !slices.Contains(signed, "x-amz-date"):
		return errors.New("host and date are not signed")
	}
	want := c.signature(r, body, scope[1:], fields["SignedHeaders"])
	if got, err := hex.DecodeString(fields["Signature"]); err != nil || !hmac.Equal(got, want) {
		return errors.New("the signature does not match")
	}
	return nil
}

// signature is what a request is signed with, for a scope (date, region, service) and a list of headers.
func (c Credentials) signature(r *http.Request, body []byte, scope []string, signed string) []byte {
	sum := sha256.Sum256(body)
	canonical := []string{r.Method, escapePath(r.URL.EscapedPath()), canonicalQuery(r.URL.Query())}
	for name := range strings.SplitSeq(signed, ";") {
		values := r.Header.Values(name)
		switch name {
		case "host":
			values = []string{r.Host}
		case "content-length":
			values = []string{fmt.Sprint(len(body))}
		}
		canonical = append(canonical, name+":"+strings.Join(strings.Fields(strings.Join(values, ",")), " "))
	}
	canonical = append(canonical, "", signed, hex.EncodeToString(sum[:]))
	hashed := sha256.Sum256([]byte(strings.Join(canonical, "\n")))
	key := []byte("AWS4" + c.Secret)
	for _, part := range scope {
		key = sign(key, part)
	}
	return sign(key, strings.Join([]string{algorithm, r.Header.Get("X-Amz-Date"), strings.Join(scope, "/"), hex.EncodeToString(hashed[:])}, "\n"))
}

func sign(key []byte, text string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(text))
	return m.Sum(nil)
}

// escapePath escapes a path that is escaped already, as this service's signatures want it.
func escapePath(escaped string) string {
	var out strings.Builder
	for _, c := range []byte(escaped) {
		if c == '/' || strings.IndexByte("-_.~", c) >= 0 || 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' {
			out.WriteByte(c)
			continue
		}
		fmt.Fprintf(&out, "%%%02X", c)
	}
	return out.String()
}

func canonicalQuery(query url.Values) string { return strings.ReplaceAll(query.Encode(), "+", "%20") }
