package clock

import (
	"testing"
	"time"
)

func TestWithin(t *testing.T) {
	since := time.Date(2026, time.November, 22, 12, 0, 0, 0, time.UTC)
	for ago, want := range map[time.Duration]bool{0: true, 1: true, time.Minute - 1: true, time.Minute: false, time.Hour: false, -1: false, -time.Hour: false} {
		if got := Within(since.Add(ago), since, time.Minute); got != want {
			t.Errorf("%v ago: %v", ago, got)
		}
	}
	if Within(since, time.Time{}, time.Minute) {
		t.Error("never is within a minute")
	}
}
