package main

// This file holds the count of allowed decisions to its rules: what is written when, with which
// time, and that the metrics are those of single lines.

import (
	"context"
	"encoding/json"
	"fmt"
	goruntime "runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"edgeauth/internal/config"
	"edgeauth/internal/token/tokentest"
	"edgeauth/local/runtime"
)

func counting(s *config.Authorizer) { s.LogDecisions = config.RefusedDecisions }

// told is what a line of the log says to CloudWatch, and what kind of line it is.
type told struct {
	Metadata struct {
		Timestamp         int64
		CloudWatchMetrics []struct {
			Namespace  string
			Dimensions [][]string
			Metrics    []struct{ Name, Unit string }
		}
	} `json:"_aws"`
	Msg             string
	Decisions       int
	Verify          json.RawMessage
	Function        string
	Outcome, Reason string
}

// String is a line in short: its second of the test, its message, how many decisions, outcome.
func (l told) String() string {
	return fmt.Sprintf("%d %s %d %s", l.Metadata.Timestamp/1000-tokentest.Start.Unix(), l.Msg, l.Decisions, l.Outcome)
}

// values returns the times of verifications, whichever way the line has them.
func (l told) values() (all []int64) {
	if l.Verify == nil || json.Unmarshal(l.Verify, &all) == nil {
		return all
	}
	var one int64
	_ = json.Unmarshal(l.Verify, &one)
	return []int64{one}
}

// take returns the lines since the last time.
func (d door) take(t *testing.T) []string {
	t.Helper()
	var short []string
	for _, l := range d.lines(t) {
		short = append(short, l.String())
	}
	return short
}

func (d door) lines(t *testing.T) (all []told) {
	t.Helper()
	for line := range strings.Lines(d.log.String()) {
		var l told
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		all = append(all, l)
	}
	d.log.Reset()
	return all
}

// TestAllowedDecisionsAreCounted walks through a day of an instance. The test's clock begins at the
// full minute.
func TestAllowedDecisionsAreCounted(t *testing.T) {
	d := newDoor(t, counting, rules("* /reports/* signed-in\n* /open/* anyone"))
	good, expired := d.pool.IDToken(nil), d.pool.IDToken(tokentest.Claims{"exp": tokentest.Start.Unix() - 60})
	allowed, refused := page.at("GET", "/reports/1").session(good).event(t), page.event(t)
	ignored := page.at("GET", "/open/x").session(expired).event(t)
	for _, step := range []struct {
		name  string
		wait  time.Duration
		event []byte
		times int
		want  []string
	}{
		{"the first of an instance is written at once", 0, allowed, 1, []string{"0 decisions 1 allowed"}},
		{"then they are counted", time.Second, allowed, 5, nil},
		{"every refusal has its line", time.Second, refused, 2, []string{"2 decision 1 anonymous", "2 decision 1 anonymous"}},
		{"not yet", 7*time.Second + 999*time.Millisecond, allowed, 1, nil},
		{"the first after ten seconds writes them", time.Millisecond, allowed, 1, []string{"1 decisions 7 allowed"}},
		{"whatever it is", 5 * time.Second, allowed, 3, nil},
		{"even a refusal", 5 * time.Second, refused, 1, []string{"20 decision 1 anonymous", "15 decisions 3 allowed"}},
		{"with nothing to tell, nothing is told", 10 * time.Second, refused, 1, []string{"30 decision 1 anonymous"}},
		{"a session that was no good is told of", time.Second, ignored, 1, []string{"31 decision 1 allowed"}},
		{"near the end of a minute", 28 * time.Second, allowed, 2, []string{"59 decisions 1 allowed"}},
		{"each in its own minute", time.Second, allowed, 2, []string{"59 decisions 1 allowed"}},
		{"frozen for a week with a count, and thawed", 7 * 24 * time.Hour, refused, 1, []string{"60 decisions 2 allowed", "604860 decision 1 anonymous"}},
		{"a clock that was set back", -time.Hour, refused, 1, []string{"601260 decision 1 anonymous"}},
	} {
		d.pool.Advance(step.wait)
		for range step.times {
			d.Invoke(context.Background(), step.event)
		}
		if got := d.take(t); !slices.Equal(got, step.want) {
			t.Fatalf("%s:\ngot  %q\nwant %q", step.name, got, step.want)
		}
	}
}

// TestCountIsWrittenAtTheEnd: what Lambda's last word finds is written, with the time at which it
// happened, and once.
func TestCountIsWrittenAtTheEnd(t *testing.T) {
	d := newDoor(t, counting)
	allowed := page.at("GET", "/reports/1").session(d.pool.IDToken(nil)).event(t)
	for range 4 {
		d.Invoke(context.Background(), allowed)
	}
	d.take(t)
	d.pool.Advance(time.Hour)
	d.authorizer.log.flush()
	d.authorizer.log.flush()
	if got, want := d.take(t), []string{"0 decisions 3 allowed"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestCountedMetricsAreExact compares what both settings tell CloudWatch about the same requests:
// the sum of decisions, and every single time of verification, by minute, outcome and reason.
func TestCountedMetricsAreExact(t *testing.T) {
	type key struct {
		minute          int64
		outcome, reason string
	}
	tell := func(how func(*config.Authorizer)) (sums map[key]int, times map[key][]int64, lines int) {
		d := newDoor(t, how, rules("* /reports/* signed-in\n* /open/* anyone"))
		d.authorizer.log.function = "edgeauth-authorizer"
		took := int64(0)
		d.authorizer.now = func() time.Time { // each look at the clock takes longer than the one before
			took = (took + 7) % 1000
			d.pool.Advance(time.Duration(took) * time.Microsecond)
			return d.pool.Now()
		}
		events := [][]byte{
			page.at("GET", "/reports/1").session(d.pool.IDToken(nil)).event(t), page.event(t), page.at("GET", "/open/x").event(t), page.session("garbage").event(t),
			page.at("GET", "/reports/1").session(d.pool.IDToken(tokentest.Claims{"cognito:groups": []string{"a"}})).event(t),
		}
		for i := range 2000 {
			d.pool.Advance(time.Duration(i*i%977) * time.Millisecond)
			d.Invoke(context.Background(), events[i*i%len(events)])
		}
		d.authorizer.log.flush()
		sums, times = map[key]int{}, map[key][]int64{}
		for _, l := range d.lines(t) {
			directive := l.Metadata.CloudWatchMetrics[0]
			if directive.Namespace != "edgeauth" || !slices.Equal(directive.Dimensions[0], dimensions) || l.Function != "edgeauth-authorizer" || len(l.values()) > 100 {
				t.Fatalf("%+v", l)
			}
			if verifies := len(directive.Metrics) > 1 && directive.Metrics[1].Name == "verify"; verifies != (l.Verify != nil) {
				t.Fatalf("%+v", l)
			}
			k := key{l.Metadata.Timestamp / 60000, l.Outcome, l.Reason}
			sums[k] += l.Decisions
			times[k] = append(times[k], l.values()...)
			lines++
		}
		return sums, times, lines
	}
	sums, times, each := tell(func(*config.Authorizer) {})
	counted, countedTimes, few := tell(counting)
	if each != 2000 || few >= 1400 {
		t.Errorf("%d lines, and %d with counting", each, few)
	}
	if len(sums) < 30 || fmt.Sprint(sums) != fmt.Sprint(counted) {
		t.Errorf("decisions\n%v\ncounted\n%v", sums, counted)
	}
	if fmt.Sprint(times) != fmt.Sprint(countedTimes) {
		t.Errorf("times\n%v\ncounted\n%v", times, countedTimes)
	}
}

// TestALineHoldsAHundredValues: one more, and CloudWatch takes none of them.
func TestALineHoldsAHundredValues(t *testing.T) {
	d := newDoor(t, counting)
	allowed := page.at("GET", "/reports/1").session(d.pool.IDToken(nil)).event(t)
	for range 250 {
		d.Invoke(context.Background(), allowed)
	}
	d.authorizer.log.flush()
	if got, want := d.take(t), []string{"0 decisions 1 allowed", "0 decisions 100 allowed", "0 decisions 100 allowed", "0 decisions 49 allowed"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestCountedLine pins the line, which dashboards read.
func TestCountedLine(t *testing.T) {
	d := newDoor(t, counting)
	d.authorizer.log.function = "edgeauth-authorizer"
	fetches := 3
	d.authorizer.log.fetches = func() int { return fetches }
	const head = `{"_aws":{"Timestamp":1795348800000,"CloudWatchMetrics":[{"Namespace":"edgeauth","Dimensions":[["function","outcome","reason"]],"Metrics":[{"Name":"decisions","Unit":"Count"},{"Name":"verify","Unit":"Microseconds"}`
	const tail = `,"function":"edgeauth-authorizer","outcome":"allowed","reason":"ok"}`
	allowed := page.at("GET", "/reports/1").session(d.pool.IDToken(nil)).event(t)
	d.Invoke(context.Background(), allowed)
	want := head + `,{"Name":"jwks_fetches","Unit":"Count"}]}]},"jwks_fetches":3,"msg":"decisions","decisions":1,"verify":[0]` + tail
	if got := strings.TrimSpace(d.log.String()); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	d.log.Reset()
	d.Invoke(context.Background(), allowed)
	d.Invoke(context.Background(), allowed)
	d.authorizer.log.flush()
	if got, want := strings.TrimSpace(d.log.String()), head+`]}]},"msg":"decisions","decisions":2,"verify":[0,0]`+tail; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestNoDecisionIsLostWithItsInstance runs the binary as Lambda does, up to the signal that ends
// it: what was counted is written then.
func TestNoDecisionIsLostWithItsInstance(t *testing.T) {
	pool := tokentest.New(t)
	pool.Advance(time.Since(pool.Now()))
	for _, c := range []struct {
		setting string
		lines   int // at the end of all
	}{{"refused", 2}, {"every", 12}} {
		log := &journal{}
		f, err := runtime.New(runtime.Config{
			Name: "edgeauth-authorizer", Program: runtime.Program{Binary: binary(t, "OS="+goruntime.GOOS, "ARCH="+goruntime.GOARCH)}, Timeout: time.Minute, Max: 1, Log: log,
			Environment: map[string]string{
				"AUTH_ISSUER": tokentest.Issuer, "AUTH_CLIENT_IDS": tokentest.ClientID, "AUTH_JWKS_URL": pool.Server(t), "AUTH_JWKS": string(pool.JWKS()),
				"AUTH_LOG_DECISIONS": c.setting,
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		allowed := page.session(pool.IDToken(nil)).event(t)
		for range 12 {
			if _, err := f.Invoke(t.Context(), allowed); err != nil {
				t.Fatal(err)
			}
		}
		f.Close()
		lines, decisions, values := 0, 0, 0
		for line := range strings.Lines(log.String()) {
			var l told
			if json.Unmarshal([]byte(line), &l) != nil {
				t.Errorf("%s: %s", c.setting, line)
			}
			if l.Outcome == "allowed" {
				lines, decisions, values = lines+1, decisions+l.Decisions, values+len(l.values())
			}
		}
		if decisions != 12 || values != 12 || lines < c.lines || lines > c.lines+3 { // more lines where the machine was busy for ten seconds, or a minute began
			t.Errorf("%s: %d decisions and %d times in %d lines:\n%s", c.setting, decisions, values, lines, log)
		}
	}
}
