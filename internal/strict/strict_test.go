package strict_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"edgeauth/internal/strict"
)

func TestBase64(t *testing.T) {
	for _, c := range []struct {
		text string
		want string
		err  error
	}{
		{"", "", nil},
		{"Zg", "f", nil},
		{"Zm8", "fo", nil},
		{"Zm9v", "foo", nil},
		{"-_-_", "\xfb\xff\xbf", nil},
		{"Zg==", "", strict.ErrBase64},
		{"Zm8=", "", strict.ErrBase64},
		{"Zh", "", strict.ErrBase64},  // bits left over
		{"Zm9", "", strict.ErrBase64}, // bits left over
		{"Zm9vY", "", strict.ErrBase64},
		{"+/+/", "", strict.ErrBase64},
		{"Zm\n9v", "", strict.ErrBase64},
		{"Zm\r9v", "", strict.ErrBase64},
		{"\nZm9v", "", strict.ErrBase64},
		{"Zm9v\r\n", "", strict.ErrBase64},
		{"\n", "", strict.ErrBase64},
		{"Zm 9v", "", strict.ErrBase64},
		{"Zm9\x00", "", strict.ErrBase64},
	} {
		got, err := strict.AppendBase64([]byte("x"), c.text)
		if !errors.Is(err, c.err) || err == nil && string(got) != "x"+c.want || err != nil && got != nil {
			t.Errorf("%q: got %q, %v", c.text, got, err)
		}
	}
}

func FuzzBase64(f *testing.F) {
	for _, seed := range []string{"", "Zg", "Zh", "Zm8", "Zm9v", "Zg==", "-_", "+/", "Z\n", "Z"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		b, err := strict.AppendBase64(nil, text)
		if err == nil && base64.RawURLEncoding.EncodeToString(b) != text {
			t.Fatalf("%q is not the text of %x", text, b)
		}
	})
}

// value reads a whole text into the types of encoding/json, integers as int64.
func value(s *strict.Scanner) any {
	switch c := s.Peek(); c {
	case '{':
		m := map[string]any{}
		for name := range s.Members() {
			m[name] = value(s)
		}
		return m
	case '[':
		a := []any{}
		for i := range s.Elements() {
			if i != len(a) {
				panic("elements are counted wrongly")
			}
			a = append(a, value(s))
		}
		return a
	case '"':
		v, _ := s.String()
		return v
	case 't', 'f':
		v, _ := s.Bool()
		return v
	case 'n':
		s.Skip()
		return nil
	default:
		raw := s.Raw()
		again := strict.Scan(raw)
		if n, ok := again.Integer(); ok {
			return n
		}
		return json.Number(raw)
	}
}

func TestJSON(t *testing.T) {
	nest := func(open, inner, end string, n int) string {
		return strings.Repeat(open, n) + inner + strings.Repeat(end, n)
	}
	for _, c := range []struct {
		text string
		want any // or an error
	}{
		{`{}`, map[string]any{}},
		{"\t\r\n {\"a\" :\n1 , \"b\":[ ] }\r ", map[string]any{"a": int64(1), "b": []any{}}},
		{`[1,"x",true,false,null,{"a":{}}]`, []any{int64(1), "x", true, false, nil, map[string]any{"a": map[string]any{}}}},
		{`"\"\\\/\b\f\n\r\t\u0041\u00e9\u20AC\ud83d\ude00é😀"`, "\"\\/\b\f\n\r\tAé€😀é😀"},
		{`"\uFFFD\ufffe\u0000"`, "\ufffd\ufffe\x00"},
		{`{"\u0061b":1,"a":2,"":3}`, map[string]any{"ab": int64(1), "a": int64(2), "": int64(3)}},
		{`[0,9223372036854775807,9223372036854775808,-1,-0,1.0,1e2,10E-2,0.5e+1]`, []any{int64(0), int64(9223372036854775807), json.Number("9223372036854775808"), json.Number("-1"), json.Number("-0"), json.Number("1.0"), json.Number("1e2"), json.Number("10E-2"), json.Number("0.5e+1")}},
		{nest("[", "", "]", 32), "deep"},
		{"[" + strings.Repeat(`{"a":[]},`, 40) + "[]]", "wide"},
		{"\"\ufffd\"", "\ufffd"},

		{``, strict.ErrSyntax},
		{` `, strict.ErrSyntax},
		{`{`, strict.ErrSyntax},
		{`[`, strict.ErrSyntax},
		{`}`, strict.ErrSyntax},
		{`{"a"}`, strict.ErrSyntax},
		{`{"a":}`, strict.ErrSyntax},
		{`{"a":1,}`, strict.ErrSyntax},
		{`{,}`, strict.ErrSyntax},
		{`[1,]`, strict.ErrSyntax},
		{`[,]`, strict.ErrSyntax},
		{`[1 2]`, strict.ErrSyntax},
		{`{"a":1 "b":2}`, strict.ErrSyntax},
		{`{a:1}`, strict.ErrSyntax},
		{`{a":1}`, strict.ErrSyntax},
		{`{1"a":1}`, strict.ErrSyntax},
		{`[1}`, strict.ErrSyntax},
		{`{"a":1]`, strict.ErrSyntax},
		{`{"a" 1}`, strict.ErrSyntax},
		{`{"a"=1}`, strict.ErrSyntax},
		{`[` + "\u00a0" + `1]`, strict.ErrSyntax},
		{`tru`, strict.ErrSyntax},
		{`nul`, strict.ErrSyntax},
		{`fals`, strict.ErrSyntax},
		{`True`, strict.ErrSyntax},
		{`NaN`, strict.ErrSyntax},
		{`+1`, strict.ErrSyntax},
		{`-`, strict.ErrSyntax},
		{`.5`, strict.ErrSyntax},
		{`1.`, strict.ErrSyntax},
		{`1e`, strict.ErrSyntax},
		{`1e+`, strict.ErrSyntax},
		{`-a`, strict.ErrSyntax},
		{`"`, strict.ErrSyntax},
		{`"abc`, strict.ErrSyntax},
		{`01`, strict.ErrTrailing},
		{`-01`, strict.ErrTrailing},
		{`{}{}`, strict.ErrTrailing},
		{`{} x`, strict.ErrTrailing},
		{"{}\x00", strict.ErrTrailing},
		{`truex`, strict.ErrTrailing},
		{`1 1`, strict.ErrTrailing},
		{`"\x"`, strict.ErrText},
		{`"\`, strict.ErrText},
		{`"\u123"`, strict.ErrText},
		{`"\u12G4"`, strict.ErrText},
		{`"\U0041"`, strict.ErrText},
		{`"\ud800"`, strict.ErrText},
		{`"\udc00"`, strict.ErrText},
		{`"\ud800\ud800"`, strict.ErrText},
		{`"\udc00\ud800"`, strict.ErrText},
		{`"\ud800\n"`, strict.ErrText},
		{`"\ud800A"`, strict.ErrText},
		{`"\ud800\u0041"`, strict.ErrText},
		{`"\ud800xudc00"`, strict.ErrText},
		{"\"\x1f\"", strict.ErrText},
		{"\"\n\"", strict.ErrText},
		{"\"\x00\"", strict.ErrText},
		{"\"\xff\"", strict.ErrText},
		{"\"\xc0\xaf\"", strict.ErrText},
		{"\"\xed\xa0\x80\"", strict.ErrText},
		{"\"\xe2\x82\"", strict.ErrText},
		{"{\"\xff\":1}", strict.ErrText},
		{`{"a":1,"a":1}`, strict.ErrDuplicate},
		{`{"a":1,"\u0061":1}`, strict.ErrDuplicate},
		{`[{"b":{"a":1,"c":2,"a":3}}]`, strict.ErrDuplicate},
		{`{"":1,"":1}`, strict.ErrDuplicate},
		{nest("[", "", "]", 33), strict.ErrDepth},
		{nest(`{"a":`, "1", "}", 33), strict.ErrDepth},
		{nest("[", "", "", 100000), strict.ErrDepth},
	} {
		s := strict.Scan(c.text)
		got := value(&s)
		err := s.End()
		if want, bad := c.want.(error); bad {
			if !errors.Is(err, want) {
				t.Errorf("%.60q: got %v, want %v", c.text, err, want)
			}
		} else if err != nil || c.want != "deep" && c.want != "wide" && !reflect.DeepEqual(got, c.want) {
			t.Errorf("%.60q: got %#v, %v", c.text, got, err)
		}
		// Skipping must find the same.
		skipped := strict.Scan(c.text)
		skipped.Skip()
		if again := skipped.End(); !errors.Is(again, err) {
			t.Errorf("%.60q: skipped: %v, read: %v", c.text, again, err)
		}
	}
}

// Names are compared beyond the few that are kept at hand.
func TestDuplicateAmongMany(t *testing.T) {
	for n := 1; n < 60; n++ {
		var b strings.Builder
		for i := range n {
			b.WriteString(`"` + strings.Repeat("x", i) + `":0,`)
		}
		for i := range n {
			s := strict.Scan("{" + b.String() + `"` + strings.Repeat("x", i) + `":0}`)
			s.Skip()
			if err := s.End(); !errors.Is(err, strict.ErrDuplicate) {
				t.Fatalf("name %d of %d again: %v", i, n, err)
			}
		}
		s := strict.Scan("{" + b.String() + `"y":0}`)
		s.Skip()
		if err := s.End(); err != nil {
			t.Fatalf("%d names: %v", n, err)
		}
	}
}

// A reader of one type passes over a good value of another, and goes on.
func TestAnotherTypeIsPassedOver(t *testing.T) {
	const values = `[{"a":[1]},["x"],"x",7,-7,1.5,true,false,null]`
	read := func(reader func(s *strict.Scanner) (any, bool)) (got []any) {
		s := strict.Scan(values)
		for range s.Elements() {
			if v, ok := reader(&s); ok {
				got = append(got, v)
			} else if !reflect.ValueOf(v).IsZero() {
				t.Errorf("a value that is none: %v", v)
			}
		}
		if err := s.End(); err != nil {
			t.Error(err)
		}
		return got
	}
	for name, c := range map[string]struct{ got, want []any }{
		"String":  {read(func(s *strict.Scanner) (any, bool) { v, ok := s.String(); return v, ok }), []any{"x"}},
		"Integer": {read(func(s *strict.Scanner) (any, bool) { v, ok := s.Integer(); return v, ok }), []any{int64(7)}},
		"Bool":    {read(func(s *strict.Scanner) (any, bool) { v, ok := s.Bool(); return v, ok }), []any{true, false}},
	} {
		if !reflect.DeepEqual(c.got, c.want) {
			t.Errorf("%s: got %v, want %v", name, c.got, c.want)
		}
	}
}

// Leaving a loop, or not reading what it offers, is a mistake that ends the text.
func TestLoopsAreWalkedToTheirEnd(t *testing.T) {
	s := strict.Scan(`{"a":1}`)
	for range s.Members() {
		break
	}
	if err := s.End(); !errors.Is(err, strict.ErrSyntax) {
		t.Errorf("left an object: %v", err)
	}
	s = strict.Scan(`[1]`)
	for range s.Elements() {
		break
	}
	if err := s.End(); !errors.Is(err, strict.ErrSyntax) {
		t.Errorf("left an array: %v", err)
	}
	for _, text := range []string{"", "1", `["a"]`, `["a":1}`, `"a"`} {
		s = strict.Scan(text)
		for range s.Members() {
			s.Skip()
		}
		if err := s.End(); !errors.Is(err, strict.ErrSyntax) {
			t.Errorf("walked %q as an object: %v", text, err)
		}
	}
	s = strict.Scan(`{"a":1}`)
	for range s.Elements() {
		s.Skip()
	}
	if err := s.End(); !errors.Is(err, strict.ErrSyntax) {
		t.Errorf("walked an object as an array: %v", err)
	}
	s = strict.Scan(`"\x" 1`)
	if s.Skip(); s.Peek() != 0 {
		t.Error("goes on after a mistake")
	}
	s = strict.Scan(`{"a":1}`)
	for range s.Members() {
	}
	if err := s.End(); !errors.Is(err, strict.ErrSyntax) {
		t.Errorf("did not read a member: %v", err)
	}
}

// Raw hands out a value to be read on its own, whose names are its own business.
func TestRaw(t *testing.T) {
	s := strict.Scan(`[ {"a":1,"a":{"b":2,"b":3}} , "x" ,{"c":1,"c":2}]`)
	var got []string
	for i := range s.Elements() {
		if i == 2 {
			s.Skip()
			continue
		}
		got = append(got, s.Raw())
	}
	if want := []string{`{"a":1,"a":{"b":2,"b":3}}`, `"x"`}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q", got)
	}
	if err := s.End(); !errors.Is(err, strict.ErrDuplicate) {
		t.Errorf("after Raw, names may repeat: %v", err)
	}
	s = strict.Scan(`{"a":}`)
	if raw := s.Raw(); raw != "" {
		t.Errorf("raw of a broken value: %q", raw)
	}
}

// FuzzJSON: what is accepted here, encoding/json reads the same, and it is UTF-8; what encoding/json refuses, is refused here.
func FuzzJSON(f *testing.F) {
	for _, seed := range []string{
		`{}`, `[]`, `{"a":[1,-2.5e+3,"x\u00e9\ud83d\ude00\/"],"b":{"c":null,"d":true}}`, `{"a":1,"a":2}`, `"\ud800"`, "\"\xff\"", `01`, `1.`, ` [ ] `, `[1,]`, `{"a":1}x`, `9223372036854775808`, `"`, `\`, `[[[[]]]]`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s := strict.Scan(text)
		got := value(&s)
		if s.End() != nil {
			return
		}
		if !utf8.ValidString(text) {
			t.Fatal("accepted what is not UTF-8")
		}
		d := json.NewDecoder(bytes.NewReader([]byte(text)))
		d.UseNumber()
		var want any
		if err := d.Decode(&want); err != nil {
			t.Fatalf("accepted, but encoding/json says %v", err)
		}
		if !reflect.DeepEqual(numbers(got), numbers(want)) {
			t.Fatalf("got %#v, encoding/json %#v", got, want)
		}
	})
}

// numbers brings both readers' numbers into one form.
func numbers(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			v[name] = numbers(member)
		}
	case []any:
		for i := range v {
			v[i] = numbers(v[i])
		}
	case json.Number:
		if n, err := v.Int64(); err == nil && v[0] != '-' {
			return n
		}
	}
	return v
}
