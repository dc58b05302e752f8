package experiment

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"cosim/federates"
	"cosim/internal/record"
	cosync "cosim/sync"
)

// boundary records what comes into a run from outside: answers of external
// federates, what operators do, decisions that the wall clock ended. It is the
// first of the observers, so that nothing is recorded that follows from what is
// not.
type boundary struct {
	dir       string // of the run
	resume    bool   // its boundary.log is written again
	outsiders []record.Outsider
	builtIn   []string // outputs whose events tell of an operator
	cuts      *cuts

	writer   *record.BoundaryWriter // nil before there is anything to write
	peers    []peer
	operated []int // places of builtIn in the frame
}

// peer is an external federate in the frame.
type peer struct {
	turn  int   // its place in Frame.Turns
	ports []int // places of its outputs
	lost  bool
	said  []cosync.Signal // as last recorded; Values nil where they have not changed
	last  [][]float64
}

func newBoundary(dir string, resume bool, fed *federation, c *cuts) *boundary {
	b := &boundary{dir: dir, resume: resume, outsiders: fed.outsiders, cuts: c}
	if _, ok := fed.find("grid").(*federates.Grid); ok {
		b.builtIn = append(b.builtIn, "grid.events")
	}
	if _, ok := fed.find("scada").(*federates.Scada); ok {
		b.builtIn = append(b.builtIn, "scada.key_events", "scada.plan")
	}
	if _, ok := fed.find("quantum").(*federates.Quantum); ok {
		b.builtIn = append(b.builtIn, "quantum.fibre")
	}
	return b
}

func (b *boundary) Begin(f *cosync.Frame) error {
	for _, o := range b.outsiders {
		turn := slices.IndexFunc(f.Turns, func(t cosync.Turn) bool { return t.Federate == o.About.Name })
		p := peer{turn: turn, said: make([]cosync.Signal, len(o.About.Outputs)), last: make([][]float64, len(o.About.Outputs))}
		for _, port := range o.About.Outputs {
			i, _ := f.Index(o.About.Name + "." + port.Name) // the master has checked the ports
			p.ports = append(p.ports, i)
		}
		b.peers = append(b.peers, p)
	}
	for _, name := range b.builtIn {
		if i, ok := f.Index(name); ok {
			b.operated = append(b.operated, i)
		}
	}
	for i := range b.peers {
		if err := b.answer(f, i, -1); err != nil {
			return err
		}
	}
	return nil
}

func (b *boundary) Observe(f *cosync.Frame) error {
	for i := range b.peers {
		p := &b.peers[i]
		if p.lost {
			continue
		}
		lost := slices.IndexFunc(f.Lost, func(l cosync.Loss) bool { return l.Federate == b.outsiders[i].About.Name })
		var err error
		if p.lost = lost >= 0; p.lost {
			l := f.Lost[lost]
			err = b.write(&record.Crossing{
				Kind: record.KindLoss, AtNS: int64(l.At), Federate: i, Reason: lossReason(l.Err), Text: l.Err.Error(),
			})
		} else if f.Turns[p.turn].Acted {
			err = b.answer(f, i, int64(f.From))
		}
		if err != nil {
			return err
		}
	}
	for _, i := range b.operated {
		for _, e := range f.Outputs[i].Events {
			if e.Type != federates.KeyDelivered && e.Type != federates.KeyRefused && !strings.HasPrefix(e.Type, federates.OperatorPrefix) {
				continue
			}
			order := record.Event{AtNS: int64(e.At), Type: e.Type, Element: e.Element, Value: e.Value, Detail: e.Detail}
			if err := b.write(&record.Crossing{Kind: record.KindOrder, Order: order}); err != nil {
				return err
			}
		}
	}
	for _, c := range b.cuts.take() {
		if err := b.write(&record.Crossing{Kind: record.KindInterruption, Decision: c.decision, Checks: c.checks}); err != nil {
			return err
		}
	}
	return nil
}

// answer records what a federate made; a vector only if it has changed.
func (b *boundary) answer(f *cosync.Frame, federate int, atNS int64) error {
	p := &b.peers[federate]
	for i, port := range p.ports {
		made, said := &f.Outputs[port], &p.said[i]
		*said = cosync.Signal{Messages: made.Messages, Events: made.Events}
		if made.Port.Kind == cosync.Vector && !sameBits(p.last[i], made.Values) {
			said.Values = made.Values
			p.last[i] = append(p.last[i][:0], made.Values...)
		}
	}
	return b.write(&record.Crossing{Kind: record.KindAnswer, AtNS: atNS, Federate: federate, Outputs: p.said, NextNS: int64(f.Turns[p.turn].Next)})
}

func (b *boundary) write(c *record.Crossing) error {
	if b.writer == nil {
		var err error
		if b.writer, err = record.CreateBoundary(b.dir, b.outsiders, b.resume); err != nil {
			return err
		}
	}
	return b.writer.Write(c)
}

func (b *boundary) End(error) error {
	if b.writer == nil {
		return nil
	}
	return b.writer.Close()
}

// stopped ends a run that was stopped before it takes federates for lost whose
// answers are no longer waited for.
type stopped struct{ ctx context.Context }

func (s stopped) Begin(*cosync.Frame) error { return nil }
func (s stopped) End(error) error           { return nil }
func (s stopped) Observe(f *cosync.Frame) error {
	if len(f.Lost) > 0 && s.ctx.Err() != nil {
		return fmt.Errorf("experiment: stopped at %v: %w", f.From, s.ctx.Err())
	}
	return nil
}

func sameBits(a, b []float64) bool {
	return slices.EqualFunc(a, b, func(x, y float64) bool { return math.Float64bits(x) == math.Float64bits(y) })
}
