package experiment

import (
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"cosim/cases"
	"cosim/grid"
	"cosim/network"
	"cosim/quantum"
	"cosim/scada"
	"cosim/scada/iec104"
	"cosim/scada/q3p"
	"cosim/scada/stackelberg"
)

// subStep is the grid's own step and the resolution of commands to it.
const subStep = 10 * time.Millisecond

// defaults is what holds where no file says otherwise.
func defaults() *Definition {
	return &Definition{
		Seed:     1,
		Duration: 600 * time.Second,
		Steps:    Steps{Exchange: 10 * time.Millisecond, Quantum: 100 * time.Millisecond, Record: 100 * time.Millisecond},
		Grid:     Grid{AVR: true},
		Quantum:  quantum.DefaultLinkConfig(),
		Priorities: map[string]int{
			scada.TaskShed: 0, scada.TaskBreaker: 0, scada.TaskAGC: 1, scada.TaskAVR: 1, scada.TaskPMU: 2, scada.TaskInterrogation: 3,
		},
		Keys: Keys{
			Supply: SupplyPool, CapS: 30,
			Safe:  SafeKey{MessagesHz: 20, DurationS: 5},
			Pool:  quantum.PoolConfig{TTLS: 600, LocalBufferBits: 8192, FetchLatency: 5 * time.Millisecond},
			Store: Store{Share: 0.3, Period: 30 * time.Second},
		},
		Reconfigure: Reconfiguration{
			Solver: SolverNone, Period: 100 * time.Millisecond, Horizon: 10, Risk: 0.05, Chance: chanceGaussian,
			Forecaster: quantum.ForecastKalman, Reroute: true, Modes: true, GridStates: 8,
			Rounds: stackelberg.DefaultRounds, Fairness: stackelberg.DefaultFairness, Proximal: stackelberg.DefaultProximal,
		},
		Disturb: Disturbances{LoadNoise: LoadNoise{SigmaRel: 0.005, TauS: 20}},
	}
}

// resolve fills in what follows from other values, so that the manifest shows
// what the run really uses.
func (d *Definition) resolve() {
	d.resolveExternal()
	d.resolveLinks()
	if c, err := cases.Load(d.Case); err == nil { // validate reports the error
		d.fromCase(c)
	}
	resolved := d.scadaConfig().Resolved()
	d.Classes, d.Chains = resolved.Classes, resolved.Chains
	d.Controller, d.Crypto = resolved.Controller, resolved.Crypto
	if d.Keys.Pool.SafeBits == 0 {
		d.Keys.Pool.SafeBits = quantum.KSafeBits(d.highestMessageBits(), d.Keys.Safe.MessagesHz, d.Keys.Safe.DurationS)
	}
	if d.Keys.Pool.ThresholdBits == 0 {
		d.Keys.Pool.ThresholdBits = d.Keys.Pool.SafeBits * 3 / 2
	}
	if d.Keys.Pool.InitialBits == 0 {
		d.Keys.Pool.InitialBits = d.Keys.Pool.ThresholdBits
	}
	if d.BlockShare > 0 {
		d.sizeBlocks()
	}
}

// fromCase gives the controller what it must know of the system, unless the
// file says it: nominal frequency and base, of the machines inertia, share of the secondary control (by governor rating),
// and the bias ΣD + Σ1/R of the area control error.
func (d *Definition) fromCase(c *grid.Case) {
	d.nominalHz, d.baseMVA = c.FreqHz, c.BaseMVA
	bias := 0.0
	for i := range c.Dynamics {
		m := &c.Dynamics[i]
		bias += m.DampingPU * c.BaseMVA / c.FreqHz
		if m.GovernorMVA > 0 {
			bias += m.GovernorMVA / m.DroopPU / c.FreqHz
		}
		for j := range d.Generators {
			g := &d.Generators[j]
			if strconv.Itoa(g.Bus) != m.Bus {
				continue
			}
			if g.InertiaS == 0 {
				g.InertiaS = m.InertiaS
			}
			if g.Participation == 0 {
				g.Participation = m.GovernorMVA
			}
		}
	}
	if d.Controller.AGCBiasMWPerHz == 0 {
		d.Controller.AGCBiasMWPerHz = bias
	}
}

// caseHash identifies the power system that a run used.
func (d *Definition) caseHash() (string, error) {
	c, err := cases.Load(d.Case)
	if err != nil {
		return "", err
	}
	data, err := json.Marshal(c)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%x", sha256.Sum256(data)), nil
}

// highestMessageBits is the key that a message of the highest class takes
// under a one-time pad.
func (d *Definition) highestMessageBits() int64 {
	var highest scada.Class
	for _, name := range slices.Sorted(maps.Keys(d.Classes)) {
		if c := d.Classes[name]; c.Priority > highest.Priority {
			highest = c
		}
	}
	apdu, err := iec104.AppendI(nil, 0, 0, &iec104.ASDU{
		Type: iec104.TypeID(highest.ASDUType), Cause: iec104.Activation, CommonAddr: 1, Objects: []iec104.Object{{IOA: 1}},
	})
	if err != nil {
		return 0 // an unknown type, which scada's own validation reports
	}
	return int64(q3p.OTP.KeyBits(8 * len(apdu)))
}

// sizeBlocks gives the blocks of each area, in equal parts, block_share of
// the contingency, unless the file gives a capacity.
func (d *Definition) sizeBlocks() {
	count := map[string]float64{}
	for _, b := range d.Blocks {
		count[b.Area]++
	}
	for i := range d.Blocks {
		if b := &d.Blocks[i]; b.CapacityMW == 0 {
			b.CapacityMW = d.BlockShare * max(0, d.Disturb.Contingencies.SizeMW) / count[b.Area]
		}
	}
}

// scadaConfig is the SCADA model's part.
func (d *Definition) scadaConfig() scada.Config {
	c := scada.Config{
		NominalFreqHz: d.nominalHz, BaseMVA: d.baseMVA,
		PMUs: d.PMUs, Generators: d.Generators, Blocks: d.Blocks,
		Classes: d.Classes, Chains: d.Chains, Controller: d.Controller, Crypto: d.Crypto,
	}
	for _, o := range d.Operators {
		c.Operators = append(c.Operators, scada.Operator{Name: o.Name, Centre: o.Centre})
	}
	for _, n := range d.Nodes {
		c.Nodes = append(c.Nodes, scada.Node{Name: n.Name, Kind: n.Kind})
	}
	for _, l := range d.Links {
		c.Links = append(c.Links, scada.Link{Name: l.Name, A: l.A, B: l.B, Quantum: l.Quantum})
	}
	return c
}

// resolveLinks lets attacks and scheduled disturbances name a link by what it
// serves, which every case has: an area, for the link between its gateway and
// the control centre, or a remote terminal unit, for the link to its gateway.
func (d *Definition) resolveLinks() {
	kind, of := d.nodeKinds(), map[string]string{}
	for _, a := range d.Areas {
		of[a.Name] = d.centreLink(a.Gateway)
	}
	for _, l := range d.Links {
		for _, ends := range [][2]string{{l.A, l.B}, {l.B, l.A}} {
			if kind[ends[0]] == scada.RTU && kind[ends[1]] == scada.Gateway && of[ends[0]] == "" {
				of[ends[0]] = l.Name
			}
		}
	}
	for _, l := range d.Links { // a link's own name comes first
		of[l.Name] = l.Name
	}
	for i := range d.Attacks {
		d.Attacks[i].Link = cmp.Or(of[d.Attacks[i].Link], d.Attacks[i].Link)
	}
	for i := range d.Disturb.Scheduled {
		d.Disturb.Scheduled[i].Link = cmp.Or(of[d.Disturb.Scheduled[i].Link], d.Disturb.Scheduled[i].Link)
	}
}

// ChainOperators is the operator of each chain, an index in d.Operators; all
// are 0 where none is named.
func (d *Definition) ChainOperators() []int {
	c := d.scadaConfig()
	return c.ChainOperators()
}

// networkConfig is the network model's part.
func (d *Definition) networkConfig() network.Config {
	c := network.Config{Attacks: d.Attacks}
	for _, n := range d.Nodes {
		c.Nodes = append(c.Nodes, network.Node{
			Name: n.Name, Kind: network.NodeKind(n.Kind), ProcessingS: d.NodeClasses[n.Kind].ProcessingS,
		})
	}
	for _, l := range d.Links {
		class := d.LinkClasses[l.Class]
		c.Links = append(c.Links, network.Link{
			Name: l.Name, A: l.A, B: l.B, LengthKM: l.LengthKM, RateBPS: class.RateBPS, Loss: class.Loss,
			Queue: class.Queue, ExtraDelay: class.ExtraDelay, Background: class.Background,
		})
	}
	return c
}

var linkPath = regexp.MustCompile(`^links\[(\d+)\]\.(rate_bps|loss|queue|extra_delay|background)`)

// networkPath turns a path of networkConfig into one of the definition: what
// a link has from its class is to be mended there.
func (d *Definition) networkPath(path string) string {
	if m := linkPath.FindStringSubmatch(path); m != nil {
		i, _ := strconv.Atoi(m[1])
		return "link_classes." + d.Links[i].Class + path[strings.Index(path, "]")+1:]
	}
	return path
}

// quantumLinks are the links with a QKD link, in the order of the file.
func (d *Definition) quantumLinks() []Link {
	var links []Link
	for _, l := range d.Links {
		if l.Quantum {
			links = append(links, l)
		}
	}
	return links
}

func (d *Definition) linkConfig(l Link) quantum.LinkConfig {
	c := d.Quantum
	c.LengthKM = l.LengthKM
	return c
}

func (d *Definition) poolConfig(l Link) quantum.PoolConfig {
	c := d.Keys.Pool
	if c.CapBits == 0 {
		c.CapBits = max(int64(d.Keys.CapS*quantum.NominalRateBPS(d.linkConfig(l))), 2*c.ThresholdBits)
	}
	return c
}

// centreLink is the link between a control centre and a gateway, or "".
func (d *Definition) centreLink(gateway string) string {
	kind := d.nodeKinds()
	for _, l := range d.Links {
		if l.A == gateway && kind[l.B] == scada.ControlCentre || l.B == gateway && kind[l.A] == scada.ControlCentre {
			return l.Name
		}
	}
	return ""
}

// centreLinks are the quantum links that end at a control centre, whoever's:
// the paper's pool is the dispatch centre's.
func (d *Definition) centreLinks() map[string]bool {
	kind, at := d.nodeKinds(), map[string]bool{}
	for _, l := range d.quantumLinks() {
		if kind[l.A] == scada.ControlCentre || kind[l.B] == scada.ControlCentre {
			at[l.Name] = true
		}
	}
	return at
}

func (d *Definition) nodeKinds() map[string]string {
	kind := map[string]string{}
	for _, n := range d.Nodes {
		kind[n.Name] = n.Kind
	}
	return kind
}

// contingencyBuses are the buses of an area that a contingency may hit.
func (d *Definition) contingencyBuses(c *grid.Case, a Area) []int {
	var buses []int
	for _, b := range a.Buses {
		if i, ok := c.BusIndex(strconv.Itoa(b)); ok && c.Buses[i].LoadMW >= d.Disturb.Contingencies.MinLoadMW {
			buses = append(buses, b)
		}
	}
	return buses
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
