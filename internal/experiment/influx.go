package experiment

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"time"

	"cosim/internal/metrics"
	"cosim/internal/record"
	"cosim/internal/record/influx"
)

// InfluxRun says how a run of d stands in a database, with simulated time zero
// at epoch, and gives it what dashboards compare with: Δf_safe, the thresholds
// of the key pools, and the plan with which the chains begin.
func InfluxRun(d *Definition, epoch time.Time) influx.Run {
	r := influx.Run{Name: d.RunName(), Experiment: d.Name, Case: d.Case, Seed: d.Seed, Epoch: epoch}
	constant := func(measurement, element, field string, value float64) {
		r.Constants = append(r.Constants, influx.Constant{Measurement: measurement, Element: element, Field: field, Value: value})
	}
	constant(influx.Grid, "coi", influx.FieldFrequencySafe, metrics.SafeHz)
	for _, l := range d.quantumLinks() {
		pool := d.poolConfig(l)
		constant(influx.Pool, l.Name, influx.FieldPoolSafe, float64(pool.SafeBits))
		constant(influx.Pool, l.Name, influx.FieldPoolThreshold, float64(pool.ThresholdBits))
	}
	for _, c := range d.Chains {
		r.Start = append(r.Start, record.Event{Type: "plan", Element: c.ID, Value: math.NaN(), Detail: c.StaticMode.String()})
	}
	if d.forecasts() {
		r.Derive = func(columns []record.Column) influx.Deriver {
			return &forecastFields{KeyForecasts: newKeyForecasts(d, columns)}
		}
	}
	return r
}

// SendRuns has the logs of the runs at the given places sent to a database. It
// returns what is to be said about single runs. A run that cannot be sent does
// not keep the others from it.
func SendRuns(places []string, epoch influx.Epoch, s *influx.Sender) (notes []string, err error) {
	dirs, err := RunFolders(places)
	if err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	var errs []error
	for _, dir := range dirs {
		if !record.IsRun(dir) {
			errs = append(errs, NoRunError{Dir: dir})
			continue
		}
		at, err := epoch.Of(dir)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		run, note, err := recordedInfluxRun(dir, at)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if note != "" {
			notes = append(notes, note)
		}
		s.Send(dir, run)
	}
	return notes, errors.Join(errs...)
}

// recordedInfluxRun is InfluxRun of a run's folder. A manifest that another
// version of the program wrote gives at least the names.
func recordedInfluxRun(dir string, epoch time.Time) (run influx.Run, note string, err error) {
	d, loadErr := Load(filepath.Join(dir, record.ManifestName), Overrides{})
	if loadErr == nil {
		run = InfluxRun(d, epoch)
	} else {
		m, err := readManifest(dir)
		if err != nil {
			return run, "", err
		}
		var names struct {
			Name string `yaml:"name"`
			Case string `yaml:"case"`
			Seed uint64 `yaml:"seed"`
		}
		if err := m.Definition.Decode(&names); err != nil {
			return run, "", fmt.Errorf("%s: %w", filepath.Join(dir, record.ManifestName), err)
		}
		run = influx.Run{Experiment: names.Name, Case: names.Case, Seed: names.Seed, Epoch: epoch}
		note = fmt.Sprintf("%s is sent without thresholds and the plan at its start: this version does not read its %s", dir, record.ManifestName)
	}
	run.Name = filepath.Base(filepath.Clean(dir))
	return run, note, nil
}
