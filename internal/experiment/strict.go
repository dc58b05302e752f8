package experiment

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"cosim/internal/spelling"
)

// checkShape compares a YAML value with the Go type it will be decoded into
// and reports every unknown key, wrong type and wrong unit, each with line and
// column. yaml.v3 alone stops at the first kind of error and knows no columns.
func checkShape(file string, n *yaml.Node, t reflect.Type) Mistakes {
	c := shape{file: file}
	c.value(n, t, "")
	return c.mistakes
}

type shape struct {
	file     string
	mistakes Mistakes
}

func (c *shape) fault(n *yaml.Node, format string, args ...any) {
	c.mistakes = append(c.mistakes, &Mistake{Position{c.file, n.Line, n.Column}, strings.TrimPrefix(fmt.Sprintf(format, args...), ": ")})
}

var (
	durationType    = reflect.TypeFor[time.Duration]()
	nodeType        = reflect.TypeFor[yaml.Node]()
	unmarshalerType = reflect.TypeFor[interface{ UnmarshalText([]byte) error }]()
)

func (c *shape) value(n *yaml.Node, t reflect.Type, key string) {
	optional := t.Kind() == reflect.Pointer
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case n.Tag == "!!null":
		if !optional {
			c.fault(n, "%s: no value; give it one, or leave the key out", key)
		}
	case t.Kind() == reflect.Interface, t == nodeType: // anything: a parameter of another program, what the caller reads
	case t == durationType:
		c.duration(n, key)
	case reflect.PointerTo(t).Implements(unmarshalerType):
		c.text(n, t, key)
	case t.Kind() == reflect.Struct:
		c.mapping(n, t, key)
	case t.Kind() == reflect.Map:
		if n.Kind != yaml.MappingNode {
			c.fault(n, "%s: found %s, expected keys and values", key, describe(n))
			return
		}
		c.keys(n)
		for i := 0; i+1 < len(n.Content); i += 2 {
			c.value(n.Content[i+1], t.Elem(), n.Content[i].Value)
		}
	case t.Kind() == reflect.Slice:
		if n.Kind != yaml.SequenceNode {
			c.fault(n, "%s: found %s, expected a list", key, describe(n))
			return
		}
		for _, e := range repeated(n) {
			c.fault(e, "%s: %q stands twice", key, nameIn(e))
		}
		for _, e := range n.Content {
			c.value(e, t.Elem(), key)
		}
	case t.Kind() == reflect.Array:
		if n.Kind != yaml.SequenceNode {
			c.fault(n, "%s: found %s, expected a list of %d", key, describe(n), t.Len())
			return
		}
		if len(n.Content) != t.Len() {
			c.fault(n, "%s: found a list of %d, expected one of %d", key, len(n.Content), t.Len())
			return
		}
		for _, e := range n.Content {
			c.value(e, t.Elem(), key)
		}
	default:
		c.scalar(n, t, key)
	}
}

func (c *shape) mapping(n *yaml.Node, t reflect.Type, key string) {
	if n.Kind != yaml.MappingNode {
		c.fault(n, "%s: found %s, expected keys such as %s", key, describe(n), strings.Join(keysOf(t)[:min(3, len(keysOf(t)))], ", "))
		return
	}
	c.keys(n)
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if k.Kind != yaml.ScalarNode {
			continue
		}
		f, ok := fieldFor(t, k.Value)
		if !ok {
			c.fault(k, "unknown key %q%s", k.Value, suggest(k.Value, keysOf(t)))
			continue
		}
		c.value(v, f.Type, k.Value)
	}
}

// repeated are the things of a list whose id or name an earlier one has: the
// layers could not tell them apart.
func repeated(n *yaml.Node) []*yaml.Node {
	var again []*yaml.Node
	seen := map[string]bool{}
	for _, e := range n.Content {
		if name := nameIn(e); name != "" {
			if seen[name] {
				again = append(again, e)
			}
			seen[name] = true
		}
	}
	return again
}

// keys checks that a group's keys are words and differ.
func (c *shape) keys(n *yaml.Node) {
	seen := map[string]bool{}
	for i := 0; i < len(n.Content); i += 2 {
		switch k := n.Content[i]; {
		case k.Kind != yaml.ScalarNode:
			c.fault(k, "found %s as a key, expected a word", describe(k))
		case seen[k.Value]:
			c.fault(k, "key %q stands twice", k.Value)
		default:
			seen[k.Value] = true
		}
	}
}

func (c *shape) duration(n *yaml.Node, key string) {
	d, err := time.ParseDuration(n.Value)
	switch {
	case n.Kind != yaml.ScalarNode || err != nil:
		c.fault(n, "%s: found %s, expected a duration with its unit, such as 300ms, 2s or 10m", key, describe(n))
	case d < 0:
		c.fault(n, "%s: found %s, expected a duration that is not negative", key, n.Value)
	}
}

func (c *shape) text(n *yaml.Node, t reflect.Type, key string) {
	if n.Kind != yaml.ScalarNode {
		c.fault(n, "%s: found %s, expected one word", key, describe(n))
		return
	}
	v := reflect.New(t).Interface().(interface{ UnmarshalText([]byte) error })
	if err := v.UnmarshalText([]byte(n.Value)); err != nil {
		c.fault(n, "%s: %v", key, err)
	}
}

func (c *shape) scalar(n *yaml.Node, t reflect.Type, key string) {
	if n.Kind != yaml.ScalarNode {
		c.fault(n, "%s: found %s, expected %s", key, describe(n), expectation(t, key))
		return
	}
	var ok bool
	switch t.Kind() {
	case reflect.String:
		ok = true
	case reflect.Bool:
		ok = n.Tag == "!!bool"
	case reflect.Float64, reflect.Float32:
		x, err := parseNumber(n)
		ok = err == nil && !math.IsNaN(x) && !math.IsInf(x, 0)
	default:
		x, err := parseNumber(n)
		ok = err == nil && x == math.Trunc(x)
	}
	if !ok || n.Decode(reflect.New(t).Interface()) != nil {
		c.fault(n, "%s: found %s, expected %s", key, describe(n), expectation(t, key))
	}
}

func parseNumber(n *yaml.Node) (float64, error) {
	if n.Tag != "!!int" && n.Tag != "!!float" {
		return 0, fmt.Errorf("%q is not a number", n.Value)
	}
	var x float64
	err := n.Decode(&x)
	return x, err
}

// expectation says what a key wants; the unit is the end of its name.
func expectation(t reflect.Type, key string) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "a word"
	case reflect.Float64, reflect.Float32:
		if u := unitOf(key); u != "" {
			return "a plain number in " + u
		}
		return "a plain number"
	}
	whole := "a whole number"
	if t.Kind() >= reflect.Uint && t.Kind() <= reflect.Uint64 {
		whole = "a whole number from 0 on"
	}
	if u := unitOf(key); u != "" {
		return whole + " in " + u
	}
	return whole
}

// unitSuffixes in the order in which they are tried: longer ones first.
var unitSuffixes = []struct{ suffix, unit string }{
	{"_db_per_km", "dB/km"},
	{"_mw_per_hz", "MW/Hz"},
	{"_bps", "bit/s"},
	{"_bits", "bit"},
	{"_bytes", "bytes"},
	{"_hz", "Hz"},
	{"_km", "km"},
	{"_mw", "MW"},
	{"_pu", "p.u."},
	{"_db", "dB"},
	{"_ns", "ns"},
	{"_ms", "ms"},
	{"_s", "s"},
}

func unitOf(key string) string {
	for _, u := range unitSuffixes {
		if strings.HasSuffix(key, u.suffix) {
			return u.unit
		}
	}
	return ""
}

func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a group of keys"
	case yaml.SequenceNode:
		return "a list"
	}
	return strconv.Quote(n.Value)
}

// fieldFor finds the struct field that yaml.v3 would fill from key.
func fieldFor(t reflect.Type, key string) (reflect.StructField, bool) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, inline := fieldKey(f)
		if inline {
			if g, ok := fieldFor(f.Type, key); ok {
				return g, true
			}
			continue
		}
		if name == key {
			return f, true
		}
	}
	return reflect.StructField{}, false
}

func keysOf(t reflect.Type) []string {
	var keys []string
	for i := range t.NumField() {
		name, inline := fieldKey(t.Field(i))
		if inline {
			keys = append(keys, keysOf(t.Field(i).Type)...)
		} else if name != "" {
			keys = append(keys, name)
		}
	}
	return keys
}

func fieldKey(f reflect.StructField) (name string, inline bool) {
	if !f.IsExported() {
		return "", false
	}
	name, opts, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	if strings.Contains(opts, "inline") {
		return "", true
	}
	switch name {
	case "-":
		return "", false
	case "":
		return strings.ToLower(f.Name), false
	}
	return name, false
}

// suggest names the nearest of the valid keys, or all of them if few.
func suggest(word string, valid []string) string {
	best, near := spelling.Nearest(word, valid)
	switch {
	case near:
		return fmt.Sprintf("; did you mean %q?", best)
	case len(valid) > 0 && len(valid) <= 12:
		return "; expected one of " + strings.Join(valid, ", ")
	}
	return ""
}
