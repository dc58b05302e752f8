package parquet

import (
	"io"

	"cosim/internal/record"

	"github.com/parquet-go/parquet-go"
)

// batchRows is how many rows are collected before they go to the encoder.
const batchRows = 64

// column is one column of a table: a field's name and type, and what the file
// says about it.
type column struct {
	name, unit, description string
	node                    parquet.Node
}

// table writes a Parquet file row by row and begins a row group with each 60 s
// of simulated time.
type table struct {
	writer *parquet.GenericWriter[any]
	batch  [][]parquet.Value // [column][row]
	group  int64             // number of the open row group since time 0
	filled bool              // whether the open row group has rows
}

func newTable(out io.Writer, name string, columns []column) *table {
	root := ordered{Group: parquet.Group{}}
	options := []parquet.WriterOption{
		// Without the space the library writes "version 1(build", which the
		// format's grammar does not know. Not the program's own version: it
		// would change the bytes of old logs' exports.
		parquet.CreatedBy("cosim", "1 ", "run.log"),
		parquet.Compression(&parquet.Snappy),
		parquet.DataPageStatistics(true),
	}
	for _, c := range columns {
		root.Group[c.name] = c.node
		root.names = append(root.names, c.name)
		if c.unit != "" {
			options = append(options, parquet.KeyValueMetadata("unit:"+c.name, c.unit))
		}
		if c.description != "" {
			options = append(options, parquet.KeyValueMetadata("description:"+c.name, c.description))
		}
	}
	options = append(options, parquet.NewSchema(name, root))
	t := &table{writer: parquet.NewGenericWriter[any](out, options...), batch: make([][]parquet.Value, len(columns))}
	for i := range t.batch {
		t.batch[i] = make([]parquet.Value, 0, batchRows)
	}
	return t
}

// begin prepares for a row at tNS. A row that is late by its time, as events
// within a step may be, stays in the open row group.
func (t *table) begin(tNS int64) error {
	if group := tNS / rowGroupNS; group > t.group {
		if err := t.flush(); err != nil {
			return err
		}
		if t.filled {
			if err := t.writer.Flush(); err != nil {
				return err
			}
		}
		t.group, t.filled = group, false
	}
	if len(t.batch[0]) == batchRows {
		return t.flush()
	}
	return nil
}

// put appends a value to the column's batch.
func (t *table) put(column int, v parquet.Value) {
	t.batch[column] = append(t.batch[column], v.Level(0, 0, column))
}

// flush hands the batch to the encoder.
func (t *table) flush() error {
	for i, values := range t.batch {
		if len(values) == 0 {
			continue
		}
		if _, err := t.writer.ColumnWriters()[i].WriteRowValues(values); err != nil {
			return err
		}
		t.batch[i] = values[:0]
		t.filled = true
	}
	return nil
}

func (t *table) close() error {
	if err := t.flush(); err != nil {
		return err
	}
	return t.writer.Close()
}

// ordered is a group whose fields keep the given order; parquet.Group sorts
// them by name.
type ordered struct {
	parquet.Group
	names []string
}

func (o ordered) Fields() []parquet.Field {
	byName := map[string]parquet.Field{}
	for _, f := range o.Group.Fields() {
		byName[f.Name()] = f
	}
	fields := make([]parquet.Field, len(o.names))
	for i, name := range o.names {
		fields[i] = byName[name]
	}
	return fields
}

var (
	float  = parquet.Leaf(parquet.DoubleType)
	clock  = parquet.Leaf(parquet.Int64Type)
	text   = parquet.String()
	symbol = parquet.Encoded(parquet.String(), &parquet.RLEDictionary)
)

func timeColumns() []column {
	return []column{
		{"t_s", "s", "simulated time since the start of the run", float},
		{"t_ns", "ns", "simulated time since the start of the run", clock},
	}
}

func (t *table) putTime(tNS int64) {
	t.put(0, parquet.DoubleValue(float64(tNS)/1e9))
	t.put(1, parquet.Int64Value(tNS))
}

func (t *table) putText(column int, s string) { t.put(column, parquet.ValueOf(s)) }

// seriesTable is series.parquet.
type seriesTable struct{ *table }

func newSeriesTable(out io.Writer, recorded []record.Column) seriesTable {
	columns := timeColumns()
	for _, c := range recorded {
		columns = append(columns, column{c.Name, c.Unit, c.Description, float})
	}
	return seriesTable{newTable(out, "series", columns)}
}

func (t seriesTable) add(tNS int64, values []float64) error {
	if err := t.begin(tNS); err != nil {
		return err
	}
	t.putTime(tNS)
	for i, v := range values {
		t.put(2+i, parquet.DoubleValue(v))
	}
	return nil
}

// eventsTable is events.parquet.
type eventsTable struct{ *table }

func newEventsTable(out io.Writer) eventsTable {
	return eventsTable{newTable(out, "events", append(timeColumns(),
		column{"type", "", "what happened", symbol},
		column{"element", "", "what it happened to", symbol},
		column{"class", "", "class of a task", symbol},
		column{"mode", "", "encryption mode", symbol},
		column{"cause", "", "why a task failed", symbol},
		column{"value", "", "in the unit that stands in column unit", float},
		column{"unit", "", "unit of value", symbol},
		column{"detail", "", "free text", text},
	))}
}

func (t eventsTable) add(e *record.Event) error {
	if err := t.begin(e.AtNS); err != nil {
		return err
	}
	t.putTime(e.AtNS)
	t.putText(2, e.Type)
	t.putText(3, e.Element)
	t.putText(4, e.Class)
	t.putText(5, e.Mode)
	t.putText(6, e.Cause)
	t.put(7, parquet.DoubleValue(e.Value))
	t.putText(8, e.Unit)
	t.putText(9, e.Detail)
	return nil
}
