// This file measures what people wait for: a sign-in, a renewal that nobody sees, a page of many files. The local system with the shipped binaries runs
// beside oauth2-proxy, which stands in front of the same stand-in for Cognito.

package main

import (
	"bufio"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"time"

	"edgeauth/local/cognito"
)

const (
	user     = "alice@example.com"
	password = cognito.DefaultPassword
)

// door is something that lets nobody pass who has not signed in.
type door struct {
	name    string
	page    string           // an address behind it
	standIn string           // where its identity provider is
	session func(b *browser) // takes from the browser what has a session's lifetime, or waits until that is over
	close   func()
}

// journey is what a walk took, the page itself not counted among the bytes: each door has another.
type journey struct {
	requests       int
	sent, received int64
	asked          int // requests of the door to the identity provider and AWS
}

func measureJourneys(tab *table, dir string) error {
	root, err := buildSystem(dir)
	if err != nil {
		return err
	}
	ours, err := startSystem(root, "../template.yaml")
	if err != nil {
		return err
	}
	defer ours.close()
	doors := []door{ours}
	if peer, err := startProxy(dir); err != nil {
		tab.note("oauth2-proxy: " + err.Error())
	} else {
		defer peer.close()
		doors = append(doors, peer)
	}
	var cold, warm, renewal []journey
	for _, d := range doors {
		first, err := d.signIn(newBrowser(), 0)
		if err != nil {
			return fmt.Errorf("%s: %w", d.name, err)
		}
		b := newBrowser()
		second, err := d.signIn(b, first.asked)
		if err != nil {
			return fmt.Errorf("%s: %w", d.name, err)
		}
		d.session(b)
		third, err := d.signIn(b, first.asked+second.asked)
		if err == nil && third.asked == 0 {
			err = errors.New("a session that was over was not renewed")
		}
		if err != nil {
			return fmt.Errorf("%s: %w", d.name, err)
		}
		cold, warm, renewal = append(cold, first), append(warm, second), append(renewal, third)
	}
	tab.journeys(doors, cold, warm, renewal)

	say("a page of many files")
	with, without, err := measurePage(root, dir)
	if err != nil {
		return err
	}
	tab.manyFiles(with, without)
	return nil
}

// signIn walks to the door's page. before is how many requests of the door were known.
func (d door) signIn(b *browser, before int) (journey, error) {
	if _, err := b.visit(d.page); err != nil {
		return journey{}, err
	}
	asked, err := d.asked()
	return journey{b.walk.requests, b.walk.before[0], b.walk.before[1], asked - before}, err
}

// asked is how many requests the stand-in has had that no browser sends.
func (d door) asked() (n int, err error) {
	response, err := http.Get(d.standIn + "/_standin/stats")
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	var counts map[string]int
	if err := json.NewDecoder(response.Body).Decode(&counts); err != nil {
		return 0, err
	}
	for _, point := range []string{"token", "jwks", "discovery", "aws", "userinfo", "revoke"} {
		n += counts[point]
	}
	return n, nil
}

// buildSystem builds the functions and the tool that runs them.
func buildSystem(dir string) (root string, err error) {
	root = filepath.Join(dir, "system")
	if _, err := do("..", "make", "-s", "build", "ARCH="+runtime.GOARCH, "OS="+runtime.GOOS, "BUILD="+root); err != nil {
		return "", err
	}
	_, err = do("..", "make", "-s", "tool", "TOOL="+filepath.Join(root, "edgeauth"))
	return root, err
}

var (
	readyLine   = regexp.MustCompile(`^ready (http://\S+)/$`)
	standInLine = regexp.MustCompile(`^Cognito is at (http://[0-9.:]+);`)
)

// startSystem runs the local system.
func startSystem(root, template string, flags ...string) (door, error) {
	cmd := exec.Command(filepath.Join(root, "edgeauth"), append([]string{"run", "-json", "-template", template, "-build", root, "-app-port", "0", "-cognito-port", "0"}, flags...)...)
	d := door{name: "edgeauth", session: func(b *browser) {
		b.forget(func(c *http.Cookie) bool { return strings.HasPrefix(c.Name, "__Host-id") })
	}}
	lines, err := outputOf(cmd, filepath.Join(root, "run.log"))
	if err != nil {
		return d, err
	}
	d.close = func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	}
	late := time.After(patience)
	for d.page == "" || d.standIn == "" {
		select {
		case line, ok := <-lines:
			if m := readyLine.FindStringSubmatch(line); m != nil {
				d.page = m[1] + "/reports"
			}
			if m := standInLine.FindStringSubmatch(line); m != nil {
				d.standIn = m[1]
			}
			if ok {
				continue
			}
		case <-late:
		}
		d.close()
		return d, fmt.Errorf("the local system does not get ready%s", tail(filepath.Join(root, "run.log")))
	}
	go func() {
		for range lines {
		}
	}()
	return d, nil
}

// outputOf starts a command and returns the lines that it writes, which also go to a file.
func outputOf(cmd *exec.Cmd, file string) (<-chan string, error) {
	log, err := os.Create(file)
	if err != nil {
		return nil, err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	cmd.Stdout, cmd.Stderr = w, w
	err = cmd.Start()
	w.Close()
	if err != nil {
		return nil, err
	}
	lines := make(chan string)
	go func() {
		defer close(lines)
		defer log.Close()
		for s := bufio.NewScanner(io.TeeReader(r, log)); s.Scan(); {
			lines <- s.Text()
		}
	}()
	return lines, nil
}

const proxyVersion = "oauth2-proxy 7.15.4"

// startProxy runs oauth2-proxy in front of a page, with a stand-in for Cognito of its own.
func startProxy(dir string) (door, error) {
	binary := filepath.Join(dir, "oauth2-proxy")
	if _, err := do("oauth2proxy", "go", "build", "-o", binary, "github.com/oauth2-proxy/oauth2-proxy/v7"); err != nil {
		return door{}, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return door{}, err
	}
	address := listener.Addr().String()
	listener.Close()
	_, port, _ := net.SplitHostPort(address)
	base := "http://localhost:" + port

	standIn := httptest.NewUnstartedServer(nil)
	domain := "http://" + standIn.Listener.Addr().String()
	const pool, id, secret = "eu-west-1_Local0001", "1example23456789abcdefghij", "1benchbenchbenchbenchbenchbenchbenchbenchbenchbench"
	handler, err := cognito.New(cognito.Config{
		Region: "eu-west-1", Pool: pool, Issuer: domain + "/" + pool, Domain: domain,
		Clients: []cognito.Client{{ID: id, Secret: secret, CallbackURLs: []string{base + "/oauth2/callback"}, LogoutURLs: []string{base + "/"}, Scopes: []string{"openid", "email", "profile"}}},
	})
	if err != nil {
		return door{}, err
	}
	standIn.Config.Handler = handler.Handler()
	standIn.Start()
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "<!doctype html><title>Reports</title>")
	}))

	cmd := exec.Command(binary, "--provider=oidc", "--oidc-issuer-url="+domain+"/"+pool, "--client-id="+id, "--client-secret="+secret, "--scope=openid email profile",
		"--redirect-url="+base+"/oauth2/callback", "--http-address="+address, "--upstream="+upstream.URL+"/", "--email-domain=*", "--insecure-oidc-allow-unverified-email",
		"--cookie-secret="+rand.Text()[:16]+rand.Text()[:16], "--cookie-secure=false", "--cookie-refresh=1s", "--skip-provider-button", "--code-challenge-method=S256")
	file, err := os.Create(filepath.Join(dir, "oauth2-proxy.log"))
	if err != nil {
		return door{}, err
	}
	defer file.Close()
	cmd.Stdout, cmd.Stderr = file, file
	if err := cmd.Start(); err != nil {
		return door{}, err
	}
	d := door{
		name: proxyVersion, page: base + "/reports", standIn: domain, session: func(*browser) { time.Sleep(2200 * time.Millisecond) },
		close: func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			standIn.Close()
			upstream.Close()
		},
	}
	for began := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		if response, err := http.Get(base + "/ping"); err == nil {
			response.Body.Close()
			return d, nil
		}
		if time.Since(began) > patience {
			d.close()
			return d, fmt.Errorf("does not get ready%s", tail(file.Name()))
		}
	}
}

// A page of many files: how many, how far away the browser is, how many connections it has to a host, how long the backend takes, and how large a file is.
const (
	files       = 25
	away        = 30 * time.Millisecond
	connections = 6
	backendTime = 10 * time.Millisecond
	fileBytes   = 20_000
	loads       = 30
)

// measurePage loads a page and its files, behind the authorizer and with the same routes open, in turn.
func measurePage(root, dir string) (with, without []float64, err error) {
	answer, err := json.Marshal(map[string]any{"statusCode": 200, "headers": map[string]string{"Content-Type": "text/css"}, "body": strings.Repeat("a{color:red}\n", fileBytes/13)})
	if err != nil {
		return nil, nil, err
	}
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(backendTime)
		w.Write(answer)
	}))
	defer backend.Close()
	open, err := openTemplate(dir)
	if err != nil {
		return nil, nil, err
	}
	b := newBrowser()
	var systems []door
	for _, template := range []string{"../template.yaml", open} {
		d, err := startSystem(root, template, "-at", "ApiFunction="+backend.URL)
		if err != nil {
			return nil, nil, err
		}
		defer d.close()
		systems = append(systems, d)
	}
	if _, err := b.visit(systems[0].page); err != nil {
		return nil, nil, err
	}
	took := [2][]float64{}
	for i := range loads + 1 {
		for k, d := range systems {
			ms, err := b.load(strings.TrimSuffix(d.page, "/reports") + "/api")
			if err != nil {
				return nil, nil, err
			}
			if i > 0 { // the first opens the connections
				took[k] = append(took[k], ms)
			}
		}
	}
	return took[0], took[1], nil
}

// openTemplate is the demo's template without an authorizer, with the part beside it.
func openTemplate(dir string) (string, error) {
	const line = "        DefaultAuthorizer: SessionAuthorizer\n"
	folder := filepath.Join(dir, "open")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", err
	}
	for _, name := range []string{"template.yaml", "edgeauth.yaml"} {
		text, err := os.ReadFile(filepath.Join("..", name))
		if err != nil {
			return "", err
		}
		if name == "template.yaml" && strings.Count(string(text), line) != 1 {
			return "", fmt.Errorf("template.yaml does not say %q once", line)
		}
		if err := os.WriteFile(filepath.Join(folder, name), []byte(strings.Replace(string(text), line, "", 1)), 0o644); err != nil {
			return "", err
		}
	}
	return filepath.Join(folder, "template.yaml"), nil
}

// load asks for a page and then for its files, and returns the milliseconds until all are there.
func (b *browser) load(base string) (float64, error) {
	began := time.Now()
	if err := b.get(base + "/page"); err != nil {
		return 0, err
	}
	names := make(chan int)
	failures := make(chan error, connections)
	var wait sync.WaitGroup
	for range connections {
		wait.Go(func() {
			var failed error
			for n := range names {
				if err := b.get(fmt.Sprintf("%s/file/%d", base, n)); err != nil {
					failed = err
				}
			}
			failures <- failed
		})
	}
	for n := range files {
		names <- n
	}
	close(names)
	wait.Wait()
	for range connections {
		if err := <-failures; err != nil {
			return 0, err
		}
	}
	return milliseconds(time.Since(began)), nil
}

// get is one request of a page, from as far away as the browser is.
func (b *browser) get(address string) error {
	time.Sleep(away)
	r, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	r.Header.Set("Cookie", b.cookiesFor(r.URL))
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	response, err := b.client.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	n, err := io.Copy(io.Discard, response.Body)
	if err == nil && (response.StatusCode != http.StatusOK || n < fileBytes/2) {
		err = fmt.Errorf("%s: %d, %d bytes", address, response.StatusCode, n)
	}
	return err
}

func (t *table) journeys(doors []door, cold, warm, renewal []journey) {
	t.section("Sign-in: from the first navigation to the page, the login form filled in at once")
	for i, d := range doors {
		for _, walk := range []struct {
			when string
			journey
		}{{"the first after the start", cold[i]}, {"warm", warm[i]}} {
			t.show(fmt.Sprintf("%s, %s: bytes to and from the browser, before the page", d.name, walk.when), unit(fmt.Sprintf("%%.0f; %d", walk.received)), float64(walk.sent), "")
			t.show(fmt.Sprintf("%s, %s: requests to the identity provider and AWS", d.name, walk.when), count, float64(walk.asked), "")
		}
		if i > 0 {
			t.show(d.name+": round trips of the browser, one after the other", count, float64(warm[i].requests), "")
		}
	}
	if len(doors) > 1 {
		t.hold("edgeauth: round trips of the browser, one after the other", count, float64(warm[0].requests), float64(warm[1].requests), "")
	}
	t.section("A session that is over, renewed within a navigation")
	for i, d := range doors {
		if i > 0 {
			t.show(d.name+": round trips more than with a session", count, float64(renewal[i].requests-1), "")
			continue
		}
		t.hold(d.name+": round trips more than with a session", count, float64(renewal[i].requests-1), 2, "")
	}
}

func (t *table) manyFiles(with, without []float64) {
	t.section(fmt.Sprintf("A page with %d files, %d ms away over %d connections, a backend of %d ms", files, away.Milliseconds(), connections, backendTime.Milliseconds()))
	t.show("routes open", millis, median(without), quartiles(millis, without))
	t.show("behind the authorizer", millis, median(with), quartiles(millis, with))
	ratios := over(with, without)
	t.hold("behind the authorizer / open", precise, median(ratios), 1.05, quartiles(precise, ratios))
}
