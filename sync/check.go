package sync

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// wiring builds a federation at run time from its description and gathers
// all that is wrong with it.
type wiring struct {
	members []*member
	names   []string
	mistake []error
}

func (w *wiring) addf(format string, args ...any) {
	w.mistake = append(w.mistake, fmt.Errorf(format, args...))
}

// placef prefixes an error with where the cause is written, if known.
func (w *wiring) placef(origin, format string, args ...any) {
	if origin != "" {
		format, args = "%s: "+format, append([]any{origin}, args...)
	}
	w.addf(format, args...)
}

// wire builds members and links. On an error all mistakes are named.
func wire(federates []Federate, connections []Connection, o *Options) ([]*member, error) {
	w := &wiring{}
	for _, f := range federates {
		w.addFederate(f)
	}
	seen := make(map[[2]string]bool)
	meant := make(map[string]bool) // inputs that a connection names, sound or not
	for _, c := range connections {
		meant[c.To] = true
		if ends := [2]string{c.From, c.To}; seen[ends] {
			w.placef(c.Origin, "%v: connected twice", c)
		} else {
			seen[ends] = true
			w.connect(c)
		}
	}
	for _, f := range w.members {
		for i := range f.inlets {
			in := &f.inlets[i]
			if name := f.about.Name + "." + in.port.Name; !meant[name] && !in.port.Optional {
				w.addf("%s: nothing feeds this input, and it is not optional", name)
			}
		}
	}
	w.resolveSteps(o)
	for _, f := range o.Faults {
		w.addFault(f)
	}
	for _, t := range o.Tolerated {
		w.addTolerance(t, o.Step)
	}
	w.rank()
	return w.members, errors.Join(w.mistake...)
}

func (w *wiring) addFederate(federate Federate) {
	d := federate.Describe()
	if d.Name == "" || strings.Contains(d.Name, ".") {
		w.addf("%q: a federate's name is not empty and holds no dot", d.Name)
	}
	if slices.Contains(w.names, d.Name) {
		w.addf("%s: two federates of this name", d.Name)
	}
	if d.Step < 0 || d.Step == 0 && !d.ByEvent {
		w.addf("%s: step %v is not positive", d.Name, d.Step)
	}
	w.checkPorts(d.Name, "input", d.Inputs)
	w.checkPorts(d.Name, "output", d.Outputs)
	w.checkWakes(&d)
	f := &member{federate: federate, about: d}
	f.asker, _ = federate.(Asker)
	if e, ok := federate.(Explainer); ok {
		f.watch.explain = e.Explain
	}
	for _, p := range d.Inputs {
		f.inlets = append(f.inlets, inlet{port: p})
	}
	for _, p := range d.Outputs {
		o := outlet{name: d.Name + "." + p.Name, port: p}
		if p.Kind == Vector {
			o.now.values = make([]float64, len(p.Elements))
			o.ended.values = make([]float64, len(p.Elements))
		}
		f.outlets = append(f.outlets, o)
	}
	if d.ByEvent {
		f.agenda = newAgenda(f)
	}
	f.prepare()
	w.members = append(w.members, f)
	w.names = append(w.names, d.Name)
}

func (w *wiring) checkPorts(federate, direction string, ports []Port) {
	seen := make(map[string]bool)
	for _, p := range ports {
		switch {
		case p.Name == "":
			w.addf("%s: an %s without a name", federate, direction)
		case seen[p.Name]:
			w.addf("%s.%s: two %ss of this name", federate, p.Name, direction)
		case p.Kind > Events:
			w.addf("%s.%s: %v is none of vector, messages, events", federate, p.Name, p.Kind)
		case p.Kind == Vector && len(p.Elements) == 0:
			w.addf("%s.%s: a vector without elements", federate, p.Name)
		}
		seen[p.Name] = true
		elements := make(map[string]bool)
		for _, e := range p.Elements {
			if elements[e] {
				w.addf("%s.%s: two elements %q", federate, p.Name, e)
			}
			elements[e] = true
		}
	}
}

// connect resolves one connection, checks it, and links it.
func (w *wiring) connect(c Connection) {
	out, errOut := w.output(c.From)
	in, errIn := w.input(c.To)
	for _, err := range []error{errOut, errIn} {
		if err != nil {
			w.placef(c.Origin, "%v: %w", c, err)
		}
	}
	if errOut != nil || errIn != nil {
		return
	}
	l := &link{from: out, direct: in.port.Direct}
	if out.port.Kind != in.port.Kind {
		w.placef(c.Origin, "%v: %s carries %v, %s reads %v", c, c.From, out.port.Kind, c.To, in.port.Kind)
	} else if out.port.Kind == Vector {
		if len(in.links) > 0 {
			w.placef(c.Origin, "%v: %s is fed by %s already", c, c.To, in.links[0].from.name)
		}
		var errs [2]error
		l.gather, errs[0] = arrange(out.port.Elements, in.port.Elements, in.port.Subset)
		l.scale, errs[1] = convert(out.port.Unit, in.port.Unit)
		for _, err := range errs {
			if err != nil {
				w.placef(c.Origin, "%v: %w", c, err)
			}
		}
		if l.gather != nil || l.scale != unchanged {
			l.values = make([]float64, len(in.port.Elements))
		}
	}
	in.links = append(in.links, l)
	out.readers = append(out.readers, l)
}

// arrange returns for each element of the reader its place in the source, or
// nil where the order is the same. Both must have the same names, unless a
// subset will do.
func arrange(source, reader []string, subset bool) ([]int, error) {
	if slices.Equal(source, reader) {
		return nil, nil
	}
	place := make(map[string]int, len(source))
	for i, name := range source {
		place[name] = i
	}
	var missing, extra []string
	gather := make([]int, len(reader))
	for i, name := range reader {
		j, ok := place[name]
		if !ok {
			missing = append(missing, name)
		}
		gather[i] = j
		delete(place, name)
	}
	for _, name := range source {
		if _, left := place[name]; left && !subset {
			extra = append(extra, name)
		}
	}
	if len(missing)+len(extra) > 0 {
		return nil, fmt.Errorf("elements differ: the reader has %d, the source %d%s%s",
			len(reader), len(source), some("; only the reader has ", missing), some("; only the source has ", extra))
	}
	return gather, nil
}

// some lists the first names after a label, or nothing.
func some(label string, names []string) string {
	const shown = 4
	switch n := len(names); {
	case n == 0:
		return ""
	case n > shown:
		return fmt.Sprintf("%s%s and %d more", label, strings.Join(names[:shown], ", "), n-shown)
	}
	return label + strings.Join(names, ", ")
}

func (w *wiring) find(federate string) (*member, error) {
	for _, f := range w.members {
		if f.about.Name == federate {
			return f, nil
		}
	}
	return nil, fmt.Errorf("no federate %q%s", federate, suggestion(federate, w.names))
}

func (w *wiring) output(name string) (*outlet, error) {
	federate, port := splitName(name)
	f, err := w.find(federate)
	if err != nil {
		return nil, err
	}
	for i := range f.outlets {
		if f.outlets[i].port.Name == port {
			return &f.outlets[i], nil
		}
	}
	return nil, unknownPort(federate, "output", port, f.about.Outputs, f.about.Inputs)
}

func (w *wiring) input(name string) (*inlet, error) {
	federate, port := splitName(name)
	f, err := w.find(federate)
	if err != nil {
		return nil, err
	}
	for i := range f.inlets {
		if f.inlets[i].port.Name == port {
			return &f.inlets[i], nil
		}
	}
	return nil, unknownPort(federate, "input", port, f.about.Inputs, f.about.Outputs)
}

func unknownPort(federate, direction, port string, ports, others []Port) error {
	names := make([]string, len(ports))
	for i, p := range ports {
		names[i] = p.Name
	}
	for _, p := range others {
		if p.Name == port {
			return fmt.Errorf("%s.%s is not an %s (a connection leads from an output to an input)", federate, port, direction)
		}
	}
	return fmt.Errorf("%s has no %s %q%s", federate, direction, port, suggestion(port, names))
}

func (w *wiring) addFault(f Fault) {
	o, err := w.output(f.Port)
	if err != nil {
		w.placef(f.Origin, "fault of %s: %w", f.Port, err)
		return
	}
	federate, _ := splitName(f.Port)
	source, _ := w.find(federate)
	active := activeFault{Fault: f}
	if err := active.check(o, max(1, source.about.Step)); err != nil {
		w.placef(f.Origin, "fault of %s: %w", f.Port, err)
		return
	}
	o.faults = append(o.faults, active)
}

// resolveSteps finds the master's step, if it is not given, and gives it to
// the federates that have no other.
func (w *wiring) resolveSteps(o *Options) {
	if o.Step == 0 {
		o.Step = commonStep(w.members)
	}
	for _, f := range w.members {
		if f.about.ByEvent && f.about.Step == 0 {
			f.about.Step = o.Step
		}
	}
	if o.Step == 0 && len(w.members) > 0 && len(w.mistake) == 0 {
		w.addf("no federate has a step of its own; option Step must say how long one is")
	}
}

// commonStep is the greatest common divisor of the federates' steps.
func commonStep(members []*member) Time {
	var step Time
	for _, f := range members {
		a, b := step, f.about.Step
		for b != 0 {
			a, b = b, a%b
		}
		step = a
	}
	return step
}

// checkTimes says which federates do not fit the master's step and the end.
func checkTimes(members []*member, step, stop Time) error {
	var errs []error
	if stop <= 0 {
		errs = append(errs, fmt.Errorf("stop time %v is not positive", stop))
	}
	for _, f := range members {
		if step <= 0 || f.about.Step <= 0 {
			continue // named elsewhere
		}
		if s := f.about.Step; s%step != 0 {
			errs = append(errs, fmt.Errorf("%s: step %v is not a multiple of the master's %v", f.about.Name, s, step))
		} else if stop%s != 0 {
			errs = append(errs, fmt.Errorf("%s: stop time %v is not a multiple of its step %v", f.about.Name, stop, s))
		}
	}
	return errors.Join(errs...)
}
