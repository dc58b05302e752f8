package experiment

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"cosim/federates"
	"cosim/internal/metrics"
	cosync "cosim/sync"
)

// meter computes a run's figures while it runs, in constant memory.
type meter struct {
	def      *Definition
	timeline Timeline
	at       map[string]int // outputs of the frame

	tasks       metrics.TaskCounter
	latency     metrics.Latency
	coi         metrics.Peak
	gens, buses metrics.Peak
	voltage     metrics.Peak
	pool        metrics.Lowest
	recovery    *metrics.Recovery
	faults      []fault // yet to come
	chains      map[string]chainModes
	v0, dv      []float64
	last        cosync.Time
	keys        []keyTotals
	supply      []string // the output with what can be drawn, by pool
	level       []float64
	ledger      [4]float64
	frames      [5]float64
	names       map[string][]string
	forgeries   forgeries
	decisions   decisions
	attacks     []float64
	operators   []operatorMeter // empty where there is one
	fairness    metrics.FairnessRecord
}

// operatorMeter keeps what one of several operators did.
type operatorMeter struct {
	name           string
	tasks          metrics.TaskCounter
	asked, granted float64 // bits
}

// fault is a disturbance from which the system has to recover.
type fault struct {
	at   cosync.Time
	what string
}

// chainModes are what a task's mode is judged against, and whose it is.
type chainModes struct {
	wished, static metrics.Mode
	operator       int
}

// keyTotals are one pool's books.
type keyTotals struct {
	link                                                      string
	initial, generated, consumed, discarded, expired, present float64
}

// metered are the outputs that the meter reads.
var metered = []string{
	"grid.frequency", "grid.bus_frequency", "grid.bus_voltage", "scada.tasks", "scada.pool", "scada.store", "scada.initial",
	"scada.generated", "scada.consumed", "scada.discarded", "scada.expired", "scada.ledger", "scada.refused",
	"ieds.applied", "network.balance", "network.attacks", "network.marked",
}

func newMeter(d *Definition, tl Timeline) (*meter, error) {
	m := &meter{
		def: d, timeline: tl, at: map[string]int{}, chains: map[string]chainModes{},
		recovery: metrics.NewRecovery(metrics.SafeHz, metrics.CalmNS, d.Steps.Exchange.Nanoseconds()),
		names:    map[string][]string{},
	}
	if len(d.Operators) > 1 {
		for _, o := range d.Operators {
			m.operators = append(m.operators, operatorMeter{name: o.Name})
		}
	}
	operators := d.ChainOperators()
	for i, c := range d.Chains {
		wished, err := metrics.ParseMode(c.Mode.String())
		if err != nil {
			return nil, err
		}
		static, err := metrics.ParseMode(c.StaticMode.String())
		if err != nil {
			return nil, err
		}
		m.chains[c.ID] = chainModes{wished, static, operators[i]}
	}
	for _, s := range tl.LoadSteps {
		m.faults = append(m.faults, fault{s.From, m.describe(s)})
	}
	for _, t := range tl.Trips {
		what := "trip of branch " + t.Branch
		if t.Branch == "" {
			what = fmt.Sprintf("trip of the generator at bus %d", t.Bus)
		}
		m.faults = append(m.faults, fault{t.At, what})
	}
	slices.SortStableFunc(m.faults, func(a, b fault) int { return cmp.Compare(a.at, b.at) })
	return m, nil
}

func (m *meter) Begin(f *cosync.Frame) error {
	needed := metered
	if m.decides() {
		needed = append(needed[:len(needed):len(needed)], "scada.decision")
	}
	if len(m.operators) > 0 {
		needed = append(needed[:len(needed):len(needed)], "scada.fairness", "scada.asked", "scada.granted")
	}
	for _, name := range needed {
		i, ok := f.Index(name)
		if !ok {
			return fmt.Errorf("experiment: the metrics need output %s, which no federate has", name)
		}
		m.at[name] = i
		m.names[name] = f.Outputs[i].Port.Elements
	}
	m.v0 = append(m.v0, m.values(f, "grid.bus_voltage")...)
	m.dv = make([]float64, len(m.v0))
	m.keys = make([]keyTotals, len(m.names["scada.pool"]))
	m.level, m.supply = make([]float64, len(m.keys)), make([]string, len(m.keys))
	for i, name := range m.names["scada.pool"] {
		m.supply[i] = "scada.pool"
		if m.def.Keys.Supply == SupplyStore && m.def.centreLinks()[strings.TrimPrefix(name, "pool/")] {
			m.supply[i] = "scada.store"
		}
	}
	return m.measure(f)
}

func (m *meter) values(f *cosync.Frame, name string) []float64 { return f.Outputs[m.at[name]].Values }

func (m *meter) Observe(f *cosync.Frame) error {
	for _, e := range f.Outputs[m.at["scada.tasks"]].Events {
		if err := m.task(federates.ParseTask(e)); err != nil {
			return err
		}
	}
	m.forgeries.observe(f.To, m.messages(f, "network.marked"), m.messages(f, "scada.refused"), m.messages(f, "ieds.applied"))
	if m.decides() && f.From%simTime(m.def.Reconfigure.Period) == 0 {
		m.decisions.observe(m.values(f, "scada.decision"))
	}
	return m.measure(f)
}

// decides says whether the run's plan is reconfigured.
func (m *meter) decides() bool { return m.def.Reconfigure.Solver != SolverNone }

func (m *meter) messages(f *cosync.Frame, name string) []cosync.Message {
	return f.Outputs[m.at[name]].Messages
}

func (m *meter) task(t federates.Task) error {
	cause, err := metrics.ParseCause(t.Cause)
	if err != nil {
		return err
	}
	mode, err := metrics.ParseMode(t.Mode)
	if err != nil {
		return err
	}
	c := m.chains[t.Chain]
	m.tasks.Trigger(t.Class)
	outcome := metrics.Task{Class: t.Class, Cause: cause, Mode: mode, Wished: c.wished, Static: c.static}
	m.tasks.Decide(outcome)
	if len(m.operators) > 0 {
		own := &m.operators[c.operator].tasks
		own.Trigger(t.Class)
		own.Decide(outcome)
	}
	switch cause {
	case metrics.None:
		m.latency.Add(t.Class, int64(t.LatencyS*1e9+0.5))
	case metrics.Late:
		m.latency.Violate(t.Class)
	}
	return nil
}

func (m *meter) measure(f *cosync.Frame) error {
	t := int64(f.To)
	for len(m.faults) > 0 && m.faults[0].at < f.To {
		m.recovery.Fault(int64(m.faults[0].at), m.faults[0].what)
		m.faults = m.faults[1:]
	}
	frequency := m.values(f, "grid.frequency")
	m.coi.Add(t, frequency[0])
	m.recovery.Add(t, frequency[0])
	m.gens.AddVector(t, frequency[1:])
	m.buses.AddVector(t, m.values(f, "grid.bus_frequency"))
	for i, v := range m.values(f, "grid.bus_voltage") {
		m.dv[i] = v - m.v0[i]
	}
	m.voltage.AddVector(t, m.dv)
	for i := range m.keys {
		m.level[i] = m.values(f, m.supply[i])[i]
	}
	m.pool.AddVector(t, m.level)
	m.last = f.To
	m.books(f)
	return nil
}

// books keeps the totals; the last ones are the run's.
func (m *meter) books(f *cosync.Frame) {
	for i := range m.keys {
		m.keys[i] = keyTotals{
			link:    m.names["scada.pool"][i],
			initial: m.values(f, "scada.initial")[i], generated: m.values(f, "scada.generated")[i],
			consumed: m.values(f, "scada.consumed")[i], discarded: m.values(f, "scada.discarded")[i],
			expired: m.values(f, "scada.expired")[i], present: m.values(f, "scada.pool")[i],
		}
	}
	copy(m.ledger[:], m.values(f, "scada.ledger"))
	copy(m.frames[:], m.values(f, "network.balance"))
	m.attacks = append(m.attacks[:0], m.values(f, "network.attacks")...)
	for i := range m.operators {
		o := &m.operators[i]
		o.asked, o.granted = m.values(f, "scada.asked")[i], m.values(f, "scada.granted")[i]
	}
	if len(m.operators) > 0 && f.To > 0 && f.To%federates.FairnessEvery == 0 {
		m.fairness.Add(m.values(f, "scada.fairness")[0])
	}
}

func (m *meter) End(error) error { return nil }

// describe says what a contingency was: "+552 MW at bus 16 (area-2), fibre
// CC-GW2 down 3.8 s from 312.90 s".
func (m *meter) describe(s LoadStep) string {
	text := fmt.Sprintf("%+.0f MW at bus %d", s.SizeMW, s.Bus)
	for _, a := range m.def.Areas {
		for _, b := range a.Buses {
			if b == s.Bus {
				text += " (" + a.Name + ")"
			}
		}
	}
	for _, b := range m.timeline.Breaks {
		if b.From < s.To && b.To > s.From-2*cosync.Second && b.From < s.From+2*cosync.Second {
			text += fmt.Sprintf(", fibre %s down %.1f s from %.2f s", b.Link, (b.To - b.From).Seconds(), b.From.Seconds())
		}
	}
	return text
}

// summary gives the figures so far.
func (m *meter) summary() *metrics.Summary {
	d := m.def
	s := metrics.NewSummary(d.Name, d.Case, d.Seed)
	s.SimulatedS = metrics.Number(m.last.Seconds())
	s.Tasks = metrics.SummarizeTasks(&m.tasks)
	open := int64(m.ledger[3]) // without an outcome when the run ended
	s.Tasks.Pending, s.Tasks.Triggers = open, s.Tasks.Triggers+open
	s.Latency = m.latency.ByClass()
	s.Recovery = metrics.SummarizeRecovery(m.recovery)
	s.Grid = metrics.GridSummary{
		DeltaFMaxHz: m.coi.Magnitude(), DeltaFMaxAtS: metrics.Number(float64(m.coi.AtNS()) / 1e9),
		DeltaFMaxGeneratorsHz: m.gens.Magnitude(), DeltaFMaxGenerator: element(m.names["grid.frequency"], m.gens.Index()+1),
		DeltaFMaxBusesHz: m.buses.Magnitude(), DeltaFMaxBus: element(m.names["grid.bus_frequency"], m.buses.Index()),
		DeltaVMaxPU: m.voltage.Magnitude(), DeltaVMaxBus: element(m.names["grid.bus_voltage"], m.voltage.Index()),
		DeltaVMaxAtS: metrics.Number(float64(m.voltage.AtNS()) / 1e9),
	}
	m.keySummary(s)
	s.Attacks = m.forgeries.summary(m.attacks)
	s.Decisions = m.decisions.summary()
	s.Fairness = m.fairness.Summary()
	for i := range m.operators {
		o := &m.operators[i]
		s.Operators = append(s.Operators, metrics.SummarizeOperator(o.name, &o.tasks, int64(o.asked), int64(o.granted)))
	}
	s.Conservation.Frames = metrics.FrameBalance{
		Sent: int64(m.frames[0] + m.frames[1]), Delivered: int64(m.frames[2]), Dropped: int64(m.frames[3]), InFlight: int64(m.frames[4]),
	}
	return s
}

func (m *meter) keySummary(s *metrics.Summary) {
	centre := m.def.centreLinks()
	k := &s.Keys
	for _, p := range m.keys {
		k.All.Add(int64(p.consumed), int64(p.generated))
		if centre[p.link[len("pool/"):]] {
			k.Centre.Add(int64(p.consumed), int64(p.generated))
		}
		b := &s.Conservation.Key
		b.InitialBits += int64(p.initial)
		b.GeneratedBits += int64(p.generated)
		b.ConsumedBits += int64(p.consumed)
		b.DiscardedBits += int64(p.discarded + p.expired)
		b.HeldBits += int64(p.present)
	}
	k.UseCentre, k.UseAll = k.Centre.Ratio(), k.All.Ratio()
	k.LowestPool = element(m.names["scada.pool"], m.pool.Index())
	k.LowestPoolBits, k.LowestPoolAtS = m.pool.Value(), metrics.Number(float64(m.pool.AtNS())/1e9)
	k.SafePoolBits = metrics.Number(m.def.Keys.Pool.SafeBits)
}

func element(names []string, i int) string {
	if i < 0 || i >= len(names) {
		return ""
	}
	return names[i]
}
