package dynamodb_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"edgeauth/local/dynamodb"
)

// start is when every test begins.
var start = time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)

// standIn is a server with one table, whose clock is the test's.
type standIn struct {
	t   *testing.T
	url string
	now time.Time
	log strings.Builder
}

func newStandIn(t *testing.T) *standIn {
	s := &standIn{t: t, now: start}
	d := dynamodb.New(dynamodb.Config{
		Region: "eu-west-1", Tables: []dynamodb.Table{{Name: "t", Partition: "list", Sort: "entry", TimeToLive: "ends"}},
		Now: func() time.Time { return s.now }, Log: &s.log,
	})
	server := httptest.NewServer(d)
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

// signature is a header as signers write it.
const signature = "AWS4-HMAC-SHA256 Credential=AKID/20261124/eu-west-1/dynamodb/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// call sends one operation and returns the status and the body.
func (s *standIn) call(operation, body string, change ...func(*http.Request)) (int, string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.url+"/", strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header = http.Header{
		"Content-Type": {"application/x-amz-json-1.0"}, "X-Amz-Target": {"DynamoDB_20120810." + operation},
		"X-Amz-Date": {s.now.Format("20060102T150405Z")}, "Authorization": {signature},
	}
	for _, f := range change {
		f(r)
	}
	return s.send(r)
}

func (s *standIn) send(r *http.Request) (int, string) {
	s.t.Helper()
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(res.Body)
	return res.StatusCode, strings.TrimSpace(string(text))
}

// admin sends a word to the stand-in itself.
func (s *standIn) admin(method, path, body string) (int, string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.url+"/_standin/table/"+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	return s.send(r)
}

func (s *standIn) want(what string, status int, body string, wantStatus int, wantBody string) {
	s.t.Helper()
	if status != wantStatus || body != wantBody {
		s.t.Errorf("%s: %d %s\nwant %d %s", what, status, body, wantStatus, wantBody)
	}
}

func put(list, entry, ends string) string {
	if ends != "" {
		ends = `,"ends":{"N":"` + ends + `"}`
	}
	return `{"TableName":"t","Item":{"list":{"S":"` + list + `"},"entry":{"S":"` + entry + `"}` + ends + `}}`
}

const query = `{"TableName":"t","ConsistentRead":true,"KeyConditionExpression":"#l=:l AND #e>:e","ProjectionExpression":"#e,#t",` +
	`"ExpressionAttributeNames":{"#l":"list","#e":"entry","#t":"ends"},"ExpressionAttributeValues":{":l":{"S":"cuts"},":e":{"S":"%s"}}}`

func TestItemsAreReadInOrder(t *testing.T) {
	s := newStandIn(t)
	for _, item := range []string{put("cuts", "b", ""), put("other", "c", ""), put("cuts", "c", "1795600000"), put("cuts", "a", ""), put("cuts", "c", "1795600001")} {
		status, body := s.call("PutItem", item)
		s.want(item, status, body, http.StatusOK, `{}`)
	}
	for after, want := range map[string]string{
		"0": `{"Items":[{"entry":{"S":"a"}},{"entry":{"S":"b"}},{"ends":{"N":"1795600001"},"entry":{"S":"c"}}],"Count":3,"ScannedCount":3}`,
		"a": `{"Items":[{"entry":{"S":"b"}},{"ends":{"N":"1795600001"},"entry":{"S":"c"}}],"Count":2,"ScannedCount":2}`,
		"c": `{"Items":[],"Count":0,"ScannedCount":0}`,
	} {
		status, body := s.call("Query", fmt.Sprintf(query, after))
		s.want(after, status, body, http.StatusOK, want)
	}
	status, body := s.call("Query", strings.Replace(fmt.Sprintf(query, "b"), `"ProjectionExpression":"#e,#t",`, "", 1))
	s.want("a name that is not used", status, body, http.StatusBadRequest, failed("com.amazon.coral.validate#ValidationException", "Value provided in ExpressionAttributeNames unused in expressions: keys: {#t}"))
	status, body = s.admin(http.MethodGet, "stats", "")
	s.want("stats", status, body, http.StatusOK, `{"PutItem":5,"Query":4,"hanging":0,"items.t":4}`)
	if log := s.log.String(); strings.Count(log, "\n") != 9 || !strings.Contains(log, `"operation":"Query","status":200,"outcome":"ok"`) || strings.Contains(log, "1795600001") {
		t.Errorf("logged\n%s", log)
	}
}

// An answer holds a megabyte of items, as they count before the projection.
func TestAnAnswerIsAMegabyte(t *testing.T) {
	s := newStandIn(t)
	for n := range 5 {
		s.call("PutItem", fmt.Sprintf(`{"TableName":"t","Item":{"list":{"S":"cuts"},"entry":{"S":"%d"},"more":{"S":"%s"}}}`, n, strings.Repeat("x", 300<<10)))
	}
	read := func(after string) (keys []string, next string) {
		_, body := s.call("Query", fmt.Sprintf(query, after))
		var page struct {
			Items            []map[string]map[string]string
			LastEvaluatedKey map[string]map[string]string
		}
		if err := json.Unmarshal([]byte(body), &page); err != nil {
			t.Fatal(err)
		}
		for _, i := range page.Items {
			keys = append(keys, i["entry"]["S"])
		}
		return keys, page.LastEvaluatedKey["entry"]["S"]
	}
	if keys, next := read("."); fmt.Sprint(keys) != "[0 1 2]" || next != "2" {
		t.Errorf("%v, then after %q", keys, next)
	}
	if keys, next := read("2"); fmt.Sprint(keys) != "[3 4]" || next != "" {
		t.Errorf("%v, then after %q", keys, next)
	}
}

// What has ended is still read for a while, as it is at DynamoDB for days.
func TestTimeToLive(t *testing.T) {
	s := newStandIn(t)
	s.call("PutItem", put("cuts", "a", fmt.Sprint(start.Unix()+60)))
	s.call("PutItem", put("cuts", "b", ""))
	for _, c := range []struct {
		after time.Duration
		items int // in an answer
		alive string
	}{{0, 2, `2`}, {61 * time.Minute, 2, `1`}, {61*time.Minute + time.Second, 1, `1`}, {1000 * time.Hour, 1, `1`}} {
		s.now = start.Add(c.after)
		credential := s.now.Format("20060102")
		_, body := s.call("Query", fmt.Sprintf(query, "0"), func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(signature, "20261124", credential, 1))
		})
		if strings.Count(body, `"entry"`) != c.items {
			t.Errorf("after %v: %s", c.after, body)
		}
		if _, body := s.admin(http.MethodGet, "stats", ""); !strings.HasSuffix(body, `"items.t":`+c.alive+`}`) {
			t.Errorf("after %v: %s", c.after, body)
		}
	}
}

func failed(code, message string) string {
	return fmt.Sprintf(`{"__type":"%s","message":"%s"}`, code, message)
}

// What is not modelled is refused by name: a member that was ignored could change the answer.
func TestRefusals(t *testing.T) {
	const invalid, own, front = "com.amazon.coral.validate#ValidationException", "com.amazonaws.dynamodb.v20120810#", "com.amazon.coral.service#"
	good := fmt.Sprintf(query, "0")
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	nothing := func(*http.Request) {}
	for _, c := range []struct {
		name, operation, body string
		change                func(*http.Request)
		code, message         string
	}{
		{"another operation", "Scan", good, nothing, front + "UnknownOperationException", "Scan is not modelled by this stand-in"},
		{"another path", "Query", good, func(r *http.Request) { r.URL.Path = "/x" }, front + "SerializationException", "not a POST of application/x-amz-json-1.0 to /"},
		{"another type", "Query", good, header("Content-Type", "application/json"), front + "SerializationException", "not a POST of application/x-amz-json-1.0 to /"},
		{"no signature", "Query", good, header("Authorization", ""), front + "MissingAuthenticationTokenException", "Request is missing Authentication Token"},
		{"half a signature", "Query", good, header("Authorization", signature[:len(signature)-1]), front + "MissingAuthenticationTokenException", "Request is missing Authentication Token"},
		{"for another Region", "Query", good, header("Authorization", strings.Replace(signature, "eu-west-1", "eu-west-2", 1)), front + "InvalidSignatureException", "Credential should be scoped to eu-west-1 and dynamodb"},
		{"for another service", "Query", good, header("Authorization", strings.Replace(signature, "/dynamodb/", "/ssm/", 1)), front + "InvalidSignatureException", "Credential should be scoped to eu-west-1 and dynamodb"},
		{"of another day", "Query", good, header("Authorization", strings.Replace(signature, "20261124", "20261123", 1)), front + "InvalidSignatureException", "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP"},
		{"of no time", "Query", good, header("X-Amz-Date", "now"), front + "InvalidSignatureException", "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP"},
		{"an old one", "Query", good, header("X-Amz-Date", "20261124T075459Z"), front + "InvalidSignatureException", "Signature expired"},
		{"one of later", "Query", good, header("X-Amz-Date", "20261124T080501Z"), front + "InvalidSignatureException", "Signature expired"},
		{"an operation that is not signed", "Query", good, header("Authorization", strings.Replace(signature, ";x-amz-target", "", 1)), front + "InvalidSignatureException", "host, x-amz-date and x-amz-target have to be signed"},
		{"no JSON", "Query", "{", nothing, front + "SerializationException", "the body is not the JSON that this operation takes"},
		{"no JSON to put", "PutItem", "[]", nothing, front + "SerializationException", "the body is not the JSON that this operation takes"},
		{"another table", "Query", strings.Replace(good, `"t"`, `"u"`, 1), nothing, own + "ResourceNotFoundException", "Requested resource not found"},
		{"another table to put into", "PutItem", strings.Replace(put("cuts", "a", ""), `"t"`, `"u"`, 1), nothing, own + "ResourceNotFoundException", "Requested resource not found"},
		{"a limit", "Query", strings.Replace(good, "{", `{"Limit":1,`, 1), nothing, invalid, "Limit is not modelled by this stand-in"},
		{"a condition", "PutItem", strings.Replace(put("cuts", "a", ""), "{", `{"ConditionExpression":"x",`, 1), nothing, invalid, "ConditionExpression is not modelled by this stand-in"},
		{"what may be old", "Query", strings.Replace(good, "true", "false", 1), nothing, invalid, "an eventually consistent Query is not modelled by this stand-in: its answer may be old"},
		{"another condition on the keys", "Query", strings.Replace(good, ">", ">=", 1), nothing, invalid, `KeyConditionExpression is not modelled by this stand-in, but for #p=:p AND #s\u003e:s`},
		{"another key", "Query", strings.Replace(good, `"#l":"list"`, `"#l":"lust"`, 1), nothing, invalid, "Query condition missed key schema element: list or entry"},
		{"a key that is a number", "Query", strings.Replace(good, `{"S":"cuts"}`, `{"N":"1"}`, 1), nothing, invalid, "One or more parameter values were invalid: Condition parameter type does not match schema type"},
		{"another projection", "Query", strings.Replace(good, `"#e,#t"`, `"entry"`, 1), nothing, invalid, "ProjectionExpression is not modelled by this stand-in, but for #a,#b"},
		{"a value that is not used", "Query", strings.Replace(good, `":l":`, `":x":{"S":"x"},":l":`, 1), nothing, invalid, "Value provided in ExpressionAttributeValues unused in expressions"},
		{"an item without a key", "PutItem", put("cuts", "", ""), nothing, invalid, "One or more parameter values were invalid: Missing the key list or entry in the item"},
		{"a key that is too long", "PutItem", put("cuts", strings.Repeat("x", 1025), ""), nothing, invalid, "One or more parameter values were invalid: Size of a key has exceeded the maximum size limit"},
		{"an item that is too large", "PutItem", strings.Replace(put("cuts", "a", ""), `"list"`, `"x":{"S":"`+strings.Repeat("x", 400<<10)+`"},"list"`, 1), nothing, invalid, "Item size has exceeded the maximum allowed size"},
		{"a number that is none", "PutItem", put("cuts", "a", "soon"), nothing, invalid, "attribute ends is neither a string nor a number, and others are not modelled by this stand-in"},
		{"a list", "PutItem", strings.Replace(put("cuts", "a", ""), `"list"`, `"x":{"L":[]},"list"`, 1), nothing, invalid, "attribute x is neither a string nor a number, and others are not modelled by this stand-in"},
	} {
		s := newStandIn(t)
		status, body := s.call(c.operation, c.body, c.change)
		s.want(c.name, status, body, http.StatusBadRequest, failed(c.code, c.message))
		if _, body := s.admin(http.MethodGet, "stats", ""); !strings.HasSuffix(body, `"items.t":0}`) {
			t.Errorf("%s: something was done: %s", c.name, body)
		}
	}
	s := newStandIn(t)
	for _, host := range []string{"app.example.com", "rebound.example:80"} { // a name of somebody else's that resolves to this machine
		status, body := s.call("Query", good, func(r *http.Request) { r.Host = host })
		s.want(host, status, body, http.StatusBadRequest, "")
	}
}

func TestFaults(t *testing.T) {
	good := fmt.Sprintf(query, "0")
	for _, c := range []struct {
		kind   string
		status int
		body   string
	}{
		{"error", http.StatusInternalServerError, failed("com.amazonaws.dynamodb.v20120810#InternalServerError", "Internal server error")},
		{"throttle", http.StatusBadRequest, failed("com.amazonaws.dynamodb.v20120810#ThrottlingException", "Rate exceeded")},
		{"denied", http.StatusBadRequest, failed("com.amazon.coral.service#AccessDeniedException", "not authorized to perform this operation")},
		{"empty", http.StatusOK, `{"Items":[],"Count":0,"ScannedCount":0}`},
	} {
		s := newStandIn(t)
		s.call("PutItem", put("cuts", "a", ""))
		const well = `{"Items":[{"entry":{"S":"a"}}],"Count":1,"ScannedCount":1}`
		status, body := s.admin(http.MethodPost, "fault", `{"operation":"Query","kind":"`+c.kind+`"}`)
		s.want(c.kind, status, body, http.StatusOK, `{}`)
		status, body = s.call("PutItem", put("cuts", "a", ""))
		s.want(c.kind+", the other operation", status, body, http.StatusOK, `{}`)
		status, body = s.call("Query", good)
		s.want(c.kind, status, body, c.status, c.body)
		status, body = s.call("Query", good)
		s.want(c.kind+", the next one", status, body, http.StatusOK, well)
		s.admin(http.MethodPost, "fault", `{"kind":"`+c.kind+`","times":-1}`)
		for range 3 {
			status, body = s.call("Query", good)
			s.want(c.kind+", until cleared", status, body, c.status, c.body)
		}
		s.call("PutItem", put("cuts", "b", ""))
		s.admin(http.MethodPost, "clear", `{}`)
		status, body = s.call("Query", good)
		s.want(c.kind+", cleared, and nothing was put", status, body, http.StatusOK, well)
	}
}

// What hangs is held until it is released, or until nobody waits for it.
func TestAHangingTable(t *testing.T) {
	s := newStandIn(t)
	s.admin(http.MethodPost, "fault", `{"kind":"hang","times":-1}`)
	answered := make(chan int)
	go func() {
		status, _ := s.call("Query", fmt.Sprintf(query, "0"))
		answered <- status
	}()
	for {
		if _, body := s.admin(http.MethodGet, "stats", ""); strings.Contains(body, `"hanging":1`) {
			break
		}
	}
	select {
	case status := <-answered:
		t.Errorf("answered with %d", status)
	default:
	}
	s.admin(http.MethodPost, "clear", `{}`)
	if status := <-answered; status != 0 {
		t.Errorf("answered with %d, want an end of the connection", status)
	}
	if status, _ := s.call("Query", fmt.Sprintf(query, "0")); status != http.StatusOK {
		t.Errorf("after that %d", status)
	}
}

func TestWordsToTheStandIn(t *testing.T) {
	s := newStandIn(t)
	for _, c := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{http.MethodPost, "fault", `{"kind":"flood"}`, http.StatusBadRequest, `{"error":"no such kind of fault, or no such operation; GET /_standin/table/ lists them"}`},
		{http.MethodPost, "fault", `{"kind":"hang","operation":"Scan"}`, http.StatusBadRequest, `{"error":"no such kind of fault, or no such operation; GET /_standin/table/ lists them"}`},
		{http.MethodPost, "fault", `{"kind":"hang","time":3}`, http.StatusBadRequest, `{"error":"json: unknown field \"time\""}`},
		{http.MethodPost, "fault", `{"kind":"hang"}{}`, http.StatusBadRequest, `{"error":"more than one JSON value"}`},
		{http.MethodPost, "flood", `{}`, http.StatusNotFound, `{"error":"no such path; GET /_standin/table/ lists what this stand-in can do"}`},
		{http.MethodGet, "clear", ``, http.StatusNotFound, `{"error":"no such path; GET /_standin/table/ lists what this stand-in can do"}`},
	} {
		status, body := s.admin(c.method, c.path, c.body)
		s.want(c.path, status, body, c.status, c.want)
	}
	if status, body := s.admin(http.MethodGet, "", ""); status != http.StatusOK || !strings.Contains(body, `"throttle":`) || !strings.Contains(body, `"faults_now":[]`) {
		t.Errorf("%d %s", status, body)
	}
	for name, value := range map[string]string{"Content-Type": "text/plain", "Origin": "http://localhost:3000"} { // as a page could send it
		r, _ := http.NewRequest(http.MethodPost, s.url+"/_standin/table/fault", strings.NewReader(`{"kind":"hang","times":-1}`))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set(name, value)
		status, body := s.send(r)
		s.want(name, status, body, http.StatusUnsupportedMediaType, `{"error":"send a JSON object with Content-Type: application/json, and from no page"}`)
	}
}
