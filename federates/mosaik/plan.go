package mosaik

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"cosim/sync"
)

// Port is an input or output of a simulator: a vector of attributes.
type Port struct {
	Name, Unit string
	// Attribute is one of which all entities' values make up the port, as
	// elements named "eid.attr".
	Attribute string
	// Elements, in place of an attribute, names the elements one by one.
	Elements []Element
	// Set, in place of both, names elements of an output that only the
	// simulator's own set_data writes.
	Set []string
	// Scale is what values are multiplied by on their way to or from the
	// simulator, so that units and signs agree; 0 for 1.
	Scale float64
	// Direct marks an input that reads what its source made in the same step.
	Direct bool
	// Peers are the ports at the other end ("grid.frequency"): one for an
	// input. The simulator knows their values as attributes: "frequency" of
	// entity "grid.coi".
	Peers []string
}

// Element is an element of a port.
type Element struct {
	Name string
	// Attribute is "eid.attr", or, of an input, the attribute of all entities.
	Attribute string
}

// target is an attribute that an element of an input sets.
type target struct {
	attribute
	source string
	place  place
	before string // JSON that stands before its value
}

// origin is an attribute that an element of an output shows.
type origin struct {
	attribute
	place place
}

// plan says which attribute belongs to which element.
type plan struct {
	about    sync.Description
	targets  []target // in the order of JSON
	events   bool     // some inputs wake the simulator
	origins  []origin // in the order of ports and elements
	wanted   []byte   // argument of get_data; nil: nothing is wanted
	known    []known  // what the simulator may ask with get_data
	settable []known  // what it may set with set_data
}

// known is an attribute of another federate's entity, and the element of a
// port that stands for it.
type known struct {
	remote
	place place
}

// remote is an attribute of another federate's entity.
type remote struct{ entity, attribute string }

func (r remote) String() string { return r.attribute + " of " + r.entity }

// place is an element of a port.
type place struct {
	port, element int
	scale         float64 // between the simulator's values and the federation's
}

// place is that of element j of the i-th port.
func (p Port) place(i, j int) place {
	if p.Scale == 0 {
		return place{i, j, 1}
	}
	return place{i, j, p.Scale}
}

// of is what the simulator is given of an input.
func (p place) of(in []sync.Signal) float64 { return in[p.port].Values[p.element] * p.scale }

// resolve finds the attributes of a port's elements.
func (p Port) resolve(entities []entity, input bool) (names []string, attributes [][]attribute, err error) {
	if p.Attribute != "" {
		all := having(entities, p.Attribute)
		if len(all) == 0 {
			_, err := find(entities, p.Attribute, input)
			return nil, nil, err
		}
		for _, a := range all {
			names, attributes = append(names, a.String()), append(attributes, []attribute{a})
		}
		return names, attributes, nil
	}
	for _, e := range p.Elements {
		found, err := find(entities, e.Attribute, input)
		if err != nil {
			return nil, nil, err
		}
		if !input && len(found) > 1 {
			return nil, nil, fmt.Errorf("element %s: %d entities have the attribute %s; name one, such as %s", e.Name, len(found), e.Attribute, found[0])
		}
		names, attributes = append(names, e.Name), append(attributes, found)
	}
	return append(names, p.Set...), attributes, nil
}

// newPlan finds the attributes of all ports.
func newPlan(c *Config, kind string, entities []entity) (*plan, error) {
	p := &plan{about: sync.Description{Name: c.Name, Step: c.Step, ByEvent: true}}
	for i, port := range c.Inputs {
		names, attributes, err := port.resolve(entities, true)
		if err != nil {
			return nil, faultf(CodeEntities, "input %s: %v", port.Name, err)
		}
		var waking []string
		for j, name := range names {
			source := remote{"federation." + name, port.Name}
			if len(port.Peers) > 0 {
				source = peer(port.Peers[0], name)
			}
			p.known = append(p.known, known{source, port.place(i, j)})
			for _, a := range attributes[j] {
				at := slices.IndexFunc(entities, func(e entity) bool { return e.id == a.entity })
				event := entities[at].model.triggers(kind, a.name)
				p.targets = append(p.targets, target{a, source.entity, port.place(i, j), ""})
				if p.events = p.events || event; event && !slices.Contains(waking, name) {
					waking = append(waking, name)
				}
			}
		}
		own := sync.Port{Name: port.Name, Unit: port.Unit, Elements: names, Direct: port.Direct, Subset: true}
		if waking != nil {
			own.Wake = &sync.Wake{Elements: waking}
		}
		p.about.Inputs = append(p.about.Inputs, own)
	}
	for i, port := range c.Outputs {
		names, attributes, err := port.resolve(entities, false)
		if err != nil {
			return nil, faultf(CodeEntities, "output %s: %v", port.Name, err)
		}
		p.about.Outputs = append(p.about.Outputs, sync.Port{Name: port.Name, Unit: port.Unit, Elements: names})
		for j := range attributes {
			p.origins = append(p.origins, origin{attributes[j][0], port.place(i, j)})
		}
		for j := len(attributes); j < len(names); j++ {
			for _, to := range port.Peers {
				p.settable = append(p.settable, known{peer(to, names[j]), port.place(i, j)})
			}
		}
	}
	if err := p.layOut(); err != nil {
		return nil, err
	}
	return p, p.want()
}

// peer is an element of another federate's port as the simulator knows it: the
// federate is a simulator, the element an entity and the port its attribute.
func peer(port, element string) remote {
	federate, attribute, _ := strings.Cut(port, ".")
	return remote{federate + "." + element, attribute}
}

// layOut brings the inputs in order and writes all of a step's inputs but the
// numbers.
func (p *plan) layOut() error {
	slices.SortFunc(p.targets, func(a, b target) int {
		return cmp.Or(cmp.Compare(a.entity, b.entity), cmp.Compare(a.name, b.name), cmp.Compare(a.source, b.source))
	})
	for i := range p.targets {
		t := &p.targets[i]
		source, attr, eid := quote(t.source)+":", quote(t.name)+":{", quote(t.entity)+":{"
		if i == 0 {
			t.before = "{" + eid + attr + source
			continue
		}
		switch last := &p.targets[i-1]; {
		case last.entity != t.entity:
			t.before = "}}," + eid + attr + source
		case last.name != t.name:
			t.before = "}," + attr + source
		case last.source != t.source:
			t.before = "," + source
		default:
			return faultf(CodeEntities, "two inputs bring %s from %s", t.attribute, t.source)
		}
	}
	return nil
}

func quote(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(fmt.Sprintf("mosaik: %q: %v", s, err)) // strings always can be
	}
	return string(b)
}

// appendInputs writes the inputs of a step.
func (p *plan) appendInputs(b []byte, in []sync.Signal) []byte {
	if len(p.targets) == 0 {
		return append(b, "{}"...)
	}
	for i := range p.targets {
		t := &p.targets[i]
		b = append(b, t.before...)
		b = appendNumber(b, t.place.of(in))
	}
	return append(b, "}}}"...)
}

// want writes the argument of get_data.
func (p *plan) want() error {
	if len(p.origins) == 0 {
		return nil
	}
	attributes := map[string][]string{}
	for _, o := range p.origins {
		if !slices.Contains(attributes[o.entity], o.name) {
			attributes[o.entity] = append(attributes[o.entity], o.name)
		}
	}
	var err error
	p.wanted, err = json.Marshal([]any{attributes})
	return err
}
