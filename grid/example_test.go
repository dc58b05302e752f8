package grid_test

import (
	"fmt"

	"cosim/cases"
	"cosim/grid"
)

// The New England system loses 250 MW at bus 30; a reserve of 200 MW at bus 16
// is called half a second later.
func Example() {
	c, err := cases.Load("ieee39")
	if err != nil {
		fmt.Println(err)
		return
	}
	s, err := grid.NewSimulator(c, grid.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	bus, _ := s.BusIndex("16")
	gen, _ := s.GenIndex("30")
	reserve := s.AddBlock(bus, 300)
	if err := s.TripGenerator(gen); err != nil {
		fmt.Println(err)
		return
	}
	s.Step(50) // 10 ms each
	fmt.Printf("after 0.5 s %+.3f Hz\n", s.COIFreqHz())
	s.SetBlockMW(reserve, 200)
	s.Step(3950)
	fmt.Printf("after  40 s %+.3f Hz\n", s.COIFreqHz())
	// Output:
	// after 0.5 s -0.048 Hz
	// after  40 s -0.022 Hz
}
