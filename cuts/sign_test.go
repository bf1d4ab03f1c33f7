package cuts_test

// Requests are signed as AWS's own signer signs them, and nothing prints what they are signed with.

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"edgeauth/cuts"
)

// Every request of the other tests is verified too, in store.RoundTrip.
func TestSignatureIsThatOfTheSDK(t *testing.T) {
	for _, endpoint := range []string{"", "https://vpce-1.dynamodb.eu-west-1.vpce.amazonaws.com", "http://127.0.0.1:8000", "http://localhost:8000", "http://[::1]:8000"} {
		for _, token := range []string{"", credentials.SessionToken, strings.Repeat("x", 1000)} {
			for _, at := range []time.Time{start, start.Add(15*time.Hour + 59*time.Minute + 59*time.Second + 999*time.Millisecond), start.In(time.FixedZone("", -9*3600))} {
				s := newStore(t)
				l := s.list(func(c *cuts.Config) {
					c.Endpoint, c.Credentials.SessionToken = endpoint, token
					c.Now = func() time.Time { return at }
				})
				want(t, l, cuts.Session{}, nil)
				if err := l.End(t.Context(), cuts.User, "é-"+token, time.Hour); err != nil && len(token) < 1000 {
					t.Error(err)
				}
				if len(s.readings()) != 1 {
					t.Errorf("asked %v", s.readings())
				}
			}
		}
	}
}

func TestEndpointIsTheRegions(t *testing.T) {
	for name, host := range map[string]string{
		"eu-west-1": "dynamodb.eu-west-1.amazonaws.com", "us-gov-west-1": "dynamodb.us-gov-west-1.amazonaws.com", "cn-north-1": "dynamodb.cn-north-1.amazonaws.com.cn",
	} {
		asked := ""
		l := newStore(t).list(func(c *cuts.Config) {
			c.Region = name
			c.Client = &http.Client{Transport: tripper(func(r *http.Request) (*http.Response, error) { asked = r.URL.String(); return nil, io.EOF })}
		})
		l.Check(t.Context(), cuts.Session{})
		if asked != "https://"+host+"/" {
			t.Errorf("%s: asked %s", name, asked)
		}
	}
}

func TestFromEnvironment(t *testing.T) {
	environment := map[string]string{"AWS_REGION": region, "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_SESSION_TOKEN": "c"}
	want := cuts.Config{Table: "t", Region: region, Credentials: cuts.Credentials{AccessKeyID: "a", SecretAccessKey: "b", SessionToken: "c"}}
	for _, endpoint := range []struct{ name, want string }{{"", ""}, {"AWS_ENDPOINT_URL", "http://localhost:1"}, {"AWS_ENDPOINT_URL_DYNAMODB", "http://localhost:2"}} {
		environment[endpoint.name], want.Endpoint = endpoint.want, endpoint.want
		got := cuts.FromEnvironment(func(name string) (string, bool) { v, ok := environment[name]; return v, ok }, "t")
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got another table, key or endpoint: %s", endpoint.name, got.Endpoint)
		}
	}
}

type tripper func(*http.Request) (*http.Response, error)

func (f tripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestCredentialsArePrintedNowhere(t *testing.T) {
	var out bytes.Buffer
	c := cuts.Config{Credentials: credentials}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&out, verb+verb+"\n", credentials, c)
	}
	for _, h := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(h).Info("x", "credentials", credentials, "config", []any{credentials})
	}
	b, err := json.Marshal([]any{credentials, &credentials, map[string]any{"a": credentials}})
	if err != nil {
		t.Error(err)
	}
	out.Write(b)
	for _, secret := range []string{credentials.SecretAccessKey, credentials.SessionToken, credentials.AccessKeyID, fmt.Sprintf("%x", credentials.SecretAccessKey)} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("printed in\n%s", &out)
		}
	}
}
