package scada

import (
	"maps"
	"slices"
	"time"

	"cosim/scada/q3p"
)

// Config is the SCADA part of a case: who stands where, what is measured and
// commanded over which chains, and how the controller decides.
type Config struct {
	NominalFreqHz float64          `yaml:"nominal_freq_hz"` // 60 when zero
	BaseMVA       float64          `yaml:"base_mva"`        // base of the inertia constants, 100 when zero
	Nodes         []Node           `yaml:"nodes"`
	Links         []Link           `yaml:"links"`
	PMUs          []PMU            `yaml:"pmus"`
	Generators    []Generator      `yaml:"generators"`
	Blocks        []Block          `yaml:"blocks"`
	Classes       map[string]Class `yaml:"classes"`   // by task; what is missing is taken from DefaultClasses
	Operators     []Operator       `yaml:"operators"` // none: one, of all chains
	Chains        []Chain          `yaml:"chains"`
	Controller    ControllerConfig `yaml:"controller"`
	Crypto        CryptoConfig     `yaml:"crypto"`
}

// Kinds of Node.
const (
	ControlCentre = "cc"
	Gateway       = "gateway"
	RTU           = "rtu"
	Device        = "ied"
)

// Node is a station of the telecontrol network.
type Node struct {
	Name string `yaml:"name"`
	Kind string `yaml:"kind"` // cc | gateway | rtu | ied
}

// Link joins two nodes. A quantum link has a key pool of the same name.
type Link struct {
	Name    string `yaml:"name"`
	A       string `yaml:"a"`
	B       string `yaml:"b"`
	Quantum bool   `yaml:"quantum"`
}

// PMU measures frequency and voltage of one bus.
type PMU struct {
	ID  string `yaml:"id"` // "pmu/30"
	Bus int    `yaml:"bus"`
	IED string `yaml:"ied"`
}

// Generator is a unit with set points for power (AGC) and voltage (AVR).
type Generator struct {
	ID  string `yaml:"id"` // "gen/30"
	Bus int    `yaml:"bus"`
	IED string `yaml:"ied"`
	// Participation is the unit's share of the secondary control; shares are
	// normalised to one. All zero means equal shares.
	Participation float64 `yaml:"participation"`
	// InertiaS is H in seconds on Config.BaseMVA.
	InertiaS float64 `yaml:"inertia_s"`
	// VoltagePU is the voltage that AVR holds at the bus; zero means the first
	// one measured there.
	VoltagePU float64 `yaml:"voltage_pu"`
}

// Block is a load that can be shed, or a fast reserve, called in MW.
type Block struct {
	ID         string  `yaml:"id"` // "block/8"
	Bus        int     `yaml:"bus"`
	IED        string  `yaml:"ied"`
	Area       string  `yaml:"area"`
	CapacityMW float64 `yaml:"capacity_mw"`
}

// Tasks that a chain can serve.
const (
	TaskPMU           = "pmu"
	TaskAGC           = "agc"
	TaskAVR           = "avr"
	TaskShed          = "shed"
	TaskBreaker       = "breaker"
	TaskInterrogation = "interrogation"
)

// Kinds of trigger.
const (
	Periodic = "periodic" // every Period, first at Phase
	Poisson  = "poisson"  // at RateHz on average
	Demand   = "demand"   // by the controller or by System.Trigger
)

// Directions of a class.
const (
	Up   = "up"   // measured at the IED, read at the control centre
	Down = "down" // decided at the control centre, obeyed at the far end
)

// Class says how the tasks of one kind are triggered and sent; its Latency,
// Priority and modes are the defaults of its chains.
type Class struct {
	Trigger    string        `yaml:"trigger"`   // periodic | poisson | demand
	Period     time.Duration `yaml:"period"`    // of a periodic trigger
	Phase      time.Duration `yaml:"phase"`     // first periodic trigger
	Stagger    bool          `yaml:"stagger"`   // spread the class's chains evenly over the period
	RateHz     float64       `yaml:"rate_hz"`   // of a Poisson trigger, a chain
	Direction  string        `yaml:"direction"` // up | down
	Latency    time.Duration `yaml:"latency"`
	Priority   int           `yaml:"priority"`
	ASDUType   int           `yaml:"asdu_type"` // type identification of IEC 60870-5-101
	Mode       Mode          `yaml:"mode"`
	StaticMode Mode          `yaml:"static_mode"`
	MinMode    Mode          `yaml:"min_mode"`
}

// Chain is one control chain: a directed path that carries one kind of task
// for one element. What is left empty is taken from its class. Routes run in
// the direction of travel; an interrogation's ends at its gateway.
type Chain struct {
	ID         string        `yaml:"id"`
	Task       string        `yaml:"task"`
	Element    string        `yaml:"element"`
	Priority   int           `yaml:"priority"`    // β, larger is more important
	Mode       Mode          `yaml:"mode"`        // wished
	StaticMode Mode          `yaml:"static_mode"` // of the static plan
	MinMode    Mode          `yaml:"min_mode"`    // weakest acceptable
	Latency    time.Duration `yaml:"latency"`     // τ, from trigger to actuation
	Routes     [][]string    `yaml:"routes"`      // the first is the static route
	SwitchCost float64       `yaml:"switch_cost"` // γ, read by the planner
}

// CryptoConfig says what ciphers cost.
type CryptoConfig struct {
	// Costs is the processor time of sealing or opening a message; the legs
	// under a pre-shared key cost what aes does. All zero means
	// q3p.DefaultCryptoCosts.
	Costs         q3p.CryptoCosts `yaml:"costs"`
	RekeyMessages int             `yaml:"rekey_messages"` // messages an AES session key serves; 4096 when zero
}

// DefaultClasses are the classes of the 39-bus experiments.
func DefaultClasses() map[string]Class {
	return map[string]Class{
		TaskPMU: {
			Trigger: Periodic, Period: 100 * time.Millisecond, Direction: Up,
			Latency: 100 * time.Millisecond, Priority: 3, ASDUType: 36,
			Mode: OTP, StaticMode: AESWC, MinMode: AES,
		},
		TaskAGC: {
			Trigger: Periodic, Period: 2 * time.Second, Direction: Down,
			Latency: time.Second, Priority: 10, ASDUType: 50,
			Mode: OTP, StaticMode: OTP, MinMode: AESWC,
		},
		TaskAVR: {
			Trigger: Poisson, RateHz: 0.2, Direction: Down,
			Latency: 2 * time.Second, Priority: 5, ASDUType: 50,
			Mode: OTP, StaticMode: OTP, MinMode: AESWC,
		},
		TaskShed: {
			Trigger: Demand, Direction: Down,
			Latency: 300 * time.Millisecond, Priority: 100, ASDUType: 63,
			Mode: OTP, StaticMode: OTP, MinMode: AESWC,
		},
		TaskBreaker: {
			Trigger: Demand, Direction: Down,
			Latency: time.Second, Priority: 10, ASDUType: 45,
			Mode: OTP, StaticMode: OTP, MinMode: AESWC,
		},
		TaskInterrogation: {
			Trigger: Periodic, Period: 30 * time.Second, Phase: 5 * time.Second, Stagger: true, Direction: Down,
			Latency: 2 * time.Second, Priority: 1, ASDUType: 100,
			Mode: OTP, StaticMode: AESWC, MinMode: AES,
		},
	}
}

// Resolved is c with every default written out, as a run uses it.
func (c Config) Resolved() Config {
	setDefault(&c.NominalFreqHz, 60)
	setDefault(&c.BaseMVA, 100)
	setDefault(&c.Crypto.Costs, q3p.DefaultCryptoCosts())
	setDefault(&c.Crypto.RekeyMessages, q3p.DefaultKeyPolicy().RekeyMessages)
	given := c.Classes
	c.Classes = DefaultClasses()
	for _, name := range slices.Sorted(maps.Keys(given)) {
		c.Classes[name] = given[name].or(c.Classes[name])
	}
	c.Chains = slices.Clone(c.Chains)
	for i := range c.Chains {
		ch := &c.Chains[i]
		class := c.Classes[ch.Task]
		setDefault(&ch.Priority, class.Priority)
		setDefault(&ch.Latency, class.Latency)
		setDefault(&ch.Mode, class.Mode)
		setDefault(&ch.StaticMode, class.StaticMode)
		setDefault(&ch.MinMode, class.MinMode)
	}
	c.Controller = c.Controller.resolved()
	return c
}

// or is c with what it leaves empty taken from d.
func (c Class) or(d Class) Class {
	if c.Trigger == "" {
		c.Trigger = d.Trigger
		c.Stagger = c.Stagger || d.Stagger
		setDefault(&c.Phase, d.Phase)
	}
	setDefault(&c.Period, d.Period)
	setDefault(&c.RateHz, d.RateHz)
	setDefault(&c.Direction, d.Direction)
	setDefault(&c.Latency, d.Latency)
	setDefault(&c.Priority, d.Priority)
	setDefault(&c.ASDUType, d.ASDUType)
	setDefault(&c.Mode, d.Mode)
	setDefault(&c.StaticMode, d.StaticMode)
	setDefault(&c.MinMode, d.MinMode)
	return c
}

func setDefault[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}
