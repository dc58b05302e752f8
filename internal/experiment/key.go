package experiment

import (
	"fmt"
	"path"
	"reflect"
	"strings"

	"gopkg.in/yaml.v3"
)

// Value is what a file of another kind gives a key of an experiment. Its
// mistakes are reported where the key and the value stand in that file.
type Value struct {
	Key  string // "quantum.break_rate_hz", "links.CC-*.length_km"
	At   Position
	Node *yaml.Node
}

// source is a layer that holds nothing but the value.
func (v Value) source() *source {
	root := v.Node
	words := strings.Split(v.Key, ".")
	for i := len(words) - 1; i >= 0; i-- {
		root = &yaml.Node{
			Kind: yaml.MappingNode, Tag: "!!map", Line: v.At.Line, Column: v.At.Col,
			Content: []*yaml.Node{{Kind: yaml.ScalarNode, Tag: "!!str", Value: words[i], Line: v.At.Line, Column: v.At.Col}, root},
		}
	}
	return &source{file: v.At.File, root: root, byName: true}
}

// Kind is what the values of a key are.
type Kind int

// Kinds of values.
const (
	KindGroup    Kind = iota // a list or a group of keys
	KindWord                 // text
	KindSwitch               // true or false
	KindWhole                // whole numbers
	KindNumber               // numbers
	KindDuration             // durations with their unit
)

// KeyKind tells of a key as Value.Key has it what its values are, and their
// unit, "" if none. The error says of an unknown key what was meant.
func KeyKind(key string) (kind Kind, unit string, err error) {
	t := reflect.TypeFor[Definition]()
	words := strings.Split(key, ".")
	for _, word := range words {
		for t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		switch {
		case t.Kind() == reflect.Interface:
			return KindGroup, "", nil
		case t.Kind() == reflect.Map, t.Kind() == reflect.Slice && nameKey(t) != "":
			t = t.Elem()
		case t.Kind() == reflect.Struct && kindOf(t) == KindGroup:
			f, ok := fieldFor(t, word)
			if !ok || word == "" {
				return 0, "", fmt.Errorf("unknown key %q%s", word, suggest(word, keysOf(t)))
			}
			t = f.Type
		default:
			return 0, "", fmt.Errorf("unknown key %q: nothing stands below %s", word, key[:strings.LastIndex(key, "."+word)])
		}
	}
	if kind = kindOf(t); kind == KindDuration {
		return kind, "s", nil
	}
	return kind, unitOf(words[len(words)-1]), nil
}

func kindOf(t reflect.Type) Kind {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t == durationType:
		return KindDuration
	case reflect.PointerTo(t).Implements(unmarshalerType):
		return KindWord
	}
	switch t.Kind() {
	case reflect.String:
		return KindWord
	case reflect.Bool:
		return KindSwitch
	case reflect.Float64, reflect.Float32:
		return KindNumber
	case reflect.Struct, reflect.Map, reflect.Slice, reflect.Array, reflect.Interface:
		return KindGroup
	}
	return KindWhole
}

// Unit is that of a key's value by the end of its name: "Hz" of
// "delta_f_max_hz"; "" if it says none.
func Unit(key string) string { return unitOf(key) }

// nameKey is the key by which the things of a list are told apart, or "".
func nameKey(list reflect.Type) string {
	thing := list.Elem()
	if thing.Kind() != reflect.Struct {
		return ""
	}
	for _, key := range []string{"id", "name"} {
		if _, ok := fieldFor(thing, key); ok {
			return key
		}
	}
	return ""
}

// nameThings puts, in a layer that names things of lists as keys
// ("links: {CC-*: {length_km: 30}}"), the things of that name below it in
// their place. A * stands for any part of a name.
func (s *source) nameThings(below *yaml.Node) Mistakes {
	n := naming{file: s.file}
	n.walk(s.root, reflect.TypeFor[Definition](), below)
	return n.mistakes
}

type naming struct {
	file     string
	mistakes Mistakes
}

func (n *naming) fault(at *yaml.Node, format string, args ...any) {
	n.mistakes = append(n.mistakes, &Mistake{Position{n.file, at.Line, at.Column}, fmt.Sprintf(format, args...)})
}

func (n *naming) walk(group *yaml.Node, t reflect.Type, below *yaml.Node) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case group.Kind != yaml.MappingNode:
	case t.Kind() == reflect.Slice && nameKey(t) != "":
		n.things(group, nameKey(t), below)
	case t.Kind() == reflect.Struct || t.Kind() == reflect.Map:
		there := map[string]*yaml.Node{}
		if below != nil && below.Kind == yaml.MappingNode {
			there = mapping(below)
		}
		for i := 0; i+1 < len(group.Content); i += 2 {
			key := group.Content[i].Value
			if t.Kind() == reflect.Map {
				n.walk(group.Content[i+1], t.Elem(), there[key])
			} else if f, ok := fieldFor(t, key); ok {
				n.walk(group.Content[i+1], f.Type, there[key])
			}
		}
	}
}

// things turns a group of keys into the list of things that they name.
func (n *naming) things(group *yaml.Node, nameKey string, below *yaml.Node) {
	var names []string
	if below != nil {
		for _, thing := range below.Content {
			names = append(names, nameIn(thing))
		}
	}
	var list []*yaml.Node
	for i := 0; i+1 < len(group.Content); i += 2 {
		pattern, value := group.Content[i], group.Content[i+1]
		if value.Kind != yaml.MappingNode {
			n.fault(value, "%s: found %s, expected a key of it and its value", pattern.Value, describe(value))
			continue
		}
		found := false
		for _, name := range names {
			if ok, _ := path.Match(pattern.Value, name); !ok {
				continue
			}
			found = true
			thing := *value
			key, text := *pattern, *pattern
			key.Value, text.Value = nameKey, name
			thing.Content = append([]*yaml.Node{&key, &text}, value.Content...)
			list = append(list, &thing)
		}
		if !found {
			n.fault(pattern, "nothing there is called %q%s", pattern.Value, suggest(pattern.Value, names))
		}
	}
	group.Kind, group.Tag, group.Content = yaml.SequenceNode, "!!seq", list
}
