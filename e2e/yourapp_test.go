// Somebody's own application, which takes in the part by the lines that the README gives: three languages, and users in a pool that was there before.
package e2e

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// startYourApp runs the example by its own script, on free ports, until the test ends.
func startYourApp(t testing.TB, flags ...string) *system {
	t.Helper()
	for _, interpreter := range []string{"python3", "node"} {
		if _, err := exec.LookPath(interpreter); err != nil {
			t.Skipf("SKIPPED: there is no %s", interpreter)
		}
	}
	appPort, cognitoPort := freePort(t), freePort(t)
	cmd := exec.Command(filepath.Join(repository, "examples", "your-app", "run"), append([]string{"-app-port", appPort, "-cognito-port", cognitoPort}, flags...)...)
	s := begin(t, cmd)
	s.await(t, appPort, cognitoPort, 2*time.Minute) // it builds first
	return s
}

// One command starts it; three languages see the same person; what stands for nothing here is listed, once; and nobody comes in unasked.
func TestYourApplication(t *testing.T) {
	s := startYourApp(t)
	for _, aside := range []string{
		"Set aside: MailFunction: event Mails, SQS",
		"Set aside: Mails, AWS::SQS::Queue",
		"Set aside: OrdersTable, AWS::DynamoDB::Table",
		"Set aside: OrdersFunction: variable QUEUE_URL: nothing here answers for https://sqs.eu-west-1.amazonaws.com",
	} {
		if strings.Count(s.output.String(), aside+"\n") != 1 {
			t.Errorf("not said once: %s\n%s", aside, s.output)
		}
	}
	for _, path := range []string{"/orders", "/stock", "/reviews/latest"} {
		if e := plain(t, "GET", s.app+path, ""); e.status != 401 {
			t.Errorf("%s without a session: %d", path, e.status)
		}
	}

	b := openBrowser(t)
	if at := b.open(s.app + "/?deep=link"); at.Host != strings.TrimPrefix(s.cognito, "http://") {
		t.Fatalf("the front page leads to %v, not to the login page", at)
	}
	if at := b.submitLogin(alice); at.String() != s.app+"/?deep=link" {
		t.Fatalf("after the sign-in at %v", at)
	}
	b.waitFor("three answers", `document.querySelectorAll("dd[data-who]").length === 3`)
	said := b.text("#answers")
	for _, language := range []string{"go: ", "python: ", "javascript: "} {
		if !strings.Contains(said, language+alice+", admins") {
			t.Errorf("%q lacks what %s says", said, language)
		}
	}
	b.waitFor("one and the same person", `new Set([...document.querySelectorAll("dd")].map(d => d.dataset.who)).size === 1`)
	b.shots("your-app")

	for _, path := range []string{"orders", "stock", "reviews/1"} {
		if e := plain(t, "POST", s.app+"/"+path, "", "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"); e.status < 300 || e.status == 404 {
			t.Errorf("a forged POST to /%s: %d", path, e.status)
		}
	}
	b.clickThrough("form button")
	if at := b.open(s.app + "/stock"); at.Host != strings.TrimPrefix(s.cognito, "http://") {
		t.Errorf("after the sign-out /stock leads to %v", at)
	}
}
