package experiment

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// Position is a place in a YAML file, or in a --set flag.
type Position struct {
	File      string
	Line, Col int
}

func (p Position) String() string {
	if p.Line == 0 || strings.HasPrefix(p.File, "--") { // a flag has no lines
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col)
}

// Mistake is one thing wrong with a definition, at the place where a person
// can mend it.
type Mistake struct {
	Position
	Message string
}

func (m *Mistake) Error() string { return m.Position.String() + ": " + m.Message }

// Mistakes are all that is wrong with a definition, in the order of the files
// and lines.
type Mistakes []*Mistake

func (ms Mistakes) Error() string {
	lines := make([]string, len(ms))
	for i, m := range ms {
		lines[i] = m.Error()
	}
	return strings.Join(lines, "\n")
}

// Err returns nil for no mistakes, and otherwise them all, sorted and without
// repeats.
func (ms Mistakes) Err() error {
	if len(ms) == 0 {
		return nil
	}
	sort.SliceStable(ms, func(i, j int) bool {
		a, b := ms[i], ms[j]
		if a.File != b.File {
			return a.File < b.File
		}
		if a.Line != b.Line {
			return a.Line < b.Line
		}
		return a.Col < b.Col
	})
	out := ms[:1]
	for _, m := range ms[1:] {
		if *m != *out[len(out)-1] {
			out = append(out, m)
		}
	}
	return out
}

// source is one YAML file of a definition (or one --set flag), parsed.
type source struct {
	file string
	root *yaml.Node // the mapping, or nil for an empty file
	// byName says that things of lists may be keys: see nameThings.
	byName bool
}

// start is the place of the first key.
func (s *source) start() Position {
	if s.root == nil {
		return Position{File: s.file}
	}
	return Position{s.file, s.root.Line, s.root.Column}
}

func parseSource(file string, data []byte) (*source, error) {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc yaml.Node
	if err := dec.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			return &source{file: file}, nil
		}
		return nil, Mistakes{syntaxMistake(file, data, err)}
	}
	var second yaml.Node
	if err := dec.Decode(&second); err == nil {
		return nil, Mistakes{{Position{file, second.Line, second.Column}, "found a second YAML document; expected one experiment a file"}}
	} else if !errors.Is(err, io.EOF) {
		return nil, Mistakes{syntaxMistake(file, data, err)}
	}
	x := expansion{file: file, open: map[*yaml.Node]bool{}}
	root := x.expand(doc.Content[0])
	if x.mistake != nil {
		return nil, Mistakes{x.mistake}
	}
	if root.Kind != yaml.MappingNode {
		return nil, Mistakes{{Position{file, root.Line, root.Column}, fmt.Sprintf("found %s, expected keys such as case, duration, chains", describe(root))}}
	}
	return &source{file: file, root: root}, nil
}

// maxValues is how many values a file may hold: aliases of aliases grow
// without bound.
const maxValues = 1_000_000

// expansion puts what they stand for in the place of aliases and merged groups
// of keys ("<<"), so that nothing after it knows of either.
type expansion struct {
	file    string
	open    map[*yaml.Node]bool // on the way to the present node
	values  int
	mistake *Mistake // the first one ends it
}

func (x *expansion) fault(n *yaml.Node, format string, args ...any) {
	if x.mistake == nil {
		x.mistake = &Mistake{Position{x.file, n.Line, n.Column}, fmt.Sprintf(format, args...)}
	}
}

// expand returns a copy of n without aliases.
func (x *expansion) expand(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		if x.open[n.Alias] {
			x.fault(n, "*%s stands inside what it stands for", n.Value)
			return n
		}
		return x.expand(n.Alias)
	}
	if x.values++; x.values > maxValues {
		x.fault(n, "more than %d values with all aliases written out", maxValues)
	}
	if x.mistake != nil {
		return n
	}
	x.open[n] = true
	defer delete(x.open, n)
	c := *n
	c.Anchor, c.Content = "", nil
	for i, child := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 1 && n.Content[i-1].Tag == "!!merge" {
			c.Content = c.Content[:len(c.Content)-1] // the "<<"
			defer x.merge(&c, child)
			continue
		}
		c.Content = append(c.Content, x.expand(child))
	}
	return &c
}

// merge adds the keys of a group, or of a list of groups, that c does not have.
func (x *expansion) merge(c, from *yaml.Node) {
	from = x.expand(from)
	groups := []*yaml.Node{from}
	if from.Kind == yaml.SequenceNode {
		groups = from.Content
	}
	for _, g := range groups {
		if g.Kind != yaml.MappingNode {
			x.fault(g, "<<: found %s, expected a group of keys", describe(g))
			return
		}
		for i := 0; i+1 < len(g.Content); i += 2 {
			if !hasKey(c, g.Content[i].Value) {
				c.Content = append(c.Content, g.Content[i], g.Content[i+1])
			}
		}
	}
}

func hasKey(n *yaml.Node, key string) bool {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return true
		}
	}
	return false
}

// syntaxMistake reads the line out of yaml.v3's "yaml: line 3: did not find …".
func syntaxMistake(file string, data []byte, err error) *Mistake {
	msg := strings.TrimPrefix(err.Error(), "yaml: ")
	m := &Mistake{Position{File: file, Line: 1, Col: 1}, msg}
	var line int
	if n, _ := fmt.Sscanf(msg, "line %d:", &line); n != 1 {
		m.Line, m.Col = badText(data, msg)
		return m
	}
	m.Line = line
	m.Message = strings.TrimSpace(msg[strings.Index(msg, ":")+1:])
	for _, parser := range []string{"node content", "key", "',' or", "'-'", "<"} {
		// The parser's errors, unlike the scanner's, count lines from 0.
		if strings.HasPrefix(m.Message, "did not find expected "+parser) {
			m.Line++
			break
		}
	}
	return m
}

// badText finds what yaml.v3 complains of without a line: an unknown anchor, or
// the first character that no YAML may hold.
func badText(data []byte, msg string) (line, col int) {
	at := -1
	if _, rest, ok := strings.Cut(msg, "unknown anchor '"); ok {
		name, _, _ := strings.Cut(rest, "'")
		at = bytes.Index(data, []byte("*"+name))
	} else {
		for i := 0; i < len(data) && at < 0; {
			r, n := utf8.DecodeRune(data[i:])
			if r == utf8.RuneError && n == 1 || unicode.IsControl(r) && !strings.ContainsRune("\t\n\r\u0085", r) {
				at = i
			}
			i += n
		}
	}
	before := data[:max(0, at)]
	return 1 + bytes.Count(before, []byte("\n")), 1 + utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:])
}

// positions maps the path of every value ("chains[3].routes[0][2]") to where
// it stands. Later sources overwrite earlier ones, as their values do.
type positions map[string]Position

// find returns the place of path, or of the nearest enclosing value that the
// files mention.
func (p positions) find(path string) Position {
	for {
		if pos, ok := p[path]; ok {
			return pos
		}
		if path == "" {
			return Position{}
		}
		path = path[:max(0, strings.LastIndexAny(path, ".["))]
	}
}

// enter notes the places of n and all below it.
func (p positions) enter(l *layered, path string, n *yaml.Node) {
	p[path] = l.place(n)
	switch n.Kind {
	case yaml.SequenceNode:
		for i, c := range n.Content {
			p.enter(l, fmt.Sprintf("%s[%d]", path, i), c)
		}
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			key, value := n.Content[i], n.Content[i+1]
			child := join(path, key.Value)
			p.enter(l, child, value)
			if value.Kind != yaml.ScalarNode {
				p[child] = l.place(key)
			}
		}
	}
}

func (l *layered) place(n *yaml.Node) Position { return Position{l.files[n], n.Line, n.Column} }

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
