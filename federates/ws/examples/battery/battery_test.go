package main

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"cosim/sync"
)

func (b *battery) advance(deviationHz float64) float64 {
	s := &sync.Step{In: []sync.Signal{{Values: []float64{deviationHz}}}, Out: []sync.Signal{{Values: make([]float64, 1)}, {Values: make([]float64, 1)}}}
	if err := b.Step(s); err != nil {
		panic(err) // it never fails
	}
	return s.Out[0].Values[0]
}

func TestBatteryOpposesTheDeviation(t *testing.T) {
	b := &battery{PowerMW: 100, EnergyMWh: 50, StoredMWh: 25, GainMWPerHz: 2000, DeadBandHz: 0.01, LagS: 0.2}
	for _, test := range []struct{ deviationHz, powerMW float64 }{{-0.02, 40}, {0.02, -40}, {-0.2, 100}, {0.2, -100}, {0.005, 0}} {
		got := 0.0
		for range 50 {
			got = b.advance(test.deviationHz)
		}
		if math.Abs(got-test.powerMW) > 0.01 {
			t.Errorf("at %v Hz %v MW, want %v", test.deviationHz, got, test.powerMW)
		}
	}
}

// What goes out is missing inside, and neither leaves its bounds.
func TestEnergyIsConserved(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := &battery{PowerMW: 100, EnergyMWh: 0.05, StoredMWh: rapid.Float64Range(0, 0.05).Draw(t, "stored"), GainMWPerHz: 2000, LagS: 0.2}
		start, given := b.StoredMWh, 0.0
		for range 100 {
			p := b.advance(rapid.Float64Range(-0.2, 0.2).Draw(t, "deviation"))
			given += p * 0.1 / 3600
			if math.Abs(p) > 100+1e-9 || b.StoredMWh < -1e-12 || b.StoredMWh > 0.05+1e-12 {
				t.Fatalf("%v MW, %v MWh", p, b.StoredMWh)
			}
		}
		if math.Abs(start-given-b.StoredMWh) > 1e-12 {
			t.Fatalf("%v MWh - %v given is not %v", start, given, b.StoredMWh)
		}
	})
}
