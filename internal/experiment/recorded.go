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

// RunFolders finds the runs at the given places: a run's folder, a folder of
// runs, or a pattern that the shell left alone. A run stands once, however
// often it is named.
func RunFolders(places []string) ([]string, error) {
	var all []string
	var errs []error
	seen := map[string]bool{}
	for _, place := range places {
		found, err := foldersAt(place)
		errs = append(errs, err)
		for _, dir := range found {
			if clean := filepath.Clean(dir); !seen[clean] {
				seen[clean] = true
				all = append(all, dir)
			}
		}
	}
	return all, errors.Join(errs...)
}

func foldersAt(place string) ([]string, error) {
	if isRunFolder(place) {
		return []string{place}, nil
	}
	var candidates []string
	entries, err := os.ReadDir(place)
	switch {
	case err == nil:
		for _, e := range entries {
			if !strings.HasPrefix(e.Name(), ".") { // a run on its way in or out
				candidates = append(candidates, filepath.Join(place, e.Name()))
			}
		}
	case errors.Is(err, fs.ErrNotExist):
		if candidates, err = filepath.Glob(place); err != nil || len(candidates) == 0 {
			return nil, fmt.Errorf("%s does not exist; give a run's folder such as runs/S-2-1, or a folder of runs", place)
		}
	default:
		return nil, err
	}
	var dirs []string
	for _, c := range candidates {
		if isRunFolder(c) {
			dirs = append(dirs, c)
		}
	}
	if len(dirs) == 0 {
		return nil, fmt.Errorf("%s holds no run (no %s); give a run's folder such as runs/S-2-1, or a folder of runs", place, record.LogName)
	}
	return dirs, nil
}

// isRunFolder also knows a run whose log was deleted to save space.
func isRunFolder(dir string) bool {
	if record.IsRun(dir) {
		return true
	}
	_, err := os.Stat(filepath.Join(dir, record.SummaryName))
	return err == nil
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
