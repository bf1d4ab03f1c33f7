package local

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"edgeauth/local/sam"
)

// publicTemplates are templates that others wrote. `make templates` fetches them; without them the test is left out, except where everything has to be tried.
const publicTemplates = "../build/templates"

// answers are what whoever starts one of them would type for the parameters that have no default.
var answers = []string{"-param", "Bucket=b", "-param", "CodeZipKey=k", "-param", "NotificationEmail=a@example.com", "-param", "S3Bucket=b", "-param", "SamplesBucket=b", "-param", "Key=k"}

// Whatever template somebody points the local system at, it starts or says in one sentence why it does not, it names what it leaves out, and it lets
// nobody by whom the template would not. The table in docs/templates.md is what came of it.
func TestPublicTemplates(t *testing.T) {
	if _, err := os.Stat(publicTemplates); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("make templates fetches them")
	}
	var rows []string
	err := filepath.WalkDir(publicTemplates, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.Name() != "template.yaml" {
			return err
		}
		name, err := filepath.Rel(publicTemplates, filepath.Dir(path))
		if err != nil {
			return err
		}
		t.Run(name, func(t *testing.T) { rows = append(rows, "| "+name+" | "+try(t, path)+" |") })
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(rows)
	page := readFile(t, "../docs/templates.md")
	for _, row := range rows {
		if !strings.Contains(page, row+"\n") {
			t.Errorf("docs/templates.md lacks\n%s", row)
		}
	}
	if in := strings.Count(page, "\n| "); in != len(rows)+1 {
		t.Errorf("docs/templates.md has %d rows, want %d", in-1, len(rows))
	}
}

// try starts a template, and then the same template with other doors: one that denies, and one that is not modelled. It tells what came of it as two cells.
func try(t *testing.T, path string) string {
	t.Helper()
	folder := t.TempDir()
	if err := os.CopyFS(folder, os.DirFS(filepath.Dir(path))); err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(folder, "template.yaml")
	build := buildFolder(t, "DoorAuthorizer")
	arguments := []string{"-template", path, "-build", build, "-app-port", "0", "-cognito-port", "0"}
	_, parameters, _ := strings.Cut(readFile(t, path), "\nParameters:")
	parameters = regexp.MustCompile(`(?m)^\w+:`).Split(parameters, 2)[0]
	for i := 1; i < len(answers); i += 2 {
		name, _, _ := strings.Cut(answers[i], "=")
		if regexp.MustCompile(`(?m)^  ` + name + `:`).MatchString(parameters) {
			arguments = append(arguments, answers[i-1], answers[i])
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	said := &safe{}
	var stdout ready = func() { cancel() }
	if err := command(ctx, arguments, stdout, said); err != nil {
		if strings.Contains(err.Error(), "\n") {
			t.Errorf("not one sentence: %v", err)
		}
		why := strings.ReplaceAll(err.Error(), "sam: "+path+": ", "")
		return "no | " + strings.ReplaceAll(why, folder+"/", "")
	}
	rest := func(api sam.API) bool { return api.Kind == "" || api.Kind == sam.REST }
	if !slices.ContainsFunc(model(t, path, arguments, "http://localhost:1").APIs, rest) {
		return "yes | " + left(said.String(), folder, build)
	}
	for _, door := range []struct{ auth, want string }{
		{"{ DefaultAuthorizer: Door, Authorizers: { Door: { FunctionArn: !GetAtt DoorAuthorizer.Arn, FunctionPayloadType: REQUEST, Identity: { ReauthorizeEvery: 0 } } } }", ""},
		{"{ DefaultAuthorizer: AWS_IAM }", "there is no authorizer AWS_IAM"},
		{"{ ApiKeyRequired: true }", "ApiKeyRequired: this property is not modelled"},
		{"{ DefaultAuthorizer: C, Authorizers: { C: { UserPoolArn: x } } }", "resource "},
	} {
		behind(t, path, door.auth)
		if door.want != "" {
			started, stop := context.WithCancel(t.Context())
			if err := command(started, arguments, ready(stop), &safe{}); err == nil || !strings.Contains(err.Error(), door.want) {
				t.Errorf("behind %s: %v, want an error with %s", door.auth, err, door.want)
			}
			continue
		}
		s := launch(t, arguments...)
		for _, api := range model(t, path, arguments, s.url).APIs {
			for _, r := range api.Routes {
				url := "http://" + api.Host + "/" + api.Stage + regexp.MustCompile(`\{[^}]*\}`).ReplaceAllString(r.Path, "x")
				method := r.Method
				if method == "ANY" {
					method = http.MethodPost
				}
				if status := statusOf(t, method, url); status != 403 {
					t.Errorf("%s %s behind a door that denies answers %d", r.Method, r.Path, status)
				}
			}
		}
	}
	return "yes | " + left(said.String(), folder, build)
}

// left is what was left out, as the start said it. That Cognito is, goes without saying.
func left(said, folder, build string) string {
	var aside []string
	for line := range strings.Lines(said) {
		if what, ok := strings.CutPrefix(line, "Set aside: "); ok && !strings.HasPrefix(what, "Cognito: ") {
			aside = append(aside, strings.NewReplacer(folder+"/", "", build+"/", "").Replace(strings.TrimSpace(what)))
		}
	}
	return strings.Join(aside, "; ")
}

// ready is a standard output that hears of the one line.
type ready func()

func (r ready) Write(p []byte) (int, error) { r(); return len(p), nil }

// statusOf asks a host of this machine, whatever its name.
func statusOf(t *testing.T, method, url string) int {
	t.Helper()
	here := &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		_, port, _ := net.SplitHostPort(address)
		return new(net.Dialer).DialContext(ctx, network, "127.0.0.1:"+port)
	}}
	defer here.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := here.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	return res.StatusCode
}

func model(t *testing.T, path string, arguments []string, url string) *sam.Model {
	t.Helper()
	parameters := settings{}
	for i, a := range arguments {
		if a == "-param" {
			if err := parameters.Set(arguments[i+1]); err != nil {
				t.Fatal(err)
			}
		}
	}
	m, err := sam.Load(path, sam.Options{Parameters: parameters, AppURL: url[:strings.LastIndex(url, ":")] + regexp.MustCompile(`^:\d+`).FindString(url[strings.LastIndex(url, ":"):]), CognitoURL: "http://127.0.0.1:1", ClientSecret: newSecret})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// behind puts the template's APIs behind an authorizer, by its Globals, and adds the function that denies.
func behind(t *testing.T, path, auth string) {
	t.Helper()
	var root yaml.Node
	if err := yaml.Unmarshal([]byte(readFile(t, path)), &root); err != nil {
		t.Fatal(err)
	}
	api := member(member(root.Content[0], "Globals"), "Api")
	set(t, api, "Auth", auth)
	set(t, member(root.Content[0], "Resources"), "DoorAuthorizer",
		"{ Type: AWS::Serverless::Function, Properties: { Runtime: provided.al2023, Handler: bootstrap, CodeUri: '', Environment: { Variables: { MODE: denying } } } }")
	out, err := yaml.Marshal(&root)
	if err := errors.Join(err, os.WriteFile(path, out, 0o600)); err != nil {
		t.Fatal(err)
	}
}

// member is a map within a map, made if it is not there.
func member(in *yaml.Node, name string) *yaml.Node {
	for i := 0; i < len(in.Content); i += 2 {
		if in.Content[i].Value == name {
			return in.Content[i+1]
		}
	}
	made := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	in.Content = append(in.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: name}, made)
	return made
}

func set(t *testing.T, in *yaml.Node, name, value string) {
	t.Helper()
	var root yaml.Node
	if err := yaml.Unmarshal([]byte(value), &root); err != nil {
		t.Fatal(err)
	}
	*member(in, name) = *root.Content[0]
}
