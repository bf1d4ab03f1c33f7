// Package dynamodb is a local stand-in for Amazon DynamoDB: tables in memory, as far as a list that grows asks them for anything. It is a model, not AWS.
//
// It knows two operations: PutItem of a whole item, and Query by the partition key and what follows a sort key. It refuses everything else by name, and
// is stricter where DynamoDB would do as well: what is read eventually consistently may be old, and no test would notice, so a Query has to be strongly
// consistent. Requests must be signed (version 4) for this Region and service, minutes ago at most; the signature itself is not checked. Items past their
// time to live stay for an hour, as they stay for days at DynamoDB: readers have to leave them out themselves.
//
// GET /_standin/table/ lists the faults it can be asked for.
package dynamodb

// This file decides what a table holds, and what an operation does with it.

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Config says which tables there are.
type Config struct {
	Region string
	Tables []Table
	Now    func() time.Time // nil: time.Now
	Log    io.Writer        // a line of JSON for each request; nil: none
}

// Table is a table whose keys are both strings.
type Table struct {
	Name, Partition, Sort string
	TimeToLive            string // the attribute that says, in seconds since 1970, when an item ends; "": none does
}

// Server is the tables. It is safe for concurrent use.
type Server struct {
	region string
	now    func() time.Time
	log    *slog.Logger

	mu      sync.Mutex // guards what follows
	tables  map[string]*table
	faults  []*fault
	counts  map[string]int
	hanging int
	release chan struct{} // closed when held answers may go
}

// New returns empty tables.
func New(c Config) *Server {
	s := &Server{region: c.Region, now: c.Now, tables: map[string]*table{}, counts: map[string]int{}, release: make(chan struct{})}
	if s.now == nil {
		s.now = time.Now
	}
	s.log = slog.New(slog.NewJSONHandler(cmp.Or[io.Writer](c.Log, io.Discard), nil))
	for _, t := range c.Tables {
		s.tables[t.Name] = &table{Table: t}
	}
	return s
}

// table is a table and its items, by partition and then by sort key.
type table struct {
	Table
	items []item
}

// item is an item: its attributes by name.
type item map[string]attribute

// attribute is a value of one of the two types that are modelled.
type attribute struct {
	S *string `json:",omitempty"`
	N *string `json:",omitempty"`
}

func (a attribute) text() string {
	if a.S != nil {
		return *a.S
	}
	return ""
}

// The most that one answer to a Query reads, and how long what has ended is kept.
const (
	maxPage  = 1 << 20
	keptOver = time.Hour
)

// failure is an error as the service names it.
type failure struct{ code, message string }

func invalid(format string, args ...any) *failure {
	return &failure{"ValidationException", fmt.Sprintf(format, args...)}
}

// modelled refuses a request with a member that is not among those given, which would otherwise be ignored.
func modelled(body []byte, names ...string) *failure {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil {
		return &failure{"SerializationException", "the body is not the JSON that this operation takes"}
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if !slices.Contains(names, name) {
			return invalid("%s is not modelled by this stand-in", name)
		}
	}
	return nil
}

func (s *Server) table(name string) (*table, *failure) {
	if t := s.tables[name]; t != nil {
		return t, nil
	}
	return nil, &failure{"ResourceNotFoundException", "Requested resource not found"}
}

// key is where an item stands in a table's order.
func (t *table) key(i item) (partition, sort string) { return i[t.Partition].text(), i[t.Sort].text() }

func (t *table) find(partition, sort string) (int, bool) {
	return slices.BinarySearchFunc(t.items, [2]string{partition, sort}, func(i item, want [2]string) int {
		p, s := t.key(i)
		return cmp.Or(cmp.Compare(p, want[0]), cmp.Compare(s, want[1]))
	})
}

// put replaces an item whole.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PutItem.html
func (s *Server) put(body []byte) (any, *failure) {
	if failed := modelled(body, "TableName", "Item"); failed != nil {
		return nil, failed
	}
	var in struct {
		TableName string
		Item      map[string]map[string]any
	}
	if json.Unmarshal(body, &in) != nil {
		return nil, &failure{"SerializationException", "the body is not the JSON that this operation takes"}
	}
	t, failed := s.table(in.TableName)
	if failed != nil {
		return nil, failed
	}
	i := item{}
	for name, value := range in.Item {
		if i[name], failed = attributeOf(name, value); failed != nil {
			return nil, failed
		}
	}
	partition, sort := t.key(i)
	switch {
	case partition == "" || sort == "":
		return nil, invalid("One or more parameter values were invalid: Missing the key %s or %s in the item", t.Partition, t.Sort)
	case len(partition) > 2048 || len(sort) > 1024:
		return nil, invalid("One or more parameter values were invalid: Size of a key has exceeded the maximum size limit")
	case i.size() > 400<<10:
		return nil, invalid("Item size has exceeded the maximum allowed size")
	}
	if at, found := t.find(partition, sort); found {
		t.items[at] = i
	} else {
		t.items = slices.Insert(t.items, at, i)
	}
	return struct{}{}, nil
}

// attributeOf reads a value: a string, or a number as DynamoDB writes it.
func attributeOf(name string, value map[string]any) (attribute, *failure) {
	for kind, v := range value {
		text, ok := v.(string)
		switch {
		case len(value) != 1 || !ok:
		case kind == "S":
			return attribute{S: &text}, nil
		case kind == "N":
			if _, err := strconv.ParseFloat(text, 64); err == nil {
				return attribute{N: &text}, nil
			}
		}
	}
	return attribute{}, invalid("attribute %s is neither a string nor a number, and others are not modelled by this stand-in", name)
}

// size is what an item counts for: the names and values of its attributes.
func (i item) size() (n int) {
	for name, a := range i {
		n += len(name) + len(a.text())
		if a.N != nil {
			n += len(*a.N)/2 + 1
		}
	}
	return n
}

// keyCondition is the one form of a key condition that is modelled.
var keyCondition = regexp.MustCompile(`^(#\w+)\s*=\s*(:\w+) AND (#\w+)\s*>\s*(:\w+)$`)

var projection = regexp.MustCompile(`^#\w+(,\s*#\w+)*$`)

// query answers with the items of a partition that follow a sort key, as many as one answer may hold.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Query.html
func (s *Server) query(body []byte) (any, *failure) {
	failed := modelled(body, "TableName", "ConsistentRead", "KeyConditionExpression", "ProjectionExpression", "ExpressionAttributeNames", "ExpressionAttributeValues")
	if failed != nil {
		return nil, failed
	}
	var in struct {
		TableName, KeyConditionExpression, ProjectionExpression string
		ConsistentRead                                          bool
		ExpressionAttributeNames                                map[string]string
		ExpressionAttributeValues                               map[string]map[string]any
	}
	if json.Unmarshal(body, &in) != nil {
		return nil, &failure{"SerializationException", "the body is not the JSON that this operation takes"}
	}
	t, failed := s.table(in.TableName)
	if failed != nil {
		return nil, failed
	}
	if !in.ConsistentRead {
		return nil, invalid("an eventually consistent Query is not modelled by this stand-in: its answer may be old")
	}
	condition := keyCondition.FindStringSubmatch(in.KeyConditionExpression)
	if condition == nil {
		return nil, invalid("KeyConditionExpression is not modelled by this stand-in, but for #p=:p AND #s>:s")
	}
	if in.ExpressionAttributeNames[condition[1]] != t.Partition || in.ExpressionAttributeNames[condition[3]] != t.Sort {
		return nil, invalid("Query condition missed key schema element: %s or %s", t.Partition, t.Sort)
	}
	var keys [2]string
	used := map[string]bool{condition[1]: true, condition[3]: true}
	for n, name := range []string{condition[2], condition[4]} {
		a, failed := attributeOf(name, in.ExpressionAttributeValues[name])
		if failed != nil || a.S == nil {
			return nil, invalid("One or more parameter values were invalid: Condition parameter type does not match schema type")
		}
		keys[n] = *a.S
	}
	names, failed := projected(in.ProjectionExpression, in.ExpressionAttributeNames, used)
	if failed != nil {
		return nil, failed
	}
	for name := range in.ExpressionAttributeNames {
		if !used[name] {
			return nil, invalid("Value provided in ExpressionAttributeNames unused in expressions: keys: {%s}", name)
		}
	}
	if len(in.ExpressionAttributeValues) != 2 {
		return nil, invalid("Value provided in ExpressionAttributeValues unused in expressions")
	}
	return s.answer(t, keys[0], keys[1], names), nil
}

// projected are the attributes that an expression asks for; none: all.
func projected(expression string, names map[string]string, used map[string]bool) (wanted []string, failed *failure) {
	if expression == "" {
		return nil, nil
	}
	if !projection.MatchString(expression) {
		return nil, invalid("ProjectionExpression is not modelled by this stand-in, but for #a,#b")
	}
	for _, placeholder := range regexp.MustCompile(`#\w+`).FindAllString(expression, -1) {
		name, ok := names[placeholder]
		if !ok {
			return nil, invalid("Invalid ProjectionExpression: An expression attribute name used in the document path is not defined; attribute name: %s", placeholder)
		}
		used[placeholder] = true
		wanted = append(wanted, name)
	}
	return wanted, nil
}

// found is the answer to a Query.
type found struct {
	Items               []item
	Count, ScannedCount int
	LastEvaluatedKey    item `json:",omitempty"`
}

func (s *Server) answer(t *table, partition, after string, names []string) found {
	t.items = slices.DeleteFunc(t.items, func(i item) bool { return s.now().Sub(t.ends(i)) > keptOver })
	f := found{Items: []item{}}
	at, there := t.find(partition, after)
	if there {
		at++
	}
	size := 0
	for _, i := range t.items[at:] {
		if p, _ := t.key(i); p != partition {
			break
		}
		if size += i.size(); size > maxPage && len(f.Items) > 0 {
			_, last := t.key(t.items[at+len(f.Items)-1])
			f.LastEvaluatedKey = item{t.Partition: {S: &partition}, t.Sort: {S: &last}}
			break
		}
		f.Items = append(f.Items, i.only(names))
	}
	f.Count, f.ScannedCount = len(f.Items), len(f.Items)
	return f
}

// ends is when an item ends: at no time that comes, if nothing says so.
func (t *table) ends(i item) time.Time {
	if a := i[t.TimeToLive]; t.TimeToLive != "" && a.N != nil {
		if seconds, err := strconv.ParseInt(*a.N, 10, 64); err == nil {
			return time.Unix(seconds, 0)
		}
	}
	return time.Unix(1<<40, 0)
}

func (i item) only(names []string) item {
	if names == nil {
		return i
	}
	part := item{}
	for _, name := range names {
		if a, ok := i[name]; ok {
			part[name] = a
		}
	}
	return part
}
