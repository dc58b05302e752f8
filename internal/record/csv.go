package record

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"strconv"
)

// Names of the files that ExportCSV writes.
const (
	SeriesCSVName = "series.csv"
	EventsCSVName = "events.csv"
)

// ExportCSV writes series.csv and events.csv into a run's folder from its
// run.log, also for a run that was killed or goes on.
func ExportCSV(runDir string) (Ending, error) {
	log, err := Open(runDir)
	if err != nil {
		return Ending{}, err
	}
	defer log.Close()
	var ending Ending
	err = ReplaceFile(filepath.Join(runDir, SeriesCSVName), func(series io.Writer) error {
		return ReplaceFile(filepath.Join(runDir, EventsCSVName), func(events io.Writer) error {
			ending, err = WriteCSV(log, series, events)
			return err
		})
	})
	if err != nil {
		return ending, fmt.Errorf("record: export CSV: %w", err)
	}
	return ending, nil
}

// WriteCSV writes the rows and events of a log. Columns of the series are
// headed "name [unit]". Numbers have as many digits as give back the same
// float64; a missing value (NaN) is an empty cell.
func WriteCSV(log *Reader, series, events io.Writer) (Ending, error) {
	rows, happenings := csv.NewWriter(series), csv.NewWriter(events)
	head := []string{"t_s", "t_ns"}
	for _, c := range log.Columns() {
		name := c.Name
		if c.Unit != "" {
			name += " [" + c.Unit + "]"
		}
		head = append(head, name)
	}
	rows.Write(head) // csv.Writer keeps the first error for Error
	happenings.Write([]string{"t_s", "t_ns", "type", "element", "class", "mode", "cause", "value", "unit", "detail"})
	cells := make([]string, len(head))
	for {
		r, err := log.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return log.Ending(), err
		}
		seconds, nanoseconds := csvNumber(float64(r.TimeNS)/1e9), strconv.FormatInt(r.TimeNS, 10)
		if e := &r.Event; r.Kind == KindEvent {
			happenings.Write([]string{seconds, nanoseconds, e.Type, e.Element, e.Class, e.Mode, e.Cause, csvNumber(e.Value), e.Unit, e.Detail})
			continue
		}
		cells[0], cells[1] = seconds, nanoseconds
		for i, v := range r.Values {
			cells[2+i] = csvNumber(v)
		}
		rows.Write(cells)
	}
	rows.Flush()
	happenings.Flush()
	if err := rows.Error(); err != nil {
		return log.Ending(), err
	}
	return log.Ending(), happenings.Error()
}

func csvNumber(x float64) string {
	if math.IsNaN(x) {
		return ""
	}
	return strconv.FormatFloat(x, 'g', -1, 64)
}
