package main

import (
	"encoding/base64"
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// What happened and what will, in its order, at its place; nothing that is not known.
func TestTimeline(t *testing.T) {
	const rules = "* /* signed-in\n* /pay/* group:treasury max-age:10m # max-age:3m\n* /x max-age:1m\n* /y max-age:10m\n* /z max-age:90m max-age:bad"
	for _, c := range []struct {
		name           string
		authTime, exp  int // seconds from now
		iat            any // seconds from now
		rules          string
		events, places string
	}{
		{
			"signed in just now", -180, 3420, -180, "",
			"Signed in 15:01|Token issued 15:01|Now 15:04|Token ends ahead 16:01", "0 0 50 1000",
		},
		{
			"rules", -180, 3420, -120, rules,
			"Signed in 15:01|Step-up since 15:02|Token issued 15:02|Now 15:04|Step-up from here ahead 15:11|Token ends ahead 16:01", "0 16 16 50 166 1000",
		},
		{"renewed", -7200, 3000, -600, "", "Signed in 13:04|Renewed 14:54|Now 15:04|Token ends ahead 15:54", "0 647 705 1000"},
		{"over", -7200, -600, -4200, "", "Signed in 13:04|Renewed 13:54|Token ended 14:54|Now 15:04", "0 416 916 1000"},
		{"ends now", -3600, 0, nil, "", "Signed in 14:04|Now 15:04|Token ended 15:04", "0 1000 1000"},
		{"issued unknown", -180, 3420, nil, "", "Signed in 15:01|Now 15:04|Token ends ahead 16:01", "0 50 1000"},
		{"issued is a text", -180, 3420, `"x"`, "", "Signed in 15:01|Now 15:04|Token ends ahead 16:01", "0 50 1000"},
		{"nobody signed in", 0, 3420, -180, rules, "Token issued 15:01|Now 15:04|Token ends ahead 16:01", "0 50 1000"},
		{"nothing but its end", 0, 3600, nil, rules, "Now 15:04|Token ends ahead 16:04", "0 1000"},
		{"a clock that is behind", 60, 3660, 60, "", "Now 15:04|Signed in ahead 15:05|Token issued ahead 15:05|Token ends ahead 16:05", "0 16 16 1000"},
	} {
		who := alice()
		who["exp"], who["auth_time"] = fmt.Sprint(now.Unix()+int64(c.exp)), fmt.Sprint(now.Unix()+int64(c.authTime))
		if c.authTime == 0 {
			who["auth_time"] = ""
		}
		switch iat := c.iat.(type) {
		case int:
			who["identity"] = base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"claims":{"iat":%d}}`, now.Unix()+int64(iat)))
		case string:
			who["identity"] = base64.RawURLEncoding.EncodeToString([]byte(`{"claims":{"iat":` + iat + `}}`))
		default:
			who["identity"] = base64.RawURLEncoding.EncodeToString([]byte(`{}`))
		}
		body := invokeWith(t, map[string]string{"DASHBOARD_RULES": c.rules}, who).Body
		var events, places []string
		for _, m := range regexp.MustCompile(`<li class="\w+( ahead)?"><b>([^<]+)</b> <time datetime="[^"]+">22 Nov 2026, (\d\d:\d\d) UTC</time>`).FindAllStringSubmatch(body, -1) {
			events = append(events, m[2]+m[1]+" "+m[3])
		}
		for _, m := range regexp.MustCompile(`<path class="event \w+" d="M(\d+) 10h0"/>`).FindAllStringSubmatch(body, -1) {
			places = append(places, m[1])
		}
		if got := strings.Join(events, "|"); got != c.events {
			t.Errorf("%s: %s\nwant %s", c.name, got, c.events)
		}
		if got := strings.Join(places, " "); got != c.places {
			t.Errorf("%s: at %s, want %s", c.name, got, c.places)
		}
	}
}

func TestTimelineNamesTheRules(t *testing.T) {
	body := invokeWith(t, map[string]string{"DASHBOARD_RULES": "* /pay max-age:90m"}, alice()).Body
	if strings.Contains(body, "max-age") { // later than the token's end
		t.Error("a step-up that no token of now lives to see")
	}
	body = invokeWith(t, map[string]string{"DASHBOARD_RULES": "* /pay max-age:59m30s"}, alice()).Body
	if !strings.Contains(body, "max-age:59m30s will ask for the password again") || !strings.Contains(body, `<desc id="timeline-desc">From 22 Nov 2026, 15:01 UTC to 22 Nov 2026, 16:01 UTC.</desc>`) {
		t.Error("the rule is not named")
	}
}
