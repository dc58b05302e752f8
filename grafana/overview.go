package grafana

import (
	"fmt"

	"cosim/internal/record/influx"
)

// modes are the states of a chain: the ciphers, strongest first.
var modes = []Mapping{{Type: "value", Options: map[string]MappingResult{
	"otp":        {Text: "one-time pad", Color: "green", Index: 0},
	"aes-wc":     {Text: "AES, Wegman-Carter tag", Color: "yellow", Index: 1},
	"aes":        {Text: "AES", Color: "orange", Index: 2},
	"off":        {Text: "off", Color: "dark-red", Index: 3},
	"off otp":    {Text: "off", Color: "dark-red", Index: 4},
	"off aes-wc": {Text: "off", Color: "dark-red", Index: 5},
	"off aes":    {Text: "off", Color: "dark-red", Index: 6},
}}}

// safeHz is Δf_safe, for colours; lines and alerts take it from the run.
const safeHz = 0.05

// overview is one run at a glance.
func overview() Dashboard {
	p := newPage("cosim-run", "cosim: run", "One run: frequency, tasks, key pools, the modes of all chains.")
	p.choose("pool", "Pool", influx.Pool, influx.TagElement)
	p.marks("Fibre breaks", "red", influx.Link, "^link-down$")
	p.marks("Repairs", "green", influx.Link, "^link-up$")
	p.marks("Contingencies", "orange", influx.Grid, "^(load-step|generator-trip|branch-trip)$")

	frequency := column("grid.frequency/coi")
	ledger := column("scada.ledger/succeeded")
	pool := port("scada.pool")
	p.row(4)
	p.add(5, stat("Δf max", "suffix: Hz", "Largest deviation of the centre of inertia from nominal frequency.", 3, level("green"), from(safeHz, "red")),
		query{"", fmt.Sprintf(`SELECT max("deviation") FROM (SELECT abs(%s) AS "deviation" FROM %s WHERE %s)`, frequency.field, frequency.measurement, frequency.condition())})
	p.add(5, stat("Task success", "percentunit", "Share of the decided tasks that succeeded, since the start of the run.", 2, level("red"), from(0.99, "orange"), from(0.999, "green")),
		query{"", fmt.Sprintf(`SELECT last("succeeded") / (last("succeeded") + last("failed")) FROM %s WHERE %s`, ledger.measurement, thisRun)})
	p.add(5, stat("Failed tasks", "none", "Since the start of the run.", 0, level("text"), from(1, "orange")),
		query{"", column("scada.ledger/failed").one("last")})
	p.add(5, stat("Lowest pool above K_safe", "suffix: bit", "Smallest distance of any key pool from the reserve of the highest class.", 0, level("red"), from(0, "green")),
		query{"", fmt.Sprintf(`SELECT min("margin") FROM (SELECT %s - %s AS "margin" FROM %s WHERE %s GROUP BY "element")`, pool.field, quote(influx.FieldPoolSafe), pool.measurement, thisRun)})
	p.add(4, stat("Load not served", "megwatt", "Reserve and shedding called, at the most at one time in one block.", 0, level("text"), from(1, "orange")),
		query{"", port("grid.reserve").one("max")})

	p.row(9)
	limit := quote(influx.FieldFrequencySafe)
	p.add(12, chart("Frequency deviation", "suffix: Hz", "Centre of inertia: highest and lowest value in each step of the chart, and Δf_safe.").line("C", "red").line("D", "red"),
		query{"highest", frequency.over("max")},
		query{"lowest", frequency.over("min")},
		query{"Δf_safe", source{frequency.measurement, limit, frequency.element}.over("max")},
		query{"−Δf_safe", fmt.Sprintf(`SELECT -1 * max(%s) FROM %s WHERE %s GROUP BY time($__interval) fill(null)`, limit, frequency.measurement, frequency.condition())})
	p.add(12, chart("Task success", "percentunit", "Successes by decided tasks: since the start, and in each step of the chart.").to(1),
		query{"since the start", fmt.Sprintf(`SELECT last("succeeded") / (last("succeeded") + last("failed")) FROM %s WHERE %s GROUP BY time($__interval) fill(null)`, ledger.measurement, thisRun)},
		query{"now", fmt.Sprintf(`SELECT non_negative_difference(last("succeeded")) / (non_negative_difference(last("succeeded")) + non_negative_difference(last("failed"))) FROM %s WHERE %s GROUP BY time($__interval) fill(none)`, ledger.measurement, thisRun)})

	p.row(10)
	p.add(9, chart("Key pools", "suffix: bit", "Key in each pool, with K_safe, the reserve of the highest class, and K_th, below which a pool warns.").from(0).line("B", "red").line("C", "orange"),
		query{"$tag_element", pool.each("mean")},
		query{"K_safe", source{pool.measurement, quote(influx.FieldPoolSafe), ""}.over("max")},
		query{"K_th", source{pool.measurement, quote(influx.FieldPoolThreshold), ""}.over("max")})
	p.add(8, chart("$pool: stock and forecast", "suffix: bit", "What the control centre counts on: the stock, and the key that it expects within the horizon of its decisions with a band of two standard deviations, before anything is drawn. Only where chains are reconfigured.").
		band("A", "B", "forecast − 2σ").line("D", "red").line("E", "orange"),
		query{"forecast − 2σ", ofPool(`mean(%s) - 2 * mean(%s)`, influx.FieldForecast, influx.FieldForecastDeviation)},
		query{"forecast + 2σ", ofPool(`mean(%s) + 2 * mean(%s)`, influx.FieldForecast, influx.FieldForecastDeviation)},
		query{"stock", ofPool(`mean(%s)`, influx.ColumnPlace("scada.pool").Field)},
		query{"K_safe", ofPool(`max(%s)`, influx.FieldPoolSafe)},
		query{"K_th", ofPool(`max(%s)`, influx.FieldPoolThreshold)})
	p.add(7, chart("Secret key rate", "suffix: bit/s", "0 while a link is down.").from(0),
		query{"$tag_element", port("quantum.rate").each("mean")})

	p.row(20)
	p.add(24, timeline("Modes of the chains", "What each chain is protected with, as the control centre plans it. A state from before the time that is shown appears with its next change.", modes),
		query{"$tag_element", fmt.Sprintf(`SELECT "detail" FROM %s WHERE %s GROUP BY "element"`, quote(influx.EventPlace("plan")), where(influx.TagType, "plan"))})

	p.row(8)
	p.add(8, chart("Failed tasks by cause", "none", "In each step of the chart.").bars(),
		query{"$tag_cause", fmt.Sprintf(`SELECT count("value") FROM %s WHERE "cause" != '' AND %s GROUP BY time($__interval), "cause" fill(none)`, quote(influx.Task), where(influx.TagType, "task"))})
	p.add(8, chart("Reserve and shedding", "megwatt", "Called, by block.").from(0),
		query{"$tag_element", port("grid.reserve").each("max")})
	p.add(8, table("Events", "Breaks, repairs, contingencies and thresholds, newest first."),
		query{"", fmt.Sprintf(`SELECT "type", "element", "value" FROM %s, %s, %s WHERE "type" != '' AND "type" != 'key-block' AND %s ORDER BY time DESC LIMIT 200`, quote(influx.Link), quote(influx.Grid), quote(influx.Pool), thisRun)})
	return p.Dashboard
}

// ofPool asks for fields of the pool that is chosen.
func ofPool(expression string, fields ...string) string {
	quoted := make([]any, len(fields))
	for i, f := range fields {
		quoted[i] = quote(f)
	}
	return fmt.Sprintf(`SELECT %s FROM %s WHERE "element" =~ /^$pool$/ AND %s GROUP BY time($__interval) fill(null)`, fmt.Sprintf(expression, quoted...), quote(influx.Pool), thisRun)
}
