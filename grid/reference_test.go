package grid_test

import (
	"encoding/csv"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"cosim/cases"
	"cosim/grid"
)

// refTable is a reference table: rows of text addressed by column name.
type refTable struct {
	t      testing.TB
	header map[string]int
	names  []string
	rows   [][]string
}

func readRef(t testing.TB, file string, header bool) *refTable {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	in := csv.NewReader(f)
	in.FieldsPerRecord = -1
	rows, err := in.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	r := &refTable{t: t, header: map[string]int{}, rows: rows}
	if header {
		r.names, r.rows = rows[0], rows[1:]
		for i, h := range rows[0] {
			r.header[h] = i
		}
	}
	return r
}

func (r *refTable) text(row int, column string) string {
	i, ok := r.header[column]
	if !ok {
		r.t.Fatalf("reference has no column %s", column)
	}
	return r.rows[row][i]
}

func (r *refTable) num(row int, column string) float64 { return r.parse(r.text(row, column)) }

func (r *refTable) at(row, column int) float64 { return r.parse(r.rows[row][column]) }

func (r *refTable) parse(s string) float64 {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		r.t.Fatal(err)
	}
	return v
}

func mustLoad(t testing.TB, name string) *grid.Case {
	t.Helper()
	c, err := cases.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// reconfigured is the 33-bus feeder with branches 7, 9, 14, 32 and 37 open and
// the other ties closed.
func reconfigured(t testing.TB) *grid.Case {
	c := mustLoad(t, "ieee33").Clone()
	for i := range c.Branches {
		c.Branches[i].InService = true
	}
	for _, k := range []int{7, 9, 14, 32, 37} {
		c.Branches[k-1].InService = false
	}
	return c
}

func without(t testing.TB, c *grid.Case, branch string) *grid.Case {
	c = c.Clone()
	k, ok := c.BranchIndex(branch)
	if !ok {
		t.Fatalf("no branch %s", branch)
	}
	c.Branches[k].InService = false
	return c
}

// worst keeps the largest error seen and reports it against a tolerance.
type worst struct {
	name      string
	tolerance float64
	value     float64
	where     string
}

func (w *worst) see(got, want float64, where string) {
	if e := math.Abs(got - want); e > w.value || math.IsNaN(e) {
		w.value, w.where = e, where
	}
}

func (w *worst) report(t *testing.T) {
	t.Helper()
	if !(w.value <= w.tolerance) {
		t.Errorf("%s differs by %.3g at %s, want at most %.3g", w.name, w.value, w.where, w.tolerance)
		return
	}
	t.Logf("%s: largest difference %.2g (allowed %.2g)", w.name, w.value, w.tolerance)
}
