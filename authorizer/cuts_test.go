// This file tests sessions that were ended early: what becomes of their requests, and what does while nobody can tell.

package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"edgeauth/cuts"
	"edgeauth/cuts/cutstest"
	"edgeauth/internal/apigw"
	"edgeauth/internal/config"
	"edgeauth/internal/token/tokentest"
)

// newCutDoor returns a door that asks a list of endings.
func newCutDoor(t *testing.T, change ...func(*config.Authorizer)) (door, *cutstest.Table) {
	d := newDoor(t, change...)
	table := cutstest.New(t, d.pool.Now)
	d.cuts = table.List()
	return d, table
}

const origin = "11111111-2222-3333-4444-555555555555"

func TestAnEndedSessionIsNobodys(t *testing.T) {
	admit := func(s *config.Authorizer) { s.Cuts.Admit = true }
	for _, c := range []struct {
		name string
		end  string
		r    func(p *tokentest.Pool) request
		want string
	}{
		{"a page after sign-out", "sign-in " + origin, func(p *tokentest.Pool) request {
			return page.session(p.IDToken(tokentest.Claims{"origin_jti": origin}))
		}, "login session_cut"},
		{"a script", "sign-in " + origin, func(p *tokentest.Pool) request {
			return script.session(p.IDToken(tokentest.Claims{"origin_jti": origin}))
		}, "401 session_cut"},
		{"another sign-in", "sign-in x", func(p *tokentest.Pool) request {
			return page.session(p.IDToken(tokentest.Claims{"origin_jti": origin}))
		}, "allow ok"},
		{"a token that names no sign-in", "sign-in x", func(p *tokentest.Pool) request { return page.session(p.IDToken(nil)) }, "allow ok"},
		{"a person", "user " + tokentest.Subject, func(p *tokentest.Pool) request { return page.session(p.IDToken(nil)) }, "login session_cut"},
		{"another person", "user x", func(p *tokentest.Pool) request { return page.session(p.IDToken(nil)) }, "allow ok"},
		{"everybody", "everybody", func(p *tokentest.Pool) request { return page.session(p.IDToken(nil)) }, "login session_cut"},
		{"renewed since", "everybody", func(p *tokentest.Pool) request {
			p.Advance(time.Minute)
			return page.session(p.IDToken(tokentest.Claims{"auth_time": p.Now().Unix() - 60}))
		}, "login session_cut"},
		{"signed in since", "everybody", func(p *tokentest.Pool) request {
			p.Advance(time.Minute)
			return page.session(p.IDToken(tokentest.Claims{"auth_time": p.Now().Unix()}))
		}, "allow ok"},
		{"an access token", "user " + tokentest.Subject, func(p *tokentest.Pool) request { return page.bearer(p.AccessToken(nil)) }, "401 session_cut"},
		{"a machine's, issued since", "everybody", func(p *tokentest.Pool) request {
			p.Advance(time.Minute)
			return script.bearer(p.AccessToken(ofMachine))
		}, "denied user_required"},
		{"a machine's, issued before", "everybody", func(p *tokentest.Pool) request {
			return script.bearer(p.AccessToken(ofMachine))
		}, "401 session_cut"},
		{"who may not anyway", "everybody", func(p *tokentest.Pool) request {
			return page.at("POST", "/").with("Sec-Fetch-Site", "cross-site").session(p.IDToken(nil))
		}, "401 session_cut"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, table := newCutDoor(t, bearers(tokentest.ClientID), admit)
			table.Cut(c.end)
			d.want(t, c.r(d.pool), c.want)
		})
	}
}

// ofMachine is a program's token, which need not say when anybody signed in.
var ofMachine = tokentest.Claims{"sub": tokentest.ClientID, "username": tokentest.Absent, "auth_time": tokentest.Absent}

func TestHTTPAPIsRefuseAnEndedSession(t *testing.T) {
	for _, kind := range []apigw.Kind{apigw.HTTP1, apigw.HTTP2} {
		d, table := newCutDoor(t)
		table.Cut("everybody")
		r := page.session(d.pool.IDToken(nil))
		r.kind = kind
		d.want(t, r, "403 session_cut")
	}
}

// Whoever has no good token asks nothing of the list.
func TestOnlyGoodTokensAskTheList(t *testing.T) {
	d, table := newCutDoor(t)
	d.want(t, page, "login no_session")
	d.want(t, page.session("a.b.c"), "login token_malformed")
	d.want(t, page.session(d.pool.IDToken(tokentest.Claims{"exp": 1})), "login token_expired")
	if n := table.Asked(); n != 0 {
		t.Errorf("asked %d times", n)
	}
	for range 20 {
		d.want(t, page.session(d.pool.IDToken(nil)), "allow ok")
	}
	if n := table.Asked(); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

// What becomes of requests while the table is out of reach: nobody can tell, unless a setting says that sessions count; a known ending holds.
func TestTheListOutOfReach(t *testing.T) {
	hang := func(r *http.Request) error { <-r.Context().Done(); return r.Context().Err() }
	for name, fault := range map[string]func(*http.Request) error{"erroring": func(*http.Request) error { return errors.New("down") }, "hanging": hang} {
		for _, admit := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				d, table := newCutDoor(t, func(s *config.Authorizer) { s.Cuts.Admit = admit })
				good, ended := page.session(d.pool.IDToken(nil)), page.session(d.pool.IDToken(tokentest.Claims{"sub": "x"}))
				outcome := "500 cuts_unavailable"
				if admit {
					outcome = "allow ok"
				}
				table.Fail(fault)
				d.want(t, good, outcome) // a cold start
				table.Fail(nil)
				d.pool.Advance(5 * time.Second)
				table.Cut("user x")
				d.want(t, good, "allow ok")
				d.want(t, ended, "login session_cut")
				table.Fail(fault)
				d.pool.Advance(cuts.Limit - 1)
				d.want(t, good, "allow ok")
				d.pool.Advance(5 * time.Second)
				d.want(t, good, outcome)
				d.want(t, ended, "login session_cut")
				table.Fail(nil)
				d.pool.Advance(5 * time.Second)
				d.want(t, good, "allow ok")
				if t.Failed() {
					t.Log(name, admit)
				}
			})
		}
	}
}

// Twenty copied cookies at three authorizers: after five seconds and one request each of them is dead, everywhere.
func TestCopiedCookiesDieWithinN(t *testing.T) {
	pool := tokentest.New(t)
	table := cutstest.New(t, pool.Now)
	var doors []door
	for range 3 {
		log := new(bytes.Buffer)
		d := door{newAuthorizer(t, pool, log), pool, log}
		d.cuts = table.List()
		doors = append(doors, d)
		pool.Advance(1700 * time.Millisecond)
	}
	for i := range 20 {
		name := "sign-in-" + string(rune('a'+i))
		copied := page.session(pool.IDToken(tokentest.Claims{"origin_jti": name}))
		for _, d := range doors {
			d.want(t, copied, "allow ok")
		}
		pool.Advance(time.Duration(i) * 377 * time.Millisecond)
		table.Cut("sign-in " + name)
		pool.Advance(5 * time.Second)
		for _, d := range doors {
			d.want(t, copied, "login session_cut")
		}
	}
}

// Without the setting the answers are the same to the letter, and nobody is asked; with it and an empty list too, but for one request.
func TestWithoutAListNothingChanges(t *testing.T) {
	off, on := newDoor(t), newDoor(t)
	table := cutstest.New(t, on.pool.Now)
	on.cuts = table.List()
	for _, r := range []request{page, script, page.session(off.pool.IDToken(nil)), script.session(off.pool.IDToken(tokentest.Claims{"cognito:groups": []string{"a"}})), page.at("POST", "/x").session(off.pool.IDToken(nil))} {
		event := r.event(t)
		a, aerr := off.Invoke(context.Background(), event)
		b, berr := on.Invoke(context.Background(), event)
		if !bytes.Equal(a, b) || (aerr == nil) != (berr == nil) {
			t.Errorf("%s, %v\n%s, %v", a, aerr, b, berr)
		}
	}
	if off.log.String() != on.log.String() {
		t.Errorf("%s\n%s", off.log, on.log)
	}
}

// The authorizer that the environment describes asks the table that it names, at the place and with the key that Lambda sets; without a name, none.
func TestBuildAsksTheTable(t *testing.T) {
	asked := make(chan *http.Request, 9)
	aws := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r
		body, _ := io.ReadAll(r.Body)
		if !strings.Contains(string(body), `"TableName":"stack-cuts"`) {
			t.Errorf("asked %s", body)
		}
		io.WriteString(w, `{"Items":[]}`)
	}))
	defer aws.Close()
	pool := tokentest.New(t)
	environment := map[string]string{
		"AUTH_ISSUER": tokentest.Issuer, "AUTH_CLIENT_IDS": tokentest.ClientID, "AUTH_JWKS": string(pool.JWKS()),
		"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_ENDPOINT_URL": aws.URL,
	}
	lookup := func(name string) (string, bool) { v, ok := environment[name]; return v, ok }
	if a, err := build(lookup, io.Discard); err != nil || a.cuts != nil {
		t.Errorf("%v, %v", a.cuts, err)
	}
	environment["AUTH_CUTS"], environment["AUTH_CUTS_SECONDS"] = "stack-cuts", "7"
	a, err := build(lookup, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if r := <-asked; !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/") {
		t.Errorf("asked %v", r.Header)
	}
	if err := a.cuts.Check(t.Context(), cuts.Session{}); err != nil {
		t.Error(err)
	}
	delete(environment, "AWS_REGION")
	if _, err := build(lookup, io.Discard); err == nil {
		t.Error("a table without a Region is taken")
	}
}
