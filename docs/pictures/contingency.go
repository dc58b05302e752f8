//go:build ignore

// Contingency draws one contingency in S-1 and S-2, same seed, same
// disturbances: make pictures.
package main

import (
	"context"
	"fmt"
	"log"
	"strings"

	"cosim/internal/experiment"
	"cosim/internal/plot"
	cosync "cosim/sync"
)

const (
	seed   = uint64(2)
	number = 0   // of the contingency
	before = 10  // seconds shown before the step
	after  = 100 // and after it
)

// trace keeps signals of one run in a window.
type trace struct {
	from, to                         cosync.Time
	t, coi, mechanical, reserve, key []float64
	gens                             [][]float64
	pool                             string
	supply                           string
}

func (x *trace) Begin(*cosync.Frame) error { return nil }
func (x *trace) End(error) error           { return nil }

func (x *trace) Observe(f *cosync.Frame) error {
	if f.To < x.from || f.To > x.to {
		return nil
	}
	get := func(name string) []float64 {
		i, ok := f.Index(name)
		if !ok {
			log.Fatalf("no output %s", name)
		}
		return f.Outputs[i].Values
	}
	sum := func(v []float64) (s float64) {
		for _, x := range v {
			s += x
		}
		return s
	}
	frequency := get("grid.frequency")
	x.t = append(x.t, f.To.Seconds())
	x.coi = append(x.coi, 1000*frequency[0])
	if x.gens == nil {
		x.gens = make([][]float64, len(frequency)-1)
	}
	for i, v := range frequency[1:] {
		x.gens[i] = append(x.gens[i], 1000*v)
	}
	x.mechanical = append(x.mechanical, sum(get("grid.mechanical")))
	x.reserve = append(x.reserve, sum(get("grid.reserve")))
	i, _ := f.Index(x.supply)
	key := 0.0
	for k, e := range f.Outputs[i].Port.Elements {
		if strings.HasPrefix(e, "pool/CC-") {
			key += f.Outputs[i].Values[k] / 1000
		}
	}
	x.key = append(x.key, key)
	return nil
}

func run(name, supply string) (*trace, *experiment.Result, experiment.LoadStep, []experiment.LinkBreak) {
	s := seed
	d, err := experiment.Load(name, experiment.Overrides{Seed: &s})
	if err != nil {
		log.Fatal(err)
	}
	tl, err := d.Timeline()
	if err != nil {
		log.Fatal(err)
	}
	step := tl.LoadSteps[number]
	x := &trace{from: step.From - before*cosync.Second, to: step.From + after*cosync.Second, supply: supply}
	r, err := experiment.Run(context.Background(), d, experiment.RunOptions{Observers: []cosync.Observer{x}})
	if err != nil {
		log.Fatal(err)
	}
	return x, r, step, tl.Breaks
}

func main() {
	log.SetFlags(0)
	s1, _, step, breaks := run("S-1", "scada.store")
	s2, _, _, _ := run("S-2", "scada.pool")
	x := plot.Axis{From: s1.from.Seconds(), To: s1.to.Seconds()}
	spans := []plot.Span{}
	for _, b := range breaks {
		if b.From >= s1.from && b.To <= s1.to {
			spans = append(spans, plot.Span{From: b.From.Seconds(), To: b.To.Seconds(), Label: "fibre " + b.Link + " cut"})
		}
	}
	change := func(v []float64) []float64 {
		out := make([]float64, len(v))
		for i := range v {
			out[i] = v[i] - v[0]
		}
		return out
	}
	const height = 5.5
	frequency := plot.Panel{
		Title: "frequency, centre of inertia", X: x, Y: plot.Axis{Quantity: "Δf", Unit: "mHz"}, Spans: spans, HeightCM: height,
		Levels: []plot.Level{{Y: 50, Name: "Δf_safe"}, {Y: -50, Name: "−Δf_safe"}},
		Lines:  []plot.Line{of("S-1, key stores", s1.t, s1.coi), of("S-2, key pools", s2.t, s2.coi)},
	}
	for _, tr := range []*trace{s1, s2} {
		i := lowest(tr.coi)
		frequency.Marks = append(frequency.Marks, plot.Mark{X: tr.t[i], Y: tr.coi[i], Text: fmt.Sprintf("−%.0f mHz", -tr.coi[i])})
	}
	mechanical := plot.Panel{
		Title: "generators, change of their mechanical power", X: x, Y: plot.Axis{Quantity: "power", Unit: "MW"}, HeightCM: height,
		Lines: []plot.Line{of("S-1, key stores", s1.t, change(s1.mechanical)), of("S-2, key pools", s2.t, change(s2.mechanical))},
	}
	reserve := plot.Panel{
		Title: "fast reserve that was reached", X: x, Y: plot.Axis{Quantity: "power", Unit: "MW"}, HeightCM: 4,
		Lines: []plot.Line{of("S-1, key stores", s1.t, s1.reserve), of("S-2, key pools", s2.t, s2.reserve)},
	}
	x.Quantity, x.Unit = "time", "s"
	key := plot.Panel{
		Title: "key at the control centre, all links", X: x, Y: plot.Axis{Quantity: "key", Unit: "kbit"}, HeightCM: height,
		Lines: []plot.Line{of("S-1, key stores", s1.t, s1.key), of("S-2, key pools", s2.t, s2.key)},
	}
	fig := plot.Figure{
		Title:  fmt.Sprintf("One contingency: +%.0f MW at bus %d for 50 s", step.SizeMW, step.Bus),
		Note:   fmt.Sprintf("39 buses, seed %d", seed),
		Legend: plot.Above, Panels: []plot.Panel{frequency, mechanical, reserve, key},
	}
	if err := fig.WriteFile("docs/pictures/contingency.png"); err != nil {
		log.Fatal(err)
	}
}

func of(label string, x, y []float64) plot.Line {
	return plot.Line{Label: label, Role: plot.Dashed, X: x, Y: y}
}

func lowest(v []float64) int {
	at := 0
	for i := range v {
		if v[i] < v[at] {
			at = i
		}
	}
	return at
}
