package login

// This file decides when a session was ended early, and what a sign-out writes so that it is. The
// authorizer reads the list once in a few seconds; here it is read anew each time, since what is
// prolonged here lasts. A sign-out is never held up by the list for more than a second, and never
// prevented by it.

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"edgeauth/cuts"
	"edgeauth/internal/jar"
	"edgeauth/internal/token"
)

const (
	cutTime = time.Second      // for writing all endings of one sign-out
	slack   = 10 * time.Minute // for clocks that differ, on top of the life of what an ending ends
)

// uncut returns nil if nobody has ended the session early.
func (v *visit) uncut(s cuts.Session) error {
	if v.provider.Cuts == nil {
		return nil
	}
	err := v.provider.Cuts.CheckNow(v.r.Context(), s)
	if v.provider.CutsAdmit && errors.Is(err, cuts.ErrUnavailable) {
		return nil
	}
	return err
}

func sessionOf(c token.Claims) cuts.Session {
	return cuts.Session{SignIn: c.OriginJTI, Subject: c.Subject, AuthTime: c.AuthTime}
}

func renewalOf(r jar.Renewal) cuts.Session {
	return cuts.Session{SignIn: r.Origin, Subject: r.Subject, AuthTime: r.AuthTime}
}

// farewell is what a sign-out writes: whose sessions, and for how long that must be remembered.
type farewell struct {
	kind cuts.Kind
	name string
	life time.Duration
}

// farewells are those of the session that the browser presents and of what renews it: once the ID
// cookie is gone, the latter is all there is. The sign-ins of a pool whose tokens do not name them
// end with the person's others.
func (v *visit) farewells(held []jar.Renewal) (all []farewell) {
	if v.provider.Cuts == nil {
		return nil
	}
	add := func(s cuts.Session, life time.Duration) {
		e := farewell{cuts.SignIn, s.SignIn, life + slack}
		if s.SignIn == "" {
			e.kind, e.name = cuts.User, s.Subject
		}
		if !slices.ContainsFunc(all, func(have farewell) bool { return have.kind == e.kind && have.name == e.name }) {
			all = append(all, e)
		}
	}
	if raw, err := v.jar.Session(); err == nil {
		if c, err := v.verify(raw, token.Checks{}); err == nil {
			add(sessionOf(c), time.Duration(c.Expiry-c.IssuedAt)*time.Second)
		}
	}
	for _, r := range held {
		add(renewalOf(r), longest)
	}
	return all
}

// cut writes endings, each to be remembered for at least as long as something lives, and returns
// what is logged and counted of a failure.
func (v *visit) cut(all []farewell, atLeast time.Duration) []slog.Attr {
	ctx, cancel := context.WithTimeout(v.r.Context(), cutTime)
	defer cancel()
	for _, e := range all {
		if err := v.provider.Cuts.End(ctx, e.kind, e.name, max(e.life, atLeast)); err != nil {
			return append(v.metric("CutFailed"), slog.String("cut", err.Error()))
		}
	}
	return nil
}
