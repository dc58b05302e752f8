// Command battery takes part in a run of cosim as a battery that supports the
// frequency. Its experiment is battery.yaml:
//
//	cosim run federates/ws/examples/battery/battery.yaml
//	go run ./federates/ws/examples/battery --bus 16 --power-mw 100
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"

	"cosim/federates/ws"
	"cosim/federates/ws/client"
)

func main() {
	url := flag.String("url", cmp.Or(os.Getenv("COSIM_URL"), "ws://127.0.0.1:8765/v1/federates/battery"), "where the run waits for this federate")
	token := flag.String("token", os.Getenv("COSIM_TOKEN"), "bearer token, if the run asks for one")
	asJSON := flag.Bool("json", false, "speak cosim.v1.json instead of cosim.v1.cbor")
	bus := flag.Int("bus", 16, "where the battery stands")
	b := &battery{DeadBandHz: 0.01, LagS: 0.2}
	flag.Float64Var(&b.PowerMW, "power-mw", 100, "rated power")
	flag.Float64Var(&b.EnergyMWh, "energy-mwh", 50, "capacity, half full at the start")
	flag.Float64Var(&b.GainMWPerHz, "gain", 2000, "droop gain in MW/Hz")
	flag.Parse()
	b.Bus, b.StoredMWh = fmt.Sprintf("bus/%d", *bus), b.EnergyMWh/2

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	o := client.Options{Token: *token, OnWelcome: func(w *ws.Welcome) error {
		fmt.Println("in run", w.Run)
		return nil
	}}
	if *asJSON {
		o.Codec = ws.JSON
	}
	if err := client.Run(ctx, *url, b, o); err != nil {
		fmt.Fprintln(os.Stderr, "battery:", err)
		os.Exit(1)
	}
	fmt.Printf("the run is over; %.1f MWh stored\n", b.StoredMWh)
}
