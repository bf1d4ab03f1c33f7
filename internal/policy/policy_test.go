package policy

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"edgeauth/internal/reason"
)

const table = `
# methods   path         needs
*           /*           signed-in
*           /admin/*     group:admins
POST,PUT    /payments/*  group:treasury  max-age:10m
GET         /api/export  scope:reports/read
*           $connect     group:traders
`

var now = time.Date(2026, time.November, 22, 12, 0, 0, 0, time.UTC)

// in returns a user in groups who signed in just now.
func in(groups ...string) User { return User{Groups: groups, AuthTime: now.Unix(), Kind: Person} }

// aged returns u as if the sign-in were that long ago.
func aged(u User, ago time.Duration) User { u.AuthTime = now.Add(-ago).Unix(); return u }

func must(t testing.TB, text string) *Table {
	t.Helper()
	rules, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return rules
}

func TestDecide(t *testing.T) {
	rules := must(t, table)
	partial := must(t, "GET /open/* signed-in\nGET / signed-in\nPOST /* group:writers")
	stale := must(t, "GET /x max-age:10m\nGET /x group:g\nGET /* signed-in")
	program := User{Kind: Machine, Scope: "openid reports/read"}
	kinds := must(t, "* /* anyone\n* /in/* signed-in\n* /people/* user\n* /programs/* machine\nGET /some/* group:a,b\nGET /any scope:x,y\n* /out anyone")
	for _, c := range []struct {
		rules         *Table
		user          User
		method, route string
		want          reason.Code
	}{
		{rules, in(), "GET", "/", reason.OK},
		{rules, in(), "GET", "/admins", reason.OK},
		{rules, in(), "GET", "/a/admin/x", reason.OK},
		{rules, in(), "GET", "/Admins", reason.OK},
		{rules, in(), "GET", "/admin", reason.GroupRequired},
		{rules, in(), "GET", "/admin/", reason.GroupRequired},
		{rules, in(), "OPTIONS", "/admin/x/y", reason.GroupRequired},
		{rules, in("admin", "Admins", "admins2"), "GET", "/admin", reason.GroupRequired},
		{rules, in("x", "admins"), "GET", "/admin", reason.OK},

		{rules, in("treasury"), "POST", "/payments", reason.OK},
		{rules, aged(in("treasury"), 10*time.Minute), "POST", "/payments/1", reason.OK},
		{rules, aged(in("treasury"), 10*time.Minute+time.Second), "POST", "/payments/1", reason.StepUp},
		{rules, aged(in(), time.Hour), "POST", "/payments/1", reason.GroupRequired}, // a new sign-in would not help
		{stale, aged(in(), time.Hour), "GET", "/x", reason.GroupRequired},
		{stale, aged(in("g"), time.Hour), "GET", "/x", reason.StepUp},
		{rules, User{Kind: Person, Groups: []string{"treasury"}}, "PUT", "/payments/1", reason.StepUp},
		{rules, aged(in("treasury"), time.Hour), "GET", "/payments/1", reason.OK},

		{rules, in(), "GET", "/api/export", reason.ScopeRequired},
		{rules, in(), "GET", "/api/export/", reason.ScopeRequired},
		{rules, in(), "GET", "/api/export/more", reason.OK},
		{rules, program, "GET", "/api/export", reason.OK},
		{rules, User{Kind: Machine, Scope: "reports/reads xreports/read"}, "GET", "/api/export", reason.ScopeRequired},

		{rules, in(), "", Connect, reason.GroupRequired},
		{rules, in("traders"), "", Connect, reason.OK},
		{rules, in(), "GET", "/$connect", reason.OK},

		{rules, in("admins"), "TRACE", "/", reason.NoRule},
		{rules, in("admins"), "get", "/", reason.NoRule},
		{rules, in("admins"), "", "/", reason.NoRule},

		{partial, in(), "GET", "/open", reason.OK},
		{partial, in(), "GET", "/open/x", reason.OK},
		{partial, in(), "GET", "/", reason.OK},
		{partial, in(), "GET", "/x", reason.NoRule},
		{partial, in(), "GET", "/opener", reason.NoRule},
		{partial, in(), "PUT", "/open", reason.NoRule},
		{partial, in(), "POST", "/", reason.GroupRequired},
		{partial, in("writers"), "POST", "/x", reason.OK},
		{partial, in("writers"), "", Connect, reason.NoRule},

		{kinds, User{}, "GET", "/", reason.OK},
		{kinds, User{}, "GET", "/out", reason.OK},
		{kinds, User{}, "GET", "/in/x", reason.NoSession},
		{kinds, User{}, "GET", "/people", reason.NoSession},
		{kinds, User{}, "GET", "/programs", reason.NoSession},
		{kinds, User{}, "GET", "/some/x", reason.NoSession},
		{kinds, User{}, "GET", "/any", reason.NoSession},
		{rules, User{}, "GET", "/", reason.NoSession},
		{partial, User{}, "GET", "/x", reason.NoRule},
		{kinds, in(), "GET", "/", reason.OK},
		{kinds, in(), "GET", "/in/x", reason.OK},
		{kinds, in(), "GET", "/people/x", reason.OK},
		{kinds, in(), "GET", "/programs/x", reason.MachineRequired},
		{kinds, program, "GET", "/", reason.OK},
		{kinds, program, "GET", "/in", reason.OK},
		{kinds, program, "GET", "/people", reason.UserRequired},
		{kinds, program, "GET", "/programs", reason.OK},
		{kinds, in("a"), "GET", "/some/x", reason.OK},
		{kinds, in("c", "b"), "GET", "/some/x", reason.OK},
		{kinds, in("c", "a,b"), "GET", "/some/x", reason.GroupRequired},
		{kinds, User{Kind: Machine, Scope: "z y"}, "GET", "/any", reason.OK},
		{kinds, User{Kind: Machine, Scope: "x"}, "GET", "/any", reason.OK},
		{kinds, User{Kind: Machine, Scope: "x,y z"}, "GET", "/any", reason.ScopeRequired},
	} {
		if got := c.rules.Decide(c.method, c.route, c.user, now); got != c.want {
			t.Errorf("%+v %s %s: %s, want %s", c.user, c.method, c.route, got, c.want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", "policy: no rules, so nobody could do anything"},
		{"# only a comment\n\n", "policy: no rules, so nobody could do anything"},
		{"* /*", "policy: line 1: want methods, path and at least one need"},
		{"* /* # signed-in", "policy: line 1: a comment has a line of its own"},
		{"* /* signed-in # everybody   * /admin/* group:admins", "policy: line 1: a comment has a line of its own"},
		{"# rules\r* /* signed-in\r* /admin/* group:admins", "policy: line 1: a carriage return is no line break\npolicy: no rules, so nobody could do anything"},
		{"\n\nget / signed-in", `policy: line 3: no such method: "get"`},
		{"TRACE / signed-in", `policy: line 1: no such method: "TRACE"`},
		{"GET,* / signed-in", `policy: line 1: no such method: "*"`},
		{"GET, / signed-in", `policy: line 1: no such method: ""`},
		{"GET,GET / signed-in", `policy: line 1: method twice: "GET"`},
		{"* admin signed-in", `policy: line 1: path does not begin with a slash: "admin"`},
		{"* * signed-in", `policy: line 1: path does not begin with a slash: "*"`},
		{"* /" + strings.Repeat("a", maxPath) + " signed-in", "policy: line 1: path is longer than 256"},
		{"* /a/ signed-in", `policy: line 1: path ends in a slash, with and without which it is the same path: "/a/"`},
		{"* /a//* signed-in", `policy: line 1: path ends in a slash, with and without which it is the same path: "/a//*"`},
		{"* /a//b signed-in", `policy: line 1: path has an empty or dot segment: "/a//b"`},
		{"* /a/../b signed-in", `policy: line 1: path has an empty or dot segment: "/a/../b"`},
		{"* /./* signed-in", `policy: line 1: path has an empty or dot segment: "/./*"`},
		{"* /a* signed-in", character("/a*")},
		{"* /*/a signed-in", character("/*/a")},
		{"* /*/* signed-in", character("/*/*")},
		{"* /a?b signed-in", character("/a?b")},
		{"* /a%20b signed-in", character("/a%20b")},
		{"* /{id} signed-in", character("/{id}")},
		{"* /é signed-in", character("/é")},
		{"* /@me signed-in", character("/@me")},
		{"GET $connect signed-in", "policy: line 1: the handshake of a WebSocket has no method: want *"},
		{"* $disconnect signed-in", `policy: line 1: path does not begin with a slash: "$disconnect"`},
		{"* / signedin", need1("signedin")},
		{"* / signed-in:x", need1("signed-in:x")},
		{"* / group", need1("group")},
		{"* / group:", need1("group:")},
		{"* / Group:x", need1("Group:x")},
		{"* / scope:", need1("scope:")},
		{"* / anyone:x", need1("anyone:x")},
		{"* / user:", need1("user:")},
		{"* / machines", need1("machines")},
		{"* / group:a,", group1("group:a,")},
		{"* / group:,a", group1("group:,a")},
		{"* / group:a,,b", group1("group:a,,b")},
		{"* / group:a\x01b", group1("group:a\x01b")},
		{"* / group:a\u200bb", group1("group:a\u200bb")},
		{"* / group:" + strings.Repeat("é", 129), group1("group:" + strings.Repeat("é", 129))},
		{"* / group:a|b", `policy: line 1: a group's name with | in it: any of several groups is group:a,b: "group:a|b"`},
		{"* / scope:x,", scope1("scope:x,")},
		{"* / scope:x\"y", scope1("scope:x\"y")},
		{"* / scope:x\\y", scope1("scope:x\\y")},
		{"* / scope:é", scope1("scope:é")},
		{"* / machine user", alone1},
		{"* / group:a machine", alone1},
		{"* / machine max-age:10m", alone1},
		{"* /admin/* user\n* /Admin/* user", `policy: "/admin" and "/Admin" differ in nothing but the case of letters, or dots`},
		{"* /Admin/* user\nGET /admin/users user", `policy: "/Admin" and "/admin/users" differ in nothing but the case of letters, or dots`},
		{"* /a./x user\nGET /a/* user", `policy: "/a" and "/a./x" differ in nothing but the case of letters, or dots`},
		{"* / max-age", age1("max-age")},
		{"* / max-age:10", age1("max-age:10")},
		{"* / max-age:59s", age1("max-age:59s")},
		{"* / max-age:-10m", age1("max-age:-10m")},
		{"* / signed-in\nX / signed-in\n* / y", "policy: line 2: no such method: \"X\"\npolicy: line 3: " + strings.TrimPrefix(need1("y"), "policy: line 1: ")},
		{strings.Repeat("* / signed-in\n", maxRules+1), "policy: 201 rules, more than 200"},
	} {
		switch _, err := Parse(c.text); {
		case err == nil:
			t.Errorf("%q is accepted", c.text)
		case err.Error() != c.want:
			t.Errorf("%q: %v, want %s", c.text, err, c.want)
		}
	}
}

func character(path string) string {
	return `policy: line 1: path has a character other than letters, digits and - . _ ~ / (a star stands at the end only, after a slash): "` + path + `"`
}

func need1(field string) string {
	return `policy: line 1: no such need (there are anyone, signed-in, user, machine, group:…, scope:… and max-age:…): "` + field + `"`
}

const alone1 = "policy: line 1: a machine is no user, is in no group and never signed in: nobody could meet this rule"

func group1(field string) string {
	return fmt.Sprintf("policy: line 1: not a group's name, or not names with commas between them: %q", field)
}

func scope1(field string) string {
	return fmt.Sprintf("policy: line 1: not a scope, or not scopes with commas between them: %q", field)
}

func age1(field string) string {
	return `policy: line 1: max-age is not a duration of a minute or more, such as 10m: "` + field + `"`
}

// TestParseTakes: what is at a limit is within it.
func TestParseTakes(t *testing.T) {
	for _, text := range []string{
		strings.Repeat("* / signed-in\n", maxRules),
		"* /" + strings.Repeat("a", maxPath-1) + "/* signed-in",
		"* / max-age:1m",
		"* / group:" + strings.Repeat("é", 128),
		"* / group:a.b-c_d/e:f,é😀,+",
		"* / scope:https://api.example.com/reports.read,openid",
		"* /Admin/* user\n* /Admin/Users/* group:a\n* /administrators user",
		"* / user group:a,b scope:x max-age:10m",
		"* / machine scope:x",
		"* / signed-in\r\n* /a user\r\n",
	} {
		if _, err := Parse(text); err != nil {
			t.Errorf("%.60q: %v", text, err)
		}
	}
	_, err := Parse("* / user\r* /a user\n* /b user\r* /c user")
	if want := "policy: line 1: a carriage return is no line break\npolicy: line 2: a carriage return is no line break\npolicy: no rules, so nobody could do anything"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

// TestDisguises: a path that only a forgiving backend takes for a rule's is refused, whoever sends
// it.
func TestDisguises(t *testing.T) {
	rules := must(t, "* /* user\n* /admin/* group:admins\nGET /Reports/Annual scope:x\n* /v1.0/x group:g\n* /kit user")
	for _, path := range []string{
		"/Admin", "/ADMIN/users", "/admiN/", "/admin%20", "/admin%20/x", "/admin./x", "/admin.", "/admin..", "/%20admin", "/.admin", "/admin+", "/admin%2B", "/admin%C2%A0", "/admin%E3%80%80",
		"/adm%C4%B1n", "/adm%C4%B0n", "/%20/admin", "/admin%20%20/", "/admin .", "/ADMIN%20.", "/reports/annual", "/Reports/annual/", "/Reports/Annual.", "/V1.0/x", "/v1.0./x", "/REPORT%C5%BF/annual", "/%E2%84%AAit",
	} {
		if !Plain(path) {
			t.Errorf("%s is not plain, so it proves nothing", path)
		}
		if got := rules.Decide("GET", path, in("admins", "g"), now); got != reason.PathNotPlain {
			t.Errorf("%s: %s", path, got)
		}
	}
	for path, want := range map[string]reason.Code{
		"/admin": reason.OK, "/admin/Users": reason.OK, "/admin/x.": reason.OK, "/admin/x%20y": reason.OK, "/administrators": reason.OK, "/Administrators": reason.OK, "/admin.json": reason.OK,
		"/x/Admin": reason.OK, "/adm%20in": reason.OK, "/Reports": reason.OK, "/Reports/Annual": reason.ScopeRequired, "/Reports/Annual/2026": reason.OK, "/reports/annual/2026": reason.OK,
		"/v1.0/x": reason.OK, "/v1/x": reason.OK, "/": reason.OK,
	} {
		if got := rules.Decide("GET", path, in("admins", "g"), now); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	if got := must(t, "* /admin/* group:admins\n* $connect user").Decide("", Connect, in(), now); got != reason.OK {
		t.Errorf("a handshake: %s", got)
	}
}

func TestOpen(t *testing.T) {
	for text, want := range map[string]bool{
		"* /* user": false, "* /* signed-in\n* /x scope:y": false, "* /* user\n* /public/* anyone": true, "* / anyone": true, "* / anyone user": false,
	} {
		if got := must(t, text).Open(); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestPlain(t *testing.T) {
	for _, path := range []string{
		"/", "/a", "/a/", "/a/b.c/..d/...", "/a%20b", "/%C3%A9", "/%c3%aa", "/a%3ab", "/a%40b", "/a+b@c:d,e=f!g$h&i'j(k)", "/$connect", "/a b", "/é", "/%7B", "/%F0%9F%94%91",
	} {
		if !Plain(path) {
			t.Errorf("%q is not plain", path)
		}
	}
	for _, path := range []string{
		"", "a", "*", "//", "//a", "/a//b", "/a//", "/.", "/..", "/./a", "/../a", "/a/.", "/a/..", "/a/./b", "/a/../b",
		"/%61dmin", "/%41", "/a%2e", "/%2E%2e/a", "/a%2fb", "/a%2Fb", "/a%5cb", `/a\b`, `\a`, "/a;b", "/a%3bb", "/a%3B", "/a%252fb", "/%25", "/%7e", "/%2d", "/%5F", "/%39",
		"/%6a", "/%7A", "/%4a", "/a%", "/a%2", "/a%zz", "/%u0041", "/a\x00b", "/a\tb", "/a\nb", "/a\x7fb", "/%00", "/%0a", "/%7F", "/a*b", "/*", "/a?b", "/a#b",
		"/a%3f", "/a%3Fx", "/a%23", "/%2a", "/x%c0%af..%c0%afadmin", "/%c0%ae%c0%ae/admin", "/admin%85", "/a%ff",
	} {
		if Plain(path) {
			t.Errorf("%q is plain", path)
		}
	}
}
