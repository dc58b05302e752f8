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

// Curve solves problems of a game cold, under each limit of rounds: what a
// figure of fairness over rounds needs. Points are in the order of problems,
// then of limits. A game that ended before its limit is not played again for
// larger ones.
func Curve(problems []*reconfig.Problem, limits []int, budget reconfig.Budget) ([]Point, error) {
	var points []Point
	for i, p := range problems {
		if err := check(p); err != nil {
			return nil, err
		}
		var last *reconfig.Game
		for _, limit := range limits {
			if last == nil || !last.Converged || last.Rounds >= limit {
				q, o := *p, *p.Operators
				o.Rounds, q.Operators = limit, &o
				r, err := Game{}.Solve(&q, nil, budget)
				if err != nil {
					return nil, err
				}
				last = r.Game
			}
			points = append(points, Point{i, limit, last.Rounds, last.Fairness, last.LeaderCost, last.Residual})
		}
	}
	return points, nil
}
