package reconfig

import (
	"container/heap"
	"math"
	"math/bits"
)

// node is a part of the plans: those that keep to allowed.
type node struct {
	bound   float64
	number  int // breaks ties, oldest first
	allowed [][]uint64
	rows    []*row
	prices  []float64
}

type nodeHeap []*node

func (h nodeHeap) Len() int { return len(h) }
func (h nodeHeap) Less(i, j int) bool {
	if h[i].bound != h[j].bound {
		return h[i].bound < h[j].bound
	}
	return h[i].number < h[j].number
}
func (h nodeHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *nodeHeap) Push(x any)   { *h = append(*h, x.(*node)) }
func (h *nodeHeap) Pop() any {
	old := *h
	n := old[len(old)-1]
	*h = old[:len(old)-1]
	return n
}

// run is best-bound branch and bound.
func (s *search) run() {
	heap.Push(&s.open, s.rootNode())
	for number := 1; len(s.open) > 0; {
		n := heap.Pop(&s.open).(*node)
		s.lower = math.Max(s.lower, math.Min(n.bound, s.upper))
		if s.closed(n.bound) || s.work.Nodes > 0 && s.exhausted() { // the root is always bounded
			heap.Push(&s.open, n)
			break
		}
		s.work.Nodes++
		for _, child := range s.branch(n) {
			child.number = number
			number++
			heap.Push(&s.open, child)
		}
	}
	s.lower = s.upper
	for _, n := range s.open {
		s.lower = math.Min(s.lower, n.bound)
	}
}

// rootNode has all plans.
func (s *search) rootNode() *node {
	root := &node{bound: math.Inf(-1), allowed: make([][]uint64, len(s.r.chains)), rows: s.hints, prices: s.hintPrices}
	for l := range s.r.chains {
		root.allowed[l] = s.r.chains[l].allowed
	}
	return root
}

// closed says that a part with this bound need not be looked into.
func (s *search) closed(bound float64) bool {
	return gap(s.upper, bound) <= s.budget.Gap || s.upper-bound <= exactness*math.Max(1, math.Abs(s.upper))
}

// exactness is the relative difference at which two objectives are equal.
const exactness = 1e-11

func (s *search) exhausted() bool {
	return s.budget.Nodes > 0 && s.work.Nodes >= s.budget.Nodes || s.spent()
}

// spent says that what is begun should be brought to an end.
func (s *search) spent() bool {
	if s.work.Interrupted {
		return true
	}
	s.work.Checks++
	if s.interrupt != nil && s.interrupt() {
		s.work.Interrupted = true
		return true
	}
	return s.budget.Checks > 0 && s.work.Checks >= s.budget.Checks ||
		s.budget.Evaluations > 0 && s.work.Evaluations >= s.budget.Evaluations ||
		s.budget.Pivots > 0 && s.work.Pivots >= s.budget.Pivots
}

// branch bounds a node and divides it, unless that closes it.
func (s *search) branch(n *node) []*node {
	m := s.master(n)
	s.generate(n, m)
	if s.work.Nodes == 1 {
		s.rootPrices(m)
	}
	l, t, set := s.division(n, m)
	rows, prices := m.pricedRows()
	s.plans(n, m)
	if s.closed(n.bound) {
		// n.bound may still be the least of all: it stays in the bound.
		if gap(s.upper, n.bound) > exactness {
			return []*node{n}
		}
		return nil
	}
	if l < 0 {
		return nil // a single plan, which is the best known or dearer
	}
	var children []*node
	for _, allowed := range []uint64{set, n.allowed[l][t] &^ set} {
		child := &node{bound: n.bound, allowed: append([][]uint64(nil), n.allowed...), rows: rows, prices: prices}
		child.allowed[l] = append([]uint64(nil), n.allowed[l]...)
		child.allowed[l][t] = allowed
		children = append(children, child)
	}
	return children
}

// division is where to branch: the chain and step whose options the master
// mixes most evenly, and the option that has most of it. Where it mixes
// nothing, the first step that is still open.
func (s *search) division(n *node, m *master) (l, t int, set uint64) {
	best := 1e-7
	l = -1
	type mixed struct {
		k *column
		x float64
	}
	byChain := make([][]mixed, len(s.r.chains))
	m.weights(func(k *column, x float64) { byChain[k.chain] = append(byChain[k.chain], mixed{k, x}) })
	var share [MaxOptions]float64
	for c, columns := range byChain {
		if len(columns) < 2 {
			continue
		}
		for step := range s.r.steps {
			share = [MaxOptions]float64{}
			top := 0
			for _, k := range columns {
				o := k.k.options[step]
				share[o] += k.x
				if share[o] > share[top] {
					top = o
				}
			}
			if uneven := 1 - share[top]; uneven > best+1e-9 {
				best, l, t, set = uneven, c, step, 1<<top
			}
		}
	}
	if l >= 0 {
		return l, t, set
	}
	for c, allowed := range n.allowed {
		for step, a := range allowed {
			if bits.OnesCount64(a) > 1 {
				return c, step, 1 << s.planned(m, c, step)
			}
		}
	}
	return -1, 0, 0
}

// planned is the option of the chain's key column.
func (s *search) planned(m *master, l, t int) int { return m.columns[m.key[l]].options[t] }
