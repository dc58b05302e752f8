package grafana

import (
	"fmt"

	"cosim/internal/record/influx"
)

// operators is who gets the key, and what for.
func operators() Dashboard {
	p := newPage("cosim-operators", "cosim: operators and fairness", "Who gets the key, and what for. The upper two rows are of runs with several operators.")
	fairness, asked, granted := port("scada.fairness"), port("scada.asked"), port("scada.granted")
	p.row(9)
	p.add(16, chart("Key fairness F_K", "percentunit", "Jain's index over the last 10 s, and each operator's share: granted by asked.").from(0).to(1),
		query{"$tag_element", fairness.each("mean")})
	p.add(8, stat("Lowest F_K", "percentunit", "Jain's index at its lowest.", 2, level("red"), from(0.8, "orange"), from(0.9, "green")),
		query{"", fmt.Sprintf(`SELECT min(%s) FROM %s WHERE %s`, fairness.field, fairness.measurement, where(influx.TagElement, "index"))})
	p.row(8)
	p.add(12, chart("Key asked", "suffix: bit/s", "By operator.").from(0), query{"$tag_element", rate(asked, "element")})
	p.add(12, chart("Key granted", "suffix: bit/s", "By operator.").from(0), query{"$tag_element", rate(granted, "element")})

	p.row(8)
	p.add(12, chart("Key consumed", "suffix: bit/s", "Drawn from each pool.").from(0), query{"$tag_element", rate(port("scada.consumed"), "element")})
	p.add(12, chart("Key generated", "suffix: bit/s", "Deposited in each pool.").from(0), query{"$tag_element", rate(port("scada.generated"), "element")})
	p.row(8)
	p.add(8, chart("Tasks by class", "none", "Decided in each step of the chart.").bars(), query{"$tag_class", events("task", influx.TagClass)})
	p.add(8, chart("Tasks by mode", "none", "Decided in each step of the chart, by the mode in which they were last sent.").bars(), query{"$tag_mode", events("task", influx.TagMode)})
	p.add(8, chart("Latency of tasks", "s", "Mean of the successes in each step of the chart, by class.").from(0),
		query{"$tag_class", fmt.Sprintf(`SELECT mean("value") FROM %s WHERE "cause" = '' AND %s GROUP BY time($__interval), "class" fill(null)`, quote(influx.Task), where(influx.TagType, "task"))})
	return p.Dashboard
}

// rate is a running total's change a second.
func rate(s source, tag string) string {
	return fmt.Sprintf(`SELECT non_negative_derivative(last(%s), 1s) FROM %s WHERE %s GROUP BY time($__interval), %s fill(none)`, s.field, s.measurement, thisRun, quote(tag))
}
