package apigw

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
)

// show answers with everything that a handler can see of the request.
var show = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	fmt.Fprintln(w, r.Method, r.Host, r.RequestURI, r.Proto, r.RemoteAddr, r.ContentLength, string(body), err)
	fmt.Fprintln(w, r.URL.Path, r.URL.RawPath, r.URL.EscapedPath(), r.URL.Query(), r.URL.Host, r.URL.Scheme)
	fmt.Fprintln(w, r.Header, r.Cookies())
	fmt.Fprintln(w, Base(r.Context()), RequestID(r.Context()), r.Context().Value(authorizerKey{}))
})

type authorizerKey struct{}

func withAuthorizer(ctx context.Context, authorizer map[string]any) context.Context {
	return context.WithValue(ctx, authorizerKey{}, authorizer)
}

func TestProxy(t *testing.T) {
	respond := func(f func(w http.ResponseWriter)) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { f(w) })
	}
	rest, http2 := string(fixture(t, "proxy-rest.json")), string(fixture(t, "proxy-http2.json"))
	http1 := strings.Replace(rest, `"resource"`, `"version": "1.0", "resource"`, 1)
	atDomain := strings.NewReplacer("/Prod/auth", "/shop/auth", "abcdef1234.execute-api.eu-west-1.amazonaws.com", "shop.example").Replace(rest)
	single := strings.NewReplacer("multiValueHeaders", "mvh", "multiValueQuery", "mvq", `"isBase64Encoded": true`, `"isBase64Encoded": false`, `"authorizer"`, `"a"`).Replace(rest)
	head := strings.Replace(rest, `"httpMethod": "POST",`, `"httpMethod": "HEAD",`, 1)

	cookies := respond(func(w http.ResponseWriter) {
		w.Header().Add("Set-Cookie", "a=1; Path=/")
		w.Header().Add("Set-Cookie", "b=2; Path=/")
		w.Header().Add("Vary", "Cookie")
		w.Header().Add("Vary", "Accept")
		w.Header().Set("Location", "/Prod/")
		w.WriteHeader(http.StatusFound)
		w.WriteHeader(http.StatusOK)
		w.Header().Set("Too-Late", "x")
	})
	silent := respond(func(http.ResponseWriter) {})
	binary := respond(func(w http.ResponseWriter) { w.Write([]byte{0x89, 'P', 'N', 'G', 0xff}) })
	long := respond(func(w http.ResponseWriter) {
		w.WriteHeader(http.StatusEarlyHints)
		w.Header().Set("Content-Type", "text/plain")
		w.Write([]byte("hello"))
	})
	empty := respond(func(w http.ResponseWriter) { w.WriteHeader(http.StatusNoContent); w.Write([]byte("x")) })

	for _, c := range []struct {
		name    string
		handler http.Handler
		event   string
		want    string
	}{
		{"rest", show, rest, `{"statusCode":200,"multiValueHeaders":{"Content-Type":["text/plain; charset=utf-8"]},"body":"` +
			`POST abcdef1234.execute-api.eu-west-1.amazonaws.com /Prod/auth/log%20in?n=1\u0026n=2\u0026return_to=%2FProd%2F%3Fa%3D1%26b%3D2 HTTP/1.1 192.0.2.1:0 11 hello world \u003cnil\u003e\n` +
			`/Prod/auth/log in /Prod/auth/log%20in /Prod/auth/log%20in map[n:[1 2] return_to:[/Prod/?a=1\u0026b=2]]  \n` +
			`map[Accept:[text/html */*] Cookie:[a=1 b=2] Only-Here:[x] X-Forwarded-For:[192.0.2.1] X-Forwarded-Host:[evil.example]] [a=1 b=2]\n` +
			`/Prod x-1 map[integrationLatency:12 sub:s-1 v:1]\n","isBase64Encoded":false}`},
		{"payload 1.0", show, http1, `{"statusCode":200,"multiValueHeaders":{"Content-Type":["text/plain; charset=utf-8"]},"body":"` +
			`POST abcdef1234.execute-api.eu-west-1.amazonaws.com /Prod/auth/log%20in?n=1\u0026n=2\u0026return_to=%2FProd%2F%3Fa%3D1%26b%3D2 HTTP/1.1 192.0.2.1:0 11 hello world \u003cnil\u003e\n` +
			`/Prod/auth/log in /Prod/auth/log%20in /Prod/auth/log%20in map[n:[1 2] return_to:[/Prod/?a=1\u0026b=2]]  \n` +
			`map[Accept:[text/html */*] Cookie:[a=1 b=2] Only-Here:[x] X-Forwarded-For:[192.0.2.1] X-Forwarded-Host:[evil.example]] [a=1 b=2]\n` +
			`/Prod x-1 map[integrationLatency:12 sub:s-1 v:1]\n","isBase64Encoded":false}`},
		{"custom domain", show, atDomain, `{"statusCode":200,"multiValueHeaders":{"Content-Type":["text/plain; charset=utf-8"]},"body":"` +
			`POST shop.example /shop/auth/log%20in?n=1\u0026n=2\u0026return_to=%2FProd%2F%3Fa%3D1%26b%3D2 HTTP/1.1 192.0.2.1:0 11 hello world \u003cnil\u003e\n` +
			`/shop/auth/log in /shop/auth/log%20in /shop/auth/log%20in map[n:[1 2] return_to:[/Prod/?a=1\u0026b=2]]  \n` +
			`map[Accept:[text/html */*] Cookie:[a=1 b=2] Only-Here:[x] X-Forwarded-For:[192.0.2.1] X-Forwarded-Host:[evil.example]] [a=1 b=2]\n` +
			`/shop x-1 map[integrationLatency:12 sub:s-1 v:1]\n","isBase64Encoded":false}`},
		{"single values, no authorizer", show, single, `{"statusCode":200,"multiValueHeaders":{"Content-Type":["text/plain; charset=utf-8"]},"body":"` +
			`POST abcdef1234.execute-api.eu-west-1.amazonaws.com /Prod/auth/log%20in?n=2\u0026return_to=%2FProd%2F%3Fa%3D1%26b%3D2 HTTP/1.1 192.0.2.1:0 16 aGVsbG8gd29ybGQ= \u003cnil\u003e\n` +
			`/Prod/auth/log in /Prod/auth/log%20in /Prod/auth/log%20in map[n:[2] return_to:[/Prod/?a=1\u0026b=2]]  \n` +
			`map[Cookie:[b=2] Only-Here:[x]] [b=2]\n` +
			`/Prod x-1 map[]\n","isBase64Encoded":false}`},
		{"payload 2.0", show, http2, `{"statusCode":200,"headers":{"Content-Type":"text/plain; charset=utf-8"},"body":"` +
			`GET app.example.com /test/orders/7?a=1\u0026a=2\u0026b=%20 HTTP/1.1 192.0.2.1:0 0  \u003cnil\u003e\n` +
			`/test/orders/7 /test/orders/7 /test/orders/7 map[a:[1 2] b:[ ]]  \n` +
			`map[Accept:[text/html,*/*] Cookie:[a=1; b=2]] [a=1 b=2]\n` +
			`/test x-1 map[sub:s-1 v:1]\n","isBase64Encoded":false}`},
		{"several cookies", cookies, rest, `{"statusCode":302,"multiValueHeaders":{"Location":["/Prod/"],"Set-Cookie":["a=1; Path=/","b=2; Path=/"],"Vary":["Cookie","Accept"]},"body":"","isBase64Encoded":false}`},
		{"several cookies, payload 2.0", cookies, http2, `{"statusCode":302,"headers":{"Location":"/Prod/","Vary":"Cookie, Accept"},"cookies":["a=1; Path=/","b=2; Path=/"],"body":"","isBase64Encoded":false}`},
		{"nothing", silent, rest, `{"statusCode":200,"multiValueHeaders":{},"body":"","isBase64Encoded":false}`},
		{"not text", binary, rest, `{"statusCode":200,"multiValueHeaders":{"Content-Type":["text/plain; charset=utf-8"]},"body":"iVBOR/8=","isBase64Encoded":true}`},
		{"no early hints", long, rest, `{"statusCode":200,"multiValueHeaders":{"Content-Type":["text/plain"]},"body":"hello","isBase64Encoded":false}`},
		{"head", long, head, `{"statusCode":200,"multiValueHeaders":{"Content-Type":["text/plain"]},"body":"","isBase64Encoded":false}`},
		{"no content", empty, rest, `{"statusCode":204,"multiValueHeaders":{},"body":"","isBase64Encoded":false}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Proxy(c.handler, withAuthorizer).Invoke(context.Background(), []byte(c.event))
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestProxyRefusesEvents(t *testing.T) {
	rest := string(fixture(t, "proxy-rest.json"))
	for _, c := range []struct{ name, event, want string }{
		{"not JSON", "{", "apigw: proxy event is not the JSON that it should be"},
		{"something else", `{"Records":[]}`, "apigw: not a proxy event of a known kind"},
		{"no path", strings.Replace(rest, `"/Prod/auth/log%20in"`, `"x"`, 1), "apigw: not a proxy event of a known kind"},
		{"a broken body", strings.Replace(rest, `aGVsbG8gd29ybGQ=`, `***`, 1), "apigw: body of the proxy event is not base64"},
	} {
		if _, err := Proxy(show, nil).Invoke(context.Background(), []byte(c.event)); err == nil || err.Error() != c.want {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
}

// TestProxyContainsWhatGoesWrong: the answer is a page without details, the log one line that holds
// nothing a client sent.
func TestProxyContainsWhatGoesWrong(t *testing.T) {
	rest := fixture(t, "proxy-rest.json")
	const page = `{"statusCode":500,"multiValueHeaders":{"Cache-Control":["no-store"],"Content-Type":["text/plain; charset=utf-8"],"X-Content-Type-Options":["nosniff"]},` +
		`"body":"Something went wrong here. Request id: x-1\n","isBase64Encoded":false}`
	header := func(name, value string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header()[name] = []string{value}
			fmt.Fprint(w, "secret")
		}
	}
	for _, c := range []struct {
		name    string
		handler http.HandlerFunc
		log     string
	}{
		{"panic", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "half"); panic("secret") }, `"msg":"panic","type":"string","request_id":"x-1"`},
		{"panic with an error", func(http.ResponseWriter, *http.Request) { panic(errors.New("secret")) }, `"msg":"panic","type":"*errors.errorString"`},
		{"abort", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, `"msg":"panic"`},
		{"line break in a value", header("Location", "/\r\nSet-Cookie: secret"), `"msg":"response header refused","header":"Location","request_id":"x-1"`},
		{"line feed in a value", header("Location", "/\nsecret"), `"header":"Location"`},
		{"NUL in a value", header("X-A", "secret\x00"), `"header":"X-A"`},
		{"DEL in a value", header("X-A", "secret\x7f"), `"header":"X-A"`},
		{"line break in a name", header("X-A\r\nsecret", "x"), `"header":"(name)"`},
		{"colon in a name", header("X-A:secret", "x"), `"header":"(name)"`},
		{"space in a name", header("X A", "x"), `"header":"(name)"`},
		{"no name", header("", "x"), `"header":"(name)"`},
		{"a name that is not ASCII", header("Xé", "x"), `"header":"(name)"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			var log bytes.Buffer
			before := slog.Default()
			slog.SetDefault(slog.New(slog.NewJSONHandler(&log, nil)))
			defer slog.SetDefault(before)
			got, err := Proxy(c.handler, nil).Invoke(context.Background(), rest)
			if err != nil || string(got) != page {
				t.Errorf("%v %s", err, got)
			}
			if n := strings.Count(log.String(), "\n"); n != 1 || !strings.Contains(log.String(), c.log) || strings.Contains(log.String(), "secret") {
				t.Errorf("%d lines: %s", n, log.String())
			}
		})
	}
}
