package parquet_test

import (
	"bytes"
	"testing"

	pq "github.com/parquet-go/parquet-go"

	"cosim/internal/record/parquet"
)

func TestRowsKeepTypesUnitsAndWhatIsMissing(t *testing.T) {
	table := parquet.Rows{
		Name:    "results",
		Columns: []parquet.Column{{"run", "", "its name"}, {"seed", "", ""}, {"n", "", ""}, {"f", "Hz", ""}, {"ok", "", ""}, {"none", "", ""}},
		Rows: [][]any{
			{"a", uint64(1 << 63), int64(-2), 0.25, true, nil},
			{"b", uint64(2), int64(3), nil, false, nil},
		},
	}
	for len(table.Rows) < 100 { // more than a batch
		table.Rows = append(table.Rows, table.Rows[len(table.Rows)-2])
	}
	var first, second, text bytes.Buffer
	if err := table.Write(&first); err != nil {
		t.Fatal(err)
	}
	if err := table.Write(&second); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("two writings differ")
	}
	f, err := pq.OpenFile(bytes.NewReader(first.Bytes()), int64(first.Len()))
	if err != nil {
		t.Fatal(err)
	}
	if unit, _ := f.Lookup("unit:f"); unit != "Hz" || f.NumRows() != 100 {
		t.Errorf("unit %q, %d rows", unit, f.NumRows())
	}
	rows := f.RowGroups()[0].Rows()
	defer rows.Close()
	got := make([]pq.Row, 2)
	if _, err := rows.ReadRows(got); err != nil {
		t.Fatal(err)
	}
	if a, b := got[0], got[1]; a[0].String() != "a" || a[1].Uint64() != 1<<63 || a[2].Int64() != -2 || a[3].Double() != 0.25 || !a[4].Boolean() || !a[5].IsNull() || !b[3].IsNull() || b[4].Boolean() {
		t.Errorf("read %v and %v", a, b)
	}
	if err := table.WriteCSV(&text); err != nil {
		t.Fatal(err)
	}
	want := "run,seed,n,f [Hz],ok,none\na,9223372036854775808,-2,0.25,true,\nb,2,3,,false,\n"
	if !bytes.HasPrefix(text.Bytes(), []byte(want)) {
		t.Errorf("CSV begins %.90q", text.String())
	}
	table.Rows[1][3] = "x"
	if err := table.Write(&first); err == nil {
		t.Error("a column of two types is written")
	}
}
