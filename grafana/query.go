package grafana

import (
	"fmt"
	"strings"

	"cosim/internal/record/influx"
)

// source is where a column stands in the database, quoted for InfluxQL.
type source struct {
	measurement, field, element string
}

// column translates the name of a recorded column.
func column(name string) source {
	p := influx.ColumnPlace(name)
	return source{quote(p.Measurement), quote(p.Field), p.Element}
}

// port translates a port's name, for questions about all of its elements.
func port(name string) source {
	s := column(name)
	s.element = ""
	return s
}

func quote(name string) string { return `"` + name + `"` }

// Conditions of all questions of dashboards: the run that is chosen at the
// head, and the time that is shown.
const thisRun = `"` + influx.TagRun + `" =~ /^$run$/ AND $timeFilter`

// where is a condition on a tag, in front of those of all questions.
func where(tag, value string) string {
	return fmt.Sprintf(`%s = '%s' AND %s`, quote(tag), value, thisRun)
}

// condition are all that belong to a column.
func (s source) condition() string {
	if s.element == "" {
		return thisRun
	}
	return where(influx.TagElement, s.element)
}

// over is a column over time, gathered in the steps of the chart.
func (s source) over(aggregate string) string {
	return fmt.Sprintf(`SELECT %s(%s) FROM %s WHERE %s GROUP BY time($__interval) fill(null)`, aggregate, s.field, s.measurement, s.condition())
}

// each is over for every element of a port.
func (s source) each(aggregate string, tags ...string) string {
	return fmt.Sprintf(`SELECT %s(%s) FROM %s WHERE %s GROUP BY time($__interval), %s fill(null)`, aggregate, s.field, s.measurement, thisRun, quoteAll(tags))
}

func quoteAll(tags []string) string {
	if len(tags) == 0 {
		return quote(influx.TagElement)
	}
	quoted := make([]string, len(tags))
	for i, t := range tags {
		quoted[i] = quote(t)
	}
	return strings.Join(quoted, ", ")
}

// total is the change of a running total in each step of the chart.
func (s source) total() string {
	return fmt.Sprintf(`SELECT non_negative_difference(last(%s)) FROM %s WHERE %s GROUP BY time($__interval) fill(none)`, s.field, s.measurement, s.condition())
}

// one is a single figure of the time that is shown.
func (s source) one(aggregate string) string {
	return fmt.Sprintf(`SELECT %s(%s) FROM %s WHERE %s`, aggregate, s.field, s.measurement, s.condition())
}

// events counts those of a type in each step of the chart.
func events(eventType string, tags ...string) string {
	m := quote(influx.EventPlace(eventType))
	by := ""
	if len(tags) > 0 {
		by = ", " + quoteAll(tags)
	}
	return fmt.Sprintf(`SELECT count(%s) FROM %s WHERE %s GROUP BY time($__interval)%s fill(0)`, quote(influx.FieldValue), m, where(influx.TagType, eventType), by)
}
