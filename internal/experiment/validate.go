package experiment

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"cosim/cases"
	"cosim/grid"
	"cosim/network"
	"cosim/quantum"
	"cosim/scada"
)

// validate checks what the shape of a document cannot show: that names exist,
// rates are positive, thresholds are in order, the case holds together. It
// reports everything at once.
func (d *Definition) validate() Mistakes {
	v := &validator{def: d}
	v.basics()
	v.external()
	v.power()
	if len(d.Nodes) == 0 && d.Case != "" {
		if v.system != nil {
			v.fault("case", "case %s has no federation.yaml (nodes, links, chains), and the experiment brings none; complete: %s",
				d.Case, strings.Join(federatedCases(), ", "))
		}
		return v.mistakes
	}
	v.dynamics()
	v.models()
	v.operators()
	v.areas()
	v.reconfiguration()
	v.disturbances()
	return v.mistakes
}

type validator struct {
	def      *Definition
	mistakes Mistakes
	system   *grid.Case // nil if it could not be loaded
}

func (v *validator) fault(path, format string, args ...any) {
	v.mistakes = append(v.mistakes, &Mistake{v.def.places.find(path), fmt.Sprintf(format, args...)})
}

// changed is the first of several values, which only together are wrong, that a
// person can mend: one that does not come from a file inside the program. Where
// all do it is the first.
func (v *validator) changed(paths ...string) string {
	for _, path := range paths {
		if !strings.HasSuffix(v.def.places.find(path).File, inside) {
			return path
		}
	}
	return paths[0]
}

func (v *validator) basics() {
	d := v.def
	if d.Name == "" {
		v.fault("name", "name is missing: it begins the name of the run's folder")
	} else if strings.ContainsAny(d.Name, "/\\") {
		v.fault("name", "name %q holds a slash; it begins the name of the run's folder", d.Name)
	}
	if d.Duration <= 0 {
		v.fault("duration", "duration is %v, expected more than 0, such as 600s", d.Duration)
	}
	for _, s := range []struct {
		key  string
		step time.Duration
	}{{"exchange", d.Steps.Exchange}, {"quantum", d.Steps.Quantum}, {"record", d.Steps.Record}} {
		switch {
		case s.step <= 0 || s.step%subStep != 0:
			v.fault("steps."+s.key, "%s is %v, expected a multiple of %v", s.key, s.step, subStep)
		case d.Duration%s.step != 0:
			v.fault("duration", "duration %v is not a multiple of steps.%s (%v)", d.Duration, s.key, s.step)
		case d.Steps.Exchange > 0 && s.step%d.Steps.Exchange != 0:
			v.fault("steps."+s.key, "%s is %v, expected a multiple of steps.exchange (%v)", s.key, s.step, d.Steps.Exchange)
		}
	}
	for _, task := range sortedKeys(d.Priorities) {
		c := d.Priorities[task]
		if _, ok := d.Classes[task]; !ok {
			v.fault("traffic_classes."+task, "no task %q%s", task, suggest(task, sortedKeys(d.Classes)))
		}
		if c < 0 || c >= network.MaxClasses {
			v.fault("traffic_classes."+task, "traffic class %d of %s is outside 0 to %d", c, task, network.MaxClasses-1)
		}
	}
}

// power loads the power system and checks that the elements stand on its
// buses.
func (v *validator) power() {
	d := v.def
	if d.Case == "" {
		v.fault("case", "case is missing; expected one of %s, a folder or a MATPOWER file", strings.Join(cases.Names(), ", "))
		return
	}
	c, err := cases.Load(d.Case)
	if err != nil {
		for _, e := range flatten(err) {
			v.fault("case", "case %s: %v", d.Case, e)
		}
		return
	}
	v.system = c
	for i, p := range d.PMUs {
		v.bus(fmt.Sprintf("pmus[%d].bus", i), p.Bus)
	}
	for i, b := range d.Blocks {
		v.bus(fmt.Sprintf("blocks[%d].bus", i), b.Bus)
	}
	for i, g := range d.Generators {
		if _, ok := c.GenIndex(strconv.Itoa(g.Bus)); !ok {
			v.fault(fmt.Sprintf("generators[%d].bus", i), "no generator at bus %d of %s", g.Bus, d.Case)
		}
	}
}

// dynamics checks that the power system can be simulated.
func (v *validator) dynamics() {
	d, c := v.def, v.system
	if c == nil {
		return
	}
	sim, err := grid.NewSimulator(c, grid.Options{AVR: d.Grid.AVR})
	if err != nil {
		for _, e := range flatten(err) {
			v.fault("case", "case %s: %v", d.Case, e)
		}
		return
	}
	v.trips(sim)
}

// trips tries the scheduled trips one after the other: some leave no operating
// point, an island without inertia or an unstable system.
func (v *validator) trips(sim *grid.Simulator) {
	scheduled := v.def.Disturb.Scheduled
	order := make([]int, len(scheduled))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(scheduled[a].At, scheduled[b].At) })
	for _, i := range order {
		var err error
		switch x := scheduled[i]; x.Kind {
		case kindGenTrip:
			if gen, ok := sim.GenIndex(strconv.Itoa(x.Bus)); ok {
				err = sim.TripGenerator(gen)
			}
		case kindBranchTrip:
			if branch, ok := sim.BranchIndex(x.Branch); ok {
				err = sim.TripBranch(branch)
			}
		}
		if err != nil {
			v.fault(fmt.Sprintf("disturbances.scheduled[%d]", i), "%v", err)
		}
	}
}

// federatedCases are the embedded cases on which experiments can run.
func federatedCases() []string {
	return slices.DeleteFunc(cases.Names(), func(name string) bool {
		_, err := cases.Federation(name)
		return err != nil
	})
}

func (v *validator) bus(path string, bus int) bool {
	if v.system == nil {
		return true
	}
	if _, ok := v.system.BusIndex(strconv.Itoa(bus)); !ok {
		v.fault(path, "no bus %d in %s", bus, v.def.Case)
		return false
	}
	return true
}

// models lets each model judge its own part.
func (v *validator) models() {
	d := v.def
	for i, l := range d.Links {
		if _, ok := d.LinkClasses[l.Class]; !ok {
			v.fault(fmt.Sprintf("links[%d].class", i), "no link class %q%s", l.Class, suggest(l.Class, sortedKeys(d.LinkClasses)))
		}
		if l.Quantum && l.LengthKM <= 0 {
			v.fault(fmt.Sprintf("links[%d].length_km", i), "length_km is %v; a quantum link needs its length", l.LengthKM)
		}
	}
	sc := d.scadaConfig()
	for _, err := range sc.Validate() {
		v.model("", err)
	}
	if d.Quantum.LengthKM != quantum.DefaultLinkConfig().LengthKM {
		v.fault("quantum.length_km", "length_km has no effect here: each link has its own, under links")
	}
	if q := d.Quantum; q.FiniteKey && q.Model != quantum.ModelBB84Decoy && slices.Contains(quantum.Models(), q.Model) {
		v.fault(v.changed("quantum.finite_key", "quantum.model"), "finite_key has no effect with model %s: it is a part of %s", q.Model, quantum.ModelBB84Decoy)
	}
	net := d.networkConfig()
	for _, p := range net.Problems() {
		v.model("", p)
	}
	for _, err := range flatten(d.Quantum.Validate()) {
		v.model("quantum.", err)
	}
	switch d.Keys.Supply {
	case SupplyPool:
	case SupplyStore:
		if !(d.Keys.Store.Share > 0) {
			v.fault("keys.store.share", "share is %v, expected a share of the nominal yield above 0", d.Keys.Store.Share)
		}
		if d.Keys.Store.Period <= 0 {
			v.fault("keys.store.period", "period is %v, expected more than 0", d.Keys.Store.Period)
		}
		v.refills()
	default:
		v.fault("keys.supply", "supply is %q, expected %s or %s", d.Keys.Supply, SupplyPool, SupplyStore)
	}
	v.pools()
}

// refills checks that each store gets key.
func (v *validator) refills() {
	s, centre := v.def.Keys.Store, v.def.centreLinks()
	for _, l := range v.def.quantumLinks() {
		nominal := quantum.NominalRateBPS(v.def.linkConfig(l))
		if centre[l.Name] && s.Share > 0 && s.Period > 0 && s.Share*nominal*s.Period.Seconds() < 1 {
			v.fault("keys.store", "the store of %s gets no key: %v of a nominal yield of %.3g bit/s for %v", l.Name, s.Share, nominal, s.Period)
		}
	}
}

// pools checks every pool once; most mistakes are common to all.
func (v *validator) pools() {
	seen := map[string]bool{}
	links := v.def.quantumLinks()
	if len(links) == 0 { // the thresholds can still be judged
		links = []Link{{LengthKM: v.def.Quantum.LengthKM}}
	}
	for _, l := range links {
		for _, err := range flatten(v.def.poolConfig(l).Validate()) {
			if !seen[err.Error()] {
				v.model("keys.pool.", err)
			}
			seen[err.Error()] = true
		}
	}
}

// model puts a model's mistake at its place.
func (v *validator) model(prefix string, err error) {
	var s scada.FieldError
	var n *network.ConfigError
	var q *quantum.FieldError
	switch {
	case errors.As(err, &s):
		path := v.changed(append([]string{prefix + s.Path}, s.Or...)...)
		v.fault(path, "%s: %s", lastKey(path), s.Msg)
	case errors.As(err, &n):
		v.fault(v.def.networkPath(n.Path), "%s: %s", lastKey(n.Path), n.Problem)
	case errors.As(err, &q):
		v.fault(prefix+q.Field, "%s %s", q.Field, q.Problem)
	default:
		v.fault(strings.TrimSuffix(prefix, "."), "%v", err)
	}
}

// operators checks their roles; scada checks the rest.
func (v *validator) operators() {
	var leaders, roles, names []string
	unknown := false
	for i, o := range v.def.Operators {
		role := fmt.Sprintf("operators[%d].role", i)
		roles = append(roles, role)
		switch o.Role {
		case Leader:
			leaders, names = append(leaders, role), append(names, o.Name)
		case Follower:
		default:
			unknown = true
			v.fault(role, "role is %q%s", o.Role, suggest(o.Role, []string{Leader, Follower}))
		}
	}
	switch {
	case len(leaders) > 1:
		v.fault(v.changed(leaders...), "%d operators have role %s (%s), expected one", len(leaders), Leader, strings.Join(names, ", "))
	case len(roles) > 0 && len(leaders) == 0 && !unknown:
		v.fault(v.changed(roles...), "no operator has role %s, expected one", Leader)
	}
}

func (v *validator) areas() {
	d := v.def
	if d.BlockShare < 0 {
		v.fault("block_share", "block_share is %v, expected a share of the contingency from 0 on", d.BlockShare)
	}
	for i, a := range d.Areas {
		path := fmt.Sprintf("areas[%d]", i)
		if d.centreLink(a.Gateway) == "" {
			v.fault(path+".gateway", "no link joins a control centre and gateway %q", a.Gateway)
		}
		for j, b := range a.Buses {
			v.bus(fmt.Sprintf("%s.buses[%d]", path, j), b)
		}
		if v.system != nil && d.Disturb.Contingencies.Count > 0 && len(d.contingencyBuses(v.system, a)) == 0 {
			v.fault(path+".buses", "area %s has no load of at least %v MW for a contingency (disturbances.contingencies.min_load_mw)", a.Name, d.Disturb.Contingencies.MinLoadMW)
		}
	}
	if len(d.PMUs) == 0 || len(d.Blocks) == 0 {
		v.fault("pmus", "found %d pmus and %d blocks, expected at least one of each", len(d.PMUs), len(d.Blocks))
	}
	for i, b := range d.Blocks {
		if !slices.ContainsFunc(d.Areas, func(a Area) bool { return a.Name == b.Area }) {
			v.fault(fmt.Sprintf("blocks[%d].area", i), "no area %q", b.Area)
		}
	}
}

func (v *validator) disturbances() {
	c, s, n := v.def.Disturb.Contingencies, v.def.Disturb.Surges, v.def.Disturb.LoadNoise
	at := "disturbances."
	if c.SizeMW < 0 {
		v.fault(at+"contingencies.size_mw", "size_mw is %v, expected 0 or more", c.SizeMW)
	}
	if c.Count < 0 || s.Count < 0 || s.Links < 0 {
		v.fault(at+"contingencies.count", "counts must not be negative")
	}
	if c.Count > 0 && len(v.def.Areas) == 0 {
		v.fault(at+"contingencies", "contingencies need areas to hit")
	}
	if c.BreakMax > 0 && c.BreakMax < c.BreakMin {
		v.fault(at+"contingencies.break_max", "break_max %v is less than break_min %v", c.BreakMax, c.BreakMin)
	}
	for _, x := range []struct {
		key string
		d   time.Duration
	}{{"earliest", c.Earliest}, {"apart", c.Apart}, {"duration", c.Duration}} {
		v.onGrid(at+"contingencies."+x.key, x.key, x.d)
	}
	if fitting := v.fittingCount(); c.Count > fitting {
		of := at + "contingencies."
		v.fault(v.changed(of+"count", of+"duration", of+"apart", of+"earliest", "duration"), "%d contingencies of %v, at least %v apart, from %v on, do not fit into %v; try a longer duration or count %d",
			c.Count, c.Duration, c.Apart, c.Earliest, v.def.Duration, fitting)
	}
	if s.Count > 0 && s.Duration <= 0 {
		v.fault(at+"surges.duration", "duration is %v, expected more than 0", s.Duration)
	}
	if s.AttenuationDB < 0 {
		v.fault(at+"surges.attenuation_db", "attenuation_db is %v, expected 0 or more", s.AttenuationDB)
	}
	if n.SigmaRel < 0 || n.SigmaRel > 0 && n.TauS <= 0 {
		v.fault(at+"load_noise", "load noise needs sigma_rel from 0 on and tau_s above 0, found %v and %v", n.SigmaRel, n.TauS)
	}
	for i, x := range v.def.Disturb.Scheduled {
		v.scheduled(fmt.Sprintf("disturbances.scheduled[%d]", i), x)
	}
}

// onGrid checks a time at which the grid acts: it does so at its substeps.
func (v *validator) onGrid(path, key string, d time.Duration) {
	if d%subStep != 0 {
		v.fault(path, "%s is %v, expected a multiple of %v", key, d, subStep)
	}
}

// fittingCount is how many contingencies the run has room for, a substep apart
// at the least.
func (v *validator) fittingCount() int {
	c, whole := v.def.Disturb.Contingencies, v.def.Duration
	if c.Duration > whole || c.Earliest > whole-c.Duration {
		return 0
	}
	return 1 + int((whole-c.Duration-c.Earliest)/max(c.Apart, subStep))
}

func (v *validator) scheduled(path string, x Scheduled) {
	links := make([]string, len(v.def.Links))
	for i, l := range v.def.Links {
		links[i] = l.Name
	}
	if x.Kind == kindLoadStep || x.Kind == kindGenTrip || x.Kind == kindBranchTrip {
		v.onGrid(path+".at", "at", x.At)
	}
	if x.Kind == kindLoadStep {
		v.onGrid(path+".duration", "duration", x.Duration)
	}
	if x.Duration <= 0 && (x.Kind == kindLoadStep || x.Kind == kindLinkBreak || x.Kind == kindSurge) {
		v.fault(path, "%s needs a duration above 0", x.Kind)
	}
	switch x.Kind {
	case kindLoadStep:
		v.bus(path+".bus", x.Bus)
	case kindGenTrip:
		if v.system != nil {
			if _, ok := v.system.GenIndex(strconv.Itoa(x.Bus)); !ok {
				v.fault(path+".bus", "no generator at bus %d of %s", x.Bus, v.def.Case)
			}
		}
	case kindBranchTrip:
		if v.system != nil {
			if _, ok := v.system.BranchIndex(x.Branch); !ok {
				v.fault(path+".branch", "no branch %q in %s", x.Branch, v.def.Case)
			}
		}
	case kindLinkBreak, kindSurge:
		i := slices.Index(links, x.Link)
		if i < 0 {
			v.fault(path+".link", "no link %q%s", x.Link, suggest(x.Link, links))
		} else if !v.def.Links[i].Quantum {
			v.fault(path+".link", "link %q has no QKD link to disturb", x.Link)
		}
	default:
		v.fault(path+".kind", "kind is %q%s", x.Kind, suggest(x.Kind, scheduledKinds))
	}
}

// flatten lists the errors that were joined into err.
func flatten(err error) []error {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []error
		for _, e := range joined.Unwrap() {
			all = append(all, flatten(e)...)
		}
		return all
	}
	return []error{err}
}

// lastKey is the key at the end of a path: "routes" of "chains[3].routes[0]".
func lastKey(path string) string {
	key := path[strings.LastIndex(path, ".")+1:]
	if i := strings.IndexByte(key, '['); i > 0 {
		key = key[:i]
	}
	return key
}
