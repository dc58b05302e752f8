package experiment

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// DecisionFiles finds recorded decisions at the given places: a file, a folder
// of such files, a run's folder, or a folder of runs. Those of a folder stand in
// the order of their times; a file stands once, however often it is named.
func DecisionFiles(places []string) ([]string, error) {
	var all []string
	var errs []error
	seen := map[string]bool{}
	for _, place := range places {
		found, err := decisionsAt(place)
		errs = append(errs, err)
		for _, file := range found {
			if clean := filepath.Clean(file); !seen[clean] {
				seen[clean] = true
				all = append(all, file)
			}
		}
	}
	return all, errors.Join(errs...)
}

func decisionsAt(place string) ([]string, error) {
	info, err := os.Stat(place)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s: no such file or folder", place)
	case err != nil:
		return nil, err
	case !info.IsDir():
		return []string{place}, nil
	}
	folders := []string{filepath.Join(place, decisionsFolder)}
	if !isRunFolder(place) {
		below, err := entriesOf(place)
		if err != nil {
			return nil, err
		}
		folders = []string{place}
		for _, entry := range below {
			if isRunFolder(entry) {
				folders = append(folders, filepath.Join(entry, decisionsFolder))
			}
		}
	}
	var files []string
	for _, folder := range folders {
		found, err := entriesOf(folder)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		found = slices.DeleteFunc(found, func(file string) bool { return timeInName(file) < 0 })
		slices.SortStableFunc(found, func(a, b string) int { return cmp.Compare(timeInName(a), timeInName(b)) })
		files = append(files, found...)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s holds no recorded decisions (no %s); cosim run S-5 --decisions every:3s records some", place, filepath.Join(decisionsFolder, "290.1s.json"))
	}
	return files, nil
}

// timeInName is that of a decision's file, in seconds; below 0 of other files.
func timeInName(file string) float64 {
	name, ok := strings.CutSuffix(filepath.Base(file), "s.json")
	s, err := strconv.ParseFloat(name, 64)
	if !ok || err != nil {
		return -1
	}
	return s
}
