package login_test

import (
	"encoding/json"
	"strings"
	"testing"

	"edgeauth/internal/login"
)

// A sign-in is counted once, when it ends, with what became of it; nothing else is a sign-in.
func TestSignInsAreCounted(t *testing.T) {
	w := newSystem(t)
	counted := func(want string) {
		t.Helper()
		record := w.last()
		if record["sign_ins"] == nil && record["_aws"] == nil && want == "" {
			return
		}
		aws, err := json.Marshal(record["_aws"])
		if err != nil {
			t.Fatal(err)
		}
		const dimensions = `"CloudWatchMetrics":[{"Dimensions":[["function","outcome","reason"]],"Metrics":[{"Name":"sign_ins","Unit":"Count"}],"Namespace":"edgeauth"}]`
		if record["sign_ins"] != 1.0 || record["function"] != "app-callback" || record["reason"] != want || !strings.Contains(string(aws), dimensions) {
			t.Errorf("the line is %v, want a sign-in that ended with %s", record, want)
		}
	}
	b := w.browser()
	callback := w.idp.authorize(t, b.begin(base+"/reports"), "alice")
	counted("")
	b.open(callback)
	counted("ok")
	b.open(callback) // Back, and forward again
	counted("")
	b.call("POST", base+"/auth/refresh")
	counted("")
	b.open(base + "/auth/session")
	counted("")
	w.browser().open(base + "/auth/callback?code=a&state=b")
	counted("login_state_missing")
	w.browser().open(base + "/auth/callback?error=access_denied")
	counted("login_refused")
	w.settings = errKeys
	w.browser().open(base + "/auth/login")
	counted("")
	w.settings = nil

	unnamed := newSystem(t, func(c *login.Config) { c.Function = "" })
	unnamed.browser().open(base + "/auth/callback?error=access_denied")
	aws, err := json.Marshal(unnamed.last()["_aws"])
	if _, named := unnamed.last()["function"]; named || err != nil || !strings.Contains(string(aws), `"Dimensions":[["outcome","reason"]]`) {
		t.Errorf("without a name: %v", unnamed.last())
	}
}
