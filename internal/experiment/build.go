package experiment

import (
	"fmt"
	"math/rand/v2"
	"time"

	"cosim/cases"
	"cosim/federates"
	"cosim/grid"
	"cosim/internal/record"
	"cosim/internal/rng"
	"cosim/network"
	"cosim/quantum"
	"cosim/scada"
	cosync "cosim/sync"
)

// federation is an experiment with its parts built and wired, before the
// first step.
type federation struct {
	federates   []cosync.Federate
	connections []cosync.Connection
	tolerated   []cosync.Tolerance
	timeline    Timeline
	engine      *network.Engine
	outsiders   []record.Outsider // federates that others simulate
}

// connections of the built-in federates. Whether a connection is direct is
// said by the reading port.
var wiring = []cosync.Connection{
	{From: "quantum.fibre", To: "network.fibre"},
	{From: "scada.frames", To: "network.frames"},
	{From: "network.commands", To: "ieds.commands"},
	{From: "ieds.orders", To: "grid.orders"},
	{From: "quantum.fibre", To: "scada.fibre"},
	{From: "quantum.blocks", To: "scada.blocks"},
	{From: "quantum.key", To: "scada.key"},
	{From: "quantum.up", To: "scada.up"},
	{From: "quantum.state", To: "scada.state"},
	{From: "network.deliveries", To: "scada.deliveries"},
	{From: "network.drops", To: "scada.drops"},
	{From: "ieds.applied", To: "scada.applied"},
	{From: "grid.pmu_frequency", To: "scada.frequency"},
	{From: "grid.pmu_voltage", To: "scada.voltage"},
}

func simTime(d time.Duration) cosync.Time { return cosync.Time(d) }

// build makes the federation of a definition.
func build(d *Definition) (*federation, error) { return buildRun(d, nil, nil, 0) }

// buildRun makes a federation whose decisions r records, if any, and which runs
// at so many simulated seconds a wall second, or 0 for as fast as it can. The
// clock, if any, has a say in decisions.
func buildRun(d *Definition, r *decisionRecorder, clock *cuts, realTime float64) (*federation, error) {
	c, err := cases.Load(d.Case)
	if err != nil {
		return nil, err
	}
	tl, err := d.timeline(c)
	if err != nil {
		return nil, fmt.Errorf("experiment: %w", err)
	}
	stream := func(name string) *rand.Rand { return rng.Stream(d.Seed, name) }
	b := &builder{def: d, power: c, timeline: tl, stream: stream, decisions: r, clock: clock, realTime: realTime}
	f := &federation{connections: wiring, timeline: tl}
	for _, part := range []func() (cosync.Federate, error){b.quantum, b.network, b.scada, b.ieds, b.grid} {
		made, err := part()
		if err != nil {
			return nil, err
		}
		f.federates = append(f.federates, made)
	}
	f.engine = b.engine
	return f, nil
}

func (d *Definition) hitAreas(c *grid.Case) []hitArea {
	areas := make([]hitArea, len(d.Areas))
	for i, a := range d.Areas {
		areas[i] = hitArea{link: d.centreLink(a.Gateway), buses: d.contingencyBuses(c, a)}
	}
	return areas
}

type builder struct {
	def      *Definition
	power    *grid.Case
	timeline Timeline
	stream   func(string) *rand.Rand
	engine   *network.Engine
	// decisions records those of the planner, if not nil.
	decisions *decisionRecorder
	realTime  float64 // simulated seconds a wall second, or 0
	clock     *cuts   // tells which decisions the clock ends, if not nil
}

func (b *builder) quantum() (cosync.Federate, error) {
	var links []federates.QuantumLink
	for _, l := range b.def.quantumLinks() {
		cfg := b.def.linkConfig(l)
		link, err := quantum.NewLink(cfg, b.def.Steps.Quantum.Nanoseconds(), b.linkDisturbances(l.Name),
			func(process string) *rand.Rand { return b.stream("link/" + l.Name + "/" + process) })
		if err != nil {
			return nil, fmt.Errorf("link %s: %w", l.Name, err)
		}
		links = append(links, federates.QuantumLink{Name: l.Name, Link: link, CutsFibre: cfg.BreakCuts == quantum.CutsFibre})
	}
	return federates.NewQuantum(links, simTime(b.def.Steps.Quantum)), nil
}

func (b *builder) linkDisturbances(link string) []quantum.Disturbance {
	var ds []quantum.Disturbance
	for _, x := range b.timeline.Breaks {
		if x.Link == link {
			ds = append(ds, quantum.Disturbance{FromNS: int64(x.From), ToNS: int64(x.To), Break: true})
		}
	}
	for _, x := range b.timeline.Surges {
		if x.Link == link {
			ds = append(ds, quantum.Disturbance{FromNS: int64(x.From), ToNS: int64(x.To), AttenuationDB: x.DB})
		}
	}
	return ds
}

func (b *builder) network() (cosync.Federate, error) {
	cfg := b.def.networkConfig()
	engine, err := network.New(cfg, b.stream)
	if err != nil {
		return nil, err
	}
	b.engine = engine
	var watch []string
	for _, l := range b.def.quantumLinks() {
		watch = append(watch, l.Name)
	}
	return federates.NewNetwork(engine, cfg, b.def.Priorities, watch, simTime(b.def.Steps.Exchange), simTime(b.def.Steps.Record))
}

func (b *builder) scada() (cosync.Federate, error) {
	supplies, err := b.supplies()
	if err != nil {
		return nil, err
	}
	s, err := federates.NewScada(b.def.scadaConfig(), supplies, b.stream, simTime(b.def.Steps.Exchange))
	if err != nil {
		return nil, err
	}
	return s, b.plan(s)
}

// supplies makes the key pools and, where the experiment says so, the stores
// on them. Staggered refills are spread evenly over the period.
func (b *builder) supplies() ([]*federates.KeySupply, error) {
	links := b.def.quantumLinks()
	centre := b.def.centreLinks()
	var all []*federates.KeySupply
	stores := 0
	for _, l := range links {
		pool, err := quantum.NewPool(b.def.poolConfig(l), rng.Source(b.def.Seed, "pool/"+l.Name))
		if err != nil {
			return nil, fmt.Errorf("pool %s: %w", l.Name, err)
		}
		k := &federates.KeySupply{Link: l.Name, A: l.A, Pool: pool}
		if b.def.Keys.Supply == SupplyStore && centre[l.Name] {
			if k.Store, err = quantum.NewStore(b.storeConfig(l, stores, len(centre)), pool); err != nil {
				return nil, fmt.Errorf("store %s: %w", l.Name, err)
			}
			stores++
		}
		all = append(all, k)
	}
	return all, nil
}

// StoreLinks are the links from whose stores chains draw; none where they draw
// from the pools.
func (d *Definition) StoreLinks() []string {
	if d.Keys.Supply != SupplyStore {
		return nil
	}
	centre := d.centreLinks()
	var links []string
	for _, l := range d.quantumLinks() {
		if centre[l.Name] {
			links = append(links, l.Name)
		}
	}
	return links
}

// storeConfig is the store on link l, the i-th of n.
func (b *builder) storeConfig(l Link, i, n int) quantum.StoreConfig {
	s := b.def.Keys.Store
	nominal := quantum.NominalRateBPS(b.def.linkConfig(l))
	c := quantum.StoreConfig{SizeBits: int64(s.Share * nominal * s.Period.Seconds()), PeriodNS: s.Period.Nanoseconds()}
	if s.Staggered {
		c.PhaseNS = c.PeriodNS * int64(i+1) / int64(n)
	}
	return c
}

func (b *builder) ieds() (cosync.Federate, error) {
	ieds, err := scada.NewIEDs(b.def.scadaConfig(), scada.PresharedSecret(b.stream("scada/psk")))
	if err != nil {
		return nil, err
	}
	return federates.NewIEDs(ieds, simTime(b.def.Steps.Exchange)), nil
}

func (b *builder) grid() (cosync.Federate, error) {
	d := b.def
	opt := grid.Options{AVR: d.Grid.AVR}
	if d.Disturb.LoadNoise.SigmaRel > 0 {
		opt.Noise = &grid.Noise{SigmaPU: d.Disturb.LoadNoise.SigmaRel, TauS: d.Disturb.LoadNoise.TauS, Rand: b.stream("grid/load-noise")}
	}
	sim, err := grid.NewSimulator(b.power, opt)
	if err != nil {
		return nil, err
	}
	cfg := federates.GridConfig{
		Step: simTime(d.Steps.Exchange), SubStep: simTime(subStep), Every: simTime(d.Steps.Record),
		PMUs: d.PMUs, Generators: d.Generators, Blocks: d.Blocks,
		BlockDuration: simTime(d.Controller.Emergency.ReserveDuration),
	}
	for _, s := range b.timeline.LoadSteps {
		cfg.Steps = append(cfg.Steps, federates.GridLoadStep(s))
	}
	for _, t := range b.timeline.Trips {
		cfg.Trips = append(cfg.Trips, federates.GridTrip(t))
	}
	return federates.NewGrid(sim, cfg)
}

// Timeline draws the disturbances of a run of d.
func (d *Definition) Timeline() (Timeline, error) {
	c, err := cases.Load(d.Case)
	if err != nil {
		return Timeline{}, err
	}
	return d.timeline(c)
}

func (d *Definition) timeline(c *grid.Case) (Timeline, error) {
	stream := func(name string) *rand.Rand { return rng.Stream(d.Seed, name) }
	return drawTimeline(d.Disturb, d.Duration, d.hitAreas(c), stream)
}
