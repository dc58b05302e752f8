package influx

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"cosim/internal/record"
)

// Run is how a run stands in the database.
type Run struct {
	Name       string // of the run's folder, "S-3-1"
	Experiment string
	Case       string
	Seed       uint64
	Epoch      time.Time // where simulated time zero stands
	// Constants go with the points of rows.
	Constants []Constant
	// Start is what holds at time zero without an event that says so: the plan
	// of each chain. An event of the same type and element at time zero takes
	// its place. Values are left out.
	Start []record.Event
	// Derive, if any, is given the columns of the log and returns what makes
	// further fields from it.
	Derive func([]record.Column) Deriver
}

// Deriver makes fields from a log that the log does not hold, in the order in
// which the log is read.
type Deriver interface {
	Event(*record.Event)
	// Row returns what goes with the points of a row. The slice is the
	// deriver's own until the next call.
	Row(tNS int64, values []float64) []Constant
}

// Constant is a number beside those of the log, in the point of an element: a
// setting, in all of them.
type Constant struct {
	Measurement, Element, Field string
	Value                       float64
}

// Fields that no column of a log has.
const (
	// FieldFrequencySafe is Δf_safe, in Hz, beside the frequency.
	FieldFrequencySafe = "frequency_safe"
	// FieldPoolSafe and FieldPoolThreshold are K_safe and K_th, in bits, beside
	// the key in a pool.
	FieldPoolSafe      = "pool_safe"
	FieldPoolThreshold = "pool_threshold"
	// FieldForecast is the key that the control centre counts on in a pool: the
	// stock and what its forecaster expects over the horizon of the decisions,
	// before anything is drawn; FieldForecastDeviation is its standard
	// deviation.
	FieldForecast          = "forecast"
	FieldForecastDeviation = "forecast_sd"
	// FieldFederatesLost counts the lost federates, in the rows of master.
	FieldFederatesLost = "federates_lost"
)

// Tag is the value of the tag run: the name and the epoch, so that a run is
// told from another one of the same name, and is the same one when it is sent
// again.
func (r Run) Tag() string {
	return r.Name + "@" + r.Epoch.UTC().Format("2006-01-02T15:04:05.000Z")
}

// ReceiptName is the file in a run's folder that says what was sent.
const ReceiptName = "influx.json"

// Receipt says what of a run the database has.
type Receipt struct {
	Run      string    `json:"run"` // the tag
	Epoch    time.Time `json:"epoch"`
	URL      string    `json:"url"`
	Bucket   string    `json:"bucket"`
	Points   int64     `json:"points"`
	Refused  int64     `json:"refused"`  // by the database, of Points none
	Complete bool      `json:"complete"` // the log was closed, and all of it was sent
}

// ReadReceipt reads the receipt of a run, or returns nil if it was never sent.
func ReadReceipt(runDir string) (*Receipt, error) {
	data, err := os.ReadFile(filepath.Join(runDir, ReceiptName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("influx: %w", err)
	}
	r := &Receipt{}
	if err := json.Unmarshal(data, r); err != nil {
		return nil, fmt.Errorf("influx: %s: %w", filepath.Join(runDir, ReceiptName), err)
	}
	return r, nil
}

func (r *Receipt) write(runDir string) error {
	return record.ReplaceFile(filepath.Join(runDir, ReceiptName), func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(r)
	})
}
