package record

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Names of the files in a run's folder.
const (
	ManifestName = "manifest.yaml"
	LogName      = "run.log"
	SummaryName  = "summary.json"
	TimingName   = "timing.json"
)

// SweepTableName is the table that a sweep leaves in its folder, with a row a
// run. It tells a sweep's folder from a run's: both have a SummaryName.
const SweepTableName = "results.parquet"

// install puts the folder fresh in the place of dir. A previous run there is
// moved aside first and deleted last, so that dir is at every moment a whole
// folder of one run, or for the instant between the two renames absent.
func install(fresh, dir string) error {
	old := sibling(dir, "old")
	if err := os.RemoveAll(old); err != nil {
		return err
	}
	if err := os.Rename(dir, old); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Rename(fresh, dir); err != nil {
		return errors.Join(err, os.Rename(old, dir))
	}
	return os.RemoveAll(old)
}

// sibling names a hidden folder beside dir, on the same file system.
func sibling(dir, role string) string {
	return filepath.Join(filepath.Dir(dir), "."+filepath.Base(dir)+"."+role)
}

// checkReplaceable refuses a path that holds anything but a run or nothing.
func checkReplaceable(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	if !IsRun(dir) {
		return fmt.Errorf("%s is not a run's folder (it has no %s) and will not be replaced", dir, LogName)
	}
	return nil
}

// IsRun reports whether dir holds a run, whole or killed.
func IsRun(dir string) bool {
	file, err := os.Open(filepath.Join(dir, LogName))
	if err != nil {
		return false
	}
	defer file.Close()
	start := make([]byte, len(magic))
	_, err = io.ReadFull(file, start)
	return err == nil && string(start) == magic
}

// ReplaceFile writes a file under a temporary name beside path and gives it
// its name only when it is whole. If write fails, what stood at path stays.
func ReplaceFile(path string, write func(io.Writer) error) (err error) {
	partial := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".partial")
	file, err := os.Create(partial)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(partial)
		}
	}()
	buffered := bufio.NewWriterSize(file, bufferBytes)
	err = errors.Join(write(buffered), buffered.Flush(), file.Close())
	if err != nil {
		return err
	}
	return os.Rename(partial, path)
}
