package scada

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"cosim/internal/rng"
	"cosim/scada/q3p"
)

// flatPool is a pool that never ends and keeps no books, so that benchmarks
// measure the system alone.
type flatPool struct {
	key  [1024]byte
	next int64
}

func (p *flatPool) Available(DrawRequest) int64 { return plenty }

func (p *flatPool) Draw(_ DrawRequest, bits int) (q3p.Key, int64, error) {
	k := q3p.Key{Offset: p.next, Bytes: p.key[:bits/8]}
	p.next += int64(bits)
	return k, 0, nil
}

func (p *flatPool) Key(_ int64, n int) ([]byte, error) { return p.key[:n/8], nil }
func (p *flatPool) Release(int64, int)                 {}

// loop is a system whose frames arrive in the next step: a network without
// cost.
type loop struct {
	sys    *System
	ieds   map[string]*IED
	in     Input
	out    Output
	ends   map[string][2]string // of a leg
	nowNS  int64
	frames int
}

func newLoop(b *testing.B, cfg Config) *loop {
	pools := map[string]KeyPool{}
	for _, l := range cfg.Links {
		if l.Quantum {
			pools[l.Name] = &flatPool{}
		}
	}
	stream := func(name string) *rand.Rand { return rng.Stream(7, name) }
	sys, err := New(cfg, pools, stream)
	if err != nil {
		b.Fatal(err)
	}
	ieds, err := NewIEDs(cfg, PresharedSecret(stream("scada/psk")))
	if err != nil {
		b.Fatal(err)
	}
	l := &loop{sys: sys, ieds: ieds, ends: map[string][2]string{}}
	for i := range sys.chains {
		for _, ways := range [][]route{sys.chains[i].forward, sys.chains[i].back} {
			for _, r := range ways {
				for _, g := range r.legs {
					l.ends[g.path] = [2]string{g.via.from, g.via.to}
				}
			}
		}
	}
	for range cfg.PMUs {
		l.in.SampleFreqHz = append(l.in.SampleFreqHz, 60)
		l.in.SampleVoltagePU = append(l.in.SampleVoltagePU, 1)
	}
	return l
}

func (l *loop) step(b *testing.B) {
	l.in.Deliveries, l.in.Applied = l.in.Deliveries[:0], l.in.Applied[:0]
	for _, f := range l.out.Frames {
		ends := l.ends[f.Route]
		if d := l.ieds[ends[1]]; d != nil {
			_, verdict, _ := d.Receive(ends[0], f.Payload)
			l.in.Applied = append(l.in.Applied, Applied{l.nowNS - testStep + ms, f.ID, ends[1], verdict})
			continue
		}
		l.in.Deliveries = append(l.in.Deliveries, Delivery{l.nowNS - testStep + ms, f.ID, ends[1], ends[0], f.Payload})
	}
	if err := l.sys.Step(l.nowNS, l.nowNS+testStep, &l.in, &l.out); err != nil {
		b.Fatal(err)
	}
	l.frames += len(l.out.Frames)
	l.nowNS += testStep
}

// BenchmarkSecond is one second of the 39-bus case, static plan: 120
// measurements over two legs each, set points, confirmations and
// acknowledgements, all sealed and opened.
func BenchmarkSecond(b *testing.B) {
	for _, mode := range []Mode{OTP, AESWC, AES} {
		b.Run(fmt.Sprint(mode), func(b *testing.B) {
			cfg := testConfig()
			cfg.Classes = DefaultClasses()
			for name, c := range cfg.Classes {
				c.StaticMode = max(mode, c.MinMode)
				cfg.Classes[name] = c
			}
			l := newLoop(b, cfg)
			b.ReportAllocs()
			for b.Loop() {
				for range 100 {
					l.step(b)
				}
			}
			b.ReportMetric(float64(l.frames)/float64(b.N), "frames/op")
		})
	}
}

// BenchmarkIdleStep is a step in which nothing is due.
func BenchmarkIdleStep(b *testing.B) {
	cfg := testConfig()
	l := newLoop(b, cfg)
	for range 100 {
		l.step(b)
	}
	// Time stands still in a quiet part of a second.
	for l.nowNS%(100*ms) != 60*ms {
		l.step(b)
	}
	l.in.Deliveries, l.in.Applied = nil, nil
	from := l.nowNS
	b.ReportAllocs()
	for b.Loop() {
		if err := l.sys.Step(from, from+testStep, &l.in, &l.out); err != nil {
			b.Fatal(err)
		}
	}
}
