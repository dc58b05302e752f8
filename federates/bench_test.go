package federates

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"cosim/internal/rng"
	cosync "cosim/sync"
)

const ms = cosync.Millisecond

func testStream(name string) *rand.Rand { return rng.Stream(7, name) }

// bench drives one federate by hand, as the master would: outputs keep their
// vectors and lose their messages and events before each step, inputs are read
// once.
type bench struct {
	t     testing.TB
	fed   cosync.Federate
	about cosync.Description
	step  cosync.Step
}

func newBench(t testing.TB, fed cosync.Federate) *bench {
	t.Helper()
	b := &bench{t: t, fed: fed, about: fed.Describe()}
	b.step.In = make([]cosync.Signal, len(b.about.Inputs))
	b.step.Out = make([]cosync.Signal, len(b.about.Outputs))
	for i, p := range b.about.Inputs {
		if p.Kind == cosync.Vector {
			b.step.In[i].Values = make([]float64, len(p.Elements))
		}
	}
	for i, p := range b.about.Outputs {
		if p.Kind == cosync.Vector {
			b.step.Out[i].Values = make([]float64, len(p.Elements))
		}
	}
	if err := fed.Init(b.step.Out); err != nil {
		t.Fatal(err)
	}
	return b
}

// advance takes the next step and checks that its outputs are finite and lie
// inside it.
func (b *bench) advance() {
	b.t.Helper()
	b.step.From, b.step.To = b.step.To, b.step.To+b.about.Step
	for i := range b.step.Out {
		b.step.Out[i].Messages, b.step.Out[i].Events = nil, nil
	}
	if err := b.fed.Step(&b.step); err != nil {
		b.t.Fatalf("step from %v: %v", b.step.From, err)
	}
	b.step.Seq++
	for i := range b.step.In {
		b.step.In[i].Messages, b.step.In[i].Events = nil, nil
	}
	for i, o := range b.step.Out {
		var times []cosync.Time
		for _, m := range o.Messages {
			times = append(times, m.At)
		}
		for _, e := range o.Events {
			times = append(times, e.At)
		}
		for _, at := range times {
			if at < b.step.From || at > b.step.To {
				b.t.Fatalf("output %s at %v, outside of [%v, %v]", b.about.Outputs[i].Name, at, b.step.From, b.step.To)
			}
		}
		for j, x := range o.Values {
			if math.IsNaN(x) || math.IsInf(x, 0) {
				b.t.Fatalf("output %s, %s is %v", b.about.Outputs[i].Name, b.about.Outputs[i].Elements[j], x)
			}
		}
	}
}

func (b *bench) until(to cosync.Time) {
	b.t.Helper()
	for b.step.To < to {
		b.advance()
	}
}

func (b *bench) in(name string) *cosync.Signal { return b.port(b.about.Inputs, b.step.In, name) }
func (b *bench) out(name string) cosync.Signal { return *b.port(b.about.Outputs, b.step.Out, name) }

func (b *bench) port(ports []cosync.Port, signals []cosync.Signal, name string) *cosync.Signal {
	b.t.Helper()
	for i, p := range ports {
		if p.Name == name {
			return &signals[i]
		}
	}
	b.t.Fatalf("%s has no port %s", b.about.Name, name)
	return nil
}

// portList writes a description as lines: direction, name, kind, unit,
// elements, and how an input reads.
func portList(d cosync.Description) string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s %v\n", d.Name, d.Step)
	line := func(direction string, p cosync.Port) {
		words := []string{direction, p.Name, p.Kind.String()}
		if p.Unit != "" {
			words = append(words, p.Unit)
		}
		if p.Direct {
			words = append(words, "direct")
		}
		if p.Optional {
			words = append(words, "optional")
		}
		words = append(words, p.Elements...)
		text.WriteString(strings.Join(words, " ") + "\n")
	}
	for _, p := range d.Inputs {
		line("in", p)
	}
	for _, p := range d.Outputs {
		line("out", p)
	}
	return text.String()
}

func checkPorts(t *testing.T, fed cosync.Federate, want string) {
	t.Helper()
	if got := portList(fed.Describe()); got != strings.TrimPrefix(want, "\n") {
		t.Errorf("ports are\n%s\nwant\n%s", got, want)
	}
}
