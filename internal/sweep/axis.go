package sweep

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"cosim/internal/experiment"
)

// Axis is a key that a sweep varies.
type Axis struct {
	Key  string          `json:"key"`
	Kind experiment.Kind `json:"-"`
	Unit string          `json:"unit,omitempty"` // "" if it has none

	at experiment.Position // of the key
}

// value is one that a key takes.
type value struct {
	node *yaml.Node
	text string // as the tables show it
}

// axis is one direction of the grid: a key, or several that change together.
type axis struct {
	keys   []Axis
	levels [][]value // the values of all keys, by level
	span   *span     // in place of levels: to be drawn from
}

// span is a range of numbers or durations.
type span struct {
	at       *yaml.Node
	kind     experiment.Kind
	from, to float64 // in seconds for durations
	log      bool
}

// rangeNode is a range as it stands in the file.
type rangeNode struct {
	From  yaml.Node `yaml:"from"`
	To    yaml.Node `yaml:"to"`
	Steps *int      `yaml:"steps"`
	Scale string    `yaml:"scale"`
}

func (r *reader) vary(n *yaml.Node) []axis {
	var axes []axis
	r.entries("vary", n, func(key, n *yaml.Node) {
		kind, unit, ok := r.key("vary", key)
		if !ok {
			return
		}
		levels, drawn := r.levels(key.Value, n, kind)
		if levels == nil && drawn == nil {
			return // the mistake is told
		}
		a := axis{keys: []Axis{{key.Value, kind, unit, r.at(key)}}, span: drawn}
		for _, v := range levels {
			a.levels = append(a.levels, []value{v})
		}
		axes = append(axes, a)
	})
	return axes
}

// zip reads keys that change together, or a list of groups of such keys.
func (r *reader) zip(n *yaml.Node) []axis {
	groups := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		groups = n.Content
	}
	var axes []axis
	for _, g := range groups {
		var a axis
		whole := true
		r.entries("zip", g, func(key, n *yaml.Node) {
			kind, unit, ok := r.key("zip", key)
			if !ok {
				whole = false
				return
			}
			levels, drawn := r.levels(key.Value, n, kind)
			switch {
			case drawn != nil:
				r.fault(r.at(n), "%s: expected steps, for its values are paired", key.Value)
			case levels == nil:
			case len(a.keys) > 0 && len(levels) != len(a.levels):
				r.fault(r.at(n), "%s has %d values, %s has %d; expected as many, for they are paired", key.Value, len(levels), a.keys[0].Key, len(a.levels))
			default:
				a.add(Axis{key.Value, kind, unit, r.at(key)}, levels)
				return
			}
			whole = false
		})
		if whole && len(a.keys) > 0 {
			r.distinct(g, a)
			axes = append(axes, a)
		}
	}
	return axes
}

func (a *axis) add(k Axis, levels []value) {
	a.keys = append(a.keys, k)
	if a.levels == nil {
		a.levels = make([][]value, len(levels))
	}
	for i, v := range levels {
		a.levels[i] = append(a.levels[i], v)
	}
}

// distinct refuses pairs that stand twice.
func (r *reader) distinct(g *yaml.Node, a axis) {
	seen := map[string]bool{}
	for _, level := range a.levels {
		key := texts(level)
		if seen[key] {
			r.fault(r.at(g), "zip: %s stands twice", strings.ReplaceAll(key, "\x00", ", "))
			return
		}
		seen[key] = true
	}
}

func texts(values []value) string {
	list := make([]string, len(values))
	for i, v := range values {
		list[i] = v.text
	}
	return strings.Join(list, "\x00")
}

// levels reads the values of a key: a list, a range of whole numbers (1..10),
// or {from, to, steps, scale}. Without steps it is a span to be drawn from.
func (r *reader) levels(key string, n *yaml.Node, kind experiment.Kind) ([]value, *span) {
	switch {
	case n.Kind == yaml.SequenceNode && len(n.Content) > 0:
		return r.listed(key, n, kind), nil
	case n.Kind == yaml.MappingNode:
		return r.ranged(key, n, kind)
	case n.Kind == yaml.ScalarNode:
		first, last, ok := wholeRange(n.Value)
		if ok && (kind == experiment.KindWhole || kind == experiment.KindNumber) && last >= first && last-first < maxPoints {
			var list []value
			for x := first; x <= last; x++ {
				list = append(list, number(n, experiment.KindWhole, float64(x)))
			}
			return list, nil
		}
	}
	r.fault(r.at(n), "%s: found %s, expected a list of values, a range such as 1..5, or {from: 1, to: 5, steps: 3}", key, shown(n))
	return nil, nil
}

// listed reads a list; a value that stands twice would be one point twice.
func (r *reader) listed(key string, n *yaml.Node, kind experiment.Kind) []value {
	var list []value
	for _, item := range n.Content {
		v := value{item, item.Value}
		if item.Kind != yaml.ScalarNode {
			v.text = flow(item)
		} else if x, err := quantity(item, kind); err == nil && kind != experiment.KindDuration {
			v.text = strconv.FormatFloat(x, 'g', -1, 64) // 0.1 and 1e-1 are the same
		}
		if slices.ContainsFunc(list, func(o value) bool { return o.text == v.text }) {
			r.fault(r.at(item), "%s: %s stands twice", key, v.text)
			continue
		}
		list = append(list, v)
	}
	return list
}

// flow is YAML in one line.
func flow(n *yaml.Node) string {
	switch n.Kind {
	case yaml.ScalarNode:
		return n.Value
	case yaml.SequenceNode:
		items := make([]string, len(n.Content))
		for i, c := range n.Content {
			items[i] = flow(c)
		}
		return "[" + strings.Join(items, ", ") + "]"
	}
	var items []string
	for i := 0; i+1 < len(n.Content); i += 2 {
		items = append(items, n.Content[i].Value+": "+flow(n.Content[i+1]))
	}
	return "{" + strings.Join(items, ", ") + "}"
}

func wholeRange(text string) (first, last int64, ok bool) {
	a, b, both := strings.Cut(text, "..")
	first, err := strconv.ParseInt(a, 10, 64)
	last, err2 := strconv.ParseInt(b, 10, 64)
	const most = 1 << 53
	return first, last, both && err == nil && err2 == nil && first >= -most && last <= most
}

func (r *reader) ranged(key string, n *yaml.Node, kind experiment.Kind) ([]value, *span) {
	var g rangeNode
	text, err := yaml.Marshal(n)
	if err != nil {
		r.fault(r.at(n), "%s: %v", key, err)
		return nil, nil
	}
	if _, mistakes := experiment.ReadDocument(r.path, text, &g); len(mistakes) > 0 {
		for _, m := range mistakes {
			r.fault(r.at(n), "%s: %s", key, m.Message) // the range is of one line
		}
		return nil, nil
	}
	switch {
	case kind != experiment.KindWhole && kind != experiment.KindNumber && kind != experiment.KindDuration:
		r.fault(r.at(n), "%s: found a range, expected a list: its values are no numbers", key)
		return nil, nil
	case g.Scale != "" && g.Scale != "linear" && g.Scale != "log":
		r.fault(r.at(n), "%s: scale: found %q, expected linear or log", key, g.Scale)
		return nil, nil
	case g.Steps != nil && (*g.Steps < 2 || *g.Steps > maxPoints):
		r.fault(r.at(n), "%s: steps is %d, expected 2 to %d", key, *g.Steps, maxPoints)
		return nil, nil
	}
	s := &span{at: n, kind: kind, log: g.Scale == "log"}
	for _, end := range []struct {
		name string
		node *yaml.Node
		x    *float64
	}{{"from", &g.From, &s.from}, {"to", &g.To, &s.to}} {
		if *end.x, err = quantity(end.node, kind); err != nil {
			r.fault(r.at(n), "%s: %s: %v", key, end.name, err)
			return nil, nil
		}
	}
	switch {
	case s.to <= s.from:
		r.fault(r.at(n), "%s: expected to above from, found %v to %v", key, g.From.Value, g.To.Value)
		return nil, nil
	case s.log && s.from <= 0:
		r.fault(r.at(n), "%s: from is %v, expected above 0 for a log scale", key, g.From.Value)
		return nil, nil
	case g.Steps == nil:
		return nil, s
	}
	return r.steps(key, s, *g.Steps), nil
}

func (r *reader) steps(key string, s *span, steps int) []value {
	var list []value
	for i := range steps {
		v := s.value(float64(i) / float64(steps-1))
		if len(list) > 0 && list[len(list)-1].text == v.text {
			r.fault(r.at(s.at), "%s: %d steps are too many, %s stands twice", key, steps, v.text)
			return nil
		}
		list = append(list, v)
	}
	return list
}

// value is that at a part of the way from 0 to 1.
func (s *span) value(part float64) value {
	x := s.from + part*(s.to-s.from)
	if s.log {
		x = s.from * math.Pow(s.to/s.from, part)
	}
	return number(s.at, s.kind, min(max(x, s.from), s.to))
}

// number is a value with 12 digits: steps of 0.1 are 0.1, 0.2, 0.3.
func number(at *yaml.Node, kind experiment.Kind, x float64) value {
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!float", Line: at.Line, Column: at.Column}
	switch kind {
	case experiment.KindDuration:
		n.Tag, n.Value = "!!str", time.Duration(math.Round(x*1e9)).String()
	case experiment.KindWhole:
		n.Tag, n.Value = "!!int", strconv.FormatInt(int64(math.Round(x)), 10)
	default:
		rounded, _ := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 12, 64), 64) // what was just written
		n.Value = strconv.FormatFloat(rounded, 'g', -1, 64)
	}
	return value{n, n.Value}
}

// quantity is a number, or a duration in seconds.
func quantity(n *yaml.Node, kind experiment.Kind) (float64, error) {
	if n.Kind == 0 {
		return 0, fmt.Errorf("found nothing, expected a value")
	}
	if kind == experiment.KindDuration {
		d, err := time.ParseDuration(n.Value)
		if err != nil {
			return 0, fmt.Errorf("found %q, expected a duration with its unit, such as 300ms", n.Value)
		}
		return d.Seconds(), nil
	}
	var x float64
	if n.Kind != yaml.ScalarNode || n.Tag != "!!int" && n.Tag != "!!float" || n.Decode(&x) != nil || math.IsNaN(x) || math.IsInf(x, 0) {
		return 0, fmt.Errorf("found %s, expected a number", shown(n))
	}
	return x, nil
}
