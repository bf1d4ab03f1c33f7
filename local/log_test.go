package local

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// A person gets a line for each request and for what went wrong, and whatever functions say; metrics only where they tell of a failure.
func TestReadable(t *testing.T) {
	for _, c := range []struct{ name, function, line, want string }{
		{"a refused page", "", `{"level":"INFO","msg":"request","method":"GET","path":"/Prod/reports","status":302,"reason":"no_session","location":"/Prod/auth/login","ms":4}`, "GET /Prod/reports 302 no_session → /Prod/auth/login 4 ms"},
		{"a page", "", `{"level":"INFO","msg":"request","method":"GET","path":"/Prod/","status":200,"ms":0}`, "GET /Prod/ 200 0 ms"},
		{"what the gateway says", "", `{"level":"WARN","gateway":"function F: malformed Lambda proxy response"}`, "WARN function F: malformed Lambda proxy response"},
		{"a crash", "", `{"function":"edgeauth-F","level":"ERROR","message":"Runtime exited","request_id":"","type":"Runtime.ExitError"}`, "edgeauth-F ERROR Runtime exited type=Runtime.ExitError"},
		{"metrics", "AuthorizerFunction", `{"_aws":{"Timestamp":1},"msg":"decision","outcome":"anonymous","reason":"no_session"}`, ""},
		{"metrics of a failure", "AuthorizerFunction", `{"_aws":{"Timestamp":1},"msg":"decision","outcome":"cannot_tell","reason":"keys_unavailable"}`, "AuthorizerFunction decision outcome=cannot_tell reason=keys_unavailable"},
		{"a visit", "CallbackFunction", `{"time":"x","level":"INFO","msg":"login","route":"login","status":302,"reason":"ok"}`, "CallbackFunction INFO login reason=ok route=login status=302"},
		{"a visit that is counted", "CallbackFunction", `{"_aws":{"Timestamp":1},"level":"INFO","msg":"login","route":"callback","sign_ins":1}`, "CallbackFunction INFO login route=callback sign_ins=1"},
		{"a function's warning", "CallbackFunction", `{"time":"x","level":"WARN","msg":"slow","after":3}`, "CallbackFunction WARN slow after=3"},
		{"a function's own JSON", "Pages", `{"level":"INFO","message":"hello"}`, `Pages {"level":"INFO","message":"hello"}`},
		{"a function that looks like the gateway", "Pages", `{"msg":"request","method":"GET","path":"/","status":200,"ms":1}`, `Pages {"msg":"request","method":"GET","path":"/","status":200,"ms":1}`},
		{"text", "Pages", "hello  there\r", "Pages hello  there"},
		{"not quite JSON", "Pages", "{hello", "Pages {hello"},
		{"what a terminal would obey", "Pages", "a\x1b[2Jb\tc", "Pages a·[2Jb\tc"},
		{"a path that a terminal would obey", "", `{"msg":"request","method":"GET","path":"/\u001b]0;x","status":403,"ms":1}`, "GET /·]0;x 403 1 ms"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := readable(c.function, []byte(c.line+"\n")); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// The file gets everything as it is; so does the screen, if asked.
func TestJournal(t *testing.T) {
	const metrics, text = `{"_aws":{},"outcome":"allowed"}` + "\n", "hello\n"
	for raw, want := range map[bool]string{false: "12:03:01 F hello\n", true: metrics + text} {
		var out, file bytes.Buffer
		j := &journal{out: &out, file: &file, raw: raw, now: func() time.Time { return time.Date(2026, 11, 24, 12, 3, 1, 0, time.UTC) }}
		for _, line := range []string{metrics, text} {
			if n, err := j.of("F").Write([]byte(line)); n != len(line) || err != nil {
				t.Fatal(n, err)
			}
		}
		if out.String() != want || file.String() != metrics+text {
			t.Errorf("raw %v: %q and %q", raw, &out, &file)
		}
	}
}

// The line that everybody sees first, by the whole system.
func TestRequestLine(t *testing.T) {
	s := launch(t, flags(t)...)
	fetch(t, s.url+"page?code=secret")
	if log := s.stderr.String(); !strings.Contains(log, " GET /Prod/page 200 ") || strings.Contains(log, "secret") {
		t.Errorf("the log is\n%s", log)
	}
}
