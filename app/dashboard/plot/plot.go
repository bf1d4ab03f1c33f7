// Package plot draws figures over time as HTML: an inline SVG picture with its axes and legend, and the same figures as a table.
//
// It writes no style attribute and no script, so that a page's content security policy need allow neither; colours, dashes and the dark are the style sheet's.
// The picture is stretched to the width there is, its words are text of the page and stay as large as they are.
package plot

// This file decides what is drawn where.

import (
	_ "embed"
	"fmt"
	"html/template"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Kind is how series are drawn.
type Kind int

const (
	Bars  Kind = iota // on top of each other: counts
	Lines             // beside each other: measurements
)

// Plot is a picture of series that share their times.
type Plot struct {
	ID     string // unique on the page
	Title  string
	About  string // a sentence on what it shows
	Unit   string // after each figure in words, such as ms; empty: a count
	Kind   Kind
	Times  []time.Time // where each period begins, evenly
	Series []Series
}

// Series is a named row of values, one for each time. NaN, an infinity, and a number that no metric has stand for none.
type Series struct {
	Name   string
	Class  string // what the style sheet knows it by; empty: by its place
	Values []float64
}

// Most is how many series can be told apart. The smallest beyond that are drawn as one.
const Most = 8

// The picture's own measures.
const (
	slot   = 10.0 // width of a period
	height = 200.0
)

// tiny is what rounding may do to a tick.
const tiny = 1e-9

// biggest is beyond what CloudWatch takes, 2^360, and far from where sums end.
const biggest = 1e110

var (
	//go:embed plot.html
	text string

	figure = template.Must(template.New("plot").Parse(text))
)

// HTML draws the plot.
func (p Plot) HTML() (template.HTML, error) {
	var b strings.Builder
	if err := figure.Execute(&b, p.view()); err != nil {
		return "", fmt.Errorf("plot: %w", err)
	}
	return template.HTML(b.String()), nil // a template has escaped it
}

// view is what the template shows.
type view struct {
	Plot
	Empty         bool
	Summary       string
	Width, Height string
	Ticks         []tick // from top to bottom
	Times         []string
	Marks         []mark
	Slots         []hint
	Legend        []legend
	Rows          []row
}

type tick struct{ Y, Label string }

// mark is a bar or a line, as the data of an SVG path.
type mark struct{ Class, Path string }

// hint is what a pointer learns over a period.
type hint struct{ X, Width, Text string }

type legend struct{ Class, Name, Sum string }

type row struct {
	Machine, When string
	Cells         []string
}

func (p Plot) view() view {
	p.Series = p.fold()
	v := view{Plot: p, Width: number(slot * float64(max(len(p.Times), 1))), Height: number(height)}
	top := p.top()
	v.Empty = math.IsNaN(top)
	ticks := scale(top, p.Unit == "")
	for i := len(ticks) - 1; i >= 0; i-- {
		v.Ticks = append(v.Ticks, tick{number(height - height*ticks[i]/ticks[len(ticks)-1]), short(ticks[i])})
	}
	v.Times = p.axis()
	y := func(value float64) float64 { return height - height*max(value, 0)/ticks[len(ticks)-1] }
	if p.Kind == Bars {
		v.Marks = p.bars(y)
	} else {
		v.Marks = p.lines(y)
	}
	for i, at := range p.Times {
		var words, cells []string
		known := false
		for _, s := range p.Series {
			cell := "–"
			if value, ok := s.at(i); ok {
				cell, known = Words(value), true
				words = append(words, s.Name+" "+cell+unit(p.Unit))
			}
			cells = append(cells, cell)
		}
		if known {
			when := at.UTC().Format("2 Jan, 15:04")
			v.Slots = append(v.Slots, hint{number(slot * float64(i)), number(slot), when + " UTC: " + strings.Join(words, ", ")})
			v.Rows = append(v.Rows, row{at.UTC().Format(time.RFC3339), when, cells})
		}
	}
	for i, s := range p.Series {
		l := legend{Class: class(s, i), Name: s.Name}
		if p.Kind == Bars {
			l.Sum = Words(s.sum())
		} else if last, ok := s.last(); ok {
			l.Sum = "latest " + Words(last) + unit(p.Unit)
		}
		v.Legend = append(v.Legend, l)
	}
	v.Summary = p.summary(v.Empty)
	return v
}

// fold joins the smallest series when there are too many to be told apart.
func (p Plot) fold() []Series {
	if len(p.Series) <= Most {
		return p.Series
	}
	order := slices.Clone(p.Series)
	slices.SortStableFunc(order, func(a, b Series) int {
		switch x, y := a.sum(), b.sum(); {
		case x > y:
			return -1
		case x < y:
			return 1
		}
		return 0
	})
	rest := Series{Name: fmt.Sprintf("%d others", len(order)-Most+1), Class: "rest", Values: make([]float64, len(p.Times))}
	for i := range rest.Values {
		rest.Values[i] = math.NaN()
		for _, s := range order[Most-1:] {
			if value, ok := s.at(i); ok {
				if math.IsNaN(rest.Values[i]) {
					rest.Values[i] = 0
				}
				rest.Values[i] += value
			}
		}
	}
	return append(order[:Most-1:Most-1], rest)
}

// at is the value of a period, if there is one.
func (s Series) at(i int) (float64, bool) {
	if i < 0 || i >= len(s.Values) || !(math.Abs(s.Values[i]) < biggest) {
		return 0, false
	}
	return s.Values[i], true
}

func (s Series) sum() float64 {
	sum := 0.0
	for i := range s.Values {
		value, _ := s.at(i)
		sum += value
	}
	return sum
}

func (s Series) last() (float64, bool) {
	for i := len(s.Values) - 1; i >= 0; i-- {
		if value, ok := s.at(i); ok {
			return value, true
		}
	}
	return 0, false
}

// top is the highest value that is drawn, NaN where there is none.
func (p Plot) top() float64 {
	top := math.NaN()
	for i := range p.Times {
		stack, known := 0.0, false
		for _, s := range p.Series {
			value, ok := s.at(i)
			if !ok {
				continue
			}
			known = true
			if p.Kind == Bars {
				stack += max(value, 0)
			} else {
				stack = max(stack, value)
			}
		}
		if known && !(stack <= top) {
			top = stack
		}
	}
	return top
}

// scale returns evenly spaced round numbers from 0 to at least top, two to five of them. whole keeps counts from having halves.
func scale(top float64, whole bool) []float64 {
	if !(top > 0) {
		return []float64{0, 1}
	}
	power, step := math.Pow(10, math.Floor(math.Log10(top))), 0.0
	for _, round := range []float64{0.25, 0.5, 1, 2, 2.5, 5} {
		if step = power * round; top <= 4*step*(1+tiny) && (!whole || step == math.Trunc(step)) {
			break
		}
	}
	if whole && step < 1 {
		step = 1
	}
	ticks := []float64{0}
	for ticks[len(ticks)-1] < top*(1-tiny) {
		ticks = append(ticks, step*float64(len(ticks)))
	}
	return ticks
}

// axis is what is said below the picture, evenly from its beginning to its end.
func (p Plot) axis() []string {
	if len(p.Times) == 0 {
		return nil
	}
	first, last := p.Times[0], p.Times[len(p.Times)-1]
	end := last
	if len(p.Times) > 1 {
		end = last.Add(p.Times[1].Sub(first))
	}
	form := "15:04"
	if end.Sub(first) > 36*time.Hour {
		form = "2 Jan"
	}
	var said []string
	for i := range 4 {
		said = append(said, first.Add(end.Sub(first)*time.Duration(i)/3).UTC().Format(form))
	}
	return said
}

func (p Plot) bars(y func(float64) float64) []mark {
	marks := make([]mark, len(p.Series))
	for k, s := range p.Series {
		marks[k].Class = class(s, k)
	}
	for i := range p.Times {
		below := 0.0
		for k, s := range p.Series {
			value, ok := s.at(i)
			if !ok || value <= 0 {
				continue
			}
			x, from, to := slot*float64(i), y(below), y(below+value)
			marks[k].Path += fmt.Sprintf("M%s %sV%sH%sV%sZ", number(x+1), number(from), number(to), number(x+slot-1), number(from))
			below += value
		}
	}
	return marks
}

// lines joins neighbours. Where a value is missing the line is, too; a value alone is a dot, which is a line of no length with a round end.
func (p Plot) lines(y func(float64) float64) []mark {
	var marks []mark
	for k, s := range p.Series {
		var line, dots strings.Builder
		for i := range p.Times {
			value, ok := s.at(i)
			if !ok {
				continue
			}
			x := number(slot * (float64(i) + 0.5))
			_, before := s.at(i - 1)
			_, after := s.at(i + 1)
			switch {
			case before:
				fmt.Fprintf(&line, "L%s %s", x, number(y(value)))
			case after:
				fmt.Fprintf(&line, "M%s %s", x, number(y(value)))
			default:
				fmt.Fprintf(&dots, "M%s %sh0", x, number(y(value)))
			}
		}
		marks = append(marks, mark{class(s, k), line.String()}, mark{"dot " + class(s, k), dots.String()})
	}
	return marks
}

// summary is the picture in a sentence or two, for whoever does not see it.
func (p Plot) summary(empty bool) string {
	if empty {
		return p.About + " There are no figures in this span."
	}
	var parts []string
	for _, s := range p.Series {
		if p.Kind == Bars {
			parts = append(parts, s.Name+" "+Words(s.sum()))
			continue
		}
		low, high, known := 0.0, 0.0, false
		for i := range s.Values {
			if value, ok := s.at(i); ok {
				if !known {
					low, high, known = value, value, true
				}
				low, high = min(low, value), max(high, value)
			}
		}
		if known {
			parts = append(parts, s.Name+" from "+Words(low)+" to "+Words(high)+unit(p.Unit))
		}
	}
	if p.Kind == Bars {
		return p.About + " In all: " + strings.Join(parts, ", ") + "."
	}
	return p.About + " " + strings.Join(parts, ", ") + "."
}

func class(s Series, place int) string {
	if s.Class != "" {
		return s.Class
	}
	return "series" + strconv.Itoa(place)
}

func unit(name string) string {
	if name == "" {
		return ""
	}
	return " " + name
}

// number writes a coordinate.
func number(v float64) string {
	return strconv.FormatFloat(math.Round(v*100)/100+0, 'f', -1, 64) // + 0: there is no -0 in a picture
}

// short writes a figure for an axis.
func short(v float64) string {
	for _, s := range []struct {
		size float64
		name string
	}{{1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}} {
		if math.Abs(v) >= s.size && math.Abs(v) < s.size*1e3 {
			return strconv.FormatFloat(v/s.size, 'g', 4, 64) + s.name
		}
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}

// Words writes a figure in full, to three digits where it is no whole number, with thin spaces between thousands.
func Words(v float64) string {
	if math.Abs(v) >= 1e15 {
		return strconv.FormatFloat(v, 'g', 4, 64)
	}
	if v != math.Trunc(v) {
		if math.Abs(v) < 100 {
			return strconv.FormatFloat(v, 'g', 3, 64)
		}
		v = math.Round(v)
	}
	digits := strconv.FormatFloat(math.Abs(v), 'f', 0, 64)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "\u202f" + digits[i:]
	}
	if v < 0 {
		return "−" + digits
	}
	return digits
}
