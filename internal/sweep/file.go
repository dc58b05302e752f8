package sweep

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"cosim/internal/experiment"
)

// What is kept of each run.
const (
	keepSummary = "summary" // its figures
	keepAll     = "all"     // its folder as well
)

// file is a sweep as it stands in YAML. Nodes are read by hand: the order of
// their keys counts, or their values take several forms.
type file struct {
	Name        string    `yaml:"name"`
	Title       string    `yaml:"title"`
	Experiment  string    `yaml:"experiment"`
	Experiments []string  `yaml:"experiments"`
	Seeds       yaml.Node `yaml:"seeds"`
	Set         yaml.Node `yaml:"set"`
	Vary        yaml.Node `yaml:"vary"`
	Zip         yaml.Node `yaml:"zip"`
	Sample      *sample   `yaml:"sample"`
	Keep        string    `yaml:"keep"`
}

// IsSweep reports whether YAML is a sweep and no experiment.
func IsSweep(text []byte) bool {
	var keys map[string]yaml.Node
	if yaml.Unmarshal(text, &keys) != nil {
		return false
	}
	for _, key := range []string{"seeds", "vary", "zip", "sample", "experiments"} {
		if _, ok := keys[key]; ok {
			return true
		}
	}
	return false
}

// base is an experiment that is varied.
type base struct {
	label string // its name, or how the file calls it where names agree
	file  string // for messages
	text  []byte
	at    experiment.Position
}

// reader collects what a sweep's file says, and what is wrong with it.
type reader struct {
	path     string
	mistakes experiment.Mistakes
	place    func(string) experiment.Position
	keys     map[string]bool // that have a value already
}

func (r *reader) fault(at experiment.Position, format string, args ...any) {
	r.mistakes = append(r.mistakes, &experiment.Mistake{Position: at, Message: fmt.Sprintf(format, args...)})
}

func (r *reader) at(n *yaml.Node) experiment.Position {
	return experiment.Position{File: r.path, Line: n.Line, Col: n.Column}
}

// Load reads a sweep and resolves all its points. The error is an
// experiment.Mistakes with everything that is wrong, in the sweep and in the
// experiments that it makes.
func Load(path string) (*Sweep, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		message := err.Error()
		if errors.Is(err, fs.ErrNotExist) {
			message = "no such file"
		}
		return nil, experiment.Mistakes{{Position: experiment.Position{File: path}, Message: message}}
	}
	return parse(path, text)
}

func parse(path string, text []byte) (*Sweep, error) {
	p, err := read(path, text)
	if err != nil {
		return nil, err
	}
	return p.resolve()
}

// blueprint is a sweep whose experiments are not made yet.
type blueprint struct {
	sweep  *Sweep
	bases  []base
	common []experiment.Value
	points [][]value // by point, of the axes in order
}

// read takes everything from the file; it makes no experiment.
func read(path string, text []byte) (*blueprint, error) {
	var f file
	r := &reader{path: path, keys: map[string]bool{}}
	r.place, r.mistakes = experiment.ReadDocument(path, text, &f)
	s := &Sweep{Name: r.name(f.Name), Title: f.Title, Seeds: r.seeds(&f.Seeds), KeepAll: r.keep(f.Keep) == keepAll, text: text}
	p := &blueprint{sweep: s, bases: r.bases(&f), common: r.common(&f.Set)}
	axes := append(r.vary(&f.Vary), r.zip(&f.Zip)...)
	for _, a := range axes {
		s.Axes = append(s.Axes, a.keys...)
	}
	p.points = r.points(axes, f.Sample)
	if err := r.mistakes.Err(); err != nil {
		return nil, err
	}
	return p, nil
}

var folderName = regexp.MustCompile(`^[\pL\pN_][\pL\pN_. -]*$`)

// name is that of the sweep's folder: the file's own unless it gives one.
func (r *reader) name(name string) string {
	if name == "" {
		name = strings.TrimSuffix(filepath.Base(r.path), filepath.Ext(r.path))
	}
	if !folderName.MatchString(name) {
		r.fault(r.place("name"), "name: found %q, expected one that a folder can have", name)
	}
	return name
}

func (r *reader) keep(word string) string {
	if word != "" && word != keepSummary && word != keepAll {
		r.fault(r.place("keep"), "keep: found %q, expected %s or %s", word, keepSummary, keepAll)
	}
	return word
}

// bases reads the experiments: ones that ship inside, or files beside the
// sweep's.
func (r *reader) bases(f *file) []base {
	names := f.Experiments
	if f.Experiment != "" {
		if len(names) > 0 {
			r.fault(r.place("experiment"), "experiment and experiments: expected one of the two")
		}
		names = []string{f.Experiment}
	}
	if len(names) == 0 {
		r.fault(r.place(""), "no experiment; expected one, for example experiment: S-3")
	}
	var list []base
	for i, name := range names {
		at := r.place(fmt.Sprintf("experiments[%d]", i))
		if f.Experiment != "" {
			at = r.place("experiment")
		}
		if slices.Contains(names[:i], name) {
			r.fault(at, "%q stands twice", name)
			continue
		}
		if b, ok := r.base(name, at); ok {
			list = append(list, b)
		}
	}
	return list
}

func (r *reader) base(name string, at experiment.Position) (base, bool) {
	text, file, err := experiment.Text(name)
	if err != nil && !filepath.IsAbs(name) {
		if beside, path, err2 := experiment.Text(filepath.Join(filepath.Dir(r.path), name)); err2 == nil {
			text, file, err = beside, path, nil
		}
	}
	if err != nil {
		message := err.Error()
		var mistakes experiment.Mistakes
		if errors.As(err, &mistakes) {
			message = name + ": " + mistakes[0].Message
		}
		r.fault(at, "%s", message)
		return base{}, false
	}
	if IsSweep(text) {
		r.fault(at, "%s is a sweep, expected an experiment", name)
		return base{}, false
	}
	return base{label: name, file: file, text: text, at: at}, true
}

// mostSeeds is how many a file may list: beyond that somebody mistyped.
const mostSeeds = 1_000_000

// seeds reads 1..30, or a list of seeds and such ranges.
func (r *reader) seeds(n *yaml.Node) []uint64 {
	items := []*yaml.Node{n}
	switch n.Kind {
	case 0:
		r.fault(r.place(""), "no seeds; expected some, for example seeds: 1..30")
		return nil
	case yaml.SequenceNode:
		items = n.Content
	}
	var seeds []uint64
	seen := map[uint64]bool{}
	for _, item := range items {
		first, last, ok := seedRange(item.Value)
		if item.Kind != yaml.ScalarNode || !ok || n.Kind == yaml.ScalarNode && !strings.Contains(item.Value, "..") {
			r.fault(r.at(item), "seeds: found %s, expected a range such as 1..30 or a list such as [1, 2, 5..9]", shown(item))
			continue
		}
		if last < first || last-first >= mostSeeds {
			r.fault(r.at(item), "seeds: %s has none or more than %d", item.Value, mostSeeds)
			continue
		}
		for i := range last - first + 1 {
			if seen[first+i] {
				r.fault(r.at(item), "seeds: %d stands twice", first+i)
				break
			}
			seen[first+i] = true
			seeds = append(seeds, first+i)
		}
	}
	if len(seeds) == 0 && len(r.mistakes) == 0 {
		r.fault(r.at(n), "seeds: found none, expected some, for example 1..30")
	}
	return seeds
}

func seedRange(text string) (first, last uint64, ok bool) {
	a, b, both := strings.Cut(text, "..")
	if !both {
		b = a
	}
	first, err := strconv.ParseUint(a, 10, 64)
	last, err2 := strconv.ParseUint(b, 10, 64)
	return first, last, err == nil && err2 == nil
}

// common reads the changes that all points have.
func (r *reader) common(n *yaml.Node) []experiment.Value {
	var list []experiment.Value
	r.entries("set", n, func(key, value *yaml.Node) {
		if _, _, ok := r.key("set", key); ok {
			list = append(list, experiment.Value{Key: key.Value, At: r.at(key), Node: value})
		}
	})
	return list
}

// entries calls do with the keys and values of a group.
func (r *reader) entries(name string, n *yaml.Node, do func(key, value *yaml.Node)) {
	if n.Kind == 0 || n.Tag == "!!null" {
		return
	}
	if n.Kind != yaml.MappingNode {
		r.fault(r.at(n), "%s: found %s, expected keys of the experiment, such as quantum.break_rate_hz, with their values", name, shown(n))
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		do(n.Content[i], n.Content[i+1])
	}
}

// key checks a key of the experiment that the sweep gives a value.
func (r *reader) key(where string, n *yaml.Node) (kind experiment.Kind, unit string, ok bool) {
	switch first, _, _ := strings.Cut(n.Value, "."); {
	case first == "seed":
		r.fault(r.at(n), "seed: expected under seeds, beside %s", where)
		return 0, "", false
	case first == "name", first == "title", first == "attach", first == "federates":
		r.fault(r.at(n), "%s: cannot be changed by a sweep", first)
		return 0, "", false
	case r.keys[n.Value]:
		r.fault(r.at(n), "%s has a value already; expected it once in set, vary and zip", n.Value)
		return 0, "", false
	}
	r.keys[n.Value] = true
	kind, unit, err := experiment.KeyKind(n.Value)
	if err != nil {
		r.fault(r.at(n), "%v", err)
		return 0, "", false
	}
	return kind, unit, true
}

func shown(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a group of keys"
	case yaml.SequenceNode:
		return "a list"
	}
	return strconv.Quote(n.Value)
}
