package explain

import (
	"os"
	"regexp"
	"slices"
	"testing"
	"time"

	"edgeauth/internal/reason"
)

func TestWhen(t *testing.T) {
	now := time.Unix(1795348800, 0)
	for _, c := range []struct {
		seconds int64
		want    string
	}{
		{0, "in 0 seconds"}, {-1, "1 second ago"}, {90, "in 90 seconds"}, {-180, "3 minutes ago"}, {7199, "in 119 minutes"}, {7200, "in 2 hours"}, {-3 * 86400, "3 days ago"},
	} {
		if got := when(now.Unix()+c.seconds, now); got != c.want {
			t.Errorf("%d: %s, want %s", c.seconds, got, c.want)
		}
	}
}

// TestEveryCheckHasItsRemedy: what a step can find out is a reason that something can be done about, and it stops the walk there.
func TestEveryCheckHasItsRemedy(t *testing.T) {
	for i, s := range steps {
		for _, code := range s.codes {
			if remedies[code] == "" {
				t.Errorf("nothing to do about %s", code)
			}
			for j, check := range checks(code, "") {
				want := "yes"
				if j == i {
					want = map[bool]string{true: "cannot tell", false: "no"}[code.Outcome() == reason.CannotTell]
				} else if j > i {
					want = "not reached"
				}
				if check.Answer != want {
					t.Errorf("%s: step %d is %q, want %q", code, j, check.Answer, want)
				}
			}
		}
	}
}

// TestWhatIsNotNeeded: where anyone may in, a bad credential ends nothing.
func TestWhatIsNotNeeded(t *testing.T) {
	var got string
	for _, check := range checks(reason.OK, reason.TokenExpired) {
		got += check.Answer + ","
	}
	if want := "yes,yes,yes,yes,yes,yes,no,not needed,yes,yes,yes,yes,yes,"; got != want {
		t.Error(got)
	}
	got = ""
	for _, check := range checks(reason.OK, reason.NoSession) {
		got += check.Answer + ","
	}
	if want := "yes,no,not needed,not needed,not needed,not needed,not needed,not needed,yes,yes,yes,yes,yes,"; got != want {
		t.Error(got)
	}
}

// TestDifferencesAreSaid: an explanation of another decision is worse than none.
func TestDifferencesAreSaid(t *testing.T) {
	e := Explanation{Reason: reason.GroupRequired}
	if err := e.Compare(Real{Failure: "Unauthorized", Reason: reason.NoSession}); err == nil || err.Error() != "the authorizer says no_session, and this explanation group_required; please report it" {
		t.Error(err)
	}
	e = Explanation{Reason: reason.OK}
	if err := e.Compare(Real{Answer: []byte(`{"policyDocument":{"Statement":[]}}`), Reason: reason.OK}); err == nil || err.Error() != "the authorizer says ok, and its document does not; please report it" {
		t.Error(err)
	}
}

// TestEndingsAreTheAuthorizers: the list of sessions that were ended is the authorizer's alone to read.
func TestEndingsAreTheAuthorizers(t *testing.T) {
	for code, answer := range map[reason.Code]string{reason.SessionCut: "no", reason.CutsUnavailable: "cannot tell"} {
		e := Explanation{Reason: reason.OK}
		err := e.Compare(Real{Failure: "Unauthorized", Reason: code})
		i := slices.IndexFunc(e.Checks, func(c Check) bool { return c.Question == "has nobody ended the session early?" })
		if err != nil || e.Reason != code || e.Outcome != code.Outcome() || e.Do == "" || i < 0 || e.Checks[i].Answer != answer {
			t.Errorf("%s: %v %+v", code, err, e)
		}
	}
}

// TestOperationsAsksForWhatCanBeExplained: a row that ends with explain is about a reason that a check can give.
func TestOperationsAsksForWhatCanBeExplained(t *testing.T) {
	text, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\|.*`edgeauth explain [^`]*` \\|$").FindAllStringSubmatch(string(text), -1)
	if len(rows) < 25 {
		t.Errorf("%d rows", len(rows))
	}
	for _, row := range rows {
		code := reason.Code(row[1])
		if given := slices.ContainsFunc(steps, func(s struct {
			question string
			codes    []reason.Code
		},
		) bool {
			return slices.Contains(s.codes, code)
		}); !given && code != reason.OK && code != reason.Internal {
			t.Errorf("no check gives %s", code)
		}
	}
}
