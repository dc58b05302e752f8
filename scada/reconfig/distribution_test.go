package reconfig

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"
)

var distribution = flag.Bool("distribution", false, "measure the engine over sizes and instances")

// shipped is a decision like those of S-3 on the 39-bus case: gateways in a
// ring, the first pools between them and the centre, the others along the ring;
// of every eleven chains three measure, five or so are set points, two are
// blocks and one interrogates; three routes, three modes.
type shipped struct {
	rng      *rand.Rand
	steps    int
	chains   int
	gateways int
	ring     bool
	stock    []float64
	down     []int // steps from now until the link is back
	rate     []float64
	k        int
}

func newShipped(r *rand.Rand, chains, pools, steps int) *shipped {
	s := &shipped{rng: r, steps: steps, chains: chains, gateways: max(1, pools/2), ring: pools > 1}
	s.stock, s.down, s.rate = make([]float64, pools), make([]int, pools), make([]float64, pools)
	perPool := float64(chains) / 44 * 8 / float64(pools)
	for e := range pools {
		s.rate[e] = 10600 * perPool
		if e >= s.gateways {
			s.rate[e] = 4200 * perPool
		}
		s.stock[e] = 45000 * perPool * (0.2 + 1.8*r.Float64())
	}
	return s
}

// advance to the next decision: stocks follow supply and a rough consumption.
func (s *shipped) advance() {
	s.k++
	for e := range s.stock {
		if s.down[e] > 0 {
			s.down[e]--
		} else if s.rng.Float64() < 0.004 {
			s.down[e] = 30 + s.rng.IntN(20)
		}
		s.stock[e] += 0.1 * s.rate[e] * (0.3 + s.rng.NormFloat64())
		s.stock[e] = math.Max(0, s.stock[e])
	}
}

func (s *shipped) problem(before Plan) *Problem {
	p := &Problem{Steps: s.steps, Kappa: Gaussian(0.05)}
	scale := float64(s.chains) / 44 * 8 / float64(len(s.stock))
	for e := range s.stock {
		pool := Pool{ID: strconv.Itoa(e), ReserveBits: 30000 * scale}
		mean, variance := make([]float64, s.steps), make([]float64, s.steps)
		for t := range s.steps {
			if t > 0 {
				mean[t], variance[t] = mean[t-1], variance[t-1]
			}
			if t >= s.down[e] {
				mean[t] += 0.1 * s.rate[e]
				variance[t] += math.Pow(0.03*s.rate[e], 2)
			}
		}
		pool.SetSupply(s.stock[e], mean, variance, p.Kappa)
		pool.Terminal = Terminal{ThresholdBits: 45000 * scale, LookaheadFactor: 50 / float64(s.steps), PricePerBit: DefaultWeights().TerminalPrice, RampBits: 15000 * scale}
		p.Pools = append(p.Pools, pool)
	}
	for l := range s.chains {
		d := s.demand(l)
		if before != nil {
			d.Before = before[l][0]
		}
		p.Chains = append(p.Chains, d.Chain(DefaultWeights()))
	}
	return p
}

func (s *shipped) demand(l int) *Demand {
	g := l % s.gateways
	d := &Demand{ID: strconv.Itoa(l), Messages: make([]float64, s.steps), SwitchCost: 0.02, Before: NoOption}
	octets := 336.0
	rate := 0.0
	switch kind := (l / s.gateways) % 11; {
	case kind < 3:
		d.Priority, rate = Priority("pmu"), 1
	case kind < 6:
		d.Priority, octets, d.Periodic = Priority("agc"), 200, true
		for t := range d.Messages {
			if (s.k+t+1)%20 == 0 {
				d.Messages[t] = 1
			}
		}
	case kind < 8:
		d.Priority, octets, rate = Priority("avr"), 200, 0.02
	case kind < 10:
		d.Priority, octets, rate, d.Highest = Priority("shed"), 264, 0.002, true
	default:
		d.Priority, octets, d.Periodic = Priority("interrogation"), 128, true
		for t := range d.Messages {
			if (s.k+t+l*37)%300 == 0 {
				d.Messages[t] = 1
			}
		}
	}
	for t := range d.Messages {
		d.Messages[t] += rate
	}
	d.Modes = []Mode{{0, octets + 128, 0}, {1, 128, 0.1}, {2, 128. / 4096, 0.25}}
	n := len(s.stock)
	around := func(i int) int { return s.gateways + (i+s.gateways)%s.gateways%max(1, n-s.gateways) }
	d.Routes = [][]int{{g}}
	if s.ring && s.gateways > 1 {
		d.Routes = append(d.Routes, []int{(g + s.gateways - 1) % s.gateways, around(g - 1)}, []int{(g + 1) % s.gateways, around(g)})
	}
	d.Available = func(route, t int) bool {
		for _, e := range d.Routes[route] {
			if t < s.down[e] {
				return false
			}
		}
		return true
	}
	return d
}

type figures struct {
	times []time.Duration
	gaps  []float64
	work  Work
}

func (f *figures) add(d time.Duration, r *Result) {
	f.times, f.gaps = append(f.times, d), append(f.gaps, r.Gap)
	f.work.Evaluations += r.Work.Evaluations
	f.work.Nodes += r.Work.Nodes
	f.work.Pivots += r.Work.Pivots
}

func (f *figures) String() string {
	slices.Sort(f.times)
	slices.Sort(f.gaps)
	n := len(f.times)
	at := func(q float64) int { return min(n-1, int(q*float64(n))) }
	sum := time.Duration(0)
	for _, d := range f.times {
		sum += d
	}
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	return fmt.Sprintf("mean %6.2f  p50 %6.2f  p99 %6.2f  max %6.2f ms | gap p50 %.3f  p99 %.3f  max %.3f %% | %.1f nodes %.0f evaluations %.0f pivots",
		ms(sum)/float64(n), ms(f.times[at(0.5)]), ms(f.times[at(0.99)]), ms(f.times[n-1]),
		100*f.gaps[at(0.5)], 100*f.gaps[at(0.99)], 100*f.gaps[n-1],
		float64(f.work.Nodes)/float64(n), float64(f.work.Evaluations)/float64(n), float64(f.work.Pivots)/float64(n))
}

func measure(t *testing.T, chains, pools, steps, n int, b Budget) {
	var cold, warm figures
	for run := range max(1, n/100) {
		s := newShipped(stream("distribution-"+strconv.Itoa(run)), chains, pools, steps)
		var last *Result
		for range min(n, 100) {
			s.advance()
			var before Plan
			var next *Warm
			if last != nil {
				before, next = last.Plan, last.Next()
			}
			p := s.problem(before)
			start := time.Now()
			r := solve(t, Engine{}, p, nil, b)
			cold.add(time.Since(start), r)
			start = time.Now()
			last = solve(t, Engine{}, p, next, b)
			warm.add(time.Since(start), last)
		}
	}
	t.Logf("L %3d pools %d H %2d cold %s", chains, pools, steps, &cold)
	t.Logf("L %3d pools %d H %2d warm %s", chains, pools, steps, &warm)
}

// TestDistribution prints the tables of docs/performance.md:
//
//	go test ./scada/reconfig -run Distribution -v -distribution
func TestDistribution(t *testing.T) {
	if !*distribution {
		measure(t, 44, 8, 10, 400, DefaultBudget())
		return
	}
	measure(t, 44, 8, 10, 1000, DefaultBudget())
	for _, chains := range []int{20, 40, 100, 200} {
		for _, pools := range []int{1, 4, 8} {
			for _, steps := range []int{5, 10, 20} {
				measure(t, chains, pools, steps, 100, DefaultBudget())
			}
		}
	}
}

func BenchmarkShipped(b *testing.B) {
	s := newShipped(stream("benchmark"), 44, 8, 10)
	var problems []*Problem
	for range 50 {
		s.advance()
		problems = append(problems, s.problem(nil))
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		solve(b, Engine{}, problems[i%len(problems)], nil, DefaultBudget())
	}
}
