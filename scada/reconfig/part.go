package reconfig

// Part is the problem of some of the chains. The others keep to the mix, of all
// chains, that is given: what they draw and do to the grid moves into the
// constants. Without one they do nothing. Slices are shared with p.
func (p *Problem) Part(chains []int, others Mix) *Problem {
	part := &Problem{Steps: p.Steps, Kappa: p.Kappa, Pools: append([]Pool(nil), p.Pools...)}
	outside := append(Mix(nil), others...)
	for _, l := range chains {
		part.Chains = append(part.Chains, p.Chains[l])
		if others != nil {
			outside[l] = nil
		}
	}
	if g := p.Grid; g != nil {
		own := *g
		part.Grid = &own
	}
	if others == nil {
		return part
	}
	for e, o := range p.drawn(outside) {
		part.Pools[e].Others = o
	}
	if p.Grid != nil {
		part.Grid.Held = p.moved(outside)
	}
	return part
}

// drawn is what a mix draws, by pool, beside what others were known to draw.
func (p *Problem) drawn(mix Mix) []*Others {
	h := p.Steps
	all := make([]*Others, len(p.Pools))
	buffer := make([]float64, 4*h*len(all))
	for e := range all {
		b := buffer[4*h*e:]
		all[e] = &Others{MeanBits: b[:h:h], VarBits2: b[h : 2*h : 2*h], LowerMeanBits: b[2*h : 3*h : 3*h], LowerVarBits2: b[3*h : 4*h : 4*h]}
	}
	for l := range mix {
		c := &p.Chains[l]
		for _, x := range mix[l] {
			for t, option := range x.Options {
				for i := range c.Options[option].Draws {
					d := &c.Options[option].Draws[i]
					o := all[d.Pool]
					o.MeanBits[t] += x.Weight * d.MeanBits[t]
					o.VarBits2[t] += x.Weight * d.VarBits2[t]
					if !c.Highest {
						o.LowerMeanBits[t] += x.Weight * d.MeanBits[t]
						o.LowerVarBits2[t] += x.Weight * d.VarBits2[t]
					}
				}
			}
		}
	}
	for i := range buffer {
		if i%h > 0 {
			buffer[i] += buffer[i-1]
		}
	}
	for e, o := range all {
		o.EndBits = o.MeanBits[h-1]
		if x := p.Pools[e].Others; x != nil {
			o.EndBits += x.EndBits
		}
		for t := range h {
			m, v := p.held(e, t, everyone)
			o.MeanBits[t] += m
			o.VarBits2[t] += v
			m, v = p.held(e, t, lower)
			o.LowerMeanBits[t] += m
			o.LowerVarBits2[t] += v
		}
	}
	return all
}

// moved is what a mix's commands do to each output at the end of each step,
// beside what others do.
func (p *Problem) moved(mix Mix) [][]float64 {
	r := p.Grid.response(p.Steps)
	y := make([][]float64, len(p.Grid.Outputs))
	for j := range y {
		y[j] = make([]float64, p.Steps)
		if p.Grid.Held != nil {
			copy(y[j], p.Grid.Held[j])
		}
		for l := range mix {
			c := p.Chains[l].Pending
			if c == nil {
				continue
			}
			for _, x := range mix[l] {
				if t, o, ok := sent(x.Options); ok {
					for k := range y[j] {
						y[j][k] += x.Weight * r.of(c, t, o, j, k)
					}
				}
			}
		}
	}
	return y
}

// Part is the warm start of some of the chains.
func (w *Warm) Part(chains []int) *Warm {
	if w == nil {
		return nil
	}
	part := &Warm{prices: w.prices}
	for _, l := range chains {
		if l < len(w.plan) {
			part.plan = append(part.plan, w.plan[l])
		}
		if l < len(w.columns) {
			part.columns = append(part.columns, w.columns[l])
		}
	}
	return part
}

// Plan is the plan that is started from, nil if there is none.
func (w *Warm) Plan() Plan {
	if w == nil {
		return nil
	}
	return w.plan
}

// Result is a plan with what else the warm start holds, for Problem.Join.
func (w *Warm) Result(plan Plan) *Result {
	r := &Result{Plan: plan, Work: Work{Rows: -1}}
	if w != nil {
		r.columns = w.columns
	}
	return r
}

// With is w with another plan to start from.
func (w *Warm) With(plan Plan) *Warm {
	c := Warm{plan: plan}
	if w != nil {
		c.columns, c.prices = w.columns, w.prices
	}
	return &c
}

// Share is the result of a part's chains.
type Share struct {
	Chains []int
	Result *Result
}

// Join is the result of parts that have every chain of p among them. Work is
// that of all parts, prices are those of the part that priced most, and bound
// and gap are left to whom they have a meaning.
func (p *Problem) Join(parts ...Share) (*Result, error) {
	r := &Result{Plan: make(Plan, len(p.Chains)), columns: make([][][]int, len(p.Chains)), Slacks: p.Slacks()}
	rows := -1
	for _, part := range parts {
		for i, l := range part.Chains {
			r.Plan[l] = part.Result.Plan[i]
			if i < len(part.Result.columns) {
				r.columns[l] = part.Result.columns[i]
			}
		}
		r.Work.Add(part.Result.Work)
		if part.Result.Work.Rows > rows {
			rows, r.Prices = part.Result.Work.Rows, part.Result.Prices
		}
	}
	var err error
	r.Evaluation, err = p.Evaluate(r.Plan)
	return r, err
}

// Add adds what was done besides. Rows are the most of any.
func (w *Work) Add(x Work) {
	w.Evaluations += x.Evaluations
	w.Nodes += x.Nodes
	w.Pivots += x.Pivots
	w.Columns += x.Columns
	w.Checks += x.Checks
	w.Rows = max(w.Rows, x.Rows)
	w.Interrupted = w.Interrupted || x.Interrupted
}
