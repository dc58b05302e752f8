package record

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"cosim/sync"
)

var outsiders = []Outsider{
	{"battery", sync.Description{Name: "battery", Step: 1e8, Outputs: []sync.Port{
		{Name: "power", Unit: "MW", Elements: []string{"bus/15", "bus/16"}}, {Name: "log", Kind: sync.Events},
	}}},
	{"relay", sync.Description{Name: "relay", ByEvent: true}},
	{"my-net", sync.Description{Name: "network", Step: 1e7, Outputs: []sync.Port{{Name: "out", Kind: sync.Messages}}}},
}

func someCrossings() []*Crossing {
	return []*Crossing{
		{Kind: KindAnswer, AtNS: -1, Outputs: []sync.Signal{{Values: []float64{1, -2.5}}, {}}},
		{Kind: KindAnswer, AtNS: -1, Federate: 2, Outputs: []sync.Signal{{}}},
		{Kind: KindOrder, AtNS: 5e7, Order: Event{AtNS: 5e7, Type: "operator-agc", Element: "gen/30", Value: 12.5}},
		{Kind: KindAnswer, AtNS: 0, Outputs: []sync.Signal{{}, {Events: []sync.Event{{At: 3, Type: "a", Element: "b", Value: 1, Detail: "c"}}}}},
		{Kind: KindAnswer, AtNS: 0, Federate: 2, Outputs: []sync.Signal{{Messages: []sync.Message{
			{At: 7, ID: 1 << 63, From: "RTU", To: "CC>GW", Class: "pmu", Payload: []byte{0, 1, 2}}, {Payload: []byte{}},
		}}}},
		{Kind: KindAnswer, AtNS: 0, Federate: 1, Outputs: []sync.Signal{}, NextNS: 1 << 62},
		{Kind: KindAnswer, AtNS: 0, Federate: 1, Outputs: []sync.Signal{}, NextNS: -3},
		{Kind: KindInterruption, Decision: 12, Checks: 345},
		{Kind: KindLoss, AtNS: 1e8, Federate: 2, Reason: "deadline", Text: "ws: my-net: late"},
	}
}

func boundaryBytes(t testing.TB, crossings []*Crossing) []byte {
	t.Helper()
	dir := t.TempDir()
	w, err := CreateBoundary(dir, outsiders, false)
	for _, c := range crossings {
		err = errors.Join(err, w.Write(c))
	}
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(dir, BoundaryName))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func readCrossings(t testing.TB, data []byte) (all []*Crossing, torn string) {
	t.Helper()
	r, err := newBoundaryReader(bytes.NewReader(data))
	if err != nil {
		return nil, err.Error()
	}
	for {
		c, err := r.Next()
		if err == io.EOF {
			return all, r.Torn()
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
}

func TestCrossingsReadBackAsWritten(t *testing.T) {
	got, torn := readCrossings(t, boundaryBytes(t, someCrossings()))
	if torn != "" || !reflect.DeepEqual(got, someCrossings()) {
		t.Errorf("torn %q, read %+v", torn, got)
	}
}

// A log cut or changed at any byte gives the records before, and says that it
// is damaged, or has no header.
func TestDamagedBoundaryGivesWhatStandsBefore(t *testing.T) {
	whole, want := boundaryBytes(t, someCrossings()), someCrossings()
	for i := range whole {
		cut, _ := readCrossings(t, whole[:i])
		flipped := bytes.Clone(whole)
		flipped[i] ^= 0x10
		changed, torn := readCrossings(t, flipped)
		if torn == "" {
			t.Errorf("byte %d changed: nothing is said of it", i)
		}
		for _, got := range [][]*Crossing{cut, changed} {
			if len(got) > len(want) || len(got) > 0 && !reflect.DeepEqual(got, want[:len(got)]) {
				t.Fatalf("byte %d: read %+v", i, got)
			}
		}
	}
}

func FuzzBoundary(f *testing.F) {
	whole := boundaryBytes(f, someCrossings())
	f.Add(whole)
	f.Add(whole[:len(whole)-3])
	for _, c := range someCrossings() {
		f.Add(boundaryBytes(f, []*Crossing{c}))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		// Behind the header, as contents of records that are whole.
		r, err := newBoundaryReader(bytes.NewReader(whole))
		if err != nil {
			t.Fatal(err)
		}
		if len(data) > 0 {
			c := &Crossing{Kind: Kind(data[0])}
			if err := r.decode(data[1:], c); err == nil && c.Kind == KindAnswer && len(c.Outputs) != len(outsiders[c.Federate].About.Outputs) {
				t.Errorf("%d outputs", len(c.Outputs))
			}
		}
		readCrossings(t, data)
	})
}

func writeChain(t testing.TB, dir string, steps int, resume, end bool) error {
	t.Helper()
	w, err := CreateChain(dir, 1e7, []string{"a.x", "b.y"}, resume)
	if err != nil {
		return err
	}
	for i := range steps {
		err = errors.Join(err, w.Digest(&Digest{Chain: [chainBytes]byte{byte(i)}, Outputs: []uint16{uint16(i), 1}}))
	}
	if !end {
		return errors.Join(err, w.flush(), w.file.Close())
	}
	return errors.Join(err, w.Close(ChainEnd{Sum: [32]byte{1: 7}}))
}

func TestChainReadsBackAsWritten(t *testing.T) {
	dir := t.TempDir()
	if err := writeChain(t, dir, 3, false, true); err != nil {
		t.Fatal(err)
	}
	r, err := OpenChain(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if r.StepNS() != 1e7 || !reflect.DeepEqual(r.Outputs(), []string{"a.x", "b.y"}) {
		t.Errorf("step %d, outputs %v", r.StepNS(), r.Outputs())
	}
	for i := range 3 {
		d, err := r.Next()
		if err != nil || d.Chain[0] != byte(i) || d.Outputs[0] != uint16(i) || d.Outputs[1] != 1 {
			t.Fatalf("digest %d: %+v, %v", i, d, err)
		}
	}
	if _, err := r.Next(); err != io.EOF || r.End() == nil || r.End().Sum[1] != 7 || r.Torn() != "" {
		t.Errorf("end %+v, %v, torn %q", r.End(), err, r.Torn())
	}
}

func FuzzChain(f *testing.F) {
	dir := f.TempDir()
	if err := writeChain(f, dir, 2, false, true); err != nil {
		f.Fatal(err)
	}
	whole, err := os.ReadFile(filepath.Join(dir, ChainName))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := newChainReader(bytes.NewReader(data))
		for n := 0; err == nil; n++ {
			if _, err = r.Next(); n > len(data) {
				t.Fatal("more records than bytes")
			}
		}
	})
}
