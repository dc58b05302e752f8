package scada

import (
	"fmt"
	"slices"
	"strings"
)

// stray is a control centre that chains have though no operator has it.
type stray struct {
	centre, path string // where the first of them names it
	chains       []string
}

// operators checks that each has a control centre to itself.
func (v *validator) operators() {
	names := map[string]int{}
	for i, o := range v.cfg.Operators {
		path := fmt.Sprintf("operators[%d]", i)
		v.unique(names, path+".name", o.Name, i, "operators")
		if strings.Contains(o.Name, "/") {
			v.fault(path+".name", "%q contains /, which separates the parts of a column's name", o.Name)
		}
		if !v.node(path+".centre", o.Centre) {
			v.misplaced = true
			continue
		}
		if v.kinds[o.Centre] != ControlCentre {
			v.fault(path+".centre", "%q is a %s, not a cc", o.Centre, v.kinds[o.Centre])
			v.misplaced = true
		}
		if !v.unique(v.centres, path+".centre", o.Centre, i, "operators") {
			v.misplaced = true
		}
	}
}

// ownership checks that every chain has an operator and every operator a chain,
// where it can be told.
func (v *validator) ownership() {
	if v.misplaced || len(v.cfg.Operators) == 0 {
		return
	}
	owned := map[string]bool{}
	for i := range v.cfg.Chains {
		owned[v.cfg.Chains[i].centre(v.centres)] = true
	}
	var idle []int
	for i, o := range v.cfg.Operators {
		if !owned[o.Centre] {
			idle = append(idle, i)
		}
	}
	var meant []string // an operator without a chain may have meant a stray's centre
	for _, i := range idle {
		meant = append(meant, fmt.Sprintf("operators[%d].centre", i))
	}
	for _, s := range v.strays {
		v.mistakes = append(v.mistakes, FieldError{s.path, fmt.Sprintf("%q is the control centre of no operator, and %d chains begin or end there", s.centre, len(s.chains)), meant})
	}
	if len(v.strays) > 0 {
		return
	}
	for _, i := range idle {
		o := v.cfg.Operators[i]
		v.fault(fmt.Sprintf("operators[%d]", i), "no chain belongs to %s, but it would have its share of the key: a chain is the operator's at whose centre, here %s, its routes begin or, of measurements, end",
			o.Name, o.Centre)
	}
}

// stray notes a chain that begins or ends at a control centre of nobody's.
func (v *validator) stray(path, centre, chain string) {
	i := slices.IndexFunc(v.strays, func(s stray) bool { return s.centre == centre })
	if i < 0 {
		i = len(v.strays)
		v.strays = append(v.strays, stray{centre: centre, path: path})
	}
	if s := &v.strays[i]; !slices.Contains(s.chains, chain) {
		s.chains = append(s.chains, chain)
	}
}
