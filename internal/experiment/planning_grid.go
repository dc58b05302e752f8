package experiment

import (
	"fmt"
	"slices"
	"strconv"
	"sync"

	"gonum.org/v1/gonum/mat"

	"cosim/grid"
	"cosim/scada"
)

// gridModel is the reduced model of the grid that decisions look at, nil if
// they do not.
func (b *builder) gridModel() (*scada.GridModel, error) {
	d := b.def
	if d.Reconfigure.GridStates == 0 {
		return nil, nil
	}
	r := grid.Reduction{States: d.Reconfigure.GridStates}
	for _, g := range d.Generators {
		i, ok := b.power.GenIndex(strconv.Itoa(g.Bus))
		if !ok {
			return nil, fmt.Errorf("no generator at bus %d for %s", g.Bus, g.ID)
		}
		r.Gens = append(r.Gens, i)
	}
	bus := func(number int, of string) (int, error) {
		i, ok := b.power.BusIndex(strconv.Itoa(number))
		if !ok {
			return 0, fmt.Errorf("no bus %d for %s", number, of)
		}
		return i, nil
	}
	for _, x := range d.Blocks {
		i, err := bus(x.Bus, x.ID)
		if err != nil {
			return nil, err
		}
		r.Blocks = append(r.Blocks, i)
	}
	for _, x := range d.PMUs {
		i, err := bus(x.Bus, x.ID)
		if err != nil {
			return nil, err
		}
		r.Voltages = append(r.Voltages, i)
	}
	m, err := b.reduced(r)
	if err != nil {
		return nil, err
	}
	return plainModel(m, d), nil
}

// reductions are the reduced models made so far, by what they depend on: that of
// 118 buses takes two seconds, and is the same in all runs of a sweep.
var reductions sync.Map // string to func() (*grid.ReducedModel, error)

// reduced is a model that nobody may change.
func (b *builder) reduced(r grid.Reduction) (*grid.ReducedModel, error) {
	hash, err := b.def.caseHash()
	if err != nil {
		return nil, err
	}
	avr := b.def.Grid.AVR
	made, _ := reductions.LoadOrStore(fmt.Sprintf("%s %t %v", hash, avr, r), sync.OnceValues(func() (*grid.ReducedModel, error) {
		return grid.Reduce(b.power, grid.Options{AVR: avr}, r)
	}))
	return made.(func() (*grid.ReducedModel, error))()
}

// plainModel hands a reduced model over in scada's terms.
func plainModel(m *grid.ReducedModel, d *Definition) *scada.GridModel {
	phi, gamma := m.Sample(d.Reconfigure.Period.Seconds())
	out := &scada.GridModel{
		StepNS: d.Reconfigure.Period.Nanoseconds(),
		A:      rows(phi), B: rows(gamma), LoadB: mat.Col(nil, m.LoadColumn(), gamma),
		C:       [2][]float64{mat.Row(nil, 0, m.C), mat.Row(nil, 1, m.C)},
		LoadD:   [2]float64{m.D.At(0, m.LoadColumn()), m.D.At(1, m.LoadColumn())},
		PMUVolt: slices.Clone(m.VoltagePU),
	}
	for i := range d.Generators {
		avr, ok := m.VrefColumn(i)
		if !ok {
			avr = -1
		}
		out.AGC, out.AVR = append(out.AGC, m.PrefColumn(i)), append(out.AVR, avr)
	}
	for i := range d.Blocks {
		out.Blocks = append(out.Blocks, m.BlockColumn(i))
	}
	return out
}

func rows(m *mat.Dense) [][]float64 {
	n, _ := m.Dims()
	out := make([][]float64, n)
	for i := range out {
		out[i] = mat.Row(nil, i, m)
	}
	return out
}
