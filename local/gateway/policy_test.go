package gateway

import (
	"encoding/json"
	"strings"
	"testing"
)

const testARN = "arn:aws:execute-api:eu-west-1:123456789012:local00001/Prod/GET/api/me"

func allow(resources ...string) string { return document("Allow", resources...) }

func deny(resources ...string) string { return document("Deny", resources...) }

func document(effect string, resources ...string) string {
	list, _ := json.Marshal(resources)
	return `{"Effect":"` + effect + `","Action":"execute-api:Invoke","Resource":` + string(list) + `}`
}

func policyOf(statements ...string) string {
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
}

func TestEvaluate(t *testing.T) {
	const api = "arn:aws:execute-api:eu-west-1:123456789012:local00001"
	for _, c := range []struct {
		name       string
		statements []string
		arn        string
		want       outcome
	}{
		{"the very ARN", []string{allow(testARN)}, testARN, allowed},
		{"another ARN", []string{allow(testARN)}, api + "/Prod/GET/api/you", notMentioned},
		{"everything", []string{allow("*")}, testARN, allowed},
		{"a star crosses slashes", []string{allow(api + "/Prod/GET/*")}, testARN, allowed},
		{"a star in the middle crosses slashes as well", []string{allow(api + "/*/GET/admin/*")}, api + "/Prod/POST/x/GET/admin/y", allowed},
		{"a star crosses the colons of a path", []string{allow(api + "/Prod/*")}, api + "/Prod/GET/a:b:c", allowed},
		{"a star does not cross the colons before the path", []string{allow("arn:aws:e*1:123456789012:local00001/Prod/GET/x:*")}, api + "/Prod/GET/x:y", notMentioned},
		{"a star for one part each", []string{allow("arn:*:execute-api:*:*:*")}, testARN, allowed},
		{"a question mark is one character", []string{allow(api + "/Prod/GET/api/m?")}, testARN, allowed},
		{"a question mark is not none", []string{allow(api + "/Prod/GET/api/me?")}, testARN, notMentioned},
		{"a question mark is a slash, too", []string{allow(api + "/Prod/GET/api?me")}, testARN, allowed},
		{"a resource is compared with case", []string{allow(api + "/Prod/GET/API/me")}, testARN, notMentioned},
		{"a prefix is not enough", []string{allow(api + "/Prod/GET/api")}, testARN, notMentioned},
		{"an explicit Deny wins, first", []string{deny(testARN), allow("*")}, testARN, denied},
		{"an explicit Deny wins, last", []string{allow("*"), deny(testARN)}, testARN, denied},
		{"a Deny of something else", []string{allow("*"), deny(api + "/Prod/GET/admin")}, testARN, allowed},
		{"only a Deny of something else", []string{deny(api + "/Prod/GET/admin")}, testARN, notMentioned},
		{"one of several resources", []string{allow(api+"/Prod/GET/x", testARN)}, testARN, allowed},
		{"the action without regard to case", []string{`{"Effect":"Allow","Action":"EXECUTE-API:invoke","Resource":"*"}`}, testARN, allowed},
		{"an action with a star", []string{`{"Effect":"Allow","Action":["s3:*","execute-api:In*"],"Resource":"*"}`}, testARN, allowed},
		{"another action", []string{`{"Effect":"Allow","Action":"execute-api:ManageConnections","Resource":"*"}`}, testARN, notMentioned},
		{"a Deny of another action", []string{allow("*"), `{"Effect":"Deny","Action":"s3:*","Resource":"*"}`}, testARN, allowed},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := parsePolicy(json.RawMessage(policyOf(c.statements...)))
			if err != nil {
				t.Fatal(err)
			}
			if got := p.evaluate(c.arn); got != c.want {
				t.Errorf("outcome %d, want %d", got, c.want)
			}
		})
	}
}

func TestOneStatementNeedsNoList(t *testing.T) {
	p, err := parsePolicy(json.RawMessage(`{"Version":"2012-10-17","Id":"x","Statement":{"Sid":"s","Effect":"Allow","Action":"execute-api:Invoke","Resource":"*"}}`))
	if err != nil || p.evaluate(testARN) != allowed {
		t.Fatalf("%v, %v", p, err)
	}
}

func TestPoliciesThatAreRefused(t *testing.T) {
	for _, c := range []struct{ name, document, want string }{
		{"none", ``, "policyDocument is not an object"},
		{"null", `null`, "policyDocument is not an object"},
		{"a text", `"x"`, "policyDocument is not an object"},
		{"no version", `{"Statement":[` + allow("*") + `]}`, "Version"},
		{"an old version", `{"Version":"2008-10-17","Statement":[` + allow("*") + `]}`, "Version"},
		{"no statement", `{"Version":"2012-10-17"}`, "Statement: missing"},
		{"an empty list", policyOf(), "Statement: empty"},
		{"another member", `{"Version":"2012-10-17","Statements":[]}`, `not modelled: "Statements"`},
		{"a member in another case", `{"version":"2012-10-17","Statement":[` + allow("*") + `]}`, `not modelled: "version"`},
		{"a member twice", `{"Version":"2012-10-17","Statement":[` + deny("*") + `],"Statement":[` + allow("*") + `]}`, "a member twice"},
		{"a statement that is none", policyOf(`"x"`), "statement 0: statement is not an object"},
		{"no effect", policyOf(`{"Action":"*","Resource":"*"}`), "Effect"},
		{"another effect", policyOf(`{"Effect":"allow","Action":"*","Resource":"*"}`), "Effect"},
		{"no action", policyOf(`{"Effect":"Allow","Resource":"*"}`), "Action: missing"},
		{"an empty list of actions", policyOf(`{"Effect":"Allow","Action":[],"Resource":"*"}`), "Action: empty"},
		{"an action that is no text", policyOf(`{"Effect":"Allow","Action":[1],"Resource":"*"}`), "Action: not a text"},
		{"no resource", policyOf(`{"Effect":"Allow","Action":"*"}`), "Resource: missing"},
		{"an empty list of resources", policyOf(allow()), "Resource: missing"},
		{"a resource that is null", policyOf(`{"Effect":"Allow","Action":"*","Resource":[null]}`), "Resource: not a text"},
		{"a resource that is no ARN", policyOf(allow("execute-api:/*")), "no ARN"},
		{"a resource that is too long", policyOf(allow(testARN + strings.Repeat("x", 512))), "longer than 512"},
		{"a policy variable", policyOf(allow(testARN + "${aws:username}")), "policy variables"},
		{"a condition", policyOf(`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{}}`), `not modelled: "Condition"`},
		{"NotAction", policyOf(`{"Effect":"Allow","NotAction":"s3:*","Resource":"*"}`), `not modelled: "NotAction"`},
		{"NotResource", policyOf(`{"Effect":"Allow","Action":"*","NotResource":"arn"}`), `not modelled: "NotResource"`},
		{"Principal", policyOf(`{"Effect":"Allow","Action":"*","Resource":"*","Principal":"*"}`), `not modelled: "Principal"`},
		{"the second statement counts, too", policyOf(allow("*"), `{}`), "statement 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := parsePolicy(json.RawMessage(c.document))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("error %v, want one with %s", err, c.want)
			}
		})
	}
}

// naive says what matches should, in the words of the definition.
func naive(pattern, s []rune) bool {
	switch {
	case len(pattern) == 0:
		return len(s) == 0
	case pattern[0] == '*':
		return naive(pattern[1:], s) || len(s) > 0 && naive(pattern, s[1:])
	case len(s) == 0:
		return false
	}
	return (pattern[0] == '?' || pattern[0] == s[0]) && naive(pattern[1:], s[1:])
}

func FuzzMatches(f *testing.F) {
	for _, seed := range [][2]string{
		{"", ""}, {"*", ""}, {"*", "abc"}, {"a*c", "abcbc"}, {"a*b*c", "aXbYcbc"}, {"?", "é"}, {"**?", "a"}, {"a?*", "a"}, {"*a*a*", "aa"}, {"x*", "y"}, {"*/GET/*", "Prod/GET/a"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, pattern, s string) {
		if len(pattern) > 12 || len(s) > 24 {
			return // the naive one takes for ever
		}
		if got, want := matches(pattern, s), naive([]rune(pattern), []rune(s)); got != want {
			t.Errorf("matches(%q, %q) = %v, want %v", pattern, s, got, want)
		}
	})
}
