// Command pv takes part in a run of cosim as a photovoltaic plant under broken
// clouds. Its experiment is pv.yaml:
//
//	cosim run federates/ws/examples/pv/pv.yaml
//	go run ./federates/ws/examples/pv --bus 20 --peak-mw 200
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
	url := flag.String("url", cmp.Or(os.Getenv("COSIM_URL"), "ws://127.0.0.1:8765/v1/federates/pv"), "where the run waits for this federate")
	token := flag.String("token", os.Getenv("COSIM_TOKEN"), "bearer token, if the run asks for one")
	bus := flag.Int("bus", 20, "where the plant stands")
	p := &pv{CloudDepth: 0.7}
	flag.Float64Var(&p.PeakMW, "peak-mw", 200, "power under a clear sky")
	flag.Float64Var(&p.CloudS, "cloud-s", 8, "time a cloud takes to pass")
	flag.Parse()
	p.Bus = fmt.Sprintf("bus/%d", *bus)

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err := client.Run(ctx, *url, p, client.Options{Token: *token, OnWelcome: func(w *ws.Welcome) error {
		p.seed(w.Seed)
		return nil
	}})
	if err != nil {
		fmt.Fprintln(os.Stderr, "pv:", err)
		os.Exit(1)
	}
}
