package scada

import (
	"math"

	"cosim/scada/reconfig"
)

// unplanned estimates what is drawn from a pool beside what plans count: orders
// to gateways and their answers, plans that take effect late, messages sent
// twice, applications of others. A chance constraint that leaves it out does not
// hold with the probability it names.
//
// It is the constant disturbance of offset-free predictive control: what was
// drawn between two decisions, less what the first of them planned, smoothed
// exponentially to a mean and a variance a step. Errors of different steps are
// taken as independent.
type unplanned struct {
	heard       bool
	drawnBits   float64 // from the pool until the last decision
	plannedBits float64 // from the last decision to the next
	meanBits    float64 // a step
	varBits2    float64
	draws       reconfig.Others
}

func newUnplanned(steps int) unplanned {
	b := make([]float64, 2*steps)
	mean, variance := b[:steps:steps], b[steps:]
	return unplanned{draws: reconfig.Others{MeanBits: mean, VarBits2: variance, LowerMeanBits: mean, LowerVarBits2: variance}}
}

// observe takes in what was drawn in all. The last step counts with weight.
func (u *unplanned) observe(drawnBits, weight float64) {
	if u.heard {
		deviation := drawnBits - u.drawnBits - u.plannedBits - u.meanBits
		u.meanBits += weight * deviation
		u.varBits2 = (1 - weight) * (u.varBits2 + weight*deviation*deviation)
	}
	u.heard, u.drawnBits, u.plannedBits = true, drawnBits, 0
}

// expected is what is to be expected of the next steps, until the next call.
// That less is drawn than planned is no supply.
func (u *unplanned) expected() *reconfig.Others {
	mean := math.Max(0, u.meanBits)
	for t := range u.draws.MeanBits {
		u.draws.MeanBits[t] = float64(t+1) * mean
		u.draws.VarBits2[t] = float64(t+1) * u.varBits2
		u.draws.EndBits = u.draws.MeanBits[t]
	}
	return &u.draws
}
