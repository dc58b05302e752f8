package parquet

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"

	"github.com/parquet-go/parquet-go"
)

// Column is one of a Rows: a name, its unit ("" if none), and what it says.
type Column struct{ Name, Unit, Description string }

// Rows is a table of one row a run. A value is a float64, int64, uint64, bool,
// string, or nil where the run has none; a column holds values of one type.
type Rows struct {
	Name    string
	Columns []Column
	Rows    [][]any
}

// rowsPerGroup bounds the memory of who reads a part.
const rowsPerGroup = 10_000

// Write writes the table as a Parquet file. Units stand in the file's metadata
// as unit:NAME. The same table gives the same bytes.
func (r *Rows) Write(out io.Writer) error {
	columns := make([]column, len(r.Columns))
	optional := make([]bool, len(columns))
	for i, c := range r.Columns {
		var err error
		columns[i] = column{name: c.Name, unit: c.Unit, description: c.Description}
		if columns[i].node, optional[i], err = r.node(i); err != nil {
			return err
		}
	}
	t := newTable(out, r.Name, columns)
	for i, row := range r.Rows {
		for k, v := range row {
			t.batch[k] = append(t.batch[k], cell(v, optional[k], k))
		}
		if len(t.batch[0]) == batchRows {
			if err := t.flush(); err != nil {
				return err
			}
		}
		if (i+1)%rowsPerGroup == 0 {
			if err := t.flush(); err != nil {
				return err
			}
			if err := t.writer.Flush(); err != nil {
				return err
			}
		}
	}
	return t.close()
}

// cell is a value at its level: 0 says that an optional one is missing.
func cell(v any, optional bool, column int) parquet.Value {
	switch {
	case v == nil:
		return parquet.NullValue().Level(0, 0, column)
	case optional:
		return parquet.ValueOf(v).Level(0, 1, column)
	}
	return parquet.ValueOf(v).Level(0, 0, column)
}

// node is the type of a column's values, and whether any is missing. A column
// without values is one of numbers.
func (r *Rows) node(column int) (parquet.Node, bool, error) {
	var node parquet.Node
	var first any
	missing := false
	for i, row := range r.Rows {
		v := row[column]
		switch {
		case v == nil:
			missing = true
		case first == nil:
			first = v
		case fmt.Sprintf("%T", v) != fmt.Sprintf("%T", first):
			return nil, false, fmt.Errorf("parquet: column %s of %s: row %d is %T, expected %T", r.Columns[column].Name, r.Name, i, v, first)
		}
	}
	switch first.(type) {
	case int64:
		node = parquet.Int(64)
	case uint64:
		node = parquet.Uint(64)
	case bool:
		node = parquet.Leaf(parquet.BooleanType)
	case string:
		node = symbol
	default:
		node = float
	}
	if missing {
		return parquet.Optional(node), true, nil
	}
	return node, false, nil
}

// WriteCSV writes the table as CSV. Columns are headed "name [unit]"; numbers
// have as many digits as give back the same value.
func (r *Rows) WriteCSV(out io.Writer) error {
	w := csv.NewWriter(out)
	cells := make([]string, len(r.Columns))
	for i, c := range r.Columns {
		if cells[i] = c.Name; c.Unit != "" {
			cells[i] += " [" + c.Unit + "]"
		}
	}
	w.Write(cells) // csv.Writer keeps the first error for Error
	for _, row := range r.Rows {
		for i, v := range row {
			switch x := v.(type) {
			case nil:
				cells[i] = ""
			case float64:
				cells[i] = strconv.FormatFloat(x, 'g', -1, 64)
			default:
				cells[i] = fmt.Sprint(x)
			}
		}
		w.Write(cells)
	}
	w.Flush()
	return w.Error()
}
