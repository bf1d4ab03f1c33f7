package cookie_test

// This file holds writing to its rules with a jar that is as strict as a browser about prefixes and
// sizes.

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"edgeauth/internal/cookie"
)

// keep makes jar what a browser's is after the session was written over what it holds.
func keep(t *testing.T, jar map[string]string, value string) {
	t.Helper()
	lines, err := cookie.Split(cookie.Line{cookie.Session, value, "/", 3600}, []string{header(jar)})
	if err != nil {
		t.Fatal(err)
	}
	apply(t, jar, lines)
}

func header(jar map[string]string) string {
	var pairs []string
	for name, value := range jar {
		pairs = append(pairs, name+"="+value)
	}
	return strings.Join(pairs, "; ")
}

// apply refuses what a browser would drop in silence.
func apply(t *testing.T, jar map[string]string, lines []cookie.Line) {
	t.Helper()
	for _, l := range lines {
		parts := strings.Split(l.String(), "; ")
		name, value, _ := strings.Cut(parts[0], "=")
		if len(name)+len(value) > 4096 {
			t.Fatalf("%s takes %d bytes", name, len(name)+len(value))
		}
		for _, attribute := range []string{"HttpOnly", "Secure", "SameSite=Lax", "Path=/"} {
			if !slices.Contains(parts[1:], attribute) {
				t.Fatalf("%s lacks %s: %q", name, attribute, parts[1:])
			}
		}
		if len(parts) != 6 {
			t.Fatalf("%s has attributes %q", name, parts[1:])
		}
		if slices.Contains(parts, "Max-Age=0") {
			delete(jar, name)
		} else {
			jar[name] = value
		}
	}
}

func TestSplitGrowsAndShrinksWithoutLeftovers(t *testing.T) {
	jar := map[string]string{}
	for _, step := range []struct{ size, cookies int }{{1200, 1}, {3800, 1}, {3801, 2}, {9000, 3}, {22800, 6}, {7600, 2}, {1, 1}, {11401, 4}, {3800, 1}} {
		value := strings.Repeat("v", step.size)
		keep(t, jar, value)
		if len(jar) != step.cookies {
			t.Errorf("%d bytes leave %d cookies, want %d", step.size, len(jar), step.cookies)
		}
		if got, err := cookie.Join([]string{header(jar)}, cookie.Session); err != nil || got != value {
			t.Errorf("%d bytes: read %d, %v", step.size, len(got), err)
		}
	}
	apply(t, jar, cookie.Clear(cookie.Session, "/"))
	if len(jar) != 0 {
		t.Errorf("clearing leaves %v", jar)
	}
}

func TestClearNamesEveryVariant(t *testing.T) {
	jar := map[string]string{}
	for _, name := range []string{"", "-2", "-3", "-4", "-5", "-6"} {
		jar[cookie.Session+name] = "x"
	}
	apply(t, jar, cookie.Clear(cookie.Session, "/"))
	if len(jar) != 0 {
		t.Errorf("clearing leaves %v", jar)
	}
}

func TestLinesAreWrittenExactly(t *testing.T) {
	lines, err := cookie.Split(cookie.Line{"__Secure-x", "abc", "/Prod/auth", 1}, []string{"__Secure-x-2=old; y=1"})
	want := []string{
		"__Secure-x=abc; Path=/Prod/auth; Max-Age=1; HttpOnly; Secure; SameSite=Lax",
		"__Secure-x-2=; Path=/Prod/auth; Max-Age=0; HttpOnly; Secure; SameSite=Lax",
	}
	var got []string
	size := 0
	for _, l := range lines {
		got = append(got, l.String())
		size += l.Size()
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v\nwant %q", got, err, want)
	}
	if size != len("__Secure-x=abc; ") {
		t.Errorf("size %d", size)
	}
}

func TestSplitRefuses(t *testing.T) {
	for _, row := range []struct {
		what, name, value, path string
		age                     int
		tooLarge                bool
	}{
		{"a value beyond six pieces", cookie.Session, strings.Repeat("v", 22801), "/", 60, true},
		{"a name that leaves no room", "__Secure-" + strings.Repeat("n", 300), "v", "/", 60, true},
		{"a __Host- cookie on a path", cookie.Session, "v", "/Prod", 60, false},
		{"no path", "__Secure-x", "v", "", 60, false},
		{"a relative path", "__Secure-x", "v", "Prod", 60, false},
		{"a path that ends the attribute", "__Secure-x", "v", "/a;Domain=evil.example", 60, false},
		{"no name", "", "v", "/", 60, false},
		{"a name with an equals sign", "a=b", "v", "/", 60, false},
		{"a name with DEL", "a\x7f", "v", "/", 60, false},
		{"no value", "__Secure-x", "", "/", 60, false},
		{"a value with a semicolon", "__Secure-x", "a;b", "/", 60, false},
		{"a value with a line break", "__Secure-x", "a\r\nSet-Cookie: b=c", "/", 60, false},
		{"a value with a space", "__Secure-x", "a b", "/", 60, false},
		{"a value with a quote", "__Secure-x", `"a"`, "/", 60, false},
		{"a value with a comma", "__Secure-x", "a,b", "/", 60, false},
		{"a value with a backslash", "__Secure-x", `a\b`, "/", 60, false},
		{"a value beyond ASCII", "__Secure-x", "ä", "/", 60, false},
		{"a value that reads like a first piece", "__Secure-x", "2~a", "/", 60, false},
		{"no lifetime", "__Secure-x", "v", "/", 0, false},
		{"a negative lifetime", "__Secure-x", "v", "/", -1, false},
	} {
		lines, err := cookie.Split(cookie.Line{row.name, row.value, row.path, row.age}, nil)
		if err == nil || errors.Is(err, cookie.ErrTooLarge) != row.tooLarge || lines != nil {
			t.Errorf("%s: got %q, %v", row.what, lines, err)
		}
	}
}
