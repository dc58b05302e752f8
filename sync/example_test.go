package sync_test

import (
	"context"
	"fmt"
	"log"

	"cosim/sync"
)

// room cools by a tenth of its distance to 10 °C a minute and is warmed by a
// heater; 1 kW gives 1 K a minute.
type room struct{ temperature float64 }

func (r *room) Describe() sync.Description {
	return sync.Description{
		Name: "room", Step: 60 * sync.Second,
		Inputs:  []sync.Port{{Name: "heat", Unit: "kW", Elements: []string{"heater"}, Direct: true}},
		Outputs: []sync.Port{{Name: "temperature", Unit: "degC", Elements: []string{"air"}}},
	}
}

func (r *room) Init(out []sync.Signal) error {
	out[0].Values[0] = r.temperature
	return nil
}

func (r *room) Step(s *sync.Step) error {
	r.temperature += 0.1*(10-r.temperature) + s.In[0].Values[0]
	s.Out[0].Values[0] = r.temperature
	return nil
}

func (r *room) Close() error { return nil }

// thermostat heats with 2000 W below 18 °C.
type thermostat struct{}

func (thermostat) Describe() sync.Description {
	return sync.Description{
		Name: "thermostat", Step: 60 * sync.Second,
		Inputs:  []sync.Port{{Name: "temperature", Unit: "degC", Elements: []string{"air"}}},
		Outputs: []sync.Port{{Name: "heat", Unit: "W", Elements: []string{"heater"}}},
	}
}

func (thermostat) Init(out []sync.Signal) error { return nil }

func (thermostat) Step(s *sync.Step) error {
	s.Out[0].Values[0] = 0
	if s.In[0].Values[0] < 18 {
		s.Out[0].Values[0] = 2000
	}
	return nil
}

func (thermostat) Close() error { return nil }

// printer prints two outputs of every frame.
type printer struct{ temperature, heat int }

func (p *printer) Begin(f *sync.Frame) error {
	p.temperature, _ = f.Index("room.temperature")
	p.heat, _ = f.Index("thermostat.heat")
	return p.Observe(f)
}

func (p *printer) Observe(f *sync.Frame) error {
	fmt.Printf("%4v %5.2f °C %4.0f W\n", f.To, f.Outputs[p.temperature].Values[0], f.Outputs[p.heat].Values[0])
	return nil
}

func (p *printer) End(cause error) error { return nil }

// The thermostat reads the temperature at the start of each step; the room
// reads the heat that the thermostat has just decided, in its own unit.
func Example() {
	master, err := sync.New(
		[]sync.Federate{&room{temperature: 19}, thermostat{}},
		[]sync.Connection{
			{From: "room.temperature", To: "thermostat.temperature"},
			{From: "thermostat.heat", To: "room.heat"},
		},
		sync.Options{Stop: 300 * sync.Second, Observers: []sync.Observer{&printer{}}},
	)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(master.Levels())
	if err := master.Run(context.Background()); err != nil {
		log.Fatal(err)
	}
	// Output:
	// [[thermostat] [room]]
	//   0s 19.00 °C    0 W
	// 1m0s 18.10 °C    0 W
	// 2m0s 17.29 °C    0 W
	// 3m0s 18.56 °C 2000 W
	// 4m0s 17.70 °C    0 W
	// 5m0s 18.93 °C 2000 W
}
