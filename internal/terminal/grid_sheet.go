package terminal

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// Format says for whom a grid command prints.
type Format int

// The formats: for people, or whole tables for machines.
const (
	Text Format = iota
	JSON
	CSV
)

// sheet is a table that is printed for people, as CSV or as JSON objects.
// A cell is a string, a float64, a bool, a list or nil where there is none.
type sheet struct {
	columns []column
	rows    [][]any
}

// column has a key for machines and a heading for people, each with its unit.
// One without a heading is for machines only.
type column struct {
	key, head string
	decimals  int // of numbers, for people
}

func (s *sheet) add(cells ...any) { s.rows = append(s.rows, cells) }

// MarshalJSON writes a list of objects with the keys in the columns' order.
func (s *sheet) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('[')
	for r, row := range s.rows {
		if r > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('{')
		for i, cell := range row {
			if i > 0 {
				b.WriteByte(',')
			}
			if v, ok := cell.(float64); ok && (math.IsInf(v, 0) || math.IsNaN(v)) {
				cell = nil
			}
			value, err := json.Marshal(cell)
			if err != nil {
				return nil, err
			}
			fmt.Fprintf(&b, "%q:%s", s.columns[i].key, value)
		}
		b.WriteByte('}')
	}
	b.WriteByte(']')
	return b.Bytes(), nil
}

func (s *sheet) writeCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	line := make([]string, len(s.columns))
	for i, c := range s.columns {
		line[i] = c.key
	}
	_ = out.Write(line) // the error is kept until Flush
	for _, row := range s.rows {
		for i, cell := range row {
			switch v := cell.(type) {
			case nil:
				line[i] = ""
			case float64:
				line[i] = strconv.FormatFloat(v+0, 'g', -1, 64) // no negative zero
			default:
				line[i] = fmt.Sprint(v)
			}
		}
		_ = out.Write(line)
	}
	out.Flush()
	return out.Error()
}

// print shows some rows to a person, those that are bad in red on a terminal.
// Columns that are empty in all of them are left out.
func (s *sheet) print(w io.Writer, rows []int, bad func(row int) bool) {
	_, colour := IsTerminal(w)
	t := table.NewWriter()
	t.SetStyle(plainStyle())
	var header table.Row
	var configs []table.ColumnConfig
	lines := make([]table.Row, len(rows))
	for i, c := range s.columns {
		if c.head == "" || s.isEmpty(i, rows) {
			continue
		}
		header = append(header, c.head)
		config := table.ColumnConfig{Number: len(header), Align: text.AlignRight, AlignHeader: text.AlignRight}
		if s.isText(i) {
			config.Align, config.AlignHeader = text.AlignLeft, text.AlignLeft
		}
		configs = append(configs, config)
		for k, r := range rows {
			words := forPeople(s.rows[r][i], c.decimals)
			if colour && bad(r) {
				words = text.FgRed.Sprint(words)
			}
			lines[k] = append(lines[k], words)
		}
	}
	t.AppendHeader(header)
	t.SetColumnConfigs(configs)
	t.AppendRows(lines)
	for line := range strings.Lines(t.Render()) {
		fmt.Fprintln(w, strings.TrimRight(line, " \n"))
	}
}

// fit is print without as many of some columns as there is no room for, in their
// order; it names those that it left out.
func (s *sheet) fit(w io.Writer, rows []int, bad func(row int) bool, expendable ...string) (hidden []string) {
	for {
		var b bytes.Buffer
		s.print(&b, rows, func(int) bool { return false })
		if len(expendable) == 0 || text.LongestLineLen(b.String()) <= columns(w) {
			s.print(w, rows, bad)
			return hidden
		}
		for i, c := range s.columns {
			if c.head != expendable[0] {
				continue
			}
			if s.columns[i].head = ""; !s.isEmpty(i, rows) && !slices.Contains(hidden, c.head) {
				hidden = append(hidden, c.head)
			}
		}
		expendable = expendable[1:]
	}
}

func (s *sheet) isEmpty(column int, rows []int) bool {
	for _, r := range rows {
		if cell := s.rows[r][column]; cell != nil && cell != "" {
			return false
		}
	}
	return true
}

// isText tells whether a column holds no numbers.
func (s *sheet) isText(column int) bool {
	for _, row := range s.rows {
		if _, ok := row[column].(float64); ok {
			return false
		}
	}
	return true
}

func forPeople(cell any, decimals int) string {
	switch v := cell.(type) {
	case nil:
		return ""
	case float64:
		return decimal(v, decimals)
	}
	return fmt.Sprint(cell)
}

// decimal writes v without a negative zero.
func decimal(v float64, decimals int) string {
	if math.IsInf(v, 0) || math.IsNaN(v) {
		return "–"
	}
	s := strconv.FormatFloat(v, 'f', decimals, 64)
	if strings.Trim(s, "-0.") == "" {
		s = strings.TrimPrefix(s, "-")
	}
	return s
}

// signed is decimal with a sign before what is above zero.
func signed(v float64, decimals int) string {
	s := decimal(v, decimals)
	if s[0] != '-' && strings.Trim(s, "0.") != "" {
		s = "+" + s
	}
	return s
}

// all returns the rows 0 … n−1.
func all(n int) []int {
	rows := make([]int, n)
	for i := range rows {
		rows[i] = i
	}
	return rows
}

// greatest returns the few rows of greatest value, the greatest first.
func greatest(n, few int, value func(row int) float64) []int {
	rows := all(n)
	sort.SliceStable(rows, func(i, j int) bool { return value(rows[i]) > value(rows[j]) })
	return rows[:min(few, n)]
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// head prints the first line of a result: what was asked, and how it went,
// which has a line of its own where one is too short for both.
func head(w io.Writer, what, how string) {
	const width = 100
	for _, line := range []string{fmt.Sprintf("%-58s  %s", what, how), what + "  " + how} {
		if utf8.RuneCountInString(line) <= width {
			fmt.Fprintln(w, line)
			return
		}
	}
	fmt.Fprintf(w, "%s\n  %s\n", what, how)
}

// figure prints a line below it: a name and what is to be said.
func figure(w io.Writer, name, format string, args ...any) {
	fmt.Fprintf(w, "  %-14s %s\n", name, fmt.Sprintf(format, args...))
}
