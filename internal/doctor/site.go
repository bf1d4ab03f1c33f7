package doctor

// This file decides what is asked of the application and of the addresses of keys: what any stranger may ask.

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Question is what to examine, and how.
type Question struct {
	Stack    string
	URL      string // where the application is; as the stack has it when ""
	User     string // whose account is looked at too; nobody's when ""
	AWS      aws.Config
	HTTP     *http.Client     // must not follow redirects
	Resolver *net.Resolver    // looks the application's name up
	Now      func() time.Time // the clock of this machine
}

// largest is how much of an answer is read, in bytes.
const largest = 1 << 20

// get asks for a page.
func (g *gatherer) get(ctx context.Context, url string, headers ...string) (*http.Response, string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, "", err
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w, err := g.question.HTTP.Do(r)
	if err != nil {
		return nil, "", err
	}
	defer w.Body.Close()
	text, err := io.ReadAll(io.LimitReader(w.Body, largest))
	return w, string(text), err
}

// askKeys fetches the key set of the pool and of each trusted pool, as the authorizer does.
func (g *gatherer) askKeys(ctx context.Context) {
	if g.settings == nil {
		g.without("the authorizer's settings are not known", fetchKeys)
		return
	}
	addresses := []string{g.settings.JWKSURL}
	for _, t := range g.settings.Trust {
		addresses = append(addresses, t.JWKSURL)
	}
	for _, address := range addresses {
		g.keySets[address] = g.keys(ctx, address)
	}
}

func (g *gatherer) keys(ctx context.Context, address string) (k keySet) {
	w, text, err := g.get(ctx, address, "Accept", "application/json")
	switch {
	case err != nil:
		k.problem = reasonOf(err)
		return k
	case w.StatusCode != http.StatusOK:
		k.problem = "answers " + w.Status
		return k
	}
	k.kids = kids([]byte(text))
	if len(k.kids) == 0 {
		k.problem = "is no key set"
	}
	return k
}

// kids are the ids of a key set's keys. RFC 7517 section 5.
func kids(text []byte) (ids []string) {
	var set struct {
		Keys []struct {
			Kid string `json:"kid"`
		} `json:"keys"`
	}
	if json.Unmarshal(text, &set) != nil {
		return nil
	}
	for _, key := range set.Keys {
		ids = append(ids, key.Kid)
	}
	return ids
}

// reasonOf says why there was no answer, without the request.
func reasonOf(err error) string {
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return "its name is not found from here: " + dns.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "does not answer in time from here"
	}
	for errors.Unwrap(err) != nil {
		err = errors.Unwrap(err)
	}
	return "does not answer from here: " + err.Error()
}

// resolve asks whether the application's name leads anywhere.
func (g *gatherer) resolve(ctx context.Context, host string) {
	_, err := g.question.Resolver.LookupHost(ctx, host)
	var dns *net.DNSError
	switch {
	case err == nil:
	case errors.As(err, &dns) && dns.IsNotFound:
		g.lookup = "no such name"
	default:
		g.gaps[lookUp] = reasonOf(err)
	}
}

// visit asks the application what a stranger gets: as a program, as a browser, and on the way to the login.
func (g *gatherer) visit(ctx context.Context) {
	base := strings.TrimRight(g.question.URL, "/")
	if base == "" {
		base = g.base()
	}
	ask := func(path string, headers ...string) answer {
		before := g.question.Now()
		w, text, err := g.get(ctx, base+path, headers...)
		if err != nil {
			g.site.problem = base + " " + reasonOf(err)
			return answer{}
		}
		if date, err := http.ParseTime(w.Header.Get("Date")); err == nil {
			g.site.ahead, g.site.around = before.Sub(date), g.question.Now().Sub(before)
		}
		return answer{w.StatusCode, w.Header.Get("Location"), text}
	}
	g.site.program = ask("/", "Accept", "application/json")
	if g.site.problem == "" {
		g.site.browser = ask("/", "Accept", "text/html", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document", "Sec-Fetch-Site", "none")
	}
	if g.site.problem == "" {
		g.site.login = ask("/auth/login", "Accept", "text/html", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document", "Sec-Fetch-Site", "none")
	}
	if g.site.problem != "" {
		g.without("it does not answer", visit)
	}
}
