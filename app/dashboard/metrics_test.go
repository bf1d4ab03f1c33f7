package main

// What CloudWatch answers, to the letter of its protocol, and what an administrator then sees.

import (
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
)

type object = map[string]any

// watch answers as CloudWatch does, and remembers what it was asked.
type watch struct {
	url    string
	asked  []object
	answer func(n int) (status int, body any) // to the nth question, from 0
}

func newWatch(t *testing.T, answer func(n int) (int, any)) *watch {
	t.Helper()
	w := &watch{answer: answer}
	server := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.URL.Path != "/service/GraniteServiceVersion20100801/operation/GetMetricData" || r.Header.Get("Smithy-Protocol") != "rpc-v2-cbor" ||
			!strings.Contains(r.Header.Get("Authorization"), "Credential=KEY/") || !strings.Contains(r.Header.Get("Authorization"), "/eu-west-1/monitoring/aws4_request") || r.Header.Get("X-Amz-Security-Token") != "session" {
			t.Errorf("asked %s, signed %q, %v", r.URL, r.Header.Get("Authorization"), err)
		}
		var in object
		if err := cbor.Unmarshal(body, &in); err != nil {
			t.Error(err)
		}
		w.asked = append(w.asked, in)
		status, answer := w.answer(len(w.asked) - 1)
		raw, err := cbor.Marshal(answer)
		if err != nil {
			t.Error(err)
		}
		out.Header().Set("Smithy-Protocol", "rpc-v2-cbor")
		out.Header().Set("Content-Type", "application/cbor")
		out.WriteHeader(status)
		_, _ = out.Write(raw)
	}))
	t.Cleanup(server.Close)
	w.url = server.URL
	return w
}

// environment is the function's, with CloudWatch at an address.
func environment(url string) map[string]string {
	return map[string]string{
		"DASHBOARD_AUTHORIZER": "shop-authorizer", "DASHBOARD_CALLBACK": "shop-CallbackFunction-1A", "DASHBOARD_API": "shop",
		"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "KEY", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "session",
		"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_ENDPOINT_URL_CLOUDWATCH": url,
	}
}

// open asks for the page of figures with a query such as span=6h.
func open(t *testing.T, env map[string]string, authorizer object, query ...string) response {
	t.Helper()
	single, multi := "null", "null"
	if len(query) > 0 {
		var values []string
		for _, q := range query {
			values = append(values, `"`+strings.TrimPrefix(q, "span=")+`"`)
		}
		single, multi = `{"span":`+values[len(values)-1]+`}`, `{"span":[`+strings.Join(values, ",")+`]}`
	}
	return invokeWith(t, env, authorizer, "/reports/a%20b", "/admin/metrics", `"reports/a%20b"`, `"admin/metrics"`,
		`{"quarter": "4", "tag": "b/c"}`, single, `{"quarter": ["4"], "tag": ["a", "b/c"]}`, multi)
}

// result is one of CloudWatch's, with values so many minutes before now: the page asks until the end of the minute that has begun.
func result(id, label, status string, minutesAgo []int, values ...float64) object {
	var at []any
	for _, m := range minutesAgo {
		at = append(at, cbor.Tag{Number: 1, Content: float64(now.Unix() - int64(m)*60)})
	}
	return object{"Id": id, "Label": label, "StatusCode": status, "Timestamps": at, "Values": values}
}

func answered(results ...object) func(int) (int, any) {
	return func(int) (int, any) { return 200, object{"MetricDataResults": results, "Messages": []object{}} }
}

func (r response) wants(t *testing.T, name string, status int, texts ...string) {
	t.Helper()
	if r.StatusCode != status || r.header("Content-Type") != "text/html; charset=utf-8" || r.header("Cache-Control") != "no-store" {
		t.Errorf("%s: status %d, type %q, want %d", name, r.StatusCode, r.header("Content-Type"), status)
	}
	for _, text := range texts {
		if !strings.Contains(r.Body, text) {
			t.Errorf("%s: the page does not hold %s", name, text)
		}
	}
	if (status != 200) != strings.Contains(r.Body, `id="problem"`) || (status != 200) == strings.Contains(r.Body, `class="tiles"`) {
		t.Errorf("%s: the page holds figures and a problem, or neither", name)
	}
}

func TestFigures(t *testing.T) {
	w := newWatch(t, answered(
		result("signins", "allowed ok", "Complete", []int{2, 0}, 2, 1),
		result("signins", "invalid login_state_missing", "Complete", []int{2}, 1),
		result("decisions", "allowed ok", "Complete", []int{2, 1, 0}, 1000, 500, math.Inf(1)),
		result("decisions", "anonymous no_session", "Complete", []int{1}, 7),
		result("decisions", "invalid token_expired", "Complete", []int{1}, 4),
		result("decisions", "invalid cookie_broken", "Complete", []int{2, 1}, 1, 2),
		result("decisions", "refused group_required", "Complete", []int{59}, 3),
		result("decisions", "cannot_tell keys_unavailable", "Complete", []int{60, 1, -1}, 100, 5, 100), // the first is too old, the last is to come
		result("a50", "Duration", "Complete", []int{1, 0}, 1.25, 2),
		result("a99", "Duration", "Complete", []int{1, 0}, 9.5, math.NaN()),
		result("b50", "IntegrationLatency", "Complete", nil),
		result("b99", "IntegrationLatency", "Complete", []int{1}, math.Inf(1)),
	))
	r := open(t, environment(w.url), alice())
	r.wants(t, "figures", 200,
		`<title>What happens at the door · edgeauth</title>`,
		`<dt>Sign-ins</dt><dd class="figure">3</dd>`, `<dt>Decisions</dt><dd class="figure">1`+"\u202f"+`522</dd>`,
		`<dt>Refused</dt><dd class="figure">3</dd>`, `<dt>Cannot tell</dt><dd class="figure">5</dd>`,
		`allowed <b>1`+"\u202f"+`500</b>`, `nobody signed in <b>7</b>`, `no good session <b>7</b>`, `refused <b>3</b>`, `cannot tell <b>5</b>`,
		`completed <b>3</b>`, `failed <b>1</b>`,
		`token_expired <b>4</b>`, `cookie_broken <b>3</b>`, `group_required <b>3</b>`, `keys_unavailable <b>5</b>`,
		`half of them within <b>latest 2 ms</b>`, `99 of 100 within <b>latest 9.5 ms</b>`,
		`<tr><th scope="row">22 Nov, 15:03</th><td>500</td><td>7</td><td>6</td><td>–</td><td>5</td></tr>`,
		`<tr><th scope="row">22 Nov, 15:03</th><td>1.25</td><td>9.5</td></tr><tr><th scope="row">22 Nov, 15:04</th><td>2</td><td>–</td></tr>`,
		`<a href="/Prod/admin/metrics?span=1h" aria-current="page">1 hour</a>`, `<a href="/Prod/admin/metrics?span=7d">7 days</a>`,
	)
	if got := strings.Count(r.Body, "No figures in this span."); got != 1 || !strings.Contains(r.Body, `id="backend"`) {
		t.Errorf("%d plots have no figures, want the backend's alone", got)
	}
	if strings.Contains(r.Body, `id="partial"`) || strings.Contains(r.Body, "<script") {
		t.Error("the page says that something is missing, or runs a script")
	}
	want := object{
		"ScanBy": "TimestampAscending", "StartTime": now.Add(-59 * time.Minute).Unix(), "EndTime": now.Add(time.Minute).Unix(),
		"MetricDataQueries": []any{
			object{"Id": "signins", "Label": "${PROP('Dim.outcome')} ${PROP('Dim.reason')}", "Expression": `SEARCH('{edgeauth,function,outcome,reason} MetricName="sign_ins" function="shop-CallbackFunction-1A"', 'Sum', 60)`},
			object{"Id": "decisions", "Label": "${PROP('Dim.outcome')} ${PROP('Dim.reason')}", "Expression": `SEARCH('{edgeauth,function,outcome,reason} MetricName="decisions" function="shop-authorizer"', 'Sum', 60)`},
			latency("a50", "AWS/Lambda", "Duration", "FunctionName", "shop-authorizer", "p50"),
			latency("a99", "AWS/Lambda", "Duration", "FunctionName", "shop-authorizer", "p99"),
			latency("b50", "AWS/ApiGateway", "IntegrationLatency", "ApiName", "shop", "p50"),
			latency("b99", "AWS/ApiGateway", "IntegrationLatency", "ApiName", "shop", "p99"),
		},
	}
	if len(w.asked) != 1 || plain(w.asked[0]) != plain(want) {
		t.Errorf("asked %s\nwant  %s", plain(w.asked), plain(want))
	}
}

func latency(id, namespace, metric, dimension, name, stat string) object {
	return object{"Id": id, "MetricStat": object{"Period": 60, "Stat": stat, "Metric": object{
		"Namespace": namespace, "MetricName": metric, "Dimensions": []any{object{"Name": dimension, "Value": name}},
	}}}
}

// plain spells a value with maps in order and numbers without their kind.
func plain(v any) string {
	switch v := v.(type) {
	case map[any]any:
		m := object{}
		for k, one := range v {
			m[fmt.Sprint(k)] = one
		}
		return plain(m)
	case object:
		text := "{"
		for _, k := range sorted(v) {
			text += k + ":" + plain(v[k]) + " "
		}
		return text + "}"
	case []any:
		text := "["
		for _, one := range v {
			text += plain(one) + " "
		}
		return text + "]"
	case time.Time:
		return fmt.Sprint(v.Unix())
	case float64:
		return fmt.Sprint(int64(v))
	}
	return fmt.Sprint(v)
}

func TestSpans(t *testing.T) {
	for _, c := range []struct {
		span         string
		length, each time.Duration
		end          time.Time
	}{
		{"1h", time.Hour, time.Minute, now.Add(time.Minute)},
		{"6h", 6 * time.Hour, 5 * time.Minute, now.Add(time.Minute)},
		{"1d", 24 * time.Hour, 15 * time.Minute, now.Add(11 * time.Minute)},
		{"7d", 7 * 24 * time.Hour, 2 * time.Hour, now.Add(56 * time.Minute)},
	} {
		w := newWatch(t, answered())
		open(t, environment(w.url), alice(), "span="+c.span).wants(t, c.span, 200, `?span=`+c.span+`" aria-current="page"`)
		if len(w.asked) != 1 || plain(w.asked[0]["StartTime"]) != plain(c.end.Add(-c.length).Unix()) || plain(w.asked[0]["EndTime"]) != plain(c.end.Unix()) {
			t.Errorf("%s: asked %v", c.span, w.asked)
		} else if all := plain(w.asked[0]["MetricDataQueries"]); !strings.Contains(all, fmt.Sprintf("'Sum', %d)", int(c.each.Seconds()))) || !strings.Contains(all, fmt.Sprintf("Period:%d ", int(c.each.Seconds()))) {
			t.Errorf("%s: asked %s", c.span, all)
		}
	}
	w := newWatch(t, answered())
	for _, query := range [][]string{{"span=2w"}, {"span="}, {"span=1H"}, {"span=1h", "span=6h"}} {
		r := open(t, environment(w.url), alice(), query...)
		r.wants(t, fmt.Sprint(query), 400, "There is no such span.", `<a href="/Prod/admin/metrics?span=1h">1 hour</a>`)
		if strings.Contains(r.Body, `aria-current="page"`) {
			t.Errorf("%v: a span is the current one", query)
		}
	}
	if len(w.asked) != 0 {
		t.Errorf("for a span that does not exist CloudWatch was asked %d times", len(w.asked))
	}
}

func TestNoDataIsZeroAndSaysSo(t *testing.T) {
	w := newWatch(t, answered(result("a50", "Duration", "Complete", nil)))
	r := open(t, environment(w.url), alice())
	r.wants(t, "no data", 200, `<dt>Decisions</dt><dd class="figure">0</dd>`)
	if got := strings.Count(r.Body, "No figures in this span."); got != 5 {
		t.Errorf("%d plots say that there are no figures", got)
	}
}

// Who may not see them learns nothing, and CloudWatch is not asked.
func TestFiguresAreForAdministrators(t *testing.T) {
	w := newWatch(t, answered(result("decisions", "allowed ok", "Complete", []int{1}, 1000)))
	for _, groups := range []string{"", "treasury", "Admins", "admins2"} {
		bob := alice()
		bob["groups"] = groups
		open(t, environment(w.url), bob).wants(t, groups, 403, "These figures are for the group admins.")
		if body := invoke(t, bob).Body; strings.Contains(body, "/admin/metrics") {
			t.Errorf("%q: the overview leads there", groups)
		}
	}
	if len(w.asked) != 0 {
		t.Errorf("CloudWatch was asked %d times", len(w.asked))
	}
	if body := invoke(t, alice()).Body; !strings.Contains(body, `<a href="/Prod/admin/metrics">`) {
		t.Error("an administrator's overview does not lead there")
	}
}

// That nobody answers, that nobody may ask and that nobody said about whom are not "nothing happened".
func TestFiguresThatCannotBeTold(t *testing.T) {
	refuse := func(status int, code string) func(int) (int, any) {
		return func(int) (int, any) {
			return status, object{"__type": "com.amazonaws.cloudwatch#" + code, "message": "User: arn:aws:sts::123456789012:assumed-role/canary is not …"}
		}
	}
	const unreachable, forbidden, unset = "CloudWatch does not answer right now.", "This function may not read the figures.", "This function was not told whose figures are meant."
	for _, c := range []struct {
		name   string
		answer func(int) (int, any)
		change map[string]string
		status int
		text   string
	}{
		{"an error of its own", refuse(500, "InternalServiceFault"), nil, 503, unreachable},
		{"too many questions", refuse(400, "ThrottlingException"), nil, 503, unreachable},
		{"a question it does not take", refuse(400, "InvalidParameterValueException"), nil, 503, unreachable},
		{"an expired key", refuse(403, "ExpiredTokenException"), nil, 503, unreachable},
		{"no answer of its protocol", func(int) (int, any) { return 200, "x" }, nil, 503, unreachable},
		{"nobody there", answered(), map[string]string{"AWS_ENDPOINT_URL_CLOUDWATCH": "http://127.0.0.1:1"}, 503, unreachable},
		{"no right", refuse(403, "AccessDenied"), nil, 500, forbidden},
		{"no right, spelled otherwise", refuse(400, "AccessDeniedException"), nil, 500, forbidden},
		{"no right to one of them", answered(result("a50", "Duration", "Forbidden", nil)), nil, 500, forbidden},
		{"no authorizer", answered(), map[string]string{"DASHBOARD_AUTHORIZER": ""}, 500, unset},
		{"no callback", answered(), map[string]string{"DASHBOARD_CALLBACK": ""}, 500, unset},
		{"no API", answered(), map[string]string{"DASHBOARD_API": ""}, 500, unset},
		{"no Region", answered(), map[string]string{"AWS_REGION": ""}, 500, unset},
	} {
		w := newWatch(t, c.answer)
		env := environment(w.url)
		for name, value := range c.change {
			env[name] = value
		}
		r := open(t, env, alice())
		r.wants(t, c.name, c.status, c.text)
		if got := r.header("Retry-After"); (got == "30") != (c.status == 503) {
			t.Errorf("%s: Retry-After is %q", c.name, got)
		}
		if strings.Contains(r.Body, "canary") || strings.Contains(r.Body, "No figures") {
			t.Errorf("%s: the page says what AWS said, or that nothing happened", c.name)
		}
		if len(w.asked) > 2 {
			t.Errorf("%s: asked %d times", c.name, len(w.asked))
		}
	}
}

// An answer may come in pages. One that ends before it is complete is not passed off as all.
func TestFiguresInPages(t *testing.T) {
	page := func(next any, results ...object) object {
		return object{"MetricDataResults": results, "Messages": []object{}, "NextToken": next}
	}
	whole := []object{
		page("two", result("decisions", "allowed ok", "PartialData", []int{2}, 10), result("a50", "Duration", "Complete", []int{1}, 1)),
		page(nil, result("decisions", "allowed ok", "Complete", []int{1}, 5), result("decisions", "refused no_rule", "Complete", []int{1}, 2)),
	}
	endless := []object{page("two", result("decisions", "allowed ok", "Complete", []int{2}, 10))}
	broken := []object{whole[0], page(nil, result("decisions", "allowed ok", "InternalError", []int{1}, 5))}
	excess := []object{{"MetricDataResults": []object{result("decisions", "allowed ok", "Complete", []int{1}, 15)}, "Messages": []object{{"Code": "MaxMetricsExceeded", "Value": "Maximum number of allowed metrics exceeded"}}}}
	for _, c := range []struct {
		name    string
		pages   []object
		asked   int
		partial bool
		sum     string
	}{
		{"whole", whole, 2, false, "17"},
		{"with an error", broken, 2, true, "15"},
		{"with too many metrics", excess, 1, true, "15"},
		{"without an end", endless, 10, true, "10"},
	} {
		w := newWatch(t, func(n int) (int, any) { return 200, c.pages[min(n, len(c.pages)-1)] })
		r := open(t, environment(w.url), alice())
		r.wants(t, c.name, 200, `<dt>Decisions</dt><dd class="figure">`+c.sum+`</dd>`)
		if got := strings.Contains(r.Body, `id="partial"`); got != c.partial || len(w.asked) != c.asked {
			t.Errorf("%s: partial %v, asked %d times", c.name, got, len(w.asked))
		}
		if len(w.asked) > 1 && w.asked[1]["NextToken"] != "two" {
			t.Errorf("%s: the second question is for %v", c.name, w.asked[1]["NextToken"])
		}
	}
	w := newWatch(t, func(n int) (int, any) {
		if n == 0 {
			return 200, whole[0]
		}
		return 403, object{"__type": "AccessDenied"}
	})
	open(t, environment(w.url), alice()).wants(t, "a second page that is refused", 500, "This function may not read the figures.")
}

// Names come from metrics that anybody in the account may write.
func TestLabelsStayText(t *testing.T) {
	const hostile = `<script>alert(1)</script>`
	var results []object
	for i := range 150 {
		results = append(results, result("decisions", fmt.Sprint("refused ", hostile, i), "Complete", []int{1}, float64(i+1)))
	}
	results = append(results, result("decisions", "no-space", "Complete", []int{1}, 1), result("decisions", "strange "+hostile, "Complete", []int{1}, 1), result("other", "x", "Complete", []int{1}, 1))
	w := newWatch(t, answered(results...))
	r := open(t, environment(w.url), alice())
	r.wants(t, "hostile", 200, `&lt;script&gt;alert(1)&lt;/script&gt;149 <b>150</b>`, `145 others <b>`, `unknown <b>2</b>`)
	if strings.Contains(r.Body, "<script") {
		t.Error("a label runs")
	}
}

func TestFiguresAreReadOnly(t *testing.T) {
	w := newWatch(t, answered())
	r := invokeWith(t, environment(w.url), alice(), "/reports/a%20b", "/admin/metrics", `"httpMethod": "GET"`, `"httpMethod": "POST"`)
	if r.StatusCode != 405 || len(w.asked) != 0 {
		t.Errorf("POST: %d, asked %d times", r.StatusCode, len(w.asked))
	}
}
