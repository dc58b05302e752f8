package ws_test

import (
	"context"
	"fmt"
	"log"
	"net/http/httptest"
	"strings"

	"cosim/federates/ws"
	"cosim/federates/ws/client"
	"cosim/sync"
)

// tank is filled by 2 m³ a minute.
type tank struct{ volume float64 }

func (t *tank) Describe() sync.Description {
	return sync.Description{
		Name: "tank", Step: 60 * sync.Second,
		Outputs: []sync.Port{{Name: "volume", Unit: "m3", Elements: []string{"water"}}},
	}
}

func (t *tank) Init([]sync.Signal) error { return nil }
func (t *tank) Close() error             { return nil }

func (t *tank) Step(s *sync.Step) error {
	t.volume += 2
	s.Out[0].Values[0] = t.volume
	fmt.Println("asked for", s.From, "to", s.To)
	return nil
}

// A server waits for a federate, whose program connects, and the run goes on
// as with one of its own.
func Example() {
	const stop = 120 * sync.Second
	server, err := ws.NewServer(ws.Config{Run: "example", Stop: stop, Federates: []ws.Expected{{Name: "tank"}}})
	if err != nil {
		log.Fatal(err)
	}
	web := httptest.NewServer(server)
	defer web.Close()

	ended := make(chan error)
	elsewhere := func() {
		url := "ws" + strings.TrimPrefix(web.URL, "http") + "/v1/federates/tank"
		ended <- client.Run(context.Background(), url, &tank{}, client.Options{})
	}
	err = server.Await(context.Background(), func(missing []string) {
		fmt.Println("waiting for", missing)
		go elsewhere()
	})
	if err != nil {
		log.Fatal(err)
	}
	master, err := sync.New([]sync.Federate{server.Federates()[0]}, nil, sync.Options{Stop: stop})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(master.Run(context.Background()), <-ended, server.Close())
	// Output:
	// waiting for [tank]
	// asked for 0s to 1m0s
	// asked for 1m0s to 2m0s
	// <nil> <nil> <nil>
}
