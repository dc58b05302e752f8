package sweep

import (
	"cmp"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"time"

	"gopkg.in/yaml.v3"

	"cosim/internal/experiment"
)

// Sweep is what a sweep's file asks for, with every point resolved.
type Sweep struct {
	Name, Title string
	Axes        []Axis
	Seeds       []uint64
	KeepAll     bool    // the runs' folders as well
	Points      []Point // by experiment, then in the order of the grid

	text []byte // of the file
}

// Point is one experiment with one set of values: its runs differ by nothing
// but the seed.
type Point struct {
	Experiment string // the name in the definition
	Case       string
	Label      string   // of the experiment, unique among those of the sweep
	Setting    int      // the same for the points of all experiments with these values
	Values     []string // as tables show them, one an axis
	ID         string   // the start of the definition's hash

	hash       string
	definition []byte // resolved YAML, without the seed, compressed
}

// RunID names the run of a point with a seed; it depends on nothing else in
// the sweep's file.
func (p *Point) RunID(seed uint64) string {
	return fmt.Sprintf("%s-%s-%d", p.Experiment, p.ID, seed)
}

// idLength in hexadecimal digits: among a million points two agree by chance
// once in 500 sweeps, which is found and said.
const idLength = 12

// resolve makes the definition of every point, on all cores.
func (p *blueprint) resolve() (*Sweep, error) {
	s := p.sweep
	s.Points = make([]Point, len(p.bases)*len(p.points))
	mistakes := make([]experiment.Mistakes, len(s.Points))
	next := make(chan int)
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(s.Points)) {
		workers.Go(func() {
			for i := range next {
				s.Points[i], mistakes[i] = p.point(i)
			}
		})
	}
	for i := range s.Points {
		next <- i
	}
	close(next)
	workers.Wait()
	if err := experiment.Mistakes(slices.Concat(mistakes...)).Err(); err != nil {
		return nil, err
	}
	p.label()
	return s, p.same()
}

func (p *blueprint) point(i int) (Point, experiment.Mistakes) {
	b, setting := p.bases[i/len(p.points)], i%len(p.points)
	o := experiment.Overrides{Values: slices.Clone(p.common)}
	point := Point{Setting: setting}
	for k, v := range p.points[setting] {
		a := p.sweep.Axes[k]
		o.Values = append(o.Values, experiment.Value{Key: a.Key, At: a.at, Node: v.node})
		point.Values = append(point.Values, v.text)
	}
	d, err := experiment.LoadText(b.file, b.text, o)
	if err == nil && len(d.Federates) > 0 {
		err = fmt.Errorf("%s has federates outside; expected none, for the runs of a sweep go on at the same time", b.label)
	}
	if err == nil {
		point.Experiment, point.Case = d.Name, d.Case
		point.hash, point.definition, err = pack(d)
	}
	var mistakes experiment.Mistakes
	if err != nil && !errors.As(err, &mistakes) {
		mistakes = experiment.Mistakes{{Position: b.at, Message: err.Error()}}
	}
	point.ID = point.hash[:min(idLength, len(point.hash))]
	return point, mistakes
}

// pack is a definition's hash and its compressed YAML, the same for all seeds.
func pack(d *experiment.Definition) (hash string, packed []byte, err error) {
	if hash, err = d.Hash(); err != nil {
		return "", nil, err
	}
	seedless := *d
	seedless.Seed = 0
	text, err := yaml.Marshal(&seedless)
	if err != nil {
		return "", nil, err
	}
	packed, err = compress(text)
	return hash, packed, err
}

// label calls the points of each experiment by its name, or where several have
// the same as the file calls it.
func (p *blueprint) label() {
	count := map[string]int{}
	for i := range p.bases {
		count[p.sweep.Points[i*len(p.points)].Experiment]++
	}
	for i := range p.sweep.Points {
		point := &p.sweep.Points[i]
		point.Label = point.Experiment
		if count[point.Experiment] > 1 {
			point.Label = p.bases[i/len(p.points)].label
		}
	}
}

// same refuses points that are one experiment twice.
func (p *blueprint) same() error {
	var mistakes experiment.Mistakes
	first := map[string]*Point{}
	for i := range p.sweep.Points {
		point := &p.sweep.Points[i]
		if other := first[point.ID]; other != nil {
			mistakes = append(mistakes, &experiment.Mistake{
				Position: p.bases[i/len(p.points)].at,
				Message:  fmt.Sprintf("%s and %s are the same experiment twice", other.describe(p.sweep.Axes), point.describe(p.sweep.Axes)),
			})
		}
		first[point.ID] = cmp.Or(first[point.ID], point)
	}
	return mistakes.Err()
}

// describe is "S-3 with reconfiguration.horizon 4".
func (p *Point) describe(axes []Axis) string {
	text := p.Label
	for i, v := range p.Values {
		word := ", "
		if i == 0 {
			word = " with "
		}
		text += word + axes[i].Key + " " + v
	}
	return text
}

// Parse is a value of an axis as its type: float64 (durations in seconds),
// int64, bool or string.
func (a *Axis) Parse(text string) any {
	switch a.Kind {
	case experiment.KindNumber:
		if x, err := strconv.ParseFloat(text, 64); err == nil {
			return x
		}
	case experiment.KindWhole:
		if x, err := strconv.ParseFloat(text, 64); err == nil {
			return int64(x)
		}
	case experiment.KindSwitch:
		return text == "true"
	case experiment.KindDuration:
		if d, err := time.ParseDuration(text); err == nil {
			return d.Seconds()
		}
	}
	return text
}
