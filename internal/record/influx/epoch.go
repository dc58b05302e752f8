package influx

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"cosim/internal/record"
)

// Epoch says where simulated time zero stands: at a fixed time, or so long
// before or after the start of the run. The zero value is the start itself.
type Epoch struct {
	fixed  time.Time
	offset time.Duration
}

// ParseEpoch reads "2026-01-31T12:00:00Z", "-10m" or "".
func ParseEpoch(text string) (Epoch, error) {
	if text == "" {
		return Epoch{}, nil
	}
	if offset, err := time.ParseDuration(text); err == nil {
		return Epoch{offset: offset}, nil
	}
	fixed, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return Epoch{}, fmt.Errorf("%q is no time, expected one such as 2026-01-31T12:00:00Z, or a duration from the start of the run such as -10m", text)
	}
	if fixed.Year() < 1700 || fixed.Year() > 2200 {
		return Epoch{}, fmt.Errorf("%q is out of the database's range, expected a year from 1700 to 2200", text)
	}
	return Epoch{fixed: fixed}, nil
}

// At returns the epoch of a run that started at a time, in whole milliseconds.
func (e Epoch) At(start time.Time) time.Time {
	if !e.fixed.IsZero() {
		return e.fixed
	}
	return start.Add(e.offset).Truncate(time.Millisecond)
}

// Of returns the epoch of a run that is recorded already: unless it is fixed,
// the one under which the run was sent before, or else one from its start.
func (e Epoch) Of(runDir string) (time.Time, error) {
	if e == (Epoch{}) {
		if r, err := ReadReceipt(runDir); err != nil || r != nil {
			if err != nil {
				return time.Time{}, err
			}
			return r.Epoch, nil
		}
	}
	start, err := started(runDir)
	return e.At(start), err
}

// started says when a run started, by its timing or, of a killed one, by the
// file that is written first.
func started(runDir string) (time.Time, error) {
	var timing record.Timing
	data, err := os.ReadFile(filepath.Join(runDir, record.TimingName))
	if err == nil && json.Unmarshal(data, &timing) == nil && !timing.Started.IsZero() {
		return timing.Started, nil
	}
	info, err := os.Stat(filepath.Join(runDir, record.ManifestName))
	if err != nil {
		return time.Time{}, fmt.Errorf("influx: when the run started is not known: %w", err)
	}
	return info.ModTime(), nil
}
