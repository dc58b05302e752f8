//go:build integration

package reconfig

import (
	"fmt"
	"math"
	"slices"
)

// cone is a chance constraint m + g(v) ≤ b with g(v) = κ√(P + v). As g is
// concave its chords lie below it: between neighbouring knots v_i the programme
// has the chord in its place,
//
//	v = Σ_i (v_i·k_i + λ_i),   0 ≤ λ_i ≤ (v_{i+1} − v_i)·k_i,   Σ_i k_i = 1,
//	m + Σ_i (g(v_i)·k_i + λ_i·(g(v_{i+1}) − g(v_i))/(v_{i+1} − v_i)) ≤ b,
//
// with a binary k_i an interval. It is right at every plan whose variance is a
// knot, and no plan that keeps the constraint breaks it.
type cone struct {
	number    int
	draws     []draw
	kappa     float64
	supplyVar float64 // P, with what others draw
	limit     float64 // b, with the error that Evaluate allows
	knots     []float64
}

// draw is what an option of a chain takes in one step from some pool.
type draw struct {
	l, o, t        int
	mean, variance float64
}

// drawn lists what a row of pool e up to step t counts.
func (x *approximation) drawn(e, t int, k class) []draw {
	var all []draw
	for l := range x.p.Chains {
		if k == lower && x.p.Chains[l].Highest {
			continue
		}
		for s := range t + 1 {
			for _, o := range x.available(l, s) {
				for _, d := range x.p.Chains[l].Options[o].Draws {
					if d.Pool == e {
						all = append(all, draw{l, o, s, d.MeanBits[s], d.VarBits2[s]})
					}
				}
			}
		}
	}
	return all
}

// addCones makes the chance constraints of a pool.
func (x *approximation) addCones(e int) {
	pool := &x.p.Pools[e]
	for t := range x.p.Steps {
		for _, k := range []class{everyone, lower} {
			limit := pool.StockBits[t]
			if k == lower {
				limit -= pool.ReserveBits
			}
			limit = math.Max(limit, x.p.Kappa*math.Sqrt(pool.StockVarBits[t])) // see Problem.Slacks
			mean, variance := pool.Others.Row(t, k == lower)
			variance += pool.StockVarBits[t]
			limit = math.Max(limit-mean, x.p.Kappa*math.Sqrt(variance)) // others may fill it
			c := &cone{
				number: len(x.cones), draws: x.drawn(e, t, k), kappa: x.p.Kappa,
				supplyVar: variance, limit: limit + tolerance*math.Max(1, limit),
			}
			c.knots = []float64{0, c.most()}
			x.cones = append(x.cones, c)
		}
	}
}

// most variance that can be drawn: each chain's most random option in each
// step, and no more than breaks the constraint by itself.
func (c *cone) most() float64 {
	sum := 0.0
	most := map[[2]int]float64{}
	for _, d := range c.draws {
		if key := [2]int{d.l, d.t}; d.variance > most[key] {
			sum += d.variance - most[key]
			most[key] = d.variance
		}
	}
	if c.kappa > 0 {
		sum = math.Min(sum, math.Pow(c.limit/c.kappa, 2)-c.supplyVar)
	}
	return sum
}

func (c *cone) g(v float64) float64 { return c.kappa * math.Sqrt(c.supplyVar+v) }

// write adds the cone to a programme.
func (c *cone) write(p *programme) {
	var mean, variance sum
	for _, d := range c.draws {
		mean.add(d.mean, z(d.l, d.o, d.t))
		variance.add(d.variance, z(d.l, d.o, d.t))
	}
	top := c.knots[len(c.knots)-1]
	if c.kappa == 0 || top <= 0 || len(variance) == 0 {
		p.atMost(mean, c.limit-c.g(0))
		if c.kappa > 0 && len(variance) > 0 {
			p.atMost(variance, 0)
		}
		return
	}
	if len(c.knots) == 2 {
		for _, x := range variance {
			mean.add(x.factor*(c.g(top)-c.g(0))/top, x.variable)
		}
		p.atMost(mean, c.limit-c.g(0))
		return
	}
	var single sum
	for i, v := range c.knots[:len(c.knots)-1] {
		k, lambda := fmt.Sprintf("k_%d_%d", c.number, i), fmt.Sprintf("l_%d_%d", c.number, i) // λ in units of top
		width := c.knots[i+1] - v
		p.binary = append(p.binary, k)
		single.add(1, k)
		p.atMost(sum{{1, lambda}, {-width / top, k}}, 0)
		variance.add(-v, k)
		variance.add(-top, lambda)
		mean.add(c.g(v), k)
		mean.add((c.g(v+width)-c.g(v))/width*top, lambda)
	}
	p.equal(single, 1)
	p.equal(variance, 0)
	p.atMost(mean, c.limit)
}

// judge adds a knot where a plan breaks the constraint.
func (c *cone) judge(plan Plan) (broken, added bool) {
	mean, variance := 0.0, 0.0
	for _, d := range c.draws {
		if plan[d.l][d.t] == d.o {
			mean += d.mean
			variance += d.variance
		}
	}
	if mean+c.g(variance) <= c.limit {
		return false, false
	}
	top := c.knots[len(c.knots)-1]
	i, _ := slices.BinarySearch(c.knots, variance)
	if variance >= top || variance-c.knots[max(0, i-1)] < 1e-9*top || c.knots[i]-variance < 1e-9*top {
		return true, false
	}
	c.knots = slices.Insert(c.knots, i, variance)
	return true, true
}

// support adds the hyperplane that supports the norm at z̄, if a solution breaks
// m + κ‖(√P, σz)‖ ≤ b:
//
//	m + κ·(P + Σ σ² z̄ z)/‖(√P, σz̄)‖ ≤ b.
func (x *approximation) support(c *cone, values map[string]float64, relative float64) {
	mean, square := 0.0, c.supplyVar
	for _, d := range c.draws {
		share := values[z(d.l, d.o, d.t)]
		mean += d.mean * share
		square += d.variance * share * share
	}
	norm := math.Sqrt(square)
	if norm == 0 || mean+c.kappa*norm <= c.limit+relative*math.Max(1, c.limit) {
		return
	}
	var row sum
	for _, d := range c.draws {
		row.add(d.mean+c.kappa*d.variance*values[z(d.l, d.o, d.t)]/norm, z(d.l, d.o, d.t))
	}
	x.atMost(row, c.limit-c.kappa*c.supplyVar/norm)
	x.cuts++
}
