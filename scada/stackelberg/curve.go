package stackelberg

import "cosim/scada/reconfig"

// Point is a decision made from nothing within a limit of rounds.
type Point struct {
	Decision   int // index of the problem
	Limit      int // of rounds
	Rounds     int // that were needed; fewer than the limit where the game came to its end
	Fairness   float64
	LeaderCost float64
	Residual   float64
}

// Curve plays problems from nothing, under each of rising limits of rounds: what
// a figure of fairness over rounds needs. Points are in the order of problems,
// then of limits.
func Curve(problems []*reconfig.Problem, limits []int, budget reconfig.Budget) ([]Point, error) {
	var points []Point
	for i, p := range problems {
		if err := check(p); err != nil {
			return nil, err
		}
		m := newMatch(p, account{budget: budget}, nil)
		for _, m.limit = range limits {
			if err := m.play(); err != nil {
				return nil, err
			}
			r, err := m.settle()
			if err != nil {
				return nil, err
			}
			points = append(points, Point{i, m.limit, m.rounds, r.Game.Fairness, r.Game.LeaderCost, r.Game.Residual})
		}
	}
	return points, nil
}
