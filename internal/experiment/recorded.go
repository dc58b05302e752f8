package experiment

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"cosim/internal/metrics"
	"cosim/internal/record"
	"cosim/internal/record/parquet"
)

// recordedRun is a run that can be compared.
type recordedRun struct {
	dir     string
	summary *metrics.Summary
}

// readRuns reads the summaries at the given places. What cannot be compared is
// left out, and the notes say so.
func readRuns(places []string) (runs []recordedRun, notes []string, err error) {
	dirs, err := RunFolders(places)
	if err != nil {
		return nil, nil, err
	}
	var errs []error
	for _, dir := range dirs {
		s, err := readSummary(dir)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			notes = append(notes, fmt.Sprintf("left out: %s has no %s: it was killed or goes on (cosim export %s gives its series so far)", dir, record.SummaryName, dir))
		case err != nil:
			errs = append(errs, err)
		default:
			runs = append(runs, recordedRun{dir, s})
		}
	}
	return runs, notes, errors.Join(errs...)
}

func readSummary(dir string) (*metrics.Summary, error) {
	file := filepath.Join(dir, record.SummaryName)
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	s := &metrics.Summary{}
	if err := json.Unmarshal(data, s); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if strings.TrimSpace(s.Experiment) == "" {
		return nil, fmt.Errorf("%s names no experiment", file)
	}
	return s, nil
}

// Export builds the Parquet files, or CSV files, of each run at the given
// places from its log, and says what it found there, a line a run. A run that
// cannot be exported does not keep the others from it.
func Export(places []string, csv bool) ([]string, error) {
	dirs, err := RunFolders(places)
	if err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	export := parquet.Export
	if csv {
		export = record.ExportCSV
	}
	var report []string
	var errs []error
	for _, dir := range dirs {
		ending, err := export(dir)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		report = append(report, fmt.Sprintf("%s: %v", dir, ending))
	}
	return report, errors.Join(errs...)
}
