package identity

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

const issuer = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_A"

var (
	user = Identity{
		Issuer: issuer, Subject: "s-1", Username: "alice", Email: "alice@example.com", TokenUse: "id", ClientID: "c-1",
		Groups: []string{"admins", "Größe+1", "${aws:username}", "*", `"q"`}, Scopes: []string{}, Expires: time.Unix(1795352400, 0), AuthTime: time.Unix(1795348800, 0),
	}
	machine = Identity{
		Issuer: issuer, Subject: "c-2", TokenUse: "access", ClientID: "c-2",
		Groups: []string{}, Scopes: []string{"reports/read", "reports/write"}, Expires: time.Unix(1795352400, 0),
	}
)

// handedOn returns what API Gateway hands on of id.
func handedOn(t testing.TB, id Identity, claims string) map[string]any {
	t.Helper()
	b, err := AppendContext([]byte("{"), id, []byte(claims))
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(append(b, '}'), &m); err != nil {
		t.Fatalf("%s: %v", b, err)
	}
	return m
}

func TestAppendContext(t *testing.T) {
	b, err := AppendContext(nil, user, nil)
	if err != nil {
		t.Fatal(err)
	}
	flat, whole, _ := strings.Cut(strings.TrimSuffix(string(b), `"`), `,"identity":"`)
	const wantFlat = `"v":"1","iss":"` + issuer + `","sub":"s-1","username":"alice","email":"alice@example.com",` +
		`"groups":"admins Größe+1 ${aws:username} * \"q\"","scope":"","token_use":"id","client_id":"c-1","exp":"1795352400","auth_time":"1795348800"`
	if flat != wantFlat {
		t.Errorf("got  %s\nwant %s", flat, wantFlat)
	}
	const wantWhole = `{"v":"1","iss":"` + issuer + `","sub":"s-1","username":"alice","email":"alice@example.com",` +
		`"groups":["admins","Größe+1","${aws:username}","*","\"q\""],"scopes":[],"token_use":"id","client_id":"c-1","exp":1795352400,"auth_time":1795348800}`
	if text, err := base64.RawURLEncoding.DecodeString(whole); err != nil || string(text) != wantWhole {
		t.Errorf("got  %s %v\nwant %s", text, err, wantWhole)
	}
}

func TestRoundTrip(t *testing.T) {
	withClaims := user
	withClaims.Claims = map[string]any{"custom:plan": "gold", "level": 3.0}
	for _, c := range []struct {
		want   Identity
		claims string
	}{
		{user, ""},
		{machine, ""},
		{withClaims, `{"custom:plan":"gold","level":3}`},
	} {
		var claims []byte
		if c.claims != "" {
			claims = []byte(c.claims)
		}
		b, err := AppendContext([]byte("{"), c.want, claims)
		if err != nil {
			t.Fatal(err)
		}
		var m map[string]any
		if err := json.Unmarshal(append(b, '}'), &m); err != nil {
			t.Fatal(err)
		}
		for name, v := range m {
			if _, ok := v.(string); !ok {
				t.Errorf("%s is no string: %v", name, v)
			}
			switch name {
			case "error", "status", "latency", "requestId", "integrationLatency", "claims", "principalId":
				t.Errorf("%s is API Gateway's", name)
			}
		}
		if got, err := FromContext(m); err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%v\ngot  %+v\nwant %+v", err, got, c.want)
		}
	}
}

func TestAppendContextRefuses(t *testing.T) {
	change := func(f func(*Identity)) Identity { id := user; f(&id); return id }
	for name, id := range map[string]Identity{
		"no issuer":             change(func(i *Identity) { i.Issuer = "" }),
		"no subject":            change(func(i *Identity) { i.Subject = "" }),
		"no client":             change(func(i *Identity) { i.ClientID = "" }),
		"no end":                change(func(i *Identity) { i.Expires = time.Time{} }),
		"no use":                change(func(i *Identity) { i.TokenUse = "" }),
		"another use":           change(func(i *Identity) { i.TokenUse = "refresh" }),
		"a space in a group":    change(func(i *Identity) { i.Groups = []string{"x admins"} }),
		"a tab in a group":      change(func(i *Identity) { i.Groups = []string{"x\tadmins"} }),
		"a no-break space":      change(func(i *Identity) { i.Groups = []string{"x\u00a0admins"} }),
		"a separator":           change(func(i *Identity) { i.Groups = []string{"x\u2028admins"} }),
		"a control character":   change(func(i *Identity) { i.Groups = []string{"x\x1cadmins"} }),
		"a byte order mark":     change(func(i *Identity) { i.Groups = []string{"\ufeffadmins"} }),
		"an empty group":        change(func(i *Identity) { i.Groups = []string{""} }),
		"a line break in scope": change(func(i *Identity) { i.Scopes = []string{"a\r\nb"} }),
	} {
		if b, err := AppendContext(nil, id, nil); !errors.Is(err, ErrClaims) || len(b) > 0 {
			t.Errorf("%s: %v %s", name, err, b)
		}
	}
}

// TestFromContextRefuses: a context that is not whole is never a caller, and never half of one.
func TestFromContextRefuses(t *testing.T) {
	whole := handedOn(t, user, "{}")
	for name, change := range map[string]func(map[string]any){
		"empty":             func(m map[string]any) { clear(m) },
		"no version":        func(m map[string]any) { delete(m, "v") },
		"another version":   func(m map[string]any) { m["v"] = "2" },
		"a number":          func(m map[string]any) { m["v"] = 1.0 },
		"no issuer":         func(m map[string]any) { delete(m, "iss") },
		"no subject":        func(m map[string]any) { m["sub"] = "" },
		"no client":         func(m map[string]any) { delete(m, "client_id") },
		"no use":            func(m map[string]any) { delete(m, "token_use") },
		"another use":       func(m map[string]any) { m["token_use"] = "ID" },
		"no end":            func(m map[string]any) { delete(m, "exp") },
		"end is no number":  func(m map[string]any) { m["exp"] = "soon" },
		"end is zero":       func(m map[string]any) { m["exp"] = "0" },
		"auth_time is none": func(m map[string]any) { m["auth_time"] = "-1" },
		"no identity":       func(m map[string]any) { delete(m, "identity") },
		"not base64":        func(m map[string]any) { m["identity"] = "***" },
		"not JSON":          func(m map[string]any) { m["identity"] = "e30x" },
		"claims are a list": func(m map[string]any) { m["identity"] = base64.RawURLEncoding.EncodeToString([]byte(`{"claims":[]}`)) },
	} {
		m := maps.Clone(whole)
		change(m)
		if id, err := FromContext(m); !errors.Is(err, ErrNone) || !reflect.DeepEqual(id, Identity{}) {
			t.Errorf("%s: %v %+v", name, err, id)
		}
	}
	if _, err := FromContext(nil); !errors.Is(err, ErrNone) {
		t.Errorf("nil: %v", err)
	}
}

func TestEvents(t *testing.T) {
	authorizer, err := json.Marshal(handedOn(t, user, ""))
	if err != nil {
		t.Fatal(err)
	}
	read := func(text string, event any) {
		t.Helper()
		if err := json.Unmarshal([]byte(text), event); err != nil {
			t.Fatal(err)
		}
	}
	check := func(name string, id Identity, err error, want error) {
		t.Helper()
		if !errors.Is(err, want) || want == nil && !reflect.DeepEqual(id, user) || want != nil && !reflect.DeepEqual(id, Identity{}) {
			t.Errorf("%s: %v %+v", name, err, id)
		}
	}
	for name, want := range map[string]error{string(authorizer): nil, `null`: ErrNone, `{}`: ErrNone, `{"principalId":"s-1"}`: ErrNone} {
		var rest events.APIGatewayProxyRequest
		read(`{"requestContext":{"authorizer":`+name+`}}`, &rest)
		id, err := FromREST(rest)
		check("REST", id, err, want)
		id, err = FromHTTP1(rest)
		check("HTTP 1.0", id, err, want)
		var http2 events.APIGatewayV2HTTPRequest
		read(`{"requestContext":{"authorizer":{"lambda":`+name+`}}}`, &http2)
		id, err = FromHTTP2(http2)
		check("HTTP 2.0", id, err, want)
		var socket events.APIGatewayWebsocketProxyRequest
		read(`{"requestContext":{"authorizer":`+name+`}}`, &socket)
		id, err = FromWebSocket(socket)
		check("WebSocket", id, err, want)
	}
	id, err := FromHTTP2(events.APIGatewayV2HTTPRequest{})
	check("HTTP 2.0 without authorizer", id, err, ErrNone)
}

func TestMachine(t *testing.T) {
	same := user
	same.ClientID = same.Subject
	for _, c := range []struct {
		id   Identity
		want bool
	}{{machine, true}, {user, false}, {same, false}, {Identity{}, false}} {
		if got := c.id.Machine(); got != c.want {
			t.Errorf("%+v: %v", c.id, got)
		}
	}
	if !user.Has("admins") || user.Has("admin") || user.Has("") || machine.Has("admins") {
		t.Error("Has")
	}
}

func FuzzFromContext(f *testing.F) {
	f.Add("1", "i", "s", "c", "id", "a b", "1795352400", "e30")
	f.Fuzz(func(t *testing.T, v, iss, sub, client, use, groups, exp, whole string) {
		id, err := FromContext(map[string]any{"v": v, "iss": iss, "sub": sub, "client_id": client, "token_use": use, "groups": groups, "exp": exp, "identity": whole})
		if err != nil {
			if !errors.Is(err, ErrNone) || !reflect.DeepEqual(id, Identity{}) {
				t.Errorf("%v %+v", err, id)
			}
			return
		}
		if !id.complete() || v != Version {
			t.Errorf("%+v", id)
		}
		b, err := AppendContext(nil, id, nil)
		if errors.Is(err, ErrClaims) {
			return
		}
		var m map[string]any
		if err := json.Unmarshal([]byte("{"+string(b)+"}"), &m); err != nil {
			t.Fatal(err)
		}
		id.Claims = nil
		if again, err := FromContext(m); err != nil || strings.ToValidUTF8(iss+sub+client+groups, "") == iss+sub+client+groups && !reflect.DeepEqual(again, id) {
			t.Errorf("%v\n%+v\n%+v", err, again, id)
		}
	})
}
