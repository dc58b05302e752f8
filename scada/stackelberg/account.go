package stackelberg

import "cosim/scada/reconfig"

// account has parts of a decision solved one after the other, on one count of
// checks, so that an interrupted decision can be repeated.
type account struct {
	interrupt func() bool
	budget    reconfig.Budget
	work      reconfig.Work
}

// engine and budget of the next part.
func (d *account) next() (reconfig.Engine, reconfig.Budget) {
	b := d.budget
	switch {
	case d.spent():
		b.Checks = 1 // a feasible plan, no more
		return reconfig.Engine{}, b
	case b.Checks > 0:
		b.Checks -= d.work.Checks
	}
	return reconfig.Engine{Interrupt: d.interrupt}, b
}

// spent says that the decision should be brought to an end.
func (d *account) spent() bool {
	return d.work.Interrupted || d.budget.Checks > 0 && d.work.Checks >= d.budget.Checks
}

func (d *account) solve(p *reconfig.Problem, warm *reconfig.Warm) (*reconfig.Result, error) {
	engine, budget := d.next()
	r, err := engine.Solve(p, warm, budget)
	if err == nil {
		d.book(r.Work)
	}
	return r, err
}

// sketch solves as far as the root of the tree, of a budget that ends at all.
func (d *account) sketch(p *reconfig.Problem, warm *reconfig.Warm) (*reconfig.Result, error) {
	engine, budget := d.next()
	if budget.Nodes > 0 {
		budget.Nodes = 1
	}
	r, err := engine.Solve(p, warm, budget)
	if err == nil {
		d.book(r.Work)
	}
	return r, err
}

func (d *account) relax(p *reconfig.Problem, warm *reconfig.Warm, other func(reconfig.Mix) reconfig.Other) (*reconfig.Relaxed, error) {
	engine, budget := d.next()
	r, err := engine.Relax(p, warm, budget, other)
	if err == nil {
		d.book(r.Work)
	}
	return r, err
}

// book counts work. Checks after the end are not part of it: repeated with this
// many, the decision ends at the same one.
func (d *account) book(w reconfig.Work) {
	if d.spent() {
		w.Checks = 0
	}
	d.work.Add(w)
}
