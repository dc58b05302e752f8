package experiment

import (
	"time"

	"cosim/network"
	"cosim/quantum"
	"cosim/scada"
)

// Definition is an experiment with everything resolved: what stands in its
// YAML, in the case's files and in the defaults. It is written into a run's
// manifest.
type Definition struct {
	Name     string        `yaml:"name"`
	Title    string        `yaml:"title"`
	Case     string        `yaml:"case"`
	Seed     uint64        `yaml:"seed"`
	Duration time.Duration `yaml:"duration"`
	Steps    Steps         `yaml:"steps"`

	Operators   []Operator             `yaml:"operators,omitempty"` // none: one, of all chains
	Areas       []Area                 `yaml:"areas"`
	Nodes       []Node                 `yaml:"nodes"`
	NodeClasses map[string]NodeClass   `yaml:"node_classes"` // by kind of node
	Links       []Link                 `yaml:"links"`
	LinkClasses map[string]LinkClass   `yaml:"link_classes"`
	PMUs        []scada.PMU            `yaml:"pmus"`
	Generators  []scada.Generator      `yaml:"generators"`
	Blocks      []scada.Block          `yaml:"blocks"`
	BlockShare  float64                `yaml:"block_share"` // of the contingency that the blocks of one area can give
	Classes     map[string]scada.Class `yaml:"classes"`
	Chains      []scada.Chain          `yaml:"chains"`
	Controller  scada.ControllerConfig `yaml:"controller"`
	Crypto      scada.CryptoConfig     `yaml:"crypto"`
	Grid        Grid                   `yaml:"grid"`
	Quantum     quantum.LinkConfig     `yaml:"quantum"`
	Keys        Keys                   `yaml:"keys"`
	Priorities  map[string]int         `yaml:"traffic_classes"` // task → class of the network's queues, 0 first
	Reconfigure Reconfiguration        `yaml:"reconfiguration"`
	Disturb     Disturbances           `yaml:"disturbances"`
	Attacks     []network.Attack       `yaml:"attacks"`
	Federates   []External             `yaml:"federates,omitempty"` // besides the built-in ones, or in their place
	Attach      Attach                 `yaml:"attach,omitempty"`    // of those

	places             positions
	nominalHz, baseMVA float64 // of the case; 0 without one
}

// Steps are the communication steps of the federation.
type Steps struct {
	Exchange time.Duration `yaml:"exchange"` // of grid, network and scada
	Quantum  time.Duration `yaml:"quantum"`  // of the links
	Record   time.Duration `yaml:"record"`   // between two rows of the series
}

// Roles of operators where chains are reconfigured as a game.
const (
	Leader   = "leader"
	Follower = "follower"
)

// Operator runs the chains that begin or end at its control centre.
type Operator struct {
	Name   string `yaml:"name"`
	Role   string `yaml:"role"` // leader | follower
	Centre string `yaml:"centre"`
}

// Area groups buses behind one gateway.
type Area struct {
	Name    string `yaml:"name"`
	Gateway string `yaml:"gateway"`
	Buses   []int  `yaml:"buses"`
}

// Node is a station of the telecontrol network.
type Node struct {
	Name string `yaml:"name"`
	Kind string `yaml:"kind"` // cc | gateway | rtu | ied
}

// NodeClass says what nodes of one kind have in common.
type NodeClass struct {
	ProcessingS float64 `yaml:"processing_s"`
}

// Link joins two nodes. A quantum link has a QKD link beside its classical
// channel and a key pool of its name.
type Link struct {
	Name     string  `yaml:"name"`
	A        string  `yaml:"a"`
	B        string  `yaml:"b"`
	Class    string  `yaml:"class"`
	LengthKM float64 `yaml:"length_km"`
	Quantum  bool    `yaml:"quantum"`
}

// LinkClass says what links of one class have in common.
type LinkClass struct {
	RateBPS    float64             `yaml:"rate_bps"`
	Loss       float64             `yaml:"loss"`
	Queue      network.QueueConfig `yaml:"queue"`
	ExtraDelay *network.ExtraDelay `yaml:"extra_delay"`
	Background []network.Traffic   `yaml:"background"`
}

// Grid says how the power system is modelled.
type Grid struct {
	// AVR adds the one-axis machine and the SEXS exciter (model with E'q, Efd).
	AVR bool `yaml:"avr"`
}

// Sources of the key that chains draw from.
const (
	SupplyPool  = "pool"  // the pools that the links fill, first come first served
	SupplyStore = "store" // a fixed store a gateway, refilled whatever the need
)

// Keys says where chains draw their key.
type Keys struct {
	Supply string             `yaml:"supply"` // pool | store
	Pool   quantum.PoolConfig `yaml:"pool"`
	Store  Store              `yaml:"store"`
	// CapS sets each pool's capacity to so many seconds of its link's nominal
	// yield, but at least twice the threshold, unless pool.cap_bits is given.
	CapS float64 `yaml:"cap_s"`
	// Safe gives the pools' K_safe unless pool.safe_bits is given.
	Safe SafeKey `yaml:"safe"`
}

// SafeKey is K_safe in the terms of equation (9): the highest class sends
// MessagesHz messages a second for DurationS seconds under a one-time pad.
type SafeKey struct {
	MessagesHz float64 `yaml:"messages_hz"`
	DurationS  float64 `yaml:"duration_s"`
}

// Store is the pre-provisioned key of S-1.
type Store struct {
	Share     float64       `yaml:"share"`     // of the link's nominal yield
	Period    time.Duration `yaml:"period"`    // between refills
	Staggered bool          `yaml:"staggered"` // refills spread over the period instead of all at once
}

// Solvers of the reconfiguration.
const (
	SolverNone   = "none"   // the plan never changes
	SolverMISOCP = "misocp" // the engine of package reconfig
	SolverGreedy = "greedy" // by priority, without prices: an ablation

	// Of several operators:
	SolverShares      = "shares"      // each plans with its fixed share of every pool
	SolverStackelberg = "stackelberg" // one leads, the others follow
)

// solvers are all that decide.
var solvers = []string{SolverMISOCP, SolverGreedy, SolverShares, SolverStackelberg}

// Reconfiguration says how the plan of all chains is decided.
type Reconfiguration struct {
	Solver     string        `yaml:"solver"` // none | misocp | greedy | shares | stackelberg
	Period     time.Duration `yaml:"period"` // between decisions, and a step of the horizon
	Horizon    int           `yaml:"horizon"`
	Risk       float64       `yaml:"risk"`       // ε of the chance constraint
	Chance     string        `yaml:"chance"`     // gaussian | cantelli
	Forecaster string        `yaml:"forecaster"` // kalman | persistence | lstm-kalman | none
	Reroute    bool          `yaml:"reroute"`    // chains may leave their static route
	Modes      bool          `yaml:"modes"`      // chains may leave their static mode
	// GridStates is how many states the decision's model of the grid has, 4 to
	// 12; 0: decisions do not look at the grid.
	GridStates int `yaml:"grid_states"`

	// Of the game between operators (solver stackelberg):
	Rounds   int     `yaml:"rounds"`   // of one decision at most
	Fairness float64 `yaml:"fairness"` // ρ_F, weight of the leader's Σ (1−s_a)²
	Proximal float64 `yaml:"proximal"` // ρ of ρ‖x−x_p‖², at the start of a decision
	// Accounts keep, with solver shares, what an operator leaves of its part of
	// the key for itself.
	Accounts bool `yaml:"accounts"`
}

// NominalHz is the nominal frequency of the case.
func (d *Definition) NominalHz() float64 { return d.nominalHz }
