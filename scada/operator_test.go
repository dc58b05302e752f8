package scada

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

// shared is testConfig with a second operator at a centre beyond CC: its chains
// pass CC, which relays.
func shared() Config {
	c := testConfig()
	c.Operators = []Operator{{"TSO", "CC"}, {"DSO", "CC2"}}
	c.Nodes = append(c.Nodes, Node{"CC2", ControlCentre})
	c.Links = append(c.Links, Link{Name: "CC2-CC", A: "CC2", B: "CC", Quantum: true})
	for i := range c.Chains {
		ch := &c.Chains[i]
		if !strings.HasSuffix(ch.ID, "-8") && !strings.HasSuffix(ch.ID, "-30") {
			continue
		}
		if ch.Task == TaskAGC {
			continue
		}
		ch.Routes = slices.Clone(ch.Routes)
		for r, nodes := range ch.Routes {
			if ch.Task == TaskPMU {
				ch.Routes[r] = append(slices.Clone(nodes), "CC2")
			} else {
				ch.Routes[r] = append([]string{"CC2"}, nodes...)
			}
		}
	}
	return c
}

func TestChainIsTheOperatorsAtWhoseCentreItEnds(t *testing.T) {
	c := shared()
	for i, o := range c.ChainOperators() {
		ends := []string{c.Chains[i].Routes[0][0], c.Chains[i].Routes[0][len(c.Chains[i].Routes[0])-1]}
		if !slices.Contains(ends, c.Operators[o].Centre) {
			t.Errorf("%s is %s's, its ends are %v", c.Chains[i].ID, c.Operators[o].Name, ends)
		}
	}
	c.Operators = nil
	for i, o := range c.ChainOperators() {
		if o != 0 {
			t.Errorf("%s: operator %d where none is named", c.Chains[i].ID, o)
		}
	}
}

func TestControllerHearsItsOwnPMUsOnly(t *testing.T) {
	w := newWorld(t, shared(), plenty)
	w.runFor(2 * time.Second)
	of, pmus := w.sys.cfg.ChainOperators(), 0
	for i := range w.sys.chains {
		c := &w.sys.chains[i]
		if c.Task != TaskPMU {
			continue
		}
		pmus++
		for o := range w.sys.controllers {
			if heard := w.sys.controllers[o].pmus[c.element].sampledNS != unheard; heard != (o == of[i]) {
				t.Errorf("%s of operator %d: heard %v by operator %d", c.ID, of[i], heard, o)
			}
		}
	}
	if d := w.out.Diagnostics; len(d) != 2 || d[0].HeardPMUs == 0 || d[1].HeardPMUs == 0 || d[0].HeardPMUs+d[1].HeardPMUs != pmus {
		t.Errorf("diagnostics %+v of %d PMUs", d, pmus)
	}
}

// Shares of a deficit are those of the blocks and sum to one; together the
// operators call what one alone would.
func TestOperatorsCallTheirSharesOfADeficit(t *testing.T) {
	calls := func(c Config) (total float64, by []float64) {
		w := newWorld(t, c, plenty)
		w.runFor(5 * time.Second)
		w.grid.loadMW = 500
		w.runFor(400 * time.Millisecond)
		for _, d := range w.out.Diagnostics {
			by = append(by, d.CalledMW)
			total += d.CalledMW
		}
		return total, by
	}
	alone, _ := calls(testConfig())
	total, by := calls(shared())
	// The toy grid is one mass: all hear the same frequency, but for the noise.
	if alone < 300 || math.Abs(total-alone) > 0.1*alone {
		t.Errorf("two operators call %.0f MW in all, one %.0f", total, alone)
	}
	w := newWorld(t, shared(), plenty)
	sum := 0.0
	for o := range w.sys.controllers {
		share := w.sys.controllers[o].emergency.share
		sum += share
		if share <= 0 || math.Abs(by[o]-share*total) > 0.1*total {
			t.Errorf("operator %d calls %.0f of %.0f MW, its share is %.3f", o, by[o], total, share)
		}
	}
	if math.Abs(sum-1) > 1e-12 {
		t.Errorf("the shares sum to %v", sum)
	}
}

// What operators ask for is the key of all that is exchanged for a task, and is
// granted where key abounds and the plan is the wished mode.
func TestKeyMovesBalanceWhereKeyAbounds(t *testing.T) {
	w := newWorld(t, shared(), 1<<40)
	plan := slices.Clone(w.sys.Plan())
	for i := range plan {
		plan[i].Mode = w.sys.chains[i].Mode
	}
	if err := w.sys.SetPlan(plan); err != nil {
		t.Fatal(err)
	}
	var asked, drawn [2]float64
	for range 1000 {
		w.runFor(10 * time.Millisecond)
		for _, m := range w.out.Key {
			asked[m.Operator] += float64(m.AskedBits)
			drawn[m.Operator] += float64(m.DrawnBits)
		}
	}
	for o := range asked {
		if asked[o] == 0 || math.Abs(drawn[o]/asked[o]-1) > 0.03 {
			t.Errorf("operator %d asked for %.0f bits and was granted %.0f", o, asked[o], drawn[o])
		}
	}
}

func TestValidateOperators(t *testing.T) {
	for _, c := range []struct {
		want   string
		change func(*Config)
	}{
		{`operators[1].centre: "GW1" is a gateway, not a cc`, func(c *Config) { c.Operators[1].Centre = "GW1" }},
		{`operators[1].centre: no node "CC3", did you mean`, func(c *Config) { c.Operators[1].Centre = "CC3" }},
		{`operators[1].centre: "CC" is taken by operators[0]`, func(c *Config) { c.Operators[1].Centre = "CC" }},
		{`operators[1].name: "TSO" is taken by operators[0]`, func(c *Config) { c.Operators[1].Name = "TSO" }},
		{`"CC2" is the control centre of no operator`, func(c *Config) { c.Operators = c.Operators[:1] }},
		{`ends at "CC", the first route at "CC2"`, func(c *Config) {
			for i := range c.Chains {
				if ch := &c.Chains[i]; ch.ID == "pmu-30" {
					ch.Routes[1] = ch.Routes[1][:len(ch.Routes[1])-1]
				}
			}
		}},
	} {
		cfg := shared()
		c.change(&cfg)
		found := false
		var all []string
		for _, err := range cfg.Validate() {
			all = append(all, err.Error())
			found = found || strings.Contains(err.Error(), c.want)
		}
		if !found {
			t.Errorf("want %q, got %q", c.want, all)
		}
	}
	cfg := shared()
	if errs := cfg.Validate(); len(errs) > 0 {
		t.Errorf("a valid configuration: %v", errs)
	}
}

// One wrong entry is one mistake, whatever follows from it.
func TestMistakeOfAnOperatorStandsAlone(t *testing.T) {
	for name, c := range map[string]struct {
		want   string
		change func(*Config)
	}{
		"centre that does not exist": {`operators[1].centre: no node "CC3", did you mean`, func(c *Config) { c.Operators[1].Centre = "CC3" }},
		"no centre":                  {`operators[1].centre: is missing`, func(c *Config) { c.Operators[1].Centre = "" }},
		"centre that is a gateway":   {`operators[0].centre: "GW1" is a gateway`, func(c *Config) { c.Operators[0].Centre = "GW1" }},
		"centre of nobody's":         {`"CC2" is the control centre of no operator, and 3 chains begin or end there`, func(c *Config) { c.Operators = c.Operators[:1] }},
		"operator without chains": {`operators[2]: no chain belongs to Nobody, but`, func(c *Config) {
			c.Operators = append(c.Operators, Operator{"Nobody", "CC3"})
			c.Nodes = append(c.Nodes, Node{"CC3", ControlCentre})
		}},
		"none, where two ask a gateway": {`operators: none is named`, func(c *Config) {
			c.Chains = append(c.Chains, Chain{ID: "again", Task: TaskInterrogation, Element: "gateway/1", Routes: [][]string{{"CC2", "CC", "GW1"}}})
			c.Operators = nil
		}},
	} {
		cfg := shared()
		c.change(&cfg)
		if found := cfg.Validate(); len(found) != 1 || !strings.Contains(found[0].Error(), c.want) {
			t.Errorf("%s: %v, want one mistake with %q", name, found, c.want)
		}
	}
}
