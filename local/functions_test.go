package local

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// fetch returns status and body.
func fetch(t *testing.T, url string) (int, string) {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

// emulator is a process of the developer's own, as the Runtime Interface Emulator would show it.
func emulator(t *testing.T, answer string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		event, _ := io.ReadAll(r.Body)
		if r.Method != http.MethodPost || r.URL.Path != "/2015-03-31/functions/function/invocations" || !strings.Contains(string(event), `"principalId":"u"`) {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// Functions in several languages get the same event from one authorizer. What cannot run here says so, in its answer and at the start.
func TestLanguages(t *testing.T) {
	for _, interpreter := range []string{"python3", "node"} {
		if _, err := exec.LookPath(interpreter); err != nil {
			t.Skipf("there is no %s", interpreter)
		}
	}
	own := emulator(t, `{"statusCode":201,"body":"own"}`)
	s := launch(t, "-template", "testdata/languages.yaml", "-build", buildFolder(t, "AuthorizerFunction"), "-app-port", "0", "-cognito-port", "0", "-at", "OwnFunction="+own)
	for _, c := range []struct {
		path   string
		status int
		body   string
	}{
		{"", 200, "python u"},
		{"node", 200, "node u"},
		{"java", 501, "JavaFunction needs the runtime java21, which does not run here: provided.*, python3.* and nodejs* do.\n"},
		{"image", 501, "ImageFunction is a container image, and those do not run here.\n"},
		{"own", 201, "own"},
	} {
		if status, body := fetch(t, s.url+c.path); status != c.status || body != c.body {
			t.Errorf("/%s answers %d %q, want %d %q", c.path, status, body, c.status, c.body)
		}
	}
	for _, want := range []string{
		"Set aside: JavaFunction needs the runtime java21, which does not run here: provided.*, python3.* and nodejs* do. Its routes answer 501.\n",
		"Set aside: ImageFunction is a container image, and those do not run here. Its routes answer 501.\n",
		"OwnFunction is the process at " + own + "\n",
	} {
		if strings.Count(s.stderr.String(), want) != 1 {
			t.Errorf("not said once: %s%s", want, s.stderr)
		}
	}
}

// An emulator answers 200 to whatever a function does; the error's shape alone tells.
func TestRemote(t *testing.T) {
	for _, c := range []struct{ name, answer, fault string }{
		{"an answer", `{"statusCode":200,"errorMessage":"x"}`, ""},
		{"a policy", `{"principalId":"u"}`, ""},
		{"not even JSON", `text`, ""},
		{"an error", `{"errorMessage":"Unauthorized","errorType":"Error","stackTrace":[]}`, "runtime: Error: Unauthorized"},
		{"an error without a type", `{"errorMessage":"Unauthorized"}`, "runtime: : Unauthorized"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := newRemote("F", emulator(t, c.answer)+"/")
			if err != nil {
				t.Fatal(err)
			}
			out, err := r.Invoke(t.Context(), []byte(`{"principalId":"u"}`))
			switch {
			case c.fault == "" && (err != nil || string(out) != c.answer):
				t.Errorf("%s, %v, want %s", out, err, c.answer)
			case c.fault != "" && (err == nil || err.Error() != c.fault):
				t.Errorf("%s, %v, want the error %s", out, err, c.fault)
			}
		})
	}
	r, err := newRemote("F", emulator(t, "")+"/elsewhere")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Invoke(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "/elsewhere answers 404") {
		t.Errorf("a path of its own: %v", err)
	}
}

// A wrong address of the keys is said at the start, in words, and nothing else stops for it.
func TestKeysOutOfReach(t *testing.T) {
	wrong := httptest.NewServer(http.NotFoundHandler())
	defer wrong.Close()
	template := func(url string) string {
		return changed(t, "testdata/template.yaml", "AuthorizerFunction: { Type: AWS::Serverless::Function }", "AuthorizerFunction: { Type: AWS::Serverless::Function, Properties: { Environment: { Variables: { AUTH_ISSUER: !GetAtt UserPool.ProviderURL, AUTH_JWKS_URL: '"+url+"' } } } }")
	}
	for url, want := range map[string]string{
		"":                    "",
		wrong.URL + "/k":      "AuthorizerFunction finds no keys at " + wrong.URL + "/k: it answers 404 Not Found. Whoever shows a token will get 500.",
		"http://127.0.0.1:1/": "AuthorizerFunction finds no keys at http://127.0.0.1:1/: ",
	} {
		s := launch(t, flags(t, "-template", template(url))...)
		if said := s.stderr.String(); !strings.Contains(said, want) || strings.Contains(said, "finds no keys") != (want != "") {
			t.Errorf("%s: %s", url, said)
		}
	}
}

func TestLanguagesRefuse(t *testing.T) {
	languages := func(more ...string) []string {
		if !slices.Contains(more, "-template") {
			more = append([]string{"-template", "testdata/languages.yaml"}, more...)
		}
		return append([]string{"-build", buildFolder(t, "AuthorizerFunction"), "-app-port", "0", "-cognito-port", "0"}, more...)
	}
	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{"an interpreter that is not there", languages("-python", "/nowhere/python"), "runtime: -python /nowhere/python"},
		{"a process for no function", languages("-at", "Nope=http://127.0.0.1:1"), "-at Nope: there is no function Nope"},
		{"a process at no URL", languages("-at", "NodeFunction=localhost"), `-at NodeFunction: "localhost" is no URL`},
		{"an authorizer that cannot run here", languages("-template", changed(t, "testdata/languages.yaml", "Runtime: provided.al2023", "Runtime: java21")), "AuthorizerFunction needs the runtime java21, which does not run here"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var stdout safe
			err := command(t.Context(), c.args, &stdout, &safe{})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("error %v, want one with %s", err, c.want)
			}
		})
	}
}

// changed is a copy of a template beside which nothing lies, with one text changed.
func changed(t *testing.T, path, old, replacement string) string {
	t.Helper()
	text := readFile(t, path)
	if strings.Count(text, old) != 1 {
		t.Fatalf("%s has %q %d times", path, old, strings.Count(text, old))
	}
	to := filepath.Join(t.TempDir(), "template.yaml")
	writeFile(t, to, strings.Replace(text, old, replacement, 1))
	return to
}
