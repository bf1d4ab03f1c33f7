package gateway

import (
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestTLS: functions are told of TLS, clients get the function's answer, and no browser is told to ask for TLS at every port of localhost.
func TestTLS(t *testing.T) {
	made := httptest.NewUnstartedServer(nil)
	made.StartTLS()
	defer made.Close()
	r := start(t, func(c *Config) { c.TLS = &tls.Config{Certificates: made.TLS.Certificates} })
	var event struct {
		Headers map[string]string `json:"headers"`
	}
	r.do["Backend"] = answers(`{"statusCode":200,"body":"hello","headers":{"Strict-Transport-Security":"max-age=31536000","X-Other":"kept"}}`)
	req := httptest.NewRequest("GET", "https://"+r.address+"/Prod/public", nil)
	req.Host, req.RequestURI = host, ""
	res, err := made.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	if res.StatusCode != http.StatusOK || string(body) != "hello" || res.Header.Get("X-Other") != "kept" {
		t.Errorf("%d %q %v", res.StatusCode, body, res.Header)
	}
	if res.Header.Get("Strict-Transport-Security") != "" {
		t.Error("localhost is for TLS only from now on")
	}
	if err := json.Unmarshal([]byte(r.last(t, "Backend")), &event); err != nil || event.Headers["X-Forwarded-Proto"] != "https" {
		t.Errorf("functions are told %v", event.Headers)
	}

	plain := start(t, nil)
	plain.do["Backend"] = r.do["Backend"]
	if got := plain.send(t, "GET", "/Prod/public"); got.header.Get("Strict-Transport-Security") == "" {
		t.Error("an answer is changed without TLS")
	}
}
