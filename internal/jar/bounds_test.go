package jar

// This file holds bounds to their last byte and second, which from outside could only be guessed.

import (
	"crypto/rand"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func open(t *testing.T, budget int) *Jar {
	t.Helper()
	c := Config{Site: "https://a.example", Secrets: []string{"secret"}, Budget: budget, Rand: rand.Reader}
	j, err := Open(httptest.NewRequest("GET", "/", nil), time.Unix(1_800_000_000, 0), c)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// TestASessionMayFillARequest to the last byte, and no more: first it loses its refresh token, then it is refused.
func TestASessionMayFillARequest(t *testing.T) {
	s := Session{ID: strings.Repeat("x", 1000), Expiry: 1_800_003_600, Renewal: Renewal{Token: strings.Repeat("r", 500), Ends: 1_800_003_600}}
	weigh := func(s Session) int {
		j := open(t, 1<<20)
		lines, err := j.Hold(s, "/target")
		if err != nil {
			t.Fatal(err)
		}
		return j.weight("/target", lines)
	}
	bare := s
	bare.Renewal.Token = ""
	for _, row := range []struct {
		budget            int
		holds, refreshing bool
	}{{weigh(s), true, true}, {weigh(s) - 1, true, false}, {weigh(bare), true, false}, {weigh(bare) - 1, false, false}} {
		lines, err := open(t, row.budget).Hold(s, "/target")
		refreshing := false
		for _, l := range lines {
			refreshing = refreshing || l.Name == refreshCookie && l.MaxAge > 0
		}
		if (err == nil) != row.holds || refreshing != row.refreshing {
			t.Errorf("with %d bytes: %v, a refresh cookie %v", row.budget, err, refreshing)
		}
	}
}

func TestCookiesAreKeptForASecondAtLeast(t *testing.T) {
	j := open(t, 1)
	for at, want := range map[int64]int{0: 1, j.now.Unix() - 1: 1, j.now.Unix() + 1: 1, j.now.Unix() + 2: 2, j.now.Unix() + 500*24*3600: 400 * 24 * 3600} {
		if got := j.age(Renewal{}, at); got != want {
			t.Errorf("until %d: %d seconds, want %d", at-j.now.Unix(), got, want)
		}
	}
}

func TestShortTargetsAreCarriedInTheState(t *testing.T) {
	for length, carried := range map[int]bool{512: true, 513: false} {
		target := "/" + strings.Repeat("x", length-1)
		j := open(t, 10000)
		p, _, err := j.Begin(target, false)
		if err != nil || (j.Target(p.State) == target) != carried {
			t.Errorf("%d bytes: carried %v, %v", length, !carried, err)
		}
	}
}
