package cuts_test

// A DynamoDB table in memory, as far as a list of endings asks it for anything. Of each request it wants the form that AWS documents, and the very
// signature that AWS's own signer makes.

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"edgeauth/cuts"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

const (
	tableName = "edgeauth-cuts"
	region    = "eu-west-1"
)

var credentials = cuts.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", SessionToken: "session/token=="}

// store is an http.RoundTripper that leads to the table, unless it is told otherwise.
type store struct {
	t    testing.TB
	zone time.Duration // how far the table's clock is ahead of the test's

	mu     sync.Mutex // guards what follows
	now    time.Time
	live   bool // time passes by itself too
	keys   []string
	ends   map[string]int64
	size   int // entries that fit into one answer
	asked  []query
	puts   int
	answer func(*http.Request) (*http.Response, error) // nil: the table's
}

// query is one request for entries after a key.
type query struct{ after string }

var start = time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)

func newStore(t testing.TB) *store {
	return &store{t: t, now: start, ends: map[string]int64{}, size: 1000}
}

func (s *store) Now() time.Time { s.mu.Lock(); defer s.mu.Unlock(); return s.clock() }

func (s *store) clock() time.Time {
	if s.live {
		return time.Now().Add(s.now.Sub(start))
	}
	return s.now
}

func (s *store) Advance(d time.Duration) { s.mu.Lock(); defer s.mu.Unlock(); s.now = s.now.Add(d) }

func (s *store) set(answer func(*http.Request) (*http.Response, error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = answer
}

func (s *store) readings() []query { s.mu.Lock(); defer s.mu.Unlock(); return slices.Clone(s.asked) }

// list returns a list that reads from s every five seconds.
func (s *store) list(change ...func(*cuts.Config)) *cuts.List {
	c := cuts.Config{Table: tableName, Region: region, Credentials: credentials, Every: 5 * time.Second, Now: s.Now, Client: &http.Client{Transport: s}}
	for _, f := range change {
		f(&c)
	}
	l, err := cuts.New(c)
	if err != nil {
		s.t.Fatal(err)
	}
	return l
}

// write puts an entry into the table as some other process would: text, and when it ends, 0: never.
func (s *store) write(text string, ends int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.put(text, ends)
}

func (s *store) put(text string, ends int64) {
	if i, found := slices.BinarySearch(s.keys, text); !found {
		s.keys = slices.Insert(s.keys, i, text)
	}
	s.ends[text] = ends
}

// entry is the text of an entry stamped d from now.
func (s *store) entry(d time.Duration, what string) string {
	return fmt.Sprintf("%013d %s", s.Now().Add(d).UnixMilli(), what)
}

func (s *store) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		s.t.Error(err)
	}
	verify(s.t, r, body)
	s.mu.Lock()
	answer := s.answer
	operation := strings.TrimPrefix(r.Header.Get("X-Amz-Target"), "DynamoDB_20120810.")
	var after string
	if operation == "Query" {
		after = s.after(body)
		s.asked = append(s.asked, query{after})
	} else {
		s.puts++
	}
	s.mu.Unlock()
	if answer != nil {
		return answer(r)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch operation {
	case "Query":
		return s.respond(s.page(after)), nil
	case "PutItem":
		s.putItem(body)
		return s.respond("{}"), nil
	}
	s.t.Errorf("operation %q", operation)
	return nil, io.EOF
}

// attribute is a value as DynamoDB writes it.
type attribute struct {
	S string `json:",omitempty"`
	N string `json:",omitempty"`
}

// after returns the key after which a query asks for entries.
func (s *store) after(body []byte) string {
	var q struct {
		TableName, KeyConditionExpression, ProjectionExpression string
		ConsistentRead                                          bool
		ExpressionAttributeNames                                map[string]string
		ExpressionAttributeValues                               map[string]attribute
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&q); err != nil || d.More() {
		s.t.Errorf("%v: %s", err, body)
	}
	if q.TableName != tableName || !q.ConsistentRead || q.KeyConditionExpression != "#l=:l AND #e>:e" || q.ProjectionExpression != "#e,#t" ||
		fmt.Sprint(q.ExpressionAttributeNames) != "map[#e:entry #l:list #t:ends]" || q.ExpressionAttributeValues[":l"] != (attribute{S: "cuts"}) {
		s.t.Errorf("asked %s", body)
	}
	return q.ExpressionAttributeValues[":e"].S
}

// page answers a query for what is after a key.
func (s *store) page(after string) string {
	i, found := slices.BinarySearch(s.keys, after)
	if found {
		i++
	}
	keys := s.keys[i:min(i+s.size, len(s.keys))]
	answer := map[string]any{"Count": len(keys), "ScannedCount": len(keys)}
	items := []map[string]attribute{}
	for _, k := range keys {
		item := map[string]attribute{"entry": {S: k}}
		if s.ends[k] != 0 {
			item["ends"] = attribute{N: strconv.FormatInt(s.ends[k], 10)}
		}
		items = append(items, item)
	}
	answer["Items"] = items
	if i+s.size < len(s.keys) {
		answer["LastEvaluatedKey"] = map[string]attribute{"list": {S: "cuts"}, "entry": {S: keys[len(keys)-1]}}
	}
	b, err := json.Marshal(answer)
	if err != nil {
		s.t.Error(err)
	}
	return string(b)
}

func (s *store) putItem(body []byte) {
	var p struct {
		TableName string
		Item      map[string]attribute
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil || d.More() || p.TableName != tableName || p.Item["list"] != (attribute{S: "cuts"}) || p.Item["entry"].S == "" {
		s.t.Errorf("%v: %s", err, body)
	}
	ends, err := strconv.ParseInt(p.Item["ends"].N, 10, 64)
	if err != nil && p.Item["ends"] != (attribute{}) {
		s.t.Errorf("ends %v", p.Item["ends"])
	}
	s.put(p.Item["entry"].S, ends)
}

func (s *store) respond(body string) *http.Response {
	return &http.Response{
		StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(body)),
		Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}, "Date": {s.clock().Add(s.zone).UTC().Format(http.TimeFormat)}},
	}
}

// verify wants the request that AWS's own signer would have made of it.
func verify(t testing.TB, r *http.Request, body []byte) {
	at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err != nil {
		t.Error(err)
	}
	if r.Method != http.MethodPost || r.URL.Path != "/" || r.URL.RawQuery != "" || r.Header.Get("Content-Type") != "application/x-amz-json-1.0" {
		t.Errorf("%s %s %v", r.Method, r.URL, r.Header)
	}
	again := r.Clone(context.Background())
	again.Header.Del("Authorization")
	again.Header.Del("X-Amz-Date")
	again.Header.Del("X-Amz-Security-Token")
	sum := sha256.Sum256(body)
	key := aws.Credentials{AccessKeyID: credentials.AccessKeyID, SecretAccessKey: credentials.SecretAccessKey, SessionToken: r.Header.Get("X-Amz-Security-Token")}
	if err := v4.NewSigner().SignHTTP(context.Background(), key, again, hex.EncodeToString(sum[:]), "dynamodb", region, at); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"Authorization", "X-Amz-Date", "X-Amz-Security-Token"} {
		if got, want := r.Header.Get(name), again.Header.Get(name); got != want {
			t.Errorf("%s\n%s\n%s", name, got, want)
		}
	}
}
