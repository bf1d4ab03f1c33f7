package policy

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"edgeauth/internal/reason"
)

const api = "arn:aws:execute-api:eu-west-1:123456789012:abcdef1234/Prod/"

func document(t testing.TB, rules *Table, u User, refused string) string {
	t.Helper()
	b, err := rules.AppendDocument([]byte("x"), api, u, now, refused)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimPrefix(string(b), "x")
}

func TestDocument(t *testing.T) {
	shipped := must(t, "* /* signed-in")
	rules := must(t, "* /* signed-in\nGET /admin/* group:admins\nPOST,PUT /pay group:treasury max-age:10m\n* $connect group:traders")
	closed := must(t, "* /* group:staff\nGET /a scope:x")
	open := must(t, "GET /* signed-in\nGET,POST /a/* signed-in\nPOST / signed-in")
	for _, c := range []struct {
		name    string
		rules   *Table
		user    User
		refused string
		want    string // statements, with the API's ARN left out
	}{
		{"shipped", shipped, in(), "", `Allow *`},
		{"nothing held back", rules, in("admins", "treasury", "traders"), "", `Allow *`},
		{"denied what is not held", rules, in("admins"), "", `Allow *; Deny $connect POST/pay POST/pay/ PUT/pay PUT/pay/`},
		{"too long ago", rules, aged(in("admins", "treasury", "traders"), time.Hour), "", `Allow *; Deny POST/pay POST/pay/ PUT/pay PUT/pay/`},
		{"sorted", rules, in("treasury"), "", `Allow *; Deny $connect GET/admin GET/admin/*`},
		{"a Deny over everything", closed, User{Kind: Machine, Scope: "x"}, "", `Deny *`},
		{"an Allow in a Deny's shadow", must(t, "GET /a/* group:g\nGET /a/b signed-in"), in(), "", `Deny GET/a GET/a/*`},
		{"a Deny beside an Allow", must(t, "GET /a signed-in\nGET /a group:g"), in(), "", `Deny GET/a GET/a/`},
		{"wider Denies stand for narrower ones", must(t, "GET /a/* group:g\nGET /a/b group:h"), in(), "", `Deny GET/a GET/a/*`},
		{"wider Allows stand for narrower ones", open, in(), "", `Allow GET/* POST/ POST/a POST/a/*`},
		{"a refused request is named", open, in(), api + "PUT/x%20y", `Allow GET/* POST/ POST/a POST/a/*; Deny PUT/x%20y`},
		{"a refused request joins the Denies", rules, in("treasury", "traders"), api + "GET/admin/x", `Allow *; Deny GET/admin GET/admin/* GET/admin/x`},
		{"a star in the request", open, in(), api + "PUT/*", `Deny *`},
		{"a question mark in the request", open, in(), api + "PUT/?", `Deny *`},
		{"a policy variable in the request", open, in(), api + "PUT/${aws:username}", `Deny *`},
		{"a quote in the request", open, in(), api + `PUT/"`, `Deny *`},
		{"a long request", open, in(), api + "PUT/" + strings.Repeat("a", 450), `Deny *`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := summary(t, document(t, c.rules, c.user, c.refused)); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// summary writes a document as "Effect resource resource; Effect …" and checks everything else
// about it.
func summary(t *testing.T, text string) string {
	t.Helper()
	var parts []string
	for _, s := range parse(t, text).Statement {
		resources := make([]string, len(s.Resource))
		for i, r := range s.Resource {
			var ok bool
			if resources[i], ok = strings.CutPrefix(r, api); !ok {
				t.Errorf("%s is not on this API", r)
			}
		}
		parts = append(parts, s.Effect+" "+strings.Join(resources, " "))
	}
	return strings.Join(parts, "; ")
}

func TestDocumentText(t *testing.T) {
	const want = `{"Version":"2012-10-17","Statement":[` +
		`{"Action":"execute-api:Invoke","Effect":"Allow","Resource":["` + api + `*"]},` +
		`{"Action":"execute-api:Invoke","Effect":"Deny","Resource":["` + api + `GET/a","` + api + `GET/a/"]}]}`
	if got := document(t, must(t, "* /* signed-in\nGET /a group:g"), in(), ""); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	const none = `{"Version":"2012-10-17","Statement":[{"Action":"execute-api:Invoke","Effect":"Deny","Resource":["` + api + `*"]}]}`
	if got := string(AppendDenyAll(nil, api)); got != none {
		t.Errorf("got  %s\nwant %s", got, none)
	}
}

func TestDocumentRefusesWhatIsTooLarge(t *testing.T) {
	if _, err := must(t, "* /* signed-in").AppendDocument(nil, api[:len(api)-1]+strings.Repeat("x", maxResource-len(api))+"/", in(), now, ""); !errors.Is(err, ErrTooLarge) {
		t.Errorf("%v, want %v", err, ErrTooLarge)
	}
	if _, err := must(t, "* /* signed-in").AppendDocument(nil, api[:len(api)-1]+strings.Repeat("x", maxResource-len(api)-1)+"/", in(), now, ""); err != nil {
		t.Errorf("a resource of the greatest length: %v", err)
	}
	for extra, want := range map[int]string{0: "PUT", 1: "*"} { // a refused request is named where that can be said
		refused := api + "PUT/" + strings.Repeat("a", maxResource-len(api)-4+extra)
		if got := summary(t, document(t, must(t, "GET /* signed-in"), in(), refused)); !strings.Contains(got, "Deny "+want) {
			t.Errorf("%d bytes too many: %s", extra, got)
		}
	}
	long := must(t, "GET /"+strings.Repeat("a", maxPath-1)+" signed-in")
	if _, err := long.AppendDocument(nil, api, in(), now, ""); err != nil {
		t.Errorf("the longest path with an ordinary API: %v", err)
	}
}

// TestDocumentIsTheRules is the promise that everything rests on: for every route, what IAM makes
// of a user's document is what the rules say. The document is made for one request and tried on all
// the others, as a cache would.
func TestDocumentIsTheRules(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	seen := map[bool]int{}
	for range 600 {
		text := randomTable(random)
		rules, user := must(t, text), randomUser(random)
		asked := randomRoute(random)
		var refused string
		if rules.Decide(asked.method, asked.path, user, now) != reason.OK {
			refused = asked.arn()
		}
		b, err := rules.AppendDocument(nil, api, user, now, refused)
		if errors.Is(err, ErrTooLarge) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		doc := parse(t, string(b))
		if got := doc.allows(asked.arn()); got != (refused == "") {
			t.Fatalf("%s\n%+v\n%v: document %v, rules %v\n%s", text, user, asked, got, refused == "", b)
		}
		if !literal(asked.arn()) {
			continue // such a request is refused whatever the rules say, and the document with it
		}
		for range 60 {
			route := randomRoute(random)
			code := rules.Decide(route.method, route.path, user, now)
			if code == reason.PathNotPlain {
				continue // no document can say that: such a request is refused by itself
			}
			got, want := doc.allows(route.arn()), code == reason.OK
			if got != want {
				t.Fatalf("%s\n%+v\ndocument for %v says %v of %v, rules %v\n%s", text, user, asked, got, route, want, b)
			}
			seen[got]++
		}
	}
	if seen[true] < 1000 || seen[false] < 1000 {
		t.Errorf("too little of one kind: %v", seen)
	}
}

// TestPlainPathsAreReadAlike is the other half: a backend that resolves escapes, dots and slashes
// finds itself under the same rules.
func TestPlainPathsAreReadAlike(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	pieces := []string{"/", "/", "admin", "a", ".", "..", "%2e", "%2f", "%5c", "%61", "dmin", "%20", "%25", "2f", ";", "\\", "*", "?", "x"}
	plain := 0
	for range 20000 {
		var b strings.Builder
		b.WriteByte('/')
		for range random.IntN(7) {
			b.WriteString(pieces[random.IntN(len(pieces))])
		}
		p := b.String()
		if !Plain(p) {
			continue
		}
		plain++
		read, err := url.PathUnescape(p)
		if err != nil {
			t.Fatalf("%q is plain, but %v", p, err)
		}
		read = path.Clean(strings.ReplaceAll(read, `\`, "/"))
		for _, rule := range []string{"* /admin/* signed-in", "* /a signed-in", "* /a/* signed-in", "* /x/a signed-in", "* / signed-in"} {
			rules := must(t, rule)
			if a, b := rules.Decide("GET", p, in(), now), rules.Decide("GET", read, in(), now); a != b {
				t.Errorf("%s: %q %s, but read as %q %s", rule, p, a, read, b)
			}
		}
	}
	if plain < 1000 {
		t.Errorf("only %d paths were plain", plain)
	}
}

// TestSpellings is the other half of what paths mean: wherever a forgiving backend ends up, its
// rules were met.
func TestSpellings(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	pieces := []string{"/", "/", "a", "A", "admin", "ADMIN", "Admin", "b", "B", "%20", "+", ".", "%C2%A0", "%C4%B0", "%C4%B1", "get", "GET", "x", "adm%C4%B1n", "/admin/", "/a/"}
	met, walked := 0, 0
	for range 30000 {
		rules, user := must(t, distinct(randomTable(random))), randomUser(random)
		var b strings.Builder
		b.WriteByte('/')
		for range random.IntN(6) {
			b.WriteString(pieces[random.IntN(len(pieces))])
		}
		p := b.String()
		if !Plain(p) || rules.Decide("GET", p, user, now) != reason.OK {
			continue
		}
		met++
		for _, read := range []string{strings.ToLower(p), strings.ToUpper(p), forgiving(p)} {
			if read != p {
				walked++
			}
			if code := rules.Decide("GET", read, user, now); code != reason.OK && code != reason.PathNotPlain && code != reason.NoRule {
				t.Fatalf("%q is allowed, but read as %q it is %s", p, read, code)
			}
		}
	}
	if met < 1000 || walked < 1000 {
		t.Errorf("%d paths were allowed, %d of them read differently", met, walked)
	}
}

// forgiving reads a path as a backend does that takes letters of either case and drops white space
// and dots around a segment.
func forgiving(p string) string {
	p, _ = url.PathUnescape(p)
	var kept []string
	for _, segment := range strings.Split(strings.ReplaceAll(p, "+", " "), "/") {
		if segment = strings.Trim(strings.ToLower(strings.ToUpper(segment)), " .\u00a0"); segment != "" {
			kept = append(kept, segment)
		}
	}
	return "/" + strings.Join(kept, "/")
}

// distinct leaves out of a table the paths with capital letters.
func distinct(table string) string { return strings.ReplaceAll(table, "/GET/", "/get/") }

type route struct{ method, path string }

func (r route) arn() string { return api + r.method + r.path }

func randomRoute(random *rand.Rand) route {
	if random.IntN(12) == 0 {
		return route{"", Connect}
	}
	segments := []string{"a", "b", "admin", "aa", "x%20y", "GET", "POST", "$connect", "a:b", "abcdef1234", "Prod", "${aws:username}", "*", "?", "é", `"`, "~.-_"}
	var b strings.Builder
	for range random.IntN(4) {
		b.WriteString("/" + segments[random.IntN(len(segments))])
	}
	if b.Len() == 0 || random.IntN(5) == 0 {
		b.WriteByte('/')
	}
	return route{methods[random.IntN(len(methods))], b.String()}
}

func randomTable(random *rand.Rand) string {
	paths := []string{"/*", "/*", "/", "/a", "/a/*", "/a/b", "/a/b/*", "/admin/*", "/admin", "/b/*", "/aa", "/GET/*", "/GET/a", "/~.-_"}
	needs := []string{"signed-in", "signed-in", "group:g1", "group:g2", "group:g1,g2", "scope:s/1", "scope:s/1,s/2", "max-age:10m", "group:g1 max-age:10m", "anyone", "user", "machine"}
	var b strings.Builder
	for range 1 + random.IntN(5) {
		method := "*"
		if random.IntN(2) == 0 {
			some := slices.Clone(methods[:])
			random.Shuffle(len(some), func(i, j int) { some[i], some[j] = some[j], some[i] })
			method = strings.Join(some[:1+random.IntN(3)], ",")
		}
		fmt.Fprintln(&b, method, paths[random.IntN(len(paths))], needs[random.IntN(len(needs))])
	}
	if random.IntN(4) == 0 {
		fmt.Fprintln(&b, "* $connect", needs[random.IntN(len(needs))])
	}
	return b.String()
}

func randomUser(random *rand.Rand) User {
	u := User{Kind: Kind(random.IntN(3)), AuthTime: now.Add(-time.Duration(random.IntN(20)) * time.Minute).Unix()}
	for _, g := range []string{"g1", "g2", "*", `"`, "${aws:username}", api + "*", "a\r\nb"} {
		if random.IntN(2) == 0 {
			u.Groups = append(u.Groups, g)
		}
	}
	if random.IntN(2) == 0 {
		u.Scope = "openid s/1"
	}
	return u
}

// policyDocument is an IAM document as API Gateway takes it.
type policyDocument struct {
	Version   string
	Statement []struct {
		Action, Effect string
		Resource       []string
	}
}

func parse(t testing.TB, text string) (d policyDocument) {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&d); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	if d.Version != "2012-10-17" || len(d.Statement) == 0 {
		t.Errorf("not a policy document: %s", text)
	}
	for _, s := range d.Statement {
		if s.Action != "execute-api:Invoke" || len(s.Resource) == 0 {
			t.Errorf("not a statement of a policy document: %+v", s)
		}
	}
	return d
}

// allows evaluates the document as IAM does, without any of the package's own thoughts about
// patterns:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
func (d policyDocument) allows(arn string) bool {
	allow := false
	for _, s := range d.Statement {
		for _, resource := range s.Resource {
			switch {
			case !glob(resource, arn):
			case s.Effect == "Deny":
				return false
			default:
				allow = true
			}
		}
	}
	return allow
}

// glob matches as IAM does: a star is any text, slashes included, a question mark any one
// character.
func glob(pattern, s string) bool {
	switch {
	case pattern == "":
		return s == ""
	case pattern[0] == '*':
		return glob(pattern[1:], s) || s != "" && glob(pattern, s[1:])
	}
	return s != "" && (pattern[0] == '?' || pattern[0] == s[0]) && glob(pattern[1:], s[1:])
}
