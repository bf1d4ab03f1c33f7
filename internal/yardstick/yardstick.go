// Package yardstick measures what code costs in units of the one thing that cannot be had cheaper: a raw RS256 signature check. It serves benchmarks
// only; nothing that is deployed imports it.
//
// It stays beside what it measures, and not in bench: the authorizer's own benchmark, in the main module, uses it too, and bench is a module of its own,
// so that its libraries are nobody else's.
//
// A ratio travels where microseconds do not: from a noisy machine to a quiet one, from this year's processor to the next. It is taken so that
// neighbours disturb it least: CPU time of the process, its garbage collector included, not time on the wall; each slot of the code between two slots
// of the limit; the ratio formed from each such triple; and of all ratios the median.
package yardstick

import (
	"slices"
	"syscall"
	"time"
)

// Variant is a piece of code to measure.
type Variant struct {
	Name string
	Run  func(n int)          // does the work n times
	CPU  func() time.Duration // CPU time so far of the process that does it; nil: this process
}

// Result is what a variant cost.
type Result struct {
	Name           string
	Ratio          float64 // to the limit, median of all pairs
	Lower, Upper   float64 // quartiles of the ratio: how noisy the run was
	Quiet          time.Duration
	Allocs, Bytes  float64 // a run; meaningless for code in another process
	limitCPU, work []float64
}

const (
	slot      = 8 * time.Millisecond // of a variant; the limit has half of it before and half after
	quietRank = 0.03                 // this share of the slots was quicker than what is called quiet
)

// Compare measures every variant against limit, pairs times each.
func Compare(limit Variant, pairs int, variants ...Variant) []Result {
	before := limit.slots(slot / 2)
	results := make([]Result, len(variants))
	runs := make([]func() float64, len(variants))
	for i, v := range variants {
		results[i].Name = v.Name
		results[i].Allocs, results[i].Bytes = allocations(v.Run)
		runs[i] = v.slots(slot)
	}
	for range pairs {
		for i := range variants { // each variant in every round: a disturbance that lasts spoils a few pairs of all, not all pairs of one
			first := before()
			work := runs[i]()
			second := before()
			results[i].limitCPU = append(results[i].limitCPU, (first+second)/2)
			results[i].work = append(results[i].work, work)
		}
	}
	for i := range results {
		results[i].sum()
	}
	return results
}

// slots returns a function that works for about d and returns the CPU time of one run, in nanoseconds.
func (v Variant) slots(d time.Duration) func() float64 {
	clock := v.CPU
	if clock == nil {
		clock = processCPU
	}
	measure := func(n int) time.Duration {
		start := clock()
		v.Run(n)
		return clock() - start
	}
	n := 1
	for took := measure(n); took < d/2; took = measure(n) { // the first runs warm up what there is to warm
		n *= 2
	}
	if took := measure(n); took > 0 {
		n = max(1, int(float64(n)*float64(d)/float64(took)))
	}
	return func() float64 { return float64(measure(n)) / float64(n) }
}

func (r *Result) sum() {
	ratios := make([]float64, len(r.work))
	for i := range ratios {
		ratios[i] = r.work[i] / r.limitCPU[i]
	}
	r.Ratio, r.Lower, r.Upper = Quantile(ratios, 0.5), Quantile(ratios, 0.25), Quantile(ratios, 0.75)
	r.Quiet = time.Duration(Quantile(r.work, quietRank))
}

// Quantile returns the value that the given share of all is smaller than, between two neighbours their weighted mean; 0 of none.
func Quantile(all []float64, share float64) float64 {
	if len(all) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(all))
	at := share * float64(len(sorted)-1)
	i := int(at)
	if i+1 == len(sorted) {
		return sorted[i]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}

// processCPU is the CPU time of all threads of this process.
func processCPU() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		panic(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
