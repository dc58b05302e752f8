package sweep

import (
	"cmp"
	"slices"

	"cosim/internal/metrics"
)

// Shard is a part of a sweep's runs: the Index-th of Of parts, from 1. The zero
// value is the whole.
type Shard struct{ Index, Of int }

func (s Shard) has(i int) bool { return s.Of < 2 || i%s.Of == s.Index-1 }

// order is a run that is to be made.
type order struct {
	point int
	seed  uint64
}

// plan decides which runs are made. What it decides depends on the results
// alone, not on when they came: a point is looked at when all of its seeds so
// far are there.
type plan struct {
	sweep  *Sweep
	rule   *Rule // nil: the seeds of the file
	most   int   // seeds a point
	queue  []order
	byID   map[string]order
	done   map[string]*Record
	states []state // by point
	total  int     // runs asked for so far
	made   int     // of those, with a result
}

// state is how far a point is.
type state struct {
	asked   int // seeds
	pending int // of those, without a result
	met     bool
}

// newPlan begins with what is known already. A run that failed is made again.
func newPlan(s *Sweep, rule *Rule, most int, shard Shard, known map[string]*Record) *plan {
	p := &plan{sweep: s, rule: rule, most: most, byID: map[string]order{}, done: map[string]*Record{}, states: make([]state, len(s.Points))}
	for id, r := range known {
		if r.Error == "" {
			p.done[id] = r
		}
	}
	// Seed by seed, so that an interrupted sweep has something of every point.
	for k := range s.Seeds {
		for i := range s.Points {
			p.states[i].asked = k + 1
			if shard.has(k*len(s.Points) + i) {
				p.ask(i, k)
			}
		}
	}
	for i := range p.states {
		p.advance(i)
	}
	return p
}

// ask asks for a point's k-th seed.
func (p *plan) ask(point, k int) {
	o := order{point, p.seed(k)}
	id := p.sweep.Points[point].RunID(o.seed)
	p.byID[id] = o
	p.total++
	if p.done[id] != nil {
		p.made++
		return
	}
	p.states[point].pending++
	p.queue = append(p.queue, o)
}

// seed is the k-th: those of the file, then those after the largest of them.
func (p *plan) seed(k int) uint64 {
	seeds := p.sweep.Seeds
	if k < len(seeds) {
		return seeds[k]
	}
	return slices.Max(seeds) + uint64(k-len(seeds)) + 1
}

// advance adds seeds to a point whose results are complete, as many as the file
// has at a time, until the rule is met.
func (p *plan) advance(point int) {
	s := &p.states[point]
	for p.rule != nil && s.pending == 0 && !s.met {
		if s.met = p.rule.met(p.summaries(point)); s.met || s.asked >= p.most {
			return
		}
		for range min(len(p.sweep.Seeds), p.most-s.asked) {
			p.ask(point, s.asked)
			s.asked++
		}
	}
}

// next is the run to make next. A result may be there before its run was
// asked for: another session did.
func (p *plan) next() (order, bool) {
	for len(p.queue) > 0 {
		o := p.queue[0]
		p.queue = p.queue[1:]
		if p.done[p.sweep.Points[o.point].RunID(o.seed)] == nil {
			return o, true
		}
	}
	return order{}, false
}

// add takes a result; it says whether it was new.
func (p *plan) add(r *Record) bool {
	o, asked := p.byID[r.Run]
	if !asked || p.done[r.Run] != nil {
		return false
	}
	p.done[r.Run] = r
	p.made++
	p.states[o.point].pending--
	p.advance(o.point)
	return true
}

// complete says whether every run asked for has a result.
func (p *plan) complete() bool { return p.made == p.total }

// results are those asked for, by point and in the order of the seeds.
func (p *plan) results() []result {
	list := make([]result, 0, len(p.byID))
	for id, o := range p.byID {
		if r := p.done[id]; r != nil {
			list = append(list, result{o, r})
		}
	}
	slices.SortFunc(list, func(a, b result) int {
		return cmp.Or(cmp.Compare(a.point, b.point), cmp.Compare(a.seed, b.seed))
	})
	return list
}

// result is a run that was made.
type result struct {
	order
	*Record
}

// summaries are those of a point's runs that did not fail, in the order of the
// seeds.
func (p *plan) summaries(point int) []*metrics.Summary {
	var list []*metrics.Summary
	for k := range p.states[point].asked {
		if r := p.done[p.sweep.Points[point].RunID(p.seed(k))]; r != nil && r.Summary != nil {
			list = append(list, r.Summary)
		}
	}
	return list
}
