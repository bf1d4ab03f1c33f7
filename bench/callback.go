// This file measures the callback's start, from spawn to the answer that takes somebody to the login: with what it has to ask AWS under way, over TLS,
// where each answer takes as long as one from within a region may. Beside it: a function that does nothing, and the same in Node as its libraries'
// documentation shows.

package main

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"time"

	"edgeauth/internal/token/tokentest"
)

const (
	callback     = "edgeauth, callback"
	callbackNode = "callback in Node"
)

// Two questions follow one another: where the login is, and what the client's secret is.
const (
	awsLatency = 30 * time.Millisecond
	inSequence = 2
)

const callbackHost = "k3xampl3id.execute-api.eu-west-1.amazonaws.com"

// newAWS serves what the callback asks AWS for, and the pool's keys.
func newAWS(keys http.Handler, chain tls.Certificate) *httptest.Server {
	var server *httptest.Server
	server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		time.Sleep(awsLatency)
		switch _, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), "."); operation {
		case "GetParameter":
			var in struct{ Name string }
			if json.Unmarshal(body, &in) != nil || in.Name != "/bench/auth" {
				answerAWS(w, http.StatusBadRequest, map[string]any{"__type": "ParameterNotFound"})
				return
			}
			answerAWS(w, http.StatusOK, map[string]any{"Parameter": map[string]any{"Name": in.Name, "Type": "String", "Value": signInSettings(server.URL), "Version": 1}})
		case "DescribeUserPoolClient":
			answerAWS(w, http.StatusOK, map[string]any{"UserPoolClient": map[string]any{
				"ClientId": tokentest.ClientID, "ClientName": "bench", "ClientSecret": "1benchbenchbenchbenchbenchbenchbenchbenchbenchbench", "RefreshTokenValidity": 30,
				"TokenValidityUnits": map[string]string{"RefreshToken": "days"},
			}})
		default:
			keys.ServeHTTP(w, r)
		}
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{chain}}
	server.StartTLS()
	return server
}

func answerAWS(w http.ResponseWriter, status int, answer any) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer)
}

// signInSettings is the parameter's value, as edgeauth.yaml writes it.
func signInSettings(keys string) string {
	text, _ := json.Marshal(map[string]any{
		"v": 1, "issuer": tokentest.Issuer, "jwks_url": keys + "/jwks", "jwks": nil, "user_pool_id": tokentest.Issuer[strings.LastIndexByte(tokentest.Issuer, '/')+1:],
		"client_id": tokentest.ClientID, "login_url": "https://bench.auth.eu-west-1.amazoncognito.com", "base_urls": []string{"https://" + callbackHost + "/Prod"},
		"scopes": "openid email profile", "claims": "", "brand": map[string]string{"name": "bench", "logo": "", "support": ""}, "header_budget": 10240,
		"session_max": "", "session_idle": "", "cuts": "", "cuts_admit": "",
	})
	return string(text)
}

// toLogin is the event of somebody who has no session and asks for a page.
func toLogin() []byte {
	header := map[string]string{
		"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "Host": callbackHost, "Sec-Fetch-Dest": "document", "Sec-Fetch-Mode": "navigate",
		"Sec-Fetch-Site": "none", "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
	}
	multi := map[string][]string{}
	for name, value := range header {
		multi[name] = []string{value}
	}
	event, _ := json.Marshal(map[string]any{
		"resource": "/auth/{proxy+}", "path": "/auth/login", "httpMethod": "GET", "headers": header, "multiValueHeaders": multi,
		"queryStringParameters": map[string]string{"return_to": "/Prod/reports"}, "multiValueQueryStringParameters": map[string][]string{"return_to": {"/Prod/reports"}},
		"pathParameters": map[string]string{"proxy": "login"}, "stageVariables": nil, "body": nil, "isBase64Encoded": false,
		"requestContext": map[string]any{
			"resourceId": "a1b2c3", "resourcePath": "/auth/{proxy+}", "httpMethod": "GET", "path": "/Prod/auth/login", "stage": "Prod", "apiId": "k3xampl3id",
			"domainName": callbackHost, "protocol": "HTTP/1.1", "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef", "extendedRequestId": "JKJaXmPLvHcESHA=",
			"identity": map[string]any{"sourceIp": "203.0.113.7", "userAgent": header["User-Agent"]},
		},
	})
	return event
}

// measureCallback starts the callback, the no-op and the callback in Node in turn.
func measureCallback(tab *table, dir string, p programs, node *node, t *traffic, coldStarts int) error {
	server := newAWS(t.pool, p.chain)
	defer server.Close()
	env := []string{
		"AUTH_PARAMETER=/bench/auth", "AWS_ENDPOINT_URL=" + server.URL, "SSL_CERT_FILE=" + p.roots, "NODE_EXTRA_CA_CERTS=" + p.roots,
		"AWS_ACCESS_KEY_ID=BENCHBENCHBENCHBENCH", "AWS_SECRET_ACCESS_KEY=bench", "AWS_SESSION_TOKEN=bench",
	}
	const want = "/oauth2/authorize?"
	f := fleet{dir: dir, programs: []program{{noopFree, []string{p.noop}, nil, ""}, {callback, []string{p.callback}, env, want}}}
	if node.command != nil {
		f.programs = append(f.programs, program{callbackNode, node.callback(dir), env, want})
	}
	all, err := f.turns(f.programs, coldStarts, func(int) []byte { return toLogin() })
	if err != nil {
		return err
	}
	tab.callback(all, fileSize(p.callback))
	return nil
}

func (t *table) callback(all map[string]*series, size int64) {
	latency := milliseconds(inSequence * awsLatency)
	t.section(fmt.Sprintf("Cold start of the callback: from spawn to the redirect to the login, AWS answering over TLS after %d ms, twice in sequence", awsLatency.Milliseconds()))
	base, ours := all[noopFree], all[callback]
	t.show(noopFree, millis, median(base.wall), quartiles(millis, base.wall))
	t.show(fmt.Sprintf("%s (CPU %.1f ms)", callback, median(ours.cpu)), millis, median(ours.wall), quartiles(millis, ours.wall))
	own := make([]float64, len(ours.wall))
	for i := range own {
		own[i] = ours.wall[i] - latency
	}
	ratios := over(own, base.wall)
	t.hold(fmt.Sprintf("without the %.0f ms of latency / no-op", latency), times, median(ratios), 2, quartiles(times, ratios))
	if n := all[callbackNode]; n != nil {
		t.show(fmt.Sprintf("%s: AWS SDK 3, openid-client 6 (CPU %.1f ms)", callbackNode, median(n.cpu)), millis, median(n.wall), quartiles(millis, n.wall))
		ratios := over(ours.wall, n.wall)
		t.hold("edgeauth / Node, latency included", times, median(ratios), 0.25, quartiles(times, ratios))
	}
	t.show("memory after the first answer", megabyte, median(ours.memory), "")
	t.hold("binary, stripped", megabyte, float64(size)/1e6, 12, "")
}

// callback is how the callback in Node is started.
func (n *node) callback(dir string) []string {
	if n.command[len(n.command)-1] == "authorizer.handler" {
		return append(n.command[:len(n.command)-1:len(n.command)-1], "callback.handler")
	}
	return []string{"node", filepath.Join(dir, "callback-loop.mjs")}
}
