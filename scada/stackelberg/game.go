package stackelberg

import (
	"math"

	"cosim/scada/reconfig"
)

// Game is the solver of S-5, LD-CP. It keeps nothing between decisions and reads
// the weights and the limit of rounds from Problem.Operators.
type Game struct {
	Interrupt func() bool // see reconfig.Engine
}

var _ reconfig.Solver = Game{}

// favour is how much of what followers' options do to the leader's objective is
// added to their costs, so that ties are broken as the leader likes.
const favour = 1e-7

// finalists are so many of the leader's plans of least merit that the
// followers' integer response decides between, in a first decision and in one
// that starts from the last.
const (
	finalists     = 6
	warmFinalists = 2
)

// DefaultRounds are the rounds of a decision that starts from the last one.
const DefaultRounds = 6

// DefaultFairness is ρ_F of the experiments, fixed before S-5 was first run: an
// operator that is left without key weighs as much as one dropped message of the
// highest class.
const DefaultFairness = 100

// DefaultProximal is ρ of the experiments. To have another option for one step
// costs 2ρ, the price of a weaker mode of one message of priority one.
const DefaultProximal = 0.05

// Solve plays the game. Bound and gap of the result are those of the followers'
// response, as is Game.Residual: no response to this plan of the leader costs
// them less than the bound, the leader's part included.
func (g Game) Solve(p *reconfig.Problem, warm *reconfig.Warm, budget reconfig.Budget) (*reconfig.Result, error) {
	if err := check(p); err != nil {
		return nil, err
	}
	m := newMatch(p, account{interrupt: g.Interrupt, budget: budget}, warm)
	if err := m.play(); err != nil {
		return nil, err
	}
	return m.settle()
}

// match is one game.
type match struct {
	p         *reconfig.Problem
	key       *key
	account   account
	leaders   []int // chains
	followers []int
	model     model // the leader's problem about the incumbent
	tilted    []reconfig.Chain
	other     reconfig.Other // what followers' options do to the leader's objective
	warm      [2]*reconfig.Warm

	seen   []*response // in the order of rounds
	best   *response   // the incumbent
	rounds int
	limit  int
	rho    float64 // proximal weight
	loose  float64 // one at which a proposal was too far
	reach  float64 // how far a proposal may be from the incumbent
	merit  []float64
	stable bool
	warmed bool // the leader's last plan opened the game

	alone   *reconfig.Problem // the leader's chains, followers off
	listed  *response         // whose exchanges list holds
	list    []exchange
	scratch []int
}

// response is how followers answer a plan of the leader.
type response struct {
	plan    reconfig.Plan // of the leader's chains
	mix     reconfig.Mix  // of all chains
	relaxed *reconfig.Relaxed
	shares  []float64
	merit   float64 // the leader's objective
}

func newMatch(p *reconfig.Problem, d account, warm *reconfig.Warm) *match {
	m := &match{p: p, key: newKey(p), account: d, limit: p.Operators.Rounds, rho: p.Operators.Proximal, reach: math.Inf(1)}
	if m.limit == 0 {
		m.limit = DefaultRounds
	}
	m.leaders = p.Operators.Chains(func(a int) bool { return a == p.Operators.Leader })
	m.followers = p.Operators.Chains(func(a int) bool { return a != p.Operators.Leader })
	if len(warm.Plan()) == len(p.Chains) {
		m.warm = [2]*reconfig.Warm{warm.Part(m.leaders), warm.Part(m.followers)}
	}
	m.tilted, m.other = copied(p, m.followers), make(reconfig.Other, len(m.followers))
	for i, l := range m.followers {
		m.other[i] = make([]float64, len(m.key.grant[l]))
	}
	m.model, m.alone, m.scratch = newModel(m), p.Part(m.leaders, nil), make([]int, p.Steps)
	return m
}

// copied are chains with costs of their own.
func copied(p *reconfig.Problem, chains []int) []reconfig.Chain {
	out := make([]reconfig.Chain, len(chains))
	for i, l := range chains {
		out[i] = p.Chains[l]
		out[i].Options = append([]reconfig.Option(nil), out[i].Options...)
		costs := make([]float64, len(out[i].Options)*p.Steps)
		for o := range out[i].Options {
			out[i].Options[o].Cost, costs = costs[:p.Steps:p.Steps], costs[p.Steps:]
		}
	}
	return out
}

// play goes through the rounds, from where it was left.
func (m *match) play() error {
	if m.best == nil {
		opening, err := m.opening()
		if err != nil {
			return err
		}
		if m.best, err = m.respond(opening); err != nil {
			return err
		}
		m.merit = append(m.merit, m.best.merit)
	}
	m.stable = m.stable || len(m.leaders) == 0 || len(m.followers) == 0
	for !m.stable && m.rounds < m.limit && !m.account.spent() {
		plan, err := m.proposal()
		if err != nil {
			return err
		}
		if plan == nil {
			m.stable = true
			return nil
		}
		r, err := m.respond(plan)
		if err != nil {
			return err
		}
		switch {
		case m.improves(r):
			m.best = r
			m.merit = append(m.merit, r.merit)
			m.rho, m.loose, m.reach = math.Max(m.p.Operators.Proximal, m.rho/relax), 0, math.Inf(1)
		case m.listed == m.best:
			// An exchange says nothing of how far the model holds.
		default:
			m.loose, m.reach = m.rho, distance(r.plan, m.best.plan)/2
			m.rho = m.tighter(m.rho)
		}
	}
	return nil
}

// The proximal weight rises where a proposal of the model was worse and falls
// where one was better.
const (
	tighten = 4
	relax   = 2
	minRho  = 0.01
)

// tighter is a larger proximal weight, up to the one at which to change a step
// costs more than all that the leader pays: there is no more to hold.
func (m *match) tighter(rho float64) float64 {
	return math.Min(math.Max(tighten*rho, minRho), m.firmest())
}

func (m *match) firmest() float64 {
	return math.Max(m.p.Operators.Proximal, math.Max(1, math.Abs(m.best.merit)))
}

// improves says whether a response is better than the incumbent by half the
// proximal term between the two, and by more than rounding.
func (m *match) improves(r *response) bool {
	return r.merit+m.p.Operators.Proximal/2*distance(r.plan, m.best.plan)+m.worth() <= m.best.merit
}

// worth is a saving of the leader that is worth a round: a tenth of the gap
// up to which the problems of a round are solved, and more than rounding.
func (m *match) worth() float64 {
	return math.Max(1e-10, 0.1*m.account.budget.Gap) * math.Max(1, math.Abs(m.best.merit))
}

// distance is ‖x − x'‖² of the binaries of two plans: 2 for each step in which
// the options of a chain differ.
func distance(a, b reconfig.Plan) float64 {
	n := 0
	for l := range a {
		for t := range a[l] {
			if a[l][t] != b[l][t] {
				n++
			}
		}
	}
	return float64(2 * n)
}

// opening is the leader's first plan: what it planned last where that still
// keeps the rows, or the best if all key were its own.
func (m *match) opening() (reconfig.Plan, error) {
	part := m.alone
	if last := m.warm[0].Plan(); last != nil {
		m.warmed = true
		plan := make(reconfig.Plan, len(last))
		for l, options := range last {
			plan[l] = available(&part.Chains[l], options, m.p.Steps)
		}
		if e, err := part.Evaluate(plan); err != nil || e.Feasible {
			return plan, err
		}
	}
	r, err := m.account.solve(part, m.warm[0])
	if err != nil {
		return nil, err
	}
	m.warm[0] = r.Warm()
	return r.Plan, nil
}

// available are options with those off that cannot be had.
func available(c *reconfig.Chain, options []int, steps int) []int {
	out := make([]int, steps)
	for t := range out {
		if o := options[min(t, len(options)-1)]; o < len(c.Options) && !math.IsInf(c.Options[o].Cost[t], 1) {
			out[t] = o
		}
	}
	return out
}

// respond is a round: the followers' relaxation for a plan of the leader.
func (m *match) respond(plan reconfig.Plan) (*response, error) {
	m.rounds++
	mix := m.leading(plan)
	part := m.p.Part(m.followers, mix)
	shares := m.key.shares(mix) // followers off
	if m.best != nil {
		shares = m.best.shares
	}
	m.tilt(part, shares)
	r := &response{plan: plan, mix: mix}
	relaxed, err := m.account.relax(part, m.warm[1], func(response reconfig.Mix) reconfig.Other {
		for i, l := range m.followers {
			mix[l] = response[i]
		}
		r.shares = m.key.shares(mix)
		return m.effects(r.shares)
	})
	if err != nil {
		return nil, err
	}
	m.warm[1], r.relaxed = relaxed.Next(), relaxed
	r.merit = m.key.cost(mix, r.shares)
	m.seen = append(m.seen, r)
	return r, nil
}

// leading is a plan of the leader as a mix of all chains, followers open.
func (m *match) leading(plan reconfig.Plan) reconfig.Mix {
	mix := make(reconfig.Mix, len(m.p.Chains))
	for i, x := range plan.Pure() {
		mix[m.leaders[i]] = x
	}
	return mix
}

// effects are what a bit granted to each option of the followers does to the
// leader's objective, where operators have these shares.
func (m *match) effects(shares []float64) reconfig.Other {
	for i, l := range m.followers {
		slope := m.key.slope(shares, m.p.Operators.Of[l])
		for j := range m.other[i] {
			m.other[i][j] = slope * m.key.grant[l][j]
		}
	}
	return m.other
}

// tilt gives a part of the followers costs that are tilted by what the leader
// would like where operators have these shares.
func (m *match) tilt(part *reconfig.Problem, shares []float64) {
	effects := m.effects(shares)
	for i, l := range m.followers {
		c := &m.tilted[i]
		for o := range c.Options {
			for t, cost := range m.p.Chains[l].Options[o].Cost {
				c.Options[o].Cost[t] = cost + favour*effects[i][o*m.p.Steps+t]
			}
		}
	}
	part.Chains = m.tilted
}

// proposal is a plan of the leader that was not answered yet: the best of the
// model about the incumbent, at a proximal weight at which that is a new one, or
// an exchange. It is nil when there is none left. Exchanges are for first
// decisions: where the last one opened the game, its plan has stood that test.
func (m *match) proposal() (reconfig.Plan, error) {
	tight := math.Inf(1) // a weight at which nothing changes
	for range maxTightening {
		if m.listed == m.best {
			break // the model has no more to say about this incumbent
		}
		plan, err := m.model.propose(m)
		switch {
		case err != nil:
			return nil, err
		case plan == nil:
			tight = m.rho
		case distance(plan, m.best.plan) <= m.reach && !m.answered(plan):
			return plan, nil
		default:
			m.loose = m.rho
		}
		if m.loose == 0 || tight <= 1.1*m.loose || m.loose >= m.firmest() {
			break
		}
		if m.rho = math.Sqrt(m.loose * tight); math.IsInf(tight, 1) {
			m.rho = m.tighter(m.loose)
		}
	}
	if m.warmed {
		return nil, nil
	}
	return m.exchanged()
}

const maxTightening = 10

func (m *match) answered(plan reconfig.Plan) bool {
	for _, r := range m.seen {
		if distance(r.plan, plan) == 0 {
			return true
		}
	}
	return false
}
