package main

// How sessions are ended by hand, against stand-ins for the services that are asked.

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"edgeauth/cuts"
	"edgeauth/local/cognito"
	"edgeauth/local/dynamodb"
	"edgeauth/local/sam"
)

const alicesSub = "11111111-2222-3333-4444-555555555555"

// poolKeys are made once: it takes longer than any test.
var poolKeys = sync.OnceValue(func() (keys []*rsa.PrivateKey) {
	for range 2 {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		keys = append(keys, key)
	}
	return keys
})

// account is the AWS that the commands ask: a stack, a pool and a table.
type account struct {
	*httptest.Server
	mu     sync.Mutex        // guards what follows
	asked  []string          // the operations, in order
	refuse map[string]string // operation → error code
}

func newAccount(t *testing.T, parameter string) *account {
	pool, err := cognito.New(cognito.Config{
		Region: sam.Region, Pool: sam.PoolID, Domain: "http://127.0.0.1:9229",
		Clients:    []cognito.Client{{ID: "web", Secret: strings.Repeat("s", 51), CallbackURLs: []string{"http://localhost:3000/cb"}, Scopes: []string{"openid"}}},
		Users:      []cognito.User{{Username: "alice@example.com", Password: cognito.DefaultPassword, Attributes: map[string]string{"sub": alicesSub}}},
		Parameters: map[string]string{"/edgeauth/auth": parameter}, Keys: poolKeys(),
	})
	if err != nil {
		t.Fatal(err)
	}
	tables := dynamodb.New(dynamodb.Config{Region: sam.Region, Tables: []dynamodb.Table{{Name: "app-cuts", Partition: "list", Sort: "entry", TimeToLive: "ends"}}})
	a := &account{refuse: map[string]string{}}
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		operation := r.Header.Get("X-Amz-Target")
		operation = operation[strings.LastIndex(operation, ".")+1:]
		if operation == "" && r.URL.Path == "/" {
			r.ParseForm()
			operation = r.Form.Get("Action")
		}
		a.mu.Lock()
		if operation != "" {
			a.asked = append(a.asked, operation)
		}
		code := a.refuse[operation]
		a.mu.Unlock()
		switch {
		case code != "" && r.Form != nil:
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, `<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>`)
		case code != "":
			w.Header().Set("Content-Type", "application/x-amz-json-1.1")
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprintf(w, `{"__type":"com.amazon.coral.service#%s","message":"no"}`, code)
		case operation == "DescribeStacks" || operation == "ListStackResources":
			cloudFormation(w, operation, r.Form.Get("StackName"))
		case tables.Takes(r):
			tables.ServeHTTP(w, r)
		default:
			pool.Handler().ServeHTTP(w, r)
		}
	}))
	t.Cleanup(a.Close)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": a.URL, "AWS_REGION": sam.Region, "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "",
		"AWS_PROFILE": "", "AWS_CONFIG_FILE": "/nowhere", "AWS_SHARED_CREDENTIALS_FILE": "/nowhere", "AWS_EC2_METADATA_DISABLED": "true", "AWS_MAX_ATTEMPTS": "1",
	} {
		t.Setenv(name, value)
	}
	return a
}

// cloudFormation knows the stack app, which keeps a list of endings, and the stack plain, which keeps none.
func cloudFormation(w http.ResponseWriter, operation, stack string) {
	resource := func(id, kind, physical string) string {
		return "<member><LogicalResourceId>" + id + "</LogicalResourceId><PhysicalResourceId>" + physical + "</PhysicalResourceId><ResourceType>" + kind +
			"</ResourceType><ResourceStatus>CREATE_COMPLETE</ResourceStatus></member>"
	}
	inside := `<Stacks><member><StackName>` + stack + `</StackName><StackStatus>CREATE_COMPLETE</StackStatus><Parameters><member><ParameterKey>CutOffSeconds</ParameterKey>` +
		`<ParameterValue>5</ParameterValue></member></Parameters></member></Stacks>`
	if operation == "ListStackResources" {
		inside = resource("AuthorizerFunction", "AWS::Lambda::Function", "f") + resource("AuthParameter", "AWS::SSM::Parameter", "/app/auth") +
			resource("UserPoolClient", "AWS::Cognito::UserPoolClient", "web") + resource("UserPool", "AWS::Cognito::UserPool", sam.PoolID)
		if stack == "app" {
			inside += resource("CutsTable", "AWS::DynamoDB::Table", "app-cuts")
		}
		inside = "<StackResourceSummaries>" + inside + "</StackResourceSummaries>"
	}
	w.Header().Set("Content-Type", "text/xml")
	fmt.Fprintf(w, `<%sResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><%sResult>%s</%sResult></%sResponse>`, operation, operation, inside, operation, operation)
}

// list is what the table holds, as readers read it.
func (a *account) list(t *testing.T) []cuts.Entry {
	t.Helper()
	l, err := cuts.New(cuts.Config{Table: "app-cuts", Region: sam.Region, Endpoint: a.URL, Credentials: cuts.Credentials{AccessKeyID: "x", SecretAccessKey: "y"}, Every: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	all, err := l.Entries(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func (a *account) take() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	all := a.asked
	a.asked = nil
	return all
}

const parameterWithCuts = `{"v":1,"user_pool_id":"` + sam.PoolID + `","cuts":"app-cuts"}`

func TestCut(t *testing.T) {
	const day = 24*time.Hour + 10*time.Minute
	const decade = 3650*24*time.Hour + 10*time.Minute
	const gone = "99999999-2222-3333-4444-555555555555"
	for _, c := range []struct {
		name, arguments string
		refuse          string // an operation that is denied
		want            outcome
		asked           []string // after the stack was looked up
		entry           string   // kind and name
		life            time.Duration
	}{
		{
			"a person", "-stack app alice@example.com", "",
			outcome{exitDone, "alice@example.com (" + alicesSub + ") is signed out at Cognito; sessions that began up to now end within 5s.\n", ""},
			[]string{"AdminGetUser", "AdminUserGlobalSignOut", "PutItem"},
			"user " + alicesSub, day,
		},
		{
			"a person, for a program", "-stack app -json alice@example.com", "",
			outcome{exitDone, `{"user":"alice@example.com","sub":"` + alicesSub + `","signed_out_at_cognito":true,"everybody":false,"seconds":5}` + "\n", ""},
			[]string{"AdminGetUser", "AdminUserGlobalSignOut", "PutItem"},
			"user " + alicesSub, day,
		},
		{
			"somebody who was deleted", "-stack app " + gone, "",
			outcome{exitDone, gone + " (" + gone + ") is not at Cognito any more; sessions that began up to now end within 5s.\n", ""},
			[]string{"AdminGetUser", "AdminUserGlobalSignOut", "PutItem"},
			"user " + gone, day,
		},
		{
			"nobody", "-stack app eve@example.com", "",
			outcome{exitNo, "", "edgeauth cut: nobody is named eve@example.com in the user pool eu-west-1_Local0001; of somebody who was deleted, say the sub\n"},
			[]string{"AdminGetUser"},
			"", 0,
		},
		{
			"everybody", "-stack app -everybody", "",
			outcome{exitDone, "Everybody's sessions that began up to now end within 5s.\n", ""},
			[]string{"PutItem"},
			"everybody ", decade,
		},
		{
			"everybody, for a program", "-stack app -everybody -json", "",
			outcome{exitDone, `{"signed_out_at_cognito":false,"everybody":true,"seconds":5}` + "\n", ""},
			[]string{"PutItem"},
			"everybody ", decade,
		},
		{
			"no right to look somebody up", "-stack app alice@example.com", "AdminGetUser",
			outcome{exitNo, "", "edgeauth cut: your credentials lack the right cognito-idp:AdminGetUser on eu-west-1_Local0001\n"},
			[]string{"AdminGetUser"},
			"", 0,
		},
		{
			"no right to sign somebody out: the sessions end, and longer", "-stack app alice@example.com", "AdminUserGlobalSignOut",
			outcome{exitNo, "", "edgeauth cut: your credentials lack the right cognito-idp:AdminUserGlobalSignOut on eu-west-1_Local0001; the sessions are ended here all the same\n"},
			[]string{"AdminGetUser", "AdminUserGlobalSignOut", "PutItem"},
			"user " + alicesSub, decade,
		},
		{
			"no right to write", "-stack app alice@example.com", "PutItem",
			outcome{exitNo, "", "edgeauth cut: your credentials lack the right dynamodb:PutItem on table app-cuts\n"},
			[]string{"AdminGetUser", "AdminUserGlobalSignOut", "PutItem", "PutItem"},
			"", 0,
		},
		{
			"no right to look at the stack", "-stack app alice@example.com", "DescribeStacks",
			outcome{exitNo, "", "edgeauth cut: cloudformation:DescribeStacks: AccessDenied\n"},
			nil, "", 0,
		},
		{
			"a stack without a list", "-stack plain alice@example.com", "",
			outcome{exitNo, "", "edgeauth cut: stack plain keeps no list of endings: deploy it with the parameter CutOffSeconds\n"},
			nil, "", 0,
		},
		{"nobody said", "-stack app", "", outcome{exitUsage, "", "edgeauth cut: say one USER, or -everybody (-h explains it)\n"}, nil, "", 0},
		{"both said", "-stack app -everybody alice@example.com", "", outcome{exitUsage, "", "edgeauth cut: say one USER, or -everybody (-h explains it)\n"}, nil, "", 0},
		{"two said", "-stack app a b", "", outcome{exitUsage, "", "edgeauth cut: say one USER, or -everybody (-h explains it)\n"}, nil, "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := newAccount(t, parameterWithCuts)
			if c.refuse != "" {
				a.refuse[c.refuse] = "AccessDeniedException"
			}
			got := on(t, nil, append([]string{"cut"}, strings.Fields(c.arguments)...)...)
			if got != c.want {
				t.Errorf("%+v\nwant %+v", got, c.want)
			}
			asked := slices.DeleteFunc(a.take(), func(o string) bool { return o == "DescribeStacks" || o == "ListStackResources" })
			if !slices.Equal(asked, c.asked) {
				t.Errorf("asked %v, want %v", asked, c.asked)
			}
			delete(a.refuse, c.refuse)
			var entries string
			for _, e := range a.list(t) {
				entries += string(e.Kind) + " " + e.Name
				if life := e.Ends.Sub(e.At).Round(time.Minute); life != c.life || time.Since(e.At) > time.Minute {
					t.Errorf("%+v lives %v, want %v", e, life, c.life)
				}
			}
			if entries != c.entry {
				t.Errorf("the table holds %q, want %q", entries, c.entry)
			}
		})
	}
}

func TestCuts(t *testing.T) {
	a := newAccount(t, parameterWithCuts)
	if got := on(t, nil, "cuts", "-stack", "app"); got != (outcome{exitDone, "", "Nobody was cut off.\n"}) {
		t.Errorf("%+v", got)
	}
	at := time.Now().Add(-time.Hour).Truncate(time.Second)
	ends := at.Add(2 * time.Hour)
	for _, item := range []struct {
		at   time.Time
		what string
		ends int64
	}{{at, "user " + alicesSub, ends.Unix()}, {at.Add(time.Second), "everybody", 0}, {at.Add(2 * time.Second), "sign-in s", at.Add(59 * time.Minute).Unix()}} {
		a.put(t, fmt.Sprintf("%013d %s", item.at.UnixMilli(), item.what), item.ends)
	}
	utc := func(t time.Time) string { return t.UTC().Format(time.RFC3339) }
	want := utc(at) + "  user       " + alicesSub + "  until " + utc(ends) + "\n" + utc(at.Add(time.Second)) + "  everybody  " + strings.Repeat(" ", 36) + "  for ever\n"
	if got := on(t, nil, "cuts", "-stack", "app"); got != (outcome{exitDone, want, ""}) {
		t.Errorf("%+v\nwant %s", got, want)
	}
	want = `{"at":"` + utc(at) + `","kind":"user","name":"` + alicesSub + `","until":"` + utc(ends) + `"}` + "\n" + `{"at":"` + utc(at.Add(time.Second)) + `","kind":"everybody"}` + "\n"
	if got := on(t, nil, "cuts", "-stack", "app", "-json"); got != (outcome{exitDone, want, ""}) {
		t.Errorf("%+v\nwant %s", got, want)
	}
	a.refuse["Query"] = "AccessDeniedException"
	if got := on(t, nil, "cuts", "-stack", "app"); got != (outcome{exitNo, "", "edgeauth cuts: your credentials lack the right dynamodb:Query on table app-cuts\n"}) {
		t.Errorf("%+v", got)
	}
}

// put writes an item as somebody else would.
func (a *account) put(t *testing.T, entry string, ends int64) {
	t.Helper()
	item := map[string]any{"list": map[string]string{"S": "cuts"}, "entry": map[string]string{"S": entry}}
	if ends != 0 {
		item["ends"] = map[string]string{"N": fmt.Sprint(ends)}
	}
	body, _ := json.Marshal(map[string]any{"TableName": "app-cuts", "Item": item})
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, a.URL+"/", strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().UTC()
	r.Header = http.Header{
		"Content-Type": {"application/x-amz-json-1.0"}, "X-Amz-Target": {"DynamoDB_20120810.PutItem"}, "X-Amz-Date": {now.Format("20060102T150405Z")},
		"Authorization": {"AWS4-HMAC-SHA256 Credential=x/" + now.Format("20060102") + "/eu-west-1/dynamodb/aws4_request, SignedHeaders=host;x-amz-date;x-amz-target, Signature=" + strings.Repeat("0", 64)},
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Fatalf("status %d", res.StatusCode)
	}
}

// On this machine there is no stack: the parameter says where the pool and the table are.
func TestCutOnThisMachine(t *testing.T) {
	a := newAccount(t, parameterWithCuts)
	t.Setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
	got := on(t, nil, "cut", "-local", a.URL, "alice@example.com")
	want := outcome{exitDone, "alice@example.com (" + alicesSub + ") is signed out at Cognito; sessions that began up to now end within the seconds of CutOffSeconds.\n", ""}
	if got != want {
		t.Errorf("%+v\nwant %+v", got, want)
	}
	if asked := a.take(); !slices.Equal(asked, []string{"GetParameter", "AdminGetUser", "AdminUserGlobalSignOut", "PutItem"}) {
		t.Errorf("asked %v", asked)
	}
	if got := on(t, nil, "cuts", "-local", a.URL); got.code != exitDone || !strings.Contains(got.stdout, "  user       "+alicesSub+"  until ") {
		t.Errorf("%+v", got)
	}
	a = newAccount(t, `{"v":1,"user_pool_id":"`+sam.PoolID+`","cuts":""}`)
	for name, want := range map[string]string{
		"edgeauth": "edgeauth cut: application edgeauth keeps no list of endings: deploy it with the parameter CutOffSeconds\n",
		"other":    "edgeauth cut: ssm:GetParameter on /other/auth: ParameterNotFound\n",
	} {
		if got := on(t, nil, "cut", "-local", a.URL, "-stack", name, "alice@example.com"); got != (outcome{exitNo, "", want}) {
			t.Errorf("%+v\nwant %s", got, want)
		}
	}
}
