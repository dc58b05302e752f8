package web

import (
	"math"

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
	Causes     map[string]int `json:"causes"`  // of failed tasks
	Attacks    []float64      `json:"attacks,omitempty"`
	AttackKind []string       `json:"attack_kinds,omitempty"`
}

// figures computes them.
type figures struct {
	Figures
	strength []int  // of the modes of the start, by chain
	centre   []bool // by pool
	lowest   float64
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
}

func (g *figures) task(f *Feed, chain int, known bool, mode, cause string) {
	g.Decided++
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
		g.decision(f.values(fr, "scada.decision"))
	}
	if fr.To%rowEvery == 0 || fr.To >= fr.Stop {
		g.totals(f, fr)
	}
}

// decision counts one; v is the output scada.decision.
func (g *figures) decision(v []float64) {
	const gap, slack = 2, 5
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
