package federates

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"cosim/network"
	"cosim/quantum"
	cosync "cosim/sync"
)

// OperatorPrefix begins the types of events that tell what an operator did.
const OperatorPrefix = "operator-"

// The kinds of a Disturbance.
const (
	LinkBreak        = "link-break"        // the fibre is cut
	AttenuationSurge = "attenuation-surge" // its loss rises
	LoadStep         = "load-step"         // a bus draws more power, or less
	Attack           = "attack"            // an adversary on a link
)

// Disturbance is what an operator lets befall the run for a while. Its kind
// says which fields it uses.
type Disturbance struct {
	Kind     string
	Element  string // a link's name, or "bus/16"
	Duration time.Duration
	DB       float64        // of a surge, on top of the fibre's loss
	SizeMW   float64        // of a load step
	Attack   network.Attack // without its link and times
}

// longest is the longest disturbance: times have room for more.
const longest = 100 * 24 * time.Hour

// Check says what is wrong with a disturbance in itself.
func (d *Disturbance) Check() error {
	var errs []error
	want := func(ok bool, field string, found any, expected string) {
		if !ok {
			errs = append(errs, fmt.Errorf("%s is %v, expected %s", field, found, expected))
		}
	}
	want(d.Duration >= time.Millisecond && d.Duration <= longest, "duration", d.Duration, "1ms to 2400h")
	switch d.Kind {
	case LinkBreak, Attack:
	case AttenuationSurge:
		want(d.DB > 0 && d.DB <= 100, "db", d.DB, "more than 0 dB, at most 100")
	case LoadStep:
		want(d.SizeMW != 0 && math.Abs(d.SizeMW) <= 1e5, "size_mw", d.SizeMW, "MW other than 0, at most 100,000")
	default:
		want(false, "kind", strconv.Quote(d.Kind), strings.Join([]string{LinkBreak, AttenuationSurge, LoadStep, Attack}, ", "))
	}
	return errors.Join(errs...)
}

// Event is how a disturbance stands in the record: "operator-link-break".
func (d *Disturbance) Event(at cosync.Time) cosync.Event {
	e := cosync.Event{At: at, Type: OperatorPrefix + d.Kind, Element: d.Element, Detail: "duration=" + d.Duration.String()}
	switch d.Kind {
	case AttenuationSurge:
		e.Value = d.DB
	case LoadStep:
		e.Value = d.SizeMW
	case Attack:
		e.Detail += attackDetail(&d.Attack)
	}
	return e
}

// attackDetail writes what is set of an attack: " attack=delay from=CC
// probability=1 delay_s=0.5".
func attackDetail(a *network.Attack) string {
	text := " attack=" + a.Kind
	if a.From != "" {
		text += " from=" + a.From
	}
	for _, x := range []struct {
		name  string
		value float64
	}{
		{"probability", a.Probability},
		{"rate_per_s", a.RatePerS},
		{"delay_s", a.DelayS},
		{"flip_bits", float64(a.FlipBits)},
		{"keep_bytes", float64(a.KeepBytes)},
	} {
		if x.value != 0 {
			text += " " + x.name + "=" + strconv.FormatFloat(x.value, 'g', -1, 64)
		}
	}
	return text
}

// ParseDisturbance reads the event of a disturbance back.
func ParseDisturbance(typ, element string, value float64, detail string) (Disturbance, error) {
	d := Disturbance{Kind: strings.TrimPrefix(typ, OperatorPrefix), Element: element}
	switch d.Kind {
	case AttenuationSurge:
		d.DB = value
	case LoadStep:
		d.SizeMW = value
	}
	for word := range strings.FieldsSeq(detail) {
		name, text, _ := strings.Cut(word, "=")
		if err := d.set(name, text); err != nil {
			return d, fmt.Errorf("federates: %s in %q: %w", name, detail, err)
		}
	}
	return d, d.Check()
}

func (d *Disturbance) set(name, text string) (err error) {
	var number float64
	switch name {
	case "duration":
		d.Duration, err = time.ParseDuration(text)
		return err
	case "attack":
		d.Attack.Kind = text
		return nil
	case "from":
		d.Attack.From = text
		return nil
	}
	if number, err = strconv.ParseFloat(text, 64); err != nil {
		return err
	}
	switch name {
	case "probability":
		d.Attack.Probability = number
	case "rate_per_s":
		d.Attack.RatePerS = number
	case "delay_s":
		d.Attack.DelayS = number
	case "flip_bits":
		d.Attack.FlipBits = int(number)
	case "keep_bytes":
		d.Attack.KeepBytes = int(number)
	default:
		return errors.New("no such word")
	}
	return nil
}

// Disturb lets something befall a link from the federate's next step on; it is
// called between two steps. It stands in the record as an event of port fibre,
// where the network learns of an adversary. Whether the network has the
// adversary's link and can do the attack is for CheckAttack to say before.
func (q *Quantum) Disturb(d Disturbance) error {
	if err := d.Check(); err != nil {
		return fmt.Errorf("quantum: %w", err)
	}
	if q.find(d.Element) == nil && d.Kind != Attack || d.Kind == LoadStep {
		return fmt.Errorf("quantum: no link %q for a %s", d.Element, d.Kind)
	}
	q.ordered = append(q.ordered, d)
	return nil
}

func (q *Quantum) find(link string) *quantum.Link {
	for i := range q.links {
		if q.links[i].Name == link {
			return q.links[i].Link
		}
	}
	return nil
}

// obey begins what was ordered since the last step.
func (q *Quantum) obey(s *cosync.Step) error {
	for i := range q.ordered {
		d := &q.ordered[i]
		s.Out[quantumFibre].Events = append(s.Out[quantumFibre].Events, d.Event(s.From))
		if d.Kind == Attack {
			continue
		}
		err := q.find(d.Element).Disturb(quantum.Disturbance{
			FromNS: int64(s.From), ToNS: int64(s.From) + d.Duration.Nanoseconds(), Break: d.Kind == LinkBreak, AttenuationDB: d.DB,
		})
		if err != nil {
			return err
		}
	}
	q.ordered = q.ordered[:0]
	return nil
}

// CheckAttack says why the network could not do what an attack asks for.
func (n *Network) CheckAttack(d Disturbance) error {
	if err := d.Check(); err != nil {
		return fmt.Errorf("network: %w", err)
	}
	return n.engine.CheckAttack(d.attackAt(0))
}

// attackAt is the attack from a time on.
func (d *Disturbance) attackAt(at cosync.Time) network.Attack {
	a := d.Attack
	a.Link, a.StartS, a.EndS = d.Element, at.Seconds(), (at + cosync.Time(d.Duration)).Seconds()
	return a
}

// suffer lets an adversary in that an operator has asked for.
func (n *Network) suffer(e cosync.Event) error {
	d, err := ParseDisturbance(e.Type, e.Element, e.Value, e.Detail)
	if err != nil {
		return err
	}
	return n.engine.AddAttack(d.attackAt(e.At))
}

// Disturb lets a load change at a bus from the next substep on and for a
// while; called reserve returns with its end, as with that of a scheduled
// step. It is called between two steps and stands in the record as an event.
func (g *Grid) Disturb(now cosync.Time, d Disturbance) error {
	if err := d.Check(); err != nil {
		return fmt.Errorf("grid: %w", err)
	}
	if d.Kind != LoadStep {
		return fmt.Errorf("grid: no %s", d.Kind)
	}
	if err := g.CanInject([]string{d.Element}); err != nil {
		return err
	}
	id, err := strconv.Atoi(strings.TrimPrefix(d.Element, "bus/"))
	if err != nil {
		return fmt.Errorf("grid: bus %q has no number", d.Element)
	}
	step := GridLoadStep{From: now, To: now + cosync.Time(d.Duration), Bus: id, SizeMW: d.SizeMW, ReleaseReserve: true}
	actions, err := g.loadStep(step)
	if err != nil {
		return err
	}
	g.schedule(gridAction{at: now, do: func() error { return nil }, event: d.Event(now)})
	g.schedule(actions[0])
	g.schedule(actions[1])
	return nil
}
