package experiment

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"cosim/internal/record"
)

// NoRunError says that no run is where one was named.
type NoRunError struct {
	Dir   string
	Found string // what is there instead; "" for a folder that is not a run's
}

// Error returns "nowhere is not a run's folder (it has no run.log)", or what is
// there and what was expected.
func (e NoRunError) Error() string {
	if e.Found == "" {
		return fmt.Sprintf("%s is not a run's folder (it has no %s)", e.Dir, record.LogName)
	}
	return e.Dir + " " + e.Found
}

// aRun is what commands expect that look at runs.
const aRun = "expected a run's folder such as runs/S-2-1, or a folder of runs"

// RunFolders finds the runs at the given places: a run's folder, a folder of
// runs, or a pattern that the shell left alone. A run stands once, however
// often it is named. Where there is none the error is a NoRunError.
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
	info, err := os.Stat(place)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if candidates, err = filepath.Glob(place); err != nil || len(candidates) == 0 {
			return nil, NoRunError{place, "does not exist; " + aRun}
		}
	case err != nil:
		return nil, NoRunError{place, fmt.Sprintf("cannot be opened (%v); %s", err, aRun)}
	case !info.IsDir() && isRunFolder(filepath.Dir(place)):
		return nil, NoRunError{place, "is a file; expected the run's folder, " + filepath.Dir(place)}
	case !info.IsDir():
		return nil, NoRunError{place, "is a file; " + aRun}
	case isSweepFolder(place):
		return nil, NoRunError{place, "is a sweep's folder, not a run's: cosim report " + place + " draws it"}
	default:
		if candidates, err = entriesOf(place); err != nil {
			return nil, err
		}
	}
	var dirs []string
	for _, c := range candidates {
		if isRunFolder(c) {
			dirs = append(dirs, c)
		}
	}
	if len(dirs) == 0 {
		return nil, NoRunError{place, "holds no run" + insteadOf(place)}
	}
	return dirs, nil
}

// insteadOf says what a folder without runs has.
func insteadOf(place string) string {
	sweeps := SweepFolders(place)
	if len(sweeps) == 0 {
		return fmt.Sprintf(" (no %s); %s", record.LogName, aRun)
	}
	const most = 5
	text := " but a sweep: type"
	if len(sweeps) > 1 {
		text = fmt.Sprintf(" but %d sweeps: type one of", len(sweeps))
	}
	for i, dir := range sweeps {
		if i == most {
			return text + fmt.Sprintf("\n  … and %d more", len(sweeps)-most)
		}
		text += "\n  cosim report " + dir
	}
	return text
}

// entriesOf are the files and folders in dir, but for runs on their way in or
// out.
func entriesOf(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	var list []string
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") {
			list = append(list, filepath.Join(dir, e.Name()))
		}
	}
	return list, err
}

// isRunFolder also knows a run whose log was deleted to save space.
func isRunFolder(dir string) bool {
	if record.IsRun(dir) {
		return true
	}
	_, err := os.Stat(filepath.Join(dir, record.SummaryName))
	return err == nil && !isSweepFolder(dir)
}

func isSweepFolder(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, record.SweepTableName))
	return err == nil
}

// SweepFolders finds the sweeps' folders in dir and up to three levels below
// it, in the order of their names.
func SweepFolders(dir string) []string {
	const deepest = 3
	var list []string
	var look func(dir string, depth int)
	look = func(dir string, depth int) {
		below, err := entriesOf(dir)
		if err != nil || depth > deepest {
			return // a file, or closed to us
		}
		for _, entry := range below {
			switch {
			case isSweepFolder(entry):
				list = append(list, entry)
			case !isRunFolder(entry):
				look(entry, depth+1)
			}
		}
	}
	look(dir, 1)
	return list
}
