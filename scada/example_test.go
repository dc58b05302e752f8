package scada_test

import (
	"fmt"
	"math/rand/v2"

	"cosim/scada"
	"cosim/scada/q3p"
)

// endless is a pool that always has key.
type endless struct{ next int64 }

func (p *endless) Available(scada.DrawRequest) int64 { return 1 << 40 }
func (p *endless) Draw(_ scada.DrawRequest, bits int) (q3p.Key, int64, error) {
	p.next += int64(bits)
	return q3p.Key{Offset: p.next - int64(bits), Bytes: make([]byte, bits/8)}, 0, nil
}
func (p *endless) Key(_ int64, n int) ([]byte, error) { return make([]byte, n/8), nil }
func (p *endless) Release(int64, int)                 {}

// A PMU measures every 100 ms; its frame goes to the gateway, and from there
// under pool key to the control centre.
func Example() {
	cfg := scada.Config{
		Nodes: []scada.Node{{Name: "CC", Kind: "cc"}, {Name: "GW1", Kind: "gateway"}, {Name: "RTU30", Kind: "rtu"}, {Name: "IED30", Kind: "ied"}},
		Links: []scada.Link{
			{Name: "CC-GW1", A: "CC", B: "GW1", Quantum: true},
			{Name: "GW1-RTU30", A: "GW1", B: "RTU30"},
			{Name: "RTU30-IED30", A: "RTU30", B: "IED30"},
		},
		PMUs: []scada.PMU{{ID: "pmu/30", Bus: 30, IED: "IED30"}},
		Chains: []scada.Chain{{
			ID: "pmu-30", Task: "pmu", Element: "pmu/30", StaticMode: scada.OTP,
			Routes: [][]string{{"IED30", "RTU30", "GW1", "CC"}},
		}},
	}
	sys, err := scada.New(cfg, map[string]scada.KeyPool{"CC-GW1": &endless{}},
		func(string) *rand.Rand { return rand.New(rand.NewPCG(1, 1)) })
	if err != nil {
		fmt.Println(err)
		return
	}

	in := scada.Input{SampleFreqHz: []float64{60}, SampleVoltagePU: []float64{1}}
	var out scada.Output
	for step := range int64(3) {
		from := step * 10e6
		if err := sys.Step(from, from+10e6, &in, &out); err != nil {
			fmt.Println(err)
			return
		}
		in.Deliveries = nil
		for _, f := range out.Frames {
			fmt.Printf("%2d ms  %s, %d octets\n", f.AtNS/1e6, f.Route, len(f.Payload))
			node := map[string]string{"IED30>RTU30>GW1": "GW1", "GW1>CC": "CC"}[f.Route]
			in.Deliveries = append(in.Deliveries, scada.Delivery{AtNS: f.AtNS + 2e6, ID: f.ID, Node: node, From: f.From, Payload: f.Payload})
		}
		for _, e := range out.Tasks {
			fmt.Printf("%s: %v after %d ms in mode %v for %d key bits\n", e.ChainID, e.Outcome, e.LatencyNS/1e6, e.Mode, e.KeyBits)
		}
	}
	// Output:
	//  0 ms  IED30>RTU30>GW1, 78 octets
	// 10 ms  GW1>CC, 78 octets
	// pmu-30: success after 12 ms in mode otp for 592 key bits
}
