package scada

import (
	"math"
	"strings"
	"testing"

	"cosim/internal/rng"
	"cosim/scada/q3p"
	"cosim/scada/reconfig"

	"pgregory.net/rapid"
)

// A constant excess over the plan is learnt, without variance; so is none.
func TestConstantExcessIsLearnt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		excess := rapid.Float64Range(-1e4, 1e4).Draw(t, "excess")
		planned := rapid.SliceOfN(rapid.Float64Range(0, 1e5), 500, 500).Draw(t, "planned")
		u := newUnplanned(10)
		drawn := 0.0
		u.observe(drawn, 0.02)
		for _, p := range planned {
			u.plannedBits = p
			drawn += p + excess
			u.observe(drawn, 0.02)
		}
		x := u.expected()
		want := math.Max(0, excess)
		for step, mean := range x.MeanBits {
			if math.Abs(mean-float64(step+1)*want) > 1e-3*(1+10*want) {
				t.Fatalf("excess %g: %g bits expected up to step %d", excess, mean, step)
			}
		}
		if x.EndBits != x.MeanBits[9] || math.Sqrt(x.VarBits2[9]) > 0.05*(1+math.Abs(excess)) {
			t.Fatalf("excess %g: %g bits at the end, deviation %g", excess, x.EndBits, math.Sqrt(x.VarBits2[9]))
		}
	})
}

// Of independent errors mean and variance are found, to what an exponential
// window of 50 steps can tell.
func TestRandomExcessHasItsVariance(t *testing.T) {
	r := rng.Stream(1, "unplanned")
	u := newUnplanned(4)
	drawn, means, variances, n := 0.0, 0.0, 0.0, 0.0
	for i := range 20000 {
		u.observe(drawn, 0.02)
		drawn += 300 + 100*r.NormFloat64()
		if i > 500 {
			means, variances, n = means+u.meanBits, variances+u.varBits2, n+1
		}
	}
	if mean, deviation := means/n, math.Sqrt(variances/n); math.Abs(mean-300) > 3 || math.Abs(deviation-100) > 3 {
		t.Errorf("mean %.1f and deviation %.1f, want 300 and 100", mean, deviation)
	}
	x := u.expected()
	if math.Abs(x.VarBits2[3]-4*u.varBits2) > 1e-9 || x.LowerVarBits2[3] != x.VarBits2[3] {
		t.Errorf("variances %v by step, of one %v", x.VarBits2, u.varBits2)
	}
}

// What others draw from the pools is not there for the next plan: with a stock
// that lets measurements keep their pads over the horizon, they lose them where
// applications take as much again.
func TestPlansLeaveWhatOthersWillDraw(t *testing.T) {
	for _, others := range []float64{0, 20e3} { // bits a step
		w, p, supply := planned(t, 30e3+60e3, func(c *PlannerConfig) { c.Weights.TerminalPrice = 0 })
		for range 50 {
			decide(t, w, p, supply)
			for i := range supply {
				supply[i].DrawnBits += p.unplanned[i].plannedBits + others
			}
		}
		plan := decide(t, w, p, supply)
		pads := 0
		for i, o := range plan {
			if w.sys.chains[i].Task == TaskPMU && o.Mode == OTP {
				pads++
			}
		}
		if (pads == 0) != (others > 0) {
			t.Errorf("others draw %g bits a step: %d measurements in one-time pads", others, pads)
		}
	}
}

// A change of an uplink costs γ and, at the prices of the hard rows, the key of
// its order and of the answer: 64
// bits and a tag each in one-time pads, a tag in aes-wc, nothing in aes.
func TestOrdersArePaidForWithKey(t *testing.T) {
	_, p, _ := planned(t, 1e7, nil)
	const price = 1e-3
	var prices []reconfig.PoolPrices
	for range p.problem.Pools {
		prices = append(prices, reconfig.PoolPrices{
			Everyone: []float64{price / 2, 0}, Lower: []float64{price / 4, price / 4}, Terminal: price,
		})
	}
	p.priceOrders(&reconfig.Result{Prices: prices})
	for i := range p.options {
		c, got := &p.system.chains[i], p.problem.Chains[i].SwitchCost
		want, n := 0.0, 0.0
		for _, o := range p.options[i] {
			if o.Off {
				continue
			}
			n++
			if hops := float64(gatewaysOf(c.Routes[o.Route])); c.up && o.Mode != AES {
				want += 2 * price * hops * q3p.TagBits
				if o.Mode == OTP {
					want += 2 * price * hops * 8 * orderSize
				}
			}
		}
		if want = 0.02 + want/n; math.Abs(got-want) > 1e-12 {
			t.Errorf("%s: a change costs %g, want %g", c.ID, got, want)
		}
	}
}

// gatewaysOf counts the gateways of a route: so many of its hops take key.
func gatewaysOf(route []string) (n int) {
	for _, node := range route {
		if strings.HasPrefix(node, "GW") {
			n++
		}
	}
	return n
}
