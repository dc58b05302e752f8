package stackelberg

import (
	"fmt"
	"slices"

	"cosim/scada/reconfig"
)

// Curve plays one game under each of rising limits of rounds: what fairness over
// rounds is drawn from. The results are those of Game.Solve with each limit in
// the place of Problem.Operators.Rounds, but for their Work, which goes on
// counting; a round is played once, whatever number of limits have it.
func Curve(p *reconfig.Problem, warm *reconfig.Warm, limits []int, budget reconfig.Budget) ([]*reconfig.Result, error) {
	if err := check(p); err != nil {
		return nil, err
	}
	if !slices.IsSorted(limits) || len(limits) > 0 && limits[0] < 1 {
		return nil, fmt.Errorf("stackelberg: limits of %d rounds, expected some from 1 on that rise", limits)
	}
	m := newMatch(p, account{budget: budget}, warm)
	var results []*reconfig.Result
	for _, m.limit = range limits {
		if err := m.play(); err != nil {
			return nil, err
		}
		r, err := m.settle()
		if err != nil {
			return nil, err
		}
		results = append(results, r)
	}
	return results, nil
}
