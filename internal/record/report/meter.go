package report

import (
	"slices"
	"strings"

	"cosim/internal/metrics"
	"cosim/internal/record"
)

// meter computes the figures of a run that left no summary, from its log. The
// series has fewer samples than the run had steps, so that peaks are lower
// bounds and times are exact to a row.
type meter struct {
	about           *about
	chains          map[string]chainAbout
	tasks           metrics.TaskCounter
	latency         metrics.Latency
	coi, gens       metrics.Peak
	buses, voltages metrics.Peak
	pool            metrics.Lowest
	recovery        *metrics.Recovery
	fairness        metrics.FairnessRecord
	hasFairness     bool
	genAt, busAt    []int
	voltAt, poolAt  []int
	names           map[int]string
	v0, buffer      []float64
	last            int64
	index           int
	centre          map[string]bool
}

func newMeter(a *about, columns map[string]int) *meter {
	m := &meter{
		about: a, chains: map[string]chainAbout{}, names: map[int]string{}, centre: map[string]bool{},
		recovery: metrics.NewRecovery(metrics.SafeHz, metrics.CalmNS, max(1, a.Experiment.Steps.Record.Nanoseconds())),
	}
	for _, c := range a.Experiment.Chains {
		m.chains[c.ID] = c
	}
	for _, l := range a.centreLinks() {
		m.centre[l] = true
	}
	store := a.Experiment.Keys.Supply == "store"
	for name, i := range columns { // sorted below
		group, element, _ := strings.Cut(name, "/")
		switch {
		case group == "grid.frequency" && element != "coi":
			m.genAt = append(m.genAt, i)
		case group == "grid.bus_frequency":
			m.busAt = append(m.busAt, i)
		case group == "grid.bus_voltage":
			m.voltAt = append(m.voltAt, i)
		case group == "scada.pool" && !(store && m.centre[strings.TrimPrefix(element, "pool/")]),
			group == "scada.store" && store && m.centre[strings.TrimPrefix(element, "pool/")]:
			m.poolAt = append(m.poolAt, i)
		case name == columnIndex:
			m.index, m.hasFairness = i, true
		}
		m.names[i] = element
	}
	for _, list := range [][]int{m.genAt, m.busAt, m.voltAt, m.poolAt} {
		slices.Sort(list)
	}
	return m
}

func (m *meter) row(tNS int64, frequency float64, v []float64) {
	m.last = tNS
	m.coi.Add(tNS, frequency)
	m.recovery.Add(tNS, frequency)
	m.gens.AddVector(tNS, m.pick(m.genAt, v))
	m.buses.AddVector(tNS, m.pick(m.busAt, v))
	volts := m.pick(m.voltAt, v)
	if m.v0 == nil {
		m.v0 = slices.Clone(volts)
	}
	for i := range volts {
		volts[i] -= m.v0[i]
	}
	m.voltages.AddVector(tNS, volts)
	m.pool.AddVector(tNS, m.pick(m.poolAt, v))
	if m.hasFairness && tNS > 0 {
		m.fairness.Add(v[m.index])
	}
}

// pick is valid until the next call.
func (m *meter) pick(at []int, v []float64) []float64 {
	m.buffer = m.buffer[:0]
	for _, i := range at {
		m.buffer = append(m.buffer, v[i])
	}
	return m.buffer
}

func (m *meter) fault(atNS int64, what string) { m.recovery.Fault(atNS, what) }

func (m *meter) task(e *record.Event) {
	cause, err := metrics.ParseCause(e.Cause)
	mode, err2 := metrics.ParseMode(e.Mode)
	if err != nil || err2 != nil {
		return // of a program that knew more
	}
	c := m.chains[e.Element]
	wished, _ := metrics.ParseMode(c.Mode)
	static, _ := metrics.ParseMode(c.StaticMode)
	m.tasks.Trigger(e.Class)
	m.tasks.Decide(metrics.Task{Class: strings.Clone(e.Class), Cause: cause, Mode: mode, Wished: wished, Static: static})
	switch cause {
	case metrics.None:
		m.latency.Add(e.Class, int64(e.Value*1e9+0.5))
	case metrics.Late:
		m.latency.Violate(e.Class)
	}
}

func (m *meter) summary(t *trace) *metrics.Summary {
	e := &m.about.Experiment
	s := metrics.NewSummary(e.Name, e.Case, e.Seed)
	s.DefinitionSHA256 = m.about.DefinitionHash
	s.SimulatedS = metrics.Number(float64(m.last) / 1e9)
	s.Tasks = metrics.SummarizeTasks(&m.tasks)
	s.Latency = m.latency.ByClass()
	s.Recovery = metrics.SummarizeRecovery(m.recovery)
	at := func(ns int64) metrics.Number { return metrics.Number(float64(ns) / 1e9) }
	s.Grid = metrics.GridSummary{
		DeltaFMaxHz: m.coi.Magnitude(), DeltaFMaxAtS: at(m.coi.AtNS()),
		DeltaFMaxGeneratorsHz: m.gens.Magnitude(), DeltaFMaxGenerator: m.name(m.genAt, m.gens.Index()),
		DeltaFMaxBusesHz: m.buses.Magnitude(), DeltaFMaxBus: m.name(m.busAt, m.buses.Index()),
		DeltaVMaxPU: m.voltages.Magnitude(), DeltaVMaxBus: m.name(m.voltAt, m.voltages.Index()),
		DeltaVMaxAtS: at(m.voltages.AtNS()),
	}
	for _, k := range t.keys {
		s.Keys.All.Add(int64(k.consumed), int64(k.generated))
		if m.centre[k.link] {
			s.Keys.Centre.Add(int64(k.consumed), int64(k.generated))
		}
	}
	s.Keys.UseCentre, s.Keys.UseAll = s.Keys.Centre.Ratio(), s.Keys.All.Ratio()
	s.Keys.LowestPool = m.name(m.poolAt, m.pool.Index())
	s.Keys.LowestPoolBits, s.Keys.LowestPoolAtS = m.pool.Value(), at(m.pool.AtNS())
	s.Keys.SafePoolBits = metrics.Number(e.Keys.Pool.SafeBits)
	s.Fairness = m.fairness.Summary()
	if !m.about.reconfigures() {
		return s
	}
	s.Decisions = metrics.DecisionSummary{
		Count: t.gaps.Count(), GapP50: t.gaps.QuantileS(0.5), GapP99: t.gaps.QuantileS(0.99), GapMax: t.gaps.MaxS(),
	}
	return s
}

func (m *meter) name(at []int, i int) string {
	if i < 0 || i >= len(at) {
		return ""
	}
	return m.names[at[i]]
}
