package sam

// This file reads properties strictly: each must be asked for or set aside by name, and whatever is left at the end is an error.

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// properties reads one map. The first error sticks; done reports it, or the first property that nobody asked for.
type properties struct {
	t      *template
	place  string // "resource Api"
	path   string // "Auth.Authorizers.Session."
	fields map[string]any
	asked  map[string]bool
	err    *error
}

func (t *template) reader(place string, v any) *properties {
	p := &properties{t: t, place: place, asked: map[string]bool{}, err: new(error)}
	fields, ok := v.(map[string]any)
	if !ok && v != nil {
		p.fail("", errors.New("not a map"))
	}
	p.fields = fields
	return p
}

func (t *template) properties(id string) *properties {
	return t.reader("resource "+t.path+id, t.resources[id].properties)
}

// fail keeps the first error, with its place.
func (p *properties) fail(name string, err error) {
	if err == nil || *p.err != nil {
		return
	}
	path := strings.TrimSuffix(p.path+name, ".")
	if path == "" {
		*p.err = fmt.Errorf("%s: %w", p.place, err)
		return
	}
	var inner placed
	if errors.As(err, &inner) {
		path, err = path+"."+inner.path, inner.err
	}
	*p.err = fmt.Errorf("%s: %s: %w", p.place, path, err)
}

func (p *properties) done() error {
	for _, name := range slices.Sorted(maps.Keys(p.fields)) {
		if !p.asked[name] {
			p.fail(name, errors.New("this property is not modelled"))
		}
	}
	return *p.err
}

// aside names properties that change nothing locally. Their values are not looked at.
func (p *properties) aside(names ...string) {
	for _, name := range names {
		p.asked[name] = true
	}
}

// get is the resolved value of a property, nil when it is absent.
func (p *properties) get(name string) any {
	p.asked[name] = true
	raw, ok := p.fields[name]
	if !ok {
		return nil
	}
	value, err := p.t.resolve(raw)
	if err != nil {
		p.fail(name, err)
		return nil
	}
	if value == (noValue{}) {
		return nil
	}
	return value
}

func (p *properties) text(name string) string {
	switch v := p.get(name).(type) {
	case nil:
		return ""
	case string:
		return v
	}
	p.fail(name, errors.New("not a text"))
	return ""
}

// need is a text that must be there.
func (p *properties) need(name string) string {
	s := p.text(name)
	if s == "" {
		p.fail(name, errors.New("missing"))
	}
	return s
}

// is wants a property to have the one value that is modelled.
func (p *properties) is(name, want string) {
	if got := p.text(name); got != want {
		p.fail(name, fmt.Errorf("%q is not modelled, only %s", got, want))
	}
}

func (p *properties) texts(name string) []string {
	v := p.get(name)
	if v == nil {
		return nil
	}
	list, ok := texts(v)
	if !ok {
		p.fail(name, errors.New("not a list of texts"))
	}
	return list
}

func (p *properties) integer(name string) (int, bool) {
	s := p.text(name)
	if s == "" {
		return 0, false
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		p.fail(name, fmt.Errorf("%q is not a whole number", s))
	}
	return n, err == nil
}

func (p *properties) boolean(name string, otherwise bool) bool {
	switch s := p.text(name); s {
	case "":
		return otherwise
	case "true", "false":
		return s == "true"
	default:
		p.fail(name, fmt.Errorf("%q is neither true nor false", s))
		return false
	}
}

func (p *properties) seconds(name string, otherwise time.Duration) time.Duration {
	if n, ok := p.integer(name); ok {
		return time.Duration(n) * time.Second
	}
	return otherwise
}

// textMap is a map of texts, such as environment variables.
func (p *properties) textMap(name string) map[string]string {
	sub := p.sub(name)
	out := make(map[string]string, len(sub.fields))
	for key := range sub.fields {
		v, ok := sub.get(key).(string)
		if !ok {
			sub.fail(key, errors.New("not a text"))
		}
		out[key] = v
	}
	return out
}

// sub reads a map inside this one. An absent map reads as an empty one. The caller ends it with done, or reads it whole.
func (p *properties) sub(name string) *properties {
	v := p.fields[name]
	if _, calls := intrinsic(v); calls {
		v = p.get(name)
	}
	p.asked[name] = true
	fields, ok := v.(map[string]any)
	if !ok && v != nil {
		p.fail(name, errors.New("not a map"))
	}
	fields = p.t.present(fields)
	return &properties{t: p.t, place: p.place, path: p.path + name + ".", fields: fields, asked: map[string]bool{}, err: p.err}
}

// present leaves out the members that are AWS::NoValue. It resolves none of the others: whoever asks for one does, and nobody may.
func (t *template) present(fields map[string]any) map[string]any {
	out := make(map[string]any, len(fields))
	for name, v := range fields {
		if _, calls := intrinsic(v); calls {
			if value, err := t.resolve(v); err == nil && value == (noValue{}) {
				continue
			}
		}
		out[name] = v
	}
	return out
}

// each reads every map of a map of maps, in order of their names.
func (p *properties) each(name string, read func(key string, p *properties)) {
	sub := p.sub(name)
	for _, key := range slices.Sorted(maps.Keys(sub.fields)) {
		one := sub.sub(key)
		read(key, one)
		_ = one.done() // sticks in the shared error
	}
}
