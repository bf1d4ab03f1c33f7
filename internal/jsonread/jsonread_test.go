package jsonread_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"edgeauth/internal/jsonread"
)

func read(text string) jsonread.Reader { return jsonread.New([]byte(text)) }

// value reads a whole text into the types of encoding/json, integers as int64.
func value(s *jsonread.Reader) any {
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
		again := jsonread.New(raw)
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
		{`"\u00AA\u00aa\u00FF\u00ff\u0099"`, "ªªÿÿ\u0099"},
		{`"\uFFFD\ufffe\u0000"`, "\ufffd\ufffe\x00"},
		{`{"\u0061b":1,"a":2,"":3}`, map[string]any{"ab": int64(1), "a": int64(2), "": int64(3)}},
		{`[0,9223372036854775807,9223372036854775808,-1,-0,1.0,1e2,10E-2,0.5e+1]`, []any{int64(0), int64(9223372036854775807), json.Number("9223372036854775808"), json.Number("-1"), json.Number("-0"), json.Number("1.0"), json.Number("1e2"), json.Number("10E-2"), json.Number("0.5e+1")}},
		{nest("[", "", "]", 32), "deep"},
		{"[" + strings.Repeat(`{"a":[]},`, 40) + "[]]", "wide"},
		{"\"\ufffd\"", "\ufffd"},

		{``, jsonread.ErrSyntax},
		{` `, jsonread.ErrSyntax},
		{`{`, jsonread.ErrSyntax},
		{`[`, jsonread.ErrSyntax},
		{`}`, jsonread.ErrSyntax},
		{`{"a"}`, jsonread.ErrSyntax},
		{`{"a":}`, jsonread.ErrSyntax},
		{`{"a":1,}`, jsonread.ErrSyntax},
		{`{,}`, jsonread.ErrSyntax},
		{`[1,]`, jsonread.ErrSyntax},
		{`[,]`, jsonread.ErrSyntax},
		{`[1 2]`, jsonread.ErrSyntax},
		{`{"a":1 "b":2}`, jsonread.ErrSyntax},
		{`{a:1}`, jsonread.ErrSyntax},
		{`{a":1}`, jsonread.ErrSyntax},
		{`{1"a":1}`, jsonread.ErrSyntax},
		{`[1}`, jsonread.ErrSyntax},
		{`{"a":1]`, jsonread.ErrSyntax},
		{`{"a" 1}`, jsonread.ErrSyntax},
		{`{"a"=1}`, jsonread.ErrSyntax},
		{`[` + "\u00a0" + `1]`, jsonread.ErrSyntax},
		{`tru`, jsonread.ErrSyntax},
		{`nul`, jsonread.ErrSyntax},
		{`fals`, jsonread.ErrSyntax},
		{`nulx`, jsonread.ErrSyntax},
		{`truE`, jsonread.ErrSyntax},
		{`falsy`, jsonread.ErrSyntax},
		{`True`, jsonread.ErrSyntax},
		{`NaN`, jsonread.ErrSyntax},
		{`+1`, jsonread.ErrSyntax},
		{`-`, jsonread.ErrSyntax},
		{`.5`, jsonread.ErrSyntax},
		{`1.`, jsonread.ErrSyntax},
		{`1e`, jsonread.ErrSyntax},
		{`1e+`, jsonread.ErrSyntax},
		{`-a`, jsonread.ErrSyntax},
		{`"`, jsonread.ErrSyntax},
		{`"abc`, jsonread.ErrSyntax},
		{`01`, jsonread.ErrTrailing},
		{`-01`, jsonread.ErrTrailing},
		{`{}{}`, jsonread.ErrTrailing},
		{`{} x`, jsonread.ErrTrailing},
		{"{}\x00", jsonread.ErrTrailing},
		{`truex`, jsonread.ErrTrailing},
		{`1 1`, jsonread.ErrTrailing},
		{`"\x"`, jsonread.ErrText},
		{`"\`, jsonread.ErrText},
		{`"\u123"`, jsonread.ErrText},
		{`"\u12G4"`, jsonread.ErrText},
		{`"\U0041"`, jsonread.ErrText},
		{`"\ud800"`, jsonread.ErrText},
		{`"\udc00"`, jsonread.ErrText},
		{`"\ud800\ud800"`, jsonread.ErrText},
		{`"\udc00\ud800"`, jsonread.ErrText},
		{`"\ud800\n"`, jsonread.ErrText},
		{`"\ud800A"`, jsonread.ErrText},
		{`"\ud800\u0041"`, jsonread.ErrText},
		{`"\ud800xudc00"`, jsonread.ErrText},
		{"\"\x1f\"", jsonread.ErrText},
		{"\"\n\"", jsonread.ErrText},
		{"\"\x00\"", jsonread.ErrText},
		{"\"\xff\"", jsonread.ErrText},
		{"\"\xc0\xaf\"", jsonread.ErrText},
		{"\"\xed\xa0\x80\"", jsonread.ErrText},
		{"\"\xe2\x82\"", jsonread.ErrText},
		{"{\"\xff\":1}", jsonread.ErrText},
		{`{"a":1,"a":1}`, jsonread.ErrDuplicate},
		{`{"a":1,"\u0061":1}`, jsonread.ErrDuplicate},
		{`[{"b":{"a":1,"c":2,"a":3}}]`, jsonread.ErrDuplicate},
		{`{"":1,"":1}`, jsonread.ErrDuplicate},
		{nest("[", "", "]", 33), jsonread.ErrDepth},
		{nest(`{"a":`, "1", "}", 33), jsonread.ErrDepth},
		{nest("[", "", "", 100000), jsonread.ErrDepth},
	} {
		s := read(c.text)
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
		skipped := read(c.text)
		skipped.Skip()
		if again := skipped.End(); !errors.Is(again, err) {
			t.Errorf("%.60q: skipped: %v, read: %v", c.text, again, err)
		}
	}
}

// Eight bytes are looked at together: what is not ordinary is found at every place among them.
func TestFaultsAreFoundAnywhere(t *testing.T) {
	for at := range 20 {
		for fault, c := range map[string]struct {
			want string
			err  error
		}{
			"\x1f": {"", jsonread.ErrText}, "\x00": {"", jsonread.ErrText}, "\xff": {"", jsonread.ErrText}, "\xc3(": {"", jsonread.ErrText},
			`\n`: {"\n", nil}, "é": {"é", nil}, "\x7f": {"\x7f", nil}, " ": {" ", nil}, `"`: {"", jsonread.ErrTrailing}, "😀": {"😀", nil},
		} {
			before, after := strings.Repeat("x", at), strings.Repeat("y", 20-at)
			r := read(`"` + before + fault + after + `"`)
			got, _ := r.String()
			if err := r.End(); !errors.Is(err, c.err) || err == nil && got != before+c.want+after {
				t.Errorf("%q at %d: %q, %v", fault, at, got, err)
			}
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
			s := read("{" + b.String() + `"` + strings.Repeat("x", i) + `":0}`)
			s.Skip()
			if err := s.End(); !errors.Is(err, jsonread.ErrDuplicate) {
				t.Fatalf("name %d of %d again: %v", i, n, err)
			}
		}
		s := read("{" + b.String() + `"y":0}`)
		s.Skip()
		if err := s.End(); err != nil {
			t.Fatalf("%d names: %v", n, err)
		}
	}
}

// A reader of one type passes over a good value of another, and goes on.
func TestAnotherTypeIsPassedOver(t *testing.T) {
	const values = `[{"a":[1]},["x"],"x",7,-7,1.5,true,false,null]`
	readAll := func(reader func(s *jsonread.Reader) (any, bool)) (got []any) {
		s := read(values)
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
		"String":  {readAll(func(s *jsonread.Reader) (any, bool) { v, ok := s.String(); return v, ok }), []any{"x"}},
		"Integer": {readAll(func(s *jsonread.Reader) (any, bool) { v, ok := s.Integer(); return v, ok }), []any{int64(7)}},
		"Bool":    {readAll(func(s *jsonread.Reader) (any, bool) { v, ok := s.Bool(); return v, ok }), []any{true, false}},
	} {
		if !reflect.DeepEqual(c.got, c.want) {
			t.Errorf("%s: got %v, want %v", name, c.got, c.want)
		}
	}
}

// Leaving a loop, or not reading what it offers, is a mistake that ends the text.
func TestLoopsAreWalkedToTheirEnd(t *testing.T) {
	s := read(`{"a":1}`)
	for range s.Members() {
		break
	}
	if err := s.End(); !errors.Is(err, jsonread.ErrSyntax) {
		t.Errorf("left an object: %v", err)
	}
	s = read(`[1]`)
	for range s.Elements() {
		break
	}
	if err := s.End(); !errors.Is(err, jsonread.ErrSyntax) {
		t.Errorf("left an array: %v", err)
	}
	for _, text := range []string{"", "1", `["a"]`, `["a":1}`, `"a"`} {
		s = read(text)
		for range s.Members() {
			s.Skip()
		}
		if err := s.End(); !errors.Is(err, jsonread.ErrSyntax) {
			t.Errorf("walked %q as an object: %v", text, err)
		}
	}
	s = read(`{"a":1}`)
	for range s.Elements() {
		s.Skip()
	}
	if err := s.End(); !errors.Is(err, jsonread.ErrSyntax) {
		t.Errorf("walked an object as an array: %v", err)
	}
	s = read(`"\x" 1`)
	if s.Skip(); s.Peek() != 0 {
		t.Error("goes on after a mistake")
	}
	s = read(`{"a":1}`)
	for range s.Members() {
	}
	if err := s.End(); !errors.Is(err, jsonread.ErrSyntax) {
		t.Errorf("did not read a member: %v", err)
	}
}

// Raw hands out a value to be read on its own, whose names are its own business.
func TestRaw(t *testing.T) {
	s := read(`[ {"a":1,"a":{"b":2,"b":3}} , "x" ,{"c":1,"c":2}]`)
	var got []string
	for i := range s.Elements() {
		if i == 2 {
			s.Skip()
			continue
		}
		got = append(got, string(s.Raw()))
	}
	if want := []string{`{"a":1,"a":{"b":2,"b":3}}`, `"x"`}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q", got)
	}
	if err := s.End(); !errors.Is(err, jsonread.ErrDuplicate) {
		t.Errorf("after Raw, names may repeat: %v", err)
	}
	s = read(`{"a":}`)
	if raw := s.Raw(); raw != nil {
		t.Errorf("raw of a broken value: %q", raw)
	}
}

// FuzzJSON: what is accepted here, encoding/json reads the same, and it is UTF-8; what
// encoding/json refuses, is refused here.
func FuzzJSON(f *testing.F) {
	for _, seed := range []string{
		`{}`, `[]`, `{"a":[1,-2.5e+3,"x\u00e9\ud83d\ude00\/"],"b":{"c":null,"d":true}}`, `{"a":1,"a":2}`, `"\ud800"`, "\"\xff\"", `01`, `1.`, ` [ ] `, `[1,]`, `{"a":1}x`, `9223372036854775808`, `"`, `\`, `[[[[]]]]`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s := read(text)
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

// FuzzRepeating holds a Reader that lets names repeat against encoding/json: what it accepts is
// JSON and says the same, and it refuses no JSON but what is stated here.
func FuzzRepeating(f *testing.F) {
	for _, text := range []string{
		`{}`, `[]`, `""`, `0`, `-0.5e+10`, `true`, `null`, ` {"a":[1,2,{"b":"c\u00e9\n"}],"d":"é"} `, `{"a":1,}`, `[1,]`, `[,1]`, `{"a"}`, `{"a":}`, `01`, `1.`, `.5`, `1e`, `+1`,
		`"\ud83d\ude00"`, `"\ud83d"`, `"\ude00\ud83d"`, `"\x"`, `"\u12g4"`, "\"\x00\"", "\"\xff\"", `"abcdefgh\"ijklmnop"`, `"aaaaaaa\\"`, `nul`, `tru`, `"`, `"abc`, `{"a" 1}`, `1 2`, "\ufeff{}",
		`{"a":1,"a":2}`, `{"a":{"b":1,"b":2}}`, `{"a"=1}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		r := jsonread.NewRepeating(text)
		raw := r.Raw()
		err := r.End()
		halfPair := bytes.Contains(bytes.ToLower(text), []byte(`\ud`)) // encoding/json mends it
		if valid := json.Valid(text); err == nil && !valid || err != nil && valid && utf8.Valid(text) && !halfPair && !errors.Is(err, jsonread.ErrDepth) {
			t.Fatalf("%v, encoding/json: %v", err, valid)
		}
		if err == nil && !bytes.Equal(raw, bytes.Trim(text, " \t\r\n")) {
			t.Fatalf("%q was read as %q", text, raw)
		}
		again := jsonread.NewRepeating(text)
		got := value(&again)
		if !errors.Is(again.End(), err) {
			t.Fatalf("skipping and reading disagree about %q", text)
		}
		if err != nil {
			return
		}
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		var want any
		if err := d.Decode(&want); err != nil || !reflect.DeepEqual(numbers(got), numbers(want)) {
			t.Fatalf("%q was read as %#v, want %#v", text, got, want)
		}
	})
}

// TestNull: null is refused where an object, an array or a value of one type is wanted, but whoever
// asks for it first may take it for an absent one.
func TestNull(t *testing.T) {
	for name, c := range map[string]struct {
		read func(r *jsonread.Reader) bool // whether it says that there is a value
		want error
	}{
		"an object": {func(r *jsonread.Reader) bool {
			for range r.Members() {
				r.Skip()
			}
			return false
		}, jsonread.ErrSyntax},
		"an array": {func(r *jsonread.Reader) bool {
			for range r.Elements() {
				r.Skip()
			}
			return false
		}, jsonread.ErrSyntax},
		"a string":          {func(r *jsonread.Reader) bool { _, ok := r.String(); return ok }, nil},
		"an integer":        {func(r *jsonread.Reader) bool { _, ok := r.Integer(); return ok }, nil},
		"a truth":           {func(r *jsonread.Reader) bool { _, ok := r.Bool(); return ok }, nil},
		"who asks for null": {func(r *jsonread.Reader) bool { return !r.Null() }, nil},
	} {
		r := read("[ null ]")
		for range r.Elements() {
			if c.read(&r) {
				t.Errorf("%s: null is one", name)
			}
		}
		if err := r.End(); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	for _, text := range []string{`"null"`, `true`, `1`, `[null]`, `{}`, ``} {
		r := read(text)
		if r.Null() {
			t.Errorf("%s is null", text)
		}
		if r.Skip(); text != "" && r.End() != nil {
			t.Errorf("%s: asking takes something away: %v", text, r.End())
		}
	}
	for _, text := range []string{`nul`, `nil`, `NULL`} {
		if r := read(text); r.Null() {
			t.Errorf("%s is null", text)
		}
	}
}

// TestFail: the first mistake is the one that is told, and ends the text.
func TestFail(t *testing.T) {
	first, second := errors.New("first"), errors.New("second")
	r := read(`{"a":1,"b":2}`)
	n := 0
	for range r.Members() {
		n++
		r.Fail(first)
		r.Fail(second)
		r.Skip()
	}
	if err := r.End(); n != 1 || err != first {
		t.Errorf("%d members, %v", n, err)
	}
}
