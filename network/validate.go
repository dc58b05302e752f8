package network

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// ConfigError is one mistake in a Config.
type ConfigError struct {
	// Path leads to the field in yaml names, for example "links[3].rate_bps".
	Path    string
	Problem string
}

// Error implements error.
func (e *ConfigError) Error() string { return "network: " + e.Path + ": " + e.Problem }

// maxSeconds bounds every duration, so that sums of them fit 64-bit
// nanoseconds.
const maxSeconds = 1e8

// MaxPacketBits is the largest packet on the wire, the largest IPv4 datagram.
const MaxPacketBits = 65535 * 8

// minQuantumBits keeps the rounds that drr needs for one packet few.
const minQuantumBits = 512

// Validate returns nil or all mistakes, joined; each is a *ConfigError.
func (c *Config) Validate() error {
	problems := c.Problems()
	errs := make([]error, len(problems))
	for i, p := range problems {
		errs[i] = p
	}
	return errors.Join(errs...)
}

// Problems returns all mistakes of the configuration, in its order.
func (c *Config) Problems() []*ConfigError {
	v := validator{nodes: map[string]bool{}, links: map[string]*Link{}}
	if len(c.Nodes) == 0 {
		v.fail("nodes", "a network needs at least one node")
	}
	for i := range c.Nodes {
		v.node(fmt.Sprintf("nodes[%d]", i), &c.Nodes[i])
	}
	for i := range c.Links {
		v.link(fmt.Sprintf("links[%d]", i), &c.Links[i])
	}
	for i := range c.Attacks {
		v.attack(fmt.Sprintf("attacks[%d]", i), &c.Attacks[i])
	}
	v.duration("convergence_s", c.ConvergenceS)
	v.duration("window_s", c.WindowS)
	return v.problems
}

type validator struct {
	problems []*ConfigError
	nodes    map[string]bool
	links    map[string]*Link
}

func (v *validator) fail(path, format string, args ...any) {
	v.problems = append(v.problems, &ConfigError{path, fmt.Sprintf(format, args...)})
}

// within reports a value outside [low, high]; NaN is outside.
func (v *validator) within(path string, x, low, high float64) {
	if !(x >= low && x <= high) {
		v.fail(path, "%v is outside [%v, %v]", x, low, high)
	}
}

func (v *validator) duration(path string, seconds float64) { v.within(path, seconds, 0, maxSeconds) }

func (v *validator) oneOf(path, value string, allowed ...string) bool {
	if slices.Contains(allowed, value) {
		return true
	}
	v.fail(path, "%q is none of %q", value, allowed)
	return false
}

func (v *validator) node(path string, n *Node) {
	switch {
	case n.Name == "":
		v.fail(path+".name", "a node needs a name")
	case v.nodes[n.Name]:
		v.fail(path+".name", "node %q occurs twice", n.Name)
	}
	v.nodes[n.Name] = true
	if n.Kind != "" {
		v.oneOf(path+".kind", string(n.Kind), string(ControlCentre), string(Gateway), string(RTU), string(IED), string(Router))
	}
	v.duration(path+".processing_s", n.ProcessingS)
	v.shape(path+".processing_shape", n.ProcessingShape.or(Deterministic), false)
}

func (v *validator) link(path string, l *Link) {
	v.endpoint(path+".a", l.A)
	v.endpoint(path+".b", l.B)
	if l.A == l.B && l.A != "" {
		v.fail(path+".b", "link joins node %q with itself", l.A)
	}
	if v.links[l.label()] != nil {
		v.fail(path+".name", "link %q occurs twice", l.label())
	}
	v.links[l.label()] = l
	v.within(path+".rate_bps", l.RateBPS, 1, 1e15)
	v.duration(path+".delay_s", l.DelayS)
	v.within(path+".length_km", l.LengthKM, 0, 1e6)
	if l.DelayS > 0 && l.LengthKM > 0 {
		v.fail(path+".length_km", "give delay_s or length_km, not both")
	}
	v.within(path+".loss", l.Loss, 0, 1)
	v.queue(path+".queue", &l.Queue)
	if l.ExtraDelay != nil {
		v.extraDelay(path+".extra_delay", l.ExtraDelay)
	}
	for i := range l.Background {
		v.traffic(fmt.Sprintf("%s.background[%d]", path, i), l, &l.Background[i])
	}
}

func (v *validator) endpoint(path, name string) {
	if !v.nodes[name] {
		v.fail(path, "there is no node %q", name)
	}
}

func (v *validator) queue(path string, q *QueueConfig) {
	if q.Discipline != "" {
		v.oneOf(path+".discipline", string(q.Discipline), string(FIFO), string(Priority), string(DRR))
	}
	v.within(path+".limit_packets", float64(q.LimitPackets), 0, math.MaxInt32)
	v.within(path+".limit_bytes", float64(q.LimitBytes), 0, 1<<40)
	if q.Discipline != DRR {
		if len(q.QuantaBits) > 0 {
			v.fail(path+".quanta_bits", "quanta belong to discipline drr")
		}
		return
	}
	if len(q.QuantaBits) == 0 || len(q.QuantaBits) > MaxClasses {
		v.fail(path+".quanta_bits", "drr needs 1 to %d quanta, not %d", MaxClasses, len(q.QuantaBits))
	}
	for i, bits := range q.QuantaBits {
		v.within(fmt.Sprintf("%s.quanta_bits[%d]", path, i), float64(bits), minQuantumBits, 1e9)
	}
}

func (v *validator) shape(path string, s Shape, arrival bool) {
	allowed := []string{Deterministic, Exponential, Erlang, H2}
	if arrival {
		allowed = append(allowed, OnOff)
	}
	if !v.oneOf(path+".kind", s.Kind, allowed...) {
		return
	}
	switch s.Kind {
	case Erlang:
		v.within(path+".k", float64(s.K), 1, 1000)
	case H2:
		if !(s.C2 > 1 && s.C2 <= 1e6) {
			v.fail(path+".c2", "%v is outside (1, 1e6]", s.C2)
		}
	case OnOff:
		v.within(path+".on_s", s.OnS, 1e-9, maxSeconds)
		v.within(path+".off_s", s.OffS, 1e-9, maxSeconds)
	}
}

func (v *validator) traffic(path string, l *Link, t *Traffic) {
	v.within(path+".class", float64(t.Class), 0, MaxClasses-1)
	if t.From != "" {
		v.oneOf(path+".from", t.From, l.A, l.B)
	}
	v.within(path+".packet_bits", t.PacketBits, 1, MaxPacketBits)
	v.within(path+".rate_bps", t.RateBPS, 0, 1e15)
	v.shape(path+".packet_shape", t.PacketShape.or(Deterministic), false)
	v.shape(path+".arrival", t.Arrival.or(Exponential), true)
	if a := t.Arrival; a.Kind == OnOff && (a.OnS+a.OffS)*t.RateBPS < 1e-4*t.PacketBits && t.RateBPS > 0 {
		v.fail(path+".arrival", "the phases are over 10,000 times shorter than the gaps between packets")
	}
	v.duration(path+".profile_period_s", t.ProfilePeriodS)
	last := -1.0
	positive := len(t.Profile) == 0 || t.Profile[0].AtS > 0
	for i, p := range t.Profile {
		at := fmt.Sprintf("%s.profile[%d]", path, i)
		v.duration(at+".at_s", p.AtS)
		v.within(at+".factor", p.Factor, 0, 1e6)
		positive = positive || p.Factor > 0
		if p.AtS <= last {
			v.fail(at+".at_s", "%v does not come after %v", p.AtS, last)
		}
		if t.ProfilePeriodS > 0 && p.AtS >= t.ProfilePeriodS {
			v.fail(at+".at_s", "%v is not inside the period of %v s", p.AtS, t.ProfilePeriodS)
		}
		last = p.AtS
	}
	if !positive {
		v.fail(path+".profile", "all factors are 0; leave the traffic out instead")
	}
}

func (v *validator) extraDelay(path string, d *ExtraDelay) {
	if !v.oneOf(path+".kind", d.Kind, ConstantDelay, OUDelay, ScheduledDelay) {
		return
	}
	v.duration(path+".delay_s", d.DelayS)
	v.duration(path+".std_s", d.StdS)
	if d.Kind == OUDelay {
		if d.SampleS != 0 {
			v.within(path+".sample_s", d.SampleS, 1e-6, maxSeconds)
		}
		v.within(path+".time_constant_s", d.TimeConstantS, 1e-9, maxSeconds)
	}
	if d.Kind == ScheduledDelay && len(d.Schedule) == 0 {
		v.fail(path+".schedule", "a scheduled delay needs a schedule")
	}
	last := -1.0
	for i, p := range d.Schedule {
		at := fmt.Sprintf("%s.schedule[%d]", path, i)
		v.duration(at+".at_s", p.AtS)
		v.duration(at+".delay_s", p.DelayS)
		if p.AtS <= last {
			v.fail(at+".at_s", "%v does not come after %v", p.AtS, last)
		}
		last = p.AtS
	}
}

func (v *validator) attack(path string, a *Attack) {
	l := v.links[a.Link]
	if l == nil {
		v.fail(path+".link", "there is no link %q", a.Link)
	} else if a.From != "" {
		v.oneOf(path+".from", a.From, l.A, l.B)
	}
	v.duration(path+".start_s", a.StartS)
	v.duration(path+".end_s", a.EndS)
	if a.EndS != 0 && a.EndS <= a.StartS {
		v.fail(path+".end_s", "%v does not come after start_s %v", a.EndS, a.StartS)
	}
	if _, known := attackKinds[a.Kind]; !known {
		v.fail(path+".kind", "%q is none of tamper, replay, inject, delay, drop", a.Kind)
		return
	}
	if a.Kind == "inject" {
		v.within(path+".rate_per_s", a.RatePerS, 1e-6, 1e9)
	} else if !(a.Probability > 0 && a.Probability <= 1) {
		v.fail(path+".probability", "%v is outside (0, 1]", a.Probability)
	}
	v.duration(path+".delay_s", a.DelayS)
	v.within(path+".flip_bits", float64(a.FlipBits), 0, MaxPacketBits)
	v.within(path+".keep_bytes", float64(a.KeepBytes), 0, MaxPacketBits/8)
}
