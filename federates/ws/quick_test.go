package ws

import (
	"bytes"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"cosim/sync"
)

// What is read the quick way the library reads too, as the same message.
func FuzzQuickReaderAgreesWithTheLibrary(f *testing.F) {
	next := int64(-5)
	values := Content{values: []float64{0, 1.5, math.Inf(1)}}
	for _, m := range []interface{ appendCBOR([]byte) []byte }{
		&Done{Seq: -1}, &Done{Seq: 70000, NextNS: &next, Outputs: map[string]Content{"out": values, "none": {}}},
		&Step{Seq: 1 << 40, FromNS: 3, ToNS: 300, Inputs: map[string]Content{"in": values}},
		&Step{Seq: 2, FromNS: 3, ToNS: 300, Inputs: map[string]Content{"in": values}, Woken: true},
		&Step{Seq: 0, ToNS: 300, Stale: []string{"in"}, Inputs: map[string]Content{"e": {events: []Event{{AtNS: 5, Type: "x"}}}}},
	} {
		f.Add(m.appendCBOR(nil))
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		for _, pair := range [][2]any{{&Done{}, &Done{}}, {&Step{}, &Step{}}} {
			if !quickCBOR(frame, pair[0]) {
				continue
			}
			if err := strictCBOR(frame, pair[1]); err != nil {
				t.Fatalf("%x is read the quick way, but: %v", frame, err)
			}
			if diff := cmp.Diff(pair[1], pair[0], cmp.AllowUnexported(Content{})); diff != "" {
				t.Fatalf("%x: -library +quick:\n%s", frame, diff)
			}
		}
	})
}

// What the peer gives for a port is taken in full, within the rules, or
// refused.
func FuzzFill(f *testing.F) {
	for _, text := range []string{
		"[1,2]", "[1e999]", `[{"at_ns":5,"id":1,"payload":"AQI="}]`, `[{"at_ns":10}]`, `[{"at_ns":9,"type":"x","value":1}]`, "[]", "{}", "\x82\x01\xf9\x7e\x00",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, codec := range []*Codec{JSON, CBOR} {
			for _, port := range []sync.Port{{Name: "v", Elements: []string{"a", "b"}}, {Name: "m", Kind: sync.Messages}, {Name: "e", Kind: sync.Events}} {
				s := &sync.Signal{Values: make([]float64, len(port.Elements))}
				if codec.Fill(s, &port, &Content{raw: raw}, 3, 10) != nil {
					continue
				}
				for _, x := range s.Values {
					if math.IsNaN(x) || math.IsInf(x, 0) {
						t.Errorf("%q gives %v", raw, x)
					}
				}
				for _, m := range s.Messages {
					if m.At < 3 || m.At >= 10 {
						t.Errorf("%q gives a message at %v", raw, m.At)
					}
				}
				for _, e := range s.Events {
					if e.At < 3 || e.At >= 10 || e.Value-e.Value != 0 {
						t.Errorf("%q gives %+v", raw, e)
					}
				}
			}
		}
	})
}

func TestSignalsCrossTheWireUnchanged(t *testing.T) {
	ports := []sync.Port{{Name: "v", Elements: []string{"a", "b", "c"}}, {Name: "m", Kind: sync.Messages}, {Name: "e", Kind: sync.Events}}
	finite := rapid.Float64().Filter(func(x float64) bool { return x-x == 0 })
	rapid.Check(t, func(t *rapid.T) {
		in := []sync.Signal{{Values: rapid.SliceOfN(finite, 3, 3).Draw(t, "values")}, {}, {}}
		for range rapid.IntRange(0, 3).Draw(t, "messages") {
			in[1].Messages = append(in[1].Messages, sync.Message{
				At: sync.Time(rapid.Int64Range(100, 199).Draw(t, "at")), ID: rapid.Uint64().Draw(t, "id"),
				From: rapid.String().Draw(t, "from"), To: rapid.String().Draw(t, "to"), Payload: rapid.SliceOfN(rapid.Byte(), 1, 9).Draw(t, "payload"),
			})
			in[2].Events = append(in[2].Events, sync.Event{
				At: sync.Time(rapid.Int64Range(100, 199).Draw(t, "at")), Type: rapid.String().Draw(t, "type"), Value: finite.Draw(t, "value"),
			})
		}
		for _, codec := range []*Codec{JSON, CBOR} {
			d := &Done{Type: TypeDone, Seq: 7, Outputs: map[string]Content{}}
			for i := range ports {
				d.Outputs[ports[i].Name] = ContentOf(&ports[i], &in[i])
			}
			frame, err := codec.Encode(d)
			if err != nil {
				t.Fatal(err)
			}
			got := &Done{}
			if err := codec.Decode(bytes.Clone(frame), got); err != nil {
				t.Fatalf("%q: %v", frame, err)
			}
			for i := range ports {
				out, content := sync.Signal{Values: make([]float64, len(in[i].Values))}, got.Outputs[ports[i].Name]
				if err := codec.Fill(&out, &ports[i], &content, 100, 200); err != nil {
					t.Fatalf("%q: %v", frame, err)
				}
				for k, x := range in[i].Values {
					if math.Float64bits(x) != math.Float64bits(out.Values[k]) {
						t.Fatalf("%v became %v", x, out.Values[k])
					}
				}
				if diff := cmp.Diff(in[i].Messages, out.Messages) + cmp.Diff(in[i].Events, out.Events); diff != "" {
					t.Fatal(diff)
				}
			}
		}
	})
}
