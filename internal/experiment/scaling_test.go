package experiment

import (
	"math"
	"slices"
	"strconv"
	"testing"

	"cosim/cases"
	"cosim/grid"
	"cosim/quantum"
	"cosim/scada"
	"cosim/scada/iec104"
	"cosim/scada/q3p"
)

// wishedBPS is the key that all chains of d wish of the links at control
// centres, in their static routes and wished modes; tasks on demand are left out.
func wishedBPS(t *testing.T, d *Definition) float64 {
	t.Helper()
	centre := d.centreLinks()
	joins := map[[2]string]string{}
	for _, l := range d.quantumLinks() {
		joins[[2]string{l.A, l.B}], joins[[2]string{l.B, l.A}] = l.Name, l.Name
	}
	sum := 0.0
	for _, c := range d.Chains {
		class := d.Classes[c.Task]
		asdu := iec104.ASDU{Type: iec104.TypeID(class.ASDUType), Objects: []iec104.Object{{IOA: 1}}}
		messages := 2.0 // with the confirmation
		switch c.Task {
		case scada.TaskPMU:
			asdu.Objects = append(asdu.Objects, iec104.Object{IOA: 2})
			messages = 1
		case scada.TaskInterrogation:
			messages = 3
		}
		apdu, err := iec104.AppendI(nil, 0, 0, &asdu)
		if err != nil {
			t.Fatal(err)
		}
		rate := 0.0
		switch class.Trigger {
		case scada.Periodic:
			rate = 1 / class.Period.Seconds()
		case scada.Poisson:
			rate = class.RateHz
		}
		for i := 1; i < len(c.Routes[0]); i++ {
			if centre[joins[[2]string{c.Routes[0][i-1], c.Routes[0][i]}]] {
				sum += rate * messages * float64(q3p.DefaultKeyPolicy().DrawBits(c.Mode, 8*len(apdu), false))
			}
		}
	}
	return sum
}

func centreYieldBPS(d *Definition) float64 {
	centre, sum := d.centreLinks(), 0.0
	for _, l := range d.quantumLinks() {
		if centre[l.Name] {
			sum += quantum.NominalRateBPS(d.linkConfig(l))
		}
	}
	return sum
}

// freeNadirHz is the mean over all buses that a contingency can hit, areas
// alike, of the lowest frequency of the centre of inertia after 1 MW, with
// governors alone.
func freeNadirHz(t *testing.T, d *Definition) float64 {
	t.Helper()
	c, err := cases.Load(d.Case)
	if err != nil {
		t.Fatal(err)
	}
	mean := 0.0
	for _, a := range d.Areas {
		buses := d.contingencyBuses(c, a)
		for _, b := range buses {
			sim, err := grid.NewSimulator(c, grid.Options{AVR: d.Grid.AVR})
			if err != nil {
				t.Fatal(err)
			}
			i, _ := c.BusIndex(strconv.Itoa(b))
			sim.AddLoadMW(i, 1, 0)
			nadir := 0.0
			for range 800 {
				sim.Advance()
				nadir = min(nadir, sim.COIFreqHz())
			}
			mean += nadir / float64(len(buses)*len(d.Areas))
		}
	}
	return mean
}

// The two values of the 118-bus case that are not the 39-bus case's are scaled
// by rule and not fitted: as much key for each wished bit, and as deep a dip of
// the frequency if nobody acts.
func Test118BusesAreCalibratedByTheRules(t *testing.T) {
	small, large := load(t, "S-2"), load(t, "S-2", "case=ieee118")
	ratio := func(d *Definition) float64 { return centreYieldBPS(d) / wishedBPS(t, d) }
	pulses := large.Quantum.PulseRateHz * ratio(small) / ratio(large)
	t.Logf("yield to wish: %.4f and %.4f (%.0f and %.0f bit/s wished); pulse rate by rule %.0f Hz", ratio(small), ratio(large), wishedBPS(t, small), wishedBPS(t, large), pulses)
	if math.Abs(large.Quantum.PulseRateHz/pulses-1) > 1e-3 {
		t.Errorf("pulse rate %.0f Hz, the rule gives %.0f", large.Quantum.PulseRateHz, pulses)
	}
	a, b := freeNadirHz(t, small), freeNadirHz(t, large)
	size := small.Disturb.Contingencies.SizeMW * a / b
	t.Logf("free nadir of 1 MW: %.4f and %.4f mHz; contingency by rule %.1f MW", 1e3*a, 1e3*b, size)
	if math.Abs(large.Disturb.Contingencies.SizeMW/size-1) > 1e-3 {
		t.Errorf("contingency of %.1f MW, the rule gives %.1f", large.Disturb.Contingencies.SizeMW, size)
	}
	if large.Keys.Store.Share != small.Keys.Store.Share {
		t.Errorf("store share %v, fitted on 39 buses: %v", large.Keys.Store.Share, small.Keys.Store.Share)
	}
	threshold := small.Controller.Emergency.ThresholdMW / small.Disturb.Contingencies.SizeMW
	if got := large.Controller.Emergency.ThresholdMW / large.Disturb.Contingencies.SizeMW; math.Abs(got/threshold-1) > 1e-2 {
		t.Errorf("the emergency's threshold is %.3f of a contingency, on 39 buses %.3f", got, threshold)
	}
	var names []string
	for _, o := range large.Operators {
		names = append(names, o.Name)
	}
	if !slices.Equal(names, []string{"TSO", "DSO1", "DSO2", "DSO3"}) || len(large.Chains) < 120 {
		t.Errorf("operators %v with %d chains", names, len(large.Chains))
	}
}
