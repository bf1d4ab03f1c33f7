package e2e

import (
	"fmt"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// startTLS runs the local system over TLS and returns what a browser needs to accept its certificate.
func startTLS(t testing.TB, flags ...string) (*system, string) {
	t.Helper()
	appPort, cognitoPort := freePort(t), freePort(t)
	s := launch(t, append([]string{"-template", template(), "-tls", "-app-port", appPort, "-cognito-port", cognitoPort}, flags...)...)
	s.awaitAt(t, "https://localhost:"+appPort+"/Prod", "http://127.0.0.1:"+cognitoPort, 2*readyWithin)
	pin := regexp.MustCompile(`hash of its key is (\S+)`)
	if !s.output.wait(pin, s.exited, time.Second) {
		t.Fatal(s.output)
	}
	return s, pin.FindStringSubmatch(s.output.String())[1]
}

func binding(pin string) []chromedp.ExecAllocatorOption {
	return []chromedp.ExecAllocatorOption{
		chromedp.Flag("enable-features", "DeviceBoundSessions:RefreshQuota/false,EnableBoundSessionCredentialsSoftwareKeysForManualTesting"),
		chromedp.Flag("ignore-certificate-errors-spki-list", pin),
		chromedp.Flag("log-net-log", os.Getenv("NETLOG")),
		chromedp.Flag("net-log-capture-mode", "IncludeSensitive"),
	}
}

func TestDeviceX(t *testing.T) {
	s, pin := startTLS(t)
	b := openBrowser(t, binding(pin)...)
	s.standIn(t, "settings", `{"id_validity":"10s"}`)
	b.open(s.app + "/x?a=1#frag")
	b.submitLogin(alice)
	fmt.Println(b.waitAddress("page", func(u *url.URL) bool { return strings.HasPrefix(u.String(), s.app+"/x") }))
	b.requireSignedIn(alice)
	time.Sleep(2 * time.Second)
	b.expire(s)
	at := b.open(s.app + "/reports/1")
	fmt.Println(at)
	b.requireSignedIn(alice)
	// a link from another site
	b.open(s.cognito + "/_standin/")
	b.expire(s)
	run(b, chromedp.Evaluate[any](fmt.Sprintf("location.href=%q", s.app+"/reports/2")))
	b.waitAddress("page2", func(u *url.URL) bool { return strings.HasPrefix(u.String(), s.app+"/reports/2") })
	b.requireSignedIn(alice)
	fmt.Println("OUTAGE")
	s.standIn(t, "fault", `{"at":"token","kind":"status","status":503,"times":-1}`)
	for range 6 {
		b.expire(s)
		fmt.Println(b.open(s.app + "/reports/1"))
		fmt.Println(b.text("body"))
	}
	s.standIn(t, "clear", `{}`)
	fmt.Println(b.open(s.app + "/reports/1"))
	fmt.Println(b.text("body"))
	fmt.Println(s.output.String())
}
