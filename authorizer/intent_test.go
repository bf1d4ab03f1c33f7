package main

import (
	"testing"

	"edgeauth/internal/intent/intenttest"
)

// TestMeaning: a navigation is sent to the login, and everything else told that nobody is signed
// in.
func TestMeaning(t *testing.T) {
	d := newDoor(t)
	for _, set := range intenttest.Sets() {
		want := "401 no_session"
		if set.Navigation {
			want = "login no_session"
		}
		t.Run(set.Name, func(t *testing.T) { d.want(t, request{header: set.Header}, want) })
	}
}
