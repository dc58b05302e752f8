package stackelberg

import (
	"errors"
	"math"

	"cosim/scada/reconfig"
)

// Shares gives every operator its own part of every pool's budget, and each
// solves its own problem with the engine. What one does not use, no other can
// have: the experiment S-4.
//
// The parts are those of Problem.Operators.Pools, accounts that somebody keeps
// from decision to decision, or equal ones of what there is at this decision. An
// equal share of a pool with n operators is what a random stock divided by n is:
// its mean K/n, its variance P/n², and the same of K_safe, K_th and the ramp of
// the terminal cost, at the same price a bit. Plans that keep their shares keep
// the rows of the pool together, for
//
//	Σ_a m_a + κ√(P + Σ_a v_a) ≤ Σ_a (m_a + κ√(P/n² + v_a)) ≤ Σ_a b/n = b
//
// by the triangle inequality for the vectors (√P/n, √v_a). A row that fails with
// all chains off fails in every share by its n-th part, and all of them together
// raise it by what the pool's own row is raised. The terminal cost of the pool is
// at most the sum of those of the shares, because φ is convex.
//
// A cost of the grid is counted in full by the operators whose commands wait,
// each as if the others sent nothing.
type Shares struct {
	Interrupt func() bool // see reconfig.Engine
}

var _ reconfig.Solver = Shares{}

// Solve plans each operator's chains within its share. The bound and the gap of
// the result say what operators could save within their shares.
func (s Shares) Solve(p *reconfig.Problem, warm *reconfig.Warm, budget reconfig.Budget) (*reconfig.Result, error) {
	if err := check(p); err != nil {
		return nil, err
	}
	work := account{interrupt: s.Interrupt, budget: budget}
	operators := p.Operators.Count()
	if budget.Nodes > 0 {
		work.budget.Nodes = max(1, budget.Nodes/operators)
	}
	residual := 0.0
	var parts []reconfig.Share
	for a := range operators {
		chains := p.Operators.Chains(func(of int) bool { return of == a })
		part := p.Part(chains, nil)
		if own := p.Operators.Pools; own != nil {
			part.Pools = own[a]
		} else {
			for e := range part.Pools {
				part.Pools[e] = share(&part.Pools[e], operators)
			}
		}
		r, err := work.solve(part, warm.Part(chains))
		if err != nil {
			return nil, err
		}
		residual += r.Evaluation.Objective - r.Bound
		parts = append(parts, reconfig.Share{Chains: chains, Result: r})
	}
	r, err := p.Join(parts...)
	if err != nil {
		return nil, err
	}
	k := newKey(p)
	r.Work = work.work
	r.Game = &reconfig.Game{Residual: residual, Converged: true}
	k.report(r)
	settle(r, residual)
	return r, nil
}

// share is the n-th part of a pool.
func share(pool *reconfig.Pool, n int) reconfig.Pool {
	part := *pool
	x := 1 / float64(n)
	part.NowBits *= x
	part.StockBits = scaled(pool.StockBits, x)
	part.StockVarBits = scaled(pool.StockVarBits, x*x)
	part.ReserveBits *= x
	part.Terminal.ThresholdBits *= x
	part.Terminal.RampBits *= x
	if o := pool.Others; o != nil {
		part.Others = &reconfig.Others{
			MeanBits: scaled(o.MeanBits, x), VarBits2: scaled(o.VarBits2, x*x),
			LowerMeanBits: scaled(o.LowerMeanBits, x), LowerVarBits2: scaled(o.LowerVarBits2, x*x), EndBits: o.EndBits * x,
		}
	}
	return part
}

func scaled(v []float64, x float64) []float64 {
	out := make([]float64, len(v))
	for i := range v {
		out[i] = v[i] * x
	}
	return out
}

// settle gives a result the bound of what its solver minimises.
func settle(r *reconfig.Result, residual float64) {
	r.Bound = r.Evaluation.Objective - residual
	r.Gap = residual / math.Max(1, math.Abs(r.Evaluation.Objective))
}

func check(p *reconfig.Problem) error {
	if err := p.Validate(); err != nil {
		return err
	}
	if p.Operators == nil {
		return errors.New("stackelberg: a problem that does not say whose chains they are")
	}
	return nil
}
