package experiment

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"cosim/federates/mosaik"
	cosync "cosim/sync"
)

// Mosaik is a mosaik simulator in the place of an external federate's program.
type Mosaik struct {
	// Connect is the address at which the simulator waits; Command, in its
	// place, starts one that connects to %(addr)s.
	Connect string        `yaml:"connect,omitempty"`
	Command string        `yaml:"command,omitempty"`
	Step    time.Duration `yaml:"step"`
	// TimeResolution is a unit of the simulator's time.
	TimeResolution time.Duration  `yaml:"time_resolution"`
	Init           map[string]any `yaml:"init,omitempty"`
	Models         []MosaikModel  `yaml:"models"`
	Inputs         []MosaikPort   `yaml:"inputs,omitempty"`
	Outputs        []MosaikPort   `yaml:"outputs,omitempty"`
}

// MosaikModel asks for instances of a model.
type MosaikModel struct {
	Model  string         `yaml:"model"`
	Number int            `yaml:"number"`
	Params map[string]any `yaml:"params,omitempty"`
}

// MosaikPort is a vector of attributes: one of all entities, or one for each
// element.
type MosaikPort struct {
	Name     string            `yaml:"name"`
	Unit     string            `yaml:"unit"`
	Attr     string            `yaml:"attr,omitempty"`
	Elements map[string]string `yaml:"elements,omitempty"` // element: eid.attr
	Set      []string          `yaml:"set,omitempty"`      // elements that set_data writes
	Scale    *float64          `yaml:"scale,omitempty"`    // of the simulator's values to the federation's, or back
	Direct   bool              `yaml:"direct,omitempty"`
}

func (m *Mosaik) resolve() {
	if m == nil {
		return
	}
	if m.TimeResolution == 0 {
		m.TimeResolution = time.Second
	}
	for i := range m.Models {
		if m.Models[i].Number == 0 {
			m.Models[i].Number = 1
		}
	}
}

// mosaik checks a mosaik simulator as far as the file alone says.
func (v *validator) mosaik(path string, x *External) {
	m := x.Mosaik
	if m == nil {
		return
	}
	if x.Replaces != "" {
		v.fault(path+".replaces", "a mosaik simulator has no messages and events and replaces no built-in federate")
	}
	if x.Grace != 0 {
		v.fault(path+".grace", "a mosaik simulator cannot come back; grace has no effect")
	}
	if len(x.Parameters) > 0 {
		v.fault(path+".parameters", "a mosaik simulator gets its parameters from mosaik.init and mosaik.models")
	}
	for j, w := range x.Connect {
		m.wire(v, fmt.Sprintf("%s.connect[%d]", path, j), x.Name, w)
	}
	path += ".mosaik"
	switch _, err := mosaik.Words(m.Command); {
	case m.Connect == "" && m.Command == "":
		v.fault(path, "either connect, the address of a simulator that waits, or command, which starts one, is missing")
	case m.Connect != "" && m.Command != "":
		v.fault(path+".command", "connect and command exclude each other")
	case m.Command != "" && err != nil:
		v.fault(path+".command", "%v", err)
	case m.Command != "" && !strings.Contains(m.Command, "%(addr)s"):
		v.fault(path+".command", "the command does not hold %%(addr)s, where the simulator is to connect")
	}
	m.times(v, path)
	v.parameters(path+".init", m.Init)
	if len(m.Models) == 0 {
		v.fault(path, "models are missing: what the simulator is to create")
	}
	for i, model := range m.Models {
		at := fmt.Sprintf("%s.models[%d]", path, i)
		if model.Model == "" {
			v.fault(at, "model is missing")
		}
		if model.Number < 1 {
			v.fault(at+".number", "number is %d, expected at least 1", model.Number)
		}
		v.parameters(at+".params", model.Params)
	}
	for i := range m.Inputs {
		m.Inputs[i].check(v, fmt.Sprintf("%s.inputs[%d]", path, i), true)
	}
	for i := range m.Outputs {
		m.Outputs[i].check(v, fmt.Sprintf("%s.outputs[%d]", path, i), false)
	}
}

// times checks that steps meet.
func (m *Mosaik) times(v *validator, path string) {
	switch exchange := v.def.Steps.Exchange; {
	case m.Step <= 0:
		v.fault(path, "step is missing: the length of the simulator's step, such as 1s")
	case m.Step%m.TimeResolution != 0:
		v.fault(path+".step", "step %v is no multiple of time_resolution %v", m.Step, m.TimeResolution)
	case exchange > 0 && m.Step%exchange != 0 && exchange%m.Step != 0:
		v.fault(path+".step", "step %v is neither a multiple nor a divisor of the exchange step %v", m.Step, exchange)
	case v.def.Duration%m.Step != 0:
		v.fault(path+".step", "step %v does not divide the duration %v", m.Step, v.def.Duration)
	}
}

// wire checks that a connection ends at a port of the simulator.
func (m *Mosaik) wire(v *validator, path, name string, w Wire) {
	for _, end := range []struct {
		key, text, direction string
		ports                []MosaikPort
	}{{"from", w.From, "output", m.Outputs}, {"to", w.To, "input", m.Inputs}} {
		federate, port, _ := strings.Cut(end.text, ".")
		if federate != name || port == "" {
			continue
		}
		var names []string
		for _, p := range end.ports {
			names = append(names, p.Name)
		}
		if !slices.Contains(names, port) {
			v.fault(path+"."+end.key, "%s has no %s %q%s", name, end.direction, port, suggest(port, names))
		}
	}
}

func (p *MosaikPort) check(v *validator, path string, input bool) {
	if p.Name == "" {
		v.fault(path, "name is missing")
	}
	ways := 0
	for _, given := range []bool{p.Attr != "", len(p.Elements) > 0, len(p.Set) > 0} {
		if given {
			ways++
		}
	}
	switch {
	case input && len(p.Set) > 0:
		v.fault(path+".set", "set is for outputs: elements that the simulator's set_data writes")
	case ways == 0:
		v.fault(path, "either attr, an attribute of all entities, or elements, such as {bus/16: PV-0.P}, is missing")
	case p.Attr != "" && ways > 1:
		v.fault(path+".attr", "attr excludes elements and set")
	}
	if p.Scale != nil && (*p.Scale == 0 || *p.Scale-*p.Scale != 0) {
		v.fault(path+".scale", "scale is %v, expected a finite number other than 0, such as -0.001", *p.Scale)
	}
	if !input && p.Direct {
		v.fault(path+".direct", "direct is for inputs")
	}
	for _, name := range slices.Sorted(maps.Keys(p.Elements)) {
		if p.Elements[name] == "" {
			v.fault(path+".elements", "element %s has no attribute", name)
		}
		if slices.Contains(p.Set, name) {
			v.fault(path+".set", "element %s stands under elements, too", name)
		}
	}
}

// parameters checks that parameters can be said in JSON.
func (v *validator) parameters(path string, parameters map[string]any) {
	for _, name := range slices.Sorted(maps.Keys(parameters)) {
		if _, date := parameters[name].(time.Time); date {
			v.fault(path+"."+name, "%s is a date, which JSON has not; put it in quotes", name)
		} else if _, err := json.Marshal(parameters[name]); err != nil {
			v.fault(path+"."+name, "%s cannot be said in JSON: %v", name, err)
		}
	}
}

// config is what the simulator is told.
func (m *Mosaik) config(d *Definition, x *External) mosaik.Config {
	c := mosaik.Config{
		Name: x.Name, Connect: m.Connect, Command: m.Command, Step: simTime(m.Step), Stop: simTime(d.Duration),
		Resolution: simTime(m.TimeResolution), Deadline: x.Deadline, Init: m.Init,
	}
	for _, model := range m.Models {
		c.Models = append(c.Models, mosaik.Model{Name: model.Model, Number: model.Number, Parameters: model.Params})
	}
	for _, p := range m.Inputs {
		c.Inputs = append(c.Inputs, p.port(d, func(w Wire) (string, string) { return w.To, w.From }, x.Name))
	}
	for _, p := range m.Outputs {
		c.Outputs = append(c.Outputs, p.port(d, func(w Wire) (string, string) { return w.From, w.To }, x.Name))
	}
	return c
}

// port translates a port; ends gives the own and the other end of a connection.
func (p *MosaikPort) port(d *Definition, ends func(Wire) (own, other string), federate string) mosaik.Port {
	port := mosaik.Port{Name: p.Name, Unit: p.Unit, Attribute: p.Attr, Set: p.Set, Direct: p.Direct}
	if p.Scale != nil {
		port.Scale = *p.Scale
	}
	for _, name := range slices.Sorted(maps.Keys(p.Elements)) {
		port.Elements = append(port.Elements, mosaik.Element{Name: name, Attribute: p.Elements[name]})
	}
	for _, x := range d.Federates {
		for _, w := range x.Connect {
			if own, other := ends(w); own == federate+"."+p.Name {
				port.Peers = append(port.Peers, other)
			}
		}
	}
	return port
}

// simulators are the mosaik simulators of a run.
type simulators struct {
	all    []*mosaik.Simulator
	cancel []func() bool // of the watches on the run's context
}

// startSimulators connects the mosaik simulators that are to take part, by
// place in the definition. Nil if there are none.
func startSimulators(ctx context.Context, d *Definition, o RunOptions, live []cosync.Federate) (*simulators, error) {
	s := &simulators{}
	for i := range d.Federates {
		x := &d.Federates[i]
		if x.Mosaik == nil || !o.past.awaits(i) {
			continue
		}
		simulator, err := mosaik.Start(ctx, x.Mosaik.config(d, x))
		if err != nil {
			s.close()
			return nil, err
		}
		live[i] = simulator
		s.all = append(s.all, simulator)
		s.cancel = append(s.cancel, context.AfterFunc(ctx, simulator.Interrupt))
	}
	return s, nil
}

func (s *simulators) close() {
	if s == nil {
		return
	}
	for i, simulator := range s.all {
		s.cancel[i]()
		_ = simulator.Close()
	}
}

// withoutAddresses leaves out where mosaik simulators wait, as it changes no
// result.
func withoutAddresses(federates []External) []External {
	federates = slices.Clone(federates)
	for i := range federates {
		if m := federates[i].Mosaik; m != nil {
			elsewhere := *m
			elsewhere.Connect = ""
			federates[i].Mosaik = &elsewhere
		}
	}
	return federates
}
