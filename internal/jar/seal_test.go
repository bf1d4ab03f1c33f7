package jar

// This file holds sealing to its promise: only what was sealed here, for this, under this name, for
// this site, with a key that still counts.

import (
	"encoding/base64"
	"strings"
	"testing"
)

type secretThing struct {
	Text string `json:"t"`
}

func newTestSealer(t *testing.T, site string, secrets ...string) sealer {
	t.Helper()
	s, err := newSealer(site, secrets...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSealOpens(t *testing.T) {
	s := newTestSealer(t, "https://a.example", "secret")
	for _, text := range []string{"", "x", strings.Repeat("long", 1000)} {
		sealed := s.seal(kindPending, "name", secretThing{text})
		var got secretThing
		if err := s.open(kindPending, "name", sealed, &got); err != nil || got.Text != text {
			t.Errorf("got %d bytes, %v", len(got.Text), err)
		}
		if again := s.seal(kindPending, "name", secretThing{text}); again == sealed {
			t.Error("the same thing sealed twice looks the same")
		}
	}
}

func TestSealIsBound(t *testing.T) {
	s := newTestSealer(t, "https://a.example", "secret")
	sealed := s.seal(kindPending, "name", secretThing{"x"})
	var got secretThing
	for what, err := range map[string]error{
		"another name":                s.open(kindPending, "name2", sealed, &got),
		"a version that nobody knows": s.open("pending 2", "name", sealed, &got),
		"another kind":                s.open(kindRenewal, "name", sealed, &got),
		"a moved border":              s.open(kindPending+"n", "ame", sealed, &got),
		"another site":                newTestSealer(t, "https://b.example", "secret").open(kindPending, "name", sealed, &got),
		"another secret":              newTestSealer(t, "https://a.example", "secret2").open(kindPending, "name", sealed, &got),
		"nothing":                     s.open(kindPending, "name", "", &got),
		"padding":                     s.open(kindPending, "name", sealed+"=", &got),
		"a line break":                s.open(kindPending, "name", sealed[:10]+"\n"+sealed[10:], &got),
		"a cut":                       s.open(kindPending, "name", sealed[:len(sealed)-4], &got),
		"more":                        s.open(kindPending, "name", sealed+"AAAA", &got),
		"a short box":                 s.open(kindPending, "name", "AAAA", &got),
	} {
		if err == nil {
			t.Errorf("opens with %s", what)
		}
	}
	if got.Text != "" {
		t.Error("something was read")
	}
}

func TestSealRefusesEveryFlippedBit(t *testing.T) {
	s := newTestSealer(t, "https://a.example", "secret", "former")
	sealed := s.seal(kindPending, "name", secretThing{"some text"})
	var got secretThing
	for i := range len(sealed) * 8 { // the text as it travels
		b := []byte(sealed)
		b[i/8] ^= 1 << (i % 8)
		if s.open(kindPending, "name", string(b), &got) == nil {
			t.Fatalf("bit %d of the text does not matter", i)
		}
	}
	box, _ := base64.RawURLEncoding.DecodeString(sealed)
	for i := range len(box) * 8 { // the box itself
		box[i/8] ^= 1 << (i % 8)
		if s.open(kindPending, "name", base64.RawURLEncoding.EncodeToString(box), &got) == nil {
			t.Fatalf("bit %d of the box does not matter", i)
		}
		box[i/8] ^= 1 << (i % 8)
	}
}

// TestSealSurvivesOneRotation: the newer secret seals, both open, and the one before both opens
// nothing.
func TestSealSurvivesOneRotation(t *testing.T) {
	first, second, third := newTestSealer(t, "s", "1"), newTestSealer(t, "s", "2", "1"), newTestSealer(t, "s", "3", "2")
	var got secretThing
	old := first.seal(kindPending, "n", secretThing{"x"})
	if err := second.open(kindPending, "n", old, &got); err != nil {
		t.Error("the former key does not open")
	}
	if err := third.open(kindPending, "n", old, &got); err == nil {
		t.Error("a key that is two rotations old opens")
	}
	if err := first.open(kindPending, "n", second.seal(kindPending, "n", secretThing{"x"}), &got); err == nil {
		t.Error("the former key still seals")
	}
}

// TestSealPassesOverSecretsThatAreNotThere: those behind them count all the same.
func TestSealPassesOverSecretsThatAreNotThere(t *testing.T) {
	var got secretThing
	old := newTestSealer(t, "s", "1").seal(kindPending, "n", secretThing{"x"})
	if err := newTestSealer(t, "s", "2", "", "1").open(kindPending, "n", old, &got); err != nil {
		t.Error("the secret behind an empty one does not open")
	}
}

func TestSealNeedsASecret(t *testing.T) {
	if _, err := newSealer("s"); err == nil {
		t.Error("sealed with nothing at all")
	}
	if _, err := newSealer("s", "", "former"); err == nil {
		t.Error("sealed with nothing")
	}
}

func FuzzOpen(f *testing.F) {
	s, err := newSealer("https://a.example", "secret")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(s.seal(kindPending, "name", secretThing{"x"}), "name2")
	f.Add("AAAA", "name")
	f.Fuzz(func(t *testing.T, sealed, name string) {
		var got secretThing
		if s.open(kindTarget, name, sealed, &got) == nil {
			t.Fatal("opened")
		}
	})
}
