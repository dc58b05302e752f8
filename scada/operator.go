package scada

// Operator runs the chains that begin or end at its control centre, with a
// controller of its own that knows only what arrived there.
type Operator struct {
	Name   string `yaml:"name"`
	Centre string `yaml:"centre"` // a node of kind cc
}

// ChainOperators is the operator of each chain, an index in c.Operators; all
// are 0 where none is named. The order is that of c.Chains, which is also that
// of the chains in the problems of a Planner.
func (c *Config) ChainOperators() []int {
	at := map[string]int{}
	for i, o := range c.Operators {
		at[o.Centre] = i
	}
	of := make([]int, len(c.Chains))
	for i := range c.Chains {
		of[i] = at[c.Chains[i].centre(at)]
	}
	return of
}

// centre is the end of a chain's first route that is an operator's.
func (c *Chain) centre(operators map[string]int) string {
	if len(c.Routes) == 0 || len(c.Routes[0]) == 0 {
		return ""
	}
	nodes := c.Routes[0]
	if _, ok := operators[nodes[0]]; ok {
		return nodes[0]
	}
	return nodes[len(nodes)-1]
}

// start is where a chain's first route begins.
func (c *Chain) start() string {
	if len(c.Routes) == 0 || len(c.Routes[0]) == 0 {
		return ""
	}
	return c.Routes[0][0]
}

// operatorNames are those of the controllers; one without a name has all
// chains where no operator is named.
func (c *Config) operatorNames() []string {
	if len(c.Operators) == 0 {
		return []string{""}
	}
	names := make([]string, len(c.Operators))
	for i, o := range c.Operators {
		names[i] = o.Name
	}
	return names
}

// addControllers gives each operator its controller. It can call the blocks to
// which it has a chain, for that part of a deficit which they are of all blocks
// that anybody can call.
func (s *System) addControllers() {
	for o := range s.cfg.operatorNames() {
		c := newController(&s.cfg)
		own, all := 0.0, 0.0
		for i, chain := range s.blockChains {
			b := &c.emergency.blocks[i]
			if chain != nil {
				all += b.capacityMW
			}
			if chain == nil || chain.operator != o {
				b.capacityMW = 0
			}
			own += b.capacityMW
		}
		if all > 0 {
			c.emergency.share = own / all
		}
		s.controllers = append(s.controllers, c)
	}
}

// controllerOf is that of the chain's operator.
func (s *System) controllerOf(c *chain) *controller { return &s.controllers[c.operator] }

// newest is the last sample of a PMU that arrived at its operator.
func (s *System) newest(pmu int) *pmuState {
	operator := 0
	if c := s.pmuChains[pmu]; c != nil {
		operator = c.operator
	}
	return &s.controllers[operator].pmus[pmu]
}
