package record_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"cosim/internal/record"
)

func Example() {
	base, _ := os.MkdirTemp("", "runs")
	defer os.RemoveAll(base)
	dir := filepath.Join(base, "S-1-1")

	w, err := record.Create(dir, map[string]any{"experiment": "S-1", "seed": 1},
		[]record.Column{{Name: "delta_f", Unit: "Hz", Description: "deviation of the centre of inertia"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	w.Row(0, []float64{0})
	w.Event(record.Event{AtNS: 40e6, Type: "link-down", Element: "CC-GW1"})
	w.Row(100e6, []float64{-0.012})
	w.Close(map[string]float64{"delta_f_max_hz": 0.012}, nil, nil)

	log, err := record.Open(dir)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer log.Close()
	for {
		r, err := log.Next()
		if err == io.EOF {
			break
		}
		if r.Kind == record.KindRow {
			fmt.Println(r.TimeNS, r.Values)
		} else {
			fmt.Println(r.TimeNS, r.Event.Type, r.Event.Element)
		}
	}
	fmt.Println(log.Ending())
	// Output:
	// 0 [0]
	// 40000000 link-down CC-GW1
	// 100000000 [-0.012]
	// 2 rows and 1 events up to 100ms (closed)
}
