package cuts

// This file decides what the table is asked and what counts as its answer. All entries are in one partition, and the sort key is the whole entry, so
// that a reader asks for what is new by its order and writers never contend
// (https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Query.html). Readings are strongly consistent: by others, an ending that was
// written before a reading began could be missing from it.

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"edgeauth/internal/awsjson"
	"edgeauth/internal/endpoint"
	"edgeauth/internal/jsonread"
	"edgeauth/internal/jsonwrite"
)

// Names of the table's attributes: its partition key, the one value of that, its sort key, and its time to live. A template or tool that makes the
// table uses them.
const (
	PartitionKey = "list"
	Partition    = "cuts"
	SortKey      = "entry"
	TimeToLive   = "ends"
)

// Credentials are an AWS access key. No verb, encoder or logger prints them.
type Credentials = awsjson.Credentials

// What makes an answer unusable.
var (
	ErrStatus    = errors.New("cuts: DynamoDB refuses")
	ErrMalformed = errors.New("cuts: not an answer of DynamoDB")
)

// attempt is how long one request may take: two of them, the second a retry, fit into a reading.
const attempt = Timeout / 2

// maxBody is more than a page can have: 1 MB of items, as JSON.
const maxBody = 4 << 20

// FromEnvironment returns where the table of that name is, and the credentials to read it with, as the AWS SDKs take both from the variables that
// Lambda sets (https://docs.aws.amazon.com/sdkref/latest/guide/environment-variables.html).
func FromEnvironment(lookup func(string) (string, bool), table string) Config {
	get := func(name string) string { v, _ := lookup(name); return v }
	return Config{
		Table: table, Region: get("AWS_REGION"), Endpoint: cmp.Or(get("AWS_ENDPOINT_URL_DYNAMODB"), get("AWS_ENDPOINT_URL")),
		Credentials: Credentials{AccessKeyID: get("AWS_ACCESS_KEY_ID"), SecretAccessKey: get("AWS_SECRET_ACCESS_KEY"), SessionToken: get("AWS_SESSION_TOKEN")},
	}
}

// table is the way to the DynamoDB table.
type table struct {
	name, region, endpoint string
	credentials            Credentials
	now                    func() time.Time
	do                     func(*http.Request) (*http.Response, error)
}

func newTable(c Config) (table, error) {
	t := table{name: c.Table, region: c.Region, endpoint: c.Endpoint, credentials: c.Credentials, now: c.Now}
	if t.endpoint == "" {
		t.endpoint = "https://dynamodb." + c.Region + "." + awsjson.Suffix(c.Region)
	}
	if t.now == nil {
		t.now = time.Now
	}
	if c.Table == "" || c.Region == "" || c.Credentials.AccessKeyID == "" || c.Credentials.SecretAccessKey == "" {
		return t, errors.New("cuts: Config lacks Table, Region or a key in Credentials")
	}
	if err := endpoint.Check(t.endpoint); err != nil {
		return t, fmt.Errorf("cuts: %w", err)
	}
	t.do = awsjson.Client()
	if c.Client != nil {
		t.do = endpoint.Unredirected(c.Client)
	}
	return t, nil
}

// page is one answer to a query.
type page struct {
	entries []Entry
	next    string // the sort key after which more follows; "": nothing does
	date    int64  // when it was given, in milliseconds since 1970 by the table's clock; 0: it does not say
}

// query returns the entries after a sort key, as many as one answer holds.
func (t *table) query(ctx context.Context, after string) (page, error) {
	b := jsonwrite.AppendString([]byte(`{"TableName":`), t.name)
	b = append(b, `,"ConsistentRead":true,"KeyConditionExpression":"#l=:l AND #e>:e","ProjectionExpression":"#e,#t","ExpressionAttributeNames":{"#l":"`+
		PartitionKey+`","#e":"`+SortKey+`","#t":"`+TimeToLive+`"},"ExpressionAttributeValues":{":l":{"S":"`+Partition+`"},":e":{"S":`...)
	b = append(jsonwrite.AppendString(b, after), `}}}`...)
	body, date, err := t.ask(ctx, "Query", b)
	if err != nil {
		return page{}, err
	}
	p := page{date: date}
	return p, p.read(body)
}

// put writes an entry and returns when, by the table's clock.
func (t *table) put(ctx context.Context, e Entry) (date int64, err error) {
	b := jsonwrite.AppendString([]byte(`{"TableName":`), t.name)
	b = append(b, `,"Item":{"`+PartitionKey+`":{"S":"`+Partition+`"},"`+SortKey+`":{"S":`...)
	b = append(jsonwrite.AppendString(b, e.text()), '}')
	if !e.Ends.IsZero() {
		b = append(b, `,"`+TimeToLive+`":{"N":"`...)
		b = append(strconv.AppendInt(b, e.Ends.Unix(), 10), `"}`...)
	}
	_, date, err = t.ask(ctx, "PutItem", append(b, '}', '}'))
	return date, err
}

// ask sends one request, and once more if that failed. What is asked here may be asked twice: an entry that is written again is the same one.
func (t *table) ask(ctx context.Context, operation string, body []byte) (answer []byte, date int64, err error) {
	if answer, date, err = t.send(ctx, operation, body); err != nil && ctx.Err() == nil {
		answer, date, err = t.send(ctx, operation, body)
	}
	return answer, date, err
}

func (t *table) send(ctx context.Context, operation string, body []byte) ([]byte, int64, error) {
	ctx, cancel := context.WithTimeout(ctx, attempt)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, t.endpoint+"/", bytes.NewReader(body))
	if err != nil {
		return nil, 0, err
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	r.Header.Set("X-Amz-Target", "DynamoDB_20120810."+operation)
	t.credentials.Sign(r, body, "dynamodb", t.region, t.now())
	response, err := t.do(r)
	if err != nil {
		return nil, 0, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxBody+1))
	switch {
	case err != nil:
		return nil, 0, err
	case response.StatusCode != http.StatusOK:
		return nil, 0, fmt.Errorf("%w with %d %s", ErrStatus, response.StatusCode, exception(answer))
	case len(answer) > maxBody:
		return nil, 0, ErrMalformed
	}
	at, err := http.ParseTime(response.Header.Get("Date"))
	if err != nil {
		return answer, 0, nil
	}
	return answer, at.UnixMilli(), nil
}

// exception is the name of the error that an answer tells of, "" if it is nothing that may be repeated.
func exception(answer []byte) string {
	_, name, _ := bytes.Cut(answer, []byte("#"))
	name, _, _ = bytes.Cut(name, []byte(`"`))
	if len(name) > 64 || len(bytes.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")) > 0 {
		return ""
	}
	return string(name)
}

// read reads an answer to a query.
func (p *page) read(answer []byte) error {
	s := jsonread.New(answer)
	items := false
	var broken error
	for member := range s.Members() {
		switch member {
		case "Items":
			items = true
			for range s.Elements() {
				i := readItem(&s)
				e, err := parse(i.entry, i.ends)
				if err != nil {
					broken = err
				}
				p.entries = append(p.entries, e)
			}
		case "LastEvaluatedKey":
			if p.next = readItem(&s).entry; p.next == "" {
				broken = ErrMalformed
			}
		default:
			s.Skip()
		}
	}
	switch err := s.End(); {
	case err != nil:
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	case !items:
		return ErrMalformed
	}
	return broken
}

// item is what of an item matters.
type item struct {
	entry string
	ends  int64
}

func readItem(s *jsonread.Reader) (i item) {
	for name := range s.Members() {
		for kind := range s.Members() {
			value, _ := s.String()
			switch {
			case name == SortKey && kind == "S":
				i.entry = value
			case name == TimeToLive && kind == "N":
				i.ends, _ = strconv.ParseInt(value, 10, 64)
			}
		}
	}
	return i
}
