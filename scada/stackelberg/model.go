package stackelberg

import (
	"cosim/scada/reconfig"
)

// model is the leader's problem in a round: its own chains, with the rates at
// which its objective follows its draws through the followers' response.
type model struct {
	part  *reconfig.Problem // with costs and pools of its own
	rates [2][][]float64    // of a bit of mean, by pool and step; all chains, and also lower classes
	vars  [2][][]float64    // of a bit² of variance
	end   []float64         // what the incumbent draws of its own, by pool
}

func newModel(m *match) model {
	s := model{part: m.p.Part(m.leaders, nil)}
	s.part.Chains = copied(m.p, m.leaders)
	for c := range 2 {
		s.rates[c], s.vars[c] = table(len(m.p.Pools), m.p.Steps), table(len(m.p.Pools), m.p.Steps)
	}
	return s
}

func table(rows, columns int) [][]float64 {
	buffer := make([]float64, rows*columns)
	out := make([][]float64, rows)
	for i := range out {
		out[i], buffer = buffer[:columns:columns], buffer[columns:]
	}
	return out
}

// propose is the leader's best plan about the incumbent, nil if the model sees
// none that is worth a round.
func (s *model) propose(m *match) (reconfig.Plan, error) {
	s.set(m)
	r, err := m.account.sketch(s.part, m.warm[0].With(m.best.plan))
	if err != nil {
		return nil, err
	}
	m.warm[0] = r.Warm()
	now, err := s.part.Evaluate(m.best.plan)
	if err != nil || distance(r.Plan, m.best.plan) == 0 || now.Objective-r.Evaluation.Objective < m.worth() {
		return nil, err
	}
	return r.Plan, nil
}

// set makes the leader's objective about the incumbent: its own costs, the
// shared ones with the followers' draws as they are, and linear terms for the
// rest, so that its slope is that of the leader's objective at the response.
//
//	fairness of its own grants    −2ρ_F(1−s)/asked a bit
//	rows of the pools             rate a bit, rate·κ/2√(P+v) a bit² of variance
//	terminal rows                 rate less the price of the next bit
//	proximal                      2ρ for another option in a step
//
// A chain that is off is not held there: what keeps steps small would otherwise
// leave commands unsent for as long as they cost less than it.
func (s *model) set(m *match) {
	s.price(m)
	b := m.best
	grant := m.key.slope(b.shares, m.p.Operators.Leader)
	h := m.p.Steps
	for i, l := range m.leaders {
		from, to := &m.p.Chains[l], &s.part.Chains[i]
		c := 1
		if from.Highest {
			c = 0
		}
		for o := range to.Options {
			for t, cost := range from.Options[o].Cost {
				cost += grant * m.key.grant[l][o*h+t]
				if now := b.plan[i][t]; o != now && now != 0 {
					cost += 2 * m.rho
				}
				for k := range from.Options[o].Draws {
					d := &from.Options[o].Draws[k]
					cost += d.MeanBits[t]*s.rates[c][d.Pool][t] + d.VarBits2[t]*s.vars[c][d.Pool][t]
				}
				to.Options[o].Cost[t] = cost
			}
		}
	}
	own := append(reconfig.Mix(nil), b.mix...)
	follow := append(reconfig.Mix(nil), b.mix...)
	for _, l := range m.leaders {
		follow[l] = nil
	}
	for _, l := range m.followers {
		own[l] = nil
	}
	s.end = m.p.EndBits(own)
	beside := m.p.Part(m.leaders, follow)
	s.part.Grid = beside.Grid
	for e := range s.part.Pools {
		s.part.Pools[e].Others = beside.Pools[e].Others
	}
	// An active pair is priced and its row is the leader's to fill, but for what
	// is nobody's plan; any other row is to stay slack, followers' draws included.
	for _, row := range b.relaxed.Rows {
		if row.Terminal || row.Price <= 0 {
			continue
		}
		o, t := s.part.Pools[row.Pool].Others, row.Step
		mean, variance := m.p.Pools[row.Pool].Others.Row(t, row.Lower)
		if row.Lower {
			o.LowerMeanBits[t], o.LowerVarBits2[t] = mean, variance
		} else {
			o.MeanBits[t], o.VarBits2[t] = mean, variance
		}
	}
}

// price sums the rates of rows from each step on.
func (s *model) price(m *match) {
	for c := range 2 {
		for e := range m.p.Pools {
			clear(s.rates[c][e])
			clear(s.vars[c][e])
		}
	}
	all, lower := m.p.Spread(m.best.mix)
	end := m.p.EndBits(m.best.mix)
	h := m.p.Steps
	for _, row := range m.best.relaxed.Rows {
		e, t := row.Pool, row.Step
		switch {
		case row.Terminal:
			x := (row.Rate - m.p.EndPrice(e, end[e])) * (1 + m.p.Pools[e].Terminal.LookaheadFactor)
			s.rates[0][e][h-1] += x
			s.rates[1][e][h-1] += x
		case row.Lower:
			s.rates[1][e][t] += row.Rate
			s.vars[1][e][t] += perVariance(row.Rate, m.p.Kappa, lower[e][t])
		default:
			x := perVariance(row.Rate, m.p.Kappa, all[e][t])
			for c := range 2 {
				s.rates[c][e][t] += row.Rate
				s.vars[c][e][t] += x
			}
		}
	}
	for c := range 2 {
		for e := range m.p.Pools {
			for t := h - 2; t >= 0; t-- {
				s.rates[c][e][t] += s.rates[c][e][t+1]
				s.vars[c][e][t] += s.vars[c][e][t+1]
			}
		}
	}
}

// perVariance is the rate of a bit² of variance in m + κ√(P+v).
func perVariance(rate, kappa, spread float64) float64 {
	if spread == 0 {
		return 0
	}
	return rate * kappa / (2 * spread)
}
