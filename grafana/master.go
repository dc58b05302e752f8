package grafana

import (
	"fmt"

	"cosim/internal/record/influx"
)

// master is whether the simulation itself is well.
func master() Dashboard {
	p := newPage("cosim-master", "cosim: master", "Whether the simulation itself is well: pace, messages, conservation laws, lost federates.")
	p.marks("Lost federates", "red", influx.Master, "^federate-lost$")
	pace := func(field string) source { return source{quote(influx.Pace), quote(field), ""} }
	lost := source{quote(influx.Master), quote(influx.FieldFederatesLost), ""}
	p.row(4)
	p.add(6, stat("Pace", "suffix:× real time", "Simulated seconds a second of wall time, now.", 1, level("text")), query{"", pace(influx.FieldSpeed).one("last")})
	p.add(6, stat("Lost federates", "none", "Without which the run goes on.", 0, level("green"), from(1, "red")), query{"", lost.one("last")})
	p.add(6, stat("Open tasks", "none", "Triggered, and not decided yet.", 0, level("text")), query{"", column("scada.ledger/open").one("last")})
	p.add(6, stat("Largest open power balance", "megwatt", "Of any bus; zero but for rounding.", 9, level("green"), from(1e-6, "red")), query{"", column("grid.balance/residual").one("max")})
	p.row(9)
	p.add(12, chart("Pace", "suffix:× real time", "Simulated seconds a second of wall time.").from(0), query{"pace", pace(influx.FieldSpeed).over("mean")})
	p.add(12, chart("Behind", "bytes", "What of the run's log the database has not taken yet.").from(0), query{"not sent", pace(influx.FieldBehindBytes).over("max")})
	p.row(9)
	p.add(12, chart("Messages in flight", "none", "Control messages and background packets in the network.").from(0),
		query{"messages", column("network.balance/routed/in-flight").over("mean")}, query{"background", column("network.balance/background/in-flight").over("mean")})
	p.add(12, chart("Messages lost", "none", "Dropped in each step of the chart.").bars(), query{"messages", column("network.balance/routed/dropped").total()})
	p.row(9)
	p.add(12, chart("Utilisation of trunks", "percentunit", "By direction.").from(0), query{"$tag_element", port("network.utilization").each("mean")})
	p.add(12, chart("Waiting in queues", "s", "Largest mean wait of any trunk, and what Kingman's formula expects.").from(0),
		query{"measured", over("network.wait")}, query{"Kingman", over("network.kingman_wait")})
	p.row(8)
	p.add(12, chart("Attacked messages", "none", "Totals, by kind.").from(0),
		query{"tampered", column("network.attacks/tampered").over("max")}, query{"replayed", column("network.attacks/replayed").over("max")},
		query{"injected", column("network.attacks/injected").over("max")}, query{"delayed", column("network.attacks/delayed").over("max")}, query{"dropped", column("network.attacks/dropped").over("max")})
	p.add(12, chart("Wall time", "s", "Since the start of the run.").from(0), query{"wall time", pace(influx.FieldWallS).over("max")})
	return p.Dashboard
}

// over is the largest value of any element of a port, over time.
func over(name string) string {
	s := port(name)
	return fmt.Sprintf(`SELECT max(%s) FROM %s WHERE %s GROUP BY time($__interval) fill(null)`, s.field, s.measurement, thisRun)
}
