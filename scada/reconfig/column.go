package reconfig

import "math"

// column is one chain's options over the horizon with what they cost and draw.
type column struct {
	chain   int
	options []int
	cost    float64
	// mean and variance drawn up to each step, by slot of the chain's pools
	mean, variance []float64
	sentAt, sentBy int // sentAt is −1 if nothing is sent or pending
}

func (r *relaxation) column(l int, options []int) *column {
	c := &r.chains[l]
	h := r.steps
	k := &r.mem.columns.take(1)[0]
	k.chain, k.options, k.sentAt = l, options, -1
	buffer := r.mem.floats.take(2 * len(c.pools) * h)
	k.mean, k.variance = buffer[:len(c.pools)*h], buffer[len(c.pools)*h:]
	before := c.Before
	for t, o := range options {
		k.cost += c.cost[o*h+t]
		if before != NoOption && o != before {
			k.cost += c.SwitchCost
		}
		before = o
		for _, d := range c.draws[o] {
			k.mean[d.slot*h+t] += d.mean[t]
			k.variance[d.slot*h+t] += d.variance[t]
		}
	}
	for i := range k.mean {
		if i%h > 0 {
			k.mean[i] += k.mean[i-1]
			k.variance[i] += k.variance[i-1]
		}
	}
	if c.Pending != nil {
		if t, o, ok := sent(options); ok {
			k.sentAt, k.sentBy = t, o
			k.cost += c.send[o*h+t]
		} else {
			k.cost += c.Pending.NeverCost
		}
	}
	return k
}

// coefficient of the column in a row, scaled.
func (r *relaxation) coefficient(w *row, k *column) float64 {
	c := &r.chains[k.chain]
	switch w.kind {
	case gridRow:
		if k.sentAt < 0 {
			return 0
		}
		return w.scale * w.sign * r.response.of(c.Pending, k.sentAt, k.sentBy, w.output, w.step)
	case terminalRow:
		if slot := c.slot[w.pool]; slot >= 0 {
			return w.scale * w.factor * k.mean[slot*r.steps+w.step]
		}
		return 0
	}
	slot := c.slot[w.pool]
	if slot < 0 || w.class == lower && c.Highest {
		return 0
	}
	i := slot*r.steps + w.step
	a := k.mean[i]
	if w.weights == nil {
		return w.scale * (a + w.slope*k.variance[i])
	}
	if x := w.weights[k.chain]; x != nil {
		for t, o := range k.options[:w.step+1] {
			a += x[o*r.steps+t]
		}
	}
	return w.scale * a
}

// draw is what an option draws by slot; nil for nothing.
func (c *flatChain) draw(o, slot int) *flatDraw {
	for i := range c.draws[o] {
		if d := &c.draws[o][i]; d.slot == slot {
			return d
		}
	}
	return nil
}

// drawsFrom says whether the column draws from a pool of its chain's, by slot; −1
// is none.
func (k *column) drawsFrom(slot, steps int) bool {
	last := slot*steps + steps - 1
	return slot >= 0 && (k.mean[last] > 0 || k.variance[last] > 0)
}

// allows says whether the column keeps to what is allowed by step.
func (k *column) allows(allowed []uint64) bool {
	for t, o := range k.options {
		if allowed[t]&(1<<o) == 0 {
			return false
		}
	}
	return true
}

func (k *column) equal(options []int) bool {
	for t, o := range k.options {
		if options[t] != o {
			return false
		}
	}
	return true
}

// pricer finds each chain's cheapest options under prices of the rows.
type pricer struct {
	r *relaxation
	// cost of mean and variance drawn, by pool and step; [0] for chains of the
	// highest class, [1] for all others
	mean, variance [2][]float64
	grid           []float64 // by output and step
	cuts           []*row    // with weights of their own, and their prices
	cutPrices      []float64
	priced         []float64 // of one chain, by option and step
	value          []float64
	from           []int16
}

func newPricer(r *relaxation) *pricer {
	n := len(r.p.Pools) * r.steps
	p := &pricer{r: r}
	for k := range 2 {
		p.mean[k], p.variance[k] = make([]float64, n), make([]float64, n)
	}
	if r.p.Grid != nil {
		p.grid = make([]float64, len(r.p.Grid.Outputs)*r.steps)
	}
	options := 1
	for l := range r.chains {
		options = max(options, len(r.chains[l].Options))
	}
	p.priced = make([]float64, options*r.steps)
	p.value = make([]float64, (options+1)*2)
	p.from = make([]int16, (options+1)*r.steps)
	return p
}

// set takes the prices of rows, a scaled unit each.
func (p *pricer) set(rows []*row, prices []float64) {
	for k := range 2 {
		clear(p.mean[k])
		clear(p.variance[k])
	}
	clear(p.grid)
	p.cuts, p.cutPrices = p.cuts[:0], p.cutPrices[:0]
	h := p.r.steps
	for i, w := range rows {
		price := prices[i] * w.scale
		if price == 0 {
			continue
		}
		at := w.pool*h + w.step
		switch w.kind {
		case gridRow:
			p.grid[w.output*h+w.step] += price * w.sign
		case terminalRow:
			p.mean[0][at] += price * w.factor
			p.mean[1][at] += price * w.factor
		default:
			if w.weights != nil {
				p.cuts, p.cutPrices = append(p.cuts, w), append(p.cutPrices, price)
			}
			for k := range 2 {
				if k == 1 || w.class == everyone {
					p.mean[k][at] += price
					p.variance[k][at] += price * w.slope
				}
			}
		}
	}
	for k := range 2 {
		for at := len(p.mean[k]) - 2; at >= 0; at-- {
			if at%h != h-1 {
				p.mean[k][at] += p.mean[k][at+1]
				p.variance[k][at] += p.variance[k][at+1]
			}
		}
	}
}

// cheapest finds the options of least priced cost among those allowed, and
// writes them to options.
func (p *pricer) cheapest(l int, allowed []uint64, options []int) float64 {
	c := &p.r.chains[l]
	p.price(l, c)
	if c.Pending != nil {
		return p.pendingProgramme(c, allowed, options)
	}
	return p.programme(c, allowed, options)
}

// price puts the priced cost of every option and step of c into p.priced.
func (p *pricer) price(l int, c *flatChain) {
	h := p.r.steps
	k := 1
	if c.Highest {
		k = 0
	}
	for o := range c.draws {
		priced := p.priced[o*h : (o+1)*h]
		copy(priced, c.cost[o*h:(o+1)*h])
		for _, d := range c.draws[o] {
			at := c.pools[d.slot] * h
			mean, variance := p.mean[k][at:at+h], p.variance[k][at:at+h]
			for t := range priced {
				priced[t] += mean[t]*d.mean[t] + variance[t]*d.variance[t]
			}
		}
	}
	for i, w := range p.cuts {
		for j, x := range w.weights[l] {
			p.priced[j] += p.cutPrices[i] * x
		}
	}
}

// programme is the dynamic programme over options as states,
//
//	V_t(o) = cost_t(o) + min(V_{t−1}(o), min_{o'} V_{t−1}(o') + γ).
func (p *pricer) programme(c *flatChain, allowed []uint64, options []int) float64 {
	h, n := p.r.steps, len(c.Options)
	value := p.value[:n]
	for o := range n {
		value[o] = 0
		if c.Before != NoOption && o != c.Before {
			value[o] = c.SwitchCost
		}
	}
	for t := range h {
		best := 0
		for o := 1; o < n; o++ {
			if value[o] < value[best] {
				best = o
			}
		}
		jump := value[best] + c.SwitchCost
		if t == 0 {
			jump = math.Inf(1) // the change from before is in value already
		}
		for o := range n {
			from := o
			if jump < value[o] {
				value[o], from = jump, best
			}
			p.from[t*n+o] = int16(from)
			if allowed[t]&(1<<o) == 0 {
				value[o] = math.Inf(1)
			} else {
				value[o] += p.priced[o*h+t]
			}
		}
	}
	best := 0
	for o := 1; o < n; o++ {
		if value[o] < value[best] {
			best = o
		}
	}
	for t, o := h-1, best; t >= 0; t-- {
		options[t] = o
		o = int(p.from[t*n+o])
	}
	return value[best]
}

// pendingProgramme is the same with one more state: off, and the pending
// command not yet sent. State n stands for it, state 0 for off after sending.
func (p *pricer) pendingProgramme(c *flatChain, allowed []uint64, options []int) float64 {
	h, n := p.r.steps, len(c.Options)
	value, next := p.value[:n+1], p.value[n+1:2*n+2]
	for o := range value {
		value[o] = math.Inf(1)
	}
	wait := 0.0 // value of state n before step t
	for t := range h {
		best := 0
		for o := 1; o < n; o++ {
			if value[o] < value[best] {
				best = o
			}
		}
		for o := range n {
			from, v := o, value[o]
			if x := value[best] + c.SwitchCost; x < v {
				from, v = best, x
			}
			if o > 0 {
				x := wait + c.send[o*h+t] + p.sendPrice(c, t, o)
				if t > 0 || c.Before != NoOption && o != c.Before {
					x += c.SwitchCost
				}
				if x < v {
					from, v = n, x
				}
			}
			if allowed[t]&(1<<o) == 0 {
				v = math.Inf(1)
			}
			next[o] = v + p.priced[o*h+t]
			p.from[t*(n+1)+o] = int16(from)
		}
		if t == 0 && c.Before > 0 {
			wait += c.SwitchCost
		}
		if allowed[t]&1 == 0 {
			wait = math.Inf(1)
		} else {
			wait += p.priced[t]
		}
		next[n] = wait
		p.from[t*(n+1)+n] = int16(n)
		value, next = next, value
	}
	value[n] += c.Pending.NeverCost
	best := n
	for o := range n {
		if value[o] < value[best] {
			best = o
		}
	}
	for t, o := h-1, best; t >= 0; t-- {
		options[t] = o % n // n is off too
		o = int(p.from[t*(n+1)+o])
	}
	return value[best]
}

// sendPrice is what sending in step t by option o costs in the grid rows.
func (p *pricer) sendPrice(c *flatChain, t, o int) float64 {
	sum := 0.0
	h := p.r.steps
	for i, price := range p.grid {
		if price != 0 {
			sum += price * p.r.response.of(c.Pending, t, o, i/h, i%h)
		}
	}
	return sum
}
