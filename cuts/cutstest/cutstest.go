// Package cutstest is a list of endings for tests: a DynamoDB table in memory, whose clock is the test's and which fails on demand.
package cutstest

import (
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
)

// Table is the table, and the way to it.
type Table struct {
	t   testing.TB
	now func() time.Time

	mu    sync.Mutex // guards what follows
	keys  []string
	ends  map[string]string // by what was ended: the latest end that was written, in seconds since 1970
	asked int
	fault func(*http.Request) error
}

// New returns an empty table with a clock.
func New(t testing.TB, now func() time.Time) *Table {
	return &Table{t: t, now: now, ends: map[string]string{}}
}

// List returns a list that reads the table once in five seconds.
func (t *Table) List() *cuts.List {
	l, err := cuts.New(cuts.Config{
		Table: "cuts", Region: "eu-west-1", Credentials: cuts.Credentials{AccessKeyID: "x", SecretAccessKey: "y"},
		Every: 5 * time.Second, Now: t.now, Client: &http.Client{Transport: t},
	})
	if err != nil {
		t.t.Fatal(err)
	}
	return l
}

// Cut puts an ending into the table as somebody else would, such as "sign-in a", "user b" or "everybody".
func (t *Table) Cut(what string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.put(fmt.Sprintf("%013d %s", t.now().UnixMilli(), what))
}

func (t *Table) put(key string) {
	if i, found := slices.BinarySearch(t.keys, key); !found {
		t.keys = slices.Insert(t.keys, i, key)
	}
}

// Entries returns what was ended, without when.
func (t *Table) Entries() (all []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, k := range t.keys {
		_, what, _ := strings.Cut(k, " ")
		all = append(all, what)
	}
	return all
}

// Lives returns how long, from now on, what was ended last under this name is remembered; 0 if it was not.
func (t *Table) Lives(what string) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	seconds, _ := strconv.ParseInt(t.ends[what], 10, 64)
	if seconds == 0 {
		return 0
	}
	return time.Unix(seconds, 0).Sub(t.now())
}

// Asked returns how many requests have come so far.
func (t *Table) Asked() int { t.mu.Lock(); defer t.mu.Unlock(); return t.asked }

// Fail makes every request come to what f says; nil: all is well again.
func (t *Table) Fail(f func(*http.Request) error) { t.mu.Lock(); defer t.mu.Unlock(); t.fault = f }

// RoundTrip implements http.RoundTripper.
func (t *Table) RoundTrip(r *http.Request) (*http.Response, error) {
	t.mu.Lock()
	t.asked++
	fault := t.fault
	t.mu.Unlock()
	if fault != nil {
		if err := fault(r); err != nil {
			return nil, err
		}
	}
	type attribute struct{ S, N string }
	var in struct {
		ExpressionAttributeValues map[string]attribute
		Item                      map[string]attribute
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		t.t.Error(err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	items := []any{}
	if strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".PutItem") {
		t.put(in.Item[cuts.SortKey].S)
		_, what, _ := strings.Cut(in.Item[cuts.SortKey].S, " ")
		t.ends[what] = in.Item[cuts.TimeToLive].N
	} else {
		for _, k := range t.keys {
			if k > in.ExpressionAttributeValues[":e"].S {
				items = append(items, map[string]any{cuts.SortKey: map[string]string{"S": k}})
			}
		}
	}
	body, err := json.Marshal(map[string]any{"Items": items})
	if err != nil {
		t.t.Error(err)
	}
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Date": {t.now().UTC().Format(http.TimeFormat)}}, Body: io.NopCloser(strings.NewReader(string(body))),
	}, nil
}
