package network_test

import (
	"fmt"
	"log"

	"cosim/network"
)

// A control centre reaches a gateway over 20 km of fibre; at 3 ms the fibre
// breaks.
func Example() {
	e, err := network.New(network.Config{
		Nodes: []network.Node{
			{Name: "CC", Kind: network.ControlCentre},
			{Name: "GW1", Kind: network.Gateway, ProcessingS: 50e-6},
		},
		Links: []network.Link{{A: "CC", B: "GW1", RateBPS: 10e6, LengthKM: 20}},
	}, streams(1))
	if err != nil {
		log.Fatal(err)
	}
	route, err := e.Route("CC", "GW1")
	if err != nil {
		log.Fatal(err)
	}
	for id := range uint64(4) {
		frame := network.Packet{AtNS: int64(id) * 1e6, ID: id, Route: route, SizeBits: 1200}
		if err := e.Send(frame); err != nil {
			log.Fatal(err)
		}
	}
	fibre, _ := e.Link("CC-GW1")
	if err := e.SetLink(3_100_000, fibre, false); err != nil {
		log.Fatal(err)
	}
	if err := e.Advance(10e6); err != nil {
		log.Fatal(err)
	}
	for _, d := range e.Deliveries() {
		fmt.Printf("%d arrived at %d ns\n", d.ID, d.AtNS)
	}
	for _, d := range e.Drops() {
		fmt.Printf("%d dropped at %d ns: %s of %s\n", d.ID, d.AtNS, d.Reason, e.LinkName(d.Link))
	}
	// Output:
	// 0 arrived at 270000 ns
	// 1 arrived at 1270000 ns
	// 2 arrived at 2270000 ns
	// 3 dropped at 3100000 ns: link-down of CC-GW1
}
