package ws

import (
	"bytes"
	"encoding/json"
	"fmt"

	"cosim/sync"
)

// Fill reads what came for a port into its signal: the values of a vector in
// place, messages and events at the end. Times must lie in [from, to).
func (c *Codec) Fill(s *sync.Signal, port *sync.Port, content *Content, from, to sync.Time) error {
	switch port.Kind {
	case sync.Vector:
		return c.fillValues(s, port, content.raw)
	case sync.Messages:
		return c.fillMessages(s, port, content.raw, from, to)
	}
	return c.fillEvents(s, port, content.raw, from, to)
}

func (c *Codec) fillValues(s *sync.Signal, port *sync.Port, raw []byte) error {
	values := make([]float64, 0, len(port.Elements))
	r := quickReader{b: raw, odd: c != CBOR}
	if values = r.doubles(values); r.odd {
		values = values[:0]
		if err := c.content(raw, &values); err != nil {
			return refusef(CodeWrongKind, "%s: expected an array of %d numbers: %s", port.Name, len(port.Elements), plain(err))
		}
	}
	if len(values) != len(port.Elements) {
		return refusef(CodeWrongLength, "%s: expected %d values, got %d", port.Name, len(port.Elements), len(values))
	}
	for i, x := range values {
		if x-x != 0 {
			return refusef(CodeNotFinite, "%s: expected finite numbers, got %v for %s", port.Name, x, port.Elements[i])
		}
	}
	copy(s.Values, values)
	return nil
}

func (c *Codec) fillMessages(s *sync.Signal, port *sync.Port, raw []byte, from, to sync.Time) error {
	var messages []Message
	if err := c.content(raw, &messages); err != nil {
		return refusef(CodeWrongKind, "%s: expected an array of messages: %s", port.Name, plain(err))
	}
	for i := range messages {
		m := &messages[i]
		if err := inside(sync.Time(m.AtNS), from, to); err != nil {
			return refusef(CodeOutsideStep, "%s: message %d (id %d): %v", port.Name, i, m.ID, err)
		}
		s.Messages = append(s.Messages, sync.Message{
			At: sync.Time(m.AtNS), ID: m.ID, From: m.From, To: m.To, Class: m.Class, Payload: m.Payload,
		})
	}
	return nil
}

func (c *Codec) fillEvents(s *sync.Signal, port *sync.Port, raw []byte, from, to sync.Time) error {
	var events []Event
	if err := c.content(raw, &events); err != nil {
		return refusef(CodeWrongKind, "%s: expected an array of events: %s", port.Name, plain(err))
	}
	for i := range events {
		e := &events[i]
		if err := inside(sync.Time(e.AtNS), from, to); err != nil {
			return refusef(CodeOutsideStep, "%s: event %d (%q): %v", port.Name, i, e.Type, err)
		}
		if e.Value-e.Value != 0 {
			return refusef(CodeNotFinite, "%s: expected finite numbers, got %v for event %d (%q)", port.Name, e.Value, i, e.Type)
		}
		s.Events = append(s.Events, sync.Event{
			At: sync.Time(e.AtNS), Type: e.Type, Element: e.Element, Value: e.Value, Detail: e.Detail,
		})
	}
	return nil
}

// inside says what is wrong with a time in the step; step −1 has no length and
// holds its start.
func inside(at, from, to sync.Time) error {
	if at >= from && (at < to || from == to && at == from) {
		return nil
	}
	return fmt.Errorf("expected at_ns in [%d, %d), got %d", from, to, at)
}

// content decodes the content of a port, whose keys the frame's decoder has
// seen already.
func (c *Codec) content(raw []byte, list any) error {
	if c != JSON {
		return c.strict(raw, list)
	}
	if _, numbers := list.(*[]float64); numbers {
		return json.Unmarshal(raw, list)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	return d.Decode(list)
}
