package scada

import (
	"math"

	"cosim/scada/reconfig"
)

// gridTerm is the grid in the planner's problem: what the control centre takes
// the grid's state to be, and what the commands that wait would do to it.
//
// It knows measurements that arrived, with their time tags, and commands that
// were confirmed. What else moves the grid (loads, blocks that return, commands
// whose confirmation was lost) is load to it.
type gridTerm struct {
	model     *GridModel
	estimator *Estimator
	step      int64 // of the estimate, in steps of the model since the start
	held      []float64
	changes   []inputChange // not in the estimate yet, in the order of confirmation
	inputs    []float64     // scratch
	called    []int64       // by block, when its call was carried out; unheard while it is not called
	moves     []bool        // by input: whether it moves anything

	grid    reconfig.Grid
	pending []reconfig.Pending // by chain
	waiting int                // commands in the problem
}

// inputChange is a command that was carried out.
type inputChange struct {
	atNS  int64
	input int
	value float64
}

// Standard deviations of what is measured about what is modelled, beyond the
// PMUs' own noise. Frequency: buses swing about the centre of inertia, and the
// heard ones about all while units are unheard. Voltage: a contingency at one
// bus moves the mean voltage otherwise than load that is spread.
const (
	swingHz   = 0.002
	unheardHz = 0.05
	localPU   = 0.02
)

// addGrid prepares the grid term, if there is one.
func (p *Planner) addGrid(m *GridModel) error {
	if m == nil {
		return nil
	}
	if err := m.validate(&p.system.cfg); err != nil {
		return err
	}
	n, inputs := len(m.A), len(m.B[0])
	t := &gridTerm{
		model: m, estimator: NewEstimator(m),
		held: make([]float64, inputs), inputs: make([]float64, inputs), moves: make([]bool, inputs),
		pending: make([]reconfig.Pending, len(p.system.chains)),
	}
	for range m.Blocks {
		t.called = append(t.called, unheard)
	}
	for j := range t.moves {
		for i := range n {
			t.moves[j] = t.moves[j] || m.B[i][j] != 0
		}
	}
	w := &p.cfg.Weights
	t.grid = reconfig.Grid{A: square(n + 1), State: make([]float64, n+1), Outputs: []reconfig.Output{
		FreqOutput:    {C: make([]float64, n+1), AbsWeight: w.FreqPerHz, SquareWeight: w.FreqPerHz2},
		VoltageOutput: {C: make([]float64, n+1), AbsWeight: w.VoltagePerPU},
	}}
	for i := range n {
		copy(t.grid.A[i], m.A[i])
		t.grid.B = append(t.grid.B, m.B[i])
	}
	t.grid.A[n][n] = 1
	t.grid.B = append(t.grid.B, make([]float64, inputs))
	for i := range t.pending {
		t.pending[i].DelaySteps = make([]int, len(p.options[i]))
		t.pending[i].LateCost = make([]float64, p.cfg.Horizon)
	}
	p.grid = t
	return nil
}

// input of the model that commands of c move, -1 for none.
func (m *GridModel) input(c *chain) int {
	switch c.Task {
	case TaskAGC:
		return m.AGC[c.element]
	case TaskAVR:
		return m.AVR[c.element]
	case TaskShed:
		return m.Blocks[c.element]
	}
	return -1
}

// Follow takes note of the commands that were confirmed since the step before.
// It is called in every step, when the system replans.
func (p *Planner) Follow(nowNS int64) error {
	t := p.grid
	if t == nil {
		return nil
	}
	for _, q := range p.system.pending {
		if !q.over || q.kind != command {
			continue
		}
		if input := t.model.input(q.chain); input >= 0 && t.moves[input] {
			value, err := p.system.commanded(q)
			if err != nil {
				return err
			}
			// The confirmation took about as long as the command.
			at := nowNS
			if before := p.problem.Chains[q.chain.index].Before; before > 0 {
				at -= int64(p.delayS[q.chain.index][before] * 1e9)
			}
			t.changes = append(t.changes, inputChange{at, input, value})
		}
	}
	return nil
}

// commanded is the value of a set point or call.
func (s *System) commanded(q *pending) (float64, error) {
	if err := s.apdu.Decode(q.payload); err != nil {
		return 0, err
	}
	return float64(s.apdu.ASDU.Objects[0].Float()), nil
}

// setGrid brings the estimate up to nowNS, gives chains whose command waits
// their Pending and the problem its Grid, if any of them could move the grid.
// It comes after the chains' own costs.
func (p *Planner) setGrid(nowNS int64) error {
	t := p.grid
	if t == nil {
		return nil
	}
	t.follow(p.system, nowNS)
	for i := range p.problem.Chains {
		p.problem.Chains[i].Pending = nil
	}
	p.problem.Grid, t.waiting = nil, 0
	for _, q := range p.system.pending {
		if q.over || q.kind != command || q.deadlineNS <= nowNS {
			continue
		}
		if err := p.setPending(q, nowNS); err != nil {
			return err
		}
	}
	if t.waiting > 0 {
		t.forecast(nowNS)
		p.problem.Grid = &t.grid
	}
	return nil
}

// setPending makes q the pending command of its chain; the newest of a chain
// counts, since it replaces the ones before. Not to send it in the present step
// costs the loss of a message, as with any message that is expected now: what
// were cheaper to send later would be so at the next decision again.
func (p *Planner) setPending(q *pending, nowNS int64) error {
	t, i := p.grid, q.chain.index
	input := t.model.input(q.chain)
	if input < 0 || !t.moves[input] {
		return nil
	}
	value, err := p.system.commanded(q)
	if err != nil {
		return err
	}
	chain, c := &p.problem.Chains[i], &t.pending[i]
	if chain.Pending == nil {
		p.discount(i, q)
		chain.Pending = c
		t.waiting++
	}
	c.Input, c.Amount, c.NeverCost = input, value-t.latest(input), p.loss(q.chain)
	soonest := math.Inf(1)
	for o := 1; o < len(c.DelaySteps); o++ {
		delay := p.delayS[i][o] + float64(q.waitsNS(nowNS))/1e9
		soonest = min(soonest, delay)
		// An overloaded queue has no end to its delay; beyond the horizon none counts.
		steps := math.Round(delay * 1e9 / float64(p.cfg.PeriodNS))
		c.DelaySteps[o] = int(math.Min(steps, float64(p.cfg.Horizon)))
	}
	for k := range c.LateCost {
		c.LateCost[k] = c.NeverCost
	}
	if float64(nowNS)+soonest*1e9 <= float64(q.deadlineNS) {
		c.LateCost[0] = 0
	}
	return nil
}

// loss is what a message of c that is not sent costs.
func (p *Planner) loss(c *chain) float64 { return float64(c.Priority) * p.cfg.Weights.Drop }

// discount takes the waiting message out of what the present step expects of
// chain i: its loss, which is that of the pending command, and its key, if it is
// under way; a repetition is the same frame and costs none.
func (p *Planner) discount(i int, q *pending) {
	options := p.problem.Chains[i].Options
	options[0].Cost[0] -= p.loss(q.chain)
	if !q.underWay() {
		return
	}
	for o := range options {
		bits := p.system.messageBits(q.chain, p.options[i][o].Mode)
		for d := range options[o].Draws {
			mean := &options[o].Draws[d].MeanBits[0]
			*mean = max(0, *mean-bits)
		}
	}
}

// underWay says whether a frame of q was sent.
func (q *pending) underWay() bool { return q.last != nil && q.last.sealed[0] != nil }

// waitsNS is how long from now on nothing of q is under way: a command that
// could not be sent is tried again in its time.
func (q *pending) waitsNS(nowNS int64) int64 {
	if q.underWay() {
		return 0
	}
	return max(0, q.nextNS-nowNS)
}

// follow brings the estimate to the newest step with measurements, at least
// the one before now. What arrives later of an older step is left out.
func (t *gridTerm) follow(s *System, nowNS int64) {
	now := nowNS / t.model.StepNS
	to := max(t.step, now-1)
	for i := range s.pmuChains {
		if at := t.stepOf(s.newest(i)); at <= now {
			to = max(to, at)
		}
	}
	t.returnBlocks(s.cfg.Controller.Emergency.ReserveDuration.Nanoseconds(), nowNS)
	for t.step < to {
		t.estimator.Advance(t.inputsFrom(t.step))
		t.settle()
		t.measure(s)
	}
}

// returnBlocks takes blocks for returned that have given for the longest time
// they can, from their first call on.
func (t *gridTerm) returnBlocks(durationNS, nowNS int64) {
	for j, input := range t.model.Blocks {
		if input < 0 {
			continue
		}
		for _, c := range t.changes {
			if c.input == input && c.value > 0 && t.called[j] == unheard {
				t.called[j] = c.atNS
			}
		}
		if at := t.called[j]; at != unheard && nowNS-at >= durationNS {
			t.changes = append(t.changes, inputChange{at + durationNS, input, 0})
			t.called[j] = unheard
		}
	}
}

// stepOf is the step nearest to a PMU's newest sample.
func (t *gridTerm) stepOf(p *pmuState) int64 {
	if p.sampledNS == unheard {
		return -1
	}
	return (p.sampledNS + t.model.StepNS/2) / t.model.StepNS
}

// inputsFrom is the mean of the inputs over the step from k on. A change before
// it, known only now, counts as made at its start.
func (t *gridTerm) inputsFrom(k int64) []float64 {
	copy(t.inputs, t.held)
	from, length := k*t.model.StepNS, t.model.StepNS
	for i, c := range t.changes {
		if c.atNS >= from+length {
			continue
		}
		before := t.held[c.input]
		for _, earlier := range t.changes[:i] {
			if earlier.input == c.input && earlier.atNS < from+length {
				before = earlier.value
			}
		}
		left := float64(from+length-max(c.atNS, from)) / float64(length)
		t.inputs[c.input] += left * (c.value - before)
	}
	return t.inputs
}

// settle ends a step: its changes are held from now on.
func (t *gridTerm) settle() {
	t.step++
	kept := t.changes[:0]
	for _, c := range t.changes {
		if c.atNS < t.step*t.model.StepNS {
			t.held[c.input] = c.value
			continue
		}
		kept = append(kept, c)
	}
	t.changes = kept
}

// latest is the value of an input after all that is known of it.
func (t *gridTerm) latest(input int) float64 {
	value := t.held[input]
	for _, c := range t.changes {
		if c.input == input {
			value = c.value
		}
	}
	return value
}

// measure corrects the estimate by what was heard of its step: the frequency
// weighted by the inertia at the PMUs, and the mean voltage.
func (t *gridTerm) measure(s *System) {
	c := &s.cfg.Controller
	weight, all, freq, noise := 0.0, 0.0, 0.0, 0.0
	volts, heard := 0.0, 0.0
	for i := range s.pmuChains {
		p := s.newest(i)
		all += p.weightS
		if t.stepOf(p) != t.step {
			continue
		}
		heard++
		volts += p.voltagePU - t.model.PMUVolt[i]
		weight += p.weightS
		freq += p.weightS * (p.freqHz - s.cfg.NominalFreqHz)
		noise += p.weightS * p.weightS
	}
	if weight > 0 {
		unheardShare := 1 - weight/all
		t.estimator.Observe(FreqOutput, freq/weight,
			c.PMUNoiseHz*c.PMUNoiseHz*noise/(weight*weight)+swingHz*swingHz+unheardHz*unheardHz*unheardShare*unheardShare)
	}
	if heard > 0 {
		t.estimator.Observe(VoltageOutput, volts/heard, localPU*localPU+c.PMUNoisePU*c.PMUNoisePU/heard)
	}
}

// forecast sets the problem's model for nowNS: the estimate taken there, and
// beside its states a constant one, by which held inputs and load act on.
func (t *gridTerm) forecast(nowNS int64) {
	m, n := t.model, len(t.model.A)
	load, _ := t.estimator.LoadMW()
	x, next := t.grid.State[:n], make([]float64, n)
	copy(x, t.estimator.State())
	for k := t.step; k < nowNS/m.StepNS; k++ {
		m.step(x, t.inputsFrom(k), load, next)
		copy(x, next)
	}
	t.grid.State[n] = 1
	for j := range t.inputs {
		t.inputs[j] = t.latest(j)
	}
	for i := range n {
		t.grid.A[i][n] = dot(m.B[i], t.inputs) + m.LoadB[i]*load
	}
	for y := range t.grid.Outputs {
		copy(t.grid.Outputs[y].C, m.C[y])
		t.grid.Outputs[y].C[n] = m.LoadD[y] * load
	}
}

// GridEstimate is what a decision takes the grid for.
type GridEstimate struct {
	LoadMW   float64 // above the forecast
	Commands int     // that wait and could move the grid
}

// GridEstimate is that of the last decision, zero without a grid term.
func (p *Planner) GridEstimate() GridEstimate {
	if p.grid == nil {
		return GridEstimate{}
	}
	load, _ := p.grid.estimator.LoadMW()
	return GridEstimate{LoadMW: load, Commands: p.grid.waiting}
}
