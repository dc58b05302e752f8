package reconfig

import (
	"strconv"
	"testing"
)

func TestProbe(t *testing.T) {
	for run := range 6 {
		s := newShipped(stream("distribution-"+strconv.Itoa(run)), 44, 8, 10)
		var before Plan
		shown := 0
		for range 100 {
			s.advance()
			p := s.problem(before)
			r := solve(t, Engine{}, p, nil, Budget{Nodes: 1})
			before = r.Plan
			if r.Gap > 0.008 && shown < 4 {
				shown++
				x := solve(t, Engine{}, p, nil, Budget{Nodes: 60, Gap: 0.005})
				y := solve(t, Engine{}, p, nil, Budget{Nodes: 3000, Gap: 1e-4})
				e := r.Evaluation
				t.Logf("run %d k %d root [%.4f %.4f] 60 [%.4f %.4f] many [%.4f %.4f] nodes %d cols %d/%d; terminal %.3f service %.3f switch %.3f slacks %d", run, s.k, r.Bound, e.Objective, x.Bound, x.Evaluation.Objective,
					y.Bound, y.Evaluation.Objective, y.Work.Nodes, r.Work.Columns, x.Work.Columns, e.Terminal, e.Service, e.Switching, len(r.Slacks))
				for e, x := range r.Prices {
					hard := 0
					for t := range x.Everyone {
						if x.Everyone[t] > 0 {
							hard++
						}
						if x.Lower[t] > 0 {
							hard += 100
						}
					}
					t.Logf("   pool %d stock %.0f-%.0f hard rows %d terminal %.5f", e, p.Pools[e].StockBits[0], p.Pools[e].StockBits[9], hard, x.Terminal)
				}
			}
		}
	}
}
