package outstation_test

import (
	"fmt"
	"time"

	"cosim/internal/serve/outstation"
	"cosim/scada/iec104"
)

// A station with one measured value and one set point.
func Example() {
	image, err := outstation.NewImage([]outstation.Point{
		{IOA: 10016, Type: iec104.MMeNc1, Name: "bus/16 frequency", Unit: "Hz", Deadband: 0.001},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	station, err := outstation.New(outstation.Config{
		CommonAddr: 1, Image: image,
		Commands: []outstation.Command{
			{IOA: 110001, Name: "gen/30 power", Unit: "MW", Min: -100, Max: 100, Types: []iec104.TypeID{iec104.CSeNc1}},
		},
		Operate: func(o outstation.Order, done func()) error {
			fmt.Println(o.IOA, o.Value)
			done()
			return nil
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	image.Update(time.Now(), []float64{59.99}, 0)
	fmt.Println(len(station.Commands()), "command,", len(station.Image().Points()), "point")
	// Output: 1 command, 1 point
}
