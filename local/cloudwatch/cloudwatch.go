// Package cloudwatch stands in for Amazon CloudWatch, as far as GetMetricData goes. It is fed with the metric lines that functions print and with what the
// local system measures itself, and it is stricter than CloudWatch: a query that it does not model is an error, never a guess.
package cloudwatch

// This file decides what is kept of a metric: for each minute its count, sum and extremes exactly, and its values to three digits, for percentiles.

import (
	"errors"
	"maps"
	"math"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"
)

const (
	keep        = 15 * 24 * time.Hour // as CloudWatch keeps minutes
	seriesLimit = 10_000
)

// Server is the stand-in.
type Server struct {
	region string
	now    func() time.Time

	mu     sync.Mutex // guards series
	series map[string]*series
}

// New returns a stand-in without data for a Region. now nil: time.Now.
func New(region string, now func() time.Time) *Server {
	if now == nil {
		now = time.Now
	}
	return &Server{region: region, now: now, series: map[string]*series{}}
}

// metric names a series.
type metric struct {
	namespace, name string
	dimensions      map[string]string
}

// key spells a metric unambiguously: no part of one holds a zero byte that was not put there on purpose, and none could gain by it.
func (m metric) key() string {
	parts := []string{m.namespace, m.name}
	for _, name := range slices.Sorted(maps.Keys(m.dimensions)) {
		parts = append(parts, name, m.dimensions[name])
	}
	return strings.Join(parts, "\x00")
}

type series struct {
	metric
	minutes []*minute // in order
}

type minute struct {
	at                   int64 // Unix seconds
	count, sum, min, max float64
	values               map[float64]float64 // how often each occurs, to three digits
}

var errFull = errors.New("cloudwatch: too many metrics for a stand-in")

// Add takes one value, of now.
func (s *Server) Add(namespace, name string, dimensions map[string]string, value float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.add(metric{namespace, name, dimensions}, s.now(), value)
}

func (s *Server) add(m metric, at time.Time, value float64) error {
	key := m.key()
	one := s.series[key]
	if one == nil {
		if len(s.series) >= seriesLimit {
			return errFull
		}
		one = &series{metric: m}
		s.series[key] = one
	}
	one.add(at.Unix()/60*60, value)
	if oldest := s.now().Add(-keep).Unix(); one.minutes[0].at < oldest {
		one.minutes = one.minutes[1:]
	}
	return nil
}

func (s *series) add(at int64, value float64) {
	i := sort.Search(len(s.minutes), func(i int) bool { return s.minutes[i].at >= at })
	if i == len(s.minutes) || s.minutes[i].at != at {
		s.minutes = slices.Insert(s.minutes, i, &minute{at: at, min: value, max: value, values: map[float64]float64{}})
	}
	m := s.minutes[i]
	m.count++
	m.sum += value
	m.min, m.max = min(m.min, value), max(m.max, value)
	m.values[threeDigits(value)]++
}

func threeDigits(v float64) float64 {
	if v == 0 {
		return 0
	}
	scale := math.Pow(10, 2-math.Floor(math.Log10(math.Abs(v))))
	if math.IsInf(scale, 0) || scale == 0 {
		return v
	}
	return math.Round(v*scale) / scale
}

// join adds what m holds.
func (m *minute) join(other *minute) {
	m.count += other.count
	m.sum += other.sum
	m.min, m.max = min(m.min, other.min), max(m.max, other.max)
	for v, n := range other.values {
		m.values[v] += n
	}
}

// periods joins the minutes from start to before end into periods, each named by its beginning.
func (s *series) periods(start, end, period int64) []*minute {
	var joined []*minute
	for _, m := range s.minutes {
		at := m.at / period * period
		if at < start || at >= end {
			continue
		}
		if len(joined) == 0 || joined[len(joined)-1].at != at {
			joined = append(joined, &minute{at: at, min: m.min, max: m.max, values: map[float64]float64{}})
		}
		joined[len(joined)-1].join(m)
	}
	return joined
}
