package identity

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"testing"
)

// schema is the part of JSON Schema that schema.json makes use of.
type schema struct {
	Schema, ID, Title, Description, Type, Pattern string
	Const                                         any
	Enum                                          []any
	MinLength                                     int
	Minimum                                       float64
	Required                                      []string
	AdditionalProperties                          *bool
	Properties                                    map[string]*schema
	Items                                         *schema
	Defs                                          map[string]*schema `json:"$defs"`
}

// check returns what is wrong with v.
func (s *schema) check(at string, v any) (wrong []string) {
	fail := func(format string, args ...any) { wrong = append(wrong, at+": "+fmt.Sprintf(format, args...)) }
	if s.Const != nil && !reflect.DeepEqual(v, s.Const) {
		fail("is %v", v)
	}
	if s.Enum != nil && !slices.Contains(s.Enum, v) {
		fail("is %v", v)
	}
	switch v := v.(type) {
	case string:
		if s.Type != "" && s.Type != "string" || len(v) < s.MinLength || !regexp.MustCompile(s.Pattern).MatchString(v) {
			fail("is %q", v)
		}
	case float64:
		if s.Type != "integer" || v != float64(int64(v)) || v < s.Minimum {
			fail("is %v", v)
		}
	case []any:
		if s.Type != "array" {
			fail("is a list")
			return wrong
		}
		for _, e := range v {
			wrong = append(wrong, s.Items.check(at+"[]", e)...)
		}
	case map[string]any:
		if s.Type != "object" {
			fail("is an object")
			return wrong
		}
		for _, name := range s.Required {
			if _, ok := v[name]; !ok {
				fail("lacks %s", name)
			}
		}
		for name, value := range v {
			switch p := s.Properties[name]; {
			case p != nil:
				wrong = append(wrong, p.check(at+"."+name, value)...)
			case s.Properties != nil:
				fail("has %s, which the schema does not know", name)
			}
		}
	default:
		fail("is %v", v)
	}
	return wrong
}

// TestSchema holds the written contract against what is written.
func TestSchema(t *testing.T) {
	text, err := os.ReadFile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var s schema
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	for _, id := range []Identity{user, machine} {
		handed := handedOn(t, id, `{"custom:plan":"gold"}`)
		for _, wrong := range s.check("context", any(handed)) {
			t.Error(wrong)
		}
		for name := range handed {
			if s.Properties[name] == nil {
				t.Errorf("the schema does not know %s", name)
			}
		}
		whole, err := base64.RawURLEncoding.DecodeString(handed["identity"].(string))
		if err != nil {
			t.Fatal(err)
		}
		var v any
		if err := json.Unmarshal(whole, &v); err != nil {
			t.Fatal(err)
		}
		for _, wrong := range s.Defs["identity"].check("identity", v) {
			t.Error(wrong)
		}
	}
	for _, name := range s.Required {
		less := handedOn(t, user, "{}")
		delete(less, name)
		if len(s.check("context", any(less))) == 0 {
			t.Errorf("the schema does not miss %s", name)
		}
		if _, err := FromContext(less); err == nil {
			t.Errorf("the schema requires %s, FromContext does not", name)
		}
	}
}

// TestAnonymous: a request that anyone may make has every key of a caller's, and is none's; a
// reader of callers alone refuses it.
func TestAnonymous(t *testing.T) {
	text, err := os.ReadFile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var s schema
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	var handed map[string]any
	if err := json.Unmarshal(append(AppendAnonymous([]byte("{")), '}'), &handed); err != nil {
		t.Fatal(err)
	}
	for _, wrong := range s.Defs["anonymous"].check("context", any(handed)) {
		t.Error(wrong)
	}
	if len(s.check("context", any(handed))) == 0 {
		t.Error("it is taken for a caller's")
	}
	for name := range handedOn(t, user, "{}") {
		if _, there := handed[name]; !there {
			t.Errorf("there is no %s", name)
		}
	}
	if _, err := FromContext(handed); !errors.Is(err, ErrAnonymous) || errors.Is(err, ErrNone) {
		t.Errorf("%v, want %v", err, ErrAnonymous)
	}
	for key, value := range map[string]any{"v": "2", "anonymous": "false"} {
		other := maps.Clone(handed)
		other[key] = value
		if _, err := FromContext(other); !errors.Is(err, ErrNone) {
			t.Errorf("%s %v: %v, want %v", key, value, err, ErrNone)
		}
	}
	caller := handedOn(t, user, "{}")
	caller["anonymous"] = "true"
	if id, err := FromContext(caller); !errors.Is(err, ErrAnonymous) || id.Subject != "" {
		t.Errorf("anonymous and a caller at once: %v, %v", id, err)
	}
}
