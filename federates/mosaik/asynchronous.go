package mosaik

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// answer fulfils what a simulator asks while it owes a reply.
func (x *Simulator) answer(c *call) (any, error) {
	switch c.function {
	case "get_progress":
		return json.RawMessage(appendNumber(nil, 100*x.from.Seconds()/x.cfg.Stop.Seconds())), nil
	case "get_data":
		return x.getData(c.argument(0, "attrs"))
	case "set_data":
		return nil, x.setData(c.argument(0, "data"))
	case "set_event":
		return nil, x.setEvent(c.argument(0, "event_time"))
	}
	return nil, fmt.Errorf("%s is not supported here; get_progress, get_data, set_data and set_event are", c.function)
}

// getData gives values that reach the simulator's inputs: those of other
// federates that the experiment connects to it.
func (x *Simulator) getData(raw json.RawMessage) (any, error) {
	var wanted map[string][]string
	if json.Unmarshal(raw, &wanted) != nil {
		return nil, fmt.Errorf("get_data: expected {full_id: [attr]}, got %s", excerpt(raw))
	}
	if len(x.in) == 0 && len(wanted) > 0 {
		return nil, errors.New("get_data: no step has begun that has inputs")
	}
	data := map[string]map[string]json.RawMessage{}
	for full, attributes := range wanted {
		data[full] = map[string]json.RawMessage{}
		for _, attr := range attributes {
			r := remote{full, attr}
			i := slices.IndexFunc(x.plan.known, func(k known) bool { return k.remote == r })
			if i < 0 {
				return nil, fmt.Errorf("get_data: %v is not among the inputs, which are %s", r, spoken(x.plan.known))
			}
			data[full][attr] = appendNumber(nil, x.plan.known[i].place.of(x.in))
		}
	}
	return data, nil
}

// spoken lists attributes in words.
func spoken(attributes []known) string {
	words := make([]string, len(attributes))
	for i, k := range attributes {
		words[i] = k.String()
	}
	return list(words)
}

// setData puts values into outputs that are for set_data. All of them are
// known, or none is set.
func (x *Simulator) setData(raw json.RawMessage) error {
	var data map[string]map[string]map[string]json.RawMessage
	if json.Unmarshal(raw, &data) != nil {
		return fmt.Errorf("set_data: expected {src_full_id: {dest_full_id: {attr: value}}}, got %s", excerpt(raw))
	}
	if x.values == nil {
		return errors.New("set_data: the simulation has not begun")
	}
	var set []made
	by := map[remote]string{}
	for _, source := range slices.Sorted(maps.Keys(data)) {
		for _, full := range slices.Sorted(maps.Keys(data[source])) {
			for _, attr := range slices.Sorted(maps.Keys(data[source][full])) {
				r := remote{full, attr}
				value, err := number(data[source][full][attr])
				if err != nil {
					return fmt.Errorf("set_data: %v: %w", r, err)
				}
				if other, again := by[r]; again {
					return fmt.Errorf("set_data: %s and %s both set %v", other, source, r)
				}
				by[r] = source
				i := slices.IndexFunc(x.plan.settable, func(k known) bool { return k.remote == r })
				if i < 0 {
					return fmt.Errorf("set_data: no output sets %v; set_data can write %s", r, spoken(x.plan.settable))
				}
				to := x.plan.settable[i].place
				set = append(set, made{max(0, x.now), to, value * to.scale})
			}
		}
	}
	x.made = append(x.made, set...)
	return nil
}

// setEvent puts down a step of an event-based or hybrid simulator.
func (x *Simulator) setEvent(raw json.RawMessage) error {
	at, err := integer(raw)
	switch {
	case err != nil:
		return fmt.Errorf("set_event: %w", err)
	case x.meta == nil || x.meta.Type == timeBased:
		return fmt.Errorf("set_event: a time-based simulator is stepped when its last step said")
	case at <= x.now:
		return fmt.Errorf("set_event: expected a time later than %d, got %d", x.now, at)
	}
	x.want(at)
	return nil
}
