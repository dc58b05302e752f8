package scada

import (
	"math"
	"slices"

	"cosim/scada/reconfig"
)

// accounts say what of each pool's key belongs to each operator where none may
// have what another leaves: the fixed shares of S-4. Of new key everyone is
// credited the same part, up to that part of what the pool can hold; what is
// drawn for an operator's chains is debited to it, and what is drawn for nobody's
// to all. Key above a full account belongs to nobody, and is what the full pool
// discards next.
//
// An account may fall below zero, for orders and emergencies draw what no plan
// gave them.
type accounts struct {
	books     [][]*account      // by operator and pool
	pools     [][]reconfig.Pool // of each operator, for its problem
	drawers   [][]*association  // by pool: who draws from it
	seen      []PoolSupply      // at the last decision, by pool
	headrooms []float64         // scratch, by operator
}

// account is an operator's part of a pool.
type account struct {
	heldBits  float64
	drawnBits float64 // since the start, its part of what was drawn for nobody included
	supply    PoolSupply
	unplanned unplanned
}

func newAccounts(operators, steps int, drawers [][]*association) *accounts {
	a := &accounts{drawers: drawers, seen: make([]PoolSupply, len(drawers)), headrooms: make([]float64, operators)}
	for range operators {
		books, pools := make([]*account, len(drawers)), make([]reconfig.Pool, len(drawers))
		for e := range books {
			books[e] = &account{unplanned: newUnplanned(steps), supply: PoolSupply{MeanBits: make([]float64, steps), VarBits2: make([]float64, steps)}}
			pools[e].StockBits, pools[e].StockVarBits = make([]float64, steps), make([]float64, steps)
		}
		a.books, a.pools = append(a.books, books), append(a.pools, pools)
	}
	return a
}

// observe books what happened to pool e since the last decision.
func (a *accounts) observe(e int, s *PoolSupply) {
	n, last := float64(len(a.books)), &a.seen[e]
	others := s.DrawnBits
	for o := range a.books {
		others -= a.drawn(o, e)
	}
	sum := 0.0
	for o := range a.books {
		x := a.books[o][e]
		if drawn := a.drawn(o, e) + others/n; last.CapBits == 0 { // the first decision
			x.heldBits, x.drawnBits = s.StockBits/n, drawn
		} else {
			x.heldBits += (s.GeneratedBits-last.GeneratedBits)/n - (drawn - x.drawnBits)
			x.drawnBits = drawn
		}
		x.heldBits = math.Min(x.heldBits, s.CapBits/n)
		sum += x.heldBits
	}
	if lost := sum - s.StockBits; lost > 0 { // key that grew too old
		for o := range a.books {
			a.books[o][e].heldBits -= lost / n
		}
	}
	last.GeneratedBits, last.CapBits = s.GeneratedBits, s.CapBits
}

// drawn is what was drawn from pool e for the chains of operator o.
func (a *accounts) drawn(o, e int) float64 {
	sum := int64(0)
	for _, x := range a.drawers[e] {
		sum += x.drawnBits[o]
	}
	return float64(sum)
}

// divide sets what each operator has to plan with of pool e: its account, and
// the same part of everything else. An account that does not hold its part of
// K_safe and of the margin for what may not come is lent that much by the
// others, for the key it overdrew is gone; where all together do not, all have
// the same part of what there is.
func (a *accounts) divide(e int, s *PoolSupply, kappa, weight float64) {
	n := float64(len(a.books))
	missing, spare := 0.0, 0.0
	for o := range a.books {
		x := &a.books[o][e].supply
		*x = PoolSupply{
			Link: s.Link, StockBits: a.books[o][e].heldBits, MeanBits: x.MeanBits, VarBits2: x.VarBits2,
			SafeBits: s.SafeBits / n, ThresholdBits: s.ThresholdBits / n, Reserved: s.Reserved, CapBits: s.CapBits / n,
			DrawnBits: a.books[o][e].drawnBits,
		}
		for t := range x.MeanBits {
			x.MeanBits[t], x.VarBits2[t] = s.MeanBits[t]/n, s.VarBits2[t]/(n*n)
		}
		a.headrooms[o] = x.headroom(kappa)
		missing += math.Max(0, -a.headrooms[o])
		spare += math.Max(0, a.headrooms[o])
	}
	for o := range a.books {
		book := a.books[o][e]
		switch x, h := &book.supply, a.headrooms[o]; {
		case missing > spare:
			x.StockBits = s.StockBits / n
		case h < 0:
			x.StockBits -= h
		case missing > 0:
			x.StockBits -= h * missing / spare
		}
		book.unplanned.observe(book.drawnBits, weight)
	}
}

// headroom is what the tightest row of a pool leaves with all chains off.
func (s *PoolSupply) headroom(kappa float64) float64 {
	least := math.Inf(1)
	for t, mean := range s.MeanBits {
		margin := kappa * math.Sqrt(s.VarBits2[t])
		least = math.Min(least, math.Max(0, math.Min(mean, s.CapBits-s.StockBits)-margin))
	}
	if s.Reserved {
		least -= s.SafeBits
	}
	return s.StockBits + least
}

// drawers are the associations that draw from each of the pools named.
func (s *System) drawers(pools []string) [][]*association {
	out := make([][]*association, len(pools))
	for _, l := range s.cfg.Links {
		e := slices.Index(pools, l.Name)
		for _, ends := range [2][2]string{{l.A, l.B}, {l.B, l.A}} {
			if a := s.associations[ends]; a != nil && e >= 0 {
				out[e] = append(out[e], a)
			}
		}
	}
	return out
}
