package gateway

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"io"
	"strings"
	"testing"

	"edgeauth/local/sam"
)

func compressing(minimum int) func(*Config) {
	return func(c *Config) { c.APIs[0].Compression = &minimum }
}

func zipped(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(text))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestCompression(t *testing.T) {
	long := strings.Repeat("hello ", 20)
	r := start(t, compressing(100))
	for _, c := range []struct{ name, accept, answer, coding string }{
		{"gzip", "gzip", "", "gzip"},
		{"the first of equals", "gzip, deflate, br", "", "gzip"},
		{"deflate before gzip", "deflate,gzip", "", "deflate"},
		{"the heavier", "deflate;q=0.5,gzip;q=1.0", "", "gzip"},
		{"one that API Gateway does not know comes first", "br, gzip", "", ""},
		{"anything", "*", "", ""},
		{"identity", "identity", "", ""},
		{"not wanted at all", "gzip;q=0", "", ""},
		{"nothing said", "", "", ""},
		{"packed already", "gzip", `{"statusCode":200,"headers":{"content-encoding":"br"},"body":"` + long + `"}`, "br"},
		{"too small", "gzip", `{"statusCode":200,"body":"` + long[:99] + `"}`, ""},
		{"just large enough", "gzip", `{"statusCode":200,"body":"` + long[:100] + `"}`, "gzip"},
	} {
		if c.answer == "" {
			c.answer = `{"statusCode":200,"body":"` + long + `"}`
		}
		r.do["Backend"] = answers(c.answer)
		lines := []string{"Accept-Encoding: " + c.accept}
		if c.accept == "" {
			lines = nil
		}
		got := r.send(t, "GET", "/Prod/public", lines...)
		if coding := got.header.Get("Content-Encoding"); coding != c.coding {
			t.Errorf("%s: %q, want %q", c.name, coding, c.coding)
		}
		body := io.Reader(strings.NewReader(got.body))
		var err error
		switch got.header.Get("Content-Encoding") {
		case "gzip":
			body, err = gzip.NewReader(body)
		case "deflate":
			body, err = zlib.NewReader(body)
		}
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if plain, err := io.ReadAll(body); err != nil || !strings.HasPrefix(long, string(plain)) || len(plain) < 99 {
			t.Errorf("%s: %q %v", c.name, plain, err)
		}
	}
}

func TestCompressionIsOffUnlessAskedFor(t *testing.T) {
	r := start(t, nil)
	if got := r.send(t, "GET", "/Prod/public", "Accept-Encoding: gzip"); got.header.Get("Content-Encoding") != "" {
		t.Errorf("%v", got.header)
	}
	r.sendBody(t, "POST", "/Prod/public", "plain", "Content-Encoding: gzip")
	if event := r.last(t, "Backend"); !strings.Contains(event, `"Content-Encoding":"gzip"`) || !strings.Contains(event, `"body":"plain"`) {
		t.Errorf("event %s", event)
	}
}

func TestCompressedRequests(t *testing.T) {
	r := start(t, compressing(0))
	if got := r.sendBody(t, "POST", "/Prod/public", zipped(t, "hello"), "content-encoding: GZIP"); got.status != 200 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	if event := r.last(t, "Backend"); !strings.Contains(event, `"body":"hello"`) || strings.Contains(strings.ToLower(event), "content-encoding") {
		t.Errorf("event %s", event)
	}
	for name, c := range map[string]struct {
		coding, body string
		status       int
	}{
		"another coding":       {"br", "x", 415},
		"not what it says":     {"gzip", "hello", 415},
		"cut off":              {"gzip", zipped(t, "hello")[:20], 415},
		"none":                 {"identity", "x", 200},
		"more than fits in 10": {"gzip", zipped(t, strings.Repeat("x", bodyLimit+1)), 413},
	} {
		if got := r.sendBody(t, "POST", "/Prod/public", c.body, "Content-Encoding: "+c.coding); got.status != c.status {
			t.Errorf("%s: %d, want %d", name, got.status, c.status)
		}
	}
}

// With */* as a binary media type, SAM's preflights fail on AWS, and so they do here.
func TestPreflightsOfAnAPIForBinaries(t *testing.T) {
	for _, c := range []struct {
		name   string
		types  []string
		asText bool
		lines  []string
		status int
	}{
		{"everything is binary", []string{"*/*"}, false, nil, 500},
		{"everything is binary, converted to text", []string{"*/*"}, true, nil, 200},
		{"images are binary", []string{"image/*"}, false, nil, 200},
		{"images are binary, and one is sent", []string{"image/*"}, false, []string{"Content-Type: image/png"}, 500},
	} {
		r := start(t, func(config *Config) {
			config.APIs[0].BinaryTypes = c.types
			config.APIs[0].Routes = append(config.APIs[0].Routes, sam.Route{Path: "/public", Method: "OPTIONS", Preflight: map[string]string{"X": "y"}, AsText: c.asText})
		})
		got := r.send(t, "OPTIONS", "/Prod/public", c.lines...)
		if got.status != c.status || c.status == 500 && got.body != `{"message":"Internal server error"}` {
			t.Errorf("%s: %d %s", c.name, got.status, got.body)
		}
	}
	r := start(t, func(c *Config) {
		c.APIs[0].Routes = append(c.APIs[0].Routes, sam.Route{Path: "/public", Method: "OPTIONS", Preflight: map[string]string{"X": "y"}, Status: 204})
	})
	if got := r.send(t, "OPTIONS", "/Prod/public"); got.status != 204 || got.body != "" || got.header.Get("X") != "y" {
		t.Errorf("a preflight without a body: %d %q %v", got.status, got.body, got.header)
	}
}
