package grafana_test

import (
	"fmt"

	"cosim/grafana"
)

func Example() {
	for _, d := range grafana.Dashboards() {
		fmt.Println(d.UID, len(d.Panels) > 0)
	}
	// Output:
	// cosim-run true
	// cosim-operators true
	// cosim-optimizer true
	// cosim-master true
}
