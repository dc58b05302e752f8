package scada

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"cosim/scada/q3p"

	"cosim/internal/spelling"
)

// FieldError is one mistake in a Config, at a path such as
// "chains[3].routes[0][2]" in the names of its YAML keys.
type FieldError struct {
	Path string
	Msg  string
	// Or are other places at which the same mistake may have been made.
	Or []string
}

func (e FieldError) Error() string { return e.Path + ": " + e.Msg }

// Validate reports every mistake in c; each is a FieldError. What a chain
// leaves empty is checked where its class says it.
func (c *Config) Validate() []error {
	r := c.Resolved()
	v := validator{cfg: &r, kinds: map[string]string{}, links: map[[2]string]Link{}, devices: map[string]string{}, centres: map[string]int{}}
	v.nodes()
	v.operators()
	v.linkList()
	v.elements()
	v.classes()
	v.chains()
	v.ownership()
	v.parameters()
	return v.mistakes
}

type validator struct {
	cfg     *Config
	kinds   map[string]string  // node → kind
	links   map[[2]string]Link // both directions
	devices map[string]string  // element → IED
	centres map[string]int     // of operators
	// misplaced says that an operator's centre is wrong, so that it cannot be
	// told whose chains are.
	misplaced bool
	strays    []stray
	mistakes  []error
}

func (v *validator) fault(path, format string, args ...any) {
	v.mistakes = append(v.mistakes, FieldError{Path: path, Msg: fmt.Sprintf(format, args...)})
}

func (v *validator) nodes() {
	first := map[string]int{}
	for i, n := range v.cfg.Nodes {
		path := fmt.Sprintf("nodes[%d]", i)
		v.unique(first, path+".name", n.Name, i, "nodes")
		if strings.Contains(n.Name, ">") {
			v.fault(path+".name", "%q contains >, which separates the nodes of a route", n.Name)
		}
		if !slices.Contains([]string{ControlCentre, Gateway, RTU, Device}, n.Kind) {
			v.fault(path+".kind", "%q is not one of cc, gateway, rtu, ied", n.Kind)
		}
		v.kinds[n.Name] = n.Kind
	}
}

// unique reports an empty or repeated name of a list.
func (v *validator) unique(first map[string]int, path, name string, i int, list string) bool {
	if name == "" {
		v.fault(path, "is missing")
		return false
	}
	if at, ok := first[name]; ok {
		v.fault(path, "%q is taken by %s[%d]", name, list, at)
		return false
	}
	first[name] = i
	return true
}

func (v *validator) linkList() {
	first := map[string]int{}
	for i, l := range v.cfg.Links {
		path := fmt.Sprintf("links[%d]", i)
		v.unique(first, path+".name", l.Name, i, "links")
		v.node(path+".a", l.A)
		v.node(path+".b", l.B)
		if l.A == l.B {
			v.fault(path+".b", "joins %q to itself", l.B)
			continue
		}
		if other, ok := v.links[[2]string{l.A, l.B}]; ok {
			v.fault(path, "joins %s and %s like link %q", l.A, l.B, other.Name)
		}
		v.links[[2]string{l.A, l.B}], v.links[[2]string{l.B, l.A}] = l, l
		if l.Quantum && !(v.trusted(l.A) && v.trusted(l.B)) {
			v.fault(path+".quantum", "a quantum link joins control centres and gateways only, not %s and %s", l.A, l.B)
		}
	}
}

// trusted nodes may hold pool keys.
func (v *validator) trusted(node string) bool {
	return v.kinds[node] == ControlCentre || v.kinds[node] == Gateway
}

func (v *validator) node(path, name string) bool {
	if name == "" {
		v.fault(path, "is missing")
		return false
	}
	if _, ok := v.kinds[name]; !ok {
		v.fault(path, "no node %q%s", name, nearest(name, v.kinds))
		return false
	}
	return true
}

func (v *validator) elements() {
	first := map[string]int{}
	for i, p := range v.cfg.PMUs {
		v.element(first, fmt.Sprintf("pmus[%d]", i), p.ID, p.IED, i, "pmus")
	}
	first = map[string]int{}
	for i, g := range v.cfg.Generators {
		path := fmt.Sprintf("generators[%d]", i)
		v.element(first, path, g.ID, g.IED, i, "generators")
		v.notNegative(path+".participation", g.Participation)
		v.notNegative(path+".inertia_s", g.InertiaS)
		v.notNegative(path+".voltage_pu", g.VoltagePU)
	}
	first = map[string]int{}
	for i, b := range v.cfg.Blocks {
		path := fmt.Sprintf("blocks[%d]", i)
		v.element(first, path, b.ID, b.IED, i, "blocks")
		v.notNegative(path+".capacity_mw", b.CapacityMW)
	}
}

func (v *validator) element(first map[string]int, path, id, ied string, i int, list string) {
	v.unique(first, path+".id", id, i, list)
	if v.node(path+".ied", ied) && v.kinds[ied] != Device {
		v.fault(path+".ied", "%q is a %s, not an ied", ied, v.kinds[ied])
	}
	v.devices[id] = ied
}

func (v *validator) notNegative(path string, x float64) {
	if !(x >= 0) {
		v.fault(path, "%v is not a number from 0 on", x)
	}
}

func (v *validator) duration(path string, d time.Duration) {
	if d < 0 {
		v.fault(path, "%v is negative", d)
	}
}

func (v *validator) classes() {
	known := DefaultClasses()
	for _, name := range slices.Sorted(maps.Keys(v.cfg.Classes)) {
		c, path := v.cfg.Classes[name], "classes."+name
		def, ok := known[name]
		if !ok {
			v.fault(path, "no such task%s", nearest(name, known))
			continue
		}
		v.duration(path+".phase", c.Phase)
		v.duration(path+".latency", c.Latency)
		switch c.Trigger {
		case Periodic:
			if c.Period <= 0 {
				v.fault(path+".period", "%v: a periodic trigger needs a period", c.Period)
			}
		case Poisson:
			if !(c.RateHz > 0) {
				v.fault(path+".rate_hz", "%v: a Poisson trigger needs a rate above 0", c.RateHz)
			}
		case Demand:
		default:
			v.fault(path+".trigger", "%q is not one of periodic, poisson, demand", c.Trigger)
		}
		v.classTrigger(path, name, c)
		if c.Direction != def.Direction {
			v.fault(path+".direction", "%q: %s tasks go %s", c.Direction, name, def.Direction)
		}
		if types := asduTypes[name]; !slices.Contains(types, c.ASDUType) {
			v.fault(path+".asdu_type", "%d: %s tasks are sent as %s", c.ASDUType, name, strings.Trim(fmt.Sprint(types), "[]"))
		}
		v.mode(path+".mode", c.Mode)
		v.mode(path+".static_mode", c.StaticMode)
		v.mode(path+".min_mode", c.MinMode)
	}
}

// classTrigger checks what the controller relies on: frames of samples at
// common instants, and emergency tasks that nobody else triggers.
func (v *validator) classTrigger(path, name string, c Class) {
	switch {
	case name == TaskPMU && c.Trigger != Periodic:
		v.fault(path+".trigger", "%q: PMUs measure together, periodic", c.Trigger)
	case name == TaskPMU && c.Stagger:
		v.fault(path+".stagger", "PMUs measure together")
	case (name == TaskShed || name == TaskBreaker) != (c.Trigger == Demand):
		v.fault(path+".trigger", "%q: shed and breaker tasks, and no others, come on demand", c.Trigger)
	}
}

// asduTypes are the type identifications that each task can be sent as.
var asduTypes = map[string][]int{
	TaskPMU: {13, 36}, TaskAGC: {50, 63}, TaskAVR: {50, 63}, TaskShed: {50, 63},
	TaskBreaker: {45, 46}, TaskInterrogation: {100},
}

func (v *validator) mode(path string, m Mode) bool {
	if !m.Valid() {
		v.fault(path, "is not one of otp, aes-wc, aes")
		return false
	}
	return true
}

func (v *validator) chains() {
	ids, served := map[string]int{}, map[[3]string]int{}
	shared := 0 // gateways that several centres interrogate for one operator
	for i := range v.cfg.Chains {
		ch, path := &v.cfg.Chains[i], fmt.Sprintf("chains[%d]", i)
		v.unique(ids, path+".id", ch.ID, i, "chains")
		if _, ok := v.cfg.Classes[ch.Task]; !ok || asduTypes[ch.Task] == nil {
			v.fault(path+".task", "no task %q%s", ch.Task, nearest(ch.Task, asduTypes))
			continue
		}
		task := [3]string{ch.Task, ch.Element}
		if ch.Task == TaskInterrogation && len(v.cfg.Operators) > 0 { // each operator asks for itself
			task[2] = ch.start()
		}
		if at, ok := served[task]; ok && ch.Task == TaskInterrogation && v.cfg.Chains[at].start() != ch.start() {
			shared++
		} else if ok {
			v.fault(path+".element", "%s of %q is the task of chains[%d] already", ch.Task, ch.Element, at)
		}
		served[task] = i
		v.chainElement(path, ch)
		v.chainModes(path, ch)
		v.duration(path+".latency", ch.Latency)
		if ch.Latency == 0 {
			v.fault(path+".latency", "is missing")
		}
		if ch.Priority < 0 {
			v.fault(path+".priority", "%d is negative", ch.Priority)
		}
		v.notNegative(path+".switch_cost", ch.SwitchCost)
		if len(ch.Routes) == 0 {
			v.fault(path+".routes", "a chain needs a route")
		}
		for r, route := range ch.Routes {
			v.route(fmt.Sprintf("%s.routes[%d]", path, r), ch, route)
		}
		v.common(path, ch)
	}
	if shared > 0 {
		v.fault("operators", "none is named, so that one has all chains, but %d interrogations ask from another control centre what one asks already; name an operator for each centre", shared)
	}
}

// elementPrefix is how the ids of the elements of a task begin, where they are
// listed in the configuration.
var elementPrefix = map[string]string{TaskPMU: "pmus", TaskAGC: "generators", TaskAVR: "generators", TaskShed: "blocks"}

func (v *validator) chainElement(path string, ch *Chain) {
	list := elementPrefix[ch.Task]
	if list == "" { // breakers and gateways are named freely
		if ch.Element == "" {
			v.fault(path+".element", "is missing")
		}
		return
	}
	var ids []string
	switch list {
	case "pmus":
		for _, p := range v.cfg.PMUs {
			ids = append(ids, p.ID)
		}
	case "generators":
		for _, g := range v.cfg.Generators {
			ids = append(ids, g.ID)
		}
	case "blocks":
		for _, b := range v.cfg.Blocks {
			ids = append(ids, b.ID)
		}
	}
	if !slices.Contains(ids, ch.Element) {
		known := map[string]bool{}
		for _, id := range ids {
			known[id] = true
		}
		v.fault(path+".element", "no %q among %s%s", ch.Element, list, nearest(ch.Element, known))
	}
}

func (v *validator) chainModes(path string, ch *Chain) {
	mode := v.mode(path+".mode", ch.Mode)
	static := v.mode(path+".static_mode", ch.StaticMode)
	if !v.mode(path+".min_mode", ch.MinMode) {
		return
	}
	if mode && ch.Mode < ch.MinMode {
		v.fault(path+".mode", "%s is weaker than min_mode %s", ch.Mode, ch.MinMode)
	}
	if static && ch.StaticMode < ch.MinMode {
		v.fault(path+".static_mode", "%s is weaker than min_mode %s", ch.StaticMode, ch.MinMode)
	}
}

// route checks one route: its nodes and links exist, it runs in the direction
// of its task, and every hop between control centre and gateways has key.
func (v *validator) route(path string, ch *Chain, route []string) {
	at := func(i int) string { return fmt.Sprintf("%s[%d]", path, i) }
	if len(route) < 2 {
		v.fault(path, "has %d nodes, a route needs at least two", len(route))
		return
	}
	for i, n := range route {
		if !v.node(at(i), n) {
			return
		}
		if slices.Contains(route[:i], n) {
			v.fault(at(i), "passes %q twice", n)
			return
		}
	}
	for i := 1; i < len(route); i++ {
		a, b := route[i-1], route[i]
		link, ok := v.links[[2]string{a, b}]
		if !ok {
			v.fault(at(i), "no link joins %q and %q", a, b)
		} else if v.trusted(a) && v.trusted(b) && !link.Quantum {
			v.fault(at(i), "link %q from %s to %s has no quantum key", link.Name, a, b)
		}
	}
	v.shape(at, ch, route)
}

// common checks what all routes of a chain share: the field end and, for an
// uplink, the way to the first gateway, which alone learns of a new route.
func (v *validator) common(path string, ch *Chain) {
	up := v.cfg.Classes[ch.Task].Direction == Up
	for r, route := range ch.Routes[min(1, len(ch.Routes)):] {
		at := fmt.Sprintf("%s.routes[%d]", path, r+1)
		first := ch.Routes[0]
		switch {
		case len(route) == 0 || len(first) == 0:
		case up && !slices.Equal(v.field(route), v.field(first)):
			v.fault(at, "enters by %s, the first route by %s", pathOf(v.field(route)), pathOf(v.field(first)))
		case !up && route[len(route)-1] != first[len(first)-1]:
			v.fault(at, "ends at %q, the first route at %q", route[len(route)-1], first[len(first)-1])
		case !up && route[0] != first[0]:
			v.fault(at, "begins at %q, the first route at %q", route[0], first[0])
		case up && route[len(route)-1] != first[len(first)-1]:
			v.fault(at, "ends at %q, the first route at %q", route[len(route)-1], first[len(first)-1])
		}
	}
}

// field is the part of an uplink's route up to its first gateway.
func (v *validator) field(route []string) []string {
	for i, n := range route {
		if v.trusted(n) {
			return route[:i+1]
		}
	}
	return route
}

// shape checks the order of the kinds: the operator's cc, gateways or centres of
// others that relay, the last of them a gateway, and for all but an
// interrogation RTUs and an IED; a measurement's the other way round.
func (v *validator) shape(at func(int) string, ch *Chain, route []string) {
	last := len(route) - 1
	index := func(i int) int { return i }
	if v.cfg.Classes[ch.Task].Direction == Up {
		index = func(i int) int { return last - i }
	}
	kind := func(i int) string { return v.kinds[route[index(i)]] }
	if kind(0) != ControlCentre {
		v.fault(at(index(0)), "a %s chain %s a control centre, %q is a %s", ch.Task,
			map[bool]string{true: "ends at", false: "begins at"}[index(0) == last], route[index(0)], kind(0))
	}
	if _, ok := v.centres[route[index(0)]]; !ok && kind(0) == ControlCentre {
		v.stray(at(index(0)), route[index(0)], ch.ID)
	}
	gateways := 0
	for i := 1; i <= last && v.trusted(route[index(i)]); i++ {
		gateways++
	}
	if gateways == 0 {
		v.fault(at(index(1)), "expected a gateway next to the control centre, %q is a %s", route[index(1)], kind(1))
		return
	}
	if kind(gateways) != Gateway {
		v.fault(at(index(gateways)), "expected a gateway at the end of the quantum links, %q is a %s", route[index(gateways)], kind(gateways))
		return
	}
	if ch.Task == TaskInterrogation {
		if gateways != last {
			v.fault(at(gateways+1), "an interrogation ends at its gateway, %q is a %s", route[gateways+1], kind(gateways+1))
		}
		return
	}
	for i := gateways + 1; i < last; i++ {
		if kind(i) != RTU {
			v.fault(at(index(i)), "expected an rtu between gateway and ied, %q is a %s", route[index(i)], kind(i))
		}
	}
	end := route[index(last)]
	if kind(last) != Device {
		v.fault(at(index(last)), "a %s chain %s an ied, %q is a %s", ch.Task,
			map[bool]string{true: "begins at", false: "ends at"}[index(last) == 0], end, kind(last))
	} else if ied, ok := v.devices[ch.Element]; ok && ied != end {
		v.fault(at(index(last)), "%s is at %q, not at %q", ch.Element, ied, end)
	}
}

func (v *validator) parameters() {
	c := &v.cfg.Controller
	for _, p := range []struct {
		key string
		d   time.Duration
	}{
		{"stale_after", c.StaleAfter},
		{"link_detection", c.LinkDetection},
		{"retransmit_after", c.RetransmitAfter},
		{"agc_ti", c.AGCTI},
		{"avr_ti", c.AVRTI},
		{"emergency.frame_wait", c.Emergency.FrameWait},
		{"emergency.retrigger_after", c.Emergency.RetriggerAfter},
		{"emergency.give_up_after", c.Emergency.GiveUpAfter},
		{"emergency.reserve_duration", c.Emergency.ReserveDuration},
	} {
		v.duration("controller."+p.key, p.d)
	}
	for _, p := range []struct {
		key string
		x   float64
	}{
		{"pmu_noise_hz", c.PMUNoiseHz},
		{"pmu_noise_pu", c.PMUNoisePU},
		{"agc_bias_mw_per_hz", c.AGCBiasMWPerHz},
		{"agc_kp", c.AGCKP},
		{"agc_limit_mw", c.AGCLimitMW},
		{"avr_limit_pu", c.AVRLimitPU},
		{"emergency.threshold_mw", c.Emergency.ThresholdMW},
		{"emergency.max_above_hz", c.Emergency.MaxAboveHz},
	} {
		v.notNegative("controller."+p.key, p.x)
	}
	if v.cfg.Crypto.RekeyMessages < 0 {
		v.fault("crypto.rekey_messages", "%d is negative", v.cfg.Crypto.RekeyMessages)
	}
	costs := v.cfg.Crypto.Costs
	for _, m := range []struct {
		mode Mode
		cost q3p.CryptoCost
	}{{OTP, costs.OTP}, {AESWC, costs.AESWC}, {AES, costs.AES}} {
		v.notNegative(fmt.Sprintf("crypto.costs.%v.per_message_ns", m.mode), m.cost.PerMessageNS)
		v.notNegative(fmt.Sprintf("crypto.costs.%v.per_bit_ns", m.mode), m.cost.PerBitNS)
	}
}

// nearest proposes the key of known that is closest to name, if one is close.
func nearest[V any](name string, known map[string]V) string {
	best, near := spelling.Nearest(name, slices.Sorted(maps.Keys(known)))
	if !near {
		return ""
	}
	return fmt.Sprintf(", did you mean %q?", best)
}
