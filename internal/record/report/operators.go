package report

import "slices"

// operatorTrace is what an operator was granted and how its tasks fared, over
// the time of a run that is drawn.
type operatorTrace struct {
	name    string
	column  int       // of its share s_a
	share   *envelope // from settled on
	success *envelope // share of the tasks decided in the last seconds
	seconds [settled]outcomes
	second  int // the present one of them
}

// outcomes of the tasks decided in one second.
type outcomes struct{ decided, failed int }

// operatorTraces are those of the operators whose shares the log has.
func (s *scanner) operatorTraces() []operatorTrace {
	var list []operatorTrace
	for i, name := range s.operator {
		list = append(list, operatorTrace{name: name, column: s.columns[s.fair[i]], share: newEnvelope(fullPieces), success: newEnvelope(fullPieces)})
	}
	return list
}

// ofChain is the index of the operator at whose control centre a chain ends, -1
// for none.
func (a *about) ofChain(c chainAbout, operators []operatorTrace) int {
	if len(c.Routes) == 0 || len(c.Routes[0]) == 0 {
		return -1
	}
	nodes := c.Routes[0]
	for _, end := range []string{nodes[0], nodes[len(nodes)-1]} {
		for _, o := range a.Experiment.Operators {
			if o.Centre == end {
				return slices.IndexFunc(operators, func(t operatorTrace) bool { return t.name == o.Name })
			}
		}
	}
	return -1
}

// decide counts a task.
func (o *operatorTrace) decide(failed bool) {
	now := &o.seconds[o.second]
	now.decided++
	if failed {
		now.failed++
	}
}

// row takes the share at t seconds and, at whole seconds, what became of the
// tasks.
func (o *operatorTrace) row(t, share float64, whole bool) {
	if t >= settled {
		o.share.add(t, share)
	}
	if !whole {
		return
	}
	var sum outcomes
	for _, s := range o.seconds {
		sum.decided, sum.failed = sum.decided+s.decided, sum.failed+s.failed
	}
	if sum.decided > 0 {
		o.success.add(t, float64(sum.decided-sum.failed)/float64(sum.decided))
	}
	o.second = (o.second + 1) % len(o.seconds)
	o.seconds[o.second] = outcomes{}
}
