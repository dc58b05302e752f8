package grid

import (
	"fmt"
	"math"
	"strconv"
)

// Position is where a row of a case was read, for error messages.
type Position struct {
	File string
	Line int
}

// String prints p as file:line, or nothing when the row was not read from a
// file.
func (p Position) String() string {
	if p.File == "" {
		return ""
	}
	return fmt.Sprintf("%s:%d", p.File, p.Line)
}

// BusKind is a bus's role in the power flow, numbered as in MATPOWER.
type BusKind int

// The kinds of bus.
const (
	PQ       BusKind = 1 + iota // power given
	PV                          // active power and voltage given
	Slack                       // voltage and angle given
	Isolated                    // not connected; left out of every calculation
)

// busKind turns a table's number into a kind. Validation reports what is none,
// among it the 0 of a fraction.
func busKind(v float64) BusKind {
	if v == math.Trunc(v) && math.Abs(v) < 1e9 {
		return BusKind(v)
	}
	return 0
}

// Bus is a node of the network. Its shunt is the power it draws (ShuntMW) and
// injects (ShuntMVAr) at 1 p.u. voltage.
type Bus struct {
	ID                         string
	Kind                       BusKind
	LoadMW, LoadMVAr           float64
	ShuntMW, ShuntMVAr         float64
	Area                       string
	VoltagePU, AngleDeg        float64 // given start of the power flow
	BaseKV                     float64
	MinVoltagePU, MaxVoltagePU float64
	At                         Position
}

// Gen is a generator or synchronous condenser.
type Gen struct {
	Bus              string
	PowerMW          float64
	ReactiveMVAr     float64
	MinMVAr, MaxMVAr float64
	VoltagePU        float64 // voltage set point of its bus
	MinMW, MaxMW     float64
	InService        bool
	At               Position
}

// Branch is a line or transformer as a π section; the transformer stands at
// the From end with complex ratio Tap·e^{jShift}.
type Branch struct {
	ID            string // "5-6"; parallel ones "42-49", "42-49#2" in table order
	From, To      string
	ResistancePU  float64
	ReactancePU   float64
	SusceptancePU float64 // total line charging
	RateMVA       float64 // 0 is unlimited
	Tap           float64 // 1 for a line
	ShiftDeg      float64
	InService     bool
	At            Position
}

// Dynamics holds one machine's parameters, per unit on the case's base. The
// n-th row of a bus belongs to the n-th generator of that bus.
type Dynamics struct {
	Bus              string
	InertiaS         float64 // H, seconds
	DampingPU        float64 // D, p.u. power per p.u. speed
	StatorPU         float64 // armature resistance; must be 0, it is not modelled
	TransientXPU     float64 // x'd
	DirectXPU        float64 // xd, needed with AVR
	QuadratureXPU    float64 // xq, needed with AVR
	FieldTimeS       float64 // T'd0, needed with AVR
	GovernorMVA      float64 // rating the droop refers to; 0 is a unit without governor
	DroopPU          float64 // R on GovernorMVA
	GovernorTimeS    float64 // Tg
	LeadTimeS        float64 // T2
	ReheatTimeS      float64 // T3
	ExciterGain      float64 // SEXS K
	ExciterTimeS     float64 // SEXS TE
	ExciterLeadTimeS float64 // SEXS TA
	ExciterLagTimeS  float64 // SEXS TB
	At               Position
}

// SEXS exciter used where a case's dynamics table does not name one.
const (
	defaultExciterGain      = 20
	defaultExciterTimeS     = 0.05
	defaultExciterLeadTimeS = 1
	defaultExciterLagTimeS  = 10
)

// Case is a power system as read from its tables. Dynamics may be empty: the
// power flow does not need it.
type Case struct {
	Name     string
	BaseMVA  float64
	FreqHz   float64 // nominal frequency
	Buses    []Bus
	Gens     []Gen
	Branches []Branch
	Dynamics []Dynamics
}

// Clone returns a deep copy of c.
func (c *Case) Clone() *Case {
	d := *c
	d.Buses = append([]Bus(nil), c.Buses...)
	d.Gens = append([]Gen(nil), c.Gens...)
	d.Branches = append([]Branch(nil), c.Branches...)
	d.Dynamics = append([]Dynamics(nil), c.Dynamics...)
	return &d
}

// BusIndex returns the place of the bus called id in c.Buses.
func (c *Case) BusIndex(id string) (int, bool) {
	for i := range c.Buses {
		if c.Buses[i].ID == id {
			return i, true
		}
	}
	return 0, false
}

// GenIndex returns the place in c.Gens of the first generator at a bus.
func (c *Case) GenIndex(bus string) (int, bool) {
	for i := range c.Gens {
		if c.Gens[i].Bus == bus {
			return i, true
		}
	}
	return 0, false
}

// BranchIndex returns the place in c.Branches of the branch called id. The
// ends of an id may also be swapped ("6-5").
func (c *Case) BranchIndex(id string) (int, bool) {
	for i := range c.Branches {
		if c.Branches[i].ID == id {
			return i, true
		}
	}
	for i := range c.Branches {
		if b := &c.Branches[i]; b.To+"-"+b.From == id {
			return i, true
		}
	}
	return 0, false
}

// LoadMW returns the sum of the loads.
func (c *Case) LoadMW() float64 {
	sum := 0.0
	for i := range c.Buses {
		sum += c.Buses[i].LoadMW
	}
	return sum
}

// busIndices maps every bus id to its place; of duplicates the first wins.
func (c *Case) busIndices() map[string]int {
	m := make(map[string]int, len(c.Buses))
	for i := range c.Buses {
		if _, taken := m[c.Buses[i].ID]; !taken {
			m[c.Buses[i].ID] = i
		}
	}
	return m
}

// genDynamics returns, for each generator, the place of its row in c.Dynamics,
// or −1.
func (c *Case) genDynamics() []int {
	rows := make(map[string][]int)
	for i := range c.Dynamics {
		rows[c.Dynamics[i].Bus] = append(rows[c.Dynamics[i].Bus], i)
	}
	of := make([]int, len(c.Gens))
	for g := range c.Gens {
		of[g] = -1
		if r := rows[c.Gens[g].Bus]; len(r) > 0 {
			of[g], rows[c.Gens[g].Bus] = r[0], r[1:]
		}
	}
	return of
}

// nameBranches gives every branch without an id one from its ends.
func (c *Case) nameBranches() {
	seen := make(map[string]int)
	for i := range c.Branches {
		b := &c.Branches[i]
		if b.ID != "" {
			continue
		}
		b.ID = b.From + "-" + b.To
		if seen[b.ID]++; seen[b.ID] > 1 {
			b.ID += "#" + strconv.Itoa(seen[b.ID])
		}
	}
}

func radians(deg float64) float64 { return deg * math.Pi / 180 }
func degrees(rad float64) float64 { return rad * 180 / math.Pi }
