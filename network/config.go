package network

// Config describes a network. All times in it are seconds; the engine rounds
// them to nanoseconds once.
type Config struct {
	Nodes   []Node   `yaml:"nodes"`
	Links   []Link   `yaml:"links"`
	Attacks []Attack `yaml:"attacks"`
	// ConvergenceS is how long routing takes to learn that a link changed.
	ConvergenceS float64 `yaml:"convergence_s"`
	// WindowS is the sliding window of the measured loads; 0 means 1 s.
	WindowS float64 `yaml:"window_s"`
}

// NodeKind says what a node is. It changes nothing in the simulation.
type NodeKind string

// The kinds of node.
const (
	ControlCentre NodeKind = "cc"
	Gateway       NodeKind = "gateway"
	RTU           NodeKind = "rtu"
	IED           NodeKind = "ied"
	Router        NodeKind = "router"
)

// Node sends, forwards and receives packets.
type Node struct {
	Name string   `yaml:"name"`
	Kind NodeKind `yaml:"kind"`
	// ProcessingS is the node's mean processing time a packet: part of the
	// service time of its egress queues, and passed before a delivery to it.
	ProcessingS float64 `yaml:"processing_s"`
	// ProcessingShape is its distribution; empty means deterministic.
	ProcessingShape Shape `yaml:"processing_shape"`
}

// Link joins two nodes in both directions.
type Link struct {
	// Name defaults to "A-B".
	Name    string  `yaml:"name"`
	A       string  `yaml:"a"`
	B       string  `yaml:"b"`
	RateBPS float64 `yaml:"rate_bps"`
	// The propagation delay: DelayS, or LengthKM at 5 µs/km, not both.
	DelayS   float64 `yaml:"delay_s"`
	LengthKM float64 `yaml:"length_km"`
	// Loss is the probability that the link loses a packet.
	Loss       float64     `yaml:"loss"`
	Queue      QueueConfig `yaml:"queue"`
	ExtraDelay *ExtraDelay `yaml:"extra_delay"`
	Background []Traffic   `yaml:"background"`
}

// Discipline says which waiting packet is served next.
type Discipline string

// The queue disciplines.
const (
	FIFO     Discipline = "fifo"     // in order of arrival
	Priority Discipline = "priority" // strict, class 0 first, non-preemptive
	DRR      Discipline = "drr"      // deficit round robin (Shreedhar and Varghese 1995)
)

// DefaultLimitPackets holds when a queue has neither limit. It bounds the
// memory of an overloaded link.
const DefaultLimitPackets = 1000

// MaxClasses is the number of traffic classes, 0 to MaxClasses-1.
const MaxClasses = 8

// QueueConfig configures both egress queues of a link. The limits hold for
// the waiting packets (the one in service does not count), of each class by
// itself under priority and drr; what exceeds them is dropped (drop-tail).
type QueueConfig struct {
	Discipline   Discipline `yaml:"discipline"` // empty means fifo
	LimitPackets int        `yaml:"limit_packets"`
	LimitBytes   int        `yaml:"limit_bytes"`
	// QuantaBits, for drr, is what each class may send a round; classes
	// beyond the last share the last.
	QuantaBits []int `yaml:"quanta_bits"`
}

// Shape is a distribution apart from its mean.
type Shape struct {
	// Kind is deterministic, exponential, erlang, h2 (two exponential phases
	// with balanced means) or, for arrivals, on-off.
	Kind string `yaml:"kind"`
	// K is the number of Erlang phases; the squared coefficient of variation
	// is 1/K.
	K int `yaml:"k"`
	// C2 is h2's squared coefficient of variation, greater than 1.
	C2 float64 `yaml:"c2"`
	// OnS and OffS are on-off's mean, exponential, phases; packets come in
	// the on phase as a Poisson stream.
	OnS  float64 `yaml:"on_s"`
	OffS float64 `yaml:"off_s"`
}

// The kinds of Shape.
const (
	Deterministic = "deterministic"
	Exponential   = "exponential"
	Erlang        = "erlang"
	H2            = "h2"
	OnOff         = "on-off"
)

// Traffic is one stream of background packets on a link.
type Traffic struct {
	Class int `yaml:"class"`
	// From names the node that sends it; empty means both directions, each
	// with its own random numbers.
	From string `yaml:"from"`
	// RateBPS is the mean offered load; packets come at RateBPS/PacketBits.
	RateBPS float64 `yaml:"rate_bps"`
	// PacketBits is the mean size on the wire and PacketShape its
	// distribution; empty means deterministic.
	PacketBits  float64 `yaml:"packet_bits"`
	PacketShape Shape   `yaml:"packet_shape"`
	// Arrival is the distribution between arrivals; empty means exponential.
	Arrival Shape `yaml:"arrival"`
	// Profile multiplies the rate from each point's time on (before the
	// first, by 1), and repeats every ProfilePeriodS unless that is 0.
	Profile        []ProfilePoint `yaml:"profile"`
	ProfilePeriodS float64        `yaml:"profile_period_s"`
}

// ProfilePoint is one step of a traffic profile.
type ProfilePoint struct {
	AtS    float64 `yaml:"at_s"`
	Factor float64 `yaml:"factor"`
}

// ExtraDelay is the τ_link(t) that disturbances of the fibre add to the
// propagation, the same in both directions. A link keeps the order of its
// packets whatever τ_link does.
type ExtraDelay struct {
	// Kind is constant, ou or scheduled.
	Kind string `yaml:"kind"`
	// DelayS is the constant, or the mean of the Ornstein-Uhlenbeck process.
	DelayS float64 `yaml:"delay_s"`
	// StdS and TimeConstantS are the process's stationary standard deviation
	// and relaxation time; SampleS its sampling step (0 means 10 ms).
	// Negative values count as 0.
	StdS          float64 `yaml:"std_s"`
	TimeConstantS float64 `yaml:"time_constant_s"`
	SampleS       float64 `yaml:"sample_s"`
	// Schedule holds each delay from its time on; before the first it is 0.
	Schedule []DelayPoint `yaml:"schedule"`
}

// DelayPoint is one step of a scheduled extra delay.
type DelayPoint struct {
	AtS    float64 `yaml:"at_s"`
	DelayS float64 `yaml:"delay_s"`
}

// The kinds of ExtraDelay.
const (
	ConstantDelay  = "constant"
	OUDelay        = "ou"
	ScheduledDelay = "scheduled"
)

// Attack is an adversary on a link, in the window [StartS, EndS). It acts on
// routed packets only, when they leave the link.
type Attack struct {
	// Kind is tamper, replay, inject, delay or drop.
	Kind string `yaml:"kind"`
	Link string `yaml:"link"`
	// From names the sending node of the attacked direction; empty means both.
	From   string  `yaml:"from"`
	StartS float64 `yaml:"start_s"`
	// EndS ends the window; 0 means never.
	EndS float64 `yaml:"end_s"`
	// Probability is that of attacking a packet (all but inject).
	Probability float64 `yaml:"probability"`
	// RatePerS is the mean rate of injected packets, a Poisson stream.
	RatePerS float64 `yaml:"rate_per_s"`
	// DelayS is how long a packet is held (delay) or how much later its copy
	// follows (replay).
	DelayS float64 `yaml:"delay_s"`
	// FlipBits is the number of payload bits that tamper flips; 0 means 1.
	FlipBits int `yaml:"flip_bits"`
	// KeepBytes is how many leading payload bytes a forged packet takes over
	// from the last one seen on the link; the rest is random.
	KeepBytes int `yaml:"keep_bytes"`
}

const nsPerKM = 5000

func toNS(seconds float64) int64 { return int64(seconds*1e9 + 0.5) }

// label is the link's name or its default.
func (l *Link) label() string {
	if l.Name != "" {
		return l.Name
	}
	return l.A + "-" + l.B
}

func (l *Link) delayNS() int64 {
	if l.LengthKM > 0 {
		return int64(l.LengthKM*nsPerKM + 0.5)
	}
	return toNS(l.DelayS)
}

// or returns the shape with an empty kind replaced.
func (s Shape) or(kind string) Shape {
	if s.Kind == "" {
		s.Kind = kind
	}
	return s
}
