package federates_test

import (
	"context"
	"fmt"
	"math/rand/v2"

	"cosim/federates"
	"cosim/internal/rng"
	"cosim/network"
	"cosim/quantum"
	cosync "cosim/sync"
)

// printer prints the deliveries and drops of the network.
type printer struct{}

func (printer) Begin(*cosync.Frame) error { return nil }
func (printer) End(error) error           { return nil }
func (printer) Observe(f *cosync.Frame) error {
	for _, o := range f.Outputs {
		for _, m := range o.Messages {
			if o.Name != "feeder.frames" {
				fmt.Printf("%v %s %d\n", m.At, o.Name, m.ID)
			}
		}
	}
	return nil
}

// feeder sends a frame every 100 ms.
type feeder struct{}

func (feeder) Describe() cosync.Description {
	return cosync.Description{Name: "feeder", Step: 100 * cosync.Millisecond, Outputs: []cosync.Port{{Name: "frames", Kind: cosync.Messages}}}
}
func (feeder) Init([]cosync.Signal) error { return nil }
func (feeder) Close() error               { return nil }
func (feeder) Step(s *cosync.Step) error {
	s.Out[0].Messages = append(s.Out[0].Messages, cosync.Message{At: s.From, ID: uint64(s.Seq), To: "CC>GW1", Payload: make([]byte, 72)})
	return nil
}

// A fibre of 20 km carries a QKD link and the frames of the control centre. It
// is cut for the tenth of a second from 0.15 s on.
func Example() {
	stream := func(name string) *rand.Rand { return rng.Stream(1, name) }
	const step = 100 * cosync.Millisecond
	link := quantum.DefaultLinkConfig()
	link.BreakRateHz = 0
	cut := quantum.Disturbance{FromNS: 150e6, ToNS: 250e6, Break: true}
	fibre, err := quantum.NewLink(link, int64(step), []quantum.Disturbance{cut}, stream)
	if err != nil {
		fmt.Println(err)
		return
	}
	cfg := network.Config{
		Nodes: []network.Node{{Name: "CC", Kind: network.ControlCentre}, {Name: "GW1", Kind: network.Gateway}},
		Links: []network.Link{{Name: "CC-GW1", A: "CC", B: "GW1", RateBPS: 1e6, LengthKM: 20}},
	}
	engine, err := network.New(cfg, stream)
	if err != nil {
		fmt.Println(err)
		return
	}
	packets, err := federates.NewNetwork(engine, cfg, nil, []string{"CC-GW1"}, 10*cosync.Millisecond, step)
	if err != nil {
		fmt.Println(err)
		return
	}
	master, err := cosync.New(
		[]cosync.Federate{federates.NewQuantum([]federates.QuantumLink{{Name: "CC-GW1", Link: fibre, CutsFibre: true}}, step), packets, feeder{}},
		[]cosync.Connection{{From: "quantum.fibre", To: "network.fibre"}, {From: "feeder.frames", To: "network.frames"}},
		cosync.Options{Stop: 4 * step, Observers: []cosync.Observer{printer{}}},
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := master.Run(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// 900µs network.deliveries 0
	// 100.9ms network.deliveries 1
	// 200ms network.drops 2
	// 300.9ms network.deliveries 3
}
