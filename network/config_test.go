package network_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"cosim/network"

	"gopkg.in/yaml.v3"
)

const sample = `
convergence_s: 0.2
nodes:
  - {name: CC, kind: cc, processing_s: 20e-6}
  - {name: GW1, kind: gateway, processing_s: 50e-6, processing_shape: {kind: exponential}}
links:
  - a: CC
    b: GW1
    rate_bps: 10e6
    length_km: 20
    loss: 1e-6
    queue: {discipline: drr, limit_packets: 200, quanta_bits: [12000, 6000]}
    extra_delay: {kind: ou, delay_s: 1e-4, std_s: 2e-5, time_constant_s: 3}
    background:
      - {class: 1, rate_bps: 2e6, packet_bits: 4000, packet_shape: {kind: h2, c2: 2}, arrival: {kind: on-off, on_s: 0.01, off_s: 0.04}}
attacks:
  - {kind: tamper, link: CC-GW1, start_s: 10, end_s: 20, probability: 0.5}
`

func TestConfigReadsFromYAML(t *testing.T) {
	var cfg network.Config
	d := yaml.NewDecoder(strings.NewReader(sample))
	d.KnownFields(true)
	if err := d.Decode(&cfg); err != nil {
		t.Fatal(err)
	}
	e := mustNew(t, cfg)
	advance(t, e, 1e9)
	if got := e.DesignLoad(0).ArrivalsPerS; got != 500 {
		t.Errorf("%v packets a second, want 500", got)
	}
}

func TestAllMistakesAreReportedWithTheirPaths(t *testing.T) {
	cfg := network.Config{
		WindowS: -1,
		Nodes:   []network.Node{{Name: "A", Kind: "toaster"}, {Name: "A"}, {ProcessingS: math.NaN()}, {Name: "B"}},
		Links: []network.Link{
			{A: "A", B: "A", DelayS: 1, LengthKM: 1, Loss: 2},
			{A: "A", B: "X", RateBPS: 1e6, Queue: network.QueueConfig{Discipline: "lifo", QuantaBits: []int{1}}},
			{
				Name: "ab", A: "A", B: "B", RateBPS: 1e6,
				Queue:      network.QueueConfig{Discipline: network.DRR, QuantaBits: []int{1}},
				ExtraDelay: &network.ExtraDelay{Kind: network.OUDelay},
				Background: []network.Traffic{{
					Class: 9, From: "C", RateBPS: 1, Arrival: network.Shape{Kind: "h2"}, PacketShape: network.Shape{Kind: "on-off"},
					Profile: []network.ProfilePoint{{AtS: 0}},
				}},
			},
			{Name: "ab", A: "B", B: "A", RateBPS: 1e6, ExtraDelay: &network.ExtraDelay{Kind: "fog"}},
			{Name: "sched", A: "B", B: "A", RateBPS: 1e6, ExtraDelay: &network.ExtraDelay{Kind: network.ScheduledDelay}, Queue: network.QueueConfig{Discipline: network.DRR}},
		},
		Attacks: []network.Attack{{Kind: "bribe", Link: "none", StartS: 2, EndS: 1}, {Kind: "drop", Link: "ab"}, {Kind: "inject", Link: "ab"}},
	}
	want := []string{
		"nodes[0].kind", "nodes[1].name", "nodes[2].name", "nodes[2].processing_s",
		"links[0].b", "links[0].rate_bps", "links[0].length_km", "links[0].loss",
		"links[1].b", "links[1].queue.discipline", "links[1].queue.quanta_bits",
		"links[2].queue.quanta_bits[0]", "links[2].extra_delay.time_constant_s",
		"links[2].background[0].class", "links[2].background[0].from", "links[2].background[0].packet_bits",
		"links[2].background[0].packet_shape.kind", "links[2].background[0].arrival.c2", "links[2].background[0].profile",
		"links[3].name", "links[3].extra_delay.kind",
		"links[4].queue.quanta_bits", "links[4].extra_delay.schedule",
		"attacks[0].link", "attacks[0].end_s", "attacks[0].kind", "attacks[1].probability", "attacks[2].rate_per_s",
		"window_s",
	}
	var got []string
	for _, p := range cfg.Problems() {
		got = append(got, p.Path)
	}
	if !slices.Equal(got, want) {
		t.Errorf("reported\n%q, want\n%q", got, want)
	}
	_, err := network.New(cfg, streams(1))
	var one *network.ConfigError
	if !errors.As(err, &one) || strings.Count(err.Error(), "\n") != len(want)-1 {
		t.Errorf("New reported %v", err)
	}
}
