package influx_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"cosim/internal/experiment"
	"cosim/internal/record"
	"cosim/internal/record/influx"
)

func TestColumnsStandWhereTheSchemaSays(t *testing.T) {
	for column, want := range map[string]influx.Place{
		"grid.frequency/coi":           {Measurement: influx.Grid, Element: "coi", Field: "frequency"},
		"grid.bus_voltage/bus/30":      {Measurement: influx.Grid, Element: "bus/30", Field: "bus_voltage"},
		"scada.controller/ace_mw":      {Measurement: influx.Grid, Element: "controller", Field: "ace_mw"},
		"scada.controller/TSO/ace_mw":  {Measurement: influx.Grid, Element: "controller/TSO", Field: "ace_mw"},
		"scada.fairness/TSO":           {Measurement: influx.Pool, Element: "TSO", Field: "fairness"},
		"scada.pool/pool/CC-GW1":       {Measurement: influx.Pool, Element: "CC-GW1", Field: "pool"},
		"quantum.qber/link/CC-GW1":     {Measurement: influx.Link, Element: "CC-GW1", Field: "qber"},
		"network.wait/queue/CC>GW1":    {Measurement: influx.Link, Element: "queue/CC>GW1", Field: "wait"},
		"scada.ledger/failed":          {Measurement: influx.Task, Field: "failed"},
		"scada.decision/gap":           {Measurement: influx.Optimizer, Field: "gap"},
		"network.balance/routed/sent":  {Measurement: influx.Master, Element: "routed", Field: "sent"},
		"network.attacks/tampered":     {Measurement: influx.Master, Field: "tampered"},
		"battery.state_of_charge/unit": {Measurement: influx.Master, Element: "unit", Field: "battery.state_of_charge"},
		"odd":                          {Measurement: influx.Master, Field: "odd"},
	} {
		if got := influx.ColumnPlace(column); got != want {
			t.Errorf("%s stands in %+v, want %+v", column, got, want)
		}
	}
}

func TestEventsStandWhereTheSchemaSays(t *testing.T) {
	for typ, want := range map[string]string{
		"task": influx.Task, "plan": influx.Chain, "operator-plan": influx.Chain, "operator-agc": influx.Grid,
		"load-step-end": influx.Grid, "breaker-refused": influx.Grid, "generator-trip": influx.Grid,
		"link-down": influx.Link, "key-block": influx.Link, "key-no-yield": influx.Link,
		"key-delivered": influx.Pool, "key-refused": influx.Pool, "pool-protect": influx.Pool,
		"federate-lost": influx.Master, "a battery's own": influx.Master,
	} {
		if got := influx.EventPlace(typ); got != want {
			t.Errorf("%s stands in %s, want %s", typ, got, want)
		}
	}
}

// The recorder's own columns have a place each; two in one would be one value
// in the database.
func TestNoTwoColumnsOfARunShareAPlace(t *testing.T) {
	for name, powerSystem := range map[string]string{"S-1": "", "S-2": "ieee118", "S-3": ""} {
		taken := map[influx.Place]string{}
		for _, c := range columnsOfRun(t, name, powerSystem) {
			p := influx.ColumnPlace(c.Name)
			if other, ok := taken[p]; ok {
				t.Errorf("%s: %s and %s share %+v", name, c.Name, other, p)
			}
			taken[p] = c.Name
			if !slices.Contains(influx.Measurements, p.Measurement) {
				t.Errorf("%s: %s stands in %q, which is no measurement", name, c.Name, p.Measurement)
			}
			if strings.Contains(p.Field, ".") {
				t.Errorf("%s: %s is not known to the schema: it stands in %+v", name, c.Name, p)
			}
		}
	}
}

// columnsOfRun makes a short run of an experiment.
func columnsOfRun(t *testing.T, name, powerSystem string) []record.Column {
	t.Helper()
	d, err := experiment.Load(name, experiment.Overrides{Case: powerSystem, Set: []string{"duration=1s", "disturbances.contingencies.count=0"}})
	if err != nil {
		t.Fatal(err)
	}
	res, err := experiment.Run(context.Background(), d, experiment.RunOptions{Out: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	log, err := record.Open(res.Dir)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	return log.Columns()
}
