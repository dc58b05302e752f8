package scada

import (
	"errors"
	"fmt"

	"cosim/scada/iec104"
	"cosim/scada/q3p"
)

// Command is what an IED obeys. Its values are absolute, so that obeying one
// twice changes nothing.
type Command struct {
	Kind    string  // task: agc | avr | shed | breaker; empty for a frame that asks for nothing
	Element string  // "gen/30"
	Value   float64 // agc: MW added to the power set point; avr: p.u. added to the voltage set point; shed: MW called in all; breaker: 0 or 1
}

// IED is the receiving end at an element. Whoever simulates the element owns
// it, hands it the frames that arrive and obeys the commands that come out.
type IED struct {
	name       string
	commonAddr uint16
	points     map[uint32]*point
	receivers  map[string]*q3p.Receiver // by gateway
	plain      []byte
	apdu       iec104.APDU
}

// point is what an object address of an IED stands for.
type point struct {
	kind, element string
	asdu          iec104.TypeID
	commanded     bool
	newest        uint16 // N(S) of the newest command, once commanded
}

// NewIEDs makes the receiving ends of all IEDs that chains of a valid cfg lead
// to, by node. The secret is PresharedSecret of the run's stream "scada/psk".
func NewIEDs(cfg Config, secret [32]byte) (map[string]*IED, error) {
	cfg = cfg.Resolved()
	addr := commonAddresses(cfg.Nodes)
	kinds := map[string]string{}
	for _, n := range cfg.Nodes {
		kinds[n.Name] = n.Kind
	}
	ieds := map[string]*IED{}
	for i, ch := range cfg.Chains {
		class := cfg.Classes[ch.Task]
		for _, nodes := range ch.Routes {
			if class.Direction == Up {
				nodes = reversed(nodes) // acknowledgements come down this way
			}
			name := nodes[len(nodes)-1]
			if kinds[name] != Device {
				continue
			}
			d := ieds[name]
			if d == nil {
				d = &IED{name: name, commonAddr: addr[name], points: map[uint32]*point{}, receivers: map[string]*q3p.Receiver{}}
				ieds[name] = d
			}
			if class.Direction == Down {
				d.points[uint32(i+1)*ioaStep] = &point{kind: ch.Task, element: ch.Element, asdu: iec104.TypeID(class.ASDUType)}
			}
			gateway := nodes[len(nodes)-2]
			for j := len(nodes) - 2; kinds[gateway] != Gateway; j-- {
				gateway = nodes[j-1]
			}
			if err := d.addGateway(gateway, secret); err != nil {
				return nil, err
			}
		}
	}
	return ieds, nil
}

func (d *IED) addGateway(gateway string, secret [32]byte) (err error) {
	if d.receivers[gateway] == nil {
		d.receivers[gateway], err = q3p.NewPresharedReceiver(presharedChannel(q3p.Downlink), presharedKey(secret, gateway, d.name))
	}
	return err
}

// Receive opens a frame that a gateway sent. The tag is verified first, then
// the replay window; only then is the content read. A Duplicate is a genuine
// frame that was obeyed before: it must not be obeyed again, and its error is
// nil. A Rejected frame comes with the reason. A Valid frame may ask for
// nothing: an acknowledgement, or a command that a newer one to the same
// element overtook (a repeated frame may come late).
func (d *IED) Receive(from string, frame []byte) (Command, Verdict, error) {
	r := d.receivers[from]
	if r == nil {
		return Command{}, Rejected, fmt.Errorf("scada: %s knows no gateway %q", d.name, from)
	}
	_, plain, err := r.Open(d.plain[:0], frame, nil)
	d.plain = plain[:0]
	switch {
	case errors.Is(err, q3p.ErrReplay):
		return Command{}, Duplicate, nil
	case err != nil:
		return Command{}, Rejected, fmt.Errorf("scada: %s: %w", d.name, err)
	}
	c, err := d.read(plain)
	if err != nil {
		return Command{}, Rejected, fmt.Errorf("scada: %s: %w", d.name, err)
	}
	return c, Valid, nil
}

// read decodes an APDU for this station.
func (d *IED) read(apdu []byte) (Command, error) {
	if err := d.apdu.Decode(apdu); err != nil {
		return Command{}, err
	}
	if d.apdu.Format != iec104.FormatI {
		return Command{}, nil
	}
	a := &d.apdu.ASDU
	o := a.Objects[0]
	p, ok := d.points[o.IOA]
	switch {
	case a.CommonAddr != d.commonAddr:
		return Command{}, fmt.Errorf("common address %d, expected %d", a.CommonAddr, d.commonAddr)
	case !ok:
		return Command{}, fmt.Errorf("no object address %d", o.IOA)
	case a.Type != p.asdu || a.Cause != iec104.Activation:
		return Command{}, fmt.Errorf("%v with cause %d, expected %v with cause %d", a.Type, a.Cause, p.asdu, iec104.Activation)
	}
	if !p.advances(d.apdu.SendSeq) {
		return Command{}, nil
	}
	c := Command{Kind: p.kind, Element: p.element}
	switch {
	case p.asdu == iec104.CScNa1 && o.On(), p.asdu == iec104.CDcNa1 && o.Double() == iec104.DoubleOn:
		c.Value = 1
	case p.asdu == iec104.CSeNc1 || p.asdu == iec104.CSeTc1:
		c.Value = float64(o.Float())
	}
	return c, nil
}

// advances reports whether a command with this N(S) is newer than all before,
// on the circle of 2¹⁵ numbers.
func (p *point) advances(seq uint16) bool {
	if p.commanded && int16((seq-p.newest)<<1) <= 0 {
		return false
	}
	p.commanded, p.newest = true, seq
	return true
}
