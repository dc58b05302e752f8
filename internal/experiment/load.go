package experiment

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"reflect"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"cosim/cases"
)

//go:embed experiments
var embedded embed.FS

// Folders of embedded.
const (
	shipped   = "experiments"
	ablations = "experiments/ablations"
)

// Names lists the experiments that ship inside, in order.
func Names() []string { return filesOf(shipped) }

// Ablations lists the variants of them that ship inside too: each lacks one
// part of its scheme.
func Ablations() []string { return filesOf(ablations) }

func filesOf(folder string) []string {
	entries, err := fs.ReadDir(embedded, folder)
	if err != nil {
		panic(err) // the folder is compiled in
	}
	var names []string
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), ".yaml"); ok {
			names = append(names, name)
		}
	}
	return names
}

// inside ends the names that messages give files which only the program has.
const inside = " (inside cosim)"

// Text returns the YAML of an experiment: one that ships inside, by name, or a
// file. The second value is the name that messages give it.
func Text(nameOrPath string) ([]byte, string, error) {
	for _, folder := range []string{shipped, ablations} {
		if data, err := embedded.ReadFile(path.Join(folder, nameOrPath+".yaml")); err == nil {
			return data, nameOrPath + ".yaml" + inside, nil
		}
	}
	data, err := os.ReadFile(nameOrPath)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, "", Mistakes{{Position{File: nameOrPath}, "no such file, nor an experiment that ships inside" + suggest(nameOrPath, slices.Concat(Names(), Ablations()))}}
	}
	if err != nil {
		return nil, "", Mistakes{{Position{File: nameOrPath}, err.Error()}}
	}
	return data, nameOrPath, nil
}

// Overrides are what the command line changes in an experiment.
type Overrides struct {
	Case string
	Seed *uint64
	Set  []string // "key.sub=value"
	// Layer, if any, is YAML (or JSON) that lies on the experiment's own file;
	// messages name it LayerName.
	LayerName string
	Layer     []byte
	// Values lie on that, below Set.
	Values []Value
}

// Load reads an experiment with all its layers, each overriding the one
// before: the defaults of the models, the case's federation.yaml and
// calibration.yaml, the experiment's own file, the command line. The error is
// a Mistakes with everything that is wrong.
func Load(nameOrPath string, o Overrides) (*Definition, error) {
	data, file, err := Text(nameOrPath)
	if err != nil {
		return nil, err
	}
	return LoadText(file, data, o)
}

// LoadText is Load of an experiment that is at hand; messages name it file.
func LoadText(file string, data []byte, o Overrides) (*Definition, error) {
	own, err := parseSource(file, data)
	if err != nil {
		return nil, err
	}
	layers := []*source{own}
	if o.Layer != nil {
		l, err := parseSource(o.LayerName, o.Layer)
		if err != nil {
			return nil, err
		}
		layers = append(layers, l)
	}
	for _, v := range o.Values {
		layers = append(layers, v.source())
	}
	sets, err := parseSets(o)
	if err != nil {
		return nil, err
	}
	layers = append(layers, sets...)

	if resolved := own.manifest(); resolved != nil {
		own.root = resolved // with all its layers
		return assemble(layers, own)
	}
	below, err := caseLayers(lastScalar(layers, "case"))
	if err != nil {
		return nil, err
	}
	layers = append(below, layers...)
	return assemble(layers, own)
}

// manifest returns the experiment in a run's manifest.yaml, or in what Show
// prints of all of one, or nil.
func (s *source) manifest() *yaml.Node {
	if s.root == nil {
		return nil
	}
	var program bool
	var experiment *yaml.Node
	for i := 0; i+1 < len(s.root.Content); i += 2 {
		switch s.root.Content[i].Value {
		case "program":
			program = true
		case "experiment":
			experiment = s.root.Content[i+1]
		}
	}
	if !program {
		return nil
	}
	return experiment
}

// assemble checks, merges and decodes the layers and validates the result.
// What no layer says is a mistake of the experiment's own file.
func assemble(layers []*source, own *source) (*Definition, error) {
	def := defaults()
	def.places = positions{}
	var mistakes Mistakes
	all := newLayered()
	for _, l := range layers {
		if l.root == nil {
			continue
		}
		if l.byName {
			if found := l.nameThings(all.root); len(found) > 0 {
				mistakes = append(mistakes, found...)
				continue
			}
		}
		if found := checkShape(l.file, l.root, reflect.TypeFor[Definition]()); len(found) > 0 {
			mistakes = append(mistakes, found...)
			// What has the right shape is still decoded, so that the meaning
			// of the rest can be checked in the same go.
			prune(l.root, reflect.TypeFor[Definition]())
		}
		all.lay(l)
	}
	def.places.enter(all, "", all.root)
	def.places[""] = own.start()
	if err := all.root.Decode(def); err != nil {
		return nil, append(mistakes, &Mistake{own.start(), err.Error()}).Err()
	}
	def.resolve()
	mistakes = append(mistakes, def.validate()...)
	if err := mistakes.Err(); err != nil {
		return nil, err
	}
	return def, nil
}

// caseLayers returns the case's own files. A case without them is allowed: the
// experiment then brings nodes, links and chains itself.
func caseLayers(name string) ([]*source, error) {
	if name == "" {
		return nil, nil // validate says that the key is missing
	}
	var layers []*source
	for _, layer := range []struct {
		file string
		read func(string) ([]byte, error)
	}{{"federation.yaml", cases.Federation}, {"calibration.yaml", cases.Calibration}} {
		data, err := layer.read(name)
		if err != nil {
			continue // no such layer, or no such case: validate says so
		}
		file := path.Join(name, layer.file)
		if slices.Contains(cases.Names(), name) {
			file += inside
		}
		s, err := parseSource(file, data)
		if err != nil {
			return nil, err
		}
		layers = append(layers, s)
	}
	return layers, nil
}

// parseSets turns the command line into layers of their own, so that their
// mistakes are reported like those of files.
func parseSets(o Overrides) ([]*source, error) {
	type flag struct{ name, text string }
	var flags []flag
	for _, s := range o.Set {
		flags = append(flags, flag{"--set " + s, s})
	}
	if o.Case != "" {
		flags = append(flags, flag{"--case " + o.Case, "case=" + o.Case})
	}
	if o.Seed != nil {
		flags = append(flags, flag{fmt.Sprintf("--seed %d", *o.Seed), fmt.Sprintf("seed=%d", *o.Seed)})
	}
	var layers []*source
	for _, f := range flags {
		key, value, ok := strings.Cut(f.text, "=")
		if !ok || key == "" {
			return nil, Mistakes{{Position{File: f.name}, "expected key=value, for example --set quantum.break_rate_hz=0.002"}}
		}
		var text strings.Builder
		words := strings.Split(key, ".")
		for i, w := range words {
			fmt.Fprintf(&text, "%s%s:", strings.Repeat("  ", i), w)
			if i < len(words)-1 {
				text.WriteByte('\n')
			}
		}
		text.WriteString(" " + value + "\n")
		l, err := parseSource(f.name, []byte(text.String()))
		if err != nil {
			return nil, err
		}
		l.byName = true
		layers = append(layers, l)
	}
	return layers, nil
}

// lastScalar finds a top-level scalar in the highest layer that has it.
func lastScalar(layers []*source, key string) string {
	for i := len(layers) - 1; i >= 0; i-- {
		l := layers[i]
		if l.root == nil {
			continue
		}
		for j := 0; j+1 < len(l.root.Content); j += 2 {
			if v := l.root.Content[j+1]; l.root.Content[j].Value == key && v.Kind == yaml.ScalarNode {
				return v.Value
			}
		}
	}
	return ""
}

// layered is one document made of several, which remembers from which file
// each of its values comes.
type layered struct {
	root  *yaml.Node
	files map[*yaml.Node]string
}

func newLayered() *layered {
	return &layered{&yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}, map[*yaml.Node]string{}}
}

// lay puts a source over what is there already: mappings key by key, lists of
// things with an id or a name thing by thing, anything else as a whole.
func (l *layered) lay(s *source) {
	l.mark(s.file, s.root)
	l.mapping(l.root, s.root)
}

func (l *layered) mark(file string, n *yaml.Node) {
	l.files[n] = file
	for _, c := range n.Content {
		l.mark(file, c)
	}
}

func (l *layered) mapping(dst, src *yaml.Node) {
	for i := 0; i+1 < len(src.Content); i += 2 {
		key, value := src.Content[i], src.Content[i+1]
		at := -1
		for j := 0; j+1 < len(dst.Content); j += 2 {
			if dst.Content[j].Value == key.Value {
				at = j + 1
			}
		}
		switch {
		case at < 0:
			dst.Content = append(dst.Content, key, l.copy(value))
		case value.Kind == yaml.MappingNode && dst.Content[at].Kind == yaml.MappingNode:
			l.mapping(dst.Content[at], value)
		case named(value) && named(dst.Content[at]):
			l.list(dst.Content[at], value)
		default:
			dst.Content[at-1], dst.Content[at] = key, l.copy(value)
		}
	}
}

// list changes the things of dst that src names too, and adds the others.
func (l *layered) list(dst, src *yaml.Node) {
	for _, thing := range src.Content {
		known := false
		for _, other := range dst.Content {
			if nameIn(other) == nameIn(thing) {
				l.mapping(other, thing)
				known = true
			}
		}
		if !known {
			dst.Content = append(dst.Content, l.copy(thing))
		}
	}
}

// named says whether n is a list of mappings that all have an id or a name.
func named(n *yaml.Node) bool {
	if n.Kind != yaml.SequenceNode || len(n.Content) == 0 {
		return false
	}
	for _, thing := range n.Content {
		if nameIn(thing) == "" {
			return false
		}
	}
	return true
}

// nameIn is the id, or else the name, in a mapping.
func nameIn(n *yaml.Node) string {
	name := ""
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		switch n.Content[i].Value {
		case "id":
			return n.Content[i+1].Value
		case "name":
			name = n.Content[i+1].Value
		}
	}
	return name
}

// copy copies what may be changed by a later layer, so that the source it
// comes from stays as it is.
func (l *layered) copy(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.ScalarNode {
		return n
	}
	c := *n
	c.Content = make([]*yaml.Node, len(n.Content))
	for i, e := range n.Content {
		c.Content[i] = l.copy(e)
	}
	l.files[&c] = l.files[n]
	return &c
}

// prune removes every value that does not fit its type.
func prune(n *yaml.Node, t reflect.Type) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t == nodeType:
	case n.Kind == yaml.MappingNode && t.Kind() == reflect.Struct:
		kept := n.Content[:0]
		for i := 0; i+1 < len(n.Content); i += 2 {
			f, ok := fieldFor(t, n.Content[i].Value)
			if !ok || !fits(n.Content[i+1], f.Type) {
				continue
			}
			prune(n.Content[i+1], f.Type)
			kept = append(kept, n.Content[i], n.Content[i+1])
		}
		n.Content = kept
	case n.Kind == yaml.MappingNode && t.Kind() == reflect.Map:
		kept := n.Content[:0]
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Kind == yaml.ScalarNode && fits(n.Content[i+1], t.Elem()) {
				prune(n.Content[i+1], t.Elem())
				kept = append(kept, n.Content[i], n.Content[i+1])
			}
		}
		n.Content = kept
	case n.Kind == yaml.SequenceNode && t.Kind() == reflect.Slice:
		again := repeated(n)
		n.Content = slices.DeleteFunc(n.Content, func(e *yaml.Node) bool { return slices.Contains(again, e) })
		for _, e := range n.Content {
			prune(e, t.Elem())
		}
	}
}

// fits says whether a value has the shape of its type, its children apart.
func fits(n *yaml.Node, t reflect.Type) bool {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if n.Kind == yaml.MappingNode && (t.Kind() == reflect.Struct || t.Kind() == reflect.Map) {
		return true
	}
	if n.Kind == yaml.SequenceNode && t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct {
		for _, e := range n.Content {
			if !fits(e, t.Elem()) {
				return false
			}
		}
		return true
	}
	return len(checkShape("", n, t)) == 0
}
