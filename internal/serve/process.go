package serve

import (
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"cosim/federates"
	"cosim/grid"
	"cosim/internal/serve/outstation"
	"cosim/scada"
	"cosim/scada/iec104"
	cosync "cosim/sync"
)

// Addresses: the class of a point times classSize, plus its element's place in
// the case, from 1 on. So the frequency of the 16th bus is 10016.
const classSize = 10000

// Classes of points.
const (
	classFrequency = 1 + iota
	classVoltage
	classPower
	classReserve
	classLink
	classPool
	classKeyUsed
	classBreaker
	classSystem
	_
	classSetPower // commands
	classSetVoltage
	classCallReserve
	classSetBreaker
)

// updateEvery is how often, in simulated time, measured values are looked at.
const updateEvery = 100 * cosync.Millisecond

// process is an observer that keeps the outstation's image of a run.
type process struct {
	station  *outstation.Station
	epochNS  atomic.Int64 // of simulated time zero, on the station's clock
	now      atomic.Int64 // simulated
	points   []outstation.Point
	classes  []uint32
	sources  []source
	commands []outstation.Command
	orders   map[uint32]order
	values   []float64
	breakers map[string]*float64 // states by element
	events   int                 // index of grid.events in a frame, or -1
}

// source says where a point's value stands in a frame: value·scale + offset.
type source struct {
	output, element int
	scale, offset   float64
	read            func(values []float64) float64 // of the whole output; nil: as above
	state           *float64                       // of what is known by events; nil: as above
}

// order is a command in the simulation's words.
type order struct {
	kind, element string
}

// rows are the kinds of points that every element of an output has.
var rows = []struct {
	class  int
	output string
	point  outstation.Point
	scale  float64
}{
	{classFrequency, "grid.bus_frequency", outstation.Point{Type: iec104.MMeNc1, Name: "frequency", Unit: "Hz", Deadband: 0.001, Group: 1}, 1},
	{classVoltage, "grid.bus_voltage", outstation.Point{Type: iec104.MMeNc1, Name: "voltage", Unit: "pu", Deadband: 0.0005, Group: 2}, 1},
	{classPower, "grid.mechanical", outstation.Point{Type: iec104.MMeNc1, Name: "mechanical power", Unit: "MW", Deadband: 0.1, Group: 3}, 1},
	{classReserve, "grid.reserve", outstation.Point{Type: iec104.MMeNc1, Name: "called", Unit: "MW", Deadband: 0.1, Group: 4}, 1},
	{classLink, "quantum.state", outstation.Point{Type: iec104.MSpNa1, Name: "yields key", Group: 5}, 1},
	{classPool, "scada.pool", outstation.Point{Type: iec104.MMeNa1, Name: "key in stock", Unit: "bit", Group: 6}, 1},
	{classKeyUsed, "scada.consumed", outstation.Point{Type: iec104.MItNa1, Name: "key used", Unit: "kbit", Group: 1}, 0.001},
}

// newProcess makes the points that a run's outputs have, and the commands that
// its grid obeys; gridFederate is nil where another program simulates the grid.
func newProcess(f *cosync.Frame, links []*federates.KeySupply, gridFederate *federates.Grid, cfg commandConfig, epoch time.Time) (*process, error) {
	p := &process{orders: map[uint32]order{}, breakers: map[string]*float64{}, events: -1}
	p.epochNS.Store(epoch.UnixNano())
	if i, ok := f.Index("grid.events"); ok {
		p.events = i
	}
	for _, r := range rows {
		i, ok := f.Index(r.output)
		if !ok {
			continue
		}
		for j, element := range f.Outputs[i].Port.Elements {
			point, from := r.point, source{output: i, element: j, scale: r.scale}
			switch r.class {
			case classFrequency:
				from.offset = cfg.nominalHz
			case classLink:
				from.read = func(v []float64) float64 { return flag(v[j] == 0) }
			case classPool:
				if j >= len(links) { // another program simulates the stations
					continue
				}
				point.FullScale = float64(links[j].Pool.Config().CapBits)
				point.Deadband = point.FullScale / 200
			}
			p.add(r.class, j, element, point, from)
		}
	}
	p.system(f)
	if gridFederate != nil {
		p.branches(gridFederate.Case())
		p.command(gridFederate.Case(), cfg)
	}
	p.values = make([]float64, len(p.points))
	return p, p.check()
}

// check refuses more elements than their class has addresses.
func (p *process) check() error {
	for i := range p.points {
		if p.points[i].IOA/classSize != p.classes[i] {
			return fmt.Errorf("serve: %s has no address: a kind of points has room for %d", p.points[i].Name, classSize-1)
		}
	}
	for _, c := range p.commands {
		if c.IOA >= (classSetBreaker+1)*classSize {
			return fmt.Errorf("serve: %s has no address: a kind of commands has room for %d", c.Name, classSize-1)
		}
	}
	return nil
}

func (p *process) add(class, place int, element string, point outstation.Point, from source) {
	point.IOA = uint32(class*classSize + 1 + place)
	p.classes = append(p.classes, uint32(class))
	point.Name = element + " " + point.Name
	p.points, p.sources = append(p.points, point), append(p.sources, from)
}

// system adds what is not an element's.
func (p *process) system(f *cosync.Frame) {
	if i, ok := f.Index("grid.frequency"); ok {
		p.add(classSystem, 0, "system", outstation.Point{Type: iec104.MMeNb1, Name: "frequency deviation", Unit: "Hz", Resolution: 0.001, Deadband: 0.001, Group: 8}, source{output: i, scale: 1})
	}
	if i, ok := f.Index("grid.reserve"); ok {
		p.add(classSystem, 1, "system", outstation.Point{Type: iec104.MStNa1, Name: "reserve blocks called", Group: 8}, source{output: i, read: func(v []float64) float64 {
			n := 0.0
			for _, mw := range v {
				n += flag(mw > 0)
			}
			return n
		}})
	}
	if i, ok := f.Index("quantum.state"); ok {
		p.add(classSystem, 2, "system", outstation.Point{Type: iec104.MBoNa1, Name: "links that yield key, a bit each", Group: 8}, source{output: i, read: func(v []float64) float64 {
			bits := uint32(0)
			for j, s := range v {
				if s == 0 && j < 32 {
					bits |= 1 << j
				}
			}
			return float64(bits)
		}})
	}
}

func (p *process) branches(c *grid.Case) {
	for i, b := range c.Branches {
		state := float64(iec104.DoubleOff)
		if b.InService {
			state = float64(iec104.DoubleOn)
		}
		element := "branch/" + b.ID
		p.breakers[element] = &state
		p.add(classBreaker, i, element, outstation.Point{Type: iec104.MDpNa1, Name: "breaker", Group: 7}, source{state: &state})
	}
}

// commandConfig bounds what masters may command.
type commandConfig struct {
	nominalHz  float64
	generators []scada.Generator
	blocks     []scada.Block
	avr        bool
}

// Set points: bounds of the voltage's, and the last digits of scaled values.
const (
	mostVoltagePU = 0.1
	digitMW       = 0.1
	digitPU       = 0.0001
)

var (
	setPointTypes = []iec104.TypeID{iec104.CSeNa1, iec104.CSeNb1, iec104.CSeNc1, iec104.CSeTc1}
	switchTypes   = []iec104.TypeID{iec104.CScNa1, iec104.CDcNa1, iec104.CScTa1}
)

// command adds what the grid obeys.
func (p *process) command(c *grid.Case, cfg commandConfig) {
	add := func(class, place int, kind, element string, x outstation.Command) {
		x.IOA = uint32(class*classSize + 1 + place)
		x.Name = element + " " + x.Name
		p.commands = append(p.commands, x)
		p.orders[x.IOA] = order{kind, element}
	}
	for _, g := range cfg.generators {
		i, ok := c.GenIndex(strings.TrimPrefix(g.ID, "gen/"))
		if !ok {
			continue
		}
		most := c.Gens[i].MaxMW
		if !(most > 0) {
			most = 1000
		}
		add(classSetPower, i, scada.TaskAGC, g.ID, outstation.Command{
			Name: "power on top of the set point", Unit: "MW", Types: setPointTypes, Min: -most, Max: most, FullScale: most, Resolution: digitMW,
		})
		if cfg.avr {
			add(classSetVoltage, i, scada.TaskAVR, g.ID, outstation.Command{
				Name: "voltage on top of the set point", Unit: "pu", Types: setPointTypes,
				Min: -mostVoltagePU, Max: mostVoltagePU, FullScale: mostVoltagePU, Resolution: digitPU,
			})
		}
	}
	for i, b := range cfg.blocks {
		add(classCallReserve, i, scada.TaskShed, b.ID, outstation.Command{
			Name: "call", Unit: "MW", Types: setPointTypes, Max: b.CapacityMW, FullScale: b.CapacityMW, Resolution: digitMW,
		})
	}
	for i, b := range c.Branches {
		add(classSetBreaker, i, scada.TaskBreaker, "branch/"+b.ID, outstation.Command{Name: "breaker", Types: switchTypes, MustSelect: true})
	}
}

func flag(on bool) float64 {
	if on {
		return 1
	}
	return 0
}

// clock is the station's time at a simulated one.
func (p *process) clock(at cosync.Time) time.Time {
	return time.Unix(0, p.epochNS.Load()+int64(at)).UTC()
}

// setClock makes it t now.
func (p *process) setClock(t time.Time) error {
	p.epochNS.Store(t.UnixNano() - p.now.Load())
	return nil
}

// observe takes the values of a frame.
func (p *process) observe(f *cosync.Frame) {
	p.now.Store(int64(f.To))
	switched := false
	if p.events >= 0 {
		for _, e := range f.Outputs[p.events].Events {
			if state := p.breakers[e.Element]; state != nil && (e.Type == "branch-trip" || e.Type == "breaker") {
				*state = float64(iec104.DoubleOff) + e.Value
				switched = true
			}
		}
	}
	if !switched && f.To%updateEvery != 0 {
		return
	}
	for i := range p.sources {
		from := &p.sources[i]
		switch values := f.Outputs[from.output].Values; {
		case from.state != nil:
			p.values[i] = *from.state
		case from.read != nil:
			p.values[i] = from.read(values)
		default:
			p.values[i] = values[from.element]*from.scale + from.offset
		}
	}
	p.station.Image().Update(p.clock(f.To), p.values, 0)
}
