package gateway

// This file keeps header names as the client wrote them. API Gateway hands them to functions unchanged, so that "cookie" and "Cookie" are two names, while
// net/http makes both Cookie. A listener that remembers the head of each request gives the spelling back. Where it cannot (a client that sends the next
// request before it has the answer to the last, folded lines) the names are net/http's.

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"net/textproto"
	"slices"
	"strings"
	"sync"
)

// field is one header line.
type field struct{ name, value string }

// headLimit is how much of a request's head is remembered; net/http refuses longer ones.
const headLimit = 1 << 17

// listener wraps what it accepts in recorders.
type listener struct{ net.Listener }

func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &recorder{Conn: c}, nil
}

// recorder remembers the head of the request that is being read.
type recorder struct {
	net.Conn
	mu   sync.Mutex // reads go on in the background while a request is served
	head []byte
}

func (r *recorder) Read(p []byte) (int, error) {
	n, err := r.Conn.Read(p)
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.head) < headLimit && !bytes.Contains(r.head, endOfHead) {
		r.head = append(r.head, p[:n]...)
	}
	return n, err
}

var endOfHead = []byte("\r\n\r\n")

// take returns the head, and makes ready for the next. It has to be called before the answer is written: a client sends the next request after that.
func (r *recorder) take() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	head, _, whole := bytes.Cut(r.head, endOfHead)
	r.head = nil
	if !whole {
		return nil
	}
	return head
}

type recorderKey struct{}

func rememberConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, recorderKey{}, c)
}

// headerFields returns the header lines of a request in the client's spelling and order, the Host among them. Its body has to be read already.
func headerFields(r *http.Request) []field {
	if c, ok := r.Context().Value(recorderKey{}).(*recorder); ok {
		if fields, ok := parseHead(string(c.take()), r); ok {
			return fields
		}
	}
	fields := []field{{"Host", r.Host}}
	for name, values := range r.Header {
		for _, value := range values {
			fields = append(fields, field{name, value})
		}
	}
	slices.SortStableFunc(fields, func(a, b field) int { return strings.Compare(a.name, b.name) })
	return fields
}

// parseHead reads a head, and makes sure that it is the one net/http has read.
func parseHead(head string, r *http.Request) ([]field, bool) {
	lines := strings.Split(strings.TrimLeft(head, "\r\n"), "\r\n")
	if lines[0] != r.Method+" "+r.RequestURI+" "+r.Proto {
		return nil, false
	}
	var fields []field
	same := http.Header{}
	for _, line := range lines[1:] {
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			return nil, false
		}
		fields = append(fields, field{name, textproto.TrimString(value)})
		same.Add(name, textproto.TrimString(value))
	}
	for name, values := range r.Header {
		if !slices.Equal(values, same[name]) {
			return nil, false
		}
	}
	return fields, true
}
