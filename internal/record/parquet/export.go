package parquet

import (
	"fmt"
	"io"
	"path/filepath"

	"cosim/internal/record"
)

// Names of the files that Export writes.
const (
	SeriesName = "series.parquet"
	EventsName = "events.parquet"
)

// rowGroupNS is the simulated time that a row group covers.
const rowGroupNS = 60e9

// Export writes series.parquet and events.parquet into a run's folder from its
// run.log, also for a run that was killed or goes on. The ending says how much
// of the log could be read.
func Export(runDir string) (record.Ending, error) {
	log, err := record.Open(runDir)
	if err != nil {
		return record.Ending{}, err
	}
	defer log.Close()
	var ending record.Ending
	err = record.ReplaceFile(filepath.Join(runDir, SeriesName), func(series io.Writer) error {
		return record.ReplaceFile(filepath.Join(runDir, EventsName), func(events io.Writer) error {
			ending, err = Write(log, series, events)
			return err
		})
	})
	if err != nil {
		return ending, fmt.Errorf("parquet: export: %w", err)
	}
	return ending, nil
}

// Write writes the rows and events of a log as two Parquet files.
func Write(log *record.Reader, series, events io.Writer) (record.Ending, error) {
	rows := newSeriesTable(series, log.Columns())
	happenings := newEventsTable(events)
	for {
		r, err := log.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return log.Ending(), err
		}
		if r.Kind == record.KindRow {
			err = rows.add(r.TimeNS, r.Values)
		} else {
			err = happenings.add(&r.Event)
		}
		if err != nil {
			return log.Ending(), err
		}
	}
	if err := rows.close(); err != nil {
		return log.Ending(), err
	}
	return log.Ending(), happenings.close()
}
