package report

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/parquet-go/parquet-go"

	"cosim/internal/record"
)

// takeTables draws the sweeps among the places, and returns the others.
func (s *study) takeTables(places []string) (others []string, err error) {
	pictures := map[string][]picture{}
	var sweeps []string
	for _, place := range places {
		file := filepath.Join(place, record.SweepTableName)
		if _, err := os.Stat(file); err != nil {
			others = append(others, place)
			continue
		}
		t, err := readTable(file)
		if err != nil {
			return nil, fmt.Errorf("report: %w", err)
		}
		if pictures[place], err = t.pictures(); err != nil {
			return nil, fmt.Errorf("report: %s: %w", file, err)
		}
		sweeps = append(sweeps, place)
	}
	for _, place := range sweeps {
		for _, p := range pictures[place] {
			if name := filepath.Base(place); len(sweeps) > 1 {
				p = p.of(name, name)
			}
			s.swept = append(s.swept, p)
		}
	}
	return others, nil
}

// of says that a picture is one of several of its kind.
func (p picture) of(file, title string) picture {
	p.name += "-" + file
	p.figure.Title = title + ": " + p.figure.Title
	return p
}

// table is a sweep's: numbers, NaN where there is none, and words.
type table struct {
	columns map[string][]float64
	words   map[string][]string
	swept   []string // columns that the sweep varied
	units   map[string]string
	labels  []string // of the runs, see labelled
	rows    int
}

func readTable(name string) (*table, error) {
	in, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return nil, err
	}
	file, err := parquet.OpenFile(in, info.Size())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	t := &table{columns: map[string][]float64{}, words: map[string][]string{}, units: map[string]string{}}
	fields := file.Schema().Fields()
	numeric := make([]bool, len(fields))
	for i, f := range fields {
		numeric[i] = f.Leaf() && (f.Type().Kind() == parquet.Double || f.Type().Kind() == parquet.Int64)
		t.units[f.Name()], _ = file.Lookup("unit:" + f.Name())
		if what, _ := file.Lookup("description:" + f.Name()); what == "swept key" {
			t.swept = append(t.swept, f.Name())
		}
	}
	for _, group := range file.RowGroups() {
		if err := t.take(group, fields, numeric); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return t, nil
}

func (t *table) take(group parquet.RowGroup, fields []parquet.Field, numeric []bool) error {
	rows := group.Rows()
	defer rows.Close()
	buffer := make([]parquet.Row, 64)
	for {
		n, err := rows.ReadRows(buffer)
		for _, row := range buffer[:n] {
			for _, v := range row {
				i := v.Column()
				if i >= len(fields) {
					continue
				}
				if name := fields[i].Name(); numeric[i] {
					t.columns[name] = append(t.columns[name], asFloat(v))
				} else {
					t.words[name] = append(t.words[name], asWord(v))
				}
			}
			t.rows++
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func asFloat(v parquet.Value) float64 {
	switch {
	case v.IsNull():
		return math.NaN()
	case v.Kind() == parquet.Int64:
		return float64(v.Int64())
	}
	return v.Double()
}

func asWord(v parquet.Value) string {
	if v.IsNull() {
		return ""
	}
	return v.String()
}

// pictures draws the headline figures over what was swept: one key of numbers
// as curves, two as maps, words as rows. Several experiments, and words beside
// numbers, are curves or maps of their own.
func (t *table) pictures() ([]picture, error) {
	numbers, words := t.varied()
	var list []picture
	switch {
	case len(numbers) == 2:
		for _, label := range t.labelled(words) {
			part := t.of(label)
			for _, h := range part.heatTables(numbers[1], numbers[0]) {
				p := h.picture()
				if label != "" {
					p = p.of(fileName(label), label)
				}
				list = append(list, p)
			}
		}
	case len(numbers) == 1:
		list = t.curves(numbers[0], t.labelled(words))
	case len(numbers) == 0 && len(words) == 1:
		list = t.sideBySide(words[0], t.labelled(nil))
	case len(numbers) == 0 && len(words) == 0:
		return nil, UsageError{errors.New("no key has several values: the means stand in " + record.SummaryName)}
	default:
		return nil, UsageError{fmt.Errorf("the sweep varies %s: figures are drawn over one key or two of numbers, or one of words", strings.Join(append(numbers, words...), ", "))}
	}
	if len(list) == 0 {
		return nil, errors.New("no run has figures")
	}
	return list, nil
}

// varied are the keys that have several values, as numbers or as words.
func (t *table) varied() (numbers, words []string) {
	for _, name := range t.swept {
		if len(levels(t.columns[name])) > 1 {
			numbers = append(numbers, name)
		}
		if len(occurring(t.words[name])) > 1 {
			words = append(words, name)
		}
	}
	return numbers, words
}

// labelled names each run by its experiment, where there are several, and by
// its values of the given keys; it returns the names in the order of the runs.
func (t *table) labelled(keys []string) []string {
	if len(occurring(t.words["experiment"])) > 1 {
		keys = append([]string{"experiment"}, keys...)
	}
	t.labels = make([]string, t.rows)
	for i := range t.labels {
		parts := make([]string, len(keys))
		for k, key := range keys {
			parts[k] = t.words[key][i]
		}
		t.labels[i] = strings.Join(parts, ", ")
	}
	return occurring(t.labels)
}

// of are the runs with a label.
func (t *table) of(label string) *table {
	part := &table{columns: map[string][]float64{}, units: t.units}
	for i, l := range t.labels {
		if l != label {
			continue
		}
		part.rows++
		for name, values := range t.columns {
			part.columns[name] = append(part.columns[name], values[i])
		}
	}
	return part
}

// fileName is a label as a part of a file's name.
func fileName(label string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(`/\:*?"<>|, `, r) {
			return '-'
		}
		return r
	}, strings.ReplaceAll(label, ", ", "-"))
}

// axisName is how people call a key, or the key itself.
func axisName(key string) string {
	switch key {
	case "quantum.break_rate_hz":
		return "link breaks λ_break"
	case "reconfiguration.rounds":
		return "LD-CP rounds at most"
	}
	return key
}

// levels are the values that occur, in ascending order.
func levels(values []float64) []float64 {
	sorted := slices.DeleteFunc(slices.Clone(values), math.IsNaN)
	slices.Sort(sorted)
	return slices.Compact(sorted)
}

// occurring are the words that occur, in the order in which they do.
func occurring(words []string) []string {
	var list []string
	known := map[string]bool{}
	for _, w := range words {
		if !known[w] {
			known[w] = true
			list = append(list, w)
		}
	}
	return list
}
