package cookie_test

// This file holds reading to its rules: which names count, and what several values of one name
// mean.

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"edgeauth/internal/cookie"
	"edgeauth/internal/reason"
)

func TestJoin(t *testing.T) {
	for _, row := range []struct {
		name    string
		headers []string // raw values of the Cookie headers
		value   string
		want    error
	}{
		{"alone", []string{"__Host-id=abc"}, "abc", nil},
		{"among others", []string{"a=1; __Host-id=abc; b=2"}, "abc", nil},
		{"in the second header", []string{"a=1", "__Host-id=abc"}, "abc", nil},
		{"no space after the semicolon", []string{"a=1;__Host-id=abc"}, "abc", nil},
		{"value with equals signs", []string{"__Host-id=a=b=="}, "a=b==", nil},
		{"twice the same", []string{"__Host-id=abc; __Host-id=abc", "__Host-id=abc"}, "abc", nil},
		{"two pieces", []string{"__Host-id=2~abc; __Host-id-2=def"}, "abcdef", nil},
		{"pieces in reverse", []string{"__Host-id-3=ghi; __Host-id-2=def", "__Host-id=3~abc"}, "abcdefghi", nil},
		{"six pieces", []string{"__Host-id=6~a; __Host-id-2=b; __Host-id-3=c; __Host-id-4=d; __Host-id-5=e; __Host-id-6=f"}, "abcdef", nil},
		{"leftover behind a plain value", []string{"__Host-id=abc; __Host-id-2=old; __Host-id-3=old"}, "abc", nil},
		{"leftover behind two pieces", []string{"__Host-id=2~abc; __Host-id-2=def; __Host-id-3=old; __Host-id-3=older"}, "abcdef", nil},
		{"a piece twice the same", []string{"__Host-id=2~abc; __Host-id-2=def; __Host-id-2=def"}, "abcdef", nil},

		{"no header", nil, "", cookie.ErrAbsent},
		{"empty header", []string{"", ";", "; ;"}, "", cookie.ErrAbsent},
		{"strangers only", []string{"a=1; id=abc"}, "", cookie.ErrAbsent},
		{"leftovers only", []string{"__Host-id-2=def"}, "", cookie.ErrAbsent},

		{"other case", []string{"__host-id=abc"}, "", cookie.ErrAbsent},
		{"space before the equals sign", []string{"__Host-id =abc"}, "", cookie.ErrAbsent},
		{"TAB before the equals sign", []string{"__Host-id\t=abc"}, "", cookie.ErrAbsent},
		{"two spaces before", []string{"a=1;  __Host-id=abc"}, "", cookie.ErrAbsent},
		{"TAB before", []string{"a=1;\t__Host-id=abc"}, "", cookie.ErrAbsent},
		{"U+2000 before", []string{"\u2000__Host-id=abc"}, "", cookie.ErrAbsent},
		{"U+0085 before", []string{"\u0085__Host-id=abc"}, "", cookie.ErrAbsent},
		{"form feed before", []string{"\f__Host-id=abc"}, "", cookie.ErrAbsent},
		{"percent encoded", []string{"__%48ost-id=abc"}, "", cookie.ErrAbsent},
		{"quoted", []string{`"__Host-id"=abc`}, "", cookie.ErrAbsent},
		{"nameless", []string{"=__Host-id=abc"}, "", cookie.ErrAbsent},
		{"no equals sign", []string{"__Host-id"}, "", cookie.ErrAbsent},
		{"array", []string{"__Host-id[]=abc"}, "", cookie.ErrAbsent},
		{"longer name", []string{"__Host-idx=abc; __Host-id-=abc; __Host-id-1=abc; __Host-id-7=abc; __Host-id-22=abc"}, "", cookie.ErrAbsent},
		{"name as an ending", []string{"x__Host-id=abc"}, "", cookie.ErrAbsent},
		{"$Version is a stranger", []string{`$Version=1; __Host-id=abc; $Path="/"`}, "abc", nil},
		{"comma joins nothing", []string{"a=1, __Host-id=abc"}, "", cookie.ErrAbsent},
		{"a quote opens nothing", []string{`a="1; __Host-id=abc; b=2"`}, "abc", nil},

		{"empty value", []string{"__Host-id="}, "", cookie.ErrBroken},
		{"second piece missing", []string{"__Host-id=2~abc"}, "", cookie.ErrBroken},
		{"middle piece missing", []string{"__Host-id=3~abc; __Host-id-3=ghi"}, "", cookie.ErrBroken},
		{"piece empty", []string{"__Host-id=2~abc; __Host-id-2="}, "", cookie.ErrBroken},
		{"first data empty", []string{"__Host-id=2~; __Host-id-2=def"}, "", cookie.ErrBroken},
		{"count 0", []string{"__Host-id=0~abc"}, "", cookie.ErrBroken},
		{"count 1", []string{"__Host-id=1~abc"}, "", cookie.ErrBroken},
		{"count 7", []string{"__Host-id=7~abc; __Host-id-2=def"}, "", cookie.ErrBroken},
		{"count not a digit", []string{"__Host-id=x~abc"}, "", cookie.ErrBroken},

		{"two values", []string{"__Host-id=abc; __Host-id=abd"}, "", cookie.ErrConflict},
		{"two values in two headers", []string{"__Host-id=abc", "__Host-id=abd"}, "", cookie.ErrConflict},
		{"two values, then the first again", []string{"__Host-id=abc; __Host-id=abd; __Host-id=abc"}, "", cookie.ErrConflict},
		{"a value and an empty one", []string{"__Host-id=; __Host-id=abc"}, "", cookie.ErrConflict},
		{"plain and split", []string{"__Host-id=abc; __Host-id=2~abc; __Host-id-2=d"}, "", cookie.ErrConflict},
		{"two values of a piece", []string{"__Host-id=2~abc; __Host-id-2=def; __Host-id-2=dex"}, "", cookie.ErrConflict},
	} {
		t.Run(row.name, func(t *testing.T) {
			value, err := cookie.Join(row.headers, cookie.Session)
			if !errors.Is(err, row.want) || value != row.value {
				t.Errorf("got %q, %v; want %q, %v", value, err, row.value, row.want)
			}
		})
	}
}

func TestErrorsCarryTheirReason(t *testing.T) {
	for err, want := range map[error]reason.Code{
		cookie.ErrAbsent:   reason.NoSession,
		cookie.ErrBroken:   reason.CookieBroken,
		cookie.ErrConflict: reason.CookieConflict,
		cookie.ErrTooLarge: reason.LoginTooLarge,
	} {
		if got := reason.Of(err); got != want {
			t.Errorf("%v: reason %q, want %q", err, got, want)
		}
	}
}

func TestAll(t *testing.T) {
	var got []string
	for name, value := range cookie.All([]string{"a=1; b =2;;c", "a=3"}) {
		got = append(got, name+"|"+value)
	}
	if want := "a|1,b |2,|c,a|3"; strings.Join(got, ",") != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for range cookie.All([]string{"a=1; b=2"}) {
		break
	}
}

// TestJoinAllocates keeps the authorizer's hot path free of garbage: nothing for a session in one
// cookie, the joined value itself for more.
func TestJoinAllocates(t *testing.T) {
	one := []string{"theme=dark; __Host-id=" + strings.Repeat("x", 1400) + "; other=1"}
	two := []string{"__Host-id=2~" + strings.Repeat("x", 3800) + "; __Host-id-2=" + strings.Repeat("y", 700)}
	for _, row := range []struct {
		headers []string
		want    float64
	}{{one, 0}, {two, 1}} {
		got := testing.AllocsPerRun(100, func() {
			if _, err := cookie.Join(row.headers, cookie.Session); err != nil {
				t.Fatal(err)
			}
		})
		if got > row.want {
			t.Errorf("%.0f allocations, want %.0f", got, row.want)
		}
	}
}

func BenchmarkJoin(b *testing.B) {
	headers := []string{"theme=dark; _ga=GA1.1.1234567890.1234567890; __Host-id=" + strings.Repeat("x", 1400) + "; other=1"}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := cookie.Join(headers, cookie.Session); err != nil {
			b.Fatal(err)
		}
	}
}

// FuzzJoin states what reading owes to writing: what Split wrote is what Join reads, in any order
// and spread over any number of headers, with strangers, exact duplicates and the leftovers of a
// longer value present; and one piece of another value makes it nobody's session.
func FuzzJoin(f *testing.F) {
	f.Add(uint16(1), uint16(9000), uint64(1), "a=1; b")
	f.Add(uint16(3800), uint16(3801), uint64(2), "__host-id=x; __Host-id =y; __Host-id-9=z")
	f.Add(uint16(22800), uint16(5), uint64(3), `"; __Host-i="; =`)
	f.Fuzz(func(t *testing.T, size, former uint16, seed uint64, strangers string) {
		if strings.Contains(strangers, "__Host-id=") || strings.Contains(strangers, "__Host-id-") || size == 0 || size > 22800 {
			t.Skip()
		}
		dice := rand.New(rand.NewPCG(seed, 0))
		value := letters(dice, int(size))
		jar := map[string]string{}
		keep(t, jar, letters(dice, 1+int(former)%22800))
		leftovers := map[string]string{}
		for name, piece := range jar {
			leftovers[name] = piece
		}
		keep(t, jar, value)
		for name := range jar {
			delete(leftovers, name)
		}

		pairs := strings.Split(strangers, ";")
		for name, piece := range jar {
			pairs = append(pairs, name+"="+piece)
			if dice.IntN(2) == 0 {
				pairs = append(pairs, name+"="+piece)
			}
		}
		for name, piece := range leftovers { // as if their clearing had been lost
			pairs = append(pairs, name+"="+piece)
		}
		dice.Shuffle(len(pairs), func(i, j int) { pairs[i], pairs[j] = pairs[j], pairs[i] })
		cut := dice.IntN(len(pairs) + 1)
		headers := []string{strings.Join(pairs[:cut], "; "), strings.Join(pairs[cut:], "; ")}

		if got, err := cookie.Join(headers, cookie.Session); err != nil || got != value {
			t.Fatalf("got %d bytes, %v; want %d bytes", len(got), err, len(value))
		}
		for name := range jar {
			other := append(headers[:2:2], name+"=other")
			if got, err := cookie.Join(other, cookie.Session); !errors.Is(err, cookie.ErrConflict) {
				t.Fatalf("with a second %s: got %d bytes, %v; want a conflict", name, len(got), err)
			}
		}
	})
}

func letters(dice *rand.Rand, n int) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[dice.IntN(len(alphabet))]
	}
	return string(b)
}
