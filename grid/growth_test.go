package grid

import (
	"errors"
	"math"
	"os"
	"testing"

	"gonum.org/v1/gonum/floats"
)

// linearWithout linearises a shipped case with some branches out.
func linearWithout(t testing.TB, name string, opt Options, branches ...string) (*linear, topology) {
	t.Helper()
	c, err := ReadTables(os.DirFS("../cases"), name)
	if err != nil {
		t.Fatal(err)
	}
	if err := opt.complete(); err != nil {
		t.Fatal(err)
	}
	sys, err := newSystem(c, opt)
	if err != nil {
		t.Fatal(err)
	}
	out := topology{make([]bool, len(c.Gens)), make([]bool, len(c.Branches))}
	for _, id := range branches {
		k, _ := c.BranchIndex(id)
		out.branches[k] = true
	}
	d, err := newDAE(sys, out.gens, out.branches)
	if err != nil {
		t.Fatal(err)
	}
	lin, err := newLinear(d)
	if err != nil {
		t.Fatal(err)
	}
	return lin, out
}

// A refused system really moves away from rest as fast as the error says.
func TestRefusedSystemGrowsAtTheStatedRate(t *testing.T) {
	for _, tc := range []struct {
		opt Options
		out []string
	}{
		{Options{AVR: true}, []string{"19-20"}},
		{Options{AVR: true}, []string{"20-34"}},
		{Options{AGC: &AGC{GainPerS: 5}}, nil},
		{Options{AVR: true, AGC: &AGC{GainPerS: 100}}, []string{"5-6"}},
	} {
		lin, out := linearWithout(t, "ieee39", tc.opt, tc.out...)
		var unstable *UnstableError
		if err := lin.checkStable(out); !errors.As(err, &unstable) {
			t.Errorf("%v: got %v", tc.out, err)
			continue
		}
		p := newStepper(lin, shape{})
		z, next, held := make([]float64, p.nz), make([]float64, p.nz), make([]float64, p.nz)
		for i := range z {
			z[i] = 1
		}
		// Only the fastest mode is left after so long; the size is brought back
		// to 1 once a second, and its mean growth over many periods taken.
		const settle, seconds = 300, 3000
		sum := 0.0
		for s := range settle + seconds {
			for range 100 {
				p.advance(z, held, next)
				z, next = next, z
			}
			size := floats.Norm(z, 2)
			floats.Scale(1/size, z)
			if s >= settle {
				sum += math.Log(size)
			}
		}
		if got := sum / seconds; math.Abs(got-unstable.GrowthPerS) > 0.005*unstable.GrowthPerS {
			t.Errorf("%v: grows by %.5f 1/s, stated %.5f", unstable, got, unstable.GrowthPerS)
		}
	}
}

func BenchmarkCheckStable(b *testing.B) {
	for _, bench := range []struct {
		name, system string
		opt          Options
	}{
		{"39 buses", "ieee39", Options{}},
		{"39 buses, AVR and AGC", "ieee39", Options{AVR: true, AGC: &AGC{GainPerS: 0.03}}},
		{"118 buses", "ieee118", Options{}},
	} {
		lin, out := linearWithout(b, bench.system, bench.opt)
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := lin.checkStable(out); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
