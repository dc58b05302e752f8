package web

import (
	"math"
	"slices"

	cosync "cosim/sync"
)

// Figures are those of the run so far, by the definitions of summary.json.
type Figures struct {
	Decided   int64   `json:"decided"` // tasks with an outcome
	Succeeded int64   `json:"succeeded"`
	Strict    int64   `json:"strict"` // in a mode no weaker than that of the start
	DFMaxHz   float64 `json:"df_max_hz"`
	DFMaxAtS  float64 `json:"df_max_at_s"`
	// Key used of that generated, in bit.
	UsedCentre float64        `json:"used_centre"`
	MadeCentre float64        `json:"made_centre"`
	UsedAll    float64        `json:"used_all"`
	MadeAll    float64        `json:"made_all"`
	Lowest     string         `json:"lowest"` // pool
	LowestBits float64        `json:"lowest_bits"`
	LowestAtS  float64        `json:"lowest_at_s"`
	Decisions  int64          `json:"decisions"`
	Proven     int64          `json:"proven"`  // decisions with a gap of 1 % at most
	Relaxed    int64          `json:"relaxed"` // decisions in which a chance constraint gave way
	Late       int64          `json:"late"`    // decisions that took longer than their period
	Cut        int64          `json:"cut"`     // decisions that the clock ended before
	Causes     map[string]int `json:"causes"`  // of failed tasks
	Attacks    []float64      `json:"attacks,omitempty"`
	AttackKind []string       `json:"attack_kinds,omitempty"`
	Fairness   *Fairness      `json:"fairness,omitempty"` // nil where there is one operator
}

// Fairness is that of key between operators, and how each fares.
type Fairness struct {
	Index     float64       `json:"index"` // F_K of the last 10 s
	Mean      float64       `json:"mean"`
	Lowest    float64       `json:"lowest"`
	LowestAtS float64       `json:"lowest_at_s"`
	Operators []OperatorNow `json:"operators"` // in the order of the scene
}

// OperatorNow is how an operator fares.
type OperatorNow struct {
	Decided   int64   `json:"decided"` // tasks with an outcome, so far
	Succeeded int64   `json:"succeeded"`
	Share     float64 `json:"share"` // s_a, key granted of that asked in the last 10 s
}

// figures computes them.
type figures struct {
	Figures
	strength []int  // of the modes of the start, by chain
	centre   []bool // by pool
	lowest   float64
	fair     int64 // values of F_K so far
}

// provenGap is that of a decision that is as good as the best.
const provenGap = 0.01

// strengths of modes.
var strengths = map[string]int{"aes": 1, "aes-wc": 2, "otp": 3}

func (g *figures) begin(f *Feed) {
	g.Causes = map[string]int{}
	for _, c := range f.scene.Chains {
		g.strength = append(g.strength, strengths[c.Mode])
	}
	for _, name := range f.scene.Pools {
		g.centre = append(g.centre, f.scene.Links[f.links[name]].AtCentre)
	}
	g.lowest = math.Inf(1)
	if n := len(f.scene.Operators); n > 1 {
		g.Fairness = &Fairness{Index: 1, Mean: 1, Lowest: 1, Operators: make([]OperatorNow, n)}
	}
}

func (g *figures) task(f *Feed, chain int, known bool, mode, cause string) {
	g.Decided++
	if g.Fairness != nil && known {
		g.Fairness.task(f.scene.Chains[chain].Operator, cause == "")
	}
	if cause != "" {
		g.Causes[cause]++
		return
	}
	g.Succeeded++
	if known && strengths[mode] >= g.strength[chain] {
		g.Strict++
	}
}

func (g *figures) observe(f *Feed, fr *cosync.Frame) {
	if v := f.values(fr, "grid.frequency"); len(v) > 0 && math.Abs(v[0]) > g.DFMaxHz {
		g.DFMaxHz, g.DFMaxAtS = math.Abs(v[0]), fr.To.Seconds()
	}
	for i, p := range f.pools {
		if bits := fr.Outputs[p.output].Values[p.element]; bits < g.lowest {
			g.lowest, g.LowestBits, g.Lowest, g.LowestAtS = bits, bits, f.scene.Pools[i], fr.To.Seconds()
		}
	}
	if f.scene.DecisionNS > 0 && fr.Seq >= 0 && int64(fr.From)%f.scene.DecisionNS == 0 {
		g.decision(f, fr)
	}
	if fr.To%rowEvery == 0 || fr.To >= fr.Stop {
		g.totals(f, fr)
	}
	if g.Fairness != nil && fr.To > 0 && fr.To%rowEvery == 0 {
		g.fairness(f.values(fr, "scada.fairness"), fr.To)
	}
}

// fairness takes the output scada.fairness: F_K, then the operators' shares.
func (g *figures) fairness(v []float64, now cosync.Time) {
	x := g.Fairness
	if len(v) <= len(x.Operators) {
		return
	}
	g.fair++
	x.Index = v[0]
	x.Mean += (v[0] - x.Mean) / float64(g.fair)
	if g.fair == 1 || v[0] < x.Lowest {
		x.Lowest, x.LowestAtS = v[0], now.Seconds()
	}
	for i := range x.Operators {
		x.Operators[i].Share = v[1+i]
	}
}

func (x *Fairness) task(operator int, succeeded bool) {
	o := &x.Operators[operator]
	o.Decided++
	if succeeded {
		o.Succeeded++
	}
}

// clone is a copy that others may read while the run goes on.
func (x *Fairness) clone() *Fairness {
	if x == nil {
		return nil
	}
	y := *x
	y.Operators = slices.Clone(x.Operators)
	return &y
}

// decision counts that of a frame.
func (g *figures) decision(f *Feed, fr *cosync.Frame) {
	v := f.values(fr, "scada.decision")
	const gap, slack, interrupted = 2, 5, 8
	if len(v) <= slack {
		return
	}
	g.Decisions++
	if v[gap] <= provenGap {
		g.Proven++
	}
	if v[slack] > 0 {
		g.Relaxed++
	}
	if len(v) > interrupted && v[interrupted] > 0 && !f.decidedLate() {
		g.Cut++
		f.late.cut++
		f.late.last = fr.To
	}
}

func (g *figures) totals(f *Feed, fr *cosync.Frame) {
	g.UsedCentre, g.MadeCentre, g.UsedAll, g.MadeAll = 0, 0, 0, 0
	used, made := f.values(fr, "scada.consumed"), f.values(fr, "scada.generated")
	for i := range g.centre {
		if i >= len(used) || i >= len(made) {
			break
		}
		j := f.pools[i].element
		g.UsedAll += used[j]
		g.MadeAll += made[j]
		if g.centre[i] {
			g.UsedCentre += used[j]
			g.MadeCentre += made[j]
		}
	}
	if i, ok := f.at["network.attacks"]; ok {
		g.AttackKind = fr.Outputs[i].Port.Elements
		g.Attacks = append(g.Attacks[:0], fr.Outputs[i].Values...)
	}
}

// values of an output of vectors; nil if there is none.
func (f *Feed) values(fr *cosync.Frame, output string) []float64 {
	i, ok := f.at[output]
	if !ok {
		return nil
	}
	return fr.Outputs[i].Values
}
