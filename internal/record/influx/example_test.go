package influx_test

import (
	"fmt"

	"cosim/internal/record/influx"
)

func Example() {
	for _, column := range []string{"grid.frequency/coi", "scada.pool/pool/CC-GW1", "scada.decision/gap"} {
		p := influx.ColumnPlace(column)
		fmt.Printf("%s: field %s of %s, element %q\n", column, p.Field, p.Measurement, p.Element)
	}
	fmt.Println(influx.EventPlace("link-down"))
	// Output:
	// grid.frequency/coi: field frequency of grid, element "coi"
	// scada.pool/pool/CC-GW1: field pool of pool, element "CC-GW1"
	// scada.decision/gap: field gap of optimizer, element ""
	// link
}
