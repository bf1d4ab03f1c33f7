// This file tests every combination of credentials, client and API kind: one table, each cell with
// its outcome and its reason.

package main

import (
	"cmp"
	"fmt"
	"strings"
	"testing"
	"time"

	"edgeauth/internal/apigw"
	"edgeauth/internal/config"
	"edgeauth/internal/token/tokentest"
)

// clients are the columns.
var clients = []struct {
	name string
	r    request
}{
	{"navigation", page},
	{"fetch", script},
	{"curl", request{header: [][2]string{{"Accept", "*/*"}}}},
	{"form", request{method: "POST", header: [][2]string{
		{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Mode", "navigate"}, {"Sec-Fetch-Dest", "document"}, {"Origin", "https://evil.example"}, {"Accept", "text/html"},
	}}},
	{"websocket", request{header: [][2]string{
		{"Sec-Fetch-Site", "same-origin"}, {"Sec-Fetch-Mode", "websocket"}, {"Sec-Fetch-Dest", "websocket"}, {"Origin", "https://" + host}, {"Upgrade", "websocket"},
	}}},
}

// everything is the table. What a cell says is what the client gets: allow, login (302 to it),
// denied (302 to the page that says why), or a status.
//
// REST alone can redirect; HTTP APIs have only 403; a handshake is answered 401 or 403, and with a
// cookie needs an Origin, which only browsers send. Beside an Authorization header the cookie means
// nothing.
const everything = `
rest      cookie  bearer | navigation             | fetch                  | curl                   | form                   | websocket
          no      no     | login no_session       | 401 no_session         | 401 no_session         | 401 no_session         | 401 no_session
          no      bad    | 401 token_malformed    | 401 token_malformed    | 401 token_malformed    | 401 token_malformed    | 401 token_malformed
          no      good   | allow ok               | allow ok               | allow ok               | allow ok               | allow ok
          bad     no     | login token_malformed  | 401 token_malformed    | 401 token_malformed    | 401 token_malformed    | 401 token_malformed
          bad     bad    | 401 token_malformed    | 401 token_malformed    | 401 token_malformed    | 401 token_malformed    | 401 token_malformed
          bad     good   | allow ok               | allow ok               | allow ok               | allow ok               | allow ok
          expired no     | login token_expired    | 401 token_expired      | 401 token_expired      | 401 token_expired      | 401 token_expired
          expired bad    | 401 token_malformed    | 401 token_malformed    | 401 token_malformed    | 401 token_malformed    | 401 token_malformed
          expired good   | allow ok               | allow ok               | allow ok               | allow ok               | allow ok
          good    no     | allow ok               | allow ok               | allow ok               | denied cross_site      | allow ok
          good    bad    | 401 token_malformed    | 401 token_malformed    | 401 token_malformed    | 401 token_malformed    | 401 token_malformed
          good    good   | allow ok               | allow ok               | allow ok               | allow ok               | allow ok

http-1.0  cookie  bearer | navigation             | fetch                  | curl                   | form                   | websocket
          no      no     | 403 no_session         | 403 no_session         | 403 no_session         | 403 no_session         | 403 no_session
          no      bad    | 403 token_malformed    | 403 token_malformed    | 403 token_malformed    | 403 token_malformed    | 403 token_malformed
          no      good   | allow ok               | allow ok               | allow ok               | allow ok               | allow ok
          bad     no     | 403 token_malformed    | 403 token_malformed    | 403 token_malformed    | 403 token_malformed    | 403 token_malformed
          bad     bad    | 403 token_malformed    | 403 token_malformed    | 403 token_malformed    | 403 token_malformed    | 403 token_malformed
          bad     good   | allow ok               | allow ok               | allow ok               | allow ok               | allow ok
          expired no     | 403 token_expired      | 403 token_expired      | 403 token_expired      | 403 token_expired      | 403 token_expired
          expired bad    | 403 token_malformed    | 403 token_malformed    | 403 token_malformed    | 403 token_malformed    | 403 token_malformed
          expired good   | allow ok               | allow ok               | allow ok               | allow ok               | allow ok
          good    no     | allow ok               | allow ok               | allow ok               | 403 cross_site         | allow ok
          good    bad    | 403 token_malformed    | 403 token_malformed    | 403 token_malformed    | 403 token_malformed    | 403 token_malformed
          good    good   | allow ok               | allow ok               | allow ok               | allow ok               | allow ok

http-2.0  cookie  bearer | navigation             | fetch                  | curl                   | form                   | websocket
          no      no     | 403 no_session         | 403 no_session         | 403 no_session         | 403 no_session         | 403 no_session
          no      bad    | 403 token_malformed    | 403 token_malformed    | 403 token_malformed    | 403 token_malformed    | 403 token_malformed
          no      good   | allow ok               | allow ok               | allow ok               | allow ok               | allow ok
          bad     no     | 403 token_malformed    | 403 token_malformed    | 403 token_malformed    | 403 token_malformed    | 403 token_malformed
          bad     bad    | 403 token_malformed    | 403 token_malformed    | 403 token_malformed    | 403 token_malformed    | 403 token_malformed
          bad     good   | allow ok               | allow ok               | allow ok               | allow ok               | allow ok
          expired no     | 403 token_expired      | 403 token_expired      | 403 token_expired      | 403 token_expired      | 403 token_expired
          expired bad    | 403 token_malformed    | 403 token_malformed    | 403 token_malformed    | 403 token_malformed    | 403 token_malformed
          expired good   | allow ok               | allow ok               | allow ok               | allow ok               | allow ok
          good    no     | allow ok               | allow ok               | allow ok               | 403 cross_site         | allow ok
          good    bad    | 403 token_malformed    | 403 token_malformed    | 403 token_malformed    | 403 token_malformed    | 403 token_malformed
          good    good   | allow ok               | allow ok               | allow ok               | allow ok               | allow ok

websocket cookie  bearer | navigation             | fetch                  | curl                   | form                   | websocket
          no      no     | 401 no_session         | 401 no_session         | 401 no_session         | 401 no_session         | 401 no_session
          no      bad    | 401 token_malformed    | 401 token_malformed    | 401 token_malformed    | 401 token_malformed    | 401 token_malformed
          no      good   | allow ok               | allow ok               | allow ok               | allow ok               | allow ok
          bad     no     | 401 token_malformed    | 401 token_malformed    | 401 token_malformed    | 401 token_malformed    | 401 token_malformed
          bad     bad    | 401 token_malformed    | 401 token_malformed    | 401 token_malformed    | 401 token_malformed    | 401 token_malformed
          bad     good   | allow ok               | allow ok               | allow ok               | allow ok               | allow ok
          expired no     | 401 token_expired      | 401 token_expired      | 401 token_expired      | 401 token_expired      | 401 token_expired
          expired bad    | 401 token_malformed    | 401 token_malformed    | 401 token_malformed    | 401 token_malformed    | 401 token_malformed
          expired good   | allow ok               | allow ok               | allow ok               | allow ok               | allow ok
          good    no     | 403 cross_site         | 403 cross_site         | 403 cross_site         | 403 cross_site         | allow ok
          good    bad    | 401 token_malformed    | 401 token_malformed    | 401 token_malformed    | 401 token_malformed    | 401 token_malformed
          good    good   | allow ok               | allow ok               | allow ok               | allow ok               | allow ok
`

func TestEverything(t *testing.T) {
	d := newDoor(t, bearers(tokentest.ClientID))
	simple := newDoor(t, bearers(tokentest.ClientID), func(s *config.Authorizer) { s.SimpleResponses = true })
	past := d.pool.Now().Add(-time.Minute).Unix()
	cookies := map[string]string{"no": "", "bad": "x", "expired": d.pool.IDToken(tokentest.Claims{"exp": past}), "good": d.pool.IDToken(nil)}
	bearer := map[string]string{"no": "", "bad": "x", "good": d.pool.AccessToken(nil)}

	var got strings.Builder
	for _, kind := range []apigw.Kind{apigw.REST, apigw.HTTP1, apigw.HTTP2, apigw.WebSocket} {
		fmt.Fprintf(&got, "%-9s cookie  bearer", kind)
		for _, c := range clients {
			fmt.Fprintf(&got, " | %-22s", c.name)
		}
		for _, cookie := range []string{"no", "bad", "expired", "good"} {
			for _, bear := range []string{"no", "bad", "good"} {
				fmt.Fprintf(&got, "\n%-9s %-7s %-6s", "", cookie, bear)
				for _, c := range clients {
					r := c.r
					if r.kind = kind; cookies[cookie] != "" {
						r = r.session(cookies[cookie])
					}
					if bearer[bear] != "" {
						r = r.bearer(bearer[bear])
					}
					outcome, why, _ := d.ask(t, r)
					o, w, a := simple.ask(t, r)
					if o != outcome || w != why || kind == apigw.HTTP2 != (a.IsAuthorized != nil) && a.Context != nil {
						t.Errorf("%s %s %s %s: with simple responses %s %s, without %s %s", kind, cookie, bear, c.name, o, w, outcome, why)
					}
					fmt.Fprintf(&got, " | %-22s", outcome+" "+why)
				}
			}
		}
		got.WriteString("\n\n")
	}
	want := strings.Split(strings.TrimSpace(everything), "\n")
	for i, line := range strings.Split(strings.TrimSpace(got.String()), "\n") {
		if line = strings.TrimRight(line, " "); i >= len(want) || line != want[i] {
			t.Errorf("line %d\ngot  %s\nwant %s", i+1, line, cmp.Or(strings.Join(want[min(i, len(want)):min(i+1, len(want))], ""), "nothing"))
		}
	}
	if t.Failed() {
		t.Log("\n" + got.String())
	}
}
