package experiment

import (
	"strings"

	"cosim/federates"
	"cosim/internal/record"
	cosync "cosim/sync"
)

// recorder writes every vector as columns of the series and every event.
type recorder struct {
	writer *record.Writer
	every  cosync.Time
	ports  []int // of the frame's outputs, with vectors
	events []int
	row    []float64
}

// leftOut are outputs that say again what another one says; of an order, the
// end of its task and what the grid then does.
var leftOut = map[string]bool{
	"grid.pmu_frequency": true, "grid.pmu_voltage": true, "scada.initial": true,
	"quantum.key": true, "quantum.up": true, "quantum.state": true,
	"ieds.orders": true,
}

// descriptions say what a column's name and unit leave open.
var descriptions = map[string]string{
	"grid.frequency":       "deviation from nominal frequency",
	"grid.bus_frequency":   "deviation from nominal frequency",
	"grid.balance":         "largest open power balance of a bus",
	"grid.reserve":         "reserve or shedding called",
	"quantum.rate":         "secret key rate, 0 while the link is down",
	"scada.store":          "what a store gives until its next refill",
	"scada.generated":      "total since the start",
	"scada.consumed":       "total since the start",
	"scada.discarded":      "total since the start",
	"scada.expired":        "total since the start",
	"scada.controller":     "what the control centre believes; the unit ends the name, frequency is absolute and 0 before any is heard",
	"scada.ledger":         "tasks since the start",
	"scada.fairness":       "Jain's index of the operators' shares of the key asked for in the last 10 s; the shares",
	"scada.asked":          "key of the tasks in their wished modes, total since the start",
	"scada.granted":        "key drawn for them, total since the start",
	"scada.decision":       "of the last reconfiguration",
	"network.wait":         "measured mean wait over the row",
	"network.kingman_wait": "Kingman's estimate over the sliding window",
	"network.balance":      "messages and packets since the start",
	"network.attacks":      "attacked messages since the start",
}

// columnsOf lists the columns of the series that the federates' outputs make.
func columnsOf(feds []cosync.Federate) []record.Column {
	var columns []record.Column
	for _, f := range feds {
		d := f.Describe()
		for _, p := range d.Outputs {
			name := d.Name + "." + p.Name
			if p.Kind != cosync.Vector || leftOut[name] {
				continue
			}
			for _, e := range p.Elements {
				columns = append(columns, record.Column{Name: name + "/" + e, Unit: p.Unit, Description: descriptions[name]})
			}
		}
	}
	return columns
}

func (r *recorder) Begin(f *cosync.Frame) error {
	for i, o := range f.Outputs {
		switch {
		case leftOut[o.Name]:
		case o.Port.Kind == cosync.Events:
			r.events = append(r.events, i)
		case o.Port.Kind == cosync.Vector:
			r.ports = append(r.ports, i)
		}
	}
	return r.write(f)
}

func (r *recorder) Observe(f *cosync.Frame) error {
	for _, i := range r.events {
		for _, e := range f.Outputs[i].Events {
			if err := r.event(e); err != nil {
				return err
			}
		}
	}
	for _, l := range f.Lost {
		if err := r.event(cosync.Event{At: l.At, Type: "federate-lost", Element: l.Federate, Detail: lossDetail(l)}); err != nil {
			return err
		}
	}
	if f.To%r.every != 0 {
		return nil
	}
	return r.write(f)
}

func (r *recorder) write(f *cosync.Frame) error {
	r.row = r.row[:0]
	for _, i := range r.ports {
		r.row = append(r.row, f.Outputs[i].Values...)
	}
	return r.writer.Row(int64(f.To), r.row)
}

// unitOfEvent is the unit of an event's value.
func unitOfEvent(typ string) string {
	switch {
	case typ == federates.EventBlock, typ == federates.KeyDelivered, typ == federates.KeyRefused, strings.HasPrefix(typ, "pool-"):
		return "bit"
	case strings.HasPrefix(typ, "load-step"), typ == "operator-agc", typ == "operator-shed", typ == "operator-load-step":
		return "MW"
	case typ == "operator-attenuation-surge":
		return "dB"
	case typ == "operator-avr":
		return "pu"
	}
	return ""
}

func (r *recorder) event(e cosync.Event) error {
	if e.Type == "task" {
		t := federates.ParseTask(e)
		return r.writer.Event(record.Event{
			AtNS: int64(e.At), Type: e.Type, Element: t.Chain, Class: t.Class, Mode: t.Mode, Cause: t.Cause,
			Value: t.LatencyS, Unit: "s",
		})
	}
	return r.writer.Event(record.Event{
		AtNS: int64(e.At), Type: e.Type, Element: e.Element, Value: e.Value, Unit: unitOfEvent(e.Type), Detail: e.Detail,
	})
}

func (r *recorder) End(error) error { return nil }
