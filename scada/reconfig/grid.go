package reconfig

import "math"

// Grid is a reduced linear model of the grid on the steps of the problem,
//
//	x_{t+1} = A x_t + B u_t,   y_{j,t} = C_j x_t,
//
// whose cost is Σ_j Σ_{t=1..H} AbsWeight_j·|y_{j,t}| + SquareWeight_j·y_{j,t}².
// u_t is the sum of the pending commands that arrived by step t (a set point
// stays). Outputs are frequency deviations in Hz (w_f, λ) and voltage
// deviations in p.u. (w_v) in the shipped experiments.
type Grid struct {
	A       [][]float64 // n × n
	B       [][]float64 // n × inputs
	State   []float64   // x_0, as the controller knows it
	Outputs []Output
	// Held is what commands outside of the problem do to each output at the
	// end of each step; nil for nothing.
	Held [][]float64
}

// Output is one deviation that costs.
type Output struct {
	C                       []float64 // n
	AbsWeight, SquareWeight float64   // not negative
}

// Pending is the command that waits for a chain. The chain sends it in the
// first step in which it is on, and there it moves Grid input Input by Amount
// from DelaySteps of the option later.
type Pending struct {
	Input      int
	Amount     float64
	DelaySteps []int // by option; not read for off
	// LateCost is what it costs besides to send in step t; nil for nothing.
	LateCost  []float64
	NeverCost float64 // of a command that is not sent within the horizon
}

func (g *Grid) validate(report func(string, ...any)) {
	n := len(g.State)
	if len(g.A) != n || len(g.B) != n {
		report("grid: A and B have %d and %d rows for %d states", len(g.A), len(g.B), n)
		return
	}
	for i := range n {
		if len(g.A[i]) != n || len(g.B[i]) != len(g.B[0]) {
			report("grid: row %d of A and B has %d and %d entries for %d states and %d inputs", i, len(g.A[i]), len(g.B[i]), n, len(g.B[0]))
		}
	}
	if g.Held != nil && len(g.Held) != len(g.Outputs) {
		report("grid: others move %d outputs of %d", len(g.Held), len(g.Outputs))
	}
	for j, y := range g.Outputs {
		if len(y.C) != n {
			report("grid: output %d reads %d of %d states", j, len(y.C), n)
		}
		if !(y.AbsWeight >= 0) || !(y.SquareWeight >= 0) || !finite(y.AbsWeight+y.SquareWeight) {
			report("grid: output %d has weights %g and %g", j, y.AbsWeight, y.SquareWeight)
		}
	}
}

func (c *Pending) validate(chain *Chain, p *Problem, report func(string, ...any)) {
	if g := p.Grid; g != nil && (c.Input < 0 || len(g.B) > 0 && c.Input >= len(g.B[0])) {
		report("chain %s: no grid input %d", chain.ID, c.Input)
	}
	if len(c.DelaySteps) != len(chain.Options) {
		report("chain %s: %d delays for %d options", chain.ID, len(c.DelaySteps), len(chain.Options))
	}
	for _, d := range c.DelaySteps {
		if d < 0 {
			report("chain %s: a delay of %d steps", chain.ID, d)
		}
	}
	if c.LateCost != nil && len(c.LateCost) != p.Steps {
		report("chain %s: %d costs of delay for %d steps", chain.ID, len(c.LateCost), p.Steps)
	}
	for _, x := range c.LateCost {
		if !finite(x) {
			report("chain %s: cost of delay %g", chain.ID, x)
		}
	}
	if !finite(c.NeverCost) || !finite(c.Amount) {
		report("chain %s: pending command of %g costs %g if never sent", chain.ID, c.Amount, c.NeverCost)
	}
}

// sent is the step and the option in which a chain sends its pending command;
// ok is false if it never does.
func sent(options []int) (step, option int, ok bool) {
	for t, o := range options {
		if o != 0 {
			return t, o, true
		}
	}
	return 0, 0, false
}

// oneOffCost is what sending the pending command in step t costs by itself.
func (c *Pending) oneOffCost(t int) float64 {
	if c.LateCost == nil {
		return 0
	}
	return c.LateCost[t]
}

// cost of output j at value y.
func (o *Output) cost(y float64) float64 {
	return o.AbsWeight*math.Abs(y) + o.SquareWeight*y*y
}

// response is the trajectory of the outputs, by output and step 1..H, as a
// linear function of what is sent: free without input, and that of a unit step
// of each input applied at once.
type response struct {
	free [][]float64   // by output and step
	step [][][]float64 // by input, output and steps since the arrival
}

func (g *Grid) response(steps int) *response {
	inputs := 0
	if len(g.B) > 0 {
		inputs = len(g.B[0])
	}
	r := &response{free: g.simulate(steps, g.State, NoOption), step: make([][][]float64, inputs)}
	for j := range g.Held {
		for k, y := range g.Held[j] {
			r.free[j][k] += y
		}
	}
	zero := make([]float64, len(g.State))
	for u := range inputs {
		r.step[u] = g.simulate(steps, zero, u)
	}
	return r
}

// simulate runs the model from x0 with a unit step of one input.
func (g *Grid) simulate(steps int, x0 []float64, input int) [][]float64 {
	y := make([][]float64, len(g.Outputs))
	for j := range y {
		y[j] = make([]float64, steps)
	}
	x, next := append([]float64(nil), x0...), make([]float64, len(x0))
	for t := range steps {
		for i, row := range g.A {
			next[i] = dot(row, x)
			if input != NoOption {
				next[i] += g.B[i][input]
			}
		}
		x, next = next, x
		for j := range g.Outputs {
			y[j][t] = dot(g.Outputs[j].C, x)
		}
	}
	return y
}

// of is what a command sent in step t by option o does to output j at the end
// of step k.
func (r *response) of(c *Pending, t, o, j, k int) float64 {
	arrival := t + c.DelaySteps[o]
	if k < arrival {
		return 0
	}
	return c.Amount * r.step[c.Input][j][k-arrival]
}

func dot(a, b []float64) float64 {
	sum := 0.0
	for i, x := range a {
		sum += x * b[i]
	}
	return sum
}
