package grafana

import "fmt"

// optimizer is how well the plan of the chains is decided.
func optimizer() Dashboard {
	p := newPage("cosim-optimizer", "cosim: optimiser", "The decisions of runs whose chains are reconfigured.")
	decision := func(name string) source { return column("scada.decision/" + name) }
	interrupted := decision("interrupted") // after how many checks, 0 for one that was not
	p.row(4)
	p.add(6, stat("Largest gap", "percentunit", "Between a plan's cost and its proven bound.", 1, level("green"), from(0.01, "orange"), from(0.05, "red")), query{"", decision("gap").one("max")})
	p.add(6, stat("Typical gap", "percentunit", "Median of all decisions.", 2, level("green"), from(0.01, "orange")), query{"", decision("gap").one("median")})
	p.add(6, stat("Missed deadlines", "none", "Decisions that the watchdog ended; only runs in real time have one.", 0, level("green"), from(1, "red")),
		query{"", fmt.Sprintf(`SELECT sum("missed") FROM (SELECT ceil(%s / 1000000000) AS "missed" FROM %s WHERE %s)`, interrupted.field, interrupted.measurement, interrupted.condition())})
	p.add(6, stat("Key short of the constraints", "suffix: bit", "Largest slack that a decision had to take.", 0, level("green"), from(1, "red")), query{"", decision("slack_bits").one("max")})
	p.row(9)
	p.add(12, chart("Objective and bound", "none", "In dropped messages of a chain of priority one."), query{"objective", decision("objective").over("mean")}, query{"bound", decision("bound").over("mean")})
	p.add(12, chart("Gap", "percentunit", "Mean and largest in each step of the chart.").from(0), query{"mean", decision("gap").over("mean")}, query{"largest", decision("gap").over("max")})
	p.row(9)
	p.add(12, chart("Work", "none", "Of a decision, on average.").from(0), query{"evaluations", decision("evaluations").over("mean")}, query{"nodes", decision("nodes").over("mean")})
	p.add(12, chart("Changed plans", "none", "Chains whose route or mode was changed, in each step of the chart.").bars(), query{"chains", events("plan")})
	p.row(9)
	p.add(12, chart("Load above the forecast", "megwatt", "As the control centre infers it."), query{"inferred", decision("load_mw").over("mean")})
	p.add(12, chart("Commands that wait", "none", "And could move the grid.").from(0), query{"commands", decision("commands").over("max")})
	return p.Dashboard
}
