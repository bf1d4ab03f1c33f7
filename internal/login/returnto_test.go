package login

// This file holds the return target to its rule, against a model of what browsers make of an
// address.

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"edgeauth/internal/intent"
)

func TestReturnTargetsPassByteForByte(t *testing.T) {
	for _, target := range []string{
		"/Prod", "/Prod/", "/Prod/a", "/Prod/a/", "/Prod/a/b.html", "/Prod?x=1", "/Prod/?a=1&b=%2F", "/Prod/a?a=1&a=2&b=", "/Prod/a#part", "/Prod/a?b#c",
		"/Prod/a%20b", "/Prod/a:b", "/Prod/@x", "/Prod/~user", "/Prod/x?y=%2F%5c%00;*", "/Prod/x#%2F%5c%00;*",
		"/Prod/x?next=https://elsewhere.example/", "/Prod/x?next=//elsewhere.example", "/Prod/x?q=a+b%20c", "/Prod/x?q=..&r=/../", "/Prod/x#/../y",
		"/Prod/...", "/Prod/..a", "/Prod/a..", "/Prod/.well-known/x", "/Prod/auth", "/Prod/authors", "/Prod/x/auth/login",
		"/Prod/" + strings.Repeat("x", intent.MaxTarget-len("/Prod/")),
	} {
		want := target
		if target == "/Prod/auth" {
			want = "/Prod/"
		}
		if got := returnTo("/Prod", target); got != want {
			t.Errorf("%q became %q", target, got)
		}
	}
	for target, want := range map[string]string{
		"/Prod/ä?ö#ü": "/Prod/%C3%A4?%C3%B6#%C3%BC", "/Prod/\u2028": "/Prod/%E2%80%A8", "/Prod/。": "/Prod/%E3%80%82",
	} {
		if got := returnTo("/Prod", target); got != want {
			t.Errorf("%q became %q, want %q", target, got, want)
		}
	}
	for _, target := range []string{"/", "/a", "/a?b", "/#x", "/?x"} {
		if got := returnTo("", target); got != target {
			t.Errorf("at the root %q became %q", target, got)
		}
	}
}

func TestReturnTargetsRefused(t *testing.T) {
	for _, target := range []string{
		"", "x", "?a", "#a", "/", "/other", "/Production", "/prod/", "//Prod/a", "///Prod", "/Prod//evil.example", "/Prod//", "/Prod/a//b",
		"https://evil.example/Prod/", "https://app.example.com/Prod/", "//evil.example/Prod/", "https:evil", "https:/Prod/", "javascript:alert(1)", "data:,x",
		"\\/evil.example", "/\\evil.example", "/Prod\\evil", "/Prod/\\evil", "/Prod/?\\", "\\\\evil.example",
		"/\t/evil.example", "/Prod/\ta", "/Prod/\r\nSet-Cookie: a=b", "/Prod/\n", " /Prod/", "/Prod/ ", "/Prod/a b", "/Prod/\x00", "/Prod/\x1f", "/Prod/\x7f",
		"/Prod/.", "/Prod/..", "/Prod/./a", "/Prod/../x", "/Prod/a/..", "/Prod/%2e", "/Prod/%2E%2e/x", "/Prod/.%2e", "/Prod/%2e./a", "/Prod/%2e%2e",
		"/Prod/%2e%2e%2fauth%2flogout", "/Prod/a%2f..%2fb", "/Prod/..?x", "/Prod/..#x",
		"/Prod/auth/", "/Prod/auth/logout", "/Prod/auth/login?return_to=/Prod/", "/Prod/%61uth/logout", "/Prod/auth%2Flogout", "/Prod/auth?x", "/Prod/auth#x",
		"/Prod/Auth/logout", "/Prod/AUTH", "/Prod/%2F", "/Prod/a%2Fb", "/Prod/%2f%2fevil", "/Prod/%5cevil", "/Prod/%09/x", "/Prod/%00", "/Prod/a;b=c",
		"/Prod/a%3Bb", "/Prod/*", "/Prod/a%2Ab", "/Prod/%61", "/Prod/%c0%af", "/Prod/%25",
		"/Prod/%zz", "/Prod/%", "/Prod/\xff", "/Prod/" + strings.Repeat("x", intent.MaxTarget),
	} {
		if got := returnTo("/Prod", target); got != "/Prod/" {
			t.Errorf("%q became %q", target, got)
		}
	}
	for _, target := range []string{"", "//evil.example", "/\\evil.example", "/auth/logout", "/auth", "/..", "/.//evil.example", "/%2e%2e//x"} {
		if got := returnTo("", target); got != "/" {
			t.Errorf("at the root %q became %q", target, got)
		}
	}
}

// TestReturnTargetCorpus tries every combination of what open redirects are made of.
func TestReturnTargetCorpus(t *testing.T) {
	beginnings := []string{
		"", "/", "//", "///", "////", "\\", "\\\\", "/\\", "\\/", "/\\/", " ", "\t", "\r\n", "\x00", "\x0b", "\u00a0", "\ufeff", "\u2000", "/.", "/..", "/./",
		"/%2e/", "/%2f", "/%5c", "/%09", "/;", "/?", "/#", "https:", "https:/", "https://", "https:///", "HTTPS://", "http://", "ht\ttps://", "javascript:",
		"java\nscript:", "data:text/html,", "blob:", "file://", "//user@", "/Prod", "/Prod/", "/Prod//", "/Prod/\\", "/Prod/..", "/Prod/../", "/Prod/%2e%2e/", "/Prod@", "/Prod.", "/Prod:",
	}
	middles := []string{"", "/", "//", "\\", "@", ":", ";", "\t", "\n", "%00", "%0d%0a", "%2f", "%2f%2f", "%5c", "%252f", "..", "/..", "/../", "/..;/", "．", "。", "｡", "／", "\u2215", "\u00ad", "#", "?", "&", "[::1]"}
	ends := []string{
		"", "evil.example", "evil.example/", "evil.example/Prod/", "evil.example:443", "evil%2eexample", "app.example.com.evil.example", "app.example.com@evil.example",
		"auth/logout", "Prod/auth/logout", "%61uth/logout", "//evil.example", "\r\nLocation: https://evil.example", "?a=b", "#a", "/.", "/..",
	}
	count := 0
	for _, b := range beginnings {
		for _, m := range middles {
			for _, e := range ends {
				for _, base := range []string{"/Prod", "", "/a/b"} {
					count++
					holds(t, base, b+m+e)
				}
			}
		}
	}
	if count < 60000 {
		t.Errorf("only %d targets", count)
	}
}

func FuzzReturnTo(f *testing.F) {
	for _, seed := range []string{"/Prod/a?b#c", "/Prod/%2e%2e/x", "/\\evil", "//evil", "/Prod/auth/logout", "https:evil", "/Prod/ä"} {
		f.Add("/Prod", seed)
		f.Add("", seed)
	}
	f.Fuzz(func(t *testing.T, base, raw string) {
		if base != "" && base != "/Prod" && base != "/a/b" {
			base = "/Prod"
		}
		holds(t, base, raw)
	})
}

// holds states the property: whatever comes in, what goes out stays on the site by a browser's
// reading, and is what came in or the front page.
func holds(t *testing.T, base, raw string) {
	t.Helper()
	got := returnTo(base, raw)
	if got != base+"/" && got != asciiOnly(raw) {
		t.Fatalf("%q became %q", raw, got)
	}
	for i := 0; i < len(got); i++ {
		if got[i] <= ' ' || got[i] >= 0x7f || got[i] == '\\' {
			t.Fatalf("%q became %q", raw, got)
		}
	}
	path, err := browse(got)
	if err != nil {
		t.Fatalf("%q became %q: %v", raw, got, err)
	}
	if path != base && !strings.HasPrefix(path, base+"/") {
		t.Fatalf("%q became %q, which a browser reads as %q", raw, got, path)
	}
	if strings.HasPrefix(path, base+"/auth/") {
		t.Fatalf("%q became %q: one of our own routes", raw, got)
	}
	if !utf8.ValidString(got) || len(got) > 3*intent.MaxTarget {
		t.Fatalf("%q became %q", raw, got)
	}
}

// browse returns the path that a browser on an https page requests for a reference, by the URL
// standard, or an error if it leaves the origin.
func browse(ref string) (string, error) {
	ref = strings.TrimFunc(ref, func(c rune) bool { return c <= ' ' })
	ref = strings.NewReplacer("\t", "", "\n", "", "\r", "").Replace(ref)
	if i := strings.IndexAny(ref, "?#"); i >= 0 {
		ref = ref[:i]
	}
	if i := strings.IndexByte(ref, ':'); i >= 0 && !strings.ContainsAny(ref[:i], "/\\") {
		return "", fmt.Errorf("has a scheme")
	}
	ref = strings.ReplaceAll(ref, "\\", "/")
	if strings.HasPrefix(ref, "//") {
		return "", fmt.Errorf("has a host")
	}
	var path []string
	segments := strings.Split(strings.TrimPrefix(ref, "/"), "/")
	for i, s := range segments {
		last := i == len(segments)-1
		switch strings.ReplaceAll(strings.ToLower(s), "%2e", ".") {
		case "..":
			path = path[:max(0, len(path)-1)]
			if last {
				path = append(path, "")
			}
		case ".":
			if last {
				path = append(path, "")
			}
		default:
			path = append(path, s)
		}
	}
	return "/" + strings.Join(path, "/"), nil
}
