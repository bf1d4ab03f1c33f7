// A neighbour: another host under the same registrable domain, somebody else's, which can put cookies of its own beside the application's.
package e2e

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
)

// neighbourhood is the running system under names of its own, over TLS, and a neighbour beside it.
type neighbourhood struct {
	system  // as the browser knows it
	browser []chromedp.ExecAllocatorOption

	mu   sync.Mutex // guards what follows
	toss []string   // what the neighbour's page sets
	next string     // where it sends the browser
}

const (
	appName, loginName, evilName = "app.example.com", "login.example.net", "evil.example.com"
	registrable                  = "example.com"
)

// moveIn gives s the names app.example.com and login.example.net, and starts evil.example.com.
func moveIn(t *testing.T, s *system) *neighbourhood {
	n := &neighbourhood{system: *s}
	n.app, n.cognito = "https://"+appName+"/Prod", "https://"+loginName
	inside, outside := strings.TrimSuffix(s.app, "/Prod"), "https://"+appName
	names := strings.NewReplacer(inside, outside, s.cognito, n.cognito)
	back := strings.NewReplacer(outside, inside, n.cognito, s.cognito)
	mux := http.NewServeMux()
	mux.Handle(appName+"/", renamed(must(url.Parse(inside)), names, back))
	mux.Handle(loginName+"/", renamed(must(url.Parse(s.cognito)), names, back))
	mux.HandleFunc(evilName+"/", func(w http.ResponseWriter, _ *http.Request) {
		n.mu.Lock()
		defer n.mu.Unlock()
		for _, line := range n.toss {
			w.Header().Add("Set-Cookie", line)
		}
		w.Header().Set("Location", n.next)
		w.WriteHeader(http.StatusFound)
	})
	server := httptest.NewTLSServer(mux)
	t.Cleanup(server.Close)
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	n.browser = []chromedp.ExecAllocatorOption{
		chromedp.Flag("host-resolver-rules", "MAP * 127.0.0.1:"+port), chromedp.Flag("ignore-certificate-errors", true),
	}
	return n
}

// renamed passes requests on to a server that goes by another name inside.
func renamed(to *url.URL, names, back *strings.Replacer) http.Handler {
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			r.Out.Header.Del("Accept-Encoding")
			for _, name := range []string{"Origin", "Referer"} {
				if value := r.Out.Header.Get(name); value != "" {
					r.Out.Header.Set(name, back.Replace(value))
				}
			}
		},
		ModifyResponse: func(r *http.Response) error {
			for _, name := range []string{"Location", "Content-Security-Policy"} {
				if value := r.Header.Get(name); value != "" {
					r.Header.Set(name, names.Replace(value))
				}
			}
			body, err := io.ReadAll(r.Body)
			if err != nil {
				return err
			}
			text := []byte(names.Replace(string(body)))
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(text)), int64(len(text))
			r.Header.Set("Content-Length", fmt.Sprint(len(text)))
			return nil
		},
	}
}

// visitEvil lets a tab open the neighbour's page, which tosses another browser's cookies for the whole domain and sends the tab on.
func (n *neighbourhood) visitEvil(b *tab, from *browser, next string) {
	n.mu.Lock()
	n.toss, n.next = nil, next
	for _, c := range from.cookies("localhost", "__") {
		n.toss = append(n.toss, fmt.Sprintf("%s=%s; Domain=%s; Path=%s; Secure; HttpOnly; SameSite=Lax", c.name, c.value, registrable, c.path))
	}
	n.mu.Unlock()
	b.open("https://" + evilName + "/")
}

func TestChromeNeighbour(t *testing.T) {
	s := start(t)
	n := moveIn(t, s)
	b := openBrowser(t, n.browser...)
	outside := func(u *url.URL) string { return n.app + strings.TrimPrefix(u.Path, "/Prod") + "?" + u.RawQuery }

	// Nobody is signed in, and the neighbour's own sign-in waits for its callback.
	mallory := newBrowser(t)
	callback := atCallback(t, s, mallory, bob)
	n.visitEvil(b, mallory, outside(callback))
	if text := b.body(); !strings.Contains(text, "login_state_missing") {
		t.Errorf("a neighbour's callback ends at %s: %s", b.where(), text)
	}
	b.open(n.app + "/")
	b.requireLogin(&n.system)

	// Nobody is signed in, and the neighbour has a session to renew.
	mallory.callBack(s, callback)
	n.visitEvil(b, mallory, n.app+"/")
	b.requireLogin(&n.system)
	if !strings.Contains(fmt.Sprint(b.seen(&b.blocked)), "__Host-") {
		t.Errorf("the browser took a neighbour's __Host- cookie: blocked are %v", b.seen(&b.blocked))
	}

	// Somebody signs in beside all that, and stays who she is.
	b.submitLogin(alice)
	b.requireSignedIn(alice)
	other := newBrowser(t)
	n.visitEvil(b, other, outside(atCallback(t, s, other, bob)))
	b.open(n.app + "/")
	b.requireSignedIn(alice)
	n.visitEvil(b, mallory, n.app+"/")
	b.expire(&n.system)
	b.open(n.app + "/reports/2026")
	b.requireSignedIn(alice)
	b.shot("beside-a-neighbour")
}
