// Package clock decides how old something is, by clocks that stand still while an environment is
// frozen and that may be set.
package clock

import "time"

// Within reports whether now is less than d after since. A clock that was set back is within
// nothing: what it says about age means nothing.
func Within(now, since time.Time, d time.Duration) bool {
	age := now.Sub(since)
	return 0 <= age && age < d
}
