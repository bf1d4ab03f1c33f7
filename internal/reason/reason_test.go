package reason

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"testing"
)

// TestEveryCodeHasAnOutcome reads the list itself, so that a code cannot be added without saying what it leads to.
func TestEveryCodeHasAnOutcome(t *testing.T) {
	source, err := os.ReadFile("reason.go")
	if err != nil {
		t.Fatal(err)
	}
	codes := regexp.MustCompile(`Code = "([a-z_]+)"`).FindAllStringSubmatch(string(source), -1)
	if len(codes) != len(outcomes) {
		t.Errorf("%d codes are declared, %d have an outcome", len(codes), len(outcomes))
	}
	for _, c := range codes {
		if !Code(c[1]).Known() {
			t.Errorf("%s has no outcome", c[1])
		}
	}
}

func TestOutcome(t *testing.T) {
	for code, want := range map[Code]Outcome{
		OK: Allowed, NoSession: Anonymous, TokenExpired: Invalid, GroupRequired: Refused, KeysUnavailable: CannotTell,
		"": CannotTell, "made_up": CannotTell,
	} {
		if got := code.Outcome(); got != want {
			t.Errorf("Outcome(%q) = %s, want %s", code, got, want)
		}
	}
}

func TestOf(t *testing.T) {
	sentinel := New(TokenExpired, "token: expired")
	for _, tt := range []struct {
		err  error
		want Code
	}{
		{nil, OK},
		{sentinel, TokenExpired},
		{fmt.Errorf("verify: %w", sentinel), TokenExpired},
		{errors.Join(errors.New("first"), sentinel), TokenExpired},
		{errors.New("no code"), Internal},
	} {
		if got := Of(tt.err); got != tt.want {
			t.Errorf("Of(%v) = %s, want %s", tt.err, got, tt.want)
		}
	}
	if sentinel.Error() != "token: expired" {
		t.Errorf("text is %q", sentinel)
	}
}
