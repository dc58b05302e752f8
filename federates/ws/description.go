package ws

import (
	"fmt"
	"slices"
	"strings"

	"cosim/sync"
)

// HelloOf describes a federate on the wire.
func HelloOf(d sync.Description) *Hello {
	h := &Hello{Type: TypeHello, Federate: d.Name, StepNS: int64(d.Step)}
	if d.ByEvent {
		h.Step = stepEvent
	}
	for _, p := range d.Inputs {
		h.Inputs = append(h.Inputs, portOf(p))
	}
	for _, p := range d.Outputs {
		h.Outputs = append(h.Outputs, portOf(p))
	}
	return h
}

func portOf(p sync.Port) Port {
	return Port{p.Name, p.Kind.String(), p.Unit, p.Elements, p.Direct, p.Optional, p.Subset, (*Wake)(p.Wake)}
}

// stepEvent is the step of a federate that names its own times.
const stepEvent = "event"

// describe checks a hello and returns what it says in terms of package sync.
func (h *Hello) describe() (sync.Description, error) {
	d := sync.Description{Name: h.Federate, Step: sync.Time(h.StepNS), ByEvent: h.Step == stepEvent}
	switch {
	case h.Step != "" && !d.ByEvent:
		return d, refusef(CodeDescription, "step: expected %q, or step_ns alone, got %q", stepEvent, h.Step)
	case h.StepNS < 0 || h.StepNS == 0 && !d.ByEvent:
		return d, refusef(CodeDescription, "step_ns: expected more than 0 (or \"step\":\"event\" for a federate that names its own times), got %d", h.StepNS)
	}
	var err error
	if d.Inputs, err = describePorts("input", h.Inputs); err != nil {
		return d, err
	}
	for i := range d.Inputs {
		if err := checkWake(&d.Inputs[i], d.ByEvent); err != nil {
			return d, err
		}
	}
	d.Outputs, err = describePorts("output", h.Outputs)
	return d, err
}

func describePorts(direction string, ports []Port) ([]sync.Port, error) {
	var made []sync.Port
	seen := map[string]bool{}
	for _, p := range ports {
		kind, known := kinds[p.Kind]
		switch {
		case p.Name == "" || seen[p.Name]:
			return nil, refusef(CodeDescription, "%ss: expected names that differ, got %q", direction, p.Name)
		case !known:
			return nil, refusef(CodeDescription, "%s %s: expected kind vector, messages or events, got %q", direction, p.Name, p.Kind)
		case kind == sync.Vector && len(p.Elements) == 0:
			return nil, refusef(CodeDescription, "%s %s: expected elements, for it is a vector", direction, p.Name)
		case kind != sync.Vector && (len(p.Elements) > 0 || p.Unit != "" || p.Subset):
			return nil, refusef(CodeDescription, "%s %s: expected no unit, elements or subset, for it is no vector", direction, p.Name)
		case direction == "output" && (p.Direct || p.Optional || p.Subset || p.Wake != nil):
			return nil, refusef(CodeDescription, "output %s: direct, optional, subset and wake belong to inputs", p.Name)
		}
		if twice := repeated(p.Elements); twice != "" {
			return nil, refusef(CodeDescription, "%s %s: expected elements that differ, got %q twice", direction, p.Name, twice)
		}
		seen[p.Name] = true
		made = append(made, sync.Port{
			Name: p.Name, Kind: kind, Unit: p.Unit, Elements: p.Elements, Direct: p.Direct, Optional: p.Optional, Subset: p.Subset,
			Wake: (*sync.Wake)(p.Wake),
		})
	}
	return made, nil
}

// checkWake says what is wrong with how an input wakes its federate.
func checkWake(p *sync.Port, byEvent bool) error {
	switch {
	case p.Wake == nil:
		return nil
	case !byEvent:
		return refusef(CodeDescription, "input %s: expected no wake, for without \"step\":\"event\" the federate makes every step", p.Name)
	case p.Kind != sync.Vector && len(p.Wake.Elements)+len(p.Wake.Levels) > 0:
		return refusef(CodeDescription, "input %s: expected a wake without elements and levels, for it is no vector", p.Name)
	}
	for _, e := range p.Wake.Elements {
		if !slices.Contains(p.Elements, e) {
			return refusef(CodeDescription, "input %s: expected a wake for some of its elements %s, got %q", p.Name, strings.Join(p.Elements, ", "), e)
		}
	}
	for _, x := range p.Wake.Levels {
		if x-x != 0 {
			return refusef(CodeNotFinite, "input %s: expected finite levels, got %v", p.Name, x)
		}
	}
	return nil
}

func repeated(names []string) string {
	seen := make(map[string]bool, len(names))
	for _, n := range names {
		if seen[n] {
			return n
		}
		seen[n] = true
	}
	return ""
}

// takePlace fits a description into the place of another federate: it must
// have the same step, or name its own, and the same outputs. Inputs that the
// other has too are read when the other reads them; further ones may come on
// top.
func takePlace(d, of sync.Description) (sync.Description, error) {
	if d.Step != of.Step && !d.ByEvent {
		return d, refusef(CodeDescription, "step_ns: expected %d as of %s, got %d", of.Step, of.Name, d.Step)
	}
	for _, want := range of.Outputs {
		i := slices.IndexFunc(d.Outputs, func(p sync.Port) bool { return p.Name == want.Name })
		if i < 0 {
			return d, refusef(CodeDescription, "expected the outputs of %s, %s; %s is missing", of.Name, namesOf(of.Outputs), want.Name)
		}
		if err := samePort(want, d.Outputs[i]); err != nil {
			return d, refusef(CodeDescription, "output %s: %v", want.Name, err)
		}
	}
	if len(d.Outputs) > len(of.Outputs) {
		return d, refusef(CodeDescription, "expected the outputs of %s alone, %s; got %s", of.Name, namesOf(of.Outputs), namesOf(d.Outputs))
	}
	placed := of
	placed.Step, placed.ByEvent = d.Step, d.ByEvent
	placed.Inputs = slices.Clone(of.Inputs)
	for _, got := range d.Inputs {
		i := slices.IndexFunc(of.Inputs, func(p sync.Port) bool { return p.Name == got.Name })
		if i < 0 {
			placed.Inputs = append(placed.Inputs, got)
		} else if err := samePort(of.Inputs[i], got); err != nil {
			return d, refusef(CodeDescription, "input %s: %v", got.Name, err)
		} else {
			placed.Inputs[i].Wake = got.Wake
		}
	}
	return placed, nil
}

func samePort(want, got sync.Port) error {
	switch {
	case want.Kind != got.Kind:
		return fmt.Errorf("expected kind %v, got %v", want.Kind, got.Kind)
	case want.Unit != got.Unit:
		return fmt.Errorf("expected unit %q, got %q", want.Unit, got.Unit)
	case !slices.Equal(want.Elements, got.Elements):
		return fmt.Errorf("expected the %d elements %s in this order, got %d: %s",
			len(want.Elements), strings.Join(want.Elements, ", "), len(got.Elements), strings.Join(got.Elements, ", "))
	}
	return nil
}

func namesOf(ports []sync.Port) string {
	names := make([]string, len(ports))
	for i, p := range ports {
		names[i] = p.Name
	}
	return strings.Join(names, ", ")
}
