package plot

import (
	"encoding/xml"
	"errors"
	"fmt"
	"html"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// none is a value that is missing.
var none = math.NaN()

func times(n int) []time.Time {
	all := make([]time.Time, n)
	for i := range all {
		all[i] = noon.Add(time.Duration(i) * time.Minute)
	}
	return all
}

func draw(t *testing.T, p Plot) string {
	t.Helper()
	if p.ID == "" {
		p.ID, p.Title, p.About = "p", "Requests", "What came."
	}
	text, err := p.HTML()
	if err != nil {
		t.Fatal(err)
	}
	wellFormed(t, string(text))
	return string(text)
}

// wellFormed wants a picture that any reader of XML takes, coordinates that are numbers inside of it, and nothing that a strict policy forbids.
func wellFormed(t *testing.T, text string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(text))
	d.Entity = xml.HTMLEntity
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
	}
	if regexp.MustCompile(`(?i)\sstyle=|\son\w+=|<script|NaN|Inf|undefined`).MatchString(strings.ReplaceAll(text, "role=\"region\"", "")) {
		t.Errorf("forbidden or no number in\n%s", text)
	}
	width := 0.0
	if m := regexp.MustCompile(`viewBox="0 0 ([0-9.]+) 200" preserve`).FindStringSubmatch(text); m != nil {
		width, _ = strconv.ParseFloat(m[1], 64)
	}
	for _, m := range regexp.MustCompile(`class="(?:mark|slot)[^"]*" d="([^"]*)"`).FindAllStringSubmatch(text, -1) {
		for _, c := range regexp.MustCompile(`([MLHV])([0-9.e+-]+)(?: ([0-9.e+-]+))?`).FindAllStringSubmatch(m[1], -1) {
			first, err := strconv.ParseFloat(c[2], 64)
			second := 0.0
			if c[3] != "" {
				second, _ = strconv.ParseFloat(c[3], 64)
			}
			limit := map[string]float64{"M": width, "L": width, "H": width, "V": height}[c[1]]
			if err != nil || first < 0 || first > limit || second < 0 || second > height {
				t.Errorf("%s leaves the picture", c[0])
			}
		}
	}
}

func marks(text string) (all []string) {
	for _, m := range regexp.MustCompile(`<path class="mark ([^"]+)" d="([^"]*)"/>`).FindAllStringSubmatch(text, -1) {
		all = append(all, m[1]+": "+m[2])
	}
	return all
}

func ticks(text string) (all []string) {
	_, upward, _ := strings.Cut(text, `<div class="upward" aria-hidden="true">`)
	upward, _, _ = strings.Cut(upward, "</div>")
	for _, m := range regexp.MustCompile(`<span>([^<]*)</span>`).FindAllStringSubmatch(upward, -1) {
		all = append(all, html.UnescapeString(m[1]))
	}
	return all
}

func TestBars(t *testing.T) {
	text := draw(t, Plot{ID: "p", Title: "Requests", About: "What came.", Times: times(3), Series: []Series{
		{Name: "good", Class: "allowed", Values: []float64{2, none, 1}}, {Name: "bad", Values: []float64{2, 0, none}},
	}})
	for _, want := range []string{
		`<svg class="bars" role="img" aria-labelledby="p-title p-desc" viewBox="0 0 30 200" preserveAspectRatio="none">`,
		`<title id="p-title">Requests</title>`,
		`<desc id="p-desc">What came. In all: good 3, bad 2.</desc>`,
		`</svg>good <b>3</b></li>`,
		`<div class="along" aria-hidden="true"><span>12:00</span><span>12:01</span><span>12:02</span><span>12:03</span></div>`,
		`<title>24 Nov, 12:00 UTC: good 2, bad 2</title>`,
		`<thead><tr><th scope="col">From, UTC</th><th scope="col">good</th><th scope="col">bad</th></tr></thead>`,
		`<tbody><tr><th scope="row">24 Nov, 12:00</th><td>2</td><td>2</td></tr><tr><th scope="row">24 Nov, 12:01</th><td>–</td><td>0</td></tr><tr><th scope="row">24 Nov, 12:02</th><td>1</td><td>–</td></tr></tbody>`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	want := []string{"allowed: M1 200V100H9V200ZM21 200V150H29V200Z", "series1: M1 100V0H9V100Z"}
	if got := marks(text); !slices.Equal(got, want) {
		t.Errorf("marks %q\nwant %q", got, want)
	}
	if got := ticks(text); !slices.Equal(got, []string{"4", "3", "2", "1", "0"}) {
		t.Errorf("ticks %q", got)
	}
}

// A line ends where a value is missing, and a value alone is a dot.
func TestLines(t *testing.T) {
	text := draw(t, Plot{ID: "p", Title: "Time", About: "How long.", Unit: "ms", Kind: Lines, Times: times(7), Series: []Series{
		{Name: "half", Values: []float64{1, 2, none, 4, math.Inf(1), 1, 2.5}}, {Name: "late", Values: []float64{none, none, none, none, none, none}},
	}})
	want := []string{"series0: M5 150L15 100M55 150L65 75", "dot series0: M35 0h0"}
	if got := marks(text); !slices.Equal(got, want) {
		t.Errorf("marks %q\nwant %q", got, want)
	}
	for _, want := range []string{`<desc id="p-desc">How long. half from 1 to 4 ms.</desc>`, `half <b>latest 2.5 ms</b>`, `12:03 UTC: half 4 ms</title>`, `Time, in ms.`} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	if strings.Count(text, `<th scope="row">`) != 5 {
		t.Errorf("times without a figure are in the table:\n%s", text)
	}
}

func TestNoFigures(t *testing.T) {
	for name, p := range map[string]Plot{
		"no series":        {Times: times(3)},
		"no times":         {Series: []Series{{Name: "a", Values: []float64{1}}}},
		"missing":          {Times: times(2), Series: []Series{{Name: "a", Values: []float64{none, none}}, {Name: "b"}}},
		"beyond numbers":   {Times: times(2), Series: []Series{{Name: "a", Values: []float64{math.Inf(-1), math.MaxFloat64}}}},
		"lines of nothing": {Kind: Lines, Unit: "ms", Times: times(2), Series: []Series{{Name: "a"}}},
	} {
		if text := draw(t, p); !strings.Contains(text, "No figures in this span.") || strings.Contains(text, "<svg") {
			t.Errorf("%s:\n%s", name, text)
		}
	}
}

func TestBoundaries(t *testing.T) {
	for _, c := range []struct {
		name        string
		kind        Kind
		unit        string
		values      []float64
		marks, tick string
	}{
		{"one point", Bars, "", []float64{3}, "series0: M1 200V0H9V200Z", "3 2 1 0"},
		{"one point as a line", Lines, "ms", []float64{3}, "dot series0: M5 0h0", "3 2 1 0"},
		{"all zero", Bars, "", []float64{0, 0}, "", "1 0"},
		{"all zero as a line", Lines, "ms", []float64{0, 0}, "series0: M5 200L15 200", "1 0"},
		{"one", Bars, "", []float64{1}, "series0: M1 200V0H9V200Z", "1 0"},
		{"halves of a measure", Lines, "ms", []float64{0.8}, "dot series0: M5 0h0", "0.8 0.6 0.4 0.2 0"},
		{"small", Lines, "ms", []float64{2e-300}, "dot series0: M5 0h0", "2e-300 1.5e-300 1e-300 5e-301 0"},
		{"huge", Bars, "", []float64{2e18, 1e18}, "series0: M1 200V0H9V200ZM11 200V100H19V200Z", "2e+18 1.5e+18 1e+18 5e+17 0"},
		{"the most that a metric has", Bars, "", []float64{math.Pow(2, 360)}, "series0: M1 200V43.43H9V200Z", "3e+108 2e+108 1e+108 0"},
		{"millions", Bars, "", []float64{8_500_000}, "series0: M1 200V30H9V200Z", "10M 7.5M 5M 2.5M 0"},
		{"below zero", Bars, "", []float64{-5, 2}, "series0: M11 200V0H19V200Z", "2 1 0"},
		{"only below zero", Lines, "ms", []float64{-5}, "dot series0: M5 200h0", "1 0"},
	} {
		text := draw(t, Plot{Kind: c.kind, Unit: c.unit, Times: times(len(c.values)), Series: []Series{{Name: "a", Values: c.values}}})
		if got := strings.Join(marks(text), " "); got != c.marks {
			t.Errorf("%s: marks %q, want %q", c.name, got, c.marks)
		}
		if got := strings.Join(ticks(text), " "); got != c.tick {
			t.Errorf("%s: ticks %q, want %q", c.name, got, c.tick)
		}
	}
}

// Ticks are round and even, two to five of them, none of a count with a half, and the highest value is below the last.
func TestScale(t *testing.T) {
	for exponent := -6; exponent < 100; exponent++ {
		for _, digits := range []float64{1, 1.0000001, 1.5, 2, 2.4, 2.5, 3, 3.7, 4, 5, 7, 7.5, 8, 9, 9.99} {
			for _, whole := range []bool{false, true} {
				top := digits * math.Pow(10, float64(exponent))
				all := scale(top, whole)
				if last := all[len(all)-1]; len(all) < 2 || len(all) > 6 || last < top*(1-tiny) || all[0] != 0 || last > 4*top && !whole {
					t.Fatalf("%v, whole %v: %v", top, whole, all)
				}
				for _, tick := range all {
					if whole && tick != math.Trunc(tick) {
						t.Fatalf("%v: %v", top, all)
					}
				}
			}
		}
	}
}

// What cannot be told apart is drawn as one, and nothing is lost of the sum.
func TestManySeries(t *testing.T) {
	p := Plot{Times: times(2)}
	for i := range 120 {
		p.Series = append(p.Series, Series{Name: fmt.Sprint("s", i), Values: []float64{float64(i), none}})
	}
	text := draw(t, p)
	if got := len(marks(text)); got != Most {
		t.Errorf("%d series are drawn", got)
	}
	for _, want := range []string{`</svg>s119 <b>119</b>`, `</svg>s113 <b>113</b>`, `</svg>113 others <b>6` + "\u202f" + `328</b>`, `<th scope="col">113 others</th>`} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s", want)
		}
	}
	if strings.Contains(text, "s112") {
		t.Error("a small one is drawn by itself")
	}
	if p.Series[0].Name != "s0" || len(p.Series) != 120 {
		t.Error("the caller's series were changed")
	}
	p.Series = p.Series[:Most]
	if text := draw(t, p); strings.Contains(text, "others") || !strings.Contains(text, "</svg>s0 <b>0</b>") {
		t.Error("eight can be told apart")
	}
}

func TestLongSpansNameDays(t *testing.T) {
	p := Plot{Times: []time.Time{noon, noon.Add(48 * time.Hour), noon.Add(96 * time.Hour)}, Series: []Series{{Name: "a", Values: []float64{1, 1, 1}}}}
	if text := draw(t, p); !strings.Contains(text, "<span>24 Nov</span><span>26 Nov</span><span>28 Nov</span><span>30 Nov</span>") {
		t.Error(text)
	}
}

func TestNamesStayText(t *testing.T) {
	const hostile = `"'></title><script>alert(1)</script>`
	text := draw(t, Plot{ID: "p", Title: hostile, About: hostile, Unit: hostile, Times: times(1), Series: []Series{{Name: hostile, Values: []float64{1}}}})
	if strings.Contains(text, "<script") || !strings.Contains(html.UnescapeString(text), hostile) {
		t.Error(text)
	}
}

func TestWords(t *testing.T) {
	for value, want := range map[float64]string{
		0: "0", 7: "7", 999: "999", 1000: "1\u202f000", 1234567: "1\u202f234\u202f567", -1500: "−1\u202f500", 0.1234: "0.123", 12.345: "12.3", 99.99: "100",
		1234.5: "1\u202f235", 1e15: "1e+15", 2.5e108: "2.5e+108",
	} {
		if got := Words(value); got != want {
			t.Errorf("%v: %q, want %q", value, got, want)
		}
	}
}
