package main

// This file decides when allowed decisions get into the log. Each is counted, and all that are
// counted are written as one line of metrics:
//
//   - by the first decision that comes ten seconds after the line before, whatever it is. So what
//     comes to an idle instance is written at once;
//   - by the first decision of another minute, since CloudWatch keeps metrics by the minute: each
//     decision counts in its own;
//   - once the line holds as many values as one may;
//   - at the end of the instance, of which Lambda tells by SIGTERM.
//
// Nothing runs in the background: an instance that is frozen keeps its count until it is thawed, by
// the next request or for its end. One that Lambda kills without a word, as it does when a function
// takes too long, loses what was counted since its last line: ten seconds of requests at most. The
// times of verifications are all there, one by one, so percentiles are those of single lines.

import (
	"strconv"
	"time"

	"edgeauth/internal/clock"
	"edgeauth/internal/reason"
)

const (
	// window is how long decisions are counted before they are written.
	window = 10 * time.Second

	// maxValues is what one line may hold of a metric
	// (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html).
	maxValues = 100
)

// tally counts the allowed decisions of one minute.
type tally struct {
	decisions int
	began     time.Time // of the first
	verified  []int64   // microseconds of each verification
	wrote     time.Time // when a line was last due, by the wall's clock
}

// ordinary reports whether d is one of those that nobody asks about: allowed, and with no session
// that was no good.
func (d *decision) ordinary() bool { return d.code == reason.OK && d.ignored == "" }

// add counts d.
func (t *tally) add(d *decision) {
	if t.decisions == 0 {
		t.began = d.began
	}
	t.decisions++
	if d.verifying {
		t.verified = append(t.verified, d.verified.Microseconds())
	}
}

// otherMinute reports whether what is counted belongs to another minute than a moment does.
func (t *tally) otherMinute(at time.Time) bool { return t.began.Unix()/60 != at.Unix()/60 }

// due reports whether it is time to write what is counted. The monotonic clock may stand still
// while an instance is frozen.
func (t *tally) due(at time.Time) bool {
	return len(t.verified) == maxValues || !clock.Within(at.Round(0), t.wrote, window)
}

// flush writes what is counted. Lambda calls for it before it ends the instance.
func (r *record) flush() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.writeTally()
}

// writeTally writes what is counted, if anything is, and counts anew. The caller holds mu.
func (r *record) writeTally() {
	t := &r.tally
	if t.decisions == 0 {
		return
	}
	b := r.begin(t.began, len(t.verified) > 0)
	b = strconv.AppendInt(append(b, `,"msg":"decisions","decisions":`...), int64(t.decisions), 10)
	for i, v := range t.verified {
		if i == 0 {
			b = append(b, `,"verify":[`...)
		} else {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, v, 10)
	}
	if len(t.verified) > 0 {
		b = append(b, ']')
	}
	r.end(b, [][2]string{{"function", r.function}, {"outcome", string(reason.OK.Outcome())}, {"reason", string(reason.OK)}})
	t.decisions, t.verified = 0, t.verified[:0]
}
