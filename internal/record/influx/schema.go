package influx

import (
	"slices"
	"strings"
)

// Measurements of the database.
const (
	Grid      = "grid"
	Pool      = "pool"
	Link      = "link"
	Chain     = "chain"
	Task      = "task"
	Optimizer = "optimizer"
	Master    = "master"
	// Pace holds what no recording does: how fast a run goes on the wall
	// clock. It is written only while a run goes on.
	Pace = "pace"
)

// Measurements lists those that hold what a log holds.
var Measurements = []string{Grid, Pool, Link, Chain, Task, Optimizer, Master}

// Tags of points.
const (
	TagRun        = "run"
	TagExperiment = "experiment"
	TagCase       = "case"
	TagSeed       = "seed"
	TagElement    = "element"
	TagType       = "type"  // of an event
	TagClass      = "class" // of a task
	TagMode       = "mode"  // of a task
	TagCause      = "cause" // of a task that failed
	TagNth        = "nth"   // of events in one place: the second has 2
)

// Fields of events.
const (
	FieldValue  = "value"
	FieldDetail = "detail"
)

// Place is where a column of the series stands.
type Place struct {
	Measurement string
	Element     string // empty: none
	Field       string
}

// port says where the columns of a port stand.
type port struct {
	measurement string
	layout      layout
	element     string // of ports whose elements are fields
}

type layout uint8

const (
	elements layout = iota // "grid.frequency/gen/30": frequency of gen/30
	fields                 // "scada.decision/gap": gap; "network.balance/routed/sent": sent of routed
)

// ports are the recorder's, by name; of all others the federate decides.
var ports = map[string]port{
	"scada.pool":       {Pool, elements, ""},
	"scada.store":      {Pool, elements, ""},
	"scada.generated":  {Pool, elements, ""},
	"scada.consumed":   {Pool, elements, ""},
	"scada.discarded":  {Pool, elements, ""},
	"scada.expired":    {Pool, elements, ""},
	"scada.fairness":   {Pool, elements, ""},
	"scada.asked":      {Pool, elements, ""},
	"scada.granted":    {Pool, elements, ""},
	"scada.controller": {Grid, fields, "controller"},
	"scada.ledger":     {Task, fields, ""},
	"scada.decision":   {Optimizer, fields, ""},
	"network.balance":  {Master, fields, ""},
	"network.attacks":  {Master, fields, ""},
}

// federates say where their other ports stand.
var federates = map[string]string{
	"grid": Grid, "quantum": Link, "network": Link, "scada": Task,
}

// ColumnPlace says where a column of the series stands, "grid.frequency/coi"
// for example. Columns of federates that it does not know, external ones, are
// fields of master with the federate in their name.
func ColumnPlace(column string) Place {
	name, element, _ := strings.Cut(column, "/")
	federate, field, ok := strings.Cut(name, ".")
	p, known := ports[name]
	if !known {
		measurement, builtin := federates[federate]
		if !builtin || !ok {
			return Place{Master, element, name}
		}
		p = port{measurement: measurement}
	}
	if p.layout == fields {
		part, last, divided := cutLast(element)
		if !divided {
			return Place{p.measurement, p.element, last}
		}
		return Place{p.measurement, strings.TrimPrefix(p.element+"/"+part, "/"), last}
	}
	// What the measurement says already is left out: the pool of link CC-GW1 is
	// CC-GW1, as it is in events.
	return Place{p.measurement, strings.TrimPrefix(element, p.measurement+"/"), field}
}

// cutLast divides a name at its last slash.
func cutLast(name string) (part, last string, divided bool) {
	i := strings.LastIndexByte(name, '/')
	if i < 0 {
		return "", name, false
	}
	return name[:i], name[i+1:], true
}

// events says to which measurement an event belongs, by its type or by how the
// type begins.
var events = []struct {
	measurement string
	types       []string
	prefixes    []string
}{
	{Task, []string{"task"}, nil},
	{Chain, []string{"plan", "operator-plan"}, nil},
	{Pool, []string{"key-delivered", "key-refused"}, []string{"pool-"}},
	{Link, nil, []string{"link-", "key-"}},
	{Grid, []string{"generator-trip", "branch-trip"}, []string{"load-step", "breaker", "operator-"}},
	{Master, []string{"federate-lost"}, nil},
}

// EventPlace says to which measurement an event of the given type belongs.
// Types that it does not know belong to master.
func EventPlace(eventType string) string {
	for _, e := range events {
		if slices.Contains(e.types, eventType) || slices.ContainsFunc(e.prefixes, func(p string) bool { return strings.HasPrefix(eventType, p) }) {
			return e.measurement
		}
	}
	return Master
}
